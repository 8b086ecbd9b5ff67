// Measures what the inspector's page does under load, with a fake tap that sends frames as
// the real one batches them, every 100 ms. It prints a table:
// scripts/browser/with node scripts/browser/inspectorbench.mjs

import { FakeAdmin, Log } from './fakeadmin.mjs';
import { eventually, Hub, launch, open, wait } from './world.mjs';

const seconds = 15;
const sockets = 120;
const crowd = Array.from({ length: 62 }, (_, i) => ({ user: 'guest:1', conn: `crowd${i}CkPE=` })); // 62 posts and frames: 129 events

/** flood sends n events a second for some seconds. */
async function flood(admin, log, n) {
  const begin = Date.now();
  let sent = 0;
  let version = 1;
  while (Date.now() - begin < seconds * 1000) {
    const due = ((Date.now() - begin) / 1000) * n;
    const events = [];
    while (sent + events.length < due) events.push(...log.change('MUG', ++version, 3, crowd));
    if (events.length > 0) admin.send(events);
    sent += events.length;
    await wait(100);
  }
  return sent;
}

/** watch counts long tasks and frames drawn of a page, and returns what reads them. */
async function watch(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  const busy = async () =>
    (await cdp.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration').value;
  await page.evaluate(() => {
    window.tasks = [];
    window.drawn = 0;
    const observer = new PerformanceObserver((list) => list.getEntries().forEach((e) => window.tasks.push(e.duration)));
    observer.observe({ type: 'longtask' });
    const draw = () => {
      window.drawn++;
      requestAnimationFrame(draw);
    };
    draw();
  });
  const [before, began] = [await busy(), Date.now()];
  return async () => {
    const { tasks, drawn } = await page.evaluate(() => ({ tasks: window.tasks, drawn: window.drawn }));
    const passed = (Date.now() - began) / 1000;
    const share = (100 * ((await busy()) - before)) / passed;
    return `${tasks.length} | ${Math.round(Math.max(0, ...tasks))} ms | ${Math.round(drawn / passed)} | ${share.toFixed(0)} %`;
  };
}

const context = () => browser.newContext({ viewport: { width: 1280, height: 800 } });

/** fake measures the page alone. */
async function fake(n, screen) {
  const [admin, log] = [await FakeAdmin.start(), new Log()];
  const page = await open(await context(), `${admin.page}?screen=${screen}`);
  await eventually(() => admin.sockets.size === 1, 'the feed');
  await wait(1000);
  const read = await watch(page);
  const sent = await flood(admin, log, n);
  console.log(`| ${Math.round(sent / seconds)} | ${screen.split('&')[0]} | ${await read()} |`);
  await page.context().close();
  await admin.stop();
}

/** real measures the page at a localhub with sockets that get frames as quickly as changes can be written. */
async function real() {
  const [hub, crowdBrowser] = [await Hub.start('-keys', 'none'), await launch()];
  const clients = await open(await crowdBrowser.newContext(), `${hub.origin}/icon.svg`);
  await clients.evaluate(async ({ socket, n }) => {
    window.got = 0;
    window.sockets = await Promise.all(Array.from({ length: n }, () => new Promise((resolve) => {
      const ws = new WebSocket(socket, ['securecart.v1']);
      ws.onopen = () => ws.send('sub MUG');
      ws.onmessage = () => {
        window.got++;
        resolve(ws);
      };
    })));
  }, { socket: hub.socket, n: sockets });
  const page = await open(await context(), `${hub.adminURL.replace('/admin', '/_hub/')}?screen=frames`);
  await page.locator('.cell', { hasText: '● live' }).waitFor();
  const read = await watch(page);
  const [got, began] = [await clients.evaluate('window.got'), Date.now()];
  for (let i = 0; Date.now() - began < seconds * 1000; i++) await hub.setStock('MUG', 1 + (i % 5));
  const frames = ((await clients.evaluate('window.got')) - got) / ((Date.now() - began) / 1000);
  const log = await page.locator('.cell', { hasText: 'Log' }).textContent();
  console.log(`| ${Math.round(frames)} frames to ${sockets} sockets, ${log.replace('Log', 'log: ')} | frames | ${await read()} |`);
  await Promise.all([page.context().close(), crowdBrowser.close(), hub.stop()]);
}

const browser = await launch();
console.log('| Events a second | Screen | Long tasks | Longest | Drawn a second | Main thread busy |');
console.log('|---|---|---|---|---|---|');
await fake(0, 'frames');
await fake(2000, 'frames');
await fake(2000, 'overview');
await fake(2000, 'topics&id=sku:MUG');
await fake(10_000, 'frames');
await real();
await browser.close();
