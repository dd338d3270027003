/* op_product.c - see op_product.h. */
#include "op_product.h"
#include "sizes.h"

#include <string.h>

#define DEPTH         (2 * BST_PIECE) /* steps along k that are taken at a time */
#define COLUMNS_MAX   ((size_t)256)   /* of a task: DEPTH of them stay in the second-level cache */
#define DIRECT_ROWS   ((size_t)4)
#define SLACK         BST_MICRO_WIDTH_MAX /* floats that a register block may read or write beyond its columns */
#define SCRATCH_EDGES (BST_MICRO_ROWS_MAX * (size_t)SLACK)

static const struct bst_micro *micro_for(const struct bst_kernels *k, size_t rows)
{
    const struct bst_micro *m = k->micros;
    while (m->rows > rows)
        m++;
    return m;
}

/* ---- making ---- */

static void turn(struct product *p)
{
    struct product old = *p;
    p->m = 1;
    p->n = old.m;
    p->left_k = old.right_k;
    p->left_row = 0;
    p->right_k = old.left_k;
    p->right_column = old.left_row;
    memcpy(p->left_batch, old.right_batch, sizeof p->left_batch);
    memcpy(p->right_batch, old.left_batch, sizeof p->right_batch);
    p->turned = true;
}

/* Left matrices that batches share are packed once. */
static void count_left(struct product *p)
{
    p->batches = p->left_count = 1;
    for (size_t i = p->batch_rank; i-- > 0;) {
        bool own = p->left_batch[i] != 0;
        p->left_step[i] = own ? p->left_count : 0;
        if (own) p->left_count *= p->batch[i];
        p->batches *= p->batch[i];
    }
}

static size_t batch_at(const struct product *p, size_t index, const size_t *steps)
{
    size_t at = 0;
    for (size_t i = p->batch_rank; i-- > 0; index /= p->batch[i])
        at += index % p->batch[i] * steps[i];
    return at;
}

/* The place of left matrix index, in numbers. */
static size_t left_at(const struct product *p, size_t index)
{
    size_t at = 0;
    for (size_t i = p->batch_rank; i-- > 0;) {
        if (p->left_batch[i] == 0) continue;
        at += index % p->batch[i] * p->left_batch[i];
        index /= p->batch[i];
    }
    return at;
}

/* Rows of a left matrix from row on and some steps along k, [k][rows]. */
static void pack_rows(const struct product *p, const float *left, size_t row, size_t rows, size_t first,
                      size_t depth, float *to)
{
    left += row * p->left_row + first * p->left_k;
    for (size_t c = 0; c < depth; c++)
        for (size_t r = 0; r < rows; r++)
            *to++ = left[c * p->left_k + r * p->left_row];
}

struct pack_job {
    const struct product *p;
    const struct bst_kernels *k;
    const float *left;
    size_t parts; /* of a matrix */
};

#define PACK_ROWS ((size_t)48)    /* a multiple of the greatest block of every instruction set */
#define NEAR_ROWS (4 * PACK_ROWS) /* DEPTH of them stay in the second-level cache beside the columns */

static void pack_task(void *arg, size_t index, unsigned thread)
{
    const struct pack_job *job = arg;
    const struct product *p = job->p;
    size_t matrix = index / job->parts, row = index % job->parts * PACK_ROWS,
           end = least(p->m, row + PACK_ROWS);
    const float *left = job->left + left_at(p, matrix);
    float *to = p->left + matrix * p->m * p->k;
    (void)thread;
    for (size_t rows; row < end; row += rows) {
        rows = micro_for(job->k, end - row)->rows;
        for (size_t at = 0; at < p->k; at += DEPTH) {
            size_t depth = least(DEPTH, p->k - at);
            pack_rows(p, left, row, rows, at, depth, to + at * p->m + row * depth);
        }
    }
}

static void pack_left(const struct bst_kernels *k, struct bst_pool *pool, const struct product *p,
                      const float *left)
{
    struct pack_job job = {p, k, left, ceil_div(p->m, PACK_ROWS)};
    bst_pool_run(pool, p->left_count * job.parts, pack_task, &job);
}

