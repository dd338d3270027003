/* stamp.c - stamps generated gradients through the library, for tests that show them to other programs.
 * stamp FOLDER: makes FOLDER/home and, in FOLDER, public.png, partner.png, private.png, mixed.png, composite.png (from the
 * public one, which has credentials), kept.png (the same, private) and reserved.png (without a thumbnail). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provenance.h"

static const char *const styles[] = {"deep space", "oil"};
static const float weights[] = {0.75f, 0.25f};

static void die(const struct bst_error *err)
{
    fprintf(stderr, "stamp: %s: %s\n%s\n", err->where, err->what, err->hint);
    exit(5);
}

static void gradient(struct bst_image *image)
{
    struct bst_error err = {0};
    if (bst_image_new(256, 160, 3, 8, image, &err) != BST_OK) die(&err);
    for (size_t y = 0; y < image->height; y++) {
        for (size_t x = 0; x < image->width; x++) {
            uint8_t *p = image->samples + 3 * (y * image->width + x);
            p[0] = (uint8_t)x;
            p[1] = (uint8_t)y;
            p[2] = (uint8_t)(x * y >> 7);
        }
    }
}

static void add(struct bst_stamper *stamper, const char *folder, const char *name, enum bst_privacy privacy,
                const char *input, bool mixed)
{
    static const uint64_t mix_seeds[] = {18446744073709551557u, 3};
    static const float mix_weights[] = {0.8f, 0.6f};
    struct bst_error err = {0};
    struct bst_image image;
    struct bst_generation generation = {
        .model_name = "gradient",
        .model_title = "Gradient",
        .model_license = "Apache-2.0",
        .model_bytes = 1000,
        .seed = 18446744073709551557u,
        .width = 256,
        .height = 160,
        .truncation = 0.8125f,
        .style_count = 2,
        .style_names = styles,
        .style_weights = weights,
        .prompt = "A harbour at dusk, oil: \xe2\x80\x9cwarm\xe2\x80\x9d light",
        .title = "Harbour at dusk",
        .input_name = input != NULL ? bst_path_name(input) : NULL,
        .input_path = input,
        .mix_count = mixed ? 2 : 0,
        .mix_seeds = mix_seeds,
        .mix_weights = mix_weights,
        .arith = "blindstamp-arith/1",
        .started_ms = bst_now_ms(),
        .finished_ms = bst_now_ms(),
        .privacy = privacy,
    };
    char *path = bst_path_join(folder, name);
    memset(generation.model_sha256, 0xa5, sizeof(generation.model_sha256));
    gradient(&image);
    if (input != NULL && bst_sha256_file(input, generation.input_sha256, &err) != BST_OK) die(&err);
    if (path == NULL || bst_stamp_add(stamper, &image, path, false, &generation, &err) != BST_OK) die(&err);
    bst_image_clear(&image);
    free(path);
}

static struct bst_stamper *open_home(const char *home, bool no_train)
{
    struct bst_error err = {0};
    struct bst_stamper_options options = {.home = home, .no_train = no_train, .thumbnail = !no_train};
    struct bst_stamper *stamper;
    bool locked;
    if (bst_stamper_open(&options, &stamper, &locked, &err) != BST_OK) die(&err);
    return stamper;
}

static void commit(struct bst_stamper *stamper)
{
    struct bst_error err = {0};
    if (bst_stamp_commit(stamper, NULL, NULL, &err) != BST_OK) die(&err);
    bst_stamper_close(stamper);
}

int main(int argc, char **argv)
{
    struct bst_error err = {0};
    struct bst_identity identity;
    if (argc != 2) return 1;
    char *home = bst_path_join(argv[1], "home");
    struct bst_init init = {
        .home = home, .author = "Ada Example", .email = "ada@example.org", .url = "https://example.org/ada"};
    if (bst_home_init(&init, &identity, &err) != BST_OK) die(&err);
    struct bst_stamper *stamper = open_home(home, false);
    add(stamper, argv[1], "public.png", BST_PUBLIC, NULL, false);
    add(stamper, argv[1], "partner.png", BST_PARTNER, NULL, false);
    add(stamper, argv[1], "private.png", BST_PRIVATE, NULL, false);
    add(stamper, argv[1], "mixed.png", BST_PUBLIC, NULL, true);
    commit(stamper);
    char *input = bst_path_join(argv[1], "public.png");
    stamper = open_home(home, false);
    add(stamper, argv[1], "composite.png", BST_PUBLIC, input, false);
    add(stamper, argv[1], "kept.png", BST_PRIVATE, input, true);
    commit(stamper);
    stamper = open_home(home, true);
    add(stamper, argv[1], "reserved.png", BST_PUBLIC, NULL, false);
    commit(stamper);
    free(input);
    bst_identity_clear(&identity);
    free(home);
    return 0;
}
