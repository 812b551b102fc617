/*
 * What a person is besides age, sex and place: education, literacy, ethnic
 * group, name, number.  Education by sex and illiteracy by sex are those
 * published; the rest follows the spec's rates.
 */
#include "features/simulate/sim.h"

#include "base/calendar.h"

#define YOUNG 100 /* person.education: 100 + index of a young code */

/* ---- ID numbers ------------------------------------------------------- */

struct sim_ids {
    uint64_t *key; /* region, day, sex; 0 empty */
    uint16_t *used;
    size_t cap, n;
};

static enum puan_status ids_grow(struct sim_ids *t, size_t cap,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct sim_ids old = *t;

    t->key = puan_new_n(a, cap, uint64_t);
    t->used = puan_new_n(a, cap, uint16_t);
    if (a->failed)
        return puan_arena_check(a, err);
    t->cap = cap;
    for (size_t i = 0; i < old.cap; i++)
        if (old.key[i] != 0) {
            size_t at = (size_t)sim_mix(old.key[i]) & (cap - 1);

            while (t->key[at] != 0)
                at = (at + 1) & (cap - 1);
            t->key[at] = old.key[i];
            t->used[at] = old.used[i];
        }
    return PUAN_OK;
}

static enum puan_status ids_next(unsigned *out, struct sim_shard *sh,
                                 uint32_t region, int32_t day, int sex,
                                 struct puan_err *err)
{
    struct sim_ids *t = sh->ids;
    uint64_t key = ((uint64_t)region << 32) |
                   ((uint64_t)(day + 40000) << 2) | (uint64_t)sex << 1 | 1;
    enum puan_status st;
    size_t at;

    if (t == NULL) {
        t = sh->ids = puan_new(sh->arena, struct sim_ids);
        if (t == NULL)
            return puan_arena_check(sh->arena, err);
    }
    if (t->n * 2 >= t->cap &&
        (st = ids_grow(t, t->cap > 0 ? t->cap * 2 : 1u << 16, sh->arena,
                       err)) != PUAN_OK)
        return st;
    at = (size_t)sim_mix(key) & (t->cap - 1);
    while (t->key[at] != 0 && t->key[at] != key)
        at = (at + 1) & (t->cap - 1);
    if (t->key[at] == 0) {
        t->key[at] = key;
        t->n++;
    }
    *out = t->used[at]++;
    return PUAN_OK;
}

/*
 * Of the 500 sequences a region has for a day and a sex, 300 go to those the
 * region's own shard numbers, 150 are shared by the other shards of the run,
 * 50 are never issued: invented persons have those.
 */
#define OWN_SLOTS 300u
#define OTHER_SLOTS 150u

enum puan_status sim_identity(struct sim_shard *sh, struct sim_rng *r,
                              struct sim_person *p, struct puan_err *err)
{
    const struct sim_spec *s = sh->spec;
    bool came = p->situation == SIM_IN_LONG || p->situation == SIM_IN_SHORT;
    uint32_t row = came && p->move != SIM_MOVE_COUNTY ? p->other : sh->index;
    unsigned shards = (unsigned)sh->run->n_shards;
    unsigned width = shards < OTHER_SLOTS ? OTHER_SLOTS / shards : 1;
    unsigned reasons =
        s->id_item >= 0 ? s->item[SIM_PERSON][s->id_item].n_missing : 0;
    enum puan_status st;

