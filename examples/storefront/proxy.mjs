// Shopify: Liquid asks no other server, but a page may come through an app proxy. This one answers
// /apps/stock?sku=A&sku=B with Liquid, and Shopify renders it inside the theme. The words are the
// theme's: snippets/stock-words.liquid.
//
// SECURECART_REST is the stack's output RestUrl; SECURECART_TOKEN is a customer's token of the
// proxy's own, because all requests without one share the limits of the proxy's address. Check
// Shopify's signature of the request before you use it.

import { createServer } from 'node:http';

const { SECURECART_REST, SECURECART_TOKEN, PORT = '3000' } = process.env;

/** plain encodes text for an attribute, so that neither HTML nor Liquid reads it. */
const plain = (text) => String(text).replace(/[&<>"'{}%]/g, (c) => `&#${c.charCodeAt(0)};`);

/** badge returns a badge. A state is a word, and a quantity a number: they need no quotes. */
function badge(sku, value = {}) {
  const fields = ['state', 'quantity', 'version', 'until'].filter((name) => value[name] !== undefined);
  const attributes = fields.map((name) => ` ${name}="${plain(value[name])}"`).join('');
  const words = /^[a-z]+$/.test(value.state) ? `{% render 'stock-words', state: '${value.state}', quantity: ${Number(value.quantity ?? 0)} %}` : '';
  return `<stock-badge sku="${plain(sku)}"${attributes}>${words}</stock-badge>`;
}

/** readStock asks for up to 100 items. Without an answer it knows nothing. */
async function readStock(skus) {
  const query = [...skus].sort().map((sku) => `sku=${encodeURIComponent(sku)}`).join('&');
  try {
    const response = await fetch(`${SECURECART_REST}/v1/stock?${query}`, {
      headers: SECURECART_TOKEN ? { Authorization: `Bearer ${SECURECART_TOKEN}` } : {},
      signal: AbortSignal.timeout(500), // ms
    });
    return response.ok ? (await response.json()).topics : {};
  } catch {
    return {};
  }
}

createServer(async (request, response) => {
  const skus = new URL(request.url, 'http://proxy').searchParams.getAll('sku');
  const stock = await readStock(skus);
  response.setHeader('Content-Type', 'application/liquid');
  response.end(skus.map((sku) => `<p>${badge(sku, stock[`sku:${sku}`])}</p>`).join('\n'));
}).listen(Number(PORT), '127.0.0.1');
