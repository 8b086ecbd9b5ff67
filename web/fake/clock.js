// Clock is a clock that only moves when a test says so.

/** turns lets everything run that waits for nothing but its turn. */
export const turns = () => new Promise((resolve) => setImmediate(resolve));

export class Clock {
  #now = 1_000_000;
  #timers = new Map();
  #ids = 0;

  now = () => this.#now;

  setTimeout = (f, ms = 0) => {
    this.#timers.set(++this.#ids, { at: this.#now + ms, f });
    return this.#ids;
  };

  clearTimeout = (id) => this.#timers.delete(id);

  /** waits lists when the timers that run will fire, in ms from now. */
  get waits() {
    return [...this.#timers.values()].map((t) => t.at - this.#now).sort((a, b) => a - b);
  }

  /** advance moves on, firing what comes due in order. */
  async advance(ms) {
    const end = this.#now + ms;
    await turns();
    for (;;) {
      const next = [...this.#timers].filter(([, t]) => t.at <= end).sort(([i, a], [j, b]) => a.at - b.at || i - j)[0];
      if (!next) break;
      this.#timers.delete(next[0]);
      this.#now = Math.max(this.#now, next[1].at);
      next[1].f();
      await turns();
    }
    this.#now = end;
    await turns();
  }
}