    /* some moved their registration long ago; children did not */
    if (p->age >= 16 && sim_permille(r, 120)) {
        uint32_t any = sim_below(r, (uint32_t)s->n_areas);

        for (int tries = 0; tries < 6; tries++) {
            if (s->area[any].code / 10000 == sh->row->code / 10000)
                break;
            any = sim_below(r, (uint32_t)s->n_areas);
        }
        row = any;
    }
    /* units ...00 are no county: their people have a county's number */
    if (s->area[row].code % 100 == 0) {
        uint32_t n = (uint32_t)s->n_areas, from = sim_below(r, n);

        for (uint32_t i = 0; i < n; i++) {
            uint32_t any = (from + i) % n;

            if (s->area[any].code / 10000 == s->area[row].code / 10000 &&
                s->area[any].code % 100 != 0) {
                row = any;
                break;
            }
        }
    }
    p->id_state = 0;
    if (reasons > 0 && (p->situation == SIM_PENDING ||
                        sim_permille(r, s->rate[SIM_RATE_ID_MISSING])))
        p->id_state = (uint8_t)(1 + sim_below(r, reasons));
    for (int tries = 0; tries < 1000; tries++) {
        bool own = row == sh->index;
        unsigned k = 0, from, n;

        if ((st = ids_next(&k, sh, (uint32_t)s->area[row].code, p->birth_day,
                           p->sex, err)) != PUAN_OK)
            return st;
        from = own ? 0 : OWN_SLOTS + (sh->slot * width) % OTHER_SLOTS;
        n = own ? OWN_SLOTS : width;
        if (k < n) {
            p->id_region = (uint32_t)s->area[row].code;
            p->id_sequence = (uint16_t)((from + k) * 2 + (p->sex == 0));
            return PUAN_OK;
        }
        /* full: the number comes from another area of the province */
        row = sim_below(r, (uint32_t)s->n_areas);
        if (s->area[row].code / 10000 != sh->row->code / 10000 && tries < 900)
            row = sh->index;
    }
    return puan_fail(err, PUAN_ELIMIT, "simulate",
                     "no ID number is left for a birth day");
}

void sim_id_text(char out[19], uint32_t region, int64_t birth_day,
                 unsigned sequence)
{
    static const int weight[17] = { 7, 9, 10, 5, 8, 4, 2, 1, 6,
                                    3, 7, 9,  10, 5, 8, 4, 2 };
    int y, m, d, sum = 0;

    puan_day_split(birth_day, &y, &m, &d);
    puan_format(out, 19, "%06u%04d%02d%02d%03u", region, y, m, d,
                sequence % 1000);
    for (int i = 0; i < 17; i++)
        sum += (out[i] - '0') * weight[i];
    out[17] = "10X98765432"[sum % 11];
    out[18] = 0;
}

/* ---- names ------------------------------------------------------------ */

size_t sim_name(char *out, size_t cap, const struct sim_spec *s,
                const struct sim_person *p)
{
    const struct sim_names *n = &s->names;
    uint64_t h = sim_mix(p->number * 0x9e3779b97f4a7c15u + 3);
    struct puan_str family = n->family[p->surname % n->n_family];
    size_t k = n->n_given[p->sex], at = 0;
    struct puan_str given = n->given[p->sex][h % k];
    struct puan_str second = n->given[p->sex][(h >> 24) % k];

    if (p->age == 0 && n->unnamed.n > 0 && (h >> 50) % 50 == 0) {
        memcpy(out, n->unnamed.p, n->unnamed.n);
        out[n->unnamed.n] = 0;
        return n->unnamed.n;
    }
    for (size_t i = 0; i < n->pattern.n && at + 80 < cap;) {
        struct puan_str put = { n->pattern.p + i, 1 };
        struct puan_str rest = { n->pattern.p + i, n->pattern.n - i };

        if (puan_str_starts(rest, "{family}")) {
            put = family;
            i += 8;
        } else if (puan_str_starts(rest, "{given}")) {
            put = given;
            i += 7;
            /* two short names make one, so that few people share all */
            if (given.n <= 3 && second.n <= 3 && (h >> 48) % 10 < 8 &&
                given.n + second.n < 40 && (unsigned char)given.p[0] > 127) {
                memcpy(out + at, given.p, given.n);
                at += given.n;
                put = second;
            }
        } else {
            i++;
        }
        if (put.n > 40)
            put.n = 40;
        memcpy(out + at, put.p, put.n);
        at += put.n;
    }
    out[at] = 0;
    return at;
}

static uint8_t draw_surname(const struct sim_spec *s, struct sim_rng *r)
{
    uint64_t n = s->names.n_family < 255 ? s->names.n_family : 255;
    uint64_t u = sim_below(r, 65536);

    return (uint8_t)(((u * u) >> 16) * n >> 16); /* the first are common */
}

