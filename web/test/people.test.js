import test from 'node:test';
import assert from 'node:assert/strict';
import { Clock, drain } from '../fake/clock.js';
import { golden } from '../fake/server.js';
import { Browser } from '../fake/tabs.js';

// Several people on one browser, and tokens that are late, fail or change.

const snapshot = (topics, fields) => ({ type: 'snapshot', epoch: 'k3', topics, ...fields });
const tokenOf = (user, n = 0) => `x.${btoa(JSON.stringify({ sub: user, n })).replaceAll('=', '')}.y`;
const helloOf = (user) => ({ ...golden('hello-token-answer.server'), user, epoch: 'k3' });
const cartOf = (sku) => snapshot({ cart: { version: 17, lines: { [sku]: { quantity: 1, version: 17 } } } });

async function settle() {
  for (let i = 0; i < 6; i++) await drain();
}

/** serve answers each socket as the user whose token it offers. */
function serve(server) {
  server.autoAnswers.ping = { type: 'pong' };
  server.autoAnswers.unsubscribe = snapshot({});
  return async () => {
    for (let i = 0; i < 4; i++) {
      await settle();
      for (const socket of server.sockets) {
        if (socket.closed || socket.greeted) continue;
        socket.greeted = true;
        const offered = socket.protocols[1]?.slice('bearer.'.length);
        const user = offered?.startsWith('x.') ? JSON.parse(atob(offered.split('.')[1])).sub : null;
        server.autoAnswers.hello = user ? helloOf(user) : golden('hello-answer.server');
        server.autoAnswers.subscribe = cartOf(user ? `OF-${user}` : 'OF-GUEST');
        socket.onopen();
        await settle();
      }
    }
  };
}

test('a tab that takes over later offers a new token, not the one from when it was opened', async () => {
  const browser = new Browser(new Clock());
  const { server, clock } = browser;
  const run = serve(server);
  let n = 0;
  const token = () => tokenOf('alice', n++);
  const [first, second] = [await browser.open({ token }), await browser.open({ token })];
  for (const t of [first, second]) t.live.subscribe(['cart']);
  await run();
  assert.equal(second.live.user, 'alice');
  await clock.advance(60 * 60_000);
  const before = n;
  first.live.close();
  await run();
  assert.equal(second.live.leads, true);
  assert.deepEqual(server.last.protocols[1], `bearer.${tokenOf('alice', before)}`);
  assert.equal(second.live.cart.state.lines.has('OF-alice'), true);
});

test('when the token of the leader names somebody else, no tab of the first person shows the second one\'s cart', async () => {
  const browser = new Browser(new Clock());
  const { server, clock } = browser;
  const run = serve(server);
  let user = 'alice';
  const leader = await browser.open({ token: () => tokenOf(user) });
  const other = await browser.open({ token: () => tokenOf('alice') });
  for (const t of [leader, other]) t.live.subscribe(['cart']);
  await run();
  user = 'bob'; // a sign-in in another window
  await server.cut();
  await clock.advance(5_000);
  await run();
  assert.deepEqual([leader.live.user, other.live.user], ['bob', 'alice']);
  assert.deepEqual([...leader.live.cart.state.lines.keys()], ['OF-bob']);
  assert.deepEqual([...other.live.cart.state.lines.keys()], ['OF-alice']);
});

test('a person whose token is late sees nothing of the person before', async () => {
  const browser = new Browser(new Clock());
  const { server, clock } = browser;
  const run = serve(server);
  let token = tokenOf('alice');
  const late = (value) => new Promise((resolve) => clock.setTimeout(() => resolve(value), 12_000));
  const tab = await browser.open({ token: () => token });
  tab.live.subscribe(['cart']);
  await run();
  const kept = assert.rejects(tab.live.cart.add('MUG'), { code: 'uncertain' });
  token = late(tokenOf('bob'));
  tab.live.reconnect();
  await clock.advance(1_500);
  await run();
  await kept;
  assert.deepEqual([...tab.live.cart.state.lines.keys()], [], 'nobody knows who this is');
  assert.equal(tab.live.user, null);
  await clock.advance(12_000);
  await run();
  assert.equal(tab.live.user, 'bob');
  assert.deepEqual([...tab.live.cart.state.lines.keys()], ['OF-bob']);
});

test('a token that always takes long arrives all the same, and is asked for once', async () => {
  const browser = new Browser(new Clock());
  const { server, clock } = browser;
  const run = serve(server);
  let calls = 0;
  const token = () => {
    calls++;
    return new Promise((resolve) => clock.setTimeout(() => resolve(tokenOf('alice')), 15_000));
  };
  const tab = await browser.open({ token });
  tab.live.subscribe(['cart']);
  for (let i = 0; i < 40; i++) {
    await clock.advance(1_000);
    await run();
  }
  assert.equal(tab.live.user, 'alice');
  assert.ok(calls <= 2, `${calls} calls`);
});

test('offline and loaded again, the last person\'s changes are seen, though the token option fails', async (t) => {
  const browser = new Browser(new Clock());
  const { server, clock } = browser;
  const run = serve(server);
  const first = await browser.open({ token: () => tokenOf('alice') });
  first.live.subscribe(['cart']);
  await run();
  await server.cut();
  first.live.cart.add('MUG', 2).catch(() => {});
  await settle();
  await first.signal('freeze');
  Object.defineProperty(globalThis, 'navigator', { value: { onLine: false }, configurable: true });
  t.after(() => Object.defineProperty(globalThis, 'navigator', { value: undefined, configurable: true }));
  let online = false;
  const second = await browser.open({
    token: async () => {
      if (!online) throw new Error('no network');
      return tokenOf('alice');
    },
  });
  await clock.advance(1);
  await settle();
  assert.equal(second.live.cart.state.lines.get('MUG')?.quantity, 2);
  online = true;
  Object.defineProperty(globalThis, 'navigator', { value: { onLine: true }, configurable: true });
  second.live.subscribe(['cart']);
  for (let i = 0; i < 60 && server.sent('add').length === 0; i++) {
    await clock.advance(1_000);
    await run();
  }
  assert.deepEqual(server.sent('add').map((m) => [m.sku, m.quantity]), [['MUG', 2]]);
});

test('a follower hears who it is, once', async () => {
  const browser = new Browser(new Clock());
  const run = serve(browser.server);
  const tabs = [await browser.open(), await browser.open()];
  await run();
  for (const t of tabs) {
    assert.deepEqual(t.events.filter((e) => e.type === 'identity').map((e) => [e.user, e.was]), [[golden('hello-answer.server').user, null]]);
  }
});
