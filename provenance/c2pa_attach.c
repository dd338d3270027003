/* c2pa_attach.c - what is put into a finished manifest: a time stamp of its signature, an answer on revocation. Both go
 * where room was kept when it was signed, so neither hashes nor lengths change. */
#include "c2pa.h"
#include "timestamp.h"

#include <string.h>

/* The active manifest's signature in a store: where its COSE bytes lie, and the claim it covers. */
struct place {
    struct bst_jumbf jumbf;
    const struct bst_jumbf_box *signature, *claim; /* content boxes */
};

static enum bst_code find(const uint8_t *store, size_t len, struct place *out, struct bst_error *err)
{
    const struct bst_jumbf_box *active = NULL, *box = NULL, *claim = NULL;
    memset(out, 0, sizeof(*out));
    enum bst_code code = bst_jumbf_parse(store, len, &out->jumbf, err);
    if (code != BST_OK) return code;
    for (size_t i = out->jumbf.boxes[0].first_child; i != 0; i = out->jumbf.boxes[i].next) {
        uint32_t type = out->jumbf.boxes[i].content_type;
        if (type == BST_TYPE_MANIFEST || type == BST_TYPE_UPDATE) active = &out->jumbf.boxes[i];
    }
    if (active != NULL) {
        box = bst_jumbf_child(&out->jumbf, active, "c2pa.signature");
        claim = bst_jumbf_child(&out->jumbf, active, "c2pa.claim.v2");
        if (claim == NULL) claim = bst_jumbf_child(&out->jumbf, active, "c2pa.claim");
    }
    out->signature = box == NULL ? NULL : bst_jumbf_content(&out->jumbf, box);
    out->claim = claim == NULL ? NULL : bst_jumbf_content(&out->jumbf, claim);
    if (out->signature != NULL && out->signature->type == BST_BOX_CBOR && out->claim != NULL) return BST_OK;
    bst_jumbf_clear(&out->jumbf);
    return bst_fail(err, BST_BROKEN, "the manifest has no claim and signature");
}

enum bst_code bst_c2pa_stamped(const uint8_t *store, size_t len, struct bst_buf *data, struct bst_error *err)
{
    struct place place;
    struct bst_cose cose;
    enum bst_code code = find(store, len, &place, err);
    if (code != BST_OK) return code;
    code = bst_cose_parse(store + place.signature->data, place.signature->data_len, &cose, err);
    if (code == BST_OK) {
        bst_cose_stamped(&cose, NULL, 0, data);
        if (data->failed) code = bst_fail_memory(err);
        bst_cose_clear(&cose);
    }
    bst_jumbf_clear(&place.jumbf);
    return code;
}

enum bst_code bst_c2pa_attach(uint8_t *store, size_t len, const struct bst_attachment *attachment,
                              struct bst_error *err)
{
    struct place place;
    enum bst_code code = find(store, len, &place, err);
    if (code != BST_OK) return code;
    code = bst_cose_attach(store + place.signature->data, place.signature->data_len, attachment, err);
    bst_jumbf_clear(&place.jumbf);
    return code;
}

enum bst_code bst_c2pa_witness(uint8_t *store, size_t len, const struct bst_signer *signer,
                               struct bst_error *err)
{
    struct bst_buf data = {0}, token = {0};
    struct bst_attachment attachment = {.ocsp = signer->ocsp.data, .ocsp_len = signer->ocsp.len};
    enum bst_code code = BST_OK;
    if (signer->tsa != NULL) {
        code = bst_c2pa_stamped(store, len, &data, err);
        if (code == BST_OK) code = bst_timestamp_fetch(signer->tsa, &data, &token, err);
        attachment.token = token.data;
        attachment.token_len = token.len;
    }
    if (code == BST_OK && attachment.token_len + attachment.ocsp_len > 0)
        code = bst_c2pa_attach(store, len, &attachment, err);
    bst_buf_free(&data);
    bst_buf_free(&token);
    return code;
}
