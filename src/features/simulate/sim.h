/*
 * Inside the simulator: the spec of a plan, the population of one shard (a
 * county), its ground, and what is written of them.  Nothing outside this
 * folder includes this file.
 *
 * One shard is in memory at a time; its arena is reset for the next.  All
 * choices come from counter-based streams keyed by (seed, area, purpose), so
 * the same seed gives the same bytes whatever else is simulated beside it,
 * threads or not.  Links nothing of core/rule, core/link, core/edit.
 */
#ifndef PUAN_FEATURES_SIMULATE_SIM_H
#define PUAN_FEATURES_SIMULATE_SIM_H

#include "base/node.h"

/* ---- random numbers --------------------------------------------------- */

struct sim_rng {
    uint64_t key, n;
};

static inline uint64_t sim_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* One value of a purpose and an index, without any state. */
static inline uint64_t sim_hash(uint64_t seed, uint64_t purpose, uint64_t i)
{
    return sim_mix(sim_mix(seed + purpose * 0x9e3779b97f4a7c15u) +
                   i * 0xd1342543de82ef95u + 1);
}

static inline struct sim_rng sim_rng_of(uint64_t seed, uint64_t purpose,
                                        uint64_t area)
{
    return (struct sim_rng){ sim_hash(seed, purpose, area), 0 };
}

static inline uint64_t sim_next(struct sim_rng *r)
{
    return sim_mix(r->key + ++r->n * 0x9e3779b97f4a7c15u);
}

/* 0 .. n-1, n > 0; the bias of 2^-32 does not matter here. */
static inline uint32_t sim_below(struct sim_rng *r, uint32_t n)
{
    return (uint32_t)(((sim_next(r) >> 32) * n) >> 32);
}

static inline bool sim_permille(struct sim_rng *r, int64_t p)
{
    return (int64_t)sim_below(r, 1000) < p;
}

/* Bell-shaped whole number around 0: the sum of four of [-spread, spread]. */
static inline int sim_bell(struct sim_rng *r, int spread)
{
    int s = 0;

    for (int i = 0; i < 4; i++)
        s += (int)sim_below(r, (uint32_t)(2 * spread + 1)) - spread;
    return s / 2;
}

/* ---- fitting (fit.c) -------------------------------------------------- */

/*
 * Shares `total` over n cells in proportion to weight (>= 0), whole numbers
 * with the exact sum, by largest remainders; cap (may be NULL) bounds a cell.
 * Gives what could not be placed (0 unless the caps are too tight or all
 * weights are 0).
 */
int64_t sim_apportion(int64_t *out, const double *weight, const int64_t *cap,
                      size_t n, int64_t total);

/*
 * Iterative proportional fitting of x[rows][cols] (seed weights in, fit out)
 * to row and column sums, then rounding to whole numbers that keep both sums
 * exactly where the fit converged.  Gives the largest remaining difference of
 * a column sum.
 */
int64_t sim_fit_table(int64_t *out, double *x, const int64_t *row_sum,
                      const int64_t *col_sum, size_t rows, size_t cols,
                      struct puan_arena *scratch);

/* ---- spec (spec.c) ---------------------------------------------------- */

#define SIM_LEVELS 10
#define SIM_GROUPS 40
#define SIM_EDU 12
#define SIM_LEFT 12
#define SIM_REASONS 16
#define SIM_ITEMS 48
#define SIM_VALUES 12
#define SIM_AGES 110
#define SIM_ALSO 6
struct sim_also;

enum sim_entity { SIM_HOUSEHOLD, SIM_PERSON, SIM_DEATH, SIM_ENTITIES };

