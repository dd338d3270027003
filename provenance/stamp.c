/* stamp.c - pictures become stamped files and one batch of the ledger.
 *
 * Order: pixels -> metadata -> statement -> ledger -> manifest. A picture's bytes without its manifest wait
 * in a hidden file beside its place; once the ledger holds its statement, the manifest with the receipt is
 * put in, the result is read back and judged, and only a file that validates gets its name. */
#include "c2pa.h"
#include "container_edit.h"
#include "home.h"
#include "key.h"
#include "metadata.h"
#include "png_edit.h"
#include "signer.h"
#include "stamp.h"
#include "stamp_file.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* A third of level 6's time for a tenth more bytes (tests/bench/bench_stamp.c, 768x512). */
#define DEFAULT_PNG_LEVEL 4
#define MANIFEST_ROOM     8192 /* bytes of a manifest beside its envelope, and of the file system's own */

struct pending {
    char *path, *temporary;
    bool force, seedless;
    char image_id[BST_UUID_LEN];
    char when[BST_TIME_LEN];
    const char *source_type;             /* a constant */
    char *title, *model, *prompt, *seed; /* NULL: not disclosed */
    uint8_t model_sha256[BST_SHA256_LEN];
    uint8_t sha256[BST_SHA256_LEN];
    const struct bst_parent *input; /* the stamper's */
    struct bst_buf thumbnail;
    size_t size; /* of the file without its manifest */
    struct bst_buf envelope;
    struct bst_secrets secrets;
    struct bst_error unstamped; /* why it got no time stamp */
};

/* ---- opening and closing ---- */

static enum bst_code home_file(const char *home, const char *name, char **out, struct bst_error *err)
{
    *out = bst_path_join(home, name);
    return *out == NULL ? bst_fail_memory(err) : BST_OK;
}

/* Room in each signature for what is put there when it stands. */
static void reserve(const struct bst_stamper_options *options, struct bst_signer *signer)
{
    enum { HEADS = 32 }; /* bytes of the map around an answer on revocation, and of an empty padding */
    if (signer->ocsp.len > 0) signer->room += signer->ocsp.len + HEADS;
    if (options->tsa == NULL) return;
    signer->room += BST_SIGNATURE_ROOM;
    signer->tsa = strcmp(options->tsa, "later") == 0 ? NULL : options->tsa;
}

/* Who signs the claims, and whom the check of what was written trusts. */
static enum bst_code load_signer(const struct bst_stamper_options *options, struct bst_stamper *stamper,
                                 bool *locked, struct bst_error *err)
{
    enum bst_code code = bst_trust_new(&stamper->trust, err);
    if (code == BST_OK) code = bst_trust_self(stamper->trust, options->home, err);
    if (code == BST_OK) {
        code = bst_signer_open(options->home, options->passphrase, stamper->author_key, stamper->trust,
                               &stamper->signer, locked, err);
    }
    if (code == BST_OK && options->staple) code = bst_signer_staple(options->home, &stamper->signer, err);
    if (code == BST_OK) reserve(options, &stamper->signer);
    return code;
}

static enum bst_code load_home(const struct bst_stamper_options *options, struct bst_stamper *stamper,
                               bool *locked, struct bst_error *err)
{
    char *path;
    enum bst_code code = bst_home_settle(options->home, err);
    if (code == BST_OK) code = bst_identity_load(options->home, &stamper->identity, err);
    if (code == BST_OK) {
        code = bst_home_key(options->home, "keys/author.pem", options->passphrase, &stamper->author_key,
                            locked, err);
    }
    if (code == BST_OK) {
        code =
            bst_home_key(options->home, "keys/log.pem", options->passphrase, &stamper->log_key, locked, err);
    }
    if (code == BST_OK && !options->statements_only) code = load_signer(options, stamper, locked, err);
    if (code == BST_OK) code = home_file(options->home, "ledger.sqlite", &path, err);
    if (code != BST_OK) return code;
    code = bst_ledger_open(path, BST_LEDGER_WRITE, &stamper->ledger, err);
    free(path);
    if (code != BST_OK) return code;
    return bst_vkey_text(bst_ledger_origin(stamper->ledger), bst_ledger_key(stamper->ledger),
                         &stamper->log_vkey, err);
}

