/* webp.c - WebP pixels, over libwebp. */
#include <string.h>
#include <webp/decode.h>

#include "image_codec.h"

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

/* Memory is taken for the size that the header states, once that size is known to be within bounds. */
static enum bst_code decode(const uint8_t *data, size_t len, struct bst_image *out, struct bst_error *err)
{
    WebPBitstreamFeatures features;
    enum bst_code code = read_features(data, len, &features, err);
    if (code != BST_OK) return code;
    if (features.has_animation) {
        bst_fail(err, BST_UNREADABLE, "an animated WebP cannot be read");
        return bst_hint(err, "save one of its frames as a picture of its own");
    }
    uint8_t channels = features.has_alpha ? 4 : 3; /* and four that the decoder holds without losses */
    code = bst_image_fair(len, (uint32_t)features.width, (uint32_t)features.height, channels + 4u, true, err);
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
    return decode(data, len, out, err) == BST_OK ? BST_OK : bst_where(err, "%s", name);
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

enum bst_code bst_webp_shrink(const void *data, size_t len, const char *name, struct bst_image *out,
                              struct bst_error *err)
{
    return shrink(data, len, out, err) == BST_OK ? BST_OK : bst_where(err, "%s", name);
}
