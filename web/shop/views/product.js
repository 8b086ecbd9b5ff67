// The page of a product: pictures, colours, sizes, stock of each version, and its control.

import { liveBadge } from '../badge.js';
import { cartControl } from '../control.js';
import { h, replace, setText } from '../dom.js';
import { money } from '../money.js';
import { icon } from '../pictures/icons.js';
import { picture } from '../pictures/index.js';
import { pick, priceRange, versionName } from '../products.js';
import { badgeOf } from '../stock.js';
import { list, words } from '../words.js';
import { swatch } from './card.js';
import { messageLine } from './frame.js';
import { radioGroup } from './radios.js';

export function productPage(app, first) {
  const { store, router } = app;
  const product = store.shop.product(first.sku);
  let item = store.shop.items.get(first.sku);
  const gone = new AbortController();
  store.watch(
    product.versions.map(({ sku }) => sku),
    gone.signal,
  );
  const seen = new Map(); // SKU → the first figure that was told on this page

  const choose = (change) => router.go({ page: 'product', sku: pick(product, item, change).sku }, { replace: true });
  const stage = h('div', { class: 'stage-tile', 'data-tint': product.tint });
  const shots = product.colours.length > 1 ? product.colours.map((colour) => shot(product, colour, choose)) : [];
  const price = h('p', { class: 'big-price' });
  const colours = radioGroup(words.product.colour, 'colour', product.colours, choose, (colour) => [
    swatch(product.versions.find((version) => version.colour === colour)),
    h('span', {}, capital(colour)),
  ]);
  const sizes = radioGroup(words.product.size, 'size', product.sizes, choose, (size) => [
    h('strong', {}, size),
    h('span', { class: 'radio-stock' }),
  ]);
  const buy = h('div', { class: 'buy' });
  const news = messageLine(app, { newsOnly: true });
  news.element.classList.add('wide-only');
  const notice = h('p', { class: 'message' }, h('span', { class: 'sign' }, icon('warn')), h('span'));
  const rows = product.versions.length > 1 ? product.versions.map((version) => row(app, version)) : [];
  const heading = h('h1', { tabindex: '-1' }, h('bdi', {}, product.name));
  const element = h(
    'div',
    { class: 'product' },
    crumbs(app, product),
    h(
      'div',
      { class: 'product-pictures' },
      stage,
      shots.length > 0 &&
        h(
          'div',
          { class: 'shots' },
          shots.map((each) => each.element),
        ),
      prices(product),
    ),
    h(
      'div',
      { class: 'product-facts' },
      h('p', { class: 'second' }, h('bdi', {}, product.maker ?? '')),
      heading,
      price,
      colours?.element,
      sizes?.element,
      h(
        'section',
        { class: 'panel' },
        buy,
        news.element,
        notice,
        h('p', { class: 'small second' }, words.product.notSetAside),
      ),
      rows.length > 0 &&
        h(
          'section',
          {},
          h('h2', {}, words.product.versions(rows.length)),
          h(
            'ul',
            { class: 'versions' },
            rows.map((each) => each.element),
          ),
        ),
    ),
  );
  let parts;

  function show() {
    replace(stage, picture(item, { stage: true }));
    setText(price, item.amount === null ? '' : money(item.amount, item.currency));
    const stock = liveBadge(app, item.sku, { announce: true });
    const control = cartControl(app, item.sku);
    const go = h('a', { class: 'button primary', href: router.href({ page: 'cart' }) }, words.product.goToCart);
    parts = { stock, control, go };
    buy.replaceChildren(
      h(
        'div',
        { class: 'list-head' },
        stock.element,
        h('span', { class: 'small second' }, item.name, ' · ', h('bdi', {}, item.sku)),
      ),
      h('div', { class: 'buy-row' }, control.element, go),
    );
  }

  function update() {
    parts.stock.update();
    parts.control.update();
    news.update();
    parts.go.hidden = store.line(item.sku).quantity === 0;
    for (const each of shots) each.update(item);
    colours?.update(item.colour, () => ({ text: '', missing: false }));
    sizes?.update(item.size, (size) => {
      const version = product.versions.find(
        (each) => each.size === size && (!item.colour || each.colour === item.colour),
      );
      if (!version) return { text: words.product.notIn(item.colour), missing: true };
      const view = store.view(version.sku);
      const { kind, text } = badgeOf([view]);
      return { text: view.live ? text : '', kind, missing: false };
    });
    for (const each of rows) each.update();
    const { kind, text } = noticeOf();
    notice.classList.toggle('none', text === '');
    notice.dataset.kind = kind;
    setText(notice.lastChild, text);
  }

  function noticeOf() {
    const { value, live } = store.view(item.sku);
    const told = live ? value?.quantity : undefined;
    if (told !== undefined && !seen.has(item.sku)) seen.set(item.sku, told);
    if (!store.reachable) return { kind: 'quiet', text: words.product.offline };
    const was = seen.get(item.sku);
    const mine = store.line(item.sku).confirmed;
    if (told === undefined || told >= was || told === 0) return { kind: 'warn', text: '' };
    return { kind: 'warn', text: words.product.fell(was, told, mine) };
  }

  show();
  return {
    title: product.name,
    element,
    heading,
    update,
    sku: () => item.sku,
    accepts: (route) => route.page === 'product' && store.shop.product(route.sku) === product,
    follow(route) {
      item = store.shop.items.get(route.sku);
      show();
      update();
    },
    end: () => gone.abort(),
  };
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

function crumbs(app, { name, category }) {
  const link = (text, route) => h('li', {}, h('a', { href: app.router.href(route) }, text));
  return h(
    'nav',
    { class: 'crumbs', 'aria-label': 'Where you are' },
    h(
      'ol',
      {},
      link(words.home.allProducts, { page: 'home' }),
      category && link(category, { page: 'home', category }),
      h('li', { 'aria-current': 'page' }, h('bdi', {}, name)),
    ),
  );
}

/** shot is a small picture of a colour. It does the same as the radio of the colour, which keyboards use. */
function shot(product, colour, choose) {
  const version = product.versions.find((each) => each.colour === colour);
  const element = h(
    'button',
    {
      type: 'button',
      class: 'shot',
      tabindex: '-1',
      'aria-hidden': 'true',
      'data-tint': product.tint,
      onclick: () => choose({ colour }),
    },
    picture(version),
  );
  return { element, update: (item) => element.classList.toggle('chosen', item.colour === colour) };
}

/** prices says which versions cost what, if they differ. */
function prices(product) {
  if (!priceRange(product)?.differ) return null;
  const names = new Map();
  for (const version of product.versions) {
    const key = money(version.amount, version.currency);
    names.set(key, (names.get(key) ?? new Set()).add(version.colour ?? version.size));
  }
  const text = [...names].map(([price, of]) => words.product.priceIn(price, list([...of]))).join(', ');
  return h(
    'div',
    { class: 'prices small' },
    h('strong', {}, words.product.priceByVersion),
    h('p', { class: 'second' }, `${text}. ${words.product.worksOut}`),
  );
}

function row(app, version) {
  const stock = liveBadge(app, version.sku);
  const href = app.router.href({ page: 'product', sku: version.sku });
  return {
    element: h('li', {}, h('a', { href }, versionName(version)), stock.element),
    update: () => stock.update(),
  };
}
