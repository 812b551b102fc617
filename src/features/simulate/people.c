/*
 * One shard from its margins to numbered households: the steps in order.
 */
#include "features/simulate/sim.h"

#include "base/calendar.h"

int sim_age_of(const struct sim_spec *s, int64_t birth_day)
{
    int y, m, d, ry, rm, rd;

    puan_day_split(birth_day, &y, &m, &d);
    puan_day_split(s->reference_day, &ry, &rm, &rd);
    return ry - y - (m >= rm ? 1 : 0);
}

static int64_t scaled(int64_t v, double scale)
{
    return (int64_t)((double)v * scale + 0.5);
}

/* The margins at the run's scale, made to agree with each other. */
static void wanted(struct sim_shard *sh)
{
    const struct sim_spec *s = sh->spec;
    const struct sim_area_row *row = sh->row;
    double scale = sh->run->opt.scale, w[2 * SIM_GROUPS];
    int64_t n[2 * SIM_GROUPS];
    struct sim_fit *f = &sh->want;

    f->residents = scaled(row->population, scale);
    for (unsigned g = 0; g < s->n_groups; g++)
        for (int sex = 0; sex < 2; sex++)
            w[g * 2 + (unsigned)sex] =
                (double)sim_cell(row, s->group[g].column[sex]);
    (void)sim_apportion(n, w, NULL, 2 * s->n_groups, f->residents);
    for (unsigned g = 0; g < s->n_groups; g++)
        for (int sex = 0; sex < 2; sex++)
            f->group[g][sex] = n[g * 2 + (unsigned)sex];
    f->households = scaled(sim_cell(row, s->c_households), scale);
    f->household_population =
        s->c_household_pop >= 0
            ? scaled(sim_cell(row, s->c_household_pop), scale)
            : f->residents;
    f->one_person = scaled(sim_cell(row, s->c_one_person), scale);
    if (f->household_population > f->residents)
        f->household_population = f->residents;
    if (f->household_population < 1 && f->residents > 0)
        f->household_population = 1;
    if (f->households < 1)
        f->households = 1;
    if (f->households > f->household_population)
        f->households = f->household_population;
    if (f->one_person > f->households)
        f->one_person = f->households;
    /* those who do not live alone are at least two */
    if (f->household_population - f->one_person <
        2 * (f->households - f->one_person))
        f->one_person = 2 * f->households - f->household_population;
    if (f->one_person == f->households &&
        f->household_population > f->households)
        f->one_person--;
    for (int i = 0; i < 4; i++)
        f->generations[i] = scaled(sim_cell(row, s->c_generations[i]), scale);
    for (int i = 0; i < SIM_MOVES; i++)
        f->migration[i] = scaled(sim_cell(row, s->c_migration[i]), scale);
    for (int i = 0; i < 2; i++)
        f->illiterate[i] = scaled(sim_cell(row, s->c_illiterate[i]), scale);
    f->minority = s->c_minority >= 0
                      ? f->residents * sim_cell_100(row, s->c_minority) / 10000
                      : f->residents * s->ethnic_permille / 1000;
}

static enum puan_status residents(struct sim_shard *sh, struct puan_err *err)
{
    const struct sim_spec *s = sh->spec;
    uint32_t at = 0;
    int y, m, d;

    puan_day_split(s->reference_day, &y, &m, &d);
    for (unsigned g = 0; g < s->n_groups; g++)
        for (int sex = 0; sex < 2; sex++) {
            int from = s->group[g].from, to = s->group[g].to;
            double w[SIM_AGES];
            int64_t n[SIM_AGES];
            bool open = to - from > 10;

            /* an open last group thins out by a fifth a year */
            for (int a = from; a <= to; a++)
                w[a - from] = a == from || !open ? 1 : w[a - from - 1] * 0.8;
            (void)sim_apportion(n, w, NULL, (size_t)(to - from + 1),
                                sh->want.group[g][sex]);
            for (int a = from; a <= to; a++) {
                int64_t first = puan_day_of(y - a - 1, m, d);
                int64_t days = puan_day_of(y - a, m, d) - first;
                int64_t k = n[a - from];

                for (int64_t i = 0; i < k; i++) {
                    struct sim_person *p = &sh->person[at];

                    if (at == sh->cap_persons)
                        return puan_fail(err, PUAN_EBUG, "simulate",
                                         "too few persons allotted");
                    p->number = ((uint64_t)sh->index << 32) | at;
                    p->birth_day = (int32_t)(first + i * days / k);
                    p->age = (uint8_t)a;
                    p->sex = (uint8_t)sex;
                    p->other = sh->index;
                    at++;
                }
                sh->got.group[g][sex] += k;
            }
        }
    sh->n_residents = sh->n_persons = at;
    sh->serial = at;
    sh->got.residents = at;
    return PUAN_OK;
}

