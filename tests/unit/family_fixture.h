/* family_fixture.h - a small family of pictures: a data set, a model trained on it, pictures made with it, one made from
 * another, a photograph that was taken up and made into a picture, and a model that says no licence.
 *
 *   entry 1  training of "ponds" on item "pond.jpg" of data set "ponds-1" (CC-BY-4.0)
 *   entry 2  generation a.png with ponds            entry 3  generation b.png with ponds from a.png
 *   entry 4  adoption photo.jpg, found otherwise    entry 5  generation c.png with ponds from photo.jpg
 *   entry 6  generation d.png with "lakes", of no known licence, from b.png
 */
#ifndef FAMILY_FIXTURE_H
#define FAMILY_FIXTURE_H

#include <jansson.h>

#include "ledger_fixture.h"

static inline void family_digest(const char *what, uint8_t out[static BST_SHA256_LEN])
{
    bst_sha256(what, strlen(what), out);
}

/* Digest of what, in hexadecimal, as queries ask for it. */
static inline const char *family_hex(const char *what, char out[static BST_SHA256_HEX])
{
    uint8_t digest[BST_SHA256_LEN];
    family_digest(what, digest);
    bst_hex(digest, sizeof digest, out);
    return out;
}

/* Signs the payload, which is released, and appends it. */
static inline void family_add(const struct fixture *fixture, struct bst_buf *payload,
                              const struct bst_secrets *secrets)
{
    struct bst_ledger *ledger = fixture_open(fixture, BST_LEDGER_WRITE);
    fixture_put(fixture, ledger, fixture->author, payload, secrets);
    bst_ledger_close(ledger);
}

static inline void family_training(const struct fixture *fixture)
{
    struct bst_error err;
    struct bst_buf payload = {0};
    char item[BST_SHA256_HEX];
    json_t *set = json_pack("{s:s,s:s,s:s,s:s,s:[{s:s,s:s,s:s,s:s}]}", "name", "ponds-1", "title", "Ponds",
                            "version", "1", "license", "CC-BY-4.0", "items", "file", "pond.jpg", "sha256",
                            family_hex("pond.jpg", item), "license", "CC0-1.0", "title", "A pond");
    struct bst_training training = {.model_name = "ponds",
                                    .dataset = set,
                                    .started = "2026-01-01T00:00:00Z",
                                    .finished = "2026-01-01T01:00:00Z",
                                    .id = "00000000-0000-4000-8000-00000000aaaa"};
    family_digest("model", training.model_sha256);
    fixture_must(bst_statement_training(&training, &fixture->identity, &payload, &err), &err);
    family_add(fixture, &payload, NULL);
    json_decref(set);
}

static inline void family_picture(const struct fixture *fixture, const char *file, uint64_t seed,
                                  const char *model, const char *licence, const char *input)
{
    struct bst_error err;
    struct bst_secrets secrets = {0};
    struct bst_buf payload = {0};
    char pixels[80];
    struct bst_generation generation = {.file_name = file,
                                        .image_id = "00000000-0000-4000-8000-00000000bbbb",
                                        .model_name = model,
                                        .model_title = model,
                                        .model_license = licence,
                                        .seed = seed,
                                        .width = 16 * (uint32_t)(11 - seed),
                                        .height = 16,
                                        .truncation = 1,
                                        .input_name = input,
                                        .arith = "blindstamp-arith/1",
                                        .started_ms = FIXTURE_TIME + (int64_t)seed * 86400000,
                                        .finished_ms = FIXTURE_TIME + (int64_t)seed * 86400000};
    family_digest(strcmp(model, "ponds") == 0 ? "model" : model, generation.model_sha256);
    family_digest(file, generation.sha256);
    snprintf(pixels, sizeof pixels, "pixels of %s", file);
    family_digest(pixels, generation.pixels_sha256);
    if (input) {
        family_digest(input, generation.input_sha256);
        snprintf(pixels, sizeof pixels, "pixels of %s", input);
        family_digest(pixels, generation.input_pixels_sha256);
    }
    fixture_must(bst_statement_generation(&generation, &fixture->identity, &secrets, &payload, &err), &err);
    family_add(fixture, &payload, &secrets);
    bst_secrets_clear(&secrets);
}

static inline void family_adoption(const struct fixture *fixture)
{
    struct bst_error err;
    struct bst_secrets secrets = {0};
    struct bst_buf payload = {0};
    struct bst_adoption adoption = {.file_name = "photo.jpg",
                                    .image_id = "00000000-0000-4000-8000-00000000cccc",
                                    .media_type = "image/jpeg",
                                    .has_pixels = true,
                                    .width = 64,
                                    .height = 48,
                                    .source = BST_SOURCE_IS_CAPTURE,
                                    .adopted_ms = FIXTURE_TIME};
    family_digest("photo.jpg", adoption.sha256);
    family_digest("pixels of photo.jpg", adoption.pixels_sha256);
    family_digest("photo as found", adoption.found_sha256);
    fixture_must(bst_statement_adoption(&adoption, &fixture->identity, &secrets, &payload, &err), &err);
    family_add(fixture, &payload, &secrets);
    bst_secrets_clear(&secrets);
}

static inline void family_new(struct fixture *fixture)
{
    fixture_new(fixture);
    family_training(fixture);
    family_picture(fixture, "a.png", 9, "ponds", "CC0-1.0", NULL);
    family_picture(fixture, "b.png", 10, "ponds", "CC0-1.0", "a.png");
    family_adoption(fixture);
    family_picture(fixture, "c.png", 2, "ponds", "CC0-1.0", "photo.jpg");
    family_picture(fixture, "d.png", 3, "lakes", NULL, "b.png");
}

#endif
