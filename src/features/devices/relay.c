/*
 * The township relay; see relay.h.
 */
#include "features/devices/relay.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/device/device.h"
#include "features/host/args.h"
#include "kit/crypto/crypto.h"
#include "kit/http/client.h"
#include "kit/http/http.h"
#include "kit/os/os.h"

#define TRY(x)                                                                 \
    do {                                                                       \
        enum puan_status try_ = (x);                                           \
        if (try_ != PUAN_OK)                                                   \
            return try_;                                                       \
    } while (0)

#define PAUSE_S 5

struct puan_relay {
    char spool[2000], to[200], path[200];
    struct puan_http_server *server;
    pthread_mutex_t lock; /* of what follows */
    unsigned waiting;
};

static const char *file(struct puan_arena *a, const struct puan_relay *r,
                        const char *hex, const char *kind)
{
    return puan_arena_fmt(a, "%s/%s.%s", r->spool, hex, kind);
}

/* "<64 digits>.<kind>" */
static bool is_kind(const char *name, const char *kind)
{
    return strlen(name) == 65 + strlen(kind) && name[64] == '.' &&
           strcmp(name + 65, kind) == 0;
}

/* ---- taking ----------------------------------------------------------------- */

static void say(struct puan_http *x, unsigned status, const char *text)
{
    x->status = status;
    x->content_type = "application/json";
    x->out.n = 0;
    puan_out_text(&x->out, text);
}

static size_t limit(void *ctx, struct puan_http *x)
{
    (void)ctx;
    (void)x;
    return PUAN_BUNDLE_MAX;
}

static void keep(struct puan_relay *r, struct puan_http *x, const char *hex)
{
    struct puan_arena *a = &x->arena;
    const char *path = file(a, r, hex, "bundle");
    bool known = puan_file_exists(path), full;

    pthread_mutex_lock(&r->lock);
    full = !known && r->waiting >= PUAN_RELAY_WAITING;
    r->waiting += !known && !full;
    pthread_mutex_unlock(&r->lock);
    if (full) {
        say(x, 503, "{\"status\":503,\"code\":\"relay-full\"}");
        return;
    }
    /* durable before it is said */
    if (!known && puan_file_write(path, x->body, 0600, NULL) != PUAN_OK) {
        pthread_mutex_lock(&r->lock);
        r->waiting--;
        pthread_mutex_unlock(&r->lock);
        say(x, 503, "{\"status\":503,\"code\":\"relay-disk\"}");
        return;
    }
    say(x, 202, puan_arena_fmt(a, "{\"kept\":\"%s\"}", hex));
}

static void take(struct puan_relay *r, struct puan_http *x)
{
    struct puan_arena *a = &x->arena;
    uint8_t d[PUAN_DIGEST_SIZE];
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_bundle b;
    struct puan_str text;

    if (puan_bundle_read(&b, x->body, a, NULL) != PUAN_OK) {
        say(x, 400, "{\"status\":400,\"code\":\"no-bundle\"}");
        return;
    }
    puan_digest_one(d, puan_digest_sha256(), x->body);
    puan_hex(hex, d, sizeof(d));
    if (puan_file_read(&text, file(a, r, hex, "receipts"), 0, a, NULL) ==
        PUAN_OK)
        say(x, 200, text.p);
    else if (puan_file_read(&text, file(a, r, hex, "refused"), 0, a, NULL) ==
             PUAN_OK)
        say(x, 409, text.p);
    else
        keep(r, x, hex);
}

static void handle(void *ctx, struct puan_http *x)
{
    struct puan_relay *r = ctx;

    /* The app was loaded from the office: another origin than this one. */
    puan_http_answer_header(x, "Access-Control-Allow-Origin", "*");
    if (x->method == PUAN_HTTP_OTHER) {
        puan_http_answer_header(x, "Access-Control-Allow-Methods", "POST");
        puan_http_answer_header(x, "Access-Control-Allow-Headers",
                                "Content-Type");
        x->status = 204;
    } else if (x->method == PUAN_HTTP_POST &&
               puan_str_is(x->target, r->path)) {
        take(r, x);
    } else {
        say(x, 404, "{\"status\":404,\"code\":\"not-found\"}");
    }
}

