/*
 * Type: the fonts a paper is set in, and pieces of text laid out in them.
 * What no font can show is an error that names the character, never a box.
 *
 * Points are used throughout.  A type belongs to one thread.
 *
 * Depends on: core/paper, pango, cairo.
 */
#ifndef PUAN_PROGRAMS_PAPER_TYPE_H
#define PUAN_PROGRAMS_PAPER_TYPE_H

#include <pango/pangocairo.h>

#include "core/paper/paper.h"

struct puan_type {
    PangoFontMap *map;
    PangoContext *context;
    PangoFontDescription *face[PUAN_PAPER_FACES];
    char name[PUAN_PAPER_FACES][96]; /* the one chosen of each list */
    PangoLayout **made;              /* all layouts, freed at the end */
    size_t n_made, cap_made;
    struct puan_err *err; /* the first failure; nothing is drawn after it */
};

/*
 * Chooses of each face's list the first font that is installed.
 * ENOTFOUND  none of a list is; the text names the list
 */
PUAN_MUST_USE enum puan_status puan_type_open(struct puan_type *t,
                                              const struct puan_paper *p,
                                              struct puan_err *err);
void puan_type_close(struct puan_type *t);

struct puan_type_set {
    enum puan_paper_face face;
    double size;
    double width;    /* points; negative: one line */
    double indent;   /* of the first line of each paragraph */
    double spacing;  /* between characters, added */
    enum puan_paper_align align;
    bool justify;
    size_t black;    /* bytes at the beginning set in black */
};
/*
 * Lays out a text; NULL after a failure, which is kept in t->err: memory, or a
 * character that no font has.  `what` names the place in error texts.
 */
PangoLayout *puan_type_lay(struct puan_type *t, struct puan_str text,
                           const struct puan_type_set *set, const char *what);
double puan_type_width(PangoLayout *l); /* of its widest line */

#endif
