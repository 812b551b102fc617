/*
 * Ledger entries and the digests of what they cover (ledger.h).  One encoding
 * a value: a decoded entry is encoded again and compared, so that no second
 * text of the same entry passes.
 */
#include "core/ledger/ledger.h"

static void put_str(struct puan_out *o, struct puan_str s)
{
    puan_out_varint(o, s.n);
    puan_out_str(o, s);
}

void puan_entry_encode(struct puan_out *o, const struct puan_entry *e)
{
    puan_out_u8(o, 1);
    puan_out_u8(o, e->run);
    put_str(o, e->scope);
    puan_out_varint(o, e->seq);
    puan_out_svarint(o, e->event_ms);
    puan_out_svarint(o, e->entry_ms);
    put_str(o, e->actor);
    put_str(o, e->seat);
    put_str(o, e->device);
    put_str(o, e->verb);
    put_str(o, e->subject);
    put_str(o, e->old_digest);
    put_str(o, e->new_digest);
    put_str(o, e->plan);
    put_str(o, e->note);
    puan_out_varint(o, e->n_cover);
    for (size_t i = 0; i < e->n_cover; i++) {
        put_str(o, e->cover[i].table);
        put_str(o, e->cover[i].key);
        puan_out_bytes(o, e->cover[i].digest, PUAN_DIGEST_SIZE);
    }
    puan_out_bytes(o, e->previous, PUAN_DIGEST_SIZE);
}

static struct puan_str get_str(struct puan_in *in)
{
    uint64_t n = puan_in_varint(in);

    if (n > (uint64_t)(in->end - in->p)) {
        in->bad = true;
        return (struct puan_str){ "", 0 };
    }
    return puan_in_bytes(in, (size_t)n);
}

/* Empty or one digest. */
static struct puan_str get_digest(struct puan_in *in)
{
    struct puan_str s = get_str(in);

    if (s.n != 0 && s.n != PUAN_DIGEST_SIZE)
        in->bad = true;
    return s;
}

static enum puan_status malformed(struct puan_err *err, const char *what)
{
    return puan_fail(err, PUAN_EINVAL, "ledger entry", "%s", what);
}

enum puan_status puan_entry_decode(struct puan_entry *e, struct puan_str bytes,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_in in = puan_in_of(bytes);
    struct puan_cover_item *cover = NULL;
    struct puan_str previous, again;
    struct puan_out o;
    uint64_t n;

    memset(e, 0, sizeof(*e));
    if (puan_in_u8(&in) != 1)
        return malformed(err, "is not of version 1");
    e->run = puan_in_u8(&in);
    e->scope = get_str(&in);
    e->seq = puan_in_varint(&in);
    e->event_ms = puan_in_svarint(&in);
    e->entry_ms = puan_in_svarint(&in);
    e->actor = get_str(&in);
    e->seat = get_str(&in);
    e->device = get_str(&in);
    e->verb = get_str(&in);
    e->subject = get_str(&in);
    e->old_digest = get_digest(&in);
    e->new_digest = get_digest(&in);
    e->plan = get_digest(&in);
    e->note = get_str(&in);
    n = puan_in_varint(&in);
    /* each item takes at least its digest and two lengths */
    if (in.bad || n > (uint64_t)(in.end - in.p) / (PUAN_DIGEST_SIZE + 2))
        return malformed(err, "ends too early");
    if (n > 0) {
        cover = puan_new_n(a, (size_t)n, struct puan_cover_item);
        if (!cover)
            return puan_arena_check(a, err);
    }
    for (uint64_t i = 0; i < n; i++) {
        struct puan_str d;

        cover[i].table = get_str(&in);
        cover[i].key = get_str(&in);
        d = puan_in_bytes(&in, PUAN_DIGEST_SIZE);
        if (in.bad || d.n != PUAN_DIGEST_SIZE)
            return malformed(err, "ends too early");
        memcpy(cover[i].digest, d.p, PUAN_DIGEST_SIZE);
    }
    e->cover = cover;
    e->n_cover = (size_t)n;
    previous = puan_in_bytes(&in, PUAN_DIGEST_SIZE);
    if (in.bad || previous.n != PUAN_DIGEST_SIZE)
        return malformed(err, "ends too early");
    memcpy(e->previous, previous.p, PUAN_DIGEST_SIZE);
    if (in.p != in.end)
        return malformed(err, "has bytes behind its end");
    if (e->run > PUAN_RUN_DEMO)
        return malformed(err, "names an unknown run");
    puan_out_init(&o, a);
    puan_entry_encode(&o, e);
    if (puan_arena_check(a, err) != PUAN_OK)
        return PUAN_ENOMEM;
    again = puan_out_view(&o);
    if (!puan_str_eq(again, bytes))
        return malformed(err, "is not in canonical form");
    return PUAN_OK;
}

