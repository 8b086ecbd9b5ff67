// An admin listener with answers that a test sets: the inspector's page from disk,
// the answers of the admin API that it asks, and a tap whose messages the test writes. It
// reaches states that a real localhub reaches only by chance.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { root } from './world.mjs';

const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'";

export class FakeAdmin {
  boot = 'b1';
  token = '';
  full = false; // the tap has no room for another reader
  sockets = new Set();
  taps = []; // queries of the taps that were opened
  requests = []; // {method, path, body} of changes
  answers = {
    '/admin/connections': { connections: [] }, '/admin/topics': { topics: [] }, '/admin/stock': { items: [] },
    '/admin/carts': { carts: [] }, '/admin/faults': { faults: {} }, '/admin/stream': { mappings: [] },
    '/admin/warp': { now: new Date().toISOString(), aheadMs: 0 }, '/metrics': '', '/admin/alarms': { alarms: [] },
  };
  situation = { uptimeMs: 1000, clockAheadMs: 0, faults: {}, recording: null, private: false, template: false, eventsPerSecond: 0, connections: 0 };
  #server;

  static async start(port = 0) {
    const admin = new FakeAdmin();
    await admin.listen(port);
    return admin;
  }

  async listen(port = this.port) {
    this.#server = createServer((request, response) => this.#serve(request, response));
    this.#server.on('upgrade', (request, socket) => this.#upgrade(request, socket));
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = this.#server.address().port;
    this.page = `http://127.0.0.1:${this.port}/_hub/`;
  }

  /** stop ends the listener and its sockets; listen begins anew at the same port. */
  async stop() {
    for (const socket of this.sockets) socket.destroy();
    this.sockets.clear();
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  /** send writes one message to every tap. */
  send(events, more = {}) {
    const frame = textFrame(JSON.stringify({ events, boot: this.boot, ...more }));
    for (const socket of this.sockets) socket.write(frame);
  }

  #allowed(request) {
    const bearer = request.headers.authorization?.replace('Bearer ', '');
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/, ?/).find((p) => p.startsWith('bearer.'));
    const given = bearer ?? (offered && Buffer.from(offered.slice('bearer.'.length), 'base64url').toString());
    return !this.token || given === this.token;
  }

  async #serve(request, response) {
    const { pathname } = new URL(request.url, this.page);
    if (pathname.startsWith('/_hub/')) return this.#file(pathname, response);
    if (!this.#allowed(request)) return reply(response, 401, { code: 'denied', message: 'a token is needed' });
    if (request.method !== 'GET') {
      let body = '';
      for await (const part of request) body += part;
      this.requests.push({ method: request.method, path: pathname, body });
      response.writeHead(204).end();
      return;
    }
    if (pathname === '/admin/tap' && this.full) return reply(response, 429, { code: 'limit', message: '16 readers are there already' });
    if (pathname === '/admin/situation') return reply(response, 200, { ...this.situation, boot: this.boot, now: new Date().toISOString() });
    if (!(pathname in this.answers)) return reply(response, 404, { code: 'not_found', message: pathname });
    reply(response, 200, this.answers[pathname]);
  }

  async #file(pathname, response) {
    const file = normalize(pathname.slice('/_hub/'.length) || 'index.html');
    try {
      const data = await readFile(join(root, 'internal/local/inspector/page', file));
      response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'text/plain', 'Content-Security-Policy': policy });
      response.end(data);
    } catch {
      response.writeHead(404).end();
    }
  }

  #upgrade(request, socket) {
    if (!this.#allowed(request)) return socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
    if (this.full) return socket.end('HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\n\r\n');
    const key = request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'; // RFC 6455, section 1.3
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
      + `Sec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}\r\nSec-WebSocket-Protocol: hub.tap.v1\r\n\r\n`);
    this.taps.push(new URL(request.url, this.page).search);
    this.sockets.add(socket);
    socket.on('data', (data) => (data[0] & 0x0f) === 8 && socket.end()); // the page closes
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => {});
  }
}

function reply(response, status, body) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': typeof body === 'string' ? 'text/plain' : 'application/json' }).end(text);
}

/** textFrame is a message of a server (RFC 6455, section 5.2). */
function textFrame(text) {
  const payload = Buffer.from(text);
  const n = payload.length;
  const head = n < 126 ? Buffer.from([0x81, n]) : n < 65536 ? Buffer.from([0x81, 126, n >> 8, n & 255]) : Buffer.alloc(10);
  if (n >= 65536) {
    head[0] = 0x81;
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(n), 2);
  }
  return Buffer.concat([head, payload]);
}

/** Log makes events with ids and times that rise. */
export class Log {
  #id = 0;
  at = Date.now() * 1000;

  event(type, fields = {}) {
    this.at += fields.after ?? 100;
    const { after: _, ...rest } = fields;
    return { id: ++this.#id, at: this.at, type, ...rest };
  }

  /** change is an admin write of an item and all that follows from it, to connections. */
  change(sku, version, quantity, connections) {
    const topic = `sku:${sku}`;
    const admin = this.event('admin', { note: `PUT /admin/stock/${sku}`, text: JSON.stringify({ available: quantity }), after: 2000 });
    const row = this.event('row', { cause: [admin.id], topic, version });
    const record = this.event('record', { cause: [row.id], topic, version });
    const batch = this.event('batch', { cause: [record.id], count: 1, attempt: 1, function: 'broadcast' });
    const text = JSON.stringify({ type: 'delta', epoch: 'k3', topics: { [topic]: { version, state: 'low', quantity } } });
    const sent = connections.flatMap(({ conn, user }) => {
      const post = this.event('post', { cause: [batch.id], conn, user, topic, version, status: 200, took: 50, bytes: text.length, attempt: 1 });
      return [post, this.event('out', { cause: [post.id], conn, user, dir: 'out', topic, version, text, bytes: text.length })];
    });
    const answer = this.event('answer', { cause: [batch.id], status: 200, took: 900, function: 'broadcast' });
    return [admin, row, record, batch, ...sent, answer];
  }
}
