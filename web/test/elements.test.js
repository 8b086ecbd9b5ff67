import test from 'node:test';
import assert from 'node:assert/strict';
import { attach, detach, textOf } from '../fake/dom.js';
import { drain } from '../fake/clock.js';
import { connectedPage, golden } from '../fake/server.js';
const { CartBadge, StockBadge, connectHub } = await import('../elements.js');

function badgeOf(sku) {
  const badge = new StockBadge();
  badge.setAttribute('sku', sku);
  return badge;
}

test('badges subscribe while they are in the page, and share messages', async () => {
  const { hub, server } = await connectedPage({}, []);
  connectHub(hub);
  const badges = ['A', 'B', 'A'].map(badgeOf);
  badges.forEach(attach);
  attach(new CartBadge());
  await drain();
  assert.deepEqual(server.sent('subscribe').map((m) => m.topics), [['sku:A', 'sku:B', 'cart']]);
  await server.reply('subscribe', { type: 'snapshot', epoch: 'k3', topics: {} });
  detach(badges[0]);
  await drain();
  assert.equal(server.sent('unsubscribe').length, 0, 'another badge has the same topic');
  detach(badges[1]);
  detach(badges[2]);
  await drain();
  assert.deepEqual(server.sent('unsubscribe').map((m) => m.topics), [['sku:A', 'sku:B']]);
});

test('a badge shows the newest value, and is stale while disconnected', async () => {
  const { hub, server } = await connectedPage({}, ['sku:TEE-RED-M', 'sku:MUG', 'cart']);
  connectHub(hub);
  const [tee, cart, denied] = [badgeOf('TEE-RED-M'), new CartBadge(), badgeOf('X')];
  [tee, cart, denied].forEach(attach);
  await drain();
  await server.reply('subscribe', { type: 'snapshot', epoch: 'k3', topics: {}, refused: { 'sku:X': 'denied' } });
  assert.deepEqual([tee, cart, denied].map(textOf), ['only 3 left', '1 piece', 'not available']);
  assert.equal(tee.getAttribute('state'), 'low');
  assert.equal(tee.getAttribute('stale'), null);
  await server.send(golden('delta-both.server'));
  assert.deepEqual([textOf(tee), textOf(cart)], ['in stock', '2 pieces']);
  const cap = badgeOf('CAP-NAVY');
  attach(cap);
  await drain();
  await server.send(golden('delta-back-order.server'));
  assert.deepEqual([textOf(cap), cap.getAttribute('state')], ['back order, until 24 December', 'back']);
  detach(cap);
  await server.cut();
  assert.equal(textOf(tee), 'in stock');
  assert.equal(tee.getAttribute('stale'), '');
  assert.equal(cart.getAttribute('stale'), '');
});

test('a badge can change its SKU, and can be in the page before a hub is connected', async () => {
  connectHub(null);
  const badge = badgeOf('MUG');
  attach(badge);
  assert.equal(textOf(badge), '…');
  const { hub, server } = await connectedPage({}, []);
  connectHub(hub);
  await drain();
  assert.deepEqual(server.sent('subscribe')[0].topics.includes('sku:MUG'), true);
  await server.reply('subscribe', golden('get-answer.server'));
  assert.equal(textOf(badge), 'sold out');
  badge.setAttribute('sku', 'CAP');
  assert.equal(textOf(badge), '…');
  await drain();
  assert.deepEqual(server.sent('unsubscribe')[0].topics, ['sku:MUG']);
});

test('badges need no inline style, and none to hide what is not to be seen', async () => {
  const part = (badge, name) => badge.shadow.children.find((c) => c.className === name);
  const { hub, server } = await connectedPage({}, ['sku:MUG']);
  connectHub(hub);
  const old = badgeOf('MUG');
  assert.equal(old.shadow.children.filter((c) => c.textContent.includes(':host')).length, 1, 'in an old browser');
  globalThis.CSSStyleSheet = class {
    replaceSync = (text) => (this.text = text);
  };
  const badges = [badgeOf('MUG'), badgeOf('MUG')];
  delete globalThis.CSSStyleSheet;
  badges.forEach(attach);
  for (const { shadow } of badges) {
    assert.equal(shadow.children.filter((c) => c.textContent.includes(':host')).length, 0);
    assert.equal(shadow.adoptedStyleSheets.length, 1);
    assert.match(shadow.adoptedStyleSheets[0].text, /:host/);
  }
  assert.equal(badges[0].shadow.adoptedStyleSheets[0], badges[1].shadow.adoptedStyleSheets[0], 'all share one');
  assert.equal(part(badges[0], 'old').hidden, true);
  await server.cut();
  assert.equal(part(badges[0], 'old').hidden, false);
});
