/* op_fold.c - see op_fold.h. */
#include "op_fold.h"
#include "sizes.h"

#include <math.h>
#include <string.h>

#define CHUNK ((size_t)1024)

/* ---- the tree ---- */

static void tower_clear(struct tower *t, size_t level)
{
    float nothing = t->join == BST_B_ADD   ? 0.0f
                    : t->join == BST_B_MUL ? 1.0f
                    : t->join == BST_B_MAX ? -INFINITY
                                           : INFINITY;
    for (size_t i = 0; i < 16 * t->width; i++)
        t->lanes[level][i] = nothing;
    t->filled[level] = 0;
}

void tower_begin(struct tower *t, const struct bst_kernels *k, enum bst_binary join, size_t width)
{
    t->k = k;
    t->join = join;
    t->width = width;
    for (size_t level = 0; level < TOWER_LEVELS; level++)
        t->filled[level] = 0;
}

/* The lane that a level's next row belongs to. */
static float *tower_lane(struct tower *t, size_t level)
{
    if (t->filled[level] == 0) tower_clear(t, level);
    return t->lanes[level] + t->filled[level]++ % 16 * t->width;
}

/* Joins a level's lanes; lane 0 has the result. */
static const float *tower_join(struct tower *t, size_t level)
{
    float *lanes = t->lanes[level];
    for (size_t half = 8; half > 0; half /= 2)
        t->k->binary(t->join, lanes, 1, lanes + half * t->width, 1, lanes, half * t->width);
    t->filled[level] = 0;
    return lanes;
}

/* Numbers beyond a full level are sums of its chunks. */
static void tower_settle(struct tower *t, size_t level)
{
    if (t->filled[level] == CHUNK && level + 1 < TOWER_LEVELS) tower_push(t, level + 1, tower_join(t, level));
}

void tower_push(struct tower *t, size_t level, const float *row)
{
    float *lane = tower_lane(t, level);
    t->k->binary(t->join, lane, 1, row, 1, lane, t->width);
    tower_settle(t, level);
}

static void tower_push_squares(struct tower *t, const float *row)
{
    t->k->add_squares(row, tower_lane(t, 0), t->width);
    tower_settle(t, 0);
}

static bool is_top(const struct tower *t, size_t level)
{
    for (level++; level < TOWER_LEVELS; level++)
        if (t->filled[level] > 0) return false;
    return true;
}

void tower_end(struct tower *t, float *out)
{
    size_t level = 0;
    while (t->filled[level] == 0 && level + 1 < TOWER_LEVELS)
        level++;
    if (t->filled[level] == 0) tower_clear(t, level); /* of nothing */
    for (; !is_top(t, level); level++)
        if (t->filled[level] > 0) tower_push(t, level + 1, tower_join(t, level));
    memcpy(out, tower_join(t, level), t->width * sizeof *out);
}

static enum bst_binary join_of(enum fold_op op)
{
    return op == FOLD_PRODUCT ? BST_B_MUL
           : op == FOLD_MAX   ? BST_B_MAX
           : op == FOLD_MIN   ? BST_B_MIN
                              : BST_B_ADD;
}

/* ---- making ---- */

/* Axes that lie behind each other become one. */
static size_t join_axes(size_t rank, size_t *dims, size_t *strides)
{
    size_t made = 0;
    for (size_t i = 0; i < rank; i++) {
        if (dims[i] == 1) continue;
        if (made > 0 && strides[made - 1] == strides[i] * dims[i]) {
            dims[made - 1] *= dims[i];
            strides[made - 1] = strides[i];
        } else {
            dims[made] = dims[i];
            strides[made++] = strides[i];
        }
    }
    return made;
}

