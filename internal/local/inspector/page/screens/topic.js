// One topic: its value by role, the path of one version to each socket, and who is behind.

import { write } from '../address.js';
import { absent, bold, fill, good, h, mono, odd, second } from '../dom.js';
import { Chart } from '../charts.js';
import { count, ms, percentile, person, time } from '../format.js';
import { rowKeys } from '../keys.js';
import { List } from '../list.js';
import { button, card, key, screenElement } from '../parts.js';
import { sentVersions, why } from '../sent.js';
import { badgeOf } from './stock.js';
import { drawPath } from './pathchart.js';
import { resultOf } from './topics.js';

const maxChanges = 100;
const roles = ['guest', 'customer', 'vendor', 'admin'];

export class Topic {
  #app;
  #topic = '';
  #version = 0; // chosen; 0: the newest
  #conn = '';

  constructor(app) {
    this.#app = app;
    this.title = h('h1', { class: 'crumbs' });
    this.edit = button('Change stock…', () => this.#app.go({ screen: 'stock', id: this.#topic.replace(/^sku:/, '') }));
    this.values = new List({
      label: 'Value by role',
      rowsShown: 6,
      key: ({ role }) => role,
      columns: [
        { name: 'Sees', width: '1.1fr', cell: ({ role, isRow }) => (isRow ? second(role) : role) },
        { name: 'Now', width: '1.3fr', cell: ({ now }) => mono(now) },
        { name: 'Open', width: '40px', end: true, cell: ({ open }) => (open === undefined ? '' : count(open)) },
      ],
    });
    this.path = new Chart(drawPath);
    this.pathCard = card('Path', 'ms after the commit', this.path.element);
    this.changes = this.#changesList();
    this.changesCard = card('Last changes', 'ms after the commit', this.changes.element);
    this.changesCard.element.classList.add('list');
    this.subscribers = this.#subscribersList();
    this.subscribersCard = card('Subscribers', '', this.subscribers.element);
    this.subscribersCard.element.classList.add('list');
    this.why = h('pre', { class: 'why', tabIndex: 0, 'aria-label': 'Why' });
    this.whyCard = card('Why', ['as the hub knows it ', key('w')], this.why);
    this.element = screenElement(
      'topic',
      [this.title, h('span', { class: 'gap' }), this.edit],
      h(
        'div',
        { class: 'two path-row' },
        card('Value by role', '', this.values.element).element,
        this.pathCard.element,
      ),
      h(
        'div',
        { class: 'two changes-row' },
        this.changesCard.element,
        h('div', { class: 'stack' }, this.subscribersCard.element, this.whyCard.element),
      ),
    );
  }

  #changesList() {
    const after = (change, at) => (at ? ms(at - change.at) : '');
    return new List({
      label: 'Last changes',
      key: ({ version, id }) => `${version}/${id}`,
      columns: [
        { name: 'v', width: '48px', cell: ({ version }) => bold(String(version ?? '')) },
        { name: 'Commit', width: '104px', cell: ({ at }) => second(time(at)) },
        { name: 'Stream', width: '60px', end: true, cell: (change) => after(change, change.record) },
        { name: 'Batch', width: '60px', end: true, cell: (change) => after(change, change.batch) },
        { name: 'p50', width: '60px', end: true, cell: (change) => after(change, p50Of(change)) },
        { name: 'Last', width: '70px', end: true, cell: (change) => after(change, change.last) },
        { name: 'Result', width: 'minmax(140px, 1fr)', cell: (change) => resultOf(change) },
      ],
      onSelect: ({ version }) => this.#choose(version),
      onOpen: ({ id }) => this.#app.go({ screen: 'frames', id: String(id) }),
    });
  }

  #subscribersList() {
    return new List({
      label: 'Subscribers',
      key: ({ connectionId }) => connectionId,
      columns: [
        {
          name: 'Connection',
          width: 'minmax(100px, 1fr)',
          cell: ({ user, connectionId }) => mono(person(user, connectionId)),
        },
        { name: 'Role', width: '76px', cell: ({ role }) => role || '' },
        { name: 'Sent', width: '48px', end: true, cell: ({ sent }) => (sent ? String(sent.version) : '') },
        { name: 'State', width: 'minmax(110px, 1fr)', cell: (row) => this.#state(row) },
      ],
      onSelect: ({ connectionId }) => {
        this.#conn = connectionId;
        this.update();
      },
      onOpen: ({ connectionId }) => this.#app.go({ screen: 'connections', id: connectionId }),
    });
  }

  keys = [
    rowKeys('change', (by) => this.changes.move(by)),
    { keys: ['['], text: 'who wrote it', run: () => this.#toFrames((change) => change.cause[0] ?? change.id) },
    { keys: [']'], text: 'its posts', run: () => this.#toFrames((change) => change.batchId || change.id) },
    { keys: ['w'], text: 'why for a connection', run: () => this.subscribers.move(1) },
    {
      keys: ['Enter'],
      text: 'open',
      run: () => (this.subscribers.element.contains(document.activeElement) ? this.subscribers : this.changes).open(),
    },
    { keys: ['Esc'], text: 'back to list', run: () => this.#app.go({ screen: 'topics' }) },
  ];

  enter(topic, version) {
    this.#topic = topic;
    this.#version = version;
    this.#conn = '';
    this.changes.selected = this.subscribers.selected = null;
    this.update();
  }

  #choose(version) {
    this.#version = version;
    this.#app.note({ version: String(version) });
    this.update();
  }

  #toFrames(id) {
    const change = this.#change;
    if (change) this.#app.go({ screen: 'frames', id: String(id(change)) });
  }

  get #all() {
    return this.#app.store.changes.ofTopic(this.#topic).slice(-maxChanges);
  }

