/*
 * The files of a run.  What each holds is said in README.md; nothing here
 * decides anything about the population.
 */
#include "features/simulate/sim.h"

#include <stdlib.h>

#include "base/calendar.h"
#include "base/json.h"
#include "core/codes/codes.h"
#include "kit/job/progress.h"
#include "kit/os/os.h"
#include "kit/sheet/sheet.h"

enum { RETURN_HOUSEHOLD, RETURN_PERSON, RETURN_DEATH, RETURN_VISIT, RETURNS };

struct tally {
    int64_t code, residents, published, households, persons;
    struct puan_str name;
};

struct sim_files {
    const struct sim_run *run;
    const struct sim_spec *spec;
    struct puan_arena *arena;
    struct puan_arena scratch; /* reset for every household */
    struct puan_sheet_out *areas, *buildings, *listing, *staff, *reg, *truth,
        *classes; /* NULL when the margins name no urban population */
    struct puan_sheet_out *bounds[SIM_LEVELS];
    bool bounds_begun[SIM_LEVELS];
    struct puan_sheet_out *ret[2][RETURNS]; /* answered, true */
    struct sim_form form, planted;
    struct sim_text text;
    char area_zh[4][160]; /* township, district ... of the area in work */
    /* for the manifest */
    int64_t faults, households, persons, records, listed, areas_written;
    int64_t residents, delta, by_kind[6];
    struct tally *shard;
    size_t n_shards;
    struct puan_progress bar;
    uint32_t counter, counter_late;
};

static const char *const folder[2] = { "returns", "returns_true" };
static const char *const kind_names[6] = {
    "item_error",        "duplicate",          "omitted_household",
    "invented_interview", "invented_household", "living_apart_records"
};

static void put(struct puan_sheet_out *o, struct puan_str s)
{
    puan_sheet_put(o, s);
}

static void put_code(struct puan_sheet_out *o, const struct sim_spec *s,
                     unsigned level, int64_t code)
{
    char b[24];

    puan_format(b, sizeof(b), "%0*lld",
                (int)(s->level[level].digits > 0 ? s->level[level].digits : 1),
                (long long)code);
    puan_sheet_put_text(o, b);
}

static void put_number(struct puan_sheet_out *o, unsigned digits, int64_t v)
{
    char b[24];

    puan_format(b, sizeof(b), "%0*lld", (int)digits, (long long)v);
    puan_sheet_put_text(o, b);
}

static int64_t key_of(const struct sim_shard *sh, const struct sim_home *h)
{
    const struct sim_ground *g = &sh->ground;

    return g->area[g->ea[h->ea]].code * sh->spec->household_base + h->number;
}

static void put_key(struct puan_sheet_out *o, const struct sim_shard *sh,
                    const struct sim_home *h)
{
    const struct sim_spec *s = sh->spec;

    put_number(o, s->level[s->n_levels - 1].digits + s->household_digits,
               key_of(sh, h));
}

static void put_degrees(struct puan_sheet_out *o, int64_t v)
{
    char b[24];
    int64_t a = v < 0 ? -v : v;

    puan_format(b, sizeof(b), "%s%lld.%07lld", v < 0 ? "-" : "",
                (long long)(a / 10000000), (long long)(a % 10000000));
    puan_sheet_put_text(o, b);
}

/* ---- opening ---------------------------------------------------------- */

static enum puan_status create(struct puan_sheet_out **out, struct sim_files *f,
                               const char *name, const char *header,
                               struct puan_err *err)
{
    enum puan_status st = puan_sheet_create(
        out, puan_arena_fmt(f->arena, "%s/%s", f->run->opt.out, name), err);

    if (st == PUAN_OK && header[0] != 0)
        puan_sheet_put_raw(*out, puan_str_of(header));
    return st;
}

enum puan_status sim_files_open(struct sim_files **out,
                                const struct sim_run *run, struct puan_arena *a,
                                struct puan_err *err)
{
    const struct sim_spec *s = run->spec;
    struct sim_files *f = puan_new(a, struct sim_files);
    enum puan_status st;

    *out = NULL;
    if (f == NULL)
        return puan_arena_check(a, err);
    f->run = run;
    f->spec = s;
    f->arena = a;
    puan_arena_init(&f->scratch, a->host);
    f->shard = puan_new_n(a, run->n_shards, struct tally);
    *out = f;
    if ((st = puan_dir_make(run->opt.out, err)) != PUAN_OK)
        return st;
    /* another run's returns must not stand beside this one's */
    for (int i = 0; i < 2; i++) {
        const char *old =
            puan_arena_fmt(a, "%s/%s", run->opt.out, folder[i]);

        if (puan_dir_exists(old) &&
            (st = puan_dir_remove(old, err)) != PUAN_OK)
            return st;
    }
    if ((st = create(&f->areas, f, "areas.csv",
                     "code,parent,level,name_zh,name_en,kind,valid_from,"
                     "valid_to,successor\n",
                     err)) != PUAN_OK ||
        (st = create(&f->buildings, f, "buildings.csv",
                     "ea,building,lon,lat,kind,units\n", err)) != PUAN_OK)
        return st;
    for (unsigned l = s->shard; l < s->n_levels; l++)
        if ((st = create(&f->bounds[l], f,
                         puan_arena_fmt(a, "boundaries_%.*s.geojson",
                                        PUAN_FMT(s->level[l].name)),
                         "{\"type\":\"FeatureCollection\",\"features\":[\n",
                         err)) != PUAN_OK)
            return st;
    if (run->opt.only_areas)
        return PUAN_OK;
    if ((st = create(&f->listing, f, "listing.csv",
                     "household,ea,building,unit,status,mode,head_name,phone,"
                     "address,c1,c2,c3,c4,c5,c6,c7,c8,c9,c10,c11,c12,c13,"
                     "c14\n",
                     err)) != PUAN_OK ||
        (st = create(&f->staff, f, "staff.csv",
                     "staff,role,name,phone,area,device,certificate\n",
                     err)) != PUAN_OK ||
        (st = create(&f->reg, f, "register.csv",
                     "id_number,name,sex,birth,ea,district,status\n", err)) !=
            PUAN_OK)
        return st;
    if (s->c_urban >= 0 &&
        (st = create(&f->classes, f, "classification.csv",
                     "village,class,name_zh\n", err)) != PUAN_OK)
        return st;
    for (unsigned i = 0; i < s->n_also; i++)
        if ((st = sim_also_open(s->also[i], run, a, err)) != PUAN_OK)
            return st;
    return create(&f->truth, f, "truth.csv",
                  "row,county,household,line,township,stay,registration,left,"
                  "case,resident,age,sex,education,person,other_household,"
                  "other_line,fault,kind,item,true_value,planted_value,"
                  "delta_resident,detectable\n",
                  err);
}

