/*
 * Codebooks and rows of frames, written out.
 */
#include "features/frame/show.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/csv.h"
#include "base/json.h"
#include "kit/job/job.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"
#include "kit/sheet/sheet.h"

#define CODES_SHOWN 8
#define ROWS 16384u

static const char *type_name(const struct puan_frame_item *it)
{
    static const char *const names[] = {
        [PUAN_TYPE_CODE] = "code",
        [PUAN_TYPE_INT] = "int",
        [PUAN_TYPE_FIXED] = "fixed",
        [PUAN_TYPE_MONTH] = "month",
        [PUAN_TYPE_DATE] = "date",
        [PUAN_TYPE_AREA] = "area",
        [PUAN_TYPE_TEXT] = "text",
        [PUAN_TYPE_NAME] = "name",
        [PUAN_TYPE_CITIZEN_ID] = "id",
        [PUAN_TYPE_PHONE] = "phone",
        [PUAN_TYPE_POINT] = "point",
        [PUAN_TYPE_FACT] = "fact",
    };

    return it->token ? "token" : names[it->type];
}

/* A value that need not be in the column, as text. */
static void value_text(struct puan_out *o, const struct puan_frame_item *it,
                       int64_t v)
{
    uint64_t stored = (uint64_t)v - (uint64_t)it->base;
    struct puan_frame_item one = *it;

    one.width = 8;
    one.n_states = 0;
    one.data = &stored;
    puan_frames_text(o, &one, 0);
}

static void show_item(FILE *to, const struct puan_frame_item *it,
                      struct puan_arena *a)
{
    struct puan_out o;

    puan_arena_reset(a);
    puan_out_init(&o, a);
    if (it->n_given > 0) {
        value_text(&o, it, it->least);
        puan_out_text(&o, " – ");
        value_text(&o, it, it->most);
    }
    fprintf(to, "  %-16.*s %-6s %2u  %12" PRIu64 "  %-6s  %.*s%s%.*s",
            PUAN_FMT(it->name), type_name(it), it->width, it->n_given,
            it->sorted ? "sorted" : "", PUAN_FMT(puan_out_view(&o)),
            it->zh.n ? "  " : "", PUAN_FMT(it->zh));
    for (size_t i = 0; it->codes && i < it->codes->n && i < CODES_SHOWN; i++)
        fprintf(to, "%s%.*s", i ? " " : "  {", PUAN_FMT(it->codes->codes[i].text));
    if (it->codes)
        fprintf(to, it->codes->n > CODES_SHOWN ? " … %zu}" : "}", it->codes->n);
    fputc('\n', to);
}

