/* test_train.c - the trainer: every gradient against finite differences, and the crops of the data set.
 *
 * A gradient is checked along random directions: (L(x + e v) - L(x - e v)) / 2 e against the gradient's
 * product with v. The loss is a fixed random weighting of the outputs, so that every one of them counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/train_blas.h"
#include "gen/train_run.h"

static float *normals(size_t count, uint64_t place)
{
    float *out = malloc((count + 1) * sizeof *out);
    assert_non_null(out);
    struct train_random r;
    train_random_init(&r, 7, 99, place);
    train_random_normal(&r, count, out);
    return out;
}

static double dot(size_t count, const float *a, const float *b)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

struct probe { /* a loss as a function of x, the rest fixed in arg */
    double (*loss)(void *arg);
    void *arg;
    float *x;
    size_t count;
};

static double along(struct probe p, const float *v, float e)
{
    float *keep = malloc(p.count * sizeof *keep);
    assert_non_null(keep);
    memcpy(keep, p.x, p.count * sizeof *keep);
    double value[2];
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < p.count; i++)
            p.x[i] = keep[i] + (side ? -e : e) * v[i];
        value[side] = p.loss(p.arg);
    }
    memcpy(p.x, keep, p.count * sizeof *keep);
    free(keep);
    return (value[0] - value[1]) / (2.0 * (double)e);
}

static void check_gradient(struct probe p, const float *gradient, float e, double tolerance, const char *what)
{
    for (uint64_t trial = 0; trial < 3; trial++) {
        float *v = normals(p.count, 1000 + trial);
        double expected = along(p, v, e), found = dot(p.count, gradient, v);
        double size = sqrt(dot(p.count, gradient, gradient));
        if (!(fabs(expected - found) <= tolerance * size) || size == 0.0)
            fail_msg("%s: along direction %u finite differences say %g, the gradient %g (its norm is %g)",
                     what, (unsigned)trial, expected, found, size);
        free(v);
    }
}

/* ---- layers ---- */

struct conv_case {
    struct train_map in, out;
    size_t k;
    float *x, *w, *raw, *y, *weight, *scale, *shift;
    struct train_film film;
};

static double conv_loss(void *arg)
{
    struct conv_case *c = arg;
    train_conv_forward(c->in, c->out.c, c->k, c->w, c->x, c->raw, NULL);
    train_film_forward(&c->film, c->scale, c->shift, c->raw, c->y);
    return dot(train_map_size(c->out), c->y, c->weight);
}

static void conv_and_film(void **state)
{
    (void)state;
    for (size_t k = 1; k <= 3; k++) {
        struct conv_case c = {.in = {5, 2, 7, 6}, .k = k};
        c.out = train_map_conv(c.in, 4, k);
        c.film = (struct train_film){c.out, c.in.h, c.in.w, 9, false};
        size_t nx = train_map_size(c.in), nw = k * k * 4 * 5, nraw = 4 * 2 * 7 * 6;
        c.x = normals(nx, 1), c.w = normals(nw, 2), c.weight = normals(train_map_size(c.out), 3);
        c.scale = normals(18, 4), c.shift = normals(18, 5);
        c.raw = normals(nraw, 6), c.y = normals(train_map_size(c.out), 7);
        float *dx = calloc(nx, 4), *dw = calloc(nw, 4), *draw = calloc(nraw, 4), *ds = calloc(18, 4),
              *dt = calloc(18, 4);
        conv_loss(&c);
        train_film_backward(&c.film, c.scale, c.raw, c.y, c.weight, draw, ds, dt);
        train_conv_backward(c.in, 4, k, c.w, c.x, draw, dx, dw, NULL);
        check_gradient((struct probe){conv_loss, &c, c.x, nx}, dx, 1e-3f, 5e-3, "convolution, input");
        check_gradient((struct probe){conv_loss, &c, c.w, nw}, dw, 1e-3f, 5e-3, "convolution, weights");
        check_gradient((struct probe){conv_loss, &c, c.scale, 18}, ds, 1e-4f, 5e-3, "scale");
        check_gradient((struct probe){conv_loss, &c, c.shift, 18}, dt, 1e-4f, 5e-3, "shift");
        float *all[] = {c.x, c.w, c.weight, c.scale, c.shift, c.raw, c.y, dx, dw, draw, ds, dt};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            free(all[i]);
    }
}