static void abandon_returns(struct sim_files *f)
{
    for (int t = 0; t < 2; t++)
        for (int i = 0; i < RETURNS; i++) {
            puan_sheet_abandon(f->ret[t][i]);
            f->ret[t][i] = NULL;
        }
}

void sim_files_abandon(struct sim_files *f)
{
    if (f == NULL)
        return;
    puan_sheet_abandon(f->areas);
    puan_sheet_abandon(f->buildings);
    puan_sheet_abandon(f->listing);
    puan_sheet_abandon(f->staff);
    puan_sheet_abandon(f->reg);
    puan_sheet_abandon(f->truth);
    puan_sheet_abandon(f->classes);
    for (int l = 0; l < SIM_LEVELS; l++)
        puan_sheet_abandon(f->bounds[l]);
    for (unsigned i = 0; i < f->spec->n_also; i++)
        sim_also_abandon(f->spec->also[i]);
    abandon_returns(f);
    puan_arena_clear(&f->scratch);
}

static enum puan_status open_returns(struct sim_files *f,
                                     const struct sim_shard *sh,
                                     struct puan_err *err)
{
    const struct sim_spec *s = f->spec;
    enum puan_status st;

    for (int t = 0; t < 2; t++) {
        const char *dir =
            puan_arena_fmt(sh->arena, "%s/%s/%.*s", f->run->opt.out, folder[t],
                           PUAN_FMT(sh->row->digits));

        if ((st = puan_dir_make(dir, err)) != PUAN_OK)
            return st;
        for (int i = 0; i < RETURNS; i++) {
            struct puan_sheet_out *o;

            if (i == RETURN_DEATH && s->n_items[SIM_DEATH] == 0)
                continue;
            st = puan_sheet_create(&f->ret[t][i],
                                   puan_arena_fmt(sh->arena, "%s/%s.csv", dir,
                                                  i == RETURN_VISIT
                                                      ? "visit"
                                                      : s->entity[i]),
                                   err);
            if (st != PUAN_OK)
                return st;
            o = f->ret[t][i];
            if (i == RETURN_VISIT) {
                puan_sheet_put_raw(o, PUAN_STR("household,ea,mode,staff,"
                                               "device,counter,started,"
                                               "finished,lon,lat,signed,"
                                               "phone\n"));
                continue;
            }
            puan_sheet_put_text(o, "household");
            for (unsigned k = 0; k < s->n_items[i]; k++)
                put(o, s->item[i][k].name);
            puan_sheet_end_row(o);
        }
    }
    return PUAN_OK;
}

static enum puan_status close_returns(struct sim_files *f,
                                      struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    for (int t = 0; t < 2; t++)
        for (int i = 0; i < RETURNS; i++) {
            struct puan_sheet_out *o = f->ret[t][i];

            f->ret[t][i] = NULL;
            if (o == NULL)
                continue;
            if (st == PUAN_OK)
                st = puan_sheet_finish(o, err);
            else
                puan_sheet_abandon(o);
        }
    return st;
}

/* ---- areas ------------------------------------------------------------ */

static void area_row(struct sim_files *f, unsigned level, int64_t code,
                     int parent_level, int64_t parent, struct puan_str zh,
                     struct puan_str en, bool synthetic)
{
    struct puan_sheet_out *o = f->areas;

    put_code(o, f->spec, level, code);
    if (parent_level < 0)
        put(o, PUAN_STR(""));
    else
        put_code(o, f->spec, (unsigned)parent_level, parent);
    put(o, f->spec->level[level].name);
    put(o, zh);
    put(o, en);
    puan_sheet_put_text(o, synthetic ? "synthetic" : "ordinary");
    put(o, PUAN_STR(""));
    put(o, PUAN_STR(""));
    put(o, PUAN_STR(""));
    puan_sheet_end_row(o);
    f->areas_written++;
}

static int64_t cut_code(const struct sim_spec *s, int64_t code, unsigned from,
                        unsigned to)
{
    for (unsigned d = s->level[from].digits; d > s->level[to].digits; d--)
        code /= 10;
    return code;
}

/* The levels above the shards, once each: shards come in order of codes. */
static void upper_areas(struct sim_files *f, const struct sim_shard *sh)
{
    const struct sim_spec *s = f->spec;
    const struct sim_area_row *before =
        sh->slot > 0 ? &s->area[f->run->shard[sh->slot - 1]] : NULL;

    for (unsigned l = 0; l < s->shard; l++) {
        int64_t code = cut_code(s, sh->row->code, s->shard, l);

        if (before != NULL &&
            (s->level[l].digits == 0 ||
             cut_code(s, before->code, s->shard, l) == code))
            continue;
        area_row(f, l, s->level[l].digits == 0 ? 0 : code, (int)l - 1,
                 l > 0 && s->level[l - 1].digits > 0
                     ? cut_code(s, sh->row->code, s->shard, l - 1)
                     : 0,
                 sim_spec_field(s, sh->row, s->level[l].column),
                 sim_spec_field(s, sh->row, s->level[l].column_en), false);
    }
}

struct ring {
    struct puan_out *o;
    bool first;
};

static void ring_point(void *ctx, int64_t lon, int64_t lat)
{
    struct ring *r = ctx;
    int64_t a = lon < 0 ? -lon : lon, b = lat < 0 ? -lat : lat;

    puan_out_fmt(r->o, "%s[%s%lld.%07lld,%s%lld.%07lld]", r->first ? "" : ",",
                 lon < 0 ? "-" : "", (long long)(a / 10000000),
                 (long long)(a % 10000000), lat < 0 ? "-" : "",
                 (long long)(b / 10000000), (long long)(b % 10000000));
    r->first = false;
}