enum sim_concept {
    SIM_TYPE,
    SIM_PRESENT,
    SIM_ABSENT,
    SIM_PERSONS,
    SIM_BIRTHS_MALE,
    SIM_BIRTHS_FEMALE,
    SIM_BIRTHS,
    SIM_DEATHS_MALE,
    SIM_DEATHS_FEMALE,
    SIM_DEATHS,
    SIM_DWELLING,
    SIM_FLOOR_AREA,
    SIM_ROOMS,
    SIM_NAME,
    SIM_RELATION,
    SIM_ID_NUMBER,
    SIM_SEX,
    SIM_BIRTH_MONTH,
    SIM_BIRTH_YEAR,
    SIM_AGE,
    SIM_ETHNIC,
    SIM_STAY,
    SIM_STAY_COUNTY,
    SIM_REGISTRATION,
    SIM_REGISTRATION_COUNTY,
    SIM_LEFT_SINCE,
    SIM_LEFT_REASON,
    SIM_EDUCATION,
    SIM_LITERATE,
    SIM_MARITAL,
    SIM_DEATH_MONTH,
    SIM_CARD,     /* a plain number unique to the person */
    SIM_CONSTANT, /* the same for everybody */
    SIM_WORD,     /* one of some words */
    SIM_CONCEPTS
};

enum { SIM_FAMILY, SIM_COLLECTIVE };
enum {
    SIM_HEAD,
    SIM_SPOUSE,
    SIM_CHILD,
    SIM_PARENT,
    SIM_PARENT_IN_LAW,
    SIM_GRANDPARENT,
    SIM_CHILD_IN_LAW,
    SIM_GRANDCHILD,
    SIM_SIBLING,
    SIM_OTHER
};
enum { SIM_ORDINARY, SIM_QUARTERS, SIM_WORKPLACE, SIM_OTHER_DWELLING };
enum {
    SIM_STAY_HERE,
    SIM_STAY_AREA,
    SIM_STAY_VILLAGE,
    SIM_STAY_TOWNSHIP,
    SIM_STAY_COUNTY_,
    SIM_STAY_SPECIAL,
    SIM_STAY_ABROAD
};
enum {
    SIM_REG_HERE,
    SIM_REG_NEAR,
    SIM_REG_TOWNSHIP,
    SIM_REG_COUNTY_,
    SIM_REG_PENDING
};

struct sim_item {
    struct puan_str name;
    enum sim_concept concept;
    struct puan_str value[SIM_VALUES]; /* texts of the concept's values */
    struct puan_str missing[4];        /* reasons */
    unsigned n_missing;
    int from_age;
    const struct puan_str *word; /* SIM_WORD, SIM_CONSTANT */
    unsigned n_words;
};

struct sim_level {
    struct puan_str name, column, column_en; /* margins columns of names */
    unsigned digits;
    int64_t areas; /* enumeration areas in one, below the shard */
    int64_t first, split;
    struct puan_str zh, en, part_zh, merged_zh;
};

struct sim_weighted { /* step function of age */
    int from;
    int64_t weight;
};

struct sim_edu_code {
    struct puan_str code;
    int64_t weight;
    int from_age;
};

struct sim_edu_level {
    int column[2]; /* margins column by sex; -1: not fitted */
    struct sim_weighted step[12];
    unsigned n_steps;
    struct sim_edu_code code[4];
    unsigned n_codes;
};

struct sim_reason {
    struct puan_str code;
    int64_t weight;
    int from, to;
    bool present; /* only somebody who is here says so */
};

/* A condition: an item's text is one of `values`, or a range of a number. */
struct sim_when {
    int entity, item; /* item index; -1 age, -2 line, -3 place in the near
                         level's parent: the last digits of its code */
    const struct puan_str *value;
    unsigned n_values;
    int64_t from, to;
};

struct sim_case {
    int64_t id;
    const struct sim_when *when;
    unsigned n_when;
    bool resident;
};

enum sim_op {
    SIM_OP_SET,
    SIM_OP_CLEAR,
    SIM_OP_MISSING,
    SIM_OP_DIGIT,
    SIM_OP_SHORT,
    SIM_OP_DATE,
    SIM_OP_MONTH,
    SIM_OP_ADD,
    SIM_OP_SAME
};

struct sim_fault_kind {
    struct puan_str name, detect;
    int entity, item;
    enum sim_op op;
    const struct puan_str *value;
    unsigned n_values;
    const struct sim_when *when;
    unsigned n_when;
    const struct sim_when *with;
    unsigned n_with;
    int64_t weight;
};

