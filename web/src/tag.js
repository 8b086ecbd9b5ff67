// The file of a script tag: securecart-live.js. It connects by itself when the page has an
// element of ours, now or later, unless the page has connected before.
//
//   <meta name="securecart-url" content="wss://ws.example.com/v1">
//
// names the hub. By default it is where this file is from. If the REST API has another host:
//
//   <meta name="securecart-rest" content="https://api.example.com">

import { connect } from './index.js';
import { pageLive, whenUsed } from './elements/page.js';

export * from './index.js';

/** named returns what the page has in a meta element, or undefined. */
const named = (name) => document.querySelector(`meta[name="securecart-${name}"]`)?.getAttribute('content');

function start() {
  if (pageLive()) return;
  const live = connect({ url: named('url') ?? new URL('/v1', import.meta.url).href, rest: named('rest') });
  live.addEventListener('problem', ({ detail }) => console.warn(`securecart: ${detail.code}: ${detail.message}`));
}

/** whenReady calls f when the page's own modules have run: they may connect first. */
function whenReady(f) {
  if (document.readyState === 'complete') {
    setTimeout(f);
    return;
  }
  const heard = new AbortController();
  const ready = () => {
    heard.abort();
    setTimeout(f);
  };
  // Between the two events nobody can tell whether the first one has passed.
  document.addEventListener('DOMContentLoaded', ready, { signal: heard.signal });
  addEventListener('load', ready, { signal: heard.signal });
}

if (globalThis.document) whenUsed(() => whenReady(start));
