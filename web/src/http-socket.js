// HTTPSocket stands in for a WebSocket where a network blocks sockets: it takes the messages of
// the protocol, makes HTTP requests of them, and answers as the hub does on a socket. It pushes
// nothing, so the hub asks again every few seconds.
//
// Stock may come from a cache, so an answer may be older than its request. If it is older than
// what the page shows, or has another epoch, it is asked for again, past all caches.

import { subjectOf } from './token.js';

/** maxQuery is the longest query, in bytes: CloudFront takes URLs of 8 192 bytes. */
const maxQuery = 6_000;

/** maxSKUs is how many SKUs a request may name. */
const maxSKUs = 100;

/** How a change to the cart is made. */
const writes = {
  add: ['POST', '/cart/lines'],
  set: ['PATCH', '/cart'],
  merge: ['POST', '/cart/merge'],
  checkout: ['POST', '/cart/checkout'],
};

export class HTTPSocket {
  readyState = 1;
  onopen = null;
  onmessage = null;
  onclose = null;

  #o;
  #token;
  #named; // whether requests for stock have the token
  #epoch;
  #told = new Map(); // topic of a cart or a list -> its value as JSON, as it was last told
  #end = new AbortController();

  /**
   * Options:
   *   url        of the REST API, with its version
   *   token      what a handshake would offer, or null
   *   fromToken  whether the token is of a person who is signed in
   *   epoch      that the page knows, or null
   *   who        {user, role, vendor} that the page knows
   *   fetch, random
   *   onBusy(ms)  is called when the server asks for a pause
   */
  constructor(options) {
    this.#o = options;
    this.#token = options.token;
    this.#epoch = options.epoch;
    // Without a token, the answers are the same for everybody, and caches may share them.
    this.#named = options.fromToken;
    queueMicrotask(() => this.onopen?.());
  }

  /** send makes requests of a message. If a change or hello gets no answer, the connection ends. */
  send(text) {
    const { id, ...message } = JSON.parse(text);
    this.#do(message).then(
      (answer) => this.#tell({ ...answer, id }),
      () => {
        this.readyState = 3;
        this.onclose?.();
      },
    );
  }

  /** close takes requests back that are on their way, as far as that is possible. */
  close() {
    this.readyState = 3;
    this.#end.abort();
  }

  #do(message) {
    switch (message.action) {
      case 'hello':
        return this.#hello(message.token);
      case 'subscribe':
      case 'get':
        return this.#read(message);
      case 'unsubscribe':
        return Promise.resolve({ type: 'snapshot', topics: {} });
      default:
        return this.#write(message);
    }
  }

  #tell(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  // ---- hello ----

  /** hello finds out whether the token is good. As at a handshake, without one the page is a new guest. */
  async #hello(renewed) {
    const { who } = this.#o;
    const token = renewed ?? this.#token;
    let notice;
    if (token) {
      const cart = await this.#call('GET', '/cart', { token });
      if (cart.type === 'snapshot') {
        const user = subjectOf(token);
        if (renewed && !isGuest(this.#token) && user !== subjectOf(this.#token)) {
          return { type: 'error', code: 'denied', message: 'the token of another user' };
        }
        this.#token = token;
        this.#named ||= !isGuest(token);
        this.#enter(cart.epoch);
        // Only a socket tells the role of a token.
        const { role, vendor } = who.user === user ? who : { role: isGuest(token) ? 'guest' : 'customer', vendor: undefined };
        return { type: 'hello', epoch: cart.epoch, user, role, vendor };
      }
      if (cart.status !== 401 || renewed) return cart;
      notice = cart.reason;
    }
    const guest = await this.#call('POST', '/guests', { token: null });
    if (guest.type === 'error') return guest;
    this.#token = guest.guestToken;
    this.#named = false;
    return { type: 'hello', user: guest.user, role: 'guest', guestToken: guest.guestToken, notice };
  }

  // ---- Reading ----

  /** read answers a subscribe or a get. It passes on the value of each SKU that has changed. */
  async #read({ topics, epoch }) {
    const isList = Array.isArray(topics);
    const names = isList ? topics : Object.keys(topics);
    const shown = { epoch, topics: isList ? {} : topics };
    let parts;
    try {
      parts = await Promise.all([
        ...queriesOf(names.filter((topic) => topic.startsWith('sku:'))).map((query) => this.#stock(query, shown)),
        ...names.filter((topic) => !topic.startsWith('sku:')).map((topic) => this.#own(topic, shown)),
      ]);
    } catch {
      return { type: 'error', code: 'internal', message: 'a request got no answer', retry: true };
    }
    const failed = parts.find((part) => part.type === 'error');
    if (failed) return failed;
    if (parts.some((part) => part.epoch && part.epoch !== this.#epoch)) {
      return { type: 'error', code: 'busy', message: 'a new epoch began', retry: true };
    }
    const of = (field) => Object.assign({}, ...parts.map((part) => part[field]));
    return { type: 'snapshot', epoch: this.#epoch, topics: of('topics'), refused: of('refused') };
  }

  /** stock reads badges. */
  async #stock(query, shown) {
    const named = this.#named;
    const ask = (path, cache) => this.#call('GET', path, { token: named ? this.#token : null, cache });
    // The browser keeps answers with their ETag, and asks whether they changed.
    let answer = await ask(`/stock?${query}`, 'no-cache');
    if (answer.type !== 'error' && this.#isOlder(answer, shown)) answer = await ask(`/stock?${unknownOf(query, this.#o.random)}`, 'no-store');
    if (answer.status === 401 && named) {
      this.#named = false; // badges go on
      this.#tell({ type: 'error', code: 'token_expired', message: 'the session has ended' });
      return this.#stock(query, shown);
    }
    // Guests without a token share the limits of their address, those with one have some for themselves.
    const codes = [answer.code, ...Object.values(answer.refused ?? {})];
    if (codes.includes('slow_down')) this.#named = true;
    if (answer.type === 'error') return answer;
    this.#enter(answer.epoch);
    if (answer.epoch !== shown.epoch) return answer;
    const { topics, refused = {} } = answer;
    for (const [topic, has] of Object.entries(shown.topics)) {
      if (typeof has !== 'object') continue;
      if (topics[topic] && isSame(topics[topic], has)) delete topics[topic];
      if (refused[topic] !== 'denied') continue;
      delete refused[topic];
      topics[topic] = { version: 0, state: 'out' }; // there is no such item any more
    }
    return answer;
  }

  /** isOlder reports whether an answer is older than what the page shows, or may be. */
  #isOlder({ epoch, topics, refused }, shown) {
    if (this.#epoch && epoch !== this.#epoch) return true;
    return Object.entries(shown.topics).some(([topic, has]) => {
      if (typeof has !== 'object') return false;
      if (refused?.[topic] === 'denied') return has.version > 0;
      return topics[topic]?.version <= has.version && !isSame(topics[topic], has);
    });
  }

  /** own reads the cart, or a vendor's list. It is refused alone, unless the server asks for patience. */
  async #own(topic, shown) {
    const vendor = /^vendor:(.*)$/s.exec(topic)?.[1];
    if (topic !== 'cart' && !vendor) return { refused: { [topic]: 'no_socket' } };
    const answer = await this.#call('GET', vendor ? `/inventory?vendor=${encodeURIComponent(vendor)}` : '/cart', { token: this.#token });
    if (answer.type === 'error') return answer.after ? answer : { refused: { [topic]: answer.code } };
    this.#enter(answer.epoch);
    const value = answer.topics[topic];
    const text = JSON.stringify(value);
    const isKnown = this.#told.get(topic) === text && (vendor || (shown.epoch === answer.epoch && shown.topics.cart === value.version));
    this.#told.set(topic, text);
    if (isKnown) delete answer.topics[topic];
    return answer;
  }

  #enter(epoch) {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#told.clear();
  }

  // ---- Writing ----

  async #write({ action, key, ...fields }) {
    const [method, path] = writes[action];
    return { key, ...(await this.#call(method, path, { token: this.#token, key, body: JSON.stringify(fields) })) };
  }

  /**
   * call resolves with an answer, also if it is an error, and rejects if there is none.
   * @param {string} method
   * @param {string} path
   * @param {{token: string | null, key?: string, body?: string, cache?: RequestCache}} request
   */
  async #call(method, path, { token, key, body, cache = 'no-store' }) {
    const headers = {};
    if (token) headers.Authorization = `Bearer ${token}`;
    if (key) headers['Idempotency-Key'] = key;
    if (body) headers['Content-Type'] = 'application/json';
    const { signal } = this.#end;
    const response = await this.#o.fetch(this.#o.url + path, { method, headers, body, cache, credentials: 'omit', signal });
    const answer = await response.json().catch((error) => {
      if (error instanceof SyntaxError) return null; // not of the hub
      throw error;
    });
    if (response.ok && answer) return answer;
    const error = errorOf(response, answer ?? {});
    if (error.after) this.#o.onBusy(error.after);
    if (error.status === 410) this.#tell({ type: 'bye', code: error.code, retry: false }); // this version of the API has ended
    return error;
  }
}

