/*
 * Packs on disk: the three of this project load, planted faults are named with
 * place and remedy, a pinned copy is what was pinned.
 */
#include "features/plans/plans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "core/plan/routing.h"
#include "kit/crypto/crypto.h"
#include "kit/os/os.h"

static struct puan_arena arena;
static const char *dir;

static int setup(void **state)
{
    struct puan_err err = { 0 };

    (void)state;
    puan_arena_init(&arena, puan_os_alloc());
    return puan_dir_temp(&dir, &arena, &err) == PUAN_OK ? 0 : -1;
}
static int teardown(void **state)
{
    struct puan_err err = { 0 };

    (void)state;
    (void)!puan_dir_remove(dir, &err);
    puan_arena_clear(&arena);
    return 0;
}

static const struct puan_plan *loaded(struct puan_plan_held **h,
                                      const char *pack)
{
    struct puan_err err = { 0 };

    if (puan_plan_load_dir(h, pack, puan_digest_sm3(), &err) != PUAN_OK)
        fail_msg("%s:%u:%u: %s", err.where, err.line, err.col, err.text);
    return puan_plan_held_plan(*h);
}

/* Every pack of the project is without fault, workflows and rules included. */
static void the_packs_of_the_project_have_no_fault(void **state)
{
    static const char *const packs[] = { "plans/cn-population-2020",
                                         "plans/cn-office-gx",
                                         "plans/zz-test" };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(packs); i++) {
        const struct puan_plan_known known =
            puan_plan_known_of(puan_features, &arena);
        struct puan_plan_held *h;
        const struct puan_problems *all;
        struct puan_err err = { 0 };

        assert_true(known.n_capabilities > 20);
        assert_int_equal(
            puan_plan_lint(&h, &all, packs[i], &known, puan_digest_sm3(), &err),
            PUAN_OK);
        if (all->n > 0)
            fail_msg("%s:%u:%u: %s", all->first->file, all->first->line,
                     all->first->col, all->first->text);
        assert_non_null(puan_plan_held_plan(h));
        puan_plan_close(h);
    }
}

static void the_population_census_says_what_it_is(void **state)
{
    struct puan_plan_held *h;
    const struct puan_plan *p = loaded(&h, "plans/cn-population-2020");
    const struct puan_form *f;
    const struct puan_window *w;
    int64_t t;

    (void)state;
    assert_int_equal(p->n_forms, 5);
    f = puan_plan_form(p, PUAN_STR("short"));
    assert_int_equal(f->ordinal, 0);
    assert_int_equal(f->key_width, 18);
    assert_int_equal(p->reference_month, 2020 * 12 + 10);
    assert_true(puan_entity_item(&f->entity[1], PUAN_STR("D3.id_month")) > 0);
    f = puan_plan_form(p, PUAN_STR("long"));
    assert_int_equal(puan_entity_item(&f->entity[1], PUAN_STR("D12")),
                     puan_entity_item(&f->entity[1], PUAN_STR("C17")));
    assert_true(puan_str_is(p->level[p->shard_level].id, "county"));
    assert_true(puan_str_is(p->level[p->ea_level].id, "ea"));
    assert_true(puan_plan_area_of_household(p, 370883001004001007,
                                            p->shard_level) == 370883);
    assert_true(puan_plan_area_of_household(p, 370883001004001007,
                                            p->ea_level) == 370883001004001);
    /* the channel of self-enumeration closes at the end of 5 November */
    assert_true(puan_instant_parse(&t, PUAN_STR("2020-11-05T23:59:59+08:00")));
    w = puan_plan_open(p, PUAN_STR("short"), PUAN_STR("self"), t);
    assert_non_null(w);
    assert_true(puan_str_is(w->id, "self-enumeration"));
    assert_null(
        puan_plan_open(p, PUAN_STR("short"), PUAN_STR("self"), t + 1000));
    assert_non_null(
        puan_plan_open(p, PUAN_STR("short"), PUAN_STR("enumerator"), t + 1000));
    assert_null(puan_plan_open(p, PUAN_STR("long"), PUAN_STR("enumerator"), t));
    /* what the office pack brings */
    assert_non_null(puan_plan_role(p, PUAN_STR("risk-office")));
    assert_int_equal(puan_plan_number(p, "at_once", 0), 30 * 60000);
    assert_true(puan_role_can(puan_plan_role(p, PUAN_STR("enumerator")),
                              PUAN_STR("return.submit")));
    assert_false(puan_role_can(puan_plan_role(p, PUAN_STR("enumerator")),
                               PUAN_STR("lot.accept")));
    puan_plan_close(h);
}

