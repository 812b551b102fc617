/*
 * Where people are registered and where they were on the night: the published
 * numbers of persons registered elsewhere exactly, and for each of them the
 * record at the other end, as far as that end is simulated.
 *
 * Residents are the anchored side.  A resident who came from elsewhere long
 * ago is met again, absent, where the registration is; a resident who left a
 * short time ago is met again, present, where the stay is.  Neither of these
 * second records is a resident's.
 */
#include "features/simulate/sim.h"

#include "base/calendar.h"
#include "kit/os/os.h"

#include <stdlib.h>

enum puan_status sim_links_add(struct sim_links *l, const struct sim_link *one,
                               struct puan_err *err)
{
    if (l->n == l->cap) {
        size_t cap = l->cap > 0 ? l->cap * 2 : 4096;
        struct sim_link *p = realloc(l->p, cap * sizeof(*p));

        if (p == NULL)
            return puan_fail(err, PUAN_ENOMEM, "simulate", "out of memory");
        l->p = p;
        l->cap = cap;
    }
    l->p[l->n++] = *one;
    return PUAN_OK;
}

void sim_links_clear(struct sim_links *l)
{
    free(l->p);
    *l = (struct sim_links){ 0 };
}

/* Rows of the margins a mover may come from, with running populations. */
struct origins {
    uint32_t *row;
    int64_t *upto;
    uint32_t n;
};

struct moving {
    struct sim_shard *sh;
    struct sim_rng rng;
    struct origins near, province, nation; /* same prefecture; rest; others */
};

static int64_t prefix(const struct sim_spec *s, int64_t code, unsigned level)
{
    unsigned drop = s->level[s->shard].digits - s->level[level].digits;

    while (drop-- > 0)
        code /= 10;
    return code;
}

static void origins_add(struct origins *o, const struct sim_spec *s,
                        uint32_t row)
{
    o->row[o->n] = row;
    o->upto[o->n] = (o->n > 0 ? o->upto[o->n - 1] : 0) +
                    s->area[row].population + 1;
    o->n++;
}

static enum puan_status moving_init(struct moving *m, struct sim_shard *sh,
                                    uint64_t purpose, struct puan_err *err)
{
    const struct sim_spec *s = sh->spec;
    struct origins *all[3] = { &m->near, &m->province, &m->nation };
    unsigned top = 0;

    m->sh = sh;
    m->rng = sim_rng_of(sh->run->opt.seed, purpose, (uint64_t)sh->row->code);
    for (int i = 0; i < 3; i++) {
        all[i]->row = puan_new_n(sh->arena, s->n_areas, uint32_t);
        all[i]->upto = puan_new_n(sh->arena, s->n_areas, int64_t);
        all[i]->n = 0;
    }
    if (sh->arena->failed)
        return puan_arena_check(sh->arena, err);
    while (top < s->shard && s->level[top].digits == 0)
        top++;
    for (uint32_t i = 0; i < s->n_areas; i++) {
        int64_t code = s->area[i].code;

        if (i == sh->index)
            continue;
        if (prefix(s, code, top) != prefix(s, sh->row->code, top))
            origins_add(&m->nation, s, i);
        else if (s->shard > 0 && prefix(s, code, s->shard - 1) ==
                                     prefix(s, sh->row->code, s->shard - 1))
            origins_add(&m->near, s, i);
        else
            origins_add(&m->province, s, i);
    }
    return PUAN_OK;
}

static uint32_t origin_draw(struct origins *o, struct sim_rng *r)
{
    int64_t at;
    uint32_t lo = 0, hi;

    if (o->n == 0)
        return SIM_NONE;
    at = (int64_t)(sim_next(r) >> 11) % o->upto[o->n - 1];
    hi = o->n - 1;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (o->upto[mid] > at)
            hi = mid;
        else
            lo = mid + 1;
    }
    return o->row[lo];
}

