// Connections that overlap: one is about to end, the next is being made, one was replaced and
// waits for answers.

import test from 'node:test';
import assert from 'node:assert/strict';
import { drain } from '../fake/clock.js';
import { connectedPage, fakePage, golden } from '../fake/server.js';

const hello = golden('hello-answer.server');
const unchanged = { type: 'snapshot', epoch: 'k3', topics: {}, unchanged: 4 };
const bye = (after, retry = true) => ({ type: 'bye', code: 'recycle', retry, after });
const quiet = 0.95 * 6_900_000; // until the next connection is made, without a token

/** Page is a connected page whose keep-alives are answered. */
async function connected(options = {}) {
  const p = await connectedPage(options);
  p.server.autoAnswers.subscribe = unchanged;
  return p;
}

/** settle lets the newest connection say everything. */
async function settle({ server }) {
  await server.accept();
  await server.reply('hello', hello);
}

const open = ({ server }) => server.sockets.map((s, i) => (s.closed ? -1 : i)).filter((i) => i >= 0);

/** replaced returns a page whose second connection has just replaced the first, which waits for an answer. */
async function replaced() {
  const p = await connected();
  await p.clock.advance(quiet);
  assert.equal(p.server.sockets.length, 2);
  const add = p.cart.add('MUG');
  add.catch(() => {});
  await drain();
  await settle(p);
  assert.deepEqual(open(p), [0, 1]);
  return p;
}

test('a gap that is heard on a connection that was replaced is asked for on the one that stays', async () => {
  const gap = { type: 'delta', epoch: 'k3', topics: { cart: { from: 19, version: 20, lines: {} } } };
  const refusal = { type: 'error', code: 'gone_version', message: 'gone', version: 5, lines: {} };
  for (const heard of [gap, refusal]) {
    const p = await replaced();
    const [first, second] = p.server.sockets;
    const before = p.server.sent('subscribe').length;
    const { id } = first.sent.findLast((m) => m.action === 'add');
    await p.server.send(heard === gap ? gap : { ...refusal, id }, first);
    const asked = second.sent.filter((m) => m.action === 'subscribe').slice(before);
    assert.ok(asked.length > 0, heard.type);
    for (const { topics } of asked) assert.deepEqual(topics, { cart: 17 }, heard.type);
  }
});

test('each connection that was replaced is closed, also when the next one is soon replaced too', async () => {
  for (const how of ['close', 'leave', 'reconnect', 'freeze', 'bye']) {
    const p = await replaced();
    await p.server.send(bye(1_000)); // to the second
    await p.clock.advance(1_250);
    await settle(p);
    assert.equal(p.server.sockets.length, 3);
    assert.deepEqual(open(p).filter((i) => i !== 1), [2], 'the first one is closed');
    if (how === 'freeze') await p.signal('freeze');
    else if (how === 'bye') await p.server.send(bye(0, false));
    else p.hub[how]();
    await drain();
    assert.ok(open(p).every((i) => i > 2), `${how}: ${open(p)}`);
  }
});

test('a session is renewed on the connection that stays', async () => {
  const token = `x.${btoa('{"sub":"alice"}').replaceAll('=', '')}.y`;
  let slow = null;
  const p = fakePage({ token: () => (slow ? new Promise((resolve) => (slow.resolve = resolve)) : token) });
  const { server, hub } = p;
  const alice = { ...golden('hello-token-answer.server'), expires: undefined, expiresIn: undefined };
  hub.want(['cart', 'sku:MUG']);
  hub.open();
  await drain();
  await server.accept();
  await server.reply('hello', alice);
  await server.reply('subscribe', unchanged);
  slow = {};
  await server.send(bye(100));
  await p.clock.advance(350 + 10_000); // the token is late
  await settle(p); // a guest, but for its first answers
  slow.resolve(token);
  await drain();
  const hellos = server.sockets.map((s) => s.sent.filter((m) => m.action === 'hello' && m.token).length);
  assert.deepEqual(hellos, [0, 1]);
  await server.reply('hello', alice);
  await server.reply('subscribe', unchanged);
  assert.ok(server.sent('subscribe').some((m) => m.topics.includes?.('cart') ?? 'cart' in m.topics));
  assert.equal(hub.user, 'alice');
});
