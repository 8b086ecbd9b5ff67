import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Messages, Voice } from '../messages.js';

/** messages returns messages, and a function that reads the one that is shown. */
function messages(isFocused = () => false) {
  const all = new Messages(() => {}, isFocused);
  return { all, shown: () => all.current?.text ?? null };
}

test('good news goes by itself, and the rest stays', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { all, shown } = messages();
  all.say('good', 'added');
  t.mock.timers.tick(5_999);
  assert.equal(shown(), 'added');
  t.mock.timers.tick(1);
  assert.equal(shown(), null);
  all.say('warn', 'only 3 left');
  t.mock.timers.tick(60_000);
  assert.equal(shown(), 'only 3 left');
});

test('the newest message wins, and the timer of an older one does not end it', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { all, shown } = messages();
  all.say('good', 'added');
  t.mock.timers.tick(3_000);
  all.say('good', 'added more');
  t.mock.timers.tick(3_000);
  assert.equal(shown(), 'added more');
});

test('good news stays while it has the focus', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let focused = true;
  const { all, shown } = messages(() => focused);
  all.say('good', 'added');
  t.mock.timers.tick(6_000);
  assert.equal(shown(), 'added');
  focused = false;
  t.mock.timers.tick(6_000);
  assert.equal(shown(), null);
});

test('another page clears what was said about this one, but no good news and no offer', () => {
  for (const [kind, action, left] of [
    ['bad', null, null],
    ['good', null, 'text'],
    ['info', { text: 'Put back', run() {} }, 'text'],
  ]) {
    const { all, shown } = messages();
    all.say(kind, 'text', action);
    all.leave();
    assert.equal(shown(), left, kind);
    all.clear();
  }
});

test('the voice says one sentence in three seconds, and of those that wait the newest', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const region = { textContent: '' };
  const voice = new Voice(region);
  voice.say('one');
  voice.say('two');
  voice.say('three');
  assert.equal(region.textContent, 'one');
  t.mock.timers.tick(2_999);
  assert.equal(region.textContent, 'one');
  t.mock.timers.tick(1);
  assert.equal(region.textContent, 'three');
  t.mock.timers.tick(3_000);
  voice.say('four');
  assert.equal(region.textContent, 'four');
});
