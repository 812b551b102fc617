/*
 * Readers and writers of what devices send; see device.h.
 */
#include "core/device/device.h"

#define MAGIC "PUANB1\n"
#define SIGNATURE 64

static enum puan_status no(struct puan_err *err, const char *where,
                           const char *text)
{
    return puan_fail(err, PUAN_EINVAL, where, "%s", text);
}

/* A name as it may stand between bars in signed texts. */
static bool plain(struct puan_str s, size_t most)
{
    if (s.n == 0 || s.n > most)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') ||
              (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
              (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' ||
              s.p[i] == '.' || s.p[i] == '_'))
            return false;
    return true;
}

/* Digits without a sign or leading zeros; "0" is one. */
static bool whole(int64_t *v, struct puan_str s, int64_t most)
{
    return s.n > 0 && s.n <= 19 && s.p[0] != '-' &&
           (s.p[0] != '0' || s.n == 1) && puan_int_parse(v, s) && *v <= most;
}

/* ---- sealed returns ------------------------------------------------------------ */

enum puan_status puan_sealed_read(struct puan_sealed *out,
                                  struct puan_str bytes, struct puan_err *err)
{
    struct puan_in in = puan_in_of(bytes);
    struct puan_str household, digest;

    *out = (struct puan_sealed){ 0 };
    if (bytes.n > PUAN_SEALED_MAX)
        return puan_fail(err, PUAN_EINVAL, "sealed return",
                         "longer than %d bytes", PUAN_SEALED_MAX);
    if (puan_in_u8(&in) != 1)
        return no(err, "sealed return", "version 1 is wanted");
    out->campaign = puan_in_bytes(&in, puan_in_u8(&in));
    out->device = puan_in_bytes(&in, puan_in_u8(&in));
    household = puan_in_bytes(&in, puan_in_u8(&in));
    out->counter = puan_in_u32(&in);
    digest = puan_in_bytes(&in, PUAN_DIGEST_SIZE);
    if (in.bad)
        return no(err, "sealed return", "it ends within its head");
    memcpy(out->digest, digest.p, PUAN_DIGEST_SIZE);
    out->envelope = puan_in_bytes(&in, (size_t)(in.end - in.p));
    if (!plain(out->campaign, PUAN_DEVICE_NAME_MAX) ||
        !plain(out->device, PUAN_DEVICE_NAME_MAX) ||
        !whole(&out->household, household, INT64_MAX) || out->household == 0)
        return no(err, "sealed return",
                  "campaign, device or household is not written right");
    if (out->envelope.n == 0)
        return no(err, "sealed return", "nothing is sealed in it");
    return PUAN_OK;
}

static void put_text(struct puan_out *o, struct puan_str s)
{
    puan_out_u8(o, (uint8_t)s.n);
    puan_out_str(o, s);
}

void puan_sealed_write(struct puan_out *o, const struct puan_sealed *s)
{
    char household[24];

    puan_format(household, sizeof(household), "%lld", (long long)s->household);
    puan_out_u8(o, 1);
    put_text(o, s->campaign);
    put_text(o, s->device);
    put_text(o, puan_str_of(household));
    puan_out_u32(o, s->counter);
    puan_out_bytes(o, s->digest, PUAN_DIGEST_SIZE);
    puan_out_str(o, s->envelope);
}

struct puan_str puan_sealed_aad(struct puan_arena *a,
                                const struct puan_sealed *s)
{
    return puan_str_of(puan_arena_fmt(a, "%.*s|%.*s|%lld|%u",
                                      PUAN_FMT(s->campaign),
                                      PUAN_FMT(s->device),
                                      (long long)s->household, s->counter));
}

/* ---- the chain ------------------------------------------------------------------- */

static const char *const acts[PUAN_LINK_ACTS] = {
    [PUAN_LINK_LISTED] = "listed",   [PUAN_LINK_OPENED] = "opened",
    [PUAN_LINK_SEALED] = "sealed",   [PUAN_LINK_SENT] = "sent",
    [PUAN_LINK_RECEIPT] = "receipt", [PUAN_LINK_NOTE] = "note",
};

