/* test_xmp_edit.c - fields set in XMP packets of other programs: what was there stays as it was written, former values go
 * whatever their form, and packets that cannot be edited are refused. */
#include "metadata_fixture.h"

#define RDF     "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define SOURCE  "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
#define OLD     "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
#define BEGIN   "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>"
#define HEAD    "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"" RDF "\">"
#define TAIL    "</rdf:RDF></x:xmpmeta>"
#define ABOUT   "<rdf:Description rdf:about=\"\" "
#define NS_DC   "xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
#define NS_IPTC "xmlns:Iptc4xmpExt=\"" BST_NS_IPTC_EXT "\" "

static const struct bst_xmp_field source_field = {BST_NS_IPTC_EXT, "Iptc4xmpExt", "DigitalSourceType",
                                                  SOURCE};

static enum bst_code set(const char *packet, const struct bst_xmp_field *fields, size_t count,
                         struct bst_buf *out, struct bst_error *err)
{
    out->len = 0;
    *err = (struct bst_error){0};
    return bst_xmp_edit((const uint8_t *)packet, packet == NULL ? 0 : strlen(packet), fields, count, out,
                        err);
}

static void has(const struct bst_buf *packet, const char *key, const char *want)
{
    json_t *all = read_block(bst_xmp_read, packet);
    says(all, key, want);
    json_decref(all);
}

/* Is every byte of text, in order, still in the packet, the added pieces aside? parts are what must stand in one piece. */
static void keeps(const struct bst_buf *packet, const char *const *parts, size_t count)
{
    size_t from = 0;
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(parts[i]);
        while (from + len <= packet->len && memcmp(packet->data + from, parts[i], len) != 0)
            from++;
        if (from + len > packet->len) fail_msg("\"%s\" is not kept", parts[i]);
        from += len;
    }
}

static void a_new_packet(void **state)
{
    (void)state;
    struct bst_error err;
    struct bst_buf made = {0};
    const struct bst_xmp_field fields[] = {source_field,
                                           {BST_NS_AIGC, "TC260", "AIGC", "{\"Label\":\"1\",\"x\":\"<&>'\"}"},
                                           {BST_NS_PLUS, "plus", "DataMining", BST_NO_TRAINING}};
    assert_good(set(NULL, fields, 3, &made, &err));
    has(&made, "Iptc4xmpExt:DigitalSourceType", SOURCE);
    has(&made, "TC260:AIGC", fields[1].value);
    has(&made, "plus:DataMining", BST_NO_TRAINING);
    assert_true(contains(made.data, made.len, "<TC260:AIGC>{\"Label\":")); /* an element, for plain readers */
    bst_buf_free(&made);
}

/* Everything but the padding stands as it was, and the padding gives the room. */
static void the_rest_stays(void **state)
{
    (void)state;
    struct bst_error err;
    struct bst_buf made = {0}, packet = {0};
    static const char *const parts[] = {
        BEGIN "\n<x:xmpmeta xmlns:x='adobe:ns:meta/'   x:xmptk=\"someone's > tool\">\n<!-- a <comment> -->\n",
        " <r:RDF xmlns:r='" RDF "'>\n  <r:Description r:about='uuid:1' " NS_DC
        "dc:format = 'image/jpeg'>\n   <dc:title><r:Alt><r:li xml:lang='x-default'>A &amp; B</r:li></r:Alt>"
        "</dc:title>\n  </r:Description>\n ",
        "</r:RDF>\n</x:xmpmeta>\n", "<?xpacket end='w'?>"};
    for (size_t i = 0; i < 3; i++)
        bst_buf_text(&packet, parts[i]);
    for (size_t i = 0; i < 2000; i++)
        bst_buf_byte(&packet, i % 100 == 99 ? '\n' : ' ');
    bst_buf_text(&packet, parts[3]);
    const char *text = bst_buf_string(&packet);
    assert_good(set(text, &source_field, 1, &made, &err));
    keeps(&made, parts, 4);
    assert_int_equal(made.len, packet.len);
    has(&made, "Iptc4xmpExt:DigitalSourceType", SOURCE);
    has(&made, "dc:format", "image/jpeg");
    assert_true(contains(made.data, made.len, "rdf:about='uuid:1'"));
    /* said already: nothing changes */
    struct bst_buf again = {0};
    assert_good(set(bst_buf_string(&made), &source_field, 1, &again, &err));
    assert_same(again, made);
    bst_buf_free(&again);
    bst_buf_free(&made);
    bst_buf_free(&packet);
}