static enum puan_status boundary(struct sim_files *f,
                                 const struct sim_shard *sh, uint32_t i,
                                 struct puan_err *err)
{
    const struct sim_ground_area *a = &sh->ground.area[i];
    struct puan_out o;
    struct puan_jw w;
    struct ring r = { &o, true };
    char code[24];

    puan_arena_reset(&f->scratch);
    puan_out_init(&o, &f->scratch);
    puan_format(code, sizeof(code), "%0*lld",
                (int)f->spec->level[a->level].digits, (long long)a->code);
    if (f->bounds_begun[a->level])
        puan_out_text(&o, ",\n");
    f->bounds_begun[a->level] = true;
    puan_out_text(&o, "{\"type\":\"Feature\",\"properties\":");
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_ktext(&w, "code", code);
    puan_jw_kstr(&w, "name", a->zh);
    puan_jw_kstr(&w, "level", f->spec->level[a->level].name);
    puan_jw_ktext(&w, "kind", a->synthetic ? "synthetic" : "ordinary");
    puan_jw_end(&w, '}');
    puan_out_text(&o, ",\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[");
    sim_ground_ring(&sh->ground, i, ring_point, &r);
    puan_out_text(&o, "]]}}");
    puan_sheet_put_raw(f->bounds[a->level], puan_out_view(&o));
    return puan_arena_check(&f->scratch, err);
}

static enum puan_status areas(struct sim_files *f, const struct sim_shard *sh,
                              struct puan_err *err)
{
    const struct sim_ground *g = &sh->ground;
    enum puan_status st = PUAN_OK;

    upper_areas(f, sh);
    for (uint32_t i = 0; i < g->n && st == PUAN_OK; i++) {
        const struct sim_ground_area *a = &g->area[i];
        int up = i > 0                ? g->area[a->parent].level
                 : f->spec->shard > 0 ? (int)f->spec->shard - 1
                                      : -1;
        int64_t parent =
            i > 0 ? g->area[a->parent].code
            : up >= 0 && f->spec->level[up].digits > 0
                ? cut_code(f->spec, a->code, f->spec->shard, (unsigned)up)
                : 0;

        area_row(f, a->level, a->code, up, parent, a->zh, a->en, a->synthetic);
        st = boundary(f, sh, i, err);
    }
    return st;
}

/* ---- people ----------------------------------------------------------- */

static void phone(char out[20], const struct sim_spec *s, uint64_t key)
{
    uint64_t h = sim_mix(key + 11);
    size_t at = 0;

    for (size_t i = 0; i < s->phone_first.n && i < 4; i++)
        out[at++] = s->phone_first.p[i];
    if (at == 1 && s->phone_digits == 11)
        out[at++] = (char)('3' + h % 6); /* 13x to 18x */
    for (; at < (size_t)s->phone_digits; at++) {
        h = sim_mix(h + at);
        out[at] = (char)('0' + h % 10);
    }
    out[at] = 0;
}

static void put_phone(struct puan_sheet_out *o, const struct sim_spec *s,
                      uint64_t key)
{
    char b[20];

    phone(b, s, key);
    puan_sheet_put_text(o, b);
}

/*
 * The number on a card: what it is for, seven characters, check character.
 * The seven are a county's serial number scrambled by a bijection, so that no
 * two cards share a number and the next card's cannot be guessed.
 */
#define CARD_SPACE 27512614111u /* 31^7 */
#define CARDS_A_COUNTY 27000u
static void card(char out[12], const struct sim_shard *sh, const char *role,
                 uint32_t serial)
{
    uint64_t v = ((uint64_t)sh->row->code % 1000000 * CARDS_A_COUNTY +
                  serial % CARDS_A_COUNTY) % CARD_SPACE;
    uint64_t k = 0, step = sim_hash(sh->run->opt.seed, 23, 0) % 400000000 * 31;
    struct puan_str body = { out, 9 };

    /* v * (step + 7) modulo 31^7 by halves: the product needs 69 bits */
    step = (step + 7) % CARD_SPACE;
    for (uint64_t b = step; b; b >>= 1) {
        if (b & 1)
            k = (k + v) % CARD_SPACE;
        v = v * 2 % CARD_SPACE;
    }
    k = (k + sim_hash(sh->run->opt.seed, 24, 0) % CARD_SPACE) % CARD_SPACE;
    out[0] = 'P';
    out[1] = role[0] == 'e' ? 'C' : 'Z';
    for (int i = 8; i >= 2; i--, k /= 31)
        out[i] = PUAN_MARK_ALPHABET[k % 31];
    out[9] = puan_mark_check_char(body);
    out[10] = 0;
}

static void put_staff(struct sim_files *f, const struct sim_shard *sh,
                      const char *id, const char *role, uint32_t area,
                      const char *device, uint32_t serial)
{
    const struct sim_ground_area *a = &sh->ground.area[area];
    struct sim_person p = { 0 };
    uint64_t key = sim_hash(sh->run->opt.seed, 21, (uint64_t)a->code) +
                   (uint64_t)(unsigned char)id[strlen(id) - 1];
    char b[256];

    p.number = key;
    p.sex = (uint8_t)(key >> 40 & 1);
    p.age = 35;
    p.surname = (uint8_t)(key >> 32 & 63);
    puan_sheet_put_text(f->staff, id);
    puan_sheet_put_text(f->staff, role);
    (void)sim_name(b, sizeof(b), f->spec, &p);
    puan_sheet_put_text(f->staff, b);
    put_phone(f->staff, f->spec, key);
    put_code(f->staff, f->spec, a->level, a->code);
    puan_sheet_put_text(f->staff, device);
    card(b, sh, role, serial);
    puan_sheet_put_text(f->staff, b);
    puan_sheet_end_row(f->staff);
}

