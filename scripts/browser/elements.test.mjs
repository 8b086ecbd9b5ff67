// What the elements do on a page that changes: its connection is closed, its items are others,
// its elements come late.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { badgeState, badgeText, browser, eventually, hub, listen, open, Proxy, site, useWorld, wait } from './world.mjs';

useWorld();

/** page opens a page that connects over a proxy which a test can harm. */
async function page(path, html) {
  const proxy = await Proxy.start(hub.port);
  site.put(`${path}.js`, `import { connect } from '${hub.module}';
    window.live = connect({ url: '${proxy.socket}' });`, { type: 'text/javascript' });
  const url = site.put(path, `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">
    <script type="module" src="${path}.js"></script>${html}`);
  return { page: await open(await browser.newContext(), url), proxy };
}

const cartBadge = (page) => page.locator('cart-badge').evaluate((e) => ({
  text: e.shadowRoot?.querySelector('[part=text]').textContent,
  stale: e.matches(':state(stale)'),
  color: e.shadowRoot && getComputedStyle(e.shadowRoot.querySelector('[part=text]')).color,
}));

test('a connection that the page closes: everything is stale, and nothing is green', async () => {
  await hub.setStock('MUG', 2);
  const { page: p } = await page('/closed', '<stock-badge sku="MUG"></stock-badge> <cart-badge></cart-badge>');
  await eventually(async () => (await badgeState(p, 'MUG')) === 'low', 'live');
  await p.evaluate(() => window.live.cart.add('MUG'));
  await eventually(async () => (await cartBadge(p)).text === '1 item', 'the cart');
  const before = await cartBadge(p);
  assert.equal(before.stale, false);
  await p.evaluate(() => window.live.close());
  await eventually(async () => (await badgeState(p, 'MUG')) === 'low stale', 'a stale badge');
  await eventually(async () => /^Only 2 left at \d\d:\d\d/.test(await badgeText(p, 'MUG')), 'the time', 2_000);
  await eventually(async () => (await cartBadge(p)).stale, 'a stale cart');
  const closed = await cartBadge(p);
  assert.equal(closed.text, '1 item');
  assert.equal(closed.color, 'rgb(90, 83, 101)');
  assert.notEqual(closed.color, before.color);
  assert.deepEqual(p.complaints, []);
});

test('a badge with words of the server gets another SKU: nothing of the first one stays', async () => {
  await hub.setStock('MUG', 0);
  await hub.setStock('TEE-RED-M', 3);
  const { page: p, proxy } = await page('/variant', '<stock-badge sku="MUG" state="out" version="1">Gone</stock-badge>');
  await eventually(async () => (await badgeState(p, 'MUG')) === 'out', 'the first');
  await p.evaluate(() => dispatchEvent(new Event('offline')));
  await eventually(async () => (await badgeState(p, 'MUG')) === 'out stale', 'a mark');
  proxy.swallows = true;
  await p.evaluate(() => {
    const badge = document.querySelector('stock-badge');
    for (const [name, value] of Object.entries({ sku: 'TEE-RED-M', state: 'low', quantity: '3', version: '7' })) badge.setAttribute(name, value);
    badge.firstChild.data = 'Three left';
  });
  await eventually(async () => (await badgeState(p, 'TEE-RED-M')) === 'server', 'the words of the server');
  assert.equal(await badgeText(p, 'TEE-RED-M'), 'Three left');
  assert.equal(await p.locator('stock-badge .box').getAttribute('class'), 'box unknown', 'not the look of the first');
  proxy.swallows = false;
  await p.evaluate(() => dispatchEvent(new Event('online')));
  await eventually(async () => (await badgeState(p, 'TEE-RED-M')) === 'low', 'proved');
});

test('words for states are no words about now', async () => {
  const { page: p, proxy } = await page('/slots', '<stock-badge sku="MUG"><!-- stock --> <b slot="out">Gone</b></stock-badge>');
  await eventually(async () => (await badgeText(p, 'MUG')) === 'Gone', 'live');
  proxy.swallows = true;
  await p.evaluate(() => {
    const badge = document.createElement('stock-badge');
    badge.setAttribute('sku', 'TEE-RED-L');
    badge.innerHTML = '<b slot="out">Gone</b>';
    document.body.append(badge);
  });
  await eventually(async () => (await badgeState(p, 'TEE-RED-L')) === 'unknown', 'asked');
  assert.equal(await badgeText(p, 'TEE-RED-L'), 'Checking stock…');
});

