// What the page keeps of the log: the newest events, by id and by cause. Pure.

import { Changes } from './changes.js';

/** maxBytes is about what events may take. The page's share of the budget in the design. */
export const maxBytes = 8 << 20;

/** Room that an event takes beside its text, in bytes: a fair guess of its object and index entries. */
const perEvent = 240;

const sizeOf = (event) => perEvent + 2 * (event.text?.length ?? 0);

export class Store {
  #events = [];
  #first = 0; // index of the oldest in #events
  #byId = new Map();
  #effects = new Map();
  #size = 0;
  #max;
  boot = '';
  lastId = 0;
  gaps = 0; // events that passed the ring before this page saw them
  people = new Map(); // connection id: {user, role, at, closed}
  changes = new Changes();
  counts = { in: 0, posts: 0, sent: 0 }; // messages, accepted posts, bytes to clients

  constructor(max = maxBytes) {
    this.#max = max;
  }

  get length() {
    return this.#events.length - this.#first;
  }

  /** oldest is the oldest event that is kept, if there is one. */
  get oldest() {
    return this.#events[this.#first];
  }

  get(id) {
    return this.#byId.get(id);
  }

  /** causes are the events that led to one, as far as they are here. */
  causes(event) {
    return (event.cause ?? []).map((id) => this.#byId.get(id)).filter(Boolean);
  }

  /** effects are the events that name one as their cause, oldest first. */
  effects(event) {
    return (this.#effects.get(event.id) ?? []).map((id) => this.#byId.get(id)).filter(Boolean);
  }

  /** all lists the events from the oldest to the newest. */
  *all() {
    for (let i = this.#first; i < this.#events.length; i++) yield this.#events[i];
  }

  /** newest lists them from the newest to the oldest. */
  *newest() {
    for (let i = this.#events.length - 1; i >= this.#first; i--) yield this.#events[i];
  }

  /**
   * add takes a message of the tap. It returns true if localhub was restarted: then only
   * the events of the new process are here.
   */
  add({ boot = '', events, gap = 0 }) {
    const restarted = this.boot !== '' && boot !== '' && boot !== this.boot;
    if (restarted) this.clear();
    if (boot) this.boot = boot;
    this.gaps += gap;
    for (const event of events) {
      if (event.id <= this.lastId) continue; // seen before the feed was resumed
      this.#put(event);
    }
    this.#evict();
    return restarted;
  }

  clear() {
    this.#events = [];
    this.#first = this.#size = this.lastId = this.gaps = 0;
    this.#byId.clear();
    this.#effects.clear();
    this.people.clear();
    this.changes = new Changes();
    this.counts = { in: 0, posts: 0, sent: 0 };
  }

  #put(event) {
    this.#events.push(event);
    this.#byId.set(event.id, event);
    this.#size += sizeOf(event);
    this.lastId = event.id;
    for (const cause of event.cause ?? []) {
      const effects = this.#effects.get(cause);
      if (effects) effects.push(event.id);
      else this.#effects.set(cause, [event.id]);
    }
    if (event.conn) this.#meet(event);
    this.#count(event);
    this.changes.add(event);
  }

  #count({ type, status, bytes = 0 }) {
    if (type === 'in') this.counts.in++;
    else if (type === 'post' && status < 300) this.counts.posts++;
    else if (type === 'out') this.counts.sent += bytes;
  }

  #meet(event) {
    const known = this.people.get(event.conn);
    if (!known) this.people.set(event.conn, { user: event.user ?? '', role: event.role ?? '', at: event.at });
    else {
      if (event.user) known.user = event.user;
      if (event.role) known.role = event.role;
      if (event.dir) known.at = event.at;
      if (event.type === 'close') known.closed = event.at;
    }
  }

  #evict() {
    while (this.#size > this.#max && this.length > 1) {
      const event = this.#events[this.#first];
      this.#events[this.#first++] = undefined;
      this.#byId.delete(event.id);
      this.#effects.delete(event.id);
      this.#size -= sizeOf(event);
      if (event.type === 'close') this.people.delete(event.conn);
    }
    if (this.#first > 4096 && this.#first > this.#events.length / 2) {
      this.#events = this.#events.slice(this.#first);
      this.#first = 0;
    }
  }
}
