// Custom elements that render the state of a Hub:
//
//   <stock-badge sku="TEE-RED-M"></stock-badge>
//   <cart-badge></cart-badge>
//
//   import { connectHub } from './elements.js';
//   connectHub(hub);
//
// A badge subscribes to its topic while it is in the page. To style it from outside,
// use its attributes state ("in", "low", "out", "back", "unknown", "none") and stale, its
// part "text", and the custom properties --badge-in, --badge-low, --badge-out, --badge-back,
// --badge-unknown.

import { cartTopic } from './state.js';
import { badgeText, countPieces } from './words.js';

let hub = null;
const attached = new Set(); // badges in the page

/** connectHub sets the hub of all badges, those already in the page included. */
export function connectHub(next) {
  if (next === hub) return;
  for (const badge of attached) badge.leave();
  hub?.removeEventListener('change', onChange);
  for (const type of renderAllAfter) hub?.removeEventListener(type, renderAll);
  hub = next;
  hub?.addEventListener('change', onChange);
  for (const type of renderAllAfter) hub?.addEventListener(type, renderAll);
  for (const badge of attached) badge.enter();
}

/** Events that may change the look of any badge. */
const renderAllAfter = ['live', 'epoch', 'refused', 'identity'];

function renderAll() {
  for (const badge of attached) badge.render();
}

function onChange({ detail }) {
  const topics = new Set(detail.topics);
  for (const badge of attached) if (topics.has(badge.topic)) badge.render();
}

const rules = `
  :host {
    display: inline-flex; align-items: baseline; gap: .45em; white-space: nowrap;
    --tone: var(--badge-unknown, #6b7280); color: var(--tone);
  }
  :host([hidden]) { display: none; }
  :host([state="in"]) { --tone: var(--badge-in, #15803d); }
  :host([state="low"]) { --tone: var(--badge-low, #b45309); }
  :host([state="back"]) { --tone: var(--badge-back, #1d4ed8); }
  :host([state="out"]), :host([state="none"]) { --tone: var(--badge-out, #b91c1c); }
  .dot { inline-size: .55em; block-size: .55em; border-radius: 50%; background: currentColor; align-self: center; }
  .old { opacity: .75; font-size: .85em; }
  .old[hidden] { display: none; }
  :host([stale]) .dot { background: none; box-shadow: inset 0 0 0 .12em currentColor; }
`;

let sharedSheet = null;

/**
 * addStyle styles a badge. A constructed style sheet is shared by all badges, and a page
 * may forbid inline styles without losing it. Old browsers cannot make one.
 */
function addStyle(root) {
  try {
    if (!sharedSheet) {
      sharedSheet = new CSSStyleSheet();
      sharedSheet.replaceSync(rules);
    }
    root.adoptedStyleSheets = [sharedSheet];
  } catch {
    const inline = document.createElement('style');
    inline.textContent = rules;
    root.append(inline);
  }
}

/** LiveBadge is the base class of both badges. */
class LiveBadge extends HTMLElement {
  topic = null;
  #text;
  #mark;
  #subscription = null; // the topic passed to hub.want

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    addStyle(root);
    const dot = part('dot');
    dot.setAttribute('aria-hidden', 'true');
    this.#text = part('text');
    this.#text.setAttribute('part', 'text');
    // The mark is not part of the text: otherwise a screen reader would read out
    // every badge of the page when the connection is lost.
    this.#mark = part('old');
    this.#mark.textContent = '(last known)';
    this.#mark.hidden = true; // without a style sheet too
    root.append(dot, this.#text, this.#mark);
  }

  connectedCallback() {
    attached.add(this);
    this.enter();
  }

  disconnectedCallback() {
    attached.delete(this);
    this.leave();
  }

  enter() {
    if (hub && this.topic) {
      this.#subscription = this.topic;
      hub.want([this.topic]);
    }
    this.render();
  }

  leave() {
    if (hub && this.#subscription) hub.drop([this.#subscription]);
    this.#subscription = null;
  }

  /** show renders a state. Screen readers announce changes, but not the first value. */
  show({ state, text }, stale) {
    this.setAttribute('state', state);
    this.toggleAttribute('stale', stale);
    this.#mark.hidden = !stale;
    if (this.#text.textContent === text) return;
    this.#text.textContent = text;
    if (state !== 'unknown') this.#text.setAttribute('aria-live', 'polite');
  }
}

function part(name) {
  const span = document.createElement('span');
  span.className = name;
  return span;
}

/** StockBadge shows the stock of a SKU. */
export class StockBadge extends LiveBadge {
  static observedAttributes = ['sku'];

  attributeChangedCallback(_name, before, sku) {
    if (before === sku) return;
    if (this.isConnected) this.leave();
    this.topic = sku ? `sku:${sku}` : null;
    if (this.isConnected) this.enter();
  }

  render() {
    const value = this.topic ? hub?.get(this.topic) : undefined;
    const stale = value !== undefined && !hub.isLive(this.topic);
    this.show(badgeText(value, this.topic && hub?.refusal(this.topic)), stale);
  }
}

/** CartBadge shows how many pieces are in the cart. */
export class CartBadge extends LiveBadge {
  topic = cartTopic;

  render() {
    const cart = hub?.get(cartTopic);
    const n = countPieces(cart);
    const text = n === undefined ? '…' : n === 1 ? '1 piece' : `${n} pieces`;
    const state = n === undefined ? 'unknown' : n > 0 ? 'full' : 'empty';
    this.show({ state, text }, cart !== undefined && !hub.isLive(cartTopic));
  }
}

customElements.define('stock-badge', StockBadge);
customElements.define('cart-badge', CartBadge);
