/* test_stamp.c - from pixels to a stamped file and a ledger entry: what is said, what is kept back, what is
 * left behind when something fails, and that no changed byte passes. */
#include "home_fixture.h"

#include <dirent.h>
#include <jansson.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

static enum bst_code add(struct bst_stamper *stamper, const char *path, bool force, enum bst_privacy privacy,
                         struct bst_error *err)
{
    struct bst_image image;
    struct bst_generation generation = make_generation(privacy);
    generation.image_id = NULL; /* given by the stamper */
    make_gradient(generation.width, generation.height, &image);
    enum bst_code code = bst_stamp_add(stamper, &image, path, force, &generation, err);
    bst_image_clear(&image);
    return code;
}

static size_t hidden_files(void)
{
    size_t count = 0;
    DIR *list = opendir(folder);
    for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
        if (strstr(entry->d_name, ".blindstamp-") != NULL) count++;
    }
    closedir(list);
    return count;
}

struct delivered {
    size_t count;
    uint64_t index[64];
    char image_id[64][BST_UUID_LEN];
};

static void note_delivered(void *arg, const struct bst_stamped *stamped)
{
    struct delivered *delivered = arg;
    assert_true(bst_file_exists(stamped->path));
    delivered->index[delivered->count] = stamped->index;
    snprintf(delivered->image_id[delivered->count++], BST_UUID_LEN, "%s", stamped->image_id);
}

/* Stamps one picture under that name. */
static void stamp_one(const char *path, enum bst_privacy privacy, struct delivered *delivered)
{
    struct bst_error err = {0};
    struct bst_stamper *stamper = open_stamper(true);
    memset(delivered, 0, sizeof(*delivered));
    assert_good(add(stamper, path, true, privacy, &err));
    assert_int_equal(bst_stamp_pending(stamper), 1);
    assert_good(bst_stamp_commit(stamper, note_delivered, delivered, &err));
    assert_int_equal(bst_stamp_pending(stamper), 0);
    assert_int_equal(delivered->count, 1);
    bst_stamper_close(stamper);
}

static void a_stamped_file_proves_itself(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct delivered delivered;
    struct bst_buf roots = {0};
    struct bst_container container;
    struct bst_c2pa c2pa;
    struct bst_dsse dsse;
    struct bst_proof proof;
    struct bst_image made, read;
    uint8_t digest[BST_SHA256_LEN], made_digest[BST_SHA256_LEN], log_key[BST_KEY_LEN];
    char hex[BST_SHA256_HEX], *log_name;
    const char *path = in_folder("picture.png");
    stamp_one(path, BST_PUBLIC, &delivered);
    read_roots(&roots);
    assert_good(bst_container_scan(path, &container, &err));
    assert_int_equal(container.manifest.start, 33);
    struct bst_trust *trust = trust_in((const char *)roots.data);
    assert_good(bst_c2pa_read(path, &container, trust, &c2pa, &err));
    bst_trust_free(trust);
    assert_int_equal(c2pa.state, BST_C2PA_TRUSTED);

    /* the receipt: signed by the same key, in the log, about these bytes */
    assert_good(bst_dsse_open(c2pa.envelope.data, c2pa.envelope.len, &dsse, &err));
    assert_true(bst_dsse_verify(&dsse, c2pa.signer_key));
    assert_good(bst_proof_parse((const char *)c2pa.proof.data, c2pa.proof.len, &proof, &err));
    assert_int_equal(proof.index, delivered.index[0]);
    assert_good(bst_vkey_parse(c2pa.log_vkey, &log_name, log_key, &err));
    assert_good(bst_proof_verify(&proof, c2pa.envelope.data, c2pa.envelope.len, log_name, log_key, &err));
    assert_good(bst_container_digest(path, &container.manifest, 1, digest, &err));
    bst_hex(digest, sizeof(digest), hex);
    assert_string_equal(bst_json_text(bst_json_at(dsse.statement, "subject.0.digest"), "sha256"), hex);
    make_gradient(96, 64, &made);
    assert_good(bst_image_load(path, &read, &err));
    bst_image_digest(&made, made_digest);
    bst_image_digest(&read, digest);
    assert_memory_equal(made_digest, digest, sizeof(digest));
    bst_hex(digest, sizeof(digest), hex);
    assert_string_equal(bst_json_text(bst_json_at(dsse.statement, "subject.0.digest"), "pixels-sha256"), hex);

    /* one identifier in every layer */
    json_t *metadata, *report;
    char id[64];
    assert_good(bst_metadata_read(path, &container, &metadata, &err));
    assert_good(bst_c2pa_export(&c2pa, BST_C2PA_OURS, &report, &err));
    snprintf(id, sizeof(id), "xmp.iid:%s", delivered.image_id[0]);
    assert_string_equal(bst_json_text(json_object_get(metadata, "xmp"), "xmpMM:InstanceID"), id);
    assert_string_equal(bst_json_text(json_object_get(report, "claim"), "instanceID"), id);
    json_decref(report);
    assert_int_equal(json_array_size(json_object_get(metadata, "problems")), 0);
    json_decref(metadata);
    free(log_name);
    bst_image_clear(&made);
    bst_image_clear(&read);
    bst_proof_clear(&proof);
    bst_dsse_clear(&dsse);
    bst_c2pa_clear(&c2pa);
    bst_container_clear(&container);
    bst_buf_free(&roots);
}

