import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Store } from '../store.js';
import { sentVersions, why } from '../sent.js';
import { attemptsOf, batchesOf } from '../screens/batches.js';
import { Log } from './log.js';

const storeOf = (events) => {
  const store = new Store();
  store.add({ events });
  return store;
};

test('a change has the times of its stages and counts its posts', () => {
  const events = new Log().change('sku:MUG', 5, ['c1', 'c2', 'c3'], { refused: 'c2' });
  const [change] = storeOf(events).changes.ofTopic('sku:MUG');
  const at = (type) => events.find((e) => e.type === type).at;
  assert.equal(change.version, 5);
  assert.deepEqual([change.at, change.record, change.batch], [at('row'), at('record'), at('batch')]);
  assert.equal(change.last, events.filter(({ type, status }) => type === 'post' && status === 200).at(-1).at);
  assert.deepEqual([change.accepted, change.refused, [...change.retried]], [3, 1, ['c2']]);
});

test('of two changes of one topic in a batch, the newer one has the posts', () => {
  const log = new Log();
  const rows = [4, 5].map((version) => log.event('row', { topic: 'sku:MUG', version }));
  const other = log.event('row', { topic: 'sku:CAP', version: 9 });
  const records = [...rows, other].map(({ id }) => log.event('record', { cause: [id] }));
  const batch = log.event('batch', { cause: records.map(({ id }) => id), count: 3 });
  const post = log.event('post', { cause: [batch.id], conn: 'c1', topic: 'sku:MUG', status: 200 });
  const { changes } = storeOf([...rows, other, ...records, batch, post]);
  assert.deepEqual(
    changes.ofTopic('sku:MUG').map(({ accepted, into }) => [accepted, into]),
    [
      [0, 5],
      [1, 0],
    ],
  );
  assert.equal(changes.ofTopic('sku:CAP')[0].accepted, 0);
});

test('posts of a sweep belong to the change that asked for it', () => {
  const log = new Log();
  const row = log.event('row', { topic: 'sku:MUG', version: 5 });
  const record = log.event('record', { cause: [row.id] });
  const batch = log.event('batch', { cause: [record.id] });
  const sweep = log.event('sweep', { cause: [batch.id] });
  const second = log.event('batch', { cause: [sweep.id] });
  const post = log.event('post', { cause: [second.id], conn: 'c1', topic: 'sku:MUG', status: 200 });
  const [change] = storeOf([row, record, batch, sweep, second, post]).changes.ofTopic('sku:MUG');
  assert.equal(change.accepted, 1);
  assert.equal(change.batch, batch.at);
});

test('old changes are forgotten, with their batches', () => {
  const log = new Log();
  const { changes } = storeOf(Array.from({ length: 2100 }, (_, i) => log.change('sku:MUG', i, [])).flat());
  assert.equal(changes.all().length, 2000);
  assert.equal(changes.ofTopic('sku:MUG')[0].version, 100);
  assert.deepEqual(changes.ofBatch(4), []);
  assert.equal(changes.ofBatch(log.id - 1).length, 1);
});

test('batches count attempts by connection', () => {
  const [batch] = batchesOf(storeOf(new Log().change('sku:MUG', 5, ['c1', 'c2'], { refused: 'c2' })));
  assert.deepEqual([batch.accepted, batch.throttled], [2, 1]);
  assert.deepEqual(attemptsOf(batch), [
    { attempt: 1, accepted: 1, refused: 1 },
    { attempt: 2, accepted: 1, refused: 0 },
  ]);
});

test('why says what a connection has, and what it waits for', () => {
  const log = new Log();
  const all = log.change('sku:MUG', 5, ['c1']);
  const store = storeOf(all);
  const ask = (more) =>
    why({
      store,
      topic: 'sku:MUG',
      conn: 'c1',
      subscribed: true,
      sent: sentVersions(store, 'sku:MUG').get('c1'),
      ...more,
    });
  assert.match(ask()[1], /^it has the newest, v5/);
  assert.match(ask({ subscribed: false })[1], /^not subscribed/);
  const next = log.change('sku:MUG', 6, [], {});
  const post = log.event('post', { cause: [next[3].id], conn: 'c1', topic: 'sku:MUG', version: 6, status: 429 });
  store.add({ events: [...next, post] });
  const lines = ask();
  assert.match(lines[1], /^it has v5/);
  assert.match(lines[2], /v6 was answered 429, 1 time$/);
  assert.match(lines[3], /marked: healing/);
});
