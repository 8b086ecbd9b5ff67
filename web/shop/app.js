// App is what the views share, and shows one of them at a time.

import { h } from './dom.js';
import { cartPage } from './views/cart.js';
import { checkoutPage } from './views/checkout.js';
import { devicesPage } from './views/devices.js';
import { empty } from './views/empty.js';
import { bar, footer, header, messageLine, strip } from './views/frame.js';
import { home } from './views/home.js';
import { makerPage } from './views/maker.js';
import { mergePage } from './views/merge.js';
import { productPage } from './views/product.js';
import { signInPage } from './views/signin.js';
import { words } from './words.js';

/** settleWithin is how long a sign-in waits for changes of the cart before it, in ms. */
const settleWithin = 2_000;

/** signInWithin is how long a sign-in waits for the shop before it goes on without its answer, in ms. */
const signInWithin = 5_000;

const pages = {
  home,
  product: (app, route) => (app.store.shop.product(route.sku) ? productPage(app, route) : notFound(app)),
  cart: cartPage,
  checkout: checkoutPage,
  'sign-in': signInPage,
  merge: mergePage,
  stock: makerPage,
  devices: (app) => (app.device === null ? devicesPage(app) : notFound(app)),
  'not-found': (app) => notFound(app),
};

export class App {
  view = null;
  ordering = false; // this page has sent an order and waits for the answer
  #frame = [];
  #main = document.getElementById('main');
  #asked = false; // whether the person was asked about two carts since the sign-in

  constructor(parts) {
    Object.assign(this, parts);
  }

  start() {
    const top = header(this);
    this.header = top;
    const news = messageLine(this, { newsOnly: true }); // for wide pages without a place of their own
    news.element.classList.add('wide-only', 'page-news');
    this.#frame = [top, strip(this), bar(this), news];
    const [, status, cart] = this.#frame;
    document.querySelector('.skip').addEventListener('click', (event) => {
      event.preventDefault();
      this.#main.focus();
    });
    this.#main.before(h('header', {}, top.element, status.element, news.element));
    this.#main.after(footer(this), cart.element);
    this.show(this.router.route, 'detail');
    this.store.addEventListener('look', () => this.update());
    this.store.addEventListener('connection', () => this.update());
  }

  /** show shows a route. how the person came there: see Router. */
  show(route, how) {
    if (this.view?.accepts(route)) this.view.follow(route);
    else {
      this.view?.end();
      this.view = pages[route.page](this, route);
      this.#main.replaceChildren(this.view.element);
      document.body.dataset.page = route.page;
      if (how !== 'detail') this.#arrive(how);
    }
    document.title = this.view.title === words.shop ? words.shop : `${this.view.title} – ${words.shop}`;
    this.update();
  }

  #arrive(how) {
    if (how === 'on') scrollTo(0, 0);
    this.messages.leave();
    if (document.activeElement !== this.header.search) this.view.heading?.focus({ preventScroll: true });
  }

  update() {
    for (const part of this.#frame) part.update();
    this.view.update();
    this.#offerMerge();
  }

  /** search shows what a text finds; the address follows each letter. */
  search(text) {
    const { route } = this.router;
    const isHome = route.page === 'home';
    this.router.go({ page: 'home', category: isHome ? route.category : '', text }, { replace: isHome });
    if (!isHome) scrollTo(0, 0);
  }

  /** signIn makes the person somebody else. What a guest has in the cart is offered to a customer. */
  async signIn(person) {
    const { session, store, router } = this;
    if (session.person === person) {
      router.go({ page: 'home' });
      return;
    }
    if (session.person.role === 'guest' && person.role === 'customer' && store.live.role === 'guest') {
      await Promise.race([store.live.cart.settled(), new Promise((resolve) => setTimeout(resolve, settleWithin))]);
      const lines = [...store.lines]
        .filter(([, { confirmed }]) => confirmed > 0)
        .map(([sku, line]) => [sku, line.confirmed]);
      session.guestCart = lines.length > 0 && store.live.guestToken ? { token: store.live.guestToken, lines } : null;
    }
    await session.become(person.id);
    if (person.role === 'guest') session.guestCart = null;
    this.#asked = false;
    this.messages.clear();
    const known = new Promise((resolve) => store.live.addEventListener('identity', resolve, { once: true }));
    store.live.reconnect();
    await Promise.race([known, new Promise((resolve) => setTimeout(resolve, signInWithin))]);
    router.go({ page: person.role === 'vendor' || person.role === 'admin' ? 'stock' : 'home' });
  }

  /** offerMerge asks what should become of two carts, once both are known. One empty cart needs no question. */
  #offerMerge() {
    const { session, store } = this;
    const { known, live } = store.live.cart.state;
    if (this.#asked || session.guestCart === null || !known || !live) return;
    if (session.person.role !== 'customer' || store.live.role !== 'customer') return;
    this.#asked = true;
    if (store.pieces > 0) this.router.go({ page: 'merge' });
    else this.#takeOver();
  }

  async #takeOver() {
    const { token } = this.session.guestCart;
    try {
      await this.store.live.cart.merge(token, 'sum');
      this.session.guestCart = null;
      this.messages.say('good', words.merge.moved);
    } catch (error) {
      this.messages.say('bad', words.merge.failed(words.error(error)));
    }
  }
}

function notFound(app) {
  const heading = h('h1', { class: 'visually-hidden', tabindex: '-1' }, words.notFound.title);
  const panel = empty(app, {
    form: { picture: 'torch', tint: 'sage' },
    title: words.notFound.title,
    text: words.notFound.text,
    links: [{ text: words.notFound.go, route: { page: 'home' } }],
  });
  return {
    title: words.notFound.title,
    element: h('div', { class: 'narrow' }, heading, panel),
    heading,
    update() {},
    accepts: () => false,
    follow() {},
    end() {},
  };
}
