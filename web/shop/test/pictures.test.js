import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { mix, palette } from '../pictures/draw.js';
import { colourOf, colours, forms, markup } from '../pictures/index.js';

const catalogue = JSON.parse(
  readFileSync(new URL('../../../internal/local/catalogue/catalogue.json', import.meta.url), 'utf8'),
);

test('every product of the catalogue has a drawing, and every colour a tone', () => {
  for (const product of catalogue) {
    assert.ok(Object.hasOwn(forms, product.picture), `${product.sku}: ${product.picture}`);
    if (product.colour) assert.ok(Object.hasOwn(colours, product.colour), `${product.sku}: ${product.colour}`);
  }
});

test('every form has a colour, and is small, flat and ours', () => {
  for (const picture of Object.keys(forms)) {
    const drawing = markup({ picture });
    assert.match(colourOf({ picture }), /^#[0-9a-f]{6}$/, picture);
    assert.ok(drawing.length < 2_400, `${picture} has ${drawing.length} characters`);
    assert.doesNotMatch(drawing, /undefined|NaN|style=|<text|<filter|radient|href|<script/, picture);
    assert.equal(drawing.match(/<g[ >]/g)?.length ?? 0, drawing.match(/<\/g>/g)?.length ?? 0, picture);
  }
});

test('a version changes the colour only', () => {
  const [red, blue] = ['red', 'blue'].map((colour) => markup({ picture: 'tee', colour }));
  assert.notEqual(red, blue);
  const plain = (drawing) => drawing.replace(/#[0-9a-f]{6}/g, '#');
  assert.equal(plain(red), plain(blue));
});

test('an unknown picture is a parcel', () => {
  for (const picture of [undefined, 'nothing', 'constructor'])
    assert.equal(markup({ picture }), markup({ picture: 'parcel' }));
});

test('tones are mixed', () => {
  assert.equal(mix('#000000', '#ffffff', 0.5), '#808080');
  assert.equal(palette('#102030').base, '#102030');
});
