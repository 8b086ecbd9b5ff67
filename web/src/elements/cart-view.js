// <cart-view></cart-view> shows the lines of the cart, with their quantities to change, and
// says in words what is under way and what is wrong with a line.

import { lineNote } from '../words.js';
import { announce } from './announce.js';
import { define, LiveElement, make } from './element.js';
import { Noted } from './noted.js';
import { pageLive } from './page.js';

const rules = `
:host { display: block }
:host([hidden]) { display: none }
ul { list-style: none; margin: 0; padding: 0 }
li { display: grid; grid-template-columns: 1fr auto auto; gap: .4em .8em; align-items: center; padding-block: .6em; border-block-end: 1px solid var(--cart-line, #e5dfd3) }
.steps { display: inline-flex; align-items: center; gap: .3em }
button { font: inherit; min-inline-size: 2.75em; min-block-size: 2.75em }
input { font: inherit; inline-size: 4em; min-block-size: 2.5em; text-align: center }
.says { grid-column: 1 / -1; display: flex; align-items: center; justify-content: space-between; gap: .8em }
.note { color: var(--badge-low, #8a4600); margin: 0 }
[hidden] { display: none }
.pending { font-style: italic }
`;

export class CartView extends LiveElement {
  #rows = new Map(); // sku -> {element, hold, letGo, paint}; a row lasts as long as its line, so that it keeps the focus
  #rowsOf = null; // the Live that the rows belong to

  begin(live, signal) {
    if (this.#rowsOf !== live) this.#keepRows(() => false);
    this.#rowsOf = live;
    live.subscribe(['cart'], () => this.paintSoon(), { signal });
    for (const type of ['cart', 'live', 'status']) live.addEventListener(type, () => this.paintSoon(), { signal });
    for (const row of this.#rows.values()) row.hold(signal);
  }

  paint() {
    const live = this.shown;
    if (!live || (!this.held && !this.shadowRoot)) return;
    const cart = live.cart.state;
    // Out of view the rows stay as they are, so that the page does not jump.
    if (this.held || pageLive() !== live) this.#paintRows(live, cart);
    const stale = !this.held || !cart.live;
    this.setStates([this.#rows.size > 0 ? 'full' : 'empty', ...(stale ? ['stale'] : [])]);
  }

  #paintRows(live, cart) {
    const root = this.root(rules, () => [make('p', { part: 'empty' }), make('ul', { part: 'lines' })]);
    const [empty, list] = root.children;
    list.inert = live.status === 'closed';
    const skus = [...cart.lines.keys()].sort((a, b) => live.nameOf(a).localeCompare(live.nameOf(b)));
    this.#keepRows((sku) => cart.lines.has(sku));
    skus.forEach((sku, i) => {
      if (!this.#rows.has(sku)) this.#rows.set(sku, this.#row(live, sku));
      const row = this.#rows.get(sku);
      if (list.children[i] !== row.element) list.insertBefore(row.element, list.children[i] ?? null);
      row.paint(cart.lines.get(sku));
    });
    empty.hidden = skus.length > 0;
    const text = cart.known ? live.words.empty({}) : live.words.noCart({});
    if (empty.textContent !== text) empty.textContent = text;
  }

  /** keepRows removes the rows of all SKUs but those. */
  #keepRows(stays) {
    for (const [sku, row] of this.#rows) {
      if (stays(sku)) continue;
      row.letGo();
      row.element.remove();
      this.#rows.delete(sku);
    }
  }

  #row(live, sku) {
    const { words } = live;
    const name = live.nameOf(sku);
    const button = (part, label, text) => make('button', { type: 'button', part, 'aria-label': label }, text);
    const fewer = button('step', words.fewer({ name }), '−');
    const input = make('input', { part: 'quantity', inputmode: 'numeric', 'aria-label': words.quantity({ name }) });
    const more = button('step', words.more({ name }), '+');
    const remove = button('remove', words.removeName({ name }), words.remove({}));
    const note = make('p', { class: 'note', part: 'note' });
    const dismiss = button('dismiss', words.dismissName({ name }), words.dismiss({}));
    const says = make('div', { class: 'says' }, note, dismiss);
    const element = make('li', { part: 'line' }, make('bdi', { part: 'name' }, name),
      make('span', { class: 'steps' }, fewer, input, more), remove, says);
    let basis = null; // the version that the person saw when the typing began; null: nothing is typed
    const send = async (change) => {
      try {
        const { from, version } = await change;
        if (basis === from) basis = version; // one's own change is no conflict
      } catch {
        // The line's own words say why a change was not made.
      }
    };
    fewer.addEventListener('click', () => send(live.cart.add(sku, -1)));
    more.addEventListener('click', () => send(live.cart.add(sku, 1)));
    remove.addEventListener('click', () => send(live.cart.remove(sku)));
    dismiss.addEventListener('click', () => {
      live.cart.dismiss(sku);
      input.focus(); // the button goes
    });
    const endTyping = () => {
      basis = null;
      this.paintSoon();
    };
    input.addEventListener('input', () => (basis ??= live.cart.state.version));
    input.addEventListener('change', () => {
      const version = basis ?? live.cart.state.version;
      if (/^\d{1,3}$/.test(input.value)) send(live.cart.set({ [sku]: Number(input.value) }, { version }));
      endTyping();
    });
    input.addEventListener('blur', endTyping);
    const noted = new Noted();
    let letGo = () => {};
    const hold = (signal) => (letGo = live.subscribe([`sku:${sku}`], () => this.paintSoon(), { signal }));
    const paint = (line) => {
      const quantity = String(line.quantity);
      if (basis === null && input.value !== quantity) input.value = quantity; // what is typed stays
      const stock = live.newsOf(`sku:${sku}`);
      if (!this.held) stock.live = false;
      const noteNow = lineNote(line, stock, live.live, words, this.format);
      const { about, text } = noteNow;
      if (note.textContent !== text) note.textContent = text;
      says.hidden = about === null;
      dismiss.hidden = about !== 'error';
      element.classList.toggle('pending', line.pending !== null);
      if (noted.isNews(noteNow, line.error, stock.live) && live.announces) announce(`${sku} in the cart`, words.named({ name, text }));
    };
    if (this.held) hold(this.held.signal);
    return { element, hold, letGo: () => letGo(), paint };
  }
}

define('cart-view', CartView);
