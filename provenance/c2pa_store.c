/* c2pa_store.c - takes a manifest store apart: its manifests, their claims and assertions (C2PA 2.4, 11). What is
 * wrong with any of them, even one that nobody refers to, is a finding about the store. */
#include "c2pa.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define COMPRESSED_MAX 64 /* manifests */

static const uint8_t redacted_uuid[16] = {0xca, 0xa9, 0x8e, 0xee, 0x9d, 0x4d, 0xf8, 0x0e,
                                          0x86, 0xad, 0x4d, 0xff, 0xca, 0x26, 0x39, 0x73};

/* ---- digests and hashed URIs ---- */

const struct bst_digest *bst_box_digest(const struct bst_jumbf *jumbf, const struct bst_jumbf_box *box,
                                        const char *algorithm, struct bst_digest cache[static 3])
{
    static const char *const names[] = {"sha256", "sha384", "sha512"};
    const EVP_MD *const digests[] = {EVP_sha256(), EVP_sha384(), EVP_sha512()};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(algorithm, names[i]) != 0) continue;
        unsigned made = 0;
        struct bst_digest *digest = &cache[i];
        if (!digest->made && EVP_Digest(jumbf->bytes + box->data, box->data_len, digest->bytes, &made,
                                        digests[i], NULL) == 1) {
            digest->made = true;
            digest->len = made;
        }
        return digest->made ? digest : NULL;
    }
    return NULL;
}

bool bst_named_alg(cbor_item_t *item, const char *fallback, char out[static BST_ALG_LEN])
{
    const char *named = fallback;
    size_t len = strlen(fallback);
    bool is_text = bst_cbor_get_text(item, &named, &len);
    snprintf(out, BST_ALG_LEN, "%.*s", len < BST_ALG_LEN ? (int)len : 0, named);
    return is_text || item == NULL;
}

bool bst_hashed_uri(cbor_item_t *map, const char *alg, struct bst_hashed_uri *out)
{
    return bst_cbor_get_text(bst_cbor_get(map, "url"), &out->uri, &out->uri_len) &&
           bst_cbor_get_bytes(bst_cbor_get(map, "hash"), &out->hash, &out->hash_len) &&
           bst_named_alg(bst_cbor_optional(map, "alg"), alg, out->alg);
}

bool bst_digest_is(const struct bst_digest *digest, const struct bst_hashed_uri *want)
{
    return digest != NULL && digest->len == want->hash_len &&
           memcmp(digest->bytes, want->hash, digest->len) == 0;
}

/* ---- finding ---- */

struct bst_claim *bst_store_claim(const struct bst_judge *judge, const char *label, size_t len)
{
    for (size_t i = judge->count; i > 0; i--) {
        struct bst_claim *claim = &judge->claims[i - 1];
        if (claim->item != NULL && strlen(claim->label) == len && memcmp(claim->label, label, len) == 0)
            return claim;
    }
    return NULL;
}

struct bst_claim *bst_store_claim_at(const struct bst_judge *judge, const char *uri, size_t len)
{
    const char *label;
    size_t label_len;
    if (!bst_uri_manifest(uri, len, &label, &label_len)) return NULL;
    return bst_store_claim(judge, label, label_len);
}

struct bst_assertion *bst_claim_assertion(const struct bst_claim *claim, const char *label, size_t len)
{
    for (size_t i = 0; i < claim->count; i++) {
        const char *have = claim->assertions[i].label;
        if (strlen(have) == len && memcmp(have, label, len) == 0) return &claim->assertions[i];
    }
    return NULL;
}

bool bst_assertion_is_empty(const struct bst_assertion *assertion)
{
    for (size_t i = 0; i < assertion->data_len; i++) {
        if (assertion->data[i] != 0) return false;
    }
    return true;
}

/* ---- assertions ---- */

