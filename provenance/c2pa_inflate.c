/* c2pa_inflate.c - a manifest that stands in the store brotli-compressed, in a brob box (C2PA 2.4, 11.2.4). What
 * it becomes is bounded whatever its length claims. */
#include "c2pa.h"

#include <brotli/decode.h>

static const char *inflate(BrotliDecoderState *state, const uint8_t *data, size_t len, size_t limit,
                           struct bst_buf *out)
{
    uint8_t block[16384];
    for (;;) {
        uint8_t *next = block;
        size_t room = sizeof(block);
        BrotliDecoderResult result = BrotliDecoderDecompressStream(state, &len, &data, &room, &next, NULL);
        bst_buf_append(out, block, sizeof(block) - room);
        if (out->failed) return "out of memory";
        if (out->len > limit) return "it is larger than any manifest";
        if (result == BROTLI_DECODER_RESULT_SUCCESS) {
            return len == 0 ? NULL : "bytes stand behind its end";
        }
        if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) return "it ends too early";
        if (result == BROTLI_DECODER_RESULT_ERROR) return "it is not compressed with brotli";
    }
}

const char *bst_claim_inflate(const struct bst_jumbf *store, const struct bst_jumbf_box *brob, size_t limit,
                              struct bst_claim *out)
{
    struct bst_error err;
    BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    if (state == NULL) return "out of memory";
    const char *problem = inflate(state, store->bytes + brob->data, brob->data_len, limit, &out->inflated);
    BrotliDecoderDestroyInstance(state);
    if (problem != NULL) return problem;
    if (bst_jumbf_parse_box(out->inflated.data, out->inflated.len, &out->own, &err) != BST_OK)
        return "what it holds is no manifest";
    out->jumbf = &out->own;
    out->box = &out->own.boxes[0];
    return NULL;
}
