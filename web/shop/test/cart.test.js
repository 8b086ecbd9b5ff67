import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amountOf, closedBecause, countPieces, message, note, removedElsewhere, totals, trouble } from '../cart.js';

const line = (quantity, confirmed = quantity, more = {}) => ({
  quantity,
  confirmed,
  pending: null,
  error: null,
  ...more,
});
const live = (state, fields) => ({ value: { version: 1, state, ...fields }, live: true, at: 1, reachable: true });
const offline = (state, fields) => ({ ...live(state, fields), live: false, reachable: false });
const text = (...args) => message(...args)?.text;

test('a line that is saved and in stock has nothing to say', () => {
  assert.equal(note(line(2)), '');
  assert.equal(message(line(2), live('in')), null);
  assert.deepEqual(amountOf(line(2), live('in'), 1100), { amount: 2200, text: '', struck: false });
});

test('pending: the amount is for what is confirmed', () => {
  const saving = line(2, 1, { pending: 'sent' });
  assert.equal(note(saving), 'Saving: 1 becomes 2');
  assert.deepEqual(amountOf(saving, live('in'), 2900), { amount: 2900, text: 'for 1', struck: false });
  assert.equal(note(line(0, 1, { pending: 'sent' })), 'Saving: removed');
  assert.equal(note(line(1, 0, { pending: 'sent' })), 'Saving: new line');
});

test('waiting without a connection', () => {
  const waiting = line(3, 2, { pending: 'waiting' });
  assert.equal(note(waiting), 'Waiting: 2 becomes 3');
  assert.equal(text(waiting, offline('in')), 'Kept on this device. We send it when you are back online.');
  assert.equal(
    text(waiting, offline('in'), { kept: false }),
    'This browser cannot keep changes. Stay on this page until they are saved.',
  );
  const fresh = line(1, 0, { pending: 'waiting' });
  assert.equal(note(fresh), 'Waiting: new line');
  assert.equal(text(fresh, offline('in')), 'Added while offline. The shop has not seen this line yet.');
  assert.deepEqual(amountOf(fresh, offline('in'), 3200), { amount: null, text: 'not saved yet', struck: false });
});

test('unanswered', () => {
  const lost = line(2, 1, { pending: 'uncertain' });
  assert.equal(note(lost), 'Not confirmed: 1 becomes 2');
  assert.equal(text(lost, live('in')), 'We do not know whether this change arrived. We are asking the shop.');
});

test('clamped, nothing added, and a conflict', () => {
  const clamped = (wanted, got) => line(got, got, { error: { code: 'clamped', wanted, got } });
  assert.equal(text(clamped(5, 3), live('in')), 'You asked for 5. Only 3 are left, so 3 are in your cart.');
  assert.equal(text(clamped(5, 1), live('in')), 'You asked for 5. Only 1 is left, so 1 is in your cart.');
  assert.equal(text(clamped(1200, 999), live('in')), '999 of one product is the most.');
  const none = line(2, 2, { error: { code: 'no_stock' } });
  assert.equal(text(none, live('in')), 'Sold out. Nothing was added; your 2 stay in the cart.');
  const conflict = line(4, 4, { error: { code: 'conflict', wanted: 6, got: 4 } });
  assert.deepEqual(message(conflict, live('in')), {
    kind: 'info',
    text: 'You typed 6 here while another device set 4. The cart says 4.',
    action: { text: 'Make it 6', quantity: 6 },
  });
  assert.match(text(line(1, 1, { error: { code: 'internal' } }), live('in')), /^Not saved: /);
});

test('stock that fell below the cart', () => {
  const view = live('low', { quantity: 1 });
  assert.equal(trouble(line(3), view), 'short');
  assert.deepEqual(message(line(3), view), {
    kind: 'warn',
    text: '3 in your cart, only 1 left.',
    action: { text: 'Keep 1', quantity: 1 },
  });
  assert.deepEqual(amountOf(line(3), view, 6900), { amount: 6900, text: 'for 1 of 3', struck: false });
  assert.equal(trouble(line(1), view), null);
});

test('sold out while it was in the cart', () => {
  assert.equal(trouble(line(2), live('out')), 'out');
  assert.equal(message(line(2), live('out')).kind, 'bad');
  assert.deepEqual(amountOf(line(2), live('out'), 950), { amount: 1900, text: 'not in total', struck: true });
});

test('what was sold out when the connection was lost is not called sold out', () => {
  assert.equal(trouble(line(2), offline('out')), null);
  assert.equal(message(line(2), offline('out')), null);
  assert.deepEqual(amountOf(line(2), offline('out'), 950), { amount: 1900, text: '', struck: false });
});

test('a back order can be ordered', () => {
  const view = live('back', { until: '2026-12-12' });
  assert.equal(text(line(1), view, { maker: 'Trail' }), 'You can order it now. Trail expects it on 12 December.');
  assert.equal(text(line(1), live('back')), 'You can order it now.');
  assert.equal(trouble(line(9), view), null);
});

const items = {
  A: { amount: 1000, currency: 'EUR' },
  B: { amount: 250, currency: 'EUR' },
  C: { amount: 1, currency: 'EUR' },
};
const count = (lines, views = {}) =>
  totals(
    new Map(Object.entries(lines)),
    (sku) => views[sku] ?? live('in'),
    (sku) => items[sku],
  );

test('the total is what is saved and can be ordered; the rest is counted beside it', () => {
  const all = count(
    { A: line(3), B: line(2, 1, { pending: 'sent' }), C: line(4) },
    { A: live('low', { quantity: 1 }), C: live('out') },
  );
  assert.deepEqual(all.sums, new Map([['EUR', 1250]]));
  assert.deepEqual([all.lines, all.items, all.counted, all.unsaved, all.left], [3, 9, 2, 1, 6]);
  assert.deepEqual(all.needs, [
    { sku: 'A', why: '3 in cart, 1 left' },
    { sku: 'C', why: 'sold out' },
  ]);
  assert.deepEqual(all.waiting, [{ sku: 'B', why: 'saving' }]);
});

test('a SKU that the catalogue does not have costs nothing here', () => {
  assert.deepEqual(count({ NOPE: line(2) }).sums, new Map());
  assert.equal(
    countPieces(
      new Map([
        ['NOPE', line(2)],
        ['A', line(0, 1)],
      ]),
    ),
    2,
  );
});

test('what keeps the checkout closed', () => {
  const open = { live: true, pending: 0 };
  const good = count({ A: line(1) });
  const needs = count({ A: line(1) }, { A: live('out') });
  assert.equal(closedBecause(good, open), null);
  assert.equal(closedBecause(good, { live: false, pending: 0 }), 'offline');
  assert.equal(closedBecause(good, { live: true, pending: 1 }), 'pending');
  assert.equal(closedBecause(count({}), open), 'empty');
  assert.equal(closedBecause(needs, open), 'needs');
  assert.equal(closedBecause(needs, { live: true, pending: 1 }), 'both');
});

test('a line that is gone without a change of one’s own was removed elsewhere', () => {
  const before = (more) =>
    new Map([
      ['A', line(2, 2, more)],
      ['B', line(1)],
    ]);
  const now = new Map([['B', line(1)]]);
  assert.deepEqual(removedElsewhere(before(), now), { sku: 'A', quantity: 2 });
  assert.equal(removedElsewhere(before({ pending: 'sent' }), now), null);
  assert.equal(removedElsewhere(before({ confirmed: 0 }), now), null);
  assert.equal(removedElsewhere(now, before()), null);
});
