// Flips single bits anywhere in a store's file and asks `puan ledger verify`:
// whenever what SQL reads back has changed, it must say so; it never crashes.
// usage: node flip.mjs PUAN DIR STORE COUNT [SEED]   (DIR is spoilt)
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const [puan, dir, store, count, seedText] = process.argv.slice(2);
let seed = Number(seedText ?? Date.now() % 1000000007);
console.log(`seed ${seed}`);
const random = (n) => { // a small generator, so that a seed says it all
  seed = (seed * 48271) % 2147483647;
  return seed % n;
};
const file = `${dir}/returns/${store}.db`;
const tables = {
  ledger: 'seq, hex(entry), hex(digest)',
  ret: 'seq, household, version, form, mode, device, counter, actor, seat,'
    + ' started, finished, received, signed, entry, query, hex(frame),'
    + ' hex(facts), hex(vault), hex(digest)',
  listing: '*, hex(sealed)', assignment: '*', covered: 'tbl, key, seq, hex(digest)',
};
const dump = () => Object.entries(tables).map(([t, columns]) => {
  const r = spawnSync('sqlite3', [file, `SELECT ${columns} FROM ${t}`],
    { maxBuffer: 1 << 28 });
  return r.status + r.stdout.toString('latin1');
}).join('\n');

const whole = readFileSync(file);
const truth = dump();
let changed = 0;
for (let i = 0; i < Number(count); i++) {
  const bytes = Buffer.from(whole);
  const at = random(bytes.length);
  bytes[at] ^= 1 << random(8);
  writeFileSync(file, bytes);
  const r = spawnSync(puan, ['ledger', 'verify', dir]);
  const same = dump() === truth;
  if (!same) changed++;
  if (!(r.status === 1 || (r.status === 0 && same))) {
    console.log(`byte ${at}: exit ${r.status} ${r.signal ?? ''}, `
      + `${same ? 'nothing changed' : 'data changed'}\n${r.stderr}`);
    process.exit(1);
  }
}
writeFileSync(file, whole);
if (changed === 0) {
  console.log('no flip changed anything: the test shows nothing');
  process.exit(1);
}
console.log(`${count} flips, ${changed} changed what is read, all found`);
