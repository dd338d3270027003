/* op_elementwise.c - functions of one and of two tensors, number by number, and BatchNormalization; and
 * posts: the same functions applied to another step's output row by row. */
#include "op.h"

#include <math.h>
#include <string.h>

/* ---- posts ---- */

struct planes planes_of(const struct tensor *t)
{
    struct planes p = {1, 1, 1};
    if (t->rank == 1) p.pixels = (size_t)t->dims[0];
    if (t->rank >= 2) {
        bool batch = t->rank >= 3; /* [N, C, ...], [C, P] or [P] */
        p.outer = batch ? (size_t)t->dims[0] : 1;
        p.channels = (size_t)t->dims[batch ? 1 : 0];
        for (size_t i = batch ? 2 : 1; i < t->rank; i++)
            p.pixels *= (size_t)t->dims[i];
    }
    return p;
}

/* The number that a post without pixels has for plane (o, c). */
static float post_number(const struct post *post, size_t o, size_t c, float missing)
{
    return post == NULL ? missing : tensor_floats(post->operand)[o * post->outer + c * post->channel];
}

static void post_row(const struct bst_kernels *k, const struct post *post, const float *src, float *dst,
                     size_t count, size_t o, size_t c, size_t p)
{
    if (post->form == POST_FILM) {
        /* x * 1 and x + -0 are x to the bit */
        k->film(src, dst, count, post_number(post->parts[0], o, c, 1.0f),
                post_number(post->parts[1], o, c, -0.0f), post->a);
    } else if (post->form == POST_UNARY) {
        k->unary(post->unary, src, dst, count, post->a, post->b);
    } else if (post->form == POST_CHANNEL_AFFINE) {
        k->unary(BST_U_AFFINE, src, dst, count, post->scale[c], post->shift[c]);
    } else {
        const float *operand =
            tensor_floats(post->operand) + o * post->outer + c * post->channel + p * post->pixel;
        if (post->swapped)
            k->binary(post->binary, operand, post->pixel, src, 1, dst, count);
        else
            k->binary(post->binary, src, 1, operand, post->pixel, dst, count);
    }
}

void posts_apply(const struct bst_kernels *k, const struct post *posts, size_t post_count, const float *src,
                 float *dst, size_t count, size_t o, size_t c, size_t p)
{
    if (post_count == 0 && src != dst) memcpy(dst, src, count * sizeof *dst);
    for (size_t i = 0; i < post_count; i++)
        post_row(k, &posts[i], i == 0 ? src : dst, dst, count, o, c, p);
}

static bool is_plain(const struct post *post, enum bst_binary binary)
{
    return post->form == POST_BINARY && post->binary == binary && post->pixel == 0;
}

size_t posts_merge(const struct post *posts, size_t count, struct post *out)
{
    size_t made = 0;
    for (size_t i = 0; i < count;) {
        struct post film = {.form = POST_FILM, .a = 1.0f};
        size_t at = i;
        if (at < count && is_plain(&posts[at], BST_B_MUL)) film.parts[0] = &posts[at++];
        if (at < count && is_plain(&posts[at], BST_B_ADD)) film.parts[1] = &posts[at++];
        if (at < count && posts[at].form == POST_UNARY && posts[at].unary == BST_U_LEAKY)
            film.a = posts[at++].a;
        bool worth = at - i >= 2;
        out[made++] = worth ? film : posts[i];
        i = worth ? at : i + 1;
    }
    return made;
}

#define ROW ((size_t)8192) /* numbers a task of an elementwise step handles: within the first-level cache */

struct posts_job {
    const struct bst_kernels *k;
    const struct post *posts;
    size_t post_count;
    const float *src;
    float *dst;
    struct planes planes;
    size_t rows; /* of ROW numbers in a plane */
};

static void posts_task(void *arg, size_t index, unsigned thread)
{
    const struct posts_job *job = arg;
    (void)thread;
    size_t row = index % job->rows, plane = index / job->rows, at = row * ROW;
    size_t count = job->planes.pixels - at < ROW ? job->planes.pixels - at : ROW;
    size_t place = plane * job->planes.pixels + at;
    posts_apply(job->k, job->posts, job->post_count, job->src + place, job->dst + place, count,
                plane / job->planes.channels, plane % job->planes.channels, at);
}