/* A convolution by hand: one input of two channels, against the sum written out. */
static void conv_by_hand(void **state)
{
    (void)state;
    struct train_map in = {2, 1, 3, 4};
    float x[24], w[9 * 2], raw[12];
    for (size_t i = 0; i < 24; i++)
        x[i] = (float)(i % 7) - 2.0f;
    for (size_t i = 0; i < 18; i++)
        w[i] = (float)(i % 5) - 1.0f;
    train_conv_forward(in, 1, 3, w, x, raw, NULL);
    for (size_t column = 0; column < 2; column++) {
        float sum = 0;
        for (size_t tap = 0; tap < 9; tap++)
            for (size_t c = 0; c < 2; c++)
                sum += w[tap * 2 + c] * x[c * 12 + tap / 3 * 4 + tap % 3 + column];
        assert_float_equal(raw[column], sum, 1e-4);
    }
}

/* Products in bfloat16 are the same but for its rounding, for shapes with every kind of edge. */
static void matrix_unit(void **state)
{
    (void)state;
    static const struct {
        struct train_map in;
        size_t cout, k;
    } cases[] = {{{96, 2, 9, 10}, 96, 3}, {{20, 3, 7, 6}, 24, 3},   {{8, 1, 33, 5}, 40, 2},
                 {{33, 4, 5, 5}, 17, 2},  {{12, 2, 24, 24}, 48, 2}, {{16, 2, 20, 20}, 9, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct train_map in = cases[i].in, out = train_map_conv(in, cases[i].cout, cases[i].k);
        size_t k = cases[i].k, pixels = in.n * in.h * in.w, nw = k * k * out.c * in.c,
               room = train_conv_scratch(in, out.c, k);
        if (room == 0) skip(); /* no such unit here: OpenBLAS makes every product */
        float *x = normals(in.c * pixels, 1), *w = normals(nw, 2), *dy = normals(train_map_size(out), 3);
        float *scratch = aligned_alloc(64, room * sizeof *scratch);
        float *raw[2], *dx[2], *dw[2], *draw = calloc(out.c * pixels, sizeof *draw);
        struct train_film film = {out, in.h, in.w, 0, true};
        train_film_backward(&film, NULL, NULL, dy, dy, draw, NULL, NULL);
        for (size_t fast = 0; fast < 2; fast++) {
            raw[fast] = calloc(out.c * pixels, sizeof *raw[0]);
            dx[fast] = calloc(in.c * pixels, sizeof *dx[0]);
            dw[fast] = calloc(nw, sizeof *dw[0]);
            float *y = calloc(train_map_size(out), sizeof *y);
            train_conv_forward(in, out.c, k, w, x, raw[fast], fast ? scratch : NULL);
            train_film_forward(&film, NULL, NULL, raw[fast], y);
            memcpy(raw[fast], y, train_map_size(out) * sizeof *y);
            train_conv_backward(in, out.c, k, w, x, draw, dx[fast], dw[fast], fast ? scratch : NULL);
            free(y);
        }
        float **pairs[] = {raw, dx, dw};
        size_t sizes[] = {train_map_size(out), in.c * pixels, nw};
        for (size_t what = 0; what < 3; what++) {
            double size = dot(sizes[what], pairs[what][0], pairs[what][0]), off = 0;
            for (size_t j = 0; j < sizes[what]; j++)
                off += pow((double)(pairs[what][1][j] - pairs[what][0][j]), 2);
            assert_true(off > 0 && off < 1e-5 * size);
            free(pairs[what][0]), free(pairs[what][1]);
        }
        free(x), free(w), free(dy), free(scratch), free(draw);
    }
}

struct linear_case {
    struct train_map in, out;
    float *x, *y, *weight;
    int which;
};
static const size_t window_top[2] = {1, 0}, window_left[2] = {0, 2};

static double linear_loss(void *arg)
{
    struct linear_case *c = arg;
    if (c->which == 0) train_up2_forward(c->in, 1, c->x, c->y);
    if (c->which == 1) train_up2_forward(c->in, 2, c->x, c->y);
    if (c->which == 2) train_fold_forward(c->in, c->x, c->y);
    if (c->which == 3) train_window_forward(c->in, c->out, window_top, window_left, c->x, c->y);
    return dot(train_map_size(c->out), c->y, c->weight);
}

static void doubling_folding_window(void **state)
{
    (void)state;
    static const char *const names[] = {"doubling, trim 1", "doubling, trim 2", "fold", "window"};
    for (int which = 0; which < 4; which++) {
        struct linear_case c = {.in = {3, 2, 6, 8}, .which = which};
        c.out = which == 0   ? train_map_up2(c.in, 1)
                : which == 1 ? train_map_up2(c.in, 2)
                : which == 2 ? train_map_fold(c.in)
                             : (struct train_map){3, 2, 4, 5};
        c.x = normals(train_map_size(c.in), 1);
        c.y = normals(train_map_size(c.out), 2);
        c.weight = normals(train_map_size(c.out), 3);
        float *dx = calloc(train_map_size(c.in), sizeof *dx);
        if (which == 0) train_up2_backward(c.in, 1, c.weight, dx);
        if (which == 1) train_up2_backward(c.in, 2, c.weight, dx);
        if (which == 2) train_fold_backward(c.in, c.weight, dx);
        if (which == 3) train_window_backward(c.in, c.out, window_top, window_left, c.weight, dx);
        check_gradient((struct probe){linear_loss, &c, c.x, train_map_size(c.in)}, dx, 1e-2f, 1e-3,
                       names[which]);
        free(c.x), free(c.y), free(c.weight), free(dx);
    }
}

/* Doubling by hand: a row 0 1 2 3 has 0.25 0.75 ... between its first and last half pixel. */
static void doubling_by_hand(void **state)
{
    (void)state;
    float x[8] = {0, 1, 2, 3, 0, 1, 2, 3}, y[12];
    train_up2_forward((struct train_map){1, 1, 2, 4}, 1, x, y);
    for (size_t i = 0; i < 6; i++)
        assert_float_equal(y[i], 0.25f + 0.5f * (float)i, 1e-6);
}

/* ---- networks ---- */

struct generator_case {
    struct train_generator g;
    struct train_generator_pass pass;
    float *params, *weight_fine, *weight_coarse;
};

static double generator_loss(void *arg)
{
    struct generator_case *c = arg;
    train_generator_forward(&c->g, c->params, &c->pass);
    return dot(train_map_size(c->pass.fine_map), c->pass.fine, c->weight_fine) +
           dot(train_map_size(c->pass.coarse_map), c->pass.coarse, c->weight_coarse);
}

static void generator(void **state)
{
    (void)state;
    struct bst_error err;
    struct generator_case c = {0};
    train_generator_init(&c.g, 3);
    assert_int_equal(train_generator_pass_new(&c.g, 2, (struct train_size){32, 32},
                                              (struct train_size){16, 16}, false, &c.pass, &err),
                     BST_OK);
    struct train_generator_pass *p = &c.pass;
    assert_int_equal(p->fine_map.h, 16);
    assert_int_equal(p->coarse_map.h, 4 + 2 * TRAIN_COARSE_MARGIN);
    assert_int_equal(p->out[TRAIN_CONVS - 1].h, 16); /* the margins come out even */
    assert_int_equal(p->skip_map[3].h, 16);
    for (size_t i = 0; i < TRAIN_NOISES; i++) {
        size_t field = i == 2 ? 16 : 32;
        assert_int_equal(p->noise_map[i].h, field / train_noise[i].cell + 2 * train_noise[i].margin);
        struct train_random r;
        train_random_init(&r, 1, 1, i);
        train_random_normal(&r, train_map_size(p->noise_map[i]), p->noise[i]);
    }
    p->style[1] = p->style[3] = 1.0f;
    p->top[0] = 2, p->left[1] = 1;
    c.params = normals(c.g.params.count, 1);
    train_params_init(&c.g.params, 5, 5, c.params);
    c.weight_fine = normals(train_map_size(p->fine_map), 2);
    c.weight_coarse = normals(train_map_size(p->coarse_map), 3);
    float *dparams = calloc(c.g.params.count, sizeof *dparams);
    generator_loss(&c);
    memcpy(p->dfine, c.weight_fine, train_map_size(p->fine_map) * sizeof(float));
    memcpy(p->dcoarse, c.weight_coarse, train_map_size(p->coarse_map) * sizeof(float));
    train_generator_backward(&c.g, c.params, p, dparams);
    for (size_t i = 0; i < c.g.params.blocks; i++) {
        const struct train_block *b = &c.g.params.block[i];
        check_gradient((struct probe){generator_loss, &c, c.params + b->offset, b->count},
                       dparams + b->offset, 2e-5f, 0.03, b->name);
    }
    free(c.params), free(c.weight_fine), free(c.weight_coarse), free(dparams);
    train_generator_pass_clear(p);
}

struct judge_case {
    struct train_discriminator d;
    struct train_discriminator_pass pass;
    float *params, *weight, *scratch;
    bool penalty;
};

static double judge_loss(void *arg)
{
    struct judge_case *c = arg;
    train_discriminator_forward(&c->d, c->params, &c->pass);
    if (!c->penalty) return dot(c->pass.n * c->pass.patches, c->pass.scores, c->weight);
    return 0.5 * train_discriminator_penalty(&c->d, c->params, &c->pass, 1.0f, c->scratch);
}

static void discriminator(void **state)
{
    (void)state;
    struct bst_error err;
    static const float style[6] = {0, 1, 0, 0, 0, 1};
    struct judge_case c = {0};
    train_discriminator_init(&c.d, 3, 24, 6, 3);
    assert_int_equal(train_discriminator_pass_new(&c.d, 2, false, &c.pass, &err), BST_OK);
    c.pass.style = style;
    c.params = normals(c.d.params.count, 1);
    train_params_init(&c.d.params, 5, 5, c.params);
    c.weight = normals(c.pass.n * c.pass.patches, 2);
    c.scratch = calloc(c.d.params.count, sizeof *c.scratch);
    float *dparams = calloc(c.d.params.count, sizeof *dparams),
          *image = normals(train_map_size(c.pass.map[0]), 3);
    float *colour = normals(24, 4);
    memcpy(c.pass.image, image, train_map_size(c.pass.map[0]) * sizeof *image);
    memcpy(c.pass.colour, colour, 24 * sizeof *colour);
    judge_loss(&c);
    memcpy(c.pass.dscores, c.weight, c.pass.n * c.pass.patches * sizeof(float));
    train_discriminator_backward(&c.d, c.params, &c.pass, dparams, true);
    memcpy(image, c.pass.dimage, train_map_size(c.pass.map[0]) * sizeof *image);
    check_gradient((struct probe){judge_loss, &c, c.pass.image, train_map_size(c.pass.map[0])}, image, 1e-4f,
                   0.02, "image");
    for (size_t i = 0; i < c.d.params.blocks; i++) {
        const struct train_block *b = &c.d.params.block[i];
        check_gradient((struct probe){judge_loss, &c, c.params + b->offset, b->count}, dparams + b->offset,
                       1e-4f, 0.02, b->name);
    }
    /* The penalty's own gradient: of half the squared norm of the scores' gradient by the image. */
    c.penalty = true;
    memset(dparams, 0, c.d.params.count * sizeof *dparams);
    train_discriminator_forward(&c.d, c.params, &c.pass);
    train_discriminator_penalty(&c.d, c.params, &c.pass, 1.0f, dparams);
    for (size_t i = 0; i < c.d.params.blocks; i++) {
        const struct train_block *b = &c.d.params.block[i];
        if (strncmp(b->name, "bias", 4) == 0 || strcmp(b->name, "score_bias") == 0)
            continue; /* zero nearly everywhere */
        check_gradient((struct probe){judge_loss, &c, c.params + b->offset, b->count}, dparams + b->offset,
                       1e-4f, 0.05, b->name);
    }
    free(c.params), free(c.weight), free(c.scratch), free(dparams), free(image), free(colour);
    train_discriminator_pass_clear(&c.pass);
}

/* ---- whole runs, on a data set of two made-up pictures ---- */

struct folder {
    char path[64], manifest[128];
};

/* Two styles, one 400 x 384 picture each; the manifest gives their true digests. */
static void write_dataset(struct folder *f)
{
    struct bst_error err;
    strcpy(f->path, "/tmp/test_train.XXXXXX");
    assert_non_null(mkdtemp(f->path));
    struct bst_buf manifest = {0};
    bst_buf_text(&manifest,
                 "{\"dataset_id\": \"test\", \"styles\": [{\"name\": \"warm\", \"symmetry\": \"rotate\"}, "
                 "{\"name\": \"cold\"}], \"items\": [");
    for (uint32_t k = 0; k < 2; k++) {
        struct bst_image image;
        assert_int_equal(bst_image_new(400, 384, 3, 8, &image, &err), BST_OK);
        for (size_t i = 0; i < bst_image_size(&image); i++)
            image.samples[i] = (uint8_t)(i % 3 == 2 * k ? 255 - i / 1200 % 128 : i / 3 % 400 / 4);
        uint8_t digest[BST_SHA256_LEN];
        char hex[BST_SHA256_HEX], path[128];
        bst_image_digest(&image, digest);
        bst_hex(digest, sizeof digest, hex);
        struct bst_buf png = {0};
        assert_int_equal(bst_png_encode(&image, 1, &png, &err), BST_OK);
        snprintf(path, sizeof path, "%s/%u.png", f->path, k);
        assert_int_equal(bst_file_write(path, png.data, png.len, 0, &err), BST_OK);
        bst_buf_printf(&manifest, "%s{\"file\": \"%u.png\", \"style\": \"%s\", \"pixels_sha256\": \"%s\"}",
                       k ? "," : "", k, k ? "cold" : "warm", hex);
        bst_buf_free(&png);
        bst_image_clear(&image);
    }
    bst_buf_text(&manifest, "]}");
    snprintf(f->manifest, sizeof f->manifest, "%s/set.json", f->path);
    assert_int_equal(bst_file_write(f->manifest, manifest.data, manifest.len, 0, &err), BST_OK);
    bst_buf_free(&manifest);
}

static void remove_folder(const struct folder *f)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", f->path);
    assert_int_equal(system(command), 0);
}

