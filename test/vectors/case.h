/*
 * One case of the rule language: program and input to one line of text, the
 * same on every host.  See README.md of this folder.
 *
 * Depends on: core/rule.  Does no I/O, keeps no state; compiled natively and
 * to WebAssembly.
 */
#ifndef PUAN_TEST_VECTORS_CASE_H
#define PUAN_TEST_VECTORS_CASE_H

#include "core/rule/rule.h"

/* What the case gives, as one line; never NULL. */
const char *puan_vector_case(const struct puan_form *form,
                             struct puan_str program, struct puan_str input,
                             struct puan_arena *a);

#endif