/* Homes to enumeration areas, in proportion to the areas' weights. */
static enum puan_status settle(struct sim_shard *sh, struct puan_err *err)
{
    struct sim_ground *g = &sh->ground;
    struct sim_rng r =
        sim_rng_of(sh->run->opt.seed, 6, (uint64_t)sh->row->code);
    double *w = puan_new_n(sh->arena, g->n_ea, double);
    int64_t *n = puan_new_n(sh->arena, g->n_ea, int64_t);
    uint32_t *order = puan_new_n(sh->arena, sh->n_homes, uint32_t);
    uint32_t k = 0;

    if (sh->arena->failed)
        return puan_arena_check(sh->arena, err);
    for (uint32_t i = 0; i < g->n_ea; i++)
        w[i] = 500 + sim_below(&r, 1000);
    (void)sim_apportion(n, w, NULL, g->n_ea, sh->n_homes);
    for (uint32_t i = 0; i < sh->n_homes; i++)
        order[i] = i;
    for (uint32_t i = sh->n_homes; i > 1; i--) {
        uint32_t j = sim_below(&r, i), t = order[i - 1];

        order[i - 1] = order[j];
        order[j] = t;
    }
    for (uint32_t e = 0; e < g->n_ea; e++)
        for (int64_t i = 0; i < n[e] && k < sh->n_homes; i++)
            sh->home[order[k++]].ea = e;
    return PUAN_OK;
}

static enum puan_status deaths(struct sim_shard *sh, struct sim_rng *r,
                               struct puan_err *err)
{
    const struct sim_spec *s = sh->spec;
    static const struct sim_weighted by_age[] = { { 0, 2 },   { 1, 1 },
                                                  { 30, 2 },  { 50, 10 },
                                                  { 60, 25 }, { 70, 70 },
                                                  { 80, 100 }, { 95, 40 } };
    int64_t n = sh->n_residents * s->rate[SIM_RATE_DEATHS] / 1000, births = 0;
    int y, m, d;

    if (s->n_items[SIM_DEATH] == 0)
        return PUAN_OK;
    for (uint32_t i = 0; i < sh->n_residents; i++)
        births += sh->person[i].age == 0;
    births = births * s->rate[SIM_RATE_INFANT_DEATHS] / 1000;
    sh->death = puan_new_n(sh->arena, (size_t)(n + births), struct sim_person);
    if (sh->death == NULL)
        return puan_arena_check(sh->arena, err);
    puan_day_split(s->reference_day, &y, &m, &d);
    for (int64_t k = 0; k < n + births; k++) {
        struct sim_person *p = &sh->death[sh->n_deaths];
        bool infant = k >= n;
        uint32_t h = sim_below(r, sh->n_family);
        int64_t month, died;
        enum puan_status st;

        /* one death a household keeps the lists short; nothing needs two */
        if (sh->home[h].status != SIM_LISTED || sh->home[h].deaths > 0)
            continue;
        if (!infant)
            do {
                p->age = (uint8_t)(1 + sim_below(r, 104));
            } while ((int64_t)sim_below(r, 100) >=
                     sim_step(by_age, PUAN_COUNT(by_age), p->age));
        p->sex = (uint8_t)sim_below(r, 2);
        p->number = ((uint64_t)sh->index << 32) | sh->serial++;
        p->left = (uint8_t)sim_below(r, 12);
        died = s->reference_month - 12 + p->left;
        /* born so long before the month of death; infants in the window */
        month = infant ? s->reference_month - 12 +
                             (int64_t)sim_below(r, p->left + 1u)
                       : died - p->age * 12 - 1 - (int64_t)sim_below(r, 11);
        p->birth_day = (int32_t)(puan_day_of((int)(month / 12),
                                             (int)(month % 12) + 1, 1) +
                                 sim_below(r, 28));
        p->home = h;
        if ((st = sim_attributes_one(sh, r, p, err)) != PUAN_OK)
            return st;
        p->married = p->age < 24   ? 0
                     : p->age < 60 ? 1
                     : sim_permille(r, 450) ? 3
                                            : 1;
        sh->home[h].deaths = 1;
        sh->home[h].stillborn = infant ? (uint8_t)(1 + p->sex) : 0;
        sh->home[h].death_first = sh->n_deaths++;
    }
    return PUAN_OK;
}