static void routing_asks_by_age_and_answer(void **state)
{
    struct puan_plan_held *h;
    const struct puan_plan *p = loaded(&h, "plans/cn-population-2020");
    const struct puan_form *f = puan_plan_form(p, PUAN_STR("short"));
    const struct puan_entity *e = &f->entity[1];
    uint32_t n[3] = { 1, 3, 0 };
    struct puan_record r;
    struct puan_err err = { 0 };
    const uint16_t d5 = (uint16_t)puan_entity_item(e, PUAN_STR("D5"));
    const uint16_t d8 = (uint16_t)puan_entity_item(e, PUAN_STR("D8"));
    const uint16_t d9 = (uint16_t)puan_entity_item(e, PUAN_STR("D9"));
    const uint16_t d10 = (uint16_t)puan_entity_item(e, PUAN_STR("D10"));
    const uint16_t d11 = (uint16_t)puan_entity_item(e, PUAN_STR("D11"));
    const uint16_t d12 = (uint16_t)puan_entity_item(e, PUAN_STR("D12"));
    const uint8_t *st;

    (void)state;
    assert_int_equal(puan_record_new(&r, f, n, &arena, &err), PUAN_OK);
    puan_record_key(&r, 370883001004001007);
    puan_record_set(&r, 1, 0, d5, PUAN_STR("2017-11")); /* two years old */
    puan_record_set(&r, 1, 0, d8, PUAN_STR("5"));
    puan_record_set(&r, 1, 1, d5, PUAN_STR("2005-10")); /* fifteen */
    puan_record_set(&r, 1, 1, d8, PUAN_STR("1"));
    puan_record_set(&r, 1, 1, d9, PUAN_STR("2"));
    puan_routing_apply(p->routing[f->ordinal], &r);
    st = r.rows[1].st;
    assert_int_equal(st[d9], PUAN_NOT_ASKED); /* registration pending */
    assert_int_equal(st[d11], PUAN_NOT_ASKED);
    assert_int_equal(st[d12], PUAN_NOT_ASKED);
    st += e->n_items;
    assert_int_equal(st[d10], PUAN_MISSING);
    assert_int_equal(st[d11], PUAN_MISSING);
    assert_int_equal(st[d12], PUAN_MISSING);
    st += e->n_items; /* nothing known: what depends on it is not asked */
    assert_int_equal(st[d5], PUAN_MISSING);
    assert_int_equal(st[d9], PUAN_NOT_ASKED);
    assert_int_equal(st[d12], PUAN_NOT_ASKED);
    assert_int_equal(puan_routing_asked(p->routing[0], &r, 1, 1, d10),
                     PUAN_TRUE);
    puan_plan_close(h);
}

/* Memory ends at any point: ENOMEM, and nothing read that is not there. */
static void running_out_of_memory_is_told(void **state)
{
    struct puan_plan_held *h;
    const struct puan_plan *p = loaded(&h, "plans/zz-test");
    size_t steps = 0;
    enum puan_status st = PUAN_ENOMEM;

    (void)state;
    for (size_t limit = 64; st != PUAN_OK; limit += 509, steps++) {
        struct puan_plan_pack pack = p->pack[0];
        struct puan_problems all = { 0 };
        struct puan_plan *again = NULL;
        struct puan_arena a;
        struct puan_err err = { 0 };

        puan_arena_init(&a, puan_os_alloc());
        a.limit = limit;
        all.arena = &a;
        st = puan_plan_load(&again, &pack, 1, puan_digest_sm3(), &all, &a,
                            &err);
        assert_true(st == PUAN_OK || st == PUAN_ENOMEM);
        puan_arena_clear(&a);
        assert_true(steps < 5000);
    }
    assert_true(steps > 20);
    puan_plan_close(h);
}

/* --- planted faults ----------------------------------------------------- */

static void copy(const char *from, const char *to)
{
    const char **name;
    size_t n;
    struct puan_err err = { 0 };

    assert_int_equal(puan_dir_make(to, &err), PUAN_OK);
    assert_int_equal(puan_dir_list(&name, &n, from, &arena, &err), PUAN_OK);
    for (size_t i = 0; i < n; i++) {
        const char *f = puan_arena_fmt(&arena, "%s/%s", from, name[i]);
        const char *t = puan_arena_fmt(&arena, "%s/%s", to, name[i]);

        if (puan_dir_exists(f))
            copy(f, t);
        else
            assert_int_equal(puan_file_copy(f, t, &err), PUAN_OK);
    }
}

