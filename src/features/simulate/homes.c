/*
 * Residents into households: the published numbers of households, one-person
 * households and household members exactly, generations as far as the ages
 * allow, relations that break no rule of kinship.
 *
 * Persons of a sex and age are interchangeable here, so the population is a
 * table of piles by sex and age.  Households with the narrowest needs are
 * built first; whoever is left over joins a household where a relation fits.
 */
#include "features/simulate/sim.h"

struct piles {
    struct sim_shard *sh;
    struct sim_rng rng;
    uint32_t *pile; /* all persons, by sex and age */
    uint32_t at[2][SIM_AGES], n[2][SIM_AGES];
    uint32_t total;
    uint32_t homes_left; /* still to be begun after the one in work */
    uint32_t home;       /* in work */
};

void sim_homes_add(struct sim_shard *sh, uint32_t h, uint32_t i,
                   unsigned relation)
{
    struct sim_home *m = &sh->home[h];

    sh->person[i].home = h;
    sh->person[i].relation = (uint8_t)relation;
    if (relation == SIM_HEAD || m->n == 0) {
        sh->next[i] = m->first;
        m->first = i;
    } else {
        sh->next[i] = sh->next[m->first];
        sh->next[m->first] = i;
    }
    m->n++;
}

static void add(struct piles *p, uint32_t i, unsigned relation)
{
    sim_homes_add(p->sh, p->home, i, relation);
}

static uint32_t pop(struct piles *p, int sex, int age)
{
    p->total--;
    return p->pile[p->at[sex][age] + --p->n[sex][age]];
}

/* The person of that sex nearest to `target` within [lo, hi], or NONE. */
static uint32_t take(struct piles *p, int sex, int target, int lo, int hi)
{
    if (hi >= SIM_AGES)
        hi = SIM_AGES - 1;
    if (lo < 0)
        lo = 0;
    if (target < lo)
        target = lo;
    if (target > hi)
        target = hi;
    for (int d = 0; lo <= hi && d <= hi - lo; d++) {
        if (target + d <= hi && p->n[sex][target + d] > 0)
            return pop(p, sex, target + d);
        if (target - d >= lo && p->n[sex][target - d] > 0)
            return pop(p, sex, target - d);
    }
    return SIM_NONE;
}

static uint32_t count(const struct piles *p, int lo, int hi)
{
    uint32_t n = 0;

    for (int a = lo; a <= hi && a < SIM_AGES; a++)
        n += p->n[0][a] + p->n[1][a];
    return n;
}

/* Anybody of these ages, in proportion to who is left, or NONE. */
static uint32_t take_any(struct piles *p, int lo, int hi)
{
    uint32_t all = count(p, lo, hi), k;

    if (all == 0)
        return SIM_NONE;
    k = sim_below(&p->rng, all);
    for (int a = lo; a <= hi && a < SIM_AGES; a++)
        for (int s = 0; s < 2; s++) {
            if (k < p->n[s][a])
                return pop(p, s, a);
            k -= p->n[s][a];
        }
    return SIM_NONE;
}

/* Puts a person back on the pile it came from: the last taken of its age. */
static void put_back(struct piles *p, uint32_t i)
{
    const struct sim_person *q = &p->sh->person[i];

    if (i == SIM_NONE)
        return;
    p->pile[p->at[q->sex][q->age] + p->n[q->sex][q->age]++] = i;
    p->total++;
}

/* k more may be taken and every household to come still finds two. */
static bool can(const struct piles *p, uint32_t k)
{
    return (uint64_t)p->total >= k + 2 * (uint64_t)p->homes_left;
}

static int age(const struct piles *p, uint32_t i)
{
    return p->sh->person[i].age;
}

static int sex(const struct piles *p, uint32_t i)
{
    return p->sh->person[i].sex;
}

