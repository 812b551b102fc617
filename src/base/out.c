/*
 * Growing output in an arena, and the cursor that reads it back.
 */
#include "base/out.h"

void puan_out_init(struct puan_out *o, struct puan_arena *a)
{
    *o = (struct puan_out){ .arena = a };
}

/* Room for n more bytes and the terminator; NULL when out of memory. */
static char *room(struct puan_out *o, size_t n)
{
    if (o->n + n + 1 > o->cap || o->p == NULL) {
        size_t cap = o->cap ? o->cap * 2 : 256;
        char *p;

        while (cap < o->n + n + 1)
            cap *= 2;
        p = puan_arena_get(o->arena, cap);
        if (p == NULL)
            return NULL;
        if (o->n)
            memcpy(p, o->p, o->n);
        o->p = p;
        o->cap = cap;
    }
    return o->p + o->n;
}

void puan_out_bytes(struct puan_out *o, const void *p, size_t n)
{
    char *to = room(o, n);

    if (to == NULL)
        return;
    if (n)
        memcpy(to, p, n);
    to[n] = '\0';
    o->n += n;
}

void puan_out_str(struct puan_out *o, struct puan_str s)
{
    puan_out_bytes(o, s.p, s.n);
}

void puan_out_text(struct puan_out *o, const char *cstr)
{
    puan_out_bytes(o, cstr, strlen(cstr));
}

void puan_out_char(struct puan_out *o, char c)
{
    puan_out_bytes(o, &c, 1);
}

void puan_out_markup(struct puan_out *o, struct puan_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '<':
            puan_out_text(o, "&lt;");
            break;
        case '>':
            puan_out_text(o, "&gt;");
            break;
        case '&':
            puan_out_text(o, "&amp;");
            break;
        case '"':
            puan_out_text(o, "&quot;");
            break;
        default:
            if ((unsigned char)s.p[i] >= ' ')
                puan_out_char(o, s.p[i]);
        }
    }
}

void puan_out_fmt(struct puan_out *o, const char *fmt, ...)
{
    va_list ap;
    size_t n;
    char *to;

    va_start(ap, fmt);
    n = puan_vformat(NULL, 0, fmt, ap);
    va_end(ap);
    to = room(o, n);
    if (to == NULL)
        return;
    va_start(ap, fmt);
    puan_vformat(to, n + 1, fmt, ap);
    va_end(ap);
    o->n += n;
}

void puan_out_int(struct puan_out *o, int64_t v)
{
    puan_out_fmt(o, "%lld", (long long)v);
}

void puan_out_u8(struct puan_out *o, uint8_t v)
{
    puan_out_bytes(o, &v, 1);
}

static void little(struct puan_out *o, uint64_t v, size_t n)
{
    uint8_t b[8];

    for (size_t i = 0; i < n; i++)
        b[i] = (uint8_t)(v >> (8 * i));
    puan_out_bytes(o, b, n);
}

void puan_out_u16(struct puan_out *o, uint16_t v)
{
    little(o, v, 2);
}

void puan_out_u32(struct puan_out *o, uint32_t v)
{
    little(o, v, 4);
}

void puan_out_u64(struct puan_out *o, uint64_t v)
{
    little(o, v, 8);
}

void puan_out_varint(struct puan_out *o, uint64_t v)
{
    uint8_t b[10];
    size_t n = 0;

    while (v >= 0x80) {
        b[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    b[n++] = (uint8_t)v;
    puan_out_bytes(o, b, n);
}

void puan_out_svarint(struct puan_out *o, int64_t v)
{
    puan_out_varint(o, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

struct puan_str puan_out_view(const struct puan_out *o)
{
    return (struct puan_str){ o->p ? o->p : "", o->n };
}

struct puan_in puan_in_of(struct puan_str s)
{
    /* the empty text may be NULL, to which nothing may be added */
    const uint8_t *p = (const uint8_t *)(s.p ? s.p : "");

    return (struct puan_in){ p, p + s.n, false };
}

static uint64_t little_in(struct puan_in *in, size_t n)
{
    uint64_t v = 0;

    if (in->bad || (size_t)(in->end - in->p) < n) {
        in->bad = true;
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)in->p[i] << (8 * i);
    in->p += n;
    return v;
}

uint8_t puan_in_u8(struct puan_in *in)
{
    return (uint8_t)little_in(in, 1);
}

uint16_t puan_in_u16(struct puan_in *in)
{
    return (uint16_t)little_in(in, 2);
}

uint32_t puan_in_u32(struct puan_in *in)
{
    return (uint32_t)little_in(in, 4);
}

uint64_t puan_in_u64(struct puan_in *in)
{
    return little_in(in, 8);
}

/* The shortest form only, so that one value has one encoding. */
uint64_t puan_in_varint(struct puan_in *in)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t b = puan_in_u8(in);

        if (in->bad)
            return 0;
        if ((shift == 63 && b > 1) || (b == 0 && shift > 0))
            break;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return v;
    }
    in->bad = true;
    return 0;
}

int64_t puan_in_svarint(struct puan_in *in)
{
    uint64_t v = puan_in_varint(in);

    return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

struct puan_str puan_in_bytes(struct puan_in *in, size_t n)
{
    struct puan_str s = { (const char *)in->p, n };

    if (in->bad || (size_t)(in->end - in->p) < n) {
        in->bad = true;
        return PUAN_STR("");
    }
    in->p += n;
    return s;
}
