/*
 * Reading simulate/spec.yaml of a plan pack and the margins table it names.
 * Format: SPEC.md.  Knows concepts (what a person is, has, does), never the
 * items or codes of a country.
 */
#include "features/simulate/sim.h"

#include "base/calendar.h"
#include "base/csv.h"
#include "kit/os/os.h"
#include "kit/yaml/yaml.h"

static const struct {
    const char *name;
    enum sim_entity entity;
    const char *value[SIM_VALUES];
} concepts[SIM_CONCEPTS] = {
    [SIM_TYPE] = { "type", SIM_HOUSEHOLD, { "family", "collective" } },
    [SIM_PRESENT] = { "present", SIM_HOUSEHOLD },
    [SIM_ABSENT] = { "absent", SIM_HOUSEHOLD },
    [SIM_PERSONS] = { "persons", SIM_HOUSEHOLD },
    [SIM_BIRTHS_MALE] = { "births_male", SIM_HOUSEHOLD },
    [SIM_BIRTHS_FEMALE] = { "births_female", SIM_HOUSEHOLD },
    [SIM_BIRTHS] = { "births", SIM_HOUSEHOLD },
    [SIM_DEATHS_MALE] = { "deaths_male", SIM_HOUSEHOLD },
    [SIM_DEATHS_FEMALE] = { "deaths_female", SIM_HOUSEHOLD },
    [SIM_DEATHS] = { "deaths", SIM_HOUSEHOLD },
    [SIM_DWELLING] = { "dwelling",
                       SIM_HOUSEHOLD,
                       { "ordinary", "collective", "workplace", "other",
                         "none" } },
    [SIM_FLOOR_AREA] = { "floor_area", SIM_HOUSEHOLD },
    [SIM_ROOMS] = { "rooms", SIM_HOUSEHOLD },
    [SIM_NAME] = { "name", SIM_PERSON },
    [SIM_RELATION] = { "relation",
                       SIM_PERSON,
                       { "head", "spouse", "child", "parent", "parent_in_law",
                         "grandparent", "child_in_law", "grandchild",
                         "sibling", "other" } },
    [SIM_ID_NUMBER] = { "id_number", SIM_PERSON },
    [SIM_SEX] = { "sex", SIM_PERSON, { "male", "female" } },
    [SIM_BIRTH_MONTH] = { "birth_month", SIM_PERSON },
    [SIM_BIRTH_YEAR] = { "birth_year", SIM_PERSON },
    [SIM_AGE] = { "age", SIM_PERSON },
    [SIM_ETHNIC] = { "ethnic", SIM_PERSON },
    [SIM_STAY] = { "stay",
                   SIM_PERSON,
                   { "here", "other_area", "other_village", "other_township",
                     "other_county", "special", "abroad" } },
    [SIM_STAY_COUNTY] = { "stay_county", SIM_PERSON },
    [SIM_REGISTRATION] = { "registration",
                           SIM_PERSON,
                           { "here", "near", "other_township", "other_county",
                             "pending" } },
    [SIM_REGISTRATION_COUNTY] = { "registration_county", SIM_PERSON },
    [SIM_LEFT_SINCE] = { "left", SIM_PERSON },
    [SIM_LEFT_REASON] = { "left_reason", SIM_PERSON },
    [SIM_EDUCATION] = { "education", SIM_PERSON },
    [SIM_LITERATE] = { "literate", SIM_PERSON, { "yes", "no" } },
    [SIM_MARITAL] = { "marital",
                      SIM_PERSON,
                      { "never", "married", "divorced", "widowed" } },
    [SIM_DEATH_MONTH] = { "death_month", SIM_DEATH },
    [SIM_CARD] = { "card", SIM_PERSON },
    [SIM_CONSTANT] = { "constant", SIM_PERSON },
    [SIM_WORD] = { "word", SIM_PERSON },
};

static const char *const entity_names[SIM_ENTITIES] = { "household", "person",
                                                        "death" };
static const char *const rate_names[SIM_RATES] = {
    [SIM_RATE_NEAR] = "near",
    [SIM_RATE_PENDING] = "pending",
    [SIM_RATE_AWAY_SHORT] = "away_short",
    [SIM_RATE_ABROAD] = "abroad",
    [SIM_RATE_VISITING_SHORT] = "visiting_short",
    [SIM_RATE_AWAY_LONG] = "away_long",
    [SIM_RATE_AWAY_SHORT_OUTSIDE] = "away_short_outside",
    [SIM_RATE_SAME_PREFECTURE] = "same_prefecture",
    [SIM_RATE_ID_MISSING] = "id_missing",
    [SIM_RATE_DEATHS] = "deaths",
    [SIM_RATE_INFANT_DEATHS] = "infant_deaths",
    [SIM_RATE_VACANT] = "vacant",
    [SIM_RATE_SELF] = "self",
    [SIM_RATE_LISTING_DIFFERS] = "listing_differs",
    [SIM_RATE_REGISTER_MISSING] = "register_missing",
    [SIM_RATE_REGISTER_DEAD] = "register_dead",
    [SIM_RATE_REGISTER_UNKNOWN] = "register_unknown",
    [SIM_RATE_AREA_HOUSEHOLDS] = "area_households",
};
static const char *const op_names[] = { "set",   "clear", "missing",
                                        "digit", "short", "date",
                                        "month", "add",   "same" };

/* What the loading functions share. */
struct loading {
    struct sim_spec *s;
    struct puan_arena *a;
    struct puan_err *err;
};

#define ONLY(L, node, ...)                                                     \
    puan_node_only(node, (const char *const[]){ __VA_ARGS__, NULL }, (L)->err)

int64_t sim_step(const struct sim_weighted *step, unsigned n, int age)
{
    int64_t w = 0;

    for (unsigned i = 0; i < n && step[i].from <= age; i++)
        w = step[i].weight;
    return w;
}

int64_t sim_cell(const struct sim_area_row *r, int column)
{
    int64_t v = 0;

    if (column < 0 || !puan_int_parse(&v, r->field[column]))
        return 0;
    return v;
}

