import test from 'node:test';
import assert from 'node:assert/strict';
import { badgeWords, clampWords, errorWords, pieces, statusWords } from '../words.js';
import { golden } from '../fake/wire.js';

test('badges in words', () => {
  const topics = golden('subscribe-answer.server').topics;
  assert.equal(badgeWords(topics['sku:TEE-RED-M']).text, 'only 3 left');
  assert.equal(badgeWords(topics['sku:MUG']).text, 'sold out');
  assert.equal(badgeWords({ state: 'in' }).text, 'in stock');
  assert.equal(badgeWords({ state: 'in', quantity: 25 }).text, 'in stock (25)');
  assert.equal(badgeWords({ state: 'low' }).text, 'only a few left');
  assert.equal(badgeWords(undefined).text, '…');
  assert.equal(badgeWords({ state: 'soon' }).text, '…', 'a state of a later version');
  assert.equal(badgeWords(undefined, 'denied').text, 'not available');
  assert.equal(badgeWords(topics['sku:MUG'], 'denied').text, 'sold out', 'what is known stays');
});

test('a wish that was not granted in full', () => {
  const answer = golden('add-clamped-answer.server'); // wanted 5, got 3
  const name = () => 'T-shirt';
  assert.deepEqual(clampWords(answer, name, () => 0), ['T-shirt: there are only 3: added 3 of 5.']);
  assert.deepEqual(clampWords(answer, name, () => 1), ['T-shirt: there are only 3: added 2 of 4.']);
  assert.deepEqual(clampWords(answer, name, () => 3), ['T-shirt: there are only 3, and they are in your cart already.']);
  assert.deepEqual(clampWords(answer, name), ['T-shirt: there are only 3, so 3 of 5 are in your cart.']);
  assert.deepEqual(clampWords({ clamped: { A: { wanted: 2, got: 0 } } }, name), ['T-shirt: sold out.']);
  assert.deepEqual(clampWords({}, name), []);
});

test('errors in words; one of a later version in the server\'s', () => {
  assert.match(errorWords({ code: 'no_stock' }), /sold out/);
  assert.match(errorWords({ code: 'limit' }), /full/);
  assert.equal(errorWords({ code: 'new', message: 'as the server says' }), 'as the server says');
});

test('pieces of a cart', () => {
  assert.equal(pieces(undefined), undefined);
  assert.equal(pieces({ lines: new Map() }), 0);
  assert.equal(pieces({ lines: new Map([['A', { quantity: 2 }], ['B', { quantity: 3 }]]) }), 5);
});

test('the connection in words', () => {
  assert.equal(statusWords('live'), 'live');
  assert.match(statusWords('waiting', false), /offline/);
});
