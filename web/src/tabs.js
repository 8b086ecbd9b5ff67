// Tabs lets all tabs of a person share one socket. The tab that holds a lock leads: it has
// the Hub. The others follow: they say over a channel what they want, and hear what the
// leader knows. When the leader goes, the lock goes to the next one, which makes a
// connection of its own.
//
// Sharing saves money; that the page is right does not rest on it. Two tabs that both lead
// for a moment do no harm, because values have versions and changes have keys.

import { Far } from './far.js';
import { Followers, shared } from './followers.js';
import { Hub } from './hub.js';
import { Kept } from './kept.js';
import { Person } from './person.js';
import { Proof } from './proof.js';
import { WriteError } from './changes.js';
import { browserSignals, isVisible, randomId } from './browser.js';
import { answerOfTab, pollEvery, restAfter, stealEvery, systemClock, Timers } from './timing.js';

/** alone stands in for what a page needs to share, where there is nothing to share with. */
const alone = {
  locks: { request: async (_name, _options, f) => f() },
  channel: () => ({ postMessage() {}, close() {} }),
};

/** browserSharing returns what a browser has for sharing. A page over plain HTTP on a LAN has no locks. */
function browserSharing() {
  const locks = globalThis.navigator?.locks;
  return locks && globalThis.BroadcastChannel ? { locks, channel: (name) => new BroadcastChannel(name) } : alone;
}

export class Tabs extends EventTarget {
  #o;
  #id = randomId();
  #timers;
  #signals = () => {};
  #open = false;
  #toldLive = false;

  #kept = null; // keeps the person's changes
  #who; // whose the cart is
  #group = null; // the name of the lock and the channel
  #channel = null;
  #election = null; // an AbortController
  /** @type {any} */
  #hub = null; // of the leader
  #followers = null; // of the leader: the other tabs
  #term = 0;
  #stolenAt = -Infinity;
  #proof;

  #wanted = new Map(); // topic -> number of wants of this tab
  #far; // what a follower knows
  #mine = new Map(); // key -> {message, signal, resolve, reject}: this tab's unanswered changes
  #keys = 0;
  #telling = false; // a message with the wants of this tab is on its way
  #rests = false; // the page has been hidden for a while, so it wants no badges

