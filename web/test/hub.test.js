import test from 'node:test';
import assert from 'node:assert/strict';
import { fullJitter } from '../timing.js';
import { turns } from '../fake/clock.js';
import { connected, golden, page } from '../fake/wire.js';

/** same compares a sent message with a golden one; the id is the hub's own. */
function same(sent, name, changes = {}) {
  const { id, ...want } = { ...golden(name), ...changes };
  assert.ok(id === undefined || sent.id !== undefined, 'an id is sent');
  const { id: own, ...got } = sent;
  assert.deepEqual(got, want);
}

const delta = (topics, epoch = 'k3') => ({ type: 'delta', epoch, topics });

test('the handshake offers the protocol, and hello comes first and alone', async () => {
  const { hub, net } = page();
  hub.want(['sku:MUG']);
  hub.open();
  await turns();
  assert.equal(net.last.url, 'ws://hub.example/v1');
  assert.deepEqual(net.last.protocols, ['securecart.v1']);
  await net.open();
  assert.equal(net.last.sent.length, 1);
  same(net.last.sent[0], 'hello.client');
  assert.equal(hub.live, false);
});

test('one subscribe asks for everything wanted', async () => {
  const { hub, net, events } = await connected();
  assert.equal(net.last.sent.length, 2);
  same(net.last.sent[1], 'subscribe.client');
  assert.equal(hub.live, true);
  assert.equal(hub.user, 'guest:9f2c41d07a55e813');
  assert.equal(hub.get('sku:MUG').state, 'out');
  assert.equal(hub.refusal('vendor:acme'), 'denied');
  assert.deepEqual(events.filter((e) => e.type === 'refused'), [{ type: 'refused', topic: 'vendor:acme', code: 'denied' }]);
  assert.deepEqual(events.filter((e) => e.type === 'live'), [{ type: 'live', live: true }]);
});

test('more topics than a message takes are several subscribes, one after the other', async () => {
  const topics = Array.from({ length: 150 }, (_, i) => `sku:S${i}`);
  const { hub, net } = await connected({}, topics);
  assert.equal(hub.live, false);
  assert.deepEqual(net.sent('subscribe').map((m) => (m.topics.length ?? Object.keys(m.topics).length)), [100, 50]);
  await net.reply('subscribe', { type: 'snapshot', epoch: 'k3', topics: {} });
  assert.equal(hub.live, true);
});

test('topics over the limit of a connection, and impossible ones, are refused here', async () => {
  const { hub, net } = await connected({}, ['sku:TEE-RED-M', 'sku:has blank']);
  assert.equal(hub.refusal('sku:has blank'), 'bad_field');
  assert.deepEqual(net.sent('subscribe')[0].topics, ['sku:TEE-RED-M']);
  hub.want(Array.from({ length: 210 }, (_, i) => `sku:S${i}`));
  for (let i = 0; i < 3; i++) {
    await turns();
    await net.reply('subscribe', { type: 'snapshot', epoch: 'k3', topics: {} });
  }
  assert.equal(hub.refusal('sku:S198'), undefined);
  assert.equal(hub.refusal('sku:S199'), 'too_many_topics');
});

test('resume: after a lost connection the versions go along', async () => {
  const { hub, net, clock } = await connected({}, ['cart', 'sku:MUG', 'sku:TEE-RED-M']);
  await net.cut();
  assert.equal(hub.live, false);
  assert.equal(hub.get('sku:MUG').state, 'out', 'the last known stays on the screen');
  await clock.advance(500);
  assert.equal(net.sockets.length, 2);
  await net.open();
  await net.reply('hello', golden('hello-answer.server'));
  assert.equal(net.last.sent.length, 2);
  same(net.last.sent[1], 'subscribe-resume.client');
  assert.equal(hub.live, false, 'not before the answer');
  await net.reply('subscribe', golden('subscribe-resume-answer.server'));
  assert.equal(hub.live, true);
  assert.equal(hub.get('cart').version, 19);
  assert.ok(hub.isLive('sku:MUG'), 'unchanged is fresh too');
});

test('a guest keeps its token over a reload', async () => {
  const { storage, hub } = await connected();
  hub.close();
  const again = page({ storage });
  again.hub.open();
  await turns();
  assert.deepEqual(again.net.last.protocols, ['securecart.v1', 'bearer.guest.eyJhbGciOiJIUzI1NiJ9.e30.c2ln']);
});

