-- What the extension does beside the vectors: rows, refusals, parallel plans,
-- memory, a plan replaced under a session.  Each line printed must say ok.
\set ON_ERROR_STOP on
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;

CREATE FUNCTION pg_temp.ok(what text, good boolean) RETURNS text LANGUAGE sql
    AS $$ SELECT CASE WHEN good THEN 'ok ' ELSE 'FAILED ' END || what $$;
-- How a statement is refused: SQLSTATE and message; '' when it is not.
CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN '';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE FUNCTION pg_temp.refused(statement text, as_expected text) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN pg_temp.refusal(statement) = as_expected THEN 'ok '
                ELSE 'FAILED (' || pg_temp.refusal(statement) || ') ' END || as_expected $$;

-- ---- rows of a table ----
CREATE TABLE person (id bigint PRIMARY KEY, age int, sex smallint, born date,
    income numeric(12,2), head boolean, name text);
INSERT INTO person
    SELECT g, CASE WHEN g % 17 = 0 THEN NULL ELSE g % 131 END,
        CASE WHEN g % 19 = 0 THEN NULL ELSE g % 4 END,
        CASE WHEN g % 23 = 0 THEN NULL ELSE date '1890-01-01' + (g % 48000)::int END,
        CASE WHEN g % 29 = 0 THEN NULL ELSE (g % 9973) * 1.37 - 5000 END, g % 2 = 0,
        CASE WHEN g % 31 = 0 THEN NULL ELSE 'x' END
    FROM generate_series(1, 40000) g;
SELECT $$rule A hard person zh "年龄" en "age" check age <= 120
rule B soft person zh "性别" en "sex" check sex in {1, 2}
rule C hard person zh "出生" en "born" when sex = 1 check born < day("2010-11-01") and income > -1000.5
rule D hard person zh "姓名" en "name" check given(name)$$ AS rules \gset
SELECT pg_temp.ok('rules over rows as in SQL', (
    SELECT count(*) FROM person p,
        LATERAL (SELECT puan.row_findings(:'rules', p) AS f) x
    WHERE ('A' = ANY (f)) IS DISTINCT FROM COALESCE(age > 120, false)
       OR ('B' = ANY (f)) IS DISTINCT FROM COALESCE(sex NOT IN (1, 2), false)
       OR ('C' = ANY (f)) IS DISTINCT FROM
          COALESCE(sex = 1 AND NOT (born < '2010-11-01' AND income > -1000.5), false)
       OR ('D' = ANY (f)) IS DISTINCT FROM (name IS NULL)) = 0);
SELECT pg_temp.ok('every rule finds and passes rows', (
    SELECT min(n) > 0 AND max(n) < 40000 AND count(*) = 4 FROM (
        SELECT r, count(*) AS n FROM person p, unnest(puan.row_findings(:'rules', p)) r GROUP BY r) x));
SELECT pg_temp.ok('a condition has three values', (
    SELECT count(*) FROM person p
    WHERE puan.row_holds('age > 60 and sex = 1 or income < 0', p)
        IS DISTINCT FROM (age > 60 AND sex = 1 OR income < 0)) = 0);
SELECT pg_temp.ok('rows of a query, their columns named there', (
    SELECT count(*) FROM (SELECT age AS a, head FROM person) q
    WHERE puan.row_holds('a < 18 and head = 1', q)) =
    (SELECT count(*) FROM person WHERE age < 18 AND head));
ALTER TABLE person DROP COLUMN head;
SELECT pg_temp.ok('a dropped column', (
    SELECT count(*) FROM person p WHERE puan.row_holds('age > 120', p)) =
    (SELECT count(*) FROM person WHERE age > 120));

-- ---- parallel plans give the same ----
CREATE TEMP TABLE alone AS
    SELECT r, count(*) AS n FROM person p, unnest(puan.row_findings(:'rules', p)) r GROUP BY r;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE FUNCTION pg_temp.plan_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE l text; all_lines text := '';
BEGIN
    FOR l IN EXECUTE 'EXPLAIN ' || statement LOOP all_lines := all_lines || l; END LOOP;
    RETURN all_lines;
END $$;
SELECT pg_temp.ok('runs in parallel workers', pg_temp.plan_of(
    'SELECT count(*) FROM person p WHERE puan.row_holds(''age > 60'', p)') LIKE '%Gather%');
SELECT pg_temp.ok('and finds the same there', NOT EXISTS (
    (SELECT r, count(*) AS n FROM person p, unnest(puan.row_findings(:'rules', p)) r GROUP BY r)
    EXCEPT SELECT r, n FROM alone));

-- ---- refusals say where and what ----
SELECT pg_temp.refused('SELECT puan.row_holds(''age >'', p) FROM person p',
    '22023 condition:1:6: expected a value but the text ends');
SELECT pg_temp.refused('SELECT puan.row_holds(''agee > 3'', p) FROM person p',
    '22023 condition:1:1: unknown name ''agee''; the nearest is ''age''');
SELECT pg_temp.refused('SELECT puan.row_holds(''name = 3'', p) FROM person p',
    '22023 condition:1:1: ''name'' is text: only given, missing, asked, invalid, reason and same_text may read it');