/* The file's bytes and, behind them, the statement inside its receipt, which is base64 in the file. */
static void all_that_is_said(const char *path, struct bst_buf *out)
{
    struct bst_error err = {0};
    struct bst_c2pa c2pa;
    struct bst_dsse dsse;
    assert_good(bst_file_read(path, 1u << 24, out, &err));
    assert_good(read_back(path, NULL, &c2pa, &err));
    assert_good(bst_dsse_open(c2pa.envelope.data, c2pa.envelope.len, &dsse, &err));
    bst_buf_append(out, dsse.payload.data, dsse.payload.len);
    bst_dsse_clear(&dsse);
    bst_c2pa_clear(&c2pa);
}

static void privacy_profiles_keep_words_out(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        bool said[3]; /* public, partner, private */
    } secrets[] = {
        {"prompt-words", {true, false, false}}, {TITLE, {true, false, false}},
        {NOTE, {true, false, false}},           {SEED_TEXT, {true, true, false}},
        {STYLE_A, {true, true, false}},         {STYLE_B, {true, true, false}},
        {"0.8125", {true, true, false}},        {"Ada Example", {true, true, true}},
        {"seed-in-name", {true, true, false}},
    };
    static const char *const names[] = {"a-seed-in-name.png", "b-seed-in-name.png", "c-seed-in-name.png"};
    for (int privacy = BST_PUBLIC; privacy <= BST_PRIVATE; privacy++) {
        struct delivered delivered;
        struct bst_buf said = {0};
        const char *path = in_folder(names[privacy]);
        stamp_one(path, (enum bst_privacy)privacy, &delivered);
        all_that_is_said(path, &said);
        for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
            if (contains(said.data, said.len, secrets[i].words) != secrets[i].said[privacy]) {
                fail_msg("profile %d: %s", privacy, secrets[i].words);
            }
        }
        assert_true(contains(said.data, said.len, BST_SOURCE_GENERATED));
        bst_buf_free(&said);
    }
}

static void existing_files_are_kept(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_stamper *stamper = open_stamper(true);
    struct bst_buf content = {0};
    const char *taken = in_folder("taken.png");
    write_file(taken, "mine", 4);
    assert_int_equal(add(stamper, taken, false, BST_PUBLIC, &err), BST_USAGE);
    assert_non_null(strstr(err.hint, "--force"));
    assert_int_equal(bst_stamp_pending(stamper), 0);
    const char *twice = in_folder("twice.png");
    assert_good(add(stamper, twice, false, BST_PUBLIC, &err));
    assert_int_equal(add(stamper, twice, true, BST_PUBLIC, &err), BST_USAGE);
    write_file(twice, "late", 4); /* somebody takes the name in the meantime */
    assert_int_equal(bst_stamp_commit(stamper, NULL, NULL, &err), BST_USAGE);
    assert_good(bst_file_read(twice, 100, &content, &err));
    assert_memory_equal(content.data, "late", 4);
    assert_good(add(stamper, taken, true, BST_PUBLIC, &err)); /* asked to */
    assert_good(bst_stamp_commit(stamper, NULL, NULL, &err));
    content.len = 0;
    assert_good(bst_file_read(taken, 1u << 24, &content, &err));
    assert_true(content.len > 1000);
    bst_stamper_close(stamper);
    assert_int_equal(hidden_files(), 0);
    bst_buf_free(&content);
}

