import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Store } from '../store.js';
import { maxRows, View } from '../view.js';
import { Log } from './log.js';

const viewOf = (events, settings = {}) => {
  const store = new Store();
  store.add({ events });
  const view = new View(store);
  view.set(settings);
  return { view, store };
};

test('frames and admin writes are shown first, other events when a filter names them', () => {
  const { view } = viewOf(new Log().change('sku:MUG', 5, ['c1', 'c2']));
  assert.deepEqual(
    view.rows.map(({ event }) => event.type),
    ['admin', 'out', 'out'],
  );
  view.set({ shown: new Set(['Posts']) });
  assert.deepEqual(
    view.rows.map(({ event }) => event.type),
    ['post', 'post'],
  );
  view.set({ text: 'type:row', shown: new Set() });
  assert.deepEqual(
    view.rows.map(({ event }) => event.type),
    ['row'],
  );
});

test('a direction leaves out the other frames only', () => {
  const log = new Log();
  const { view } = viewOf([log.event('in', { dir: 'in' }), ...log.change('sku:MUG', 5, ['c1'])], { direction: 'out' });
  assert.deepEqual(
    view.rows.map(({ event }) => event.type),
    ['admin', 'out'],
  );
});

test('equal deltas to many connections are one row', () => {
  const log = new Log();
  const connections = Array.from({ length: 64 }, (_, i) => `c${i}`);
  const { view } = viewOf([...log.change('sku:MUG', 5, connections), ...log.change('sku:MUG', 6, connections)], {
    grouped: true,
  });
  assert.deepEqual(
    view.rows.map(({ event, members }) => [event.type, members.length]),
    [
      ['admin', 1],
      ['out', 64],
      ['admin', 1],
      ['out', 64],
    ],
  );
  view.toggle(view.rows[1].id);
  assert.equal(view.rows.length, 4 + 64);
  assert.equal(view.indexOf(view.rows[10].event.id), 10);
  view.toggle(view.rows[1].id);
  assert.equal(view.rows.length, 4);
});

test('a group takes members that come later', () => {
  const log = new Log();
  const { view, store } = viewOf(log.change('sku:MUG', 5, ['c1']), { grouped: true });
  const late = log.delta('sku:MUG', 5, 'c2');
  store.add({ events: [late] });
  assert.equal(view.add([late]), 1);
  assert.equal(view.rows.at(-1).members.length, 2);
  assert.equal(view.rows.length, 2);
});

test('the list has at most its number of rows, the newest', () => {
  const log = new Log();
  const { view, store } = viewOf([]);
  for (let i = 0; i < 60; i++) {
    const events = Array.from({ length: 100 }, () => log.event('in', { dir: 'in' }));
    store.add({ events });
    view.add(events);
  }
  assert.equal(view.rows.length, maxRows);
  assert.equal(view.rows.at(-1).id, 6000);
  assert.equal(view.matched, 6000);
});
