import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forecast } from '../forecast.js';

const stock = { CAP: { state: 'low', quantity: 2 }, GONE: { state: 'out' } };
const view = (sku) => ({ value: { version: 1, ...(stock[sku] ?? { state: 'in' }) }, live: true });
const here = new Map([
  ['BOWL', 2],
  ['CAP', 2],
  ['SCARF', 1],
  ['GONE', 1],
]);
const yours = new Map([
  ['BOWL', 1],
  ['CAP', 1],
  ['MAP', 5],
]);
const rows = (policy, of = view) =>
  Object.fromEntries(forecast(here, yours, policy, of).map(({ sku, together, note }) => [sku, [together, note]]));

test('add them together', () => {
  assert.deepEqual(rows('sum'), {
    BOWL: [3, 'Both carts'],
    CAP: [2, 'Only 2 left, so 2 instead of 3'],
    SCARF: [1, 'Only in this browser'],
    GONE: [0, 'Sold out, so nothing is added'],
    MAP: [5, 'Only in yours'],
  });
});

test('the larger, the own, or the number of the browser', () => {
  assert.equal(rows('max').BOWL[0], 2);
  assert.equal(rows('mine').BOWL[0], 1);
  assert.equal(rows('mine').SCARF[0], 1);
  assert.equal(rows('theirs').BOWL[0], 2);
  assert.equal(rows('theirs').MAP[0], 5);
});

test('stock that is not proved now limits nothing', () => {
  assert.deepEqual(rows('sum', (sku) => ({ ...view(sku), live: false })).CAP, [3, 'Both carts']);
});

test('999 of one product is the most', () => {
  const [row] = forecast(new Map([['A', 600]]), new Map([['A', 600]]), 'sum', () => ({ live: false }));
  assert.deepEqual([row.together, row.note, row.limited], [999, '999 of one product is the most', true]);
});
