/*
 * Returns as documents and as stored bytes.  First byte 'b': frame, fact and
 * vault bytes, cut at the lengths in the next two bytes; else a document.
 * What is read must encode, decode and encode to the same bytes, and its JSON
 * must read as the same record.
 */
#include <stdlib.h>

#include "core/form/record.h"
#include "form.h"
#include "kit/os/os.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char FORM[] =
    "{\"form\":\"t\",\"zh\":\"f\",\"en\":\"f\",\"reasons\":\"why\",\"codes\":{"
    "\"why\":{\"no\":{\"value\":1,\"zh\":\"n\",\"en\":\"n\"}},"
    "\"s\":{\"1\":{\"zh\":\"a\",\"en\":\"a\"},\"2\":{\"zh\":\"b\",\"en\":\"b\"}"
    "},"
    "\"n\":{\"01\":{\"zh\":\"a\",\"en\":\"a\"},\"97\":{\"zh\":\"b\",\"en\":"
    "\"b\"}},"
    "\"w\":{\"7\":{\"zh\":\"ab|b\",\"en\":\"c\"},\"8\":{\"zh\":\"d\",\"en\":"
    "\"bb\"}}},"
    "\"schemes\":{\"g\":{\"length\":6,\"alphabet\":\"0123456789A\","
    "\"checks\":[{\"at\":6,\"from\":1,\"length\":5,\"modulus\":11,"
    "\"weights\":[1,2,3,4,5]}],\"parts\":{"
    "\"d\":{\"from\":1,\"length\":2,\"digits\":true,\"zh\":\"d\",\"en\":\"d\"},"
    "\"c\":{\"from\":3,\"length\":1,\"codes\":\"s\",\"zh\":\"c\",\"en\":\"c\"},"
    "\"v\":{\"from\":2,\"length\":5,\"zh\":\"v\",\"en\":\"v\"}}}},"
    "\"entities\":{\"h\":{\"zh\":\"h\",\"en\":\"h\",\"items\":{"
    "\"K\":{\"type\":\"int\",\"from\":\"key\",\"key_digits\":3,\"zh\":\"k\","
    "\"en\":\"k\"},"
    "\"I\":{\"type\":\"int\",\"min\":-5,\"zh\":\"i\",\"en\":\"i\"},"
    "\"S\":{\"type\":\"int\",\"from\":\"seconds\",\"zh\":\"s\",\"en\":\"s\"},"
    "\"P\":{\"type\":\"phone\",\"zh\":\"p\",\"en\":\"p\"}}},"
    "\"p\":{\"rows\":5,\"zh\":\"p\",\"en\":\"p\",\"items\":{"
    "\"N\":{\"type\":\"name\",\"alias\":\"M\",\"zh\":\"n\",\"en\":\"n\"},"
    "\"D\":{\"type\":\"citizen-id\",\"zh\":\"d\",\"en\":\"d\"},"
    "\"C\":{\"type\":\"code\",\"codes\":\"s\",\"zh\":\"c\",\"en\":\"c\"},"
    "\"E\":{\"type\":\"code\",\"codes\":\"n\",\"zh\":\"e\",\"en\":\"e\"},"
    "\"Y\":{\"type\":\"month\",\"zh\":\"y\",\"en\":\"y\"},"
    "\"A\":{\"type\":\"area\",\"digits\":6,\"zh\":\"a\",\"en\":\"a\"},"
    "\"F\":{\"type\":\"decimal\",\"places\":2,\"min\":-9.5,\"zh\":\"f\",\"en\":"
    "\"f\"},"
    "\"T\":{\"type\":\"text\",\"zh\":\"t\",\"en\":\"t\"},"
    "\"G\":{\"type\":\"text\",\"scheme\":\"g\",\"zh\":\"g\",\"en\":\"g\"},"
    "\"W\":{\"type\":\"name\",\"words\":\"w\",\"zh\":\"w\",\"en\":\"w\"},"
    "\"X\":{\"type\":\"point\",\"zh\":\"x\",\"en\":\"x\"},"
    "\"Z\":{\"type\":\"date\",\"zh\":\"z\",\"en\":\"z\"}}}}}";

struct bytes {
    struct puan_out part[3];
};

static void encode(struct bytes *b, const struct puan_record *r,
                   struct puan_arena *a)
{
    for (int i = 0; i < 3; i++)
        puan_out_init(&b->part[i], a);
    puan_record_encode(&b->part[0], &b->part[1], &b->part[2], r);
}

static void same(const struct bytes *x, const struct bytes *y)
{
    for (int i = 0; i < 3; i++)
        if (!puan_str_eq(puan_out_view(&x->part[i]),
                         puan_out_view(&y->part[i])))
            abort();
}

static void decode(struct puan_record *r, const struct bytes *b,
                   const struct puan_form *f, struct puan_arena *a)
{
    struct puan_err err = { 0 };

    if (puan_record_decode(r, f, puan_out_view(&b->part[0]),
                           puan_out_view(&b->part[1]),
                           puan_out_view(&b->part[2]), a, &err) != PUAN_OK)
        abort();
}

/* An INVALID cell keeps its text, so that the document can be written again. */
static void document(struct puan_str text, const struct puan_form *f,
                     struct puan_arena *a)
{
    struct puan_record r, back;
    struct puan_return_head head;
    struct bytes one, two;
    struct puan_out o;
    struct puan_jw w;
    struct puan_err err = { 0 };

    if (puan_record_read(&r, &head, &f, 1, text, a, &err) != PUAN_OK) {
        if (err.text[0] == '\0')
            abort();
        return;
    }
    puan_record_facts(&r);
    encode(&one, &r, a);
    decode(&back, &one, f, a);
    encode(&two, &back, a);
    same(&one, &two);
    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_ktext(&w, "form", "t");
    puan_jw_kint(&w, "household", head.household);
    puan_record_json(&w, &back);
    puan_jw_end(&w, '}');
    if (puan_record_read(&r, &head, &f, 1, puan_out_view(&o), a, &err) !=
        PUAN_OK)
        abort();
    puan_record_facts(&r);
    encode(&two, &r, a);
    same(&one, &two);
}

static void stored(struct puan_str s, const struct puan_form *f,
                   struct puan_arena *a)
{
    struct puan_record r, back;
    struct bytes one, two;
    struct puan_err err = { 0 };
    size_t n0, n1;

    if (s.n < 2)
        return;
    n0 = (uint8_t)s.p[0];
    n1 = (uint8_t)s.p[1];
    s.p += 2;
    s.n -= 2;
    if (n0 + n1 > s.n)
        return;
    if (puan_record_decode(&r, f, (struct puan_str){ s.p, n0 },
                           (struct puan_str){ s.p + n0, n1 },
                           (struct puan_str){ s.p + n0 + n1, s.n - n0 - n1 }, a,
                           &err) != PUAN_OK)
        return;
    encode(&one, &r, a);
    decode(&back, &one, f, a);
    encode(&two, &back, a);
    same(&one, &two);
}

static const struct puan_form *form(void)
{
    struct puan_form *f = fuzz_form_of(FORM);

    f->reference_month = 2020 * 12 + 10;
    return f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_str s = { (const char *)data, size };
    struct puan_arena a;

    puan_arena_init(&a, puan_os_alloc());
    if (size > 0 && data[0] == 'b')
        stored((struct puan_str){ s.p + 1, s.n - 1 }, form(), &a);
    else
        document(s, form(), &a);
    puan_arena_clear(&a);
    return 0;
}
