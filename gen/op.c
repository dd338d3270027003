/* op.c - the table of operators, and helpers that their files share. */
#include "op.h"
#include "pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANY 4096

#define POINTWISE (OP_ELEMENTWISE | OP_POSTS | OP_IN_PLACE)
#define UNARY(name)                                                                                          \
    {                                                                                                        \
        name, 1, 1, 1, POINTWISE, unary_infer, elementwise_prepare, elementwise_run                          \
    }
#define BINARY(name)                                                                                         \
    {                                                                                                        \
        name, 2, 2, 1, POINTWISE, binary_infer, elementwise_prepare, elementwise_run                         \
    }
#define MANY(name)                                                                                           \
    {                                                                                                        \
        name, 1, ANY, 1, POINTWISE, binary_infer, elementwise_prepare, elementwise_run                       \
    }
#define COMPARE(name)                                                                                        \
    {                                                                                                        \
        name, 2, 2, 1, 0, compare_infer, NULL, compare_run                                                   \
    }
#define TEST(name)                                                                                           \
    {                                                                                                        \
        name, 1, 1, 1, 0, test_infer, NULL, test_run                                                         \
    }

#define REDUCE(name)                                                                                         \
    {                                                                                                        \
        name, 1, 2, 1, 0, reduce_infer, reduce_prepare, reduce_run                                           \
    }

