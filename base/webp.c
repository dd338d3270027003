/* webp.c - WebP pixels, over libwebp. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <webp/decode.h>

#include "image_codec.h"

#define CHUNKS_MAX     (1u << 31) /* bytes of a picture's chunks, which are decoded from memory */
#define CHUNK_COUNT    (1u << 18)
#define THUMBNAIL_FILE (16u << 20) /* bytes of a file of which a thumbnail is made */

static const char *problem_of(VP8StatusCode status)
{
    switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
        return "it needs more memory than there is";
    case VP8_STATUS_NOT_ENOUGH_DATA:
        return "the file is cut off";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return "it uses a feature that is not known";
    default:
        return "its data makes no sense";
    }
}

static enum bst_code read_features(const uint8_t *data, size_t len, WebPBitstreamFeatures *out,
                                   struct bst_error *err)
{
    VP8StatusCode status = WebPGetFeatures(data, len, out);
    return status == VP8_STATUS_OK ? BST_OK
                                   : bst_fail(err, BST_UNREADABLE, "damaged WebP: %s", problem_of(status));
}

/* Memory is taken for the size that the header states, once that size is known to be within bounds. data may be less than
 * the file. */
static enum bst_code decode(const uint8_t *data, size_t len, uint64_t file_len, struct bst_image *out,
                            struct bst_error *err)
{
    WebPBitstreamFeatures features;
    enum bst_code code = read_features(data, len, &features, err);
    if (code != BST_OK) return code;
    if (features.has_animation) {
        bst_fail(err, BST_UNREADABLE, "an animated WebP cannot be read");
        return bst_hint(err, "save one of its frames as a picture of its own");
    }
    uint8_t channels = features.has_alpha ? 4 : 3; /* and four that the decoder holds without losses */
    code = bst_image_fair(file_len, (uint32_t)features.width, (uint32_t)features.height, channels + 4u, true,
                          err);
    if (code == BST_OK)
        code = bst_image_new((uint32_t)features.width, (uint32_t)features.height, channels, 8, out, err);
    if (code != BST_OK) return code;
    size_t size = bst_image_size(out);
    int stride = (int)(out->width * channels);
    uint8_t *made = channels == 4 ? WebPDecodeRGBAInto(data, len, out->samples, size, stride)
                                  : WebPDecodeRGBInto(data, len, out->samples, size, stride);
    return made != NULL
               ? BST_OK
               : bst_fail(err, BST_UNREADABLE, "damaged WebP: its data is cut off or makes no sense");
}

enum bst_code bst_webp_decode(const void *data, size_t len, const char *name, struct bst_image *out,
                              struct bst_error *err)
{
    return decode(data, len, len, out, err) == BST_OK ? BST_OK : bst_where(err, "%s", name);
}

/* Without losses the decoder holds four bytes of every pixel. */
static enum bst_code shrink(const uint8_t *data, size_t len, struct bst_image *out, struct bst_error *err)
{
    enum { LOSSLESS = 2 }; /* features.format */
    WebPDecoderConfig config;
    uint32_t width, height;
    if (!WebPInitDecoderConfig(&config)) return bst_fail(err, BST_FAILURE, "libwebp is of another version");
    enum bst_code code = read_features(data, len, &config.input, err);
    if (code != BST_OK) return code;
    uint32_t in_width = (uint32_t)config.input.width, in_height = (uint32_t)config.input.height;
    if (config.input.has_animation ||
        (config.input.format == LOSSLESS && !bst_thumbnail_holds(in_width, in_height, 4)))
        return BST_OK;
    bst_thumbnail_size(in_width, in_height, &width, &height);
    code = bst_image_new(width, height, 4, 8, out, err);
    if (code != BST_OK) return code;
    config.options.use_scaling = 1;
    config.options.scaled_width = (int)width;
    config.options.scaled_height = (int)height;
    config.output.colorspace = MODE_RGBA;
    config.output.is_external_memory = 1;
    config.output.u.RGBA =
        (WebPRGBABuffer){.rgba = out->samples, .stride = (int)(4 * width), .size = bst_image_size(out)};
    VP8StatusCode status = WebPDecode(data, len, &config);
    WebPFreeDecBuffer(&config.output);
    return status == VP8_STATUS_OK ? BST_OK
                                   : bst_fail(err, BST_UNREADABLE, "damaged WebP: %s", problem_of(status));
}

