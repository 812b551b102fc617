/* Which answers must change so that every rule passes. */
#include <puan.h>
#include <stdio.h>

static const char rules[] =
    "rule A hard person zh \"户主须成年\" en \"a head is an adult\"\n"
    "  when relation = 0 check age >= 18\n"
    "rule B hard person zh \"小学以下\" en \"little schooling before 6\"\n"
    "  when age < 6 check education <= 2\n"
    "rule C hard person zh \"女性\" en \"head of household 1 is a woman\"\n"
    "  when household = 1 and relation = 0 check sex = 2\n";

static void change(void *ctx, const pu_change *c)
{
    (void)ctx;
    printf("row %llu: %s becomes \"%s\"\n", (unsigned long long)c->row, c->item,
           c->value);
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "persons.csv";
    const char *text = rules, *file = "example.rules";
    const char *const weights[] = { "household=0", NULL }; /* never changed */
    pu_localised l;
    pu_error err;

    if (pu_localise(&l, &path, 1, NULL, &text, &file, 1, weights, change, NULL,
                    &err) != PU_OK) {
        fprintf(stderr, "%s:%u: %s\n", err.where, err.line, err.text);
        return 1;
    }
    printf("%llu units, %llu clean, %llu changed, weight %llu\n",
           (unsigned long long)l.units, (unsigned long long)l.clean,
           (unsigned long long)l.found, (unsigned long long)l.weight);
    return 0;
}
