// The clock of the hub: where it is, and what a jump would do before it is done.

import { fill, h, odd } from '../dom.js';
import { clock, count, duration } from '../format.js';
import { button, card } from '../parts.js';

const jumps = ['1m', '10m', '1h', '2h'];
const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** milliseconds of a text such as 90s, 10m, 2h30m, 1d; undefined if it is none. */
export function milliseconds(text) {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)([smhd])/g)];
  if (parts.length === 0 || parts.map(([all]) => all).join('') !== text.trim()) return undefined;
  return parts.reduce((sum, [, n, unit]) => sum + Number(n) * units[unit], 0);
}

/** forecast is what a jump would do to connections: [{count, text}]. */
export function forecast(by, { connections, now, idleMs, maxAgeMs }) {
  const list = [];
  if (idleMs) {
    const idle = connections.filter((c) => now + by - Date.parse(c.lastActiveAt) >= idleMs).length;
    list.push({ count: idle, text: `connections would be idle for ${duration(idleMs)}: closed, 1001` });
  }
  if (maxAgeMs) {
    const old = connections.filter((c) => now + by - Date.parse(c.connectedAt) >= maxAgeMs).length;
    list.push({ count: old, text: `connections would be ${duration(maxAgeMs)} old: closed, 1001` });
  }
  if (by >= 30_000) list.push({ text: 'all tickets that are open (30 s) end' });
  if (by >= 60_000) list.push({ text: 'a run of healing is due; marks over a minute old: closed, they reconnect' });
  if (by >= 86_400_000) list.push({ text: 'answers that are kept for retries (24 h) are forgotten' });
  return list;
}

export class Warp {
  #app;
  #by = '';

  constructor(app) {
    this.#app = app;
    this.machine = h('strong', { class: 'mono' });
    this.hub = h('strong', { class: 'mono' });
    this.ahead = h('strong', { class: 'mono' });
    const clockOf = (name, value) => h('div', { class: 'clock' }, h('span', { class: 'below' }, name), value);
    this.buttons = jumps.map((by) => button(`+${by.replace('m', ' min').replace('h', ' h')}`, () => this.choose(by)));
    this.field = h('input', {
      'aria-label': 'Move the clock by',
      class: 'mono',
      placeholder: 'e.g. 90s',
      autocomplete: 'off',
      size: 7,
      oninput: () => this.choose(this.field.value),
    });
    this.plan = h('div', { hidden: true });
    this.element = card(
      'Time',
      'only forward; a restart ends it',
      h(
        'div',
        { class: 'card-text' },
        h(
          'div',
          { class: 'clocks' },
          clockOf('This machine', this.machine),
          clockOf('The hub’s clock', this.hub),
          clockOf('Ahead by', this.ahead),
        ),
        h('div', { class: 'row' }, ...this.buttons, this.field),
        this.plan,
      ),
    ).element;
  }

  focus() {
    this.buttons[0].focus();
  }

  /** choose shows what a jump would do; nothing is done yet. */
  choose(by) {
    const ms = milliseconds(by);
    this.#by = ms ? by : '';
    this.plan.hidden = !ms;
    if (!ms) return;
    const { now, sources, situation } = this.#app;
    const list = forecast(ms, {
      connections: sources.connections ?? [],
      now,
      idleMs: situation?.idleMs,
      maxAgeMs: situation?.maxAgeMs,
    });
    const move = button(`Move ${duration(ms)} ahead`, () => this.#move(), { kind: 'primary', keyName: 'Enter' });
    this.plan.replaceChildren(
      h('h3', {}, `+${duration(ms)} would do this: ${clock(now)} → ${clock(now + ms)}`),
      h(
        'ul',
        { class: 'plain-list' },
        list.map(({ count: n, text }) => h('li', {}, n === undefined ? '' : h('strong', {}, `${count(n)} `), text)),
      ),
      h(
        'div',
        { class: 'row' },
        move,
        button('Cancel', () => this.choose(''), { keyName: 'Esc' }),
      ),
    );
    this.plan.onkeydown = (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      this.choose('');
      this.focus();
    };
    if (document.activeElement !== this.field) move.focus();
  }

  async #move() {
    try {
      await this.#app.change('POST', '/admin/warp', { by: this.#by }, 'warp', 'situation');
      this.field.value = '';
      this.choose('');
      this.focus();
    } catch (error) {
      this.plan.append(h('p', { role: 'alert' }, { kind: 'bad', text: `■ ${error.message}` }));
    }
  }

  update() {
    const ahead = this.#app.situation?.clockAheadMs ?? 0;
    fill(this.machine, clock(Date.now()));
    fill(this.hub, clock(this.#app.now));
    fill(this.ahead, ahead ? odd(duration(ahead)) : 'not at all');
  }
}
