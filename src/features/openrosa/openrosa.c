/*
 * The feature's tables.
 */
#include "features/openrosa/openrosa.h"

#include "features/openrosa/internal.h"

static const struct puan_command commands[] = {
    { "form xform", "PACK FORM [--out FILE]",
      "Writes a form of a pack as an XForm for ODK's clients, and names the "
      "rules that\nonly the server can judge.",
      cmd_form_xform, "把方案中的表写成 ODK 表单" },
};

const struct puan_feature puan_feature_openrosa = {
    .name = "openrosa",
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
};
