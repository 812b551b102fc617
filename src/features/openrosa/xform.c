/*
 * The plan's forms as XForms.
 */
#include "features/openrosa/internal.h"

#include "kit/crypto/crypto.h"

void odk_version(char out[13], const struct puan_plan *plan,
                 const struct puan_form *form)
{
    const struct puan_digest_fn *fn = puan_digest_sha256();
    struct puan_str parts[] = {
        { (const char *)plan->digest, PUAN_DIGEST_SIZE },
        { (const char *)form->digest, PUAN_DIGEST_SIZE },
    };
    uint8_t digest[PUAN_DIGEST_SIZE];
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    fn->hash(fn->ctx, digest, parts, PUAN_COUNT(parts));
    puan_hex(hex, digest, PUAN_DIGEST_SIZE);
    memcpy(out, hex, 12);
    out[12] = '\0';
}

enum puan_status odk_xform(struct puan_out *o,
                           struct puan_xform_report *report,
                           const struct puan_plan *plan,
                           const struct puan_form *form,
                           const struct puan_ruleset *rules,
                           struct puan_arena *a, struct puan_err *err)
{
    char version[13];
    struct puan_xform in = { .form = form,
                             .rules = rules,
                             .consts = plan->consts,
                             .n_consts = plan->n_consts,
                             .mode = PUAN_STR(ODK_MODE) };

    odk_version(version, plan, form);
    in.version = puan_str_of(version);
    return puan_xform_write(o, report, &in, a, err);
}

static bool holds(const struct puan_str *list, size_t n, struct puan_str what)
{
    for (size_t i = 0; i < n; i++)
        if (puan_str_eq(list[i], what))
            return true;
    return false;
}

bool odk_offers(const struct puan_plan *plan, const struct puan_form *form)
{
    for (size_t i = 0; i < plan->n_windows; i++) {
        const struct puan_window *w = &plan->window[i];

        if (holds(w->forms, w->n_forms, form->id) &&
            (w->n_modes == 0 ||
             holds(w->modes, w->n_modes, PUAN_STR(ODK_MODE))))
            return true;
    }
    return false;
}