/* A wife or husband for i, of legal age and not far from i's age. */
static uint32_t partner(struct piles *p, uint32_t i)
{
    bool woman = sex(p, i) == 1;
    int target = age(p, i) + (woman ? 2 : -2) + sim_bell(&p->rng, 2);
    int lo = age(p, i) - 12, least = woman ? 22 : 20;

    if (age(p, i) < (woman ? 20 : 22))
        return SIM_NONE;
    return take(p, !woman, target, lo > least ? lo : least, age(p, i) + 12);
}

uint8_t sim_homes_relation(const struct sim_shard *sh, uint32_t h,
                           const struct sim_person *p)
{
    const struct sim_home *m = &sh->home[h];
    const struct sim_person *head = &sh->person[m->first];
    int gap = (int)head->age - (int)p->age;
    bool spouse = false, parent[2] = { false, false };
    bool grandparent[2] = { false, false };
    int in_law = 0, mate = 0, mother = 0;
    uint32_t i = m->first;

    if (m->type != SIM_FAMILY || head->relation != SIM_HEAD)
        return SIM_OTHER;
    for (uint32_t k = 0; k < m->n; k++, i = sh->next[i]) {
        const struct sim_person *q = &sh->person[i];
        int d = (int)q->age - (int)p->age;

        spouse |= q->relation == SIM_SPOUSE;
        if (q->relation == SIM_PARENT)
            parent[q->sex] = true;
        if (q->relation == SIM_GRANDPARENT)
            grandparent[q->sex] = true;
        in_law += q->relation == SIM_CHILD_IN_LAW;
        if (q->relation == SIM_CHILD && q->sex != p->sex && q->age >= 22 &&
            d >= -8 && d <= 8)
            mate++;
        if (q->relation == SIM_CHILD && d >= 20 && d <= 42)
            mother++;
    }
    if (gap >= 20 && gap <= (head->sex == 1 ? 44 : 55)) {
        if (p->age >= 22 && mate > in_law)
            return SIM_CHILD_IN_LAW;
        return SIM_CHILD;
    }
    if (-gap >= 19 && -gap <= 42 && !parent[p->sex])
        return SIM_PARENT;
    if (gap >= 42 && gap <= 80 && mother > 0)
        return SIM_GRANDCHILD;
    if (-gap >= 43 && -gap <= 70 && !grandparent[p->sex])
        return SIM_GRANDPARENT;
    if (!spouse && head->sex != p->sex && p->age >= 23 && head->age >= 23 &&
        gap >= -8 && gap <= 8)
        return SIM_SPOUSE;
    if (gap >= -12 && gap <= 12)
        return SIM_SIBLING;
    return SIM_OTHER;
}

/* Marries the head of the home in work. */
static void marry(struct piles *p, uint32_t a, uint32_t b)
{
    p->sh->person[a].married = 1;
    p->sh->person[b].married = 1;
}

static int younger(const struct piles *p, uint32_t a, uint32_t b)
{
    if (a == SIM_NONE || b == SIM_NONE)
        return age(p, a == SIM_NONE ? b : a);
    return age(p, a) < age(p, b) ? age(p, a) : age(p, b);
}

/* Brothers and sisters of the first child; `parent` is the younger's age. */
static void more_children(struct piles *p, uint32_t first, int parent,
                          int per_mille, unsigned relation)
{
    int at = age(p, first);

    for (int i = 0; i < 3 && per_mille > 0; i++) {
        uint32_t c;
        int gap = 2 + (int)sim_below(&p->rng, 5);
        int s = (int)sim_below(&p->rng, 2);

        if (!sim_permille(&p->rng, per_mille) || !can(p, 1))
            return;
        per_mille -= 700;
        at += sim_below(&p->rng, 2) ? gap : -gap;
        if (at < 0)
            at = gap;
        c = take(p, s, at, parent - 43, parent - 20);
        if (c == SIM_NONE || age(p, c) > 24) {
            put_back(p, c);
            return;
        }
        add(p, c, relation);
    }
}

