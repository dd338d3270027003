/* fuzz_verify.c - the whole judgement of a file. An input is taken twice: as a file of a stranger, which must
 * not crash and must not be verified; and as an edit (four bytes of place, then what is written there) of a
 * picture that was stamped here and is trusted here. An edited picture that still counts as verified is a
 * forgery: abort. */
#include "fuzz_file.h"

#include <jansson.h>
#include <string.h>
#include <zlib.h>

#include "audit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static char folder[] = "/tmp/blindstamp-fuzz-XXXXXX";
static char *home;
static struct bst_buf original;

static void must(enum bst_code code, const struct bst_error *err)
{
    if (code == BST_OK) return;
    fprintf(stderr, "fuzz_verify: %s %s\n", err->what, err->where);
    abort();
}

static void remove_folder(void)
{
    char *command = bst_format("rm -r '%s'", folder);
    if (command && system(command) != 0) fprintf(stderr, "fuzz_verify: cannot remove %s\n", folder);
    free(command);
    free(home);
    bst_buf_free(&original);
}

/* An identity, and a small picture stamped by it. */
static void set_up(void)
{
    struct bst_error err = {0};
    struct bst_identity identity;
    struct bst_stamper *stamper;
    struct bst_image image;
    bool locked;
    if (!mkdtemp(folder)) abort();
    home = bst_path_join(folder, "home");
    char *path = bst_path_join(folder, "picture.png");
    const struct bst_init init = {.home = home, .author = "Ada Example"};
    const struct bst_stamper_options options = {.home = home};
    const struct bst_generation generation = {.model_name = "ponds",
                                              .width = 8,
                                              .height = 8,
                                              .title = "Pond",
                                              .arith = BST_ARITH,
                                              .started_ms = 1767225600000,
                                              .finished_ms = 1767225600000};
    must(bst_home_init(&init, &identity, &err), &err);
    must(bst_image_new(8, 8, 3, 8, &image, &err), &err);
    must(bst_stamper_open(&options, &stamper, &locked, &err), &err);
    must(bst_stamp_add(stamper, &image, path, false, &generation, &err), &err);
    must(bst_stamp_commit(stamper, NULL, NULL, &err), &err);
    must(bst_file_read(path, 1 << 20, &original, &err), &err);
    bst_stamper_close(stamper);
    bst_image_clear(&image);
    bst_identity_clear(&identity);
    free(path);
    atexit(remove_folder);
}

static enum bst_code judge(const uint8_t *data, size_t len, const char *at_home)
{
    struct bst_error err = {0};
    struct bst_verdict verdict;
    json_t *object;
    const struct bst_verify_options options = {.home = at_home};
    const char *path = fuzz_file(data, len);
    if (bst_verify(path, &options, &verdict, &err) != BST_OK) return err.code;
    enum bst_code code = verdict.code;
    must(bst_verdict_json(&verdict, &object, &err), &err);
    json_decref(object);
    bst_verdict_clear(&verdict);
    if (bst_show(path, &object, &err) == BST_OK) json_decref(object);
    return code;
}

/* What a forger would put right after an edit. */
static void fix_checksums(uint8_t *data, size_t len)
{
    for (size_t at = 8; at + 12 <= len;) {
        size_t size = bst_get_be32(data + at);
        if (size > len - at - 12) return;
        uLong crc = crc32(0, data + at + 4, (uInt)size + 4);
        for (int i = 0; i < 4; i++)
            data[at + 8 + size + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
        at += size + 12;
    }
}

static void judge_edit(const uint8_t *data, size_t len)
{
    if (len < 5) return;
    size_t at = bst_get_be32(data) % original.len, count = len - 4;
    if (count > original.len - at) count = original.len - at;
    uint8_t *copy = malloc(original.len);
    if (!copy) return;
    memcpy(copy, original.data, original.len);
    memcpy(copy + at, data + 4, count);
    fix_checksums(copy, original.len);
    bool edited = memcmp(copy, original.data, original.len) != 0;
    enum bst_code code = judge(copy, original.len, home);
    if (edited == (code == BST_OK)) {
        fprintf(stderr, "fuzz_verify: %zu bytes at %zu give code %d\n", count, at, (int)code);
        abort();
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!original.len) set_up();
    if (judge(data, len, NULL) == BST_OK) abort();
    judge_edit(data, len);
    return 0;
}
