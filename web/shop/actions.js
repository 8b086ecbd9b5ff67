// What a person does with the cart, and what the shop says to it.

import { words } from './words.js';

export class Actions {
  #app;

  constructor(app) {
    this.#app = app;
  }

  /** add puts pieces into the cart, or takes them away. It shows at once; the answer may correct it. */
  add(sku, by) {
    const { store } = this.#app;
    const before = store.line(sku).quantity;
    store.live.cart.dismiss(sku);
    return this.#report(sku, store.live.cart.add(sku, by), { good: by > 0 && before === 0 });
  }

  /** set gives a line a quantity that was typed: a conflict if it has changed since it was seen. */
  set(sku, quantity, { typed = false } = {}) {
    const { cart } = this.#app.store.live;
    cart.dismiss(sku);
    return this.#report(sku, cart.set({ [sku]: quantity }, typed ? { version: cart.state.version } : {}));
  }

  remove(sku) {
    const { cart } = this.#app.store.live;
    cart.dismiss(sku);
    return this.#report(sku, cart.remove(sku));
  }

  async #report(sku, answer, { good = false } = {}) {
    const { messages, voice, store, router } = this.#app;
    const name = store.shop.name(sku);
    const say = (kind, text) => {
      const ownPlace = kind !== 'good' && router.route.page === 'cart' && store.lines.has(sku);
      if (!ownPlace) messages.say(kind, text); // else the line says it
      voice.say(text);
    };
    try {
      const ok = await answer;
      const clamp = ok.clamped?.[sku];
      if (clamp) say('warn', `${name}: ${words.line.clamped(clamp.wanted, clamp.got)}`);
      else if (good) say('good', words.cart.added(name));
    } catch (error) {
      if (error.code === 'closed' || error.code === 'identity') return;
      const mine = store.line(sku).confirmed;
      say('bad', `${name}: ${error.code === 'no_stock' ? words.line.noStock(mine) : words.error(error)}`);
    }
  }
}
