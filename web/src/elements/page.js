// What all elements of a page share: the Live, their painting, and who is in view.

import { attempt } from '../attempt.js';

const key = Symbol.for('securecart.page');

/** The module may be in a page twice, for example in two bundles. Both share this. */
const page = (globalThis[key] ??= { live: null, elements: new Set(), used: false, onUse: [] });

/** pageLive returns the Live of the page's elements, or null. */
export const pageLive = () => page.live;

/**
 * Makes a Live the one that all elements of the page show.
 * @param {import('../live.js').Live | null} live
 */
export function use(live) {
  if (page.live === live) return;
  page.live?.removeEventListener('refused', onRefused);
  for (const element of page.elements) attempt(() => element.letGo());
  page.live = live;
  if (!live) return;
  live.addEventListener('refused', onRefused);
  for (const element of page.elements) attempt(() => element.hold());
}

/**
 * The connection has no room: what is out of view goes at once.
 * @param {import('../types').LiveEvents['refused']} event
 */
function onRefused({ detail }) {
  if (detail.code === 'too_many_topics') for (const element of [...leaving.keys()]) letGo(element);
}

/** whenUsed calls f when the page has its first element of ours, or at once if it had one. */
export function whenUsed(f) {
  if (page.used) f();
  else page.onUse.push(f);
}

/** join adds an element that is in view, leave removes it. */
export function join(element) {
  page.elements.add(element);
  if (page.live) element.hold();
}

export function leave(element) {
  page.elements.delete(element);
  if (page.live) element.letGo();
}

// ---- Painting: many changes are one frame, and a frame is short ----

/** slice is how long painting may hold the page up, in ms. */
const slice = 5;

let dirty = new Set();
let frame = false;

/** paintSoon calls element.paint() in the next frame, or in one after it. */
export function paintSoon(element) {
  dirty.add(element);
  if (frame) return;
  frame = true;
  requestAnimationFrame(paint);
}

function paint() {
  const end = performance.now() + slice;
  for (const element of dirty) {
    dirty.delete(element);
    attempt(() => element.paint());
    if (performance.now() > end) break;
  }
  frame = dirty.size > 0;
  if (frame) requestAnimationFrame(paint);
}

// ---- Who is in view ----

/** Some browsers get slow with more targets in one observer. */
const perObserver = 500;

/** An element that scrolls out of view is let go after this long, in ms. */
const letGoAfter = 5_000;

/** Elements that come into view while a person scrolls join together, this long after the last ones, in ms. */
const joinEvery = 250;

const waiting = []; // elements to observe
const observers = [];
const observerOf = new WeakMap();
const leaving = new Map(); // element -> timer
const joining = new Set();
let joinTimer = null;
let joinedAt = -Infinity;

/**
 * watch begins to watch whether an element is in view: then it joins, and leaves a while after.
 * The browser upgrades all elements of a page in one task, so this does next to nothing.
 */
export function watch(element) {
  if (waiting.push(element) > 1) return;
  requestAnimationFrame(observe);
  page.used = true;
  for (const f of page.onUse.splice(0)) f();
}

export function unwatch(element) {
  observerOf.get(element)?.unobserve(element);
  observerOf.delete(element);
  const at = waiting.indexOf(element);
  if (at >= 0) waiting.splice(at, 1);
  stay(element);
  leave(element);
}

function observe() {
  const end = performance.now() + slice;
  while (waiting.length > 0 && performance.now() < end) {
    const element = waiting.shift();
    let observer = observers.at(-1);
    if (!observer || observer.targets === perObserver) {
      observer = new IntersectionObserver(onView, { rootMargin: '200px' });
      observer.targets = 0;
      observers.push(observer);
    }
    observer.targets++;
    observer.observe(element);
    observerOf.set(element, observer);
  }
  if (waiting.length > 0) requestAnimationFrame(observe);
}

function onView(entries) {
  for (const { target, isIntersecting } of entries) {
    stay(target);
    if (isIntersecting && !page.elements.has(target)) joining.add(target);
    else if (!isIntersecting && page.elements.has(target)) leaving.set(target, setTimeout(() => letGo(target), letGoAfter));
  }
  if (joining.size === 0 || joinTimer) return;
  joinTimer = setTimeout(joinAll, Math.max(0, joinedAt + joinEvery - performance.now()));
}

function joinAll() {
  joinTimer = null;
  joinedAt = performance.now();
  for (const element of joining) {
    joining.delete(element);
    attempt(() => join(element));
    if (performance.now() > joinedAt + slice) break;
  }
  if (joining.size > 0) joinTimer = setTimeout(joinAll);
}

/** letGo lets go of an element that is out of view. */
function letGo(element) {
  clearTimeout(leaving.get(element));
  leaving.delete(element);
  leave(element);
}

function stay(element) {
  if (leaving.has(element)) clearTimeout(leaving.get(element));
  leaving.delete(element);
  joining.delete(element);
}
