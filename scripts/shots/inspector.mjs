// Takes the pictures of the inspector in docs/images. Run it with scripts/shots/run inspector.

import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, withHub } from './hub.mjs';

const maxBytes = 250_000; // as of the shop's pictures

/** connect opens sockets of two devices of alice and of a guest, which follow some topics. */
async function connect(context, hub) {
  const { token } = await hub.admin('POST', '/token', { user: 'alice', role: 'customer' });
  const clients = await context.newPage();
  await clients.goto(`${hub.origin}/icon.svg`);
  const open = ({ socket, token }) =>
    new Promise((resolve) => {
      const ws = new WebSocket(socket, ['securecart.v1']);
      (window.sockets ??= []).push(ws);
      ws.onopen = () => ws.send(JSON.stringify({ action: 'hello', id: 1, ...(token && { token }) }));
      ws.onmessage = ({ data }) => {
        const { type } = JSON.parse(data);
        if (type === 'hello') ws.send('sub MUG TEE-RED-M cart');
        if (type === 'snapshot') resolve();
      };
    });
  for (const each of [token, token, '']) await clients.evaluate(open, { socket: hub.socket, token: each });
  return clients;
}

async function take(page, name) {
  const path = `${root}/docs/images/${name}`;
  await page.screenshot({ path });
  const { size } = await stat(path);
  console.log(`docs/images/${name}: ${size} bytes`);
  if (size > maxBytes) throw new Error(`the picture has ${size} bytes, want at most ${maxBytes}`);
}

await withHub(async (hub, browser) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, colorScheme: 'dark', reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(`${hub.adminURL.replace('/admin', '/_hub/')}?screen=frames`);
  await page.locator('.cell', { hasText: '● live' }).waitFor();
  const clients = await connect(context, hub);
  await hub.setStock('MUG', 4);
  await hub.setStock('TEE-RED-M', 3);
  await clients.evaluate(() => window.sockets[0].send('add TEE-RED-M 2'));
  await page.locator('.grid-row', { hasText: '1 line' }).first().waitFor();
  await hub.admin('POST', '/faults', { every: { throttle: 3 } });
  for (const available of [3, 2, 4]) await hub.setStock('MUG', available);
  await page.locator('.grid-row', { hasText: 'sku:MUG v5 low 4' }).nth(2).waitFor();
  await page.locator('.grid-row', { hasText: 'sku:MUG v5 low 4' }).first().click();
  await page.locator('.path').waitFor();
  await page.mouse.move(0, 0);
  await take(page, 'inspector-frames.png');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.keyboard.press('w');
  await page.getByText('Path of version 5').waitFor();
  await page.getByText('✓ in step').first().waitFor();
  await take(page, 'inspector-topic.png');
});

// The recorded afternoon, in which one frame says another state than this build does.
const folder = await mkdtemp(join(tmpdir(), 'recordings-'));
const afternoon = await readFile(`${root}/testdata/recordings/afternoon.ndjson`, 'utf8');
await writeFile(join(folder, 'afternoon.ndjson'), afternoon.replace('\\"state\\":\\"in\\"', '\\"state\\":\\"out\\"'));
await withHub(async (hub, browser) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, colorScheme: 'dark', reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(`${hub.adminURL.replace('/admin', '/_hub/')}?screen=replay&id=afternoon.ndjson`);
  await page.locator('.cell', { hasText: '● live' }).waitFor();
  await page.getByRole('button', { name: 'Replay' }).click();
  await page.getByText('First difference').waitFor({ timeout: 120_000 });
  await page.mouse.move(0, 0);
  await take(page, 'inspector-replay.png');
}, '-record-dir', folder).finally(() => rm(folder, { recursive: true }));
