/* Edit distance over short names, cut off where no remedy is to be had. */
#include "base/near.h"

#define LONGEST 40

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Letters changed, added or left out, up to `most`. */
static unsigned distance(struct puan_str a, struct puan_str b, unsigned most)
{
    unsigned char row[LONGEST + 1];

    if (a.n > LONGEST || b.n > LONGEST || a.n > b.n + most ||
        b.n > a.n + most)
        return most + 1;
    for (size_t j = 0; j <= b.n; j++)
        row[j] = (unsigned char)j;
    for (size_t i = 1; i <= a.n; i++) {
        unsigned diagonal = row[0];

        row[0] = (unsigned char)i;
        for (size_t j = 1; j <= b.n; j++) {
            unsigned best =
                diagonal + (lower(a.p[i - 1]) != lower(b.p[j - 1]));

            diagonal = row[j];
            if (row[j] + 1u < best)
                best = row[j] + 1u;
            if (row[j - 1] + 1u < best)
                best = row[j - 1] + 1u;
            row[j] = (unsigned char)best;
        }
    }
    return row[b.n];
}

struct puan_near puan_near_to(struct puan_str name)
{
    return (struct puan_near){ .to = name,
                               .at = name.n < 3   ? 2
                                     : name.n < 5 ? 3
                                                  : 4 };
}

void puan_near_try(struct puan_near *n, struct puan_str known)
{
    unsigned d;

    if (known.n == 0)
        return;
    d = distance(n->to, known, n->at);
    if (d < n->at) {
        n->at = d;
        n->name = known;
    }
}
