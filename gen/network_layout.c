/* network_layout.c - boxes in rows from input to output, few crossings, long edges around the boxes: ranks by
 * the longest way to the output, order by the middle of the neighbours, then places by what pulls at a box. */
#include "network_draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BENDS_MAX   20000 /* more: long edges run straight */
#define SWEEPS      12
#define PULLS       24
#define BOX_GAP     26.0
#define BEND_GAP    12.0
#define ROW_GAP     34.0
#define MARGIN      40.0
#define TITLE_SPACE 64.0

/* ---- ranks ---- */

/* Edges lead from a lower to a higher box, so one pass backwards is enough: every box stands right above the
 * first that reads it, and what nothing reads at the bottom. */
static void rank_boxes(struct drawn *d)
{
    size_t *below = bst_calloc(d->box_count, sizeof *below); /* rows that must follow */
    size_t most = 0;
    if (below == NULL) return;
    for (size_t e = d->edge_count; e-- > 0;) { /* sorted by from */
        const struct edge *edge = &d->edges[e];
        if (below[edge->to] + 1 > below[edge->from]) below[edge->from] = below[edge->to] + 1;
        if (below[edge->from] > most) most = below[edge->from];
    }
    for (size_t i = 0; i < d->box_count; i++)
        d->boxes[i].rank = most - below[i];
    d->row_count = d->box_count > 0 ? most + 1 : 0;
    free(below);
}

/* ---- bends ---- */

/* All long edges of a box share one trunk, from which each leaves at the row above its end. */
static bool add_bends(struct drawn *d)
{
    size_t count = 0;
    for (size_t e = 0; e < d->edge_count; e++)
        count += d->boxes[d->edges[e].to].rank - d->boxes[d->edges[e].from].rank - 1;
    if (count == 0 || count > BENDS_MAX) return true;
    struct box *grown = realloc(d->boxes, (d->box_count + count) * sizeof *grown);
    if (grown == NULL) return false;
    d->boxes = grown;
    size_t trunk = 0, length = 0;
    for (size_t e = 0; e < d->edge_count; e++) {
        struct edge *edge = &d->edges[e];
        size_t from = d->boxes[edge->from].rank;
        if (e == 0 || d->edges[e - 1].from != edge->from) {
            trunk = d->box_count + d->bend_count;
            length = 0;
        }
        edge->first_bend = trunk;
        edge->bends = d->boxes[edge->to].rank - from - 1;
        for (; length < edge->bends; length++)
            d->boxes[d->box_count + d->bend_count++] =
                (struct box){.source = NOWHERE, .rank = from + 1 + length, .bend = true};
    }
    return true;
}

/* ---- neighbours ---- */

struct links { /* of every box and bend: those above and those below */
    size_t *start[2], *list[2];
};

static size_t passes(const struct edge *edge, size_t i)
{
    return i == 0 ? edge->from : i == edge->bends + 1 ? edge->to : edge->first_bend + i - 1;
}

static void links_clear(struct links *l)
{
    for (size_t way = 0; way < 2; way++) {
        free(l->start[way]);
        free(l->list[way]);
    }
}

static bool links_make(const struct drawn *d, struct links *l)
{
    size_t all = d->box_count + d->bend_count, steps = 0;
    *l = (struct links){0};
    for (size_t e = 0; e < d->edge_count; e++)
        steps += d->edges[e].bends + 1;
    for (size_t way = 0; way < 2; way++) {
        l->start[way] = bst_calloc(all + 2, sizeof(size_t));
        l->list[way] = bst_calloc(steps, sizeof(size_t));
        if (l->start[way] == NULL || l->list[way] == NULL) return false;
        for (size_t pass = 0; pass < 2; pass++) {
            for (size_t e = 0; e < d->edge_count; e++)
                for (size_t i = 0; i <= d->edges[e].bends; i++) {
                    size_t a = passes(&d->edges[e], i), b = passes(&d->edges[e], i + 1);
                    size_t at = way == 0 ? b : a, other = way == 0 ? a : b;
                    if (pass == 0)
                        l->start[way][at + 2]++;
                    else
                        l->list[way][l->start[way][at + 1]++] = other;
                }
            for (size_t i = 1; pass == 0 && i < all + 2; i++)
                l->start[way][i] += l->start[way][i - 1];
        }
    }
    return true;
}