static struct train_run *new_run(const struct folder *f, unsigned threads)
{
    struct bst_error err = {0};
    struct train_run *run = calloc(1, sizeof *run);
    assert_non_null(run);
    train_settings_default(&run->settings);
    run->settings.batch = 8;
    run->settings.crop = 48;
    run->seed = 3;
    if (train_set_load(f->manifest, NULL, TRAIN_FIELD, &run->set, &err))
        fail_msg("%s (%s)", err.what, err.where);
    assert_int_equal(bst_pool_new(threads, &run->pool, &err), BST_OK);
    assert_int_equal(train_run_init(run, &err), BST_OK);
    return run;
}

static void free_run(struct train_run *run)
{
    train_run_clear(run);
    free(run);
}

static void assert_same_weights(const struct train_run *a, const struct train_run *b)
{
    for (size_t net = 0; net <= TRAIN_JUDGES; net++)
        assert_memory_equal(a->weights[net].value, b->weights[net].value,
                            a->weights[net].count * sizeof(float));
    assert_memory_equal(a->weights[0].average, b->weights[0].average, a->weights[0].count * sizeof(float));
}

/* A step moves every network; threads change nothing; a run that was saved and loaded goes on exactly. */
static void repeatable_and_resumable(void **state)
{
    (void)state;
    struct folder f;
    struct bst_error err = {0};
    struct train_losses losses = {0};
    write_dataset(&f);
    char path[128];
    snprintf(path, sizeof path, "%s/train.checkpoint", f.path);
    struct train_run *one = new_run(&f, 1), *two = new_run(&f, 2), *late = new_run(&f, 2);
    float before = two->weights[1].value[0];
    train_run_step(one, &losses);
    train_run_step(two, &losses);
    assert_true(before != two->weights[1].value[0]);
    assert_same_weights(one, two);
    assert_int_equal(train_checkpoint_save(two, path, &err), BST_OK);
    assert_int_equal(train_checkpoint_load(late, path, &err), BST_OK);
    assert_int_equal(late->step, 1);
    train_run_step(two, &losses);
    train_run_step(late, &losses);
    assert_same_weights(two, late);
    assert_true(isfinite(losses.generator) && losses.generator > 0);

    late->seed++; /* another run's checkpoint, a damaged one, none */
    assert_int_equal(train_checkpoint_load(late, path, &err), BST_USAGE);
    late->seed--;
    struct bst_buf bytes = {0};
    assert_int_equal(bst_file_read(path, (size_t)1 << 30, &bytes, &err), BST_OK);
    bytes.data[bytes.len / 2] ^= 1;
    assert_int_equal(bst_file_write(path, bytes.data, bytes.len, BST_WRITE_REPLACE, &err), BST_OK);
    assert_int_equal(train_checkpoint_load(late, path, &err), BST_UNREADABLE);
    assert_int_equal(bst_file_write(path, bytes.data, 100, BST_WRITE_REPLACE, &err), BST_OK);
    assert_int_equal(train_checkpoint_load(late, path, &err), BST_UNREADABLE);
    bst_buf_free(&bytes);
    free_run(one);
    free_run(two);
    free_run(late);
    remove_folder(&f);
}

