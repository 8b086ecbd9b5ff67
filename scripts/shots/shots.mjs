// Starts localhub on free ports, brings its demo page into a state that shows what it does,
// and takes docs/images/shop.png. Run it with scripts/shots/run.

import { spawn } from 'node:child_process';
import { mkdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { chromium } = createRequire(`${root}/.tools/shots/`)('playwright-core');

/** The README embeds the picture; 250 KB keeps it quick. */
const maxBytes = 250_000;

const startWithin = 120_000; // ms; the first go run compiles

/** freePort returns a loopback port that nobody listens on. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** startHub runs localhub and resolves when its page answers. */
async function startHub() {
  const [page, admin] = [await freePort(), await freePort()];
  const args = ['run', './localhub', '-addr', `127.0.0.1:${page}`, '-admin', `127.0.0.1:${admin}`];
  // A process group of its own: go run does not pass signals on to the program it compiled.
  const child = spawn('go', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], detached: true });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    if (child.exitCode === null) process.kill(-child.pid, 'SIGINT');
    await exited;
  };
  const hub = { pageURL: `http://127.0.0.1:${page}/`, adminURL: `http://127.0.0.1:${admin}/admin`, stop };
  const deadline = Date.now() + startWithin;
  while (!(await fetch(hub.pageURL).then((r) => r.ok, () => false))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error('localhub did not start');
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return hub;
}

async function setStock(hub, sku, available) {
  const response = await fetch(`${hub.adminURL}/stock/${encodeURIComponent(sku)}`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ available }),
  });
  if (!response.ok) throw new Error(`stock of ${sku}: status ${response.status}`);
}

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

const hub = await startHub();
try {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1100, height: 720 }, colorScheme: 'light' });
    await mkdir(`${root}/docs/images`, { recursive: true });
    const path = `${root}/docs/images/shop.png`;
    await takeShop(page, hub, path);
    const { size } = await stat(path);
    console.log(`docs/images/shop.png: ${size} bytes`);
    if (size > maxBytes) throw new Error(`the picture has ${size} bytes, want at most ${maxBytes}`);
  } finally {
    await browser.close();
  }
} finally {
  await hub.stop();
}
