// State holds what the page knows, and the rules by which messages change it. It has
// no socket and no clock: it takes a message, and returns which topics changed.
//
// Within an epoch, a topic only moves to a higher version. So repeated, reordered and
// merged messages are harmless, and a topic never shows an older value than before.
//
// A shop that does not count its versions needs two more rules. A pushed value with a
// "rev" is taken if the rev is newer than all before it. The value of an answer is taken
// if nothing changed the topic since the request: it was read later than what is shown.
// If something did, and the answer is lower, either may be the newer one: ask again.

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
/** isOther: an answer has not the value that is shown, and no higher version. A shop may write one version twice. */
const isOther = (value, shown) =>
  value.version < shown?.version || (value.version === shown?.version && JSON.stringify(badgeOf(value)) !== JSON.stringify(shown));

/** badgeOf returns what a page shows of a SKU's value. */
const badgeOf = ({ version, state, quantity, until }) => ({
  version, state, quantity: isVersion(quantity) ? quantity : undefined, ...(typeof until === 'string' && { until }),
});

/** newerRev reports whether rev a is newer than rev b: digits without leading zeros. */
const newerRev = (a, b) => (a.length === b.length ? a > b : a.length > b.length);
const isRev = (v) => typeof v === 'string' && /^[0-9]{1,64}$/.test(v);
const isObject = (v) => typeof v === 'object' && v !== null && !Array.isArray(v);

export class State {
  /** The epoch that all versions belong to; null before the first message. */
  epoch = null;

  #values = new Map(); // topic -> value, see get
  #missed = new Map(); // cart topic -> newest version that arrived and could not be applied
  #toReview = new Set(); // topics whose value may differ at the same version, see reviewAll
  #revs = new Map(); // topic -> newest rev that a message had
  #taken = new Map(); // topic -> how often its value changed
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

