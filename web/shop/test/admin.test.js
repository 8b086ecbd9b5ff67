import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adminClient, adminToken, stockPath } from '../admin.js';
import { names } from '../../fake/server.js';

/** storage returns a storage for names without a prefix. */
function storage() {
  const all = new Map();
  return { getItem: (name) => all.get(name) ?? null, setItem: (name, value) => all.set(name, value) };
}

/** fakeWindow returns the parts of a window that adminToken uses. */
function fakeWindow(hash, search = '') {
  const replaced = [];
  return {
    location: { hash, search, pathname: '/' },
    history: { replaced, replaceState: (_state, _title, url) => replaced.push(url) },
  };
}

test('the admin token moves from the URL into a storage', () => {
  const [window, stored] = [fakeWindow('#admin-token=s3cret%2B', '?x=1'), storage()];
  assert.equal(adminToken(window, stored), 's3cret+');
  assert.deepEqual(window.history.replaced, ['/?x=1']);
  window.location.hash = '';
  assert.equal(adminToken(window, stored), 's3cret+');
  assert.equal(window.history.replaced.length, 1);
});

test('without an admin token, the result is null and the URL stays', () => {
  const window = fakeWindow('#cart');
  assert.equal(adminToken(window, storage()), null);
  assert.deepEqual(window.history.replaced, []);
});

test('the admin client sends its token, or the one of a maker, and reads the answer', async () => {
  const sent = [];
  const fetch = async (url, options) => {
    sent.push([url, options]);
    return { ok: true, json: async () => ({ available: 3 }) };
  };
  const headers = { 'Content-Type': 'application/json', Authorization: 'Bearer s3cret' };
  const call = adminClient('http://h', 's3cret', fetch);
  assert.deepEqual(await call('PUT', '/admin/stock/MUG', { available: 3 }), { available: 3 });
  await call('PUT', '/vendor/stock/MUG', { add: 1 }, { as: 'maker' });
  await adminClient('http://h', null, fetch)('GET', '/admin/stock/MUG');
  assert.deepEqual(sent, [
    ['http://h/admin/stock/MUG', { method: 'PUT', headers, body: '{"available":3}' }],
    [
      'http://h/vendor/stock/MUG',
      { method: 'PUT', headers: { ...headers, Authorization: 'Bearer maker' }, body: '{"add":1}' },
    ],
    ['http://h/admin/stock/MUG', { method: 'GET', headers: {}, body: undefined }],
  ]);
});

test('an error of the admin API has its code and its message', async () => {
  const refusing = (json) => async () => ({ ok: false, status: 401, json });
  const withMessage = refusing(async () => ({ code: 'denied', message: 'a token is required' }));
  await assert.rejects(adminClient('', null, withMessage)('GET', '/'), {
    code: 'denied',
    message: 'a token is required',
  });
  const withoutJSON = refusing(async () => {
    throw new Error('no JSON');
  });
  await assert.rejects(adminClient('', null, withoutJSON)('GET', '/'), { message: 'status 401' });
});

test('the stock of a SKU has a URL that a browser keeps, or none', () => {
  for (const sku of names.good) {
    const path = stockPath(sku);
    if (sku === '.' || sku === '..') assert.equal(path, null);
    else assert.equal(decodeURIComponent(new URL(path, 'http://h/').pathname), `/vendor/stock/${sku}`);
  }
});