/* ---- education -------------------------------------------------------- */

struct puan_str sim_education_code(const struct sim_spec *s,
                                   const struct sim_person *p)
{
    if (p->education == 0)
        return PUAN_STR("");
    if (p->education >= YOUNG)
        return s->edu_young[p->education - YOUNG];
    return s->edu[p->education - 1].code[p->edu_code].code;
}

static void put_level(const struct sim_spec *s, struct sim_rng *r,
                      struct sim_person *p, unsigned level)
{
    const struct sim_edu_level *v = &s->edu[level];
    int64_t all = 0, at;

    p->education = (uint8_t)(level + 1);
    p->edu_code = 0;
    for (unsigned i = 0; i < v->n_codes; i++)
        if (p->age >= v->code[i].from_age)
            all += v->code[i].weight;
    at = all > 0 ? (int64_t)sim_below(r, (uint32_t)all) : 0;
    for (unsigned i = 0; i < v->n_codes; i++)
        if (p->age >= v->code[i].from_age) {
            at -= v->code[i].weight;
            if (at < 0) {
                p->edu_code = (uint8_t)i;
                return;
            }
        }
}

static void put_young(const struct sim_spec *s, struct sim_rng *r,
                      struct sim_person *p)
{
    int64_t all = 0, at;

    p->education = 0;
    if (p->age < s->edu_from_age)
        return;
    for (unsigned i = 0; i < s->n_edu_young; i++)
        all += s->edu_young_weight[i];
    at = all > 0 ? (int64_t)sim_below(r, (uint32_t)all) : 0;
    for (unsigned i = 0; i < s->n_edu_young; i++) {
        at -= s->edu_young_weight[i];
        if (at < 0) {
            p->education = (uint8_t)(YOUNG + i);
            return;
        }
    }
}

/* Ages by levels for one sex, as published. */
static enum puan_status fit_education(struct sim_shard *sh, int sex,
                                      const uint32_t *of_age,
                                      struct puan_err *err)
{
    const struct sim_spec *s = sh->spec;
    unsigned cols = s->n_edu;
    int rows = SIM_AGES - s->edu_fit_from;
    double *x = puan_new_n(sh->arena, (size_t)rows * cols, double);
    int64_t *row = puan_new_n(sh->arena, (size_t)rows, int64_t);
    int64_t *out = puan_new_n(sh->arena, (size_t)rows * cols, int64_t);
    int64_t col[SIM_EDU], total = 0;
    double published[SIM_EDU];
    bool fitted = true;

    if (sh->arena->failed)
        return puan_arena_check(sh->arena, err);
    for (int a = 0; a < rows; a++) {
        row[a] = of_age[a + s->edu_fit_from];
        total += row[a];
        for (unsigned c = 0; c < cols; c++)
            x[(size_t)a * cols + c] =
                (double)sim_step(s->edu[c].step, s->edu[c].n_steps,
                                 a + s->edu_fit_from) *
                (double)row[a];
    }
    for (unsigned c = 0; c < cols; c++) {
        fitted &= s->edu[c].column[sex] >= 0;
        published[c] = (double)sim_cell(sh->row, s->edu[c].column[sex]);
    }
    if (!fitted) /* no table: the weights are shares within an age */
        for (unsigned c = 0; c < cols; c++) {
            published[c] = 0;
            for (int a = 0; a < rows; a++) {
                double all = 0;

                for (unsigned k = 0; k < cols; k++)
                    all += x[(size_t)a * cols + k];
                if (all > 0)
                    published[c] += x[(size_t)a * cols + c] / all *
                                    (double)row[a];
            }
        }
    (void)sim_apportion(col, published, NULL, cols, total);
    (void)sim_fit_table(out, x, row, col, (size_t)rows, cols, sh->arena);
    for (int a = 0; a < rows; a++)
        for (unsigned c = 0; c < cols; c++)
            sh->edu_table[sex][a + s->edu_fit_from][c] =
                out[(size_t)a * cols + c] > 0 ? out[(size_t)a * cols + c] : 0;
    for (unsigned c = 0; c < cols; c++)
        sh->want.edu[c][sex] = col[c];
    return PUAN_OK;
}

