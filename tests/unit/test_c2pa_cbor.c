/* test_c2pa_cbor.c - CBOR read with bounds, written deterministically. Examples are those of RFC 8949
 * appendix A. */
#include "stamp_fixture.h"

#include <jansson.h>

static enum bst_code parse_hex(const char *hex, cbor_item_t **item)
{
    struct bst_error err = {0};
    uint8_t bytes[256];
    size_t len = strlen(hex) / 2;
    assert_true(bst_unhex(hex, bytes, len));
    uint8_t *copy = malloc(len + 1); /* exactly sized, for the sanitizer */
    memcpy(copy, bytes, len);
    enum bst_code code = bst_cbor_parse(copy, len, item, &err);
    free(copy);
    return code;
}

static void standard_examples_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *hex, *json;
    } examples[] = {
        {"00", "0"},
        {"1818", "24"},
        {"1a000f4240", "1000000"},
        {"1bffffffffffffffff", "\"18446744073709551615\""},
        {"3903e7", "-1000"},
        {"f4", "false"},
        {"f6", "null"},
        {"fb3ff8000000000000", "1.5"},
        {"4401020304", "\"01020304\""},
        {"62c3bc", "\"\xc3\xbc\""},
        {"8301820203820405", "[1,[2,3],[4,5]]"},
        {"a26161016162820203", "{\"a\":1,\"b\":[2,3]}"},
        {"a201020304", "{\"1\":2,\"3\":4}"},
        {"c074323031332d30332d32315432303a30343a30305a", "\"2013-03-21T20:04:00Z\""},
        {"80", "[]"},
        {"a0", "{}"},
        {"bf61610161629f0203ffff", "{\"a\":1,\"b\":[2,3]}"}, /* open lengths */
        {"85f4f5f6f7f93e00", "[false,true,null,null,1.5]"},
        {"84f97e00f97c00faff800000fb4004000000000000", "[null,null,null,2.5]"}, /* JSON has no such numbers */
        {"a16161f97e00", "{\"a\":null}"},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        cbor_item_t *item;
        assert_int_equal(parse_hex(examples[i].hex, &item), BST_OK);
        json_t *value = bst_cbor_json(item, BST_CBOR_HEX);
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        assert_string_equal(text, examples[i].json);
        free(text);
        json_decref(value);
        cbor_decref(&item);
    }
}

static void malformed_items_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",                     /* nothing */
        "0000",                 /* bytes behind the item */
        "18",                   /* cut short */
        "1c",                   /* reserved */
        "62c3",                 /* text cut short */
        "62c328",               /* text that is not UTF-8 */
        "5bffffffffffffffff",   /* more bytes than there can be */
        "9bffffffffffffffff",   /* more items than there can be */
        "bbffffffffffffffff00", /* more pairs */
        "9a00ffffff00",         /* more items than bytes */
        "9f01",
        "bf6161ff", /* open, and never closed, or with a key too many */
        "9f9f01ff",
        "5f42010243030405ff",   /* a string in pieces */
        "ff",                   /* a break */
        "a2616101616102",       /* the same key twice */
        "a201020103",           /* the same number twice */
        "8281a261610161610200", /* and deeper */
        "d2a0",                 /* tag 18 */
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cbor_item_t *item;
        if (parse_hex(bad[i], &item) != BST_BROKEN) fail_msg("accepted %s", bad[i]);
    }
}

static void depth_and_number_are_bounded(void **state)
{
    (void)state;
    struct bst_error err = {0};
    cbor_item_t *item;
    static uint8_t nest[100000];
    memset(nest, 0x81, sizeof(nest) - 1); /* an array in an array ... */
    assert_int_equal(bst_cbor_parse(nest, sizeof(nest), &item, &err), BST_BROKEN);
    assert_non_null(strstr(err.what, "deep"));
    memset(nest, 0xc1, sizeof(nest) - 1); /* a tag on a tag ... */
    assert_int_equal(bst_cbor_parse(nest, sizeof(nest), &item, &err), BST_BROKEN);
    memset(nest, 0, sizeof(nest));
    memcpy(nest, "\x9a\0\1\x86\x9b", 5); /* 99,995 zeros */
    assert_int_equal(bst_cbor_parse(nest, sizeof(nest), &item, &err), BST_BROKEN);
    assert_non_null(strstr(err.what, "many"));
}

