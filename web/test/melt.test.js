import test from 'node:test';
import assert from 'node:assert/strict';
import { drain } from '../fake/clock.js';
import { connectedPage, fakePage, golden, Kept } from '../fake/server.js';

const ok = (from, lines, fields) => ({ type: 'ok', from, version: from + 1, lines, ...fields });
const line = (quantity, version) => ({ quantity, version });
const sent = (server, action) => server.sent(action).map(({ id, key, action: _, ...rest }) => rest);

test('quick clicks on a line are few messages, and none is lost', async () => {
  const { cart, server } = await connectedPage(); // MUG: 1, version 17
  const done = [1, 1, -1, 1].map((n) => cart.add('MUG', n));
  assert.deepEqual(cart.state.lines.get('MUG'), { quantity: 3, confirmed: 1, pending: 'waiting', error: null });
  assert.deepEqual(sent(server, 'add'), [{ sku: 'MUG', quantity: 1 }]);
  await server.reply('add', ok(17, { MUG: line(2, 18) }));
  assert.equal(cart.state.lines.get('MUG').quantity, 3);
  assert.deepEqual(sent(server, 'add').slice(1), [{ sku: 'MUG', quantity: 1 }]);
  await server.reply('add', ok(18, { MUG: line(3, 19) }));
  await Promise.all(done);
  assert.deepEqual(cart.state.lines.get('MUG'), { quantity: 3, confirmed: 3, pending: null, error: null });
});

test('clicks that take each other back are no message', async () => {
  const { cart, server } = await connectedPage();
  const first = cart.add('CAP');
  const both = [cart.add('MUG', 1), cart.add('MUG', -1)];
  await Promise.all(both);
  await server.reply('add', ok(17, { CAP: line(1, 18) }));
  await first;
  assert.equal(server.sent('add').length, 1);
  assert.equal(cart.state.pending, 0);
});

test('a typed quantity is a barrier: clicks before and after it stay in order', async () => {
  const { cart, server } = await connectedPage();
  cart.add('CAP');
  cart.add('MUG', 1);
  cart.set({ MUG: 5 }, { version: 17 });
  cart.add('MUG', -1);
  cart.add('MUG', -1);
  assert.equal(cart.state.lines.get('MUG').quantity, 3);
  await server.reply('add', ok(17, { CAP: line(1, 18) }));
  await server.reply('add', ok(18, { MUG: line(2, 19) }));
  // One's own changes are no conflict.
  assert.deepEqual(sent(server, 'set'), [{ lines: { MUG: 5 }, version: 19, epoch: 'k3' }]);
  await server.reply('set', ok(19, { MUG: line(5, 20) }));
  assert.deepEqual(sent(server, 'add').slice(2), [{ sku: 'MUG', quantity: -2 }]);
});

test('a refused change goes back to the confirmed quantity, with the reason, and others stay', async () => {
  const { cart, server } = await connectedPage();
  const refused = assert.rejects(cart.add('MUG', 2), { code: 'no_stock' });
  cart.add('CAP', 1);
  await server.reply('add', { type: 'error', code: 'no_stock', message: 'sold out', version: 17 });
  await refused;
  assert.deepEqual(cart.state.lines.get('MUG'), {
    quantity: 1, confirmed: 1, pending: null, error: { code: 'no_stock', wanted: undefined, got: undefined },
  });
  assert.equal(cart.state.lines.get('CAP').quantity, 1);
  cart.dismiss('MUG');
  assert.equal(cart.state.lines.get('MUG').error, null);
});

test('a conflict keeps what was typed and what the cart has', async () => {
  const { cart, server } = await connectedPage();
  const refused = assert.rejects(cart.set({ 'TEE-RED-M': 5 }, { version: 17 }), { code: 'conflict' });
  await server.reply('set', golden('set-conflict-answer.server'));
  await refused;
  await server.reply('subscribe', { type: 'snapshot', epoch: 'k3', topics: { cart: { version: 20, lines: { 'TEE-RED-M': line(2, 20) } } } });
  assert.deepEqual(cart.state.lines.get('TEE-RED-M').error, { code: 'conflict', wanted: 5, got: 2 });
});

