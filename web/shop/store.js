// What the page shows, as one thing: the catalogue, the newest stock and the cart. It is
// thin over Live, the client module. The views ask it, and it says when to look again.

import { closedBecause, countPieces, totals } from './cart.js';

/** Events of Live after which anything on the page may look different. */
const lookAfter = ['change', 'live', 'status', 'cart', 'identity', 'epoch', 'refused'];

/** A connection that was closed for a moment, because the person became somebody else, is not lost. */
const lost = new Set(['waiting', 'offline']);

export class Store extends EventTarget {
  shop;
  live;
  #connection = 'connecting';
  #lostAt = null;
  #due = false;

  constructor(shop, live) {
    super();
    this.shop = shop;
    this.live = live;
    for (const type of lookAfter) live.addEventListener(type, () => this.look());
    for (const type of ['status', 'live']) live.addEventListener(type, () => this.#connect());
    live.subscribe(['cart']);
    this.#connect();
  }

  /** look makes the views look again, once after all that happens now. */
  look() {
    if (this.#due) return;
    this.#due = true;
    setTimeout(() => {
      this.#due = false;
      this.dispatchEvent(new Event('look'));
    });
  }

  // ---- The connection ----

  /**
   * connection is live, connecting, offline or ended. It is live only while there is proof.
   * Attempts after a loss are offline until one succeeds.
   */
  get connection() {
    return this.#connection;
  }

  /** lostAt is the last moment at which stock was proved, in ms since 1970, or null while it is. */
  get lostAt() {
    return this.#connection === 'live' ? null : this.#lostAt;
  }

  get reachable() {
    return this.#connection === 'live' || this.#connection === 'connecting';
  }

  #connect() {
    const before = this.#connection;
    const { status } = this.live;
    if (this.live.live) this.#connection = 'live'; // or polling: people need not know
    else if (status === 'ended') this.#connection = status;
    else if (lost.has(status)) this.#connection = 'offline';
    else if (this.#connection !== 'offline') this.#connection = 'connecting';
    if (before === 'live' && this.#connection !== 'live') this.#lostAt = this.live.provenAt('cart') ?? Date.now();
    if (before !== this.#connection) this.dispatchEvent(new CustomEvent('connection', { detail: { before } }));
  }

  // ---- Stock ----

  /** watch keeps the stock of SKUs up to date until a signal aborts. */
  watch(skus, signal) {
    return this.live.subscribe(
      skus.map((sku) => `sku:${sku}`),
      undefined,
      { signal },
    );
  }

  /** view returns what is known of the stock of a SKU (stock.js). */
  view = (sku) => {
    const topic = `sku:${sku}`;
    return {
      value: this.live.get(topic),
      live: this.live.isLive(topic),
      at: this.live.provenAt(topic),
      refusal: this.live.refusal(topic),
      reachable: this.reachable,
    };
  };

  // ---- The cart ----

  /** lines maps the SKUs of the cart to lines, in the order of their names. */
  get lines() {
    const all = [...this.live.cart.state.lines].filter(
      ([, line]) => line.quantity > 0 || line.confirmed > 0 || line.pending,
    );
    return new Map(all.sort(([a], [b]) => this.shop.name(a).localeCompare(this.shop.name(b))));
  }

  line(sku) {
    return this.live.cart.state.lines.get(sku) ?? { quantity: 0, confirmed: 0, pending: null, error: null };
  }

  /** pieces is how many the person has asked for. */
  get pieces() {
    return countPieces(this.lines);
  }

  totals() {
    return totals(this.lines, this.view, (sku) => this.shop.items.get(sku));
  }

  /** closed says why the cart cannot be ordered now: a key of words.cart.why, or null. */
  closed(all) {
    const { live, pending } = this.live.cart.state;
    return closedBecause(all, { live: live && this.connection === 'live', pending });
  }
}
