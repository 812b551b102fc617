/* Columns that are texts because of a few cells (doubt.h). */
#include "features/frame/doubt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/csv.h"
#include "core/codes/codes.h"
#include "features/frame/internal.h"
#include "kit/os/heap.h"

#define DOUBTS 8
#define LEAST 20 /* cells of a column that is judged at all */

enum kind { NUMBER, MONTH, DATE, TEXT, KINDS };

static enum kind kind_of(struct puan_str s)
{
    int64_t v;
    size_t i = s.n > 1 && s.p[0] == '-';

    while (i < s.n && (unsigned char)(s.p[i] - '0') <= 9)
        i++;
    if ((s.n > 0 && i == s.n && s.p[s.n - 1] != '-') ||
        puan_fixed_parse(&v, s, 9))
        return NUMBER;
    return puan_month_parse(&v, s)  ? MONTH
           : puan_day_parse(&v, s) ? DATE
                                    : TEXT;
}

/* How many rows hold each code; NULL: out of memory. */
static uint64_t *rows_of_codes(const struct puan_frame_item *it, uint64_t rows)
{
    uint64_t *count = calloc(it->codes->n + 1, sizeof(*count));

    for (uint64_t r = 0; count && r < rows; r++) {
        uint64_t s = puan_frame_stored(it, r);

        if (s < it->stop && s + (uint64_t)it->base < it->codes->n)
            count[s + (uint64_t)it->base]++;
    }
    return count;
}

/* Whether nearly all cells of a list are of one kind, but no texts. */
static bool doubtful(struct puan_frames_doubt *d, enum kind *usual,
                     const struct puan_frame_item *it, uint64_t rows)
{
    static const char *const names[KINDS] = { "number", "month", "date", "" };
    uint64_t n[KINDS] = { 0 }, *count;
    size_t different = 0;

    /* looked at by its list first: only then are rows counted */
    for (size_t i = 0; i < it->codes->n; i++)
        different += kind_of(it->codes->codes[i].text) != TEXT;
    if (2 * different < it->codes->n || it->n_given < LEAST)
        return false;
    count = rows_of_codes(it, rows);
    for (size_t i = 0; count && i < it->codes->n; i++)
        n[kind_of(it->codes->codes[i].text)] += count[i];
    free(count);
    *usual = NUMBER;
    for (enum kind k = MONTH; k < TEXT; k++)
        if (n[k] > n[*usual])
            *usual = k;
    d->item = it->name;
    d->kind = names[*usual];
    d->given = it->n_given;
    d->amiss = it->n_given - n[*usual];
    return d->amiss > 0 &&
           (double)d->amiss <= PUAN_DOUBT_SHARE * (double)d->given;
}

/* Goes through a file until the first bad cell of every column is found. */
static size_t look_in(struct puan_frames_doubt *d, const enum kind *usual,
                      size_t n, const char *path, struct puan_str missing,
                      struct puan_arena *a)
{
    struct puan_map map = { .bytes = { "", 0 } };
    struct puan_arena own, row;
    struct puan_csv csv;
    size_t left = 0;
    int at[DOUBTS];
    bool more = true;

    for (size_t i = 0; i < n; i++)
        left += d[i].file == NULL;
    if (left == 0 || puan_map_open(&map, path, NULL) != PUAN_OK)
        return left;
    puan_arena_init(&own, &puan_heap);
    puan_arena_init(&row, &puan_heap);
    if (puan_csv_open(&csv, map.bytes, path, &own, &row, NULL) != PUAN_OK)
        more = false;
    for (size_t i = 0; more && i < n; i++) {
        at[i] = -1;
        for (size_t c = 0; c < csv.n; c++)
            if (puan_str_eq(puan_str_trim(csv.header[c]), d[i].item))
                at[i] = (int)c;
    }
    while (more && left > 0 && puan_csv_next(&more, &csv, NULL) == PUAN_OK &&
           more)
        for (size_t i = 0; i < n; i++) {
            struct puan_str s;

            if (d[i].file || at[i] < 0)
                continue;
            s = puan_str_trim(csv.field[at[i]]);
            if (s.n == 0 || (missing.n && puan_str_eq(s, missing)) ||
                kind_of(s) == usual[i])
                continue;
            d[i].file = path;
            d[i].line = csv.line;
            d[i].column = (uint32_t)at[i] + 1;
            d[i].text = puan_arena_keep(a, s);
            left--;
        }
    puan_arena_clear(&row);
    puan_arena_clear(&own);
    puan_map_close(&map);
    return left;
}

size_t puan_frames_doubts(struct puan_frames_doubt *out, size_t most,
                          const struct puan_frames *f, const char *const *paths,
                          size_t n, const struct puan_frames_options *opt,
                          struct puan_arena *a)
{
    const struct puan_frame_entity *e =
        &f->frame.entity[f->frame.n_entities - 1];
    struct puan_str missing = opt ? opt->missing : PUAN_STR("");
    enum kind usual[DOUBTS];
    size_t k = 0;

    if (!f->from_csv)
        return 0;
    for (size_t c = 0; c < e->n_items && k < most && k < DOUBTS; c++) {
        out[k] = (struct puan_frames_doubt){ .file = NULL };
        if (e->item[c].type == PUAN_TYPE_CODE && e->item[c].codes &&
            doubtful(&out[k], &usual[k], &e->item[c], e->rows))
            k++;
    }
    for (size_t i = 0; k > 0 && i < n; i++)
        if (look_in(out, usual, k, paths[i], missing, a) == 0)
            break;
    return k;
}

void puan_frames_warn(const char *command, const struct puan_frames *f,
                      const char *const *paths, size_t n,
                      const struct puan_frames_options *opt)
{
    struct puan_frames_doubt d[DOUBTS];
    struct puan_arena a;
    size_t k;

    puan_arena_init(&a, &puan_heap);
    k = puan_frames_doubts(d, DOUBTS, f, paths, n, opt, &a);
    for (size_t i = 0; i < k; i++) {
        fprintf(stderr, "puan %s: ", command);
        if (d[i].file)
            fprintf(stderr, "%s:%u: column %u (%.*s) has \"%.*s\": ", d[i].file,
                    d[i].line, d[i].column, PUAN_FMT(d[i].item),
                    PUAN_FMT(d[i].text));
        else
            fprintf(stderr, "column %.*s: ", PUAN_FMT(d[i].item));
        fprintf(stderr,
                "%" PRIu64 " of %" PRIu64 " cells are no %s, so all of them "
                "are taken for texts; mend them, or say with --missing which "
                "text means no answer\n",
                d[i].amiss, d[i].given, d[i].kind);
    }
    puan_arena_clear(&a);
}
