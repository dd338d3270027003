/* replay.c - makes the picture again from its statement and compares pixels. */
#include "replay.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- making it again ---- */

static enum bst_code make(const struct judge *judge, const struct again *again, struct bst_image *out,
                          struct bst_error *err)
{
    struct bst_model *model = NULL;
    struct bst_generator *generator = NULL;
    enum bst_code code = bst_model_open_with(again->model_path, again->card_path, &model, err);
    const struct bst_run_options run = {.threads = judge->options->threads,
                                        .memory = bst_memory_left(judge->options->memory),
                                        .arith = again->arith,
                                        .progress = judge->options->progress,
                                        .progress_arg = judge->options->progress_arg};
    if (code == BST_OK) code = again_check_weights(judge, model, err);
    if (code == BST_OK) code = bst_generator_new(model, &run, &generator, err);
    if (code == BST_OK) code = bst_generate(generator, &again->controls, out, NULL, err);
    bst_generator_free(generator);
    bst_model_free(model);
    return code;
}

/* BST_BROKEN when it is clear beforehand that another picture would come out. */
static enum bst_code attempt(const struct judge *judge, struct bst_image *out, struct bst_error *err)
{
    const struct facts *f = &judge->facts;
    struct again again = {0};
    if (!judge->has_statement || !f->generation)
        return bst_fail(err, BST_NO_PROVENANCE, "no statement says how it was made");
    /* Another size is another picture, and a stranger's statement must not make this machine work for hours.
     */
    if (f->width != judge->image.width || f->height != judge->image.height)
        return bst_fail(err, BST_BROKEN, "the statement speaks of a picture of another size");
    enum bst_code code = again_read(judge, &again, err);
    again.controls.width = (uint32_t)f->width;
    again.controls.height = (uint32_t)f->height;
    if (code == BST_OK) code = make(judge, &again, out, err);
    again_clear(&again);
    return code;
}

/* ---- comparing ---- */

struct difference {
    uint64_t pixels;  /* that differ */
    uint32_t x, y;    /* of the first */
    unsigned largest; /* of all samples, in levels */
};

static void compare(const struct bst_image *a, const struct bst_image *b, struct difference *out)
{
    const size_t bytes = a->depth / 8u, samples = a->channels;
    *out = (struct difference){0};
    for (size_t i = 0; i < (size_t)a->width * a->height; i++) {
        const uint8_t *p = a->samples + i * samples * bytes, *q = b->samples + i * samples * bytes;
        if (!memcmp(p, q, samples * bytes)) continue;
        if (out->pixels++ == 0) {
            out->x = (uint32_t)(i % a->width);
            out->y = (uint32_t)(i / a->width);
        }
        for (size_t c = 0; c < samples; c++) {
            unsigned m = bytes == 2 ? bst_get_be16(p + 2 * c) : p[c],
                     n = bytes == 2 ? bst_get_be16(q + 2 * c) : q[c];
            unsigned off = m > n ? m - n : n - m;
            if (off > out->largest) out->largest = off;
        }
    }
}

static bool is_digest_of(const char *hex, const struct bst_image *image)
{
    uint8_t digest[BST_SHA256_LEN];
    char text[BST_SHA256_HEX];
    bst_image_digest(image, digest);
    bst_hex(digest, sizeof digest, text);
    return hex && !strcmp(hex, text);
}

/* How the two differ, in words. */
static void difference_words(const struct bst_image *made, const struct bst_image *given, char *out,
                             size_t room)
{
    struct difference d;
    if (made->width != given->width || made->height != given->height || made->channels != given->channels ||
        made->depth != given->depth) {
        snprintf(out, room, "one has %u channels of %u bits, the other %u of %u", given->channels,
                 given->depth, made->channels, made->depth);
        return;
    }
    compare(given, made, &d);
    snprintf(out, room, "%llu of %llu pixels differ, by at most %u levels, the first in row %u, column %u",
             (unsigned long long)d.pixels, (unsigned long long)given->width * given->height, d.largest, d.y,
             d.x);
}

static void say_difference(struct judge *judge, const struct bst_image *made)
{
    const struct facts *f = &judge->facts;
    char words[160], version[80] = "";
    difference_words(made, &judge->image, words, sizeof words);
    if (is_digest_of(f->pixels_sha256, made)) {
        judge_say(judge, "replay", BST_FAIL,
                  "Made again, it is the picture of the statement; this one is not: %s.", words);
        return;
    }
    if (f->version && strcmp(f->version, BST_VERSION) != 0)
        snprintf(version, sizeof version, " It was made by Blindstamp %.20s, this is " BST_VERSION ".",
                 f->version);
    judge_say(judge, "replay", BST_FAIL,
              "Made again from the model, seed and controls of the statement, it comes out as another "
              "picture: %s.%s",
              words, version);
}

/* ---- the whole ---- */

enum bst_code judge_replay(struct judge *judge, struct bst_error *err)
{
    struct bst_image image = {0};
    struct bst_error why = {0};
    if (!judge->has_pixels) {
        judge_say(judge, "replay", BST_UNKNOWN, "Not replayable: the pixels of such a file are not read.");
        return BST_OK;
    }
    enum bst_code code = attempt(judge, &image, &why);
    if (code == BST_OK) {
        uint8_t made[BST_SHA256_LEN];
        bst_image_digest(&image, made);
        if (!memcmp(made, judge->pixels_sha256, sizeof made))
            judge_say(judge, "replay", BST_PASS,
                      "Made again from the model, seed and controls of the statement: every "
                      "pixel is the same.");
        else
            say_difference(judge, &image);
    } else if (code == BST_BROKEN) {
        judge_say(judge, "replay", BST_FAIL, "Not made again: %s.", why.what);
        code = BST_OK;
    } else if (code != BST_FAILURE) {
        judge_say(judge, "replay", BST_UNKNOWN, "Not replayable: %s%s%s.", why.what, why.hint[0] ? "; " : "",
                  why.hint);
        code = BST_OK;
    } else {
        *err = why;
    }
    bst_image_clear(&image);
    return code;
}