void posts_apply_all(const struct run *run, const struct step *step, const float *src, float *dst)
{
    struct posts_job job = {
        run->kernels, step->posts, step->post_count, src, dst, planes_of(step->result), 0};
    job.rows = (job.planes.pixels + ROW - 1) / ROW;
    bst_pool_run(run->pool, job.planes.outer * job.planes.channels * job.rows, posts_task, &job);
}

/* ---- which function ---- */

static bool unary_kind(const struct step *step, struct post *post)
{
    static const struct {
        const char *name;
        enum bst_unary unary;
    } names[] = {
        {"Abs", BST_U_ABS},
        {"Ceil", BST_U_CEIL},
        {"Clip", BST_U_CLIP},
        {"Elu", BST_U_ELU},
        {"Exp", BST_U_EXP},
        {"Floor", BST_U_FLOOR},
        {"LeakyRelu", BST_U_LEAKY},
        {"Log", BST_U_LOG},
        {"Neg", BST_U_NEG},
        {"Pow", BST_U_POW},
        {"Reciprocal", BST_U_RECIPROCAL},
        {"Relu", BST_U_RELU},
        {"Sigmoid", BST_U_SIGMOID},
        {"Sqrt", BST_U_SQRT},
        {"Tanh", BST_U_TANH},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(step->op->name, names[i].name) != 0) continue;
        post->unary = names[i].unary;
        return true;
    }
    return false;
}

static bool binary_kind(const struct step *step, enum bst_binary *out)
{
    static const char *const names[] = {"Add", "Sub", "Mul", "Div", "Min", "Max", "PRelu"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(step->op->name, names[i]) != 0) continue;
        *out = (enum bst_binary)i; /* the order of enum bst_binary */
        return true;
    }
    return false;
}

/* A constant of one number at input index, else fallback. */
static bool scalar_input(const struct step *step, size_t index, float fallback, float *out)
{
    const struct tensor *t = step_input(step, index);
    *out = fallback;
    if (t == NULL) return true;
    if (t->data == NULL || t->count != 1) return false;
    *out = t->kind == KIND_FLOAT ? tensor_floats(t)[0] : (float)tensor_ints(t)[0];
    return true;
}

static bool unary_post(const struct step *step, struct post *post)
{
    if (!unary_kind(step, post)) return false;
    post->form = POST_UNARY;
    switch (post->unary) {
    case BST_U_LEAKY:
        post->a = node_float(step->node, "alpha", 0.01f);
        return true;
    case BST_U_ELU:
        post->a = node_float(step->node, "alpha", 1.0f);
        return true;
    case BST_U_CLIP:
        return scalar_input(step, 1, -INFINITY, &post->a) && scalar_input(step, 2, INFINITY, &post->b);
    case BST_U_POW:
        return scalar_input(step, 1, 1.0f, &post->a);
    default:
        return true;
    }
}

bool post_operand(const struct tensor *operand, const struct tensor *out, struct post *post)
{
    size_t split = out->rank >= 3 ? 2 : out->rank == 2 ? 1 : 0; /* where the pixels begin */
    size_t pixels = 1;
    bool all = true, none = true;
    int64_t dims[RANK_MAX];
    if (operand->rank > out->rank) return false;
    for (size_t i = 0; i < out->rank; i++) {
        size_t lead = out->rank - operand->rank;
        dims[i] = i < lead ? 1 : operand->dims[i - lead];
        if (dims[i] != 1 && dims[i] != out->dims[i]) return false;
        if (i < split || out->dims[i] == 1) continue;
        all = all && dims[i] == out->dims[i];
        none = none && dims[i] == 1;
    }
    if (!all && !none) return false;
    for (size_t i = split; i < out->rank; i++)
        pixels *= (size_t)dims[i];
    post->pixel = all && pixels > 1 ? 1 : 0;
    size_t channels = split >= 1 ? (size_t)dims[split - 1] : 1;
    post->channel = channels > 1 ? pixels : 0;
    post->outer = split == 2 && dims[0] > 1 ? pixels * channels : 0;
    return true;
}

