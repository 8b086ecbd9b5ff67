// Identity is who the page belongs to: what the server says in hello, the guest's token, and
// the renewal of a session before it ends.

import { Guest } from './guest.js';
import { Token } from './token.js';
import { longestTimer, renewBefore, renewEvery } from './timing.js';

export class Identity {
  // From the answer to hello.
  user = null;
  role = null;
  vendor = null;
  limits = { topicsPerMessage: 100, topics: 200, lines: 200, quantity: 999 };

  /** unverified: whose cart this is will be known later. Until then there are badges only. */
  unverified = false;

  #o;
  #guest;
  #token;
  #expires = 0;
  #renewedAt = -Infinity;
  #renewing = null; // the promise of a renewal under way

  /**
   * Options:
   *   token, storage    of the page
   *   clock, random, timers
   *   emit(type, detail)
   *   connection()      returns the newest connection that is greeted: it stays; or null
   *   reconnect()       makes a new connection, with what offer returns then
   *   lost(connection)  drops a connection that is of no use any more
   *   merge(from)       moves a guest's cart into the one of this page
   *   review()          is called when values may have been read as somebody else
   *   left(was)         is called before another user is announced
   *   verified()        is called when a session was renewed on an open connection
   */
  constructor(options) {
    this.#o = options;
    this.#guest = new Guest(options.storage);
    this.#token = new Token(options.token, options.timers, (code, message) => options.emit('problem', { code, message }));
  }

  /** guestToken is the stored token of a guest, or null. */
  get guestToken() {
    return this.#guest.get();
  }

  /**
   * offer returns what the next handshake offers: {text, fromToken, late}. The text is a token
   * or null. late: the page has no token yet, so nobody knows who this is.
   */
  async offer(hasPending) {
    const { token, late = false } = await this.#token.get(() => this.renew());
    return { text: token ?? this.#guest.offer(this.#o.clock.now(), hasPending()), fromToken: Boolean(token), late };
  }

  /** greet takes the answer to the hello of a handshake. It returns false if another handshake must follow. */
  greet(answer, { text, fromToken, late }) {
    const guest = this.#guest;
    const now = this.#o.clock.now();
    const asGuest = !fromToken && text !== null;
    const returning = asGuest && guest.isReturning(text);
    if (returning && answer.notice) {
      // It is refused again. Go on as the guest that stands in.
      if (answer.notice === 'token_expired') guest.forget(text);
      else guest.refuse(text, now);
      return false;
    }
    if (asGuest && answer.notice === 'token_expired' && !answer.guestToken) {
      // The guest was revoked, and its cart with it. Continue as a new guest.
      guest.drop(text);
      this.#o.emit('notice', { code: answer.notice, fromToken: false });
      return false;
    }
    if (asGuest && answer.notice === 'token_bad') guest.refuse(text, now);
    // Another tab became a guest at the same time, and was first.
    if (text === null && !late && guest.get()) return false;
    if (late) this.#wait(answer);
    else this.#take(answer, fromToken, returning);
    if (returning) this.#reunite();
    return true;
  }

  /** resume takes over what another tab knew. */
  resume({ user, role, vendor }) {
    Object.assign(this, { user, role, vendor });
  }

  /** forgetConnection must be called when no connection is left. */
  forgetConnection() {
    this.unverified = false;
    this.#renewedAt = -Infinity;
    this.#o.timers.stop('renew');
  }

  /** renewNow renews the session, also if that was tried a moment ago: the server has ended it. */
  renewNow() {
    this.#renewedAt = -Infinity;
    return this.renew();
  }

  /** renew gets a token and sends it on the open connection, before or after the old one expires. */
  renew() {
    this.#renewing ??= this.#renew().finally(() => (this.#renewing = null));
    return this.#renewing;
  }

  async #renew() {
    const c = this.#o.connection();
    const now = this.#o.clock.now();
    if (!c || now - this.#renewedAt < renewEvery / 2) return;
    this.#renewedAt = now;
    const { token: fromToken, late } = await this.#token.get(() => this.renewNow());
    if (c !== this.#o.connection()) return;
    if (late && this.unverified) {
      this.#renewedAt = -Infinity;
      this.#renewLater();
      return;
    }
    const token = fromToken || this.#guest.get();
    if (!token || (this.unverified && !fromToken)) {
      this.#o.reconnect();
      return;
    }
    if (this.#token.isRejected(token)) {
      // Badges stay live. For everything else, the user has to sign in.
      this.#o.emit('notice', { code: 'token_expired', fromToken: Boolean(fromToken) });
      return;
    }
    const answer = await c.ask({ action: 'hello', token }).catch(() => null);
    if (c !== this.#o.connection() || answer === null) return;
    if (answer.type === 'hello') {
      this.#take(answer, Boolean(fromToken));
      this.#o.verified();
    } else if (answer.retry) {
      this.#renewLater();
    } else {
      if (fromToken) this.#token.refuse(answer.code);
      if (answer.code === 'token_expired') this.#token.reject(token);
      this.#o.lost(c);
    }
  }

  /** wait goes on with badges only. */
  #wait(hello) {
    this.limits = { ...this.limits, ...hello.limits };
    this.unverified = true;
    this.#renewLater();
  }

  /**
   * take takes over the user and the limits. fromToken: the token option returned the token.
   * returning: it is that of a guest who had been refused.
   */
  #take(hello, fromToken, returning = false) {
    if (hello.notice) {
      if (fromToken) this.#token.refuse(hello.notice);
      this.#o.emit('notice', { code: hello.notice, fromToken });
    }
    // The server cannot verify tokens at the moment and treats us as a guest. This guest's
    // cart is not the user's.
    if (fromToken && hello.notice === 'busy') return this.#wait(hello);
    const { user: was, role, vendor, unverified } = this;
    const next = { user: hello.user, role: hello.role, vendor: hello.vendor ?? null };
    const changed = was !== next.user || role !== next.role || vendor !== next.vendor;
    if (changed && (was !== null || unverified)) this.#o.review();
    Object.assign(this, next, { unverified: false, limits: { ...this.limits, ...hello.limits } });
    // A guest that replaces a rejected token must not replace the stored guest.
    if (returning) this.#guest.renewReturning(hello.guestToken);
    else if (hello.guestToken && !(fromToken && this.#guest.get())) this.#guest.set(hello.guestToken);
    this.#renewBefore(hello);
    if (was === next.user) return;
    if (was !== null) this.#o.left();
    this.#o.emit('identity', { user: next.user, role: next.role, was });
  }

  /** reunite moves the cart of the guest that stood in to the one who is back. */
  async #reunite() {
    try {
      const from = this.#guest.get();
      if (from) await this.#o.merge(from);
    } catch (error) {
      if (['closed', 'identity', 'uncertain'].includes(error.code)) return; // the next connection does it
      this.#o.emit('problem', { code: error.code, message: error.message });
    }
    this.#guest.settle();
  }

  /** renewBefore renews the session before it ends. The browser's clock may be wrong; seconds left are not. */
  #renewBefore({ expires, expiresIn }) {
    this.#o.timers.stop('renew');
    if (!expires || expires === this.#expires) return; // the same token once more: nothing to gain
    this.#expires = expires;
    const left = (expiresIn >= 0 ? expiresIn * 1000 : expires - this.#o.clock.now()) - renewBefore;
    if (left < longestTimer) this.#o.timers.start('renew', Math.max(left, renewEvery), () => this.renew());
  }

  #renewLater() {
    this.#o.timers.start('renew', renewEvery * (0.5 + this.#o.random()), () => this.renew());
  }
}
