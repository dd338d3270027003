/* public_models.c - other people's networks in our hands, for public_models.sh.
 *
 *   public_models import FILE OUT.onnx            bst_import
 *   public_models compare MODEL.onnx PICTURE REFERENCE
 *                                                 enlarges the picture; prints the greatest difference to the reference
 *   public_models shrink MODEL.onnx PICTURE       enlarges the picture, takes means down to its old size, and prints
 *                                                 the mean difference to it
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen.h"

static int fail(const struct bst_error *err)
{
    fprintf(stderr, "%s: %s\n", err->where, err->what);
    return 1;
}

static int import(const char *path, const char *output, struct bst_error *err)
{
    struct bst_import_options options = {.replace = true};
    struct bst_import_result result;
    if (bst_import(path, NULL, &options, output, &result, err) != BST_OK) return fail(err);
    printf("%s %s %llu\n", result.format, result.architecture, (unsigned long long)result.parameters);
    return 0;
}

static enum bst_code enlarge(const char *path, const char *picture, struct bst_image *in,
                             struct bst_image *out, struct bst_error *err)
{
    struct bst_model *model = NULL;
    struct bst_generator *generator = NULL;
    struct bst_run_options options = {0};
    struct bst_image loaded = {0};
    struct bst_controls controls = {.truncation = 1.0f, .input = in};
    enum bst_code code = bst_model_open(path, &model, err);
    if (code == BST_OK) code = bst_image_load(picture, &loaded, err);
    if (code == BST_OK) code = bst_image_to_rgb8(&loaded, in, err);
    if (code == BST_OK) code = bst_generator_new(model, &options, &generator, err);
    if (code == BST_OK) {
        uint32_t scale = bst_model_card(model)->output_scale;
        controls.width = in->width * scale;
        controls.height = in->height * scale;
        code = bst_generate(generator, &controls, out, NULL, err);
    }
    bst_image_clear(&loaded);
    bst_generator_free(generator);
    bst_model_free(model);
    return code;
}

static int compare(const struct bst_image *ours, const char *path, struct bst_error *err)
{
    struct bst_image loaded = {0}, theirs = {0};
    if (bst_image_load(path, &loaded, err) != BST_OK || bst_image_to_rgb8(&loaded, &theirs, err) != BST_OK)
        return fail(err);
    int worst = 255;
    if (theirs.width == ours->width && theirs.height == ours->height) {
        worst = 0;
        for (size_t i = 0; i < bst_image_size(ours); i++) {
            int difference = abs(ours->samples[i] - theirs.samples[i]);
            worst = difference > worst ? difference : worst;
        }
    }
    printf("%d\n", worst);
    bst_image_clear(&loaded);
    bst_image_clear(&theirs);
    return 0;
}

static int shrink(const struct bst_image *in, const struct bst_image *out)
{
    size_t scale = out->width / in->width;
    double sum = 0;
    for (size_t y = 0; y < in->height; y++)
        for (size_t x = 0; x < 3 * (size_t)in->width; x++) {
            unsigned total = 0;
            for (size_t i = 0; i < scale * scale; i++)
                total += out->samples[((y * scale + i / scale) * out->width + x / 3 * scale + i % scale) * 3 +
                                      x % 3];
            sum += abs((int)(total / (scale * scale)) - in->samples[y * in->width * 3 + x]);
        }
    printf("%.2f\n", sum / (double)(3 * (size_t)in->width * in->height));
    return 0;
}

int main(int argc, char **argv)
{
    struct bst_image in = {0}, out = {0};
    struct bst_error err = {0};
    int code = 1;
    if (argc == 4 && strcmp(argv[1], "import") == 0)
        code = import(argv[2], argv[3], &err);
    else if (argc < 4 || enlarge(argv[2], argv[3], &in, &out, &err) != BST_OK)
        code = fail(&err);
    else
        code = argc == 5 ? compare(&out, argv[4], &err) : shrink(&in, &out);
    bst_image_clear(&in);
    bst_image_clear(&out);
    return code;
}
