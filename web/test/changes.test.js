import test from 'node:test';
import assert from 'node:assert/strict';
import { drain } from '../fake/clock.js';
import { seededRandom } from '../fake/random.js';
import { connectedPage, golden, fakePage } from '../fake/server.js';

const ok = (from, lines = {}) => ({ type: 'ok', from, version: from + 1, lines });

/** cutAndReconnect cuts the connection of a page and waits until it is connected again. */
async function cutAndReconnect({ server, clock }) {
  await server.cut();
  while (server.last.closed) await clock.advance(500);
  await server.accept();
  await server.reply('hello', golden('hello-answer.server'));
}

test('add, set, merge and checkout equal the golden messages', async () => {
  const { hub, cart, server } = await connectedPage();
  const compare = (name, extra = {}) => {
    const want = golden(`${name}.client`);
    const { id, key, ...got } = server.sent(want.action).at(-1);
    assert.match(key, /^[!-~]{1,64}$/);
    const { id: _, key: __, ...fields } = want;
    assert.deepEqual(got, { ...fields, ...extra });
  };
  const done = [cart.add('TEE-RED-M', 1)];
  compare('add');
  await server.reply('add', golden('add-answer.server'));
  done.push(cart.set({ MUG: 0, 'TEE-RED-M': 2 }, { version: 19 }));
  await drain();
  compare('set', { epoch: 'k3' }); // a version is valid in its epoch only
  await server.reply('set', golden('set-answer.server'));
  done.push(cart.merge(golden('merge.client').from));
  await drain();
  compare('merge');
  await server.reply('merge', golden('merge-answer.server'));
  done.push(cart.checkout({ version: 21 }));
  await drain();
  compare('checkout', { epoch: 'k3' });
  await server.reply('checkout', golden('checkout-answer.server'));
  await Promise.all(done);
  assert.equal(new Set(['add', 'set', 'merge', 'checkout'].map((a) => server.sent(a)[0].key)).size, 4);
});

test('version 0 is a version, and no version is none', async () => {
  const { hub, cart, server } = await connectedPage();
  const done = [];
  for (const [write, want] of [
    [() => cart.set({ MUG: 1 }, { version: 0 }), 0],
    [() => cart.set({ MUG: 1 }), undefined],
    [() => cart.set({ MUG: 1 }, { version: null }), undefined],
    [() => cart.checkout({ version: 0 }), 0],
    [() => cart.checkout(), 18],
  ]) {
    done.push(write());
    await drain();
    const { action, version, epoch } = server.last.sent.at(-1);
    assert.equal(version, want);
    assert.equal(epoch, want === undefined ? undefined : 'k3');
    await server.reply(action, ok(17));
  }
  await Promise.all(done);
});

test('every device learns of an order once', async () => {
  for (const messages of [
    ['checkout-answer.server', 'checkout-delta.server'], // the device that ordered
    ['checkout-delta.server', 'checkout-answer.server'], // the push overtook the answer
    ['checkout-delta.server', 'checkout-delta.server'], // another device
  ]) {
    const { hub, server } = await connectedPage();
    const lines = { 'CAP-NAVY': { quantity: 1, version: 21 }, 'TEE-RED-M': { quantity: 2, version: 20 } };
    await server.send({ type: 'delta', epoch: 'k3', topics: { cart: { version: 21, lines } } });
    const ordered = [];
    hub.addEventListener('ordered', ({ detail }) => ordered.push(detail.topic));
    for (const name of messages) await server.send(golden(name));
    assert.deepEqual(ordered, ['cart'], messages.join());
    assert.equal(hub.get('cart').lines.size, 0);
  }
});

test('an ok is applied before its promise resolves', async () => {
  const { hub, cart, server } = await connectedPage();
  const version = cart.add('TEE-RED-M').then(() => hub.get('cart').version);
  await server.reply('add', golden('add-answer.server'));
  assert.equal(await version, 18);
  assert.equal(hub.get('cart').lines.get('TEE-RED-M').quantity, 1);
});

test('writes are sent one at a time, in order', async () => {
  const { hub, cart, server } = await connectedPage();
  const order = [];
  cart.add('A').then(() => order.push('A'));
  cart.set({ B: 1 }).then(() => order.push('B'));
  await drain();
  assert.equal(server.sent('set').length, 0);
  await server.reply('add', ok(17));
  assert.equal(server.sent('set').length, 1);
  await server.reply('set', ok(18));
  assert.deepEqual(order, ['A', 'B']);
  assert.equal(cart.state.pending, 0);
});

test('an unanswered write is repeated with the same key', async () => {
  const p = await connectedPage();
  const add = p.cart.add('TEE-RED-M');
  const keys = [p.server.sent('add')[0].key];
  for (let i = 0; i < 3; i++) {
    await cutAndReconnect(p);
    keys.push(p.server.sent('add')[0].key);
  }
  assert.equal(new Set(keys).size, 1);
  await p.server.reply('add', { ...golden('add-duplicate-answer.server'), key: keys[0] });
  assert.equal((await add).duplicate, true);
  await p.clock.advance(1_000);
  assert.equal(p.server.sent('add').length, 1, 'an answered write is not repeated');
});

