import { createRoot, hydrateRoot } from 'react-dom/client';
import { connect, type Live } from '@securecart/live';
import { connect as connectCore } from '@securecart/live/core';
import type { Badge, CartState, Ok } from '@securecart/live/types';
import { App, type Product } from './app';
import { SecureCart } from './next';

declare global {
  interface Window {
    products: Product[];
    hub: string;
    live: Live;
    news: Badge[];
    order: () => Promise<Ok>;
    signIn: (user: string | null, accessToken: string | null) => void;
  }
}

const stop = new AbortController();
const token = async ({ refused }: { refused?: string }) => (refused ? null : null);
window.live = connect({ url: window.hub, token });
window.news = [];
window.live.subscribe(['sku:MUG'], ({ value, live }) => live && window.news.push(value as Badge), { signal: stop.signal });
window.order = async () => {
  const state: CartState = window.live.cart.state;
  return window.live.cart.checkout({ version: state.version });
};

const session = createRoot(document.createElement('div'));
window.signIn = (user, accessToken) => session.render(<SecureCart url={window.hub} user={user} accessToken={accessToken} />);

// The elements are upgraded before React hydrates the page.
const badge = document.querySelector('stock-badge');
if (badge) badge.sku satisfies string | null;
setTimeout(() => hydrateRoot(document.querySelector('#root')!, <App products={window.products} />), 300);

window.live.addEventListener('problem', ({ detail }) => console.warn(detail.code satisfies string));
window.live.addEventListener('status', ({ detail: { status } }) => status === 'live');
// @ts-expect-error no connection is so
window.live.addEventListener('status', ({ detail: { status } }) => status === 'alive');
// @ts-expect-error a change has topics
window.live.addEventListener('change', ({ detail }) => detail.topic);
// @ts-expect-error there is no such option
export const misspelled = () => connectCore({ adress: '/v1' });
// @ts-expect-error a topic is not a list of topics
export const wrong = () => connectCore().subscribe('cart');