/* Parents with children: the children's age decides the rest. */
static bool build_parents(struct piles *p, int child_lo, int child_hi,
                          int more, int generations)
{
    uint32_t c, mother, father, granny = SIM_NONE, grandpa = SIM_NONE;
    uint32_t great = SIM_NONE, head, other;
    int born;

    if (!can(p, (uint32_t)generations + 1))
        return false;
    c = take_any(p, child_lo, child_hi);
    if (c == SIM_NONE)
        return false;
    born = 27 + sim_bell(&p->rng, 3);
    mother = take(p, 1, age(p, c) + born, age(p, c) + 20, age(p, c) + 42);
    father = SIM_NONE;
    if (mother == SIM_NONE || !sim_permille(&p->rng, 50)) {
        if (mother != SIM_NONE)
            father = take(p, 0, age(p, mother) + 2 + sim_bell(&p->rng, 2),
                          age(p, mother) - 8 > age(p, c) + 22
                              ? age(p, mother) - 8
                              : age(p, c) + 22,
                          age(p, mother) + 14);
        else
            father = take(p, 0, age(p, c) + 29, age(p, c) + 22, age(p, c) + 50);
    } else if (sim_permille(&p->rng, 500)) { /* a father alone */
        father = take(p, 0, age(p, mother) + 2, age(p, c) + 22, age(p, c) + 50);
        if (father != SIM_NONE) {
            put_back(p, mother);
            mother = SIM_NONE;
        }
    }
    if (mother == SIM_NONE && father == SIM_NONE) {
        put_back(p, c);
        return false;
    }
    head = father != SIM_NONE && (mother == SIM_NONE ||
                                  !sim_permille(&p->rng, 180))
               ? father
               : mother;
    other = head == father ? mother : father;
    if (generations >= 3) {
        int of = age(p, head);

        granny = take(p, 1, of + 25 + sim_bell(&p->rng, 2), of + 19, of + 40);
        if (granny == SIM_NONE || sim_permille(&p->rng, 650))
            grandpa = take(p, 0,
                           granny != SIM_NONE
                               ? age(p, granny) + 2 + sim_bell(&p->rng, 2)
                               : of + 27,
                           of + 20, of + 45);
        if (granny == SIM_NONE && grandpa == SIM_NONE) {
            put_back(p, other);
            put_back(p, head);
            put_back(p, c);
            return false;
        }
    }
    if (generations >= 4) {
        int of = granny != SIM_NONE ? age(p, granny) : age(p, grandpa);
        int s = sim_permille(&p->rng, 700) ? 1 : 0;

        great = take(p, s, of + 24, of + 18, of + 40);
        if (great == SIM_NONE)
            great = take(p, !s, of + 24, of + 18, of + 40);
    }
    /* Old parents keep the head's place in part of the families. */
    if (generations == 3 && great == SIM_NONE && sim_permille(&p->rng, 450)) {
        uint32_t old = grandpa != SIM_NONE ? grandpa : granny;
        uint32_t wife = old == grandpa ? granny : SIM_NONE;

        add(p, old, SIM_HEAD);
        if (wife != SIM_NONE) {
            add(p, wife, SIM_SPOUSE);
            marry(p, old, wife);
        }
        add(p, head, SIM_CHILD);
        if (other != SIM_NONE) {
            add(p, other, SIM_CHILD_IN_LAW);
            marry(p, head, other);
        }
        add(p, c, SIM_GRANDCHILD);
        more_children(p, c, younger(p, mother, father), more, SIM_GRANDCHILD);
        return true;
    }
    add(p, head, SIM_HEAD);
    if (other != SIM_NONE) {
        add(p, other, SIM_SPOUSE);
        marry(p, head, other);
    }
    add(p, c, SIM_CHILD);
    if (granny != SIM_NONE)
        add(p, granny, SIM_PARENT);
    if (grandpa != SIM_NONE)
        add(p, grandpa, SIM_PARENT);
    if (granny != SIM_NONE && grandpa != SIM_NONE)
        marry(p, granny, grandpa);
    if (great != SIM_NONE)
        add(p, great, SIM_GRANDPARENT);
    more_children(p, c, younger(p, mother, father), more, SIM_CHILD);
    return true;
}

