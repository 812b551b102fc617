/*
 * Bodies of type multipart/form-data (RFC 7578): their parts, as they lie in
 * the body.
 *
 * Depends on: base.  Does no I/O.
 */
#ifndef PUAN_KIT_MULTIPART_MULTIPART_H
#define PUAN_KIT_MULTIPART_MULTIPART_H

#include "base/arena.h"

#define PUAN_MULTIPART_MAX 256

struct puan_part {
    struct puan_str name; /* of the field */
    struct puan_str file; /* file name; empty when none is given */
    struct puan_str type; /* content type as sent; may be empty */
    struct puan_str body;
};

/*
 * Everything borrows from `body`.  `type` is the Content-Type of the request.
 *
 * EINVAL  another type, no or a bad boundary, a part without a name, cut off
 * ELIMIT  more than PUAN_MULTIPART_MAX parts
 */
PUAN_MUST_USE enum puan_status
puan_multipart_parse(const struct puan_part **out, size_t *n,
                     struct puan_str type, struct puan_str body,
                     struct puan_arena *a, struct puan_err *err);

#endif
