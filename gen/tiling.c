/* tiling.c - chooses how a picture is cut into tiles; see tiling.h. */
#include "tiling.h"

#include <stdlib.h>
#include <string.h>

#define GRID_MAX  4096 /* pixels: a coarser grid leaves nothing to choose */
#define TILES_MAX 1024 /* along one axis */
#define CHOICES   48   /* of tiles along one axis that are weighed */

struct maker {
    const struct bst_model *model;
    struct region *region;
    const struct tiling_limits *limits;
    struct tiling *out;
};

/* ---- inputs ---- */

/* Pixels of the picture that one place of an input stands for, 0 for an input that has no places. */
static int64_t pixels_each(const struct bst_model *model, size_t input)
{
    const struct bst_card_input *role = &model->card.inputs[model->roles[input]];
    if (has_cells(role)) return role->cell;
    return role->role == BST_ROLE_IMAGE ? model->card.output_scale : 0;
}

void tiling_part(const struct bst_model *model, int64_t y, int64_t x, struct inputs_part *part)
{
    for (size_t i = 0; i < model->graph->input_count; i++) {
        int64_t each = pixels_each(model, i);
        part->row[i] = each > 0 ? y / each : 0;
        part->column[i] = each > 0 ? x / each : 0;
    }
}

/* Where the axes of each input lie, and where its crop begins when the run's output begins at (y, x). */
static void input_reaches(const struct bst_model *model, int64_t y, int64_t x,
                          struct reach (*out)[PICTURE_AXES])
{
    for (size_t i = 0; i < model->graph->input_count; i++) {
        const struct bst_card_input *role = &model->card.inputs[model->roles[i]];
        struct layout l = layout_of(role->role == BST_ROLE_IMAGE && role->nhwc);
        int64_t each = pixels_each(model, i);
        out[i][ROWS] = (struct reach){each > 0 ? (int)l.h : -1, each > 0 ? y / each : 0, 0, 0};
        out[i][COLUMNS] = (struct reach){each > 0 ? (int)l.w : -1, each > 0 ? x / each : 0, 0, 0};
    }
}

static enum bst_code dims_for(const struct bst_model *model, const int64_t sides[PICTURE_AXES],
                              int64_t (*dims)[RANK_MAX], struct bst_error *err)
{
    return model_dims(model, (uint32_t)sides[COLUMNS], (uint32_t)sides[ROWS], dims, err);
}

enum bst_code tiling_dims(const struct bst_model *model, const struct tiling *tiling,
                          int64_t (*dims)[RANK_MAX], struct bst_error *err)
{
    const int64_t sides[] = {tiling->axis[ROWS].length, tiling->axis[COLUMNS].length};
    return dims_for(model, sides, dims, err);
}

void tiling_clear(struct tiling *tiling)
{
    for (size_t a = 0; a < PICTURE_AXES; a++)
        free(tiling->axis[a].spans);
    *tiling = (struct tiling){0};
}

static enum bst_code cannot(const struct maker *m, const char *why, struct bst_error *err)
{
    bst_fail(err, BST_USAGE, "the picture cannot be made in tiles: %s", why);
    return bst_where(err, "%s", m->model->path);
}

/* ---- tracing ---- */

static enum bst_code crop(struct maker *m, const int64_t sides[PICTURE_AXES], struct bst_error *err)
{
    int64_t dims[INPUTS_MAX][RANK_MAX];
    enum bst_code code = dims_for(m->model, sides, dims, err);
    return code != BST_OK ? code : region_crop(m->region, (const int64_t(*)[RANK_MAX])dims, err);
}

