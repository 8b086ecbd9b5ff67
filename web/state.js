// State is what the page knows, and the rules by which a message may change it.
// It has no socket and no clock: a message goes in, what changed comes out.
//
// The one rule from which everything else follows: within an epoch a key only
// moves to a higher version. So repeated, reordered and merged messages are
// harmless, and a key never shows something older than it showed before.

/** topicForm is what the server takes as the name of a topic. */
export const topicForm = /^(?:cart|(?:sku|cart|vendor):[A-Za-z0-9._~-]{1,64})$/;

/** cartTopic is the caller's own cart. */
export const cartTopic = 'cart';

const isCart = (topic) => topic === cartTopic || topic.startsWith('cart:');
const isVersion = (v) => Number.isSafeInteger(v) && v >= 0;
const isObject = (v) => typeof v === 'object' && v !== null && !Array.isArray(v);

export class State {
  /** The history that all versions belong to; null before the first message. */
  epoch = null;

  #values = new Map(); // topic -> value, see get
  #missed = new Map(); // cart topic -> newest version heard of that could not be applied
  #loose = new Set(); // topics whose value may look different at the same version, see soften
  #past = new Set(); // epochs that ended; a late message of one must not bring it back

  /**
   * get returns the newest known value of a topic, or undefined.
   *   sku:ID   {version, state, quantity}    quantity may be undefined
   *   cart     {version, lines}              lines: Map of SKU to {quantity, version}
   *   vendor:  {skus, more}
   * Values are never changed in place.
   */
  get(topic) {
    return this.#values.get(topic);
  }

  /** versions is what a conditional subscribe says of those topics. */
  versions(topics) {
    const found = {};
    for (const topic of topics) {
      found[topic] = this.#loose.has(topic) ? 0 : (this.#values.get(topic)?.version ?? 0);
    }
    return found;
  }

  /** behind reports whether a newer version is known to exist than the one here. */
  behind(topic) {
    const missed = this.#missed.get(topic);
    return missed !== undefined && missed > (this.#values.get(topic)?.version ?? -1);
  }

  /** forget drops a topic. "cart" is another cart for another person. */
  forget(topic) {
    this.#missed.delete(topic);
    this.#loose.delete(topic);
    return this.#values.delete(topic);
  }

  /**
   * soften is called when the caller's rights changed: a SKU may now look
   * different at the version it has. The values stay as a floor, but are asked for
   * again, and the same version is taken once.
   */
  soften() {
    for (const topic of this.#values.keys()) this.#loose.add(topic);
  }

  /**
   * take applies one message of the server.
   *   changed  topics whose value is another one now
   *   gaps     carts that lack steps: ask again with the version they have
   *   reset    history was lost: everything known before is void
   * What is not understood changes nothing.
   */
  take(message) {
    const result = { changed: [], gaps: [], reset: false };
    if (!isObject(message)) return result;
    switch (message.type) {
      case 'hello':
        // The first word on a fresh connection cannot be late.
        this.#past.delete(message.epoch);
        this.#enter(message.epoch, result);
        break;
      case 'snapshot':
      case 'delta':
        if (!this.#enter(message.epoch, result) || !isObject(message.topics)) break;
        for (const [topic, value] of Object.entries(message.topics)) {
          if (isObject(value)) this.#put(topic, value, result);
        }
        break;
      case 'ok':
        // "again": the lines did not fit.
        if (isVersion(message.version) && message.again?.length > 0) this.#miss(cartTopic, message.version, result);
        else if (isVersion(message.from)) this.#put(cartTopic, message, result);
        break;
      case 'error':
        // A refused write tells the cart's version, but not every step up to it.
        if (isVersion(message.version)) this.#miss(cartTopic, message.version, result);
        break;
    }
    return result;
  }

  /** enter makes an epoch the current one, and reports whether it is. */
  #enter(epoch, result) {
    if (typeof epoch !== 'string' || epoch === '' || this.#past.has(epoch)) return false;
    if (this.epoch !== null && this.epoch !== epoch) {
      this.#past.add(this.epoch);
      result.reset = true;
      result.changed.push(...this.#values.keys());
      this.#values.clear();
      this.#missed.clear();
      this.#loose.clear();
    }
    this.epoch = epoch;
    return true;
  }

  #put(topic, value, result) {
    let done = false;
    if (topic.startsWith('vendor:')) done = this.#putVendor(topic, value);
    else if (!isVersion(value.version)) return;
    else if (topic.startsWith('sku:')) done = this.#putBadge(topic, value);
    else if (isCart(topic) && isObject(value.lines)) done = this.#putCart(topic, value, result);
    if (!done) return;
    this.#loose.delete(topic);
    if (!this.behind(topic)) this.#missed.delete(topic);
    if (!result.changed.includes(topic)) result.changed.push(topic);
  }

  /** newer is the rule. */
  #newer(topic, version) {
    const have = this.#values.get(topic);
    return have === undefined || version > have.version || (version === have.version && this.#loose.has(topic));
  }

  #putBadge(topic, { version, state, quantity }) {
    if (!this.#newer(topic, version) || typeof state !== 'string') return false;
    this.#values.set(topic, Object.freeze({ version, state, quantity: isVersion(quantity) ? quantity : undefined }));
    return true;
  }

  #putCart(topic, { from, version, lines }, result) {
    if (!this.#newer(topic, version)) return false;
    const have = this.#values.get(topic);
    const whole = from === undefined;
    // A cart begins empty at version 0, so a step from there needs nothing else.
    if (!whole && !(isVersion(from) && from <= (have?.version ?? 0))) {
      this.#miss(topic, version, result);
      return false;
    }
    const next = new Map(whole ? [] : have?.lines);
    for (const [sku, line] of Object.entries(lines)) {
      if (isObject(line) && line.quantity > 0) next.set(sku, Object.freeze({ quantity: line.quantity, version: line.version }));
      else next.delete(sku);
    }
    this.#values.set(topic, Object.freeze({ version, lines: next }));
    return true;
  }

  // A vendor's list has no version; it comes in answers only, the newest last.
  #putVendor(topic, { skus, more }) {
    if (!Array.isArray(skus)) return false;
    this.#values.set(topic, Object.freeze({ skus: Object.freeze([...skus]), more: more === true }));
    return true;
  }

  #miss(topic, version, result) {
    if (version <= (this.#values.get(topic)?.version ?? -1)) return;
    this.#missed.set(topic, Math.max(version, this.#missed.get(topic) ?? 0));
    if (!result.gaps.includes(topic)) result.gaps.push(topic);
  }
}