static void nothing_is_left_behind(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_stamper *stamper = open_stamper(true);
    assert_good(add(stamper, in_folder("dropped.png"), false, BST_PUBLIC, &err));
    assert_good(add(stamper, in_folder("dropped too.png"), false, BST_PUBLIC, &err));
    assert_int_equal(hidden_files(), 2);
    bst_stamper_close(stamper);
    assert_int_equal(hidden_files(), 0);
    assert_false(bst_file_exists(in_folder("dropped.png")));

    stamper = open_stamper(true);
    assert_int_equal(add(stamper, in_folder("no such folder/x.png"), false, BST_PUBLIC, &err), BST_FAILURE);
    assert_non_null(strstr(err.hint, "create the folder"));
    struct rlimit was, small = {2000, 2000}; /* as on a full disk: a write fails in the middle */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    small.rlim_max = was.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum bst_code code = add(stamper, in_folder("full.png"), false, BST_PUBLIC, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(code, BST_FAILURE);
    assert_int_equal(hidden_files(), 0);
    assert_false(bst_file_exists(in_folder("full.png")));
    struct bst_generation generation = make_generation(BST_PUBLIC);
    struct bst_image image;
    make_gradient(8, 8, &image);
    generation.title = "bad \x1b[31m words";
    assert_int_equal(bst_stamp_add(stamper, &image, in_folder("words.png"), false, &generation, &err),
                     BST_USAGE);
    assert_int_equal(bst_stamp_pending(stamper), 0);
    bst_image_clear(&image);
    bst_stamper_close(stamper);
}

static uint64_t ledger_size(void)
{
    struct bst_error err = {0};
    struct bst_ledger *ledger;
    char *path = bst_path_join(home, "ledger.sqlite");
    assert_good(bst_ledger_open(path, BST_LEDGER_READ, &ledger, &err));
    uint64_t size = bst_ledger_size(ledger);
    bst_ledger_close(ledger);
    free(path);
    return size;
}

static void a_full_disk_is_noticed_before_the_ledger_is_written(void **state)
{
    (void)state;
    struct bst_error err = {0};
    char *disk = bst_strdup(in_folder("small disk"));
    char *filler = bst_path_join(disk, "filler"), *picture = bst_path_join(disk, "picture.png");
    static uint8_t zeros[76 * 1024];
    assert_good(bst_folder_make(disk, 0700, &err));
    if (mount("tmpfs", disk, "tmpfs", 0, "size=96k") != 0) {
        print_message("not allowed to mount a small disk\n");
        free(disk);
        free(filler);
        free(picture);
        skip();
    }
    struct bst_stamper *stamper = open_stamper(true);
    uint64_t before = ledger_size();
    write_file(filler, zeros, sizeof(zeros));
    enum bst_code added = add(stamper, picture, false, BST_PUBLIC, &err);
    enum bst_code committed = bst_stamp_commit(stamper, NULL, NULL, &err);
    bool there = bst_file_exists(picture);
    remove(filler);
    enum bst_code again = add(stamper, picture, false, BST_PUBLIC, &err);
    if (again == BST_OK) again = bst_stamp_commit(stamper, NULL, NULL, &err);
    umount(disk);
    bst_stamper_close(stamper);
    assert_int_equal(added, BST_OK);
    assert_int_equal(committed, BST_FAILURE);
    assert_false(there);
    assert_int_equal(again, BST_OK);
    assert_int_equal(ledger_size(), before + 1);
    free(disk);
    free(filler);
    free(picture);
}

static void a_batch_is_one_checkpoint(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_stamper *stamper = open_stamper(true);
    struct delivered delivered = {0};
    char *notes[2] = {NULL, NULL};
    char name[32];
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "batch-%d.png", i);
        assert_good(add(stamper, in_folder(name), false, BST_PUBLIC, &err));
    }
    assert_good(bst_stamp_commit(stamper, note_delivered, &delivered, &err));
    assert_int_equal(delivered.count, 20);
    for (size_t i = 1; i < 20; i++) {
        assert_int_equal(delivered.index[i], delivered.index[0] + i);
    }
    for (int i = 0; i < 2; i++) { /* first and last receipt show the same checkpoint */
        struct bst_c2pa c2pa;
        struct bst_proof proof;
        assert_good(read_back(in_folder(i == 0 ? "batch-0.png" : "batch-19.png"), NULL, &c2pa, &err));
        assert_good(bst_proof_parse((const char *)c2pa.proof.data, c2pa.proof.len, &proof, &err));
        notes[i] = bst_strdup(proof.checkpoint);
        bst_proof_clear(&proof);
        bst_c2pa_clear(&c2pa);
    }
    assert_string_equal(notes[0], notes[1]);
    free(notes[0]);
    free(notes[1]);
    assert_good(bst_stamp_commit(stamper, note_delivered, &delivered, &err)); /* nothing to do */
    assert_int_equal(delivered.count, 20);
    bst_stamper_close(stamper);
}

