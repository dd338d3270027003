/* op.h - what an operator is to the engine: a row in a table (op.c), with three functions.
 *
 *   infer    from the inputs' dims (and the values of constant inputs) to the outputs' dims; checks all
 * attributes prepare  once a plan: packs weights, fills tables, says how much scratch memory each thread
 * needs run      makes the outputs; cannot fail
 *
 * A step is one node of the graph with its tensors for one set of input sizes. A tensor whose data is set
 * while steps are inferred is constant; the data of the others points into the arena while the plan runs.
 * An output whose dims infer does not set (step_output) is one that the operator does not make: it is NULL from
 * then on.
 * Elementwise operators behind a convolution (or another operator with OP_POSTS) are not run on their own but
 * applied to its output while that is in the cache: see struct post. Private to gen/.
 */
#ifndef BST_OP_H
#define BST_OP_H

#include <stdatomic.h>

#include "graph.h"
#include "kernel.h"

struct step;

/* An elementwise function applied in place to the output of a step. The output is seen as planes
 * [outer][channel] [pixel] (struct planes); the operand's number for a place is operand[o * outer + c *
 * channel + p * pixel]. */
struct post {
    enum { POST_UNARY, POST_BINARY, POST_CHANNEL_AFFINE, POST_FILM } form;
    enum bst_unary unary;
    enum bst_binary binary;
    float a, b;                   /* unary: parameters */
    bool swapped;                 /* binary: the operand stands on the left */
    const struct tensor *operand; /* binary */
    const float *scale, *shift;   /* channel affine: fma(x, scale[c], shift[c]) */
    const struct post *parts[2];  /* film: the posts that multiply and add, or NULL; a is the slope */
    size_t outer, channel, pixel; /* steps through the operand; pixel is 0 or 1 */
};

struct planes {
    size_t outer, channels, pixels;
};

/* What a step needs while it runs. */
struct run {
    const struct bst_kernels *kernels;
    struct bst_pool *pool;
    uint8_t *scratch; /* threads times scratch_each bytes, 64-byte aligned */
    size_t scratch_each;
    uint8_t *shared;           /* of all threads, 64-byte aligned */
    atomic_bool *out_of_range; /* set by a step that met an index beyond its axis: the run fails */
};

enum op_flags {
    OP_POSTS = 1,       /* run applies step->posts */
    OP_POSTS_FLAT = 2,  /* as OP_POSTS, but only operands with pixel == 0 */
    OP_ELEMENTWISE = 4, /* op_post can make a post of it */
    OP_FOLD = 8,        /* the output depends on dims and constants alone */
    OP_IN_PLACE = 16,   /* the output may take the memory of an input of the same dims */
    OP_CROPS = 32,      /* run obeys crop_y and crop_x */
    OP_BRANCH = 64, /* If: never a step, its outputs are those of the branch taken; infer and run are NULL */
};

struct op {
    const char *name;
    unsigned inputs_min, inputs_max, outputs_max;
    unsigned flags;
    enum bst_code (*infer)(struct step *step, struct bst_error *err);
    enum bst_code (*prepare)(struct step *step, const struct bst_kernels *kernels, unsigned threads,
                             struct bst_error *err); /* NULL: nothing to prepare */
    void (*run)(const struct step *step, const struct run *run);
};

struct step {
    const struct node *node;
    const struct op *op;
    int opset;
    unsigned arith; /* version of the rules of arithmetic.md */
    size_t input_count, output_count;
    const struct tensor **inputs; /* NULL: left out */
    struct tensor **outputs;      /* NULL: not asked for */
    struct tensor *result; /* what run writes: outputs[0], or the output of the last step fused into this */
    const struct tensor *source; /* elementwise: the input that posts[0], its own function, is applied to;
                                    NULL when the function cannot be a post */
    struct post *posts;
    size_t post_count;
    struct post own[2]; /* what comes before the fused ones: set by prepare */
    size_t own_count;
    bool alias;                /* the output is the first input under other dims; set by infer */
    bool fused;                /* applied by another step; not run */
    bool crops;                /* a Slice that is fused: the head makes no more than what is left */
    int64_t crop_y, crop_x;    /* head: the first row and column of the output that result holds */
    void *prepared;            /* made by prepare, with step_take */
    struct step_block *blocks; /* memory that lives as long as the step */
    size_t scratch;            /* bytes of scratch memory each thread needs */
    size_t shared;             /* bytes of scratch memory the threads need together */
};

/* Zeroed, 64-byte aligned memory that lives as long as the step; NULL when there is none. */
void *step_take(struct step *step, size_t n, size_t item);
void step_release(struct step *step);
/* Bytes of it, but for small pieces. */
size_t step_bytes(const struct step *step);

/* The row of the table, or NULL. */
const struct op *op_find(const char *name);

/* ---- for the operators' files ---- */

