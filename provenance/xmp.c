/* xmp.c - XMP (ISO 16684-1) over exempi: IPTC's fields for generated pictures, Dublin Core, rights, and
 * reading. */
#include "metadata.h"

#include <exempi/xmp.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NS_DC         "http://purl.org/dc/elements/1.1/"
#define NS_XAP        "http://ns.adobe.com/xap/1.0/"
#define NS_XAP_RIGHTS "http://ns.adobe.com/xap/1.0/rights/"
#define XMP_DEPTH     64
#define XMP_PARTS     10000 /* elements and attributes: exempi compares each name with all before it */

#define LIBRARY "libexempi.so.8"

/* The functions of exempi that are used. It is loaded for the first packet: it is of C++, whose libraries take as long to
 * load as a small picture to verify. */
static struct {
    __typeof__(&xmp_init) init;
    __typeof__(&xmp_register_namespace) register_namespace;
    __typeof__(&xmp_set_property) set_property;
    __typeof__(&xmp_set_localized_text) set_localized_text;
    __typeof__(&xmp_append_array_item) append_array_item;
    __typeof__(&xmp_new_empty) new_empty;
    __typeof__(&xmp_string_new) string_new;
    __typeof__(&xmp_serialize) serialize;
    __typeof__(&xmp_string_cstr) string_cstr;
    __typeof__(&xmp_string_free) string_free;
    __typeof__(&xmp_free) free;
    __typeof__(&xmp_get_error) get_error;
    __typeof__(&xmp_iterator_new) iterator_new;
    __typeof__(&xmp_iterator_next) iterator_next;
    __typeof__(&xmp_iterator_free) iterator_free;
    __typeof__(&xmp_parse) parse;
} exempi;

/* Loaded once: exempi's start is not safe when two threads make it. */
static pthread_once_t started = PTHREAD_ONCE_INIT;
static bool usable;

static void start(void)
{
    const struct bst_symbol functions[] = {
        {&exempi.init, "xmp_init"},
        {&exempi.register_namespace, "xmp_register_namespace"},
        {&exempi.set_property, "xmp_set_property"},
        {&exempi.set_localized_text, "xmp_set_localized_text"},
        {&exempi.append_array_item, "xmp_append_array_item"},
        {&exempi.new_empty, "xmp_new_empty"},
        {&exempi.string_new, "xmp_string_new"},
        {&exempi.serialize, "xmp_serialize"},
        {&exempi.string_cstr, "xmp_string_cstr"},
        {&exempi.string_free, "xmp_string_free"},
        {&exempi.free, "xmp_free"},
        {&exempi.get_error, "xmp_get_error"},
        {&exempi.iterator_new, "xmp_iterator_new"},
        {&exempi.iterator_next, "xmp_iterator_next"},
        {&exempi.iterator_free, "xmp_iterator_free"},
        {&exempi.parse, "xmp_parse"},
    };
    usable = bst_library_load(LIBRARY, functions, sizeof(functions) / sizeof(functions[0])) &&
             exempi.init() && exempi.register_namespace(BST_NS_IPTC_EXT, "Iptc4xmpExt", NULL) &&
             exempi.register_namespace(BST_NS_XMP_MM, "xmpMM", NULL) &&
             exempi.register_namespace(BST_NS_PLUS, "plus", NULL) &&
             exempi.register_namespace(BST_NS_AIGC, "TC260", NULL);
}

/* ---- writing ---- */

static bool set(XmpPtr xmp, const char *space, const char *name, const char *value)
{
    return value == NULL || exempi.set_property(xmp, space, name, value, 0);
}

static bool set_alt(XmpPtr xmp, const char *space, const char *name, const char *value)
{
    return value == NULL || exempi.set_localized_text(xmp, space, name, NULL, "x-default", value, 0);
}

static bool fill(XmpPtr xmp, const struct bst_words *words)
{
    char id[64];
    snprintf(id, sizeof(id), "xmp.iid:%.40s", words->image_id);
    bool good = set(xmp, BST_NS_XMP_MM, "InstanceID", id);
    snprintf(id, sizeof(id), "xmp.did:%.40s", words->image_id);
    good = good && set(xmp, BST_NS_XMP_MM, "DocumentID", id);
    good = good && set(xmp, BST_NS_IPTC_EXT, "DigitalSourceType", words->source_type) &&
           set(xmp, BST_NS_IPTC_EXT, "AISystemUsed", words->ai_system) &&
           set(xmp, BST_NS_IPTC_EXT, "AISystemVersionUsed", words->ai_version) &&
           set(xmp, BST_NS_IPTC_EXT, "AIPromptInformation", words->ai_prompt) &&
           set(xmp, BST_NS_IPTC_EXT, "AIPromptWriterName", words->prompt == NULL ? NULL : words->author);
    good = good &&
           exempi.append_array_item(xmp, NS_DC, "creator", XMP_PROP_ARRAY_IS_ORDERED, words->author, 0) &&
           set_alt(xmp, NS_DC, "rights", words->copyright) && set_alt(xmp, NS_DC, "title", words->title) &&
           set_alt(xmp, NS_DC, "description", words->description) && set(xmp, NS_DC, "format", "image/png");
    good = good && set(xmp, NS_XAP_RIGHTS, "Marked", "True") &&
           set(xmp, NS_XAP_RIGHTS, "WebStatement", words->url) &&
           set_alt(xmp, NS_XAP_RIGHTS, "UsageTerms", words->usage);
    good = good && set(xmp, BST_NS_PLUS, "DataMining", words->no_train ? BST_NO_TRAINING : NULL);
    return good && set(xmp, NS_XAP, "CreatorTool", "Blindstamp " BST_VERSION) &&
           set(xmp, NS_XAP, "CreateDate", words->created);
}

