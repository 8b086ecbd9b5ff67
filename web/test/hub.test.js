import test from 'node:test';
import assert from 'node:assert/strict';
import { fullJitter } from '../src/timing.js';
import { drain } from '../fake/clock.js';
import { connectedPage, golden, fakePage } from '../fake/server.js';

/** assertGolden compares a sent message with a golden one, except for the id, which the hub chooses. */
function assertGolden(sent, name, changes = {}) {
  const { id, ...want } = { ...golden(name), ...changes };
  assert.ok(id === undefined || sent.id !== undefined, 'the message has no id');
  const { id: own, ...got } = sent;
  assert.deepEqual(got, want);
}

const delta = (topics, epoch = 'k3') => ({ type: 'delta', epoch, topics });
const snapshot = (topics, fields) => ({ type: 'snapshot', epoch: 'k3', topics, ...fields });
const inStock = (version) => ({ version, state: 'in' });

test('the handshake offers the protocol, and only hello is sent before its answer', async () => {
  const { hub, server } = fakePage();
  hub.want(['sku:MUG']);
  hub.open();
  await drain();
  assert.equal(server.last.url, 'ws://hub.example/v1');
  assert.deepEqual(server.last.protocols, ['securecart.v1']);
  await server.accept();
  assert.equal(server.last.sent.length, 1);
  assertGolden(server.last.sent[0], 'hello.client');
  assert.equal(hub.live, false);
});

test('one subscribe requests all wanted topics', async () => {
  const { hub, server, events } = await connectedPage();
  assert.equal(server.last.sent.length, 2);
  assertGolden(server.last.sent[1], 'subscribe.client');
  assert.equal(hub.live, true);
  assert.equal(hub.user, 'guest:9f2c41d07a55e813');
  assert.equal(hub.get('sku:MUG').state, 'out');
  assert.equal(hub.refusal('vendor:acme'), 'denied');
  const refused = events.filter((e) => e.type === 'refused');
  assert.deepEqual(refused, [{ type: 'refused', topic: 'vendor:acme', code: 'denied' }]);
  assert.deepEqual(events.filter((e) => e.type === 'live'), [{ type: 'live', live: true }]);
});

test('more topics than a message may have become several subscribes, one after the other', async () => {
  const topics = Array.from({ length: 150 }, (_, i) => `sku:S${i}`);
  const { hub, server } = await connectedPage({}, topics);
  assert.equal(hub.live, false);
  assert.deepEqual(server.sent('subscribe').map((m) => (m.topics.length ?? Object.keys(m.topics).length)), [100, 50]);
  await server.reply('subscribe', snapshot({}));
  assert.equal(hub.live, true);
});

test('the hub refuses malformed topics, and topics over the limit of a connection', async () => {
  const { hub, server } = await connectedPage({}, ['sku:TEE-RED-M', 'sku: starts with a space', 'hub']);
  assert.equal(hub.refusal('sku: starts with a space'), 'bad_topic');
  assert.equal(hub.refusal('hub'), 'bad_topic');
  assert.deepEqual(server.sent('subscribe')[0].topics, ['sku:TEE-RED-M']);
  hub.want(Array.from({ length: 210 }, (_, i) => `sku:S${i}`));
  for (let i = 0; i < 3; i++) {
    await drain();
    await server.reply('subscribe', snapshot({}));
  }
  assert.equal(hub.refusal('sku:S198'), undefined);
  assert.equal(hub.refusal('sku:S199'), 'too_many_topics');
});

test('resume: the subscribe after a lost connection has versions', async () => {
  const { hub, server, clock } = await connectedPage({}, ['cart', 'sku:MUG', 'sku:TEE-RED-M']);
  await server.cut();
  assert.equal(hub.live, false);
  assert.equal(hub.get('sku:MUG').state, 'out', 'the last known value stays');
  await clock.advance(5_000);
  assert.equal(server.sockets.length, 2);
  await server.accept();
  await server.reply('hello', golden('hello-answer.server'));
  assert.equal(server.last.sent.length, 2);
  assertGolden(server.last.sent[1], 'subscribe-shown.client');
  assert.equal(hub.live, false, 'not live before the answer');
  await server.reply('subscribe', golden('subscribe-resume-answer.server'));
  assert.equal(hub.live, true);
  assert.equal(hub.get('cart').version, 19);
  assert.ok(hub.isLive('sku:MUG'), 'unchanged topics are fresh too');
});

