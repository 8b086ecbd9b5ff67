import assert from 'node:assert/strict';
import { test } from 'node:test';
import { destination, read, write } from '../address.js';
import { figuresOf, statesOf, valuesOf } from '../alarms.js';
import { base64url } from '../api.js';
import { niceTop } from '../charts.js';
import { bytes, count, duration, ms, percentile, person, rate, time } from '../format.js';
import { format } from '../json.js';
import { History, parseMetrics } from '../metrics.js';
import { faultWords, ratesOf, situationCells } from '../shell.js';
import { forecast, milliseconds } from '../screens/warp.js';
import { anHour, dollars } from '../screens/cost.js';
import { linesOf } from '../screens/manyrows.js';
import { badgeOf } from '../screens/stock.js';
import { staleness } from '../screens/overview.js';

test('numbers and times', () => {
  assert.equal(count(41208).replace('\u202f', ' '), '41 208');
  assert.deepEqual([0, 0.34, 27.12, 188].map(rate), ['0', '0.3', '27.1', '188']);
  assert.deepEqual([126, 2400, 33_000, 2e6].map(bytes), ['126 bytes', '2.4 kB', '33 kB', '2.0 MB']);
  assert.deepEqual([410, 2100, 312_400].map(ms), ['0.41', '2.1', '312']);
  assert.deepEqual([350, 5000, 305_000, 720_000, 7_500_000].map(duration), [
    '350 ms',
    '5 s',
    '5 min 5 s',
    '12 min',
    '2 h 5 min',
  ]);
  assert.match(time(1_800_000_000_008_000), /^\d\d:\d\d:\d\d\.008$/);
  assert.equal(person('guest:5c29aa', 'oiKqwMu3P_0CkPE='), 'guest …kPE=');
  assert.deepEqual([percentile([1, 2, 3, 4], 50), percentile([1, 2, 3, 4], 99), percentile([], 50)], [2, 4, undefined]);
});

test('the address has the screen, the selection and the filter, and no token', () => {
  const params = { screen: 'frames', id: '40923', filter: '-user:load topic:sku:MUG' };
  assert.deepEqual(read(write(params)), params);
  assert.equal(write({ ...params, token: 'secret' }).includes('secret'), false);
  assert.deepEqual(read('?token=x'), { screen: 'overview' });
});

test('a search goes to what it names', () => {
  const known = {
    hasEvent: (id) => id === 7,
    topics: ['sku:MUG', 'cart:alice'],
    connections: [
      { id: 'abcdkPE=', user: 'alice' },
      { id: 'efghvfo=', user: 'bob' },
    ],
  };
  assert.deepEqual(destination('7', known), { screen: 'frames', id: '7' });
  assert.deepEqual(destination('8', known), { screen: 'frames', filter: '8' });
  assert.deepEqual(destination('…kPE=', known), { screen: 'connections', id: 'abcdkPE=' });
  assert.deepEqual(destination('bob', known), { screen: 'connections', id: 'efghvfo=' });
  assert.deepEqual(destination('mug', known), { screen: 'topics', id: 'sku:MUG' });
  assert.deepEqual(destination('conflict', known), { screen: 'frames', filter: 'conflict' });
});

test('the token of a socket is base64url', () =>
  assert.equal(base64url('ÿ?>ab'), Buffer.from('ÿ?>ab').toString('base64url')));

test('JSON keeps short values on one line', () => {
  assert.equal(
    format({ type: 'delta', topics: { 'sku:MUG': { version: 3 } } }),
    '{\n  "type": "delta",\n  "topics": {"sku:MUG": {"version": 3}}\n}',
  );
  assert.deepEqual(JSON.parse(format({ a: [], b: {}, c: null, d: ['x'.repeat(80)] })), {
    a: [],
    b: {},
    c: null,
    d: ['x'.repeat(80)],
  });
});

const metrics = (posted, stale) =>
  parseMetrics(`# HELP x
hub_deliveries_total{result="posted"} ${posted}
hub_deliveries_total{result="stale"} ${stale}
gateway_messages_total 5
gateway_refused_total{status="403"} 1e+00
`);

test('metrics are read, and rates follow from them', () => {
  assert.equal(metrics(10, 2).sum('hub_deliveries_total'), 12);
  assert.equal(metrics(10, 2).sum('gateway_refused_total', { status: '403' }), 1);
  const history = new History();
  history.add(0, { posts: 0 });
  history.add(3000, { posts: 268 });
  assert.equal(history.add(3100, { posts: 300 }), false);
  assert.equal(history.rate('posts').toFixed(1), '89.3');
  assert.equal(figuresOf(metrics(0, 0)).in, 5);
});

