import { createApp } from 'vue';
import { connect } from '@securecart/live';
import '@securecart/live/vue';
import Stock from './stock.vue';

declare global {
  interface Window {
    show: (sku: string) => Promise<void>;
  }
}

connect({ url: window.hub, token: () => null });
createApp(Stock).mount('#root');