test('the token option goes first, and a refused one does not cost the guest', async () => {
  const { storage } = await connected();
  const { hub, net, events } = page({ storage, token: async () => 'alice.token' });
  hub.open();
  await turns();
  assert.deepEqual(net.last.protocols, ['securecart.v1', 'bearer.alice.token']);
  await net.open();
  await net.reply('hello', { ...golden('hello-answer.server'), user: 'guest:new', guestToken: 'guest.new', notice: 'token_expired' });
  assert.deepEqual(events.filter((e) => e.type === 'notice'), [{ type: 'notice', code: 'token_expired', mine: true }]);
  assert.equal(hub.guestToken, golden('hello-answer.server').guestToken);
});

test('while tokens cannot be judged badges live, and carts are left alone', async () => {
  const { hub, net, clock } = page({ token: () => 'alice.token' });
  hub.want(['sku:MUG', 'cart']);
  hub.add('MUG').catch(() => {});
  hub.open();
  await turns();
  await net.open();
  await net.reply('hello', { ...golden('hello-answer.server'), notice: 'busy' });
  assert.deepEqual(net.sent('subscribe').map((m) => m.topics), [['sku:MUG']]);
  assert.equal(net.sent('add').length, 0);
  await net.reply('subscribe', { type: 'snapshot', epoch: 'k3', topics: { 'sku:MUG': { version: 9, state: 'in' } } });
  await clock.advance(31_000);
  await net.reply('hello', golden('hello-token-answer.server'));
  assert.equal(hub.user, 'alice');
  assert.deepEqual(net.sent('subscribe').at(-1).topics, ['sku:MUG', 'cart']);
  assert.equal(net.sent('add').length, 1);
});

test('an authority is renewed before it ends', async () => {
  let n = 0;
  const { hub, net, clock } = page({ token: () => (n++ ? golden('hello-token.client').token : 'first') });
  hub.open();
  await turns();
  await net.open();
  const answer = { ...golden('hello-token-answer.server'), expires: clock.now() + 600_000 };
  await net.reply('hello', answer);
  net.auto.ping = { type: 'pong' };
  await clock.advance(539_000);
  assert.equal(net.sent('hello').length, 1);
  await clock.advance(2_000);
  same(net.sent('hello')[1], 'hello-token.client');
});

test('an authority that the server has ended is renewed at once', async () => {
  const { hub, net } = await connected({ token: () => golden('hello-token.client').token });
  await net.say(golden('error-over.server'));
  assert.equal(hub.isLive('cart'), false);
  assert.equal(hub.isLive('sku:MUG'), true, 'badges go on');
  same(net.sent('hello')[1], 'hello-token.client');
  await net.reply('hello', golden('hello-token-answer.server'));
  assert.ok(net.sent('subscribe').at(-1).topics.cart !== undefined || net.sent('subscribe').at(-1).topics.includes('cart'));
});

test('a token that was taken back is not offered for ever', async () => {
  const taken = golden('hello-token.client').token;
  const { hub, net, clock, events } = await connected({ token: () => taken });
  await net.say(golden('error-over.server'));
  await net.reply('hello', golden('error-over.server'));
  await clock.advance(1_000);
  assert.equal(net.sockets.length, 2, 'once more, with a handshake: an expired token makes us a guest');
  await net.open();
  await net.reply('hello', { ...golden('hello-token-answer.server'), expires: undefined, notice: 'token_expired' });
  const { cart, ...badges } = golden('subscribe-answer.server').topics;
  await net.reply('subscribe', { type: 'snapshot', epoch: 'k3', topics: badges, refused: { cart: 'token_expired' } });
  net.auto.subscribe = { type: 'snapshot', epoch: 'k3', topics: {}, refused: { cart: 'token_expired' } };
  await clock.advance(900_000);
  assert.equal(net.sockets.length, 2);
  assert.equal(net.sent('hello').length, 1, 'it is not asked again in vain');
  assert.equal(hub.refusal('cart'), 'token_expired');
  assert.equal(hub.isLive('sku:MUG'), true);
  assert.deepEqual(events.findLast((e) => e.type === 'notice'), { type: 'notice', code: 'token_expired', mine: true });
});

