import { defineConfig } from 'vite';

export default defineConfig({
  esbuild: { jsx: 'automatic' },
  build: { target: 'es2022', rollupOptions: { output: { entryFileNames: '[name].js' } } },
});
