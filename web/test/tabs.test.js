import test from 'node:test';
import assert from 'node:assert/strict';
import { Clock, drain } from '../fake/clock.js';
import { golden } from '../fake/server.js';
import { Browser } from '../fake/tabs.js';

const snapshot = (topics, fields) => ({ type: 'snapshot', epoch: 'k3', topics, ...fields });
const inStock = (version) => ({ version, state: 'in' });
const delta = (topics) => ({ type: 'delta', epoch: 'k3', topics });
const hello = golden('hello-answer.server');

/** settle runs what several tabs say to each other. */
async function settle() {
  for (let i = 0; i < 5; i++) await drain();
}

/** opened returns a browser with some tabs, of which the first leads and is connected. */
async function opened(n, options = {}) {
  const browser = new Browser(new Clock());
  const { server } = browser;
  const tabs = [];
  for (let i = 0; i < n; i++) tabs.push(await browser.open(options));
  await settle();
  server.autoAnswers.hello = hello;
  server.autoAnswers.ping = { type: 'pong' };
  await server.accept();
  await settle();
  return { browser, server, clock: browser.clock, tabs };
}

test('five tabs are one socket and one guest', async () => {
  const { server, tabs } = await opened(5);
  assert.equal(server.sockets.length, 1);
  assert.deepEqual(tabs.map((t) => t.live.leads), [true, false, false, false, false]);
  assert.deepEqual(tabs.map((t) => t.live.user), Array(5).fill(hello.user));
  assert.deepEqual(tabs.map((t) => t.live.status), Array(5).fill('live'));
});

test('tabs share subscriptions, and each hears what it wants', async () => {
  const { server, tabs } = await opened(3);
  server.autoAnswers.subscribe = snapshot({ 'sku:MUG': inStock(3) });
  const heard = tabs.map(() => []);
  tabs.forEach((t, i) => t.live.subscribe(['sku:MUG'], (news) => heard[i].push([news.value?.version, news.live])));
  await settle();
  assert.equal(server.sent('subscribe').length, 1);
  assert.deepEqual(heard.map((h) => h.at(-1)), Array(3).fill([3, true]));
  await server.send(delta({ 'sku:MUG': inStock(4) }));
  await settle();
  assert.deepEqual(heard.map((h) => h.at(-1)), Array(3).fill([4, true]));
  tabs[1].live.subscribe(['sku:CAP']);
  await settle();
  assert.equal(server.sent('subscribe').length, 2);
});

test('the leader unsubscribes what no tab wants any more', async () => {
  const { server, tabs } = await opened(2);
  server.autoAnswers.subscribe = snapshot({ 'sku:MUG': inStock(3) });
  server.autoAnswers.unsubscribe = snapshot({});
  const letGo = tabs.map((t) => t.live.subscribe(['sku:MUG']));
  await settle();
  letGo[0]();
  await settle();
  assert.equal(server.sent('unsubscribe').length, 0);
  letGo[1]();
  await settle();
  assert.equal(server.sent('unsubscribe').length, 1);
});

test('a change in one tab is seen in all, at once and when it is answered', async () => {
  const { server, tabs } = await opened(2);
  server.autoAnswers.subscribe = snapshot({ cart: { version: 17, lines: {} } });
  tabs.forEach((t) => t.live.subscribe(['cart']));
  await settle();
  const done = tabs[1].live.cart.add('MUG', 2);
  await settle();
  assert.deepEqual(tabs.map((t) => t.live.cart.state.lines.get('MUG')?.quantity), [2, 2]);
  assert.deepEqual(tabs.map((t) => t.live.cart.state.pending), [1, 1]);
  await server.reply('add', { type: 'ok', from: 17, version: 18, lines: { MUG: { quantity: 2, version: 18 } } });
  await settle();
  assert.equal((await done).version, 18);
  assert.deepEqual(tabs.map((t) => t.live.cart.state.lines.get('MUG').confirmed), [2, 2]);
});

test('an error of a change comes to the tab that made it', async () => {
  const { server, tabs } = await opened(2);
  const refused = assert.rejects(tabs[1].live.cart.add('MUG'), { name: 'WriteError', code: 'no_stock' });
  await settle();
  await server.reply('add', { type: 'error', code: 'no_stock', message: 'sold out' });
  await settle();
  await refused;
});

