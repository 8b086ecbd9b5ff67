import test from 'node:test';
import assert from 'node:assert/strict';
import { restURL } from '../src/browser.js';
import { HTTPSocket } from '../src/http-socket.js';
import { drain, Clock } from '../fake/clock.js';
import { seededRandom } from '../fake/random.js';
import { REST, tokenOf } from '../fake/rest.js';
import { fakePage } from '../fake/server.js';
import { Network, Shop } from '../fake/shop.js';
import { Browser } from '../fake/tabs.js';

/** page returns a page of a shop that has two doors, with sku:A and sku:B. */
function page(options = {}) {
  const shop = new Shop();
  const rest = new REST((message) => shop.answer(message).answer);
  const p = fakePage({ rest: undefined, fetch: rest.fetch, ...options });
  const network = new Network(p, shop, () => 0.5);
  return { ...p, shop, rest, network };
}

/** polling returns a page whose two sockets were refused, so it polls. ann is signed in, else it is a guest's. */
async function polling({ ann = false, topics = ['sku:B', 'sku:A'], seen = true, ...options } = {}) {
  const p = page(ann ? { token: () => tokenOf('ann'), ...options } : options);
  p.hub.want(topics);
  p.hub.open();
  await drain();
  await p.server.cut();
  await p.clock.advance(500);
  await p.server.cut();
  await p.clock.advance(1);
  if (seen) await p.signal('visible');
  p.events.length = 0;
  p.rest.requests.length = 0;
  return p;
}

const stocks = (rest) => rest.paths.filter((path) => path.startsWith('GET /stock'));

test('after two handshakes that failed, a page polls, and says so', async () => {
  const p = page();
  p.hub.want(['sku:B', 'sku:A']);
  p.hub.open();
  await drain();
  await p.server.cut();
  assert.deepEqual(p.rest.requests, [], 'one failure is none');
  await p.clock.advance(500);
  assert.equal(p.server.sockets.length, 2);
  await p.server.cut();
  await p.clock.advance(1);
  assert.equal(p.hub.status, 'polling');
  assert.equal(p.hub.user, 'guest:g1');
  assert.deepEqual(p.rest.requests.map(({ method, path, token, cache }) => ({ method, path, token, cache })), [
    { method: 'POST', path: '/guests', token: undefined, cache: 'no-store' },
    { method: 'GET', path: '/stock?sku=A&sku=B', token: undefined, cache: 'no-cache' },
  ], 'in an order of its own, and without a token, so that caches can answer');
  assert.equal(p.hub.get('sku:B').state, 'out');
  assert.ok(p.hub.isLive('sku:A') && p.hub.isLive('sku:B'));
});

/** Ways to lose two sockets, and whether the page polls then. */
const losses = {
  'two handshakes without an answer': [true, async (p) => {
    for (let i = 0; i < 2; i++) await p.clock.advance(8_250);
  }],
  'two sockets that are cut when they have just opened': [true, async (p) => {
    for (let i = 0; i < 2; i++) {
      await p.server.accept();
      await p.server.cut();
      await p.clock.advance(500);
    }
  }],
  'two sockets that are cut within 5 s of opening': [true, async (p) => {
    for (let i = 0; i < 2; i++) {
      await p.network.run(0);
      await p.clock.advance(4_900);
      await p.server.cut();
      await p.clock.advance(2_500);
    }
  }],
  'two sockets that are cut later': [false, async (p) => {
    for (let i = 0; i < 2; i++) {
      await p.network.run(0);
      await p.clock.advance(5_000);
      await p.server.cut();
      await p.clock.advance(2_500);
    }
  }],
  'a socket that lasts in between': [false, async (p) => {
    await p.server.cut();
    await p.clock.advance(500);
    await p.network.run(0);
    await p.clock.advance(5_000);
    await p.server.cut();
    await p.clock.advance(2_500);
    await p.server.cut();
    await p.clock.advance(1);
  }],
  'two sockets that the server ends with a bye': [false, async (p) => {
    for (let i = 0; i < 2; i++) {
      await p.network.run(0);
      await p.server.send({ type: 'bye', code: 'recycle', retry: true, after: 10 });
      await p.server.cut();
      await p.clock.advance(1_000);
    }
  }],
  'two sockets that refuse hello': [false, async (p) => {
    for (let i = 0; i < 2; i++) {
      await p.server.accept();
      await p.server.reply('hello', { type: 'error', code: 'internal', message: '', retry: true });
      await p.clock.advance(500);
    }
  }],
};