/** takenBack is the hello of a guest whose authority was taken back: its cart is closed to it. */
function takenBack() {
  const { guestToken, ...answer } = golden('hello-answer.server');
  return { ...answer, notice: 'token_expired' };
}

test('a guest that was taken back begins as a new one', async () => {
  const { hub, net, storage, clock, events } = await connected();
  await net.say(golden('error-over.server'));
  await net.reply('hello', golden('error-over.server'));
  await clock.advance(1_000);
  assert.equal(net.last.protocols.length, 2, 'the token is offered');
  await net.open();
  await net.reply('hello', takenBack());
  assert.equal(net.sockets.length, 3);
  assert.equal(net.sockets[1].closed, true);
  assert.deepEqual(net.last.protocols, ['securecart.v1'], 'and not again');
  assert.deepEqual(events.findLast((e) => e.type === 'notice'), { type: 'notice', code: 'token_expired', mine: false });
  await net.open();
  await net.reply('hello', { ...golden('hello-answer.server'), user: 'guest:new', guestToken: 'guest.new' });
  assert.equal(hub.user, 'guest:new');
  assert.ok(net.sent('subscribe')[0].topics.includes('cart'));
  assert.equal(hub.get('cart'), undefined);
  hub.close();
  const again = page({ storage });
  again.hub.open();
  await turns();
  assert.deepEqual(again.net.last.protocols, ['securecart.v1', 'bearer.guest.new']);
});

test('a guest whose token has expired is a new one already', async () => {
  const { net, hub } = await connected();
  hub.reconnect();
  await turns();
  await net.open();
  await net.reply('hello', { ...golden('hello-answer.server'), user: 'guest:new', guestToken: 'guest.new', notice: 'token_expired' });
  assert.equal(net.sockets.length, 2);
  assert.equal(hub.guestToken, 'guest.new');
});

test('the new guest of another tab is kept', async () => {
  const { net, storage, hub } = await connected();
  hub.reconnect();
  await turns();
  await net.open();
  storage.setItem('securecart.guest', 'guest.new');
  await net.reply('hello', takenBack());
  assert.deepEqual(net.last.protocols, ['securecart.v1', 'bearer.guest.new']);
});

test('a storage that cannot forget is not asked again', async () => {
  const storage = { getItem: () => 'guest.old', setItem: () => {}, removeItem: () => { throw new Error('SecurityError'); } };
  const { net, hub } = page({ storage });
  hub.open();
  await turns();
  await net.open();
  await net.reply('hello', takenBack());
  assert.deepEqual(net.last.protocols, ['securecart.v1']);
});

test('slow_down: the same is asked again, not sooner than told', async () => {
  const { hub, net, clock } = await connected({}, ['sku:MUG']);
  hub.want(['sku:CAP-NAVY']);
  await turns();
  await net.reply('subscribe', { ...golden('error-slow-down.server'), after: 9_000 });
  hub.want(['sku:TEE-RED-M']);
  await clock.advance(8_999);
  assert.equal(net.sent('subscribe').length, 2, 'nothing else is asked meanwhile');
  await clock.advance(1);
  assert.deepEqual(Object.keys(net.sent('subscribe')[2].topics).length, 2);
  await net.reply('subscribe', { type: 'snapshot', epoch: 'k3', topics: { 'sku:CAP-NAVY': { version: 1, state: 'in' }, 'sku:TEE-RED-M': { version: 1, state: 'in' } } });
  assert.ok(hub.isLive('sku:CAP-NAVY'));
});

test('slow_down to hello: the connection waits as told', async () => {
  const { hub, net, clock } = page();
  hub.open();
  await turns();
  await net.open();
  await net.reply('hello', { ...golden('error-slow-down.server'), after: 9_000 });
  await clock.advance(8_999);
  assert.equal(net.sockets.length, 1);
  await clock.advance(1_000);
  assert.equal(net.sockets.length, 2);
});

