/* c2pa_parent.c - what a manifest says of an earlier picture that this one was made from, one that was opened or one that a
 * model started from: the ingredient, with the credentials that it came with and what was found about them (C2PA 2.4,
 * 18.16). */
#include "c2pa.h"

#include <stdlib.h>
#include <string.h>

/* ---- validationResults ---- */

static size_t count(const struct bst_c2pa *c2pa, enum bst_status_kind kind, const char *ingredient)
{
    size_t n = 0;
    for (size_t i = 0; i < c2pa->status_count; i++)
        n += c2pa->statuses[i].kind == kind && strcmp(c2pa->statuses[i].ingredient, ingredient) == 0;
    return n;
}

/* The statuses of one manifest of the store: the active one's with "", else those that an ingredient led to. */
static void write_statuses(const struct bst_c2pa *c2pa, const char *ingredient, struct bst_buf *out)
{
    static const struct {
        const char *key;
        enum bst_status_kind kind;
    } kinds[] = {
        {"failure", BST_STATUS_FAILURE}, {"success", BST_STATUS_SUCCESS}, {"informational", BST_STATUS_INFO}};
    bst_cbor_map(out, 3);
    for (size_t k = 0; k < 3; k++) {
        bst_cbor_text(out, kinds[k].key);
        bst_cbor_array(out, count(c2pa, kinds[k].kind, ingredient));
        for (size_t i = 0; i < c2pa->status_count; i++) {
            const struct bst_status *status = &c2pa->statuses[i];
            if (status->kind != kinds[k].kind || strcmp(status->ingredient, ingredient) != 0) continue;
            bool placed = status->url[0] != 0;
            char *words = bst_printable(status->words, strlen(status->words));
            bst_cbor_map(out, placed ? 3 : 2);
            if (placed) bst_cbor_pair(out, "url", status->url);
            bst_cbor_pair(out, "code", status->code);
            bst_cbor_pair(out, "explanation", words == NULL ? "" : words);
            out->failed = out->failed || words == NULL;
            free(words);
        }
    }
}

/* Is this the first status that an ingredient assertion led to? */
static bool is_first(const struct bst_c2pa *c2pa, size_t i)
{
    if (c2pa->statuses[i].ingredient[0] == 0) return false;
    for (size_t k = 0; k < i; k++) {
        if (strcmp(c2pa->statuses[k].ingredient, c2pa->statuses[i].ingredient) == 0) return false;
    }
    return true;
}

static void write_results(const struct bst_c2pa *c2pa, struct bst_buf *out)
{
    size_t deltas = 0;
    for (size_t i = 0; i < c2pa->status_count; i++)
        deltas += is_first(c2pa, i);
    bst_cbor_map(out, deltas > 0 ? 2 : 1);
    bst_cbor_text(out, "activeManifest");
    write_statuses(c2pa, "", out);
    if (deltas == 0) return;
    bst_cbor_text(out, "ingredientDeltas");
    bst_cbor_array(out, deltas);
    for (size_t i = 0; i < c2pa->status_count; i++) {
        if (!is_first(c2pa, i)) continue;
        bst_cbor_map(out, 2);
        bst_cbor_text(out, "validationDeltas");
        write_statuses(c2pa, c2pa->statuses[i].ingredient, out);
        bst_cbor_pair(out, "ingredientAssertionURI", c2pa->statuses[i].ingredient);
    }
}

/* ---- the assertion ---- */

static void write_link(const char *label, const char *tail, const uint8_t sha256[static BST_SHA256_LEN],
                       struct bst_buf *out)
{
    char *url = bst_format("self#jumbf=/c2pa/%s%s", label, tail);
    bst_c2pa_link(out, url == NULL ? "" : url, sha256);
    out->failed = out->failed || url == NULL;
    free(url);
}

static void write_name(const struct bst_parent *parent, struct bst_buf *out)
{
    char name[BST_HASH_NAME_LEN];
    if (parent->sha256 != NULL) {
        bst_hash_name(parent->sha256, name);
        bst_cbor_pair(out, "instanceID", name);
    }
    if (parent->problem != NULL) bst_cbor_pair(out, "description", parent->problem);
}

