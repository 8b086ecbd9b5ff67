import { renderToString } from 'react-dom/server';
import { App, type Product } from './app';
import { Products } from './rendered';

// A server imports the package, too: it does nothing there.
import '@securecart/live';

export const render = (products: Product[]) => renderToString(<App products={products} />);

/** renderProducts renders a server component, as Next.js does before it sends the page. */
export const renderProducts = async (products: { sku: string; name: string }[]) => renderToString(await Products({ products }));