test('a SKU refused for now is told, and the others are shown', async () => {
  const { hub, net, clock } = await connected({}, ['sku:MUG', 'sku:CAP-NAVY']);
  hub.want(['sku:X', 'sku:Y']);
  await turns();
  await net.reply('subscribe', { type: 'snapshot', epoch: 'k3', topics: { 'sku:X': { version: 1, state: 'in' } }, refused: { 'sku:Y': 'slow_down' } });
  assert.equal(hub.refusal('sku:Y'), 'slow_down');
  assert.equal(hub.get('sku:X').state, 'in');
  await clock.advance(5 * 60_000);
  assert.ok('sku:Y' in net.sent('subscribe').at(-1).topics, 'and is asked for again with the keep-alive');
  await net.reply('subscribe', { type: 'snapshot', epoch: 'k3', topics: { 'sku:Y': { version: 1, state: 'in' } }, unchanged: 3 });
  assert.equal(hub.refusal('sku:Y'), undefined);
  assert.ok(hub.isLive('sku:Y'));
});

test('another user never sees the cart of the one before', async () => {
  const { hub, net, events } = await connected();
  assert.equal(hub.get('cart').version, 17);
  const add = hub.add('TEE-RED-M');
  hub.reconnect();
  await turns();
  await net.open();
  assert.equal(net.last.sent.length, 1, 'nothing is asked or written before it is known who we are');
  await net.reply('hello', golden('hello-token-answer.server'));
  assert.equal(hub.get('cart'), undefined);
  await assert.rejects(add, { code: 'identity' });
  assert.deepEqual(net.sent('subscribe')[0].topics, ['sku:TEE-RED-M', 'sku:MUG', 'vendor:acme', 'cart'], 'and without versions');
  assert.equal(net.sent('add').length, 0);
  assert.equal(hub.get('sku:MUG').version, 9, 'badges stay');
  assert.deepEqual(events.filter((e) => e.type === 'identity').at(-1), { type: 'identity', user: 'alice', role: 'customer', was: 'guest:9f2c41d07a55e813' });
});

test('a gap in the cart is asked for with the version here', async () => {
  const { hub, net } = await connected();
  await net.say(delta({ cart: { from: 18, version: 19, lines: { 'TEE-RED-M': { quantity: 2, version: 19 } } } }));
  assert.equal(hub.get('cart').version, 17);
  assert.equal(hub.isLive('cart'), false, 'known to be old');
  const asked = net.sent('subscribe').at(-1);
  assert.deepEqual([asked.epoch, asked.topics], ['k3', { cart: 17 }]);
  // Another gap while the answer is on its way is asked for after it.
  await net.say(delta({ cart: { from: 20, version: 21, lines: {} } }));
  assert.equal(net.sent('subscribe').length, 2);
  await net.reply('subscribe', golden('subscribe-resume-answer.server'));
  assert.deepEqual(net.sent('subscribe').at(-1).topics, { cart: 19 });
  await net.reply('subscribe', { type: 'snapshot', epoch: 'k3', topics: { cart: { from: 19, version: 21, lines: {} } } });
  assert.equal(net.sent('subscribe').length, 3);
  assert.ok(hub.isLive('cart'));
});

test('what did not fit is fetched with get', async () => {
  const { hub, net } = await connected({}, ['sku:MUG', 'sku:CAP-NAVY', 'cart']);
  await net.say({ ...golden('subscribe-again-answer.server'), id: net.sent('subscribe')[0].id }); // was answered: no effect
  assert.equal(net.sent('get').length, 0);
  hub.want(['sku:X']);
  await turns();
  await net.reply('subscribe', { ...golden('subscribe-again-answer.server'), again: ['sku:MUG'] });
  same(net.sent('get')[0], 'get.client');
  await net.reply('get', golden('get-answer.server'));
  assert.ok(hub.isLive('sku:MUG'));
});

test('a new epoch is announced and everything is asked for anew', async () => {
  const { hub, net, events } = await connected();
  await net.say(delta({ 'sku:MUG': { version: 1, state: 'in' } }, 'k4'));
  assert.deepEqual(events.filter((e) => e.type === 'epoch'), [{ type: 'epoch', epoch: 'k4' }]);
  assert.equal(hub.get('cart'), undefined);
  const asked = net.sent('subscribe').at(-1);
  assert.equal(asked.epoch, 'k4');
  assert.deepEqual(asked.topics, { 'sku:TEE-RED-M': 0, 'sku:MUG': 1, 'vendor:acme': 0, cart: 0 });
});

