import test from 'node:test';
import assert from 'node:assert/strict';
import { badgeText, clampTexts, errorText, countPieces, skipTexts, statusText } from '../words.js';
import { golden } from '../fake/server.js';

test('badge texts', () => {
  const topics = golden('subscribe-answer.server').topics;
  assert.equal(badgeText(topics['sku:TEE-RED-M']).text, 'only 3 left');
  assert.equal(badgeText(topics['sku:MUG']).text, 'sold out');
  assert.equal(badgeText({ state: 'in' }).text, 'in stock');
  assert.equal(badgeText({ state: 'in', quantity: 25 }).text, 'in stock (25)');
  assert.equal(badgeText({ state: 'low' }).text, 'only a few left');
  const back = golden('delta-back-order.server').topics;
  assert.deepEqual(badgeText(back['sku:CAP-NAVY']), { state: 'back', text: 'back order, until 24 December' });
  assert.deepEqual(badgeText(back['sku:MUG']), { state: 'back', text: 'back order' });
  for (const until of ['2026-13-01', 'soon', '', 7, null]) {
    assert.equal(badgeText({ state: 'back', until }).text, 'back order', `until ${until}`);
  }
  assert.equal(badgeText({ state: 'out', until: '2026-12-24' }).text, 'sold out');
  assert.equal(badgeText(undefined).text, '…');
  assert.equal(badgeText({ state: 'soon' }).text, '…', 'a state that a later version adds');
  assert.equal(badgeText(undefined, 'denied').text, 'not available');
  assert.equal(badgeText(topics['sku:MUG'], 'denied').text, 'sold out', 'a known value stays');
});

test('texts of clamped lines', () => {
  const answer = golden('add-clamped-answer.server'); // wanted 5, got 3
  const name = () => 'T-shirt';
  assert.deepEqual(clampTexts(answer, name, () => 0), ['T-shirt: only 3 available; added 3 of 5.']);
  assert.deepEqual(clampTexts(answer, name, () => 1), ['T-shirt: only 3 available; added 2 of 4.']);
  assert.deepEqual(clampTexts(answer, name, () => 3), ['T-shirt: only 3 available, and your cart has them already.']);
  assert.deepEqual(clampTexts(answer, name), ['T-shirt: only 3 available, so your cart has 3 instead of 5.']);
  assert.deepEqual(clampTexts({ clamped: { A: { wanted: 2, got: 0 } } }, name), ['T-shirt: sold out.']);
  assert.deepEqual(clampTexts({}, name), []);
});

test('texts of skipped lines', () => {
  const texts = skipTexts(golden('merge-skipped-answer.server'), (sku) => sku.toLowerCase());
  assert.deepEqual(texts, [
    'cap-old: not added, it is not sold any more.',
    'mug: not added, you had removed it from your cart.',
    'socks-3: not added, it is sold out.',
    'tee-red-m: not added, your cart is full.',
  ]);
  assert.deepEqual(skipTexts({ skipped: { MUG: 'tired' } }, () => 'Mug'), ['Mug: not added, it could not be taken over.']);
  assert.deepEqual(skipTexts({}, String), []);
});

test('error texts; an unknown code has the server\'s message', () => {
  assert.match(errorText({ code: 'no_stock' }), /sold out/);
  assert.match(errorText({ code: 'limit' }), /full/);
  assert.equal(errorText({ code: 'new', message: 'as the server says' }), 'as the server says');
});

test('the number of pieces in a cart', () => {
  assert.equal(countPieces(undefined), undefined);
  assert.equal(countPieces({ lines: new Map() }), 0);
  assert.equal(countPieces({ lines: new Map([['A', { quantity: 2 }], ['B', { quantity: 3 }]]) }), 5);
});

test('connection texts', () => {
  assert.equal(statusText('live'), 'live');
  assert.match(statusText('waiting', false), /offline/);
});