static enum bst_code take_codes(const struct bst_aigc_codes *codes, struct bst_stamper *stamper,
                                struct bst_error *err)
{
    const struct {
        const char *name, *code;
        char **to;
    } all[] = {{"producer", codes->producer, &stamper->producer},
               {"propagator", codes->propagator, &stamper->propagator}};
    enum bst_code code = BST_OK;
    stamper->labels = true;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && code == BST_OK; i++) {
        if (all[i].code == NULL) continue;
        code = bst_aigc_code_check(all[i].name, all[i].code, err);
        if (code == BST_OK && (*all[i].to = bst_strdup(all[i].code)) == NULL) code = bst_fail_memory(err);
    }
    return code;
}

enum bst_code bst_stamp_label(const struct bst_stamper *stamper, const struct bst_aigc_picture *picture,
                              json_t **out, struct bst_error *err)
{
    const struct bst_aigc_codes codes = {stamper->producer, stamper->propagator};
    *out = NULL;
    return stamper->labels ? bst_aigc_make(&codes, picture, out, err) : BST_OK;
}

enum bst_code bst_stamper_open(const struct bst_stamper_options *options, struct bst_stamper **out,
                               bool *locked, struct bst_error *err)
{
    *locked = false;
    struct bst_stamper *stamper = bst_calloc(1, sizeof(*stamper));
    if (stamper == NULL) return bst_fail_memory(err);
    stamper->no_train = options->no_train;
    stamper->thumbnail = options->thumbnail;
    stamper->png_level = options->png_level == 0 ? DEFAULT_PNG_LEVEL : options->png_level;
    enum bst_code code = options->aigc == NULL ? BST_OK : take_codes(options->aigc, stamper, err);
    if (code == BST_OK) code = load_home(options, stamper, locked, err);
    if (code != BST_OK) {
        bst_stamper_close(stamper);
        return code;
    }
    *out = stamper;
    return BST_OK;
}

static void remove_temporary(struct pending *pending)
{
    if (pending->temporary != NULL) unlink(pending->temporary);
    free(pending->temporary);
    pending->temporary = NULL;
}

static void pending_clear(struct pending *pending)
{
    remove_temporary(pending);
    free(pending->path);
    free(pending->title);
    free(pending->model);
    free(pending->prompt);
    free(pending->seed);
    bst_buf_free(&pending->thumbnail);
    bst_buf_free(&pending->envelope);
    bst_secrets_clear(&pending->secrets);
    memset(pending, 0, sizeof(*pending));
}

static void drop_pending(struct bst_stamper *stamper)
{
    for (size_t i = 0; i < stamper->count; i++) {
        pending_clear(&stamper->pending[i]);
    }
    stamper->count = 0;
    bst_stamp_inputs_free(stamper);
}

void bst_stamper_close(struct bst_stamper *stamper)
{
    if (stamper == NULL) return;
    drop_pending(stamper);
    free(stamper->pending);
    bst_ledger_close(stamper->ledger);
    bst_key_free(stamper->author_key);
    bst_key_free(stamper->log_key);
    bst_signer_clear(&stamper->signer);
    bst_trust_free(stamper->trust);
    bst_identity_clear(&stamper->identity);
    free(stamper->log_vkey);
    free(stamper->producer);
    free(stamper->propagator);
    free(stamper);
}

const struct bst_identity *bst_stamper_identity(const struct bst_stamper *stamper)
{
    return &stamper->identity;
}

struct bst_ledger *bst_stamper_ledger(const struct bst_stamper *stamper)
{
    return stamper->ledger;
}

