import test from 'node:test';
import assert from 'node:assert/strict';
import { Live } from '../src/live.js';

/** FakeEngine has values that a test sets, and counts what is wanted. */
class FakeEngine extends EventTarget {
  values = new Map();
  wanted = new Map();
  status = 'live';
  live = true;
  cart = { known: false, live: false, lines: new Map() };
  open() {}
  close() {}
  want(topics) {
    for (const topic of topics) this.wanted.set(topic, (this.wanted.get(topic) ?? 0) + 1);
  }
  drop(topics) {
    for (const topic of topics) this.wanted.set(topic, this.wanted.get(topic) - 1);
  }
  get(topic) {
    return this.values.get(topic);
  }
  isLive(topic) {
    return this.values.has(topic);
  }
  provenAt() {
    return null;
  }
  refusal() {}
  put(topic, value) {
    this.values.set(topic, value);
    this.dispatchEvent(new CustomEvent('change', { detail: { topics: [topic] } }));
  }
}

const opened = () => {
  const engine = new FakeEngine();
  return { engine, live: new Live({ engine }) };
};

/** reported collects what reaches the page's error handlers while a test runs. */
function reported(t) {
  const errors = [];
  globalThis.reportError = (error) => errors.push(error.message);
  t.after(() => delete globalThis.reportError);
  return errors;
}

test('a callback that throws is reported, and takes nothing from the others', (t) => {
  const errors = reported(t);
  const { engine, live } = opened();
  const end = live.subscribe(['sku:MUG'], ({ value }) => {
    throw new Error(`bad ${value}`);
  });
  const seen = [];
  live.subscribe(['sku:MUG'], ({ value }) => seen.push(value));
  engine.put('sku:MUG', 1);
  assert.deepEqual(seen, [undefined, 1]);
  assert.deepEqual(errors, ['bad undefined', 'bad 1']);
  end();
  engine.put('sku:MUG', 2);
  assert.deepEqual(seen, [undefined, 1, 2]);
  assert.equal(errors.length, 2);
  assert.equal(engine.wanted.get('sku:MUG'), 1);
});
