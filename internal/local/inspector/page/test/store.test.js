import assert from 'node:assert/strict';
import { test } from 'node:test';
import { causeOf, effectOf, firstCause, pathOf } from '../path.js';
import { Store } from '../store.js';
import { Log } from './log.js';

test('the oldest events leave when the room is used up', () => {
  const [store, log] = [new Store(100_000), new Log()];
  const text = 'x'.repeat(1000);
  for (let i = 0; i < 200; i++) store.add({ events: [log.event('in', { conn: 'c1', text })] });
  assert.ok(store.length > 20 && store.length < 60, `${store.length} events are kept`);
  assert.equal(store.get(1), undefined);
  assert.equal([...store.all()].at(-1).id, 200);
  assert.equal(store.oldest.id, 200 - store.length + 1);
  assert.equal(store.newest().next().value.id, 200);
});

test('a feed that is resumed brings no event twice', () => {
  const [store, log] = [new Store(), new Log()];
  const events = [log.event('in'), log.event('in'), log.event('in')];
  store.add({ boot: 'a', events });
  store.add({ boot: 'a', events: events.slice(1) });
  assert.equal(store.length, 3);
});

test('a restart begins anew', () => {
  const [store, log] = [new Store(), new Log()];
  store.add({ boot: 'a', events: [log.event('in'), log.event('in')] });
  assert.equal(store.add({ boot: 'b', events: [new Log().event('open')] }), true);
  assert.deepEqual(
    [...store.all()].map(({ type }) => type),
    ['open'],
  );
  assert.equal(store.lastId, 1);
});

test('gaps are counted', () => {
  const store = new Store();
  store.add({ boot: 'a', events: [], gap: 100 });
  store.add({ boot: 'a', events: [], gap: 11 });
  assert.equal(store.gaps, 111);
});

test('a change is followed from its first cause to each socket', () => {
  const [store, log] = [new Store(), new Log()];
  store.add({ events: log.change('sku:CAP', 2, ['c1']) });
  const events = log.change('sku:MUG', 5, ['c1', 'c2', 'c3']);
  store.add({ events });
  const outs = events.filter(({ type }) => type === 'out');
  assert.equal(firstCause(store, outs[2]).type, 'admin');
  const types = pathOf(store, outs[1]).steps.map(({ type }) => type);
  assert.deepEqual(types, ['admin', 'row', 'record', 'batch', 'out', 'out', 'out', 'answer']);

  let at = events[0];
  const walked = [];
  while ((at = effectOf(store, at))) walked.push(at);
  assert.deepEqual(
    walked.filter(({ type }) => type === 'out').map(({ conn }) => conn),
    ['c1', 'c2', 'c3'],
  );
  const back = [];
  for (at = outs[2]; at; at = causeOf(store, at)) back.push(at.type);
  assert.deepEqual(back, ['out', 'post', 'batch', 'record', 'row', 'admin']);
});

test('in a batch of several records, a frame leads to its own', () => {
  const [store, log] = [new Store(), new Log()];
  const rows = [3, 4, 5].map((version) => log.event('row', { topic: 'sku:MUG', version }));
  const records = rows.map(({ id, topic, version }) => log.event('record', { cause: [id], topic, version }));
  const batch = log.event('batch', { cause: records.map(({ id }) => id), count: 3 });
  const out = log.delta('sku:MUG', 5, 'c1', { cause: [batch.id] });
  store.add({ events: [...rows, ...records, batch, out] });
  assert.equal(firstCause(store, out), rows[2]);
  assert.equal(causeOf(store, batch, out), records[2]);
  assert.equal(causeOf(store, batch), records[0]);
});

test('events that are each other’s cause end a search', () => {
  const store = new Store();
  store.add({
    events: [
      { id: 1, at: 1, type: 'in', cause: [2] },
      { id: 2, at: 2, type: 'row', cause: [1] },
    ],
  });
  assert.ok(firstCause(store, store.get(1)));
  assert.equal(pathOf(store, store.get(1)).steps.length, 2);
});

test('a path of a crowd is cut, and says how much', () => {
  const [store, log] = [new Store(), new Log()];
  const events = log.change(
    'sku:MUG',
    5,
    Array.from({ length: 500 }, (_, i) => `c${i}`),
  );
  store.add({ events });
  const chosen = events.filter(({ type }) => type === 'out').at(-1);
  const { steps, cut } = pathOf(store, chosen);
  assert.ok(cut > 0 && steps.length <= 202);
  assert.ok(steps.includes(chosen));
});