static uint32_t origin(struct moving *m, enum sim_move move)
{
    uint32_t row = SIM_NONE;

    if (move == SIM_MOVE_COUNTY)
        return m->sh->index;
    if (move == SIM_MOVE_PROVINCE) {
        bool close = sim_permille(
            &m->rng, m->sh->spec->rate[SIM_RATE_SAME_PREFECTURE]);

        row = origin_draw(close ? &m->near : &m->province, &m->rng);
        if (row == SIM_NONE)
            row = origin_draw(close ? &m->province : &m->near, &m->rng);
    }
    if (row == SIM_NONE)
        row = origin_draw(&m->nation, &m->rng);
    return row != SIM_NONE ? row : m->sh->index;
}

static bool simulated(const struct sim_run *run, uint32_t row)
{
    size_t lo = 0, hi = run->n_shards;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (run->shard[mid] < row)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < run->n_shards && run->shard[lo] == row;
}

/* Completed months since birth at the reference moment. */
static int64_t months_old(const struct sim_shard *sh, const struct sim_person *p)
{
    int y, m, d;

    puan_day_split(p->birth_day, &y, &m, &d);
    return sh->spec->reference_month - ((int64_t)y * 12 + m);
}

/* Class of half a year or more, not longer ago than the person is old. */
static uint8_t left_long(const struct sim_spec *s, struct sim_rng *r,
                         int64_t months)
{
    int64_t all = 0, at;
    unsigned i;

    for (i = 2; i < s->n_left; i++)
        if (s->left_months[i] <= months)
            all += s->left_weight[i];
    if (all <= 0)
        return 2;
    at = (int64_t)sim_below(r, (uint32_t)all);
    for (i = 2; i + 1 < s->n_left; i++)
        if (s->left_months[i] <= months) {
            at -= s->left_weight[i];
            if (at < 0)
                break;
        }
    return (uint8_t)i;
}

/* The household's class, or the longest the person's age allows. */
static uint8_t left_with(const struct sim_spec *s, unsigned class,
                         int64_t months)
{
    while (class > 2 && s->left_months[class] > months)
        class--;
    return (uint8_t)class;
}

static uint8_t reason(const struct sim_spec *s, struct sim_rng *r, int age)
{
    int64_t all = 0, at;

    for (unsigned i = 0; i < s->n_reasons; i++)
        if (age >= s->reason[i].from && age <= s->reason[i].to)
            all += s->reason[i].weight;
    if (all <= 0)
        return 0;
    at = (int64_t)sim_below(r, (uint32_t)all);
    for (unsigned i = 0; i < s->n_reasons; i++)
        if (age >= s->reason[i].from && age <= s->reason[i].to) {
            at -= s->reason[i].weight;
            if (at < 0)
                return (uint8_t)i;
        }
    return 0;
}

/* Below half a year nobody can have left half a year ago. */
#define MOVE_MONTHS 6

static bool come(struct moving *m, struct sim_person *p, enum sim_move move,
                 uint32_t from, unsigned class, int64_t quota[SIM_MOVES])
{
    int64_t months = months_old(m->sh, p);

    if (p->situation != SIM_HOME || months < MOVE_MONTHS || quota[move] <= 0)
        return false;
    p->situation = SIM_IN_LONG;
    p->move = (uint8_t)move;
    p->other = from;
    p->left = class > 0 ? left_with(m->sh->spec, class, months)
                        : left_long(m->sh->spec, &m->rng, months);
    p->reason = reason(m->sh->spec, &m->rng, p->age);
    quota[move]--;
    return true;
}

static enum sim_move draw_move(struct sim_rng *r,
                               const int64_t quota[SIM_MOVES])
{
    int64_t all = 0, at;

    for (int i = 0; i < SIM_MOVES; i++)
        all += quota[i] > 0 ? quota[i] : 0;
    at = all > 0 ? (int64_t)(sim_next(r) >> 11) % all : 0;
    for (int i = 0; i + 1 < SIM_MOVES; i++) {
        if (quota[i] > 0)
            at -= quota[i];
        if (at < 0)
            return (enum sim_move)i;
    }
    return SIM_MOVE_NATION;
}

static int64_t sum(const int64_t quota[SIM_MOVES])
{
    return quota[0] + quota[1] + quota[2];
}

