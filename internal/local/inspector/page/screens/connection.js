// One connection: how it stands, what it was sent, and what can be done to it.

import { write } from '../address.js';
import { absent, bold, fill, good, h, mono, odd, second } from '../dom.js';
import { bytes, count, duration, person, personName, shortId, time } from '../format.js';
import { rowKeys } from '../keys.js';
import { List } from '../list.js';
import { directionOf, meaning, typeOf } from '../meaning.js';
import { button, card, chip, figure, figures, key, screenElement } from '../parts.js';
import { framesOf, sentOf, why } from '../sent.js';
import { Timeline } from './timeline.js';

const answers = { 410: 'gone', 429: 'throttle', 413: 'too-large', 500: 'error' }; // faults by status

export class Connection {
  #app;
  #id = '';
  #topic = '';
  #frames = [];

  constructor(app) {
    this.#app = app;
    this.boxes = Object.fromEntries(
      ['Session', 'Open for', 'Ends by itself', 'Waiting for it', 'Frames', 'Last frame'].map((name) => [
        name,
        figure(name),
      ]),
    );
    this.timeline = new Timeline();
    this.topics = new List({
      label: 'Topics',
      rowsShown: 12,
      key: ({ topic }) => topic,
      columns: [
        { name: 'Topic', width: 'minmax(110px, 1.3fr)', cell: ({ topic }) => mono(topic) },
        { name: 'Sent', width: '52px', end: true, cell: ({ sent }) => (sent ? String(sent.version) : '') },
        { name: 'Now', width: '52px', end: true, cell: ({ now }) => (now ? String(now) : '') },
        { name: 'State', width: 'minmax(120px, 1.2fr)', cell: (row) => stateOf(row) },
        { name: 'Last sent', width: '98px', cell: ({ sent }) => second(sent ? time(sent.at) : '') },
      ],
      onSelect: ({ topic }) => {
        this.#topic = topic;
        this.update();
      },
      onOpen: ({ topic }) => this.#app.go({ screen: 'topics', id: topic }),
    });
    this.frames = new List({
      label: 'Last frames',
      rowHeight: 22,
      kind: (event) => `log-row ${typeOf(event) === 'error' ? 'bad-row' : ''}`,
      columns: [
        { name: 'Id', width: '60px', kind: 'second', cell: ({ id }) => String(id) },
        { name: 'Time', width: '98px', cell: ({ at }) => time(at) },
        { name: 'Dir', width: '52px', cell: (event) => directionOf(event) },
        { name: 'Type', width: '72px', cell: (event) => bold(typeOf(event)) },
        { name: 'What', width: 'minmax(120px, 1fr)', cell: (event) => meaning(event) },
      ],
      onOpen: ({ id }) => this.#app.go({ screen: 'frames', id: String(id), filter: `conn:${this.#id}` }),
    });
    this.#build();
  }

