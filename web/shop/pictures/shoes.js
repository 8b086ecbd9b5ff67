import { cream, group, line, night, path, rect } from './draw.js';

export const boot = ({ base, shade, deep }) =>
  path('M62 26H118V92C132 100 162 102 168 128V150H62Z', base) +
  path('M118 92C132 100 162 102 168 128V150H132C142 134 140 108 118 92Z', shade) +
  path('M62 26H78V150H62Z', shade) +
  rect(57, 22, 66, 20, 7, deep) +
  line('M98 58H116M98 72H116M100 86H118M108 99l16 3', cream, 4) +
  line('M84 50V104', deep, 2) +
  path('M56 150H172V162q0 6-6 6H102l-4-6H92l-2 6H62q-6 0-6-6Z', night);

export const sneaker = ({ base, shade, deep }) =>
  path('M22 142C26 108 30 92 42 82 52 94 66 92 76 78 94 98 118 108 152 114 174 118 180 128 180 142Z', base) +
  path('M22 142C26 108 30 92 42 82 50 92 54 116 46 142Z', deep) +
  path('M152 114C174 118 180 128 180 142H142C142 130 144 120 152 114Z', cream) +
  path('M92 94C108 104 126 109 146 113 140 122 138 132 138 142H112C114 122 106 106 92 94Z', shade) +
  line('M84 106l14-9M96 114l14-9M109 121l13-9', cream, 5) +
  line('M64 140C72 128 76 120 76 108', cream, 5) +
  rect(18, 140, 166, 20, 10, cream) +
  line('M28 152H174', deep, 3, ' opacity=".5"');

const sandal = (strap, edge) =>
  path(
    'M58 34C82 28 94 52 90 82 87 104 96 122 90 146 84 172 50 172 47 146 44 122 48 104 44 82 41 58 46 38 58 34Z',
    '#c99f6b',
  ) +
  path(
    'M60 42C78 38 86 56 82 82 79 104 88 124 82 144 77 162 58 162 55 144 52 124 56 104 52 82 49 60 52 45 60 42Z',
    '#e2bf8e',
  ) +
  path('M41 70Q68 52 93 72L91 92Q68 74 43 90Z', strap) +
  path('M44 122Q68 106 94 124L92 142Q68 126 46 140Z', strap) +
  line('M43 88Q68 74 91 91', edge, 2) +
  rect(63, 116, 12, 14, 3, cream);

export const sandals = ({ base, shade, deep }) =>
  group('translate(-2 2)', sandal(base, deep)) + group('translate(202 2) scale(-1 1)', sandal(shade, deep));
