// An afternoon in a shop: two devices, a vendor, a storm, a restart of the hub, a phone without
// network, a page that is left and comes back. In the end every page shows the same cart.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { badgeText, browser, eventually, hub, open, Proxy, site, useWorld } from './world.mjs';

const folder = mkdtempSync(join(tmpdir(), 'afternoon-'));
const skus = ['MUG', 'CAP-NAVY', 'TEE-RED-M', 'TEE-RED-L'];

useWorld({
  flags: ['-data', folder],
  prepare: async () => {
    for (const sku of skus) await hub.setStock(sku, 500);
  },
  cleanUp: () => rmSync(folder, { recursive: true, force: true }),
});

/** device opens the shop on a device, with a number of tabs. */
async function device(name, tabs) {
  const proxy = await Proxy.start(hub.port);
  site.put(`/${name}.js`, `import { connect } from '${hub.module}';
    window.live = connect({ url: '${proxy.socket}', token: async () => (await (await fetch('/token')).text()) || null });`, { type: 'text/javascript' });
  const html = `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">
    <script type="module" src="/${name}.js"></script>
    ${skus.map((sku) => `<p>${sku} <stock-badge sku="${sku}"></stock-badge></p>`).join('')}<cart-badge></cart-badge><cart-view></cart-view>`;
  const url = site.put(`/${name}`, html);
  site.put(`/${name}/other`, html);
  const context = await browser.newContext();
  const pages = [];
  for (let i = 0; i < tabs; i++) pages.push(await open(context, url));
  for (const page of pages) await eventually(() => page.evaluate(() => window.live?.cart.state.live), `${name} is live`, 20_000);
  return { pages, proxy, url };
}

test('an afternoon ends with one cart everywhere, and each click counted once', async () => {
  const { token } = await hub.admin('POST', '/token', { user: 'ann' });
  site.put('/token', token, { type: 'text/plain' });
  const [laptop, phone] = [await device('laptop', 2), await device('phone', 1)];
  const want = Object.fromEntries(skus.map((sku) => [sku, 0]));
  const click = (page, sku, n) => {
    want[sku] += n;
    return page.evaluate(([sku, n]) => void window.live.cart.add(sku, n).catch(() => {}), [sku, n]);
  };
  for (const sku of skus) await click(laptop.pages[0], sku, 20); // so that no click takes more than there is
  await eventually(() => phone.pages[0].evaluate(() => [...window.live.cart.state.lines.values()].every((l) => l.confirmed === 20) && window.live.cart.state.lines.size === 4), 'the same cart on the phone');

  // A storm: both devices click while the shop's stock changes.
  await Promise.all([laptop.pages[0], laptop.pages[1], phone.pages[0]].map(async (page, i) => {
    for (let n = 0; n < 15; n++) {
      await click(page, skus[(n + i) % 4], n % 3 === 0 ? -1 : 1);
      await hub.setStock(skus[n % 4], 300 + n);
    }
  }));

  // The phone loses the network and goes on.
  phone.proxy.stop();
  await eventually(() => phone.pages[0].evaluate(() => !window.live.live), 'the phone is stale');
  for (const sku of skus) await click(phone.pages[0], sku, 2);
  await click(laptop.pages[1], 'MUG', -3);

  // The hub restarts, with its file.
  await hub.stop();
  await click(laptop.pages[0], 'MUG', 1);
  await hub.run();
  phone.proxy.server.listen(Number(new URL(phone.proxy.socket).port), '127.0.0.1');

  // The first tab of the laptop is left and comes back.
  await laptop.pages[0].goto(`${laptop.url}/other`);
  await click(laptop.pages[1], 'CAP-NAVY', 1);
  await laptop.pages[0].evaluate(() => history.back()).catch(() => {});

  const pages = [...laptop.pages, ...phone.pages];
  const cartOf = (page) => page.evaluate(() => window.live && {
    live: window.live.cart.state.live,
    pending: window.live.cart.state.pending,
    lines: Object.fromEntries([...window.live.cart.state.lines].map(([sku, line]) => [sku, line.confirmed]).sort()),
  });
  const wanted = JSON.stringify(Object.fromEntries(Object.entries(want).sort()));
  for (const [i, page] of pages.entries()) {
    let cart;
    await eventually(async () => {
      cart = await cartOf(page).catch(() => null);
      return cart?.live && cart.pending === 0 && JSON.stringify(cart.lines) === wanted;
    }, `page ${i} shows the cart ${wanted}`, 60_000).catch((error) => assert.fail(`${error.message}, got ${JSON.stringify(cart)}`));
  }
  await hub.setStock('MUG', 2); // not before: it would limit what is still on its way
  for (const [i, page] of pages.entries()) {
    await eventually(async () => (await badgeText(page, 'MUG')) === 'Only 2 left', `page ${i} shows the stock`, 20_000);
  }
});