static void staff(struct sim_files *f, const struct sim_shard *sh)
{
    const struct sim_ground *g = &sh->ground;
    char id[40], device[40];
    uint32_t serial = 0;

    for (uint32_t e = 0; e < g->n_ea; e++) {
        long long code = (long long)g->area[g->ea[e]].code;
        uint32_t d = g->district[e];

        if (e == 0 || g->district[e - 1] != d) {
            puan_format(id, sizeof(id), "s%lld", (long long)g->area[d].code);
            put_staff(f, sh, id, "supervisor", d, "", serial++);
        }
        puan_format(id, sizeof(id), "e%lld", code);
        puan_format(device, sizeof(device), "t%lld", code);
        put_staff(f, sh, id, "enumerator", g->ea[e], device, serial++);
        if (sim_hash(sh->run->opt.seed, 22, (uint64_t)code) % 20 == 0) {
            puan_format(id, sizeof(id), "e%lldb", code);
            puan_format(device, sizeof(device), "t%lldb", code);
            put_staff(f, sh, id, "enumerator", g->ea[e], device, serial++);
        }
    }
}

static void put_form(struct sim_files *f, int t, const struct sim_shard *sh,
                     const struct sim_home *h, const struct sim_form *form)
{
    const struct sim_spec *s = f->spec;
    struct puan_sheet_out *o = f->ret[t][RETURN_HOUSEHOLD];

    put_key(o, sh, h);
    for (unsigned i = 0; i < s->n_items[SIM_HOUSEHOLD]; i++)
        put(o, form->household[i]);
    puan_sheet_end_row(o);
    o = f->ret[t][RETURN_PERSON];
    for (uint32_t l = 0; l < form->n_persons; l++) {
        put_key(o, sh, h);
        for (unsigned i = 0; i < s->n_items[SIM_PERSON]; i++)
            put(o, form->person[l][i]);
        puan_sheet_end_row(o);
    }
    o = f->ret[t][RETURN_DEATH];
    for (uint32_t l = 0; o != NULL && l < form->n_deaths; l++) {
        put_key(o, sh, h);
        for (unsigned i = 0; i < s->n_items[SIM_DEATH]; i++)
            put(o, form->death[l][i]);
        puan_sheet_end_row(o);
    }
}

static void put_visit(struct sim_files *f, int t, const struct sim_shard *sh,
                      const struct sim_home *h)
{
    const struct sim_spec *s = f->spec;
    const struct sim_ground *g = &sh->ground;
    const struct sim_ground_area *a = &g->area[g->ea[h->ea]];
    struct puan_sheet_out *o = f->ret[t][RETURN_VISIT];
    bool late = h->fault == SIM_INVENTED || h->fault == SIM_INVENTED_HOME;
    uint64_t key = (uint64_t)key_of(sh, h);
    int64_t lon, lat;
    char b[64];

    put_key(o, sh, h);
    put_code(o, s, a->level, a->code);
    puan_sheet_put_text(o, h->self ? "self" : "enumerator");
    if (h->self) {
        put(o, PUAN_STR(""));
        puan_sheet_put_text(o, "self");
        puan_sheet_put_int(o, 1);
    } else {
        puan_format(b, sizeof(b), "e%lld", (long long)a->code);
        puan_sheet_put_text(o, b);
        puan_format(b, sizeof(b), "t%lld", (long long)a->code);
        puan_sheet_put_text(o, b);
        puan_sheet_put_int(o, late ? f->counter_late : f->counter);
    }
    puan_instant_text(b, h->started_s * 1000, s->offset_minutes);
    puan_sheet_put_text(o, b);
    puan_instant_text(b, (h->started_s + h->seconds) * 1000, s->offset_minutes);
    puan_sheet_put_text(o, b);
    if (h->self) {
        put(o, PUAN_STR(""));
        put(o, PUAN_STR(""));
    } else {
        /* those who invent sit in one place */
        sim_ground_inside(&lon, &lat, g, g->ea[h->ea], late ? 1 : h->building);
        put_degrees(o, lon + (int64_t)(sim_mix(key) % 400) - 200);
        put_degrees(o, lat + (int64_t)(sim_mix(key + 1) % 400) - 200);
    }
    puan_sheet_put_text(o, "true");
    put_phone(o, s, late ? (uint64_t)a->code : key);
    puan_sheet_end_row(o);
}

static int item_of(const struct sim_files *f, enum sim_concept c)
{
    return f->spec->item_of[SIM_PERSON][c];
}

static void put_cell(struct puan_sheet_out *o, const struct sim_files *f,
                     const struct sim_form *form, uint32_t line,
                     enum sim_concept c)
{
    int i = item_of(f, c);

    put(o, i < 0 ? PUAN_STR("") : form->person[line][i]);
}

static void truth_persons(struct sim_files *f, const struct sim_shard *sh,
                          const struct sim_home *h, const struct sim_form *form)
{
    const struct sim_spec *s = f->spec;
    const struct sim_ground *g = &sh->ground;
    const struct sim_ground_area *t = &g->area[g->near[h->ea]];
    struct puan_sheet_out *o = f->truth;

    for (uint32_t l = 0; l < form->n_persons; l++) {
        const struct sim_case *c = sim_form_case(form, s, l);

        puan_sheet_put_text(o, "person");
        put(o, sh->row->digits);
        put_key(o, sh, h);
        puan_sheet_put_int(o, l + 1);
        put_code(o, s, t->level, t->code);
        if (s->two_sided) {
            put_cell(o, f, form, l, SIM_STAY);
            put_cell(o, f, form, l, SIM_REGISTRATION);
            put_cell(o, f, form, l, SIM_LEFT_SINCE);
        } else {
            put(o, PUAN_STR(""));
            put(o, PUAN_STR(""));
            put(o, PUAN_STR(""));
        }
        puan_sheet_put_int(o, c != NULL ? c->id : 0);
        puan_sheet_put_int(o, c != NULL && c->resident);
        puan_sheet_put_int(o, form->age[l]);
        put_cell(o, f, form, l, SIM_SEX);
        put_cell(o, f, form, l, SIM_EDUCATION);
        puan_sheet_put_int(o, (int64_t)form->number[l]);
        for (int i = 0; i < 9; i++)
            put(o, PUAN_STR(""));
        puan_sheet_end_row(o);
        f->residents += c != NULL && c->resident;
        f->records++;
    }
}