int64_t sim_cell_100(const struct sim_area_row *r, int column)
{
    int64_t v = 0;
    struct puan_str f;

    if (column < 0)
        return 0;
    f = r->field[column];
    for (size_t i = 0; i + 3 < f.n; i++) /* at most two decimals */
        if (f.p[i] == '.')
            f.n = i + 3;
    if (!puan_fixed_parse(&v, f, 2))
        return 0;
    return v;
}

struct puan_str sim_spec_field(const struct sim_spec *s,
                               const struct sim_area_row *r,
                               struct puan_str column)
{
    for (size_t i = 0; i < s->n_columns && column.n > 0; i++)
        if (puan_str_eq(s->column[i], column))
            return r->field[i];
    return PUAN_STR("");
}

const struct sim_area_row *sim_spec_area(const struct sim_spec *s,
                                         int64_t code)
{
    size_t lo = 0, hi = s->n_areas;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (s->area[mid].code < code)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < s->n_areas && s->area[lo].code == code ? &s->area[lo] : NULL;
}

static enum puan_status node_number(int64_t *out, const struct puan_node *n,
                                    struct puan_err *err)
{
    if (n == NULL || n->kind != PUAN_NODE_SCALAR ||
        !puan_int_parse(out, n->text))
        return puan_node_fail(n, err, "expected a whole number");
    return PUAN_OK;
}

static enum puan_status column_of(int *out, const struct loading *l,
                                  const struct puan_node *n)
{
    *out = -1;
    if (n == NULL || n->kind == PUAN_NODE_NULL)
        return PUAN_OK;
    for (size_t i = 0; i < l->s->n_columns; i++)
        if (puan_str_eq(l->s->column[i], n->text)) {
            *out = (int)i;
            return PUAN_OK;
        }
    return puan_node_fail(n, l->err, "the margins have no column \"%.*s\"",
                          PUAN_FMT(n->text));
}

/* Words of a text, separated by spaces. */
static void words(const struct puan_str **out, size_t *n, struct puan_str text,
                  struct puan_arena *a)
{
    struct puan_str *w;
    size_t count = 0;

    w = puan_new_n(a, text.n / 2 + 1, struct puan_str);
    if (w == NULL)
        return;
    for (size_t i = 0; i < text.n;) {
        size_t b;

        while (i < text.n && text.p[i] == ' ')
            i++;
        b = i;
        while (i < text.n && text.p[i] != ' ')
            i++;
        if (i > b)
            w[count++] = (struct puan_str){ text.p + b, i - b };
    }
    *out = w;
    *n = count;
}

static enum puan_status load_levels(const struct loading *l,
                                    const struct puan_node *top)
{
    struct sim_spec *s = l->s;
    const struct puan_node *list = puan_node_get(top, "levels");
    struct puan_str shard, near;
    enum puan_status st = PUAN_OK;
    bool have_shard = false;

    if ((st = puan_node_str(&shard, top, "shard", l->err)) != PUAN_OK)
        return st;
    near = puan_node_str_opt(top, "near_level", "");
    PUAN_NODE_EACH(c, list)
    {
        struct sim_level *v = &s->level[s->n_levels];
        int64_t digits;

        if (s->n_levels == SIM_LEVELS)
            return puan_node_fail(c, l->err, "more than %d levels", SIM_LEVELS);
        if ((st = ONLY(l, c, "level", "digits", "column", "column_en", "areas", "first",
                       "split", "zh", "en", "part_zh", "merged_zh")) != PUAN_OK ||
            (st = puan_node_str(&v->name, c, "level", l->err)) != PUAN_OK ||
            (st = puan_node_int(&digits, c, "digits", 0, 18, l->err)) !=
                PUAN_OK)
            return st;
        v->digits = (unsigned)digits;
        v->column = puan_node_str_opt(c, "column", "");
        v->column_en = puan_node_str_opt(c, "column_en", "");
        v->zh = puan_node_str_opt(c, "zh", "{n}");
        v->en = puan_node_str_opt(c, "en", "{n}");
        v->part_zh = puan_node_str_opt(c, "part_zh", "{name} {n}");
        v->merged_zh = puan_node_str_opt(c, "merged_zh", "{name} +{n}");
        v->areas = 1;
        v->first = 1;
        v->split = 0;
        if (puan_node_get(c, "areas") != NULL &&
            (st = puan_node_int(&v->areas, c, "areas", 1, 1000000, l->err)) !=
                PUAN_OK)
            return st;
        if (puan_node_get(c, "first") != NULL &&
            (st = puan_node_int(&v->first, c, "first", 0, 999999, l->err)) !=
                PUAN_OK)
            return st;
        if (puan_node_get(c, "split") != NULL &&
            (st = puan_node_int(&v->split, c, "split", 0, 999999, l->err)) !=
                PUAN_OK)
            return st;
        if (s->n_levels > 0 && v->digits <= s->level[s->n_levels - 1].digits)
            return puan_node_fail(c, l->err,
                                  "digits must rise from level to level");
        if (puan_str_eq(v->name, shard)) {
            s->shard = s->n_levels;
            have_shard = true;
        }
        if (puan_str_eq(v->name, near))
            s->near = s->n_levels;
        s->n_levels++;
    }
    if (!have_shard || s->shard + 1 >= s->n_levels)
        return puan_node_fail(top, l->err,
                              "shard \"%.*s\" must be a level above the last",
                              PUAN_FMT(shard));
    if (s->near <= s->shard)
        s->near = s->shard + 1;
    return PUAN_OK;
}

