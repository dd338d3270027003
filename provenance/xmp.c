/* xmp.c - XMP (ISO 16684-1) over exempi: IPTC's fields for generated pictures, Dublin Core, rights, and
 * reading. */
#include "metadata.h"

#include <exempi/xmp.h>
#include <exempi/xmpconsts.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NS_IPTC_EXT "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
#define NS_XMP_MM   "http://ns.adobe.com/xap/1.0/mm/"
#define NS_PLUS     "http://ns.useplus.org/ldf/xmp/1.0/"
#define NO_TRAINING "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING"
#define XMP_DEPTH   64
#define XMP_FIELDS  2000

/* exempi's start is not safe when two threads make it. */
static pthread_once_t started = PTHREAD_ONCE_INIT;
static bool usable;

static void start(void)
{
    usable = xmp_init() && xmp_register_namespace(NS_IPTC_EXT, "Iptc4xmpExt", NULL) &&
             xmp_register_namespace(NS_XMP_MM, "xmpMM", NULL) &&
             xmp_register_namespace(NS_PLUS, "plus", NULL);
}

/* ---- writing ---- */

static bool set(XmpPtr xmp, const char *space, const char *name, const char *value)
{
    return value == NULL || xmp_set_property(xmp, space, name, value, 0);
}

static bool set_alt(XmpPtr xmp, const char *space, const char *name, const char *value)
{
    return value == NULL || xmp_set_localized_text(xmp, space, name, NULL, "x-default", value, 0);
}

static bool fill(XmpPtr xmp, const struct bst_words *words)
{
    char id[64];
    snprintf(id, sizeof(id), "xmp.iid:%.40s", words->image_id);
    bool good = set(xmp, NS_XMP_MM, "InstanceID", id);
    snprintf(id, sizeof(id), "xmp.did:%.40s", words->image_id);
    good = good && set(xmp, NS_XMP_MM, "DocumentID", id);
    good = good && set(xmp, NS_IPTC_EXT, "DigitalSourceType", words->source_type) &&
           set(xmp, NS_IPTC_EXT, "AISystemUsed", words->ai_system) &&
           set(xmp, NS_IPTC_EXT, "AISystemVersionUsed", words->ai_version) &&
           set(xmp, NS_IPTC_EXT, "AIPromptInformation", words->ai_prompt) &&
           set(xmp, NS_IPTC_EXT, "AIPromptWriterName", words->prompt == NULL ? NULL : words->author);
    good = good &&
           xmp_append_array_item(xmp, NS_DC, "creator", XMP_PROP_ARRAY_IS_ORDERED, words->author, 0) &&
           set_alt(xmp, NS_DC, "rights", words->copyright) && set_alt(xmp, NS_DC, "title", words->title) &&
           set_alt(xmp, NS_DC, "description", words->description) && set(xmp, NS_DC, "format", "image/png");
    good = good && set(xmp, NS_XAP_RIGHTS, "Marked", "True") &&
           set(xmp, NS_XAP_RIGHTS, "WebStatement", words->url) &&
           set_alt(xmp, NS_XAP_RIGHTS, "UsageTerms", words->usage);
    good = good && set(xmp, NS_PLUS, "DataMining", words->no_train ? NO_TRAINING : NULL);
    return good && set(xmp, NS_XAP, "CreatorTool", "Blindstamp " BST_VERSION) &&
           set(xmp, NS_XAP, "CreateDate", words->created);
}

enum bst_code bst_xmp_write(const struct bst_words *words, struct bst_buf *out, struct bst_error *err)
{
    pthread_once(&started, start);
    if (!usable) return bst_fail(err, BST_FAILURE, "the XMP library cannot be started");
    XmpPtr xmp = xmp_new_empty();
    XmpStringPtr packet = xmp_string_new();
    bool made = xmp != NULL && packet != NULL && fill(xmp, words) &&
                xmp_serialize(xmp, packet, XMP_SERIAL_READONLYPACKET | XMP_SERIAL_USECOMPACTFORMAT, 0);
    if (made) bst_buf_text(out, xmp_string_cstr(packet));
    if (packet != NULL) xmp_string_free(packet);
    if (xmp != NULL) xmp_free(xmp);
    if (!made)
        return bst_fail(err, BST_FAILURE, "the XMP library refused a field (error %d)", xmp_get_error());
    return out->failed ? bst_fail_memory(err) : BST_OK;
}