/* Some steps along k of some columns of a right matrix, side by side. */
static void copy_columns(const struct product *p, const float *right, size_t column, size_t count,
                         size_t depth, float *to)
{
    right += column * p->right_column;
    if (p->right_column == 1) {
        for (size_t c = 0; c < depth; c++)
            memcpy(to + c * p->pitch, right + c * p->right_k, count * sizeof *to);
        return;
    }
    for (size_t at = 0; at < depth; at += 64) /* so that what is written stays in the first-level cache */
        for (size_t i = 0; i < count; i++)
            for (size_t c = at; c < depth && c < at + 64; c++)
                to[c * p->pitch + i] = right[c * p->right_k + i * p->right_column];
}

/* A constant right matrix as the tasks' copies would have it: groups of columns, each [k][pitch]. */
static enum bst_code keep_right(struct step *step, struct product *p, const float *right,
                                struct bst_error *err)
{
    size_t count;
    if (!bst_mul(p->groups * p->pitch, p->k, &count)) return bst_fail_memory(err);
    p->right = step_take(step, count + SLACK, sizeof *p->right);
    if (p->right == NULL) return bst_fail_memory(err);
    for (size_t g = 0; g < p->groups; g++)
        copy_columns(p, right, g * p->columns, least(p->columns, p->n - g * p->columns), p->k,
                     p->right + g * p->k * p->pitch);
    return BST_OK;
}

bool product_keeps_right(const struct product *p)
{
    bool one = true;
    for (size_t i = 0; i < p->batch_rank; i++)
        one = one && (p->right_batch[i] == 0 || p->batch[i] == 1);
    return one && p->n > 1 && p->m > DIRECT_ROWS;
}

enum bst_code product_make(struct step *step, struct product *p, const struct bst_kernels *kernels,
                           const float *left, const float *right, struct bst_error *err)
{
    size_t width = kernels->micros[0].vectors * kernels->width;
    if (p->n == 1 && p->m > 1) {
        turn(p);
        left = right;
    }
    count_left(p);
    if (p->batches == 0 || p->m == 0 || p->n == 0) return BST_OK;
    p->direct = p->m <= DIRECT_ROWS && p->right_column == 1;
    p->pieces = step->arith >= 3;
    p->columns = p->direct ? SLACK : least(COLUMNS_MAX, ceil_div(p->n, width) * width);
    p->pitch = p->direct
                   ? SLACK
                   : p->columns + 16; /* an odd number of cache lines: rows spread over the cache's sets */
    p->groups = ceil_div(p->n, p->columns);
    p->left = step_take(step, p->left_count * p->m * p->k + 1, sizeof *p->left);
    if (p->left == NULL) return bst_fail_memory(err);
    p->left_done = left != NULL;
    if (left != NULL) pack_left(kernels, NULL, p, left);
    size_t bytes = (least(p->k, DEPTH) * p->pitch + SLACK + SCRATCH_EDGES) * sizeof(float);
    if (bytes > step->scratch) step->scratch = bytes;
    return right != NULL && product_keeps_right(p) ? keep_right(step, p, right, err) : BST_OK;
}

/* ---- running ---- */

struct product_job {
    const struct product *p;
    const struct step *step;
    const struct run *run;
    const float *right;
    float *out;
    size_t splits; /* parts of the rows that tasks share among them */
    bool posts;
    struct planes planes;
};

/* A row's finished numbers. */
static void finish(const struct product_job *job, size_t place, size_t count)
{
    const struct planes *s = &job->planes;
    size_t plane = place / s->pixels;
    if (!job->posts) return;
    posts_apply(job->run->kernels, job->step->posts, job->step->post_count, job->out + place,
                job->out + place, count, plane / s->channels, plane % s->channels, place % s->pixels);
}

/* Some steps along k of a task's columns, and where the result's go. */
struct part {
    size_t at, depth;   /* steps along k */
    const float *right; /* of column 0 */
    size_t stride;
    const float *left; /* of row 0 */
    float *out;        /* of row 0, column 0 */
    size_t count;      /* columns */
    float *edge;
};

/* One register block over all the part's steps: one chain, or a chain for each piece. */
static void run_steps(const struct product *p, const struct part *t, const struct bst_micro *m,
                      const float *right, const float *left, float *out, size_t pitch)
{
    static const uint32_t here;
    size_t c = 0, n;
    do { /* once even without any step */
        n = p->pieces ? least(BST_PIECE, t->depth - c) : t->depth;
        enum bst_chain go_on = p->pieces ? BST_CHAIN_ADD : BST_CHAIN_ON;
        m->run(t->at + c == 0 ? BST_CHAIN_FIRST : go_on, n, t->stride, 1, &here, right + c * t->stride,
               left + c * m->rows, NULL, out, pitch);
        c += n;
    } while (c < t->depth);
}

