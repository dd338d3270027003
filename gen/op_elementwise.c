/* op_elementwise.c - functions of one tensor, and of two or more that are broadcast, number by number. Where
 * they can be a post (op_posts.c), the step before applies them. */
#include "op.h"
#include "sizes.h"

#include <math.h>
#include <string.h>

/* ---- which function ---- */

struct unary_row {
    const char *name;
    enum bst_unary unary;
    const char *a_name, *b_name; /* attributes that are the parameters */
    float a, b;                  /* where the file gives none */
};

static const struct unary_row unary_rows[] = {
    {"Abs", BST_U_ABS, NULL, NULL, 0, 0},
    {"Acos", BST_U_ACOS, NULL, NULL, 0, 0},
    {"Acosh", BST_U_ACOSH, NULL, NULL, 0, 0},
    {"Asin", BST_U_ASIN, NULL, NULL, 0, 0},
    {"Asinh", BST_U_ASINH, NULL, NULL, 0, 0},
    {"Atan", BST_U_ATAN, NULL, NULL, 0, 0},
    {"Atanh", BST_U_ATANH, NULL, NULL, 0, 0},
    {"Ceil", BST_U_CEIL, NULL, NULL, 0, 0},
    {"Celu", BST_U_CELU, "alpha", NULL, 1, 0},
    {"Clip", BST_U_CLIP, "min", "max", -INFINITY, INFINITY},
    {"Cos", BST_U_COS, NULL, NULL, 0, 0},
    {"Cosh", BST_U_COSH, NULL, NULL, 0, 0},
    {"Elu", BST_U_ELU, "alpha", NULL, 1, 0},
    {"Erf", BST_U_ERF, NULL, NULL, 0, 0},
    {"Exp", BST_U_EXP, NULL, NULL, 0, 0},
    {"Floor", BST_U_FLOOR, NULL, NULL, 0, 0},
    {"Gelu", BST_U_GELU, NULL, NULL, 0, 0},
    {"HardSigmoid", BST_U_HARD_SIGMOID, "alpha", "beta", 0.2f, 0.5f},
    {"HardSwish", BST_U_HARD_SWISH, NULL, NULL, 0, 0},
    {"LeakyRelu", BST_U_LEAKY, "alpha", NULL, 0.01f, 0},
    {"Log", BST_U_LOG, NULL, NULL, 0, 0},
    {"Mish", BST_U_MISH, NULL, NULL, 0, 0},
    {"Neg", BST_U_NEG, NULL, NULL, 0, 0},
    {"Pow", BST_U_POW, NULL, NULL, 1, 0},
    {"Reciprocal", BST_U_RECIPROCAL, NULL, NULL, 0, 0},
    {"Relu", BST_U_RELU, NULL, NULL, 0, 0},
    {"Round", BST_U_ROUND, NULL, NULL, 0, 0},
    {"Selu", BST_U_SELU, "alpha", "gamma", 0x1.ac5afap+0f, 0x1.0cfabep+0f},
    {"Sigmoid", BST_U_SIGMOID, NULL, NULL, 0, 0},
    {"Sign", BST_U_SIGN, NULL, NULL, 0, 0},
    {"Sin", BST_U_SIN, NULL, NULL, 0, 0},
    {"Sinh", BST_U_SINH, NULL, NULL, 0, 0},
    {"Softplus", BST_U_SOFTPLUS, NULL, NULL, 0, 0},
    {"Softsign", BST_U_SOFTSIGN, NULL, NULL, 0, 0},
    {"Sqrt", BST_U_SQRT, NULL, NULL, 0, 0},
    {"Tan", BST_U_TAN, NULL, NULL, 0, 0},
    {"Tanh", BST_U_TANH, NULL, NULL, 0, 0},
    {"ThresholdedRelu", BST_U_THRESHOLD, "alpha", NULL, 1, 0},
};

static const struct unary_row *unary_row(const struct step *step)
{
    for (size_t i = 0; i < sizeof unary_rows / sizeof unary_rows[0]; i++)
        if (strcmp(step->op->name, unary_rows[i].name) == 0) return &unary_rows[i];
    return NULL;
}

