// The stock of a maker, or of all makers for the shop's admin: exact figures, live.

import { h, Keyed, setAttribute, setText } from '../dom.js';
import { words } from '../words.js';
import { makerRow } from './makerrow.js';

const filters = ['all', 'low', 'out'];

export function makerPage(app) {
  const { store, session } = app;
  const { person } = session;
  const isAdmin = person.role === 'admin';
  const gone = new AbortController();
  const topic = `vendor:${person.vendor}`;
  if (person.role === 'vendor') store.live.subscribe([topic], undefined, { signal: gone.signal });
  let filter = 'all';
  let text = '';

  const heading = h('h1', { tabindex: '-1' }, isAdmin ? words.maker.adminTitle : words.maker.title);
  const search = h('input', {
    type: 'search',
    class: 'find',
    'aria-label': words.maker.find,
    placeholder: words.maker.find,
    autocomplete: 'off',
    oninput: () => {
      text = search.value.toLowerCase();
      update();
    },
  });
  const tabs = filters.map((name) =>
    h('button', {
      type: 'button',
      class: 'chip',
      onclick: () => {
        filter = name;
        update();
      },
    }),
  );
  const body = h('tbody');
  const rows = new Keyed(body, (sku) => makerRow(app, sku));
  const off = h('p', { class: 'message', 'data-kind': 'warn' }, words.maker.offline);
  const note = h('p', { class: 'second' });
  const element = h(
    'div',
    { class: 'maker' },
    h(
      'div',
      { class: 'maker-head' },
      h('div', {}, heading, h('p', { class: 'second' }, words.maker.text)),
      h('div', { class: 'row' }, search, tabs),
    ),
    off,
    h(
      'table',
      { class: 'panel stock' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          words.maker.head.map((each) => h('th', { scope: 'col' }, each)),
        ),
      ),
      body,
    ),
    note,
    h('p', { class: 'small second' }, words.maker.note),
  );

  const skus = () => (isAdmin ? [...store.shop.items.keys()] : (store.live.get(topic)?.skus ?? []));

  function update() {
    const allowed = person.role === 'vendor' || isAdmin;
    const all = allowed ? skus() : [];
    const is = {
      all: () => true,
      low: (sku) => store.view(sku).value?.state === 'low',
      out: (sku) => store.view(sku).value?.state === 'out',
    };
    filters.forEach((name, i) => {
      setText(tabs[i], `${words.maker.filter[name]} ${all.filter(is[name]).length}`);
      setAttribute(tabs[i], 'aria-pressed', String(name === filter));
    });
    const matches = (sku) => `${sku}\n${store.shop.name(sku)}`.toLowerCase().includes(text);
    const focused = document.activeElement?.closest?.('tr')?.dataset.sku; // what has the focus stays
    rows.update(all.filter((sku) => sku === focused || (is[filter](sku) && matches(sku))));
    off.classList.toggle('none', store.reachable);
    setText(note, noteOf(allowed, all.length));
  }

  function noteOf(allowed, count) {
    if (!allowed) return words.maker.noRight;
    if (count === 0) return words.stock.asking;
    return !isAdmin && store.live.get(topic)?.more ? words.maker.more(count) : '';
  }

  return {
    title: words.maker.title,
    element,
    heading,
    update,
    accepts: ({ page }) => page === 'stock' && session.person === person,
    follow() {},
    end() {
      gone.abort();
      rows.end();
    },
  };
}
