// The alarms of AWS, as localhub evaluates them, with the faults that are on named as their cause.

import { statesOf } from '../alarms.js';
import { Chart, spark } from '../charts.js';
import { bad, bold, fill, good, h, mono, second } from '../dom.js';
import { clock, duration } from '../format.js';
import { backKey, rowKeys } from '../keys.js';
import { button, card, facts, message, Rows, screenElement } from '../parts.js';
import { faultWords, ratesOf } from '../shell.js';

const within = 5 * 60_000; // ms

export class Alarms {
  #app;
  #selected = '';
  #since = new Map(); // name: when its alarm began, ms
  #states = [];

  constructor(app) {
    this.#app = app;
    this.notice = h('div', { class: 'says' });
    const body = h('div', { role: 'rowgroup' });
    this.rows = new Rows(body, (name) => this.#row(name));
    const head = h(
      'div',
      { role: 'row', class: 'alarm-row grid-head' },
      ['State', 'Alarm', 'Now', 'Goes off', '5 min, limit dashed'].map((name) =>
        h('div', { role: 'columnheader' }, name),
      ),
    );
    this.table = h('div', { role: 'grid', 'aria-label': 'Alarms' }, h('div', { role: 'rowgroup' }, head), body);
    this.help = h('p');
    this.facts = facts(['In AWS', 'Value', 'Also at']);
    this.detail = card('', '', h('div', { class: 'card-text alarm-detail' }, this.help, this.facts.element));
    this.element = screenElement(
      'alarms',
      [
        h('h1', {}, 'Alarms'),
        h('span', { class: 'gap' }),
        button('All metrics', () => this.#metrics(), { keyName: 'm' }),
      ],
      this.notice,
      card('By the rules of AWS', 'every second', this.table).element,
      this.detail.element,
    );
  }

  keys = [
    rowKeys('alarm', (by) => this.#move(by)),
    { keys: ['Enter'], text: 'what caused it', run: () => this.#app.go({ screen: 'stream' }) },
    { keys: ['m'], text: 'metrics', run: () => this.#metrics() },
    backKey((to) => this.#app.go(to)),
  ];

  #metrics() {
    open('/metrics', '_blank', 'noopener');
  }

  #move(by) {
    const names = this.#states.map(({ name }) => name);
    if (!names.length) return; // not answered yet
    const index = Math.min(Math.max(names.indexOf(this.#selected) + by, 0), names.length - 1);
    this.#selected = names[index];
    this.update();
    this.rows.get(this.#selected).element.focus();
  }

  #row(name) {
    const cells = ['state', 'name', 'now', 'off'].map(() => h('div', { role: 'gridcell' }));
    const chart = new Chart(spark);
    const element = h(
      'div',
      {
        role: 'row',
        class: 'alarm-row',
        tabIndex: -1,
        onclick: () => {
          this.#selected = name;
          this.update();
        },
      },
      cells,
      h('div', { role: 'gridcell' }, chart.element),
    );
    return {
      element,
      update: () => {
        const { title, text, state, goesOff, threshold } = this.#states.find((each) => each.name === name);
        fill(cells[0], state === 'bad' ? bad('in alarm') : state === 'good' ? good('good') : second('○ no data'));
        fill(cells[1], bold(title));
        const since = this.#since.get(name);
        fill(
          cells[2],
          text,
          since ? { kind: 'line bad', text: `since ${clock(since)}, ${duration(Date.now() - since)}` } : '',
        );
        fill(cells[3], second(goesOff));
        const points = this.#app.alarmHistory.points.map((point) => ({ at: point.at, value: point[name] }));
        chart.set({ points, limit: threshold, now: Date.now(), within }, `${points.length} ${points.at(-1)?.at}`);
        element.setAttribute('aria-selected', String(this.#selected === name));
        element.tabIndex = this.#selected === name ? 0 : -1;
      },
    };
  }

  update() {
    const { sources, situation } = this.#app;
    this.#states = statesOf(sources.alarms);
    this.detail.element.hidden = this.#states.length === 0; // not answered yet
    if (this.detail.element.hidden) return;
    for (const { name, state } of this.#states) {
      if (state !== 'bad') this.#since.delete(name);
      else if (!this.#since.has(name)) this.#since.set(name, Date.now());
    }
    const off = this.#states.filter(({ state }) => state === 'bad');
    this.#selected ||= (off[0] ?? this.#states[0]).name;
    this.rows.update(this.#states.map(({ name }) => name));
    this.#notice(off, ratesOf(situation?.faults));
    this.#detail(this.#states.find(({ name }) => name === this.#selected));
  }

  #notice(off, rates) {
    const explained = off.filter(({ fault }) => rates[fault]).map(({ title }) => `“${title}”`);
    const words = faultWords(rates);
    const text =
      words &&
      `${words}${explained.length ? ` explains ${explained.join(', ')}. The alarm is real, its cause is yours.` : '. No alarm yet that it explains.'}`;
    if (this.notice.key === text) return;
    this.notice.key = text;
    this.notice.replaceChildren(
      ...(text
        ? [
            message(
              'odd',
              '▲ Faults are on',
              text,
              ' ',
              button('Turn off', () => this.#app.faultsOff(), { kind: 'link' }),
            ),
          ]
        : []),
    );
  }

  #detail({ name, state, metric, rule, goesOff, description }) {
    const since = this.#since.get(name);
    this.detail.title(name, ' ', state === 'bad' ? { kind: 'chip bad', text: `■ in alarm since ${clock(since)}` } : '');
    this.detail.side(metric);
    fill(this.help, description);
    this.facts.set('In AWS', `goes off ${goesOff}; missing data is good`);
    this.facts.set('Value', mono(rule));
    this.facts.set('Also at', mono('/admin/alarms'));
  }
}
