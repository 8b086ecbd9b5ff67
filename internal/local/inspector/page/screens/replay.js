// Recordings: begin and end one, play one again, and see the first frame that differs.

import { bad, fill, good, h, mono, odd, second } from '../dom.js';
import { bytes, clock, count, duration, plural } from '../format.js';
import { sides } from '../compare.js';
import { coloured } from '../json.js';
import { backKey, rowKeys } from '../keys.js';
import { List } from '../list.js';
import { button, card, message, screenElement } from '../parts.js';

const maxFrames = 300; // that are shown of a conversation

const alike = [
  'ids of connections, epochs, users and tokens, one for one',
  'versions, by their distance',
  'times, expires, after',
  'topics of a delta, in one or in several',
  'deltas that were merged, by the value in which they end',
];

const two = (n) => String(n).padStart(2, '0');
const day = (d) => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;

/** fileName is the name that is offered for a new recording. */
export const fileName = (d) => `${day(d)}-${clock(d).replaceAll(':', '')}.ndjson`;

/** resultOf says what a replay found: of one conversation, or of all of them. */
export function resultOf(played) {
  if (!played) return second('○ not replayed');
  if (played.error) return bad(played.error);
  if (played.running) return second('○ plays');
  const differ = played.conversations.filter(({ difference }) => difference).length;
  if (differ === 0) return good(`${plural(played.conversations.length, 'conversation')} alike`);
  return bad(`${differ} of ${played.conversations.length} ${differ === 1 ? 'differs' : 'differ'}`);
}

export class Replay {
  needs = ['recordings'];
  #app;
  #file = '';
  #conn = '';
  #details = new Map(); // by file: what GET /admin/recordings/{file} answers
  #played = new Map(); // by file: {running}, {error}, or the answer of POST /admin/replay
  #events = new Map(); // by file and connection

