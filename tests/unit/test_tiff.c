/* test_tiff.c - TIFF and BigTIFF files scanned page by page, and refused when they are not what they claim (TIFF 6.0,
 * section 2; C2PA 2.4 A.3.4). */
#include "scan_fixture.h"

/* How the file under construction writes its numbers. */
struct form {
    bool little, big;
};

static void put(struct bst_buf *out, const struct form *form, size_t len, uint64_t value)
{
    for (size_t i = 0; i < len; i++)
        bst_buf_byte(out, (uint8_t)(value >> 8 * (form->little ? i : len - 1 - i)));
}

static void begin(struct bst_buf *out, const struct form *form, uint64_t first)
{
    bst_buf_append(out, form->little ? "II" : "MM", 2);
    put(out, form, 2, form->big ? 43 : 42);
    if (form->big) put(out, form, 2, 8);
    if (form->big) put(out, form, 2, 0);
    put(out, form, form->big ? 8 : 4, first);
}

static void entry(struct bst_buf *out, const struct form *form, uint16_t tag, uint16_t type, uint64_t count,
                  uint64_t value)
{
    put(out, form, 2, tag);
    put(out, form, 2, type);
    put(out, form, form->big ? 8 : 4, count);
    put(out, form, form->big ? 8 : 4, value);
}

static void page(struct bst_buf *out, const struct form *form, uint64_t entries)
{
    put(out, form, form->big ? 8 : 2, entries);
}

static void next_page(struct bst_buf *out, const struct form *form, uint64_t at)
{
    put(out, form, form->big ? 8 : 4, at);
}

static const struct form forms[] = {{true, false}, {false, false}, {true, true}, {false, true}};

/* One page with a store of 9 bytes behind it, and a second one when its place is given. */
static void one_page(struct bst_buf *out, const struct form *form, uint16_t type, uint64_t count,
                     uint64_t more)
{
    uint64_t first = form->big ? 16 : 8, end = first + (form->big ? 8 + 40 + 8 : 2 + 24 + 4);
    begin(out, form, first);
    page(out, form, 2);
    entry(out, form, 256, 4, 1, 3);
    entry(out, form, 0xcd41, type, count, end);
    next_page(out, form, more);
    bst_buf_append(out, "the store", 9);
}

static void every_form_is_read(void **state)
{
    (void)state;
    struct bst_error err = {0};
    for (size_t i = 0; i < 4; i++) {
        struct bst_buf file = {0};
        one_page(&file, &forms[i], 7, 9, 0);
        assert_good(scan(&file, &err));
        assert_int_equal(scanned.format, BST_FORMAT_TIFF);
        assert_int_equal(scanned.count, 1);
        assert_string_equal(scanned.segments[0].type, "IFD");
        assert_int_equal(scanned.manifest.start, file.len - 9);
        holds_store("the store", 9);
        bst_container_clear(&scanned);
        bst_buf_free(&file);
    }
}

static void the_last_page_counts_before_the_first(void **state)
{
    (void)state;
    struct bst_error err = {0};
    for (int both = 0; both < 2; both++) {
        struct bst_buf file = {0};
        one_page(&file, &forms[0], 7, 9, 47);
        page(&file, &forms[0], 1);
        entry(&file, &forms[0], both ? 0xcd41 : 257, 7, 5, 38);
        next_page(&file, &forms[0], 0);
        assert_good(scan(&file, &err));
        assert_int_equal(scanned.count, 2);
        assert_true(scanned.has_manifest);
        assert_int_equal(scanned.manifest.length, both ? 5 : 9);
        bst_container_clear(&scanned);
        bst_buf_free(&file);
    }
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    const struct form *form = &forms[0];
    struct bst_buf file = {0};
    one_page(&file, form, 1, 9, 0);
    refused(&file, BST_BROKEN, "of type 1");
    one_page(&file, form, 7, 10, 0);
    refused(&file, BST_UNREADABLE, "10 bytes of metadata");
    one_page(&file, form, 7, 3, 0); /* they would stand in the entry itself */
    refused(&file, BST_UNREADABLE, "3 bytes of metadata");
    one_page(&file, form, 7, 9, 8);
    refused(&file, BST_UNREADABLE, "round in a circle");
    one_page(&file, form, 7, 9, 4000);
    refused(&file, BST_UNREADABLE, "behind the end");
    begin(&file, form, 0);
    refused(&file, BST_UNREADABLE, "without a page");
    begin(&file, form, 8);
    page(&file, form, 65535);
    refused(&file, BST_UNREADABLE, "in the middle of a page");
    begin(&file, &forms[2], 16);
    page(&file, &forms[2], UINT64_MAX);
    refused(&file, BST_UNREADABLE, "entries");
    bst_buf_append(&file, "II+\0\4\0\0\0", 8);
    refused(&file, BST_UNREADABLE, "64 bits");
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct bst_error err = {0};
    for (size_t i = 0; i < 4; i++) {
        struct bst_buf file = {0};
        one_page(&file, &forms[i], 7, 9, 0);
        size_t whole = file.len;
        for (file.len = 0; file.len < whole; file.len++)
            assert_int_equal(scan(&file, &err), BST_UNREADABLE);
        bst_buf_free(&file);
    }
}

/* Pages that share their bytes must not make the work grow with their square. */
static void too_many_pages_and_entries_are_refused(void **state)
{
    (void)state;
    const struct form *form = &forms[0];
    struct bst_buf file = {0};
    begin(&file, form, 8);
    for (uint64_t i = 0; i < 2001; i++) {
        page(&file, form, 0);
        next_page(&file, form, 8 + 6 * (i + 1));
    }
    refused(&file, BST_UNREADABLE, "more than 2000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read),
        cmocka_unit_test(the_last_page_counts_before_the_first),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(too_many_pages_and_entries_are_refused),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
