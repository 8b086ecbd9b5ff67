// A clock that only a test moves.

/** drain runs everything that is ready to run: promises, microtasks, immediates. */
export const drain = () => new Promise((resolve) => setImmediate(resolve));

export class Clock {
  #now = 1_000_000;
  #timers = new Map(); // by id
  #queue = []; // a heap of timers, the earliest first; cleared ones are still in it
  #ids = 0;

  now = () => this.#now;

  setTimeout = (f, ms = 0) => {
    const timer = { id: ++this.#ids, at: this.#now + ms, f };
    this.#timers.set(timer.id, timer);
    this.#push(timer);
    return timer.id;
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
    while (this.#queue.length > 0 && this.#queue[0].at <= end) {
      const timer = this.#pop();
      if (!this.#timers.delete(timer.id)) continue;
      this.#now = Math.max(this.#now, timer.at);
      timer.f();
      await drain();
    }
    this.#now = end;
    await drain();
  }

  #before(i, j) {
    const [a, b] = [this.#queue[i], this.#queue[j]];
    return a.at - b.at || a.id - b.id;
  }

  #swap(i, j) {
    [this.#queue[i], this.#queue[j]] = [this.#queue[j], this.#queue[i]];
  }

  #push(timer) {
    let i = this.#queue.push(timer) - 1;
    for (let up; i > 0 && this.#before(i, (up = (i - 1) >> 1)) < 0; i = up) this.#swap(i, up);
  }

  #pop() {
    this.#swap(0, this.#queue.length - 1);
    const first = this.#queue.pop();
    for (let i = 0; ; ) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < this.#queue.length && this.#before(child, least) < 0) least = child;
      }
      if (least === i) return first;
      this.#swap(i, least);
      i = least;
    }
  }
}