/* A level for somebody of that age, as the residents have them. */
static unsigned draw_level(const struct sim_shard *sh, struct sim_rng *r,
                           int sex, int age)
{
    const int64_t *row = sh->edu_table[sex][age];
    int64_t all = 0, at;

    for (unsigned c = 0; c < sh->spec->n_edu; c++)
        all += row[c];
    if (all <= 0)
        return age < 12 || sh->spec->n_edu < 4 ? 0 : 3;
    at = (int64_t)sim_below(r, (uint32_t)all);
    for (unsigned c = 0; c + 1 < sh->spec->n_edu; c++) {
        at -= row[c];
        if (at < 0)
            return c;
    }
    return sh->spec->n_edu - 1;
}

static enum puan_status education(struct sim_shard *sh, struct sim_rng *r,
                                  struct puan_err *err)
{
    const struct sim_spec *s = sh->spec;
    uint32_t of_age[2][SIM_AGES] = { { 0 } };
    uint32_t *start, *list;
    enum puan_status st = PUAN_OK;

    if (s->n_edu == 0)
        return PUAN_OK;
    sh->edu_table = (int64_t(*)[SIM_AGES][SIM_EDU])puan_arena_get_n(
        sh->arena, 2, sizeof(int64_t[SIM_AGES][SIM_EDU]));
    start = puan_new_n(sh->arena, 2 * SIM_AGES + 1, uint32_t);
    list = puan_new_n(sh->arena, sh->n_residents, uint32_t);
    if (sh->arena->failed)
        return puan_arena_check(sh->arena, err);
    for (uint32_t i = 0; i < sh->n_residents; i++) {
        of_age[sh->person[i].sex][sh->person[i].age]++;
        start[sh->person[i].sex * SIM_AGES + sh->person[i].age + 1]++;
    }
    for (int k = 0; k < 2 * SIM_AGES; k++)
        start[k + 1] += start[k];
    for (uint32_t i = 0; i < sh->n_residents; i++)
        list[start[sh->person[i].sex * SIM_AGES + sh->person[i].age]++] = i;
    for (int k = 2 * SIM_AGES; k > 0; k--)
        start[k] = start[k - 1];
    start[0] = 0;
    for (int sex = 0; sex < 2 && st == PUAN_OK; sex++) {
        st = fit_education(sh, sex, of_age[sex], err);
        for (int a = 0; a < SIM_AGES && st == PUAN_OK; a++) {
            uint32_t at = start[sex * SIM_AGES + a], n = of_age[sex][a];

            for (uint32_t i = n; i > 1; i--) {
                uint32_t j = sim_below(r, i), t = list[at + i - 1];

                list[at + i - 1] = list[at + j];
                list[at + j] = t;
            }
            if (a < s->edu_fit_from) {
                for (uint32_t i = 0; i < n; i++)
                    put_young(s, r, &sh->person[list[at + i]]);
                continue;
            }
            for (unsigned c = 0, k = 0; c < s->n_edu; c++)
                for (int64_t m = 0; m < sh->edu_table[sex][a][c] && k < n;
                     m++, k++) {
                    put_level(s, r, &sh->person[list[at + k]], c);
                    sh->got.edu[c][sex]++;
                }
        }
    }
    return st;
}