static size_t link_count(const struct links *l, size_t way, size_t i)
{
    return l->start[way][i + 1] - l->start[way][i];
}

/* ---- order ---- */

struct keyed {
    double key;
    size_t box, place;
};

static int by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

struct rows {
    size_t *start, *box; /* boxes of every row, from left to right */
    struct keyed *keys;
};

static void order_row(struct drawn *d, struct rows *rows, const struct links *l, size_t r, size_t way)
{
    size_t n = rows->start[r + 1] - rows->start[r], *row = rows->box + rows->start[r];
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        size_t count = link_count(l, way, row[i]);
        for (size_t k = 0; k < count; k++)
            sum += (double)d->boxes[l->list[way][l->start[way][row[i]] + k]].place;
        rows->keys[i] = (struct keyed){count > 0 ? sum / (double)count : (double)i, row[i], i};
    }
    qsort(rows->keys, n, sizeof *rows->keys, by_key);
    for (size_t i = 0; i < n; i++) {
        row[i] = rows->keys[i].box;
        d->boxes[row[i]].place = i;
    }
}

static bool rows_make(struct drawn *d, struct rows *rows)
{
    size_t all = d->box_count + d->bend_count;
    rows->start = bst_calloc(d->row_count + 2, sizeof *rows->start);
    rows->box = bst_calloc(all, sizeof *rows->box);
    rows->keys = bst_calloc(all, sizeof *rows->keys);
    if (rows->start == NULL || rows->box == NULL || rows->keys == NULL) return false;
    for (size_t i = 0; i < all; i++)
        rows->start[d->boxes[i].rank + 2]++;
    for (size_t r = 1; r < d->row_count + 2; r++)
        rows->start[r] += rows->start[r - 1];
    for (size_t i = 0; i < all; i++)
        rows->box[rows->start[d->boxes[i].rank + 1]++] = i;
    for (size_t r = 0; r < d->row_count; r++)
        for (size_t i = rows->start[r]; i < rows->start[r + 1]; i++)
            d->boxes[rows->box[i]].place = i - rows->start[r];
    return true;
}

static void order_rows(struct drawn *d, struct rows *rows, const struct links *l)
{
    for (size_t sweep = 0; sweep < SWEEPS; sweep++) {
        for (size_t i = 1; i < d->row_count && sweep % 2 == 0; i++)
            order_row(d, rows, l, i, 0);
        for (size_t i = d->row_count; i-- > 1 && sweep % 2 == 1;)
            order_row(d, rows, l, i - 1, 1);
    }
}

/* ---- places ---- */

static double apart(const struct box *a, const struct box *b)
{
    double gap = a->bend || b->bend ? BEND_GAP : BOX_GAP;
    return (a->width + b->width) / 2 + gap;
}

/* How straight an edge wants to be: those of large tensors, and trunks, more than others. */
static double stiffness(const struct box *a, const struct box *b)
{
    return a->bend && b->bend ? 40.0 : a->bend || b->bend ? 1.0 : fmin(a->pull, b->pull);
}

/* Where the neighbours on both sides pull a box. */
static double wished(const struct drawn *d, const struct links *l, size_t i)
{
    double sum = 0, weight = 0;
    for (size_t way = 0; way < 2; way++)
        for (size_t k = 0; k < link_count(l, way, i); k++) {
            const struct box *other = &d->boxes[l->list[way][l->start[way][i] + k]];
            double w = stiffness(&d->boxes[i], other);
            sum += other->x * w;
            weight += w;
        }
    return weight > 0 ? sum / weight : d->boxes[i].x;
}

