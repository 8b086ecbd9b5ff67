import test from 'node:test';
import assert from 'node:assert/strict';
import { connectedPage } from '../fake/server.js';

const snapshot = (topics, fields) => ({ type: 'snapshot', epoch: 'k3', topics, ...fields });
const inStock = (version) => ({ version, state: 'in' });

test('topics that fit into no answer are not fetched in a loop', async () => {
  const topics = ['sku:A', 'sku:B', 'cart'];
  const { hub, server, clock } = await connectedPage({}, []);
  hub.want(topics);
  await clock.advance(1);
  await server.reply('subscribe', snapshot({ 'sku:A': inStock(1) }, { again: ['sku:B', 'cart'] }));
  assert.deepEqual(server.sent('get').map((m) => m.topics), [['sku:B', 'cart']]);
  await server.reply('get', snapshot({}, { again: ['sku:B', 'cart'] })); // no progress
  await clock.advance(60_000);
  assert.equal(server.sent('get').length, 1);
  assert.deepEqual(topics.map((topic) => hub.isLive(topic)), [true, false, false]);
  await clock.advance(7.5 * 60_000);
  assert.equal(server.sent('subscribe').length, 2, 'the keep-alive asks again');
});

test('topics that did not fit are fetched until all of them are there', async () => {
  const { hub, server, clock } = await connectedPage({}, []);
  hub.want(['sku:A', 'sku:B', 'sku:C']);
  await clock.advance(1);
  await server.reply('subscribe', snapshot({ 'sku:A': inStock(1) }, { again: ['sku:B', 'sku:C'] }));
  await server.reply('get', snapshot({ 'sku:B': inStock(1) }, { again: ['sku:C'] }));
  assert.deepEqual(server.sent('get').map((m) => m.topics), [['sku:B', 'sku:C'], ['sku:C']]);
  await server.reply('get', snapshot({ 'sku:C': inStock(1) }));
  assert.deepEqual(['sku:A', 'sku:B', 'sku:C'].map((topic) => hub.isLive(topic)), [true, true, true]);
});
