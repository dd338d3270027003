/* c2pa_status.c - what was found, and the state that follows (C2PA 2.4, 14.3 and 15). */
#include "c2pa.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_MAX  2000
#define CLAIMED_MAX 8192 /* statuses that ingredient assertions say of their manifests */

/* What the rules for certificates find wrong with an identity's has a code of its own (CAWG identity 1.2, 8.2). */
static const char *identity_code(const char *code)
{
    static const struct {
        const char *code, *identity;
    } codes[] = {{"algorithm.unsupported", "cawg.x509.algorithm.unsupported"},
                 {"signingCredential.trusted", "cawg.x509.credential.trusted"},
                 {"signingCredential.untrusted", "cawg.x509.credential.untrusted"},
                 {"signingCredential.invalid", "cawg.x509.credential.invalid"},
                 {"signingCredential.expired", "cawg.x509.signature.outside_validity"},
                 {"claimSignature.mismatch", "cawg.x509.signature.mismatch"}};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strcmp(code, codes[i].code) == 0) return codes[i].identity;
    }
    return code;
}

void bst_judge_say(struct bst_judge *judge, enum bst_status_kind kind, const char *code, const char *url,
                   const char *words, ...)
{
    struct bst_c2pa *out = judge->out;
    if (out->status_count == STATUS_MAX) {
        /* the last entry must be a failure: a flood of statuses may not hide one */
        struct bst_status *last = &out->statuses[STATUS_MAX - 1];
        *last = (struct bst_status){.kind = BST_STATUS_FAILURE, .code = "general.error"};
        snprintf(last->words, sizeof(last->words), "more than %d findings", STATUS_MAX);
        return;
    }
    if (out->status_count % 32 == 0) {
        struct bst_status *grown = realloc(out->statuses, (out->status_count + 32) * sizeof(*grown));
        if (grown == NULL) {
            judge->failed_memory = true;
            return;
        }
        out->statuses = grown;
    }
    struct bst_status *status = &out->statuses[out->status_count++];
    va_list args;
    status->kind = kind;
    snprintf(status->code, sizeof(status->code), "%s", judge->identity ? identity_code(code) : code);
    snprintf(status->url, sizeof(status->url), "%s", url == NULL ? "" : url);
    snprintf(status->ingredient, sizeof(status->ingredient), "%s", judge->scope);
    for (char *p = status->url; *p != 0; p++) { /* it comes from the file, and addresses are ASCII */
        if (*p <= ' ' || *p > '~') *p = '?';
    }
    va_start(args, words);
    vsnprintf(status->words, sizeof(status->words), words, args);
    va_end(args);
}

void bst_judge_fail(struct bst_judge *judge, const char *code, const char *url, const char *words)
{
    bst_judge_say(judge, BST_STATUS_FAILURE, code, url, "%s", words);
}

void bst_judge_good(struct bst_judge *judge, const char *code, const char *url, const char *words)
{
    bst_judge_say(judge, BST_STATUS_SUCCESS, code, url, "%s", words);
}

/* ---- what ingredient assertions already say ---- */

/* One status that an ingredient assertion holds. */
struct claimed {
    enum bst_status_kind kind;
    const struct bst_claim *by;
    char code[64];
    char url[BST_URL];
};
struct claimed_list {
    size_t count;
    struct claimed *item;
};

/* A status in an ingredient assertion does not say of which kind it is: its code does. */
enum bst_status_kind bst_status_kind_of(const char *code)
{
    static const char *const good[] = {"claimSignature.validated",
                                       "claimSignature.insideValidity",
                                       "signingCredential.trusted",
                                       "signingCredential.ocsp.notRevoked",
                                       "timeStamp.trusted",
                                       "timeStamp.validated",
                                       "assertion.hashedURI.match",
                                       "assertion.dataHash.match",
                                       "assertion.bmffHash.match",
                                       "assertion.accessible",
                                       "assertion.boxesHash.match",
                                       "assertion.collectionHash.match",
                                       "ingredient.manifest.validated",
                                       "ingredient.claimSignature.validated",
                                       "cawg.x509.credential.trusted",
                                       "cawg.x509.signature.validated"};
    static const char *const neutral[] = {"signingCredential.ocsp.skipped",
                                          "signingCredential.ocsp.inaccessible",
                                          "signingCredential.ocsp.unknown",
                                          "timeStamp.untrusted",
                                          "timeStamp.outsideValidity",
                                          "timeStamp.mismatch",
                                          "timeStamp.malformed",
                                          "manifest.unknownProvenance",
                                          "algorithm.deprecated",
                                          "timeOfSigning.insideValidity",
                                          "ingredient.unknownProvenance",
                                          "assertion.dataHash.additionalExclusionsPresent",
                                          "assertion.bmffHash.additionalExclusionsPresent",
                                          "assertion.boxesHash.additionalExclusionsPresent",
                                          "cawg.ica.untrusted_issuer"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (strcmp(code, good[i]) == 0) return BST_STATUS_SUCCESS;
    }
    for (size_t i = 0; i < sizeof(neutral) / sizeof(neutral[0]); i++) {
        if (strcmp(code, neutral[i]) == 0) return BST_STATUS_INFO;
    }
    return BST_STATUS_FAILURE;
}

