// The control of a SKU: "Add to cart", which becomes − n + in the same box.

import { h, setAttribute, setText } from './dom.js';
import { isSoldOut, orderable } from './stock.js';
import { words } from './words.js';

/** stepButton is − or +. At an end it does nothing, but keeps the focus. */
export function stepButton(sign, label, run) {
  return h(
    'button',
    {
      type: 'button',
      class: 'step',
      'aria-label': label,
      onclick: (event) => event.currentTarget.getAttribute('aria-disabled') !== 'true' && run(),
    },
    sign,
  );
}

/** canAdd reports whether one more piece may be asked for. */
export function canAdd(app, sku, quantity) {
  const most = app.store.live.limits?.quantity ?? 999;
  return quantity < Math.min(most, orderable(app.store.view(sku)));
}

export function cartControl(app, sku) {
  const name = app.store.shop.name(sku);
  const change = (by) => app.actions.add(sku, by);
  const add = h('button', { type: 'button', class: 'primary', onclick: () => change(1) });
  const fewer = stepButton('−', words.product.one.fewer(name), () => change(-1));
  const more = stepButton('+', words.product.one.more(name), () => change(1));
  const number = h('span');
  const count = h('span', { class: 'count' }, number, h('span', { class: 'count-words' }, words.product.inCart));
  const stepper = h(
    'div',
    {
      class: 'stepper',
      role: 'group',
      'aria-label': words.product.quantity(name),
    },
    fewer,
    count,
    more,
  );
  const element = h('div', { class: 'control' }, add, stepper);

  function update() {
    const { quantity } = app.store.line(sku);
    const focused = element.contains(document.activeElement);
    const inCart = quantity > 0;
    const soldOut = !inCart && isSoldOut([app.store.view(sku)]);
    setText(add, soldOut ? words.stock.out : words.product.add);
    setAttribute(add, 'aria-label', `${soldOut ? words.stock.out : words.product.add}: ${name}`);
    add.disabled = soldOut;
    setText(number, String(quantity));
    setAttribute(more, 'aria-disabled', String(!canAdd(app, sku, quantity)));
    if (add.hidden === inCart && stepper.hidden !== inCart) return;
    add.hidden = inCart;
    stepper.hidden = !inCart;
    if (focused) (inCart ? more : add).focus();
  }
  return { element, update };
}
