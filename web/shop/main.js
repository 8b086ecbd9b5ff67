// The shop begins here: it reads the catalogue, connects, and shows the page that the
// address names.

import { connect } from './securecart-live.js';
import { Actions } from './actions.js';
import { adminClient, adminToken } from './admin.js';
import { Announcer } from './announcer.js';
import { App } from './app.js';
import { deviceOf, Network, prefixOf, storageOf } from './device.js';
import { Messages, Voice } from './messages.js';
import { Shop } from './products.js';
import { Router } from './router.js';
import { Session } from './session.js';
import { Store } from './store.js';
import { empty } from './views/empty.js';
import { words } from './words.js';

const device = deviceOf(location.search);
const network = device === null ? null : new Network(window);
const prefix = prefixOf(device);
const stored = storageOf(() => sessionStorage, prefix);

async function load(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

const config = await load('config.json').catch(() => ({ socket: '/v1', admin: '' }));
const apiToken = adminToken(window, stored);
const admin = config.admin ? adminClient(config.admin, apiToken, (...request) => fetch(...request)) : null;

try {
  start(new Shop(await load('catalogue.json')));
} catch (error) {
  const { noCatalogue } = words;
  const router = { href: () => './' };
  document.querySelector('main').replaceChildren(
    empty(
      { router },
      {
        form: { picture: 'cable', tint: 'butter' },
        title: noCatalogue.title,
        text: noCatalogue.text,
        button: { text: noCatalogue.go, run: () => location.reload() },
      },
    ),
  );
  throw error;
}

function start(shop) {
  const session = new Session(admin, stored);
  const live = connect({
    announce: false, // the shop has sentences of its own
    url: config.socket,
    token: (asked) => session.token(asked),
    names: (sku) => shop.name(sku),
    tabs: device === null,
    storage: storageOf(() => localStorage, prefix),
  });
  const app = new App({ store: new Store(shop, live), session, admin, device, network });
  app.messages = new Messages(
    () => app.update(),
    () => Boolean(document.activeElement?.closest('[data-place=messages]')),
  );
  app.voice = new Voice(document.getElementById('voice'));
  app.actions = new Actions(app);
  app.announcer = new Announcer(app);
  app.router = new Router(window, device, (route, how) => app.show(route, how));
  app.start();
  if (device === null) return;
  const { parent } = window; // the page with both devices; no other may have the shop in a frame
  parent.dispatchEvent(new parent.CustomEvent('shop-device', { detail: { device, app, network } }));
}
