// Hub is the page's one connection to the real-time hub. It says hello, subscribes
// with the versions it has, applies what comes (state.js), carries changes of the
// cart until they are answered (writes.js), and comes back by itself.
//
//   const hub = new Hub({ url: '/v1' });
//   hub.want(['sku:MUG', 'cart']);
//   hub.addEventListener('change', (e) => …hub.get('sku:MUG')…);
//   hub.open();
//
// Events, all CustomEvents:
//   change    {topics}             these have another value now
//   live      {live}               whether what get returns is kept up to date
//   status    {status}             connecting, live, waiting, ended (by the server) or closed
//   identity  {user, role, was}    who we are; another one than before (was: null at first)
//   notice    {code, mine}         a token was not taken; mine: that of the token option
//   epoch     {epoch}              the shop lost its history: everything is read anew
//   refused   {topic, code}        this topic cannot be seen
//   problem   {code, message}      something went wrong that nobody waits for
//   bye       {code, retry, after} the server is about to close
//   writes    {pending}            changes of the cart that are not answered yet
//
// Guarantees. Requests that touch the set of subscriptions are sent one after the
// other, because the gateway may run two at the same time. Nothing of one identity
// is shown to another: who we are is known before anything is asked. A message is
// applied before the promise of its request resolves.

import { State, topicForm, cartTopic } from './state.js';
import { Writes } from './writes.js';
import { Lost, Requests } from './requests.js';
import { GuestToken, browserStorage, browserWake, socketURL } from './browser.js';
import * as timing from './timing.js';

export { WriteError } from './writes.js';
export { State, cartTopic };

/** protocol is the version of the messages. */
export const protocol = 'securecart.v1';

const bearer = 'bearer.';

/** What RFC 6455 lets into a subprotocol's name; a token with anything else would make the constructor throw. */
const tokenForm = /^[A-Za-z0-9._~-]+$/;

/** Options of a Hub. All but url may be left out. */
const defaults = {
  // WebSocket and storage (like localStorage, for a guest's token) are the browser's.
  url: '/v1',
  token: () => null, // string, null or a promise of them: a signed-in person's token
  clock: timing.systemClock,
  random: Math.random,
  onWake: browserWake, // (callback) => unregister; callback(online)
};

export class Hub extends EventTarget {
  // Told by hello.
  user = null;
  role = null;
  vendor = null;
  limits = { topicsPerMessage: 100, topics: 200, lines: 200, quantity: 999 };

  #o;
  #state = new State();
  #writes;
  #guest;
  #status = 'closed';

  // Of the page.
  #wanted = new Map(); // topic -> how many want it
  #refused = new Map(); // topic -> code
  #flushing = false;
  #tries = 0; // failed connects in a row
  #notBefore = 0; // the server asked us to stay away until then
  #stopWake = () => {};

  // Of the connection. An old one's generation tells its late events apart.
  #generation = 0;
  #socket = null;
  #greeted = false;
  #unsure = false; // our token could not be judged yet: not a moment to touch carts
  #heard = 0; // when the server said something last
  #requests;
  #subscribed = new Set();
  #due = new Set(); // to be asked for, with versions
  #fresh = new Set(); // told or confirmed on this connection
  #asking = 0; // the generation whose subscriptions are being settled
  #resuming = false; // the first asking is not done yet
  #renewedAt = -Infinity;
  #useless = null; // a token that was good once; to offer it again is in vain
  #timers;