/* A household that came here as a whole, from one place, at one time. */
static void whole_home(struct moving *m, uint32_t h, int64_t quota[SIM_MOVES])
{
    struct sim_shard *sh = m->sh;
    struct sim_home *home = &sh->home[h];
    enum sim_move move = draw_move(&m->rng, quota);
    uint32_t from = origin(m, move), i = home->first;
    unsigned class = left_long(sh->spec, &m->rng, 1200);
    bool all = true;

    for (uint32_t k = 0; k < home->n; k++, i = sh->next[i])
        if (!come(m, &sh->person[i], move, from, class, quota)) {
            all = false;
            /* born after the move: not yet registered anywhere */
            if (months_old(sh, &sh->person[i]) < MOVE_MONTHS)
                sh->person[i].situation = SIM_PENDING;
        }
    home->whole = all;
}

static void collective_homes(struct moving *m, int64_t quota[SIM_MOVES])
{
    struct sim_shard *sh = m->sh;

    for (uint32_t h = sh->n_family; h < sh->n_homes; h++) {
        uint32_t i = sh->home[h].first;

        for (uint32_t k = 0; k < sh->home[h].n; k++, i = sh->next[i])
            if (sum(quota) > 0 && sim_permille(&m->rng, 700)) {
                enum sim_move move = draw_move(&m->rng, quota);

                (void)come(m, &sh->person[i], move, origin(m, move), 0, quota);
            }
    }
}

static uint32_t *shuffled(struct moving *m, uint32_t n)
{
    uint32_t *x = puan_new_n(m->sh->arena, n, uint32_t);

    for (uint32_t i = 0; i < n && x != NULL; i++)
        x[i] = i;
    for (uint32_t i = n; i > 1 && x != NULL; i--) {
        uint32_t j = sim_below(&m->rng, i), t = x[i - 1];

        x[i - 1] = x[j];
        x[j] = t;
    }
    return x;
}

static bool has_other_district(const struct sim_shard *sh, uint32_t ea)
{
    const struct sim_ground *g = &sh->ground;
    const struct sim_ground_area *t = &g->area[g->near[ea]];
    const struct sim_ground_area *d = &g->area[g->district[ea]];

    return t->ea_end - t->ea_first > d->ea_end - d->ea_first;
}

enum puan_status sim_moves_residents(struct sim_shard *sh,
                                     struct puan_err *err)
{
    const struct sim_spec *s = sh->spec;
    struct moving m;
    int64_t quota[SIM_MOVES], keep, n;
    uint32_t *order;
    enum puan_status st;

    if (!s->two_sided)
        return PUAN_OK;
    if ((st = moving_init(&m, sh, 3, err)) != PUAN_OK)
        return st;
    memcpy(quota, sh->want.migration, sizeof(quota));
    if (sh->ground.area[0].ea_end > 0 && quota[SIM_MOVE_COUNTY] > 0 &&
        sh->ground.area[sh->ground.near[0]].ea_end == sh->ground.n_ea) {
        quota[SIM_MOVE_PROVINCE] += quota[SIM_MOVE_COUNTY];
        quota[SIM_MOVE_COUNTY] = 0; /* one township only */
    }
    collective_homes(&m, quota);
    order = shuffled(&m, sh->n_family);
    if (order == NULL)
        return puan_arena_check(sh->arena, err);
    /* Most come as whole households, young ones before old ones. */
    keep = sum(quota) / 6;
    for (int round = 0; round < 2; round++)
        for (uint32_t k = 0; k < sh->n_family && sum(quota) > keep; k++) {
            const struct sim_home *h = &sh->home[order[k]];
            int age = sh->person[h->first].age;

            if (sh->person[h->first].situation == SIM_HOME &&
                (round > 0 ||
                 sim_permille(&m.rng, age < 45   ? 900
                                      : age < 60 ? 450
                                                 : 150)))
                whole_home(&m, order[k], quota);
        }
    /* The rest came alone: by marriage, to children, to work. */
    for (int round = 0; round < 4; round++)
        for (uint32_t k = 0; k < sh->n_residents && sum(quota) > 0; k++) {
            struct sim_person *p = &sh->person[k];
            int chance = round >= 2 ? 1000
                         : p->relation == SIM_SPOUSE ||
                                 p->relation == SIM_CHILD_IN_LAW
                             ? 120
                             : p->relation == SIM_HEAD ? 4 : 30;

            if (p->situation == SIM_HOME && (p->age >= 6 || round == 3) &&
                sim_permille(&m.rng, chance)) {
                enum sim_move move = draw_move(&m.rng, quota);

                (void)come(&m, p, move, origin(&m, move), 0, quota);
            }
        }
    for (int i = 0; i < SIM_MOVES; i++)
        sh->got.migration[i] = sh->want.migration[i] - quota[i];

