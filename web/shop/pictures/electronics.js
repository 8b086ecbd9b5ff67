import { cream, disc, line, night, path, rect } from './draw.js';

export const headphones = ({ base, light, shade }) =>
  line('M44 122V98A56 56 0 0 1 156 98V122', base, 14) +
  line('M100 42A56 56 0 0 1 156 98V122', shade, 14) +
  rect(32, 108, 26, 58, 12, base) +
  rect(142, 108, 26, 58, 12, shade) +
  rect(54, 102, 22, 70, 10, night) +
  rect(124, 102, 22, 70, 10, night) +
  line('M42 124V146', light, 4);

export const speaker = ({ base, shade }) =>
  rect(54, 20, 92, 149, 13, base) +
  path('M112 20H133q13 0 13 13V156q0 13-13 13H112Z', shade) +
  disc(100, 116, 36, night) +
  disc(100, 116, 25, '#4a4456') +
  disc(100, 116, 10, night) +
  disc(100, 56, 18, night) +
  disc(100, 56, 9, '#4a4456') +
  disc(67, 34, 3, '#9be7b4');

export const charger = ({ base, shade, deep }) =>
  rect(74, 26, 9, 44, 4, '#8f8d9d') +
  rect(117, 26, 9, 44, 4, '#8f8d9d') +
  rect(56, 60, 88, 109, 18, base) +
  path('M116 60H126q18 0 18 18V151q0 18-18 18H116Z', shade) +
  path('M108 82 80 122H97L91 150 121 108H103Z', cream) +
  rect(84, 156, 32, 7, 3, deep);

export const cable = ({ base, light, shade, deep }) =>
  line('M146 44C122 44 122 64 104 62 62 58 46 104 68 132 86 156 122 150 126 126 130 104 144 140 154 140', base, 9) +
  line('M104 62C62 58 46 104 68 132', shade, 9) +
  line('M130 84C118 66 98 66 88 78 76 92 80 112 92 120', light, 7) +
  rect(44, 88, 15, 30, 5, night) +
  rect(144, 34, 26, 20, 5, deep) +
  rect(170, 38, 12, 12, 2, '#a5a3b1') +
  rect(150, 130, 24, 20, 5, deep) +
  rect(174, 134, 12, 12, 2, '#a5a3b1');
