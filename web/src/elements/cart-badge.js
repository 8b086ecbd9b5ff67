// <cart-badge></cart-badge> shows how many pieces are in the cart.

import { piecesOf } from '../words.js';
import { define, LiveElement, make } from './element.js';

const rules = `
:host { display: inline-flex; align-items: baseline; white-space: nowrap }
:host([hidden]) { display: none }
.stale { color: var(--badge-unknown, #5a5365) }
`;

export class CartBadge extends LiveElement {
  begin(live, signal) {
    live.subscribe(['cart'], () => this.paintSoon(), { signal });
    for (const type of ['cart', 'live']) live.addEventListener(type, () => this.paintSoon(), { signal });
  }

  paint() {
    const live = this.shown;
    const cart = live?.cart.state;
    if (!cart || (!cart.known && cart.lines.size === 0)) return; // the children stay
    const stale = !cart.live || !this.held;
    const n = piecesOf(cart);
    const [box] = this.root(rules, () => [make('bdi', { part: 'text' })]).children;
    const text = live.words.pieces({ n: this.format.number(n), one: n === 1 });
    if (box.textContent !== text) box.textContent = text;
    box.className = stale ? 'stale' : '';
    this.setStates([n > 0 ? 'full' : 'empty', ...(stale ? ['stale'] : []), ...(cart.pending > 0 ? ['pending'] : [])]);
  }
}

define('cart-badge', CartBadge);
