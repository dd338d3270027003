/* test_jumbf.c - boxes written, read and resolved; malformed ones refused. */
#include "stamp_fixture.h"

static void make_boxes(struct bst_buf *out)
{
    size_t store = bst_jumbf_begin_super(out, BST_TYPE_STORE, "c2pa");
    for (int i = 1; i <= 2; i++) {
        size_t manifest =
            bst_jumbf_begin_super(out, BST_TYPE_MANIFEST, i == 1 ? "urn:c2pa:one" : "urn:c2pa:two");
        size_t assertions = bst_jumbf_begin_super(out, BST_TYPE_ASSERTIONS, "c2pa.assertions");
        bst_jumbf_leaf(out, BST_BOX_CBOR, "first", BST_BOX_CBOR, "\xa0", 1);
        bst_jumbf_leaf(out, BST_BOX_JSON, "second", BST_BOX_JSON, "{}", 2);
        bst_jumbf_end(out, assertions);
        bst_jumbf_end(out, manifest);
    }
    bst_jumbf_end(out, store);
    assert_false(out->failed);
}

static void layout_is_the_standard_one(void **state)
{
    (void)state;
    struct bst_buf bytes = {0};
    make_boxes(&bytes);
    /* as every C2PA store begins: LBox, jumb, 30-byte description with type c2pa, toggles 3, label */
    static const uint8_t head[] = {'j', 'u',  'm',  'b',  0, 0,    0,   0x1e, 'j',  'u', 'm', 'd',
                                   'c', '2',  'p',  'a',  0, 0x11, 0,   0x10, 0x80, 0,   0,   0xaa,
                                   0,   0x38, 0x9b, 0x71, 3, 'c',  '2', 'p',  'a',  0};
    assert_int_equal(bst_get_be32(bytes.data), bytes.len);
    assert_memory_equal(bytes.data + 4, head, sizeof(head));
    bst_buf_free(&bytes);
}

/* ISO 19566-5 B.2: the type, then a description with toggles and media type, then the bytes. */
static void an_embedded_file(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf bytes = {0};
    struct bst_jumbf box;
    static const uint8_t want[] = {0,    0,    0,    70,   'j',  'u',  'm',  'b',  0,    0,    0,    27,
                                   'j',  'u',  'm',  'd',  0x40, 0xcb, 0x0c, 0x32, 0xbb, 0x8a, 0x48, 0x9d,
                                   0xa7, 0x0b, 0x2a, 0xd6, 0xf4, 0x7f, 0x43, 0x69, 3,    'n',  0,    0,
                                   0,    0,    20,   'b',  'f',  'd',  'b',  0,    't',  'e',  'x',  't',
                                   '/',  'p',  'l',  'a',  'i',  'n',  0,    0,    0,    0,    15,   'b',
                                   'i',  'd',  'b',  'c',  'o',  'n',  't',  'e',  'n',  't'};
    bst_jumbf_file(&bytes, "n", "text/plain", "content", 7);
    assert_int_equal(bytes.len, sizeof(want));
    assert_memory_equal(bytes.data, want, sizeof(want));
    assert_good(bst_jumbf_parse_box(bytes.data, bytes.len, &box, &err));
    assert_int_equal(box.boxes[0].content_type, BST_TYPE_FILE);
    bst_jumbf_clear(&box);
    bst_buf_free(&bytes);
}

static void addresses_resolve(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf bytes = {0};
    struct bst_jumbf store;
    make_boxes(&bytes);
    assert_good(bst_jumbf_parse(bytes.data, bytes.len, &store, &err));
    assert_int_equal(store.count, 13);
    const struct bst_jumbf_box *two = bst_jumbf_child(&store, &store.boxes[0], "urn:c2pa:two");
    assert_non_null(two);
    const struct bst_jumbf_box *assertions = bst_jumbf_child(&store, two, "c2pa.assertions");
    const struct bst_jumbf_box *mine = bst_jumbf_child(&store, assertions, "second");
    assert_non_null(mine);
    assert_null(bst_jumbf_child(&store, assertions, "third"));
    assert_null(bst_jumbf_child(&store, assertions, ""));
    assert_null(bst_jumbf_child(&store, &store.boxes[0], "urn:c2pa:three"));
    const struct bst_jumbf_box *content = bst_jumbf_content(&store, mine);
    assert_int_equal(content->type, BST_BOX_JSON);
    assert_memory_equal(bytes.data + content->data, "{}", 2);
    bst_jumbf_clear(&store);
    bst_buf_free(&bytes);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf bytes = {0};
    struct bst_jumbf store;
    make_boxes(&bytes);
    for (size_t len = 0; len < bytes.len; len++) {
        uint8_t *copy = malloc(len + 1);
        memcpy(copy, bytes.data, len);
        assert_int_equal(bst_jumbf_parse(copy, len, &store, &err), BST_BROKEN);
        free(copy);
    }
    bst_buf_byte(&bytes, 0);
    assert_int_equal(bst_jumbf_parse(bytes.data, bytes.len, &store, &err), BST_BROKEN);
    bst_buf_free(&bytes);
}