const tag = () => `<script type="module" src="${hub.module}"></script>`;

test('the tag connects when the first element comes, however late', async () => {
  await hub.setStock('MUG', 2);
  const url = site.put('/late', `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">${tag()}`);
  const p = await (await browser.newContext()).newPage();
  const sockets = [];
  p.on('websocket', (socket) => sockets.push(socket.url()));
  await p.goto(url);
  await wait(300);
  assert.deepEqual(sockets, [], 'a page without elements costs nothing');
  await p.evaluate(() => document.body.append(Object.assign(document.createElement('stock-badge'), { sku: 'MUG' })));
  await eventually(async () => (await badgeText(p, 'MUG')) === 'Only 2 left', 'live');
  await p.evaluate(() => document.body.append(document.createElement('cart-badge')));
  await eventually(async () => (await cartBadge(p)).text === '0 items', 'another element');
  assert.deepEqual(sockets, [hub.socket]);
});

test('the tag does not wait for the pictures of a page', async () => {
  await hub.setStock('MUG', 2);
  const url = site.put('/slow', `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">${tag()}
    <stock-badge sku="MUG"></stock-badge><img src="/never.png" alt="">`);
  const p = await (await browser.newContext()).newPage();
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await p.route('**/never.png', async (route) => {
    await released;
    await route.abort();
  });
  await p.goto(url, { waitUntil: 'commit' });
  await eventually(async () => (await badgeText(p, 'MUG')) === 'Only 2 left', 'live');
  assert.equal(await p.evaluate(() => document.readyState), 'interactive');
  release();
});

test('a page that connects itself has no second connection of the tag', async () => {
  const url = site.put('/own', `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">
    <stock-badge sku="MUG"></stock-badge>${tag()}<script type="module" src="/own.js"></script>`);
  site.put('/own.js', `import { connect } from '${hub.module}';
    window.live = connect({ url: '${hub.socket}?own', tabs: false });`, { type: 'text/javascript' });
  const p = await (await browser.newContext()).newPage();
  const sockets = [];
  p.on('websocket', (socket) => sockets.push(socket.url()));
  await p.goto(url);
  await eventually(() => p.evaluate(() => window.live?.live), 'live');
  await wait(300);
  assert.deepEqual(sockets, [`${hub.socket}?own`]);
});

test('the cart of a page without network is stale, and proved again afterwards', async () => {
  const { page: p } = await page('/offline', '<cart-badge>…</cart-badge>');
  await eventually(async () => (await cartBadge(p)).text === '0 items', 'live');
  assert.equal((await cartBadge(p)).stale, false);
  await p.evaluate(() => dispatchEvent(new Event('offline')));
  await eventually(async () => (await cartBadge(p)).stale, 'stale', 500);
  assert.deepEqual([(await cartBadge(p)).text, (await cartBadge(p)).color], ['0 items', 'rgb(90, 83, 101)']);
  await p.evaluate(() => dispatchEvent(new Event('online')));
  await eventually(async () => !(await cartBadge(p)).stale, 'proved again', 2_000);
});

test('a lost connection is announced once, and its return', async () => {
  const { page: p, proxy } = await page('/lost', '<stock-badge sku="MUG"></stock-badge>');
  await eventually(() => p.evaluate(() => window.live?.status === 'live'), 'live');
  await listen(p);
  const { port } = proxy.server.address();
  proxy.stop();
  await eventually(() => p.evaluate(() => window.said.length > 0), 'lost');
  await wait(4_000); // attempts that fail are no news
  proxy.server.listen(port, '127.0.0.1');
  await eventually(() => p.evaluate(() => window.said.length > 1), 'back', 40_000);
  assert.deepEqual(await p.evaluate(() => window.said), ['The connection is lost. What you see is as it was.', 'The connection is back.']);
});
