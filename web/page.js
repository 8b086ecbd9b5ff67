// The demo page: a shop whose badges and cart are live. It shows what is left for a
// page to do: name its topics, render the hub's state, and send what the user does.

import { adminClient, adminToken, setStock } from './admin.js';
import { Hub } from './hub.js';
import { connectHub } from './elements.js';
import { Lines } from './lines.js';
import { clampTexts, errorText, countPieces, skipTexts, statusText } from './words.js';

const $ = (id) => document.getElementById(id);

/** messageDuration is how long a message is shown, in ms; a click removes it earlier. */
const messageDuration = 12_000;

/** minTokenLife is how long a cached token must still be valid to be used again, in ms. */
const minTokenLife = 120_000;

/** settleWithin is how long a sign-in or sign-out waits for unanswered changes, in ms. */
const settleWithin = 3_000;

const config = await load('config.json').catch(() => ({ socket: '/v1' }));
const admin = adminClient(config.admin, adminToken(window), (...request) => fetch(...request));
const products = new Map(); // sku -> product of the catalogue

// ---- Identity. The user's name belongs to the window, so that two windows can have
// two users. The guest's token (in hub.js) belongs to the browser.

const session = {
  get: (name) => sessionStorage.getItem(`demo.${name}`),
  set(name, value) {
    if (value === null) sessionStorage.removeItem(`demo.${name}`);
    else sessionStorage.setItem(`demo.${name}`, value);
  },
};
let cachedToken = null; // {user, token, expires}

async function token() {
  const user = session.get('user');
  if (!user || !config.admin) return null;
  if (cachedToken?.user !== user || cachedToken.expires - Date.now() < minTokenLife) {
    cachedToken = { user, ...(await admin('POST', '/admin/token', { user })) };
  }
  return cachedToken.token;
}

const hub = new Hub({ url: config.socket, token });
const lines = new Lines(hub, renderCart);

/** settle waits until changes to the cart are answered, but not for long. */
const settle = () => Promise.race([hub.settled(), new Promise((resolve) => setTimeout(resolve, settleWithin))]);

async function signIn(user) {
  await settle();
  const guestToken = hub.role === 'guest' && countPieces(hub.get('cart')) > 0 ? hub.guestToken : null;
  const before = session.get('user');
  session.set('user', user);
  try {
    await token();
  } catch (error) {
    session.set('user', before);
    say(`Sign-in failed: ${error.message}`, 'bad');
    return;
  }
  // The merge runs after the next hello. It is stored, because the page may be reloaded before that.
  if (guestToken) session.set('merge', guestToken);
  hub.reconnect();
}

async function signOut() {
  await settle();
  session.set('user', null);
  session.set('merge', null);
  hub.reconnect();
}

/** mergeGuest moves what the guest put into the cart before the sign-in. */
async function mergeGuest() {
  const from = session.get('merge');
  if (!from || hub.role === 'guest') return;
  try {
    const answer = await hub.merge(from, 'sum');
    session.set('merge', null);
    say('Your cart from before you signed in was added.');
    for (const text of clampTexts(answer, nameOf)) say(text, 'warn');
    for (const text of skipTexts(answer, nameOf)) say(text, 'warn');
  } catch (error) {
    if (error.code === 'identity' || error.code === 'closed') return; // the merge runs after the next hello
    session.set('merge', null);
    say(`Your cart from before you signed in could not be added: ${errorText(error)}`, 'bad');
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
  const { sku, name, price, icon } = product;
  const card = $('product-template').content.cloneNode(true).querySelector('li');
  const find = (selector) => card.querySelector(selector);
  find('.icon').textContent = icon || '📦';
  find('.name').textContent = name;
  find('.price').textContent = price;
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
    const texts = clampTexts(answer, nameOf, (each) => answer.clamped[each].wanted - quantity);
    for (const text of texts) say(text, 'warn');
    if (texts.length === 0) say(`${nameOf(sku)}: added${quantity > 1 ? ` ${quantity}` : ''}.`);
  } catch (error) {
    say(`${nameOf(sku)}: ${errorText(error)}`, 'bad');
  }
}

/** stockControl sets the stock through the admin API. Only a demo page does that. */
function stockControl(details, { sku, name }) {
  details.hidden = false;
  const input = details.querySelector('.available');
  input.setAttribute('aria-label', `Stock of ${name}`);
  details.addEventListener('toggle', async () => {
    if (!details.open) return;
    try {
      input.value = (await admin('GET', `/admin/stock/${encodeURIComponent(sku)}`)).available;
    } catch (error) {
      say(`The stock could not be read: ${error.message}`, 'bad');
    }
  });
  details.querySelector('form').addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      await setStock(admin, sku, { available: input.valueAsNumber });
    } catch (error) {
      say(`The stock was not changed: ${error.message}`, 'bad');
    }
  });
}

