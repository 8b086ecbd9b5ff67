// A page whose connections are replaced all the time: the server announces their end, or cuts
// them; answers and pushes are late, overtake each other or get lost; tokens are slow; handshakes
// are refused; the page freezes and thaws.

import test from 'node:test';
import assert from 'node:assert/strict';
import { drain } from '../fake/clock.js';
import { seededRandom } from '../fake/random.js';
import { fakePage } from '../fake/server.js';
import { Shop } from '../fake/shop.js';

/** OVERLAP_SEEDS=10000 node --test test/overlap.test.js tries more. */
const seeds = Number(process.env.OVERLAP_SEEDS ?? 200);

const wanted = ['cart', 'sku:A', 'sku:B'];

class World {
  shop = new Shop();
  sockets = [];
  isQuiet = false; // nothing is lost, refused or announced any more
  early = null; // {socket, until}: a bye that asks the page not to come back before
  fault = ''; // found where an exception would be caught
  behindSince = 0; // the page is live, and its cart is not
  tokens = 0; // that the page waits for
  met = { byes: 0, cuts: 0, lost: 0, refused: 0, frozen: 0, handovers: 0, threes: 0, clicks: 0 };

  constructor(seed) {
    this.random = seededRandom(seed);
    const world = this;
    this.page = fakePage({
      random: this.random,
      token: () => this.#token(),
      WebSocket: class {
        constructor() {
          world.#dial(this);
        }

        send(text) {
          const request = JSON.parse(text);
          if (request.action === 'subscribe') this.asked++;
          world.#later(() => world.#answer(this, request));
        }

        close() {
          this.closed = true;
        }
      },
    });
    this.clock = this.page.clock;
  }

  pick(n) {
    return Math.floor(this.random() * n);
  }

  fails(share, what) {
    return !this.isQuiet && this.random() < share && ++this.met[what] > 0;
  }

  get open() {
    return this.sockets.filter((s) => !s.closed);
  }

  #later(f, most = 300) {
    this.clock.setTimeout(f, this.pick(most));
  }

  async #token() {
    if (this.isQuiet || this.pick(3) > 0) return null;
    this.tokens++;
    await new Promise((resolve) => this.#later(resolve, 8_000));
    this.tokens--;
    return null;
  }

  #dial(socket) {
    const { early, clock } = this;
    if (early && clock.now() < early.until) this.fault ||= `back ${early.until - clock.now()} ms too early`;
    this.sockets.push(Object.assign(socket, { closed: false, asked: 0, answered: 0, isSettled: false, isSubscribed: false }));
    if (this.fails(0.2, 'refused')) this.#later(() => this.#refuse(socket));
    else this.#later(() => socket.closed || socket.onopen?.());
  }

  /** refuse refuses a handshake. A server that shuts down announces the end of what is open, too. */
  #refuse(socket) {
    this.cut(socket);
    const other = this.open.at(-1);
    if (other?.onmessage && this.pick(2) === 0) this.bye(other);
  }

  #answer(socket, request) {
    const isSubscribe = request.action === 'subscribe';
    if (socket.closed || this.fails(0.03, 'lost')) return;
    if (isSubscribe) socket.isSubscribed = true;
    const { answer, delta } = this.shop.answer(request);
    this.push(delta);
    if (request.action === 'hello') answer.reconnectAfter = this.isQuiet ? 6_900 : this.lasts();
    const isSlow = !this.isQuiet && this.pick(4) < (request.key ? 3 : 1);
    this.#later(() => {
      if (socket.closed) return;
      this.#tell(socket, { ...answer, id: request.id });
      if (isSubscribe) socket.answered++;
    }, !isSlow ? 300 : request.key ? 10_000 : 4_000);
  }

  isNewer(a, b) {
    return this.sockets.indexOf(a) > this.sockets.indexOf(b);
  }

  #tell(socket, message) {
    socket.onmessage?.({ data: JSON.stringify(message) });
  }

  push(delta) {
    if (!delta) return;
    for (const socket of this.open) {
      if (socket.isSubscribed && !this.fails(0.5, 'lost')) this.#later(() => socket.closed || this.#tell(socket, delta));
    }
  }

  /** bye announces the end of a connection. The server may end it sooner, later or not at all. */
  bye(socket) {
    const after = this.pick(2) === 0 ? this.pick(1_000) : this.pick(10_000);
    this.met.byes++;
    if (!this.sockets.some((s) => s.isSettled && this.isNewer(s, socket))) {
      this.early = { socket, until: this.clock.now() + after };
    }
    this.#tell(socket, { type: 'bye', code: 'recycle', retry: true, after });
    if (this.pick(3) === 0) this.#later(() => this.cut(socket), after + 2_000);
  }

  cut(socket) {
    if (socket.closed) return;
    socket.closed = true;
    socket.onclose?.({ code: 1006 });
  }

  /** only checks that the page has closed all sockets but those that it made since there were n. */
  only(n) {
    const left = this.sockets.slice(0, n).filter((s) => !s.closed).length;
    assert.equal(left, 0, `${this.label}: sockets that nobody closed`);
  }

  check() {
    const { hub } = this.page;
    const { open, early } = this;
    const newest = this.sockets.findLast((s) => s.isSettled);
    if (newest?.closed) newest.isLost = true; // before another one could replace it
    for (const s of open) {
      if (s.isSettled || s.answered === 0 || s.answered < s.asked) continue;
      s.isSettled = true;
      if (open.length > 1) this.met.handovers++;
      if (early && this.isNewer(s, early.socket)) this.early = null;
    }
    if (open.length === 3) this.met.threes++;
    assert.equal(this.fault, '', this.label);
    assert.ok(open.length <= 3, `${this.label}: ${open.length} sockets are open`);
    const last = this.sockets.filter((s) => s.isSettled && !s.isLost).slice(-2);
    const isLeft = (s) => s.isSettled && !last.includes(s);
    assert.ok(!open.some(isLeft), `${this.label}: a socket is open that was replaced before the last one`);
    if (hub.status === 'connecting') assert.ok(open.length + this.tokens > 0, `${this.label}: connecting, and nothing is on its way`);
    if (!hub.live || hub.isLive('cart')) this.behindSince = this.clock.now();
    assert.ok(this.clock.now() - this.behindSince < 17_000, `${this.label}: nobody asks for what the cart missed`);
  }
}

