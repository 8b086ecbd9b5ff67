// A forecast of what a merge of two carts will give, from what is known now.

import { orderable } from './stock.js';
import { words } from './words.js';

/** Policies, in the order in which they are offered. */
export const policies = ['sum', 'max', 'mine', 'theirs'];

const together = {
  sum: (here, yours) => here + yours,
  max: (here, yours) => Math.max(here, yours),
  mine: (here, yours) => (yours > 0 ? yours : here),
  theirs: (here) => here,
};

/**
 * forecast returns a row for each line of both carts: {sku, here, yours, together, note,
 * limited}. here and yours map SKUs to quantities; here is the browser's cart.
 */
export function forecast(here, yours, policy, viewOf, most = 999) {
  const skus = new Set([...here.keys(), ...yours.keys()]);
  return [...skus].map((sku) =>
    row(sku, here.get(sku) ?? 0, yours.get(sku) ?? 0, policy, orderable(viewOf(sku)), most),
  );
}

function row(sku, here, yours, policy, can, most) {
  if (here === 0) return { sku, here, yours, together: yours, note: words.merge.yours, limited: false };
  const wanted = together[policy](here, yours);
  const got = Math.min(wanted, can, most);
  const first = { sku, here, yours };
  // What is in one's own cart stays, also if it is sold out.
  if (can === 0) return { ...first, together: yours, note: words.merge.none, limited: true };
  if (got < wanted) {
    const note = got === most ? words.merge.most(most) : words.merge.limited(got, wanted);
    return { ...first, together: got, note, limited: true };
  }
  return { ...first, together: got, note: yours > 0 ? words.merge.both : words.merge.here, limited: false };
}
