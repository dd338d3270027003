/* show.c - what a file says about itself, nothing judged. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"

#define SEGMENTS_SHOWN 4096

static json_t *container_json(const struct bst_container *container)
{
    json_t *list = json_array();
    for (size_t i = 0; i < container->count && i < SEGMENTS_SHOWN; i++) {
        const struct bst_segment *s = &container->segments[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:I, s:I}", "type", s->type, "start",
                                        (json_int_t)s->whole.start, "bytes", (json_int_t)s->whole.length));
    }
    if (container->count > SEGMENTS_SHOWN) { /* the rest as one */
        uint64_t start = container->segments[SEGMENTS_SHOWN].whole.start;
        json_array_append_new(list,
                              json_pack("{s:s, s:I, s:I, s:I}", "type", "more", "start", (json_int_t)start,
                                        "bytes", (json_int_t)(container->size - start), "segments",
                                        (json_int_t)(container->count - SEGMENTS_SHOWN)));
    }
    return list;
}

/* Of pixels that were not read nothing is known. */
static json_t *number(uint32_t value)
{
    return value ? json_integer(value) : json_null();
}

static enum bst_code file_json(const char *path, const struct bst_container *container,
                               const struct bst_c2pa *c2pa, json_t **out, struct bst_error *err)
{
    struct bst_image image = {0};
    struct bst_error why = {0};
    uint8_t digest[BST_SHA256_LEN];
    char file_hex[BST_SHA256_HEX], pixels_hex[BST_SHA256_HEX] = "";
    enum bst_code code = BST_OK;
    if (c2pa->has_file_sha256) /* the binding asked for the same */
        memcpy(digest, c2pa->file_sha256, sizeof digest);
    else
        code = bst_container_digest_plain(path, container, digest, err);
    if (code != BST_OK) return code;
    bst_hex(digest, sizeof digest, file_hex);
    if (bst_format_has_pixels(container->format) &&
        bst_image_digest_file(path, &image, digest, &why) == BST_OK)
        bst_hex(digest, sizeof digest, pixels_hex);
    char *name = bst_printable(path, strlen(path));
    *out = json_pack("{s:s?, s:s?, s:I, s:o, s:o, s:o, s:o, s:s, s:s?}", "path", name, "format",
                     bst_format_name(container->format), "bytes", (json_int_t)container->size, "width",
                     number(image.width), "height", number(image.height), "channels", number(image.channels),
                     "depth", number(image.depth), "sha256_without_manifest", file_hex, "pixels_sha256",
                     *pixels_hex ? pixels_hex : NULL);
    if (why.what[0]) json_object_set_new(*out, "problem", audit_text(why.what));
    free(name);
    return *out ? BST_OK : bst_fail_memory(err);
}

static json_t *receipt_json(const struct bst_c2pa *c2pa, const struct bst_dsse *dsse)
{
    struct bst_proof proof = {0};
    struct bst_error why = {0};
    json_t *object = json_pack("{s:s?}", "key_id", dsse ? dsse->key_id : NULL);
    if (c2pa->proof.len &&
        bst_proof_parse((const char *)c2pa->proof.data, c2pa->proof.len, &proof, &why) == BST_OK) {
        json_object_set_new(object, "entry", json_integer((json_int_t)proof.index));
        json_object_set_new(object, "checkpoint", json_string(proof.checkpoint));
        bst_proof_clear(&proof);
    } else {
        json_object_set_new(object, "problem", audit_text(why.what[0] ? why.what : "there is no proof"));
    }
    return object;
}

/* China's label for AI content, in words, and as it stands. */
static json_t *label_json(const json_t *metadata)
{
    json_t *label = bst_aigc_find(metadata);
    char *words = label ? audit_label_words(label) : NULL;
    json_t *object = label ? json_pack("{s:o, s:o}", "says", audit_text(words), "label", label) : json_null();
    free(words);
    return object;
}

static json_t *manifest_json(const struct bst_c2pa *c2pa)
{
    struct bst_error why = {0};
    json_t *content = NULL;
    if (bst_c2pa_export(c2pa, BST_C2PA_OURS, &content, &why) != BST_OK) content = json_null();
    return json_pack("{s:o, s:o, s:o, s:o}", "label", audit_text(c2pa->label), "generator",
                     audit_text(c2pa->generator), "signer", audit_text(c2pa->signer), "content", content);
}

/* Manifest, statement and receipt; null where the file has none. problem: why its manifest cannot be read. */
static void credentials_json(const struct bst_c2pa *c2pa, const struct bst_error *problem, json_t *into)
{
    struct bst_dsse dsse = {0};
    struct bst_error why = {0};
    json_t *manifest = NULL, *ingredients = NULL, *statement = NULL, *receipt = NULL;
    if (problem->code == BST_OK) {
        manifest = manifest_json(c2pa);
        if (bst_c2pa_lineage(c2pa, &ingredients, &why) != BST_OK) ingredients = NULL;
    }
    if (problem->code != BST_OK && problem->code != BST_NO_PROVENANCE)
        manifest = json_pack("{s:o}", "problem", audit_text(problem->what));
    if (c2pa->envelope.len) {
        bool opened = bst_dsse_open(c2pa->envelope.data, c2pa->envelope.len, &dsse, &why) == BST_OK;
        statement =
            opened ? json_incref(dsse.statement) : json_pack("{s:o}", "problem", audit_text(why.what));
        receipt = receipt_json(c2pa, opened ? &dsse : NULL);
        if (opened) bst_dsse_clear(&dsse);
    }
    json_object_set_new(into, "manifest", manifest ? manifest : json_null());
    json_object_set_new(into, "ingredients", ingredients ? ingredients : json_null());
    json_object_set_new(into, "statement", statement ? statement : json_null());
    json_object_set_new(into, "receipt", receipt ? receipt : json_null());
}

enum bst_code bst_show(const char *path, json_t **out, struct bst_error *err)
{
    struct bst_container container = {0};
    struct bst_c2pa c2pa = {0};
    struct bst_error problem = {0};
    json_t *file = NULL, *metadata = NULL, *all = json_object();
    enum bst_code code = all ? bst_container_scan(path, &container, err) : bst_fail_memory(err);
    if (code == BST_OK && bst_c2pa_read(path, &container, NULL, &c2pa, &problem) == BST_FAILURE) {
        *err = problem;
        code = err->code;
    } else if (code == BST_OK) {
        code = file_json(path, &container, &c2pa, &file, err);
    }
    if (code == BST_OK) {
        json_object_set_new(all, "file", file);
        json_object_set_new(all, "container", container_json(&container));
        code = bst_metadata_read(path, &container, &metadata, err);
    }
    if (code == BST_OK) {
        json_object_set_new(all, "metadata", metadata);
        json_object_set_new(all, "aigc", label_json(metadata));
        credentials_json(&c2pa, &problem, all);
    }
    bst_c2pa_clear(&c2pa);
    bst_container_clear(&container);
    if (code != BST_OK) {
        json_decref(all);
        return code;
    }
    *out = all;
    return BST_OK;
}

enum bst_code bst_show_manifests(const char *path, enum bst_c2pa_format format, json_t **out,
                                 struct bst_error *err)
{
    struct bst_container container = {0};
    struct bst_c2pa c2pa = {0};
    enum bst_code code = bst_container_scan(path, &container, err);
    if (code == BST_OK) code = bst_c2pa_read(path, &container, NULL, &c2pa, err);
    if (code == BST_OK) code = bst_c2pa_export(&c2pa, format, out, err);
    bst_c2pa_clear(&c2pa);
    bst_container_clear(&container);
    return code;
}
