// Many rows at once: NDJSON, one change a line, each with what became of it.

import { bad, fill, good, h } from '../dom.js';
import { plural } from '../format.js';
import { button, card } from '../parts.js';

/** linesOf checks the lines of a text: [{text, error}]. Empty lines are left out. */
export function linesOf(text) {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      try {
        const value = JSON.parse(line);
        return { text: line, error: typeof value?.sku === 'string' ? '' : 'a line needs "sku"' };
      } catch {
        return { text: line, error: 'this is not one JSON object' };
      }
    });
}

export class ManyRows {
  #app;

  constructor(app) {
    this.#app = app;
    this.field = h('textarea', {
      rows: 3,
      class: 'mono',
      'aria-label': 'Changes, one a line',
      spellcheck: 'false',
      placeholder: '{"sku":"MUG","available":33}',
      oninput: () => this.#check(),
    });
    this.write = button('Write', () => this.#write(), { kind: 'primary' });
    this.result = h('div', { class: 'card-text mono', role: 'status' });
    this.element = card(
      'Many rows',
      'NDJSON, a line each',
      h('div', { class: 'card-text' }, this.field, h('div', { class: 'row' }, this.write)),
      this.result,
    ).element;
    this.#check();
  }

  #check() {
    const lines = linesOf(this.field.value);
    const wrong = lines.findIndex(({ error }) => error);
    this.write.disabled = lines.length === 0 || wrong >= 0;
    fill(this.write, lines.length ? `Write ${plural(lines.length, 'line')}` : 'Write');
    fill(this.result, wrong >= 0 ? bad(`Line ${wrong + 1}: ${lines[wrong].error}. Nothing is written yet.`) : '');
  }

  async #write() {
    try {
      const { done, errors = [] } = await this.#app.change(
        'POST',
        '/admin/stock',
        linesOf(this.field.value)
          .map(({ text }) => text)
          .join('\n'),
        'stock',
      );
      fill(
        this.result,
        done ? good(`${plural(done, 'line')} written`) : '',
        errors.map(({ line, message }) => [' ', bad(`Line ${line}: ${message}`)]),
      );
      if (errors.length === 0) this.field.value = '';
    } catch (error) {
      fill(this.result, bad(error.message));
    }
  }
}