test('a guest keeps its token across a reload', async () => {
  const { storage, hub } = await connectedPage();
  hub.close();
  const again = fakePage({ storage });
  again.hub.open();
  await drain();
  assert.deepEqual(again.server.last.protocols, ['securecart.v1', 'bearer.guest.eyJhbGciOiJIUzI1NiJ9.e30.c2ln']);
});

test('the token option has priority, and a rejected token does not replace the guest', async () => {
  const { storage } = await connectedPage();
  const { hub, server, events } = fakePage({ storage, token: async () => 'alice.token' });
  hub.open();
  await drain();
  assert.deepEqual(server.last.protocols, ['securecart.v1', 'bearer.alice.token']);
  await server.accept();
  await server.reply('hello', newGuest({ notice: 'token_expired' }));
  assert.deepEqual(events.filter((e) => e.type === 'notice'), [{ type: 'notice', code: 'token_expired', fromToken: true }]);
  assert.equal(hub.guestToken, golden('hello-answer.server').guestToken);
});

test('while tokens cannot be verified, badges are live and carts are not touched', async () => {
  const { hub, cart, server, clock } = fakePage({ token: () => 'alice.token' });
  hub.want(['sku:MUG', 'cart']);
  cart.add('MUG').catch(() => {});
  hub.open();
  await drain();
  await server.accept();
  await server.reply('hello', { ...golden('hello-answer.server'), notice: 'busy' });
  assert.deepEqual(server.sent('subscribe').map((m) => m.topics), [['sku:MUG']]);
  assert.equal(server.sent('add').length, 0);
  await server.reply('subscribe', snapshot({ 'sku:MUG': inStock(9) }));
  await clock.advance(31_000);
  await server.reply('hello', golden('hello-token-answer.server'));
  assert.equal(hub.user, 'alice');
  assert.deepEqual(server.sent('subscribe').at(-1).topics, ['sku:MUG', 'cart']);
  assert.equal(server.sent('add').length, 1);
});

test('a session is renewed before it expires', async () => {
  let n = 0;
  const { hub, server, clock } = fakePage({ token: () => (n++ ? golden('hello-token.client').token : 'first') });
  hub.open();
  await drain();
  await server.accept();
  const answer = { ...golden('hello-token-answer.server'), expires: clock.now() + 600_000, expiresIn: 600 };
  await server.reply('hello', answer);
  server.autoAnswers.ping = { type: 'pong' };
  await clock.advance(539_000);
  assert.equal(server.sent('hello').length, 1);
  await clock.advance(2_000);
  assertGolden(server.sent('hello')[1], 'hello-token.client');
});

test('a connection that waits for answers shows nothing to the next user', async () => {
  let token = null;
  const { hub, cart, server, clock } = await connectedPage({ token: () => token });
  await server.send(golden('bye.server'));
  const lost = assert.rejects(cart.add('MUG'), { code: 'uncertain' });
  await clock.advance(4_500);
  await server.accept();
  await server.reply('hello', golden('hello-answer.server'));
  await server.reply('subscribe', snapshot({}, { unchanged: 4 }));
  const old = server.sockets[0];
  assert.equal(old.closed, false);
  token = 'alice.token';
  hub.reconnect();
  await drain();
  assert.equal(old.closed, true);
  await server.accept();
  await server.reply('hello', golden('hello-token-answer.server'));
  await lost;
  await server.send(delta({ cart: { version: 99, lines: { MUG: { quantity: 9, version: 99 } } } }), old);
  assert.equal(hub.get('cart'), undefined);
});

