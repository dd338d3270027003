/* pixels.c MODEL.onnx ISA THREADS - prints the pixel digests of some pictures, one a line, for bits.sh to
 * compare. */
#include <stdio.h>
#include <stdlib.h>

#include "gen.h"

int main(int argc, char **argv)
{
    static const struct {
        uint64_t seed;
        uint32_t width, height;
        float truncation;
        bool tile;
    } cases[] = {{1, 48, 32, 1.0f, false}, {UINT64_MAX, 33, 37, 0.7f, false}, {42, 32, 32, 1.3f, true}};
    struct bst_error err = {0};
    struct bst_model *model = NULL;
    struct bst_generator *generator = NULL;
    uint64_t threads = 0;
    if (argc != 4 || !bst_parse_u64(argv[3], &threads)) return 1;
    struct bst_run_options options = {.threads = (unsigned)threads, .isa = argv[2]};
    enum bst_code code = bst_model_open(argv[1], &model, &err);
    if (!code) code = bst_generator_new(model, &options, &generator, &err);
    for (size_t i = 0; !code && i < sizeof cases / sizeof *cases; i++) {
        struct bst_controls controls = {.seed = cases[i].seed,
                                        .width = cases[i].width,
                                        .height = cases[i].height,
                                        .truncation = cases[i].truncation,
                                        .tile = cases[i].tile};
        struct bst_image image;
        uint8_t digest[BST_SHA256_LEN];
        char hex[BST_SHA256_HEX];
        code = bst_generate(generator, &controls, &image, NULL, &err);
        if (code) break;
        bst_image_digest(&image, digest);
        bst_hex(digest, sizeof digest, hex);
        puts(hex);
        bst_image_clear(&image);
    }
    if (code) fprintf(stderr, "%s: %s\n", err.where, err.what);
    bst_generator_free(generator);
    bst_model_free(model);
    return (int)code;
}
