// A client of localhub's admin API, for the demo page. On a shared machine the API
// needs a token. It is passed in the fragment of the page's URL, which browsers never
// send to a server.

const storageKey = 'demo.admin-token';

/**
 * adminToken moves the token from the page's URL into sessionStorage, so that it stays
 * in no history. It returns null if there is no token.
 */
export function adminToken({ location, history, sessionStorage }) {
  const token = new URLSearchParams(location.hash.slice(1)).get('admin-token');
  if (token !== null) {
    sessionStorage.setItem(storageKey, token);
    history.replaceState(null, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(storageKey);
}

/** adminClient returns a function that calls the admin API and resolves with its answer. */
export function adminClient(base, token, fetch) {
  return async function admin(method, path, body) {
    const headers = {};
    if (body) headers['Content-Type'] = 'application/json';
    if (token) headers.Authorization = `Bearer ${token}`;
    const response = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(answer.message ?? `status ${response.status}`);
    return answer;
  };
}

/**
 * setStock changes the stock of a SKU. A browser removes "." and ".." from a path even if
 * they are percent-encoded, so those two SKUs go into the body of the request for many rows.
 */
export async function setStock(admin, sku, change) {
  if (sku !== '.' && sku !== '..') return admin('PUT', `/admin/stock/${encodeURIComponent(sku)}`, change);
  const answer = await admin('POST', '/admin/stock', { sku, ...change });
  if (answer.failed) throw new Error(answer.errors[0].message);
  return answer;
}
