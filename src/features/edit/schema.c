/* The tables of kept edits; what stands in them is said in layer.h. */
#include "features/edit/tables.h"

const struct puan_schema_step puan_edit_schema[PUAN_EDIT_STEPS] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE edit_run(id BIGINT PRIMARY KEY, form TEXT NOT NULL,"
      " area BIGINT NOT NULL, state TEXT NOT NULL, made BIGINT NOT NULL,"
      " seat TEXT NOT NULL, plan TEXT NOT NULL, program TEXT NOT NULL,"
      " rules TEXT NOT NULL, version BIGINT NOT NULL, options TEXT NOT NULL,"
      " heads TEXT NOT NULL, clean BIGINT NOT NULL, repaired BIGINT NOT NULL,"
      " impossible BIGINT NOT NULL, undecided BIGINT NOT NULL,"
      " answers BIGINT NOT NULL, weight BIGINT NOT NULL,"
      " digest BYTEA NOT NULL);" },
    { PUAN_STORE_RETURNS, 1,
      "CREATE TABLE edit_chunk(id BIGINT PRIMARY KEY, run BIGINT NOT NULL,"
      " first BIGINT NOT NULL, past BIGINT NOT NULL, body BYTEA NOT NULL);"
      "CREATE TABLE edit_rate(id BIGINT PRIMARY KEY, run BIGINT NOT NULL,"
      " area BIGINT NOT NULL, body BYTEA NOT NULL);"
      "CREATE UNIQUE INDEX edit_rate_area ON edit_rate(run, area);" },
};

const struct puan_covered puan_edit_covered[PUAN_EDIT_COVERED] = {
    { PUAN_STORE_OFFICE, "edit_run",
      "SELECT CAST(id AS TEXT), form, area, state, made, seat, plan, program,"
      " rules, version, options, heads, clean, repaired, impossible, undecided,"
      " answers, weight, digest FROM edit_run" },
    { PUAN_STORE_RETURNS, "edit_chunk",
      "SELECT CAST(id AS TEXT), run, first, past, body FROM edit_chunk" },
    { PUAN_STORE_RETURNS, "edit_rate",
      "SELECT CAST(id AS TEXT), run, area, body FROM edit_rate" },
};
