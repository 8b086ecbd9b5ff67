import test from 'node:test';
import assert from 'node:assert/strict';
import { drain } from '../fake/clock.js';
import { seededRandom } from '../fake/random.js';
import { connectedPage, fakePage, golden } from '../fake/server.js';
import { Network, Shop } from '../fake/shop.js';

const delta = (topics, epoch) => ({ type: 'delta', epoch, topics });
const snapshot = (epoch, topics, fields) => ({ type: 'snapshot', epoch, topics, ...fields });
const inStock = (version) => ({ version, state: 'in' });
const error = (code, fields) => ({ type: 'error', code, message: '', retry: true, ...fields });
const topics = ['cart', 'sku:MUG', 'sku:TEE-RED-M'];

/** liveTopics returns the topics whose values count as up to date. */
const liveTopics = (hub) => topics.filter((topic) => hub.isLive(topic));

test('after a new epoch, only what it has delivered is live', async () => {
  const { hub, server } = await connectedPage({}, topics);
  assert.deepEqual(liveTopics(hub), topics);
  await server.send(delta({ 'sku:MUG': inStock(1) }, 'k4'));
  assert.deepEqual(liveTopics(hub), ['sku:MUG']);
  await server.reply('subscribe', snapshot('k4', { 'sku:TEE-RED-M': inStock(3), cart: { from: 0, version: 2, lines: {} } }));
  assert.deepEqual(liveTopics(hub), topics);
  assert.deepEqual(topics.map((topic) => hub.get(topic).version), [2, 1, 3]);
});

test('a hello with a new epoch leaves nothing live', async () => {
  const { hub, server, clock } = await connectedPage({}, topics);
  await server.cut();
  await clock.advance(5_000);
  await server.accept();
  await server.reply('hello', { ...golden('hello-answer.server'), epoch: 'k4' });
  assert.deepEqual(liveTopics(hub), []);
  assert.deepEqual(topics.map((topic) => hub.get(topic)), [undefined, undefined, undefined]);
  await server.reply('subscribe', snapshot('k4', { cart: { from: 0, version: 1, lines: {} } }, { refused: { 'sku:MUG': 'denied' } }));
  assert.equal(hub.isLive('cart'), true);
  assert.equal(hub.isLive('sku:MUG'), false);
});

test('a gap of an ended epoch does not make the new cart look old', async () => {
  const { hub, server } = await connectedPage({}, topics);
  await server.send(delta({ cart: { from: 29, version: 30, lines: {} } }, 'k3'));
  assert.equal(hub.isLive('cart'), false);
  await server.reply('subscribe', snapshot('k4', { cart: { from: 0, version: 2, lines: {} } }));
  await server.reply('subscribe', snapshot('k4', { 'sku:MUG': inStock(1), 'sku:TEE-RED-M': inStock(1) }));
  assert.deepEqual(liveTopics(hub), topics);
});

test('a late answer of an ended epoch confirms nothing', async () => {
  const { hub, server, clock } = await connectedPage({}, topics);
  await clock.advance(8.5 * 60_000); // the keep-alive asks
  const [late] = server.sent('subscribe').slice(-1);
  await server.send(delta({ 'sku:MUG': inStock(1) }, 'k4'));
  await server.send(snapshot('k3', {}, { unchanged: 3, id: late.id }));
  assert.deepEqual(liveTopics(hub), ['sku:MUG']);
  assert.notEqual(server.sent('subscribe').at(-1).id, late.id, 'everything is requested again');
  await server.reply('subscribe', snapshot('k4', { 'sku:TEE-RED-M': inStock(3), cart: { from: 0, version: 2, lines: {} } }));
  assert.deepEqual(liveTopics(hub), topics);
});

test('old_epoch: the write is not repeated, and everything is requested again', async () => {
  const { hub, cart, server, clock } = await connectedPage({}, topics);
  const set = assert.rejects(cart.set({ MUG: 1 }, { version: 17 }), { name: 'WriteError', code: 'old_epoch' });
  assert.equal(server.sent('set')[0].epoch, 'k3');
  const asked = server.sent('subscribe').length;
  await server.reply('set', error('old_epoch'));
  await set;
  assert.deepEqual(liveTopics(hub), [], 'nothing that the page shows is known to be true');
  assert.equal(server.sent('subscribe').length, asked + 1);
  await server.reply('subscribe', snapshot('k4', {
    'sku:MUG': inStock(1), 'sku:TEE-RED-M': inStock(1), cart: { from: 0, version: 1, lines: {} },
  }));
  await server.reply('subscribe', snapshot('k4', {}, { unchanged: 3 }));
  assert.deepEqual(liveTopics(hub), topics);
  const again = cart.set({ MUG: 1 }, { version: hub.get('cart').version });
  assert.deepEqual(server.sent('set').slice(1).map((m) => [m.epoch, m.version]), [['k4', 1]]);
  await server.reply('set', { type: 'ok', from: 1, version: 2, lines: {} });
  await again;
  await clock.advance(5_000);
  assert.equal(server.sent('set').length, 2);
});

