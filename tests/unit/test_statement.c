/* test_statement.c - statements: the published test vectors of schema/vectors byte by byte, what each privacy
 * level lets out, and numbers that must come back the same.
 *
 * BST_WRITE_VECTORS=1 writes the vectors instead of comparing them (run from the top folder): only for a new
 * version of the written format, or of the program, whose number stands in them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_fixture.h"
#include "statement.h"

#define VECTORS "schema/vectors/"

static struct bst_error err;
static struct fixture fixture;

static int make_author(void **ctx)
{
    (void)ctx;
    fixture_author(&fixture);
    return 0;
}

static int free_author(void **ctx)
{
    (void)ctx;
    fixture_free(&fixture);
    return 0;
}

/* ---- vectors ---- */

static void compare(const char *name, const void *data, size_t len)
{
    char path[128];
    struct bst_buf stored = {0};
    snprintf(path, sizeof path, VECTORS "%s", name);
    if (getenv("BST_WRITE_VECTORS")) {
        assert_int_equal(bst_file_write(path, data, len, BST_WRITE_REPLACE, &err), BST_OK);
    }
    if (bst_file_read(path, 1 << 20, &stored, &err) != BST_OK) fail_msg("%s", err.what);
    if (stored.len != len || memcmp(stored.data, data, len) != 0)
        fail_msg("%s differs:\n%.*s", path, (int)len, (const char *)data);
    bst_buf_free(&stored);
}

static void compare_json(const char *name, json_t *json)
{
    struct bst_buf text = {0};
    assert_non_null(json);
    assert_int_equal(bst_json_pretty(json, &text, &err), BST_OK);
    compare(name, text.data, text.len);
    bst_buf_free(&text);
    json_decref(json);
}

static json_t *key_json(const struct bst_key *key, int seed, const char *vkey)
{
    uint8_t bytes[32];
    char seed_hex[65], public_hex[65], id[65], *pem;
    memset(bytes, seed, sizeof bytes);
    bst_hex(bytes, 32, seed_hex);
    bst_hex(bst_key_public(key), 32, public_hex);
    bst_key_id(bst_key_public(key), id);
    assert_int_equal(bst_key_public_pem(bst_key_public(key), &pem, &err), BST_OK);
    json_t *json = json_pack("{s:s,s:s,s:s,s:s,s:s*}", "seed", seed_hex, "public", public_hex, "id", id,
                             "pem", pem, "vkey", vkey);
    free(pem);
    return json;
}

static void make_training(struct bst_buf *payload)
{
    static const char manifest[] = "{\"dataset_id\":\"ponds-1\",\"title\":\"Ponds\",\"version\":\"1\","
                                   "\"license\":\"CC0-1.0\",\"items\":["
                                   "{\"file\":\"pond.png\",\"sha256\":"
                                   "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\","
                                   "\"license\":\"CC0-1.0\",\"source\":\"https://example.org/"
                                   "pond\",\"author\":\"Ada Example\",\"title\":\"A pond\"}]}";
    static const char parameters[] = "{\"steps\":1000,\"rate\":0.0002,\"seed\":\"1\"}";
    struct bst_training training = {.model_name = "ponds",
                                    .started = "2026-01-01T00:00:00Z",
                                    .finished = "2026-01-01T01:00:00Z",
                                    .id = "00000000-0000-4000-8000-00000000aaaa"};
    json_t *dataset, *hyper;
    assert_int_equal(bst_json_parse(manifest, strlen(manifest), &dataset, &err), BST_OK);
    assert_int_equal(bst_json_parse(parameters, strlen(parameters), &hyper, &err), BST_OK);
    training.dataset = dataset;
    training.parameters = hyper;
    bst_sha256("model", 5, training.model_sha256);
    assert_int_equal(bst_statement_training(&training, &fixture.identity, payload, &err), BST_OK);
    json_decref(dataset);
    json_decref(hyper);
}

