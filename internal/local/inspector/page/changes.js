// What became of each changed row: when its record, batch and posts came. Pure. It follows
// the causes of events: row → record → batch → post, with a fault between batch and post if
// one hit, and a sweep between two batches for a crowd.

const maxChanges = 2000; // of all topics
const maxPosts = 500; // that are kept of one change; all are counted

/** Change is the way of one version of a topic. Times are µs since 1970. */
function newChange(row) {
  return {
    id: row.id,
    topic: row.topic,
    version: row.version,
    at: row.at,
    note: row.note ?? '',
    cause: row.cause ?? [],
    record: 0,
    batch: 0, // when its first batch began
    batchId: 0, // of the last one
    attempts: 0, // of the batch
    into: 0, // the version of the same batch that went out in its place; 0: none
    posts: [], // {id, at, conn, status, attempt}
    firstPost: 0,
    last: 0, // of accepted posts
    accepted: 0,
    refused: 0,
    gone: 0, // attempts by what became of them
    retried: new Set(), // connections with a 429
  };
}

export class Changes {
  #byRow = new Map(); // id of the row's event: change
  #carriers = new Map(); // id of a record, batch, fault or sweep: the changes that it carries
  #byTopic = new Map(); // topic: changes, oldest first

  /** all lists changes, oldest first. */
  all() {
    return [...this.#byRow.values()];
  }

  get(rowId) {
    return this.#byRow.get(rowId);
  }

  ofTopic(topic) {
    return this.#byTopic.get(topic) ?? [];
  }

  /** ofBatch lists the changes that a batch carried. */
  ofBatch(batchId) {
    return this.#carriers.get(batchId) ?? [];
  }

  add(event) {
    switch (event.type) {
      case 'row':
        return this.#row(event);
      case 'record':
      case 'fault':
      case 'sweep':
        return this.#carry(event);
      case 'batch':
        return this.#batch(event);
      case 'post':
        return this.#post(event);
    }
  }

  #row(event) {
    if (!event.topic) return;
    const change = newChange(event);
    this.#byRow.set(event.id, change);
    const list = this.#byTopic.get(event.topic);
    if (list) list.push(change);
    else this.#byTopic.set(event.topic, [change]);
    if (this.#byRow.size > maxChanges) this.#forget();
  }

  /** #carry lists the changes that led to an event. */
  #carry(event) {
    const found = new Set();
    for (const id of event.cause ?? []) {
      const row = this.#byRow.get(id);
      if (row) found.add(row);
      for (const change of this.#carriers.get(id) ?? []) found.add(change);
    }
    if (found.size === 0) return [];
    const changes = [...found];
    this.#carriers.set(event.id, changes);
    if (event.type === 'record') for (const change of changes) change.record ||= event.at;
    return changes;
  }

  #batch(event) {
    const all = this.#carry(event);
    for (const change of all) {
      const newest = Math.max(...all.filter(({ topic }) => topic === change.topic).map(({ version }) => version));
      if (newest > change.version) change.into = newest;
      change.batch ||= event.at;
      change.batchId = event.id;
      change.attempts = Math.max(change.attempts, event.attempt ?? 1);
    }
  }

  #post(event) {
    for (const id of event.cause ?? []) {
      const all = this.#carriers.get(id) ?? [];
      for (const change of all) if (covers(event, change, all)) post(change, event);
    }
  }

  #forget() {
    const [id, change] = this.#byRow.entries().next().value;
    this.#byRow.delete(id);
    const list = this.#byTopic.get(change.topic);
    list.shift();
    if (list.length === 0) this.#byTopic.delete(change.topic);
    for (const [carrier, changes] of this.#carriers) {
      if (!changes.includes(change)) break; // carriers come in the order of rows
      this.#carriers.delete(carrier);
    }
  }
}

/**
 * covers reports whether a post carries a change. A batch with one change, or a post that
 * names no topic, leaves no doubt; a newer version of the topic covers an older one.
 */
function covers(event, change, all) {
  if (all.length === 1) return true;
  if (event.topic && event.topic !== change.topic && !(event.text ?? '').includes(`"${change.topic}"`)) return false;
  return !all.some((other) => other.topic === change.topic && other.version > change.version);
}

function post(change, event) {
  const status = event.status ?? 0;
  change.firstPost ||= event.at - (event.took ?? 0);
  if (change.posts.length < maxPosts) {
    change.posts.push({ id: event.id, at: event.at, conn: event.conn, status, attempt: event.attempt ?? 1 });
  }
  if (status >= 200 && status < 300) {
    change.accepted++;
    change.last = Math.max(change.last, event.at);
  } else if (status === 410) change.gone++;
  else {
    change.refused++;
    if (status === 429) change.retried.add(event.conn);
  }
}
