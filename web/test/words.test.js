import test from 'node:test';
import assert from 'node:assert/strict';
import { badgeWords, clampWords, errorWords, pieces, statusWords } from '../words.js';
import { golden } from '../fake/server.js';

test('badge texts', () => {
  const topics = golden('subscribe-answer.server').topics;
  assert.equal(badgeWords(topics['sku:TEE-RED-M']).text, 'only 3 left');
  assert.equal(badgeWords(topics['sku:MUG']).text, 'sold out');
  assert.equal(badgeWords({ state: 'in' }).text, 'in stock');
  assert.equal(badgeWords({ state: 'in', quantity: 25 }).text, 'in stock (25)');
  assert.equal(badgeWords({ state: 'low' }).text, 'only a few left');
  assert.equal(badgeWords(undefined).text, '…');
  assert.equal(badgeWords({ state: 'soon' }).text, '…', 'a state that a later version adds');
  assert.equal(badgeWords(undefined, 'denied').text, 'not available');
  assert.equal(badgeWords(topics['sku:MUG'], 'denied').text, 'sold out', 'a known value stays');
});

test('texts of clamped lines', () => {
  const answer = golden('add-clamped-answer.server'); // wanted 5, got 3
  const name = () => 'T-shirt';
  assert.deepEqual(clampWords(answer, name, () => 0), ['T-shirt: only 3 available; added 3 of 5.']);
  assert.deepEqual(clampWords(answer, name, () => 1), ['T-shirt: only 3 available; added 2 of 4.']);
  assert.deepEqual(clampWords(answer, name, () => 3), ['T-shirt: only 3 available, and your cart has them already.']);
  assert.deepEqual(clampWords(answer, name), ['T-shirt: only 3 available, so your cart has 3 instead of 5.']);
  assert.deepEqual(clampWords({ clamped: { A: { wanted: 2, got: 0 } } }, name), ['T-shirt: sold out.']);
  assert.deepEqual(clampWords({}, name), []);
});

test('error texts; an unknown code has the server\'s message', () => {
  assert.match(errorWords({ code: 'no_stock' }), /sold out/);
  assert.match(errorWords({ code: 'limit' }), /full/);
  assert.equal(errorWords({ code: 'new', message: 'as the server says' }), 'as the server says');
});

test('the number of pieces in a cart', () => {
  assert.equal(pieces(undefined), undefined);
  assert.equal(pieces({ lines: new Map() }), 0);
  assert.equal(pieces({ lines: new Map([['A', { quantity: 2 }], ['B', { quantity: 3 }]]) }), 5);
});

test('connection texts', () => {
  assert.equal(statusWords('live'), 'live');
  assert.match(statusWords('waiting', false), /offline/);
});