/* Sorted by name. */
static const struct op table[] = {
    UNARY("Abs"),
    UNARY("Acos"),
    UNARY("Acosh"),
    BINARY("Add"),
    {"AffineGrid", 2, 2, 1, 0, affine_grid_infer, NULL, affine_grid_run},
    COMPARE("And"),
    {"ArgMax", 1, 1, 1, 0, arg_infer, NULL, arg_run},
    {"ArgMin", 1, 1, 1, 0, arg_infer, NULL, arg_run},
    UNARY("Asin"),
    UNARY("Asinh"),
    UNARY("Atan"),
    UNARY("Atanh"),
    {"AveragePool", 1, 1, 1, 0, pool_infer, pool_prepare, pool_run},
    {"BatchNormalization", 5, 5, 5, POINTWISE, batch_norm_infer, batch_norm_prepare, batch_norm_run},
    {"Cast", 1, 1, 1, 0, cast_infer, NULL, cast_run},
    {"CastLike", 2, 2, 1, 0, cast_infer, NULL, cast_run},
    UNARY("Ceil"),
    UNARY("Celu"),
    {"CenterCropPad", 2, 2, 1, 0, pad_infer, NULL, pad_run},
    {"Clip", 1, 3, 1, POINTWISE, unary_infer, elementwise_prepare, elementwise_run},
    {"Concat", 1, ANY, 1, 0, concat_infer, NULL, concat_run},
    {"Constant", 0, 0, 1, OP_FOLD, constant_infer, NULL, constant_run},
    {"ConstantOfShape", 1, 1, 1, OP_FOLD, constant_of_shape_infer, NULL, constant_of_shape_run},
    {"Conv", 2, 3, 1, OP_POSTS, conv_infer, conv_prepare, conv_run},
    {"ConvTranspose", 2, 3, 1, OP_POSTS_FLAT, conv_transpose_infer, conv_transpose_prepare,
     conv_transpose_run},
    UNARY("Cos"),
    UNARY("Cosh"),
    {"CumSum", 2, 2, 1, 0, cum_sum_infer, NULL, cum_sum_run},
    {"DepthToSpace", 1, 1, 1, 0, depth_to_space_infer, NULL, depth_to_space_run},
    {"DequantizeLinear", 2, 3, 1, 0, dequantize_infer, NULL, dequantize_run},
    BINARY("Div"),
    {"Dropout", 1, 3, 2, 0, identity_infer, NULL, identity_run},
    {"Einsum", 1, ANY, 1, 0, einsum_infer, einsum_prepare, einsum_run},
    UNARY("Elu"),
    COMPARE("Equal"),
    UNARY("Erf"),
    UNARY("Exp"),
    {"Expand", 2, 2, 1, 0, expand_infer, NULL, expand_run},
    {"Flatten", 1, 1, 1, 0, flatten_infer, NULL, alias_run},
    UNARY("Floor"),
    {"Gather", 2, 2, 1, 0, gather_infer, NULL, gather_run},
    {"GatherElements", 2, 2, 1, 0, gather_elements_infer, NULL, gather_elements_run},
    {"GatherND", 2, 2, 1, 0, gather_nd_infer, NULL, gather_nd_run},
    UNARY("Gelu"),
    {"Gemm", 2, 3, 1, OP_POSTS, gemm_infer, matmul_prepare, matmul_run},
    {"GlobalAveragePool", 1, 1, 1, 0, global_pool_infer, global_pool_prepare, reduce_run},
    {"GlobalMaxPool", 1, 1, 1, 0, global_pool_infer, global_pool_prepare, reduce_run},
    COMPARE("Greater"),
    COMPARE("GreaterOrEqual"),
    {"GridSample", 2, 2, 1, 0, grid_sample_infer, grid_sample_prepare, grid_sample_run},
    {"GroupNormalization", 3, 3, 1, OP_POSTS, group_norm_infer, NULL, instance_norm_run},
    UNARY("HardSigmoid"),
    UNARY("HardSwish"),
    {"Hardmax", 1, 1, 1, 0, softmax_infer, NULL, softmax_run},
    {"Identity", 1, 1, 1, 0, identity_infer, NULL, alias_run},
    {"If", 1, 1, ANY, OP_BRANCH, NULL, NULL, NULL},
    {"InstanceNormalization", 3, 3, 1, OP_POSTS | OP_IN_PLACE, instance_norm_infer, NULL, instance_norm_run},
    TEST("IsInf"),
    TEST("IsNaN"),
    {"LayerNormalization", 2, 3, 3, OP_POSTS, layer_norm_infer, NULL, layer_norm_run},
    UNARY("LeakyRelu"),
    COMPARE("Less"),
    COMPARE("LessOrEqual"),
    UNARY("Log"),
    {"LogSoftmax", 1, 1, 1, 0, softmax_infer, NULL, softmax_run},
    {"LpNormalization", 1, 1, 1, 0, lp_norm_infer, spread_prepare, spread_run},
    {"LpPool", 1, 1, 1, 0, pool_infer, pool_prepare, pool_run},
    {"MatMul", 2, 2, 1, OP_POSTS, matmul_infer, matmul_prepare, matmul_run},
    MANY("Max"),
    {"MaxPool", 1, 1, 2, 0, pool_infer, pool_prepare, pool_run},
    MANY("Mean"),
    {"MeanVarianceNormalization", 1, 1, 1, 0, mean_variance_norm_infer, spread_prepare, spread_run},
    MANY("Min"),
    UNARY("Mish"),
    {"Mod", 2, 2, 1, 0, mod_infer, NULL, mod_run},
    BINARY("Mul"),
    UNARY("Neg"),
    TEST("Not"),
    {"OneHot", 3, 3, 1, 0, one_hot_infer, NULL, one_hot_run},
    COMPARE("Or"),
    BINARY("PRelu"),
    {"Pad", 1, 4, 1, 0, pad_infer, NULL, pad_run},
    {"Pow", 2, 2, 1, POINTWISE, pow_infer, elementwise_prepare, elementwise_run},
    {"Range", 3, 3, 1, OP_FOLD, range_infer, NULL, range_run},
    UNARY("Reciprocal"),
    REDUCE("ReduceL1"),
    REDUCE("ReduceL2"),
    REDUCE("ReduceLogSum"),
    REDUCE("ReduceLogSumExp"),
    REDUCE("ReduceMax"),
    REDUCE("ReduceMean"),
    REDUCE("ReduceMin"),
    REDUCE("ReduceProd"),
    REDUCE("ReduceSum"),
    REDUCE("ReduceSumSquare"),
    UNARY("Relu"),
    {"Reshape", 2, 2, 1, 0, reshape_infer, NULL, alias_run},
    {"Resize", 1, 4, 1, OP_POSTS | OP_CROPS, resize_infer, resize_prepare, resize_run},
    UNARY("Round"),
    {"ScatterElements", 3, 3, 1, 0, scatter_elements_infer, NULL, scatter_elements_run},
    {"ScatterND", 3, 3, 1, 0, scatter_nd_infer, NULL, scatter_nd_run},
    UNARY("Selu"),
    {"Shape", 1, 1, 1, OP_FOLD, shape_infer, NULL, shape_run},
    UNARY("Sigmoid"),
    UNARY("Sign"),
    UNARY("Sin"),
    UNARY("Sinh"),
    {"Size", 1, 1, 1, OP_FOLD, size_infer, NULL, size_run},
    {"Slice", 1, 5, 1, 0, slice_infer, NULL, slice_run},
    {"Softmax", 1, 1, 1, 0, softmax_infer, NULL, softmax_run},
    UNARY("Softplus"),
    UNARY("Softsign"),
    {"SpaceToDepth", 1, 1, 1, 0, space_to_depth_infer, NULL, space_to_depth_run},
    {"Split", 1, 2, ANY, 0, split_infer, NULL, split_run},
    UNARY("Sqrt"),
    {"Squeeze", 1, 2, 1, 0, squeeze_infer, NULL, alias_run},
    BINARY("Sub"),
    MANY("Sum"),
    UNARY("Tan"),
    UNARY("Tanh"),
    UNARY("ThresholdedRelu"),
    {"Tile", 2, 2, 1, 0, tile_infer, NULL, tile_run},
    {"TopK", 2, 2, 2, 0, top_k_infer, top_k_prepare, top_k_run},
    {"Transpose", 1, 1, 1, 0, transpose_infer, NULL, transpose_run},
    {"Trilu", 1, 2, 1, 0, trilu_infer, NULL, trilu_run},
    {"Unsqueeze", 1, 2, 1, 0, unsqueeze_infer, NULL, alias_run},
    {"Upsample", 1, 2, 1, OP_POSTS | OP_CROPS, resize_infer, resize_prepare, resize_run},
    {"Where", 3, 3, 1, 0, where_infer, NULL, where_run},
    COMPARE("Xor"),
};

