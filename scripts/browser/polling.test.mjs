// A network that blocks sockets: the page goes on over HTTP, and over a socket once it can.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { badgeState, badgeText, browser, eventually, freePort, Hub, hub, open, Proxy, site, useWorld, wait } from './world.mjs';

useWorld();

/** watch records every text and every look of the page's badges. */
const watch = `window.seen = [];
  const look = () => {
    for (const badge of document.querySelectorAll('stock-badge')) {
      const root = badge.shadowRoot;
      if (!root) continue;
      const slot = root.querySelector('slot');
      const words = slot.assignedNodes().length > 0 ? badge.textContent : slot.textContent;
      const now = [words + root.querySelector('.mark').textContent, root.firstElementChild.className].join(' | ');
      if (seen.at(-1) !== now) seen.push(now);
    }
  };
  const observed = new WeakSet();
  (function follow() {
    for (const { shadowRoot } of document.querySelectorAll('stock-badge')) {
      if (!shadowRoot || observed.has(shadowRoot)) continue;
      observed.add(shadowRoot);
      new MutationObserver(look).observe(shadowRoot, { subtree: true, childList: true, characterData: true, attributes: true });
      look();
    }
    requestAnimationFrame(follow);
  })();`;

/** pageOver opens a page that reaches the hub over a proxy. */
async function pageOver(proxy, path, html) {
  site.put('/watch.js', watch, { type: 'text/javascript' });
  site.put(`${path}.js`, `import { connect } from '${hub.module}';
    window.live = connect({ url: '${proxy.socket}' });`, { type: 'text/javascript' });
  const url = site.put(path, `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">${html}
    <script src="/watch.js"></script><script type="module" src="${path}.js"></script>`);
  return open(await browser.newContext(), url);
}

const status = (p) => p.evaluate(() => window.live?.status);
const cartText = (p) => p.locator('cart-badge').evaluate((e) => e.shadowRoot?.textContent ?? '');

/** proved returns what a badge showed from the first proved text on. */
const proved = async (p) => {
  const seen = await p.evaluate(() => window.seen);
  return seen.slice(seen.findIndex((look) => !/unknown|stale/.test(look)));
};

test('localhub -no-sockets: a badge is right within 6 s, and a change of the cart is made', async () => {
  const blocked = await Hub.start('-keys', 'none', '-no-sockets');
  try {
    await blocked.setStock('MUG', 2);
    const url = site.put('/blocked', `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">
      <stock-badge sku="MUG"></stock-badge> <stock-badge sku="NO-SUCH"></stock-badge> <cart-badge>…</cart-badge>
      <script type="module" src="${blocked.module}"></script>`);
    const p = await open(await browser.newContext(), url);
    await eventually(async () => (await badgeState(p, 'MUG')) === 'low', 'proved', 6_000);
    assert.equal(await badgeText(p, 'MUG'), 'Only 2 left');
    await eventually(async () => (await badgeState(p, 'NO-SUCH')) === 'denied', 'no such item'); // maybe by another request
    const live = await p.evaluateHandle(async (module) => (await import(module)).pageLive(), blocked.module);
    assert.equal(await live.evaluate((l) => l.status), 'polling');
    const { lines } = await live.evaluate((l) => l.cart.add('MUG', 2));
    assert.equal(lines.MUG.quantity, 2);
    await eventually(async () => (await cartText(p)) === '2 items', 'the cart');
    await blocked.setStock('MUG', 1);
    await eventually(async () => (await badgeText(p, 'MUG')) === 'Only 1 left', 'the change', 7_000);
    assert.deepEqual((await live.evaluate((l) => l.cart.checkout())).ordered, { MUG: 2 });
    await eventually(async () => (await cartText(p)) === '0 items', 'the empty cart');
  } finally {
    await blocked.stop();
  }
});

test('a page with the tag alone polls the REST API that it names on another host', async () => {
  await hub.setStock('MUG', 2);
  const url = site.put('/named', `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">
    <meta name="securecart-url" content="ws://127.0.0.1:${await freePort()}/v1">
    <meta name="securecart-rest" content="${hub.origin}"><stock-badge sku="MUG"></stock-badge>
    <script type="module" src="${hub.module}"></script>`);
  const p = await open(await browser.newContext(), url);
  await eventually(async () => (await badgeState(p, 'MUG')) === 'low', 'polled', 6_000);
  const live = await p.evaluateHandle(async (module) => (await import(module)).pageLive(), hub.module);
  assert.equal(await live.evaluate((l) => l.status), 'polling');
});

test('a page whose network lets sockets through again goes over without a flicker', async () => {
  await hub.setStock('MUG', 9);
  const proxy = await Proxy.start(hub.port);
  proxy.refusesSockets = true;
  const p = await pageOver(proxy, '/over', '<stock-badge sku="MUG"></stock-badge> <cart-badge>…</cart-badge>');
  await eventually(async () => (await status(p)) === 'polling', 'polling', 6_000);
  await p.evaluate(() => window.live.cart.add('MUG', 2));
  await hub.setStock('MUG', 4);
  await eventually(async () => (await badgeText(p, 'MUG')) === 'Only 4 left', 'polled', 7_000);
  await eventually(() => proxy.statuses.includes(304), 'a poll that says that nothing changed', 7_000);
  proxy.refusesSockets = false;
  await p.evaluate(() => dispatchEvent(new Event('online')));
  await eventually(async () => (await status(p)) === 'live', 'live');
  await wait(500);
  await hub.setStock('MUG', 3);
  await eventually(async () => (await badgeText(p, 'MUG')) === 'Only 3 left', 'pushed', 1_000);
  assert.deepEqual(await proved(p), ['In stock | box in', 'Only 4 left | box low', 'Only 3 left | box low']);
  assert.equal(await cartText(p), '2 items');
});

test('a network that begins to block sockets: nothing goes back, and no change is made twice', async () => {
  await hub.setStock('TEE-RED-M', 40);
  await hub.setStock('MUG', 9);
  const proxy = await Proxy.start(hub.port);
  const p = await pageOver(proxy, '/back', '<stock-badge sku="MUG"></stock-badge> <cart-badge>…</cart-badge>');
  await eventually(async () => (await status(p)) === 'live' && (await cartText(p)) === '0 items', 'live');
  await hub.setStock('MUG', 4);
  await eventually(async () => (await badgeText(p, 'MUG')) === 'Only 4 left', 'pushed');
  proxy.losesAnswers = true;
  await p.evaluate(() => void window.live.cart.add('TEE-RED-M', 3).then((answer) => (window.answer = answer)));
  await wait(500); // the hub makes the change
  proxy.refusesSockets = true;
  proxy.losesAnswers = false;
  proxy.cut();
  await eventually(async () => (await status(p)) === 'polling', 'polling', 20_000);
  assert.equal((await eventually(() => p.evaluate(() => window.answer), 'the answer')).duplicate, true);
  await eventually(async () => (await cartText(p)) === '3 items', 'the cart');
  await hub.setStock('MUG', 3);
  await eventually(async () => (await badgeText(p, 'MUG')) === 'Only 3 left', 'polled', 7_000);
  const words = (await proved(p)).map((look) => /^In stock|^Only \d/.exec(look)?.[0] ?? look);
  assert.deepEqual(words.filter((word, i) => word !== words[i - 1]), ['In stock', 'Only 4', 'Only 3']);
});
