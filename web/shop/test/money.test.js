import assert from 'node:assert/strict';
import { test } from 'node:test';
import { date, money, moneyOf, parsePrice, sum, time } from '../money.js';

test('prices become whole numbers of the smallest unit', () => {
  assert.equal(parsePrice('19.00', 'EUR'), 1900);
  assert.equal(parsePrice('0.29', 'EUR'), 29);
  assert.equal(parsePrice('1.1', 'EUR'), 110);
  assert.equal(parsePrice('500', 'JPY'), 500);
  for (const none of ['', ' ', 'free', undefined, null]) assert.equal(parsePrice(none, 'EUR'), null);
});

test('amounts are written with their currency', () => {
  assert.equal(money(1900, 'EUR'), '€19.00');
  assert.equal(money(123456, 'EUR'), '€1,234.56');
  assert.match(money(500, 'JPY'), /^JP¥500$/);
});

test('sums are exact, and one for each currency', () => {
  const ten = Array.from({ length: 10 }, () => ({ amount: 10, currency: 'EUR' }));
  assert.equal(moneyOf(sum(ten), 'EUR'), '€1.00');
  assert.equal(
    moneyOf(
      sum([
        { amount: 100, currency: 'EUR' },
        { amount: 5, currency: 'JPY' },
      ]),
      'EUR',
    ),
    '€1.00 + JP¥5',
  );
  assert.equal(moneyOf(sum([]), 'EUR'), '€0.00');
});

test('dates and times', () => {
  assert.equal(date('2026-12-12'), '12 Dec');
  assert.equal(date('2026-12-12', { long: true }), '12 December');
  for (const none of ['2026-13-40', 'soon', undefined]) assert.equal(date(none), '');
  assert.match(time(Date.UTC(2026, 0, 1, 10, 42)), /^\d\d:\d\d$/);
});