    /* Those who are elsewhere, or registered nearby, or nowhere. */
    n = (int64_t)sh->n_residents * s->rate[SIM_RATE_NEAR] / 1000;
    for (uint32_t k = 0; k < sh->n_family && n > 0; k++) {
        const struct sim_home *h = &sh->home[order[k]];
        uint32_t i = h->first;
        unsigned class = left_long(s, &m.rng, 1200);

        if (sim_permille(&m.rng, 700) || !has_other_district(sh, h->ea))
            continue;
        for (uint32_t j = 0; j < h->n; j++, i = sh->next[i]) {
            struct sim_person *p = &sh->person[i];

            if (p->situation != SIM_HOME || months_old(sh, p) < MOVE_MONTHS)
                continue;
            p->situation = SIM_NEAR;
            p->other = sh->index;
            p->left = left_with(s, class, months_old(sh, p));
            p->reason = reason(s, &m.rng, p->age);
            n--;
        }
    }
    for (uint32_t k = 0; k < sh->n_residents; k++) {
        struct sim_person *p = &sh->person[k];
        const struct sim_home *h = &sh->home[p->home];
        uint32_t x = sim_below(&m.rng, 100000);
        int64_t short_ = s->rate[SIM_RATE_AWAY_SHORT] * 200;
        int64_t abroad = s->rate[SIM_RATE_ABROAD] * 250;

        if (p->situation != SIM_HOME)
            continue;
        if (p->age == 0 && months_old(sh, p) >= MOVE_MONTHS)
            continue; /* registered by then */
        if ((int64_t)x < s->rate[SIM_RATE_PENDING] * (p->age == 0 ? 2000 : 90)) {
            p->situation = SIM_PENDING;
            continue;
        }
        /* only grown members of households somebody stays in go away */
        if (h->type != SIM_FAMILY || h->n < 2 || p->relation == SIM_HEAD ||
            p->age < 16 || p->age > 60)
            continue;
        x = sim_below(&m.rng, 100000);
        if ((int64_t)x < short_) {
            bool outside = sim_permille(
                &m.rng, s->rate[SIM_RATE_AWAY_SHORT_OUTSIDE]);

            p->situation = SIM_OUT_SHORT;
            p->move = outside || sh->want.migration[SIM_MOVE_COUNTY] == 0
                          ? (uint8_t)(sim_permille(&m.rng, 600)
                                          ? SIM_MOVE_PROVINCE
                                          : SIM_MOVE_NATION)
                          : (uint8_t)SIM_MOVE_COUNTY;
            p->other = origin(&m, (enum sim_move)p->move);
            if (p->other == sh->index)
                p->move = SIM_MOVE_COUNTY;
            p->left = 1;
            p->reason = reason(s, &m.rng, p->age);
        } else if ((int64_t)x < short_ + abroad) {
            p->situation = SIM_ABROAD;
            p->other = sh->index;
            p->left = left_long(s, &m.rng, months_old(sh, p));
            p->reason = reason(s, &m.rng, p->age);
        }
    }
    return PUAN_OK;
}

/* ---- the other ends --------------------------------------------------- */

static enum puan_status new_person(uint32_t *out, struct sim_shard *sh,
                                   const struct sim_person *like,
                                   struct puan_err *err)
{
    if (sh->n_persons == sh->cap_persons)
        return puan_fail(err, PUAN_EBUG, "simulate", "too few persons allotted");
    *out = sh->n_persons++;
    sh->person[*out] = *like;
    return PUAN_OK;
}

