/* op_matmul.c - MatMul with numpy's batches and vectors, and Gemm. */
#include "op_product.h"

#include <string.h>

struct prepared {
    struct product product;
    float *turned; /* a constant right matrix that is stored transposed, as it is read */
};

static bool is_gemm(const struct step *step)
{
    return strcmp(step->op->name, "Gemm") == 0;
}

/* The batches of both sides, broadcast; dims gets their sizes. */
static enum bst_code read_batches(const struct tensor *a, const struct tensor *b, struct product *p,
                                  int64_t *dims, size_t *rank, struct bst_error *err)
{
    struct tensor left = {0}, right = {0};
    int64_t strides[RANK_MAX];
    char ta[DIMS_TEXT], tb[DIMS_TEXT];
    *rank = 0;
    tensor_set_dims(&left, KIND_FLOAT, a->rank > 2 ? a->rank - 2 : 0, a->dims);
    tensor_set_dims(&right, KIND_FLOAT, b->rank > 2 ? b->rank - 2 : 0, b->dims);
    if (!broadcast_dims(&left, rank, dims) || !broadcast_dims(&right, rank, dims))
        return step_bad(err, "the batches of %s and %s do not fit together", dims_text(a->rank, a->dims, ta),
                        dims_text(b->rank, b->dims, tb));
    p->batch_rank = *rank;
    broadcast_strides(&left, *rank, strides);
    for (size_t i = 0; i < *rank; i++) {
        p->batch[i] = (size_t)dims[i];
        p->left_batch[i] = (size_t)strides[i] * p->m * p->k;
    }
    broadcast_strides(&right, *rank, strides);
    for (size_t i = 0; i < *rank; i++)
        p->right_batch[i] = (size_t)strides[i] * p->k * p->n;
    return BST_OK;
}

static enum bst_code read_product(const struct step *step, struct product *p, int64_t *dims, size_t *rank,
                                  struct bst_error *err)
{
    enum bst_code code = step_float(step, 0, is_gemm(step) ? 2 : 0, err);
    if (code == BST_OK) code = step_float(step, 1, is_gemm(step) ? 2 : 0, err);
    if (code != BST_OK) return code;
    const struct tensor *a = step->inputs[0], *b = step->inputs[1];
    if (a->rank == 0 || b->rank == 0) return step_bad(err, "a single number is no matrix");
    bool turn_a = is_gemm(step) && node_int(step->node, "transA", 0) != 0;
    bool turn_b = is_gemm(step) && node_int(step->node, "transB", 0) != 0;
    /* a vector is a row on the left, a column on the right */
    size_t ar = a->rank == 1 ? 1 : (size_t)a->dims[a->rank - 2], ac = (size_t)a->dims[a->rank - 1];
    size_t bc = b->rank == 1 ? 1 : (size_t)b->dims[b->rank - 1];
    size_t br = (size_t)b->dims[b->rank == 1 ? 0 : b->rank - 2];
    p->m = turn_a ? ac : ar;
    p->k = turn_a ? ar : ac;
    p->n = turn_b ? br : bc;
    if (p->k != (turn_b ? bc : br)) return step_bad(err, "the matrices do not fit together");
    p->left_row = turn_a ? 1 : p->k;
    p->left_k = turn_a ? p->m : 1;
    p->right_k = turn_b ? 1 : p->n;
    p->right_column = turn_b ? p->k : 1;
    code = read_batches(a, b, p, dims, rank, err);
    if (code != BST_OK) return code;
    if (*rank + 2 > RANK_MAX) return step_bad(err, "the product has too many dimensions");
    if (a->rank > 1) dims[(*rank)++] = (int64_t)p->m;
    if (b->rank > 1) dims[(*rank)++] = (int64_t)p->n;
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

/* ---- Gemm's alpha and third input: the posts that come before any fused one ---- */

/* Beta is 0 or 1 by now: see onnx_upgrade.c. */
static const struct tensor *added(const struct step *step)
{
    return node_float(step->node, "beta", 1.0f) != 0.0f ? step_input(step, 2) : NULL;
}

OP_INFER(gemm)
{
    struct post post = {0};
    enum bst_code code = matmul_infer(step, err);
    const struct tensor *c = added(step);
    if (code != BST_OK || c == NULL || step->outputs[0] == NULL) return code;
    if (c->kind != KIND_FLOAT || !post_operand(c, step->outputs[0], &post))
        return step_bad(err, "the third input does not fit the product");
    return BST_OK;
}

static void own_posts(struct step *step)
{
    float alpha = node_float(step->node, "alpha", 1.0f);
    const struct tensor *c = added(step);
    struct post *post = step->own;
    if (alpha != 1.0f) *post++ = (struct post){.form = POST_UNARY, .unary = BST_U_AFFINE, .a = alpha};
    if (c != NULL) {
        *post = (struct post){.form = POST_BINARY, .binary = BST_B_ADD, .operand = c};
        post_operand(c, step->outputs[0], post++);
    }
    step->own_count = (size_t)(post - step->own);
}

/* ---- prepare and run ---- */

/* A constant right matrix that is stored transposed is turned once, unless the product has its own form of it. */
static enum bst_code turn_right(struct step *step, struct prepared *p, struct bst_error *err)
{
    struct product *q = &p->product;
    const float *b = tensor_floats(step->inputs[1]);
    if (b == NULL || q->right_column == 1 || product_keeps_right(q)) return BST_OK;
    p->turned = step_take(step, q->k * q->n + 1, sizeof *p->turned);
    if (p->turned == NULL) return bst_fail_memory(err);
    for (size_t column = 0; column < q->n; column++)
        for (size_t c = 0; c < q->k; c++)
            p->turned[c * q->n + column] = b[c * q->right_k + column * q->right_column];
    q->right_k = q->n;
    q->right_column = 1;
    return BST_OK;
}

static const float *right_of(const struct step *step, const struct prepared *p)
{
    return p->turned != NULL ? p->turned : tensor_floats(step->inputs[1]);
}

OP_PREPARE(matmul)
{
    struct prepared *p = step_take(step, 1, sizeof *p);
    int64_t dims[RANK_MAX];
    size_t rank;
    (void)threads;
    if (p == NULL) return bst_fail_memory(err);
    enum bst_code code = read_product(step, &p->product, dims, &rank, err);
    if (code == BST_OK) code = turn_right(step, p, err);
    if (code != BST_OK) return code;
    if (is_gemm(step)) own_posts(step);
    step->prepared = p;
    return product_make(step, &p->product, kernels, tensor_floats(step->inputs[0]), right_of(step, p), err);
}

OP_RUN(matmul)
{
    const struct prepared *p = step->prepared;
    product_run(run, step, &p->product, tensor_floats(step->inputs[0]), right_of(step, p),
                tensor_floats(step->result));
}
