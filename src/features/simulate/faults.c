/*
 * Which households carry which fault: at most one each, so that the effects
 * on any count add up.  What the fault does to the answers is forms.c's.
 */
#include "features/simulate/sim.h"

/* Shares of the contract, in parts of 10,000 persons or households. */
#define ITEM_ERRORS 50
#define DUPLICATES 30
#define OMITTED 50
#define INVENTORS 100

static bool plain(const struct sim_home *h)
{
    return h->fault == SIM_CLEAN && h->status == SIM_LISTED && h->n > 0;
}

static bool may_be_doubled(const struct sim_shard *sh, uint32_t i)
{
    const struct sim_person *p = &sh->person[i];
    const struct sim_home *h = &sh->home[p->home];

    return plain(h) && h->type == SIM_FAMILY && p->id_state == 0 &&
           p->age >= 16 &&
           (p->situation == SIM_HOME || p->situation == SIM_IN_LONG);
}

static int64_t duplicates_of(const struct sim_shard *sh)
{
    return ((int64_t)sh->n_residents * DUPLICATES + 5000) / 10000;
}

/* The originals of duplicates that other shards of the run will hold. */
static enum puan_status sent_away(struct sim_shard *sh, struct sim_links *links,
                                  struct puan_err *err)
{
    struct sim_rng r =
        sim_rng_of(sh->run->opt.seed, 8, (uint64_t)sh->row->code);
    size_t n_shards = sh->run->n_shards;
    int64_t n = n_shards > 1 ? (duplicates_of(sh) + 4) / 5 : 0;
    enum puan_status st = PUAN_OK;

    for (int64_t tries = 0; n > 0 && tries < 100 * (n + 10) && st == PUAN_OK;
         tries++) {
        uint32_t i = sim_below(&r, sh->n_residents);
        uint32_t to = sim_below(&r, (uint32_t)n_shards);

        if (to == sh->slot || !may_be_doubled(sh, i))
            continue;
        n--;
        sh->home[sh->person[i].home].fault = SIM_KEPT;
        if (links != NULL) {
            struct sim_link l = { .from = sh->index,
                                  .to = sh->run->shard[to],
                                  .duplicate = true,
                                  .group = SIM_NONE,
                                  .person = sh->person[i] };

            if (l.person.situation == SIM_IN_LONG &&
                l.person.other == sh->run->shard[to])
                l.person.situation = SIM_HOME; /* it is registered there */
            if (l.person.situation == SIM_HOME)
                l.person.left = 0;
            else if (l.person.move == SIM_MOVE_COUNTY) {
                /* seen from there, this is another county */
                l.person.move = SIM_MOVE_PROVINCE;
                l.person.other = sh->index;
            }
            st = sim_links_add(links, &l, err);
        }
    }
    return st;
}

/* A household that will hold one person too many. */
static bool give_extra(struct sim_shard *sh, struct sim_rng *r,
                       const struct sim_person *p, uint32_t not_ea)
{
    for (int tries = 0; tries < 1000; tries++) {
        uint32_t h = sim_below(r, sh->n_family);
        struct sim_home *m = &sh->home[h];

        if (!plain(m) || m->ea == not_ea || m->n > 9)
            continue;
        if (sh->n_extras == sh->cap_extras)
            return false;
        m->fault = SIM_DUPLICATE;
        m->extra = sh->n_extras;
        sh->extra[sh->n_extras] = *p;
        sh->extra[sh->n_extras].relation = SIM_OTHER;
        sh->extra[sh->n_extras].home = p->home; /* of the original, if here */
        sh->n_extras++;
        return true;
    }
    return false;
}

