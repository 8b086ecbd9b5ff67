// The cart beside a wide page.

import { liveBadge } from '../badge.js';
import { amountOf, counted } from '../cart.js';
import { h, Keyed, setText } from '../dom.js';
import { money, moneyOf } from '../money.js';
import { icon } from '../pictures/icons.js';
import { thumbnail } from '../pictures/index.js';
import { devices } from '../pictures/scenes.js';
import { words } from '../words.js';
import { messageLine } from './frame.js';

export function rail(app) {
  const { store, router } = app;
  const items = h('span', { class: 'second' });
  const message = messageLine(app, { otherwise: { kind: 'quiet', text: words.cart.notSetAside } });
  const list = h('ul', { class: 'rail-lines' });
  const lines = new Keyed(list, (sku) => railLine(app, sku));
  const none = h('p', { class: 'second' });
  const total = h('strong');
  const why = h('p', { class: 'small second' });
  const checkout = h(
    'button',
    {
      type: 'button',
      class: 'primary',
      onclick: () => router.go({ page: 'checkout' }),
    },
    words.cart.checkout,
  );
  const open = h('a', { class: 'button soft', href: router.href({ page: 'cart' }) }, words.cart.view);
  const cart = h(
    'section',
    { class: 'panel', 'aria-labelledby': 'rail-title' },
    h('div', { class: 'list-head' }, h('h2', { id: 'rail-title' }, words.cart.title), items),
    message.element,
    none,
    list,
    h('div', { class: 'rail-total' }, h('span', {}, words.cart.total), total),
    checkout,
    open,
    why,
  );
  const two = h(
    'section',
    { class: 'panel two', 'data-tint': 'lilac' },
    devices(),
    h('h2', {}, words.home.devicesTitle),
    h('p', {}, words.home.devicesText),
    h(
      'a',
      { class: 'button plain', href: router.href({ page: 'devices' }) },
      icon('devices'),
      words.home.devicesOpen,
    ),
  );
  const element = h('aside', { class: 'rail' }, cart, app.device ? null : two);
  return {
    element,
    update() {
      const all = store.totals();
      const { known } = store.live.cart.state;
      setText(items, known ? words.items(all.items) : '');
      message.update();
      lines.update([...store.lines.keys()]);
      none.hidden = all.lines > 0;
      setText(none, known ? words.cart.empty : store.reachable ? words.cart.reading : words.cart.notKnown);
      setText(total, moneyOf(all.sums, store.shop.currency));
      const closed = store.closed(all);
      checkout.disabled = closed !== null;
      setText(why, closed === null || closed === 'empty' ? '' : words.cart.why[closed]);
    },
    end: () => lines.end(),
  };
}

function railLine(app, sku) {
  const { store } = app;
  const item = store.shop.items.get(sku);
  const gone = new AbortController();
  store.watch([sku], gone.signal);
  const stock = liveBadge(app, sku);
  const amount = h('bdi', { class: 'amount' });
  const times = h('span', { class: 'small second' });
  const element = h(
    'li',
    {},
    thumbnail(item),
    h(
      'span',
      { class: 'rail-what' },
      h('a', { href: app.router.href({ page: 'product', sku }) }, h('bdi', {}, store.shop.name(sku))),
      stock.element,
    ),
    h('span', { class: 'rail-amount' }, amount, times),
  );
  return {
    element,
    update() {
      stock.update();
      const line = store.line(sku);
      const view = store.view(sku);
      const sum = amountOf(line, view, item?.amount ?? 0);
      setText(amount, sum.amount === null || !item ? '–' : money(sum.amount, item.currency));
      amount.classList.toggle('struck', sum.struck);
      const all = counted(line, view) === line.quantity;
      setText(times, all ? `${line.quantity} ×` : sum.text || `${line.quantity} ×`);
    },
    end: () => gone.abort(),
  };
}
