// A stranger's page on another origin, with one script tag.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { badgeState, badgeText, browser, eventually, Hub, hub, open, root, site, useWorld, wait } from './world.mjs';

useWorld({
  prepare: async () => {
    await hub.setStock('TEE-RED-M', 3);
    await hub.setStock('MUG', 0);
  },
});

/** strict is a policy that allows nothing but the hub's file and socket. */
const strict = () => `default-src 'none'; script-src ${hub.origin}; connect-src ${hub.socket.replace('/v1', '')}`;

const tag = () => `<script type="module" src="${hub.module}"></script>`;

test('one tag makes the badges of any page live, under a strict policy', async () => {
  const url = site.put('/', `<!doctype html><html lang="en"><title>Shop</title>${tag()}
    <stock-badge sku="TEE-RED-M" state="low" quantity="3" version="42">Only 3 left</stock-badge>
    <stock-badge sku="MUG"></stock-badge> <cart-badge></cart-badge>`, { csp: strict() });
  const page = await open(await browser.newContext(), url);
  await eventually(async () => (await badgeState(page, 'MUG')) === 'out', 'the badge without words of the server');
  await eventually(async () => (await badgeState(page, 'TEE-RED-M')) === 'low', 'the badge');
  assert.equal(await badgeText(page, 'TEE-RED-M'), 'Only 3 left');
  const color = await page.locator('stock-badge[sku=MUG] .box').evaluate((e) => getComputedStyle(e).color);
  assert.equal(color, 'rgb(157, 32, 57)', 'the style sheet is there');
  await hub.setStock('TEE-RED-M', 2);
  await eventually(async () => (await badgeText(page, 'TEE-RED-M')) === 'Only 2 left', 'the change');
  assert.deepEqual(page.complaints, []);
});

test('a copy on the shop\'s own origin finds the hub that the page names', async () => {
  site.put('/securecart-live.js', readFileSync(`${root}/web/dist/securecart-live.js`, 'utf8'), { type: 'text/javascript' });
  const csp = `default-src 'none'; script-src 'self'; connect-src ${hub.origin} ${hub.socket.replace('/v1', '')}`;
  const url = site.put('/copy', `<!doctype html><title>Shop</title><meta name="securecart-url" content="${hub.socket}">
    <script type="module" src="/securecart-live.js"></script><stock-badge sku="MUG"></stock-badge>`, { csp });
  const page = await open(await browser.newContext(), url);
  await eventually(async () => (await badgeState(page, 'MUG')) === 'out', 'the badge');
  assert.deepEqual(page.complaints, []);
});

test('what the server wrote is shown at once and does not flicker', async () => {
  await hub.setStock('TEE-RED-M', 3);
  const { version } = await hub.admin('GET', '/stock/TEE-RED-M');
  const url = site.put('/seen', `<!doctype html><html lang="en"><title>Shop</title>
    <script src="/watch.js"></script>
    <stock-badge sku="TEE-RED-M" state="low" quantity="3" version="${version}">Just 3!</stock-badge>${tag()}`);
  site.put('/watch.js', `window.seen = [];
    (function look() {
      const badge = document.querySelector('stock-badge');
      if (badge) {
        const slot = badge.shadowRoot?.querySelector('slot');
        const text = slot && slot.assignedNodes().length === 0 ? slot.textContent : badge.textContent;
        if (seen.at(-1) !== text) seen.push(text);
      }
      requestAnimationFrame(look);
    })();`, { type: 'text/javascript' });
  const page = await open(await browser.newContext(), url);
  await eventually(async () => (await badgeState(page, 'TEE-RED-M')) === 'low', 'live');
  assert.deepEqual(await page.evaluate(() => window.seen), ['Just 3!'], 'the words of the server, all the time');
  const attributes = await page.locator('stock-badge').evaluate((e) => e.getAttributeNames());
  assert.deepEqual(attributes, ['sku', 'state', 'quantity', 'version'], 'the page\'s attributes are its own');
  await hub.setStock('TEE-RED-M', 2);
  await eventually(async () => (await badgeText(page, 'TEE-RED-M')) === 'Only 2 left', 'the change');
});

