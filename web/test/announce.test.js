import test from 'node:test';
import assert from 'node:assert/strict';

/** listen returns what a fake page's live region says, in its order. */
async function listen(t) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const said = [];
  const region = {
    setAttribute() {},
    attachShadow: () => ({ append() {} }),
    set textContent(text) {
      if (text) said.push(text);
    },
  };
  const fakes = {
    CSSStyleSheet: class {
      replaceSync() {}
    },
    document: { createElement: () => region, body: { append() {} } },
    requestAnimationFrame: (f) => f(),
  };
  Object.assign(globalThis, fakes);
  t.after(() => Object.keys(fakes).forEach((name) => delete globalThis[name]));
  const { announce } = await import('../src/elements/announce.js');
  return { said, announce, tick: (ms) => t.mock.timers.tick(ms) };
}

test('sentences are said one after the other, the newest about each subject, in the order of the subjects', async (t) => {
  const { said, announce, tick } = await listen(t);
  announce('MUG', 'Mug: Only 3 left');
  announce('CAP', 'Cap: Sold out');
  announce('MUG', 'Mug: Only 2 left');
  announce('TEE', 'Tee: In stock');
  tick(100);
  assert.deepEqual(said, ['Mug: Only 2 left']);
  tick(2_999);
  assert.equal(said.length, 1, 'time to listen');
  tick(1);
  assert.deepEqual(said.slice(1), ['Cap: Sold out']);
  // What changes all the time does not wait for ever.
  announce('CAP', 'Cap: In stock');
  for (let i = 0; i < 3; i++) {
    announce('TEE', `Tee: Only ${3 - i} left`);
    tick(1_000);
  }
  assert.deepEqual(said.slice(2), ['Tee: Only 1 left']);
  tick(3_000);
  assert.deepEqual(said.slice(3), ['Cap: In stock']);
  tick(3_000);
  announce('MUG', 'Mug: Only 1 left');
  tick(3_000);
  assert.deepEqual(said.slice(4), ['Mug: Only 1 left']);
});
