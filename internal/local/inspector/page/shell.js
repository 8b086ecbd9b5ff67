// What stands around every screen: the head with the search, the situation line, the rail
// and the key bar.

import { fill, h, setAttribute } from './dom.js';
import { clock, count, duration } from './format.js';
import { key } from './parts.js';
import { write } from './address.js';

/** faultWords lists rates as people say them: throttle 1 in 3, drop 1 in 50. */
export const faultWords = (rates = {}) =>
  Object.entries(rates)
    .map(([name, n]) => `${name} 1 in ${n}`)
    .join(', ');

/** ratesOf are the rates of GET /admin/situation or /admin/faults, by name. */
export function ratesOf(faults) {
  const entries = Object.entries(faults ?? {}).map(([name, value]) => [name, value?.every ?? value]);
  return Object.fromEntries(entries.filter(([, n]) => Number.isInteger(n) && n > 0));
}

/** situationCells are the cells of the line: {name, text, state, href}. state is '', odd or bad. */
export function situationCells({ feed, paused, situation, sampled }) {
  const faults = [faultWords(ratesOf(situation?.faults)), situation?.streamHeld && 'stream held']
    .filter(Boolean)
    .join(', ');
  const ahead = situation?.clockAheadMs ?? 0;
  const recording = situation?.recording;
  return [
    { name: '', ...live(feed, paused), href: write({ screen: 'frames' }) },
    {
      name: 'Faults',
      text: faults ? `▲ ${faults}` : 'none',
      state: faults ? 'odd' : '',
      href: write({ screen: 'faults' }),
    },
    {
      name: 'Clock',
      text: ahead ? `▲ ${duration(ahead)} ahead` : 'real',
      state: ahead ? 'odd' : '',
      href: write({ screen: 'faults' }),
    },
    {
      name: 'Recording',
      text: recording ? `${recording.failed ? '■ failed' : '●'} ${recording.file}` : 'off',
      state: recording ? 'bad' : '',
      href: write({ screen: 'replay' }),
    },
    {
      name: 'Log',
      text: sampled ? `▲ 1 of ${sampled.of} deltas` : 'every frame',
      state: sampled ? 'odd' : '',
      href: write({ screen: 'frames' }),
    },
    { name: 'Private', text: situation?.private ? '▲ shown' : 'masked', state: situation?.private ? 'odd' : '' },
  ];
}

function live(feed, paused) {
  switch (feed.name) {
    case 'lost':
      return { text: '■ no answer', state: 'bad' };
    case 'full':
      return { text: '▲ no feed', state: 'odd' };
    case 'hidden':
      return { text: '○ asleep', state: 'odd' };
    case 'token':
      return { text: '■ token needed', state: 'bad' };
    case 'connecting':
      return { text: '○ connecting', state: '' };
    default:
      return paused ? { text: '❚❚ paused', state: 'odd' } : { text: '● live', state: 'live' };
  }
}

export class Shell {
  #cells = [];
  #rail;
  #items = new Map(); // screen: {link, count}
  #notices = h('div', { class: 'notices' });
  #foot = h('p', { class: 'rail-foot' });
  #where = h('span', { class: 'where mono' });
  #keys = h('div', { class: 'keys' });
  main = h('main', { id: 'main', tabIndex: -1 });

  constructor({ screens, onSearch, onHelp, ask }) {
    this.search = h('input', {
      type: 'search',
      'aria-label': 'Search or go to: a connection, topic, SKU, frame id',
      placeholder: 'Search or go to: a connection, topic, SKU, frame id',
      autocomplete: 'off',
      spellcheck: 'false',
    });
    const form = h(
      'form',
      {
        role: 'search',
        onsubmit: (event) => {
          event.preventDefault();
          onSearch(this.search.value);
        },
      },
      this.search,
      key('/'),
    );
    this.situation = h('div', { class: 'situation', role: 'status', 'aria-label': 'Situation' });
    this.#rail = h('nav', { class: 'rail', 'aria-label': 'Screens' });
    this.setScreens(screens);
    const help = h('button', { type: 'button', class: 'plain', onclick: onHelp }, key('?'), ' all keys');
    document.body.replaceChildren(
      h('a', { class: 'skip', href: '#main' }, 'Skip to the content'),
      h(
        'header',
        { class: 'head' },
        h('p', { class: 'name' }, h('strong', {}, 'localhub'), h('span', {}, ' inspector')),
        form,
        this.#where,
      ),
      this.situation,
      h('div', { class: 'body' }, this.#rail, h('div', { class: 'content' }, this.#notices, ask.element, this.main)),
      h('footer', { class: 'keybar' }, this.#keys, help),
    );
  }

  /** setScreens lists the screens in the rail. */
  setScreens(screens) {
    this.#items.clear();
    this.#rail.replaceChildren(
      ...screens.map(({ name, title, digit }) => {
        const figure = h('span', { class: 'count' });
        const digits = h('span', { class: 'digit', 'aria-hidden': 'true' }, digit);
        const link = h('a', { href: write({ screen: name }) }, digits, h('span', {}, title), figure);
        this.#items.set(name, { link, figure });
        return link;
      }),
      this.#foot,
    );
  }

  /** showSituation changes the cells whose words changed. */
  showSituation(state) {
    const cells = situationCells(state);
    if (this.#cells.length === 0) {
      this.#cells = cells.map(({ name, href }) => {
        const text = h('span');
        return {
          element: h(
            href ? 'a' : 'span',
            { href, class: 'cell' },
            name && h('span', { class: 'cell-name' }, name),
            text,
          ),
          text,
        };
      });
      this.situation.append(...this.#cells.map(({ element }) => element));
    }
    cells.forEach(({ text, state: tint }, i) => {
      fill(this.#cells[i].text, text);
      setAttribute(this.#cells[i].element, 'data-state', tint);
    });
  }

  /** showScreen marks a screen in the rail. On a phone the rail scrolls, so it is brought into view. */
  showScreen(name) {
    for (const [each, { link }] of this.#items) setAttribute(link, 'aria-current', each === name ? 'page' : null);
    const { link } = this.#items.get(name) ?? {};
    if (link) this.#rail.scrollLeft = link.offsetLeft - (this.#rail.clientWidth - link.offsetWidth) / 2;
  }

  /** showCounts sets what stands beside a screen's name: a text, or a part. */
  showCounts(counts) {
    for (const [name, { figure }] of this.#items) fill(figure, counts[name] ?? '');
  }

  showWhere(...parts) {
    fill(this.#where, ...parts);
  }

  showFoot(...lines) {
    fill(
      this.#foot,
      lines.map((line) => ({ kind: 'line', text: line })),
    );
  }

  /** showKeys lists the keys that work: [{keys, text}]. */
  showKeys(list) {
    this.#keys.replaceChildren(
      ...list
        .filter(({ quiet }) => !quiet)
        .map(({ keys, text }) =>
          h(
            'span',
            {},
            keys.map((each) => key(each)),
            ' ',
            text,
          ),
        ),
    );
  }

  /** showNotices replaces the messages above the screen. */
  showNotices(notices) {
    this.#notices.replaceChildren(...notices);
  }
}

/** foot are the lines below the rail. */
export function foot({ situation, store, now = Date.now() }) {
  if (!situation) return [];
  const lines = [`localhub ${situation.version ?? ''}`.trim(), `up ${duration(situation.uptimeMs)}`];
  lines.push(`log at ${count(store.lastId)}`);
  if (store.oldest) lines.push(`here since ${clock(Math.min(now, store.oldest.at / 1000))}`);
  return lines;
}
