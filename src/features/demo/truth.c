/*
 * The truth of the simulated area; see truth.h.
 */
#include "features/demo/truth.h"

#include <stdlib.h>

#include "kit/db/db.h"
#include "kit/os/os.h"
#include "kit/sheet/sheet.h"

static const char *const columns[] = {
    "row",           "county",     "household",      "line",
    "township",      "stay",       "registration",   "left",
    "case",          "resident",   "age",            "sex",
    "education",     "person",     "other_household", "other_line",
    "fault",         "kind",       "item",           "true_value",
    "planted_value", "delta_resident", "detectable"
};
#define N PUAN_COUNT(columns)
enum {
    ROW,
    HOUSEHOLD = 2,
    LINE = 3,
    OTHER_HOUSEHOLD = 14,
    OTHER_LINE,
    FAULT,
    KIND,
    DELTA = 21,
    DETECTABLE
};

static int64_t number(struct puan_str s)
{
    int64_t v;

    return puan_int_parse(&v, s) ? v : 0;
}

static enum puan_status keep_fault(struct puan_true_state *t,
                                   const struct puan_csv *row, const int *col,
                                   struct puan_err *err)
{
    struct puan_fault *f;
    struct puan_str s;

    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 1024;

        f = realloc(t->fault, cap * sizeof(*f));
        if (f == NULL)
            return puan_fail(err, PUAN_ENOMEM, row->file, "out of memory");
        t->fault = f;
        t->cap = cap;
    }
    f = &t->fault[t->n++];
    *f = (struct puan_fault){ 0 };
    f->id = number(row->field[col[FAULT]]);
    f->household = number(row->field[col[HOUSEHOLD]]);
    f->line = (uint32_t)number(row->field[col[LINE]]);
    f->other_household = number(row->field[col[OTHER_HOUSEHOLD]]);
    f->other_line = (uint32_t)number(row->field[col[OTHER_LINE]]);
    f->delta = number(row->field[col[DELTA]]);
    s = row->field[col[KIND]];
    f->kind = (struct puan_str){ puan_arena_dup(&t->arena, s), s.n };
    s = row->field[col[DETECTABLE]];
    f->detectable = (struct puan_str){ puan_arena_dup(&t->arena, s), s.n };
    return puan_arena_check(&t->arena, err);
}

/* All rows into the oracle's table, as the text they are. */
static enum puan_status load(struct puan_true_state *t, struct puan_db *db,
                             const char *csv, struct puan_err *err)
{
    static const char insert[] =
        "INSERT INTO truth VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,"
        "$14,$15,$16,$17,$18,$19,$20,$21,$22,$23)";
    struct puan_sheet *sheet = NULL;
    const struct puan_csv *row;
    int col[N];
    bool more = true;
    enum puan_status st = puan_sheet_open(&sheet, csv, err);

    for (size_t i = 0; st == PUAN_OK && i < N; i++)
        st = puan_sheet_need(&col[i], sheet, columns[i], err);
    if (st == PUAN_OK)
        st = puan_db_begin(db, err);
    while (st == PUAN_OK) {
        struct puan_stmt *s;

        st = puan_sheet_next(&more, sheet, err);
        if (st != PUAN_OK || !more)
            break;
        row = puan_sheet_row(sheet);
        st = puan_sql(&s, db, insert, err);
        if (st != PUAN_OK)
            break;
        for (size_t i = 0; i < N; i++) {
            struct puan_str f = row->field[col[i]];

            puan_bind_text(s, (int)i + 1, f);
        }
        st = puan_stmt_once(s, err);
        if (st == PUAN_OK && puan_str_is(row->field[col[ROW]], "fault"))
            st = keep_fault(t, row, col, err);
    }
    if (st == PUAN_OK)
        st = puan_db_commit(db, err);
    puan_sheet_close(sheet);
    return st;
}

/* Its first row is resident_truth; the value stands in the third column. */
static enum puan_status ask_oracle(int64_t *out, struct puan_db *db,
                                   const char *sql, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st = puan_sql(&s, db, sql, err);

    if (st == PUAN_OK)
        st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK &&
        (!more || !puan_str_is(puan_col_text(s, 0), "resident_truth")))
        st = puan_fail(err, PUAN_EINVAL, "oracle",
                       "the first row is not resident_truth");
    if (st == PUAN_OK)
        *out = puan_col_int(s, 2);
    puan_stmt_done(s);
    return st;
}

static int by_household(const void *a, const void *b)
{
    const struct puan_fault *x = a, *y = b;

    if (x->household != y->household)
        return x->household < y->household ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

enum puan_status puan_true_open(struct puan_true_state *t, const char *csv,
                                 const char *oracle, const char *scratch,
                                 struct puan_err *err)
{
    struct puan_out ddl;
    struct puan_db *db = NULL;
    struct puan_str sql;
    enum puan_status st;

    *t = (struct puan_true_state){ 0 };
    puan_arena_init(&t->arena, puan_os_alloc());
    puan_out_init(&ddl, &t->arena);
    puan_out_text(&ddl, "CREATE TABLE truth(");
    for (size_t i = 0; i < N; i++)
        puan_out_fmt(&ddl, "%s\"%s\" TEXT", i ? "," : "", columns[i]);
    puan_out_text(&ddl, ");");
    st = puan_file_read(&sql, oracle, 1 << 20, &t->arena, err);
    if (st == PUAN_OK)
        st = puan_db_open(&db, puan_arena_fmt(&t->arena, "sqlite:%s", scratch),
                          PUAN_DB_CREATE, err);
    if (st == PUAN_OK)
        st = puan_db_exec(db, ddl.p, err);
    if (st == PUAN_OK)
        st = load(t, db, csv, err);
    if (st == PUAN_OK)
        st = ask_oracle(&t->resident, db, sql.p, err);
    puan_db_close(db);
    for (size_t i = 0; i < 3; i++) {
        static const char *const suffix[] = { "", "-wal", "-shm" };

        (void)!puan_file_remove(
            puan_arena_fmt(&t->arena, "%s%s", scratch, suffix[i]), NULL);
    }
    if (st != PUAN_OK) {
        puan_true_close(t);
        return st;
    }
    if (t->n)
        qsort(t->fault, t->n, sizeof(*t->fault), by_household);
    return PUAN_OK;
}

void puan_true_close(struct puan_true_state *t)
{
    free(t->fault);
    t->fault = NULL;
    t->n = t->cap = 0;
    puan_arena_clear(&t->arena);
}

struct puan_fault *puan_true_of(struct puan_true_state *t, int64_t household)
{
    size_t lo = 0, hi = t->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (t->fault[mid].household < household)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < t->n && t->fault[lo].household == household ? &t->fault[lo]
                                                            : NULL;
}

void puan_true_answered(struct puan_true_state *t, int64_t household)
{
    struct puan_fault *f = puan_true_of(t, household);

    for (; f && f < t->fault + t->n && f->household == household; f++)
        f->closed = true;
}

int64_t puan_true_open_delta(const struct puan_true_state *t)
{
    int64_t sum = 0;

    for (size_t i = 0; i < t->n; i++)
        sum += t->fault[i].closed ? 0 : t->fault[i].delta;
    return sum;
}