/* Grandparents bringing up a grandchild. */
static bool build_skipped(struct piles *p)
{
    uint32_t c = take_any(p, 2, 15), g, w;

    if (c == SIM_NONE)
        return false;
    g = take(p, (int)sim_below(&p->rng, 2), age(p, c) + 55, age(p, c) + 45,
             age(p, c) + 75);
    if (g == SIM_NONE) {
        put_back(p, c);
        return false;
    }
    add(p, g, SIM_HEAD);
    add(p, c, SIM_GRANDCHILD);
    if (can(p, 1) && sim_permille(&p->rng, 700) &&
        (w = partner(p, g)) != SIM_NONE) {
        if (age(p, w) >= age(p, c) + 26) {
            add(p, w, SIM_SPOUSE);
            marry(p, g, w);
        } else {
            put_back(p, w);
        }
    }
    return true;
}

/* A grown person with an old parent. */
static bool build_old_parent(struct piles *p)
{
    uint32_t o = take_any(p, 62, SIM_AGES - 1), c, w;

    if (o == SIM_NONE)
        return false;
    c = take(p, sim_permille(&p->rng, 650) ? 0 : 1,
             age(p, o) - 26 + sim_bell(&p->rng, 2), age(p, o) - 42,
             age(p, o) - 19);
    if (c == SIM_NONE || age(p, c) < 20) {
        put_back(p, c);
        put_back(p, o);
        return false;
    }
    add(p, c, SIM_HEAD);
    add(p, o, SIM_PARENT);
    if (can(p, 1) && sim_permille(&p->rng, 600) &&
        (w = partner(p, c)) != SIM_NONE) {
        add(p, w, SIM_SPOUSE);
        marry(p, c, w);
    }
    return true;
}

/* Two of one generation: a couple, else brothers and sisters, else anybody. */
static void build_pair(struct piles *p)
{
    uint32_t a = take_any(p, 22, SIM_AGES - 1), b;

    if (a == SIM_NONE)
        a = take_any(p, 16, SIM_AGES - 1);
    if (a == SIM_NONE)
        a = take_any(p, 0, SIM_AGES - 1);
    if (a == SIM_NONE)
        return;
    add(p, a, SIM_HEAD);
    b = sim_permille(&p->rng, 960) ? partner(p, a) : SIM_NONE;
    if (b != SIM_NONE) {
        add(p, b, SIM_SPOUSE);
        marry(p, a, b);
        return;
    }
    b = take(p, (int)sim_below(&p->rng, 2), age(p, a) - 3, age(p, a) - 12,
             age(p, a) + 12);
    if (b != SIM_NONE) {
        add(p, b, SIM_SIBLING);
        return;
    }
    b = take_any(p, 0, SIM_AGES - 1);
    if (b != SIM_NONE)
        add(p, b,
            sim_homes_relation(p->sh, p->home, &p->sh->person[b]));
}

/* Persons of collective households, by age, no more than most of a pile. */
static enum puan_status collective(struct piles *p, int64_t total,
                                   struct puan_err *err)
{
    static const struct sim_weighted men[] = { { 0, 0 },  { 12, 1 },
                                               { 16, 9 }, { 23, 4 },
                                               { 31, 3 }, { 56, 1 },
                                               { 75, 2 } };
    static const struct sim_weighted women[] = { { 0, 0 },  { 12, 1 },
                                                 { 16, 9 }, { 23, 3 },
                                                 { 31, 1 }, { 75, 2 } };
    struct sim_shard *sh = p->sh;
    double w[2 * SIM_AGES];
    int64_t cap[2 * SIM_AGES], n[2 * SIM_AGES], left;
    /* boarders, workers, old people; men and women live apart */
    static const int class_from[] = { 0, 23, 65, SIM_AGES };

