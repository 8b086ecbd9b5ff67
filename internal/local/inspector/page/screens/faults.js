// Faults on purpose, and the clock of the hub.

import { fill, h, odd, second } from '../dom.js';
import { count, person, time } from '../format.js';
import { backKey, rowKeys } from '../keys.js';
import { meaning } from '../meaning.js';
import { button, card, message, Rows, screenElement } from '../parts.js';
import { ratesOf } from '../shell.js';
import { Warp } from './warp.js';

/** What each fault does, and the rate that is offered first. */
export const faultsKnown = {
  throttle: { does: 'a post is answered 429', first: 3 },
  drop: { does: 'a message is lost, socket is cut', first: 50 },
  stall: { does: 'a message is lost, socket freezes', first: 100 },
  late: { does: 'the work is done, answered too late', first: 20 },
  gone: { does: 'a post is answered 410', first: 20 },
  'too-large': { does: 'a post is answered 413', first: 20 },
  error: { does: 'a post is answered 500', first: 20 },
  slow: { does: 'a post waits 200 ms', first: 50 },
  'lose-disconnect': { does: '$disconnect does not run', first: 5 },
};

const names = Object.keys(faultsKnown);
const once = ['drop', 'stall', 'gone', 'throttle', 'too-large', 'error'];

export class Faults {
  needs = ['faults', 'warp', 'connections'];
  #app;
  #wanted = Object.fromEntries(names.map((name) => [name, faultsKnown[name].first]));
  #selected = 0;

