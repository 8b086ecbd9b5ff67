// The first screen: six figures, rates, staleness, and what is not as usual.

import { statesOf } from '../alarms.js';
import { Chart, dots, lines } from '../charts.js';
import { bad, fill, good, h, mono, odd, second } from '../dom.js';
import { ago, bytes, count, duration, percentile, person, plural, rate } from '../format.js';
import { List } from '../list.js';
import { card, figure, figures } from '../parts.js';
import { faultWords, ratesOf } from '../shell.js';
import { write } from '../address.js';
import { openKey, rowKeys } from '../keys.js';
import { invocationsOf, routesOf } from './invocations.js';

const lastChanges = 120;
const chartOf = 5 * 60_000; // ms

/** staleness of the last changes that reached somebody, in ms. */
export function staleness(changes) {
  const points = changes
    .filter(({ last }) => last > 0)
    .slice(-lastChanges)
    .map(({ at, last, retried }) => ({ ms: (last - at) / 1000, odd: retried.size > 0 }));
  const sorted = points.map(({ ms }) => ms).sort((a, b) => a - b);
  return { points, p50: percentile(sorted, 50), p99: percentile(sorted, 99) };
}

const msText = (value) => (value < 10 ? value.toFixed(1) : count(value));

export class Overview {
  needs = ['connections', 'topics'];
  keys = [
    rowKeys('row', (by) => this.people.move(by)),
    openKey('open', () => this.people.open()),
  ];
  #app;

  constructor(app) {
    this.#app = app;
    this.boxes = Object.fromEntries(
      ['Connections', 'Topics', 'Frames in', 'Frames out', 'Staleness'].map((name) => [name, figure(name)]),
    );
    this.rates = new Chart(lines);
    this.dots = new Chart(dots);
    this.below = h('p', { class: 'card-text second' });
    const ratesCard = card('Frames a second', '5 min, 3 s steps', this.rates.element);
    this.dotsCard = card(`Staleness of the last changes`, 'log scale', this.dots.element, this.below);
    this.unusual = h('ul', { class: 'plain-list' });
    this.unusualCard = card('Not as usual', '', this.unusual);
    this.people = this.#peopleList();
    this.peopleCard = card('People', '', this.people.element);
    this.routes = this.#routesList();
    this.topics = this.#topicsList();
    const routesCard = card('Routes', '', this.routes.element);
    const topicsCard = card('Busiest topics', 'by subscribers', this.topics.element);
    this.element = h(
      'div',
      { class: 'screen overview' },
      h('h1', { class: 'visually-hidden' }, 'Overview'),
      figures(...Object.values(this.boxes)),
      h('div', { class: 'two' }, ratesCard.element, this.dotsCard.element),
      h(
        'div',
        { class: 'three' },
        h('div', { class: 'stack' }, this.unusualCard.element, this.peopleCard.element),
        routesCard.element,
        topicsCard.element,
      ),
    );
    this.ofHub = [this.boxes.Topics, this.boxes.Staleness, this.dotsCard, topicsCard].map(({ element }) => element);
  }

  #peopleList() {
    return new List({
      label: 'People',
      rowsShown: 8,
      key: ({ connectionId }) => connectionId,
      columns: [
        {
          name: 'Connection',
          width: 'minmax(110px, 1.4fr)',
          cell: ({ user, connectionId }) => mono(person(user, connectionId)),
        },
        { name: 'Role', width: '1fr', cell: ({ role }) => role || '' },
        { name: 'Topics', width: '60px', end: true, cell: ({ topics }) => count(topics?.length ?? 0) },
        {
          name: 'Last frame',
          width: '108px',
          end: true,
          cell: ({ lastActiveAt }) => second(ago(this.#app.now - Date.parse(lastActiveAt))),
        },
      ],
      onOpen: ({ connectionId }) => this.#app.go({ screen: 'connections', id: connectionId }),
    });
  }

  #routesList() {
    return new List({
      label: 'Routes',
      rowsShown: 10,
      key: ({ route }) => route,
      columns: [
        { name: 'Route', width: 'minmax(90px, 1.6fr)', cell: ({ route }) => mono(route) },
        { name: 'Calls', width: '1fr', end: true, cell: ({ calls }) => count(calls) },
        {
          name: 'Mean',
          width: '1fr',
          end: true,
          cell: ({ calls, seconds }) => (calls ? `${((1000 * seconds) / calls).toFixed(2)} ms` : ''),
        },
        { name: 'Errors', width: '1fr', end: true, cell: ({ errors }) => (errors ? odd(count(errors)) : '0') },
      ],
    });
  }