/* The copy of zz-test, with one piece of one file replaced. */
static const char *planted(const char *file, const char *from, const char *to)
{
    const char *pack = puan_arena_fmt(&arena, "%s/zz-test", dir);
    const char *path = puan_arena_fmt(&arena, "%s/%s", pack, file);
    struct puan_err err = { 0 };
    struct puan_str text;
    const char *at;
    struct puan_out o;

    if (puan_dir_exists(pack))
        assert_int_equal(puan_dir_remove(pack, &err), PUAN_OK);
    copy("plans/zz-test", pack);
    if (from == NULL)
        return pack;
    assert_int_equal(puan_file_read(&text, path, 0, &arena, &err), PUAN_OK);
    at = strstr(text.p, from);
    if (at == NULL)
        fail_msg("'%s' is not in %s", from, file);
    puan_out_init(&o, &arena);
    puan_out_bytes(&o, text.p, (size_t)(at - text.p));
    puan_out_text(&o, to);
    puan_out_text(&o, at + strlen(from));
    assert_int_equal(puan_file_write(path, puan_out_view(&o), 0644, &err),
                     PUAN_OK);
    return pack;
}

/* Line of the first place `mark` stands at in a file of the planted copy. */
static uint32_t line_of(const char *file, const char *mark)
{
    const char *path = puan_arena_fmt(&arena, "%s/zz-test/%s", dir, file);
    struct puan_err err = { 0 };
    struct puan_str text;
    uint32_t line = 1;
    const char *at;

    assert_int_equal(puan_file_read(&text, path, 0, &arena, &err), PUAN_OK);
    at = strstr(text.p, mark);
    assert_non_null(at);
    for (const char *c = text.p; c < at; c++)
        line += *c == '\n';
    return line;
}

/* Lint gives `text` at the line of `mark` in that file. */
static void fault(const char *file, const char *from, const char *to,
                  const char *mark, const char *text)
{
    const char *pack = planted(file, from, to);
    struct puan_plan_held *h;
    const struct puan_problems *all;
    struct puan_err err = { 0 };
    bool found = false;

    assert_int_equal(
        puan_plan_lint(&h, &all, pack, NULL, puan_digest_sm3(), &err), PUAN_OK);
    assert_true(all->n > 0);
    for (const struct puan_problem *p = all->first; p; p = p->next)
        found |=
            strcmp(p->text, text) == 0 && p->line == line_of(file, mark) &&
            strcmp(p->file, puan_arena_fmt(&arena, "%s/%s", pack, file)) == 0;
    if (!found)
        fail_msg("wanted: %s (line %u)\ngot: %s:%u: %s", text,
                 line_of(file, mark), all->first->file, all->first->line,
                 all->first->text);
    puan_plan_close(h);
}

#define PLAN "plan.yaml"
#define FORM "forms/household.yaml"

