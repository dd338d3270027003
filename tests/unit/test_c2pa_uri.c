/* test_c2pa_uri.c - labels and addresses, on the forms that C2PA 2.4 gives (6.4, 8.1, 8.2, 8.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "c2pa.h"

static void labels_have_version_and_instance(void **state)
{
    (void)state;
    static const struct {
        const char *label, *root;
        unsigned version, instance;
    } cases[] = {
        {"c2pa.actions", "c2pa.actions", 1, 0},
        {"c2pa.actions.v2", "c2pa.actions", 2, 0},
        {"c2pa.ingredient.v3__2", "c2pa.ingredient", 3, 2},
        {"c2pa.ingredient__12", "c2pa.ingredient", 1, 12},
        {"c2pa.hash.data__", "c2pa.hash.data__", 1, 0},
        {"c2pa.hash.bmff.v", "c2pa.hash.bmff.v", 1, 0},
        {"org.example.v2x", "org.example.v2x", 1, 0},
        {"v2", "v2", 1, 0},
        {"__2", "__2", 1, 0},
        {"", "", 1, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bst_assertion parsed;
        bst_label_parse(cases[i].label, &parsed);
        assert_true(bst_root_is(&parsed, cases[i].root));
        assert_int_equal(parsed.version, cases[i].version);
        assert_int_equal(parsed.instance, cases[i].instance);
    }
    assert_true(bst_is_hard_binding("c2pa.hash.bmff.v3"));
    assert_false(bst_is_hard_binding("c2pa.hash.bmfffake"));
}

static void manifests_are_named_by_urns(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        bool fits;
    } cases[] = {
        {"urn:c2pa:F9168C5E-CEB2-4FAA-B6BF-329BF39FA1E4", true},
        {"urn:c2pa:F9168C5E-CEB2-4FAA-B6BF-329BF39FA1E4:acme", true},
        {"urn:c2pa:F9168C5E-CEB2-4FAA-B6BF-329BF39FA1E4:acme:2_1", true},
        {"urn:c2pa:F9168C5E-CEB2-4FAA-B6BF-329BF39FA1E4::2_1", true},
        {"urn:uuid:F9168C5E-CEB2-4FAA-B6BF-329BF39FA1E4", true},
        {"acme:urn:uuid:F9168C5E-CEB2-4FAA-B6BF-329BF39FA1E4", true},
        {"urn:c2pa:F9168C5E:a vendor", false},
        {"urn:c2pa:F9168C5E:v\xc3\xa9ndor", false},
        {"urn:c2pa:F9168C5E:vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv", false},
        {"urn:c2pa:F9168C5E:acme:x_1", false},
        {"urn:c2pa:F9168C5E:acme:1_", false},
        {"urn:c2pa:F9168C5E:acme:1:2", false},
        {"urn:c2pa:1:2:3:4:5:6", false},
        {"urn:other:F9168C5E", false},
        {"urn:c2pa", false},
        {"junk", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (bst_manifest_label_fits(cases[i].label) != cases[i].fits) fail_msg("%s", cases[i].label);
    }
}

static void addresses_come_apart(void **state)
{
    (void)state;
    static const struct {
        const char *uri, *manifest, *assertion, *last; /* NULL: names none */
    } cases[] = {
        {"self#jumbf=/c2pa/urn:c2pa:1/c2pa.assertions/a.b", "urn:c2pa:1", "a.b", "a.b"},
        {"self#jumbf=c2pa/urn:c2pa:1/c2pa.assertions/a.b", "urn:c2pa:1", "a.b", "a.b"},
        {"self#jumbf=/c2pa/urn:c2pa:1/c2pa.databoxes/c2pa.data", "urn:c2pa:1", "c2pa.data", "c2pa.data"},
        {"self#jumbf=c2pa.assertions/a.b", NULL, "a.b", "a.b"},
        {"self#jumbf=/c2pa/urn:c2pa:1/c2pa.signature", "urn:c2pa:1", NULL, "c2pa.signature"},
        {"self#jumbf=/c2pa/urn:c2pa:1", "urn:c2pa:1", NULL, "urn:c2pa:1"},
        {"self#jumbf=c2pa.signature", NULL, NULL, "c2pa.signature"},
        {"self#jumbf=c2pa.assertions/", NULL, NULL, ""},
        {"self#jumbf=c2pa.assertions", NULL, NULL, "c2pa.assertions"},
        {"self#jumbf=", NULL, NULL, ""},
        {"self#jumbf=/other/urn:c2pa:1", NULL, NULL, "urn:c2pa:1"},
        {"", NULL, NULL, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *part = NULL;
        size_t len = 0, uri_len = strlen(cases[i].uri);
        assert_int_equal(bst_uri_manifest(cases[i].uri, uri_len, &part, &len), cases[i].manifest != NULL);
        if (cases[i].manifest != NULL) {
            assert_int_equal(len, strlen(cases[i].manifest));
            assert_memory_equal(part, cases[i].manifest, len);
        }
        assert_int_equal(bst_uri_assertion(cases[i].uri, uri_len, &part, &len), cases[i].assertion != NULL);
        if (cases[i].assertion != NULL) {
            assert_int_equal(len, strlen(cases[i].assertion));
            assert_memory_equal(part, cases[i].assertion, len);
        }
        bst_uri_last(cases[i].uri, uri_len, &part, &len);
        assert_int_equal(len, strlen(cases[i].last));
        assert_memory_equal(part, cases[i].last, len);
    }
}

static void addresses_become_absolute(void **state)
{
    (void)state;
    char url[BST_URL];
    static const char relative[] = "self#jumbf=c2pa.assertions/a",
                      absolute[] = "self#jumbf=/c2pa/m/c2pa.signature";
    bst_url_absolute("urn:c2pa:1", relative, sizeof(relative) - 1, url);
    assert_string_equal(url, "self#jumbf=/c2pa/urn:c2pa:1/c2pa.assertions/a");
    bst_url_absolute("urn:c2pa:1", absolute, sizeof(absolute) - 1, url);
    assert_string_equal(url, absolute);
    char huge[2000]; /* cut, not overrun */
    memset(huge, 'x', sizeof(huge));
    bst_url_absolute("urn:c2pa:1", huge, sizeof(huge), url);
    assert_int_equal(strlen(url), BST_URL - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_have_version_and_instance),
        cmocka_unit_test(manifests_are_named_by_urns),
        cmocka_unit_test(addresses_come_apart),
        cmocka_unit_test(addresses_become_absolute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
