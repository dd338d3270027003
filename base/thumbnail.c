/* thumbnail.c - a picture made small: each pixel of the result is the exact mean of the area that it stands for, so that
 * the same samples give the same result everywhere. */
#include <stdlib.h>
#include <string.h>

#include "image_codec.h"

#define QUALITY    80          /* libjpeg's scale; half a side more bytes than 70, and no visible blocks */
#define MEMORY_MAX (24u << 20) /* bytes held for a picture that cannot be read row by row */

static uint32_t shorten(uint32_t side, uint32_t longest)
{
    uint64_t made = ((uint64_t)side * BST_THUMBNAIL_SIDE + longest / 2) / longest;
    return made == 0 ? 1 : (uint32_t)made;
}

void bst_thumbnail_size(uint32_t width, uint32_t height, uint32_t *out_width, uint32_t *out_height)
{
    uint32_t longest = width > height ? width : height;
    bool small = longest <= BST_THUMBNAIL_SIDE;
    *out_width = small ? width : shorten(width, longest);
    *out_height = small ? height : shorten(height, longest);
}

bool bst_thumbnail_holds(uint32_t width, uint32_t height, size_t pixel_bytes)
{
    return (uint64_t)width * height * pixel_bytes <= MEMORY_MAX;
}

/* ---- rows in, a small picture out ---- */

enum bst_code bst_shrink_begin(struct bst_shrink *shrink, const struct bst_image *shape,
                               struct bst_error *err)
{
    uint32_t width, height;
    bst_thumbnail_size(shape->width, shape->height, &width, &height);
    shrink->shape = *shape;
    shrink->sums = bst_calloc(shape->width, 3 * sizeof *shrink->sums);
    if (!shrink->sums) return bst_fail_memory(err);
    return bst_image_new(width, height, 3, 8, &shrink->out, err);
}

void bst_shrink_clear(struct bst_shrink *shrink)
{
    free(shrink->sums);
    bst_image_clear(&shrink->out);
    *shrink = (struct bst_shrink){0};
}

/* One colour of a pixel, as it looks before white. 16 bits keep their upper byte. */
static uint32_t before_white(const uint8_t *pixel, size_t bytes, bool grey, size_t colour)
{
    uint32_t value = pixel[grey ? 0 : colour * bytes], alpha = pixel[(grey ? 1u : 3u) * bytes];
    return (value * alpha + 255 * (255 - alpha) + 127) / 255;
}

static void add_row(struct bst_shrink *shrink, const uint8_t *row, uint32_t weight)
{
    const struct bst_image *shape = &shrink->shape;
    size_t bytes = shape->depth / 8u, step = shape->channels * bytes;
    bool grey = shape->channels < 3, alpha = shape->channels % 2 == 0;
    uint32_t *sums = shrink->sums;
    if (step == 3) { /* the usual picture */
        for (size_t i = 0; i < 3 * (size_t)shape->width; i++)
            sums[i] += row[i] * weight;
        return;
    }
    for (size_t x = 0; x < shape->width; x++) {
        const uint8_t *pixel = row + x * step;
        for (size_t c = 0; c < 3; c++)
            sums[3 * x + c] +=
                (alpha ? before_white(pixel, bytes, grey, c) : pixel[grey ? 0 : c * bytes]) * weight;
    }
}

/* A row of the result is complete. On a line of in_width * out_width parts, column x of the source covers out_width of
 * them, and one of the result in_width. */
static void finish_row(struct bst_shrink *shrink)
{
    uint32_t in = shrink->shape.width, width = shrink->out.width;
    uint64_t area = (uint64_t)in * shrink->shape.height;
    uint8_t *to = shrink->out.samples + (size_t)shrink->done * width * 3;
    for (uint32_t t = 0; t < width; t++) {
        uint64_t at = (uint64_t)t * in, end = at + in, total[3] = {0};
        while (at < end) {
            uint64_t x = at / width, next = (x + 1) * width < end ? (x + 1) * width : end;
            for (size_t c = 0; c < 3; c++)
                total[c] += shrink->sums[3 * x + c] * (next - at);
            at = next;
        }
        for (size_t c = 0; c < 3; c++)
            to[3 * t + c] = (uint8_t)((total[c] + area / 2) / area);
    }
    memset(shrink->sums, 0, 3 * (size_t)in * sizeof *shrink->sums);
    shrink->done++;
}

/* The same from top to bottom: a row of the source may belong to two of the result. Sums stay below 255 * 65535. */
void bst_shrink_row(struct bst_shrink *shrink, const uint8_t *row)
{
    uint32_t in = shrink->shape.height, height = shrink->out.height;
    uint64_t start = (uint64_t)shrink->taken++ * height, border = (uint64_t)(shrink->done + 1) * in;
    uint32_t here = start + height < border ? height : (uint32_t)(border - start);
    add_row(shrink, row, here);
    if (start + height < border) return;
    finish_row(shrink);
    if (here < height) add_row(shrink, row, height - here);
}

/* ---- whole pictures ---- */

/* What was shrunk, when all of it was. */
static enum bst_code finish(struct bst_shrink *shrink, enum bst_code code, struct bst_buf *out,
                            struct bst_error *err)
{
    bool whole = shrink->out.samples && shrink->done == shrink->out.height;
    if (code == BST_OK && whole) code = bst_jpeg_encode(&shrink->out, QUALITY, out, err);
    bst_shrink_clear(shrink);
    return code;
}

enum bst_code bst_thumbnail(const struct bst_image *image, struct bst_buf *out, struct bst_error *err)
{
    struct bst_shrink shrink = {0};
    struct bst_rows rows = {.shrink = &shrink};
    return finish(&shrink, bst_rows_of(&rows, image, err), out, err);
}

enum bst_code bst_thumbnail_file(const char *path, struct bst_buf *out, struct bst_error *err)
{
    struct bst_shrink shrink = {0};
    struct bst_rows rows = {.shrink = &shrink};
    return finish(&shrink, bst_picture_rows(path, &rows, err), out, err);
}
