import test from 'node:test';
import assert from 'node:assert/strict';
import { Live } from '../src/live.js';
import { drain } from '../fake/clock.js';

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
  written = [];
  async write(message) {
    this.written.push(message);
    return { type: 'ok' };
  }
  dismiss() {}
  async settled() {}
  put(topic, value) {
    this.values.set(topic, value);
    this.dispatchEvent(new CustomEvent('change', { detail: { topics: [topic] } }));
  }
}

const opened = () => {
  const engine = new FakeEngine();
  return { engine, live: new Live({ engine }) };
};

test('the first use of the cart subscribes to it, once; its events do not', async () => {
  for (const use of [(cart) => cart.state, (cart) => cart.add('MUG'), (cart) => cart.dismiss('MUG'), (cart) => cart.settled()]) {
    const { engine, live } = opened();
    let state;
    live.addEventListener('cart', ({ detail }) => (state = detail.state));
    engine.dispatchEvent(new CustomEvent('cart', { detail: {} }));
    assert.equal(state, engine.cart);
    assert.equal(engine.wanted.get('cart'), undefined, 'a page without a cart has no topic of it');
    use(live.cart);
    use(live.cart);
    assert.equal(engine.wanted.get('cart'), 1);
  }
});

test('a checkout is based on the cart that the server has, also if it is the first use', async () => {
  const { engine, live } = opened();
  const done = live.cart.checkout();
  await drain();
  assert.deepEqual(engine.written, [], 'the cart is not known');
  engine.put('sku:MUG', { version: 3 });
  await drain();
  assert.deepEqual(engine.written, [], 'that is not the cart');
  engine.put('cart', { version: 17, lines: new Map() });
  await done;
  assert.deepEqual(engine.written, [{ action: 'checkout', version: 17 }]);
  await live.cart.checkout({ version: 4 });
  assert.deepEqual(engine.written.at(-1), { action: 'checkout', version: 4 });
});

test('a checkout waits for no cart that will not come', async () => {
  for (const end of [
    (engine) => {
      engine.refusal = () => 'denied';
      engine.dispatchEvent(new CustomEvent('refused', { detail: { topic: 'cart', code: 'denied' } }));
    },
    (engine) => {
      engine.status = 'closed';
      engine.dispatchEvent(new CustomEvent('status', { detail: { status: 'closed' } }));
    },
  ]) {
    const { engine, live } = opened();
    const done = live.cart.checkout();
    await drain();
    end(engine);
    await done;
    assert.deepEqual(engine.written, [{ action: 'checkout' }], 'the engine says what is wrong');
  }
  const { engine, live } = opened();
  const stop = new AbortController();
  const done = live.cart.checkout({ signal: stop.signal });
  await drain();
  stop.abort(new Error('not now'));
  await assert.rejects(done, /not now/);
  assert.deepEqual(engine.written, []);
});

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

test('the same callback twice is two subscriptions, and each has its own end', () => {
  const { engine, live } = opened();
  const seen = [];
  const callback = ({ value }) => seen.push(value);
  const ends = [live.subscribe(['sku:MUG'], callback), live.subscribe(['sku:MUG'], callback)];
  engine.put('sku:MUG', 1);
  assert.deepEqual(seen.splice(0), [undefined, undefined, 1, 1]);
  ends[0]();
  ends[0]();
  engine.put('sku:MUG', 2);
  assert.deepEqual(seen.splice(0), [2]);
  assert.equal(engine.wanted.get('sku:MUG'), 1);
  ends[1]();
  engine.put('sku:MUG', 3);
  assert.deepEqual(seen, []);
  assert.equal(engine.wanted.get('sku:MUG'), 0);
});

test('a subscription that a callback ends hears nothing more, not even of the same change', () => {
  const { engine, live } = opened();
  const seen = [];
  let end = () => {};
  live.subscribe(['sku:MUG'], () => end());
  end = live.subscribe(['sku:MUG'], ({ value }) => seen.push(value));
  engine.put('sku:MUG', 1);
  assert.deepEqual(seen, [undefined]);
});
