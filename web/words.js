// The texts that people read: on badges, about answers, about the connection. No DOM here.

/** badgeText returns a badge's state and text, for a value of Hub.get or a refusal code; both may be undefined. */
export function badgeText(value, refusal) {
  if (!value) return refusal ? { state: 'none', text: 'not available' } : { state: 'unknown', text: '…' };
  const { state, quantity, until } = value;
  switch (state) {
    case 'in':
      return { state, text: quantity === undefined ? 'in stock' : `in stock (${quantity})` };
    case 'low':
      return { state, text: quantity === undefined ? 'only a few left' : `only ${quantity} left` };
    case 'out':
      return { state, text: 'sold out' };
    case 'back': {
      const date = dateText(until);
      return { state, text: date ? `back order, until ${date}` : 'back order' };
    }
  }
  return { state: 'unknown', text: '…' };
}

/** dateText returns a date as people read it, "24 December" for "2026-12-24", or undefined. */
function dateText(date) {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(date ?? '') ? new Date(`${date}T00:00:00Z`) : undefined;
  if (!day || Number.isNaN(day.getTime())) return undefined;
  return new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', timeZone: 'UTC' }).format(day);
}

/** countPieces returns how many pieces a cart contains, or undefined if the cart is not known yet. */
export function countPieces(cart) {
  if (!cart) return undefined;
  let n = 0;
  for (const line of cart.lines.values()) n += line.quantity;
  return n;
}

/**
 * clampTexts returns a text for each line that was not granted in full. wanted is the
 * quantity that the line should have, got the one that it has now, and quantityBefore(sku)
 * returns the one that it had, or undefined if that is not known.
 */
export function clampTexts(answer, nameOf, quantityBefore = () => undefined) {
  return Object.entries(answer.clamped ?? {}).map(([sku, { wanted, got }]) => {
    const before = quantityBefore(sku);
    const name = nameOf(sku);
    if (got === 0) return `${name}: sold out.`;
    if (before === undefined || wanted <= before) {
      return `${name}: only ${got} available, so your cart has ${got} instead of ${wanted}.`;
    }
    if (got <= before) return `${name}: only ${got} available, and your cart has them already.`;
    return `${name}: only ${got} available; added ${got - before} of ${wanted - before}.`;
  });
}

const skips = {
  removed: 'you had removed it from your cart.',
  unknown: 'it is not sold any more.',
  no_stock: 'it is sold out.',
  limit: 'your cart is full.',
};

/** skipTexts returns a text for each line that a merge did not take over. */
export function skipTexts(answer, nameOf) {
  return Object.entries(answer.skipped ?? {}).map(
    ([sku, reason]) => `${nameOf(sku)}: not added, ${skips[reason] ?? 'it could not be taken over.'}`,
  );
}

const errors = {
  no_stock: 'it is sold out.',
  bad_topic: 'this page asks for something that does not exist.',
  limit: 'your cart is full. Remove a line first.',
  conflict: 'it was changed on another device. This is the newest version.',
  gone_version: 'your cart was changed in the meantime. This is the newest version.',
  old_epoch: 'the shop lost its recent data. Please check your cart.',
  token_expired: 'your session has expired. Please sign in again.',
  token_bad: 'your sign-in was not accepted. Please sign in again.',
  denied: 'that is not allowed.',
  busy: 'the shop is busy. Please try again.',
  slow_down: 'that was too fast. Please try again.',
  identity: 'the change was not made, because you are signed in as someone else now.',
  uncertain: 'the change may or may not have been made. Please check your cart.',
  internal: 'something went wrong on our side. Please try again.',
};

/** errorText says why a change was not made. */
export function errorText(error) {
  return errors[error.code] ?? error.message ?? 'that did not work.';
}

/** statusText describes the status of the connection. */
export function statusText(status, online = true) {
  switch (status) {
    case 'live':
      return 'live';
    case 'connecting':
      return 'connecting…';
    case 'waiting':
      return online ? 'connection lost, trying again…' : 'you are offline';
    case 'ended':
      return 'closed by the shop; reload the page to reconnect';
  }
  return 'not connected';
}
