// A network that blocks sockets: the page goes on over HTTP, and over a socket once it can.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { badgeState, badgeText, browser, eventually, Hub, hub, open, Proxy, site, useWorld, wait } from './world.mjs';

useWorld();

/** watch records every text and every look of the page's badges, with the moment. */
const watch = `window.seen = [];
  const look = () => {
    for (const badge of document.querySelectorAll('stock-badge')) {
      const root = badge.shadowRoot;
      const slot = root?.querySelector('slot');
      const own = !slot || slot.assignedNodes().length > 0;
      const text = (own ? badge.textContent : slot.textContent) + (root?.querySelector('.mark').textContent ?? '');
      const entry = [badge.sku, text, root?.firstElementChild?.className ?? 'server'].join('|');
      if (seen.findLast((e) => e.startsWith(badge.sku + '|')) !== entry) seen.push(entry);
    }
  };
  const watched = new WeakSet();
  const follow = () => {
    for (const badge of document.querySelectorAll('stock-badge')) {
      const root = badge.shadowRoot;
      if (!root || watched.has(root)) continue;
      watched.add(root);
      new MutationObserver(look).observe(root, { subtree: true, childList: true, characterData: true, attributes: true });
    }
    look();
    requestAnimationFrame(follow);
  };
  follow();`;

/** page opens a page on a network of its own. */
async function page(path, html, { proxy, context, fields = '' }) {
  site.put('/watch.js', watch, { type: 'text/javascript' });
  site.put(`${path}.js`, `import { connect } from '${hub.module}';
    window.live = connect({ url: '${proxy.socket}'${fields} });`, { type: 'text/javascript' });
  const url = site.put(path, `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">${html}
    <script src="/watch.js"></script><script type="module" src="${path}.js"></script>`);
  return open(context ?? await browser.newContext(), url);
}

const status = (p) => p.evaluate(() => window.live.status);

test('localhub -no-sockets: a badge is right within 6 s, and a change of the cart is made', async () => {
  const blocked = await Hub.start('-keys', 'none', '-no-sockets');
  try {
    await blocked.setStock('MUG', 2);
    const url = site.put('/blocked', `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">
      <script type="module" src="${blocked.module}"></script>
      <stock-badge sku="MUG"></stock-badge><stock-badge sku="NO-SUCH"></stock-badge><cart-badge>…</cart-badge>`);
    const began = Date.now();
    const p = await open(await browser.newContext(), url);
    await eventually(async () => (await badgeState(p, 'MUG')) === 'low', 'proved', 6_000);
    console.log('right after', Date.now() - began, 'ms');
    assert.equal(await badgeText(p, 'MUG'), 'Only 2 left');
    assert.equal(await badgeState(p, 'NO-SUCH'), 'denied');
    await blocked.setStock('MUG', 1);
    await eventually(async () => (await badgeText(p, 'MUG')) === 'Only 1 left', 'the change', 7_000);
  } finally {
    await blocked.stop();
  }
});

test('a page goes over to the socket without a flicker', async () => {
  await hub.setStock('MUG', 9);
  const proxy = await Proxy.start(hub.port);
  proxy.refusesSockets = true;
  const p = await page('/over', '<stock-badge sku="MUG"></stock-badge><cart-badge>…</cart-badge>', { proxy });
  await eventually(async () => (await status(p)) === 'polling', 'polling', 6_000);
  await p.evaluate(() => window.live.cart.add('MUG', 2));
  assert.equal(await p.locator('cart-badge').evaluate((e) => e.shadowRoot.textContent), '2 items');
  await hub.setStock('MUG', 4);
  await eventually(async () => (await badgeText(p, 'MUG')) === 'Only 4 left', 'polled', 7_000);
  proxy.refusesSockets = false;
  await p.evaluate(() => dispatchEvent(new Event('online')));
  await eventually(async () => (await status(p)) === 'live', 'live');
  await hub.setStock('MUG', 3);
  await eventually(async () => (await badgeText(p, 'MUG')) === 'Only 3 left', 'pushed', 1_000);
  console.log(await p.evaluate(() => window.seen), p.complaints);
});
