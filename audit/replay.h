/* replay.h - what replay.c (makes it again and compares) and replay_read.c (what it is to be made from) share.
 * Private to audit/. */
#ifndef BST_AUDIT_REPLAY_H
#define BST_AUDIT_REPLAY_H

#include "verify.h"

/* All that a picture is made again from. */
struct again {
    unsigned arith; /* version of the rules that the statement names */
    struct bst_controls controls;
    struct bst_style styles[BST_STYLES_MAX];
    struct bst_mix mix[BST_MIX_MAX];
    struct bst_image input;
    char *model_path, *card_path;
};
/* BST_NO_PROVENANCE with the reason, and what would help, when the statement does not tell enough or what it
 * names is not at hand. The size is left to the caller. */
enum bst_code again_read(const struct judge *judge, struct again *out, struct bst_error *err);
/* Do the files that hold weights beside the model's own have the digests of the statement? */
enum bst_code again_check_weights(const struct judge *judge, const struct bst_model *model,
                                  struct bst_error *err);
void again_clear(struct again *again);

#endif