/* ---- handing on ---------------------------------------------------------------- */

/* *gone: the office did not answer, or cannot now. */
static enum puan_status hand(bool *gone, struct puan_relay_round *n,
                             struct puan_relay *r, struct puan_http_client *c,
                             const char *name, struct puan_arena *a,
                             struct puan_err *err)
{
    struct puan_http_call call = { .method = "POST", .path = r->path,
                                   .content_type = "application/octet-stream" };
    struct puan_http_reply reply;
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    bool good, no;

    memcpy(hex, name, 64);
    hex[64] = 0;
    TRY(puan_file_read(&call.body, file(a, r, hex, "bundle"), PUAN_BUNDLE_MAX,
                       a, err));
    *gone = puan_http_call(&reply, c, &call, NULL) != PUAN_OK;
    good = !*gone && reply.status == 200;
    no = !*gone && reply.status >= 400 && reply.status < 500 &&
         reply.status != 429 && reply.status != 408;
    if (!good && !no) {
        *gone = true;
        return PUAN_OK;
    }
    /* the answer is on disk before the bundle goes */
    TRY(puan_file_write(file(a, r, hex, good ? "receipts" : "refused"),
                        reply.body, 0600, err));
    TRY(puan_file_remove(file(a, r, hex, "bundle"), err));
    n->handed += good;
    n->refused += no;
    return PUAN_OK;
}

enum puan_status puan_relay_round(struct puan_relay_round *out,
                                  struct puan_relay *r, struct puan_err *err)
{
    struct puan_http_client *c = NULL;
    struct puan_arena list, each;
    const char **names = NULL;
    bool gone = false;
    size_t n = 0;
    enum puan_status st;

    *out = (struct puan_relay_round){ 0 };
    puan_arena_init(&list, puan_os_alloc());
    puan_arena_init(&each, puan_os_alloc());
    st = puan_dir_list(&names, &n, r->spool, &list, err);
    if (st == PUAN_OK && puan_http_client_open(&c, r->to, NULL) != PUAN_OK)
        gone = true;
    for (size_t i = 0; i < n && st == PUAN_OK; i++) {
        if (!is_kind(names[i], "bundle"))
            continue;
        puan_arena_reset(&each);
        if (!gone)
            st = hand(&gone, out, r, c, names[i], &each, err);
        out->waiting += gone;
    }
    pthread_mutex_lock(&r->lock);
    r->waiting -= out->handed + out->refused < r->waiting
                      ? out->handed + out->refused
                      : r->waiting;
    pthread_mutex_unlock(&r->lock);
    puan_http_client_close(c);
    puan_arena_clear(&list);
    puan_arena_clear(&each);
    return st;
}

/* ---- life ------------------------------------------------------------------------ */

