/* train_data.c - the data set in memory. See train_data.h. */
#include "train_data.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MANIFEST_BYTES_MAX ((size_t)16 << 20)
#define PICTURE_BYTES_MAX  ((size_t)256 << 20)
#define PICTURES_MAX       100000

static const double level_scale[TRAIN_LEVELS] = {1.0, 0.9, 0.8};

void train_set_clear(struct train_set *set)
{
    for (size_t i = 0; set->picture && i < set->pictures; i++)
        for (size_t l = 0; l < TRAIN_LEVELS; l++)
            free(set->picture[i].level[l].rgb);
    free(set->picture);
    json_decref(set->manifest);
    *set = (struct train_set){0};
}

/* One axis of a resize by a triangle filter as wide as the step between output samples. stride: bytes from
 * one sample of the line to the next. */
static void shrink_line(const uint8_t *from, size_t from_count, size_t from_stride, uint8_t *to,
                        size_t to_count, size_t to_stride)
{
    double step = (double)from_count / (double)to_count;
    for (size_t i = 0; i < to_count; i++) {
        double centre = ((double)i + 0.5) * step - 0.5, sum[3] = {0}, total = 0;
        double first = ceil(centre - step), last = floor(centre + step);
        for (double at = first < 0 ? 0 : first; at <= last && at < (double)from_count; at++) {
            double weight = 1.0 - fabs(at - centre) / step;
            const uint8_t *p = from + (size_t)at * from_stride;
            for (size_t c = 0; c < 3; c++)
                sum[c] += weight * p[c];
            total += weight;
        }
        for (size_t c = 0; c < 3; c++)
            to[i * to_stride + c] = (uint8_t)(sum[c] / total + 0.5);
    }
}

static enum bst_code shrink(const struct train_level *from, double scale, struct train_level *to,
                            struct bst_error *err)
{
    to->width = (size_t)((double)from->width * scale);
    to->height = (size_t)((double)from->height * scale);
    uint8_t *wide = bst_calloc(to->width * from->height, 3);
    to->rgb = bst_calloc(to->width * to->height, 3);
    if (!wide || !to->rgb) {
        free(wide);
        return bst_fail_memory(err);
    }
    for (size_t y = 0; y < from->height; y++)
        shrink_line(from->rgb + y * from->width * 3, from->width, 3, wide + y * to->width * 3, to->width, 3);
    for (size_t x = 0; x < to->width; x++)
        shrink_line(wide + x * 3, from->height, to->width * 3, to->rgb + x * 3, to->height, to->width * 3);
    free(wide);
    return BST_OK;
}

/* pixels_sha256 speaks of the decoded picture; without it, sha256 must be that of the file itself. */
static enum bst_code check_digest(const json_t *item, const struct bst_buf *bytes,
                                  const struct bst_image *rgb, struct bst_error *err)
{
    uint8_t expected[BST_SHA256_LEN], found[BST_SHA256_LEN];
    const char *pixels = bst_json_text(item, "pixels_sha256");
    const char *text = pixels ? pixels : bst_json_text(item, "sha256");
    if (!text || !bst_unhex(text, expected, sizeof expected))
        return bst_fail(err, BST_UNREADABLE, "the manifest gives no SHA-256 for a picture");
    if (pixels)
        bst_image_digest(rgb, found);
    else
        bst_sha256(bytes->data, bytes->len, found);
    if (memcmp(expected, found, sizeof found) == 0) return BST_OK;
    char hex[BST_SHA256_HEX];
    bst_hex(found, sizeof found, hex);
    bst_fail(err, BST_BROKEN, "the picture's %s is %s, not the manifest's",
             pixels ? "pixels-sha256" : "sha256", hex);
    return bst_hint(err, "rebuild the pictures with gen/dataset/build");
}

