// The log: one line of meaning for each frame, with a filter, groups and pause.

import { bold, fill, h, second } from '../dom.js';
import { count, ms, person, time } from '../format.js';
import { rowKeys } from '../keys.js';
import { List } from '../list.js';
import { directionOf, meaning, typeOf } from '../meaning.js';
import { causeOf, effectOf } from '../path.js';
import { choice, key, screenElement, toggles } from '../parts.js';
import { kinds, View } from '../view.js';
import { Detail } from './detail.js';
import { Says } from './framesays.js';

export class Frames {
  #app;
  #view;
  #list;
  #detail;
  #newer = 0; // frames that came while the list stood still
  #pausedAt = 0;
  #of; // the newest event with a topic on the way of [ and ]
  #frame = 0;

  constructor(app) {
    this.#app = app;
    this.#view = new View(app.store);
    this.#detail = new Detail(app, (event) => this.#choose(event));
    this.#list = new List({
      label: 'Frames',
      rowHeight: 22,
      kind: (row) => this.#kind(row),
      columns: [
        { name: 'Id', width: '56px', kind: 'second', cell: ({ event }) => String(event.id) },
        { name: 'Time', width: '92px', cell: ({ event }) => time(event.at) },
        { name: 'Connection', width: '100px', cell: (row) => this.#who(row) },
        { name: 'Dir', width: '46px', cell: ({ event }) => directionOf(event) },
        { name: 'Type', width: '68px', cell: ({ event }) => bold(typeOf(event)) },
        { name: 'What', width: 'minmax(100px, 1fr)', cell: (row) => this.#what(row) },
        { name: 'Bytes', width: '40px', end: true, cell: ({ event }) => (event.bytes ? String(event.bytes) : '') },
      ],
      onSelect: (row) => this.#choose(row.event, { fromList: true }),
      onOpen: (row) => this.#open(row),
      onScrolledAway: () => this.#showHead(),
    });
    this.#build();
    this.#list.follow();
    this.#view.read();
  }

