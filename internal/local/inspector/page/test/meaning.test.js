import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { directionOf, meaning, typeOf } from '../meaning.js';

const plain = (parts) =>
  parts
    .flat(Infinity)
    .map((part) => part?.text ?? part ?? '')
    .join('')
    .replace(/\s+/g, ' ')
    .trim();
const out = (message, more) => ({
  id: 1,
  at: 1,
  type: 'out',
  dir: 'out',
  text: typeof message === 'string' ? message : JSON.stringify(message),
  ...more,
});

const cases = [
  {
    event: out({ type: 'delta', topics: { 'sku:MUG': { version: 3, state: 'low', quantity: 3 } } }),
    type: 'delta',
    want: 'sku:MUG v3 low 3',
  },
  {
    event: out({ type: 'delta', topics: { cart: { from: 2, version: 3, lines: '[1 line]' } } }),
    type: 'delta',
    want: 'cart v2 → v3 1 line',
  },
  {
    event: out({ type: 'snapshot', topics: {}, refused: { 'sku:NOPE': 'denied' } }),
    type: 'snapshot',
    want: '▲ sku:NOPE denied',
  },
  {
    event: out({ type: 'ok', from: 2, version: 3, lines: '[1 line]', clamped: '[1 line]' }),
    type: 'ok',
    want: 'cart v2 → v3 1 line ▲ clamped',
  },
  { event: out({ type: 'error', code: 'conflict', message: 'changed' }), type: 'error', want: 'conflict changed' },
  {
    event: { type: 'in', dir: 'in', text: '{"action":"add","id":4,"sku":"[9 bytes]","quantity":1,"key":"[10 bytes]"}' },
    type: 'add',
    want: '9 bytes 1 key 10 bytes id 4',
  },
  { event: { type: 'in', dir: 'in', route: '$default', text: 'dance' }, type: 'dance', want: 'typed dance' },
  {
    event: { type: 'admin', note: 'PUT /admin/stock/MUG', text: '{"available":4}' },
    type: 'PUT',
    want: 'stock/MUG {"available":4}',
  },
  { event: { type: 'close', status: 1000, dir: 'in' }, type: 'close', want: '1000 by the client' },
  {
    event: { type: 'open', status: 403, code: 'denied', address: '127.0.0.1' },
    type: 'open',
    want: '▲ refused 403 denied connected from 127.0.0.1',
  },
  {
    event: { type: 'post', topic: 'sku:MUG', version: 3, status: 429, code: 'throttled' },
    type: 'post',
    want: 'sku:MUG v3 ▲ 429 throttled',
  },
  { event: { type: 'invoke', route: 'add', function: 'message' }, type: 'invoke', want: 'add → function message' },
  { event: out('{"type":"delta","topics":{"sku:MU'), type: 'delta', want: '{"type":"delta","topics":{"sku:MU' },
];
for (const { event, type, want } of cases) {
  test(`${type}: ${want}`, () => {
    assert.equal(typeOf(event), type);
    assert.equal(plain(meaning(event)), want);
  });
}

test('every message of the protocol has a meaning', () => {
  const folder = new URL('../../../../../testdata/protocol/', import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  assert.ok(files.length > 40);
  for (const name of files) {
    const text = readFileSync(new URL(name, folder), 'utf8').trim();
    const type = name.endsWith('.client.json') ? 'in' : 'out';
    const event = { id: 1, at: 1, type, dir: type, text };
    const message = JSON.parse(text);
    assert.equal(typeOf(event), message.type ?? message.action, name);
    assert.doesNotMatch(plain(meaning(event)), /undefined|null|\[object/, name);
  }
});

test('what comes, what goes, and what somebody did have their marks', () => {
  assert.deepEqual(
    ['in', 'out', 'admin', 'row'].map((type) => directionOf({ type }).text ?? directionOf({ type })),
    ['→ in', '← out', '◆', ''],
  );
});
