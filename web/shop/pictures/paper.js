import { coral, cream, group, line, oval, path, rect } from './draw.js';

export const notebook = ({ base, shade, deep }) =>
  path('M108 160v24l7-6 7 6v-24Z', coral) +
  rect(52, 24, 96, 145, 8, base) +
  path('M120 24H140q8 0 8 8V161q0 8-8 8H120Z', shade) +
  path('M60 24H72V169H60q-8 0-8-8V32q0-8 8-8Z', deep) +
  rect(84, 54, 46, 30, 4, cream) +
  line('M92 64H120M92 74H112', deep, 3);

const leads = [
  '#d9542b',
  '#e79a2d',
  '#e0bf3a',
  '#6f9a4a',
  '#3f8a63',
  '#3a8d96',
  '#3d6fb0',
  '#5a58a8',
  '#8a5aa3',
  '#b0527f',
  '#a04a3a',
  '#7a5a44',
];
const heights = [6, 0, 9, 3, 7, 1, 8, 2, 10, 4, 6, 0];

export const pencils = ({ base, shade, deep }) =>
  leads
    .map((lead, i) => {
      const x = 34 + i * 11;
      const y = 52 + heights[i];
      return (
        rect(x, y, 11, 66, 0, lead) +
        path(`M${x} ${y}h11l-5.5-18Z`, '#e9cfa4') +
        path(`M${x + 3.5} ${y - 11.5}h4l-2-6.5Z`, lead)
      );
    })
    .join('') +
  rect(26, 106, 148, 62, 6, base) +
  path('M120 106H168q6 0 6 6V162q0 6-6 6H120Z', shade) +
  rect(46, 124, 64, 22, 4, cream) +
  line('M56 135H98', deep, 4);

export const map = ({ light, deep }) =>
  rect(18, 40, 164, 118, 4, '#a9744f') +
  rect(27, 49, 146, 100, 1, light) +
  line('M27 82H173M27 116H173M76 49V149M124 49V149', '#ffffff', 1, ' opacity=".6"') +
  path('M38 62C52 54 70 58 72 68 70 82 60 84 58 94 50 90 42 80 38 62Z', '#e3ae4f') +
  path('M62 98C74 96 80 106 74 118 70 130 66 138 62 134 60 120 54 110 62 98Z', '#6f9a68') +
  path('M92 66C104 56 116 60 118 70 114 82 120 92 110 108 104 116 98 110 98 98 90 88 88 76 92 66Z', '#d9694a') +
  path('M124 62C144 54 164 62 164 74 160 88 148 94 138 90 130 86 122 74 124 62Z', '#e3ae4f') +
  oval(150, 120, 12, 8, deep);

export const giftcard = ({ base, shade }) =>
  group(
    'rotate(-8 100 104)',
    rect(24, 54, 152, 102, 11, base) +
      path('M126 54H165q11 0 11 11V145q0 11-11 11H126Z', shade) +
      rect(24, 88, 152, 15, 0, cream) +
      rect(64, 54, 15, 102, 0, cream) +
      path(
        'M71 96C52 66 34 78 40 92 46 104 62 100 71 96ZM71 96C90 66 108 78 102 92 96 104 80 100 71 96Z',
        '#e79a2d',
      ) +
      path('M66 96 54 122 64 120 70 128 74 98ZM76 96 88 122 78 120 72 128 69 98Z', '#c97f1c') +
      oval(71, 95, 8, 7, '#f0b454') +
      line('M122 134H158', cream, 5),
  );

/** parcel stands for pictures that the shop does not have. */
export const parcel = ({ base, light, shade, deep }) =>
  path('M36 66 100 42 164 66V144L100 170 36 144Z', base) +
  path('M100 92 164 66V144L100 170Z', shade) +
  path('M36 66 100 42 164 66 100 92Z', light) +
  path('M62 56 126 80V104L138 98V76L76 51Z', deep);
