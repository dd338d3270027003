/* xmp_edit.c - fields set in an XMP packet that is there already (ISO 16684-1, RDF/XML in clause 7), as text: what is not
 * set stays as it was written, byte for byte. The XMP library, which writes packets anew in its own order and style, only
 * judges the result. */
#include "metadata.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define NS_RDF         "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define BINDINGS_MAX   256 /* namespace prefixes in force at one place */
#define REMOVED_MAX    64  /* former values of the fields */
#define ATTRIBUTES_MAX 4096

/* A part of the packet. */
struct span {
    size_t at, len;
};

/* A namespace prefix, in force for the element at that depth and what is in it. */
struct binding {
    struct span prefix, uri;
    int depth;
};

struct attribute {
    struct span whole; /* with the white space in front */
    struct span name, value;
};

struct edit {
    const char *text;
    size_t len;
    const struct bst_xmp_field *fields;
    size_t count;
    size_t binding_count;
    struct binding bindings[BINDINGS_MAX];
    int depth;     /* elements that are open */
    int rdf_depth; /* of rdf:RDF; -1: not met yet, -2: closed */
    struct span rdf_name, about;
    char about_quote; /* 0: no description met yet */
    size_t insert_at; /* where a description may be put in */
    bool rdf_empty;   /* rdf:RDF is an empty-element tag, which ends at insert_at */
    size_t former_at; /* of the property element that is being passed over, while former_depth > 0 */
    int former_depth; /* its depth */
    size_t removed_count;
    struct span removed[REMOVED_MAX]; /* in order */
    const char *problem;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool span_is(const struct edit *edit, struct span span, const char *text)
{
    return span.len == strlen(text) && memcmp(edit->text + span.at, text, span.len) == 0;
}

static bool spans_equal(const struct edit *edit, struct span a, struct span b)
{
    return a.len == b.len && memcmp(edit->text + a.at, edit->text + b.at, a.len) == 0;
}

/* ---- names ---- */

/* "prefix:local" or "local". */
static void split(const struct edit *edit, struct span name, struct span *prefix, struct span *local)
{
    const char *begin = edit->text + name.at, *colon = memchr(begin, ':', name.len);
    size_t len = colon == NULL ? 0 : (size_t)(colon - begin);
    size_t skip = colon == NULL ? 0 : len + 1;
    *prefix = (struct span){name.at, len};
    *local = (struct span){name.at + skip, name.len - skip};
}

/* Is it that name in that namespace? A name without a prefix is in the default namespace only as an element. */
static bool names(const struct edit *edit, struct span name, bool element, const char *space,
                  const char *local)
{
    struct span prefix, rest;
    split(edit, name, &prefix, &rest);
    if (!span_is(edit, rest, local) || (prefix.len == 0 && !element)) return false;
    for (size_t i = edit->binding_count; i-- > 0;) {
        if (spans_equal(edit, edit->bindings[i].prefix, prefix))
            return span_is(edit, edit->bindings[i].uri, space);
    }
    return false;
}

static bool is_field(const struct edit *edit, struct span name, bool element)
{
    for (size_t i = 0; i < edit->count; i++) {
        if (names(edit, name, element, edit->fields[i].space, edit->fields[i].name)) return true;
    }
    return false;
}

/* ---- tags ---- */

/* The next attribute from *at, before end; false when there is none. */
static bool next_attribute(struct edit *edit, size_t *at, size_t end, struct attribute *out)
{
    const char *text = edit->text;
    size_t p = *at;
    while (p < end && is_space(text[p]))
        p++;
    if (p == end || text[p] == '/' || text[p] == '>') return false;
    out->name.at = p;
    while (p < end && text[p] != '=' && !is_space(text[p]))
        p++;
    out->name.len = p - out->name.at;
    while (p < end && is_space(text[p]))
        p++;
    if (p == end || text[p] != '=') {
        edit->problem = "an attribute without a value";
        return false;
    }
    for (p++; p < end && is_space(text[p]);)
        p++;
    const char *close =
        p < end && (text[p] == '"' || text[p] == '\'') ? memchr(text + p + 1, text[p], end - p - 1) : NULL;
    if (close == NULL) {
        edit->problem = "an attribute whose value is not quoted";
        return false;
    }
    out->value = (struct span){p + 1, (size_t)(close - text) - p - 1};
    out->whole = (struct span){*at, (size_t)(close - text) + 1 - *at};
    *at = (size_t)(close - text) + 1;
    return true;
}

static void remove_span(struct edit *edit, struct span span)
{
    if (edit->removed_count == REMOVED_MAX) {
        edit->problem = "a field that it has many times";
    } else {
        edit->removed[edit->removed_count++] = span;
    }
}

/* The namespaces that a tag declares. */
static void declare(struct edit *edit, size_t at, size_t end)
{
    struct attribute attribute;
    for (int i = 0; i < ATTRIBUTES_MAX && next_attribute(edit, &at, end, &attribute); i++) {
        struct span prefix, local;
        split(edit, attribute.name, &prefix, &local);
        bool fallback = span_is(edit, attribute.name, "xmlns");
        if (!fallback && !span_is(edit, prefix, "xmlns")) continue;
        if (edit->binding_count == BINDINGS_MAX) {
            edit->problem = "too many namespaces";
            return;
        }
        if (fallback) local.len = 0;
        edit->bindings[edit->binding_count++] = (struct binding){local, attribute.value, edit->depth};
    }
}

/* An rdf:Description: its attributes are properties, too. */
static void read_description(struct edit *edit, size_t at, size_t end)
{
    struct attribute attribute;
    bool first = edit->about_quote == 0;
    if (first) {
        edit->about = (struct span){0, 0};
        edit->about_quote = '"';
    }
    for (int i = 0; i < ATTRIBUTES_MAX && next_attribute(edit, &at, end, &attribute); i++) {
        if (first && names(edit, attribute.name, false, NS_RDF, "about")) {
            edit->about = attribute.value;
            edit->about_quote = edit->text[attribute.value.at - 1];
        } else if (is_field(edit, attribute.name, false)) {
            remove_span(edit, attribute.whole);
        }
    }
}

/* A tag that begins an element: its name at name, its attributes up to end. */
static void open_tag(struct edit *edit, struct span name, size_t end)
{
    bool empty = edit->text[end - 2] == '/';
    size_t attributes = name.at + name.len;
    edit->depth++;
    declare(edit, attributes, end - 1);
    int below = edit->rdf_depth > 0 ? edit->depth - edit->rdf_depth : 0;
    if (edit->rdf_depth == -1 && edit->depth <= 2 && names(edit, name, true, NS_RDF, "RDF")) {
        edit->rdf_depth = empty ? -2 : edit->depth;
        edit->rdf_name = name;
        edit->rdf_empty = empty;
        edit->insert_at = end;
    } else if (below == 1 && names(edit, name, true, NS_RDF, "Description")) {
        read_description(edit, attributes, end - 1);
    } else if (below == 2 && is_field(edit, name, true)) {
        edit->former_at = name.at - 1;
        edit->former_depth = edit->depth;
    }
}

/* The end of an element: its tag goes from at to end. */
static void close_tag(struct edit *edit, size_t at, size_t end)
{
    if (edit->former_depth > 0 && edit->former_depth == edit->depth) {
        remove_span(edit, (struct span){edit->former_at, end - edit->former_at});
        edit->former_depth = 0;
    }
    if (edit->rdf_depth > 0 && edit->depth == edit->rdf_depth) {
        edit->insert_at = at;
        edit->rdf_depth = -2;
    }
    while (edit->binding_count > 0 && edit->bindings[edit->binding_count - 1].depth >= edit->depth)
        edit->binding_count--;
    edit->depth--;
}

static void read_tag(struct edit *edit, size_t at, size_t end)
{
    const char *text = edit->text;
    if (text[at + 1] == '?' || text[at + 1] == '!') return;
    if (text[at + 1] == '/') {
        close_tag(edit, at, end);
        return;
    }
    struct span name = {at + 1, 0};
    while (name.at + name.len < end - 1 && !is_space(text[name.at + name.len]) &&
           text[name.at + name.len] != '/')
        name.len++;
    open_tag(edit, name, end);
    if (text[end - 2] == '/') close_tag(edit, end, end);
}

/* Finds what is to be taken out, and the place for what is put in. The packet is well-formed as far as bst_xmp_problem()
 * tells. */
static const char *read_packet(struct edit *edit)
{
    const char *p = edit->text, *end = p + edit->len;
    while (edit->problem == NULL && (p = memchr(p, '<', (size_t)(end - p))) != NULL) {
        const char *close = bst_xmp_markup_end(p, end);
        if (close == NULL) return "markup that is cut short";
        read_tag(edit, (size_t)(p - edit->text), (size_t)(close - edit->text));
        p = close;
    }
    if (edit->problem == NULL && (edit->rdf_depth != -2 || edit->depth != 0))
        edit->problem = "no RDF in it that could take a field";
    return edit->problem;
}

/* ---- writing ---- */

static void put_escaped(struct bst_buf *out, const char *text)
{
    for (const char *p = text; *p != 0; p++) {
        switch (*p) {
        case '&':
            bst_buf_text(out, "&amp;");
            break;
        case '<':
            bst_buf_text(out, "&lt;");
            break;
        case '>':
            bst_buf_text(out, "&gt;");
            break;
        default:
            bst_buf_byte(out, (uint8_t)*p);
        }
    }
}

/* One more description, with each field as an element: the form that the simplest of readers look for. */
static void put_description(const struct edit *edit, struct bst_buf *out)
{
    bst_buf_text(out, " <rdf:Description rdf:about=");
    bst_buf_byte(out, (uint8_t)edit->about_quote);
    bst_buf_append(out, edit->text + edit->about.at, edit->about.len);
    bst_buf_byte(out, (uint8_t)edit->about_quote);
    if (!span_is(edit, edit->rdf_name, "rdf:RDF")) bst_buf_text(out, " xmlns:rdf=\"" NS_RDF "\"");
    for (size_t i = 0; i < edit->count; i++) {
        const struct bst_xmp_field *field = &edit->fields[i];
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again = again || strcmp(edit->fields[k].prefix, field->prefix) == 0;
        if (!again) bst_buf_printf(out, "\n   xmlns:%s=\"%s\"", field->prefix, field->space);
    }
    bst_buf_text(out, ">\n");
    for (size_t i = 0; i < edit->count; i++) {
        const struct bst_xmp_field *field = &edit->fields[i];
        bst_buf_printf(out, "  <%s:%s>", field->prefix, field->name);
        put_escaped(out, field->value);
        bst_buf_printf(out, "</%s:%s>\n", field->prefix, field->name);
    }
    bst_buf_text(out, " </rdf:Description>\n");
}

/* The white space that a packet may end with, meant for such changes. */
static struct span padding(const struct edit *edit)
{
    static const char mark[] = "<?xpacket end";
    size_t end = 0;
    for (size_t at = edit->insert_at; at + sizeof(mark) <= edit->len; at++) {
        const char *found = memchr(edit->text + at, '<', edit->len - at);
        if (found == NULL) break;
        at = (size_t)(found - edit->text);
        if (edit->len - at >= sizeof(mark) && memcmp(found, mark, sizeof(mark) - 1) == 0) end = at;
    }
    size_t begin = end;
    while (begin > edit->insert_at && is_space(edit->text[begin - 1]))
        begin--;
    return (struct span){begin, end - begin};
}

/* The packet from *at to to, without what is taken out. */
static void copy_kept(const struct edit *edit, size_t *at, size_t to, struct bst_buf *out)
{
    for (size_t i = 0; i < edit->removed_count; i++) {
        const struct span *span = &edit->removed[i];
        if (span->at < *at || span->at >= to) continue;
        bst_buf_append(out, edit->text + *at, span->at - *at);
        *at = span->at + span->len;
    }
    bst_buf_append(out, edit->text + *at, to - *at);
    *at = to;
}

static void write_packet(const struct edit *edit, struct bst_buf *out)
{
    size_t begin = out->len, at = 0;
    if (edit->rdf_empty) { /* "<rdf:RDF .../>" is parted into two tags */
        copy_kept(edit, &at, edit->insert_at - 2, out);
        at = edit->insert_at;
        bst_buf_text(out, ">\n");
    } else {
        copy_kept(edit, &at, edit->insert_at, out);
    }
    put_description(edit, out);
    if (edit->rdf_empty) {
        bst_buf_text(out, "</");
        bst_buf_append(out, edit->text + edit->rdf_name.at, edit->rdf_name.len);
        bst_buf_text(out, ">");
    }
    struct span pad = padding(edit);
    size_t made = out->len - begin, grown = made > edit->insert_at ? made - edit->insert_at : 0;
    if (pad.len > 1 && grown > 0) { /* the first white space stays, in most packets a line's end */
        size_t taken = grown < pad.len - 1 ? grown : pad.len - 1;
        copy_kept(edit, &at, pad.at + 1, out);
        at += taken;
    }
    copy_kept(edit, &at, edit->len, out);
}

/* ---- judging the result ---- */

/* Is the key, "plus:DataMining" or "plus:DataMining[1]", that field or a part of it? */
static bool is_key_of(const char *key, const struct bst_xmp_field *field)
{
    size_t prefix = strlen(field->prefix), name = strlen(field->name);
    if (strncmp(key, field->prefix, prefix) != 0 || key[prefix] != ':' ||
        strncmp(key + prefix + 1, field->name, name) != 0)
        return false;
    char next = key[prefix + 1 + name];
    return next == 0 || next == '[' || next == '/';
}

static void drop_fields(const struct edit *edit, json_t *object)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(object, next, key, value)
    {
        for (size_t i = 0; i < edit->count; i++) {
            if (!is_key_of(key, &edit->fields[i])) continue;
            json_object_del(object, key);
            break;
        }
    }
}

