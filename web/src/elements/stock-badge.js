// <stock-badge sku="TEE-RED-M" state="low" quantity="3" version="42">Only 3 left</stock-badge>
//
// The children are the words of the server that made the page. They stay until something
// newer is known. The badge subscribes while it is in view. It changes neither its
// attributes nor its children, which belong to the page.

import { lookOf } from '../words.js';
import { announce } from './announce.js';
import { define, LiveElement, make } from './element.js';
import { pageLive } from './page.js';

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
.unknown .dot, .denied .dot, .stale .dot { background: none; border: .12em solid; box-sizing: border-box }
.unknown .dot { border-style: dotted }
.name { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%) }
.mark:empty { display: none }
@media (forced-colors: active) { .dot { forced-color-adjust: none } }
`;

export class StockBadge extends LiveElement {
  static observedAttributes = ['sku'];
  #said = '';

  get sku() {
    return this.getAttribute('sku');
  }

  set sku(sku) {
    if (sku === null || sku === undefined) this.removeAttribute('sku');
    else this.setAttribute('sku', sku);
  }

  get #topic() {
    return this.sku ? `sku:${this.sku}` : null;
  }

  connectedCallback() {
    // A page may have set the property before this class was there.
    const early = Object.getOwnPropertyDescriptor(this, 'sku');
    if (early) {
      delete this.sku;
      this.sku = early.value;
    }
    super.connectedCallback();
  }

  attributeChangedCallback(_name, before, after) {
    if (before === after || !this.held) return;
    this.#said = '';
    this.letGo();
    this.hold();
  }

  begin(live, signal) {
    const topic = this.#topic;
    if (!topic) return;
    const written = this.#written();
    if (written) live.seed(topic, written);
    live.subscribe([topic], () => this.paintSoon(), { signal });
    live.addEventListener('status', () => this.paintSoon(), { signal });
  }

  /** written is the value that the server wrote into the attributes, or undefined. */
  #written() {
    const number = (name) => (/^\d+$/.test(this.getAttribute(name) ?? '') ? Number(this.getAttribute(name)) : undefined);
    const version = number('version');
    const state = this.getAttribute('state');
    if (version === undefined || !state) return undefined;
    const value = { version, state };
    if (number('quantity') !== undefined) value.quantity = number('quantity');
    if (this.getAttribute('until')) value.until = this.getAttribute('until');
    return value;
  }

  paint() {
    const live = pageLive();
    if (!live || !this.#topic) return;
    const news = { ...live.newsOf(this.#topic) };
    if (!this.held) news.live = false; // out of view: not kept up to date
    const written = this.#written();
    const own = this.textContent.trim() !== '';
    // What the server wrote stays, until the hub has said something.
    if (own && !news.live && !news.provenAt && news.refusal !== 'denied' && news.refusal !== 'bad_topic') {
      this.setStates(['server']);
      return;
    }
    const look = lookOf(news, live.status, live.words, this.format);
    const same = own && written && news.value && news.live && ['version', 'state', 'quantity', 'until'].every((name) => written[name] === news.value[name]);
    this.#show(look, same, live);
  }

  #show({ state, text, stale, time }, same, live) {
    const root = this.root(rules, () => [
      make('span', { class: 'box' }, make('span', { class: 'dot', part: 'dot', 'aria-hidden': 'true' }),
        make('span', { class: 'name' }), make('bdi', { part: 'text' }, make('slot')), make('span', { class: 'mark', part: 'mark' })),
    ]);
    const [box] = root.children;
    const [, name, words, mark] = box.children;
    const [slot] = words.children;
    box.className = `box ${state}${stale ? ' stale' : ''}`;
    this.setStates(stale ? [state, 'stale'] : [state]);
    const label = this.getAttribute('label') ?? (live.nameOf(this.sku) === this.sku ? '' : live.nameOf(this.sku));
    put(name, label && `${label}: `);
    put(mark, time);
    // The page's own words for a state: <span slot="out">…</span>. Else those of the table.
    slot.name = same ? '' : state;
    put(slot, text);
    if (stale || state === 'unknown') return;
    const before = this.#said;
    this.#said = text;
    if (!before || before === text) return;
    if (this.hasAttribute('announce') || live.cart.state.lines.has(this.sku)) {
      announce(this.sku, live.words.named({ name: label || this.sku, text }));
    }
  }
}

/** put sets a text, if it is another one. */
const put = (node, text) => node.textContent !== text && (node.textContent = text);

define('stock-badge', StockBadge);
