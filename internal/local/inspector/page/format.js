// How numbers, times and names are written. Pure.

const space = '\u202f'; // narrow, does not break

/** count writes a whole number: 41 208. */
export const count = (n) => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, space);

/** rate writes a number a second with three digits at most: 0.3, 27.1, 188. */
export const rate = (n) => (n === 0 ? '0' : n < 99.95 ? n.toFixed(1) : count(n));

export function bytes(n) {
  if (n < 1000) return `${n} bytes`;
  if (n < 1e6) return `${(n / 1e3).toFixed(n < 1e4 ? 1 : 0)} kB`;
  return `${(n / 1e6).toFixed(1)} MB`;
}

/** ms writes a duration given in microseconds, in milliseconds without the unit. */
export function ms(us) {
  const n = us / 1000;
  return n < 10 ? n.toFixed(n < 1 ? 2 : 1) : count(n);
}

/** duration writes milliseconds in words: 350 ms, 5 s, 12 min, 2 h 5 min, 3 d. */
export function duration(n) {
  const s = Math.round(n / 1000);
  if (n < 1000) return `${Math.max(0, Math.round(n))} ms`;
  if (s < 60) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 60) return s % 60 && min < 10 ? `${min} min ${s % 60} s` : `${min} min`;
  const hours = Math.floor(min / 60);
  if (hours < 48) return min % 60 ? `${hours} h ${min % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} d`;
}

const two = (n) => String(n).padStart(2, '0');

/** clock writes the time of day of milliseconds since 1970, in this browser's zone. */
export function clock(at) {
  const d = new Date(at);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** time writes microseconds since 1970 with milliseconds: 14:59:06.008. */
export const time = (us) => `${clock(us / 1000)}.${String(Math.floor(us / 1000) % 1000).padStart(3, '0')}`;

/** ago says how long ago something was, in words that change rarely. */
export const ago = (n) => (n < 1500 ? 'now' : `${duration(n)} ago`);

/** shortId is the end of a connection's id, which tells it apart: …kPE=. */
export const shortId = (id) => (id ? `…${id.slice(-4)}` : '');

/** person is how a connection is called: the user and the end of its id. */
export const person = (user, id) => `${personName(user)} ${shortId(id)}`.trim();

/** personName is a user without the long id of a guest. */
export const personName = (user) => (!user ? '' : user.startsWith('guest:') ? 'guest' : user);

/** plural writes a number with its word: 1 line, 2 lines. */
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** percentile of numbers that are sorted; undefined of none. */
export const percentile = (sorted, p) => sorted[Math.max(0, Math.ceil((sorted.length * p) / 100) - 1)];
