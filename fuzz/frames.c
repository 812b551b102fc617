/*
 * Fuzz: CSV into frames.  The first byte says how small the chunks are, the
 * second how many threads.  What base/csv accepts becomes a frame of the same
 * texts, what it refuses is refused; chunks and threads make no difference.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/test_heap.h"
#include "features/frame/frames.h"
#include "kit/job/progress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A number with its decimals, if it is one. */
static bool same_number(struct puan_str a, struct puan_str b)
{
    int64_t x, y;

    return puan_fixed_parse(&x, a, 9) && puan_fixed_parse(&y, b, 9) && x == y;
}

static void compare(const struct puan_frame *f, struct puan_str text)
{
    const struct puan_frame_entity *e = &f->entity[0];
    struct puan_arena a, row, out;
    struct puan_err err = { 0 };
    struct puan_csv c;
    uint64_t n = 0;
    bool more = true;

    puan_arena_init(&a, &puan_test_heap);
    puan_arena_init(&row, &puan_test_heap);
    puan_arena_init(&out, &puan_test_heap);
    if (puan_csv_open(&c, text, "input", &a, &row, &err) != PUAN_OK)
        abort();
    while (puan_csv_next(&more, &c, &err) == PUAN_OK && more) {
        for (size_t i = 0; i < c.n; i++) {
            struct puan_str want = puan_str_trim(c.field[i]), got;
            struct puan_out o, quoted;

            puan_arena_reset(&out);
            puan_out_init(&o, &out);
            puan_out_init(&quoted, &out);
            puan_frames_text(&o, &e->item[i], n);
            puan_csv_put(&quoted, want);
            got = puan_out_view(&o);
            if (!puan_str_eq(got, puan_out_view(&quoted)) &&
                !(e->item[i].type == PUAN_TYPE_FIXED &&
                  same_number(got, want)))
                abort();
        }
        n++;
    }
    if (err.code != PUAN_OK || n != e->rows)
        abort();
    puan_arena_clear(&a);
    puan_arena_clear(&row);
    puan_arena_clear(&out);
}

/* Whether base/csv takes all of it and every column has a name of its own. */
static bool accepted(struct puan_str text)
{
    struct puan_arena a, row;
    struct puan_err err = { 0 };
    struct puan_csv c;
    bool more = true, good;

    puan_arena_init(&a, &puan_test_heap);
    puan_arena_init(&row, &puan_test_heap);
    good = puan_csv_open(&c, text, "input", &a, &row, &err) == PUAN_OK;
    for (size_t i = 0; good && i < c.n; i++)
        good = puan_str_trim(c.header[i]).n > 0;
    for (size_t i = 0; good && i < c.n; i++)
        for (size_t k = 0; good && k < i; k++)
            good = !puan_str_eq(puan_str_trim(c.header[i]),
                                puan_str_trim(c.header[k]));
    while (good && more)
        good = puan_csv_next(&more, &c, &err) == PUAN_OK;
    puan_arena_clear(&a);
    puan_arena_clear(&row);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_frames_options opt = { .digest = true };
    struct puan_frames *f = NULL;
    struct puan_err err = { 0 };
    struct puan_str text;
    char path[64];
    const char *paths[] = { path };
    int fd;

    if (size < 2 || (size > 8 && memcmp(data + 2, "PUANFRM", 7) == 0))
        return 0; /* that would be a frame file */
    puan_progress_quiet(true);
    opt.chunk = data[0] % 64u + 1;
    opt.threads = data[1] % 3u + 1;
    text = (struct puan_str){ (const char *)data + 2, size - 2 };
    fd = memfd_create("csv", MFD_CLOEXEC);
    if (fd < 0)
        return 0;
    if (write(fd, text.p, text.n) != (ssize_t)text.n)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (puan_frames_load(&f, paths, 1, &opt, &err) == PUAN_OK)
        compare(puan_frames_frame(f), text);
    else if (err.text[0] == '\0' || err.code == PUAN_EBUG || accepted(text))
        abort();
    puan_frames_close(f);
    close(fd);
    return 0;
}
