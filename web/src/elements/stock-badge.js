// <stock-badge sku="TEE-RED-M" state="low" quantity="3" version="42">Only 3 left</stock-badge>
//
// The children are the words of the server that made the page. They stay until something
// newer is known. The badge subscribes while it is in view. It changes neither its
// attributes nor its children, which belong to the page.

import { lookOf } from '../words.js';
import { announce } from './announce.js';
import { define, LiveElement, make } from './element.js';

const rules = `
:host { display: inline-flex; align-items: baseline; white-space: nowrap }
:host([hidden]) { display: none }
.box { display: inline-flex; align-items: baseline; gap: .45em; color: var(--tone) }
.in { --tone: var(--badge-in, #176a3a) }
.low { --tone: var(--badge-low, #8a4600) }
.out { --tone: var(--badge-out, #9d2039) }
.back { --tone: var(--badge-back, #0b5f6d) }
.unknown, .denied, .stale { --tone: var(--badge-unknown, #5a5365) }
.dot { inline-size: .55em; block-size: .55em; border-radius: 50%; background: currentColor; align-self: center }
.low .dot { background: linear-gradient(to right, currentColor 50%, transparent 50%); outline: .1em solid; outline-offset: -.1em }
.unknown .dot, .denied .dot { background: none; border: .12em solid; box-sizing: border-box }
.unknown .dot { border-style: dotted }
.stale .dot { background: radial-gradient(closest-side, transparent 54%, currentColor 60%) }
.name { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%) }
.mark:empty { display: none }
@media (forced-colors: active) { .dot { forced-color-adjust: none } }
`;

/** The upgrade of thousands of badges is one task of the browser, so a badge has no fields before it is seen. */
export class StockBadge extends LiveElement {
  get sku() {
    return this.getAttribute('sku');
  }

  set sku(sku) {
    if (sku === null || sku === undefined) this.removeAttribute('sku');
    else this.setAttribute('sku', sku);
  }

  begin(live, signal) {
    // A page may have set the property before this class was there.
    const early = Object.getOwnPropertyDescriptor(this, 'sku');
    if (early) {
      delete this.sku;
      this.sku = early.value;
    }
    changes().observe(this, { attributes: true, attributeFilter: ['sku'] });
    const topic = topicOf(this);
    said.delete(this);
    if (!topic) return;
    const written = writtenOn(this);
    if (written) live.seed(topic, written);
    live.subscribe([topic], () => this.paintSoon(), { signal });
    live.addEventListener('status', () => this.paintSoon(), { signal });
  }

  paint() {
    const live = this.shown;
    if (!live || !topicOf(this)) return;
    const news = { ...live.newsOf(topicOf(this)) };
    if (!this.held) news.live = false; // out of view, or closed: not kept up to date
    const written = writtenOn(this);
    const own = hasOwnWords(this);
    // What the server wrote stays, until the hub has said something.
    if (own && !news.live && !news.provenAt && news.refusal !== 'denied' && news.refusal !== 'bad_topic') {
      showOwn(this);
      return;
    }
    const look = lookOf(news, live.status, live.words, this.format);
    const same = own && written && news.value && news.live && ['version', 'state', 'quantity', 'until'].every((name) => written[name] === news.value[name]);
    show(this, look, same, live);
  }
}

/** said has the words that a badge showed last while they were proved. */
const said = new WeakMap();

const topicOf = (badge) => (badge.sku ? `sku:${badge.sku}` : null);

let skuChanges = null;

/** changes begins anew with badges in view whose SKU the page has changed. */
function changes() {
  skuChanges ??= new MutationObserver((records) => {
    for (const badge of new Set(records.map((r) => /** @type {any} */ (r.target)))) {
      const seen = Boolean(badge.held);
      badge.letGo();
      if (seen) badge.hold();
    }
  });
  return skuChanges;
}

/** writtenOn returns the value that the server wrote into the attributes, or undefined. */
function writtenOn(badge) {
  const number = (name) => (/^\d+$/.test(badge.getAttribute(name) ?? '') ? Number(badge.getAttribute(name)) : undefined);
  const version = number('version');
  const state = badge.getAttribute('state');
  if (version === undefined || !state) return undefined;
  const value = { version, state };
  if (number('quantity') !== undefined) value.quantity = number('quantity');
  if (badge.getAttribute('until')) value.until = badge.getAttribute('until');
  return value;
}

/** hasOwnWords reports whether the children say something now; <span slot="out"> is a word for later. */
const hasOwnWords = (badge) => [...badge.childNodes].some((node) => !node.slot && node.nodeType !== Node.COMMENT_NODE && node.textContent.trim() !== '');

/** showOwn shows the children, also where the badge has shown another item before. */
function showOwn(badge) {
  badge.setStates(['server']);
  if (!badge.shadowRoot) return;
  const { box, name, slot, mark } = partsOf(badge);
  box.className = 'box unknown';
  slot.name = '';
  for (const part of [name, slot, mark]) put(part, '');
}

/** partsOf returns what a badge consists of. */
function partsOf(badge) {
  const root = badge.root(rules, () => [
    make('span', { class: 'box' }, make('span', { class: 'dot', part: 'dot', 'aria-hidden': 'true' }),
      make('span', { class: 'name' }), make('bdi', { part: 'text' }, make('slot')), make('span', { class: 'mark', part: 'mark' })),
  ]);
  const [box] = root.children;
  const [, name, words, mark] = box.children;
  return { box, name, slot: words.firstElementChild, mark };
}

/** show writes what a badge says. same: it is what the server wrote, in the page's own words. */
function show(badge, look, same, live) {
  const { state, text, stale } = look;
  const { box, name, slot, mark } = partsOf(badge);
  box.className = `box ${state}${stale ? ' stale' : ''}`;
  badge.setStates(stale ? [state, 'stale'] : [state]);
  const label = badge.getAttribute('label') ?? (live.nameOf(badge.sku) === badge.sku ? '' : live.nameOf(badge.sku));
  put(name, label && `${label}: `);
  put(mark, stale && isDue(badge) ? look.time : '');
  // The page's own words for a state: <span slot="out">…</span>. Else those of the table.
  slot.name = same ? '' : state;
  put(slot, text);
  if (stale || state === 'unknown') return;
  doubts.delete(badge);
  const before = said.get(badge);
  said.set(badge, text);
  if (!before || before === text || !live.announces) return;
  if (badge.hasAttribute('announce') || live.get('cart')?.lines.has(badge.sku)) {
    announce(badge.sku, live.words.named({ name: label || badge.sku, text }));
  }
}

/**
 * A badge that is proved no more looks so at once. It says since when a while later, in ms: most
 * doubts are over sooner, and each change of the text makes the browser lay the page out again.
 */
const markAfter = 1_000;

const doubts = new WeakMap(); // badge -> {due}, from the first moment without proof

/** isDue reports whether a stale badge is to say the time, and sees to it that it will. */
function isDue(badge) {
  if (!said.has(badge)) return true; // it was not proved in this view
  if (!doubts.has(badge)) {
    const doubt = { due: false };
    doubts.set(badge, doubt);
    setTimeout(() => {
      doubt.due = true;
      if (doubts.get(badge) === doubt) badge.paintSoon();
    }, markAfter);
  }
  return doubts.get(badge).due;
}

/** put sets a text, if it is another one. */
const put = (node, text) => node.textContent !== text && (node.textContent = text);

define('stock-badge', StockBadge);
