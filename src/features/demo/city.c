/*
 * The simulated field as documents; see city.h.
 */
#include "features/demo/city.h"

#include <stdlib.h>

#include "base/calendar.h"
#include "base/json.h"
#include "kit/os/os.h"

struct puan_city {
    const struct puan_form *form;
    struct puan_arena arena;
    struct puan_sheet *visits;
    struct puan_sheet *sheet[PUAN_CITY_ROSTERS]; /* NULL: no such file */
    struct puan_visit *visit;
    size_t n, cap;
};

static enum puan_status key_of(int64_t *key, const struct puan_sheet *s,
                               int column, struct puan_err *err)
{
    const struct puan_csv *row = puan_sheet_row(s);

    if (!puan_int_parse(key, row->field[column]))
        return puan_fail_at(err, PUAN_EINVAL, row->file, row->line, 0,
                            "'%.*s' is not a household key",
                            PUAN_FMT(row->field[column]));
    return PUAN_OK;
}

/* Texts repeat (modes, devices of one enumerator): keep the last one met. */
static struct puan_str keep(struct puan_city *c, struct puan_str last,
                            struct puan_str s)
{
    if (puan_str_eq(last, s))
        return last;
    return (struct puan_str){ puan_arena_dup(&c->arena, s), s.n };
}

static enum puan_status read_visits(struct puan_city *c, struct puan_err *err)
{
    static const char *const names[] = { "household", "ea",      "mode",
                                         "staff",     "device",  "counter",
                                         "started",   "finished", "signed" };
    enum { KEY, EA, MODE, STAFF, DEVICE, COUNTER, STARTED, FINISHED, SIGNED };
    struct puan_visit last = { 0 };
    int col[PUAN_COUNT(names)];
    bool more;

    for (size_t i = 0; i < PUAN_COUNT(names); i++) {
        enum puan_status st =
            puan_sheet_need(&col[i], c->visits, names[i], err);

        if (st != PUAN_OK)
            return st;
    }
    for (;;) {
        enum puan_status st = puan_sheet_next(&more, c->visits, err);
        const struct puan_csv *row = puan_sheet_row(c->visits);
        struct puan_visit v = { 0 };
        int64_t counter;

        if (st != PUAN_OK || !more)
            return st;
        if (!puan_int_parse(&v.household, row->field[col[KEY]]) ||
            !puan_int_parse(&v.ea, row->field[col[EA]]) ||
            !puan_int_parse(&counter, row->field[col[COUNTER]]) ||
            !puan_instant_parse(&v.finished_ms, row->field[col[FINISHED]]))
            return puan_fail_at(err, PUAN_EINVAL, row->file, row->line, 0,
                                "a visit needs whole numbers for household, ea "
                                "and counter and a time for finished");
        if (c->n && v.household <= last.household)
            return puan_fail_at(err, PUAN_EINVAL, row->file, row->line, 0,
                                "households must come in rising order");
        v.counter = (uint64_t)counter;
        v.mode = keep(c, last.mode, row->field[col[MODE]]);
        v.staff = keep(c, last.staff, row->field[col[STAFF]]);
        v.device = keep(c, last.device, row->field[col[DEVICE]]);
        v.started = keep(c, (struct puan_str){ 0 }, row->field[col[STARTED]]);
        v.finished =
            keep(c, (struct puan_str){ 0 }, row->field[col[FINISHED]]);
        v.is_signed = puan_str_is(row->field[col[SIGNED]], "1") ||
                      puan_str_is(row->field[col[SIGNED]], "true");
        if (c->n == c->cap) {
            size_t cap = c->cap ? c->cap * 2 : 4096;
            struct puan_visit *p = realloc(c->visit, cap * sizeof(*p));

            if (p == NULL)
                return puan_fail(err, PUAN_ENOMEM, row->file, "out of memory");
            c->visit = p;
            c->cap = cap;
        }
        c->visit[c->n++] = v;
        last = v;
        if (c->arena.failed)
            return puan_arena_check(&c->arena, err);
    }
}

/* Walks one file beside the visits; both are in order of the key. */
static enum puan_status index_file(struct puan_city *c, size_t file,
                                   struct puan_err *err)
{
    struct puan_sheet *s = c->sheet[file];
    struct puan_sheet_mark mark;
    size_t i = 0;
    int column;
    enum puan_status st = puan_sheet_need(&column, s, "household", err);
    bool more;

    while (st == PUAN_OK) {
        int64_t key;

        mark = puan_sheet_tell(s);
        st = puan_sheet_next(&more, s, err);
        if (st != PUAN_OK || !more)
            return st;
        st = key_of(&key, s, column, err);
        if (st != PUAN_OK)
            return st;
        while (i < c->n && c->visit[i].household < key)
            i++;
        if (i == c->n || c->visit[i].household != key)
            return puan_fail_at(err, PUAN_EINVAL, puan_sheet_row(s)->file,
                                puan_sheet_row(s)->line, 0,
                                "household %lld has no visit, or the rows are "
                                "not in the visits' order",
                                (long long)key);
        if (c->visit[i].rows[file]++ == 0)
            c->visit[i].at[file] = mark;
    }
    return st;
}

enum puan_status puan_city_open(struct puan_city **out, const char *folder,
                                const struct puan_form *form,
                                struct puan_err *err)
{
    struct puan_city *c = calloc(1, sizeof(*c));
    enum puan_status st;