/* A home that can take an absent or visiting person on its form. */
static uint32_t host(struct moving *m, const struct sim_person *p,
                     uint32_t not_near, uint32_t only_near,
                     uint32_t not_district, uint8_t *relation, bool kin)
{
    struct sim_shard *sh = m->sh;
    const struct sim_ground *g = &sh->ground;
    uint32_t best = SIM_NONE;

    for (int tries = 0; tries < 4000; tries++) {
        uint32_t h = sim_below(&m->rng, sh->n_family), ea = sh->home[h].ea;
        uint8_t r = SIM_OTHER;

        if (g->near[ea] == not_near || g->district[ea] == not_district ||
            (only_near != SIM_NONE && g->near[ea] != only_near) ||
            sh->home[h].n > 9)
            continue;
        if (kin)
            r = sim_homes_relation(sh, h, p);
        if (r == SIM_CHILD && sh->person[sh->home[h].first].ethnic != p->ethnic)
            r = SIM_OTHER;
        if (best == SIM_NONE || r != SIM_OTHER) {
            best = h;
            *relation = r;
        }
        if (r != SIM_OTHER || !kin || (tries > 16 && best != SIM_NONE))
            break;
    }
    return best;
}

/* The absent side of somebody who came here, or went nearby. */
static enum puan_status absent_side(struct moving *m,
                                    const struct sim_person *like,
                                    unsigned situation, uint32_t not_near,
                                    uint32_t only_near, uint32_t not_district,
                                    struct puan_err *err)
{
    struct sim_shard *sh = m->sh;
    struct sim_person p = *like;
    uint8_t relation = SIM_OTHER;
    uint32_t i = 0, h = host(m, &p, not_near, only_near, not_district, &relation,
                         situation != SIM_IN_SHORT);
    enum puan_status st;

    if (h == SIM_NONE)
        h = sim_below(&m->rng, sh->n_family); /* a single area */
    p.situation = (uint8_t)situation;
    if ((st = new_person(&i, sh, &p, err)) == PUAN_OK)
        sim_homes_add(sh, h, i, relation);
    return st;
}

/*
 * A household met again at its parents' or friends': all on one form, so that
 * no small child is away alone.
 */
static enum puan_status joined(struct moving *m, uint32_t *home,
                               const struct sim_person *like,
                               unsigned situation, uint32_t not_near,
                               uint32_t only_near, uint32_t not_district,
                               struct puan_err *err)
{
    struct sim_shard *sh = m->sh;
    struct sim_person p = *like;
    uint8_t relation = SIM_OTHER;
    uint32_t i = 0;
    enum puan_status st;

    if (*home == SIM_NONE) {
        *home = host(m, &p, not_near, only_near, not_district, &relation, true);
        if (*home == SIM_NONE)
            *home = sim_below(&m->rng, sh->n_family);
    } else {
        relation = sim_homes_relation(sh, *home, &p);
        if (relation == SIM_CHILD &&
            sh->person[sh->home[*home].first].ethnic != p.ethnic)
            relation = SIM_OTHER;
    }
    p.situation = (uint8_t)situation;
    if ((st = new_person(&i, sh, &p, err)) == PUAN_OK)
        sim_homes_add(sh, *home, i, relation);
    return st;
}

/* A household that is away as a whole keeps its form where it is registered. */
static enum puan_status away_home(struct moving *m, uint32_t ea, uint32_t *home,
                                  struct puan_err *err)
{
    struct sim_shard *sh = m->sh;

    if (sh->n_homes == sh->cap_homes)
        return puan_fail(err, PUAN_EBUG, "simulate",
                         "too few households allotted");
    *home = sh->n_homes++;
    sh->home[*home].type = SIM_FAMILY;
    sh->home[*home].dwelling = SIM_ORDINARY;
    sh->home[*home].status = SIM_AWAY;
    sh->home[*home].ea = ea;
    return PUAN_OK;
}

static uint32_t ea_elsewhere(struct moving *m, uint32_t not_near)
{
    const struct sim_ground *g = &m->sh->ground;
    uint32_t ea = 0;

    for (int tries = 0; tries < 1000; tries++) {
        ea = sim_below(&m->rng, g->n_ea);
        if (g->near[ea] != not_near)
            break;
    }
    return ea;
}

static enum puan_status of_this_county(struct moving *m, struct puan_err *err)
{
    struct sim_shard *sh = m->sh;
    uint32_t n = sh->n_residents, n_homes = sh->n_homes;
    enum puan_status st = PUAN_OK;

