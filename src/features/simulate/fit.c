/*
 * Whole numbers in given proportions, and tables with given sums.  See sim.h.
 */
#include "features/simulate/sim.h"

/* Cells by remainder, largest first; ties by index, so the same everywhere. */
struct rest {
    double part;
    size_t i;
};

static void sift(struct rest *h, size_t n, size_t at)
{
    for (;;) {
        size_t c = 2 * at + 1;
        struct rest t;

        if (c >= n)
            return;
        if (c + 1 < n && (h[c + 1].part > h[c].part ||
                          (h[c + 1].part >= h[c].part && h[c + 1].i < h[c].i)))
            c++;
        if (h[at].part > h[c].part ||
            (h[at].part >= h[c].part && h[at].i < h[c].i))
            return;
        t = h[at];
        h[at] = h[c];
        h[c] = t;
        at = c;
    }
}

/* One round without caps; heap lives on the stack for small n. */
static void share(int64_t *out, const double *weight, size_t n, int64_t total,
                  struct rest *heap)
{
    double sum = 0;
    int64_t left = total;

    for (size_t i = 0; i < n; i++)
        sum += weight[i];
    for (size_t i = 0; i < n; i++) {
        double x = sum > 0 ? weight[i] / sum * (double)total : 0;

        out[i] = (int64_t)x;
        heap[i].part = x - (double)out[i];
        heap[i].i = i;
        left -= out[i];
    }
    for (size_t i = n; i-- > 0;)
        sift(heap, n, i);
    for (size_t m = n; left > 0 && m > 0; left--) {
        size_t i = heap[0].i;

        if (weight[i] > 0)
            out[i]++;
        else
            left++;
        heap[0] = heap[--m];
        sift(heap, m, 0);
    }
}

#define STACK_CELLS 4096

int64_t sim_apportion(int64_t *out, const double *weight, const int64_t *cap,
                      size_t n, int64_t total)
{
    struct rest heap[STACK_CELLS];
    double w[STACK_CELLS];
    int64_t part[STACK_CELLS];
    int64_t left = total;

    if (n > STACK_CELLS) { /* in halves by their weights */
        double half[2] = { 0, 0 };
        int64_t n_half[2], room[2] = { 0, 0 };
        size_t m = n / 2;

        for (size_t i = 0; i < n; i++) {
            half[i >= m] += weight[i];
            if (cap != NULL)
                room[i >= m] += cap[i];
        }
        left = sim_apportion(n_half, half, cap != NULL ? room : NULL, 2,
                             total);
        left += sim_apportion(out, weight, cap, m, n_half[0]);
        left += sim_apportion(out + m, weight + m, cap != NULL ? cap + m : NULL,
                              n - m, n_half[1]);
        return left;
    }
    memset(out, 0, n * sizeof(*out));
    for (int round = 0; left > 0 && round < 64; round++) {
        double sum = 0;
        int64_t placed = 0;

        for (size_t i = 0; i < n; i++) {
            w[i] = cap != NULL && out[i] >= cap[i] ? 0 : weight[i];
            sum += w[i];
        }
        if (!(sum > 0))
            break;
        share(part, w, n, left, heap);
        for (size_t i = 0; i < n; i++) {
            int64_t add = part[i];

            if (cap != NULL && add > cap[i] - out[i])
                add = cap[i] - out[i];
            if (add < 0)
                add = 0;
            out[i] += add;
            placed += add;
        }
        left -= placed;
    }
    return left;
}

int64_t sim_fit_table(int64_t *out, double *x, const int64_t *row_sum,
                      const int64_t *col_sum, size_t rows, size_t cols,
                      struct puan_arena *scratch)
{
    int64_t *rest = puan_new_n(scratch, cols, int64_t);
    double *carry = puan_new_n(scratch, cols, double);
    double *w = puan_new_n(scratch, cols, double);
    int64_t worst = 0;
    size_t last = 0;

    if (scratch->failed)
        return INT64_MAX;
    for (int round = 0; round < 200; round++) {
        for (size_t c = 0; c < cols; c++) {
            double sum = 0;

            for (size_t r = 0; r < rows; r++)
                sum += x[r * cols + c];
            for (size_t r = 0; r < rows && sum > 0; r++)
                x[r * cols + c] *= (double)col_sum[c] / sum;
        }
        for (size_t r = 0; r < rows; r++) {
            double sum = 0;

            for (size_t c = 0; c < cols; c++)
                sum += x[r * cols + c];
            for (size_t c = 0; c < cols && sum > 0; c++)
                x[r * cols + c] *= (double)row_sum[r] / sum;
        }
    }
    /*
     * Rounding row by row, what a row owes a column is carried to the next;
     * the largest row comes last and takes what remains of each column.
     */
    for (size_t r = 1; r < rows; r++)
        if (row_sum[r] > row_sum[last])
            last = r;
    memcpy(rest, col_sum, cols * sizeof(*rest));
    for (size_t r = 0; r < rows; r++) {
        int64_t left = row_sum[r];

        if (r == last)
            continue;
        for (size_t c = 0; c < cols; c++) {
            double v = x[r * cols + c] > 0 ? x[r * cols + c] + carry[c] : 0;
            int64_t whole = v > 0 ? (int64_t)v : 0;

            if (whole > left)
                whole = left;
            out[r * cols + c] = whole;
            w[c] = x[r * cols + c] > 0 ? v - (double)whole : -1e9;
            left -= whole;
        }
        while (left > 0) {
            size_t best = cols;

            for (size_t c = 0; c < cols; c++)
                if (x[r * cols + c] > 0 && (best == cols || w[c] > w[best]))
                    best = c;
            if (best == cols)
                best = 0;
            out[r * cols + best]++;
            w[best] -= 1;
            left--;
        }
        for (size_t c = 0; c < cols; c++) {
            if (x[r * cols + c] > 0)
                carry[c] += x[r * cols + c] - (double)out[r * cols + c];
            rest[c] -= out[r * cols + c];
        }
    }
    for (size_t c = 0; c < cols; c++)
        out[last * cols + c] = rest[c];
    /* A column overdrawn by the others gets back from rows that hold it. */
    for (size_t c = 0; c < cols; c++)
        for (size_t r = 0; r < rows && out[last * cols + c] < 0; r++)
            while (r != last && out[r * cols + c] > 0 &&
                   out[last * cols + c] < 0) {
                size_t to = cols;

                for (size_t k = 0; k < cols; k++)
                    if (k != c && x[r * cols + k] > 0 &&
                        out[last * cols + k] > 0 &&
                        (to == cols ||
                         out[last * cols + k] > out[last * cols + to]))
                        to = k;
                if (to == cols)
                    break;
                out[r * cols + c]--;
                out[r * cols + to]++;
                out[last * cols + c]++;
                out[last * cols + to]--;
            }
    for (size_t c = 0; c < cols; c++) {
        int64_t sum = 0, off;

        for (size_t r = 0; r < rows; r++)
            sum += out[r * cols + c];
        off = sum > col_sum[c] ? sum - col_sum[c] : col_sum[c] - sum;
        if (out[last * cols + c] < 0)
            off += -out[last * cols + c];
        if (off > worst)
            worst = off;
    }
    return worst;
}
