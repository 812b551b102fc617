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
    { "odk settings", "URL [--name TEXT]",
      "Prints the text of the QR code that sets ODK Collect up for a capability "
      "URL. It\nis as secret as the credential in the URL.",
      cmd_odk_settings, "输出 ODK 客户端配置二维码的内容" },
};

/* Files that came with a return; the blob is sealed, its digest is here. */
static const struct puan_schema_step schema[] = {
    { PUAN_STORE_RETURNS, 1,
      "CREATE TABLE odk_file(id TEXT PRIMARY KEY, household BIGINT NOT NULL,"
      " digest BYTEA NOT NULL, size BIGINT NOT NULL, at BIGINT NOT NULL);" },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_RETURNS, "odk_file",
      "SELECT id, household, digest, size, at FROM odk_file", NULL },
};

const struct puan_feature puan_feature_openrosa = {
    .name = "openrosa",
    .routes = odk_routes,
    .n_routes = ODK_ROUTES,
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
};
