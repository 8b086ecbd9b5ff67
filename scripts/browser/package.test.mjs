// The npm package in a fresh project: Vite, TypeScript, React with a page that a server rendered, Vue.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { goesOnFrom, names, startShop } from './rendered.mjs';
import { badgeText, browser, eventually, freePort, hub, open, root, site, useWorld, wait } from './world.mjs';

const folder = mkdtempSync(join(tmpdir(), 'storefront-'));
const app = join(folder, 'app');
const run = (command, args, cwd = app, env = {}) =>
  execFileSync(command, args, { cwd, env: { ...process.env, ...env }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const bin = (name) => join(app, 'node_modules/.bin', name);

useWorld({
  cleanUp: () => rmSync(folder, { recursive: true, force: true }),
});

test('a fresh project installs what is packed, and its types are right', () => {
  const pack = join(folder, 'package');
  run('node', ['build.mjs', join(root, '.tools/live'), join(pack, 'dist')], join(root, 'web'));
  for (const name of ['package.json', 'README.md']) cpSync(join(root, 'web', name), join(pack, name));
  const [{ filename, files }] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], pack));
  const names = files.map((f) => f.path);
  for (const name of ['dist/index.js', 'dist/core.js', 'dist/securecart-live.js', 'dist/types/index.d.ts', 'dist/types/react.d.ts', 'README.md']) {
    assert.ok(names.includes(name), `${name} is not in ${names}`);
  }
  cpSync(join(root, 'scripts/browser/storefront'), app, { recursive: true });
  for (const name of ['next.tsx', 'rendered.tsx']) cpSync(join(root, 'examples/storefront', name), join(app, 'src', name));
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  run('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', join(folder, filename)]);
  try {
    run(bin('tsc'), []);
  } catch (error) {
    assert.fail(error.stdout);
  }
});

test('a theme of Shopify shows the stock of its product', async () => {
  const { Liquid } = await import(pathToFileURL(join(app, 'node_modules/liquidjs/dist/liquid.node.mjs')));
  const liquid = new Liquid();
  liquid.registerFilter('asset_url', (name) => `${hub.origin}/${name}`);
  const theme = readFileSync(join(root, 'examples/storefront/theme.liquid'), 'utf8');
  const html = await liquid.parseAndRender(theme, {
    settings: { hub_url: hub.socket },
    product: { title: 'Mug', selected_or_first_available_variant: { sku: 'MUG', available: true } },
  });
  await hub.setStock('MUG', 2);
  const url = site.put('/product', `<!doctype html><html lang="en"><title>Mug</title><link rel="icon" href="data:,">${html}`);
  const page = await open(await browser.newContext(), url);
  await eventually(async () => (await badgeText(page, 'MUG')) === 'Only 2 left', 'live');
  assert.deepEqual(page.complaints, []);
});

test('Vite builds it, a server renders it, and React hydrates badges that were upgraded before', async () => {
  const vite = (...args) => run(bin('vite'), ['build', '--logLevel', 'error', ...args]);
  vite('--ssr', 'src/server.tsx', '--outDir', 'server');
  vite('--config', 'vite.client.ts');
  const { render } = await import(pathToFileURL(join(app, 'server/server.js')));
  await hub.setStock('MUG', 2);
  const { version } = await hub.admin('GET', '/stock/MUG');
  const products = [{ sku: 'MUG', name: 'Mug', state: 'low', quantity: 2, version, text: 'Two left' }];
  site.put('/data.js', `window.hub = '${hub.socket}'; window.products = ${JSON.stringify(products)};`, { type: 'text/javascript' });
  site.put('/client.js', readFileSync(join(app, 'dist/client.js'), 'utf8'), { type: 'text/javascript' });
  const url = site.put('/', `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">
    <div id="root">${render(products)}</div><script src="/data.js"></script><script type="module" src="/client.js"></script>`);
  const page = await open(await browser.newContext(), url);
  await eventually(() => page.evaluate(() => document.querySelector('stock-badge').matches(':state(low)')), 'live');
  assert.equal(await badgeText(page, 'MUG'), 'Two left', 'the words of the server');
  await eventually(() => page.evaluate(() => Object.keys(document.querySelector('#root').firstChild).some((k) => k.startsWith('__react'))), 'hydrated');
  await hub.setStock('MUG', 1);
  await eventually(async () => (await badgeText(page, 'MUG')) === 'Only 1 left', 'the change');
  assert.deepEqual(await page.evaluate(() => window.news.at(-1).quantity), 1);
  await page.evaluate(() => window.live.cart.add('MUG'));
  assert.deepEqual((await page.evaluate(() => window.order())).ordered, { MUG: 1 });
  assert.deepEqual(page.complaints, [], 'React has nothing to complain about');
});

