/*
 * A tabulation programme as a file (doc/tables.md): settings, levels of plain
 * files, variables with their codes, and tables.
 *
 *   programme: county-2020
 *   zh: …
 *   en: …
 *   entity: person                      what a row of a plain file is
 *   levels: {household: [region, hhid]}
 *   settings: {ref_month: 24251}
 *   codes: {sex: {1: {zh: 男, en: Male}, 2: {…}}}
 *   variables:
 *     age5: {is: "bands(age, 0..100/5)", zh: 年龄组, en: Age group}
 *   tables:
 *     t1:
 *       zh: …
 *       en: …
 *       of: person
 *       where: "…"
 *       by: [region, age5, {is: sex, zh: 性别, en: Sex, codes: sex}]
 *       show: [count as n, {is: "mean(age)", name: age, zh: …, places: 1}]
 *       totals: true
 *
 * Depends on: tabulate.  Does no I/O.
 */
#ifndef PUAN_CORE_TABLE_PROGRAMME_H
#define PUAN_CORE_TABLE_PROGRAMME_H

#include "base/node.h"
#include "core/table/tabulate.h"

struct puan_tab_level {
    struct puan_str name;
    const struct puan_str *item;
    size_t n_items;
};

struct puan_tab_file {
    struct puan_tab_programme programme;
    struct puan_str entity;
    const struct puan_tab_level *level;
    size_t n_levels;
};

/* The message names file, line, column, key and remedy. */
PUAN_MUST_USE enum puan_status
puan_tab_file_read(struct puan_tab_file *out, const struct puan_node *tree,
                   struct puan_arena *a, struct puan_err *err);

#endif
