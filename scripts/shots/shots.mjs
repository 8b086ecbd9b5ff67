// Brings the demo shop into a state that shows what it does, and takes the pictures in
// docs/images. Run it with scripts/shots/run.

import { mkdir, stat } from 'node:fs/promises';
import { root, withHub } from './hub.mjs';

/** The README embeds a picture; 250 KB keeps it quick. */
const maxBytes = 250_000;

/** What is in the cart, and stock that makes badges of every kind. */
const cart = ['Bowl, 15 cm', 'Bowl, 15 cm', 'Wool scarf', 'Cap, sand'];
const stock = { 'LAMP-DESK': 2, 'BACKPACK-20': 0, 'CAP-SAND': 2 };

const pictures = [
  { name: 'shop.png', width: 1280, height: 800 },
  { name: 'shop-phone.png', width: 390, height: 844 },
  { name: 'shop-devices.png', width: 1280, height: 1000, query: '?page=devices' },
];

/** fill puts products into the cart of a page's guest. */
async function fill(page) {
  for (const name of cart) {
    const add = page.getByRole('button', { name: `Add to cart: ${name}`, exact: true });
    const more = page.getByRole('button', { name: `One more: ${name}`, exact: true });
    if (name.includes(', sand')) {
      await page.goto(`${new URL(page.url()).origin}/?product=CAP-SAND`);
    }
    await add.or(more).filter({ visible: true }).first().click();
    await more.filter({ visible: true }).first().waitFor();
  }
}

/** take waits until a page is live and calm, and takes its picture. */
async function take(page, hub, { name, width, height, query = '' }) {
  await page.setViewportSize({ width, height });
  await page.goto(`${hub.origin}/${query}`);
  await page.locator('[data-kind=live]').filter({ visible: true }).first().waitFor();
  if (name === 'shop-devices.png') {
    const both = page.getByRole('button', { name: 'Press + on both at once' });
    await page.locator('button:enabled', { hasText: 'Press + on both' }).waitFor();
    const count = (title, pieces) =>
      page.frameLocator(`iframe[title=${title}]`).locator('.bar .count-badge', { hasText: pieces }).waitFor();
    await both.click();
    await Promise.all([count('Laptop', '2'), count('Phone', '2')]);
    await page.getByRole('button', { name: 'Take the phone offline' }).click();
    await both.click();
    await page.getByText('kept, not sent yet').waitFor();
    await Promise.all([count('Laptop', '3'), count('Phone', '3')]);
  }
  await page.waitForFunction(() =>
    [...document.querySelectorAll('stock-badge')].every((badge) => {
      const { top, bottom } = badge.getBoundingClientRect();
      const unseen = badge.offsetParent === null || bottom < 0 || top > innerHeight;
      return unseen || badge.matches(':state(in), :state(low), :state(out), :state(back)');
    }),
  );
  await page.mouse.move(0, 0);
  await page.evaluate(() => {
    document.activeElement?.blur();
    scrollTo(0, 0);
  });
  const path = `${root}/docs/images/${name}`;
  await page.screenshot({ path });
  const { size } = await stat(path);
  console.log(`docs/images/${name}: ${size} bytes`);
  if (size > maxBytes) throw new Error(`the picture has ${size} bytes, want at most ${maxBytes}`);
}

await withHub(async (hub, browser) => {
  await mkdir(`${root}/docs/images`, { recursive: true });
  for (const [sku, available] of Object.entries(stock)) await hub.setStock(sku, available);
  const context = await browser.newContext({ colorScheme: 'light', reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(`${hub.origin}/`);
  await fill(page);
  await page.getByText('is in your cart.').filter({ visible: true }).first().waitFor();
  for (const picture of pictures) await take(page, hub, picture);
});
