// Next.js: a server component that renders badges with what the hub says now. The socket goes on
// from there. SECURECART_REST is the stack's output RestUrl; SECURECART_TOKEN is a customer's token of
// the server's own, because all requests without one share the limits of the server's address.

import { Stock } from './next';

type Value = { state: 'in' | 'low' | 'out' | 'back'; quantity?: number; version: number; until?: string };

/** readStock asks for up to 100 items. A page without an answer shows badges without words. */
async function readStock(skus: string[]): Promise<Record<string, Value>> {
  const query = [...skus].sort().map((sku) => `sku=${encodeURIComponent(sku)}`).join('&');
  const { SECURECART_REST, SECURECART_TOKEN } = process.env;
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

/** Products is a list of products, each with its badge. */
export async function Products({ products }: { products: { sku: string; name: string }[] }) {
  const stock = await readStock(products.map(({ sku }) => sku));
  return (
    <ul>
      {products.map(({ sku, name }) => {
        const value = stock[`sku:${sku}`];
        return <li key={sku}>{name} {value ? <Stock sku={sku} name={name} {...value} /> : <stock-badge sku={sku} label={name} />}</li>;
      })}
    </ul>
  );
}