test('a clock that is 2 h ahead renews a session once at most', async () => {
  for (const expiresIn of [3600, undefined]) {
    const { hub, server, clock } = fakePage({ token: () => 'alice.token' });
    const expires = clock.now() - 3_600_000; // the browser's clock says: an hour ago
    server.autoAnswers.hello = { ...golden('hello-token-answer.server'), expires, expiresIn };
    hub.open();
    await drain();
    await server.accept();
    await clock.advance(10 * 60_000);
    assert.ok(server.sent('hello').length <= 2, `${server.sent('hello').length} times hello`);
    if (expiresIn) assert.equal(server.sent('hello').length, 1);
    await clock.advance(50 * 60_000);
    if (expiresIn) assert.equal(server.sent('hello').length, 2, 'a minute before the end');
  }
});

test('a change that is on its way is answered before its connection is replaced', async () => {
  const { cart, server, clock } = await connectedPage();
  await server.send(golden('bye.server'));
  const done = cart.add('MUG');
  await clock.advance(4_500);
  const old = server.sockets[0];
  const { id } = old.sent.findLast((m) => m.action === 'add');
  await server.accept();
  await server.reply('hello', golden('hello-answer.server'));
  await server.reply('subscribe', snapshot({}, { unchanged: 4 }));
  assert.equal(old.closed, false);
  await server.send({ type: 'ok', from: 17, version: 18, lines: {}, id }, old);
  await done;
  assert.equal(old.closed, true);
  assert.equal(server.sent('add').length, 0, 'it is not sent again');
});

test('a session that has expired on the server is renewed at once', async () => {
  const { hub, server } = await connectedPage({ token: () => golden('hello-token.client').token });
  await server.send(golden('error-expired.server'));
  assert.equal(hub.isLive('cart'), false);
  assert.equal(hub.isLive('sku:MUG'), true, 'badges stay live');
  assertGolden(server.sent('hello')[1], 'hello-token.client');
  await server.reply('hello', golden('hello-token-answer.server'));
  const { topics } = server.sent('subscribe').at(-1);
  assert.ok(topics.cart !== undefined || topics.includes('cart'));
});

test('a revoked token is not offered forever', async () => {
  const revoked = golden('hello-token.client').token;
  const { hub, server, clock, events } = await connectedPage({ token: () => revoked });
  await server.send(golden('error-expired.server'));
  await server.reply('hello', golden('error-expired.server'));
  await clock.advance(1_000);
  assert.equal(server.sockets.length, 2, 'it is offered once more: a handshake with an expired token makes a guest');
  await server.accept();
  await server.reply('hello', { ...golden('hello-token-answer.server'), expires: undefined, notice: 'token_expired' });
  const { cart, ...badges } = golden('subscribe-answer.server').topics;
  await server.reply('subscribe', snapshot(badges, { refused: { cart: 'token_expired' } }));
  server.autoAnswers.subscribe = snapshot({}, { refused: { cart: 'token_expired' } });
  await clock.advance(900_000);
  assert.equal(server.sockets.length, 2);
  assert.equal(server.sent('hello').length, 1, 'it is not offered again');
  assert.equal(hub.refusal('cart'), 'token_expired');
  assert.equal(hub.isLive('sku:MUG'), true);
  assert.deepEqual(events.findLast((e) => e.type === 'notice'), { type: 'notice', code: 'token_expired', fromToken: true });
});

/** newGuest returns a hello answer for a new guest. */
const newGuest = (fields) => ({
  ...golden('hello-answer.server'),
  user: 'guest:new',
  guestToken: 'guest.new',
  ...fields,
});

/** revokedGuest returns a hello answer for a guest that was revoked. It has no guest token. */
function revokedGuest() {
  const { guestToken, ...answer } = golden('hello-answer.server');
  return { ...answer, notice: 'token_expired' };
}

