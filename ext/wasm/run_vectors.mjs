/*
 * The vectors in WebAssembly under node:
 *
 *   node ext/wasm/run_vectors.mjs PUAN_VECTORS.wasm TEST/VECTORS
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { load } from './puan.mjs';
import { runAll, smoke } from './vectors.mjs';

const [wasm, folder] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node run_vectors.mjs PUAN_VECTORS.wasm FOLDER');
  process.exit(2);
}
const files = {}, forms = {};
for (const f of readdirSync(folder).sort())
  if (f.endsWith('.vec')) files[f] = readFileSync(join(folder, f), 'utf8');
for (const f of readdirSync(join(folder, 'forms')))
  forms[f.replace('.json', '')] = readFileSync(join(folder, 'forms', f), 'utf8');

const puan = await load(readFileSync(wasm));
const { cases, failures } = runAll(puan, files, forms);
failures.push(...smoke(puan, forms.census));
for (const f of failures) console.log(f);
console.log(`${cases} cases under node ${process.version}, ${failures.length} failures`);
process.exit(failures.length || cases < 300 ? 1 : 0);
