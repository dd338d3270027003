/* generate.h - what generate.c and generate_tiles.c share. Private to gen/. */
#ifndef BST_GENERATE_H
#define BST_GENERATE_H

#include "generator.h"
#include "inputs.h"

/* A picture that is being made. */
struct making {
    struct bst_generator *g;
    const struct bst_controls *controls;
    struct bst_used used;
    uint32_t width, height;             /* that the graph makes: sides rounded up to the card's multiple */
    int64_t dims[INPUTS_MAX][RANK_MAX]; /* of the inputs for all of it */
};

/* From g and controls to the rest. */
enum bst_code making_begin(struct making *m, struct bst_error *err);
/* Fills the inputs, or a part of them, and runs the generator's plan, which is for these dims. memory: zeroed, with
 * room for their numbers. */
enum bst_code making_run(const struct making *m, const int64_t (*dims)[RANK_MAX],
                         const struct inputs_part *part, float *memory, bst_progress progress,
                         void *progress_arg, const struct tensor **output, struct bst_error *err);

struct rectangle {
    size_t y, x, height, width;
};
/* Fails unless the output of a run is a picture of at least this size. */
enum bst_code making_check(const struct making *m, const struct tensor *output, size_t height, size_t width,
                           struct bst_error *err);
/* A picture of the size asked for, with the output's channels. */
enum bst_code making_picture(const struct making *m, const struct tensor *output, struct bst_image *out,
                             struct bst_error *err);
/* The output's numbers from (from_y, from_x) on become the samples of a rectangle of the picture. */
void making_put(const struct making *m, const struct tensor *output, size_t from_y, size_t from_x,
                const struct rectangle *to, struct bst_image *picture);

/* Takes what a tile's run made. */
typedef enum bst_code tile_fn(void *arg, const struct tensor *output, const struct tile_span *rows,
                              const struct tile_span *columns, struct bst_error *err);
/* Runs all tiles of a tiling. */
enum bst_code tiles_run(const struct making *m, const struct tiling *tiling, size_t spent, tile_fn *take,
                        void *arg, struct bst_error *err);
/* The picture in tiles, however large it is. */
enum bst_code generate_tiles(const struct making *m, struct bst_image *out, struct bst_error *err);

#endif
