// The routes of somebody's own API, under localhub -template, and its posts.

import { good, h, mono, odd, second } from '../dom.js';
import { count, ms, person, time } from '../format.js';
import { openKey, rowKeys } from '../keys.js';
import { List } from '../list.js';
import { card, screenElement } from '../parts.js';
import { invocationsOf, routesList, routesOf } from './invocations.js';

const maxPosts = 1000; // that are listed

export class Routes {
  #app;

  constructor(app) {
    this.#app = app;
    this.list = routesList();
    this.empty = h(
      'div',
      { class: 'empty' },
      h('h2', {}, 'No route was called yet'),
      h('p', {}, 'Connect a client, and its routes appear here.'),
    );
    this.element = screenElement(
      'routes',
      [h('h1', {}, 'Routes')],
      card('Called since this page opened', 'p50 and p99 of the log of this page', this.list.element, this.empty)
        .element,
    );
  }

  keys = [
    rowKeys('route', (by) => this.list.move(by)),
    {
      keys: ['Enter'],
      text: 'its frames',
      run: () =>
        this.list.selected !== null &&
        this.#app.go({ screen: 'frames', filter: `type:invoke route:${this.list.selected}` }),
    },
  ];

  update() {
    const rows = routesOf(invocationsOf(this.#app.store));
    this.list.set(rows);
    this.empty.hidden = rows.length > 0;
  }
}

export class Posts {
  #app;

  constructor(app) {
    this.#app = app;
    this.list = new List({
      label: 'Posts',
      columns: [
        { name: 'Id', width: '70px', kind: 'second', cell: ({ id }) => String(id) },
        { name: 'Time', width: '104px', cell: ({ at }) => second(time(at)) },
        {
          name: 'To',
          width: 'minmax(110px, 1fr)',
          cell: ({ user, conn }) => mono(person(user || this.#app.store.people.get(conn)?.user, conn)),
        },
        {
          name: 'Answer',
          width: '120px',
          cell: ({ status, code }) => (status >= 300 ? odd(`${status} ${code ?? ''}`) : good(String(status ?? ''))),
        },
        { name: 'Bytes', width: '70px', end: true, cell: ({ bytes }) => (bytes ? count(bytes) : '') },
        { name: 'ms', width: '70px', end: true, cell: ({ took }) => (took === undefined ? '' : ms(took)) },
        { name: 'Text', width: 'minmax(160px, 2fr)', cell: ({ text }) => mono((text ?? '').slice(0, 200)) },
      ],
      onOpen: ({ id }) => this.#app.go({ screen: 'frames', id: String(id) }),
    });
    this.box = card('Newest first', '', this.list.element);
    this.box.element.classList.add('list');
    this.empty = h(
      'div',
      { class: 'empty' },
      h('h2', {}, 'No post was made yet'),
      h('p', {}, 'A function posts with @connections, and it appears here.'),
    );
    this.box.element.append(this.empty);
    this.element = screenElement(
      'posts',
      [h('h1', {}, 'Posts'), h('span', { class: 'second' }, 'messages that functions sent with @connections')],
      this.box.element,
    );
  }

  keys = [
    rowKeys('post', (by) => this.list.move(by)),
    openKey('open', () => this.list.open()),
  ];

  update() {
    const posts = [];
    for (const event of this.#app.store.newest()) {
      if (event.type === 'post') posts.push(event);
      if (posts.length >= maxPosts) break;
    }
    this.list.set(posts);
    this.box.side(`${count(posts.length)} in the log of this page`);
    this.empty.hidden = posts.length > 0;
  }
}
