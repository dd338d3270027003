/* test_exif_edit.c - the choice against training put into EXIF: nothing that was there moves, in either byte order, and
 * broken directories are refused. */
#include "metadata_fixture.h"

static void put(struct bst_buf *out, bool big, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++)
        bst_buf_byte(out, (uint8_t)(value >> (8 * (big ? size - 1 - i : i))));
}

static void put_entry(struct bst_buf *out, bool big, unsigned tag, unsigned type, uint32_t count,
                      uint32_t value)
{
    put(out, big, 2, tag);
    put(out, big, 2, type);
    put(out, big, 4, count);
    put(out, big, 4, value);
}

#define NOTE_AT 100

static const struct bst_container png = {.format = BST_FORMAT_PNG, .width = 96, .height = 64},
                                  jpeg = {.format = BST_FORMAT_JPEG, .width = 96, .height = 64},
                                  webp = {.format = BST_FORMAT_WEBP, .width = 96, .height = 64};

/* IFD0 at 8 with an orientation; with_exif: a directory at 40 with a maker's note at NOTE_AT, and choice (0: none) as
 * LearningOptOutIn at 80. */
static void make_block(bool big, bool with_exif, uint32_t choice, struct bst_buf *out)
{
    bst_buf_append(out, big ? "MM\0*" : "II*\0", 4);
    put(out, big, 4, 8);
    put(out, big, 2, with_exif ? 2 : 1);
    put_entry(out, big, 0x0112, 3, 1, big ? 6u << 16 : 6);
    if (with_exif) put_entry(out, big, 0x8769, 4, 1, 40);
    put(out, big, 4, 0);
    while (out->len < 40)
        bst_buf_byte(out, 0xee);
    if (with_exif) {
        put(out, big, 2, choice != 0 ? 2 : 1);
        put_entry(out, big, 0x927c, 7, 20, NOTE_AT);
        if (choice != 0) put_entry(out, big, 0x9287, 7, 10, choice);
        put(out, big, 4, 0);
    }
    while (out->len < 80)
        bst_buf_byte(out, 0xee);
    for (int i = 0; i < 5; i++)
        put(out, big, 2, (uint32_t)(i == 0 ? 2 : i == 4 ? 1 : 0)); /* uses 0 and 0, the second opted in */
    while (out->len < NOTE_AT)
        bst_buf_byte(out, 0xee);
    bst_buf_append(out, "a maker's own note, ", 20);
}

static void has_choice(const struct bst_buf *block, bool big)
{
    static const uint16_t words[] = {2, 1, 0, 2, 0};
    struct bst_buf want = {0};
    for (size_t i = 0; i < 5; i++)
        put(&want, big, 2, words[i]);
    size_t found = 0;
    for (size_t i = 0; i + want.len <= block->len; i++)
        found += memcmp(block->data + i, want.data, want.len) == 0;
    assert_true(found > 0);
    json_t *all = read_block(bst_exif_read, block);
    assert_non_null(json_object_get(all, "0x9287"));
    json_decref(all);
    bst_buf_free(&want);
}

static void nothing_moves(void **state)
{
    (void)state;
    for (int round = 0; round < 12; round++) {
        struct bst_error err = {0};
        struct bst_buf block = {0}, made = {0}, again = {0};
        bool big = round % 2 == 0;
        make_block(big, round / 2 % 3 > 0, round / 2 % 3 == 2 ? 80 : 0, &block);
        const struct bst_container *picture = round < 6 ? &png : &jpeg;
        assert_good(bst_exif_edit(block.data, block.len, picture, &made, &err));
        has_choice(&made, big);
        json_t *all = read_block(bst_exif_read, &made);
        assert_non_null(bst_json_text(all, "Orientation"));
        if (round / 2 % 3 > 0) assert_non_null(bst_json_text(all, "MakerNote"));
        json_decref(all);
        /* behind the header, all bytes but pointers are where they were */
        assert_memory_equal(made.data + 80, block.data + 80, block.len - 80);
        size_t changed = 0;
        for (size_t i = 0; i < block.len; i++)
            changed += made.data[i] != block.data[i];
        assert_true(changed <= 8);
        assert_good(bst_exif_edit(made.data, made.len, picture, &again, &err));
        assert_same(again, made); /* it is said already */
        bst_buf_free(&block);
        bst_buf_free(&made);
        bst_buf_free(&again);
    }
}

static void a_new_block(void **state)
{
    (void)state;
    static const struct bst_container *const pictures[] = {&png, &jpeg, &webp};
    for (size_t i = 0; i < 3; i++) {
        struct bst_error err = {0};
        struct bst_buf made = {0};
        assert_good(bst_exif_edit(NULL, 0, pictures[i], &made, &err));
        has_choice(&made, true);
        json_t *all = read_block(bst_exif_read, &made);
        assert_non_null(bst_json_text(all, "ExifVersion"));
        assert_int_equal(bst_json_text(all, "XResolution") != NULL, pictures[i] == &jpeg);
        json_decref(all);
        bst_buf_free(&made);
    }
}

/* In a PNG the directory that exiftool would overlook behind our manifest moves away from there. */
static void first_directory_in_png(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf block = {0}, in_png = {0}, in_jpeg = {0};
    make_block(true, true, 0, &block);
    assert_good(bst_exif_edit(block.data, block.len, &png, &in_png, &err));
    assert_good(bst_exif_edit(block.data, block.len, &jpeg, &in_jpeg, &err));
    assert_false(bst_exif_box_begins_at(bst_get_be32(in_png.data + 4)));
    assert_int_equal(bst_get_be32(in_jpeg.data + 4), 8);
    bst_buf_free(&block);
    bst_buf_free(&in_png);
    bst_buf_free(&in_jpeg);
}

static void broken_blocks(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf block = {0}, made = {0};
    make_block(true, true, 80, &block);
    for (size_t len = 0; len < block.len; len++) { /* cut anywhere: an answer */
        made.len = 0;
        enum bst_code code = bst_exif_edit(block.data, len, &jpeg, &made, &err);
        assert_true(code == BST_OK || code == BST_UNREADABLE);
        if (len < 8) assert_int_equal(code, BST_UNREADABLE);
    }
    static const size_t places[] = {4, 8, 30}; /* offset of IFD0, its count, offset of the second directory */
    for (size_t i = 0; i < 3; i++) {
        uint8_t kept[2];
        memcpy(kept, block.data + places[i], 2);
        memset(block.data + places[i], 0xff, 2);
        made.len = 0;
        assert_int_equal(bst_exif_edit(block.data, block.len, &png, &made, &err), BST_UNREADABLE);
        memcpy(block.data + places[i], kept, 2);
    }
    bst_buf_free(&block);
    bst_buf_free(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_moves),
        cmocka_unit_test(a_new_block),
        cmocka_unit_test(first_directory_in_png),
        cmocka_unit_test(broken_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
