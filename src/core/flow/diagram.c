/*
 * A flow drawn as SVG; see look.h.  Layers run downward, so that the same
 * drawing serves a phone; states of one layer stand side by side.  All
 * coordinates are whole numbers and follow from the definition alone: a case
 * keeps its picture while it moves through it.
 */
#include "core/flow/internal.h"

enum {
    BOX_W = 136,
    BOX_H = 44,
    GAP_X = 28,
    GAP_Y = 52,
    LANE = 16,  /* between edges that pass beside the boxes */
    MARGIN = 12,
    LINE = 20   /* of text */
};

struct edge {
    int from, to;
    int first;   /* transition, for its name */
    int n;       /* how many transitions it stands for */
    bool past;   /* one of them was taken */
    bool next;   /* leaves the present state */
    bool open;   /* one of them is not locked */
    int mark;    /* number of its lock in the legend; 0 none */
};

struct drawing {
    struct puan_out *o;
    const struct puan_flow *f;
    const struct puan_flow_run *run; /* may be NULL */
    bool zh;
    int layer[PUAN_FLOW_MAX], column[PUAN_FLOW_MAX];
    int in_layer[PUAN_FLOW_MAX], layers, columns;
    struct edge *edge;
    size_t n_edges;
    int left, right; /* lanes in use on either side */
    int width, height;
};

/* ---- layout ------------------------------------------------------------- */

/* Shortest way from the first state; ends stand below all that is active. */
static void layers(struct drawing *d)
{
    const struct puan_flow *f = d->f;
    bool moved = true;
    int deepest = 0;

    for (size_t i = 0; i < f->n_states; i++)
        d->layer[i] = -1;
    d->layer[f->initial] = 0;
    while (moved) {
        moved = false;
        for (size_t i = 0; i < f->n_transitions; i++) {
            const struct puan_flow_transition *t = &f->transitions[i];

            if (t->to < 0 || PUAN_FLOW_HAS(f->terminal, t->to))
                continue;
            for (size_t s = 0; s < f->n_states; s++) {
                int to = d->layer[s] + 1;

                if (!PUAN_FLOW_HAS(t->from, s) || d->layer[s] < 0 ||
                    (d->layer[t->to] >= 0 && d->layer[t->to] <= to))
                    continue;
                d->layer[t->to] = to;
                moved = true;
            }
        }
    }
    for (size_t i = 0; i < f->n_states; i++)
        if (d->layer[i] > deepest)
            deepest = d->layer[i];
    for (size_t i = 0; i < f->n_states; i++) {
        if (d->layer[i] < 0)
            d->layer[i] = deepest + 1;
        d->column[i] = d->in_layer[d->layer[i]]++;
        if (d->column[i] + 1 > d->columns)
            d->columns = d->column[i] + 1;
        if (d->layer[i] + 1 > d->layers)
            d->layers = d->layer[i] + 1;
    }
}

static int mid_x(const struct drawing *d, int s)
{
    int n = d->in_layer[d->layer[s]];
    int row = n * BOX_W + (n - 1) * GAP_X;
    int all = d->columns * BOX_W + (d->columns - 1) * GAP_X;

    return MARGIN + d->left * LANE + (all - row) / 2 +
           d->column[s] * (BOX_W + GAP_X) + BOX_W / 2;
}

static int top_y(const struct drawing *d, int s)
{
    return MARGIN + d->layer[s] * (BOX_H + GAP_Y);
}

static struct edge *edge_of(struct drawing *d, int from, int to)
{
    for (size_t i = 0; i < d->n_edges; i++)
        if (d->edge[i].from == from && d->edge[i].to == to)
            return &d->edge[i];
    d->edge[d->n_edges] = (struct edge){ .from = from, .to = to, .first = -1 };
    return &d->edge[d->n_edges++];
}

/* ---- text ----------------------------------------------------------------- */

static struct puan_str word(const struct drawing *d,
                            const struct puan_flow_label *l)
{
    return d->zh ? l->zh : l->en;
}

/* Half widths of a letter: 1 for Latin, 2 for what is as wide as high. */
static int wide(int32_t c)
{
    return c >= 0x2e80 ? 2 : 1;
}

