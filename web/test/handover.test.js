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

test('bye: a first connection that is not settled is given up whole, not closed and kept', async () => {
  const p = fakePage();
  p.hub.want(['sku:MUG']);
  p.hub.open();
  await drain();
  await settle(p); // its subscribe gets no answer
  await p.server.send(bye(1_000));
  await p.clock.advance(1_000 + 250);
  assert.deepEqual(open(p), []);
  assert.equal(p.hub.status, 'waiting');
  await p.clock.advance(250);
  assert.equal(p.hub.status, 'connecting');
  p.server.autoAnswers.subscribe = unchanged;
  await settle(p);
  assert.equal(p.hub.live, true);
  assert.deepEqual(open(p), [1]);
});

test('bye: an attempt that waits does not come back too early', async (t) => {
  await t.test('for its timer', async () => {
    const p = await connected();
    await p.clock.advance(quiet);
    await p.server.cut(); // the next one
    await p.server.send(bye(10_000), p.server.sockets[0]);
    await p.clock.advance(9_999);
    assert.equal(p.server.sockets.length, 2);
    await p.clock.advance(251);
    assert.equal(p.server.sockets.length, 3);
  });
  await t.test('for a token', async () => {
    const waiting = [];
    let slow = false;
    const p = await connected({ token: () => (slow ? new Promise((resolve) => waiting.push(resolve)) : null) });
    slow = true;
    await p.clock.advance(quiet);
    await p.server.send(bye(10_000), p.server.sockets[0]);
    for (const resolve of waiting.splice(0)) resolve(null);
    await drain();
    assert.equal(p.server.sockets.length, 1);
    slow = false;
    await p.clock.advance(10_250);
    assert.equal(p.server.sockets.length, 2);
  });
});

test('bye: a connection that settles after it keeps the time that it says', async () => {
  for (const [name, told] of [['before hello', 0], ['before the first answers', 1]]) {
    const p = fakePage();
    p.hub.want(['sku:MUG']);
    p.hub.open();
    await drain();
    await p.server.accept();
    if (told === 0) await p.server.send(bye(10_000));
    await p.server.reply('hello', hello);
    if (told === 1) await p.server.send(bye(10_000));
    await p.server.reply('subscribe', unchanged);
    assert.equal(p.hub.live, true);
    p.server.autoAnswers.subscribe = unchanged;
    await p.clock.advance(5_000);
    const { server } = p;
    if (told === 0) {
      await p.clock.advance(5_250); // the server leaves it open: the next one is made
      assert.equal(server.sockets.length, 2, name);
      continue;
    }
    await server.cut();
    await p.signal('online');
    await p.clock.advance(4_999);
    assert.equal(server.sockets.length, 1, name);
    await p.clock.advance(501);
    assert.equal(server.sockets.length, 2, name);
  }
});

test('bye: a page that was frozen comes back after the time that it says', async () => {
  const p = await connected();
  await p.server.send(bye(10_000));
  await p.signal('freeze');
  await p.signal('thaw');
  await p.clock.advance(9_999);
  assert.equal(p.server.sockets.length, 1);
  await p.clock.advance(501);
  assert.equal(p.server.sockets.length, 2);
});

test('bye: a connection that was replaced, or is being replaced, needs no other one', async () => {
  const p = await replaced();
  await p.server.send(bye(1_000), p.server.sockets[0]);
  await p.clock.advance(14_000);
  assert.equal(p.server.sockets.length, 2);
  assert.deepEqual(p.events.filter((e) => e.type === 'bye'), []);

  const q = await connected();
  await q.clock.advance(quiet);
  await q.server.accept();
  await q.server.send(bye(1_000), q.server.sockets[0]);
  await q.server.reply('hello', hello);
  await q.clock.advance(14_000);
  assert.equal(q.server.sockets.length, 2);
});

test('bye without retry: a token that comes later does not bring the page back', async () => {
  const p = await connected();
  await p.server.send(bye(0, false));
  p.hub.reconnect();
  await p.clock.advance(60_000);
  assert.equal(p.hub.status, 'ended');
  assert.equal(p.server.sockets.length, 1);
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
  await settle(p); // a guest, except for its first answers
  slow.resolve(token);
  await drain();
  const hellos = server.sockets.map((s) => s.sent.filter((m) => m.action === 'hello' && m.token).length);
  assert.deepEqual(hellos, [0, 1]);
  await server.reply('hello', alice);
  await server.reply('subscribe', unchanged);
  assert.ok(server.sent('subscribe').some((m) => m.topics.includes?.('cart') ?? 'cart' in m.topics));
  assert.equal(hub.user, 'alice');
});
