/* tiles.h - a Merkle tree cut into tiles (c2sp.org/tlog-tiles 0.1.0), as a log is served by a plain web server. Private to
 * provenance/.
 *
 *   checkpoint                    the signed note
 *   tile/LEVEL/N[.p/WIDTH]        256 hashes (a partial one: WIDTH), each the root of 256^LEVEL leaves
 *   tile/entries/N[.p/WIDTH]      256 entries, each behind its length in two bytes
 *   large/INDEX                   ours: an entry that two bytes cannot count; in its bundle it has the length 0
 */
#ifndef BST_TILES_H
#define BST_TILES_H

#include "merkle.h"

#define BST_TILE_WIDTH     256u
#define BST_TILE_LEVELS    8 /* 256^8 leaves are more than can be counted */
#define BST_TILE_PATH      64
#define BST_BUNDLED_MAX    65535u /* bytes of an entry in a bundle */
#define BST_BUNDLE_MAX     (BST_TILE_WIDTH * (2 + BST_BUNDLED_MAX))
#define BST_CHECKPOINT_MAX (64u << 10) /* bytes of a signed note */

/* A resource's path; width BST_TILE_WIDTH: the whole one. */
void bst_tile_path(unsigned level, uint64_t number, unsigned width, char out[static BST_TILE_PATH]);
void bst_bundle_path(uint64_t number, unsigned width, char out[static BST_TILE_PATH]);
void bst_large_path(uint64_t index, char out[static BST_TILE_PATH]);

/* The tree's right edge in tiles: of each level the tile that is not full yet, (size >> 8 * level) % 256 hashes of it. */
struct bst_tiles {
    uint64_t size; /* leaves */
    uint8_t hash[BST_TILE_LEVELS][BST_TILE_WIDTH][32];
};
typedef enum bst_code (*bst_tile_fn)(void *arg, unsigned level, uint64_t number, const uint8_t (*hash)[32],
                                     unsigned width, struct bst_error *err);
/* Adds a leaf; full is called for each tile that it fills, lowest level first. */
enum bst_code bst_tiles_push(struct bst_tiles *tiles, const uint8_t leaf[static 32], bst_tile_fn full,
                             void *arg, struct bst_error *err);
/* Calls partial for each tile that is begun and not full. */
enum bst_code bst_tiles_rest(const struct bst_tiles *tiles, bst_tile_fn partial, void *arg,
                             struct bst_error *err);
/* The edge of a tree of that size whose nodes are at hand. */
enum bst_code bst_tiles_resume(struct bst_tiles *tiles, uint64_t size, bst_node_fn node, void *arg,
                               struct bst_error *err);
void bst_tiles_root(const struct bst_tiles *tiles, uint8_t out[static 32]);
/* Root of count hashes, a power of two. */
void bst_tile_hash(const uint8_t (*hash)[32], unsigned count, uint8_t out[static 32]);

#endif
