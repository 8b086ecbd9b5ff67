import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shop } from '../products.js';
import { find } from '../search.js';

const { products } = new Shop([
  {
    sku: 'TEE-RED-M',
    name: 'T-shirt, red, M',
    group: 'T-shirt',
    colour: 'red',
    size: 'M',
    category: 'Clothing',
    maker: 'Acme',
  },
  {
    sku: 'TEE-BLUE-S',
    name: 'T-shirt, blue, S',
    group: 'T-shirt',
    colour: 'blue',
    size: 'S',
    category: 'Clothing',
    maker: 'Acme',
  },
  { sku: 'CUP', name: 'Crème cup', category: 'Table', maker: 'Kiln' },
]);
const names = (what) => find(products, what).map(({ name }) => name);

test('without a text and a category all products are found', () => {
  assert.deepEqual(names({}), ['T-shirt', 'Crème cup']);
  assert.deepEqual(names({ text: '  ' }), ['T-shirt', 'Crème cup']);
});

test('names, makers, SKUs and versions are searched, without case and accents', () => {
  assert.deepEqual(names({ text: 'creme cup' }), ['Crème cup']);
  assert.deepEqual(names({ text: 'KILN' }), ['Crème cup']);
  assert.deepEqual(names({ text: 'tee-blue' }), ['T-shirt']);
  assert.deepEqual(names({ text: 'blue' }), ['T-shirt']);
  assert.deepEqual(names({ text: 'kettel' }), []);
});

test('every word must be there, in any order', () => {
  assert.deepEqual(names({ text: 'acme shirt' }), ['T-shirt']);
  assert.deepEqual(names({ text: 'kiln shirt' }), []);
});

test('a category narrows a search', () => {
  assert.deepEqual(names({ category: 'Table' }), ['Crème cup']);
  assert.deepEqual(names({ category: 'Table', text: 'shirt' }), []);
});
