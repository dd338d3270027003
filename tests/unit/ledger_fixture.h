/* ledger_fixture.h - an author with keys from fixed seeds, statements, and a ledger in a folder of its own.
 * For the ledger's tests and benchmark. A failure of the fixture itself ends the program: nothing after it
 * would mean much. */
#ifndef LEDGER_FIXTURE_H
#define LEDGER_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provenance.h"

#define FIXTURE_TIME INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

static inline void fixture_must(enum bst_code code, const struct bst_error *err)
{
    if (code == BST_OK) return;
    fprintf(stderr, "fixture: %s (%s)\n", err->what, err->where);
    exit(99);
}

struct fixture {
    struct bst_key *author, *log;
    struct bst_identity identity;
    char folder[256], path[300];
};

/* The keys and the identity; no file is made. */
static inline void fixture_author(struct fixture *fixture)
{
    struct bst_error err;
    uint8_t seed[32];
    memset(fixture, 0, sizeof *fixture);
    memset(seed, 2, sizeof seed);
    fixture_must(bst_key_from_seed(seed, &fixture->author, &err), &err);
    memset(seed, 1, sizeof seed);
    fixture_must(bst_key_from_seed(seed, &fixture->log, &err), &err);
    struct bst_identity *identity = &fixture->identity;
    identity->name = bst_strdup("Ada Example");
    identity->email = bst_strdup("ada@example.org");
    memcpy(identity->public_key, bst_key_public(fixture->author), BST_KEY_LEN);
    memcpy(identity->log_key, bst_key_public(fixture->log), BST_KEY_LEN);
    bst_key_id(identity->public_key, identity->key_id);
    identity->log_origin = bst_format("blindstamp.local/%.16s", identity->key_id);
}

/* Another author, who has a log of his own elsewhere. */
struct person {
    struct bst_key *key;
    struct bst_identity identity;
};

static inline struct person person_new(const char *name, int seed)
{
    struct bst_error err;
    struct person person = {0};
    uint8_t bytes[32];
    memset(bytes, seed, sizeof bytes);
    fixture_must(bst_key_from_seed(bytes, &person.key, &err), &err);
    person.identity.name = bst_strdup(name);
    person.identity.log_origin = bst_strdup("elsewhere.example/log");
    memcpy(person.identity.public_key, bst_key_public(person.key), BST_KEY_LEN);
    memcpy(person.identity.log_key, bst_key_public(person.key), BST_KEY_LEN);
    bst_key_id(person.identity.public_key, person.identity.key_id);
    return person;
}

static inline void person_free(struct person *person)
{
    bst_key_free(person->key);
    bst_identity_clear(&person->identity);
}

/* A generation statement, number n of its kind. */
static inline void fixture_statement(const struct fixture *fixture, uint64_t n, enum bst_privacy privacy,
                                     struct bst_secrets *secrets, struct bst_buf *payload)
{
    static const char *const styles[] = {"oil", "ink"};
    static const float weights[] = {0.7f, 0.3f};
    struct bst_error err;
    char file[48], id[BST_UUID_LEN], prompt[64];
    snprintf(file, sizeof file, "pond-%llu.png", (unsigned long long)n);
    snprintf(id, sizeof id, "00000000-0000-4000-8000-%012llx", (unsigned long long)n);
    snprintf(prompt, sizeof prompt, "a still pond, number %llu", (unsigned long long)n);
    struct bst_generation generation = {
        .file_name = file,
        .image_id = id,
        .model_name = "ponds",
        .model_title = "Ponds",
        .model_license = "CC0-1.0",
        .model_bytes = 1234567,
        .seed = n,
        .width = 768,
        .height = 512,
        .truncation = 0.8f,
        .style_count = 2,
        .style_names = styles,
        .style_weights = weights,
        .prompt = prompt,
        .title = "Pond",
        .arith = "blindstamp-arith/1",
        .started_ms = FIXTURE_TIME + (int64_t)n * 1000,
        .finished_ms = FIXTURE_TIME + (int64_t)n * 1000 + 700,
        .privacy = privacy,
    };
    bst_sha256("model", 5, generation.model_sha256);
    bst_sha256(file, strlen(file), generation.sha256);
    bst_sha256(id, strlen(id), generation.pixels_sha256);
    fixture_must(bst_statement_generation(&generation, &fixture->identity, secrets, payload, &err), &err);
}

/* Signed envelopes of statements first, first + 1, ...; freed with batch_free. */
struct batch {
    size_t count;
    struct bst_entry *entries;
    struct bst_buf *envelopes;
    struct bst_secrets *secrets;
    struct bst_proof *proofs;
};

