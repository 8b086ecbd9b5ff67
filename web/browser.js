// What the hub needs of a browser, each with an answer for where it is missing.

const guestKey = 'securecart.guest';

/**
 * GuestToken keeps a guest's token over reloads. Storage may be forbidden or full;
 * the guest then lives as long as the page.
 */
export class GuestToken {
  #storage;
  #token = null;

  constructor(storage) {
    this.#storage = storage;
  }

  get() {
    try {
      return this.#storage?.getItem(guestKey) ?? this.#token;
    } catch {
      return this.#token;
    }
  }

  set(token) {
    this.#token = token;
    try {
      this.#storage?.setItem(guestKey, token);
    } catch {
      // It is kept above.
    }
  }

  /** drop forgets a token, unless another page has put a new one in its place. */
  drop(token) {
    if (this.get() !== token) return;
    this.#token = null;
    try {
      this.#storage?.removeItem(guestKey);
    } catch {
      this.#storage = undefined; // or it would give the token again
    }
  }
}

/** socketURL makes the address of a socket out of what a page would write. */
export function socketURL(url) {
  const full = new URL(url, globalThis.location?.href);
  full.protocol = full.protocol.replace(/^http/, 'ws');
  return full.href;
}

/** browserStorage is localStorage, where a page may have one. */
export function browserStorage() {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}

/** browserWake calls back when the network or the person is back: callback(online). */
export function browserWake(callback) {
  if (!globalThis.document) return () => {};
  const registered = new AbortController();
  const { signal } = registered;
  addEventListener('online', () => callback(true), { signal });
  addEventListener('offline', () => callback(false), { signal });
  addEventListener('pageshow', () => callback(true), { signal });
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && callback(true), { signal });
  return () => registered.abort();
}
