/*
 * Fuzz: what statistics read from outside.  The first byte chooses: bands of
 * indices, a published table with a row an area, columns of a sample.  Limits
 * that are accepted rise; areas add up to their whole; labels are in order; a
 * design that is accepted has every unit once and gives a variance that is not
 * below 0.
 */
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "features/evaluate/indices.h"
#include "features/sample/design.h"
#include "kit/os/heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void bands(const char *path, struct puan_arena *a)
{
    struct puan_err err = { 0 };
    struct puan_bands b;

    if (puan_bands_load(&b, path, a, &err) != PUAN_OK) {
        if (!err.text[0])
            abort();
        return;
    }
    for (size_t i = 0; i < b.n; i++) {
        double last = -INFINITY;

        for (unsigned k = 0; k < 4; k++) {
            if (b.band[i].limit[k] < last)
                abort();
            if (!isnan(b.band[i].limit[k]))
                last = b.band[i].limit[k];
        }
    }
}

static void table(const char *path)
{
    struct puan_age_options o = { .path = &path,
                                  .n_paths = 1,
                                  .wide = "m_,f_",
                                  .by = { "code" },
                                  .n_by = 1,
                                  .quiet = true };
    struct puan_measured m[PUAN_MEASURES];
    struct puan_err err = { 0 };
    struct puan_age_data d;

    if (puan_age_data_load(&d, &o, &err) == PUAN_OK) {
        double all = 0, parts = 0;

        for (size_t i = 0; i < d.n; i++) {
            double n = d.area[i].all[0] + d.area[i].all[1];

            puan_measure_area(m, NULL, &d.area[i], &d);
            if (i)
                parts += n;
            else
                all = n;
            for (unsigned k = 0; k < PUAN_MEASURES; k++)
                if (m[k].given && !isfinite(m[k].value))
                    abort();
        }
        if (fabs(all - parts) > 1e-6 * (all + 1))
            abort();
    } else if (!err.text[0]) {
        abort();
    }
    puan_age_data_clear(&d);
}

static void sample(const char *path, struct puan_arena *a)
{
    struct puan_column col[] = {
        { .name = PUAN_STR("s"), .optional = true },
        { .name = PUAN_STR("c"), .optional = true },
        { .name = PUAN_STR("w"), .number = true, .optional = true },
        { .name = PUAN_STR("n"), .number = true, .optional = true }
    };
    struct puan_design_columns where = {
        2, 0, 1, 3, PUAN_NO_COLUMN, PUAN_NO_COLUMN
    };
    struct puan_laid_out out;
    struct puan_err err = { 0 };
    uint32_t rows = 0, seen = 0;
    double *z, v;

    if (puan_columns_load(col, PUAN_COUNT(col), &rows, &path, 1, a, &err) !=
        PUAN_OK) {
        if (!err.text[0])
            abort();
        return;
    }
    for (unsigned c = 0; c < 2; c++)
        for (uint32_t i = 1; i < col[c].n_text; i++)
            if (puan_label_cmp(col[c].text[i - 1], col[c].text[i]) >= 0)
                abort();
    if (puan_design_lay_out(&out, col, &where, rows, a, &err) != PUAN_OK)
        return;
    for (uint32_t i = 0; i < out.d.n_primary; i++)
        seen += out.d.primary[i].n;
    if (seen != out.d.n_units || seen + out.left_out != rows)
        abort();
    z = puan_new_n(a, out.d.n_units, double);
    for (uint32_t i = 0; z && i < out.d.n_units; i++)
        z[i] = (double)(out.row[i] % 7);
    out.d.lonely = PUAN_LONELY_CENTRE;
    if (!z || puan_design_variance(&v, &out.d, z, a, &err) != PUAN_OK ||
        !(v >= 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_arena a;
    const char *path;
    int fd;

    if (size < 1)
        return 0;
    fd = memfd_create("fuzz", 0);
    if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)(size - 1))
        abort();
    puan_arena_init(&a, &puan_heap);
    path = puan_arena_fmt(&a, "/proc/self/fd/%d", fd);
    if (data[0] % 3 == 0)
        bands(path, &a);
    else if (data[0] % 3 == 1)
        table(path);
    else
        sample(path, &a);
    puan_arena_clear(&a);
    close(fd);
    return 0;
}
