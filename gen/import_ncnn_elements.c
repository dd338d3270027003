/* import_ncnn_elements.c - ncnn's layers that work on single numbers, and its normalisations. */
#include "import_ncnn.h"

/* A vector [C] as what broadcasts over the channels of a value of that rank. */
static const char *per_channel(struct ncnn *n, const char *vector, size_t rank)
{
    return rank == 3 ? net_reshape(n->net, vector, 3, (int64_t[]){-1, 1, 1}) : vector;
}

const char *ncnn_clip_to(struct ncnn *n, const char *x, float low, float high)
{
    const char *inputs[] = {x, net_scalar(n->net, low), net_scalar(n->net, high)};
    return net_node(n->net, "Clip", 3, inputs, 0, NULL);
}

const char *ncnn_squash(struct ncnn *n, const char *x, float alpha, float beta)
{
    x = net_binary(n->net, "Mul", x, net_scalar(n->net, alpha));
    return ncnn_clip_to(n, net_binary(n->net, "Add", x, net_scalar(n->net, beta)), 0.0f, 1.0f);
}

/* ---- element by element ---- */

/* A vector beside a map belongs to its channels. */
static const char *aligned(struct ncnn *n, const struct ncnn_blob *blob, size_t rank)
{
    if (blob->rank == 1 && rank == 3) return net_reshape(n->net, blob->value, 4, (int64_t[]){0, -1, 1, 1});
    if (blob->rank == 2 && rank == 3)
        return net_binary(n->net, "Unsqueeze", blob->value, net_ints(n->net, 1, (int64_t[]){1}));
    return blob->value;
}

