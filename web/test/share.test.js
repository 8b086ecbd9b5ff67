import test from 'node:test';
import assert from 'node:assert/strict';
import { Clock, drain } from '../fake/clock.js';
import { golden } from '../fake/server.js';
import { Browser } from '../fake/tabs.js';

// What tabs owe each other: topics, proof, and the end of a change.

const snapshot = (topics, fields) => ({ type: 'snapshot', epoch: 'k3', topics, ...fields });
const inStock = (version) => ({ version, state: 'in' });

async function settle() {
  for (let i = 0; i < 6; i++) await drain();
}

async function opened(n, options = {}) {
  const browser = new Browser(new Clock());
  const { server } = browser;
  const tabs = [];
  for (let i = 0; i < n; i++) tabs.push(await browser.open(options));
  Object.assign(server.autoAnswers, {
    hello: golden('hello-answer.server'), ping: { type: 'pong' }, unsubscribe: snapshot({}),
    subscribe: snapshot({ 'sku:A': inStock(1), 'sku:B': inStock(1) }),
  });
  await settle();
  await server.accept();
  await settle();
  return { browser, server, clock: browser.clock, tabs };
}

const unsubscribed = (server) => server.sent('unsubscribe').flatMap((m) => m.topics).sort();

test('a topic that a follower lets go is not live for it any more', async () => {
  const { tabs } = await opened(2);
  const letGo = tabs[1].live.subscribe(['sku:A']);
  await settle();
  assert.equal(tabs[1].live.isLive('sku:A'), true);
  letGo();
  assert.equal(tabs[1].live.isLive('sku:A'), false);
  assert.ok(tabs[1].live.provenAt('sku:A') > 0);
});

test('the cart of a tab is live, and stale, when the cart of the leader is, with no other event', async () => {
  for (const tab of [0, 1]) {
    const { server, tabs } = await opened(2);
    const { live } = tabs[tab];
    const told = [];
    live.addEventListener('cart', () => told.push(live.cart.state.live));
    server.autoAnswers.subscribe = snapshot({ cart: { version: 0, lines: {} } });
    live.subscribe(['cart']); // the leader has been live for long, so only the topic becomes live
    await settle();
    assert.deepEqual([live.cart.state.live, told.at(-1)], [true, true]);
    server.autoAnswers.hello = undefined; // the session ends, and cannot be renewed yet
    await server.send({ type: 'error', code: 'token_expired', message: 'expired', retry: true });
    await settle();
    assert.deepEqual([live.cart.state.live, told.at(-1)], [false, false]);
  }
});

test('a tab that is hidden for a minute lets go of its badges, and asks again when it is seen', async () => {
  const { server, clock, tabs } = await opened(2);
  tabs[0].live.subscribe(['sku:A']);
  tabs[1].live.subscribe(['sku:B', 'cart']);
  await settle();
  for (const t of tabs) await t.signal('hidden');
  await clock.advance(59_000);
  assert.deepEqual(unsubscribed(server), []);
  await clock.advance(2_000);
  await settle();
  assert.deepEqual(unsubscribed(server), ['sku:A', 'sku:B']);
  assert.equal(tabs[1].live.isLive('sku:B'), false);
  await tabs[1].signal('visible');
  await settle();
  assert.equal(tabs[1].live.isLive('sku:B'), true);
  assert.equal(tabs[0].live.isLive('sku:A'), false);
});

test('a tab that crashes is noticed by its lock, and its topics go', async () => {
  const { server, clock, tabs } = await opened(2);
  tabs[1].live.subscribe(['sku:B']);
  await settle();
  tabs[1].crash();
  await settle();
  await clock.advance(2_000);
  assert.deepEqual(unsubscribed(server), ['sku:B']);
});

