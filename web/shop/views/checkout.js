// The checkout. It has three answers: placed, nothing ordered, and not known yet.

import { liveBadge } from '../badge.js';
import { amountOf } from '../cart.js';
import { h, Keyed, replace, setText } from '../dom.js';
import { money, moneyOf, sum } from '../money.js';
import { icon } from '../pictures/icons.js';
import { thumbnail } from '../pictures/index.js';
import { orderable } from '../stock.js';
import { list, words } from '../words.js';
import { field } from './field.js';
import { signs } from './frame.js';

/** answerWithin is how long an order may wait before the page says that it does not know, in ms. */
const answerWithin = 5_000;

export function checkoutPage(app) {
  const { store } = app;
  const heading = h('h1', { tabindex: '-1' }, words.checkout.title);
  const { person } = app.session;
  const name = field(
    'name',
    words.checkout.name,
    'text',
    'name',
    words.checkout.nameWrong,
    (text) => text.trim() !== '',
  );
  const email = field('email', words.checkout.email, 'email', 'email', words.checkout.emailWrong, (text) =>
    /^[^\s@]+@[^\s@]+\.[^\s@.]+$/.test(text.trim()),
  );
  if (person.role === 'customer') {
    name.input.value = `${person.name} Example`;
    email.input.value = `${person.id}@example.com`;
  }
  const items = h('ul', { class: 'order-lines' });
  const lines = new Keyed(items, (sku) => orderLine(app, sku));
  const total = h('strong');
  const place = h('button', { type: 'submit', class: 'primary large' });
  const answer = h('div', { class: 'answer', role: 'status' });
  const form = h(
    'form',
    { class: 'panel order', novalidate: true, onsubmit: submit },
    h('p', { class: 'small second' }, words.checkout.before),
    heading,
    name.element,
    email.element,
    items,
    h('div', { class: 'rail-total' }, h('span', {}, words.checkout.total), total),
    answer,
    place,
    h('p', { class: 'small second' }, words.checkout.note),
  );
  const element = h('div', { class: 'narrow' }, form);
  let waits = false;
  let done = false;
  let offersRest = false; // there is a button that orders the rest

  function submit(event) {
    event.preventDefault();
    const wrong = [name, email].filter((each) => !each.check());
    if (wrong.length > 0) wrong[0].input.focus();
    else order();
  }

  async function order() {
    const all = store.totals();
    const closed = store.closed(all);
    if (closed !== null) {
      refuse(closed, all);
      return;
    }
    waits = true;
    app.ordering = true;
    tell(null);
    update();
    const unknown = setTimeout(() => tell('warn', words.checkout.unknown), answerWithin);
    const lost = () => store.connection !== 'live' && tell('warn', words.checkout.unknown);
    store.addEventListener('connection', lost);
    try {
      const { ordered } = await store.live.cart.checkout({ version: store.live.cart.state.version });
      if (Object.keys(ordered ?? {}).length > 0) placed(ordered);
      else tell('bad', words.checkout.nothing(words.checkout.emptyCart), [toCart()]);
    } catch (error) {
      if (error.code === 'uncertain') tell('warn', words.checkout.unknown);
      else
        tell(
          'bad',
          words.checkout.nothing(
            error.code === 'conflict' || error.code === 'gone_version' ? words.checkout.changed : words.error(error),
          ),
          [toCart()],
        );
    } finally {
      clearTimeout(unknown);
      store.removeEventListener('connection', lost);
      waits = false;
      app.ordering = false;
      if (!done) update();
    }
  }

  /** refuse says why nothing is ordered, and offers the rest of the cart. */
  function refuse(closed, all) {
    if (closed === 'offline') tell('bad', words.checkout.nothing(words.checkout.offline), [toCart()]);
    else if (closed === 'empty') tell('bad', words.checkout.nothing(words.checkout.emptyCart), [toCart()]);
    else if (all.needs.length === 0) tell('warn', words.cart.why.pending, [toCart()]);
    else {
      const out = all.needs
        .filter(({ sku }) => orderable(store.view(sku)) === 0)
        .map(({ sku }) => store.shop.name(sku));
      const [first] = all.needs;
      const why =
        out.length > 0
          ? words.checkout.soldOut(list(out))
          : words.checkout.fewer(store.shop.name(first.sku), orderable(store.view(first.sku)));
      offersRest = all.counted > 0;
      tell('bad', words.checkout.nothing(why), [
        offersRest &&
          h(
            'button',
            {
              type: 'button',
              class: 'primary',
              onclick: orderOthers,
            },
            words.checkout.others(all.counted, moneyOf(all.sums, store.shop.currency)),
          ),
        toCart(),
      ]);
    }
  }

  /** orderOthers brings the cart to what can be ordered, and orders it. */
  async function orderOthers() {
    tell(null);
    await Promise.all(store.totals().needs.map(({ sku }) => app.actions.set(sku, orderable(store.view(sku)))));
    await store.live.cart.settled();
    order();
  }

  const toCart = () =>
    h('a', { class: 'button plain', href: app.router.href({ page: 'cart' }) }, words.checkout.backToCart);

  function tell(kind, text = '', ways = []) {
    place.hidden = offersRest;
    offersRest = false;
    if (kind === null) answer.replaceChildren();
    else
      answer.replaceChildren(
        h(
          'p',
          { class: 'message', 'data-kind': kind },
          h('span', { class: 'sign' }, icon(signs[kind])),
          h('span', {}, text),
        ),
        h('p', { class: 'row' }, ways),
      );
  }

  function placed(ordered) {
    done = true;
    const entries = Object.entries(ordered);
    const sums = sum(
      entries.map(([sku, quantity]) => {
        const item = store.shop.items.get(sku);
        return { amount: (item?.amount ?? 0) * quantity, currency: item?.currency ?? store.shop.currency };
      }),
    );
    const thanks = h('h1', { tabindex: '-1' }, words.checkout.thanks(name.input.value.trim().split(' ')[0]));
    const pieces = entries.reduce((n, [, quantity]) => n + quantity, 0);
    replace(
      element,
      h(
        'section',
        { class: 'panel thanks' },
        h(
          'div',
          { class: 'row' },
          entries.slice(0, 5).map(([sku]) => thumbnail(store.shop.items.get(sku))),
        ),
        thanks,
        h('p', {}, words.checkout.placed(pieces, moneyOf(sums, store.shop.currency))),
        h('p', { class: 'second' }, words.checkout.emptyNow),
        h('a', { class: 'button primary', href: app.router.href({ page: 'home' }) }, words.checkout.goOn),
      ),
    );
    thanks.focus();
  }

  function update() {
    if (done) return;
    const all = store.totals();
    lines.update([...store.lines.keys()]);
    const text = moneyOf(all.sums, store.shop.currency);
    setText(total, text);
    setText(place, waits ? words.checkout.placing : words.checkout.place(text));
    place.disabled = waits;
  }

  return {
    title: words.checkout.title,
    element,
    heading,
    update,
    accepts: ({ page }) => page === 'checkout',
    follow() {},
    end: () => lines.end(),
  };
}

function orderLine(app, sku) {
  const { store } = app;
  const item = store.shop.items.get(sku);
  const gone = new AbortController();
  store.watch([sku], gone.signal);
  const stock = liveBadge(app, sku);
  const title = h('strong');
  const amount = h('bdi', { class: 'amount' });
  return {
    element: h(
      'li',
      {},
      thumbnail(item),
      h('span', { class: 'rail-what' }, title, stock.element),
      h('span', { class: 'rail-amount' }, amount),
    ),
    update() {
      stock.update();
      const line = store.line(sku);
      const price = amountOf(line, store.view(sku), item?.amount ?? 0);
      setText(title, `${line.quantity} × ${store.shop.name(sku)}`);
      setText(amount, price.amount === null || !item ? '–' : money(price.amount, item.currency));
      amount.classList.toggle('struck', price.struck);
    },
    end: () => gone.abort(),
  };
}