test('a lost answer is uncertain until the same change has one', async () => {
  const { cart, server, clock } = await connectedPage();
  const done = cart.add('MUG');
  await server.cut();
  assert.equal(cart.state.lines.get('MUG').pending, 'uncertain');
  const [{ key }] = server.sent('add');
  await clock.advance(5_000);
  await server.accept();
  await server.reply('hello', golden('hello-answer.server'));
  assert.equal(server.sent('add')[0].key, key);
  await server.reply('add', ok(17, { MUG: line(2, 18) }, { duplicate: true }));
  await done;
  assert.equal(cart.state.lines.get('MUG').pending, null);
});

test('changes made offline are seen, survive a reload, and are sent once in order', async () => {
  const kept = new Kept();
  let p = fakePage({ kept });
  p.hub.open();
  await drain();
  p.cart.add('MUG', 2).catch(() => {});
  p.cart.add('CAP', 1).catch(() => {});
  p.cart.add('MUG', 1).catch(() => {});
  assert.equal(p.cart.state.lines.get('MUG').quantity, 3);
  assert.equal(p.cart.state.kept, true);
  const keys = [...kept.changes.keys()];

  p = fakePage({ kept: Object.assign(new Kept(), { changes: new Map(kept.changes) }) });
  p.hub.open();
  await drain();
  assert.deepEqual(p.cart.state.lines.get('MUG'), { quantity: 3, confirmed: 0, pending: 'waiting', error: null });
  await p.server.accept();
  await p.server.reply('hello', golden('hello-answer.server'));
  assert.deepEqual(p.server.sent('add').map((m) => m.key), [keys[0]], 'one at a time');
  await p.server.reply('add', ok(0, { MUG: line(3, 1) }));
  await p.server.reply('add', ok(1, { CAP: line(1, 2) }));
  assert.deepEqual(p.server.sent('add').map((m) => [m.sku, m.quantity, m.key]), [['MUG', 3, keys[0]], ['CAP', 1, keys[1]]]);
  assert.equal(p.cart.state.pending, 0);
});

test('what was sent before a reload is not changed: its key belongs to that request', async () => {
  const kept = new Kept();
  let p = await connectedPage({ kept }, ['cart']);
  p.cart.add('MUG', 1).catch(() => {});
  await drain();
  const [{ key }] = p.server.sent('add');
  p = fakePage({ kept: Object.assign(new Kept(), { changes: new Map(kept.changes) }) });
  p.hub.open();
  await drain();
  p.cart.add('MUG', 1).catch(() => {});
  await p.server.accept();
  await p.server.reply('hello', golden('hello-answer.server'));
  assert.deepEqual(p.server.sent('add').map((m) => [m.quantity, m.key]), [[1, key]]);
});

test('an answer without its lines leaves the change in view until the cart is there', async () => {
  const { cart, server } = await connectedPage();
  const done = cart.add('MUG');
  await server.reply('add', ok(17, {}, { again: ['cart'] }));
  await done;
  assert.equal(cart.state.lines.get('MUG').quantity, 2, 'no step back');
  assert.equal(cart.state.pending, 0);
  await server.reply('subscribe', { type: 'snapshot', epoch: 'k3', topics: { cart: { version: 18, lines: { MUG: line(2, 18) } } } });
  assert.deepEqual(cart.state.lines.get('MUG'), { quantity: 2, confirmed: 2, pending: null, error: null });
});

test('a checkout waits for the changes before it, and is based on what they made', async () => {
  const { cart, server } = await connectedPage();
  cart.add('MUG');
  const order = cart.checkout();
  await drain();
  assert.equal(server.sent('checkout').length, 0);
  await server.reply('add', ok(17, { MUG: line(2, 18) }));
  assert.deepEqual(sent(server, 'checkout'), [{ version: 18, epoch: 'k3' }]);
  await server.reply('checkout', ok(18, { MUG: null }, { ordered: { MUG: 2 } }));
  assert.deepEqual((await order).ordered, { MUG: 2 });
});

test('a wrong kind of argument throws', async () => {
  const { cart } = await connectedPage();
  for (const wrong of [() => cart.add(7), () => cart.add('MUG', 0), () => cart.add('MUG', 1.5), () => cart.add('MUG', '1'), () => cart.set('MUG'), () => cart.set(['MUG'])]) {
    assert.throws(wrong, TypeError);
  }
});
