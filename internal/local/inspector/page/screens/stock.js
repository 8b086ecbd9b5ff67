// Stock, which can be changed at the version that is seen, and carts, which are masked.

import { h, mono, odd, second } from '../dom.js';
import { clock, count, personName } from '../format.js';
import { rowKeys } from '../keys.js';
import { List } from '../list.js';
import { button, card, choice, screenElement } from '../parts.js';
import { Editor } from './editor.js';
import { ManyRows } from './manyrows.js';

/** badgeOf is what everybody sees of an item: {mark, text, state}. */
export function badgeOf({ available, lowAt, tracked = true, backorder, backAt, deleted }) {
  if (deleted) return { mark: '⊘', text: 'deleted', state: 'out' };
  if (!tracked || available > lowAt) return { mark: '●', text: 'in', state: 'in' };
  if (available > 0) return { mark: '◐', text: `low ${available}`, state: 'low' };
  return backorder
    ? { mark: '↻', text: `back ${backAt ?? ''}`.trim(), state: 'back' }
    : { mark: '⊘', text: 'out', state: 'out' };
}

export class Stock {
  needs = ['stock', 'carts', 'topics'];
  #app;
  #shown = 'all';

  constructor(app) {
    this.#app = app;
    this.list = new List({
      label: 'Stock',
      key: ({ sku }) => sku,
      columns: [
        { name: 'SKU', width: 'minmax(110px, 1.4fr)', cell: ({ sku }) => mono(sku) },
        { name: 'Vendor', width: 'minmax(56px, 1fr)', cell: ({ vendor }) => vendor ?? '' },
        { name: 'Available', width: '78px', end: true, cell: ({ available }) => count(available) },
        { name: 'Low at', width: '54px', end: true, cell: ({ lowAt }) => second(String(lowAt)) },
        { name: 'Version', width: '58px', end: true, cell: ({ version }) => String(version) },
        {
          name: 'Badge',
          width: 'minmax(84px, 1fr)',
          cell: (item) => ({
            kind: `badge ${badgeOf(item).state}`,
            text: `${badgeOf(item).mark} ${badgeOf(item).text}`,
          }),
        },
        { name: 'Watched', width: '62px', end: true, cell: ({ sku }) => count(this.#watched(sku)) },
      ],
      onSelect: ({ sku }) => this.editor.show(this.#item(sku)),
      onOpen: () => this.editor.focus(),
    });
    this.editor = new Editor(app, () => this.list.element.querySelector('[aria-selected=true]')?.focus());
    this.many = new ManyRows(app);
    this.carts = new List({
      label: 'Carts',
      rowsShown: 12,
      key: ({ owner }) => owner,
      columns: [
        {
          name: 'Of',
          width: 'minmax(90px, 1.4fr)',
          cell: ({ owner }) => mono(owner.startsWith('guest:') ? `${owner.slice(0, 12)}…` : personName(owner)),
        },
        {
          name: 'Lines',
          width: '52px',
          end: true,
          cell: ({ lines }) => count(Array.isArray(lines) ? lines.length : lines),
        },
        { name: 'Version', width: '64px', end: true, cell: ({ version }) => String(version) },
        {
          name: 'Changed',
          width: '86px',
          cell: ({ updatedAt }) => second(updatedAt ? clock(Date.parse(updatedAt)) : 'never'),
        },
      ],
      onOpen: ({ owner }) => this.#app.go({ screen: 'topics', id: `cart:${owner}` }),
    });
    this.#build();
  }

  #build() {
    this.filter = h('input', {
      type: 'search',
      class: 'filter mono',
      'aria-label': 'Find a SKU',
      placeholder: 'SKU or vendor',
      autocomplete: 'off',
      oninput: () => this.update(),
    });
    this.which = choice(
      'Which',
      ['all', 'watched', 'low', 'out'].map((value) => ({ value, text: value })),
      (value) => {
        this.#shown = value;
        this.update();
      },
    );
    this.box = card('', 'row store', this.list.element, this.editor.element);
    this.box.element.classList.add('list');
    this.box.title('A write here is what the shop would do: a new version, and badges move.');
    this.cartsCard = card(
      'Carts',
      '',
      this.carts.element,
      h(
        'p',
        { class: 'card-text second' },
        'What is in a cart is masked. To see it, start ',
        h('code', {}, 'localhub -show-private'),
        '.',
      ),
    );
    this.element = screenElement(
      'stock',
      [
        h('h1', {}, 'Stock and carts'),
        this.filter,
        this.which.element,
        h('span', { class: 'gap' }),
        button('New SKU', () => this.editor.create()),
      ],
      h(
        'div',
        { class: 'split' },
        this.box.element,
        h('div', { class: 'stack' }, this.cartsCard.element, this.many.element),
      ),
    );
  }

  keys = [
    rowKeys('row', (by) => this.list.move(by)),
    { keys: ['e', 'Enter'], text: 'edit', run: () => this.editor.focus() },
    { keys: ['-', '+'], text: 'one less, one more', run: (key) => this.editor.add(key === '+' ? 1 : -1) },
    { keys: ['/'], text: 'find SKU', run: () => this.filter.focus() },
    {
      keys: ['w'],
      text: 'why',
      run: () => this.list.selected && this.#app.go({ screen: 'topics', id: `sku:${this.list.selected}` }),
    },
    { keys: ['Esc'], text: 'leave as it is', run: () => this.editor.hide() },
  ];

  enter({ id }) {
    if (!id) return;
    this.filter.value = '';
    this.#shown = 'all';
    this.list.selected = id;
    this.wanted = id;
  }

  #item(sku) {
    return this.#app.sources.stock?.find((item) => item.sku === sku);
  }

  #watched(sku) {
    return this.#topics?.get(`sku:${sku}`) ?? 0;
  }

  #topics;

  update() {
    const { stock: elsewhere } = this.#app.sources.missing;
    const items = (this.#app.sources.stock ?? []).filter(({ deleted }) => !deleted);
    this.#topics = new Map((this.#app.sources.topics ?? []).map(({ topic, subscribers }) => [topic, subscribers]));
    const is = {
      all: () => true,
      watched: ({ sku }) => this.#watched(sku) > 0,
      low: (item) => badgeOf(item).state === 'low',
      out: (item) => ['out', 'back'].includes(badgeOf(item).state),
    };
    for (const name of Object.keys(is))
      this.which.text(name, `${name[0].toUpperCase()}${name.slice(1)} ${count(items.filter(is[name]).length)}`);
    this.which.set(this.#shown);
    const word = this.filter.value.trim().toLowerCase();
    this.list.set(
      items.filter(is[this.#shown]).filter(({ sku, vendor = '' }) => `${sku} ${vendor}`.toLowerCase().includes(word)),
    );
    this.box.side(elsewhere ? odd(elsewhere) : items.length >= 1000 ? 'the first 1 000' : '');
    if (this.wanted && this.#item(this.wanted)) {
      this.list.select(this.wanted);
      this.editor.show(this.#item(this.wanted));
      this.wanted = '';
    }
    if (this.list.selected) this.editor.seen(this.#item(this.list.selected));
    const carts = (this.#app.sources.carts ?? []).toSorted(
      (a, b) => Date.parse(b.updatedAt ?? 0) - Date.parse(a.updatedAt ?? 0),
    );
    this.carts.set(carts);
    this.cartsCard.side(`by last change, ${count(carts.length)}`);
  }
}