static enum puan_status dwellings(struct sim_shard *sh, struct sim_rng *r,
                                  struct puan_err *err)
{
    const struct sim_spec *s = sh->spec;
    int64_t rooms = sim_cell_100(sh->row, s->c_rooms);
    int64_t floor = sim_cell_100(sh->row, s->c_floor);
    int64_t vacant = (int64_t)sh->n_family * s->rate[SIM_RATE_VACANT] / 1000;

    if (rooms <= 0)
        rooms = 320;
    if (floor <= 0)
        floor = 3500;
    for (uint32_t h = 0; h < sh->n_homes; h++) {
        struct sim_home *m = &sh->home[h];
        int64_t people = m->n > 0 ? m->n : 1, k;

        if (m->type == SIM_FAMILY && m->dwelling == SIM_ORDINARY &&
            m->status == SIM_LISTED) {
            uint32_t x = sim_below(r, 1000);

            m->dwelling = x < 12   ? SIM_WORKPLACE
                          : x < 18 ? SIM_OTHER_DWELLING
                                   : SIM_ORDINARY;
        }
        /* large households have more room, not in proportion */
        k = (rooms * (60 + 14 * people) / 100 + 50 + sim_bell(r, 60)) / 100;
        m->rooms = (int16_t)(k < 1 ? 1 : k > 12 ? 12 : k);
        k = floor * (55 + people * 65) / 12000 +
            floor * (int64_t)sim_below(r, 90) / 10000;
        if (k < 8 * m->rooms)
            k = 8 * m->rooms + (int64_t)sim_below(r, 6);
        if (k > 80 * m->rooms)
            k = 80 * m->rooms;
        m->floor = (int32_t)k;
        m->self = m->type == SIM_FAMILY && m->status == SIM_LISTED &&
                  sim_permille(r, s->rate[SIM_RATE_SELF]);
    }
    for (; vacant > 0; vacant--) {
        struct sim_home *m;

        if (sh->n_homes == sh->cap_homes)
            return puan_fail(err, PUAN_EBUG, "simulate",
                             "too few households allotted");
        m = &sh->home[sh->n_homes++];
        m->type = SIM_FAMILY;
        m->status = SIM_VACANT;
        m->ea = sim_below(r, sh->ground.n_ea);
    }
    return PUAN_OK;
}

/* Household numbers, buildings and units along each area. */
static enum puan_status number(struct sim_shard *sh, struct sim_rng *r,
                               struct puan_err *err)
{
    const struct sim_ground *g = &sh->ground;
    uint32_t *at = puan_new_n(sh->arena, g->n_ea + 1u, uint32_t);

    sh->home_order = puan_new_n(sh->arena, sh->n_homes, uint32_t);
    if (sh->arena->failed)
        return puan_arena_check(sh->arena, err);
    for (uint32_t h = 0; h < sh->n_homes; h++)
        at[sh->home[h].ea + 1]++;
    for (uint32_t e = 0; e < g->n_ea; e++)
        at[e + 1] += at[e];
    for (uint32_t h = 0; h < sh->n_homes; h++)
        sh->home_order[at[sh->home[h].ea]++] = h;
    for (uint32_t e = 0, b = 0; e < g->n_ea; b = at[e], e++) {
        uint32_t n = at[e] - b, building = 1, unit = 1, size;

        if ((int64_t)n >= sh->spec->household_base - 1)
            return puan_fail(err, PUAN_ELIMIT, "simulate",
                             "an enumeration area got %u households; more "
                             "areas are needed",
                             n);
        for (uint32_t i = n; i > 1; i--) {
            uint32_t j = sim_below(r, i), t = sh->home_order[b + i - 1];

            sh->home_order[b + i - 1] = sh->home_order[b + j];
            sh->home_order[b + j] = t;
        }
        /* villages of single houses, and blocks of flats */
        size = sim_permille(r, 450) ? 1 : 4 + sim_below(r, 20);
        for (uint32_t i = 0; i < n; i++) {
            struct sim_home *m = &sh->home[sh->home_order[b + i]];

            m->number = (uint16_t)(i + 1);
            m->building = (uint16_t)building;
            m->unit = (uint16_t)unit++;
            if (unit > size) {
                unit = 1;
                building++;
            }
        }
    }
    return PUAN_OK;
}