for (const [name, [polls, lose]] of Object.entries(losses)) {
  test(`${name}: ${polls ? 'the page polls' : 'the page waits for a socket'}`, async () => {
    const p = page({ token: () => tokenOf('ann') });
    p.hub.want(['sku:A']);
    p.hub.open();
    await drain();
    await lose(p);
    assert.equal(p.rest.requests.length > 0, polls);
    assert.equal(p.hub.status === 'polling', polls);
  });
}

test('a page with rest: false never polls', async () => {
  const p = page({ rest: false });
  p.hub.want(['sku:A']);
  p.hub.open();
  await drain();
  for (let i = 0; i < 5; i++) {
    await p.server.cut();
    await p.clock.advance(30_000);
  }
  assert.deepEqual(p.rest.requests, []);
  assert.deepEqual(p.events.filter((e) => e.type === 'problem').map((e) => e.code), ['unreachable']);
});

test('a REST API that says only hello does not keep the page from a socket', async () => {
  const p = page({ token: () => tokenOf('ann') });
  const { reply } = p.rest;
  p.rest.reply = async (request) => (request.path.startsWith('/stock') ? { status: 503, body: '' } : reply.call(p.rest, request));
  p.hub.want(['sku:A']);
  p.hub.open();
  await drain();
  for (let i = 0; i < 2; i++) {
    await p.server.cut();
    await p.clock.advance(500);
  }
  for (let i = 0; i < 3; i++) {
    const { length } = p.server.sockets;
    await p.clock.advance(60_000);
    assert.ok(p.server.sockets.length > length, `try ${i}`);
    await p.server.cut();
  }
  for (let s = 0; s < 60; s++) {
    await p.clock.advance(1_000);
    await p.network.run(0);
  }
  assert.equal(p.hub.status, 'live');
  const { length } = p.server.sockets;
  await p.clock.advance(60_000);
  assert.equal(p.server.sockets.length, length, 'one socket');
});

test('the page goes on with a socket that is half made when polling fails', async () => {
  const p = await polling({ ann: true });
  await p.signal('online');
  const { length } = p.server.sockets;
  await p.server.accept();
  await p.server.reply('hello', { type: 'hello', epoch: 'k1', user: 'ann', role: 'customer' });
  await drain();
  p.rest.losesAnswers = true;
  p.cart.add('X', 1);
  await p.clock.advance(10_000);
  assert.equal(p.shop.data.lines.X.quantity, 1, 'over HTTP');
  assert.equal(p.server.sockets.length, length, 'no other socket is made');
  await p.network.run(0);
  assert.equal(p.hub.status, 'live');
  assert.ok(p.hub.isLive('sku:A'));
});

test('a change that fails after the page has gone over is made once, on the socket', async () => {
  const p = await polling({ ann: true, topics: ['cart'] });
  let fail;
  p.rest.next = [new Promise((_, reject) => (fail = reject))];
  const done = p.cart.add('X', 1);
  await drain();
  await p.signal('online');
  const { length } = p.server.sockets;
  await p.network.run(0);
  assert.equal(p.hub.status, 'live');
  fail(new TypeError('Failed to fetch'));
  await p.clock.advance(1_000);
  await p.network.run(0);
  assert.equal((await done).version, 1);
  await p.clock.advance(20_000);
  assert.equal(p.server.sockets.length, length, 'no other socket is made');
});

test('a version of the API that has ended is the end', async () => {
  for (const began of [true, false]) {
    const p = began ? await polling() : page({ token: () => tokenOf('ann') });
    p.rest.reply = async () => ({ status: 410, body: { code: 'gone_version', detail: 'v1 has ended' } });
    p.hub.want(['sku:A']);
    p.hub.open();
    await drain();
    for (let s = 0; s < 30; s++) {
      await p.clock.advance(1_000);
      if (p.server.last && !p.server.last.closed) await p.server.cut();
    }
    assert.equal(p.hub.status, 'ended');
    assert.deepEqual(p.events.filter((e) => e.type === 'bye').map((e) => [e.code, e.retry]), [['gone_version', false]]);
    assert.equal(p.hub.isLive('sku:A'), false);
    p.rest.paths;
    await p.clock.advance(600_000);
    assert.deepEqual(p.rest.paths, []);
  }
});

