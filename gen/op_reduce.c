/* op_reduce.c - Reduce*, GlobalAveragePool and GlobalMaxPool: folds over some axes (op_fold.h), with a function of
 * each result behind. */
#include "op_fold.h"

#include <math.h>
#include <string.h>

enum then { THEN_NOTHING, THEN_DIVIDE, THEN_ROOT, THEN_LOG };

struct reduction {
    const char *name;
    enum fold_op op;
    enum then then;
};

static const struct reduction *reduction_of(const struct step *step)
{
    static const struct reduction rows[] = {
        {"ReduceL1", FOLD_SIZES, THEN_NOTHING},       {"ReduceL2", FOLD_SQUARES, THEN_ROOT},
        {"ReduceLogSum", FOLD_SUM, THEN_LOG},         {"ReduceLogSumExp", FOLD_POWERS, THEN_LOG},
        {"ReduceMax", FOLD_MAX, THEN_NOTHING},        {"ReduceMean", FOLD_SUM, THEN_DIVIDE},
        {"ReduceMin", FOLD_MIN, THEN_NOTHING},        {"ReduceProd", FOLD_PRODUCT, THEN_NOTHING},
        {"ReduceSum", FOLD_SUM, THEN_NOTHING},        {"ReduceSumSquare", FOLD_SQUARES, THEN_NOTHING},
        {"GlobalAveragePool", FOLD_SUM, THEN_DIVIDE}, {"GlobalMaxPool", FOLD_MAX, THEN_NOTHING},
    };
    size_t i = 0;
    while (strcmp(step->op->name, rows[i].name) != 0)
        i++;
    return &rows[i];
}

static enum bst_code read_axes(const struct step *step, bool *drop, struct bst_error *err)
{
    const struct tensor *x = step->inputs[0];
    const int64_t *axes;
    size_t count, axis;
    enum bst_code code = step_list(step, "axes", 1, &axes, &count, err);
    if (code != BST_OK) return code;
    bool all = count == 0 && node_int(step->node, "noop_with_empty_axes", 0) == 0;
    for (size_t i = 0; i < x->rank; i++)
        drop[i] = all;
    for (size_t i = 0; i < count; i++) {
        if (!axis_of(axes[i], x->rank, &axis))
            return step_bad(err, "axis %lld is out of range", (long long)axes[i]);
        drop[axis] = true;
    }
    return BST_OK;
}

OP_INFER(reduce)
{
    const struct tensor *x = step->inputs[0];
    bool drop[RANK_MAX], keep = node_int(step->node, "keepdims", 1) != 0;
    int64_t dims[RANK_MAX];
    size_t rank = 0;
    if (x == NULL) return step_bad(err, "input 0 is missing");
    enum bst_code code = read_axes(step, drop, err);
    if (code != BST_OK) return code;
    if (x->kind == KIND_INT &&
        (reduction_of(step)->op == FOLD_POWERS || reduction_of(step)->then > THEN_DIVIDE))
        return step_bad(err, "whole numbers are not supported");
    for (size_t i = 0; i < x->rank; i++)
        if (keep || !drop[i]) dims[rank++] = drop[i] ? 1 : x->dims[i];
    return step_output(step, 0, x->kind, rank, dims, err);
}

struct prepared {
    struct fold fold;
    float *about; /* FOLD_POWERS: what each result's numbers are taken about */
};

static enum bst_code prepare(struct step *step, const bool *drop, struct bst_error *err)
{
    struct prepared *p = step_take(step, 1, sizeof *p);
    if (p == NULL) return bst_fail_memory(err);
    enum bst_code code = fold_make(step, &p->fold, step->inputs[0], drop, err);
    if (code == BST_OK && reduction_of(step)->op == FOLD_POWERS) {
        p->about = step_take(step, p->fold.results + 1, sizeof *p->about);
        if (p->about == NULL) return bst_fail_memory(err);
    }
    step->prepared = p;
    return code;
}

OP_PREPARE(reduce)
{
    bool drop[RANK_MAX];
    (void)kernels;
    (void)threads;
    enum bst_code code = read_axes(step, drop, err);
    return code != BST_OK ? code : prepare(step, drop, err);
}