test('the component of Next.js keeps its connection when a token is refreshed, and changes it with the user', async () => {
  const tokenOf = async (user) => (await hub.admin('POST', '/token', { user })).token;
  const page = await (await browser.newContext()).newPage();
  const sockets = [];
  page.on('websocket', (socket) => sockets.push(socket));
  await page.goto(`${site.origin}/`);
  await eventually(() => page.evaluate(() => window.live?.live), 'live');
  const users = async () => (await hub.connections()).map((c) => c.user).sort();
  const guests = (await users()).length;
  const signIn = (user, token) => page.evaluate(([user, token]) => window.signIn(user, token), [user, token]);
  await signIn('ann', await tokenOf('ann'));
  await eventually(async () => (await users()).includes('ann'), 'signed in');
  const [before] = (await hub.connections()).filter((c) => c.user === 'ann');
  await signIn('ann', await tokenOf('ann'));
  await wait(1_000);
  const [after] = (await hub.connections()).filter((c) => c.user === 'ann');
  assert.equal(after?.connectionId, before.connectionId, 'the same connection');
  assert.equal(sockets.length, 2);
  await signIn('bob', await tokenOf('bob'));
  await eventually(async () => (await users()).includes('bob'), 'another user');
  await eventually(async () => (await users()).length === guests + 1 && !(await users()).includes('ann'), 'only that one');
  // The browser tells of its sockets a little later than the hub.
  await eventually(() => sockets.length >= 3, 'a third socket');
  assert.equal(sockets.length, 3);
});

test('Vue sets the item of a badge, and has nothing to complain about', async () => {
  // In development Vue says what it does not know, for example an element.
  run(bin('vite'), ['build', '--logLevel', 'error', '--config', 'vite.vue.ts'], app, { NODE_ENV: 'development' });
  await hub.setStock('MUG', 2);
  await hub.setStock('TEE-RED-M', 3);
  site.put('/vue-data.js', `window.hub = '${hub.socket}';`, { type: 'text/javascript' });
  site.put('/vue.js', readFileSync(join(app, 'dist/vue.js'), 'utf8'), { type: 'text/javascript' });
  const url = site.put('/vue', `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">
    <div id="root"></div><script src="/vue-data.js"></script><script type="module" src="/vue.js"></script>`);
  const page = await open(await browser.newContext(), url);
  await eventually(async () => (await badgeText(page, 'MUG')) === 'Only 2 left', 'live');
  await page.evaluate(() => window.show('TEE-RED-M'));
  await eventually(async () => (await badgeText(page, 'TEE-RED-M')) === 'Only 3 left', 'another item');
  assert.equal(await page.locator('stock-badge').evaluate((badge) => badge.firstChild.data), 'TEE-RED-M', 'the children are those of Vue');
  await eventually(() => page.evaluate(() => document.querySelector('cart-badge').shadowRoot?.textContent === '0 items'), 'the cart');
  assert.deepEqual(page.complaints, []);
});

// ---- A server renders 50 badges from one call, and the socket goes on from there ----

let shop;
const started = async () => (shop ??= await startShop(folder));
after(() => shop?.stop());

test('Next.js renders 50 badges', async () => {
  const { origin, rest, token } = await started();
  Object.assign(process.env, { SECURECART_REST: rest, SECURECART_TOKEN: token });
  const { renderProducts } = await import(pathToFileURL(join(app, 'server/server.js')));
  await goesOnFrom(shop, '/rendered-next', () => renderProducts(names.map((sku) => ({ sku, name: sku }))));
  process.env.SECURECART_REST = `${origin}/nowhere`;
  assert.equal((await renderProducts([{ sku: 'MUG', name: 'Mug' }])).includes('state='), false, 'without an answer: no words');
});

test('PHP renders 50 badges', async () => {
  const { rest, token } = await started();
  const file = join(root, 'examples/storefront/rendered.php');
  const code = `require $argv[1]; $skus = json_decode($argv[2]); $stock = securecart_stock($argv[3], $argv[4], $skus);
    foreach ($skus as $sku) echo '<p>', securecart_badge($stock, $sku, "Item $sku"), '</p>';`;
  const php = (rest) => run('php', ['-d', 'error_reporting=-1', '-d', 'display_errors=stderr', '-r', code, '--', file, JSON.stringify(names), rest, token], root);
  await goesOnFrom(shop, '/rendered-php', () => php(rest));
  assert.equal(php(`${rest}/nowhere`).includes('state='), false, 'without an answer: no words');
});

test('an app proxy of Shopify renders 50 badges', async () => {
  const { rest, token } = await started();
  const port = await freePort();
  const env = { ...process.env, SECURECART_REST: rest, SECURECART_TOKEN: token, PORT: String(port) };
  const proxy = spawn('node', [join(root, 'examples/storefront/proxy.mjs')], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    const query = names.map((sku) => `sku=${encodeURIComponent(sku)}`).join('&');
    const ask = () => fetch(`http://127.0.0.1:${port}/apps/stock?${query}`);
    const answer = await eventually(ask, 'the proxy');
    assert.equal(answer.headers.get('content-type'), 'application/liquid');
    const { Liquid } = await import(pathToFileURL(join(app, 'node_modules/liquidjs/dist/liquid.node.mjs')));
    const liquid = new Liquid({ root: join(root, 'examples/storefront'), extname: '.liquid' });
    await goesOnFrom(shop, '/rendered-liquid', async () => liquid.parseAndRender(await (await ask()).text()));
  } finally {
    proxy.kill();
  }
});