  /** topics lists the topics that have a value. */
  get topics() {
    return [...this.#values.keys()];
  }

  /**
   * versions returns what a conditional subscribe sends for those topics: a version, or
   * for SKUs the value, so that the server notices a change that kept the version.
   */
  versions(topics) {
    const found = {};
    for (const topic of topics) {
      const value = this.#toReview.has(topic) ? undefined : this.#values.get(topic);
      found[topic] = value && topic.startsWith('sku:') ? { ...value } : (value?.version ?? 0);
    }
    return found;
  }

  /** moment returns what apply needs to judge the answer to a request that is sent now. */
  moment(topics) {
    return { epoch: this.epoch, taken: new Map(topics.map((topic) => [topic, this.#taken.get(topic) ?? 0])) };
  }

  /** isBehind reports whether a newer version is known to exist. */
  isBehind(topic) {
    const missed = this.#missed.get(topic);
    return missed !== undefined && missed > (this.#values.get(topic)?.version ?? -1);
  }

  /** seed takes a value that came with the page, if nothing newer is known. It reports whether it did. */
  seed(topic, value) {
    if (this.#values.has(topic) || (topic.startsWith('sku:') && !isVersion(value.version))) return false;
    this.#values.set(topic, Object.freeze({ ...value }));
    return true;
  }

  /** forget removes a topic. A different user needs it: their "cart" is a different cart. */
  forget(topic) {
    this.#missed.delete(topic);
    this.#toReview.delete(topic);
    this.#revs.delete(topic);
    this.#take(topic);
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
   * apply uses one message from the server. For the answer to a subscribe or get, asked is
   * the moment of the request. It returns:
   *   changed  topics whose value changed
   *   gaps     carts that missed a step, and badges of which an older value may have come
   *            late: subscribe again with the version they have
   *   reset    whether a new epoch began, which voids all earlier values
   *   ordered  carts whose lines a checkout took
   * Messages that it does not understand change nothing.
   */
  apply(message, asked) {
    const result = { changed: [], gaps: [], reset: false, ordered: [] };
    if (!isObject(message)) return result;
    switch (message.type) {
      case 'hello':
        // The first message on a connection cannot be late.
        this.#past.delete(message.epoch);
        this.#enter(message.epoch, result);
        break;
      case 'snapshot':
        // The request was sent in the current epoch, so its answer cannot be of an earlier one.
        if (asked && asked.epoch === this.epoch) this.#past.delete(message.epoch);
        this.#putAll(message, result, asked);
        break;
      case 'delta':
        this.#putAll(message, result);
        break;
      case 'ok':
        // With "again", the lines did not fit into the answer.
        if (isVersion(message.version) && message.again?.length > 0) this.#miss(cartTopic, message.version, result);
        else if (isVersion(message.from)) this.#put(cartTopic, message, result);
        break;
      case 'error':
        // A refused write has the cart's version, but not all changes up to it.
        if (!isVersion(message.version)) break;
        this.#miss(cartTopic, message.version, result);
        // The shop removed the cart's row, perhaps at a checkout.
        if (message.version < (this.#values.get(cartTopic)?.version ?? 0)) result.gaps.push(cartTopic);
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
      this.#revs.clear();
      for (const topic of this.#taken.keys()) this.#take(topic);
    }
    this.epoch = epoch;
    return true;
  }

  #putAll({ epoch, topics }, result, asked) {
    if (!this.#enter(epoch, result) || !isObject(topics)) return;
    for (const [topic, value] of Object.entries(topics)) {
      if (!isObject(value)) continue;
      this.#put(topic, value, result, asked?.taken.get(topic) === (this.#taken.get(topic) ?? 0));
      // A push since the request may be older than this.
      if (asked?.taken.has(topic) && topic.startsWith('sku:') && isOther(value, this.#values.get(topic))) result.gaps.push(topic);
    }
  }

  #take(topic) {
    this.#taken.set(topic, (this.#taken.get(topic) ?? 0) + 1);
  }

  /** put uses the value of one topic. proven: it is of an answer, and nothing changed the topic since the request. */
  #put(topic, value, result, proven = false) {
    const before = this.#values.get(topic);
    let applied = false;
    if (topic.startsWith('vendor:')) applied = this.#putVendor(topic, value);
    else if (!isVersion(value.version)) return;
    else if (topic.startsWith('sku:')) applied = this.#putBadge(topic, value, proven);
    else if (isCart(topic) && isObject(value.lines)) applied = this.#putCart(topic, value, result, proven);
    if (!applied) return;
    // A cart that had no lines lost none: then the reason is old news.
    const wasOrdered = value.reason === 'ordered' || isObject(value.ordered);
    if (wasOrdered && before?.lines?.size > 0) result.ordered.push(topic);
    this.#take(topic);
    this.#toReview.delete(topic);
    if (proven || !this.isBehind(topic)) this.#missed.delete(topic);
    if (!result.changed.includes(topic)) result.changed.push(topic);
  }

  /** newer reports whether a value may replace the current one. */
  #newer(topic, { version, rev }, proven) {
    if (isRev(rev)) {
      if (!newerRev(rev, this.#revs.get(topic) ?? '')) return false;
      this.#revs.set(topic, rev);
      return true;
    }
    const current = this.#values.get(topic);
    if (current === undefined || version > current.version || proven) return true;
    return version === current.version && this.#toReview.has(topic);
  }

  #putBadge(topic, value, proven) {
    if (typeof value.state !== 'string' || !this.#newer(topic, value, proven)) return false;
    this.#values.set(topic, Object.freeze(badgeOf(value)));
    return true;
  }

  #putCart(topic, value, result, proven) {
    const { from, version, lines } = value;
    if (!this.#newer(topic, value, proven)) return false;
    const current = this.#values.get(topic);
    // A cart begins empty at version 0, so a step from 0 is the whole cart.
    const whole = from === undefined || from === 0;
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
    this.#take(topic); // an answer on its way may be older
    if (!result.gaps.includes(topic)) result.gaps.push(topic);
  }
}
