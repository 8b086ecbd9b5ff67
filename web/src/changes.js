// Changes is the queue of changes to the cart. It sends one change at a time. A change
// stays first until the server has answered it: after a reconnect, or on a page that was
// loaded again, it is sent with the same key, so it takes effect once.
//
// Changes that were not sent yet melt: three clicks on + are one message. What was sent
// is never changed, because a key belongs to one request.

import { fullJitter, keyLifetime, unsentFor } from './timing.js';

/** answerTries is how often a change is repeated after a retryable error before the page gets the error. */
const answerTries = 10;

/** remembered is how many answered changes are remembered, in case another tab asks again. */
const remembered = 500;

/** most is the most pieces that one message can add or take away. */
const most = 999;

// These errors are retryable too, but the same change would fail again: the person has to
// see the newer cart first.
const needsPerson = new Set(['conflict', 'gone_version', 'old_epoch']);

/**
 * WriteError means that a change was not made. Its code is the server's, or one of these:
 * "identity": the page belongs to another user now. "uncertain": the change was sent, and
 * nobody knows whether it was made. "closed": the page had closed its connection.
 */
export class WriteError extends Error {
  /** @param {{code: string, message: string, lines?: any, version?: number}} error */
  constructor({ code, message, lines, version }) {
    super(message);
    this.name = 'WriteError';
    this.code = code;
    this.lines = lines;
    this.version = version;
  }
}

/** skusOf returns the SKUs whose lines a change names. */
const skusOf = ({ sku, lines }) => (sku ? [sku] : Object.keys(lines ?? {}));

/** noChange is the answer to a change that was not sent on its own. */
const noChange = { type: 'ok', lines: {} };

const tell = ({ resolve, reject }, { answer, error }) => (error ? reject(error) : resolve(answer));

/** keysOf returns the keys of a change and of those that melted into it. */
const keysOf = ({ message, also = [] }) => [message.key, ...also];

export class Changes {
  /** errors has the newest refusal of each line: SKU to {code, wanted, got}. */
  errors = new Map();

  /** @type {any[]} */
  #queue = []; // {message, at, sentAt, tries, lost, adopted, also, waiting, until}; the first one may have been sent
  #done = new Map(); // key -> {answer} or {error}
  #loaded = false; // adopt was called
  #running = false;
  #idle = []; // resolve functions of settled
  #o;

  /**
   * Options:
   *   ready()         reports whether a change may be sent now
   *   send(message)   resolves with the answer, and rejects if the answer was lost
   *   renew()         gets a new token
   *   changed()       is called when size, errors or view may have changed
   *   keep(change), forget(key, ends)  store a change outside the page, and remove it; ends are
   *                   of changes that melted into it: {key, error}. Another tab may still ask.
   *   melts           whether changes that were not sent yet may melt
   *   sleep(ms), clock, random
   */
  constructor(options) {
    this.#o = options;
  }

  /** size is the number of unanswered changes. */
  get size() {
    return this.#queue.filter((c) => c.until === undefined).length;
  }