struct fault_row {
    const char *kind;
    uint32_t line;
    struct puan_str item, was, is, detect;
    int64_t delta;
    bool has_person;
    uint64_t person;
    int64_t other_household;
    uint32_t other_line;
};

static void truth_fault(struct sim_files *f, const struct sim_shard *sh,
                        const struct sim_home *h, const struct fault_row *r)
{
    const struct sim_spec *s = f->spec;
    const struct sim_ground *g = &sh->ground;
    const struct sim_ground_area *t = &g->area[g->near[h->ea]];
    struct puan_sheet_out *o = f->truth;
    unsigned digits = s->level[s->n_levels - 1].digits + s->household_digits;

    puan_sheet_put_text(o, "fault");
    put(o, sh->row->digits);
    put_key(o, sh, h);
    puan_sheet_put_int(o, r->line);
    put_code(o, s, t->level, t->code);
    for (int i = 0; i < 8; i++) /* stay ... education */
        put(o, PUAN_STR(""));
    if (r->has_person)
        puan_sheet_put_int(o, (int64_t)r->person);
    else
        put(o, PUAN_STR(""));
    if (r->other_household > 0) {
        put_number(o, digits, r->other_household);
        puan_sheet_put_int(o, r->other_line);
    } else {
        put(o, PUAN_STR(""));
        put(o, PUAN_STR(""));
    }
    puan_sheet_put_int(o, ++f->faults);
    puan_sheet_put_text(o, r->kind);
    put(o, r->item);
    put(o, r->was);
    put(o, r->is);
    puan_sheet_put_int(o, r->delta);
    put(o, r->detect);
    puan_sheet_end_row(o);
    f->delta += r->delta;
}

/* Where the original of a duplicate stands, when it is in this shard. */
static void original(struct fault_row *r, const struct sim_shard *sh,
                     const struct sim_person *extra)
{
    const struct sim_home *h;

    if (extra->home == SIM_NONE)
        return;
    h = &sh->home[extra->home];
    for (uint32_t l = 0; l < h->n; l++)
        if (sh->person[sh->order[h->first + l]].number == extra->number) {
            r->other_household = key_of(sh, h);
            r->other_line = l + 1;
        }
}

static void copy_form(struct sim_form *to, const struct sim_form *from)
{
    memcpy(to->household, from->household, sizeof(to->household));
    memcpy(to->person, from->person, from->n_persons * sizeof(to->person[0]));
    memcpy(to->death, from->death, sizeof(to->death));
    memcpy(to->age, from->age, sizeof(to->age));
    memcpy(to->number, from->number, sizeof(to->number));
    to->n_persons = from->n_persons;
    to->n_deaths = from->n_deaths;
}

/* What was answered, and the row that tells the difference. */
static void faulty(struct sim_files *f, const struct sim_shard *sh,
                   const struct sim_home *h)
{
    const struct sim_spec *s = f->spec;
    const struct sim_form *was = &f->form;
    struct sim_form *is = &f->planted;
    uint64_t key = sim_hash(sh->run->opt.seed, 23, (uint64_t)key_of(sh, h));
    struct fault_row r = { .kind = "", .detect = PUAN_STR("none") };
    struct sim_rng rng = { key, 0 };
    struct sim_error e;
    char kind[96];

    switch (h->fault) {
    case SIM_OMITTED:
        r.kind = "omitted_household";
        r.delta = -sim_form_residents(was, s);
        r.detect = h->unlisted ? PUAN_STR("none") : PUAN_STR("listing");
        truth_fault(f, sh, h, &r);
        put_form(f, 1, sh, h, was);
        put_visit(f, 1, sh, h);
        f->by_kind[2]++;
        return;
    case SIM_INVENTED:
    case SIM_INVENTED_HOME:
        sim_form_invented(is, &f->text, sh, h, key);
        r.kind = h->fault == SIM_INVENTED ? "invented_interview"
                                          : "invented_household";
        r.delta = sim_form_residents(is, s) -
                  (h->fault == SIM_INVENTED ? sim_form_residents(was, s) : 0);
        r.detect = PUAN_STR("integrity");
        f->by_kind[h->fault == SIM_INVENTED ? 3 : 4]++;
        break;
    case SIM_DUPLICATE:
        copy_form(is, was);
        sim_form_extra(is, &f->text, sh, h, &sh->extra[h->extra]);
        r.kind = "duplicate";
        r.line = is->n_persons;
        r.delta = sim_form_residents(is, s) - sim_form_residents(was, s);
        r.detect = PUAN_STR("duplicates");
        r.has_person = true;
        r.person = sh->extra[h->extra].number;
        original(&r, sh, &sh->extra[h->extra]);
        f->by_kind[1]++;
        break;
    case SIM_ITEM_ERROR:
        copy_form(is, was);
        if (!sim_form_err(&e, is, &f->text, s, &rng)) {
            put_form(f, 0, sh, h, was);
            put_visit(f, 0, sh, h);
            return;
        }
        puan_format(kind, sizeof(kind), "item:%.*s", PUAN_FMT(e.kind->name));
        r.kind = kind;
        r.line = e.line;
        r.item = s->item[e.kind->entity][e.kind->item].name;
        r.was = e.was;
        r.is = e.is;
        r.delta = sim_form_residents(is, s) - sim_form_residents(was, s);
        r.detect = e.kind->detect;
        f->by_kind[0]++;
        break;
    default:
        return;
    }
    truth_fault(f, sh, h, &r);
    put_form(f, 0, sh, h, is);
    put_visit(f, 0, sh, h);
    if (h->fault != SIM_INVENTED_HOME) {
        put_form(f, 1, sh, h, was);
        put_visit(f, 1, sh, h);
    }
}

