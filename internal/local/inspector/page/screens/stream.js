// What became of every committed change: records, batches, posts, healing and sweeps.

import { bold, fill, h, mono, odd, second } from '../dom.js';
import { count, ms, plural, time } from '../format.js';
import { openKey, rowKeys } from '../keys.js';
import { List } from '../list.js';
import { button, card, figure, figures, message, screenElement } from '../parts.js';
import { attemptsOf, batchesOf, resultOf, sourceOf } from './batches.js';

export class Stream {
  needs = ['stream', 'topics'];
  #app;
  #id = 0;

  constructor(app) {
    this.#app = app;
    const names = ['Records written', 'Delivered', 'Coalesced', 'Seen by nobody', 'Failed', 'Marked'];
    this.boxes = Object.fromEntries(names.map((name) => [name, figure(name)]));
    this.list = new List({
      label: 'Batches',
      columns: [
        { name: 'Batch', width: '70px', cell: ({ id }) => mono(String(id)) },
        { name: 'Began', width: '110px', cell: ({ event }) => second(time(event.at)) },
        { name: 'Source', width: 'minmax(90px, 1fr)', cell: (batch) => sourceOf(batch) },
        { name: 'Records', width: '70px', end: true, cell: ({ event }) => count(event.count ?? 0) },
        {
          name: 'Topics',
          width: '70px',
          end: true,
          cell: ({ changes }) => count(new Set(changes.map(({ topic }) => topic)).size),
        },
        { name: 'Posts', width: '70px', end: true, cell: ({ accepted }) => count(accepted) },
        { name: '429', width: '60px', end: true, cell: ({ throttled }) => (throttled ? odd(count(throttled)) : '0') },
        { name: 'Result', width: 'minmax(120px, 1fr)', cell: (batch) => resultOf(batch) },
        {
          name: 'ms',
          width: '64px',
          end: true,
          cell: ({ answer }) => (answer?.took === undefined ? '' : ms(answer.took)),
        },
      ],
      onSelect: ({ id }) => {
        this.#id = id;
        this.#app.note({ id: String(id) });
        this.update();
      },
      onOpen: ({ id }) => this.#app.go({ screen: 'frames', id: String(id) }),
    });
    this.#build();
  }

