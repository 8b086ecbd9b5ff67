// The invocations of somebody's own API, under localhub -template.

import { bad, good, h, mono, odd, second } from '../dom.js';
import { count, ms, percentile, person, time } from '../format.js';
import { rowKeys } from '../keys.js';
import { List } from '../list.js';
import { card, choice, screenElement } from '../parts.js';
import { Detail } from './detail.js';

const maxRows = 1000;

/** invocationsOf reads the invocations of the log, newest first. */
export function invocationsOf(store) {
  const rows = [];
  for (const event of store.newest()) {
    if (event.type !== 'invoke') continue;
    const effects = store.effects(event);
    const answer = effects.find(({ type }) => type === 'answer');
    rows.push({
      id: event.id,
      event,
      answer,
      posts: effects.filter(({ type }) => type === 'post').length,
      failed: failed(answer),
      refused: refused(answer),
    });
    if (rows.length >= maxRows) break;
  }
  return rows;
}

const failed = (answer) => Boolean(answer && (answer.status >= 500 || (answer.code && !answer.status)));
const refused = (answer) => Boolean(answer && !failed(answer) && answer.status >= 400);

/** routesOf sums invocations by route. */
export function routesOf(rows) {
  const routes = new Map();
  for (const { event, answer, failed: isFailed } of rows) {
    const name = event.route ?? '';
    if (!routes.has(name))
      routes.set(name, { route: name, function: event.function ?? '', calls: 0, failed: 0, took: [] });
    const row = routes.get(name);
    row.calls++;
    if (isFailed) row.failed++;
    if (answer?.took !== undefined) row.took.push(answer.took);
  }
  for (const row of routes.values()) row.took.sort((a, b) => a - b);
  return [...routes.values()].sort((a, b) => b.calls - a.calls);
}

const resultOf = ({ answer, failed: isFailed, refused: isRefused }) => {
  if (!answer) return second('○ runs');
  if (isFailed) return bad(answer.code || 'failed');
  return isRefused ? odd(answer.code || String(answer.status)) : good(String(answer.status ?? ''));
};

export class Invocations {
  #app;
  #which = 'all';
  #detail;

  constructor(app) {
    this.#app = app;
    this.#detail = new Detail(app, (event) => this.#detail.show(event));
    this.list = new List({
      label: 'Invocations',
      columns: [
        { name: 'Time', width: '94px', cell: ({ event }) => second(time(event.at)) },
        { name: 'Route', width: 'minmax(76px, 1fr)', cell: ({ event }) => mono(event.route ?? '') },
        { name: 'Function', width: 'minmax(76px, 1fr)', cell: ({ event }) => event.function ?? '' },
        { name: 'Connection', width: 'minmax(76px, 1fr)', cell: ({ event }) => mono(person(event.user, event.conn)) },
        { name: 'Result', width: 'minmax(84px, 1.2fr)', cell: (row) => resultOf(row) },
        {
          name: 'ms',
          width: '70px',
          end: true,
          cell: ({ answer }) => (answer?.took === undefined ? '' : ms(answer.took)),
        },
        { name: 'Posts', width: '40px', end: true, cell: ({ posts }) => count(posts) },
      ],
      onSelect: ({ event }) => {
        this.#detail.show(event);
        this.#app.note({ id: String(event.id) });
      },
      onOpen: ({ id }) => this.#app.go({ screen: 'frames', id: String(id) }),
    });
    this.which = choice(
      'Which',
      ['all', 'refused', 'failed'].map((value) => ({ value, text: value })),
      (value) => {
        this.#which = value;
        this.update();
      },
    );
    this.routes = routesList();
    const box = card('Newest first', 'in the log of this page', this.list.element);
    box.element.classList.add('list');
    this.element = screenElement(
      'invocations',
      [h('h1', {}, 'Invocations'), this.which.element],
      h(
        'div',
        { class: 'split' },
        h('div', { class: 'stack' }, box.element, card('Routes', '', this.routes.element).element),
        this.#detail.element,
      ),
    );
  }

  keys = [
    rowKeys('invocation', (by) => this.list.move(by)),
    { keys: ['[', ']'], text: 'in Frames', run: () => this.list.open() },
    { keys: ['x'], text: 'text or pretty', run: () => this.#detail.toggleRaw() },
    { keys: ['y'], text: 'copy event', run: () => this.#detail.copy() },
    { keys: ['Enter'], text: 'open', quiet: true, run: () => this.list.open() },
    { keys: ['Esc'], text: 'close', run: () => this.#detail.hide() },
  ];

  enter({ id }) {
    const event = id && this.#app.store.get(Number(id));
    if (event) this.#detail.show(event);
  }

  update() {
    const rows = invocationsOf(this.#app.store);
    const is = { all: () => true, refused: (row) => row.refused, failed: (row) => row.failed };
    this.which.text('all', `All ${count(rows.length)}`);
    this.which.text('refused', `▲ Refused ${count(rows.filter(is.refused).length)}`);
    this.which.text('failed', `■ Failed ${count(rows.filter(is.failed).length)}`);
    this.which.set(this.#which);
    this.list.set(rows.filter(is[this.#which]));
    this.routes.set(routesOf(rows));
  }
}

/** routesList is a list of routes with their calls and times. */
export const routesList = () =>
  new List({
    label: 'Routes',
    rowsShown: 20,
    key: ({ route }) => route,
    columns: [
      { name: 'Route', width: 'minmax(110px, 1fr)', cell: ({ route }) => mono(route) },
      { name: 'Runs', width: 'minmax(110px, 1fr)', cell: (row) => row.function },
      { name: 'Calls', width: '70px', end: true, cell: ({ calls }) => count(calls) },
      {
        name: 'p50',
        width: '80px',
        end: true,
        cell: ({ took }) => (took.length ? `${ms(percentile(took, 50))} ms` : ''),
      },
      {
        name: 'p99',
        width: '80px',
        end: true,
        cell: ({ took }) => (took.length ? `${ms(percentile(took, 99))} ms` : ''),
      },
      { name: 'Failed', width: '70px', end: true, cell: (row) => (row.failed ? bad(count(row.failed)) : '0') },
    ],
  });