/* Moves a row as its boxes wish, keeping order and distance: the mean of pushing to the right and to the left. */
static void pull_row(struct drawn *d, const struct rows *rows, const struct links *l, size_t r)
{
    size_t n = rows->start[r + 1] - rows->start[r], *row = rows->box + rows->start[r];
    struct keyed *keys = rows->keys;
    for (size_t i = 0; i < n; i++)
        keys[i].key = wished(d, l, row[i]);
    double at = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        double least = i > 0 ? at + apart(&d->boxes[row[i - 1]], &d->boxes[row[i]]) : at;
        at = keys[i].key > least ? keys[i].key : least;
        d->boxes[row[i]].x = at;
    }
    at = INFINITY;
    for (size_t i = n; i-- > 0;) {
        double most = i + 1 < n ? at - apart(&d->boxes[row[i]], &d->boxes[row[i + 1]]) : at;
        at = keys[i].key < most ? keys[i].key : most;
        d->boxes[row[i]].x = (d->boxes[row[i]].x + at) / 2;
    }
}

static void place_boxes(struct drawn *d, const struct rows *rows, const struct links *l)
{
    for (size_t r = 0; r < d->row_count; r++) {
        double at = 0;
        for (size_t i = rows->start[r]; i < rows->start[r + 1]; i++) {
            struct box *box = &d->boxes[rows->box[i]];
            if (i > rows->start[r]) at += apart(&d->boxes[rows->box[i - 1]], box);
            box->x = at;
        }
        for (size_t i = rows->start[r]; i < rows->start[r + 1]; i++)
            d->boxes[rows->box[i]].x -= at / 2;
    }
    for (size_t pull = 0; pull < PULLS; pull++) {
        for (size_t r = 0; r < d->row_count && pull % 2 == 0; r++)
            pull_row(d, rows, l, r);
        for (size_t r = d->row_count; r-- > 0 && pull % 2 == 1;)
            pull_row(d, rows, l, r);
    }
}

static bool settle(struct drawn *d)
{
    size_t all = d->box_count + d->bend_count;
    double left = INFINITY, right = -INFINITY;
    d->row_y = bst_calloc(d->row_count, sizeof *d->row_y);
    d->row_height = bst_calloc(d->row_count, sizeof *d->row_height);
    if (d->row_y == NULL || d->row_height == NULL) return false;
    for (size_t i = 0; i < all; i++) {
        const struct box *box = &d->boxes[i];
        left = fmin(left, box->x - box->width / 2);
        right = fmax(right, box->x + box->width / 2);
        if (box->height > d->row_height[box->rank]) d->row_height[box->rank] = box->height;
    }
    double y = MARGIN + TITLE_SPACE;
    for (size_t r = 0; r < d->row_count; r++) {
        d->row_y[r] = y;
        y += d->row_height[r] + ROW_GAP;
    }
    for (size_t i = 0; i < all; i++) {
        struct box *box = &d->boxes[i];
        box->x += 2 * MARGIN - left;
        box->y = d->row_y[box->rank];
        if (box->bend) box->height = d->row_height[box->rank];
    }
    d->width = (all > 0 ? right - left : 0) + 4 * MARGIN;
    d->height = y + MARGIN;
    return true;
}

bool layout_place(struct drawn *d)
{
    struct links links = {0};
    struct rows rows = {0};
    rank_boxes(d);
    bool done = add_bends(d);
    for (size_t i = 0; done && i < d->box_count; i++)
        box_size(d, &d->boxes[i]);
    done = done && rows_make(d, &rows) && links_make(d, &links);
    if (done) {
        order_rows(d, &rows, &links);
        place_boxes(d, &rows, &links);
        done = settle(d);
    }
    links_clear(&links);
    free(rows.start);
    free(rows.box);
    free(rows.keys);
    return done;
}
