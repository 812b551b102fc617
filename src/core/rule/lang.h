/*
 * Inside of the rule language: tokens, syntax tree, types, instructions.  Only
 * the files of this folder include it.
 *
 * Depends on: form.  Does no I/O, keeps no state.
 */
#ifndef PUAN_CORE_RULE_LANG_H
#define PUAN_CORE_RULE_LANG_H

#include "core/rule/lookup.h"
#include "core/rule/rule.h"

/* ---- tokens ---- */

enum puan_tok {
    PUAN_TOK_END,
    PUAN_TOK_NAME,
    PUAN_TOK_WORD,
    PUAN_TOK_NUMBER,
    PUAN_TOK_STRING,
    /* marks */
    PUAN_TOK_EQ,
    PUAN_TOK_NE,
    PUAN_TOK_LT,
    PUAN_TOK_LE,
    PUAN_TOK_GT,
    PUAN_TOK_GE,
    PUAN_TOK_PLUS,
    PUAN_TOK_MINUS,
    PUAN_TOK_STAR,
    PUAN_TOK_SLASH,
    PUAN_TOK_OPEN,
    PUAN_TOK_CLOSE,
    PUAN_TOK_LBRACE,
    PUAN_TOK_RBRACE,
    PUAN_TOK_COMMA,
    PUAN_TOK_DOT,
    PUAN_TOK_DOTS,
    /* reserved words, in the order of the table in lex.c */
    PUAN_TOK_RULE,
    PUAN_TOK_CONST,
    PUAN_TOK_DEFINE,
    PUAN_TOK_SET,
    PUAN_TOK_ZH,
    PUAN_TOK_EN,
    PUAN_TOK_WHEN,
    PUAN_TOK_CHECK,
    PUAN_TOK_FAIL,
    PUAN_TOK_WHERE,
    PUAN_TOK_AND,
    PUAN_TOK_OR,
    PUAN_TOK_NOT,
    PUAN_TOK_IN,
    PUAN_TOK_MOD,
    PUAN_TOK_ROW,
    PUAN_TOK_SELF,
    PUAN_TOK_TRUE,
    PUAN_TOK_FALSE
};

struct puan_lex {
    struct puan_str src;
    size_t at, line_at; /* next byte; first byte of the current line */
    uint32_t line;
    uint32_t before; /* columns before the first line, where it does not begin
                        a line of the file */
    const char *file;
    struct puan_arena *arena; /* strings with escapes */
    struct puan_err *err;
    /* the current token */
    enum puan_tok tok;
    struct puan_str text; /* name, word, decoded string, or as written */
    int64_t value;        /* number, scaled by 10^places */
    unsigned places;
    uint32_t tok_line, tok_col;
};

/* Checks the encoding and stands before the first token. */
enum puan_status puan_lex_init(struct puan_lex *l, struct puan_str src,
                               const char *file, uint32_t line,
                               struct puan_arena *a, struct puan_err *err);
/* Reads the next token; a word (rule id, form id) where `word`. */
enum puan_status puan_lex_next(struct puan_lex *l);
enum puan_status puan_lex_word(struct puan_lex *l);
/* Fails at the current token: "expected WHAT but found …". */
enum puan_status puan_lex_expected(struct puan_lex *l, const char *what);
/* A token as it is shown in messages. */
const char *puan_tok_name(enum puan_tok t);

/* ---- types ---- */

enum puan_kind {
    PUAN_KIND_ANY, /* a whole constant that fits wherever a number may stand */
    PUAN_KIND_NUM,
    PUAN_KIND_MONTH,
    PUAN_KIND_DAY,
    PUAN_KIND_CODE,
    PUAN_KIND_AREA,
    PUAN_KIND_TRUTH,
    PUAN_KIND_WORD,  /* a text or bare word, until its code is known */
    PUAN_KIND_SEALED /* vault and text items */
};

struct puan_type {
    enum puan_kind kind;
    uint8_t places;                   /* NUM: scaled by 10^places */
    uint8_t digits;                   /* AREA: 0 not known */
    const struct puan_codelist *list; /* CODE */
};

/* ---- syntax tree ---- */

enum puan_ast {
    PUAN_AST_CONST,
    PUAN_AST_WORD,
    PUAN_AST_NAME,
    PUAN_AST_ROW,
    PUAN_AST_ITEM,   /* resolved: item of source src */
    PUAN_AST_COLUMN, /* resolved: derived item */
    PUAN_AST_OR,
    PUAN_AST_AND,
    PUAN_AST_NOT,
    PUAN_AST_COMPARE, /* op: enum puan_cmp */
    PUAN_AST_IN,      /* kids: subject, then RANGE or single constants */
    PUAN_AST_RANGE,
    PUAN_AST_ADD,
    PUAN_AST_SUB,
    PUAN_AST_MUL,
    PUAN_AST_DIV,
    PUAN_AST_MOD,
    PUAN_AST_NEG,
    PUAN_AST_CALL, /* op: index of the function table in check.c */
    PUAN_AST_QUANT, /* op: enum puan_quant */
    PUAN_AST_LOOKUP /* kids: the keys; item: table, value: column, or -1
                       whether there is such a row */
};

