// All tabs of a browser: one guest, one socket, and another leader within a second.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { badgeText, browser, eventually, hub, open, site, useWorld, wait } from './world.mjs';

useWorld({
  prepare: async () => {
    site.put('/start.js', `import { connect } from '${hub.module}';
      window.live = connect({ url: '${hub.socket}' });`, { type: 'text/javascript' });
    for (const path of ['/', '/next']) {
      site.put(path, `<!doctype html><html lang="en"><title>Shop</title><script type="module" src="/start.js"></script>
        <stock-badge sku="MUG"></stock-badge> <cart-badge></cart-badge>`);
    }
  },
});

/** tabs opens pages of one browser, one after the other or at the same time, in a fresh profile, and counts their frames. */
async function tabs(n, together = false) {
  const context = await browser.newContext();
  // No tool freezes a page that is in view. To the other tabs, a deaf and dumb one is the same.
  await context.addInitScript(() => {
    const Own = window.BroadcastChannel;
    window.BroadcastChannel = class extends Own {
      postMessage(message) {
        if (!window.deaf) super.postMessage(message);
      }
      set onmessage(f) {
        super.onmessage = (event) => window.deaf || f(event);
      }
    };
  });
  const frames = { sent: 0, received: 0 };
  context.on('page', (page) => page.on('websocket', (ws) => {
    ws.on('framesent', () => frames.sent++);
    ws.on('framereceived', () => frames.received++);
  }));
  const pages = [];
  if (together) pages.push(...(await Promise.all(Array.from({ length: n }, () => open(context, `${site.origin}/`)))));
  while (pages.length < n) pages.push(await open(context, `${site.origin}/`));
  await eventually(async () => (await Promise.all(pages.map((p) => p.evaluate(() => window.live?.live)))).every(Boolean), 'all tabs live');
  return { context, pages, frames };
}

const ofAll = (pages, f) => Promise.all(pages.map((p) => p.evaluate(f)));
const leaders = async (pages) => (await ofAll(pages, () => window.live.leads)).filter(Boolean).length;

test('five tabs that open together are one guest with one socket', async () => {
  await hub.setStock('MUG', 2);
  const { context, pages, frames } = await tabs(5, true);
  assert.equal(new Set(await ofAll(pages, () => window.live.user)).size, 1);
  assert.equal(await leaders(pages), 1);
  assert.equal((await hub.connections()).length, 1);
  for (const p of pages) await eventually(async () => (await badgeText(p, 'MUG')) === 'Only 2 left', 'the badge');
  const { sent, received } = { ...frames };
  await hub.setStock('MUG', 1);
  for (const p of pages) await eventually(async () => (await badgeText(p, 'MUG')) === 'Only 1 left', 'the change');
  console.log(`five tabs: 1 connection; ${sent} messages sent and ${received} received until all were live; ` +
    `one change is ${frames.received - received} message`);
  assert.ok(sent <= 6, `${sent} messages`);
  assert.ok(frames.received - received <= 1 + 3, 'one delta, and at most pongs');
  await pages[3].evaluate(() => window.live.cart.add('MUG', 1));
  for (const p of pages) await eventually(() => p.evaluate(() => window.live.cart.state.lines.get('MUG')?.confirmed === 1), 'the cart');
  await context.close();
  await eventually(async () => (await hub.connections()).length === 0, 'gone');
});

test('the leader closes: another tab leads within a second', async () => {
  const { context, pages } = await tabs(3);
  const at = (await ofAll(pages, () => window.live.leads)).indexOf(true);
  await pages[at].close();
  const rest = pages.filter((_, i) => i !== at);
  const from = Date.now();
  await eventually(async () => (await leaders(rest)) === 1, 'another leader', 1_000);
  await eventually(async () => (await ofAll(rest, () => window.live.live)).every(Boolean), 'live again', 3_000);
  console.log(`leader closed: live again after ${Date.now() - from} ms`);
  await context.close();
});

test('the leader does not run: a tab that a person looks at takes over, and the other one follows', async () => {
  const { context, pages } = await tabs(2);
  const at = (await ofAll(pages, () => window.live.leads)).indexOf(true);
  const [leader, other] = [pages[at], pages[1 - at]];
  // A tab that was robbed while it was loading may take the lock again after half a minute only.
  await leader.evaluate(() => (window.deaf = true));
  await other.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await eventually(() => other.evaluate(() => window.live.leads && window.live.live), 'the other one leads', 40_000);
  await hub.setStock('MUG', 7);
  await eventually(async () => /7/.test(await badgeText(other, 'MUG')) || /^In stock/.test(await badgeText(other, 'MUG')), 'news');
  await leader.evaluate(() => {
    window.deaf = false;
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await eventually(async () => (await leaders(pages)) === 1 && (await ofAll(pages, () => window.live.live)).every(Boolean), 'one leader', 5_000);
  await context.close();
});

test('a page that comes back from the cache is not live until it was proved', async () => {
  await hub.setStock('MUG', 2);
  const { context, pages: [page] } = await tabs(1);
  await page.evaluate(() => {
    window.mine = true;
    addEventListener('pageshow', (e) => {
      window.persisted = e.persisted;
      window.atReturn = window.live.live;
    });
  });
  await page.goto(`${site.origin}/next`);
  await hub.setStock('MUG', 1);
  await page.evaluate(() => history.back()).catch(() => {});
  await eventually(() => page.evaluate(() => window.mine === true).catch(() => false), 'the cached page');
  assert.equal(await page.evaluate(() => window.persisted), true, 'nothing of ours keeps a page out of the cache');
  assert.equal(await page.evaluate(() => window.atReturn), false);
  await eventually(async () => (await badgeText(page, 'MUG')) === 'Only 1 left', 'live again');
  await context.close();
});

test('tabs: false: a socket each, and still one guest', async () => {
  site.put('/alone.js', `import { connect } from '${hub.module}';
    window.live = connect({ url: '${hub.socket}', tabs: false });`, { type: 'text/javascript' });
  const url = site.put('/alone', '<!doctype html><title>Shop</title><script type="module" src="/alone.js"></script>');
  const context = await browser.newContext();
  const pages = await Promise.all([open(context, url), open(context, url)]);
  await eventually(async () => (await ofAll(pages, () => window.live?.live)).every(Boolean), 'live');
  await wait(300);
  assert.equal(new Set(await ofAll(pages, () => window.live.user)).size, 1);
  assert.equal((await hub.connections()).length, 2);
  await context.close();
});
