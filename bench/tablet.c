/*
 * One tablet's transfer, as web/field/sync.ts makes it: signs in, tells its
 * chain, sends each sealed return in pieces until it has the receipt, asks for
 * the list of its area.  A line that broke begins the round anew.
 */
#include "field.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "features/store/store.h"
#include "kit/crypto/crypto.h"
#include "kit/os/os.h"

#define API "/api/v1/c/cn-population-2020"
#define PIECE (16 * 1024)

enum { SIGN_IN, TELL, BEGIN, SEND, TELL_RECEIPTS, CAMPAIGN, LIST };

static void link_add(struct tablet *t, enum puan_link_act act,
                     int64_t household, uint32_t counter,
                     const uint8_t *digest)
{
    struct puan_link l = { .n = t->links + 1, .at = puan_real_now(),
                           .act = act, .household = household,
                           .counter = counter, .has_digest = digest != NULL };
    struct puan_out o;

    if (digest)
        memcpy(l.digest, digest, sizeof(l.digest));
    puan_out_init(&o, &t->arena);
    puan_link_write(&o, &l);
    if (t->links == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->link = realloc(t->link, t->cap * sizeof(*t->link));
        if (!t->link)
            abort();
    }
    t->link[t->links++] = puan_out_view(&o);
    puan_chain_step(t->head, puan_digest_sha256(), puan_out_view(&o));
}

/* The day: each household opened, its return sealed to the office. */
static void make_day(struct tablet *t)
{
    struct field *f = t->f;
    struct puan_err err = { 0 };

    puan_arena_init(&t->arena, puan_os_alloc());
    puan_chain_start(t->head, puan_digest_sha256(), puan_str_of(f->campaign),
                     puan_str_of(t->device));
    t->sealed = calloc(t->n, sizeof(*t->sealed));
    t->digest = calloc(t->n, sizeof(*t->digest));
    if (!t->sealed || !t->digest)
        abort();
    for (unsigned i = 0; i < t->n; i++) {
        char doc[4096];
        size_t n = load_document_of(doc, sizeof(doc), t->household[i], 0,
                                    i + 1, i, t->device, "enumerator");
        struct puan_sealed s = { .campaign = puan_str_of(f->campaign),
                                 .device = puan_str_of(t->device),
                                 .household = t->household[i],
                                 .counter = i + 1 };
        struct puan_out o, e;

        link_add(t, PUAN_LINK_OPENED, t->household[i], 0, NULL);
        puan_digest_one(s.digest, puan_digest_sha256(),
                        (struct puan_str){ doc, n });
        puan_out_init(&e, &t->arena);
        if (puan_envelope_seal(&e, f->office, f->key_id,
                               puan_sealed_aad(&t->arena, &s),
                               (struct puan_str){ doc, n }, &err) != PUAN_OK)
            abort();
        s.envelope = puan_out_view(&e);
        puan_out_init(&o, &t->arena);
        puan_sealed_write(&o, &s);
        t->sealed[i] = puan_out_view(&o);
        memcpy(t->digest[i], s.digest, sizeof(s.digest));
        link_add(t, PUAN_LINK_SEALED, t->household[i], i + 1, s.digest);
    }
}

/* ---- asking ----------------------------------------------------------------- */

static void ask(struct tablet *t, unsigned kind, const char *method,
                const char *path, const char *type, struct puan_str body)
{
    struct crowd_ask q = { .kind = kind,
                           .method = method,
                           .path = path,
                           .token = t->stage == SIGN_IN ? NULL : t->token,
                           .type = type,
                           .body = body };

    crowd_ask(&t->actor, &q);
}

static void sign_in(struct tablet *t)
{
    char body[160];
    size_t n = puan_format(body, sizeof(body),
                           "{\"device\":\"%s\",\"secret\":\"%s\"}", t->device,
                           t->secret);

    t->stage = SIGN_IN;
    ask(t, K_DEVICE_SIGN_IN, "POST", API "/field/session", NULL,
        (struct puan_str){ body, n });
}

static void tell(struct tablet *t, int stage)
{
    char head[2 * PUAN_DIGEST_SIZE + 1], sig64[2 * PUAN_P256_SIGNATURE],
        text[256];
    uint8_t sig[PUAN_P256_SIGNATURE];
    struct puan_err err = { 0 };
    struct puan_arena a;
    struct puan_out o;

    t->stage = stage;
    puan_arena_init(&a, puan_os_alloc());
    puan_hex(head, t->head, sizeof(t->head));
    puan_format(text, sizeof(text), "puan-contact-1|%s|%s|%u|%s",
                t->f->campaign, t->device, t->links, head);
    if (puan_p256_sign(sig, t->sign, puan_str_of(text), &err) != PUAN_OK)
        abort();
    puan_base64(sig64, sig, sizeof(sig));
    puan_out_init(&o, &a);
    puan_out_fmt(&o, "{\"time\":%lld,\"from\":%u,\"links\":[",
                 (long long)puan_real_now(), t->known + 1);
    for (uint32_t i = t->known; i < t->links; i++)
        puan_out_fmt(&o, "%s\"%.*s\"", i > t->known ? "," : "",
                     PUAN_FMT(t->link[i]));
    puan_out_fmt(&o, "],\"head\":\"%s\",\"signature\":\"%s\"}", head, sig64);
    ask(t, K_CONTACT, "POST", API "/field/contact", NULL, puan_out_view(&o));
    puan_arena_clear(&a);
}