size_t bst_stamp_pending(const struct bst_stamper *stamper)
{
    return stamper->count;
}

/* ---- adding ---- */

static enum bst_code check_path(const struct bst_stamper *stamper, const char *path, bool force,
                                struct bst_error *err)
{
    for (size_t i = 0; i < stamper->count; i++) {
        if (strcmp(stamper->pending[i].path, path) == 0) {
            bst_fail(err, BST_USAGE, "two pictures of the batch have the same name");
            return bst_where(err, "%s", path);
        }
    }
    return !force && bst_file_exists(path) ? bst_refuse_existing(path, err) : BST_OK;
}

/* A picture's file on its way to the disk. */
struct outflow {
    int fd;
    struct bst_sha256_state *sha256;
    struct pending *pending;
    struct bst_error *err;
};

static bool put(void *arg, const void *data, size_t len)
{
    struct outflow *out = arg;
    bst_sha256_update(out->sha256, data, len);
    out->pending->size += len;
    return bst_write_all(out->fd, data, len, out->pending->path, out->err) == BST_OK;
}

/* The whole file but for its manifest, row by row: a picture may be larger than what is left of the memory. */
static enum bst_code write_temporary(const struct bst_stamper *stamper, const struct bst_image *image,
                                     const struct bst_words *words, struct pending *pending,
                                     struct bst_error *err)
{
    struct bst_buf chunks = {0};
    struct outflow out = {.sha256 = bst_sha256_new(), .pending = pending, .err = err};
    if (out.sha256 == NULL) return bst_fail_memory(err);
    enum bst_code code = bst_png_metadata(words, &chunks, err);
    if (code == BST_OK && chunks.failed) code = bst_fail_memory(err);
    out.fd = code == BST_OK ? bst_create_beside(pending->path, &pending->temporary, err) : -1;
    if (out.fd < 0) {
        code = err->code;
    } else {
        code = bst_png_write(image, stamper->png_level, &chunks, put, &out, err);
        if (close(out.fd) != 0 && code == BST_OK) {
            bst_fail_errno(err, BST_FAILURE, "cannot write the file");
            code = bst_where(err, "%s", pending->path);
        }
    }
    bst_sha256_final(out.sha256, pending->sha256);
    bst_buf_free(&chunks);
    return code;
}

static enum bst_code sign_statement(const struct bst_stamper *stamper,
                                    const struct bst_generation *generation, struct pending *pending,
                                    struct bst_error *err)
{
    struct bst_buf payload = {0};
    enum bst_code code =
        bst_statement_generation(generation, &stamper->identity, &pending->secrets, &payload, err);
    if (code == BST_OK) {
        code = bst_dsse_sign(payload.data, payload.len, stamper->author_key, &pending->envelope, err);
    }
    bst_buf_free(&payload);
    return code;
}

static bool keep(const char *words, char **out)
{
    *out = words == NULL ? NULL : bst_strdup(words);
    return words == NULL || *out != NULL;
}

/* What the manifest will say. */
static enum bst_code keep_words(struct pending *pending, const struct bst_words *words, struct bst_error *err)
{
    pending->source_type = words->source_type;
    memcpy(pending->when, words->created, sizeof(pending->when));
    if (words->model != NULL) memcpy(pending->model_sha256, words->model_sha256, BST_SHA256_LEN);
    bool kept = keep(words->title, &pending->title) && keep(words->model, &pending->model) &&
                keep(words->prompt, &pending->prompt) && keep(words->seed, &pending->seed);
    return kept ? BST_OK : bst_fail_memory(err);
}

