/*
 * A growing output text or byte string in an arena.  Failure is sticky (the
 * arena's), so that a writer checks once at the end.
 *
 * Depends on: arena, text.
 */
#ifndef PUAN_BASE_OUT_H
#define PUAN_BASE_OUT_H

#include "base/arena.h"

struct puan_out {
    struct puan_arena *arena;
    char *p; /* always terminated; NULL before the first byte */
    size_t n, cap;
};

void puan_out_init(struct puan_out *o, struct puan_arena *a);
void puan_out_bytes(struct puan_out *o, const void *p, size_t n);
void puan_out_str(struct puan_out *o, struct puan_str s);
void puan_out_text(struct puan_out *o, const char *cstr);
void puan_out_char(struct puan_out *o, char c);
/* Text inside HTML or SVG, in an element or a quoted attribute: the characters
   of markup are written as entities, control characters are left out. */
void puan_out_markup(struct puan_out *o, struct puan_str s);
void puan_out_fmt(struct puan_out *o, const char *fmt, ...) PUAN_PRINTF(2, 3);
void puan_out_int(struct puan_out *o, int64_t v);
/* Little-endian binary. */
void puan_out_u8(struct puan_out *o, uint8_t v);
void puan_out_u16(struct puan_out *o, uint16_t v);
void puan_out_u32(struct puan_out *o, uint32_t v);
void puan_out_u64(struct puan_out *o, uint64_t v);
/* LEB128; signed values zigzag. */
void puan_out_varint(struct puan_out *o, uint64_t v);
void puan_out_svarint(struct puan_out *o, int64_t v);
/* What has been written; valid until the next write or the arena's reset. */
struct puan_str puan_out_view(const struct puan_out *o);

/* A cursor over such bytes; a read past the end sets `bad` and gives 0. */
struct puan_in {
    const uint8_t *p, *end;
    bool bad;
};
struct puan_in puan_in_of(struct puan_str s);
uint8_t puan_in_u8(struct puan_in *in);
uint16_t puan_in_u16(struct puan_in *in);
uint32_t puan_in_u32(struct puan_in *in);
uint64_t puan_in_u64(struct puan_in *in);
uint64_t puan_in_varint(struct puan_in *in);
int64_t puan_in_svarint(struct puan_in *in);
struct puan_str puan_in_bytes(struct puan_in *in, size_t n);

#endif
