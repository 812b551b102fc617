/*
 * Fuzz: ledger entries and checkpoints.  An entry that is accepted encodes to
 * the bytes it came from; a checkpoint that is accepted keeps its body when
 * written and read again.  First byte 'e': an entry, else a checkpoint.
 */
#include <stdlib.h>

#include "core/ledger/ledger.h"
#include "kit/os/os.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void entry(struct puan_str s, struct puan_arena *a)
{
    struct puan_err err = { 0 };
    struct puan_entry e;
    struct puan_out o;

    if (puan_entry_decode(&e, s, a, &err) != PUAN_OK)
        return;
    puan_out_init(&o, a);
    puan_entry_encode(&o, &e);
    if (!a->failed && !puan_str_eq(puan_out_view(&o), s))
        abort();
}

static void checkpoint(struct puan_str s, struct puan_arena *a)
{
    struct puan_err err = { 0 };
    struct puan_checkpoint c, d;
    struct puan_out text, one, two;

    if (puan_checkpoint_parse(&c, s, "input", a, &err) != PUAN_OK)
        return;
    puan_out_init(&text, a);
    puan_out_init(&one, a);
    puan_out_init(&two, a);
    puan_checkpoint_text(&text, &c);
    puan_checkpoint_body(&one, &c);
    if (puan_checkpoint_parse(&d, puan_out_view(&text), "again", a, &err) !=
        PUAN_OK)
        abort();
    puan_checkpoint_body(&two, &d);
    if (!a->failed && !puan_str_eq(puan_out_view(&one), puan_out_view(&two)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_arena a;
    struct puan_str s = { (const char *)data, size };
    struct puan_merkle m;
    struct puan_err err = { 0 };

    if (size == 0)
        return 0;
    s.p++;
    s.n--;
    puan_arena_init(&a, puan_os_alloc());
    a.limit = 64 << 20;
    if (data[0] == 'e')
        entry(s, &a);
    else if (data[0] == 'm' && puan_merkle_decode(&m, s, &err) != PUAN_OK)
        err.code = PUAN_OK; /* refused, as it may be */
    else
        checkpoint(s, &a);
    puan_arena_clear(&a);
    return 0;
}