static void put_address(struct sim_files *f, const struct sim_shard *sh,
                        const struct sim_home *h)
{
    const struct sim_ground *g = &sh->ground;
    char building[16], unit[16];
    const char *pairs[] = { "township", f->area_zh[0], "district",
                            f->area_zh[1], "building", building,
                            "unit", unit, NULL };

    (void)g;
    puan_format(building, sizeof(building), "%u", h->building);
    puan_format(unit, sizeof(unit), "%u", h->unit);
    put(f->listing, sim_pattern(&f->scratch, f->spec->names.address, pairs));
}

/* One row of the roll; c[0] is c1. */
static void listing(struct sim_files *f, const struct sim_shard *sh,
                    const struct sim_home *h)
{
    const struct sim_spec *s = f->spec;
    const struct sim_ground *g = &sh->ground;
    struct puan_sheet_out *o = f->listing;
    uint64_t key = sim_hash(sh->run->opt.seed, 24, (uint64_t)key_of(sh, h));
    int64_t c[14] = { 0 };
    char b[256];

    for (uint32_t k = 0; k < h->n; k++) {
        const struct sim_person *p = &sh->person[sh->order[h->first + k]];

        switch ((enum sim_situation)p->situation) {
        case SIM_HOME:
            c[1]++;
            break;
        case SIM_IN_SHORT:
            c[3]++;
            break;
        case SIM_NEAR:
        case SIM_IN_LONG:
            c[4]++;
            break;
        case SIM_PENDING:
            c[5]++;
            break;
        case SIM_OUT_SHORT:
            c[9]++;
            break;
        case SIM_OUT_NEAR:
        case SIM_OUT_LONG:
        case SIM_ABROAD:
            c[10]++;
            break;
        }
        c[11] += p->age == 0;
    }
    c[11] += h->stillborn > 0;
    c[12] = h->deaths;
    /* the roll is three weeks older than the return */
    if ((int64_t)(key % 1000) < s->rate[SIM_RATE_LISTING_DIFFERS] && h->n > 1) {
        if (key >> 40 & 1)
            c[1]++;
        else if (c[1] > 1)
            c[1]--;
    }
    c[2] = c[3] + c[4];
    c[0] = c[1] + c[2] + c[5];
    c[8] = c[9] + c[10];
    c[6] = c[7] + c[8];
    put_key(o, sh, h);
    put_code(o, s, s->n_levels - 1, g->area[g->ea[h->ea]].code);
    puan_sheet_put_int(o, h->building);
    puan_sheet_put_int(o, h->unit);
    puan_sheet_put_text(o, h->n == 0                   ? "vacant"
                           : h->status == SIM_AWAY     ? "away"
                           : h->type == SIM_COLLECTIVE ? "collective"
                                                       : "ordinary");
    puan_sheet_put_text(o, h->self ? "self" : "enumerator");
    if (h->n > 0) {
        (void)sim_name(b, sizeof(b), s, &sh->person[sh->order[h->first]]);
        puan_sheet_put_text(o, b);
        put_phone(o, s, (uint64_t)key_of(sh, h));
    } else {
        put(o, PUAN_STR(""));
        put(o, PUAN_STR(""));
    }
    put_address(f, sh, h);
    for (int i = 0; i < 14; i++)
        puan_sheet_put_int(o, c[i]);
    puan_sheet_end_row(o);
    f->listed++;
}

static void register_row(struct sim_files *f, const struct sim_shard *sh,
                         const struct sim_home *h, const struct sim_person *p,
                         const char *status)
{
    const struct sim_spec *s = f->spec;
    const struct sim_ground *g = &sh->ground;
    struct puan_sheet_out *o = f->reg;
    const struct sim_ground_area *d = &g->area[g->district[h->ea]];
    char b[256];
    int sex = s->item_of[SIM_PERSON][SIM_SEX];

    sim_id_text(b, p->id_region, p->birth_day, p->id_sequence);
    puan_sheet_put_text(o, b);
    (void)sim_name(b, sizeof(b), s, p);
    puan_sheet_put_text(o, b);
    put(o, sex >= 0 ? s->item[SIM_PERSON][sex].value[p->sex] : PUAN_STR(""));
    puan_day_text(b, p->birth_day);
    puan_sheet_put_text(o, b);
    put_code(o, s, s->n_levels - 1, g->area[g->ea[h->ea]].code);
    put_code(o, s, d->level, d->code);
    puan_sheet_put_text(o, status);
    puan_sheet_end_row(o);
}

static enum puan_status registered(struct sim_files *f, struct sim_shard *sh,
                                   const struct sim_home *h, struct sim_rng *r,
                                   struct puan_err *err)
{
    const struct sim_spec *s = f->spec;
    enum puan_status st = PUAN_OK;

    for (uint32_t k = 0; k < h->n && st == PUAN_OK; k++) {
        const struct sim_person *p = &sh->person[sh->order[h->first + k]];

        if (p->situation == SIM_NEAR || p->situation == SIM_IN_LONG ||
            p->situation == SIM_IN_SHORT || p->situation == SIM_PENDING)
            continue;
        if (!sim_permille(r, s->rate[SIM_RATE_REGISTER_MISSING] *
                                 (p->age == 0 ? 10 : 1)))
            register_row(f, sh, h, p, "registered");
        if (sim_permille(r, s->rate[SIM_RATE_REGISTER_UNKNOWN])) {
            /* somebody the register has and nobody knows */
            struct sim_person q = { 0 };

            q.age = (uint8_t)(20 + sim_below(r, 60));
            q.sex = (uint8_t)sim_below(r, 2);
            q.birth_day = (int32_t)(s->reference_day - q.age * 365 -
                                    (int64_t)sim_below(r, 300) - 30);
            q.number = ((uint64_t)sh->index << 32) | sh->serial++;
            if ((st = sim_attributes_one(sh, r, &q, err)) == PUAN_OK)
                register_row(f, sh, h, &q, "registered");
        }
    }
    for (uint32_t k = 0; k < h->deaths && st == PUAN_OK; k++)
        if (sim_permille(r, 300))
            register_row(f, sh, h, &sh->death[h->death_first + k],
                         "registered");
    return st;
}