SELECT pg_temp.refused('SELECT puan.row_findings(''rule A hard household zh "a" en "a" check age = 1'', p) FROM person p',
    '22023 rules:1:6: form ''row'' has no level ''household''');
SELECT pg_temp.refused('SELECT puan.row_holds(''x > 3'', q) FROM (SELECT 1.5::numeric AS x) q',
    '42804 column "x" is numeric without at most 9 decimals');
SELECT pg_temp.refused('SELECT puan.row_holds(''x = 3'', q) FROM (SELECT point(1, 2) AS x) q',
    '22023 row: no column has a type that rules can read');
SELECT pg_temp.refused('SELECT * FROM puan.findings(''none'', ''f'', ''{}'')', '42704 no plan "none"');
SELECT pg_temp.refused('SELECT * FROM puan.findings(''zz-test'', ''f'', ''{}'')',
    '42704 plan "zz-test" has no form "f"');
SELECT pg_temp.refused('SELECT * FROM puan.findings(''zz-test'', ''household'', ''{'')',
    '22023 JSON:1:2: expected a key in double quotes');
SELECT pg_temp.refused(
    'SELECT * FROM puan.findings(''zz-test'', ''household'', ''{"form":"household","household":"1","answers":{"roooms":1}}'')',
    '22023 answers.roooms:1:57: unknown item, the form has no such');
SELECT pg_temp.refused('SELECT puan.plan_put(''{"plan":"x","forms":[]}'')',
    '22023 plan:1:21: ''forms'' must be a list of forms: is this what puan plan json printed');
SELECT pg_temp.refused('SELECT puan.plan_put(''{"plan":"x"'')', '22023 plan:1:12: expected '','' or ''}''');

-- ---- a document, and a plan replaced while the session holds it ----
SELECT pg_temp.ok('findings of a document',
    (SELECT string_agg(rule || ' ' || severity || ' ' || entity || ' ' || "row", ', ' ORDER BY rule)
     FROM puan.findings('zz-test', 'household', jsonb
        '{"form":"household","household":"110010010001","answers":{"members":2,"dwelling":1,"rooms":3},
          "member":[{"full_name":"Ann","place":1,"sex":"F","born":"1980-01","card":"A1","usual":1,"tongue":"01","school":9}]}'))
    = 'Z01 hard household 0, Z15 hard household 0, Z28 hard member 1');
SELECT pg_temp.ok('counts of a document', puan.counts('zz-test', 'household',
    '{"form":"household","household":"110010010001","answers":{"members":0},"member":[{"usual":1}]}', false)::text
    = '(3,0,7,0)');
DO $$
BEGIN
    PERFORM puan.plan_put('{"plan":"t","forms":[{"form":"f","zh":"f","en":"f","entities":{"u":{"zh":"u","en":"u","items":{"a":{"type":"int","zh":"a","en":"a"}}}}}],"texts":[{"file":"r","text":"rule R hard u zh \"a\" en \"a\" check a < 5"}]}');
    IF (SELECT count(*) FROM puan.findings('t', 'f', '{"form":"f","household":"1","answers":{"a":7}}')) <> 1 THEN
        RAISE EXCEPTION 'the first plan does not find';
    END IF;
    PERFORM puan.plan_put('{"plan":"t","forms":[{"form":"f","zh":"f","en":"f","entities":{"u":{"zh":"u","en":"u","items":{"a":{"type":"int","zh":"a","en":"a"}}}}}],"texts":[{"file":"r","text":"rule R hard u zh \"a\" en \"a\" check a < 9"}]}');
    IF (SELECT count(*) FROM puan.findings('t', 'f', '{"form":"f","household":"1","answers":{"a":7}}')) <> 0 THEN
        RAISE EXCEPTION 'the second plan is not seen';
    END IF;
END $$;
SELECT pg_temp.ok('a plan put anew holds at once', true);

-- ---- a million calls keep no memory ----
CREATE TEMP TABLE memory (at text, bytes bigint);
CREATE FUNCTION pg_temp.note(at text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO memory SELECT at, sum(total_bytes) FROM pg_backend_memory_contexts $$;
SET max_parallel_workers_per_gather = 0;
SELECT pg_temp.note('before') IS NULL \g /dev/null
SELECT count(*) FROM person p, generate_series(1, 8), unnest(puan.row_findings(:'rules', p)) \g /dev/null
SELECT count(*) FROM generate_series(1, 20000) g, puan.findings('zz-test', 'household',
    '{"form":"household","household":"110010010001","answers":{"members":' || g % 3 || '}}') \g /dev/null
SELECT pg_temp.note('after') IS NULL \g /dev/null
SELECT pg_temp.ok('340,000 calls leave no memory behind',
    (SELECT bytes FROM memory WHERE at = 'after') - (SELECT bytes FROM memory WHERE at = 'before') < 2000000);
SELECT pg_temp.ok('memory was measured', (SELECT min(bytes) FROM memory) > 100000);

DROP TABLE person;
DROP EXTENSION puan;
SELECT pg_temp.ok('dropped without a trace', to_regclass('puan.plan') IS NULL AND
    NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'puan'::regnamespace));
