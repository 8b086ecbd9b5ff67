// One frame: its text, the path of the change that it belongs to, and the function that ran.

import { bold, fill, h, second } from '../dom.js';
import { bytes, ms, person, plural, time } from '../format.js';
import { coloured, format } from '../json.js';
import { directionOf, meaning, parsed, typeOf } from '../meaning.js';
import { pathOf } from '../path.js';
import { chip } from '../parts.js';

const maxShown = 40; // steps of a path
const unit = 32_000; // bytes of a message that API Gateway bills as one

export class Detail {
  #app;
  #choose;
  #raw = false;
  event = null;
  related = null; // ids of the events of the same path

  constructor(app, choose) {
    this.#app = app;
    this.#choose = choose;
    this.head = h('header', { class: 'card-head' });
    this.text = h('pre', { class: 'frame-text', tabIndex: 0, 'aria-label': 'Text of the frame' });
    this.note = h('p', { class: 'card-text second' });
    this.pathSide = h('span', { class: 'side' });
    this.path = h('ol', { class: 'path' });
    this.function = h('div');
    this.element = h(
      'aside',
      { class: 'card detail', 'aria-label': 'The selected frame', hidden: true },
      this.head,
      this.text,
      this.note,
      h('header', { class: 'card-head' }, h('h2', {}, 'Path of this change'), this.pathSide),
      this.path,
      this.function,
    );
  }

  show(event) {
    this.event = event;
    this.element.hidden = false;
    this.#draw();
  }

  hide() {
    this.event = this.related = null;
    this.element.hidden = true;
  }

  /** moreCame draws the path again if new events belong to it. */
  moreCame(events) {
    if (events.some(({ cause = [] }) => cause.some((id) => this.related.has(id)))) this.#drawPath();
  }

  toggleRaw() {
    this.#raw = !this.#raw;
    if (this.event) this.#draw();
  }

  async copy() {
    if (!this.event) return;
    try {
      await navigator.clipboard.writeText(JSON.stringify(this.event));
      this.say('Copied, masked as it is here.');
    } catch {
      this.say('This browser did not let the page copy.');
    }
  }

  /** say shows a line below the text. */
  say(text) {
    fill(this.note, text);
  }

