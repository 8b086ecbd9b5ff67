// A world for tests of the client in a real browser: localhub, Chromium, a stranger's site on
// another origin, and a proxy that can swallow what goes through it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHTTP } from 'node:http';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const { chromium } = createRequire(`${root}/.tools/shots/`)('playwright-core');

const startWithin = 60_000; // ms

/** The world of a test file, between its first and its last test: see useWorld. */
export let hub, site, browser;

/** Proxies that are open; the world ends them. */
const proxies = new Set();

/**
 * useWorld gives the tests of a file a hub, a site and a browser. flags are of localhub.
 * prepare runs before the first test, cleanUp after the last.
 */
export function useWorld({ flags = ['-keys', 'none'], prepare = () => {}, cleanUp = () => {} } = {}) {
  before(async () => {
    [hub, site, browser] = await Promise.all([Hub.start(...flags), Site.start(), launch()]);
    await prepare();
  });
  after(async () => {
    for (const proxy of proxies) proxy.stop();
    await browser?.close();
    site?.stop();
    await hub?.stop();
    cleanUp();
  });
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Hub is a running localhub. */
export class Hub {
  #child;
  #args;

  /** start runs localhub with more flags. Keys are its own, so that a restart keeps guests. */
  static async start(...flags) {
    const hub = new Hub();
    hub.port = await freePort();
    const adminPort = await freePort();
    hub.#args = ['-addr', `127.0.0.1:${hub.port}`, '-admin', `127.0.0.1:${adminPort}`, ...flags];
    hub.origin = `http://127.0.0.1:${hub.port}`;
    hub.socket = `ws://127.0.0.1:${hub.port}/v1`;
    hub.adminURL = `http://127.0.0.1:${adminPort}/admin`;
    hub.module = `${hub.origin}/securecart-live.js`;
    await hub.run();
    return hub;
  }

  async run() {
    this.#child = spawn(process.env.LOCALHUB, this.#args, { stdio: ['ignore', 'ignore', process.env.VERBOSE ? 'inherit' : 'ignore'] });
    const deadline = Date.now() + startWithin;
    while (!(await fetch(this.module).then((r) => r.ok, () => false))) {
      if (this.#child.exitCode !== null || Date.now() > deadline) throw new Error('localhub did not start');
      await wait(50);
    }
  }

  async stop() {
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGINT');
    await once(this.#child, 'exit');
  }

  async admin(method, path, body) {
    const response = await fetch(`${this.adminURL}${path}`, {
      method,
      headers: body ? { 'Content-Type': 'application/json' } : {},
      body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json().catch(() => ({}));
  }

  setStock(sku, available) {
    return this.admin('PUT', `/stock/${encodeURIComponent(sku)}`, { available });
  }

  /** setStocks changes many items. */
  async setStocks(changes) {
    const body = changes.map((change) => JSON.stringify(change)).join('\n');
    const response = await fetch(`${this.adminURL}/stock`, {
      method: 'POST', headers: { 'Content-Type': 'application/x-ndjson' }, body,
    });
    if (response.status !== 200) throw new Error(`POST /stock: ${response.status} ${await response.text()}`);
  }

  /** connections lists the open ones. */
  async connections() {
    return (await this.admin('GET', '/connections')).connections ?? [];
  }
}

/** Site serves pages on an origin of its own: path to {html, csp, type}. */
export class Site {
  pages = new Map();

  static async start() {
    const site = new Site();
    site.server = createHTTP((request, response) => {
      const page = site.pages.get(request.url.split('?')[0]);
      response.statusCode = page ? 200 : 404;
      response.setHeader('Content-Type', page?.type ?? 'text/html; charset=utf-8');
      if (page?.csp) response.setHeader('Content-Security-Policy', page.csp);
      response.end(page?.html ?? '');
    }).listen(0, '127.0.0.1');
    await once(site.server, 'listening');
    site.origin = `http://127.0.0.1:${site.server.address().port}`;
    return site;
  }

  /** put adds a page and returns its URL. */
  put(path, html, fields = {}) {
    this.pages.set(path, { html, ...fields });
    return this.origin + path;
  }

  stop() {
    this.server.close();
    this.server.closeAllConnections();
  }
}

/** Proxy passes TCP on to a port, until a test makes it swallow everything, or refuse handshakes. */
export class Proxy {
  swallows = false;
  refusesSockets = false;
  losesAnswers = false; // of sockets and of HTTP
  statuses = []; // of the answers that passed
  delay = 0; // ms each way
  #sockets = new Set();

  static async start(port) {
    const proxy = new Proxy();
    proxies.add(proxy);
    proxy.server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      for (const [from, to] of [[near, far], [far, near]]) {
        proxy.#sockets.add(from);
        from.on('data', (data) => {
          if (proxy.swallows) return;
          if (from === near && proxy.refusesSockets && /^upgrade: websocket/im.test(data.toString('latin1'))) {
            near.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
            return;
          }
          if (from === far) {
            if (proxy.losesAnswers) return;
            proxy.statuses.push(...[...data.toString('latin1').matchAll(/^HTTP\/1\.1 (\d+)/gm)].map((m) => Number(m[1])));
          }
          if (proxy.delay === 0) to.write(data);
          else setTimeout(() => to.writable && to.write(data), proxy.delay);
        });
        from.on('error', () => {});
        from.on('close', () => {
          proxy.#sockets.delete(from);
          if (!proxy.swallows) to.destroy();
        });
      }
    }).listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    proxy.socket = `ws://127.0.0.1:${proxy.server.address().port}/v1`;
    return proxy;
  }

  /** cut ends all connections. */
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  stop() {
    this.cut();
    this.server.close();
  }
}

export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const pause = 25; // ms, between two checks
const slow = 50; // ms, for a check and a pause

/**
 * eventually repeats a check until it returns something true, and returns that. A check that
 * takes long counts as slow, no more: on a busy machine the browser may take as much longer.
 */
export async function eventually(check, what, within = 30_000) {
  let last;
  for (let waited = 0; ; ) {
    const from = Date.now();
    try {
      last = await check();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (waited > within) throw new Error(`${what}: still ${last?.stack ?? JSON.stringify(last)}`);
    await wait(pause);
    waited += Math.min(Date.now() - from, slow);
  }
}

/** launch starts Chromium as people have it: with bfcache and partitioned storage. */
export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    ignoreDefaultArgs: ['--disable-back-forward-cache', '--disable-features=ThirdPartyStoragePartitioning'],
  });

/** open opens a page, and collects what its console has to complain about. */
export async function open(context, url) {
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (m) => ['error', 'warning'].includes(m.type()) && page.complaints.push(m.text()));
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  await page.goto(url);
  return page;
}

/** badgeText returns what people read on a badge: of its shadow root, or of the page. */
export const badgeText = (page, sku) =>
  page.evaluate((sku) => {
    const badge = document.querySelector(`stock-badge[sku="${CSS.escape(sku)}"]`);
    const root = badge.shadowRoot;
    if (!root) return badge.textContent.trim();
    const slot = root.querySelector('slot');
    const words = slot.assignedNodes().length > 0 ? slot.assignedNodes().map((n) => n.textContent).join('') : slot.textContent;
    return [words.trim(), root.querySelector('.mark').textContent].filter(Boolean).join(' ');
  }, sku);

/** badgeState returns the custom states of a badge, in their order. */
export const badgeState = (page, sku) =>
  page.evaluate((sku) => {
    const badge = document.querySelector(`stock-badge[sku="${CSS.escape(sku)}"]`);
    return ['in', 'low', 'out', 'back', 'unknown', 'denied', 'server', 'stale'].filter((s) => badge.matches(`:state(${s})`)).join(' ');
  }, sku);

/** said returns what was announced, in its order. */
export const said = (page) => page.evaluate(() => window.said);

/** listen collects what is announced from now on. */
export const listen = (page) => page.evaluate(() => {
  window.said = [];
  let before = '';
  new MutationObserver(() => {
    const text = document.querySelector('.securecart-announcements')?.textContent;
    if (text && text !== before) said.push(text);
    before = text;
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
});