  /** The options are those of a Hub; tabs: false shares with nobody; sharing {locks, channel} for tests. */
  constructor(options) {
    super();
    this.#o = {
      clock: systemClock,
      visible: isVisible,
      signals: browserSignals,
      token: () => null,
      tabs: true,
      keptFor: (person) => new Kept(this.#o.url + person, () => this.#emit('problem', notKept)),
      ...options,
    };
    this.#o.sharing ??= this.#o.tabs ? browserSharing() : alone;
    const { clock } = this.#o;
    this.#timers = new Timers(clock);
    this.#who = new Person({ ...this.#o, timers: this.#timers });
    this.#proof = new Proof({
      clock,
      timers: this.#timers,
      within: answerOfTab,
      visible: this.#o.visible(),
      ask: () => this.#post({ kind: 'ask', doubt: !this.#proof.ok }),
      failed: () => this.#steal(),
      changed: () => this.#tellLive(),
    });
    this.#far = new Far(() => this.#proof.ok);
  }

  // ---- What a page asks: as a Hub answers ----

  /** leads reports whether this tab has the socket. */
  get leads() {
    return this.#hub !== null;
  }

  /** source answers what the page asks: the hub of this tab, or what it has heard of another one's. */
  get #source() {
    return this.#hub ?? this.#far;
  }

  get live() {
    return this.#source.live;
  }

  get status() {
    return this.#open ? this.#source.status : 'closed';
  }

  get user() {
    return this.#source.user;
  }

  get role() {
    return this.#source.role;
  }

  get vendor() {
    return this.#source.vendor;
  }

  get limits() {
    return this.#source.limits;
  }

  get epoch() {
    return this.#source.epoch;
  }

  get guestToken() {
    return this.#source.guestToken;
  }

  get cart() {
    return this.#source.cart;
  }

  get(topic) {
    return this.#source.get(topic);
  }

  isLive(topic) {
    return this.#source.isLive(topic);
  }

  provenAt(topic) {
    return this.#source.provenAt(topic);
  }

  refusal(topic) {
    return this.#source.refusal(topic);
  }

  seed(topic, value) {
    return this.#source.seed(topic, value);
  }

  open() {
    if (this.#open) return;
    this.#open = true;
    this.#signals = this.#o.signals((name) => this.#signal(name));
    this.#join();
  }

  close() {
    if (!this.#open) return;
    this.#signals();
    this.#leave();
    this.#open = false;
    this.#settleMine(new WriteError({ code: 'uncertain', message: 'the page closed its connection' }));
    this.#emit('status', { status: 'closed' });
  }

  /** reconnect asks for the token again. The person may be another one now, with other tabs. */
  reconnect() {
    if (!this.#open) return;
    this.#leave();
    this.#join();
  }

  want(topics) {
    const begun = topics.filter((topic) => !this.#wanted.has(topic));
    for (const topic of topics) this.#wanted.set(topic, (this.#wanted.get(topic) ?? 0) + 1);
    this.#askFor(begun.filter((topic) => this.#isAwake(topic)), []);
  }

  drop(topics) {
    const ended = [];
    for (const topic of topics) {
      const n = this.#wanted.get(topic) ?? 0;
      if (n > 1) this.#wanted.set(topic, n - 1);
      else if (this.#wanted.delete(topic)) ended.push(topic);
    }
    this.#askFor([], ended.filter((topic) => this.#isAwake(topic)));
  }

  /** askFor begins and ends subscriptions of this tab. */
  #askFor(begun, ended) {
    this.#far.letGo(ended);
    if (this.#hub) {
      this.#hub.want(begun);
      this.#hub.drop(ended);
    } else if (begun.length + ended.length > 0) {
      this.#tellWants();
    }
  }

  /** isAwake: a page that is hidden for a while wants no badges, only what changes its cart. */
  #isAwake(topic) {
    return !this.#rests || !topic.startsWith('sku:');
  }

  /** wants lists the topics that this tab wants now. */
  #wants() {
    return [...this.#wanted.keys()].filter((topic) => this.#isAwake(topic));
  }

  /** rest lets go of badges, or asks for them again. Tabs share the topics that a connection may have. */
  #rest(rests) {
    this.#timers.stop('rest');
    if (rests === this.#rests) return;
    const badges = [...this.#wanted.keys()].filter((topic) => topic.startsWith('sku:'));
    this.#rests = rests;
    if (rests) this.#askFor([], badges);
    else this.#askFor(badges, []);
  }

  write(message, signal) {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (!this.#open) return Promise.reject(new WriteError({ code: 'closed', message: 'the page has closed its connection' }));
    const key = `t${this.#id}.${++this.#keys}`;
    const mine = { message: { ...message, key }, signal };
    const done = new Promise((resolve, reject) => Object.assign(mine, { resolve, reject }));
    this.#mine.set(key, mine);
    mine.done = done.catch(() => {});
    signal?.addEventListener('abort', () => this.#takeBack(key), { once: true });
    if (this.#channel && !this.#kept) this.#emit('problem', notKept);
    if (this.#channel) this.#sendNew(key, mine);
    return done;
  }

  /** takeBack takes back a change that was not sent yet. */
  #takeBack(key) {
    if (!this.#mine.has(key)) return;
    if (this.#hub) this.#hub.takeBack(key);
    else this.#post({ kind: 'takeBack', key });
  }

  async settled() {
    while (this.#mine.size > 0) await Promise.all([...this.#mine.values()].map((mine) => mine.done));
    await this.#hub?.settled();
  }

  dismiss(sku) {
    if (this.#hub) this.#hub.dismiss(sku);
    else this.#post({ kind: 'dismiss', sku });
  }

  // ---- Who leads ----

  /** join finds out who the person is, and joins their tabs. known: a promise of the token, if there is one. */
  async #join(known) {
    const election = new AbortController();
    this.#election = election;
    const before = this.#who.id;
    const person = await this.#who.find(known);
    if (this.#election !== election) return;
    this.#who.id = person;
    if (before !== null && before !== person) this.#forgetPerson();
    this.#kept = person ? this.#o.keptFor(person) : null;
    this.#group = ['securecart', this.#o.url, person ?? this.#id].join('|');
    this.#channel = this.#o.sharing.channel(this.#group);
    this.#channel.onmessage = (event) => this.#receive(event.data);
    await this.#beAlive(election.signal);
    if (this.#election !== election) return;
    this.#post({ kind: 'join', topics: this.#wants() });
    this.#stand({ signal: election.signal });
    for (const [key, mine] of this.#mine) this.#sendNew(key, mine);
    this.#proof.watch();
    if (!this.#hub) this.#proof.doubt(); // no leader answers: this tab takes over
  }

  /** beAlive resolves when this tab holds the lock that a tab has as long as it lives. */
  #beAlive(signal) {
    return new Promise((/** @type {(value?: any) => void} */ resolve) => {
      const work = () => {
        resolve();
        return new Promise((end) => signal.addEventListener('abort', end));
      };
      this.#whenFree(this.#id, signal, work).catch(resolve); // where there are no locks, nobody waits for it
    });
  }

  /** whenFree runs work when the lock of a tab is free: when that tab does not live any more. */
  #whenFree(tab, signal, work) {
    return this.#o.sharing.locks.request(`${this.#group}|${tab}`, { signal }, work);
  }

  /** stand asks for the lock. Whoever gets it leads until it lets go or is robbed. */
  #stand(options) {
    const election = this.#election;
    let granted = false;
    this.#o.sharing.locks
      .request(this.#group, options, () => {
        granted = true;
        if (this.#election !== election) return undefined;
        return this.#hub ? undefined : new Promise((release) => this.#lead(release));
      })
      .catch((error) => {
        if (this.#election !== election || election.signal.aborted) return;
        if (!granted) {
          // No locks here, for example in a frame without an origin.
          this.#emit('problem', { code: 'not_shared', message: String(error?.message ?? error) });
          this.#o.sharing = alone;
          if (!this.#hub) this.#lead(() => {});
          return;
        }
        // Robbed: another tab did not hear from this one.
        if (this.#hub) this.#follow();
        if (!options.steal) this.#stand({ signal: election.signal });
      });
  }

  /** steal takes the lock from a leader that does not answer: it may be frozen. */
  #steal() {
    const now = this.#o.clock.now();
    if (this.#hub || !this.#election || !this.#o.visible()) return;
    if (now - this.#stolenAt < stealEvery) {
      this.#timers.start('again', answerOfTab, () => this.#hub || this.#proof.doubt());
      return;
    }
    this.#stolenAt = now;
    this.#stand({ steal: true });
  }

  #lead(release) {
    this.#term = Math.max(this.#term + 1, this.#o.clock.now());
    const options = { ...this.#o, token: (asked) => this.#token(asked), signals: () => () => {} };
    if (this.#kept) options.kept = this.#kept;
    options.melts = this.#o.sharing !== alone;
    /** @type {any} */
    const hub = new Hub(options);
    this.#far.giveTo(hub);
    hub.release = release;
    this.#proof.end();
    this.#hub = hub;
    const { signal } = this.#election;
    this.#followers = new Followers({
      hub,
      post: (message) => this.#post(message),
      whenFree: (tab, work) => this.#whenFree(tab, signal, work),
      clock: this.#o.clock,
      timers: this.#timers,
    });
    for (const type of ['change', 'cart', 'status', 'live', 'identity', ...shared]) {
      hub.addEventListener(type, (e) => hub === this.#hub && this.#onHub(type, e.detail));
    }
    hub.want(this.#wants());
    hub.open();
    for (const key of this.#mine.keys()) this.#send(key, true);
    this.#post({ kind: 'lead' });
  }

  /** follow stops leading. Another tab has the lock. */
  #follow() {
    this.#stopLeading();
    this.#stolenAt = this.#o.clock.now(); // never in reply to a theft
    this.#post({ kind: 'join', topics: this.#wants() });
    this.#proof.watch();
    this.#proof.doubt();
    this.#tellLive();
  }

  /** stopLeading keeps what the hub knew. */
  #stopLeading() {
    const hub = this.#hub;
    this.#far.take(hub);
    this.#hub = null;
    this.#followers.end();
    hub.leave();
    hub.release();
  }

  /** leave lets go of everything that would keep the page from being frozen. */
  #leave() {
    this.#post({ kind: 'leave' });
    this.#election?.abort();
    this.#election = null;
    if (this.#hub) this.#stopLeading();
    this.#proof.end();
    this.#timers.stopAll();
    this.#channel?.close();
    this.#channel = null;
    this.#kept?.release();
  }

  #signal(name) {
    if (name === 'hidden') this.#timers.start('rest', restAfter, () => this.#rest(true));
    if (name === 'visible') this.#rest(false);
    if (name === 'freeze') {
      this.#leave();
      this.#tellLive();
    } else if (name === 'thaw') {
      if (!this.#election) this.#join();
    } else if (this.#hub) {
      this.#hub.signal(name);
    } else if (name === 'offline') {
      this.#proof.lose();
    } else if (name === 'touch') {
      this.#proof.touch();
    } else if (name === 'online') {
      this.#proof.doubt();
    } else {
      this.#proof.seen(name === 'visible');
    }
  }

  // ---- Who the person is ----

  /** token is the hub's token option. If it names somebody else, the tab joins the tabs of that person instead. */
  async #token(asked) {
    const token = await this.#who.token(asked);
    if (this.#who.names(token)) return token;
    this.#leave();
    this.#join(Promise.resolve(token));
    return new Promise(() => {}); // the hub that asked is left
  }

  #forgetPerson() {
    const topics = this.#far.forgetPerson();
    this.#settleMine(new WriteError({ code: 'uncertain', message: 'the user has changed' }));
    this.#emit('change', { topics });
    this.#emit('cart', {});
  }

  #settleMine(error) {
    for (const { reject } of this.#mine.values()) reject(error);
    this.#mine.clear();
  }

  // ---- Messages between tabs ----

  #post(message) {
    this.#channel?.postMessage({ from: this.#id, term: this.#term, ...message });
  }

  #tellWants() {
    if (this.#telling) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      this.#post({ kind: 'wants', topics: this.#wants() });
    });
  }

  /** sendNew keeps a change before the leader hears of it: the leader may be frozen, and keeps it otherwise. */
  async #sendNew(key, { message }) {
    if (!this.#hub && message.action !== 'checkout') await this.#kept?.save({ message, at: this.#o.clock.now() });
    if (this.#mine.has(key)) this.#send(key);
  }

  #send(key, again = false) {
    const mine = this.#mine.get(key);
    const { message } = mine;
    if (!this.#hub) {
      this.#post({ kind: 'write', message, again });
      return;
    }
    this.#hub.write(message, again).then(
      (answer) => this.#settle(key, { answer }),
      (error) => this.#settle(key, { error }),
    );
  }

  /** @param {{answer?: any, error?: any}} result */
  #settle(key, result) {
    const mine = this.#mine.get(key);
    if (!mine) return;
    this.#mine.delete(key);
    if (result.error) mine.reject(mine.signal?.aborted ? mine.signal.reason : result.error);
    else mine.resolve(result.answer);
  }

  #receive(message) {
    if (message.to && message.to !== this.#id) return;
    // What became of a change is true, whoever says it.
    if (message.kind === 'result') this.#settle(message.key, message.error ? { error: new WriteError(message.error) } : message);
    else if (this.#hub) this.#followers.receive(message);
    else if (message.term >= this.#term) this.#fromLeader(message);
  }

  #fromLeader(message) {
    this.#term = message.term;
    switch (message.kind) {
      case 'lead':
        this.#post({ kind: 'join', topics: this.#wants() });
        for (const key of this.#mine.keys()) this.#send(key, true);
        break;
      case 'news':
        this.#hear(message);
    }
  }

  /** hear takes the leader's news. */
  #hear(news) {
    const { values, cart, events, answers } = news;
    const before = this.status;
    const was = this.#far.user;
    this.#who.grow(); // another tab leads; a token that is asked for later is younger
    this.#far.hear(news);
    // A leader that is hidden polls seldom, unless it is asked.
    this.#proof.expect(this.#far.status === 'polling' ? pollEvery : Infinity);
    if (answers) this.#proof.answered();
    else this.#proof.frame();
    const { user, role } = this.#far;
    if (user !== was) this.#emit('identity', { user, role, was });
    for (const [type, detail] of events) this.#emit(type, detail);
    if (before !== this.status) this.#emit('status', { status: this.status });
    this.#tellLive();
    if (values.length > 0) this.#emit('change', { topics: values.map(([topic]) => topic) });
    if (cart) this.#emit('cart', {});
  }

  /** onHub passes an event of the leader's hub to its page and to the followers. */
  #onHub(type, detail) {
    if (type === 'live') this.#tellLive();
    else this.#emit(type, detail);
    this.#followers.note(type, detail);
  }

  #tellLive() {
    if (this.#toldLive === this.live) return;
    this.#toldLive = this.live;
    this.#emit('live', { live: this.live });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const notKept = { code: 'not_kept', message: 'This browser cannot keep changes to the cart over a reload.' };
