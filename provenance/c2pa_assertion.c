/* c2pa_assertion.c - the rules for single assertions of a C2PA manifest (C2PA 2.4, 18). */
#include "c2pa.h"
#include "container.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

bool bst_jumbf_digest(const struct bst_jumbf *jumbf, const struct bst_jumbf_box *box, const char *algorithm,
                      uint8_t out[static 64], size_t *len)
{
    const EVP_MD *md = strcmp(algorithm, "sha256") == 0   ? EVP_sha256()
                       : strcmp(algorithm, "sha384") == 0 ? EVP_sha384()
                       : strcmp(algorithm, "sha512") == 0 ? EVP_sha512()
                                                          : NULL;
    unsigned made = 0;
    if (md == NULL || EVP_Digest(jumbf->bytes + box->data, box->data_len, out, &made, md, NULL) != 1)
        return false;
    *len = made;
    return true;
}

/* ---- c2pa.actions.v2 ---- */

static bool starts_history(cbor_item_t *action)
{
    cbor_item_t *name = bst_cbor_get(action, "action");
    return bst_cbor_is(name, "c2pa.created") || bst_cbor_is(name, "c2pa.opened");
}

static bool needs_ingredients(cbor_item_t *name)
{
    return bst_cbor_is(name, "c2pa.opened") || bst_cbor_is(name, "c2pa.placed") ||
           bst_cbor_is(name, "c2pa.removed");
}

static const char *action_problem(cbor_item_t *action)
{
    const char *text;
    size_t len;
    cbor_item_t *name = bst_cbor_get(action, "action");
    if (!bst_cbor_get_text(name, &text, &len) || len == 0) return "an action without a name";
    if (bst_cbor_is(name, "c2pa.created") &&
        (!bst_cbor_get_text(bst_cbor_get(action, "digitalSourceType"), &text, &len) || len == 0)) {
        return "c2pa.created without digitalSourceType";
    }
    return NULL;
}

void bst_judge_actions(struct bst_judge *judge, cbor_item_t *content, const char *url, bool first)
{
    cbor_item_t *actions = bst_cbor_get(content, "actions");
    const char *problem = NULL;
    if (actions == NULL || !cbor_isa_array(actions) || cbor_array_size(actions) == 0) {
        bst_judge_say(judge, BST_STATUS_FAILURE, "assertion.action.malformed", url, "no actions are listed");
        return;
    }
    for (size_t i = 0; i < cbor_array_size(actions); i++) {
        cbor_item_t *action = cbor_array_handle(actions)[i];
        cbor_item_t *name = bst_cbor_get(action, "action");
        cbor_item_t *parameters = bst_cbor_get(action, "parameters");
        if (problem == NULL) problem = action_problem(action);
        if (first && i == 0 && !starts_history(action))
            problem = "the first action is neither created nor opened";
        if (!(first && i == 0) && starts_history(action)) problem = "a second action that creates or opens";
        if (needs_ingredients(name) && bst_cbor_get(parameters, "ingredients") == NULL &&
            bst_cbor_get(parameters, "ingredient") == NULL) {
            bst_judge_say(judge, BST_STATUS_FAILURE, "assertion.action.ingredientMismatch", url,
                          "an action that needs an ingredient names none");
        }
    }
    if (problem != NULL)
        bst_judge_say(judge, BST_STATUS_FAILURE, "assertion.action.malformed", url, "%s", problem);
}

/* ---- c2pa.hash.data ---- */

struct exclusions {
    size_t count;
    struct bst_range *range;
    bool manifest_found, others;
};

/* Ascending, not overlapping; one of them must be the manifest's real place in the file, neither wider nor
 * shifted, or bytes beside it would go unprotected. */
