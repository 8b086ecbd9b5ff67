import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceOf, Network, storageOf } from '../device.js';
import { Session } from '../session.js';

/** memory is a storage, as a browser has it. */
function memory() {
  const all = new Map();
  return {
    all,
    getItem: (name) => all.get(name) ?? null,
    setItem: (name, value) => void all.set(name, String(value)),
    removeItem: (name) => void all.delete(name),
  };
}

test('a device has a short plain name', () => {
  assert.equal(deviceOf('?device=phone'), 'phone');
  for (const query of ['', '?device=', '?device=Phone', '?device=a.b', `?device=${'a'.repeat(21)}`]) {
    assert.equal(deviceOf(query), null, query);
  }
});

test('two devices share a browser and nothing else', () => {
  const browser = memory();
  const laptop = storageOf(() => browser, 'laptop.');
  const phone = storageOf(() => browser, 'phone.');
  laptop.setItem('who', 'alice');
  assert.equal(laptop.getItem('who'), 'alice');
  assert.equal(phone.getItem('who'), null);
  assert.equal(storageOf(() => browser, 'laptop.').getItem('who'), 'alice');
  laptop.removeItem('who');
  assert.equal(laptop.getItem('who'), null);
  assert.equal(browser.all.size, 0);
});

test('without a storage, things last as long as the page', () => {
  const none = storageOf(() => {
    throw new Error('forbidden');
  }, '');
  none.setItem('who', 'alice');
  assert.equal(none.getItem('who'), 'alice');
  none.removeItem('who');
  assert.equal(none.getItem('who'), null);
});

test('a device without a network has no sockets, and says so', async () => {
  const closed = [];
  class Socket {
    static OPEN = 1;
    addEventListener() {}
    close() {
      closed.push(this);
    }
  }
  const window = new EventTarget();
  Object.assign(window, { WebSocket: Socket, navigator: {}, fetch: async () => 'fetched' });
  const said = [];
  for (const type of ['offline', 'online']) window.addEventListener(type, () => said.push(type));
  const network = new Network(window);
  const socket = new window.WebSocket('ws://shop.test/');
  assert.equal(window.navigator.onLine, true);
  assert.equal(window.WebSocket.OPEN, 1);

  network.switch(false);
  network.switch(false);
  assert.deepEqual(closed, [socket]);
  assert.equal(window.navigator.onLine, false);
  await assert.rejects(window.fetch('/'), TypeError);
  const dead = new window.WebSocket('ws://shop.test/');
  assert.equal(dead instanceof Socket, false);
  await new Promise((resolve) => (dead.onclose = resolve));

  network.switch(true);
  assert.equal(await window.fetch('/'), 'fetched');
  assert.deepEqual(said, ['offline', 'online']);
  assert.equal(new window.WebSocket('ws://shop.test/') instanceof Socket, true);
});

test('a session asks for a token once, and again after it was refused', async () => {
  const asked = [];
  const admin = async (method, path, body) => {
    asked.push([method, path, body]);
    return { token: `t${asked.length}`, expires: Date.now() + 3_600_000 };
  };
  const session = new Session(admin, memory());
  assert.equal(await session.token(), null);
  await session.become('acme');
  assert.equal(session.person.role, 'vendor');
  assert.equal(await session.token(), 't1');
  assert.equal(await session.token({ refused: 'token_bad' }), 't2');
  assert.deepEqual(asked[0], ['POST', '/admin/token', { user: 'acme', role: 'vendor', vendor: 'acme' }]);
});

test('a sign-in ends when a token is refused that was good; a token that ran out is renewed', async () => {
  let expires = Date.now() + 3_600_000;
  const session = new Session(async () => ({ token: 't', expires }), memory());
  let ended = 0;
  session.onEnd = () => ended++;
  await session.become('alice');
  assert.equal(await session.token({ refused: 'token_expired' }), null);
  assert.deepEqual([session.person.id, ended], ['guest', 1]);
  expires = Date.now() - 1;
  await session.become('alice');
  assert.equal(await session.token({ refused: 'token_expired' }), 't');
  assert.deepEqual([session.person.id, ended], ['alice', 1]);
});

test('who cannot be signed in stays who they are', async () => {
  const session = new Session(null, memory());
  assert.equal(session.canSignIn, false);
  await assert.rejects(session.become('alice'));
  assert.equal(session.person.id, 'guest');
});

test('a guest’s cart is kept until the carts are one', () => {
  const storage = memory();
  const session = new Session(null, storage);
  assert.equal(session.guestCart, null);
  session.guestCart = { token: 'guest.x', lines: [['A', 1]] };
  assert.deepEqual(new Session(null, storage).guestCart, { token: 'guest.x', lines: [['A', 1]] });
  session.guestCart = null;
  assert.equal(session.guestCart, null);
  storage.setItem('guest-cart', '{"token":1}');
  assert.equal(session.guestCart, null);
});