/* Three statements, their envelopes and leaf hashes, the checkpoint over them and the proof of the second. */
static void published_vectors(void **ctx)
{
    (void)ctx;
    static const char *const name[] = {"identity", "generation", "training"};
    struct bst_buf payload[3] = {0}, proof_text = {0};
    struct bst_secrets secrets;
    struct bst_proof proof = {.index = 1, .len = 2};
    uint8_t leaf[3][32], pair[32], root[32];
    char file[64], hex[65], *vkey;
    assert_int_equal(bst_vkey_text(fixture.identity.log_origin, fixture.identity.log_key, &vkey, &err),
                     BST_OK);
    compare_json("keys.json", json_pack("{s:o,s:o}", "author", key_json(fixture.author, 2, NULL), "log",
                                        key_json(fixture.log, 1, vkey)));
    assert_int_equal(bst_statement_identity_at(&fixture.identity, FIXTURE_TIME, &payload[0], &err), BST_OK);
    fixture_statement(&fixture, 7, BST_PUBLIC, &secrets, &payload[1]);
    assert_int_equal(secrets.count, 0);
    make_training(&payload[2]);
    for (int i = 0; i < 3; i++) {
        struct bst_buf envelope = {0};
        snprintf(file, sizeof file, "%s.payload.json", name[i]);
        compare(file, payload[i].data, payload[i].len);
        assert_int_equal(bst_dsse_sign(payload[i].data, payload[i].len, fixture.author, &envelope, &err),
                         BST_OK);
        snprintf(file, sizeof file, "%s.dsse.json", name[i]);
        compare(file, envelope.data, envelope.len);
        bst_merkle_leaf(envelope.data, envelope.len, leaf[i]);
        bst_hex(leaf[i], 32, hex);
        snprintf(file, sizeof file, "%s.leaf", name[i]);
        compare(file, hex, 64);
        bst_buf_free(&envelope);
        bst_buf_free(&payload[i]);
    }
    bst_merkle_node(leaf[0], leaf[1], pair);
    bst_merkle_node(pair, leaf[2], root);
    assert_int_equal(
        bst_checkpoint_sign(fixture.identity.log_origin, 3, root, fixture.log, &proof.checkpoint, &err),
        BST_OK);
    compare("checkpoint", proof.checkpoint, strlen(proof.checkpoint));
    memcpy(proof.hash[0], leaf[0], 32);
    memcpy(proof.hash[1], leaf[2], 32);
    assert_int_equal(bst_proof_text(&proof, &proof_text, &err), BST_OK);
    compare("generation.tlog-proof", proof_text.data, proof_text.len);
    struct bst_buf envelope = {0};
    assert_int_equal(bst_file_read(VECTORS "generation.dsse.json", 1 << 20, &envelope, &err), BST_OK);
    assert_int_equal(bst_proof_verify(&proof, envelope.data, envelope.len, fixture.identity.log_origin,
                                      fixture.identity.log_key, &err),
                     BST_OK);
    bst_buf_free(&envelope);
    bst_buf_free(&proof_text);
    bst_proof_clear(&proof);
    free(vkey);
}

static void commitment_vector(void **ctx)
{
    (void)ctx;
    char words[] = "a still pond", salt[65], commitment[65];
    struct bst_secret secret = {.name = "prompt", .words = words};
    for (unsigned i = 0; i < 32; i++)
        secret.salt[i] = (uint8_t)i;
    bst_hex(secret.salt, 32, salt);
    bst_secret_commitment(&secret, commitment);
    /* The same by hand: salt || name || 0x00 || words. */
    uint8_t text[32 + 7 + 12], digest[32];
    char expected[65];
    memcpy(text, secret.salt, 32);
    memcpy(text + 32, "prompt", 7);
    memcpy(text + 39, words, 12);
    bst_sha256(text, sizeof text, digest);
    bst_hex(digest, 32, expected);
    assert_string_equal(commitment, expected);
    compare_json("commitment.json", json_pack("{s:s,s:s,s:s,s:s}", "name", "prompt", "salt", salt, "words",
                                              words, "commitment", commitment));
}

/* ---- privacy ---- */

static json_t *generation(enum bst_privacy privacy, struct bst_secrets *secrets, struct bst_buf *payload)
{
    json_t *statement;
    fixture_statement(&fixture, 7, privacy, secrets, payload);
    assert_int_equal(bst_json_parse(bst_buf_string(payload), payload->len, &statement, &err), BST_OK);
    return statement;
}