static enum bst_code prepare(struct bst_stamper *stamper, const struct bst_image *image,
                             struct bst_generation *generation, struct pending *pending,
                             struct bst_error *err)
{
    struct bst_words words;
    char private_name[BST_UUID_LEN + 4];
    bst_uuid4(pending->image_id);
    pending->seedless = generation->seedless;
    generation->image_id = pending->image_id;
    generation->file_name = bst_path_name(pending->path);
    if (generation->privacy == BST_PRIVATE) { /* file names often spell out model and seed */
        snprintf(private_name, sizeof(private_name), "%s.png", pending->image_id);
        generation->file_name = private_name;
    }
    bst_image_digest(image, generation->pixels_sha256);
    enum bst_code code = bst_words_fill(generation, &stamper->identity, &words, err);
    if (code != BST_OK) return code;
    json_t *label = NULL;
    const struct bst_aigc_picture picture = {.image_id = pending->image_id,
                                             .pixels_sha256 = generation->pixels_sha256,
                                             .key = stamper->author_key,
                                             .made = true,
                                             .generated = true};
    words.no_train = stamper->no_train;
    code = bst_stamp_label(stamper, &picture, &label, err);
    words.aigc = label;
    if (code == BST_OK) code = write_temporary(stamper, image, &words, pending, err);
    if (code == BST_OK) {
        memcpy(generation->sha256, pending->sha256, BST_SHA256_LEN);
        code = keep_words(pending, &words, err);
    }
    if (code == BST_OK) code = sign_statement(stamper, generation, pending, err);
    if (code == BST_OK) code = bst_stamp_input(stamper, generation, &pending->secrets, &pending->input, err);
    if (code == BST_OK && stamper->thumbnail && generation->privacy != BST_PRIVATE)
        code = bst_thumbnail(image, &pending->thumbnail, err);
    json_decref(label);
    bst_words_clear(&words);
    return code;
}

enum bst_code bst_stamp_add(struct bst_stamper *stamper, const struct bst_image *image, const char *path,
                            bool force, const struct bst_generation *generation, struct bst_error *err)
{
    struct bst_generation filled = *generation;
    enum bst_code code = check_path(stamper, path, force, err);
    if (code != BST_OK) return code;
    if (stamper->count == stamper->cap) {
        size_t cap = stamper->cap == 0 ? 16 : stamper->cap * 2;
        struct pending *grown = realloc(stamper->pending, cap * sizeof(*grown));
        if (grown == NULL) return bst_fail_memory(err);
        stamper->pending = grown;
        stamper->cap = cap;
    }
    struct pending *pending = &stamper->pending[stamper->count];
    memset(pending, 0, sizeof(*pending));
    pending->force = force;
    pending->path = bst_strdup(path);
    code = pending->path == NULL ? bst_fail_memory(err) : prepare(stamper, image, &filled, pending, err);
    if (code == BST_OK) {
        stamper->count++;
    } else {
        pending_clear(pending);
    }
    return code;
}

/* ---- committing ---- */

/* Room for the largest finished file beside its temporary, which then goes, and for every manifest. A disk
 * that is full is found here, before the ledger says that there are pictures. */
static enum bst_code check_space(const struct bst_stamper *stamper, struct bst_error *err)
{
    uint64_t largest = 0, manifests = 0;
    for (size_t i = 0; i < stamper->count; i++) {
        const struct pending *pending = &stamper->pending[i];
        if (pending->size > largest) largest = pending->size;
        manifests += pending->envelope.len + pending->thumbnail.len + MANIFEST_ROOM;
        if (pending->prompt != NULL) manifests += strlen(pending->prompt);
        if (pending->input != NULL)
            manifests += pending->input->manifests.len + pending->input->thumbnail.len;
    }
    struct statvfs disk;
    const struct pending *first = &stamper->pending[0];
    if (statvfs(first->temporary, &disk) != 0) return BST_OK; /* not told: the writing itself will show */
    uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (largest + manifests <= free_bytes) return BST_OK;
    bst_fail(err, BST_FAILURE, "the disk has %llu bytes left, and the pictures need %llu more",
             (unsigned long long)free_bytes, (unsigned long long)(largest + manifests));
    bst_hint(err, "free some space on the disk and run the command again");
    return bst_where(err, "%s", first->path);
}