test('what is no REST API is not polled, and sockets are tried as before', async () => {
  const p = page();
  p.rest.reply = async () => ({ status: 200, body: '<html>Sign in to the hotel</html>' });
  p.hub.want(['sku:A']);
  p.hub.open();
  await drain();
  for (let i = 0; i < 12; i++) {
    await p.server.cut();
    await p.clock.advance(30_000);
  }
  assert.notEqual(p.hub.status, 'polling');
  assert.equal(p.hub.get('sku:A'), undefined);
  assert.ok(p.server.sockets.length >= 12, `${p.server.sockets.length} sockets`);
});

test('a seen page polls every 5 s, a hidden one every 60 s, and at once when it is seen again', async () => {
  const p = await polling();
  await p.clock.advance(25_000);
  assert.equal(stocks(p.rest).length, 5);
  await p.signal('hidden');
  await p.clock.advance(5_000); // the one that was due
  p.rest.paths;
  await p.clock.advance(119_000);
  assert.equal(stocks(p.rest).length, 1);
  await p.clock.advance(1_000);
  assert.equal(stocks(p.rest).length, 1);
  await p.clock.advance(30_000);
  await p.signal('visible');
  assert.equal(stocks(p.rest).length, 1);
  await p.clock.advance(10_000);
  assert.equal(stocks(p.rest).length, 2);
});

test('a poll that changes nothing tells the page nothing', async () => {
  const p = await polling({ ann: true, topics: ['sku:A', 'cart', 'cart:bob'] });
  assert.equal(p.hub.refusal('cart:bob'), 'no_socket');
  await p.clock.advance(60_000);
  assert.deepEqual(p.events, []);
  p.shop.changeBadge('sku:A', 'low');
  await p.clock.advance(5_000);
  assert.deepEqual(p.events, [{ type: 'change', topics: ['sku:A'] }]);
});

test('a badge is live while polls are answered, and stale when two were missed', async () => {
  const p = await polling();
  await p.clock.advance(5_000);
  p.rest.blocked = true;
  await p.clock.advance(12_900);
  assert.ok(p.hub.isLive('sku:A'), 'one poll may be missed');
  await p.clock.advance(5_200);
  assert.equal(p.hub.isLive('sku:A'), false);
  assert.equal(p.hub.get('sku:A').state, 'in');
  p.rest.blocked = false;
  for (let i = 0; i < 4 && !p.hub.live; i++) {
    await p.server.cut();
    await p.clock.advance(30_000);
  }
  assert.ok(p.hub.isLive('sku:A'));
  assert.equal(p.hub.status, 'polling');
});

test('one poll that is missed is not noticed', async () => {
  const p = await polling();
  p.rest.next = [{ status: 502, body: '' }];
  await p.clock.advance(60_000);
  assert.deepEqual(p.events, []);
});

test('a server that asks for patience gets it, and then a token, so that a guest has limits of its own', async () => {
  const p = await polling();
  p.rest.next = [{ status: 429, headers: { 'Retry-After': '7' }, body: { code: 'slow_down', detail: 'later', retry: true } }];
  p.rest.paths;
  await p.clock.advance(5_000);
  assert.equal(stocks(p.rest).length, 1);
  await p.clock.advance(6_900);
  assert.deepEqual(stocks(p.rest), []);
  await p.clock.advance(200);
  assert.deepEqual(p.rest.requests.map((r) => r.token), [tokenOf('guest:g1')]);
  assert.ok(p.hub.isLive('sku:A'));
});

test('a server that asks for much patience gets it, though the page is stale meanwhile', async () => {
  const p = await polling();
  p.rest.next = [{ status: 429, headers: { 'Retry-After': '60' }, body: '' }];
  await p.clock.advance(5_000);
  p.rest.paths;
  for (let s = 0; s < 59; s++) {
    await p.clock.advance(1_000);
    if (!p.server.last.closed) await p.server.cut();
  }
  assert.deepEqual(p.rest.paths, []);
  assert.equal(p.hub.isLive('sku:A'), false);
  for (let s = 0; s < 30; s++) {
    await p.clock.advance(1_000);
    if (!p.server.last.closed) await p.server.cut();
  }
  assert.equal(p.hub.status, 'polling');
  assert.ok(p.hub.isLive('sku:A'));
});

