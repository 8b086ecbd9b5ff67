// Walks through the demo shop in a real browser: search, versions, cart, checkout, two
// carts, the stock of a maker and of all, two devices, and the time without a
// connection. On the way it asks of every page what page.mjs asks. No page of another
// origin may show the shop in a frame. Run it with scripts/shots/run shop.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { withHub } from './hub.mjs';
import { check, open } from './page.mjs';

const logged = []; // errors in the consoles of all pages

/** has waits until a text can be seen. */
const has = (scope, text) => scope.getByText(text, { exact: false }).filter({ visible: true }).first().waitFor();
const button = (scope, name) => scope.getByRole('button', { name, exact: true }).filter({ visible: true });
const query = (page) => new URL(page.url()).search;

/** eventually waits until a value is what is wanted. */
async function eventually(read, want) {
  const deadline = Date.now() + 60_000;
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

async function home(page) {
  await has(page, 'Live');
  await has(page, 'Some sold out');
  await check(page, 'the first page');
  const cards = page.locator('.card');
  assert.equal(await cards.count(), 31);
  await page.getByRole('link', { name: 'Table', exact: true }).click();
  await eventually(() => cards.count(), 4);
  assert.equal(query(page), '?category=Table');
  await page.getByRole('searchbox', { name: 'Search' }).fill('kettel');
  await has(page, 'Nothing found for “kettel”');
  await check(page, 'a search that finds nothing');
  await page.getByRole('searchbox', { name: 'Search' }).fill('blue');
  await eventually(() => cards.count(), 1);
  assert.equal(query(page), '?category=Table&q=blue');
  await page.goBack();
  await eventually(() => cards.count(), 31);
}

async function product(page, hub) {
  await page.getByRole('link', { name: 'Choose size: T-shirt' }).click();
  await page.getByRole('radio', { name: /^L/ }).check();
  await eventually(async () => query(page), '?product=TEE-RED-L');
  await has(page, 'Not in red');
  await has(page, 'Only 4 left');
  await button(page, 'Add to cart: T-shirt, red, L').press('Enter');
  const focus = () => page.evaluate(() => document.activeElement.getAttribute('aria-label'));
  await eventually(focus, 'One more: T-shirt, red, L');
  await page.keyboard.press('Enter');
  await has(page, 'in cart');
  await hub.setStock('TEE-RED-L', 3);
  await has(page, 'It was 4 when you came to this page, now 3 are left. Your 2 can still be ordered.');
  await check(page, 'a product');
}

async function cart(page, hub) {
  await page.getByRole('link', { name: 'Go to cart' }).click();
  await has(page, '€38.00');
  await hub.setStock('TEE-RED-L', 1);
  await has(page, '2 in your cart, only 1 left.');
  await has(page, 'for 1 of 2');
  assert.equal(await page.locator('.rail-total strong').textContent(), '€19.00');
  assert.equal(await button(page, 'Checkout').first().isDisabled(), true);
  await check(page, 'the cart with a line that needs somebody');
  await button(page, 'Keep 1: T-shirt, red, L').click();
  await eventually(() => page.getByRole('textbox', { name: 'Quantity: T-shirt, red, L' }).inputValue(), '1');
  await hub.setStock('TEE-RED-L', 0);
  await has(page, 'Sold out while it was in your cart.');
  await hub.setStock('TEE-RED-L', 5);
  await button(page, 'Remove T-shirt, red, L').click();
  await button(page, 'Put back T-shirt, red, L').click();
  await eventually(() => page.getByRole('textbox', { name: 'Quantity: T-shirt, red, L' }).inputValue(), '1');
  const field = page.getByRole('textbox', { name: 'Quantity: T-shirt, red, L' });
  await field.fill('9');
  await field.press('Enter');
  await has(page, 'You asked for 9. Only 5 are left, so 5 are in your cart.');
  await field.fill('2');
  await field.press('Enter');
  await eventually(() => button(page, 'Checkout').first().isEnabled(), true);
}

async function merge(page, other) {
  await other.locator('[data-person=alice]').click();
  await other.getByRole('link', { name: 'Account: Alice' }).waitFor();
  await eventually(async () => query(other), '');
  await button(other, 'Add to cart: Wool scarf').click();
  await has(other, 'Wool scarf is in your cart.');
  await page.getByRole('link', { name: 'Account: Guest' }).click();
  await check(page, 'the sign-in');
  await page.locator('[data-person=alice]').click();
  await has(page, 'You have two carts, Alice');
  await has(page, 'Only in this browser');
  await check(page, 'two carts');
  await page.getByRole('radio', { name: /Take the larger number/ }).check();
  await button(page, 'Make one cart').click();
  await has(page, 'Your two carts are one now: 2 products, 3 items.');
  await check(page, 'one cart of two');
}

/** removed takes a line away on one device; the other says so, and puts it back. */
async function removed(page, other) {
  await button(other, 'One fewer: Wool scarf').click();
  await has(page, 'Wool scarf was removed on another device.');
  await button(page, 'Put back').first().click();
  await has(other, 'Wool scarf');
  await eventually(() => other.locator('.bar .count-badge').textContent(), '3');
}

async function checkout(page, other, hub) {
  await page.goto(`${hub.origin}/?page=checkout`);
  await has(page, 'Place order, €67.00');
  await page.getByLabel('E-mail').fill('alice@example');
  await button(page, 'Place order, €67.00').click();
  await has(page, 'Write the whole address, such as alice@example.com.');
  await check(page, 'the checkout');
  await page.getByLabel('E-mail').fill('alice@example.com');
  await hub.setStock('SCARF-WOOL', 0);
  await has(page, 'Sold out');
  await button(page, 'Place order, €38.00').click();
  await has(page, 'Nothing was ordered: Wool scarf is sold out.');
  await check(page, 'an order that was not placed');
  await button(page, 'Order the other 2 items, €38.00').click();
  await has(page, 'Your order is placed: 2 items, €38.00.');
  await check(page, 'an order');
  await has(other, 'Your cart was ordered on another device.');
}

/** ended revokes a sign-in: the page goes on as a guest's, and says so. */
async function ended(page, hub) {
  const { status } = await fetch(`${hub.adminURL}/users/alice/revoke`, { method: 'POST' });
  assert.equal(status, 204);
  await has(page, 'Your sign-in has ended. You see the shop as a guest now.');
  await page.getByRole('link', { name: 'Account: Guest' }).waitFor();
  await button(page, 'Sign in again').click();
  await has(page, 'Who are you?');
}

async function maker(page, hub) {
  await page.locator('[data-person=acme]').click();
  const row = page.locator('tr[data-sku=CAP-SAND]');
  await eventually(() => row.getByRole('textbox').inputValue(), '2');
  await button(row, 'One more: Cap, sand').click();
  await has(row, '2 → 3 you');
  await hub.setStock('CAP-SAND', 1);
  await has(row, '3 → 1 changed elsewhere');
  await button(row, 'One fewer: Cap, sand').click();
  await eventually(() => row.getByRole('textbox').inputValue(), '0');
  await has(row, 'Sold out');
  await check(page, 'a maker’s stock');
}

/** admin looks at what only the shop's admin has: all stock, and what harms a shop on purpose. */
async function admin(page, hub) {
  await page.goto(`${hub.origin}/?page=devices`);
  await has(page, 'Try something');
  assert.equal(await button(page, 'Cut all connections').count(), 0, 'a maker has controls of the admin');
  await page.goto(`${hub.origin}/?page=sign-in`);
  await page.locator('[data-person=admin]').click();
  await page.getByRole('heading', { name: 'All stock' }).waitFor();
  const row = page.locator('tr[data-sku=MUG]');
  await eventually(() => row.getByRole('textbox').inputValue(), '33');
  await button(page, 'All 40').waitFor();
  await check(page, 'the stock of all makers');
  await page.goto(`${hub.origin}/?page=devices`);
  const pills = page.locator('.device .pill');
  const live = () => eventually(() => pills.allTextContents(), ['Live', 'Live']);
  await live();
  await button(page, 'Speaker, small: set to 1').click();
  await eventually(async () => (await hub.admin('GET', '/stock/SPEAKER-S')).available, 1);
  await check(page, 'two devices of the admin');
  const ids = async () => (await hub.connections()).map(({ connectionId }) => connectionId);
  const before = await ids();
  await button(page, 'Cut all connections').click();
  await eventually(async () => (await ids()).filter((id) => before.includes(id)), []);
  await live();
}

async function devices(browser, hub) {
  const page = await open(browser, `${hub.origin}/?page=devices`, { logged, height: 1000 });
  const [laptop, phone] = ['Laptop', 'Phone'].map((name) => page.frameLocator(`iframe[title=${name}]`));
  await eventually(() => button(page, 'Press + on both at once').isEnabled(), true);
  await button(page, 'Press + on both at once').click();
  for (const device of [laptop, phone])
    await eventually(() => device.locator('.bar .count-badge').textContent(), '2');
  await button(page, 'Take the phone offline').click();
  await has(phone, 'Offline.');
  await button(page, 'Press + on both at once').click();
  await has(page, '2 becomes 3: kept, not sent yet');
  await check(page, 'two devices');
  await button(page, 'Bring the phone back online').click();
  for (const device of [laptop, phone])
    await eventually(() => device.locator('.bar .count-badge').textContent(), '4');
  await page.context().close();
}

/** offline looks at a phone that loses its network: words, sizes, and a change that waits. */
async function offline(browser, hub) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 }, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.on('pageerror', (error) => logged.push(String(error.stack)));
  await page.addInitScript(() => addEventListener('shop-device', ({ detail }) => (window.device = detail)));
  await page.goto(`${hub.origin}/?device=phone`);
  await has(page, 'Some sold out');
  await button(page, 'Add to cart: Bowl, 15 cm').click();
  await has(page, 'Bowl, 15 cm is in your cart.');
  const sizes = async () => {
    const all = [];
    for (const width of [390, 1000]) {
      await page.setViewportSize({ width, height: 900 });
      all.push(await page.locator('.card').evaluateAll((cards) => cards.map((card) => card.offsetHeight)));
    }
    return all;
  };
  const before = await sizes();
  await page.evaluate(() => window.device.network.switch(false));
  await has(page, /Some out at \d\d:\d\d/);
  await has(page, /Offline since \d\d:\d\d/);
  assert.deepEqual(await sizes(), before, 'cards change their size when the connection is lost');
  assert.equal(await page.locator('.card button:disabled').count(), 0, 'what is not known to be sold out is offered');
  await button(page, 'One more: Bowl, 15 cm').click();
  await check(page, 'the first page without a connection');
  await page.locator('.bar').getByRole('link', { name: 'View cart' }).click();
  await has(page, 'Waiting: 1 becomes 2');
  await has(page, 'Kept on this device. We send it when you are back online.');
  await has(page, '1 change waits for the connection');
  assert.equal(await button(page, 'Checkout').first().isDisabled(), true);
  await check(page, 'the cart without a connection');
  await page.evaluate(() => window.device.network.switch(true));
  await has(page, 'You are back online. 1 change was sent.');
  await eventually(() => page.locator('.rail-total strong').textContent(), '€22.00');
  await page.goto(`${hub.origin}/?device=phone&page=nothing`);
  await has(page, 'This page does not exist');
  await check(page, 'a page that does not exist');
  await context.close();
}

/** framed returns what a page of another origin can show of the shop in a frame. */
async function framed(browser, hub) {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end(`<iframe src="${hub.origin}/"></iframe>`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const frame = page.frames()[1];
    return { url: frame.url(), cards: await frame.locator('.card').count() };
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

await withHub(async (hub, browser) => {
  const page = await open(browser, `${hub.origin}/`, { logged });
  const other = await open(browser, `${hub.origin}/?page=sign-in`, { logged, width: 390, height: 844 });
  await home(page);
  await product(page, hub);
  await cart(page, hub);
  await merge(page, other);
  await removed(page, other);
  await checkout(page, other, hub);
  await ended(page, hub);
  await maker(page, hub);
  await admin(page, hub);
  await devices(browser, hub);
  await offline(browser, hub);
  assert.deepEqual(await framed(browser, hub), { url: 'chrome-error://chromewebdata/', cards: 0 });
  assert.deepEqual(logged, []);
  console.log('shop: every page works, and axe finds nothing');
});
