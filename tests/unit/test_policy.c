/* test_policy.c - cosignatures and trust files: the vector of the written format, groups of every kind, and texts that are
 * no policies. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "provenance.h"

#define ORIGIN "prov.example/ledger1"
#define DASH   "\xe2\x80\x94"
#define BODY   ORIGIN "\n3\nEROfCuN4nLInq4w+V9ZuiSXjrblsJNVzEYMhUNaskFs=\n"
#define LOG_SIG                                                                                              \
    DASH " " ORIGIN                                                                                          \
         " XBc0aUo3mqsmSZVRHRC6s4LZOq85427KBQ8jfI38KocjOeqYA04YlUcJLlvDGhKEza+AZn2rc0Iqd9bRKFClJeRbcAs=\n"
#define WIT_SIG                                                                                              \
    DASH " witness.example/w1 "                                                                              \
         "3xwKNQAAAABkGFDLfOHsIUlvqvgif3TmIgCJJjT0lnwbKnYjwzrNeZZ6dP7ARBDWZWvGwzzS4EJ2kyEjgW9z"              \
         "v20SFNmMDaYIRtYoDQ==\n"
#define LOG_KEY "prov.example/ledger1+5c173469+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
#define WIT_KEY "witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU"
#define LOG     "log " LOG_KEY " https://prov.example/log\n"

static struct bst_error err;

static void make_key(uint8_t number, struct bst_key **out)
{
    uint8_t seed[32];
    memset(seed, number, sizeof seed);
    assert_int_equal(bst_key_from_seed(seed, out, &err), BST_OK);
}

static enum bst_code open_by(const char *text, const char *note, struct bst_policy_signers *signers)
{
    struct bst_policy *policy;
    struct bst_checkpoint checkpoint;
    enum bst_code code = bst_policy_parse(text, strlen(text), &policy, &err);
    assert_int_equal(code, BST_OK);
    code = bst_policy_open(policy, note, strlen(note), signers, &checkpoint, &err);
    if (code == BST_OK) {
        assert_int_equal(checkpoint.size, 3);
        assert_string_equal(checkpoint.origin, ORIGIN);
        bst_checkpoint_clear(&checkpoint);
    }
    bst_policy_free(policy);
    return code;
}

static void cosignature_vector(void **ctx)
{
    (void)ctx;
    struct bst_key *key;
    char *line, *vkey, *name;
    uint8_t public_key[BST_KEY_LEN];
    static const char note[] = BODY "\n" LOG_SIG;
    make_key(2, &key);
    assert_int_equal(
        bst_checkpoint_cosign(note, strlen(note), "witness.example/w1", key, 1679315147, &line, &err),
        BST_OK);
    assert_string_equal(line, WIT_SIG);
    free(line);
    assert_int_equal(bst_witness_vkey_text("witness.example/w1", bst_key_public(key), &vkey, &err), BST_OK);
    assert_string_equal(vkey, WIT_KEY);
    assert_int_equal(bst_witness_vkey_parse(WIT_KEY, &name, public_key, &err), BST_OK);
    assert_memory_equal(public_key, bst_key_public(key), BST_KEY_LEN);
    free(name);
    /* Neither kind of key passes for the other. */
    assert_int_equal(bst_witness_vkey_parse(LOG_KEY, &name, public_key, &err), BST_UNREADABLE);
    assert_int_equal(bst_vkey_parse(WIT_KEY, &name, public_key, &err), BST_UNREADABLE);
    assert_int_equal(bst_checkpoint_cosign("no note", 7, "w", key, 1, &line, &err), BST_UNREADABLE);
    assert_int_equal(bst_checkpoint_cosign(note, strlen(note), "a b", key, 1, &line, &err), BST_USAGE);
    free(vkey);
    bst_key_free(key);
}

