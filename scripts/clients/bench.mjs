// Measures clients beside this project's, each in a page of Chromium with many products: the
// page's main thread, and the time from a publication to the painted text. The servers of the
// others stand in: a few lines each that speak just enough of the protocol, in this process. Run
// it with make benchclient, on a machine that does nothing else.

import { createRequire } from 'node:module';
import { once } from 'node:events';
import { eventually, Hub, launch, root, Site, wait } from '../browser/world.mjs';

const { buildSync } = createRequire(`${root}/.tools/live/x.js`)('esbuild');
const { WebSocketServer } = createRequire(`${root}/.tools/clients/x.js`)('ws');

const topics = (n) => Array.from({ length: n }, (_, i) => `sku:S${i}`);
const publications = 100;

/** serve runs a server that stands in. open(socket) greets; answer(message, send, subscribe) answers each message. */
async function serve(n, { split = (data) => [data], open = () => {}, answer, publication }) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: ([first]) => first });
  await once(server, 'listening');
  const subscribed = new Map(); // topic -> send
  server.on('connection', (socket) => {
    const send = (message) => socket.send(JSON.stringify(message));
    open(send);
    socket.on('message', (data) => {
      for (const part of split(String(data))) answer(JSON.parse(part), send, (topic) => subscribed.set(topic, send));
    });
  });
  return {
    url: `ws://127.0.0.1:${server.address().port}`,
    isReady: () => subscribed.size === n,
    publish: (topic, n) => subscribed.get(topic)(publication(topic, n)),
    stop: () => (server.clients.forEach((c) => c.terminate()), server.close()),
  };
}

/** Each client: an item of the page, the page's code, which has url, topics and show(topic, n), and its server. */
const clients = {
  // A connection has 200 topics at most, so the elements subscribe to what is in view.
  '@securecart/live, elements': {
    item: (topic) => `<stock-badge sku="${topic.slice(4)}">?</stock-badge>`,
    code: `import { connect } from '${root}/web/dist/securecart-live.js';
      window.text = (topic) => document.getElementById(topic).firstChild.shadowRoot.querySelector('slot').textContent;
      connect({ url, tabs: false });`,
    async serve(n) {
      const hub = await Hub.start('-keys', 'none', '-limits', 'guest=2000');
      await hub.setStocks(topics(n).map((topic) => ({ sku: topic.slice(4), available: 3 })));
      return {
        url: hub.socket,
        isReady: async () => (await hub.connections())[0]?.topics.includes('sku:S7'),
        publish: (topic, n) => hub.setStock(topic.slice(4), n),
        stop: () => hub.stop(),
      };
    },
  },
  centrifuge: {
    code: `import { Centrifuge } from 'centrifuge';
      const client = new Centrifuge(url);
      for (const topic of topics) {
        const subscription = client.newSubscription(topic);
        subscription.on('publication', ({ data }) => show(topic, data.quantity));
        subscription.subscribe();
      }
      client.connect();`,
    serve: (n) => serve(n, {
      split: (data) => data.trim().split('\n'),
      answer({ id, connect, subscribe }, send, add) {
        if (connect) send({ id, connect: { client: 'page', version: '0' } });
        if (subscribe) add(subscribe.channel), send({ id, subscribe: {} });
      },
      publication: (channel, quantity) => ({ push: { channel, pub: { data: { quantity } } } }),
    }),
  },
  '@supabase/realtime-js': {
    code: `import { RealtimeClient } from '@supabase/realtime-js';
      const client = new RealtimeClient(url, { params: { apikey: 'key' }, vsn: '1.0.0' });
      for (const topic of topics) {
        client.channel(topic).on('broadcast', { event: 'stock' }, ({ payload }) => show(topic, payload.quantity)).subscribe();
      }`,
    serve: (n) => serve(n, {
      answer({ topic, event, ref }, send, add) {
        if (event === 'phx_join') add(topic.replace(/^realtime:/, ''));
        send({ topic, event: 'phx_reply', ref, payload: { status: 'ok', response: {} } });
      },
      publication: (topic, quantity) => ({
        topic: `realtime:${topic}`, event: 'broadcast', ref: null, payload: { type: 'broadcast', event: 'stock', payload: { quantity } },
      }),
    }),
  },
  'partysocket, topics by hand': {
    code: `import { WebSocket } from 'partysocket';
      const socket = new WebSocket(url);
      socket.addEventListener('open', () => topics.forEach((topic) => socket.send(JSON.stringify({ topic }))));
      socket.addEventListener('message', ({ data }) => {
        const { topic, quantity } = JSON.parse(data);
        show(topic, quantity);
      });`,
    serve: (n) => serve(n, {
      answer: ({ topic }, _send, add) => add(topic),
      publication: (topic, quantity) => ({ topic, quantity }),
    }),
  },
};

const site = await Site.start();
const browser = await launch();

async function measure(name, { code, item = () => '?', serve }, n) {
  const server = await serve(n);
  const shown = `window.show = (topic, n) => { document.getElementById(topic).textContent = n; };
    window.text = (topic) => document.getElementById(topic).textContent;
    window.url = '${server.url}'; window.topics = ${JSON.stringify(topics(n))};`;
  const bundle = buildSync({
    stdin: { contents: code, resolveDir: `${root}/.tools/clients` },
    bundle: true, minify: true, format: 'esm', target: 'es2022', platform: 'browser', write: false, logLevel: 'error',
  }).outputFiles[0].text;
  site.put('/shown.js', shown, { type: 'text/javascript' });
  site.put('/client.js', bundle, { type: 'text/javascript' });
  const page = await (await browser.newContext()).newPage();
  await page.goto(site.put('/', `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">
    <script src="/shown.js"></script><ul>${topics(n).map((topic) => `<li id="${topic}">${item(topic)}</li>`).join('')}</ul>`));
  await wait(500);
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const spent = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find((m) => m.name === 'TaskDuration').value * 1000;
  };
  const before = await spent();
  await page.evaluate(() => document.head.append(Object.assign(document.createElement('script'), { type: 'module', src: '/client.js' })));
  await eventually(() => server.isReady(), `${name}: all topics`, 60_000);
  await wait(1_000);
  const start = (await spent()) - before;
  const ms = [];
  for (let i = 0; i < publications; i++) {
    const quantity = 1 + (i % 2);
    const painted = page.evaluate((quantity) => new Promise((resolve) => {
      const look = () => {
        // After the frame that has the text.
        if (window.text('sku:S7').includes(quantity)) requestAnimationFrame(() => setTimeout(() => resolve(Date.now())));
        else requestAnimationFrame(look);
      };
      look();
    }), quantity);
    const at = Date.now();
    await server.publish('sku:S7', quantity);
    ms.push((await painted) - at);
  }
  ms.sort((a, b) => a - b);
  console.log(`${name.padEnd(30)} ${String(n).padStart(5)} products: main thread ${start.toFixed(0)} ms to subscribe; to the painted text p50 ${ms[50]} ms, p99 ${ms[98]} ms`);
  await page.context().close();
  await server.stop();
}

for (const n of [500, 5_000]) for (const [name, client] of Object.entries(clients)) await measure(name, client, n);
await browser.close();
site.stop();
