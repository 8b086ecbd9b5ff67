// Small signs in the colour of the text: 20 × 20 for controls, 12 × 12 for the marks of badges.

import { svg } from '../dom.js';
import { coral, cream } from './draw.js';

const stroke = (d, width = 1.8) =>
  `<path d="${d}" fill="none" stroke="currentColor" stroke-width="${width}" stroke-linecap="round"` +
  ' stroke-linejoin="round"/>';
const ring = (more = '') =>
  `<circle cx="6" cy="6" r="4.6" fill="none" stroke="currentColor" stroke-width="1.5"${more}/>`;

const icons = {
  search: stroke('M8.7 14.2a5.5 5.5 0 1 1 0-11 5.5 5.5 0 0 1 0 11ZM12.8 12.8 17 17'),
  person: stroke('M10 9.6a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4ZM4 17c.6-3.4 3-5 6-5s5.4 1.6 6 5'),
  bag: stroke('M3.6 7h12.8l-1.1 8.3a2 2 0 0 1-2 1.7H6.7a2 2 0 0 1-2-1.7ZM7 9V6a3 3 0 0 1 6 0v3'),
  back: stroke('M12.5 4 6.5 10l6 6', 2),
  check: stroke('M4 10.5l4 4 8-9', 2),
  warn: stroke('M10 3 18 16.5H2ZM10 8v4M10 14.3v.1'),
  stop: stroke('M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM5.2 5.2l9.6 9.6'),
  info: stroke('M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 9.2V13.5M10 6.5v.1'),
  clock: stroke('M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 6v4l2.8 1.8'),
  sync: stroke('M4 8.5a6.3 6.3 0 0 1 11-2.5L17 8M17 4v4h-4M16 11.5a6.3 6.3 0 0 1-11 2.5L3 12M3 16v-4h4'),
  devices: stroke(
    'M8 14H3.5a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1H13a1 1 0 0 1 1 1v2M11 9h5.5a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H11' +
      'a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1Z',
  ),
  off: stroke('M3 3l14 14M2.5 8.5A11 11 0 0 1 6.5 6M9.5 5a11 11 0 0 1 8 3.5M5.5 11.5a7 7 0 0 1 3-1.7M10 16v.1'),
};

const marks = {
  in: '<circle cx="6" cy="6" r="5" fill="currentColor"/>',
  low: `${ring()}<path d="M6 1.4a4.6 4.6 0 0 0 0 9.2Z" fill="currentColor"/>`,
  out: ring() + stroke('M3 3l6 6', 1.5),
  back: stroke('M9.8 4A4.5 4.5 0 1 0 10.5 7M10.3 1.2V4.3H7.2', 1.5),
  stale: ring() + stroke('M6 3.5V6.2l1.7 1', 1.2),
  asking: ring(' stroke-dasharray="1.6 2"'),
  unknown: ring(' stroke-dasharray="1.6 2"'),
  denied: stroke('M1.5 6h9'),
  hollow: ring(),
};

export const icon = (name) => svg('0 0 20 20', icons[name], 'icon');
export const mark = (kind) => svg('0 0 12 12', marks[kind], 'mark');

/** logo is a shelf with two things on it. */
export const logo = () =>
  svg(
    '0 0 32 32',
    `<rect width="32" height="32" rx="8" fill="${coral}"/><rect x="5" y="21" width="22" height="3" rx="1.5"` +
      ` fill="#fff"/><rect x="8" y="12" width="7" height="9" rx="2" fill="#fff"/><circle cx="20.5" cy="15.5" r="5.5"` +
      ` fill="#ffd9a8"/><path d="M15 14h2.5" stroke="${cream}" stroke-width="2"/>`,
    'logo',
  );
