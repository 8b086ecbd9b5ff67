// Followers is what the tab that leads does for the others: it wants their topics, makes their
// changes, and tells them what its hub knows.

import { newsOf } from './far.js';
import { answerOfTab, freshFor } from './timing.js';

/** Events of the leader that followers hear. "change", "cart" and "status" follow from the news. */
export const shared = ['notice', 'epoch', 'ordered', 'refused', 'problem', 'bye'];

export class Followers {
  #o;
  #hub;
  #tabs = new Map(); // tab -> topics that it wants
  #dirty = null; // {topics, events, cart} to tell

  /**
   * Options: the hub; post(message); whenFree(tab, work) runs work when a tab does not live any
   * more; clock, timers.
   */
  constructor(options) {
    this.#o = options;
    this.#hub = options.hub;
  }

  /** end: this tab leads no more. */
  end() {
    this.#hub = null;
  }

  /** receive takes a message of a follower. */
  receive({ kind, from, topics, message, again, sku, key, doubt }) {
    const hub = this.#hub;
    switch (kind) {
      case 'join':
      case 'wants': {
        const before = this.#tabs.get(from) ?? [];
        if (!this.#tabs.has(from)) this.#o.whenFree(from, () => this.#gone(from)).catch(() => {});
        this.#tabs.set(from, topics);
        hub.want(topics);
        hub.drop(before);
        this.#tell({ to: from, topics: kind === 'join' ? topics : topics.filter((t) => !before.includes(t)) });
        break;
      }
      case 'leave':
        this.#gone(from);
        break;
      case 'ask':
        if (doubt && this.#o.clock.now() - hub.at > freshFor) hub.doubt();
        else hub.check();
        this.#tell({ to: from, answers: true });
        break;
      case 'dismiss':
        hub.dismiss(sku);
        break;
      case 'takeBack':
        hub.takeBack(key);
        break;
      case 'write':
        hub.write(message, again).then(
          (answer) => this.#o.post({ kind: 'result', to: from, key: message.key, answer }),
          ({ code, message: text, lines, version }) =>
            this.#o.post({ kind: 'result', to: from, key: message.key, error: { code, message: text, lines, version } }),
        );
    }
  }

  /** note takes an event of the hub. The followers hear of all events of a task at once. */
  note(type, detail) {
    if (this.#tabs.size === 0) return;
    if (!this.#dirty) {
      this.#dirty = { topics: new Set(), events: [], cart: false };
      queueMicrotask(() => {
        const { topics, events, cart } = this.#dirty;
        this.#dirty = null;
        if (this.#hub) this.#tell({ topics: [...topics], events, cart });
      });
    }
    if (type === 'change') for (const topic of detail.topics) this.#dirty.topics.add(topic);
    else if (type === 'live') for (const topics of this.#tabs.values()) topics.forEach((t) => this.#dirty.topics.add(t));
    else if (shared.includes(type)) this.#dirty.events.push([type, detail]);
    if (type === 'refused') this.#dirty.topics.add(detail.topic);
    if (['cart', 'live', 'identity'].includes(type)) this.#dirty.cart = true;
  }

  /** gone: a tab has left, or does not live any more. */
  #gone(tab) {
    if (!this.#hub || !this.#tabs.has(tab)) return;
    this.#hub.drop(this.#tabs.get(tab));
    this.#tabs.delete(tab);
    // Its last clicks may have come no farther than the database.
    this.#o.timers.start('kept', answerOfTab, () => this.#hub?.readKept());
  }

  /**
   * tell sends news to the followers, or to one.
   * @param {{to?: string, topics?: string[], events?: any[], answers?: boolean, cart?: boolean}} news
   */
  #tell({ to, topics = [], events = [], answers, cart = Boolean(to) }) {
    this.#o.post({ kind: 'news', to, ...newsOf(this.#hub, topics, cart), events, answers });
  }
}
