// One cart on all devices: clicks commute, nothing is lost offline or by a reload, and the
// words about a line are true.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, eventually, hub, listen, open, Proxy, said, site, useWorld, wait } from './world.mjs';

useWorld();

let devices = 0;

/** device opens a cart of a person on a device of its own, over a proxy of its own. */
async function device(user, { withoutDatabase = false } = {}) {
  const proxy = await Proxy.start(hub.port);
  const { token } = user ? await hub.admin('POST', '/token', { user }) : { token: null };
  const path = `/${++devices}`;
  site.put(`${path}.js`, `import { connect } from '${hub.module}';
    window.live = connect({ url: '${proxy.socket}', token: () => ${JSON.stringify(token)}, names: (sku) => 'The ' + sku.toLowerCase() });
    window.problems = [];
    live.addEventListener('problem', ({ detail }) => problems.push(detail.code));`, { type: 'text/javascript' });
  const url = site.put(path, `<!doctype html><html lang="en"><title>Cart</title>
    <script type="module" src="${path}.js"></script><cart-badge></cart-badge><cart-view></cart-view>`);
  const context = await browser.newContext();
  if (withoutDatabase) await context.addInitScript(() => Object.defineProperty(window, 'indexedDB', { value: undefined }));
  const page = await open(context, url);
  await eventually(() => page.evaluate(() => window.live?.cart.state.live), 'a live cart');
  return { page, proxy };
}

const quantity = (page, sku) => page.evaluate((sku) => window.live.cart.state.lines.get(sku)?.quantity ?? 0, sku);
const settled = (page) => eventually(() => page.evaluate(() => window.live.cart.state.pending === 0), 'settled', 30_000);
const line = (page, sku) => page.locator('cart-view li', { hasText: `The ${sku.toLowerCase()}` });
/** painted waits until the elements have shown what they know. */
const painted = (page) => page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
const note = (page, sku) => line(page, sku).locator('.note').textContent();

test('+ and − on two devices at once: no click is lost', async () => {
  await hub.setStock('MUG', 500);
  const [a, b] = [await device('ann'), await device('ann')];
  await a.page.evaluate(() => window.live.cart.add('MUG', 10));
  await eventually(async () => (await quantity(b.page, 'MUG')) === 10, 'the same cart');
  const clicks = async ({ page }, label, n) => {
    for (let i = 0; i < n; i++) await line(page, 'MUG').getByRole('button', { name: label }).click();
  };
  await Promise.all([clicks(a, 'One more: The mug', 10), clicks(b, 'One more: The mug', 10)]);
  await Promise.all([clicks(a, 'One fewer: The mug', 4), clicks(b, 'One more: The mug', 3)]);
  for (const { page } of [a, b]) await settled(page);
  for (const { page } of [a, b]) await eventually(async () => (await quantity(page, 'MUG')) === 29, '29 pieces');
  for (const { page } of [a, b]) await eventually(async () => (await note(page, 'MUG')) === '', 'nothing to say');
});

test('clicks faster than the network are few messages', async () => {
  await hub.setStock('CAP-NAVY', 500);
  const { page, proxy } = await device('bob');
  await page.evaluate(() => window.live.cart.add('CAP-NAVY', 1));
  const sent = [];
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  session.on('Network.webSocketFrameSent', ({ response }) => sent.push(JSON.parse(response.payloadData)));
  proxy.delay = 100;
  for (let i = 0; i < 12; i++) await line(page, 'CAP-NAVY').getByRole('button', { name: 'One more' }).click();
  await settled(page);
  assert.equal(await quantity(page, 'CAP-NAVY'), 13);
  const adds = sent.filter((m) => m.action === 'add');
  assert.ok(adds.length < 12, `${adds.length} messages`);
  assert.equal(adds.reduce((n, m) => n + m.quantity, 0), 12);
});