enum sim_rate {
    SIM_RATE_NEAR,
    SIM_RATE_PENDING,
    SIM_RATE_AWAY_SHORT,
    SIM_RATE_ABROAD,
    SIM_RATE_VISITING_SHORT,
    SIM_RATE_AWAY_LONG,
    SIM_RATE_AWAY_SHORT_OUTSIDE,
    SIM_RATE_SAME_PREFECTURE,
    SIM_RATE_ID_MISSING,
    SIM_RATE_DEATHS,
    SIM_RATE_INFANT_DEATHS,
    SIM_RATE_VACANT,
    SIM_RATE_SELF,
    SIM_RATE_LISTING_DIFFERS,
    SIM_RATE_REGISTER_MISSING,
    SIM_RATE_REGISTER_DEAD,
    SIM_RATE_REGISTER_UNKNOWN,
    SIM_RATE_AREA_HOUSEHOLDS,
    SIM_RATES
};

/* One row of the margins table with a code of the shard level. */
struct sim_area_row {
    int64_t code;
    struct puan_str digits;
    int64_t population;
    struct puan_str *field; /* all columns, as in the file */
};

struct sim_known {
    int64_t area;
    const char *file;
    int64_t districts, areas;
    const struct puan_node *en; /* code: English name; may be NULL */
};

struct sim_names {
    struct puan_str pattern, unnamed, address;
    const struct puan_str *family, *given[2]; /* given[0] male */
    size_t n_family, n_given[2];
};

struct sim_spec {
    const char *dir; /* the pack's simulate folder */
    int64_t reference_day, reference_month;
    int offset_minutes;
    bool two_sided; /* present and registered separately */
    unsigned household_digits;
    int64_t household_base;
    struct sim_level level[SIM_LEVELS];
    unsigned n_levels, shard, near;
    struct sim_known known[8];
    unsigned n_known;

    struct puan_str *column; /* of the margins table */
    size_t n_columns;
    struct sim_area_row *area; /* ascending by code */
    size_t n_areas;
    struct {
        int from, to, column[2];
    } group[SIM_GROUPS];
    unsigned n_groups;
    int c_households, c_household_pop, c_one_person, c_generations[4];
    int c_urban, c_city; /* persons; -1: no classification */
    int c_minority, c_migration[3], c_illiterate[2], c_rooms, c_floor;

    int64_t rate[SIM_RATES];
    int64_t origin_lon, origin_lat; /* 1e-7 degrees */

    int64_t field_day, field_days, usual_days, self_days;
    int hour_from, hour_to;
    int64_t seconds_per_person;
    struct puan_str phone_first;
    int64_t phone_digits;

    struct sim_names names;
    struct puan_str ethnic_majority;
    struct puan_str ethnic_other[16];
    int64_t ethnic_weight[16];
    unsigned n_ethnic;
    int64_t ethnic_permille; /* used where no margin is published */

    int edu_from_age, edu_fit_from, literate_from;
    int edu_never, edu_illiterate_max;
    struct puan_str edu_young[4];
    int64_t edu_young_weight[4];
    unsigned n_edu_young;
    struct sim_edu_level edu[SIM_EDU];
    unsigned n_edu;

    struct puan_str left_code[SIM_LEFT];
    int64_t left_months[SIM_LEFT], left_weight[SIM_LEFT];
    unsigned n_left;
    struct sim_reason reason[SIM_REASONS];
    unsigned n_reasons;

    struct sim_item item[SIM_ENTITIES][SIM_ITEMS];
    unsigned n_items[SIM_ENTITIES];
    int item_of[SIM_ENTITIES][SIM_CONCEPTS]; /* -1: the form has none */
    const char *entity[SIM_ENTITIES];        /* the form's names */
    int id_item; /* person item that holds the number or card; -1 */

    struct sim_case *cases;
    unsigned n_cases;
    struct sim_fault_kind *fault;
    unsigned n_faults;

    struct sim_also *also[SIM_ALSO]; /* further forms; also.c */
    unsigned n_also;
};

/*
 * Reads PACK/simulate/spec.yaml and the margins it names.
 *
 * EINVAL  malformed, unknown key, a column that is not there
 */
