// What the elements do on a page that changes: its connection is closed, its items are others,
// its elements come late.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { badgeState, badgeText, eventually, Hub, launch, open, Proxy, Site } from './world.mjs';

let hub, site, browser;
const proxies = [];

before(async () => {
  [hub, site, browser] = await Promise.all([Hub.start('-keys', 'none'), Site.start(), launch()]);
});

after(async () => {
  for (const proxy of proxies) proxy.stop();
  await browser?.close();
  site?.stop();
  await hub?.stop();
});

/** page opens a page that connects over a proxy which a test can harm. */
async function page(path, html) {
  const proxy = await Proxy.start(hub.port);
  proxies.push(proxy);
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
  assert.match(await badgeText(p, 'MUG'), /^Only 2 left at \d\d:\d\d/);
  await eventually(async () => (await cartBadge(p)).stale, 'a stale cart');
  const closed = await cartBadge(p);
  assert.equal(closed.text, '1 item');
  assert.equal(closed.color, 'rgb(90, 83, 101)');
  assert.notEqual(closed.color, before.color);
  assert.deepEqual(p.complaints, []);
});
