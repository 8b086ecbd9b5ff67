import test from 'node:test';
import assert from 'node:assert/strict';
import { join, paintSoon, use } from '../src/elements/page.js';

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
