/*
 * The loops of the lane executor, as a table of functions: the same source is
 * compiled for each kind of processor (lane_plain.c, lane_avx2.c,
 * lane_avx512.c).  Lanes are unsigned, of 1, 2, 4 or 8 bytes, counted modulo
 * their width; bits beyond n are left zero.  Lanes may stand at any address
 * and nothing behind the last one is read.
 *
 * Inside of core/rule only.
 */
#ifndef PUAN_CORE_RULE_LANE_KERNEL_H
#define PUAN_CORE_RULE_LANE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Planes of one operand: true, then unknown as not asked, outer, missing,
   invalid.  None of them may be NULL. */
struct puan_lane_bits {
    const uint64_t *p[5];
};

/* Arrays of four are by width: 1, 2, 4, 8 bytes. */
struct puan_lane_kernels {
    const char *name;
    /* bit: lane - lo <= span */
    void (*range[4])(uint64_t *bits, const void *a, size_t n, uint64_t lo,
                     uint64_t span);
    /* bit: a + ka < b + kb; a + ka = b */
    void (*less[4])(uint64_t *bits, const void *a, const void *b, size_t n,
                    uint64_t ka, uint64_t kb);
    void (*same[4])(uint64_t *bits, const void *a, const void *b, size_t n,
                    uint64_t ka);
    /* bit: the bit of the set that a byte names; 32 bytes */
    void (*in_set)(uint64_t *bits, const uint8_t *a, size_t n,
                   const uint8_t *set);
    /* lanes; a byte to a byte by a table of 256 */
    void (*map)(uint8_t *to, const uint8_t *a, size_t n, const uint8_t *table);
    void (*add[4])(void *to, const void *a, const void *b, size_t n,
                   uint64_t k);
    void (*sub[4])(void *to, const void *a, const void *b, size_t n,
                   uint64_t k);
    void (*scale[4])(void *to, const void *a, size_t n, uint64_t m, uint64_t k);
    void (*mul[4])(void *to, const void *a, const void *b, size_t n,
                   uint64_t ka, uint64_t kb, uint64_t k);
    void (*least[4])(void *to, const void *a, const void *b, size_t n);
    void (*most[4])(void *to, const void *a, const void *b, size_t n);
    /* from width [i] to width [j], plus k */
    void (*cast[4][4])(void *to, const void *a, size_t n, uint64_t k);
    /* a where the bit is set, else b */
    void (*choose[4])(void *to, const uint64_t *bits, const void *a,
                      const void *b, size_t n);
    /* a, or its complement, where the bit is set, else 0 */
    void (*keep[4])(void *to, const uint64_t *bits, const void *a, size_t n,
                    bool complement);
    /* to[i] = max(a[i], a[i + k]) where left[i] > k, else a[i]; rows behind n
       are readable */
    void (*reach[4])(void *to, const void *a, const uint8_t *left, size_t n,
                     size_t k);
    uint64_t (*sum[4])(const void *a, size_t n);
    /* words */
    void (*both)(uint64_t *to, const uint64_t *a, const uint64_t *b, size_t w);
    void (*either)(uint64_t *to, const uint64_t *a, const uint64_t *b,
                   size_t w);
    void (*without)(uint64_t *to, const uint64_t *a, const uint64_t *b,
                    size_t w);
    /* three-valued, into five planes; see doc/rules.md section 5 */
    void (*both_of)(uint64_t *const *to, const struct puan_lane_bits *a,
                    const struct puan_lane_bits *b, size_t w, bool either);
    uint64_t (*count)(const uint64_t *a, size_t w);
    /* a & ~b, into to; whether any is set */
    bool (*differ)(uint64_t *to, const uint64_t *a, const uint64_t *b,
                   size_t w);
    /* a & b, the same */
    bool (*meet)(uint64_t *to, const uint64_t *a, const uint64_t *b, size_t w);
    /* rows of each unit u, from first[u] - row0 on, whose bit is set; a
       word behind the last is readable */
    void (*unit_count[4])(void *to, const uint64_t *bits, const uint32_t *first,
                          size_t units, uint32_t row0);
    void (*unit_any)(uint64_t *to, const uint64_t *bits, const uint32_t *first,
                     size_t units, uint32_t row0);
};

extern const struct puan_lane_kernels puan_lane_plain;
#ifdef __x86_64__
extern const struct puan_lane_kernels puan_lane_avx2, puan_lane_avx512;
#endif

/* Those for this processor. */
const struct puan_lane_kernels *puan_lane_kernels(void);

#endif