static enum bst_code load_levels(const json_t *item, const char *path, size_t side,
                                 struct train_picture *picture, struct bst_error *err)
{
    struct bst_buf bytes = {0};
    struct bst_image image = {0}, rgb = {0};
    enum bst_code code = bst_file_read(path, PICTURE_BYTES_MAX, &bytes, err);
    if (!code) code = bst_image_decode(bytes.data, bytes.len, bst_path_name(path), &image, err);
    if (!code) code = bst_image_to_rgb8(&image, &rgb, err);
    if (!code) code = check_digest(item, &bytes, &rgb, err);
    bst_buf_free(&bytes);
    bst_image_clear(&image);
    if (!code && (rgb.width < side || rgb.height < side)) {
        code = bst_fail(err, BST_UNREADABLE, "the picture is %ux%u pixels, but training looks at %zux%zu",
                        rgb.width, rgb.height, side, side);
        bst_hint(err, "leave it out or use a larger version");
    }
    if (!code) {
        picture->level[0] = (struct train_level){rgb.width, rgb.height, rgb.samples};
        picture->levels = 1;
        rgb.samples = NULL;
    }
    bst_image_clear(&rgb);
    for (size_t l = 1; !code && l < TRAIN_LEVELS; l++) {
        double scale = level_scale[l];
        if ((double)picture->level[0].width * scale < (double)side) break;
        if ((double)picture->level[0].height * scale < (double)side) break;
        code = shrink(&picture->level[0], scale, &picture->level[l], err);
        if (!code) picture->levels = l + 1;
    }
    return code;
}

/* A file name inside the folder: manifests come from strangers. */
static bool safe_name(const char *name)
{
    return name && name[0] && name[0] != '/' && !strstr(name, "..");
}

static enum bst_code load_picture(struct train_set *set, const json_t *item, const char *root, size_t side,
                                  struct bst_error *err)
{
    const char *file = bst_json_text(item, "file"), *style = bst_json_text(item, "style");
    if (!safe_name(file))
        return bst_fail(err, BST_UNREADABLE, "an item's file must be a name inside the folder");
    size_t s = 0;
    while (s < set->styles && (!style || strcmp(style, set->style[s]) != 0))
        s++;
    if (s == set->styles) {
        bst_fail(err, BST_UNREADABLE, "the item's style '%s' is not in styles", style ? style : "");
        return bst_where(err, "%s", file);
    }
    char *path = bst_path_join(root, file);
    if (!path) return bst_fail_memory(err);
    struct train_picture *picture = &set->picture[set->pictures++];
    picture->style = s;
    enum bst_code code = load_levels(item, path, side, picture, err);
    if (code) bst_where(err, "%s", path);
    free(path);
    return code;
}

static enum bst_code load_styles(struct train_set *set, struct bst_error *err)
{
    json_t *styles = json_object_get(set->manifest, "styles");
    set->styles = json_array_size(styles);
    if (set->styles == 0 || set->styles > TRAIN_STYLES_MAX)
        return bst_fail(err, BST_UNREADABLE, "styles must be a list of 1 to %d styles", TRAIN_STYLES_MAX);
    for (size_t s = 0; s < set->styles; s++) {
        const json_t *style = json_array_get(styles, s);
        set->style[s] = bst_json_text(style, "name");
        if (!set->style[s]) return bst_fail(err, BST_UNREADABLE, "style %zu has no name", s + 1);
        const char *symmetry = bst_json_text(style, "symmetry");
        set->rotates[s] = symmetry && strcmp(symmetry, "rotate") == 0;
    }
    return BST_OK;
}

/* By style, else in the manifest's order, as repeatable training needs. */
static enum bst_code sort_by_style(struct train_set *set, struct bst_error *err)
{
    size_t next[TRAIN_STYLES_MAX], at = 0;
    struct train_picture *sorted = bst_calloc(set->pictures, sizeof *sorted);
    if (!sorted) return bst_fail_memory(err);
    for (size_t i = 0; i < set->pictures; i++)
        set->of_style[set->picture[i].style]++;
    for (size_t s = 0; s < set->styles; s++) {
        set->first[s] = next[s] = at;
        at += set->of_style[s];
    }
    for (size_t i = 0; i < set->pictures; i++)
        sorted[next[set->picture[i].style]++] = set->picture[i];
    free(set->picture);
    set->picture = sorted;
    return BST_OK;
}

