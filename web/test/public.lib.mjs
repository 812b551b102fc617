// What the tests of the public face need beside lib.mjs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Rows of the simulated staff file. */
export function cards(server) {
  const [head, ...rows] = readFileSync(join(server.dir, 'sim/staff.csv'), 'utf8').trim().split(/\r?\n/);
  const names = head.split(',');
  return rows.map((r) => Object.fromEntries(r.split(',').map((v, i) => [names[i], v])));
}
