/*
 * Sealed returns on their way: pieces that go on where they stopped, and
 * bundles from any carrier.
 */
#include "features/devices/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit/os/os.h"

/* ---- pieces ------------------------------------------------------------------ */

struct upload {
    struct puan_str digest;
    int64_t size;
    const char *dir, *path;
};

/* "<digest>-<size>" into its parts; what is not that is not found. */
static bool upload_of(struct upload *u, struct puan_request *rq,
                      const struct device *d, struct puan_str id)
{
    uint8_t raw[PUAN_DIGEST_SIZE];
    struct puan_str rest = id;

    if (!puan_str_split(&u->digest, &rest, '-') || !rest.p ||
        !puan_unhex(raw, sizeof(raw), u->digest) ||
        !puan_int_parse(&u->size, rest) || u->size < 1 ||
        u->size > PUAN_SEALED_MAX)
        return false;
    for (size_t i = 0; i < u->digest.n; i++)
        if (u->digest.p[i] >= 'A' && u->digest.p[i] <= 'F')
            return false;
    u->dir = puan_arena_fmt(rq->arena, "%s/uploads/%.*s",
                            puan_store_dir(rq->store), PUAN_FMT(d->device));
    u->path = puan_arena_fmt(rq->arena, "%s/%.*s-%lld", u->dir,
                             PUAN_FMT(u->digest), (long long)u->size);
    return !rq->arena->failed;
}

static int64_t have_of(const struct upload *u)
{
    int64_t n = puan_file_size(u->path);

    return n < 0 ? 0 : n;
}

static void answer_upload(struct puan_request *rq, const struct upload *u,
                          int64_t have, const struct taken *t)
{
    struct puan_jw *w = puan_answer_begin(rq, 200);

    puan_jw_map(w);
    puan_jw_ktext(w, "id",
                  puan_arena_fmt(rq->arena, "%.*s-%lld", PUAN_FMT(u->digest),
                                 (long long)u->size));
    puan_jw_kint(w, "have", have);
    if (t) {
        puan_jw_key(w, "receipt");
        puan_jw_raw(w, t->json);
    }
    puan_jw_end(w, '}');
}

/* `path`.done holds the head of what was taken: whose receipt to give again. */
static enum puan_status taken_before(bool *known, struct taken *t,
                                     struct puan_request *rq,
                                     const struct device *d,
                                     const struct upload *u,
                                     struct puan_err *err)
{
    struct puan_str bytes;
    struct puan_sealed s;

    *known = false;
    if (puan_file_read(&bytes, puan_arena_fmt(rq->arena, "%s.done", u->path),
                       4096, rq->arena, NULL) != PUAN_OK)
        return PUAN_OK;
    if (puan_sealed_read(&s, bytes, NULL) != PUAN_OK)
        return PUAN_OK; /* half written when the power failed */
    return return_known(known, t, rq->store, d, &s, rq->arena, err);
}

/*
 * Only the head is left of what has its receipt.  It is not flushed: lost, it
 * costs a second sending, and ingest knows the return.
 */
static void tidy(struct puan_request *rq, const struct upload *u,
                 struct puan_str bytes)
{
    struct puan_sealed s;
    struct puan_out o;
    const char *path = puan_arena_fmt(rq->arena, "%s.done", u->path);
    bool written;
    int fd;

    if (puan_sealed_read(&s, bytes, NULL) != PUAN_OK)
        return;
    s.envelope = PUAN_STR("-");
    puan_out_init(&o, rq->arena);
    puan_sealed_write(&o, &s);
    if (rq->arena->failed)
        return;
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
              0600);
    if (fd < 0)
        return;
    written = write(fd, o.p, o.n) == (ssize_t)o.n;
    if (close(fd) == 0 && written)
        (void)!puan_file_remove(u->path, NULL);
}

static enum puan_status whole(struct puan_request *rq, const struct device *d,
                              const struct upload *u, struct puan_err *err)
{
    uint8_t sum[PUAN_DIGEST_SIZE];
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_str bytes;
    struct taken t;
    enum puan_status st;

    TRY(puan_file_read(&bytes, u->path, PUAN_SEALED_MAX, rq->arena, err));
    puan_digest_one(sum, puan_digest_sha256(), bytes);
    puan_hex(hex, sum, sizeof(sum));
    if (!puan_str_is(u->digest, hex)) {
        TRY(puan_file_remove(u->path, err));
        device_problem(rq, 400, "wrong-digest",
                       "the pieces do not make the sealed return that was "
                       "announced; send it from the start",
                       "have", 0);
        return PUAN_OK;
    }
    st = return_take(&t, rq->store, d, bytes, rq->arena, err);
    if (st == PUAN_EINVAL) {
        TRY(puan_file_remove(u->path, err));
        puan_answer_problem(rq, 400, "unsealable", err ? err->text : "");
        return PUAN_OK;
    }
    TRY(st);
    tidy(rq, u, bytes);
    answer_upload(rq, u, u->size, &t);
    return PUAN_OK;
}

