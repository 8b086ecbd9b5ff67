// Measures what the inspector's page does under load, with a fake tap that sends frames as
// the real one batches them, every 100 ms. It prints a table:
// scripts/browser/with node scripts/browser/inspectorbench.mjs

import { FakeAdmin, Log } from './fakeadmin.mjs';
import { eventually, launch, open, wait } from './world.mjs';

const seconds = 15;
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

const browser = await launch();
console.log('| Events a second | Screen | Arrived | Long tasks | Longest | Frames drawn a second | Main thread busy |');
console.log('|---|---|---|---|---|---|---|');
for (const [n, screen] of [[0, 'frames'], [2000, 'frames'], [2000, 'overview'], [2000, 'topics&id=sku:MUG'], [10_000, 'frames']]) {
  const [admin, log] = [await FakeAdmin.start(), new Log()];
  const page = await open(await browser.newContext({ viewport: { width: 1280, height: 800 } }), `${admin.page}?screen=${screen}`);
  await eventually(() => admin.sockets.size === 1, 'the feed');
  await wait(1000);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  const busy = async () => (await cdp.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration').value;
  await page.evaluate(() => {
    window.tasks = [];
    window.drawn = 0;
    new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => window.tasks.push(duration))).observe({ type: 'longtask' });
    const draw = () => {
      window.drawn++;
      requestAnimationFrame(draw);
    };
    draw();
  });
  const before = await busy();
  const sent = await flood(admin, log, n);
  const { tasks, drawn } = await page.evaluate(() => ({ tasks: window.tasks, drawn: window.drawn }));
  const share = (100 * ((await busy()) - before)) / seconds;
  console.log(`| ${n} | ${screen.split('&')[0]} | ${sent} | ${tasks.length} | ${Math.round(Math.max(0, ...tasks))} ms | ${Math.round(drawn / seconds)} | ${share.toFixed(0)} % |`);
  await page.context().close();
  await admin.stop();
}
await browser.close();