void bst_parent_ingredient(const struct bst_parent *parent, struct bst_written *all, struct bst_buf *out)
{
    const struct bst_c2pa *c2pa = parent->c2pa;
    struct bst_buf content = {0};
    /* digitalSourceType and activeManifest exclude each other: the manifest says it better */
    bool sourced = c2pa == NULL && parent->source_type != NULL;
    bool kept = parent->name.words == NULL && parent->name.commitment[0] != 0;
    bool thumbnail = parent->thumbnail.len > 0;
    size_t picture = thumbnail ? bst_written_file(all, "c2pa.thumbnail.ingredient", "image/jpeg",
                                                  parent->thumbnail.data, parent->thumbnail.len, out)
                               : 0;
    size_t named = kept ? 2 : (size_t)(parent->sha256 != NULL) + (size_t)(parent->problem != NULL);
    bst_cbor_map(&content, 1 + (size_t)(parent->name.words != NULL) + (size_t)(parent->media_type != NULL) +
                               (size_t)thumbnail + named + (size_t)sourced +
                               (c2pa == NULL ? 0 : 2 + (size_t)parent->has_signature));
    if (parent->name.words != NULL) bst_cbor_pair(&content, "dc:title", parent->name.words);
    if (parent->media_type != NULL) bst_cbor_pair(&content, "dc:format", parent->media_type);
    if (thumbnail) {
        bst_cbor_text(&content, "thumbnail");
        bst_written_link(all, picture, &content);
    }
    if (kept) {
        bst_word_commitment(&parent->name, &content);
    } else {
        write_name(parent, &content);
    }
    bst_cbor_pair(&content, "relationship", parent->relationship);
    if (c2pa != NULL) {
        bst_cbor_text(&content, "activeManifest");
        write_link(c2pa->label, "", parent->manifest_sha256, &content);
    }
    if (c2pa != NULL && parent->has_signature) {
        bst_cbor_text(&content, "claimSignature");
        write_link(c2pa->label, "/c2pa.signature", parent->signature_sha256, &content);
    }
    if (sourced) bst_cbor_pair(&content, "digitalSourceType", parent->source_type);
    if (c2pa != NULL) {
        bst_cbor_text(&content, "validationResults");
        write_results(c2pa, &content);
    }
    all->ingredient[bst_written_cbor(all, BST_INGREDIENT_LABEL, &content, out)] = true;
    bst_buf_free(&content);
}

/* ---- the parent's boxes ---- */

static void box_sha256(const struct bst_jumbf *store, const struct bst_jumbf_box *box,
                       uint8_t out[static BST_SHA256_LEN])
{
    bst_sha256(store->bytes + box->data, box->data_len, out);
}

enum bst_code bst_parent_take(struct bst_parent *parent, const struct bst_c2pa *c2pa, struct bst_error *err)
{
    struct bst_jumbf store;
    enum bst_code code = bst_jumbf_parse(c2pa->store.data, c2pa->store.len, &store, err);
    if (code != BST_OK) return code;
    for (size_t i = store.boxes[0].first_child; i != 0; i = store.boxes[i].next) {
        const struct bst_jumbf_box *box = &store.boxes[i];
        uint32_t type = box->content_type;
        if (type == BST_TYPE_MANIFEST || type == BST_TYPE_UPDATE || type == BST_TYPE_COMPRESSED)
            bst_buf_append(&parent->manifests, store.bytes + box->start, box->len);
    }
    const struct bst_jumbf_box *active = bst_jumbf_child(&store, &store.boxes[0], c2pa->label);
    const struct bst_jumbf_box *signature =
        active == NULL ? NULL : bst_jumbf_child(&store, active, "c2pa.signature");
    if (active == NULL) {
        code = bst_fail(err, BST_BROKEN, "the file's own manifest cannot be found in its store");
    } else if (parent->manifests.failed) {
        code = bst_fail_memory(err);
    } else {
        parent->c2pa = c2pa;
        box_sha256(&store, active, parent->manifest_sha256);
        parent->has_signature = signature != NULL;
        if (signature != NULL) box_sha256(&store, signature, parent->signature_sha256);
    }
    bst_jumbf_clear(&store);
    return code;
}

void bst_parent_clear(struct bst_parent *parent)
{
    bst_buf_free(&parent->manifests);
    bst_buf_free(&parent->thumbnail);
}