  /** settled resolves when every change is answered. */
  settled() {
    return this.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /**
   * push queues a change. It resolves with the server's ok, and rejects with a WriteError.
   * A change whose key is known, because another tab repeats it, is the same one. again: it is
   * a repetition, so it may have been made: it keeps its key, by which the server knows it.
   */
  push(message, again = false) {
    return new Promise((resolve, reject) => {
      const waiter = { key: message.key, quantity: message.quantity, resolve, reject };
      const same = this.#queue.find((c) => keysOf(c).includes(message.key));
      if (same) same.waiting.push(waiter);
      else if (this.#done.has(message.key)) tell(waiter, this.#done.get(message.key));
      if (same || this.#done.has(message.key)) {
        if (same?.message.key !== message.key) this.#o.forget(message.key);
        return;
      }
      for (const sku of skusOf(message)) this.errors.delete(sku);
      if (again || !this.#melt(message, waiter)) {
        const change = { message: { ...message }, at: this.#o.clock.now(), waiting: [waiter], adopted: again };
        this.#queue.push(change);
        // Before adopt, a repetition may be kept already, with others that melted into it.
        if (this.#loaded || !again) this.#keep(change);
      }
      this.#o.changed();
      this.pump();
    });
  }

  /**
   * adopt takes over changes that an earlier page or another tab kept, and the ends of those
   * that melted. Changes may have been sent, so they do not melt. Nothing is sent before the
   * first call.
   */
  adopt({ changes: kept, ends }) {
    for (const { key, error } of ends) {
      if (!this.#done.has(key)) this.#done.set(key, error ? { error: new WriteError(error) } : { answer: noChange });
    }
    const melted = new Set(kept.flatMap((c) => c.also ?? []));
    const known = new Set(this.#loaded ? this.#queue.flatMap(keysOf) : []);
    const changes = [];
    for (const c of kept) {
      const { key } = c.message;
      if (this.#done.has(key) || (!c.sentAt && this.#o.clock.now() - c.at > unsentFor)) this.#o.forget(key);
      else if (!melted.has(key) && !known.has(key)) changes.push({ ...c, adopted: true, lost: Boolean(c.sentAt), waiting: [] });
    }
    // What another tab has asked for again meanwhile is the same change.
    const asked = this.#loaded ? [] : this.#queue.splice(0);
    for (const c of asked) {
      const end = this.#done.get(c.message.key);
      if (end) {
        this.#o.forget(c.message.key);
        for (const waiter of c.waiting) tell(waiter, end);
        continue;
      }
      const same = changes.find((k) => keysOf(k).includes(c.message.key));
      if (!same) {
        changes.push(c);
        this.#keep(c);
        continue;
      }
      same.waiting.push(...c.waiting);
      if (same.message.key !== c.message.key) this.#o.forget(c.message.key);
    }
    this.#queue.push(...changes);
    this.#loaded = true;
    this.#o.changed();
    this.pump();
  }

  /** abandon rejects all changes, because they belong to another user's cart or the page ends. */
  abandon(code, message) {
    for (const c of this.#queue.splice(0)) {
      this.#end(c, { error: new WriteError(c.sentAt ? { code: 'uncertain', message: 'the answer was lost' } : { code, message }) });
    }
    this.errors.clear();
    this.#resolveIdle();
    this.#o.changed();
  }

  /** pump sends queued changes. It must be called whenever the connection becomes ready. */
  async pump() {
    if (this.#running || !this.#loaded) return;
    this.#running = true;
    try {
      for (let next; (next = this.#queue.find((c) => c.until === undefined)) && this.#o.ready(); ) await this.#attempt(next);
    } finally {
      this.#running = false;
    }
  }

  /** lost marks what was sent: the connection is gone, and nobody knows yet what arrived. */
  lost() {
    for (const c of this.#queue) if (c.sentAt) c.lost = true;
    if (this.#queue.length > 0) this.#o.changed();
  }

  /** takeBack takes back a change that was not sent yet: if it has melted, what it added. */
  takeBack(key) {
    const c = this.#queue.find((each) => keysOf(each).includes(key));
    const waiter = c?.waiting.find((each) => each.key === key);
    if (!waiter || c.sentAt) return;
    const error = new WriteError({ code: 'closed', message: 'taken back' });
    const [first, ...also] = keysOf(c).filter((each) => each !== key);
    if (!first) {
      this.#finish(c, { error });
      return;
    }
    const quantity = c.message.quantity - waiter.quantity;
    if (Math.abs(quantity) > most) return;
    c.waiting = c.waiting.filter((each) => each.key !== key);
    Object.assign(c.message, { key: first, quantity });
    c.also = also;
    this.#keepOrDrop(c);
    this.#end({ message: { key }, waiting: [waiter] }, { error });
    this.#o.changed();
  }

  /** confirmed drops answered changes that a cart of this version contains. */
  confirmed(version) {
    this.#queue = this.#queue.filter((c) => !(c.until <= version));
  }

  /**
   * view returns the lines of a cart with the changes on top: a Map of SKU to
   * {quantity, confirmed, pending, error}.
   */
  view(cart) {
    const view = new Map();
    const line = (sku) => {
      if (!view.has(sku)) view.set(sku, { quantity: 0, confirmed: 0, pending: null, error: this.errors.get(sku) ?? null });
      return view.get(sku);
    };
    for (const [sku, { quantity }] of cart?.lines ?? []) Object.assign(line(sku), { quantity, confirmed: quantity });
    for (const { message, sentAt, lost } of this.#queue) {
      const pending = lost ? 'uncertain' : sentAt ? 'sent' : 'waiting';
      for (const sku of skusOf(message)) {
        const now = line(sku);
        const wanted = message.sku ? now.quantity + message.quantity : message.lines[sku];
        Object.assign(now, { quantity: Math.max(0, Math.min(most, wanted)), pending });
      }
    }
    for (const [sku, { quantity, pending }] of view) if (quantity === 0 && pending === null) view.delete(sku);
    return view;
  }

  /** melt adds a change to one of the same line that was not sent yet, and reports whether it could. */
  #melt(message, waiter) {
    if (message.action !== 'add' || !this.#loaded || this.#o.melts === false) return false;
    const last = this.#queue.findLast((c) => c.message.action !== 'add' || c.message.sku === message.sku);
    if (!last || last.sentAt || last.adopted || last.message.action !== 'add') return false;
    const quantity = last.message.quantity + message.quantity;
    if (Math.abs(quantity) > most) return false;
    last.waiting.push(waiter);
    last.message.quantity = quantity;
    (last.also ??= []).push(message.key);
    this.#o.forget(message.key);
    this.#keepOrDrop(last);
    return true;
  }

  /** keepOrDrop keeps what clicks have melted into. Clicks that took each other back are no change. */
  #keepOrDrop(c) {
    if (c.message.quantity !== 0) this.#keep(c);
    else this.#finish(c, { answer: noChange });
  }

  async #attempt(c) {
    const { clock, send, sleep, random, renew } = this.#o;
    if (c.sentAt && clock.now() - c.sentAt > keyLifetime) {
      this.#refuse(c, { code: 'uncertain', message: 'the answer was lost too long ago' });
      return;
    }
    if (!c.sentAt) {
      c.sentAt = clock.now();
      this.#keep(c);
      this.#o.changed();
    }
    let answer;
    try {
      answer = await send(c.message);
    } catch (lost) {
      await sleep(lost.after ?? 0);
      return;
    }
    c.tries = (c.tries ?? 0) + 1;
    if (answer.type === 'ok') {
      this.#accept(c, answer);
    } else if (answer.code === 'token_expired' && c.tries === 1) {
      await renew();
    } else if (answer.retry && !needsPerson.has(answer.code) && c.tries <= answerTries) {
      await sleep(Math.max(answer.after ?? 0, fullJitter(c.tries, random)));
    } else {
      this.#refuse(c, answer);
    }
  }

  #accept(c, answer) {
    for (const [sku, { wanted, got }] of Object.entries(answer.clamped ?? {})) {
      this.errors.set(sku, { code: 'clamped', wanted, got });
    }
    for (const { message, sentAt } of this.#queue) {
      // One's own changes are no conflict.
      if (!sentAt && message.version === answer.from) message.version = answer.version;
    }
    this.#finish(c, { answer }, answer.again?.length > 0 ? answer.version : undefined);
  }

  #refuse(c, error) {
    for (const sku of skusOf(c.message)) {
      this.errors.set(sku, { code: error.code, wanted: c.message.lines?.[sku], got: error.lines?.[sku]?.quantity });
    }
    this.#finish(c, { error: new WriteError(error) });
  }

  /** finish reports the end of a change. until: it stays in view until the cart has this version. */
  #finish(c, end, until) {
    if (!this.#queue.includes(c)) return; // abandon has rejected it
    if (until === undefined) this.#queue.splice(this.#queue.indexOf(c), 1);
    else c.until = until;
    this.#end(c, end);
    this.#o.changed();
    this.#resolveIdle();
  }

  /** end tells everybody who waits for a change, now or later, what became of it. */
  #end(c, end) {
    const { error } = end;
    // The server knows the key of what was sent, and no other.
    const ends = (c.sentAt ? c.also ?? [] : keysOf(c)).map((key) => ({ key, error: error && { code: error.code, message: error.message } }));
    this.#o.forget(c.message.key, ends);
    for (const key of keysOf(c)) this.#done.set(key, end);
    while (this.#done.size > remembered) this.#done.delete(this.#done.keys().next().value);
    for (const waiter of c.waiting) tell(waiter, end);
  }

  /** @param {any} change */
  #keep({ message, at, sentAt, also }) {
    // A checkout that is repeated later would take an order that nobody makes.
    if (message.action === 'checkout') return;
    this.#o.keep({ message, at, sentAt, also });
  }

  #resolveIdle() {
    if (this.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}
