import test from 'node:test';
import assert from 'node:assert/strict';
import { drain } from '../fake/clock.js';
import { connectedPage, golden } from '../fake/server.js';

const pings = (server) => server.sent('ping').length;
const pong = { type: 'pong' }; // without an id, as in AWS
const inStock = (version) => ({ type: 'delta', epoch: 'k3', topics: { 'sku:MUG': { version, state: 'in' } } });

/** usedPage returns a page that a person looks at and touches. */
async function usedPage() {
  const p = await connectedPage({ visible: () => true });
  p.signals.visible = true;
  await p.signal('touch');
  return p;
}

test('offline: nothing is live any more, at once', async () => {
  const { hub, signal } = await connectedPage();
  assert.equal(hub.isLive('sku:MUG'), true);
  await signal('offline');
  assert.equal(hub.live, false);
  assert.equal(hub.isLive('sku:MUG'), false);
  assert.equal(hub.get('sku:MUG').state, 'out', 'the last known value stays');
  assert.ok(hub.provenAt('sku:MUG') > 0);
});

test('back online, back on the page: stale until the server has answered, and a new socket after 3 s', async () => {
  for (const names of [['offline', 'online'], ['hidden', 'visible']]) {
    const { hub, server, clock, signal } = await connectedPage();
    for (const name of names) await signal(name);
    assert.equal(hub.live, false);
    assert.equal(pings(server), 1);
    await server.send(inStock(10));
    assert.equal(hub.live, false, 'this frame may have waited since before');
    assert.equal(hub.get('sku:MUG').version, 10, 'but it is taken');
    await server.send(pong);
    assert.equal(hub.live, true);

    for (const name of names) await signal(name);
    await clock.advance(2_999);
    assert.equal(server.sockets.length, 1);
    await clock.advance(501);
    assert.equal(server.sockets.length, 2, 'no proof: another socket');
    assert.equal(server.sockets[0].closed, true);
  }
});

test('a touch after 30 s of silence asks, and one before does not', async () => {
  const { hub, server, clock, signal } = await connectedPage();
  await clock.advance(29_000);
  await signal('touch');
  assert.deepEqual([pings(server), hub.live], [0, true]);
  await clock.advance(2_000);
  await signal('touch');
  assert.deepEqual([pings(server), hub.live], [1, false]);
  await signal('touch');
  assert.equal(pings(server), 1, 'one question at a time');
  await server.send(pong);
  assert.equal(hub.live, true);
});

test('on a page in use, a dead link shows within 40 s', async () => {
  const { hub, clock, server } = await usedPage();
  await clock.advance(10_000);
  await server.send(inStock(10));
  const dead = clock.now();
  while (hub.live) {
    await clock.advance(500);
    assert.ok(clock.now() - dead <= 40_000, 'it still says live');
  }
  assert.equal(pings({ sent: (action) => server.sockets[0].sent.filter((m) => m.action === action) }), 1);
  assert.equal(hub.provenAt('sku:MUG'), dead, 'the time of the last proof');
});

test('an idle page sends nothing but the keep-alive', async () => {
  const { hub, server, clock } = await usedPage();
  server.autoAnswers.ping = pong;
  server.autoAnswers.subscribe = { type: 'snapshot', epoch: 'k3', topics: {}, unchanged: 4 };
  await clock.advance(60_000);
  const before = server.last.sent.length;
  await clock.advance(7 * 60_000);
  assert.equal(server.last.sent.length, before, 'nobody touched the page');
  await clock.advance(59 * 60_000);
  assert.equal(server.sent('subscribe').length, 1 + 7, 'once in 8.5 minutes');
  assert.equal(hub.live, true);
});

test('a silent page that a person uses asks at most 120 times an hour', async () => {
  const { hub, server, clock, signal } = await usedPage();
  server.autoAnswers.ping = pong;
  server.autoAnswers.subscribe = { type: 'snapshot', epoch: 'k3', topics: {}, unchanged: 4 };
  const before = server.last.sent.length;
  for (let touches = 0; touches < 360; touches++) {
    await clock.advance(10_000);
    await signal('touch');
  }
  const asked = server.last.sent.length - before;
  assert.ok(asked >= 60 && asked <= 120, `${asked} messages`);
  assert.equal(hub.live, true);
});

test('where pings are free, a page in view asks as often as the server says', async () => {
  const { hub, server, clock } = await connectedPage({ visible: () => true }, []);
  hub.reconnect();
  await drain();
  await server.accept();
  server.autoAnswers.ping = pong;
  await server.reply('hello', { ...golden('hello-answer.server'), pingEvery: 15 });
  await clock.advance(5 * 60_000);
  assert.equal(pings(server), 20);
});

test('a machine that slept notices it at the next look', async () => {
  const { hub, server, clock } = await usedPage();
  clock.jump(60_000); // no timer fires while a machine sleeps
  await clock.advance(1);
  assert.equal(hub.live, false);
  assert.equal(pings(server), 1);
});

test('a page that is frozen lets go of its socket, and begins anew', async () => {
  const { hub, server, clock, signal } = await connectedPage();
  await signal('freeze');
  assert.equal(server.last.closed, true);
  assert.equal(hub.live, false);
  await clock.advance(60 * 60_000);
  assert.equal(server.sockets.length, 1, 'nothing happens meanwhile');
  await signal('thaw');
  assert.equal(server.sockets.length, 2);
});

test('the answer to a question of an old socket proves nothing about the next', async () => {
  const { hub, server, clock, signal } = await connectedPage();
  await signal('hidden');
  await signal('visible');
  const old = server.last;
  await server.cut();
  await clock.advance(5_000);
  await server.accept();
  await server.send(pong, old);
  assert.equal(hub.live, false);
});
