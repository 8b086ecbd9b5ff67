// Far is what a following tab knows: the news of the tab that leads. It answers a page as a Hub does.

const nobody = { status: 'connecting', live: false, at: null, user: null, role: null, vendor: null, limits: {}, epoch: null, guestToken: null };
const emptyCart = { known: false, live: false, provenAt: null, version: 0, pending: 0, kept: false, lines: new Map() };

export class Far {
  // What the leader is, see stateOf.
  status;
  user;
  role;
  vendor;
  limits;
  epoch;
  guestToken;
  at;

  #live; // whether the leader has proof
  #isProven;
  #heard = new Map(); // topic -> {value, live, provenAt, refusal}
  #cart = emptyCart;

  /** isProven reports whether there is proof that the leader lives. */
  constructor(isProven) {
    this.#isProven = isProven;
    this.#become(nobody);
  }

  #become({ live, ...leader }) {
    this.#live = live;
    Object.assign(this, leader);
  }

  get live() {
    return this.#live && this.#isProven();
  }

  get cart() {
    return this.#isProven() ? this.#cart : { ...this.#cart, live: false };
  }

  get(topic) {
    return this.#heard.get(topic)?.value;
  }

  isLive(topic) {
    return this.live && this.#heard.get(topic)?.live === true;
  }

  provenAt(topic) {
    const heard = this.#heard.get(topic);
    return (heard?.live ? this.at : heard?.provenAt) ?? null;
  }

  refusal(topic) {
    return this.#heard.get(topic)?.refusal;
  }

  seed(topic, value) {
    if (this.#heard.has(topic)) return false;
    this.#heard.set(topic, { value, live: false, provenAt: null });
    return true;
  }

  /** letGo: these topics are no longer kept up to date. */
  letGo(topics) {
    for (const topic of topics) {
      const heard = this.#heard.get(topic);
      if (heard?.live) this.#heard.set(topic, { ...heard, live: false, provenAt: this.at });
    }
  }

  /** hear takes the leader's news, see newsOf. A new leader may know less: within an epoch, what was known stays. */
  hear({ far, values, cart }) {
    const sameEpoch = !far.epoch || far.epoch === this.epoch;
    this.#become(far);
    for (const [topic, entry] of values) {
      const { value, provenAt } = this.#heard.get(topic) ?? {};
      const stays = !entry.live && sameEpoch && value !== undefined;
      this.#heard.set(topic, stays ? { ...entry, value, provenAt } : entry);
    }
    if (cart && (cart.known || !this.#cart.known || !sameEpoch)) this.#cart = cart;
  }

  /** take keeps what the hub of this tab knew, which leads no more. */
  take(hub) {
    for (const topic of hub.topics) this.#heard.set(topic, { ...entryOf(hub, topic), live: false });
    this.#become({ ...stateOf(hub), live: false, status: 'connecting' });
    this.#cart = { ...hub.cart, live: false };
  }

  /** giveTo tells the hub of a tab that begins to lead what the tab knew. */
  giveTo(hub) {
    hub.resume(this);
    for (const [topic, { value, provenAt }] of this.#heard) hub.seed(topic, value, provenAt);
  }

  /** forgetPerson forgets all but the badges. It returns the topics that it forgot. */
  forgetPerson() {
    const gone = [...this.#heard.keys()].filter((topic) => !topic.startsWith('sku:'));
    for (const topic of gone) this.#heard.delete(topic);
    this.#become({ ...nobody, epoch: this.epoch });
    this.#cart = emptyCart;
    return gone;
  }
}

/** newsOf returns what a leader tells of its hub: what it is, some topics, and the cart if it is asked for. */
export const newsOf = (hub, topics, cart) => ({
  far: stateOf(hub),
  values: topics.map((topic) => [topic, entryOf(hub, topic)]),
  cart: cart ? hub.cart : undefined,
});

const stateOf = ({ status, live, at, user, role, vendor, limits, epoch, guestToken }) =>
  ({ status, live, at, user, role, vendor, limits, epoch, guestToken });

const entryOf = (hub, topic) => ({
  value: hub.get(topic),
  live: hub.isLive(topic),
  provenAt: hub.provenAt(topic),
  refusal: hub.refusal(topic),
});