static void begin(struct tablet *t)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1], body[160];
    uint8_t d[PUAN_DIGEST_SIZE];
    size_t n;

    t->stage = BEGIN;
    puan_digest_one(d, puan_digest_sha256(), t->sealed[t->at]);
    puan_hex(hex, d, sizeof(d));
    puan_format(t->upload, sizeof(t->upload), "%s-%zu", hex,
                t->sealed[t->at].n);
    n = puan_format(body, sizeof(body), "{\"digest\":\"%s\",\"size\":%zu}",
                    hex, t->sealed[t->at].n);
    ask(t, K_UPLOAD, "POST", API "/field/uploads", NULL,
        (struct puan_str){ body, n });
}

static void send_piece(struct tablet *t)
{
    struct puan_str all = t->sealed[t->at];
    size_t n = all.n - t->have < PIECE ? all.n - t->have : PIECE;
    char path[200];

    t->stage = SEND;
    puan_format(path, sizeof(path), API "/field/uploads/%s?at=%zu", t->upload,
                t->have);
    ask(t, K_PIECE, "PUT", path, "application/octet-stream",
        (struct puan_str){ all.p + t->have, n });
}

/* Sends what has no receipt yet, then tells of the receipts. */
static void go_on(struct tablet *t)
{
    while (t->at < t->n && t->sealed[t->at].n == 0)
        t->at++;
    if (t->at < t->n)
        begin(t);
    else
        tell(t, TELL_RECEIPTS);
}

/* ---- hearing ------------------------------------------------------------------ */

/* Is it the office's word that this return is in the ledger? */
static bool receipt_holds(struct tablet *t, const struct puan_node *r)
{
    struct puan_str text = puan_node_str_opt(r, "text", "");
    uint8_t sig[PUAN_P256_SIGNATURE];
    char want[400], hex[2 * PUAN_DIGEST_SIZE + 1];
    size_t n;

    puan_hex(hex, t->digest[t->at], PUAN_DIGEST_SIZE);
    n = puan_format(want, sizeof(want),
                    "puan-receipt-1|%s|%s|%lld|%u|%s|ledger|", t->f->campaign,
                    t->device, (long long)t->household[t->at], t->at + 1, hex);
    return text.n > n && memcmp(text.p, want, n) == 0 &&
           puan_unbase64(sig, sizeof(sig),
                         puan_node_str_opt(r, "signature", "")) ==
               (int)sizeof(sig) &&
           puan_p256_verify(t->f->receipts, text,
                            (struct puan_str){ (const char *)sig, sizeof(sig) },
                            NULL) == PUAN_OK;
}

static void heard_upload(struct tablet *t, const struct crowd_reply *r,
                         const struct puan_node *n)
{
    const struct puan_node *receipt = puan_node_get(n, "receipt");
    int64_t have = 0;

    if (r->status != 200 && r->status != 409) {
        field_wrong(t->f, &t->actor, r, t->device);
        crowd_done(&t->actor);
        return;
    }
    if (receipt) {
        if (!receipt_holds(t, receipt)) {
            field_wrong(t->f, &t->actor, r, t->device);
            crowd_done(&t->actor);
            return;
        }
        link_add(t, PUAN_LINK_RECEIPT, t->household[t->at], t->at + 1,
                 t->digest[t->at]);
        t->sealed[t->at].n = 0; /* the device lets go of it */
        t->had++;
        t->f->sent++;
        go_on(t);
        return;
    }
    (void)puan_int_parse(&have, puan_node_str_opt(n, "have", "0"));
    t->have = (size_t)have;
    if (t->stage == BEGIN && t->have == 0)
        link_add(t, PUAN_LINK_SENT, t->household[t->at], t->at + 1,
                 t->digest[t->at]);
    send_piece(t);
}

static void step(struct crowd_actor *actor, const struct crowd_reply *r)
{
    struct tablet *t = (struct tablet *)actor;
    struct puan_node *n = NULL;
    struct puan_arena a;
    int64_t known;

    if (!r || r->status == 0) { /* its time has come, or the line broke */
        if (!t->sealed)
            make_day(t);
        t->at = 0;
        sign_in(t);
        return;
    }
    puan_arena_init(&a, puan_os_alloc());
    (void)!puan_json_tree(&n, r->body, "reply", &a, NULL);
    if (r->status == 429 || r->status == 503) {
        crowd_later(actor, 4000);
    } else if (t->stage == BEGIN || t->stage == SEND) {
        heard_upload(t, r, n);
    } else if (r->status != 200) {
        field_wrong(t->f, actor, r, t->device);
        crowd_done(actor);
    } else if (t->stage == SIGN_IN) {
        puan_format(t->token, sizeof(t->token), "%.*s",
                    PUAN_FMT(puan_node_str_opt(n, "token", "")));
        tell(t, TELL);
    } else if (t->stage == TELL || t->stage == TELL_RECEIPTS) {
        if (puan_int_parse(&known, puan_node_str_opt(n, "known", "0")))
            t->known = (uint32_t)known;
        if (t->stage == TELL) {
            go_on(t);
        } else {
            t->stage = CAMPAIGN;
            ask(t, K_CAMPAIGN, "GET", "/api/v1/campaign", NULL,
                PUAN_STR(""));
        }
    } else if (t->stage == CAMPAIGN) {
        char path[96];

        t->stage = LIST;
        puan_format(path, sizeof(path), API "/field/dossier?area=%lld",
                    (long long)t->ea);
        ask(t, K_DOSSIER, "GET", path, NULL, PUAN_STR(""));
    } else {
        crowd_done(actor);
    }
    puan_arena_clear(&a);
}

void tablet_begin(struct tablet *t, struct crowd *c, int64_t ms)
{
    t->actor.step = step;
    crowd_add(c, &t->actor, ms);
}

void tablet_end(struct tablet *t)
{
    if (t->sealed)
        puan_arena_clear(&t->arena);
    free(t->sealed);
    free(t->digest);
    free(t->link);
    puan_p256_free(t->sign);
}