/* What a run whose output begins at a place along one axis (and at 0 along the other) makes right. */
static enum bst_code trace(const struct maker *m, size_t axis, int64_t origin, struct reach *out,
                           int64_t *factor, struct bst_error *err)
{
    struct reach inputs[INPUTS_MAX][PICTURE_AXES], result[PICTURE_AXES];
    struct layout l = layout_of(m->model->card.output_nhwc);
    input_reaches(m->model, axis == ROWS ? origin : 0, axis == COLUMNS ? origin : 0, inputs);
    enum bst_code code =
        region_trace(m->region, (const struct reach(*)[PICTURE_AXES])inputs, result, factor, err);
    if (code != BST_OK || *factor != 1) return code;
    *out = result[axis];
    if (out->dim != (int)(axis == ROWS ? l.h : l.w) || out->origin != origin)
        return cannot(m, "its output does not lie where its inputs lie", err);
    return BST_OK;
}

/* The grid, and how many places are wrong at an inner edge, from two crops that lack a grid's length at one end. */
static enum bst_code measure(struct maker *m, size_t a, struct bst_error *err)
{
    struct tile_axis *axis = &m->out->axis[a];
    enum bst_code code = BST_OK;
    int64_t factor = 1;
    struct reach first, last;
    do {
        if (axis->grid > GRID_MAX || axis->grid >= axis->side) { /* one tile along this axis, or none */
            axis->grid = axis->side;
            return BST_OK;
        }
        int64_t sides[] = {m->out->axis[ROWS].side, m->out->axis[COLUMNS].side};
        sides[a] -= axis->grid;
        code = crop(m, sides, err);
        if (code == BST_OK) code = trace(m, a, axis->grid, &last, &factor, err);
        if (code == BST_OK && factor == 1) code = trace(m, a, 0, &first, &factor, err);
        if (code == BST_OK && factor != 1) axis->grid *= factor;
    } while (code == BST_OK && factor != 1);
    if (code != BST_OK) return code;
    axis->before = last.begin - axis->grid;
    axis->behind = first.end < axis->side - axis->grid ? axis->side - axis->grid - first.end : 0;
    return BST_OK;
}

/* ---- choosing ---- */

/* How far apart runs of a length begin. */
static int64_t step_of(const struct tile_axis *axis, int64_t length)
{
    int64_t clean = length - axis->before - axis->behind;
    return clean > 0 ? clean / axis->grid * axis->grid : 0;
}

/* The shortest run of which count make the whole side; lengths are such that the last run ends where the side does
 * and begins on the grid. 0: there is none shorter than the side. */
static int64_t length_for(const struct tile_axis *axis, size_t count)
{
    int64_t rest = axis->side % axis->grid, least = axis->side / (int64_t)count;
    if (count == 1) return axis->side;
    least = least / axis->grid * axis->grid + rest;
    if (least < 1) least += axis->grid;
    for (int64_t length = least; length < axis->side; length += axis->grid)
        if (step_of(axis, length) * ((int64_t)count - 1) >= axis->side - length) return length;
    return 0;
}

struct choice {
    size_t count[PICTURE_AXES];
    int64_t length[PICTURE_AXES];
    double pixels; /* that are made in all */
};

struct length_choice {
    size_t count;
    int64_t length;
};

/* Numbers of tiles along an axis: every one at first, then an eighth more each time. */
static size_t axis_choices(const struct tile_axis *axis, struct length_choice *out)
{
    size_t found = 0;
    for (size_t count = 1; count <= TILES_MAX && found < CHOICES; count += 1 + count / 8) {
        int64_t length = length_for(axis, count);
        if (length == 0 || (found > 0 && length >= out[found - 1].length)) continue;
        out[found++] = (struct length_choice){count, length};
    }
    return found;
}

static int by_pixels(const void *a, const void *b)
{
    double x = ((const struct choice *)a)->pixels, y = ((const struct choice *)b)->pixels;
    return (x > y) - (x < y);
}

