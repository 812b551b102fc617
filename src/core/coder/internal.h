/* What the parts of the coder share. */
#ifndef PUAN_CORE_CODER_INTERNAL_H
#define PUAN_CORE_CODER_INTERNAL_H

#include "base/out.h"
#include "core/coder/coder.h"

#define CODER_ROLES 64
#define CODER_WORD_MOST 10 /* code points of a word of the word list */
#define CODER_HAN_FIRST 0x3400u
#define CODER_HAN_END 0xa000u

/* What a word of the word list does to an answer. */
enum coder_word_kind {
    CODER_WORD_STOP = 1, /* parts the text and says nothing */
    CODER_WORD_ROLE,     /* what is done with the thing: make, sell, mend */
    CODER_WORD_SAME,     /* read as another word */
    CODER_WORD_KEEP,     /* not cut by shorter words */
    CODER_WORD_VAGUE     /* says too little by itself */
};

struct coder_word {
    uint32_t cp[CODER_WORD_MOST];
    uint8_t n;
    uint8_t kind;
    uint16_t value; /* role; for SAME the word read instead */
};

/* Word list and characters. */
struct coder_lexicon {
    struct coder_word *word;
    size_t n;
    uint32_t *slot; /* hash: word + 1, or 0 */
    size_t slots;   /* power of two */
    struct puan_str *role;
    size_t n_roles;
    struct coder_with { /* entries below a node are also learnt with these roles
                         */
        struct puan_str code;
        uint16_t role;
    } * with;
    size_t n_with;
    uint16_t *simple; /* CODER_HAN_END - CODER_HAN_FIRST, 0: itself */
};

enum puan_status coder_words(struct coder_lexicon *w,
                             struct puan_coder_source words,
                             struct puan_coder_source chars,
                             struct puan_arena *a, struct puan_err *err);

/* Features of a text. */
enum coder_gram_kind {
    CODER_GRAM_CHAR,
    CODER_GRAM_PAIR,
    CODER_GRAM_TRIPLE,
    CODER_GRAM_RUN, /* a whole stretch between borders */
    CODER_GRAM_END, /* how a stretch ends: what sort of thing it is */
    CODER_GRAM_ROLE,
    CODER_GRAM_WORD, /* a word of the list, or in Latin letters */
    CODER_GRAM_KINDS
};
struct coder_gram {
    uint64_t key;
    uint8_t kind;
};
struct coder_bag {
    struct coder_gram f[PUAN_CODER_TEXT * 5];
    size_t n;
    bool any;   /* something was said */
    bool meant; /* something besides vague words */
};

/* Adds the features of one field. */
void coder_features(struct coder_bag *b, const struct coder_lexicon *w,
                    struct puan_str text);
/* The words a text is parted into, in the form compared, one after the other
   with a line end between them. */
void coder_parts(struct puan_out *o, const struct coder_lexicon *w,
                 struct puan_str text);
/* Sorts and drops repetitions, so that order and repetition do not count. */
void coder_bag_finish(struct coder_bag *b);
/* Characters and pairs. */
static inline bool coder_gram(const struct coder_gram *f)
{
    return f->kind == CODER_GRAM_CHAR || f->kind == CODER_GRAM_PAIR;
}
/* The roles named in it, a bit each. */
uint64_t coder_bag_roles(const struct coder_bag *b,
                         const struct coder_lexicon *w);

uint64_t coder_hash(uint64_t h, uint32_t v);
uint64_t coder_role_key(uint32_t role);
#define CODER_HASH 0xcbf29ce484222325u

/* One code point in the form compared: narrow, simplified, lower case. */
uint32_t coder_fold(const struct coder_lexicon *w, uint32_t c);
/* Han as written in answers. */
static inline bool coder_han(uint32_t c)
{
    return (c >= CODER_HAN_FIRST && c < CODER_HAN_END) || c == 0x3007 ||
           (c >= 0x20000 && c < 0x32000);
}

struct coder_entry {
    struct puan_str text;
    uint32_t node;
    uint32_t grams; /* characters and pairs in it */
    uint64_t roles; /* a bit each: its own and those of its class */
    double norm;
};

/* What a feature adds to a node: below, counted from its parent's. */
struct coder_gain {
    uint32_t node;
    float plus;
};

struct coder_slot {
    uint64_t key; /* 0 empty */
    uint32_t id, kind;
};

struct puan_coder {
    struct coder_lexicon words;
    struct puan_coder_node *node;
    size_t n_nodes;
    struct coder_entry *entry;
    size_t n_entries;
    struct coder_slot *slot;
    size_t slots, n_features;
    double *rarity;    /* per feature: weight in the cosine */
    double role_rarity[CODER_ROLES]; /* the same of roles */
    uint32_t *gain_at; /* n_features + 1 */
    struct coder_gain *gain;
    uint32_t *entry_at; /* n_features + 1 */
    uint32_t *entry_of;
    double *rest; /* per node: what a feature not seen there adds */
    const struct puan_alloc *host;
};

enum puan_status coder_learn(struct puan_coder *c, struct puan_arena *a,
                             struct puan_err *err);
/* Feature's number, or -1. */
int64_t coder_feature(const struct puan_coder *c, uint64_t key);
extern const double coder_weight[CODER_GRAM_KINDS];
extern const double coder_alike_weight[CODER_GRAM_KINDS];

#endif
