/*
 * Seats of one campaign, asking over HTTP.
 */
#include "features/host/test_desk.h"

#include "kit/os/os.h"

struct puan_fix *fix;

struct puan_fix *desk_county_store(const char *url, const char *suite)
{
    struct puan_fix *f = puan_fix_begin(url);

    puan_fix_create(f, "demo", "plans/cn-population-2020", suite);
    puan_fix_open(f);
    puan_fix_import(f, PUAN_IMPORT_AREAS,
                    "code,parent,level,name_zh,name_en\n"
                    "370883,,county,邹城市,Zoucheng\n"
                    "370883001,370883,township,甲镇,A\n"
                    "370883002,370883,township,乙镇,B\n");
    puan_fix_clock_ms(f, T0);
    return f;
}

void desk_county(const char *url, const char *suite)
{
    fix = desk_county_store(url, suite);
    puan_fix_serve(fix, 2, 1);
}

const char *seat(const char *name, const char *role, int64_t area)
{
    struct puan_who who = { .credential = PUAN_CRED_HUMAN,
                            .account = 1,
                            .seat = 1,
                            .area = area,
                            .factor_ms = puan_real_now() };

    puan_format(who.name, sizeof who.name, "%s", name);
    return puan_fix_session(fix, who, role);
}

unsigned call(const char *token, const char *method, const char *path,
              const char *json)
{
    return puan_fix_call(fix, token, method, path, json);
}

void must(unsigned status, const char *token, const char *method,
          const char *path, const char *json)
{
    if (call(token, method, path, json) != status)
        fail_msg("%s %s %s: %u %.*s", method, path, json ? json : "",
                 fix->reply.status, PUAN_FMT(fix->reply.body));
}

bool says(const char *text)
{
    return puan_fix_says(fix, text);
}

const struct puan_node *tree(void)
{
    return puan_fix_tree(fix);
}

bool is(const struct puan_node *n, const char *key, const char *value)
{
    return puan_str_is(puan_node_str_opt(n, key, ""), value);
}

const struct puan_node *in(const struct puan_node *of, const char *list,
                           const char *key, const char *value)
{
    PUAN_NODE_EACH(c, puan_node_get(of, list))
    if (is(c, key, value))
        return c;
    fail_msg("no \"%s\" in %s", value, list);
    return NULL;
}
