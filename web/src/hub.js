// Hub keeps a page connected to the real-time hub: it makes connections (connection.js),
// says who the person is (identity.js), applies messages (state.js), asks for proof (proof.js)
// and sends changes to the cart (changes.js).
//
// Events, all CustomEvents:
//   change    {topics}             the value or the freshness of these topics changed
//   live      {live}               whether there is proof that values are up to date
//   status    {status}             connecting, live, polling, waiting, offline, ended (by the server) or closed
//   identity  {user, role, was}    the user changed; was is the user before, null at first
//   notice    {code, fromToken}    a token was not accepted; fromToken: the token option returned it
//   epoch     {epoch}              a new epoch began: all values are read again
//   ordered   {topic}              a checkout took the lines of this cart, here or on another device
//   refused   {topic, code}        the server refused a topic
//   problem   {code, message}      something that a developer or a person should know
//   bye       {code, retry, after} the server is about to close the connection
//   cart      {}                   the cart, or what is pending in it, changed
//
// Guarantees: Requests that change subscriptions are sent one after the other. The values of
// one user are never shown to another: the hub knows the user before it requests anything.
// A message is applied before the promise of its request resolves.

import { State, cartTopic } from './state.js';
import { Changes } from './changes.js';
import { Connection } from './connection.js';
import { HTTPSocket } from './http-socket.js';
import { Identity } from './identity.js';
import { Proof } from './proof.js';
import { answers, browserSignals, browserStorage, isVisible, randomId, restURL, socketURL } from './browser.js';
import * as timing from './timing.js';

/** protocol is the subprotocol that handshakes offer, and the version of the messages. */
export const protocol = 'securecart.v1';

const bearer = 'bearer.';

/** Options of a Hub, with their defaults. WebSocket and storage default to the browser's. */
const defaults = {
  url: '/v1',
  rest: undefined, // where the REST API is; false: there is none, so the hub never polls
  fetch: (url, request) => globalThis.fetch(url, request),
  token: () => null, // returns the user's token, null for a guest, or a promise of either
  clock: timing.systemClock,
  random: Math.random,
  signals: browserSignals, // calls callback(name), and returns a function that ends this
  visible: isVisible,
  answers, // finds out whether a server answers at all
  melts: true, // whether changes that were not sent yet may melt
  kept: { load: async () => ({ changes: [], ends: [] }), save() {}, remove() {}, release() {} }, // see Kept
  // storage: where a guest's token is kept, like localStorage
  // WebSocket: the class
};

export class Hub extends EventTarget {
  status = 'closed';

  #o;
  #state = new State();
  #wanted = new Map(); // topic -> number of wants
  #refused = new Map(); // topic -> code
  #provenAt = new Map(); // topic -> when its value was last known to be up to date
  #changes;
  #identity;
  #proof;
  #timers;

  #failures = 0; // failed attempts in a row
  #blocked = 0; // sockets in a row that a network may have blocked
  #isPollDue = false; // a poll is on its way
  #within = timing.reconnectWithin; // pages that lose their connections together come back over this time, in ms
  #notBefore = 0; // the server asked not to reconnect before this time
  #stopSignals = () => {};
  #round = 0; // counts attempts and connections, to tell late events of an earlier one apart

  #now = null; // the Connection whose values are shown
  #next = null; // the Connection that is being made
  #old = null; // one that was replaced, and waits for answers
  #toldLive = false;

