// Hub is the page's connection to the real-time hub. It says hello, subscribes with the
// versions it has (subscriptions.js), applies messages (state.js), keeps changes to the
// cart until they are answered (writes.js), and reconnects by itself.
//
//   const hub = new Hub({ url: '/v1' });
//   hub.want(['sku:MUG', 'cart']);
//   hub.addEventListener('change', (e) => …hub.get('sku:MUG')…);
//   hub.open();
//
// Events, all CustomEvents:
//   change    {topics}             the value or the freshness of these topics changed
//   live      {live}               whether the values that get returns are up to date
//   status    {status}             connecting, live, waiting, ended (by the server) or closed
//   identity  {user, role, was}    the user changed; was is the user before, null at first
//   notice    {code, fromToken}         a token was not accepted; fromToken: the token option returned it
//   epoch     {epoch}              a new epoch began: all values are read again
//   ordered   {topic}              a checkout took the lines of this cart, here or on another device
//   refused   {topic, code}        the user may not see this topic
//   problem   {code, message}      an error that rejects no promise of the page
//   bye       {code, retry, after} the server is about to close the connection
//   writes    {pending}            the number of unanswered changes to the cart
//
// Guarantees: Requests that change subscriptions are sent one after the other. The
// values of one user are never shown to another: the hub knows the user before it
// requests anything. A message is applied before the promise of its request resolves.

import { State, cartTopic } from './state.js';
import { Subscriptions } from './subscriptions.js';
import { Writes } from './writes.js';
import { LostError, Requests } from './requests.js';
import { Guest } from './guest.js';
import { browserStorage, browserWake, socketURL } from './browser.js';
import * as timing from './timing.js';

export { WriteError } from './writes.js';
export { State, cartTopic };

/** protocol is the subprotocol that handshakes offer, and the version of the messages. */
export const protocol = 'securecart.v1';

const bearer = 'bearer.';

/** Tokens that RFC 6455 allows in a subprotocol's name. With others, the WebSocket constructor throws. */
const tokenForm = /^[A-Za-z0-9._~-]+$/;

/** Options of a Hub, with their defaults. WebSocket and storage default to the browser's. */
const defaults = {
  url: '/v1',
  token: () => null, // returns the user's token, null for a guest, or a promise of either
  clock: timing.systemClock,
  random: Math.random,
  onWake: browserWake, // calls callback(online), and returns a function that ends this
  // storage: where a guest's token is kept, like localStorage
  // WebSocket: the class
};

export class Hub extends EventTarget {
  // From the answer to hello.
  user = null;
  role = null;
  vendor = null;
  limits = { topicsPerMessage: 100, topics: 200, lines: 200, quantity: 999 };

  #o;
  #state = new State();
  #subscriptions;
  #requests;
  #timers;
  #writes;
  #guest;
  #status = 'closed';

  // Owned by the page.
  #attempts = 0; // failed connection attempts in a row
  #notBefore = 0; // the server asked not to reconnect before this time
  #stopWake = () => {};
  #rejectedToken = null; // a token that has expired, so it is not offered again

  // Owned by the connection. #generation tells late events of an earlier one apart.
  #generation = 0;
  #socket = null;
  #greeted = false; // hello is answered
  #unverified = false; // the server could not verify the token yet, so carts are not touched
  #resuming = false; // the first subscriptions are not settled yet
  #receivedAt = 0; // when the last message arrived
  #renewedAt = -Infinity;

