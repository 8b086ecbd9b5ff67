// The first page: what is new, categories, and the products that a search finds.

import { h, Keyed, setAttribute, setText } from '../dom.js';
import { shelf } from '../pictures/scenes.js';
import { find } from '../search.js';
import { words } from '../words.js';
import { card } from './card.js';
import { empty } from './empty.js';
import { rail } from './rail.js';

/** sayAfter is how long typing must rest before the number of products is read out, in ms. */
const sayAfter = 500;

export function home(app, first) {
  const { shop } = app.store;
  let route = first;
  let timer;
  const hero = h(
    'section',
    { class: 'hero' },
    h(
      'div',
      { class: 'hero-text' },
      h('h1', {}, words.home.title[0], h('br'), words.home.title[1]),
      h('p', {}, words.home.text),
    ),
    shelf(),
  );
  const chips = ['', ...shop.categories].map((category) => h('a', { class: 'chip' }, category || words.home.all));
  const name = h('h1', { class: 'visually-hidden' }, words.shop);
  const heading = h('h2', { id: 'products-title' });
  const count = h('p', { class: 'second' });
  const list = h('ul', { class: 'cards', 'aria-labelledby': 'products-title' });
  const cards = new Keyed(list, (id) => card(app, shop.product(id)));
  const nothing = h('div');
  const side = rail(app);
  const element = h(
    'div',
    { class: 'with-rail' },
    h(
      'div',
      { class: 'column' },
      name,
      hero,
      h('nav', { class: 'chips', 'aria-label': 'Categories' }, chips),
      h('div', { class: 'list-head' }, heading, count),
      list,
      nothing,
    ),
    side.element,
  );

  function update() {
    const { category, text } = route;
    const found = find(shop.products, { category, text });
    hero.hidden = category !== '' || text !== '';
    name.hidden = !hero.hidden;
    ['', ...shop.categories].forEach((each, i) => {
      setAttribute(chips[i], 'href', app.router.href({ page: 'home', category: each, text }));
      setAttribute(chips[i], 'aria-current', each === category ? 'true' : null);
    });
    setText(heading, category || words.home.allProducts);
    setText(
      count,
      words.home.count(
        found.length,
        found.reduce((n, { versions }) => n + versions.length, 0),
      ),
    );
    cards.update(found.map(({ id }) => id));
    if (found.length > 0) nothing.replaceChildren();
    else
      nothing.replaceChildren(
        empty(app, {
          form: { picture: 'compass', tint: 'lilac' },
          title: words.home.nothing(text),
          text: words.home.nothingHint,
          links: [...shop.categories.slice(0, 2), ''].map((each) => ({
            text: each || words.home.all,
            route: { page: 'home', category: each, text: '' },
          })),
        }),
      );
    side.update();
  }

  return {
    get title() {
      return route.text || route.category || words.shop;
    },
    element,
    heading,
    update,
    accepts: ({ page }) => page === 'home',
    follow(next) {
      const typed = next.text !== route.text;
      route = next;
      update();
      if (!typed) return;
      clearTimeout(timer);
      timer = setTimeout(() => app.voice.say(words.home.found(list.children.length)), sayAfter);
    },
    end() {
      clearTimeout(timer);
      cards.end();
      side.end();
    },
  };
}