/* Crops stay inside their picture's values, and a style's crops come from its own pictures. */
static void crops(void **state)
{
    (void)state;
    struct folder f;
    struct bst_error err = {0};
    struct train_set set;
    write_dataset(&f);
    assert_int_equal(train_set_load(f.manifest, NULL, TRAIN_FIELD, &set, &err), BST_OK);
    assert_int_equal(set.styles, 2);
    struct train_random r;
    train_random_init(&r, 1, 2, 3);
    float *out = malloc(3 * 2 * 48 * 48 * sizeof *out);
    for (size_t trial = 0; trial < 20; trial++) {
        size_t style = trial % 2, shrink = trial % 3 ? 1 : TRAIN_COARSE;
        size_t side = shrink == 1 ? 48 : TRAIN_FIELD / TRAIN_COARSE, plane = 2 * side * side;
        train_set_crop(&set, style, side * shrink, shrink, &r, 2, 1, out);
        double mean[3] = {0};
        for (size_t c = 0; c < 3; c++)
            for (size_t i = plane / 2; i < plane; i++) {
                assert_true(out[c * plane + i] >= -1.0f && out[c * plane + i] <= 1.0f);
                mean[c] += (double)out[c * plane + i] / (double)(plane / 2);
            }
        assert_true(style == 0 ? mean[0] > 0.0 && mean[2] < 0.0 : mean[0] < 0.0 && mean[2] > 0.0);
    }
    free(out);
    train_set_clear(&set);
    remove_folder(&f);
}

