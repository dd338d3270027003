/* c2pa_read.c - reads the manifest store that belongs to a file, and judges it (C2PA 2.4, 15). The rules stand in the
 * files that c2pa.h lists; the verdicts are those of the reference implementation, but where its own specification is
 * stricter. */
#include "c2pa.h"
#include "container.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

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
    cbor_item_t *info = bst_cbor_get(judge->active->item, "claim_generator_info");
    if (bst_cbor_count(info) > 0) info = cbor_array_handle(info)[0];
    if (!text_of(info, "name", &name)) text_of(judge->active->item, "claim_generator", &name);
    text_of(info, "version", &version);
    char *joined = bst_format("%s%s%s", name == NULL ? "" : name, version == NULL ? "" : " ",
                              version == NULL ? "" : version);
    judge->out->generator = joined == NULL ? NULL : bst_printable(joined, strlen(joined));
    judge->failed_memory = judge->failed_memory || judge->out->generator == NULL;
    free(joined);
    free(name);
    free(version);
}

/* Whatever stands where a claim says that something was removed must be empty: its digest is compared with
 * nothing (15.11.3.3.1). */
static void judge_removed(struct bst_judge *judge)
{
    char url[BST_URL];
    for (size_t i = 0; i < judge->redaction_count; i++) {
        const struct bst_redaction *redaction = &judge->redactions[i];
        const struct bst_assertion *assertion =
            redaction->claim == NULL
                ? NULL
                : bst_claim_assertion(redaction->claim, redaction->label, redaction->label_len);
        if (assertion == NULL || bst_assertion_is_empty(assertion)) continue;
        bst_url_text(redaction->uri, redaction->len, url);
        bst_judge_fail(judge, "assertion.notRedacted", url,
                       "an assertion is called removed, but is still there");
    }
}

static enum bst_code judge_store(struct bst_judge *judge, struct bst_error *err)
{
    read_generator(judge);
    bool finite = bst_judge_graph(judge);
    judge_removed(judge);
    judge->claim = judge->active;
    bst_judge_claim(judge);
    if (finite) bst_judge_ingredients(judge);
    judge->scope[0] = 0;
    enum bst_code code = bst_judge_binding(judge, err);
    for (size_t i = 0; i < judge->count && code == BST_OK; i++) {
        judge->claim = &judge->claims[i];
        if (judge->claim->item != NULL) bst_judge_identities(judge);
    }
    bst_judge_receipt(judge);
    bst_judge_suppress(judge);
    return code;
}

static enum bst_code judge_bytes(struct bst_judge *judge, struct bst_error *err)
{
    struct bst_c2pa *out = judge->out;
    enum bst_code code = bst_jumbf_parse(out->store.data, out->store.len, &judge->store, err);
    if (code != BST_OK) return code;
    code = bst_store_open(judge, err);
    if (code == BST_OK) {
        out->label = bst_strdup(judge->active->label);
        if (out->label == NULL) code = bst_fail_memory(err);
    }
    /* a claim that cannot be read leaves nothing to judge but what was found so far */
    if (code == BST_OK && judge->active->item != NULL) code = judge_store(judge, err);
    if (code == BST_OK && judge->failed_memory) code = bst_fail_memory(err);
    if (code == BST_OK) bst_judge_conclude(judge);
    bst_store_close(judge);
    return code;
}

/* ---- where the store stands ---- */

char *bst_sidecar_path(const char *path, bool whole)
{
    const char *name = bst_path_name(path), *dot = strrchr(name, '.');
    int stem = whole || dot == NULL || dot == name ? (int)strlen(path) : (int)(dot - path);
    return bst_format("%.*s.c2pa", stem, path);
}

static enum bst_code read_sidecar(const char *path, struct bst_buf *out, struct bst_error *err)
{
    char *tries[] = {bst_sidecar_path(path, false), bst_sidecar_path(path, true)};
    enum bst_code code = tries[0] == NULL || tries[1] == NULL ? bst_fail_memory(err) : BST_NO_PROVENANCE;
    for (size_t i = 0; i < 2 && code == BST_NO_PROVENANCE; i++) {
        if (bst_file_exists(tries[i])) code = bst_file_read(tries[i], BST_MANIFEST_MAX, out, err);
    }
    free(tries[0]);
    free(tries[1]);
    return code;
}

enum bst_code bst_c2pa_read(const char *path, const struct bst_container *container,
                            const struct bst_trust *trust, struct bst_c2pa *out, struct bst_error *err)
{
    struct bst_judge judge = {.out = out, .path = path, .container = container, .trust = trust};
    memset(out, 0, sizeof(*out));
    enum bst_code code = bst_container_manifest(path, container, &out->store, err);
    if (code == BST_NO_PROVENANCE) {
        struct bst_error beside = {0};
        code = read_sidecar(path, &out->store, &beside);
        if (code != BST_NO_PROVENANCE) *err = beside;
        judge.detached = out->sidecar = code == BST_OK;
    }
    if (code == BST_OK) {
        code = judge_bytes(&judge, err);
        if (code != BST_OK && err->where[0] == 0) bst_where(err, "%s", path);
    }
    ERR_clear_error();
    if (code != BST_OK) bst_c2pa_clear(out);
    return code;
}

enum bst_code bst_c2pa_read_detached(const char *path, const struct bst_container *container,
                                     const void *store, size_t len, const struct bst_trust *trust,
                                     struct bst_c2pa *out, struct bst_error *err)
{
    struct bst_judge judge = {
        .out = out, .path = path, .container = container, .trust = trust, .detached = true};
    memset(out, 0, sizeof(*out));
    bst_buf_append(&out->store, store, len);
    enum bst_code code = out->store.failed ? bst_fail_memory(err) : judge_bytes(&judge, err);
    out->sidecar = true;
    ERR_clear_error();
    if (code != BST_OK) bst_c2pa_clear(out);
    return code;
}

void bst_c2pa_clear(struct bst_c2pa *c2pa)
{
    free(c2pa->statuses);
    free(c2pa->identities);
    free(c2pa->label);
    free(c2pa->generator);
    free(c2pa->signer);
    free(c2pa->signer_pem);
    free(c2pa->log_vkey);
    bst_buf_free(&c2pa->store);
    bst_buf_free(&c2pa->envelope);
    bst_buf_free(&c2pa->proof);
    memset(c2pa, 0, sizeof(*c2pa));
}
