// A row of the maker's page: what shoppers see, the exact figure with − and +, and the
// last change. − and + change the stock by one, whatever it is by then; a typed figure
// counts only if the stock is what the maker saw.

import { stockPath } from '../admin.js';
import { badge } from '../badge.js';
import { stepButton } from '../control.js';
import { h, setAttribute, setText } from '../dom.js';
import { time } from '../money.js';
import { thumbnail } from '../pictures/index.js';
import { words } from '../words.js';

export function makerRow(app, sku) {
  const { store, session, admin } = app;
  const name = store.shop.name(sku);
  const gone = new AbortController();
  store.watch([sku], gone.signal);
  const mine = new Set(); // versions that this page made
  let seen = null; // the value before
  let change = null; // {from, to, version, at}: the last change that was seen
  let waiting = 0; // pieces that − and + have not sent yet
  let sending = null; // what is on its way, in words
  let failure = null; // {text, figure}
  let typing = false;

  const stock = badge(app, [sku], name);
  const fewer = stepButton('−', words.product.one.fewer(name), () => step(-1));
  const more = stepButton('+', words.product.one.more(name), () => step(1));
  const input = h('input', {
    class: 'count',
    inputmode: 'numeric',
    pattern: '[0-9]*',
    autocomplete: 'off',
    'aria-label': words.maker.available(name),
    oninput: () => (typing = true),
    onchange: () => typed(),
    onblur: () => {
      typing = false;
      update();
    },
    onkeydown: (event) => event.key === 'Enter' && typed(),
  });
  const last = h('span');
  const again = h('button', {
    type: 'button',
    class: 'text-button',
    onclick: () => put({ available: failure.figure }, ''),
  });
  const element = h(
    'tr',
    { 'data-sku': sku },
    h(
      'th',
      { scope: 'row' },
      thumbnail(store.shop.items.get(sku)),
      h('span', { class: 'maker-name' }, h('bdi', {}, name), h('bdi', { class: 'small second' }, sku)),
    ),
    h('td', {}, stock.element),
    h(
      'td',
      {},
      h('div', { class: 'stepper', role: 'group', 'aria-label': words.maker.available(name) }, fewer, input, more),
    ),
    h('td', { class: 'last' }, last, ' ', again),
  );

  async function step(by) {
    waiting += by;
    update();
    if (sending !== null) return; // they go together, when the answer is here
    while (waiting !== 0) {
      const add = waiting;
      waiting = 0;
      await put({ add }, `${add > 0 ? '+' : '−'}${Math.abs(add)}`);
    }
  }

  function typed() {
    if (!typing) return;
    typing = false;
    const figure = /^\d{1,9}$/.test(input.value.trim()) ? Number(input.value) : NaN;
    const { value } = store.view(sku);
    if (figure >= 0 && figure !== value?.quantity)
      put({ available: figure, version: value?.version }, String(figure));
    else update();
  }

  async function put(body, text) {
    sending = words.maker.saving(text);
    failure = null;
    update();
    try {
      const path = stockPath(sku);
      if (!path) throw new Error('a browser cannot name this SKU');
      const answer = await admin('PUT', path, body, { as: await session.token() });
      mine.add(answer.version);
    } catch (error) {
      const now = store.view(sku).value?.quantity ?? 0;
      const why =
        error.code === 'no_stock'
          ? words.maker.already(now)
          : error.code === 'conflict'
            ? words.maker.changed(now)
            : words.error(error);
      failure = { text: words.maker.notSaved(why), figure: error.code === 'conflict' ? body.available : null };
    }
    sending = null;
    update();
  }

  function update() {
    stock.update();
    const { value, live, at } = store.view(sku);
    if (value && seen && value.version !== seen.version && value.quantity !== seen.quantity) {
      change = { from: seen.quantity, to: value.quantity, version: value.version, at: Date.now() };
      failure = null;
    }
    if (value) seen = value;
    const off = !live || value?.quantity === undefined;
    if (!typing) input.value = value?.quantity ?? '–';
    input.disabled = off;
    setAttribute(more, 'aria-disabled', String(off));
    setAttribute(fewer, 'aria-disabled', String(off || value.quantity + waiting <= 0));
    again.hidden = failure === null || failure.figure === null;
    if (!again.hidden) setText(again, words.maker.set(failure.figure));
    const elsewhere = change !== null && !mine.has(change.version);
    element.classList.toggle('elsewhere', elsewhere && sending === null && failure === null);
    last.classList.toggle('bad-text', failure !== null);
    setText(last, lastWords(off ? at : null));
  }

  function lastWords(at) {
    if (failure !== null) return failure.text;
    if (sending !== null) return sending;
    if (at !== null) return words.at('', time(at)).trim();
    if (change === null) return words.maker.none;
    const who = mine.has(change.version) ? words.maker.you : words.maker.elsewhere;
    return `${change.from} → ${change.to} ${who(time(change.at))}`;
  }

  return { element, update, end: () => gone.abort() };
}
