#include "kit/gzip/gzip.h"

#include <zlib.h>

enum puan_status puan_gzip(struct puan_str *out, struct puan_str in,
                           struct puan_arena *a, struct puan_err *err)
{
    z_stream z = { 0 };
    size_t cap;
    char *p;
    int r;

    if (in.n > (size_t)1 << 30)
        return puan_fail(err, PUAN_ELIMIT, "gzip", "too long to be packed");
    /* 16 + 15: a gzip header, the largest window */
    if (deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return puan_fail(err, PUAN_ENOMEM, "gzip", "out of memory");
    cap = deflateBound(&z, (uLong)in.n);
    p = puan_arena_get(a, cap);
    if (!p) {
        deflateEnd(&z);
        return puan_fail(err, PUAN_ENOMEM, "gzip", "out of memory");
    }
    z.next_in = (Bytef *)(uintptr_t)in.p;
    z.avail_in = (uInt)in.n;
    z.next_out = (Bytef *)p;
    z.avail_out = (uInt)cap;
    r = deflate(&z, Z_FINISH);
    *out = (struct puan_str){ p, z.total_out };
    deflateEnd(&z);
    return r == Z_STREAM_END ? PUAN_OK
                             : puan_fail(err, PUAN_EBUG, "gzip", "code %d", r);
}
