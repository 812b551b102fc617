-- Puan inside PostgreSQL: the same forms, routing and rules as in the server,
-- on the command line and on a device.  See ext/pg/README.md.
\echo Use "CREATE EXTENSION puan" to load this file. \quit

-- Plans, as `puan plan json PACK` prints them.  Put with puan.plan_put, which
-- proves that every form loads and every rule compiles.
CREATE TABLE plan (
    name text PRIMARY KEY,
    pack text NOT NULL,
    mark text NOT NULL GENERATED ALWAYS AS (md5(pack)) STORED
);
SELECT pg_catalog.pg_extension_config_dump('plan', '');
GRANT SELECT ON plan TO PUBLIC;

CREATE FUNCTION version() RETURNS text
    AS 'MODULE_PATHNAME', 'puan_pg_version'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- The plan's name, forms and number of rules a form; refuses a faulty pack.
CREATE FUNCTION plan_check(pack text, OUT plan text, OUT form text, OUT rules integer)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'puan_pg_plan_check'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- Keeps a plan under its own name, or replaces it.
CREATE FUNCTION plan_put(pack text) RETURNS text
    LANGUAGE sql STRICT
    AS $$
    INSERT INTO puan.plan (name, pack)
    SELECT (SELECT c.plan FROM puan.plan_check($1) c LIMIT 1), $1
    ON CONFLICT (name) DO UPDATE SET pack = EXCLUDED.pack
    RETURNING name
    $$;

-- Findings of one return's document (doc/plan.md, "Documents").  row counts
-- from 1 in a roster and is 0 for the household or unit.  Without `route` an
-- absent answer stays not asked, whatever routing says.
CREATE FUNCTION findings(plan text, form text, document text, route boolean DEFAULT true,
                         OUT rule text, OUT severity text, OUT entity text, OUT "row" integer,
                         OUT items text[], OUT zh text, OUT en text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'puan_pg_findings'
    LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 5;
CREATE FUNCTION findings(plan text, form text, document jsonb, route boolean DEFAULT true,
                         OUT rule text, OUT severity text, OUT entity text, OUT "row" integer,
                         OUT items text[], OUT zh text, OUT en text)
    RETURNS SETOF record
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 5
    AS $$ SELECT * FROM puan.findings($1, $2, $3::text, $4) $$;

-- How many findings of either severity, rules evaluated and not evaluable.
CREATE FUNCTION counts(plan text, form text, document text, route boolean DEFAULT true,
                       OUT hard integer, OUT soft integer, OUT evaluated integer,
                       OUT not_evaluable integer)
    AS 'MODULE_PATHNAME', 'puan_pg_counts'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;

-- Rules as text over one row of any table or query: the ids of those it fails.
-- Columns are items, NULL is missing; the rules' level is `level`.
CREATE FUNCTION row_findings(rules text, "row" record, level text DEFAULT 'person')
    RETURNS text[]
    AS 'MODULE_PATHNAME', 'puan_pg_row_findings'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
-- One expression over a row: true, false, or NULL where it is unknown.
CREATE FUNCTION row_holds(condition text, "row" record)
    RETURNS boolean
    AS 'MODULE_PATHNAME', 'puan_pg_row_holds'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
