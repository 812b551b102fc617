/*
 * A draw as its options say it, its record, and the same draw again: what the
 * command over files and the register of a campaign have in common.
 *
 * Does file I/O.
 */
#ifndef PUAN_FEATURES_SAMPLE_DRAW_H
#define PUAN_FEATURES_SAMPLE_DRAW_H

#include "base/node.h"
#include "features/sample/select.h"

#define PUAN_DRAW_MANY 64

/* Points into itself: never copy it. */
struct puan_draw_options {
    struct puan_select select;
    struct puan_frames_options frames;
    struct puan_frames_level level[PUAN_FRAME_ENTITIES];
    struct puan_str item[PUAN_DRAW_MANY];
    size_t n_items;
    const char *path[PUAN_DRAW_MANY];
    size_t n_paths;
    const char *out, *record;
    const char *area, *purpose, *note; /* of a campaign's register */
    /* the options that decide the draw, as given */
    const char *said[2 * PUAN_DRAW_MANY];
    size_t n_said;
    bool json, quiet;
};

/* argv[0] is passed over; texts are borrowed.  NULL, or what is wrong with
 *at. */
const char *puan_draw_parse(struct puan_draw_options *o, const char **at,
                            int argc, char **argv);

/* Reads the data the options name and draws; errors as puan_select and
   puan_frames_load. */
PUAN_MUST_USE enum puan_status puan_draw_rows(struct puan_drawn_rows *d,
                                              struct puan_frames **f,
                                              const struct puan_draw_options *o,
                                              struct puan_arena *a,
                                              struct puan_err *err);

/* The record as one JSON object; `source` says what the frame was made of. */
void puan_draw_record(struct puan_jw *w, const struct puan_draw_options *o,
                      const struct puan_frame *f, struct puan_str source,
                      const struct puan_drawn_rows *d, int64_t at_ms,
                      int offset_minutes);

/*
 * The options of a record, over these files; `where` names the record.
 *
 * EINVAL  not a record; its options are none of a draw
 */
PUAN_MUST_USE enum puan_status
puan_draw_again(struct puan_draw_options *o, const struct puan_node *record,
                const char *where, const char *const *data, size_t n_data,
                struct puan_arena *a, struct puan_err *err);

/* What a draw again came to. */
struct puan_draw_verdict {
    bool frame_same, drawn_same;
    uint64_t rows; /* drawn now */
};
struct puan_draw_verdict puan_draw_judge(const struct puan_node *record,
                                         const struct puan_frame *f,
                                         const struct puan_drawn_rows *d);

#endif