test('a revoked guest becomes a new guest', async () => {
  const { hub, server, storage, clock, events } = await connectedPage();
  await server.send(golden('error-expired.server'));
  await server.reply('hello', golden('error-expired.server'));
  await clock.advance(1_000);
  assert.equal(server.last.protocols.length, 2, 'the token is offered once more');
  await server.accept();
  await server.reply('hello', revokedGuest());
  assert.equal(server.sockets.length, 3);
  assert.equal(server.sockets[1].closed, true);
  assert.deepEqual(server.last.protocols, ['securecart.v1'], 'but not again');
  assert.deepEqual(events.findLast((e) => e.type === 'notice'), { type: 'notice', code: 'token_expired', fromToken: false });
  await server.accept();
  await server.reply('hello', newGuest());
  assert.equal(hub.user, 'guest:new');
  assert.ok(server.sent('subscribe')[0].topics.includes('cart'));
  assert.equal(hub.get('cart'), undefined);
  hub.close();
  const again = fakePage({ storage });
  again.hub.open();
  await drain();
  assert.deepEqual(again.server.last.protocols, ['securecart.v1', 'bearer.guest.new']);
});

test('a guest whose token has expired is a new guest at once', async () => {
  const { server, hub } = await connectedPage();
  hub.reconnect();
  await drain();
  await server.accept();
  await server.reply('hello', newGuest({ notice: 'token_expired' }));
  assert.equal(server.sockets.length, 2);
  assert.equal(hub.guestToken, 'guest.new');
});

test('a new guest that another tab stored is kept', async () => {
  const { server, storage, hub } = await connectedPage();
  hub.reconnect();
  await drain();
  await server.accept();
  storage.setItem('securecart.guest', 'guest.new');
  await server.reply('hello', revokedGuest());
  assert.deepEqual(server.last.protocols, ['securecart.v1', 'bearer.guest.new']);
});

test('a storage that cannot remove the token is not used again', async () => {
  const storage = {
    getItem: () => 'guest.old',
    setItem: () => {},
    removeItem: () => {
      throw new Error('SecurityError');
    },
  };
  const { server, hub } = fakePage({ storage });
  hub.open();
  await drain();
  await server.accept();
  await server.reply('hello', revokedGuest());
  assert.deepEqual(server.last.protocols, ['securecart.v1']);
});

test('slow_down: the request is repeated after the wait that the server names', async () => {
  const { hub, server, clock } = await connectedPage({}, ['sku:MUG']);
  hub.want(['sku:CAP-NAVY']);
  await drain();
  await server.reply('subscribe', { ...golden('error-slow-down.server'), after: 9_000 });
  hub.want(['sku:TEE-RED-M']);
  await clock.advance(8_999);
  assert.equal(server.sent('subscribe').length, 2, 'nothing else is requested in the meantime');
  await clock.advance(1);
  assert.deepEqual(Object.keys(server.sent('subscribe')[2].topics).length, 2);
  await server.reply('subscribe', snapshot({ 'sku:CAP-NAVY': inStock(1), 'sku:TEE-RED-M': inStock(1) }));
  assert.ok(hub.isLive('sku:CAP-NAVY'));
});

test('slow_down to hello: the reconnect waits as long as the server says', async () => {
  const { hub, server, clock } = fakePage();
  hub.open();
  await drain();
  await server.accept();
  await server.reply('hello', { ...golden('error-slow-down.server'), after: 9_000 });
  await clock.advance(8_999);
  assert.equal(server.sockets.length, 1);
  await clock.advance(1_000);
  assert.equal(server.sockets.length, 2);
});

test('a SKU that is refused for now is reported, and the others are shown', async () => {
  const { hub, server, clock } = await connectedPage({}, ['sku:MUG', 'sku:CAP-NAVY']);
  hub.want(['sku:X', 'sku:Y']);
  await drain();
  await server.reply('subscribe', snapshot({ 'sku:X': inStock(1) }, { refused: { 'sku:Y': 'slow_down' } }));
  assert.equal(hub.refusal('sku:Y'), 'slow_down');
  assert.equal(hub.get('sku:X').state, 'in');
  await clock.advance(8.5 * 60_000);
  assert.ok('sku:Y' in server.sent('subscribe').at(-1).topics, 'the keep-alive requests it again');
  await server.reply('subscribe', snapshot({ 'sku:Y': inStock(1) }, { unchanged: 3 }));
  assert.equal(hub.refusal('sku:Y'), undefined);
  assert.ok(hub.isLive('sku:Y'));
});