static enum puan_status load_known(const struct loading *l,
                                   const struct puan_node *top)
{
    struct sim_spec *s = l->s;
    enum puan_status st;

    PUAN_NODE_EACH(c, puan_node_get(top, "known"))
    {
        struct sim_known *k = &s->known[s->n_known];
        struct puan_str file;

        if (s->n_known == PUAN_COUNT(s->known))
            return puan_node_fail(c, l->err, "too many known areas");
        if ((st = ONLY(l, c, "area", "file", "districts", "areas", "en")) !=
                PUAN_OK ||
            (st = puan_node_int(&k->area, c, "area", 1, INT64_MAX, l->err)) !=
                PUAN_OK ||
            (st = puan_node_str(&file, c, "file", l->err)) != PUAN_OK ||
            (st = puan_node_int(&k->districts, c, "districts", 1, 100000,
                                l->err)) != PUAN_OK ||
            (st = puan_node_int(&k->areas, c, "areas", 1, 1000000, l->err)) !=
                PUAN_OK)
            return st;
        k->en = puan_node_get(c, "en");
        k->file = puan_arena_fmt(l->a, "%s/%.*s", s->dir, PUAN_FMT(file));
        s->n_known++;
    }
    return PUAN_OK;
}

static int by_code(const struct sim_area_row *a, const struct sim_area_row *b)
{
    return a->code < b->code ? -1 : a->code > b->code;
}

/*
 * Tables hold totals of upper levels beside their parts, with codes filled up
 * with zeros; only a total without parts is a shard of its own.
 */
static void drop_totals(struct sim_spec *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_areas; i++) {
        bool total = false;

        for (unsigned l = 0; l < s->shard; l++) {
            int64_t pad = 1;

            for (unsigned d = s->level[l].digits;
                 d < s->level[s->shard].digits; d++)
                pad *= 10;
            total |= s->level[l].digits > 0 && s->area[i].code % pad == 0 &&
                     i + 1 < s->n_areas &&
                     s->area[i + 1].code / pad == s->area[i].code / pad;
        }
        if (!total)
            s->area[n++] = s->area[i];
    }
    s->n_areas = n;
}

/* Reads the table; keeps rows whose code has the shard level's digits. */
static enum puan_status read_table(const struct loading *l, const char *path,
                                   const struct puan_node *top,
                                   const struct puan_node *code_node)
{
    struct sim_spec *s = l->s;
    unsigned digits = s->level[s->shard].digits;
    struct puan_arena line;
    struct puan_str text;
    struct puan_csv c;
    enum puan_status st;
    size_t cap = 4096;
    bool more = false;
    int code = -1;

    if ((st = puan_file_read(&text, path, 0, l->a, l->err)) != PUAN_OK)
        return st;
    puan_arena_init(&line, l->a->host);
    if ((st = puan_csv_open(&c, text, path, l->a, &line, l->err)) != PUAN_OK)
        goto out;
    s->column = c.header;
    s->n_columns = c.n;
    s->area = puan_new_n(l->a, cap, struct sim_area_row);
    if ((st = column_of(&code, l, code_node)) != PUAN_OK)
        goto out;
    if (code < 0) {
        st = puan_node_fail(code_node, l->err, "name the column of the code");
        goto out;
    }
    while ((st = puan_csv_next(&more, &c, l->err)) == PUAN_OK && more &&
           !l->a->failed) {
        struct sim_area_row r = { 0 };

        bool skip = false;

        PUAN_NODE_EACH(k, puan_node_get(puan_node_get(top, "margins"), "skip"))
        skip |= puan_str_eq(k->text, c.field[code]);
        if (skip || c.field[code].n != digits ||
            !puan_int_parse(&r.code, c.field[code]))
            continue;
        if (s->n_areas == cap) {
            struct sim_area_row *p =
                puan_new_n(l->a, cap * 2, struct sim_area_row);

            if (p == NULL)
                break;
            memcpy(p, s->area, cap * sizeof(*p));
            s->area = p;
            cap *= 2;
        }
        r.field = puan_new_n(l->a, c.n, struct puan_str);
        for (size_t i = 0; i < c.n && r.field != NULL; i++) {
            r.field[i] = c.field[i];
            if (c.field[i].n > 0 &&
                !(c.field[i].p >= text.p && c.field[i].p < text.p + text.n))
                r.field[i].p = puan_arena_dup(l->a, c.field[i]);
        }
        r.digits = r.field != NULL ? r.field[code] : (struct puan_str){ "", 0 };
        /* insertion by code: published tables are nearly in order */
        {
            size_t i = s->n_areas++;

            while (i > 0 && by_code(&r, &s->area[i - 1]) < 0) {
                s->area[i] = s->area[i - 1];
                i--;
            }
            s->area[i] = r;
        }
    }
    if (st == PUAN_OK)
        st = puan_arena_check(l->a, l->err);
    drop_totals(s);
    if (st == PUAN_OK && s->n_areas == 0)
        st = puan_fail(l->err, PUAN_EINVAL, path,
                       "holds no row whose code has %u digits", digits);
out:
    puan_arena_clear(&line);
    return st;
}

