// A shop behind a network that loses, repeats and reorders, for tests of the whole page.

import { drain } from './clock.js';
import { shuffle } from './random.js';

const copy = (value) => structuredClone(value);

/** Shop answers a page as the hub does, and can lose its recent history. */
export class Shop {
  epochs = 1;
  data = { badges: { 'sku:A': { version: 1, state: 'in' }, 'sku:B': { version: 1, state: 'out' } }, cart: 0, lines: {}, keys: {} };

  /** everApplied has the keys of all writes that ever took effect. */
  everApplied = new Set();

  #backup = copy(this.data);

  get epoch() {
    return `k${this.epochs}`;
  }

  backUp() {
    this.#backup = copy(this.data);
  }

  /** restore goes back to the last backup, and begins a new epoch. */
  restore() {
    this.data = copy(this.#backup);
    this.epochs++;
  }

  /** changeBadge changes a SKU and returns the delta about it. */
  changeBadge(topic, state) {
    this.data.badges[topic] = { version: this.data.badges[topic].version + 1, state };
    return this.delta({ [topic]: this.data.badges[topic] });
  }

  delta(topics) {
    return copy({ type: 'delta', epoch: this.epoch, topics });
  }

  cartSince(from) {
    const lines = Object.entries(this.data.lines).filter(([, line]) => line.version > from);
    return { from, version: this.data.cart, lines: Object.fromEntries(lines) };
  }

  /** answer handles a request, and returns the answer and the delta that follows. */
  answer({ action, topics, epoch, key, sku, quantity }) {
    const { data } = this;
    switch (action) {
      case 'hello':
        return { answer: { type: 'hello', epoch: this.epoch, user: 'ann', role: 'customer' } };
      case 'get':
      case 'subscribe': {
        const versions = Array.isArray(topics) || epoch !== this.epoch ? {} : topics;
        const found = {};
        for (const topic of Array.isArray(topics) ? topics : Object.keys(topics)) {
          const has = versions[topic] ?? 0;
          if (topic !== 'cart' && data.badges[topic].version !== has) found[topic] = data.badges[topic];
          else if (topic === 'cart') found.cart = this.cartSince(0);
        }
        return { answer: copy({ type: 'snapshot', epoch: this.epoch, topics: found }) };
      }
      case 'ping':
        return { answer: { type: 'pong' } };
      case 'unsubscribe':
        return { answer: copy({ type: 'snapshot', epoch: this.epoch, topics: {} }) };
      case 'add': {
        if (data.keys[key]) return { answer: { ...copy(data.keys[key].answer), duplicate: true } };
        const from = data.cart++;
        data.lines[sku] = { quantity: Math.max(0, (data.lines[sku]?.quantity ?? 0) + quantity), version: data.cart };
        const answer = { type: 'ok', from, version: data.cart, lines: { [sku]: data.lines[sku] }, key };
        data.keys[key] = copy({ answer, sku, quantity });
        this.everApplied.add(key);
        return { answer: copy(answer), delta: this.delta({ cart: this.cartSince(from) }) };
      }
    }
    throw new Error(`the shop does not know ${action}`);
  }
}

/** Network carries the messages between a page and a shop. */
export class Network {
  #page;
  #shop;
  #random;
  #handled = new Map(); // socket -> number of its requests that were handled
  #subscribed = null; // the socket that gets deltas
  #deltas = []; // on their way
  lost = 0;
  repeated = 0;

  constructor(page, shop, random) {
    this.#page = page;
    this.#shop = shop;
    this.#random = random;
  }

  /** push sends a delta. It may be on its way twice. */
  push(delta) {
    if (!delta) return;
    this.#deltas.push(delta);
    if (this.#random() < 0.2) {
      this.#deltas.push(delta);
      this.repeated++;
    }
  }

  /** lose loses the deltas that are on their way. */
  lose() {
    this.#deltas = [];
  }

  /** run accepts handshakes, and carries requests, answers and deltas. Of each, a share is lost. */
  async run(loss) {
    const { server } = this.#page;
    const drops = () => this.#random() < loss && ++this.lost > 0;
    const socket = server.last;
    if (socket && !socket.closed && !this.#handled.has(socket) && socket.onopen) {
      this.#handled.set(socket, 0);
      await server.accept();
    }
    while (socket && !socket.closed && this.#handled.get(socket) < socket.sent.length) {
      const request = socket.sent[this.#handled.get(socket)];
      this.#handled.set(socket, this.#handled.get(socket) + 1);
      if (drops()) continue;
      if (request.action === 'subscribe') this.#subscribed = socket;
      const { answer, delta } = this.#shop.answer(request);
      this.push(delta);
      if (!drops()) await server.send({ ...answer, id: request.id }, socket);
      if (this.#random() < 0.2) await this.#deliver(drops);
    }
    await this.#deliver(drops);
    await drain();
  }

  /** deliver delivers some of the deltas, in any order. */
  async #deliver(drops) {
    shuffle(this.#deltas, this.#random);
    for (const delta of this.#deltas.splice(0, Math.ceil(this.#random() * this.#deltas.length))) {
      if (this.#subscribed === this.#page.server.last && !drops()) await this.#page.server.send(delta);
    }
  }
}
