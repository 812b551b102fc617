/* What a CSV file holds, and its households. */
#include <puan.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    static const char *const household[] = { "region", "household", NULL };
    const pu_level level = { "household", household };
    const char *paths[] = { argc > 1 ? argv[1] : "persons.csv" };
    pu_data *data;
    pu_error err;
    pu_entity e;

    if (pu_open(&data, paths, 1, &(pu_options){ .levels = &level, .n_levels = 1 },
                &err) != PU_OK) {
        fprintf(stderr, "%s:%u: %s\n", err.where, err.line, err.text);
        return 1;
    }
    for (int i = 0; i < (int)pu_entities(data); i++) {
        pu_entity_info(&e, data, i);
        printf("%s: %llu rows\n", e.name, (unsigned long long)e.rows);
        for (int k = 0; k < (int)e.items; k++) {
            pu_item item;

            pu_item_info(&item, data, i, k);
            printf("  %-10s %u byte, %llu given, %lld to %lld\n", item.name,
                   item.width, (unsigned long long)item.given,
                   (long long)item.least, (long long)item.most);
        }
    }
    /* the rows of the first household, out of the column itself */
    pu_entity_info(&e, data, pu_find_entity(data, "person"));
    printf("household 1 has %u persons\n", e.first[1] - e.first[0]);
    for (uint32_t row = e.first[0]; row < e.first[1]; row++) {
        char text[16];
        int person = pu_find_entity(data, "person");

        pu_text(text, sizeof(text), data, person,
                pu_find_item(data, person, "birth"), row);
        printf("  born %s\n", text);
    }
    pu_close(data);
    return 0;
}
