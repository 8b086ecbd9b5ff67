import test from 'node:test';
import assert from 'node:assert/strict';
import { isTopic, State } from '../src/state.js';
import { drain } from '../fake/clock.js';
import { connectedPage, names } from '../fake/server.js';

test('every SKU of a shop is a topic, and nothing else is', () => {
  for (const name of names.good) {
    assert.ok(isTopic(`sku:${name}`), JSON.stringify(name));
    assert.ok(isTopic(`vendor:${name}`), JSON.stringify(name));
  }
  for (const name of [...names.bad, '\ud83d', 'A\udc00B']) {
    assert.ok(!isTopic(`sku:${name}`), JSON.stringify(name));
    assert.ok(!isTopic(`vendor:${name}`), JSON.stringify(name));
    assert.ok(!isTopic(`cart:${name}`), JSON.stringify(name));
  }
  for (const topic of ['', 'sku', 'hub', 'carts', 'sku:', 'cart:', 'cart:a b', 'cart:ä', 'Cart', 'x:MUG', ' cart']) {
    assert.ok(!isTopic(topic), topic);
  }
  assert.ok(isTopic('cart') && isTopic('cart:u~alice'));
});

test('the state keeps badges and carts under any SKU', () => {
  const state = new State();
  state.apply({ type: 'hello', epoch: 'k3' });
  for (const [i, sku] of names.good.entries()) {
    const line = { [sku]: { quantity: 2, version: i + 1 } };
    const topics = { [`sku:${sku}`]: { version: 1, state: 'out' }, cart: { from: i, version: i + 1, lines: line } };
    const { changed } = state.apply(JSON.parse(JSON.stringify({ type: 'delta', epoch: 'k3', topics })));
    assert.deepEqual(changed, [`sku:${sku}`, 'cart']);
    assert.equal(state.get(`sku:${sku}`).state, 'out');
    assert.equal(state.get('cart').lines.get(sku).quantity, 2);
    assert.deepEqual(Object.keys(state.versions([`sku:${sku}`])), [`sku:${sku}`]);
  }
  assert.equal(state.get('cart').lines.size, names.good.length);
});

for (const sku of names.good) {
  test(`a badge, an add and a set of ${JSON.stringify(sku.slice(0, 20))}`, async () => {
    const { hub, cart, server } = await connectedPage({}, []);
    hub.want([`sku:${sku}`]);
    await drain();
    assert.deepEqual(server.sent('subscribe').at(-1).topics, [`sku:${sku}`]);
    const topics = { [`sku:${sku}`]: { version: 1, state: 'out' } };
    await server.reply('subscribe', { type: 'snapshot', epoch: 'k3', topics });
    assert.equal(hub.get(`sku:${sku}`).state, 'out');
    const added = cart.add(sku, 2);
    assert.equal(cart.state.lines.get(sku).quantity, 2);
    await drain();
    assert.equal(server.sent('add')[0].sku, sku);
    const lines = { [sku]: { quantity: 1, version: 1 } };
    await server.reply('add', { type: 'ok', from: 0, version: 1, lines, clamped: { [sku]: { wanted: 2, got: 1 } } });
    await added;
    assert.deepEqual(cart.state.lines.get(sku), {
      quantity: 1, confirmed: 1, pending: null, error: { code: 'clamped', wanted: 2, got: 1 },
    });
    const removed = cart.remove(sku);
    await drain();
    assert.deepEqual(JSON.parse(JSON.stringify(server.sent('set')[0].lines)), JSON.parse(`{${JSON.stringify(sku)}:0}`));
    await server.reply('set', { type: 'ok', from: 1, version: 2, lines: JSON.parse(`{${JSON.stringify(sku)}:null}`) });
    await removed;
    assert.equal(cart.state.lines.size, 0);
  });
}

test('a topic that only the server refuses does not hide the others', async () => {
  const { hub, server } = await connectedPage({}, []);
  hub.want(['sku:MUG', 'sku:NEW']);
  await drain();
  const topics = { 'sku:MUG': { version: 99, state: 'in' } };
  await server.reply('subscribe', { type: 'snapshot', epoch: 'k3', topics, refused: { 'sku:NEW': 'bad_topic' } });
  assert.equal(hub.refusal('sku:NEW'), 'bad_topic');
  assert.equal(hub.refusal('sku:MUG'), undefined);
});
