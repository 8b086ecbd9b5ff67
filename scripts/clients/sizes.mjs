// Prints the size of this project's client and of others, each made in the same way: bundled and
// minified by esbuild for es2022, packed by gzip -9. Run it with make benchclient.

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { buildSync } = createRequire(`${root}/.tools/live/x.js`)('esbuild');

for (const [name, code, folder] of [
  ['@securecart/live, with elements', `export * from '${root}/web/src/index.js'`, root],
  ['@securecart/live/core', `export * from '${root}/web/src/core.js'`, root],
  ['centrifuge', `export { Centrifuge } from 'centrifuge'`],
  ['ably', `export { Realtime } from 'ably'`],
  ['ably, modular', `export { BaseRealtime, WebSocketTransport, FetchRequest } from 'ably/modular'`],
  ['@supabase/realtime-js', `export { RealtimeClient } from '@supabase/realtime-js'`],
  ['partysocket', `export { WebSocket } from 'partysocket'`],
]) {
  const { outputFiles: [{ contents }] } = buildSync({
    stdin: { contents: code, resolveDir: folder ?? `${root}/.tools/clients` },
    bundle: true, minify: true, format: 'esm', target: 'es2022', platform: 'browser', write: false, logLevel: 'error',
  });
  const sizes = [contents.length, gzipSync(contents, { level: 9 }).length, brotliCompressSync(contents).length];
  console.log(name.padEnd(34), sizes.map((n) => String(n).padStart(8)).join(''), ' bytes minified, gzip, brotli');
}
