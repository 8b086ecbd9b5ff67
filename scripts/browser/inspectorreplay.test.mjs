// Recordings in the inspector: one is begun and ended, played again, and one in which a frame
// was changed shows that frame beside the one that came.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { isAccessible } from '../shots/page.mjs';
import { browser, eventually, hub, open, useWorld } from './world.mjs';

const folder = mkdtempSync(join(tmpdir(), 'recordings-'));
useWorld({
  flags: ['-keys', 'none', '-record-dir', folder],
  prepare: async () => {
    clients = await open(await browser.newContext(), `${hub.origin}/icon.svg`);
  },
  cleanUp: () => rmSync(folder, { recursive: true }),
});

let clients, page;
const go = async (query = '?screen=replay', options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce', ...options });
  page = await open(context, hub.adminURL.replace('/admin', '/_hub/') + query);
  await page.locator('.cell', { hasText: '● live' }).waitFor();
};
const has = (text) => page.getByText(text, { exact: false }).filter({ visible: true }).first().waitFor();
const file = (name) => page.getByRole('grid', { name: 'Recordings' }).locator('.grid-body > .grid-row', { hasText: name });

afterEach(async () => {
  assert.deepEqual(page.complaints.filter((text) => !text.includes('status of 400')), []); // a refusal is an answer
  await page.context().close();
});

/** talk is a guest who subscribes, sees a change and leaves. */
const talk = () => clients.evaluate((socket) => new Promise((resolve, reject) => {
  const ws = new WebSocket(socket, ['securecart.v1']);
  ws.onerror = reject;
  ws.onopen = () => ws.send('sub MUG');
  ws.onmessage = () => ws.close();
  ws.onclose = resolve;
}), hub.socket);

test('a recording is begun, ended and played again', async () => {
  await go();
  await has('No recording yet');
  await page.getByLabel('File of the recording').fill('a.ndjson');
  await page.keyboard.press('Escape');
  await page.keyboard.press('r');
  await page.locator('.cell', { hasText: '● a.ndjson' }).waitFor();
  await talk();
  await page.getByRole('button', { name: '■ End' }).click();
  await page.locator('.cell', { hasText: 'Recordingoff' }).waitFor();
  await has('guest-1');
  await page.keyboard.press('j');
  await has('sub MUG');
  await page.keyboard.press('R');
  await has('✓ 1 conversation alike');
  await has('✓ alike');
  assert.equal((await hub.connections()).length, 0, 'the replay is in another hub');
  assert.equal(new URL(page.url()).searchParams.get('id'), 'a.ndjson');
});

test('the first frame that differs stands beside the one that came', async () => {
  const recorded = readFileSync(join(folder, 'a.ndjson'), 'utf8');
  writeFileSync(join(folder, 'b.ndjson'), recorded.replace('\\"state\\":\\"in\\"', '\\"state\\":\\"low\\"'));
  await go();
  await file('b.ndjson').click();
  await has('guest-1');
  await page.getByRole('button', { name: 'Replay' }).click();
  await has('■ 1 of 1 differs');
  await has('■ differs, frame 1');
  await has('First difference');
  assert.deepEqual(await page.locator('mark').allTextContents(), ['      "state": "low"\n', '      "state": "in"\n']);
  await has('is "in", recorded "low"');
  await isAccessible(page, 'a difference');
});

test('what cannot be done says why', async () => {
  writeFileSync(join(folder, 'broken.ndjson'), `${readFileSync(join(folder, 'a.ndjson'), 'utf8').split('\n')[0]}\nx\n`);
  await go();
  await file('broken.ndjson').click();
  await has('■ Not done');
  await has('line 2');
  await page.getByLabel('File of the recording').fill('../out.ndjson');
  await page.getByRole('button', { name: '● Record' }).click();
  await has('path escapes');
});

test('axe finds nothing in light and dark, and nothing is wider than a phone', async () => {
  await go('?screen=replay&id=a.ndjson', { viewport: { width: 390, height: 844 } });
  await has('guest-1');
  await isAccessible(page, 'a phone');
  const { scroll, client } = await page.evaluate(() => {
    const { scrollWidth: scroll, clientWidth: client } = document.documentElement;
    return { scroll, client };
  });
  assert.ok(scroll <= client, `${scroll} px in ${client}`);
});
