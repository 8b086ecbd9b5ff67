// What this session would have cost in AWS: units at dated prices, by topic and connection,
// with what is assumed and what is not in it.

import { bold, fill, h, mono, odd, second } from '../dom.js';
import { count, duration, person } from '../format.js';
import { backKey, rowKeys } from '../keys.js';
import { List } from '../list.js';
import { card, figure, figures, screenElement } from '../parts.js';

const hour = 3_600_000; // ms

/** dollars writes an amount with as many digits as a small session needs: $0.001693, $5.98. */
export const dollars = (n) => `$${n.toFixed(n >= 1 ? 2 : n >= 0.01 ? 4 : 6)}`;

/** anHour is what an hour would cost if it went on as it did; undefined in the first minute. */
export const anHour = ({ dollars: n, since }, now) => {
  const passed = now - Date.parse(since);
  return passed < 60_000 ? undefined : (n * hour) / passed;
};

const topicName = (topic) => (topic.startsWith('cart:u~') ? `cart of ${topic.slice('cart:u~'.length)}` : topic);

export class Cost {
  needs = ['cost'];
  #app;

  constructor(app) {
    this.#app = app;
    this.boxes = Object.fromEntries(['This session', 'If it went on like this', 'Messages'].map((n) => [n, figure(n)]));
    this.lines = new List({
      label: 'By unit',
      rowsShown: 20,
      key: ({ what }) => what,
      columns: [
        { name: 'Unit', width: 'minmax(150px, 2fr)', cell: ({ what }) => bold(what) },
        { name: 'Counted', width: '120px', end: true, cell: ({ units }) => count(units) },
        { name: 'Made of', width: '110px', cell: ({ assumed }) => (assumed ? odd('assumed') : second('counted')) },
        { name: 'A million', width: '100px', end: true, cell: ({ perMillion }) => second(`$${perMillion}`) },
        { name: 'Cost', width: '100px', end: true, cell: ({ dollars: n }) => mono(dollars(n)) },
        { name: 'Share', width: '64px', end: true, cell: ({ share }) => `${Math.round(100 * share)} %` },
      ],
    });
    this.topics = this.#list(
      'By topic',
      ({ topic }) => topic,
      'Topic',
      ({ topic }) => topicName(topic),
      ({ topic }) => {
        this.#app.go({ screen: 'topics', id: topic });
      },
    );
    this.connections = this.#list(
      'By connection',
      ({ conn }) => conn,
      'Connection',
      ({ user, conn }) => person(user, conn),
      ({ conn }) => {
        this.#app.go({ screen: 'connections', id: conn });
      },
    );
    this.linesCard = card('By unit', '', this.lines.element);
    this.assumed = h('ul', { class: 'card-text plain' });
    this.notIn = h('ul', { class: 'card-text plain' });
    this.sub = h('span', { class: 'second' });
    this.element = screenElement(
      'cost',
      [h('h1', {}, 'What this session would have cost in AWS'), this.sub],
      figures(...Object.values(this.boxes)),
      this.linesCard.element,
      h(
        'div',
        { class: 'three' },
        card('By topic', 'posts of its changes', this.topics.element).element,
        card('By connection', 'all that it caused', this.connections.element).element,
        h(
          'div',
          { class: 'stack' },
          card('Assumed', '▲', this.assumed).element,
          card('Not in it', '', this.notIn).element,
        ),
      ),
    );
  }

  #list(label, key, name, cell, onOpen) {
    return new List({
      label,
      key,
      onOpen,
      rowsShown: 10,
      columns: [
        { name, width: 'minmax(90px, 1.6fr)', cell: (row) => mono(cell(row)) },
        { name: 'Messages', width: '66px', end: true, cell: ({ messages }) => count(messages) },
        { name: 'Cost', width: '76px', end: true, cell: ({ dollars: n }) => mono(dollars(n)) },
      ],
    });
  }

  keys = [
    rowKeys('line', (by) => this.lines.move(by)),
    {
      keys: ['y'],
      text: 'copy as JSON',
      run: () => navigator.clipboard.writeText(JSON.stringify(this.#app.sources.cost)),
    },
    backKey((to) => this.#app.go(to)),
  ];

  update() {
    const { cost } = this.#app.sources;
    if (!cost) return;
    const rate = anHour(cost, this.#app.now);
    const messages = cost.connections.reduce((sum, { messages: n }) => sum + n, 0);
    fill(this.sub, `for ${duration(this.#app.now - Date.parse(cost.since))}`);
    this.boxes['This session'].set(dollars(cost.dollars), '', `${cost.region}, list prices, no free tier, no tax`);
    this.boxes['If it went on like this'].set(
      rate === undefined ? '–' : dollars(rate),
      rate === undefined ? '' : 'an hour',
      rate === undefined ? 'after a minute' : `${dollars(rate * 730)} in a month of 730 h`,
    );
    this.boxes.Messages.set(count(messages), '', 'of the connections listed here');
    const sum = cost.dollars || 1;
    this.lines.set(cost.lines.map((line) => ({ ...line, share: line.dollars / sum })));
    this.linesCard.side(`prices of ${cost.pricesOf}. Check before you quote.`);
    this.topics.set(cost.topics ?? []);
    this.connections.set(cost.connections ?? []);
    this.#sentences(this.assumed, cost.assumed ?? []);
    this.#sentences(this.notIn, cost.notIn ?? []);
  }

  #sentences(list, texts) {
    if (list.key === texts.join()) return;
    list.key = texts.join();
    list.replaceChildren(...texts.map((text) => h('li', {}, text)));
  }
}
