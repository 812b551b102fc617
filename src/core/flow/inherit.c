/*
 * What a new run takes over from the run that opens it.
 */
#include "core/flow/flow.h"

const struct puan_node *puan_flow_inherit(const struct puan_flow *to,
                                          const struct puan_flow_run *from,
                                          struct puan_arena *a)
{
    struct puan_node *map = puan_new(a, struct puan_node), **tail;

    if (map == NULL)
        return NULL;
    map->kind = PUAN_NODE_MAP;
    map->file = "opened";
    tail = &map->first;
    for (size_t i = 0; i < to->n_fields; i++) {
        const struct puan_flow_field *f = &to->fields[i];
        int k = puan_flow_field(from->flow, f->label.name);
        const struct puan_flow_value *v;
        struct puan_node *n;
        char text[32];

        if (k < 0 || !PUAN_FLOW_HAS(to->open_needs | to->open_may, i) ||
            from->flow->fields[k].type != f->type || !from->field[k].set)
            continue;
        v = &from->field[k];
        n = puan_new(a, struct puan_node);
        if (n == NULL)
            return NULL;
        n->kind = PUAN_NODE_SCALAR;
        n->quoted = true;
        n->file = map->file;
        n->key = f->label.name;
        if (v->text.p != NULL) {
            n->text = v->text;
        } else if (f->type == PUAN_FLOW_ENUM || f->type == PUAN_FLOW_BOOL) {
            n->text = from->flow->fields[k].words->codes[v->v].text;
        } else if (f->type == PUAN_FLOW_TIME) {
            puan_instant_text(text, v->v, 0);
            n->text = puan_str_of(puan_arena_dup(a, puan_str_of(text)));
        } else {
            n->quoted = false;
            n->text =
                puan_str_of(puan_arena_fmt(a, "%lld", (long long)v->v));
        }
        *tail = n;
        tail = &n->next;
        map->n++;
    }
    return map;
}