HANDLER(h_upload)
{
    const struct upload_in *p = in;
    struct device d;
    struct upload u;
    struct taken t;
    const char **names;
    size_t n, open = 0;
    bool known;
    enum puan_status st = device_of_session(&d, rq, err);

    if (st == PUAN_EBUSY)
        return PUAN_OK;
    TRY(st);
    if (!upload_of(&u, rq, &d,
                   puan_str_of(puan_arena_fmt(rq->arena, "%.*s-%lld",
                                              PUAN_FMT(p->digest),
                                              (long long)p->size))))
        return puan_fail(err, PUAN_EINVAL, "digest",
                         "64 hexadecimal digits in small letters");
    TRY(taken_before(&known, &t, rq, &d, &u, err));
    if (known) {
        answer_upload(rq, &u, u.size, &t);
        return PUAN_OK;
    }
    if (have_of(&u) == u.size) /* whole, and the answer was lost */
        return whole(rq, &d, &u, err);
    if (!puan_file_exists(u.path)) {
        TRY(puan_dir_make(u.dir, err));
        (void)utimensat(AT_FDCWD, u.dir, NULL, 0); /* the sweep leaves it */
        TRY(puan_dir_list(&names, &n, u.dir, rq->arena, err));
        for (size_t i = 0; i < n; i++)
            open += strstr(names[i], ".done") == NULL;
        if (open >= DEVICE_UPLOADS)
            return puan_fail(err, PUAN_ELIMIT, "uploads",
                             "%d are under way; end one first",
                             DEVICE_UPLOADS);
    }
    answer_upload(rq, &u, have_of(&u), NULL);
    return PUAN_OK;
}

static enum puan_status append(bool *wrong, struct devices *x,
                               const struct upload *u, int64_t at,
                               struct puan_str piece, struct puan_err *err)
{
    struct stat about;
    ssize_t n = -1;
    int fd;

    *wrong = false;
    pthread_mutex_lock(&x->upload);
    fd = open(u->path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && fstat(fd, &about) == 0) {
        *wrong = about.st_size != at || at + (int64_t)piece.n > u->size;
        if (!*wrong) {
            n = pwrite(fd, piece.p, piece.n, at);
            if (n >= 0 && (size_t)n < piece.n) /* no half a piece */
                n = ftruncate(fd, at) == 0 ? -1 : -1;
        }
    }
    if (fd >= 0)
        close(fd);
    pthread_mutex_unlock(&x->upload);
    return *wrong || n >= 0
               ? PUAN_OK
               : puan_fail(err, PUAN_EIO, "uploads",
                           "the piece could not be written");
}

HANDLER(h_piece)
{
    const struct piece_in *p = in;
    struct device d;
    struct upload u;
    struct taken t;
    bool known, wrong;
    enum puan_status st = device_of_session(&d, rq, err);

    if (st == PUAN_EBUSY)
        return PUAN_OK;
    TRY(st);
    if (!upload_of(&u, rq, &d, p->upload))
        return puan_fail(err, PUAN_ENOTFOUND, "upload",
                         "begin it with a POST of digest and size");
    TRY(taken_before(&known, &t, rq, &d, &u, err));
    if (known) {
        answer_upload(rq, &u, u.size, &t);
        return PUAN_OK;
    }
    if (!puan_dir_exists(u.dir))
        return puan_fail(err, PUAN_ENOTFOUND, "upload",
                         "begin it with a POST of digest and size");
    TRY(append(&wrong, devices_of(rq->store), &u, p->at, rq->body, err));
    if (wrong) {
        device_problem(rq, 409, "wrong-place",
                       "go on from the byte in `have`", "have", have_of(&u));
        return PUAN_OK;
    }
    if (have_of(&u) == u.size)
        return whole(rq, &d, &u, err);
    answer_upload(rq, &u, have_of(&u), NULL);
    return PUAN_OK;
}

/* ---- what is left lying ----------------------------------------------------- */

/* Longer than a lease: whoever comes later begins anew and loses nothing. */
#define KEEP_DAYS 14

static enum puan_status sweep_one(const char *dir, int64_t before_ms,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct stat own;
    const char **names;
    size_t n;

    if (lstat(dir, &own) != 0)
        return PUAN_OK;
    TRY(puan_dir_list(&names, &n, dir, a, err));
    for (size_t i = 0; i < n; i++) {
        const char *path = puan_arena_fmt(a, "%s/%s", dir, names[i]);
        struct stat about;

        TRY(puan_arena_check(a, err));
        if (lstat(path, &about) == 0 &&
            (int64_t)about.st_mtime * 1000 < before_ms)
            TRY(puan_file_remove(path, err));
    }
    /* empty for as long; a device that just began has written to it */
    if (n == 0 && (int64_t)own.st_mtime * 1000 < before_ms)
        (void)rmdir(dir);
    return PUAN_OK;
}

