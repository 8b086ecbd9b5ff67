import test from 'node:test';
import assert from 'node:assert/strict';
import { formatOf, lineNote, lookOf, piecesOf, words } from '../src/words.js';
import { golden } from '../fake/server.js';

const format = formatOf('en-GB');
const news = (value, fields) => ({ value, live: true, provenAt: 1, refusal: undefined, ...fields });
const look = (value, fields, status = 'live') => lookOf(news(value, fields), status, words, format);

test('what a badge says while its value is proved', () => {
  const { topics } = golden('subscribe-answer.server');
  const back = golden('delta-back-order.server').topics;
  for (const [value, state, text] of [
    [topics['sku:TEE-RED-M'], 'low', 'Only 3 left'],
    [topics['sku:MUG'], 'out', 'Sold out'],
    [{ state: 'in' }, 'in', 'In stock'],
    [{ state: 'in', quantity: 1250 }, 'in', 'In stock (1,250)'],
    [{ state: 'low' }, 'low', 'Only a few left'],
    [back['sku:CAP-NAVY'], 'back', 'Back order, 24 Dec'],
    [back['sku:MUG'], 'back', 'Back order'],
    [{ state: 'out', until: '2026-12-24' }, 'out', 'Sold out'],
    [{ state: 'soon' }, 'unknown', 'Stock not known'],
  ]) {
    assert.deepEqual(look(value), { state, text, stale: false, time: '' });
  }
  for (const until of ['2026-13-01', 'soon', '', 7, null]) {
    assert.equal(look({ state: 'back', until }).text, 'Back order', `until ${until}`);
  }
});

test('no false word about stock: what is not known is not said', () => {
  const value = { version: 1, state: 'in' };
  // Limits, errors and a lost connection are no states of stock.
  for (const refusal of [undefined, 'too_many_topics', 'slow_down', 'internal', 'busy', 'token_expired', 'a new one']) {
    for (const [status, text] of [
      ['live', 'Checking stock…'], ['connecting', 'Checking stock…'], ['ended', 'Checking stock…'],
      ['offline', 'Stock not known'], ['waiting', 'Stock not known'], ['closed', 'Stock not known'],
    ]) {
      assert.deepEqual(look(undefined, { refusal, live: false }, status), { state: 'unknown', text, stale: false, time: '' });
    }
    const old = look(value, { refusal, live: false });
    assert.deepEqual([old.state, old.text, old.stale], ['in', 'In stock', true]);
    assert.match(old.time, /^at /);
  }
  for (const refusal of ['denied', 'bad_topic']) {
    assert.equal(look(undefined, { refusal, live: false }).text, 'No stock shown');
    assert.equal(look(value, { refusal, live: false, provenAt: null }).text, 'No stock shown', 'nobody proved it');
    assert.equal(look(value, { refusal, live: false }).stale, true, 'what was proved stays, with its time');
  }
  const back = { version: 1, state: 'back', until: '2026-12-24' };
  assert.equal(look(back, { live: false }).text, 'Back order', 'an old date is not repeated');
});

test('an old value has the time of today, or the day', () => {
  const now = new Date(2026, 10, 28, 12, 0).getTime();
  assert.equal(format.moment(new Date(2026, 10, 28, 10, 42).getTime(), now), '10:42');
  assert.equal(format.moment(new Date(2026, 10, 27, 10, 42).getTime(), now), '27 Nov');
});

test('numbers and dates are written as in the language, and what is no language as in the browser\'s', () => {
  assert.equal(formatOf('de').number(1250), '1.250');
  assert.equal(formatOf('de').day('2026-12-24'), '24. Dez.');
  assert.equal(formatOf('ar-EG').number(3), '٣');
  assert.ok(formatOf('no language').number(3));
});

const line = (fields) => ({ quantity: 2, confirmed: 2, pending: null, error: null, ...fields });
const stock = (state, quantity, live = true) => ({ live, value: { state, quantity } });
const unknown = { live: false, value: undefined };
const noteOf = (own, of, online = true) => lineNote(own, of, online, words, format);