/* Sets the dims of an output that may not have been asked for; refuses impossible ones. */
enum bst_code step_output(struct step *step, size_t index, enum kind kind, size_t rank, const int64_t *dims,
                          struct bst_error *err);
/* The input, or NULL when it was left out. */
const struct tensor *step_input(const struct step *step, size_t index);
/* An input that must be constant, of a kind and of at most rank 1; *out is NULL when it was left out. */
enum bst_code step_constant(const struct step *step, size_t index, enum kind kind, const struct tensor **out,
                            struct bst_error *err);
/* Fails unless the input is a float tensor of the rank (any rank: 0). */
enum bst_code step_float(const struct step *step, size_t index, size_t rank, struct bst_error *err);
enum bst_code step_bad(struct bst_error *err, const char *format, ...) BST_PRINTF(2, 3);
/* Turns an axis in [-rank, rank) into [0, rank). */
bool axis_of(int64_t axis, size_t rank, size_t *out);

/* Axes and other lists that moved from an attribute to an input in some operator set: the attribute if there,
 * else the input at index; *list is NULL when neither is given. */
enum bst_code step_list(const struct step *step, const char *attribute, size_t index, const int64_t **list,
                        size_t *count, struct bst_error *err);

/* ---- broadcasting (op_broadcast.c) ---- */

#define BROADCAST_MAX 3 /* operands that are walked together */

/* Part of an innermost row of an output: numbers out to out + n - 1; the operand's numbers for it are at[k] +
 * i * step[k], where step is 0 or 1. */
struct broadcast_row {
    size_t out, n, at[BROADCAST_MAX], step[BROADCAST_MAX];
};

typedef void broadcast_fn(const void *arg, const struct broadcast_row *row);

/* Stretches dims, those of nothing (rank 0) at first, to hold a; false when they do not fit. */
bool broadcast_dims(const struct tensor *a, size_t *rank, int64_t *dims);
/* Output 0 is as large as the inputs from first to before end together. */
enum bst_code broadcast_output(struct step *step, size_t first, size_t end, enum kind kind,
                               struct bst_error *err);
/* Number places of an operand broadcast over dims of that rank. */
void broadcast_strides(const struct tensor *t, size_t rank, int64_t *strides);
/* Calls row for every number of out, from all threads. */
void broadcast_run(const struct run *run, broadcast_fn *row, const void *arg, const struct tensor *out,
                   const struct tensor *const *operands, size_t count);

/* ---- posts (op_posts.c) ---- */

struct planes planes_of(const struct tensor *t);
/* The steps through an operand that is broadcast over out; false when planes cannot express it. */
bool post_operand(const struct tensor *operand, const struct tensor *out, struct post *post);
/* The post that does what the elementwise step does to its input at index; false when it cannot be one
 * (op_elementwise.c). */
bool op_post(const struct step *step, size_t index, struct post *post);
/* Replaces neighbouring posts by one that does the same in one pass; the posts must stay where they are.
 * Returns how many are left in out, which takes count. */
size_t posts_merge(const struct post *posts, size_t count, struct post *out);
/* Applies posts to count numbers of plane (o, c) from pixel p on: from src to dst, which may be the same. */
void posts_apply(const struct bst_kernels *k, const struct post *posts, size_t post_count, const float *src,
                 float *dst, size_t count, size_t o, size_t c, size_t p);
/* The same over a whole tensor by all threads, in place. */
void posts_apply_all(const struct run *run, const struct step *step, const float *src, float *dst);

/* What a BatchNormalization is (op_batch_norm.c): fma(x, scale[channel], shift[channel]). */
struct affine {
    float *scale, *shift;
    bool live; /* worked out in every run */
};
bool batch_norm_is_constant(const struct step *step);

/* ---- movement (op_move.c) ---- */

/* Whether a Slice only cuts rows and columns off [N, C, H, W]; where what is left begins. */
bool slice_crops(const struct step *slice, int64_t *y, int64_t *x);

/* dst[i] = src[sum of index * strides] for every index below dims, dst dense and row-major; item is 4 or 8
 * bytes. */
void copy_strided(const struct run *run, void *dst, const void *src, size_t rank, const int64_t *dims,
                  const int64_t *strides, size_t item);
/* Row-major strides in numbers. */
void dense_strides(size_t rank, const int64_t *dims, int64_t *strides);

/* ---- places, for the rules of region_*.c ---- */

/* Side of the blocks of outputs that a Conv makes from one patch of its input: 4 by Winograd's algorithm, else 1. */
size_t conv_block(const struct step *step);
/* The same for ConvTranspose, but of inputs that a block of outputs is made of: 3 or 1. */
size_t conv_transpose_block(const struct step *step);
/* Makes a Resize ready for resize_alike alone. */
enum bst_code resize_tables(struct step *step, struct bst_error *err);
/* Whether it makes place_a of step a along an axis as it makes place_b of step b, from places that lie shift further
 * on and with the same weights. *first to *last: the places that a reads. */
