// What an event means, in one line. Pure: it returns parts, see dom.js.

import { bytes, ms, personName, plural } from './format.js';

const bold = (text) => ({ kind: 'b', text });
const second = (text) => ({ kind: 'second', text });
const masked = (text) => ({ kind: 'masked', text });
const odd = (text) => ({ kind: 'odd', text: `▲ ${text}` });

/** parsed is the JSON of a text; undefined if it is none, or was cut. */
export function parsed(text) {
  if (!text || text[0] !== '{') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const typeAtStart = /^\{"(?:type|action)":"([\w$-]+)"/;
const typeAnywhere = /"(?:type|action)":"([\w$-]+)"/;

/** typeOf is the word in the column Type: of a frame what the message is, else of the event. */
export function typeOf(event) {
  if (event.word === undefined) event.word = findType(event);
  return event.word;
}

function findType({ type, text = '', route, note = '' }) {
  if (type === 'admin') return /^[A-Z]+(?= )/.exec(note || text)?.[0] ?? 'admin';
  if (type !== 'in' && type !== 'out') return type;
  const found = typeAtStart.exec(text) ?? typeAnywhere.exec(text);
  if (found) return found[1];
  if (type === 'in') return route && route !== '$default' ? route : (/^[\w$-]+/.exec(text)?.[0] ?? 'frame');
  return text ? 'text' : 'frame';
}

/** badge writes the public state of a SKU as people read it: low 3. */
function badge({ state, quantity, until }) {
  if (state === undefined) return quantity === undefined ? '' : String(quantity);
  const figure = quantity ?? until;
  return figure === undefined ? state : `${state} ${figure}`;
}

/** unmask is what a mask says of what it hides: "[2 lines]" hides 2 lines. */
const unmask = (text) => (/^\[(.*)\]$/.exec(text)?.[1] ?? text).replace(/^1 (\w+)s$/, '1 $1');

/** lineCount is how many lines a cart's message has; masks keep the count. */
function lineCount(lines) {
  if (lines === undefined || lines === null) return undefined;
  if (typeof lines === 'string') return unmask(lines);
  return plural(Array.isArray(lines) ? lines.length : Object.keys(lines).length, 'line');
}

function topicParts(name, value) {
  if (value === null || typeof value !== 'object') return [bold(name), ' ', String(value)];
  const isCart = name === 'cart' || name.startsWith('cart:');
  if (value.skus)
    return [bold(name), ' ', Array.isArray(value.skus) ? plural(value.skus.length, 'SKU') : unmask(value.skus)];
  const version = value.from === undefined ? `v${value.version}` : `v${value.from} → v${value.version}`;
  const parts = [bold(name), ` ${version} `];
  if (isCart) parts.push(masked(lineCount(value.lines) ?? 'lines'));
  else parts.push(badge(value));
  if (value.reason) parts.push(` ${value.reason}`);
  return parts;
}

function serverMessage(m) {
  switch (m.type) {
    case 'snapshot':
    case 'delta': {
      const topics = Object.entries(m.topics ?? {}).flatMap(([name, value], i) => [
        i ? ', ' : '',
        ...topicParts(name, value),
      ]);
      const refused = Object.entries(m.refused ?? {}).map(([name, code]) => odd(`${name} ${code}`));
      const again = m.again ? second(` ask again: ${[m.again].flat().length}`) : '';
      const parts = [...topics, ' ', ...refused, again];
      return topics.length + refused.length ? parts : [second('nothing')];
    }
    case 'ok':
      return [
        bold('cart'),
        ` v${m.from} → v${m.version} `,
        masked(lineCount(m.lines) ?? 'lines'),
        m.duplicate ? second(' duplicate') : '',
        m.clamped ? [' ', odd('clamped')] : '',
        m.skipped ? [' ', odd('skipped')] : '',
      ];
    case 'error':
      return [bold(m.code), ' ', second(m.message ?? '')];
    case 'hello':
      return [bold(personName(m.user) || m.role), second(`${m.role === m.user ? '' : ` ${m.role}`}, epoch ${m.epoch}`)];
    case 'bye':
      return [bold(m.code), second(m.retry ? ` come back after ${m.after} ms` : ' for good')];
    default:
      return [];
  }
}

function clientMessage(m) {
  const parts = [];
  if (m.topics) parts.push(Array.isArray(m.topics) ? m.topics.join(' ') : Object.keys(m.topics).join(' '));
  if (m.sku !== undefined) parts.push(masked(unmask(m.sku)), ` ${m.quantity ?? ''}`);
  if (m.lines) parts.push(masked(lineCount(m.lines)));
  if (m.version !== undefined) parts.push(` if version ${m.version}`);
  if (m.policy) parts.push(` ${m.policy}`);
  if (m.token !== undefined) parts.push(' token ', masked('masked'));
  if (m.key !== undefined) parts.push(second(' key '), masked(unmask(String(m.key))));
  if (m.id !== undefined) parts.push(second(` id ${m.id}`));
  return parts;
}

/** closedBy says who ended a connection, by the direction of the close. */
const closedBy = { in: ' by the client', out: ' by the gateway', '': ' without a close frame' };

const arrows = { in: { kind: 'frame-in', text: '→ in' }, out: { kind: 'frame-out', text: '← out' } };

/** directionOf is the mark in the column Dir. */
export const directionOf = ({ type }) => arrows[type] ?? (['admin', 'fault'].includes(type) ? '◆' : '');

/** meaning writes an event as one line. */
export function meaning(event) {
  const { type, text = '', note = '' } = event;
  if (type === 'in' || type === 'out') {
    const message = parsed(text);
    const parts =
      message && (message.type ? serverMessage(message) : message.action ? clientMessage(message) : undefined);
    if (parts) return note && type === 'out' ? [...parts, second(` ${note}`)] : parts;
    return [type === 'in' ? second('typed ') : '', text || note];
  }
  return [...other(event), note && type !== 'admin' && type !== 'fault' ? second(` ${note}`) : ''];
}

function other(event) {
  const {
    type,
    text = '',
    note = '',
    topic,
    version,
    status,
    code,
    took,
    count,
    attempt,
    route,
    user,
    role,
    address,
  } = event;
  const asked = took === undefined ? '' : second(`, ${ms(took)} ms`);
  switch (type) {
    case 'admin':
      return admin(note, text);
    case 'open':
      return [
        status >= 300 ? odd(`refused ${status} ${code ?? ''} `) : '',
        bold(personName(user) || 'connected'),
        role && role !== personName(user) ? ` ${role}` : '',
        second(address ? ` from ${address}` : ''),
      ];
    case 'close':
      return [bold(String(status ?? '')), ` ${code ?? ''}`, second(closedBy[event.dir ?? ''])];
    case 'invoke':
      return [bold(route ?? ''), event.function ? ` → function ${event.function}` : '', asked];
    case 'answer':
      return [
        bold(String(status ?? 'done')),
        code ? [' ', odd(code)] : '',
        event.bytes ? second(` ${bytes(event.bytes)}`) : '',
        asked,
      ];
    case 'row':
      return [bold(topic ?? ''), version ? ` v${version}` : ''];
    case 'record':
      return [bold(topic ?? ''), version ? ` v${version}` : ''];
    case 'batch':
      return [
        plural(count ?? 0, 'record'),
        attempt > 1 ? [' ', odd(`attempt ${attempt}`)] : '',
        code ? [' ', odd(code)] : '',
        asked,
      ];
    case 'post':
      return [
        topic ? bold(topic) : '',
        version ? ` v${version}` : '',
        ' ',
        status >= 300 ? odd(`${status} ${code ?? ''}`) : String(status ?? ''),
        attempt > 1 ? second(` attempt ${attempt}`) : '',
        asked,
      ];
    case 'heal':
    case 'sweep':
      return [topic ? bold(topic) : '', count === undefined ? '' : ` ${plural(count, 'connection')}`, asked];
    case 'fault':
      return [odd(note.replace(/^fault /, '') || code || 'on purpose')];
    case 'output':
      return [code ? odd(code) : '', code ? ' ' : '', text, asked];
    default:
      return [text];
  }
}

function admin(note, text) {
  const line = note || text;
  const rest = line.replace(/^[A-Z]+ /, '').replace(/^\/admin\//, '');
  return [bold(rest), note && text && text !== note ? ` ${text}` : ''];
}
