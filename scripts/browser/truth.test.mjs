// No false word about stock, ever: everything that a badge says is proved, or says when it was.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { badgeState, badgeText, browser, eventually, Hub, hub, open, Proxy, site, useWorld, wait } from './world.mjs';

useWorld();

/** page opens a page with badges, connected over a proxy that a test can harm. */
async function page(html, { path = '/', options = '' } = {}) {
  const proxy = await Proxy.start(hub.port);
  site.put(`${path}start.js`, `import { connect } from '${hub.module}';
    window.live = connect({ url: '${proxy.socket}', ${options} });
    window.problems = [];
    live.addEventListener('problem', ({ detail }) => problems.push(detail.code));`, { type: 'text/javascript' });
  const url = site.put(path, `<!doctype html><html lang="en"><title>Shop</title>
    <script type="module" src="${path}start.js"></script>${html}`);
  const opened = await open(await browser.newContext(), url);
  return { page: opened, proxy };
}

/** stock puts n items in stock. */
const stock = (n) => hub.setStocks(Array.from({ length: n }, (_, i) => ({ sku: `S${i}`, available: 50 })));

const mug = '<stock-badge sku="MUG"></stock-badge>';
const isStale = async (page) => (await badgeState(page, 'MUG')).includes('stale');

test('500 badges, each in view at last: none says anything false', async () => {
  await stock(500);
  const badges = Array.from({ length: 500 }, (_, i) => `<p><stock-badge sku="S${i}"></stock-badge></p>`).join('');
  const { page: p, proxy } = await page(badges, { path: '/many/' });
  await eventually(async () => (await badgeState(p, 'S0')) === 'in', 'the first badge');
  const said = new Set();
  // Badges without the server's words have a size only once they were in view, so the page grows, to some 17 500.
  for (let y = 0; y < 30_000; y += 600) {
    await p.evaluate((y) => scrollTo(0, y), y);
    await wait(60);
    for (const text of await p.evaluate(() => [...document.querySelectorAll('stock-badge')].map((b) => b.shadowRoot?.querySelector('slot').textContent ?? ''))) said.add(text);
  }
  await eventually(async () => (await badgeState(p, 'S499')) === 'in', 'the last badge');
  assert.deepEqual([...said].filter((text) => text && !/^In stock|^Checking stock…$/.test(text)), []);
});

test('more badges in view than a connection may have topics: the rest says nothing about stock', async () => {
  await stock(260);
  const badges = Array.from({ length: 260 }, (_, i) => `<stock-badge sku="S${i}"></stock-badge> `).join('');
  const { page: p, proxy } = await page(`<div>${badges}</div>`, { path: '/all/' });
  await eventually(async () => (await badgeState(p, 'S0')) === 'in', 'the first badge');
  await wait(500);
  const states = await p.evaluate(() => [...document.querySelectorAll('stock-badge')].map((b) => ['in', 'unknown', 'denied', 'out', 'stale'].find((s) => b.matches(`:state(${s})`))));
  assert.deepEqual([...new Set(states)].sort(), ['in', 'unknown']);
  assert.equal(states.filter((s) => s === 'in').length, 200);
});

test('a limit of messages is no state of stock', async () => {
  const slow = await Hub.start('-keys', 'none', '-limits', 'skus=3');
  try {
    site.put('/slow.js', `import { connect } from '${hub.module}'; window.live = connect({ url: '${slow.socket}' });`, { type: 'text/javascript' });
    const url = site.put('/slow', `<!doctype html><title>Shop</title><script type="module" src="/slow.js"></script>
      ${Array.from({ length: 150 }, (_, i) => `<stock-badge sku="X${i}"></stock-badge> `).join('')}<stock-badge sku="MUG"></stock-badge>`);
    const p = await open(await browser.newContext(), url);
    await eventually(async () => (await p.evaluate(() => window.live?.refusal('sku:X149'))) === 'slow_down', 'the limit');
    await wait(100);
    assert.equal(await badgeText(p, 'X149'), 'Checking stock…', 'nobody knows whether it exists');
    assert.equal(await badgeText(p, 'MUG'), 'Checking stock…', 'what exists looks the same');
  } finally {
    await slow.stop();
  }
});

test('offline: stale at once, soon with the time, and proved again within 3 s of the return', async () => {
  await hub.setStock('MUG', 2);
  const { page: p, proxy } = await page(mug, { path: '/offline/' });
  await eventually(async () => (await badgeText(p, 'MUG')) === 'Only 2 left', 'live');
  await p.evaluate(() => dispatchEvent(new Event('offline')));
  await eventually(() => isStale(p), 'stale', 200);
  await eventually(async () => /^Only 2 left at \d\d:\d\d/.test(await badgeText(p, 'MUG')), 'the time', 2_000);
  await p.evaluate(() => dispatchEvent(new Event('online')));
  await eventually(async () => !(await isStale(p)), 'proved again', 1_000);
  proxy.swallows = true; // the network only seems to be back
  await p.evaluate(() => (dispatchEvent(new Event('offline')), dispatchEvent(new Event('online'))));
  await eventually(() => isStale(p), 'stale', 200);
  await wait(2_000);
  assert.equal(await isStale(p), true);
  proxy.swallows = false; // but the old connection is dead
  await hub.setStock('MUG', 1);
  await eventually(async () => (await badgeText(p, 'MUG')) === 'Only 1 left', 'a new socket', 30_000);
});

