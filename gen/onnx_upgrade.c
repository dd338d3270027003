/* onnx_upgrade.c - what older operator sets say in another form, in that of the newest one: attributes that became
 * inputs, operands that were aligned by an attribute. So an operator's own file knows one form; where the meaning
 * itself has changed, it looks at step->opset. */
#include "onnx_reader.h"

#include <string.h>

static bool is(const struct node *node, const char *type)
{
    return strcmp(node->type, type) == 0;
}

/* ---- attributes that became inputs ---- */

static enum bst_code set_input(struct reader *r, struct node *node, size_t index, int32_t value)
{
    if (index >= node->input_count) {
        int32_t *inputs = graph_take(r->graph, index + 1, sizeof *inputs);
        if (inputs == NULL) return bst_fail_memory(r->err);
        for (size_t i = 0; i <= index; i++)
            inputs[i] = i < node->input_count ? node->inputs[i] : -1;
        node->inputs = inputs;
        node->input_count = index + 1;
    }
    node->inputs[index] = value;
    return BST_OK;
}

static enum bst_code set_constant(struct reader *r, struct node *node, size_t index, const struct tensor *t)
{
    int32_t value;
    enum bst_code code = reader_constant(r, t, &value);
    return code == BST_OK ? set_input(r, node, index, value) : code;
}

/* The attribute, if the node has it, as the input at index. */
static enum bst_code move_attribute(struct reader *r, struct node *node, const char *name, size_t index)
{
    const struct attribute *a = node_attribute(node, name);
    if (a == NULL) return BST_OK;
    bool one = a->type == ATTRIBUTE_FLOAT || a->type == ATTRIBUTE_INT;
    bool whole = a->type == ATTRIBUTE_INT || a->type == ATTRIBUTE_INTS;
    if (!one && a->type != ATTRIBUTE_FLOATS && a->type != ATTRIBUTE_INTS)
        return bst_fail(r->err, BST_UNREADABLE, "attribute '%s' is of another type", name);
    int64_t count = one ? 1 : (int64_t)a->count;
    struct tensor *t = graph_take(r->graph, 1, sizeof *t);
    if (t == NULL) return bst_fail_memory(r->err);
    if (!tensor_set_dims(t, whole ? KIND_INT : KIND_FLOAT, one ? 0 : 1, &count))
        return bst_fail(r->err, BST_UNREADABLE, "attribute '%s' is too long", name);
    const void *from = one     ? whole ? (const void *)&a->i : (const void *)&a->f
                       : whole ? (const void *)a->ints
                               : (const void *)a->floats;
    t->data = graph_take(r->graph, t->count, tensor_item(t));
    if (t->data == NULL) return bst_fail_memory(r->err);
    if (t->count > 0) memcpy(t->data, from, tensor_bytes(t));
    return set_constant(r, node, index, t);
}

/* Attributes of operator sets before one, and the input that each became. */
static const struct {
    const char *type;
    int before;
    const char *attribute;
    size_t input;
} moved[] = {
    {"Slice", 10, "starts", 1}, {"Slice", 10, "ends", 2}, {"Slice", 10, "axes", 3},
    {"Pad", 11, "pads", 1},     {"Pad", 11, "value", 2},  {"Clip", 11, "min", 1},
    {"Clip", 11, "max", 2},     {"TopK", 10, "k", 1},     {"Upsample", 9, "scales", 1},
};

static enum bst_code move_attributes(struct reader *r, struct node *node)
{
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < sizeof moved / sizeof moved[0] && code == BST_OK; i++)
        if (r->graph->opset < moved[i].before && is(node, moved[i].type))
            code = move_attribute(r, node, moved[i].attribute, moved[i].input);
    return code;
}

/* ---- operands aligned by an attribute ---- */

