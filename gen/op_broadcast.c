/* op_broadcast.c - numpy's broadcasting: dims are aligned at the end, and those of size 1 stretch. */
#include "op.h"

#include <string.h>

#define ROW ((size_t)8192) /* numbers of a row that a task handles in one piece */

bool broadcast_dims(const struct tensor *a, size_t *rank, int64_t *dims)
{
    int64_t old[RANK_MAX];
    size_t old_rank = *rank;
    memcpy(old, dims, sizeof old);
    *rank = a->rank > old_rank ? a->rank : old_rank;
    for (size_t i = 0; i < *rank; i++) {
        int64_t da = i + a->rank < *rank ? 1 : a->dims[i + a->rank - *rank];
        int64_t db = i + old_rank < *rank ? 1 : old[i + old_rank - *rank];
        if (da != db && da != 1 && db != 1) return false;
        dims[i] = da == 1 ? db : da;
    }
    return true;
}

enum bst_code broadcast_output(struct step *step, size_t first, size_t end, enum kind kind,
                               struct bst_error *err)
{
    char have[DIMS_TEXT], more[DIMS_TEXT];
    int64_t dims[RANK_MAX] = {0};
    size_t rank = 0;
    for (size_t i = first; i < end; i++) {
        const struct tensor *t = step->inputs[i];
        if (t == NULL) return step_bad(err, "input %zu is missing", i);
        dims_text(rank, dims, have);
        if (!broadcast_dims(t, &rank, dims))
            return step_bad(err, "%s and %s do not fit together", have, dims_text(t->rank, t->dims, more));
    }
    return step_output(step, 0, kind, rank, dims, err);
}

void broadcast_strides(const struct tensor *t, size_t rank, int64_t *strides)
{
    int64_t dense[RANK_MAX];
    dense_strides(t->rank, t->dims, dense);
    for (size_t i = 0; i < rank; i++) {
        size_t lead = rank - t->rank;
        strides[i] = i < lead || t->dims[i - lead] == 1 ? 0 : dense[i - lead];
    }
}

/* ---- walking ---- */

struct walk {
    broadcast_fn *row;
    const void *arg;
    size_t rank, operands;
    size_t dims[RANK_MAX], strides[BROADCAST_MAX][RANK_MAX];
    size_t n, pieces;         /* numbers of an innermost row, and the parts it is cut into */
    size_t rows, rows_a_task; /* where a row is one piece */
};

/* Whether axis i of the walk goes on where axis i + 1 ends, for every operand. */
static bool goes_on(const struct walk *w, size_t i)
{
    for (size_t k = 0; k < w->operands; k++)
        if (w->strides[k][i] != w->strides[k][i + 1] * w->dims[i + 1]) return false;
    return true;
}

/* Drops axes of size 1 and joins those that lie behind each other. */
static void join_axes(struct walk *w, const struct tensor *out, int64_t strides[][RANK_MAX])
{
    for (size_t i = 0; i < out->rank; i++) {
        if (out->dims[i] == 1) continue;
        w->dims[w->rank] = (size_t)out->dims[i];
        for (size_t k = 0; k < w->operands; k++)
            w->strides[k][w->rank] = (size_t)strides[k][i];
        w->rank++;
    }
    for (size_t i = w->rank; i-- > 1;) {
        if (!goes_on(w, i - 1)) continue;
        w->dims[i - 1] *= w->dims[i];
        for (size_t k = 0; k < w->operands; k++)
            w->strides[k][i - 1] = w->strides[k][i];
        for (size_t j = i; j + 1 < w->rank; j++) {
            w->dims[j] = w->dims[j + 1];
            for (size_t k = 0; k < w->operands; k++)
                w->strides[k][j] = w->strides[k][j + 1];
        }
        w->rank--;
    }
}

static void walk_task(void *arg, size_t index, unsigned thread)
{
    const struct walk *w = arg;
    size_t first = index / w->pieces * w->rows_a_task, begin = index % w->pieces * ROW;
    size_t count = w->n - begin < ROW ? w->n - begin : ROW, last = w->rank == 0 ? 0 : w->rank - 1;
    (void)thread;
    for (size_t row = first; row < first + w->rows_a_task && row < w->rows; row++) {
        struct broadcast_row r = {.out = row * w->n + begin, .n = count};
        size_t rest = row;
        for (size_t k = 0; k < w->operands && w->rank > 0; k++) {
            r.step[k] = w->strides[k][last];
            r.at[k] = begin * r.step[k];
        }
        for (size_t i = last; i-- > 0; rest /= w->dims[i])
            for (size_t k = 0; k < w->operands; k++)
                r.at[k] += rest % w->dims[i] * w->strides[k][i];
        w->row(w->arg, &r);
    }
}

void broadcast_run(const struct run *run, broadcast_fn *row, const void *arg, const struct tensor *out,
                   const struct tensor *const *operands, size_t count)
{
    struct walk w = {.row = row, .arg = arg, .operands = count, .rows = 1, .rows_a_task = 1};
    int64_t strides[BROADCAST_MAX][RANK_MAX];
    if (out->count == 0) return;
    for (size_t k = 0; k < count; k++)
        broadcast_strides(operands[k], out->rank, strides[k]);
    join_axes(&w, out, strides);
    w.n = w.rank == 0 ? 1 : w.dims[w.rank - 1];
    w.rows = out->count / w.n;
    w.pieces = (w.n + ROW - 1) / ROW;
    if (w.pieces == 1) w.rows_a_task = ROW / w.n;
    bst_pool_run(run->pool, (w.rows + w.rows_a_task - 1) / w.rows_a_task * w.pieces, walk_task, &w);
}