PUAN_MUST_USE enum puan_status sim_spec_load(struct sim_spec **out,
                                             const char *pack,
                                             struct puan_arena *a,
                                             struct puan_err *err);
/* Whole number of a margins cell; 0 when blank. */
int64_t sim_cell(const struct sim_area_row *r, int column);
/* Decimal of a margins cell scaled by 100; 0 when blank. */
int64_t sim_cell_100(const struct sim_area_row *r, int column);
/* A margins cell by the name of its column; empty when there is none. */
struct puan_str sim_spec_field(const struct sim_spec *s,
                               const struct sim_area_row *r,
                               struct puan_str column);
const struct sim_area_row *sim_spec_area(const struct sim_spec *s,
                                         int64_t code);
/* Weight of a step function at an age. */
int64_t sim_step(const struct sim_weighted *step, unsigned n, int age);

/* ---- ground (ground.c) ------------------------------------------------ */

/* One area from the shard down; index 0 is the shard, preorder. */
struct sim_ground_area {
    int64_t code;
    uint8_t level; /* spec level */
    bool synthetic;
    uint32_t parent, end;
    uint32_t ea_first, ea_end; /* range in ground->ea */
    struct puan_str zh, en;
    int32_t x0, y0, x1, y1; /* lattice rectangle, half open */
};

struct sim_ground {
    const struct sim_spec *spec;
    struct sim_ground_area *area;
    uint32_t n;
    uint32_t *ea; /* area indexes of the enumeration areas, in code order */
    uint32_t n_ea;
    uint32_t *near;     /* by EA: index of its near-level area */
    uint32_t *district; /* by EA: index of its parent area */
    uint64_t seed;
    int64_t cell; /* lattice pitch in 1e-7 degrees */
};

/*
 * The area tree of one shard and where its areas lie.  The ground of all
 * shards is one square lattice; a shard is a square of `side` cells at
 * (ox, oy), an area a rectangle of cells.  Lattice points are moved by smooth
 * noise, the same for everybody who asks, so borders are crooked and shared.
 */
PUAN_MUST_USE enum puan_status
sim_ground_make(struct sim_ground *g, const struct sim_spec *s,
                const struct sim_area_row *row, uint64_t seed, double scale,
                int32_t ox, int32_t oy, int32_t side, struct puan_arena *a,
                struct puan_err *err);
/* Lattice cells a side that a shard of n enumeration areas needs. */
int32_t sim_ground_side(uint32_t n_ea);
uint32_t sim_ground_eas(const struct sim_spec *s,
                        const struct sim_area_row *row, double scale);
/* A lattice point in 1e-7 degrees. */
void sim_ground_point(int64_t *lon, int64_t *lat, const struct sim_ground *g,
                      int64_t x, int64_t y);
/* The n-th point strictly inside the area. */
void sim_ground_inside(int64_t *lon, int64_t *lat, const struct sim_ground *g,
                       uint32_t area, uint64_t n);
/* Calls `point` for the ring, counter-clockwise, first point repeated. */
void sim_ground_ring(const struct sim_ground *g, uint32_t area,
                     void (*point)(void *ctx, int64_t lon, int64_t lat),
                     void *ctx);
/* Replaces {key} in a pattern; pairs are key, value, ..., NULL. */
struct puan_str sim_pattern(struct puan_arena *a, struct puan_str pattern,
                            const char *const *pairs);

/* ---- people (people.c, homes.c, moves.c) ------------------------------ */

/* Why a person stands on a form; the order is that of the nine cases. */
enum sim_situation {
    SIM_HOME,      /* present, registered here */
    SIM_NEAR,      /* present, registered nearby */
    SIM_IN_LONG,   /* present, from further off, half a year or more */
    SIM_IN_SHORT,  /* the same, less */
    SIM_PENDING,   /* present, registration pending */
    SIM_OUT_NEAR,  /* registered here, staying nearby */
    SIM_OUT_SHORT, /* registered here, away less than half a year */
    SIM_OUT_LONG,  /* the same, longer */
    SIM_ABROAD     /* registered here, abroad */
};