const nameOf = (sku) => products.get(sku)?.name ?? sku;

// ---- The cart ----

const rows = new Map(); // sku -> row; a row lasts as long as its line, so that it keeps the focus

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
    cents += lines.quantity(sku) * centsOf(sku);
  });
  $('cart-note').hidden = skus.length > 0;
  const refusal = hub.refusal('cart');
  if (cart) $('cart-note').textContent = 'Your cart is empty.';
  else $('cart-note').textContent = refusal ? `Not available: ${errorText({ code: refusal })}` : 'Loading…';
  $('total').hidden = $('order').hidden = skus.length === 0;
  $('sum').textContent = money(cents);
  $('cart').classList.toggle('stale', cart !== undefined && !hub.isLive('cart'));
}

/** order checks out the cart that the page shows, once every change of it is answered. */
async function order() {
  $('order').disabled = true;
  try {
    await settle();
    await hub.checkout({ version: hub.get('cart')?.version });
  } catch (error) {
    say(`Your order was not placed: ${errorText(error)}`, 'bad');
  } finally {
    $('order').disabled = false;
  }
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
  find('.less').addEventListener('click', () => setLine(sku, lines.quantity(sku) - 1));
  find('.more').addEventListener('click', () => setLine(sku, lines.quantity(sku) + 1));
  find('.remove').addEventListener('click', () => setLine(sku, 0));
  let typing = false; // while the user types, render leaves the input alone
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
    const quantity = lines.quantity(sku);
    if (!typing) input.value = quantity;
    find('.more').disabled = quantity >= hub.limits.quantity;
    find('.price').textContent = money(quantity * centsOf(sku));
    element.classList.toggle('waits', lines.isPending(sku));
  }
  return { element, render };
}

async function setLine(sku, quantity) {
  const first = !lines.isPending(sku);
  const done = lines.setQuantity(sku, Math.max(0, Math.min(hub.limits.quantity, quantity)));
  if (!first) return; // the first call reports the result
  try {
    for (const text of clampTexts(await done, nameOf)) say(text, 'warn');
  } catch (error) {
    say(`${nameOf(sku)}: ${errorText(error)}`, 'bad');
  }
}

const centsOf = (sku) => Math.round(Number(products.get(sku)?.price ?? 0) * 100) || 0;
const money = (cents) => (cents / 100).toFixed(2);

// ---- Messages and status ----

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
  setTimeout(() => message.remove(), messageDuration);
}

async function load(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

function renderStatus() {
  $('connection').dataset.status = hub.status;
  $('connection').textContent = statusText(hub.status, navigator.onLine);
}

hub.addEventListener('change', ({ detail: { topics } }) => {
  for (const topic of topics) products.get(topic.slice('sku:'.length))?.render();
  if (topics.includes('cart')) renderCart();
});
hub.addEventListener('ordered', ({ detail: { topic } }) => topic === 'cart' && say('Your order was placed.'));
hub.addEventListener('status', renderStatus);
hub.addEventListener('live', renderCart);
hub.addEventListener('identity', () => {
  renderIdentity();
  renderCart();
  mergeGuest();
});
hub.addEventListener('notice', ({ detail: { code, fromToken } }) => {
  if (!fromToken && code === 'token_expired') {
    say('You are a new guest: your earlier guest cart has expired.', 'warn');
  } else if (!fromToken) {
    say('Your earlier cart cannot be opened at the moment. The shop will try again.', 'warn');
  } else if (code === 'busy') {
    say('Your sign-in cannot be verified at the moment. The shop will try again.', 'warn');
  } else {
    say(errorText({ code }), 'bad');
    cachedToken = null;
    signOut();
  }
});
hub.addEventListener('epoch', () => say('The shop lost its recent data. This page is loading it again.', 'warn'));
hub.addEventListener('problem', ({ detail: { message } }) => say(message, 'bad'));
hub.addEventListener('refused', ({ detail: { topic } }) => topic === 'cart' && renderCart());
hub.addEventListener('writes', ({ detail: { pending } }) => ($('cart-pending').hidden = pending === 0));
addEventListener('online', renderStatus);
addEventListener('offline', renderStatus);
$('sign-in').addEventListener('click', ({ target }) => target.dataset.user && signIn(target.dataset.user));
$('sign-out').addEventListener('click', signOut);
$('order').addEventListener('click', order);
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