test('a user never sees the cart of the user before', async () => {
  const { hub, cart, server, events } = await connectedPage();
  assert.equal(hub.get('cart').version, 17);
  const add = assert.rejects(cart.add('TEE-RED-M'), { code: 'uncertain' }, 'it was sent');
  hub.reconnect();
  const later = assert.rejects(cart.add('TEE-RED-M'), { code: 'identity' });
  await drain();
  await server.accept();
  assert.equal(server.last.sent.length, 1, 'nothing is requested or written before the user is known');
  await server.reply('hello', golden('hello-token-answer.server'));
  assert.equal(hub.get('cart'), undefined);
  await Promise.all([add, later]);
  const topics = ['sku:TEE-RED-M', 'sku:MUG', 'vendor:acme', 'cart'];
  assert.deepEqual(server.sent('subscribe')[0].topics, topics, 'without versions');
  assert.equal(server.sent('add').length, 0);
  assert.equal(hub.get('sku:MUG').version, 9, 'badges stay');
  const identity = events.filter((e) => e.type === 'identity').at(-1);
  const was = 'guest:9f2c41d07a55e813';
  assert.deepEqual(identity, { type: 'identity', user: 'alice', role: 'customer', was });
});

test('after a gap, the cart is requested with the version that the page has', async () => {
  const { hub, server } = await connectedPage();
  await server.send(delta({ cart: { from: 18, version: 19, lines: { 'TEE-RED-M': { quantity: 2, version: 19 } } } }));
  assert.equal(hub.get('cart').version, 17);
  assert.equal(hub.isLive('cart'), false, 'the cart is known to be old');
  const asked = server.sent('subscribe').at(-1);
  assert.deepEqual([asked.epoch, asked.topics], ['k3', { cart: 17 }]);
  // A gap that arrives before the answer is requested after it.
  await server.send(delta({ cart: { from: 20, version: 21, lines: {} } }));
  assert.equal(server.sent('subscribe').length, 2);
  await server.reply('subscribe', golden('subscribe-resume-answer.server'));
  assert.deepEqual(server.sent('subscribe').at(-1).topics, { cart: 19 });
  await server.reply('subscribe', snapshot({ cart: { from: 19, version: 21, lines: {} } }));
  assert.equal(server.sent('subscribe').length, 3);
  assert.ok(hub.isLive('cart'));
});

test('topics that did not fit into an answer are fetched with get', async () => {
  const { hub, server } = await connectedPage({}, ['sku:MUG', 'sku:CAP-NAVY', 'cart']);
  const { id } = server.sent('subscribe')[0]; // already answered, so the message has no effect
  await server.send({ ...golden('subscribe-again-answer.server'), id });
  assert.equal(server.sent('get').length, 0);
  hub.want(['sku:X']);
  await drain();
  await server.reply('subscribe', { ...golden('subscribe-again-answer.server'), again: ['sku:MUG'] });
  assertGolden(server.sent('get')[0], 'get.client');
  await server.reply('get', golden('get-answer.server'));
  assert.ok(hub.isLive('sku:MUG'));
});

test('a new epoch is announced, and everything is requested again', async () => {
  const { hub, server, events } = await connectedPage();
  await server.send(delta({ 'sku:MUG': inStock(1) }, 'k4'));
  assert.deepEqual(events.filter((e) => e.type === 'epoch'), [{ type: 'epoch', epoch: 'k4' }]);
  assert.equal(hub.get('cart'), undefined);
  const asked = server.sent('subscribe').at(-1);
  assert.equal(asked.epoch, 'k4');
  assert.deepEqual(asked.topics, { 'sku:TEE-RED-M': 0, 'sku:MUG': inStock(1), 'vendor:acme': 0, cart: 0 });
});

