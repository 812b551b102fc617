/*
 * A plan as a running census sees it: who, when, where, which forms, rules,
 * workflows and tables.  Read from the parsed files of one pack and of the
 * packs it uses; doc/plan.md is the format's reference.
 *
 * A plan never changes once loaded; it lives in the arena it was loaded into.
 * This module never opens a file (features/plans does) and knows no country.
 *
 * Depends on: form, rule, figures.
 */
#ifndef PUAN_CORE_PLAN_PLAN_H
#define PUAN_CORE_PLAN_PLAN_H

#include "core/figures/dossier.h"
#include "core/figures/figures.h"
#include "core/rule/rule.h"

/* A level of the area tree, from the top down. */
struct puan_level {
    struct puan_str id; /* "county" */
    struct puan_str zh, en;
    struct puan_str office_zh, office_en; /* the office there; may be empty */
    unsigned digits;                      /* of the whole code; 0: external */
    bool external;                        /* above any installation */
    const struct puan_node *at;
};

enum puan_credential_kind {
    PUAN_CREDENTIAL_HUMAN,
    PUAN_CREDENTIAL_DEVICE,
    PUAN_CREDENTIAL_HOUSEHOLD,
    PUAN_CREDENTIAL_SERVICE
};

/* What may be held at an area: a seat is a role @ area. */
struct puan_role {
    struct puan_str id; /* "county-business" */
    struct puan_str zh, en;
    struct puan_str pack; /* where it was defined */
    enum puan_credential_kind credential;
    bool external;       /* acts through `via` with evidence, or by message */
    struct puan_str via; /* external: the local role that enters its acts */
    bool second_factor;
    unsigned clearance;         /* contract 17 */
    uint64_t levels;            /* bit per index in plan->level; 0: any */
    const struct puan_str *can; /* capabilities, sorted */
    size_t n_can;
    const struct puan_str *needs; /* attested records before it opens */
    size_t n_needs;
    const struct puan_str *excludes; /* roles the same account must not hold */
    size_t n_excludes;
    const struct puan_node *at;
};

struct puan_window {
    struct puan_str id; /* "short-form" */
    struct puan_str zh, en;
    int64_t from_ms, until_ms;    /* instants, until exclusive */
    const struct puan_str *forms; /* forms it opens; none: not for returns */
    size_t n_forms;
    const struct puan_str *modes; /* "enumerator", "self"; none: any */
    size_t n_modes;
    const struct puan_node *at;
};

/*
 * A channel: the way in which a unit of the listing reports (its column
 * `mode`).  The forms of a channel come for its units alone, and for these
 * nothing else may come.
 */
struct puan_channel {
    struct puan_str id; /* "direct" */
    struct puan_str zh, en;
    const struct puan_str *forms; /* at least one; in no other channel */
    size_t n_forms;
    const struct puan_node *at;
};

enum puan_setting_kind {
    PUAN_SETTING_TEXT,
    PUAN_SETTING_NUMBER,
    PUAN_SETTING_DURATION, /* milliseconds */
    PUAN_SETTING_MONTH,
    PUAN_SETTING_DAY
};

struct puan_setting {
    struct puan_str id; /* "at_once" */
    struct puan_str zh, en;
    enum puan_setting_kind kind;
    struct puan_str text;           /* as written: "24h", "county", "3" */
    int64_t value;                  /* all kinds but TEXT */
    const struct puan_str *clauses; /* the clauses it gives a number to */
    size_t n_clauses;
    const struct puan_node *at;
};

/* Label, term and circle of a kind of data (contract 17). */
struct puan_secrecy {
    struct puan_str id; /* "returns" */
    struct puan_str zh, en;
    unsigned label; /* 0 open ... 3 state secret */
    struct puan_str term, audience;
};

/* The hours offices work; as core/flow wants them. */
struct puan_plan_hours {
    int from_minute, to_minute; /* of the day */
    unsigned weekdays;          /* bit 0 Monday ... bit 6 Sunday */
    const int64_t *holidays;    /* days, ascending */
    size_t n_holidays;
    const int64_t *workdays; /* working week-end days, ascending */
    size_t n_workdays;
};

/* The first case whose `when` is true decides; see population-census plans. */
struct puan_residence_case {
    int64_t id;
    struct puan_str zh, en, when;
    bool de_facto, registered, resident; /* counted here as such */
    const struct puan_node *at;
};

