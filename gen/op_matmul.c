/* op_matmul.c - MatMul and Gemm, as a convolution with one tap: the rows of the left matrix are its output
 * channels, the columns of the right one its pixels. */
#include "kernel_conv.h"

#include <string.h>

struct product {
    size_t batches, m, k, n;
    size_t left_step, right_step;   /* numbers from one batch's matrix to the next; 0: the same one */
    bool left_turned, right_turned; /* stored transposed */
    struct conv conv;
    float *right;       /* the right matrix turned, when it has to be */
    bool right_is_done; /* it is constant */
};

static bool is_gemm(const struct step *step)
{
    return strcmp(step->op->name, "Gemm") == 0;
}

/* Batch dims must agree or be absent on one side. */
static enum bst_code read_batches(const struct step *step, struct product *p, int64_t *dims, size_t *rank,
                                  struct bst_error *err)
{
    const struct tensor *a = step->inputs[0], *b = step->inputs[1];
    size_t na = 1, nb = 1;
    for (size_t i = 0; i + 2 < a->rank; i++)
        na *= (size_t)a->dims[i];
    for (size_t i = 0; i + 2 < b->rank; i++)
        nb *= (size_t)b->dims[i];
    const struct tensor *lead = a->rank > b->rank || (a->rank == b->rank && na >= nb) ? a : b;
    bool same = a->rank == b->rank && memcmp(a->dims, b->dims, (a->rank - 2) * sizeof *a->dims) == 0;
    if (!same && na != 1 && nb != 1) return step_bad(err, "batches of this form are not supported");
    p->batches = na > nb ? na : nb;
    p->left_step = na > 1 ? p->m * p->k : 0;
    p->right_step = nb > 1 ? p->k * p->n : 0;
    *rank = lead->rank;
    memcpy(dims, lead->dims, sizeof lead->dims);
    return BST_OK;
}

static enum bst_code read_product(const struct step *step, struct product *p, int64_t *dims, size_t *rank,
                                  struct bst_error *err)
{
    enum bst_code code = step_float(step, 0, is_gemm(step) ? 2 : 0, err);
    if (code == BST_OK) code = step_float(step, 1, is_gemm(step) ? 2 : 0, err);
    if (code != BST_OK) return code;
    const struct tensor *a = step->inputs[0], *b = step->inputs[1];
    if (a->rank < 2 || b->rank < 2) return step_bad(err, "products with vectors are not supported");
    p->left_turned = is_gemm(step) && node_int(step->node, "transA", 0) != 0;
    p->right_turned = is_gemm(step) && node_int(step->node, "transB", 0) != 0;
    const int64_t *la = a->dims + a->rank - 2, *lb = b->dims + b->rank - 2;
    p->m = (size_t)la[p->left_turned ? 1 : 0];
    p->k = (size_t)la[p->left_turned ? 0 : 1];
    p->n = (size_t)lb[p->right_turned ? 0 : 1];
    if (p->k != (size_t)lb[p->right_turned ? 1 : 0] || a->count == 0 || b->count == 0)
        return step_bad(err, "the matrices do not fit together");
    code = read_batches(step, p, dims, rank, err);
    if (code != BST_OK) return code;
    dims[*rank - 2] = (int64_t)p->m;
    dims[*rank - 1] = (int64_t)p->n;
    return BST_OK;
}

OP_INFER(matmul)
{
    struct product p = {0};
    int64_t dims[RANK_MAX];
    size_t rank;
    enum bst_code code = read_product(step, &p, dims, &rank, err);
    return code != BST_OK ? code : step_output(step, 0, KIND_FLOAT, rank, dims, err);
}

/* Gemm's alpha and third input: the posts that come before any fused one. */
static enum bst_code own_posts(struct step *step, bool check_only, struct bst_error *err)
{
    float alpha = node_float(step->node, "alpha", 1.0f), beta = node_float(step->node, "beta", 1.0f);
    const struct tensor *c = step_input(step, 2);
    struct post *post = step->own;
    if (alpha != 1.0f) *post++ = (struct post){.form = POST_UNARY, .unary = BST_U_AFFINE, .a = alpha};
    if (c != NULL && beta != 0.0f) {
        *post = (struct post){.form = POST_BINARY, .binary = BST_B_ADD, .operand = c};
        if (c->kind != KIND_FLOAT || !post_operand(c, step->outputs[0], post))
            return step_bad(err, "the third input does not fit the product");
        post++;
    }
    step->own_count = check_only ? 0 : (size_t)(post - step->own);
    return BST_OK;
}

OP_INFER(gemm)
{
    enum bst_code code = matmul_infer(step, err);
    return code != BST_OK ? code : own_posts(step, true, err);
}

static void turn(const float *from, size_t rows, size_t columns, float *to)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            to[c * rows + r] = from[r * columns + c];
}

static void pack_left(const struct product *p, const float *left)
{
    const size_t place = 0;
    conv_pack(&p->conv, left, 0, p->left_turned ? 1 : p->k, p->left_turned ? p->m : 1, &place);
}

OP_PREPARE(matmul)
{
    struct product *p = step_take(step, 1, sizeof *p);
    size_t *tap = step_take(step, 1, sizeof *tap); /* the only one, at place 0 */
    int64_t dims[RANK_MAX];
    size_t rank;
    if (p == NULL || tap == NULL) return bst_fail_memory(err);
    enum bst_code code = read_product(step, p, dims, &rank, err);
    if (code == BST_OK && is_gemm(step)) code = own_posts(step, false, err);
    if (code != BST_OK) return code;
    p->conv = (struct conv){.outer = 1,
                            .groups = 1,
                            .in_channels = p->k,
                            .out_channels = p->m,
                            .in_h = 1,
                            .in_w = p->n,
                            .out_h = 1,
                            .out_w = p->n,
                            .stride_y = 1,
                            .stride_x = 1,
                            .taps = 1,
                            .tap_y = tap,
                            .tap_x = tap,
                            .full_h = 1,
                            .full_w = p->n,
                            .step_y = 1,
                            .step_x = 1};
    code = conv_make(step, &p->conv, kernels, threads, err);
    if (code != BST_OK) return code;
    if (p->right_turned) {
        p->right = step_take(step, p->k * p->n, sizeof *p->right);
        if (p->right == NULL) return bst_fail_memory(err);
        p->right_is_done = step->inputs[1]->data != NULL;
        if (p->right_is_done) turn(tensor_floats(step->inputs[1]), p->n, p->k, p->right);
    }
    step->prepared = p;
    return BST_OK;
}

OP_RUN(matmul)
{
    const struct product *p = step->prepared;
    const float *left = tensor_floats(step->inputs[0]), *right = tensor_floats(step->inputs[1]);
    struct step bare = *step;
    bare.post_count = 0;
    for (size_t b = 0; b < p->batches; b++) {
        pack_left(p, left + b * p->left_step);
        if (p->right_turned && !p->right_is_done) turn(right + b * p->right_step, p->n, p->k, p->right);
        conv_execute(&p->conv, &bare, run, p->right_turned ? p->right : right + b * p->right_step,
                     tensor_floats(step->result) + b * p->m * p->n);
    }
    if (step->post_count > 0)
        posts_apply_all(run, step, tensor_floats(step->result), tensor_floats(step->result));
}
