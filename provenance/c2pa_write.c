/* c2pa_write.c - the C2PA 2.4 manifest that a stamped picture carries.
 *
 * Assertions: c2pa.actions.v2 (created, by a trained model), c2pa.ai-disclosure, org.blindstamp.receipt (the
 * signed statement and its proof of being in the ledger) and c2pa.hash.data (the hard binding to the file's
 * bytes). All CBOR is in core deterministic encoding: map keys are written shortest first, then
 * alphabetically. */
#include "c2pa.h"

#include <string.h>

#define ASSERTIONS 4
/* The receipt stands first: exif.c relies on where the boxes in front of it begin. */
static const char *const labels[ASSERTIONS] = {BST_RECEIPT_LABEL, "c2pa.actions.v2", "c2pa.ai-disclosure",
                                               "c2pa.hash.data"};

static void pair(struct bst_buf *out, const char *key, const char *value)
{
    bst_cbor_text(out, key);
    bst_cbor_text(out, value);
}

static void write_actions(const struct bst_manifest *manifest, struct bst_buf *out)
{
    bst_cbor_map(out, 2);
    bst_cbor_text(out, "actions");
    bst_cbor_array(out, 1);
    bst_cbor_map(out, 4);
    bst_cbor_text(out, "when");
    bst_cbor_tag(out, 0);
    bst_cbor_text(out, manifest->when);
    pair(out, "action", "c2pa.created");
    bst_cbor_text(out, "softwareAgent");
    bst_cbor_map(out, 2);
    pair(out, "name", BST_CLAIM_GENERATOR);
    pair(out, "version", BST_VERSION);
    pair(out, "digitalSourceType", manifest->source_type);
    bst_cbor_text(out, "allActionsIncluded");
    bst_cbor_bool(out, true);
}

static void write_disclosure(const struct bst_manifest *manifest, struct bst_buf *out)
{
    char identifier[sizeof("nih:sha-256;") + BST_SHA256_HEX] = "nih:sha-256;"; /* RFC 6920, 7 */
    bool named = manifest->model_name != NULL;
    bst_cbor_map(out, named ? 3 : 1);
    if (named) pair(out, "modelName", manifest->model_name);
    pair(out, "modelType", "c2pa.types.model.onnx");
    if (!named) return;
    bst_hex(manifest->model_sha256, BST_SHA256_LEN, identifier + strlen(identifier));
    pair(out, "modelIdentifier", identifier);
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
    pair(out, "log", manifest->log_vkey);
    bst_cbor_text(out, "proof");
    bst_cbor_textn(out, manifest->proof, manifest->proof_len);
    bst_cbor_text(out, "envelope");
    bst_cbor_textn(out, manifest->envelope, manifest->envelope_len);
}

static void write_data_hash(const struct bst_manifest *manifest, uint64_t chunk_len, struct bst_buf *out)
{
    bst_cbor_map(out, 4);
    pair(out, "alg", "sha256");
    bst_cbor_text(out, "pad");
    bst_cbor_bytes(out, "", 0);
    bst_cbor_text(out, "hash");
    bst_cbor_bytes(out, manifest->file_sha256, BST_SHA256_LEN);
    bst_cbor_text(out, "exclusions");
    bst_cbor_array(out, 1);
    bst_cbor_map(out, 2);
    bst_cbor_text(out, "start");
    bst_cbor_uint(out, manifest->chunk_start);
    bst_cbor_text(out, "length");
    bst_cbor_uint(out, chunk_len);
}

/* The assertion store; digests[i] is what the claim's hashed URI to assertion i must hold. */
static void write_assertions(const struct bst_manifest *manifest, uint64_t chunk_len, struct bst_buf *out,
                             uint8_t digests[ASSERTIONS][BST_SHA256_LEN])
{
    size_t store = bst_jumbf_begin_super(out, BST_TYPE_ASSERTIONS, "c2pa.assertions");
    for (size_t i = 0; i < ASSERTIONS; i++) {
        size_t super = bst_jumbf_begin_super(out, BST_BOX_CBOR, labels[i]);
        size_t content = bst_jumbf_begin(out, BST_BOX_CBOR);
        if (i == 0) write_receipt(manifest, out);
        if (i == 1) write_actions(manifest, out);
        if (i == 2) write_disclosure(manifest, out);
        if (i == 3) write_data_hash(manifest, chunk_len, out);
        bst_jumbf_end(out, content);
        bst_jumbf_end(out, super);
        if (!out->failed) bst_sha256(out->data + super + 8, out->len - super - 8, digests[i]);
    }
    bst_jumbf_end(out, store);
}

static void write_claim(const struct bst_manifest *manifest, const char *label,
                        uint8_t digests[ASSERTIONS][BST_SHA256_LEN], struct bst_buf *out)
{
    char text[160];
    bool titled = manifest->title != NULL;
    bst_cbor_map(out, titled ? 6 : 5);
    pair(out, "alg", "sha256");
    if (titled) pair(out, "dc:title", manifest->title);
    snprintf(text, sizeof(text), "self#jumbf=/c2pa/%s/c2pa.signature", label);
    pair(out, "signature", text);
    snprintf(text, sizeof(text), "xmp.iid:%s", manifest->image_id);
    pair(out, "instanceID", text);
    bst_cbor_text(out, "created_assertions");
    bst_cbor_array(out, ASSERTIONS);
    for (size_t i = 0; i < ASSERTIONS; i++) {
        bst_cbor_map(out, 2);
        snprintf(text, sizeof(text), "self#jumbf=c2pa.assertions/%s", labels[i]);
        pair(out, "url", text);
        bst_cbor_text(out, "hash");
        bst_cbor_bytes(out, digests[i], BST_SHA256_LEN);
    }
    bst_cbor_text(out, "claim_generator_info");
    bst_cbor_map(out, 3);
    pair(out, "name", BST_CLAIM_GENERATOR);
    pair(out, "version", BST_VERSION);
    pair(out, "specVersion", BST_C2PA_SPEC_VERSION);
}

static enum bst_code write_store(const struct bst_manifest *manifest, const char *label, uint64_t chunk_len,
                                 struct bst_buf *out, struct bst_error *err)
{
    uint8_t digests[ASSERTIONS][BST_SHA256_LEN];
    struct bst_buf claim = {0};
    size_t store = bst_jumbf_begin_super(out, BST_TYPE_STORE, "c2pa");
    size_t super = bst_jumbf_begin_super(out, BST_TYPE_MANIFEST, label);
    write_assertions(manifest, chunk_len, out, digests);
    if (!out->failed) write_claim(manifest, label, digests, &claim);
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

enum bst_code bst_c2pa_write(const struct bst_manifest *manifest, struct bst_buf *out, struct bst_error *err)
{
    char uuid[BST_UUID_LEN], label[64];
    bst_uuid4(uuid);
    snprintf(label, sizeof(label), "urn:c2pa:%s", uuid);
    /* The data hash states the chunk's length, and how many bytes that number takes changes the length: write
     * again until it fits. The length only grows from round to round, by at most 8 bytes. */
    uint64_t chunk_len = 0;
    size_t begin = out->len;
    for (;;) {
        enum bst_code code = write_store(manifest, label, chunk_len, out, err);
        if (code != BST_OK) return code;
        uint64_t made = out->len - begin + manifest->chunk_overhead;
        if (made == chunk_len) return witness(manifest, out, begin, err);
        chunk_len = made;
        out->len = begin;
    }
}
