// Brings the demo page into a state that shows what it does, and takes
// docs/images/shop.png. Run it with scripts/shots/run.

import { mkdir, stat } from 'node:fs/promises';
import { root, setStock, withShop } from './shop.mjs';

/** The README embeds the picture; 250 KB keeps it quick. */
const maxBytes = 250_000;

/** takeShop fills a cart, changes the stock, waits until the page shows both, and takes the picture. */
async function takeShop(page, hub, path) {
  await page.goto(hub.pageURL);
  await page.locator('#connection[data-status=live]').waitFor();
  const skus = await page.locator('.product stock-badge').evaluateAll((all) => all.map((b) => b.getAttribute('sku')));
  const product = (i) => page.locator('.product').nth(i);
  const line = (i) => page.locator(`.line stock-badge[sku="${skus[i]}"]`);
  for (const [i, quantity] of [[0, 2], [5, 1], [7, 1]]) {
    await product(i).locator('.add .quantity').fill(String(quantity));
    await product(i).locator('.add button').click();
    await line(i).waitFor();
  }
  const stock = [[0, 3, 'low'], [1, 25, 'in'], [2, 0, 'out'], [3, 40, 'in'], [4, 1, 'low'], [5, 12, 'in']];
  for (const [i, available, state] of stock) {
    await setStock(hub, skus[i], available);
    await product(i).locator(`stock-badge[state=${state}]`).waitFor();
  }
  const dismiss = page.locator('.message button');
  while ((await dismiss.count()) > 0) await dismiss.first().click();
  await page.mouse.move(0, 0);
  await page.evaluate(() => {
    document.activeElement?.blur();
    scrollTo(0, 0);
  });
  await page.screenshot({ path });
}

await withShop(async (hub, browser) => {
  const page = await browser.newPage({ viewport: { width: 1100, height: 720 }, colorScheme: 'light' });
  await mkdir(`${root}/docs/images`, { recursive: true });
  const path = `${root}/docs/images/shop.png`;
  await takeShop(page, hub, path);
  const { size } = await stat(path);
  console.log(`docs/images/shop.png: ${size} bytes`);
  if (size > maxBytes) throw new Error(`the picture has ${size} bytes, want at most ${maxBytes}`);
});
