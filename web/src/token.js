// Token asks the page for the person's token. The page may be slow or fail: that must not
// hurt badges, which everybody may see.

import { tokenWithin } from './timing.js';

/** Tokens that RFC 6455 allows in a subprotocol's name. With others, the WebSocket constructor throws. */
const form = /^[A-Za-z0-9._~-]+$/;

/** schemeFree removes the scheme of a header, which many pages keep with a token. */
const schemeFree = (token) => (typeof token === 'string' ? token.replace(/^bearer +/i, '') : token);

/** subjectOf returns whom a token names, as the hub calls them, without checking it. It throws if it is no token. */
export function subjectOf(token) {
  const guest = token.startsWith('guest.');
  const payload = token.split('.')[guest ? 2 : 1];
  const { sub } = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/')));
  return guest ? `guest:${sub}` : sub;
}

export class Token {
  #option;
  #timers;
  #problem;
  #refused; // the code with which the last token was refused
  #arrived; // a promise of a token that came late
  #rejected = null; // a token that has expired, so it is not offered again

  /** option is the token option. problem(code, message) tells the page what is wrong with it. */
  constructor(option, timers, problem) {
    this.#option = option;
    this.#timers = timers;
    this.#problem = problem;
  }

  /**
   * get resolves with {token}: null for a guest, or a token that can be offered; and late,
   * if the page has none yet. onArrival is called when a late one arrives.
   */
  async get(onArrival) {
    const refused = this.#refused;
    this.#refused = undefined;
    // A token that came too late for the last call is the answer to this one.
    const arrived = this.#arrived;
    this.#arrived = undefined;
    const asked = arrived ?? (async () => this.#option(refused ? { refused } : {}))();
    let timedOut = false;
    let timer;
    const deadline = new Promise((resolve) => {
      timer = this.#timers.after(tokenWithin, () => resolve((timedOut = true)));
    });
    try {
      const token = await Promise.race([asked, deadline]);
      if (timedOut) {
        this.#problem('token_slow', 'the token option has not answered yet; badges go on');
        asked.then(() => (this.#arrived = asked)).then(onArrival, onArrival);
        return { token: null, late: true };
      }
      return { token: this.#checked(schemeFree(token)) };
    } catch (error) {
      this.#problem('no_token', String(error?.message ?? error));
      return { token: null, late: true };
    } finally {
      timer();
    }
  }

  /** refuse remembers why the server did not take the token. The next call of the option gets the code. */
  refuse(code) {
    this.#refused = code;
  }

  /** reject remembers a token that will not be accepted again. */
  reject(token) {
    this.#rejected = token;
  }

  isRejected(token) {
    return token === this.#rejected;
  }

  #checked(token) {
    if (!token) return null;
    if (typeof token === 'string' && form.test(token)) return token;
    this.#problem('token_bad', 'the token option returned no token');
    return null;
  }
}
