/*
 * Whoever completes the sequence writes it.
 */
#include "kit/sheet/parts.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct part {
    char *p;
    size_t n;
    bool ready;
};

struct puan_sheet_parts {
    pthread_mutex_t lock;
    struct puan_sheet_out *to;
    struct part *part;
    size_t n, next; /* the first not written yet */
};

enum puan_status puan_sheet_parts_open(struct puan_sheet_parts **out,
                                       struct puan_sheet_out *to, size_t n,
                                       struct puan_err *err)
{
    struct puan_sheet_parts *p = calloc(1, sizeof *p);

    *out = NULL;
    if (p != NULL)
        p->part = calloc(n + 1, sizeof *p->part);
    if (p == NULL || p->part == NULL) {
        free(p);
        return puan_fail(err, PUAN_ENOMEM, "rows", "out of memory");
    }
    pthread_mutex_init(&p->lock, NULL);
    p->to = to;
    p->n = n;
    *out = p;
    return PUAN_OK;
}

enum puan_status puan_sheet_parts_put(struct puan_sheet_parts *p, size_t i,
                                      struct puan_str rows,
                                      struct puan_err *err)
{
    char *copy = malloc(rows.n > 0 ? rows.n : 1);

    if (copy == NULL)
        return puan_fail(err, PUAN_ENOMEM, "rows", "out of memory");
    if (rows.n > 0)
        memcpy(copy, rows.p, rows.n);
    pthread_mutex_lock(&p->lock);
    p->part[i] = (struct part){ copy, rows.n, true };
    while (p->next < p->n && p->part[p->next].ready) {
        struct part *x = &p->part[p->next++];

        puan_sheet_put_raw(p->to, (struct puan_str){ x->p, x->n });
        free(x->p);
        x->p = NULL;
    }
    pthread_mutex_unlock(&p->lock);
    return PUAN_OK;
}

void puan_sheet_parts_close(struct puan_sheet_parts *p)
{
    if (p == NULL)
        return;
    for (size_t i = p->next; i < p->n; i++)
        free(p->part[i].p);
    pthread_mutex_destroy(&p->lock);
    free(p->part);
    free(p);
}
