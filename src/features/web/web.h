/*
 * The pages: a built web tree served from memory.
 *
 * A directory is read once, at start: every file with its content type, its
 * entity tag and, when NAME.gz lies beside NAME, the gzip form.  A request is
 * looked up in the table of names so made; no path of a request ever reaches
 * the file system, so there is nothing to traverse.
 *
 * What is not a file and belongs to a page of an entry (the browser keeps the
 * page in the address) is answered with that entry:
 *
 *   /office  /office/…             office/index.html
 *   /household  /household/…       household/index.html
 *   /field  /field/…               field/index.html
 *   /  /verify…  /data…  /ask…  /report…  /tour…     public/index.html
 *
 * Everything carries a strict content security policy and the other headers
 * that keep a page to itself.  Files below /assets/ bear the digest of their
 * content in their names and are kept for ever; all else is asked for again.
 *
 * Depends on: kit/http, kit/os, kit/crypto.  Any thread; never changes.
 */
#ifndef PUAN_FEATURES_WEB_WEB_H
#define PUAN_FEATURES_WEB_WEB_H

#include "base/text.h"

struct puan_http;
struct puan_web;

/*
 * Reads the tree.  Hidden names and names with anything but letters, digits
 * and "._-@+" are refused.
 *
 * ENOTFOUND  no such directory, or none of the three entries in it
 * EINVAL     a name that cannot be served
 * ELIMIT     more than 4096 files or 256 MiB
 */
PUAN_MUST_USE enum puan_status puan_web_open(struct puan_web **out,
                                             const char *dir,
                                             struct puan_err *err);
void puan_web_close(struct puan_web *w);
/* --web DIR, else $PUAN_WEB, else /usr/share/puan/web if it is there; NULL. */
const char *puan_web_default(const char *given);

/*
 * Answers a GET or HEAD of a page or file and gives true; false when the path
 * is nothing of the tree.
 */
bool puan_web_answer(const struct puan_web *w, struct puan_http *x);
/*
 * A person typed an address nothing stands at: 404 with the public entry,
 * which says so in words.  False for a program (no text/html in Accept), for
 * the interface and for files below /assets.
 */
bool puan_web_lost(const struct puan_web *w, struct puan_http *x);

/* ---- for tests and fuzzing ------------------------------------------------ */

/*
 * Name of the file that answers the target (query included, as sent), in the
 * tree: "office/index.html"; empty when none does.
 */
struct puan_str puan_web_find(const struct puan_web *w, struct puan_str target);
/* The header Accept-Encoding allows gzip. */
bool puan_web_takes_gzip(struct puan_str accept_encoding);
/* The header If-None-Match names the tag ("\"…\"") or is "*". */
bool puan_web_tag_matches(struct puan_str if_none_match, struct puan_str tag);

#endif
