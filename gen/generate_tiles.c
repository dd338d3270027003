/* generate_tiles.c - a picture made a tile at a time, in the memory allowed, with the samples that it has in one piece;
 * tiling.h says which tiles. */
#include "generate.h"

#include <stdlib.h>
#include <string.h>

/* ---- running tiles ---- */

struct steps { /* of all tiles, for the progress */
    const struct bst_generator *g;
    size_t tile, tiles;
};

static bool tile_progress(void *arg, uint64_t done, uint64_t total)
{
    const struct steps *steps = arg;
    return steps->g->progress(steps->g->progress_arg, steps->tile * total + done, steps->tiles * total);
}

/* A tiling on its way: one plan and one room for inputs, used for every tile. */
struct pass {
    const struct making *m;
    const struct tiling *tiling;
    int64_t dims[INPUTS_MAX][RANK_MAX];
    size_t count;  /* of numbers in a tile's inputs */
    float *memory; /* theirs */
    float *drawn;  /* noise maps that cannot be drawn in parts */
    const float *maps[INPUTS_MAX];
    struct steps steps;
};

static enum bst_code draw_maps(struct pass *pass, size_t count, struct bst_error *err)
{
    const struct making *m = pass->m;
    const struct inputs_run run = {m->g->model, m->g->kernels, m->g->pool, NULL, &m->used, NULL};
    pass->drawn = bst_calloc(count, sizeof *pass->drawn);
    if (pass->drawn == NULL) return bst_fail_memory(err);
    return inputs_draw(&run, (const int64_t(*)[RANK_MAX])m->dims, pass->drawn, pass->maps, err);
}

static enum bst_code run_tile(struct pass *pass, const struct tensor **output, struct bst_error *err)
{
    const struct making *m = pass->m;
    size_t columns = pass->tiling->axis[COLUMNS].count;
    const struct tile_span *row = &pass->tiling->axis[ROWS].spans[pass->steps.tile / columns];
    const struct tile_span *column = &pass->tiling->axis[COLUMNS].spans[pass->steps.tile % columns];
    struct inputs_part part = {.whole = (const int64_t(*)[RANK_MAX])m->dims,
                               .maps = pass->drawn != NULL ? pass->maps : NULL};
    tiling_part(m->g->model, row->origin, column->origin, &part);
    memset(pass->memory, 0, pass->count * sizeof *pass->memory);
    return making_run(m, (const int64_t(*)[RANK_MAX])pass->dims, &part, pass->memory,
                      m->g->progress != NULL ? tile_progress : NULL, &pass->steps, output, err);
}

static enum bst_code run_tiles(struct pass *pass, tile_fn *take, void *arg, struct bst_error *err)
{
    const struct tile_axis *rows = &pass->tiling->axis[ROWS], *columns = &pass->tiling->axis[COLUMNS];
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < pass->steps.tiles && code == BST_OK; i++) {
        const struct tensor *output;
        pass->steps.tile = i;
        code = run_tile(pass, &output, err);
        if (code == BST_OK)
            code =
                take(arg, output, &rows->spans[i / columns->count], &columns->spans[i % columns->count], err);
    }
    return code;
}

/* Bytes of the noise maps that must be drawn whole. */
static size_t drawn_bytes(const struct making *m)
{
    const struct inputs_run run = {m->g->model, m->g->kernels, m->g->pool, NULL, &m->used, NULL};
    return inputs_drawn(&run, (const int64_t(*)[RANK_MAX])m->dims) * sizeof(float);
}

enum bst_code tiles_run(const struct making *m, const struct tiling *tiling, size_t spent, tile_fn *take,
                        void *arg, struct bst_error *err)
{
    struct pass pass = {.m = m, .tiling = tiling};
    const int64_t(*dims)[RANK_MAX] = (const int64_t(*)[RANK_MAX])pass.dims;
    size_t drawn = drawn_bytes(m);
    pass.steps = (struct steps){m->g, 0, tiling->axis[ROWS].count * tiling->axis[COLUMNS].count};
    enum bst_code code = tiling_dims(m->g->model, tiling, pass.dims, err);
    if (code != BST_OK) return code;
    if (!inputs_count(m->g->model->graph, dims, &pass.count)) return bst_fail_memory(err);
    code = generator_plan(m->g, dims, NULL, spent + drawn + pass.count * sizeof(float), err);
    if (code != BST_OK) return code;
    pass.memory = bst_calloc(pass.count, sizeof *pass.memory);
    if (pass.memory == NULL) code = bst_fail_memory(err);
    if (code == BST_OK && drawn > 0) code = draw_maps(&pass, drawn / sizeof(float), err);
    if (code == BST_OK) code = run_tiles(&pass, take, arg, err);
    free(pass.memory);
    free(pass.drawn);
    return code;
}

