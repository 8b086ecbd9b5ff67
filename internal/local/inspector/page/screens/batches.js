// Batches of stream records, as the log has them.

import { odd, second } from '../dom.js';

const maxBatches = 1000;

/** batchesOf reads the batches of the log, newest first. */
export function batchesOf(store) {
  const batches = [];
  for (const event of store.newest()) {
    if (event.type !== 'batch') continue;
    const answer = store.effects(event).find(({ type }) => type === 'answer');
    const changes = store.changes.ofBatch(event.id);
    const posts = store
      .effects(event)
      .flatMap((effect) => (effect.type === 'fault' ? store.effects(effect) : [effect]))
      .filter(({ type }) => type === 'post');
    const of = (test) => posts.filter(test).length;
    batches.push({
      id: event.id,
      event,
      answer,
      changes,
      posts,
      accepted: of(({ status }) => status < 300),
      throttled: of(({ status }) => status === 429),
      gone: of(({ status }) => status === 410),
    });
    if (batches.length >= maxBatches) break;
  }
  return batches;
}

/** sourceOf names the stream that a batch came from. */
export const sourceOf = ({ event, changes }) =>
  event.note || (changes[0]?.topic?.startsWith('cart:') ? 'carts' : changes.length ? 'inventory' : '');

/** resultOf says what became of a batch. */
export function resultOf({ answer, changes, accepted, throttled, gone, event }) {
  if (!answer) return second('○ runs');
  if (answer.code || answer.status >= 400) return odd(answer.code || String(answer.status));
  const left = changes.some(({ retried, posts }) =>
    [...retried].some((conn) => !posts.some((p) => p.conn === conn && p.status < 300)),
  );
  if (left) return odd('some marked');
  if (gone) return odd(`${gone} gone`);
  if (accepted === 0 && throttled === 0) return second('○ seen by nobody');
  return event.attempt > 1 ? odd(`attempt ${event.attempt}`) : { kind: 'good', text: '✓' };
}

/** attemptsOf counts the posts of a batch by the attempt: [{attempt, accepted, refused}]. */
export function attemptsOf({ posts }) {
  const byConn = new Map();
  const rows = [];
  for (const { conn, status } of posts) {
    const attempt = (byConn.get(conn) ?? 0) + 1;
    byConn.set(conn, attempt);
    rows[attempt - 1] ??= { attempt, accepted: 0, refused: 0 };
    if (status < 300) rows[attempt - 1].accepted++;
    else rows[attempt - 1].refused++;
  }
  return rows;
}
