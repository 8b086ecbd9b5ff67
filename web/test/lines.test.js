import test from 'node:test';
import assert from 'node:assert/strict';
import { Lines } from '../lines.js';
import { drain } from '../fake/clock.js';
import { connectedPage, golden } from '../fake/server.js';

const ok = (from, lines) => ({ type: 'ok', from, version: from + 1, lines });
const line = (quantity, version) => ({ quantity, version });

test('quick clicks become few changes that do not conflict with each other', async () => {
  const { hub, server } = await connectedPage(); // MUG: 1, version 17
  const lines = new Lines(hub, () => {});
  const done = [1, 1, 1].map(() => lines.setQuantity('MUG', lines.quantity('MUG') + 1));
  assert.equal(lines.quantity('MUG'), 4, 'the wish is shown at once');
  await drain();
  assert.deepEqual(server.sent('set').map((m) => [m.lines, m.version]), [[{ MUG: 2 }, 17]]);
  await server.reply('set', ok(17, { MUG: line(2, 18) }));
  assert.equal(lines.quantity('MUG'), 4);
  assert.deepEqual(server.sent('set').slice(1).map((m) => [m.lines, m.version]), [[{ MUG: 4 }, 18]]);
  await server.reply('set', ok(18, { MUG: line(4, 19) }));
  await Promise.all(done);
  assert.equal(lines.isPending('MUG'), false);
  assert.equal(lines.quantity('MUG'), 4);
});

test('a conflict discards the wish and shows the cart', async () => {
  const { hub, server } = await connectedPage();
  let changes = 0;
  const lines = new Lines(hub, () => changes++);
  const done = assert.rejects(lines.setQuantity('MUG', 5), { code: 'conflict' });
  lines.setQuantity('MUG', 6).catch(() => {});
  await drain();
  await server.reply('set', golden('set-conflict-answer.server'));
  await done;
  assert.equal(lines.quantity('MUG'), 1);
  assert.equal(server.sent('set').length, 1);
  assert.equal(changes, 3);
});

test('a clamped quantity is not requested again', async () => {
  const { hub, server } = await connectedPage();
  const lines = new Lines(hub, () => {});
  const done = lines.setQuantity('MUG', 9);
  lines.setQuantity('MUG', 10);
  await drain();
  await server.reply('set', { ...ok(17, { MUG: line(3, 18) }), clamped: { MUG: { wanted: 9, got: 3 } } });
  assert.equal((await done).clamped.MUG.got, 3);
  assert.equal(lines.quantity('MUG'), 3);
  assert.equal(server.sent('set').length, 1);
});