static bool binary_post(const struct step *step, size_t index, struct post *post)
{
    const struct tensor *through = step->inputs[index], *operand = step->inputs[1 - index];
    const struct tensor *out = step->outputs[0];
    if (!binary_kind(step, &post->binary) || !tensor_same_dims(through, out)) return false;
    if (post->binary == BST_B_PRELU && index != 0) return false;
    post->form = POST_BINARY;
    post->swapped = index == 1;
    post->operand = operand;
    return post_operand(operand, out, post);
}

bool op_post(const struct step *step, size_t index, struct post *post)
{
    memset(post, 0, sizeof *post);
    if (step->outputs[0] == NULL || step->outputs[0]->kind != KIND_FLOAT) return false;
    if (step->op->infer == batch_norm_infer) {
        if (index != 0) return false;
        post->form = POST_CHANNEL_AFFINE;
        post->scale = step->prepared;
        post->shift = post->scale + step->inputs[1]->count;
        return true;
    }
    if (step->op->infer == unary_infer) return index == 0 && unary_post(step, post);
    return binary_post(step, index, post);
}

/* ---- infer ---- */

OP_INFER(unary)
{
    struct post post = {0};
    enum bst_code code = step_float(step, 0, 0, err);
    if (code != BST_OK) return code;
    if (!unary_post(step, &post)) return step_bad(err, "a parameter is not one constant number");
    return step_output(step, 0, KIND_FLOAT, step->inputs[0]->rank, step->inputs[0]->dims, err);
}

/* Numpy's broadcasting: dims aligned at the end, 1 stretches. */
static bool broadcast_dims(const struct tensor *a, const struct tensor *b, size_t *rank, int64_t *dims)
{
    *rank = a->rank > b->rank ? a->rank : b->rank;
    for (size_t i = 0; i < *rank; i++) {
        int64_t da = i + a->rank < *rank ? 1 : a->dims[i + a->rank - *rank];
        int64_t db = i + b->rank < *rank ? 1 : b->dims[i + b->rank - *rank];
        if (da != db && da != 1 && db != 1) return false;
        dims[i] = da == 1 ? db : da;
    }
    return true;
}

static enum bst_code broadcast_output(struct step *step, size_t first, enum kind kind, struct bst_error *err)
{
    const struct tensor *a = step->inputs[first], *b = step->inputs[first + 1];
    char ta[DIMS_TEXT], tb[DIMS_TEXT];
    int64_t dims[RANK_MAX];
    size_t rank;
    if (!broadcast_dims(a, b, &rank, dims))
        return step_bad(err, "%s and %s do not fit together", dims_text(a->rank, a->dims, ta),
                        dims_text(b->rank, b->dims, tb));
    return step_output(step, 0, kind, rank, dims, err);
}

OP_INFER(binary)
{
    const struct tensor *a = step->inputs[0], *b = step->inputs[1];
    if (a->kind != b->kind) return step_bad(err, "whole and floating-point numbers are mixed");
    enum bst_code code = broadcast_output(step, 0, a->kind, err);
    if (code != BST_OK || strcmp(step->op->name, "PRelu") != 0) return code;
    if (a->kind != KIND_FLOAT || !tensor_same_dims(a, step->outputs[0]))
        return step_bad(err, "the slope does not fit the input");
    return BST_OK;
}

OP_INFER(compare)
{
    if (step->inputs[0]->kind != step->inputs[1]->kind)
        return step_bad(err, "whole and floating-point numbers are mixed");
    return broadcast_output(step, 0, KIND_INT, err);
}

