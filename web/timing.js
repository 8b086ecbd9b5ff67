// All durations of the browser side, in milliseconds, and its clock.

/** The longest wait before the first reconnect, and before any later one. */
export const firstWait = 500;
export const longestWait = 30_000;

/** A connection is dead if a handshake or a request gets no answer for this long. */
export const answerWithin = 15_000;

/** API Gateway closes a connection that is idle for 10 minutes. */
export const keepAliveEvery = 5 * 60_000;

/** A page that wakes up trusts a connection that received something this recently. */
export const trustDuration = 20_000;

/** How long before it expires a session is renewed, and the shortest time between two attempts. */
export const renewBefore = 60_000;
export const renewEvery = 30_000;

/** A refused guest is offered again after this long, then after twice as long each time, this often. */
export const offerAgainAfter = 60_000;
export const offersAgain = 5;

/** The server remembers a key for 24 hours; a repeat after that could take effect twice. */
export const keyLifetime = 23 * 60 * 60_000;

/** A timer waits at most 2^31-1 ms; no connection lasts that long. */
export const longestTimer = 2 ** 31 - 1;

/** systemClock is the browser's clock. Tests use their own. */
export const systemClock = {
  now: () => Date.now(),
  setTimeout: (f, ms) => setTimeout(f, ms),
  clearTimeout: (t) => clearTimeout(t),
};

/**
 * fullJitter returns the wait before an attempt, counted from 0. It is random up to a
 * bound that doubles, so that clients that lost their connections together do not
 * return together
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export function fullJitter(attempt, random) {
  return random() * Math.min(longestWait, firstWait * 2 ** Math.min(attempt, 16));
}

/** Timers holds the timers of a connection by name, and stops them together. */
export class Timers {
  #clock;
  #running = new Map();

  constructor(clock) {
    this.#clock = clock;
  }

  /** start starts a timer; it replaces one with the same name. */
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

  /** sleep ignores stopAll: after it, callers must check whether their connection still exists. */
  sleep(ms) {
    return new Promise((resolve) => this.#clock.setTimeout(resolve, ms));
  }
}
