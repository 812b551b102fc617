// Writes FILE.gz beside every text file of dist, for the server to send.
import { readdirSync, readFileSync, writeFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url).pathname;
let plain = 0;
let small = 0;
for (const dir of ['.', 'assets', 'office', 'household', 'unit', 'field', 'public']) {
  let names = [];
  try {
    names = readdirSync(join(dist, dir));
  } catch {
    continue;
  }
  for (const name of names) {
    const file = join(dist, dir, name);
    if (!statSync(file).isFile() || !/\.(js|css|html|svg|json|wasm|webmanifest)$/.test(name)) continue;
    const bytes = readFileSync(file);
    const zipped = gzipSync(bytes, { level: 9 });
    if (zipped.length < bytes.length * 0.95) writeFileSync(`${file}.gz`, zipped);
    plain += bytes.length;
    small += Math.min(zipped.length, bytes.length);
  }
}
console.log(`compressed ${(plain / 1024) | 0} KiB to ${(small / 1024) | 0} KiB`);