test('wants and drops of one task share a message, and are counted', async () => {
  const { hub, server } = await connectedPage({}, ['sku:MUG', 'sku:TEE-RED-M']);
  const before = server.last.sent.length;
  hub.want(['sku:MUG']);
  hub.drop(['sku:MUG']); // one want is left
  hub.drop(['sku:TEE-RED-M']);
  hub.want(['sku:TEE-RED-M']); // like a badge that moves within the page
  await drain();
  assert.equal(server.last.sent.length, before);
  hub.drop(['sku:MUG']);
  hub.want(['sku:A', 'sku:B']);
  hub.want(['sku:C']);
  await drain();
  assert.equal(server.last.sent.length, before + 1);
  assertGolden(server.sent('unsubscribe')[0], 'unsubscribe.client');
  await server.reply('unsubscribe', golden('unsubscribe-answer.server'));
  assert.deepEqual(server.sent('subscribe').at(-1).topics, ['sku:A', 'sku:B', 'sku:C']);
});

test('a topic that is wanted again during its unsubscribe is subscribed afterwards', async () => {
  const { hub, server } = await connectedPage({}, ['sku:MUG', 'sku:TEE-RED-M']);
  hub.drop(['sku:MUG']);
  await drain();
  hub.want(['sku:MUG']);
  await drain();
  assert.equal(server.sent('subscribe').length, 1, 'the gateway could run it before the unsubscribe');
  await server.reply('unsubscribe', golden('unsubscribe-answer.server'));
  assert.deepEqual(server.sent('subscribe').at(-1).topics, { 'sku:MUG': { version: 9, state: 'out' } });
});

test('the keep-alive is a conditional subscribe', async () => {
  const { hub, server, clock } = await connectedPage({}, ['cart', 'sku:MUG', 'sku:TEE-RED-M']);
  await clock.advance(8.5 * 60_000 - 1);
  assert.equal(server.sent('subscribe').length, 1);
  await clock.advance(1);
  assert.equal(server.sent('subscribe').length, 2);
  assertGolden(server.sent('subscribe')[1], 'subscribe-shown.client');
  await server.reply('subscribe', golden('subscribe-resume-answer.server'));
  assert.equal(hub.get('cart').version, 19, 'it recovers a lost delta');
  await clock.advance(8.5 * 60_000);
  assert.equal(server.sent('subscribe').length, 3);
});

test('a page that wants nothing sends ping as its keep-alive', async () => {
  const { server, clock } = await connectedPage({}, []);
  await clock.advance(8.5 * 60_000);
  assertGolden(server.sent('ping')[0], 'ping.client', {});
});

test('a connection without an answer is dead', async () => {
  const { hub, server, clock } = await connectedPage();
  hub.want(['sku:A']);
  await clock.advance(14_999);
  assert.equal(hub.live, true);
  await clock.advance(1);
  assert.equal(hub.live, false);
  assert.equal(server.sockets[0].closed, true);
  await clock.advance(500);
  assert.equal(server.sockets.length, 2);
});

test('a handshake without an answer is abandoned', async () => {
  const { hub, server, clock } = fakePage();
  hub.open();
  await clock.advance(8_000 + 500);
  assert.equal(server.sockets.length, 2);
});

