/* c2pa_identity.c - cawg.identity: a person or organisation signs for assertions of a manifest with a certificate of
 * its own (CAWG identity assertion 1.2). What is wrong with it speaks of that identity, never of the manifest. */
#include "c2pa.h"

#include <stdlib.h>
#include <string.h>

#define REFERENCES_MAX 128
#define IDENTITIES_MAX 32

/* Is it nothing, or zeros? */
static bool is_padding(cbor_item_t *pad)
{
    const uint8_t *data;
    size_t len;
    if (pad == NULL) return true;
    if (!bst_cbor_get_bytes(pad, &data, &len)) return false;
    for (size_t i = 0; i < len; i++) {
        if (data[i] != 0) return false;
    }
    return true;
}

/* The claim's own entry for an assertion, whichever way either address is written. */
static bool claim_lists(const struct bst_claim *claim, const struct bst_hashed_uri *want)
{
    static const char *const lists[] = {"created_assertions", "gathered_assertions", "assertions"};
    const char *label, *have_label;
    size_t len, have_len;
    if (!bst_uri_assertion(want->uri, want->uri_len, &label, &len)) return false;
    for (size_t k = 0; k < 3; k++) {
        cbor_item_t *list = bst_cbor_get(claim->item, lists[k]);
        for (size_t i = 0; i < bst_cbor_count(list); i++) {
            struct bst_hashed_uri have;
            if (!bst_hashed_uri(cbor_array_handle(list)[i], claim->alg, &have) ||
                !bst_uri_assertion(have.uri, have.uri_len, &have_label, &have_len) || have_len != len ||
                memcmp(have_label, label, len) != 0)
                continue;
            return have.hash_len == want->hash_len && memcmp(have.hash, want->hash, have.hash_len) == 0;
        }
    }
    return false;
}

static void judge_references(struct bst_judge *judge, cbor_item_t *list, const char *url)
{
    bool bound = false, twice = false;
    for (size_t i = 0; i < cbor_array_size(list); i++) {
        struct bst_hashed_uri want, other;
        const char *label;
        size_t len;
        char copy[64];
        if (!bst_hashed_uri(cbor_array_handle(list)[i], judge->claim->alg, &want)) continue;
        if (!claim_lists(judge->claim, &want))
            bst_judge_fail(judge, "cawg.identity.assertion.mismatch", url,
                           "the identity speaks of an assertion that is not the one in the claim");
        bst_uri_last(want.uri, want.uri_len, &label, &len);
        snprintf(copy, sizeof(copy), "%.*s", len < sizeof(copy) ? (int)len : 0, label);
        bound = bound || bst_is_hard_binding(copy);
        for (size_t k = 0; k < i && !twice; k++) {
            twice = bst_hashed_uri(cbor_array_handle(list)[k], judge->claim->alg, &other) &&
                    other.uri_len == want.uri_len && memcmp(other.uri, want.uri, want.uri_len) == 0;
        }
    }
    if (!bound)
        bst_judge_fail(judge, "cawg.identity.hard_binding_missing", url,
                       "the identity does not speak of this picture");
    if (twice)
        bst_judge_fail(judge, "cawg.identity.assertion.duplicate", url,
                       "the identity speaks of an assertion twice");
}

static void take_roles(cbor_item_t *payload, char out[static 96])
{
    cbor_item_t *list = bst_cbor_get(payload, "role");
    size_t used = 0;
    for (size_t i = 0; i < bst_cbor_count(list); i++) {
        const char *text;
        size_t len;
        char *safe =
            bst_cbor_get_text(cbor_array_handle(list)[i], &text, &len) ? bst_printable(text, len) : NULL;
        if (safe != NULL && strlen(safe) + used + 3 < 96)
            used += (size_t)snprintf(out + used, 96 - used, "%s%s", used > 0 ? ", " : "", safe);
        free(safe);
    }
}

/* Takes down who signed; what was found about that are the statuses from first on. */
static void take_identity(struct bst_judge *judge, cbor_item_t *payload, X509 *leaf, size_t first)
{
    struct bst_c2pa *out = judge->out;
    if (out->identities == NULL) out->identities = bst_calloc(IDENTITIES_MAX, sizeof(*out->identities));
    char *name = bst_signer_name(leaf);
    if (out->identities == NULL || name == NULL) {
        judge->failed_memory = true;
    } else {
        struct bst_signed_identity *identity = &out->identities[out->identity_count++];
        snprintf(identity->name, sizeof(identity->name), "%s", name);
        take_roles(payload, identity->roles);
        identity->holds = true;
        for (size_t i = first; i < out->status_count; i++) {
            const struct bst_status *status = &out->statuses[i];
            identity->trusted =
                identity->trusted || strcmp(status->code, "cawg.x509.credential.trusted") == 0;
            if (status->kind == BST_STATUS_FAILURE &&
                strcmp(status->code, "cawg.x509.credential.untrusted") != 0)
                identity->holds = false;
        }
    }
    free(name);
}