void puan_entry_digest(uint8_t out[PUAN_DIGEST_SIZE],
                       const struct puan_digest_fn *fn, struct puan_str bytes)
{
    struct puan_str parts[] = { { "\x02", 1 }, bytes };

    fn->hash(fn->ctx, out, parts, 2);
}

void puan_content_null(struct puan_out *o)
{
    puan_out_u8(o, 0);
}

void puan_content_int(struct puan_out *o, int64_t v)
{
    puan_out_u8(o, 1);
    puan_out_svarint(o, v);
}

void puan_content_text(struct puan_out *o, struct puan_str s)
{
    puan_out_u8(o, 2);
    put_str(o, s);
}

void puan_content_bytes(struct puan_out *o, struct puan_str s)
{
    puan_out_u8(o, 3);
    put_str(o, s);
}

void puan_content_row(struct puan_out *o)
{
    puan_out_u8(o, 4);
}

/* A varint without an arena, for hashing. */
static struct puan_str varint(char buf[10], uint64_t v)
{
    size_t n = 0;

    while (v >= 0x80) {
        buf[n++] = (char)(v | 0x80);
        v >>= 7;
    }
    buf[n++] = (char)v;
    return (struct puan_str){ buf, n };
}

static struct puan_str svarint(char buf[10], int64_t v)
{
    return varint(buf, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

void puan_cover_digest(uint8_t out[PUAN_DIGEST_SIZE],
                       const struct puan_digest_fn *fn, struct puan_str table,
                       struct puan_str key, struct puan_str content)
{
    char t[10], k[10];
    struct puan_str parts[] = { { "\x03", 1 },       varint(t, table.n), table,
                                varint(k, key.n),    key,                content };

    fn->hash(fn->ctx, out, parts, PUAN_COUNT(parts));
}

void puan_return_digest(uint8_t out[PUAN_DIGEST_SIZE],
                        const struct puan_digest_fn *fn,
                        const struct puan_return_head *h, uint32_t version,
                        const uint8_t form_digest[PUAN_DIGEST_SIZE],
                        struct puan_str frame, struct puan_str facts,
                        struct puan_str sealed)
{
    char b[12][10];
    struct puan_str parts[] = {
        { "\x01", 1 },
        svarint(b[0], h->household),
        varint(b[1], version),
        { (const char *)form_digest, PUAN_DIGEST_SIZE },
        varint(b[2], h->form.n),
        h->form,
        varint(b[3], h->mode.n),
        h->mode,
        varint(b[4], h->device.n),
        h->device,
        varint(b[5], h->counter),
        svarint(b[6], h->started_ms),
        svarint(b[7], h->finished_ms),
        { h->is_signed ? "\x01" : "\x00", 1 },
        varint(b[8], h->query.n),
        h->query,
        varint(b[9], frame.n),
        frame,
        varint(b[10], facts.n),
        facts,
        varint(b[11], sealed.n),
        sealed,
    };

    fn->hash(fn->ctx, out, parts, PUAN_COUNT(parts));
}
