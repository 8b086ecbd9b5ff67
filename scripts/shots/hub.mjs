// Starts localhub on free ports and Chromium, for the scripts beside this file.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const { chromium } = createRequire(`${root}/.tools/shots/`)('playwright-core');

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
  const args = ['run', './localhub', '-keys', 'none', '-addr', `127.0.0.1:${page}`, '-admin', `127.0.0.1:${admin}`];
  // A process group of its own: go run does not pass signals on to the program it compiled.
  const child = spawn('go', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], detached: true });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    if (child.exitCode === null) process.kill(-child.pid, 'SIGINT');
    await exited;
  };
  const hub = { pageURL: `http://127.0.0.1:${page}/`, adminURL: `http://127.0.0.1:${admin}/admin`, stop };
  const deadline = Date.now() + startWithin;
  while (
    !(await fetch(hub.pageURL).then(
      (r) => r.ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error('localhub did not start');
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return hub;
}

/** setStock sets the stock of a SKU, as the shop does. */
export async function setStock(hub, sku, available) {
  const response = await fetch(`${hub.adminURL}/stock/${encodeURIComponent(sku)}`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ available }),
  });
  if (!response.ok) throw new Error(`stock of ${sku}: status ${response.status}`);
}

/** withHub runs work with a hub and a browser, and stops both. */
export async function withHub(work) {
  const hub = await startHub();
  try {
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    });
    try {
      await work(hub, browser);
    } finally {
      await browser.close();
    }
  } finally {
    await hub.stop();
  }
}
