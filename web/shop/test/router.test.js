import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, parse } from '../router.js';

const routes = [
  { page: 'home', category: '', text: '' },
  { page: 'home', category: 'Table', text: 'blue mug & co' },
  { page: 'product', sku: 'TEST/SLASH é+1' },
  ...['cart', 'checkout', 'sign-in', 'merge', 'stock', 'devices'].map((page) => ({ page })),
];

test('each route survives its address', () => {
  for (const route of routes) {
    for (const device of [null, 'phone']) {
      const address = format(route, device);
      assert.deepEqual(parse(new URL(address, 'http://shop.test/').search), route, address);
    }
  }
});

test('the first page has the shortest address, and a device stays in every one', () => {
  assert.equal(format({ page: 'home', category: '', text: '' }), './');
  assert.equal(format({ page: 'home' }), './');
  assert.equal(format({ page: 'home' }, 'phone'), '?device=phone');
  assert.equal(format({ page: 'cart' }, 'phone'), '?device=phone&page=cart');
});

test('an unknown page is not found, and unknown parameters do not matter', () => {
  assert.deepEqual(parse('?page=nothing'), { page: 'not-found' });
  assert.deepEqual(parse('?utm=1'), { page: 'home', category: '', text: '' });
});
