// State holds what the page knows, and the rules by which messages change it. It has
// no socket and no clock: it takes a message, and returns which topics changed.
//
// One rule implies all others: within an epoch, a topic only moves to a higher version.
// So repeated, reordered and merged messages are harmless, and a topic never shows an
// older value than before.

/** Names of SKUs and vendors are printable text with spaces inside; those of carts are safe in URLs. */
const topicForm = /^(?:cart|cart:[A-Za-z0-9._~-]{1,64}|(?:sku|vendor):(?! )(?:[\p{L}\p{M}\p{N}\p{P}\p{S}]| (?!$))+)$/u;

/** maxName is the length of the longest name of a SKU or vendor in bytes of UTF-8. */
const maxName = 128;

/**
 * isTopic reports whether the server takes a text for a topic. A character that only one
 * of the two knows does no harm: then the server refuses the topic, with the same code.
 */
export function isTopic(text) {
  if (!topicForm.test(text)) return false;
  return new TextEncoder().encode(text.slice(text.indexOf(':') + 1)).length <= maxName;
}

/** cartTopic is the user's own cart. */
export const cartTopic = 'cart';

const isCart = (topic) => topic === cartTopic || topic.startsWith('cart:');
const isVersion = (v) => Number.isSafeInteger(v) && v >= 0;
const isObject = (v) => typeof v === 'object' && v !== null && !Array.isArray(v);

export class State {
  /** The epoch that all versions belong to; null before the first message. */
  epoch = null;

  #values = new Map(); // topic -> value, see get
  #missed = new Map(); // cart topic -> newest version that arrived and could not be applied
  #toReview = new Set(); // topics whose value may differ at the same version, see reviewAll
  #past = new Set(); // epochs that have ended; a late message must not restore one

  /**
   * get returns the newest known value of a topic, or undefined.
   *   sku:ID   {version, state, quantity, until}   quantity and until may be undefined
   *   cart     {version, lines}              lines: Map of SKU to {quantity, version}
   *   vendor:  {skus, more}
   * Values are immutable.
   */
  get(topic) {
    return this.#values.get(topic);
  }

  /** versions returns the versions that a conditional subscribe sends for those topics. */
  versions(topics) {
    const found = {};
    for (const topic of topics) {
      found[topic] = this.#toReview.has(topic) ? 0 : (this.#values.get(topic)?.version ?? 0);
    }
    return found;
  }

  /** isBehind reports whether a newer version is known to exist. */
  isBehind(topic) {
    const missed = this.#missed.get(topic);
    return missed !== undefined && missed > (this.#values.get(topic)?.version ?? -1);
  }

  /** forget removes a topic. A different user needs it: their "cart" is a different cart. */
  forget(topic) {
    this.#missed.delete(topic);
    this.#toReview.delete(topic);
    return this.#values.delete(topic);
  }

  /**
   * reviewAll must be called when the user's rights change, because a SKU may then look
   * different at the same version. The versions remain a lower bound, but subscribes
   * request the values again, and the same version is accepted once.
   */
  reviewAll() {
    for (const topic of this.#values.keys()) this.#toReview.add(topic);
  }

  /**
   * apply uses one message from the server. It returns:
   *   changed  topics whose value changed
   *   gaps     carts that missed a step: subscribe again with the version they have
   *   reset    whether a new epoch began, which voids all earlier values
   *   ordered  carts whose lines a checkout took
   * Messages that it does not understand change nothing.
   */
  apply(message) {
    const result = { changed: [], gaps: [], reset: false, ordered: [] };
    if (!isObject(message)) return result;
    switch (message.type) {
      case 'hello':
        // The first message on a connection cannot be late.
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
        // With "again", the lines did not fit into the answer.
        if (isVersion(message.version) && message.again?.length > 0) this.#miss(cartTopic, message.version, result);
        else if (isVersion(message.from)) this.#put(cartTopic, message, result);
        break;
      case 'error':
        // A refused write has the cart's version, but not all changes up to it.
        if (isVersion(message.version)) this.#miss(cartTopic, message.version, result);
        break;
    }
    return result;
  }

  /** enter switches to an epoch, unless it is unusable or has ended. It reports whether the epoch is current. */
  #enter(epoch, result) {
    if (typeof epoch !== 'string' || epoch === '' || this.#past.has(epoch)) return false;
    if (this.epoch !== null && this.epoch !== epoch) {
      this.#past.add(this.epoch);
      result.reset = true;
      result.changed.push(...this.#values.keys());
      this.#values.clear();
      this.#missed.clear();
      this.#toReview.clear();
    }
    this.epoch = epoch;
    return true;
  }

  #put(topic, value, result) {
    const before = this.#values.get(topic);
    let applied = false;
    if (topic.startsWith('vendor:')) applied = this.#putVendor(topic, value);
    else if (!isVersion(value.version)) return;
    else if (topic.startsWith('sku:')) applied = this.#putBadge(topic, value);
    else if (isCart(topic) && isObject(value.lines)) applied = this.#putCart(topic, value, result);
    if (!applied) return;
    // A cart that had no lines lost none: then the reason is old news.
    const wasOrdered = value.reason === 'ordered' || isObject(value.ordered);
    if (wasOrdered && before?.lines?.size > 0) result.ordered.push(topic);
    this.#toReview.delete(topic);
    if (!this.isBehind(topic)) this.#missed.delete(topic);
    if (!result.changed.includes(topic)) result.changed.push(topic);
  }

  /** newer reports whether a version may replace the current value. */
  #newer(topic, version) {
    const current = this.#values.get(topic);
    if (current === undefined || version > current.version) return true;
    return version === current.version && this.#toReview.has(topic);
  }

  #putBadge(topic, { version, state, quantity, until }) {
    if (!this.#newer(topic, version) || typeof state !== 'string') return false;
    const badge = { version, state, quantity: isVersion(quantity) ? quantity : undefined };
    if (typeof until === 'string') badge.until = until;
    this.#values.set(topic, Object.freeze(badge));
    return true;
  }

  #putCart(topic, { from, version, lines }, result) {
    if (!this.#newer(topic, version)) return false;
    const current = this.#values.get(topic);
    const whole = from === undefined;
    // A cart begins empty at version 0, so a step from 0 always applies.
    if (!whole && !(isVersion(from) && from <= (current?.version ?? 0))) {
      this.#miss(topic, version, result);
      return false;
    }
    const next = new Map(whole ? [] : current?.lines);
    for (const [sku, line] of Object.entries(lines)) {
      if (isObject(line) && line.quantity > 0) {
        next.set(sku, Object.freeze({ quantity: line.quantity, version: line.version }));
      } else {
        next.delete(sku);
      }
    }
    this.#values.set(topic, Object.freeze({ version, lines: next }));
    return true;
  }

  // A vendor's list has no version. It only comes in answers, so the last one is the newest.
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