enum sim_move { /* how far: index into margins.migration */
    SIM_MOVE_COUNTY,
    SIM_MOVE_PROVINCE,
    SIM_MOVE_NATION,
    SIM_MOVES
};

#define SIM_NONE UINT32_MAX

struct sim_person {
    uint64_t number;   /* shared by the two records of a living-apart pair */
    int32_t birth_day; /* calendar.h */
    uint32_t home;     /* household index in the shard */
    uint32_t other;    /* row of the margins table: the other end's shard */
    uint32_t id_region;
    uint16_t id_sequence;
    uint8_t sex; /* 0 male, 1 female */
    uint8_t age;
    uint8_t relation, situation;
    uint8_t move;
    uint8_t education; /* 0 not asked, 1.. level + 1, 100.. young */
    uint8_t edu_code;
    uint8_t illiterate;
    uint8_t left, reason;
    uint8_t ethnic;   /* 0 majority */
    uint8_t id_state; /* 0 given, 1.. missing reason */
    uint8_t married;
    uint8_t generation; /* scratch */
    uint8_t surname;
};

enum sim_home_status { SIM_LISTED, SIM_VACANT, SIM_AWAY };
enum sim_home_fault {
    SIM_CLEAN,
    SIM_KEPT, /* original of a duplicate: stays without fault */
    SIM_OMITTED,
    SIM_INVENTED,      /* answers of a real household made up */
    SIM_INVENTED_HOME, /* a vacant unit given a household */
    SIM_DUPLICATE,     /* holds one person too many */
    SIM_ITEM_ERROR
};

struct sim_home {
    uint32_t ea;     /* index into ground->ea */
    uint16_t number; /* in the EA */
    uint16_t building, unit;
    uint8_t type, status, dwelling, fault;
    uint8_t self;
    uint8_t stillborn; /* infants of the year who died: 0 or 1 */
    uint8_t deaths;
    bool unlisted;
    int16_t rooms;
    int32_t floor;
    uint32_t first, n; /* persons: a list by next[], later in order[] */
    uint32_t death_first;
    bool whole; /* moved here as a whole */
    uint32_t extra;    /* DUPLICATE: index into extras */
    int64_t started_s; /* seconds of UTC */
    int32_t seconds;
};

/* What one shard says to another: a person's other record. */
struct sim_link {
    uint32_t from, to; /* margins rows */
    bool duplicate;    /* else a living-apart record */
    uint32_t group;    /* members of one household leave together */
    struct sim_person person; /* as its other record will be */
};

struct sim_links {
    struct sim_link *p;
    size_t n, cap;
};
PUAN_MUST_USE enum puan_status sim_links_add(struct sim_links *l,
                                             const struct sim_link *one,
                                             struct puan_err *err);
void sim_links_clear(struct sim_links *l);

struct sim_options {
    uint64_t seed;
    double scale;
    bool faults, only_areas, report;
    const char *out;
};

/* The shards of one run, by margins row, ascending. */
struct sim_run {
    const struct sim_spec *spec;
    struct sim_options opt;
    const uint32_t *shard;
    size_t n_shards;
    struct sim_links links; /* filled by the first pass over all shards */
    int32_t side; /* lattice cells a shard */
    int32_t columns; /* shards beside each other */
};

/* Published (scaled) against reached, for the report. */
struct sim_fit {
    int64_t residents, group[SIM_GROUPS][2], one_person, households;
    int64_t household_population, generations[4];
    int64_t edu[SIM_EDU][2], migration[SIM_MOVES], illiterate[2], minority;
};

struct sim_shard {
    const struct sim_run *run;
    const struct sim_spec *spec;
    const struct sim_area_row *row;
    uint32_t index; /* margins row */
    uint32_t slot;  /* position in run->shard */
    struct sim_ground ground;
    struct sim_person *person;
    uint32_t n_persons, cap_persons;
    uint32_t n_residents; /* the first of them, before others are added */
    struct sim_home *home;
    uint32_t n_homes, cap_homes;
    uint32_t n_family;    /* the first homes are families */
    uint32_t *next;       /* while building: next person of the home */
    struct sim_person *death; /* by home */
    uint32_t n_deaths;
    uint32_t *order;      /* persons by household and line */
    uint32_t *home_order; /* households by key */
    int64_t (*edu_table)[SIM_AGES][SIM_EDU]; /* [sex][age][level] */
    struct sim_fit want, got;
    struct sim_person *extra; /* planted duplicates, by home.extra */
    uint32_t n_extras, cap_extras;
    uint64_t serial; /* next person number, below 2^32 */
    int32_t ox, oy; /* on the common lattice */
    struct sim_ids *ids;
    struct puan_arena *arena;
};

