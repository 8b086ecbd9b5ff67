// Pictures of several things: the shelf on the first page, and the two devices.

import { svg } from '../dom.js';
import { disc, line, night, rect } from './draw.js';
import { markup } from './index.js';

/** at places the drawing of a form: its lower edge is at y, and it is size wide. */
const at = (picture, x, y, size) =>
  `<svg x="${x}" y="${y - (size * 171) / 200}" width="${size}" height="${size}" viewBox="0 0 200 200"` +
  ` overflow="visible">` +
  `${markup({ picture })}</svg>`;

/** shelf is a board with four things on it. */
export const shelf = () =>
  svg(
    '0 0 480 260',
    `<circle class="stage" cx="330" cy="120" r="170"/><rect class="board-shade" x="0" y="232" width="480"` +
      ` height="40"/>${rect(0, 220, 480, 12, 3, '#b98a5c')}${at('teapot', 6, 220, 140)}${at('vase', 118, 221, 190)}` +
      `${at('mug', 226, 220, 104)}${at('lamp', 290, 221, 156)}`,
    'shelf',
  );

/** devices shows one cart on a laptop and a phone. */
export const devices = () =>
  svg(
    '0 0 260 110',
    rect(26, 6, 136, 86, 8, night) +
      '<rect class="screen" x="34" y="14" width="120" height="70" rx="3"/>' +
      rect(12, 92, 164, 8, 4, '#6a64a8') +
      rect(200, 10, 52, 88, 9, night) +
      '<rect class="screen" x="206" y="18" width="40" height="72" rx="3"/>' +
      at('bowl', 66, 80, 56) +
      at('bowl', 211, 76, 30) +
      disc(138, 30, 11, '#3a3a95') +
      disc(237, 28, 8, '#3a3a95') +
      line('M135 30h6M138 27v6M235 28h4M237 26v4', '#ffffff', 1.6) +
      line('M174 54h18M178 49l-5 5 5 5M188 49l5 5-5 5', 'currentColor', 2.5),
    'devices-scene',
  );
