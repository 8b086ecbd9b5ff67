// Many badges on a slow machine: the page is never held up, and badges out of view cost nothing.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { badgeState, eventually, Hub, launch, Proxy, Site, wait } from './world.mjs';

let hub, site, browser;
const proxies = [];

before(async () => {
  [hub, site, browser] = await Promise.all([Hub.start('-keys', 'none'), Site.start(), launch()]);
  await hub.setStocks(Array.from({ length: 5_000 }, (_, i) => ({ sku: `S${i}`, available: 50 })));
  site.put('/load.css', 'stock-badge{display:inline-block;inline-size:12em;block-size:2em}', { type: 'text/css' });
});

after(async () => {
  for (const proxy of proxies) proxy.stop();
  await browser?.close();
  site?.stop();
  await hub?.stop();
});

/** loaded opens a page with n badges on a CPU that is six times slower, and notes its long tasks. */
async function loaded(n) {
  const proxy = await Proxy.start(hub.port);
  proxies.push(proxy);
  site.put(`/${n}.js`, `import { connect } from '${hub.module}'; window.live = connect({ url: '${proxy.socket}' });`, { type: 'text/javascript' });
  const badges = Array.from({ length: n }, (_, i) => `<stock-badge sku="S${i}" state="in" quantity="50" version="1">In stock</stock-badge>`).join(' ');
  const url = site.put(`/${n}`, `<!doctype html><html lang="en"><title>Shop</title><link rel="stylesheet" href="/load.css">${badges}
    <script type="module" src="/${n}.js"></script>`);
  const context = await browser.newContext();
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: 6 });
  // The long tasks of the module, not those that parse and lay out the document itself.
  await page.addInitScript(() => {
    window.tasks = [];
    new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((e) => [Math.round(e.startTime), Math.round(e.duration)])))
      .observe({ type: 'longtask', buffered: true });
  });
  await page.goto(url);
  await eventually(async () => (await badgeState(page, 'S0')) === 'in', 'the first badge', 30_000);
  await wait(1_000);
  return { page, proxy, session };
}

const longest = (page, since = 0) => page.evaluate((since) => Math.max(0, ...window.tasks.filter(([at]) => at >= since).map(([, ms]) => ms)), since);
const now = (page) => page.evaluate(() => performance.now());

/** withoutUs returns the longest task of the same page without the module: parsing and layout. */
async function withoutUs(n) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: 6 });
  await page.addInitScript(() => {
    window.tasks = [];
    new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((e) => [Math.round(e.startTime), Math.round(e.duration)])))
      .observe({ type: 'longtask', buffered: true });
  });
  await page.route('**/*.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
  await page.goto(`${site.origin}/${n}`);
  await wait(1_500);
  const ms = await longest(page);
  await context.close();
  return ms;
}

for (const n of [500, 5_000]) {
  test(`${n} badges on a slow CPU`, async () => {
    const { page, proxy } = await loaded(n);
    const load = await longest(page);
    let from = await now(page);
    proxy.cut();
    await eventually(async () => (await badgeState(page, 'S0')) === 'in stale', 'stale');
    await eventually(async () => (await badgeState(page, 'S0')) === 'in', 'live again', 30_000);
    await wait(500);
    const reconnect = await longest(page, from);
    from = await now(page);
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await wait(500);
    await eventually(async () => (await badgeState(page, 'S0')) === 'in', 'proved again');
    const back = await longest(page, from);
    from = await now(page);
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    for (let y = 0; y < Math.min(height, 8_000); y += 800) {
      await page.evaluate((y) => scrollTo(0, y), y);
      await wait(100);
    }
    await wait(500);
    const scroll = await longest(page, from);
    const document = await withoutUs(n);
    console.log(`${n} badges, CPU 6x slower: longest task at load ${load} ms (document alone ${document} ms), ` +
      `reconnect ${reconnect} ms, return ${back} ms, scroll ${scroll} ms`);
    const open = await page.evaluate(() => document.querySelectorAll('stock-badge').length);
    assert.equal(open, n);
    const topics = (await hub.connections()).at(-1)?.topics.length ?? 0;
    assert.ok(topics <= 200, `${topics} topics`);
  });
}