static enum puan_status load_margins(const struct loading *l,
                                     const struct puan_node *top)
{
    struct sim_spec *s = l->s;
    const struct puan_node *m = puan_node_get(top, "margins"), *n;
    struct puan_str file;
    enum puan_status st;
    int population;

    if (m == NULL)
        return puan_node_fail(top, l->err, "margins are missing");
    if ((st = ONLY(l, m, "file", "code", "skip", "population", "ages", "households",
                   "household_population", "one_person", "generations",
                   "minority_percent", "migration", "illiterate", "rooms",
                   "area_per_person", "urban", "city")) != PUAN_OK ||
        (st = puan_node_str(&file, m, "file", l->err)) != PUAN_OK ||
        (st = read_table(l,
                         puan_arena_fmt(l->a, "%s/%.*s", s->dir,
                                        PUAN_FMT(file)),
                         top, puan_node_get(m, "code"))) != PUAN_OK)
        return st;
    if ((st = column_of(&population, l, puan_node_get(m, "population"))) !=
            PUAN_OK ||
        (st = column_of(&s->c_households, l, puan_node_get(m, "households"))) !=
            PUAN_OK ||
        (st = column_of(&s->c_household_pop, l,
                        puan_node_get(m, "household_population"))) != PUAN_OK ||
        (st = column_of(&s->c_one_person, l, puan_node_get(m, "one_person"))) !=
            PUAN_OK ||
        (st = column_of(&s->c_minority, l,
                        puan_node_get(m, "minority_percent"))) != PUAN_OK ||
        (st = column_of(&s->c_rooms, l, puan_node_get(m, "rooms"))) !=
            PUAN_OK ||
        (st = column_of(&s->c_urban, l, puan_node_get(m, "urban"))) !=
            PUAN_OK ||
        (st = column_of(&s->c_city, l, puan_node_get(m, "city"))) != PUAN_OK ||
        (st = column_of(&s->c_floor, l, puan_node_get(m, "area_per_person"))) !=
            PUAN_OK)
        return st;
    if (population < 0 || s->c_households < 0)
        return puan_node_fail(m, l->err,
                              "population and households must name columns");
    n = puan_node_get(m, "generations");
    for (size_t i = 0; i < 4; i++)
        if ((st = column_of(&s->c_generations[i], l, puan_node_at(n, i))) !=
            PUAN_OK)
            return st;
    n = puan_node_get(m, "migration");
    for (size_t i = 0; i < SIM_MOVES; i++)
        if ((st = column_of(&s->c_migration[i], l, puan_node_at(n, i))) !=
            PUAN_OK)
            return st;
    n = puan_node_get(m, "illiterate");
    for (size_t i = 0; i < 2; i++)
        if ((st = column_of(&s->c_illiterate[i], l, puan_node_at(n, i))) !=
            PUAN_OK)
            return st;
    PUAN_NODE_EACH(g, puan_node_get(m, "ages"))
    {
        int64_t from = 0, to = 0;

        if (s->n_groups == SIM_GROUPS || g->n != 4)
            return puan_node_fail(g, l->err,
                                  "an age group is [from, to, male column, "
                                  "female column], at most %d of them",
                                  SIM_GROUPS);
        if ((st = node_number(&from, puan_node_at(g, 0), l->err)) != PUAN_OK ||
            (st = node_number(&to, puan_node_at(g, 1), l->err)) != PUAN_OK ||
            (st = column_of(&s->group[s->n_groups].column[0], l,
                            puan_node_at(g, 2))) != PUAN_OK ||
            (st = column_of(&s->group[s->n_groups].column[1], l,
                            puan_node_at(g, 3))) != PUAN_OK)
            return st;
        if (from > to || to >= SIM_AGES ||
            (s->n_groups > 0 && from != s->group[s->n_groups - 1].to + 1))
            return puan_node_fail(g, l->err,
                                  "age groups must follow each other, below %d",
                                  SIM_AGES);
        s->group[s->n_groups].from = (int)from;
        s->group[s->n_groups].to = (int)to;
        s->n_groups++;
    }
    if (s->n_groups == 0)
        return puan_node_fail(m, l->err, "ages are missing");
    for (size_t i = 0; i < s->n_areas; i++)
        s->area[i].population = sim_cell(&s->area[i], population);
    return PUAN_OK;
}

static enum puan_status load_rates(const struct loading *l,
                                   const struct puan_node *top)
{
    const struct puan_node *n = puan_node_get(top, "rates");

    l->s->rate[SIM_RATE_AREA_HOUSEHOLDS] = 60;
    PUAN_NODE_EACH(c, n)
    {
        size_t i = 0;
        int64_t max;
        enum puan_status st;

        while (i < SIM_RATES && !puan_str_is(c->key, rate_names[i]))
            i++;
        if (i == SIM_RATES)
            return puan_node_fail(c, l->err, "rate \"%.*s\" is not known",
                                  PUAN_FMT(c->key));
        max = i == SIM_RATE_AREA_HOUSEHOLDS ? 300 : 1000;
        if ((st = puan_node_int(&l->s->rate[i], n, rate_names[i], 0, max,
                                l->err)) != PUAN_OK)
            return st;
    }
    return PUAN_OK;
}

static enum puan_status load_field(const struct loading *l,
                                   const struct puan_node *top)
{
    struct sim_spec *s = l->s;
    const struct puan_node *f = puan_node_get(top, "field"), *h;
    struct puan_str from;
    int64_t a = 8, b = 20;
    enum puan_status st;

    if (f == NULL)
        return puan_node_fail(top, l->err, "field is missing");
    if ((st = ONLY(l, f, "from", "days", "usual_days", "self_days",
                   "hours", "seconds_per_person", "phone_first", "phone_digits", "origin")) !=
            PUAN_OK ||
        (st = puan_node_str(&from, f, "from", l->err)) != PUAN_OK ||
        (st = puan_node_int(&s->field_days, f, "days", 1, 400, l->err)) !=
            PUAN_OK ||
        (st = puan_node_int(&s->self_days, f, "self_days", 1, 400, l->err)) !=
            PUAN_OK ||
        (st = puan_node_int(&s->seconds_per_person, f, "seconds_per_person", 30,
                            7200, l->err)) != PUAN_OK ||
        (st = puan_node_int(&s->phone_digits, f, "phone_digits", 5, 15,
                            l->err)) != PUAN_OK)
        return st;
    s->usual_days = s->field_days;
    if (puan_node_get(f, "usual_days") != NULL &&
        (st = puan_node_int(&s->usual_days, f, "usual_days", 1, s->field_days,
                            l->err)) != PUAN_OK)
        return st;
    s->phone_first = puan_node_str_opt(f, "phone_first", "1");
    if (!puan_day_parse(&s->field_day, from))
        return puan_node_fail(f, l->err, "from must be a date YYYY-MM-DD");
    h = puan_node_get(f, "origin");
    if (h != NULL && (h->n != 2 ||
                      !puan_fixed_parse(&s->origin_lon,
                                        puan_node_at(h, 0)->text, 7) ||
                      !puan_fixed_parse(&s->origin_lat,
                                        puan_node_at(h, 1)->text, 7)))
        return puan_node_fail(h, l->err, "origin is [longitude, latitude]");
    h = puan_node_get(f, "hours");
    if (h != NULL && ((st = node_number(&a, puan_node_at(h, 0), l->err)) !=
                          PUAN_OK ||
                      (st = node_number(&b, puan_node_at(h, 1), l->err)) !=
                          PUAN_OK))
        return st;
    if (a < 0 || b > 24 || a >= b)
        return puan_node_fail(h, l->err, "hours are [from, to] within a day");
    s->hour_from = (int)a;
    s->hour_to = (int)b;
    return PUAN_OK;
}