static const char *read_exclusions(const struct bst_judge *judge, cbor_item_t *content,
                                   struct exclusions *out)
{
    cbor_item_t *list = bst_cbor_get(content, "exclusions");
    if (list == NULL) return NULL;
    if (!cbor_isa_array(list)) return "exclusions is no array";
    out->range = bst_calloc(cbor_array_size(list), sizeof(*out->range));
    if (out->range == NULL) return "out of memory";
    uint64_t end = 0;
    for (size_t i = 0; i < cbor_array_size(list); i++) {
        cbor_item_t *item = cbor_array_handle(list)[i];
        struct bst_range *range = &out->range[out->count++];
        if (!bst_cbor_get_uint(bst_cbor_get(item, "start"), &range->start) ||
            !bst_cbor_get_uint(bst_cbor_get(item, "length"), &range->length)) {
            return "an exclusion without start and length";
        }
        if (range->start < end) return "the exclusions overlap or are not in order";
        if (range->length > UINT64_MAX - range->start) return "an exclusion too long for any file";
        end = range->start + range->length;
        bool manifest = range->start == judge->container->manifest.start &&
                        range->length == judge->container->manifest.length;
        out->manifest_found = out->manifest_found || manifest;
        out->others = out->others || !manifest;
    }
    return NULL;
}

static bool text_alg(cbor_item_t *map, const char *fallback, char out[static 16])
{
    const char *text;
    size_t len;
    cbor_item_t *alg = bst_cbor_get(map, "alg");
    if (alg == NULL) return snprintf(out, 16, "%s", fallback) > 0;
    if (!bst_cbor_get_text(alg, &text, &len) || len > 15) return false;
    memcpy(out, text, len);
    out[len] = 0;
    return true;
}

static enum bst_code compare_file(struct bst_judge *judge, cbor_item_t *content,
                                  const struct exclusions *exclusions, const char *url, struct bst_error *err)
{
    static const char mismatch[] = "assertion.dataHash.mismatch";
    const uint8_t *want;
    uint8_t have[64];
    size_t want_len, have_len;
    char alg[16];
    uint64_t end = 0;
    if (exclusions->count > 0) {
        const struct bst_range *last = &exclusions->range[exclusions->count - 1];
        end = last->start + last->length;
    }
    if (!bst_cbor_get_bytes(bst_cbor_get(content, "hash"), &want, &want_len) ||
        bst_cbor_get(content, "pad") == NULL) {
        bst_judge_say(judge, BST_STATUS_FAILURE, "assertion.dataHash.malformed", url, "no hash or no pad");
    } else if (!text_alg(content, judge->claim_alg, alg) ||
               !(strcmp(alg, "sha256") == 0 || strcmp(alg, "sha384") == 0 || strcmp(alg, "sha512") == 0)) {
        bst_judge_say(judge, BST_STATUS_FAILURE, "algorithm.unsupported", url, "an unknown digest algorithm");
    } else if (!exclusions->manifest_found) {
        bst_judge_say(judge, BST_STATUS_FAILURE, mismatch, url,
                      "the bytes that the binding leaves out are not where the manifest stands in the file");
    } else if (end > judge->container->size) {
        bst_judge_say(judge, BST_STATUS_FAILURE, mismatch, url,
                      "an exclusion lies behind the end of the file");
    } else {
        enum bst_code code =
            bst_container_hash(judge->path, exclusions->range, exclusions->count, alg, have, &have_len, err);
        if (code != BST_OK) return code;
        if (have_len != want_len || memcmp(have, want, have_len) != 0) {
            bst_judge_say(judge, BST_STATUS_FAILURE, mismatch, url,
                          "the file's bytes are not those that were signed: it was altered afterwards");
        } else {
            bst_judge_say(judge, BST_STATUS_SUCCESS, "assertion.dataHash.match", url,
                          "the file's bytes are those that were signed");
        }
        if (exclusions->others) {
            bst_judge_say(judge, BST_STATUS_INFO, "assertion.dataHash.additionalExclusionsPresent", url,
                          "the signer left further parts of the file unprotected");
        }
    }
    return BST_OK;
}

enum bst_code bst_judge_data_hash(struct bst_judge *judge, cbor_item_t *content, const char *url,
                                  struct bst_error *err)
{
    struct exclusions exclusions = {0};
    enum bst_code code = BST_OK;
    const char *problem = read_exclusions(judge, content, &exclusions);
    if (problem != NULL) {
        bst_judge_say(judge, BST_STATUS_FAILURE, "assertion.dataHash.malformed", url, "%s", problem);
    } else {
        code = compare_file(judge, content, &exclusions, url, err);
    }
    free(exclusions.range);
    return code;
}

