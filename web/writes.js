// Writes is the queue of changes to the cart. One is under way at a time, and it
// stays the first until the server has answered it: over a reconnect it is sent
// again with the same key, so it takes effect once however often it was sent.

import { fullJitter, keyLives } from './timing.js';

/** answerTries is how often an answer "try again" is obeyed before the page is told. */
const answerTries = 10;

// These say "retry" too, but the same words again would be wrong again: somebody has
// to look at the newer cart first.
const needsALook = new Set(['conflict', 'gone_version', 'old_epoch']);

/** WriteError is a change that was not made. code is the server's, or "identity", "uncertain" or "closed". */
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
  #queue = []; // {message, resolve, reject, sentAt, tries}; the first may be under way
  #running = false;
  #idle = []; // resolvers of settled
  #counter = 0;
  #o;

  /**
   * Options: ready() may be sent now; send(message) promises the answer and rejects
   * when it was lost; renew() gets a new token; sleep(ms), clock, random; device is
   * unique to this page.
   */
  constructor(options) {
    this.#o = options;
  }

  /** size is how many changes are not answered yet. */
  get size() {
    return this.#queue.length;
  }

  /** settled resolves when every change is answered. */
  settled() {
    return this.#queue.length === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /** push queues a change and promises the server's ok; it rejects with a WriteError. */
  push(message) {
    const key = `${this.#o.device}.${++this.#counter}`;
    return new Promise((resolve, reject) => {
      this.#queue.push({ message: { ...message, key }, resolve, reject, sentAt: null, tries: 0 });
      this.pump();
    });
  }

  /** abandon gives up all changes: those that wait belong to a cart that is not ours now. */
  abandon(code, message) {
    for (const w of this.#queue.splice(0)) w.reject(new WriteError({ code, message }));
    this.#tellIdle();
  }

  /** pump sends what waits. It is called whenever the connection becomes ready. */
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
    if (w.sentAt !== null && clock.now() - w.sentAt > keyLives) {
      this.#finish(w, () => w.reject(new WriteError({ code: 'uncertain', message: 'the answer was lost too long ago' })));
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
    } else if (answer.retry && !needsALook.has(answer.code) && w.tries++ < answerTries) {
      await sleep(Math.max(answer.after ?? 0, fullJitter(w.tries, random)));
    } else {
      this.#finish(w, () => w.reject(new WriteError(answer)));
    }
  }

  #finish(w, tell) {
    if (this.#queue[0] !== w) return; // abandoned meanwhile
    this.#queue.shift();
    tell();
    this.#tellIdle();
  }

  #tellIdle() {
    if (this.#queue.length === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}