static void toggles_and_types_are_checked(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf bytes = {0};
    struct bst_jumbf store;
    make_boxes(&bytes);
    static const uint8_t toggles[] = {0, 1, 2, 7, 11, 19, 0x23, 0x83, 0xff}; /* bits without their fields */
    for (size_t i = 0; i < sizeof(toggles); i++) {
        bytes.data[32] = toggles[i];
        assert_int_equal(bst_jumbf_parse(bytes.data, bytes.len, &store, &err), BST_BROKEN);
    }
    bytes.data[32] = 3;
    for (size_t i = 16; i < 32; i++) { /* the store's type */
        bytes.data[i] ^= 1;
        assert_int_equal(bst_jumbf_parse(bytes.data, bytes.len, &store, &err), BST_BROKEN);
        bytes.data[i] ^= 1;
    }
    bst_buf_free(&bytes);
}

static void nesting_and_number_are_bounded(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf deep = {0}, many = {0};
    struct bst_jumbf store;
    size_t begin[2000];
    for (size_t i = 0; i < 2000; i++) {
        begin[i] = bst_jumbf_begin_super(&deep, BST_TYPE_STORE, "c2pa");
    }
    for (size_t i = 2000; i > 0; i--) {
        bst_jumbf_end(&deep, begin[i - 1]);
    }
    assert_int_equal(bst_jumbf_parse(deep.data, deep.len, &store, &err), BST_BROKEN);
    assert_non_null(strstr(err.what, "deep"));
    size_t super = bst_jumbf_begin_super(&many, BST_TYPE_STORE, "c2pa");
    for (size_t i = 0; i < 5000; i++) {
        bst_jumbf_end(&many, bst_jumbf_begin(&many, BST_BOX_CBOR));
    }
    bst_jumbf_end(&many, super);
    assert_int_equal(bst_jumbf_parse(many.data, many.len, &store, &err), BST_BROKEN);
    assert_non_null(strstr(err.what, "many"));
    bst_buf_free(&deep);
    bst_buf_free(&many);
}

/* A salted description box, as other writers make them. */
static void salts_are_read(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_jumbf store;
    for (size_t salt = 0; salt <= 32; salt += 8) {
        struct bst_buf bytes = {0};
        size_t super = bst_jumbf_begin_super(&bytes, BST_TYPE_STORE, "c2pa");
        bytes.data[32] |= 16;
        size_t box = bst_jumbf_begin(&bytes, BST_BOX('c', '2', 's', 'h'));
        bst_buf_append(&bytes, "0123456789abcdef0123456789abcdef", salt);
        bst_jumbf_end(&bytes, box);
        bytes.data[11] = (uint8_t)(30 + 8 + salt); /* the description box grows by its private box */
        bst_jumbf_end(&bytes, super);
        assert_int_equal(bst_jumbf_parse(bytes.data, bytes.len, &store, &err),
                         salt < 16 ? BST_BROKEN : BST_OK);
        if (salt >= 16) {
            assert_true(store.boxes[0].salted);
            bst_jumbf_clear(&store);
        }
        bst_buf_free(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout_is_the_standard_one),
        cmocka_unit_test(addresses_resolve),
        cmocka_unit_test(an_embedded_file),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(toggles_and_types_are_checked),
        cmocka_unit_test(nesting_and_number_are_bounded),
        cmocka_unit_test(salts_are_read),
    };
    return cmocka_run_group_tests_name("jumbf", tests, folder_setup, folder_teardown);
}
