// A line of the cart. It keeps its element while it is in the cart, so that it keeps the
// focus and what a person is typing.

import { liveBadge } from '../badge.js';
import { amountOf, message, note } from '../cart.js';
import { canAdd, stepButton } from '../control.js';
import { h, replace, setAttribute, setText } from '../dom.js';
import { money } from '../money.js';
import { icon } from '../pictures/icons.js';
import { thumbnail } from '../pictures/index.js';
import { words } from '../words.js';
import { signs } from './frame.js';

/** cartLine shows a SKU. removed() returns {quantity} while the line can be put back, else null. */
export function cartLine(app, sku, { removed, remove, putBack }) {
  const { store, actions } = app;
  const item = store.shop.items.get(sku);
  const name = store.shop.name(sku);
  const gone = new AbortController();
  store.watch([sku], gone.signal);
  let typing = false; // then update leaves the field alone

  const stock = liveBadge(app, sku);
  const change = h('span', { class: 'change' }, h('span', { class: 'sign' }), h('span'));
  const input = h('input', {
    class: 'count',
    inputmode: 'numeric',
    pattern: '[0-9]*',
    autocomplete: 'off',
    'aria-label': words.product.quantity(name),
    oninput: () => (typing = true),
    onchange: typed,
    onblur: () => {
      typing = false;
      update();
    },
    onkeydown: (event) => event.key === 'Enter' && typed(),
  });
  const fewer = stepButton('−', words.product.one.fewer(name), () => {
    if (store.line(sku).quantity === 1) remove();
    else actions.add(sku, -1);
  });
  const more = stepButton('+', words.product.one.more(name), () => actions.add(sku, 1));
  const stepper = h(
    'div',
    { class: 'stepper', role: 'group', 'aria-label': words.product.quantity(name) },
    fewer,
    input,
    more,
  );
  const removeButton = h(
    'button',
    {
      type: 'button',
      class: 'text-button',
      'aria-label': words.cart.removeOf(name),
      onclick: remove,
    },
    words.cart.remove,
  );
  const amount = h('bdi', { class: 'amount' });
  const amountNote = h('span', { class: 'small second' });
  const sign = h('span', { class: 'sign' });
  const text = h('span');
  const action = h('button', { type: 'button', class: 'text-button', onclick: () => settle() });
  const told = h('p', { class: 'message' }, sign, text, ' ', action);
  const back = h(
    'button',
    {
      type: 'button',
      class: 'text-button',
      'aria-label': words.cart.putBackOf(name),
      onclick: putBack,
    },
    words.cart.putBack,
  );
  const ghost = h(
    'p',
    { class: 'message ghost', 'data-kind': 'info' },
    h('span', { class: 'sign' }, icon('info')),
    h('span', {}, words.cart.removed(name)),
    ' ',
    back,
  );
  const body = h(
    'div',
    { class: 'line-body' },
    thumbnail(item),
    h(
      'div',
      { class: 'line-what' },
      h('a', { class: 'line-name', href: app.router.href({ page: 'product', sku }) }, h('bdi', {}, name)),
      h('span', { class: 'small second' }, facts(item)),
      h('span', { class: 'line-stock' }, stock.element, change),
    ),
    h('div', { class: 'line-quantity' }, stepper, removeButton),
    h('div', { class: 'line-amount' }, amount, amountNote),
    told,
  );
  const element = h('li', { class: 'line', id: `line-${encodeURIComponent(sku)}` }, body, ghost);
  let offer = null; // the quantity that the message offers

  function typed() {
    if (!typing) return;
    typing = false;
    const quantity = /^\d{1,3}$/.test(input.value.trim()) ? Number(input.value) : NaN;
    if (quantity === 0) remove();
    else if (quantity > 0 && quantity !== store.line(sku).quantity) actions.set(sku, quantity, { typed: true });
    update();
  }

  /** settle does what the message offers: "Keep 1", "Make it 6". */
  function settle() {
    actions.set(sku, offer);
    input.focus();
  }

  function update() {
    const line = store.line(sku);
    const view = store.view(sku);
    const isRemoved = removed() !== null && line.quantity === 0;
    body.hidden = isRemoved;
    ghost.hidden = !isRemoved;
    if (isRemoved) return;
    stock.update();
    const pending = note(line);
    change.classList.toggle('none', pending === '');
    const turning = line.pending === 'sent' ? 'sync' : 'clock';
    if (change.dataset.sign !== turning) replace(change.firstChild, icon(turning));
    change.dataset.sign = turning;
    setText(change.lastChild, pending);
    if (!typing && input.value !== String(line.quantity)) input.value = line.quantity;
    setAttribute(more, 'aria-disabled', String(!canAdd(app, sku, line.quantity)));
    const sum = amountOf(line, view, item?.amount ?? 0);
    setText(amount, sum.amount === null || !item ? '–' : money(sum.amount, item.currency));
    amount.classList.toggle('struck', sum.struck);
    setText(amountNote, sum.text);
    element.classList.toggle('faint', sum.struck);
    const { kept } = store.live.cart.state;
    const news = message(line, view, { kept, maker: item?.maker, most: store.live.limits?.quantity });
    told.classList.toggle('none', news === null);
    if (!news) return;
    if (told.dataset.kind !== news.kind) replace(sign, icon(signs[news.kind]));
    told.dataset.kind = news.kind;
    setText(text, news.text);
    offer = news.action?.quantity ?? null;
    action.hidden = !news.action;
    setText(action, news.action?.text ?? '');
    setAttribute(action, 'aria-label', news.action ? `${news.action.text}: ${name}` : null);
  }

  return {
    element,
    update,
    focus: () => (ghost.hidden ? removeButton : back).focus(),
    end: () => gone.abort(),
  };
}

function facts(item) {
  if (!item) return '';
  return [item.maker, item.amount === null ? '' : words.cart.each(money(item.amount, item.currency))]
    .filter(Boolean)
    .join(' · ');
}
