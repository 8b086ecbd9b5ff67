// What the cart says: of each line, and of all together. No DOM here.
//
// A line is {quantity, confirmed, pending, error} as the module keeps it, a view what is
// known of its stock (stock.js).

import { date, sum } from './money.js';
import { orderable } from './stock.js';
import { words } from './words.js';

/** countPieces returns how many pieces a person has asked for. */
export function countPieces(lines) {
  let pieces = 0;
  for (const { quantity } of lines.values()) pieces += quantity;
  return pieces;
}

/** counted returns the pieces of a line that are saved and can be ordered. */
export const counted = (line, view) => Math.min(line.confirmed, orderable(view));

/** trouble says why a line cannot be ordered as it is: "out", "short" or null. */
export function trouble(line, view) {
  const can = orderable(view);
  if (line.confirmed === 0 || line.quantity === 0 || can >= Math.min(line.confirmed, line.quantity)) return null;
  return can === 0 ? 'out' : 'short';
}

/** note says what becomes of a change that has no answer, or "". */
export function note({ quantity, confirmed, pending }) {
  const { line } = words;
  switch (pending) {
    case 'sent':
      if (quantity === 0) return line.savingGone;
      return confirmed === 0 ? line.savingNew : line.saving(confirmed, quantity);
    case 'waiting':
      if (quantity === 0) return line.waitingGone;
      return confirmed === 0 ? line.waitingNew : line.waiting(confirmed, quantity);
    case 'uncertain':
      return line.uncertain(confirmed, quantity);
  }
  return '';
}

/**
 * message returns what a person should know about a line: {kind, text, action}, or null.
 * kind: bad, warn, info or quiet. action: {text, quantity} is a button that sets the line.
 */
export function message(line, view, { kept = true, maker = '', most = 999 } = {}) {
  const { quantity, confirmed, pending, error } = line;
  switch (trouble(line, view)) {
    case 'out':
      return { kind: 'bad', text: words.line.out };
    case 'short': {
      const left = orderable(view);
      return {
        kind: 'warn',
        text: words.line.short(confirmed, left),
        action: { text: words.line.keep(left), quantity: left },
      };
    }
  }
  if (pending === 'uncertain') return { kind: 'warn', text: words.line.asking };
  if (pending === 'waiting' && !kept) return { kind: 'warn', text: words.cart.notKept };
  if (pending === 'waiting') return { kind: 'quiet', text: confirmed === 0 ? words.line.keptNew : words.line.kept };
  if (error) return errorMessage(error, confirmed, most);
  if (quantity > 0 && view.live && view.value?.state === 'back') {
    return { kind: 'quiet', text: words.line.back(maker, date(view.value.until, { long: true })) };
  }
  return null;
}

function errorMessage({ code, wanted, got }, confirmed, most) {
  switch (code) {
    case 'clamped':
      return { kind: 'warn', text: got === most ? words.line.most(most) : words.line.clamped(wanted, got) };
    case 'no_stock':
      return { kind: 'bad', text: words.line.noStock(confirmed) };
    case 'conflict':
      return {
        kind: 'info',
        text: words.line.conflict(wanted, got ?? confirmed),
        action: { text: words.line.makeIt(wanted), quantity: wanted },
      };
  }
  return { kind: 'bad', text: words.line.failed(words.error({ code })) };
}

/** amountOf returns what the price column of a line says: {amount, text, struck}; amount null: a dash. */
export function amountOf(line, view, price) {
  const pieces = counted(line, view);
  if (line.confirmed === 0) return { amount: null, text: words.line.notSaved, struck: false };
  if (pieces === 0) return { amount: line.confirmed * price, text: words.line.notInTotal, struck: true };
  if (pieces < line.confirmed)
    return { amount: pieces * price, text: words.line.forSomeOf(pieces, line.confirmed), struck: false };
  const text = line.quantity === line.confirmed ? '' : words.line.forSome(pieces);
  return { amount: pieces * price, text, struck: false };
}

/**
 * totals counts a cart: what is saved and can be ordered, and what is not. needs and
 * waiting name the lines that keep the checkout closed, with the reason.
 */
export function totals(lines, viewOf, itemOf) {
  const all = {
    lines: lines.size,
    items: countPieces(lines),
    counted: 0,
    unsaved: 0,
    left: 0,
    sums: new Map(),
    needs: [],
    waiting: [],
  };
  const prices = [];
  for (const [sku, line] of lines) {
    const view = viewOf(sku);
    const pieces = counted(line, view);
    all.counted += pieces;
    all.left += line.confirmed - pieces;
    all.unsaved += Math.max(0, line.quantity - line.confirmed);
    const item = itemOf(sku);
    if (item && item.amount !== null && pieces > 0)
      prices.push({ amount: item.amount * pieces, currency: item.currency });
    const why = trouble(line, view);
    if (why === 'out') all.needs.push({ sku, why: words.line.why.out });
    else if (why === 'short') all.needs.push({ sku, why: words.line.why.short(line.confirmed, orderable(view)) });
    else if (line.pending) all.waiting.push({ sku, why: pendingWords[line.pending] });
  }
  all.sums = sum(prices);
  return all;
}

const pendingWords = {
  sent: words.line.why.saving,
  waiting: words.line.why.waiting,
  uncertain: words.line.why.uncertain,
};

/** closedBecause says why a cart cannot be ordered now: a key of words.cart.why, or null if it can. */
export function closedBecause(all, { live, pending }) {
  if (!live) return 'offline';
  if (all.items === 0) return 'empty';
  const waits = pending > 0 || all.waiting.length > 0;
  if (all.needs.length > 0) return waits ? 'both' : 'needs';
  return waits ? 'pending' : null;
}

/** removedElsewhere returns a line that another device has removed between two looks: {sku, quantity}, or null. */
export function removedElsewhere(before, now) {
  for (const [sku, { confirmed, pending }] of before) {
    if (confirmed > 0 && pending === null && !now.has(sku)) return { sku, quantity: confirmed };
  }
  return null;
}
