/* png.c - PNG pixels in and out, over libpng. Metadata is not read here: provenance/ walks the chunks itself.
 */
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_codec.h"

/* A picture on its way from memory or a file to an image or, row by row, to a digest. */
struct reader {
    const uint8_t *data; /* NULL: from file */
    size_t left;
    FILE *file;
    struct bst_image *image; /* NULL: to rows */
    struct bst_rows *rows;
    struct bst_image woven; /* an interlaced picture on its way to rows */
    void *room;             /* taken on the way: where the image's rows lie, or one row */
    char message[160];
};

static void on_error(png_structp png, png_const_charp message)
{
    char *room = png_get_error_ptr(png);
    strncpy(room, message, 159);
    room[159] = 0;
    longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message; /* libpng warns of ancillary chunks, which do not touch the pixels */
}

static void read_bytes(png_structp png, png_bytep out, size_t len)
{
    struct reader *reader = png_get_io_ptr(png);
    if (len > reader->left) png_error(png, "the file is cut off");
    memcpy(out, reader->data, len);
    reader->data += len;
    reader->left -= len;
}

static void read_file(png_structp png, png_bytep out, size_t len)
{
    struct reader *reader = png_get_io_ptr(png);
    if (fread(out, 1, len, reader->file) != len) png_error(png, "the file is cut off");
}

static void set_limits(png_structp png)
{
    png_set_user_limits(png, BST_IMAGE_MAX_SIDE, BST_IMAGE_MAX_SIDE);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
    /* Also chunks that libpng knows, but whose content has no say in the pixels. */
    static const png_byte ignored[] =
        "iCCP\0zTXt\0tEXt\0iTXt\0eXIf\0tIME\0pHYs\0sPLT\0hIST\0cHRM\0gAMA\0sRGB\0bKGD\0";
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, ignored, (int)(sizeof ignored - 1) / 5);
}