test('when the leader closes, the next one takes over, and no tab shows an older value', async () => {
  const { server, tabs } = await opened(3);
  server.autoAnswers.subscribe = snapshot({ 'sku:MUG': inStock(3) });
  tabs.forEach((t) => t.live.subscribe(['sku:MUG']));
  await settle();
  await server.send(delta({ 'sku:MUG': inStock(4) }));
  await settle();
  tabs[0].live.close();
  await settle();
  assert.equal(server.sockets.length, 2);
  assert.deepEqual(tabs.map((t) => t.live.leads), [false, true, false]);
  assert.equal(tabs[2].live.isLive('sku:MUG'), false, 'not proved by the next one yet');
  assert.equal(tabs[2].live.get('sku:MUG').version, 4);
  server.autoAnswers.subscribe = undefined;
  await server.accept();
  await settle();
  assert.deepEqual(server.sent('subscribe')[0].topics, { 'sku:MUG': inStock(4) }, 'it asks with what it knew');
  await server.reply('subscribe', snapshot({}, { unchanged: 1 }));
  await settle();
  for (const t of tabs.slice(1)) {
    assert.equal(t.live.get('sku:MUG').version, 4);
    assert.equal(t.live.isLive('sku:MUG'), true);
  }
});

test('a change that the leader took with it is sent by the next one, with the same key', async () => {
  const { server, tabs } = await opened(2);
  const done = tabs[1].live.cart.add('MUG');
  await settle();
  const [{ key }] = server.sent('add');
  tabs[0].live.close();
  await settle();
  await server.accept();
  await settle();
  assert.deepEqual(server.sent('add').map((m) => m.key), [key]);
  await server.reply('add', { type: 'ok', from: 17, version: 18, lines: {}, duplicate: true });
  await done;
});

test('a change that nobody has answered goes to the next leader, whichever tab that is', async () => {
  const { server, tabs } = await opened(3);
  const done = tabs[2].live.cart.add('MUG');
  await settle();
  const [{ key }] = server.sent('add');
  tabs[0].live.close();
  await settle();
  assert.equal(tabs[1].live.leads, true);
  await server.accept();
  await settle();
  assert.deepEqual(server.sent('add').map((m) => m.key), [key]);
  await server.reply('add', { type: 'ok', from: 17, version: 18, lines: {}, duplicate: true });
  await settle();
  assert.equal((await done).version, 18);
});

test('a frozen leader is replaced within a second, when somebody looks at another tab', async () => {
  const { server, tabs, clock } = await opened(2);
  tabs[0].frozen = true;
  await tabs[1].signal('hidden');
  await tabs[1].signal('visible');
  assert.equal(tabs[1].live.live, false, 'nobody has answered');
  await clock.advance(1_000);
  await settle();
  assert.equal(tabs[1].live.leads, true);
  assert.equal(server.sockets.length, 2);
  await server.accept();
  await settle();
  assert.equal(tabs[1].live.live, true);
  await tabs[0].thaw();
  await settle();
  assert.deepEqual(tabs.map((t) => t.live.leads), [false, true], 'the robbed one follows');
  assert.equal(server.sockets[0].closed, true);
  assert.equal(tabs[0].live.live, true);
});

test('a leader that answers is not robbed, however often somebody asks', async () => {
  const { server, tabs, clock } = await opened(3);
  for (let i = 0; i < 20; i++) {
    for (const t of tabs.slice(1)) {
      await t.signal('hidden');
      await t.signal('visible');
    }
    await clock.advance(5_000);
    await settle();
  }
  assert.equal(server.sockets.length, 1);
  assert.deepEqual(tabs.map((t) => t.live.leads), [true, false, false]);
});

test('tabs do not rob each other in turn', async () => {
  const { server, tabs, clock } = await opened(3);
  for (const t of tabs) t.frozen = true;
  for (let i = 0; i < 4; i++) {
    const t = tabs[1 + (i % 2)];
    await t.thaw();
    await t.signal('visible');
    await clock.advance(2_000);
    t.frozen = true;
  }
  assert.ok(server.sockets.length <= 3, `${server.sockets.length} sockets`);
});