void ncnn_binary_op(struct ncnn *n, struct ncnn_layer *l)
{
    static const char *const types[] = {"Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "Sub", "Div", "Pow"};
    int64_t type = ncnn_int(l, 0, 0);
    bool scalar = ncnn_int(l, 1, 0) != 0;
    float number = ncnn_float(l, 2, 0.0f);
    if (type < 0 || type > 9 || (!scalar && l->bottom_count != 2)) {
        net_fail(n->net, "operation %lld is not supported", (long long)type);
        return;
    }
    const struct ncnn_blob *first = ncnn_in(l, 0), *second = scalar ? first : ncnn_in(l, 1);
    size_t rank = first->rank > second->rank ? first->rank : second->rank;
    const char *a = aligned(n, first, rank),
               *b = scalar ? net_scalar(n->net, number) : aligned(n, second, rank);
    ncnn_out(l, type > 6 ? net_binary(n->net, types[type], b, a) : net_binary(n->net, types[type], a, b));
    l->tops[0]->rank = rank;
    if (first->channels != second->channels)
        l->tops[0]->channels = rank == first->rank ? first->channels : second->channels;
}

void ncnn_eltwise(struct ncnn *n, struct ncnn_layer *l)
{
    static const char *const types[] = {"Mul", "Add", "Max"};
    int64_t type = ncnn_int(l, 0, 0);
    const struct ncnn_param *factors = &l->params[1];
    l->asked |= 1u << 1;
    if (type < 0 || type > 2 || (factors->count > 0 && (type != 1 || factors->count != l->bottom_count))) {
        net_fail(n->net, "operation %lld with %zu factors is not supported", (long long)type, factors->count);
        return;
    }
    const char *sum = NULL;
    for (size_t i = 0; i < l->bottom_count; i++) {
        const char *x = ncnn_in(l, i)->value;
        if (factors->count > 0 && factors->list[i] != 1.0)
            x = net_binary(n->net, "Mul", x, net_scalar(n->net, (float)factors->list[i]));
        sum = sum != NULL ? net_binary(n->net, types[type], sum, x) : x;
    }
    ncnn_out(l, sum);
}

void ncnn_scale(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t size = ncnn_int(l, 0, 0), bias = ncnn_int(l, 1, 0);
    size_t rank = ncnn_in(l, 0)->rank;
    const char *x = ncnn_in(l, 0)->value;
    if ((size == NCNN_UNSET) != (l->bottom_count == 2) || (size == NCNN_UNSET && bias)) {
        net_fail(n->net, "%lld factors for %zu inputs", (long long)size, l->bottom_count);
        return;
    }
    x = net_binary(n->net, "Mul", x,
                   size == NCNN_UNSET ? aligned(n, ncnn_in(l, 1), rank)
                                      : per_channel(n, ncnn_vector(n, size), rank));
    if (bias) x = net_binary(n->net, "Add", x, per_channel(n, ncnn_vector(n, size), rank));
    ncnn_out(l, x);
}

void ncnn_prelu(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t count = ncnn_int(l, 0, 0);
    const char *slope = ncnn_vector(n, count);
    ncnn_out(l, net_binary(n->net, "PRelu", ncnn_in(l, 0)->value,
                           count > 1 ? per_channel(n, slope, ncnn_in(l, 0)->rank) : slope));
}

void ncnn_relu(struct ncnn *n, struct ncnn_layer *l)
{
    float slope = ncnn_float(l, 0, 0.0f);
    const char *x = ncnn_in(l, 0)->value;
    ncnn_out(l, slope == 0.0f ? net_unary(n->net, "Relu", x) : net_leaky(n->net, x, slope));
}

void ncnn_clip(struct ncnn *n, struct ncnn_layer *l)
{
    ncnn_out(l, ncnn_clip_to(n, ncnn_in(l, 0)->value, ncnn_float(l, 0, -3.4e38f), ncnn_float(l, 1, 3.4e38f)));
}

void ncnn_sigmoid(struct ncnn *n, struct ncnn_layer *l)
{
    ncnn_out(l, net_unary(n->net, "Sigmoid", ncnn_in(l, 0)->value));
}

void ncnn_tanh(struct ncnn *n, struct ncnn_layer *l)
{
    ncnn_out(l, net_unary(n->net, "Tanh", ncnn_in(l, 0)->value));
}

void ncnn_swish(struct ncnn *n, struct ncnn_layer *l)
{
    const char *x = ncnn_in(l, 0)->value;
    ncnn_out(l, net_binary(n->net, "Mul", x, net_unary(n->net, "Sigmoid", x)));
}

void ncnn_hard_sigmoid(struct ncnn *n, struct ncnn_layer *l)
{
    ncnn_out(l, ncnn_squash(n, ncnn_in(l, 0)->value, ncnn_float(l, 0, 0.2f), ncnn_float(l, 1, 0.5f)));
}

void ncnn_hard_swish(struct ncnn *n, struct ncnn_layer *l)
{
    const char *x = ncnn_in(l, 0)->value;
    ncnn_out(l,
             net_binary(n->net, "Mul", x, ncnn_squash(n, x, ncnn_float(l, 0, 0.2f), ncnn_float(l, 1, 0.5f))));
}

void ncnn_unary_op(struct ncnn *n, struct ncnn_layer *l)
{
    static const char *const types[] = {"Abs",  "Neg",  "Floor", "Ceil",       NULL,  "Sqrt",
                                        NULL,   "Exp",  "Log",   "Sin",        "Cos", "Tan",
                                        "Asin", "Acos", "Atan",  "Reciprocal", "Tanh"};
    int64_t type = ncnn_int(l, 0, 0);
    const char *x = ncnn_in(l, 0)->value;
    if (type == 4)
        ncnn_out(l, net_binary(n->net, "Mul", x, x));
    else if (type == 6)
        ncnn_out(l, net_unary(n->net, "Reciprocal", net_unary(n->net, "Sqrt", x)));
    else if (type >= 0 && type <= 16)
        ncnn_out(l, net_unary(n->net, types[type], x));
    else
        net_fail(n->net, "operation %lld is not supported", (long long)type);
}

void ncnn_softmax(struct ncnn *n, struct ncnn_layer *l)
{
    struct net_attribute axis = {.name = "axis", .kind = NET_INT, .i = ncnn_axis(ncnn_int(l, 0, 0))};
    ncnn_int(l, 1, 0); /* whether axis is to be believed: written by all since 2018 */
    ncnn_out(l, net_node(n->net, "Softmax", 1, &ncnn_in(l, 0)->value, 1, &axis));
}

/* ---- normalisation ---- */

void ncnn_batch_norm(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t channels = ncnn_int(l, 0, 0);
    struct net_attribute how = {.name = "epsilon", .kind = NET_FLOAT, .f = ncnn_float(l, 1, 0.0f)};
    const char *scales = ncnn_vector(n, channels), *mean = ncnn_vector(n, channels);
    const char *var = ncnn_vector(n, channels), *bias = ncnn_vector(n, channels);
    const char *inputs[] = {ncnn_in(l, 0)->value, scales, bias, mean, var};
    ncnn_out(l, net_node(n->net, "BatchNormalization", 5, inputs, 1, &how));
}

void ncnn_instance_norm(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t channels = ncnn_int(l, 0, 0), affine = ncnn_int(l, 2, 1);
    struct net_attribute how = {.name = "epsilon", .kind = NET_FLOAT, .f = ncnn_float(l, 1, 0.001f)};
    const char *gamma = affine ? ncnn_vector(n, channels) : net_filled(n->net, channels, 1.0f);
    const char *beta = affine ? ncnn_vector(n, channels) : net_filled(n->net, channels, 0.0f);
    ncnn_out(l, net_node(n->net, "InstanceNormalization", 3,
                         (const char *[]){ncnn_in(l, 0)->value, gamma, beta}, 1, &how));
}
