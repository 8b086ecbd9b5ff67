import '@securecart/live/react';

/** What the server knows about stock. */
export interface Product {
  sku: string;
  name: string;
  state: 'in' | 'low' | 'out' | 'back';
  quantity: number;
  version: number;
  text: string;
}

export function App({ products }: { products: Product[] }) {
  return (
    <main>
      <h1>Products</h1>
      {products.map(({ sku, name, state, quantity, version, text }) => (
        <p key={sku}>
          {name} <stock-badge sku={sku} state={state} quantity={quantity} version={version} label={name}>{text}</stock-badge>
        </p>
      ))}
      <cart-badge>…</cart-badge>
    </main>
  );
}