test('a write waits for the connection', async () => {
  const { hub, cart, server } = fakePage();
  const add = cart.add('MUG');
  hub.open();
  await drain();
  await server.accept();
  assert.equal(server.sent('add').length, 0);
  await server.reply('hello', golden('hello-answer.server'));
  await server.reply('add', ok(0));
  await add;
});

test('a write is repeated with the same key after a retryable error', async () => {
  const { hub, cart, server, clock } = await connectedPage();
  const add = cart.add('MUG');
  await server.reply('add', { type: 'error', code: 'busy', message: '', retry: true });
  await clock.advance(2_000);
  await server.reply('add', { type: 'error', code: 'slow_down', message: '', retry: true, after: 10_000 });
  await clock.advance(9_999);
  assert.equal(server.sent('add').length, 2);
  await clock.advance(1);
  assert.equal(server.sent('add').length, 3);
  assert.equal(new Set(server.sent('add').map((m) => m.key)).size, 1);
  await server.reply('add', ok(17));
  await add;
});

test('the page gets a retryable error that does not end', async () => {
  const { hub, cart, server, clock } = await connectedPage();
  const add = cart.add('MUG');
  server.autoAnswers.subscribe = { type: 'snapshot', epoch: 'k3', topics: {} }; // for the keep-alive
  const failed = assert.rejects(add, { code: 'internal' });
  for (let i = 0; i < 11; i++) {
    await server.reply('add', { type: 'error', code: 'internal', message: '', retry: true });
    await clock.advance(15_000);
  }
  await failed;
});

test('the page gets an error that is not retryable, and the next write is sent', async () => {
  const { hub, cart, server } = await connectedPage();
  const first = assert.rejects(cart.add('MUG', 5), { name: 'WriteError', code: 'bad_field' });
  cart.add('TEE-RED-M').catch(() => {});
  await server.reply('add', golden('error.server'));
  await first;
  assert.deepEqual(server.sent('add').map((m) => m.sku), ['MUG', 'TEE-RED-M']);
});

test('after a conflict the write is not repeated, and the cart is requested', async () => {
  const { hub, cart, server, clock } = await connectedPage();
  const set = assert.rejects(cart.set({ 'TEE-RED-M': 5 }, { version: 17 }), { code: 'conflict' });
  await server.reply('set', golden('set-conflict-answer.server'));
  await set;
  assert.equal(hub.get('cart').version, 17, 'the conflict has some of the lines only');
  assert.deepEqual(server.sent('subscribe').at(-1).topics, { cart: 17 });
  await clock.advance(5_000);
  assert.equal(server.sent('set').length, 1);
});

test('an expired session is renewed once, then the write is repeated', async () => {
  const { hub, cart, server, clock } = await connectedPage();
  const add = cart.add('MUG');
  await server.reply('add', { type: 'error', code: 'token_expired', message: '', retry: true });
  assert.equal(server.sent('hello').length, 2);
  assert.equal(server.sent('hello')[1].token, golden('hello-answer.server').guestToken);
  await server.reply('hello', golden('hello-answer.server'));
  await clock.advance(1_000);
  assert.equal(server.sent('add').length, 2);
  await server.reply('add', ok(17));
  await add;
});

test('a key is not used when the server may have forgotten it', async () => {
  const p = await connectedPage();
  const add = assert.rejects(p.cart.add('MUG'), { code: 'uncertain' });
  await p.server.cut();
  for (let i = 0; i < 24; i++) await p.clock.advance(60 * 60_000);
  p.hub.reconnect();
  await drain();
  await p.server.accept();
  await p.server.reply('hello', golden('hello-answer.server'));
  await add;
  assert.equal(p.server.sent('add').length, 0);
});

test('an answer to an earlier attempt counts', async () => {
  const { hub, cart, server, clock } = await connectedPage();
  const add = cart.add('MUG');
  const first = server.sent('add')[0];
  await server.send(golden('error-slow-down.server'));
  await clock.advance(5_000);
  assert.equal(server.sent('add').length, 2);
  await server.send({ ...ok(17), id: first.id, key: first.key });
  await add;
});

test('keys differ between pages', async () => {
  const keys = new Set();
  for (let seed = 1; seed <= 50; seed++) {
    const { hub, cart, server } = await connectedPage({ random: seededRandom(seed) });
    cart.add('MUG').catch(() => {});
    hub.close();
    keys.add(server.sent('add')[0].key);
  }
  assert.equal(keys.size, 50);
});

test('settled waits for the last answer', async () => {
  const { hub, cart, server } = await connectedPage();
  let done = false;
  cart.add('MUG');
  cart.settled().then(() => (done = true));
  await drain();
  assert.equal(done, false);
  await server.reply('add', ok(17));
  assert.equal(done, true);
  await cart.settled();
});

test('nothing is sent on a socket that is closing', async () => {
  const p = await connectedPage();
  p.server.last.readyState = 2;
  const add = p.cart.add('MUG');
  await drain();
  assert.equal(p.server.sent('add').length, 0);
  await cutAndReconnect(p);
  assert.equal(p.server.sent('add').length, 1);
  await p.server.reply('add', ok(17));
  await add;
});
