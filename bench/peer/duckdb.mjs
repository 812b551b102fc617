// Runs the named queries of an .sql file in DuckDB and prints
//   name<TAB>mode<TAB>ms<TAB>result
// one line a query and mode; ms is the median of --reps after one run to warm
// up, the result that of the last run as JSON.
//
// usage: node duckdb.mjs PERSONS.csv QUERIES.sql [--mode memory,parquet,file]
//        [--only REGEX] [--reps 5] [--threads 2] [--dir DIR]
//
// Modes: the rows in memory; in a Parquet file (zstd); in a database file.
// The query "load_csv" reads the CSV into table p (@CSV@ is its path); the
// others read p, and geo, the reference table made from it here.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const args = process.argv.slice(2);
const option = (name, dflt) => {
  const i = args.indexOf('--' + name);
  return i < 0 ? dflt : args.splice(i, 2)[1];
};
const modes = option('mode', 'memory,parquet,file').split(',');
const only = new RegExp(option('only', '.'));
const reps = Number(option('reps', '5'));
const threads = option('threads', '2');
const dir = option('dir', '.');
const [csv, sql] = args;
if (!csv || !sql) {
  console.error('usage: duckdb.mjs PERSONS.csv QUERIES.sql [options]');
  process.exit(2);
}
const require = createRequire(pathToFileURL(path.join(process.cwd(), 'x.js')));
const duckdb = require('@duckdb/node-api');

const queries = fs.readFileSync(sql, 'utf8').split(/^-- name: */m).slice(1)
  .map((part) => {
    const nl = part.indexOf('\n');
    return { name: part.slice(0, nl).trim(), text: part.slice(nl + 1).replaceAll('@CSV@', csv) };
  });
const median = (a) => a.toSorted((x, y) => x - y)[a.length >> 1];

const geo = `CREATE OR REPLACE TABLE geo AS SELECT region, township,
  count(*) + (CASE WHEN region%7=0 AND township=2 THEN count(*)//10 ELSE 0 END) control
  FROM p WHERE NOT (region%97=0 AND township=5) GROUP BY region, township`;

async function time(c, q, times) {
  const ms = [];
  let rows = [];
  for (let i = 0; i <= times; i++) {
    const t0 = process.hrtime.bigint();
    const r = await c.runAndReadAll(q.text);
    if (i > 0 || times === 0) ms.push(Number(process.hrtime.bigint() - t0) / 1e6);
    rows = r.getRowsJson();
  }
  return { ms: median(ms), result: JSON.stringify(rows) };
}

for (const mode of modes) {
  const file = mode === 'file' ? path.join(dir, 'peer.duckdb') : ':memory:';
  if (mode === 'file') fs.rmSync(file, { force: true });
  const db = await duckdb.DuckDBInstance.create(file, { threads });
  const c = await db.connect();
  const load = queries.find((q) => q.name === 'load_csv');
  const wanted = mode === 'memory' && only.test('load_csv');
  const t = await time(c, load, wanted ? reps : 0);
  if (wanted) console.log(['load_csv', mode, t.ms.toFixed(1), t.result].join('\t'));
  await c.run(geo);
  if (mode === 'file') await c.run('CHECKPOINT');
  if (mode === 'parquet') {
    const parquet = path.join(dir, 'peer.parquet');
    await c.run(`COPY p TO '${parquet}' (FORMAT parquet, COMPRESSION zstd)`);
    await c.run('DROP TABLE p');
    await c.run(`CREATE VIEW p AS SELECT * FROM read_parquet('${parquet}')`);
  }
  for (const q of queries) {
    if (q.name === 'load_csv' || !only.test(q.name)) continue;
    const r = await time(c, q, reps);
    console.log([q.name, mode, r.ms.toFixed(1), r.result].join('\t'));
  }
  c.closeSync();
  if (mode === 'file') fs.rmSync(file, { force: true });
  if (mode === 'parquet') fs.rmSync(path.join(dir, 'peer.parquet'), { force: true });
}
