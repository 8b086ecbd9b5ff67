// Subscriptions keeps the server's subscriptions of one connection equal to the topics
// that the page wants.
//
// It sends one request at a time, because the gateway may run two messages of a
// connection concurrently, and a subscribe could then overtake an unsubscribe.

import { isTopic } from './state.js';
import { fullJitter } from './timing.js';
import { LostError } from './requests.js';

export class Subscriptions {
  #o;
  #flushing = false;
  #settling = false;
  #failures = 0; // requests in a row that must be repeated
  #subscribed = new Set();
  #due = new Set(); // topics to subscribe to, with their versions
  #fresh = new Set(); // topics whose value this connection delivered or confirmed

  /**
   * Options:
   *   state         the State
   *   wanted        a Map of the topics that the page wants; shared by its connections
   *   refused       a Map of topic to code, shared too
   *   limits()      the limits that hello returned
   *   ready()       reports whether the connection may be used
   *   skusOnly()    reports whether only SKUs may be requested at the moment
   *   ask(message, topics)  resolves with an answer, and rejects with LostError; topics are
   *                 those whose values the answer has
   *   emit(type, detail)
   *   onSettled()   is called when all due requests of the connection are answered
   *   onExpired()   is called when a topic was refused because the session has expired
   *   onStale(topics)  is called when topics are no longer kept up to date
   *   sleep(ms), random
   */
  constructor(options) {
    this.#o = options;
  }

  isFresh(topic) {
    return this.#fresh.has(topic);
  }