    for (uint32_t h = 0; h < n_homes && st == PUAN_OK; h++) {
        uint32_t first = sh->home[h].first, i = first, away = SIM_NONE;
        uint32_t near = sh->ground.near[sh->home[h].ea];
        bool left;

        if (!sh->home[h].whole || sh->person[first].move != SIM_MOVE_COUNTY ||
            first >= n)
            continue;
        /* about half of the whole households left an empty one behind */
        left = sim_permille(&m->rng, 450);
        if (left)
            st = away_home(m, ea_elsewhere(m, near), &away, err);
        for (uint32_t k = 0; k < sh->home[h].n && st == PUAN_OK;
             k++, i = sh->next[i]) {
            struct sim_person p = sh->person[i];
            uint32_t j = 0;

            if (i >= n) /* a guest, who stands on this form already */
                continue;
            p.situation = SIM_OUT_LONG;
            if (!left)
                st = joined(m, &away, &p, SIM_OUT_LONG, near, SIM_NONE,
                            SIM_NONE, err);
            else if ((st = new_person(&j, sh, &p, err)) == PUAN_OK)
                sim_homes_add(sh, away, j, p.relation);
            sh->person[i].generation = 1; /* met */
        }
    }
    for (uint32_t h = 0; h < sh->n_family && st == PUAN_OK; h++) {
        uint32_t i = sh->home[h].first, to = SIM_NONE, ea = sh->home[h].ea;

        for (uint32_t k = 0; k < sh->home[h].n && st == PUAN_OK;
             k++, i = sh->next[i])
            if (i < n && sh->person[i].situation == SIM_NEAR)
                st = joined(m, &to, &sh->person[i], SIM_OUT_NEAR, SIM_NONE,
                            sh->ground.near[ea], sh->ground.district[ea], err);
    }
    for (uint32_t i = 0; i < n && st == PUAN_OK; i++) {
        const struct sim_person *p = &sh->person[i];
        uint32_t ea = sh->home[p->home].ea;
        uint32_t near = sh->ground.near[ea];

        if (p->generation == 1)
            continue;
        if (p->situation == SIM_IN_LONG && p->move == SIM_MOVE_COUNTY)
            st = absent_side(m, p, SIM_OUT_LONG, near, SIM_NONE, SIM_NONE, err);
        else if (p->situation == SIM_OUT_SHORT && p->move == SIM_MOVE_COUNTY)
            st = absent_side(m, p, SIM_IN_SHORT, near, SIM_NONE, SIM_NONE, err);
    }
    return st;
}

static enum puan_status send(struct moving *m, struct sim_links *links,
                             struct puan_err *err)
{
    struct sim_shard *sh = m->sh;
    enum puan_status st = PUAN_OK;

    for (uint32_t h = 0; h < sh->n_homes && st == PUAN_OK; h++) {
        uint32_t i = sh->home[h].first;

        /* the head stands first in the list, so in what is sent too */
        for (uint32_t k = 0; k < sh->home[h].n && st == PUAN_OK;
             k++, i = sh->next[i]) {
            const struct sim_person *p = &sh->person[i];
            struct sim_link l = { .from = sh->index, .to = p->other };

            if ((p->situation != SIM_IN_LONG &&
                 p->situation != SIM_OUT_SHORT) ||
                p->move == SIM_MOVE_COUNTY || !simulated(sh->run, p->other))
                continue;
            l.group = sh->home[h].whole ? h : SIM_NONE;
            l.person = *p;
            l.person.situation =
                p->situation == SIM_IN_LONG ? SIM_OUT_LONG : SIM_IN_SHORT;
            l.person.other = sh->index;
            l.person.home = SIM_NONE;
            l.person.generation = 0;
            st = sim_links_add(links, &l, err);
        }
    }
    return st;
}