static size_t all_choices(const struct maker *m, struct choice *out)
{
    struct length_choice rows[CHOICES], columns[CHOICES];
    size_t row_count = axis_choices(&m->out->axis[ROWS], rows), found = 0;
    size_t column_count = axis_choices(&m->out->axis[COLUMNS], columns);
    uint32_t most = m->limits->side;
    for (size_t i = 0; i < row_count; i++) {
        for (size_t j = 0; j < column_count; j++) {
            if (most != 0 && (rows[i].length > most || columns[j].length > most)) continue;
            out[found++] = (struct choice){{rows[i].count, columns[j].count},
                                           {rows[i].length, columns[j].length},
                                           (double)rows[i].count * (double)rows[i].length *
                                               (double)columns[j].count * (double)columns[j].length};
        }
    }
    qsort(out, found, sizeof *out, by_pixels);
    return found;
}

static enum bst_code bytes_for(struct maker *m, const int64_t lengths[PICTURE_AXES], size_t *bytes,
                               struct bst_error *err)
{
    int64_t dims[INPUTS_MAX][RANK_MAX];
    size_t count;
    enum bst_code code = crop(m, lengths, err);
    if (code == BST_OK) code = dims_for(m->model, lengths, dims, err);
    if (code != BST_OK) return code;
    if (!inputs_count(m->model->graph, (const int64_t(*)[RANK_MAX])dims, &count))
        return bst_fail(err, BST_USAGE, "a tile of this size cannot be made");
    *bytes = region_bytes(m->region) + count * sizeof(float) + m->limits->pixels * m->out->channels;
    return BST_OK;
}

static enum bst_code nothing_fits(const struct maker *m, int64_t height, int64_t width, size_t bytes,
                                  struct bst_error *err)
{
    if (bytes == 0) {
        int64_t least = 0;
        for (size_t a = 0; a < PICTURE_AXES; a++) {
            struct length_choice choices[CHOICES];
            size_t count = axis_choices(&m->out->axis[a], choices);
            if (choices[count - 1].length > least) least = choices[count - 1].length;
        }
        bst_fail(err, BST_USAGE, "tiles of %u pixels a side are too small for this model", m->limits->side);
        bst_hint(err, "%lld is the least: tiles must overlap by what the network looks at", (long long)least);
        return err->code;
    }
    bst_fail(err, BST_FAILURE,
             "this size needs %zu MB of memory even in tiles of %lld x %lld, and %zu MB may be used",
             (bytes >> 20) + 1, (long long)width, (long long)height, m->limits->memory >> 20);
    bst_where(err, "%s", m->model->path);
    return bst_hint(err, "allow more memory");
}

/* ---- placing ---- */

/* Runs are a step apart, the last one is moved inwards; each keeps what the one before it left. */
static enum bst_code place(struct tile_axis *axis, struct bst_error *err)
{
    int64_t step = step_of(axis, axis->length), last = axis->side - axis->length;
    free(axis->spans);
    axis->spans = bst_calloc(axis->count, sizeof *axis->spans);
    if (axis->spans == NULL) return bst_fail_memory(err);
    for (size_t i = 0; i < axis->count; i++) {
        struct tile_span *span = &axis->spans[i];
        span->origin = (int64_t)i * step < last ? (int64_t)i * step : last;
        span->begin = i == 0 ? 0 : span->origin + axis->before;
        span->end = axis->side;
        if (i > 0) axis->spans[i - 1].end = span->begin;
    }
    return BST_OK;
}

/* Every run is traced where it is: nothing rests on the middle being like the edges. */
static enum bst_code verify(const struct maker *m, size_t a, bool *right, struct bst_error *err)
{
    const struct tile_axis *axis = &m->out->axis[a];
    for (size_t i = 0; i < axis->count && *right; i++) {
        const struct tile_span *span = &axis->spans[i];
        struct reach reach;
        int64_t factor;
        enum bst_code code = trace(m, a, span->origin, &reach, &factor, err);
        if (code != BST_OK) return code;
        *right = factor == 1 && reach.begin <= span->begin && reach.end >= span->end;
    }
    return BST_OK;
}

