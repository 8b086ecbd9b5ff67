import { coral, cream, disc, group, line, night, path, rect } from './draw.js';

export const backpack = ({ base, shade, deep }) =>
  line('M80 42C80 14 120 14 120 42', deep, 9) +
  rect(36, 96, 26, 56, 9, deep) +
  rect(138, 96, 26, 56, 9, deep) +
  path('M54 84C54 48 72 32 100 32S146 48 146 84V152q0 17-17 17H71q-17 0-17-17Z', base) +
  path('M114 33C134 38 146 54 146 84V152q0 17-17 17H112C122 130 124 80 114 33Z', shade) +
  path('M58 66Q100 102 142 66L144 76Q100 116 56 76Z', deep) +
  rect(74, 82, 9, 26, 4, cream) +
  rect(117, 82, 9, 26, 4, cream) +
  path('M68 118H132V146q0 11-11 11H79q-11 0-11-11Z', deep, ' opacity=".45"') +
  rect(93, 112, 14, 13, 4, cream);

export const bottle = ({ base, light, shade }) =>
  rect(83, 14, 34, 26, 6, night) +
  rect(88, 38, 24, 14, 2, '#8f8ca0') +
  path('M86 52H114C116 72 138 78 138 104V155q0 14-14 14H76q-14 0-14-14V104C62 78 84 72 86 52Z', base) +
  path('M114 52C116 72 138 78 138 104V155q0 14-14 14H110C120 130 118 88 106 52Z', shade) +
  rect(62, 112, 76, 28, 0, cream) +
  path('M100 117c8 10 7 18 0 18s-8-8 0-18Z', base) +
  line('M72 104C73 92 78 86 84 80', light, 5);

export const tent = ({ base, shade, deep }) =>
  line('M92 20 108 44M108 20 92 44', night, 5) +
  path('M100 34 24 164H176Z', base) +
  path('M100 34 176 164H122Z', shade) +
  path('M100 76 62 164H138Z', deep) +
  path('M100 76 62 164H82C94 140 100 110 100 76Z', cream) +
  line('M16 166H184', '#67885c', 8) +
  line('M22 158l-8 12M178 158l8 12', night, 4);

export const compass = ({ base, shade }) =>
  rect(88, 10, 24, 24, 8, '#8a5a3c') +
  disc(100, 102, 68, base) +
  path('M148 54A68 68 0 0 1 100 170 98 98 0 0 0 148 54Z', shade) +
  disc(100, 102, 53, cream) +
  line('M100 56v9M100 139v9M54 102h9M137 102h9', night, 4) +
  path('M132 68 109 111 91 93Z', coral) +
  path('M68 136 91 93 109 111Z', '#41698f') +
  disc(100, 102, 6, night);

export const torch = ({ base, shade, deep }) =>
  group(
    'rotate(38 100 100)',
    path('M74 34 56-6H144L126 34Z', '#ffe39a', ' opacity=".85"') +
      path('M70 34H130L118 74H82Z', base) +
      path('M108 34H130L118 74H106Z', shade) +
      rect(82, 72, 36, 98, 9, base) +
      path('M104 72H109q9 0 9 9V161q0 9-9 9H104Z', shade) +
      rect(68, 28, 64, 12, 5, deep) +
      rect(94, 88, 12, 22, 6, cream) +
      line('M86 130H114M86 140H114M86 150H114', deep, 3),
  );
