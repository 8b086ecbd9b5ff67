// The drawings of the shop: one function per form, with one colour. A catalogue names a
// form in "picture" and, for a version, a colour in "colour".

import { h, svg } from '../dom.js';
import { palette } from './draw.js';
import * as clothing from './clothing.js';
import * as electronics from './electronics.js';
import * as home from './home.js';
import * as outdoors from './outdoors.js';
import * as paper from './paper.js';
import * as shoes from './shoes.js';
import * as table from './table.js';

export const forms = { ...clothing, ...electronics, ...home, ...outdoors, ...paper, ...shoes, ...table };

/** The colours that versions are named after. */
export const colours = {
  red: '#d04538',
  blue: '#3f6fb3',
  black: '#3b3647',
  grey: '#8b8794',
  navy: '#2c3b70',
  sand: '#cdae7d',
  white: '#f2ebe0',
  green: '#4c7d68',
  brown: '#8f5b3d',
  yellow: '#e0a92e',
};

/** The colour of a form whose catalogue entry has none. */
const defaults = {
  tee: colours.red,
  hoodie: colours.grey,
  cap: colours.navy,
  socks: '#c4543c',
  scarf: '#a13a55',
  gloves: colours.green,
  raincoat: colours.yellow,
  boot: colours.brown,
  sneaker: '#3d8f86',
  sandals: '#9a4058',
  mug: colours.white,
  plate: '#3a6c97',
  bowl: '#c9764a',
  teapot: '#4b7f78',
  vase: '#6d82b8',
  candles: '#9aa3ad',
  lamp: '#d9593a',
  clock: '#4c7d74',
  headphones: '#6a64a8',
  speaker: '#c8634a',
  charger: '#5d6578',
  cable: '#3d8d86',
  backpack: '#5c7c4b',
  bottle: '#3d7fa8',
  tent: '#de7c37',
  compass: '#c99c3f',
  torch: '#b5433c',
  notebook: '#3f5fa5',
  pencils: '#343a78',
  map: '#7fb2c4',
  giftcard: '#c4475a',
  parcel: '#b98b5e',
};

/** colourOf returns the colour that a product is drawn with, as "#rrggbb". */
export const colourOf = ({ picture, colour }) => colours[colour] ?? defaults[formOf(picture)];

const formOf = (picture) => (Object.hasOwn(forms, picture ?? '') ? picture : 'parcel');

/** markup returns the drawing of a product, as SVG in a box of 200 × 200. */
export function markup(product) {
  return forms[formOf(product.picture)](palette(colourOf(product)));
}

/** picture draws a product. stage: with a circle behind it and a shadow, as on a tile; else as a thumbnail. */
export function picture(product, { stage = false } = {}) {
  const ground = '<circle class="stage" cx="100" cy="96" r="86"/>';
  const shadow = '<ellipse class="shadow" cx="100" cy="171" rx="58" ry="7"/>';
  return svg('0 0 200 200', `${stage ? ground : ''}${shadow}${markup(product)}`);
}

/** thumbnail is a small picture on its tint. A SKU that the catalogue does not have gets a parcel. */
export const thumbnail = (item) => h('span', { class: 'thumb', 'data-tint': item?.tint }, picture(item ?? {}));