    for (int a = 0; a < SIM_AGES; a++) {
        w[a] = (double)sim_step(men, PUAN_COUNT(men), a) * p->n[0][a];
        w[SIM_AGES + a] =
            (double)sim_step(women, PUAN_COUNT(women), a) * p->n[1][a];
        cap[a] = p->n[0][a] * 7 / 10;
        cap[SIM_AGES + a] = p->n[1][a] * 7 / 10;
    }
    left = sim_apportion(n, w, cap, 2 * SIM_AGES, total);
    for (int a = SIM_AGES - 1; a >= 0 && left > 0; a--)
        for (int s = 0; s < 2 && left > 0; s++) {
            int64_t k = p->n[s][a] - n[s * SIM_AGES + a];

            k = k > left ? left : k;
            n[s * SIM_AGES + a] += k;
            left -= k;
        }
    for (int c = 0; c < 3; c++)
        for (int s = 0; s < 2; s++) {
            int64_t rest = 0, size = 0;
            uint32_t *who;
            uint32_t k = 0;

            for (int a = class_from[c]; a < class_from[c + 1]; a++)
                rest += n[s * SIM_AGES + a];
            who = puan_new_n(sh->arena, (size_t)rest, uint32_t);
            if (who == NULL)
                return puan_arena_check(sh->arena, err);
            for (int a = class_from[c]; a < class_from[c + 1]; a++)
                for (int64_t i = 0; i < n[s * SIM_AGES + a]; i++)
                    who[k++] = pop(p, s, a);
            for (uint32_t i = k; i > 1; i--) {
                uint32_t j = sim_below(&p->rng, i), t = who[i - 1];

                who[i - 1] = who[j];
                who[j] = t;
            }
            for (uint32_t i = 0; i < k; i++) {
                if (size <= 0 && (rest > 1 || sh->n_homes == sh->n_family)) {
                    for (uint32_t j = i; j < k && j < i + 20; j++)
                        if (age(p, who[j]) >= 18) { /* the head is grown */
                            uint32_t t = who[i];

                            who[i] = who[j];
                            who[j] = t;
                            break;
                        }
                    size = 3 + sim_below(&p->rng, 14);
                    if (sh->n_homes == sh->cap_homes)
                        return puan_fail(err, PUAN_EBUG, "simulate",
                                         "too few households allotted");
                    p->home = sh->n_homes++;
                    sh->home[p->home].type = SIM_COLLECTIVE;
                    sh->home[p->home].dwelling =
                        c == 1 && sim_permille(&p->rng, 250) ? SIM_WORKPLACE
                                                             : SIM_QUARTERS;
                }
                add(p, who[i],
                    sh->home[p->home].n == 0 ? SIM_HEAD : SIM_OTHER);
                size--;
                rest--;
            }
        }
    return PUAN_OK;
}

