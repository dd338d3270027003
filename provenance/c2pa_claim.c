/* c2pa_claim.c - judges one manifest of a store: its signature, redactions, updates, and whether its assertions are
 * the ones that were signed (C2PA 2.4, 15.5 to 15.10). Digests and signatures are taken over the bytes as they stand
 * in the file, never over something written again. */
#include "c2pa.h"

#include <string.h>

/* ---- icons ---- */

void bst_judge_icon(struct bst_judge *judge, cbor_item_t *icon)
{
    struct bst_hashed_uri want;
    const char *label;
    size_t len;
    char url[BST_URL];
    struct bst_claim *claim = judge->claim;
    if (!bst_hashed_uri(icon, claim->alg, &want)) return; /* none, or a text: kept elsewhere */
    bst_url_text(want.uri, want.uri_len, url);
    bst_uri_last(want.uri, want.uri_len, &label, &len);
    struct bst_assertion *assertion = bst_claim_assertion(claim, label, len);
    if (assertion == NULL) {
        bst_judge_fail(judge, "assertion.missing", url, "an icon that is named is not there");
    } else if (!bst_digest_is(bst_box_digest(claim->jumbf, assertion->box, want.alg, assertion->digest),
                              &want)) {
        bst_judge_fail(judge, "assertion.hashedURI.mismatch", url, "an icon is not the one that was signed");
    }
}

static void judge_generator(struct bst_judge *judge, const char *url)
{
    const char *text;
    size_t len;
    cbor_item_t *info = bst_cbor_get(judge->claim->item, "claim_generator_info");
    if (info != NULL && cbor_isa_array(info)) {
        for (size_t i = 0; i < cbor_array_size(info); i++) {
            bst_judge_icon(judge, bst_cbor_get(cbor_array_handle(info)[i], "icon"));
        }
        return;
    }
    bst_judge_icon(judge, bst_cbor_get(info, "icon"));
    if (judge->claim->version > 1 && bst_cbor_get_text(bst_cbor_get(info, "name"), &text, &len) && len == 0)
        bst_judge_fail(judge, "claim.malformed", url, "the claim names its generator with an empty text");
}

/* ---- redactions (15.11.3.3.1, 6.8) ---- */

static bool contains(const char *text, size_t len, const char *part)
{
    size_t part_len = strlen(part);
    for (size_t i = 0; i + part_len <= len; i++) {
        if (memcmp(text + i, part, part_len) == 0) return true;
    }
    return false;
}

static void judge_redaction(struct bst_judge *judge, const char *uri, size_t len)
{
    static const char *const bindings[] = {"c2pa.hash.data", "c2pa.hash.boxes", "c2pa.hash.bmff",
                                           "c2pa.hash.collection.data"};
    char url[BST_URL];
    bst_url_text(uri, len, url);
    if (contains(uri, len, judge->claim->label))
        bst_judge_fail(judge, "assertion.selfRedacted", url, "a claim removes an assertion of its own");
    if (contains(uri, len, "c2pa.actions"))
        bst_judge_fail(judge, "assertion.action.redacted", url, "a claim removes actions");
    for (size_t i = 0; i < sizeof(bindings) / sizeof(bindings[0]); i++) {
        if (contains(uri, len, bindings[i]))
            bst_judge_fail(judge, "assertion.hardBinding.redacted", url, "a claim removes a binding");
    }
}

static void judge_redactions(struct bst_judge *judge)
{
    const char *uri;
    size_t len;
    cbor_item_t *list = bst_cbor_get(judge->claim->item, "redacted_assertions");
    for (size_t i = 0; i < bst_cbor_count(list); i++) {
        if (bst_cbor_get_text(cbor_array_handle(list)[i], &uri, &len)) judge_redaction(judge, uri, len);
    }
}

/* Did a later claim, which leads to this one, remove the assertion? */
static bool is_redacted(const struct bst_judge *judge, const char *label, size_t len)
{
    for (size_t i = 0; i < judge->redaction_count; i++) {
        const struct bst_redaction *redaction = &judge->redactions[i];
        if (redaction->counts && redaction->claim == judge->claim && redaction->label_len == len &&
            memcmp(redaction->label, label, len) == 0)
            return true;
    }
    return false;
}

/* ---- updates (11.2.3, 15.11.3.1) ---- */

static void judge_update_actions(struct bst_judge *judge, const char *url)
{
    static const char *const allowed[] = {"c2pa.edited.metadata", "c2pa.opened", "c2pa.published",
                                          "c2pa.redacted"};
    const struct bst_claim *claim = judge->claim;
    for (size_t i = 0; i < claim->count; i++) {
        cbor_item_t *actions = bst_root_is(&claim->assertions[i], "c2pa.actions")
                                   ? bst_cbor_get(claim->assertions[i].content, "actions")
                                   : NULL;
        for (size_t k = 0; k < bst_cbor_count(actions); k++) {
            cbor_item_t *name = bst_cbor_get(cbor_array_handle(actions)[k], "action");
            bool fits = false;
            for (size_t n = 0; n < sizeof(allowed) / sizeof(allowed[0]); n++) {
                fits = fits || bst_cbor_is(name, allowed[n]);
            }
            if (!fits)
                bst_judge_fail(judge, "manifest.update.invalid", url,
                               "an update holds an action that changes the picture");
        }
    }
}

