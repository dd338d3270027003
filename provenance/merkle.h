/* merkle.h - making Merkle roots and proofs. Private to provenance/; verifying is in provenance.h.
 *
 * A tree over n leaves is kept as the hashes of its complete subtrees: node (level, idx) covers the leaves
 * [idx << level, (idx + 1) << level). Such a node never changes once it is complete, so they can be stored as
 * they come; any root or proof needs O(log n) of them. */
#ifndef BST_MERKLE_H
#define BST_MERKLE_H

#include "provenance.h"

#define BST_LEVELS 63 /* sizes fit int64_t, which is what SQLite counts in */

/* Gives the hash of one complete subtree; level 0 is a leaf. */
typedef enum bst_code (*bst_node_fn)(void *arg, unsigned level, uint64_t idx, uint8_t hash[static 32],
                                     struct bst_error *err);

/* Root over the first size leaves; size 0 is SHA-256(""). */
enum bst_code bst_merkle_root(uint64_t size, bst_node_fn node, void *arg, uint8_t out[static 32],
                              struct bst_error *err);
/* Path of leaf index in the tree of that size, leaf's sibling first; needs index < size. */
enum bst_code bst_merkle_prove_inclusion(uint64_t index, uint64_t size, bst_node_fn node, void *arg,
                                         uint8_t proof[static BST_PROOF_MAX][32], size_t *len,
                                         struct bst_error *err);
/* Proof that the tree of size1 leaves is a prefix of the one of size2; needs 0 < size1 <= size2. */
enum bst_code bst_merkle_prove_consistency(uint64_t size1, uint64_t size2, bst_node_fn node, void *arg,
                                           uint8_t proof[static BST_PROOF_MAX][32], size_t *len,
                                           struct bst_error *err);

/* The right edge of a growing tree: peak[l] is the complete subtree of level l that no larger one covers, and
 * counts only where bit l of size is set. */
struct bst_peaks {
    uint64_t size;
    uint8_t peak[BST_LEVELS][32];
};
/* Adds a leaf; made is called for each subtree that becomes complete, level >= 1, lowest first. */
typedef enum bst_code (*bst_made_fn)(void *arg, unsigned level, uint64_t idx, const uint8_t hash[static 32],
                                     struct bst_error *err);
enum bst_code bst_peaks_push(struct bst_peaks *peaks, const uint8_t leaf[static 32], bst_made_fn made,
                             void *arg, struct bst_error *err);
void bst_peaks_root(const struct bst_peaks *peaks, uint8_t out[static 32]);

#endif
