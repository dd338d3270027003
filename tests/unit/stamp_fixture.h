/* stamp_fixture.h - what the tests of files share: a throw-away folder, a picture, a signer and its
 * certificates. */
#ifndef STAMP_FIXTURE_H
#define STAMP_FIXTURE_H

#define _XOPEN_SOURCE 700 /* nftw */

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "c2pa.h"
#include "cert.h"
#include "container.h"
#include "metadata.h"
#include "png_edit.h"

#define MODEL_NAME "model-name-xk4"
#define SEED       9007199254740993u
#define SEED_TEXT  "9007199254740993"
#define PROMPT     "prompt-words-qz7 \xe2\x80\x9cquoted\xe2\x80\x9d, with: signs"
#define TITLE      "title-words-vw3"
#define NOTE       "description-words-jh9"
#define STYLE_A    "style-words-pl1"
#define STYLE_B    "style-words-pl2"

static char folder[64];

static inline int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

static inline int folder_setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/blindstamp-test-XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static inline int folder_teardown(void **state)
{
    (void)state;
    return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* A path in the folder; four may be in use at once. */
static inline const char *in_folder(const char *name)
{
    static char paths[4][160];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

#define assert_good(call)                                                                                    \
    do {                                                                                                     \
        enum bst_code got_ = (call);                                                                         \
        if (got_ != BST_OK) fail_msg("%s: %s: %s", #call, err.where, err.what);                              \
    } while (0)

/* The same bytes in both. */
#define assert_same(a, b)                                                                                    \
    do {                                                                                                     \
        assert_int_equal((a).len, (b).len);                                                                  \
        if ((a).len > 0) assert_memory_equal((a).data, (b).data, (a).len);                                   \
    } while (0)

static inline void make_gradient(uint32_t width, uint32_t height, struct bst_image *image)
{
    struct bst_error err = {0};
    assert_good(bst_image_new(width, height, 3, 8, image, &err));
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            uint8_t *p = image->samples + 3 * (y * width + x);
            p[0] = (uint8_t)x;
            p[1] = (uint8_t)(y * 2);
            p[2] = (uint8_t)(x * y >> 6);
        }
    }
}

static const char *const fixture_styles[] = {STYLE_A, STYLE_B};
static const float fixture_weights[] = {0.75f, 0.25f};

static inline struct bst_generation make_generation(enum bst_privacy privacy)
{
    struct bst_generation generation = {
        .image_id = "77e74327-6c43-4be0-8185-6388508f11d8",
        .file_name = "picture.png",
        .model_name = MODEL_NAME,
        .model_license = "Apache-2.0",
        .model_bytes = 1000,
        .seed = SEED,
        .width = 96,
        .height = 64,
        .truncation = 0.8125f,
        .style_count = 2,
        .style_names = fixture_styles,
        .style_weights = fixture_weights,
        .prompt = PROMPT,
        .title = TITLE,
        .description = NOTE,
        .arith = "blindstamp-arith/1",
        .started_ms = 1795000000000,
        .finished_ms = 1795000001000,
        .privacy = privacy,
    };
    memset(generation.model_sha256, 0xa5, sizeof(generation.model_sha256));
    return generation;
}

static inline struct bst_identity make_identity(void)
{
    struct bst_identity identity = {.name = (char *)(uintptr_t) "Ada Example",
                                    .email = (char *)(uintptr_t) "ada@example.org",
                                    .url = (char *)(uintptr_t) "https://example.org/ada"};
    return identity;
}

/* An author's key and certificates without a home. */
struct signer {
    struct bst_key *key, *ca;
    char *root, *leaf;
    struct bst_signer signs;
};

static inline void signer_new(struct signer *signer, int64_t now_ms)
{
    struct bst_error err = {0};
    struct bst_identity identity = make_identity();
    memset(signer, 0, sizeof(*signer));
    assert_good(bst_key_new(&signer->key, &err));
    assert_good(bst_key_new(&signer->ca, &err));
    memcpy(identity.public_key, bst_key_public(signer->key), BST_KEY_LEN);
    assert_good(
        bst_cert_make(&identity, signer->ca, signer->key, now_ms, &signer->root, &signer->leaf, &err));
    assert_good(bst_chain_from_pem(signer->leaf, strlen(signer->leaf), &signer->signs.chain, &err));
    signer->signs.key = signer->key;
}

static inline void signer_free(struct signer *signer)
{
    bst_key_free(signer->key);
    bst_key_free(signer->ca);
    bst_chain_clear(&signer->signs.chain);
    free(signer->root);
    free(signer->leaf);
}

/* What a manifest says in these tests; the digest is of the file to be stamped. */
static inline struct bst_manifest make_manifest(const struct signer *signer, const struct bst_buf *file)
{
    static const uint8_t model[BST_SHA256_LEN] = {1, 2, 3};
    static const char envelope[] = "{\"payload\":\"\"}", proof[] = "proof\n";
    struct bst_manifest manifest = {
        .signer = &signer->signs,
        .image_id = "77e74327-6c43-4be0-8185-6388508f11d8",
        .title = TITLE,
        .when = "2026-11-22T09:30:00Z",
        .source_type = BST_SOURCE_GENERATED,
        .model_name = MODEL_NAME,
        .model_sha256 = model,
        .envelope = envelope,
        .envelope_len = sizeof(envelope) - 1,
        .proof = proof,
        .proof_len = sizeof(proof) - 1,
        .log_vkey = "example.org/log+00000000+AA",
        .chunk_start = BST_PNG_HEAD,
        .chunk_overhead = BST_PNG_CHUNK_SIZE,
    };
    if (file != NULL) bst_sha256(file->data, file->len, manifest.file_sha256);
    return manifest;
}

static inline void make_png(struct bst_buf *out)
{
    struct bst_error err = {0};
    struct bst_image image;
    make_gradient(96, 64, &image);
    assert_good(bst_png_encode(&image, 6, out, &err));
    bst_image_clear(&image);
}

static inline void write_file(const char *path, const void *data, size_t len)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* The file with insert put in at byte at. */
static inline void write_spliced(const char *path, const struct bst_buf *file, size_t at,
                                 const struct bst_buf *insert)
{
    struct bst_buf joined = {0};
    bst_buf_append(&joined, file->data, at);
    bst_buf_append(&joined, insert->data, insert->len);
    bst_buf_append(&joined, file->data + at, file->len - at);
    assert_false(joined.failed);
    write_file(path, joined.data, joined.len);
    bst_buf_free(&joined);
}

static inline bool has_status(const struct bst_c2pa *c2pa, enum bst_status_kind kind, const char *code)
{
    for (size_t i = 0; i < c2pa->status_count; i++) {
        if (c2pa->statuses[i].kind == kind && strcmp(c2pa->statuses[i].code, code) == 0) return true;
    }
    return false;
}

/* Trust in the signers of claims under these roots; NULL and "" are nobody's. */
static inline struct bst_trust *trust_in(const char *roots)
{
    struct bst_error err = {0};
    struct bst_trust *trust = NULL;
    if (roots == NULL) return NULL;
    assert_good(bst_trust_new(&trust, &err));
    if (*roots != 0) assert_good(bst_trust_add(trust, roots, strlen(roots), BST_TRUST_MANIFEST, NULL, &err));
    return trust;
}

/* Scans and judges; the result is to be cleared. */
static inline enum bst_code read_back(const char *path, const char *roots, struct bst_c2pa *c2pa,
                                      struct bst_error *err)
{
    struct bst_container container;
    memset(c2pa, 0, sizeof(*c2pa));
    enum bst_code code = bst_container_scan(path, &container, err);
    if (code != BST_OK) return code;
    struct bst_trust *trust = trust_in(roots);
    code = bst_c2pa_read(path, &container, trust, c2pa, err);
    bst_trust_free(trust);
    bst_container_clear(&container);
    return code;
}

static inline bool contains(const void *data, size_t len, const char *words)
{
    size_t n = strlen(words);
    for (size_t i = 0; i + n <= len; i++) {
        if (memcmp((const char *)data + i, words, n) == 0) return true;
    }
    return false;
}

#endif
