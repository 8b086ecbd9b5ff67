// A demo shows two devices in one window. Each is a frame with ?device=NAME: it has a
// storage of its own, and a network that can be switched off.

/** deviceOf returns the name of the device that a page plays, or null. */
export function deviceOf(query) {
  const name = new URLSearchParams(query).get('device');
  return /^[a-z]{1,20}$/.test(name ?? '') ? name : null;
}

/** prefixOf returns what the names begin with under which a device stores things; null: the page itself. */
export const prefixOf = (device) => (device === null ? 'shop.' : `shop.${device}.`);

/** storageOf returns a part of a storage, in which names begin with a prefix. It works without a storage, too. */
export function storageOf(getStorage, prefix) {
  const memory = new Map();
  const attempt = (work) => {
    try {
      return work(getStorage());
    } catch {
      return undefined; // the page may not store anything, or no more
    }
  };
  return {
    getItem: (name) => attempt((storage) => storage.getItem(prefix + name)) ?? memory.get(name) ?? null,
    setItem(name, value) {
      memory.set(name, String(value));
      attempt((storage) => storage.setItem(prefix + name, value));
    },
    removeItem(name) {
      memory.delete(name);
      attempt((storage) => storage.removeItem(prefix + name));
    },
  };
}

/** Network switches the sockets and requests of a window off and on, as if the device had lost its network. */
export class Network {
  online = true;
  #window;
  #sockets = new Set();

  constructor(window) {
    this.#window = window;
    const network = this;
    const Real = window.WebSocket;
    window.WebSocket = class extends Real {
      constructor(...how) {
        if (!network.online) return deadSocket();
        super(...how);
        network.#sockets.add(this);
        this.addEventListener('close', () => network.#sockets.delete(this));
      }
    };
    const fetch = window.fetch?.bind(window);
    window.fetch = (...request) =>
      network.online ? fetch(...request) : Promise.reject(new TypeError('Failed to fetch'));
    Object.defineProperty(window.navigator, 'onLine', { configurable: true, get: () => network.online });
  }

  switch(online) {
    if (online === this.online) return;
    this.online = online;
    this.#window.dispatchEvent(new Event(online ? 'online' : 'offline'));
    if (online) return;
    for (const socket of this.#sockets) socket.close();
    this.#sockets.clear();
  }
}

/** deadSocket is a socket of a device without a network: it closes at once. */
function deadSocket() {
  const socket = { readyState: 3, send() {}, close() {}, onclose: null };
  setTimeout(() => socket.onclose?.({ code: 1006 }));
  return socket;
}
