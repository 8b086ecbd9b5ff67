// States of the inspector that a real localhub reaches only by chance: it sleeps, loses
// localhub, sees another one, is sampled, or asks for a token. The admin listener is a
// fake (fakeadmin.mjs).

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { FakeAdmin, Log } from './fakeadmin.mjs';
import { eventually, launch, open, wait } from './world.mjs';

let browser, admin, page, log;
const people = ['alice', 'guest:5c29aa', 'kiln'].map((user, i) => ({ user, conn: `oiKqwMu3P_${i}CkPE=` }));

before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => {
  admin = await FakeAdmin.start();
  log = new Log();
});
afterEach(async () => {
  assert.deepEqual(page.complaints.filter((text) => !/ERR_CONNECTION_REFUSED|status of (401|429)|Unexpected response code: (401|429)/.test(text)), []);
  await page.context().close();
  await admin.stop();
});

const show = async (query = '?screen=frames', options = {}) => {
  page = await open(await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options }), admin.page + query);
  if (!admin.token) await eventually(() => admin.sockets.size === 1, 'the page has no feed');
};
const rows = () => page.locator('.frames .grid-body > .grid-row');
const has = (text) => page.getByText(text, { exact: false }).filter({ visible: true }).first().waitFor();
const situation = () => page.locator('.situation').textContent();
const focused = () => page.evaluate(() => document.activeElement.textContent || document.activeElement.getAttribute('aria-label'));

test('without an event the page says how to make one', async () => {
  admin.situation.socket = 'ws://127.0.0.1:8787/v1';
  await show();
  await has('No frames yet');
  await has('wscat -c ws://127.0.0.1:8787/v1 -s securecart.v1');
});

test('on a phone the screen that is shown is in view in the rail, and nothing is wider than the phone', async () => {
  await show('?screen=alarms', { viewport: { width: 360, height: 740 } });
  for (const digit of ['0', '9', '8', '7', '6', '5', '4', '3', '2', '1', '0']) {
    await page.keyboard.press(digit);
    await eventually(
      () =>
        page.evaluate(() => {
          const { left, right } = document.querySelector('.rail [aria-current]').getBoundingClientRect();
          return left >= 0 && right <= innerWidth && document.documentElement.scrollWidth <= innerWidth;
        }),
      `the link of screen ${digit}`,
    );
  }
});

test('a filter that finds nothing names the nearest, and takes it', async () => {
  await show();
  admin.send(log.change('MUG', 3, 2, people));
  await eventually(async () => (await rows().count()) === 4, 'rows');
  await page.keyboard.press('/');
  await page.keyboard.type('topic:sku:MGU');
  await has('Nothing matches');
  await page.getByRole('button', { name: 'topic:sku:MUG' }).click();
  await eventually(async () => (await rows().count()) === 3, 'the rows of the nearest');
  assert.equal(new URL(page.url()).searchParams.get('filter'), 'topic:sku:MUG');
  await page.getByRole('searchbox', { name: 'Filter' }).fill('usr:alice');
  await has('There is no “usr:alice”. Nearest:');
});

test('paused, nothing moves; newer frames are counted, and End shows them', async () => {
  await show();
  admin.send(log.change('MUG', 3, 2, people));
  await eventually(async () => (await rows().count()) === 4, 'rows');
  await page.keyboard.press('p');
  await has('Nothing here moves');
  assert.match(await situation(), /❚❚ paused/);
  for (let version = 4; version < 9; version++) admin.send(log.change('MUG', version, 2, people));
  await has('20 newer frames, End shows them');
  assert.equal(await rows().count(), 4);
  await page.keyboard.press('End');
  await eventually(async () => (await rows().count()) === 24, 'all rows');
  assert.match(await situation(), /● live/);
});

test('a selection stops the list, and Esc lets it go on', async () => {
  await show();
  admin.send(log.change('MUG', 3, 2, people));
  await eventually(async () => (await rows().count()) === 4, 'rows');
  await rows().nth(1).click();
  admin.send(log.change('MUG', 4, 2, people));
  await has('4 newer frames');
  assert.equal(await rows().count(), 4);
  await page.keyboard.press('Escape');
  await eventually(async () => (await rows().count()) === 8, 'following again');
});

