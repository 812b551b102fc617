/*
 * The vectors in WebAssembly under node:
 *
 *   node ext/wasm/run_vectors.mjs PUAN_VECTORS.wasm TEST/VECTORS [PACK.json…]
 */
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { load } from './puan.mjs';
import { runAll, runPack, smoke } from './vectors.mjs';

const [wasm, folder, ...packs] = process.argv.slice(2);
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
let total = cases;
for (const p of packs) {
  const name = basename(p, '.json');
  const ran = runPack(puan, name, JSON.parse(readFileSync(p, 'utf8')),
    readFileSync(join(folder, 'plans', name + '.txt'), 'utf8'));
  total += ran.cases;
  failures.push(...ran.failures);
}
for (const f of failures) console.log(f);
console.log(`${total} cases under node ${process.version}, ${failures.length} failures`);
process.exit(failures.length || cases < 300 ? 1 : 0);
