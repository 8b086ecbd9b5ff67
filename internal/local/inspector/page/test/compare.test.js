import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lines, sides } from '../compare.js';

const recordedFrame = '{"type":"snapshot","topics":{"sku:MUG":{"state":"in"}},"list":[1,{"a":[]}]}';

test('each member has a line of its own, with the path that a replay names', () => {
  assert.deepEqual(
    lines(JSON.parse(recordedFrame)).map(({ path, text }) => `${path}|${text}`),
    [
      '|{',
      'type|  "type": "snapshot",',
      'topics|  "topics": {',
      'topics["sku:MUG"]|    "sku:MUG": {',
      'topics["sku:MUG"].state|      "state": "in"',
      'topics["sku:MUG"]|    }',
      'topics|  },',
      'list|  "list": [',
      'list[0]|    1,',
      'list[1]|    {',
      'list[1].a|      "a": []',
      'list[1]|    }',
      'list|  ]',
      '|}',
    ],
  );
});

const marked = (side) => side.filter(({ differs }) => differs).map(({ text }) => text.trim());

test('what differs is marked on the sides that have it', () => {
  const gotFrame = recordedFrame.replace('"in"', '"in","quantity":33');
  const found = sides({ path: 'topics["sku:MUG"].quantity', recordedFrame, gotFrame });
  assert.deepEqual([marked(found.recorded), marked(found.got)], [[], ['"quantity": 33']]);
  const state = sides({ path: 'topics["sku:MUG"].state', recordedFrame, gotFrame });
  assert.deepEqual([marked(state.recorded), marked(state.got)], [['"state": "in"'], ['"state": "in",']]);
  assert.equal(marked(sides({ path: 'topics["sku:MUG"]', recordedFrame, gotFrame }).got).length, 4, 'all of the topic');
});

test('without a path all differs, and a frame that did not come has no lines', () => {
  const found = sides({ recordedFrame: 'sku:MUG in\ncart empty' });
  assert.deepEqual([marked(found.recorded), found.got], [['sku:MUG in', 'cart empty'], []]);
});
