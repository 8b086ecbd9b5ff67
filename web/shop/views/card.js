// A card of a product: picture, name, price, maker, versions, stock, and one control.

import { badge, liveBadge } from '../badge.js';
import { cartControl } from '../control.js';
import { h, svg } from '../dom.js';
import { money } from '../money.js';
import { colourOf, picture } from '../pictures/index.js';
import { choice, priceRange } from '../products.js';
import { words } from '../words.js';

export function card(app, product) {
  const gone = new AbortController();
  const skus = product.versions.map(({ sku }) => sku);
  if (skus.length > 1) app.store.watch(skus, gone.signal); // the client's badge watches its own
  const href = app.router.href({ page: 'product', sku: product.id });
  const stock = skus.length > 1 ? badge(app, skus, product.name) : liveBadge(app, product.id);
  const what = choice(product);
  const control = what ? chooser(product, what, href) : cartControl(app, product.id);
  const element = h(
    'li',
    { class: 'card' },
    h(
      'a',
      { class: 'tile', href, tabindex: '-1', 'aria-hidden': 'true', 'data-tint': product.tint },
      picture(product, { stage: true }),
    ),
    h(
      'div',
      { class: 'card-body' },
      h('div', { class: 'card-head' }, h('h3', {}, h('a', { href }, h('bdi', {}, product.name))), priceOf(product)),
      h('p', { class: 'card-maker' }, h('bdi', {}, product.maker ?? ''), versions(product)),
      stock.element,
      control.element,
    ),
  );
  return {
    element,
    update() {
      stock.update();
      control.update();
    },
    end: () => gone.abort(),
  };
}

function priceOf(product) {
  const range = priceRange(product);
  if (!range) return h('span', { class: 'price' });
  return h(
    'span',
    { class: 'price' },
    range.differ && h('span', { class: 'second' }, `${words.product.from} `),
    h('bdi', {}, money(range.amount, range.currency)),
  );
}

/** swatch is a dot in the colour of a version. */
export const swatch = (item) =>
  svg('0 0 20 20', `<circle cx="10" cy="10" r="9" fill="${colourOf(item)}"/>`, 'swatch');

function versions({ versions: all, colours, sizes }) {
  const parts = [];
  if (colours.length > 1) {
    const dots = colours.map((colour) => swatch(all.find((version) => version.colour === colour)));
    parts.push(h('span', { class: 'swatches' }, dots, h('span', { class: 'visually-hidden' }, colours.join(', '))));
  }
  if (sizes.length > 1) parts.push(h('span', { class: 'sizes' }, sizes.join(' · ')));
  return parts;
}

/** chooser stands where products with versions have "Add to cart": it opens the page where one chooses. */
function chooser(product, what, href) {
  const text = words.product.choose[what];
  const link = h('a', { class: 'button soft', href, 'aria-label': `${text}: ${product.name}` }, text);
  return { element: h('div', { class: 'control' }, link), update() {} };
}