static void take_list(struct bst_judge *judge, cbor_item_t *list, const struct bst_claim *by,
                      struct bst_claim *about, struct claimed_list *out)
{
    for (size_t i = 0; i < bst_cbor_count(list) && out->count < CLAIMED_MAX; i++) {
        const char *code, *url, *label;
        size_t code_len, url_len, label_len;
        cbor_item_t *map = cbor_array_handle(list)[i];
        struct claimed *item = &out->item[out->count];
        if (!bst_cbor_get_text(bst_cbor_get(map, "code"), &code, &code_len) ||
            !bst_cbor_get_text(bst_cbor_get(map, "url"), &url, &url_len) || code_len >= sizeof(item->code))
            continue;
        memcpy(item->code, code, code_len);
        item->code[code_len] = 0;
        item->kind = bst_status_kind_of(item->code);
        item->by = by;
        if (about != NULL && url_len >= 10 && memcmp(url, "self#jumbf", 10) == 0) {
            bst_url_absolute(about->label, url, url_len, item->url);
        } else {
            bst_url_text(url, url_len, item->url);
        }
        out->count++;
        /* only an ingredient's own assertion may vouch for it */
        if (about != NULL && strcmp(item->code, "claimSignature.insideValidity") == 0 &&
            bst_uri_manifest(item->url, strlen(item->url), &label, &label_len) &&
            bst_store_claim(judge, label, label_len) == about)
            about->says_valid = true;
    }
}

static void take_results(struct bst_judge *judge, cbor_item_t *results, const struct bst_claim *by,
                         struct bst_claim *about, struct claimed_list *out)
{
    static const char *const kinds[] = {"success", "informational", "failure"};
    cbor_item_t *active = bst_cbor_get(results, "activeManifest");
    cbor_item_t *deltas = bst_cbor_get(results, "ingredientDeltas");
    for (size_t i = 0; i < 3; i++) {
        take_list(judge, bst_cbor_get(active, kinds[i]), by, about, out);
    }
    for (size_t k = 0; k < bst_cbor_count(deltas); k++) {
        cbor_item_t *delta = bst_cbor_get(cbor_array_handle(deltas)[k], "validationDeltas");
        for (size_t i = 0; i < 3; i++) {
            take_list(judge, bst_cbor_get(delta, kinds[i]), by, about, out);
        }
    }
}

/* Of every manifest that the active one leads to: nobody else's words count. */
static void take_claimed(struct bst_judge *judge, struct claimed_list *out)
{
    for (size_t i = 0; i < judge->count; i++) {
        const struct bst_claim *claim = &judge->claims[i];
        for (size_t k = 0; claim->seen && k < claim->count; k++) {
            struct bst_ingredient ingredient;
            if (!bst_is_ingredient(&claim->assertions[k]) ||
                bst_ingredient_read(claim, &claim->assertions[k], &ingredient) != NULL)
                continue;
            struct bst_claim *about =
                ingredient.link == NULL
                    ? NULL
                    : bst_store_claim_at(judge, ingredient.manifest.uri, ingredient.manifest.uri_len);
            if (ingredient.results != NULL && cbor_isa_array(ingredient.results)) { /* versions 1 and 2 */
                take_list(judge, ingredient.results, claim, about, out);
            } else {
                take_results(judge, ingredient.results, claim, about, out);
            }
        }
    }
}

/* Has the claim a say about what was found by an ingredient assertion of owner? It must be owner, or lead there: else a
 * manifest that nobody signed could excuse its own forgery. A link that does not hold is not excused by who made it. */
static bool has_say(const struct claimed *item, const struct bst_claim *owner)
{
    bool link = item->kind == BST_STATUS_FAILURE && strncmp(item->code, "ingredient.", 11) == 0;
    return item->by->above && (!link || item->by != owner);
}

/* Was it said before? Nothing about the active manifest is ever taken out: no ingredient cancels its failures
 * (C2PA 2.4, 15.11.3). All that leads to owner is marked. */
static bool said_before(const struct bst_judge *judge, const struct bst_status *status,
                        const struct bst_claim *owner, const struct claimed_list *list)
{
    const char *label;
    size_t len;
    const struct bst_claim *about = NULL;
    if (bst_uri_manifest(status->url, strlen(status->url), &label, &len)) {
        about = bst_store_claim(judge, label, len);
        if (about == judge->active) return false;
    }
    /* a certificate may expire once it was seen to be valid */
    if (about != NULL && about->says_valid &&
        (strcmp(status->code, "signingCredential.expired") == 0 ||
         strcmp(status->code, "claimSignature.outsideValidity") == 0))
        return true;
    for (size_t i = 0; i < list->count; i++) {
        const struct claimed *item = &list->item[i];
        if (item->kind == status->kind && strcmp(item->code, status->code) == 0 &&
            strcmp(item->url, status->url) == 0 && has_say(item, owner))
            return true;
    }
    return false;
}