/* ---- whole numbers ---- */

struct int_job {
    const struct step *step;
    const struct fold *fold;
    enum fold_op op;
    bool mean;
};

static int64_t int_join(enum fold_op op, int64_t a, int64_t v)
{
    uint64_t ua = (uint64_t)a, uv = (uint64_t)v;
    switch (op) {
    case FOLD_PRODUCT:
        return (int64_t)(ua * uv);
    case FOLD_MAX:
        return a > v ? a : v;
    case FOLD_MIN:
        return a < v ? a : v;
    case FOLD_SIZES:
        return (int64_t)(v < 0 ? ua - uv : ua + uv);
    case FOLD_SQUARES:
        return (int64_t)(ua + uv * uv);
    default:
        return (int64_t)(ua + uv);
    }
}

static void int_task(void *arg, size_t index, unsigned thread)
{
    const struct int_job *job = arg;
    const struct fold *f = job->fold;
    int64_t y = job->op == FOLD_PRODUCT ? 1
                : job->op == FOLD_MAX   ? INT64_MIN
                : job->op == FOLD_MIN   ? INT64_MAX
                                        : 0;
    const int64_t *x = tensor_ints(job->step->inputs[0]);
    (void)thread;
    x += fold_place(index, f->kept_rank, f->kept, f->kept_stride);
    for (size_t i = 0; i < f->count; i++)
        y = int_join(job->op, y, x[fold_place(i, f->folded_rank, f->folded, f->folded_stride)]);
    if (job->mean) y = f->count == 0 ? 0 : y / (int64_t)f->count;
    tensor_ints(job->step->result)[index] = y;
}

/* ---- running ---- */

static void run_floats(const struct step *step, const struct run *run)
{
    const struct prepared *p = step->prepared;
    const struct reduction *r = reduction_of(step);
    const struct bst_kernels *k = run->kernels;
    const float *x = tensor_floats(step->inputs[0]);
    float *y = tensor_floats(step->result), count = (float)p->fold.count;
    size_t n = p->fold.results;
    if (r->op == FOLD_POWERS) {
        fold_run(run, &p->fold, FOLD_MAX, x, NULL, p->about);
        for (size_t i = 0; i < n; i++)
            if (isinf(p->about[i])) p->about[i] = 0.0f;
    }
    fold_run(run, &p->fold, r->op, x, p->about, y);
    if (r->then == THEN_DIVIDE) k->binary(BST_B_DIV, y, 1, &count, 0, y, n);
    if (r->then == THEN_ROOT) k->unary(BST_U_SQRT, y, y, n, 0, 0);
    if (r->then == THEN_LOG) k->unary(BST_U_LOG, y, y, n, 0, 0);
    if (r->op == FOLD_POWERS) k->binary(BST_B_ADD, y, 1, p->about, 1, y, n);
}

OP_RUN(reduce)
{
    const struct prepared *p = step->prepared;
    const struct reduction *r = reduction_of(step);
    struct int_job job = {step, &p->fold, r->op, r->then == THEN_DIVIDE};
    if (step->result->kind == KIND_INT)
        bst_pool_run(run->pool, step->result->count, int_task, &job);
    else
        run_floats(step, run);
}

/* ---- GlobalAveragePool, GlobalMaxPool ---- */

OP_INFER(global_pool)
{
    int64_t dims[RANK_MAX];
    enum bst_code code = step_float(step, 0, 0, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0];
    if (x->rank < 3 || x->count == 0) return step_bad(err, "the input has no pixels");
    for (size_t i = 0; i < x->rank; i++)
        dims[i] = i < 2 ? x->dims[i] : 1;
    return step_output(step, 0, KIND_FLOAT, x->rank, dims, err);
}

OP_PREPARE(global_pool)
{
    bool drop[RANK_MAX];
    (void)kernels;
    (void)threads;
    for (size_t i = 0; i < RANK_MAX; i++)
        drop[i] = i >= 2;
    return prepare(step, drop, err);
}
