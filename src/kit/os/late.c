/*
 * Libraries loaded late; see late.h.
 */
#include "kit/os/late.h"

#include <dlfcn.h>
#include <string.h>

enum puan_status puan_late_load(void *fn, const char *const *name, size_t n,
                                const char *file, const char *package,
                                struct puan_err *err)
{
    void *lib = dlopen(file, RTLD_LAZY | RTLD_LOCAL);

    if (lib == NULL)
        return puan_fail(err, PUAN_EIO, file,
                         "is not installed; on Debian install %s", package);
    for (size_t i = 0; i < n; i++) {
        void *p = dlsym(lib, name[i]);

        if (p == NULL)
            return puan_fail(err, PUAN_EIO, file,
                             "has no %s; install another version of %s",
                             name[i], package);
        /* POSIX: an object pointer holds a function's */
        memcpy((char *)fn + i * sizeof(p), &p, sizeof(p));
    }
    return PUAN_OK;
}
