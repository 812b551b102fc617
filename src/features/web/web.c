/*
 * The table of files and the answers made from it.  Never opens a file after
 * the start.
 */
#include "features/web/web.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "kit/crypto/crypto.h"
#include "kit/http/http.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define MAX_FILES 4096
#define MAX_BYTES (UINT64_C(256) << 20)
#define MAX_DEPTH 8

struct file {
    struct puan_str name; /* "assets/office-3f2a.js" */
    const char *type;
    struct puan_str bytes, gzip; /* gzip.p NULL: none */
    char tag[40], gzip_tag[40];
    bool for_ever;
};

struct puan_web {
    struct puan_arena arena;
    struct file *file; /* ascending by name */
    size_t n;
    uint64_t total;
};

static const char policy[] =
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src "
    "'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action "
    "'self'; frame-ancestors 'none'";
static const char permissions[] =
    "camera=(self), geolocation=(), microphone=(), payment=(), usb=(), "
    "serial=(), display-capture=()";

/* ---- reading the tree ------------------------------------------------------- */

static const char *type_of(struct puan_str name)
{
    static const struct {
        const char *end, *type;
    } types[] = {
        { ".html", "text/html; charset=utf-8" },
        { ".js", "text/javascript; charset=utf-8" },
        { ".mjs", "text/javascript; charset=utf-8" },
        { ".css", "text/css; charset=utf-8" },
        { ".json", "application/json" },
        { ".webmanifest", "application/manifest+json" },
        { ".wasm", "application/wasm" },
        { ".svg", "image/svg+xml" },
        { ".png", "image/png" },
        { ".jpg", "image/jpeg" },
        { ".webp", "image/webp" },
        { ".ico", "image/x-icon" },
        { ".woff2", "font/woff2" },
        { ".txt", "text/plain; charset=utf-8" },
        { ".pdf", "application/pdf" },
        { ".csv", "text/csv; charset=utf-8" },
    };

    for (size_t i = 0; i < PUAN_COUNT(types); i++) {
        size_t n = strlen(types[i].end);

        if (name.n > n && memcmp(name.p + name.n - n, types[i].end, n) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

static bool ends_gz(struct puan_str s)
{
    return s.n > 3 && memcmp(s.p + s.n - 3, ".gz", 3) == 0;
}

static bool name_ok(const char *name)
{
    if (!*name || *name == '.')
        return false;
    for (; *name; name++)
        if (!((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
              (*name >= '0' && *name <= '9') || strchr("._-@+", *name)))
            return false;
    return true;
}

static enum puan_status read_file(struct puan_web *w, const char *path,
                                  const char *name, struct puan_err *err)
{
    struct file *f = &w->file[w->n];
    const struct puan_digest_fn *fn = puan_digest_sha256();
    uint8_t digest[PUAN_DIGEST_SIZE];
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    enum puan_status st;

    if (w->n == MAX_FILES)
        return puan_fail(err, PUAN_ELIMIT, path, "more than %d files",
                         MAX_FILES);
    st = puan_file_read(&f->bytes, path, 0, &w->arena, err);
    if (st != PUAN_OK)
        return st;
    w->total += f->bytes.n;
    if (w->total > MAX_BYTES)
        return puan_fail(err, PUAN_ELIMIT, path,
                         "the tree is larger than 256 MiB");
    f->name = puan_str_of(name);
    f->type = type_of(f->name);
    f->for_ever = puan_str_starts(f->name, "assets/");
    fn->hash(fn->ctx, digest, &f->bytes, 1);
    puan_hex(hex, digest, 12);
    puan_format(f->tag, sizeof(f->tag), "\"%s\"", hex);
    puan_format(f->gzip_tag, sizeof(f->gzip_tag), "\"%s-gz\"", hex);
    w->n++;
    return PUAN_OK;
}

static enum puan_status read_dir(struct puan_web *w, const char *dir,
                                 const char *prefix, unsigned depth,
                                 struct puan_err *err)
{
    const char **names;
    size_t n;
    enum puan_status st = puan_dir_list(&names, &n, dir, &w->arena, err);

    if (st == PUAN_OK && depth > MAX_DEPTH)
        st = puan_fail(err, PUAN_ELIMIT, dir, "more than %d folders deep",
                       MAX_DEPTH);
    for (size_t i = 0; i < n && st == PUAN_OK; i++) {
        const char *path = puan_arena_fmt(&w->arena, "%s/%s", dir, names[i]);
        const char *name =
            puan_arena_fmt(&w->arena, "%s%s", prefix, names[i]);

        if (!name_ok(names[i]))
            st = puan_fail(err, PUAN_EINVAL, path,
                           "a name of a page may have letters, digits and "
                           "._-@+ only, and does not begin with a dot");
        else if (puan_dir_exists(path))
            st = read_dir(w, path, puan_arena_fmt(&w->arena, "%s/", name),
                          depth + 1, err);
        else
            st = read_file(w, path, name, err);
    }
    return st;
}

static int by_name(const void *a, const void *b)
{
    const struct file *x = a, *y = b;

    return puan_str_cmp(x->name, y->name);
}

static const struct file *find(const struct puan_web *w, struct puan_str name)
{
    struct file key = { .name = name };

    return bsearch(&key, w->file, w->n, sizeof(w->file[0]), by_name);
}

/* NAME.gz is no file of its own where NAME is one. */
static void pair_up(struct puan_web *w)
{
    size_t kept = 0;

    qsort(w->file, w->n, sizeof(w->file[0]), by_name);
    for (size_t i = 0; i < w->n; i++) {
        struct puan_str whole = w->file[i].name;
        const struct file *plain = NULL;

        if (ends_gz(whole)) {
            whole.n -= 3;
            plain = find(w, whole);
        }
        if (plain)
            w->file[plain - w->file].gzip = w->file[i].bytes;
    }
    for (size_t i = 0; i < w->n; i++) {
        struct puan_str whole = w->file[i].name;
        bool form = false;

        if (ends_gz(whole)) {
            whole.n -= 3;
            for (size_t k = kept; k-- > 0 && !form;)
                form = puan_str_eq(w->file[k].name, whole);
        }
        if (!form)
            w->file[kept++] = w->file[i];
    }
    w->n = kept;
}

enum puan_status puan_web_open(struct puan_web **out, const char *dir,
                               struct puan_err *err)
{
    struct puan_web *w;
    enum puan_status st;

    *out = NULL;
    if (!puan_dir_exists(dir))
        return puan_fail(err, PUAN_ENOTFOUND, dir,
                         "is no directory; build the web tree first (npm run "
                         "build in web/) or leave --web out");
    w = calloc(1, sizeof(*w));
    if (!w)
        return puan_fail(err, PUAN_ENOMEM, "web", "out of memory");
    puan_arena_init(&w->arena, &puan_heap);
    w->file = puan_new_n(&w->arena, MAX_FILES, struct file);
    st = w->file ? read_dir(w, dir, "", 0, err)
                 : puan_fail(err, PUAN_ENOMEM, "web", "out of memory");
    if (st == PUAN_OK)
        st = puan_arena_check(&w->arena, err);
    if (st == PUAN_OK) {
        pair_up(w);
        if (!find(w, PUAN_STR("office/index.html")) &&
            !find(w, PUAN_STR("household/index.html")) &&
            !find(w, PUAN_STR("public/index.html")))
            st = puan_fail(err, PUAN_ENOTFOUND, dir,
                           "is no built web tree: it has none of office, "
                           "household and public/index.html");
    }
    if (st != PUAN_OK) {
        puan_web_close(w);
        return st;
    }
    *out = w;
    return PUAN_OK;
}

void puan_web_close(struct puan_web *w)
{
    if (!w)
        return;
    puan_arena_clear(&w->arena);
    free(w);
}

const char *puan_web_default(const char *given)
{
    static const char installed[] = "/usr/share/puan/web";
    const char *env = getenv("PUAN_WEB");

    if (given)
        return *given ? given : NULL;
    if (env)
        return *env ? env : NULL;
    return puan_dir_exists(installed) ? installed : NULL;
}

/* ---- looking up --------------------------------------------------------------- */

/* "/office" and "/office/…", but not "/officer". */
static bool inside(struct puan_str path, const char *prefix)
{
    size_t n = strlen(prefix);

    return puan_str_starts(path, prefix) && (path.n == n || path.p[n] == '/');
}

static const struct file *file_of(const struct puan_web *w,
                                  struct puan_str target)
{
    static const char *const open_pages[] = { "/verify", "/data", "/ask",
                                              "/report", "/tour" };
    const struct file *f;
    struct puan_str path = target;

    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '?' || path.p[i] == '#')
            path.n = i;
    if (!path.n || path.p[0] != '/')
        return NULL;
    f = find(w, (struct puan_str){ path.p + 1, path.n - 1 });
    if (f)
        return f;
    if (inside(path, "/office"))
        return find(w, PUAN_STR("office/index.html"));
    if (inside(path, "/household"))
        return find(w, PUAN_STR("household/index.html"));
    if (inside(path, "/field"))
        return find(w, PUAN_STR("field/index.html"));
    if (inside(path, "/unit"))
        return find(w, PUAN_STR("unit/index.html"));
    if (path.n == 1)
        return find(w, PUAN_STR("public/index.html"));
    for (size_t i = 0; i < PUAN_COUNT(open_pages); i++)
        if (inside(path, open_pages[i]))
            return find(w, PUAN_STR("public/index.html"));
    return NULL;
}

struct puan_str puan_web_find(const struct puan_web *w, struct puan_str target)
{
    const struct file *f = file_of(w, target);

    return f ? f->name : PUAN_STR("");
}

/* A quality other than 0, 0.0, 0.00 or 0.000. */
static bool wanted(struct puan_str q)
{
    q = puan_str_trim(q);
    if (q.n < 2 || (q.p[0] != 'q' && q.p[0] != 'Q') || q.p[1] != '=')
        return true;
    for (size_t i = 2; i < q.n; i++)
        if (q.p[i] != '0' && q.p[i] != '.')
            return true;
    return q.n == 2;
}

bool puan_web_takes_gzip(struct puan_str header)
{
    struct puan_str part, name;
    bool any = false, named = false, takes = false;

    while (header.n && puan_str_split(&part, &header, ',')) {
        struct puan_str rest = part;

        if (!puan_str_split(&name, &rest, ';'))
            continue;
        name = puan_str_trim(name);
        if (name.n == 4 && strncasecmp(name.p, "gzip", 4) == 0) {
            named = true;
            takes = wanted(rest);
        } else if (puan_str_is(name, "*")) {
            any = wanted(rest);
        }
    }
    return named ? takes : any;
}

bool puan_web_tag_matches(struct puan_str header, struct puan_str tag)
{
    struct puan_str part;

    while (header.n && puan_str_split(&part, &header, ',')) {
        part = puan_str_trim(part);
        if (puan_str_starts(part, "W/")) {
            part.p += 2;
            part.n -= 2;
        }
        if (puan_str_eq(part, tag) || puan_str_is(part, "*"))
            return true;
    }
    return false;
}

static void answer(const struct file *f, unsigned status, struct puan_http *x)
{
    bool gzip = f->gzip.p &&
                puan_web_takes_gzip(x->header[PUAN_H_ACCEPT_ENCODING]);
    const char *tag = gzip ? f->gzip_tag : f->tag;

    puan_http_answer_header(x, "Content-Security-Policy", policy);
    puan_http_answer_header(x, "X-Content-Type-Options", "nosniff");
    puan_http_answer_header(x, "Referrer-Policy", "no-referrer");
    puan_http_answer_header(x, "Permissions-Policy", permissions);
    puan_http_answer_header(x, "Cross-Origin-Opener-Policy", "same-origin");
    puan_http_answer_header(x, "Cross-Origin-Resource-Policy", "same-origin");
    puan_http_answer_header(x, "Cache-Control",
                            f->for_ever ? "public, max-age=31536000, immutable"
                                        : "no-cache");
    if (f->gzip.p)
        puan_http_answer_header(x, "Vary", "Accept-Encoding");
    if (status == 200) {
        puan_http_answer_header(x, "ETag", tag);
        if (puan_web_tag_matches(x->header[PUAN_H_IF_NONE_MATCH],
                                 puan_str_of(tag))) {
            x->status = 304;
            return;
        }
    }
    if (gzip)
        puan_http_answer_header(x, "Content-Encoding", "gzip");
    x->status = status;
    x->content_type = f->type;
    x->lent = gzip ? f->gzip : f->bytes;
}

bool puan_web_answer(const struct puan_web *w, struct puan_http *x)
{
    const struct file *f = NULL;

    if (x->method == PUAN_HTTP_GET || x->method == PUAN_HTTP_HEAD)
        f = file_of(w, x->target);
    if (f)
        answer(f, 200, x);
    return f != NULL;
}

bool puan_web_lost(const struct puan_web *w, struct puan_http *x)
{
    const struct file *f = find(w, PUAN_STR("public/index.html"));
    struct puan_str part, accept = x->header[PUAN_H_ACCEPT];
    bool page = false;

    while (accept.n && puan_str_split(&part, &accept, ','))
        page = page || puan_str_starts(puan_str_trim(part), "text/html");
    if (!f || !page || puan_str_starts(x->target, "/api/") ||
        puan_str_starts(x->target, "/assets/") ||
        (x->method != PUAN_HTTP_GET && x->method != PUAN_HTTP_HEAD))
        return false;
    answer(f, 404, x);
    return true;
}