enum bst_code fold_make(struct step *step, struct fold *f, const struct tensor *x, const bool *drop,
                        struct bst_error *err)
{
    int64_t dense[RANK_MAX];
    *f = (struct fold){.count = 1, .results = 1, .width = 1, .run = 1};
    dense_strides(x->rank, x->dims, dense);
    for (size_t i = 0; i < x->rank; i++) {
        size_t dim = (size_t)x->dims[i];
        size_t *rank = drop[i] ? &f->folded_rank : &f->kept_rank;
        (drop[i] ? f->folded : f->kept)[*rank] = dim;
        (drop[i] ? f->folded_stride : f->kept_stride)[(*rank)++] = (size_t)dense[i];
        *(drop[i] ? &f->count : &f->results) *= dim;
    }
    f->chunks = (f->count + CHUNK - 1) / CHUNK;
    if (x->count == 0) return BST_OK;
    f->kept_rank = join_axes(f->kept_rank, f->kept, f->kept_stride);
    f->folded_rank = join_axes(f->folded_rank, f->folded, f->folded_stride);
    if (f->folded_rank > 0 && f->folded_stride[f->folded_rank - 1] == 1)
        f->run = f->folded[f->folded_rank - 1];
    else if (f->kept_rank > 0 && f->kept_stride[f->kept_rank - 1] == 1)
        f->width = f->kept[f->kept_rank - 1];
    if (f->results < 64 && f->chunks >= 16) {
        f->leaves = step_take(step, f->chunks * f->results, sizeof *f->leaves);
        if (f->leaves == NULL) return bst_fail_memory(err);
    }
    return BST_OK;
}

/* ---- running ---- */

struct fold_job {
    const struct fold *f;
    const struct bst_kernels *k;
    enum fold_op op;
    const float *x, *about;
    float *y;
    size_t blocks;         /* of TOWER_WIDTH results that lie side by side */
    size_t results_a_task; /* where width is 1 */
};

size_t fold_place(size_t index, size_t rank, const size_t *dims, const size_t *strides)
{
    size_t at = 0;
    for (size_t i = rank; i-- > 1; index /= dims[i])
        at += index % dims[i] * strides[i];
    return rank > 0 ? at + index * strides[0] : 0;
}

/* ---- results alone: runs of numbers ---- */

/* Numbers first to first + n - 1 of a result, side by side: where they are, or copied to room. */
static const float *line_part(const struct fold *f, const float *x, size_t first, size_t n, float *room)
{
    if (f->run == f->count) return x + first;
    for (size_t at = 0; at < n;) {
        size_t inside = (first + at) % f->run, count = least(f->run - inside, n - at);
        size_t place = fold_place(first + at, f->folded_rank, f->folded, f->folded_stride);
        memcpy(room + at, x + place, count * sizeof *room);
        at += count;
    }
    return room;
}

static float line_leaf(const struct fold_job *job, const float *x, size_t first, size_t n, float about)
{
    float room[CHUNK];
    const struct bst_kernels *k = job->k;
    const float *part = line_part(job->f, x, first, n, room);
    switch (job->op) {
    case FOLD_SUM:
        break;
    case FOLD_SIZES:
        k->unary(BST_U_ABS, part, room, n, 0, 0);
        part = room;
        break;
    case FOLD_POWERS:
        k->unary(BST_U_EXP_LESS, part, room, n, about, 0);
        part = room;
        break;
    case FOLD_SQUARES:
        return k->sum_squares(part, n, about);
    case FOLD_PRODUCT:
        return k->multiplied(part, n);
    case FOLD_MAX:
        return k->maximum(part, n);
    case FOLD_MIN:
        return k->minimum(part, n);
    }
    return k->sum(part, n);
}

static float line_about(const struct fold_job *job, size_t result)
{
    return job->about != NULL ? job->about[result] : 0.0f;
}

static const float *line_of(const struct fold_job *job, size_t result)
{
    return job->x + fold_place(result, job->f->kept_rank, job->f->kept, job->f->kept_stride);
}

static void lines_task(void *arg, size_t index, unsigned thread)
{
    const struct fold_job *job = arg;
    const struct fold *f = job->f;
    (void)thread;
    for (size_t i = index * job->results_a_task; i < (index + 1) * job->results_a_task && i < f->results;
         i++) {
        const float *x = line_of(job, i);
        struct tower t;
        if (f->chunks == 1) {
            job->y[i] = line_leaf(job, x, 0, f->count, line_about(job, i));
            continue;
        }
        tower_begin(&t, job->k, join_of(job->op), 1);
        for (size_t at = 0; at < f->count; at += CHUNK) {
            float sum = line_leaf(job, x, at, least(CHUNK, f->count - at), line_about(job, i));
            tower_push(&t, 1, &sum);
        }
        tower_end(&t, &job->y[i]);
    }
}

/* ---- results side by side: rows of numbers ---- */

