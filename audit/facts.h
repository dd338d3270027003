/* facts.h - what a statement says, in plain fields. Private to audit/. */
#ifndef BST_AUDIT_FACTS_H
#define BST_AUDIT_FACTS_H

#include "audit.h"

/* What the statement does not say is NULL or 0. Texts are borrowed from the statement. */
struct facts {
    bool generation; /* the rest is only read from statements of this kind */
    bool
        adoption; /* somebody took up a picture made elsewhere: no model, no input, and made is when that was */
    const char *source_type; /* of an adopted picture, as its author declares it: "unknown", "capture" ... */
    const char *author, *key_id;
    const char *sha256, *pixels_sha256, *file_name; /* of the first subject */
    const char *model, *model_sha256, *card_sha256;
    const char *input, *input_sha256, *input_pixels_sha256;
    const char *seed, *title, *prompt, *image_id, *made, *arith, *privacy, *version;
    uint64_t width, height;
    const json_t *truncation, *tile, *label, *styles, *mix, *latent_generator;
    const json_t *parameters;   /* all of them */
    const json_t *dependencies; /* the model, its weights, its card, the input picture */
};

void facts_read(const json_t *statement, struct facts *out);
/* A copy of the statement in which every commitment that one of the secrets opens is replaced by the words. A
 * secret that does not fit its commitment is passed over. *opened counts the replaced ones. */
enum bst_code facts_open(const json_t *statement, const struct bst_secrets *secrets, json_t **out,
                         size_t *opened, struct bst_error *err);
/* The name of something committed to and not opened ("seed"), or NULL. */
const char *facts_closed(const json_t *statement);

#endif