static void planted_faults_are_named_with_place_and_remedy(void **state)
{
    (void)state;
    fault(PLAN, "shard_level: canton", "shard_level: kanton",
          "shard_level:", "no level 'kanton' with digits, name one of 'levels'");
    fault(PLAN, "digits: 5", "digits: 2", "digits: 2, zh: 教区",
          "level 'parish' has 2 digits, the level above it 2: codes must grow "
          "downwards");
    fault(PLAN, "via: canton-registrar", "via: registrar", "via: registrar",
          "no local role 'registrar', name one of 'roles'");
    fault(PLAN, "excludes: [security-admin, audit-admin]",
          "excludes: [security-chief]", "excludes: [security-chief]",
          "no role 'security-chief', name one of 'roles'");
    fault(PLAN, "levels: [parish]", "levels: [village]", "levels: [village]",
          "no level 'village', name one of 'levels'");
    fault("rules/household.rules", "check given(dwelling)",
          "check given(dweling)", "rule Z08",
          "'Z08' applies to no form: unknown name 'dweling'; the nearest is "
          "'dwelling'");
    fault(PLAN, "until: 2021-05-01", "until: 2021-03-01", "zh: 登记",
          "'until' is not after 'from'; it is the first moment that no longer "
          "counts, write a later day");
    fault(PLAN, "forms: [household]\n    modes: [enumerator, self]",
          "forms: [person]\n    modes: [enumerator, self]", "forms: [person]",
          "no form 'person', name one of 'forms'");
    fault(PLAN, "by: [parish, age10, sex]", "by: [parish, age10, gender]",
          "by: [parish, age10, gender]",
          "'gender' is no level, variable or coded item of entity 'member', "
          "mend the name");
    fault(PLAN, "base: resident", "base: residents", "base: residents",
          "'base' must be resident, de-facto, registered or all");
    fault(PLAN, "entity: member\n  cases", "entity: person\n  cases", "case: 1",
          "no form has an entity 'person', mend the name");
    fault(PLAN, "reference_moment: 2021-04-01T00:00:00-03:30",
          "reference_moment: 2021-05-01T00:00:00-03:30", "reference_moment",
          "'reference_moment' does not lie in 'reference_month', mend one");
    fault(PLAN, "credential: household", "credential: none", "credential: none",
          "'credential' must be human, device, household or service");
    fault(PLAN, "windows:", "window:", "window:",
          "unknown key 'window', did you mean 'windows'");
    fault(PLAN, "plan: zz-test", "plan: zz-tset", "plan: zz-tset",
          "the plan calls itself 'zz-tset' but lies in a folder 'zz-test', "
          "rename one");
    fault(PLAN, "scope: campaign", "scope: campaign\nuses: [nowhere]",
          "uses:", "uses pack 'nowhere', which is not beside it, put it there or "
          "mend the name");
    fault(PLAN, "version: \"1\"", "version: \"1\"\nversion: \"2\"",
          "version: \"2\"",
          "key 'version' stands twice in this map, remove "
          "one");
    fault(FORM, "codes: tongue,", "codes: tongues,", "codes: tongues,",
          "no code list 'tongues', define it under 'codes:' here or in "
          "codes/");
    fault(FORM, "form: household", "form: dwelling", "form: dwelling",
          "the form calls itself 'dwelling', its file 'household'");
    fault(FORM, "key_digits: 4", "key_digits: 0", "key_digits: 0",
          "'key_digits' must lie between 1 and 18");
    fault(FORM, "X: {value: 3", "X: {value: 2", "X: {value: 2",
          "code 'X' has the value of 'M'");
}

/* Faults in expressions: the language's own words, at the expression's line. */
static void expressions_are_checked_against_their_forms(void **state)
{
    static const char *const at[][3] = {
        { FORM, "age_at(born, ref_month) >= 16",
          "age_at(birth, ref_month) >= 16" },
        { FORM, "dwelling in {1, 2, 3}", "dwelling in {1, 2, 7}" },
        { PLAN, "usual = 1", "usual = yes" },
        { PLAN, "min(age_at(born, ref_month) / 10, 8)", "min(age_at(born" },
    };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(at); i++) {
        const char *pack = planted(at[i][0], at[i][1], at[i][2]);
        struct puan_plan_held *h;
        const struct puan_problems *all;
        struct puan_err err = { 0 };

        assert_int_equal(
            puan_plan_lint(&h, &all, pack, NULL, puan_digest_sm3(), &err),
            PUAN_OK);
        assert_int_equal(all->n, 1);
        assert_int_equal(all->first->line, line_of(at[i][0], at[i][2]));
        assert_string_equal(all->first->file,
                            puan_arena_fmt(&arena, "%s/%s", pack, at[i][0]));
        puan_plan_close(h);
    }
}

static void all_faults_of_a_pack_are_told_at_once(void **state)
{
    const char *pack;
    struct puan_plan_held *h;
    const struct puan_problems *all;
    struct puan_err err = { 0 };

    (void)state;
    pack = planted(PLAN, "levels: [parish]", "levels: [village]");
    assert_int_equal(
        puan_file_write(puan_arena_fmt(&arena, "%s/forms/extra.yaml", pack),
                        PUAN_STR("form: extra\n"), 0644, &err),
        PUAN_OK);
    assert_int_equal(
        puan_file_write(puan_arena_fmt(&arena, "%s/codes.yaml", pack),
                        PUAN_STR("a: &x 1\n"), 0644, &err),
        PUAN_OK);
    assert_int_equal(
        puan_plan_lint(&h, &all, pack, NULL, puan_digest_sm3(), &err), PUAN_OK);
    assert_int_equal(all->n, 3);
    assert_null(puan_plan_held_plan(h));
    puan_plan_close(h);
    /* and loading it refuses the whole */
    assert_int_equal(puan_plan_load_dir(&h, pack, puan_digest_sm3(), &err),
                     PUAN_EINVAL);
    assert_null(h);
}

