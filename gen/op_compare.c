/* op_compare.c - operators whose result is true or false, kept as the whole numbers 1 and 0, and Where. */
#include "op.h"

#include <math.h>
#include <string.h>

enum relation { EQUAL, LESS, GREATER, LESS_EQUAL, GREATER_EQUAL, AND, OR, XOR };

static enum relation relation_of(const struct step *step)
{
    static const char *const names[] = {"Equal",          "Less", "Greater", "LessOrEqual",
                                        "GreaterOrEqual", "And",  "Or",      "Xor"};
    size_t i = 0;
    while (strcmp(step->op->name, names[i]) != 0)
        i++;
    return (enum relation)i;
}

OP_INFER(compare)
{
    const struct tensor *a = step->inputs[0], *b = step->inputs[1];
    if (a == NULL || b == NULL || a->kind != b->kind)
        return step_bad(err, "whole and floating-point numbers are mixed");
    if (relation_of(step) >= AND && a->kind != KIND_INT)
        return step_bad(err, "the inputs are no truth values");
    return broadcast_output(step, 0, 2, KIND_INT, err);
}

struct compare_job {
    const struct step *step;
    enum relation relation;
};

#define COMPARE(R, TEST)                                                                                     \
    case R:                                                                                                  \
        for (size_t i = 0; i < r->n; i++, a += sa, b += sb)                                                  \
            y[i] = TEST;                                                                                     \
        break;

static void floats_row(enum relation relation, const float *a, const float *b, const struct broadcast_row *r,
                       int64_t *y)
{
    size_t sa = r->step[0], sb = r->step[1];
    switch (relation) {
        COMPARE(EQUAL, *a == *b)
        COMPARE(LESS, *a < *b)
        COMPARE(GREATER, *a > *b)
        COMPARE(LESS_EQUAL, *a <= *b)
        COMPARE(GREATER_EQUAL, *a >= *b)
    default:
        break;
    }
}

static void ints_row(enum relation relation, const int64_t *a, const int64_t *b,
                     const struct broadcast_row *r, int64_t *y)
{
    size_t sa = r->step[0], sb = r->step[1];
    switch (relation) {
        COMPARE(EQUAL, *a == *b)
        COMPARE(LESS, *a < *b)
        COMPARE(GREATER, *a > *b)
        COMPARE(LESS_EQUAL, *a <= *b)
        COMPARE(GREATER_EQUAL, *a >= *b)
        COMPARE(AND, (*a != 0) & (*b != 0))
        COMPARE(OR, (*a != 0) | (*b != 0))
        COMPARE(XOR, (*a != 0) ^ (*b != 0))
    }
}

static void compare_row(const void *arg, const struct broadcast_row *r)
{
    const struct compare_job *job = arg;
    const struct tensor *a = job->step->inputs[0], *b = job->step->inputs[1];
    int64_t *y = tensor_ints(job->step->result) + r->out;
    if (a->kind == KIND_FLOAT)
        floats_row(job->relation, tensor_floats(a) + r->at[0], tensor_floats(b) + r->at[1], r, y);
    else
        ints_row(job->relation, tensor_ints(a) + r->at[0], tensor_ints(b) + r->at[1], r, y);
}

OP_RUN(compare)
{
    struct compare_job job = {step, relation_of(step)};
    broadcast_run(run, compare_row, &job, step->result, step->inputs, 2);
}

/* ---- Not, IsNaN, IsInf ---- */

OP_INFER(test)
{
    const struct tensor *x = step->inputs[0];
    bool not = strcmp(step->op->name, "Not") == 0;
    if (x == NULL || x->kind != (not ? KIND_INT : KIND_FLOAT))
        return step_bad(err, "the input is of the wrong type");
    return step_output(step, 0, KIND_INT, x->rank, x->dims, err);
}

struct test_job {
    const struct step *step;
    bool below, above; /* IsInf: which infinities count */
};

static void test_row(const void *arg, const struct broadcast_row *r)
{
    const struct test_job *job = arg;
    const struct tensor *in = job->step->inputs[0];
    int64_t *y = tensor_ints(job->step->result) + r->out;
    for (size_t i = 0; i < r->n; i++) {
        size_t at = r->at[0] + i * r->step[0];
        if (in->kind == KIND_INT)
            y[i] = tensor_ints(in)[at] == 0;
        else if (strcmp(job->step->op->name, "IsNaN") == 0)
            y[i] = isnan(tensor_floats(in)[at]) != 0;
        else
            y[i] = (job->above && tensor_floats(in)[at] == INFINITY) ||
                   (job->below && tensor_floats(in)[at] == -INFINITY);
    }
}

OP_RUN(test)
{
    struct test_job job = {step, node_int(step->node, "detect_negative", 1) != 0,
                           node_int(step->node, "detect_positive", 1) != 0};
    broadcast_run(run, test_row, &job, step->result, step->inputs, 1);
}

/* ---- Where ---- */

OP_INFER(where)
{
    const struct tensor *condition = step->inputs[0], *a = step->inputs[1], *b = step->inputs[2];
    if (condition == NULL || a == NULL || b == NULL || condition->kind != KIND_INT || a->kind != b->kind)
        return step_bad(err, "the inputs are of the wrong types");
    return broadcast_output(step, 0, 3, a->kind, err);
}

static void where_row(const void *arg, const struct broadcast_row *r)
{
    const struct step *step = arg;
    const int64_t *condition = tensor_ints(step->inputs[0]) + r->at[0];
    const struct tensor *a = step->inputs[1], *b = step->inputs[2];
    size_t sc = r->step[0], sa = r->step[1], sb = r->step[2];
    if (step->result->kind == KIND_FLOAT) {
        const float *fa = tensor_floats(a) + r->at[1], *fb = tensor_floats(b) + r->at[2];
        for (size_t i = 0; i < r->n; i++)
            tensor_floats(step->result)[r->out + i] = condition[i * sc] != 0 ? fa[i * sa] : fb[i * sb];
    } else {
        const int64_t *ia = tensor_ints(a) + r->at[1], *ib = tensor_ints(b) + r->at[2];
        for (size_t i = 0; i < r->n; i++)
            tensor_ints(step->result)[r->out + i] = condition[i * sc] != 0 ? ia[i * sa] : ib[i * sb];
    }
}

OP_RUN(where)
{
    broadcast_run(run, where_row, step, step->result, step->inputs, 3);
}