/* Cuts off what fits into `room` half widths, at a space where there is one. */
static struct puan_str line_of(struct puan_str *rest, int room)
{
    struct puan_str s = *rest, all = *rest;
    size_t space = 0;
    int w = 0;

    while (s.n > 0) {
        size_t at = all.n - s.n;
        int32_t c = puan_utf8_next(&s);

        w += wide(c);
        if (w > room) {
            size_t cut = space > 0 ? space : at;

            *rest = (struct puan_str){ all.p + cut, all.n - cut };
            *rest = puan_str_trim(*rest);
            return (struct puan_str){ all.p, cut };
        }
        if (c == ' ')
            space = at;
    }
    *rest = (struct puan_str){ all.p + all.n, 0 };
    return all;
}

static void text_at(struct drawing *d, int x, int y, const char *anchor,
                    const char *cls, struct puan_str s)
{
    puan_out_fmt(d->o,
                 "<text class=\"%s\" x=\"%d\" y=\"%d\" text-anchor=\"%s\" "
                 "fill=\"currentColor\">",
                 cls, x, y, anchor);
    puan_out_markup(d->o, s);
    puan_out_text(d->o, "</text>");
}

/* ---- drawing ---------------------------------------------------------------- */

static bool is_now(const struct drawing *d, int s)
{
    return d->run != NULL && d->run->opened && d->run->state == s;
}

/* Was the run ever in this state?  It began in the first. */
static bool was_in(const struct drawing *d, int s)
{
    if (d->run == NULL || !d->run->opened)
        return false;
    if (s == d->f->initial || s == d->run->state)
        return true;
    for (size_t i = 0; i < d->f->n_transitions; i++)
        if (d->f->transitions[i].to == s && d->run->passed[i] > 0)
            return true;
    return false;
}

static void box(struct drawing *d, int s)
{
    const struct puan_flow *f = d->f;
    bool now = is_now(d, s), past = !now && was_in(d, s);
    bool end = PUAN_FLOW_HAS(f->terminal, s);
    int x = mid_x(d, s) - BOX_W / 2, y = top_y(d, s);
    struct puan_str rest = word(d, &f->states[s]), one, two;

    puan_out_fmt(d->o,
                 "<g class=\"pf-state%s\"><rect x=\"%d\" y=\"%d\" "
                 "width=\"%d\" height=\"%d\" rx=\"%d\" fill=\"%s\" "
                 "fill-opacity=\"%s\" stroke=\"currentColor\" "
                 "stroke-width=\"%d\"/>",
                 now    ? " pf-now"
                 : past ? " pf-past"
                        : " pf-far",
                 x, y, BOX_W, BOX_H, end ? BOX_H / 2 : 4,
                 now ? "currentColor" : "none", now ? "0.14" : "1",
                 now || past ? 3 : 1);
    one = line_of(&rest, 17);
    two = line_of(&rest, 17);
    if (two.n == 0) {
        text_at(d, x + BOX_W / 2, y + BOX_H / 2 + 5, "middle", "pf-name", one);
    } else {
        text_at(d, x + BOX_W / 2, y + BOX_H / 2 - 3, "middle", "pf-name", one);
        text_at(d, x + BOX_W / 2, y + BOX_H / 2 + 14, "middle", "pf-name", two);
    }
    puan_out_text(d->o, "</g>");
}