static bool same_folder(const char *a, const char *b)
{
    size_t a_len = (size_t)(bst_path_name(a) - a), b_len = (size_t)(bst_path_name(b) - b);
    return a_len == b_len && memcmp(a, b, a_len) == 0;
}

enum bst_code bst_stamp_store(const struct bst_stamper *stamper, struct bst_manifest *manifest,
                              const struct bst_buf *envelope, const struct bst_proof *proof,
                              struct bst_buf *store, struct bst_error *err)
{
    struct bst_buf proof_text = {0};
    enum bst_code code = bst_proof_text(proof, &proof_text, err);
    if (code != BST_OK) return code;
    manifest->signer = &stamper->signer;
    manifest->author_key = bst_key_public(stamper->author_key);
    manifest->no_train = stamper->no_train;
    manifest->envelope = envelope->data;
    manifest->envelope_len = envelope->len;
    manifest->proof = proof_text.data;
    manifest->proof_len = proof_text.len;
    manifest->log_vkey = stamper->log_vkey;
    code = bst_c2pa_write(manifest, store, err);
    bst_buf_free(&proof_text);
    return code;
}

static enum bst_code make_chunk(const struct bst_stamper *stamper, struct pending *pending,
                                const struct bst_proof *proof, struct bst_buf *chunk, struct bst_error *err)
{
    struct bst_buf store = {0};
    struct bst_manifest manifest = {
        .unstamped = &pending->unstamped,
        .image_id = pending->image_id,
        .title = pending->title,
        .when = pending->when,
        .source_type = pending->source_type,
        .model_name = pending->model,
        .model_sha256 = pending->model_sha256,
        .prompt = {.words = pending->prompt},
        .seed = {.words = pending->seed},
        .input = pending->input,
        .thumbnail = &pending->thumbnail,
        .chunk_start = BST_PNG_HEAD,
        .chunk_overhead = BST_PNG_CHUNK_SIZE,
    };
    memcpy(manifest.file_sha256, pending->sha256, BST_SHA256_LEN);
    if (pending->prompt == NULL) bst_word_keep(&pending->secrets, "prompt", &manifest.prompt);
    if (pending->seed == NULL && !pending->seedless) {
        bst_word_keep(&pending->secrets, "seed", &manifest.seed);
        bst_word_keep(&pending->secrets, "mix", &manifest.seed); /* says more, if there is one */
    }
    enum bst_code code = bst_stamp_store(stamper, &manifest, &pending->envelope, proof, &store, err);
    if (code == BST_OK) bst_png_chunk(chunk, "caBX", store.data, store.len);
    if (code == BST_OK && chunk->failed) code = bst_fail_memory(err);
    bst_buf_free(&store);
    return code;
}

static enum bst_code write_finished(int from, int to, const struct bst_buf *chunk, const char *path,
                                    struct bst_error *err)
{
    const struct bst_edits edits = {.count = 1, .item = {{.at = BST_PNG_HEAD, .insert = *chunk}}};
    enum bst_code code = bst_splice_into(from, to, &edits, path, path, err);
    if (code == BST_OK && fsync(to) != 0) {
        bst_fail_errno(err, BST_FAILURE, "cannot write the file");
        code = bst_where(err, "%s", path);
    }
    return code;
}

static enum bst_code deliver(const struct bst_stamper *stamper, struct pending *pending,
                             const struct bst_proof *proof, struct bst_error *err)
{
    struct bst_buf chunk = {0};
    char *finished = NULL;
    enum bst_code code = make_chunk(stamper, pending, proof, &chunk, err);
    if (code != BST_OK) return code;
    int to = bst_create_beside(pending->path, &finished, err);
    if (to < 0) {
        bst_buf_free(&chunk);
        return err->code;
    }
    int from = open(pending->temporary, O_RDONLY | O_CLOEXEC);
    if (from < 0) {
        bst_fail_errno(err, BST_FAILURE, "the prepared picture is gone");
        code = bst_where(err, "%s", pending->temporary);
    } else {
        code = write_finished(from, to, &chunk, pending->path, err);
        close(from);
    }
    if (close(to) != 0 && code == BST_OK) {
        bst_fail_errno(err, BST_FAILURE, "cannot write the file");
        code = bst_where(err, "%s", pending->path);
    }
    if (code == BST_OK) code = bst_stamp_check(stamper, finished, NULL, err);
    if (code == BST_OK) code = bst_take_name(finished, pending->path, pending->force, err);
    if (code != BST_OK) unlink(finished);
    free(finished);
    bst_buf_free(&chunk);
    return code;
}