/* Those that a rule speaks of; the rest is checked and not kept. */
static bool has_meaning(const struct bst_assertion *assertion)
{
    static const char *const roots[] = {
        "c2pa.actions",    "c2pa.ingredient",         "c2pa.hash.data",
        "c2pa.hash.boxes", "c2pa.hash.bmff",          "c2pa.soft-binding",
        "c2pa.cloud-data", "cawg.identity",           "c2pa.external-reference",
        "c2pa.time-stamp", "c2pa.certificate-status", BST_RECEIPT_LABEL};
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        if (bst_root_is(assertion, roots[i])) return true;
    }
    return false;
}

static void read_cbor(struct bst_judge *judge, struct bst_claim *claim, struct bst_assertion *assertion,
                      const char *url)
{
    struct bst_error err;
    size_t items;
    enum bst_code code = bst_cbor_check(assertion->data, assertion->data_len, &items, &err);
    if (code == BST_OK && has_meaning(assertion)) {
        judge->items += items;
        claim->items += items;
        if (judge->items > BST_STORE_ITEMS) {
            bst_judge_fail(judge, "general.error", url, "the store holds more than this version reads");
            return;
        }
        code = bst_cbor_parse(assertion->data, assertion->data_len, &assertion->content, &err);
        if (code != BST_OK) assertion->content = NULL;
    }
    if (code != BST_OK) bst_judge_fail(judge, "assertion.cbor.invalid", url, err.what);
}

static void read_json(struct bst_judge *judge, const struct bst_assertion *assertion, const char *url)
{
    struct bst_error err;
    json_t *value;
    if (bst_json_parse((const char *)assertion->data, assertion->data_len, &value, &err) == BST_OK) {
        json_decref(value);
    } else {
        bst_judge_fail(judge, "assertion.json.invalid", url, err.what);
    }
}

static void read_uuid(struct bst_judge *judge, struct bst_assertion *assertion, const char *url)
{
    if (assertion->data_len < 16) {
        bst_judge_fail(judge, "general.error", url, "a UUID box is too short");
        return;
    }
    bool redacted = memcmp(assertion->data, redacted_uuid, 16) == 0;
    assertion->data += 16;
    assertion->data_len -= 16;
    if (redacted && !bst_assertion_is_empty(assertion))
        bst_judge_fail(judge, "assertion.notRedacted", url,
                       "an assertion is called removed, but is not empty");
}

/* The content box of the type that the assertion's own type asks for; of an embedded file the second. */
static const struct bst_jumbf_box *content_of(const struct bst_claim *claim, const struct bst_jumbf_box *box)
{
    const struct bst_jumbf_box *boxes = claim->jumbf->boxes;
    const struct bst_jumbf_box *content = box->first_child == 0 ? NULL : &boxes[box->first_child];
    if (content != NULL && box->content_type == BST_TYPE_FILE) {
        content = content->type == BST_BOX_BFDB && content->next != 0 ? &boxes[content->next] : NULL;
        return content != NULL && content->type == BST_BOX_BIDB && content->next == 0 ? content : NULL;
    }
    return content != NULL && content->type == box->content_type ? content : NULL;
}

static void read_assertion(struct bst_judge *judge, struct bst_claim *claim, const struct bst_jumbf_box *box)
{
    char url[BST_URL];
    struct bst_assertion *assertion = &claim->assertions[claim->count++];
    assertion->box = box;
    bst_label_parse(box->label, assertion);
    bst_assertion_url(claim, assertion, url);
    const struct bst_jumbf_box *content = content_of(claim, box);
    if (content == NULL) {
        bst_judge_fail(judge, "general.error", url, "an assertion whose box holds nothing that can be read");
        return;
    }
    assertion->data = claim->jumbf->bytes + content->data;
    assertion->data_len = content->data_len;
    if (box->content_type == BST_BOX_CBOR) {
        read_cbor(judge, claim, assertion, url);
    } else if (box->content_type == BST_BOX_JSON) {
        read_json(judge, assertion, url);
    } else if (box->content_type == BST_BOX_UUID) {
        read_uuid(judge, assertion, url);
    }
}