static void check_secrets(const json_t *statement, const struct bst_secrets *secrets,
                          const char *const *names, size_t count)
{
    assert_int_equal(secrets->count, count);
    for (size_t i = 0; i < count; i++) {
        char commitment[BST_SHA256_HEX];
        bool found = false;
        for (size_t k = 0; k < count; k++) {
            if (strcmp(secrets->item[k].name, names[i]) != 0) continue;
            found = true;
            bst_secret_commitment(&secrets->item[k], commitment);
            assert_string_equal(bst_statement_commitment(statement, names[i]), commitment);
        }
        if (!found) fail_msg("no secret %s", names[i]);
    }
}

static void what_each_privacy_level_discloses(void **ctx)
{
    (void)ctx;
    static const char *const partner[] = {"prompt", "title"};
    static const char *const private[] = {"prompt",     "title", "seed",     "styles",
                                          "truncation", "tile",  "file_name"};
    struct bst_secrets secrets;
    struct bst_buf payload = {0};
    json_t *statement = generation(BST_PUBLIC, &secrets, &payload);
    assert_int_equal(secrets.count, 0);
    assert_non_null(strstr((char *)payload.data, "a still pond, number 7"));
    assert_string_equal(
        json_string_value(bst_json_at(statement, "predicate.buildDefinition.externalParameters.seed")), "7");
    assert_string_equal(json_string_value(bst_json_at(statement, "subject.0.name")), "pond-7.png");
    json_decref(statement);
    payload.len = 0;

    statement = generation(BST_PARTNER, &secrets, &payload);
    check_secrets(statement, &secrets, partner, 2);
    assert_null(strstr((char *)payload.data, "still pond"));
    assert_null(strstr((char *)payload.data, "\"Pond\""));
    assert_non_null(strstr((char *)payload.data, "\"seed\":\"7\""));
    bst_secrets_clear(&secrets);
    json_decref(statement);
    payload.len = 0;

    statement = generation(BST_PRIVATE, &secrets, &payload);
    check_secrets(statement, &secrets, private, 7);
    static const char *const kept[] = {"still pond", "\"Pond\"", "\"seed\":\"", "oil", "0.8", "pond-7"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (strstr((char *)payload.data, kept[i])) fail_msg("%s is disclosed", kept[i]);
    }
    assert_non_null(strstr((char *)payload.data, "Ada Example"));
    bst_secrets_clear(&secrets);
    json_decref(statement);
    bst_buf_free(&payload);
}

/* Controls that only some runs have. */
static void mixed_seeds(void **ctx)
{
    (void)ctx;
    static const char *const private[] = {"seed",       "mix",  "latent_generator", "label",
                                          "truncation", "tile", "file_name"};
    const uint64_t seeds[] = {7, UINT64_MAX};
    const float weights[] = {0.6f, -0.8f};
    struct bst_generation made = {.file_name = "mix.png",
                                  .image_id = "00000000-0000-4000-8000-000000000001",
                                  .model_name = "ponds",
                                  .seed = 7,
                                  .width = 8,
                                  .height = 8,
                                  .truncation = 1,
                                  .latent_generator = "torch-cpu",
                                  .mix_count = 2,
                                  .mix_seeds = seeds,
                                  .mix_weights = weights,
                                  .has_label = true,
                                  .label = 3,
                                  .arith = "blindstamp-arith/1"};
    struct bst_secrets secrets;
    struct bst_buf payload = {0};
    assert_int_equal(bst_statement_generation(&made, &fixture.identity, &secrets, &payload, &err), BST_OK);
    assert_int_equal(secrets.count, 0);
    const char *text = bst_buf_string(&payload);
    assert_non_null(strstr(text, "\"mix\":[{\"seed\":\"7\",\"weight\":0.6},"
                                 "{\"seed\":\"18446744073709551615\",\"weight\":-0.8}]"));
    assert_non_null(strstr(text, "\"latent_generator\":\"torch-cpu\""));
    payload.len = 0;
    made.privacy = BST_PRIVATE;
    json_t *statement;
    assert_int_equal(bst_statement_generation(&made, &fixture.identity, &secrets, &payload, &err), BST_OK);
    assert_int_equal(bst_json_parse(bst_buf_string(&payload), payload.len, &statement, &err), BST_OK);
    check_secrets(statement, &secrets, private, 7);
    assert_null(strstr((char *)payload.data, "1844674"));
    assert_null(strstr((char *)payload.data, "torch"));
    bst_secrets_clear(&secrets);
    json_decref(statement);
    bst_buf_free(&payload);
}

