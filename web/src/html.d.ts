import type { CartBadge } from './elements/cart-badge.js';
import type { CartView } from './elements/cart-view.js';
import type { StockBadge } from './elements/stock-badge.js';

declare global {
  interface HTMLElementTagNameMap {
    'stock-badge': StockBadge;
    'cart-badge': CartBadge;
    'cart-view': CartView;
  }
}