  #build() {
    this.box = card('Batches', '', this.list.element);
    this.box.element.classList.add('list');
    this.detail = h('div', { class: 'card-text' });
    this.detailCard = card('Batch', '', this.detail);
    this.heals = new List({
      label: 'Healing',
      rowsShown: 6,
      columns: [
        { name: 'Run', width: '104px', cell: ({ event }) => second(time(event.at)) },
        { name: 'Posts', width: '60px', end: true, cell: ({ posts }) => count(posts) },
        { name: 'Result', width: '1fr', cell: ({ event, answer }) => answer?.note || event.note || '' },
      ],
      onOpen: ({ id }) => this.#app.go({ screen: 'frames', id: String(id) }),
    });
    this.healText = h(
      'p',
      { class: 'card-text second' },
      'A connection that cannot be served for a minute is closed; its client reconnects and resumes.',
    );
    this.sweepText = h('div', { class: 'card-text' });
    this.holdText = h('span');
    this.hold = button(this.holdText, () => this.#hold(), { keyName: 'h' });
    this.againText = h('span');
    this.again = button(this.againText, () => this.#again(), { keyName: 'r' });
    this.says = h('div', { role: 'alert', class: 'says' });
    this.element = screenElement(
      'stream',
      [
        h('h1', {}, 'Stream and batches'),
        h('span', { class: 'second' }, 'what became of every committed change'),
        h('span', { class: 'gap' }),
        this.hold,
        this.again,
      ],
      this.says,
      figures(...Object.values(this.boxes)),
      this.box.element,
      h(
        'div',
        { class: 'three' },
        this.detailCard.element,
        card('Healing', '', this.heals.element, this.healText).element,
        card('Sweeps', 'topics too big for a batch', this.sweepText).element,
      ),
    );
  }

  keys = [
    rowKeys('batch', (by) => this.list.move(by)),
    openKey('records', () => this.list.open()),
    { keys: ['h'], text: 'hold, go on', run: () => this.#hold() },
    { keys: ['r'], text: 'deliver again', run: () => this.#again() },
    { keys: ['['], text: 'who wrote it', run: () => this.#toFrames((batch) => batch.changes[0]?.cause[0] ?? batch.id) },
    { keys: [']'], text: 'posts', run: () => this.#toFrames((batch) => batch.posts[0]?.id ?? batch.id) },
    { keys: ['Esc'], text: 'close', run: () => this.#close() },
  ];

  enter({ id }) {
    this.#id = Number(id) || 0;
    if (this.#id) this.list.selected = this.#id;
  }

  #close() {
    this.#id = 0;
    this.list.selected = null;
    this.#app.note({ id: '' });
    this.update();
  }

  get #batch() {
    return this.list.rows.find(({ id }) => id === this.#id) ?? this.list.rows[0];
  }

  /** #hold makes changes wait, or lets them go on. */
  #hold() {
    return this.#change({ hold: !this.#app.situation?.streamHeld });
  }

  /** #again gives the function the chosen batch once more. */
  #again() {
    return this.#batch && this.#change({ again: this.#batch.id });
  }

  async #change(body) {
    try {
      await this.#app.change('POST', '/admin/stream', body, 'situation', 'stream');
      this.says.replaceChildren();
    } catch (error) {
      this.says.replaceChildren(message('bad', '■ Not done', error.message));
    }
    this.update();
  }

  #toFrames(to) {
    const batch = this.list.selectedRow ?? this.list.rows[0];
    if (batch) this.#app.go({ screen: 'frames', id: String(to(batch)) });
  }

  update() {
    const { store, sources } = this.#app;
    const batches = batchesOf(store);
    this.list.set(batches);
    const held = Boolean(this.#app.situation?.streamHeld);
    fill(this.holdText, held ? '▲ Held: go on' : 'Hold batches');
    this.hold.classList.toggle('odd-button', held);
    fill(this.againText, this.#batch ? `Deliver ${this.#batch.id} again` : 'Deliver again');
    this.again.disabled = !this.#batch;
    this.box.side(`${count(batches.length)} in the log of this page, newest first`);
    this.#figures(sources);
    this.#detail(this.#batch);
    const heals = [];
    let sweeps = 0;
    let largest = 0;
    for (const event of store.newest()) {
      if (event.type === 'sweep') sweeps++;
      if (event.type !== 'heal' || heals.length >= 6) continue;
      const effects = store.effects(event);
      heals.push({
        id: event.id,
        event,
        answer: effects.find(({ type }) => type === 'answer'),
        posts: effects.filter(({ type }) => type === 'post').length,
      });
    }
    for (const { subscribers } of sources.topics ?? []) largest = Math.max(largest, subscribers);
    this.heals.set(heals);
    fill(
      this.sweepText,
      sweeps
        ? [bold(plural(sweeps, 'step')), ' of sweeps in the log; filter Frames with type:sweep.']
        : [
            bold('No sweep has run. '),
            second(
              `The largest topic has ${plural(largest, 'subscriber')}. A sweep serves a crowd that a batch cannot serve in a second.`,
            ),
          ],
    );
  }

  #figures({ metrics, stream = [] }) {
    if (!metrics) return;
    const of = (name, result) => metrics.sum(name, { result });
    const put = of('stream_records_total', 'put');
    const waiting = stream.reduce((sum, { queued }) => sum + (queued ?? 0), 0);
    this.boxes['Records written'].set(
      count(put),
      '',
      stream.map(({ name, records }) => `${count(records)} ${name}`).join(', '),
    );
    this.boxes.Delivered.set(count(of('stream_records_total', 'delivered')), '', `${count(waiting)} waiting`);
    this.boxes.Coalesced.set(count(of('hub_changes_total', 'coalesced')), '', 'a newer one went out');
    this.boxes['Seen by nobody'].set(count(of('hub_changes_total', 'suppressed')), '', 'badge alike');
    const failed = of('stream_records_total', 'failed');
    this.boxes.Failed.set(failed ? odd(count(failed)) : '0', '', 'they come again');
    const marked = of('hub_deliveries_total', 'stale');
    this.boxes.Marked.set(
      marked ? odd(count(marked)) : '0',
      '',
      `${count(of('hub_heals_total', 'healed'))} healed, ${count(of('hub_heals_total', 'closed'))} closed`,
    );
  }

  #detail(batch) {
    if (!batch) return fill(this.detail, 'No batch yet. Change stock, and its way shows here.');
    this.detailCard.title(`Batch ${batch.id}`);
    this.detailCard.side(plural(batch.event.count ?? batch.changes.length, 'record'));
    const attempts = attemptsOf(batch);
    const key = `${batch.id} ${batch.posts.length} ${batch.answer?.id}`;
    if (this.detail.key === key) return;
    this.detail.key = key;
    const most = Math.max(1, ...attempts.map(({ accepted, refused }) => accepted + refused));
    this.detail.replaceChildren(
      h(
        'ul',
        { class: 'plain' },
        batch.changes.slice(0, 8).map(({ topic, version }) => h('li', { class: 'mono' }, `${topic} v${version}`)),
      ),
      h(
        'h3',
        {},
        attempts.length
          ? `Attempts to post, ${plural(new Set(batch.posts.map(({ conn }) => conn)).size, 'connection')}`
          : 'No post was made.',
      ),
      ...attempts.map((row) => {
        const bar = h('meter', {
          min: 0,
          max: most,
          value: row.accepted,
          'aria-label': `Attempt ${row.attempt}, accepted`,
        });
        return h(
          'p',
          { class: 'attempt' },
          `${row.attempt} `,
          bar,
          ` ${count(row.accepted)} accepted`,
          row.refused ? [', ', odd(`${count(row.refused)} refused`)] : '',
        );
      }),
    );
  }
}
