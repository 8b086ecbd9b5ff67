// Lines turns quick clicks at a line of the cart into few changes. While one is
// under way the newest wish waits; it then goes out with the version that the one
// before it made. So the person's own clicks never conflict with each other, and
// a change on another device still does.

export class Lines {
  #hub;
  #wishes = new Map(); // sku -> {quantity, version, done}
  #changed;

  /** changed is called when what shown returns may be another. */
  constructor(hub, changed) {
    this.#hub = hub;
    this.#changed = changed;
  }

  /** shown is the quantity to show: the person's wish, or what is in the cart. */
  shown(sku) {
    return this.#wishes.get(sku)?.quantity ?? this.#hub.get('cart')?.lines.get(sku)?.quantity ?? 0;
  }

  /** waits reports whether a wish for that line is not answered yet. */
  waits(sku) {
    return this.#wishes.has(sku);
  }

  /** wish sets a line's quantity, 0 removes it. It promises the last answer. */
  wish(sku, quantity) {
    let wish = this.#wishes.get(sku);
    if (wish) {
      wish.quantity = quantity;
    } else {
      wish = { quantity, version: this.#hub.get('cart')?.version };
      this.#wishes.set(sku, wish);
      wish.done = this.#carryOut(sku, wish);
    }
    this.#changed();
    return wish.done;
  }

  async #carryOut(sku, wish) {
    try {
      for (;;) {
        const sent = wish.quantity;
        const answer = await this.#hub.set({ [sku]: sent }, { version: wish.version });
        if (wish.quantity === sent || answer.clamped) return answer;
        wish.version = answer.version;
      }
    } finally {
      this.#wishes.delete(sku);
      this.#changed();
    }
  }
}
