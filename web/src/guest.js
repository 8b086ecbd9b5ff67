// Guest keeps the tokens of a page's guest across reloads.
//
// A server may refuse a good token for a while: it is being deployed and does not know
// the key yet. So a refused token is kept, and a new guest stands in. Later the refused
// token is offered again, a few times. When it is accepted, the first guest is back, and
// the hub moves what the other one had in its cart.

import { offerAgainAfter, offersAgain } from './timing.js';

const tokenKey = 'securecart.guest';
const refusedKey = 'securecart.guest.refused';

/** accepted is the time from which a token is due that was accepted again. */
const accepted = 0;

export class Guest {
  #storage;
  #memory = new Map(); // if storage is forbidden or full, the guest lasts as long as the page

  constructor(storage) {
    this.#storage = storage;
  }

  /** get returns the guest's token, or null. */
  get() {
    return this.#read(tokenKey);
  }

  set(token) {
    this.#write(tokenKey, token);
  }

  /** drop removes a token, unless another page has replaced it in the meantime. */
  drop(token) {
    if (this.get() === token) this.#remove(tokenKey);
  }

  /**
   * offer returns the token for a handshake: a refused one that is due again, else the
   * guest's. While the guest has unanswered changes (pending), it stays.
   */
  offer(now, pending) {
    const refused = this.#refused();
    const due = refused && (refused.at === accepted || (now >= refused.at && !pending));
    return due ? refused.token : this.get();
  }

  /** isReturning reports whether a token was refused earlier. */
  isReturning(token) {
    return token !== null && this.#refused()?.token === token;
  }

  /** refuse keeps a token that the server did not accept, and says when it is due again. */
  refuse(token, now) {
    const refused = this.#refused();
    if (refused === null) {
      this.drop(token);
      this.#keep({ token, offers: 0, at: now + offerAgainAfter });
    } else if (refused.token === token) {
      const offers = refused.offers + 1;
      if (offers >= offersAgain) this.#remove(refusedKey);
      else this.#keep({ token, offers, at: now + offerAgainAfter * 2 ** offers });
    }
  }

  /** forget removes a refused token that will not be accepted again. */
  forget(token) {
    if (this.isReturning(token)) this.#remove(refusedKey);
  }

  /** renewReturning replaces an accepted token. Until settle, a page that is loaded offers it at once. */
  renewReturning(token) {
    this.#keep({ token, offers: 0, at: accepted });
  }

  /** settle makes the guest who is back the only one. */
  settle() {
    const refused = this.#refused();
    if (refused === null) return;
    this.set(refused.token);
    this.#remove(refusedKey);
  }

  /** refused returns {token, offers, at}, or null. at is when the token may be offered again. */
  #refused() {
    try {
      const refused = JSON.parse(this.#read(refusedKey));
      return typeof refused?.token === 'string' && refused.offers >= 0 && refused.at >= 0 ? refused : null;
    } catch {
      return null; // not written by this class
    }
  }

  #keep(refused) {
    this.#write(refusedKey, JSON.stringify(refused));
  }

  #read(key) {
    try {
      return this.#storage?.getItem(key) ?? this.#memory.get(key) ?? null;
    } catch {
      return this.#memory.get(key) ?? null;
    }
  }

  #write(key, value) {
    this.#memory.set(key, value);
    try {
      this.#storage?.setItem(key, value);
    } catch {
      // #memory has it.
    }
  }

  #remove(key) {
    this.#memory.delete(key);
    try {
      this.#storage?.removeItem(key);
    } catch {
      this.#storage = undefined; // otherwise read would return it again
    }
  }
}
