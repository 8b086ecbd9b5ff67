// The demo page: a shop whose badges and cart are live. It shows how little a page
// has to do: name what it wants, render what the hub knows, say what people did.

import { adminClient, adminToken } from './admin.js';
import { Hub } from './hub.js';
import { connectHub } from './elements.js';
import { Lines } from './lines.js';
import { clampWords, errorWords, pieces, statusWords } from './words.js';

const $ = (id) => document.getElementById(id);

/** messageStays is how long a message is shown, in ms; a click ends it earlier. */
const messageStays = 12_000;

/** tokenRest is how much of its life a token must have left to be used again, in ms. */
const tokenRest = 120_000;

const config = await load('config.json').catch(() => ({ socket: '/v1' }));
const admin = adminClient(config.admin, adminToken(window), (...request) => fetch(...request));
const products = new Map(); // sku -> product of the catalogue

// ---- Who is here. The name belongs to this window, so that two windows can be two
// people; the guest's token (in hub.js) belongs to the browser.

const session = {
  get: (name) => sessionStorage.getItem(`demo.${name}`),
  set: (name, value) => (value === null ? sessionStorage.removeItem(`demo.${name}`) : sessionStorage.setItem(`demo.${name}`, value)),
};
let issued = null; // {user, token, expires}

async function token() {
  const user = session.get('user');
  if (!user || !config.admin) return null;
  if (issued?.user !== user || issued.expires - Date.now() < tokenRest) {
    issued = { user, ...(await admin('POST', '/admin/token', { user })) };
  }
  return issued.token;
}

const hub = new Hub({ url: config.socket, token });
const lines = new Lines(hub, renderCart);

async function signIn(user) {
  await Promise.race([hub.settled(), new Promise((resolve) => setTimeout(resolve, 3_000))]);
  const guestToken = hub.role === 'guest' && pieces(hub.get('cart')) > 0 ? hub.guestToken : null;
  const before = session.get('user');
  session.set('user', user);
  try {
    await token();
  } catch (error) {
    session.set('user', before);
    say(`Signing in did not work: ${error.message}`, 'bad');
    return;
  }
  // It is kept until it is done: the connection may come late, or the page be reloaded.
  if (guestToken) session.set('merge', guestToken);
  hub.reconnect();
}

async function signOut() {
  await Promise.race([hub.settled(), new Promise((resolve) => setTimeout(resolve, 3_000))]);
  session.set('user', null);
  session.set('merge', null);
  hub.reconnect();
}

/** mergeGuest brings along what was in the cart before the sign-in. */
async function mergeGuest() {
  const from = session.get('merge');
  if (!from || hub.role === 'guest') return;
  try {
    const answer = await hub.merge(from, 'sum');
    session.set('merge', null);
    say('What was in your cart before is in it still.');
    for (const text of clampWords(answer, nameOf)) say(text, 'odd');
  } catch (error) {
    if (error.code === 'identity' || error.code === 'closed') return; // it waits for the next sign-in
    session.set('merge', null);
    say(`Your earlier cart could not be brought along: ${errorWords(error)}`, 'bad');
  }
}

function renderIdentity() {
  const guest = hub.role === 'guest';
  $('who').textContent = hub.user === null ? '…' : guest ? 'You are a guest' : `You are ${hub.user}`;
  $('who').title = hub.user ?? '';
  $('sign-in').hidden = !(config.admin && guest);
  $('sign-out').hidden = guest || hub.user === null;
}

// ---- Products ----

function showProducts() {
  const list = document.createDocumentFragment();
  for (const product of products.values()) list.append(productCard(product));
  $('products').append(list);
  $('products-note').hidden = products.size > 0;
  $('products-note').textContent = 'This shop has no products.';
}