/* Wrong pictures and manifests are refused with the file's name. */
static void refused_datasets(void **state)
{
    (void)state;
    struct folder f;
    struct bst_error err = {0};
    struct train_set set;
    write_dataset(&f);
    char path[128];
    snprintf(path, sizeof path, "%s/1.png", f.path);
    struct bst_image image;
    assert_int_equal(bst_image_load(path, &image, &err), BST_OK);
    image.samples[5] ^= 1;
    struct bst_buf png = {0};
    assert_int_equal(bst_png_encode(&image, 1, &png, &err), BST_OK);
    assert_int_equal(bst_file_write(path, png.data, png.len, BST_WRITE_REPLACE, &err), BST_OK);
    assert_int_equal(train_set_load(f.manifest, NULL, TRAIN_FIELD, &set, &err), BST_BROKEN);
    assert_non_null(strstr(err.where, "1.png"));
    bst_buf_free(&png);
    bst_image_clear(&image);
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"styles\": [{\"name\": \"a\"}], \"items\": []}",
        "{\"styles\": [{}], \"items\": [{}]}",
        "{\"styles\": [{\"name\": \"a\"}], \"items\": [{\"file\": \"../x.png\", \"style\": \"a\"}]}",
        "{\"styles\": [{\"name\": \"a\"}], \"items\": [{\"file\": \"0.png\", \"style\": \"b\"}]}",
        "{\"styles\": [{\"name\": \"a\"}], \"items\": [{\"file\": \"0.png\", \"style\": \"a\"}]}",
        "{\"styles\": [{\"name\": \"a\"}], \"items\": [{\"file\": \"gone.png\", \"style\": \"a\"}]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(bst_file_write(f.manifest, bad[i], strlen(bad[i]), BST_WRITE_REPLACE, &err), BST_OK);
        assert_int_equal(train_set_load(f.manifest, NULL, TRAIN_FIELD, &set, &err), BST_UNREADABLE);
    }
    remove_folder(&f);
}