static void edge(struct drawing *d, const struct edge *e, int *left, int *right)
{
    const struct puan_flow *f = d->f;
    int x1 = mid_x(d, e->from), y1 = top_y(d, e->from);
    int x2 = mid_x(d, e->to), y2 = top_y(d, e->to);
    int span = d->layer[e->to] - d->layer[e->from];
    int lx, ly; /* of its name */
    const char *anchor = "start";
    struct puan_str name = word(d, &f->transitions[e->first].label), rest;

    puan_out_fmt(d->o, "<g class=\"pf-edge%s%s\"><path fill=\"none\" "
                       "stroke=\"currentColor\" stroke-width=\"%d\"%s "
                       "marker-end=\"url(#pf-arrow)\" d=\"",
                 e->past   ? " pf-past"
                 : e->next ? " pf-next"
                           : " pf-far",
                 e->mark ? " pf-locked" : "", e->past ? 3 : 1,
                 e->past || e->next ? "" : " stroke-dasharray=\"2 4\"");
    if (span == 1) {
        y1 += BOX_H;
        puan_out_fmt(d->o, "M%d %dC%d %d %d %d %d %d", x1, y1, x1,
                     (y1 + y2) / 2, x2, (y1 + y2) / 2, x2, y2 - 2);
        /* the name beside the line: outside of its bend, above its run */
        lx = x1 == x2 ? x1 + 8 : x2 > x1 ? (x1 + x2) / 2 + 4 : (x1 + x2) / 2 - 4;
        ly = x1 == x2 ? (y1 + y2) / 2 + 4 : (y1 + y2) / 2 - 7;
        if (x2 < x1)
            anchor = "end";
    } else if (span == 0) {
        int side = x2 > x1 ? 1 : -1;
        int y = y1 + BOX_H / 2;

        puan_out_fmt(d->o, "M%d %dL%d %d", x1 + side * BOX_W / 2, y,
                     x2 - side * (BOX_W / 2 + 2), y);
        lx = (x1 + x2) / 2;
        ly = y - 6;
        anchor = "middle";
    } else {
        /* beside the boxes: down on the right, back on the left */
        int side = span > 0 ? 1 : -1;
        int edge_x = span > 0 ? d->width - MARGIN - LANE * (*right)++
                              : MARGIN + LANE * (*left)++;
        int y = y1 + BOX_H / 2, to = y2 + BOX_H / 2;
        bool beside = span < 0 || d->column[e->to] + 1 ==
                                      d->in_layer[d->layer[e->to]];

        /* not through a neighbour: from below, then */
        if (!beside)
            to = y2 + BOX_H + LANE;
        puan_out_fmt(d->o, "M%d %dH%d", x1 + side * BOX_W / 2, y,
                     edge_x - side * 8);
        puan_out_fmt(d->o, "Q%d %d %d %dV%d", edge_x, y, edge_x,
                     y + (span > 0 ? 8 : -8), to - (span > 0 ? 8 : -8));
        puan_out_fmt(d->o, "Q%d %d %d %d", edge_x, to, edge_x - side * 8, to);
        if (beside)
            puan_out_fmt(d->o, "H%d", x2 + side * (BOX_W / 2 + 2));
        else
            puan_out_fmt(d->o, "H%dQ%d %d %d %dV%d", x2 + 8, x2, to, x2,
                         to - 6, y2 + BOX_H + 2);
        lx = x1 + side * (BOX_W / 2 + 4);
        ly = y - 4;
        anchor = side > 0 ? "start" : "end";
    }
    puan_out_text(d->o, "\"/>");
    /* names where they help: at the ways out of where it is, and at the past */
    if (e->next || e->past || d->run == NULL) {
        rest = name;
        name = line_of(&rest, 16);
        puan_out_fmt(d->o,
                     "<text class=\"pf-act\" x=\"%d\" y=\"%d\" "
                     "text-anchor=\"%s\" fill=\"currentColor\">",
                     lx, ly, anchor);
        puan_out_markup(d->o, name);
        if (rest.n > 0)
            puan_out_text(d->o, "…");
        if (e->n > 1)
            puan_out_fmt(d->o, d->zh ? "等%d项" : " +%d",
                         d->zh ? e->n : e->n - 1);
        puan_out_text(d->o, "</text>");
    }
    if (e->mark > 0) {
        int cx = span == 1   ? (x1 + x2) / 2
                 : span == 0 ? lx
                             : x1 + (span > 0 ? 1 : -1) * (BOX_W / 2 + 14);
        int cy = span == 1   ? (y1 + y2) / 2
                 : span == 0 ? ly + 16
                             : ly + 14;

        puan_out_fmt(d->o,
                     "<g class=\"pf-lock\" fill=\"none\" "
                     "stroke=\"currentColor\" stroke-width=\"1\"><circle "
                     "class=\"pf-lockdisc\" cx=\"%d\" cy=\"%d\" r=\"9\"/>"
                     "<path d=\"M%d %dv-2a3 3 0 0 1 6 0v2\"/><rect x=\"%d\" "
                     "y=\"%d\" width=\"8\" height=\"6\" "
                     "fill=\"currentColor\"/></g>",
                     cx, cy, cx - 3, cy - 1, cx - 4, cy - 1);
    }
    puan_out_text(d->o, "</g>");
}

