/* test_key.c - keys at rest and in use, and the home folder that init makes. openssl must read what we write.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "key.h"

static struct bst_error err;
static char folder[] = "/tmp/blindstamp-key-XXXXXX";

static int enter_folder(void **ctx)
{
    (void)ctx;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : 1;
}

static int leave_folder(void **ctx)
{
    (void)ctx;
    char command[128];
    snprintf(command, sizeof command, "chmod -R u+rwX %s && rm -r %s", folder, folder);
    return chdir("/") == 0 ? system(command) : 1;
}

/* RFC 8032 7.1, test 2. */
static void signature_vector(void **ctx)
{
    (void)ctx;
    uint8_t seed[32], expected[64], sig[64], public_key[32];
    struct bst_key *key;
    assert_true(bst_unhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", seed, 32));
    assert_true(
        bst_unhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", public_key, 32));
    assert_true(bst_unhex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                          "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
                          expected, 64));
    assert_int_equal(bst_key_from_seed(seed, &key, &err), BST_OK);
    assert_memory_equal(bst_key_public(key), public_key, 32);
    bst_key_sign(key, "\x72", 1, sig);
    assert_memory_equal(sig, expected, 64);
    assert_true(bst_key_verify(public_key, "\x72", 1, sig));
    assert_false(bst_key_verify(public_key, "\x73", 1, sig));
    sig[63] ^= 1;
    assert_false(bst_key_verify(public_key, "\x72", 1, sig));
    bst_key_free(key);
}

static void same_key(const char *path, const char *passphrase, const struct bst_key *key)
{
    struct bst_key *back;
    bool locked = true;
    assert_int_equal(bst_key_load(path, passphrase, &back, &locked, &err), BST_OK);
    assert_false(locked);
    assert_memory_equal(bst_key_public(back), bst_key_public(key), BST_KEY_LEN);
    bst_key_free(back);
}

static void keys_survive_the_disk(void **ctx)
{
    (void)ctx;
    struct bst_key *key, *back;
    struct stat info;
    bool locked = false;
    assert_int_equal(bst_key_new(&key, &err), BST_OK);
    assert_int_equal(bst_key_save(key, "plain.pem", NULL, false, &err), BST_OK);
    assert_int_equal(bst_key_save(key, "plain.pem", NULL, false, &err),
                     BST_USAGE); /* never over an old key unasked */
    same_key("plain.pem", NULL, key);
    assert_int_equal(bst_key_save(key, "sealed.pem", "correct horse", false, &err), BST_OK);
    same_key("sealed.pem", "correct horse", key);
    assert_int_equal(stat("sealed.pem", &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(bst_key_load("sealed.pem", NULL, &back, &locked, &err), BST_USAGE);
    assert_true(locked);
    locked = false;
    assert_int_equal(bst_key_load("sealed.pem", "", &back, &locked, &err), BST_USAGE);
    assert_true(locked);
    assert_int_equal(bst_key_load("sealed.pem", "battery staple", &back, &locked, &err), BST_USAGE);
    assert_false(locked);
    assert_string_equal(err.what, "wrong passphrase");
    bst_key_free(key);
}

static void openssl_reads_our_keys_and_we_read_its(void **ctx)
{
    (void)ctx;
    struct bst_key *key, *back;
    if (system("openssl version >/dev/null 2>&1") != 0) skip();
    assert_int_equal(bst_key_new(&key, &err), BST_OK);
    assert_int_equal(bst_key_save(key, "a.pem", NULL, false, &err), BST_OK);
    assert_int_equal(bst_key_save(key, "b.pem", "swordfish", false, &err), BST_OK);
    assert_int_equal(system("openssl pkey -in a.pem -pubout -out a.pub 2>/dev/null"), 0);
    assert_int_equal(system("openssl pkey -in b.pem -passin pass:swordfish -pubout -out b.pub 2>/dev/null"),
                     0);
    assert_int_not_equal(
        system("openssl pkey -in b.pem -passin pass:swordfsh -pubout -out c.pub 2>/dev/null"), 0);
    assert_int_equal(system("cmp -s a.pub b.pub"), 0);
    assert_int_equal(system("openssl asn1parse -in b.pem | grep -q scrypt"), 0);
    char *pem;
    struct bst_buf theirs = {0};
    assert_int_equal(bst_key_public_pem(bst_key_public(key), &pem, &err), BST_OK);
    assert_int_equal(bst_file_read("a.pub", 4096, &theirs, &err), BST_OK);
    assert_string_equal(bst_buf_string(&theirs), pem);
    uint8_t public_key[BST_KEY_LEN];
    assert_int_equal(bst_key_public_from_pem(pem, strlen(pem), public_key, &err), BST_OK);
    assert_memory_equal(public_key, bst_key_public(key), BST_KEY_LEN);
    /* The key id is what openssl says the digest of the public key's DER is. */
    char id[BST_SHA256_HEX], command[256];
    bst_key_id(bst_key_public(key), id);
    snprintf(command, sizeof command,
             "openssl pkey -pubin -in a.pub -outform DER | sha256sum | grep -q '^%s '", id);
    assert_int_equal(system(command), 0);
    /* Signatures too. */
    uint8_t sig[BST_SIG_LEN];
    bst_key_sign(key, "hello", 5, sig);
    assert_int_equal(bst_file_write("sig", sig, sizeof sig, 0, &err), BST_OK);
    assert_int_equal(
        system("printf hello > msg; openssl pkeyutl -verify -pubin -inkey a.pub -rawin -in msg -sigfile sig"
               " >/dev/null 2>&1"),
        0);
    free(pem);
    bst_buf_free(&theirs);
    bst_key_free(key);
    /* PBKDF2, which openssl uses unless told otherwise, is read as well. */
    assert_int_equal(system("openssl genpkey -algorithm ed25519 -aes256 -pass pass:x -out t.pem 2>/dev/null"),
                     0);
    assert_int_equal(bst_key_load("t.pem", "x", &back, NULL, &err), BST_OK);
    bst_key_free(back);
}

static void load_fails(const char *path, const char *words)
{
    struct bst_key *key;
    assert_int_equal(bst_key_load(path, "x", &key, NULL, &err), BST_UNREADABLE);
    assert_non_null(strstr(err.what, words));
}

static void foreign_and_hostile_keys_are_refused(void **ctx)
{
    (void)ctx;
    assert_int_equal(bst_file_write("empty.pem", "", 0, 0, &err), BST_OK);
    load_fails("empty.pem", "not a key in PEM");
    load_fails("missing.pem", "cannot open");
    static const char damaged[] =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGbMFcGCSqG\n-----END ENCRYPTED PRIVATE KEY-----\n";
    assert_int_equal(bst_file_write("damaged.pem", damaged, strlen(damaged), 0, &err), BST_OK);
    load_fails("damaged.pem", "damaged");
    if (system("openssl version >/dev/null 2>&1") != 0) skip();
    assert_int_equal(system("openssl genpkey -algorithm x25519 -out x25519.pem 2>/dev/null"), 0);
    load_fails("x25519.pem", "does not hold an Ed25519 private key");
    assert_int_equal(
        system("openssl genpkey -algorithm ed25519 | openssl pkey -pubout -out public.pem 2>/dev/null"), 0);
    load_fails("public.pem", "not a private key");
    /* A file that asks for hours of scrypt. */
    assert_int_equal(
        system("openssl genpkey -algorithm ed25519 -out p.pem 2>/dev/null && openssl pkcs8 -topk8 -in p.pem "
               "-out greedy.pem -passout pass:x -scrypt -scrypt_N 1024 -scrypt_r 1 -scrypt_p 4100"),
        0);
    load_fails("greedy.pem", "not supported");
}

/* Every changed byte of a sealed key is noticed or, in the base64 or PEM around it, harmless. Without the
 * wrong key. */
static void damaged_keys_never_load_as_others(void **ctx)
{
    (void)ctx;
    struct bst_key *key, *back;
    assert_int_equal(bst_key_new(&key, &err), BST_OK);
    assert_int_equal(bst_key_save(key, "whole.pem", NULL, false, &err), BST_OK);
    struct bst_buf pem = {0};
    assert_int_equal(bst_file_read("whole.pem", 4096, &pem, &err), BST_OK);
    for (size_t len = 0; len + 2 < pem.len; len++)
        assert_int_not_equal(bst_key_from_pem(pem.data, len, NULL, &back, NULL, &err), BST_OK);
    bst_buf_free(&pem);
    bst_key_free(key);
}

/* ---- home ---- */

static void check_mode(const char *path, unsigned mode)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, mode);
}

static void init_makes_a_home(void **ctx)
{
    (void)ctx;
    struct bst_init init = {.home = "sub/home/",
                            .author = "Ada Example",
                            .email = "ada@example.org",
                            .url = "https://example.org/ada"};
    struct bst_identity made, loaded;
    assert_int_equal(bst_home_init(&init, &made, &err), BST_OK);
    assert_int_equal(bst_identity_load("sub/home", &loaded, &err), BST_OK);
    assert_string_equal(made.key_id, loaded.key_id);
    assert_string_equal(made.log_origin, loaded.log_origin);
    assert_string_equal(loaded.name, "Ada Example");
    assert_string_equal(loaded.email, "ada@example.org");
    assert_string_equal(loaded.url, "https://example.org/ada");
    check_mode("sub/home", 0700);
    check_mode("sub/home/keys", 0700);
    check_mode("sub/home/keys/author.pem", 0600);
    check_mode("sub/home/keys/log.pem", 0600);
    check_mode("sub/home/keys/ca.pem", 0600);
    check_mode("sub/home/ledger.sqlite", 0600);
    struct bst_ledger *ledger;
    assert_int_equal(bst_ledger_open("sub/home/ledger.sqlite", BST_LEDGER_READ, &ledger, &err), BST_OK);
    assert_int_equal(bst_ledger_size(ledger), 1);
    assert_int_equal(bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &err), BST_OK);
    bst_ledger_close(ledger);
    /* A second time is refused, and nothing is lost or left lying about. */
    struct bst_identity again;
    assert_int_equal(bst_home_init(&init, &again, &err), BST_USAGE);
    assert_int_equal(system("test $(ls -A sub | wc -l) = 1"), 0);
    assert_int_equal(bst_identity_load("sub/home", &again, &err), BST_OK);
    assert_string_equal(again.key_id, made.key_id);
    bst_identity_clear(&again);
    bst_identity_clear(&made);
    bst_identity_clear(&loaded);
}