static enum puan_status load_names(const struct loading *l,
                                   const struct puan_node *top)
{
    struct sim_names *s = &l->s->names;
    const struct puan_node *n = puan_node_get(top, "names");
    enum puan_status st;

    if (n == NULL)
        return puan_node_fail(top, l->err, "names are missing");
    if ((st = ONLY(l, n, "pattern", "unnamed", "family", "male", "female",
                   "address")) != PUAN_OK)
        return st;
    s->pattern = puan_node_str_opt(n, "pattern", "{given} {family}");
    s->unnamed = puan_node_str_opt(n, "unnamed", "");
    s->address = puan_node_str_opt(n, "address", "{building}-{unit}");
    words(&s->family, &s->n_family, puan_node_str_opt(n, "family", ""), l->a);
    words(&s->given[0], &s->n_given[0], puan_node_str_opt(n, "male", ""), l->a);
    words(&s->given[1], &s->n_given[1], puan_node_str_opt(n, "female", ""),
          l->a);
    if (s->n_family == 0 || s->n_given[0] == 0 || s->n_given[1] == 0)
        return puan_node_fail(n, l->err,
                              "family, male and female names are needed");
    return PUAN_OK;
}

static enum puan_status load_ethnic(const struct loading *l,
                                    const struct puan_node *top)
{
    struct sim_spec *s = l->s;
    const struct puan_node *e = puan_node_get(top, "ethnic");
    enum puan_status st;

    if (e == NULL)
        return PUAN_OK;
    if ((st = ONLY(l, e, "majority", "others", "others_permille")) !=
            PUAN_OK ||
        (st = puan_node_str(&s->ethnic_majority, e, "majority", l->err)) !=
            PUAN_OK)
        return st;
    if (puan_node_get(e, "others_permille") != NULL &&
        (st = puan_node_int(&s->ethnic_permille, e, "others_permille", 0, 1000,
                            l->err)) != PUAN_OK)
        return st;
    PUAN_NODE_EACH(o, puan_node_get(e, "others"))
    {
        if (s->n_ethnic == PUAN_COUNT(s->ethnic_other) || o->n != 2)
            return puan_node_fail(o, l->err, "expected [code, weight]");
        s->ethnic_other[s->n_ethnic] = puan_node_at(o, 0)->text;
        if ((st = node_number(&s->ethnic_weight[s->n_ethnic],
                              puan_node_at(o, 1), l->err)) != PUAN_OK)
            return st;
        s->n_ethnic++;
    }
    return PUAN_OK;
}

static enum puan_status load_edu_level(const struct loading *l,
                                       const struct puan_node *n)
{
    struct sim_spec *s = l->s;
    struct sim_edu_level *v = &s->edu[s->n_edu];
    enum puan_status st;

    if (s->n_edu == SIM_EDU)
        return puan_node_fail(n, l->err, "more than %d levels", SIM_EDU);
    if ((st = ONLY(l, n, "m", "f", "weights", "codes")) != PUAN_OK ||
        (st = column_of(&v->column[0], l, puan_node_get(n, "m"))) != PUAN_OK ||
        (st = column_of(&v->column[1], l, puan_node_get(n, "f"))) != PUAN_OK)
        return st;
    PUAN_NODE_EACH(w, puan_node_get(n, "weights"))
    {
        int64_t from = 0;

        if (v->n_steps == PUAN_COUNT(v->step))
            return puan_node_fail(w, l->err, "too many steps");
        if ((st = node_number(&from, puan_node_at(w, 0), l->err)) != PUAN_OK ||
            (st = node_number(&v->step[v->n_steps].weight, puan_node_at(w, 1),
                              l->err)) != PUAN_OK)
            return st;
        v->step[v->n_steps++].from = (int)from;
    }
    PUAN_NODE_EACH(c, puan_node_get(n, "codes"))
    {
        struct sim_edu_code *k = &v->code[v->n_codes];
        int64_t from = 0;

        if (v->n_codes == PUAN_COUNT(v->code) || c->n != 3)
            return puan_node_fail(c, l->err,
                                  "expected [code, weight, from age]");
        k->code = puan_node_at(c, 0)->text;
        if ((st = node_number(&k->weight, puan_node_at(c, 1), l->err)) !=
                PUAN_OK ||
            (st = node_number(&from, puan_node_at(c, 2), l->err)) != PUAN_OK)
            return st;
        k->from_age = (int)from;
        v->n_codes++;
    }
    if (v->n_codes == 0)
        return puan_node_fail(n, l->err, "codes are missing");
    s->n_edu++;
    return PUAN_OK;
}