test(`connections that overlap lose nothing, and none comes too early or stays, for ${seeds} seeds`, async () => {
  const met = {};
  for (let seed = 1; seed <= seeds; seed++) {
    const w = new World(seed);
    w.lasts = () => (seed % 2 === 0 ? 6_900 : 20 + w.pick(30)); // longer than an answer may take
    const { page: { hub, cart, signal }, shop, clock } = w;
    let clicks = 1_000;
    let others = 0;
    const add = (quantity) => shop.answer({ action: 'add', key: `other.${++others}`, sku: 'X', quantity }).delta;
    add(clicks);
    hub.want(wanted);
    hub.open();
    hub.addEventListener('change', () => {
      for (const topic of wanted) if (hub.isLive(topic)) assert.ok(hub.get(topic), `${w.label}: ${topic} is live without a value`);
    });
    for (let i = 0; i < 60; i++) {
      w.label = `seed ${seed}, step ${i}`;
      const socket = w.open[w.pick(w.open.length)];
      const n = w.sockets.length;
      switch (w.pick(10)) {
        case 0:
          w.push(shop.changeBadge(`sku:${'AB'[w.pick(2)]}`, ['in', 'low', 'out'][w.pick(3)]));
          break;
        case 1:
        case 2:
          clicks++;
          w.push(add(1));
          break;
        case 3:
        case 4:
          clicks++;
          w.met.clicks++;
          cart.add('X', 1).catch((error) => assert.fail(`${w.label}: ${error.code}`));
          break;
        case 5:
        case 6:
          if (socket?.onmessage) w.bye(socket);
          if (w.pick(2) === 0) break;
          clicks += 2; // on two devices, while the connection is replaced
          w.push(add(1));
          cart.add('X', 1).catch((error) => assert.fail(`${w.label}: ${error.code}`));
          break;
        case 7:
          if (socket && w.pick(4) === 0 && ++w.met.cuts) w.cut(socket);
          break;
        case 8:
          if (w.pick(4) === 0) {
            w.met.frozen++;
            await signal('freeze');
            w.only(n);
            if (w.pick(2) === 0) await clock.advance(w.pick(12_000));
            await signal('thaw');
          } else {
            await signal(['online', 'visible', 'hidden'][w.pick(3)]);
          }
          break;
        default:
          if (w.pick(4) > 0) break;
          w.early = null; // the person signs in
          hub.reconnect();
          w.only(n);
      }
      for (let ms = w.pick(6) === 0 ? w.pick(45_000) : w.pick(2_500); ms > 0; ms -= 250) {
        await clock.advance(250);
        w.check();
      }
    }
    w.isQuiet = true;
    w.label = `seed ${seed}, at the end`;
    await clock.advance(60_000);
    assert.equal(hub.status, 'live', w.label);
    for (const topic of wanted) assert.ok(hub.isLive(topic), `${w.label}: ${topic} is live`);
    assert.equal(hub.cart.pending, 0, `${w.label}: nothing is pending`);
    await clock.advance(10 * 60_000); // the keep-alive heals what was lost
    assert.equal(w.open.length, 1, `${w.label}: one socket`);
    assert.equal(hub.cart.lines.get('X').quantity, clicks, `${w.label}: the cart`);
    assert.equal(shop.data.lines.X.quantity, clicks, `${w.label}: each click counted once`);
    hub.close();
    await drain();
    w.only(w.sockets.length);
    for (const [what, times] of Object.entries(w.met)) met[what] = (met[what] ?? 0) + times;
  }
  for (const [what, n] of Object.entries(met)) assert.ok(n >= seeds / 10, `${what} was met ${n} times`);
});
