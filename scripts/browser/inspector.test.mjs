// The inspector at a real localhub: the way of a change, carts that are masked, what can
// be done to a connection, to stock, to faults and to the clock, and what axe finds.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { isAccessible } from '../shots/page.mjs';
import { browser, eventually, hub, open, useWorld } from './world.mjs';

useWorld({
  prepare: async () => {
    clients = await open(await browser.newContext(), `${hub.origin}/icon.svg`);
  },
});

const screens = ['overview', 'frames', 'connections', 'topics', 'stream', 'stock', 'faults', 'replay', 'cost', 'alarms'];
let clients, page;

/** connect opens sockets of alice, twice, and of a guest, and subscribes them to a SKU. */
async function connect(sku) {
  const { token } = await hub.admin('POST', '/token', { user: 'alice', role: 'customer' });
  await clients.evaluate(async ({ socket, token, sku }) => {
    window.sockets = await Promise.all([token, token, ''].map((each) => new Promise((resolve, reject) => {
      const ws = new WebSocket(socket, ['securecart.v1']);
      const answers = { hello: (m) => ws.send(`sub ${sku} cart`), snapshot: () => resolve(ws) };
      ws.onmessage = ({ data }) => answers[JSON.parse(data).type]?.();
      ws.onerror = reject;
      ws.onopen = () => ws.send(JSON.stringify({ action: 'hello', id: 1, ...(each && { token: each }) }));
    })));
  }, { socket: hub.socket, token, sku });
}
const say = (i, text) => clients.evaluate(({ i, text }) => window.sockets[i].send(text), { i, text });

