/*
 * Strict JSON (RFC 8259) without malloc: a pull reader over a whole text, a
 * reader into a struct puan_node tree, and a writer.
 *
 * Refuses: ill-formed UTF-8, lone surrogates, U+0000, duplicate keys (tree and
 * puan_json_skip), leading zeros, trailing text, depth over 32.  Numbers keep
 * their text; puan_json_int reads those that are whole and fit 64 bits.
 *
 * Depends on: arena, out, node.  Does no I/O.
 */
#ifndef PUAN_BASE_JSON_H
#define PUAN_BASE_JSON_H

#include "base/node.h"
#include "base/out.h"

enum puan_json_kind {
    PUAN_JSON_END,    /* the text is used up */
    PUAN_JSON_NULL,
    PUAN_JSON_TRUE,
    PUAN_JSON_FALSE,
    PUAN_JSON_NUMBER,
    PUAN_JSON_STRING,
    PUAN_JSON_LIST,   /* opening bracket */
    PUAN_JSON_MAP,    /* opening brace */
    PUAN_JSON_CLOSE   /* of the innermost list or map */
};

#define PUAN_JSON_DEPTH 32

struct puan_json {
    struct puan_str src;
    size_t at;
    struct puan_arena *arena; /* decoded strings with escapes go here */
    unsigned depth;
    char stack[PUAN_JSON_DEPTH];
    uint8_t state;
    /* the current token */
    struct puan_str key;  /* inside a map: its key; else empty */
    struct puan_str text; /* string: decoded; number: as written */
    size_t start;         /* byte offset of the token */
    /* the tree's: how far lines and columns have been counted */
    size_t seen_at;
    uint32_t seen_line, seen_col;
};

void puan_json_init(struct puan_json *j, struct puan_str src,
                    struct puan_arena *a);
/* Next token; EINVAL with line and column in err. */
PUAN_MUST_USE enum puan_status puan_json_next(enum puan_json_kind *kind,
                                              struct puan_json *j,
                                              struct puan_err *err);
/* After LIST or MAP was returned: past its close. */
PUAN_MUST_USE enum puan_status puan_json_skip(struct puan_json *j,
                                              struct puan_err *err);
bool puan_json_int(int64_t *out, const struct puan_json *j);
/* Line and column of a byte offset, for error texts. */
void puan_json_position(uint32_t *line, uint32_t *col, struct puan_str src,
                        size_t at);

/* The whole text as a tree.  `file` names it in error texts. */
PUAN_MUST_USE enum puan_status puan_json_tree(struct puan_node **out,
                                              struct puan_str src,
                                              const char *file,
                                              struct puan_arena *a,
                                              struct puan_err *err);

/* Writer: commas and quotes are placed for you. */
struct puan_jw {
    struct puan_out *out;
    uint64_t filled; /* bit per depth: something was written there */
    unsigned depth;
    bool after_key;
};
void puan_jw_init(struct puan_jw *w, struct puan_out *out);
void puan_jw_map(struct puan_jw *w);
void puan_jw_list(struct puan_jw *w);
void puan_jw_end(struct puan_jw *w, char close); /* '}' or ']' */
void puan_jw_key(struct puan_jw *w, const char *key);
void puan_jw_key_s(struct puan_jw *w, struct puan_str key);
void puan_jw_str(struct puan_jw *w, struct puan_str s);
void puan_jw_text(struct puan_jw *w, const char *s);
void puan_jw_int(struct puan_jw *w, int64_t v);
void puan_jw_bool(struct puan_jw *w, bool v);
void puan_jw_null(struct puan_jw *w);
void puan_jw_raw(struct puan_jw *w, struct puan_str json); /* a whole value */
/* key and value in one call */
void puan_jw_kstr(struct puan_jw *w, const char *key, struct puan_str s);
void puan_jw_ktext(struct puan_jw *w, const char *key, const char *s);
void puan_jw_kint(struct puan_jw *w, const char *key, int64_t v);
void puan_jw_kbool(struct puan_jw *w, const char *key, bool v);
/* an integer as text, for codes longer than what JavaScript counts exactly */
void puan_jw_kcode(struct puan_jw *w, const char *key, int64_t code);
/* a moment as puan_instant_text writes it; a digest of 32 bytes in hex */
void puan_jw_kinstant(struct puan_jw *w, const char *key, int64_t ms,
                      int offset_minutes);
void puan_jw_kdigest(struct puan_jw *w, const char *key,
                     const uint8_t digest[32]);

#endif
