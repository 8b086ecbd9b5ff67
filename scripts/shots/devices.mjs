// Checks one cart on two devices in a real browser: a guest fills a cart on a phone and
// signs in, a laptop orders, and both show the right cart all the time. No page may log an
// error, such as something that its Content-Security-Policy refuses, and no other page may
// show the shop in a frame. Run it with scripts/shots/run devices.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { withShop } from './shop.mjs';

const user = 'alice';
const logged = []; // errors in the consoles of all pages

/** device opens the shop on a device of its own: nothing is stored from before. */
async function device(browser, hub, width) {
  const context = await browser.newContext({ viewport: { width, height: 800 } });
  const page = await context.newPage();
  page.on('pageerror', (error) => {
    throw error;
  });
  page.on('console', (message) => message.type() === 'error' && logged.push(message.text()));
  await page.goto(hub.pageURL);
  await page.locator('#connection[data-status=live]').waitFor();
  return page;
}

async function add(page, sku, quantity) {
  const product = page.locator('.product', { has: page.locator(`stock-badge[sku="${sku}"]`) });
  await product.locator('.add .quantity').fill(String(quantity));
  await product.locator('.add button').click();
}

async function signIn(page) {
  await page.locator(`#sign-in [data-user=${user}]`).click();
  await page.locator('#who', { hasText: user }).waitFor();
}

/** showsCart waits until the cart has exactly these quantities. */
async function showsCart(page, want) {
  const read = () => page.locator('.line').evaluateAll((lines) => Object.fromEntries(lines.map((l) => [
    l.querySelector('stock-badge').getAttribute('sku'), Number(l.querySelector('.quantity').value),
  ])));
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      assert.deepEqual(await read(), want);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** framed returns what a page of another origin can show of the shop in a frame. */
async function framed(browser, hub) {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end(`<iframe src="${hub.pageURL}"></iframe>`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const frame = page.frames()[1];
    return { url: frame.url(), products: await frame.locator('.product').count() };
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

await withShop(async (hub, browser) => {
  const laptop = await device(browser, hub, 1100);
  const phone = await device(browser, hub, 390);
  const skus = await phone.locator('.product stock-badge').evaluateAll((all) => all.map((b) => b.getAttribute('sku')));
  const [shirt, cap, mug] = [skus[0], skus[5], skus[7]];

  await signIn(laptop);
  await add(laptop, shirt, 1);
  await add(phone, cap, 2);
  await showsCart(laptop, { [shirt]: 1 });
  await showsCart(phone, { [cap]: 2 });

  await signIn(phone); // the guest's cart moves to the user's
  for (const page of [laptop, phone]) await showsCart(page, { [shirt]: 1, [cap]: 2 });

  await laptop.locator('#order').click();
  for (const page of [laptop, phone]) {
    await showsCart(page, {});
    await page.locator('.message', { hasText: 'Your order was placed.' }).waitFor();
  }

  await add(phone, mug, 1); // the next cart is new on both
  for (const page of [laptop, phone]) await showsCart(page, { [mug]: 1 });
  // The badges have their style sheet, although the page allows no inline style.
  const dot = phone.locator('.product stock-badge .dot').first();
  assert.equal(await dot.evaluate((each) => getComputedStyle(each).borderRadius), '50%');
  const mark = phone.locator(`.product stock-badge[sku="${mug}"] .old`);
  assert.equal(await mark.isVisible(), false);
  assert.deepEqual(await framed(browser, hub), { url: 'chrome-error://chromewebdata/', products: 0 });
  assert.deepEqual(logged, []);
  console.log('devices: one cart on both, ordered on both, and a new one on both');
});
