/* c2pa_write.c - the C2PA 2.4 manifest that a stamped picture carries.
 *
 * Assertions: org.blindstamp.receipt (the signed statement and its proof of being in the ledger), c2pa.thumbnail.claim,
 * c2pa.ingredient.v3 for everything that the picture was made from, c2pa.actions.v2 (created by a trained model, or opened
 * and then by whom it was made is not ours to say), c2pa.ai-disclosure, on demand cawg.training-mining, and c2pa.hash.data
 * (the hard binding to the file's bytes). All CBOR is in core deterministic encoding: map keys are written shortest first,
 * then alphabetically. */
#include "c2pa.h"
#include "container_edit.h"

#include <string.h>

/* What the data hash says of the store's place. */
struct binding {
    uint64_t length; /* of the place */
    size_t pad;      /* zero bytes, to make the store longer */
    uint8_t sha256[BST_SHA256_LEN];
};

void bst_c2pa_link(struct bst_buf *out, const char *url, const uint8_t sha256[static BST_SHA256_LEN])
{
    bst_cbor_map(out, 2);
    bst_cbor_pair(out, "url", url);
    bst_cbor_text(out, "hash");
    bst_cbor_bytes(out, sha256, BST_SHA256_LEN);
}

void bst_hash_name(const uint8_t sha256[static BST_SHA256_LEN], char out[static BST_HASH_NAME_LEN])
{
    size_t len = (size_t)sprintf(out, "nih:sha-256;");
    bst_hex(sha256, BST_SHA256_LEN, out + len);
}

/* ---- the assertion store ---- */

/* "c2pa.ingredient.v3", then "c2pa.ingredient.v3__1" (C2PA 2.4, 6.4). */
static void take_label(struct bst_written *all, const char *label)
{
    size_t len = strlen(label), same = 0;
    for (size_t i = 0; i < all->count; i++) {
        const char *have = all->labels[i];
        same += strncmp(have, label, len) == 0 && (have[len] == 0 || strncmp(have + len, "__", 2) == 0);
    }
    char *out = all->labels[all->count];
    snprintf(out, sizeof(all->labels[0]), same == 0 ? "%s" : "%s__%zu", label, same);
}

static size_t take_digest(struct bst_written *all, size_t super, const struct bst_buf *out)
{
    if (out->failed) return 0;
    bst_sha256(out->data + super + 8, out->len - super - 8, all->digests[all->count]);
    return all->count++;
}

size_t bst_written_cbor(struct bst_written *all, const char *label, const struct bst_buf *content,
                        struct bst_buf *out)
{
    size_t super = out->len;
    out->failed = out->failed || content->failed;
    take_label(all, label);
    bst_jumbf_leaf(out, BST_BOX_CBOR, all->labels[all->count], BST_BOX_CBOR, content->data, content->len);
    return take_digest(all, super, out);
}

size_t bst_written_file(struct bst_written *all, const char *label, const char *media_type, const void *data,
                        size_t len, struct bst_buf *out)
{
    size_t super = out->len;
    take_label(all, label);
    bst_jumbf_file(out, all->labels[all->count], media_type, data, len);
    return take_digest(all, super, out);
}

void bst_written_link(const struct bst_written *all, size_t i, struct bst_buf *out)
{
    char url[80];
    snprintf(url, sizeof(url), "self#jumbf=c2pa.assertions/%s", all->labels[i]);
    bst_c2pa_link(out, url, all->digests[i]);
}

/* ---- the assertions ---- */

static void write_agent(struct bst_buf *out)
{
    bst_cbor_text(out, "softwareAgent");
    bst_cbor_map(out, 2);
    bst_cbor_pair(out, "name", BST_CLAIM_GENERATOR);
    bst_cbor_pair(out, "version", BST_VERSION);
}

/* When it happened and what it was, the shortest keys. */
static void begin_action(const struct bst_manifest *manifest, const char *name, size_t members,
                         struct bst_buf *out)
{
    bst_cbor_map(out, members);
    bst_cbor_text(out, "when");
    bst_cbor_tag(out, 0);
    bst_cbor_text(out, manifest->when);
    bst_cbor_pair(out, "action", name);
}

/* c2pa.created with what went into the picture, or c2pa.opened with what was opened. */
static void write_actions(const struct bst_manifest *manifest, const struct bst_written *all,
                          struct bst_buf *out)
{
    bool created = manifest->opened == NULL;
    size_t ingredients = 0;
    for (size_t i = 0; i < all->count; i++)
        ingredients += all->ingredient[i];
    bst_cbor_map(out, 2);
    bool edited = manifest->opened != NULL && manifest->opened->edited;
    bst_cbor_text(out, "actions");
    bst_cbor_array(out, edited ? 2 : 1);
    begin_action(manifest, created ? "c2pa.created" : "c2pa.opened", created ? 5 : 4, out);
    bst_cbor_text(out, "parameters");
    bst_cbor_map(out, 1);
    bst_cbor_text(out, "ingredients");
    bst_cbor_array(out, ingredients);
    for (size_t i = 0; i < all->count; i++) {
        if (all->ingredient[i]) bst_written_link(all, i, out);
    }
    write_agent(out);
    if (created) bst_cbor_pair(out, "digitalSourceType", manifest->source_type);
    if (edited) {
        begin_action(manifest, "c2pa.edited.metadata", 3, out);
        write_agent(out);
    }
    bst_cbor_text(out, "allActionsIncluded");
    bst_cbor_bool(out, true);
}

