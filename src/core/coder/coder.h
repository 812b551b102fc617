/*
 * Coding of answers in words: which class of a classification "在镇上卖水果"
 * belongs to, how sure that is, and whether the answer says enough at all.
 *
 * A coder is made from three texts of a plan pack (doc/coding.md): the
 * classification with its index of entries, the words that are treated alike,
 * and the characters of the traditional script.  It is a pure function of
 * them, and the same answer gives the same code on every host: the order of
 * its words, full-width letters, traditional characters, case and punctuation
 * make no difference.
 *
 * Method: (1) naive Bayes over words and character n-grams with hierarchical
 * Dirichlet smoothing along the tree of classes (D. MacKay and L. Bauman Peto,
 * "A hierarchical Dirichlet language model", Natural Language Engineering 1,
 * 1995; McCallum et al., "Improving text classification by shrinkage in a
 * hierarchy of classes", ICML 1998); (2) the cosine to the nearest entry of
 * the index, which is also shown to the clerk; (3) a softmax over the sum.
 * Numbers inside are double; logarithm and exponential are its own (number.h),
 * so that no library of a host decides a code.
 *
 * Depends on: base.  Does no I/O; a finished coder never changes and may be
 * used by any number of threads.
 */
#ifndef PUAN_CORE_CODER_CODER_H
#define PUAN_CORE_CODER_CODER_H

#include "base/arena.h"

#define PUAN_CODER_HITS 20  /* most suggestions of one answer */
#define PUAN_CODER_TEXT 512 /* code points of an answer that are looked at */

struct puan_coder;

/* A text of the pack and the name errors give it. */
struct puan_coder_source {
    struct puan_str text;
    const char *name;
};

/*
 * `list` is the classification, `words` and `chars` may be empty.  All three
 * texts must outlive the coder, which lives in `a`.
 *
 * EINVAL  a fault in a text, with its line and column
 */
PUAN_MUST_USE enum puan_status
puan_coder_build(struct puan_coder **out, struct puan_coder_source list,
                 struct puan_coder_source words, struct puan_coder_source chars,
                 struct puan_arena *a, struct puan_err *err);

/* Classes and the groups above them, in the order of the list. */
struct puan_coder_node {
    struct puan_str code, name;
    int32_t parent;  /* -1 at the top */
    uint16_t digits; /* length of the code */
    bool leaf;       /* a class that may be given */
};
size_t puan_coder_nodes(const struct puan_coder *c);
const struct puan_coder_node *puan_coder_node(const struct puan_coder *c,
                                              size_t i);
/* The node of a code, or -1. */
int32_t puan_coder_find(const struct puan_coder *c, struct puan_str code);
size_t puan_coder_entries(const struct puan_coder *c);

enum puan_coder_state {
    PUAN_CODED,       /* there are suggestions */
    PUAN_CODE_EMPTY,  /* nothing was said */
    PUAN_CODE_VAGUE,  /* only words of the too-vague list: ask again */
    PUAN_CODE_UNKNOWN /* nothing in it is known: a clerk reads it */
};

struct puan_coder_hit {
    uint32_t node;
    uint32_t ppm;            /* probability in millionths, before calibration */
    struct puan_str nearest; /* the most alike entry of that class, may be "" */
    uint32_t alike;          /* cosine to it, millionths */
};

struct puan_coder_answer {
    enum puan_coder_state state;
    size_t n; /* suggestions, best first */
    struct puan_coder_hit hit[PUAN_CODER_HITS];
};

/*
 * Codes one answer, given in up to four fields (unit, business, work done);
 * an empty field counts as absent.  `digits` is the length of the codes wanted:
 * 0 for the classes themselves, else classes are added up to the groups whose
 * code is the first `digits` characters.  A field that holds a class code only
 * is not understood as one.  `scratch` is used and may be reset afterwards.
 */
PUAN_MUST_USE enum puan_status
puan_coder_suggest(struct puan_coder_answer *out, const struct puan_coder *c,
                   const struct puan_str *field, size_t n_fields,
                   unsigned digits, struct puan_arena *scratch,
                   struct puan_err *err);

/*
 * The answer as the coder compares it: simplified, narrow, lower case, without
 * what carries no meaning; words in an order of their own.  Two answers with
 * the same key get the same code, so a table of answers needs each key once.
 */
struct puan_str puan_coder_key(const struct puan_coder *c,
                               const struct puan_str *field, size_t n_fields,
                               struct puan_arena *a);

/* How alike an answer and an entry of the index are, by the characters and
   pairs of characters they share; Dice's coefficient (L. Dice, 1945). */
struct puan_coder_near {
    uint32_t ppm; /* 0 to 1,000,000; 0: no entry shares anything */
    struct puan_str entry;
    uint32_t node;
};
PUAN_MUST_USE enum puan_status
puan_coder_nearest(struct puan_coder_near *out, const struct puan_coder *c,
                   const struct puan_str *field, size_t n_fields,
                   struct puan_arena *scratch, struct puan_err *err);

/* The same of two answers. */
uint32_t puan_coder_alike(const struct puan_coder *c, struct puan_str x,
                          struct puan_str y, struct puan_arena *scratch);

/* Does `whole` say all that `part` says: has it all its characters and pairs?
 */
bool puan_coder_says(const struct puan_coder *c, struct puan_str whole,
                     struct puan_str part, struct puan_arena *scratch);

/*
 * The answer in another order: its words (as the word list parts it) turned
 * round, joined by `glue`.  For tests of the promise above.
 */
struct puan_str puan_coder_turned(const struct puan_coder *c,
                                  struct puan_str text, const char *glue,
                                  struct puan_arena *a);

#endif
