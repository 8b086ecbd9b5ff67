// A page whose network blocks sockets and lets them through again, at random, with answers that
// are lost, repeated, late, or come from a cache.

import test from 'node:test';
import assert from 'node:assert/strict';
import { drain } from '../fake/clock.js';
import { seededRandom } from '../fake/random.js';
import { REST, tokenOf } from '../fake/rest.js';
import { fakePage } from '../fake/server.js';
import { Network, Shop } from '../fake/shop.js';

/** DOOR_SEEDS=10000 node --test test/doors.test.js tries more. */
const seeds = Number(process.env.DOOR_SEEDS ?? 60);

const wanted = ['cart', 'sku:A', 'sku:B'];

/** World is a shop with two doors, and a page. */
class World {
  shop = new Shop();
  met = { sockets: 0, polls: 0, changeOvers: 0, cached: 0, lost: 0, clicks: 0, restored: 0 };

  /** mode of the network: sockets pass, handshakes are refused, or an open socket is cut soon. */
  mode = 'open';

  /** loss is the share of requests and messages that get lost. */
  loss = 0.15;

  #seen = []; // stock answers that a cache may have, with their time
  #cutAt = new Map(); // socket -> when it is cut

  constructor(seed) {
    this.random = seededRandom(seed);
    this.rest = new REST((message) => this.shop.answer(message).answer);
    this.p = fakePage({
      rest: undefined, random: this.random, token: () => tokenOf('ann'), fetch: (url, request) => this.#fetch(url, request),
    });
    this.network = new Network(this.p, this.shop, this.random);
    this.p.signals.visible = true;
  }

  pick(n) {
    return Math.floor(this.random() * n);
  }

  #lost() {
    return this.random() < this.loss && ++this.met.lost > 0;
  }

  async #fetch(url, request) {
    const { clock } = this.p;
    const now = clock.now();
    const late = this.pick(3) === 0 ? this.pick(3_000) : 0;
    const wait = () => new Promise((resolve) => (late ? clock.setTimeout(resolve, late) : resolve()));
    if (this.pick(2) === 0) await wait();
    if (this.#lost()) throw new TypeError('lost on the way');
    let response = await this.rest.fetch(url, request);
    if (url.includes('/stock?')) {
      this.met.polls++;
      // A cache keeps an answer for six seconds, and shares it with all that ask the same.
      const cached = this.#seen.filter((e) => e.url === url && now - e.at < 6_000);
      if (cached.length > 0 && this.pick(2) === 0) {
        ({ response } = cached[this.pick(cached.length)]);
        this.met.cached++;
      } else {
        this.#seen.push({ url, at: now, response });
      }
    }
    if (this.pick(2) === 0) await wait();
    if (this.#lost()) throw new TypeError('the answer was lost');
    return response;
  }

  /** step lets messages through, as far as the network does, and time pass. */
  async step(ms) {
    const { server, clock } = this.p;
    const socket = server.last;
    if (socket && !socket.closed) {
      if (!this.#cutAt.has(socket)) this.#cutAt.set(socket, this.mode === 'open' ? Infinity : this.mode === 'refuse' ? 0 : clock.now() + 3_000);
      if (this.mode === 'refuse' || clock.now() >= this.#cutAt.get(socket)) await server.cut();
      else await this.network.run(this.loss);
    }
    await clock.advance(ms);
    this.#seen = this.#seen.filter((e) => clock.now() - e.at < 6_000);
  }
}

test(`no version goes back, and no click counts twice, for ${seeds} seeds that switch doors`, async () => {
  const met = {};
  for (let seed = 1; seed <= seeds; seed++) {
    const w = new World(seed);
    const { hub, cart, clock } = w.p;
    const restores = seed % 5 === 0;
    hub.want(wanted);
    hub.readKept();
    hub.open();
    let clicks = 1_000;
    const refused = [];
    cart.add('X', 500).catch((error) => refused.push(error.code));
    cart.add('X', 500).catch((error) => refused.push(error.code));
    const shown = new Map();
    let status = hub.status;
    const look = (label) => {
      if (hub.status !== status && [hub.status, status].every((s) => s === 'live' || s === 'polling')) w.met.changeOvers++;
      status = hub.status;
      for (const topic of wanted) {
        const value = hub.get(topic);
        if (hub.isLive(topic)) assert.notEqual(value, undefined, `${label}: ${topic} is live without a value`);
        const before = shown.get(topic);
        const now = { epoch: hub.epoch, version: value?.version ?? 0 };
        if (before) {
          const number = (epoch) => Number(epoch?.slice(1) ?? 0);
          assert.ok(number(now.epoch) >= number(before.epoch), `${label}: ${topic} went from ${before.epoch} to ${now.epoch}`);
          if (now.epoch === before.epoch) assert.ok(now.version >= before.version, `${label}: ${topic} went from ${before.version} to ${now.version}`);
        }
        shown.set(topic, now);
      }
    };
    let label = '';
    hub.addEventListener('change', () => look(label));
    for (let i = 0; i < 80; i++) {
      label = `seed ${seed}, step ${i}`;
      switch (w.pick(8)) {
        case 0:
        case 1:
          w.network.push(w.shop.changeBadge(`sku:${'AB'[w.pick(2)]}`, ['in', 'low', 'out'][w.pick(3)]));
          break;
        case 2:
        case 3: {
          const quantity = w.pick(3) === 0 ? -1 : 1;
          clicks += quantity;
          w.met.clicks++;
          cart.add('X', quantity).catch((error) => refused.push(error.code));
          break;
        }
        case 4:
          w.mode = ['open', 'refuse', 'short'][w.pick(3)];
          break;
        case 5:
          await w.p.signal(['online', 'visible', 'hidden', 'touch'][w.pick(4)]);
          break;
        case 6:
          if (restores && w.met.restored === 0) {
            w.shop.restore();
            w.network.lose(); // a page that never knew the old epoch could not tell that they are late
            w.met.restored++;
          }
          break;
        default:
          if (w.pick(3) === 0 && w.p.server.last?.closed === false) await w.p.server.cut();
      }
      await w.step(w.pick(4_000));
      look(label);
    }
    w.loss = 0;
    w.mode = seed % 2 === 0 ? 'open' : 'refuse';
    label = `seed ${seed}, at the end`;
    for (let i = 0; i < 620; i++) {
      await w.step(1_000); // the keep-alive heals what was lost
      look(label);
    }
    const { lines, badges } = w.shop.data;
    assert.equal(hub.status, w.mode === 'open' ? 'live' : 'polling', label);
    for (const topic of wanted) assert.ok(hub.isLive(topic), `${label}: ${topic} is live`);
    for (const topic of ['sku:A', 'sku:B']) assert.equal(hub.get(topic).version, badges[topic].version, `${label}: ${topic}`);
    assert.equal(hub.cart.pending, 0, `${label}: nothing is pending`);
    assert.equal(hub.cart.lines.get('X')?.quantity ?? 0, lines.X?.quantity ?? 0, `${label}: the cart`);
    if (!restores) {
      assert.deepEqual(refused, [], label);
      assert.equal(lines.X.quantity, clicks, `${label}: each click counted once`);
    }
    w.met.sockets = w.p.server.sockets.length;
    for (const [what, n] of Object.entries(w.met)) met[what] = (met[what] ?? 0) + n;
    hub.close();
    await drain();
  }
  for (const [what, n] of Object.entries(met)) assert.ok(n >= seeds / 5, `${what} was met ${n} times`);
  console.log(met);
});
