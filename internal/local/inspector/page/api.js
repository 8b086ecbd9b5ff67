// Requests to the admin API. The admin token, if there is one, is in this object and
// nowhere else: not in an address, a storage or a log.

/** Refused is an answer of the API with an error code. status 0: it did not answer. */
export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const tapProtocol = 'hub.tap.v1';

export class API {
  #token = '';

  /** onUnauthorized is called when the API asks for a token. */
  onUnauthorized = () => {};

  set token(token) {
    this.#token = token;
  }

  get(path) {
    return this.#request('GET', path);
  }

  /** send sends a body as JSON, or a text as NDJSON. */
  send(method, path, body) {
    if (typeof body === 'string') return this.#request(method, path, body, 'application/x-ndjson');
    return this.#request(method, path, body && JSON.stringify(body), 'application/json');
  }

  /** text reads what is not JSON. */
  async text(path) {
    return (await this.#fetch('GET', path)).text();
  }

  /** tap opens the feed of events after an id. */
  tap(after) {
    const url = new URL('/admin/tap', location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    if (after) url.searchParams.set('after', after);
    const offered = [tapProtocol];
    if (this.#token) offered.push(`bearer.${base64url(this.#token)}`);
    return new WebSocket(url, offered);
  }

  async #request(method, path, body, type) {
    const response = await this.#fetch(method, path, body, type);
    const text = await response.text();
    return text ? JSON.parse(text) : {};
  }

  async #fetch(method, path, body, type) {
    const headers = {};
    if (type && body) headers['Content-Type'] = type;
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    let response;
    try {
      response = await fetch(path, { method, headers, body, cache: 'no-store' });
    } catch {
      throw new Refused(0, 'no_answer', 'localhub does not answer');
    }
    if (response.ok) return response;
    if (response.status === 401) this.onUnauthorized();
    const text = await response.text();
    let problem = {};
    try {
      problem = JSON.parse(text);
    } catch {
      // Not every answer is a problem of the API.
    }
    if (problem.done !== undefined) return new Response(text); // many rows: the answer lists what failed
    throw new Refused(response.status, problem.code ?? '', problem.message ?? `status ${response.status}`);
  }
}

/** base64url of a text in UTF-8, without padding (RFC 4648, section 5). */
export function base64url(text) {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