  constructor(app) {
    this.#app = app;
    this.name = h('input', {
      'aria-label': 'File of the recording',
      class: 'file',
      autocomplete: 'off',
      spellcheck: 'false',
    });
    this.recordText = h('span');
    this.record = button(this.recordText, () => this.#record(), { kind: 'primary', keyName: 'r' });
    this.play = button('Replay', () => this.#replay(), { keyName: 'R' });
    this.says = h('div', { role: 'alert', class: 'says' });
    this.files = new List({
      label: 'Recordings',
      rowsShown: 12,
      key: ({ file }) => file,
      onSelect: ({ file }) => this.#choose(file),
      columns: [
        { name: 'File', width: 'minmax(150px, 1.4fr)', cell: ({ file }) => mono(file) },
        {
          name: 'Recorded',
          width: '150px',
          cell: ({ started }) => second(`${day(new Date(started))} ${clock(Date.parse(started))}`),
        },
        { name: 'By', width: 'minmax(70px, 0.6fr)', cell: ({ localhub }) => second(localhub) },
        { name: 'Size', width: '80px', end: true, cell: ({ bytes: size }) => bytes(size) },
        { name: 'Last replay', width: 'minmax(170px, 1.2fr)', cell: ({ file }) => resultOf(this.#played.get(file)) },
      ],
    });
    this.conversations = new List({
      label: 'Conversations',
      key: ({ conn }) => conn,
      onSelect: ({ conn }) => this.#converse(conn),
      columns: [
        { name: 'Connection', width: 'minmax(76px, 1fr)', cell: ({ conn }) => mono(conn) },
        { name: 'Role', width: '66px', cell: ({ role }) => role },
        { name: 'Frames', width: '54px', end: true, cell: ({ frames }) => count(frames) },
        { name: 'Result', width: 'minmax(124px, 1fr)', cell: (row) => this.#result(row) },
      ],
    });
    this.filesCard = card('Recordings', 'NDJSON; no tokens, users renamed; carts are kept', this.files.element);
    this.conversationsCard = card('Conversations', '', this.conversations.element);
    this.conversationsCard.element.classList.add('list');
    this.shown = h('div', { class: 'shown', tabIndex: 0, role: 'group', 'aria-label': 'Frames' });
    this.shownCard = card('Frames', '', this.shown);
    this.empty = h('div', { class: 'empty' });
    this.filesCard.element.append(this.empty);
    this.element = screenElement(
      'replay',
      [
        h('h1', {}, 'Record and replay'),
        h('span', { class: 'second' }, 'what clients said, played again'),
        h('span', { class: 'gap' }),
        this.name,
        this.record,
        this.play,
      ],
      this.says,
      this.filesCard.element,
      h(
        'div',
        { class: 'sides' },
        h(
          'div',
          { class: 'stack' },
          this.conversationsCard.element,
          alikeCard().element,
        ),
        this.shownCard.element,
      ),
    );
  }

  keys = [
    rowKeys('conversation', (by) => this.conversations.move(by)),
    { keys: ['J', 'K'], text: 'recording', run: (key) => this.files.move(key === 'J' ? 1 : -1) },
    { keys: ['n'], text: 'next difference', run: () => this.#next() },
    { keys: ['r'], text: 'record, end', run: () => this.#record() },
    { keys: ['R'], text: 'replay', run: () => this.#replay() },
    backKey((to) => this.#app.go(to)),
  ];

  enter({ id }) {
    this.name.value = fileName(new Date());
    if (id && id !== this.#file) this.#choose(id);
  }

  get #recording() {
    const recording = this.#app.situation?.recording;
    return recording && !recording.failed ? recording : null;
  }

  async #record() {
    const on = this.#recording;
    if (!on && !this.#app.situation?.recordings) return;
    await this.#try(async () => {
      const body = on ? undefined : { file: this.name.value };
      const method = on ? 'DELETE' : 'POST';
      const { file } = await this.#app.change(method, '/admin/recording', body, 'situation', 'recordings');
      this.name.value = fileName(new Date());
      if (on) await this.#choose(file);
    });
  }

  async #replay() {
    const file = this.#file;
    if (!file || this.#played.get(file)?.running) return;
    this.#played.set(file, { running: true });
    this.update();
    try {
      this.#played.set(file, await this.#app.change('POST', '/admin/replay', { file }));
    } catch (error) {
      this.#played.set(file, { error: error.message });
    }
    if (this.#file === file) this.#next();
    this.update();
  }

  async #choose(file) {
    this.#file = file;
    this.#conn = '';
    this.files.selected = file;
    this.#app.note({ id: file });
    await this.#try(async () => {
      this.#details.set(file, await this.#app.api.get(`/admin/recordings/${encodeURIComponent(file)}`));
    });
  }

  async #converse(conn) {
    const [file, key] = [this.#file, `${this.#file}\n${conn}`];
    this.#conn = conn;
    this.update();
    if (this.#events.has(key)) return;
    const path = `/admin/recordings/${encodeURIComponent(file)}?conn=${encodeURIComponent(conn)}`;
    await this.#try(async () => this.#events.set(key, await this.#app.api.get(path)));
  }

  /** #next goes to the next conversation that differs, or to the first one. */
  #next() {
    const rows = this.conversations.rows;
    const from = rows.findIndex(({ conn }) => conn === this.#conn);
    const after = [...rows.slice(from + 1), ...rows.slice(0, from + 1)];
    const found = after.find(({ conn }) => this.#of(conn)?.difference);
    if (!found) return;
    this.conversations.select(found.conn);
    this.#converse(found.conn);
  }

  #of(conn) {
    return this.#played.get(this.#file)?.conversations?.find((each) => each.conn === conn);
  }

  #result({ conn }) {
    const played = this.#of(conn);
    if (!played) return second('○');
    if (played.notPlayed) return odd('not played');
    return played.difference ? bad(`differs, frame ${played.difference.frame}`) : good('alike');
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
    const folder = this.#app.situation?.recordings;
    const on = this.#recording;
    fill(this.recordText, on ? '■ End' : '● Record');
    this.record.disabled = !folder && !on;
    this.name.hidden = Boolean(on) || !folder;
    this.play.disabled = !this.#file || Boolean(this.#played.get(this.#file)?.running);
    const files = this.#app.sources.recordings ?? [];
    this.files.set(files);
    this.#emptyText(folder, files.length);
    const details = this.#details.get(this.#file);
    this.conversations.set(details?.conversations ?? []);
    this.#sides(details);
    this.#frames();
  }

  #emptyText(folder, n) {
    this.empty.hidden = folder && n > 0;
    if (folder) fill(this.empty, 'No recording yet. Record, let clients talk, and end it.');
    else fill(this.empty, 'There is no folder for recordings. Start localhub with -record-dir DIR.');
  }

  #sides(details) {
    const played = this.#played.get(this.#file);
    const took = played?.tookMs === undefined ? '' : `, played in ${duration(played.tookMs)}`;
    this.conversationsCard.side(details ? duration(details.lengthMs) + took : 'choose a recording');
  }

  /** #frames shows the first difference of the chosen conversation, or its frames. */
  #frames() {
    const difference = this.#of(this.#conn)?.difference;
    const events = this.#events.get(`${this.#file}\n${this.#conn}`);
    const key = `${this.#file} ${this.#conn} ${difference ? 'differs' : ''} ${events?.events.length}`;
    if (this.shown.key === key) return;
    this.shown.key = key;
    if (difference) {
      this.shownCard.title('First difference ');
      this.shownCard.side(`${this.#conn}, ${difference.frame ? `frame ${difference.frame}, ` : ''}${difference.kind}`);
      this.shown.replaceChildren(differenceElement(difference));
      return;
    }
    this.shownCard.title('Frames ');
    this.shownCard.side(this.#conn || 'choose a conversation');
    this.shown.replaceChildren(...framesElements(events));
  }
}

const alikeCard = () =>
  card(
    'Counted as alike',
    '',
    h(
      'ul',
      { class: 'card-text plain' },
      alike.map((text) => h('li', {}, `≈ ${text}`)),
    ),
  );

/** differenceElement shows both frames side by side, and says what differs. */
function differenceElement(d) {
  const { recorded, got } = sides(d);
  const side = (name, lines, none) =>
    h(
      'section',
      { class: 'side-by-side', 'aria-label': name },
      h('h3', {}, name),
      lines.length
        ? h(
            'pre',
            {},
            lines.map(({ text, differs }) =>
              differs ? h('mark', { class: 'line' }, text, '\n') : h('span', { class: 'line' }, coloured(text), '\n'),
            ),
          )
        : h('p', { class: 'second' }, none),
    );
  return h(
    'div',
    {},
    h(
      'div',
      { class: 'pair' },
      side('Recorded', recorded, 'no such frame'),
      side('Replayed', got, 'no such frame came'),
    ),
    message('bad', `■ ${d.path || d.kind}`, `is ${d.got}, recorded ${d.recorded}. Later frames were not compared.`),
  );
}

/** framesElements lists what a recording has of a connection. */
function framesElements(answer) {
  if (!answer) return [];
  const shown = answer.events.slice(0, maxFrames);
  const more = answer.more || answer.events.length > shown.length;
  const directions = { in: { kind: 'frame-in', text: '→ in' }, out: { kind: 'frame-out', text: '← out' } };
  return [
    h(
      'ol',
      { class: 'recorded' },
      shown.map(({ at, type, text, status, code, by }) =>
        h(
          'li',
          {},
          h('span', { class: 'mono second' }, `+${(at / 1000).toFixed(3)}`),
          h('span', {}, directions[type] ?? type),
          h('span', { class: 'mono' }, text ?? [status ?? code, by ? ` by the ${by}` : '']),
        ),
      ),
    ),
    more ? h('p', { class: 'card-text second' }, `The first ${count(shown.length)} are shown.`) : '',
  ];
}
