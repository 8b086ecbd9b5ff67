// What the hub needs from a browser, with a fallback for each part that may be missing.

const guestKey = 'securecart.guest';

/**
 * GuestToken keeps a guest's token across reloads. If storage is forbidden or full,
 * the guest lasts as long as the page.
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
      // #token has it.
    }
  }

  /** drop removes a token, unless another page has replaced it in the meantime. */
  drop(token) {
    if (this.get() !== token) return;
    this.#token = null;
    try {
      this.#storage?.removeItem(guestKey);
    } catch {
      this.#storage = undefined; // otherwise get would return the token again
    }
  }
}

/** socketURL returns the absolute WebSocket URL for a URL that may be relative to the page. */
export function socketURL(url) {
  const full = new URL(url, globalThis.location?.href);
  full.protocol = full.protocol.replace(/^http/, 'ws');
  return full.href;
}

/** browserStorage returns localStorage, or undefined where the page may not use it. */
export function browserStorage() {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}

/**
 * browserWake calls callback(online) when the network changes or the user returns to
 * the page. It returns a function that ends this.
 */
export function browserWake(callback) {
  if (!globalThis.document) return () => {};
  const registration = new AbortController();
  const { signal } = registration;
  const onVisibility = () => document.visibilityState === 'visible' && callback(true);
  addEventListener('online', () => callback(true), { signal });
  addEventListener('offline', () => callback(false), { signal });
  addEventListener('pageshow', () => callback(true), { signal });
  document.addEventListener('visibilitychange', onVisibility, { signal });
  return () => registration.abort();
}
