// Requests brings answers together with what was asked.

import { answerWithin, firstWait, fullJitter } from './timing.js';

/** Lost is why a request got no answer; it may be sent again after so many ms. */
export class Lost extends Error {
  constructor(after = 0) {
    super('the answer was lost');
    this.after = after;
  }
}

export class Requests {
  #ids = 0;
  #open = new Map(); // id -> {resolve, reject, key}
  #o;

  /** Options: timers, random, and dead(), called when an answer does not come. */
  constructor(options) {
    this.#o = options;
  }

  /** send promises the answer, be it an error; it rejects with Lost. */
  send(socket, { action, ...fields }) {
    const id = ++this.#ids;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject, key: fields.key });
      this.#o.timers.start(`answer ${id}`, answerWithin, this.#o.dead);
      socket.send(JSON.stringify({ action, id, ...fields }));
    });
  }

  /** lose gives up all requests: their connection is gone. */
  lose(after = 0) {
    for (const id of [...this.#open.keys()]) this.#take(id).reject(new Lost(after));
  }

  /** answer hands a message to the request it belongs to. */
  answer(message) {
    let { id } = message;
    if (!this.#open.has(id) && message.key) {
      // The answer to an earlier sending of the same change is as good.
      id = [...this.#open].find(([, r]) => r.key === message.key)?.[0];
    }
    if (this.#open.has(id)) {
      this.#take(id).resolve(message);
    } else if (blames(message)) {
      // Some request was turned away, but not which. All may be sent again: subscribes
      // can be repeated, and changes have their keys.
      this.lose(Math.max(message.after ?? 0, firstWait) + fullJitter(0, this.#o.random));
    }
  }

  #take(id) {
    const request = this.#open.get(id);
    this.#open.delete(id);
    this.#o.timers.stop(`answer ${id}`);
    return request;
  }
}

/** blames: an error that names no request. The gateway's own ones have no type either. */
function blames({ type, id, retry, message, connectionId }) {
  if (id !== undefined) return false;
  return type === 'error' ? retry === true : type === undefined && Boolean(message) && Boolean(connectionId);
}
