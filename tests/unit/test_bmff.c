/* test_bmff.c - AVIF and HEIF files scanned box by box, and refused when they are not what they claim (ISO/IEC 14496-12,
 * 4.2; C2PA 2.4 A.5). */
#include "scan_fixture.h"

#include "container_bmff.h"

static size_t begin(struct bst_buf *out, const char *type)
{
    size_t at = out->len;
    bst_buf_be32(out, 0);
    bst_buf_append(out, type, 4);
    return at;
}

static void end(struct bst_buf *out, size_t at)
{
    for (int i = 0; i < 4; i++)
        out->data[at + (size_t)i] = (uint8_t)((out->len - at) >> (24 - 8 * i));
}

static void add(struct bst_buf *out, const char *type, const void *data, size_t len)
{
    size_t at = begin(out, type);
    bst_buf_append(out, data, len);
    end(out, at);
}

static void head(struct bst_buf *out, const char *brand)
{
    size_t at = begin(out, "ftyp");
    bst_buf_append(out, brand, 4);
    bst_buf_be32(out, 0);
    bst_buf_append(out, "miaf", 4);
    bst_buf_append(out, brand, 4);
    end(out, at);
}

/* purpose with its zero and the eight bytes behind it, then a store. */
static void c2pa(struct bst_buf *out, const char *purpose, const void *store, size_t len)
{
    size_t at = begin(out, "uuid");
    bst_buf_append(out, bst_c2pa_uuid, BST_C2PA_UUID_LEN);
    bst_buf_be32(out, 0);
    bst_buf_append(out, purpose, strlen(purpose) + 1);
    bst_buf_append(out, "\0\0\0\0\0\0\0\0", 8);
    bst_buf_append(out, store, len);
    end(out, at);
}

static void boxes_and_what_they_hold(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        unsigned depth;
    } want[] = {{"ftyp", 0}, {"meta", 0}, {"hdlr", 1}, {"udta", 1}, {"free", 2}, {"iloc", 1}, {"mdat", 0}};
    struct bst_error err = {0};
    struct bst_buf file = {0};
    head(&file, "heic");
    size_t meta = begin(&file, "meta");
    bst_buf_be32(&file, 0);
    add(&file, "hdlr", "", 0);
    size_t udta = begin(&file, "udta");
    add(&file, "free", "", 0);
    end(&file, udta);
    add(&file, "iloc", "12345678", 8);
    end(&file, meta);
    add(&file, "mdat", "picture", 7);
    bst_buf_text(&file, "behind");
    assert_good(scan(&file, &err));
    assert_int_equal(scanned.format, BST_FORMAT_HEIF);
    assert_int_equal(scanned.count, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_string_equal(scanned.segments[i].type, want[i].type);
        assert_int_equal(scanned.segments[i].depth, want[i].depth);
    }
    assert_int_equal(scanned.trailing.length, 6);
    assert_false(scanned.has_manifest);
    bst_container_clear(&scanned);
    bst_buf_free(&file);
}

static void brands_tell_the_format(void **state)
{
    (void)state;
    static const struct {
        const char *brand;
        enum bst_format format;
    } brands[] = {{"avif", BST_FORMAT_AVIF}, {"avis", BST_FORMAT_AVIF}, {"heic", BST_FORMAT_HEIF},
                  {"mif1", BST_FORMAT_HEIF}, {"msf1", BST_FORMAT_HEIF}, {"isom", BST_FORMAT_UNKNOWN}};
    struct bst_error err = {0};
    for (size_t i = 0; i < sizeof(brands) / sizeof(brands[0]); i++) {
        struct bst_buf file = {0};
        head(&file, brands[i].brand);
        assert_int_equal(scan(&file, &err), brands[i].format == BST_FORMAT_UNKNOWN ? BST_UNREADABLE : BST_OK);
        assert_int_equal(scanned.format, brands[i].format);
        bst_container_clear(&scanned);
        bst_buf_free(&file);
    }
}

static void the_store_is_found(void **state)
{
    (void)state;
    static const char padded[] = "\0\0\0\x0cjumbdata\0\0\0";
    struct bst_error err = {0};
    struct bst_buf file = {0};
    head(&file, "avif");
    uint64_t at = file.len;
    c2pa(&file, "manifest", padded, sizeof(padded) - 1);
    add(&file, "mdat", "picture", 7);
    assert_good(scan(&file, &err));
    assert_int_equal(scanned.manifest.start, at);
    assert_int_equal(scanned.manifest.length, file.len - at - 15);
    holds_store(padded, 12); /* without the zeros behind it */
    bst_container_clear(&scanned);
    bst_buf_free(&file);
}

