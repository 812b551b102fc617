/*
 * Answers: what a person and a household are, in the words and codes of the
 * spec's items; and what a fault makes of them.
 */
#include "features/simulate/sim.h"

#include "base/calendar.h"

static struct puan_str keep(struct sim_text *t, const char *s, size_t n)
{
    struct puan_str out = { t->p + t->n, n };

    if (t->n + n + 1 > SIM_TEXT)
        return PUAN_STR("");
    memcpy(t->p + t->n, s, n);
    t->p[t->n + n] = 0;
    t->n += n + 1;
    return out;
}

static struct puan_str number_text(struct sim_text *t, int64_t v)
{
    char b[24];

    return keep(t, b, puan_format(b, sizeof(b), "%lld", (long long)v));
}

static struct puan_str month_text(struct sim_text *t, int64_t month)
{
    char b[8];

    puan_month_text(b, month);
    return keep(t, b, strlen(b));
}

static unsigned stay_of(const struct sim_person *p)
{
    switch (p->situation) {
    case SIM_OUT_NEAR:
        return SIM_STAY_VILLAGE;
    case SIM_OUT_SHORT:
    case SIM_OUT_LONG:
        return p->move == SIM_MOVE_COUNTY ? SIM_STAY_TOWNSHIP
                                          : SIM_STAY_COUNTY_;
    case SIM_ABROAD:
        return p->number % 4 == 0 ? SIM_STAY_SPECIAL : SIM_STAY_ABROAD;
    default:
        return SIM_STAY_HERE;
    }
}

static unsigned registration_of(const struct sim_person *p)
{
    switch (p->situation) {
    case SIM_NEAR:
        return SIM_REG_NEAR;
    case SIM_IN_LONG:
    case SIM_IN_SHORT:
        return p->move == SIM_MOVE_COUNTY ? SIM_REG_TOWNSHIP : SIM_REG_COUNTY_;
    case SIM_PENDING:
        return SIM_REG_PENDING;
    default:
        return SIM_REG_HERE;
    }
}

static int64_t birth_month(const struct sim_person *p)
{
    int y, m, d;

    puan_day_split(p->birth_day, &y, &m, &d);
    return (int64_t)y * 12 + m - 1;
}

/* never, married, divorced, widowed: what the household shows. */
static unsigned marital_of(const struct sim_person *p)
{
    if (p->married == 3)
        return 3;
    if (p->married || p->relation == SIM_SPOUSE ||
        p->relation == SIM_CHILD_IN_LAW)
        return 1;
    if (p->age < 27 || p->number % 5 == 0)
        return 0;
    return p->age >= 60 ? 3 : p->number % 5 == 1 ? 2 : 1;
}

/* Reason of missing, as documents in CSV write it. */
static struct puan_str missing(struct sim_text *t, struct puan_str reason)
{
    char b[64];

    return keep(t, b,
                puan_format(b, sizeof(b), "!%.*s", PUAN_FMT(reason)));
}

