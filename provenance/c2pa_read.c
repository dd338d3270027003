/* c2pa_read.c - reads a C2PA manifest store and judges its active manifest (C2PA 2.4, 15).
 *
 * Hashes and signatures are taken over the bytes as they stand in the file, never over something written
 * again. What this reader does not check (time stamps, signatures of ingredients, claim version 1 rules) it
 * says as information; a hard binding it cannot check is a failure, never silence. */
#include "c2pa.h"

#include <jansson.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_MAX      2000
#define INGREDIENTS_MAX 128 /* each may digest most of the store */

void bst_judge_say(struct bst_judge *judge, enum bst_status_kind kind, const char *code, const char *url,
                   const char *words, ...)
{
    struct bst_c2pa *out = judge->out;
    if (out->status_count == STATUS_MAX) {
        /* the last entry must be a failure: a flood of statuses may not hide one */
        struct bst_status *last = &out->statuses[STATUS_MAX - 1];
        last->kind = BST_STATUS_FAILURE;
        snprintf(last->code, sizeof(last->code), "general.error");
        snprintf(last->words, sizeof(last->words), "more than %d findings", STATUS_MAX);
        return;
    }
    struct bst_status *grown = realloc(out->statuses, (out->status_count + 1) * sizeof(*grown));
    if (grown == NULL) {
        judge->failed_memory = true;
        return;
    }
    out->statuses = grown;
    struct bst_status *status = &grown[out->status_count++];
    va_list args;
    memset(status, 0, sizeof(*status));
    status->kind = kind;
    snprintf(status->code, sizeof(status->code), "%s", code);
    snprintf(status->url, sizeof(status->url), "%s", url == NULL ? "" : url);
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

void bst_judge_url(const struct bst_judge *judge, const char *tail, char out[static 192])
{
    snprintf(out, 192, "self#jumbf=/c2pa/%s%s", judge->manifest->label, tail);
}

/* ---- manifest and claim ---- */

/* The last manifest of the store is the active one. */
static enum bst_code find_active(struct bst_judge *judge, struct bst_error *err)
{
    const struct bst_jumbf *store = &judge->store;
    for (size_t i = store->boxes[0].first_child; i != 0; i = store->boxes[i].next) {
        uint32_t type = store->boxes[i].content_type;
        if (type == BST_TYPE_MANIFEST || type == BST_TYPE_UPDATE || type == BST_TYPE_COMPRESSED) {
            judge->manifest = &store->boxes[i];
        }
    }
    if (judge->manifest == NULL)
        return bst_fail(err, BST_BROKEN, "the C2PA manifest store holds no manifest");
    judge->out->label = bst_strdup(judge->manifest->label);
    return judge->out->label == NULL ? bst_fail_memory(err) : BST_OK;
}

static bool label_fits(const char *label)
{
    static const char *const begins[] = {"urn:c2pa:", "urn:uuid:"};
    const char *urn = strstr(label, ":urn:uuid:"); /* VENDOR:urn:uuid:... of claim version 1 */
    if (urn != NULL) return true;
    for (size_t i = 0; i < 2; i++) {
        if (strncmp(label, begins[i], 9) == 0 && strlen(label) > 9) return true;
    }
    return false;
}

/* Finds the claim, and refuses boxes in the manifest that no rule gives a meaning. */
static const struct bst_jumbf_box *find_claim(struct bst_judge *judge)
{
    const struct bst_jumbf *store = &judge->store;
    const struct bst_jumbf_box *claim = NULL;
    char url[192];
    bst_judge_url(judge, "", url);
    for (size_t i = judge->manifest->first_child; i != 0; i = store->boxes[i].next) {
        const struct bst_jumbf_box *box = &store->boxes[i];
        const char *label = box->label == NULL ? "" : box->label;
        bool is_claim = strcmp(label, "c2pa.claim.v2") == 0 || strcmp(label, "c2pa.claim") == 0;
        bool known = (strcmp(label, "c2pa.assertions") == 0 && box->content_type == BST_TYPE_ASSERTIONS) ||
                     (strcmp(label, "c2pa.signature") == 0 && box->content_type == BST_TYPE_SIGNATURE) ||
                     strcmp(label, "c2pa.databoxes") == 0 || strcmp(label, "c2pa.credentials") == 0 ||
                     (is_claim && box->content_type == BST_TYPE_CLAIM);
        if (!known)
            bst_judge_fail(judge, "claim.multiple", url, "the manifest holds a box that has no place there");
        if (!known || !is_claim) continue;
        if (claim != NULL) {
            bst_judge_fail(judge, "claim.multiple", url, "the manifest holds two claims");
            return NULL;
        }
        claim = box;
        judge->claim_v1 = strcmp(label, "c2pa.claim") == 0;
    }
    if (claim == NULL) bst_judge_fail(judge, "claim.missing", url, "the manifest holds no claim");
    return claim;
}

static bool text_of(cbor_item_t *map, const char *key, char **out)
{
    const char *text;
    size_t len;
    if (!bst_cbor_get_text(bst_cbor_get(map, key), &text, &len) || len == 0) return false;
    free(*out);
    *out = bst_format("%.*s", len > 4096 ? 4096 : (int)len, text);
    return true;
}

/* Name and version of the claim generator, for people. */
static void read_generator(struct bst_judge *judge)
{
    char *name = NULL, *version = NULL;
    cbor_item_t *info = bst_cbor_get(judge->claim, "claim_generator_info");
    if (info != NULL && cbor_isa_array(info) && cbor_array_size(info) > 0) info = cbor_array_handle(info)[0];
    if (!text_of(info, "name", &name)) text_of(judge->claim, "claim_generator", &name);
    text_of(info, "version", &version);
    char *joined = bst_format("%s%s%s", name == NULL ? "" : name, version == NULL ? "" : " ",
                              version == NULL ? "" : version);
    judge->out->generator = joined == NULL ? NULL : bst_printable(joined, strlen(joined));
    judge->failed_memory = judge->failed_memory || judge->out->generator == NULL;
    free(joined);
    free(name);
    free(version);
}

static bool read_claim(struct bst_judge *judge, const struct bst_jumbf_box *super, const char *url)
{
    struct bst_error err;
    const char *text;
    size_t len;
    judge->claim_box = bst_jumbf_content(&judge->store, super);
    if (judge->claim_box == NULL || judge->claim_box->type != BST_BOX_CBOR) {
        bst_judge_fail(judge, "claim.malformed", url, "the claim is not one CBOR box");
        return false;
    }
    if (bst_cbor_parse(judge->store.bytes + judge->claim_box->data, judge->claim_box->data_len, &judge->claim,
                       &err) != BST_OK) {
        judge->claim = NULL;
        bst_judge_fail(judge, "claim.cbor.invalid", url, err.what);
        return false;
    }
    read_generator(judge);
    cbor_item_t *info = bst_cbor_get(judge->claim, "claim_generator_info");
    if (!bst_cbor_get_text(bst_cbor_get(judge->claim, "instanceID"), &text, &len) || len == 0 ||
        (!judge->claim_v1 && !bst_cbor_get_text(bst_cbor_get(info, "name"), &text, &len))) {
        bst_judge_fail(judge, "claim.malformed", url, "the claim lacks instanceID or the generator's name");
        return false;
    }
    if (!bst_cbor_get_text(bst_cbor_get(judge->claim, "alg"), &text, &len) || len > 15) {
        bst_judge_fail(judge, "algorithm.unsupported", url, "the claim names no digest algorithm");
        return false;
    }
    memcpy(judge->claim_alg, text, len);
    judge->claim_alg[len] = 0;
    if (!label_fits(judge->manifest->label))
        bst_judge_fail(judge, "claim.malformed", url, "the manifest's label is no URN of C2PA");
    return true;
}

/* ---- assertions ---- */

struct assertions {
    const struct bst_jumbf_box *store;
    bool *declared; /* by index of box */
    size_t hard_bindings;
    size_t actions;
    size_t ingredients;
};

/* Length of the label without the "__2" of a second assertion of the same kind. */
static size_t base_len(const char *label)
{
    size_t len = strlen(label), digits = 0;
    while (digits < len && label[len - 1 - digits] >= '0' && label[len - 1 - digits] <= '9') {
        digits++;
    }
    bool suffix = digits > 0 && len > digits + 2 && memcmp(label + len - digits - 2, "__", 2) == 0;
    return suffix ? len - digits - 2 : len;
}

static bool base_is(const char *label, const char *want)
{
    return base_len(label) == strlen(want) && memcmp(label, want, strlen(want)) == 0;
}

static bool is_hard_binding(const char *label)
{
    static const char *const kinds[] = {
        "c2pa.hash.data",    "c2pa.hash.boxes",           "c2pa.hash.bmff",       "c2pa.hash.bmff.v2",
        "c2pa.hash.bmff.v3", "c2pa.hash.collection.data", "c2pa.hash.multi-asset"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (base_is(label, kinds[i])) return true;
    }
    return false;
}

static enum bst_code judge_cbor_assertion(struct bst_judge *judge, struct assertions *all, const char *label,
                                          cbor_item_t *content, const char *url, struct bst_error *err)
{
    if (base_is(label, "c2pa.hash.data")) return bst_judge_data_hash(judge, content, url, err);
    if (is_hard_binding(label)) {
        bst_judge_fail(
            judge, "general.error", url,
            "a binding of a kind that this version does not read: the file's bytes could not be compared");
    } else if (base_is(label, "c2pa.actions.v2") || (base_is(label, "c2pa.actions") && !judge->claim_v1)) {
        bst_judge_actions(judge, content, url, all->actions++ == 0);
    } else if (base_is(label, "c2pa.ingredient.v3") || base_is(label, "c2pa.ingredient.v2") ||
               base_is(label, "c2pa.ingredient")) {
        if (all->ingredients++ < INGREDIENTS_MAX) {
            bst_judge_ingredient(judge, content, url);
        } else {
            bst_judge_fail(judge, "general.error", url, "more ingredients than this version checks");
        }
    } else if (base_is(label, BST_RECEIPT_LABEL)) {
        bst_judge_receipt(judge, content, url);
    }
    return BST_OK;
}

static enum bst_code judge_content(struct bst_judge *judge, struct assertions *all,
                                   const struct bst_jumbf_box *box, const char *url, struct bst_error *err)
{
    struct bst_error problem;
    const struct bst_jumbf_box *content = bst_jumbf_content(&judge->store, box);
    enum bst_code code = BST_OK;
    if (content != NULL && content->type == BST_BOX_JSON) {
        json_t *value;
        if (bst_json_parse((const char *)judge->store.bytes + content->data, content->data_len, &value,
                           &problem) == BST_OK) {
            json_decref(value);
        } else {
            bst_judge_fail(judge, "assertion.json.invalid", url, problem.what);
        }
    } else if (content != NULL && content->type == BST_BOX_CBOR) {
        cbor_item_t *item;
        if (bst_cbor_parse(judge->store.bytes + content->data, content->data_len, &item, &problem) !=
            BST_OK) {
            bst_judge_fail(judge, "assertion.cbor.invalid", url, problem.what);
        } else {
            code = judge_cbor_assertion(judge, all, box->label, item, url, err);
            cbor_decref(&item);
        }
    } else if (is_hard_binding(box->label)) {
        bst_judge_fail(judge, "assertion.dataHash.malformed", url,
                       "the binding to the file is not one CBOR box");
    }
    return code;
}

/* One entry of created_assertions or gathered_assertions. */
static enum bst_code judge_reference(struct bst_judge *judge, struct assertions *all, cbor_item_t *reference,
                                     bool created, struct bst_error *err)
{
    const char *target, *alg = judge->claim_alg;
    const uint8_t *want;
    uint8_t have[64];
    size_t target_len, want_len, have_len, alg_len;
    char url[192], own_alg[16] = {0};
    bst_judge_url(judge, "", url);
    if (!bst_cbor_get_text(bst_cbor_get(reference, "url"), &target, &target_len) ||
        !bst_cbor_get_bytes(bst_cbor_get(reference, "hash"), &want, &want_len)) {
        bst_judge_fail(judge, "claim.malformed", url, "an assertion is listed without address or digest");
        return BST_OK;
    }
    snprintf(url, sizeof(url), "%.*s", target_len > 180 ? 180 : (int)target_len, target);
    const char *named;
    if (bst_cbor_get_text(bst_cbor_get(reference, "alg"), &named, &alg_len) && alg_len < sizeof(own_alg)) {
        memcpy(own_alg, named, alg_len);
        alg = own_alg;
    }
    const struct bst_jumbf_box *box = bst_jumbf_resolve(&judge->store, judge->manifest, target, target_len);
    if (box == NULL) {
        bst_judge_fail(judge, "assertion.missing", url, "an assertion that the claim lists is not there");
        return BST_OK;
    }
    size_t index = (size_t)(box - judge->store.boxes);
    if (all->store == NULL || box->parent != (size_t)(all->store - judge->store.boxes)) {
        bst_judge_fail(judge, "assertion.outsideManifest", url,
                       "the claim lists an assertion outside its own manifest");
        return BST_OK;
    }
    if (all->declared[index]) {
        bst_judge_fail(judge, "claim.malformed", url, "the claim lists an assertion twice");
        return BST_OK;
    }
    all->declared[index] = true;
    if (!bst_jumbf_digest(&judge->store, box, alg, have, &have_len)) {
        bst_judge_fail(judge, "algorithm.unsupported", url, "an unknown digest algorithm");
        return BST_OK;
    }
    if (have_len != want_len || memcmp(have, want, have_len) != 0) {
        bst_judge_fail(judge, "assertion.hashedURI.mismatch", url,
                       "an assertion is not the one that was signed");
        return BST_OK;
    }
    bst_judge_say(judge, BST_STATUS_SUCCESS, "assertion.hashedURI.match", url,
                  "the assertion is the one signed");
    if (is_hard_binding(box->label)) {
        /* only the signer's own and only the first: each would cost a digest of the whole file */
        if (created) all->hard_bindings++;
        if (!created || all->hard_bindings > 1) return BST_OK;
    }
    return judge_content(judge, all, box, url, err);
}

static enum bst_code judge_list(struct bst_judge *judge, struct assertions *all, const char *key,
                                bool created, struct bst_error *err)
{
    enum bst_code code = BST_OK;
    cbor_item_t *list = bst_cbor_get(judge->claim, key);
    if (list == NULL) return BST_OK;
    if (!cbor_isa_array(list) || cbor_array_size(list) > 1000) {
        bst_judge_fail(judge, "claim.malformed", NULL,
                       "the claim's list of assertions is no array, or too long");
        return BST_OK;
    }
    for (size_t i = 0; i < cbor_array_size(list) && code == BST_OK; i++) {
        code = judge_reference(judge, all, cbor_array_handle(list)[i], created, err);
    }
    return code;
}

/* Every assertion in the store must be listed by the claim, or it would stand there unprotected. */
static void find_undeclared(struct bst_judge *judge, const struct assertions *all)
{
    char url[192];
    bst_judge_url(judge, "/c2pa.assertions", url);
    for (size_t i = all->store->first_child; i != 0; i = judge->store.boxes[i].next) {
        if (!all->declared[i])
            bst_judge_fail(judge, "assertion.undeclared", url, "an assertion that the claim does not list");
    }
}

static enum bst_code judge_assertions(struct bst_judge *judge, struct bst_error *err)
{
    struct assertions all = {.store = bst_jumbf_child(&judge->store, judge->manifest, "c2pa.assertions")};
    char url[192];
    bst_judge_url(judge, "", url);
    all.declared = bst_calloc(judge->store.count, sizeof(bool));
    if (all.declared == NULL) return bst_fail_memory(err);
    enum bst_code code =
        judge_list(judge, &all, judge->claim_v1 ? "assertions" : "created_assertions", true, err);
    if (code == BST_OK && !judge->claim_v1) code = judge_list(judge, &all, "gathered_assertions", false, err);
    if (code == BST_OK && all.store != NULL) find_undeclared(judge, &all);
    free(all.declared);
    if (code != BST_OK) return code;
    if (all.hard_bindings == 0)
        bst_judge_fail(judge, "claim.hardBindings.missing", url, "nothing binds the manifest to the file");
    if (all.hard_bindings > 1)
        bst_judge_fail(judge, "assertion.multipleHardBindings", url, "two bindings to the file");
    if (all.actions == 0 && !judge->claim_v1) {
        bst_judge_fail(judge, "assertion.action.malformed", url, "no action says how the file came to be");
    }
    cbor_item_t *redacted = bst_cbor_get(judge->claim, "redacted_assertions");
    if (redacted != NULL && (!cbor_isa_array(redacted) || cbor_array_size(redacted) > 0)) {
        bst_judge_say(judge, BST_STATUS_INFO, "redaction.notChecked", url,
                      "the claim says that it removed assertions of ingredients, which was not checked");
    }
    return BST_OK;
}

/* ---- verdict ---- */

/* Trusted: no failure at all. Valid: the only failure is that nobody vouches for the signer. */
static void conclude(struct bst_judge *judge)
{
    struct bst_c2pa *out = judge->out;
    bool trusted = false, validated = false, inside = false, failed = false, untrusted = false;
    for (size_t i = 0; i < out->status_count; i++) {
        const struct bst_status *status = &out->statuses[i];
        if (status->kind == BST_STATUS_FAILURE) {
            bool about_trust = strcmp(status->code, "signingCredential.untrusted") == 0;
            untrusted = untrusted || about_trust;
            failed = failed || !about_trust;
        } else if (status->kind == BST_STATUS_SUCCESS) {
            trusted = trusted || strcmp(status->code, "signingCredential.trusted") == 0;
            validated = validated || strcmp(status->code, "claimSignature.validated") == 0;
            inside = inside || strcmp(status->code, "claimSignature.insideValidity") == 0;
        }
    }
    bool valid = validated && inside && !failed;
    out->state = !valid ? BST_C2PA_INVALID : trusted && !untrusted ? BST_C2PA_TRUSTED : BST_C2PA_VALID;
}

static enum bst_code judge_manifest(struct bst_judge *judge, struct bst_error *err)
{
    struct bst_cose cose = {0};
    char url[192];
    bst_judge_url(judge, "", url);
    enum bst_code code = BST_OK;
    if (judge->manifest->content_type != BST_TYPE_MANIFEST) {
        bst_judge_fail(judge, "general.error", url,
                       "an update or compressed manifest, which this version does not read");
        return BST_OK;
    }
    const struct bst_jumbf_box *claim = find_claim(judge);
    if (claim == NULL || !read_claim(judge, claim, url)) return BST_OK;
    if (judge->claim_v1) {
        bst_judge_say(judge, BST_STATUS_INFO, "claim.v1", url,
                      "a claim of version 1: the rules for its actions were not checked");
    }
    bst_judge_signature(judge, &cose);
    code = judge_assertions(judge, err);
    if (code == BST_OK) {
        judge->out->report = bst_c2pa_report(judge, &cose);
        judge->failed_memory = judge->failed_memory || judge->out->report == NULL;
    }
    bst_cose_clear(&cose);
    return code;
}

enum bst_code bst_c2pa_read(const char *path, const struct bst_container *container,
                            const struct bst_trust *trust, struct bst_c2pa *out, struct bst_error *err)
{
    struct bst_judge judge = {.out = out, .path = path, .container = container, .trust = trust};
    struct bst_buf bytes = {0};
    memset(out, 0, sizeof(*out));
    enum bst_code code = bst_container_manifest(path, container, &bytes, err);
    if (code != BST_OK) return code;
    code = bst_jumbf_parse(bytes.data, bytes.len, &judge.store, err);
    if (code == BST_OK) code = find_active(&judge, err);
    if (code != BST_OK) bst_where(err, "%s", path);
    if (code == BST_OK) code = judge_manifest(&judge, err);
    if (code == BST_OK && judge.failed_memory) code = bst_fail_memory(err);
    if (code == BST_OK) conclude(&judge);
    if (judge.claim != NULL) cbor_decref(&judge.claim);
    bst_jumbf_clear(&judge.store);
    bst_buf_free(&bytes);
    ERR_clear_error();
    if (code != BST_OK) bst_c2pa_clear(out);
    return code;
}

void bst_c2pa_clear(struct bst_c2pa *c2pa)
{
    free(c2pa->statuses);
    free(c2pa->label);
    free(c2pa->generator);
    free(c2pa->signer);
    free(c2pa->signer_pem);
    free(c2pa->log_vkey);
    json_decref(c2pa->report);
    bst_buf_free(&c2pa->envelope);
    bst_buf_free(&c2pa->proof);
    memset(c2pa, 0, sizeof(*c2pa));
}
