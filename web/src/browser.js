// What the hub needs from a browser, with a fallback for each part that may be missing.

/** socketURL returns the absolute WebSocket URL for a URL that may be relative to the page. */
export function socketURL(url) {
  const full = new URL(url, globalThis.location?.href);
  full.protocol = full.protocol.replace(/^http/, 'ws');
  return full.href;
}

/** restURL returns where version 1 of the REST API is: at rest, by default on the host of the socket. */
export function restURL(rest, url) {
  const root = rest ?? new URL(socketURL(url).replace(/^ws/, 'http')).origin;
  return `${new URL(root, globalThis.location?.href).href.replace(/\/$/, '')}/v1`;
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
 * browserSignals calls callback(name) when something happens to the page. It returns a
 * function that ends this.
 *   online, offline   the browser says that the network came or went
 *   touch             a person uses the page
 *   visible, hidden   the page can be seen, or no longer
 *   freeze            the page will not run for a while: hidden for long, or left for another page
 *   thaw              the page runs again
 */
export function browserSignals(callback) {
  if (!globalThis.document) return () => {};
  const registration = new AbortController();
  const options = { signal: registration.signal, capture: true, passive: true };
  const on = (target, type, name) => target.addEventListener(type, () => callback(name), options);
  for (const type of ['online', 'offline']) on(globalThis, type, type);
  for (const type of ['pointerdown', 'keydown', 'wheel']) on(globalThis, type, 'touch');
  on(globalThis, 'pagehide', 'freeze');
  on(document, 'freeze', 'freeze');
  on(document, 'resume', 'thaw');
  globalThis.addEventListener('pageshow', (event) => event.persisted && callback('thaw'), options);
  document.addEventListener('visibilitychange', () => callback(document.visibilityState), options);
  return () => registration.abort();
}

/** randomId returns a name that nothing else has: 128 random bits. A page over plain HTTP has no randomUUID. */
export const randomId = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(16).padStart(8, '0')).join('');

/** isVisible reports whether the page can be seen. */
export const isVisible = () => globalThis.document?.visibilityState === 'visible';

/** answers reports whether a server answers over HTTP, whatever it says. */
export async function answers(url) {
  try {
    await fetch(url.replace(/^ws/, 'http'), { mode: 'no-cors', credentials: 'omit', cache: 'no-store' });
    return true;
  } catch {
    return false;
  }
}
