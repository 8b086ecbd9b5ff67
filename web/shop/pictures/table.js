import { cream, disc, line, oval, path } from './draw.js';

/** The plate's circles are white on every ground. */
const glaze = '#efe7d8';

export const mug = ({ base, light, shade, deep }) =>
  line('M128 92C172 82 172 146 128 138', shade, 14) +
  path('M54 72H130V152q0 14-14 14H68q-14 0-14-14Z', base) +
  path('M130 72V152q0 14-14 14H102C112 138 114 106 110 80Z', shade) +
  oval(92, 72, 38, 12, deep) +
  oval(92, 72, 34, 9, light) +
  oval(92, 74, 30, 7, '#6b3f2a') +
  line('M72 50c-9-10 9-16 0-28M92 46c-9-10 9-16 0-28M112 50c-9-10 9-16 0-28', '#ffffff', 4, ' opacity=".75"');

export const plate = ({ base, light }) =>
  disc(100, 98, 70, '#d8cfbe') +
  disc(100, 96, 70, cream) +
  `<circle cx="100" cy="96" r="60" fill="none" stroke="${base}"` +
  ' stroke-width="5"/>' +
  disc(100, 96, 46, '#e0d7c6') +
  disc(100, 98, 44, glaze) +
  line('M66 80A38 38 0 0 1 88 62', light, 4, ' opacity=".6"');

export const bowl = ({ base, light, shade, deep }) =>
  path('M82 148H118L122 166H78Z', deep) +
  path('M34 86H166C166 128 140 156 100 156S34 128 34 86Z', base) +
  path('M166 86C166 128 140 156 104 156 132 140 140 110 138 86Z', shade) +
  oval(100, 86, 66, 19, light) +
  oval(100, 87, 60, 15, deep) +
  line('M41 112Q100 144 159 112', cream, 5);

export const teapot = ({ base, light, shade, deep }) =>
  line('M54 90C18 84 20 142 58 138', shade, 12) +
  path('M134 128C162 122 150 84 170 70L190 72C180 96 182 140 138 148Z', shade) +
  oval(98, 114, 54, 48, base) +
  path('M118 70C140 78 152 96 152 114 152 140 134 160 106 162 128 140 132 104 118 70Z', shade) +
  path('M62 80Q98 50 134 80Q98 92 62 80Z', deep) +
  disc(98, 58, 9, deep) +
  oval(98, 162, 32, 7, deep) +
  line('M62 104C64 94 70 88 78 84', light, 5);
