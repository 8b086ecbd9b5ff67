// Reads metrics as Prometheus writes them, and keeps what is needed for rates. Pure.

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const label = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** parseMetrics returns samples by name: [{labels, value}]. */
export function parseMetrics(text) {
  const samples = new Map();
  for (const each of text.split('\n')) {
    if (each === '' || each[0] === '#') continue;
    const [, name, labels = '', value] = line.exec(each) ?? [];
    if (!name) continue;
    const sample = {
      labels: Object.fromEntries([...labels.matchAll(label)].map(([, k, v]) => [k, v])),
      value: Number(value),
    };
    const list = samples.get(name);
    if (list) list.push(sample);
    else samples.set(name, [sample]);
  }
  return new Metrics(samples);
}

export class Metrics {
  constructor(samples) {
    this.samples = samples;
  }

  list(name) {
    return this.samples.get(name) ?? [];
  }

  /** sum adds the samples that have the labels; 0 if there is none. */
  sum(name, labels = {}) {
    let sum = 0;
    for (const sample of this.list(name)) {
      if (Object.entries(labels).every(([k, v]) => sample.labels[k] === v)) sum += sample.value;
    }
    return sum;
  }
}

/** History keeps figures of 5 minutes, in steps of 3 s. */
export const step = 3000; // ms
const maxPoints = 101;

export class History {
  points = []; // {at, ...figures}, oldest first

  /** add takes figures, once a step. */
  add(at, figures) {
    const last = this.points.at(-1);
    if (last && at - last.at < step - 200) return false;
    this.points.push({ at, ...figures });
    if (this.points.length > maxPoints) this.points.shift();
    return true;
  }

  clear() {
    this.points = [];
  }

  /** rates of a counter between points: [{at, value}], a second. */
  rates(name) {
    const rates = [];
    for (let i = 1; i < this.points.length; i++) {
      const [a, b] = [this.points[i - 1], this.points[i]];
      rates.push({ at: b.at, value: Math.max(0, (b[name] - a[name]) / ((b.at - a.at) / 1000)) });
    }
    return rates;
  }

  /** rate is the last rate of a counter; 0 if there is none yet. */
  rate(name) {
    return this.rates(name).at(-1)?.value ?? 0;
  }
}
