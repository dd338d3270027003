/* test_merkle.c - RFC 6962 trees: published vectors, a second implementation straight from the definition,
 * and every proof of every small tree, whole and mutated. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "merkle.h"

#define LEAVES 70000
#define ALL    200 /* sizes up to which every proof is tried */
/* C before C23 adds no const to an array behind a pointer by itself. */
#define FIXED(proof) ((const uint8_t(*)[32])(proof))

static struct bst_error err;
static uint8_t (*leaf_hash)[32];

static void assert_hex(const uint8_t hash[32], const char *expected)
{
    char text[65];
    bst_hex(hash, 32, text);
    assert_string_equal(text, expected);
}

static void assert_base64(const uint8_t hash[32], const char *expected)
{
    char *text = bst_base64(hash, 32);
    assert_string_equal(text, expected);
    free(text);
}

/* MTH of leaves [start, start + count), written down as RFC 6962 2.1 defines it. */
static void definition(uint64_t start, uint64_t count, uint8_t out[32])
{
    if (count == 0) {
        bst_sha256("", 0, out);
    } else if (count == 1) {
        memcpy(out, leaf_hash[start], 32);
    } else {
        uint8_t left[32], right[32];
        uint64_t k = 1;
        while (2 * k < count)
            k *= 2;
        definition(start, k, left);
        definition(start + k, count - k, right);
        bst_merkle_node(left, right, out);
    }
}

static enum bst_code node(void *arg, unsigned level, uint64_t idx, uint8_t hash[static 32],
                          struct bst_error *e)
{
    (void)arg, (void)e;
    static uint8_t known[9][ALL + 1][32];
    static bool is_known[9][ALL + 1];
    assert_true((idx + 1) << level <= LEAVES);
    if (level < 9 && idx <= ALL && is_known[level][idx]) {
        memcpy(hash, known[level][idx], 32);
        return BST_OK;
    }
    definition(idx << level, (uint64_t)1 << level, hash);
    if (level < 9 && idx <= ALL) {
        memcpy(known[level][idx], hash, 32);
        is_known[level][idx] = true;
    }
    return BST_OK;
}

static int make_leaves(void **ctx)
{
    (void)ctx;
    leaf_hash = bst_calloc(LEAVES, 32);
    if (!leaf_hash) return 1;
    for (unsigned i = 0; i < LEAVES; i++) {
        char text[32];
        int len = snprintf(text, sizeof text, "record %u", i);
        bst_merkle_leaf(text, (size_t)len, leaf_hash[i]);
    }
    return 0;
}

static int free_leaves(void **ctx)
{
    (void)ctx;
    free(leaf_hash);
    return 0;
}

