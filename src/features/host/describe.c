/*
 * What the rows say, written for people and machines: OpenAPI 3.1 and the
 * matrix of permissions.  Knows nothing that is not in a row or in the plan.
 */
#include "core/plan/plan.h"
#include "features/host/internal.h"

static const char *schema_of(const struct puan_param *q)
{
    switch (q->kind) {
    case PUAN_PARAM_INT:
        return "integer";
    case PUAN_PARAM_BOOL:
        return "boolean";
    case PUAN_PARAM_AREA:
    case PUAN_PARAM_HOUSEHOLD:
    case PUAN_PARAM_TEXT:
        return "string";
    case PUAN_PARAM_JSON:
    default:
        return NULL;
    }
}

static void write_schema(struct puan_jw *w, const struct puan_param *q)
{
    const char *type = schema_of(q);

    puan_jw_map(w);
    if (type)
        puan_jw_ktext(w, "type", type);
    if (q->kind == PUAN_PARAM_AREA || q->kind == PUAN_PARAM_HOUSEHOLD)
        puan_jw_ktext(w, "pattern", "^[0-9]{1,19}$");
    if ((q->min || q->max) && q->kind == PUAN_PARAM_INT) {
        puan_jw_kint(w, "minimum", q->min);
        puan_jw_kint(w, "maximum", q->max);
    }
    if ((q->min || q->max) && q->kind == PUAN_PARAM_TEXT) {
        puan_jw_kint(w, "minLength", q->min > 0 ? 1 : 0);
        puan_jw_kint(w, "maxLength", q->max);
    }
    puan_jw_end(w, '}');
}

static bool in_path(const char *path, const char *name, struct puan_arena *a)
{
    return strstr(path, puan_arena_fmt(a, "{%s}", name)) != NULL;
}

