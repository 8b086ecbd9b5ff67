// Ten thousand pages lose their connections together, with the client's own waits. API Gateway
// accepts 500 new connections a second of an account.

import test from 'node:test';
import assert from 'node:assert/strict';
import { Clock, drain } from '../fake/clock.js';
import { seededRandom } from '../fake/random.js';
import { fakePage, golden } from '../fake/server.js';

const pages = 10_000;
const quota = 500; // handshakes a second, and at once
const handshake = 50; // ms

/** Gateway accepts sockets within the quota, and answers hello and subscribe. */
class Gateway {
  tries = []; // times
  refused = 0;
  open = new Set();

  #tokens = quota;
  #updated;

  constructor(clock) {
    const gateway = this;
    this.#updated = clock.now();
    this.WebSocket = class {
      readyState = 0;

      constructor() {
        gateway.tries.push(clock.now());
        const accepted = gateway.#take(clock.now());
        clock.setTimeout(() => (accepted ? this.#begin() : this.cut(1006)), handshake);
      }

      #begin() {
        if (this.readyState !== 0) return;
        this.readyState = 1;
        gateway.open.add(this);
        this.onopen();
      }

      send(text) {
        const { action, id } = JSON.parse(text);
        const answer = action === 'hello' ? { ...golden('hello-crowd-answer.server'), id } : { type: 'snapshot', epoch: 'k3', topics: {}, id };
        queueMicrotask(() => this.onmessage?.({ data: JSON.stringify(answer) }));
      }

      close() {
        this.readyState = 3;
        gateway.open.delete(this);
      }

      cut(code) {
        if (this.readyState !== 3 && code === 1006 && !gateway.open.has(this)) gateway.refused++;
        this.close();
        this.onclose?.({ code });
      }
    };
  }

  #take(now) {
    this.#tokens = Math.min(quota, this.#tokens + ((now - this.#updated) * quota) / 1000);
    this.#updated = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** most returns how many tries there were in any second since a time. */
  most(since) {
    const tries = this.tries.filter((t) => t >= since).sort((a, b) => a - b);
    let most = 0;
    for (let first = 0, i = 0; i < tries.length; i++) {
      while (tries[i] - tries[first] >= 1000) first++;
      most = Math.max(most, i - first + 1);
    }
    return most;
  }
}

/** crowd returns a gateway with all pages connected. */
async function crowd() {
  const clock = new Clock();
  const gateway = new Gateway(clock);
  const random = seededRandom(7);
  const hubs = [];
  for (let i = 0; i < pages; i++) {
    const { hub } = fakePage({ WebSocket: gateway.WebSocket, clock, random });
    hub.want(['sku:MUG']);
    hubs.push(hub);
  }
  for (let i = 0; i < pages; i += 400) {
    for (const hub of hubs.slice(i, i + 400)) hub.open();
    await clock.advance(1000);
  }
  assert.equal(gateway.open.size, pages);
  gateway.refused = 0;
  return { clock, gateway, hubs };
}

function assertBack({ gateway, hubs }, since) {
  const most = gateway.most(since);
  assert.ok(most <= quota, `${most} tries in a second, the quota is ${quota}`);
  assert.equal(gateway.refused, 0, 'refused tries');
  assert.equal(gateway.open.size, pages);
  assert.ok(hubs.every((hub) => hub.live), 'not all are live');
}

test('pages that are cut together come back within a minute, 500 a second at most', async () => {
  const c = await crowd();
  const at = c.clock.now();
  for (const socket of [...c.gateway.open]) socket.cut(1006);
  await drain();
  c.gateway.refused = 0;
  await c.clock.advance(60_000);
  assertBack(c, at);
});

test('pages that get a bye come back likewise', async () => {
  const c = await crowd();
  const at = c.clock.now();
  // As localhub says it: each page has another time, over a second for each 400.
  [...c.gateway.open].forEach((socket, place) => {
    const bye = { type: 'bye', code: 'recycle', retry: true, after: Math.trunc(1_000 + (25_000 * place) / pages) };
    socket.onmessage({ data: JSON.stringify(bye) });
    socket.cut(1001);
  });
  await c.clock.advance(60_000);
  assertBack(c, at);
});