/* ---- locks in words ------------------------------------------------------- */

void puan_flow_lock_words(struct puan_out *o, const struct puan_flow *f,
                          const struct puan_flow_lock *l,
                          struct puan_str when,
                          const struct puan_str *none_open,
                          const struct puan_flow_world *w, bool zh)
{
    const struct puan_flow_label *of = NULL;

    switch (l->kind) {
    case PUAN_FLOW_LOCK_STATE:
        puan_out_text(o, zh ? "当前状态不办理此事"
                            : "It does not belong to the present state");
        return;
    case PUAN_FLOW_LOCK_GUARD:
        puan_out_text(o, zh ? "条件未满足：" : "Condition not met: ");
        puan_flow_words(o, f, when, zh);
        return;
    case PUAN_FLOW_LOCK_UNKNOWN:
        puan_out_text(o, zh ? "条件尚不能判定：" : "Not known yet: ");
        puan_flow_words(o, f, when, zh);
        return;
    case PUAN_FLOW_LOCK_STEP:
        of = &f->steps[l->index].label;
        puan_out_text(o, zh ? "先完成：" : "First: ");
        break;
    case PUAN_FLOW_LOCK_APPROVAL:
        of = &f->approvals[l->index].label;
        puan_out_text(o, zh ? "缺少批准：" : "Approval missing: ");
        break;
    case PUAN_FLOW_LOCK_ORDER:
        puan_out_text(o, zh ? "待命令" : "Waits for an order");
        return;
    case PUAN_FLOW_LOCK_CLOCK:
        of = &f->clocks[l->index].label;
        puan_out_text(o, zh ? "到时自动开放：" : "Opens when due: ");
        break;
    case PUAN_FLOW_LOCK_OPEN:
        puan_out_text(o, zh ? "尚有未结：" : "Still open: ");
        if (none_open != NULL) {
            if (puan_str_is(none_open[l->index], "estimate"))
                puan_out_text(o, zh ? "推算数" : "estimates");
            else
                puan_out_str(o, none_open[l->index]);
        }
        return;
    case PUAN_FLOW_LOCK_BLOCK:
        puan_out_text(o, zh ? "关联事项未结：" : "Another case is open: ");
        if (w != NULL && (size_t)l->index < w->n_blockers)
            puan_out_str(o, w->blockers[l->index]);
        return;
    }
    if (of != NULL)
        puan_out_str(o, zh ? of->zh : of->en);
}

/* ---- the whole ------------------------------------------------------------ */

static void edges(struct drawing *d)
{
    const struct puan_flow *f = d->f;

    for (size_t i = 0; i < f->n_transitions; i++) {
        const struct puan_flow_transition *t = &f->transitions[i];

        for (size_t s = 0; t->to >= 0 && s < f->n_states; s++) {
            struct edge *e;

            if (!PUAN_FLOW_HAS(t->from, s) || (int)s == t->to)
                continue;
            e = edge_of(d, (int)s, t->to);
            if (e->n++ == 0)
                e->first = (int)i;
            e->next = e->next || is_now(d, (int)s);
            /* the way it came: the last time it was taken leads to where the
             * run is or to a state it has left since */
            if (d->run != NULL && d->run->passed[i] > 0 &&
                was_in(d, (int)s) && !is_now(d, (int)s)) {
                e->past = true;
                e->first = (int)i;
            }
        }
    }
}

