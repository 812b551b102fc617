/*
 * One person at a desk: HTTP calls with a token, answers as trees.
 */
#include "features/demo/demo.h"

#include "kit/crypto/crypto.h"
#include "kit/os/os.h"

enum puan_status puan_desk_open(struct puan_desk *k, const struct puan_demo *d,
                                struct puan_err *err)
{
    *k = (struct puan_desk){ 0 };
    return puan_http_client_open(&k->http, d->address, err);
}

void puan_desk_close(struct puan_desk *k)
{
    puan_http_client_close(k->http);
    k->http = NULL;
}

/* Gives the code of the second factor; the caller repeats its act. */
static enum puan_status freshen(struct puan_desk *k, struct puan_arena *a,
                                struct puan_err *err)
{
    uint8_t raw[64];
    int n = puan_unbase32(raw, sizeof(raw), k->totp);
    struct puan_http_reply r = { 0 };
    struct puan_http_call call = { .method = "POST", .token = k->token };
    enum puan_status st = PUAN_OK;

    if (n <= 0)
        return puan_fail(err, PUAN_EBUG, "totp", "not base32");
    call.path = puan_arena_fmt(a, "/api/v1/c/%s/session/factor", k->campaign);
    /* a code works once: when this one was used, the next may be */
    for (int step = 0; step < 2 && st == PUAN_OK && r.status != 204; step++) {
        call.body = puan_str_of(puan_arena_fmt(
            a, "{\"code\":\"%06u\"}",
            puan_totp((struct puan_str){ (char *)raw, (size_t)n },
                      puan_os_now_ms() / 1000 + 30 * step, 6)));
        st = puan_http_call(&r, k->http, &call, err);
    }
    return st;
}

enum puan_status puan_desk_call(struct puan_node **reply, unsigned *status,
                                struct puan_desk *k, const char *method,
                                const char *path, const char *body,
                                unsigned allow, struct puan_arena *a,
                                struct puan_err *err)
{
    struct puan_http_call call = { .method = method,
                                   .token = k->token[0] ? k->token : NULL };
    struct puan_http_reply r;
    struct puan_node *tree = NULL;
    struct puan_err ignored = { 0 };
    enum puan_status st;

    call.path = puan_arena_fmt(a, "/api/v1%s%s%s",
                               k->campaign ? "/c/" : "",
                               k->campaign ? k->campaign : "", path);
    if (body)
        call.body = puan_str_of(body);
    st = puan_http_call(&r, k->http, &call, err);
    if (st == PUAN_OK && r.status == 403 && k->totp.n &&
        strstr(puan_arena_dup(a, r.body), "\"second-factor\"")) {
        st = freshen(k, a, err);
        if (st == PUAN_OK)
            st = puan_http_call(&r, k->http, &call, err);
    }
    if (st != PUAN_OK)
        return st;
    if (status)
        *status = r.status;
    if (r.body.n) {
        /* the client's buffer is borrowed until its next call */
        struct puan_str text = { puan_arena_dup(a, r.body), r.body.n };

        if (puan_json_tree(&tree, text, path, a, &ignored) != PUAN_OK)
            tree = NULL;
    }
    if (reply)
        *reply = tree;
    if (r.status >= 400 && r.status != allow) {
        struct puan_str detail = puan_node_str_opt(tree, "detail", "");

        if (detail.n == 0)
            detail = puan_node_str_opt(tree, "title", "");
        return puan_fail(err, PUAN_EIO, path, "%s answered %u: %.*s", method,
                         r.status, PUAN_FMT(detail));
    }
    return puan_arena_check(a, err);
}
