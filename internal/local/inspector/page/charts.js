// Drawings of figures. Their text has the page's size: they are drawn again, not scaled.

import { svg } from './dom.js';
import { rate } from './format.js';

const text = (x, y, words, attributes = {}) => svg('text', { x, y, ...attributes }, document.createTextNode(words));

/** niceTop is the first of 1, 2, 4, 5, 6, 8, 10 times a power of ten that is not below n. */
export function niceTop(n) {
  if (n <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(n));
  return [1, 2, 4, 5, 6, 8, 10].map((m) => m * power).find((top) => top >= n);
}

/** Chart is a drawing that is as wide as its place, made again when that or the data changes. */
export class Chart {
  #draw;
  #width = 0;
  #key;

  /** draw(width, data) returns {height, label, nodes}. */
  constructor(draw) {
    this.#draw = draw;
    this.element = svg('svg', { role: 'img', class: 'chart' });
    new ResizeObserver(([{ contentRect }]) => {
      if (Math.abs(contentRect.width - this.#width) < 1) return;
      this.#width = contentRect.width;
      this.#render();
    }).observe(this.element);
  }

  set(data, key) {
    if (key !== undefined && key === this.#key) return;
    this.#key = key;
    this.data = data;
    this.#render();
  }

  #render() {
    if (!this.#width || !this.data) return;
    const { height, label, nodes } = this.#draw(this.#width, this.data);
    this.element.setAttribute('height', height);
    this.element.setAttribute('viewBox', `0 0 ${this.#width} ${height}`);
    this.element.setAttribute('aria-label', label);
    this.element.replaceChildren(...nodes);
  }
}

/** lines draws series over time: [{name, kind, dash, points: [{at, value}]}]. marks are {at, text}. */
export function lines(width, { series, marks = [], now, within, height = 190 }) {
  const [left, right, top, bottom] = [44, 40, 16, 24];
  const max = niceTop(Math.max(...series.flatMap(({ points }) => points.map(({ value }) => value)), 0));
  const x = (at) => left + (width - left - right) * (1 - (now - at) / within);
  const y = (value) => top + (height - top - bottom) * (1 - value / max);
  const nodes = [];
  for (const part of [0, 1 / 3, 2 / 3, 1]) {
    const value = max * part;
    nodes.push(svg('line', { class: 'rule', x1: left, x2: width - right, y1: y(value), y2: y(value) }));
    nodes.push(text(left - 6, y(value) + 4, rate(value), { class: 'label', 'text-anchor': 'end' }));
  }
  const minutes = within / 60_000;
  nodes.push(text(left, height - 6, `−${minutes} min`, { class: 'label' }));
  nodes.push(
    text((left + width - right) / 2, height - 6, `−${minutes / 2}`, { class: 'label', 'text-anchor': 'middle' }),
  );
  nodes.push(text(width - right, height - 6, 'now', { class: 'label', 'text-anchor': 'end' }));
  for (const mark of marks) {
    if (now - mark.at > within) continue;
    const at = x(mark.at);
    nodes.push(svg('line', { class: 'mark', x1: at, x2: at, y1: top - 6, y2: height - bottom }));
    const late = at > width * 0.6;
    nodes.push(
      text(at + (late ? -5 : 5), top, mark.text, { class: 'label odd', 'text-anchor': late ? 'end' : 'start' }),
    );
  }
  let nameAt = Infinity; // where the last name stands
  for (const { name, kind, dash, points } of series) {
    const seen = points.filter(({ at }) => now - at <= within);
    if (seen.length === 0) continue;
    const d = seen.map(({ at, value }, i) => `${i ? 'L' : 'M'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join('');
    nodes.push(svg('path', { class: `line ${kind}`, d, ...(dash && { 'stroke-dasharray': dash }) }));
    const at = y(seen.at(-1).value) + 4;
    nameAt = Math.abs(at - nameAt) < 12 ? nameAt - 12 : at;
    nodes.push(text(width - right + 5, nameAt, name, { class: `label ${kind}` }));
  }
  const newest = series.map(({ name, points }) => `${name} ${rate(points.at(-1)?.value ?? 0)}`).join(', ');
  return { height, label: `A second, last ${minutes} minutes, now: ${newest}`, nodes };
}

const decades = [0.1, 1, 10, 100, 1000, 10_000]; // ms

export const decadeName = (n) => (n < 1000 ? `${n} ms` : `${n / 1000} s`);

/** dots draws durations on a logarithmic scale: points are {ms, odd}; lines are {ms, text}. */
export function dots(width, { points, lines: at = [], height = 150 }) {
  const [left, right, top, bottom] = [12, 12, 22, 22];
  const [from, to] = [Math.log10(decades[0]), Math.log10(decades.at(-1))];
  const x = (value) =>
    left + (width - left - right) * ((Math.log10(Math.min(Math.max(value, 0.1), 10_000)) - from) / (to - from));
  const nodes = [];
  decades.forEach((decade, i) => {
    nodes.push(svg('line', { class: 'rule', x1: x(decade), x2: x(decade), y1: top, y2: height - bottom }));
    const anchor = i === 0 ? 'start' : i === decades.length - 1 ? 'end' : 'middle';
    nodes.push(text(x(decade), height - 6, decadeName(decade), { class: 'label', 'text-anchor': anchor }));
  });
  points.forEach(({ ms, odd }, i) => {
    const y = top + 4 + ((i * 37) % (height - top - bottom - 8)); // spread, the same each time
    const shape = odd
      ? svg('rect', { class: 'dot odd', x: x(ms) - 2.5, y: y - 2.5, width: 5, height: 5 })
      : svg('circle', { class: 'dot', cx: x(ms), cy: y, r: 2.4 });
    nodes.push(shape);
  });
  at.forEach(({ ms, text: words }, i) => {
    nodes.push(svg('line', { class: 'at', x1: x(ms), x2: x(ms), y1: top - 8, y2: height - bottom }));
    const end = x(ms) > width * 0.75 || (i === 0 && at.length > 1 && x(at[1].ms) - x(ms) < 90);
    nodes.push(
      text(x(ms) + (end ? -4 : 4), top - 8, words, { class: 'label strong', 'text-anchor': end ? 'end' : 'start' }),
    );
  });
  const label = `${points.length} changes; ${at.map(({ text: words }) => words).join(', ')}`;
  return { height, label, nodes };
}

/** spark draws a small line with its limit dashed. */
export function spark(width, { points, limit, now, within, height = 34 }) {
  const max = Math.max(limit * 1.6, ...points.map(({ value }) => value * 1.1), 1e-9);
  const x = (at) => width * (1 - (now - at) / within);
  const y = (value) => 2 + (height - 4) * (1 - value / max);
  const d = points
    .filter(({ at }) => now - at <= within)
    .map(({ at, value }, i) => `${i ? 'L' : 'M'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`)
    .join('');
  return {
    height,
    label: `last ${within / 60_000} minutes, now ${points.at(-1)?.value ?? 'no data'}, limit ${limit}`,
    nodes: [
      svg('line', { class: 'limit', x1: 0, x2: width, y1: y(limit), y2: y(limit) }),
      svg('path', { class: 'line now', d: d || 'M0 0' }),
    ],
  };
}
