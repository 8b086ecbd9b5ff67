import test from 'node:test';
import assert from 'node:assert/strict';

import { adminClient, adminToken } from '../admin.js';

/** fakeWindow returns the parts of a window that adminToken uses. */
function fakeWindow(hash, search = '') {
  const store = new Map();
  return {
    location: { hash, search, pathname: '/' },
    history: { replaced: [], replaceState(_state, _title, url) { this.replaced.push(url); } },
    sessionStorage: { getItem: (name) => store.get(name) ?? null, setItem: (name, value) => store.set(name, value) },
  };
}

test('the admin token moves from the URL into sessionStorage', () => {
  const w = fakeWindow('#admin-token=s3cret%2B', '?x=1');
  assert.equal(adminToken(w), 's3cret+');
  assert.deepEqual(w.history.replaced, ['/?x=1']);
  w.location.hash = '';
  assert.equal(adminToken(w), 's3cret+');
  assert.equal(w.history.replaced.length, 1);
});

test('without an admin token, the result is null and the URL stays', () => {
  const w = fakeWindow('#cart');
  assert.equal(adminToken(w), null);
  assert.deepEqual(w.history.replaced, []);
});

test('the admin client sends its token and reads the answer', async () => {
  const sent = [];
  const fetch = async (url, options) => {
    sent.push([url, options]);
    return { ok: true, json: async () => ({ available: 3 }) };
  };
  const answer = await adminClient('http://h', 's3cret', fetch)('PUT', '/admin/stock/MUG', { available: 3 });
  assert.deepEqual(answer, { available: 3 });
  await adminClient('http://h', null, fetch)('GET', '/admin/stock/MUG');
  const headers = { 'Content-Type': 'application/json', Authorization: 'Bearer s3cret' };
  assert.deepEqual(sent, [
    ['http://h/admin/stock/MUG', { method: 'PUT', headers, body: '{"available":3}' }],
    ['http://h/admin/stock/MUG', { method: 'GET', headers: {}, body: undefined }],
  ]);
});

test('an error of the admin API has its message', async () => {
  const refusing = (body) => async () => ({ ok: false, status: 401, json: body });
  const withMessage = refusing(async () => ({ message: 'a token is required' }));
  await assert.rejects(adminClient('', null, withMessage)('GET', '/'), /^Error: a token is required$/);
  const withoutJSON = refusing(async () => {
    throw new Error('no JSON');
  });
  await assert.rejects(adminClient('', null, withoutJSON)('GET', '/'), /^Error: status 401$/);
});
