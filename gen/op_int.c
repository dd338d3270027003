/* op_int.c - whole numbers, element by element; and Mod, which has a form for each kind of number. */
#include "op.h"

#include <math.h>
#include <string.h>

enum int_op { INT_ADD, INT_SUB, INT_MUL, INT_DIV, INT_MIN, INT_MAX, INT_POW, INT_MOD, INT_FMOD };

static enum int_op int_op(const char *name)
{
    static const struct {
        const char *name;
        enum int_op op;
    } rows[] = {{"Add", INT_ADD}, {"Sum", INT_ADD}, {"Sub", INT_SUB}, {"Mul", INT_MUL},
                {"Div", INT_DIV}, {"Min", INT_MIN}, {"Max", INT_MAX}, {"Pow", INT_POW}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(name, rows[i].name) == 0) return rows[i].op;
    return INT_MOD;
}

/* Powers below 0 are whole only of 1 and -1; others become 0. */
static int64_t int_power(int64_t base, int64_t exponent)
{
    uint64_t y = 1, square = (uint64_t)base;
    if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
    for (; exponent > 0; exponent /= 2, square *= square)
        if (exponent % 2 != 0) y *= square;
    return (int64_t)y;
}

static int64_t int_pair(enum int_op op, int64_t a, int64_t b)
{
    uint64_t ua = (uint64_t)a, ub = (uint64_t)b; /* wraps, as the format says */
    int64_t rest;
    switch (op) {
    case INT_ADD:
        return (int64_t)(ua + ub);
    case INT_SUB:
        return (int64_t)(ua - ub);
    case INT_MUL:
        return (int64_t)(ua * ub);
    case INT_DIV:
        return b == 0 ? 0 : b == -1 ? (int64_t)(0 - ua) : a / b;
    case INT_MIN:
        return a < b ? a : b;
    case INT_MAX:
        return a > b ? a : b;
    case INT_POW:
        return int_power(a, b);
    case INT_MOD: /* the sign of b */
        rest = b == 0 || b == -1 ? 0 : a % b;
        return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    case INT_FMOD: /* the sign of a */
        return b == 0 || b == -1 ? 0 : a % b;
    }
    return 0;
}

struct int_job {
    enum int_op op;
    const struct tensor *a, *b;
    int64_t *y;
};

static void int_row(const void *arg, const struct broadcast_row *r)
{
    const struct int_job *job = arg;
    const int64_t *a = tensor_ints(job->a) + r->at[0];
    for (size_t i = 0; i < r->n; i++) {
        size_t place = r->at[1] + i * r->step[1];
        int64_t b =
            job->b->kind == KIND_INT ? tensor_ints(job->b)[place] : (int64_t)tensor_floats(job->b)[place];
        job->y[r->out + i] = int_pair(job->op, a[i * r->step[0]], b);
    }
}

/* ---- functions of one number ---- */

struct int_unary_job {
    const struct step *step;
    int64_t low, high; /* Clip */
};

static int64_t int_single(const struct int_unary_job *job, int64_t x)
{
    switch (job->step->op->name[0]) {
    case 'A': /* Abs */
        return x < 0 ? (int64_t)(0 - (uint64_t)x) : x;
    case 'N': /* Neg */
        return (int64_t)(0 - (uint64_t)x);
    case 'S': /* Sign */
        return (x > 0) - (x < 0);
    case 'R': /* Relu */
        return x < 0 ? 0 : x;
    default: /* Clip */
        x = x < job->low ? job->low : x;
        return x > job->high ? job->high : x;
    }
}

static void int_unary_row(const void *arg, const struct broadcast_row *r)
{
    const struct int_unary_job *job = arg;
    const int64_t *x = tensor_ints(job->step->inputs[0]) + r->at[0];
    for (size_t i = 0; i < r->n; i++)
        tensor_ints(job->step->result)[r->out + i] = int_single(job, x[i * r->step[0]]);
}

static void run_unary(const struct step *step, const struct run *run)
{
    const struct tensor *low = step_input(step, 1), *high = step_input(step, 2);
    struct int_unary_job job = {step, low != NULL ? tensor_ints(low)[0] : INT64_MIN,
                                high != NULL ? tensor_ints(high)[0] : INT64_MAX};
    broadcast_run(run, int_unary_row, &job, step->result, step->inputs, 1);
}

OP_RUN(elementwise_ints)
{
    const struct tensor *out = step->result;
    struct int_job job = {int_op(step->op->name), step->inputs[0], step->inputs[0], tensor_ints(out)};
    if (step->op->infer == unary_infer) {
        run_unary(step, run);
        return;
    }
    if (step->input_count == 1) memcpy(out->data, step->inputs[0]->data, out->count * sizeof(int64_t));
    for (size_t i = 1; i < step->input_count; i++) {
        const struct tensor *operands[] = {job.a, job.b = step->inputs[i]};
        broadcast_run(run, int_row, &job, out, operands, 2);
        job.a = out;
    }
}

/* ---- Mod ---- */

OP_INFER(mod)
{
    const struct tensor *a = step->inputs[0], *b = step->inputs[1];
    if (a == NULL || b == NULL || a->kind != b->kind) return step_bad(err, "the inputs are not of one type");
    if (a->kind == KIND_FLOAT && node_int(step->node, "fmod", 0) == 0)
        return step_bad(err, "the remainder of floating-point numbers needs fmod 1");
    return broadcast_output(step, 0, 2, a->kind, err);
}

static void mod_row(const void *arg, const struct broadcast_row *r)
{
    const struct step *step = arg;
    const float *a = tensor_floats(step->inputs[0]) + r->at[0],
                *b = tensor_floats(step->inputs[1]) + r->at[1];
    for (size_t i = 0; i < r->n; i++) /* exact, so every C library gives the same */
        tensor_floats(step->result)[r->out + i] = fmodf(a[i * r->step[0]], b[i * r->step[1]]);
}

OP_RUN(mod)
{
    bool fmod = node_int(step->node, "fmod", 0) != 0;
    struct int_job job = {fmod ? INT_FMOD : INT_MOD, step->inputs[0], step->inputs[1], step->result->data};
    if (step->result->kind == KIND_INT)
        broadcast_run(run, int_row, &job, step->result, step->inputs, 2);
    else
        broadcast_run(run, mod_row, step, step->result, step->inputs, 2);
}
