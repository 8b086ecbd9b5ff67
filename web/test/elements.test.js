import test from 'node:test';
import assert from 'node:assert/strict';
import { attach, detach, shown } from '../fake/dom.js';
import { turns } from '../fake/clock.js';
import { connected, golden } from '../fake/wire.js';
const { CartBadge, StockBadge, connectHub } = await import('../elements.js');

function badgeOf(sku) {
  const badge = new StockBadge();
  badge.setAttribute('sku', sku);
  return badge;
}

test('badges subscribe while they are in the page, all of a tick in one message', async () => {
  const { hub, net } = await connected({}, []);
  connectHub(hub);
  const badges = ['A', 'B', 'A'].map(badgeOf);
  badges.forEach(attach);
  attach(new CartBadge());
  await turns();
  assert.deepEqual(net.sent('subscribe').map((m) => m.topics), [['sku:A', 'sku:B', 'cart']]);
  await net.reply('subscribe', { type: 'snapshot', epoch: 'k3', topics: {} });
  detach(badges[0]);
  await turns();
  assert.equal(net.sent('unsubscribe').length, 0, 'another badge shows the same');
  detach(badges[1]);
  detach(badges[2]);
  await turns();
  assert.deepEqual(net.sent('unsubscribe').map((m) => m.topics), [['sku:A', 'sku:B']]);
});

test('a badge shows the newest, and a mark while it cannot be sure', async () => {
  const { hub, net } = await connected({}, ['sku:TEE-RED-M', 'sku:MUG', 'cart']);
  connectHub(hub);
  const [tee, cart, nothing] = [badgeOf('TEE-RED-M'), new CartBadge(), badgeOf('X')];
  [tee, cart, nothing].forEach(attach);
  await turns();
  await net.reply('subscribe', { type: 'snapshot', epoch: 'k3', topics: {}, refused: { 'sku:X': 'denied' } });
  assert.deepEqual([tee, cart, nothing].map(shown), ['only 3 left', '1 piece', 'not available']);
  assert.equal(tee.getAttribute('state'), 'low');
  assert.equal(tee.getAttribute('stale'), null);
  await net.say(golden('delta-both.server'));
  assert.deepEqual([shown(tee), shown(cart)], ['in stock', '2 pieces']);
  await net.cut();
  assert.equal(shown(tee), 'in stock');
  assert.equal(tee.getAttribute('stale'), '');
  assert.equal(cart.getAttribute('stale'), '');
});

test('a badge may change its SKU, and waits for a hub', async () => {
  connectHub(null);
  const badge = badgeOf('MUG');
  attach(badge);
  assert.equal(shown(badge), '…');
  const { hub, net } = await connected({}, []);
  connectHub(hub);
  await turns();
  assert.deepEqual(net.sent('subscribe')[0].topics.includes('sku:MUG'), true);
  await net.reply('subscribe', golden('get-answer.server'));
  assert.equal(shown(badge), 'sold out');
  badge.setAttribute('sku', 'CAP');
  assert.equal(shown(badge), '…');
  await turns();
  assert.deepEqual(net.sent('unsubscribe')[0].topics, ['sku:MUG']);
});
