/* op_product.c - see op_product.h. */
#include "op_product.h"
#include "sizes.h"

#include <string.h>

#define COPY_BYTES    ((size_t)256 << 10) /* of a task's columns, within the second-level cache */
#define COLUMNS_MAX   ((size_t)256)
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

/* Rows of a left matrix from row on, [k][rows]. */
static void pack_rows(const struct product *p, const float *left, size_t row, size_t rows, float *to)
{
    left += row * p->left_row;
    for (size_t c = 0; c < p->k; c++)
        for (size_t r = 0; r < rows; r++)
            *to++ = left[c * p->left_k + r * p->left_row];
}

struct pack_job {
    const struct product *p;
    const struct bst_kernels *k;
    const float *left;
    size_t parts; /* of a matrix */
};

#define PACK_ROWS ((size_t)48) /* a multiple of the greatest block of every instruction set */

static void pack_task(void *arg, size_t index, unsigned thread)
{
    const struct pack_job *job = arg;
    const struct product *p = job->p;
    size_t matrix = index / job->parts, row = index % job->parts * PACK_ROWS,
           end = least(p->m, row + PACK_ROWS);
    const float *left = job->left + left_at(p, matrix);
    (void)thread;
    while (row < end) {
        size_t rows = micro_for(job->k, end - row)->rows;
        pack_rows(p, left, row, rows, p->left + matrix * p->m * p->k + row * p->k);
        row += rows;
    }
}

static void pack_left(const struct bst_kernels *k, struct bst_pool *pool, const struct product *p,
                      const float *left)
{
    struct pack_job job = {p, k, left, (p->m + PACK_ROWS - 1) / PACK_ROWS};
    bst_pool_run(pool, p->left_count * job.parts, pack_task, &job);
}

enum bst_code product_make(struct step *step, struct product *p, const struct bst_kernels *kernels,
                           const float *left, const float *right, struct bst_error *err)
{
    size_t width = kernels->micros[0].vectors * kernels->width, room = COPY_BYTES / sizeof(float);
    if (p->n == 1 && p->m > 1) {
        turn(p);
        left = right;
    }
    count_left(p);
    if (p->batches == 0 || p->m == 0 || p->n == 0) return BST_OK;
    p->direct = p->m <= DIRECT_ROWS && p->right_column == 1;
    p->columns = least(COLUMNS_MAX, room / (p->k + 1) / width * width);
    if (p->columns < width) p->columns = width;
    if (p->direct) p->columns = SLACK;
    p->pitch = p->direct
                   ? SLACK
                   : p->columns + 16; /* an odd number of cache lines: rows spread over the cache's sets */
    p->groups = (p->n + p->columns - 1) / p->columns;
    if (p->k > TENSOR_MAX / p->pitch) return step_bad(err, "the matrices are too large");
    p->left = step_take(step, p->left_count * p->m * p->k + 1, sizeof *p->left);
    if (p->left == NULL) return bst_fail_memory(err);
    p->left_done = left != NULL;
    if (left != NULL) pack_left(kernels, NULL, p, left);
    size_t bytes = (p->k * p->pitch + SLACK + SCRATCH_EDGES) * sizeof(float);
    if (bytes > step->scratch) step->scratch = bytes;
    return BST_OK;
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

/* Columns of a right matrix, side by side. */
static void copy_columns(const struct product *p, const float *right, size_t column, size_t count, float *to)
{
    right += column * p->right_column;
    if (p->right_column == 1) {
        for (size_t c = 0; c < p->k; c++)
            memcpy(to + c * p->pitch, right + c * p->right_k, count * sizeof *to);
        return;
    }
    for (size_t at = 0; at < p->k; at += 64) /* so that what is written stays in the first-level cache */
        for (size_t i = 0; i < count; i++)
            for (size_t c = at; c < p->k && c < at + 64; c++)
                to[c * p->pitch + i] = right[c * p->right_k + i * p->right_column];
}

/* A row's finished numbers. */
static void finish(const struct product_job *job, size_t place, size_t count)
{
    const struct planes *s = &job->planes;
    size_t plane = place / s->pixels;
    if (!job->posts) return;
    posts_apply(job->run->kernels, job->step->posts, job->step->post_count, job->out + place,
                job->out + place, count, plane / s->channels, plane % s->channels, place % s->pixels);
}

/* Columns of one task: where they are read from, and the place of their first in the result's rows. */
struct columns {
    const float *from;
    size_t stride, first, count;
};

/* One block of rows over the task's columns; what would reach beyond them goes through edge. */
static void run_rows(const struct product_job *job, const struct bst_micro *m, const float *left,
                     size_t place, const struct columns *c, float *edge)
{
    static const float zeros[BST_MICRO_ROWS_MAX];
    static const uint32_t here;
    const struct product *p = job->p;
    size_t width = m->vectors * job->run->kernels->width;
    float *out = job->out + place + c->first;
    for (size_t at = 0; at < c->count; at += width) {
        bool inside = at + width <= c->count;
        m->run(p->k, c->stride, 1, &here, c->from + at, left, zeros, inside ? out + at : edge,
               inside ? p->n : (size_t)SLACK);
        for (size_t r = 0; r < m->rows && !inside; r++)
            memcpy(out + r * p->n + at, edge + r * SLACK, (c->count - at) * sizeof *out);
    }
    for (size_t r = 0; r < m->rows; r++)
        finish(job, place + r * p->n + c->first, c->count);
}

static void product_task(void *arg, size_t index, unsigned thread)
{
    const struct product_job *job = arg;
    const struct product *p = job->p;
    size_t split = index % job->splits, group = index / job->splits % p->groups;
    size_t batch = index / job->splits / p->groups;
    size_t parts = (p->m + PACK_ROWS - 1) / PACK_ROWS, first = group * p->columns;
    size_t row = split * parts / job->splits * PACK_ROWS, end = (split + 1) * parts / job->splits * PACK_ROWS;
    const float *right = job->right + batch_at(p, batch, p->right_batch);
    const float *left = p->left + batch_at(p, batch, p->left_step) * p->m * p->k;
    float *edge = (float *)(void *)(job->run->scratch + thread * job->run->scratch_each);
    float *copy = edge + SCRATCH_EDGES;
    struct columns c = {copy, p->pitch, first, least(p->columns, p->n - first)};
    /* the last columns are never read in place: a block would read beyond the matrix */
    if (p->direct && c.count == p->columns)
        c = (struct columns){right + first, p->right_k, first, c.count};
    else
        copy_columns(p, right, first, c.count, copy);
    for (end = least(end, p->m); row < end;) {
        size_t left_rows = least(PACK_ROWS - row % PACK_ROWS, end - row); /* as pack_task cut them */
        const struct bst_micro *m = micro_for(job->run->kernels, left_rows);
        run_rows(job, m, left + row * p->k, (batch * p->m + row) * p->n, &c, edge);
        row += m->rows;
    }
}

void product_run(const struct run *run, const struct step *step, const struct product *p, const float *left,
                 const float *right, float *out)
{
    size_t parts = (p->m + PACK_ROWS - 1) / PACK_ROWS, tasks = p->batches * p->groups;
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