/* ---- from a file ---- */

static bool is_of_picture(const uint8_t *type)
{
    static const char types[][5] = {"VP8X", "ALPH", "VP8 ", "VP8L"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (memcmp(type, types[i], 4) == 0) return true;
    }
    return false;
}

/* One chunk, and the byte that makes its length even, which a file may lack at its end. */
static enum bst_code read_chunk(FILE *file, const uint8_t head[static 8], size_t len, struct bst_buf *out,
                                struct bst_error *err)
{
    if (len > CHUNKS_MAX - out->len)
        return bst_fail(err, BST_UNREADABLE, "a picture of more than %u bytes", CHUNKS_MAX);
    bst_buf_append(out, head, 8);
    if (!bst_buf_reserve(out, len + 1)) return bst_fail_memory(err);
    if (fread(out->data + out->len, 1, len, file) != len)
        return bst_fail(err, BST_UNREADABLE, "damaged WebP: the file is cut off");
    out->len += len;
    if (len % 2 == 1) bst_buf_byte(out, 0);
    return BST_OK;
}

/* The file as far as the decoder looks at it, without what other chunks hold, which may be large: of those the format allows
 * in front of the picture, and behind it, none has a say in the pixels (RFC 9649, 2.7). */
static enum bst_code read_picture(FILE *file, uint64_t file_len, struct bst_buf *out, struct bst_error *err)
{
    uint8_t head[12]; /* "RIFF", length, "WEBP" */
    uint64_t pos = sizeof head;
    if (fread(head, 1, sizeof head, file) != sizeof head || bst_get_le32(head + 4) + 8ull > file_len)
        return bst_fail(err, BST_UNREADABLE, "damaged WebP: the file is cut off");
    uint64_t end = bst_get_le32(head + 4) + 8ull;
    bst_buf_append(out, head, sizeof head);
    bool found = false;
    for (size_t i = 0; i < CHUNK_COUNT && !found && end >= pos + 8; i++) {
        if (fseeko(file, (off_t)pos, SEEK_SET) != 0 || fread(head, 1, 8, file) != 8)
            return bst_fail(err, BST_UNREADABLE, "damaged WebP: the file is cut off");
        uint32_t len = bst_get_le32(head + 4);
        bool kept = is_of_picture(head);
        if (len > end - pos - 8 || (i == 0 && !kept))
            return bst_fail(err, BST_UNREADABLE, "damaged WebP: its data makes no sense");
        enum bst_code code = kept ? read_chunk(file, head, len, out, err) : BST_OK;
        if (code != BST_OK) return code;
        found = memcmp(head, "VP8 ", 4) == 0 || memcmp(head, "VP8L", 4) == 0;
        pos += 8 + (uint64_t)len + len % 2;
    }
    if (out->failed) return bst_fail_memory(err);
    bst_set_number(out->data + 4, out->len - 8, 4, false);
    return BST_OK;
}

static enum bst_code read_rows(FILE *file, struct bst_rows *rows, struct bst_buf *data,
                               struct bst_image *image, struct bst_error *err)
{
    struct stat info;
    if (fstat(fileno(file), &info) != 0) return bst_fail_errno(err, BST_UNREADABLE, "cannot read the file");
    uint64_t len = (uint64_t)info.st_size;
    if (rows->shrink && len > THUMBNAIL_FILE) return BST_OK;
    enum bst_code code = read_picture(file, len, data, err);
    if (code == BST_OK)
        code = rows->shrink ? shrink(data->data, data->len, image, err)
                            : decode(data->data, data->len, len, image, err);
    return code == BST_OK && image->samples ? bst_rows_of(rows, image, err) : code;
}

enum bst_code bst_webp_rows(FILE *file, const char *name, struct bst_rows *rows, struct bst_error *err)
{
    struct bst_buf data = {0};
    struct bst_image image = {0};
    enum bst_code code = read_rows(file, rows, &data, &image, err);
    bst_buf_free(&data);
    bst_image_clear(&image);
    return code == BST_OK ? BST_OK : bst_where(err, "%s", name);
}