function productCard(product) {
  const { sku, name, price, icon, vendor } = product;
  const card = $('product-template').content.cloneNode(true).querySelector('li');
  const find = (selector) => card.querySelector(selector);
  find('.icon').textContent = icon || '📦';
  find('.name').textContent = name;
  find('.price').textContent = price;
  find('.vendor').textContent = vendor ? `by ${vendor}` : '';
  find('stock-badge').setAttribute('sku', sku);
  find('.add .quantity').setAttribute('aria-label', `Quantity of ${name}`);
  const button = find('.add button');
  button.setAttribute('aria-label', `Add to cart: ${name}`);
  product.render = () => {
    const out = hub.get(`sku:${sku}`)?.state === 'out';
    button.disabled = out;
    button.textContent = out ? 'Sold out' : 'Add to cart';
    button.setAttribute('aria-label', `${button.textContent}: ${name}`);
  };
  find('.add').addEventListener('submit', (event) => {
    event.preventDefault();
    const input = find('.add .quantity');
    addToCart(sku, input.valueAsNumber);
    input.value = 1;
  });
  if (config.admin) stockControl(find('.stock'), product);
  return card;
}

async function addToCart(sku, quantity) {
  try {
    const answer = await hub.add(sku, quantity);
    const texts = clampWords(answer, nameOf, (each) => answer.clamped[each].wanted - quantity);
    for (const text of texts) say(text, 'odd');
    if (texts.length === 0) say(`${nameOf(sku)}: added${quantity > 1 ? ` ${quantity}` : ''}.`);
  } catch (error) {
    say(`${nameOf(sku)}: ${errorWords(error)}`, 'bad');
  }
}

/** stockControl plays the warehouse, which no page of a real shop would. */
function stockControl(details, { sku, name }) {
  details.hidden = false;
  const input = details.querySelector('.available');
  input.setAttribute('aria-label', `Stock of ${name}`);
  const path = `/admin/stock/${encodeURIComponent(sku)}`;
  details.addEventListener('toggle', async () => {
    if (!details.open) return;
    try {
      input.value = (await admin('GET', path)).available;
    } catch (error) {
      say(`The stock could not be read: ${error.message}`, 'bad');
    }
  });
  details.querySelector('form').addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      await admin('PUT', path, { available: input.valueAsNumber });
    } catch (error) {
      say(`The stock was not changed: ${error.message}`, 'bad');
    }
  });
}

const nameOf = (sku) => products.get(sku)?.name ?? sku;

// ---- The cart ----

const rows = new Map(); // sku -> row; kept while the line is, so that the focus stays

function renderCart() {
  const cart = hub.get('cart');
  const skus = cart ? [...cart.lines.keys()].sort((a, b) => nameOf(a).localeCompare(nameOf(b))) : [];
  for (const [sku, row] of rows) {
    if (cart?.lines.has(sku)) continue;
    const focused = row.element.contains(document.activeElement);
    row.element.remove();
    rows.delete(sku);
    if (focused) $('cart').focus();
  }
  let cents = 0;
  skus.forEach((sku, i) => {
    if (!rows.has(sku)) rows.set(sku, lineRow(sku));
    const row = rows.get(sku);
    if ($('lines').children[i] !== row.element) $('lines').insertBefore(row.element, $('lines').children[i] ?? null);
    row.render();
    cents += lines.shown(sku) * centsOf(sku);
  });
  $('cart-note').hidden = skus.length > 0;
  const refusal = hub.refusal('cart');
  $('cart-note').textContent = cart ? 'Nothing in it yet.' : refusal ? `Not available: ${errorWords({ code: refusal })}` : 'Loading…';
  $('total').hidden = skus.length === 0;
  $('sum').textContent = money(cents);
  $('cart').classList.toggle('stale', cart !== undefined && !hub.isLive('cart'));
}

