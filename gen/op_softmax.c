/* op_softmax.c - Softmax, LogSoftmax and Hardmax. Lines that lie side by side are made together, row after row. */
#include "op_fold.h"
#include "sizes.h"

#include <string.h>

enum form { SOFTMAX, LOG_SOFTMAX, HARDMAX };

struct lines {
    size_t count, apart; /* numbers of a line, and from one to the next */
    size_t all, blocks;  /* lines; blocks of TOWER_WIDTH that lie side by side */
    size_t lines_a_task; /* where apart is 1 */
};

/* Before operator set 13 all dimensions from the axis on counted as one. */
static bool read_lines(const struct step *step, struct lines *l)
{
    const struct tensor *x = step->inputs[0];
    bool flat = step->opset < 13;
    size_t axis;
    if (!axis_of(node_int(step->node, "axis", flat ? 1 : -1), x->rank, &axis)) return false;
    l->count = (size_t)x->dims[axis];
    l->apart = 1;
    for (size_t i = axis + 1; i < x->rank; i++)
        *(flat ? &l->count : &l->apart) *= (size_t)x->dims[i];
    l->all = x->count == 0 ? 0 : x->count / l->count;
    l->blocks = (l->apart + TOWER_WIDTH - 1) / TOWER_WIDTH;
    l->lines_a_task = l->count < 8192 ? 8192 / (l->count + 1) + 1 : 1;
    return true;
}

OP_INFER(softmax)
{
    struct lines l;
    enum bst_code code = step_float(step, 0, 0, err);
    if (code != BST_OK) return code;
    if (!read_lines(step, &l)) return step_bad(err, "axis is out of range");
    return step_output(step, 0, KIND_FLOAT, step->inputs[0]->rank, step->inputs[0]->dims, err);
}

struct softmax_job {
    const struct step *step;
    const struct bst_kernels *k;
    struct lines lines;
    enum form form;
};

/* Hardmax: 1 for the first of the greatest, width lines together. */
static void mark_greatest(const float *x, const float *top, float *y, size_t count, size_t apart,
                          size_t width)
{
    bool found[TOWER_WIDTH] = {false};
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < width; j++) {
            bool here = !found[j] && x[i * apart + j] == top[j];
            y[i * apart + j] = here ? 1.0f : 0.0f;
            found[j] |= here;
        }
    }
}

/* ---- a line alone ---- */

static void one_line(const struct softmax_job *job, const float *x, float *y)
{
    const struct bst_kernels *k = job->k;
    size_t n = job->lines.count;
    float top = k->maximum(x, n);
    if (job->form == HARDMAX) {
        mark_greatest(x, &top, y, n, 1, 1);
        return;
    }
    k->unary(BST_U_EXP_LESS, x, y, n, top, 0);
    float total = bst_sum(k, y, n);
    if (job->form == SOFTMAX) {
        k->binary(BST_B_DIV, y, 1, &total, 0, y, n);
        return;
    }
    k->unary(BST_U_LOG, &total, &total, 1, 0, 0);
    k->binary(BST_B_SUB, x, 1, &top, 0, y, n);
    k->binary(BST_B_SUB, y, 1, &total, 0, y, n);
}

static void lines_task(void *arg, size_t index, unsigned thread)
{
    const struct softmax_job *job = arg;
    const struct lines *l = &job->lines;
    (void)thread;
    for (size_t i = index * l->lines_a_task; i < (index + 1) * l->lines_a_task && i < l->all; i++)
        one_line(job, tensor_floats(job->step->inputs[0]) + i * l->count,
                 tensor_floats(job->step->result) + i * l->count);
}

/* ---- lines side by side ---- */

/* The totals of exp(x - top), which y takes. */
static void powers(const struct softmax_job *job, const float *x, float *y, const float *top, float *total,
                   size_t width)
{
    struct tower t;
    tower_begin(&t, job->k, BST_B_ADD, width);
    for (size_t i = 0; i < job->lines.count; i++, x += job->lines.apart, y += job->lines.apart) {
        job->k->binary(BST_B_SUB, x, 1, top, 1, y, width);
        job->k->unary(BST_U_EXP, y, y, width, 0, 0);
        tower_push(&t, 0, y);
    }
    tower_end(&t, total);
}

static void block_task(void *arg, size_t index, unsigned thread)
{
    const struct softmax_job *job = arg;
    const struct lines *l = &job->lines;
    const struct bst_kernels *k = job->k;
    size_t begin = index % l->blocks * TOWER_WIDTH, width = least(TOWER_WIDTH, l->apart - begin);
    size_t place = index / l->blocks * l->count * l->apart + begin;
    const float *x = tensor_floats(job->step->inputs[0]) + place, zero = 0.0f;
    float *y = tensor_floats(job->step->result) + place, top[TOWER_WIDTH], total[TOWER_WIDTH];
    (void)thread;
    memcpy(top, x, width * sizeof *top);
    for (size_t i = 1; i < l->count; i++)
        k->binary(BST_B_MAX, top, 1, x + i * l->apart, 1, top, width);
    k->binary(BST_B_ADD, top, 1, &zero, 0, top, width);
    if (job->form == HARDMAX) {
        mark_greatest(x, top, y, l->count, l->apart, width);
        return;
    }
    powers(job, x, y, top, total, width);
    if (job->form == LOG_SOFTMAX) k->unary(BST_U_LOG, total, total, width, 0, 0);
    for (size_t i = 0; i < l->count; i++, x += l->apart, y += l->apart) {
        if (job->form == LOG_SOFTMAX) k->binary(BST_B_SUB, x, 1, top, 1, y, width);
        k->binary(job->form == SOFTMAX ? BST_B_DIV : BST_B_SUB, y, 1, total, 1, y, width);
    }
}

OP_RUN(softmax)
{
    const char *name = step->op->name;
    struct softmax_job job = {.step = step, .k = run->kernels};
    job.form = name[0] == 'S' ? SOFTMAX : name[0] == 'L' ? LOG_SOFTMAX : HARDMAX;
    read_lines(step, &job.lines);
    const struct lines *l = &job.lines;
    if (l->all == 0) return;
    if (l->apart == 1)
        bst_pool_run(run->pool, (l->all + l->lines_a_task - 1) / l->lines_a_task, lines_task, &job);
    else
        bst_pool_run(run->pool, l->all / l->apart * l->blocks, block_task, &job);
}
