/*
 * An XLSForm in memory: questions in their groups, lists of choices, the
 * entities they will belong to.  Private to core/xlsform.
 */
#ifndef PUAN_CORE_XLSFORM_MODEL_H
#define PUAN_CORE_XLSFORM_MODEL_H

#include "core/xlsform/xlsform.h"
#include "core/xlsform/xpath.h"

/* What a column of a sheet holds. */
enum xf_what {
    XF_OTHER,
    XF_TYPE,
    XF_NAME,
    XF_LABEL,
    XF_HINT,
    XF_REQUIRED,
    XF_RELEVANT,
    XF_CONSTRAINT,
    XF_MESSAGE, /* of a constraint */
    XF_CALCULATION,
    XF_DEFAULT,
    XF_CHOICE_FILTER,
    XF_REPEAT_COUNT,
    XF_PARAMETERS,
    XF_DISABLED,
    XF_LIST_NAME,
    XF_SILENT /* known, means nothing to a form */
};

struct xf_column {
    enum xf_what what;
    struct puan_str header; /* as written */
    struct puan_str lang;   /* behind "::"; empty: none */
};

struct xf_sheet {
    const struct puan_grid *grid; /* NULL: there is none */
    uint32_t head;                /* index of the header row */
    struct xf_column *col;
    uint32_t n_cols;
};

struct xf_choice {
    const struct puan_grid_row *row;
    struct puan_str name; /* in the XLSForm */
    struct puan_str code; /* in the form */
    int64_t value;
};

struct xf_list {
    struct puan_str name; /* in the XLSForm */
    struct puan_str key;  /* in the form */
    const struct xf_sheet *sheet;
    struct xf_choice *choice;
    size_t n;
    bool numeric; /* each name is a whole number, its own value */
    bool used;
};

enum xf_kind {
    XF_INT,
    XF_DECIMAL,
    XF_TEXT,
    XF_DATE,
    XF_POINT,
    XF_ONE,      /* select_one */
    XF_MANY,     /* select_multiple: an item for each choice */
    XF_ACK,      /* acknowledge */
    XF_CALCULATE,
    XF_GROUP,
    XF_REPEAT
};

struct xf_question {
    enum xf_kind kind;
    const struct puan_grid_row *row;
    struct puan_str name;      /* in the XLSForm */
    struct puan_str item;      /* in the form; of a calculation its define */
    struct xf_question *group; /* group or repeat it stands in, NULL: none */
    uint16_t entity;           /* that it belongs to; of a repeat its own */
    struct xf_list *list;
    struct puan_str *many; /* XF_MANY: item of each choice of the list */
    struct puan_str other; /* or_other: item of the text; empty: none */
    struct puan_str list_name;
    bool required, long_text, time;
    bool gone;     /* left out: no item of it */
    bool defined;  /* calculation: its define compiles */
    bool reported; /* its relevant could not be carried over, and was said */
    int64_t min, max; /* of a range question */
    bool has_range, no_minus;
    uint64_t max_text;     /* characters of a text; 0: as usual */
    uint32_t exact_digits; /* text: a number of so many digits; 0: any */
    struct puan_xp *calc;  /* XF_CALCULATE */
    struct puan_xp *limit; /* its constraint, parsed; NULL: none or reported */
    struct puan_xp *when;  /* its relevant, parsed; NULL: none or reported */
    struct puan_str asked_if; /* what became of it and its groups' */
};

struct xf_entity {
    struct puan_str name;
    struct xf_question *repeat; /* NULL: the household */
    uint16_t outer;             /* entity of the repeat around it, 0: none */
    struct puan_str link;       /* item: line of the outer row; may be empty */
    uint32_t rows;
    uint32_t n_items;
};

struct xf_model {
    struct puan_arena *a;
    struct puan_err *err;
    struct puan_xlsform *out;
    const struct puan_xlsform_in *in;
    struct xf_sheet survey, choices, external, settings;
    struct xf_question *q;
    size_t n;
    struct xf_list *list;
    size_t n_lists;
    struct xf_entity entity[PUAN_FORM_ENTITIES];
    uint16_t n_entities;
    struct puan_str *taken; /* names given so far */
    size_t n_taken, cap_taken;
    struct puan_str zh, en, plain; /* languages */
    struct puan_str id;
    struct puan_xlsform_remark *last; /* of the list being made */
    bool quiet; /* what is done again has been reported */
    const struct puan_form *form;     /* loaded without routing */
};

/* ---- sheets (read.c) ---- */

/* Reads survey, choices and settings into questions and lists. */
PUAN_MUST_USE enum puan_status xf_read(struct xf_model *m);
/* The first cell of that kind, whatever its language; *col its column. */
struct puan_str xf_cell(const struct xf_sheet *s,
                        const struct puan_grid_row *row, enum xf_what what,
                        uint32_t *col);
/* A text for readers in one of the form's languages, cleaned; falls back on
   the others. */
struct puan_str xf_words(struct xf_model *m, const struct xf_sheet *s,
                         const struct puan_grid_row *row, enum xf_what what,
                         struct puan_str lang);
struct puan_str xf_setting(const struct xf_model *m, const char *name);

/* ---- names (names.c) ---- */

/* A name a form may use, like no other so far: an item, an entity. */
struct puan_str xf_name(struct xf_model *m, struct puan_str wish,
                        uint32_t line);
/* Gives names to lists, codes, entities, items. */
PUAN_MUST_USE enum puan_status xf_names(struct xf_model *m);
/* Markup, line breaks and references taken out; *refs says if there were. */
struct puan_str xf_clean(struct puan_str s, bool *refs, struct puan_arena *a);

/* ---- expressions (translate.c) ---- */

struct xf_said {
    bool ok;
    bool number;          /* a value: a number, no day and no truth */
    bool loose;           /* wants brackets beside `and` */
    struct puan_str text; /* in the rule language */
    const char *why;      /* not ok: what has no counterpart */
    const char *remedy;
};

/*
 * A condition as a truth of the rule language, at the level of `entity`; `.`
 * is `self`.  `defines`: calculations may be named (rules), else they are
 * written out (routing).
 */
struct xf_said xf_truth(struct xf_model *m, const struct puan_xp *x,
                        uint16_t entity, const struct xf_question *self,
                        bool defines);
/* Any expression, as a value. */
struct xf_said xf_value(struct xf_model *m, const struct puan_xp *x,
                        uint16_t entity, const struct xf_question *self,
                        bool defines);
/* The question a name means, seen from `entity` and `self`; NULL: none. */
struct xf_question *xf_find(const struct xf_model *m, struct puan_str name,
                            struct puan_str group, uint16_t entity);

/* ---- form and rules (form.c, rules.c) ---- */

/* Parses calculations and constraints; what a constraint says of the length of
   a text goes to the question, `true` takes its place. */
void xf_parse(struct xf_model *m);

/* The tree without routing, loaded; then with routing. */
PUAN_MUST_USE enum puan_status xf_form(struct xf_model *m);
PUAN_MUST_USE enum puan_status xf_routing(struct xf_model *m);
PUAN_MUST_USE enum puan_status xf_rules(struct xf_model *m);
/* A form's tree as YAML text. */
struct puan_str xf_yaml(const struct puan_node *tree, struct puan_str head,
                        struct puan_arena *a);

/* ---- the report ---- */

void xf_remark(struct xf_model *m, enum puan_xlsform_level level,
               const struct xf_sheet *s, uint32_t line, uint32_t column,
               const char *text, const char *remedy);

#endif
