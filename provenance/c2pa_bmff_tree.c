/* c2pa_bmff_tree.c - what the boxes "mdat" of a file hold, bound by Merkle trees over blocks of it (C2PA 2.4, 15.12.2
 * and 18.6.2): one tree for each such box. Either the assertion holds the root or all leaves, or a row between, and then
 * boxes "uuid" hold the way there for each block. Trees of films (fragments and tracks) are not read. */
#include "c2pa_bmff.h"

#include <stdlib.h>
#include <string.h>

#define SKIPPED    16 /* bytes of each box that are not in its tree, whatever its header takes (18.6.2) */
#define LEAVES_MAX (1u << 19)
#define PROOF_MAX  65536 /* bytes of a box with a way through a tree */

static const char altered[] = "the picture data are not those that were signed: they were altered afterwards";
static const char shape[] = "the trees of the binding do not fit the file's picture data";

/* One tree of the assertion, and the blocks of the box it is of. */
struct tree {
    cbor_item_t *hashes; /* array of one row of the tree */
    uint64_t count;      /* leaves, as the assertion has it */
    char alg[BST_ALG_LEN];
    size_t len; /* of a digest */
    size_t blocks;
    struct bst_range *block;
    uint8_t *leaf;
};

/* The boxes that hold ways through trees, in the order of the file. */
struct proofs {
    size_t count, at; /* at: the next one */
    size_t *box;      /* indexes of segments */
};

/* ---- blocks ---- */

static bool add_block(struct tree *tree, uint64_t *at, uint64_t *left, uint64_t length)
{
    if (length > *left) return false;
    tree->block[tree->blocks++] = (struct bst_range){*at, length};
    *at += length;
    *left -= length;
    return true;
}

/* Cuts the box into the blocks that the assertion speaks of. */
static enum bst_code cut(struct tree *tree, cbor_item_t *map, const struct bst_segment *box, bool *good,
                         struct bst_error *err)
{
    cbor_item_t *sizes = bst_cbor_optional(map, "variableBlockSizes"),
                *fixed = bst_cbor_optional(map, "fixedBlockSize");
    uint64_t skip = box->whole.length < SKIPPED ? box->whole.length : SKIPPED, size = 0;
    uint64_t at = box->whole.start + skip, left = box->whole.length - skip, count = 1;
    *good = sizes == NULL || (fixed == NULL && cbor_isa_array(sizes));
    if (fixed != NULL) {
        *good = *good && bst_cbor_get_uint(fixed, &size) && size > 1;
        count = *good ? left / size + (left % size != 0) : 0;
    } else if (sizes != NULL && *good) {
        count = cbor_array_size(sizes);
    }
    *good = *good && count <= LEAVES_MAX;
    if (!*good) return BST_OK;
    tree->block = bst_calloc((size_t)count + 1, sizeof(*tree->block));
    if (tree->block == NULL) return bst_fail_memory(err);
    for (size_t i = 0; i < count && *good; i++) {
        uint64_t length = fixed == NULL ? left : size < left ? size : left;
        if (sizes != NULL) *good = bst_cbor_get_uint(cbor_array_handle(sizes)[i], &length);
        *good = *good && add_block(tree, &at, &left, length);
    }
    *good = *good && left == 0 && tree->blocks == tree->count;
    return BST_OK;
}

static bool read_tree(const char *alg, cbor_item_t *map, struct tree *out)
{
    uint8_t unused[64];
    bst_named_alg(bst_cbor_get(map, "alg"), alg, out->alg);
    out->len = bst_hash_bytes(out->alg, "", 0, unused);
    out->hashes = bst_cbor_get(map, "hashes");
    return out->len > 0 && out->hashes != NULL && cbor_isa_array(out->hashes) &&
           bst_cbor_get_uint(bst_cbor_get(map, "count"), &out->count) &&
           bst_cbor_optional(map, "initHash") == NULL; /* of fragments, of which there are none */
}

/* ---- trees ---- */