const inspector = () => hub.adminURL.replace('/admin', '/_hub/');
const go = async (query) => {
  page = await open(await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' }), inspector() + query);
  await page.locator('.cell', { hasText: '● live' }).waitFor();
};
const has = (text) => page.getByText(text, { exact: false }).filter({ visible: true }).first().waitFor();
const rows = () => page.locator('.grid-body > .grid-row');
const title = () => page.locator('.detail h2').first().textContent();
const chips = () => page.locator('.detail .card-head').first().textContent();

beforeEach(() => hub.admin('POST', '/faults', {}));
afterEach(async () => {
  assert.deepEqual(page.complaints.filter((text) => !text.includes('status of 409')), []); // a conflict is an answer
  await page.context().close();
});

test('a change is followed from the admin write to each socket, and back', async () => {
  await connect('MUG');
  await go('?screen=frames&filter=sku%3AMUG');
  await hub.setStock('MUG', 3);
  await eventually(async () => (await rows().filter({ hasText: 'low 3' }).count()) === 3, 'three frames');
  await rows().filter({ hasText: 'PUT' }).last().click();
  const seen = [];
  for (let i = 0; i < 30; i++) {
    const before = await title();
    await page.keyboard.press(']');
    if ((await title()) === before) break;
    seen.push(await chips());
  }
  const types = seen.map((text) => /(row|record|batch|post|delta|answer)/.exec(text.replace(/^(Frame|Event) \d+/, ''))?.[1]);
  assert.deepEqual(types.slice(0, 3), ['row', 'record', 'batch']);
  assert.equal(types.filter((type) => type === 'delta').length, 3, `each socket: ${types}`);

  await rows().filter({ hasText: 'low 3' }).last().click();
  const back = [];
  for (let i = 0; i < 5; i++) {
    await page.keyboard.press('[');
    back.push(/(post|batch|record|row|PUT)/.exec((await chips()).replace(/^(Frame|Event) \d+/, ''))?.[1]);
  }
  assert.deepEqual(back, ['post', 'batch', 'record', 'row', 'PUT']);
  await has('commit → sent');
});

test('carts and tokens are masked, and their lengths stay', async () => {
  await connect('MUG');
  await go('?screen=frames');
  await say(0, 'add TEE-RED-M 2');
  await has('1 line');
  const { token } = await hub.admin('POST', '/token', { user: 'alice', role: 'customer' });
  await say(0, JSON.stringify({ action: 'hello', token }));
  await eventually(async () => (await rows().filter({ hasText: 'hello' }).count()) > 0, 'the hello');
  const text = await page.locator('main').textContent();
  assert.equal(text.includes('TEE-RED-M'), false);
  assert.equal(text.includes(token.slice(0, 40)), false);
});

test('one connection: what it was sent, and its end, which is asked first', async () => {
  await connect('MUG');
  await go('?screen=connections');
  await eventually(async () => (await rows().filter({ hasText: 'alice' }).count()) >= 2, 'connections of alice');
  const before = (await hub.connections()).length;
  await rows().filter({ hasText: 'alice' }).first().click();
  await page.keyboard.press('Enter');
  await has('● open');
  await hub.setStock('MUG', 4);
  await has('✓ in step');
  await has('it has the newest');
  await page.keyboard.press('e');
  await has('with 1000?');
  assert.equal((await hub.connections()).length, before);
  await page.keyboard.press('Enter');
  await eventually(async () => (await hub.connections()).length === before - 1, 'one connection fewer');
  await has('○ ended');
});

test('the path of a version, with a post that was refused first', async () => {
  await connect('TEAPOT');
  await hub.admin('POST', '/faults', { every: { throttle: 3 } });
  await go('?screen=topics&id=sku%3ATEAPOT');
  await has('3 subscribers');
  await hub.setStock('TEAPOT', 2);
  await has('Path of version 2');
  await has('1 after 429');
  await has('by the admin API');
  await page.keyboard.press('[');
  await has('stock/TEAPOT');
});

test('stock is changed at the version that was seen, and a conflict is said', async () => {
  await go('?screen=stock&id=CAP-NAVY');
  const available = page.getByLabel('Available');
  await available.fill('-1');
  await has('Available is 0 to 1 000 000 000');
  await hub.setStock('CAP-NAVY', 33);
  await available.fill('7');
  await available.press('Enter');
  await has('you edited version 1. Somebody wrote 33');
  await page.getByRole('button', { name: 'write 7' }).click();
  await has('version 3 is written');
  assert.equal((await hub.admin('GET', '/stock/CAP-NAVY')).available, 7);
});

test('faults and time are set in place, and the situation line says so', async () => {
  await go('?screen=faults');
  await page.getByRole('switch', { name: 'throttle' }).click();
  await page.locator('.cell', { hasText: '▲ throttle 1 in 3' }).waitFor();
  await page.keyboard.press('o');
  await has('Turn all faults off?');
  await page.keyboard.press('Enter');
  await page.locator('.cell', { hasText: 'Faultsnone' }).waitFor();
  await page.getByRole('button', { name: '+1 min' }).click();
  await has('would do this');
  assert.equal((await hub.admin('GET', '/warp')).aheadMs, 0, 'nothing is done before it is asked');
  await page.keyboard.press('Enter');
  await page.locator('.cell', { hasText: '▲ 1 min 0 s ahead' }).or(page.locator('.cell', { hasText: '▲ 1 min ahead' })).waitFor();
});

test('batches are held, go on, and one is delivered again', async () => {
  await connect('VASE-TALL');
  await go('?screen=stream');
  const batches = page.getByRole('grid', { name: 'Batches' }).locator('.grid-body > .grid-row', { hasText: 'inventory' });
  const logged = (await hub.admin('GET', '/events?type=batch')).events;
  const before = logged.filter(({ note }) => note === 'inventory').length;
  await eventually(async () => (await batches.count()) === before, 'the batches of the log');
  await page.keyboard.press('h');
  await page.locator('.cell', { hasText: '▲ stream held' }).waitFor();
  await hub.setStock('VASE-TALL', 4);
  await hub.setStock('VASE-TALL', 3);
  await has('▲ Held: go on');
  await has('2 waiting');
  assert.equal(await batches.count(), before);
  await page.keyboard.press('h');
  await page.locator('.cell', { hasText: 'Faultsnone' }).waitFor();
  await eventually(async () => (await batches.count()) === before + 1, 'one batch with both');
  await batches.first().click();
  await page.keyboard.press('r');
  await eventually(async () => (await batches.count()) === before + 2, 'the batch again');
});

test('without a folder for recordings the screen says which flag gives one', async () => {
  await go('?screen=replay');
  await has('-record-dir DIR');
  assert.equal(await page.getByRole('button', { name: '● Record' }).isDisabled(), true);
});

test('keys: screens, all keys, and none while a field has the focus', async () => {
  await go('');
  await page.keyboard.press('2');
  await page.getByRole('heading', { name: 'Frames' }).waitFor();
  await page.keyboard.press('?');
  await has('All keys');
  await page.keyboard.press('Escape');
  await page.getByRole('heading', { name: 'Frames' }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('p37');
  assert.equal(await page.getByRole('searchbox', { name: 'Filter' }).inputValue(), 'p37');
  await page.getByRole('heading', { name: 'Frames' }).waitFor();
  assert.equal(await page.locator('.cell', { hasText: 'paused' }).count(), 0);
  await page.goBack();
  await page.locator('.overview').waitFor();
});

test('axe finds nothing on any screen, in light and dark, and on a phone', async () => {
  await connect('MUG');
  await go('');
  await hub.setStock('MUG', 2);
  await has('alice …');
  for (const screen of screens) {
    await page.goto(`${inspector()}?screen=${screen}`);
    await page.locator('.cell', { hasText: '● live' }).waitFor();
    if (screen === 'frames') {
      await eventually(async () => (await rows().count()) > 3, 'frames');
      await rows().last().click();
    }
    await isAccessible(page, screen);
  }
});

test('only the situation line is a live region, and grids say how many rows they have', async () => {
  await go('?screen=frames');
  await eventually(async () => (await rows().count()) > 3, 'frames');
  const regions = await page.evaluate(() => [...document.querySelectorAll('[aria-live], [role=status], [role=alert], [role=log]')]
    .filter((each) => each.textContent).map((each) => each.className));
  assert.deepEqual(regions, ['situation']);
  const grid = page.getByRole('grid', { name: 'Frames' });
  assert.ok(Number(await grid.getAttribute('aria-rowcount')) > 3);
  await page.keyboard.press('j');
  const focused = await page.evaluate(() => document.activeElement.getAttribute('role'));
  assert.equal(focused, 'row');
  assert.equal(await grid.locator('[tabindex="0"]').count(), 1, 'one row takes the focus');
});
