// A list of rows with fixed columns: a grid for assistive technology, of which only the
// rows that can be seen are in the page.

import { fill, h, setAttribute } from './dom.js';

const maxInPage = 60; // rows
const spare = 4; // rows above and below what can be seen

/**
 * List shows rows. columns are {name, width, end, cell(row)}; cell returns parts. key(row)
 * is what tells rows apart. rowsShown makes a list as high as its rows, up to a number of
 * them, which then does not scroll. kind(row) is a class of the row.
 */
export class List {
  rows = [];
  selected = null; // key
  following = false;
  #options;
  #elements = new Map(); // key: row element
  #free = [];
  #head;
  #body;
  #frame = 0;
  #top = 0;
  #height = 0;
  #expectedTop = -1;
  #indexes = null; // key: index, made when it is asked for

  constructor({ rowHeight = 27, key = (row) => row.id, kind = () => '', ...options }) {
    this.#options = { rowHeight, key, kind, ...options };
    const { label, columns } = this.#options;
    this.#head = h(
      'div',
      { role: 'row', class: 'grid-row grid-head', 'aria-rowindex': 1 },
      columns.map(({ name, end }) => h('div', { role: 'columnheader', class: end ? 'end' : '' }, name)),
    );
    this.#body = h('div', { role: 'rowgroup', class: 'grid-body' });
    this.element = h(
      'div',
      { role: 'grid', 'aria-label': label, class: 'grid', tabIndex: 0 },
      h('div', { role: 'rowgroup', class: 'grid-heads' }, this.#head),
      this.#body,
    );
    this.element.style.setProperty('--columns', columns.map(({ width }) => width ?? '1fr').join(' '));
    this.element.style.setProperty('--row', `${rowHeight}px`);
    this.element.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.element.addEventListener('click', (event) => this.#clicked(event));
    this.element.addEventListener('dblclick', () => this.open());
    this.element.addEventListener('keydown', (event) => this.#key(event));
    if (!this.#options.rowsShown) {
      new ResizeObserver(([{ contentRect }]) => {
        this.#height = contentRect.height;
        this.#soon();
      }).observe(this.element);
    } else this.element.classList.add('whole');
  }

  /** set shows rows. */
  set(rows) {
    this.rows = this.#options.rowsShown ? rows.slice(0, this.#options.rowsShown) : rows;
    this.#indexes = null;
    this.#soon();
  }

  /** redraw shows the same rows again, after their content or kind changed. */
  redraw() {
    this.#soon();
  }

  get selectedRow() {
    return this.rows[this.indexOf(this.selected)];
  }

  indexOf(key) {
    if (key === null || key === undefined) return -1;
    this.#indexes ??= new Map(this.rows.map((row, i) => [this.#options.key(row), i]));
    return this.#indexes.get(key) ?? -1;
  }

  /** select marks a row, and shows it. focus moves the keyboard's focus to it. */
  select(key, { focus = false } = {}) {
    this.selected = key;
    if (key !== null) this.following = false;
    const index = this.indexOf(key);
    if (index >= 0) this.#show(index);
    this.#draw();
    if (focus && index >= 0) this.#elements.get(key)?.focus({ preventScroll: true });
  }

  /** move selects the row that is so many rows further. */
  move(by) {
    if (this.rows.length === 0) return;
    const from = this.indexOf(this.selected);
    const start = from >= 0 ? from + by : this.following ? this.rows.length - 1 : this.#firstSeen();
    const index = Math.min(Math.max(start, 0), this.rows.length - 1);
    const key = this.#options.key(this.rows[index]);
    this.select(key, { focus: true });
    this.#options.onSelect?.(this.rows[index]);
  }

  open() {
    const row = this.selectedRow;
    if (row) this.#options.onOpen?.(row);
  }

  /** follow keeps the newest row in sight, until a person scrolls or selects. */
  follow() {
    this.following = true;
    this.selected = null;
    this.#soon();
  }

  #firstSeen() {
    return Math.floor(this.#top / this.#options.rowHeight);
  }

  #scrolled() {
    this.#top = this.element.scrollTop;
    if (Math.abs(this.#top - this.#expectedTop) > 2 && this.#expectedTop >= 0) {
      const end = this.rows.length * this.#options.rowHeight - this.#height + this.#options.rowHeight;
      if (this.following && this.#top < end - 2 * this.#options.rowHeight) {
        this.following = false;
        this.#options.onScrolledAway?.();
      }
    }
    this.#expectedTop = this.#top;
    this.#soon();
  }

  #clicked({ target }) {
    const element = target.closest('.grid-body > .grid-row');
    if (!element || getSelection()?.type === 'Range') return;
    const row = this.rows[this.indexOf(element.key)];
    if (!row) return;
    this.select(element.key, { focus: !target.closest('button, a, input') });
    this.#options.onSelect?.(row);
  }

  #key(event) {
    if (event.target.matches('input, select, textarea')) return;
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
    if (moves[event.key]) this.move(moves[event.key]);
    else return;
    event.preventDefault();
  }

