// The log: one line of meaning for each frame, with a filter, groups and pause.

import { bold, fill, h, odd, second } from '../dom.js';
import { count, ms, person, time } from '../format.js';
import { suggestion } from '../filter.js';
import { List } from '../list.js';
import { directionOf, meaning, typeOf } from '../meaning.js';
import { causeOf, effectOf } from '../path.js';
import { button, choice, key, message, screenElement, toggles } from '../parts.js';
import { kinds, View } from '../view.js';
import { Detail } from './detail.js';

export class Frames {
  #app;
  #view;
  #list;
  #detail;
  #newer = 0; // frames that came while the list stood still
  #pausedAt = 0;
  #frame = 0;

  constructor(app) {
    this.#app = app;
    this.#view = new View(app.store);
    this.#detail = new Detail(app, (event) => this.#choose(event));
    this.#list = new List({
      label: 'Frames', rowHeight: 22, kind: (row) => this.#kind(row),
      columns: [
        { name: 'Id', width: '62px', kind: 'second', cell: ({ event }) => String(event.id) },
        { name: 'Time', width: '98px', cell: ({ event }) => time(event.at) },
        { name: 'Connection', width: '112px', cell: (row) => this.#who(row) },
        { name: 'Dir', width: '52px', cell: ({ event }) => directionOf(event) },
        { name: 'Type', width: '76px', cell: ({ event }) => bold(typeOf(event)) },
        { name: 'What', width: 'minmax(160px, 1fr)', cell: (row) => this.#what(row) },
        { name: 'Bytes', width: '52px', end: true, cell: ({ event }) => (event.bytes ? String(event.bytes) : '') },
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
      type: 'search', class: 'filter mono', 'aria-label': 'Filter', placeholder: 'user: type: topic: dir: code: bytes> text',
      autocomplete: 'off', spellcheck: 'false', oninput: () => this.#filterSoon(),
      onkeydown: (event) => event.key === 'Enter' && (this.#list.move(1), event.preventDefault()),
    });
    this.direction = choice('Direction', [
      { value: '', text: 'Both' }, { value: 'in', text: '→ in' }, { value: 'out', text: '← out' },
    ], (direction) => this.#set({ direction }));
    this.kinds = toggles('Kinds', Object.keys(kinds), (name) => this.#toggleKind(name));
    this.pauseButton = h('button', { type: 'button', onclick: () => this.#app.pause() });
    this.head = h('span');
    this.newer = h('button', { type: 'button', class: 'link', onclick: () => this.#follow() });
    this.side = h('span', { class: 'side' });
    this.empty = h('div', { class: 'empty' });
    this.sampled = h('div', { class: 'sampled', hidden: true });
    this.errors = h('p', { class: 'filter-errors', hidden: true });
    const list = h('section', { class: 'card list' },
      h('header', { class: 'card-head light' }, this.head, this.side), this.#list.element, this.empty);
    this.element = screenElement('frames', [
      h('h1', {}, 'Frames'), this.filter, this.direction.element, this.kinds.element, h('span', { class: 'gap' }), this.pauseButton,
    ], this.errors, this.sampled, h('div', { class: 'split' }, list, this.#detail.element));
    this.direction.set('');
    this.kinds.set(this.#view.shown);
  }

  get keys() {
    return [
      { keys: ['j', 'k'], text: 'frame', run: (k) => this.#list.move(k === 'j' ? 1 : -1) },
      { keys: ['['], text: 'cause', run: () => this.#step(causeOf) },
      { keys: [']'], text: 'effects', run: () => this.#step(effectOf) },
      { keys: ['/'], text: 'filter', run: () => this.filter.focus() },
      { keys: ['g'], text: 'groups or each', run: () => this.#set({ grouped: !this.#view.grouped }) },
      { keys: ['Space'], text: 'open group', quiet: !this.#view.grouped, run: () => this.#list.selectedRow && this.#open(this.#list.selectedRow) },
      { keys: ['x'], text: 'text or pretty', run: () => this.#detail.toggleRaw() },
      { keys: ['y'], text: 'copy', run: () => this.#detail.copy() },
      { keys: ['w'], text: 'why', run: () => this.#why() },
      { keys: ['End'], text: 'newest', run: () => this.#follow() },
      { keys: ['Enter'], text: 'open', quiet: true, run: () => this.#list.selectedRow && this.#open(this.#list.selectedRow) },
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
    const next = to(this.#app.store, event);
    if (next) this.#choose(next);
    else this.#detail.say(to === causeOf ? 'Its cause is not known, or has passed the ring.' : 'Nothing followed from it that is here.');
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
      this.filter.value = '';
      this.#set({ text: '' });
    }
  }

  #kind({ event, inside }) {
    const tint = ['admin', 'fault'].includes(event.type) ? 'admin-row' : event.type === 'out' && typeOf(event) === 'error' ? 'bad-row' : '';
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
    this.#showSampled(sampled);
    this.#showErrors();
    this.#showEmpty();
  }

  #showSampled(sampled) {
    this.sampled.hidden = !sampled;
    if (!sampled) return;
    const each = count(this.#app.situation?.eventsPerSecond ?? 0);
    const text = `${each} events/s. Of equal deltas 1 in ${sampled.of} is kept and all are counted; every error, close, answer and admin write is kept.`;
    if (this.sampled.key === text) return;
    this.sampled.key = text;
    this.sampled.replaceChildren(message('odd', '▲ Sampled', text));
  }

  #showErrors() {
    const [error] = this.#view.errors;
    this.errors.hidden = !error;
    if (error) {
      fill(this.errors, odd(`There is no “${error.word}”. Nearest: `), this.#link(error.nearest, error.word, error.nearest));
    }
  }

  #link(text, from, to) {
    return button(text, () => {
      this.filter.value = this.filter.value.replace(from, to);
      this.#set({ text: this.filter.value });
    }, { kind: 'link mono' });
  }

  #showEmpty() {
    this.empty.hidden = this.#view.rows.length > 0;
    if (this.empty.hidden) return;
    const { store, situation } = this.#app;
    const key = `${this.#view.text} ${this.#view.direction} ${[...this.#view.shown]} ${store.length > 0}`;
    if (this.empty.key === key && store.length > 0) return;
    this.empty.key = key;
    if (store.length === 0) {
      const command = situation?.socket ? `npx wscat -c ${situation.socket}${situation.template ? '' : ' -s securecart.v1'}` : '';
      this.empty.replaceChildren(h('h2', {}, 'No frames yet'), h('p', {}, 'Connect a client and its frames appear here:'), h('p', { class: 'mono' }, command));
      return;
    }
    const nearest = suggestion(this.#view.filter, store.all(), store.people);
    this.empty.replaceChildren(h('h2', {}, 'Nothing matches'),
      h('p', {}, `${count(store.length)} events, none ${this.#view.text ? 'with ' : 'of these kinds'}`, h('code', {}, this.#view.text), '. ',
        nearest ? ['Nearest: ', this.#link(`${nearest.field}:${nearest.value}`, nearest.word, `${nearest.field}:${nearest.value}`), '.'] : ''),
      h('p', {}, `The filter looks at what the page kept: since ${time(store.oldest.at).slice(0, 8)}. `,
        button('Clear filter', () => this.#clear(), { kind: 'link', keyName: 'Esc' })));
  }

  #clear() {
    this.filter.value = '';
    this.#set({ text: '', direction: '' });
  }
}
