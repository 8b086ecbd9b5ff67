// @securecart/live: the live state of a shop, and the elements that show it.

/// <reference path="./html.d.ts" preserve="true" />

import { connect as connectOnly, Live } from './live.js';
import { announce, prepare } from './elements/announce.js';
import { pageLive, use } from './elements/page.js';

export { Live };
export { WriteError } from './changes.js';
export { pageLive, use };
export { StockBadge } from './elements/stock-badge.js';
export { CartBadge } from './elements/cart-badge.js';
export { CartView } from './elements/cart-view.js';

/**
 * Connects a page to the hub. The page's elements show the first connection that is made;
 * use(live) shows another one.
 * @param {import('./types').Options} [options]
 * @returns {Live}
 */
export function connect(options) {
  const live = connectOnly(options);
  if (pageLive() === null) {
    use(live);
    if (live.announces) announceConnection(live);
    live.addEventListener('status', () => {
      if (live.status === 'closed' && pageLive() === live) use(null);
    });
  }
  return live;
}

/** announceConnection says once that the connection is lost, and once that it is back. */
function announceConnection(live) {
  let wasLive = false;
  let said = false;
  live.addEventListener('status', () => {
    if (live.status === 'live' || live.status === 'polling') {
      prepare();
      if (said) announce('connection', live.words.reconnected({}));
      said = false;
      wasLive = true;
    } else if (wasLive && !said && (live.status === 'waiting' || live.status === 'offline')) {
      said = true;
      announce('connection', live.words.disconnected({}));
    }
  });
}
