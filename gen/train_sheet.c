/* train_sheet.c - sample sheets: what the averaged generator makes now, always from the same seeds. */
#include "train_run.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS     4
#define CELL_WIDTH  384
#define CELL_HEIGHT 256
#define SHEET_SEED  1000 /* of the first column */

struct sheet {
    const struct train_run *run;
    struct train_generator_pass *pass; /* one a thread */
    struct bst_image image;
};

static void sheet_task(void *arg, size_t index, unsigned thread)
{
    struct sheet *sheet = arg;
    struct train_generator_pass *pass = &sheet->pass[thread];
    size_t style = index / COLUMNS, column = index % COLUMNS;
    struct train_random r;
    train_random_init(&r, SHEET_SEED + column, 0, 0);
    memset(pass->style, 0, sheet->run->set.styles * sizeof *pass->style);
    pass->style[style] = 1.0f;
    train_random_normal(&r, TRAIN_LATENT, pass->latent);
    for (size_t i = 0; i < TRAIN_NOISES; i++)
        train_random_normal(&r, train_map_size(pass->noise_map[i]), pass->noise[i]);
    train_generator_forward(&sheet->run->generator, sheet->run->weights[0].average, pass);
    for (size_t y = 0; y < CELL_HEIGHT; y++)
        for (size_t x = 0; x < CELL_WIDTH; x++)
            for (size_t c = 0; c < 3; c++)
                sheet->image
                    .samples[((style * CELL_HEIGHT + y) * sheet->image.width + column * CELL_WIDTH + x) * 3 +
                             c] =
                    (uint8_t)(pass->fine[(c * CELL_HEIGHT + y) * CELL_WIDTH + x] * 127.5f + 128.0f);
}

enum bst_code train_sheet_write(const struct train_run *run, const char *path, struct bst_error *err)
{
    unsigned threads = bst_pool_threads(run->pool);
    struct sheet sheet = {.run = run, .pass = bst_calloc(threads, sizeof *sheet.pass)};
    struct train_size cell = {CELL_HEIGHT, CELL_WIDTH};
    struct bst_buf png = {0};
    enum bst_code code = sheet.pass ? BST_OK : bst_fail_memory(err);
    for (unsigned t = 0; !code && t < threads; t++)
        code = train_generator_pass_new(&run->generator, 1, cell, cell, true, &sheet.pass[t], err);
    if (!code)
        code = bst_image_new(COLUMNS * CELL_WIDTH, (uint32_t)run->set.styles * CELL_HEIGHT, 3, 8,
                             &sheet.image, err);
    if (!code) {
        bst_pool_run(run->pool, run->set.styles * COLUMNS, sheet_task, &sheet);
        code = bst_png_encode(&sheet.image, 6, &png, err);
    }
    if (!code) code = bst_file_write(path, png.data, png.len, BST_WRITE_REPLACE, err);
    for (unsigned t = 0; sheet.pass && t < threads; t++)
        train_generator_pass_clear(&sheet.pass[t]);
    free(sheet.pass);
    bst_buf_free(&png);
    bst_image_clear(&sheet.image);
    return code;
}