enum puan_cmp { /* 1 when less, 2 when equal, 4 when greater */
                PUAN_CMP_LT = 1,
                PUAN_CMP_EQ = 2,
                PUAN_CMP_LE = 3,
                PUAN_CMP_GT = 4,
                PUAN_CMP_NE = 5,
                PUAN_CMP_GE = 6
};

enum puan_quant {
    PUAN_Q_COUNT,
    PUAN_Q_ANY,
    PUAN_Q_ALL,
    PUAN_Q_SUM,
    PUAN_Q_MIN,
    PUAN_Q_MAX,
    PUAN_Q_FIRST
};

/* Where an item is read from. */
enum puan_src {
    PUAN_SRC_OWN,   /* the row the rule is about */
    PUAN_SRC_HOUSE, /* the household's only row */
    PUAN_SRC_INNER  /* the row of the quantifier */
};

struct puan_ast_node {
    enum puan_ast ast;
    uint8_t op;
    uint8_t src;
    bool negated;    /* "not in" */
    uint16_t height; /* longest way to a leaf */
    uint32_t line, col;
    struct puan_type type;
    struct puan_str qual, name; /* NAME, CALL, QUANT (qual: the roster) */
    int64_t value;              /* CONST */
    uint16_t entity, item;      /* ITEM, COLUMN, QUANT */
    struct puan_ast_node *kid, *next;
};

#define PUAN_RULE_HEIGHT 200 /* deepest expression */
#define PUAN_RULE_REGS 48    /* registers of one expression */

/* Parses one expression, from the current token on. */
enum puan_status puan_rule_parse_expr(struct puan_ast_node **out,
                                      struct puan_lex *l);

struct puan_ast_forms { /* the names after "in" */
    struct puan_str *name;
    size_t n;
};

struct puan_ast_const {
    struct puan_str name;
    uint32_t line, col;
    const char *file;
    struct puan_ast_node *expr;
    uint8_t mark; /* 0 new, 1 being checked, 2 done */
    struct puan_ast_const *next;
};

struct puan_ast_define {
    struct puan_str name, level;
    uint32_t line, col;
    const char *file;
    struct puan_ast_forms in;
    struct puan_ast_node *expr;
    /* filled while it is compiled for a form */
    uint8_t mark; /* 0 new, 1 being checked, 2 done, 3 does not apply */
    uint16_t entity, column;
    const char *why; /* mark 3 */
    struct puan_ast_define *next;
};

struct puan_ast_rule {
    struct puan_str id, level, zh, en;
    uint32_t line, col;
    const char *file;
    enum puan_severity severity;
    bool override_ok;
    struct puan_ast_forms in;
    struct puan_ast_node *when, *check; /* when may be NULL */
    struct puan_ast_rule *next;
};

/* A level of a plain file, or a reference table. */
struct puan_ast_decl {
    struct puan_str name;
    uint32_t line, col;
    const char *file;
    struct puan_ast_forms by, gives;
    struct puan_ast_decl *next;
};

/* without RULE, RULE: rules switched off */
struct puan_ast_off {
    struct puan_str id;
    uint32_t line, col;
    const char *file;
    struct puan_ast_off *next;
};

struct puan_ast_text { /* all files of a rule set */
    struct puan_str set; /* of the first header; empty: none */
    int64_t version;
    struct puan_ast_off *off;
    struct puan_ast_decl *levels, **levels_end;
    struct puan_ast_decl *tables, **tables_end;
    struct puan_ast_const *consts, **consts_end;
    struct puan_ast_define *defines, **defines_end;
    struct puan_ast_rule *rules, **rules_end;
};

void puan_ast_text_init(struct puan_ast_text *t);
/* The table of that name, or NULL; *index its place among them. */
const struct puan_ast_decl *puan_ast_table(const struct puan_ast_text *t,
                                           struct puan_str name,
                                           uint16_t *index);
/* Parses one file and appends what it holds. */
enum puan_status puan_rule_parse_text(struct puan_ast_text *t,
                                      struct puan_str text, const char *file,
                                      struct puan_arena *a,
                                      struct puan_err *err);

/* ---- instructions ---- */

/*
 * A register holds a value and a knowledge: 0 known, else why it is unknown,
 * ordered by strength.  Binary instructions take registers d and d + 1 and
 * leave the result in d.  Jumps only save work: a column executor passes over
 * them and gets the same result.
 */
