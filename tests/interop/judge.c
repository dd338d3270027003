/* judge.c - what our validator says of files, one line each: "trusted", "valid", "invalid", "none" or "error".
 * judge [--codes | --crjson | --c2patool] ROOTS.pem FILE... With --codes a tab and "[INGREDIENT ]KIND CODE" for each
 * finding follow; with the others that document, or null, is the line. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "provenance.h"

static void print_codes(const struct bst_c2pa *c2pa)
{
    static const char *const kinds[] = {"success", "informational", "failure"};
    for (size_t i = 0; i < c2pa->status_count; i++) {
        const struct bst_status *status = &c2pa->statuses[i];
        printf("\t%s%s%s %s", status->ingredient, status->ingredient[0] ? " " : "", kinds[status->kind],
               status->code);
    }
}

static void print_document(const struct bst_c2pa *c2pa, enum bst_c2pa_format format)
{
    struct bst_error err = {0};
    json_t *document;
    if (bst_c2pa_export(c2pa, format, &document, &err) != BST_OK) {
        fputs("null", stdout);
        return;
    }
    json_dumpf(document, stdout, JSON_COMPACT);
    json_decref(document);
}

static void judge(const char *path, const struct bst_trust *trust, bool codes, enum bst_c2pa_format format)
{
    static const char *const states[] = {"invalid", "valid", "trusted"};
    struct bst_error err = {0};
    struct bst_container container;
    struct bst_c2pa c2pa;
    enum bst_code code = bst_container_scan(path, &container, &err);
    if (code == BST_OK) {
        code = bst_c2pa_read(path, &container, trust, &c2pa, &err);
        bst_container_clear(&container);
    }
    if (format == BST_C2PA_OURS)
        fputs(code == BST_OK ? states[c2pa.state] : code == BST_NO_PROVENANCE ? "none" : "error", stdout);
    else if (code != BST_OK)
        fputs("null", stdout);
    if (code == BST_OK) {
        if (codes) print_codes(&c2pa);
        if (format != BST_C2PA_OURS) print_document(&c2pa, format);
        bst_c2pa_clear(&c2pa);
    }
    putchar('\n');
}

int main(int argc, char **argv)
{
    struct bst_error err = {0};
    struct bst_buf roots = {0};
    struct bst_trust *trust = NULL;
    /* As in the reference of version 0.91, a root is one for every purpose. */
    unsigned kinds = BST_TRUST_MANIFEST | BST_TRUST_TSA | BST_TRUST_CAWG;
    const char *option = argc > 1 ? argv[1] : "";
    bool codes = strcmp(option, "--codes") == 0;
    enum bst_c2pa_format format = strcmp(option, "--crjson") == 0     ? BST_C2PA_CRJSON
                                  : strcmp(option, "--c2patool") == 0 ? BST_C2PA_C2PATOOL
                                                                      : BST_C2PA_OURS;
    if (codes || format != BST_C2PA_OURS) {
        argv++;
        argc--;
    }
    if (argc < 3 || bst_file_read(argv[1], 1u << 20, &roots, &err) != BST_OK ||
        bst_trust_new(&trust, &err) != BST_OK ||
        bst_trust_add(trust, (const char *)roots.data, roots.len, kinds, NULL, &err) != BST_OK)
        return 1;
    for (int i = 2; i < argc; i++) {
        judge(argv[i], trust, codes, format);
    }
    bst_trust_free(trust);
    bst_buf_free(&roots);
    return 0;
}
