// Person is whom the page's token names, as far as a page can know: tabs share only if they
// belong to one person, and changes are kept for the person who made them.

import { browserStorage } from './browser.js';
import { subjectOf } from './token.js';
import { decideWithin, tokenWithin } from './timing.js';

/** lastKey is where the person is remembered who was here last. */
const lastKey = 'securecart.person';

export class Person {
  /** id names the person; null while nobody knows. */
  id = null;

  #o;
  #first = null; // {token, at}: the answer that find was made from

  /** Options: the page's token and storage; clock, timers. */
  constructor(options) {
    this.#o = options;
  }

  /**
   * find resolves with the person's id: null while the page's token is late or fails. Without a
   * network nobody signs in: then it is who it was. known: a promise of the token, if there is one.
   */
  async find(known) {
    const token = known ?? (async () => this.#o.token({}))();
    this.#first = { token, at: this.#o.clock.now() };
    const late = new Promise((resolve) => this.#o.timers.start('who', decideWithin, () => resolve(undefined)));
    const first = await Promise.race([token, late]).catch(() => undefined);
    this.#o.timers.stop('who');
    const id = first === undefined ? null : idOf(first);
    if (id) this.#last(id);
    return id ?? (globalThis.navigator?.onLine === false ? this.#last() : null);
  }

  /** token asks the token option. The answer that find was made from serves once, if it is young. */
  async token(asked) {
    const { token, at } = this.#first ?? {};
    this.#first = null;
    return token && this.#o.clock.now() - at < tokenWithin ? token : this.#o.token(asked);
  }

  /** names reports whether a token names this person. */
  names(token) {
    return idOf(token) === this.id;
  }

  /** grow forgets the answer that find was made from: it gets old. */
  grow() {
    this.#first = null;
  }

  /** last remembers who the person is, or returns who it was. */
  #last(id) {
    try {
      const storage = 'storage' in this.#o ? this.#o.storage : browserStorage();
      if (id) storage.setItem(lastKey, id);
      return storage.getItem(lastKey);
    } catch {
      return null;
    }
  }
}

/** idOf returns whom a token names, without checking it: "guest" without a token, null if it names nobody. */
function idOf(token) {
  if (!token) return 'guest';
  try {
    return subjectOf(token) ?? null;
  } catch {
    return null;
  }
}