test('reconnects wait up to a bound that doubles, at most 30 s', async () => {
  for (const [attempt, bound] of [[0, 500], [1, 1000], [2, 2000], [5, 16_000], [6, 30_000], [500, 30_000]]) {
    assert.equal(fullJitter(attempt, () => 1), bound);
    assert.equal(fullJitter(attempt, () => 0), 0);
  }
  const { hub, server, clock } = fakePage({ random: () => 0.999 });
  hub.open();
  await drain();
  const waits = [];
  for (let i = 0; i < 9; i++) {
    await server.cut();
    waits.push(Math.ceil(clock.waits[0] / 100) * 100);
    await clock.advance(clock.waits[0]);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  await server.accept();
  await server.reply('hello', golden('hello-answer.server'));
  await server.cut();
  assert.ok(clock.waits[0] > 20_000, 'a connection that does not hold is a failure too');
  await clock.advance(clock.waits[0]);
  await server.accept();
  await server.reply('hello', golden('hello-answer.server'));
  await clock.advance(20_000);
  await server.cut();
  assert.ok(clock.waits[0] > 4_900 && clock.waits[0] <= 5_000, 'the bound starts over after a connection that held');
});

test('a page whose socket closes comes back within the time that hello said; one that gave it up at once', async () => {
  const { hub, server, clock, signal } = await connectedPage({ random: () => 0.999 });
  await server.cut();
  await clock.advance(5_000);
  await server.accept();
  await server.reply('hello', golden('hello-crowd-answer.server'));
  await server.reply('subscribe', snapshot({}));
  await clock.advance(20_000);
  await server.cut();
  await clock.advance(24_900);
  assert.equal(server.sockets.length, 2);
  await clock.advance(100);
  assert.equal(server.sockets.length, 3);
  await server.accept();
  await server.reply('hello', golden('hello-crowd-answer.server'));
  await server.reply('subscribe', snapshot({}));
  await clock.advance(20_000);
  await signal('hidden');
  await signal('visible');
  await clock.advance(3_000 + 500); // no proof: nobody else need be concerned
  assert.equal(server.sockets.length, 4);
  assert.equal(hub.live, false);
});

test('bye: no reconnect before the time that it says, even when the network returns', async () => {
  const { hub, server, clock, signal } = await connectedPage();
  await server.send(golden('bye.server'));
  assert.equal(hub.live, true, 'the connection is live until it ends');
  await server.cut();
  await signal('online');
  await clock.advance(3_999);
  assert.equal(server.sockets.length, 1);
  await clock.advance(1_000);
  assert.equal(server.sockets.length, 2);
});

test('bye: a connection that the server leaves open is replaced', async () => {
  const { hub, server, clock, events } = await connectedPage();
  await server.send(golden('bye.server'));
  await clock.advance(4_500);
  assert.equal(server.sockets.length, 2);
  assert.equal(server.sockets[0].closed, false, 'the next one is made first');
  assert.equal(hub.live, true);
  await server.accept();
  await server.reply('hello', golden('hello-answer.server'));
  assert.equal(server.sockets[0].closed, false);
  await server.reply('subscribe', snapshot({}, { unchanged: 4 }));
  assert.equal(server.sockets[0].closed, true);
  assert.deepEqual(events.filter((e) => e.type === 'live'), [{ type: 'live', live: true }], 'it was never stale');
});

test('bye without retry ends reconnecting', async () => {
  const { hub, server, clock, signal } = await connectedPage();
  await server.send({ type: 'bye', code: 'gone', retry: false });
  await signal('online');
  await clock.advance(10 * 60_000);
  assert.equal(hub.status, 'ended');
  assert.equal(server.sockets.length, 1);
});

test('a protocol version that has ended: a new page and an old one stop', async () => {
  const gone = golden('bye-gone-version.server');
  const fresh = fakePage();
  fresh.hub.want(['sku:MUG']);
  fresh.hub.open();
  await drain();
  await fresh.server.accept();
  await fresh.server.send(gone); // in place of the answer to hello
  const old = await connectedPage({}, []);
  old.server.autoAnswers.ping = { type: 'pong' };
  await old.clock.advance(0.95 * 6_900_000); // the next connection is made
  assert.equal(old.server.sockets.length, 2);
  await old.server.accept();
  await old.server.send(gone);
  for (const { hub, server, clock, signal, events } of [fresh, old]) {
    const made = server.sockets.length;
    for (const name of ['online', 'visible', 'thaw']) await signal(name);
    await clock.advance(24 * 3_600_000);
    assert.equal(hub.status, 'ended');
    assert.equal(hub.live, false);
    assert.equal(server.sockets.length, made, 'no other connection is made');
    assert.ok(server.sockets.every((socket) => socket.closed));
    const byes = events.filter((e) => e.type === 'bye');
    assert.deepEqual(byes, [{ type: 'bye', code: 'gone_version', retry: false, after: 0 }]);
  }
});

test('the connection is replaced before the gateway closes it', async () => {
  const { server, clock } = await connectedPage({}, []);
  server.autoAnswers.ping = { type: 'pong' };
  await clock.advance(0.95 * 6_900_000 - 1);
  assert.equal(server.sockets.length, 1);
  await clock.advance(1);
  assert.equal(server.sockets.length, 2);
});

test('the hub reconnects at once when the network or the user returns', async () => {
  for (const name of ['online', 'visible', 'thaw']) {
    const { server, signal } = await connectedPage();
    await server.cut();
    await signal(name);
    assert.equal(server.sockets.length, 2, name);
  }
});

test('late events of an old connection change nothing', async () => {
  const { hub, server } = await connectedPage();
  const old = server.last;
  const handlers = { message: old.onmessage, close: old.onclose };
  hub.reconnect();
  await drain();
  await server.send(delta({ 'sku:MUG': inStock(99) }), old);
  assert.equal(old.onmessage, null);
  assert.equal(old.onclose, null);
  assert.ok(handlers.message && handlers.close);
  assert.equal(hub.get('sku:MUG').version, 9);
  assert.equal(server.sockets.length, 2);
});

test('close ends everything', async () => {
  const { hub, cart, server, clock, signals } = await connectedPage();
  const add = cart.add('MUG');
  hub.close();
  await assert.rejects(add, { code: 'uncertain' }, 'it was sent');
  assert.equal(server.last.closed, true);
  assert.equal(signals.size, 0);
  await clock.advance(60 * 60_000);
  assert.equal(server.sockets.length, 1);
  assert.deepEqual(clock.waits, []);
  assert.equal(hub.status, 'closed');
});

test('a subscribe is repeated after a retryable error', async () => {
  const { hub, server, clock } = await connectedPage({}, []);
  hub.want(['sku:MUG']);
  await drain();
  await server.reply('subscribe', { type: 'error', code: 'internal', message: 'oops', retry: true });
  await clock.advance(4_000);
  assert.equal(server.sent('subscribe').length, 2);
  await server.reply('subscribe', golden('error-slow-down.server'));
  await clock.advance(1_999);
  assert.equal(server.sent('subscribe').length, 2);
  await clock.advance(3_000);
  assert.equal(server.sent('subscribe').length, 3);
});

test('after an error that names no request, all requests are repeated', async () => {
  const gatewayError = { message: 'Internal server error', connectionId: 'x', requestId: 'y' };
  for (const error of [golden('error-slow-down.server'), gatewayError]) {
    const { hub, cart, server, clock } = await connectedPage({}, ['cart']);
    hub.want(['sku:A']);
    const add = cart.add('MUG');
    await drain();
    await server.send(error);
    await clock.advance(5_000);
    assert.deepEqual(server.sent('subscribe').slice(1).map((m) => m.topics), [['sku:A'], ['sku:A']]);
    assert.equal(server.sent('add').length, 2);
    assert.equal(server.sent('add')[0].key, server.sent('add')[1].key);
    await server.reply('add', { type: 'ok', from: 17, version: 18, lines: {} });
    await add;
  }
});

test('text that is not a message is ignored', async () => {
  const { hub, server } = await connectedPage();
  for (const text of ['', 'hello', '7', 'null', '[]', '{"type":"news"}', '{"type":"pong"}']) await server.send(text);
  assert.equal(hub.live, true);
});

test('without a storage, a guest keeps its token until the page ends', async () => {
  const deny = () => {
    throw new Error('SecurityError');
  };
  const { hub, server } = await connectedPage({ storage: { getItem: deny, setItem: deny } });
  hub.reconnect();
  await drain();
  assert.equal(server.last.protocols.length, 2, 'the page remembers the guest');
});
