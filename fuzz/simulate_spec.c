/*
 * Fuzz target: simulate/spec.yaml of a plan pack, over a small margins table.
 * Never crashes; a spec that is accepted can be asked for its areas.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "features/simulate/sim.h"
#include "kit/os/os.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A folder for all inputs, with the margins in it; gone when the process is. */
static struct puan_arena kept;
static const char *dir;

static void leave(void)
{
    if (puan_dir_remove(dir, NULL) != PUAN_OK)
        abort();
}

/* Writes without waiting for the disk. */
static void put(const char *name, const void *p, size_t n)
{
    char path[512];
    int fd;

    puan_format(path, sizeof(path), "%s/simulate/%s", dir, name);
    (void)unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, p, n) != (ssize_t)n || close(fd) != 0)
        abort();
}

static void begin(void)
{
    static const char margins[] =
        "code,name_zh,name,pop,households,household_pop,one_person,m_0,f_0,"
        "m_1,f_1,m_10,f_10,m_20,f_20,m_30,f_30,m_40,f_40,m_50,f_50,m_60,f_60,"
        "m_70,f_70,m_80,f_80\n"
        "11,a,A,100,40,90,10,1,1,5,5,5,5,5,5,5,5,5,5,5,5,5,5,5,5,4,4\n";

    puan_arena_init(&kept, puan_os_alloc());
    if (puan_dir_temp(&dir, &kept, NULL) != PUAN_OK ||
        puan_dir_make(puan_arena_fmt(&kept, "%s/simulate", dir), NULL) !=
            PUAN_OK)
        abort();
    atexit(leave);
    put("margins.csv", margins, sizeof(margins) - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_arena a;
    struct puan_err err = { 0 };
    struct sim_spec *s;

    if (size > 100000)
        return 0;
    if (!dir)
        begin();
    put("spec.yaml", data, size);
    puan_arena_init(&a, puan_os_alloc());
    if (sim_spec_load(&s, dir, &a, &err) == PUAN_OK) {
        if (s->n_areas == 0 || sim_spec_area(s, s->area[0].code) == NULL)
            abort();
    } else if (err.text[0] == 0) {
        abort();
    }
    puan_arena_clear(&a);
    return 0;
}
