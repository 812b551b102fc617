/*
 * Writes SQL that runs test/vectors inside PostgreSQL: every case of the
 * language, and every rule of the packs at its thresholds.  What differs is a
 * row; the last line counts.
 *
 *   node ext/pg/vectors.mjs TEST/VECTORS PACK.json… | psql …
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { casesOf } from '../wasm/vectors.mjs';

const [folder, ...packs] = process.argv.slice(2);
const text = (s) => `E'${s.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\n/g, '\\n')}'`;
const put = (line) => process.stdout.write(line + '\n');

put(`\\set ON_ERROR_STOP on
\\pset format unaligned
\\pset tuples_only on
BEGIN;
CREATE FUNCTION pg_temp.vector(text, text, text) RETURNS text
  AS '$libdir/puan_vectors', 'puan_pg_vector' LANGUAGE C STRICT;
CREATE TEMP TABLE form (name text PRIMARY KEY, def text);
CREATE TEMP TABLE vec (at text, form text, program text, answers text, expected text);
CREATE TEMP TABLE edge (at text, plan text, form text, rule text, document text, expected text);`);
for (const f of readdirSync(join(folder, 'forms')))
  put(`INSERT INTO form VALUES (${text(f.replace('.json', ''))}, ` +
    `${text(readFileSync(join(folder, 'forms', f), 'utf8'))});`);
for (const f of readdirSync(folder).filter((n) => n.endsWith('.vec')).sort())
  for (const c of casesOf(readFileSync(join(folder, f), 'utf8')))
    put(`INSERT INTO vec VALUES (${[`${f}:${c.line}`, c.form, c.program, c.answers, c.expected]
      .map(text).join(', ')});`);
for (const p of packs) {
  const pack = readFileSync(p, 'utf8'), name = JSON.parse(pack).plan;
  put(`SELECT 'plan ' || puan.plan_put(${text(pack)});`);
  const lines = readFileSync(join(folder, 'plans', name + '.txt'), 'utf8').split('\n')
    .map((l, i) => [l, i + 1]).filter(([l]) => l !== '' && !l.startsWith('#'));
  for (let i = 0; i + 2 < lines.length; i += 3) {
    const [rule, form] = lines[i][0].split(' ');
    put(`INSERT INTO edge VALUES (${[`${name}.txt:${lines[i][1]}`, name, form, rule,
      lines[i + 1][0], lines[i + 2][0]].map(text).join(', ')});`);
  }
}
put(`
CREATE TEMP TABLE vec_got AS
  SELECT v.*, pg_temp.vector(f.def, v.program, v.answers) AS got
  FROM vec v JOIN form f ON f.name = v.form;
CREATE TEMP TABLE edge_got AS
  SELECT e.*, COALESCE((SELECT string_agg("row"::text, ',' ORDER BY "row")
    FROM puan.findings(e.plan, e.form, e.document, false) x WHERE x.rule = e.rule), '-') AS got
  FROM edge e;
SELECT at || ': ' || program || ' gives ' || got || ', expected ' || expected
  FROM vec_got WHERE got IS DISTINCT FROM expected;
SELECT at || ': ' || rule || ' ' || form || ' ' || document || ' gives ' || got || ', expected ' || expected
  FROM edge_got WHERE got IS DISTINCT FROM expected;
SELECT (SELECT count(*) FROM vec_got) || ' cases of the language and ' ||
  (SELECT count(*) FROM edge_got) || ' of rules in PostgreSQL, ' ||
  ((SELECT count(*) FROM vec_got WHERE got IS DISTINCT FROM expected) +
   (SELECT count(*) FROM edge_got WHERE got IS DISTINCT FROM expected)) || ' failures';
COMMIT;`);
