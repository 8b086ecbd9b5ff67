import { renderToString } from 'react-dom/server';
import { App, type Product } from './app';

// A server imports the package, too: it does nothing there.
import '@securecart/live';

export const render = (products: Product[]) => renderToString(<App products={products} />);