static void quorum_of_one(void **ctx)
{
    (void)ctx;
    struct bst_policy_signers signers;
    static const char policy[] = "# who is believed\n" LOG "witness w1\t " WIT_KEY "\n\nquorum w1\n";
    assert_int_equal(open_by(policy, BODY "\n" LOG_SIG WIT_SIG, &signers), BST_OK);
    assert_int_equal(signers.witnesses, 1);
    assert_int_equal(open_by(policy, BODY "\n" WIT_SIG LOG_SIG, &signers), BST_OK);
    assert_int_equal(open_by(policy, BODY "\n" LOG_SIG, &signers), BST_UNTRUSTED);
    assert_int_equal(open_by(policy, BODY "\n" WIT_SIG, &signers), BST_BROKEN);
    assert_int_equal(open_by(LOG "quorum none", BODY "\n" LOG_SIG, &signers), BST_OK);
    assert_int_equal(open_by("quorum none", BODY "\n" LOG_SIG, &signers), BST_BROKEN);
    /* Each byte of the cosignature changed once. */
    static const char whole[] = BODY "\n" LOG_SIG WIT_SIG;
    size_t start = strlen(BODY "\n" LOG_SIG DASH " witness.example/w1 ");
    for (size_t i = start; whole[i] != '='; i++) {
        char *changed = bst_strdup(whole);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        enum bst_code code = open_by(policy, changed, &signers);
        assert_true(code == BST_BROKEN || code == BST_UNTRUSTED || code == BST_UNREADABLE);
        free(changed);
    }
}

/* Witnesses 2 to 6 in groups; bit n of signed: witness n signed. */
static void every_set_of_signers(void **ctx)
{
    (void)ctx;
    struct bst_buf text = {0};
    struct bst_key *keys[7];
    char *lines[7];
    static const char note[] = BODY "\n" LOG_SIG;
    bst_buf_text(&text, LOG);
    for (uint8_t n = 2; n < 7; n++) {
        char *vkey, name[] = "example/w0";
        name[9] = (char)('0' + n);
        make_key(n, &keys[n]);
        assert_int_equal(bst_witness_vkey_text(name, bst_key_public(keys[n]), &vkey, &err), BST_OK);
        bst_buf_printf(&text, "witness w%u %s\n", n, vkey);
        assert_int_equal(bst_checkpoint_cosign(note, strlen(note), name, keys[n], 1000, &lines[n], &err),
                         BST_OK);
        free(vkey);
    }
    bst_buf_text(&text, "group a any w2 w3\ngroup b 2 w4 w5 w6\ngroup c all a b\nquorum c\n");
    const char *policy = bst_buf_string(&text);
    for (unsigned signed_by = 0; signed_by < 32; signed_by++) {
        struct bst_policy_signers signers;
        struct bst_buf whole = {0};
        bst_buf_text(&whole, note);
        for (unsigned n = 2; n < 7; n++)
            if (signed_by >> (n - 2) & 1) bst_buf_text(&whole, lines[n]);
        bool a = signed_by & 3, b = __builtin_popcount(signed_by >> 2) >= 2;
        assert_int_equal(open_by(policy, bst_buf_string(&whole), &signers), a && b ? BST_OK : BST_UNTRUSTED);
        bst_buf_free(&whole);
    }
    for (unsigned n = 2; n < 7; n++) {
        bst_key_free(keys[n]);
        free(lines[n]);
    }
    bst_buf_free(&text);
}

static void no_policies(void **ctx)
{
    (void)ctx;
    static const char *const texts[] = {
        "",
        LOG,
        LOG "quorum w1\n",
        LOG "quorum none\nquorum none\n",
        LOG LOG "quorum none\n",
        LOG "logs x\nquorum none\n",
        "log\nquorum none\n",
        "log " LOG_KEY " a b\nquorum none\n",
        "log " WIT_KEY "\nquorum none\n",
        "witness w " LOG_KEY "\nquorum w\n",
        "witness none " WIT_KEY "\nquorum none\n",
        "witness w " WIT_KEY "\nwitness w " WIT_KEY "\nquorum w\n",
        "witness w " WIT_KEY "\nwitness x " WIT_KEY "\nquorum w\n",
        "witness w " WIT_KEY "\ngroup g any x\nquorum g\n",
        "witness w " WIT_KEY "\ngroup g any\nquorum g\n",
        "witness w " WIT_KEY "\ngroup g 0 w\nquorum g\n",
        "witness w " WIT_KEY "\ngroup g 2 w\nquorum g\n",
        "witness w " WIT_KEY "\ngroup g 01 w\nquorum g\n",
        "witness w " WIT_KEY "\ngroup g any w w\nquorum g\n",
        "witness w " WIT_KEY "\ngroup g any w\ngroup h any w\nquorum g\n",
        "group g any g\nquorum g\n",
        LOG "quorum none\r\n",
        LOG "# caf\xc3\xa9\nquorum none\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct bst_policy *policy;
        assert_int_equal(bst_policy_parse(texts[i], strlen(texts[i]), &policy, &err), BST_UNREADABLE);
        assert_true(err.what[0] != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cosignature_vector),
        cmocka_unit_test(quorum_of_one),
        cmocka_unit_test(every_set_of_signers),
        cmocka_unit_test(no_policies),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
