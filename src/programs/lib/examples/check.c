/* Rules over a file: how many failures each finds, and where. */
#include <puan.h>
#include <stdio.h>

static const char text[] =
    "level household by region, household\n"
    "rule P1 hard person\n"
    "  zh \"年龄与受教育程度不符\" en \"Too young for this education\"\n"
    "  fail when age < 6 and education > 2\n"
    "rule P2 soft person\n"
    "  zh \"未成年人为户主\" en \"A child heads a household\"\n"
    "  when relation = 0\n"
    "  check age >= 15\n"
    "rule P3 hard person\n"
    "  zh \"学历应填报\" en \"Education is to be given\"\n"
    "  when age >= 3 check given(education)\n"
    "rule H1 hard household\n"
    "  zh \"户主应为第一人\" en \"The head comes first\"\n"
    "  check first(person.relation where true) = 0\n";

static void found(void *ctx, size_t rule, uint64_t row)
{
    pu_rule info;

    pu_rule_info(&info, ctx, rule);
    printf("%s fails in row %llu: %s\n", info.id, (unsigned long long)row,
           info.en);
}

int main(int argc, char **argv)
{
    static const char *const household[] = { "region", "household", NULL };
    const pu_level level = { "household", household };
    const char *paths[] = { argc > 1 ? argv[1] : "persons.csv" };
    const char *texts[] = { text }, *files[] = { "example.rules" };
    pu_data *data = NULL;
    pu_rules *rules = NULL;
    pu_error err;
    int code = 1;

    if (pu_open(&data, paths, 1, &(pu_options){ .levels = &level, .n_levels = 1 },
                &err) != PU_OK ||
        pu_rules_compile(&rules, data, texts, files, 1, &err) != PU_OK ||
        pu_rules_run(rules, found, rules, &err) != PU_OK) {
        fprintf(stderr, "%s:%u:%u: %s\n", err.where, err.line, err.column,
                err.text);
        goto out;
    }
    for (size_t i = 0; i < pu_rules_count(rules); i++) {
        pu_rule info;

        pu_rule_info(&info, rules, i);
        printf("%s: %llu of %llu fail, %llu not evaluable\n", info.id,
               (unsigned long long)info.findings,
               (unsigned long long)info.evaluated,
               (unsigned long long)info.not_evaluable);
    }
    code = 0;
out:
    pu_rules_free(rules);
    pu_close(data);
    return code;
}