  #topicsList() {
    return new List({
      label: 'Busiest topics',
      rowsShown: 10,
      key: ({ topic }) => topic,
      columns: [
        { name: 'Topic', width: 'minmax(110px, 1.6fr)', cell: ({ topic }) => mono(topic) },
        { name: 'Subscribers', width: '88px', end: true, cell: ({ subscribers }) => count(subscribers) },
        { name: 'Version', width: '1fr', end: true, cell: ({ version }) => (version ? String(version) : '') },
        { name: 'Posts/s', width: '1fr', end: true, cell: ({ posts }) => rate(posts) },
      ],
      onOpen: ({ topic }) => this.#app.go({ screen: 'topics', id: topic }),
    });
  }

  update() {
    const { sources, store, history } = this.#app;
    const all = store.changes.all();
    for (const element of this.ofHub) element.hidden = this.#template;
    this.element.classList.toggle('foreign', this.#template);
    this.#figures(sources, history, staleness(all));
    this.rates.set(
      {
        now: Date.now(),
        within: chartOf,
        marks: this.#app.faultMarks,
        series: [
          { name: 'out', kind: 'frame-out', points: history.rates('posts') },
          { name: 'in', kind: 'frame-in', dash: '4 3', points: history.rates('in') },
        ],
      },
      `${history.points.length} ${history.points.at(-1)?.at}`,
    );
    this.#unusual(statesOf(sources.alarms));
    const people = (sources.connections ?? []).toSorted(
      (a, b) => Date.parse(b.lastActiveAt) - Date.parse(a.lastActiveAt),
    );
    this.people.set(people);
    this.peopleCard.side(people.length > 8 ? `8 of ${count(people.length)}, by last frame` : 'by last frame');
    this.routes.set(this.#routeRows(sources.metrics));
    this.topics.set(this.#topicRows(sources.topics ?? [], all));
  }

  /** #template tells that this is somebody's own API: then there is nothing of the hub. */
  get #template() {
    return this.#app.situation?.template ?? false;
  }

  #figures({ connections = [], topics = [], metrics }, history, { points, p50, p99 }) {
    const named = connections.filter(({ role }) => role && role !== 'guest').length;
    this.boxes.Connections.set(
      count(this.#app.situation?.connections ?? connections.length),
      '',
      this.#template ? '' : `${count(named)} signed in, ${plural(connections.length - named, 'guest')}`,
    );
    this.boxes.Topics.set(
      count(topics.length),
      '',
      plural(
        topics.reduce((sum, { subscribers }) => sum + subscribers, 0),
        'subscription',
      ),
    );
    const refused = metrics?.sum('gateway_refused_total') ?? 0;
    this.boxes['Frames in'].set(
      rate(history.rate('in')),
      '/s',
      this.#template ? '' : `handshakes refused: ${count(refused)}`,
    );
    this.boxes['Frames out'].set(
      rate(history.rate('posts')),
      '/s',
      `${bytes(Math.round(history.rate('sent')))}/s, posts`,
    );
    if (p50 === undefined) this.boxes.Staleness.set('–', '', 'no change yet');
    else
      this.boxes.Staleness.set(
        msText(p50),
        'ms p50',
        p99 > 50 && this.#app.faultsOn ? odd(`p99 ${msText(p99)} ms, faults on`) : `p99 ${msText(p99)} ms`,
      );
    const at =
      p50 === undefined
        ? []
        : [
            { ms: p50, text: `p50 ${msText(p50)} ms` },
            { ms: p99, text: `p99 ${msText(p99)} ms` },
          ];
    this.dotsCard.title(`Staleness of the last ${points.length ? plural(points.length, 'change') : 'changes'}`);
    this.dots.set({ points, lines: at }, `${points.length} ${points.at(-1)?.ms} ${p50} ${p99}`);
    fill(
      this.below,
      '● first attempt ',
      { kind: 'odd', text: '■ at least one 429 first' },
      '. Each: commit → last accepted post; accepted is not seen by a person.',
    );
  }

  #unusual(states) {
    const { situation, faultsOn, store } = this.#app;
    const show = (screen, text = 'Show') => ({ href: write({ screen }), text });
    const found = [];
    if (faultsOn)
      found.push([odd(`Faults are on: ${faultWords(ratesOf(situation?.faults))}`), show('faults', 'Turn off')]);
    if (situation?.clockAheadMs)
      found.push([odd(`The clock is ${duration(situation.clockAheadMs)} ahead`), show('faults')]);
    for (const { title, text, state } of states)
      if (state === 'bad') found.push([bad(`Alarm: ${title} ${text}`), show('alarms')]);
    if (store.gaps) found.push([odd(`${count(store.gaps)} events passed the ring and are not here`), show('frames')]);
    if (situation?.private) found.push([odd('Carts and SKUs in them are shown'), '']);
    this.unusualCard.side(found.length ? String(found.length) : '');
    if (found.length === 0) found.push([good('Nothing unusual.'), '']);
    const key = JSON.stringify(found);
    if (this.unusual.key === key) return;
    this.unusual.key = key;
    this.unusual.replaceChildren(
      ...found.map(([what, action]) => h('li', {}, what, h('span', { class: 'gap' }), action)),
    );
  }

  #routeRows(metrics) {
    if (this.#template) {
      return routesOf(invocationsOf(this.#app.store)).map(({ route, calls, failed, took }) => ({
        route,
        calls,
        seconds: took.reduce((sum, us) => sum + us / 1e6, 0),
        errors: failed,
      }));
    }
    if (!metrics) return [];
    const errors = new Map();
    for (const event of this.#app.store.all()) {
      if (event.type !== 'answer' || !(event.code || event.status >= 400)) continue;
      const route = event.route ?? this.#app.store.causes(event)[0]?.route;
      if (route) errors.set(route, (errors.get(route) ?? 0) + 1);
    }
    return metrics
      .list('gateway_integration_seconds_count')
      .map(({ labels: { route }, value }) => ({
        route,
        calls: value,
        seconds: metrics.sum('gateway_integration_seconds_sum', { route }),
        errors: errors.get(route) ?? 0,
      }))
      .sort((a, b) => b.calls - a.calls);
  }

  /** #topicRows adds to each topic the posts of its changes in the last minute, a second. */
  #topicRows(topics, changes) {
    const since = (this.#app.now - 60_000) * 1000;
    const posts = new Map();
    for (const { topic, at, accepted } of changes)
      if (at >= since) posts.set(topic, (posts.get(topic) ?? 0) + accepted);
    return topics
      .map((topic) => ({ ...topic, posts: (posts.get(topic.topic) ?? 0) / 60 }))
      .sort((a, b) => b.subscribers - a.subscribers || b.posts - a.posts);
  }
}