void puan_frame_show(FILE *to, const struct puan_frame *f, bool zh)
{
    char digest[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_arena a;

    puan_arena_init(&a, &puan_heap);
    puan_hex(digest, f->digest, PUAN_DIGEST_SIZE);
    fprintf(to, "%s %.*s\n%s %s\n", zh ? "来源" : "source", PUAN_FMT(f->source),
            zh ? "摘要" : "digest", digest);
    for (size_t i = 0; i < f->n_entities; i++) {
        const struct puan_frame_entity *e = &f->entity[i];
        uint64_t bytes = 0;

        for (size_t k = 0; k < e->n_items; k++)
            bytes += e->item[k].width;
        fprintf(to, zh ? "%.*s %" PRIu64 " 行，每行 %" PRIu64 " 字节"
                       : "%.*s %" PRIu64 " rows of %" PRIu64 " bytes",
                PUAN_FMT(e->name), e->rows, bytes);
        if (e->parent >= 0)
            fprintf(to, zh ? "，在 %.*s 之下" : ", within %.*s",
                    PUAN_FMT(f->entity[e->parent].name));
        fputc('\n', to);
        for (size_t k = 0; k < e->n_items; k++)
            show_item(to, &e->item[k], &a);
    }
    puan_arena_clear(&a);
}

static void json_item(struct puan_jw *w, const struct puan_frame_item *it)
{
    puan_jw_map(w);
    puan_jw_kstr(w, "name", it->name);
    if (it->zh.n)
        puan_jw_kstr(w, "zh", it->zh);
    if (it->en.n)
        puan_jw_kstr(w, "en", it->en);
    puan_jw_ktext(w, "type", type_name(it));
    if (it->type == PUAN_TYPE_FIXED)
        puan_jw_kint(w, "places", it->places);
    if (it->type == PUAN_TYPE_AREA)
        puan_jw_kint(w, "digits", it->digits);
    puan_jw_kint(w, "width", it->width);
    puan_jw_kint(w, "given", (int64_t)it->n_given);
    puan_jw_key(w, "sorted");
    puan_jw_bool(w, it->sorted);
    if (it->n_given > 0) {
        struct puan_out o;

        puan_out_init(&o, w->out->arena);
        value_text(&o, it, it->least);
        puan_jw_kstr(w, "least", puan_out_view(&o));
        puan_out_init(&o, w->out->arena);
        value_text(&o, it, it->most);
        puan_jw_kstr(w, "most", puan_out_view(&o));
    }
    if (it->codes) {
        puan_jw_key(w, "codes");
        puan_jw_list(w);
        for (size_t i = 0; i < it->codes->n; i++) {
            const struct puan_code *c = &it->codes->codes[i];

            puan_jw_map(w);
            puan_jw_kstr(w, "code", c->text);
            if (c->zh.n)
                puan_jw_kstr(w, "zh", c->zh);
            if (c->en.n)
                puan_jw_kstr(w, "en", c->en);
            puan_jw_end(w, '}');
        }
        puan_jw_end(w, ']');
    }
    puan_jw_end(w, '}');
}

enum puan_status puan_frame_show_json(struct puan_out *o,
                                      const struct puan_frame *f)
{
    char digest[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_jw w;

    puan_hex(digest, f->digest, PUAN_DIGEST_SIZE);
    puan_jw_init(&w, o);
    puan_jw_map(&w);
    puan_jw_kstr(&w, "source", f->source);
    puan_jw_kstr(&w, "form", f->form);
    puan_jw_ktext(&w, "digest", digest);
    puan_jw_key(&w, "entities");
    puan_jw_list(&w);
    for (size_t i = 0; i < f->n_entities; i++) {
        const struct puan_frame_entity *e = &f->entity[i];

        puan_jw_map(&w);
        puan_jw_kstr(&w, "name", e->name);
        puan_jw_kint(&w, "rows", (int64_t)e->rows);
        if (e->parent >= 0)
            puan_jw_kstr(&w, "within", f->entity[e->parent].name);
        puan_jw_key(&w, "key");
        puan_jw_list(&w);
        for (size_t k = 0; k < e->n_key; k++)
            puan_jw_str(&w, f->entity[f->n_entities - 1].item[e->key[k]].name);
        puan_jw_end(&w, ']');
        puan_jw_key(&w, "items");
        puan_jw_list(&w);
        for (size_t k = 0; k < e->n_items; k++)
            json_item(&w, &e->item[k]);
        puan_jw_end(&w, ']');
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    return puan_arena_check(o->arena, NULL);
}

/* ---- CSV ------------------------------------------------------------------------- */

struct slice {
    struct puan_arena arena;
    struct puan_str text;
};

struct csv_job {
    const struct puan_frame_entity *e;
    struct slice *slice;
    uint64_t from; /* first row of the round */
};

static enum puan_status slice_range(void *arg, uint64_t begin, uint64_t end,
                                    unsigned worker, struct puan_err *err)
{
    struct csv_job *j = arg;

    (void)worker;
    for (uint64_t i = begin; i < end; i++) {
        struct slice *s = &j->slice[i];
        uint64_t row = j->from + i * ROWS, to = row + ROWS;
        struct puan_out o;

        puan_arena_reset(&s->arena);
        puan_out_init(&o, &s->arena);
        to = to < j->e->rows ? to : j->e->rows;
        for (; row < to; row++)
            for (size_t k = 0; k < j->e->n_items; k++) {
                if (k)
                    puan_out_char(&o, ',');
                puan_frames_text(&o, &j->e->item[k], row);
                if (k + 1 == j->e->n_items)
                    puan_out_char(&o, '\n');
            }
        s->text = puan_out_view(&o);
        if (s->arena.failed)
            return puan_arena_check(&s->arena, err);
    }
    return PUAN_OK;
}

enum puan_status puan_frame_to_csv(const char *path,
                                   const struct puan_frame_entity *e,
                                   unsigned threads, struct puan_err *err)
{
    struct csv_job j = { .e = e };
    struct puan_sheet_out *out = NULL;
    struct puan_progress bar;
    size_t slices = 4 * (size_t)(threads ? threads : puan_cores());
    enum puan_status st = puan_sheet_create(&out, path, err);

    if (st != PUAN_OK)
        return st;
    puan_progress_begin(&bar, "写出 writing", e->rows);
    j.slice = calloc(slices, sizeof(*j.slice));
    if (!j.slice)
        st = puan_fail(err, PUAN_ENOMEM, path, "out of memory");
    for (size_t i = 0; j.slice && i < slices; i++)
        puan_arena_init(&j.slice[i].arena, &puan_heap);
    for (size_t k = 0; k < e->n_items; k++)
        puan_sheet_put(out, e->item[k].name);
    puan_sheet_end_row(out);
    for (; st == PUAN_OK && j.from < e->rows; j.from += slices * ROWS) {
        uint64_t left = (e->rows - j.from + ROWS - 1) / ROWS;
        size_t n = left < slices ? (size_t)left : slices;

        st = puan_parallel(threads, n, 1, slice_range, &j, err);
        for (size_t i = 0; st == PUAN_OK && i < n; i++)
            puan_sheet_put_raw(out, j.slice[i].text);
        puan_progress_set(&bar, j.from + n * ROWS);
    }
    puan_progress_end(&bar);
    for (size_t i = 0; j.slice && i < slices; i++)
        puan_arena_clear(&j.slice[i].arena);
    free(j.slice);
    if (st == PUAN_OK)
        return puan_sheet_finish(out, err);
    puan_sheet_abandon(out);
    return st;
}
