// Prints the size of this project's client and of others: bundled and minified by esbuild for
// es2022, packed by gzip -9 and brotli. Ours is what pages load. Run it with make benchclient.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { buildSync } = createRequire(`${root}/.tools/live/x.js`)('esbuild');

/** print prints the sizes of a module. */
function print(name, contents) {
  const sizes = [contents.length, gzipSync(contents, { level: 9 }).length, brotliCompressSync(contents).length];
  console.log(name.padEnd(34), sizes.map((n) => String(n).padStart(8)).join(''), ' bytes minified, gzip, brotli');
}

print('@securecart/live, with elements', readFileSync(`${root}/web/dist/securecart-live.js`));
print('@securecart/live/core', readFileSync(`${root}/web/dist/core.js`)); // of make client
for (const [name, code] of [
  ['centrifuge', `export { Centrifuge } from 'centrifuge'`],
  ['ably', `export { Realtime } from 'ably'`],
  ['ably, modular', `export { BaseRealtime, WebSocketTransport, FetchRequest } from 'ably/modular'`],
  ['@supabase/realtime-js', `export { RealtimeClient } from '@supabase/realtime-js'`],
  ['partysocket', `export { WebSocket } from 'partysocket'`],
]) {
  const { outputFiles: [{ contents }] } = buildSync({
    stdin: { contents: code, resolveDir: `${root}/.tools/clients` },
    bundle: true, minify: true, format: 'esm', target: 'es2022', platform: 'browser', write: false, logLevel: 'error',
  });
  print(name, contents);
}
