/*
 * Plan packs on disk: finding, reading, pinning, signing.  Every other part
 * gets its plan from here and never opens a plan file itself.
 *
 * A pack is named by a path ("plans/zz-test", "/srv/plans/x") or by its bare
 * name, which is looked for in $PUAN_PLANS, ./plans and /usr/share/puan/plans.
 * The packs a plan uses lie beside it.
 *
 * Depends on: core/plan, kit/yaml, monitors (lint reads risks.yaml).  Never writes into a pack it reads.
 */
#ifndef PUAN_FEATURES_PLANS_PLANS_H
#define PUAN_FEATURES_PLANS_PLANS_H

#include "core/plan/plan.h"
#include "features/host/feature.h"

/* A loaded plan and the memory it lives in. */
struct puan_plan_held;

/*
 * The directory a pack's path or bare name means, without a slash at its end,
 * in `a`.
 *
 * ENOTFOUND  no such pack
 */
PUAN_MUST_USE enum puan_status puan_plan_find(const char **out,
                                              const char *pack,
                                              struct puan_arena *a,
                                              struct puan_err *err);

/*
 * Reads a pack, or a directory made by puan_plan_pin; then the digests must be
 * those that were pinned.  A pack with a fault is refused whole; err has the
 * first fault.
 *
 * ENOTFOUND  no such pack   EINVAL  a fault in a file
 * ECONFLICT  a pinned file has changed
 */
PUAN_MUST_USE enum puan_status
puan_plan_load_dir(struct puan_plan_held **out, const char *pack,
                   const struct puan_digest_fn *digest, struct puan_err *err);
const struct puan_plan *puan_plan_held_plan(const struct puan_plan_held *h);
void puan_plan_close(struct puan_plan_held *h);

/*
 * Copies a pack and those it uses into `dir` (made if absent, else empty), each
 * in a folder of its name, and writes `dir/pin.json` with their digests, all
 * flushed.  The pack must load.  `digest32` gets the plan's digest (may be
 * NULL).
 *
 *   puan_plan_pin("DIR/plan", "cn-population-2020", fn, digest32, &err)
 *   puan_plan_load_dir(&held, "DIR/plan", fn, &err)
 */
PUAN_MUST_USE enum puan_status
puan_plan_pin(const char *dir, const char *pack,
              const struct puan_digest_fn *digest,
              uint8_t digest32[PUAN_DIGEST_SIZE], struct puan_err *err);
/* The same without proving rules and workflows again: scratch campaigns. */
PUAN_MUST_USE enum puan_status
puan_plan_pin_proved(const char *dir, const char *pack,
                     const struct puan_digest_fn *digest, struct puan_err *err);

/*
 * Every fault of a pack, not only the first.  The problems live until *held
 * (also given when there are faults) is closed.  `known` as puan_plan_prove.
 */
PUAN_MUST_USE enum puan_status
puan_plan_lint(struct puan_plan_held **held,
               const struct puan_problems **problems, const char *pack,
               const struct puan_plan_known *known,
               const struct puan_digest_fn *digest, struct puan_err *err);

/*
 * The monitors of risks.yaml and what scoring.yaml counts, against the plan's
 * workflows and the metrics of all features.
 */
void puan_plan_prove_risks(const struct puan_plan *p,
                           struct puan_problems *problems,
                           struct puan_arena *a);

/* Every capability some route of `features` asks for, sorted, once each. */
struct puan_plan_known
puan_plan_known_of(const struct puan_feature *const *features,
                   struct puan_arena *a);

/*
 * A tree of a plan file as JSON, and what a browser is given of a form: its
 * definition, the shared code lists it uses, rules, settings, reference month,
 * the plan's digest; ext/wasm takes the parts as they are.
 */
void puan_plan_node_json(struct puan_jw *w, const struct puan_node *n);
void puan_plan_settings_json(struct puan_jw *w, const struct puan_plan *p);
void puan_plan_rules_json(struct puan_jw *w, const struct puan_plan *p);
PUAN_MUST_USE enum puan_status puan_plan_form_json(struct puan_out *o,
                                                   const struct puan_plan *p,
                                                   const struct puan_form *f,
                                                   struct puan_err *err);

/*
 * A whole pack as one JSON text, for hosts that run the core without files
 * (ext/wasm, ext/pg): plan, version, digest, reference_month, offset_minutes,
 * key_width, codes, forms, settings, texts of the rules.
 */
void puan_plan_json(struct puan_jw *w, const struct puan_plan *p);

extern const struct puan_feature puan_feature_plans;

#endif