static void write_disclosure(const struct bst_manifest *manifest, struct bst_buf *out)
{
    char identifier[BST_HASH_NAME_LEN];
    bool named = manifest->model_name != NULL;
    bst_cbor_map(out, named ? 3 : 1);
    if (named) bst_cbor_pair(out, "modelName", manifest->model_name);
    bst_cbor_pair(out, "modelType", manifest->opened != NULL ? "c2pa.types.model" : "c2pa.types.model.onnx");
    if (!named) return;
    bst_hash_name(manifest->model_sha256, identifier);
    bst_cbor_pair(out, "modelIdentifier", identifier);
}

static void write_receipt(const struct bst_manifest *manifest, struct bst_buf *out)
{
    /* Who signed the statement is told only where it is not who signs the claim. */
    bool other = manifest->author_key != NULL && manifest->signer->evp != NULL;
    bst_cbor_map(out, other ? 4 : 3);
    if (other) {
        bst_cbor_text(out, "key");
        bst_cbor_bytes(out, manifest->author_key, BST_KEY_LEN);
    }
    bst_cbor_pair(out, "log", manifest->log_vkey);
    bst_cbor_text(out, "proof");
    bst_cbor_textn(out, manifest->proof, manifest->proof_len);
    bst_cbor_text(out, "envelope");
    bst_cbor_textn(out, manifest->envelope, manifest->envelope_len);
}

/* CAWG's training and data mining assertion 1.1: the entries that metadata of the same option speak of too. */
static void write_mining(struct bst_buf *out)
{
    static const char *const uses[] = {"cawg.ai_training", "cawg.ai_generative_training"};
    bst_cbor_map(out, 1);
    bst_cbor_text(out, "entries");
    bst_cbor_map(out, sizeof(uses) / sizeof(uses[0]));
    for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
        bst_cbor_text(out, uses[i]);
        bst_cbor_map(out, 1);
        bst_cbor_pair(out, "use", "notAllowed");
    }
}

static void write_data_hash(const struct bst_manifest *manifest, const struct binding *binding,
                            struct bst_buf *out)
{
    static const uint8_t zeros[1];
    bool detached = manifest->opened != NULL && manifest->opened->detached;
    bst_cbor_map(out, detached ? 3 : 4);
    bst_cbor_pair(out, "alg", "sha256");
    bst_cbor_text(out, "pad");
    bst_cbor_bytes(out, zeros, binding->pad);
    bst_cbor_text(out, "hash");
    bst_cbor_bytes(out, binding->sha256, BST_SHA256_LEN);
    if (detached) return;
    bst_cbor_text(out, "exclusions");
    bst_cbor_array(out, 1);
    bst_cbor_map(out, 2);
    bst_cbor_text(out, "start");
    bst_cbor_uint(out, manifest->chunk_start);
    bst_cbor_text(out, "length");
    bst_cbor_uint(out, binding->length);
}

/* The assertion store. The receipt stands first: exif.c relies on where the boxes in front of it begin. */
static void write_assertions(const struct bst_manifest *manifest, const struct binding *binding,
                             struct bst_buf *out, struct bst_written *all)
{
    const struct bst_opened *opened = manifest->opened;
    struct bst_buf content = {0};
    size_t store = bst_jumbf_begin_super(out, BST_TYPE_ASSERTIONS, "c2pa.assertions");
    write_receipt(manifest, &content);
    bst_written_cbor(all, BST_RECEIPT_LABEL, &content, out);
    if (manifest->thumbnail != NULL && manifest->thumbnail->len > 0)
        bst_written_file(all, "c2pa.thumbnail.claim", "image/jpeg", manifest->thumbnail->data,
                         manifest->thumbnail->len, out);
    if (opened != NULL) {
        bst_parent_ingredient(&opened->parent, all, out);
    } else {
        bst_made_ingredients(manifest, all, out);
    }
    content.len = 0;
    write_actions(manifest, all, &content);
    bst_written_cbor(all, "c2pa.actions.v2", &content, out);
    if (opened == NULL || opened->generated) {
        content.len = 0;
        write_disclosure(manifest, &content);
        bst_written_cbor(all, "c2pa.ai-disclosure", &content, out);
    }
    if (manifest->no_train) {
        content.len = 0;
        write_mining(&content);
        bst_written_cbor(all, "cawg.training-mining", &content, out);
    }
    content.len = 0;
    write_data_hash(manifest, binding, &content);
    bst_written_cbor(all, "c2pa.hash.data", &content, out);
    bst_jumbf_end(out, store);
    bst_buf_free(&content);
}

