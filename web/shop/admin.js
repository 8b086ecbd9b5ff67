// A client of localhub's admin API. On a shared machine the API needs a token. It is
// passed in the fragment of the page's URL, which browsers never send to a server.

/** adminToken moves the token from the page's URL into a storage, so that it stays in no history. */
export function adminToken({ location, history }, storage) {
  const token = new URLSearchParams(location.hash.slice(1)).get('admin-token');
  if (token !== null) {
    storage.setItem('admin-token', token);
    history.replaceState(null, '', location.pathname + location.search);
  }
  return storage.getItem('admin-token');
}

/** AdminError has the API's code: no_stock, conflict, denied, … */
export class AdminError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * adminClient returns a function that calls the admin API and resolves with its answer.
 * as: another token than the API's, such as a maker's.
 */
export function adminClient(base, token, fetch) {
  return async function call(method, path, body, { as } = {}) {
    const headers = {};
    if (body) headers['Content-Type'] = 'application/json';
    if (as ?? token) headers.Authorization = `Bearer ${as ?? token}`;
    const response = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new AdminError(answer.code, answer.message ?? `status ${response.status}`);
    return answer;
  };
}

/**
 * stockPath returns the path of a SKU's stock for makers, or null for "." and "..": a
 * browser removes those from a path even if they are percent-encoded.
 */
export const stockPath = (sku) => (sku === '.' || sku === '..' ? null : `/vendor/stock/${encodeURIComponent(sku)}`);
