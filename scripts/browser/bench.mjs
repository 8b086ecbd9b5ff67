// Measures the client in Chromium: from the commit of a change to the painted badge, the page's
// main thread with many badges, and messages of an hour. Run it with make benchclient, on a
// machine that does nothing else.

import { badgeState, eventually, Hub, launch, Proxy, Site, wait } from './world.mjs';

const slowdown = 6; // of the CPU, as on a cheap phone
const runs = 3;
const [hub, site, browser] = await Promise.all([Hub.start('-keys', 'none', '-limits', 'guest=2000'), Site.start(), launch()]);
await hub.setStocks(Array.from({ length: 5_000 }, (_, i) => ({ sku: `S${i}`, available: 50 })));

/** What a page runs once it is there: the client, or what shows the browser's own part. */
const scripts = {
  client: (socket) => `import { connect } from '${hub.module}'; window.live = connect({ url: '${socket}' });`,
  define: () => `customElements.define('stock-badge', class extends HTMLElement { connectedCallback() {} })`,
  watch: () => `const seen = new IntersectionObserver(() => {}, { rootMargin: '200px' });
    for (const badge of document.querySelectorAll('stock-badge')) seen.observe(badge);`,
  write: () => `document.querySelector('stock-badge').textContent = 'Only 3 left, and a word more';`,
};

/** loaded opens a page with n products and a badge in each. run starts a script when the page has settled. */
async function loaded(n, slow) {
  const proxy = await Proxy.start(hub.port);
  for (const [name, script] of Object.entries(scripts)) site.put(`/${name}.js`, script(proxy.socket), { type: 'text/javascript' });
  const products = Array.from({ length: n }, (_, i) =>
    `<li><h3>Product ${i}</h3><stock-badge sku="S${i}" state="in" quantity="50" version="1">In stock</stock-badge></li>`).join('');
  const url = site.put(`/${n}`, `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,"><ul>${products}</ul>`);
  const context = await browser.newContext();
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: slow });
  await page.addInitScript(() => {
    window.tasks = [];
    window.scripts = [];
    const note = (list, entries) => list.push(...entries.map((e) => [e.startTime, e.duration]));
    new PerformanceObserver((l) => note(window.tasks, l.getEntries())).observe({ type: 'longtask', buffered: true });
    new PerformanceObserver((l) => l.getEntries().forEach((e) => note(window.scripts, e.scripts))).observe({ type: 'long-animation-frame', buffered: true });
  });
  await page.goto(url);
  await wait(2_000);
  const run = (name) => page.evaluate((name) => document.head.append(Object.assign(document.createElement('script'), { type: 'module', src: `/${name}.js` })), name);
  const isLive = () => eventually(async () => (await badgeState(page, 'S0')) === 'in', 'the first badge', 60_000);
  return { page, proxy, context, run, isLive };
}

/** longest returns the longest task of a phase of a page, and the longest script in it, in ms; 0 is less than 50. */
async function longest(page, work) {
  const from = await page.evaluate(() => performance.now());
  await work();
  await wait(2_000);
  return page.evaluate((from) => ['tasks', 'scripts'].map((list) =>
    Math.round(Math.max(0, ...window[list].filter(([at]) => at >= from).map(([, ms]) => ms)))), from);
}

const phases = {
  client: ({ run, isLive }) => run('client').then(isLive),
  reconnect: async ({ page, proxy, isLive }) => {
    proxy.cut();
    await eventually(async () => (await badgeState(page, 'S0')) === 'in stale', 'stale');
    await isLive();
  },
  return: ({ page }) => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange'))),
};

/** mainThread prints the longest tasks of several runs: whatever else the machine does makes them longer. */
async function mainThread(n) {
  const figures = {};
  const note = (name, figure) => (figures[name] ??= []).push(figure.join('/'));
  for (let i = 0; i < runs; i++) {
    for (const name of ['define', 'watch', 'write']) {
      const bare = await loaded(n, slowdown);
      note(name, await longest(bare.page, () => bare.run(name)));
      await bare.context.close();
      bare.proxy.stop();
    }
    const shop = await loaded(n, slowdown);
    for (const [name, work] of Object.entries(phases)) note(name, await longest(shop.page, () => work(shop)));
    await shop.context.close();
    shop.proxy.stop();
  }
  for (const [name, runs] of Object.entries(figures)) console.log(`${n} badges, CPU ${slowdown} times slower, ${name}: task/script ${runs.join(', ')} ms`);
}

async function commitToPaint() {
  const { page, proxy, context, run, isLive } = await loaded(50, 1);
  await run('client');
  await isLive();
  const ms = [];
  for (let i = 0; i < 300; i++) {
    const left = i % 2 === 0 ? 1 + (i % 3) : 0;
    const painted = page.evaluate((text) => new Promise((resolve) => {
      const look = () => {
        const shown = document.querySelector('stock-badge[sku=S7]').shadowRoot?.querySelector('slot').textContent;
        // After the frame that has the text.
        if (shown === text) requestAnimationFrame(() => setTimeout(() => resolve(Date.now())));
        else requestAnimationFrame(look);
      };
      look();
    }), left > 0 ? `Only ${left} left` : 'Sold out');
    const at = Date.now();
    await hub.setStock('S7', left);
    ms.push((await painted) - at);
  }
  ms.sort((a, b) => a - b);
  console.log(`from the request that changes stock to the painted badge: p50 ${ms[150]} ms, p99 ${ms[297]} ms (300 changes)`);
  await context.close();
  proxy.stop();
}

await commitToPaint();
for (const n of [500, 5_000]) await mainThread(n);
await browser.close();
site.stop();
await hub.stop();