test('a page in use over a dead connection: stale within 40 s, and never green for what is sold out', async () => {
  await hub.setStock('MUG', 15);
  const { page: p, proxy } = await page(mug, { path: '/dead/' });
  await eventually(async () => (await badgeState(p, 'MUG')) === 'in', 'live');
  proxy.swallows = true;
  await hub.setStock('MUG', 0);
  const from = Date.now();
  const touch = setInterval(() => p.mouse.click(5, 5).catch(() => {}), 4_000);
  try {
    await eventually(() => isStale(p), 'stale', 40_000);
  } finally {
    clearInterval(touch);
  }
  console.log(`dead connection, page in use: stale after ${((Date.now() - from) / 1000).toFixed(1)} s`);
  proxy.swallows = false;
  await eventually(async () => (await badgeText(p, 'MUG')) === 'Sold out', 'the truth', 30_000);
});

test('a planned move: the second socket first, and no badge is stale at 200 ms round trip', async () => {
  await hub.setStock('MUG', 2);
  const old = await Hub.start('-keys', 'none', '-max-age', '10s');
  const proxy = await Proxy.start(old.port);
  proxy.delay = 100;
  try {
    await old.setStock('MUG', 2);
    site.put('/move.js', `import { connect } from '${hub.module}'; window.live = connect({ url: '${proxy.socket}' });
      window.states = [];
      live.addEventListener('live', ({ detail }) => states.push(detail.live));`, { type: 'text/javascript' });
    const p = await open(await browser.newContext(), site.put('/move', `<!doctype html><title>Shop</title><script type="module" src="/move.js"></script>${mug}`));
    await eventually(async () => (await badgeText(p, 'MUG')) === 'Only 2 left', 'live');
    const [{ connectionId: first }] = await old.connections();
    await eventually(async () => {
      const now = await old.connections();
      return now.length === 1 && now[0].connectionId !== first;
    }, 'another connection, and only one', 20_000);
    assert.deepEqual(await p.evaluate(() => window.states), [true], 'it was live all the time');
  } finally {
    proxy.stop();
    await old.stop();
  }
});

test('a token that never comes, fails, or is none: badges are live, and the page hears of it', async () => {
  await hub.setStock('MUG', 2);
  for (const [name, token, code] of [
    ['never', '() => new Promise(() => {})', 'token_slow'],
    ['fails', '() => { throw new Error("signed out") }', 'no_token'],
    ['none', '() => "Basic abc def"', 'token_bad'],
  ]) {
    const { page: p } = await page(mug, { path: `/token-${name}/`, options: `token: ${token}` });
    await eventually(async () => (await badgeText(p, 'MUG')) === 'Only 2 left', name, 15_000);
    assert.deepEqual(await p.evaluate(() => window.problems), [code], name);
  }
});

test('a badge that was let go does not claim to be live', async () => {
  await hub.setStock('MUG', 2);
  const { page: p, proxy } = await page(`${mug}<div class="tall"></div><link rel="stylesheet" href="/tall.css"><p id="end">end</p>`, { path: '/gone/' });
  site.put('/tall.css', '.tall{height:5000px}', { type: 'text/css' });
  await p.reload();
  await eventually(async () => (await badgeText(p, 'MUG')) === 'Only 2 left', 'live');
  await p.evaluate(() => document.querySelector('#end').scrollIntoView());
  await eventually(() => isStale(p), 'let go', 8_000);
  await hub.setStock('MUG', 0);
  await p.evaluate(() => scrollTo(0, 0));
  await eventually(async () => (await badgeText(p, 'MUG')) === 'Sold out', 'in view again');
});

test('a hub that was stopped: nothing is green, and everything is right after it is back', async () => {
  const own = await Hub.start('-keys', 'none');
  await own.setStock('MUG', 2);
  site.put('/stop.js', `import { connect } from '${hub.module}'; window.live = connect({ url: '${own.socket}' });`, { type: 'text/javascript' });
  const p = await open(await browser.newContext(), site.put('/stop', `<!doctype html><title>Shop</title><script type="module" src="/stop.js"></script>${mug}`));
  await eventually(async () => (await badgeText(p, 'MUG')) === 'Only 2 left', 'live');
  await own.stop();
  await eventually(() => isStale(p), 'stale', 2_000);
  await own.run();
  await own.setStock('MUG', 7);
  await eventually(async () => !(await isStale(p)) && /^In stock|^Only 7/.test(await badgeText(p, 'MUG')), 'a new epoch', 40_000);
  await own.stop();
});