static void capabilities_no_route_asks_for_are_told(void **state)
{
    static const struct puan_str none[] = { { "return.view", 11 } };
    const struct puan_plan_known known = { none, 1 };
    struct puan_plan_held *h;
    const struct puan_problems *all;
    struct puan_err err = { 0 };
    bool view = false, submit = false;

    (void)state;
    assert_int_equal(puan_plan_lint(&h, &all, "plans/zz-test", &known,
                                    puan_digest_sm3(), &err),
                     PUAN_OK);
    for (const struct puan_problem *p = all->first; p; p = p->next) {
        view |= strstr(p->text, "'return.view'") != NULL;
        submit |=
            strcmp(p->text, "role enumerator: no route asks for capability "
                            "'return.submit', see puan permissions") == 0;
    }
    assert_true(submit);
    assert_false(view);
    puan_plan_close(h);
}

/* --- pinning ------------------------------------------------------------ */

static void a_pinned_plan_is_the_plan_and_changes_are_found(void **state)
{
    const char *pin = puan_arena_fmt(&arena, "%s/plan", dir);
    uint8_t digest[PUAN_DIGEST_SIZE];
    struct puan_plan_held *h;
    const struct puan_plan *p;
    struct puan_err err = { 0 };
    const char *file;
    struct puan_str text;

    (void)state;
    assert_int_equal(puan_plan_pin(pin, "plans/cn-population-2020",
                                   puan_digest_sm3(), digest, &err),
                     PUAN_OK);
    p = loaded(&h, "plans/cn-population-2020");
    assert_memory_equal(p->digest, digest, sizeof(digest));
    puan_plan_close(h);
    p = loaded(&h, pin);
    assert_memory_equal(p->digest, digest, sizeof(digest));
    assert_int_equal(p->n_packs, 2);
    puan_plan_close(h);
    /* not twice, not with another digest */
    assert_int_equal(
        puan_plan_pin(pin, "plans/zz-test", puan_digest_sm3(), NULL, &err),
        PUAN_ECONFLICT);
    err = (struct puan_err){ 0 };
    assert_int_equal(puan_plan_load_dir(&h, pin, puan_digest_sha256(), &err),
                     PUAN_EINVAL);
    /* one byte of the used pack */
    file = puan_arena_fmt(&arena, "%s/cn-office-gx/plan.yaml", pin);
    assert_int_equal(puan_file_read(&text, file, 0, &arena, &err), PUAN_OK);
    assert_int_equal(
        puan_file_write(
            file, puan_str_of(puan_arena_fmt(&arena, "%.*s\n", PUAN_FMT(text))),
            0640, &err),
        PUAN_OK);
    err = (struct puan_err){ 0 };
    assert_int_equal(puan_plan_load_dir(&h, pin, puan_digest_sm3(), &err),
                     PUAN_ECONFLICT);
    assert_string_equal(err.text,
                        "cn-office-gx is not what was pinned; put the pinned "
                        "files back, or amend the plan by an approved event");
}

static void the_digest_depends_on_content_and_names_only(void **state)
{
    struct puan_plan_held *h;
    const struct puan_plan *p = loaded(&h, "plans/zz-test");
    uint8_t digest[PUAN_DIGEST_SIZE];
    struct puan_err err = { 0 };
    const char *pack;

    (void)state;
    memcpy(digest, p->digest, sizeof(digest));
    puan_plan_close(h);
    pack = planted(PLAN, NULL, NULL);
    assert_int_equal(
        puan_file_write(puan_arena_fmt(&arena, "%s/plan.sig", pack),
                        PUAN_STR("{}"), 0644, &err),
        PUAN_OK);
    assert_int_equal(puan_file_write(puan_arena_fmt(&arena, "%s/.swp", pack),
                                     PUAN_STR("x"), 0644, &err),
                     PUAN_OK);
    p = loaded(&h, pack);
    assert_memory_equal(p->digest, digest, sizeof(digest));
    puan_plan_close(h);
    assert_int_equal(
        puan_file_write(puan_arena_fmt(&arena, "%s/note.txt", pack),
                        PUAN_STR("x"), 0644, &err),
        PUAN_OK);
    p = loaded(&h, pack);
    assert_memory_not_equal(p->digest, digest, sizeof(digest));
    puan_plan_close(h);
}

/* --- overlays ----------------------------------------------------------- */

