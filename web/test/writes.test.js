import test from 'node:test';
import assert from 'node:assert/strict';
import { turns } from '../fake/clock.js';
import { seeded } from '../fake/random.js';
import { connected, golden, page } from '../fake/wire.js';

const ok = (from, lines = {}) => ({ type: 'ok', from, version: from + 1, lines });

/** resumed takes a page through a cut and back. */
async function resumed({ net, clock }) {
  await net.cut();
  await clock.advance(30_000);
  await net.open();
  await net.reply('hello', golden('hello-answer.server'));
}

test('add, set and merge are sent as the golden messages are', async () => {
  const { hub, net } = await connected();
  const compare = (name, extra = {}) => {
    const want = golden(`${name}.client`);
    const { id, key, ...got } = net.sent(want.action).at(-1);
    assert.match(key, /^[!-~]{1,64}$/);
    const { id: _, key: __, ...fields } = want;
    assert.deepEqual(got, { ...fields, ...extra });
  };
  const done = [hub.add('TEE-RED-M', 1)];
  compare('add');
  await net.reply('add', golden('add-answer.server'));
  done.push(hub.set({ MUG: 0, 'TEE-RED-M': 2 }, { version: 19 }));
  await turns();
  compare('set', { epoch: 'k3' }); // a version means something in its epoch only
  await net.reply('set', golden('set-answer.server'));
  done.push(hub.merge(golden('merge.client').from));
  await turns();
  compare('merge');
  await net.reply('merge', golden('merge-answer.server'));
  await Promise.all(done);
  assert.equal(new Set(['add', 'set', 'merge'].map((a) => net.sent(a)[0].key)).size, 3);
});

test('an ok is state before its promise resolves', async () => {
  const { hub, net } = await connected();
  const seen = hub.add('TEE-RED-M').then(() => hub.get('cart').version);
  await net.reply('add', golden('add-answer.server'));
  assert.equal(await seen, 18);
  assert.equal(hub.get('cart').lines.get('TEE-RED-M').quantity, 1);
});

test('one write at a time, in their order', async () => {
  const { hub, net } = await connected();
  const order = [];
  hub.add('A').then(() => order.push('A'));
  hub.set({ B: 1 }).then(() => order.push('B'));
  await turns();
  assert.equal(net.sent('set').length, 0);
  await net.reply('add', ok(17));
  assert.equal(net.sent('set').length, 1);
  await net.reply('set', ok(18));
  assert.deepEqual(order, ['A', 'B']);
  assert.equal(hub.pending, 0);
});

test('a write without an answer is sent again with the same key until it has one', async () => {
  const p = await connected();
  const add = p.hub.add('TEE-RED-M');
  const keys = [p.net.sent('add')[0].key];
  for (let i = 0; i < 3; i++) {
    await resumed(p);
    keys.push(p.net.sent('add')[0].key);
  }
  assert.equal(new Set(keys).size, 1);
  await p.net.reply('add', { ...golden('add-duplicate-answer.server'), key: keys[0] });
  assert.equal((await add).duplicate, true);
  await p.clock.advance(1_000);
  assert.equal(p.net.sent('add').length, 1, 'and then no more');
});

test('a write from before the connection waits for it', async () => {
  const { hub, net } = page();
  const add = hub.add('MUG');
  hub.open();
  await turns();
  await net.open();
  assert.equal(net.sent('add').length, 0);
  await net.reply('hello', golden('hello-answer.server'));
  await net.reply('add', ok(0));
  await add;
});

test('an error that says "again" is sent again with the same key', async () => {
  const { hub, net, clock } = await connected();
  const add = hub.add('MUG');
  await net.reply('add', { type: 'error', code: 'busy', message: '', retry: true });
  await clock.advance(2_000);
  await net.reply('add', { type: 'error', code: 'slow_down', message: '', retry: true, after: 10_000 });
  await clock.advance(9_999);
  assert.equal(net.sent('add').length, 2);
  await clock.advance(1);
  assert.equal(net.sent('add').length, 3);
  assert.equal(new Set(net.sent('add').map((m) => m.key)).size, 1);
  await net.reply('add', ok(17));
  await add;
});

