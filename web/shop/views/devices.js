// Two devices of one person in one window: two frames with storages of their own.

import { prefixOf, storageOf } from '../device.js';
import { h, setText } from '../dom.js';
import { timeWithSeconds } from '../money.js';
import { format } from '../router.js';
import { people, Session } from '../session.js';
import { statusWords } from '../status.js';
import { badgeOf } from '../stock.js';
import { words } from '../words.js';

const names = ['laptop', 'phone'];
const longestLog = 30; // entries

export function devicesPage(app) {
  const { shop } = app.store;
  const isAdmin = app.session.person.role === 'admin';
  const [alice, bob] = ['alice', 'bob'].map((id) => people.find((person) => person.id === id));
  const product =
    shop.items.get('BOWL-15') ?? shop.products.find(({ versions }) => versions.length === 1)?.versions[0];
  const scarce = shop.items.get('SPEAKER-S') ?? product;
  const ready = new Map(); // name → {app, network}
  const gone = new AbortController();
  if (app.session.canSignIn)
    for (const name of names)
      new Session(
        null,
        storageOf(() => sessionStorage, prefixOf(name)),
      ).start('alice');

  const heading = h('h1', { tabindex: '-1' }, words.devices.title);
  const log = h('ol', { class: 'log' });
  const pills = new Map(
    names.map((name) => [name, h('span', { class: 'pill' }, h('span', { class: 'dot' }), h('span'))]),
  );
  const frames = new Map(
    names.map((name) => [
      name,
      h('iframe', {
        src: format({ page: 'home', category: product?.category }, name),
        title: words.devices[name],
        class: 'screen',
      }),
    ]),
  );
  const both = button(words.devices.both, () => {
    for (const name of names) ready.get(name)?.app.actions.add(product.sku, 1);
  });
  const network = button('', () => {
    const phone = ready.get('phone')?.network;
    phone?.switch(!phone.online);
    update();
  });
  const signIn = button('', () => ready.get('phone')?.app.signIn(next()));
  const next = () => (ready.get('phone')?.app.session.person.id === 'bob' ? alice : bob);
  const set = (available) =>
    app
      .admin('PUT', `/admin/stock/${encodeURIComponent(scarce.sku)}`, { available })
      .catch((error) => tell(error.message));
  const element = h(
    'div',
    { class: 'two-devices' },
    heading,
    device('laptop'),
    h(
      'section',
      { class: 'try' },
      h('h2', {}, words.devices.tryIt),
      both,
      network,
      signIn,
      isAdmin && [
        h('p', { class: 'small second' }, words.devices.admin),
        button(words.devices.set(scarce.name, 1), () => set(1), 'soft'),
        button(words.devices.sellOut(scarce.name), () => set(0), 'soft'),
        button(words.devices.cut, cut, 'soft'),
      ],
      h('h2', {}, words.devices.happened),
      log,
    ),
    device('phone'),
  );

  function device(name) {
    return h(
      'section',
      { class: `device ${name}` },
      h('div', { class: 'list-head' }, h('h2', {}, words.devices[name]), pills.get(name)),
      frames.get(name),
    );
  }

  /** cut ends all connections of the shop, as a new version of it would. */
  async function cut() {
    try {
      const { connections } = await app.admin('GET', '/admin/connections');
      await Promise.all(
        connections.map(({ connectionId: id }) =>
          app.admin('DELETE', `/admin/connections/${encodeURIComponent(id)}`),
        ),
      );
    } catch (error) {
      tell(error.message);
    }
  }

  function tell(text) {
    log.prepend(h('li', {}, h('time', {}, timeWithSeconds(Date.now())), h('span', {}, text)));
    while (log.children.length > longestLog) log.lastChild.remove();
  }

  /** A frame reports itself when its shop has started. */
  window.addEventListener(
    'shop-device',
    ({ detail }) => {
      ready.set(detail.device, detail);
      const title = words.devices[detail.device] ?? detail.device;
      follow(title, detail.app.store, tell);
      for (const type of ['look', 'connection'])
        detail.app.store.addEventListener(type, update, { signal: gone.signal });
      update();
    },
    { signal: gone.signal },
  );

  function update() {
    for (const [name, pill] of pills) {
      const device = ready.get(name);
      const { kind, short } = device
        ? statusWords(device.app.store)
        : { kind: 'connecting', short: words.status.connecting };
      pill.dataset.kind = kind;
      setText(pill.lastChild, short);
    }
    const phone = ready.get('phone');
    setText(network, phone?.network.online === false ? words.devices.on : words.devices.off);
    setText(signIn, words.devices.signIn(next().name));
    both.disabled = ready.size < names.length;
    network.disabled = !phone;
    signIn.disabled = !phone || !app.session.canSignIn || !phone.app.store.reachable;
  }

  return {
    title: words.devices.title,
    element,
    heading,
    update,
    accepts: ({ page }) => page === 'devices',
    follow() {},
    end: () => gone.abort(),
  };
}

const button = (text, run, look = 'plain') => h('button', { type: 'button', class: look, onclick: run }, text);

/** follow tells what a device's shop reports: its connection, its cart, and stock of what is in it. */
function follow(title, store, tell) {
  const lines = new Map(); // SKU → what was told of the line
  const stock = new Map();
  const say = (text) => tell(words.devices.cart(title, text));
  store.addEventListener('connection', () => say(statusWords(store).short));
  store.addEventListener('look', () => {
    if (!store.live.cart.state.known) return;
    const now = store.lines;
    for (const [sku, line] of now) {
      const name = store.shop.name(sku);
      const text =
        line.pending === 'waiting'
          ? words.devices.kept(name, line.confirmed, line.quantity)
          : line.pending
            ? null
            : words.devices.inCart(name, line.confirmed);
      if (text !== null && lines.get(sku) !== text) say(text);
      if (text !== null) lines.set(sku, text);
      const { kind, text: left } = badgeOf([store.view(sku)]);
      if (kind !== 'stale' && kind !== 'asking' && kind !== 'unknown') {
        if (stock.has(sku) && stock.get(sku) !== left) say(words.devices.stockIs(name, left));
        stock.set(sku, left);
      }
    }
    for (const sku of lines.keys()) {
      if (now.has(sku)) continue;
      lines.delete(sku);
      say(words.devices.gone(store.shop.name(sku)));
    }
  });
}