static void singles(struct piles *p, int64_t total)
{
    static const struct sim_weighted by_age[] = { { 0, 0 },  { 18, 4 },
                                                  { 22, 12 }, { 36, 7 },
                                                  { 56, 10 }, { 65, 16 },
                                                  { 75, 26 } };
    double w[2 * SIM_AGES];
    int64_t cap[2 * SIM_AGES], n[2 * SIM_AGES], left;

    for (int a = 0; a < SIM_AGES; a++)
        for (int s = 0; s < 2; s++) {
            w[s * SIM_AGES + a] =
                (double)sim_step(by_age, PUAN_COUNT(by_age), a) * p->n[s][a];
            cap[s * SIM_AGES + a] = a < 18 ? 0 : p->n[s][a] * 6 / 10;
        }
    left = sim_apportion(n, w, cap, 2 * SIM_AGES, total);
    for (int a = 18; a < SIM_AGES && left > 0; a++)
        for (int s = 0; s < 2 && left > 0; s++) {
            int64_t k = p->n[s][a] - n[s * SIM_AGES + a];

            k = k > left ? left : k;
            n[s * SIM_AGES + a] += k;
            left -= k;
        }
    for (int a = 0; a < SIM_AGES; a++)
        for (int s = 0; s < 2; s++)
            for (int64_t i = 0; i < n[s * SIM_AGES + a]; i++) {
                add(p, pop(p, s, a), SIM_HEAD);
                p->home++;
            }
    for (; left > 0 && p->total > 0; left--) {
        add(p, take_any(p, 0, SIM_AGES - 1), SIM_HEAD);
        p->home++;
    }
}

static uint32_t below(const struct piles *p, int limit)
{
    return count(p, 0, limit - 1);
}

/* Whoever is left joins a household of two or more. */
static void leftovers(struct piles *p, uint32_t from, uint32_t to)
{
    while (p->total > 0) {
        uint32_t i = take_any(p, 0, SIM_AGES - 1), best = SIM_NONE;
        uint8_t relation = SIM_OTHER;

        for (int tries = 0; tries < 60; tries++) {
            uint32_t h = from < to ? from + sim_below(&p->rng, to - from)
                                   : sim_below(&p->rng, p->sh->n_homes);
            uint8_t r;

            if (p->sh->home[h].n >= (tries < 50 ? 7 : 90))
                continue;
            r = sim_homes_relation(p->sh, h, &p->sh->person[i]);
            if (r == SIM_SPOUSE && p->sh->home[h].n > 1)
                marry(p, i, p->sh->home[h].first);
            if (best == SIM_NONE || r != SIM_OTHER) {
                best = h;
                relation = r;
            }
            if (r != SIM_OTHER)
                break;
        }
        if (best == SIM_NONE)
            best = from < to ? from : 0;
        sim_homes_add(p->sh, best, i, relation);
    }
}

static uint8_t generations_of(const struct sim_shard *sh, uint32_t h)
{
    unsigned up = 0, down = 0;
    uint32_t i = sh->home[h].first;

    for (uint32_t k = 0; k < sh->home[h].n; k++, i = sh->next[i])
        switch (sh->person[i].relation) {
        case SIM_CHILD:
        case SIM_CHILD_IN_LAW:
            down = down > 1 ? down : 1;
            break;
        case SIM_GRANDCHILD:
            down = 2;
            break;
        case SIM_PARENT:
        case SIM_PARENT_IN_LAW:
            up = up > 1 ? up : 1;
            break;
        case SIM_GRANDPARENT:
            up = 2;
            break;
        default:
            break;
        }
    /* a grandchild without its parents is still two generations */
    if (down == 2 && up == 0) {
        bool middle = false;

        i = sh->home[h].first;
        for (uint32_t k = 0; k < sh->home[h].n; k++, i = sh->next[i])
            middle |= sh->person[i].relation == SIM_CHILD;
        if (!middle)
            down = 1;
    }
    return (uint8_t)(1 + up + down);
}

static enum puan_status fill_piles(struct piles *p, struct puan_err *err)
{
    struct sim_shard *sh = p->sh;
    uint32_t at = 0;