static void hashes_of_rfc6962(void **ctx)
{
    (void)ctx;
    uint8_t hash[32];
    assert_int_equal(bst_merkle_root(0, node, NULL, hash, &err), BST_OK);
    assert_hex(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    bst_merkle_leaf("", 0, hash);
    assert_hex(hash, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    bst_merkle_leaf("L123456", 7, hash);
    assert_hex(hash, "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
}

static void roots_of_published_trees(void **ctx)
{
    (void)ctx;
    static const struct {
        uint64_t size;
        const char *root;
    } vector[] = {{1, "OzZ9bbe8UXJtkYsY6aeeD85T+Gf744Zx9gnmu1nUYDU="},
                  {3, "EROfCuN4nLInq4w+V9ZuiSXjrblsJNVzEYMhUNaskFs="},
                  {20000, "hikwtpwn3Y47JXW6imIrkGL1AS3F1W0+zi6adb1gB1Q="},
                  {70000, "25Wlw4AqrnlkUtIrNNU+dJybwG++mtIplU2A2Oqj7hY="}};
    for (size_t i = 0; i < sizeof vector / sizeof *vector; i++) {
        uint8_t root[32];
        assert_int_equal(bst_merkle_root(vector[i].size, node, NULL, root, &err), BST_OK);
        assert_base64(root, vector[i].root);
    }
    uint8_t proof[BST_PROOF_MAX][32];
    size_t len;
    assert_int_equal(bst_merkle_prove_inclusion(2, 3, node, NULL, proof, &len, &err), BST_OK);
    assert_int_equal(len, 1);
    assert_base64(proof[0], "XDShEgWHfs8sTyjiVJXQgwGzPb+4YkGfeUb6b9+BJO8=");
    assert_int_equal(bst_merkle_prove_consistency(1, 3, node, NULL, proof, &len, &err), BST_OK);
    assert_int_equal(len, 2);
    assert_base64(proof[0], "C95YopPB8P1U0R1+SQDd8cpPIUzIgBhFqsbf2WE637w=");
    assert_base64(proof[1], "eQtCVVwoF8KPO6ujvYzB2nR8wC1umQQeZPjGJ0bPBTs=");
}

/* The reference trees of the certificate transparency project: eight leaves, roots and proofs. */
static void trees_of_certificate_transparency(void **ctx)
{
    (void)ctx;
    static const char *const data[] = {
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
    static const char *const root[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                       "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                       "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                       "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                       "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                       "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                       "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                       "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    struct bst_peaks peaks = {0};
    for (size_t i = 0; i < 8; i++) {
        uint8_t bytes[16], leaf[32], hash[32];
        size_t len = strlen(data[i]) / 2;
        assert_true(bst_unhex(data[i], bytes, len));
        bst_merkle_leaf(bytes, len, leaf);
        assert_int_equal(bst_peaks_push(&peaks, leaf, NULL, NULL, &err), BST_OK);
        bst_peaks_root(&peaks, hash);
        assert_hex(hash, root[i]);
    }
}

static enum bst_code collect(void *arg, unsigned level, uint64_t idx, const uint8_t hash[static 32],
                             struct bst_error *e)
{
    (void)e;
    uint8_t expected[32];
    definition(idx << level, (uint64_t)1 << level, expected);
    assert_memory_equal(hash, expected, 32);
    ++*(unsigned *)arg;
    return BST_OK;
}

static void growing_gives_the_same_roots_and_nodes(void **ctx)
{
    (void)ctx;
    struct bst_peaks peaks = {0};
    unsigned made = 0;
    for (uint64_t size = 1; size <= 600; size++) {
        uint8_t root[32], expected[32];
        assert_int_equal(bst_peaks_push(&peaks, leaf_hash[size - 1], collect, &made, &err), BST_OK);
        bst_peaks_root(&peaks, root);
        definition(0, size, expected);
        assert_memory_equal(root, expected, 32);
        unsigned complete = 0;
        for (unsigned level = 1; level < 20; level++)
            complete += (unsigned)(size >> level);
        assert_int_equal(made, complete);
    }
}

static void every_inclusion_proof(void **ctx)
{
    (void)ctx;
    for (uint64_t size = 1; size <= ALL; size++) {
        uint8_t root[32];
        definition(0, size, root);
        for (uint64_t index = 0; index < size; index++) {
            uint8_t proof[BST_PROOF_MAX][32];
            const uint8_t *leaf = leaf_hash[index];
            size_t len;
            assert_int_equal(bst_merkle_prove_inclusion(index, size, node, NULL, proof, &len, &err), BST_OK);
            assert_true(bst_merkle_verify_inclusion(index, size, leaf, FIXED(proof), len, root));
            /* One change each: a hash, the length, the index, the size, the leaf, the root. */
            uint64_t pick = index * 31 + size;
            if (len > 0) {
                uint8_t *byte = &proof[pick % len][pick % 32];
                *byte ^= 1;
                assert_false(bst_merkle_verify_inclusion(index, size, leaf, FIXED(proof), len, root));
                *byte ^= 1;
                assert_false(bst_merkle_verify_inclusion(index, size, leaf, FIXED(proof), len - 1, root));
            }
            memcpy(proof[len], root, 32);
            assert_false(bst_merkle_verify_inclusion(index, size, leaf, FIXED(proof), len + 1, root));
            assert_false(bst_merkle_verify_inclusion(index ^ 1, size, leaf, FIXED(proof), len, root) &&
                         size > 1);
            assert_false(bst_merkle_verify_inclusion(size, size, leaf, FIXED(proof), len, root));
            assert_false(bst_merkle_verify_inclusion(index, size, leaf_hash[size], FIXED(proof), len, root));
            assert_false(bst_merkle_verify_inclusion(index, size, leaf, FIXED(proof), len, leaf_hash[size]));
        }
    }
}

static void every_consistency_proof(void **ctx)
{
    (void)ctx;
    static uint8_t root[ALL + 1][32];
    for (uint64_t size = 1; size <= ALL; size++)
        definition(0, size, root[size]);
    for (uint64_t size2 = 1; size2 <= ALL; size2++) {
        for (uint64_t size1 = 1; size1 <= size2; size1++) {
            uint8_t proof[BST_PROOF_MAX][32];
            size_t len;
            const uint8_t *one = root[size1], *two = root[size2];
            assert_int_equal(bst_merkle_prove_consistency(size1, size2, node, NULL, proof, &len, &err),
                             BST_OK);
            assert_true(bst_merkle_verify_consistency(size1, size2, one, two, FIXED(proof), len));
            uint64_t pick = size1 * 31 + size2;
            if (len > 0) {
                uint8_t *byte = &proof[pick % len][pick % 32];
                *byte ^= 1;
                assert_false(bst_merkle_verify_consistency(size1, size2, one, two, FIXED(proof), len));
                *byte ^= 1;
                assert_false(bst_merkle_verify_consistency(size1, size2, one, two, FIXED(proof), len - 1));
            }
            memcpy(proof[len], one, 32);
            assert_false(bst_merkle_verify_consistency(size1, size2, one, two, FIXED(proof), len + 1));
            assert_false(bst_merkle_verify_consistency(size1, size2, leaf_hash[ALL], two, FIXED(proof), len));
            assert_false(bst_merkle_verify_consistency(size1, size2, one, leaf_hash[ALL], FIXED(proof), len));
            assert_false(bst_merkle_verify_consistency(0, size2, one, two, FIXED(proof), len));
            if (size1 < size2) {
                assert_false(bst_merkle_verify_consistency(size2, size1, two, one, FIXED(proof), len));
            }
        }
    }
}

/* Sizes near 2^63 and index arithmetic at the edges must neither crash nor accept. */
static void absurd_sizes_are_refused(void **ctx)
{
    (void)ctx;
    static const uint8_t proof[BST_PROOF_MAX][32];
    static const uint64_t size[] = {0, 1, 2, UINT64_MAX, UINT64_MAX - 1, (uint64_t)1 << 63, INT64_MAX};
    for (size_t i = 0; i < 7; i++) {
        for (size_t k = 0; k < 7; k++) {
            for (size_t len = 0; len <= BST_PROOF_MAX; len++) {
                bool self = size[i] == 0 && size[k] == 1 && len == 0; /* one leaf is its own root */
                assert_int_equal(
                    bst_merkle_verify_inclusion(size[i], size[k], proof[0], FIXED(proof), len, proof[0]),
                    self);
                bool same = size[i] == size[k] && size[i] > 0 && len == 0;
                assert_int_equal(
                    bst_merkle_verify_consistency(size[i], size[k], proof[0], proof[0], FIXED(proof), len),
                    same);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_of_rfc6962),
        cmocka_unit_test(roots_of_published_trees),
        cmocka_unit_test(trees_of_certificate_transparency),
        cmocka_unit_test(growing_gives_the_same_roots_and_nodes),
        cmocka_unit_test(every_inclusion_proof),
        cmocka_unit_test(every_consistency_proof),
        cmocka_unit_test(absurd_sizes_are_refused),
    };
    return cmocka_run_group_tests_name("merkle", tests, make_leaves, free_leaves);
}