enum bst_code bst_xmp_write(const struct bst_words *words, struct bst_buf *out, struct bst_error *err)
{
    pthread_once(&started, start);
    if (!usable) return bst_fail(err, BST_FAILURE, "the XMP library, libexempi8, cannot be loaded");
    XmpPtr xmp = exempi.new_empty();
    XmpStringPtr packet = exempi.string_new();
    bool made = xmp != NULL && packet != NULL && fill(xmp, words) &&
                exempi.serialize(xmp, packet, XMP_SERIAL_READONLYPACKET | XMP_SERIAL_USECOMPACTFORMAT, 0);
    enum bst_code code = BST_OK;
    if (!made) {
        code = bst_fail(err, BST_FAILURE, "the XMP library refused a field (error %d)", exempi.get_error());
    } else if (words->aigc != NULL) { /* an element of its own, which readers without a parser find */
        char *label = bst_aigc_text(words->aigc, false);
        const struct bst_xmp_field field = {BST_NS_AIGC, "TC260", "AIGC", label};
        const char *text = exempi.string_cstr(packet);
        code = label == NULL ? bst_fail_memory(err)
                             : bst_xmp_edit((const uint8_t *)text, strlen(text), &field, 1, out, err);
        free(label);
    } else {
        bst_buf_text(out, exempi.string_cstr(packet));
    }
    if (packet != NULL) exempi.string_free(packet);
    if (xmp != NULL) exempi.free(xmp);
    return code == BST_OK && out->failed ? bst_fail_memory(err) : code;
}

/* ---- reading ---- */

const char *bst_xmp_markup_end(const char *p, const char *end)
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

/* The element of a tag and its attributes; more than there are when values hold '='. */
static unsigned count_parts(const char *tag, const char *close)
{
    unsigned count = 1;
    while ((tag = memchr(tag, '=', (size_t)(close - tag))) != NULL) {
        tag++;
        count++;
    }
    return count;
}

/* exempi's parser recurses with the nesting of elements, expands entities, and takes time and memory with the number of
 * elements: all that is refused here, before it sees the packet. Returns what is wrong, or NULL. */
static const char *check_packet(const char *p, size_t len)
{
    const char *end = p + len;
    int depth = 0;
    unsigned parts = 0;
    if (memchr(p, 0, len) != NULL) return "XMP with zero bytes (only UTF-8 is read)";
    while ((p = memchr(p, '<', (size_t)(end - p))) != NULL) {
        const char *close = bst_xmp_markup_end(p, end);
        if (close == NULL) return "XMP that is cut short";
        if (p[1] == '!' && p[2] != '-' && p[2] != '[') return "XMP with a document type declaration";
        if (p[1] == '/') {
            depth--;
        } else if (p[1] != '?' && p[1] != '!' && close[-2] != '/') {
            depth++;
        }
        if (depth > XMP_DEPTH) return "XMP nested too deep";
        if (p[1] != '/' && p[1] != '?' && p[1] != '!') parts += count_parts(p, close);
        if (parts > XMP_PARTS) return "XMP of too many elements and attributes";
        p = close;
    }
    return NULL;
}

static void collect(XmpPtr xmp, json_t *out)
{
    XmpIteratorPtr iterator =
        exempi.iterator_new(xmp, NULL, NULL, XMP_ITER_JUSTLEAFNODES | XMP_ITER_OMITQUALIFIERS);
    XmpStringPtr space = exempi.string_new(), name = exempi.string_new(), value = exempi.string_new();
    uint32_t options;
    for (int i = 0; iterator != NULL && i < BST_XMP_FIELDS; i++) {
        if (!exempi.iterator_next(iterator, space, name, value, &options)) break;
        const char *text = exempi.string_cstr(value), *key = exempi.string_cstr(name);
        if (key[0] == 0 || !bst_utf8_valid(key, strlen(key))) continue;
        json_object_set_new(out, key, bst_text_json(text, strlen(text)));
    }
    exempi.string_free(space);
    exempi.string_free(name);
    exempi.string_free(value);
    if (iterator != NULL) exempi.iterator_free(iterator);
}

void bst_xmp_read(const uint8_t *packet, size_t len, json_t *out, json_t *problems, const char *place)
{
    pthread_once(&started, start);
    const char *problem = !usable                  ? "the XMP library, libexempi8, cannot be loaded"
                          : len > BST_METADATA_MAX ? "XMP that is too large"
                                                   : check_packet((const char *)packet, len);
    if (problem != NULL) {
        bst_problem(problems, place, problem);
        return;
    }
    /* exempi itself writes "XML parsing failure" to stderr here, which no option of it prevents */
    XmpPtr xmp = exempi.new_empty();
    if (xmp != NULL && exempi.parse(xmp, (const char *)packet, len)) {
        collect(xmp, out);
    } else {
        bst_problem(problems, place, "XMP that cannot be parsed");
    }
    if (xmp != NULL) exempi.free(xmp);
}