static void invent(struct sim_shard *sh, struct sim_rng *r)
{
    const struct sim_ground *g = &sh->ground;
    int64_t n = ((int64_t)g->n_ea * INVENTORS + 5000) / 10000;
    const struct sim_spec *s = sh->spec;
    uint32_t ordinal = 0;

    if (n == 0 && g->n_ea >= 10)
        n = 1;
    for (int64_t tries = 0; n > 0 && tries < 50 * (n + 10); tries++) {
        uint32_t ea = sim_below(r, g->n_ea), made = 0;
        int64_t t;

        t = (s->field_day + 2 + (int64_t)sim_below(r, 4)) * 86400 -
            (int64_t)s->offset_minutes * 60 + (int64_t)s->hour_to * 3600 +
            (int64_t)sim_below(r, 3600);
        for (uint32_t k = 0; k < sh->n_homes; k++) {
            struct sim_home *m = &sh->home[sh->home_order[k]];

            if (m->ea != ea || m->fault != SIM_CLEAN)
                continue;
            if (m->status == SIM_VACANT && sim_permille(r, 600))
                m->fault = SIM_INVENTED_HOME;
            else if (plain(m) && m->type == SIM_FAMILY && !m->self &&
                     sim_permille(r, 550))
                m->fault = SIM_INVENTED;
            else
                continue;
            m->extra = ordinal++; /* keeps their ID numbers apart */
            m->started_s = t;
            m->seconds = 14 + (int32_t)sim_below(r, 25);
            t += m->seconds + 3 + (int64_t)sim_below(r, 9);
            made++;
        }
        n -= made > 0;
    }
}

enum puan_status sim_faults_plan(struct sim_shard *sh, struct sim_links *links,
                                 struct puan_err *err)
{
    struct sim_rng r =
        sim_rng_of(sh->run->opt.seed, 9, (uint64_t)sh->row->code);
    const struct sim_links *in = &sh->run->links;
    int64_t n, listed = 0;
    enum puan_status st;

    if ((st = sent_away(sh, links, err)) != PUAN_OK || links != NULL)
        return st;
    n = duplicates_of(sh);
    if (sh->run->n_shards > 1)
        n -= (n + 4) / 5;
    sh->cap_extras = (uint32_t)n;
    for (size_t i = 0; i < in->n; i++)
        sh->cap_extras += in->p[i].to == sh->index && in->p[i].duplicate;
    sh->extra = puan_new_n(sh->arena, sh->cap_extras, struct sim_person);
    if (sh->extra == NULL)
        return puan_arena_check(sh->arena, err);
    for (size_t i = 0; i < in->n; i++)
        if (in->p[i].to == sh->index && in->p[i].duplicate) {
            struct sim_person p = in->p[i].person;

            p.home = SIM_NONE;
            (void)give_extra(sh, &r, &p, SIM_NONE);
        }
    invent(sh, &r);
    for (uint32_t h = 0; h < sh->n_homes; h++)
        listed += sh->home[h].n > 0;
    for (int64_t k = (listed * OMITTED + 5000) / 10000, tries = 0;
         k > 0 && tries < 100 * (k + 10); tries++) {
        struct sim_home *m = &sh->home[sim_below(&r, sh->n_homes)];

        if (!plain(m) || m->type != SIM_FAMILY)
            continue;
        m->fault = SIM_OMITTED;
        m->unlisted = sim_below(&r, 2) == 0;
        k--;
    }
    for (int64_t tries = 0; n > 0 && tries < 100 * (n + 10); tries++) {
        uint32_t i = sim_below(&r, sh->n_residents), h = sh->person[i].home;

        if (!may_be_doubled(sh, i))
            continue;
        sh->home[h].fault = SIM_KEPT;
        if (give_extra(sh, &r, &sh->person[i], sh->home[h].ea))
            n--;
        else
            sh->home[h].fault = SIM_CLEAN;
    }
    for (int64_t k = ((int64_t)sh->n_persons * ITEM_ERRORS + 5000) / 10000,
                 tries = 0;
         k > 0 && tries < 100 * (k + 10); tries++) {
        uint32_t i = sim_below(&r, sh->n_persons);
        struct sim_home *m = &sh->home[sh->person[i].home];

        if (m->fault != SIM_CLEAN)
            continue;
        m->fault = SIM_ITEM_ERROR;
        k--;
    }
    return PUAN_OK;
}
