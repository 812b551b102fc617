/*
 * The helpdesk's own: what the plan's knowledge base says, and a look at a
 * household that rings up.  Tickets are cases (the flow with `public: {as:
 * help}`), entered from outside through features/tips.
 *
 * A look tells how far a household has come, never what it answered, how many
 * persons it has or what they are called.  Each look is an act of its own, also
 * one that finds nothing: an entry of the office store, verb `calldesk.look`,
 * subject the household, note the purpose; monitors count them.  A household's login code is no way in: nobody at a telephone has a
 * use for it.
 *
 * Depends on: household, certificates, campaign (who is assigned).
 */
#ifndef PUAN_FEATURES_HELPDESK_HELPDESK_H
#define PUAN_FEATURES_HELPDESK_HELPDESK_H

#include "features/host/feature.h"

extern const struct puan_feature puan_feature_helpdesk;

#endif
