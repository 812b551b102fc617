/*
 * What a frame holds, told to a person, to a program, and as CSV.
 *
 * Does output; never changes a frame.
 */
#ifndef PUAN_FEATURES_FRAME_SHOW_H
#define PUAN_FEATURES_FRAME_SHOW_H

#include <stdio.h>

#include "features/frame/frames.h"

/* The codebook as lines of text, in Chinese or English. */
void puan_frame_show(FILE *to, const struct puan_frame *f, bool zh);
/* The same as one JSON object. */
PUAN_MUST_USE enum puan_status puan_frame_show_json(struct puan_out *o,
                                                    const struct puan_frame *f);
/* The rows of an entity as CSV, by all cores; "-" is standard output. */
PUAN_MUST_USE enum puan_status
puan_frame_to_csv(const char *path, const struct puan_frame_entity *e,
                  unsigned threads, struct puan_err *err);

#endif
