// What the page asks the admin API again and again, while a screen needs it.

import { parseMetrics } from './metrics.js';

/** Paths by name, and how often they are asked, in ms. Those of the house are not there under -template. */
const sources = {
  situation: { path: '/admin/situation', every: 1000 },
  metrics: { path: '/metrics', every: 1000, house: true, text: parseMetrics },
  alarms: { path: '/admin/alarms', every: 1000, house: true, pick: (a) => a.alarms ?? [] },
  connections: { path: '/admin/connections', every: 2000, pick: (a) => a.connections ?? [] },
  topics: { path: '/admin/topics', house: true, every: 2000, pick: (a) => a.topics ?? [] },
  stock: { path: '/admin/stock', house: true, every: 2000, pick: (a) => a.items ?? [] },
  carts: { path: '/admin/carts', house: true, every: 2000, pick: (a) => a.carts ?? [] },
  faults: { path: '/admin/faults', every: 1000 },
  cost: { path: '/admin/cost', every: 2000 },
  warp: { path: '/admin/warp', every: 1000 },
  recordings: { path: '/admin/recordings', folder: true, every: 5000, pick: (a) => a.recordings ?? [] },
  stream: { path: '/admin/stream', house: true, every: 1000, pick: (a) => a.mappings ?? [] },
};

export class Sources {
  #api;
  #asked = new Map(); // name: when, or Infinity while an answer is awaited
  #onAnswer;
  missing = {}; // why this localhub does not have it, by name

  /** onAnswer(name, value) is called with each answer. */
  constructor(api, onAnswer) {
    this.#api = api;
    this.#onAnswer = onAnswer;
  }

  /** ask asks for those of the names that are due. */
  ask(names) {
    for (const name of names) {
      if (!this.#has(sources[name])) continue;
      const last = this.#asked.get(name) ?? 0;
      if (last === Infinity || Date.now() - last < sources[name].every) continue;
      this.#fetch(name);
    }
  }

  /** again asks now, after a change. */
  again(...names) {
    return Promise.all(names.map((name) => this.#fetch(name)));
  }

  /** #has reports whether this localhub can answer: not all has rows of a house, or a folder for recordings. */
  #has({ house, folder }) {
    return (!house || this.situation?.template === false) && (!folder || this.situation?.recordings === true);
  }

  async #fetch(name) {
    const { path, text, pick = (answer) => answer } = sources[name];
    this.#asked.set(name, Infinity);
    try {
      const value = text ? text(await this.#api.text(path)) : pick(await this.#api.get(path));
      this[name] = value;
      this.#onAnswer(name, value);
      this.#asked.set(name, Date.now());
    } catch (error) {
      // The feed says when localhub does not answer; what is shown stays. What this
      // localhub does not have is not asked for again.
      if (error.status === 404) this.missing[name] = error.message;
      this.#asked.set(name, error.status === 404 ? Infinity : Date.now());
    }
  }
}