enum puan_know {
    PUAN_KNOWN,
    PUAN_UN_ASKED,
    PUAN_UN_OUTER, /* within a quantifier: not asked, and not of its row */
    PUAN_UN_MISSING,
    PUAN_UN_INVALID
};

enum puan_op {
    PUAN_OP_CONST,     /* d = k */
    PUAN_OP_ITEM,      /* d = item x of src */
    PUAN_OP_COLUMN,    /* d = derived item x of src */
    PUAN_OP_ROW,       /* d = line number of src */
    PUAN_OP_STATE,     /* d = the state of item x of src is in the mask k */
    PUAN_OP_REASON,    /* d = reason of item x of src */
    PUAN_OP_ITEM_CMP,  /* d = item x of src <cmp y> k */
    PUAN_OP_ITEM_MASK, /* d = item x of src is a bit of k */
    PUAN_OP_ADD,
    PUAN_OP_SUB,
    PUAN_OP_MUL,
    PUAN_OP_DIV,
    PUAN_OP_MOD,
    PUAN_OP_MIN,
    PUAN_OP_MAX,
    PUAN_OP_NEG,
    PUAN_OP_ABS,
    PUAN_OP_MUL_K, /* d = d * k */
    PUAN_OP_DIV_K, /* d = d / k */
    PUAN_OP_CMP,   /* d = d <cmp y> d+1 */
    PUAN_OP_CMP_K, /* d = d <cmp y> k */
    PUAN_OP_MASK,  /* d = d is a bit of k */
    PUAN_OP_IN,    /* d = d lies in one of y ranges from k of the table */
    PUAN_OP_AND,
    PUAN_OP_OR,
    PUAN_OP_NOT,
    PUAN_OP_SELECT, /* d = d ? d+1 : d+2 */
    PUAN_OP_KNOWN_Q,
    PUAN_OP_AGE_MONTH,
    PUAN_OP_AGE_DAY,
    PUAN_OP_YEAR_M,
    PUAN_OP_YEAR_D,
    PUAN_OP_MONTH_OF_M,
    PUAN_OP_MONTH_OF_D,
    PUAN_OP_MONTH_D,
    PUAN_OP_SAME_ID, /* texts of item x of src and item y of source k */
    PUAN_OP_SAME_TEXT,
    PUAN_OP_LOOKUP,    /* d = column k of the row of table x whose keys are in
                          the y registers from d; k -1: is there one */
    PUAN_OP_AT_ITEM,   /* d = item x of line d of entity y */
    PUAN_OP_AT_COLUMN, /* d = derived item x of line d of entity y */
    PUAN_OP_QUANT,     /* d = quantifier src over entity y; body: next x */
    /* jumps over the next x instructions */
    PUAN_OP_IF_FALSE, /* when d is false */
    PUAN_OP_IF_TRUE,
    PUAN_OP_UNLESS_TRUE
};

struct puan_ins {
    uint8_t op, d, src;
    uint8_t outer; /* within a quantifier, read from outside its row */
    uint16_t x, y;
    int64_t k;
};

struct puan_range {
    int64_t lo, hi;
};

struct puan_code_out { /* instructions and ranges while they are built */
    struct puan_ins *ins;
    size_t n, cap;
    struct puan_range *range;
    size_t n_ranges, cap_ranges;
    struct puan_arena *arena;
};

struct puan_span { /* of instructions */
    uint32_t at, n;
};

struct puan_column { /* a derived item */
    struct puan_span code;
    uint16_t entity;
    const struct puan_ast_node *tree; /* checked */
};

struct puan_program { /* what both executors need */
    const struct puan_form *form;
    const struct puan_ins *ins;
    const struct puan_range *range;
    const struct puan_column *column; /* in an order that may be computed */
    size_t n_columns;
    const struct puan_lookup *const *table; /* those the texts declare */
};

struct puan_rule_code {
    struct puan_span when, check; /* when.n 0: always */
    uint16_t entity;
    bool plain; /* the guard begins with one test of an item, false enough */
    const struct puan_ast_node *when_tree, *check_tree; /* checked */
};

/* A part of a rule whose value helps to see why it failed. */
struct puan_rule_part {
    struct puan_str text; /* as its author would write it */
    struct puan_span code;
    struct puan_type type;
};
#define PUAN_RULE_PARTS 24 /* shown of one rule */

struct puan_ruleset {
    struct puan_program prog;
    struct puan_rule_info *info;
    struct puan_rule_code *code;
    size_t n;
    struct puan_rule_part *part; /* those of rule i: part_at[i] .. [i + 1] */
    size_t n_parts, cap_parts;
    uint32_t *part_at;
    struct puan_rule_skip *skip;
    size_t n_skips;
    struct puan_str name; /* "set NAME version N"; empty, 0: no header */
    int64_t version;
};

