import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const css = readFileSync(new URL('../css/tokens.css', import.meta.url), 'utf8');
const read = (block) =>
  Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name, value]) => [name, value]));
const [light, dark] = [...css.matchAll(/:root \{(.*?)\}/gs)].map(([, block]) => read(block));

/** luminance as in WCAG 2.2. */
function luminance(colour) {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const value = parseInt(colour.slice(i, i + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a, b) {
  const [x, y] = [luminance(a), luminance(b)].sort((m, n) => n - m);
  return (x + 0.05) / (y + 0.05);
}

const inks = ['ink', 'soft', 'brand', 'good', 'odd', 'bad', 'frame-in', 'frame-out'];
const pairs = [
  ...inks.flatMap((ink) => ['ground', 'card', 'sunk', 'selected'].map((ground) => [ink, ground])),
  ['good', 'good-soft'],
  ['odd', 'odd-soft'],
  ['bad', 'bad-soft'],
  ['ink', 'odd-soft'],
  ['ink', 'bad-soft'],
  ['on-brand', 'brand'],
];

test('text has at least 4.9 to 1 on every ground, in light and dark', () => {
  for (const [name, scheme] of Object.entries({ light, dark })) {
    for (const [ink, ground] of pairs) {
      const ratio = contrast(scheme[ink], scheme[ground]);
      assert.ok(ratio >= 4.9, `${name}: ${ink} on ${ground} has ${ratio.toFixed(2)}`);
    }
  }
});

test('edges of controls can be seen', () => {
  for (const scheme of [light, dark])
    for (const ground of ['ground', 'card']) assert.ok(contrast(scheme.edge, scheme[ground]) >= 3);
});
