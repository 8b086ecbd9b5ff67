// The line that changes one item, at the version that was seen when the editing began.

import { bad, fill, good, h } from '../dom.js';
import { clock } from '../format.js';
import { button } from '../parts.js';

const most = 1_000_000_000; // pieces, as the hub takes them

export class Editor {
  #app;
  #done;
  #item = null; // as it was when the editing began
  #now = null; // as it is

  /** done is called when the editing ended, to give the focus back. */
  constructor(app, done) {
    this.#app = app;
    this.#done = done;
    const field = (label, width) =>
      h('input', {
        'aria-label': label,
        inputmode: 'numeric',
        class: `number ${width}`,
        autocomplete: 'off',
        oninput: () => this.#check(),
      });
    this.sku = h('input', {
      'aria-label': 'SKU',
      class: 'mono sku',
      autocomplete: 'off',
      spellcheck: 'false',
      oninput: () => this.#check(),
    });
    this.available = field('Available', 'wide');
    this.lowAt = field('Low at', '');
    this.says = h('p', { class: 'editor-says', role: 'alert' });
    this.save = h('button', { class: 'primary' });
    this.element = h(
      'form',
      {
        class: 'editor',
        hidden: true,
        'aria-label': 'Change an item',
        onsubmit: (event) => {
          event.preventDefault();
          this.#save();
        },
        onkeydown: (event) => {
          if (event.key !== 'Escape') return;
          event.stopPropagation();
          this.hide();
          this.#done();
        },
      },
      h(
        'div',
        { class: 'row' },
        this.sku,
        h('label', {}, 'Available ', this.available),
        h('label', {}, 'Low at ', this.lowAt),
        h('span', { class: 'gap' }),
        button('Leave', () => this.hide(), { keyName: 'Esc' }),
        this.save,
      ),
      this.says,
    );
  }

  /** show begins to edit an item; nothing is written. */
  show(item) {
    if (!item) return;
    this.#item = this.#now = item;
    this.sku.value = item.sku;
    this.sku.readOnly = true;
    this.available.value = item.available;
    this.lowAt.value = item.lowAt;
    this.element.hidden = false;
    fill(this.says, '');
    this.#check();
  }

  create() {
    this.#item = this.#now = { sku: '', version: 0, available: '', lowAt: '' };
    this.sku.value = this.available.value = '';
    this.lowAt.value = 5;
    this.sku.readOnly = false;
    this.element.hidden = false;
    fill(this.says, '');
    this.#check();
    this.sku.focus();
  }

  hide() {
    this.element.hidden = true;
  }

  focus() {
    if (this.element.hidden) return;
    this.available.focus();
    this.available.select();
  }

  /** seen learns how the item is now. What nobody has touched follows it. */
  seen(item) {
    if (!item || this.element.hidden || item.sku !== this.#item.sku || item.version === this.#now.version) return;
    const touched =
      this.available.value !== String(this.#item.available) || this.lowAt.value !== String(this.#item.lowAt);
    this.#now = item;
    if (!touched && !this.element.contains(document.activeElement)) this.show(item);
  }

  /** add writes one more or one less at once, as the shop does. */
  async add(by) {
    if (this.element.hidden || !this.#item.sku) return;
    try {
      const item = await this.#app.change('PUT', this.#path, { add: by }, 'stock');
      this.show(item);
    } catch (error) {
      fill(this.says, bad(`${error.message}. Nothing was written.`));
    }
  }

  get #path() {
    return `/admin/stock/${encodeURIComponent(this.sku.value)}`;
  }

  #check() {
    fill(this.save, `Save at version ${this.#item.version}`);
    const wrong = this.#problem();
    this.available.setAttribute('aria-invalid', String(wrong !== ''));
    this.save.disabled = wrong !== '';
    fill(this.says, wrong ? bad(`${wrong} Nothing was written.`) : '');
  }

  #problem() {
    const whole = (text) => /^\d+$/.test(text.trim()) && Number(text) <= most;
    if (this.sku.value === '') return this.available.value === '' ? '' : 'A SKU is needed.';
    if (!whole(this.available.value) && this.available.value !== String(this.#item.available))
      return 'Available is 0 to 1 000 000 000.';
    if (!whole(this.lowAt.value)) return 'Low at is 0 to 1 000 000 000.';
    return '';
  }

  async #save(version = this.#item.version) {
    if (this.#problem() || this.sku.value === '') return;
    const change = { version, lowAt: Number(this.lowAt.value) };
    if (this.available.value !== String(this.#item.available)) change.available = Number(this.available.value);
    try {
      const item = await this.#app.change('PUT', this.#path, change, 'stock');
      this.show(item);
      fill(this.says, good(`version ${item.version} is written`));
    } catch (error) {
      if (error.code === 'conflict') await this.#conflict();
      else fill(this.says, bad(`${error.message}. Nothing was written.`));
    }
  }

  /** #conflict offers to take what somebody else wrote, or to write all the same. */
  async #conflict() {
    const mine = this.available.value;
    const now = await this.#app.api.get(this.#path);
    fill(
      this.says,
      bad(
        `${now.sku} is at version ${now.version}, you edited version ${this.#item.version}. Somebody wrote ${now.available} at ${clock(Date.parse(now.updatedAt))}. `,
      ),
      button(`Take ${now.available}`, () => this.show(now), { kind: 'link' }),
      ' or ',
      button(`write ${mine}`, () => this.#save(now.version), { kind: 'link' }),
      '.',
    );
  }
}
