import vue from '@vitejs/plugin-vue';
import { defineConfig, mergeConfig } from 'vite';
import base from './vite.config';

export default mergeConfig(base, defineConfig({
  plugins: [vue({ template: { compilerOptions: { isCustomElement: (tag) => tag.includes('-') } } })],
  build: { rollupOptions: { input: { vue: 'src/vue.ts' } } },
}));
