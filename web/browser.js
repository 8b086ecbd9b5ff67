// What the hub needs from a browser, with a fallback for each part that may be missing.

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
