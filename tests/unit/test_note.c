/* test_note.c - signed notes, checkpoints and tlog-proofs: the C2SP vectors, a published log, and altered
 * ones. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "merkle.h"

#define ORIGIN "prov.example/ledger1"
#define DASH   "\xe2\x80\x94"
#define LOG_SIG                                                                                              \
    DASH " " ORIGIN                                                                                          \
         " XBc0aUo3mqsmSZVRHRC6s4LZOq85427KBQ8jfI38KocjOeqYA04YlUcJLlvDGhKEza+AZn2rc0Iqd9bRKFClJeRbcAs=\n"
#define WIT_SIG                                                                                              \
    DASH " witness.example/w1 "                                                                              \
         "3xwKNQAAAABkGFDLfOHsIUlvqvgif3TmIgCJJjT0lnwbKnYjwzrNeZZ6dP7ARBDWZWvGwzzS4EJ2kyEjgW9z"              \
         "v20SFNmMDaYIRtYoDQ==\n"
#define BODY ORIGIN "\n3\nEROfCuN4nLInq4w+V9ZuiSXjrblsJNVzEYMhUNaskFs=\n"

static struct bst_error err;
static struct bst_key *log_key;

static int make_key(void **ctx)
{
    (void)ctx;
    uint8_t seed[32];
    memset(seed, 1, sizeof seed);
    return bst_key_from_seed(seed, &log_key, &err) == BST_OK ? 0 : 1;
}

static int free_key(void **ctx)
{
    (void)ctx;
    bst_key_free(log_key);
    return 0;
}

static void root_of_three(uint8_t root[static 32])
{
    struct bst_peaks peaks = {0};
    for (int i = 0; i < 3; i++) {
        uint8_t leaf[32];
        char text[] = "record 0";
        text[7] = (char)('0' + i);
        bst_merkle_leaf(text, 8, leaf);
        assert_int_equal(bst_peaks_push(&peaks, leaf, NULL, NULL, &err), BST_OK);
    }
    bst_peaks_root(&peaks, root);
}

static enum bst_code open_note(const char *note, struct bst_checkpoint *out)
{
    return bst_checkpoint_open(note, strlen(note), ORIGIN, bst_key_public(log_key), out, &err);
}

static void checkpoint_vector(void **ctx)
{
    (void)ctx;
    uint8_t root[32];
    char *note, *vkey;
    root_of_three(root);
    assert_int_equal(bst_checkpoint_sign(ORIGIN, 3, root, log_key, &note, &err), BST_OK);
    assert_string_equal(note, BODY "\n" LOG_SIG);
    assert_int_equal(bst_vkey_text(ORIGIN, bst_key_public(log_key), &vkey, &err), BST_OK);
    assert_string_equal(vkey, "prov.example/ledger1+5c173469+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c");
    struct bst_checkpoint checkpoint;
    assert_int_equal(open_note(note, &checkpoint), BST_OK);
    assert_int_equal(checkpoint.size, 3);
    assert_string_equal(checkpoint.origin, ORIGIN);
    assert_memory_equal(checkpoint.root, root, 32);
    bst_checkpoint_clear(&checkpoint);
    free(note);
    free(vkey);
}

/* The example of c2sp.org/signed-note. Its text is no checkpoint: a good signature is seen by the complaint
 * that comes after it, a bad one by the complaint about the signature. */
static void vector_of_the_note_specification(void **ctx)
{
    (void)ctx;
    char *name;
    uint8_t key[BST_KEY_LEN];
    struct bst_checkpoint checkpoint;
    static const char note[] =
        "This is an example message.\n\n" DASH
        " example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFX"
        "mRKuwHjG1Yu72IneyaQM=\n";
    assert_int_equal(bst_vkey_parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                                    &name, key, &err),
                     BST_OK);
    assert_string_equal(name, "example.com/foo");
    assert_int_equal(bst_checkpoint_open(note, strlen(note), name, key, &checkpoint, &err), BST_UNREADABLE);
    assert_non_null(strstr(err.what, "not a checkpoint"));
    char *changed = bst_strdup(note);
    changed[0] = 't';
    assert_int_equal(bst_checkpoint_open(changed, strlen(changed), name, key, &checkpoint, &err), BST_BROKEN);
    free(changed);
    free(name);
}

static void other_signatures_are_passed_over(void **ctx)
{
    (void)ctx;
    struct bst_checkpoint checkpoint;
    assert_int_equal(open_note(BODY "\n" LOG_SIG WIT_SIG, &checkpoint), BST_OK);
    bst_checkpoint_clear(&checkpoint);
    assert_int_equal(open_note(BODY "\n" WIT_SIG LOG_SIG, &checkpoint), BST_OK);
    bst_checkpoint_clear(&checkpoint);
    assert_int_equal(open_note(BODY "\n" WIT_SIG, &checkpoint), BST_BROKEN); /* the log itself must sign */
}