const char *puan_link_act_name(enum puan_link_act act)
{
    return act < PUAN_LINK_ACTS ? acts[act] : "";
}

enum puan_status puan_link_read(struct puan_link *out, struct puan_str text,
                                struct puan_err *err)
{
    struct puan_str rest = text, part[6];
    int64_t n, counter;
    size_t k = 0;

    *out = (struct puan_link){ 0 };
    if (text.n > PUAN_LINK_MAX)
        return no(err, "link", "it is too long");
    while (k < 6 && puan_str_split(&part[k], &rest, '|'))
        k++;
    if (k != 6 || rest.p)
        return no(err, "link", "n|at|act|household|counter|digest is wanted");
    if (!whole(&n, part[0], UINT32_MAX) || n == 0 ||
        !whole(&out->at, part[1], INT64_MAX) ||
        !whole(&out->household, part[3], INT64_MAX) ||
        !whole(&counter, part[4], UINT32_MAX))
        return no(err, "link", "its numbers are not written right");
    out->n = (uint32_t)n;
    out->counter = (uint32_t)counter;
    for (k = 0; k < PUAN_LINK_ACTS; k++)
        if (puan_str_is(part[2], acts[k]))
            break;
    if (k == PUAN_LINK_ACTS)
        return no(err, "link", "it names no act");
    out->act = (enum puan_link_act)k;
    out->has_digest = part[5].n > 0;
    if (out->has_digest) {
        if (!puan_unhex(out->digest, PUAN_DIGEST_SIZE, part[5]))
            return no(err, "link", "its digest is not 64 digits");
        for (k = 0; k < part[5].n; k++)
            if (part[5].p[k] >= 'A' && part[5].p[k] <= 'F')
                return no(err, "link", "its digest has capital letters");
    }
    if (out->act == PUAN_LINK_SEALED && (!out->has_digest || !out->household))
        return no(err, "link", "what is sealed has a household and a digest");
    return PUAN_OK;
}

void puan_link_write(struct puan_out *o, const struct puan_link *l)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1] = "";

    if (l->has_digest)
        puan_hex(hex, l->digest, PUAN_DIGEST_SIZE);
    puan_out_fmt(o, "%u|%lld|%s|%lld|%u|%s", l->n, (long long)l->at,
                 puan_link_act_name(l->act), (long long)l->household,
                 l->counter, hex);
}

void puan_chain_start(uint8_t hash[PUAN_DIGEST_SIZE],
                      const struct puan_digest_fn *sha256,
                      struct puan_str campaign, struct puan_str device)
{
    struct puan_str parts[] = { PUAN_STR("puan-chain-1|"), campaign,
                                PUAN_STR("|"), device };

    sha256->hash(sha256->ctx, hash, parts, 4);
}

void puan_chain_step(uint8_t hash[PUAN_DIGEST_SIZE],
                     const struct puan_digest_fn *sha256, struct puan_str text)
{
    uint8_t before[PUAN_DIGEST_SIZE];
    struct puan_str parts[2] = { { (const char *)before, sizeof(before) },
                                 text };

    memcpy(before, hash, sizeof(before));
    sha256->hash(sha256->ctx, hash, parts, 2);
}

/* ---- bundles ----------------------------------------------------------------------- */

static enum puan_status read_sealed(struct puan_bundle *b, struct puan_in *in,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_sealed s;
    enum puan_status st = PUAN_OK;

    b->n_sealed = puan_in_u32(in);
    if (in->bad || b->n_sealed > PUAN_BUNDLE_RETURNS)
        return puan_fail(err, in->bad ? PUAN_EINVAL : PUAN_ELIMIT, "bundle",
                         "at most %d returns", PUAN_BUNDLE_RETURNS);
    b->sealed = puan_new_n(a, b->n_sealed + 1, struct puan_str);
    if (!b->sealed)
        return puan_arena_check(a, err);
    for (uint32_t i = 0; i < b->n_sealed && st == PUAN_OK; i++) {
        b->sealed[i] = puan_in_bytes(in, puan_in_u32(in));
        if (in->bad)
            return no(err, "bundle", "it ends within a return");
        st = puan_sealed_read(&s, b->sealed[i], err);
        if (st == PUAN_OK && (!puan_str_eq(s.campaign, b->campaign) ||
                              !puan_str_eq(s.device, b->device)))
            st = no(err, "bundle",
                    "a return in it is of another campaign or device");
    }
    return st;
}

