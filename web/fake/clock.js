// A clock that only a test moves.

/** drain runs everything that is ready to run: promises, microtasks, immediates. */
export const drain = () => new Promise((resolve) => setImmediate(resolve));

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

  /** waits lists when the running timers fire, in ms from now, the earliest first. */
  get waits() {
    return [...this.#timers.values()].map((t) => t.at - this.#now).sort((a, b) => a - b);
  }

  /** jump moves the clock without running timers: they are late. */
  jump(ms) {
    this.#now += ms;
  }

  /** advance moves the clock, and fires the timers that are due in their order. */
  async advance(ms) {
    const end = this.#now + ms;
    await drain();
    for (;;) {
      const due = [...this.#timers].filter(([, t]) => t.at <= end);
      const next = due.sort(([i, a], [j, b]) => a.at - b.at || i - j)[0];
      if (!next) break;
      this.#timers.delete(next[0]);
      this.#now = Math.max(this.#now, next[1].at);
      next[1].f();
      await drain();
    }
    this.#now = end;
    await drain();
  }
}
