/*
 * The counts kept beside an open store: made and given up by the feature's
 * own hooks.  Of this folder only.
 */
#ifndef PUAN_FEATURES_TABLES_CACHE_H
#define PUAN_FEATURES_TABLES_CACHE_H

#include "features/store/store.h"

PUAN_MUST_USE enum puan_status puan_tables_open(void **state,
                                                struct puan_store *st,
                                                struct puan_err *err);
void puan_tables_close(void *state, struct puan_store *st);

#endif