    if (c == NULL)
        return puan_fail(err, PUAN_ENOMEM, folder, "out of memory");
    c->form = form;
    puan_arena_init(&c->arena, puan_os_alloc());
    st = puan_sheet_open(&c->visits,
                         puan_arena_fmt(&c->arena, "%s/visit.csv", folder),
                         err);
    if (st == PUAN_OK)
        st = read_visits(c, err);
    for (size_t i = 0; st == PUAN_OK && i < form->n_entities; i++) {
        const char *path = puan_arena_fmt(&c->arena, "%s/%.*s.csv", folder,
                                          PUAN_FMT(form->entity[i].name));

        if (i > 0 && !puan_file_exists(path))
            continue;
        st = puan_sheet_open(&c->sheet[i], path, err);
        if (st == PUAN_OK)
            st = index_file(c, i, err);
    }
    if (st != PUAN_OK) {
        puan_city_close(c);
        return st;
    }
    *out = c;
    return PUAN_OK;
}

void puan_city_close(struct puan_city *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < PUAN_CITY_ROSTERS; i++)
        puan_sheet_close(c->sheet[i]);
    puan_sheet_close(c->visits);
    puan_arena_clear(&c->arena);
    free(c->visit);
    free(c);
}

size_t puan_city_n(const struct puan_city *c)
{
    return c->n;
}

const struct puan_visit *puan_city_visit(const struct puan_city *c, size_t i)
{
    return &c->visit[i];
}

const struct puan_visit *puan_city_find(const struct puan_city *c,
                                        int64_t household)
{
    size_t lo = 0, hi = c->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (c->visit[mid].household < household)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < c->n && c->visit[lo].household == household ? &c->visit[lo]
                                                            : NULL;
}

uint32_t puan_visit_persons(const struct puan_visit *v)
{
    return v->rows[1];
}

enum puan_status puan_city_reader_open(struct puan_city_reader *r,
                                       const struct puan_city *c,
                                       struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    *r = (struct puan_city_reader){ .city = c };
    for (size_t i = 0; st == PUAN_OK && i < PUAN_CITY_ROSTERS; i++)
        if (c->sheet[i])
            st = puan_sheet_clone(&r->sheet[i], c->sheet[i], err);
    if (st != PUAN_OK)
        puan_city_reader_close(r);
    return st;
}

void puan_city_reader_close(struct puan_city_reader *r)
{
    for (size_t i = 0; i < PUAN_CITY_ROSTERS; i++) {
        puan_sheet_close(r->sheet[i]);
        r->sheet[i] = NULL;
    }
}

/* One CSV row as a JSON map; "!" and "!reason" are missing answers. */
static void write_row(struct puan_jw *w, const struct puan_csv *row)
{
    puan_jw_map(w);
    for (size_t i = 0; i < row->n; i++) {
        struct puan_str f = row->field[i];

        if (f.n == 0 || puan_str_is(f, "!") ||
            puan_str_is(row->header[i], "household"))
            continue;
        puan_jw_key_s(w, row->header[i]);
        if (f.p[0] == '!') {
            puan_jw_map(w);
            puan_jw_kstr(w, "missing", (struct puan_str){ f.p + 1, f.n - 1 });
            puan_jw_end(w, '}');
        } else {
            puan_jw_str(w, f);
        }
    }
    puan_jw_end(w, '}');
}

enum puan_status puan_city_document(struct puan_out *out,
                                    struct puan_city_reader *r,
                                    const struct puan_visit *v,
                                    const struct puan_sending *s,
                                    struct puan_err *err)
{
    const struct puan_form *form = r->city->form;
    char key[24];
    struct puan_jw w;
    bool more;

    puan_jw_init(&w, out);
    puan_jw_map(&w);
    puan_jw_kstr(&w, "form", form->id);
    puan_format(key, sizeof(key), "%lld", (long long)v->household);
    puan_jw_ktext(&w, "household", key);
    puan_jw_kint(&w, "base", s->base);
    puan_jw_kstr(&w, "device", s->device);
    puan_jw_kint(&w, "counter", (int64_t)s->counter);
    puan_jw_kstr(&w, "mode", s->mode.n ? s->mode : v->mode);
    puan_jw_kstr(&w, "started", v->started);
    puan_jw_kstr(&w, "finished", v->finished);
    puan_jw_kbool(&w, "signed", v->is_signed);
    if (s->query.n)
        puan_jw_kstr(&w, "query", s->query);
    if (s->confirm.n) {
        puan_jw_key(&w, "confirm");
        puan_jw_raw(&w, s->confirm);
    }
    for (size_t i = 0; i < form->n_entities; i++) {
        struct puan_sheet *sheet = r->sheet[i];

        if (i > 0 && v->rows[i] == 0)
            continue;
        if (i == 0) {
            puan_jw_key(&w, "answers");
        } else {
            puan_jw_key_s(&w, form->entity[i].name);
            puan_jw_list(&w);
        }
        if (v->rows[i] == 0) {
            puan_jw_map(&w);
            puan_jw_end(&w, '}');
        } else {
            puan_sheet_seek(sheet, v->at[i]);
        }
        for (uint32_t k = 0; k < v->rows[i]; k++) {
            enum puan_status st = puan_sheet_next(&more, sheet, err);

            if (st != PUAN_OK || !more)
                return st != PUAN_OK
                           ? st
                           : puan_fail(err, PUAN_EBUG, "city", "row gone");
            write_row(&w, puan_sheet_row(sheet));
        }
        if (i > 0)
            puan_jw_end(&w, ']');
    }
    puan_jw_end(&w, '}');
    return puan_arena_check(out->arena, err);
}