test('gone_version: the write is not repeated, and the cart is requested', async () => {
  // The page is behind the floor, or ahead of a cart that began anew or has no row.
  for (const version of [30, 3, undefined]) {
    const { hub, cart, server, clock } = await connectedPage({}, topics);
    const set = assert.rejects(cart.set({ MUG: 1 }, { version: 17 }), { name: 'WriteError', code: 'gone_version' });
    const asked = server.sent('subscribe').length;
    await server.reply('set', error('gone_version', { version, lines: {} }));
    await set;
    assert.equal(server.sent('subscribe').length, asked + 1, `version ${version}`);
    assert.ok('cart' in server.sent('subscribe').at(-1).topics);
    await clock.advance(5_000);
    assert.equal(server.sent('set').length, 1);
  }
});

test('a write that is lost twice is not sent again a day after its first attempt', async () => {
  const p = await connectedPage({}, []);
  p.server.autoAnswers.ping = { type: 'pong' };
  p.server.autoAnswers.hello = golden('hello-answer.server');
  const add = assert.rejects(p.cart.add('MUG'), { code: 'uncertain' });
  const hours = async (n) => {
    await p.server.cut();
    await p.clock.advance(n * 60 * 60_000);
    p.hub.reconnect();
    await drain();
    await p.server.accept();
  };
  await hours(20);
  assert.equal(p.server.sent('add').length, 1, 'within the day it is repeated');
  await hours(4);
  assert.equal(p.server.sent('add').length, 0, 'the server may have forgotten its key');
  await add;
});

test('a change whose delta, keep-alive and resume are lost arrives with the next resume', async () => {
  const { hub, server, clock } = await connectedPage({}, topics);
  // The delta of version 10 is lost. So are the answers to the keep-alive and to the next resume.
  await clock.advance(8.5 * 60_000);
  for (const lost of ['keep-alive', 'resume']) {
    assert.deepEqual(server.sent('subscribe').at(-1).topics['sku:MUG'], { version: 9, state: 'out' }, lost);
    await clock.advance(15_000);
    assert.equal(hub.live, false, `the ${lost} had no answer`);
    await clock.advance(1_000);
    await server.accept();
    await server.reply('hello', golden('hello-answer.server'));
  }
  assert.equal(server.sockets.length, 3);
  await server.reply('subscribe', snapshot('k3', { 'sku:MUG': inStock(10) }, { unchanged: 2 }));
  assert.deepEqual(liveTopics(hub), topics);
  assert.equal(hub.get('sku:MUG').version, 10);
});

// Messages are lost and repeated, connections are cut, and the shop loses its recent
// history twice, all at any point. In the end the page shows the shop, and every write
// took effect at most once.
test('a page converges for 60 seeds', async () => {
  const met = { lost: 0, repeated: 0, cuts: 0, epochs: 0, resolved: 0, rejected: 0, confirmed: 0 };
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed);
    const pick = (n) => Math.floor(random() * n);
    const page = fakePage({ random });
    const { hub, cart, server, clock } = page;
    const shop = new Shop();
    const network = new Network(page, shop, random);
    const wanted = ['cart', 'sku:A', 'sku:B'];
    hub.want(wanted);
    hub.open();
    const writes = [];
    const resets = [10 + pick(20), 40 + pick(20)];
    for (let i = 0; i < 80; i++) {
      if (resets.includes(i)) shop.restore();
      switch (pick(6)) {
        case 0:
        case 1:
          network.push(shop.changeBadge(`sku:${'AB'[pick(2)]}`, ['in', 'low', 'out'][pick(3)]));
          break;
        case 2:
          writes.push(cart.add('XYZ'[pick(3)], 1 + pick(2)).then((ok) => ok.key, () => null));
          break;
        case 3:
          shop.backUp();
          break;
        case 4:
          if (pick(4) === 0 && server.last && !server.last.closed) {
            met.cuts++;
            await server.cut();
          }
      }
      await network.run(0.15);
      await clock.advance(pick(2_500));
      for (const topic of wanted) {
        if (!hub.isLive(topic)) continue;
        met.confirmed++;
        assert.notEqual(hub.get(topic), undefined, `seed ${seed}, step ${i}: ${topic} is live without a value`);
      }
    }
    for (let i = 0; i < 700; i++) {
      await network.run(0);
      await clock.advance(1_000);
    }
    const label = `seed ${seed}`;
    assert.equal(cart.state.pending, 0, label);
    for (const topic of wanted) assert.ok(hub.isLive(topic), `${label}: ${topic} is live`);
    for (const topic of ['sku:A', 'sku:B']) {
      const { version, state } = hub.get(topic);
      assert.deepEqual({ version, state }, shop.data.badges[topic], `${label}: ${topic}`);
    }
    const sum = {};
    for (const { sku, quantity } of Object.values(shop.data.keys)) sum[sku] = (sum[sku] ?? 0) + quantity;
    const shown = Object.fromEntries([...hub.get('cart').lines].map(([sku, line]) => [sku, line.quantity]));
    assert.deepEqual(shown, sum, `${label}: the cart`);
    assert.equal(hub.get('cart').version, shop.data.cart, label);
    for (const key of await Promise.all(writes)) {
      if (key === null) met.rejected++;
      else assert.ok(shop.everApplied.has(key), `${label}: an ok for a write that was never made`);
      met.resolved += key !== null;
    }
    met.lost += network.lost;
    met.repeated += network.repeated;
    met.epochs += shop.epochs - 1;
    hub.close();
  }
  assert.equal(met.epochs, 120);
  for (const [what, least] of Object.entries({ lost: 500, repeated: 200, cuts: 100, resolved: 400, confirmed: 2_000 })) {
    assert.ok(met[what] >= least, `${what}: met ${met[what]}, want ${least} or more`);
  }
});
