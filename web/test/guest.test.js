import test from 'node:test';
import assert from 'node:assert/strict';
import { drain } from '../fake/clock.js';
import { MemoryStorage, fakePage, golden } from '../fake/server.js';

const minute = 60_000;

/** hello is the answer to a guest of that name. */
const hello = (name, notice) => {
  const { limits, reconnectAfter, epoch } = golden('hello-answer.server');
  return { type: 'hello', epoch, limits, reconnectAfter, user: `guest:${name}`, role: 'guest', guestToken: `guest.${name}`, notice };
};

/** offered is the token of the newest handshake. */
const offered = ({ server }) => server.last.protocols[1]?.slice('bearer.'.length);

/** greet answers the handshake and hello. */
async function greet(p, name, notice) {
  await drain();
  await p.server.accept();
  await p.server.reply('hello', hello(name, notice));
}

/** refusedPage returns a page whose guest "first" was refused a moment ago; "second" stands in. */
async function refusedPage(options = {}) {
  const storage = options.storage ?? new MemoryStorage();
  storage.setItem('securecart.guest', 'guest.first');
  const p = fakePage({ ...options, storage });
  p.hub.open();
  await drain();
  assert.equal(offered(p), 'guest.first');
  await greet(p, 'second', 'token_bad');
  return { ...p, storage };
}

/** reload returns the page after a reload, some time later. */
async function reload(p, ms = 0) {
  p.hub.close();
  const now = p.clock.now() + ms;
  const next = fakePage({ storage: p.storage });
  await next.clock.advance(now - next.clock.now());
  next.hub.open();
  await drain();
  return { ...next, storage: p.storage };
}

test('a guest that is refused once is back at a later handshake, with what it had meanwhile', async () => {
  let p = await refusedPage();
  assert.equal(p.hub.user, 'guest:second');
  assert.deepEqual(p.events.filter((e) => e.type === 'notice'), [{ type: 'notice', code: 'token_bad', fromToken: false }]);
  p = await reload(p, minute);
  assert.equal(offered(p), 'guest.first');
  await greet(p, 'first');
  assert.equal(p.hub.user, 'guest:first');
  const [merge] = p.server.sent('merge');
  assert.deepEqual([merge.from, merge.policy], ['guest.second', 'sum']);
  await p.server.reply('merge', { type: 'ok', from: 3, version: 4, lines: {} });
  assert.equal(p.hub.guestToken, 'guest.first');
  p = await reload(p);
  assert.equal(offered(p), 'guest.first');
  await greet(p, 'first');
  assert.equal(p.server.sent('merge').length, 0, 'once');
  assert.deepEqual(p.events.filter((e) => e.type === 'notice' || e.type === 'problem'), []);
});

test('a guest that is refused again costs a handshake, and the other one stays', async () => {
  const p = await refusedPage();
  await p.clock.advance(minute);
  p.hub.reconnect();
  await drain();
  assert.equal(offered(p), 'guest.first');
  await greet(p, 'third', 'token_bad');
  assert.equal(p.server.sockets.length, 3);
  assert.equal(offered(p), 'guest.second');
  await greet(p, 'second');
  assert.equal(p.hub.user, 'guest:second');
  assert.equal(p.events.filter((e) => e.type === 'identity').length, 1);
  assert.equal(p.events.filter((e) => e.type === 'notice').length, 1);
});

test('a refused guest is offered five times, each time after twice as long', async () => {
  const p = await refusedPage();
  const waits = [];
  for (let passed = 0, i = 0; i < 240; i++) {
    await p.clock.advance(minute);
    passed++;
    p.hub.reconnect();
    await drain();
    if (offered(p) === 'guest.first') {
      waits.push(passed);
      passed = 0;
      await greet(p, `third-${i}`, 'token_bad');
    }
    assert.equal(offered(p), 'guest.second');
    await greet(p, 'second');
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16]);
  assert.equal(p.storage.getItem('securecart.guest.refused'), null);
});

