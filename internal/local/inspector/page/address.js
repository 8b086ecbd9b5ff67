// The address of the page: screen, selection and filter, and never a token. Pure.

/** Names that the address may have, in their order. */
const names = ['screen', 'id', 'filter', 'dir', 'version'];

/** read returns the parameters of a query: {screen, id, filter, dir, version}. */
export function read(query) {
  const found = new URLSearchParams(query);
  const params = { screen: 'overview' };
  for (const name of names) if (found.get(name)) params[name] = found.get(name);
  return params;
}

/** write returns the query of parameters; those that are empty are left out. */
export function write(params) {
  const query = new URLSearchParams();
  for (const name of names) if (params[name]) query.set(name, params[name]);
  return `?${query}`;
}

/** destination tells where a text of the search field leads to. */
export function destination(text, { hasEvent, connections, topics }) {
  const word = text.trim();
  if (/^\d+$/.test(word) && hasEvent(Number(word))) return { screen: 'frames', id: word };
  const ends = word.replace(/^…/, '');
  const found = connections.filter(
    ({ id, user }) => id === word || (ends.length >= 4 && id.endsWith(ends)) || user === word,
  );
  if (found.length === 1) return { screen: 'connections', id: found[0].id };
  const topic = topics.find((name) => name === word || name.toLowerCase() === `sku:${word.toLowerCase()}`);
  if (topic) return { screen: 'topics', id: topic };
  return { screen: 'frames', filter: word };
}