/* Rows first to first + n - 1 of width results from place on, given to the tower's lowest level. */
static void rows_fold(const struct fold_job *job, struct tower *t, size_t place, size_t first, size_t n,
                      const float *about)
{
    const struct fold *f = job->f;
    const struct bst_kernels *k = job->k;
    float room[TOWER_WIDTH];
    for (size_t i = first; i < first + n; i++) {
        const float *row = job->x + place + fold_place(i, f->folded_rank, f->folded, f->folded_stride);
        if (about != NULL) k->binary(BST_B_SUB, row, 1, about, 1, room, t->width);
        if (about != NULL) row = room;
        if (job->op == FOLD_SIZES) k->unary(BST_U_ABS, row, room, t->width, 0, 0);
        if (job->op == FOLD_POWERS) k->unary(BST_U_EXP, row, room, t->width, 0, 0);
        if (job->op == FOLD_SIZES || job->op == FOLD_POWERS) row = room;
        if (job->op == FOLD_SQUARES)
            tower_push_squares(t, row);
        else
            tower_push(t, 0, row);
    }
}

/* Result and place of block index. */
static size_t block_at(const struct fold_job *job, size_t index, size_t *result, size_t *width)
{
    const struct fold *f = job->f;
    size_t begin = index % job->blocks * TOWER_WIDTH;
    *width = least(TOWER_WIDTH, f->width - begin);
    *result = index / job->blocks * f->width + begin;
    return fold_place(*result, f->kept_rank, f->kept, f->kept_stride);
}

static void rows_task(void *arg, size_t index, unsigned thread)
{
    const struct fold_job *job = arg;
    size_t result, width, place = block_at(job, index, &result, &width);
    struct tower t;
    (void)thread;
    tower_begin(&t, job->k, join_of(job->op), width);
    rows_fold(job, &t, place, 0, job->f->count, job->about != NULL ? job->about + result : NULL);
    tower_end(&t, job->y + result);
}

/* ---- few results of many numbers: chunks by all threads ---- */

static void leaf_task(void *arg, size_t index, unsigned thread)
{
    const struct fold_job *job = arg;
    const struct fold *f = job->f;
    size_t chunk = index % f->chunks, first = chunk * CHUNK, n = least(CHUNK, f->count - first);
    size_t result = index / f->chunks, width;
    float *leaves = f->leaves + chunk * f->results;
    (void)thread;
    if (f->width == 1) {
        leaves[result] = line_leaf(job, line_of(job, result), first, n, line_about(job, result));
        return;
    }
    struct tower t;
    size_t place = block_at(job, index / f->chunks, &result, &width);
    tower_begin(&t, job->k, join_of(job->op), width);
    rows_fold(job, &t, place, first, n, job->about != NULL ? job->about + result : NULL);
    tower_end(&t, leaves + result);
}

static void join_leaves(const struct fold_job *job)
{
    const struct fold *f = job->f;
    struct tower t;
    tower_begin(&t, job->k, join_of(job->op), f->results);
    for (size_t i = 0; i < f->chunks; i++)
        tower_push(&t, 1, f->leaves + i * f->results);
    tower_end(&t, job->y);
}

/* What a fold of no numbers is. */
static void fold_nothing(const struct fold *f, enum fold_op op, const struct bst_kernels *k, float *y)
{
    struct tower t;
    tower_begin(&t, k, join_of(op), 1);
    for (size_t i = 0; i < f->results; i++)
        tower_end(&t, y + i);
}

void fold_run(const struct run *run, const struct fold *f, enum fold_op op, const float *x,
              const float *about, float *y)
{
    struct fold_job job = {.f = f, .k = run->kernels, .op = op, .x = x, .about = about, .y = y};
    job.blocks = (f->width + TOWER_WIDTH - 1) / TOWER_WIDTH;
    job.results_a_task = f->count < 16 * CHUNK ? 16 * CHUNK / (f->count + 1) + 1 : 1;
    if (f->results == 0) return;
    size_t blocks = f->results / f->width * job.blocks;
    if (f->count == 0) {
        fold_nothing(f, op, run->kernels, y);
    } else if (f->leaves != NULL) {
        bst_pool_run(run->pool, (f->width == 1 ? f->results : blocks) * f->chunks, leaf_task, &job);
        join_leaves(&job);
    } else if (f->width == 1) {
        bst_pool_run(run->pool, (f->results + job.results_a_task - 1) / job.results_a_task, lines_task, &job);
    } else {
        bst_pool_run(run->pool, blocks, rows_task, &job);
    }
    if (op == FOLD_MAX || op == FOLD_MIN) /* -0 and +0 are equal: which came first must not show */
        for (size_t i = 0; i < f->results; i++)
            y[i] = y[i] + 0.0f;
}
