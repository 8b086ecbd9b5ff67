// Thousands of badges: what is out of view costs no topic and no shadow root.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { badgeState, badgeText, browser, eventually, hub, open, Proxy, site, useWorld, wait } from './world.mjs';

useWorld({
  prepare: () => hub.setStocks(Array.from({ length: 5_000 }, (_, i) => ({ sku: `S${i}`, available: 50 }))),
});

test('5 000 badges: only those in view are subscribed, and nothing else is touched', async () => {
  site.put('/many.js', `import { connect } from '${hub.module}'; window.live = connect({ url: '${hub.socket}' });`, { type: 'text/javascript' });
  const badges = Array.from({ length: 5_000 }, (_, i) => `<p><stock-badge sku="S${i}" state="in" quantity="50" version="1">In stock</stock-badge></p>`).join('');
  const page = await open(await browser.newContext(), site.put('/', `<!doctype html><html lang="en"><title>Shop</title>
    <link rel="icon" href="data:,"><script type="module" src="/many.js"></script>${badges}`));
  await eventually(async () => (await badgeState(page, 'S0')) === 'in', 'the first badge');
  await wait(500);
  const roots = () => page.evaluate(() => [...document.querySelectorAll('stock-badge')].filter((b) => b.shadowRoot).length);
  assert.ok((await roots()) < 100, `${await roots()} shadow roots`);
  const [{ topics }] = await hub.connections();
  assert.ok(topics.length < 100, `${topics.length} topics`);
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await eventually(async () => (await badgeState(page, 'S4999')) === 'in', 'the last badge');
  assert.ok((await roots()) < 200, `${await roots()} shadow roots`);
  await eventually(async () => (await hub.connections())[0].topics.length < 100, 'the first ones are let go', 10_000);
  assert.deepEqual(page.complaints, []);
});

test('a doubt that is over within a second: the badges show it, and the browser lays out nothing', async () => {
  const proxy = await Proxy.start(hub.port);
  site.put('/calm.js', `import { connect } from '${hub.module}'; window.live = connect({ url: '${proxy.socket}' });`, { type: 'text/javascript' });
  const badges = Array.from({ length: 100 }, (_, i) => `<p><stock-badge sku="S${i}" state="in" quantity="50" version="1">In stock</stock-badge></p>`).join('');
  const context = await browser.newContext();
  const page = await open(context, site.put('/calm', `<!doctype html><html lang="en"><title>Shop</title>
    <link rel="icon" href="data:,"><script type="module" src="/calm.js"></script>${badges}`));
  await eventually(async () => (await badgeState(page, 'S0')) === 'in', 'the first badge');
  await page.evaluate(() => {
    window.states = [];
    const look = () => {
      states.push(document.querySelector('stock-badge').matches(':state(stale)'));
      requestAnimationFrame(look);
    };
    look();
  });
  await wait(500);
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable');
  const layouts = async () => (await session.send('Performance.getMetrics')).metrics.find((m) => m.name === 'LayoutCount').value;
  const before = await layouts();
  proxy.delay = 50; // so that a frame comes before the answer
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await eventually(() => page.evaluate(() => window.states.includes(true) && !window.states.at(-1)), 'stale, and proved again', 1_000);
  assert.equal(await layouts(), before);
  await page.evaluate(() => dispatchEvent(new Event('offline')));
  await eventually(async () => /at \d\d:\d\d/.test(await badgeText(page, 'S0')), 'a doubt that stays has a time', 3_000);
  assert.ok((await layouts()) > before, 'the count sees layouts');
});
