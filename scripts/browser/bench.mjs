// Measures the client in Chromium: from the commit of a change to the painted badge, the page's
// main thread with many badges, and messages of an hour. Run it with make benchclient, on a
// machine that does nothing else.

import { badgeState, eventually, Hub, launch, Proxy, Site, wait } from './world.mjs';

const slowdown = 6; // of the CPU, as on a cheap phone
const [hub, site, browser] = await Promise.all([Hub.start('-keys', 'none', '-limits', 'guest=2000'), Site.start(), launch()]);
await hub.setStocks(Array.from({ length: 5_000 }, (_, i) => ({ sku: `S${i}`, available: 50 })));
site.put('/load.css', 'stock-badge{display:inline-block;inline-size:12em;block-size:2em}', { type: 'text/css' });

/** loaded opens a page with n badges, and notes its long tasks and the scripts in long frames. */
async function loaded(n, { slow = slowdown, script = true } = {}) {
  const proxy = await Proxy.start(hub.port);
  site.put(`/${n}.js`, script ? `import { connect } from '${hub.module}'; window.live = connect({ url: '${proxy.socket}' });` : '', { type: 'text/javascript' });
  const badges = Array.from({ length: n }, (_, i) => `<stock-badge sku="S${i}" state="in" quantity="50" version="1">In stock</stock-badge>`).join(' ');
  const url = site.put(`/${n}`, `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/load.css">${badges}
    <script type="module" src="/${n}.js"></script>`);
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
  if (script) await eventually(async () => (await badgeState(page, 'S0')) === 'in', 'the first badge', 60_000);
  await wait(2_000);
  return { page, proxy, context };
}

const longest = (page, list, since = 0) =>
  page.evaluate(([list, since]) => Math.round(Math.max(0, ...window[list].filter(([at]) => at >= since).map(([, ms]) => ms))), [list, since]);

async function mainThread(n) {
  const bare = await loaded(n, { script: false });
  const bareTask = await longest(bare.page, 'tasks');
  await bare.context.close();
  const { page, proxy, context } = await loaded(n);
  const row = [];
  const phase = async (name, work) => {
    const from = name === 'load' ? 0 : await page.evaluate(() => performance.now());
    await work();
    row.push(`${name}: task ${await longest(page, 'tasks', from)} ms, script ${await longest(page, 'scripts', from)} ms`);
  };
  await phase('load', async () => {});
  await phase('reconnect', async () => {
    proxy.cut();
    await eventually(async () => (await badgeState(page, 'S0')) === 'in stale', 'stale');
    await eventually(async () => (await badgeState(page, 'S0')) === 'in', 'live again', 30_000);
    await wait(500);
  });
  await phase('return', async () => {
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await wait(1_000);
  });
  console.log(`${n} badges, CPU ${slowdown} times slower; longest task without the client ${bareTask} ms; ${row.join('; ')}`);
  await context.close();
  proxy.stop();
}

async function commitToPaint() {
  const { page, proxy, context } = await loaded(50, { slow: 1 });
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
