/* bench_share.c MODEL.onnx - where the time of one 768x512 picture goes: generating, PNG encoding, and
 * stamping with metadata, statement, ledger entry and manifest. The shares of one run can be compared; the
 * times cannot. */
#include <string.h>

#include "bench.h"
#include "gen.h"

#define ROUNDS 9

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: bench_share MODEL.onnx\n");
        return 1;
    }
    char folder[] = "/tmp/blindstamp-bench-XXXXXX";
    if (!mkdtemp(folder)) return 1;
    char *home = bst_path_join(folder, "home");
    struct bst_identity identity;
    must(bst_home_init(&(struct bst_init){.home = home, .author = "Ada Example"}, &identity, &err));
    struct bst_stamper *stamper;
    bool locked;
    must(bst_stamper_open(&(struct bst_stamper_options){.home = home}, &stamper, &locked, &err));
    struct bst_model *model;
    struct bst_generator *generator;
    must(bst_model_open(argv[1], &model, &err));
    must(bst_generator_new(model, &(struct bst_run_options){0}, &generator, &err));

    double generate[ROUNDS], encode[ROUNDS], stamp[ROUNDS], commit[ROUNDS];
    for (int round = -1; round < ROUNDS; round++) { /* round -1 warms up */
        int at = round < 0 ? 0 : round;
        struct bst_image image;
        struct bst_controls controls = {
            .seed = (uint64_t)(round + 100), .width = 768, .height = 512, .truncation = 1};
        double t0 = bst_monotonic_s();
        must(bst_generate(generator, &controls, &image, NULL, &err));
        double t1 = bst_monotonic_s();
        struct bst_buf png = {0};
        /* 4: what stamping uses by itself */
        must(bst_png_encode(&image, 4, &png, &err));
        double t2 = bst_monotonic_s();
        struct bst_generation generation = {.model_name = bst_model_card(model)->name,
                                            .seed = controls.seed,
                                            .width = 768,
                                            .height = 512,
                                            .truncation = 1,
                                            .arith = BST_ARITH,
                                            .started_ms = bst_now_ms(),
                                            .finished_ms = bst_now_ms()};
        bst_model_digest(model, generation.model_sha256);
        char *path = bst_format("%s/%d.png", folder, round);
        must(bst_stamp_add(stamper, &image, path, false, &generation, &err));
        double t3 = bst_monotonic_s();
        must(bst_stamp_commit(stamper, NULL, NULL, &err));
        double t4 = bst_monotonic_s();
        generate[at] = t1 - t0;
        encode[at] = t2 - t1;
        stamp[at] = t3 - t2 - (t2 - t1); /* bst_stamp_add encodes the PNG itself */
        commit[at] = t4 - t3;
        free(path);
        bst_buf_free(&png);
        bst_image_clear(&image);
    }
    double parts[] = {median(generate, ROUNDS), median(encode, ROUNDS), median(stamp, ROUNDS),
                      median(commit, ROUNDS)};
    static const char *const names[] = {"generate", "encode the PNG", "metadata, digests, statement",
                                        "ledger, manifest, check, rename"};
    double whole = 0;
    for (size_t i = 0; i < 4; i++)
        whole += parts[i] = parts[i] < 0 ? 0 : parts[i];
    printf("one 768x512 picture, median of %d: %.1f ms\n", ROUNDS, whole * 1e3);
    for (size_t i = 0; i < 4; i++)
        printf("  %-34s %7.1f ms  %5.1f %%\n", names[i], parts[i] * 1e3, 100 * parts[i] / whole);

    bst_generator_free(generator);
    bst_model_free(model);
    bst_stamper_close(stamper);
    bst_identity_clear(&identity);
    char *command = bst_format("rm -rf %s", folder);
    int code = system(command);
    free(command);
    free(home);
    return code;
}