/* Persons by household in home_order; the head first, then by relation. */
static enum puan_status order(struct sim_shard *sh, struct puan_err *err)
{
    uint32_t at = 0;

    sh->order = puan_new_n(sh->arena, sh->n_persons, uint32_t);
    if (sh->order == NULL)
        return puan_arena_check(sh->arena, err);
    for (uint32_t k = 0; k < sh->n_homes; k++) {
        struct sim_home *m = &sh->home[sh->home_order[k]];
        uint32_t i = m->first, *x = sh->order + at;

        for (uint32_t j = 0; j < m->n; j++, i = sh->next[i]) {
            uint32_t to = j;

            while (to > 0 && (sh->person[x[to - 1]].relation >
                                  sh->person[i].relation ||
                              (sh->person[x[to - 1]].relation ==
                                   sh->person[i].relation &&
                               sh->person[x[to - 1]].number >
                                   sh->person[i].number))) {
                x[to] = x[to - 1];
                to--;
            }
            x[to] = i;
        }
        m->first = at;
        at += m->n;
    }
    return PUAN_OK;
}

/* Households of the enumeration area that begins at `k` which are visited. */
static uint32_t visited(const struct sim_shard *sh, uint32_t k)
{
    uint32_t ea = sh->home[sh->home_order[k]].ea, n = 0;

    for (; k < sh->n_homes; k++) {
        const struct sim_home *m = &sh->home[sh->home_order[k]];

        if (m->ea != ea)
            break;
        n += m->status != SIM_VACANT && m->n > 0 && !m->self;
    }
    return n;
}

/*
 * When each household was visited or filled its form in.  An enumerator goes
 * through the area over the days it usually takes, which differ from township
 * to township and from one enumerator to the next.
 */
static void visits(struct sim_shard *sh, struct sim_rng *r)
{
    const struct sim_spec *s = sh->spec;
    int64_t open = (int64_t)s->hour_from * 3600, shut = (int64_t)s->hour_to * 3600;
    int64_t zero = s->field_day * 86400 - (int64_t)s->offset_minutes * 60;
    int64_t pace = 1000, first = 0, work = 0, busy = 0, i = 0, n = 1;
    uint32_t ea = SIM_NONE, near = SIM_NONE;

    for (uint32_t k = 0; k < sh->n_homes; k++) {
        struct sim_home *m = &sh->home[sh->home_order[k]];
        int64_t take, at;

        if (m->ea != ea) {
            ea = m->ea;
            if (sh->ground.near[ea] != near) {
                near = sh->ground.near[ea];
                pace = 750 + (int64_t)sim_below(r, 500);
            }
            first = sim_permille(r, 700) ? 0 : (int64_t)sim_below(r, 4);
            work = s->usual_days * (pace - 100 + (int64_t)sim_below(r, 200)) *
                   (shut - open) / 1000;
            if (work > (s->field_days - first) * (shut - open))
                work = (s->field_days - first) * (shut - open);
            n = visited(sh, k);
            i = busy = 0;
        }
        if (m->status == SIM_VACANT || m->n == 0)
            continue;
        take = (int64_t)m->n * s->seconds_per_person *
                   (700 + (int64_t)sim_below(r, 600)) / 1000 +
               60;
        if (m->self) {
            int64_t dawn = open - 3600, last = shut + 3600;

            m->seconds = (int32_t)(120 + (int64_t)m->n *
                                             (100 + sim_below(r, 160)));
            m->started_s = zero +
                           (int64_t)sim_below(r, (uint32_t)s->self_days) *
                               86400 +
                           dawn +
                           (int64_t)sim_below(
                               r, (uint32_t)(last - dawn - m->seconds > 1
                                                 ? last - dawn - m->seconds
                                                 : 1));
            continue;
        }
        if (take > (shut - open) / 3) /* dormitories answer from a list */
            take = (shut - open) / 3;
        at = work * i++ / n;
        at = (first + at / (shut - open)) * 86400 + open + at % (shut - open) +
             (int64_t)sim_below(r, 1800);
        if (at < busy)
            at = busy;
        if (at % 86400 < open || at % 86400 + take > shut)
            at = (at + 86400 - open) / 86400 * 86400 + open +
                 (int64_t)sim_below(r, 1800);
        m->started_s = zero + at;
        m->seconds = (int32_t)take;
        busy = at + take + 120 + (int64_t)sim_below(r, 600);
    }
}

