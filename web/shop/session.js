// Who the person is. A demo has five people and no passwords: localhub's admin API
// makes a token for each. The choice belongs to the window, so that two windows can have
// two people; what a guest has belongs to the browser.

export const people = [
  { id: 'guest', name: 'Guest', text: 'A cart of this browser', role: 'guest' },
  { id: 'alice', name: 'Alice', text: 'Customer: one cart on all her devices', role: 'customer' },
  { id: 'bob', name: 'Bob', text: 'Customer', role: 'customer' },
  { id: 'acme', name: 'Acme', text: 'Maker: exact figures of its own', role: 'vendor', vendor: 'acme' },
  { id: 'admin', name: 'Admin', text: 'Exact figures of all makers', role: 'admin' },
];

/** minTokenLife is how long a token must still be good to be used again, in ms. */
const minTokenLife = 120_000;

export class Session {
  #admin;
  #storage;
  #token = null; // {id, token, expires}

  /** onEnd is called when the shop has ended the sign-in, and the person is a guest. */
  onEnd = () => {};

  /** admin is a client of the admin API (admin.js), or null; storage keeps the choice. */
  constructor(admin, storage) {
    this.#admin = admin;
    this.#storage = storage;
  }

  /** canSignIn reports whether there is an API that makes tokens. */
  get canSignIn() {
    return this.#admin !== null;
  }

  get person() {
    return people.find(({ id }) => id === this.#storage.getItem('person')) ?? people[0];
  }

  /** become changes the person. It rejects if there is no token for the new one; then nothing changes. */
  async become(id) {
    const person = people.find((each) => each.id === id);
    if (person.role !== 'guest') await this.#tokenOf(person);
    this.start(id);
  }

  /** start makes the person somebody else without asking for a token. */
  start(id) {
    this.#storage.setItem('person', id);
  }

  /**
   * token returns the person's token, or null for a guest. refused is why the shop did not
   * accept the one before. If it has expired before its time, the sign-in was revoked, and
   * ends. Else there is a new token: the shop may have new keys.
   */
  async token({ refused } = {}) {
    if (refused === 'token_expired' && this.#token?.expires > Date.now()) {
      this.start('guest');
      this.onEnd();
    }
    if (refused) this.#token = null;
    const { person } = this;
    return person.role === 'guest' ? null : this.#tokenOf(person);
  }

  async #tokenOf({ id, role, vendor }) {
    if (!this.#admin) throw new Error('there is no admin API');
    if (this.#token?.id !== id || this.#token.expires - Date.now() < minTokenLife) {
      this.#token = { id, ...(await this.#admin('POST', '/admin/token', { user: id, role, vendor })) };
    }
    return this.#token.token;
  }

  /** guestCart is what the browser's guest had at a sign-in: {token, lines: [[sku, quantity]]}, or null. */
  get guestCart() {
    try {
      const cart = JSON.parse(this.#storage.getItem('guest-cart'));
      return typeof cart?.token === 'string' && Array.isArray(cart.lines) ? cart : null;
    } catch {
      return null; // not written by this class
    }
  }

  set guestCart(cart) {
    if (cart === null) this.#storage.removeItem('guest-cart');
    else this.#storage.setItem('guest-cart', JSON.stringify(cart));
  }
}