test('a session that ends: badges go on, and the new token is used', async () => {
  let token = tokenOf('ann');
  const asked = [];
  const p = await polling({ topics: ['sku:A', 'cart'], token: (why) => (asked.push(why), token) });
  const { length } = asked;
  token = `${tokenOf('ann')}2`;
  const over = { status: 401, body: { code: 'token_expired', detail: 'over' } };
  p.rest.next = [over, over];
  await p.clock.advance(5_000);
  assert.equal(asked.length, length + 1);
  assert.equal(p.rest.requests.at(-1).token, token);
  await p.clock.advance(5_000);
  assert.ok(p.hub.isLive('sku:A') && p.hub.isLive('cart'));
  assert.deepEqual(p.events.filter((e) => e.type === 'live'), [], 'badges were live all the time');
});

test('a token that comes late signs the guest in, and badges stay live', async () => {
  let give;
  const late = new Promise((resolve) => (give = resolve));
  const p = page({ token: () => late });
  p.hub.want(['sku:A', 'cart']);
  p.hub.open();
  for (let i = 0; i < 2; i++) {
    await p.clock.advance(10_500);
    await p.server.cut();
  }
  await p.clock.advance(10_500);
  assert.deepEqual([p.hub.status, p.hub.user, p.hub.isLive('sku:A'), p.hub.isLive('cart')], ['polling', null, true, false]);
  p.events.length = 0;
  give(tokenOf('ann'));
  await p.clock.advance(1);
  assert.deepEqual([p.hub.status, p.hub.user, p.hub.isLive('sku:A'), p.hub.isLive('cart')], ['polling', 'ann', true, true]);
  assert.deepEqual(p.events.filter((e) => e.type === 'live' || e.type === 'status'), []);
});

test('the token of another person is another connection: an answer that is late shows no cart of the first', async () => {
  let who = 'ann';
  const p = await polling({ topics: ['sku:A', 'cart'], token: () => tokenOf(who) });
  who = 'bob';
  const shown = [];
  p.hub.addEventListener('cart', () => shown.push([p.hub.user, [...p.hub.cart.lines.keys()].join()]));
  let answer;
  p.rest.next = [{ status: 401, body: { code: 'token_expired', detail: 'over' } }, new Promise((resolve) => (answer = resolve))];
  await p.clock.advance(5_000);
  answer({ body: { type: 'snapshot', epoch: 'k1', topics: { cart: { version: 5, lines: { X: { quantity: 3, version: 5 } } } } } });
  for (let s = 0; s < 20; s++) {
    await p.clock.advance(1_000);
    if (!p.server.last.closed) await p.server.cut();
  }
  assert.deepEqual([p.hub.status, p.hub.user], ['polling', 'bob']);
  assert.ok(p.hub.isLive('cart'));
  assert.deepEqual(shown.filter(([user, lines]) => user === 'bob' && lines !== ''), []);
});

test('a change that is refused for its token is made with the next one', async () => {
  const p = await polling({ ann: true, topics: ['cart'] });
  p.rest.next = [{ status: 401, body: { code: 'token_bad', detail: 'unknown key' } }];
  assert.equal((await p.cart.add('X', 1)).version, 1);
});

for (const [code, token] of [['token_expired', tokenOf('ann')], ['token_bad', 'nonsense']]) test(`${code} is a notice, and the page goes on as a guest`, async () => {
  const p = page({ token: () => token });
  p.rest.next = [{ status: 401, body: { code, detail: 'refused' } }];
  p.hub.want(['sku:A']);
  p.hub.open();
  await drain();
  for (let i = 0; i < 2; i++) {
    await p.server.cut();
    await p.clock.advance(500);
  }
  assert.deepEqual(p.events.filter((e) => e.type === 'notice'), [{ type: 'notice', code, fromToken: true }]);
  assert.deepEqual([p.hub.user, p.hub.status], ['guest:g1', 'polling']);
});

