/* proof.c - the proof of one entry as a text (c2sp.org/tlog-proof@v1) and its judgement. */
#include <stdlib.h>
#include <string.h>

#include "provenance.h"

#define HEADER    "c2sp.org/tlog-proof@v1\n"
#define PROOF_LEN (128u << 10) /* bytes of a proof's text, at most */

void bst_proof_clear(struct bst_proof *proof)
{
    free(proof->checkpoint);
    *proof = (struct bst_proof){0};
}

enum bst_code bst_proof_text(const struct bst_proof *proof, struct bst_buf *out, struct bst_error *err)
{
    bst_buf_printf(out, HEADER "index %llu\n", (unsigned long long)proof->index);
    for (size_t i = 0; i < proof->len; i++) {
        char *hash = bst_base64(proof->hash[i], 32);
        if (!hash) return bst_fail_memory(err);
        bst_buf_printf(out, "%s\n", hash);
        free(hash);
    }
    bst_buf_printf(out, "\n%s", proof->checkpoint);
    return out->failed ? bst_fail_memory(err) : BST_OK;
}

struct reader {
    const char *at, *end;
};

/* Next line without its newline; false when there is none. */
static bool read_line(struct reader *reader, const char **line, size_t *len)
{
    const char *stop = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
    if (!stop) return false;
    *line = reader->at;
    *len = (size_t)(stop - reader->at);
    reader->at = stop + 1;
    return true;
}

static bool starts_with(const char *line, size_t len, const char *word)
{
    return len >= strlen(word) && memcmp(line, word, strlen(word)) == 0;
}

/* "index N", decimal without leading zeros. */
static bool parse_index(const char *line, size_t len, uint64_t *index)
{
    char digits[24];
    const size_t word = strlen("index ");
    if (!starts_with(line, len, "index ") || len - word == 0 || len - word >= sizeof digits) return false;
    memcpy(digits, line + word, len - word);
    digits[len - word] = 0;
    if (digits[0] == '0' && digits[1]) return false;
    return bst_parse_u64(digits, index);
}

static bool parse_hash(const char *line, size_t len, uint8_t hash[static 32])
{
    struct bst_buf bytes = {0};
    bool good = bst_unbase64(line, len, false, &bytes) && bytes.len == 32;
    if (good) memcpy(hash, bytes.data, 32);
    bst_buf_free(&bytes);
    return good;
}

enum bst_code bst_proof_parse(const char *text, size_t len, struct bst_proof *out, struct bst_error *err)
{
    struct reader reader = {text, text + len};
    struct bst_proof proof = {0};
    const char *line;
    size_t size;
    if (len > PROOF_LEN || !starts_with(text, len, HEADER)) {
        return bst_fail(err, BST_UNREADABLE, "this is not a tlog-proof");
    }
    reader.at += strlen(HEADER);
    bool good = read_line(&reader, &line, &size);
    if (good && starts_with(line, size, "extra "))
        good = read_line(&reader, &line, &size); /* nothing vouches for it */
    if (!good || !parse_index(line, size, &proof.index)) {
        return bst_fail(err, BST_UNREADABLE, "the tlog-proof has no valid index line");
    }
    while ((good = read_line(&reader, &line, &size)) && size > 0) {
        if (proof.len == BST_PROOF_MAX || !parse_hash(line, size, proof.hash[proof.len])) {
            return bst_fail(err, BST_UNREADABLE, "hash %zu of the tlog-proof is malformed", proof.len + 1);
        }
        proof.len++;
    }
    size_t rest = (size_t)(reader.end - reader.at);
    if (!good || rest == 0 || memchr(reader.at, 0, rest)) {
        return bst_fail(err, BST_UNREADABLE, "the tlog-proof holds no checkpoint");
    }
    proof.checkpoint = bst_calloc(rest + 1, 1);
    if (!proof.checkpoint) return bst_fail_memory(err);
    memcpy(proof.checkpoint, reader.at, rest);
    *out = proof;
    return BST_OK;
}

enum bst_code bst_proof_verify(const struct bst_proof *proof, const void *leaf_data, size_t len,
                               const char *origin, const uint8_t log_key[static BST_KEY_LEN],
                               struct bst_error *err)
{
    struct bst_checkpoint checkpoint;
    enum bst_code code =
        bst_checkpoint_open(proof->checkpoint, strlen(proof->checkpoint), origin, log_key, &checkpoint, err);
    if (code != BST_OK) return code == BST_UNREADABLE ? (err->code = BST_BROKEN) : code;
    uint8_t leaf[32];
    bst_merkle_leaf(leaf_data, len, leaf);
    if (!bst_merkle_verify_inclusion(proof->index, checkpoint.size, leaf, proof->hash, proof->len,
                                     checkpoint.root)) {
        code = bst_fail(err, BST_BROKEN, "the statement is not entry %llu of the log at size %llu",
                        (unsigned long long)proof->index, (unsigned long long)checkpoint.size);
    }
    bst_checkpoint_clear(&checkpoint);
    return code;
}
