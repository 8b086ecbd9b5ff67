// The path of one version as a drawing: commit, stream, batch, posts, and each accepted
// post. The scale is linear to 2 ms, then logarithmic.

import { svg } from '../dom.js';
import { ms, percentile, plural, time } from '../format.js';

const linear = 2; // ms
const share = 0.55; // of the width for the linear part
const [left, right, lane, top] = [160, 20, 26, 26];

export function drawPath(width, { change, by }) {
  const after = (at) => (at - change.at) / 1000;
  const accepted = change.posts.filter(({ status }) => status >= 200 && status < 300);
  const last = Math.max(linear, change.last ? after(change.last) : 0, change.batch ? after(change.batch) : 0);
  const most = 10 ** Math.max(1, Math.ceil(Math.log10(last * 1.05)));
  const x = (value) => {
    const room = width - left - right;
    if (value <= linear) return left + (room * share * Math.max(0, value)) / linear;
    return left + room * (share + (1 - share) * (Math.log10(value / linear) / Math.log10(most / linear)));
  };
  const nodes = [];
  const word = (px, py, words, kind = 'label', anchor = 'start') =>
    nodes.push(svg('text', { class: kind, x: px, y: py, 'text-anchor': anchor }, document.createTextNode(words)));
  const bottom = top + 5.4 * lane;
  for (const tick of [0, 0.5, 1, 1.5, 2, 10, 100, 1000, 10_000].filter((t) => t <= most)) {
    nodes.push(svg('line', { class: 'rule', x1: x(tick), x2: x(tick), y1: top - 14, y2: bottom }));
    word(x(tick), bottom + 16, String(tick), 'label', 'middle');
  }
  const stage = (i, name, from, until, words) => {
    const y = top + i * lane;
    word(12, y + 4, name, 'label strong');
    word(
      left - 8,
      y + 4,
      i === 0 ? time(change.at) : until ? `+${ms(until - change.at)} ms` : '–',
      'label mono',
      'end',
    );
    if (!until) return;
    const [a, b] = [x(after(from || until)), x(after(until))];
    nodes.push(svg('rect', { class: 'shape act', x: a, y: y - 6, width: Math.max(3, b - a), height: 12 }));
    word(Math.max(b, a + 3) + 8, y + 4, words);
  };
  stage(0, 'commit', change.at, change.at, `row written, version ${change.version ?? ''} ${by}`);
  stage(1, 'stream', change.at, change.record, 'record');
  stage(
    2,
    'batch',
    change.record,
    change.batch,
    `batch ${change.batchId}${change.attempts > 1 ? `, attempt ${change.attempts}` : ''}`,
  );
  stage(3, 'posts begin', change.batch, change.firstPost, 'first attempt');
  const y = top + 4.4 * lane;
  word(12, y + 4, 'accepted', 'label strong');
  word(left - 8, y + 4, `${change.accepted}`, 'label mono', 'end');
  accepted.forEach(({ at, conn }, i) => {
    const px = x(after(at));
    const py = y - 10 + ((i * 37) % 24);
    nodes.push(
      change.retried.has(conn)
        ? svg('rect', { class: 'shape odd', x: px - 2.5, y: py - 2.5, width: 5, height: 5 })
        : svg('circle', { class: 'shape good', cx: px, cy: py, r: 2.4 }),
    );
  });
  const straight = accepted
    .filter(({ conn }) => !change.retried.has(conn))
    .map(({ at }) => at)
    .sort((a, b) => a - b);
  if (straight.length)
    word(
      left,
      bottom + 36,
      `● ${straight.length} at once, p50 ${ms(percentile(straight, 50) - change.at)} ms`,
      'label good',
    );
  if (change.retried.size)
    word(
      width - right,
      bottom + 36,
      `■ ${change.retried.size} after a 429, last +${ms(change.last - change.at)} ms`,
      'label odd',
      'end',
    );
  const label = `Path of version ${change.version}: ${plural(change.accepted, 'accepted post')}`;
  return { height: bottom + 44, label, nodes };
}
