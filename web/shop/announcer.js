// Announcer says what happens without the person's doing: orders of other devices, the end
// of a sign-in, a shop that began anew. Stock, and the loss of the connection, are read out
// by the client.

import { removedElsewhere } from './cart.js';
import { words } from './words.js';

export class Announcer {
  #app;
  #lines = new Map(); // of the cart, when it was looked at last
  #watching = false;
  #waited = 0; // changes without an answer while there was no connection

  constructor(app) {
    this.#app = app;
    const { store } = app;
    const { live } = store;
    live.addEventListener('cart', () => this.#onCart());
    store.addEventListener('connection', ({ detail: { before } }) => this.#onConnection(before));
    live.addEventListener('cart', () => this.#watchCart());
    live.addEventListener('change', ({ detail: { topics } }) => topics.includes('cart') && this.#watchCart());
    live.addEventListener('ordered', ({ detail: { topic } }) => {
      if (topic !== 'cart') return;
      this.#lines = new Map();
      if (!app.ordering) this.#say('info', words.checkout.elsewhere);
    });
    live.addEventListener('identity', () => (this.#lines = new Map()));
    live.addEventListener('problem', ({ detail: { code } }) => code === 'refused' && this.#say('bad', words.refused));
    live.addEventListener('epoch', () => this.#say('info', words.restarted));
    app.session.onEnd = () => setTimeout(() => this.#end()); // not while the client asks for a token
    live.addEventListener('notice', ({ detail }) => this.#onNotice(detail));
  }

  #say(kind, text, action) {
    this.#app.messages.say(kind, text, action);
    this.#app.voice.say(text);
  }

  /** onCart counts the changes that wait for the connection. They may be answered before it counts as live. */
  #onCart() {
    const { store } = this.#app;
    if (store.connection === 'offline') this.#waited = Math.max(this.#waited, store.live.cart.state.pending);
  }

  /**
   * watchCart says that another device has removed a line. It looks when everything that
   * happens now has been told: an order takes all lines, and another person has another cart.
   */
  #watchCart() {
    if (this.#watching) return;
    this.#watching = true;
    setTimeout(() => {
      this.#watching = false;
      const { store, actions } = this.#app;
      const { known, lines } = store.live.cart.state;
      const gone = known ? removedElsewhere(this.#lines, lines) : null;
      this.#lines = lines;
      if (gone === null) return;
      this.#say('info', words.removedElsewhere(store.shop.name(gone.sku)), {
        text: words.cart.putBack,
        run: () => actions.add(gone.sku, gone.quantity),
      });
    });
  }

  async #onConnection(before) {
    const { store, messages } = this.#app;
    if (store.connection === 'offline') this.#onCart();
    if (store.connection !== 'live' || before !== 'offline') return;
    const waited = this.#waited;
    this.#waited = 0;
    await store.live.cart.settled();
    const { current } = messages;
    if (waited === 0 && current !== null && current.kind !== 'good') return;
    messages.say('good', words.status.back(waited)); // the client reads out that it is back
  }

  #onNotice({ code, fromToken }) {
    const { session } = this.#app;
    if (!fromToken) {
      if (code === 'token_expired') this.#say('info', words.signIn.newGuest);
      return;
    }
    if (code === 'busy') {
      this.#say('warn', words.signIn.retry);
      return;
    }
    session.start('guest');
    this.#end();
  }

  /** end goes on as a guest, whose cart and token are others. */
  #end() {
    const { store, router } = this.#app;
    store.live.reconnect();
    this.#say('info', `${words.signIn.ended}. ${words.signIn.endedText}`, {
      text: words.signIn.again,
      run: () => router.go({ page: 'sign-in' }),
    });
  }
}
