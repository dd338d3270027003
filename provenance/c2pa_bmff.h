/* c2pa_bmff.h - what the two halves of the binding c2pa.hash.bmff share. Private to provenance/. */
#ifndef BST_C2PA_BMFF_H
#define BST_C2PA_BMFF_H

#include "c2pa.h"
#include "container_bmff.h"

/* c2pa_bmff_tree.c: compares what the boxes "mdat" hold with the list of trees of the assertion, whose digests are by alg
 * where they name no other. *problem says what is wrong. */
enum bst_code bst_judge_trees(const struct bst_judge *judge, const char *alg, cbor_item_t *list,
                              const char **problem, struct bst_error *err);

#endif