static bool row_has(const struct tree *tree, uint64_t index, const uint8_t *have)
{
    const uint8_t *want;
    size_t len;
    return index < cbor_array_size(tree->hashes) &&
           bst_cbor_get_bytes(cbor_array_handle(tree->hashes)[index], &want, &len) && len == tree->len &&
           memcmp(want, have, len) == 0;
}

static void join(const struct tree *tree, const uint8_t *left, const uint8_t *right, uint8_t out[static 64])
{
    uint8_t both[128];
    memcpy(both, left, tree->len);
    memcpy(both + tree->len, right, tree->len);
    bst_hash_bytes(tree->alg, both, 2 * tree->len, out);
}

/* Leaves to root, in their place; one without a neighbour goes up as it is. */
static bool root_fits(struct tree *tree)
{
    uint8_t made[64];
    for (size_t n = tree->blocks; n > 1; n = n / 2 + n % 2) {
        for (size_t i = 0; i < n / 2; i++) {
            join(tree, tree->leaf + 2 * i * tree->len, tree->leaf + (2 * i + 1) * tree->len, made);
            memcpy(tree->leaf + i * tree->len, made, tree->len);
        }
        if (n % 2 == 1) memcpy(tree->leaf + n / 2 * tree->len, tree->leaf + (n - 1) * tree->len, tree->len);
    }
    return row_has(tree, 0, tree->leaf);
}

/* The way from a leaf up to the row that the assertion holds. */
static bool way_fits(const struct tree *tree, uint64_t index, cbor_item_t *way)
{
    uint8_t hash[64];
    size_t used = 0;
    memcpy(hash, tree->leaf + index * tree->len, tree->len);
    for (uint64_t row = tree->count; row > 1 && row != cbor_array_size(tree->hashes);
         row = row / 2 + row % 2) {
        const uint8_t *other;
        size_t len;
        bool right = index % 2 == 1;
        if (right || index + 1 < row) {
            if (way == NULL || used == cbor_array_size(way) ||
                !bst_cbor_get_bytes(cbor_array_handle(way)[used++], &other, &len) || len != tree->len)
                return false;
            join(tree, right ? other : hash, right ? hash : other, hash);
        }
        index /= 2;
    }
    return row_has(tree, index, hash);
}

/* ---- ways in boxes of their own ---- */

static bool is_way(const struct bst_judge *judge, const struct bst_segment *box)
{
    static const char purpose[] = "merkle";
    struct bst_buf head = {0};
    struct bst_error err;
    struct bst_segment part = *box;
    size_t want = BST_C2PA_PURPOSE + sizeof(purpose);
    if (box->depth > 0 || strcmp(box->type, "uuid") != 0 || box->data.length < want) return false;
    part.data.length = want;
    bool is = bst_segment_read(judge->path, &part, want, &head, &err) == BST_OK &&
              memcmp(head.data, bst_c2pa_uuid, BST_C2PA_UUID_LEN) == 0 &&
              memcmp(head.data + BST_C2PA_PURPOSE, purpose, sizeof(purpose)) == 0;
    bst_buf_free(&head);
    return is;
}

/* Reads the next way, which must be that of the leaf. */
static bool next_way_fits(const struct bst_judge *judge, const struct tree *tree, struct proofs *proofs,
                          uint64_t index)
{
    struct bst_segment box = judge->container->segments[proofs->box[proofs->at++]];
    struct bst_buf bytes = {0};
    struct bst_error err;
    cbor_item_t *map = NULL;
    uint64_t location;
    size_t skip = BST_C2PA_PURPOSE + sizeof("merkle");
    box.data = (struct bst_range){box.data.start + skip, box.data.length - skip};
    bool good = bst_segment_read(judge->path, &box, PROOF_MAX, &bytes, &err) == BST_OK &&
                bst_cbor_parse(bytes.data, bytes.len, &map, &err) == BST_OK;
    if (good) {
        cbor_item_t *way = bst_cbor_optional(map, "hashes");
        good = bst_cbor_get_uint(bst_cbor_get(map, "location"), &location) && location == index &&
               (way == NULL || cbor_isa_array(way)) && way_fits(tree, index, way);
        cbor_decref(&map);
    }
    bst_buf_free(&bytes);
    return good;
}

