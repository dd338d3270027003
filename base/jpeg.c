/* jpeg.c - JPEG pixels in and out, over libjpeg-turbo. */
#include <stddef.h>
#include <stdio.h>
#include <jpeglib.h>
#include <jerror.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "image_codec.h"

#define SCANS_MAX 500 /* a progressive file of more scans is made to burn time */

struct failure {
    struct jpeg_error_mgr manager;
    jmp_buf back;
    char message[JMSG_LENGTH_MAX];
};

/* A picture on its way from memory or a file to an image or, row by row, to a digest. */
struct reader {
    const void *data; /* NULL: from file */
    size_t len;
    FILE *file;
    struct bst_image *image; /* NULL: to rows */
    struct bst_rows *rows;
    JSAMPROW row; /* room for one, taken on the way */
};

static void on_error(j_common_ptr common)
{
    struct failure *failure = (struct failure *)common->err;
    common->err->format_message(common, failure->message);
    longjmp(failure->back, 1);
}

/* A warning means damaged or missing picture data; guessed pixels are no evidence, so it counts as an error.
 */
static void on_message(j_common_ptr common, int level)
{
    if (level < 0) on_error(common);
}

static void on_progress(j_common_ptr common)
{
    struct jpeg_decompress_struct *jpeg = (struct jpeg_decompress_struct *)common;
    if (jpeg->input_scan_number > SCANS_MAX) ERREXIT(common, JERR_BAD_PROGRESSION);
}

/* Grey stays grey, all else becomes RGB. */
static bool read_header(struct jpeg_decompress_struct *jpeg, struct bst_error *err)
{
    jpeg_read_header(jpeg, TRUE);
    jpeg->out_color_space = jpeg->jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    jpeg->dct_method = JDCT_ISLOW;
    if (jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK) {
        bst_fail(err, BST_UNREADABLE, "a JPEG in CMYK colours cannot be read");
        bst_hint(err, "convert the picture to RGB first");
        return false;
    }
    return true;
}

static bool read_image(struct jpeg_decompress_struct *jpeg, struct reader *reader, struct bst_error *err)
{
    struct bst_image *out = reader->image;
    if (bst_image_new(jpeg->output_width, jpeg->output_height, (uint8_t)jpeg->output_components, 8, out,
                      err) != BST_OK)
        return false;
    size_t stride = (size_t)out->width * out->channels;
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = out->samples + jpeg->output_scanline * stride;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
    return true;
}

static bool read_rows(struct jpeg_decompress_struct *jpeg, struct reader *reader, struct bst_error *err)
{
    struct bst_rows *rows = reader->rows;
    if (bst_rows_begin(rows, jpeg->output_width, jpeg->output_height, (uint8_t)jpeg->output_components, 8,
                       err) != BST_OK)
        return false;
    reader->row = bst_calloc(rows->shape.width, rows->shape.channels);
    if (!reader->row) {
        bst_fail_memory(err);
        return false;
    }
    while (jpeg->output_scanline < jpeg->output_height) {
        jpeg_read_scanlines(jpeg, &reader->row, 1);
        bst_rows_take(rows, reader->row);
    }
    return true;
}

/* As small as the decoder makes it without becoming smaller than the thumbnail; from there the rows are averaged. */
static void choose_scale(struct jpeg_decompress_struct *jpeg)
{
    JDIMENSION longest = jpeg->image_width > jpeg->image_height ? jpeg->image_width : jpeg->image_height;
    jpeg->scale_num = 1;
    jpeg->scale_denom = 8;
    while (jpeg->scale_denom > 1 && longest / jpeg->scale_denom < BST_THUMBNAIL_SIDE)
        jpeg->scale_denom /= 2;
}

