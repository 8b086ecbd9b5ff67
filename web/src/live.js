// Live is the live state of a shop, for a page: values, a cart, and whether they are true.

import { attempt } from './attempt.js';
import { Cart } from './cart.js';
import { Tabs } from './tabs.js';
import { isTopic } from './state.js';
import { words } from './words.js';

/** Events that a Live passes on. */
const events = ['change', 'live', 'status', 'identity', 'notice', 'epoch', 'ordered', 'refused', 'problem', 'bye', 'cart'];

/**
 * Connects a page to the hub, and stays connected.
 * @param {import('./types').Options} [options]
 * @returns {Live}
 */
export function connect(options) {
  return new Live(options);
}

/** @type {new () => import('./types').LiveTarget} */
const Target = EventTarget;

export class Live extends Target {
  #engine;
  #subscriptions = new Map(); // topic -> Set of {callback}: a callback may be there more than once

  /** The person's cart. */
  cart;

  /**
   * The words that elements show. A page may replace each of them.
   * @type {typeof words}
   */
  words = { ...words };

  /** @param {import('./types').Options} [options] */
  constructor(options = {}) {
    super();
    // A test gives an engine of its own, or further options of Tabs and Hub. They are no part of the package.
    const { names, signal, announce, engine, ...rest } = /** @type {any} */ (options);
    /** @type {any} */
    this.#engine = engine ?? new Tabs({ url: '/v1', ...rest });
    this.cart = new Cart(this.#engine);
    /**
     * Names of products for people.
     * @type {(sku: string) => string}
     */
    this.nameOf = names ?? ((sku) => sku);
    /** Whether elements tell people who hear the page what changed. */
    this.announces = announce !== false;
    for (const type of events) this.#engine.addEventListener(type, (e) => this.#pass(type, e.detail));
    signal?.addEventListener('abort', () => this.close());
    if (!signal?.aborted) this.#engine.open();
  }

  /**
   * The connection: "connecting", "live", "polling" (over HTTP), "waiting" (to try again),
   * "offline", "ended" (by the server) or "closed".
   * @returns {import('./types').Status}
   */
  get status() {
    return this.#engine.status;
  }

  /** Whether there is proof that values are up to date. */
  get live() {
    return this.#engine.live;
  }

  /** @returns {string | null} the user, null before the server has said it */
  get user() {
    return this.#engine.user;
  }

  /** @returns {string | null} guest, customer, vendor or admin */
  get role() {
    return this.#engine.role;
  }

  /** @returns {string | null} */
  get vendor() {
    return this.#engine.vendor;
  }

  /** @returns {Record<string, number>} the limits of the answer to hello */
  get limits() {
    return this.#engine.limits;
  }

  /** @returns {string | null} the token of this browser's guest */
  get guestToken() {
    return this.#engine.guestToken;
  }

  /** Whether this tab has the socket that the person's tabs share. */
  get leads() {
    return this.#engine.leads;
  }

  /**
   * Subscribes to topics, and calls back with what is known now and with each change of a
   * value or of its freshness.
   * @param {string[]} topics
   * @param {(news: import('./types').News) => void} [callback]
   * @param {{signal?: AbortSignal}} [options]
   * @returns {() => void} lets go of the topics
   */
  subscribe(topics, callback = () => {}, { signal } = {}) {
    if (!Array.isArray(topics)) throw new TypeError('topics must be a list, such as ["cart"]');
    if (signal?.aborted) return () => {};
    const own = [...new Set(topics)];
    const subscription = { callback };
    for (const topic of own) {
      if (!this.#subscriptions.has(topic)) this.#subscriptions.set(topic, new Set());
      this.#subscriptions.get(topic).add(subscription);
    }
    this.#engine.want(own);
    const letGo = () => {
      if (!subscription.callback) return;
      subscription.callback = null;
      signal?.removeEventListener('abort', letGo);
      for (const topic of own) {
        const all = this.#subscriptions.get(topic);
        all.delete(subscription);
        if (all.size === 0) this.#subscriptions.delete(topic);
      }
      this.#engine.drop(own);
    };
    signal?.addEventListener('abort', letGo);
    for (const topic of own) attempt(() => subscription.callback?.(this.newsOf(topic)));
    return letGo;
  }

  /**
   * What is known of a topic.
   * @param {string} topic
   * @returns {import('./types').News}
   */
  newsOf(topic) {
    return {
      topic,
      value: this.get(topic),
      live: this.isLive(topic),
      provenAt: this.provenAt(topic),
      refusal: this.refusal(topic),
    };
  }

  /**
   * The newest known value of a topic, live or not.
   * @param {string} topic
   * @returns {any}
   */
  get(topic) {
    return this.#engine.get(topic);
  }

  /**
   * Whether there is proof that a topic's value is up to date.
   * @param {string} topic
   * @returns {boolean}
   */
  isLive(topic) {
    return this.#engine.isLive(topic);
  }

  /**
   * When a topic's value was last proved to be up to date, in ms since 1970.
   * @param {string} topic
   * @returns {number | null}
   */
  provenAt(topic) {
    return this.#engine.provenAt(topic);
  }

  /**
   * The code with which a topic was refused. Only "denied" and "bad_topic" say something about
   * the topic; with others, ask later.
   * @param {string} topic
   * @returns {string | undefined}
   */
  refusal(topic) {
    return this.#engine.refusal(topic);
  }

  /**
   * Takes a value that the server has put into the page, if nothing is known yet.
   * @param {string} topic
   * @param {any} value
   */
  seed(topic, value) {
    if (isTopic(topic)) this.#engine.seed(topic, value);
  }

  /** Asks the token option again, and connects as whom it names. Call it after a sign-in or a sign-out. */
  reconnect() {
    this.#engine.reconnect();
  }

  /** Ends the connection for good. */
  close() {
    this.#engine.close();
  }

  #pass(type, detail) {
    if (type === 'change') this.#callBack(detail.topics);
    else if (type === 'live') this.#callBack([...this.#subscriptions.keys()]);
    else if (type === 'refused') this.#callBack([detail.topic]);
    if (type === 'cart') detail = { state: this.#engine.cart }; // cart.state would subscribe
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #callBack(topics) {
    for (const topic of topics) {
      const subscriptions = this.#subscriptions.get(topic);
      if (!subscriptions) continue;
      const news = this.newsOf(topic);
      // An earlier callback may have ended a later subscription.
      for (const subscription of [...subscriptions]) attempt(() => subscription.callback?.(news));
    }
  }
}