/* A derived variable of tables: an expression over an entity's rows. */
struct puan_variable {
    struct puan_str id, zh, en;
    struct puan_str entity; /* "person" */
    struct puan_str expr;
    const struct puan_codelist *codes; /* the classes it gives */
    const struct puan_node *at;
};

enum puan_by_kind {
    PUAN_BY_LEVEL,    /* index of an area level */
    PUAN_BY_ITEM,     /* a coded item of the entity */
    PUAN_BY_VARIABLE, /* index in plan->variable */
    PUAN_BY_RESIDENTS /* persons of the table's base in the household */
};
struct puan_by {
    enum puan_by_kind kind;
    size_t index;         /* level, variable */
    struct puan_str name; /* as written; the item's name */
};
/* Which persons count. */
enum puan_base {
    PUAN_BASE_RESIDENT,
    PUAN_BASE_DE_FACTO,
    PUAN_BASE_REGISTERED,
    PUAN_BASE_ALL
};

struct puan_table_plan {
    struct puan_str id, zh, en;
    struct puan_str entity;
    enum puan_base base;
    struct puan_str where; /* expression; may be empty */
    const struct puan_by *by;
    size_t n_by;
    const struct puan_node *at;
};

/* One file of a pack. */
struct puan_plan_file {
    struct puan_str pack; /* "cn-office-gx" */
    struct puan_str path; /* inside the pack, "flows/leak.yaml" */
    const char *name;     /* as error texts call it: where it was read */
    struct puan_str text;
    const struct puan_node *tree; /* YAML files; NULL else */
    uint8_t digest[PUAN_DIGEST_SIZE];
};

struct puan_plan_pack {
    struct puan_str name;
    const struct puan_plan_file *file; /* sorted by path */
    size_t n_files;
    uint8_t digest[PUAN_DIGEST_SIZE]; /* contract 6 */
};

struct puan_plan {
    struct puan_str id, version;
    struct puan_str overlay; /* name of the overlay on it; empty: none */
    struct puan_str zh, en;
    struct puan_str scope; /* "office", "campaign" */
    /* Of the pack; when it uses others, over all their digests in order. */
    uint8_t digest[PUAN_DIGEST_SIZE];
    const struct puan_plan_pack *pack; /* [0] the plan's own */
    size_t n_packs;

    int offset_minutes;      /* of the plan's clock from UTC */
    int64_t reference_month; /* campaigns only, else 0 */
    int64_t reference_ms;

    const struct puan_level *level; /* top down; external ones first */
    size_t n_levels;
    size_t shard_level; /* one returns store for each area of it */
    size_t ea_level;    /* the last: enumeration areas */
    unsigned household_digits;

    const struct puan_role *role;
    size_t n_roles;
    const struct puan_plan_hours *hours; /* NULL: none are set */
    const struct puan_window *window;
    size_t n_windows;
    const struct puan_channel *channel;
    size_t n_channels;
    const struct puan_setting *setting;
    size_t n_settings;
    const struct puan_const *consts; /* settings and ref_month, for programs */
    size_t n_consts;

    const struct puan_secrecy *secrecy;
    size_t n_secrecy;

    const struct puan_form *const *form; /* by ordinal */
    size_t n_forms;
    const struct puan_routing *const *routing; /* by form ordinal */

    /* Sheets of area figures: figures/ *.yaml of all packs, by path. */
    const struct puan_sheet *const *sheet;
    size_t n_sheets;
    /* All records of one thing: dossiers/ *.yaml of all packs, by path. */
    const struct puan_dossier *const *dossier;
    size_t n_dossiers;

    const struct puan_plan_file *const *rules; /* rules/ *.rules, by path */
    size_t n_rules;
    const struct puan_str *rule_text; /* the same as puan_ruleset_compile */
    const char *const *rule_name;     /* wants them */
    const struct puan_plan_file *const *flows; /* flows/ *.yaml of all packs */
    size_t n_flows;

    const struct puan_residence_case *residence;
    size_t n_residence;
    struct puan_str residence_entity; /* "person" */
    const struct puan_variable *variable;
    size_t n_variables;
    const struct puan_table_plan *table;
    size_t n_tables;
};

/*
 * Builds a plan from packs already read: pack[0] is the plan's own, the others
 * those it uses and, last, an overlay on it if there is one (contract 6). Files
 * and trees must outlive the plan.  Every failure that can be found goes to
 * `problems` (may be NULL); err gets the first.  Routing, residence cases,
 * variables and filters of tables are compiled against their forms.  `digest`
 * may be NULL: digests stay zero.
 *
 * EINVAL  anything wrong in a file   ENOTFOUND  no plan.yaml
 */
