// Two carts: the browser's, from before the sign-in, and the person's own.

import { h, setText } from '../dom.js';
import { forecast, policies } from '../forecast.js';
import { icon } from '../pictures/icons.js';
import { thumbnail } from '../pictures/index.js';
import { words } from '../words.js';
import { signs } from './frame.js';

export function mergePage(app) {
  const { store, session } = app;
  const cart = session.guestCart;
  const here = new Map(cart?.lines ?? []);
  const gone = new AbortController();
  store.watch([...here.keys()], gone.signal);
  let policy = 'sum';
  let answered = false;

  const heading = h('h1', { tabindex: '-1' }, words.merge.title(session.person.name));
  const radios = policies.map((each) =>
    h(
      'label',
      { class: 'policy' },
      h('input', {
        type: 'radio',
        name: 'policy',
        value: each,
        checked: each === policy,
        onchange: () => {
          policy = each;
          update();
        },
      }),
      h(
        'span',
        {},
        h('strong', {}, words.merge.policies[each][0]),
        ' ',
        h('span', { class: 'second' }, words.merge.policies[each][1]),
      ),
    ),
  );
  const body = h('tbody');
  const go = h('button', { type: 'button', class: 'primary', onclick: merge }, words.merge.go);
  const later = h('a', { class: 'button plain', href: app.router.href({ page: 'cart' }) }, words.merge.notNow);
  const answer = h('div', { class: 'answer', role: 'status' });
  const choice = h(
    'div',
    {},
    h('p', { class: 'second' }, words.merge.text),
    h('fieldset', { class: 'policies' }, h('legend', { class: 'visually-hidden' }, words.merge.text), radios),
    h(
      'div',
      { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': words.merge.head[3] },
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            words.merge.head.map((text) => h('th', { scope: 'col' }, text)),
          ),
        ),
        body,
      ),
    ),
    h('p', { class: 'row' }, go, later),
    h('p', { class: 'small second' }, words.merge.forecast),
  );
  const element = h('div', { class: 'narrow wide' }, h('section', { class: 'panel' }, heading, choice, answer));

  async function merge() {
    go.disabled = true;
    try {
      const ok = await store.live.cart.merge(cart.token, policy);
      session.guestCart = null;
      answered = true;
      answer.replaceChildren(...results(app, ok));
      choice.hidden = true;
      setText(heading, words.merge.now(session.person.name));
      heading.focus();
      answer.append(
        h(
          'p',
          { class: 'row' },
          h('a', { class: 'button primary', href: app.router.href({ page: 'cart' }) }, words.cart.view),
        ),
      );
    } catch (error) {
      answer.replaceChildren(line('bad', words.merge.failed(words.error(error))));
      go.disabled = false;
    }
  }

  function update() {
    if (answered) return;
    const yours = new Map([...store.lines].map(([sku, { confirmed }]) => [sku, confirmed]).filter(([, n]) => n > 0));
    const rows = forecast(here, yours, policy, store.view, store.live.limits?.quantity);
    const shown = JSON.stringify(rows);
    go.disabled = store.connection !== 'live' || here.size === 0;
    if (body.dataset.shown === shown) return;
    body.dataset.shown = shown;
    body.replaceChildren(...rows.map(row));
  }

  const row = ({ sku, here: mine, yours, together, note, limited }) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, thumbnail(store.shop.items.get(sku)), h('bdi', {}, store.shop.name(sku))),
      h('td', {}, mine || '–'),
      h('td', {}, yours || '–'),
      h('td', {}, h('strong', {}, String(together))),
      h('td', { class: limited ? 'small limited' : 'small second' }, note),
    );

  return {
    title: words.cart.makeOne,
    element,
    heading,
    update,
    accepts: ({ page }) => page === 'merge',
    follow() {},
    end: () => gone.abort(),
  };
}

const line = (kind, text, action = null) =>
  h(
    'p',
    { class: 'message', 'data-kind': kind },
    h('span', { class: 'sign' }, icon(signs[kind])),
    h('span', {}, text),
    action && ' ',
    action,
  );

/** results says line by line what came of a merge. */
function results(app, ok) {
  const { store } = app;
  const name = (sku) => store.shop.name(sku);
  const { lines } = store;
  const pieces = [...lines.values()].reduce((n, { quantity }) => n + quantity, 0);
  return [
    line('good', words.merge.done(lines.size, pieces)),
    ...Object.entries(ok.clamped ?? {}).map(([sku, { wanted, got }]) =>
      line('warn', words.merge.clamped(name(sku), wanted, got)),
    ),
    ...Object.entries(ok.skipped ?? {}).map(([sku, reason]) => {
      const text = (words.merge.skipped[reason] ?? words.merge.skipped.unknown)(name(sku));
      const again = h(
        'button',
        {
          type: 'button',
          class: 'text-button',
          onclick: ({ currentTarget }) => {
            app.actions.add(sku, 1);
            currentTarget.disabled = true;
          },
        },
        words.merge.addAgain,
      );
      return line('info', text, reason === 'removed' ? again : null);
    }),
  ];
}