/* Delivers every file it can; the first failure is the one reported. */
static enum bst_code deliver_all(struct bst_stamper *stamper, const struct bst_proof *proofs,
                                 bst_stamped_fn done, void *arg, struct bst_error *err)
{
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < stamper->count; i++) {
        struct pending *pending = &stamper->pending[i];
        struct bst_error problem = {0};
        enum bst_code one = deliver(stamper, pending, &proofs[i], &problem);
        remove_temporary(pending);
        bool last_here = i + 1 == stamper->count || !same_folder(pending->path, stamper->pending[i + 1].path);
        if (last_here) bst_name_sync(pending->path);
        if (one == BST_OK && done != NULL) {
            done(arg, &(struct bst_stamped){pending->path, proofs[i].index, pending->image_id});
        }
        if (one == BST_OK && pending->unstamped.code != BST_OK) { /* delivered, but not all that was asked */
            one = pending->unstamped.code;
            problem = pending->unstamped;
            bst_where(&problem, "%s got no time stamp", pending->path);
            bst_hint(&problem, "blindstamp timestamp add gives it one later");
        }
        if (one != BST_OK && code == BST_OK) {
            code = one;
            *err = problem;
            if (err->hint[0] == 0) {
                bst_hint(err, "the ledger already holds the picture's statement as entry %llu",
                         (unsigned long long)proofs[i].index);
            }
        }
    }
    return code;
}

enum bst_code bst_stamp_commit(struct bst_stamper *stamper, bst_stamped_fn done, void *arg,
                               struct bst_error *err)
{
    if (stamper->count == 0) return BST_OK;
    struct bst_entry *entries = bst_calloc(stamper->count, sizeof(*entries));
    struct bst_proof *proofs = bst_calloc(stamper->count, sizeof(*proofs));
    enum bst_code code = entries == NULL || proofs == NULL ? bst_fail_memory(err) : check_space(stamper, err);
    if (code == BST_OK) {
        for (size_t i = 0; i < stamper->count; i++) {
            const struct pending *pending = &stamper->pending[i];
            entries[i] = (struct bst_entry){pending->envelope.data, pending->envelope.len, &pending->secrets};
        }
        code = bst_ledger_append(stamper->ledger, stamper->log_key, entries, stamper->count, proofs, err);
    }
    if (code == BST_OK) {
        code = deliver_all(stamper, proofs, done, arg, err);
        for (size_t i = 0; i < stamper->count; i++) {
            bst_proof_clear(&proofs[i]);
        }
    }
    free(entries);
    free(proofs);
    drop_pending(stamper);
    return code;
}

enum bst_code bst_stamp_statement(struct bst_stamper *stamper, const struct bst_buf *payload,
                                  const struct bst_secrets *secrets, uint64_t *index, struct bst_error *err)
{
    struct bst_buf envelope = {0};
    struct bst_proof proof;
    enum bst_code code = bst_dsse_sign(payload->data, payload->len, stamper->author_key, &envelope, err);
    if (code == BST_OK) {
        struct bst_entry entry = {envelope.data, envelope.len, secrets};
        code = bst_ledger_append(stamper->ledger, stamper->log_key, &entry, 1, &proof, err);
    }
    if (code == BST_OK) {
        *index = proof.index;
        bst_proof_clear(&proof);
    }
    bst_buf_free(&envelope);
    return code;
}
