import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { choice, pick, priceRange, Shop, versionName } from '../products.js';

const catalogue = JSON.parse(
  readFileSync(new URL('../../../internal/local/catalogue/catalogue.json', import.meta.url), 'utf8'),
);
const shop = new Shop(catalogue);
const tee = shop.product('TEE-BLUE-M');

test('SKUs of a group are one product, others are products of their own', () => {
  assert.equal(shop.items.size, 40);
  assert.equal(shop.products.length, 31);
  assert.equal(tee.name, 'T-shirt');
  assert.equal(tee.versions.length, 5);
  assert.equal(shop.product('TEE-RED-M'), tee);
  assert.equal(shop.product('BOWL-15').name, 'Bowl, 15 cm');
  assert.equal(shop.product('NOPE'), undefined);
  assert.equal(shop.name('NOPE'), 'NOPE');
});

test('colours come in the order of the catalogue, sizes from small to large', () => {
  assert.deepEqual(tee.colours, ['red', 'blue', 'black']);
  assert.deepEqual(tee.sizes, ['S', 'M', 'L', 'XL']);
  assert.deepEqual(shop.product('BOOTS-43').sizes, ['42', '43']);
  const odd = new Shop(['XXL', '10', '9', 'S'].map((size) => ({ sku: size, group: 'G', size })));
  assert.deepEqual(odd.products[0].sizes, ['9', '10', 'S', 'XXL']);
});

test('a person chooses a size if there are several, else a colour, else nothing', () => {
  assert.equal(choice(tee), 'size');
  assert.equal(choice(shop.product('MUG')), 'colour');
  assert.equal(choice(shop.product('BOWL-15')), null);
});

test('a choice keeps the other property if there is such a version', () => {
  const current = shop.items.get('TEE-RED-M');
  assert.equal(pick(tee, current, { size: 'L' }).sku, 'TEE-RED-L');
  assert.equal(pick(tee, current, { colour: 'blue' }).sku, 'TEE-BLUE-M');
  assert.equal(pick(tee, current, { colour: 'black' }).sku, 'TEE-BLACK-XL');
  assert.equal(pick(tee, current, { size: 'S' }).sku, 'TEE-BLUE-S');
});

test('a product costs from its lowest price', () => {
  assert.deepEqual(priceRange(tee), { amount: 1900, currency: 'EUR', differ: true });
  assert.deepEqual(priceRange(shop.product('BOWL-15')), { amount: 1100, currency: 'EUR', differ: false });
  assert.equal(priceRange(new Shop([{ sku: 'A' }]).products[0]), null);
});

test('a version is named by what it differs in', () => {
  assert.equal(versionName(shop.items.get('TEE-RED-L')), 'Red, L');
  assert.equal(versionName(shop.items.get('BOOTS-42')), '42');
  assert.equal(versionName({ name: 'Bowl' }), 'Bowl');
});

test('a catalogue of nothing but SKUs makes a shop', () => {
  const bare = new Shop([{ sku: 'A', name: '', price: '' }, { sku: 'B' }]);
  assert.deepEqual(
    bare.products.map(({ name }) => name),
    ['A', 'B'],
  );
  assert.deepEqual(bare.categories, []);
  assert.equal(bare.items.get('A').amount, null);
  assert.equal(new Shop([]).currency, 'EUR');
});
