// The words that people read, in English. A page may replace them:
//
//   live.words.out = () => 'ausverkauft';
//
// Each is a function of one object. n and m are formatted numbers.

export const words = {
  // Badges
  in: () => 'In stock',
  inCount: ({ n }) => `In stock (${n})`,
  low: ({ n }) => `Only ${n} left`,
  few: () => 'Only a few left',
  out: () => 'Sold out',
  back: () => 'Back order',
  backUntil: ({ date }) => `Back order, ${date}`,
  asking: () => 'Checking stock…',
  unknown: () => 'Stock not known',
  denied: () => 'No stock shown',
  at: ({ time }) => `at ${time}`,
  named: ({ name, text }) => `${name}: ${text}`,

  // The connection
  disconnected: () => 'The connection is lost. What you see is as it was.',
  reconnected: () => 'The connection is back.',

  // The cart
  pieces: ({ n, one }) => (one ? '1 item' : `${n} items`),
  noCart: () => 'Loading the cart…',
  empty: () => 'Your cart is empty.',
  fewer: ({ name }) => `One fewer: ${name}`,
  more: ({ name }) => `One more: ${name}`,
  quantity: ({ name }) => `Quantity of ${name}`,
  remove: () => 'Remove',
  removeName: ({ name }) => `Remove: ${name}`,
  dismiss: () => 'OK',
  dismissName: ({ name }) => `OK: ${name}`,

  // What a line of the cart has to say
  saving: ({ n, m }) => `Saving: ${n} becomes ${m}`,
  waiting: ({ n, m }) => `Waiting: ${n} becomes ${m}. It is sent when you are back online.`,
  uncertain: ({ n, m }) => `Not confirmed: ${n} becomes ${m}. We are asking the shop.`,
  clamped: ({ n, m }) => `You asked for ${m}. Only ${n} are left, so ${n} are in your cart.`,
  granted: ({ n, m }) => `You asked for ${m}. ${n} are in your cart.`,
  most: ({ n }) => `${n} of one product is the most.`,
  nothingAdded: ({ n }) => `Sold out. Nothing was added; your ${n} stay in the cart.`,
  fellBelow: ({ n, m }) => `${m} in your cart, only ${n} left.`,
  soldOut: () => 'Sold out while it was in your cart.',
  conflict: ({ n, m }) => `You typed ${m} here while another device set ${n}. The cart says ${n}.`,
  full: () => 'Your cart is full. Remove a line first.',
  failed: () => 'That change was not made. Please try again.',
};

/** formatOf returns functions that write numbers, dates and times in a language. */
export function formatOf(lang) {
  return {
    number: (n) => format(lang, 'number', n),
    /** day writes "2026-12-24"; undefined for what is no date. */
    day(text) {
      const day = /^\d{4}-\d\d-\d\d$/.test(text ?? '') ? new Date(`${text}T00:00:00Z`) : undefined;
      return day && !Number.isNaN(day.getTime()) ? format(lang, 'day', day) : undefined;
    },
    /** moment writes the time of today, or the day of an earlier moment. */
    moment(ms, now = Date.now()) {
      const sameDay = new Date(ms).toDateString() === new Date(now).toDateString();
      return format(lang, sameDay ? 'time' : 'dayTime', ms);
    },
  };
}

const makers = {
  number: (lang) => new Intl.NumberFormat(lang),
  day: (lang) => new Intl.DateTimeFormat(lang, { day: 'numeric', month: 'short', timeZone: 'UTC' }),
  time: (lang) => new Intl.DateTimeFormat(lang, { hour: '2-digit', minute: '2-digit' }),
  dayTime: (lang) => new Intl.DateTimeFormat(lang, { day: 'numeric', month: 'short' }),
};

const formats = new Map(); // "number en" -> the format

/** format writes a value. Each format is made when it is needed: one takes milliseconds. */
function format(lang, kind, value) {
  const key = `${kind} ${lang}`;
  if (!formats.has(key)) {
    let made;
    try {
      made = makers[kind](lang || undefined);
    } catch {
      made = makers[kind](); // not a language
    }
    formats.set(key, made);
  }
  return formats.get(key).format(value);
}