static bool has_fields(const struct edit *edit, const json_t *object)
{
    char key[96];
    for (size_t i = 0; i < edit->count; i++) {
        const struct bst_xmp_field *field = &edit->fields[i];
        snprintf(key, sizeof(key), "%.20s:%.60s", field->prefix, field->name);
        const char *value = bst_json_text(object, key);
        if (value == NULL || strcmp(value, field->value) != 0) return false;
    }
    return true;
}

/* Every field has its value, and all others are what they were. Those of a packet with more of them than are read cannot be
 * compared. */
static bool is_as_meant(const struct edit *edit, json_t *before, json_t *after)
{
    size_t old_count = json_object_size(before), new_count = json_object_size(after);
    if (!has_fields(edit, after)) return false;
    if (old_count >= BST_XMP_FIELDS || new_count >= BST_XMP_FIELDS) return true;
    drop_fields(edit, before);
    drop_fields(edit, after);
    return json_equal(before, after) == 1;
}

static enum bst_code cannot(struct bst_error *err, const char *why)
{
    return bst_fail(err, BST_UNREADABLE, "the file's XMP cannot be edited: %s", why);
}

static enum bst_code judge(const struct edit *edit, json_t *before, const uint8_t *made, size_t len,
                           struct bst_error *err)
{
    json_t *after = json_object(), *problems = json_array();
    bst_xmp_read(made, len, after, problems, "XMP");
    bool good = json_array_size(problems) == 0 && is_as_meant(edit, before, after);
    json_decref(after);
    json_decref(problems);
    return good ? BST_OK : cannot(err, "with the new fields it would not read as it should");
}