test('a message of a leader that was replaced changes nothing', async () => {
  const { server, tabs, clock } = await opened(2);
  server.autoAnswers.subscribe = snapshot({ 'sku:MUG': inStock(3) });
  tabs.forEach((t) => t.live.subscribe(['sku:MUG']));
  await settle();
  tabs[0].frozen = true;
  await tabs[1].signal('visible');
  await clock.advance(1_000);
  await settle();
  server.autoAnswers.subscribe = snapshot({ 'sku:MUG': inStock(9) });
  await server.accept();
  await settle();
  assert.equal(tabs[1].live.get('sku:MUG').version, 9);
  // The old leader's socket says something before it hears that it was robbed.
  tabs[0].frozen = false;
  await server.send(delta({ 'sku:MUG': inStock(4) }), server.sockets[0]);
  await settle();
  assert.equal(tabs[1].live.get('sku:MUG').version, 9);
});

test('when the network goes, every tab is stale at once', async () => {
  const { tabs } = await opened(3);
  for (const t of tabs) await t.signal('offline');
  assert.deepEqual(tabs.map((t) => t.live.live), [false, false, false]);
  for (const t of tabs) await t.signal('online');
  await settle();
  assert.deepEqual(tabs.map((t) => t.live.live), [true, true, true]);
});

test('people do not share: who signs in leaves the others\' socket, and takes nothing along', async () => {
  const browser = new Browser(new Clock());
  const { server } = browser;
  let token = null;
  const [guest, other] = [await browser.open(), await browser.open({ token: () => token })];
  server.autoAnswers.hello = hello;
  server.autoAnswers.subscribe = snapshot({ cart: { version: 17, lines: { MUG: { quantity: 1, version: 17 } } } });
  await server.accept();
  for (const t of [guest, other]) t.live.subscribe(['cart']);
  await settle();
  assert.equal(other.live.cart.state.lines.size, 1);
  token = `x.${btoa('{"sub":"alice"}')}.y`;
  other.live.reconnect();
  await settle();
  assert.equal(other.live.cart.state.lines.size, 0, 'the guest\'s cart');
  assert.equal(server.sockets.length, 2);
  assert.deepEqual(server.last.protocols, ['securecart.v1', `bearer.${token}`]);
  assert.equal(guest.live.leads && other.live.leads, true);
});

test('a page whose token is late shares with nobody, and badges are live meanwhile', async () => {
  const browser = new Browser(new Clock());
  const { server, clock } = browser;
  let arrive;
  const slow = new Promise((resolve) => (arrive = resolve));
  const tab = await browser.open({ token: () => slow });
  tab.live.subscribe(['sku:MUG', 'cart']);
  server.autoAnswers.hello = hello;
  server.autoAnswers.subscribe = snapshot({ 'sku:MUG': inStock(3) });
  await clock.advance(11_000);
  await settle();
  await server.accept();
  await settle();
  assert.deepEqual(tab.events.filter((e) => e.type === 'problem').map((e) => e.code), ['token_slow']);
  assert.equal(tab.live.isLive('sku:MUG'), true);
  assert.deepEqual(server.sent('subscribe').map((m) => m.topics), [['sku:MUG']], 'nobody knows whose cart');
  assert.equal(tab.live.user, null);
  server.autoAnswers.hello = { ...golden('hello-token-answer.server'), epoch: 'k3' };
  arrive('alice.token.x');
  await clock.advance(15_000);
  await settle();
  assert.equal(tab.live.user, 'alice');
  assert.ok(server.sent('subscribe').at(-1).topics.includes('cart'));
});

test('a page that is left lets go of lock, channel and socket, and comes back', async () => {
  const { server, tabs } = await opened(2);
  await tabs[0].signal('freeze');
  await settle();
  assert.deepEqual(tabs.map((t) => t.live.leads), [false, true]);
  assert.equal(tabs[0].live.live, false);
  await server.accept();
  await settle();
  await tabs[0].signal('thaw');
  await settle();
  assert.equal(server.sockets.length, 2);
  assert.equal(tabs[0].live.live, true);
});

test('without locks or channels, or with tabs: false, each tab is on its own and still one guest', async () => {
  const browser = new Browser(new Clock());
  const { server } = browser;
  const tabs = [];
  for (let i = 0; i < 2; i++) tabs.push(await browser.open({ sharing: undefined, tabs: false }));
  await settle();
  assert.equal(server.sockets.length, 2);
  for (const [i, socket] of server.sockets.entries()) {
    socket.onopen();
    await drain();
    await server.send({ ...hello, user: `guest:${i}`, guestToken: `guest.${i}`, id: socket.sent[0].id }, socket);
  }
  await settle();
  assert.equal(server.sockets.length, 3, 'the second one comes again as the first guest');
  assert.deepEqual(server.last.protocols, ['securecart.v1', 'bearer.guest.0']);
});