static bool word(const char *s)
{
    for (; *s; s++)
        if (!((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') ||
              *s == '-' || *s == '_'))
            return false;
    return true;
}

static enum puan_status count_waiting(struct puan_relay *r,
                                      struct puan_err *err)
{
    struct puan_arena a;
    const char **names;
    size_t n = 0;
    enum puan_status st;

    puan_arena_init(&a, puan_os_alloc());
    st = puan_dir_list(&names, &n, r->spool, &a, err);
    for (size_t i = 0; st == PUAN_OK && i < n; i++)
        r->waiting += is_kind(names[i], "bundle");
    puan_arena_clear(&a);
    return st;
}

enum puan_status puan_relay_start(struct puan_relay **out,
                                  const struct puan_relay_options *opt,
                                  struct puan_err *err)
{
    struct puan_http_options ho = { .listen = opt->listen, .threads = 1,
                                    .tls_cert = opt->tls_cert,
                                    .tls_key = opt->tls_key, .limit = limit,
                                    .handle = handle };
    struct puan_relay *r;
    enum puan_status st;

    *out = NULL;
    if (!*opt->campaign || !word(opt->campaign))
        return puan_fail(err, PUAN_EINVAL, "--campaign",
                         "the campaign's name as it stands in addresses: "
                         "small letters, digits and '-'");
    r = calloc(1, sizeof(*r));
    if (!r)
        return puan_fail(err, PUAN_ENOMEM, "relay", "out of memory");
    pthread_mutex_init(&r->lock, NULL);
    if (puan_format(r->spool, sizeof(r->spool), "%s", opt->spool) >=
            sizeof(r->spool) ||
        puan_format(r->to, sizeof(r->to), "%s", opt->to) >= sizeof(r->to) ||
        puan_format(r->path, sizeof(r->path), "/api/v1/c/%s/field/bundles",
                    opt->campaign) >= sizeof(r->path))
        st = puan_fail(err, PUAN_EINVAL, "relay", "a name is too long");
    else
        st = puan_dir_make(r->spool, err);
    if (st == PUAN_OK)
        st = count_waiting(r, err);
    ho.ctx = r;
    if (st == PUAN_OK && opt->listen)
        st = puan_http_start(&r->server, &ho, err);
    if (st != PUAN_OK) {
        puan_relay_stop(r);
        return st;
    }
    *out = r;
    return PUAN_OK;
}

const char *puan_relay_address(const struct puan_relay *r)
{
    return r->server ? puan_http_address(r->server) : "";
}

void puan_relay_stop(struct puan_relay *r)
{
    if (!r)
        return;
    puan_http_stop(r->server);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* ---- puan relay -------------------------------------------------------------------- */

static enum puan_status pem(const char **out, const char *path,
                            struct puan_arena *a, struct puan_err *err)
{
    struct puan_str s;

    if (!path)
        return PUAN_OK;
    TRY(puan_file_read(&s, path, 1 << 20, a, err));
    *out = s.p;
    return PUAN_OK;
}

static void tell(const struct puan_relay_round *n)
{
    printf("转交 handed on %u, 未收 refused %u, 等待 waiting %u\n", n->handed,
           n->refused, n->waiting);
    fflush(stdout);
}

int puan_relay_command(int argc, char **argv)
{
    struct puan_relay_options opt = { 0 };
    struct timespec pause = { .tv_sec = PAUSE_S };
    struct puan_relay_round n = { 0 }, before = { 0 };
    struct puan_relay *r = NULL;
    const char *cert = NULL, *key = NULL;
    const struct puan_arg args[] = {
        { NULL, &opt.spool, NULL },
        { "--to", &opt.to, NULL },
        { "--campaign", &opt.campaign, NULL },
        { "--listen", &opt.listen, NULL },
        { "--tls-cert", &cert, NULL },
        { "--tls-key", &key, NULL },
    };
    struct puan_err err = { 0 };
    struct puan_arena a;
    sigset_t set;
    int sig = -1;
    enum puan_status st;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !opt.spool ||
        !opt.to || !opt.campaign || !cert != !key)
        return PUAN_EXIT_USAGE;
    puan_arena_init(&a, puan_os_alloc());
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* before any thread exists */
    st = pem(&opt.tls_cert, cert, &a, &err);
    if (st == PUAN_OK)
        st = pem(&opt.tls_key, key, &a, &err);
    if (st == PUAN_OK)
        st = puan_relay_start(&r, &opt, &err);
    if (st == PUAN_OK && opt.listen) {
        printf("puan: 转交站 relay at %s for %s\n", puan_relay_address(r),
               opt.to);
        fflush(stdout);
    }
    do {
        if (st == PUAN_OK)
            st = puan_relay_round(&n, r, &err);
        if (st == PUAN_OK && (n.handed || n.refused ||
                              n.waiting != before.waiting || !opt.listen))
            tell(&n);
        before = n;
    } while (st == PUAN_OK && opt.listen &&
             (sig = sigtimedwait(&set, NULL, &pause)) < 0);
    puan_relay_stop(r);
    puan_arena_clear(&a);
    if (st != PUAN_OK)
        return puan_command_fail(st, &err);
    return n.waiting || n.refused ? PUAN_EXIT_FINDINGS : PUAN_EXIT_DONE;
}