enum puan_status uploads_sweep(struct puan_store *st, struct puan_err *err)
{
    int64_t before = puan_real_now() - KEEP_DAYS * DAY_MS;
    struct puan_arena a, each;
    const char **names, *root;
    enum puan_status rc;
    size_t n = 0;

    puan_arena_init(&a, puan_os_alloc());
    puan_arena_init(&each, puan_os_alloc());
    root = puan_arena_fmt(&a, "%s/uploads", puan_store_dir(st));
    rc = puan_dir_exists(root) ? puan_dir_list(&names, &n, root, &a, err)
                               : PUAN_OK;
    for (size_t i = 0; i < n && rc == PUAN_OK; i++) {
        puan_arena_reset(&each);
        rc = sweep_one(puan_arena_fmt(&each, "%s/%s", root, names[i]), before,
                       &each, err);
    }
    puan_arena_clear(&each);
    puan_arena_clear(&a);
    return rc;
}

/* ---- bundles ------------------------------------------------------------------- */

static enum puan_status check_bundle(struct device *d,
                                     const struct puan_bundle *b,
                                     struct puan_store *st,
                                     struct puan_arena *a, struct puan_err *err)
{
    char b64[2 * PUAN_P256_SIGNATURE];

    if (!puan_str_is(b->campaign, puan_store_id(st)))
        return puan_fail(err, PUAN_EINVAL, "bundle",
                         "it is of another campaign");
    if (!device_find(d, st, b->device))
        return puan_fail(err, PUAN_ENOTFOUND, "bundle",
                         "its device is not known here");
    puan_base64(b64, (const uint8_t *)b->signature.p, PUAN_P256_SIGNATURE);
    return device_signed(d, puan_bundle_text(a, puan_digest_sha256(), b),
                         puan_str_of(b64), err);
}

enum puan_status puan_bundle_take(struct puan_bundle_result *out,
                                  struct puan_store *st, struct puan_str bytes,
                                  struct puan_jw *w, struct puan_arena *a,
                                  struct puan_err *err)
{
    struct puan_arena each;
    struct puan_bundle b;
    struct device d;
    struct contact c = { .device = &d, .a = a };
    struct puan_act act = { 0 };
    enum puan_status rc = PUAN_OK;

    *out = (struct puan_bundle_result){ 0 };
    TRY(puan_bundle_read(&b, bytes, a, err));
    TRY(check_bundle(&d, &b, st, a, err));
    /* Links first: what a revoked device announced before, stays believed. */
    c.from = b.from;
    c.link = b.link;
    c.n_links = b.n_links;
    act = (struct puan_act){ .actor = d.account, .device = d.device,
                             .subject = d.device };
    TRY(contact_take(&c, st, &act, err));
    out->device = puan_arena_keep(a, d.device);
    out->returns = b.n_sealed;
    out->links = c.fresh;
    out->known = (uint32_t)c.known;
    puan_arena_init(&each, a->host);
    for (uint32_t i = 0; i < b.n_sealed && rc == PUAN_OK; i++) {
        struct taken t;

        puan_arena_reset(&each);
        struct puan_err why = { 0 };

        rc = return_take(&t, st, &d, b.sealed[i], &each, &why);
        if (rc == PUAN_EINVAL || rc == PUAN_EDENIED) {
            rc = PUAN_OK; /* one that cannot be taken stops no other */
            out->refused++;
            if (w) {
                puan_jw_map(w);
                puan_jw_ktext(w, "refused", why.text);
                puan_jw_end(w, '}');
            }
            continue;
        }
        if (rc != PUAN_OK) {
            rc = puan_fail(err, rc, why.where, "%s", why.text);
            break;
        }
        out->ledger += t.state == RETURN_LEDGER;
        out->waiting += t.state == RETURN_WAITS;
        if (w)
            puan_jw_raw(w, t.json);
    }
    puan_arena_clear(&each);
    return rc;
}

HANDLER(h_bundle)
{
    struct puan_bundle_result r;
    struct puan_out list;
    struct puan_jw j, *w;

    (void)in;
    puan_out_init(&list, rq->arena);
    puan_jw_init(&j, &list);
    puan_jw_list(&j);
    TRY(puan_bundle_take(&r, rq->store, rq->body, &j, rq->arena, err));
    puan_jw_end(&j, ']');
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kstr(w, "device", r.device);
    puan_jw_key(w, "receipts");
    puan_jw_raw(w, puan_out_view(&list));
    puan_jw_kint(w, "known", r.known);
    puan_jw_end(w, '}');
    return PUAN_OK;
}