PUAN_MUST_USE enum puan_status
puan_plan_load(struct puan_plan **out, struct puan_plan_pack *pack,
               size_t n_packs, const struct puan_digest_fn *digest,
               struct puan_problems *problems, struct puan_arena *a,
               struct puan_err *err);

/* Capabilities that routes know, and functions that features do for the `call:`
 * of workflows ("SUBJECT:NAME"). */
struct puan_plan_known {
    const struct puan_str *capability; /* NULL: not looked at */
    size_t n_capabilities;
    const struct puan_str *call; /* NULL: not looked at */
    size_t n_calls;
};

/*
 * What puan_plan_load leaves out because it takes longer: compiles every rule
 * for every form it applies to, reads and proves every workflow against the
 * plan's roles, levels and settings, and looks for capabilities no route asks
 * for (`known` may be NULL).
 */
PUAN_MUST_USE enum puan_status
puan_plan_prove(const struct puan_plan *p, const struct puan_plan_known *known,
                struct puan_problems *problems, struct puan_arena *a,
                struct puan_err *err);

/* Contract 6, over files sorted by path; plan.sig is not one of them. */
void puan_plan_pack_digest(struct puan_plan_pack *p,
                           const struct puan_digest_fn *digest,
                           struct puan_arena *a);

/* By name; NULL or -1 when there is none. */
int puan_plan_level(const struct puan_plan *p, struct puan_str id);
const struct puan_role *puan_plan_role(const struct puan_plan *p,
                                       struct puan_str id);
bool puan_role_can(const struct puan_role *r, struct puan_str capability);
const struct puan_window *puan_plan_window(const struct puan_plan *p,
                                           struct puan_str id);
/* A window open at `ms` for that form and mode (empty: any), or NULL. */
const struct puan_window *puan_plan_open(const struct puan_plan *p,
                                         struct puan_str form,
                                         struct puan_str mode, int64_t ms);
/* The channel of that id, as a listing's mode names it, or NULL. */
const struct puan_channel *puan_plan_channel(const struct puan_plan *p,
                                             struct puan_str id);
/* The channel a form belongs to, or NULL: every unit without a channel's. */
const struct puan_channel *puan_plan_channel_of(const struct puan_plan *p,
                                                struct puan_str form);
/* Is there a window, whenever, for that form and mode? */
bool puan_plan_ever_open(const struct puan_plan *p, struct puan_str form,
                         struct puan_str mode);
const struct puan_setting *puan_plan_setting(const struct puan_plan *p,
                                             struct puan_str id);
/* Its value, or dflt. */
int64_t puan_plan_number(const struct puan_plan *p, const char *id,
                         int64_t dflt);
/*
 * Is `word` among the words of a text setting, "vacant empty"?  False when the
 * plan has no such setting.
 */
bool puan_plan_lists(const struct puan_plan *p, const char *id,
                     struct puan_str word);
const struct puan_form *puan_plan_form(const struct puan_plan *p,
                                       struct puan_str id);
/* A sheet of figures by its name; NULL when there is none. */
const struct puan_sheet *puan_plan_sheet(const struct puan_plan *p,
                                         struct puan_str id);
const struct puan_dossier *puan_plan_dossier(const struct puan_plan *p,
                                             struct puan_str id);
/*
 * Everything rules can be written for: the forms by ordinal, then the sheets,
 * then the dossiers; NULL behind the last.
 */
const struct puan_form *puan_plan_rule_form(const struct puan_plan *p,
                                            size_t i);
/*
 * The number behind a word of a file that is no return (a register's "F"): the
 * text itself when it is a number, else that code of the list of this name in
 * any form.  False when it is neither.
 */
bool puan_plan_word(int64_t *value, const struct puan_plan *p, const char *list,
                    struct puan_str text);
/* A file of any pack by path, own pack first; NULL when there is none. */
const struct puan_plan_file *puan_plan_file(const struct puan_plan *p,
                                            struct puan_str path);

/*
 * The level index whose codes have that many digits, or -1; and the code of
 * the area at `level` that a household key or a longer code lies in.
 */
int puan_plan_level_of_digits(const struct puan_plan *p, unsigned digits);
int64_t puan_plan_area_of_household(const struct puan_plan *p,
                                    int64_t household, size_t level);

#endif