static enum puan_status load_education(const struct loading *l,
                                       const struct puan_node *top)
{
    struct sim_spec *s = l->s;
    const struct puan_node *e = puan_node_get(top, "education");
    int64_t from = 0, fit = 0, literate = SIM_AGES, never = -1, most = -1;
    enum puan_status st;

    s->edu_from_age = SIM_AGES;
    s->literate_from = SIM_AGES;
    if (e == NULL)
        return PUAN_OK;
    if ((st = ONLY(l, e, "from_age", "fit_from_age", "young",
                   "literate_from_age", "never", "illiterate_max",
                   "levels")) != PUAN_OK ||
        (st = puan_node_int(&from, e, "from_age", 0, 100, l->err)) != PUAN_OK)
        return st;
    fit = from;
    if (puan_node_get(e, "fit_from_age") != NULL &&
        (st = puan_node_int(&fit, e, "fit_from_age", from, 100, l->err)) !=
            PUAN_OK)
        return st;
    if (puan_node_get(e, "literate_from_age") != NULL &&
        (st = puan_node_int(&literate, e, "literate_from_age", 0, 100,
                            l->err)) != PUAN_OK)
        return st;
    if (puan_node_get(e, "never") != NULL &&
        (st = puan_node_int(&never, e, "never", 0, SIM_EDU, l->err)) != PUAN_OK)
        return st;
    if (puan_node_get(e, "illiterate_max") != NULL &&
        (st = puan_node_int(&most, e, "illiterate_max", 0, SIM_EDU, l->err)) !=
            PUAN_OK)
        return st;
    s->edu_from_age = (int)from;
    s->edu_fit_from = (int)fit;
    s->literate_from = (int)literate;
    s->edu_never = (int)never;
    s->edu_illiterate_max = (int)most;
    PUAN_NODE_EACH(y, puan_node_get(e, "young"))
    {
        if (s->n_edu_young == PUAN_COUNT(s->edu_young) || y->n != 2)
            return puan_node_fail(y, l->err, "expected [code, weight]");
        s->edu_young[s->n_edu_young] = puan_node_at(y, 0)->text;
        if ((st = node_number(&s->edu_young_weight[s->n_edu_young],
                              puan_node_at(y, 1), l->err)) != PUAN_OK)
            return st;
        s->n_edu_young++;
    }
    if (fit > from && s->n_edu_young == 0)
        return puan_node_fail(e, l->err,
                              "young codes are needed below fit_from_age");
    PUAN_NODE_EACH(c, puan_node_get(e, "levels"))
    if ((st = load_edu_level(l, c)) != PUAN_OK)
        return st;
    return s->n_edu > 0
               ? PUAN_OK
               : puan_node_fail(e, l->err, "education has no levels");
}

static enum puan_status load_left(const struct loading *l,
                                  const struct puan_node *top)
{
    struct sim_spec *s = l->s;
    const struct puan_node *n = puan_node_get(top, "left");
    const struct puan_node *months, *weights;
    enum puan_status st;

    if (n == NULL)
        return PUAN_OK;
    if ((st = ONLY(l, n, "codes", "months", "weights", "reasons")) != PUAN_OK)
        return st;
    months = puan_node_get(n, "months");
    weights = puan_node_get(n, "weights");
    PUAN_NODE_EACH(c, puan_node_get(n, "codes"))
    {
        unsigned i = s->n_left;

        if (i == SIM_LEFT)
            return puan_node_fail(c, l->err, "more than %d classes", SIM_LEFT);
        s->left_code[i] = c->text;
        if ((st = node_number(&s->left_months[i], puan_node_at(months, i),
                              l->err)) != PUAN_OK ||
            (st = node_number(&s->left_weight[i], puan_node_at(weights, i),
                              l->err)) != PUAN_OK)
            return st;
        s->n_left++;
    }
    if (s->n_left < 3)
        return puan_node_fail(n, l->err,
                              "codes need three classes: not left, below and "
                              "above half a year");
    PUAN_NODE_EACH(r, puan_node_get(n, "reasons"))
    {
        struct sim_reason *k = &s->reason[s->n_reasons];
        int64_t from = 0, to = 0;

        if (s->n_reasons == SIM_REASONS || r->n < 4 || r->n > 5)
            return puan_node_fail(r, l->err,
                                  "expected [code, weight, from age, to age] "
                                  "or the same and present");
        k->present = r->n == 5;
        k->code = puan_node_at(r, 0)->text;
        if ((st = node_number(&k->weight, puan_node_at(r, 1), l->err)) !=
                PUAN_OK ||
            (st = node_number(&from, puan_node_at(r, 2), l->err)) != PUAN_OK ||
            (st = node_number(&to, puan_node_at(r, 3), l->err)) != PUAN_OK)
            return st;
        k->from = (int)from;
        k->to = (int)to;
        s->n_reasons++;
    }
    return PUAN_OK;
}

static enum puan_status load_values(const struct puan_str **out, unsigned *n,
                                    const struct loading *l,
                                    const struct puan_node *list)
{
    struct puan_str *v;

    *n = 0;
    *out = NULL;
    if (list == NULL)
        return PUAN_OK;
    v = puan_new_n(l->a, list->n, struct puan_str);
    if (v == NULL)
        return puan_arena_check(l->a, l->err);
    PUAN_NODE_EACH(c, list)
    v[(*n)++] = c->text;
    *out = v;
    return PUAN_OK;
}

static enum puan_status load_item(const struct loading *l, unsigned entity,
                                  const struct puan_node *n)
{
    struct sim_spec *s = l->s;
    struct sim_item *it = &s->item[entity][s->n_items[entity]];
    struct puan_str is;
    const char *known[SIM_VALUES + 6];
    size_t k = 0, v;
    int64_t from = 0;
    enum puan_status st;

    if (s->n_items[entity] == SIM_ITEMS)
        return puan_node_fail(n, l->err, "more than %d items", SIM_ITEMS);
    if ((st = puan_node_str(&it->name, n, "item", l->err)) != PUAN_OK ||
        (st = puan_node_str(&is, n, "is", l->err)) != PUAN_OK)
        return st;
    while (k < SIM_CONCEPTS && !puan_str_is(is, concepts[k].name))
        k++;
    if (k == SIM_CONCEPTS ||
        ((concepts[k].entity == SIM_HOUSEHOLD) != (entity == SIM_HOUSEHOLD) &&
         k != SIM_CONSTANT) ||
        (concepts[k].entity == SIM_DEATH && entity != SIM_DEATH))
        return puan_node_fail(n, l->err, "\"%.*s\" is not known of a %s",
                              PUAN_FMT(is), entity_names[entity]);
    it->concept = (enum sim_concept)k;
    known[0] = "item";
    known[1] = "is";
    known[2] = "missing";
    known[3] = "from_age";
    known[4] = "words";
    for (v = 0; v < SIM_VALUES && concepts[k].value[v] != NULL; v++) {
        known[5 + v] = concepts[k].value[v];
        it->value[v] = puan_node_str_opt(n, concepts[k].value[v], "");
    }
    known[5 + v] = NULL;
    if ((st = puan_node_only(n, known, l->err)) != PUAN_OK)
        return st;
    PUAN_NODE_EACH(m, puan_node_get(n, "missing"))
    {
        if (it->n_missing == PUAN_COUNT(it->missing))
            return puan_node_fail(m, l->err, "too many reasons");
        it->missing[it->n_missing++] = m->text;
    }
    if (puan_node_get(n, "from_age") != NULL &&
        (st = puan_node_int(&from, n, "from_age", 0, 150, l->err)) != PUAN_OK)
        return st;
    it->from_age = (int)from;
    if ((st = load_values(&it->word, &it->n_words, l,
                          puan_node_get(n, "words"))) != PUAN_OK)
        return st;
    if ((k == SIM_WORD || k == SIM_CONSTANT) && it->n_words == 0)
        return puan_node_fail(n, l->err, "words are missing");
    s->item_of[entity][k] = (int)s->n_items[entity]++;
    return PUAN_OK;
}