  constructor(options) {
    super();
    this.#o = { ...defaults, WebSocket: globalThis.WebSocket, storage: browserStorage(), ...options };
    const { clock, random, kept } = this.#o;
    this.#timers = new timing.Timers(clock);
    this.#identity = new Identity({
      token: this.#o.token,
      storage: this.#o.storage,
      clock,
      random,
      timers: this.#timers,
      emit: (type, detail) => this.#emit(type, detail),
      connection: () => this.#connections.at(-1) ?? null,
      reconnect: () => this.reconnect(),
      lost: (c) => this.#lost(c),
      merge: (from) => this.write({ action: 'merge', from, policy: 'sum', key: `p${randomId()}.1` }),
      review: () => this.#state.reviewAll(),
      left: () => this.#onLeft(),
      verified: () => {
        for (const each of this.#connections) each.subscriptions.requestAll();
        this.#changes.pump();
      },
    });
    this.#proof = new Proof({
      clock,
      timers: this.#timers,
      visible: this.#o.visible(),
      ask: () => this.#ask(),
      failed: () => this.#lost(this.#now),
      changed: () => this.#tellLive(),
    });
    this.#changes = new Changes({
      ready: () => Boolean(this.#now?.greeted) && !this.#identity.unverified,
      send: (message) => this.#now.request(message),
      renew: () => this.#identity.renew(),
      changed: () => this.#emit('cart', {}),
      keep: (change) => Promise.resolve(kept.save(change)).then(() => this.#emit('cart', {})),
      forget: (key, ends) => kept.remove(key, ends),
      sleep: (ms) => this.#timers.sleep(ms),
      melts: this.#o.melts,
      clock,
      random,
    });
  }

  // ---- For the page ----

  /** live reports whether there is proof that the values are up to date. */
  get live() {
    return (this.status === 'live' || this.status === 'polling') && this.#proof.ok;
  }

  get user() {
    return this.#identity.user;
  }

  get role() {
    return this.#identity.role;
  }

  get vendor() {
    return this.#identity.vendor;
  }

  get limits() {
    return this.#identity.limits;
  }

  /** guestToken is the stored token of a guest, or null. */
  get guestToken() {
    return this.#identity.guestToken;
  }

  get epoch() {
    return this.#state.epoch;
  }

  /** at is when the server last proved that the values are up to date, in ms since 1970; 0 before. */
  get at() {
    return this.#proof.at;
  }

  /** topics lists the topics whose values are known. */
  get topics() {
    return this.#state.topics;
  }

  /** cart is what a page shows of the cart: the confirmed one with the person's own changes on top. */
  get cart() {
    const confirmed = this.get(cartTopic);
    return {
      known: confirmed !== undefined,
      live: this.isLive(cartTopic),
      provenAt: this.provenAt(cartTopic),
      version: confirmed?.version ?? 0,
      pending: this.#changes.size,
      kept: this.#o.kept.works === true && !this.#o.kept.writing,
      lines: this.#changes.view(confirmed),
    };
  }

  /** settled resolves when every change to the cart is answered. */
  settled() {
    return this.#changes.settled();
  }

  /** dismiss forgets the error of a line. */
  dismiss(sku) {
    if (this.#changes.errors.delete(sku)) this.#emit('cart', {});
  }

  /** get returns the newest known value of a topic (see State.get), or undefined. */
  get(topic) {
    return this.#state.get(topic);
  }

  /** isLive reports whether a topic's value is up to date. It is false until the server has sent or confirmed it. */
  isLive(topic) {
    return this.live && this.#isFresh(topic);
  }

  /** provenAt returns when a topic's value was last known to be up to date, in ms since 1970, or null. */
  provenAt(topic) {
    return (this.#isFresh(topic) ? this.#proof.at : this.#provenAt.get(topic)) || null;
  }

  /** refusal returns the code with which a topic was refused, or undefined. */
  refusal(topic) {
    return this.#refused.get(topic);
  }

  /** seed takes a value that came with the page or from another tab. It is known, and not live. */
  seed(topic, value, provenAt = null) {
    if (!value || !this.#state.seed(topic, value)) return false;
    if (provenAt) this.#provenAt.set(topic, provenAt);
    return true;
  }

  /** resume takes over from another tab, before open: what it knew stays the least that this one shows. */
  resume(known) {
    if (known.epoch) this.#state.apply({ type: 'hello', epoch: known.epoch });
    this.#identity.resume(known);
  }

  /** open connects. The hub then reconnects until close is called. */
  open() {
    if (this.status !== 'closed') return;
    this.#stopSignals = this.#o.signals((name) => this.signal(name));
    this.#failures = 0;
    this.readKept();
    this.#connect();
  }

  /** readKept takes over changes that a page or a tab kept and did not finish. */
  async readKept() {
    this.#changes.adopt(await this.#o.kept.load());
  }

  /** close ends the connection. open may be called again. */
  close() {
    if (this.status === 'closed') return;
    this.#stopSignals();
    this.#disconnect();
    this.#setStatus('closed');
    this.#changes.abandon('closed', 'the page closed its connection');
  }

  /** leave ends the connection, and leaves the changes to the tab that takes over. */
  leave() {
    this.#stopSignals();
    this.#disconnect();
    this.#o.kept.release();
    this.status = 'closed';
  }

  /** reconnect opens a new connection at once. Call it when the token option returns a different token. */
  reconnect() {
    if (this.status === 'closed' || this.status === 'ended') return;
    this.#disconnect();
    this.#failures = 0;
    this.#notBefore = 0;
    this.#connect();
  }

  /** want subscribes to topics. Each want needs its own drop. All wants and drops of one task share messages. */
  want(topics) {
    const begun = [];
    for (const topic of topics) {
      const n = this.#wanted.get(topic) ?? 0;
      this.#wanted.set(topic, n + 1);
      if (n === 0) begun.push(topic);
    }
    for (const c of this.#connections) c.subscriptions.wants(begun);
  }

  /** drop reverses a want. */
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
    for (const c of this.#connections) c.subscriptions.flush();
  }

  /**
   * write queues a change to the cart. It resolves with the server's ok, and rejects with a
   * WriteError. The message has a key that no other change has.
   */
  write(message, again) {
    // A version is valid in its epoch only.
    const based = message.version !== undefined && this.epoch ? { ...message, epoch: this.epoch } : message;
    return this.#changes.push(based, again);
  }

  /** takeBack takes back a change that was not sent yet. */
  takeBack(key) {
    this.#changes.takeBack(key);
  }

  /** check asks for proof after a silence. doubt takes the proof away until there is a new one. */
  check() {
    const age = this.#o.clock.now() - this.#proof.at;
    if (!this.#now?.polls) this.#proof.check();
    else if (age >= timing.pollMissed) this.#proof.check(timing.pollMissed);
    else if (age >= timing.pollSoonest) this.#poll();
  }

  doubt() {
    if (this.#now?.settled) this.#proof.doubt();
  }

  /** signal reports what happens to the page, see browserSignals. */
  signal(name) {
    const { status } = this;
    if (name === 'freeze') {
      if (status === 'closed' || status === 'ended') return;
      this.#disconnect();
      this.#o.kept.release();
      this.#setStatus('waiting');
    } else if (name === 'offline') {
      this.#proof.lose();
      if (status === 'waiting') this.#setStatus('offline');
    } else if (name === 'touch') {
      this.#proof.touch();
    } else if (name === 'hidden') {
      this.#proof.seen(false);
    } else if (status === 'waiting' || status === 'offline') {
      this.#comeBack(); // online, visible, thaw
    } else if (this.#now?.settled) {
      if (name !== 'online') this.#proof.seen(true);
      else if (!this.#now.polls) this.#proof.doubt();
      else {
        this.#poll();
        this.#comeBack(); // the page is on another network, perhaps, which blocks no sockets
      }
    }
  }

  /** comeBack connects as soon as the server lets it. A page that was frozen has no timer that does. */
  #comeBack() {
    if (this.#next) return;
    const { clock, random } = this.#o;
    const left = this.#notBefore - clock.now();
    if (left > 0) this.#timers.start('reconnect', left + timing.fullJitter(0, random), () => this.#connect());
    else this.#connect();
  }

  // ---- The connection ----

  get #connections() {
    return [this.#now, this.#next].filter((c) => c?.greeted);
  }

  #isFresh(topic) {
    return Boolean(this.#now?.settled && this.#now.subscriptions.isFresh(topic)) && !this.#state.isBehind(topic);
  }

  /** connect makes the next connection, over a socket or by polling. One that is live stays so until the next one is. */
  async #connect(polls = false) {
    const round = ++this.#round;
    this.#timers.stop('reconnect');
    this.#next?.close();
    this.#next = null;
    if (!this.#now) this.#setStatus('connecting');
    const offered = await this.#identity.offer(() => this.#changes.size > 0);
    if (round !== this.#round) return;
    const { clock, random } = this.#o;
    let socket;
    try {
      socket = polls ? this.#httpSocket(offered) : this.#webSocket(offered);
    } catch (error) {
      this.#emit('problem', { code: 'bad_url', message: String(error?.message ?? error) });
      this.#retry();
      return;
    }
    const c = new Connection({
      socket,
      polls,
      clock,
      random,
      state: this.#state,
      subscriptions: {
        wanted: this.#wanted,
        refused: this.#refused,
        limits: () => this.limits,
        skusOnly: () => this.#identity.unverified,
        emit: (type, detail) => this.#emit(type, detail),
        onExpired: () => this.#identity.renew(),
        onStale: (topics) => c === this.#now && topics.forEach((topic) => this.#provenAt.set(topic, this.#proof.at)),
      },
      onHello: (answer) => this.#onHello(c, answer, offered),
      onMessage: (message) => this.#onMessage(c, message),
      onSettled: (first) => (first ? this.#onSettled(c) : this.#onPolled(c)),
      onLost: (after, cut) => this.#lost(c, after, cut),
    });
    this.#next = c;
  }

  #webSocket({ text }) {
    return new this.#o.WebSocket(socketURL(this.#o.url), text ? [protocol, bearer + text] : [protocol]);
  }

  #httpSocket({ text, fromToken }) {
    const { user, role, vendor, epoch } = this;
    const { rest, url, fetch, clock, random } = this.#o;
    const onBusy = (ms) => (this.#notBefore = clock.now() + ms);
    return new HTTPSocket({ url: restURL(rest, url), token: text, fromToken, epoch, who: { user, role, vendor }, fetch, random, onBusy });
  }

  #onHello(c, answer, offered) {
    if (answer.type !== 'hello') {
      this.#lost(c, answer.after);
      return;
    }
    c.greeted = true;
    this.#now ??= c;
    if (!this.#identity.greet(answer, offered)) {
      this.reconnect();
      return;
    }
    const lasts = answer.reconnectAfter > 0 ? answer.reconnectAfter * 1000 : timing.longestTimer;
    if (!c.announced) this.#retireAt(c.polls ? timing.socketFirst : lasts);
    this.#keepAlive();
    this.#within = answer.reconnectWithin > 0 ? answer.reconnectWithin * 1000 : timing.reconnectWithin;
    c.pingEvery = answer.pingEvery > 0 ? answer.pingEvery * 1000 : c.polls ? timing.pollMissed : Infinity;
    c.subscriptions.requestAll();
    this.#changes.pump();
  }

  /** onLeft: another user has the page. Nothing of the one before may be shown any more. */
  #onLeft() {
    const greeted = this.#connections.at(-1);
    for (const c of [this.#now, this.#old]) if (c !== greeted) c?.close();
    if (this.#now !== greeted) this.#proof.end();
    this.#now = greeted;
    this.#old = null;
    if (this.#state.forget(cartTopic)) this.#emit('change', { topics: [cartTopic] });
    for (const c of this.#connections) c.subscriptions.expire((topic) => topic === cartTopic);
    this.#changes.abandon('identity', 'the user has changed');
  }

  /** onSettled: a connection says everything now. An older one is not needed any more. */
  #onSettled(c) {
    const { clock } = this.#o;
    const old = this.#now;
    this.#next = null;
    this.#now = c;
    if (old !== c) {
      this.#old?.close();
      this.#old = old;
      old?.retire(timing.answerWithin);
      if (old?.polls) this.#keepAlive();
    }
    this.#isPollDue = false;
    this.#proof.begin(c.pingEvery);
    this.#timers.start('held', timing.heldFor, () => (this.#failures = 0));
    if (!c.announced) this.#notBefore = clock.now();
    this.#setStatus(c.polls ? 'polling' : 'live');
    this.#emit('change', { topics: [...this.#wanted.keys()] });
    this.#changes.pump();
  }

  /** lost: a connection is gone. One that was being made leaves the one that is live alone. */
  #lost(c, after, cut = false) {
    // Many pages may have been cut together, unless the server has announced it: then it spreads them itself.
    const within = cut && !c.polls && c === this.#now && this.#notBefore <= this.#o.clock.now() ? this.#within : 0;
    c?.close();
    if (c && c === this.#old) return; // its requests are repeated on the one that replaced it
    if (c && !c.polls) this.#blocked = c.isBlocked(cut) ? this.#blocked + 1 : 0;
    if (c === this.#next) this.#next = null;
    if (c === this.#now) {
      this.#now = null;
      if (this.#next?.greeted) this.#now = this.#next;
      this.#proof.end();
      this.#changes.lost();
      this.#timers.stop('held');
    }
    if (c && !c.opened && this.#failures + 1 === timing.failuresToProbe) this.#probe();
    if (!this.#next) this.#retry(after, within, this.#mayPoll(c));
  }

  /** mayPoll reports whether to poll after a connection was lost: its socket failed, as the one before it did. */
  #mayPoll(c) {
    return this.#o.rest !== false && c && !c.polls && this.#blocked >= timing.failuresToPoll && !this.#now;
  }

  /**
   * retry makes another connection after a random wait, not sooner than atLeast ms. within: spread
   * over this time at least. polls: by polling; nobody waits for that longer than within.
   */
  #retry(atLeast = 0, within = 0, polls = false) {
    this.#round++;
    if (this.#now?.polls) {
      this.#retireAt(timing.socketAgain);
      return;
    }
    if (!this.#now) {
      for (const name of ['keepAlive', 'lifetime']) this.#timers.stop(name);
      this.#identity.forgetConnection();
      this.#setStatus(globalThis.navigator?.onLine === false ? 'offline' : 'waiting');
    }
    const { clock, random } = this.#o;
    const least = Math.max(atLeast ?? 0, this.#notBefore - clock.now(), 0);
    const wait = least + (polls ? random() * within : timing.fullJitter(this.#failures++, random, within));
    this.#timers.start('reconnect', wait, () => this.#connect(polls));
  }

  /** probe tells a server that refuses this page from one that does not answer. A browser says neither. */
  async #probe() {
    const there = await this.#o.answers(socketURL(this.#o.url));
    if (this.#now || this.status === 'offline') return;
    this.#emit('problem', there ? refusedHandshake : noServer);
  }

  /** disconnect ends all connections and discards what belongs to them. */
  #disconnect() {
    this.#round++;
    for (const c of [this.#now, this.#next, this.#old]) c?.close();
    this.#now = this.#next = this.#old = null;
    this.#identity.forgetConnection();
    this.#proof.end();
    this.#timers.stopAll();
    this.#changes.lost();
  }

  /** keepAlive starts the keep-alive: conditional subscribes, which also recover lost deltas. Or the next poll. */
  #keepAlive() {
    const every = !this.#now?.polls ? timing.keepAliveEvery : this.#o.visible() ? timing.pollEvery : timing.pollHidden;
    this.#timers.start('keepAlive', every * (0.9 + 0.2 * this.#o.random()), () => {
      if (this.#now?.polls) {
        if (this.#isPollDue) this.#keepAlive();
        else this.#poll();
        return;
      }
      if (this.#wanted.size > 0) this.#now?.subscriptions.requestAll();
      else this.#now?.ping();
      this.#keepAlive();
    });
  }

  /** ask asks for proof. */
  #ask() {
    if (this.#now?.polls) this.#poll();
    else this.#now?.ping();
  }

  /** poll reads all that is wanted. When it is answered, that is proof. */
  #poll() {
    this.#isPollDue = true;
    this.#keepAlive();
    this.#now.subscriptions.requestAll();
  }

  /** onPolled: all requests of a connection are answered. */
  #onPolled(c) {
    if (c !== this.#now || !this.#isPollDue) return;
    this.#isPollDue = false;
    this.#proof.answered();
    this.#proof.frame();
  }

  /** retireAt makes the next connection before this one is ended. */
  #retireAt(lifetime) {
    this.#timers.start('lifetime', lifetime * (0.9 + 0.1 * this.#o.random()), () => this.#replace());
  }

  /** replace makes the next connection. One that does not say everything by now is lost. */
  #replace() {
    if (this.#now?.settled === false) this.#lost(this.#now);
    else this.#connect();
  }

  // ---- Messages ----

  /** onMessage applies a message. It returns what is to be done after its request got the answer. */
  #onMessage(c, message) {
    if (c === this.#now && c.settled && !c.polls) {
      if (message.type === 'pong') this.#proof.answered();
      else this.#proof.frame();
    }
    if (message.type === 'bye') return this.#bye(c, message);
    if (message.type === 'error' && message.id === undefined && message.code === 'token_expired') return this.#onExpired(c);
    const { changed, gaps, reset, ordered } = this.#state.apply(message, c.asked(message));
    if (reset) {
      for (const each of this.#connections) each.subscriptions.expire();
      this.#emit('epoch', { epoch: this.#state.epoch });
    }
    // After a reset, changed also has the topics that lost their values.
    const delivered = changed.filter((topic) => this.#state.get(topic) !== undefined);
    if (message.type === 'delta') for (const each of this.#connections) each.subscriptions.deliver(delivered);
    if (changed.includes(cartTopic)) this.#changes.confirmed(this.#state.get(cartTopic)?.version ?? 0);
    if (changed.length > 0) this.#emit('change', { topics: changed });
    for (const topic of ordered) this.#emit('ordered', { topic });
    return () => {
      // Not only on c, which may have been replaced.
      for (const each of this.#connections) {
        if (reset) each.subscriptions.requestAll();
        each.subscriptions.request(gaps);
        if (message.type === 'error') this.#onRefusedVersion(each, message.code);
      }
    };
  }

  /** onRefusedVersion: the server does not know the version of a write, so the page shows a history that has ended. */
  #onRefusedVersion(c, code) {
    if (code === 'gone_version') c.subscriptions.request([cartTopic]);
    if (code !== 'old_epoch') return;
    this.#emit('change', { topics: c.subscriptions.expire() });
    c.subscriptions.requestAll();
  }

  /** onExpired: the session has expired or was revoked, perhaps one that was renewed a moment ago. */
  #onExpired(c) {
    const topics = c.subscriptions.expire((topic) => !topic.startsWith('sku:'));
    this.#emit('change', { topics });
    this.#identity.renewNow();
  }

  /** bye: the server is about to close a connection. It is used until then. */
  #bye(c, { code, retry, after = 0 }) {
    if (retry === true && c === this.#old) return;
    this.#emit('bye', { code, retry: retry === true, after });
    if (retry !== true) {
      this.#disconnect();
      this.#setStatus('ended');
      return;
    }
    const { clock, random } = this.#o;
    const wait = after + timing.fullJitter(0, random);
    this.#notBefore = clock.now() + wait;
    if ((this.#next ?? c) !== c) return; // the next one is being made
    this.#round++; // an attempt that waits for a token would be too early
    this.#timers.stop('reconnect');
    this.#timers.start('lifetime', wait, () => this.#replace());
  }

  // ---- Helpers ----

  /** emit tells the page. What a page shows of the cart depends on whether its topic is live, too. */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
    if (type === 'change' && detail.topics.includes(cartTopic)) this.#emit('cart', {});
  }

  #setStatus(status) {
    if (status === this.status) return;
    this.status = status;
    this.#emit('status', { status });
    this.#tellLive();
  }

  #tellLive() {
    if (this.#toldLive === this.live) return;
    this.#toldLive = this.live;
    this.#emit('live', { live: this.live });
  }
}

const refusedHandshake = {
  code: 'refused',
  message: 'The hub answers, but refuses this page. Is its origin in AllowedOrigins, and the path of the URL right?',
};
const noServer = {
  code: 'unreachable',
  message: 'No hub answers at this URL, or the Content-Security-Policy of the page forbids it (connect-src).',
};