test('what a line of the cart has to say', () => {
  for (const [text, own, of, online = true] of [
    ['', line(), stock('in')],
    ['Saving: 1 becomes 2', line({ confirmed: 1, pending: 'sent' }), stock('in')],
    ['Saving: 1 becomes 2', line({ confirmed: 1, pending: 'waiting' }), stock('in')],
    ['Waiting: 1 becomes 2. It is sent when you are back online.', line({ confirmed: 1, pending: 'waiting' }), stock('in'), false],
    ['Not confirmed: 1 becomes 2. We are asking the shop.', line({ confirmed: 1, pending: 'uncertain' }), stock('in'), false],
    ['You asked for 5. Only 2 are left, so 2 are in your cart.', line({ error: { code: 'clamped', wanted: 5, got: 2 } }), stock('low', 2)],
    ['999 of one product is the most.', line({ quantity: 999, error: { code: 'clamped', wanted: 1200, got: 999 } }), stock('in')],
    ['Sold out. Nothing was added; your 2 stay in the cart.', line({ error: { code: 'no_stock' } }), stock('out')],
    ['You typed 6 here while another device set 2. The cart says 2.', line({ error: { code: 'conflict', wanted: 6, got: 2 } }), stock('in')],
    ['Your cart is full. Remove a line first.', line({ error: { code: 'limit' } }), stock('in')],
    ['That change was not made. Please try again.', line({ error: { code: 'internal' } }), stock('in')],
    ['2 in your cart, only 1 left.', line(), stock('low', 1)],
    ['', line(), stock('low', 2)],
    ['', line(), stock('low', undefined)],
    ['Sold out while it was in your cart.', line(), stock('out')],
    ['', line(), stock('out', 0, false)], // not proved: not said
    ['', line(), unknown],
  ]) {
    assert.equal(noteOf(own, of, online).text, text);
  }
});

test('an error of a line is said as long as it is true', () => {
  const clamped = line({ error: { code: 'clamped', wanted: 5, got: 2 } });
  const noStock = line({ error: { code: 'no_stock' } });
  const conflict = { code: 'conflict', wanted: 6, got: 2 };
  for (const [text, own, of] of [
    ['Sold out while it was in your cart.', clamped, stock('out')],
    ['2 in your cart, only 1 left.', clamped, stock('low', 1)],
    ['', clamped, stock('low', 4)],
    ['', clamped, stock('in')],
    ['', clamped, stock('back')],
    ['You asked for 5. 2 are in your cart.', clamped, stock('low', 2, false)], // nobody knows what is left
    ['You asked for 5. 2 are in your cart.', clamped, unknown],
    ['', { ...clamped, quantity: 1 }, stock('low', 2)], // another device took one away
    ['', { ...clamped, quantity: 1 }, unknown],
    ['', line({ quantity: 998, error: { code: 'clamped', wanted: 1200, got: 999 } }), stock('in')],
    ['', noStock, stock('in')],
    ['', noStock, stock('low', 3)],
    ['', noStock, stock('back')],
    ['2 in your cart, only 1 left.', noStock, stock('low', 1)],
    ['That change was not made. Please try again.', noStock, stock('out', 0, false)],
    ['', line({ quantity: 3, error: conflict }), stock('in')],
    ['Sold out while it was in your cart.', line({ quantity: 3, error: conflict }), stock('out')],
  ]) {
    assert.equal(noteOf(own, of).text, text, `${JSON.stringify(own)} ${JSON.stringify(of)}`);
  }
});

test('what a note of a line is about', () => {
  assert.equal(noteOf(line(), stock('in')).about, null);
  assert.equal(noteOf(line({ confirmed: 1, pending: 'sent' }), stock('in')).about, 'change');
  assert.equal(noteOf(line({ pending: 'uncertain' }), stock('in')).about, 'change');
  assert.equal(noteOf(line({ error: { code: 'limit' } }), stock('out')).about, 'error');
  assert.equal(noteOf(line(), stock('out')).about, 'stock');
  assert.equal(noteOf(line(), stock('low', 1)).about, 'stock');
});

test('the number of pieces in a cart has the person\'s own changes', () => {
  assert.equal(piecesOf({ lines: new Map() }), 0);
  assert.equal(piecesOf({ lines: new Map([['A', { quantity: 2, confirmed: 1 }], ['B', { quantity: 3, confirmed: 3 }]]) }), 5);
});
