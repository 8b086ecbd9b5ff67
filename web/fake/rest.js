// A fake REST API: it answers requests with what a shop says to the messages they stand for.

/** tokenOf returns a token that names somebody, as HTTPSocket reads it. */
export const tokenOf = (sub) => `${sub.startsWith('guest:') ? 'guest.' : ''}h.${btoa(JSON.stringify({ sub: sub.replace('guest:', '') })).replaceAll('=', '')}.s`;

const actions = { 'POST /cart/lines': 'add', 'PATCH /cart': 'set', 'POST /cart/merge': 'merge', 'POST /cart/checkout': 'checkout' };

/** REST keeps what was asked. answer(message, request) is the shop's answer to a message. */
export class REST {
  requests = []; // {method, path, token, key, body, cache}

  /** blocked: requests get no answer. */
  blocked = false;

  /** losesAnswers: requests are served, and their answers lost. */
  losesAnswers = false;

  /** next has the answers of the next requests in place of the shop's: {status, body, headers}. */
  next = [];

  #answer;

  constructor(answer) {
    this.#answer = answer;
  }

  /** paths returns what was asked for, since the last call. */
  get paths() {
    return this.requests.splice(0).map(({ method, path }) => `${method} ${path}`);
  }

  fetch = async (url, { method, headers, body, cache, signal }) => {
    const { pathname, search } = new URL(url);
    const path = pathname.replace(/^\/v1/, '') + search;
    const token = headers.Authorization?.replace('Bearer ', '');
    const request = { method, path, token, key: headers['Idempotency-Key'], body: body && JSON.parse(body), cache };
    this.requests.push(request);
    if (this.blocked) throw new TypeError('Failed to fetch');
    const { status = 200, body: answer, headers: has = {} } = await (this.next.shift() ?? this.reply(request));
    if (this.losesAnswers) throw new TypeError('Failed to fetch');
    if (signal.aborted) throw signal.reason;
    return {
      status,
      ok: status < 400,
      headers: { get: (name) => has[name] ?? null },
      json: async () => (typeof answer === 'string' ? JSON.parse(answer) : structuredClone(answer)),
    };
  };

  async reply({ method, path, token, key, body }) {
    const { pathname, searchParams } = new URL(path, 'http://hub');
    const ask = (message) => this.#answer(message, token);
    if (path === '/guests') return { status: 201, body: { user: 'guest:g1', guestToken: tokenOf('guest:g1') } };
    if (pathname === '/stock') return { body: await ask({ action: 'get', topics: searchParams.getAll('sku').map((sku) => `sku:${sku}`) }) };
    if (path === '/cart' && method === 'GET') return { body: await ask({ action: 'get', topics: ['cart'] }) };
    if (pathname === '/inventory') return { body: await ask({ action: 'get', topics: [`vendor:${searchParams.get('vendor')}`] }) };
    const { type, message, ...answer } = await ask({ action: actions[`${method} ${path}`], key, ...body });
    return type === 'error' ? { status: 409, body: { ...answer, detail: message } } : { body: { type, ...answer } };
  }
}
