// What the list of frames says about itself: that it is empty, sampled, or that its filter
// has a word that nothing has.

import { fill, h, odd } from '../dom.js';
import { suggestion } from '../filter.js';
import { count, time } from '../format.js';
import { button, message } from '../parts.js';

export class Says {
  #app;
  #replace;
  #clear;
  #shown = {}; // text by place
  empty = h('div', { class: 'empty' });
  sampled = h('div', { class: 'sampled', hidden: true });
  errors = h('p', { class: 'filter-errors', hidden: true });

  /** replace(from, to) changes a word of the filter, clear empties it. */
  constructor(app, { replace, clear }) {
    this.#app = app;
    this.#replace = replace;
    this.#clear = clear;
  }

  update(view) {
    this.#sampled();
    this.#errors(view);
    this.#empty(view);
  }

  /** #changed reports whether a place has to show something else than before. */
  #changed(place, key) {
    const changed = this.#shown[place] !== key;
    this.#shown[place] = key;
    return changed;
  }

  #sampled() {
    const { sampled, situation } = this.#app;
    this.sampled.hidden = !sampled;
    if (!sampled) return;
    const text =
      `${count(situation?.eventsPerSecond ?? 0)} events/s. Of equal deltas 1 in ${sampled.of} is kept and all are ` +
      'counted; every error, close, answer and admin write is kept.';
    if (this.#changed('sampled', text)) this.sampled.replaceChildren(message('odd', '▲ Sampled', text));
  }

  #errors({ errors: [error] }) {
    this.errors.hidden = !error;
    if (!error || !this.#changed('errors', error.word)) return;
    fill(this.errors, odd(`There is no “${error.word}”. Nearest: `), this.#link(error.word, error.nearest));
  }

  #link(from, to) {
    return button(to, () => this.#replace(from, to), { kind: 'link mono' });
  }

  #empty(view) {
    const { store, situation } = this.#app;
    this.empty.hidden = view.rows.length > 0;
    if (this.empty.hidden) return;
    const some = store.length > 0;
    const key = `${view.text} ${view.direction} ${[...view.shown]} ${some} ${situation?.socket}`;
    if (this.#changed('empty', key)) this.empty.replaceChildren(...(some ? this.#nothing(view) : this.#noFrames()));
  }

  #noFrames() {
    const { socket, template } = this.#app.situation ?? {};
    const command = socket ? `npx wscat -c ${socket}${template ? '' : ' -s securecart.v1'}` : '';
    return [
      h('h2', {}, 'No frames yet'),
      h('p', {}, 'Connect a client and its frames appear here:'),
      h('p', { class: 'mono' }, command),
    ];
  }

  #nothing({ filter, text }) {
    const { store } = this.#app;
    const nearest = suggestion(filter, store.all(), store.people);
    const link = nearest && ['Nearest: ', this.#link(nearest.word, `${nearest.field}:${nearest.value}`), '.'];
    const events = `${count(store.length)} events, none ${text ? 'with ' : 'of these kinds'}`;
    return [
      h('h2', {}, 'Nothing matches'),
      h('p', {}, events, h('code', {}, text), '. ', link),
      h(
        'p',
        {},
        `The filter looks at what the page kept: since ${time(store.oldest.at).slice(0, 8)}. `,
        button('Clear filter', this.#clear, { kind: 'link', keyName: 'Esc' }),
      ),
    ];
  }
}
