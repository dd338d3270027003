/* op_resize.c - Resize and Upsample of any axes: nearest, linear and cubic. Each axis is a pass of its own, in
 * the order of the axes; the last two, rows and columns, are made together, row by row. Which input places
 * make an output place says op_resize_table.c. */
#include "op_resize.h"

#include <string.h>

#define TASK_NUMBERS ((size_t)16384) /* made by one task, about */

struct pass { /* along one axis before the rows: [before][in][behind] -> [before][out][behind] */
    size_t axis, before, behind;
    struct axis_table table;
    float *out;
};

struct resize {
    bool nearest;
    float beyond;
    size_t pass_count;
    struct pass passes[RANK_MAX];
    bool some_beyond; /* along one of the passes' axes */
    int64_t dims[RANK_MAX];
    bool has_rows, has_columns; /* these take part; else a row is taken as it is, a number too */
    struct axis_table rows, columns;
};

OP_INFER(resize)
{
    struct resize_options o;
    enum bst_code code = resize_read(step, &o, err);
    return code != BST_OK ? code : step_output(step, 0, KIND_FLOAT, step->inputs[0]->rank, o.dims, err);
}

/* Whether an axis takes a pass: the sides always do, batch and channels only when the pass does something. */
static bool takes_pass(const struct resize *r, const struct axis_table *t, size_t axis)
{
    return !t->same || (axis >= 2 && !r->nearest);
}

/* A pass along an axis before the rows; dims are those that the passes before it leave. */
static enum bst_code make_pass(struct step *step, struct resize *r, size_t axis, int64_t *dims,
                               const struct axis_table *table, struct bst_error *err)
{
    struct pass *pass = &r->passes[r->pass_count++];
    size_t numbers;
    *pass = (struct pass){.axis = axis, .before = 1, .behind = 1, .table = *table};
    for (size_t i = 0; i < step->inputs[0]->rank; i++) {
        if (i < axis) pass->before *= (size_t)dims[i];
        if (i > axis) pass->behind *= (size_t)dims[i];
    }
    dims[axis] = (int64_t)table->out;
    r->some_beyond = r->some_beyond || table->beyond != NULL;
    if (!bst_mul(pass->before * pass->behind, table->out, &numbers)) return bst_fail_memory(err);
    pass->out = step_take(step, numbers, sizeof *pass->out);
    return pass->out != NULL ? BST_OK : bst_fail_memory(err);
}

OP_PREPARE(resize)
{
    const struct tensor *x = step->inputs[0];
    struct resize *r = step_take(step, 1, sizeof *r);
    struct resize_options o;
    int64_t dims[RANK_MAX];
    (void)kernels;
    (void)threads;
    if (r == NULL) return bst_fail_memory(err);
    enum bst_code code = resize_read(step, &o, err);
    if (code != BST_OK) return code;
    r->nearest = o.mode == RESIZE_NEAREST;
    r->beyond = o.beyond;
    memcpy(dims, x->dims, sizeof dims);
    memcpy(r->dims, o.dims, sizeof r->dims);
    for (size_t axis = 0; axis < x->rank; axis++) {
        struct axis_table table;
        code = resize_table(step, &o, axis, &table, err);
        if (code != BST_OK) return code;
        bool takes = takes_pass(r, &table, axis);
        if (axis + 1 == x->rank) {
            r->columns = table;
            r->has_columns = takes;
        } else if (axis + 2 == x->rank) {
            r->rows = table;
            r->has_rows = takes;
        } else if (takes) {
            code = make_pass(step, r, axis, dims, &table, err);
            if (code != BST_OK) return code;
        }
    }
    step->scratch = (3 * r->columns.in + 4) * sizeof(float);
    step->prepared = r;
    return BST_OK;
}

/* ---- passes before the rows ---- */

struct pass_job {
    const struct resize *r;
    const struct pass *pass;
    const struct bst_kernels *kernels;
    const float *from;
    size_t pieces; /* of what lies behind one place */
};

static void pass_task(void *arg, size_t index, unsigned thread)
{
    const struct pass_job *job = arg;
    const struct pass *pass = job->pass;
    const struct axis_table *t = &pass->table;
    size_t at = index % job->pieces * TASK_NUMBERS, block = index / job->pieces, i = block % t->out;
    size_t n = pass->behind - at < TASK_NUMBERS ? pass->behind - at : TASK_NUMBERS;
    const float *from = job->from + block / t->out * t->in * pass->behind + at;
    float *to = pass->out + block * pass->behind + at;
    (void)thread;
    if (job->r->nearest)
        memcpy(to, from + t->place[i] * pass->behind, n * sizeof *to);
    else
        job->kernels->combine(from, pass->behind, t->place + i, t->weight + i, t->out, t->taps, to, n);
}

/* ---- rows and columns ---- */

struct rows_job {
    const struct step *step;
    const struct run *run;
    const float *from;
    struct planes planes;
    size_t rows, rows_a_task;
};

struct lines { /* a thread's memory */
    float *line, *pairs;
};

/* The n columns of a row from column x on, taken from line. */
static void nearest_columns(const struct resize *r, const struct bst_kernels *k, const float *line, size_t x,
                            float *to, size_t n)
{
    if (!r->has_columns) {
        memcpy(to, line + x, n * sizeof *to);
    } else if (r->columns.doubled && x % 2 == 0 && n % 2 == 0) {
        k->interleave(line + x / 2, line + x / 2, to, n / 2);
    } else {
        const uint32_t *place = r->columns.place + x;
        for (size_t i = 0; i < n; i++)
            to[i] = line[place[i]];
    }
}