test('wants and drops of one tick are one message, and are counted', async () => {
  const { hub, net } = await connected({}, ['sku:MUG', 'sku:TEE-RED-M']);
  const before = net.last.sent.length;
  hub.want(['sku:MUG']);
  hub.drop(['sku:MUG']); // one is left
  hub.drop(['sku:TEE-RED-M']);
  hub.want(['sku:TEE-RED-M']); // moved within the page
  await turns();
  assert.equal(net.last.sent.length, before);
  hub.drop(['sku:MUG']);
  hub.want(['sku:A', 'sku:B']);
  hub.want(['sku:C']);
  await turns();
  assert.equal(net.last.sent.length, before + 1);
  same(net.sent('unsubscribe')[0], 'unsubscribe.client');
  await net.reply('unsubscribe', golden('unsubscribe-answer.server'));
  assert.deepEqual(net.sent('subscribe').at(-1).topics, ['sku:A', 'sku:B', 'sku:C']);
});

test('a topic that is wanted again while it is unsubscribed is subscribed afterwards', async () => {
  const { hub, net } = await connected({}, ['sku:MUG', 'sku:TEE-RED-M']);
  hub.drop(['sku:MUG']);
  await turns();
  hub.want(['sku:MUG']);
  await turns();
  assert.equal(net.sent('subscribe').length, 1, 'the gateway might run it before the unsubscribe');
  await net.reply('unsubscribe', golden('unsubscribe-answer.server'));
  assert.deepEqual(net.sent('subscribe').at(-1).topics, { 'sku:MUG': 9 });
});

test('the keep-alive is a conditional subscribe', async () => {
  const { hub, net, clock } = await connected({}, ['cart', 'sku:MUG', 'sku:TEE-RED-M']);
  await clock.advance(5 * 60_000 - 1);
  assert.equal(net.sent('subscribe').length, 1);
  await clock.advance(1);
  assert.equal(net.sent('subscribe').length, 2);
  same(net.sent('subscribe')[1], 'subscribe-resume.client');
  await net.reply('subscribe', golden('subscribe-resume-answer.server'));
  assert.equal(hub.get('cart').version, 19, 'a lost delta came back with it');
  await clock.advance(5 * 60_000);
  assert.equal(net.sent('subscribe').length, 3);
});

test('a page that wants nothing keeps the connection with ping', async () => {
  const { net, clock } = await connected({}, []);
  await clock.advance(5 * 60_000);
  same(net.sent('ping')[0], 'ping.client', {});
});

test('silence after a request is a dead connection', async () => {
  const { hub, net, clock } = await connected();
  hub.want(['sku:A']);
  await clock.advance(14_999);
  assert.equal(hub.live, true);
  await clock.advance(1);
  assert.equal(hub.live, false);
  assert.equal(net.sockets[0].closed, true);
  await clock.advance(500);
  assert.equal(net.sockets.length, 2);
});

test('a handshake without an end is given up', async () => {
  const { hub, net, clock } = page();
  hub.open();
  await clock.advance(15_000 + 500);
  assert.equal(net.sockets.length, 2);
});