struct puan_expr {
    struct puan_program prog;
    struct puan_span code;
    uint16_t entity;
    struct puan_type type;
};

/* ---- checking ---- */

/*
 * Compiles as puan_ruleset_compile, with what `names` says of parents and
 * lookups; text, code, column and err are filled in.
 */
struct puan_rule_names;
enum puan_status puan_ruleset_build(struct puan_ruleset **out,
                                    struct puan_rule_names *names,
                                    const struct puan_str *texts,
                                    const char *const *files, size_t n_texts,
                                    bool with_rules);

struct puan_rule_names { /* what names mean, for one form */
    const struct puan_form *form;
    const struct puan_const *settings;
    size_t n_settings;
    struct puan_ast_text *text; /* constants and derived items; may be NULL */
    bool words;                 /* a bare word may name a code */
    /* Of a frame: the entity above each, -1 none.  NULL: a form, where all
       stand below entity 0, which has one row. */
    const int *parent;
    /* The frame may lack items that the form has: what reads one is left out,
       also where its `in` names the form. */
    bool partial;
    const struct puan_lookup *lookups; /* data of reference tables */
    size_t n_lookups;
    struct puan_arena *arena;
    struct puan_err *err;
    struct puan_code_out *code; /* where derived items are compiled to */
    struct puan_column *column;
    size_t n_columns, cap_columns;
};

struct puan_rule_scope { /* where an expression stands */
    struct puan_rule_names *names;
    const char *file;
    uint16_t level;
    bool constant; /* no items may be read */
    bool in_row;   /* inside a quantifier over row_entity */
    uint16_t row_entity;
    bool unresolved; /* out: a name or level the form does not have */
    bool reads;      /* out: an item or roster was read */
    unsigned depth;  /* of derived items */
};

enum puan_status puan_rule_check(struct puan_ast_node *n,
                                 struct puan_rule_scope *s);
/* The expression must be a truth value; `what` names it in the message. */
enum puan_status puan_rule_check_truth(struct puan_ast_node *n,
                                       struct puan_rule_scope *s,
                                       const char *what);
/* Finds and compiles one derived item; sets its mark. */
enum puan_status puan_rule_check_define(struct puan_ast_define *d,
                                        struct puan_rule_names *names,
                                        unsigned depth);
enum puan_status puan_rule_check_const(struct puan_ast_const *c,
                                       struct puan_rule_names *names);
/*
 * The parts of a parsed expression worth showing: comparisons, tests and what
 * stands on their sides.  Only before it is checked, which rewrites it.
 */
struct puan_rule_seen {
    struct puan_ast_node *node[PUAN_RULE_PARTS];
    struct puan_str text[PUAN_RULE_PARTS];
    size_t n;
};
void puan_rule_see(struct puan_rule_seen *s, struct puan_ast_node *n,
                   struct puan_arena *a);
/* Appends a parsed expression as its author would write it. */
void puan_rule_write(struct puan_out *o, const struct puan_ast_node *n);
/* Does the list of forms (empty: all) hold this one? */
bool puan_ast_forms_hold(const struct puan_ast_forms *f, struct puan_str id);

/* Appends the code of a checked expression; the result goes to register 0. */
enum puan_status puan_rule_emit(struct puan_span *out,
                                struct puan_code_out *code,
                                const struct puan_ast_node *n, const char *file,
                                struct puan_err *err);

/* Functions of the language as a table: check.c knows types, emit.c code. */
enum puan_fn {
    PUAN_FN_GIVEN,
    PUAN_FN_MISSING,
    PUAN_FN_ASKED,
    PUAN_FN_INVALID,
    PUAN_FN_REASON,
    PUAN_FN_KNOWN,
    PUAN_FN_IF,
    PUAN_FN_ABS,
    PUAN_FN_MIN,
    PUAN_FN_MAX,
    PUAN_FN_MONTH,
    PUAN_FN_DAY,
    PUAN_FN_YEAR,
    PUAN_FN_MONTH_OF,
    PUAN_FN_AGE_AT,
    PUAN_FN_NUMBER,
    PUAN_FN_PREFIX,
    PUAN_FN_AT,
    PUAN_FN_SAME_ID,
    PUAN_FN_SAME_TEXT,
    PUAN_FN_FOUND,
    PUAN_FN_FACT /* this and the rest: facts */
};

/* ---- running ---- */

struct puan_val {
    int64_t v;
    uint8_t s; /* enum puan_know */
};

/* Value of constant code (no items); for folding. */
struct puan_val puan_rule_run_const(const struct puan_code_out *code,
                                    struct puan_span span);

#endif