/* Columns of an exact doubling; its two ends do not follow the rule. line has a free place on either side. */
static void twice_columns(const struct axis_table *c, const struct bst_kernels *k, const struct lines *lines,
                          size_t x, float *to, size_t n)
{
    size_t first = x / 2, count = (x + n + 1) / 2 - first, last = c->out - 1;
    float *line = lines->line;
    line[-1] = line[c->in] = 0.0f;
    if (x % 2 == 0 && n % 2 == 0) {
        k->twice(line + first, to, count);
    } else {
        k->twice(line + first, lines->pairs, count);
        memcpy(to, lines->pairs + x % 2, n * sizeof *to);
    }
    if (x == 0) k->gather(line, c->place, c->weight, c->out, c->taps, to, 1);
    if (x + n - 1 == last) k->gather(line, c->place + last, c->weight + last, c->out, c->taps, to + n - 1, 1);
}

static void weighted_row(const struct resize *r, const struct bst_kernels *k, const float *plane, size_t y,
                         size_t x, const struct lines *lines, float *to, size_t n)
{
    const struct axis_table *c = &r->columns;
    const float *line = plane;
    if (r->has_rows) {
        k->combine(plane, c->in, r->rows.place + y, r->rows.weight + y, r->rows.out, r->rows.taps,
                   lines->line, c->in);
        line = lines->line;
    } else if (c->twice) {
        memcpy(lines->line, plane, c->in * sizeof *line);
    }
    if (!r->has_columns)
        memcpy(to, line + x, n * sizeof *to);
    else if (c->twice)
        twice_columns(c, k, lines, x, to, n);
    else
        k->gather(line, c->place + x, c->weight + x, c->out, c->taps, to, n);
}

/* Whether a plane lies outside of the input along one of the axes before the rows. */
static bool plane_is_beyond(const struct resize *r, size_t plane, size_t axes)
{
    size_t at[RANK_MAX];
    for (size_t i = axes; i-- > 0; plane /= (size_t)r->dims[i])
        at[i] = plane % (size_t)r->dims[i];
    for (size_t p = 0; p < r->pass_count; p++) {
        const struct pass *pass = &r->passes[p];
        if (pass->table.beyond != NULL && pass->table.beyond[at[pass->axis]]) return true;
    }
    return false;
}

/* Places outside of the input take a value of their own. */
static void put_beyond(const struct resize *r, size_t plane, size_t axes, size_t y, size_t x, float *to,
                       size_t n)
{
    const bool *columns = r->columns.beyond;
    bool all = (r->has_rows && r->rows.beyond != NULL && r->rows.beyond[y]) ||
               (r->some_beyond && plane_is_beyond(r, plane, axes));
    for (size_t i = 0; i < n && (all || columns != NULL); i++)
        if (all || columns[x + i]) to[i] = r->beyond;
}

static void rows_task(void *arg, size_t index, unsigned thread)
{
    const struct rows_job *job = arg;
    const struct step *s = job->step;
    const struct resize *r = s->prepared;
    const struct tensor *out = s->result;
    const struct bst_kernels *k = job->run->kernels;
    size_t rank = out->rank, w = (size_t)out->dims[rank - 1],
           h = r->has_rows ? (size_t)out->dims[rank - 2] : 1;
    size_t in_w = r->columns.in, in_h = r->has_rows ? r->rows.in : 1, x = (size_t)s->crop_x;
    float *memory = (float *)(void *)(job->run->scratch + thread * job->run->scratch_each);
    const struct lines lines = {memory + 1, memory + in_w + 2};
    size_t end = (index + 1) * job->rows_a_task < job->rows ? (index + 1) * job->rows_a_task : job->rows;
    for (size_t row = index * job->rows_a_task; row < end; row++) {
        size_t plane = row / h, y = (size_t)s->crop_y + row % h, number = row * w / job->planes.pixels;
        const float *from = job->from + plane * in_h * in_w;
        float *to = tensor_floats(out) + row * w;
        if (r->nearest)
            nearest_columns(r, k, from + (r->has_rows ? r->rows.place[y] * in_w : 0), x, to, w);
        else
            weighted_row(r, k, from, y, x, &lines, to, w);
        put_beyond(r, plane, r->has_rows ? rank - 2 : rank - 1, y, x, to, w);
        posts_apply(k, s->posts, s->post_count, to, to, w, number / job->planes.channels,
                    number % job->planes.channels, row * w % job->planes.pixels);
    }
}

OP_RUN(resize)
{
    const struct resize *r = step->prepared;
    const struct tensor *out = step->result;
    const float *from = tensor_floats(step->inputs[0]);
    for (size_t p = 0; p < r->pass_count; p++) {
        const struct pass *pass = &r->passes[p];
        struct pass_job job = {r, pass, run->kernels, from, (pass->behind + TASK_NUMBERS - 1) / TASK_NUMBERS};
        bst_pool_run(run->pool, pass->before * pass->table.out * job.pieces, pass_task, &job);
        from = pass->out;
    }
    size_t w = (size_t)out->dims[out->rank - 1];
    struct rows_job job = {step, run, from, planes_of(out), out->count / w, TASK_NUMBERS / w + 1};
    bst_pool_run(run->pool, (job.rows + job.rows_a_task - 1) / job.rows_a_task, rows_task, &job);
}
