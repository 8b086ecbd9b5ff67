// The address: which page the shop shows, and what of it. It is in the query string, so
// that a server needs to know only "/", and so that a link can be sent to somebody.

const pages = new Set(['cart', 'checkout', 'sign-in', 'merge', 'stock', 'devices']);

/** parse reads the query string of an address. */
export function parse(query) {
  const params = new URLSearchParams(query);
  const sku = params.get('product');
  if (sku !== null) return { page: 'product', sku };
  const page = params.get('page');
  if (page !== null) return { page: pages.has(page) ? page : 'not-found' };
  return { page: 'home', category: params.get('category') ?? '', text: params.get('q') ?? '' };
}

/** format writes the address of a route. device is the name of a demo's device, or null. */
export function format(route, device = null) {
  const params = new URLSearchParams();
  if (device) params.set('device', device);
  if (route.page === 'product') params.set('product', route.sku);
  else if (route.page !== 'home') params.set('page', route.page);
  if (route.category) params.set('category', route.category);
  if (route.text) params.set('q', route.text);
  const query = params.toString();
  return query === '' ? './' : `?${query}`;
}

/** Router follows the address of a window and the links in its document. */
export class Router {
  #window;
  #device;
  #onRoute;
  route;

  /**
   * onRoute(route, how) is called when the route changes. how: "on" to another place, "back" in the
   * history, where the browser restores the scroll position, or "detail" of the same place.
   */
  constructor(window, device, onRoute) {
    this.#window = window;
    this.#device = device;
    this.#onRoute = onRoute;
    this.route = parse(window.location.search);
    window.addEventListener('popstate', () => this.#show(parse(window.location.search), 'back'));
    window.document.addEventListener('click', (event) => this.#follow(event));
  }

  /** href returns the address of a route, for a link. */
  href(route) {
    return format(route, this.#device);
  }

  /** go opens a route. replace: without a step of the history, as for each typed letter. */
  go(route, { replace = false } = {}) {
    const address = this.href(route);
    if (replace) this.#window.history.replaceState(null, '', address);
    else this.#window.history.pushState(null, '', address);
    this.#show(parse(new URL(address, this.#window.location.href).search), replace ? 'detail' : 'on');
  }

  #show(route, how) {
    this.route = route;
    this.#onRoute(route, how);
  }

  /** follow opens a link of the shop without loading the page again. */
  #follow(event) {
    const link = event.target.closest?.('a[href]');
    if (!link || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target || link.hash) return;
    const { location, history } = this.#window;
    if (link.origin !== location.origin || link.pathname !== location.pathname) return;
    event.preventDefault();
    history.pushState(null, '', link.href);
    this.#show(parse(link.search), 'on');
  }
}