static enum puan_status load_forms(const struct loading *l,
                                   const struct puan_node *top)
{
    const struct puan_node *f = puan_node_get(top, "forms");
    enum puan_status st;

    const struct puan_node *names = puan_node_get(top, "entities");

    if (f == NULL)
        return puan_node_fail(top, l->err, "forms are missing");
    if ((st = ONLY(l, f, "household", "person", "death")) != PUAN_OK)
        return st;
    if (names != NULL &&
        (st = ONLY(l, names, "household", "person", "death")) != PUAN_OK)
        return st;
    for (unsigned e = 0; e < SIM_ENTITIES; e++) {
        l->s->entity[e] = puan_arena_dup(
            l->a, puan_node_str_opt(names, entity_names[e], entity_names[e]));
        for (size_t k = 0; k < SIM_CONCEPTS; k++)
            l->s->item_of[e][k] = -1;
        PUAN_NODE_EACH(c, puan_node_get(f, entity_names[e]))
        if ((st = load_item(l, e, c)) != PUAN_OK)
            return st;
    }
    l->s->id_item = l->s->item_of[SIM_PERSON][SIM_ID_NUMBER];
    if (l->s->id_item < 0)
        l->s->id_item = l->s->item_of[SIM_PERSON][SIM_CARD];
    return PUAN_OK;
}

static bool find_item(int *entity, int *item, const struct sim_spec *s,
                      struct puan_str name)
{
    for (int e = 0; e < SIM_ENTITIES; e++)
        for (unsigned i = 0; i < s->n_items[e]; i++)
            if (puan_str_eq(s->item[e][i].name, name)) {
                *entity = e;
                *item = (int)i;
                return true;
            }
    return false;
}

static enum puan_status load_when(const struct sim_when **out, unsigned *n,
                                  const struct loading *l,
                                  const struct puan_node *map)
{
    struct sim_when *w;
    enum puan_status st;

    *n = 0;
    *out = NULL;
    if (map == NULL)
        return PUAN_OK;
    w = puan_new_n(l->a, map->n, struct sim_when);
    if (w == NULL)
        return puan_arena_check(l->a, l->err);
    PUAN_NODE_EACH(c, map)
    {
        struct sim_when *k = &w[*n];

        if (puan_str_is(c->key, "age") || puan_str_is(c->key, "line") ||
            puan_str_is(c->key, "near")) {
            k->entity = SIM_PERSON;
            k->item = puan_str_is(c->key, "age")    ? -1
                      : puan_str_is(c->key, "line") ? -2
                                                    : -3;
            if ((st = node_number(&k->from, puan_node_at(c, 0), l->err)) !=
                    PUAN_OK ||
                (st = node_number(&k->to, puan_node_at(c, 1), l->err)) !=
                    PUAN_OK)
                return st;
        } else if (!find_item(&k->entity, &k->item, l->s, c->key)) {
            return puan_node_fail(c, l->err, "item \"%.*s\" is not in forms",
                                  PUAN_FMT(c->key));
        } else if ((st = load_values(&k->value, &k->n_values, l, c)) !=
                   PUAN_OK) {
            return st;
        }
        (*n)++;
    }
    *out = w;
    return PUAN_OK;
}

bool sim_spec_item(int *entity, int *item, const struct sim_spec *s,
                   struct puan_str name)
{
    return find_item(entity, item, s, name);
}

enum puan_status sim_spec_when(const struct sim_when **out, unsigned *n,
                               struct sim_spec *s, const struct puan_node *map,
                               struct puan_arena *a, struct puan_err *err)
{
    struct loading l = { s, a, err };

    return load_when(out, n, &l, map);
}

static enum puan_status load_cases(const struct loading *l,
                                   const struct puan_node *top)
{
    struct sim_spec *s = l->s;
    const struct puan_node *r = puan_node_get(top, "residence");
    enum puan_status st;

    if (r == NULL || r->n == 0)
        return puan_node_fail(top, l->err, "residence cases are missing");
    s->cases = puan_new_n(l->a, r->n, struct sim_case);
    if (s->cases == NULL)
        return puan_arena_check(l->a, l->err);
    PUAN_NODE_EACH(c, r)
    {
        struct sim_case *k = &s->cases[s->n_cases++];

        if ((st = ONLY(l, c, "case", "when", "resident")) != PUAN_OK ||
            (st = puan_node_int(&k->id, c, "case", 1, 999, l->err)) !=
                PUAN_OK ||
            (st = puan_node_bool(&k->resident, c, "resident", true, l->err)) !=
                PUAN_OK ||
            (st = load_when(&k->when, &k->n_when, l,
                            puan_node_get(c, "when"))) != PUAN_OK)
            return st;
    }
    return PUAN_OK;
}