test('a tab that looks asks the leader without making the others doubt', async () => {
  const { server, clock, tabs } = await opened(3);
  tabs.forEach((t) => t.live.subscribe(['sku:A']));
  await settle();
  for (const t of tabs) await t.signal('touch');
  const stale = () => tabs.flatMap((t) => t.events.filter((e) => e.type === 'live' && !e.live)).length;
  assert.equal(stale(), 0);
  await clock.advance(50_000); // in use and silent: followers ask, the leader pings
  await settle();
  assert.ok(server.sent('ping').length >= 1);
  assert.equal(stale(), 0);
});

test('back on a tab after long: the leader proves its connection before the tab is live', async () => {
  const { server, clock, tabs } = await opened(2);
  tabs[1].live.subscribe(['sku:A']);
  await settle();
  await clock.advance(20_000);
  server.autoAnswers.ping = undefined;
  const asked = server.sent('ping').length;
  await tabs[1].signal('hidden');
  await tabs[1].signal('visible');
  await settle();
  assert.equal(server.sent('ping').length, asked + 1);
  assert.equal(tabs[1].live.isLive('sku:A'), false);
  await server.send({ type: 'pong' });
  await settle();
  assert.equal(tabs[1].live.isLive('sku:A'), true);
});

test('a signal takes back what was not sent yet, also out of what it has melted into, and nothing else', async () => {
  for (const tab of [0, 1]) { // the leader, a follower
    const { server, tabs } = await opened(2);
    const { cart } = tabs[tab].live;
    const stops = Array.from({ length: 4 }, () => new AbortController());
    const click = async (i, sku, n) => {
      const done = cart.add(sku, n, { signal: stops[i].signal });
      await settle();
      return [done];
    };
    const [first] = await click(0, 'A', 1);
    const [none] = await click(1, 'B', 1); // the key of the message is this one's
    const [two] = await click(2, 'B', 2);
    const [four] = await click(3, 'B', 4);
    const never = [none, four].map((done) => assert.rejects(done, { name: 'AbortError' }));
    for (const i of [0, 1, 3]) stops[i].abort();
    await settle();
    await Promise.all(never);
    assert.equal(cart.state.lines.get('B').quantity, 2);
    await server.reply('add', { type: 'ok', from: 0, version: 1, lines: { A: { quantity: 1, version: 1 } } });
    await first;
    await settle();
    await server.reply('add', { type: 'ok', from: 1, version: 2, lines: { B: { quantity: 2, version: 2 } } });
    await two;
    assert.deepEqual(server.sent('add').map(({ sku, quantity }) => [sku, quantity]), [['A', 1], ['B', 2]]);
    await assert.rejects(cart.add('A', 1, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  }
});

test('when nothing is left of what has melted, nothing is sent', async () => {
  const { server, tabs } = await opened(1);
  const { cart } = tabs[0].live;
  const first = cart.add('A');
  const stop = new AbortController();
  const second = new AbortController();
  const both = [1, 2].map((n) => assert.rejects(cart.add('B', n, { signal: stop.signal }), { name: 'AbortError' }));
  const two = assert.rejects(cart.add('C', 2, { signal: second.signal }), { name: 'AbortError' });
  const rest = [cart.add('C', 1), cart.add('C', -1)];
  await settle();
  stop.abort();
  second.abort();
  await Promise.all([...both, two, ...rest]);
  await server.reply('add', { type: 'ok', from: 0, version: 1, lines: {} });
  await first;
  await settle();
  assert.equal(cart.state.pending, 0);
  assert.equal(server.sent('add').length, 1);
});

test('a follower takes back what the leader has not sent, and hears of refused topics', async () => {
  const { server, tabs } = await opened(2);
  const first = tabs[0].live.cart.add('A');
  await settle();
  const stop = new AbortController();
  const never = assert.rejects(tabs[1].live.cart.set({ B: 2 }, { signal: stop.signal }), { name: 'AbortError' });
  await settle();
  stop.abort();
  await settle();
  await never;
  await server.reply('add', { type: 'ok', from: 0, version: 1, lines: {} });
  await first;
  assert.equal(server.sent('set').length, 0);
  tabs[1].live.subscribe(['sku: wrong']);
  await settle();
  assert.equal(tabs[1].live.refusal('sku: wrong'), 'bad_topic');
});

test('after close, a change is refused at once, and what was on its way is uncertain', async () => {
  const { tabs } = await opened(1);
  const onItsWay = assert.rejects(tabs[0].live.cart.add('A'), { code: 'uncertain' });
  await settle();
  tabs[0].live.close();
  await onItsWay;
  await assert.rejects(tabs[0].live.cart.add('A'), { code: 'closed' });
  await tabs[0].live.cart.settled();
});

test('a browser that has locks and refuses them: the tab is on its own', async () => {
  const denied = {
    locks: { request: () => Promise.reject(new DOMException('no origin', 'SecurityError')) },
    channel: () => ({ postMessage() {}, close() {} }),
  };
  const { server, tabs } = await opened(1, { sharing: denied });
  assert.equal(tabs[0].live.live, true);
  assert.deepEqual(tabs[0].events.filter((e) => e.type === 'problem').map((e) => e.code), ['not_shared']);
  assert.equal(server.sockets.length, 1);
});

test('two tabs that cannot share never give one key to two requests', async () => {
  const browser = new Browser(new Clock());
  const { server } = browser;
  server.autoAnswers.hello = golden('hello-answer.server');
  server.autoAnswers.subscribe = snapshot({});
  const first = await browser.open({ sharing: undefined, tabs: false });
  await settle();
  await server.accept();
  await settle();
  const one = server.last;
  const clicks = [first.live.cart.add('A'), first.live.cart.add('A')];
  await settle();
  await browser.open({ sharing: undefined, tabs: false });
  await settle();
  await server.accept();
  await settle();
  clicks.push(first.live.cart.add('A'));
  await settle();
  const seen = new Map();
  for (let i = 0; i < 8; i++) {
    for (const socket of [one, server.last]) {
      for (const { action, key, quantity, id } of socket.sent.filter((m) => m.action === 'add' && !m.done)) {
        assert.equal(seen.get(key) ?? quantity, quantity, `${action} ${key}`);
        seen.set(key, quantity);
        socket.sent.find((m) => m.id === id).done = true;
        await server.send({ type: 'ok', from: 0, version: 1, lines: {}, id, key }, socket);
      }
    }
    await settle();
  }
  await Promise.all(clicks);
  assert.equal([...seen.values()].reduce((a, b) => a + b, 0), 3);
});

test('a follower that is offline is stale, whatever the leader says', async () => {
  const { server, tabs } = await opened(2);
  tabs[1].live.subscribe(['sku:A']);
  await settle();
  await tabs[1].signal('offline');
  assert.equal(tabs[1].live.isLive('sku:A'), false);
  assert.equal(server.sockets.length, 1);
});

test('the last click of a tab that is closed comes from the database, if the leader has not heard it', async () => {
  const { browser, server, clock, tabs } = await opened(2);
  const message = { action: 'add', sku: 'A', quantity: 1, key: 'tgone.1' };
  browser.kept.save({ message, at: clock.now() });
  await tabs[1].signal('freeze');
  await settle();
  assert.equal(server.sent('add').length, 0);
  await clock.advance(1_000);
  await settle();
  assert.deepEqual(server.sent('add').map((m) => m.key), ['tgone.1']);
});

test('a hidden tab does not take the lock from a leader that does not answer', async () => {
  const { server, clock, tabs } = await opened(2);
  await tabs[1].signal('hidden');
  tabs[0].frozen = true;
  await tabs[1].signal('online');
  await clock.advance(5_000);
  await settle();
  assert.equal(tabs[1].live.leads, false);
  assert.equal(server.sockets.length, 1);
});

test('a checkout is not kept: repeated later it would take an order that nobody makes', async () => {
  const { browser, tabs } = await opened(2);
  for (const t of tabs) t.live.cart.checkout({ version: 3 }).catch(() => {});
  await settle();
  assert.equal(browser.kept.changes.size, 0);
});
