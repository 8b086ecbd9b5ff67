import { defineConfig, mergeConfig } from 'vite';
import base from './vite.config';

export default mergeConfig(base, defineConfig({ build: { rollupOptions: { input: { client: 'src/client.tsx' } } } }));