/*
 * Makes the shard's population.  With `links` not NULL (first pass) it stops
 * before what other shards send and adds what it sends them.
 */
PUAN_MUST_USE enum puan_status sim_shard_make(struct sim_shard *sh,
                                              const struct sim_run *run,
                                              uint32_t slot,
                                              struct sim_links *links,
                                              struct puan_arena *a,
                                              struct puan_err *err);

/* homes.c: residents into households of the right sizes and structures. */
PUAN_MUST_USE enum puan_status sim_homes_build(struct sim_shard *sh,
                                               struct puan_err *err);
/* A relation that person p may have in family home h without offence. */
uint8_t sim_homes_relation(const struct sim_shard *sh, uint32_t h,
                           const struct sim_person *p);
/* Puts person i on the form of home h. */
void sim_homes_add(struct sim_shard *sh, uint32_t h, uint32_t i,
                   unsigned relation);
/* moves.c: where the residents are registered and staying ... */
PUAN_MUST_USE enum puan_status sim_moves_residents(struct sim_shard *sh,
                                                   struct puan_err *err);
/* ... and everybody else's record here: the other sides, and strangers. */
PUAN_MUST_USE enum puan_status sim_moves_others(struct sim_shard *sh,
                                                struct sim_links *links,
                                                struct puan_err *err);
/* attributes.c: education, literacy, ethnic group, numbers of residents. */
PUAN_MUST_USE enum puan_status sim_attributes(struct sim_shard *sh,
                                              struct puan_err *err);
/* The same for one person who is not among the fitted. */
PUAN_MUST_USE enum puan_status sim_attributes_one(struct sim_shard *sh,
                                                  struct sim_rng *r,
                                                  struct sim_person *p,
                                                  struct puan_err *err);
/* Sequences of ID numbers issued by (region, day, sex). */
PUAN_MUST_USE enum puan_status sim_identity(struct sim_shard *sh,
                                            struct sim_rng *r,
                                            struct sim_person *p,
                                            struct puan_err *err);
/* Code text of an education as stored in a person; empty: not asked. */
struct puan_str sim_education_code(const struct sim_spec *s,
                                   const struct sim_person *p);
/* faults.c: which households carry which fault. */
PUAN_MUST_USE enum puan_status sim_faults_plan(struct sim_shard *sh,
                                               struct sim_links *links,
                                               struct puan_err *err);

int sim_age_of(const struct sim_spec *s, int64_t birth_day);
/* A person's name into out (terminated). */
size_t sim_name(char *out, size_t cap, const struct sim_spec *s,
                const struct sim_person *p);
/* 18 characters and the terminator. */
void sim_id_text(char out[19], uint32_t region, int64_t birth_day,
                 unsigned sequence);

/* ---- forms (forms.c) -------------------------------------------------- */

#define SIM_LINES 130
#define SIM_TEXT 65536

/* One household's answers as texts, by entity, line and item of the spec. */
struct sim_form {
    struct puan_str household[SIM_ITEMS];
    struct puan_str person[SIM_LINES][SIM_ITEMS];
    struct puan_str death[2][SIM_ITEMS];
    uint32_t n_persons, n_deaths;
    int16_t age[SIM_LINES];
    uint64_t number[SIM_LINES];
    int64_t near; /* last digits of the near-level area's code */
};

/* Room for the texts of a form; reset by the caller for each household. */
struct sim_text {
    char p[SIM_TEXT];
    size_t n;
};

/* What the household says when it says the truth. */
void sim_form_true(struct sim_form *f, struct sim_text *t,
                   const struct sim_shard *sh, const struct sim_home *home);