static enum bst_code load_pictures(struct train_set *set, const char *root, size_t side,
                                   struct bst_error *err)
{
    json_t *items = json_object_get(set->manifest, "items");
    size_t count = json_array_size(items);
    if (count == 0 || count > PICTURES_MAX)
        return bst_fail(err, BST_UNREADABLE, "items must be a list of 1 to %d pictures", PICTURES_MAX);
    set->picture = bst_calloc(count, sizeof *set->picture);
    if (!set->picture) return bst_fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        enum bst_code code = load_picture(set, json_array_get(items, i), root, side, err);
        if (code) return code;
    }
    if (sort_by_style(set, err) != BST_OK) return err->code;
    for (size_t s = 0; s < set->styles; s++)
        if (set->of_style[s] == 0)
            return bst_fail(err, BST_UNREADABLE, "no picture has the style '%s'", set->style[s]);
    return BST_OK;
}

enum bst_code train_set_load(const char *manifest, const char *root, size_t side, struct train_set *set,
                             struct bst_error *err)
{
    *set = (struct train_set){0};
    struct bst_buf bytes = {0};
    char *folder = NULL;
    enum bst_code code = bst_file_read(manifest, MANIFEST_BYTES_MAX, &bytes, err);
    if (!code) {
        bst_sha256(bytes.data, bytes.len, set->digest);
        code = bst_json_parse((const char *)bytes.data, bytes.len, &set->manifest, err);
    }
    if (!code && !root) {
        folder = bst_strdup(manifest);
        if (!folder) code = bst_fail_memory(err);
        char *slash = folder ? strrchr(folder, '/') : NULL;
        if (slash) *slash = 0;
        root = slash ? folder : ".";
    }
    if (!code) code = load_styles(set, err);
    if (!code) code = load_pictures(set, root, side, err);
    if (code) {
        bst_where(err, "%s", manifest);
        train_set_clear(set);
    }
    free(folder);
    bst_buf_free(&bytes);
    return code;
}

void train_set_crop(const struct train_set *set, size_t style, size_t side, size_t shrink_by,
                    struct train_random *random, size_t n, size_t i, float *out)
{
    uint32_t pick = train_random_below(random, (uint32_t)set->of_style[style]);
    const struct train_picture *picture = &set->picture[set->first[style] + pick];
    const struct train_level *level = &picture->level[train_random_below(random, (uint32_t)picture->levels)];
    size_t left = train_random_below(random, (uint32_t)(level->width - side + 1));
    size_t top = train_random_below(random, (uint32_t)(level->height - side + 1));
    uint32_t turn =
        train_random_below(random, set->rotates[style] ? 8 : 2); /* 1 mirror, 2 upside down, 4 transpose */
    size_t out_side = side / shrink_by;
    float unit = 1.0f / (127.5f * (float)(shrink_by * shrink_by));
    for (size_t y = 0; y < out_side; y++)
        for (size_t x = 0; x < out_side; x++) {
            size_t u = turn & 1 ? out_side - 1 - x : x, v = turn & 2 ? out_side - 1 - y : y;
            size_t column = turn & 4 ? v : u, row = turn & 4 ? u : v;
            const uint8_t *p =
                level->rgb + ((top + row * shrink_by) * level->width + left + column * shrink_by) * 3;
            unsigned sum[3] = {0};
            for (size_t b = 0; b < shrink_by; b++)
                for (size_t a = 0; a < shrink_by; a++)
                    for (size_t c = 0; c < 3; c++)
                        sum[c] += p[(b * level->width + a) * 3 + c];
            for (size_t c = 0; c < 3; c++)
                out[((c * n + i) * out_side + y) * out_side + x] = (float)sum[c] * unit - 1.0f;
        }
}