test('a guest that was revoked is a new one, and one that is not stays', async () => {
  const p = await polling({ topics: ['sku:A', 'cart'] });
  await p.clock.advance(20_000);
  assert.equal(p.hub.user, 'guest:g1');
  assert.equal(p.hub.guestToken, tokenOf('guest:g1'));
  const over = { status: 401, body: { code: 'token_expired', detail: 'revoked' } };
  const { reply } = p.rest;
  p.rest.reply = async (request) => {
    if (request.path === '/guests') return { status: 201, body: { user: 'guest:g2', guestToken: tokenOf('guest:g2') } };
    return request.token === tokenOf('guest:g1') ? over : reply.call(p.rest, request);
  };
  for (let s = 0; s < 60; s++) {
    await p.clock.advance(1_000);
    if (!p.server.last.closed) await p.server.cut();
  }
  assert.deepEqual([p.hub.user, p.hub.status, p.hub.guestToken], ['guest:g2', 'polling', tokenOf('guest:g2')]);
  assert.ok(p.hub.isLive('sku:A') && p.hub.isLive('cart'));
});

test('a change whose answer was lost on the socket is made once, over HTTP, with its key', async () => {
  const p = page({ token: () => tokenOf('ann') });
  p.hub.want(['cart']);
  p.hub.open();
  await drain();
  await p.network.run(0);
  const done = p.cart.add('X', 2);
  await drain();
  const [sent] = p.server.sent('add');
  p.shop.answer(sent); // it arrives, and the answer is lost
  await p.server.cut();
  assert.equal(p.hub.cart.lines.get('X').pending, 'uncertain');
  await p.clock.advance(5_000);
  await p.server.cut();
  await p.clock.advance(500);
  assert.equal(p.hub.status, 'polling');
  assert.equal((await done).duplicate, true);
  const [again] = p.rest.requests.filter((r) => r.path === '/cart/lines');
  assert.deepEqual([again.key, again.body, again.token], [sent.key, { sku: 'X', quantity: 2 }, tokenOf('ann')]);
  assert.equal(p.shop.data.lines.X.quantity, 2);
  assert.equal(p.hub.cart.lines.get('X').quantity, 2);
  assert.equal(p.hub.cart.lines.get('X').pending, null);
});

test('a change that gets no answer over HTTP is uncertain, and is made once', async () => {
  const p = await polling({ ann: true, topics: ['cart'] });
  p.rest.losesAnswers = true;
  const done = p.cart.add('X', 1);
  await drain();
  assert.equal(p.shop.data.lines.X.quantity, 1);
  assert.equal(p.hub.cart.lines.get('X').pending, 'uncertain');
  p.rest.losesAnswers = false;
  await p.clock.advance(500);
  await p.server.cut();
  await p.clock.advance(500);
  assert.equal((await done).duplicate, true);
  assert.equal(p.shop.data.lines.X.quantity, 1);
  assert.equal(p.hub.status, 'polling');
});

test('a refused change says why', async () => {
  const p = await polling({ ann: true, topics: ['cart'] });
  const lines = { X: { quantity: 3, version: 7 } };
  p.rest.next = [
    { status: 412, body: { code: 'conflict', detail: 'changed elsewhere', version: 7, lines, retry: true } },
    { body: { type: 'snapshot', epoch: 'k1', topics: { cart: { version: 7, lines } } } },
  ];
  await assert.rejects(p.cart.set({ X: 1 }, { version: 0 }), { code: 'conflict', version: 7 });
  await drain();
  assert.deepEqual(p.hub.cart.lines.get('X').error, { code: 'conflict', wanted: 1, got: 3 });
});