static struct puan_str answer(struct sim_text *t, const struct sim_shard *sh,
                              const struct sim_item *it,
                              const struct sim_person *p)
{
    const struct sim_spec *s = sh->spec;
    char b[256];
    unsigned v;

    if (p->age < it->from_age)
        return PUAN_STR("");
    switch (it->concept) {
    case SIM_NAME:
        return keep(t, b, sim_name(b, sizeof(b), s, p));
    case SIM_RELATION:
        return it->value[p->relation];
    case SIM_ID_NUMBER:
        if (p->id_state > 0 && it->n_missing > 0)
            return missing(t, it->missing[(p->id_state - 1) % it->n_missing]);
        sim_id_text(b, p->id_region, p->birth_day, p->id_sequence);
        return keep(t, b, 18);
    case SIM_SEX:
        return it->value[p->sex];
    case SIM_BIRTH_MONTH:
        return month_text(t, birth_month(p));
    case SIM_BIRTH_YEAR:
        return number_text(t, birth_month(p) / 12);
    case SIM_AGE:
        return number_text(t, p->age);
    case SIM_ETHNIC:
        return p->ethnic == 0 ? s->ethnic_majority
                              : s->ethnic_other[p->ethnic - 1];
    case SIM_STAY:
        return it->value[stay_of(p)];
    case SIM_STAY_COUNTY:
        return stay_of(p) == SIM_STAY_COUNTY_ ? s->area[p->other].digits
                                              : PUAN_STR("");
    case SIM_REGISTRATION:
        return it->value[registration_of(p)];
    case SIM_REGISTRATION_COUNTY:
        return registration_of(p) == SIM_REG_COUNTY_ ? s->area[p->other].digits
                                                     : PUAN_STR("");
    case SIM_LEFT_SINCE:
        return p->situation == SIM_PENDING ? PUAN_STR("")
                                           : s->left_code[p->left];
    case SIM_LEFT_REASON:
        if (p->situation == SIM_PENDING || p->left == 0 || s->n_reasons == 0)
            return PUAN_STR("");
        if (s->reason[p->reason].present && stay_of(p) != SIM_STAY_HERE)
            return s->reason[s->n_reasons - 1].code;
        return s->reason[p->reason].code;
    case SIM_EDUCATION:
        return sim_education_code(s, p);
    case SIM_LITERATE:
        if (p->age < s->literate_from)
            return PUAN_STR("");
        return it->value[p->illiterate ? 1 : 0];
    case SIM_MARITAL:
        v = marital_of(p);
        return it->value[v];
    case SIM_DEATH_MONTH:
        return month_text(t, s->reference_month - 12 + p->left);
    case SIM_CARD:
        if (p->id_state > 0 && it->n_missing > 0)
            return missing(t, it->missing[(p->id_state - 1) % it->n_missing]);
        return keep(t, b,
                    puan_format(b, sizeof(b), "Z%03llu%07llu",
                                (unsigned long long)(p->number >> 32) % 1000,
                                (unsigned long long)(p->number & 0xffffffffu) %
                                    10000000));
    case SIM_CONSTANT:
        return it->word[0];
    case SIM_WORD:
        return it->word[sim_mix(p->number + 5) % it->n_words];
    case SIM_TYPE:
    case SIM_PRESENT:
    case SIM_ABSENT:
    case SIM_PERSONS:
    case SIM_BIRTHS_MALE:
    case SIM_BIRTHS_FEMALE:
    case SIM_BIRTHS:
    case SIM_DEATHS_MALE:
    case SIM_DEATHS_FEMALE:
    case SIM_DEATHS:
    case SIM_DWELLING:
    case SIM_FLOOR_AREA:
    case SIM_ROOMS:
    case SIM_CONCEPTS:
        break;
    }
    return PUAN_STR("");
}

struct counts {
    int64_t present, absent, born[2], dead[2];
};

static void count(struct counts *c, const struct sim_person *p)
{
    if (stay_of(p) == SIM_STAY_HERE)
        c->present++;
    else
        c->absent++;
    if (p->age == 0)
        c->born[p->sex]++;
}

static void household(struct sim_form *f, struct sim_text *t,
                      const struct sim_spec *s, const struct sim_home *h,
                      const struct counts *c)
{
    for (unsigned i = 0; i < s->n_items[SIM_HOUSEHOLD]; i++) {
        const struct sim_item *it = &s->item[SIM_HOUSEHOLD][i];
        struct puan_str v = PUAN_STR("");

        switch ((int)it->concept) {
        case SIM_TYPE:
            v = it->value[h->type];
            break;
        case SIM_PRESENT:
            v = number_text(t, c->present);
            break;
        case SIM_ABSENT:
            v = number_text(t, c->absent);
            break;
        case SIM_PERSONS:
            v = number_text(t, c->present + c->absent);
            break;
        case SIM_BIRTHS_MALE:
            v = number_text(t, c->born[0]);
            break;
        case SIM_BIRTHS_FEMALE:
            v = number_text(t, c->born[1]);
            break;
        case SIM_BIRTHS:
            v = number_text(t, c->born[0] + c->born[1]);
            break;
        case SIM_DEATHS_MALE:
            v = number_text(t, c->dead[0]);
            break;
        case SIM_DEATHS_FEMALE:
            v = number_text(t, c->dead[1]);
            break;
        case SIM_DEATHS:
            v = number_text(t, c->dead[0] + c->dead[1]);
            break;
        case SIM_DWELLING:
            v = it->value[h->dwelling];
            break;
        case SIM_FLOOR_AREA:
            if (h->dwelling == SIM_ORDINARY)
                v = number_text(t, h->floor);
            break;
        case SIM_CONSTANT:
            v = it->word[0];
            break;
        case SIM_ROOMS:
            if (h->dwelling == SIM_ORDINARY)
                v = number_text(t, h->rooms);
            break;
        default:
            break;
        }
        f->household[i] = v;
    }
}

