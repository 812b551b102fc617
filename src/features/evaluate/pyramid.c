/* Population pyramids as SVG. */
#include "features/evaluate/pyramid.h"

#include <math.h>
#include <stdio.h>

#define WIDTH 720.0
#define TOP 56.0
#define BOTTOM 64.0
#define MIDDLE 44.0 /* room for the ages between the sides */
#define EDGE 16.0

/* Bars of one side, in per mille of the whole population. */
struct bars {
    double side[2][PUAN_AGES + 1];
    unsigned n;     /* closed bars; one more above them when `open` */
    unsigned years; /* of a bar */
    bool open;
};

/* puan_out_fmt knows no real numbers. */
static void real(struct puan_out *o, double v)
{
    char text[32];
    int n = snprintf(text, sizeof(text), "%.2f", v);

    puan_out_bytes(o, text, n > 0 ? (size_t)n : 0);
}

static void attribute(struct puan_out *o, const char *name, double v)
{
    puan_out_char(o, ' ');
    puan_out_text(o, name);
    puan_out_text(o, "=\"");
    real(o, v);
    puan_out_char(o, '"');
}

static void escaped(struct puan_out *o, struct puan_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '&':
            puan_out_text(o, "&amp;");
            break;
        case '<':
            puan_out_text(o, "&lt;");
            break;
        case '>':
            puan_out_text(o, "&gt;");
            break;
        case '"':
            puan_out_text(o, "&quot;");
            break;
        default:
            puan_out_char(o, s.p[i]);
        }
    }
}

static struct bars bars_of(const struct puan_age_area *a,
                           const struct puan_age_data *d, bool fives)
{
    struct bars b = { .years = d->single && !fives ? 1 : 5 };
    double all = a->all[0] + a->all[1];

    b.n = b.years == 1 ? d->closed : d->closed_five;
    while (b.n > 0) { /* nobody lives above the last bar */
        unsigned x = b.n - 1;
        double v = b.years == 1 ? a->single[0][x] + a->single[1][x]
                                : a->five[0][x] + a->five[1][x];

        if (v > 0 || a->open[0] + a->open[1] > 0)
            break;
        b.n--;
    }
    b.open = a->open[0] + a->open[1] > 0;
    for (int s = 0; s < 2 && all > 0; s++) {
        for (unsigned x = 0; x < b.n; x++)
            b.side[s][x] =
                1000 * (b.years == 1 ? a->single[s][x] : a->five[s][x]) / all;
        if (b.open)
            b.side[s][b.n] = 1000 * a->open[s] / all;
    }
    return b;
}

/* A round number at or above v: 1 2 5 10 … */
static double round_up(double v)
{
    double unit = pow(10, floor(log10(v > 0 ? v : 1)));

    for (unsigned i = 0; i < 4; i++) {
        static const double step[4] = { 1, 2, 5, 10 };

        if (unit * step[i] >= v)
            return unit * step[i];
    }
    return unit * 10;
}

struct frame {
    double scale, bar, height, left, right; /* left, right: where sides begin */
    double most;
};

static void axis(struct puan_out *o, const struct frame *f,
                 const struct bars *b, bool zh)
{
    double floor_y = TOP + f->height;
    double step = round_up(f->most / 4);
    unsigned rows = b->n + b->open;

    for (unsigned k = 0; k * step <= f->most + 1e-9; k++)
        for (int s = 0; s < 2; s++) {
            double v = k * step;
            double x =
                s == 0 ? f->left - v * f->scale : f->right + v * f->scale;

            puan_out_text(o, "<line class=\"g\"");
            attribute(o, "x1", x);
            attribute(o, "x2", x);
            attribute(o, "y1", TOP);
            attribute(o, "y2", floor_y);
            puan_out_text(o, "/><text class=\"t\" text-anchor=\"middle\"");
            attribute(o, "x", x);
            attribute(o, "y", floor_y + 16);
            puan_out_text(o, ">");
            {
                char text[32];
                int n = snprintf(text, sizeof(text), "%g", v);

                puan_out_bytes(o, text, n > 0 ? (size_t)n : 0);
            }
            puan_out_text(o, "</text>\n");
        }
    /* every tenth year, every second group */
    for (unsigned x = 0; x < rows; x += b->years == 1 ? 10 : 2) {
        puan_out_text(o, "<text class=\"t\" text-anchor=\"middle\"");
        attribute(o, "x", (f->left + f->right) / 2);
        attribute(o, "y", floor_y - (x + 0.5) * f->bar + 4);
        puan_out_char(o, '>');
        puan_out_int(o, (int64_t)x * b->years);
        if (x == b->n)
            puan_out_char(o, '+');
        else if (b->years > 1) {
            puan_out_text(o, "–");
            puan_out_int(o, (int64_t)(x + 1) * b->years - 1);
        }
        puan_out_text(o, "</text>\n");
    }
    puan_out_text(o, "<text class=\"t\" text-anchor=\"middle\"");
    attribute(o, "x", WIDTH / 2);
    attribute(o, "y", floor_y + 34);
    puan_out_text(o, zh ? ">占总人口的千分比（‰）</text>\n"
                        : ">per mille of the population</text>\n");
}

