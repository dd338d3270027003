/* c2pa_hash.c - is the manifest bound to the bytes of this file? c2pa.hash.data, and which manifest's binding counts
 * (C2PA 2.4, 15.12). */
#include "c2pa.h"
#include "container.h"

#include <stdlib.h>
#include <string.h>

#define EXCLUSIONS_MAX 4096

/* ---- which binding ---- */

/* Of a claim of version 2 only what its signer made himself binds. */
static struct bst_assertion *binding_of(const struct bst_claim *claim, size_t *count)
{
    struct bst_assertion *found = NULL;
    *count = 0;
    for (size_t i = 0; i < claim->count; i++) {
        struct bst_assertion *assertion = &claim->assertions[i];
        if (!bst_is_hard_binding(assertion->label) || assertion->list != BST_CREATED) continue;
        if (found == NULL) found = assertion;
        ++*count;
    }
    return found;
}

static struct bst_claim *parent_of(const struct bst_judge *judge, const struct bst_claim *claim)
{
    for (size_t i = 0; i < claim->count; i++) {
        struct bst_ingredient ingredient;
        if (!bst_is_ingredient(&claim->assertions[i]) ||
            bst_ingredient_read(claim, &claim->assertions[i], &ingredient) != NULL ||
            ingredient.relation != BST_PARENT_OF || ingredient.link == NULL)
            continue;
        return bst_store_claim_at(judge, ingredient.manifest.uri, ingredient.manifest.uri_len);
    }
    return NULL;
}

/* The manifest that is bound to the file. An update has no binding of its own: that of the one it updates counts. */
static struct bst_claim *binding_claim(struct bst_judge *judge)
{
    struct bst_claim *claim = judge->active;
    for (size_t i = 0; claim != NULL && claim->update && i < BST_GENERATIONS; i++) {
        claim = parent_of(judge, claim);
    }
    return claim != NULL && claim->update ? NULL : claim;
}

/* ---- c2pa.hash.data ---- */

struct exclusions {
    size_t count;
    struct bst_range *range;
};

static const char *read_exclusions(cbor_item_t *content, struct exclusions *out)
{
    cbor_item_t *list = bst_cbor_get(content, "exclusions");
    if (list == NULL) return NULL;
    if (!cbor_isa_array(list)) return "exclusions is no array";
    if (cbor_array_size(list) > EXCLUSIONS_MAX) return "more exclusions than this version reads";
    out->range = bst_calloc(cbor_array_size(list) + 1, sizeof(*out->range));
    if (out->range == NULL) return "out of memory";
    for (size_t i = 0; i < cbor_array_size(list); i++) {
        cbor_item_t *item = cbor_array_handle(list)[i];
        struct bst_range *range = &out->range[out->count++];
        if (!bst_cbor_get_uint(bst_cbor_get(item, "start"), &range->start) ||
            !bst_cbor_get_uint(bst_cbor_get(item, "length"), &range->length))
            return "an exclusion without start and length";
        if (range->length > UINT64_MAX - range->start) return "an exclusion too long for any file";
    }
    return NULL;
}

/* An update made the store longer since the binding was signed: its exclusion grows, and those behind move. */
static void adjust_to_update(const struct bst_judge *judge, struct exclusions *exclusions)
{
    const struct bst_range real = judge->container->manifest;
    uint64_t grown = 0;
    for (size_t i = 0; i < exclusions->count; i++) {
        struct bst_range *range = &exclusions->range[i];
        if (grown == 0 && range->start == real.start && range->length < real.length) {
            grown = real.length - range->length;
            range->length = real.length;
        } else if (range->start > real.start && range->start <= UINT64_MAX - grown - range->length) {
            range->start += grown;
        }
    }
}

static const char *order_problem(const struct exclusions *exclusions)
{
    uint64_t end = 0;
    for (size_t i = 0; i < exclusions->count; i++) {
        if (exclusions->range[i].start < end) return "the exclusions overlap or are not in order";
        end = exclusions->range[i].start + exclusions->range[i].length;
    }
    return NULL;
}

/* One exclusion must be the manifest's real place, neither wider nor shifted, or bytes beside it would go
 * unprotected. A store that stands elsewhere excludes nothing. */
static bool place_fits(const struct bst_judge *judge, const struct exclusions *exclusions)
{
    bool any = false, real = false;
    for (size_t i = 0; i < exclusions->count; i++) {
        const struct bst_range *range = &exclusions->range[i];
        any = any || range->length > 0;
        real = real || (range->start == judge->container->manifest.start &&
                        range->length == judge->container->manifest.length);
    }
    return !any || (real && !judge->detached);
}

static enum bst_code compare(struct bst_judge *judge, const struct exclusions *exclusions,
                             const struct bst_hashed_uri *want, const char *url, struct bst_error *err)
{
    static const char mismatch[] = "assertion.dataHash.mismatch";
    struct bst_c2pa *out = judge->out;
    uint8_t have[64];
    size_t have_len;
    const struct bst_range *last = exclusions->count == 0 ? NULL : &exclusions->range[exclusions->count - 1];
    if (!bst_hash_known(want->alg)) {
        bst_judge_fail(judge, mismatch, url, "an unknown digest algorithm");
        return BST_OK;
    }
    if (last != NULL && last->start + last->length > judge->container->size) {
        bst_judge_fail(judge, mismatch, url, "an exclusion lies behind the end of the file");
        return BST_OK;
    }
    enum bst_code code = bst_container_hash(judge->path, exclusions->range, exclusions->count, want->alg,
                                            have, &have_len, err);
    if (code != BST_OK) return code;
    /* without its manifest a WebP file has another length in its head, which is digested too */
    if (exclusions->count == 1 && strcmp(want->alg, "sha256") == 0 && place_fits(judge, exclusions) &&
        last->length > 0 && judge->container->format != BST_FORMAT_WEBP) {
        out->has_file_sha256 = true;
        memcpy(out->file_sha256, have, sizeof(out->file_sha256));
    }
    if (have_len != want->hash_len || memcmp(have, want->hash, have_len) != 0) {
        bst_judge_fail(judge, mismatch, url,
                       "the file's bytes are not those that were signed: it was altered afterwards");
    } else {
        bst_judge_good(judge, "assertion.dataHash.match", url, "the file's bytes are those that were signed");
    }
    return BST_OK;
}