/* ---- org.blindstamp.receipt ---- */

/* Only taken out here; audit judges statement and proof. */
void bst_judge_receipt(struct bst_judge *judge, cbor_item_t *content, const char *url)
{
    const char *envelope, *proof, *log;
    size_t envelope_len, proof_len, log_len;
    if (!bst_cbor_get_text(bst_cbor_get(content, "envelope"), &envelope, &envelope_len) ||
        !bst_cbor_get_text(bst_cbor_get(content, "proof"), &proof, &proof_len) ||
        !bst_cbor_get_text(bst_cbor_get(content, "log"), &log, &log_len) || memchr(log, 0, log_len) != NULL) {
        bst_judge_say(judge, BST_STATUS_FAILURE, "general.error", url,
                      "the receipt lacks envelope, proof or log");
        return;
    }
    if (judge->out->log_vkey != NULL) {
        bst_judge_say(judge, BST_STATUS_FAILURE, "general.error", url, "the manifest holds a second receipt");
        return;
    }
    bst_buf_append(&judge->out->envelope, envelope, envelope_len);
    bst_buf_append(&judge->out->proof, proof, proof_len);
    judge->out->log_vkey = bst_format("%.*s", (int)log_len, log);
    judge->failed_memory = judge->failed_memory || judge->out->envelope.failed || judge->out->proof.failed ||
                           judge->out->log_vkey == NULL;
}

/* ---- c2pa.ingredient ---- */

static void judge_link(struct bst_judge *judge, cbor_item_t *link, const char *url)
{
    const char *target;
    const uint8_t *want;
    uint8_t have[64];
    size_t target_len, want_len, have_len;
    char alg[16];
    if (!bst_cbor_get_text(bst_cbor_get(link, "url"), &target, &target_len) ||
        !bst_cbor_get_bytes(bst_cbor_get(link, "hash"), &want, &want_len) ||
        !text_alg(link, judge->claim_alg, alg)) {
        bst_judge_say(judge, BST_STATUS_FAILURE, "assertion.ingredient.malformed", url,
                      "the link to the ingredient's manifest lacks address or digest");
        return;
    }
    const struct bst_jumbf_box *box = bst_jumbf_resolve(&judge->store, judge->manifest, target, target_len);
    if (box == NULL) {
        bst_judge_say(judge, BST_STATUS_FAILURE, "ingredient.manifest.missing", url,
                      "the ingredient's manifest is not in the file");
    } else if (!bst_jumbf_digest(&judge->store, box, alg, have, &have_len) || have_len != want_len ||
               memcmp(have, want, want_len) != 0) {
        bst_judge_say(judge, BST_STATUS_FAILURE, "ingredient.manifest.mismatch", url,
                      "the ingredient's manifest is not the one that was signed");
    } else {
        bst_judge_say(judge, BST_STATUS_INFO, "ingredient.notChecked", url,
                      "the ingredient's manifest is unaltered, but its own signature was not checked");
    }
}

void bst_judge_ingredient(struct bst_judge *judge, cbor_item_t *content, const char *url)
{
    cbor_item_t *relationship = bst_cbor_get(content, "relationship");
    cbor_item_t *link = bst_cbor_get(content, "activeManifest");     /* ingredient v3 */
    if (link == NULL) link = bst_cbor_get(content, "c2pa_manifest"); /* v1 and v2 */
    if (!bst_cbor_is(relationship, "parentOf") && !bst_cbor_is(relationship, "componentOf") &&
        !bst_cbor_is(relationship, "inputTo")) {
        bst_judge_say(judge, BST_STATUS_FAILURE, "assertion.ingredient.malformed", url,
                      "an unknown relationship");
    } else if (link != NULL) {
        judge_link(judge, link, url);
    } else if (!bst_cbor_is(relationship, "inputTo")) {
        bst_judge_say(judge, BST_STATUS_INFO, "ingredient.unknownProvenance", url,
                      "an ingredient that carries no credentials of its own");
    }
}