    p->pile = puan_new_n(sh->arena, sh->n_residents, uint32_t);
    if (p->pile == NULL)
        return puan_arena_check(sh->arena, err);
    for (uint32_t i = 0; i < sh->n_residents; i++)
        p->n[sh->person[i].sex][sh->person[i].age]++;
    for (int s = 0; s < 2; s++)
        for (int a = 0; a < SIM_AGES; a++) {
            p->at[s][a] = at;
            at += p->n[s][a];
            p->n[s][a] = 0;
        }
    for (uint32_t i = 0; i < sh->n_residents; i++) {
        const struct sim_person *q = &sh->person[i];

        p->pile[p->at[q->sex][q->age] + p->n[q->sex][q->age]++] = i;
    }
    for (int s = 0; s < 2; s++)
        for (int a = 0; a < SIM_AGES; a++)
            for (uint32_t i = p->n[s][a]; i > 1; i--) {
                uint32_t *x = p->pile + p->at[s][a];
                uint32_t j = sim_below(&p->rng, i), t = x[i - 1];

                x[i - 1] = x[j];
                x[j] = t;
            }
    p->total = sh->n_residents;
    return PUAN_OK;
}

enum puan_status sim_homes_build(struct sim_shard *sh, struct puan_err *err)
{
    struct piles p = { .sh = sh };
    int64_t homes = sh->want.households, one = sh->want.one_person;
    int64_t outside = (int64_t)sh->n_residents - sh->want.household_population;
    int64_t g[4], left, young, with_young, more;
    uint32_t first_big;
    enum puan_status st;

    p.rng = sim_rng_of(sh->run->opt.seed, 2, (uint64_t)sh->row->code);
    if ((st = fill_piles(&p, err)) != PUAN_OK)
        return st;
    sh->n_family = (uint32_t)homes;
    sh->n_homes = (uint32_t)homes;
    if ((st = collective(&p, outside, err)) != PUAN_OK)
        return st;
    p.home = 0;
    singles(&p, one);
    first_big = (uint32_t)one;
    p.home = first_big;
    memcpy(g, sh->want.generations, sizeof(g));
    g[0] -= one;
    left = homes - one - g[0] - g[1] - g[2] - g[3];
    g[1] += left; /* rounding, or no generations published */
    if (g[0] < 0) {
        g[1] += g[0];
        g[0] = 0;
    }
    p.homes_left = (uint32_t)(homes - one);
    young = below(&p, 18);
    with_young = young * 10 / 15;
    if (with_young > g[1] * 9 / 10 + g[2] + g[3])
        with_young = g[1] * 9 / 10 + g[2] + g[3];
    if (with_young < g[2] + g[3])
        with_young = g[2] + g[3];
    more = with_young > 0 ? young * 1000 / with_young - 1000 : 0;
    for (int64_t i = 0; i < homes - one; i++, p.home++) {
        bool done = false;

        p.homes_left--;
        if (i < g[3])
            done = build_parents(&p, 0, 14, (int)more, 4);
        else if (i < g[3] + g[2])
            done = build_parents(&p, 0, 17, (int)more, 3);
        else if (i < with_young)
            done = sim_permille(&p.rng, 40)
                       ? build_skipped(&p)
                       : build_parents(&p, 0, 17, (int)more, 2);
        else if (i < g[3] + g[2] + g[1])
            done = sim_permille(&p.rng, 300)
                       ? build_old_parent(&p)
                       : build_parents(&p, 18, 34, 150, 2);
        if (!done && i < g[3] + g[2] + g[1]) {
            done = build_parents(&p, 0, 34, 0, 2);
            if (!done)
                done = build_old_parent(&p);
        }
        if (!done)
            build_pair(&p);
    }
    leftovers(&p, first_big, (uint32_t)homes);
    for (uint32_t h = 0; h < sh->n_family; h++) {
        const struct sim_home *m = &sh->home[h];

        if (m->n == 0)
            return puan_fail(err, PUAN_EINVAL, "simulate",
                             "the margins of %.*s give more households than "
                             "people; use a larger --scale",
                             PUAN_FMT(sh->row->digits));
        sh->got.households++;
        sh->got.household_population += m->n;
        sh->got.one_person += m->n == 1;
        {
            unsigned k = generations_of(sh, h);

            sh->got.generations[k > 4 ? 3 : k - 1]++;
        }
    }
    return PUAN_OK;
}