/* ---- reading ---- */

/* The end of the markup that begins at p with '<', or NULL when it has none. */
static const char *markup_end(const char *p, const char *end)
{
    static const struct {
        const char *begin, *close;
    } kinds[] = {{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t begin_len = strlen(kinds[i].begin), close_len = strlen(kinds[i].close);
        if ((size_t)(end - p) < begin_len || memcmp(p, kinds[i].begin, begin_len) != 0) continue;
        for (p += begin_len; (size_t)(end - p) >= close_len; p++) {
            if (memcmp(p, kinds[i].close, close_len) == 0) return p + close_len;
        }
        return NULL;
    }
    for (char quote = 0; p < end; p++) { /* a tag: '>' may stand in an attribute's value */
        if (quote != 0) {
            if (*p == quote) quote = 0;
        } else if (*p == '"' || *p == '\'') {
            quote = *p;
        } else if (*p == '>') {
            return p + 1;
        }
    }
    return NULL;
}

/* exempi's parser recurses with the nesting of elements and expands entities: both are refused here, before
 * it sees the packet. Returns what is wrong, or NULL. */
static const char *check_packet(const char *p, size_t len)
{
    const char *end = p + len;
    int depth = 0;
    if (memchr(p, 0, len) != NULL) return "XMP with zero bytes (only UTF-8 is read)";
    while ((p = memchr(p, '<', (size_t)(end - p))) != NULL) {
        const char *close = markup_end(p, end);
        if (close == NULL) return "XMP that is cut short";
        if (p[1] == '!' && p[2] != '-' && p[2] != '[') return "XMP with a document type declaration";
        if (p[1] == '/') {
            depth--;
        } else if (p[1] != '?' && p[1] != '!' && close[-2] != '/') {
            depth++;
        }
        if (depth > XMP_DEPTH) return "XMP nested too deep";
        p = close;
    }
    return NULL;
}

static void collect(XmpPtr xmp, json_t *out)
{
    XmpIteratorPtr iterator =
        xmp_iterator_new(xmp, NULL, NULL, XMP_ITER_JUSTLEAFNODES | XMP_ITER_OMITQUALIFIERS);
    XmpStringPtr space = xmp_string_new(), name = xmp_string_new(), value = xmp_string_new();
    uint32_t options;
    for (int i = 0; iterator != NULL && i < XMP_FIELDS; i++) {
        if (!xmp_iterator_next(iterator, space, name, value, &options)) break;
        const char *text = xmp_string_cstr(value), *key = xmp_string_cstr(name);
        if (key[0] == 0 || !bst_utf8_valid(key, strlen(key))) continue;
        json_object_set_new(out, key, bst_text_json(text, strlen(text)));
    }
    xmp_string_free(space);
    xmp_string_free(name);
    xmp_string_free(value);
    if (iterator != NULL) xmp_iterator_free(iterator);
}

void bst_xmp_read(const uint8_t *packet, size_t len, json_t *out, json_t *problems, const char *place)
{
    pthread_once(&started, start);
    const char *problem = !usable                  ? "the XMP library cannot be started"
                          : len > BST_METADATA_MAX ? "XMP that is too large"
                                                   : check_packet((const char *)packet, len);
    if (problem != NULL) {
        bst_problem(problems, place, problem);
        return;
    }
    /* exempi itself writes "XML parsing failure" to stderr here, which no option of it prevents */
    XmpPtr xmp = xmp_new_empty();
    if (xmp != NULL && xmp_parse(xmp, (const char *)packet, len)) {
        collect(xmp, out);
    } else {
        bst_problem(problems, place, "XMP that cannot be parsed");
    }
    if (xmp != NULL) xmp_free(xmp);
}
