// A fake server: sockets without a network, and the golden messages that the tests of
// the Go package wire use too.

import { readFileSync, readdirSync } from 'node:fs';
import { Cart } from '../src/cart.js';
import { Hub } from '../src/hub.js';
import { Clock, drain } from './clock.js';

const folder = new URL('../../testdata/protocol/', import.meta.url);

/** golden returns a parsed message: golden('add.client'). */
export const golden = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));

/** names has SKUs that shops have, and text that is not a SKU; the tests in Go read them too. */
export const names = JSON.parse(readFileSync(new URL('../names.json', folder), 'utf8'));

/** goldens returns the names of all messages from one side, "client" or "server". */
export const goldens = (side) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(`.${side}.json`))
    .map((name) => name.slice(0, -'.json'.length))
    .sort();

/** Server keeps all sockets that a page has opened, the newest last. */
export class Server {
  sockets = [];

  /** autoAnswers has answers that are sent at once, by action. */
  autoAnswers = {};

  constructor() {
    const server = this;
    this.WebSocket = class {
      sent = [];
      closed = false;

      constructor(url, protocols) {
        this.url = url;
        this.protocols = protocols;
        server.sockets.push(this);
      }

      send(text) {
        if (this.closed) return;
        const message = JSON.parse(text);
        this.sent.push(message);
        const answer = server.autoAnswers[message.action];
        if (answer) queueMicrotask(() => server.send({ ...answer, id: message.id }, this));
      }

      close() {
        this.closed = true;
      }
    };
  }

  get last() {
    return this.sockets.at(-1);
  }

  /** accept answers the handshake of the newest socket. */
  async accept() {
    this.last.onopen();
    await drain();
  }

  /** send sends a message to the page. */
  async send(message, socket = this.last) {
    socket.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) });
    await drain();
  }

  /** cut ends a connection without a close frame. */
  async cut(socket = this.last) {
    socket.closed = true;
    socket.onclose?.({ code: 1006 });
    await drain();
  }

  /** reply answers the newest request with an action. */
  async reply(action, message) {
    const request = this.last.sent.findLast((m) => m.action === action);
    if (!request) throw new Error(`no ${action} was sent, got ${JSON.stringify(this.last.sent)}`);
    await this.send({ ...message, id: request.id });
  }

  /** sent returns the messages with an action that the newest socket got. */
  sent(action) {
    return this.last.sent.filter((m) => m.action === action);
  }
}

/** MemoryStorage is a localStorage in memory. */
export class MemoryStorage {
  #items = new Map();
  getItem = (key) => this.#items.get(key) ?? null;
  setItem = (key, value) => void this.#items.set(key, String(value));
  removeItem = (key) => void this.#items.delete(key);
}

/** Kept stands for the database of a browser, which all its tabs share. */
export class Kept {
  changes = new Map();
  ends = [];
  works = true;
  load = async () => structuredClone({ changes: [...this.changes.values()], ends: this.ends });
  save = (change) => void this.changes.set(change.message.key, structuredClone(change));
  remove = (key, ends = []) => {
    this.changes.delete(key);
    this.ends.push(...structuredClone(ends));
  };
  release = () => {};
}

/** Signals stands for what a browser tells a page. */
export class Signals {
  #callbacks = new Set();
  visible = false;
  listen = (f) => (this.#callbacks.add(f), () => this.#callbacks.delete(f));

  get size() {
    return this.#callbacks.size;
  }

  /** send sends a signal: online, offline, touch, visible, hidden, freeze or thaw. */
  send = async (name) => {
    if (name === 'visible' || name === 'hidden') this.visible = name === 'visible';
    for (const f of [...this.#callbacks]) f(name);
    await drain();
  };
}

let pages = 0;

/** pageOf stands for the tab between a Cart and a Hub: it gives each change a key. */
function pageOf(hub) {
  const page = ++pages;
  let changes = 0;
  const write = (message) => hub.write({ ...message, key: `page${page}.${++changes}` });
  return /** @type {any} */ (new Proxy(hub, {
    get(_, name) {
      if (name === 'write') return write;
      return typeof hub[name] === 'function' ? hub[name].bind(hub) : hub[name];
    },
  }));
}

/** fakePage returns a hub with fakes for everything around it, and a record of its events. */
export function fakePage(options = {}) {
  const server = new Server();
  const clock = new Clock();
  const storage = new MemoryStorage();
  const signals = new Signals();
  const hub = new Hub({
    url: 'ws://hub.example/v1',
    WebSocket: server.WebSocket,
    clock,
    storage,
    random: () => 0.5,
    signals: signals.listen,
    visible: () => signals.visible,
    answers: async () => false,
    rest: false,
    ...options,
  });
  const events = [];
  for (const type of ['live', 'status', 'identity', 'notice', 'epoch', 'refused', 'problem', 'bye', 'change']) {
    hub.addEventListener(type, (e) => events.push({ type, ...e.detail }));
  }
  return { hub, cart: new Cart(pageOf(hub)), server, clock, storage, events, signals, signal: signals.send };
}

/** connectedPage returns a page that has said hello as a guest and received the golden snapshot. */
export async function connectedPage(options = {}, topics = ['sku:TEE-RED-M', 'sku:MUG', 'vendor:acme', 'cart']) {
  const p = fakePage(options);
  p.hub.want(topics);
  p.hub.open();
  await drain();
  await p.server.accept();
  await p.server.reply('hello', golden('hello-answer.server'));
  if (topics.length > 0) await p.server.reply('subscribe', golden('subscribe-answer.server'));
  return p;
}