static bool read_assertions(struct bst_judge *judge, struct bst_claim *claim,
                            const struct bst_jumbf_box *store, const char *url)
{
    size_t count = 0;
    for (size_t i = store->first_child; i != 0; i = claim->jumbf->boxes[i].next) {
        if (++count <= BST_LISTED_MAX && claim->jumbf->boxes[i].label != NULL) continue;
        bst_judge_fail(judge, "claim.malformed", url,
                       "a box that is no assertion stands among them, or there are too many");
        return false;
    }
    claim->assertions = bst_calloc(count + 1, sizeof(*claim->assertions));
    if (claim->assertions == NULL) {
        judge->failed_memory = true;
        return false;
    }
    for (size_t i = store->first_child; i != 0; i = claim->jumbf->boxes[i].next) {
        read_assertion(judge, claim, &claim->jumbf->boxes[i]);
    }
    return true;
}

/* ---- claims ---- */

/* Marks what a list of the claim names; false when it is no list of hashed URIs. */
static bool mark_listed(struct bst_claim *claim, const char *key, enum bst_list list)
{
    struct bst_hashed_uri want;
    const char *label;
    size_t len;
    cbor_item_t *array = bst_cbor_get(claim->item, key);
    if (array == NULL || !cbor_isa_array(array) || cbor_array_size(array) > BST_LISTED_MAX) return false;
    for (size_t i = 0; i < cbor_array_size(array); i++) {
        if (!bst_hashed_uri(cbor_array_handle(array)[i], claim->alg, &want)) return false;
        bst_uri_last(want.uri, want.uri_len, &label, &len);
        struct bst_assertion *assertion = bst_claim_assertion(claim, label, len);
        if (assertion != NULL && assertion->list == BST_UNLISTED) assertion->list = list;
    }
    return true;
}

/* Version 1 knows these keys and no others. */
static const char *version_1_problem(cbor_item_t *item)
{
    static const char *const keys[] = {"claim_generator",
                                       "claim_generator_hints",
                                       "claim_generator_info",
                                       "signature",
                                       "assertions",
                                       "dc:format",
                                       "instanceID",
                                       "dc:title",
                                       "redacted_assertions",
                                       "alg",
                                       "alg_soft",
                                       "metadata"};
    if (!bst_cbor_has_text(item, "claim_generator")) return "a claim of version 1 without claim_generator";
    if (!bst_cbor_has_text(item, "dc:format")) return "a claim of version 1 without dc:format";
    struct cbor_pair *pair = cbor_map_handle(item);
    for (size_t i = 0; i < cbor_map_size(item); i++) {
        bool known = false;
        for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
            known = known || bst_cbor_is(pair[i].key, keys[k]);
        }
        if (!known) return "a claim of version 1 with a key that version does not know";
    }
    return NULL;
}

static const char *claim_problem(struct bst_claim *claim)
{
    const char *text;
    size_t len;
    cbor_item_t *item = claim->item;
    if (!cbor_isa_map(item)) return "the claim is no map";
    bool v1 = bst_cbor_get(item, "assertions") != NULL, v2 = bst_cbor_get(item, "created_assertions") != NULL;
    if (v1 == v2) return "the claim is neither of version 1 nor of version 2";
    claim->version = v1 ? 1 : 2;
    if (!bst_cbor_has_text(item, "instanceID")) return "the claim has no instanceID";
    if (!bst_cbor_has_text(item, "signature")) return "the claim does not name its signature";
    if (v1 && version_1_problem(item) != NULL) return version_1_problem(item);
    if (v2 &&
        !bst_cbor_get_text(bst_cbor_get(bst_cbor_get(item, "claim_generator_info"), "name"), &text, &len))
        return "the claim does not name its generator";
    cbor_item_t *alg = bst_cbor_get(item, "alg");
    if (alg == NULL || !bst_named_alg(alg, "", claim->alg)) return "";
    if (!mark_listed(claim, v1 ? "assertions" : "created_assertions", BST_CREATED) ||
        (v2 && bst_cbor_get(item, "gathered_assertions") != NULL &&
         !mark_listed(claim, "gathered_assertions", BST_GATHERED)))
        return "a list of assertions without addresses or digests, or longer than this version reads";
    return NULL;
}

