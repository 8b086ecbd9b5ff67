// Parses an AsyncAPI document with the official parser: validate.mjs FILE
// Exits with 1 if there is an error or a warning. Notes, such as that a later version of
// AsyncAPI exists, are not printed.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../.tools/asyncapi/', import.meta.url));
const { Parser } = require('@asyncapi/parser');

const file = process.argv[2];
const { document, diagnostics } = await new Parser().parse(readFileSync(file, 'utf8'));
const faults = diagnostics.filter(({ severity }) => severity <= 1); // 0: error, 1: warning
for (const { code, message, range } of faults) console.error(`${file}:${range.start.line + 1}: ${code}: ${message}`);
if (faults.length > 0 || !document) process.exit(1);
const count = document.allMessages().length;
if (count === 0) throw new Error(`${file} has no message`);
console.log(`${file} is valid: AsyncAPI ${document.version()}, ${count} messages`);
