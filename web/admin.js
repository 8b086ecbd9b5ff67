// The admin API of a local hub, as the demo page uses it. On a shared machine it
// wants a token, which comes behind the # of the page's address: that part never
// leaves the browser.

const kept = 'demo.admin-token';

/**
 * adminToken takes the token out of the address, so that it stays in no history,
 * and keeps it for this window. It is null if there is none.
 */
export function adminToken({ location, history, sessionStorage }) {
  const given = new URLSearchParams(location.hash.slice(1)).get('admin-token');
  if (given !== null) {
    sessionStorage.setItem(kept, given);
    history.replaceState(null, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(kept);
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
