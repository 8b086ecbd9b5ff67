// All connections, and one of them.

import { mono, odd, second } from '../dom.js';
import { ago, bytes, count, duration, person } from '../format.js';
import { h, fill } from '../dom.js';
import { openKey, rowKeys } from '../keys.js';
import { List } from '../list.js';
import { card, screenElement } from '../parts.js';
import { Connection } from './connection.js';

export class Connections {
  needs = ['connections', 'topics'];
  #app;
  #one;

  constructor(app) {
    this.#app = app;
    this.list = new List({
      label: 'Connections',
      key: ({ connectionId }) => connectionId,
      columns: [
        {
          name: 'Connection',
          width: 'minmax(120px, 1.4fr)',
          cell: ({ user, connectionId }) => mono(person(user, connectionId)),
        },
        { name: 'Role', width: 'minmax(70px, 1fr)', cell: ({ role }) => role || '' },
        { name: 'Address', width: 'minmax(90px, 1fr)', cell: ({ address }) => second(address ?? '') },
        {
          name: 'Open for',
          width: '100px',
          end: true,
          cell: ({ connectedAt }) => duration(this.#app.now - Date.parse(connectedAt)),
        },
        {
          name: 'Last frame',
          width: '100px',
          end: true,
          cell: ({ lastActiveAt }) => second(ago(this.#app.now - Date.parse(lastActiveAt))),
        },
        { name: 'Topics', width: '64px', end: true, cell: ({ topics }) => count(topics?.length ?? 0) },
        { name: 'In', width: '64px', end: true, cell: ({ framesIn }) => count(framesIn ?? 0) },
        { name: 'Out', width: '64px', end: true, cell: ({ framesOut }) => count(framesOut ?? 0) },
        {
          name: 'Waiting',
          width: '86px',
          end: true,
          cell: ({ queuedBytes }) => (queuedBytes ? odd(bytes(queuedBytes)) : '0'),
        },
      ],
      onOpen: ({ connectionId }) => this.#app.go({ screen: 'connections', id: connectionId }),
    });
    this.box = card('Open now', '', this.list.element);
    this.box.element.classList.add('list');
    this.filter = h('input', {
      type: 'search',
      class: 'filter mono',
      'aria-label': 'Find a connection',
      placeholder: 'user, role, topic or id',
      autocomplete: 'off',
      oninput: () => this.update(),
    });
    this.empty = h(
      'div',
      { class: 'empty' },
      h('h2', {}, 'Nobody is connected'),
      h('p', {}, 'Connect a client, or open the shop, and it appears here.'),
    );
    this.box.element.append(this.empty);
    this.all = screenElement('connections', [h('h1', {}, 'Connections'), this.filter], this.box.element);
    this.#one = new Connection(app);
    this.element = h('div', { class: 'switch' }, this.all);
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

  enter({ id }) {
    if (id) this.#one.enter(id);
    this.element.replaceChildren(id ? this.#one.element : this.all);
    this.update();
  }

  events(events) {
    if (this.#isOne) this.#one.events(events);
  }

  update() {
    if (this.#isOne) return this.#one.update();
    const all = this.#app.sources.connections ?? [];
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = all
      .filter(({ user = '', role = '', connectionId, topics = [] }) => {
        const text = `${user} ${role} ${connectionId} ${topics.join(' ')}`.toLowerCase();
        return words.every((word) => text.includes(word));
      })
      .sort((a, b) => Date.parse(b.lastActiveAt) - Date.parse(a.lastActiveAt));
    this.list.set(found);
    this.empty.hidden = all.length > 0 || this.#app.sources.connections === undefined;
    fill(this.box.element.querySelector('.side'), `${count(found.length)} of ${count(all.length)}, by last frame`);
  }
}
