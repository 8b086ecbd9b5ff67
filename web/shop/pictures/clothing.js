import { cream, disc, group, line, oval, path, rect } from './draw.js';

export const tee = ({ base, light, shade, deep }) =>
  path(
    'M70 42 48 52 27 92 56 108 66 94V164q0 5 5 5H129q5 0 5-5V94L144 108 173 92 152 52 130 42Q100 62 70 42Z',
    base,
  ) +
  path('M130 42 152 52 173 92 144 108 134 94V164q0 5-5 5H111C118 132 118 92 115 53Q124 49 130 42Z', shade) +
  path('M70 42 64 45Q100 76 136 45L130 42Q100 62 70 42Z', deep) +
  line('M66 80V94M134 80V94', deep, 3) +
  line('M78 152H112', light, 4);

export const hoodie = ({ base, shade, deep }) =>
  path('M66 60 46 72 28 142 52 150 60 118V163q0 6 6 6H134q6 0 6-6V118L148 150 172 142 154 72 134 60Z', base) +
  path('M134 60 154 72 172 142 148 150 140 118V163q0 6-6 6H116C124 132 124 102 120 72Z', shade) +
  path('M62 66C58 28 82 14 100 14S142 28 138 66Q100 86 62 66Z', shade) +
  oval(100, 50, 25, 20, deep) +
  path('M78 124H122L131 150H69Z', deep, ' opacity=".4"') +
  line('M92 74V96M108 74V92', cream, 4);

export const cap = ({ base, shade, deep }) =>
  path('M42 124C42 76 74 56 104 56S154 80 154 124Z', base) +
  path('M110 56C138 60 154 84 154 124H124C126 98 122 72 110 56Z', shade) +
  line('M104 58C92 76 89 100 91 120', deep, 2) +
  oval(104, 55, 7, 5, deep) +
  rect(62, 94, 22, 15, 3, cream) +
  path('M40 121C90 112 152 118 184 142 188 148 182 152 175 151 130 141 84 143 45 142 38 140 36 127 40 121Z', deep);

const sock = (fill, cuff) =>
  path('M0 0H30V62C30 70 36 74 44 82 54 93 42 110 27 103L6 92C1 88 0 82 0 76Z', fill) +
  rect(-2, 0, 34, 14, 4, cuff) +
  line('M2 26H28M2 34H28', cream, 3) +
  path('M44 82C54 93 42 110 27 103 26 92 34 84 44 82Z', cuff);

export const socks = ({ base, deep }) =>
  group('translate(118 24)', sock('#6b7690', '#515b73')) +
  group('translate(88 42)', sock('#d99a2b', '#b87d1d')) +
  group('translate(58 60)', sock(base, deep));

export const scarf = ({ base, shade, deep }) =>
  path('M116 74 142 64 170 134 140 146Z', deep) +
  line('M144 147l4 10M152 143l4 10M160 140l4 10', deep, 3) +
  path('M70 72H114V154H70Z', base) +
  path('M98 72H114V154H98Z', shade) +
  line('M74 154v13M83 154v13M92 154v13M101 154v13M110 154v13', shade, 4) +
  line('M71 122H113M71 138H113', cream, 5) +
  path('M48 58C48 26 152 26 152 58S128 98 100 98 48 88 48 58Z', base) +
  path('M128 38C144 42 152 50 152 58 152 86 128 98 104 98 126 84 136 62 128 38Z', shade) +
  oval(99, 54, 34, 17, deep);

const mitten = (fill, cuff) =>
  path('M50 150V90C50 46 96 46 96 90V104C104 84 124 88 120 104 116 122 106 132 96 140V150Z', fill) +
  rect(45, 140, 56, 24, 7, cuff) +
  line('M56 145v14M66 145v14M76 145v14M86 145v14', fill, 3);

export const gloves = ({ base, shade, deep }) =>
  group('translate(204 -4) scale(-1 1) rotate(-9 100 160)', mitten(shade, deep)) +
  group('translate(2 4) rotate(-7 70 150)', mitten(base, deep));

export const raincoat = ({ base, light, shade, deep }) =>
  path('M68 58 48 68 28 142 50 150 62 114 52 168H148L138 114 150 150 172 142 152 68 132 58Z', base) +
  path('M132 58 152 68 172 142 150 150 138 114 148 168H112C120 134 120 100 116 66Z', shade) +
  path('M64 62C60 26 82 14 100 14S140 26 136 62Q100 80 64 62Z', shade) +
  oval(100, 48, 24, 19, deep) +
  line('M100 76V168', deep, 2) +
  line('M68 132H86M114 132H132', deep, 5) +
  [90, 112, 134].map((y) => disc(94, y, 4, light)).join('');