  constructor(options) {
    super();
    this.#o = { ...defaults, WebSocket: globalThis.WebSocket, storage: browserStorage(), ...options };
    const { clock, random } = this.#o;
    this.#guest = new Guest(this.#o.storage);
    this.#timers = new timing.Timers(clock);
    this.#requests = new Requests({ timers: this.#timers, random, dead: () => this.#retry() });
    this.#subscriptions = new Subscriptions({
      state: this.#state,
      limits: () => this.limits,
      connection: () => (this.#greeted ? this.#generation : 0),
      skusOnly: () => this.#unverified,
      ask: (message, topics) => this.#ask(message, topics),
      emit: (type, detail) => this.#emit(type, detail),
      onSettled: () => this.#onSettled(),
      onExpired: () => this.#renew(),
      sleep: (ms) => this.#timers.sleep(ms),
      random,
    });
    this.#writes = new Writes({
      ready: () => this.#greeted && !this.#unverified,
      send: (message) => this.#request(message),
      renew: () => this.#renew(),
      sleep: (ms) => this.#timers.sleep(ms),
      clock,
      random,
      device: randomDevice(random),
    });
  }

  // ---- For the page ----

  /** live reports whether the hub is connected and subscribed. */
  get live() {
    return this.#status === 'live';
  }

  get status() {
    return this.#status;
  }

  /** pending is the number of unanswered changes to the cart. */
  get pending() {
    return this.#writes.size;
  }

  /** guestToken is the stored token of a guest, or null. */
  get guestToken() {
    return this.#guest.get();
  }

  /** get returns the newest known value of a topic (see State.get), or undefined. */
  get(topic) {
    return this.#state.get(topic);
  }

  /** isLive reports whether a topic's value is up to date. It is false until the server has sent or confirmed it. */
  isLive(topic) {
    return this.live && this.#subscriptions.isFresh(topic) && !this.#state.isBehind(topic);
  }

  /** refusal returns the code with which a topic was refused, or undefined. */
  refusal(topic) {
    return this.#subscriptions.refusal(topic);
  }

  /** open connects. The hub then reconnects until close is called. */
  open() {
    if (this.#status !== 'closed') return;
    this.#stopWake = this.#o.onWake((online) => this.#wake(online));
    this.#attempts = 0;
    this.#connect();
  }

  /** close ends the connection. open may be called again. */
  close() {
    if (this.#status === 'closed') return;
    this.#stopWake();
    this.#stopWake = () => {};
    this.#disconnect();
    this.#setStatus('closed');
    this.#abandon('closed', 'the page closed its connection');
  }

  /** reconnect opens a new connection at once. Call it when the token option returns a different token. */
  reconnect() {
    if (this.#status === 'closed') return;
    this.#disconnect();
    this.#attempts = 0;
    this.#notBefore = 0;
    this.#connect();
  }

  /**
   * want subscribes to topics. Each want needs its own drop. All wants and drops of one
   * task share messages.
   */
  want(topics) {
    this.#subscriptions.want(topics);
  }

  /** drop reverses a want. */
  drop(topics) {
    this.#subscriptions.drop(topics);
  }

  /** add puts pieces into the cart. It resolves with the server's ok, and rejects with a WriteError. */
  add(sku, quantity = 1) {
    return this.#write({ action: 'add', sku, quantity });
  }

  /**
   * set sets the quantities of lines; 0 removes a line. With the version of the cart
   * that the user saw, it rejects with code "conflict" if one of the lines has changed.
   * Version 0 is a version: the cart before its first change.
   */
  set(lines, { version } = {}) {
    return this.#write({ action: 'set', lines: { ...lines }, ...this.#basis(version) });
  }

  /** merge moves a guest's cart into the user's. from is the guest's token. */
  merge(from, policy = 'sum') {
    return this.#write({ action: 'merge', from, policy });
  }

  /**
   * checkout empties the cart. The answer has in "ordered" what the cart had, for the
   * order. With the version of the cart that the user saw, it rejects with code
   * "conflict" if anything in the cart has changed.
   */
  checkout({ version } = {}) {
    return this.#write({ action: 'checkout', ...this.#basis(version) });
  }

  /** basis has the fields of a write that is based on a version, which is valid in its epoch only. */
  #basis(version) {
    return Number.isSafeInteger(version) ? { version, epoch: this.#state.epoch ?? undefined } : {};
  }

  /** settled resolves when every change to the cart is answered. */
  settled() {
    return this.#writes.settled();
  }

  // ---- The connection ----

  async #connect() {
    const generation = ++this.#generation;
    this.#setStatus('connecting');
    let fromToken;
    try {
      fromToken = bareToken(await this.#o.token());
    } catch (error) {
      this.#emit('problem', { code: 'no_token', message: String(error?.message ?? error) });
      if (generation === this.#generation) this.#retry();
      return;
    }
    if (generation !== this.#generation) return;
    const token = fromToken || this.#guest.offer(this.#o.clock.now(), this.pending > 0);
    const protocols = [protocol];
    if (token && tokenForm.test(token)) protocols.push(bearer + token);
    else if (fromToken) this.#emit('problem', { code: 'token_bad', message: 'the token option returned no token' });
    let socket;
    try {
      socket = new this.#o.WebSocket(socketURL(this.#o.url), protocols);
    } catch (error) {
      this.#emit('problem', { code: 'no_socket', message: String(error?.message ?? error) });
      this.#retry();
      return;
    }
    this.#socket = socket;
    this.#timers.start('connect', timing.answerWithin, () => this.#retry());
    socket.onopen = () => this.#hello(Boolean(fromToken), token);
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = () => this.#retry();
  }

  /** hello must be answered before any other message: the answer says whose cart the versions belong to. */
  async #hello(fromToken, token) {
    this.#timers.stop('connect');
    const generation = this.#generation;
    const answer = await this.#ask({ action: 'hello' }).catch(() => null);
    if (generation !== this.#generation || answer === null) return;
    if (answer.type !== 'hello') {
      this.#retry(answer.after);
      return;
    }
    const returning = !fromToken && this.#guest.isReturning(token);
    if (returning && answer.notice) {
      // It is refused again. Go on as the guest that stands in.
      if (answer.notice === 'token_expired') this.#guest.forget(token);
      else this.#guest.refuse(token, this.#o.clock.now());
      this.reconnect();
      return;
    }
    if (!fromToken && token && answer.notice === 'token_expired' && !answer.guestToken) {
      // The guest was revoked, and its cart with it. Continue as a new guest.
      this.#guest.drop(token);
      this.#emit('notice', { code: answer.notice, fromToken });
      this.reconnect();
      return;
    }
    if (!fromToken && token && answer.notice === 'token_bad') this.#guest.refuse(token, this.#o.clock.now());
    this.#greeted = true;
    this.#resuming = true;
    this.#applyHello(answer, fromToken, returning);
    const lifetime = answer.reconnectAfter > 0 ? answer.reconnectAfter * 1000 : timing.longestTimer;
    this.#timers.start('lifetime', lifetime * (0.9 + 0.1 * this.#o.random()), () => this.reconnect());
    this.#keepAlive();
    this.#subscriptions.resume();
    if (returning) this.#reunite();
    this.#writes.pump();
  }

  /** reunite moves the cart of the guest that stood in to the one who is back. */
  async #reunite() {
    try {
      const from = this.#guest.get();
      if (from) await this.merge(from);
    } catch (error) {
      if (error.code === 'closed' || error.code === 'identity') return; // the next connection does it
      this.#emit('problem', { code: error.code, message: error.message });
    }
    this.#guest.settle();
  }

  /**
   * applyHello takes over the user and the limits. fromToken: the token option returned the
   * token. returning: it is that of a guest who had been refused.
   */
  #applyHello(hello, fromToken, returning = false) {
    if (hello.limits) this.limits = { ...this.limits, ...hello.limits };
    if (hello.notice) this.#emit('notice', { code: hello.notice, fromToken });
    this.#unverified = fromToken && hello.notice === 'busy';
    if (this.#unverified) {
      // The server cannot verify tokens at the moment and treats us as a guest. Badges
      // stay live, but this guest's cart is not the user's, so it is not requested.
      this.#timers.start('renew', timing.renewEvery * (0.5 + this.#o.random()), () => this.#renew());
      return;
    }
    const was = this.user;
    const changed = was !== hello.user;
    const vendor = hello.vendor ?? null;
    if (changed || this.role !== hello.role || this.vendor !== vendor) this.#state.reviewAll();
    this.user = hello.user;
    this.role = hello.role;
    this.vendor = vendor;
    // A guest that replaces a rejected token must not replace the stored guest.
    if (returning) this.#guest.renewReturning(hello.guestToken);
    else if (hello.guestToken && !(fromToken && this.#guest.get())) this.#guest.set(hello.guestToken);
    if (hello.expires) {
      const left = hello.expires - this.#o.clock.now() - timing.renewBefore;
      const wait = Math.max(left, timing.renewEvery);
      if (left < timing.longestTimer) this.#timers.start('renew', wait, () => this.#renew());
    }
    if (!changed) return;
    if (was !== null) {
      if (this.#state.forget(cartTopic)) this.#emit('change', { topics: [cartTopic] });
      this.#subscriptions.expire((topic) => topic === cartTopic);
      this.#abandon('identity', 'the user has changed');
    }
    this.#emit('identity', { user: this.user, role: this.role, was });
  }

  /** renew gets a token and sends it on this connection, before or after the old one expires. */
  async #renew() {
    const generation = this.#generation;
    const now = this.#o.clock.now();
    if (!this.#greeted || now - this.#renewedAt < timing.renewEvery / 2) return;
    this.#renewedAt = now;
    let fromToken = null;
    try {
      fromToken = bareToken(await this.#o.token());
    } catch (error) {
      this.#emit('problem', { code: 'no_token', message: String(error?.message ?? error) });
    }
    if (generation !== this.#generation) return;
    const token = fromToken || this.#guest.get();
    if (!token) {
      this.reconnect();
      return;
    }
    if (token === this.#rejectedToken) {
      // Badges stay live. For everything else, the user has to sign in.
      this.#emit('notice', { code: 'token_expired', fromToken: Boolean(fromToken) });
      return;
    }
    const answer = await this.#ask({ action: 'hello', token }).catch(() => null);
    if (generation !== this.#generation || answer === null) return;
    if (answer.type === 'hello') {
      this.#applyHello(answer, Boolean(fromToken));
      this.#subscriptions.requestAll();
      this.#writes.pump();
    } else if (answer.retry) {
      this.#timers.start('renew', timing.renewEvery * (0.5 + this.#o.random()), () => this.#renew());
    } else {
      if (answer.code === 'token_expired') this.#rejectedToken = token;
      this.#retry();
    }
  }

  /** retry drops the connection and opens another one after a random wait, not sooner than atLeast ms. */
  #retry(atLeast = 0) {
    this.#disconnect();
    this.#setStatus('waiting');
    const { clock, random } = this.#o;
    const least = Math.max(atLeast ?? 0, this.#notBefore - clock.now(), 0);
    const wait = least + timing.fullJitter(this.#attempts++, random);
    this.#timers.start('reconnect', wait, () => this.#connect());
  }

  /** disconnect ends the connection and discards what belongs to it. */
  #disconnect() {
    this.#generation++;
    const socket = this.#socket;
    this.#socket = null;
    this.#greeted = false;
    this.#unverified = false;
    this.#renewedAt = -Infinity;
    this.#subscriptions.disconnect();
    this.#timers.stopAll();
    this.#requests.lose();
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
  }

  /** wake is called when the network changes or the user returns to the page. */
  #wake(online) {
    if (this.#status === 'waiting' && online && this.#o.clock.now() >= this.#notBefore) {
      this.#timers.stop('reconnect');
      this.#connect();
    } else if (this.#greeted && (!online || this.#o.clock.now() - this.#receivedAt > timing.trustDuration)) {
      this.#check();
    }
  }

  /** keepAlive starts the keep-alive: conditional subscribes, which also recover lost deltas. */
  #keepAlive() {
    const wait = timing.keepAliveEvery * (0.8 + 0.4 * this.#o.random());
    this.#timers.start('keepAlive', wait, () => {
      this.#check();
      this.#keepAlive();
    });
  }

  #check() {
    if (this.#subscriptions.wantsAny) this.#subscriptions.requestAll();
    else this.#ask({ action: 'ping' }).catch(() => {});
  }

  #onSettled() {
    if (!this.#resuming) return;
    this.#resuming = false;
    this.#attempts = 0;
    this.#setStatus('live');
  }

  // ---- Messages ----

  /** ask sends a request, and repeats it after errors that name no request. */
  async #ask(message, topics = []) {
    const generation = this.#generation;
    for (;;) {
      try {
        const answer = await this.#request(message, this.#state.moment(topics));
        if (generation === this.#generation) return answer;
        throw new LostError();
      } catch (lost) {
        if (!(lost.after > 0) || generation !== this.#generation) throw lost;
        await this.#timers.sleep(lost.after);
        if (generation !== this.#generation) throw lost;
      }
    }
  }

  /** request sends one message. It resolves with the answer, also if it is an error, and rejects with LostError. */
  #request(message, asked) {
    if (!this.#socket) return Promise.reject(new LostError());
    // The socket is closing: its close event follows, and a message sent now would be lost.
    if (this.#socket.readyState > 1) return Promise.reject(new LostError(timing.firstWait));
    return this.#requests.send(this.#socket, message, asked);
  }

  #receive(data) {
    this.#receivedAt = this.#o.clock.now();
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return; // not a message of the hub
    }
    if (typeof message !== 'object' || message === null) return;
    if (message.type === 'bye') {
      this.#bye(message);
      return;
    }
    if (message.type === 'error' && message.id === undefined && message.code === 'token_expired') {
      this.#onExpired();
      return;
    }
    const { changed, gaps, reset, ordered } = this.#state.apply(message, this.#requests.asked(message));
    if (reset) {
      this.#subscriptions.expire();
      this.#emit('epoch', { epoch: this.#state.epoch });
    }
    // After a reset, changed also has the topics that lost their values.
    const delivered = changed.filter((topic) => this.#state.get(topic) !== undefined);
    if (message.type === 'delta') this.#subscriptions.deliver(delivered);
    if (changed.length > 0) this.#emit('change', { topics: changed });
    for (const topic of ordered) this.#emit('ordered', { topic });
    this.#requests.answer(message);
    if (reset) this.#subscriptions.requestAll();
    this.#subscriptions.request(gaps);
    if (message.type === 'error') this.#onRefusedVersion(message.code);
  }

  /** onRefusedVersion: the server does not know the version of a write, so the page shows a history that has ended. */
  #onRefusedVersion(code) {
    if (code === 'gone_version') this.#subscriptions.request([cartTopic]);
    if (code !== 'old_epoch') return;
    this.#emit('change', { topics: this.#subscriptions.expire() });
    this.#subscriptions.requestAll();
  }

  /** onExpired: the session has expired or was revoked, perhaps one that was renewed a moment ago. */
  #onExpired() {
    const topics = this.#subscriptions.expire((topic) => !topic.startsWith('sku:'));
    this.#emit('change', { topics });
    this.#renewedAt = -Infinity;
    this.#renew();
  }

  /** bye: the server is about to close the connection. It is used until then. */
  #bye({ code, retry, after = 0 }) {
    this.#emit('bye', { code, retry: retry === true, after });
    if (retry !== true) {
      this.#disconnect();
      this.#setStatus('ended');
      return;
    }
    const { clock, random } = this.#o;
    const wait = after + timing.fullJitter(0, random);
    this.#notBefore = clock.now() + wait;
    this.#timers.start('lifetime', wait, () => this.reconnect());
  }

  // ---- Helpers ----

  #write(message) {
    const done = this.#writes.push(message);
    const emitPending = () => this.#emit('writes', { pending: this.#writes.size });
    emitPending();
    done.then(emitPending, emitPending);
    return done;
  }

  #abandon(code, message) {
    if (this.#writes.size > 0) this.#writes.abandon(code, message);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #setStatus(status) {
    if (status === this.#status) return;
    const was = this.live;
    this.#status = status;
    this.#emit('status', { status });
    if (was !== this.live) this.#emit('live', { live: this.live });
  }
}

/** bareToken returns a token without the scheme of a header, which many pages keep with it. */
const bareToken = (token) => (typeof token === 'string' ? token.replace(/^bearer +/i, '') : token);

/** randomDevice returns a prefix of idempotency keys that no other page has: 128 random bits. */
function randomDevice(random) {
  const word = () => Math.floor(random() * 2 ** 32).toString(16).padStart(8, '0');
  return 'p' + Array.from({ length: 4 }, word).join('');
}
