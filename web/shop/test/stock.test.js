import assert from 'node:assert/strict';
import { test } from 'node:test';
import { time } from '../money.js';
import { badgeOf, isSoldOut, orderable } from '../stock.js';

const at = Date.UTC(2026, 10, 28, 10, 42);
const view = (value, more = {}) => ({
  value,
  live: value !== undefined,
  at,
  refusal: undefined,
  reachable: true,
  ...more,
});
const live = (state, fields) => view({ version: 1, state, ...fields });
const stale = (state, fields) => view({ version: 1, state, ...fields }, { live: false });
const says = (...views) => badgeOf(views);

test('one SKU, proved now', () => {
  assert.deepEqual(says(live('in')), { kind: 'in', text: 'In stock' });
  assert.deepEqual(says(live('low', { quantity: 3 })), { kind: 'low', text: 'Only 3 left' });
  assert.deepEqual(says(live('low')), { kind: 'low', text: 'Only a few left' });
  assert.deepEqual(says(live('out')), { kind: 'out', text: 'Sold out' });
  assert.deepEqual(says(live('back', { until: '2026-12-12' })), { kind: 'back', text: 'Back order, 12 Dec' });
  assert.deepEqual(says(live('back')), { kind: 'back', text: 'Back order' });
  assert.equal(says(live('of a newer shop')).kind, 'asking');
});

test('what is not proved any more has a time, and a back order no date', () => {
  assert.deepEqual(says(stale('low', { quantity: 3 })), { kind: 'stale', text: `Only 3 left at ${time(at)}` });
  assert.deepEqual(says(stale('out')), { kind: 'stale', text: `Sold out at ${time(at)}` });
  assert.equal(says(stale('back', { until: '2026-12-12' })).text, `Back order at ${time(at)}`);
  assert.equal(says(view({ version: 1, state: 'in' }, { live: false, at: null })).text, 'In stock');
});

test('nothing known is no word about stock', () => {
  assert.deepEqual(says(view(undefined)), { kind: 'asking', text: 'Checking stock…' });
  assert.deepEqual(says(view(undefined, { reachable: false })), { kind: 'unknown', text: 'Stock not known' });
});

test('only a refusal of the item itself says something; limits and errors do not', () => {
  for (const refusal of ['denied', 'bad_topic']) {
    assert.deepEqual(says(view(undefined, { refusal })), { kind: 'denied', text: 'No stock shown' });
  }
  for (const refusal of ['too_many_topics', 'slow_down', 'internal']) {
    assert.equal(says(view(undefined, { refusal })).kind, 'asking', refusal);
    assert.equal(says({ ...live('in'), refusal }).text, 'In stock', refusal);
  }
});

test('several versions together', () => {
  const text = (...views) => says(...views).text;
  assert.equal(text(live('in'), live('low', { quantity: 2 })), 'In stock');
  assert.equal(text(live('low'), live('low', { quantity: 2 })), 'Few left');
  assert.deepEqual(says(live('in'), live('out')), { kind: 'low', text: 'Some sold out' });
  assert.deepEqual(says(live('out'), live('out')), { kind: 'out', text: 'Sold out' });
  assert.equal(text(live('back'), live('back', { until: '2026-12-12' })), 'Back order');
  assert.equal(text(live('in'), view(undefined)), 'Checking stock…');
  assert.equal(text(live('in'), view(undefined, { reachable: false })), 'Stock not known');
  assert.equal(text(live('in'), view(undefined, { refusal: 'denied' })), 'In stock');
});

test('versions together are as old as the oldest proof', () => {
  const older = { ...stale('out'), at: at - 600_000 };
  assert.deepEqual(says(stale('in'), older), { kind: 'stale', text: `Some out at ${time(at - 600_000)}` });
  assert.deepEqual(says(live('in'), stale('in')), { kind: 'stale', text: `In stock at ${time(at)}` });
});

test('sold out is only what is proved now', () => {
  assert.equal(isSoldOut([live('out')]), true);
  assert.equal(isSoldOut([stale('out')]), false);
  assert.equal(isSoldOut([view(undefined)]), false);
  assert.equal(isSoldOut([live('out'), live('in')]), false);
  assert.equal(isSoldOut([]), false);
});

test('only proved stock limits what can be ordered', () => {
  assert.equal(orderable(live('low', { quantity: 2 })), 2);
  assert.equal(orderable(live('out')), 0);
  assert.equal(orderable(live('in')), Infinity);
  assert.equal(orderable(live('low')), Infinity);
  assert.equal(orderable(live('back')), Infinity);
  assert.equal(orderable(stale('out')), Infinity);
  assert.equal(orderable(view(undefined)), Infinity);
});
