/*
 * What the files of this folder share.  No other folder includes it.
 */
#ifndef PUAN_FEATURES_OPENROSA_INTERNAL_H
#define PUAN_FEATURES_OPENROSA_INTERNAL_H

#include "core/plan/plan.h"
#include "core/xform/xform.h"
#include "features/openrosa/openrosa.h"
#include "kit/xml/xml.h"

/* How these clients collect: a mode of the plan's windows. */
#define ODK_MODE "enumerator"

/* ---- forms (xform.c) ------------------------------------------------------ */

/*
 * A form of the plan as an XForm.  The version is the first 12 digits of the
 * digest of plan and form, so that a change of either is a new one.
 */
PUAN_MUST_USE enum puan_status
odk_xform(struct puan_out *o, struct puan_xform_report *report,
          const struct puan_plan *plan, const struct puan_form *form,
          const struct puan_ruleset *rules, struct puan_arena *a,
          struct puan_err *err);
void odk_version(char out[13], const struct puan_plan *plan,
                 const struct puan_form *form);
/* Is there a window in which these clients may send this form? */
bool odk_offers(const struct puan_plan *plan, const struct puan_form *form);

int cmd_form_xform(int argc, char **argv);

/* ---- submissions (document.c) --------------------------------------------- */

struct odk_submission {
    struct puan_xml_doc doc;
    const struct puan_form *form;
    struct puan_str instance;  /* its instanceID */
    struct puan_str replaces;  /* deprecatedID of an edit; may be empty */
    struct puan_str household; /* as the form says it */
    struct puan_str device;    /* set by the caller */
    int64_t base;              /* of the entity list; the caller corrects it */
};

/*
 * Form, ids and household of a submission.
 *
 * EINVAL  malformed, or without an instanceID   ENOTFOUND  no such form,
 * or not this version of it
 */
PUAN_MUST_USE enum puan_status odk_read(struct odk_submission *s,
                                        const struct puan_plan *plan,
                                        struct puan_str xml,
                                        struct puan_arena *a,
                                        struct puan_err *err);
/* The document of contract 1; may be one that its reader refuses. */
struct puan_str odk_document(const struct odk_submission *s,
                             struct puan_arena *a);
/* Contract 1's counter of an instance: the first 48 bits of its SHA-256. */
uint64_t odk_counter(struct puan_str instance);

/* ---- setting a client up (settings.c) --------------------------------------- */

/* base64(zlib(JSON)), as its QR code holds it; as secret as the URL. */
struct puan_str odk_settings(const char *url, const char *name,
                             struct puan_arena *a);
int cmd_odk_settings(int argc, char **argv);

/* ---- routes (routes.c) ---------------------------------------------------- */

#define ODK_ROUTES 7
extern const struct puan_route odk_routes[ODK_ROUTES];

#endif
