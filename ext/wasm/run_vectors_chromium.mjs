/*
 * The vectors in WebAssembly in headless Chromium: one page that holds the
 * module, the cases and the scripts, no server and no network:
 *
 *   node ext/wasm/run_vectors_chromium.mjs CHROMIUM PUAN_VECTORS.wasm TEST/VECTORS \
 *     [PACK.json…]
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [chromium, wasm, folder, ...packFiles] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node run_vectors_chromium.mjs CHROMIUM PUAN_VECTORS.wasm FOLDER');
  process.exit(2);
}
const here = dirname(fileURLToPath(import.meta.url));
const script = (name) =>
  readFileSync(join(here, name), 'utf8').replace(/^export /gm, '');
const files = {}, forms = {};
for (const f of readdirSync(folder).sort())
  if (f.endsWith('.vec')) files[f] = readFileSync(join(folder, f), 'utf8');
for (const f of readdirSync(join(folder, 'forms')))
  forms[f.replace('.json', '')] = readFileSync(join(folder, 'forms', f), 'utf8');
const packs = packFiles.map((p) => ({
  name: basename(p, '.json'),
  pack: JSON.parse(readFileSync(p, 'utf8')),
  text: readFileSync(join(folder, 'plans', basename(p, '.json') + '.txt'), 'utf8'),
}));
const data = JSON.stringify({ wasm: readFileSync(wasm).toString('base64'), files, forms, packs })
  .replace(/</g, '\\u003c');

const page = `<!doctype html><meta charset="utf-8"><title>vectors</title>
<pre id="out">not run</pre>
<script>
${script('puan.mjs')}
${script('vectors.mjs')}
const data = ${data};
const out = document.getElementById('out');
(async () => {
  const bytes = Uint8Array.from(atob(data.wasm), (c) => c.charCodeAt(0));
  const puan = await load(bytes);
  const { cases, failures } = runAll(puan, data.files, data.forms);
  failures.push(...smoke(puan, data.forms.census));
  let total = cases;
  for (const p of data.packs) {
    const ran = runPack(puan, p.name, p.pack, p.text);
    total += ran.cases;
    failures.push(...ran.failures);
  }
  out.textContent = failures.concat(['RESULT ' + total + ' ' + failures.length]).join('\\n');
})().catch((e) => { out.textContent = 'ERROR ' + e.stack; });
</script>`;

const dir = mkdtempSync(join(tmpdir(), 'puan-vectors-'));
let code = 1;
try {
  const file = join(dir, 'page.html');
  writeFileSync(file, page);
  const run = spawnSync(chromium, ['--headless', '--no-sandbox', '--disable-gpu',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--disable-dev-shm-usage', '--no-first-run', `--user-data-dir=${join(dir, 'profile')}`,
    '--virtual-time-budget=60000', '--dump-dom', pathToFileURL(file).href],
    { encoding: 'utf8', timeout: 120000, maxBuffer: 1 << 26 });
  const shown = /<pre id="out">([\s\S]*?)<\/pre>/.exec(run.stdout || '');
  const result = shown && /RESULT (\d+) (\d+)$/.exec(shown[1].trim());
  if (!result) {
    console.log(shown ? shown[1] : run.stderr || String(run.error));
    console.log('the page gave no result');
  } else {
    if (result[2] !== '0') console.log(shown[1]);
    console.log(`${result[1]} cases in Chromium, ${result[2]} failures`);
    code = result[2] === '0' && Number(result[1]) >= 300 ? 0 : 1;
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
process.exit(code);