static void salts_differ_each_time(void **ctx)
{
    (void)ctx;
    struct bst_secrets one, two;
    struct bst_buf payload = {0};
    fixture_statement(&fixture, 7, BST_PARTNER, &one, &payload);
    fixture_statement(&fixture, 7, BST_PARTNER, &two, &payload);
    assert_memory_not_equal(one.item[0].salt, two.item[0].salt, 32);
    assert_memory_not_equal(one.item[0].salt, one.item[1].salt, 32);
    bst_secrets_clear(&one);
    bst_secrets_clear(&two);
    bst_buf_free(&payload);
}

/* ---- numbers ---- */

static float read_back(float truncation)
{
    struct bst_generation generation = {.file_name = "f",
                                        .image_id = "i",
                                        .model_name = "m",
                                        .arith = "a",
                                        .width = 1,
                                        .height = 1,
                                        .truncation = truncation,
                                        .seed = UINT64_MAX};
    struct bst_secrets secrets;
    struct bst_buf payload = {0};
    json_t *statement;
    assert_int_equal(bst_statement_generation(&generation, &fixture.identity, &secrets, &payload, &err),
                     BST_OK);
    assert_int_equal(bst_json_parse((char *)payload.data, payload.len, &statement, &err), BST_OK);
    json_t *value = bst_json_at(statement, "predicate.buildDefinition.externalParameters.truncation");
    const char *seed =
        json_string_value(bst_json_at(statement, "predicate.buildDefinition.externalParameters.seed"));
    assert_string_equal(seed, "18446744073709551615");
    float back = (float)json_number_value(value);
    json_decref(statement);
    bst_buf_free(&payload);
    return back;
}

static void every_float_comes_back(void **ctx)
{
    (void)ctx;
    static const float some[] = {0.0f,     1.0f,        0.8f,  0.7f,        0.1f,    1.5f,
                                 1.0f / 3, 0.30000001f, 1e-7f, 16777216.0f, 1.4e-45f};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        assert_true(read_back(some[i]) == some[i]);
    uint32_t state = 1;
    for (int i = 0; i < 2000; i++) { /* bit patterns from a linear congruence */
        float value;
        state = state * 1664525u + 1013904223u;
        uint32_t bits = state & 0x7fffffffu;
        memcpy(&value, &bits, sizeof value);
        /* RFC 8785 writes 2^63 to 10^21 as integers, which the JSON reader takes for 64-bit ones. */
        if (value < 9e15f) assert_true(read_back(value) == value);
    }
}

/* ---- bad input ---- */

static void bad_words_are_refused(void **ctx)
{
    (void)ctx;
    struct bst_generation generation = {.file_name = "f", .image_id = "i", .model_name = "m", .arith = "a"};
    struct bst_secrets secrets;
    struct bst_buf payload = {0};
    generation.prompt = "\xff";
    assert_int_equal(bst_statement_generation(&generation, &fixture.identity, &secrets, &payload, &err),
                     BST_USAGE);
    assert_non_null(strstr(err.what, "prompt"));
    char *lengthy = bst_calloc(70000, 1);
    memset(lengthy, 'a', 69999);
    generation.prompt = lengthy;
    assert_int_equal(bst_statement_generation(&generation, &fixture.identity, &secrets, &payload, &err),
                     BST_USAGE);
    generation.prompt = NULL;
    generation.file_name = "\xfe.png";
    assert_int_equal(bst_statement_generation(&generation, &fixture.identity, &secrets, &payload, &err),
                     BST_USAGE);
    assert_int_equal(payload.len, 0);
    assert_int_equal(secrets.count, 0);
    free(lengthy);
    bst_buf_free(&payload);
}