static enum puan_status load_faults(const struct loading *l,
                                    const struct puan_node *top)
{
    struct sim_spec *s = l->s;
    const struct puan_node *f = puan_node_get(top, "faults");
    enum puan_status st;

    s->fault = puan_new_n(l->a, f != NULL ? f->n : 0, struct sim_fault_kind);
    if (s->fault == NULL)
        return puan_arena_check(l->a, l->err);
    PUAN_NODE_EACH(c, f)
    {
        struct sim_fault_kind *k = &s->fault[s->n_faults++];
        struct puan_str item, op;
        size_t o = 0;

        if ((st = ONLY(l, c, "name", "item", "op", "values", "when", "with",
                       "detect", "weight")) != PUAN_OK ||
            (st = puan_node_str(&k->name, c, "name", l->err)) != PUAN_OK ||
            (st = puan_node_str(&item, c, "item", l->err)) != PUAN_OK ||
            (st = puan_node_str(&op, c, "op", l->err)) != PUAN_OK ||
            (st = puan_node_int(&k->weight, c, "weight", 1, 1000, l->err)) !=
                PUAN_OK ||
            (st = load_values(&k->value, &k->n_values, l,
                              puan_node_get(c, "values"))) != PUAN_OK ||
            (st = load_when(&k->when, &k->n_when, l,
                            puan_node_get(c, "when"))) != PUAN_OK ||
            (st = load_when(&k->with, &k->n_with, l,
                            puan_node_get(c, "with"))) != PUAN_OK)
            return st;
        k->detect = puan_node_str_opt(c, "detect", "none");
        while (o < PUAN_COUNT(op_names) && !puan_str_is(op, op_names[o]))
            o++;
        if (o == PUAN_COUNT(op_names))
            return puan_node_fail(c, l->err, "op \"%.*s\" is not known",
                                  PUAN_FMT(op));
        k->op = (enum sim_op)o;
        if (!find_item(&k->entity, &k->item, s, item) ||
            k->entity == SIM_DEATH)
            return puan_node_fail(c, l->err,
                                  "item \"%.*s\" is not in the household or "
                                  "person form",
                                  PUAN_FMT(item));
        if ((k->op == SIM_OP_SET || k->op == SIM_OP_ADD) && k->n_values == 0)
            return puan_node_fail(c, l->err, "values are missing");
    }
    return PUAN_OK;
}

enum puan_status sim_spec_faults(struct sim_spec *s,
                                 const struct puan_node *top,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct loading l = { s, a, err };

    return load_faults(&l, top);
}

enum puan_status sim_spec_load(struct sim_spec **out, const char *pack,
                               struct puan_arena *a, struct puan_err *err)
{
    struct sim_spec *s = puan_new(a, struct sim_spec);
    struct loading l = { s, a, err };
    struct puan_node *top;
    struct puan_str text, reference, registration;
    const char *path;
    int64_t version, offset, digits;
    int year, month, day;
    enum puan_status st;

    *out = NULL;
    if (s == NULL)
        return puan_arena_check(a, err);
    s->dir = puan_arena_fmt(a, "%s/simulate", pack);
    path = puan_arena_fmt(a, "%s/spec.yaml", s->dir);
    if ((st = puan_file_read(&text, path, 0, a, err)) != PUAN_OK ||
        (st = puan_yaml_tree(&top, text, path, a, err)) != PUAN_OK ||
        (st = ONLY(&l, top, "simulate", "reference", "offset_minutes",
                   "registration", "household_digits", "shard", "near_level",
                   "levels", "known", "margins", "rates", "field", "names",
                   "ethnic", "education", "left", "entities", "forms",
                   "residence", "faults", "also")) != PUAN_OK ||
        (st = puan_node_int(&version, top, "simulate", 1, 1, err)) != PUAN_OK ||
        (st = puan_node_str(&reference, top, "reference", err)) != PUAN_OK ||
        (st = puan_node_int(&offset, top, "offset_minutes", -900, 900, err)) !=
            PUAN_OK ||
        (st = puan_node_str(&registration, top, "registration", err)) !=
            PUAN_OK ||
        (st = puan_node_int(&digits, top, "household_digits", 2, 6, err)) !=
            PUAN_OK)
        return st;
    if (!puan_day_parse(&s->reference_day, reference))
        return puan_node_fail(top, err, "reference must be a date YYYY-MM-DD");
    puan_day_split(s->reference_day, &year, &month, &day);
    if (day != 1)
        return puan_node_fail(top, err,
                              "reference must be the first day of a month");
    s->reference_month = (int64_t)year * 12 + month - 1;
    s->offset_minutes = (int)offset;
    s->household_digits = (unsigned)digits;
    for (s->household_base = 1; digits > 0; digits--)
        s->household_base *= 10;
    s->two_sided = puan_str_is(registration, "two_sided");
    if (!s->two_sided && !puan_str_is(registration, "single"))
        return puan_node_fail(top, err,
                              "registration must be two_sided or single");
    if ((st = load_levels(&l, top)) != PUAN_OK ||
        (st = load_known(&l, top)) != PUAN_OK ||
        (st = load_margins(&l, top)) != PUAN_OK ||
        (st = load_rates(&l, top)) != PUAN_OK ||
        (st = load_field(&l, top)) != PUAN_OK ||
        (st = load_names(&l, top)) != PUAN_OK ||
        (st = load_ethnic(&l, top)) != PUAN_OK ||
        (st = load_education(&l, top)) != PUAN_OK ||
        (st = load_left(&l, top)) != PUAN_OK ||
        (st = load_forms(&l, top)) != PUAN_OK ||
        (st = load_cases(&l, top)) != PUAN_OK ||
        (st = load_faults(&l, top)) != PUAN_OK)
        return st;
    PUAN_NODE_EACH(c, puan_node_get(top, "also"))
    if ((st = sim_also_load(s, c->text, a, err)) != PUAN_OK)
        return st;
    if (s->two_sided && s->n_left == 0)
        return puan_node_fail(top, err,
                              "left is needed when registration is two_sided");
    if ((st = puan_arena_check(a, err)) != PUAN_OK)
        return st;
    *out = s;
    return PUAN_OK;
}