function lineRow(sku) {
  const element = $('line-template').content.cloneNode(true).querySelector('li');
  const find = (selector) => element.querySelector(selector);
  const name = nameOf(sku);
  const input = find('.quantity');
  find('.icon').textContent = products.get(sku)?.icon || '📦';
  find('.name').textContent = name;
  find('stock-badge').setAttribute('sku', sku);
  find('.stepper').setAttribute('aria-label', `Quantity of ${name}`);
  input.setAttribute('aria-label', `Quantity of ${name}`);
  find('.less').setAttribute('aria-label', `One less: ${name}`);
  find('.more').setAttribute('aria-label', `One more: ${name}`);
  find('.remove').setAttribute('aria-label', `Remove ${name}`);
  find('.less').addEventListener('click', () => setLine(sku, lines.shown(sku) - 1));
  find('.more').addEventListener('click', () => setLine(sku, lines.shown(sku) + 1));
  find('.remove').addEventListener('click', () => setLine(sku, 0));
  let typing = false; // what somebody types is not overwritten
  input.addEventListener('input', () => (typing = true));
  input.addEventListener('blur', () => {
    typing = false;
    render();
  });
  input.addEventListener('change', () => {
    typing = false;
    const quantity = input.valueAsNumber;
    if (input.validity.valid && Number.isInteger(quantity)) setLine(sku, quantity);
    else render();
  });
  function render() {
    const quantity = lines.shown(sku);
    if (!typing) input.value = quantity;
    find('.more').disabled = quantity >= hub.limits.quantity;
    find('.price').textContent = money(quantity * centsOf(sku));
    element.classList.toggle('waits', lines.waits(sku));
  }
  return { element, render };
}

async function setLine(sku, quantity) {
  const first = !lines.waits(sku);
  const done = lines.wish(sku, Math.max(0, Math.min(hub.limits.quantity, quantity)));
  if (!first) return; // whoever began it tells how it ended
  try {
    for (const text of clampWords(await done, nameOf)) say(text, 'odd');
  } catch (error) {
    say(`${nameOf(sku)}: ${errorWords(error)}`, 'bad');
  }
}

const centsOf = (sku) => Math.round(Number(products.get(sku)?.price ?? 0) * 100) || 0;
const money = (cents) => (cents / 100).toFixed(2);

// ---- Everything else ----

/** say shows a message for a while. */
function say(text, kind = 'good') {
  const message = document.createElement('p');
  message.className = `message ${kind}`;
  const words = document.createElement('span');
  words.textContent = text;
  const close = document.createElement('button');
  close.type = 'button';
  close.textContent = '×';
  close.setAttribute('aria-label', 'Dismiss this message');
  close.addEventListener('click', () => message.remove());
  message.append(words, close);
  $('messages').append(message);
  while ($('messages').children.length > 4) $('messages').firstChild.remove();
  setTimeout(() => message.remove(), messageStays);
}

async function load(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

function renderStatus() {
  $('connection').dataset.status = hub.status;
  $('connection').textContent = statusWords(hub.status, navigator.onLine);
}

hub.addEventListener('change', ({ detail: { topics } }) => {
  for (const topic of topics) products.get(topic.slice('sku:'.length))?.render();
  if (topics.includes('cart')) renderCart();
});
hub.addEventListener('status', renderStatus);
hub.addEventListener('live', renderCart);
hub.addEventListener('identity', () => {
  renderIdentity();
  renderCart();
  mergeGuest();
});
hub.addEventListener('notice', ({ detail: { code, mine } }) => {
  if (!mine) {
    say('You are a new guest: your earlier guest cart has ended.', 'odd');
  } else if (code === 'busy') {
    say('Your sign-in cannot be checked at the moment. It is tried again.', 'odd');
  } else {
    say(errorWords({ code }), 'bad');
    issued = null;
    signOut();
  }
});
hub.addEventListener('epoch', () => say('The shop had to start over. Everything here is being read anew.', 'odd'));
hub.addEventListener('problem', ({ detail: { message } }) => say(message, 'bad'));
hub.addEventListener('refused', ({ detail: { topic } }) => topic === 'cart' && renderCart());
hub.addEventListener('writes', ({ detail: { pending } }) => ($('cart-pending').hidden = pending === 0));
addEventListener('online', renderStatus);
addEventListener('offline', renderStatus);
$('sign-in').addEventListener('click', ({ target }) => target.dataset.user && signIn(target.dataset.user));
$('sign-out').addEventListener('click', signOut);
$('identity').addEventListener('submit', (event) => event.preventDefault());

hub.want(['cart']);
connectHub(hub);
hub.open();
try {
  for (const product of await load('catalogue.json')) products.set(product.sku, product);
  showProducts();
  renderCart();
} catch (error) {
  $('products-note').textContent = `The catalogue could not be loaded: ${error.message}`;
}
