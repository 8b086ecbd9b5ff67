// All durations of the browser side, in milliseconds, and its clock.

/** The longest wait before the first reconnect, and before any later one. */
export const firstWait = 500;
export const longestWait = 30_000;

/** Pages whose connections break together come back over this time, unless the server says another one. */
export const reconnectWithin = 5_000;

/** A connection is dead if a request gets no answer for this long. */
export const answerWithin = 15_000;

/** A handshake has this long. A person waits for it, and another one may have a better path. */
export const connectWithin = 8_000;

/** API Gateway closes a connection that is idle for 10 minutes. The wait varies by a tenth either way. */
export const keepAliveEvery = 8.5 * 60_000;

/** A connection that is doubted has this long to prove itself. */
export const proofWithin = 3_000;

/** On a page in use, a connection is asked for proof after this much silence. */
export const silence = 30_000;

/** A page is in use if it is visible and a person touched it this recently. */
export const inUse = 60_000;

/** While a page is visible it looks at the clock this often. If the look comes much later, the machine slept. */
export const lookEvery = 5_000;
export const lateLook = 4_000;

/** A tab that leads answers another one within this, or it is robbed, not more often than that. */
export const answerOfTab = 1_000;
export const stealEvery = 30_000;

/** A question of another tab needs no ping if the last proof is that young. */
export const freshFor = 5_000;

/** A page that is hidden for this long lets go of its badges. */
export const restAfter = 60_000;

/** IndexedDB has this long for each answer. */
export const databaseWithin = 2_000;

/** A change that was never sent is given up after a week. */
export const unsentFor = 7 * 24 * 60 * 60_000;

/** A page whose token takes longer shares its socket with no other tab. */
export const decideWithin = 1_000;

/** Failed attempts are forgotten after a connection has lived this long. */
export const heldFor = 20_000;

/** The token option has this long to return a token. Until then there are badges only. */
export const tokenWithin = 10_000;

/** After this many failed handshakes in a row the page finds out whether the server answers at all. */
export const failuresToProbe = 3;

/** A page polls after so many sockets in a row that failed: none opened, or it was cut within this. */
export const failuresToPoll = 2;
export const shortLived = 5_000;

/** A page that is seen polls this often, a hidden one that often. The times vary by a tenth either way. */
export const pollEvery = 5_000;
export const pollHidden = 60_000;

/** Another tab that asks makes a page poll, but not sooner after the last poll than that. */
export const pollSoonest = 4_000;

/** Two polls were missed if the last answer is that old. The page has proofWithin for another one. */
export const pollMissed = 10_000;

/** A page that polls tries a socket after this, and then that often. */
export const socketFirst = 30_000;
export const socketAgain = 5 * 60_000;

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
 * return together. The bound is not below least, in ms
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export function fullJitter(attempt, random, least = 0) {
  return random() * Math.max(least, Math.min(longestWait, firstWait * 2 ** Math.min(attempt, 16)));
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

  /** after calls f once, and returns a function that prevents it. It ignores stopAll. */
  after(ms, f) {
    const timer = this.#clock.setTimeout(f, ms);
    return () => this.#clock.clearTimeout(timer);
  }

  /** sleep ignores stopAll: after it, callers must check whether their connection still exists. */
  sleep(ms) {
    return new Promise((resolve) => this.#clock.setTimeout(resolve, ms));
  }
}
