// The rows of the list of frames: which events, in groups or each. Pure.

import { matcher, namesKind, parse } from './filter.js';

export const maxRows = 5000;

/** Kinds that can be switched on and off, and the types of events in them. */
export const kinds = {
  Frames: ['in', 'out', 'open', 'close'],
  Admin: ['admin', 'fault'],
  Posts: ['post'],
};

/** alike tells which frames one row may stand for: the same text to many connections. */
const alike = (e) => (e.type === 'out' && e.topic ? `${e.topic} ${e.version} ${e.text}` : '');

export class View {
  #store;
  #filter = parse('');
  #matches = () => true;
  #all = []; // rows, without the members of open groups
  #open = new Set(); // ids of groups that show their members
  #groups = new Map(); // by what their members have in common
  text = '';
  direction = ''; // in, out, '' both
  shown = new Set(['Frames', 'Admin']);
  grouped = false;
  matched = 0;
  rows = [];

  constructor(store) {
    this.#store = store;
  }

  get errors() {
    return this.#filter.errors;
  }

  get filter() {
    return this.#filter;
  }

  /** set changes what is shown, and reads all events again. */
  set({ text = this.text, direction = this.direction, shown = this.shown, grouped = this.grouped } = {}) {
    Object.assign(this, { text, direction, shown, grouped });
    this.#filter = parse(text);
    this.#matches = matcher(this.#filter, this.#store.people);
    this.read();
  }

  /** read makes the rows anew from what the store has. */
  read() {
    this.#all = [];
    this.#groups.clear();
    this.matched = 0;
    const events = [];
    for (const event of this.#store.newest()) {
      if (!this.takes(event)) continue;
      this.matched++;
      if (events.length < maxRows) events.push(event);
    }
    for (let i = events.length - 1; i >= 0; i--) this.#append(events[i]);
    this.#layOut();
  }

  /** takes tells whether an event belongs into the list. */
  takes(event) {
    if (!namesKind(this.#filter, event.type)) {
      if (![...this.shown].some((name) => kinds[name].includes(event.type))) return false;
    }
    const direction = event.type === 'in' || event.type === 'out' ? event.type : '';
    if (this.direction && direction && direction !== this.direction) return false;
    return this.#matches(event);
  }

  /** add appends new events. It returns how many of them belong into the list. */
  add(events) {
    let added = 0;
    for (const event of events) {
      if (!this.takes(event)) continue;
      added++;
      this.#append(event);
    }
    this.matched += added;
    if (added > 0) this.#layOut();
    return added;
  }

  #append(event) {
    const key = this.grouped ? alike(event) : '';
    const group = key && this.#groups.get(key);
    if (group) {
      group.members.push(event);
      group.until = event.at;
      return;
    }
    const row = { id: event.id, event, members: [event], until: event.at };
    if (key) this.#groups.set(key, row);
    this.#all.push(row);
  }

  #layOut() {
    if (this.#all.length > maxRows) {
      for (const row of this.#all.splice(0, this.#all.length - maxRows)) this.#groups.delete(alike(row.event));
    }
    if (!this.grouped) {
      this.rows = this.#all;
      return;
    }
    this.rows = this.#all.flatMap((row) =>
      row.members.length > 1 && this.#open.has(row.id)
        ? [row, ...row.members.map((event) => ({ id: `${row.id}/${event.id}`, event, members: [event], inside: row }))]
        : [row],
    );
  }

  /** toggle opens or closes a group. */
  toggle(id) {
    if (!this.#open.delete(id)) this.#open.add(id);
    this.#layOut();
  }

  isOpen(id) {
    return this.#open.has(id);
  }

  /** indexOf finds the row with an event, or the first one after it; -1 if there is none. */
  indexOf(eventId) {
    const exact = this.rows.findIndex((row) => row.event.id === eventId);
    if (exact >= 0) return exact;
    const group = this.rows.findIndex((row) => row.members.some((event) => event.id === eventId));
    return group >= 0 ? group : this.rows.findIndex((row) => row.event.id > eventId);
  }
}