static bool stop_at_once(void *arg, uint64_t done, uint64_t total)
{
    (void)arg, (void)done, (void)total;
    return false;
}

/* From a manifest to a file that the engine opens; an interrupted run leaves a checkpoint and no model. */
static void trained_model(void **state)
{
    (void)state;
    struct folder f;
    struct bst_error err = {0};
    struct bst_train_result result;
    struct bst_model *model = NULL;
    write_dataset(&f);
    char output[128], checkpoint[128];
    snprintf(output, sizeof output, "%s/made.onnx", f.path);
    snprintf(checkpoint, sizeof checkpoint, "%s/train.checkpoint", f.path);
    struct bst_train_options options = {.dataset = f.manifest,
                                        .output = output,
                                        .seed = 4,
                                        .steps = 2,
                                        .batch = 4,
                                        .crop = 48,
                                        .threads = 2,
                                        .name = "made",
                                        .license = "CC0-1.0",
                                        .progress = stop_at_once};
    assert_int_equal(bst_train(&options, &result, &err), BST_FAILURE);
    assert_string_equal(err.what, "interrupted");
    assert_true(bst_file_exists(checkpoint));
    assert_false(bst_file_exists(output));
    options.progress = NULL;
    options.resume = true;
    if (bst_train(&options, &result, &err)) fail_msg("%s (%s)", err.what, err.where);
    assert_int_equal(result.steps, 2);
    assert_int_equal(bst_model_open(output, &model, &err), BST_OK);
    uint8_t digest[BST_SHA256_LEN];
    bst_model_digest(model, digest);
    assert_memory_equal(digest, result.model_digest, sizeof digest);
    const struct bst_card *card = bst_model_card(model);
    assert_string_equal(card->name, "made");
    assert_int_equal(card->style_count, 2);
    assert_string_equal(card->styles[1], "cold");
    assert_true(card->tileable && !card->fixed_size);
    assert_int_equal(json_array_size(json_object_get(card->json, "golden")), 4);
    bst_model_free(model);
    bst_train_result_clear(&result);

    options.batch = 6; /* not whole shards */
    assert_int_equal(bst_train(&options, &result, &err), BST_USAGE);
    options.batch = 4, options.crop = 50;
    assert_int_equal(bst_train(&options, &result, &err), BST_USAGE);
    remove_folder(&f);
}