/* Asks libpng for whole bytes: palettes and low depths become 8 bits, tRNS becomes alpha. */
static void set_transforms(png_structp png, png_infop info)
{
    png_set_expand(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

static bool read_image(png_structp png, png_infop info, struct reader *reader, struct bst_error *err)
{
    struct bst_image *out = reader->image;
    if (bst_image_new(png_get_image_width(png, info), png_get_image_height(png, info),
                      png_get_channels(png, info), png_get_bit_depth(png, info), out, err) != BST_OK) {
        return false;
    }
    png_bytep *rows = reader->room = bst_calloc(out->height, sizeof *rows);
    if (!rows) {
        bst_fail_memory(err);
        return false;
    }
    for (size_t y = 0; y < out->height; y++)
        rows[y] = out->samples + y * (bst_image_size(out) / out->height);
    png_read_image(png, rows);
    return true;
}

static bool read_rows(png_structp png, png_infop info, struct reader *reader, struct bst_error *err)
{
    struct bst_rows *rows = reader->rows;
    if (bst_rows_begin(rows, png_get_image_width(png, info), png_get_image_height(png, info),
                       png_get_channels(png, info), png_get_bit_depth(png, info), err) != BST_OK) {
        return false;
    }
    size_t stride = bst_image_size(&rows->shape) / rows->shape.height;
    png_bytep row = reader->room = bst_calloc(stride, 1);
    if (!row) {
        bst_fail_memory(err);
        return false;
    }
    for (size_t y = 0; y < rows->shape.height; y++) {
        png_read_row(png, row, NULL);
        bst_rows_take(rows, row);
    }
    return true;
}

/* Rows of an interlaced picture are complete only with its last one. */
static bool read_woven(png_structp png, png_infop info, struct reader *reader, struct bst_error *err)
{
    reader->image = &reader->woven;
    if (!read_image(png, info, reader, err)) return false;
    return bst_rows_of(reader->rows, reader->image, err) == BST_OK;
}

/* Everything between setjmp and its return works on what *reader holds or points to, which lives in the caller. */
static bool read_png(png_structp png, png_infop info, struct reader *reader, struct bst_error *err)
{
    if (setjmp(png_jmpbuf(png))) {
        bst_fail(err, BST_UNREADABLE, "damaged PNG: %s", reader->message);
        return false;
    }
    png_set_read_fn(png, reader, reader->data ? read_bytes : read_file);
    set_limits(png);
    png_read_info(png, info);
    set_transforms(png, info);
    bool woven = png_get_interlace_type(png, info) != PNG_INTERLACE_NONE, fits = true;
    size_t pixel = (size_t)png_get_channels(png, info) * png_get_bit_depth(png, info) / 8;
    if (reader->rows && bst_rows_weigh(reader->rows, reader->file, png_get_image_width(png, info),
                                       png_get_image_height(png, info), pixel, woven, &fits, err) != BST_OK)
        return false;
    if (!fits) return true;
    bool read = reader->image ? read_image(png, info, reader, err)
                : woven       ? read_woven(png, info, reader, err)
                              : read_rows(png, info, reader, err);
    if (!read) return false;
    png_read_end(png, NULL);
    return true;
}

static enum bst_code decode(struct reader *reader, const char *name, struct bst_error *err)
{
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader->message, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    bool ok = false;
    if (info) {
        ok = read_png(png, info, reader, err);
    } else {
        bst_fail_memory(err);
    }
    free(reader->room);
    bst_image_clear(&reader->woven);
    png_destroy_read_struct(&png, &info, NULL);
    return ok ? BST_OK : bst_where(err, "%s", name);
}

enum bst_code bst_png_decode(const void *data, size_t len, const char *name, struct bst_image *out,
                             struct bst_error *err)
{
    struct reader reader = {.data = data, .left = len, .image = out};
    return decode(&reader, name, err);
}

enum bst_code bst_png_rows(FILE *file, const char *name, struct bst_rows *rows, struct bst_error *err)
{
    struct reader reader = {.file = file, .rows = rows};
    return decode(&reader, name, err);
}

struct writer {
    bst_put put;
    void *arg;
    bool failed; /* put has said so */
    char message[160];
};

static void write_bytes(png_structp png, png_bytep data, size_t len)
{
    struct writer *writer = png_get_io_ptr(png);
    writer->failed = !writer->put(writer->arg, data, len);
    if (writer->failed) png_error(png, "not written");
}

static void flush_bytes(png_structp png)
{
    (void)png;
}

static bool encode(png_structp png, png_infop info, const struct bst_image *image, int level,
                   const struct bst_buf *chunks, struct writer *writer)
{
    static const int color_types[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                      PNG_COLOR_TYPE_RGB_ALPHA};
    if (setjmp(png_jmpbuf(png))) return false;
    png_set_write_fn(png, writer, write_bytes, flush_bytes);
    png_set_compression_level(png, level);
    png_set_compression_buffer_size(png, 1 << 18); /* IDAT chunks of this size, not of 8 KiB */
    png_set_IHDR(png, info, image->width, image->height, image->depth, color_types[image->channels],
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
    png_write_info(png, info);
    if (chunks != NULL && chunks->len > 0) write_bytes(png, chunks->data, chunks->len);
    size_t stride = bst_image_size(image) / image->height;
    for (size_t y = 0; y < image->height; y++)
        png_write_row(png, image->samples + y * stride);
    png_write_end(png, info);
    return true;
}

enum bst_code bst_png_write(const struct bst_image *image, int level, const struct bst_buf *chunks,
                            bst_put put, void *arg, struct bst_error *err)
{
    struct writer writer = {.put = put, .arg = arg};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, writer.message, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    enum bst_code code = BST_OK;
    if (!info)
        code = bst_fail_memory(err);
    else if (!encode(png, info, image, level, chunks, &writer))
        code = writer.failed ? BST_FAILURE
                             : bst_fail(err, BST_FAILURE, "cannot encode the PNG: %s", writer.message);
    png_destroy_write_struct(&png, &info);
    return code;
}

static bool put_in_buf(void *arg, const void *data, size_t len)
{
    struct bst_buf *out = arg;
    bst_buf_append(out, data, len);
    return !out->failed;
}

enum bst_code bst_png_encode(const struct bst_image *image, int level, struct bst_buf *out,
                             struct bst_error *err)
{
    enum bst_code code = bst_png_write(image, level, NULL, put_in_buf, out, err);
    return out->failed ? bst_fail_memory(err) : code;
}
