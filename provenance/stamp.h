/* stamp.h - what stamp.c (pictures of ours) and stamp_adopt.c (pictures made elsewhere) share. Private to provenance/. */
#ifndef BST_STAMP_H
#define BST_STAMP_H

#include "c2pa.h"
#include "metadata.h"

struct pending;
struct bst_stamper {
    struct bst_identity identity;
    struct bst_key *author_key, *log_key;
    struct bst_signer signer;
    struct bst_trust *trust; /* in oneself, for the check of what was written */
    struct bst_ledger *ledger;
    char *log_vkey;
    int png_level;
    bool no_train, thumbnail;
    bool labels;                 /* China's label goes onto the pictures */
    char *producer, *propagator; /* codes for it, or NULL */
    size_t count, cap;
    struct pending *pending;
    struct bst_input *inputs; /* of the batch at hand */
};

/* stamp_input.c: the picture that a model started from, as the manifests of a batch tell it: read once and kept until
 * the batch is done. NULL when there was none. */
enum bst_code bst_stamp_input(struct bst_stamper *stamper, const struct bst_generation *generation,
                              const struct bst_secrets *secrets, const struct bst_parent **out,
                              struct bst_error *err);
void bst_stamp_inputs_free(struct bst_stamper *stamper);
/* What a word of that name is replaced by, when the statement only commits to it. */
void bst_word_keep(const struct bst_secrets *secrets, const char *name, struct bst_word *out);
const char *bst_media_type(enum bst_format format); /* "image/png" */

/* China's label for a picture, or NULL when none is asked for or due. */
enum bst_code bst_stamp_label(const struct bst_stamper *stamper, const struct bst_aigc_picture *picture,
                              json_t **out, struct bst_error *err);
/* The store for a picture whose entry is in the ledger: manifest says what is special about the picture, the rest is put in
 * here. */
enum bst_code bst_stamp_store(const struct bst_stamper *stamper, struct bst_manifest *manifest,
                              const struct bst_buf *envelope, const struct bst_proof *proof,
                              struct bst_buf *store, struct bst_error *err);
/* A picture that would not validate is never delivered: reads the finished file back and judges it, or with a store the
 * file beside which that is to stand. BST_FAILURE with the reason when the result is not trusted. */
enum bst_code bst_stamp_check(const struct bst_stamper *stamper, const char *path,
                              const struct bst_buf *store, struct bst_error *err);

#endif
