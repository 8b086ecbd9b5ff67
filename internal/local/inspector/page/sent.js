// What connections were sent, as far as the log of this page goes, and why something did
// not come. Pure.

import { ms, plural, time } from './format.js';
import { parsed } from './meaning.js';

/** versionIn is the version of a topic in a frame of the server. */
function versionIn(event, topic, name) {
  if (event.topic === topic && event.version) return event.version;
  const message = parsed(event.text);
  const value = message?.topics?.[topic] ?? message?.topics?.[name];
  return value?.version ?? (event.topic === topic && message?.type === 'ok' ? message.version : undefined);
}

/** nameIn is what a topic is called in frames to its owner: a cart is "cart". */
const nameIn = (topic) => (topic.startsWith('cart:') ? 'cart' : topic);

/** sentVersions returns by connection what it was sent last of a topic: {version, at, id, type}. */
export function sentVersions(store, topic) {
  const sent = new Map();
  const isCart = topic.startsWith('cart:');
  for (const event of store.newest()) {
    if (event.type !== 'out' || sent.has(event.conn)) continue;
    if (event.topic !== topic && !(event.text ?? '').includes(`"${topic}"`)) continue;
    const version = versionIn(event, topic, isCart && event.topic === topic ? 'cart' : topic);
    if (version !== undefined) sent.set(event.conn, { version, at: event.at, id: event.id });
  }
  return sent;
}

/** sentOf returns by topic what one connection was sent last. */
export function sentOf(frames, topics) {
  const sent = new Map();
  for (const event of frames) {
    if (event.type !== 'out') continue;
    for (const topic of topics) {
      if (sent.has(topic)) continue;
      const version = versionIn(event, topic, nameIn(topic));
      if (version !== undefined)
        sent.set(topic, { version, at: event.at, id: event.id, delta: /"type":"delta"/.test(event.text) });
    }
  }
  return sent;
}

/** framesOf lists the newest events of a connection, newest first. */
export function framesOf(store, conn, max = 200) {
  const frames = [];
  for (const event of store.newest()) {
    if (event.conn !== conn) continue;
    frames.push(event);
    if (frames.length >= max) break;
  }
  return frames;
}

/** wayOf writes the stages of a change on one line. */
export function wayOf(change) {
  const after = (at) => ms(at - change.at);
  const stages = [`commit ${time(change.at)}`];
  if (change.record) stages.push(`stream ${after(change.record)}`);
  if (change.batch) stages.push(`batch ${after(change.batch)}`);
  if (change.last) stages.push(`accepted ${after(change.last)} ms`);
  return stages.join(' > ');
}

/**
 * why explains to an operator what a connection has of a topic. sent is what it was sent,
 * now the newest version; both may be unknown.
 */
export function why({ store, topic, conn, subscribed, sent, now }) {
  const change = store.changes.ofTopic(topic).at(-1);
  const newest = Math.max(now ?? 0, change?.version ?? 0) || undefined;
  const head = newest === undefined ? topic : `${topic} v${newest}${change ? `, committed ${time(change.at)}` : ''}`;
  if (!subscribed) return [head, 'not subscribed: the client has to send subscribe'];
  if (sent === undefined)
    return [head, 'nothing was sent to it since this page opened, and nothing is missing in the log'];
  if (newest === undefined || sent.version >= newest) {
    const lines = [head, `it has the newest, v${sent.version}, sent ${time(sent.at)}`];
    return change ? [...lines, `  ${wayOf(change)}`] : lines;
  }
  return [head, ...behind(store, change, conn, sent)];
}

function behind(store, change, conn, sent) {
  const has = `it has v${sent.version}, sent ${time(sent.at)}`;
  if (!change) return [has, 'the change is older than this page'];
  if (!change.record) return [has, 'the row is written, its stream record has not come'];
  if (!change.batch) return [has, 'the record waits for a batch'];
  const posts = change.posts.filter((post) => post.conn === conn);
  if (posts.length === 0) return [has, 'its batch began; no post to this connection is in the log'];
  const refused = posts.filter(({ status }) => status >= 300);
  if (refused.length === 0) return [has, 'the post was accepted; the frame waits to be written'];
  const last = refused.at(-1);
  const fault = refused.some(({ id }) => store.causes(store.get(id) ?? {}).some(({ type }) => type === 'fault'));
  return [
    has,
    `the post of v${change.version} was answered ${last.status}, ${plural(refused.length, 'time')}${fault ? ' (a fault on purpose)' : ''}`,
    last.status === 410
      ? 'the connection is gone'
      : 'it is marked: healing comes within a minute, or with its next subscribe',
  ];
}