OP_INFER(where)
{
    const struct tensor *condition = step->inputs[0], *a = step->inputs[1], *b = step->inputs[2];
    if (condition->kind != KIND_INT || a->kind != b->kind)
        return step_bad(err, "the inputs are of the wrong types");
    enum bst_code code = broadcast_output(step, 1, a->kind, err);
    int64_t dims[RANK_MAX];
    size_t rank;
    if (code != BST_OK) return code;
    if (!broadcast_dims(condition, step->outputs[0], &rank, dims))
        return step_bad(err, "the condition does not fit");
    return step_output(step, 0, a->kind, rank, dims, err);
}

/* Scale, shift, mean and variance must be constant: inference as it is exported. */
OP_INFER(batch_norm)
{
    enum bst_code code = step_float(step, 0, 0, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0];
    if (x->rank < 2) return step_bad(err, "the input has no channels");
    if (node_int(step->node, "training_mode", 0) != 0)
        return step_bad(err, "the model was exported in training mode, not for inference");
    for (size_t i = 1; i < 5; i++) {
        const struct tensor *t = step->inputs[i];
        if (t->kind != KIND_FLOAT || t->data == NULL || t->count != (size_t)x->dims[1])
            return step_bad(err, "input %zu is not a constant of %lld numbers", i, (long long)x->dims[1]);
    }
    return step_output(step, 0, KIND_FLOAT, x->rank, x->dims, err);
}

/* ---- prepare and run ---- */

static enum bst_code prepare_batch_norm(struct step *step, struct bst_error *err)
{
    size_t channels = step->inputs[1]->count;
    float *scale = step_take(step, 2 * channels, sizeof *scale),
          epsilon = node_float(step->node, "epsilon", 1e-5f);
    if (scale == NULL) return bst_fail_memory(err);
    const float *gamma = tensor_floats(step->inputs[1]), *beta = tensor_floats(step->inputs[2]);
    const float *mean = tensor_floats(step->inputs[3]), *variance = tensor_floats(step->inputs[4]);
    for (size_t c = 0; c < channels; c++) {
        scale[c] = gamma[c] / sqrtf(variance[c] + epsilon);
        scale[channels + c] = fmaf(-mean[c], scale[c], beta[c]);
    }
    step->prepared = scale;
    return BST_OK;
}

OP_PREPARE(elementwise)
{
    (void)kernels;
    (void)threads;
    enum bst_code code = step->op->infer == batch_norm_infer ? prepare_batch_norm(step, err) : BST_OK;
    for (size_t i = 0; i < step->input_count && i < 2 && step->source == NULL; i++) {
        if (!op_post(step, i, &step->own[0])) continue;
        step->own_count = 1;
        step->source = step->inputs[i];
    }
    return code;
}

/* Number places of an operand broadcast over dims. */
static void broadcast_strides(const struct tensor *t, size_t rank, int64_t *strides)
{
    int64_t dense[RANK_MAX];
    dense_strides(t->rank, t->dims, dense);
    for (size_t i = 0; i < rank; i++) {
        size_t lead = rank - t->rank;
        strides[i] = i < lead || t->dims[i - lead] == 1 ? 0 : dense[i - lead];
    }
}

struct general_job {
    const struct step *step;
    const struct bst_kernels *k;
    enum bst_binary binary;
    int64_t a[RANK_MAX], b[RANK_MAX]; /* strides */
};

/* One innermost row of the output. */
static void general_task(void *arg, size_t index, unsigned thread)
{
    const struct general_job *job = arg;
    const struct tensor *out = job->step->outputs[0];
    size_t last = out->rank - 1, n = (size_t)out->dims[last], rest = index;
    int64_t a = 0, b = 0;
    (void)thread;
    for (size_t i = last; i-- > 0; rest /= (size_t)out->dims[i]) {
        int64_t at = (int64_t)(rest % (size_t)out->dims[i]);
        a += at * job->a[i];
        b += at * job->b[i];
    }
    job->k->binary(job->binary, tensor_floats(job->step->inputs[0]) + a, (size_t)job->a[last],
                   tensor_floats(job->step->inputs[1]) + b, (size_t)job->b[last],
                   tensor_floats(job->step->result) + index * n, n);
}