static void init_leaves_nothing_when_it_fails(void **ctx)
{
    (void)ctx;
    struct bst_identity identity;
    static const struct bst_init bad[] = {
        {.home = "never/h", .author = ""},
        {.home = "never/h", .author = "A\nB"},
        {.home = "never/h", .author = "\xff"},
        {.home = "never/h", .author = "Ada", .email = "nobody"},
        {.home = "never/h", .author = "Ada", .url = "javascript:1"},
        {.home = "never/h", .author = "12345678901234567890123456789012345678901234567890123456789012345"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(bst_home_init(&bad[i], &identity, &err), BST_USAGE);
        assert_false(bst_file_exists("never"));
    }
    /* A file, and a folder with something in it, are in the way. */
    assert_int_equal(bst_file_write("file", "x", 1, 0, &err), BST_OK);
    struct bst_init init = {.home = "file", .author = "Ada"};
    assert_int_equal(bst_home_init(&init, &identity, &err), BST_USAGE);
    init.home = ".";
    assert_int_not_equal(bst_home_init(&init, &identity, &err), BST_OK);
    /* An empty folder is not. */
    assert_int_equal(bst_folder_make("vacant", 0755, &err), BST_OK);
    init.home = "vacant";
    assert_int_equal(bst_home_init(&init, &identity, &err), BST_OK);
    check_mode("vacant", 0700);
    bst_identity_clear(&identity);
}

static void all_keys_change_their_passphrase_together(void **ctx)
{
    (void)ctx;
    static const char *const names[] = {"pass/keys/author.pem", "pass/keys/log.pem", "pass/keys/ca.pem"};
    struct bst_init init = {.home = "pass", .author = "Ada", .passphrase = "one"};
    struct bst_identity identity;
    struct bst_key *key;
    assert_int_equal(bst_home_init(&init, &identity, &err), BST_OK);
    bst_identity_clear(&identity);
    assert_int_equal(bst_home_passphrase("pass", "wrong", "two", &err), BST_USAGE);
    assert_string_equal(err.what, "wrong passphrase");
    assert_int_equal(bst_home_passphrase("pass", "one", "two", &err), BST_OK);
    for (size_t i = 0; i < 3; i++) {
        check_mode(names[i], 0600);
    }
    assert_int_equal(bst_key_load(names[0], "one", &key, NULL, &err), BST_USAGE);
    /* Unlocks all three with the new one. */
    assert_int_equal(bst_home_passphrase("pass", "two", "", &err), BST_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(bst_key_load(names[i], NULL, &key, NULL, &err), BST_OK);
        bst_key_free(key);
    }
    assert_int_equal(
        system("test \"$(ls -A pass)\" = \"$(printf 'certs\\nidentity.json\\nkeys\\nledger.sqlite\\n"
               "ledger.sqlite-checkpoint\\nmodels')\""),
        0);
}

static void home_is_where_the_environment_says(void **ctx)
{
    (void)ctx;
    char *path;
    setenv("HOME", "/h", 1);
    unsetenv("XDG_DATA_HOME");
    unsetenv("BLINDSTAMP_HOME");
    assert_int_equal(bst_home_find(NULL, &path, &err), BST_OK);
    assert_string_equal(path, "/h/.local/share/blindstamp");
    free(path);
    setenv("XDG_DATA_HOME", "/x", 1);
    assert_int_equal(bst_home_find(NULL, &path, &err), BST_OK);
    assert_string_equal(path, "/x/blindstamp");
    free(path);
    setenv("BLINDSTAMP_HOME", "/b", 1);
    assert_int_equal(bst_home_find(NULL, &path, &err), BST_OK);
    assert_string_equal(path, "/b");
    free(path);
    assert_int_equal(bst_home_find("/o", &path, &err), BST_OK);
    assert_string_equal(path, "/o");
    free(path);
    assert_int_equal(bst_home_find("", &path, &err), BST_USAGE);
    unsetenv("BLINDSTAMP_HOME");
    unsetenv("XDG_DATA_HOME");
    unsetenv("HOME");
    assert_int_equal(bst_home_find(NULL, &path, &err), BST_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signature_vector),
        cmocka_unit_test(keys_survive_the_disk),
        cmocka_unit_test(openssl_reads_our_keys_and_we_read_its),
        cmocka_unit_test(foreign_and_hostile_keys_are_refused),
        cmocka_unit_test(damaged_keys_never_load_as_others),
        cmocka_unit_test(init_makes_a_home),
        cmocka_unit_test(init_leaves_nothing_when_it_fails),
        cmocka_unit_test(all_keys_change_their_passphrase_together),
        cmocka_unit_test(home_is_where_the_environment_says),
    };
    return cmocka_run_group_tests_name("key", tests, enter_folder, leave_folder);
}