/* As many as published cannot read: the unschooled, then old pupils. */
static void literacy(struct sim_shard *sh, struct sim_rng *r)
{
    const struct sim_spec *s = sh->spec;

    for (int sex = 0; sex < 2; sex++) {
        int64_t want = sh->want.illiterate[sex], got = 0;

        if (s->c_illiterate[sex] < 0 || s->edu_never < 0)
            continue;
        for (int round = 0; round < 3 && got < want; round++) {
            int64_t may = 0, left;

            for (int count = 1; count >= 0; count--) {
                left = want - got;
                for (uint32_t i = 0; i < sh->n_residents; i++) {
                    struct sim_person *p = &sh->person[i];
                    bool fits;

                    if (p->sex != sex || p->age < s->literate_from ||
                        p->illiterate)
                        continue;
                    fits = round == 0 ? p->education == s->edu_never + 1
                                      : p->education > 0 &&
                                            p->education <=
                                                s->edu_illiterate_max + 1 &&
                                            p->age >= (round == 1 ? 65 : 50);
                    if (!fits)
                        continue;
                    if (count) {
                        may++;
                        continue;
                    }
                    /* `left` of the `may` still to come, all equally likely */
                    if (left > 0 &&
                        (may <= left ||
                         (int64_t)sim_below(r, (uint32_t)may) < left)) {
                        p->illiterate = 1;
                        left--;
                        got++;
                    }
                    may--;
                }
            }
        }
        sh->got.illiterate[sex] = got;
    }
}

static void ethnic(struct sim_shard *sh, struct sim_rng *r)
{
    const struct sim_spec *s = sh->spec;
    int64_t quota = sh->want.minority, all = 0;

    for (unsigned i = 0; i < s->n_ethnic; i++)
        all += s->ethnic_weight[i];
    if (all <= 0)
        return;
    for (int64_t tries = 0; quota > 0 && tries < (int64_t)sh->n_homes * 20;
         tries++) {
        uint32_t h = sim_below(r, sh->n_homes), i = sh->home[h].first;
        int64_t at = (int64_t)sim_below(r, (uint32_t)all);
        unsigned g = 0;

        if (sh->person[i].ethnic != 0 ||
            (tries < (int64_t)sh->n_homes * 10 && sh->home[h].n > quota))
            continue;
        while (g + 1 < s->n_ethnic && (at -= s->ethnic_weight[g]) >= 0)
            g++;
        for (uint32_t k = 0; k < sh->home[h].n && quota > 0;
             k++, i = sh->next[i]) {
            sh->person[i].ethnic = (uint8_t)(g + 1);
            quota--;
            sh->got.minority++;
        }
    }
}

enum puan_status sim_attributes_one(struct sim_shard *sh, struct sim_rng *r,
                                    struct sim_person *p,
                                    struct puan_err *err)
{
    const struct sim_spec *s = sh->spec;

    p->surname = draw_surname(s, r);
    if (s->n_edu > 0) {
        if (p->age < s->edu_fit_from)
            put_young(s, r, p);
        else
            put_level(s, r, p, draw_level(sh, r, p->sex, p->age));
        p->illiterate = s->edu_never >= 0 && p->age >= s->literate_from &&
                        p->education == s->edu_never + 1;
    }
    return sim_identity(sh, r, p, err);
}

enum puan_status sim_attributes(struct sim_shard *sh, struct puan_err *err)
{
    struct sim_rng r =
        sim_rng_of(sh->run->opt.seed, 5, (uint64_t)sh->row->code);
    enum puan_status st;

    if ((st = education(sh, &r, err)) != PUAN_OK)
        return st;
    literacy(sh, &r);
    ethnic(sh, &r);
    for (uint32_t h = 0; h < sh->n_homes && st == PUAN_OK; h++) {
        uint32_t i = sh->home[h].first;
        uint8_t name = draw_surname(sh->spec, &r);

        for (uint32_t k = 0; k < sh->home[h].n && st == PUAN_OK;
             k++, i = sh->next[i]) {
            struct sim_person *p = &sh->person[i];

            switch (p->relation) {
            case SIM_HEAD:
            case SIM_CHILD:
            case SIM_GRANDCHILD:
            case SIM_SIBLING:
                p->surname = name;
                break;
            case SIM_PARENT:
            case SIM_GRANDPARENT:
                p->surname = p->sex == 0 ? name : draw_surname(sh->spec, &r);
                break;
            default:
                p->surname = draw_surname(sh->spec, &r);
                break;
            }
            st = sim_identity(sh, &r, p, err);
        }
    }
    return st;
}