test('a refused guest is not offered within a minute, or while changes are unanswered', async () => {
  const p = await refusedPage();
  p.hub.reconnect();
  await drain();
  assert.equal(offered(p), 'guest.second');
  await greet(p, 'second');
  const add = p.cart.add('MUG');
  await p.clock.advance(2 * minute); // the answer is lost
  assert.ok(p.server.sockets.length > 2);
  assert.equal(offered(p), 'guest.second');
  await greet(p, 'second');
  await p.server.reply('add', { type: 'ok', from: 0, version: 1, lines: {} });
  await add;
  p.hub.reconnect();
  await drain();
  assert.equal(offered(p), 'guest.first');
});

test('a refused guest whose token expires is forgotten', async () => {
  for (const answer of [hello('third', 'token_expired'), { ...hello('first', 'token_expired'), guestToken: undefined }]) {
    const p = await refusedPage();
    await p.clock.advance(minute);
    p.hub.reconnect();
    await drain();
    await p.server.accept();
    await p.server.reply('hello', answer);
    assert.equal(offered(p), 'guest.second');
    assert.equal(p.storage.getItem('securecart.guest.refused'), null);
  }
});

test('a page that ends before the carts are one is continued by the next page', async () => {
  let p = await refusedPage();
  p = await reload(p, minute);
  await greet(p, 'first');
  assert.equal(p.server.sent('merge').length, 1);
  p = await reload(p);
  assert.equal(offered(p), 'guest.first', 'not the one that stood in');
  await greet(p, 'first');
  assert.equal(p.server.sent('merge')[0].from, 'guest.second');
  await p.server.cut();
  await p.clock.advance(500);
  assert.equal(offered(p), 'guest.first', 'although the merge is unanswered');
});

test('carts that cannot become one are a problem, once', async () => {
  let p = await reload(await refusedPage(), minute);
  await greet(p, 'first');
  await p.server.reply('merge', { type: 'error', code: 'token_bad', message: 'the token was refused' });
  assert.deepEqual(p.events.filter((e) => e.type === 'problem').map((e) => e.code), ['token_bad']);
  p = await reload(p);
  assert.equal(offered(p), 'guest.first');
  await greet(p, 'first');
  assert.equal(p.server.sent('merge').length, 0);
});

test('a stand-in that is refused too is replaced, and the first guest is kept', async () => {
  let p = await refusedPage();
  p = await reload(p);
  assert.equal(offered(p), 'guest.second');
  await greet(p, 'third', 'token_bad');
  assert.equal(p.hub.guestToken, 'guest.third');
  p = await reload(p, minute);
  assert.equal(offered(p), 'guest.first');
});

test('without a storage, a refused guest is kept until the page ends', async () => {
  const deny = () => {
    throw new Error('SecurityError');
  };
  const { hub, server, clock } = fakePage({ storage: { getItem: deny, setItem: deny, removeItem: deny } });
  const p = { server };
  hub.open();
  await greet(p, 'first');
  hub.reconnect();
  await greet(p, 'second', 'token_bad');
  await clock.advance(minute);
  hub.reconnect();
  await drain();
  assert.equal(offered(p), 'guest.first');
});

test('what somebody else wrote into the storage is no refused guest', async () => {
  for (const text of ['', 'guest.first', '7', 'null', '[]', '{"token":7}', '{"token":"x","offers":"many","at":0}']) {
    const storage = new MemoryStorage();
    storage.setItem('securecart.guest', 'guest.first');
    storage.setItem('securecart.guest.refused', text);
    const p = fakePage({ storage });
    p.hub.open();
    await drain();
    assert.equal(offered(p), 'guest.first', text);
  }
});

test('a token with the scheme of a header is the user, and what is no token is a problem', async () => {
  for (const scheme of ['Bearer ', 'bearer ', 'BEARER  ']) {
    const p = fakePage({ token: () => `${scheme}alice.token` });
    p.hub.open();
    await drain();
    assert.equal(offered(p), 'alice.token');
  }
  for (const value of ['alice token', 'Basic YW5uOmFubg==', 'tokön', {}]) {
    const p = fakePage({ token: () => value });
    p.hub.open();
    await drain();
    assert.deepEqual(p.server.last.protocols, ['securecart.v1'], 'badges work');
    assert.deepEqual(p.events.filter((e) => e.type === 'problem').map((e) => e.code), ['token_bad'], String(value));
  }
});
