// JSON with colours, as text nodes.

import { h } from './dom.js';

const tokens = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*|true|false|null)|([{}[\],])/g;

/** widest line that stays on one line, in characters. */
const widest = 48;

/** format writes a value with two spaces a level; what is short stays on one line. */
export function format(value, indent = '') {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const inner = `${indent}  `;
  const entries = Array.isArray(value)
    ? value.map((each) => format(each, inner))
    : Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${format(each, inner)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  if (entries.length === 0) return open + close;
  const short = `${open}${entries.join(', ')}${close}`;
  if (indent !== '' && short.length + indent.length <= widest && !short.includes('\n')) return short;
  return `${open}\n${inner}${entries.join(`,\n${inner}`)}\n${indent}${close}`;
}

/** coloured returns the text of JSON as nodes with the class of what each part is. */
export function coloured(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(tokens)) {
    const [all, string, colon, literal] = match;
    if (match.index > end) nodes.push(text.slice(end, match.index));
    end = match.index + all.length;
    if (string && colon) nodes.push(h('span', { class: 'json-name' }, string), colon);
    else if (string) nodes.push(h('span', { class: 'json-text' }, string));
    else if (literal) nodes.push(h('span', { class: 'json-number' }, literal));
    else nodes.push(all);
  }
  nodes.push(text.slice(end));
  return nodes;
}