/* ---- the whole ---- */

static enum bst_code edit_packet(struct edit *edit, json_t *before, struct bst_buf *out,
                                 struct bst_error *err)
{
    if (has_fields(edit, before)) {
        bst_buf_append(out, edit->text, edit->len);
        return out->failed ? bst_fail_memory(err) : BST_OK;
    }
    const char *problem = read_packet(edit);
    if (problem != NULL) return cannot(err, problem);
    size_t begin = out->len;
    if (edit->about_quote == 0) edit->about_quote = '"';
    write_packet(edit, out);
    return out->failed ? bst_fail_memory(err) : judge(edit, before, out->data + begin, out->len - begin, err);
}

enum bst_code bst_xmp_edit(const uint8_t *packet, size_t len, const struct bst_xmp_field *fields,
                           size_t count, struct bst_buf *out, struct bst_error *err)
{
    static const char fresh[] = "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
                                "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
                                "<rdf:RDF xmlns:rdf=\"" NS_RDF "\">\n</rdf:RDF>\n"
                                "</x:xmpmeta>\n<?xpacket end=\"r\"?>";
    bool is_new = packet == NULL;
    struct edit *edit = bst_calloc(1, sizeof(*edit));
    json_t *before = json_object(), *problems = json_array();
    enum bst_code code = BST_OK;
    if (edit == NULL || before == NULL || problems == NULL) {
        code = bst_fail_memory(err);
    } else {
        edit->text = is_new ? fresh : (const char *)packet;
        edit->len = is_new ? sizeof(fresh) - 1 : len;
        edit->fields = fields;
        edit->count = count;
        edit->rdf_depth = -1;
        bst_xmp_read((const uint8_t *)edit->text, edit->len, before, problems, "XMP");
        const char *problem = json_string_value(json_array_get(problems, 0));
        code = problem != NULL ? cannot(err, problem) : edit_packet(edit, before, out, err);
    }
    json_decref(before);
    json_decref(problems);
    free(edit);
    return code;
}
