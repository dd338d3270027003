/* network_draw.h - a network on its way to a drawing: network_fold.c leaves out what repeats, network_layout.c
 * gives every box its place, network_svg.c writes it down. Private to gen/.
 */
#ifndef BST_NETWORK_DRAW_H
#define BST_NETWORK_DRAW_H

#include "gen.h"

#define NOWHERE SIZE_MAX

/* What stands behind each other in the order of running, times over: drawn once, in a frame. Numbers are those
 * of struct bst_network: inputs, then layers. */
struct repeat {
    size_t first, period, times;
};

struct box {
    size_t source;              /* number of the input or layer; of a chain, its last */
    size_t chain;               /* layers that were put in one box; 1: the layer itself */
    size_t rank;                /* row, from the top */
    size_t place;               /* in its row */
    bool bend;                  /* no box: where a long edge passes a row */
    double pull;                /* how much its edges want to be straight */
    double x, y, width, height; /* middle of the upper side, size */
};

struct edge {
    size_t from, to;          /* boxes */
    size_t first_bend, bends; /* boxes that it passes, from top to bottom */
};

struct drawn {
    const struct bst_network *network;
    size_t repeat_count;
    struct repeat *repeats;
    size_t box_count, bend_count;
    struct box *boxes; /* boxes, then bends */
    size_t edge_count;
    struct edge *edges;
    size_t row_count;
    double *row_y, *row_height;
    double width, height;
};

static inline const struct bst_layer *layer_at(const struct bst_network *network, size_t number)
{
    return number < network->input_count ? &network->inputs[number]
                                         : &network->layers[number - network->input_count];
}

/* Finds repeats; stands_for (one for each input and layer) is the one that is drawn in its place. */
bool fold_repeats(const struct bst_network *network, size_t *stands_for, struct repeat **repeats,
                  size_t *count);
/* Ranks, order and coordinates. */
bool layout_place(struct drawn *drawn);
/* Width and height that a box needs for its words. */
void box_size(const struct drawn *drawn, struct box *box);

#endif