static void legend(struct drawing *d, int64_t at_ms,
                   const struct puan_flow_world *w, struct puan_out *lines,
                   int *n_lines)
{
    const struct puan_flow *f = d->f;
    struct puan_out *o = d->o;
    int mark = 0;

    if (d->run == NULL || puan_flow_over(d->run))
        return;
    for (size_t i = 0; i < d->n_edges; i++) {
        struct edge *e = &d->edge[i];
        struct puan_flow_lock lock[PUAN_FLOW_LOCKS];
        struct puan_str rest;
        struct puan_out text;
        bool first = true;

        size_t least = PUAN_FLOW_LOCKS + 1;

        /* of several ways the one that least stands in */
        for (size_t t = 0; e->next && t < f->n_transitions; t++) {
            size_t n;

            if (f->transitions[t].to != e->to ||
                !PUAN_FLOW_HAS(f->transitions[t].from, e->from))
                continue;
            n = puan_flow_act_locks(lock, d->run, (int)t, at_ms, w);
            if (n < least) {
                least = n;
                e->first = (int)t;
            }
            e->open = e->open || n == 0;
        }
        if (!e->next || e->open)
            continue;
        e->mark = ++mark;
        puan_out_init(&text, o->arena);
        puan_out_str(&text, word(d, &f->transitions[e->first].label));
        puan_out_text(&text, d->zh ? "：" : ": ");
        for (size_t k = 0,
                    n = puan_flow_act_locks(lock, d->run, e->first, at_ms, w);
             k < n; k++) {
            if (!first)
                puan_out_text(&text, d->zh ? "；" : "; ");
            first = false;
            puan_flow_lock_words(&text, f, &lock[k],
                                 f->transitions[e->first].when_text,
                                 f->transitions[e->first].none_open, w, d->zh);
        }
        rest = puan_out_view(&text);
        first = true;
        while (rest.n > 0) {
            struct puan_str s = line_of(&rest, (d->width - 40) / 7);

            *n_lines += 1;
            puan_out_fmt(lines,
                         "<text class=\"pf-why\" x=\"%d\" y=\"%d\" "
                         "fill=\"currentColor\">",
                         first ? MARGIN : MARGIN + 20,
                         d->height + *n_lines * LINE);
            if (first)
                puan_out_text(lines, d->zh ? "未开放 " : "Locked ");
            puan_out_markup(lines, s);
            puan_out_text(lines, "</text>");
            first = false;
        }
    }
}

void puan_flow_svg(struct puan_out *o, const struct puan_flow *f,
                   const struct puan_flow_run *run, int64_t at_ms,
                   const struct puan_flow_world *w, bool zh,
                   struct puan_arena *a)
{
    struct drawing *d = puan_new(a, struct drawing);
    struct puan_out lines;
    int n_lines = 0, left = 0, right = 0;

    if (d == NULL)
        return;
    d->o = o;
    d->f = f;
    d->run = run;
    d->zh = zh;
    d->edge = puan_new_n(a, f->n_states * f->n_states + 1, struct edge);
    if (d->edge == NULL)
        return;
    layers(d);
    edges(d);
    for (size_t i = 0; i < d->n_edges; i++) {
        int span = d->layer[d->edge[i].to] - d->layer[d->edge[i].from];

        d->left += span < 0;
        d->right += span > 1;
    }
    d->width = 2 * MARGIN + (d->left + d->right) * LANE + d->columns * BOX_W +
               (d->columns - 1) * GAP_X;
    d->height = 2 * MARGIN + d->layers * BOX_H + (d->layers - 1) * GAP_Y +
                (d->right > 0 ? LANE : 0);
    puan_out_init(&lines, a);
    legend(d, at_ms, w, &lines, &n_lines);

    puan_out_fmt(o,
                 "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"pf\" "
                 "role=\"img\" viewBox=\"0 0 %d %d\" font-size=\"14\" "
                 "lang=\"%s\"><title>",
                 d->width,
                 d->height + (n_lines > 0 ? n_lines * LINE + MARGIN : 0),
                 zh ? "zh" : "en");
    puan_out_markup(o, word(d, &f->label));
    if (run != NULL && run->opened) {
        puan_out_text(o, zh ? "：" : ": ");
        puan_out_markup(o, word(d, &f->states[run->state]));
    }
    puan_out_text(o, "</title><defs><marker id=\"pf-arrow\" viewBox=\"0 0 8 8\" "
                     "refX=\"7\" refY=\"4\" markerWidth=\"8\" "
                     "markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" "
                     "orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" "
                     "fill=\"context-stroke\"/></marker></defs>");
    for (size_t i = 0; i < d->n_edges; i++)
        edge(d, &d->edge[i], &left, &right);
    for (size_t i = 0; i < f->n_states; i++)
        box(d, (int)i);
    puan_out_str(o, puan_out_view(&lines));
    puan_out_text(o, "</svg>\n");
}