static bool read_claim(struct bst_judge *judge, struct bst_claim *claim, const char *url)
{
    struct bst_error err;
    size_t items = 0;
    const uint8_t *data = claim->jumbf->bytes + claim->body->data;
    if (bst_cbor_check(data, claim->body->data_len, &items, &err) != BST_OK ||
        bst_cbor_parse(data, claim->body->data_len, &claim->item, &err) != BST_OK) {
        claim->item = NULL;
        bst_judge_fail(judge, "claim.cbor.invalid", url, err.what);
        return false;
    }
    judge->items += items;
    claim->items += items;
    const char *problem = judge->items > BST_STORE_ITEMS || claim->body->data_len > BST_CLAIM_MAX
                              ? "the store holds more than this version reads"
                              : claim_problem(claim);
    if (problem == NULL) return true;
    if (problem[0] == 0) {
        bst_judge_fail(judge, "algorithm.unsupported", url, "the claim names no digest algorithm");
    } else {
        bst_judge_fail(judge, "claim.malformed", url, problem);
    }
    cbor_decref(&claim->item);
    claim->item = NULL;
    return false;
}

/* ---- manifests ---- */

struct parts {
    const struct bst_jumbf_box *claim, *assertions, *credentials, *databoxes;
    bool broken;
};

/* Takes one box of the manifest; each kind may stand there once. */
static void take_part(struct bst_judge *judge, struct bst_claim *claim, const struct bst_jumbf_box *box,
                      struct parts *parts, const char *url)
{
    const struct bst_jumbf_box **slot = box->content_type == BST_TYPE_CLAIM         ? &parts->claim
                                        : box->content_type == BST_TYPE_ASSERTIONS  ? &parts->assertions
                                        : box->content_type == BST_TYPE_SIGNATURE   ? &claim->signature_box
                                        : box->content_type == BST_TYPE_CREDENTIALS ? &parts->credentials
                                        : box->content_type == BST_TYPE_DATABOXES   ? &parts->databoxes
                                                                                    : NULL;
    if (slot == NULL) {
        bst_judge_fail(judge, "claim.multiple", url, "the manifest holds a box that has no place there");
    } else if (*slot != NULL) {
        bst_judge_fail(judge, slot == &parts->claim ? "claim.multiple" : "claim.malformed", url,
                       "the manifest holds two boxes of which there may be one");
        parts->broken = true;
    } else {
        *slot = box;
    }
}

static const char *parts_problem(const struct bst_claim *claim, const struct parts *parts, const char **code)
{
    *code = "claim.missing";
    if (parts->claim == NULL) return "the manifest holds no claim";
    *code = "claimSignature.missing";
    if (claim->signature_box == NULL) return "the manifest holds no signature";
    *code = "claim.malformed";
    if (parts->assertions == NULL || strcmp(parts->assertions->label, "c2pa.assertions") != 0)
        return "the manifest holds no assertions under that name";
    if (strcmp(parts->claim->label, "c2pa.claim") != 0 && strcmp(parts->claim->label, "c2pa.claim.v2") != 0)
        return "a claim of a version that this one does not know";
    if (claim->body == NULL || claim->body->type != BST_BOX_CBOR) return "the claim is not one CBOR box";
    if (claim->signature == NULL || claim->signature->type != BST_BOX_CBOR)
        return "the signature is not one CBOR box";
    return NULL;
}

static void read_manifest(struct bst_judge *judge, struct bst_claim *claim)
{
    struct parts parts = {0};
    char url[BST_URL];
    const char *code;
    bst_claim_url(claim, "", url);
    for (size_t i = claim->box->first_child; i != 0; i = claim->jumbf->boxes[i].next) {
        take_part(judge, claim, &claim->jumbf->boxes[i], &parts, url);
    }
    if (parts.broken) return;
    if (parts.claim != NULL) claim->body = bst_jumbf_content(claim->jumbf, parts.claim);
    if (claim->signature_box != NULL)
        claim->signature = bst_jumbf_content(claim->jumbf, claim->signature_box);
    const char *problem = parts_problem(claim, &parts, &code);
    if (problem != NULL) {
        bst_judge_fail(judge, code, url, problem);
        return;
    }
    if (!read_assertions(judge, claim, parts.assertions, url) || !read_claim(judge, claim, url)) return;
    if (claim->version > 1 && parts.credentials != NULL)
        bst_judge_fail(judge, "claim.malformed", url, "credentials, which version 2 does not know");
}

