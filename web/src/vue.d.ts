// Types of the elements in Vue's templates: import '@securecart/live/vue'

import type { DefineComponent } from 'vue';
import type { StockBadgeAttributes } from './attributes';

declare module 'vue' {
  interface GlobalComponents {
    'stock-badge': DefineComponent<StockBadgeAttributes>;
    'cart-badge': DefineComponent;
    'cart-view': DefineComponent;
  }
}