/** While the connection is so, nobody asks for stock. */
const resting = new Set(['offline', 'waiting', 'closed']);

/**
 * lookOf decides what a badge says: its state, its text, whether the text was proved and
 * is not any more (stale), and when (time). Only what the server said about the item is a
 * word about stock: a limit, an error or a lost connection is not.
 */
export function lookOf({ value, live, provenAt, refusal }, status, table, format) {
  const hidden = refusal === 'denied' || refusal === 'bad_topic';
  const say = (state, fields) => ({ state, text: table[state](fields), stale: false, time: '' });
  if (!value || (hidden && !provenAt)) {
    if (hidden) return say('denied');
    return { ...say(resting.has(status) ? 'unknown' : 'asking'), state: 'unknown' };
  }
  const { state, quantity, until } = value;
  const n = quantity === undefined ? undefined : format.number(quantity);
  const date = live ? format.day(until) : undefined;
  const text = {
    in: () => (n === undefined ? table.in({}) : table.inCount({ n })),
    low: () => (n === undefined ? table.few({}) : table.low({ n })),
    out: () => table.out({}),
    back: () => (date ? table.backUntil({ date }) : table.back({})),
  }[state];
  if (!text) return { ...say('unknown'), state: 'unknown' };
  return {
    state,
    text: text(),
    stale: !live,
    get time() {
      return !live && provenAt ? table.at({ time: format.moment(provenAt) }) : '';
    },
  };
}

/** piecesOf returns how many pieces a cart has, with the person's own changes. */
export function piecesOf({ lines }) {
  let n = 0;
  for (const line of lines.values()) n += line.quantity;
  return n;
}

/**
 * lineNote returns what a line of the cart has to say: {about, text}. about is "change" (one
 * that is under way), "error" (a change was not made as the person wanted it), "stock", or
 * null: nothing. stock is the news of the line's SKU. The newest matter comes first.
 */
export function lineNote(line, stock, online, table, format) {
  const { quantity, confirmed, pending, error } = line;
  const number = (n) => format.number(n ?? 0);
  const step = { n: number(confirmed), m: number(quantity) };
  if (pending === 'uncertain') return { about: 'change', text: table.uncertain(step) };
  if (pending && confirmed !== quantity) {
    return { about: 'change', text: table[pending === 'waiting' && !online ? 'waiting' : 'saving'](step) };
  }
  const now = stock.live ? stock.value : undefined;
  const word = error && wordOf(error, quantity, now);
  if (word) {
    const known = word === 'nothingAdded' ? { n: number(confirmed) } : { n: number(error.got), m: number(error.wanted) };
    return { about: 'error', text: table[word](known) };
  }
  if (now?.state === 'out') return { about: 'stock', text: table.soldOut({}) };
  if (now?.state === 'low' && now.quantity < quantity) {
    return { about: 'stock', text: table.fellBelow({ n: number(now.quantity), m: number(quantity) }) };
  }
  return { about: null, text: '' };
}

/** The most pieces of a line, whatever the stock. */
const mostOfLine = 999;

/**
 * wordOf returns the word for an error, or null if it is not true any more: stock or the line
 * has changed since. now is the proved stock, undefined if nobody knows it.
 */
function wordOf({ code, got }, quantity, now) {
  switch (code) {
    case 'clamped':
      if (quantity !== got) return null;
      if (got >= mostOfLine) return 'most';
      if (!now) return 'granted';
      // The server grants what a badge shows, and limits nothing but what is low.
      return now.state === 'low' && now.quantity === got ? 'clamped' : null;
    case 'no_stock':
      if (!now) return 'failed';
      return now.state === 'out' ? 'nothingAdded' : null;
    case 'conflict':
      return quantity === (got ?? 0) ? 'conflict' : null;
    case 'limit':
      return 'full';
    default:
      return 'failed';
  }
}
