/*
 * Inside features/releases: what its files share.
 */
#ifndef PUAN_FEATURES_RELEASES_INTERNAL_H
#define PUAN_FEATURES_RELEASES_INTERNAL_H

#include "features/host/request.h"
#include "features/releases/releases.h"

struct puan_count;

/* H over the texts of tables, a line end behind each. */
enum puan_status puan_release_tables_digest(uint8_t out[PUAN_DIGEST_SIZE],
                                            const struct puan_digest_fn *fn,
                                            const struct puan_str *tables,
                                            size_t n, struct puan_arena *a,
                                            struct puan_err *err);
/* One table as it stands in a document. */
enum puan_status puan_release_table_text(struct puan_str *out,
                                         const struct puan_count *c,
                                         struct puan_str id,
                                         struct puan_arena *a,
                                         struct puan_err *err);
/* What is signed: id, digest and published_ms are looked at. */
struct puan_str puan_release_message(const struct puan_release *r,
                                     struct puan_arena *a);

#define PUAN_RELEASE_COMMANDS 1
extern const struct puan_command puan_release_commands[PUAN_RELEASE_COMMANDS];

/* ---- what anybody may read (public.c) -------------------------------------- */

struct puan_release_in {
    int64_t id;
    struct puan_str table, lang;
    struct puan_page page;
};
extern const struct puan_param puan_release_list_params[2];
extern const struct puan_param puan_release_id_params[1];
extern const struct puan_param puan_release_csv_params[3];
/* ENOTFOUND also when it is not published. */
enum puan_status puan_release_published(struct puan_release *out,
                                        struct puan_request *rq, int64_t id,
                                        struct puan_err *err);
enum puan_status puan_release_list_public(struct puan_request *rq,
                                          const void *in, struct puan_err *err);
enum puan_status puan_release_tables_public(struct puan_request *rq,
                                            const void *in,
                                            struct puan_err *err);
enum puan_status puan_release_csv_public(struct puan_request *rq,
                                         const void *in, struct puan_err *err);

#endif
