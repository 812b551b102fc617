/*
 * A paper: one official document as its parts, read from JSON, before anybody
 * has laid it out.  The parts and their places are those of GB/T 9704-2012:
 * marks, issuer, number, title, main addressees, body, attachments, signature
 * and date, note, copies, printing record.
 *
 * doc/papers.md has the format.  Lengths are in hundredths of a millimetre,
 * sizes of type in hundredths of a point.  Texts borrow from the JSON's arena.
 *
 * Depends on: base.  Does no I/O and knows no font.
 */
#ifndef PUAN_CORE_PAPER_PAPER_H
#define PUAN_CORE_PAPER_PAPER_H

#include "base/json.h"

/* What a text is set in; the list of fonts of each is configuration. */
enum puan_paper_face {
    PUAN_PAPER_BODY,   /* imitation Song */
    PUAN_PAPER_TITLE,  /* small-mark Song: title and issuer */
    PUAN_PAPER_BLACK,  /* headings of the first level, marks */
    PUAN_PAPER_SCRIPT, /* regular script: headings of the second level */
    PUAN_PAPER_SONG,   /* page numbers, tables */
    PUAN_PAPER_FACES
};
extern const char *const puan_paper_face_word[PUAN_PAPER_FACES];

#define PUAN_PAPER_FONTS 8
struct puan_paper_fonts {
    struct puan_str list[PUAN_PAPER_FONTS]; /* the first that is installed */
    size_t n;
};

/* The sheet and its grid. */
struct puan_paper_page {
    int64_t width, height;          /* of the sheet */
    int64_t top, left;              /* head margin, binding margin */
    int64_t text_width, text_height;
    int64_t lines, chars;           /* of the grid */
    int64_t body_size, title_size, issuer_size, small_size, table_size;
    int64_t issuer_top;             /* issuer below the text area's top */
    struct puan_paper_fonts fonts[PUAN_PAPER_FACES];
};
/* A4 upright as the standard has it. */
void puan_paper_page_default(struct puan_paper_page *p);

enum puan_paper_kind {
    PUAN_PAPER_TEXT,    /* a paragraph */
    PUAN_PAPER_HEADING, /* level 1 to 4 */
    PUAN_PAPER_TABLE,
    PUAN_PAPER_SIGNS    /* places for signatures, side by side */
};
enum puan_paper_align { PUAN_PAPER_LEFT, PUAN_PAPER_CENTRE, PUAN_PAPER_RIGHT };

struct puan_paper_column {
    struct puan_str head; /* may be empty in every column: no head row */
    int64_t width;        /* share of the whole */
    enum puan_paper_align align;
};
struct puan_paper_row {
    const struct puan_str *cell; /* n_columns; a group has one */
    bool group;                  /* one cell over all columns */
    bool strong;
};
struct puan_paper_table {
    struct puan_str title; /* may be empty */
    const struct puan_paper_column *column;
    size_t n_columns;
    const struct puan_paper_row *row;
    size_t n_rows;
    bool headed; /* a column has a head */
};
struct puan_paper_block {
    enum puan_paper_kind kind;
    struct puan_str label; /* of a paragraph: set in black before the text */
    struct puan_str text;
    int level;
    struct puan_paper_table table;
    const struct puan_str *sign; /* SIGNS: captions */
    size_t n_signs;
};

struct puan_paper {
    bool en;
    struct puan_paper_page page;
    bool landscape;        /* the sheet lies; the grid is turned */
    struct puan_str mark;  /* "演练", "草稿": on every page */
    bool drill;            /* the mark is a drill's: hatched bands */
    struct puan_str copy_no, secrecy, urgency;
    struct puan_str issuer; /* empty: a sheet without a red head */
    struct puan_str number, signer;
    struct puan_str title;
    const struct puan_str *to;
    size_t n_to;
    const struct puan_paper_block *block;
    size_t n_blocks;
    const struct puan_str *attachment;
    size_t n_attachments;
    struct puan_str signed_by, date;
    struct puan_str note;
    struct puan_str copies, printed_by, printed_on; /* printing record */
    struct puan_str foot; /* small, on every page: how to check the paper */
    struct puan_str made; /* RFC 3339: the file's date */
};

#define PUAN_PAPER_BYTES (4u << 20)
#define PUAN_PAPER_BLOCKS 4000
#define PUAN_PAPER_ROWS 20000
#define PUAN_PAPER_COLUMNS 24

/*
 * Reads one document.  Unknown keys are refused.
 *
 * EINVAL  not such a document; the place in the text is in err
 * ELIMIT  more blocks, rows or columns than the bounds above
 */
PUAN_MUST_USE enum puan_status puan_paper_read(struct puan_paper **out,
                                               struct puan_str json,
                                               struct puan_arena *a,
                                               struct puan_err *err);
/* The same from a tree. */
PUAN_MUST_USE enum puan_status
puan_paper_of(struct puan_paper **out, const struct puan_node *tree,
              struct puan_arena *a, struct puan_err *err);
/* Keys of a "page" map over what stands in *p. */
PUAN_MUST_USE enum puan_status puan_paper_page_read(struct puan_paper_page *p,
                                                    const struct puan_node *n,
                                                    struct puan_arena *a,
                                                    struct puan_err *err);

#endif