static bool binary_kind(const struct step *step, enum bst_binary *out)
{
    static const struct {
        const char *name;
        enum bst_binary binary;
    } rows[] = {
        {"Add", BST_B_ADD}, {"Div", BST_B_DIV}, {"Max", BST_B_MAX}, {"Mean", BST_B_ADD},
        {"Min", BST_B_MIN}, {"Mul", BST_B_MUL}, {"Pow", BST_B_POW}, {"PRelu", BST_B_PRELU},
        {"Sub", BST_B_SUB}, {"Sum", BST_B_ADD},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(step->op->name, rows[i].name) != 0) continue;
        *out = rows[i].binary;
        return true;
    }
    return false;
}

static bool is_mean(const struct step *step)
{
    return strcmp(step->op->name, "Mean") == 0;
}

static float number_of(const struct tensor *t)
{
    return t->kind == KIND_FLOAT ? tensor_floats(t)[0] : (float)tensor_ints(t)[0];
}

/* A parameter given as input index, which is constant, replaces *value; false when it is not one constant
 * number. */
static bool constant_parameter(const struct step *step, size_t index, float *value)
{
    const struct tensor *t = step_input(step, index);
    if (t == NULL) return true;
    if (t->data == NULL || t->count != 1) return false;
    *value = number_of(t);
    return true;
}

static void unary_post(const struct step *step, const struct unary_row *row, struct post *post)
{
    *post = (struct post){.form = POST_UNARY, .unary = row->unary, .a = row->a, .b = row->b};
    if (row->a_name != NULL) post->a = node_float(step->node, row->a_name, row->a);
    if (row->b_name != NULL) post->b = node_float(step->node, row->b_name, row->b);
    if (row->unary == BST_U_GELU && strcmp(node_string(step->node, "approximate", "none"), "tanh") == 0)
        post->unary = BST_U_GELU_TANH;
}

/* ---- posts ---- */

/* A power whose exponent is one constant number. */
static bool pow_post(const struct step *step, struct post *post)
{
    unary_post(step, unary_row(step), post);
    return step->inputs[1]->rank <= step->inputs[0]->rank && constant_parameter(step, 1, &post->a);
}

static bool binary_post(const struct step *step, size_t index, struct post *post)
{
    if (step->input_count == 1) { /* of several that could be there */
        *post = (struct post){.form = POST_UNARY, .unary = BST_U_COPY};
        return true;
    }
    if (step->input_count != 2 || is_mean(step)) return false;
    const struct tensor *through = step->inputs[index], *operand = step->inputs[1 - index];
    const struct tensor *out = step->outputs[0];
    if (!binary_kind(step, &post->binary) || !tensor_same_dims(through, out)) return false;
    if (post->binary == BST_B_PRELU && index != 0) return false;
    if (through->kind != KIND_FLOAT || operand->kind != KIND_FLOAT) return false;
    post->form = POST_BINARY;
    post->swapped = index == 1;
    post->operand = operand;
    return post_operand(operand, out, post);
}

static bool batch_norm_post(const struct step *step, struct post *post)
{
    const struct affine *affine = step->prepared;
    if (!batch_norm_is_constant(step)) return false;
    post->form = POST_CHANNEL_AFFINE;
    if (affine == NULL) return true; /* not prepared yet */
    post->scale = affine->scale;
    post->shift = affine->shift;
    return true;
}

bool op_post(const struct step *step, size_t index, struct post *post)
{
    memset(post, 0, sizeof *post);
    if (step->outputs[0] == NULL || step->outputs[0]->kind != KIND_FLOAT) return false;
    if (step->op->infer == batch_norm_infer) return index == 0 && batch_norm_post(step, post);
    if (step->op->infer == unary_infer) {
        const struct unary_row *row = unary_row(step);
        if (index != 0 || row == NULL) return false;
        unary_post(step, row, post);
        return constant_parameter(step, 1, &post->a) && constant_parameter(step, 2, &post->b);
    }
    if (step->op->infer == pow_infer && pow_post(step, post)) return index == 0;
    memset(post, 0, sizeof *post);
    return (step->op->infer == binary_infer || step->op->infer == pow_infer) &&
           binary_post(step, index, post);
}

/* ---- infer ---- */

static bool takes_ints(enum bst_unary unary)
{
    return unary == BST_U_ABS || unary == BST_U_NEG || unary == BST_U_SIGN || unary == BST_U_CLIP ||
           unary == BST_U_RELU;
}