static void malformed_notes_are_refused(void **ctx)
{
    (void)ctx;
    static const char *const bad[] = {
        "",
        "\n",
        "\n\n",
        BODY,
        BODY LOG_SIG,
        BODY "\n",
        BODY "\n" DASH " x\n",
        BODY "\n" LOG_SIG "tail",
        BODY "\n" LOG_SIG "\n",
        BODY "\r\n\n" LOG_SIG,
        "\xff" BODY "\n" LOG_SIG,
        BODY "\n" LOG_SIG DASH " a b\n",
        BODY "\n" LOG_SIG "- " ORIGIN " XBc0aQ==\n",
        BODY "\n" LOG_SIG DASH " a+b XBc0aUo3mq==\n",
    };
    struct bst_checkpoint checkpoint;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (open_note(bad[i], &checkpoint) == BST_OK) fail_msg("note %zu was accepted", i);
    }
}

/* Texts that are signed by the right key and are still not checkpoints of this log. */
static void signed_texts_that_are_no_checkpoints(void **ctx)
{
    (void)ctx;
    static const char *const text[] = {
        "other.example/log\n3\nEROfCuN4nLInq4w+V9ZuiSXjrblsJNVzEYMhUNaskFs=\n",
        ORIGIN "\n03\nEROfCuN4nLInq4w+V9ZuiSXjrblsJNVzEYMhUNaskFs=\n",
        ORIGIN "\n-3\nEROfCuN4nLInq4w+V9ZuiSXjrblsJNVzEYMhUNaskFs=\n",
        ORIGIN "\n9223372036854775808\nEROfCuN4nLInq4w+V9ZuiSXjrblsJNVzEYMhUNaskFs=\n",
        ORIGIN "\n\nEROfCuN4nLInq4w+V9ZuiSXjrblsJNVzEYMhUNaskFs=\n",
        ORIGIN "\n3\nEROfCuN4nLInq4w+V9ZuiSXjrblsJNVzEYMhUNaskA==\n",
        ORIGIN "\n3\nEROfCuN4nLInq4w+V9ZuiSXjrblsJNVzEYMhUNaskFs=\n\nextension\n",
        ORIGIN "\n3\n",
    };
    struct bst_checkpoint checkpoint;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        uint8_t blob[68] = {0x5c, 0x17, 0x34, 0x69};
        bst_key_sign(log_key, text[i], strlen(text[i]), blob + 4);
        char *sig = bst_base64(blob, sizeof blob),
             *note = bst_format("%s\n" DASH " " ORIGIN " %s\n", text[i], sig);
        if (open_note(note, &checkpoint) == BST_OK) fail_msg("text %zu was accepted", i);
        free(sig);
        free(note);
    }
    /* An extension line is allowed. */
    static const char extended[] = BODY "extension\n";
    uint8_t blob[68] = {0x5c, 0x17, 0x34, 0x69};
    bst_key_sign(log_key, extended, strlen(extended), blob + 4);
    char *sig = bst_base64(blob, sizeof blob),
         *note = bst_format("%s\n" DASH " " ORIGIN " %s\n", extended, sig);
    assert_int_equal(open_note(note, &checkpoint), BST_OK);
    bst_checkpoint_clear(&checkpoint);
    free(sig);
    free(note);
}

/* Any changed bit of a checkpoint is noticed. */
static void every_flipped_bit_of_a_note(void **ctx)
{
    (void)ctx;
    char note[] = BODY "\n" LOG_SIG;
    struct bst_checkpoint checkpoint;
    for (size_t i = 0; i < strlen(BODY "\n" LOG_SIG); i++) {
        for (int bit = 0; bit < 8; bit++) {
            note[i] ^= (char)(1 << bit);
            if (bst_checkpoint_open(note, sizeof note - 1, ORIGIN, bst_key_public(log_key), &checkpoint,
                                    &err) == BST_OK)
                fail_msg("bit %d of byte %zu", bit, i);
            note[i] ^= (char)(1 << bit);
        }
    }
}

static void names_and_verifier_keys(void **ctx)
{
    (void)ctx;
    static const uint8_t root[32];
    static const char *const bad_name[] = {"", "a b", "a+b", "a\nb", "a\xc2\xa0", "a\xe2\x80\x83", "\xff"};
    char *text;
    for (size_t i = 0; i < sizeof bad_name / sizeof *bad_name; i++)
        assert_int_equal(bst_checkpoint_sign(bad_name[i], 1, root, log_key, &text, &err), BST_USAGE);
    static const char *const bad_key[] = {
        "",
        "a",
        "a+b+c",
        "prov.example/ledger1+5c173468+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
        "prov.example/ledger2+5c173469+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
        "prov.example/ledger1+5c173469+AoqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
        "prov.example/ledger1+5c173469+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D2",
        "+5c173469+AYqI"};
    uint8_t key[BST_KEY_LEN];
    for (size_t i = 0; i < sizeof bad_key / sizeof *bad_key; i++)
        assert_int_equal(bst_vkey_parse(bad_key[i], &text, key, &err), BST_UNREADABLE);
}

