'use client';

// Next.js: a component that connects once, and badges that server components may use as well.

import { useEffect } from 'react';
import { connect } from '@securecart/live';
import '@securecart/live/react';

/** SecureCart connects the page. Put it into the root layout, once. */
export function SecureCart({ url, accessToken }: { url: string; accessToken: string | null }) {
  useEffect(() => {
    const live = connect({ url, token: () => accessToken });
    return () => live.close();
  }, [url, accessToken]);
  return null;
}

/** Stock shows an item. The values are what the server knew when it rendered the page. */
export function Stock({ sku, name, state, quantity, version }: {
  sku: string;
  name: string;
  state: 'in' | 'low' | 'out' | 'back';
  quantity?: number;
  version: number;
}) {
  const words = { in: 'In stock', low: `Only ${quantity} left`, out: 'Sold out', back: 'Back order' };
  return (
    <stock-badge sku={sku} state={state} version={version} label={name} {...(quantity === undefined ? {} : { quantity })}>
      {words[state]}
    </stock-badge>
  );
}
