// Prices, dates and times, as people read them. Amounts are whole numbers of the
// currency's smallest unit, so that sums are exact.

const locale = 'en-IE'; // English words, euro in front, days before months

const formats = new Map();

function format(currency) {
  if (!formats.has(currency)) formats.set(currency, new Intl.NumberFormat(locale, { style: 'currency', currency }));
  return formats.get(currency);
}

/** digits returns how many decimal places a currency has: 2 for EUR, 0 for JPY. */
const digits = (currency) => format(currency).resolvedOptions().maximumFractionDigits;

/** parsePrice returns the amount of a catalogue's price, or null if it has none. */
export function parsePrice(price, currency) {
  const amount = Number(price);
  if (typeof price !== 'string' || price.trim() === '' || !Number.isFinite(amount)) return null;
  return Math.round(amount * 10 ** digits(currency));
}

/** money writes an amount: "€19.00". */
export const money = (amount, currency) => format(currency).format(amount / 10 ** digits(currency));

/** sum adds {amount, currency} and returns a Map of currency to amount. */
export function sum(prices) {
  const sums = new Map();
  for (const { amount, currency } of prices) sums.set(currency, (sums.get(currency) ?? 0) + amount);
  return sums;
}

/** moneyOf writes a sum. It has one text for each currency; without any, 0 of the given one. */
export function moneyOf(sums, currency) {
  if (sums.size === 0) return money(0, currency);
  return [...sums].map(([each, amount]) => money(amount, each)).join(' + ');
}

const times = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const seconds = new Intl.DateTimeFormat(locale, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const shortDates = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const longDates = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', timeZone: 'UTC' });

/** time writes ms since 1970 as "10:42", in the time of the place. */
export const time = (ms) => times.format(ms);
export const timeWithSeconds = (ms) => seconds.format(ms);

/** date writes "2026-12-12" as "12 Dec" or "12 December"; "" if it is no date. */
export function date(day, { long = false } = {}) {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(day ?? '') ? new Date(`${day}T00:00:00Z`) : null;
  if (!at || Number.isNaN(at.getTime())) return '';
  return (long ? longDates : shortDates).format(at);
}
