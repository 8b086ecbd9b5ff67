import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matcher, namesKind, nearest, parse, suggestion } from '../filter.js';
import { Log } from './log.js';

const log = new Log();
const people = new Map([
  ['c1', { user: 'alice', role: 'customer' }],
  ['c2', { user: 'load-7', role: 'customer' }],
]);
const events = [
  log.delta('sku:MUG', 3, 'c1'),
  log.delta('sku:MUG', 3, 'c2'),
  log.event('out', { dir: 'out', conn: 'c1', text: '{"type":"error","code":"conflict","message":"x"}', bytes: 2000 }),
  log.event('in', { dir: 'in', conn: 'c1', route: 'add', text: '{"action":"add","sku":"[3 bytes]"}', bytes: 40 }),
  log.event('admin', { note: 'PUT /admin/stock/MUG' }),
];
const found = (text) => events.filter(matcher(parse(text), people)).map(({ id }) => id);

const cases = [
  { text: '', want: [1, 2, 3, 4, 5] },
  { text: 'user:alice', want: [1, 3, 4] },
  { text: '-user:load', want: [1, 3, 4, 5] },
  { text: 'type:delta', want: [1, 2] },
  { text: 'type:out', want: [1, 2, 3] },
  { text: 'type:add', want: [4] },
  { text: 'code:conflict', want: [3] },
  { text: 'topic:sku:MUG dir:out', want: [1, 2] },
  { text: 'topic:sku:*', want: [1, 2] },
  { text: 'bytes>1000', want: [3] },
  { text: 'bytes<50', want: [4] },
  { text: 'id:4', want: [4] },
  { text: 'sku:MUG', want: [1, 2] },
  { text: '-sku:MUG', want: [3, 4, 5] },
  { text: 'conflict', want: [3] },
  { text: 'role:customer -dir:out', want: [4] },
  { text: 'dir:', want: [1, 2, 3, 4, 5] },
  { text: 'stock/MUG', want: [5] },
];
for (const { text, want } of cases) {
  test(`the filter “${text}” finds what it says`, () => assert.deepEqual(found(text), want));
}

test('a wrong word names the nearest', () => {
  assert.deepEqual(parse('usr:alice').errors, [{ word: 'usr:alice', nearest: 'user:alice' }]);
  assert.deepEqual(parse('topci:sku:MUG').errors, [{ word: 'topci:sku:MUG', nearest: 'topic:sku:MUG' }]);
  assert.deepEqual(parse('bytes>many').errors, [{ word: 'bytes>many', nearest: 'bytes>1000' }]);
  assert.deepEqual(parse('user>3').errors, [{ word: 'user>3', nearest: 'user:3' }]);
  assert.equal(parse('usr:alice type:delta').terms.length, 1);
});

test('a value that nothing has names the nearest there is', () => {
  assert.equal(suggestion(parse('topic:sku:MGU'), events, people).value, 'sku:MUG');
  assert.equal(suggestion(parse('type:detla'), events, people).value, 'delta');
  assert.equal(suggestion(parse('user:alcie'), events, people).value, 'alice');
  assert.equal(suggestion(parse('topic:sku:MUG'), events, people), undefined);
});

test('neighbours that are swapped count as one step', () => assert.equal(nearest('tpye', ['type', 'topic']), 'type'));

test('a filter that names a type shows it, whatever is switched off', () => {
  assert.equal(namesKind(parse('type:row'), 'row'), true);
  assert.equal(namesKind(parse('-type:row'), 'row'), false);
});
