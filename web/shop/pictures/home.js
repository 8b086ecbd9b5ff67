import { coral, cream, disc, line, night, oval, path, rect } from './draw.js';

const leaf = (x, y, turn) => oval(x, y, 7, 15, '#6f9a68', ` transform="rotate(${turn} ${x} ${y})"`);

export const vase = ({ base, shade, deep }) =>
  line('M100 62V20M100 58C92 46 84 42 76 36M100 58C108 46 116 42 124 36', '#55784f', 4) +
  leaf(100, 22, 0) +
  leaf(82, 26, -38) +
  leaf(118, 26, 38) +
  leaf(76, 46, -66) +
  leaf(124, 46, 66) +
  path('M82 60H118C118 80 144 94 144 124 144 150 130 168 116 169H84C70 168 56 150 56 124 56 94 82 80 82 60Z', base) +
  path('M118 60C118 80 144 94 144 124 144 150 130 168 116 169H104C124 144 124 96 108 60Z', shade) +
  oval(100, 60, 20, 6, deep) +
  line('M57 118Q100 134 143 118M60 134Q100 150 140 134', cream, 4);

const candle = (x, y, width, fill, side) =>
  rect(x, y, width, 168 - y, 3, fill) +
  rect(x + width * 0.62, y, width * 0.38, 168 - y, 3, side) +
  oval(x + width / 2, y, width / 2, 4, side) +
  line(`M${x + width / 2} ${y}v-10`, night, 2) +
  path(`M${x + width / 2} ${y - 36}c12 16 8 26 0 26s-12-10 0-26Z`, '#f0a030') +
  oval(x + width / 2, y - 16, 3, 6, '#ffe29a');

export const candles = ({ base, shade }) =>
  candle(46, 108, 34, '#efe3cf', '#d8c9af') +
  candle(82, 72, 36, base, shade) +
  candle(120, 120, 34, '#e0a98c', '#c98e70');

export const lamp = ({ base, light, shade, deep }) =>
  path('M98 98 150 84 182 170H62Z', '#ffe9a6', ' opacity=".75"') +
  line('M52 158 62 104 98 60', night, 7) +
  disc(62, 104, 8, deep) +
  rect(22, 157, 66, 12, 6, deep) +
  path('M94 30C100 24 110 24 116 31L156 80C144 100 106 106 92 90Z', base) +
  path('M116 31 156 80C150 90 138 97 124 99 124 74 112 46 100 26 106 25 112 26 116 31Z', shade) +
  oval(124, 91, 31, 9, '#ffd774', ' transform="rotate(-10 124 91)"') +
  line('M98 60 96 52', light, 4);

const hours = Array.from({ length: 12 }, (_, i) => `M100 ${i % 3 === 0 ? 52 : 50}v${i % 3 === 0 ? 9 : 4}`);

export const clock = ({ base, shade }) =>
  disc(100, 98, 72, base) +
  path('M150 46A72 72 0 0 1 100 170 104 104 0 0 0 150 46Z', shade) +
  disc(100, 98, 57, cream) +
  hours.map((d, i) => line(d, night, 3, ` transform="rotate(${i * 30} 100 98)"`)).join('') +
  line('M100 98 74 82M100 98 128 72', night, 6) +
  line('M100 110V62', coral, 3) +
  disc(100, 98, 5, coral);
