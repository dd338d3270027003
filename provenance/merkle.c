/* merkle.c - RFC 6962 Merkle trees over SHA-256: hashes, roots, proofs made and verified. */
#include <sodium.h>
#include <string.h>

#include "merkle.h"

/* libsodium's SHA-256 rather than libcrypto's: its state lives on the stack, so hashing a leaf or a node
 * cannot fail, and on texts this short it is as fast. */
void bst_merkle_leaf(const void *data, size_t len, uint8_t out[static 32])
{
    static const uint8_t prefix =
        0; /* RFC 6962 2.1: a leaf and a node must never be mistaken for each other */
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, &prefix, 1);
    crypto_hash_sha256_update(&state, data, len);
    crypto_hash_sha256_final(&state, out);
}

void bst_merkle_node(const uint8_t left[static 32], const uint8_t right[static 32], uint8_t out[static 32])
{
    uint8_t text[65];
    text[0] = 1;
    memcpy(text + 1, left, 32);
    memcpy(text + 33, right, 32);
    crypto_hash_sha256(out, text, sizeof text);
}

static unsigned bit_length(uint64_t x)
{
    return x ? 64 - (unsigned)__builtin_clzll(x) : 0;
}

/* Largest power of two below n, for n >= 2. */
static uint64_t split(uint64_t n)
{
    return (uint64_t)1 << (bit_length(n - 1) - 1);
}

/* MTH(D[start:start + count]), RFC 6962 2.1. start is a multiple of the power of two that count is split at,
 * as in every range that the definition reaches. The recursion goes right only, one step for each set bit of
 * count. */
static enum bst_code range_hash(uint64_t start, uint64_t count, bst_node_fn node, void *arg,
                                uint8_t out[static 32], struct bst_error *err)
{
    if ((count & (count - 1)) == 0) {
        unsigned level = bit_length(count) - 1;
        return node(arg, level, start >> level, out, err);
    }
    uint8_t left[32], right[32];
    uint64_t half = split(count);
    enum bst_code code = range_hash(start, half, node, arg, left, err);
    if (code == BST_OK) code = range_hash(start + half, count - half, node, arg, right, err);
    if (code == BST_OK) bst_merkle_node(left, right, out);
    return code;
}

enum bst_code bst_merkle_root(uint64_t size, bst_node_fn node, void *arg, uint8_t out[static 32],
                              struct bst_error *err)
{
    if (size == 0) {
        bst_sha256("", 0, out);
        return BST_OK;
    }
    return range_hash(0, size, node, arg, out, err);
}

/* The ranges beside the way from the root down, last one first: what both kinds of proof are made of. */
struct siblings {
    size_t count;
    uint64_t start[BST_PROOF_MAX], size[BST_PROOF_MAX];
};

static enum bst_code hash_siblings(const struct siblings *siblings, bst_node_fn node, void *arg,
                                   uint8_t proof[static BST_PROOF_MAX][32], size_t *len,
                                   struct bst_error *err)
{
    for (size_t i = siblings->count; i-- > 0;) {
        enum bst_code code = range_hash(siblings->start[i], siblings->size[i], node, arg, proof[*len], err);
        if (code != BST_OK) return code;
        (*len)++;
    }
    return BST_OK;
}

enum bst_code bst_merkle_prove_inclusion(uint64_t index, uint64_t size, bst_node_fn node, void *arg,
                                         uint8_t proof[static BST_PROOF_MAX][32], size_t *len,
                                         struct bst_error *err)
{
    struct siblings way = {0};
    uint64_t start = 0, count = size;
    while (count > 1) { /* PATH(m, D[n]), RFC 6962 2.1.1 */
        uint64_t half = split(count);
        bool left = index < start + half;
        way.start[way.count] = left ? start + half : start;
        way.size[way.count++] = left ? count - half : half;
        if (!left) start += half;
        count = left ? half : count - half;
    }
    *len = 0;
    return hash_siblings(&way, node, arg, proof, len, err);
}