static void judge_parents(struct bst_judge *judge, const char *url)
{
    const struct bst_claim *claim = judge->claim;
    size_t parents = 0;
    for (size_t i = 0; i < claim->count; i++) {
        struct bst_ingredient ingredient;
        if (!bst_is_ingredient(&claim->assertions[i]) ||
            bst_ingredient_read(claim, &claim->assertions[i], &ingredient) != NULL)
            continue;
        bool whole =
            ingredient.link != NULL && (claim->assertions[i].version < 3 || ingredient.signature != NULL);
        parents += whole && ingredient.relation == BST_PARENT_OF;
    }
    if (!claim->update) {
        if (parents > 1)
            bst_judge_fail(judge, "manifest.multipleParents", url, "the picture claims to have two parents");
        return;
    }
    judge_update_actions(judge, url);
    for (size_t i = 0; i < claim->count; i++) {
        if (strncmp(claim->assertions[i].label, "c2pa.thumbnail.claim", 20) == 0)
            bst_judge_fail(judge, "manifest.update.invalid", url, "an update holds a thumbnail");
    }
    if (parents == 0) bst_judge_fail(judge, "manifest.update.wrongParents", url, "an update names no parent");
    if (parents > 1) bst_judge_fail(judge, "manifest.update.invalid", url, "an update names two parents");
}

/* ---- the assertions that the claim lists ---- */

/* Of CBOR and JSON a claim binds one content: what stands behind it would be bound by nobody. */
static bool has_one_content(const struct bst_claim *claim, const struct bst_jumbf_box *box)
{
    return (box->content_type != BST_BOX_CBOR && box->content_type != BST_BOX_JSON) ||
           (box->first_child != 0 && claim->jumbf->boxes[box->first_child].next == 0);
}

static void judge_reference(struct bst_judge *judge, cbor_item_t *reference)
{
    struct bst_claim *claim = judge->claim;
    struct bst_hashed_uri want;
    const char *label, *manifest;
    size_t len, manifest_len;
    char url[BST_URL];
    if (!bst_hashed_uri(reference, claim->alg, &want)) return; /* the store refused it */
    bst_url_absolute(claim->label, want.uri, want.uri_len, url);
    if (bst_uri_manifest(want.uri, want.uri_len, &manifest, &manifest_len) &&
        (strlen(claim->label) != manifest_len || memcmp(claim->label, manifest, manifest_len) != 0)) {
        bst_judge_fail(judge, "assertion.outsideManifest", url,
                       "the claim lists an assertion outside its own manifest");
        return;
    }
    bool named = bst_uri_assertion(want.uri, want.uri_len, &label, &len);
    if (named && is_redacted(judge, label, len)) return;
    struct bst_assertion *assertion = named ? bst_claim_assertion(claim, label, len) : NULL;
    if (assertion == NULL) {
        bst_judge_fail(judge, "assertion.missing", url, "an assertion that the claim lists is not there");
    } else if (!bst_digest_is(bst_box_digest(claim->jumbf, assertion->box, want.alg, assertion->digest),
                              &want)) {
        bst_judge_fail(judge, "assertion.hashedURI.mismatch", url,
                       "an assertion is not the one that was signed");
    } else if (!has_one_content(claim, assertion->box)) {
        bst_judge_fail(judge, "assertion.hashedURI.mismatch", url, "an assertion with more than one content");
    } else {
        bst_judge_good(judge, "assertion.hashedURI.match", url, "the assertion is the one signed");
    }
}

static void judge_references(struct bst_judge *judge, const char *key)
{
    cbor_item_t *list = bst_cbor_get(judge->claim->item, key);
    for (size_t i = 0; i < bst_cbor_count(list); i++) {
        judge_reference(judge, cbor_array_handle(list)[i]);
    }
}

/* Every assertion in the store must be listed by the claim, or it would stand there unprotected. */
static void find_undeclared(struct bst_judge *judge)
{
    const struct bst_claim *claim = judge->claim;
    char url[BST_URL];
    for (size_t i = 0; i < claim->count; i++) {
        bool twice = bst_claim_assertion(claim, claim->assertions[i].label,
                                         strlen(claim->assertions[i].label)) != &claim->assertions[i];
        if (claim->assertions[i].list != BST_UNLISTED && !twice) continue;
        bst_assertion_url(claim, &claim->assertions[i], url);
        if (twice) {
            bst_judge_fail(judge, "assertion.hashedURI.mismatch", url, "two assertions have the same name");
        } else {
            bst_judge_fail(judge, "assertion.undeclared", url, "an assertion that the claim does not list");
        }
    }
}

void bst_judge_claim(struct bst_judge *judge)
{
    char url[BST_URL];
    bst_judge_url(judge, "", url);
    if (judge->claim->version > 1 && !bst_manifest_label_fits(judge->claim->label))
        bst_judge_fail(judge, "claim.malformed", url, "the manifest's label is no URN of C2PA");
    bst_judge_signature(judge);
    judge_generator(judge, url);
    judge_redactions(judge);
    judge_parents(judge, url);
    if (judge->claim->version == 1) {
        judge_references(judge, "assertions");
    } else {
        judge_references(judge, "created_assertions");
        judge_references(judge, "gathered_assertions");
    }
    find_undeclared(judge);
    bst_judge_actions(judge);
    bst_judge_assertions(judge);
}
