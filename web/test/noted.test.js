import test from 'node:test';
import assert from 'node:assert/strict';
import { Noted } from '../src/elements/noted.js';

const none = { about: null, text: '' };
const saving = { about: 'change', text: 'Saving' };
const clamped = { about: 'error', text: 'Only 3 are left' };
const soldOut = { about: 'stock', text: 'Sold out' };
const error = () => ({ code: 'clamped', wanted: 5, got: 3 });

/** heard returns which of some notes are announced. */
function heard(steps) {
  const noted = new Noted();
  return steps.filter(([note, error, proved = true]) => noted.isNews(note, error, proved)).map(([note]) => note.text);
}

test('what a line said when the page was opened is no news, and what it says later is', () => {
  assert.deepEqual(heard([[none, null, false], [soldOut, null]]), []);
  assert.deepEqual(heard([[none, null], [soldOut, null]]), ['Sold out']);
  assert.deepEqual(heard([[soldOut, null], [none, null], [soldOut, null]]), ['Sold out']);
});

test('a lost connection and what is under way repeat nothing', () => {
  assert.deepEqual(heard([[none, null], [soldOut, null], [none, null, false], [soldOut, null]]), ['Sold out']);
  assert.deepEqual(heard([[none, null], [soldOut, null], [saving, null], [soldOut, null]]), ['Sold out']);
});

test('each error is said once, also if its words change, and again when it happens again', () => {
  const other = { about: 'error', text: '3 are in your cart' };
  assert.deepEqual(heard([[clamped, error()], [clamped, error()], [other, error(), false], [clamped, error()]]), ['Only 3 are left']);
  assert.deepEqual(heard([[clamped, error()], [soldOut, error()]]), ['Only 3 are left', 'Sold out']);
  assert.deepEqual(heard([[clamped, error()], [saving, null], [clamped, error()]]), ['Only 3 are left', 'Only 3 are left']);
});