/* ---- the picture ---- */

struct canvas {
    const struct making *m;
    struct bst_image *picture;
};

static size_t least(int64_t a, uint32_t b)
{
    return a < (int64_t)b ? (size_t)a : b;
}

/* Puts what is kept of a tile in its place, but for what lies beyond the picture's sides. */
static enum bst_code put_tile(void *arg, const struct tensor *output, const struct tile_span *rows,
                              const struct tile_span *columns, struct bst_error *err)
{
    const struct canvas *canvas = arg;
    size_t y = (size_t)rows->begin, x = (size_t)columns->begin;
    size_t end_y = least(rows->end, canvas->picture->height),
           end_x = least(columns->end, canvas->picture->width);
    if (y >= end_y || x >= end_x) return BST_OK;
    size_t from_y = y - (size_t)rows->origin, from_x = x - (size_t)columns->origin;
    const struct rectangle to = {y, x, end_y - y, end_x - x};
    enum bst_code code = making_check(canvas->m, output, from_y + to.height, from_x + to.width, err);
    if (code == BST_OK) making_put(canvas->m, output, from_y, from_x, &to, canvas->picture);
    return code;
}

static enum bst_code choose_tiles(const struct making *m, size_t memory, struct bst_error *err)
{
    struct bst_generator *g = m->g;
    const struct plan_options options = {.kernels = g->kernels,
                                         .threads = bst_pool_threads(g->pool),
                                         .memory = g->memory,
                                         .arith = g->arith,
                                         .name = g->model->path};
    const struct tiling_limits limits = {memory, (size_t)m->used.width * m->used.height, g->tile_side};
    tiling_clear(&g->tiling);
    g->width = m->width;
    g->height = m->height;
    return tiling_make(g->model, m->width, m->height, &options, &limits, &g->tiling, err);
}

static enum bst_code fill_picture(const struct making *m, struct bst_image *out, struct bst_error *err)
{
    const struct tiling *tiling = &m->g->tiling;
    struct canvas canvas = {m, out};
    enum bst_code code = bst_image_new(m->used.width, m->used.height, (uint8_t)tiling->channels, 8, out, err);
    if (code == BST_OK) code = tiles_run(m, tiling, bst_image_size(out), put_tile, &canvas, err);
    if (code != BST_OK) bst_image_clear(out);
    return code;
}

enum bst_code generate_tiles(const struct making *m, struct bst_image *out, struct bst_error *err)
{
    struct bst_generator *g = m->g;
    size_t held = drawn_bytes(m), memory = g->memory > held ? g->memory - held : 1;
    bool kept = g->tiling.axis[ROWS].spans != NULL && g->width == m->width && g->height == m->height;
    if (g->memory == 0) memory = 0;
    if (kept) return fill_picture(m, out, err);
    /* Memory for weights and threads is known when the plan is made: then tiles may have to be smaller. */
    enum bst_code code;
    do {
        code = choose_tiles(m, memory, err);
        if (code != BST_OK) return code;
        code = fill_picture(m, out, err);
        memory = memory > g->lacking ? memory - g->lacking : 1;
    } while (code != BST_OK && g->lacking != 0);
    return code;
}

void bst_generator_tiling(const struct bst_generator *generator, struct bst_tiling *out)
{
    const struct tile_axis *rows = &generator->tiling.axis[ROWS], *columns = &generator->tiling.axis[COLUMNS];
    *out = (struct bst_tiling){1, 1, generator->width, generator->height, 0};
    if (rows->spans == NULL) return;
    *out = (struct bst_tiling){columns->count, rows->count, (uint32_t)columns->length, (uint32_t)rows->length,
                               0};
    out->overhead = (double)columns->count * (double)columns->length / (double)columns->side *
                        ((double)rows->count * (double)rows->length / (double)rows->side) -
                    1;
}