static void buildings(struct sim_files *f, const struct sim_shard *sh,
                      uint32_t from, uint32_t to)
{
    const struct sim_ground *g = &sh->ground;

    while (from < to) {
        const struct sim_home *h = &sh->home[sh->home_order[from]];
        uint32_t units = 0;
        bool collective = false;
        int64_t lon, lat;

        for (; from < to &&
               sh->home[sh->home_order[from]].building == h->building;
             from++, units++)
            collective |=
                sh->home[sh->home_order[from]].type == SIM_COLLECTIVE;
        sim_ground_inside(&lon, &lat, g, g->ea[h->ea], h->building);
        put_code(f->buildings, f->spec, f->spec->n_levels - 1,
                 g->area[g->ea[h->ea]].code);
        puan_sheet_put_int(f->buildings, h->building);
        put_degrees(f->buildings, lon);
        put_degrees(f->buildings, lat);
        puan_sheet_put_text(f->buildings,
                            collective && units == 1 ? "dormitory"
                                                     : "residential");
        puan_sheet_put_int(f->buildings, units);
        puan_sheet_end_row(f->buildings);
    }
}

static void name_area(struct sim_files *f, const struct sim_shard *sh,
                      uint32_t ea)
{
    const struct sim_ground *g = &sh->ground;

    puan_format(f->area_zh[0], sizeof(f->area_zh[0]), "%.*s",
                PUAN_FMT(g->area[g->near[ea]].zh));
    puan_format(f->area_zh[1], sizeof(f->area_zh[1]), "%.*s",
                PUAN_FMT(g->area[g->district[ea]].zh));
}

/* ---- town and country --------------------------------------------------- */

struct village {
    uint32_t area;
    int64_t near, code, residents;
};

/* Streets before towns before rural townships: by the near-level's number. */
static int by_town(const void *a, const void *b)
{
    const struct village *x = a, *y = b;

    if (x->near != y->near)
        return x->near < y->near ? -1 : 1;
    return x->code < y->code ? -1 : x->code > y->code;
}

/*
 * Every district its class, in the manner of the national classification of
 * places: whole districts, streets first, until the city and the urban
 * population the county published are reached as nearly as districts allow.
 * Which districts they are is made up.
 */
static enum puan_status classes(struct sim_files *f, const struct sim_shard *sh,
                                struct puan_err *err)
{
    const struct sim_spec *s = sh->spec;
    const struct sim_ground *g = &sh->ground;
    struct village *v = puan_new_n(sh->arena, g->n, struct village);
    uint32_t *of = puan_new_n(sh->arena, g->n, uint32_t), n = 0;
    int64_t people = sh->row->population, urban, city, met = 0;

    if (!v || !of)
        return puan_arena_check(sh->arena, err);
    for (uint32_t i = 0; i < g->n_ea; i++) {
        uint32_t d = g->district[i];

        if (of[d] == 0) {
            v[n] = (struct village){ d, g->area[g->near[i]].code,
                                     g->area[d].code, 0 };
            of[d] = ++n;
        }
    }
    for (uint32_t i = 0; i < sh->n_residents; i++) {
        const struct sim_home *h = &sh->home[sh->person[i].home];

        v[of[g->district[h->ea]] - 1].residents++;
    }
    urban = people ? sim_cell(sh->row, s->c_urban) * sh->n_residents / people
                   : 0;
    city = people && s->c_city >= 0
               ? sim_cell(sh->row, s->c_city) * sh->n_residents / people
               : 0;
    qsort(v, n, sizeof(*v), by_town);
    for (uint32_t i = 0; i < n; i++) {
        int64_t middle = met + v[i].residents / 2;
        int class = middle < city * 4 / 5    ? 111
                    : middle < city          ? 112
                    : middle < (city + urban * 4) / 5 ? 121
                    : middle < urban         ? 122
                                             : 220;

        met += v[i].residents;
        put_code(f->classes, s, g->area[v[i].area].level, v[i].code);
        puan_sheet_put_int(f->classes, class);
        put(f->classes, g->area[v[i].area].zh);
        puan_sheet_end_row(f->classes);
    }
    return PUAN_OK;
}

enum puan_status sim_files_shard(struct sim_files *f, struct sim_shard *sh,
                                 struct puan_err *err)
{
    struct tally *t = &f->shard[f->n_shards++];
    struct sim_rng r =
        sim_rng_of(sh->run->opt.seed, 10, (uint64_t)sh->row->code);
    int64_t persons = f->records, residents = f->residents;
    enum puan_status st;