static enum puan_status receive(struct moving *m, struct puan_err *err)
{
    struct sim_shard *sh = m->sh;
    const struct sim_links *links = &sh->run->links;
    uint32_t group = SIM_NONE, from = SIM_NONE, home = SIM_NONE;
    bool left = false;
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; i < links->n && st == PUAN_OK; i++) {
        const struct sim_link *l = &links->p[i];

        if (l->to != sh->index || l->duplicate)
            continue;
        if (l->group == SIM_NONE || l->person.situation != SIM_OUT_LONG) {
            st = absent_side(m, &l->person, l->person.situation, SIM_NONE,
                             SIM_NONE, SIM_NONE, err);
            continue;
        }
        if (l->group != group || l->from != from) {
            group = l->group;
            from = l->from;
            home = SIM_NONE;
            /* the head comes first, or the home would have none */
            left = sim_permille(&m->rng, 500) &&
                   l->person.relation == SIM_HEAD;
            if (left)
                st = away_home(m, sim_below(&m->rng, sh->ground.n_ea), &home,
                               err);
        }
        if (st != PUAN_OK)
            break;
        if (left) {
            uint32_t j = 0;

            if ((st = new_person(&j, sh, &l->person, err)) == PUAN_OK)
                sim_homes_add(sh, home, j, l->person.relation);
        } else {
            st = joined(m, &home, &l->person, SIM_OUT_LONG, SIM_NONE,
                        SIM_NONE, SIM_NONE, err);
        }
    }
    return st;
}

/* Persons whose other end is outside everything simulated. */
static enum puan_status strangers(struct moving *m, struct puan_err *err)
{
    static const struct sim_weighted age_weight[] = {
        { 0, 0 }, { 6, 3 }, { 16, 10 }, { 20, 30 }, { 36, 15 }, { 51, 6 }, { 66, 1 }
    };
    struct sim_shard *sh = m->sh;
    const struct sim_spec *s = sh->spec;
    int64_t n_long = (int64_t)sh->n_residents * s->rate[SIM_RATE_AWAY_LONG] /
                     1000;
    int64_t n_short =
        (int64_t)sh->n_residents * s->rate[SIM_RATE_VISITING_SHORT] / 1000;
    enum puan_status st = PUAN_OK;

    for (int64_t k = 0; k < n_long + n_short && st == PUAN_OK; k++) {
        struct sim_person p = { 0 };
        bool absent = k < n_long;
        int tries = 0;

        do {
            p.age = (uint8_t)((absent ? 1 : 18) + sim_below(&m->rng, 70));
        } while ((int64_t)sim_below(&m->rng, 30) >=
                 sim_step(age_weight, PUAN_COUNT(age_weight), p.age));
        do {
            p.move = sim_permille(&m->rng, 600) ? SIM_MOVE_PROVINCE
                                                : SIM_MOVE_NATION;
            p.other = origin(m, (enum sim_move)p.move);
        } while ((p.other == sh->index || simulated(sh->run, p.other)) &&
                 ++tries < 40);
        if (tries == 40)
            continue; /* everything is simulated */
        p.sex = (uint8_t)sim_below(&m->rng, 2);
        {
            int y, mo, d;
            int64_t first;

            puan_day_split(s->reference_day, &y, &mo, &d);
            first = puan_day_of(y - p.age - 1, mo, d);
            p.birth_day =
                (int32_t)(first + (int64_t)sim_below(
                                      &m->rng,
                                      (uint32_t)(puan_day_of(y - p.age, mo, d) -
                                                 first)));
        }
        p.number = ((uint64_t)sh->index << 32) | sh->serial++;
        p.situation = absent ? SIM_OUT_LONG : SIM_IN_SHORT;
        p.left = absent ? left_long(s, &m->rng, months_old(sh, &p)) : 1;
        p.reason = reason(s, &m->rng, p.age);
        if ((st = sim_attributes_one(sh, &m->rng, &p, err)) == PUAN_OK)
            st = absent_side(m, &p, p.situation, SIM_NONE, SIM_NONE, SIM_NONE,
                             err);
    }
    return st;
}

enum puan_status sim_moves_others(struct sim_shard *sh,
                                  struct sim_links *links,
                                  struct puan_err *err)
{
    struct moving m;
    enum puan_status st;

    if (!sh->spec->two_sided)
        return PUAN_OK;
    if ((st = moving_init(&m, sh, 4, err)) != PUAN_OK)
        return st;
    if (links != NULL)
        return send(&m, links, err);
    if ((st = of_this_county(&m, err)) == PUAN_OK &&
        (st = receive(&m, err)) == PUAN_OK)
        st = strangers(&m, err);
    return st;
}
