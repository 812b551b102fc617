/*
 * The catalogue of clauses: a TSV text as rows.
 */
#include "core/proof/internal.h"

const char *const puan_shows_name[3] = { "open", "shown", "external" };

enum { ID, SYSTEM, KIND, ZH, EN, FIGURE, SHOWS, WHAT, FIELDS };
static const char *const column[FIELDS] = { "id", "system", "kind",  "zh",
                                            "en", "figure", "shows", "what" };
static const char *const kind[] = { "prevent", "detect", "respond", "record",
                                    "score" };

/* Splits a line at tabs; false when there are more or fewer fields. */
static bool fields(struct puan_str out[FIELDS], uint32_t col[FIELDS],
                   struct puan_str line)
{
    struct puan_str rest = line;
    size_t n = 0;

    for (;;) {
        size_t i = 0;

        if (n == FIELDS)
            return false;
        while (i < rest.n && rest.p[i] != '\t')
            i++;
        col[n] = (uint32_t)(rest.p - line.p) + 1;
        out[n++] = (struct puan_str){ rest.p, i };
        if (i == rest.n)
            return n == FIELDS;
        rest = (struct puan_str){ rest.p + i + 1, rest.n - i - 1 };
    }
}

static bool word(struct puan_str s, const char *const *of, size_t n, size_t *at)
{
    for (size_t i = 0; i < n; i++)
        if (puan_str_is(s, of[i])) {
            *at = i;
            return true;
        }
    return false;
}

static enum puan_status row(struct puan_clause *c,
                            const struct puan_clauses *before,
                            struct puan_str line, const char *file,
                            uint32_t number, struct puan_err *err)
{
    struct puan_str f[FIELDS];
    uint32_t col[FIELDS];
    size_t at = 0, source = 0;

    if (!fields(f, col, line))
        return puan_fail_at(err, PUAN_EINVAL, file, number, 1,
                            "a row has %d fields apart by tabs: id system kind "
                            "zh en figure shows what",
                            (int)FIELDS);
    for (size_t i = 0; i <= EN; i++)
        if (f[i].n == 0)
            return puan_fail_at(err, PUAN_EINVAL, file, number, col[i],
                                "the field %s is empty", column[i]);
    if (!puan_utf8_valid(line))
        return puan_fail_at(err, PUAN_EINVAL, file, number, 1,
                            "the row is no UTF-8");
    c->id = f[ID];
    c->system = f[SYSTEM];
    c->kind = f[KIND];
    for (size_t i = 0; i < c->kind.n; i++)
        if (c->kind.p[i] == '+') {
            c->as = (struct puan_str){ c->kind.p + i + 1, c->kind.n - i - 1 };
            c->kind.n = i;
        }
    c->zh = f[ZH];
    c->en = f[EN];
    c->figure = f[FIGURE];
    c->what = f[WHAT];
    c->file = file;
    c->line = number;
    if (!word(c->kind, kind, PUAN_COUNT(kind), &at) ||
        (c->as.n > 0 && !word(c->as, kind, PUAN_COUNT(kind), &at)))
        return puan_fail_at(err, PUAN_EINVAL, file, number, col[KIND],
                            "no kind \"%.*s\"; use prevent, detect, respond, "
                            "record or score; record+prevent for a record "
                            "that blocks",
                            PUAN_FMT(f[KIND]));
    if (!word(f[SHOWS], puan_shows_name, PUAN_COUNT(puan_shows_name), &at))
        return puan_fail_at(err, PUAN_EINVAL, file, number, col[SHOWS],
                            "\"%.*s\" is none of open, shown, external",
                            PUAN_FMT(f[SHOWS]));
    c->shows = (enum puan_shows)at;
    if (c->shows != PUAN_SHOWS_SHOWN && c->what.n == 0)
        return puan_fail_at(err, PUAN_EINVAL, file, number, col[WHAT],
                            c->shows == PUAN_SHOWS_OPEN
                                ? "an open row says which capability will "
                                  "show it"
                                : "an external row says why no software can "
                                  "show it");
    while (source < c->id.n && c->id.p[source] != '-')
        source++;
    c->source = (struct puan_str){ c->id.p, source };
    if (puan_clauses_get(before, c->id) != NULL)
        return puan_fail_at(err, PUAN_EINVAL, file, number, 1,
                            "the clause \"%.*s\" stands twice",
                            PUAN_FMT(c->id));
    return PUAN_OK;
}

enum puan_status puan_clauses_read(struct puan_clauses *out,
                                   struct puan_str text, const char *file,
                                   struct puan_str pack, struct puan_arena *a,
                                   struct puan_err *err)
{
    struct puan_str rest = text, line;
    struct puan_clause *list;
    uint32_t number = 0;
    size_t lines = 1;

    *out = (struct puan_clauses){ 0 };
    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    list = puan_new_n(a, lines, struct puan_clause);
    if (list == NULL)
        return puan_arena_check(a, err);
    out->list = list;
    while (puan_str_split(&line, &rest, '\n')) {
        number++;
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (number == 1) {
            struct puan_str f[FIELDS];
            uint32_t col[FIELDS];
            bool good = fields(f, col, line);

            for (size_t i = 0; good && i < FIELDS; i++)
                good = puan_str_is(f[i], column[i]);
            if (!good)
                return puan_fail_at(err, PUAN_EINVAL, file, 1, 1,
                                    "the first line names the columns, apart "
                                    "by tabs: id system kind zh en figure "
                                    "shows what");
            continue;
        }
        if (line.n == 0)
            continue;
        TRY(row(&list[out->n], out, line, file, number, err));
        list[out->n++].pack = pack;
    }
    if (number == 0)
        return puan_fail_at(err, PUAN_EINVAL, file, 1, 1, "the file is empty");
    return PUAN_OK;
}

const struct puan_clause *puan_clauses_get(const struct puan_clauses *c,
                                           struct puan_str id)
{
    for (size_t i = 0; i < c->n; i++)
        if (puan_str_eq(c->list[i].id, id))
            return &c->list[i];
    return NULL;
}
