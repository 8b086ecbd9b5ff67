// Checks one cart on two devices in a real browser: a guest fills a cart on a phone and
// signs in, a laptop orders, and both show the right cart all the time. Run it with
// scripts/shots/run devices.

import assert from 'node:assert/strict';
import { withShop } from './shop.mjs';

const user = 'alice';

/** device opens the shop on a device of its own: nothing is stored from before. */
async function device(browser, hub, width) {
  const context = await browser.newContext({ viewport: { width, height: 800 } });
  const page = await context.newPage();
  page.on('pageerror', (error) => {
    throw error;
  });
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
  console.log('devices: one cart on both, ordered on both, and a new one on both');
});
