// What is around every page: header, status, the place of the cart, and the footer.

import { h, replace, setAttribute, setText } from '../dom.js';
import { moneyOf } from '../money.js';
import { icon, logo } from '../pictures/icons.js';
import { statusWords } from '../status.js';
import { words } from '../words.js';

/** header has the shop's name, the search, the status, the person and the cart. */
export function header(app) {
  const { router } = app;
  const search = h('input', {
    type: 'search',
    id: 'search',
    'aria-label': words.search,
    autocomplete: 'off',
    enterkeyhint: 'search',
    placeholder: words.home.search(app.store.shop.products.length),
    oninput: () => app.search(search.value),
  });
  const box = h(
    'form',
    { class: 'search', role: 'search', onsubmit: (event) => event.preventDefault() },
    icon('search'),
    search,
  );
  const toggle = h(
    'button',
    {
      type: 'button',
      class: 'icon-button search-toggle',
      'aria-label': words.search,
      'aria-expanded': 'false',
      onclick: () => open(toggle.getAttribute('aria-expanded') !== 'true'),
    },
    icon('search'),
  );
  const back = h(
    'a',
    { class: 'icon-button back', href: router.href({ page: 'home' }), 'aria-label': words.back },
    icon('back'),
  );
  const brand = h('a', { class: 'brand', href: router.href({ page: 'home' }) }, logo(), h('span', {}, words.shop));
  const title = h('span', { class: 'page-title', 'aria-hidden': 'true' });
  const pill = h('span', { class: 'pill' }, h('span', { class: 'dot' }), h('span'));
  const who = h('span', { class: 'who' });
  const account = h('a', { class: 'account', href: router.href({ page: 'sign-in' }) }, icon('person'), who);
  const pieces = h('span', { class: 'count-badge' });
  const unit = h('span', { class: 'visually-hidden' });
  const cart = h(
    'a',
    { class: 'cart-link', href: router.href({ page: 'cart' }) },
    icon('bag'),
    h('span', {}, words.cart.short),
    ' ',
    pieces,
    unit,
  );
  const stock = h('a', { class: 'plain-link', href: router.href({ page: 'stock' }) }, words.maker.title);
  const element = h(
    'div',
    { class: 'top' },
    back,
    brand,
    title,
    box,
    toggle,
    h('span', { class: 'gap' }),
    pill,
    stock,
    account,
    cart,
  );

  function open(isOpen) {
    setAttribute(toggle, 'aria-expanded', String(isOpen));
    element.classList.toggle('searching', isOpen);
    if (isOpen) search.focus();
    else if (search.value !== '') app.search((search.value = ''));
  }

  return {
    element,
    search,
    update() {
      const home = router.route.page === 'home';
      element.classList.toggle('inner', !home);
      setText(title, app.view.title);
      if (document.activeElement !== search) search.value = router.route.text ?? '';
      const { kind, short } = statusWords(app.store);
      pill.dataset.kind = kind;
      setText(pill.lastChild, short);
      const { person } = app.session;
      setText(who, person.name);
      setAttribute(account, 'aria-label', `${words.account}: ${person.name}`);
      setText(stock, person.role === 'admin' ? words.maker.adminTitle : words.maker.title);
      stock.hidden = (person.role !== 'vendor' && person.role !== 'admin') || router.route.page === 'stock';
      setText(pieces, String(app.store.pieces));
      setText(unit, app.store.pieces === 1 ? ' item' : ' items');
    },
  };
}

/** strip is the phone's line of status. It is always there, so that a lost connection moves nothing. */
export function strip(app) {
  const text = h('span');
  const element = h('p', { class: 'strip' }, h('span', { class: 'dot' }), text);
  return {
    element,
    update() {
      const { kind, long } = statusWords(app.store);
      element.dataset.kind = kind;
      setText(text, long);
    },
  };
}

/** messageLine shows the newest message, or else what is to say about the cart, or else something that stays. */
export function messageLine(app, { newsOnly = false, otherwise = null } = {}) {
  const text = h('span');
  const action = h('button', { type: 'button', class: 'text-button' });
  const sign = h('span', { class: 'sign' });
  const element = h('p', { class: 'message', 'data-place': 'messages' }, sign, text, action);
  action.addEventListener('click', () => app.messages.current?.action?.run());
  return {
    element,
    update() {
      const message = app.messages.current ?? (newsOnly ? null : standing(app)) ?? otherwise;
      element.classList.toggle('none', message === null);
      if (!message) {
        setText(text, '');
        action.hidden = true;
        return;
      }
      if (element.dataset.kind !== message.kind || !sign.firstChild) replace(sign, icon(signs[message.kind]));
      element.dataset.kind = message.kind;
      setText(text, message.text);
      action.hidden = !message.action;
      setText(action, message.action?.text ?? '');
    },
  };
}

export const signs = { good: 'check', warn: 'warn', bad: 'stop', info: 'info', quiet: 'info' };

/** standing says what of the cart waits or needs the person, when there is no news. */
function standing(app) {
  const { store } = app;
  const { pending, kept } = store.live.cart.state;
  const { needs, waiting } = store.totals();
  if (pending > 0 && !store.reachable) {
    return { kind: 'warn', text: kept ? words.cart.waits(pending) : words.cart.notKept };
  }
  if (needs.length > 0) return { kind: 'warn', text: words.cart.needYou(needs.length, waiting.length) };
  return null;
}

/** bar is the cart of a narrow page, below it. */
export function bar(app) {
  const line = messageLine(app);
  const pieces = h('span', { class: 'count-badge' });
  const total = h('strong', { class: 'bar-total' });
  const saved = h('span', { class: 'second' });
  const view = h('a', { class: 'button primary', href: app.router.href({ page: 'cart' }) }, words.cart.view);
  const checkout = h(
    'button',
    {
      type: 'button',
      class: 'primary',
      onclick: () => app.router.go({ page: 'checkout' }),
    },
    words.cart.checkout,
  );
  const element = h(
    'div',
    { class: 'bar', role: 'region', 'aria-label': words.cart.title },
    line.element,
    h(
      'div',
      { class: 'bar-row' },
      icon('bag'),
      pieces,
      h('span', { class: 'bar-sum' }, total, ' ', saved),
      view,
      checkout,
    ),
  );
  return {
    element,
    update() {
      line.update();
      const { store } = app;
      const all = store.totals();
      const { page } = app.router.route;
      element.hidden = ['checkout', 'stock', 'devices', 'merge'].includes(page);
      setText(pieces, String(all.items));
      setText(total, moneyOf(all.sums, store.shop.currency));
      const partly = all.counted < all.items;
      setText(
        saved,
        !store.reachable || all.unsaved > 0
          ? words.cart.saved
          : partly
            ? words.line.forSomeOf(all.counted, all.items)
            : '',
      );
      view.hidden = page === 'cart';
      checkout.hidden = page !== 'cart';
      checkout.disabled = store.closed(all) !== null;
    },
  };
}

export function footer(app) {
  const two = h('a', { href: app.router.href({ page: 'devices' }) }, words.home.devicesTitle);
  return h(
    'footer',
    { class: 'foot' },
    h('span', {}, words.footer.demo),
    h('span', {}, words.cart.notSetAside),
    app.device ? null : two,
    h('span', { class: 'gap' }),
    h('span', {}, words.footer.prices),
  );
}