static inline struct batch batch_new(const struct fixture *fixture, uint64_t first, size_t count,
                                     enum bst_privacy privacy)
{
    struct bst_error err;
    struct batch batch = {count, bst_calloc(count, sizeof *batch.entries),
                          bst_calloc(count, sizeof *batch.envelopes),
                          bst_calloc(count, sizeof *batch.secrets), bst_calloc(count, sizeof *batch.proofs)};
    for (size_t i = 0; i < count; i++) {
        struct bst_buf payload = {0};
        fixture_statement(fixture, first + i, privacy, &batch.secrets[i], &payload);
        fixture_must(bst_dsse_sign(payload.data, payload.len, fixture->author, &batch.envelopes[i], &err),
                     &err);
        bst_buf_free(&payload);
        batch.entries[i] =
            (struct bst_entry){batch.envelopes[i].data, batch.envelopes[i].len, &batch.secrets[i]};
    }
    return batch;
}

static inline void batch_free(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        bst_buf_free(&batch->envelopes[i]);
        bst_secrets_clear(&batch->secrets[i]);
        bst_proof_clear(&batch->proofs[i]);
    }
    free(batch->entries);
    free(batch->envelopes);
    free(batch->secrets);
    free(batch->proofs);
}

static inline struct bst_ledger *fixture_open(const struct fixture *fixture, enum bst_ledger_mode mode)
{
    struct bst_error err;
    struct bst_ledger *ledger;
    fixture_must(bst_ledger_open(fixture->path, mode, &ledger, &err), &err);
    return ledger;
}

/* Signs the payload, which is released, and appends it as a batch of its own. The entry's number. */
static inline uint64_t fixture_put(const struct fixture *fixture, struct bst_ledger *ledger,
                                   const struct bst_key *key, struct bst_buf *payload,
                                   const struct bst_secrets *secrets)
{
    struct bst_error err;
    struct bst_buf envelope = {0};
    struct bst_proof proof;
    fixture_must(bst_dsse_sign(payload->data, payload->len, key, &envelope, &err), &err);
    const struct bst_entry entry = {envelope.data, envelope.len, secrets};
    fixture_must(bst_ledger_append(ledger, fixture->log, &entry, 1, &proof, &err), &err);
    uint64_t index = proof.index;
    bst_proof_clear(&proof);
    bst_buf_free(&envelope);
    bst_buf_free(payload);
    return index;
}

/* A new folder with a ledger that holds the identity as entry 0. */
static inline void fixture_new(struct fixture *fixture)
{
    struct bst_error err;
    const char *base = getenv("TMPDIR");
    fixture_author(fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "%s/blindstamp-test-XXXXXX",
             base && *base ? base : "/tmp");
    if (!mkdtemp(fixture->folder)) {
        perror("fixture");
        exit(99);
    }
    snprintf(fixture->path, sizeof fixture->path, "%s/ledger.sqlite", fixture->folder);
    fixture_must(
        bst_ledger_create(fixture->path, fixture->identity.log_origin, fixture->identity.log_key, &err),
        &err);
    struct bst_buf payload = {0};
    struct bst_ledger *ledger = fixture_open(fixture, BST_LEDGER_WRITE);
    fixture_must(bst_statement_identity(&fixture->identity, &payload, &err), &err);
    fixture_put(fixture, ledger, fixture->author, &payload, NULL);
    bst_ledger_close(ledger);
}

/* Opens, appends statements first .. first + count - 1 as one batch, closes. */
static inline enum bst_code fixture_append(const struct fixture *fixture, uint64_t first, size_t count,
                                           enum bst_privacy privacy, struct bst_error *err)
{
    struct bst_ledger *ledger;
    enum bst_code code = bst_ledger_open(fixture->path, BST_LEDGER_WRITE, &ledger, err);
    if (code != BST_OK) return code;
    struct batch batch = batch_new(fixture, first, count, privacy);
    code = bst_ledger_append(ledger, fixture->log, batch.entries, count, batch.proofs, err);
    batch_free(&batch);
    bst_ledger_close(ledger);
    return code;
}

/* Removes the folder and what the tests put in it; folders of tests only. */
static inline void fixture_free(struct fixture *fixture)
{
    char command[600];
    bst_key_free(fixture->author);
    bst_key_free(fixture->log);
    bst_identity_clear(&fixture->identity);
    if (fixture->folder[0]) {
        snprintf(command, sizeof command, "chmod -R u+rwX '%s' && rm -r '%s'", fixture->folder,
                 fixture->folder);
        if (system(command) != 0) fprintf(stderr, "fixture: cannot remove %s\n", fixture->folder);
    }
}

/* For cmocka: a ledger for each test, as its state. */
static inline int fixture_setup(void **state)
{
    struct fixture *fixture = bst_calloc(1, sizeof *fixture);
    fixture_new(fixture);
    *state = fixture;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    fixture_free(*state);
    free(*state);
    return 0;
}

#endif