/* ---- tlog-proof ---- */

#define PROOF                                                                                                \
    "c2sp.org/tlog-proof@v1\nindex 2\nXDShEgWHfs8sTyjiVJXQgwGzPb+4YkGfeUb6b9+BJO8=\n\n" BODY "\n" LOG_SIG

static enum bst_code judge(const char *text, const char *leaf)
{
    struct bst_proof proof;
    enum bst_code code = bst_proof_parse(text, strlen(text), &proof, &err);
    if (code != BST_OK) return code;
    code = bst_proof_verify(&proof, leaf, strlen(leaf), ORIGIN, bst_key_public(log_key), &err);
    bst_proof_clear(&proof);
    return code;
}

static void proof_vector(void **ctx)
{
    (void)ctx;
    assert_int_equal(judge(PROOF, "record 2"), BST_OK);
    assert_int_equal(judge(PROOF, "record 1"), BST_BROKEN);
    assert_int_equal(judge("c2sp.org/tlog-proof@v1\nextra AAAA\nindex "
                           "2\nXDShEgWHfs8sTyjiVJXQgwGzPb+4YkGfeUb6b9+BJO8=\n\n" BODY "\n" LOG_SIG,
                           "record 2"),
                     BST_OK);
    struct bst_proof proof;
    struct bst_buf text = {0};
    assert_int_equal(bst_proof_parse(PROOF, strlen(PROOF), &proof, &err), BST_OK);
    assert_int_equal(bst_proof_text(&proof, &text, &err), BST_OK);
    assert_string_equal(bst_buf_string(&text), PROOF);
    bst_buf_free(&text);
    bst_proof_clear(&proof);
}

static void malformed_proofs_are_refused(void **ctx)
{
    (void)ctx;
    static const char *const bad[] = {
        "",
        "c2sp.org/tlog-proof@v1\n",
        "c2sp.org/tlog-proof@v1\nindex 02\n\n" BODY,
        "c2sp.org/tlog-proof@v2\nindex 2\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 99999999999999999999\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 2\nAAAA\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 2\n\n",
        "c2sp.org/tlog-proof@v1\nindex 2\n",
        "c2sp.org/tlog-proof@v1\nindex \n\nx",
        "c2sp.org/tlog-proof@v1\nextra AAAA\nextra AAAA\nindex 2\n\nx",
    };
    struct bst_proof proof;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(bst_proof_parse(bad[i], strlen(bad[i]), &proof, &err), BST_UNREADABLE);
    struct bst_buf many = {0};
    bst_buf_text(&many, "c2sp.org/tlog-proof@v1\nindex 2\n");
    for (int i = 0; i <= BST_PROOF_MAX; i++)
        bst_buf_text(&many, "XDShEgWHfs8sTyjiVJXQgwGzPb+4YkGfeUb6b9+BJO8=\n");
    bst_buf_text(&many, "\n" BODY "\n" LOG_SIG);
    assert_int_equal(bst_proof_parse((char *)many.data, many.len, &proof, &err), BST_UNREADABLE);
    bst_buf_free(&many);
}

static void every_flipped_bit_of_a_proof(void **ctx)
{
    (void)ctx;
    char text[] = PROOF;
    for (size_t i = 0; i < sizeof text - 1; i++) {
        for (int bit = 0; bit < 8; bit++) {
            text[i] ^= (char)(1 << bit);
            struct bst_proof proof;
            enum bst_code code = bst_proof_parse(text, sizeof text - 1, &proof, &err);
            if (code == BST_OK) {
                code = bst_proof_verify(&proof, "record 2", 8, ORIGIN, bst_key_public(log_key), &err);
                bst_proof_clear(&proof);
            }
            if (code == BST_OK) fail_msg("bit %d of byte %zu", bit, i);
            text[i] ^= (char)(1 << bit);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checkpoint_vector),
        cmocka_unit_test(vector_of_the_note_specification),
        cmocka_unit_test(other_signatures_are_passed_over),
        cmocka_unit_test(malformed_notes_are_refused),
        cmocka_unit_test(signed_texts_that_are_no_checkpoints),
        cmocka_unit_test(every_flipped_bit_of_a_note),
        cmocka_unit_test(names_and_verifier_keys),
        cmocka_unit_test(proof_vector),
        cmocka_unit_test(malformed_proofs_are_refused),
        cmocka_unit_test(every_flipped_bit_of_a_proof),
    };
    return cmocka_run_group_tests_name("note", tests, make_key, free_key);
}