test('offline: seen at once, kept over a reload, sent once', async () => {
  const { page, proxy } = await device();
  const port = proxy.server.address().port;
  proxy.stop();
  await eventually(() => page.evaluate(() => !window.live.live), 'stale');
  await page.evaluate(() => void window.live.cart.add('MUG', 2).catch(() => {}));
  await page.evaluate(() => void window.live.cart.add('MUG', 1).catch(() => {}));
  await eventually(async () => (await quantity(page, 'MUG')) === 3, 'seen');
  await eventually(() => page.evaluate(() => window.live.cart.state.kept), 'kept');
  await page.reload();
  await eventually(async () => (await quantity(page, 'MUG')) === 3, 'seen after the reload');
  assert.match(await note(page, 'MUG'), /^Waiting: 0 becomes 3/);
  proxy.server.listen(port, '127.0.0.1');
  await eventually(() => page.evaluate(() => window.live.cart.state.live && window.live.cart.state.pending === 0), 'sent', 40_000);
  assert.equal(await page.evaluate(() => window.live.cart.state.lines.get('MUG').confirmed), 3);
});

test('a browser without a database: the page gets one problem, and changes are made all the same', async () => {
  await hub.setStock('MUG', 500);
  const { page, proxy } = await device('abe', { withoutDatabase: true });
  await page.evaluate(() => window.live.cart.add('MUG', 2));
  await eventually(() => page.evaluate(() => window.problems.length > 0), 'the problem');
  proxy.cut();
  await page.evaluate(() => void window.live.cart.add('MUG', 1));
  await eventually(async () => (await quantity(page, 'MUG')) === 3, 'seen');
  await settled(page);
  assert.deepEqual(await page.evaluate(() => [window.problems, window.live.cart.state.kept]), [['not_kept'], false]);
  assert.equal(await page.evaluate(() => window.live.cart.state.lines.get('MUG').confirmed), 3);
});

test('an answer that was lost: not confirmed, asked again, made once', async () => {
  await hub.setStock('MUG', 500);
  const { page, proxy } = await device('cid');
  proxy.swallows = true;
  await page.evaluate(() => void window.live.cart.add('MUG', 1).catch(() => {}));
  await eventually(() => page.evaluate(() => window.live.cart.state.lines.get('MUG')?.pending === 'sent'), 'sent');
  proxy.cut();
  await eventually(async () => /^Not confirmed: 0 becomes 1/.test(await note(page, 'MUG')), 'words');
  proxy.swallows = false;
  await settled(page);
  assert.equal(await page.evaluate(() => window.live.cart.state.lines.get('MUG').confirmed), 1);
});

test('words about a line are true: sold out, fewer than wanted, fallen below', async () => {
  await hub.setStock('MUG', 15);
  await hub.setStock('CAP-NAVY', 3);
  const { page } = await device('dee');
  await page.evaluate(() => window.live.cart.add('MUG', 15));
  await hub.setStock('MUG', 0);
  await eventually(async () => (await note(page, 'MUG')) === 'Sold out while it was in your cart.', 'sold out');
  await line(page, 'MUG').getByRole('button', { name: 'One more' }).click();
  await eventually(async () => (await note(page, 'MUG')) === 'Sold out. Nothing was added; your 15 stay in the cart.', 'nothing added');
  await page.evaluate(() => window.live.cart.add('CAP-NAVY', 5));
  await eventually(async () => (await note(page, 'CAP-NAVY')) === 'You asked for 5. Only 3 are left, so 3 are in your cart.', 'clamped');
  await hub.setStock('CAP-NAVY', 1);
  await eventually(async () => (await note(page, 'CAP-NAVY')) === '3 in your cart, only 1 left.', 'fallen below');
  await line(page, 'MUG').getByRole('button', { name: 'One fewer' }).click();
  await eventually(async () => (await quantity(page, 'MUG')) === 14, 'what is sold out can be taken away');
});