test('the socket starts from the version in the page', async () => {
  await hub.setStock('TEE-RED-M', 3);
  const { version } = await hub.admin('GET', '/stock/TEE-RED-M');
  const url = site.put('/from', `<!doctype html><title>Shop</title>${tag()}
    <stock-badge sku="TEE-RED-M" state="low" quantity="3" version="${version}">3</stock-badge>`);
  const context = await browser.newContext();
  const page = await context.newPage();
  const frames = [];
  page.on('websocket', (ws) => {
    ws.on('framesent', ({ payload }) => frames.push(JSON.parse(payload)));
    ws.on('framereceived', ({ payload }) => frames.push(JSON.parse(payload)));
  });
  await page.goto(url);
  await eventually(async () => (await badgeState(page, 'TEE-RED-M')) === 'low', 'live');
  const asked = frames.find((f) => f.action === 'subscribe');
  assert.deepEqual(asked.topics, { 'sku:TEE-RED-M': { version, state: 'low', quantity: 3 } });
  assert.equal(frames.find((f) => f.type === 'snapshot').unchanged, 1);
});

test('the module twice, and its elements imported again, do no harm', async () => {
  const url = site.put('/twice', `<!doctype html><title>Shop</title>${tag()}
    <script type="module" src="${hub.module}?again"></script>
    <stock-badge sku="MUG"></stock-badge><stock-badge sku="TEE-RED-M"></stock-badge>`);
  const page = await open(await browser.newContext(), url);
  await eventually(async () => (await badgeText(page, 'MUG')) === 'Sold out' && (await badgeState(page, 'TEE-RED-M')) === 'low', 'live');
  await page.evaluate((module) => import(`${module}?third`), hub.module);
  assert.equal(await badgeText(page, 'MUG'), 'Sold out');
  assert.deepEqual(page.complaints, []);
});

test('a topic that is no list throws, and says what is right', async () => {
  const url = site.put('/api', `<!doctype html><title>Shop</title>`);
  const page = await open(await browser.newContext(), url);
  const message = await page.evaluate(async (module) => {
    const { connect } = await import(module);
    const live = connect({ url: new URL('/v1', module).href });
    try {
      live.subscribe('cart');
    } catch (error) {
      return `${error.name}: ${error.message}`;
    }
  }, hub.module);
  assert.equal(message, 'TypeError: topics must be a list, such as ["cart"]');
});

test('on a server the module can be imported and does nothing', async () => {
  const { connect, pageLive } = await import('../../web/dist/securecart-live.js');
  assert.equal(typeof connect, 'function');
  assert.equal(pageLive(), null);
});

test('a refused origin, a dead server and a wrong URL are told apart', async () => {
  const closed = await Hub.start('-keys', 'none', '-allowed-origins', 'https://shop.example');
  try {
    const url = site.put('/refused', `<!doctype html><title>Shop</title>`);
    const page = await open(await browser.newContext(), url);
    const problem = (socket) => page.evaluate(async ([module, url]) => {
      const { connect } = await import(module);
      const live = connect({ url, tabs: false });
      const { detail } = await new Promise((resolve) => live.addEventListener('problem', resolve));
      live.close();
      return detail.code;
    }, [hub.module, socket]);
    assert.equal(await problem(closed.socket), 'refused');
    assert.equal(await problem('ws://127.0.0.1:9/v1'), 'unreachable');
    assert.equal(await problem('ws://'), 'bad_url');
  } finally {
    await closed.stop();
  }
});

test('words: of the page for a state, of the table, numbers of the language, right to left', async () => {
  await hub.setStock('TEE-RED-M', 3);
  const url = site.put('/words', `<!doctype html><html lang="ar" dir="rtl"><title>متجر</title>
    <stock-badge sku="MUG"><span slot="out">نفد</span></stock-badge>
    <stock-badge sku="TEE-RED-M"></stock-badge>
    <script type="module" src="/words.js"></script>`);
  site.put('/words.js', `import { connect } from '${hub.module}';
    const live = connect({ url: '${hub.socket}' });
    live.words.low = ({ n }) => 'بقي ' + n;`, { type: 'text/javascript' });
  const page = await open(await browser.newContext(), url);
  await eventually(async () => (await badgeText(page, 'MUG')) === 'نفد', 'the page\'s own word');
  const want = `بقي ${new Intl.NumberFormat('ar').format(3)}`;
  await eventually(async () => (await badgeText(page, 'TEE-RED-M')) === want, 'the table');
  assert.deepEqual(page.complaints, []);
});