/** errorOf returns a problem document as the error of a message. reason is the code of a 401. */
function errorOf({ status, headers }, { code, detail, version, lines, retry, after }) {
  const isMomentary = status < 300 || status === 429 || status >= 500; // 2xx: something in between answers
  return {
    type: 'error',
    status,
    code: status === 401 ? 'token_expired' : code ?? (status === 429 ? 'slow_down' : 'internal'),
    reason: code,
    message: detail ?? `the status is ${status}`,
    version,
    lines,
    retry: code ? Boolean(retry) : isMomentary,
    after: after ?? (Number(headers.get('Retry-After')) * 1000 || undefined),
  };
}

const isGuest = (token) => token.startsWith('guest.');

/** isSame reports whether two values of a badge look the same. */
const isSame = (a, b) => ['version', 'state', 'quantity', 'until'].every((name) => a[name] === b[name]);

/** queriesOf returns the queries of SKUs, in their order: pages that ask for the same ones share what a cache has. */
function queriesOf(topics) {
  const queries = [];
  for (const topic of [...topics].sort()) {
    const part = `sku=${encodeURIComponent(topic.slice('sku:'.length))}`;
    const last = queries.at(-1);
    if (last && last.length + part.length < maxQuery) queries[queries.length - 1] += `&${part}`;
    else queries.push(part);
  }
  return queries;
}

/** unknownOf names the SKUs of a query in another order, and some of them again: no cache knows that URL. */
function unknownOf(query, random) {
  const parts = query.split('&');
  const any = () => Math.floor(random() * parts.length);
  let { length } = query;
  for (let more = random() * 50; more > 0 && parts.length < maxSKUs; more--) {
    const part = parts[any()];
    length += part.length + 1;
    if (length > maxQuery) break;
    parts.splice(any(), 0, part);
  }
  for (let i = parts.length; i > 0; i--) parts.push(...parts.splice(Math.floor(random() * i), 1));
  return parts.join('&');
}