static void person(struct sim_form *f, struct sim_text *t,
                   const struct sim_shard *sh, const struct sim_person *p)
{
    uint32_t line = f->n_persons;

    if (line == SIM_LINES)
        return;
    for (unsigned i = 0; i < sh->spec->n_items[SIM_PERSON]; i++)
        f->person[line][i] = answer(t, sh, &sh->spec->item[SIM_PERSON][i], p);
    f->age[line] = p->age;
    f->number[line] = p->number;
    f->n_persons++;
}

static void counts_of(struct counts *c, const struct sim_shard *sh,
                      const struct sim_home *h)
{
    *c = (struct counts){ 0 };
    for (uint32_t k = 0; k < h->n; k++)
        count(c, &sh->person[sh->order[h->first + k]]);
    if (h->stillborn > 0)
        c->born[h->stillborn - 1]++;
    for (uint32_t k = 0; k < h->deaths; k++)
        c->dead[sh->death[h->death_first + k].sex]++;
}

void sim_form_true(struct sim_form *f, struct sim_text *t,
                   const struct sim_shard *sh, const struct sim_home *home)
{
    const struct sim_spec *s = sh->spec;
    struct counts c;

    f->n_persons = f->n_deaths = 0;
    counts_of(&c, sh, home);
    household(f, t, s, home, &c);
    for (uint32_t k = 0; k < home->n; k++)
        person(f, t, sh, &sh->person[sh->order[home->first + k]]);
    for (uint32_t k = 0; k < home->deaths; k++) {
        const struct sim_person *p = &sh->death[home->death_first + k];

        for (unsigned i = 0; i < s->n_items[SIM_DEATH]; i++)
            f->death[f->n_deaths][i] =
                answer(t, sh, &s->item[SIM_DEATH][i], p);
        f->n_deaths++;
    }
}

void sim_form_extra(struct sim_form *f, struct sim_text *t,
                    const struct sim_shard *sh, const struct sim_home *home,
                    const struct sim_person *p)
{
    struct counts c;

    counts_of(&c, sh, home);
    count(&c, p);
    household(f, t, sh->spec, home, &c);
    person(f, t, sh, p);
}

void sim_form_invented(struct sim_form *f, struct sim_text *t,
                       const struct sim_shard *sh, const struct sim_home *home,
                       uint64_t key)
{
    static const unsigned relation[] = { SIM_HEAD, SIM_SPOUSE, SIM_CHILD,
                                         SIM_CHILD };
    const struct sim_spec *s = sh->spec;
    struct sim_rng r = { key, 0 };
    struct sim_home made = *home;
    struct counts c = { 0 };
    uint32_t n = 1 + sim_below(&r, 4);
    int y, m, d, head = 30 + 5 * (int)sim_below(&r, 8);
    uint8_t surname = (uint8_t)sim_below(&r, 60);

    f->n_persons = f->n_deaths = 0;
    puan_day_split(s->reference_day, &y, &m, &d);
    made.type = SIM_FAMILY;
    made.dwelling = SIM_ORDINARY;
    made.rooms = 3;
    made.floor = sim_below(&r, 3) ? 100 : 80;
    for (uint32_t k = 0; k < n; k++) {
        struct sim_person p = { 0 };
        uint32_t u;
        int year;

        p.number = ((uint64_t)999 << 32) | (home->extra * 4 + k);
        p.relation = (uint8_t)relation[k];
        p.sex = (uint8_t)(k == 0   ? 0
                          : k == 1 ? 1
                                   : sim_below(&r, 2));
        /* birth years that end in 0 or 5 */
        year = y - head - (k >= 2 ? -25 - 5 * (int)(k - 2) : 0);
        year -= year % 5;
        if (year >= y - 1)
            year = y - 5;
        /* unissued sequences, and no number twice */
        u = home->extra * 4 + k;
        p.birth_day = (int32_t)puan_day_of(year, 1 + (int)(u / 50 % 12),
                                           1 + (int)(u / 600 % 28));
        p.age = (uint8_t)sim_age_of(s, p.birth_day);
        p.id_region =
            (uint32_t)s->area[(sh->index + u / 16800) % s->n_areas].code;
        p.id_sequence = (uint16_t)((450 + u % 50) * 2 + (p.sex == 0));
        p.situation = SIM_HOME;
        p.surname = surname;
        if (s->n_edu > 0) {
            unsigned level = p.age < 18 ? 2 : 3;

            if (p.age < s->edu_from_age)
                p.education = 0;
            else if (p.age < s->edu_fit_from)
                p.education = 100;
            else if (p.age < 12 || level >= s->n_edu)
                p.education = (uint8_t)(s->n_edu > 2 ? 3 : 1);
            else
                p.education = (uint8_t)(level + 1);
        }
        count(&c, &p);
        person(f, t, sh, &p);
    }
    household(f, t, s, &made, &c);
}

