// The file of a script tag: securecart-live.js. It connects by itself, unless the page does
// so first, when the page has an element of ours.
//
//   <meta name="securecart-url" content="wss://ws.example.com/v1">
//
// names the hub. By default it is where this file is from.

import { connect } from './index.js';
import { pageLive } from './elements/page.js';

export * from './index.js';

function start() {
  if (pageLive() || !document.querySelector('stock-badge, cart-badge, cart-view')) return;
  const named = document.querySelector('meta[name="securecart-url"]')?.getAttribute('content');
  const live = connect({ url: named ?? new URL('/v1', import.meta.url).href });
  live.addEventListener('problem', (/** @type {any} */ { detail }) => console.warn(`securecart: ${detail.code}: ${detail.message}`));
}

if (globalThis.document) {
  // Modules run before DOMContentLoaded; those of the page may connect first.
  if (document.readyState === 'complete') setTimeout(start);
  else addEventListener('load', start, { once: true });
}
