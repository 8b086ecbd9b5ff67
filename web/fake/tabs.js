// Several tabs of one browser: locks and channels as the browser has them, and one server
// that knows each socket.

import { Tabs } from '../src/tabs.js';
import { Live } from '../src/live.js';
import { drain } from './clock.js';
import { Kept, MemoryStorage, Server, Signals } from './server.js';

/** Locks is navigator.locks of one browser. */
export class Locks {
  #held = new Map(); // name -> {end}
  #waiting = new Map(); // name -> requests

  request(name, options, callback, tab) {
    return new Promise((resolve, reject) => {
      const request = { callback, resolve, reject, tab, done: false };
      options.signal?.addEventListener('abort', () => {
        if (this.#held.get(name) === request) return;
        request.done = true;
        reject(options.signal.reason);
      });
      const queue = this.#waiting.get(name) ?? [];
      this.#waiting.set(name, queue);
      if (options.steal) {
        const robbed = this.#held.get(name);
        this.#held.delete(name);
        robbed?.reject(new DOMException('stolen', 'AbortError'));
        queue.unshift(request);
      } else {
        queue.push(request);
      }
      queueMicrotask(() => this.#grant(name));
    });
  }

  /** crash releases all locks of a tab, as a browser does when a page ends. */
  crash(tab) {
    for (const [name, request] of [...this.#held]) {
      if (request.tab !== tab) continue;
      this.#held.delete(name);
      this.#grant(name);
    }
    for (const queue of this.#waiting.values()) for (const request of queue) if (request.tab === tab) request.done = true;
  }

  #grant(name) {
    if (this.#held.has(name)) return;
    const queue = this.#waiting.get(name);
    let next;
    while ((next = queue.shift())?.done);
    if (!next) return;
    this.#held.set(name, next);
    Promise.resolve(next.callback()).then((value) => {
      if (this.#held.get(name) === next) this.#held.delete(name);
      next.resolve(value);
      this.#grant(name);
    });
  }
}

/** Channels is BroadcastChannel of one browser. A frozen tab gets its messages later. */
export class Channels {
  #open = new Set();

  open = (name, tab) => {
    const channel = {
      name,
      tab,
      onmessage: null,
      postMessage: (message) => {
        const copy = structuredClone(message);
        for (const other of this.#open) {
          if (other === channel || other.name !== name) continue;
          const deliver = () => this.#open.has(other) && other.onmessage?.({ data: structuredClone(copy) });
          if (other.tab.frozen) other.tab.late.push(deliver);
          else queueMicrotask(deliver);
        }
      },
      close: () => this.#open.delete(channel),
    };
    this.#open.add(channel);
    return channel;
  };
}

/** Browser has tabs that share its storage. */
export class Browser {
  server = new Server();
  storage = new MemoryStorage();
  #kept = {}; // person -> Kept
  #locks = new Locks();
  #channels = new Channels();

  constructor(clock) {
    this.clock = clock;
  }

  /** kept has what a guest's changes are kept in. */
  get kept() {
    return this.#kept.guest;
  }

  /** open opens a tab. Its frozen says that it does not run. */
  async open(options = {}) {
    const signals = new Signals();
    signals.visible = true;
    const tab = { frozen: false, late: [], signals, signal: signals.send };
    const { clock } = this;
    // A frozen tab's timers do not run.
    const cleared = new Set();
    const ownClock = {
      now: clock.now,
      setTimeout: (f, ms) => {
        const run = () => cleared.has(id) || f();
        const id = clock.setTimeout(() => (tab.frozen ? tab.late.push(run) : run()), ms);
        return id;
      },
      clearTimeout: (id) => {
        cleared.add(id);
        clock.clearTimeout(id);
      },
    };
    // A frozen tab hears from its socket later, too.
    class TabSocket extends this.server.WebSocket {
      constructor(...args) {
        super(...args);
        for (const name of ['onopen', 'onmessage', 'onclose']) {
          let handler = null;
          const later = (event) => (tab.frozen ? tab.late.push(() => handler?.(event)) : handler?.(event));
          Object.defineProperty(this, name, { get: () => handler && later, set: (f) => (handler = f) });
        }
      }
    }
    tab.engine = new Tabs({
      url: 'ws://hub.example/v1',
      WebSocket: TabSocket,
      storage: this.storage,
      random: () => 0.5,
      clock: ownClock,
      signals: signals.listen,
      visible: () => signals.visible,
      answers: async () => false,
      rest: false,
      keptFor: (person) => (this.#kept[person] ??= new Kept()),
      sharing: { locks: { request: (...args) => this.#locks.request(...args, tab) }, channel: (name) => this.#channels.open(name, tab) },
      ...options,
    });
    tab.live = new Live({ engine: tab.engine });
    tab.events = [];
    for (const type of ['identity', 'notice', 'epoch', 'ordered', 'problem', 'status', 'live']) {
      tab.live.addEventListener(type, (e) => tab.events.push({ type, ...e.detail }));
    }
    tab.crash = () => {
      tab.frozen = true;
      this.#locks.crash(tab);
    };
    tab.thaw = async () => {
      tab.frozen = false;
      for (const f of tab.late.splice(0)) f();
      await drain();
    };
    await drain();
    return tab;
  }
}