static void half_precision(void **state)
{
    (void)state;
    /* Values and their nearest binary16 values, by hand: exact, tie to even, tie up, subnormal, zero, too
     * large. */
    float in[] = {1.0f, 1.00048828125f, 1.00146484375f, 6e-8f, 1e-9f, 1e6f, -0.333333f, 65504.0f, 6.1e-5f};
    float expected[] = {1.0f,     1.0f,      1.001953125f, 0x1p-24f, 0.0f, 65504.0f, -0.333251953125f,
                        65504.0f, 0x3ffp-24f};
    train_round_half(9, in);
    for (size_t i = 0; i < 9; i++)
        assert_true(in[i] == expected[i]);
}

static int open_blas(void **state)
{
    struct bst_error err;
    (void)state;
    return train_blas_open(&err) == BST_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv_and_film),    cmocka_unit_test(conv_by_hand),
        cmocka_unit_test(matrix_unit),      cmocka_unit_test(doubling_folding_window),
        cmocka_unit_test(doubling_by_hand), cmocka_unit_test(generator),
        cmocka_unit_test(discriminator),    cmocka_unit_test(crops),
        cmocka_unit_test(refused_datasets), cmocka_unit_test(repeatable_and_resumable),
        cmocka_unit_test(half_precision),   cmocka_unit_test(trained_model),
    };
    return cmocka_run_group_tests(tests, open_blas, NULL);
}