  /** wants subscribes to topics that the page has begun to want. */
  wants(topics) {
    for (const topic of topics) if (!this.#subscribed.has(topic)) this.#due.add(topic);
    this.flush();
  }

  /** requestAll subscribes to all wanted topics again, with the versions that the page has. */
  requestAll() {
    this.#due = new Set(this.#o.wanted.keys());
    this.#settle();
  }

  /** request subscribes again to those of the topics that are wanted. */
  request(topics) {
    for (const topic of topics) if (this.#o.wanted.has(topic)) this.#due.add(topic);
    if (topics.length > 0) this.#settle();
  }

  /** deliver marks topics as fresh, because a delta has brought their newest value. */
  deliver(topics) {
    for (const topic of topics) if (this.#subscribed.has(topic)) this.#fresh.add(topic);
  }

  /** expire marks topics as not fresh and returns them: those that match, by default all. */
  expire(matches = () => true) {
    const topics = [...this.#fresh].filter(matches);
    this.#o.onStale(topics);
    for (const topic of topics) this.#fresh.delete(topic);
    return topics;
  }

  /** flush waits for the end of the current task, so that all badges of a page share one message. */
  flush() {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#settle();
    });
  }

  /** settle sends requests until the server's subscriptions equal the wanted topics. */
  async #settle() {
    if (!this.#o.ready() || this.#settling) return;
    this.#settling = true;
    try {
      while (this.#o.ready() && (await this.#step()));
    } catch (lost) {
      if (!(lost instanceof LostError)) throw lost;
    } finally {
      this.#settling = false;
    }
    if (this.#o.ready()) this.#o.onSettled();
  }

  /** step sends one request and applies its answer. It returns false if there is nothing to send. */
  async #step() {
    const limit = this.#o.limits().topicsPerMessage;
    const unwanted = [...this.#subscribed].filter((topic) => !this.#o.wanted.has(topic)).slice(0, limit);
    if (unwanted.length > 0) return this.#unsubscribe(unwanted);
    const topics = this.#nextDue(limit);
    if (topics.length === 0) return false;
    return this.#subscribe(topics);
  }

  async #unsubscribe(topics) {
    const answer = await this.#o.ask({ action: 'unsubscribe', topics });
    if (answer.type === 'error' && answer.retry) return this.#pause(answer);
    this.#o.onStale(topics.filter((topic) => this.#fresh.has(topic)));
    for (const topic of topics) {
      this.#subscribed.delete(topic);
      this.#fresh.delete(topic);
      if (this.#o.wanted.has(topic)) this.#due.add(topic); // wanted again in the meantime
    }
    // There is room now for topics that were over the limit.
    for (const [topic, code] of this.#o.refused) if (code === 'too_many_topics') this.#due.add(topic);
    return true;
  }

  async #subscribe(topics) {
    for (const topic of topics) {
      this.#due.delete(topic);
      this.#subscribed.add(topic);
    }
    const answer = await this.#o.ask(this.#subscribeMessage(topics), topics);
    if (answer.type === 'error') {
      for (const topic of topics) {
        if (answer.retry) this.#due.add(topic);
        else this.#refuse(topic, answer.code);
      }
      return this.#pause(answer);
    }
    this.#failures = 0;
    this.#confirm(topics, answer);
    await this.#getAgain(answer.again);
    return true;
  }

  /** nextDue returns due topics for one message, as far as the connection has room. */
  #nextDue(limit) {
    const topics = [];
    let room = this.#o.limits().topics - this.#subscribed.size;
    for (const topic of this.#due) {
      if (topics.length === limit) break;
      if (!this.#o.wanted.has(topic)) {
        this.#due.delete(topic);
      } else if (!isTopic(topic)) {
        this.#due.delete(topic);
        this.#refuse(topic, 'bad_topic');
      } else if (this.#o.skusOnly() && !topic.startsWith('sku:')) {
        // It stays due until the user is known.
      } else if (!this.#subscribed.has(topic) && --room < 0) {
        this.#due.delete(topic);
        this.#refuse(topic, 'too_many_topics');
      } else {
        topics.push(topic);
      }
    }
    return topics;
  }

  #subscribeMessage(topics) {
    const versions = this.#o.state.versions(topics);
    if (Object.values(versions).every((v) => v === 0)) return { action: 'subscribe', topics };
    return { action: 'subscribe', epoch: this.#o.state.epoch, topics: versions };
  }

  #confirm(topics, answer) {
    // An answer of an epoch that has ended confirms nothing; everything is due again.
    const current = answer.epoch === this.#o.state.epoch;
    const again = new Set(current ? answer.again : topics);
    const refused = answer.refused ?? {};
    const changed = [];
    for (const topic of topics) {
      if (topic in refused) continue;
      const wasRefused = this.#o.refused.delete(topic);
      if (again.has(topic) || (this.#fresh.has(topic) && !wasRefused)) continue;
      this.#fresh.add(topic);
      changed.push(topic);
    }
    let sessionExpired = false;
    for (const [topic, code] of Object.entries(refused)) {
      if (this.#fresh.delete(topic)) changed.push(topic);
      this.#refuse(topic, code);
      sessionExpired ||= code === 'token_expired';
    }
    if (changed.length > 0) this.#o.emit('change', { topics: changed }); // their freshness has changed
    if (sessionExpired) this.#o.onExpired();
  }

  /** getAgain fetches the topics that did not fit into an answer. */
  async #getAgain(topics) {
    while (topics?.length > 0) {
      const answer = await this.#o.ask({ action: 'get', topics }, topics);
      if (answer.type !== 'snapshot') {
        for (const topic of topics) this.#due.add(topic);
        await this.#pause(answer);
        return;
      }
      if (answer.again?.length >= topics.length) return; // no progress; the keep-alive subscribes again
      this.#confirm(topics, answer);
      topics = answer.again;
    }
  }

  #refuse(topic, code) {
    this.#subscribed.delete(topic);
    if (this.#o.refused.get(topic) === code) return; // polls are refused again and again
    this.#o.refused.set(topic, code);
    this.#o.emit('refused', { topic, code });
  }

  /** pause waits before a request is repeated. */
  async #pause({ retry, after, code, message }) {
    if (!retry) this.#o.emit('problem', { code, message });
    await this.#o.sleep(Math.max(after ?? 0, fullJitter(3 + this.#failures++, this.#o.random)));
    return true;
  }
}
