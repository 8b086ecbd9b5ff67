// The language of the filter: user:alice -user:load type:delta bytes>1000 text. Pure.

import { typeOf } from './meaning.js';

/** Fields that a word may name, and how an event is asked for them. */
const fields = {
  user: (e, people) => e.user || people?.get(e.conn)?.user || '',
  role: (e, people) => e.role || people?.get(e.conn)?.role || '',
  conn: (e) => e.conn ?? '',
  topic: (e) => e.topic ?? '',
  type: (e) => e.type,
  dir: (e) => e.dir ?? (e.type === 'in' || e.type === 'out' ? e.type : ''),
  code: (e) => e.code || /"code":"(\w+)"/.exec(e.text ?? '')?.[1] || '',
  route: (e) => e.route ?? '',
  function: (e) => e.function ?? '',
  status: (e) => e.status ?? '',
  version: (e) => e.version ?? '',
  attempt: (e) => e.attempt ?? '',
  count: (e) => e.count ?? '',
  bytes: (e) => e.bytes ?? '',
  ms: (e) => (e.took === undefined ? '' : e.took / 1000),
  id: (e) => e.id,
};

export const fieldNames = Object.keys(fields);

const numeric = new Set(['status', 'version', 'attempt', 'count', 'bytes', 'ms', 'id']);

/** Event types, which a filter may name beside the types of messages. */
export const eventTypes = [
  'open',
  'in',
  'invoke',
  'answer',
  'row',
  'record',
  'batch',
  'post',
  'out',
  'close',
  'admin',
  'heal',
  'sweep',
  'fault',
  'input',
  'output',
  'log',
];

const word = /^(-?)([a-zA-Z]+)(:|>|<)(.*)$/;

/**
 * parse reads a filter. errors has {word, nearest} of each word that names no field; such
 * words are left out.
 */
export function parse(text) {
  const terms = [];
  const errors = [];
  for (const each of text.trim().split(/\s+/).filter(Boolean)) {
    const [, minus, name, operator, value] = word.exec(each) ?? [];
    if (name === undefined || isTopic(each)) {
      const not = each.length > 1 && each[0] === '-';
      terms.push({ field: 'text', not, operator: ':', value: (not ? each.slice(1) : each).toLowerCase() });
    } else if (!fields[name]) errors.push({ word: each, nearest: each.replace(name, nearest(name, fieldNames)) });
    else if (operator !== ':' && (!numeric.has(name) || value === '' || Number.isNaN(Number(value)))) {
      errors.push({ word: each, nearest: numeric.has(name) ? `${name}${operator}1000` : `${name}:${value}` });
    } else if (value !== '')
      terms.push({ field: name, not: minus === '-', operator, value: value.toLowerCase(), word: each });
  }
  return { terms, errors };
}

/** isTopic reports whether a word is the name of a topic, which is text to look for. */
const isTopic = (text) => /^-?(sku|cart|vendor):/.test(text);

/** matcher returns a function that tells whether an event matches all terms. */
export function matcher({ terms }, people) {
  return (event) => terms.every((term) => holds(term, event, people) !== term.not);
}

function holds({ field, operator, value }, event, people) {
  if (field === 'text') return searched(event, people).includes(value);
  if (field === 'type') return same(event.type, value) || same(typeOf(event), value);
  const found = fields[field](event, people);
  if (operator === '>') return found !== '' && found > Number(value);
  if (operator === '<') return found !== '' && found < Number(value);
  if (numeric.has(field)) return String(found) === value;
  if (field === 'conn') return found.toLowerCase().includes(value.replace('…', ''));
  if (field === 'user') return same(found, value) || found.toLowerCase().startsWith(value);
  return same(found, value);
}

/** same compares in lower case; a star at the end stands for the rest. */
function same(found, value) {
  const text = String(found).toLowerCase();
  return value.endsWith('*') ? text.startsWith(value.slice(0, -1)) : text === value;
}

const searched = (e, people) =>
  `${e.text ?? ''} ${e.note ?? ''} ${e.topic ?? ''} ${e.conn ?? ''} ${e.code ?? ''} ${e.route ?? ''} ${fields.user(e, people)}`.toLowerCase();

/** namesKind reports whether a filter asks for a type of event, which then is shown. */
export const namesKind = ({ terms }, type) => terms.some((t) => t.field === 'type' && !t.not && same(type, t.value));

/** distance of Levenshtein, with a swap of neighbours as one step. */
function distance(a, b) {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    }
  }
  return rows[a.length][b.length];
}

/** nearest is the name that differs least from a word. */
export function nearest(text, names) {
  const low = text.toLowerCase();
  return [...names].sort((a, b) => distance(low, a.toLowerCase()) - distance(low, b.toLowerCase()))[0];
}

/**
 * suggestion is the filter with its first word that no event matches replaced by the
 * nearest value that there is; undefined if there is nothing to replace.
 */
export function suggestion(filter, events, people) {
  const all = [...events];
  for (const term of filter.terms) {
    if (term.not || numeric.has(term.field) || term.field === 'text') continue;
    if (all.some((event) => holds(term, event, people))) continue;
    const values = new Set();
    for (const event of all) {
      values.add(String(fields[term.field](event, people)));
      if (term.field === 'type') values.add(typeOf(event));
    }
    values.delete('');
    const found = nearest(term.value, values);
    if (found) return { word: term.word, field: term.field, value: found };
  }
  return undefined;
}