  #draw() {
    const { event } = this;
    const isFrame = ['in', 'out'].includes(event.type);
    const size = event.bytes ? `${bytes(event.bytes)}${isFrame ? `, ${units(event.bytes)}` : ''}` : time(event.at);
    this.head.replaceChildren(
      h('h2', {}, `${isFrame ? 'Frame' : 'Event'} ${event.id}`),
      isFrame ? chip(directionOf(event).text) : '',
      chip(typeOf(event)),
      h('span', { class: 'side' }, size),
    );
    const value = this.#raw ? undefined : parsed(event.text);
    this.text.hidden = !event.text;
    this.text.replaceChildren(...(value ? coloured(format(value)) : [event.text ?? '']));
    const cutShort = event.text && event.bytes > 4096 ? 'The log keeps the first 4 096 bytes. ' : '';
    const hidden = /"\[\d+ \w+\]"/.test(event.text ?? '')
      ? 'Carts and tokens are masked. To see carts: localhub -show-private'
      : '';
    fill(this.note, cutShort, hidden, event.text ? '' : meaning(event));
    this.#drawPath();
  }

  #drawPath() {
    const { steps, cut, row, last } = pathOf(this.#app.store, this.event);
    this.related = new Set(steps.map(({ id }) => id));
    const at = Math.max(
      0,
      steps.findIndex(({ id }) => id === this.event.id),
    );
    const from = steps.length > maxShown ? Math.min(Math.max(0, at - maxShown / 2), steps.length - maxShown) : 0;
    const shown = steps.slice(from, from + maxShown);
    const base = steps[0].at;
    this.path.replaceChildren(
      ...shown.map((step) =>
        h(
          'li',
          {},
          h(
            'button',
            {
              type: 'button',
              class: 'step',
              'aria-current': step.id === this.event.id ? 'step' : null,
              onclick: () => this.#choose(step),
            },
            h('span', { class: 'step-id' }, String(step.id)),
            h('span', { class: 'step-what' }, this.#stepParts(step)),
            h('span', { class: 'step-ms' }, ms(step.at - base)),
          ),
        ),
      ),
    );
    const rest = steps.length - shown.length + cut;
    if (rest > 0) this.path.append(h('li', { class: 'step-more' }, `… and ${rest} more`));
    fill(this.pathSide, last && row !== last ? `commit → sent ${ms(last.at - row.at)} ms` : 'ms after the first');
    this.#drawFunction(steps);
  }

  #stepParts(step) {
    const who = person(step.user || this.#app.store.people.get(step.conn)?.user, step.conn);
    switch (step.type) {
      case 'in':
        return [{ kind: 'frame-in', text: '→ in ' }, bold(typeOf(step)), ` from ${who}`];
      case 'out': {
        const post = this.#app.store.causes(step).find(({ type }) => type === 'post');
        return [
          { kind: 'frame-out', text: '← out ' },
          bold(typeOf(step)),
          ` to ${who}`,
          post?.status ? `, ${post.status}` : '',
        ];
      }
      case 'post':
        return [second('post '), `to ${who} `, ...meaning(step)];
      case 'admin':
        return ['◆ ', ...meaning(step)];
      default:
        return [
          second(`${step.type} `),
          ...meaning(step),
          step.type === 'open' || step.type === 'close' ? ` ${who}` : '',
        ];
    }
  }

  /** #drawFunction shows the invocation that is nearest to the frame. */
  #drawFunction(steps) {
    const invoke =
      steps.findLast(({ type, id }) => type === 'invoke' && id <= this.event.id) ??
      steps.find(({ type }) => type === 'invoke');
    if (!invoke) return this.function.replaceChildren();
    const answer = this.#app.store.effects(invoke).find(({ type }) => type === 'answer');
    const line = (name, ...parts) => [h('dt', {}, name), h('dd', {}, ...parts)];
    this.function.replaceChildren(
      h(
        'header',
        { class: 'card-head' },
        h('h2', {}, `Function ${invoke.function ?? ''}, ${invoke.id}`),
        h('span', { class: 'side' }, answer?.took === undefined ? '' : `${ms(answer.took)} ms`),
      ),
      h(
        'dl',
        { class: 'facts card-text' },
        line(
          'Event',
          invoke.bytes ? `${bytes(invoke.bytes)}, ` : '',
          h('code', {}, `requestContext.routeKey "${invoke.route ?? ''}"`),
        ),
        line(
          'Answer',
          answer
            ? [answer.bytes ? `${bytes(answer.bytes)}, ` : '', `statusCode ${answer.status ?? ''} ${answer.code ?? ''}`]
            : 'not yet',
        ),
        line(
          'Identity',
          person(invoke.user, ''),
          invoke.role && invoke.role !== person(invoke.user, '') ? `, ${invoke.role}` : '',
        ),
      ),
      ...this.#texts(invoke),
    );
  }

  /** #texts are what a function of somebody's own API got, returned and wrote, if the log has them. */
  #texts(invoke) {
    const effects = this.#app.store.effects(invoke);
    const of = (wanted) => effects.filter(({ type }) => type === wanted);
    const section = (name, events, text) =>
      events.length === 0
        ? []
        : [
            h(
              'header',
              { class: 'card-head' },
              h('h2', {}, name),
              h('span', { class: 'side' }, name === 'Log' ? plural(events.length, 'line') : shownOf(events[0])),
            ),
            h('pre', { class: 'frame-text', tabIndex: 0, 'aria-label': `${name} of the function` }, text(events)),
          ];
    const json = ([{ text = '' }]) => {
      const value = parsed(text);
      return value ? coloured(format(value)) : text;
    };
    const lines = (events) => events.map(({ at, text }) => `${time(at).slice(-4)} ${text}\n`);
    return [
      ...section('Event', of('input'), json),
      ...section('Answer', of('output'), json),
      ...section('Log', of('log'), lines),
    ];
  }
}

/** shownOf says how much of a text the log has. */
const shownOf = ({ text = '', bytes: size = 0, code }) =>
  [code, text.length < size ? `the first ${bytes(text.length)} of ${bytes(size)}` : bytes(size)].filter(Boolean).join(', ');

const units = (n) => {
  const all = Math.max(1, Math.ceil(n / unit));
  return `${all} unit${all > 1 ? 's' : ''} of 32 KB`;
};