static const char *overlay(const char *digest, const char *settings)
{
    const char *pack = puan_arena_fmt(&arena, "%s/stricter", dir);
    struct puan_err err = { 0 };

    assert_int_equal(puan_dir_make(pack, &err), PUAN_OK);
    assert_int_equal(
        puan_file_write(
            puan_arena_fmt(&arena, "%s/plan.yaml", pack),
            puan_str_of(puan_arena_fmt(
                &arena,
                "plan: stricter\nversion: \"1\"\nscope: campaign\nzh: 严\nen: "
                "Stricter\noverlay_of: zz-test@%s\nsettings:\n  %s\n",
                digest, settings)),
            0644, &err),
        PUAN_OK);
    return pack;
}

static void an_overlay_may_only_be_stricter(void **state)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_plan_held *h;
    const struct puan_plan *p;
    struct puan_err err = { 0 };
    const char *pack, *pin = puan_arena_fmt(&arena, "%s/plan", dir);

    (void)state;
    p = loaded(&h, planted(PLAN, NULL, NULL));
    puan_hex(hex, p->pack[0].digest, PUAN_DIGEST_SIZE);
    puan_plan_close(h);
    pack = overlay(hex, "at_once: {value: 20m, zh: 立即, en: At once}");
    p = loaded(&h, pack);
    assert_true(puan_str_is(p->id, "zz-test"));
    assert_true(puan_str_is(p->overlay, "stricter"));
    assert_int_equal(puan_plan_number(p, "at_once", 0), 20 * 60000);
    assert_int_equal(p->n_packs, 2);
    puan_plan_close(h);
    assert_int_equal(puan_plan_pin(pin, pack, puan_digest_sm3(), NULL, &err),
                     PUAN_OK);
    p = loaded(&h, pin);
    assert_int_equal(puan_plan_number(p, "at_once", 0), 20 * 60000);
    puan_plan_close(h);
    /* longer; not a duration; another version of the pack under it */
    pack = overlay(hex, "at_once: {value: 2h, zh: 立即, en: At once}");
    assert_int_equal(puan_plan_load_dir(&h, pack, puan_digest_sm3(), &err),
                     PUAN_EINVAL);
    assert_string_equal(err.text,
                        "an overlay cannot lengthen 'at_once' from 1h to 2h");
    err = (struct puan_err){ 0 };
    pack = overlay(hex, "adult_age: {value: 17, zh: 年龄, en: Age}");
    assert_int_equal(puan_plan_load_dir(&h, pack, puan_digest_sm3(), &err),
                     PUAN_EINVAL);
    assert_string_equal(
        err.text, "an overlay can only shorten durations; 'adult_age' is none");
    err = (struct puan_err){ 0 };
    hex[0] = hex[0] == '0' ? '1' : '0';
    pack = overlay(hex, "at_once: {value: 20m, zh: 立即, en: At once}");
    assert_int_equal(puan_plan_load_dir(&h, pack, puan_digest_sm3(), &err),
                     PUAN_EINVAL);
    assert_string_equal(err.text,
                        "the overlay was made for another version of pack "
                        "zz-test, review it and name the digest of this one");
}

static void a_pack_that_is_not_there_is_said(void **state)
{
    struct puan_plan_held *h;
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(
        puan_plan_load_dir(&h, "no-such-pack", puan_digest_sm3(), &err),
        PUAN_ENOTFOUND);
    assert_string_equal(err.text, "no plan pack of that name in $PUAN_PLANS, "
                                  "./plans or /usr/share/puan/plans");
    err = (struct puan_err){ 0 };
    assert_int_equal(puan_plan_load_dir(&h, "./plans", puan_digest_sm3(), &err),
                     PUAN_ENOTFOUND);
    assert_string_equal(err.text, "no plan pack here: there is no plan.yaml");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_packs_of_the_project_have_no_fault),
        T(the_population_census_says_what_it_is),
        T(routing_asks_by_age_and_answer),
        T(running_out_of_memory_is_told),
        T(planted_faults_are_named_with_place_and_remedy),
        T(expressions_are_checked_against_their_forms),
        T(all_faults_of_a_pack_are_told_at_once),
        T(capabilities_no_route_asks_for_are_told),
        T(a_pinned_plan_is_the_plan_and_changes_are_found),
        T(the_digest_depends_on_content_and_names_only),
        T(an_overlay_may_only_be_stricter),
        T(a_pack_that_is_not_there_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