static void an_update_is_joined(void **state)
{
    (void)state;
    static const char store[] = "\0\0\0\x20jumb\0\0\0\x0cjumdc2pa\0\0\0\x0c"
                                "jumbaaaa",
                      update[] = "\0\0\0\x28jumb\0\0\0\x0cjumdc2pa\0\0\0\x0a"
                                 "jumbbb\0\0\0\x0a"
                                 "jumbcc",
                      want[] = "\0\0\0\x34jumb\0\0\0\x0cjumdc2pa\0\0\0\x0c"
                               "jumbaaaa\0\0\0\x0a"
                               "jumbbb\0\0\0\x0a"
                               "jumbcc";
    struct bst_error err = {0};
    struct bst_buf file = {0}, joined = {0};
    head(&file, "avif");
    c2pa(&file, "original", store, sizeof(store) - 1);
    c2pa(&file, "update", update, sizeof(update) - 1);
    assert_good(scan(&file, &err));
    holds_store(want, sizeof(want) - 1);
    bst_container_clear(&scanned);
    /* an update whose description is longer than itself */
    bst_buf_free(&file);
    head(&file, "avif");
    c2pa(&file, "original", store, sizeof(store) - 1);
    c2pa(&file, "update", "\0\0\0\x10jumb\0\0\0\x0cjumd", 16);
    assert_good(scan(&file, &err));
    assert_int_equal(bst_container_manifest(scan_path(), &scanned, &joined, &err), BST_BROKEN);
    bst_container_clear(&scanned);
    bst_buf_free(&file);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    struct bst_buf file = {0};
    head(&file, "avif");
    c2pa(&file, "manifest", "", 0);
    c2pa(&file, "original", "", 0);
    refused(&file, BST_BROKEN, "two C2PA manifest stores");
    head(&file, "avif");
    c2pa(&file, "original", "", 0);
    refused(&file, BST_BROKEN, "the update");
    head(&file, "avif");
    c2pa(&file, "update", "", 0);
    refused(&file, BST_BROKEN, "without what it updates");
    head(&file, "avif");
    c2pa(&file, "other", "", 0);
    refused(&file, BST_BROKEN, "none that holds a manifest store");
    head(&file, "avif");
    size_t at = begin(&file, "uuid");
    bst_buf_append(&file, bst_c2pa_uuid, BST_C2PA_UUID_LEN);
    bst_buf_append(&file, "\0\0\0\0manifest", 13);
    end(&file, at);
    refused(&file, BST_BROKEN, "before the store begins");
    head(&file, "avif");
    bst_buf_append(&file, "\0\0\0\7free", 8);
    refused(&file, BST_UNREADABLE, "7 bytes long");
    head(&file, "avif");
    bst_buf_append(&file,
                   "\0\0\0\x09"
                   "free",
                   8);
    refused(&file, BST_UNREADABLE, "9 bytes long");
    head(&file, "avif");
    bst_buf_append(&file, "\0\0\0\1free\xff\xff\xff\xff\xff\xff\xff\xff", 16);
    refused(&file, BST_UNREADABLE, "cannot be right");
    head(&file, "avif");
    add(&file, "udta", "1234", 4);
    refused(&file, BST_UNREADABLE, "no box");
    head(&file, "avif");
    add(&file, "meta", "12", 2);
    refused(&file, BST_UNREADABLE, "version and flags");
}

static void too_deep_and_too_many_are_refused(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf file = {0};
    for (size_t depth = 31; depth < 33; depth++) {
        head(&file, "avif");
        for (size_t i = 0; i < depth; i++) {
            bst_buf_be32(&file, (uint32_t)(8 * (depth - i)));
            bst_buf_append(&file, "udta", 4);
        }
        if (depth == 32) {
            refused(&file, BST_UNREADABLE, "too deep");
            continue;
        }
        assert_good(scan(&file, &err));
        bst_container_clear(&scanned);
        bst_buf_free(&file);
    }
    head(&file, "avif");
    for (size_t i = 0; i < BST_BMFF_BOXES; i++)
        add(&file, "free", "", 0);
    refused(&file, BST_UNREADABLE, "more boxes");
}

/* Cut anywhere but between boxes, or so near to them that what remains is no box's beginning. */
static void every_truncation_in_a_box_is_refused(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf file = {0};
    head(&file, "avif");
    size_t first = file.len;
    add(&file, "free", "content", 7);
    size_t whole = file.len;
    for (file.len = first + 8; file.len < whole; file.len++)
        assert_int_equal(scan(&file, &err), BST_UNREADABLE);
    bst_buf_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_and_what_they_hold),
        cmocka_unit_test(brands_tell_the_format),
        cmocka_unit_test(the_store_is_found),
        cmocka_unit_test(an_update_is_joined),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(too_deep_and_too_many_are_refused),
        cmocka_unit_test(every_truncation_in_a_box_is_refused),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