static void access_minds_types(void **state)
{
    (void)state;
    cbor_item_t *item;
    const char *text;
    const uint8_t *data;
    size_t len;
    uint64_t value;
    assert_int_equal(parse_hex("a4616101616243010203616361780a617a", &item),
                     BST_OK); /* {a:1, b:h'010203', c:"x", 10: "z"} */
    assert_true(bst_cbor_get_uint(bst_cbor_get(item, "a"), &value) && value == 1);
    assert_false(bst_cbor_get_text(bst_cbor_get(item, "a"), &text, &len));
    assert_true(bst_cbor_get_bytes(bst_cbor_get(item, "b"), &data, &len) && len == 3 && data[2] == 3);
    assert_true(bst_cbor_is(bst_cbor_get(item, "c"), "x"));
    assert_false(bst_cbor_is(bst_cbor_get(item, "c"), "xx"));
    assert_null(bst_cbor_get(item, "d"));
    assert_null(bst_cbor_get(NULL, "a"));
    assert_null(bst_cbor_get(bst_cbor_get(item, "a"), "a"));
    assert_true(bst_cbor_is(bst_cbor_get_int(item, 10), "z"));
    assert_null(bst_cbor_get_int(item, -11));
    assert_ptr_equal(bst_cbor_optional(item, "a"), bst_cbor_get(item, "a"));
    assert_null(bst_cbor_optional(item, "d"));
    cbor_decref(&item);
    assert_int_equal(parse_hex("a26161f66162f4", &item), BST_OK); /* {a: null, b: false} */
    assert_non_null(bst_cbor_get(item, "a"));
    assert_null(bst_cbor_optional(item, "a"));
    assert_non_null(bst_cbor_optional(item, "b"));
    assert_int_equal(bst_cbor_count(item), 0); /* a map is no array */
    cbor_decref(&item);
    assert_int_equal(parse_hex("83010203", &item), BST_OK);
    assert_int_equal(bst_cbor_count(item), 3);
    cbor_decref(&item);
    assert_int_equal(bst_cbor_count(NULL), 0);
}

/* Half, single and double precision: libcbor's cbor_is_null and cbor_is_bool assert that there is no such thing. */
static void floats_are_no_simple_values(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        bool null, boolean, yes;
    } items[] = {{"\xf6", 1, true, false, false},
                 {"\xf5", 1, false, true, true},
                 {"\xf4", 1, false, true, false},
                 {"\xf7", 1, false, false, false},
                 {"\x00", 1, false, false, false},
                 {"\xf9\x00\x00", 3, false, false, false},
                 {"\xfa\x00\x00\x00\x00", 5, false, false, false},
                 {"\xfb\x00\x00\x00\x00\x00\x00\x00\x00", 9, false, false, false}};
    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        struct bst_error err;
        cbor_item_t *item;
        assert_int_equal(bst_cbor_parse((const uint8_t *)items[i].bytes, items[i].len, &item, &err), BST_OK);
        assert_int_equal(bst_cbor_is_null(item), items[i].null);
        assert_int_equal(bst_cbor_is_bool(item), items[i].boolean);
        assert_int_equal(bst_cbor_is_true(item), items[i].yes);
        cbor_decref(&item);
    }
    assert_false(bst_cbor_is_null(NULL) || bst_cbor_is_bool(NULL) || bst_cbor_is_true(NULL));
}

static void deterministic_encoding_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool deterministic;
    } examples[] = {
        {"00", true},
        {"1800", false},
        {"190018", false},
        {"1818", true},
        {"590001ff", false},
        {"41ff", true},
        {"a2616101626161"
         "02",
         true},
        {"a2626161"
         "01616102",
         false},
        {"a2616201616102", false},
        {"d81e00", true},
        {"c0187f", true},
        {"8118"
         "17",
         false},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        uint8_t bytes[32];
        size_t len = strlen(examples[i].hex) / 2;
        assert_true(bst_unhex(examples[i].hex, bytes, len));
        if (bst_cbor_deterministic(bytes, len) != examples[i].deterministic) fail_msg("%s", examples[i].hex);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(standard_examples_are_read),     cmocka_unit_test(malformed_items_are_refused),
        cmocka_unit_test(depth_and_number_are_bounded),   cmocka_unit_test(access_minds_types),
        cmocka_unit_test(deterministic_encoding_is_told), cmocka_unit_test(floats_are_no_simple_values),
    };
    return cmocka_run_group_tests_name("cbor", tests, folder_setup, folder_teardown);
}