static void outline(struct puan_out *o, const struct frame *f,
                    const struct bars *b)
{
    double floor_y = TOP + f->height;
    unsigned rows = b->n + b->open;

    for (int s = 0; s < 2; s++) {
        puan_out_text(o, "<path class=\"o\" d=\"M");
        real(o, s == 0 ? f->left : f->right);
        puan_out_char(o, ' ');
        real(o, floor_y);
        for (unsigned x = 0; x < rows; x++) {
            puan_out_text(o, " H");
            real(o, s == 0 ? f->left - b->side[0][x] * f->scale
                           : f->right + b->side[1][x] * f->scale);
            puan_out_text(o, " V");
            real(o, floor_y - (x + 1) * f->bar);
        }
        puan_out_text(o, " H");
        real(o, s == 0 ? f->left : f->right);
        puan_out_text(o, "\"/>\n");
    }
}

static void heading(struct puan_out *o, const struct puan_pyramid *p,
                    const struct frame *f)
{
    puan_out_text(o, "<text class=\"h\" text-anchor=\"middle\"");
    attribute(o, "x", WIDTH / 2);
    attribute(o, "y", 24);
    puan_out_char(o, '>');
    escaped(o, p->title);
    puan_out_text(o, "</text>\n<text class=\"s\"");
    attribute(o, "x", EDGE);
    attribute(o, "y", TOP - 10);
    puan_out_text(o, p->zh ? ">男</text>\n" : ">Men</text>\n");
    puan_out_text(o, "<text class=\"s\" text-anchor=\"end\"");
    attribute(o, "x", WIDTH - EDGE);
    attribute(o, "y", TOP - 10);
    puan_out_text(o, p->zh ? ">女</text>\n" : ">Women</text>\n");
    if (p->against) {
        puan_out_text(o, "<text class=\"t\" text-anchor=\"middle\"");
        attribute(o, "x", WIDTH / 2);
        attribute(o, "y", TOP - 10);
        puan_out_text(o, p->zh ? ">轮廓线：" : ">Outline: ");
        escaped(o, p->against_title);
        puan_out_text(o, "</text>\n");
    }
    if (p->note.n) {
        puan_out_text(o, "<text class=\"t\" text-anchor=\"middle\"");
        attribute(o, "x", WIDTH / 2);
        attribute(o, "y", TOP + f->height + 52);
        puan_out_char(o, '>');
        escaped(o, p->note);
        puan_out_text(o, "</text>\n");
    }
}

void puan_pyramid_svg(struct puan_out *o, const struct puan_pyramid *p,
                      const struct puan_age_area *a,
                      const struct puan_age_data *d)
{
    struct bars b = bars_of(a, d, p->fives), other = { .n = 0 };
    unsigned rows = b.n + b.open;
    struct frame f = { .bar = b.years == 1 ? 5 : 20 };
    double most = 0, top;

    if (p->against)
        other = bars_of(p->against, d, p->fives);
    if (other.n + other.open > rows)
        rows = other.n + other.open;
    for (int s = 0; s < 2; s++)
        for (unsigned x = 0; x <= PUAN_AGES; x++) {
            most = b.side[s][x] > most ? b.side[s][x] : most;
            most = other.side[s][x] > most ? other.side[s][x] : most;
        }
    f.height = rows * f.bar;
    f.most = most > 0 ? most : 1;
    f.left = WIDTH / 2 - MIDDLE / 2;
    f.right = WIDTH / 2 + MIDDLE / 2;
    f.scale = (f.left - EDGE) / f.most;
    top = TOP + f.height + BOTTOM;
    puan_out_text(o, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"");
    attribute(o, "width", WIDTH);
    attribute(o, "height", top);
    puan_out_text(o, " viewBox=\"0 0 ");
    real(o, WIDTH);
    puan_out_char(o, ' ');
    real(o, top);
    puan_out_text(o, "\">\n<title>");
    escaped(o, p->title);
    puan_out_text(
        o,
        "</title>\n<style>text{font-family:\"Noto Sans CJK SC\",\"Source Han "
        "Sans SC\",\"Microsoft YaHei\",sans-serif;fill:#222}"
        ".h{font-size:18px;font-weight:bold}.s{font-size:14px}"
        ".t{font-size:11px;fill:#555}.g{stroke:#ddd}"
        ".m{fill:#3f6fa8}.f{fill:#b5543f}"
        ".o{fill:none;stroke:#111;stroke-width:1.2}</style>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
    axis(o, &f, &b, p->zh);
    for (unsigned x = 0; x < b.n + b.open; x++)
        for (int s = 0; s < 2; s++) {
            double w = b.side[s][x] * f.scale;

            puan_out_text(o,
                          s == 0 ? "<rect class=\"m\"" : "<rect class=\"f\"");
            attribute(o, "x", s == 0 ? f.left - w : f.right);
            attribute(o, "y", TOP + f.height - (x + 1) * f.bar);
            attribute(o, "width", w);
            attribute(o, "height", f.bar - (b.years == 1 ? 0.5 : 1));
            puan_out_text(o, "><title>");
            puan_out_int(o, (int64_t)x * b.years);
            puan_out_text(o, x == b.n ? "+: " : ": ");
            {
                double v = x == b.n       ? a->open[s]
                           : b.years == 1 ? a->single[s][x]
                                          : a->five[s][x];
                char text[40];
                int n = snprintf(text, sizeof(text), "%.0f", v);

                puan_out_bytes(o, text, n > 0 ? (size_t)n : 0);
            }
            puan_out_text(o, "</title></rect>\n");
        }
    if (p->against)
        outline(o, &f, &other);
    heading(o, p, &f);
    puan_out_text(o, "</svg>\n");
}
