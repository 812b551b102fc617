/*
 * minizip over bytes in memory.  What a header says of sizes is not believed:
 * a part is read in pieces and given up when it has passed its bound.
 */
#include "kit/xlsx/zip.h"

#include <minizip/unzip.h>
#include <stdlib.h>

#include "kit/xlsx/xlsx.h"

struct puan_zip {
    struct puan_str bytes;
    const char *file;
    struct puan_arena *a;
    unzFile unz;
    size_t read; /* bytes unpacked so far */
};

/* ---- the bytes as a stream of minizip ---- */

struct stream {
    const struct puan_zip *z;
    size_t at;
};

static voidpf stream_open(voidpf opaque, const void *name, int mode)
{
    struct stream *s = malloc(sizeof(*s));

    (void)name;
    (void)mode;
    if (s)
        *s = (struct stream){ opaque, 0 };
    return s;
}

static uLong stream_read(voidpf opaque, voidpf stream, void *buf, uLong size)
{
    struct stream *s = stream;
    size_t left = s->z->bytes.n - s->at;
    size_t n = size < left ? size : left;

    (void)opaque;
    memcpy(buf, s->z->bytes.p + s->at, n);
    s->at += n;
    return n;
}

static ZPOS64_T stream_tell(voidpf opaque, voidpf stream)
{
    (void)opaque;
    return ((struct stream *)stream)->at;
}

static long stream_seek(voidpf opaque, voidpf stream, ZPOS64_T offset,
                        int origin)
{
    struct stream *s = stream;
    ZPOS64_T from = origin == ZLIB_FILEFUNC_SEEK_CUR   ? s->at
                    : origin == ZLIB_FILEFUNC_SEEK_END ? s->z->bytes.n
                                                       : 0;

    (void)opaque;
    if (from > s->z->bytes.n || offset > s->z->bytes.n - from)
        return -1;
    s->at = (size_t)(from + offset);
    return 0;
}

static int stream_close(voidpf opaque, voidpf stream)
{
    (void)opaque;
    free(stream);
    return 0;
}

static int stream_error(voidpf opaque, voidpf stream)
{
    (void)opaque;
    (void)stream;
    return 0;
}

/* ---- parts ---- */

enum puan_status puan_zip_open(struct puan_zip **out, struct puan_str bytes,
                               const char *file, struct puan_arena *a,
                               struct puan_err *err)
{
    struct puan_zip *z = puan_new(a, struct puan_zip);
    zlib_filefunc64_def io = { .zopen64_file = stream_open,
                               .zread_file = stream_read,
                               .ztell64_file = stream_tell,
                               .zseek64_file = stream_seek,
                               .zclose_file = stream_close,
                               .zerror_file = stream_error,
                               .opaque = z };
    unz_global_info64 info;

    *out = NULL;
    if (z == NULL)
        return puan_arena_check(a, err);
    *z = (struct puan_zip){ .bytes = bytes, .file = file, .a = a };
    z->unz = unzOpen2_64(file, &io);
    if (z->unz == NULL)
        return puan_fail(err, PUAN_EINVAL, file,
                         "no .xlsx: the file is no ZIP archive, or is cut off");
    if (unzGetGlobalInfo64(z->unz, &info) != UNZ_OK ||
        info.number_entry > PUAN_XLSX_PARTS) {
        puan_zip_close(z);
        return puan_fail(err, PUAN_ELIMIT, file,
                         "more than %d files in the archive", PUAN_XLSX_PARTS);
    }
    *out = z;
    return PUAN_OK;
}

void puan_zip_close(struct puan_zip *z)
{
    if (z && z->unz) {
        (void)unzClose(z->unz);
        z->unz = NULL;
    }
}

/* Grows a buffer of malloc to twice its size within the bound. */
static bool more(char **buf, size_t *cap)
{
    size_t want = *cap ? 2 * *cap : 1 << 16;
    char *p;

    if (want > PUAN_XLSX_PART_BYTES + 1)
        want = PUAN_XLSX_PART_BYTES + 1;
    p = realloc(*buf, want);
    if (!p)
        return false;
    *buf = p;
    *cap = want;
    return true;
}

static enum puan_status unpack(struct puan_str *out, struct puan_zip *z,
                               const char *where, struct puan_err *err)
{
    char *buf = NULL;
    size_t n = 0, cap = 0;
    enum puan_status st = PUAN_OK;
    int got;

    do {
        if (n == cap && !more(&buf, &cap)) {
            st = puan_fail(err, PUAN_ENOMEM, where, "out of memory");
            break;
        }
        got = unzReadCurrentFile(z->unz, buf + n, (unsigned)(cap - n));
        if (got < 0) {
            st = puan_fail(err, PUAN_EINVAL, where,
                           "this part of the archive cannot be unpacked");
            break;
        }
        n += (size_t)got;
        z->read += (size_t)got;
        if (n > PUAN_XLSX_PART_BYTES || z->read > PUAN_XLSX_ALL_BYTES) {
            st = puan_fail(err, PUAN_ELIMIT, where,
                           "unpacks to more than %u MiB; a form is small, "
                           "save the workbook without the rest",
                           (n > PUAN_XLSX_PART_BYTES ? PUAN_XLSX_PART_BYTES
                                                     : PUAN_XLSX_ALL_BYTES) >>
                               20);
            break;
        }
    } while (got > 0);
    if (st == PUAN_OK) {
        *out = puan_arena_keep(z->a, (struct puan_str){ n ? buf : "", n });
        st = puan_arena_check(z->a, err);
    }
    free(buf);
    return st;
}

enum puan_status puan_zip_part(struct puan_str *out, struct puan_zip *z,
                               struct puan_str name, struct puan_err *err)
{
    const char *part = puan_arena_dup(z->a, name);
    const char *where = puan_arena_fmt(z->a, "%s:%s", z->file, part);
    enum puan_status st;

    if (unzLocateFile(z->unz, part, 2) != UNZ_OK)
        return puan_fail(err, PUAN_ENOTFOUND, where,
                         "no such part in the archive");
    if (unzOpenCurrentFile(z->unz) != UNZ_OK)
        return puan_fail(err, PUAN_EINVAL, where,
                         "this part of the archive is encrypted or broken");
    st = unpack(out, z, where, err);
    if (unzCloseCurrentFile(z->unz) != UNZ_OK && st == PUAN_OK)
        st = puan_fail(err, PUAN_EINVAL, where,
                       "the checksum of this part does not fit");
    return st;
}