test('the page tries a socket after half a minute and then every five, and goes over without a flicker', async () => {
  const p = await polling({ ann: true, topics: ['sku:A', 'cart'] });
  const tries = [];
  let { length } = p.server.sockets;
  for (let s = 0; s < 700; s++) {
    await p.clock.advance(1_000);
    if (p.server.sockets.length === length) continue;
    length = p.server.sockets.length;
    tries.push(s);
    await p.server.cut();
  }
  assert.equal(tries.length, 3);
  assert.ok(tries[0] >= 26 && tries[0] <= 30, `${tries}`);
  for (const i of [1, 2]) assert.ok(tries[i] - tries[i - 1] >= 265 && tries[i] - tries[i - 1] <= 301, `${tries}`);
  assert.deepEqual(p.events, [], 'a socket that fails is no news');
  const looks = [];
  p.hub.addEventListener('change', () => looks.push(p.hub.isLive('sku:A')));
  await p.signal('online');
  await p.network.run(0);
  assert.equal(p.hub.status, 'live');
  assert.deepEqual(p.events.filter((e) => e.type === 'live'), []);
  assert.ok(looks.every(Boolean) && p.hub.isLive('cart'));
  p.rest.paths;
  await p.network.push(p.shop.changeBadge('sku:A', 'low'));
  await p.network.run(0);
  assert.equal(p.hub.get('sku:A').state, 'low');
  await p.clock.advance(60_000);
  assert.deepEqual(p.rest.paths, [], 'who has a socket does not poll');
});

test('an answer from a cache puts nothing back: what is older is asked for again, past all caches', async () => {
  const p = await polling();
  const old = p.shop.answer({ action: 'get', topics: ['sku:A', 'sku:B'] }).answer;
  p.shop.changeBadge('sku:A', 'low');
  await p.clock.advance(5_000);
  assert.equal(p.hub.get('sku:A').version, 2);
  p.rest.paths;
  p.rest.next = [{ body: old }];
  await p.clock.advance(5_000);
  const [first, second] = p.rest.requests;
  assert.equal(first.path, '/stock?sku=A&sku=B');
  assert.notEqual(second.path, first.path);
  const named = new URL(second.path, 'http://hub').searchParams.getAll('sku');
  assert.deepEqual([...new Set(named)].sort(), ['A', 'B'], 'the same question in a URL that no cache knows');
  assert.ok(named.length <= 100);
  assert.equal(p.hub.get('sku:A').version, 2);
  assert.ok(p.hub.isLive('sku:A'));
});

test('URLs that no cache knows differ from each other, and servers take them', async () => {
  for (const skus of [['A'], Array.from({ length: 20 }, (_, i) => 'Ä'.repeat(60) + i), Array.from({ length: 100 }, (_, i) => `S${i}`)]) {
    const asked = [];
    const topics = Object.fromEntries(skus.map((sku) => [`sku:${sku}`, { version: 2, state: 'in' }]));
    const answer = { type: 'snapshot', epoch: 'k1', topics: Object.fromEntries(skus.map((sku) => [`sku:${sku}`, { version: 1, state: 'in' }])) };
    const socket = new HTTPSocket({
      url: 'https://hub.example/v1', token: null, epoch: 'k1', who: {}, random: seededRandom(1),
      fetch: async (url) => (asked.push(url), { ok: true, status: 200, headers: { get: () => null }, json: async () => structuredClone(answer) }),
    });
    for (let i = 0; i < 4; i++) {
      const answered = new Promise((resolve) => (socket.onmessage = resolve));
      socket.send(JSON.stringify({ id: i, action: 'subscribe', epoch: 'k1', topics }));
      await answered;
    }
    const cached = new Set(asked.filter((url) => asked.indexOf(url) !== asked.lastIndexOf(url)));
    const others = asked.filter((url) => !cached.has(url));
    assert.equal(others.length, asked.length / 2, `${skus.length} SKUs: each time another one`);
    for (const url of others) {
      const named = new URL(url).searchParams.getAll('sku');
      assert.ok(named.length <= 100 && url.length < 8_000, `${named.length} SKUs, ${url.length} bytes`);
    }
    const named = (urls) => [...new Set(urls.flatMap((url) => new URL(url).searchParams.getAll('sku')))].sort();
    assert.deepEqual(named(others), [...skus].sort());
  }
});

test('an answer of an epoch that has ended is asked for again, too', async () => {
  const p = await polling();
  const old = p.shop.answer({ action: 'get', topics: ['sku:A', 'sku:B'] }).answer;
  p.shop.restore();
  await p.clock.advance(5_000);
  assert.equal(p.hub.epoch, 'k2');
  p.rest.next = [{ body: old }];
  await p.clock.advance(5_000);
  assert.equal(p.hub.epoch, 'k2');
  assert.equal(p.events.filter((e) => e.type === 'epoch').length, 1);
});

