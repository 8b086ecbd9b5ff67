// Events for tests.

/** Log makes events with ids and times that rise. */
export class Log {
  id = 0;
  at = 1_800_000_000_000_000;

  event(type, fields = {}) {
    this.at += 100;
    return { id: ++this.id, at: this.at, type, ...fields };
  }

  delta(topic, version, conn, more = {}) {
    const text = JSON.stringify({
      type: 'delta',
      epoch: 'k3',
      topics: { [topic]: { version, state: 'low', quantity: 3 } },
    });
    return this.event('out', { dir: 'out', conn, topic, version, text, bytes: text.length, ...more });
  }

  /** change is an admin write and all that follows, to connections; the first post to refused gets a 429. */
  change(topic, version, connections, { refused = '' } = {}) {
    const admin = this.event('admin', { note: `PUT /admin/stock/${topic.slice(4)}` });
    const row = this.event('row', { cause: [admin.id], topic, version });
    const record = this.event('record', { cause: [row.id], topic, version });
    const batch = this.event('batch', { cause: [record.id], count: 1 });
    const posts = connections.flatMap((conn) => {
      const first = [];
      if (conn === refused) {
        const fault = this.event('fault', { cause: [batch.id], code: 'throttle', conn });
        first.push(
          fault,
          this.event('post', { cause: [fault.id], conn, topic, version, status: 429, code: 'throttled' }),
        );
      }
      const post = this.event('post', { cause: [batch.id], conn, topic, version, status: 200, took: 20 });
      return [...first, post, this.delta(topic, version, conn, { cause: [post.id] })];
    });
    return [admin, row, record, batch, ...posts, this.event('answer', { cause: [batch.id], status: 200, took: 700 })];
  }
}
