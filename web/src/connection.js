// Connection is one socket to the hub: the handshake, hello, requests with their answers,
// and the subscriptions. It ends once and is not used again. A page has one, and for a
// moment two, when one is about to end and the next is being made.

import { LostError, Requests } from './requests.js';
import { Subscriptions } from './subscriptions.js';
import { connectWithin, firstWait, shortLived, Timers } from './timing.js';

export class Connection {
  /** greeted: hello is answered. settled: the first subscriptions are answered too. */
  greeted = false;
  settled = false;
  opened = false;
  announced = false; // the server has said that it will close the socket
  polls;
  subscriptions;

  #o;
  #socket;
  #timers;
  #requests;
  #openedAt = 0;
  #heard = false; // the server has said something

  /**
   * Options:
   *   socket          a WebSocket, or an HTTPSocket
   *   polls           whether it is an HTTPSocket
   *   clock, random, state
   *   subscriptions   options of Subscriptions: wanted, refused, limits, skusOnly, emit …
   *   onHello(answer)      is called with the answer to hello, which may be an error
   *   onMessage(message)   is called with each message, before its request gets the answer
   *   onSettled(first)     is called when all requests of the subscriptions are answered, first when
   *                        settled becomes true
   *   onLost(after, cut)   is called when the connection is lost. after: the wait that the server asks for, in ms.
   *                        cut: the socket closed; else the page gave it up
   */
  constructor(options) {
    this.#o = options;
    const { socket, polls, clock, random } = options;
    this.#socket = socket;
    this.polls = polls;
    this.#timers = new Timers(clock);
    const lost = () => this.#lost();
    this.#requests = new Requests({ timers: this.#timers, random, dead: lost });
    this.subscriptions = new Subscriptions({
      ...options.subscriptions,
      state: options.state,
      random,
      ready: () => this.greeted && Boolean(this.#socket),
      ask: (message, topics) => this.ask(message, topics),
      sleep: (ms) => this.#timers.sleep(ms),
      onSettled: () => {
        const first = !this.settled;
        this.settled = true;
        options.onSettled(first);
      },
    });
    this.#timers.start('connect', connectWithin, lost);
    socket.onopen = () => this.#hello();
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = () => this.#lost(0, true);
  }

  /** hello must be answered before any other message: the answer says whose cart the versions belong to. */
  async #hello() {
    this.opened = true;
    this.#openedAt = this.#o.clock.now();
    this.#timers.stop('connect');
    const answer = await this.ask({ action: 'hello' }).catch(() => null);
    if (answer) this.#o.onHello(answer);
  }

  /** ask sends a request, and repeats it after errors that name no request. */
  async ask(message, topics = []) {
    for (;;) {
      try {
        return await this.request(message, this.#o.state.moment(topics));
      } catch (lost) {
        if (!(lost.after > 0) || !this.#socket) throw lost;
        await this.#timers.sleep(lost.after);
        if (!this.#socket) throw lost;
      }
    }
  }

  /** request sends one message. It resolves with the answer, also if it is an error, and rejects with LostError. */
  request(message, asked) {
    if (!this.#socket) return Promise.reject(new LostError());
    // The socket is closing: its close event follows, and a message sent now would be lost.
    if (this.#socket.readyState > 1) return Promise.reject(new LostError(firstWait));
    return this.#requests.send(this.#socket, message, asked);
  }

  /**
   * isBlocked reports whether a network may have blocked the socket: no message came, or it was
   * cut soon after it opened and the server had not said so.
   */
  isBlocked(cut) {
    const isShort = cut && !this.announced && this.#o.clock.now() - this.#openedAt < shortLived;
    return !this.#heard || isShort;
  }

  /** ping asks for a pong, which has no id in AWS. */
  ping() {
    if (this.#socket?.readyState <= 1 || this.#socket?.readyState === undefined) {
      this.#socket?.send('{"action":"ping"}');
    }
  }

  /** asked returns the moment of the request that a message answers. */
  asked(message) {
    return this.#requests.asked(message);
  }

  /** retire closes the connection once its open requests are answered, but within a while. */
  async retire(within) {
    this.#timers.start('retire', within, () => this.close());
    await this.#requests.idle();
    this.close();
  }

  /** close ends the connection. Nothing is called afterwards. */
  close() {
    const socket = this.#socket;
    if (!socket) return;
    this.subscriptions.expire();
    this.#socket = null;
    this.greeted = false;
    this.#timers.stopAll();
    this.#requests.lose();
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
  }

  #lost(after, cut = false) {
    this.close();
    this.#o.onLost(after, cut);
  }

  #receive(data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return; // not a message of the hub
    }
    if (typeof message !== 'object' || message === null) return;
    this.#heard = true;
    this.announced ||= message.type === 'bye';
    const then = this.#o.onMessage(message);
    this.#requests.answer(message);
    then?.();
  }
}