static enum puan_status read_links(struct puan_bundle *b, struct puan_in *in,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_link l;
    enum puan_status st = PUAN_OK;

    b->n_links = puan_in_u32(in);
    b->from = puan_in_u32(in);
    if (in->bad || b->n_links > PUAN_BUNDLE_LINKS)
        return puan_fail(err, in->bad ? PUAN_EINVAL : PUAN_ELIMIT, "bundle",
                         "at most %d links", PUAN_BUNDLE_LINKS);
    b->link = puan_new_n(a, b->n_links + 1, struct puan_str);
    if (!b->link)
        return puan_arena_check(a, err);
    for (uint32_t i = 0; i < b->n_links && st == PUAN_OK; i++) {
        b->link[i] = puan_in_bytes(in, puan_in_u16(in));
        if (in->bad)
            return no(err, "bundle", "it ends within a link");
        st = puan_link_read(&l, b->link[i], err);
        if (st == PUAN_OK && l.n != b->from + i)
            st = no(err, "bundle", "its links are not in order");
    }
    return st;
}

enum puan_status puan_bundle_read(struct puan_bundle *out,
                                  struct puan_str bytes, struct puan_arena *a,
                                  struct puan_err *err)
{
    struct puan_in in = puan_in_of(bytes);
    struct puan_str magic = puan_in_bytes(&in, sizeof(MAGIC) - 1);
    enum puan_status st;

    *out = (struct puan_bundle){ 0 };
    if (bytes.n > PUAN_BUNDLE_MAX)
        return puan_fail(err, PUAN_ELIMIT, "bundle", "longer than %zu bytes",
                         PUAN_BUNDLE_MAX);
    if (in.bad || !puan_str_is(magic, MAGIC))
        return no(err, "bundle", "it does not begin with PUANB1");
    out->campaign = puan_in_bytes(&in, puan_in_u8(&in));
    out->device = puan_in_bytes(&in, puan_in_u8(&in));
    if (in.bad || !plain(out->campaign, PUAN_DEVICE_NAME_MAX) ||
        !plain(out->device, PUAN_DEVICE_NAME_MAX))
        return no(err, "bundle", "campaign or device is not written right");
    st = read_sealed(out, &in, a, err);
    if (st == PUAN_OK)
        st = read_links(out, &in, a, err);
    if (st != PUAN_OK)
        return st;
    out->covered = (struct puan_str){
        bytes.p, (size_t)(in.p - (const uint8_t *)bytes.p)
    };
    out->signature = puan_in_bytes(&in, SIGNATURE);
    if (in.bad || in.p != in.end)
        return no(err, "bundle", "a signature of 64 bytes ends it");
    return PUAN_OK;
}

void puan_bundle_write(struct puan_out *o, const struct puan_bundle *b)
{
    puan_out_text(o, MAGIC);
    put_text(o, b->campaign);
    put_text(o, b->device);
    puan_out_u32(o, b->n_sealed);
    for (uint32_t i = 0; i < b->n_sealed; i++) {
        puan_out_u32(o, (uint32_t)b->sealed[i].n);
        puan_out_str(o, b->sealed[i]);
    }
    puan_out_u32(o, b->n_links);
    puan_out_u32(o, b->from);
    for (uint32_t i = 0; i < b->n_links; i++) {
        puan_out_u16(o, (uint16_t)b->link[i].n);
        puan_out_str(o, b->link[i]);
    }
}

struct puan_str puan_bundle_text(struct puan_arena *a,
                                 const struct puan_digest_fn *sha256,
                                 const struct puan_bundle *b)
{
    uint8_t d[PUAN_DIGEST_SIZE];
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    sha256->hash(sha256->ctx, d, &b->covered, 1);
    puan_hex(hex, d, sizeof(d));
    return puan_str_of(puan_arena_fmt(a, "puan-bundle-1|%.*s|%.*s|%s",
                                      PUAN_FMT(b->campaign),
                                      PUAN_FMT(b->device), hex));
}
