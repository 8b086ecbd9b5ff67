// LiveElement is the base of the elements: a shadow root that comes with the first thing to
// say, words in the element's language, and states for style sheets.

import { formatOf } from '../words.js';
import { paintSoon, pageLive, unwatch, watch } from './page.js';

/** parts has the shadow roots, internals the ElementInternals of the elements that were seen. */
const parts = new WeakMap();
const internals = new WeakMap();

/** A server has no HTMLElement; there the module can be imported and defines nothing. */
const Base = globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (/** @type {any} */ (class {}));

export class LiveElement extends Base {

  connectedCallback() {
    watch(this);
  }

  disconnectedCallback() {
    unwatch(this);
  }

  /** begin subscribes, until the signal. paint shows what is known; while held is null, nothing of it is proved. */
  begin(_live, _signal) {}
  paint() {}

  /** hold begins to show the page's Live. letGo ends it. */
  hold() {
    if (this.held) return;
    /** What keeps the element's subscriptions, or null. */
    this.held = new AbortController();
    /** The Live whose values the element shows, also when it is out of view, or when the Live was closed. */
    this.shown = pageLive();
    this.begin(this.shown, this.held.signal);
    this.paintSoon();
  }

  letGo() {
    this.held?.abort();
    this.held = null;
    this.paintSoon();
  }

  paintSoon() {
    paintSoon(this);
  }

  /** root returns the shadow root; the first call makes it, with this content and style. */
  root(rules, make) {
    if (parts.has(this)) return parts.get(this);
    const root = this.attachShadow({ mode: 'open' });
    parts.set(this, root);
    root.adoptedStyleSheets = [sheetOf(rules)];
    root.append(...make());
    return root;
  }

  /** setStates sets the element's custom states, for :state(…) in style sheets. */
  setStates(names) {
    if (!internals.has(this)) internals.set(this, this.attachInternals?.());
    const states = internals.get(this)?.states;
    if (!states) return; // a browser from before 2024
    for (const old of [...states]) if (!names.includes(old)) states.delete(old);
    for (const name of names) states.add(name);
  }

  get format() {
    return formatOf(this.closest('[lang]')?.getAttribute('lang') ?? '');
  }
}

const sheets = new Map();

/** sheetOf returns a constructed style sheet, which the strictest policy allows. All elements of a kind share it. */
function sheetOf(rules) {
  if (!sheets.has(rules)) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(rules);
    sheets.set(rules, sheet);
  }
  return sheets.get(rules);
}

/** make makes an element: make('span', {part: 'text'}, 'words', child …). */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** define registers an element, once, also if the module is in the page twice. */
export function define(name, type) {
  if (globalThis.customElements && !customElements.get(name)) customElements.define(name, type);
}