static void data_set_items_need_digests(void **ctx)
{
    (void)ctx;
    static const char manifest[] = "{\"items\":[{\"file\":\"a\",\"sha256\":\"12\"}]}";
    struct bst_training training = {.model_name = "m", .started = "s", .finished = "f"};
    struct bst_buf payload = {0};
    json_t *dataset;
    assert_int_equal(bst_json_parse(manifest, strlen(manifest), &dataset, &err), BST_OK);
    training.dataset = dataset;
    assert_int_equal(bst_statement_training(&training, &fixture.identity, &payload, &err), BST_UNREADABLE);
    assert_non_null(strstr(err.what, "item 1"));
    json_decref(dataset);
}

static void identity_comes_back(void **ctx)
{
    (void)ctx;
    json_t *json;
    struct bst_identity back;
    assert_int_equal(bst_identity_json(&fixture.identity, &json, &err), BST_OK);
    assert_int_equal(bst_identity_from_json(json, &back, &err), BST_OK);
    assert_string_equal(back.name, fixture.identity.name);
    assert_string_equal(back.key_id, fixture.identity.key_id);
    assert_memory_equal(back.log_key, fixture.identity.log_key, 32);
    bst_identity_clear(&back);
    json_object_set_new(json_object_get(json, "key"), "id", json_string("00"));
    assert_int_equal(bst_identity_from_json(json, &back, &err), BST_BROKEN);
    json_object_del(json, "log");
    assert_int_equal(bst_identity_from_json(json, &back, &err), BST_UNREADABLE);
    json_decref(json);
}

/* A folder of two files: what model-signing 1.1.1 says of files with these digests. */
static void models_are_named_as_openssf_does(void **ctx)
{
    struct bst_model_file files[2] = {{.name = "tint.param", .bytes = 131},
                                      {.name = "tint.bin", .bytes = 52}};
    struct bst_model_record record = {
        .name = "tint", .license = "MIT", .files = files, .file_count = 2, .recorded_ms = 1763800000000};
    struct bst_identity author = {.name = (char *)(uintptr_t) "Ada"};
    struct bst_buf payload = {0};
    json_t *statement;
    (void)ctx;
    memset(author.key_id, 'a', 64);
    assert_true(
        bst_unhex("a81d6278d2b709e7c0fc2db357122be67f55eb83d92a0d169b71c44335cbb2e2", files[0].sha256, 32));
    assert_true(
        bst_unhex("a6625bb570a3618399251ca3f6ced1a14edc1820f34577cfad4aed964c4a10bf", files[1].sha256, 32));
    assert_int_equal(bst_statement_model(&record, &author, &payload, &err), BST_OK);
    assert_int_equal(bst_json_parse((char *)payload.data, payload.len, &statement, &err), BST_OK);
    const json_t *signing = bst_json_at(statement, "predicate.openssf_model_signing");
    assert_string_equal(json_string_value(bst_json_at(signing, "subject.0.digest.sha256")),
                        "1077001f0293d9101f67679355f8f518779e478020292ff14a53341b85444ee4");
    assert_string_equal(json_string_value(bst_json_at(signing, "subject.0.name")), "tint");
    assert_string_equal(json_string_value(bst_json_at(signing, "predicate.resources.0.name")), "tint.bin");
    assert_string_equal(json_string_value(bst_json_at(statement, "subject.0.name")), "tint.param");
    assert_null(bst_json_at(statement, "predicate.card"));
    json_decref(statement);
    bst_buf_free(&payload);
    files[1].name = "\xff";
    assert_int_equal(bst_statement_model(&record, &author, &payload, &err), BST_USAGE);
    bst_buf_free(&payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(models_are_named_as_openssf_does),
        cmocka_unit_test(commitment_vector),
        cmocka_unit_test(what_each_privacy_level_discloses),
        cmocka_unit_test(mixed_seeds),
        cmocka_unit_test(salts_differ_each_time),
        cmocka_unit_test(every_float_comes_back),
        cmocka_unit_test(bad_words_are_refused),
        cmocka_unit_test(data_set_items_need_digests),
        cmocka_unit_test(identity_comes_back),
    };
    return cmocka_run_group_tests_name("statement", tests, make_author, free_author);
}
