// The state of the connection in words.

import { time } from './money.js';
import { words } from './words.js';

/** statusWords returns {kind, short, long}; kind: live, connecting or offline. */
export function statusWords(store) {
  const { status } = words;
  const at = store.lostAt === null ? '' : time(store.lostAt);
  switch (store.connection) {
    case 'live':
      return { kind: 'live', short: status.live, long: status.liveLong };
    case 'connecting':
      return { kind: 'connecting', short: status.connecting, long: status.connectingLong };
    case 'ended':
      return { kind: 'offline', short: status.ended, long: status.endedLong };
  }
  const pending = store.live.cart.state.pending > 0;
  return { kind: 'offline', short: status.offline(at), long: pending ? status.offlineKept : status.offlineLong(at) };
}
