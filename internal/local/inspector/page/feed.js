// The feed of events: one WebSocket that resumes by id. A page that nobody sees for 5 s
// closes it, and asks for what it missed when it is seen again.

import { Refused } from './api.js';

const waits = [1000, 2000, 4000]; // ms before an attempt; the last one repeats
const hiddenFor = 5000; // ms

/**
 * Feed calls onMessage with each message of the tap, and onState when its state changes:
 * {name, since, retryAt, reason}. name is connecting, live, lost, full, hidden or token. It is full
 * while localhub answers and refuses the socket; reason has its words.
 */
export class Feed {
  #api;
  #situation;
  #onMessage;
  #onState;
  #socket = null;
  #timer;
  #hiding;
  #attempt = 0;
  #after = 0;
  #boot = '';
  state = { name: 'connecting', since: Date.now() };

  /** situation asks for the situation, and fails as a request does. */
  constructor(api, { situation, onMessage, onState }) {
    this.#api = api;
    this.#situation = situation;
    this.#onMessage = onMessage;
    this.#onState = onState;
    document.addEventListener('visibilitychange', () => this.#visibility());
  }

  /** open asks for the state of localhub first: a socket cannot say why it was refused. */
  async open() {
    clearTimeout(this.#timer);
    this.#close();
    try {
      const { boot } = await this.#situation();
      if (boot !== this.#boot) this.#after = 0; // ids begin anew
      this.#boot = boot;
    } catch (error) {
      if (error instanceof Refused && error.status === 401) this.#enter('token');
      else this.#lost();
      return;
    }
    if (this.state.name === 'hidden') return;
    const socket = this.#api.tap(this.#after);
    this.#socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.#attempt = 0;
      this.#enter('live');
    };
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      this.#boot = message.boot ?? this.#boot;
      const last = message.events.at(-1);
      if (last) this.#after = last.id;
      this.#onMessage({ ...message, boot: this.#boot });
    };
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      if (opened) this.#lost();
      else this.#refused(socket);
    };
  }

  /** #refused asks without a handshake why a socket did not open: a page does not get its status. */
  async #refused(socket) {
    let reason = '';
    try {
      await this.#api.get('/admin/tap');
    } catch (error) {
      if (error instanceof Refused && error.status === 429) reason = error.message;
    }
    if (this.#socket === socket) this.#lost(reason);
  }

  #close() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #lost(reason = '') {
    this.#socket = null;
    const wait = waits[Math.min(this.#attempt++, waits.length - 1)];
    this.#enter(reason ? 'full' : 'lost', Date.now() + wait, reason);
    this.#timer = setTimeout(() => this.open(), wait);
  }

  #enter(name, retryAt, reason) {
    const since = this.state.name === name ? this.state.since : Date.now();
    this.state = { name, since, retryAt, reason };
    this.#onState(this.state);
  }

  #visibility() {
    clearTimeout(this.#hiding);
    if (document.hidden) {
      this.#hiding = setTimeout(() => {
        clearTimeout(this.#timer);
        this.#enter('hidden');
        this.#close();
      }, hiddenFor);
    } else if (this.state.name === 'hidden') {
      this.#enter('connecting');
      this.open();
    }
  }
}
