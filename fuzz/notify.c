/*
 * Fuzz target: a file of channels and, behind a line of dashes, an address and
 * a receipt.  What is read makes bodies whose head holds no line of the
 * address's making.
 */
#include <stdlib.h>
#include <string.h>

#include "base/test_heap.h"
#include "core/notify/notify.h"
#include "features/notify/spool.h"
#include "kit/yaml/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void body_of(const struct puan_notify_channel *c, struct puan_str to,
                    struct puan_arena *a)
{
    const struct puan_notify_words w = { .id = 1, .kind = PUAN_NOTIFY_CALL,
                                         .zh = to, .en = to, .number = to,
                                         .level = to, .due_ms = 1,
                                         .link = PUAN_STR("https://x") };
    struct puan_out o;
    struct puan_str s;
    const char *head;

    puan_out_init(&o, a);
    puan_notify_body(&o, c, &w, to, 0, false);
    s = puan_out_view(&o);
    if (c->form != PUAN_NOTIFY_MAIL || a->failed)
        return;
    head = memmem(s.p, s.n, "\n\n", 2);
    if (head == NULL || memmem(s.p, s.n, "\nTo: <", 6) > (const void *)head)
        abort();
    /* one address, one sender: no line came in with them */
    for (const char *p = s.p; p < head; p++)
        if (*p == '\n' && strncmp(p, "\nBcc", 4) == 0)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_str text = { (const char *)data, size }, to = { "", 0 };
    struct puan_notify_channels c;
    struct puan_node *tree = NULL;
    struct puan_err err = { 0 };
    struct puan_arena a;

    for (size_t i = 0; i + 5 <= size; i++)
        if (memcmp(data + i, "\n---\n", 5) == 0) {
            to = (struct puan_str){ text.p + i + 5, size - i - 5 };
            text.n = i;
            break;
        }
    puan_arena_init(&a, &puan_test_heap);
    a.limit = 16u << 20;
    (void)puan_receipt_read(to);
    (void)puan_receipt_token(to);
    if (puan_yaml_tree(&tree, text, "fuzz", &a, &err) != PUAN_OK ||
        puan_notify_read(&c, tree, &a, &err) != PUAN_OK)
        goto out;
    for (size_t i = 0; i < c.n; i++) {
        int64_t last = 0;

        if (c.channel[i].command[0] == NULL ||
            c.channel[i].command[0][0] != '/')
            abort();
        for (int k = 1; k < c.channel[i].tries; k++) {
            int64_t w = puan_notify_wait(&c.channel[i], k);

            if (w < last || w > c.channel[i].longest_ms)
                abort();
            last = w;
        }
        if (puan_notify_wait(&c.channel[i], c.channel[i].tries) != -1)
            abort();
        if (puan_utf8_valid(to) &&
            puan_notify_address(&c.channel[i], to, NULL) == PUAN_OK)
            body_of(&c.channel[i], to, &a);
    }
out:
    puan_arena_clear(&a);
    return 0;
}