  #show(index) {
    if (this.#options.rowsShown) return;
    const { rowHeight } = this.#options;
    const [top, seen] = [index * rowHeight, this.#height - rowHeight]; // the head covers one row
    if (top < this.#top) this.#scrollTo(top);
    else if (top + rowHeight > this.#top + seen) this.#scrollTo(top + rowHeight - seen);
  }

  #scrollTo(top) {
    this.#body.style.height = `${this.rows.length * this.#options.rowHeight}px`;
    this.element.scrollTop = top;
    this.#top = this.#expectedTop = this.element.scrollTop;
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { rowHeight, key, rowsShown } = this.#options;
    const length = this.rows.length;
    this.#body.style.height = `${length * rowHeight}px`;
    setAttribute(this.element, 'aria-rowcount', length + 1);
    if (this.following && !rowsShown) this.#scrollTo(length * rowHeight);
    const first = rowsShown ? 0 : Math.max(0, this.#firstSeen() - spare);
    const seen = rowsShown ?? Math.ceil(this.#height / rowHeight) + 2 * spare;
    const last = Math.min(length, first + Math.min(seen, maxInPage));
    const wanted = new Set();
    for (let i = first; i < last; i++) wanted.add(key(this.rows[i]));
    for (const [at, element] of this.#elements) {
      if (wanted.has(at)) continue;
      if (element === document.activeElement) this.element.focus({ preventScroll: true });
      this.#elements.delete(at);
      this.#free.push(element);
    }
    for (let i = first; i < last; i++) this.#drawRow(this.rows[i], i);
    for (const element of this.#free.splice(0)) element.remove();
    const holds = this.#elements.get(this.selected) ?? this.#elements.get(wanted.values().next().value);
    for (const element of this.#elements.values()) element.tabIndex = element === holds ? 0 : -1;
    this.element.tabIndex = holds ? -1 : 0;
  }

  #drawRow(row, index) {
    const { columns, key, kind, rowHeight } = this.#options;
    const at = key(row);
    let element = this.#elements.get(at);
    if (!element) {
      element = this.#free.pop() ?? this.#newRow();
      this.#elements.set(at, element);
      element.key = at;
      if (!element.isConnected) this.#body.append(element);
    }
    const name = `grid-row ${kind(row)} ${index % 2 ? 'odd-row' : ''}`;
    if (element.className !== name) element.className = name;
    const move = `translateY(${index * rowHeight}px)`;
    if (element.style.transform !== move) element.style.transform = move;
    setAttribute(element, 'aria-rowindex', index + 2);
    setAttribute(element, 'aria-selected', at === this.selected ? 'true' : 'false');
    for (let i = 0; i < columns.length; i++) fill(element.children[i], columns[i].cell(row));
  }

  #newRow() {
    return h(
      'div',
      { role: 'row' },
      this.#options.columns.map(({ end, kind = '' }) =>
        h('div', { role: 'gridcell', class: `${end ? 'end' : ''} ${kind}` }),
      ),
    );
  }
}
