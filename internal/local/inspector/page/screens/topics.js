// All topics, and one of them.

import { fill, h, mono, odd, second } from '../dom.js';
import { clock, count } from '../format.js';
import { openKey, rowKeys } from '../keys.js';
import { List } from '../list.js';
import { card, screenElement } from '../parts.js';
import { Topic } from './topic.js';

export class Topics {
  #app;
  #one;

  constructor(app) {
    this.#app = app;
    this.list = new List({
      label: 'Topics',
      key: ({ topic }) => topic,
      columns: [
        { name: 'Topic', width: 'minmax(140px, 1.4fr)', cell: ({ topic }) => mono(topic) },
        { name: 'Subscribers', width: '100px', end: true, cell: ({ subscribers }) => count(subscribers) },
        { name: 'Version', width: '90px', end: true, cell: ({ version }) => (version ? String(version) : '') },
        { name: 'State', width: '110px', cell: ({ state }) => state ?? '' },
        { name: 'Changes here', width: '110px', end: true, cell: ({ topic }) => count(this.#changes(topic).length) },
        {
          name: 'Last change',
          width: '110px',
          cell: ({ topic }) => second(this.#changes(topic).length ? clock(this.#changes(topic).at(-1).at / 1000) : ''),
        },
        { name: 'Its posts', width: 'minmax(110px, 1fr)', cell: ({ topic }) => resultOf(this.#changes(topic).at(-1)) },
      ],
      onOpen: ({ topic }) => this.#app.go({ screen: 'topics', id: topic }),
    });
    this.box = card('Subscribed now', '', this.list.element);
    this.box.element.classList.add('list');
    this.empty = h(
      'div',
      { class: 'empty' },
      h('h2', {}, 'Nobody has subscribed'),
      h('p', {}, 'Type sub MUG into a client, or open the shop.'),
    );
    this.box.element.append(this.empty);
    this.filter = h('input', {
      type: 'search',
      class: 'filter mono',
      'aria-label': 'Find a topic',
      placeholder: 'part of a name',
      autocomplete: 'off',
      oninput: () => this.update(),
    });
    this.all = screenElement('topics', [h('h1', {}, 'Topics'), this.filter], this.box.element);
    this.#one = new Topic(app);
    this.element = h('div', { class: 'switch' }, this.all);
  }

  get needs() {
    return this.#isOne ? ['connections', 'topics', 'stock'] : ['topics'];
  }

  get keys() {
    if (this.#isOne) return this.#one.keys;
    return [
      rowKeys('row', (by) => this.list.move(by)),
      openKey('open', () => this.list.open()),
      { keys: ['/'], text: 'find', run: () => this.filter.focus() },
    ];
  }

  get #isOne() {
    return this.element.firstChild !== this.all;
  }

  #changes(topic) {
    return this.#app.store.changes.ofTopic(topic);
  }

  enter({ id, version }) {
    if (id) this.#one.enter(id, Number(version) || 0);
    this.element.replaceChildren(id ? this.#one.element : this.all);
    this.update();
  }

  update() {
    if (this.#isOne) return this.#one.update();
    const all = this.#app.sources.topics ?? [];
    const found = all.filter(({ topic }) => topic.toLowerCase().includes(this.filter.value.trim().toLowerCase()));
    this.list.set(found);
    this.empty.hidden = all.length > 0 || this.#app.sources.topics === undefined;
    fill(this.box.element.querySelector('.side'), `${count(found.length)} of ${count(all.length)}, by subscribers`);
  }
}

/** resultOf says what became of the posts of a change. */
export function resultOf(change) {
  if (!change) return '';
  if (!change.batch) return second('○ no batch yet');
  if (change.into) return second(`○ coalesced into v${change.into}`);
  const parts = [];
  if (change.gone) parts.push(`${count(change.gone)} gone`);
  if (change.refused)
    parts.push(`${count(change.retried.size || change.refused)} after ${change.retried.size ? '429' : 'an error'}`);
  if (change.accepted === 0 && parts.length === 0) return second('○ no post: seen by nobody');
  const text = [count(change.accepted), ...parts].join(', ');
  return change.refused || change.gone ? odd(text) : { kind: 'good', text: `✓ ${text}` };
}
