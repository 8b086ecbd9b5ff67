// Badges: a mark and words in a box that no state makes larger. One SKU is shown by the
// client's <stock-badge>, which css/badge.css gives the shop's look. A product with
// several versions, and what a maker sees of a shopper's badge, are the shop's own.

import { h, replace, setText } from './dom.js';
import { mark } from './pictures/icons.js';
import { badgeOf } from './stock.js';

/** liveBadge shows the stock of a SKU. announce: changes are read out, also if it is not in the cart. */
export function liveBadge(app, sku, { announce = false } = {}) {
  const element = h('stock-badge', { sku, announce });
  const flash = flasher(element);
  return { element, update: () => flash(badgeOf([app.store.view(sku)])) };
}

/** badge shows the stock of one or more SKUs together. name is read out before the words. */
export function badge(app, skus, name) {
  const sign = h('span', { class: 'badge-mark' });
  const text = h('span');
  const title = h('span', { class: 'visually-hidden' }, `${name}: `);
  const element = h('span', { class: 'badge' }, sign, title, text);
  const flash = flasher(element);
  return {
    element,
    update() {
      const now = badgeOf(skus.map(app.store.view));
      if (element.dataset.kind !== now.kind) {
        replace(sign, mark(now.kind));
        element.dataset.kind = now.kind;
      }
      setText(text, now.text);
      flash(now);
    },
  };
}

/** flasher returns a function that shows once that a badge has changed from one proved state to another. */
function flasher(element) {
  let before = null;
  return ({ kind, text }) => {
    if (kind === 'stale' || kind === 'asking' || kind === 'unknown') return;
    if (before !== null && before !== text) {
      element.classList.remove('changed');
      void element.offsetWidth; // begins the animation again
      element.classList.add('changed');
    }
    before = text;
  };
}