test('alarms of localhub have words, and the fault that explains them', () => {
  const alarm = { name: 'ThrottledAlarm', threshold: 5, period: 300, periods: 1, metrics: ['Throttled of broadcast'] };
  const [off, calm, none] = statesOf([
    { ...alarm, state: 'ALARM', value: 5.64, metrics: ['A', 'B'], expression: '100 * m1 / m2' },
    { ...alarm, state: 'OK', value: 0, expression: '', period: 60, periods: 3 },
    { ...alarm, state: 'OK', value: null, expression: '' },
  ]);
  assert.deepEqual(
    [off.title, off.text, off.goesOff, off.state, off.metric, off.rule, off.fault],
    ['Throttled', '5.6', 'over 5 in 5 min', 'bad', 'm1 A, m2 B', '100 * m1 / m2', 'throttle'],
  );
  assert.deepEqual([calm.state, calm.goesOff, calm.metric], ['good', 'over 5 for 3 min', 'Throttled of broadcast']);
  assert.deepEqual([none.state, none.text, none.rule], ['none', 'no data', 'm1']);
  assert.deepEqual(statesOf(undefined), []);
  assert.deepEqual(valuesOf([{ ...alarm, value: null }]), { ThrottledAlarm: 0 });
});

test('staleness is of changes that reached somebody', () => {
  const change = (last, retried = []) => ({ at: 1000, last, retried: new Set(retried) });
  const { points, p50, p99 } = staleness([change(2000), change(0), change(3000), change(601_000, ['c'])]);
  assert.deepEqual(
    points.map(({ odd }) => odd),
    [false, false, true],
  );
  assert.deepEqual([p50, p99], [2, 600]);
});

test('the situation line says what is not as usual, with a mark and words', () => {
  const calm = {
    feed: { name: 'live' },
    paused: false,
    situation: { faults: {}, clockAheadMs: 0, recording: null },
    sampled: null,
  };
  assert.deepEqual(
    situationCells(calm).map(({ text }) => text),
    ['● live', 'none', 'real', 'off', 'every frame', 'masked'],
  );
  const cells = situationCells({
    feed: { name: 'live' },
    paused: true,
    sampled: { kept: 1, of: 8 },
    situation: { faults: { throttle: 3 }, clockAheadMs: 300_000, recording: { file: 'a.ndjson' }, private: true },
  });
  assert.deepEqual(
    cells.map(({ text }) => text),
    ['❚❚ paused', '▲ throttle 1 in 3', '▲ 5 min ahead', '● a.ndjson', '▲ 1 of 8 deltas', '▲ shown'],
  );
  assert.ok(cells.every(({ state }) => state));
  assert.equal(faultWords(ratesOf({ throttle: { every: 3, hits: 9 }, slowBy: '200ms', drop: 0 })), 'throttle 1 in 3');
});

test('a jump of the clock is read, and says what it would do', () => {
  assert.deepEqual(['90s', '10m', '2h30m', '1d', '', '10', '-5m', '5 min'].map(milliseconds), [
    90_000,
    600_000,
    9_000_000,
    86_400_000,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  const connections = [
    { lastActiveAt: new Date(0), connectedAt: new Date(0) },
    { lastActiveAt: new Date(300_000), connectedAt: new Date(300_000) },
  ].map(({ lastActiveAt, connectedAt }) => ({
    lastActiveAt: lastActiveAt.toISOString(),
    connectedAt: connectedAt.toISOString(),
  }));
  const [idle, old] = forecast(300_000, { connections, now: 301_000, idleMs: 600_000, maxAgeMs: 7_200_000 });
  assert.deepEqual([idle.count, old.count], [1, 0]);
});

test('lines of many rows are checked before they are sent', () => {
  assert.deepEqual(
    linesOf('{"sku":"MUG","available":1}\n\n{"sku":3}\nx').map(({ error }) => error),
    ['', 'a line needs "sku"', 'this is not one JSON object'],
  );
});

test('money has the digits that a small session needs', () => {
  assert.deepEqual([0, 0.001693, 0.0825, 5.982].map(dollars), ['$0.000000', '$0.001693', '$0.0825', '$5.98']);
  const since = new Date(0).toISOString();
  assert.equal(anHour({ dollars: 0.01, since }, 360_000), 0.1);
  assert.equal(anHour({ dollars: 0.01, since }, 59_000), undefined, 'a few seconds say nothing about an hour');
});

test('badges are what the protocol says', () => {
  const of = (item) => badgeOf({ available: 0, lowAt: 5, ...item }).text;
  assert.deepEqual(
    [{ available: 6 }, { available: 5 }, {}, { backorder: true, backAt: '2026-12-24' }, { tracked: false }].map(of),
    ['in', 'low 5', 'out', 'back 2026-12-24', 'in'],
  );
});

test('the top of a chart is a round number', () =>
  assert.deepEqual([0, 7, 11, 430, 600].map(niceTop), [1, 8, 20, 500, 600]));