/* hash and pad, and the algorithm; the shape is that of a hashed URI without the URI. */
static bool read_hash(const struct bst_claim *claim, cbor_item_t *content, struct bst_hashed_uri *out)
{
    const uint8_t *bytes;
    size_t len;
    cbor_item_t *pad = bst_cbor_get(content, "pad");
    /* some writers give the padding as an array of numbers */
    return bst_cbor_get_bytes(bst_cbor_get(content, "hash"), &out->hash, &out->hash_len) && pad != NULL &&
           (bst_cbor_get_bytes(pad, &bytes, &len) || cbor_isa_array(pad)) &&
           bst_named_alg(bst_cbor_get(content, "alg"), claim->alg, out->alg);
}

static enum bst_code judge_data(struct bst_judge *judge, const struct bst_claim *claim,
                                const struct bst_assertion *assertion, const char *url, struct bst_error *err)
{
    static const char malformed[] = "assertion.dataHash.malformed",
                      mismatch[] = "assertion.dataHash.mismatch";
    struct exclusions exclusions = {0};
    struct bst_hashed_uri want;
    enum bst_code code = BST_OK;
    const char *problem = read_exclusions(assertion->content, &exclusions);
    if (problem == NULL && judge->active->update) adjust_to_update(judge, &exclusions);
    if (problem == NULL) problem = order_problem(&exclusions);
    if (!read_hash(claim, assertion->content, &want)) problem = "no hash or no pad";
    if (problem != NULL) {
        bst_judge_fail(judge, malformed, url, problem);
    } else if (bst_cbor_get(assertion->content, "url") != NULL) {
        bst_judge_fail(judge, mismatch, url, "the binding is to a file elsewhere");
    } else {
        if (!place_fits(judge, &exclusions))
            bst_judge_fail(
                judge, mismatch, url,
                "the bytes that the binding leaves out are not where the manifest stands in the file");
        if (exclusions.count > 1)
            bst_judge_say(judge, BST_STATUS_INFO, "assertion.dataHash.additionalExclusionsPresent", url,
                          "the signer left further parts of the file unprotected");
        code = compare(judge, &exclusions, &want, url, err);
    }
    free(exclusions.range);
    return code;
}

/* Is the binding of the manifest that was updated the one that its signer made? What the update says of that does not
 * count: or an update, which must leave the picture as it is, could bind another one. */
static bool is_signed_binding(struct bst_claim *claim, struct bst_assertion *binding)
{
    cbor_item_t *list = bst_cbor_get(claim->item, claim->version == 1 ? "assertions" : "created_assertions");
    for (size_t i = 0; i < bst_cbor_count(list); i++) {
        struct bst_hashed_uri want;
        const char *label;
        size_t len;
        if (bst_hashed_uri(cbor_array_handle(list)[i], claim->alg, &want) &&
            bst_uri_assertion(want.uri, want.uri_len, &label, &len) && len == strlen(binding->label) &&
            memcmp(label, binding->label, len) == 0)
            return bst_digest_is(bst_box_digest(claim->jumbf, binding->box, want.alg, binding->digest),
                                 &want);
    }
    return false;
}

enum bst_code bst_judge_binding(struct bst_judge *judge, struct bst_error *err)
{
    size_t count = 0;
    char url[BST_URL];
    judge->claim = judge->active;
    bst_judge_url(judge, "", url);
    if (judge->active->update && binding_of(judge->active, &count) != NULL)
        bst_judge_fail(judge, "manifest.update.invalid", url, "an update has a binding of its own");
    struct bst_claim *claim = binding_claim(judge);
    struct bst_assertion *binding = claim == NULL ? NULL : binding_of(claim, &count);
    if (binding == NULL) {
        bst_judge_fail(judge, "claim.hardBindings.missing", url, "nothing binds the manifest to the file");
        return BST_OK;
    }
    if (count > 1) bst_judge_fail(judge, "assertion.multipleHardBindings", url, "two bindings to the file");
    bst_assertion_url(claim, binding, url);
    if (claim != judge->active && !is_signed_binding(claim, binding))
        bst_judge_fail(judge, "assertion.hashedURI.mismatch", url,
                       "the binding of what was updated is not the one signed");
    /* only the first: each would cost a digest of the whole file */
    if (bst_root_is(binding, "c2pa.hash.data")) return judge_data(judge, claim, binding, url, err);
    if (bst_root_is(binding, "c2pa.hash.boxes")) return bst_judge_boxes(judge, claim, binding, url, err);
    if (bst_root_is(binding, "c2pa.hash.bmff")) return bst_judge_bmff(judge, claim, binding, url, err);
    bst_judge_fail(
        judge, "general.error", url,
        "a binding of a kind that this version does not read: the file's bytes could not be compared");
    return BST_OK;
}