test('the plain page of the examples', async () => {
  await hub.setStock('TEE-RED-M', 2);
  const file = (name) => readFileSync(`${root}/examples/storefront/${name}`, 'utf8')
    .replaceAll('https://ws.example.com', hub.origin).replaceAll('wss://ws.example.com/v1', hub.socket);
  site.put('/badges.css', file('badges.css'), { type: 'text/css' });
  const page = await open(await browser.newContext(), site.put('/plain', file('plain.html')));
  await eventually(async () => (await badgeText(page, 'TEE-RED-M')) === 'Only 2 left', 'the badge');
  await eventually(async () => (await page.locator('cart-badge [part=text]').textContent()) === '0 items', 'the cart');
  const color = await page.locator('stock-badge .box').evaluate((e) => getComputedStyle(e).color);
  assert.equal(color, 'rgb(122, 65, 0)', 'the theme');
  await page.locator('cart-view [part=empty]', { hasText: 'Your cart is empty.' }).waitFor();
});

test('another SKU on the same badge: nothing of the first one stays', async () => {
  await hub.setStock('TEE-RED-M', 2);
  const url = site.put('/other', `<!doctype html><html lang="en"><title>Shop</title>${tag()}<stock-badge sku="MUG"></stock-badge>`);
  const page = await open(await browser.newContext(), url);
  await eventually(async () => (await badgeText(page, 'MUG')) === 'Sold out', 'the first');
  await page.evaluate(() => (document.querySelector('stock-badge').sku = 'TEE-RED-M'));
  await eventually(async () => (await badgeText(page, 'TEE-RED-M')) === 'Only 2 left', 'the second');
  await hub.setStock('MUG', 9);
  await hub.setStock('TEE-RED-M', 1);
  await eventually(async () => (await badgeText(page, 'TEE-RED-M')) === 'Only 1 left', 'the second moves');
  await page.evaluate(() => {
    const early = document.createElement('div');
    early.innerHTML = '<stock-badge></stock-badge>';
    document.body.append(early);
    early.firstChild.sku = 'MUG';
  });
  await eventually(async () => /^In stock|^Only 9/.test(await badgeText(page, 'MUG')), 'a property');
});

test('one polite region says which product, and nothing else is a live region', async () => {
  await hub.setStock('TEE-RED-M', 9);
  const url = site.put('/said', `<!doctype html><html lang="en"><title>Shop</title>${tag()}
    ${'<stock-badge sku="MUG"></stock-badge>'.repeat(40)}
    <stock-badge sku="TEE-RED-M" label="T-shirt, red, M" announce></stock-badge><cart-badge></cart-badge><cart-view></cart-view>`);
  const page = await open(await browser.newContext(), url);
  await eventually(async () => /^In stock/.test(await badgeText(page, 'TEE-RED-M')), 'live');
  await page.locator('cart-view [part=empty]', { hasText: 'Your cart is empty.' }).waitFor();
  await hub.setStock('TEE-RED-M', 1);
  await eventually(() => page.evaluate(() => document.querySelector('[role=status]')?.textContent === 'T-shirt, red, M: Only 1 left'), 'said');
  const regions = await page.evaluate(() => {
    const all = [...document.querySelectorAll('*')].flatMap((e) => [e, ...(e.shadowRoot?.querySelectorAll('*') ?? [])]);
    return all.filter((e) => e.hasAttribute('aria-live') || ['status', 'log', 'alert'].includes(e.getAttribute('role'))).length;
  });
  assert.equal(regions, 1);
});

test('a page that speaks for itself has no region of ours', async () => {
  await hub.setStock('TEE-RED-M', 9);
  site.put('/quiet.js', `import { connect } from '${hub.module}';
    connect({ url: '${hub.socket}', announce: false });`, { type: 'text/javascript' });
  const url = site.put('/quiet', `<!doctype html><html lang="en"><title>Shop</title><script type="module" src="/quiet.js"></script>
    <stock-badge sku="TEE-RED-M" label="T-shirt" announce></stock-badge>`);
  const page = await open(await browser.newContext(), url);
  await eventually(async () => /^In stock/.test(await badgeText(page, 'TEE-RED-M')), 'live');
  await hub.setStock('TEE-RED-M', 1);
  await eventually(async () => (await badgeText(page, 'TEE-RED-M')) === 'Only 1 left', 'the change');
  await wait(500);
  assert.equal(await page.locator('[role=status]').count(), 0);
});
