/*
 * Fuzz target: simulate/spec.yaml of a plan pack, over a small margins table.
 * Never crashes; a spec that is accepted can be asked for its areas.
 */
#include <stdlib.h>

#include "features/simulate/sim.h"
#include "kit/os/os.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char margins[] =
        "code,name_zh,name,pop,households,household_pop,one_person,m_0,f_0,"
        "m_1,f_1,m_10,f_10,m_20,f_20,m_30,f_30,m_40,f_40,m_50,f_50,m_60,f_60,"
        "m_70,f_70,m_80,f_80\n"
        "11,a,A,100,40,90,10,1,1,5,5,5,5,5,5,5,5,5,5,5,5,5,5,5,5,4,4\n";
    struct puan_arena a;
    struct puan_err err = { 0 };
    struct sim_spec *s;
    const char *dir, *folder;

    if (size > 100000)
        return 0;
    puan_arena_init(&a, puan_os_alloc());
    if (puan_dir_temp(&dir, &a, &err) != PUAN_OK)
        abort();
    folder = puan_arena_fmt(&a, "%s/simulate", dir);
    if (puan_dir_make(folder, &err) != PUAN_OK ||
        puan_file_write(puan_arena_fmt(&a, "%s/margins.csv", folder),
                        PUAN_STR(margins), 0600, &err) != PUAN_OK ||
        puan_file_write(puan_arena_fmt(&a, "%s/spec.yaml", folder),
                        (struct puan_str){ (const char *)data, size }, 0600,
                        &err) != PUAN_OK)
        abort();
    if (sim_spec_load(&s, dir, &a, &err) == PUAN_OK) {
        if (s->n_areas == 0 || sim_spec_area(s, s->area[0].code) == NULL)
            abort();
    } else if (err.text[0] == 0) {
        abort();
    }
    err = (struct puan_err){ 0 };
    if (puan_dir_remove(dir, &err) != PUAN_OK)
        abort();
    puan_arena_clear(&a);
    return 0;
}