test('a typed quantity and another device: a conflict in words, and the cart of the other', async () => {
  await hub.setStock('MUG', 500);
  const [a, b] = [await device('eve'), await device('eve')];
  await a.page.evaluate(() => window.live.cart.add('MUG', 1));
  await eventually(async () => (await quantity(b.page, 'MUG')) === 1, 'the same cart');
  const input = line(b.page, 'MUG').getByRole('textbox');
  await input.fill('6');
  await a.page.evaluate(() => window.live.cart.set({ MUG: 4 }));
  await eventually(async () => (await quantity(b.page, 'MUG')) === 4, 'the other set 4');
  await painted(b.page);
  assert.equal(await input.inputValue(), '6', 'what is typed stays');
  await input.press('Enter');
  await eventually(async () => (await note(b.page, 'MUG')) === 'You typed 6 here while another device set 4. The cart says 4.', 'words');
  assert.equal(await quantity(a.page, 'MUG'), 4);
});

test('quantities typed one after the other are no conflict with oneself', async () => {
  await hub.setStock('MUG', 500);
  const { page, proxy } = await device('fay');
  await page.evaluate(() => window.live.cart.add('MUG', 1));
  const input = line(page, 'MUG').getByRole('textbox');
  await input.fill('5');
  await input.press('Enter');
  await settled(page);
  await input.fill('6');
  await input.press('Enter');
  await settled(page);
  await painted(page);
  assert.deepEqual([await note(page, 'MUG'), await quantity(page, 'MUG')], ['', 6]);
  // The answer to the first comes while the second is typed.
  proxy.delay = 150;
  await input.fill('7');
  await input.press('Enter');
  await input.fill('8');
  await settled(page);
  await painted(page);
  assert.equal(await input.inputValue(), '8', 'what is typed stays');
  await input.press('Enter');
  await settled(page);
  await painted(page);
  assert.deepEqual([await note(page, 'MUG'), await quantity(page, 'MUG')], ['', 8]);
});

test('what is typed stays while the line is saved, and is forgotten when it is left as it was', async () => {
  await hub.setStock('MUG', 500);
  const { page, proxy } = await device('gus');
  await page.evaluate(() => window.live.cart.add('MUG', 2));
  await settled(page);
  proxy.delay = 200;
  const input = line(page, 'MUG').getByRole('textbox');
  await page.evaluate(() => void window.live.cart.add('MUG', 1));
  await input.fill('9');
  await page.evaluate(() => void window.live.cart.add('MUG', 1));
  await painted(page);
  assert.ok(await page.evaluate(() => window.live.cart.state.lines.get('MUG').pending), 'not answered yet');
  assert.equal(await input.inputValue(), '9');
  await input.press('Enter');
  await settled(page);
  await eventually(async () => (await input.inputValue()) === '9', 'the cart');
  await input.blur();
  await input.fill('9');
  await input.blur();
  await page.evaluate(() => void window.live.cart.add('MUG', 1));
  await eventually(async () => (await input.inputValue()) === '10', 'the cart again');
});

test('words about a line stay true when stock changes after them, and a person can dismiss them', async () => {
  await hub.setStock('MUG', 500);
  await hub.setStock('CAP-NAVY', 3);
  const { page } = await device('hal');
  await page.evaluate(() => window.live.cart.add('CAP-NAVY', 5));
  await eventually(async () => (await note(page, 'CAP-NAVY')) === 'You asked for 5. Only 3 are left, so 3 are in your cart.', 'clamped');
  await hub.setStock('CAP-NAVY', 0);
  await eventually(async () => (await note(page, 'CAP-NAVY')) === 'Sold out while it was in your cart.', 'not 3 left');
  await line(page, 'CAP-NAVY').getByRole('button', { name: 'One more' }).click();
  await eventually(async () => (await note(page, 'CAP-NAVY')) === 'Sold out. Nothing was added; your 3 stay in the cart.', 'nothing added');
  const ok = line(page, 'CAP-NAVY').getByRole('button', { name: 'OK: The cap-navy' });
  await ok.click();
  await eventually(async () => (await note(page, 'CAP-NAVY')) === 'Sold out while it was in your cart.', 'dismissed');
  await ok.waitFor({ state: 'hidden' });
  await line(page, 'CAP-NAVY').getByRole('button', { name: 'One more' }).click();
  await eventually(async () => (await note(page, 'CAP-NAVY')) === 'Sold out. Nothing was added; your 3 stay in the cart.', 'nothing added');
  await hub.setStock('CAP-NAVY', 500);
  await eventually(async () => (await note(page, 'CAP-NAVY')) === '', 'it is in stock again');
  await ok.waitFor({ state: 'hidden' });
});