enum puan_status sim_shard_make(struct sim_shard *sh, const struct sim_run *run,
                                uint32_t slot, struct sim_links *links,
                                struct puan_arena *a, struct puan_err *err)
{
    const struct sim_spec *s = run->spec;
    struct sim_rng r;
    int64_t moves, cap, incoming = 0;
    enum puan_status st;

    *sh = (struct sim_shard){ .run = run,
                              .spec = s,
                              .index = run->shard[slot],
                              .slot = slot,
                              .arena = a };
    sh->row = &s->area[sh->index];
    sh->ox = (int32_t)slot % run->columns * run->side;
    sh->oy = (int32_t)slot / run->columns * run->side;
    st = sim_ground_make(&sh->ground, s, sh->row, run->opt.seed, run->opt.scale,
                         sh->ox, sh->oy, run->side, a, err);
    if (st != PUAN_OK || run->opt.only_areas)
        return st;
    wanted(sh);
    moves = s->two_sided ? sh->want.migration[0] + sh->want.migration[1] +
                               sh->want.migration[2]
                         : 0;
    for (size_t i = 0; i < run->links.n; i++)
        incoming += run->links.p[i].to == sh->index;
    cap = sh->want.residents + 64;
    if (s->two_sided && links == NULL)
        cap += sh->want.migration[SIM_MOVE_COUNTY] + incoming +
               sh->want.residents *
                   (2 * s->rate[SIM_RATE_NEAR] + s->rate[SIM_RATE_AWAY_SHORT] +
                    s->rate[SIM_RATE_VISITING_SHORT] +
                    s->rate[SIM_RATE_AWAY_LONG] + 10) /
                   1000;
    sh->cap_persons = (uint32_t)cap;
    /* families, dormitories of three or more, empty homes of movers, vacant */
    cap = sh->want.households +
          (sh->want.residents - sh->want.household_population) / 2 + 64 +
          sh->want.households * s->rate[SIM_RATE_VACANT] / 1000 +
          (links == NULL ? moves / 2 + incoming : 0);
    sh->cap_homes = (uint32_t)cap;
    sh->person = puan_new_n(a, sh->cap_persons, struct sim_person);
    sh->next = puan_new_n(a, sh->cap_persons, uint32_t);
    sh->home = puan_new_n(a, sh->cap_homes, struct sim_home);
    if ((st = puan_arena_check(a, err)) != PUAN_OK)
        return st;
    if (sh->want.residents < 1 || sh->want.household_population < 1)
        return puan_fail(err, PUAN_EINVAL, "simulate",
                         "area %.*s has no population at this scale",
                         PUAN_FMT(sh->row->digits));
    r = sim_rng_of(run->opt.seed, 7, (uint64_t)sh->row->code);
    if ((st = residents(sh, err)) != PUAN_OK ||
        (st = sim_homes_build(sh, err)) != PUAN_OK ||
        (st = settle(sh, err)) != PUAN_OK ||
        (st = sim_moves_residents(sh, err)) != PUAN_OK ||
        (st = sim_attributes(sh, err)) != PUAN_OK ||
        (st = sim_moves_others(sh, links, err)) != PUAN_OK)
        return st;
    if (links != NULL) /* first pass: what others must know, is known */
        return run->opt.faults ? sim_faults_plan(sh, links, err) : PUAN_OK;
    if ((st = deaths(sh, &r, err)) != PUAN_OK ||
        (st = dwellings(sh, &r, err)) != PUAN_OK ||
        (st = number(sh, &r, err)) != PUAN_OK || (st = order(sh, err)) != PUAN_OK)
        return st;
    visits(sh, &r);
    return run->opt.faults ? sim_faults_plan(sh, NULL, err) : PUAN_OK;
}