static void write_operation(struct puan_jw *w, const struct puan_feature *f,
                            const struct puan_route *row, struct puan_arena *a)
{
    static const char *const scopes[] = {
        [PUAN_SCOPE_PUBLIC] = "public",
        [PUAN_SCOPE_SESSION] = "own account",
        [PUAN_SCOPE_AREA] = "area inside the seat's",
        [PUAN_SCOPE_HOUSEHOLD] = "household inside the seat's area",
        [PUAN_SCOPE_OBJECT] = "object inside the seat's area",
        [PUAN_SCOPE_OFFICE] = "seat at the installation's top area"
    };
    bool body = false;

    puan_jw_map(w);
    puan_jw_ktext(w, "summary", row->summary);
    puan_jw_key(w, "tags");
    puan_jw_list(w);
    puan_jw_text(w, f->name);
    puan_jw_end(w, ']');
    puan_jw_ktext(w, "x-scope", scopes[row->scope]);
    if (*row->capability)
        puan_jw_ktext(w, "x-capability", row->capability);
    if (*row->verb)
        puan_jw_ktext(w, "x-ledger-verb", row->verb);
    if (row->fresh_factor)
        puan_jw_kbool(w, "x-fresh-second-factor", true);
    puan_jw_key(w, "security");
    puan_jw_list(w);
    if (row->scope != PUAN_SCOPE_PUBLIC) {
        puan_jw_map(w);
        puan_jw_key(w, "session");
        puan_jw_list(w);
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "parameters");
    puan_jw_list(w);
    if (in_path(row->path, "campaign", a))
        puan_jw_raw(w, PUAN_STR("{\"$ref\":\"#/components/parameters/"
                                "campaign\"}"));
    for (size_t i = 0; i < row->n_params; i++) {
        const struct puan_param *q = &row->params[i];
        bool path = in_path(row->path, q->name, a);

        if (!path && row->method != PUAN_GET && !row->raw_body) {
            body = true;
            continue;
        }
        puan_jw_map(w);
        puan_jw_ktext(w, "name", q->name);
        puan_jw_ktext(w, "in", path ? "path" : "query");
        puan_jw_kbool(w, "required", path || !q->optional);
        puan_jw_key(w, "schema");
        write_schema(w, q);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    if (row->raw_body)
        puan_jw_key(w, "requestBody"),
            puan_jw_raw(w, PUAN_STR("{\"required\":true,\"content\":{"
                                    "\"application/json\":{}}}"));
    if (body) {
        puan_jw_key(w, "requestBody");
        puan_jw_map(w);
        puan_jw_key(w, "content");
        puan_jw_map(w);
        puan_jw_key(w, "application/json");
        puan_jw_map(w);
        puan_jw_key(w, "schema");
        puan_jw_map(w);
        puan_jw_ktext(w, "type", "object");
        puan_jw_kbool(w, "additionalProperties", false);
        puan_jw_key(w, "properties");
        puan_jw_map(w);
        for (size_t i = 0; i < row->n_params; i++)
            if (!in_path(row->path, row->params[i].name, a)) {
                puan_jw_key(w, row->params[i].name);
                write_schema(w, &row->params[i]);
            }
        puan_jw_end(w, '}');
        puan_jw_key(w, "required");
        puan_jw_list(w);
        for (size_t i = 0; i < row->n_params; i++)
            if (!in_path(row->path, row->params[i].name, a) &&
                !row->params[i].optional)
                puan_jw_text(w, row->params[i].name);
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
        puan_jw_end(w, '}');
        puan_jw_end(w, '}');
        puan_jw_end(w, '}');
    }
    puan_jw_key(w, "responses");
    if (row->stream)
        puan_jw_raw(w, PUAN_STR("{\"200\":{\"description\":\"a stream\","
                                "\"content\":{\"text/event-stream\":{}}},"
                                "\"default\":{\"$ref\":\"#/components/"
                                "responses/problem\"}}"));
    else
        puan_jw_raw(w, PUAN_STR("{\"200\":{\"description\":\"done\"},\"default\":{"
                            "\"$ref\":\"#/components/responses/problem\"}}"));
    puan_jw_end(w, '}');
}

void puan_openapi_write(struct puan_out *o,
                        const struct puan_feature *const *features,
                        const char *campaign)
{
    struct puan_jw w;
    static const char *const lower[] = { "get", "post", "put", "delete" };

    puan_jw_init(&w, o);
    puan_jw_map(&w);
    puan_jw_ktext(&w, "openapi", "3.1.0");
    puan_jw_key(&w, "info");
    puan_jw_map(&w);
    puan_jw_ktext(&w, "title", "Puan 普安");
    puan_jw_ktext(&w, "version", "1");
    puan_jw_ktext(&w, "description",
                  "Made from the route tables. A field that is not declared "
                  "is refused; codes of areas and households are strings of "
                  "digits; errors are application/problem+json with a stable "
                  "code.");
    puan_jw_end(&w, '}');
    puan_jw_key(&w, "paths");
    puan_jw_map(&w);
    /* Rows of one path stand together, whichever feature they come from. */
    for (size_t f = 0; features[f]; f++)
        for (size_t i = 0; i < features[f]->n_routes; i++) {
            const char *path =
                puan_route_path(&features[f]->routes[i], o->arena);
            bool seen = false;

            for (size_t g = 0; g <= f && !seen; g++)
                for (size_t k = 0;
                     k < (g == f ? i : features[g]->n_routes) && !seen; k++)
                    seen = strcmp(puan_route_path(&features[g]->routes[k],
                                                  o->arena),
                                  path) == 0;
            if (seen)
                continue;
            puan_jw_key(&w, path);
            puan_jw_map(&w);
            for (size_t g = f; features[g]; g++)
                for (size_t k = g == f ? i : 0; k < features[g]->n_routes;
                     k++) {
                    const struct puan_route *row = &features[g]->routes[k];

                    if (strcmp(puan_route_path(row, o->arena), path) != 0)
                        continue;
                    puan_jw_key(&w, lower[row->method]);
                    write_operation(&w, features[g], row, o->arena);
                }
            puan_jw_end(&w, '}');
        }
    puan_jw_end(&w, '}');
    puan_jw_key(&w, "components");
    puan_jw_map(&w);
    puan_jw_key(&w, "securitySchemes");
    puan_jw_raw(&w, PUAN_STR("{\"session\":{\"type\":\"http\",\"scheme\":"
                             "\"bearer\"}}"));
    puan_jw_key(&w, "parameters");
    puan_jw_raw(
        &w,
        puan_str_of(puan_arena_fmt(
            o->arena,
            "{\"campaign\":{\"name\":\"campaign\",\"in\":\"path\","
            "\"required\":true,\"schema\":{\"type\":\"string\"%s%s%s}}}",
            campaign ? ",\"const\":\"" : "", campaign ? campaign : "",
            campaign ? "\"" : "")));
    puan_jw_key(&w, "responses");
    puan_jw_raw(
        &w,
        PUAN_STR(
            "{\"problem\":{\"description\":\"refused or failed\",\"content\":{"
            "\"application/problem+json\":{\"schema\":{\"type\":\"object\","
            "\"properties\":{\"type\":{\"type\":\"string\"},\"title\":{"
            "\"type\":\"string\"},\"title_en\":{\"type\":\"string\"},"
            "\"status\":{\"type\":\"integer\"},\"code\":{\"type\":\"string\"}"
            ",\"where\":{\"type\":\"string\"},\"detail\":{\"type\":\"string\"}"
            "}}}}}}"));
    puan_jw_end(&w, '}');
    puan_jw_end(&w, '}');
    puan_out_char(o, '\n');
}

/* ---- permissions --------------------------------------------------------------- */

static bool may(const struct puan_route *row, const struct puan_role *role)
{
    return row->scope == PUAN_SCOPE_PUBLIC || !*row->capability ||
           puan_role_can(role, puan_str_of(row->capability));
}

void puan_permissions_write(struct puan_out *o,
                            const struct puan_feature *const *features,
                            const struct puan_plan *plan, bool markdown)
{
    const char *sep = markdown ? " | " : "\t";

    puan_out_text(o, markdown ? "| route | capability | scope" : "route\t"
                                                                 "capability\t"
                                                                 "scope");
    for (size_t r = 0; r < plan->n_roles; r++) {
        puan_out_text(o, sep);
        puan_out_str(o, plan->role[r].id);
    }
    puan_out_text(o, markdown ? " |\n|---|---|---" : "\n");
    if (markdown) {
        for (size_t r = 0; r < plan->n_roles; r++)
            puan_out_text(o, "|:-:");
        puan_out_text(o, "|\n");
    }
    for (size_t f = 0; features[f]; f++)
        for (size_t i = 0; i < features[f]->n_routes; i++) {
            static const char *const scopes[] = { "public",    "session",
                                                  "area",      "household",
                                                  "object",    "office" };
            const struct puan_route *row = &features[f]->routes[i];

            puan_out_fmt(o, "%s%s %s%s%s%s%s%s", markdown ? "| " : "",
                         puan_method_name(row->method),
                         puan_route_path(row, o->arena), sep,
                         *row->capability ? row->capability : "-", sep,
                         scopes[row->scope],
                         row->fresh_factor ? ", fresh factor" : "");
            for (size_t r = 0; r < plan->n_roles; r++)
                puan_out_fmt(o, "%s%s", sep,
                             may(row, &plan->role[r]) ? "●" : "");
            puan_out_text(o, markdown ? " |\n" : "\n");
        }
}