static void close_claim(struct bst_claim *claim)
{
    for (size_t i = 0; i < claim->count; i++) {
        if (claim->assertions[i].content != NULL) cbor_decref(&claim->assertions[i].content);
    }
    free(claim->assertions);
    if (claim->item != NULL) cbor_decref(&claim->item);
    bst_jumbf_clear(&claim->own);
    bst_buf_free(&claim->inflated);
    *claim = (struct bst_claim){0};
}

/* What the compressed manifests of a store may become, all together. */
struct inflating {
    size_t count, bytes;
};

static const char *inflate(struct bst_judge *judge, struct bst_claim *claim, const struct bst_jumbf_box *brob,
                           struct inflating *all)
{
    if (++all->count > COMPRESSED_MAX) return "there are too many of its kind";
    if (all->bytes == BST_INFLATED_MAX) return "those before it became too large";
    const char *problem = bst_claim_inflate(&judge->store, brob, BST_INFLATED_MAX - all->bytes, claim);
    all->bytes += claim->inflated.len < BST_INFLATED_MAX - all->bytes ? claim->inflated.len
                                                                      : BST_INFLATED_MAX - all->bytes;
    if (problem == NULL) claim->label = claim->box->label;
    return problem;
}

/* Adds the manifest in one box of the store; other kinds of boxes are skipped. */
static void add_manifest(struct bst_judge *judge, const struct bst_jumbf_box *box, struct inflating *all)
{
    struct bst_claim *claim = &judge->claims[judge->count];
    char url[BST_URL];
    const struct bst_jumbf_box *first = box->first_child == 0 ? NULL : &judge->store.boxes[box->first_child];
    claim->jumbf = &judge->store;
    claim->box = box;
    claim->label = box->label;
    bst_claim_url(claim, "", url);
    judge->count++;
    if (first != NULL && first->type == BST_BOX_BROB) {
        const char *problem = inflate(judge, claim, first, all);
        if (problem != NULL) {
            bst_judge_say(judge, BST_STATUS_FAILURE, "manifest.compressed.invalid", url,
                          "a compressed manifest cannot be read: %s", problem);
            return;
        }
    }
    uint32_t type = claim->box->content_type;
    if (type != BST_TYPE_MANIFEST && type != BST_TYPE_UPDATE && type != BST_TYPE_OTHER) {
        close_claim(claim);
        judge->count--;
        return;
    }
    claim->update = type == BST_TYPE_UPDATE;
    read_manifest(judge, claim);
}

enum bst_code bst_store_open(struct bst_judge *judge, struct bst_error *err)
{
    const struct bst_jumbf *store = &judge->store;
    struct inflating all = {0};
    size_t count = 0;
    for (size_t i = store->boxes[0].first_child; i != 0; i = store->boxes[i].next) {
        count++;
    }
    judge->claims = bst_calloc(count + 1, sizeof(*judge->claims));
    if (judge->claims == NULL) return bst_fail_memory(err);
    for (size_t i = store->boxes[0].first_child; i != 0; i = store->boxes[i].next) {
        if (store->boxes[i].label != NULL) add_manifest(judge, &store->boxes[i], &all);
    }
    if (judge->failed_memory) return bst_fail_memory(err);
    if (judge->count == 0) return bst_fail(err, BST_BROKEN, "the C2PA manifest store holds no manifest");
    judge->active = judge->claim = &judge->claims[judge->count - 1];
    return BST_OK;
}

void bst_store_close(struct bst_judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        close_claim(&judge->claims[i]);
    }
    free(judge->claims);
    free(judge->redactions);
    free(judge->edges);
    bst_jumbf_clear(&judge->store);
}
