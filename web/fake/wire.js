// The other end of the wire: sockets without a network, and the golden messages
// that package wire of the server is tested with too.

import { readFileSync, readdirSync } from 'node:fs';
import { Hub } from '../hub.js';
import { Clock, turns } from './clock.js';

const folder = new URL('../../testdata/protocol/', import.meta.url);

/** golden is one message, parsed: golden('add.client'). */
export const golden = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));

/** goldens are the names of all messages of one side: "client" or "server". */
export const goldens = (side) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(`.${side}.json`))
    .map((name) => name.slice(0, -'.json'.length))
    .sort();

/** Net makes sockets and keeps them. */
export class Net {
  sockets = [];

  /** auto has answers that need no test's attention, by action. */
  auto = {};

  constructor() {
    const net = this;
    this.WebSocket = class {
      sent = [];
      closed = false;

      constructor(url, protocols) {
        this.url = url;
        this.protocols = protocols;
        net.sockets.push(this);
      }

      send(text) {
        if (this.closed) return;
        const message = JSON.parse(text);
        this.sent.push(message);
        const answer = net.auto[message.action];
        if (answer) queueMicrotask(() => net.say({ ...answer, id: message.id }, this));
      }

      close() {
        this.closed = true;
      }
    };
  }

  get last() {
    return this.sockets.at(-1);
  }

  /** open is what a gateway does after a handshake. */
  async open() {
    this.last.onopen();
    await turns();
  }

  /** say sends a message to the page. */
  async say(message, socket = this.last) {
    socket.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) });
    await turns();
  }

  /** cut ends the connection from the outside. */
  async cut(socket = this.last) {
    socket.closed = true;
    socket.onclose?.({ code: 1006 });
    await turns();
  }

  /** reply answers the newest request of an action with a golden answer. */
  async reply(action, message) {
    const request = this.last.sent.findLast((m) => m.action === action);
    if (!request) throw new Error(`no ${action} was sent, only ${JSON.stringify(this.last.sent)}`);
    await this.say({ ...message, id: request.id });
  }

  /** sent are the messages of an action on the newest socket. */
  sent(action) {
    return this.last.sent.filter((m) => m.action === action);
  }
}

/** Shelf is a localStorage. */
export class Shelf {
  #items = new Map();
  getItem = (key) => this.#items.get(key) ?? null;
  setItem = (key, value) => void this.#items.set(key, String(value));
  removeItem = (key) => void this.#items.delete(key);
}

/** page is a hub with everything around it faked, and a record of its events. */
export function page(options = {}) {
  const net = new Net();
  const clock = new Clock();
  const storage = new Shelf();
  const wakes = new Set();
  const hub = new Hub({
    url: 'ws://hub.example/v1',
    WebSocket: net.WebSocket,
    clock,
    storage,
    random: () => 0.5,
    onWake: (f) => (wakes.add(f), () => wakes.delete(f)),
    ...options,
  });
  const events = [];
  for (const type of ['live', 'status', 'identity', 'notice', 'epoch', 'refused', 'problem', 'bye', 'change']) {
    hub.addEventListener(type, (e) => events.push({ type, ...e.detail }));
  }
  const wake = async (online = true) => {
    for (const f of wakes) f(online);
    await turns();
  };
  return { hub, net, clock, storage, events, wake, wakes };
}

/** connected is a page that has said hello as a guest and got the golden snapshot. */
export async function connected(options = {}, topics = ['sku:TEE-RED-M', 'sku:MUG', 'vendor:acme', 'cart']) {
  const p = page(options);
  p.hub.want(topics);
  p.hub.open();
  await turns();
  await p.net.open();
  await p.net.reply('hello', golden('hello-answer.server'));
  if (topics.length > 0) await p.net.reply('subscribe', golden('subscribe-answer.server'));
  return p;
}