bool resize_alike(const struct step *a, size_t place_a, const struct step *b, size_t place_b, size_t axis,
                  int64_t shift, int64_t *first, int64_t *last);
/* The place of the input along an axis that a Pad puts at a place of its output; -1: the constant. */
int64_t pad_source(const struct step *step, size_t axis, int64_t place);
/* How many places it adds before the first. */
int64_t pad_before(const struct step *step, size_t axis);
/* Where each axis of a Slice's output begins in the input and how far apart its places lie. */
enum bst_code slice_read(const struct step *step, int64_t *dims, int64_t *begin, int64_t *stride,
                         struct bst_error *err);
/* The input's dimension for each of a Transpose's output; false when the attribute is no permutation. */
bool transpose_axes(const struct step *step, size_t *axes);

/* ---- the operators, by file ---- */

#define OP_INFER(name) enum bst_code name##_infer(struct step *step, struct bst_error *err)
#define OP_PREPARE(name)                                                                                     \
    enum bst_code name##_prepare(struct step *step, const struct bst_kernels *kernels, unsigned threads,     \
                                 struct bst_error *err)
#define OP_RUN(name) void name##_run(const struct step *step, const struct run *run)

OP_INFER(conv);
OP_PREPARE(conv);
OP_RUN(conv);
OP_INFER(conv_transpose);
OP_PREPARE(conv_transpose);
OP_RUN(conv_transpose);
OP_INFER(gemm);
OP_INFER(matmul);
OP_PREPARE(matmul);
OP_RUN(matmul);
OP_INFER(unary);
OP_INFER(pow);
OP_INFER(binary);
OP_PREPARE(elementwise);
OP_RUN(elementwise);
OP_RUN(elementwise_ints);
OP_INFER(mod);
OP_RUN(mod);
OP_INFER(batch_norm);
OP_PREPARE(batch_norm);
OP_RUN(batch_norm);
OP_INFER(compare);
OP_RUN(compare);
OP_INFER(test);
OP_RUN(test);
OP_INFER(where);
OP_RUN(where);
OP_INFER(cast);
OP_RUN(cast);
OP_INFER(dequantize);
OP_RUN(dequantize);
OP_INFER(instance_norm);
OP_INFER(group_norm);
OP_RUN(instance_norm);
OP_INFER(layer_norm);
OP_RUN(layer_norm);
OP_INFER(mean_variance_norm);
OP_INFER(lp_norm);
OP_PREPARE(spread);
OP_RUN(spread);
OP_INFER(reduce);
OP_PREPARE(reduce);
OP_RUN(reduce);
OP_INFER(arg);
OP_RUN(arg);
OP_INFER(cum_sum);
OP_RUN(cum_sum);
OP_INFER(top_k);
OP_PREPARE(top_k);
OP_RUN(top_k);
OP_INFER(one_hot);
OP_RUN(one_hot);
OP_INFER(gather_elements);
OP_RUN(gather_elements);
OP_INFER(gather_nd);
OP_RUN(gather_nd);
OP_INFER(scatter_elements);
OP_RUN(scatter_elements);
OP_INFER(scatter_nd);
OP_RUN(scatter_nd);
OP_INFER(trilu);
OP_RUN(trilu);
OP_INFER(einsum);
OP_PREPARE(einsum);
OP_RUN(einsum);
OP_INFER(softmax);
OP_RUN(softmax);
OP_INFER(pool);
OP_PREPARE(pool);
OP_INFER(global_pool);
OP_RUN(pool);
OP_PREPARE(global_pool);
OP_INFER(resize);
OP_PREPARE(resize);
OP_RUN(resize);
OP_INFER(grid_sample);
OP_PREPARE(grid_sample);
OP_RUN(grid_sample);
OP_INFER(affine_grid);
OP_RUN(affine_grid);
OP_INFER(reshape);
OP_INFER(flatten);
OP_INFER(squeeze);
OP_INFER(unsqueeze);
OP_INFER(identity);
OP_RUN(identity);
OP_INFER(align);
extern const struct op op_align; /* no operator of files: see onnx_upgrade.c */
OP_RUN(alias);
OP_INFER(transpose);
OP_RUN(transpose);
OP_INFER(concat);
OP_RUN(concat);
OP_INFER(split);
OP_RUN(split);
OP_INFER(slice);
OP_RUN(slice);
OP_INFER(gather);
OP_RUN(gather);
OP_INFER(expand);
OP_RUN(expand);
OP_INFER(tile);
OP_RUN(tile);
OP_INFER(pad);
OP_RUN(pad);
OP_INFER(depth_to_space);
OP_RUN(depth_to_space);
OP_INFER(space_to_depth);
OP_RUN(space_to_depth);
OP_INFER(shape);
OP_RUN(shape);
OP_INFER(size);
OP_RUN(size);
OP_INFER(constant);
OP_RUN(constant);
OP_INFER(constant_of_shape);
OP_RUN(constant_of_shape);
OP_INFER(range);
OP_RUN(range);

#endif
