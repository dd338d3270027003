/* tiles.c - a growing Merkle tree in tiles of 256 hashes, and the names that tiles are served under. */
#include "tiles.h"

#include <stdio.h>
#include <string.h>

/* A number in groups of three digits, all but the last behind an x: 1234067 is x001/x234/067. */
static size_t put_number(uint64_t number, char *out, size_t room)
{
    uint64_t unit = 1;
    size_t len = 0;
    while (number / unit >= 1000)
        unit *= 1000;
    for (; unit > 0; unit /= 1000) {
        int n =
            snprintf(out + len, room - len, unit > 1 ? "x%03u/" : "%03u", (unsigned)(number / unit % 1000));
        len += (size_t)n;
    }
    return len;
}

static void put_path(const char *folder, uint64_t number, unsigned width, char out[static BST_TILE_PATH])
{
    size_t len = (size_t)snprintf(out, BST_TILE_PATH, "%s/", folder);
    len += put_number(number, out + len, BST_TILE_PATH - len);
    if (width < BST_TILE_WIDTH) snprintf(out + len, BST_TILE_PATH - len, ".p/%u", width);
}

void bst_tile_path(unsigned level, uint64_t number, unsigned width, char out[static BST_TILE_PATH])
{
    char folder[24];
    snprintf(folder, sizeof folder, "tile/%u", level);
    put_path(folder, number, width, out);
}

void bst_bundle_path(uint64_t number, unsigned width, char out[static BST_TILE_PATH])
{
    put_path("tile/entries", number, width, out);
}

void bst_large_path(uint64_t index, char out[static BST_TILE_PATH])
{
    put_path("large", index, BST_TILE_WIDTH, out);
}

void bst_tile_hash(const uint8_t (*hash)[32], unsigned count, uint8_t out[static 32])
{
    uint8_t level[BST_TILE_WIDTH][32];
    memcpy(level, hash, (size_t)count * 32);
    for (; count > 1; count /= 2) {
        for (unsigned i = 0; i < count / 2; i++)
            bst_merkle_node(level[2 * i], level[2 * i + 1], level[i]);
    }
    memcpy(out, level[0], 32);
}

enum bst_code bst_tiles_push(struct bst_tiles *tiles, const uint8_t leaf[static 32], bst_tile_fn full,
                             void *arg, struct bst_error *err)
{
    uint8_t hash[32];
    memcpy(hash, leaf, sizeof hash);
    for (unsigned level = 0;; level++) {
        uint64_t idx = tiles->size >> 8 * level;
        const uint8_t(*tile)[32] = (const uint8_t(*)[32])tiles->hash[level];
        memcpy(tiles->hash[level][idx % BST_TILE_WIDTH], hash, sizeof hash);
        if (idx % BST_TILE_WIDTH != BST_TILE_WIDTH - 1) break;
        enum bst_code code =
            full ? full(arg, level, idx / BST_TILE_WIDTH, tile, BST_TILE_WIDTH, err) : BST_OK;
        if (code != BST_OK) return code;
        bst_tile_hash(tile, BST_TILE_WIDTH, hash);
    }
    tiles->size++;
    return BST_OK;
}

enum bst_code bst_tiles_rest(const struct bst_tiles *tiles, bst_tile_fn partial, void *arg,
                             struct bst_error *err)
{
    enum bst_code code = BST_OK;
    for (unsigned level = 0; level < BST_TILE_LEVELS && code == BST_OK; level++) {
        uint64_t count = tiles->size >> 8 * level;
        unsigned width = (unsigned)(count % BST_TILE_WIDTH);
        if (width > 0)
            code = partial(arg, level, count / BST_TILE_WIDTH, (const uint8_t(*)[32])tiles->hash[level],
                           width, err);
    }
    return code;
}

enum bst_code bst_tiles_resume(struct bst_tiles *tiles, uint64_t size, bst_node_fn node, void *arg,
                               struct bst_error *err)
{
    enum bst_code code = BST_OK;
    tiles->size = size;
    for (unsigned level = 0; level < BST_TILE_LEVELS; level++) {
        uint64_t count = size >> 8 * level, start = count - count % BST_TILE_WIDTH;
        for (uint64_t i = start; i < count && code == BST_OK; i++)
            code = node(arg, 8 * level, i, tiles->hash[level][i - start], err);
    }
    return code;
}

/* bst_node_fn over the edge: a root needs no nodes but those of it. */
static enum bst_code edge_node(void *arg, unsigned level, uint64_t idx, uint8_t hash[static 32],
                               struct bst_error *err)
{
    const struct bst_tiles *tiles = arg;
    unsigned within = level % 8; /* so many levels above the tile's hashes */
    (void)err;
    bst_tile_hash((const uint8_t(*)[32]) & tiles->hash[level / 8][(idx << within) % BST_TILE_WIDTH],
                  1u << within, hash);
    return BST_OK;
}

void bst_tiles_root(const struct bst_tiles *tiles, uint8_t out[static 32])
{
    struct bst_error ignored; /* edge_node cannot fail */
    bst_merkle_root(tiles->size, edge_node, (void *)(uintptr_t)tiles, out, &ignored);
}