test('groups: one row for equal deltas, which opens', async () => {
  await show();
  const crowd = Array.from({ length: 64 }, (_, i) => ({ user: 'guest:1', conn: `crowd${i}CkPE=` }));
  admin.send(log.change('MUG', 3, 2, crowd));
  await page.keyboard.press('g');
  await has('64 alike');
  await has('×64');
  assert.equal(await rows().count(), 2);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('Space');
  await eventually(async () => (await rows().count()) > 20, 'the members');
});

test('a sampled feed says so, with what is kept', async () => {
  admin.situation.eventsPerSecond = 10_240;
  await show();
  admin.send(log.change('MUG', 3, 2, people), { sampled: { kept: 1, of: 8 } });
  await has('Of equal deltas 1 in 8 is kept and all are counted');
  assert.match(await situation(), /▲ 1 of 8 deltas/);
});

test('a gap is said', async () => {
  await show();
  admin.send(log.change('MUG', 3, 2, people), { gap: 92_110 });
  await has('events passed the ring and are not here');
  await page.getByRole('button', { name: 'Understood' }).click();
  await eventually(async () => (await page.locator('.message').count()) === 0, 'the notice is gone');
});

test('localhub does not answer: what is seen stays, and the page goes on by itself', async () => {
  await show();
  admin.send(log.change('MUG', 3, 2, people));
  await eventually(async () => (await rows().count()) === 4, 'rows');
  const lastId = 4 + 2 * people.length + 1;
  await admin.stop();
  await has('localhub does not answer');
  await has('Trying again in');
  assert.match(await situation(), /■ no answer/);
  assert.equal(await rows().count(), 4);
  await admin.listen();
  await eventually(() => admin.sockets.size === 1, 'the feed is open again');
  assert.equal(admin.taps.at(-1), `?after=${lastId}`);
  await eventually(async () => (await page.locator('.message').count()) === 0, 'the notice is gone');
});

test('a tap that is full says so, and the page goes on when there is room', async () => {
  await show();
  admin.full = true;
  for (const socket of admin.sockets) socket.destroy();
  await has('localhub refuses the feed');
  await has('16 readers are there already. Close another page');
  assert.match(await situation(), /▲ no feed/);
  admin.full = false;
  await eventually(() => admin.sockets.size === 1, 'the feed is open again');
  await eventually(async () => (await page.locator('.message').count()) === 0, 'the notice is gone');
});

test('a restart is said, and its ids begin anew', async () => {
  await show();
  admin.send(log.change('MUG', 3, 2, people));
  await eventually(async () => (await rows().count()) === 4, 'rows');
  await admin.stop();
  admin.boot = 'b2';
  await admin.listen();
  await eventually(() => admin.sockets.size === 1, 'the feed is open again');
  assert.equal(admin.taps.at(-1), '', 'ids of another process are not asked for');
  admin.send([new Log().event('open', { conn: 'x', user: 'bob', role: 'customer' })]);
  await has('localhub was restarted');
  await has('b1 → b2');
  assert.equal(await rows().count(), 1);
});

test('a page that nobody sees for 5 s closes its feed, and resumes', async () => {
  await show();
  admin.send(log.change('MUG', 3, 2, people));
  await eventually(async () => (await rows().count()) === 4, 'rows');
  const visibility = (state) => page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { configurable: true, value });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
  await visibility(true);
  await wait(2000);
  assert.equal(admin.sockets.size, 1, 'a short look elsewhere keeps the feed');
  await eventually(() => admin.sockets.size === 0, 'the feed is closed');
  assert.match(await situation(), /○ asleep/);
  await visibility(false);
  await eventually(() => admin.sockets.size === 1, 'the feed is open');
  assert.equal(admin.taps.at(-1), '?after=11');
});

test('the token is asked for, sent in a header and a subprotocol, and kept nowhere', async () => {
  admin.token = 'tok/ÿ?>';
  await show();
  await has('The admin API needs a token');
  const field = page.getByLabel('It was started with -admin-token');
  await field.fill('wrong');
  await field.press('Enter');
  await wait(300);
  assert.equal(admin.sockets.size, 0);
  await field.fill(admin.token);
  await field.press('Enter');
  await eventually(() => admin.sockets.size === 1, 'the feed is open');
  await has('No frames yet');
  assert.equal(page.url().includes('tok'), false);
  assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]), [0, 0, '']);
});