/* Everything between setjmp and its return works on what *reader holds or points to, which lives in the caller. */
static bool read_jpeg(struct jpeg_decompress_struct *jpeg, struct failure *failure, struct reader *reader,
                      struct bst_error *err)
{
    struct jpeg_progress_mgr progress = {.progress_monitor = on_progress};
    if (setjmp(failure->back)) {
        bst_fail(err, BST_UNREADABLE, "damaged JPEG: %s", failure->message);
        return false;
    }
    jpeg_create_decompress(jpeg);
    jpeg->progress = &progress;
    if (reader->data)
        jpeg_mem_src(jpeg, reader->data, reader->len);
    else
        jpeg_stdio_src(jpeg, reader->file);
    if (!read_header(jpeg, err)) return false;
    bool held = jpeg_has_multiple_scans(jpeg), fits = true; /* all scans, as coefficients of two bytes */
    size_t pixel = (size_t)jpeg->num_components * (held ? 2 : 1);
    if (reader->rows && bst_rows_weigh(reader->rows, reader->file, jpeg->image_width, jpeg->image_height,
                                       pixel, held, &fits, err) != BST_OK)
        return false;
    if (!fits) return true;
    if (reader->rows && reader->rows->shrink) choose_scale(jpeg);
    jpeg_start_decompress(jpeg);
    if (!(reader->image ? read_image : read_rows)(jpeg, reader, err)) return false;
    jpeg_finish_decompress(jpeg);
    return true;
}

static enum bst_code decode(struct reader *reader, const char *name, struct bst_error *err)
{
    struct jpeg_decompress_struct jpeg = {0};
    struct failure failure = {0};
    jpeg.err = jpeg_std_error(&failure.manager);
    failure.manager.error_exit = on_error;
    failure.manager.emit_message = on_message;
    bool ok = read_jpeg(&jpeg, &failure, reader, err);
    jpeg_destroy_decompress(&jpeg);
    free(reader->row);
    return ok ? BST_OK : bst_where(err, "%s", name);
}

enum bst_code bst_jpeg_decode(const void *data, size_t len, const char *name, struct bst_image *out,
                              struct bst_error *err)
{
    struct reader reader = {.data = data, .len = len, .image = out};
    return decode(&reader, name, err);
}

enum bst_code bst_jpeg_rows(FILE *file, const char *name, struct bst_rows *rows, struct bst_error *err)
{
    struct reader reader = {.file = file, .rows = rows};
    return decode(&reader, name, err);
}

/* ---- writing ---- */

/* memory is the library's own, from malloc. */
static bool encode(struct jpeg_compress_struct *jpeg, struct failure *failure, const struct bst_image *image,
                   int quality, unsigned char **memory, unsigned long *len)
{
    if (setjmp(failure->back)) return false;
    jpeg_create_compress(jpeg);
    jpeg_mem_dest(jpeg, memory, len);
    jpeg->image_width = image->width;
    jpeg->image_height = image->height;
    jpeg->input_components = 3;
    jpeg->in_color_space = JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, quality, TRUE);
    jpeg->dct_method = JDCT_ISLOW;
    jpeg->optimize_coding = TRUE;
    jpeg_start_compress(jpeg, TRUE);
    while (jpeg->next_scanline < jpeg->image_height) {
        JSAMPROW row = image->samples + (size_t)jpeg->next_scanline * image->width * 3;
        jpeg_write_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_compress(jpeg);
    return true;
}

enum bst_code bst_jpeg_encode(const struct bst_image *image, int quality, struct bst_buf *out,
                              struct bst_error *err)
{
    struct jpeg_compress_struct jpeg = {0};
    struct failure failure = {0};
    unsigned char *memory = NULL;
    unsigned long len = 0;
    jpeg.err = jpeg_std_error(&failure.manager);
    failure.manager.error_exit = on_error;
    failure.manager.emit_message = on_message;
    bool made = encode(&jpeg, &failure, image, quality, &memory, &len);
    jpeg_destroy_compress(&jpeg);
    if (made) bst_buf_append(out, memory, len);
    free(memory);
    if (!made) return bst_fail(err, BST_FAILURE, "cannot encode the JPEG: %s", failure.message);
    return out->failed ? bst_fail_memory(err) : BST_OK;
}