OP_INFER(unary)
{
    const struct tensor *x = step->inputs[0];
    const struct unary_row *row = unary_row(step);
    const char *approximate = node_string(step->node, "approximate", "none");
    enum bst_code code =
        x != NULL && x->kind == KIND_INT && takes_ints(row->unary) ? BST_OK : step_float(step, 0, 0, err);
    if (code != BST_OK) return code;
    if (row->unary == BST_U_GELU && strcmp(approximate, "none") != 0 && strcmp(approximate, "tanh") != 0)
        return step_bad(err, "approximate '%.20s' is unknown", approximate);
    for (size_t i = 1; i < step->input_count; i++) /* Clip's bounds */
        if (step->inputs[i] != NULL && (step->inputs[i]->count != 1 || step->inputs[i]->kind != x->kind))
            return step_bad(err, "input %zu is not one number of the first input's type", i);
    return step_output(step, 0, x->kind, x->rank, x->dims, err);
}

OP_INFER(pow)
{
    const struct tensor *x = step->inputs[0], *e = step->inputs[1];
    if (x == NULL || e == NULL) return step_bad(err, "an input is missing");
    if (x->kind == KIND_INT && e->kind == KIND_FLOAT) {
        for (size_t i = 0; i < e->count; i++)
            if (e->data == NULL || truncf(tensor_floats(e)[i]) != tensor_floats(e)[i])
                return step_bad(err, "whole numbers are raised to powers that are not whole");
    }
    return broadcast_output(step, 0, 2, x->kind, err);
}

OP_INFER(binary)
{
    const struct tensor *first = step->inputs[0];
    for (size_t i = 0; i < step->input_count; i++) {
        if (step->inputs[i] == NULL) return step_bad(err, "input %zu is missing", i);
        if (step->inputs[i]->kind != first->kind)
            return step_bad(err, "whole and floating-point numbers are mixed");
    }
    enum bst_code code = broadcast_output(step, 0, step->input_count, first->kind, err);
    if (code != BST_OK) return code;
    if (is_mean(step)) return step_float(step, 0, 0, err);
    if (strcmp(step->op->name, "PRelu") == 0 && step->outputs[0] != NULL &&
        (first->kind != KIND_FLOAT || !tensor_same_dims(first, step->outputs[0])))
        return step_bad(err, "the slope does not fit the input");
    return BST_OK;
}

/* ---- prepare and run ---- */

OP_PREPARE(elementwise)
{
    (void)kernels;
    (void)threads;
    (void)err;
    if (step->outputs[0] == NULL || step->outputs[0]->kind != KIND_FLOAT) return BST_OK;
    for (size_t i = 0; i < step->input_count && i < 2 && step->source == NULL; i++) {
        /* Clip's own post takes its bounds when they are known: see elementwise_run */
        bool clip = step->op->infer == unary_infer && i == 0;
        if (!op_post(step, i, &step->own[0]) && !clip) continue;
        step->own_count = 1;
        step->source = step->inputs[i];
    }
    return BST_OK;
}

struct general {
    const struct bst_kernels *k;
    enum bst_binary binary;
    const struct tensor *a, *b;
    float *y, divisor; /* divisor: 0, or what each finished number is divided by */
};

/* b's numbers of a row as floating-point ones; POW_PART of them at a time. */
#define POW_PART ((size_t)512)

static void general_ints_row(const struct general *g, const struct broadcast_row *r)
{
    float part[POW_PART];
    for (size_t at = 0; at < r->n; at += POW_PART) {
        size_t count = r->n - at < POW_PART ? r->n - at : POW_PART;
        for (size_t i = 0; i < count; i++)
            part[i] = (float)tensor_ints(g->b)[r->at[1] + (at + i) * r->step[1]];
        g->k->binary(g->binary, tensor_floats(g->a) + r->at[0] + at * r->step[0], r->step[0], part, 1,
                     g->y + r->out + at, count);
    }
}

