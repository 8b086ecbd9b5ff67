// The lanes of one connection: what came, what went, its posts, and what somebody did.

import { Chart } from '../charts.js';
import { h, svg } from '../dom.js';
import { time } from '../format.js';
import { typeOf } from '../meaning.js';
import { button } from '../parts.js';

const spans = [1, 2, 5, 10, 30, 60, 120, 300, 600]; // s
const lanes = ['→ in', '← out', 'posts', 'admin'];
const legends = ['▸ from the client', '◂ to it, ■ error', '● 200 ▲ refused', '◆ somebody did'];
const [left, right, lane, top] = [70, 130, 27, 18];

export class Timeline {
  #chart = new Chart((width, data) => draw(width, data));
  #events = [];
  #span = 3; // index in spans
  #chosen = false; // by a person
  #end = 0; // µs; 0: the newest event
  #words = h('span');

  constructor() {
    this.element = this.#chart.element;
    this.side = [
      this.#words,
      ' ',
      button('wider −', () => this.#zoom(1), { kind: 'link' }),
      ' ',
      button('closer +', () => this.#zoom(-1), { kind: 'link' }),
    ];
  }

  /** set takes the events of a connection, newest first. Admin writes are those that led to them. */
  set(events, store) {
    const writes = new Set();
    for (const event of events) {
      for (let at = event, i = 0; at && i < 8; at = store.causes(at)[0], i++) if (at.type === 'admin') writes.add(at);
    }
    this.#events = [...events, ...writes];
    if (!this.#chosen) this.#fit(events);
    this.#draw();
  }

  /** shift moves by half of what is shown; forward as far as the newest event. */
  shift(by) {
    const newest = Math.max(...this.#events.map(({ at }) => at), 0);
    this.#end = Math.min((this.#end || newest) + (by * spans[this.#span] * 1e6) / 2, newest);
    if (this.#end === newest) this.#end = 0;
    this.#draw();
  }

  /** #fit chooses a span that has the newest 20 events, or all. */
  #fit(events) {
    const first = events[Math.min(events.length, 20) - 1];
    const span = spans.findIndex((s) => first && events[0].at - first.at < s * 0.9e6);
    this.#span = span < 0 ? spans.length - 1 : span;
  }

  #zoom(by) {
    this.#chosen = true;
    this.#span = Math.min(Math.max(this.#span + by, 0), spans.length - 1);
    this.#draw();
  }

  #draw() {
    const newest = Math.max(...this.#events.map(({ at }) => at), 0);
    const until = this.#end || newest;
    const from = until - spans[this.#span] * 1e6;
    this.#words.textContent = newest ? `${time(from)} to ${time(until)}` : 'no frames yet';
    const events = this.#events.filter(({ at }) => at >= from && at <= until);
    this.#chart.set({ events, from, until }, `${from} ${until} ${events.length}`);
  }
}

function draw(width, { events, from, until }) {
  const span = until - from;
  const x = (at) => left + ((width - left - right) * (at - from)) / span;
  const y = (i) => top + i * lane;
  const nodes = [];
  const word = (px, py, words, anchor = 'start') =>
    nodes.push(svg('text', { class: 'label', x: px, y: py, 'text-anchor': anchor }, document.createTextNode(words)));
  lanes.forEach((name, i) => {
    nodes.push(svg('line', { class: 'rule', x1: left, x2: width - right, y1: y(i), y2: y(i) }));
    word(8, y(i) + 4, name);
    word(width - right + 14, y(i) + 4, legends[i]);
  });
  const steps = width < 800 ? 3 : 5;
  for (let i = 0; i <= steps; i++) {
    const at = from + (span * i) / steps;
    nodes.push(svg('line', { class: 'rule dotted', x1: x(at), x2: x(at), y1: top - 8, y2: y(3) + 8 }));
    word(
      x(at),
      y(3) + 24,
      i === 0 ? time(from).slice(0, 10) : `+${((span * i) / steps / 1e6).toFixed(span < 5e6 ? 1 : 0)} s`,
      i === 0 ? 'start' : 'middle',
    );
  }
  for (const event of events) nodes.push(...mark(event, x(event.at), y));
  return { height: y(3) + 32, label: `${events.length} events of this connection`, nodes };
}

const polygon = (kind, points) => svg('polygon', { class: kind, points: points.map((p) => p.join(',')).join(' ') });

/** mark draws an event: its shape tells what it is, also without colour. */
function mark(event, x, y) {
  switch (event.type) {
    case 'in':
      return [
        polygon('shape frame-in', [
          [x - 4, y(0) - 5],
          [x + 5, y(0)],
          [x - 4, y(0) + 5],
        ]),
      ];
    case 'out':
      return typeOf(event) === 'error'
        ? [svg('rect', { class: 'shape bad', x: x - 4, y: y(1) - 4, width: 8, height: 8 })]
        : [
            polygon('shape frame-out', [
              [x + 4, y(1) - 5],
              [x - 5, y(1)],
              [x + 4, y(1) + 5],
            ]),
          ];
    case 'post':
      return event.status >= 300
        ? [
            polygon('shape odd', [
              [x, y(2) - 5],
              [x + 5, y(2) + 4],
              [x - 5, y(2) + 4],
            ]),
          ]
        : [svg('circle', { class: 'shape good', cx: x, cy: y(2), r: 4 })];
    case 'admin':
      return [
        polygon('shape ink', [
          [x, y(3) - 5],
          [x + 5, y(3)],
          [x, y(3) + 5],
          [x - 5, y(3)],
        ]),
      ];
    default:
      return [];
  }
}
