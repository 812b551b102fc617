/*
 * What the files of this folder share.
 */
#ifndef PUAN_FEATURES_PROOF_INTERNAL_H
#define PUAN_FEATURES_PROOF_INTERNAL_H

#include "core/proof/world.h"
#include "features/proof/proof.h"

/* Lists of verbs of features, NULL-ended: verbs.c. */
extern const struct puan_verb *const puan_proof_verbs[];

extern const struct puan_verb puan_proof_assessment[]; /* verbs_assessment.c */
extern const struct puan_verb puan_proof_monitor[]; /* verbs_monitor.c */

/* Plays a scenario over HTTP on a scratch campaign (server.c). */
PUAN_MUST_USE enum puan_status
puan_proof_server(struct puan_played *played, const struct puan_plan *plan,
                  const struct puan_scenario *s, void *arg,
                  struct puan_err *err);

/* What the office page shows: rows with scenarios, counts (routes.c). */
void puan_proof_json(struct puan_jw *w, const struct puan_proof *p,
                     int64_t at_ms);
enum puan_status puan_proof_open(void **state, struct puan_store *st,
                                 struct puan_err *err);
void puan_proof_close(void *state, struct puan_store *st);
#define PUAN_PROOF_ROUTES 2
extern const struct puan_route puan_proof_routes[PUAN_PROOF_ROUTES];

extern const struct puan_command puan_proof_commands[1];

#endif