/* The codes of the shared certificate rules become those of an identity (see c2pa_status.c). first: the first status
 * about this identity. */
static void judge_signature(struct bst_judge *judge, cbor_item_t *payload, const uint8_t *sig, size_t sig_len,
                            const char *url, size_t first)
{
    struct bst_cose cose = {0};
    struct bst_error err;
    unsigned char *signed_bytes = NULL;
    size_t cap = 0;
    /* libcbor writes again what it read: the signed bytes */
    size_t len = cbor_serialize_alloc(payload, &signed_bytes, &cap);
    bool good = false;
    judge->identity = true;
    if (len == 0 || bst_cose_parse(sig, sig_len, &cose, &err) != BST_OK) {
        bst_judge_fail(judge, "claimSignature.mismatch", url, "the identity's signature cannot be read");
    } else if (cose.chain == NULL || !cose.has_alg || bst_cose_algorithm(cose.alg) == NULL) {
        bst_judge_fail(judge, "algorithm.unsupported", url,
                       "the identity's signature is of an unknown algorithm, or without certificate");
    } else {
        bst_judge_certificate(judge, &cose, bst_now_ms() / 1000, false, url);
        good = bst_cose_verify(&cose, signed_bytes, len, &err) == BST_OK;
        if (!good)
            bst_judge_fail(judge, "claimSignature.mismatch", url, "the identity's signature does not hold");
    }
    judge->identity = false;
    if (good) {
        bst_judge_good(judge, "cawg.x509.signature.validated", url, "the identity's signature holds");
        bst_judge_good(judge, "cawg.identity.well-formed", url, "the identity is well-formed");
    }
    if (cose.chain != NULL && judge->claim == judge->active)
        take_identity(judge, payload, sk_X509_value(cose.chain, 0), first);
    bst_cose_clear(&cose);
    free(signed_bytes);
}

static void judge_identity(struct bst_judge *judge, cbor_item_t *content, const char *url)
{
    size_t first = judge->out->status_count;
    const uint8_t *sig;
    size_t sig_len;
    cbor_item_t *payload = bst_cbor_get(content, "signer_payload");
    cbor_item_t *list = bst_cbor_get(payload, "referenced_assertions"),
                *type = bst_cbor_get(payload, "sig_type");
    if (list == NULL || !cbor_isa_array(list) || cbor_array_size(list) > REFERENCES_MAX || type == NULL ||
        !bst_cbor_get_bytes(bst_cbor_get(content, "signature"), &sig, &sig_len)) {
        bst_judge_fail(judge, "cawg.identity.cbor.invalid", url, "an identity without its parts");
        return;
    }
    if (!is_padding(bst_cbor_get(content, "pad1")) || !is_padding(bst_cbor_get(content, "pad2")))
        bst_judge_fail(judge, "cawg.identity.pad.invalid", url, "the padding of an identity is not zero");
    judge_references(judge, list, url);
    if (bst_cbor_is(type, "cawg.x509.cose")) {
        judge_signature(judge, payload, sig, sig_len, url, first);
    } else if (bst_cbor_is(type, "cawg.identity_claims_aggregation")) {
        bst_judge_say(judge, BST_STATUS_INFO, "cawg.ica.untrusted_issuer", url,
                      "an identity that an aggregator vouches for, whom nobody here knows");
    } else {
        bst_judge_fail(judge, "cawg.identity.sig_type.unknown", url, "an identity of an unknown kind");
    }
}

void bst_judge_identities(struct bst_judge *judge)
{
    const struct bst_claim *claim = judge->claim;
    char url[BST_URL];
    for (size_t i = 0; i < claim->count; i++) {
        const struct bst_assertion *assertion = &claim->assertions[i];
        if (!bst_root_is(assertion, "cawg.identity") || assertion->content == NULL) continue;
        bst_assertion_url(claim, assertion, url);
        if (++judge->identities > IDENTITIES_MAX) {
            bst_judge_fail(judge, "general.error", url, "more identities than this version checks");
            return;
        }
        judge_identity(judge, assertion->content, url);
    }
}