  constructor(app) {
    this.#app = app;
    this.warp = new Warp(app);
    this.allOff = button('Turn all off', () => this.#app.faultsOff(), { keyName: 'o' });
    const body = h('div', { role: 'rowgroup' });
    this.rows = new Rows(body, (name) => this.#row(name));
    const head = h(
      'div',
      { role: 'row', class: 'fault-row grid-head' },
      ['Fault', 'What it does', 'State', 'One in', 'Hit'].map((name, i) =>
        h('div', { role: 'columnheader', class: i === 4 ? 'end' : '' }, name),
      ),
    );
    this.table = h('div', { role: 'table', 'aria-label': 'Faults' }, h('div', { role: 'rowgroup' }, head), body);
    this.says = h('div', { role: 'alert', class: 'says' });
    this.done = h('ul', { class: 'plain-list' });
    this.element = screenElement(
      'faults',
      [
        h('h1', {}, 'Faults and time'),
        h(
          'span',
          { class: 'second' },
          'Everything here is done to this localhub on purpose, and is written into the log.',
        ),
        h('span', { class: 'gap' }),
        this.allOff,
      ],
      this.says,
      h(
        'div',
        { class: 'two' },
        h(
          'div',
          { class: 'stack' },
          card('One in N', 'counted, no dice: the Nth, the 2Nth …, so a run can be repeated', this.table).element,
          this.#onceCard(),
          card('Done', 'newest first', this.done).element,
        ),
        this.warp.element,
      ),
    );
  }

  #row(name) {
    const state = h('button', {
      type: 'button',
      role: 'switch',
      'aria-label': name,
      onclick: () => this.#toggle(name),
    });
    const number = h('input', {
      'aria-label': `${name}, one in`,
      inputmode: 'numeric',
      class: 'number',
      autocomplete: 'off',
      onchange: () => this.#rate(name, Number(number.value)),
    });
    const hits = h('div', { role: 'cell', class: 'end' });
    const step = (by, sign, words) =>
      h('button', { type: 'button', 'aria-label': `${name} ${words}`, onclick: () => this.#step(name, by) }, sign);
    const element = h(
      'div',
      { role: 'row', class: 'fault-row', onclick: () => this.#select(names.indexOf(name)) },
      h('div', { role: 'cell', class: 'mono b' }, name),
      h('div', { role: 'cell' }, faultsKnown[name].does),
      h('div', { role: 'cell' }, state),
      h('div', { role: 'cell', class: 'stepper' }, step(-1, '−', 'more often'), number, step(1, '+', 'rarer')),
      hits,
    );
    return {
      element,
      update: () => {
        const { every, hits: hit } = this.#fault(name);
        state.setAttribute('aria-checked', String(every > 0));
        fill(state, { kind: 'knob', text: '' }, every ? 'on' : 'off');
        if (document.activeElement !== number) number.value = every || this.#wanted[name];
        fill(hits, hit ? odd(count(hit)) : second('0'));
        element.classList.toggle('selected', names[this.#selected] === name);
      },
    };
  }

  #onceCard() {
    this.who = h('select', { 'aria-label': 'Connection' });
    this.what = h(
      'select',
      { 'aria-label': 'Fault' },
      once.map((name) =>
        h('option', { value: name }, ['drop', 'stall'].includes(name) ? `${name} now` : `next post: ${name}`),
      ),
    );
    const set = button('Set', () => this.#once(), { kind: 'primary' });
    return card(
      'Once, for one connection',
      'the switches stay as they are',
      h('div', { class: 'card-text row' }, this.who, this.what, set),
    ).element;
  }

  keys = [
    rowKeys('fault', (by) => this.#select(this.#selected + by, true)),
    { keys: ['Space'], text: 'on, off', run: () => this.#toggle(names[this.#selected]) },
    {
      keys: ['-', '+'],
      text: 'more often, rarer',
      run: (key) => this.#step(names[this.#selected], key === '+' ? 1 : -1),
    },
    { keys: ['o'], text: 'all off', run: () => this.#app.faultsOff() },
    { keys: ['t'], text: 'time', run: () => this.warp.focus() },
    backKey((to) => this.#app.go(to)),
  ];

  #select(index, focus = false) {
    this.#selected = Math.min(Math.max(index, 0), names.length - 1);
    this.update();
    if (focus) this.rows.get(names[this.#selected]).element.querySelector('[role=switch]').focus();
  }

  /** #fault is a fault as it is set: {every, hits}. */
  #fault(name) {
    const of = this.#app.sources.faults?.faults ?? this.#app.sources.faults?.every ?? this.#app.sources.faults ?? {};
    const value = of[name];
    const hits = value?.hits ?? this.#app.sources.faults?.hits?.[name] ?? 0;
    return { every: value?.every ?? (Number.isInteger(value) ? value : 0), hits };
  }

  get #every() {
    return Object.fromEntries(names.map((name) => [name, this.#fault(name).every]).filter(([, n]) => n > 0));
  }

  #toggle(name) {
    const every = this.#every;
    if (every[name]) delete every[name];
    else every[name] = this.#wanted[name];
    return this.#set(every);
  }

  #rate(name, n) {
    if (!Number.isInteger(n) || n < 1) return this.update();
    this.#wanted[name] = n;
    return this.#fault(name).every ? this.#set({ ...this.#every, [name]: n }) : this.update();
  }

  #step(name, by) {
    return this.#rate(name, (this.#fault(name).every || this.#wanted[name]) + by);
  }

  async #set(every) {
    await this.#try(() => this.#app.change('POST', '/admin/faults', { every }, 'faults', 'situation'));
  }

  async #once() {
    await this.#try(() =>
      this.#app.change('POST', '/admin/faults', { connection: this.who.value, fault: this.what.value }, 'connections'),
    );
  }

  async #try(run) {
    try {
      await run();
      this.says.replaceChildren();
    } catch (error) {
      this.says.replaceChildren(message('bad', '■ Not done', error.message));
    }
    this.update();
  }

  update() {
    this.rows.update(names);
    const on = Object.keys(ratesOf(this.#every)).length;
    this.allOff.disabled = on === 0;
    this.allOff.classList.toggle('odd-button', on > 0);
    this.#whoOptions();
    this.#doneList();
    this.warp.update();
  }

  #whoOptions() {
    const connections = this.#app.sources.connections ?? [];
    const key = connections.map(({ connectionId }) => connectionId).join();
    if (this.who.key === key || document.activeElement === this.who) return;
    this.who.key = key;
    const before = this.who.value;
    this.who.replaceChildren(
      ...connections.map(({ connectionId, user }) => h('option', { value: connectionId }, person(user, connectionId))),
    );
    if (connections.some(({ connectionId }) => connectionId === before)) this.who.value = before;
  }

  #doneList() {
    const done = [];
    for (const event of this.#app.store.newest()) {
      if (event.type !== 'admin' || !/fault|warp/.test(`${event.note} ${event.text} ${event.route}`)) continue;
      done.push(event);
      if (done.length >= 8) break;
    }
    const key = done.map(({ id }) => id).join();
    if (this.done.key === key && key !== '') return;
    this.done.key = key;
    this.done.replaceChildren(
      ...(done.length ? done : [null]).map((event) =>
        event
          ? h(
              'li',
              {},
              h('span', { class: 'mono second' }, time(event.at)),
              ' ',
              ...meaning(event).map((part) => h('span', {}, part)),
            )
          : h('li', { class: 'second' }, 'Nothing was done here since this page opened.'),
      ),
    );
  }
}
