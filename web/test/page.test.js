import test from 'node:test';
import assert from 'node:assert/strict';
import { join, paintSoon, use, watch } from '../src/elements/page.js';

/** reported collects what reaches the page's error handlers while a test runs. */
function reported(t) {
  const errors = [];
  globalThis.reportError = (error) => errors.push(error.message);
  t.after(() => delete globalThis.reportError);
  return errors;
}

/** frames stands for the browser's frames, which a test runs. */
function frames(t) {
  let due = [];
  globalThis.requestAnimationFrame = (f) => due.push(f);
  t.after(() => delete globalThis.requestAnimationFrame);
  return () => due.splice(0).forEach((f) => f());
}

test('an element that cannot be painted is reported, and the others go on', (t) => {
  const errors = reported(t);
  const frame = frames(t);
  const painted = [];
  const element = (name) => ({ paint: () => painted.push(name) });
  const [a, b] = [element('a'), element('b')];
  const bad = {
    paint() {
      throw new Error('no paint');
    },
  };
  for (const e of [a, bad, b]) paintSoon(e);
  frame();
  frame();
  assert.deepEqual(painted, ['a', 'b']);
  paintSoon(a);
  frame();
  assert.deepEqual(painted, ['a', 'b', 'a']);
  assert.deepEqual(errors, ['no paint']);
});

/** slowly makes each call of f take a while by the clock, in ms. */
function slowly(t, ms, f) {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  return (...args) => {
    now += ms;
    f(...args);
  };
}

test('a frame paints for 5 ms, and the next one goes on', (t) => {
  const frame = frames(t);
  let painted = 0;
  const paint = slowly(t, 2, () => painted++);
  for (let i = 0; i < 100; i++) paintSoon({ paint });
  const slices = [];
  while (painted < 100) {
    const before = painted;
    frame();
    slices.push(painted - before);
  }
  assert.equal(Math.max(...slices), 3);
  assert.equal(slices.length, 34);
});

test('the upgrade of 5 000 elements looks at none of them; frames watch them in slices', (t) => {
  const frame = frames(t);
  let observed = 0;
  const observe = slowly(t, 0.1, () => observed++);
  globalThis.IntersectionObserver = /** @type {any} */ (class {
    observe = observe;
  });
  t.after(() => delete globalThis.IntersectionObserver);
  const untouched = new Proxy({}, {
    get(_, name) {
      throw new Error(`an upgrade reads ${String(name)}`);
    },
  });
  const asked = t.mock.method(globalThis, 'requestAnimationFrame');
  for (let i = 0; i < 5_000; i++) watch(Object.create(untouched));
  assert.deepEqual([asked.mock.callCount(), observed], [1, 0]);
  let most = 0;
  while (observed < 5_000) {
    const before = observed;
    frame();
    most = Math.max(most, observed - before);
  }
  assert.ok(most <= 51, `${most} in one frame`);
});

test('an element that cannot begin or end is reported, and the others change to another Live', (t) => {
  const errors = reported(t);
  const calls = [];
  const element = (name, fails = () => {}) => ({
    hold() {
      calls.push(`${name} begins`);
      fails();
    },
    letGo() {
      calls.push(`${name} ends`);
      fails();
    },
  });
  const bad = element('bad', () => {
    throw new Error('bad fails');
  });
  const good = element('good');
  for (const e of [bad, good]) join(e);
  use(/** @type {any} */ (new EventTarget()));
  assert.deepEqual(calls, ['bad ends', 'good ends', 'bad begins', 'good begins']);
  assert.deepEqual(errors, ['bad fails', 'bad fails']);
});