/* ---- conditions ------------------------------------------------------- */

bool sim_form_holds(const struct sim_form *f, const struct sim_when *w,
                    unsigned n, uint32_t line)
{
    for (unsigned i = 0; i < n; i++, w++) {
        struct puan_str v;
        bool in = false;

        if (w->item < 0) {
            int64_t x = w->item == -1   ? f->age[line]
                        : w->item == -2 ? (int64_t)line + 1
                                        : f->near;

            if (x < w->from || x > w->to)
                return false;
            continue;
        }
        v = w->entity == SIM_HOUSEHOLD ? f->household[w->item]
            : w->entity == SIM_DEATH   ? f->death[line][w->item]
                                       : f->person[line][w->item];
        for (unsigned k = 0; k < w->n_values && !in; k++)
            in = puan_str_eq(v, w->value[k]);
        if (!in)
            return false;
    }
    return true;
}

const struct sim_case *sim_form_case(const struct sim_form *f,
                                     const struct sim_spec *s, uint32_t line)
{
    for (unsigned i = 0; i < s->n_cases; i++)
        if (sim_form_holds(f, s->cases[i].when, s->cases[i].n_when, line))
            return &s->cases[i];
    return NULL;
}

int64_t sim_form_residents(const struct sim_form *f, const struct sim_spec *s)
{
    int64_t n = 0;

    for (uint32_t l = 0; l < f->n_persons; l++) {
        const struct sim_case *c = sim_form_case(f, s, l);

        n += c != NULL && c->resident;
    }
    return n;
}

/* ---- item errors ------------------------------------------------------ */

static bool given(struct puan_str v)
{
    return v.n > 0 && v.p[0] != '!';
}

/* The check character over digits that need not hold a date. */
static void renew_check(char *id)
{
    static const int weight[17] = { 7, 9, 10, 5, 8, 4, 2, 1, 6,
                                    3, 7, 9,  10, 5, 8, 4, 2 };
    int sum = 0;

    for (int i = 0; i < 17; i++)
        sum += (id[i] - '0') * weight[i];
    id[17] = "10X98765432"[sum % 11];
}

