// Proof decides whether the values of a connection may be called live. Each frame of the
// connection proves it. Doubt takes the proof away until the server has answered a question:
// the network went, the machine slept, the page was away, or a person touches the page after
// a long silence. On a page in use, silence is a reason to ask, too.

import { inUse, lateLook, lookEvery, proofWithin, silence } from './timing.js';

export class Proof {
  /** ok reports whether there is proof. */
  ok = false;

  /** at is when the last frame arrived that proves something, in ms since 1970; 0 before the first. */
  at = 0;

  #o;
  #asking = false;
  #visible;
  #touchedAt = -Infinity;
  #every = Infinity;

  /**
   * Options:
   *   clock, timers
   *   ask()       sends a question; its answer must be reported to answered
   *   failed()    is called when a question got no answer in time
   *   changed()   is called when ok has changed
   *   visible     whether the page can be seen
   *   within      how long an answer may take, by default proofWithin
   */
  constructor(options) {
    this.#o = options;
    this.#visible = options.visible;
  }

  /** begin starts with a connection that has just said everything. every: the server's pingEvery, in ms. */
  begin(every = Infinity) {
    this.#every = every;
    this.#asking = false;
    this.#o.timers.stop('proof');
    this.frame();
    this.watch();
  }

  /** expect asks after this much silence from now on, in ms, while the page can be seen. */
  expect(every) {
    this.#every = every;
  }

  /** end forgets the connection. */
  end() {
    this.#asking = false;
    for (const name of ['proof', 'look']) this.#o.timers.stop(name);
    this.#set(false);
  }

  /** frame reports a frame of the connection. After a doubt, it may have waited since before it. */
  frame() {
    if (this.#asking && !this.ok) return;
    this.at = this.#o.clock.now();
    this.#set(true);
  }

  /** answered reports the answer to a question. */
  answered() {
    if (!this.#asking) return;
    this.#asking = false;
    this.#o.timers.stop('proof');
    this.frame();
  }

  /** doubt takes the proof away and asks for a new one. */
  doubt() {
    this.#set(false);
    this.#question();
  }

  /** check asks for a new proof after a silence, and believes the old one meanwhile. */
  check(after = silence) {
    if (this.ok && this.#o.clock.now() - this.at >= after) this.#question();
  }

  /** lose takes the proof away, when asking makes no sense yet. */
  lose() {
    this.#set(false);
  }

  /** touch reports that a person uses the page. */
  touch() {
    const now = this.#o.clock.now();
    this.#touchedAt = now;
    if (this.ok && now - this.at > silence) this.doubt();
  }

  /** seen reports whether the page can be seen now. Who comes back is not shown old news. */
  seen(visible) {
    this.#visible = visible;
    if (!visible) return;
    this.#touchedAt = this.#o.clock.now();
    this.doubt();
    this.watch();
  }

  #question() {
    if (this.#asking) return;
    this.#asking = true;
    this.#o.timers.start('proof', this.#o.within ?? proofWithin, () => {
      this.#asking = false;
      this.#set(false);
      this.#o.failed();
    });
    this.#o.ask();
  }

  /** watch looks at the clock while the page can be seen. */
  watch() {
    const { clock, timers } = this.#o;
    const from = clock.now();
    timers.start('look', lookEvery, () => {
      if (!this.#visible) return;
      const now = clock.now();
      const wait = Math.min(this.#every, now - this.#touchedAt < inUse ? silence : Infinity);
      if (now - from > lookEvery + lateLook) this.doubt();
      else if (this.ok && now - this.at >= wait) this.#question();
      this.watch();
    });
  }

  #set(ok) {
    if (ok === this.ok) return;
    this.ok = ok;
    this.#o.changed();
  }
}