const struct op *op_find(const char *name)
{
    size_t low = 0, high = sizeof table / sizeof table[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, table[middle].name);
        if (order == 0) return &table[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

#define STEP_PAGES ((size_t)1 << 20) /* from here on memory comes straight from the system */

struct step_block {
    struct step_block *next;
    size_t pages; /* bytes taken from the system, or 0 */
    _Alignas(64) uint8_t data[];
};

void *step_take(struct step *step, size_t n, size_t item)
{
    size_t bytes;
    if (!bst_mul(n, item, &bytes) || !bst_add(bytes, sizeof(struct step_block) + 64, &bytes)) return NULL;
    bytes = bytes / 64 * 64;
    bool large = bytes >= STEP_PAGES;
    struct step_block *block = large ? pages_take(bytes) : aligned_alloc(64, bytes);
    if (block == NULL) return NULL;
    if (!large) memset(block, 0, bytes);
    block->pages = large ? bytes : 0;
    block->next = step->blocks;
    step->blocks = block;
    return block->data;
}

size_t step_bytes(const struct step *step)
{
    size_t bytes = 0;
    for (const struct step_block *block = step->blocks; block != NULL; block = block->next)
        bytes += block->pages;
    return bytes;
}

void step_release(struct step *step)
{
    for (struct step_block *block = step->blocks, *next; block != NULL; block = next) {
        next = block->next;
        if (block->pages > 0)
            pages_give(block, block->pages);
        else
            free(block);
    }
    step->blocks = NULL;
}

enum bst_code step_bad(struct bst_error *err, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return bst_fail(err, BST_UNREADABLE, "%s", text);
}

enum bst_code step_output(struct step *step, size_t index, enum kind kind, size_t rank, const int64_t *dims,
                          struct bst_error *err)
{
    char text[DIMS_TEXT];
    if (index >= step->output_count || step->outputs[index] == NULL) return BST_OK;
    if (!tensor_set_dims(step->outputs[index], kind, rank, dims))
        return step_bad(err, "the output would have impossible dimensions %s",
                        dims_text(rank < RANK_MAX ? rank : RANK_MAX, dims, text));
    return BST_OK;
}

const struct tensor *step_input(const struct step *step, size_t index)
{
    return index < step->input_count ? step->inputs[index] : NULL;
}

enum bst_code step_constant(const struct step *step, size_t index, enum kind kind, const struct tensor **out,
                            struct bst_error *err)
{
    const struct tensor *t = step_input(step, index);
    *out = NULL;
    if (t == NULL) return BST_OK;
    if (t->data == NULL)
        return step_bad(err, "input %zu depends on the picture's data; it must be constant", index);
    if (t->kind != kind || t->rank > 1) return step_bad(err, "input %zu is of the wrong type or rank", index);
    *out = t;
    return BST_OK;
}

enum bst_code step_float(const struct step *step, size_t index, size_t rank, struct bst_error *err)
{
    const struct tensor *t = step_input(step, index);
    char text[DIMS_TEXT];
    if (t == NULL) return step_bad(err, "input %zu is missing", index);
    if (t->kind != KIND_FLOAT)
        return step_bad(err, "input %zu holds whole numbers, not floating-point ones", index);
    if (rank != 0 && t->rank != rank)
        return step_bad(err, "input %zu is %s where %zu dimensions are supported", index,
                        dims_text(t->rank, t->dims, text), rank);
    return BST_OK;
}

bool axis_of(int64_t axis, size_t rank, size_t *out)
{
    if (axis < -(int64_t)rank || axis >= (int64_t)rank) return false;
    *out = (size_t)(axis < 0 ? axis + (int64_t)rank : axis);
    return true;
}

enum bst_code step_list(const struct step *step, const char *attribute, size_t index, const int64_t **list,
                        size_t *count, struct bst_error *err)
{
    const struct attribute *a = node_attribute(step->node, attribute);
    const struct tensor *t;
    *list = NULL;
    *count = 0;
    if (a != NULL) {
        if (a->type != ATTRIBUTE_INTS)
            return step_bad(err, "attribute '%s' is no list of whole numbers", attribute);
        *list = a->ints;
        *count = a->count;
        return BST_OK;
    }
    enum bst_code code = step_constant(step, index, KIND_INT, &t, err);
    if (code != BST_OK || t == NULL) return code;
    *list = tensor_ints(t);
    *count = t->count;
    return BST_OK;
}