  get #change() {
    return this.#all.findLast(({ version }) => version === this.#version) ?? this.#all.at(-1);
  }

  get #item() {
    return this.#app.sources.stock?.find(({ sku }) => `sku:${sku}` === this.#topic);
  }

  #state({ sent }) {
    const newest = this.#newest;
    if (!sent) return absent('nothing in the log');
    return newest && sent.version < newest ? odd(`${newest - sent.version} behind`) : good('in step');
  }

  get #newest() {
    const row = (this.#app.sources.topics ?? []).find(({ topic }) => topic === this.#topic);
    return Math.max(row?.version ?? 0, this.#all.at(-1)?.version ?? 0);
  }

  update() {
    if (!this.#topic) return;
    const subscribers = this.#subscriberRows();
    const behind = subscribers.filter(({ sent }) => sent && sent.version < this.#newest).length;
    fill(
      this.title,
      { href: write({ screen: 'topics' }), text: 'Topics' },
      second(' › '),
      mono(this.#topic),
      ' ',
      second(this.#item?.vendor ? `vendor ${this.#item.vendor} ` : ''),
      { kind: 'chip', text: `${count(subscribers.length)} subscribers` },
      ' ',
      this.#newest ? { kind: 'chip', text: `version ${this.#newest}` } : '',
      ' ',
      behind ? { kind: 'chip odd', text: `▲ ${behind} behind` } : '',
    );
    this.edit.hidden = !this.#topic.startsWith('sku:');
    this.values.set(this.#valueRows(subscribers));
    this.changes.set(this.#all.toReversed());
    const change = this.#change;
    this.changes.selected = change ? `${change.version}/${change.id}` : null;
    this.#showPath(change);
    this.subscribers.set(subscribers);
    this.subscribersCard.side(`behind first, ${count(subscribers.length)}`);
    this.#why(subscribers);
  }

  #subscriberRows() {
    const sent = sentVersions(this.#app.store, this.#topic);
    return (this.#app.sources.connections ?? [])
      .filter(({ topics = [] }) => topics.includes(this.#topic))
      .map((row) => ({ ...row, sent: sent.get(row.connectionId) }))
      .sort((a, b) => (a.sent?.version ?? Infinity) - (b.sent?.version ?? Infinity));
  }

  /** #valueRows is what each role sees of an item, by the rules of the protocol. */
  #valueRows(subscribers) {
    const open = (role) => subscribers.filter((row) => row.role === role).length;
    const item = this.#item;
    if (!item)
      return roles
        .map((role) => ({ role, now: this.#topic.startsWith('cart:') ? 'masked' : '', open: open(role) }))
        .filter((row) => row.open);
    const badge = badgeOf(item).text;
    const exact = badge.endsWith(` ${item.available}`) ? `${badge}, exact` : `${badge}, ${item.available}`;
    return [
      { role: 'guest', now: badge, open: open('guest') },
      { role: 'customer', now: badge, open: open('customer') },
      {
        role: item.vendor ? `vendor ${item.vendor}` : 'vendor',
        now: item.vendor ? exact : badge,
        open: open('vendor'),
      },
      { role: 'admin', now: exact, open: open('admin') },
      { role: 'the row', now: `${item.available}, low at ${item.lowAt}`, isRow: true },
    ];
  }

  #showPath(change) {
    if (!change) {
      this.pathCard.title('Path of a version');
      this.pathCard.side('no change in the log of this page');
      return;
    }
    this.pathCard.title(`Path of version ${change.version ?? ''}`);
    this.pathCard.side('linear to 2 ms, then logarithmic; commit is when the row was written');
    const cause = this.#app.store.get(change.cause[0]);
    const by = cause ? (cause.type === 'admin' ? 'by the admin API' : `by ${cause.route ?? cause.type}`) : '';
    this.path.set({ change, by }, `${change.id} ${change.posts.length} ${change.batch} ${change.accepted}`);
  }

  #why(subscribers) {
    const row = subscribers.find(({ connectionId }) => connectionId === this.#conn) ?? subscribers[0];
    this.whyCard.title('Why ', row ? { kind: 'chip', text: person(row.user, row.connectionId) } : '');
    fill(
      this.why,
      row
        ? why({
            store: this.#app.store,
            topic: this.#topic,
            conn: row.connectionId,
            subscribed: true,
            sent: row.sent,
            now: this.#newest,
          }).join('\n')
        : 'Nobody follows it now.',
    );
  }
}

/** p50Of is when half of the accepted posts of a change were accepted. */
function p50Of({ posts }) {
  const accepted = posts
    .filter(({ status }) => status >= 200 && status < 300)
    .map(({ at }) => at)
    .sort((a, b) => a - b);
  return percentile(accepted, 50);
}
