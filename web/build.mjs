// Builds what the package has: node build.mjs [TOOLS]
//
//   dist/securecart-live.js   one file for a script tag; localhub serves it
//   dist/index.js, core.js    for bundlers
//   dist/types/*.d.ts         for TypeScript
//
// TOOLS is the folder with node_modules, by default this one.

import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

const here = import.meta.dirname;
const tools = resolve(process.argv[2] ?? here);
const out = resolve(process.argv[3] ?? join(here, 'dist'));
const { buildSync } = createRequire(join(tools, 'x.js'))('esbuild');

rmSync(out, { recursive: true, force: true });
for (const [entry, file] of [['tag', 'securecart-live'], ['index', 'index'], ['core', 'core']]) {
  buildSync({
    entryPoints: [join(here, 'src', `${entry}.js`)],
    outfile: join(out, `${file}.js`),
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
  });
  const bytes = gzipSync(readFileSync(join(out, `${file}.js`)), { level: 9 }).length;
  console.log(`${file}.js ${bytes} bytes with gzip -9`);
}
execFileSync(join(tools, 'node_modules/.bin/tsc'), ['-p', join(here, 'tsconfig.json'), '--outDir', join(out, 'types')], { stdio: 'inherit' });
for (const name of ['types', 'html', 'attributes', 'react', 'vue']) cpSync(join(here, 'src', `${name}.d.ts`), join(out, 'types', `${name}.d.ts`));
// tsc writes a path that leads out of the package.
const index = join(out, 'types', 'index.d.ts');
writeFileSync(index, readFileSync(index, 'utf8').replace(/path="[^"]*html\.d\.ts"/, 'path="./html.d.ts"'));
writeFileSync(join(out, 'empty.js'), '// Only types.\nexport {};\n');
