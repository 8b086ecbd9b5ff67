// Writes is the queue of changes to the cart. It sends one change at a time. A change
// stays first until the server has answered it: after a reconnect it is sent again with
// the same key, so it takes effect once, however often it is sent.

import { fullJitter, keyLifetime } from './timing.js';

/** answerTries is how often a change is repeated after a retryable error before the page gets the error. */
const answerTries = 10;

// These errors are retryable too, but the same change would fail again: the user has to
// see the newer cart first.
const needsUser = new Set(['conflict', 'gone_version', 'old_epoch']);

/** WriteError means that a change was not made. Its code is the server's, or "identity", "uncertain" or "closed". */
export class WriteError extends Error {
  constructor({ code, message, lines, version }) {
    super(message);
    this.name = 'WriteError';
    this.code = code;
    this.lines = lines;
    this.version = version;
  }
}

export class Writes {
  #queue = []; // {message, resolve, reject, sentAt, tries}; the first one may have been sent
  #running = false;
  #idle = []; // resolve functions of settled
  #counter = 0;
  #o;

  /**
   * Options:
   *   ready()         reports whether a change may be sent now
   *   send(message)   resolves with the answer, and rejects if the answer was lost
   *   renew()         gets a new token
   *   sleep(ms), clock, random
   *   device          unique to this page
   */
  constructor(options) {
    this.#o = options;
  }

  /** size is the number of unanswered changes. */
  get size() {
    return this.#queue.length;
  }

  /** settled resolves when every change is answered. */
  settled() {
    return this.#queue.length === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /** push queues a change. It resolves with the server's ok, and rejects with a WriteError. */
  push(message) {
    const key = `${this.#o.device}.${++this.#counter}`;
    return new Promise((resolve, reject) => {
      this.#queue.push({ message: { ...message, key }, resolve, reject, sentAt: null, tries: 0 });
      this.pump();
    });
  }

  /** abandon rejects all changes, for example because they belong to another user's cart. */
  abandon(code, message) {
    for (const w of this.#queue.splice(0)) w.reject(new WriteError({ code, message }));
    this.#resolveIdle();
  }

  /** pump sends queued changes. It must be called whenever the connection becomes ready. */
  async pump() {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#queue.length > 0 && this.#o.ready()) await this.#attempt(this.#queue[0]);
    } finally {
      this.#running = false;
    }
  }

  async #attempt(w) {
    const { clock, send, sleep, random, renew } = this.#o;
    if (w.sentAt !== null && clock.now() - w.sentAt > keyLifetime) {
      const error = new WriteError({ code: 'uncertain', message: 'the answer was lost too long ago' });
      this.#finish(w, () => w.reject(error));
      return;
    }
    w.sentAt ??= clock.now();
    let answer;
    try {
      answer = await send(w.message);
    } catch (lost) {
      await sleep(lost.after ?? 0);
      return;
    }
    if (answer.type === 'ok') {
      this.#finish(w, () => w.resolve(answer));
    } else if (answer.code === 'token_expired' && w.tries++ === 0) {
      await renew();
    } else if (answer.retry && !needsUser.has(answer.code) && w.tries++ < answerTries) {
      await sleep(Math.max(answer.after ?? 0, fullJitter(w.tries, random)));
    } else {
      this.#finish(w, () => w.reject(new WriteError(answer)));
    }
  }

  #finish(w, report) {
    if (this.#queue[0] !== w) return; // abandon has rejected it
    this.#queue.shift();
    report();
    this.#resolveIdle();
  }

  #resolveIdle() {
    if (this.#queue.length === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}
