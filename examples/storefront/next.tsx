'use client';

// Next.js: a component that connects once, and badges that server components may use as well.

import { useEffect, useRef } from 'react';
import { connect, type Live } from '@securecart/live';
import '@securecart/live/react';

/**
 * SecureCart connects the page. Put it into the root layout, once. A refreshed token of the same
 * user is given to the hub when it asks for one; another user, or none, is a new connection.
 */
export function SecureCart({ url, user, accessToken }: { url: string; user: string | null; accessToken: string | null }) {
  const token = useRef(accessToken);
  const connection = useRef<Live | null>(null);
  const connectedAs = useRef(user);

  useEffect(() => {
    token.current = accessToken;
  }, [accessToken]);

  useEffect(() => {
    const live = connect({ url, token: () => token.current });
    connection.current = live;
    return () => live.close();
  }, [url]);

  useEffect(() => {
    if (connectedAs.current === user) return;
    connectedAs.current = user;
    connection.current?.reconnect();
  }, [user]);

  return null;
}

/** Stock shows an item. The values are what the server knew when it rendered the page. */
export function Stock({ sku, name, state, quantity, version, until }: {
  sku: string;
  name: string;
  state: 'in' | 'low' | 'out' | 'back';
  quantity?: number;
  version: number;
  until?: string;
}) {
  const words = { in: 'In stock', low: `Only ${quantity} left`, out: 'Sold out', back: 'Back order' };
  return (
    <stock-badge
      sku={sku} state={state} version={version} label={name}
      {...(quantity === undefined ? {} : { quantity })} {...(until === undefined ? {} : { until })}
    >
      {words[state]}
    </stock-badge>
  );
}