static void write_claim(const struct bst_manifest *manifest, const char *label, const struct bst_written *all,
                        struct bst_buf *out)
{
    char text[160];
    bool titled = manifest->title != NULL;
    bst_cbor_map(out, titled ? 6 : 5);
    bst_cbor_pair(out, "alg", "sha256");
    if (titled) bst_cbor_pair(out, "dc:title", manifest->title);
    snprintf(text, sizeof(text), "self#jumbf=/c2pa/%s/c2pa.signature", label);
    bst_cbor_pair(out, "signature", text);
    snprintf(text, sizeof(text), "xmp.iid:%s", manifest->image_id);
    bst_cbor_pair(out, "instanceID", text);
    bst_cbor_text(out, "created_assertions");
    bst_cbor_array(out, all->count);
    for (size_t i = 0; i < all->count; i++)
        bst_written_link(all, i, out);
    bst_cbor_text(out, "claim_generator_info");
    bst_cbor_map(out, 3);
    bst_cbor_pair(out, "name", BST_CLAIM_GENERATOR);
    bst_cbor_pair(out, "version", BST_VERSION);
    bst_cbor_pair(out, "specVersion", BST_C2PA_SPEC_VERSION);
}

static enum bst_code write_store(const struct bst_manifest *manifest, const char *label,
                                 const struct binding *binding, struct bst_buf *out, struct bst_error *err)
{
    struct bst_written all = {0};
    struct bst_buf claim = {0};
    size_t store = bst_jumbf_begin_super(out, BST_TYPE_STORE, "c2pa");
    const struct bst_parent *parent = manifest->opened != NULL ? &manifest->opened->parent : manifest->input;
    if (parent != NULL) bst_buf_append(out, parent->manifests.data, parent->manifests.len);
    size_t super = bst_jumbf_begin_super(out, BST_TYPE_MANIFEST, label);
    write_assertions(manifest, binding, out, &all);
    if (!out->failed) write_claim(manifest, label, &all, &claim);
    bst_jumbf_leaf(out, BST_TYPE_CLAIM, "c2pa.claim.v2", BST_BOX_CBOR, claim.data, claim.len);
    size_t signature = bst_jumbf_begin_super(out, BST_TYPE_SIGNATURE, "c2pa.signature");
    size_t content = bst_jumbf_begin(out, BST_BOX_CBOR);
    enum bst_code code = claim.failed || out->failed ? bst_fail_memory(err)
                                                     : bst_cose_sign(manifest->signer, claim.data, claim.len,
                                                                     manifest->signer->room, out, err);
    bst_jumbf_end(out, content);
    bst_jumbf_end(out, signature);
    bst_jumbf_end(out, super);
    bst_jumbf_end(out, store);
    bst_buf_free(&claim);
    return code == BST_OK && out->failed ? bst_fail_memory(err) : code;
}

/* The signature stands: others may now say when it was made. A time stamp authority that fails spoils nothing. */
static enum bst_code witness(const struct bst_manifest *manifest, struct bst_buf *out, size_t begin,
                             struct bst_error *err)
{
    struct bst_error problem = {0};
    if (bst_c2pa_witness(out->data + begin, out->len - begin, manifest->signer, &problem) == BST_OK)
        return BST_OK;
    *(manifest->unstamped == NULL ? err : manifest->unstamped) = problem;
    return manifest->unstamped == NULL ? problem.code : BST_OK;
}

static uint64_t place_of(const struct bst_manifest *manifest, size_t store_len)
{
    const struct bst_opened *opened = manifest->opened;
    return opened == NULL ? store_len + manifest->chunk_overhead
                          : bst_place_length(opened->format, store_len);
}

enum bst_code bst_c2pa_write(const struct bst_manifest *manifest, struct bst_buf *out, struct bst_error *err)
{
    const struct bst_opened *opened = manifest->opened;
    bool even = opened != NULL && opened->format == BST_FORMAT_WEBP; /* a chunk needs no padding then */
    char uuid[BST_UUID_LEN], label[64];
    bst_uuid4(uuid);
    snprintf(label, sizeof(label), "urn:c2pa:%s", uuid);
    /* The data hash states the length of the store's place, and how many bytes that number takes changes the length:
     * write again until it fits. The length only grows from round to round, by at most 8 bytes. */
    struct binding binding = {0};
    bool digested = opened == NULL || opened->digest == NULL;
    if (digested) memcpy(binding.sha256, manifest->file_sha256, BST_SHA256_LEN);
    size_t begin = out->len;
    for (;;) {
        enum bst_code code = write_store(manifest, label, &binding, out, err);
        if (code != BST_OK) return code;
        size_t store_len = out->len - begin;
        bool fits = place_of(manifest, store_len) == binding.length && !(even && store_len % 2 == 1);
        if (fits && digested) return witness(manifest, out, begin, err);
        if (fits) { /* the digest depends on the length, not the other way round */
            code = opened->digest(opened->digest_arg, store_len, binding.sha256, err);
            if (code != BST_OK) return code;
            digested = true;
        } else if (even && store_len % 2 == 1) {
            binding.pad = 1 - binding.pad;
            binding.length = 0;
        } else {
            binding.length = place_of(manifest, store_len);
        }
        out->len = begin;
    }
}
