// The page of the cart: its lines, and what keeps them from being ordered.

import { h, Keyed, setText } from '../dom.js';
import { moneyOf } from '../money.js';
import { words } from '../words.js';
import { empty } from './empty.js';
import { cartLine } from './line.js';
import { messageLine } from './frame.js';

/** putBackFor is how long a removed line can be put back, in ms. */
const putBackFor = 10_000;

export function cartPage(app) {
  const { store } = app;
  const removed = new Map(); // SKU → {quantity, timer}: lines that can be put back
  const heading = h('h1', { tabindex: '-1' }, words.cart.title);
  const head = h('p', { class: 'second' });
  const list = h('ul', { class: 'lines' });
  const lines = new Keyed(list, (sku) =>
    cartLine(app, sku, {
      removed: () => removed.get(sku) ?? null,
      remove: () => remove(sku),
      putBack: () => putBack(sku),
    }),
  );
  const other = h('p', { class: 'message', 'data-kind': 'info' });
  const summary = summaryPanel(app);
  const nothing = h('div');
  const element = h(
    'div',
    { class: 'with-rail cart-page' },
    h('div', { class: 'column' }, h('div', { class: 'list-head' }, heading, head), other, list, nothing),
    h('aside', { class: 'rail' }, summary.element),
  );

  function remove(sku) {
    const { quantity } = store.line(sku);
    removed.set(sku, { quantity, timer: setTimeout(() => forget(sku), putBackFor) });
    app.actions.remove(sku);
    update();
    lines.get(sku)?.focus();
  }

  function putBack(sku) {
    const { quantity } = removed.get(sku);
    clearTimeout(removed.get(sku).timer);
    removed.delete(sku);
    app.actions.add(sku, quantity);
    update();
    lines.get(sku)?.focus();
  }

  function forget(sku) {
    const focused = lines.get(sku)?.element.contains(document.activeElement);
    removed.delete(sku);
    update();
    if (focused) heading.focus();
  }

  function update() {
    const all = store.totals();
    const { known, pending } = store.live.cart.state;
    const focused = list.contains(document.activeElement);
    const skus = new Set([...store.lines.keys(), ...removed.keys()]);
    lines.update([...skus].sort((a, b) => store.shop.name(a).localeCompare(store.shop.name(b))));
    if (focused && !list.contains(document.activeElement)) heading.focus(); // another device removed the line
    setText(head, known && all.lines > 0 ? words.cart.head(all.lines, all.items, pending) : '');
    showOther();
    summary.update(all);
    summary.element.hidden = skus.size === 0;
    if (skus.size > 0) nothing.replaceChildren();
    else if (!nothing.firstChild || nothing.dataset.known !== String(known)) {
      nothing.dataset.known = String(known);
      nothing.replaceChildren(
        known
          ? empty(app, {
              form: { picture: 'backpack', tint: 'sand' },
              title: words.cart.empty,
              text: words.cart.emptyHint,
              links: [{ text: words.cart.look, route: { page: 'home' } }],
            })
          : h('p', { class: 'second' }, store.reachable ? words.cart.reading : words.cart.notKnown),
      );
    }
  }

  function showOther() {
    const cart = app.session.guestCart;
    const has = cart !== null && app.session.person.role === 'customer';
    other.classList.toggle('none', !has);
    if (!has || other.firstChild) return;
    other.append(
      h('span', {}, words.cart.otherCart(cart.lines.reduce((n, [, quantity]) => n + quantity, 0))),
      ' ',
      h('a', { class: 'text-button', href: app.router.href({ page: 'merge' }) }, words.cart.makeOne),
    );
  }

  return {
    title: words.cart.title,
    element,
    heading,
    update,
    accepts: ({ page }) => page === 'cart',
    follow() {},
    end() {
      for (const { timer } of removed.values()) clearTimeout(timer);
      lines.end();
    },
  };
}

/** summaryPanel counts the cart and says what is in the way of ordering it. */
function summaryPanel(app) {
  const { store } = app;
  const message = messageLine(app);
  const needs = h('ul', { class: 'needs' });
  const rows = new Map(['counted', 'unsaved', 'left'].map((name) => [name, h('dd')]));
  const total = h('strong');
  const why = h('p', { class: 'small second', id: 'closed' });
  const checkout = h(
    'button',
    {
      type: 'button',
      class: 'primary',
      'aria-describedby': 'closed',
      onclick: () => app.router.go({ page: 'checkout' }),
    },
    words.cart.checkout,
  );
  const list = new Keyed(needs, (key) => {
    const [sku, text] = JSON.parse(key);
    return {
      element: h(
        'li',
        {},
        h('a', { href: `#line-${encodeURIComponent(sku)}` }, h('bdi', {}, store.shop.name(sku))),
        h('span', {}, text),
      ),
      update() {},
    };
  });
  const element = h(
    'section',
    { class: 'panel', 'aria-labelledby': 'summary' },
    h('h2', { id: 'summary' }, words.cart.summary),
    message.element,
    needs,
    h(
      'dl',
      { class: 'sums' },
      [...rows].flatMap(([name, value]) => [h('dt', {}, words.cart[name]), value]),
    ),
    h('div', { class: 'rail-total' }, h('span', {}, words.cart.total), total),
    checkout,
    why,
    h('p', { class: 'small second' }, words.cart.notSetAside),
  );
  return {
    element,
    update(all) {
      message.update();
      list.update([...all.needs, ...all.waiting].map(({ sku, why: text }) => JSON.stringify([sku, text])));
      for (const [name, value] of rows) setText(value, words.items(all[name]));
      setText(total, moneyOf(all.sums, store.shop.currency));
      const closed = store.closed(all);
      checkout.disabled = closed !== null;
      setText(why, closed === null ? '' : words.cart.why[closed]);
    },
  };
}
