// Words are what people read: of badges, of answers, of the connection. No DOM here.

/** badgeWords says what a badge shows, for a value of Hub.get, a refusal, or neither yet. */
export function badgeWords(value, refusal) {
  if (!value) return refusal ? { state: 'none', text: 'not available' } : { state: 'unknown', text: '…' };
  const { state, quantity } = value;
  switch (state) {
    case 'in':
      return { state, text: quantity === undefined ? 'in stock' : `in stock (${quantity})` };
    case 'low':
      return { state, text: quantity === undefined ? 'only a few left' : `only ${quantity} left` };
    case 'out':
      return { state, text: 'sold out' };
  }
  return { state: 'unknown', text: '…' };
}

/** pieces counts what is in a cart; undefined if the cart is not known yet. */
export function pieces(cart) {
  if (!cart) return undefined;
  let n = 0;
  for (const line of cart.lines.values()) n += line.quantity;
  return n;
}

/**
 * clampWords says for each line that was not granted in full what came of it.
 * wanted and got are what the line should hold and holds; had is what it held.
 */
export function clampWords(answer, nameOf, had = () => undefined) {
  return Object.entries(answer.clamped ?? {}).map(([sku, { wanted, got }]) => {
    const before = had(sku);
    const name = nameOf(sku);
    if (got === 0) return `${name}: sold out.`;
    if (before === undefined || wanted <= before) return `${name}: there are only ${got}, so ${got} of ${wanted} are in your cart.`;
    if (got <= before) return `${name}: there are only ${got}, and they are in your cart already.`;
    return `${name}: there are only ${got}: added ${got - before} of ${wanted - before}.`;
  });
}

const errors = {
  no_stock: 'it is sold out.',
  limit: 'your cart is full. Remove a line first.',
  conflict: 'it was changed on another device a moment ago. Here is the newest.',
  gone_version: 'your cart was changed on another device. Here is the newest.',
  old_epoch: 'the shop had to start over. Please look at your cart again.',
  token_expired: 'your sign-in has ended. Please sign in again.',
  token_bad: 'your sign-in is not accepted. Please sign in again.',
  denied: 'that is not allowed.',
  busy: 'too many changes at once. Please try again.',
  slow_down: 'that was too fast. Please try again.',
  identity: 'that change was not made: you are signed in as somebody else now.',
  uncertain: 'it is not known whether that change was made. Please look at your cart.',
  internal: 'something went wrong on our side. Please try again.',
};

/** errorWords says why a change was not made. */
export function errorWords(error) {
  return errors[error.code] ?? error.message ?? 'that did not work.';
}

/** statusWords says how the connection is. */
export function statusWords(status, online = true) {
  switch (status) {
    case 'live':
      return 'live';
    case 'connecting':
      return 'connecting…';
    case 'waiting':
      return online ? 'connection lost, trying again…' : 'you are offline';
    case 'ended':
      return 'ended by the shop; reload to come back';
  }
  return 'not connected';
}