static void statements_are_logged(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_stamper *stamper = open_stamper(true);
    struct bst_buf payload = {0};
    uint64_t first, second;
    assert_good(bst_statement_identity(bst_stamper_identity(stamper), &payload, &err));
    assert_good(bst_stamp_statement(stamper, &payload, NULL, &first, &err));
    assert_good(bst_stamp_statement(stamper, &payload, NULL, &second, &err));
    assert_int_equal(second, first + 1);
    bst_buf_free(&payload);
    bst_stamper_close(stamper);
}

static void locked_keys_say_so(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_identity identity;
    struct bst_stamper *stamper;
    bool locked;
    char *other = bst_strdup(in_folder("locked home"));
    struct bst_init init = {.home = other, .author = "Ada Example", .passphrase = "correct horse"};
    assert_good(bst_home_init(&init, &identity, &err));
    struct bst_stamper_options options = {.home = other};
    assert_int_equal(bst_stamper_open(&options, &stamper, &locked, &err), BST_USAGE);
    assert_true(locked);
    options.passphrase = "wrong";
    assert_int_equal(bst_stamper_open(&options, &stamper, &locked, &err), BST_USAGE);
    options.passphrase = "correct horse";
    assert_good(bst_stamper_open(&options, &stamper, &locked, &err));
    bst_stamper_close(stamper);
    bst_identity_clear(&identity);
    free(other);
}

static void a_foreign_certificate_is_noticed_first(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_stamper *stamper;
    struct signer other;
    bool locked;
    struct bst_buf kept = {0};
    char *path = bst_path_join(home, "certs/author.pem");
    signer_new(&other, bst_now_ms());
    assert_good(bst_file_read(path, 1u << 20, &kept, &err));
    write_file(path, other.leaf, strlen(other.leaf));
    struct bst_stamper_options options = {.home = home};
    assert_int_equal(bst_stamper_open(&options, &stamper, &locked, &err), BST_FAILURE);
    assert_non_null(strstr(err.where, "certs/author.pem"));
    write_file(path, kept.data, kept.len);
    bst_stamper_close(open_stamper(true));
    bst_buf_free(&kept);
    signer_free(&other);
    free(path);
}

/* Scan, credential and pixels: would anybody be told that all is well? */
static bool passes(const char *path, const char *roots, const uint8_t pixels[static BST_SHA256_LEN])
{
    struct bst_error err = {0};
    struct bst_c2pa c2pa;
    struct bst_image image;
    uint8_t digest[BST_SHA256_LEN];
    if (read_back(path, roots, &c2pa, &err) != BST_OK) return false;
    bool clean = c2pa.state == BST_C2PA_TRUSTED;
    bst_c2pa_clear(&c2pa);
    if (!clean || bst_image_load(path, &image, &err) != BST_OK) return false;
    bst_image_digest(&image, digest);
    bst_image_clear(&image);
    return memcmp(digest, pixels, sizeof(digest)) == 0;
}

static void no_changed_byte_passes(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct delivered delivered;
    struct bst_buf file = {0}, roots = {0};
    struct bst_image image;
    uint8_t pixels[BST_SHA256_LEN];
    const char *path = in_folder("flip.png");
    stamp_one(path, BST_PUBLIC, &delivered);
    read_roots(&roots);
    make_gradient(96, 64, &image);
    bst_image_digest(&image, pixels);
    bst_image_clear(&image);
    assert_true(passes(path, (const char *)roots.data, pixels));
    assert_good(bst_file_read(path, 1u << 24, &file, &err));
    for (size_t at = 0; at < file.len; at += at < 100 ? 1 : 97) {
        for (int bit = 0; bit < 8; bit += 7) {
            file.data[at] ^= (uint8_t)(1 << bit);
            write_file(path, file.data, file.len);
            if (passes(path, (const char *)roots.data, pixels)) fail_msg("bit %d of byte %zu", bit, at);
            file.data[at] ^= (uint8_t)(1 << bit);
        }
    }
    bst_buf_free(&file);
    bst_buf_free(&roots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stamped_file_proves_itself),
        cmocka_unit_test(privacy_profiles_keep_words_out),
        cmocka_unit_test(existing_files_are_kept),
        cmocka_unit_test(nothing_is_left_behind),
        cmocka_unit_test(a_full_disk_is_noticed_before_the_ledger_is_written),
        cmocka_unit_test(a_batch_is_one_checkpoint),
        cmocka_unit_test(statements_are_logged),
        cmocka_unit_test(locked_keys_say_so),
        cmocka_unit_test(a_foreign_certificate_is_noticed_first),
        cmocka_unit_test(no_changed_byte_passes),
    };
    return cmocka_run_group_tests_name("stamp", tests, home_setup, home_teardown);
}
