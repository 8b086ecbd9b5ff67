// Lines turns quick clicks on a cart line into few changes. While one change is
// unanswered, only the newest quantity is kept; it is sent next, with the version that
// the change before it made. So a user's own clicks never conflict with each other, but
// a change on another device still does.

export class Lines {
  #hub;
  #wishes = new Map(); // sku -> {quantity, version, done}
  #onChange;

  /** onChange is called when the result of quantity or isPending may have changed. */
  constructor(hub, onChange) {
    this.#hub = hub;
    this.#onChange = onChange;
  }

  /** quantity returns the quantity to display: the user's wish, or else the quantity in the cart. */
  quantity(sku) {
    return this.#wishes.get(sku)?.quantity ?? this.#hub.get('cart')?.lines.get(sku)?.quantity ?? 0;
  }

  /** isPending reports whether a wish for the line is unanswered. */
  isPending(sku) {
    return this.#wishes.has(sku);
  }

  /** setQuantity sets the quantity of a line; 0 removes the line. It resolves with the last answer. */
  setQuantity(sku, quantity) {
    let wish = this.#wishes.get(sku);
    if (wish) {
      wish.quantity = quantity;
    } else {
      wish = { quantity, version: this.#hub.get('cart')?.version };
      this.#wishes.set(sku, wish);
      wish.done = this.#carryOut(sku, wish);
    }
    this.#onChange();
    return wish.done;
  }

  async #carryOut(sku, wish) {
    try {
      for (;;) {
        const { quantity } = wish;
        const answer = await this.#hub.set({ [sku]: quantity }, { version: wish.version });
        if (wish.quantity === quantity || answer.clamped) return answer;
        wish.version = answer.version;
      }
    } finally {
      this.#wishes.delete(sku);
      this.#onChange();
    }
  }
}