static void general_row(const void *arg, const struct broadcast_row *r)
{
    const struct general *g = arg;
    float *y = g->y + r->out;
    if (g->b->kind == KIND_INT) {
        general_ints_row(g, r);
        return;
    }
    g->k->binary(g->binary, tensor_floats(g->a) + r->at[0], r->step[0], tensor_floats(g->b) + r->at[1],
                 r->step[1], y, r->n);
    if (g->divisor != 0.0f) g->k->binary(BST_B_DIV, y, 1, &g->divisor, 0, y, r->n);
}

/* ---- short rows that share a number ---- */

#define SHORT_ROW    ((size_t)64)    /* numbers; longer rows are walked one by one */
#define ROWS_NUMBERS ((size_t)16384) /* that a task takes */

/* Weights of convolutions times a number for each input channel: a is as large as the output, and row r of n numbers
 * takes number r of b, which begins again after count. */
struct rows_job {
    const struct bst_kernels *k;
    enum bst_binary binary;
    const float *a, *b;
    float *y;
    size_t n, count, rows, rows_a_task;
};

static bool find_rows(const struct tensor *a, const struct tensor *b, const struct tensor *out,
                      struct rows_job *job)
{
    size_t i = b->rank, lead = out->rank - b->rank;
    if (a->kind != KIND_FLOAT || b->kind != KIND_FLOAT || out->count == 0 || !tensor_same_dims(a, out))
        return false;
    for (job->n = 1; i > 0 && b->dims[i - 1] == 1; i--)
        job->n *= (size_t)out->dims[lead + i - 1];
    for (job->count = 1; i > 0 && b->dims[i - 1] == out->dims[lead + i - 1]; i--)
        job->count *= (size_t)b->dims[i - 1];
    if (job->count != b->count || job->count == 1 || job->n == 1 || job->n > SHORT_ROW) return false;
    job->a = tensor_floats(a);
    job->b = tensor_floats(b);
    job->rows = out->count / job->n;
    job->rows_a_task = ROWS_NUMBERS / job->n;
    return true;
}

static void rows_task(void *arg, size_t index, unsigned thread)
{
    const struct rows_job *job = arg;
    size_t row = index * job->rows_a_task, end = least(row + job->rows_a_task, job->rows);
    (void)thread;
    for (size_t rows; row < end; row += rows) {
        rows = least(job->count - row % job->count, end - row);
        job->k->binary_rows(job->binary, job->a + row * job->n, job->b + row % job->count,
                            job->y + row * job->n, job->n, rows);
    }
}

/* False when the operands are of another form. */
static bool run_rows(const struct general *g, const struct tensor *out, const struct run *run)
{
    bool commutes = g->binary == BST_B_ADD || g->binary == BST_B_MUL;
    struct rows_job job = {.k = g->k, .binary = g->binary, .y = g->y};
    if (g->divisor != 0.0f) return false;
    if (!find_rows(g->a, g->b, out, &job) && !(commutes && find_rows(g->b, g->a, out, &job))) return false;
    bst_pool_run(run->pool, ceil_div(job.rows, job.rows_a_task), rows_task, &job);
    return true;
}

/* The first two inputs together, then each further one. */
static void run_general(const struct step *step, const struct run *run)
{
    struct tensor made = *step->outputs[0]; /* result may be another step's, of the same dims */
    made.data = step->result->data;
    struct general g = {.k = run->kernels, .a = step->inputs[0], .y = tensor_floats(&made)};
    binary_kind(step, &g.binary);
    for (size_t i = 1; i < step->input_count; i++) {
        const struct tensor *operands[] = {g.a, g.b = step->inputs[i]};
        if (is_mean(step) && i + 1 == step->input_count) g.divisor = (float)step->input_count;
        if (!run_rows(&g, &made, run)) broadcast_run(run, general_row, &g, &made, operands, 2);
        g.a = &made;
    }
}

OP_RUN(elementwise)
{
    const struct tensor *source = step->source;
    if (step->outputs[0]->kind == KIND_INT) {
        elementwise_ints_run(step, run);
        return;
    }
    if (source == NULL) { /* no input can be the one that a post is applied to */
        run_general(step, run);
        source = step->result;
    } else if (step->op->infer == unary_infer) {
        constant_parameter(step, 1, &step->posts[0].a);
        constant_parameter(step, 2, &step->posts[0].b);
    }
    if (source != step->result || step->post_count > 0)
        posts_apply_all(run, step, tensor_floats(source), tensor_floats(step->result));
}