  #build() {
    this.title = h('h1', { class: 'crumbs' });
    this.next = h(
      'div',
      { role: 'group', 'aria-label': 'Next post', class: 'choice' },
      Object.keys(answers).map((status) =>
        h('button', { type: 'button', onclick: () => this.#nextPost(status) }, status),
      ),
    );
    this.topicsCard = card('Topics', '', this.topics.element);
    this.why = h('pre', { class: 'why', tabIndex: 0, 'aria-label': 'Why' });
    this.whyCard = card('Why', ['as the hub knows it ', key('w')], this.why);
    this.framesCard = card('Last frames', '', this.frames.element);
    this.framesCard.element.classList.add('list');
    this.element = screenElement(
      'connection',
      [
        this.title,
        h('span', { class: 'gap' }),
        h('span', { class: 'second' }, 'next post'),
        this.next,
        button('Stall', () => this.#stall(), { keyName: 's' }),
        button('Drop, 1006', () => this.#drop(), { kind: 'danger', keyName: 'd' }),
        button('End, 1000', () => this.#end(), { kind: 'danger', keyName: 'e' }),
      ],
      figures(...Object.values(this.boxes)),
      card('Timeline', this.timeline.side, this.timeline.element).element,
      h(
        'div',
        { class: 'two' },
        h('div', { class: 'stack' }, this.topicsCard.element, this.whyCard.element),
        this.framesCard.element,
      ),
    );
  }

  keys = [
    rowKeys('row', (by) => this.topics.move(by)),
    { keys: ['h', 'l'], text: 'earlier, later', run: (k) => this.timeline.shift(k === 'h' ? -1 : 1) },
    { keys: ['e'], text: 'end', run: () => this.#end() },
    { keys: ['d'], text: 'drop', run: () => this.#drop() },
    { keys: ['s'], text: 'stall', run: () => this.#stall() },
    { keys: ['n'], text: 'next post', run: () => this.next.querySelector('button').focus() },
    { keys: ['w'], text: 'why', run: () => this.topics.move(0) },
    { keys: ['Enter'], text: 'open', quiet: true, run: () => this.topics.open() },
    { keys: ['Esc'], text: 'back to list', run: () => this.#app.go({ screen: 'connections' }) },
  ];

  enter(id) {
    this.#id = id;
    this.#topic = '';
    this.topics.selected = null;
    this.#frames = framesOf(this.#app.store, id);
    this.update();
  }

  events(events) {
    const mine = events.filter(({ conn }) => conn === this.#id);
    if (mine.length > 0) this.#frames = framesOf(this.#app.store, this.#id);
  }

  get #name() {
    return person(this.#row?.user ?? this.#app.store.people.get(this.#id)?.user, this.#id);
  }

  get #row() {
    return this.#app.sources.connections?.find(({ connectionId }) => connectionId === this.#id);
  }

  #end() {
    this.#app.ask.ask(`End ${this.#name} with 1000?`, 'End', () =>
      this.#app.change('DELETE', `/admin/connections/${encodeURIComponent(this.#id)}`, null, 'connections'),
    );
  }

  #drop() {
    this.#app.ask.ask(`Drop ${this.#name} without a close frame?`, 'Drop', () => this.#fault('drop'));
  }

  #stall() {
    this.#app.ask.ask(`Freeze ${this.#name}? It reads nothing any more.`, 'Stall', () => this.#fault('stall'));
  }

  #nextPost(status) {
    this.#app.ask.ask(`Answer ${status} to the next post to ${this.#name}?`, `Answer ${status}`, () =>
      this.#fault(answers[status]),
    );
  }

  #fault(fault) {
    return this.#app.change('POST', '/admin/faults', { connection: this.#id, fault }, 'connections');
  }

  update() {
    const row = this.#row;
    const known = this.#app.store.people.get(this.#id);
    const open = row !== undefined;
    fill(
      this.title,
      { href: write({ screen: 'connections' }), text: 'Connections' },
      second(' › '),
      bold(personName(row?.user ?? known?.user) || shortId(this.#id)),
      ' ',
      { kind: 'chip', text: row?.role || known?.role || 'no role' },
      ' ',
      mono(this.#id),
      ' ',
      open ? { kind: 'chip in', text: '● open' } : { kind: 'chip', text: '○ ended' },
    );
    for (const each of this.element.querySelectorAll('.screen-head button')) each.disabled = !open;
    this.#figures(row);
    const topics = this.#topicRows(row);
    this.topics.set(topics);
    this.topicsCard.side(topics.length > 12 ? `12 of ${count(topics.length)}` : count(topics.length));
    this.#why(topics);
    this.frames.set(this.#frames.filter(({ type }) => ['in', 'out', 'open', 'close'].includes(type)));
    this.framesCard.side({
      href: write({ screen: 'frames', filter: `conn:${this.#id}` }),
      text: `all ${this.#frames.length < 200 ? count(this.#frames.length) : ''} in Frames`,
    });
    this.timeline.set(this.#frames, this.#app.store);
  }

  #figures(row) {
    const { now, situation } = this.#app;
    const ended = this.#frames.find(
      ({ type, code, text }) => type === 'out' && /"code":"token_expired"/.test(text ?? code ?? ''),
    );
    if (ended) this.boxes.Session.set(odd('ended'), '', `told ${time(ended.at)}`);
    else this.boxes.Session.set(row?.role || '–', '', row?.user ? personName(row.user) : '');
    if (!row) {
      const close = this.#frames.find(({ type }) => type === 'close');
      this.boxes['Open for'].set('ended', '', close ? `${close.status ?? ''} at ${time(close.at)}` : '');
      return;
    }
    const age = now - Date.parse(row.connectedAt);
    const idle = now - Date.parse(row.lastActiveAt);
    this.boxes['Open for'].set(
      duration(age),
      '',
      situation?.clockAheadMs ? `the clock is ${duration(situation.clockAheadMs)} ahead` : '',
    );
    if (situation?.idleMs) {
      this.boxes['Ends by itself'].set(
        duration(Math.min(situation.idleMs - idle, situation.maxAgeMs - age)),
        '',
        situation.idleMs - idle < situation.maxAgeMs - age ? 'if it stays idle' : 'its age',
      );
    } else this.boxes['Ends by itself'].set('–', '', 'limits are not known');
    this.boxes['Waiting for it'].set(
      count(row.queuedBytes ?? 0),
      'bytes of 1 MiB',
      row.queuedBytes ? odd('it does not read') : 'it reads',
    );
    this.boxes.Frames.set(
      count(row.framesIn ?? 0),
      ['in ', bold(count(row.framesOut ?? 0)), ' out'],
      `${bytes(row.bytesIn ?? 0)} in, ${bytes(row.bytesOut ?? 0)} out`,
    );
    this.boxes['Last frame'].set(duration(idle), 'ago', row.address ?? '');
  }

  #topicRows(row) {
    const topics = row?.topics ?? [];
    const sent = sentOf(this.#frames, topics);
    const versions = new Map((this.#app.sources.topics ?? []).map(({ topic, version }) => [topic, version]));
    return topics.map((topic) => ({ topic, sent: sent.get(topic), now: versions.get(topic) }));
  }

  #why(topics) {
    const chosen =
      topics.find(({ topic }) => topic === this.#topic) ??
      topics.find(({ sent, now }) => sent && now > sent.version) ??
      topics[0];
    this.whyCard.title('Why ', chosen ? { kind: 'chip', text: chosen.topic } : '');
    if (!chosen) return fill(this.why, 'It follows no topic.');
    fill(this.why, why({ store: this.#app.store, conn: this.#id, subscribed: true, ...chosen }).join('\n'));
  }
}

/** stateOf compares what was sent of a topic with its row. */
function stateOf({ sent, now }) {
  if (!sent) return absent('not sent since this page opened');
  if (!now) return second('');
  if (sent.version < now) return odd(`${now - sent.version} behind`);
  return sent.delta ? good('in step') : good('in step, snapshot');
}
