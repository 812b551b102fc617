/*
 * CSV files handed to `puan import`: the first byte chooses the kind, the rest
 * is the file, looked at against a small campaign and never written.  What an
 * import lets through must have a row for every line it counted, and no file
 * may bring the program down.
 */
#include <stdlib.h>
#include <unistd.h>

#include "features/campaign/campaign.h"
#include "kit/os/os.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct puan_store *store;
static char dir[64];

static void leave(void)
{
    struct puan_err err = { 0 };

    puan_store_close(store);
    (void)!puan_dir_remove(dir, &err);
}

static void must(enum puan_status st)
{
    if (st != PUAN_OK)
        abort();
}

/* One canton, one round; made once. */
static void open_store(void)
{
    static const char *const pack[] = { "plans/zz-test", "../plans/zz-test",
                                        "../../plans/zz-test" };
    struct puan_act act = { .actor = PUAN_STR("fuzz") };
    struct puan_import_result res;
    struct puan_err err = { 0 };
    size_t i = 0;

    puan_format(dir, sizeof(dir), "/tmp/puan-fuzz-import-%d", (int)getpid());
    while (i < PUAN_COUNT(pack) && !puan_dir_exists(pack[i]))
        i++;
    if (i == PUAN_COUNT(pack))
        abort(); /* run it from the project or its build directory */
    must(puan_store_create(dir, "demo", pack[i], "intl", NULL, &err));
    must(puan_store_open(&store, dir, NULL, &err));
    must(puan_import(&res, store, PUAN_IMPORT_AREAS,
                     PUAN_STR("code,parent,level,name_zh,name_en\n"
                              "11,,canton,a,A\n11001,11,parish,b,B\n"
                              "11001001,11001,round,c,C\n"),
                     "areas.csv", false, &act, &err));
    atexit(leave);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_act act = { .actor = PUAN_STR("fuzz") };
    struct puan_import_result res;
    struct puan_err err = { 0 };
    struct puan_str csv;
    enum puan_status st;
    uint64_t lines = 1;

    if (size == 0)
        return 0;
    if (!store)
        open_store();
    csv = (struct puan_str){ (const char *)data + 1, size - 1 };
    (void)puan_import_kind_of(csv);
    st = puan_import(&res, store, (enum puan_import_kind)(data[0] % 5), csv,
                     "fuzz.csv", true, &act, &err);
    for (size_t i = 0; i < csv.n; i++)
        lines += csv.p[i] == '\n' || csv.p[i] == '\r';
    if (st == PUAN_OK && (res.rows > lines || res.written != 0))
        abort();
    if (st != PUAN_OK && (err.code != st || err.text[0] == '\0'))
        abort();
    return 0;
}
