// What the shop says about stock. A view of a SKU is {value, live, at, refusal, reachable}:
// the newest value, whether it is proved now, when it was proved last (ms since 1970), why
// there is none, and whether the shop can be reached. The kinds of a badge:
//
//   in, low, out, back   proved now
//   stale                the last proof is over; the text has its time
//   asking, unknown      nothing is known, with and without a connection
//   denied               the shop shows no stock of this

import { date, time } from './money.js';
import { words } from './words.js';

/** Only these refusals say something about the item. Others say nothing about its stock. */
const refusals = new Set(['denied', 'bad_topic']);

/** badgeOf returns {kind, text} for the views of one SKU or of all versions of a product. */
export function badgeOf(views) {
  const known = views.filter(({ value, refusal }) => value || !refusals.has(refusal));
  if (known.length === 0) return { kind: 'denied', text: words.stock.denied };
  if (known.some(({ value }) => !value)) return nothingKnown(known.every(({ reachable }) => reachable));
  const live = known.every((view) => view.live);
  const {
    kind,
    text,
    textAt = text,
  } = known.length === 1 ? one(known[0].value) : several(known.map(({ value }) => value));
  if (live) return { kind, text };
  const at = Math.min(...known.map((view) => view.at ?? Infinity));
  return { kind: 'stale', text: Number.isFinite(at) ? words.at(textAt, time(at)) : textAt };
}

const nothingKnown = (reachable) =>
  reachable ? { kind: 'asking', text: words.stock.asking } : { kind: 'unknown', text: words.stock.unknown };

function one({ state, quantity, until }) {
  switch (state) {
    case 'in':
      return { kind: 'in', text: words.stock.in };
    case 'low':
      return { kind: 'low', text: words.stock.low(quantity) };
    case 'out':
      return { kind: 'out', text: words.stock.out };
    case 'back':
      return { kind: 'back', text: words.stock.back(date(until)), textAt: words.stock.back('') };
  }
  return { kind: 'asking', text: words.stock.asking }; // a state of a newer shop
}

function several(values) {
  const count = (state) => values.filter((value) => value.state === state).length;
  if (count('out') === values.length) return { kind: 'out', text: words.stock.out };
  if (count('out') > 0) return { kind: 'low', text: words.stock.someOut, textAt: words.stock.someOutAt };
  if (count('low') === values.length) return { kind: 'low', text: words.stock.fewLeft };
  if (count('back') === values.length) return { kind: 'back', text: words.stock.back('') };
  return { kind: 'in', text: words.stock.in };
}

/** isSoldOut reports whether it is proved now that none of the views can be ordered. */
export function isSoldOut(views) {
  return views.length > 0 && views.every(({ value, live }) => live && value?.state === 'out');
}

/**
 * orderable returns how many pieces can be ordered as far as is proved now. What is not
 * known limits nothing: the shop decides.
 */
export function orderable({ value, live }) {
  if (!live || !value) return Infinity;
  if (value.state === 'out') return 0;
  return value.state === 'low' && value.quantity !== undefined ? value.quantity : Infinity;
}