test('under -template the rail has routes, invocations and posts', async () => {
  admin.situation.template = true;
  await show('?screen=invocations');
  const rail = page.getByRole('navigation', { name: 'Screens' });
  assert.deepEqual(await rail.getByRole('link').evaluateAll((links) => links.map((a) => a.children[1].textContent)),
    ['Overview', 'Frames', 'Connections', 'Routes', 'Invocations', 'Posts', 'Faults & time', 'Cost']);
  const invoke = log.event('invoke', { conn: 'c1=', route: 'sendmessage', function: 'SendMessage' });
  const input = '{"requestContext":{"routeKey":"sendmessage"},"body":"hello"}';
  admin.send([invoke, log.event('input', { cause: [invoke.id], text: input, bytes: 9000 }),
    log.event('log', { cause: [invoke.id], text: 'connect ECONNREFUSED' }),
    log.event('output', { cause: [invoke.id], code: 'failed', text: 'Runtime.ExitError', bytes: 17 }),
    log.event('answer', { cause: [invoke.id], status: 502, code: 'Unhandled', took: 44_000 }),
    log.event('post', { cause: [invoke.id], conn: 'c1=', status: 410, code: 'gone' })]);
  await has('■ Failed 1');
  await has('■ Unhandled');
  await page.locator('.invocations .grid-body > .grid-row').first().click();
  await has('"body": "hello"');
  await has('the first 60 bytes of 9.0 kB');
  await has('failed, 17 bytes');
  await has('connect ECONNREFUSED');
  await page.keyboard.press('6');
  await has('▲ 410 gone');
  await page.keyboard.press('4');
  await has('SendMessage');
});

test('10 000 events a second do not stop the page', async () => {
  await show();
  const crowd = Array.from({ length: 62 }, (_, i) => ({ user: 'guest:1', conn: `crowd${i}CkPE=` })); // 129 events
  let version = 1;
  for (let i = 0; i < 30; i++) {
    for (let j = 0; j < 8; j++) admin.send(log.change('MUG', ++version, 2, crowd));
    await wait(100);
    if (i === 10) await page.keyboard.press('3');
    if (i === 20) await page.keyboard.press('2');
  }
  await page.getByRole('heading', { name: 'Frames' }).waitFor();
  await has(`v${version} low 2`);
  assert.ok((await rows().count()) <= 60, 'rows in the page');
  assert.ok(Number(await page.getByRole('grid', { name: 'Frames' }).getAttribute('aria-rowcount')) > 4000);
  await page.keyboard.press('j');
  await has('Path of this change');
});

test('ending a connection asks first, in place', async () => {
  admin.answers['/admin/connections'] = {
    connections: [{ connectionId: 'oiKqwMu3P_0CkPE=', user: 'alice', role: 'customer', topics: [], connectedAt: new Date(), lastActiveAt: new Date() }],
  };
  await show('?screen=connections&id=oiKqwMu3P_0CkPE%3D');
  await has('● open');
  await page.keyboard.press('e');
  await has('End alice …kPE= with 1000?');
  assert.match(await focused(), /^End/);
  await page.keyboard.press('Escape');
  assert.deepEqual(admin.requests, []);
  await page.keyboard.press('e');
  await page.keyboard.press('Enter');
  await eventually(() => admin.requests.length === 1, 'the connection is ended');
  assert.deepEqual([admin.requests[0].method, decodeURIComponent(admin.requests[0].path)], ['DELETE', '/admin/connections/oiKqwMu3P_0CkPE=']);
});

test('text that looks like HTML stays text', async () => {
  await show();
  const text = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  admin.send([log.event('in', { dir: 'in', conn: 'c1=', user: text, text, bytes: text.length })]);
  await eventually(async () => (await rows().count()) === 1, 'the row');
  await rows().first().click();
  assert.equal(await page.locator('main img, main script').count(), 0);
  assert.equal(await page.locator('.frame-text').textContent(), text);
});
