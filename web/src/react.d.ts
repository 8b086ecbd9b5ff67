// Types of the elements in JSX: import '@securecart/live/react'

import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import type { StockBadgeAttributes } from './attributes';

type Props<Attributes> = DetailedHTMLProps<HTMLAttributes<HTMLElement>, HTMLElement> & Attributes;

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'stock-badge': Props<StockBadgeAttributes>;
      'cart-badge': Props<{}>;
      'cart-view': Props<{}>;
    }
  }
}
