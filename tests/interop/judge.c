/* judge.c - what our reader says of files, one line each: "trusted", "valid", "invalid", "none" or
 * "unreadable". judge ROOTS.pem FILE... */
#include <stdio.h>

#include "provenance.h"

static const char *judge(const char *path, const struct bst_trust *trust)
{
    static const char *const states[] = {"invalid", "valid", "trusted"};
    struct bst_error err = {0};
    struct bst_container container;
    struct bst_c2pa c2pa;
    if (bst_container_scan(path, &container, &err) != BST_OK) return "unreadable";
    enum bst_code code = bst_c2pa_read(path, &container, trust, &c2pa, &err);
    bst_container_clear(&container);
    if (code == BST_NO_PROVENANCE) return "none";
    if (code != BST_OK) return "unreadable";
    const char *state = states[c2pa.state];
    bst_c2pa_clear(&c2pa);
    return state;
}

int main(int argc, char **argv)
{
    struct bst_error err = {0};
    struct bst_buf roots = {0};
    struct bst_trust *trust = NULL;
    /* As in the reference of version 0.91, a root is one for every purpose. */
    unsigned kinds = BST_TRUST_MANIFEST | BST_TRUST_TSA | BST_TRUST_CAWG;
    if (argc < 3 || bst_file_read(argv[1], 1u << 20, &roots, &err) != BST_OK ||
        bst_trust_new(&trust, &err) != BST_OK ||
        bst_trust_add(trust, (const char *)roots.data, roots.len, kinds, NULL, &err) != BST_OK)
        return 1;
    for (int i = 2; i < argc; i++) {
        puts(judge(argv[i], trust));
    }
    bst_trust_free(trust);
    bst_buf_free(&roots);
    return 0;
}