  constructor(options) {
    super();
    this.#o = { ...defaults, WebSocket: globalThis.WebSocket, storage: browserStorage(), ...options };
    const { clock, random } = this.#o;
    this.#guest = new GuestToken(this.#o.storage);
    this.#timers = new timing.Timers(clock);
    this.#requests = new Requests({ timers: this.#timers, random, dead: () => this.#retry() });
    this.#writes = new Writes({
      ready: () => this.#greeted && !this.#unsure,
      send: (message) => this.#request(message),
      renew: () => this.#renew(),
      sleep: (ms) => this.#timers.sleep(ms),
      clock,
      random,
      device: 'p' + Array.from({ length: 4 }, () => Math.floor(random() * 2 ** 32).toString(16).padStart(8, '0')).join(''),
    });
  }

  // ---- What the page asks ----

  /** live tells whether everything wanted is kept up to date right now. */
  get live() {
    return this.#status === 'live';
  }

  get status() {
    return this.#status;
  }

  /** pending is how many changes of the cart are not answered yet. */
  get pending() {
    return this.#writes.size;
  }

  /** guestToken is the stored one, or null. */
  get guestToken() {
    return this.#guest.get();
  }

  /** get returns the newest known value of a topic (see State.get), or undefined. */
  get(topic) {
    return this.#state.get(topic);
  }

  /** isLive tells it for one topic: one that was just wanted is not, until it is told. */
  isLive(topic) {
    return this.live && this.#fresh.has(topic) && !this.#state.behind(topic);
  }

  /** refusal is the code with which a topic was refused, or undefined. */
  refusal(topic) {
    return this.#refused.get(topic);
  }

  /** open connects. From then on the hub stays connected until close. */
  open() {
    if (this.#status !== 'closed') return;
    this.#stopWake = this.#o.onWake((online) => this.#wake(online));
    this.#tries = 0;
    this.#connect();
  }

  /** close ends the connection for good; open would begin anew. */
  close() {
    if (this.#status === 'closed') return;
    this.#stopWake();
    this.#stopWake = () => {};
    this.#drop();
    this.#setStatus('closed');
    this.#abandon('closed', 'the page has closed its connection');
  }

  /** reconnect begins a new connection now: the token option gives another token. */
  reconnect() {
    if (this.#status === 'closed') return;
    this.#drop();
    this.#tries = 0;
    this.#notBefore = 0;
    this.#connect();
  }

  /** want subscribes. Each want needs its own drop. All of one tick travel together. */
  want(topics) {
    for (const topic of topics) {
      const n = this.#wanted.get(topic) ?? 0;
      this.#wanted.set(topic, n + 1);
      if (n === 0 && !this.#subscribed.has(topic)) this.#due.add(topic);
    }
    this.#flush();
  }

  /** drop takes a want back. */
  drop(topics) {
    for (const topic of topics) {
      const n = this.#wanted.get(topic) ?? 0;
      if (n > 1) {
        this.#wanted.set(topic, n - 1);
      } else {
        this.#wanted.delete(topic);
        this.#refused.delete(topic);
      }
    }
    this.#flush();
  }

  /** add puts pieces into the cart, and promises the server's ok. */
  add(sku, quantity = 1) {
    return this.#write({ action: 'add', sku, quantity });
  }

  /**
   * set gives lines their quantities, 0 removes. With the version of the cart that
   * the person saw, it is refused (code "conflict") if one of these lines changed since.
   */
  set(lines, { version } = {}) {
    const message = { action: 'set', lines: { ...lines } };
    if (version > 0) Object.assign(message, { version, epoch: this.#state.epoch ?? undefined });
    return this.#write(message);
  }

  /** merge moves a guest's cart into ours. */
  merge(from, policy = 'sum') {
    return this.#write({ action: 'merge', from, policy });
  }

  /** settled resolves when every change of the cart is answered. */
  settled() {
    return this.#writes.settled();
  }

  // ---- The connection ----

  async #connect() {
    const generation = ++this.#generation;
    this.#setStatus('connecting');
    let mine;
    try {
      mine = await this.#o.token();
    } catch (error) {
      this.#tell('problem', { code: 'no_token', message: String(error?.message ?? error) });
      if (generation === this.#generation) this.#retry();
      return;
    }
    if (generation !== this.#generation) return;
    const token = mine || this.#guest.get();
    const protocols = [protocol];
    if (token && tokenForm.test(token)) protocols.push(bearer + token);
    let socket;
    try {
      socket = new this.#o.WebSocket(socketURL(this.#o.url), protocols);
    } catch (error) {
      this.#tell('problem', { code: 'no_socket', message: String(error?.message ?? error) });
      this.#retry();
      return;
    }
    this.#socket = socket;
    this.#timers.start('connect', timing.answerWithin, () => this.#retry());
    socket.onopen = () => this.#hello(Boolean(mine), token);
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = () => this.#retry();
  }

  /** hello is said first and alone: the answer tells whose cart the versions belong to. */
  async #hello(mine, token) {
    this.#timers.stop('connect');
    const generation = this.#generation;
    const answer = await this.#ask({ action: 'hello' }).catch(() => null);
    if (generation !== this.#generation || answer === null) return;
    if (answer.type !== 'hello') {
      this.#retry(answer.after);
      return;
    }
    if (!mine && token && answer.notice === 'token_expired' && !answer.guestToken) {
      // This guest's authority was taken back, and its cart with it. Begin as a new one.
      this.#guest.drop(token);
      this.#tell('notice', { code: answer.notice, mine });
      this.reconnect();
      return;
    }
    this.#greeted = true;
    this.#resuming = true;
    this.#meet(answer, mine);
    this.#due = new Set(this.#wanted.keys());
    this.#refused.clear();
    const lifetime = answer.reconnectAfter > 0 ? answer.reconnectAfter * 1000 : timing.longestTimer;
    this.#timers.start('lifetime', lifetime * (0.9 + 0.1 * this.#o.random()), () => this.reconnect());
    this.#keepAlive();
    this.#settle();
    this.#writes.pump();
  }

  /** meet takes in who we are. mine: a signed-in person's token was offered. */
  #meet(hello, mine) {
    if (hello.limits) this.limits = { ...this.limits, ...hello.limits };
    if (hello.notice) this.#tell('notice', { code: hello.notice, mine });
    this.#unsure = mine && hello.notice === 'busy';
    if (this.#unsure) {
      // The service that judges tokens is away. Badges go on as a guest's, but this
      // guest is nobody, so its cart is not looked at.
      this.#timers.start('renew', timing.renewEvery * (0.5 + this.#o.random()), () => this.#renew());
      return;
    }
    const was = this.user;
    const changed = was !== hello.user;
    if (changed || this.role !== hello.role || this.vendor !== (hello.vendor ?? null)) this.#state.soften();
    this.user = hello.user;
    this.role = hello.role;
    this.vendor = hello.vendor ?? null;
    // A guest that stands in for a refused token does not push out the earlier guest.
    if (hello.guestToken && !(mine && this.#guest.get())) this.#guest.set(hello.guestToken);
    if (hello.expires) {
      const left = hello.expires - this.#o.clock.now() - timing.renewBefore;
      if (left < timing.longestTimer) this.#timers.start('renew', Math.max(left, timing.renewEvery), () => this.#renew());
    }
    if (!changed) return;
    if (was !== null) {
      if (this.#state.forget(cartTopic)) this.#tell('change', { topics: [cartTopic] });
      this.#fresh.delete(cartTopic);
      this.#abandon('identity', 'you are somebody else now');
    }
    this.#tell('identity', { user: this.user, role: this.role, was });
  }

  /** renew gives this connection a new token before, or after, the old one ends. */
  async #renew() {
    const generation = this.#generation;
    const now = this.#o.clock.now();
    if (!this.#greeted || now - this.#renewedAt < timing.renewEvery / 2) return;
    this.#renewedAt = now;
    let mine = null;
    try {
      mine = await this.#o.token();
    } catch (error) {
      this.#tell('problem', { code: 'no_token', message: String(error?.message ?? error) });
    }
    if (generation !== this.#generation) return;
    const token = mine || this.#guest.get();
    if (!token) {
      this.reconnect();
      return;
    }
    if (token === this.#useless) {
      // Badges go on. Somebody has to sign in for the rest.
      this.#tell('notice', { code: 'token_expired', mine: Boolean(mine) });
      return;
    }
    const answer = await this.#ask({ action: 'hello', token }).catch(() => null);
    if (generation !== this.#generation || answer === null) return;
    if (answer.type === 'hello') {
      this.#meet(answer, Boolean(mine));
      this.#askAll();
      this.#writes.pump();
    } else if (answer.retry) {
      this.#timers.start('renew', timing.renewEvery * (0.5 + this.#o.random()), () => this.#renew());
    } else {
      if (answer.code === 'token_expired') this.#useless = token;
      this.#retry();
    }
  }

  /** retry gives the connection up and makes another one after a while. */
  #retry(atLeast = 0) {
    this.#drop();
    this.#setStatus('waiting');
    const { clock, random } = this.#o;
    const away = Math.max(atLeast ?? 0, this.#notBefore - clock.now(), 0);
    this.#timers.start('reconnect', away + timing.fullJitter(this.#tries++, random), () => this.#connect());
  }

  /** drop lets go of the connection and of everything that belongs to it. */
  #drop() {
    this.#generation++;
    const socket = this.#socket;
    this.#socket = null;
    this.#greeted = false;
    this.#unsure = false;
    this.#renewedAt = -Infinity;
    this.#subscribed.clear();
    this.#fresh.clear();
    this.#timers.stopAll();
    this.#requests.lose();
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
  }

  /** wake is called when the network is back, or the person. */
  #wake(online) {
    if (this.#status === 'waiting' && online && this.#o.clock.now() >= this.#notBefore) {
      this.#timers.stop('reconnect');
      this.#connect();
    } else if (this.#greeted && (!online || this.#o.clock.now() - this.#heard > timing.trustFor)) {
      this.#check();
    }
  }

  /** keepAlive is a conditional subscribe: what was lost on the way comes back with it. */
  #keepAlive() {
    const wait = timing.keepAliveEvery * (0.8 + 0.4 * this.#o.random());
    this.#timers.start('keepAlive', wait, () => {
      this.#check();
      this.#keepAlive();
    });
  }

  #check() {
    if (this.#wanted.size > 0) this.#askAll();
    else this.#ask({ action: 'ping' }).catch(() => {});
  }

  // ---- Subscriptions ----

  /** flush waits for the end of the tick, so that a page of badges is one message. */
  #flush() {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#settle();
    });
  }

  #askAll() {
    this.#due = new Set(this.#wanted.keys());
    this.#settle();
  }

  /** settle brings the server's set of subscriptions in line with what is wanted. */
  async #settle() {
    const generation = this.#generation;
    if (this.#asking === generation || !this.#greeted) return;
    this.#asking = generation;
    try {
      while (generation === this.#generation && (await this.#step()));
    } catch (lost) {
      if (!(lost instanceof Lost)) throw lost;
    } finally {
      if (this.#asking === generation) this.#asking = 0;
    }
    if (this.#resuming && generation === this.#generation) {
      this.#resuming = false;
      this.#tries = 0;
      this.#setStatus('live');
    }
  }

  /** step sends one message and takes its answer in; false: there is nothing to send. */
  async #step() {
    const most = this.limits.topicsPerMessage;
    const over = [...this.#subscribed].filter((topic) => !this.#wanted.has(topic)).slice(0, most);
    if (over.length > 0) {
      const answer = await this.#ask({ action: 'unsubscribe', topics: over });
      if (answer.type === 'error' && answer.retry) return this.#pause(answer);
      for (const topic of over) {
        this.#subscribed.delete(topic);
        this.#fresh.delete(topic);
        if (this.#wanted.has(topic)) this.#due.add(topic); // wanted again meanwhile
      }
      for (const [topic, code] of this.#refused) if (code === 'too_many_topics') this.#due.add(topic);
      return true;
    }
    const asked = this.#nextAsked(most);
    if (asked.length === 0) return false;
    for (const topic of asked) {
      this.#due.delete(topic);
      this.#refused.delete(topic);
      this.#subscribed.add(topic);
    }
    const answer = await this.#ask(this.#subscribeTo(asked));
    if (answer.type === 'error') {
      for (const topic of asked) {
        if (answer.retry) this.#due.add(topic);
        else this.#refuse(topic, answer.code);
      }
      return this.#pause(answer);
    }
    this.#confirm(asked, answer);
    await this.#getAgain(answer.again);
    return true;
  }

  /** nextAsked are due topics for one message, as far as the connection has room. */
  #nextAsked(most) {
    const asked = [];
    let room = this.limits.topics - this.#subscribed.size;
    for (const topic of this.#due) {
      if (asked.length === most) break;
      if (!this.#wanted.has(topic)) {
        this.#due.delete(topic);
      } else if (!topicForm.test(topic)) {
        this.#due.delete(topic);
        this.#refuse(topic, 'bad_field');
      } else if (this.#unsure && !topic.startsWith('sku:')) {
        // It stays due until we know who we are.
      } else if (!this.#subscribed.has(topic) && --room < 0) {
        this.#due.delete(topic);
        this.#refuse(topic, 'too_many_topics');
      } else {
        asked.push(topic);
      }
    }
    return asked;
  }

  #subscribeTo(topics) {
    const versions = this.#state.versions(topics);
    if (Object.values(versions).every((v) => v === 0)) return { action: 'subscribe', topics };
    return { action: 'subscribe', epoch: this.#state.epoch, topics: versions };
  }

  #confirm(topics, answer) {
    const later = new Set(answer.again);
    for (const topic of topics) if (!later.has(topic)) this.#fresh.add(topic);
    let expired = false;
    for (const [topic, code] of Object.entries(answer.refused ?? {})) {
      this.#subscribed.delete(topic);
      this.#fresh.delete(topic);
      this.#refuse(topic, code);
      expired ||= code === 'token_expired';
    }
    this.#tell('change', { topics }); // how fresh they are has changed
    if (expired) this.#renew();
  }

  /** getAgain fetches what did not fit into an answer. */
  async #getAgain(again) {
    while (again?.length > 0) {
      const answer = await this.#ask({ action: 'get', topics: again });
      if (answer.type !== 'snapshot') {
        for (const topic of again) this.#due.add(topic);
        await this.#pause(answer);
        return;
      }
      if (answer.again?.length >= again.length) return; // no progress; the keep-alive will tell
      this.#confirm(again, answer);
      again = answer.again;
    }
  }

  #refuse(topic, code) {
    this.#subscribed.delete(topic);
    this.#refused.set(topic, code);
    this.#tell('refused', { topic, code });
  }

  /** pause waits before the same is asked again. */
  async #pause(answer) {
    if (!answer.retry) this.#tell('problem', { code: answer.code, message: answer.message });
    await this.#timers.sleep(Math.max(answer.after ?? 0, timing.fullJitter(3, this.#o.random)));
    return true;
  }

  // ---- Messages ----

  /** ask is a request that is repeated while the server says, without naming it, to slow down. */
  async #ask(message) {
    const generation = this.#generation;
    for (;;) {
      try {
        const answer = await this.#request(message);
        if (generation === this.#generation) return answer;
        throw new Lost();
      } catch (lost) {
        if (!(lost.after > 0) || generation !== this.#generation) throw lost;
        await this.#timers.sleep(lost.after);
        if (generation !== this.#generation) throw lost;
      }
    }
  }

  /** request sends one message and promises its answer, be it an error; or rejects with Lost. */
  #request(message) {
    if (!this.#socket) return Promise.reject(new Lost());
    // It is about to tell that it is closed; what it is given now would be lost.
    if (this.#socket.readyState > 1) return Promise.reject(new Lost(timing.firstWait));
    return this.#requests.send(this.#socket, message);
  }

  #receive(data) {
    this.#heard = this.#o.clock.now();
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return; // not one of ours
    }
    if (typeof message !== 'object' || message === null) return;
    if (message.type === 'bye') {
      this.#bye(message);
      return;
    }
    if (message.type === 'error' && message.id === undefined && message.code === 'token_expired') {
      this.#over();
      return;
    }
    const { changed, gaps, reset } = this.#state.take(message);
    if (reset) {
      this.#fresh.clear();
      this.#tell('epoch', { epoch: this.#state.epoch });
    }
    if (message.type === 'delta') for (const topic of changed) if (this.#subscribed.has(topic)) this.#fresh.add(topic);
    if (changed.length > 0) this.#tell('change', { topics: changed });
    this.#requests.answer(message);
    if (reset) this.#askAll();
    for (const topic of gaps) if (this.#wanted.has(topic)) this.#due.add(topic);
    if (gaps.length > 0) this.#settle();
  }

  /** over: the server has ended our authority, perhaps one that was renewed just before. */
  #over() {
    const ended = [...this.#fresh].filter((topic) => !topic.startsWith('sku:'));
    for (const topic of ended) this.#fresh.delete(topic);
    this.#tell('change', { topics: ended });
    this.#renewedAt = -Infinity;
    this.#renew();
  }

  /** bye: the server is about to close. The connection is used until then. */
  #bye({ code, retry, after = 0 }) {
    this.#tell('bye', { code, retry: retry === true, after });
    if (retry !== true) {
      this.#drop();
      this.#setStatus('ended');
      return;
    }
    const { clock, random } = this.#o;
    const wait = after + timing.fullJitter(0, random);
    this.#notBefore = clock.now() + wait;
    this.#timers.start('lifetime', wait, () => this.reconnect());
  }

  // ---- Small things ----

  #write(message) {
    const done = this.#writes.push(message);
    const tell = () => this.#tell('writes', { pending: this.#writes.size });
    tell();
    done.then(tell, tell);
    return done;
  }

  #abandon(code, message) {
    if (this.#writes.size > 0) this.#writes.abandon(code, message);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #setStatus(status) {
    if (status === this.#status) return;
    const was = this.live;
    this.#status = status;
    this.#tell('status', { status });
    if (was !== this.live) this.#tell('live', { live: this.live });
  }
}
