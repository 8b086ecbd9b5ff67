// The pen of all drawings: shapes as SVG markup, and the colours of a form. A form is a
// function of a palette. It draws in a box of 200 × 200 and stands on y = 171.

export const cream = '#fbf6ec';
export const night = '#2c2735';
export const coral = '#e4572e';

/** Round numbers keep a drawing at about 1 KB. */
export const path = (d, fill, more = '') => `<path d="${d}" fill="${fill}"${more}/>`;
export const rect = (x, y, w, h, r, fill) =>
  `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="${r}" fill="${fill}"/>`;
export const oval = (x, y, rx, ry, fill, more = '') =>
  `<ellipse cx="${x}" cy="${y}" rx="${rx}" ry="${ry}" fill="${fill}"${more}/>`;
export const disc = (x, y, r, fill) => `<circle cx="${x}" cy="${y}" r="${r}" fill="${fill}"/>`;
export const line = (d, stroke, width, more = '') =>
  `<path d="${d}" fill="none" stroke="${stroke}" stroke-width="${width}" stroke-linecap="round"` +
  ` stroke-linejoin="round"${more}/>`;
export const group = (transform, ...parts) => `<g transform="${transform}">${parts.join('')}</g>`;

/** mix returns a colour between two, as "#rrggbb"; part 0 is the first, 1 the second. */
export function mix(from, to, part) {
  const channel = (colour, i) => parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16);
  const mixed = [0, 1, 2].map((i) => Math.round(channel(from, i) * (1 - part) + channel(to, i) * part));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

/** palette returns the four tones that a form is drawn with. */
export function palette(base) {
  return {
    base,
    light: mix(base, '#ffffff', 0.38),
    shade: mix(base, '#1d1830', 0.16),
    deep: mix(base, '#1d1830', 0.36),
  };
}