test('reconnects wait up to a bound that doubles, at most 30 s', async () => {
  for (const [attempt, bound] of [[0, 500], [1, 1000], [2, 2000], [5, 16_000], [6, 30_000], [500, 30_000]]) {
    assert.equal(fullJitter(attempt, () => 1), bound);
    assert.equal(fullJitter(attempt, () => 0), 0);
  }
  const { hub, net, clock } = page({ random: () => 0.999 });
  hub.open();
  await turns();
  const waits = [];
  for (let i = 0; i < 9; i++) {
    await net.cut();
    waits.push(Math.ceil(clock.waits[0] / 100) * 100);
    await clock.advance(clock.waits[0]);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  await net.open();
  await net.reply('hello', golden('hello-answer.server'));
  await net.cut();
  assert.ok(clock.waits[0] <= 500, 'a connection that came to life starts over');
});

test('bye: not before the time it says, not even when the network returns', async () => {
  const { hub, net, clock, wake } = await connected();
  await net.say(golden('bye.server'));
  assert.equal(hub.live, true, 'until it ends');
  await net.cut();
  await wake();
  await clock.advance(3_999);
  assert.equal(net.sockets.length, 1);
  await clock.advance(1_000);
  assert.equal(net.sockets.length, 2);
});

test('bye: a connection that the server leaves open is replaced', async () => {
  const { net, clock } = await connected();
  await net.say(golden('bye.server'));
  await clock.advance(4_500);
  assert.equal(net.sockets.length, 2);
  assert.equal(net.sockets[0].closed, true);
});

test('bye without retry is obeyed', async () => {
  const { hub, net, clock, wake } = await connected();
  await net.say({ type: 'bye', code: 'gone', retry: false });
  await wake();
  await clock.advance(10 * 60_000);
  assert.equal(hub.status, 'ended');
  assert.equal(net.sockets.length, 1);
});

test('the connection is replaced before the gateway ends it', async () => {
  const { net, clock } = await connected({}, []);
  net.auto.ping = { type: 'pong' };
  await clock.advance(0.95 * 6_900_000 - 1);
  assert.equal(net.sockets.length, 1);
  await clock.advance(1);
  assert.equal(net.sockets.length, 2);
});

test('the network or the person is back: at once', async () => {
  const { hub, net, clock, wake } = await connected();
  await net.cut();
  await wake();
  assert.equal(net.sockets.length, 2);
  await net.open();
  await net.reply('hello', golden('hello-answer.server'));
  await net.reply('subscribe', golden('subscribe-resume-answer.server'));
  assert.equal(hub.live, true);
  const asked = net.sent('subscribe').length;
  await wake();
  assert.equal(net.sent('subscribe').length, asked, 'it spoke a moment ago');
  await clock.advance(60_000);
  await wake();
  assert.equal(net.sent('subscribe').length, asked + 1, 'after a sleep it is asked');
});

test('late events of an old connection change nothing', async () => {
  const { hub, net } = await connected();
  const old = net.last;
  const late = { message: old.onmessage, close: old.onclose };
  hub.reconnect();
  await turns();
  await net.say(delta({ 'sku:MUG': { version: 99, state: 'in' } }), old);
  assert.equal(old.onmessage, null);
  assert.equal(old.onclose, null);
  assert.ok(late.message && late.close);
  assert.equal(hub.get('sku:MUG').version, 9);
  assert.equal(net.sockets.length, 2);
});

test('close ends everything', async () => {
  const { hub, net, clock, wakes } = await connected();
  const add = hub.add('MUG');
  hub.close();
  await assert.rejects(add, { code: 'closed' });
  assert.equal(net.last.closed, true);
  assert.equal(wakes.size, 0);
  await clock.advance(60 * 60_000);
  assert.equal(net.sockets.length, 1);
  assert.deepEqual(clock.waits, []);
  assert.equal(hub.status, 'closed');
});

test('a subscribe that may be repeated is', async () => {
  const { hub, net, clock } = await connected({}, []);
  hub.want(['sku:MUG']);
  await turns();
  await net.reply('subscribe', { type: 'error', code: 'internal', message: 'oops', retry: true });
  await clock.advance(4_000);
  assert.equal(net.sent('subscribe').length, 2);
  await net.reply('subscribe', golden('error-slow-down.server'));
  await clock.advance(1_999);
  assert.equal(net.sent('subscribe').length, 2);
  await clock.advance(3_000);
  assert.equal(net.sent('subscribe').length, 3);
});

test('an error that names no request turns back all of them', async () => {
  for (const blame of [golden('error-slow-down.server'), { message: 'Internal server error', connectionId: 'x', requestId: 'y' }]) {
    const { hub, net, clock } = await connected({}, ['cart']);
    hub.want(['sku:A']);
    const add = hub.add('MUG');
    await turns();
    await net.say(blame);
    await clock.advance(5_000);
    assert.deepEqual(net.sent('subscribe').slice(1).map((m) => m.topics), [['sku:A'], ['sku:A']]);
    assert.equal(net.sent('add').length, 2);
    assert.equal(net.sent('add')[0].key, net.sent('add')[1].key);
    await net.reply('add', { type: 'ok', from: 17, version: 18, lines: {} });
    await add;
  }
});

test('text that is not a message is passed over', async () => {
  const { hub, net } = await connected();
  for (const text of ['', 'hello', '7', 'null', '[]', '{"type":"news"}', '{"type":"pong"}']) await net.say(text);
  assert.equal(hub.live, true);
});

test('a storage that is forbidden does not matter', async () => {
  const deny = () => {
    throw new Error('SecurityError');
  };
  const { hub, net } = await connected({ storage: { getItem: deny, setItem: deny } });
  hub.reconnect();
  await turns();
  assert.equal(net.last.protocols.length, 2, 'the guest lives as long as the page');
});