/* One more line: a planted duplicate. */
void sim_form_extra(struct sim_form *f, struct sim_text *t,
                    const struct sim_shard *sh, const struct sim_home *home,
                    const struct sim_person *p);
/* A made-up household. */
void sim_form_invented(struct sim_form *f, struct sim_text *t,
                       const struct sim_shard *sh, const struct sim_home *home,
                       uint64_t key);

struct sim_error {
    const struct sim_fault_kind *kind;
    uint32_t line; /* 0 household */
    struct puan_str was, is;
};
/* Plants one item error; false when no kind of the spec applies. */
bool sim_form_err(struct sim_error *out, struct sim_form *f, struct sim_text *t,
                  const struct sim_spec *s, struct sim_rng *r);

/* All of the conditions, for a line of its entity. */
bool sim_form_holds(const struct sim_form *f, const struct sim_when *w,
                    unsigned n, uint32_t line);
/* Values, conditions and faults of a spec file (spec.c), for also.c. */
PUAN_MUST_USE enum puan_status sim_spec_when(const struct sim_when **out,
                                             unsigned *n, struct sim_spec *s,
                                             const struct puan_node *map,
                                             struct puan_arena *a,
                                             struct puan_err *err);
PUAN_MUST_USE enum puan_status sim_spec_faults(struct sim_spec *s,
                                               const struct puan_node *top,
                                               struct puan_arena *a,
                                               struct puan_err *err);
bool sim_spec_item(int *entity, int *item, const struct sim_spec *s,
                   struct puan_str name);

/* The first case that holds for a line, or NULL. */
const struct sim_case *sim_form_case(const struct sim_form *f,
                                     const struct sim_spec *s, uint32_t line);
int64_t sim_form_residents(const struct sim_form *f, const struct sim_spec *s);

/* ---- further forms (also.c) ------------------------------------------- */

/*
 * A further form of the plan, SPEC.md "also": answered by a systematic share
 * of the households that answered the first form, or by households of its own.
 * Its answers are copied from those of the first form or drawn by the cases of
 * the file, item by item in the file's order.
 */
PUAN_MUST_USE enum puan_status sim_also_load(struct sim_spec *s,
                                             struct puan_str file,
                                             struct puan_arena *a,
                                             struct puan_err *err);
/* Files of the run (truth_<form>.csv, work_<form>.csv) and of a shard. */
PUAN_MUST_USE enum puan_status sim_also_open(struct sim_also *x,
                                             const struct sim_run *run,
                                             struct puan_arena *a,
                                             struct puan_err *err);
PUAN_MUST_USE enum puan_status sim_also_shard(struct sim_also *x,
                                              const struct sim_shard *sh,
                                              struct puan_err *err);
/* A household whose first form is `base`: answers here if it is drawn. */
void sim_also_home(struct sim_also *x, const struct sim_shard *sh,
                   const struct sim_home *h, const struct sim_form *base);
/* The households of the form's own, and the end of the shard's files. */
PUAN_MUST_USE enum puan_status sim_also_end(struct sim_also *x,
                                            const struct sim_shard *sh,
                                            struct puan_err *err);
PUAN_MUST_USE enum puan_status sim_also_finish(struct sim_also *x,
                                               struct puan_err *err);
void sim_also_abandon(struct sim_also *x);
/* For the manifest. */
struct puan_str sim_also_form(const struct sim_also *x);
int64_t sim_also_returns(const struct sim_also *x);
int64_t sim_also_faults(const struct sim_also *x);

/* write.c: everything of one shard to the open files. */
struct sim_files;
PUAN_MUST_USE enum puan_status sim_files_open(struct sim_files **out,
                                              const struct sim_run *run,
                                              struct puan_arena *a,
                                              struct puan_err *err);
PUAN_MUST_USE enum puan_status sim_files_shard(struct sim_files *f,
                                               struct sim_shard *sh,
                                               struct puan_err *err);
/* manifest and renames; frees in any case. */
PUAN_MUST_USE enum puan_status sim_files_finish(struct sim_files *f,
                                                struct puan_err *err);
void sim_files_abandon(struct sim_files *f);

#endif