test('"again" without end is told at last', async () => {
  const { hub, net, clock } = await connected();
  const add = hub.add('MUG');
  net.auto.subscribe = { type: 'snapshot', epoch: 'k3', topics: {} }; // for the keep-alive
  const failed = assert.rejects(add, { code: 'internal' });
  for (let i = 0; i < 11; i++) {
    await net.reply('add', { type: 'error', code: 'internal', message: '', retry: true });
    await clock.advance(15_000);
  }
  await failed;
});

test('an error without "again" is told, and the next write goes', async () => {
  const { hub, net } = await connected();
  const first = assert.rejects(hub.add('MUG', 5), { name: 'WriteError', code: 'bad_field' });
  hub.add('TEE-RED-M').catch(() => {});
  await net.reply('add', golden('error.server'));
  await first;
  assert.deepEqual(net.sent('add').map((m) => m.sku), ['MUG', 'TEE-RED-M']);
});

test('a conflict is not repeated blindly: the page is told and the cart is asked for', async () => {
  const { hub, net, clock } = await connected();
  const set = assert.rejects(hub.set({ 'TEE-RED-M': 5 }, { version: 17 }), { code: 'conflict' });
  await net.reply('set', golden('set-conflict-answer.server'));
  await set;
  assert.equal(hub.get('cart').version, 17, 'the conflict shows some lines only');
  assert.deepEqual(net.sent('subscribe').at(-1).topics, { cart: 17 });
  await clock.advance(5_000);
  assert.equal(net.sent('set').length, 1);
});

test('an ended authority is renewed once, then the write goes again', async () => {
  const { hub, net, clock } = await connected();
  const add = hub.add('MUG');
  await net.reply('add', { type: 'error', code: 'token_expired', message: '', retry: true });
  assert.equal(net.sent('hello').length, 2);
  assert.equal(net.sent('hello')[1].token, golden('hello-answer.server').guestToken);
  await net.reply('hello', golden('hello-answer.server'));
  await clock.advance(1_000);
  assert.equal(net.sent('add').length, 2);
  await net.reply('add', ok(17));
  await add;
});

test('a key is not used after the server may have forgotten it', async () => {
  const p = await connected();
  const add = assert.rejects(p.hub.add('MUG'), { code: 'uncertain' });
  await p.net.cut();
  for (let i = 0; i < 24; i++) await p.clock.advance(60 * 60_000);
  p.hub.reconnect();
  await turns();
  await p.net.open();
  await p.net.reply('hello', golden('hello-answer.server'));
  await add;
  assert.equal(p.net.sent('add').length, 0);
});

test('an answer to an earlier sending counts', async () => {
  const { hub, net, clock } = await connected();
  const add = hub.add('MUG');
  const first = net.sent('add')[0];
  await net.say(golden('error-slow-down.server'));
  await clock.advance(5_000);
  assert.equal(net.sent('add').length, 2);
  await net.say({ ...ok(17), id: first.id, key: first.key });
  await add;
});

test('keys differ between pages', async () => {
  const keys = new Set();
  for (let seed = 1; seed <= 50; seed++) {
    const { hub, net } = await connected({ random: seeded(seed) });
    hub.add('MUG').catch(() => {});
    hub.close();
    keys.add(net.sent('add')[0].key);
  }
  assert.equal(keys.size, 50);
});

test('settled waits for the last answer', async () => {
  const { hub, net } = await connected();
  let done = false;
  hub.add('MUG');
  hub.settled().then(() => (done = true));
  await turns();
  assert.equal(done, false);
  await net.reply('add', ok(17));
  assert.equal(done, true);
  await hub.settled();
});

test('nothing is given to a socket that is closing', async () => {
  const p = await connected();
  p.net.last.readyState = 2;
  const add = p.hub.add('MUG');
  await turns();
  assert.equal(p.net.sent('add').length, 0);
  await resumed(p);
  assert.equal(p.net.sent('add').length, 1);
  await p.net.reply('add', ok(17));
  await add;
});