/* ---- the whole ---- */

static bool tree_fits(const struct bst_judge *judge, struct tree *tree, struct proofs *proofs)
{
    bool good = true;
    if (proofs->count > 0) {
        for (size_t i = 0; i < tree->blocks && good; i++) {
            good = proofs->at < proofs->count && next_way_fits(judge, tree, proofs, i);
        }
        return good;
    }
    if (cbor_array_size(tree->hashes) == 1 && tree->count > 1) return root_fits(tree);
    for (size_t i = 0; i < tree->blocks && good; i++) {
        good = cbor_array_size(tree->hashes) == tree->count && row_has(tree, i, tree->leaf + i * tree->len);
    }
    return good;
}

static enum bst_code judge_tree(const struct bst_judge *judge, const struct bst_segment *box,
                                cbor_item_t *map, struct tree *tree, struct proofs *proofs,
                                const char **problem, struct bst_error *err)
{
    bool good;
    enum bst_code code = cut(tree, map, box, &good, err);
    if (code == BST_OK && !good) *problem = shape;
    if (code != BST_OK || !good) return code;
    tree->leaf = bst_calloc(tree->blocks + 1, tree->len);
    if (tree->leaf == NULL) return bst_fail_memory(err);
    code = bst_container_hash_each(judge->path, tree->block, tree->blocks, tree->alg, tree->leaf, err);
    if (code == BST_OK && !tree_fits(judge, tree, proofs)) *problem = altered;
    return code;
}

static enum bst_code find_proofs(const struct bst_judge *judge, struct proofs *out, struct bst_error *err)
{
    const struct bst_container *container = judge->container;
    out->box = bst_calloc(container->count + 1, sizeof(*out->box));
    if (out->box == NULL) return bst_fail_memory(err);
    for (size_t i = 0; i < container->count; i++) {
        if (is_way(judge, &container->segments[i])) out->box[out->count++] = i;
    }
    return BST_OK;
}

static bool has_box(const struct bst_container *container, const char *type)
{
    for (size_t i = 0; i < container->count; i++) {
        if (container->segments[i].depth == 0 && strcmp(container->segments[i].type, type) == 0) return true;
    }
    return false;
}

static bool names_blocks(cbor_item_t *list)
{
    for (size_t i = 0; i < cbor_array_size(list); i++) {
        cbor_item_t *map = cbor_array_handle(list)[i];
        if (bst_cbor_optional(map, "fixedBlockSize") == NULL &&
            bst_cbor_optional(map, "variableBlockSizes") == NULL)
            return false;
    }
    return true;
}

enum bst_code bst_judge_trees(const struct bst_judge *judge, const char *alg, cbor_item_t *list,
                              const char **problem, struct bst_error *err)
{
    const struct bst_container *container = judge->container;
    struct proofs proofs = {0};
    size_t done = 0;
    if (!cbor_isa_array(list)) {
        *problem = shape;
        return BST_OK;
    }
    enum bst_code code = find_proofs(judge, &proofs, err);
    if (has_box(container, "moof") || (!names_blocks(list) && proofs.count > 0 && has_box(container, "moov")))
        *problem = "a binding of a film, which this version does not read: the bytes could not be compared";
    for (size_t i = 0; i < container->count && code == BST_OK && *problem == NULL; i++) {
        struct tree tree = {0};
        const struct bst_segment *box = &container->segments[i];
        if (box->depth > 0 || strcmp(box->type, "mdat") != 0) continue;
        if (done == cbor_array_size(list) || !read_tree(alg, cbor_array_handle(list)[done], &tree)) {
            *problem = shape;
        } else {
            code = judge_tree(judge, box, cbor_array_handle(list)[done], &tree, &proofs, problem, err);
        }
        done++;
        free(tree.block);
        free(tree.leaf);
    }
    if (code == BST_OK && *problem == NULL && done != cbor_array_size(list)) *problem = shape;
    free(proofs.box);
    return code;
}
