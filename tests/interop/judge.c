/* judge.c - what our validator says of files, one line each: "trusted", "valid", "invalid", "none" or "error".
 * judge [--codes] ROOTS.pem FILE... With --codes a tab and "[INGREDIENT ]KIND CODE" for each finding follow. */
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

static void judge(const char *path, const struct bst_trust *trust, bool codes)
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
    fputs(code == BST_OK ? states[c2pa.state] : code == BST_NO_PROVENANCE ? "none" : "error", stdout);
    if (code == BST_OK) {
        if (codes) print_codes(&c2pa);
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
    bool codes = argc > 1 && strcmp(argv[1], "--codes") == 0;
    if (codes) {
        argv++;
        argc--;
    }
    if (argc < 3 || bst_file_read(argv[1], 1u << 20, &roots, &err) != BST_OK ||
        bst_trust_new(&trust, &err) != BST_OK ||
        bst_trust_add(trust, (const char *)roots.data, roots.len, kinds, NULL, &err) != BST_OK)
        return 1;
    for (int i = 2; i < argc; i++) {
        judge(argv[i], trust, codes);
    }
    bst_trust_free(trust);
    bst_buf_free(&roots);
    return 0;
}
