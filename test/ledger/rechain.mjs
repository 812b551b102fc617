// Reads "seq|hex of entry" lines (a whole ledger, in order) on standard input,
// replaces TEXT by TEXT2 (same length) in entry N, and writes SQL that puts the
// chain back with every link and digest right: what a thief of the disk with
// this program's source could do.  usage: node rechain.mjs N TEXT TEXT2
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [n, from, to] = process.argv.slice(2);
let previous = Buffer.alloc(32);
const sql = ['BEGIN;'];
for (const line of readFileSync(0, 'utf8').trim().split('\n')) {
  const [seq, hex] = line.split('|');
  let entry = Buffer.from(hex, 'hex');
  if (seq === n) {
    const at = entry.indexOf(from);
    if (at < 0 || Buffer.byteLength(from) !== Buffer.byteLength(to))
      throw new Error(`entry ${n} does not hold '${from}'`);
    entry = Buffer.concat([entry.subarray(0, at), Buffer.from(to),
      entry.subarray(at + Buffer.byteLength(from))]);
  }
  previous.copy(entry, entry.length - 32); // the link stands last
  previous = createHash('sm3').update(Buffer.from([2])).update(entry).digest();
  sql.push(`UPDATE ledger SET entry = X'${entry.toString('hex')}',`
    + ` digest = X'${previous.toString('hex')}' WHERE seq = ${seq};`);
}
sql.push('COMMIT;');
console.log(sql.join('\n'));