/* Places the runs of a choice; *right: they make all of the picture. */
static enum bst_code try_choice(struct maker *m, const struct choice *choice, bool *right,
                                struct bst_error *err)
{
    enum bst_code code = BST_OK;
    *right = true;
    for (size_t a = 0; a < PICTURE_AXES && code == BST_OK; a++) {
        struct tile_axis *axis = &m->out->axis[a];
        axis->count = choice->count[a];
        axis->length = choice->length[a];
        code = place(axis, err);
        if (code == BST_OK) code = verify(m, a, right, err);
    }
    return code;
}

/* The choice that makes the fewest pixels in all of those that fit. Memory grows with the pixels of a run. */
static enum bst_code choose(struct maker *m, struct bst_error *err)
{
    struct choice *choices = bst_calloc((size_t)CHOICES * CHOICES, sizeof *choices);
    double too_large = 0;
    size_t bytes = 0, least = 0;
    int64_t least_sides[PICTURE_AXES] = {0, 0};
    bool right = false;
    if (choices == NULL) return bst_fail_memory(err);
    size_t count = all_choices(m, choices);
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < count && code == BST_OK && !right; i++) {
        double area = (double)choices[i].length[ROWS] * (double)choices[i].length[COLUMNS];
        if (too_large != 0 && area >= too_large) continue;
        code = bytes_for(m, choices[i].length, &bytes, err);
        if (code != BST_OK) break;
        if (m->limits->memory == 0 || bytes <= m->limits->memory) {
            code = try_choice(m, &choices[i], &right, err);
            continue;
        }
        too_large = area;
        least = bytes;
        memcpy(least_sides, choices[i].length, sizeof least_sides);
    }
    free(choices);
    if (code != BST_OK || right) return code;
    return nothing_fits(m, least_sides[ROWS], least_sides[COLUMNS], least, err);
}

/* The card's multiple and every input's pixels divide the grid. */
static int64_t least_grid(const struct bst_model *model)
{
    int64_t grid = model->card.size_multiple;
    for (size_t i = 0; i < model->graph->input_count; i++) {
        int64_t a = grid, b = pixels_each(model, i), product = b > 0 ? grid * b : grid;
        while (b != 0) {
            int64_t rest = a % b;
            a = b;
            b = rest;
        }
        if (pixels_each(model, i) > 0) grid = product / a;
    }
    return grid;
}

static enum bst_code make(struct maker *m, struct bst_error *err)
{
    enum bst_code code = BST_OK;
    bool any = false;
    for (size_t i = 0; i < m->model->graph->input_count; i++)
        any = any || pixels_each(m->model, i) > 0;
    if (!any) return cannot(m, "no input of the network is a picture or a map of noise", err);
    if (m->model->card.fixed_size) return cannot(m, "the network makes one size only", err);
    for (size_t a = 0; a < PICTURE_AXES && code == BST_OK; a++)
        code = measure(m, a, err);
    return code == BST_OK ? choose(m, err) : code;
}

enum bst_code tiling_make(const struct bst_model *model, uint32_t width, uint32_t height,
                          const struct plan_options *options, const struct tiling_limits *limits,
                          struct tiling *out, struct bst_error *err)
{
    struct maker m = {model, NULL, limits, out};
    int64_t dims[INPUTS_MAX][RANK_MAX];
    *out = (struct tiling){0};
    enum bst_code code = model_dims(model, width, height, dims, err);
    if (code == BST_OK)
        code = region_new(model->graph, (const int64_t(*)[RANK_MAX])dims, options, &m.region, err);
    const int64_t sides[] = {height, width};
    for (size_t a = 0; a < PICTURE_AXES && code == BST_OK; a++)
        out->axis[a] = (struct tile_axis){.side = sides[a], .grid = least_grid(model)};
    if (code == BST_OK) {
        struct tensor output = *region_output(m.region);
        code = model_picture(model, &output, err);
        out->channels = output.dims[1] == 4 ? 4 : 3;
    }
    if (code == BST_OK) code = make(&m, err);
    region_free(m.region);
    if (code != BST_OK) tiling_clear(out);
    return code;
}