static void run_general(const struct step *step, const struct run *run)
{
    const struct tensor *out = step->outputs[0];
    struct general_job job = {.step = step, .k = run->kernels};
    if (out->count == 0) return;
    binary_kind(step, &job.binary);
    if (out->rank == 0) {
        run->kernels->binary(job.binary, tensor_floats(step->inputs[0]), 0, tensor_floats(step->inputs[1]), 0,
                             tensor_floats(step->result), 1);
        return;
    }
    broadcast_strides(step->inputs[0], out->rank, job.a);
    broadcast_strides(step->inputs[1], out->rank, job.b);
    bst_pool_run(run->pool, out->count / (size_t)out->dims[out->rank - 1], general_task, &job);
}

static int64_t int_binary(enum bst_binary op, int64_t a, int64_t b)
{
    uint64_t ua = (uint64_t)a, ub = (uint64_t)b; /* wraps, as the format says */
    switch (op) {
    case BST_B_ADD:
        return (int64_t)(ua + ub);
    case BST_B_SUB:
        return (int64_t)(ua - ub);
    case BST_B_MUL:
        return (int64_t)(ua * ub);
    case BST_B_DIV:
        return b == 0 ? 0 : b == -1 ? (int64_t)(0 - ua) : a / b;
    case BST_B_MIN:
        return a < b ? a : b;
    default:
        return a > b ? a : b;
    }
}

/* The place of number index of out in an operand. */
static size_t operand_place(const struct tensor *out, const int64_t *strides, size_t index)
{
    int64_t at = 0;
    for (size_t i = out->rank; i-- > 0; index /= (size_t)out->dims[i])
        at += (int64_t)(index % (size_t)out->dims[i]) * strides[i];
    return (size_t)at;
}

static void run_ints(const struct step *step)
{
    const struct tensor *out = step->outputs[0];
    int64_t a[RANK_MAX], b[RANK_MAX];
    enum bst_binary op = BST_B_ADD;
    binary_kind(step, &op);
    broadcast_strides(step->inputs[0], out->rank, a);
    broadcast_strides(step->inputs[1], out->rank, b);
    for (size_t i = 0; i < out->count; i++)
        tensor_ints(out)[i] = int_binary(op, tensor_ints(step->inputs[0])[operand_place(out, a, i)],
                                         tensor_ints(step->inputs[1])[operand_place(out, b, i)]);
}

OP_RUN(elementwise)
{
    if (step->outputs[0]->kind == KIND_INT) {
        run_ints(step);
        return;
    }
    const struct tensor *source = step->source;
    if (source == NULL) { /* neither input has the output's dims */
        run_general(step, run);
        source = step->result;
    }
    if (source != step->result || step->post_count > 0)
        posts_apply_all(run, step, tensor_floats(source), tensor_floats(step->result));
}

OP_RUN(compare)
{
    const struct tensor *out = step->outputs[0], *x = step->inputs[0], *y = step->inputs[1];
    int64_t a[RANK_MAX], b[RANK_MAX];
    (void)run;
    broadcast_strides(x, out->rank, a);
    broadcast_strides(y, out->rank, b);
    for (size_t i = 0; i < out->count; i++) {
        size_t pa = operand_place(out, a, i), pb = operand_place(out, b, i);
        tensor_ints(out)[i] = x->kind == KIND_INT ? tensor_ints(x)[pa] == tensor_ints(y)[pb]
                                                  : tensor_floats(x)[pa] == tensor_floats(y)[pb];
    }
}

OP_RUN(where)
{
    const struct tensor *out = step->outputs[0];
    int64_t strides[3][RANK_MAX];
    (void)run;
    for (size_t k = 0; k < 3; k++)
        broadcast_strides(step->inputs[k], out->rank, strides[k]);
    for (size_t i = 0; i < out->count; i++) {
        size_t pick = tensor_ints(step->inputs[0])[operand_place(out, strides[0], i)] != 0 ? 1 : 2;
        size_t place = operand_place(out, strides[pick], i);
        if (out->kind == KIND_INT)
            tensor_ints(out)[i] = tensor_ints(step->inputs[pick])[place];
        else
            tensor_floats(out)[i] = tensor_floats(step->inputs[pick])[place];
    }
}