static bool changed(struct puan_str *out, struct sim_form *f,
                    struct sim_text *t, const struct sim_fault_kind *k,
                    uint32_t line, struct puan_str was, struct sim_rng *r)
{
    char b[32];
    int64_t v, month;

    switch (k->op) {
    case SIM_OP_SET:
        for (unsigned i = 0, at = sim_below(r, k->n_values); i < k->n_values;
             i++, at = (at + 1) % k->n_values)
            if (!puan_str_eq(was, k->value[at])) {
                *out = k->value[at];
                return true;
            }
        return false;
    case SIM_OP_CLEAR:
        *out = PUAN_STR("");
        return given(was);
    case SIM_OP_MISSING:
        *out = PUAN_STR("!");
        return given(was);
    case SIM_OP_DIGIT:
    case SIM_OP_SHORT:
    case SIM_OP_DATE:
        if (!given(was) || was.n != 18)
            return false;
        memcpy(b, was.p, 18);
        if (k->op == SIM_OP_DIGIT) {
            uint32_t at = 14 + sim_below(r, 2);

            b[at] = (char)('0' +
                           ((uint32_t)(b[at] - '0') + 1 + sim_below(r, 9)) %
                               10);
        } else if (k->op == SIM_OP_SHORT) {
            uint32_t at = 6 + sim_below(r, 10);

            memmove(b + at, b + at + 1, 17 - at);
            *out = keep(t, b, 17);
            return true;
        } else {
            memcpy(b + 10, sim_below(r, 2) ? "0230" : "1331", 4);
            renew_check(b);
        }
        *out = keep(t, b, 18);
        return true;
    case SIM_OP_MONTH:
        if (!puan_month_parse(&month, was))
            return false;
        v = month / 12 * 12 + (month % 12 + 1 + sim_below(r, 11)) % 12;
        *out = month_text(t, v);
        return true;
    case SIM_OP_ADD:
        if (!puan_int_parse(&v, was) || !puan_int_parse(&month, k->value[0]))
            return false;
        *out = number_text(t, v + month);
        return true;
    case SIM_OP_SAME:
        for (uint32_t o = 0; o < f->n_persons && given(was); o++) {
            struct puan_str other = f->person[o][k->item];

            if (o != line && given(other) && !puan_str_eq(other, was) &&
                sim_form_holds(f, k->with, k->n_with, o)) {
                *out = other;
                return true;
            }
        }
        return false;
    }
    return false;
}

static bool try_kind(struct sim_error *out, struct sim_form *f,
                     struct sim_text *t, const struct sim_spec *s,
                     const struct sim_fault_kind *k, struct sim_rng *r)
{
    uint32_t n = k->entity == SIM_HOUSEHOLD ? 1 : f->n_persons;
    uint32_t from = n > 0 ? sim_below(r, n) : 0;
    int id = s->item_of[SIM_PERSON][SIM_ID_NUMBER]; /* tells month and sex */

    for (uint32_t i = 0; i < n; i++) {
        uint32_t line = (from + i) % n;
        struct puan_str *cell = k->entity == SIM_HOUSEHOLD
                                    ? &f->household[k->item]
                                    : &f->person[line][k->item];
        bool with = k->n_with == 0;

        if (!sim_form_holds(f, k->when, k->n_when, line))
            continue;
        for (uint32_t o = 0; o < f->n_persons && !with; o++)
            with = o != line && sim_form_holds(f, k->with, k->n_with, o);
        if (!with)
            continue;
        /* month and sex contradict a number only where there is one */
        if (k->entity == SIM_PERSON && id >= 0 &&
            (s->item[SIM_PERSON][k->item].concept == SIM_SEX ||
             s->item[SIM_PERSON][k->item].concept == SIM_BIRTH_MONTH) &&
            !given(f->person[line][id]))
            continue;
        out->was = *cell;
        if (!changed(&out->is, f, t, k, line, out->was, r))
            continue;
        *cell = out->is;
        out->kind = k;
        out->line = k->entity == SIM_HOUSEHOLD ? 0 : line + 1;
        return true;
    }
    return false;
}

bool sim_form_err(struct sim_error *out, struct sim_form *f, struct sim_text *t,
                  const struct sim_spec *s, struct sim_rng *r)
{
    int64_t all = 0;

    for (unsigned i = 0; i < s->n_faults; i++)
        all += s->fault[i].weight;
    for (int tries = 0; tries < 40 && all > 0; tries++) {
        int64_t at = (int64_t)sim_below(r, (uint32_t)all);
        unsigned i = 0;

        while (i + 1 < s->n_faults && (at -= s->fault[i].weight) >= 0)
            i++;
        if (try_kind(out, f, t, s, &s->fault[i], r))
            return true;
    }
    for (unsigned i = 0; i < s->n_faults; i++)
        if (try_kind(out, f, t, s, &s->fault[i], r))
            return true;
    return false;
}