/* A register block at row and column; what would reach beyond the columns goes through edge. */
static void run_micro(const struct product *p, const struct part *t, const struct bst_micro *m, size_t width,
                      size_t row, size_t column)
{
    const float *left = t->left + row * t->depth;
    float *out = t->out + row * p->n + column;
    if (column + width <= t->count) {
        run_steps(p, t, m, t->right + column, left, out, p->n);
        return;
    }
    size_t bytes = (t->count - column) * sizeof *out;
    for (size_t r = 0; r < m->rows && t->at > 0; r++)
        memcpy(t->edge + r * SLACK, out + r * p->n, bytes);
    run_steps(p, t, m, t->right + column, left, t->edge, SLACK);
    for (size_t r = 0; r < m->rows; r++)
        memcpy(out + r * p->n, t->edge + r * SLACK, bytes);
}

/* Rows row to end - 1. Columns are the outer loop of full register blocks: a strip of them stays in the first-level
 * cache. */
static void run_part(const struct product *p, const struct part *t, const struct bst_kernels *k, size_t row,
                     size_t end)
{
    for (size_t last; row < end; row = last) {
        last = least(end, (row / NEAR_ROWS + 1) * NEAR_ROWS);
        const struct bst_micro *m = k->micros;
        size_t width = m->vectors * k->width, whole = row + (last - row) / m->rows * m->rows;
        for (size_t column = 0; column < t->count; column += width)
            for (size_t r = row; r < whole; r += m->rows)
                run_micro(p, t, m, width, r, column);
        for (size_t r = whole; r < last; r += m->rows) { /* of the last rows alone, as pack_task cut them */
            m = micro_for(k, last - r);
            width = m->vectors * k->width;
            for (size_t column = 0; column < t->count; column += width)
                run_micro(p, t, m, width, r, column);
        }
    }
}

static void product_task(void *arg, size_t index, unsigned thread)
{
    const struct product_job *job = arg;
    const struct product *p = job->p;
    size_t split = index % job->splits, group = index / job->splits % p->groups;
    size_t batch = index / job->splits / p->groups;
    size_t parts = ceil_div(p->m, PACK_ROWS), first = group * p->columns;
    size_t row = split * parts / job->splits * PACK_ROWS;
    size_t end = least(p->m, (split + 1) * parts / job->splits * PACK_ROWS);
    const float *right = job->right + batch_at(p, batch, p->right_batch);
    const float *left = p->left + batch_at(p, batch, p->left_step) * p->m * p->k;
    float *edge = (float *)(void *)(job->run->scratch + thread * job->run->scratch_each);
    float *copy = edge + SCRATCH_EDGES;
    size_t place = batch * p->m * p->n + first;
    struct part t = {.out = job->out + place, .count = least(p->columns, p->n - first), .edge = edge};
    do {
        t.depth = least(DEPTH, p->k - t.at);
        t.left = left + t.at * p->m;
        /* the last columns are never read in place: a block would read beyond the matrix */
        if (p->right != NULL) {
            t.right = p->right + (group * p->k + t.at) * p->pitch;
            t.stride = p->pitch;
        } else if (p->direct && t.count == p->columns) {
            t.right = right + t.at * p->right_k + first;
            t.stride = p->right_k;
        } else {
            copy_columns(p, right + t.at * p->right_k, first, t.count, t.depth, copy);
            t.right = copy;
            t.stride = p->pitch;
        }
        run_part(p, &t, job->run->kernels, row, end);
        t.at += t.depth;
    } while (t.at < p->k);
    for (; row < end; row++)
        finish(job, place + row * p->n, t.count);
}

void product_run(const struct run *run, const struct step *step, const struct product *p, const float *left,
                 const float *right, float *out)
{
    size_t parts = ceil_div(p->m, PACK_ROWS), tasks = p->batches * p->groups;
    struct product_job job = {
        p, step, run, p->turned ? left : right, out, 1, step->post_count > 0, planes_of(step->result)};
    if (tasks == 0 || parts == 0) return;
    if (!p->left_done) pack_left(run->kernels, run->pool, p, p->turned ? right : left);
    while (tasks * job.splits < 8 && job.splits < parts)
        job.splits++;
    if (job.posts && job.planes.pixels % p->n != 0) job.posts = false;
    bst_pool_run(run->pool, tasks * job.splits, product_task, &job);
    if (step->post_count > 0 && !job.posts) posts_apply_all(run, step, out, out);
}