test('Remove takes a line away, on all devices', async () => {
  for (const sku of ['MUG', 'CAP-NAVY']) await hub.setStock(sku, 500);
  const [a, b] = [await device('ida'), await device('ida')];
  await a.page.evaluate(() => window.live.cart.add('MUG', 2));
  await a.page.evaluate(() => window.live.cart.add('CAP-NAVY', 1));
  await line(b.page, 'MUG').getByRole('button', { name: 'Remove: The mug' }).click();
  for (const { page } of [a, b]) {
    await line(page, 'MUG').waitFor({ state: 'detached' });
    await settled(page);
    assert.deepEqual(await page.evaluate(() => [...window.live.cart.state.lines.keys()]), ['CAP-NAVY']);
  }
});

test('what a line says is announced with its name, once', async () => {
  await hub.setStock('MUG', 3);
  const { page, proxy } = await device('jon');
  await page.evaluate(() => window.live.cart.add('MUG', 1));
  await eventually(() => page.evaluate(() => window.live.isLive('sku:MUG')), 'live stock');
  await listen(page);
  await page.evaluate(() => window.live.cart.add('MUG', 4));
  await eventually(async () => (await said(page)).length > 0, 'clamped');
  await hub.setStock('MUG', 0);
  await eventually(async () => (await said(page)).length > 1, 'sold out');
  assert.deepEqual(await said(page), [
    'The mug: You asked for 5. Only 3 are left, so 3 are in your cart.', 'The mug: Sold out while it was in your cart.',
  ]);
  proxy.cut();
  await eventually(() => page.evaluate(() => !window.live.live), 'stale');
  await eventually(() => page.evaluate(() => window.live.isLive('sku:MUG')), 'live again');
  await wait(3_500); // as long as one sentence waits for the one before
  assert.equal((await said(page)).filter((text) => /Sold out/.test(text)).length, 1, 'a new connection is no news of stock');
});

test('a view that is scrolled away keeps its lines, so that the page does not jump', async () => {
  await hub.setStock('MUG', 500);
  const { page } = await device('kim');
  await page.evaluate(() => window.live.cart.add('MUG', 2));
  await line(page, 'MUG').waitFor();
  await settled(page);
  const view = page.locator('cart-view');
  const is = (state) => view.evaluate((e, state) => e.matches(`:state(${state})`), state);
  await page.evaluate(() => {
    const tall = document.createElement('div');
    tall.style.height = '5000px';
    document.body.append(tall);
  });
  const { height } = await view.boundingBox();
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await eventually(() => is('stale'), 'let go', 8_000);
  assert.equal((await view.boundingBox()).height, height);
  assert.ok(await is('full'));
  await page.evaluate(() => window.live.cart.add('MUG', 1));
  await page.evaluate(() => scrollTo(0, 0));
  await eventually(async () => (await line(page, 'MUG').getByRole('textbox').inputValue()) === '3', 'the cart again');
  await eventually(async () => !(await is('stale')), 'live again');
});

test('a view whose page has closed its connection keeps its lines, and takes no more changes', async () => {
  await hub.setStock('MUG', 1);
  const { page } = await device('lea');
  await page.evaluate(() => window.live.cart.add('MUG', 1));
  await hub.setStock('MUG', 0);
  await eventually(async () => (await note(page, 'MUG')) === 'Sold out while it was in your cart.', 'a note about stock');
  await page.evaluate(() => window.live.close());
  await eventually(() => page.locator('cart-view').evaluate((e) => e.matches(':state(stale)')), 'stale');
  assert.equal(await note(page, 'MUG'), '', 'nobody knows it any more');
  assert.equal(await line(page, 'MUG').getByRole('textbox', { includeHidden: true }).inputValue(), '1');
  assert.ok(await page.locator('cart-view ul').evaluate((e) => e.inert));
});