static void drop_said(struct bst_judge *judge, const struct claimed_list *list)
{
    struct bst_c2pa *out = judge->out;
    struct bst_claim *owner = NULL;
    size_t kept = 0;
    for (size_t i = 0; i < out->status_count; i++) {
        const struct bst_status *status = &out->statuses[i];
        struct bst_claim *here = bst_store_claim_at(judge, status->ingredient, strlen(status->ingredient));
        if (here != NULL && here != owner) bst_mark_above(judge, here);
        owner = here == NULL ? owner : here;
        if (here == NULL || !said_before(judge, status, owner, list)) out->statuses[kept++] = *status;
    }
    out->status_count = kept;
}

void bst_judge_suppress(struct bst_judge *judge)
{
    struct bst_c2pa *out = judge->out;
    struct claimed_list list = {0};
    bool any = false;
    for (size_t i = 0; i < out->status_count; i++) {
        any = any || out->statuses[i].ingredient[0] != 0;
    }
    if (!any) return;
    list.item = bst_calloc(CLAIMED_MAX, sizeof(*list.item));
    if (list.item == NULL) {
        judge->failed_memory = true;
        return;
    }
    take_claimed(judge, &list);
    drop_said(judge, &list);
    free(list.item);
}

/* ---- the state ---- */

bool bst_status_about_signer(const char *code)
{
    return strncmp(code, "signingCredential.", 18) == 0 ||
           strcmp(code, "claimSignature.outsideValidity") == 0 || strncmp(code, "cawg.", 5) == 0;
}

void bst_vouched_take(struct bst_vouched *out, const char *code)
{
    out->trusted = out->trusted || strcmp(code, "signingCredential.trusted") == 0;
    out->untrusted = out->untrusted || strcmp(code, "signingCredential.untrusted") == 0;
    out->revoked = out->revoked || strcmp(code, "signingCredential.ocsp.revoked") == 0;
    out->unfit = out->unfit || strcmp(code, "signingCredential.invalid") == 0;
    out->expired = out->expired || strcmp(code, "signingCredential.expired") == 0 ||
                   strcmp(code, "claimSignature.outsideValidity") == 0;
}

enum bst_signer_trust bst_vouched_trust(const struct bst_vouched *vouched)
{
    return vouched->revoked                          ? BST_SIGNER_REVOKED
           : vouched->unfit                          ? BST_SIGNER_UNFIT
           : vouched->expired                        ? BST_SIGNER_EXPIRED
           : vouched->trusted && !vouched->untrusted ? BST_SIGNER_TRUSTED
                                                     : BST_SIGNER_UNKNOWN;
}

const char *bst_signer_trust_words(enum bst_signer_trust trust)
{
    static const char *const words[] = {[BST_SIGNER_UNKNOWN] = "unknown signer",
                                        [BST_SIGNER_TRUSTED] = "trusted",
                                        [BST_SIGNER_EXPIRED] = "expired",
                                        [BST_SIGNER_REVOKED] = "revoked",
                                        [BST_SIGNER_UNFIT] = "unfit"};
    return words[trust];
}

/* Those of them that leave the manifest valid (14.3.5). */
static bool is_tolerated(const char *code)
{
    return strcmp(code, "signingCredential.untrusted") == 0 || strncmp(code, "cawg.x509.", 10) == 0 ||
           strncmp(code, "cawg.identity.", 14) == 0;
}

/* What was found, in a few bits. All but the first line speaks of the active manifest. */
struct found {
    bool intolerable, altered, any_failure;
    bool validated, inside;
    struct bst_vouched vouched;
};

static void take_status(const struct bst_status *status, struct found *found)
{
    const char *code = status->code;
    if (status->kind == BST_STATUS_FAILURE) {
        found->any_failure = true;
        found->intolerable = found->intolerable || !is_tolerated(code);
        found->altered = found->altered || !bst_status_about_signer(code);
    }
    if (status->ingredient[0] != 0) return;
    found->validated = found->validated || strcmp(code, "claimSignature.validated") == 0;
    found->inside = found->inside || strcmp(code, "claimSignature.insideValidity") == 0;
    bst_vouched_take(&found->vouched, code);
}

/* Trusted: no failure at all. Valid: the only failures are about who vouches for a signer. */
void bst_judge_conclude(struct bst_judge *judge)
{
    struct bst_c2pa *out = judge->out;
    struct found found = {0};
    for (size_t i = 0; i < out->status_count; i++) {
        take_status(&out->statuses[i], &found);
    }
    bool valid = found.validated && found.inside && !found.intolerable;
    out->state = !valid                                        ? BST_C2PA_INVALID
                 : found.vouched.trusted && !found.any_failure ? BST_C2PA_TRUSTED
                                                               : BST_C2PA_VALID;
    out->intact = found.validated && !found.altered;
    out->signer_trust = bst_vouched_trust(&found.vouched);
}
