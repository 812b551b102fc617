/*
 * What an edit changed, as bytes: a chunk of returns with the outcome of each
 * that failed a hard rule, and rates of areas.
 *
 * A layer names the version of a return it is about (`ret`), so that it says
 * nothing about a later one, and holds new values only: what was collected
 * stays in the return and is never written over.  The same units always give
 * the same bytes, by which a run can be redone and compared.
 *
 *   chunk  u8 1 . varint n . per unit: svarint household (less the one before)
 *          . varint ret . u8 outcome . varint n changes . per change: varint
 *          entity . varint item . varint row . u8 state | method << 4 . varint
 *          weight . svarint value (GIVEN only) . svarint donor (household; 0)
 *   rates  u8 1 . varint n . per area: svarint code . 4 varint units by outcome
 *          . varint n items . per item: varint entity . varint item . varint
 *          answers . failing . changed . 5 varint by method
 *
 * Depends on: base, form.  Does no I/O, keeps no state.
 */
#ifndef PUAN_CORE_EDIT_LAYER_H
#define PUAN_CORE_EDIT_LAYER_H

#include "base/out.h"
#include "core/form/record.h"

#define PUAN_LAYER_OUTCOMES 4 /* clean, repaired, impossible, undecided */
#define PUAN_LAYER_METHODS 5  /* deductive, donor, hot deck, nearest, ask */
#define PUAN_LAYER_MOST (1u << 20) /* units of a chunk, areas of rates */

struct puan_layer_change {
    uint16_t entity, item;
    uint32_t row;
    uint8_t state;  /* enum puan_state */
    uint8_t method; /* of the list above */
    uint32_t weight; /* 0 for facts, which follow their item */
    int64_t value;   /* GIVEN only, else 0 */
    int64_t donor;   /* household; 0: none */
};

struct puan_layer_unit {
    int64_t household; /* rising */
    int64_t ret;       /* row of `ret`: the version that was edited */
    uint8_t outcome;   /* 1 to 3: clean ones are not in a layer */
    struct puan_layer_change *change;
    size_t n;
};

void puan_layer_encode(struct puan_out *out, const struct puan_layer_unit *u,
                       size_t n);
/* EINVAL  damaged, or of another version */
PUAN_MUST_USE enum puan_status
puan_layer_decode(struct puan_layer_unit **out, size_t *n,
                  struct puan_str bytes, struct puan_arena *a,
                  struct puan_err *err);
/*
 * Puts the values of `u` into the rows of a record of the same version.  Texts
 * that are sealed stay as they are: nobody can make them up, their facts say
 * what they must agree with.  Cells the record does not have are passed over.
 * Gives the number of cells that were set.
 */
size_t puan_layer_apply(struct puan_record *r, const struct puan_layer_unit *u);

struct puan_layer_rate {
    uint16_t entity, item;
    uint64_t answers, failing, changed, method[PUAN_LAYER_METHODS];
};
struct puan_layer_area {
    int64_t code;
    uint64_t unit[PUAN_LAYER_OUTCOMES];
    struct puan_layer_rate *rate; /* by entity and item */
    size_t n;
};
void puan_layer_rates_encode(struct puan_out *out,
                             const struct puan_layer_area *area, size_t n);
PUAN_MUST_USE enum puan_status
puan_layer_rates_decode(struct puan_layer_area **out, size_t *n,
                        struct puan_str bytes, struct puan_arena *a,
                        struct puan_err *err);

#endif