test('a row that its shop does not count ends right, also if its version falls or it is deleted', async () => {
  const p = await polling();
  p.shop.data.badges['sku:A'] = { version: 9, state: 'in' };
  await p.clock.advance(5_000);
  p.shop.data.badges['sku:A'] = { version: 3, state: 'out' };
  await p.clock.advance(5_000);
  assert.equal(p.hub.get('sku:A').state, 'out');
  p.shop.data.badges['sku:A'] = { version: 3, state: 'low', quantity: 4 };
  await p.clock.advance(5_000);
  assert.equal(p.hub.get('sku:A').quantity, 4);
  const gone = { body: { type: 'snapshot', epoch: 'k1', topics: { 'sku:B': p.shop.data.badges['sku:B'] }, refused: { 'sku:A': 'denied' } } };
  p.rest.next = [gone, gone];
  await p.clock.advance(5_000);
  assert.deepEqual({ ...p.hub.get('sku:A') }, { version: 0, state: 'out', quantity: undefined });
});

test('many SKUs are several requests, each with a URL that servers take', async () => {
  const asked = [];
  const socket = new HTTPSocket({
    url: 'https://hub.example/v1', token: null, epoch: null, who: {},
    fetch: async (url) => (asked.push(url), { ok: true, status: 200, headers: { get: () => null }, json: async () => ({ type: 'snapshot', epoch: 'k1', topics: {} }) }),
  });
  const skus = Array.from({ length: 100 }, (_, i) => `sku:${'Ä'.repeat(60)}${i}`);
  const answer = new Promise((resolve) => (socket.onmessage = ({ data }) => resolve(JSON.parse(data))));
  socket.send(JSON.stringify({ id: 1, action: 'subscribe', topics: skus }));
  assert.deepEqual(await answer, { type: 'snapshot', epoch: 'k1', topics: {}, refused: {}, id: 1 });
  assert.ok(asked.length > 1 && asked.every((url) => url.length < 8_000));
  const all = asked.flatMap((url) => new URL(url).searchParams.getAll('sku'));
  assert.deepEqual(all, skus.map((topic) => topic.slice(4)).sort());
});

test('the REST API is at the root of the socket\'s host, or where the page says', () => {
  for (const [url, rest, want] of [
    ['wss://ws.example.com/v1', undefined, 'https://ws.example.com/v1'],
    ['ws://127.0.0.1:8787/prod', undefined, 'http://127.0.0.1:8787/v1'],
    ['https://ws.example.com/v1?own', undefined, 'https://ws.example.com/v1'],
    ['wss://ws.example.com/v1', 'https://a.execute-api.eu-west-1.amazonaws.com/api', 'https://a.execute-api.eu-west-1.amazonaws.com/api/v1'],
    ['wss://ws.example.com/v1', 'https://api.example.com/', 'https://api.example.com/v1'],
  ]) assert.equal(restURL(rest, url), want);
});

test('a tab that leads and is hidden polls as often as one that is seen asks it to', async () => {
  const clock = new Clock();
  const browser = new Browser(clock);
  const shop = new Shop();
  const rest = new REST((message) => shop.answer(message).answer);
  const options = { rest: undefined, fetch: rest.fetch, token: () => tokenOf('ann') };
  const tabs = [await browser.open(options), await browser.open(options)];
  tabs.forEach((t) => t.live.subscribe(['sku:A']));
  for (let i = 0; i < 2; i++) {
    await browser.server.cut();
    await clock.advance(500);
  }
  assert.deepEqual(tabs.map((t) => [t.live.leads, t.live.status]), [[true, 'polling'], [false, 'polling']]);
  await tabs[0].signal('hidden');
  await clock.advance(10_000);
  rest.paths;
  await clock.advance(30_000);
  const { length } = stocks(rest);
  assert.ok(length >= 5 && length <= 7, `${length} polls in 30 s`);
  shop.changeBadge('sku:A', 'low');
  await clock.advance(7_000);
  assert.deepEqual(tabs.map((t) => [t.live.get('sku:A').state, t.live.isLive('sku:A')]), [['low', true], ['low', true]]);
});
