// A page whose 50 badges a server has rendered: what it shows when the socket goes on from there.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { badgeText, browser, eventually, Hub, site } from './world.mjs';

/** names are 50 SKUs. The first ones are not easy to write. */
export const names = ['RED CAP', 'S&M.10', 'A+B', '"QUOTED" <b>', "IT'S", '{{ product }}', '{% raw %}', '100% ÄPFEL', '--', 'a/b?c#d'];
for (let i = 1; names.length < 50; i++) names.push(`ITEM-${i}`);

/** startShop starts a hub with these SKUs, and some others. It has a token of the shop's server. */
export async function startShop(folder) {
  const file = join(folder, 'catalogue.json');
  const available = (i) => [40, 3, 0][i % 3];
  const products = names.map((sku, i) => ({ sku, available: available(i), lowAt: 5, backorder: i % 9 === 2, backAt: i % 9 === 2 ? '2027-01-24' : undefined }));
  writeFileSync(file, JSON.stringify(products));
  const hub = await Hub.start('-keys', 'none', '-seed', file);
  hub.rest = hub.origin;
  hub.token = (await hub.admin('POST', '/token', { user: 'server' })).token;
  return hub;
}

/** look collects every text that a badge shows, frame by frame. */
const look = `window.seen = {};
  (function look() {
    for (const badge of document.querySelectorAll('stock-badge')) {
      const slot = badge.shadowRoot?.querySelector('slot');
      const words = slot && slot.assignedNodes().length === 0 ? slot.textContent : badge.textContent;
      const text = words.trim() + (badge.shadowRoot?.querySelector('.mark').textContent ?? '');
      const all = (seen[badge.getAttribute('sku')] ??= []);
      if (all.at(-1) !== text) all.push(text);
    }
    requestAnimationFrame(look);
  })();`;

/** goesOnFrom opens a page with badges that render returns: it goes on from what they say, without a flicker. */
export async function goesOnFrom(shop, path, render) {
  // On a busy machine the hub may take longer than a server waits for it.
  const html = await eventually(async () => ((text) => text.includes('state=') && text)(await render()), 'badges with values');
  site.put('/look.js', look, { type: 'text/javascript' });
  const url = site.put(path, `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,">
    <style>p, li { display: inline-block; margin: 0 }</style><script src="/look.js"></script>${html}
    <script type="module" src="${shop.module}"></script>`);
  const page = await (await browser.newContext()).newPage();
  const frames = [];
  page.on('websocket', (ws) => {
    for (const type of ['framesent', 'framereceived']) ws.on(type, ({ payload }) => frames.push(JSON.parse(payload)));
  });
  await page.goto(url);
  const isLive = () => page.evaluate(() => [...document.querySelectorAll('stock-badge')].filter((b) => b.matches(':state(in), :state(low), :state(out), :state(back)')).length);
  await eventually(async () => (await isLive()) === names.length, 'all are live');
  const asked = Object.assign({}, ...frames.filter((f) => f.action === 'subscribe').map((f) => f.topics));
  assert.deepEqual(Object.keys(asked).sort(), names.map((sku) => `sku:${sku}`).sort());
  for (const [topic, value] of Object.entries(asked)) assert.ok(value.version > 0 && value.state, `${topic} begins with what the page has`);
  const unchanged = frames.filter((f) => f.type === 'snapshot').map((f) => f.unchanged ?? 0);
  assert.equal(unchanged.reduce((a, b) => a + b, 0), names.length, 'the hub has nothing to add');
  const seen = await page.evaluate(() => window.seen);
  assert.deepEqual(Object.keys(seen).sort(), [...names].sort());
  for (const [sku, texts] of Object.entries(seen)) assert.match(texts.join(' → '), /^(In stock|Only 3 left|Sold out|Back order)$/, sku);
  await shop.setStock('ITEM-1', 2);
  await eventually(async () => (await badgeText(page, 'ITEM-1')) === 'Only 2 left', 'a change');
  await shop.setStock('ITEM-1', 3);
  await page.close();
}