enum bst_code bst_merkle_prove_consistency(uint64_t size1, uint64_t size2, bst_node_fn node, void *arg,
                                           uint8_t proof[static BST_PROOF_MAX][32], size_t *len,
                                           struct bst_error *err)
{
    struct siblings way = {0};
    uint64_t start = 0, count = size2, old = size1;
    bool whole = true;    /* the old tree is exactly the range at hand: its root is known to the verifier */
    while (old < count) { /* SUBPROOF(m, D[n], b), RFC 6962 2.1.2 */
        uint64_t half = split(count);
        bool left = old <= half;
        way.start[way.count] = left ? start + half : start;
        way.size[way.count++] = left ? count - half : half;
        if (!left) {
            start += half;
            old -= half;
            whole = false;
        }
        count = left ? half : count - half;
    }
    if (!whole) {
        way.start[way.count] = start;
        way.size[way.count++] = count;
    }
    *len = 0;
    return hash_siblings(&way, node, arg, proof, len, err);
}

enum bst_code bst_peaks_push(struct bst_peaks *peaks, const uint8_t leaf[static 32], bst_made_fn made,
                             void *arg, struct bst_error *err)
{
    uint8_t hash[32];
    memcpy(hash, leaf, 32);
    unsigned level = 0;
    for (; peaks->size >> level & 1; level++) {
        bst_merkle_node(peaks->peak[level], hash, hash);
        enum bst_code code = made ? made(arg, level + 1, peaks->size >> (level + 1), hash, err) : BST_OK;
        if (code != BST_OK) return code;
    }
    memcpy(peaks->peak[level], hash, 32);
    peaks->size++;
    return BST_OK;
}

void bst_peaks_root(const struct bst_peaks *peaks, uint8_t out[static 32])
{
    bool first = true;
    if (peaks->size == 0) bst_sha256("", 0, out);
    for (unsigned level = 0; level < BST_LEVELS; level++) {
        if (!(peaks->size >> level & 1)) continue;
        if (first) {
            memcpy(out, peaks->peak[level], 32);
        } else {
            bst_merkle_node(peaks->peak[level], out, out);
        }
        first = false;
    }
}

bool bst_merkle_verify_inclusion(uint64_t index, uint64_t size, const uint8_t leaf[static 32],
                                 const uint8_t (*proof)[32], size_t proof_len, const uint8_t root[static 32])
{
    if (index >= size) return false;
    unsigned inner = bit_length(index ^ (size - 1));
    unsigned border = inner < 64 ? (unsigned)__builtin_popcountll(index >> inner) : 0;
    if (proof_len != inner + border) return false;
    uint8_t hash[32];
    memcpy(hash, leaf, 32);
    for (size_t i = 0; i < proof_len; i++) {
        bool is_left = i < inner && !(index >> i & 1);
        if (is_left) {
            bst_merkle_node(hash, proof[i], hash);
        } else {
            bst_merkle_node(proof[i], hash, hash);
        }
    }
    return memcmp(hash, root, 32) == 0;
}

bool bst_merkle_verify_consistency(uint64_t size1, uint64_t size2, const uint8_t root1[static 32],
                                   const uint8_t root2[static 32], const uint8_t (*proof)[32],
                                   size_t proof_len)
{
    if (size1 == 0 || size1 > size2) return false;
    if (size1 == size2) return proof_len == 0 && memcmp(root1, root2, 32) == 0;
    unsigned shift = (unsigned)__builtin_ctzll(size1);
    unsigned inner = bit_length((size1 - 1) ^ (size2 - 1));
    unsigned border = inner < 64 ? (unsigned)__builtin_popcountll((size1 - 1) >> inner) : 0;
    inner -= shift;
    size_t start = (size1 & (size1 - 1)) == 0 ? 0 : 1; /* a power of two: the old root itself is the seed */
    if (proof_len != start + inner + border) return false;
    uint64_t mask = (size1 - 1) >> shift;
    uint8_t old_hash[32], new_hash[32];
    memcpy(old_hash, start ? proof[0] : root1, 32);
    memcpy(new_hash, old_hash, 32);
    for (size_t i = 0; i < inner + border; i++) {
        const uint8_t *hash = proof[start + i];
        if (i >= inner || mask >> i & 1) {
            bst_merkle_node(hash, old_hash, old_hash);
            bst_merkle_node(hash, new_hash, new_hash);
        } else {
            bst_merkle_node(new_hash, hash, new_hash);
        }
    }
    return memcmp(old_hash, root1, 32) == 0 && memcmp(new_hash, root2, 32) == 0;
}
