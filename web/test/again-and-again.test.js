import test from 'node:test';
import assert from 'node:assert/strict';
import { drain } from '../fake/clock.js';
import { connectedPage, fakePage, golden } from '../fake/server.js';

// What is repeated: requests that fail, sessions that end, questions, refusals.

const snapshot = (topics, fields) => ({ type: 'snapshot', epoch: 'k3', topics, ...fields });
const inStock = (version) => ({ version, state: 'in' });

test('a subscribe that fails again and again is asked for less and less often', async () => {
  const { hub, server, clock } = await connectedPage({}, []);
  server.autoAnswers.subscribe = { type: 'error', code: 'internal', message: 'oops', retry: true };
  hub.want(['sku:A']);
  await clock.advance(10 * 60_000);
  assert.ok(server.sent('subscribe').length < 60, `${server.sent('subscribe').length} times in ten minutes`);
  server.autoAnswers.subscribe = snapshot({ 'sku:A': inStock(1) });
  await clock.advance(60_000);
  assert.ok(hub.isLive('sku:A'));
});

test('topics without room are asked for when there is room again', async () => {
  const { hub, server } = await connectedPage({}, []);
  server.autoAnswers.subscribe = snapshot({});
  server.autoAnswers.unsubscribe = snapshot({});
  const first = Array.from({ length: 200 }, (_, i) => `sku:S${i}`);
  hub.want(first);
  for (let i = 0; i < 5; i++) await drain();
  hub.want(['sku:LATE']);
  for (let i = 0; i < 5; i++) await drain();
  assert.equal(hub.refusal('sku:LATE'), 'too_many_topics');
  hub.drop(first.slice(0, 1));
  for (let i = 0; i < 5; i++) await drain();
  assert.equal(hub.refusal('sku:LATE'), undefined);
  assert.ok(hub.isLive('sku:LATE'));
});

test('a topic that nobody wants has no refusal', async () => {
  const { hub } = await connectedPage();
  assert.equal(hub.refusal('vendor:acme'), 'denied');
  hub.drop(['vendor:acme']);
  assert.equal(hub.refusal('vendor:acme'), undefined);
});

test('a change that meets the end of a session waits for the renewal under way', async () => {
  let arrive;
  const tokens = ['first.token.x', new Promise((resolve) => (arrive = resolve))];
  const { hub, cart, server, clock } = fakePage({ token: () => tokens.shift() ?? 'third.token.x' });
  hub.want(['cart']);
  hub.open();
  await drain();
  await server.accept();
  await server.reply('hello', golden('hello-token-answer.server'));
  await server.reply('subscribe', snapshot({ cart: { version: 1, lines: {} } }));
  await clock.advance(20_000);
  await server.send(golden('error-expired.server')); // the renewal begins, and the page is slow
  const done = cart.add('MUG');
  await server.reply('add', { type: 'error', code: 'token_expired', message: 'expired' });
  await clock.advance(3_000);
  assert.equal(server.sent('add').length, 1, 'not with the session that has ended');
  arrive('second.token.x');
  await drain();
  await server.reply('hello', golden('hello-token-answer.server'));
  assert.equal(server.sent('add').length, 2);
  await server.reply('add', { type: 'ok', from: 1, version: 2, lines: {} });
  await done;
});

test('the token option hears once why the last token was refused', async () => {
  const heard = [];
  const { hub, server } = fakePage({ token: ({ refused }) => (heard.push(refused), 'alice.token') });
  hub.open();
  await drain();
  await server.accept();
  await server.reply('hello', { ...golden('hello-answer.server'), notice: 'token_expired' });
  for (let i = 0; i < 2; i++) {
    hub.reconnect();
    await drain();
  }
  assert.deepEqual(heard, [undefined, 'token_expired', undefined]);
});

test('an error of a line is not shown to the next user', async () => {
  let token = null;
  const { hub, cart, server } = await connectedPage({ token: () => token });
  const refused = assert.rejects(cart.add('MUG'), { code: 'no_stock' });
  await server.reply('add', { type: 'error', code: 'no_stock', message: 'sold out', version: 17 });
  await refused;
  assert.equal(cart.state.lines.get('MUG').error.code, 'no_stock');
  token = 'alice.token';
  hub.reconnect();
  await drain();
  await server.accept();
  await server.reply('hello', golden('hello-token-answer.server'));
  await server.reply('subscribe', snapshot({ cart: { version: 3, lines: { MUG: { quantity: 1, version: 3 } } } }));
  assert.equal(cart.state.lines.get('MUG').error, null);
});

test('doubts one after the other do not put the deadline off', async () => {
  const { server, clock, signal } = await connectedPage();
  await signal('online');
  for (let i = 0; i < 5; i++) {
    await clock.advance(700);
    await signal('online');
  }
  assert.equal(server.sockets[0].closed, true, 'after 3 s');
});
