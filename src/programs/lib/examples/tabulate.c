/* Persons and their mean age by region and sex. */
#include <puan.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    const char *paths[] = { argc > 1 ? argv[1] : "persons.csv" };
    const pu_table_plan plan = { .by = "region, sex",
                                 .show = "count, mean(age) as age" };
    pu_data *data = NULL;
    pu_table *table = NULL;
    pu_error err;

    if (pu_open(&data, paths, 1, NULL, &err) != PU_OK ||
        pu_table_make(&table, data, &plan, &err) != PU_OK) {
        fprintf(stderr, "%s:%u:%u: %s\n", err.where, err.line, err.column,
                err.text);
        pu_close(data);
        return 1;
    }
    for (uint64_t i = 0; i < pu_table_cells(table); i++) {
        size_t at[2];
        int64_t persons, age;
        unsigned places;

        pu_table_cell(at, table, i);
        pu_table_value(&persons, &places, table, i, 0);
        printf("%s, %s: %lld persons", pu_table_class(table, 0, at[0]),
               pu_table_class(table, 1, at[1]), (long long)persons);
        if (pu_table_value(&age, &places, table, i, 1)) {
            long long one = 1;

            for (unsigned k = 0; k < places; k++)
                one *= 10;
            printf(", mean age %lld.%0*lld", age / one, (int)places,
                   age % one);
        }
        putchar('\n');
    }
    pu_table_free(table);
    pu_close(data);
    return 0;
}