    t->code = sh->row->code;
    t->name = sh->ground.area[0].zh;
    t->published = sh->row->population;
    if ((st = areas(f, sh, err)) != PUAN_OK || f->run->opt.only_areas)
        return st;
    staff(f, sh);
    if ((st = open_returns(f, sh, err)) != PUAN_OK)
        return st;
    for (unsigned i = 0; i < f->spec->n_also; i++)
        if ((st = sim_also_shard(f->spec->also[i], sh, err)) != PUAN_OK)
            return st;
    {
        char title[64];

        puan_format(title, sizeof(title), "模拟住房 dwellings of %.*s",
                    PUAN_FMT(sh->row->digits));
        puan_progress_begin(&f->bar, title, sh->n_homes);
    }
    for (uint32_t k = 0, e = 0; k < sh->n_homes && st == PUAN_OK; k = e) {
        uint32_t ea = sh->home[sh->home_order[k]].ea;

        f->counter = 0;
        for (e = k; e < sh->n_homes && sh->home[sh->home_order[e]].ea == ea;
             e++) {
            const struct sim_home *h = &sh->home[sh->home_order[e]];

            f->counter += h->n > 0 && !h->self && h->fault != SIM_INVENTED &&
                          h->fault != SIM_OMITTED;
        }
        /* what is invented comes after the true visits */
        f->counter_late = f->counter;
        f->counter = 0;
        name_area(f, sh, ea);
        buildings(f, sh, k, e);
        for (uint32_t i = k; i < e && st == PUAN_OK; i++) {
            const struct sim_home *h = &sh->home[sh->home_order[i]];

            puan_progress_add(&f->bar, 1);
            puan_arena_reset(&f->scratch);
            f->text.n = 0;
            if (h->fault != SIM_OMITTED || !h->unlisted)
                listing(f, sh, h);
            if (h->fault == SIM_INVENTED || h->fault == SIM_INVENTED_HOME)
                f->counter_late++;
            else if (h->n > 0 && !h->self && h->fault != SIM_OMITTED)
                f->counter++;
            if (h->n == 0 && h->fault != SIM_INVENTED_HOME)
                continue;
            sim_form_true(&f->form, &f->text, sh, h);
            if (h->n > 0) {
                truth_persons(f, sh, h, &f->form);
                t->households++;
                st = registered(f, sh, h, &r, err);
                for (unsigned x = 0; x < f->spec->n_also; x++)
                    sim_also_home(f->spec->also[x], sh, h, &f->form);
            }
            if (h->fault == SIM_CLEAN || h->fault == SIM_KEPT) {
                put_form(f, 0, sh, h, &f->form);
                put_visit(f, 0, sh, h);
            } else {
                faulty(f, sh, h);
            }
        }
    }
    (void)puan_progress_end(&f->bar);
    if (st != PUAN_OK)
        return st;
    t->persons = f->records - persons;
    t->residents = f->residents - residents;
    f->households += t->households;
    f->persons += t->persons;
    for (uint32_t i = 0; i < sh->n_persons; i++)
        f->by_kind[5] += sh->person[i].situation == SIM_OUT_LONG ||
                         sh->person[i].situation == SIM_OUT_NEAR ||
                         sh->person[i].situation == SIM_IN_SHORT;
    if (f->classes && (st = classes(f, sh, err)) != PUAN_OK)
        return st;
    for (unsigned i = 0; i < f->spec->n_also; i++)
        if ((st = sim_also_end(f->spec->also[i], sh, err)) != PUAN_OK)
            return st;
    return close_returns(f, err);
}

static enum puan_status manifest(struct sim_files *f, struct puan_err *err)
{
    struct puan_out o;
    struct puan_jw w;
    const struct sim_options *opt = &f->run->opt;

    puan_arena_reset(&f->scratch);
    puan_out_init(&o, &f->scratch);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kint(&w, "seed", (int64_t)opt->seed);
    puan_jw_key(&w, "scale");
    {
        char b[24];

        puan_format(b, sizeof(b), "%lld.%04lld",
                    (long long)(opt->scale * 10000 + 0.5) / 10000,
                    (long long)(opt->scale * 10000 + 0.5) % 10000);
        puan_jw_raw(&w, puan_str_of(b));
    }
    puan_jw_ktext(&w, "spec", f->spec->dir);
    puan_jw_kint(&w, "areas", f->areas_written);
    puan_jw_key(&w, "counties");
    puan_jw_list(&w);
    for (size_t i = 0; i < f->n_shards; i++) {
        const struct tally *t = &f->shard[i];

        puan_jw_map(&w);
        puan_jw_kint(&w, "code", t->code);
        puan_jw_kstr(&w, "name", t->name);
        puan_jw_kint(&w, "published", t->published);
        puan_jw_kint(&w, "residents", t->residents);
        puan_jw_kint(&w, "households", t->households);
        puan_jw_kint(&w, "persons", t->persons);
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, ']');
    puan_jw_kint(&w, "households", f->households);
    puan_jw_kint(&w, "returns", f->households - f->by_kind[2] + f->by_kind[4]);
    puan_jw_kint(&w, "records", f->records);
    puan_jw_kint(&w, "listed", f->listed);
    puan_jw_key(&w, "faults");
    puan_jw_map(&w);
    for (int i = 0; i < 5; i++)
        puan_jw_kint(&w, kind_names[i], f->by_kind[i]);
    puan_jw_end(&w, '}');
    puan_jw_kint(&w, kind_names[5], f->by_kind[5]);
    if (f->spec->n_also > 0) {
        puan_jw_key(&w, "also");
        puan_jw_map(&w);
        for (unsigned i = 0; i < f->spec->n_also; i++) {
            const struct sim_also *x = f->spec->also[i];

            puan_jw_key_s(&w, sim_also_form(x));
            puan_jw_map(&w);
            puan_jw_kint(&w, "returns", sim_also_returns(x));
            puan_jw_kint(&w, "faults", sim_also_faults(x));
            puan_jw_end(&w, '}');
        }
        puan_jw_end(&w, '}');
    }
    puan_jw_kint(&w, "delta_resident", f->delta);
    puan_jw_kint(&w, "residents_truth", f->residents);
    puan_jw_end(&w, '}');
    puan_out_char(&o, '\n');
    if (puan_arena_check(&f->scratch, err) != PUAN_OK)
        return PUAN_ENOMEM;
    return puan_file_write(puan_arena_fmt(f->arena, "%s/manifest.json",
                                          opt->out),
                           puan_out_view(&o), 0644, err);
}

enum puan_status sim_files_finish(struct sim_files *f, struct puan_err *err)
{
    struct puan_sheet_out **all[] = { &f->areas, &f->buildings, &f->listing,
                                      &f->staff, &f->reg,       &f->truth,
                                      &f->classes };
    enum puan_status st = PUAN_OK;

    for (unsigned l = 0; l < SIM_LEVELS; l++) {
        struct puan_sheet_out *o = f->bounds[l];

        f->bounds[l] = NULL;
        if (o == NULL)
            continue;
        puan_sheet_put_raw(o, PUAN_STR("\n]}\n"));
        if (st == PUAN_OK)
            st = puan_sheet_finish(o, err);
        else
            puan_sheet_abandon(o);
    }
    for (size_t i = 0; i < PUAN_COUNT(all); i++) {
        struct puan_sheet_out *o = *all[i];

        *all[i] = NULL;
        if (o == NULL)
            continue;
        if (st == PUAN_OK)
            st = puan_sheet_finish(o, err);
        else
            puan_sheet_abandon(o);
    }
    for (unsigned i = 0; i < f->spec->n_also && st == PUAN_OK; i++)
        st = sim_also_finish(f->spec->also[i], err);
    if (st == PUAN_OK)
        st = manifest(f, err);
    sim_files_abandon(f);
    return st;
}
