// Kept stores changes to the cart in IndexedDB, so that they survive a reload. Safari
// takes the database away from pages in the background: so a failure reopens it once.

import { databaseWithin, keyLifetime } from './timing.js';

const dbName = 'securecart';
const storeName = 'changes';

/** settle turns a request or a transaction of IndexedDB into a promise. */
const settle = (target, done) =>
  new Promise((resolve, reject) => {
    target[done] = () => resolve(target.result);
    target.onerror = target.onabort = target.onblocked = () => reject(target.error);
  });

export class Kept {
  /** works reports whether changes survive a reload; null before the first attempt. */
  works = null;

  /** writing is the number of changes that are being stored. */
  writing = 0;

  #owner;
  #db = null;
  /** @type {Promise<any>} */
  #queue = Promise.resolve();
  #onFailure;

  /** owner names whose changes these are. onFailure is called once if they cannot be kept. */
  constructor(owner, onFailure) {
    this.#owner = owner;
    this.#onFailure = onFailure;
  }

  /**
   * load resolves with the kept changes, the oldest first, and the ends of changes that
   * melted into others: {changes, ends}.
   */
  async load() {
    const own = ((await this.#run('readonly', (store) => store.getAll())) ?? []).filter((c) => c.owner === this.#owner);
    const [changes, ends] = [own.filter((c) => c.message), own.filter((c) => !c.message)];
    const old = ends.filter((e) => Date.now() - e.at > keyLifetime);
    if (old.length > 0) this.#run('readwrite', (store) => old.map((e) => store.delete(e.id))[0]);
    return { changes: changes.sort((a, b) => a.at - b.at || number(a) - number(b)), ends };
  }

  async save(change) {
    this.writing++;
    await this.#run('readwrite', (store) => store.put({ ...change, id: change.message.key, owner: this.#owner }));
    this.writing--;
  }

  /** remove removes a change, and keeps the ends of those that melted into it. */
  remove(key, ends = []) {
    return this.#run('readwrite', (store) => {
      for (const end of ends) store.put({ ...end, id: end.key, owner: this.#owner, at: Date.now() });
      return store.delete(key);
    });
  }

  /** release closes the database, which would keep a page from being frozen well. */
  release() {
    this.#queue = this.#queue.then(() => {
      this.#db?.close();
      this.#db = null;
    });
  }

  /** run runs one transaction after the other. */
  #run(mode, work) {
    const done = this.#queue.then(() => this.#attempt(mode, work).catch(() => this.#attempt(mode, work)));
    const late = new Promise((_, reject) => setTimeout(reject, databaseWithin));
    const end = Promise.race([done, late]);
    this.#queue = end.then(
      () => (this.works = true),
      () => {
        if (this.works !== false) this.#onFailure();
        this.works = false;
      },
    );
    return end.catch(() => undefined);
  }

  async #attempt(mode, work) {
    try {
      this.#db ??= await this.#open();
      const transaction = this.#db.transaction(storeName, mode);
      const request = work(transaction.objectStore(storeName));
      await settle(transaction, 'oncomplete');
      return request.result;
    } catch (error) {
      this.#db?.close();
      this.#db = null;
      throw error;
    }
  }

  async #open() {
    const request = indexedDB.open(dbName, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(storeName, { keyPath: 'id' });
    const db = await settle(request, 'onsuccess');
    db.onversionchange = db.onclose = () => {
      db.close();
      this.#db = null;
    };
    return db;
  }
}

/** number is the counter in a change's key. */
const number = ({ message }) => Number(message.key.split('.').pop());
