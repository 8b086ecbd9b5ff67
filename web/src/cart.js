// Cart is the person's cart, for the page.

import { cartTopic } from './state.js';

/**
 * A change is made when the server has said ok: then the promise resolves with the answer.
 * It rejects with a WriteError. The first use subscribes to the cart, until the connection ends.
 */
export class Cart {
  #source;
  #wanted = false;

  /** @param {any} engine */
  constructor(engine) {
    this.#source = engine;
  }

  /** The engine, which keeps the cart up to date from the first use on. */
  get #engine() {
    if (!this.#wanted) this.#source.want([cartTopic]);
    this.#wanted = true;
    return this.#source;
  }

  /**
   * What the page shows: the confirmed cart with the person's own changes on top.
   * @returns {import('./types').CartState}
   */
  get state() {
    return this.#engine.cart;
  }

  /**
   * Adds pieces to a line. A negative quantity takes pieces away, but never below 0. Adds of
   * several devices commute.
   * @param {string} sku
   * @param {number} [quantity] from -999 to 999, not 0
   * @param {{signal?: AbortSignal}} [options] the signal takes back a change that was not sent yet
   * @returns {Promise<import('./types').Ok>}
   */
  add(sku, quantity = 1, { signal } = {}) {
    check(typeof sku === 'string', 'sku must be a string');
    check(Number.isSafeInteger(quantity) && quantity !== 0, 'quantity must be a whole number and not 0');
    return this.#engine.write({ action: 'add', sku, quantity }, signal);
  }

  /**
   * Sets the quantities of lines; 0 removes a line. With the version of the cart that the
   * person saw it is a conflict if one of the lines has changed. Version 0 is the cart before
   * its first change.
   * @param {Record<string, number>} lines
   * @param {{version?: number, signal?: AbortSignal}} [options]
   * @returns {Promise<import('./types').Ok>}
   */
  set(lines, { version, signal } = {}) {
    check(typeof lines === 'object' && lines !== null && !Array.isArray(lines), 'lines must be an object');
    return this.#engine.write({ action: 'set', lines: { ...lines }, ...basis(version) }, signal);
  }

  /**
   * Removes a line.
   * @param {string} sku
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<import('./types').Ok>}
   */
  remove(sku, options) {
    return this.set({ [sku]: 0 }, options);
  }

  /**
   * Moves a guest's cart into the person's.
   * @param {string} from the guest's token
   * @param {'sum' | 'max' | 'mine' | 'theirs'} [policy] what to do with lines that both have
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<import('./types').Ok>}
   */
  merge(from, policy = 'sum', { signal } = {}) {
    return this.#engine.write({ action: 'merge', from, policy }, signal);
  }

  /**
   * Orders the cart, once every other change is answered and the cart is known: the answer has
   * in "ordered" what the cart had, and the cart is empty. It is a conflict if anything has
   * changed after the version, by default the one of that moment.
   * @param {{version?: number, signal?: AbortSignal}} [options]
   * @returns {Promise<import('./types').Ok>}
   */
  async checkout({ version, signal } = {}) {
    await this.#engine.settled();
    if (version === undefined) await this.#known(signal);
    return this.#engine.write({ action: 'checkout', ...basis(version ?? this.#engine.get(cartTopic)?.version) }, signal);
  }

  /** known resolves when the cart was read, or will not be: it was refused, or the connection has ended. */
  async #known(signal) {
    const engine = this.#engine;
    const isSettled = () => engine.get(cartTopic) || engine.refusal(cartTopic) || ['ended', 'closed'].includes(engine.status);
    while (!isSettled()) {
      signal?.throwIfAborted();
      await new Promise((resolve) => {
        const done = new AbortController();
        const next = () => {
          done.abort();
          resolve(undefined);
        };
        for (const type of ['change', 'refused', 'status']) engine.addEventListener(type, next, { signal: done.signal });
        signal?.addEventListener('abort', next, { signal: done.signal });
      });
    }
  }

  /**
   * Forgets the error of a line.
   * @param {string} sku
   */
  dismiss(sku) {
    this.#engine.dismiss(sku);
  }

  /**
   * Resolves when every change is answered.
   * @returns {Promise<void>}
   */
  settled() {
    return this.#engine.settled();
  }
}

/** basis has the fields of a write that is based on a version. */
const basis = (version) => (Number.isSafeInteger(version) ? { version } : {});

function check(ok, message) {
  if (!ok) throw new TypeError(message);
}
