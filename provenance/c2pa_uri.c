/* c2pa_uri.c - labels of manifests and assertions, and the addresses made of them (C2PA 2.4, 8.2 to 8.4 and 6.4):
 * "self#jumbf=/c2pa/MANIFEST/c2pa.assertions/LABEL" from the store, "self#jumbf=c2pa.assertions/LABEL" from the
 * manifest it stands in. */
#include "c2pa.h"

#include <string.h>

/* ---- labels ---- */

/* Reads the decimal number that ends at end; returns where it begins, or end. */
static size_t trailing_number(const char *label, size_t end, unsigned *out)
{
    size_t at = end;
    unsigned value = 0;
    while (at > 0 && label[at - 1] >= '0' && label[at - 1] <= '9' && end - at < 6) {
        at--;
    }
    for (size_t i = at; i < end; i++) {
        value = value * 10 + (unsigned)(label[i] - '0');
    }
    if (at < end) *out = value;
    return at;
}

void bst_label_parse(const char *label, struct bst_assertion *out)
{
    size_t end = strlen(label);
    unsigned value = 0;
    out->label = label;
    out->version = 1;
    out->instance = 0;
    size_t at = trailing_number(label, end, &value);
    if (at < end && at > 2 && memcmp(label + at - 2, "__", 2) == 0) {
        out->instance = value;
        end = at - 2;
    }
    at = trailing_number(label, end, &value);
    if (at < end && at > 2 && memcmp(label + at - 2, ".v", 2) == 0) {
        out->version = value;
        end = at - 2;
    }
    out->root_len = end;
}

bool bst_root_is(const struct bst_assertion *assertion, const char *root)
{
    return assertion->root_len == strlen(root) && memcmp(assertion->label, root, assertion->root_len) == 0;
}

/* But for version and instance. */
static bool label_root_is(const char *label, const char *root)
{
    struct bst_assertion parsed;
    bst_label_parse(label, &parsed);
    return bst_root_is(&parsed, root);
}

/* A multi-asset hash is none: it stands beside one, for when parts of the file are taken away (18.11). */
bool bst_is_hard_binding(const char *label)
{
    static const char *const roots[] = {"c2pa.hash.data", "c2pa.hash.boxes", "c2pa.hash.bmff",
                                        "c2pa.hash.collection.data"};
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        if (label_root_is(label, roots[i])) return true;
    }
    return false;
}

static bool all_digits(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
    }
    return len > 0;
}

/* "urn:c2pa:UUID[:VENDOR[:VERSION_REASON]]": vendor at most 32 visible ASCII characters (8.2). Older ones are
 * "urn:uuid:UUID" and "VENDOR:urn:uuid:UUID". */
bool bst_manifest_label_fits(const char *label)
{
    const char *part[6];
    size_t len[6], count = 0;
    for (const char *p = label; count < 6; count++) {
        part[count] = p;
        len[count] = strcspn(p, ":");
        p += len[count];
        if (*p++ == 0) {
            count++;
            break;
        }
    }
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        used += len[i] + (i > 0);
    }
    if (count < 3 || used != strlen(label)) return false;
    if (count == 4 && strncmp(part[1], "urn:uuid:", 9) == 0) return true;
    if (strncmp(part[0], "urn:uuid:", 9) == 0) return true;
    if (strncmp(part[0], "urn:c2pa:", 9) != 0 || count > 5) return false;
    for (size_t i = 0; count > 3 && i < len[3]; i++) {
        if (part[3][i] <= ' ' || part[3][i] > '~') return false;
    }
    if (count > 3 && len[3] > 32) return false;
    if (count < 5 || len[4] == 0) return true;
    size_t version = strcspn(part[4], "_");
    bool reason = version == len[4] || all_digits(part[4] + version + 1, len[4] - version - 1);
    return all_digits(part[4], version) && reason;
}

/* ---- addresses ---- */

void bst_claim_url(const struct bst_claim *claim, const char *tail, char out[static BST_URL])
{
    snprintf(out, BST_URL, "self#jumbf=/c2pa/%s%s", claim->label, tail);
}

void bst_judge_url(const struct bst_judge *judge, const char *tail, char out[static BST_URL])
{
    bst_claim_url(judge->claim, tail, out);
}

void bst_assertion_url(const struct bst_claim *claim, const struct bst_assertion *assertion,
                       char out[static BST_URL])
{
    snprintf(out, BST_URL, "self#jumbf=/c2pa/%s/c2pa.assertions/%s", claim->label, assertion->label);
}

void bst_url_text(const char *uri, size_t len, char out[static BST_URL])
{
    snprintf(out, BST_URL, "%.*s", len < BST_URL ? (int)len : BST_URL - 1, uri);
}

/* What stands behind "self#jumbf=", from the store's first "/" on if it is absolute. */
static void strip_scheme(const char **uri, size_t *len)
{
    const char *equals = memchr(*uri, '=', *len);
    if (equals == NULL) return;
    *len -= (size_t)(equals + 1 - *uri);
    *uri = equals + 1;
}

/* Behind "/c2pa/" or "c2pa/"; false when the address is relative. */
static bool strip_root(const char **uri, size_t *len)
{
    strip_scheme(uri, len);
    size_t skip = *len > 0 && (*uri)[0] == '/' ? 6 : 5;
    if (*len < skip || memcmp(*uri, skip == 6 ? "/c2pa/" : "c2pa/", skip) != 0) return false;
    *uri += skip;
    *len -= skip;
    return true;
}

static size_t part_len(const char *uri, size_t len)
{
    const char *slash = memchr(uri, '/', len);
    return slash == NULL ? len : (size_t)(slash - uri);
}

bool bst_uri_manifest(const char *uri, size_t len, const char **label, size_t *label_len)
{
    if (!strip_root(&uri, &len)) return false;
    *label = uri;
    *label_len = part_len(uri, len);
    return true;
}

bool bst_uri_assertion(const char *uri, size_t len, const char **label, size_t *label_len)
{
    static const char *const stores[] = {"c2pa.assertions/", "c2pa.databoxes/"};
    bool absolute = strip_root(&uri, &len);
    if (absolute) {
        size_t manifest = part_len(uri, len);
        if (manifest == len) return false;
        uri += manifest + 1;
        len -= manifest + 1;
    }
    for (size_t i = 0; i < (absolute ? 2u : 1u); i++) {
        size_t store = strlen(stores[i]);
        if (len <= store || memcmp(uri, stores[i], store) != 0) continue;
        *label = uri + store;
        *label_len = part_len(*label, len - store);
        return true;
    }
    return false;
}

void bst_uri_last(const char *uri, size_t len, const char **label, size_t *label_len)
{
    size_t at = len;
    while (at > 0 && uri[at - 1] != '/' && uri[at - 1] != '=') {
        at--;
    }
    *label = uri + at;
    *label_len = len - at;
}

void bst_url_absolute(const char *manifest, const char *uri, size_t len, char out[static BST_URL])
{
    const char *label;
    size_t label_len;
    if (bst_uri_manifest(uri, len, &label, &label_len)) {
        bst_url_text(uri, len, out);
        return;
    }
    strip_scheme(&uri, &len);
    snprintf(out, BST_URL, "self#jumbf=/c2pa/%s/%.*s", manifest, len < BST_URL ? (int)len : BST_URL, uri);
}
