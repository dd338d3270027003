/* op_conv.h - what Conv and ConvTranspose share: their attributes, and how a convolution over one to three
 * sides is run as convolutions over planes.
 *
 * Sides are counted as depth, row and column; what an operator has fewer of is 1. Each slice of the output's
 * depth is a convolution over planes of its own, whose input channels are the pairs (input channel, kernel
 * slice) in this order: so the sum of an output runs over channel, depth, row and column. Slices that take
 * the same kernel slices share their packed weights. Private to gen/.
 */
#ifndef BST_OP_CONV_H
#define BST_OP_CONV_H

#include "kernel_conv.h"
#include "kernel_plane.h"
#include "kernel_winograd.h"
#include "kernel_winograd_transpose.h"

#define SIDES            ((size_t)3)
#define CONV_SIDE_MAX    1024 /* of kernels, dilations, paddings */
#define CONV_STRIDE_MAX  64
#define CONV_STRIDES_MAX 4096 /* product of a ConvTranspose's strides: it is run in that many parts */

struct window { /* attributes of both */
    size_t sides;
    int64_t in[SIDES], kernel[SIDES], stride[SIDES], dilation[SIDES];
    int64_t begin[SIDES], end[SIDES]; /* padding */
    int64_t group;
    const char *auto_pad;
};

/* Output slices first, first + step, ... of the depth. Tap t over depth reads input slice base[t] + i * advance
 * for the i-th of them; it is zero outside of the input. */
struct slices {
    size_t first, step, count, taps;
    size_t *tap; /* kernel slices, ascending */
    int64_t *base, advance;
    size_t part_count;
    struct
        conv_part { /* a convolution over planes that makes all of an output slice, or some rows and columns */
        struct conv conv;
        const size_t *place; /* of each tap in a kernel slice */
    } * parts;
};

struct convolution {
    size_t batch, channels, in_depth, in_plane, out_rows; /* channels: of all groups */
    size_t set_count;
    struct slices *sets;
    bool live_weights, live_bias; /* known only when the plan runs */
    bool transposed;              /* weights are [in][out][kernel], not [out][in][kernel] */
    size_t kernel, kernel_plane;  /* numbers of a whole kernel, and of one slice */
    float
        *staged; /* the input slices that an output slice needs, as channels; NULL: the input is just that */
    struct winograd *winograd; /* 3 x 3 weights done by Winograd's algorithm; sets are empty then */
    struct winograd_transpose *transpose; /* ConvTranspose by Winograd's algorithm; sets are empty then */
    struct plane_window *depthwise;       /* each channel by itself; sets are empty then */
    float *turned; /* weights of a set as [in][kernel slice][out][place]; NULL: they lie so */
};

/* Reads the attributes; checks them against each other and the inputs. */
enum bst_code window_read(const struct step *step, struct window *w, struct bst_error *err);
/* An attribute of one number for each side. */
bool window_list(const struct step *step, const char *name, size_t sides, int64_t fallback, int64_t *out);
bool window_within(const int64_t *list, int64_t low, int64_t high);
enum bst_code window_check_bias(const struct step *step, int64_t channels, struct bst_error *err);
/* The output's dims from batch, channels and sides. */
enum bst_code window_output(struct step *step, const struct window *w, int64_t channels, const int64_t *sides,
                            struct bst_error *err);

/* Once all sets and their parts are made: takes the memory for slices and packs weights that are known. */
enum bst_code convolution_finish(struct step *step, struct convolution *c, struct bst_error *err);
void convolution_run(const struct convolution *c, const struct step *step, const struct run *run);

/* Whether a Conv with these output sides is done by Winograd's algorithm; its making and running then. */
bool conv_by_winograd(const struct step *step, const struct window *w, const int64_t *out);
enum bst_code conv_winograd_make(struct step *step, const struct window *w, const int64_t *out,
                                 struct convolution *c, const struct bst_kernels *kernels, unsigned threads,
                                 struct bst_error *err);
void conv_winograd_run(const struct convolution *c, const struct step *step, const struct run *run);

/* The same for ConvTranspose. */
bool conv_transpose_by_winograd(const struct step *step, const struct window *w, const int64_t *out);
enum bst_code conv_transpose_winograd_make(struct step *step, const struct window *w, const int64_t *out,
                                           struct convolution *c, const struct bst_kernels *kernels,
                                           unsigned threads, struct bst_error *err);
void conv_transpose_winograd_run(const struct convolution *c, const struct step *step, const struct run *run);

/* Whether each channel is filtered by itself; its making and running then. */
bool conv_is_depthwise(const struct step *step, const struct window *w);
enum bst_code conv_depthwise_make(struct step *step, const struct window *w, const int64_t *out,
                                  struct convolution *c, struct bst_error *err);
void conv_depthwise_run(const struct convolution *c, const struct step *step, const struct run *run);

#endif
