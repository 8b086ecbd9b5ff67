// Requests matches answers with requests.

import { answerWithin, firstWait, fullJitter } from './timing.js';

/** LostError means that a request got no answer. It may be sent again after that many ms. */
export class LostError extends Error {
  constructor(after = 0) {
    super('the answer was lost');
    this.after = after;
  }
}

export class Requests {
  #ids = 0;
  #open = new Map(); // id -> {resolve, reject, key, asked}
  #idle = []; // resolve functions of idle
  #o;

  /** Options: timers, random, and dead(), which is called when an answer is overdue. */
  constructor(options) {
    this.#o = options;
  }

  /** send resolves with the answer, also if it is an error, and rejects with LostError. asked is kept until then. */
  send(socket, { action, ...fields }, asked) {
    const id = ++this.#ids;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject, key: fields.key, asked });
      this.#o.timers.start(`answer ${id}`, answerWithin, this.#o.dead);
      socket.send(JSON.stringify({ action, id, ...fields }));
    });
  }

  /** asked returns what was given to send with the request that a message answers, or undefined. */
  asked({ id }) {
    return this.#open.get(id)?.asked;
  }

  /** idle resolves when no request is open. */
  idle() {
    return this.#open.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /** lose rejects all open requests, because their connection has ended. */
  lose(after = 0) {
    for (const id of [...this.#open.keys()]) this.#take(id).reject(new LostError(after));
  }

  /** answer passes a message to the request that it answers, if there is one. */
  answer(message) {
    let { id } = message;
    if (!this.#open.has(id) && message.key) {
      // The answer to an earlier attempt at the same change serves as well.
      id = [...this.#open].find(([, r]) => r.key === message.key)?.[0];
    }
    if (this.#open.has(id)) {
      this.#take(id).resolve(message);
    } else if (namesNoRequest(message)) {
      // Any of the requests may have failed. All can be sent again: subscribes are
      // idempotent, and changes have keys.
      this.lose(Math.max(message.after ?? 0, firstWait) + fullJitter(0, this.#o.random));
    }
  }

  #take(id) {
    const request = this.#open.get(id);
    this.#open.delete(id);
    if (this.#open.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
    this.#o.timers.stop(`answer ${id}`);
    return request;
  }
}

/** namesNoRequest reports whether a message is an error without an id. Those of API Gateway have no type either. */
function namesNoRequest({ type, id, retry, message, connectionId }) {
  if (id !== undefined) return false;
  return type === 'error' ? retry === true : type === undefined && Boolean(message) && Boolean(connectionId);
}
