// Every duration of the browser's side, in milliseconds, and where time comes from.

/** The longest wait before the first and before any later reconnect. */
export const firstWait = 500;
export const longestWait = 30_000;

/** A handshake or a request without an answer for so long: the connection is dead. */
export const answerWithin = 15_000;

/** API Gateway ends a connection that was silent for 10 minutes. */
export const keepAliveEvery = 5 * 60_000;

/** A page that wakes up trusts a connection that said something so recently. */
export const trustFor = 20_000;

/** How long before its end an authority is renewed, and the shortest time between two tries. */
export const renewBefore = 60_000;
export const renewEvery = 30_000;

/** The server remembers a key for 24 hours; later a repetition could take effect twice. */
export const keyLives = 23 * 60 * 60_000;

/** A timer cannot wait longer than 2^31-1 ms; no connection lives that long. */
export const longestTimer = 2 ** 31 - 1;

/** systemClock is the clock of the browser. Tests bring their own. */
export const systemClock = {
  now: () => Date.now(),
  setTimeout: (f, ms) => setTimeout(f, ms),
  clearTimeout: (t) => clearTimeout(t),
};

/**
 * fullJitter is the wait before try number attempt (from 0): anything up to a bound
 * that doubles, so that clients that were cut off together do not return together
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export function fullJitter(attempt, random) {
  return random() * Math.min(longestWait, firstWait * 2 ** Math.min(attempt, 16));
}

/** Timers are the timers of a connection, by name; they end together. */
export class Timers {
  #clock;
  #running = new Map();

  constructor(clock) {
    this.#clock = clock;
  }

  /** start replaces the timer of that name. */
  start(name, ms, f) {
    this.stop(name);
    const fire = () => {
      this.#running.delete(name);
      f();
    };
    this.#running.set(name, this.#clock.setTimeout(fire, Math.min(ms, longestTimer)));
  }

  stop(name) {
    if (!this.#running.has(name)) return;
    this.#clock.clearTimeout(this.#running.get(name));
    this.#running.delete(name);
  }

  stopAll() {
    for (const name of [...this.#running.keys()]) this.stop(name);
  }

  /** sleep is not ended by stopAll: whoever sleeps looks around afterwards. */
  sleep(ms) {
    return new Promise((resolve) => this.#clock.setTimeout(resolve, ms));
  }
}