/* A former value goes, in each of the forms that a property can have. */
static void former_values_go(void **state)
{
    (void)state;
    static const char *const packets[] = {
        HEAD ABOUT NS_IPTC NS_DC "Iptc4xmpExt:DigitalSourceType=\"" OLD "\" dc:format=\"image/png\"/>" TAIL,
        HEAD ABOUT NS_IPTC NS_DC "dc:format='image/png'><Iptc4xmpExt:DigitalSourceType>" OLD
                                 "</Iptc4xmpExt:DigitalSourceType></rdf:Description>" TAIL,
        HEAD ABOUT NS_DC "dc:format='image/png'/>" ABOUT "><x:DigitalSourceType xmlns:x='" BST_NS_IPTC_EXT
                         "'>" OLD "</x:DigitalSourceType></rdf:Description>" TAIL,
        HEAD ABOUT NS_IPTC NS_DC "dc:format='image/png'><Iptc4xmpExt:DigitalSourceType rdf:resource=\"" OLD
                                 "\"/></rdf:Description>" TAIL,
        HEAD ABOUT NS_IPTC NS_DC "dc:format='image/png'><Iptc4xmpExt:DigitalSourceType><rdf:Bag><rdf:li>" OLD
                                 "</rdf:li></rdf:Bag></Iptc4xmpExt:DigitalSourceType></rdf:Description>" TAIL,
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><RDF xmlns='" RDF "' xmlns:r='" RDF
        "'><Description r:about='' " NS_IPTC NS_DC "dc:format='image/png' Iptc4xmpExt:DigitalSourceType='" OLD
        "'/></RDF></x:xmpmeta>",
    };
    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        struct bst_error err;
        struct bst_buf made = {0};
        assert_good(set(packets[i], &source_field, 1, &made, &err));
        has(&made, "Iptc4xmpExt:DigitalSourceType", SOURCE);
        has(&made, "Iptc4xmpExt:DigitalSourceType[1]", NULL);
        has(&made, "dc:format", "image/png");
        assert_false(contains(made.data, made.len, OLD));
        bst_buf_free(&made);
    }
}

/* A property of the same name elsewhere is another one. */
static void others_of_the_name_stay(void **state)
{
    (void)state;
    static const char *const packets[] = {
        HEAD ABOUT "xmlns:o=\"http://example.org/other/\" o:DigitalSourceType=\"" OLD "\"/>" TAIL,
        HEAD ABOUT "xmlns:o=\"http://example.org/other/\" " NS_IPTC
                   "><o:part><rdf:Description><Iptc4xmpExt:DigitalSourceType>" OLD
                   "</Iptc4xmpExt:DigitalSourceType></rdf:Description></o:part></rdf:Description>" TAIL,
    };
    for (size_t i = 0; i < 2; i++) {
        struct bst_error err;
        struct bst_buf made = {0};
        assert_good(set(packets[i], &source_field, 1, &made, &err));
        has(&made, "Iptc4xmpExt:DigitalSourceType", SOURCE);
        assert_true(contains(made.data, made.len, OLD));
        bst_buf_free(&made);
    }
}

static void an_empty_list_of_descriptions(void **state)
{
    (void)state;
    struct bst_error err;
    struct bst_buf made = {0};
    assert_good(set("<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"" RDF "\" /></x:xmpmeta>",
                    &source_field, 1, &made, &err));
    has(&made, "Iptc4xmpExt:DigitalSourceType", SOURCE);
    bst_buf_free(&made);
}

static void what_cannot_be_edited(void **state)
{
    (void)state;
    static const char *const packets[] = {
        "",
        "no XML",
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"></x:xmpmeta>",
        HEAD,
        HEAD ABOUT "/></rdf:RDF>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]>" HEAD TAIL,
        HEAD ABOUT "a=b/>" TAIL,
    };
    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        struct bst_error err;
        struct bst_buf made = {0};
        if (set(packets[i], &source_field, 1, &made, &err) != BST_UNREADABLE) fail_msg("packet %zu", i);
        assert_non_null(strstr(err.what, "XMP"));
        bst_buf_free(&made);
    }
}

/* Ours, cut anywhere: an answer, and no packet that does not read. */
static void cut_packets(void **state)
{
    (void)state;
    struct bst_error err;
    struct bst_buf whole = {0}, made = {0};
    assert_good(set(NULL, &source_field, 1, &whole, &err));
    const struct bst_xmp_field other = {BST_NS_PLUS, "plus", "DataMining", BST_NO_TRAINING};
    for (size_t len = 0; len < whole.len; len++) {
        made.len = 0;
        if (bst_xmp_edit(whole.data, len, &other, 1, &made, &err) == BST_OK)
            has(&made, "plus:DataMining", BST_NO_TRAINING);
    }
    bst_buf_free(&whole);
    bst_buf_free(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_packet),
        cmocka_unit_test(the_rest_stays),
        cmocka_unit_test(former_values_go),
        cmocka_unit_test(others_of_the_name_stay),
        cmocka_unit_test(an_empty_list_of_descriptions),
        cmocka_unit_test(what_cannot_be_edited),
        cmocka_unit_test(cut_packets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