  #build() {
    this.filter = h('input', {
      type: 'search',
      class: 'filter mono',
      'aria-label': 'Filter',
      placeholder: 'user: type: topic: dir: code: bytes> text',
      autocomplete: 'off',
      spellcheck: 'false',
      oninput: () => this.#filterSoon(),
      onkeydown: (event) => event.key === 'Enter' && (this.#list.move(1), event.preventDefault()),
    });
    this.direction = choice(
      'Direction',
      [
        { value: '', text: 'Both' },
        { value: 'in', text: '→ in' },
        { value: 'out', text: '← out' },
      ],
      (direction) => this.#set({ direction }),
    );
    this.kinds = toggles('Kinds', Object.keys(kinds), (name) => this.#toggleKind(name));
    this.pauseButton = h('button', { type: 'button', onclick: () => this.#app.pause() });
    this.head = h('span');
    this.newer = h('button', { type: 'button', class: 'link', onclick: () => this.#follow() });
    this.side = h('span', { class: 'side' });
    this.says = new Says(this.#app, {
      replace: (from, to) => this.#filterBy(this.filter.value.replace(from, to)),
      clear: () => this.#set({ text: (this.filter.value = ''), direction: '' }),
    });
    const list = h(
      'section',
      { class: 'card list' },
      h('header', { class: 'card-head light' }, this.head, this.side),
      this.#list.element,
      this.says.empty,
    );
    this.element = screenElement(
      'frames',
      [
        h('h1', {}, 'Frames'),
        this.filter,
        this.direction.element,
        this.kinds.element,
        h('span', { class: 'gap' }),
        this.pauseButton,
      ],
      this.says.errors,
      this.says.sampled,
      h('div', { class: 'split' }, list, this.#detail.element),
    );
    this.direction.set('');
    this.kinds.set(this.#view.shown);
  }

  get keys() {
    return [
      rowKeys('frame', (by) => this.#list.move(by)),
      { keys: ['['], text: 'cause', run: () => this.#step(causeOf) },
      { keys: [']'], text: 'effects', run: () => this.#step(effectOf) },
      { keys: ['/'], text: 'filter', run: () => this.filter.focus() },
      { keys: ['g'], text: 'groups or each', run: () => this.#set({ grouped: !this.#view.grouped }) },
      {
        keys: ['Space'],
        text: 'open group',
        quiet: !this.#view.grouped,
        run: () => this.#list.selectedRow && this.#open(this.#list.selectedRow),
      },
      { keys: ['x'], text: 'text or pretty', run: () => this.#detail.toggleRaw() },
      { keys: ['y'], text: 'copy', run: () => this.#detail.copy() },
      { keys: ['w'], text: 'why', run: () => this.#why() },
      { keys: ['End'], text: 'newest', run: () => this.#follow() },
      {
        keys: ['Enter'],
        text: 'open',
        quiet: true,
        run: () => this.#list.selectedRow && this.#open(this.#list.selectedRow),
      },
      { keys: ['Esc'], text: 'close, then clear', run: () => this.#escape() },
    ];
  }

  enter({ id, filter = '', dir = '' }) {
    this.filter.value = filter;
    this.direction.set(dir);
    this.#view.set({ text: filter, direction: dir });
    const event = id && this.#app.store.get(Number(id));
    if (event) this.#choose(event);
    else this.#follow();
  }

  /** events takes new ones. While the list stands still they are only counted. */
  events(events) {
    if (this.#standsStill) {
      for (const event of events) if (this.#view.takes(event)) this.#newer++;
    } else this.#view.add(events);
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      if (!this.#standsStill) this.#list.set(this.#view.rows);
      this.#showHead();
    });
    if (this.#detail.event) this.#detail.moreCame(events);
  }

  /** restarted forgets the events of the process before. */
  restarted() {
    this.#follow();
  }

  get #standsStill() {
    return this.#app.paused || !this.#list.following;
  }

  paused(on) {
    this.#pausedAt = on ? this.#app.now * 1000 : 0;
    if (on) this.#list.following = false;
    else if (!this.#detail.event) this.#follow();
    this.#showHead();
  }

  update() {
    this.#showHead();
  }

  #set(changes) {
    this.#view.set(changes);
    this.direction.set(this.#view.direction);
    this.kinds.set(this.#view.shown);
    this.#app.note({ filter: this.#view.text, dir: this.#view.direction });
    this.#newer = 0;
    this.#list.set(this.#view.rows);
    if (!this.#detail.event) this.#list.follow();
    this.#showHead();
  }

  #filterBy(text) {
    this.filter.value = text;
    this.#set({ text });
  }

  #filterSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#set({ text: this.filter.value }), 120);
  }

  #toggleKind(name) {
    const shown = new Set(this.#view.shown);
    if (!shown.delete(name)) shown.add(name);
    this.#set({ shown });
  }

  #choose(event, { fromList = false } = {}) {
    this.#detail.show(event);
    this.#app.note({ id: event.id });
    if (!fromList) {
      let index = this.#view.indexOf(event.id);
      if (index < 0 || this.#view.rows[index].event.id !== event.id) {
        this.#view.read();
        this.#newer = 0;
        index = this.#view.indexOf(event.id);
      }
      this.#list.set(this.#view.rows);
      const row = this.#view.rows[index];
      this.#list.select(row?.event.id === event.id || row?.members.includes(event) ? row.id : null);
      this.#list.following = false;
    }
    this.#showHead();
  }

  #step(to) {
    const event = this.#detail.event ?? this.#list.selectedRow?.event;
    if (!event) return this.#list.move(0);
    if (event.topic) this.#of = event;
    const next = to(this.#app.store, event, this.#of);
    if (next) this.#choose(next);
    else
      this.#detail.say(
        to === causeOf ? 'Its cause is not known, or has passed the ring.' : 'Nothing followed from it that is here.',
      );
  }

  #open(row) {
    if (row.members.length > 1) {
      this.#view.toggle(row.id);
      this.#list.set(this.#view.rows);
    } else if (row.event.conn) this.#app.go({ screen: 'connections', id: row.event.conn });
  }

  #why() {
    const { event } = this.#detail;
    const topic = event?.topic;
    if (!topic) this.#detail.say('Why needs a frame with one topic.');
    else this.#app.go({ screen: 'topics', id: topic, version: event.version ? String(event.version) : '' });
  }

  #follow() {
    this.#detail.hide();
    this.#app.note({ id: '' });
    if (this.#app.paused) return this.#app.pause(false); // which follows
    this.#view.read();
    this.#newer = 0;
    this.#list.set(this.#view.rows);
    this.#list.follow();
    this.#showHead();
  }

  /** #escape closes the detail; a second time it clears the filter. */
  #escape() {
    if (this.#detail.event) this.#follow();
    else if (this.filter.value !== '') {
      this.#filterBy('');
    }
  }

  #kind({ event, inside }) {
    const tint = ['admin', 'fault'].includes(event.type)
      ? 'admin-row'
      : event.type === 'out' && typeOf(event) === 'error'
        ? 'bad-row'
        : '';
    return `log-row ${tint} ${inside ? 'inside' : ''} ${this.#detail.related?.has(event.id) ? 'related' : ''}`;
  }

  #who({ id, event, members }) {
    if (members.length > 1) return `${this.#view.isOpen(id) ? '▾' : '▸'} ${count(members.length)} alike`;
    if (event.conn) return person(event.user || this.#app.store.people.get(event.conn)?.user, event.conn);
    return event.type === 'admin' ? 'admin' : '';
  }

  #what({ event, members, until, inside }) {
    const parts = [inside ? '  ' : '', ...meaning(event)];
    if (members.length > 1) {
      const kept = this.#app.sampled ? `, 1 in ${this.#app.sampled.of} kept` : '';
      parts.push(second(` ×${count(members.length)}${kept}, ≤ ${ms(until - this.#firstCause(event))} ms`));
    }
    return parts;
  }

  /** #firstCause is when the change of a frame was committed, or when it was sent if that is not known. */
  #firstCause(event) {
    const changes = this.#app.store.changes.ofTopic(event.topic);
    return changes.findLast(({ version }) => version === event.version)?.at ?? event.at;
  }

  #showHead() {
    const { paused, store, sampled } = this.#app;
    fill(this.pauseButton, ...(paused ? ['❚❚ Paused ', key('p')] : ['Pause ', key('p')]));
    this.pauseButton.classList.toggle('odd-button', paused);
    const since = store.oldest ? time(store.oldest.at).slice(0, 8) : '';
    const matches = `${count(this.#view.matched)} of ${count(store.length)} events match, ${sampled ? 'sampled' : 'every one kept'} since ${since}`;
    fill(this.head, paused ? `Paused at ${time(this.#pausedAt)}. Nothing here moves.` : store.length ? matches : '');
    const newer = this.#newer > 0;
    fill(this.newer, newer ? `${count(this.#newer)} newer frames, End shows them` : '');
    if (newer || !this.#list.following) fill(this.side, newer ? this.newer : 'standing still');
    else fill(this.side, 'newest at the bottom, following');
    this.says.update(this.#view);
  }
}