static bool aligns(const struct node *node)
{
    static const char *const types[] = {"Add", "And", "Div", "Equal", "Greater", "Less",
                                        "Mul", "Or",  "Pow", "Sub",   "Xor"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (is(node, types[i])) return true;
    return false;
}

/* Before operator set 7 the second operand's dims were laid along the first one's from an axis on; PRelu's slopes
 * along the channels. */
static enum bst_code align_operand(struct reader *r, struct node *node)
{
    bool slopes = is(node, "PRelu");
    if (r->graph->opset >= 7 || node->input_count < 2 || node->inputs[0] < 0 || node->inputs[1] < 0)
        return BST_OK;
    if (!slopes &&
        (!aligns(node) || node_attribute(node, "axis") == NULL || node_int(node, "broadcast", 0) == 0))
        return BST_OK;
    int32_t inputs[2] = {node->inputs[1], node->inputs[0]}, aligned;
    struct node *made;
    enum bst_code code = reader_node(r, node, &op_align, 2, inputs, &aligned, &made);
    if (code != BST_OK) return code;
    made->attributes = node->attributes; /* where the axis is */
    made->attribute_count = node->attribute_count;
    node->inputs[1] = aligned;
    return BST_OK;
}

/* ---- others ---- */

/* Before operator set 7 Upsample's scales were an attribute for the height and one for the width. */
static enum bst_code scales_of_sides(struct reader *r, struct node *node)
{
    static const int64_t four = 4;
    if (r->graph->opset >= 7 || !is(node, "Upsample")) return BST_OK;
    struct tensor *t = graph_take(r->graph, 1, sizeof *t);
    float *scales = graph_take(r->graph, 4, sizeof *scales);
    if (t == NULL || scales == NULL) return bst_fail_memory(r->err);
    tensor_set_dims(t, KIND_FLOAT, 1, &four);
    scales[0] = scales[1] = 1.0f;
    scales[2] = node_float(node, "height_scale", 0);
    scales[3] = node_float(node, "width_scale", 0);
    t->data = scales;
    return set_constant(r, node, 1, t);
}

/* Before operator set 7 an attribute said whether a node learns. */
static enum bst_code check_learning(struct reader *r, const struct node *node)
{
    bool either = is(node, "BatchNormalization") || is(node, "Dropout");
    if (either && r->graph->opset < 7 && node_int(node, "is_test", 0) == 0)
        return bst_fail(r->err, BST_UNREADABLE, "the model was exported in training mode, not for inference");
    if (either && r->graph->opset < 9 && node_int(node, "spatial", 1) == 0)
        return bst_fail(r->err, BST_UNREADABLE, "normalising each place on its own is not supported");
    return BST_OK;
}

static enum bst_code number_constant(struct reader *r, float number, int32_t *out)
{
    struct tensor *t = graph_take(r->graph, 1, sizeof *t);
    float *data = graph_take(r->graph, 1, sizeof *data);
    if (t == NULL || data == NULL) return bst_fail_memory(r->err);
    tensor_set_dims(t, KIND_FLOAT, 0, NULL);
    *data = number;
    t->data = data;
    return reader_constant(r, t, out);
}

/* Gemm's beta, where it is neither 0 nor 1, becomes a product of its own. */
static enum bst_code split_beta(struct reader *r, struct node *node)
{
    float beta = node_float(node, "beta", 1.0f);
    if (!is(node, "Gemm") || node->input_count < 3 || node->inputs[2] < 0 || beta == 0.0f || beta == 1.0f)
        return BST_OK;
    int32_t inputs[2] = {node->inputs[2], -1};
    struct node *made;
    enum bst_code code = number_constant(r, beta, &inputs[1]);
    if (code == BST_OK) code = reader_node(r, node, op_find("Mul"), 2, inputs, &node->inputs[2], &made);
    for (size_t i = 0; i < node->attribute_count; i++)
        if (strcmp(node->attributes[i].name, "beta") == 0) node->attributes[i].f = 1.0f;
    return code;
}

enum bst_code upgrade_node(struct reader *r, struct node *node)
{
    enum bst_code code = check_learning(r, node);
    if (code == BST_OK) code = move_attributes(r, node);
    if (code == BST_OK) code = align_operand(r, node);
    if (code == BST_OK) code = scales_of_sides(r, node);
    return code == BST_OK ? split_beta(r, node) : code;
}
