/* metadata.h - EXIF, XMP and text in a picture file, written and read. Private to provenance/.
 *
 *   stamp_words.c  which words a file may show under its privacy profile
 *   exif.c, xmp.c, png_text.c   each format's writer and reader
 *   metadata.c     bst_metadata_read()
 */
#ifndef BST_METADATA_H
#define BST_METADATA_H

#include "provenance.h"

/* Everything the writers of metadata and manifest ever see of a generation. A word that the privacy profile
 * does not disclose is NULL here, so no writer can let it slip. Pointers are borrowed but for the char *
 * ones. */
struct bst_words {
    const char *author, *email, *url; /* email and url may be NULL */
    const char *image_id;
    const char *source_type; /* IPTC DigitalSourceType, full URI */
    char created[BST_TIME_LEN];
    bool no_train; /* no model may be trained on the picture */
    char *copyright, *usage;
    const char *title, *description, *prompt;
    const char *model; /* title or name of the model */
    const uint8_t *model_sha256;
    /* Its digits, or seeds with their weights: "7:0.7, 9:0.3". NULL also when the model draws nothing from it. */
    char *seed;
    char *ai_system, *ai_version;
    char *ai_prompt;  /* prompt and controls in words */
    char *parameters; /* the generation parameters as galleries read them */
};
enum bst_code bst_words_fill(const struct bst_generation *generation, const struct bst_identity *author,
                             struct bst_words *out, struct bst_error *err);
void bst_words_clear(struct bst_words *words);

/* Writers. */
enum bst_code bst_exif_write(const struct bst_words *words, struct bst_buf *out,
                             struct bst_error *err); /* TIFF */
enum bst_code bst_xmp_write(const struct bst_words *words, struct bst_buf *out,
                            struct bst_error *err); /* packet */
/* All metadata as finished PNG chunks: eXIf, iTXt with XMP, then tEXt or iTXt. */
enum bst_code bst_png_metadata(const struct bst_words *words, struct bst_buf *out, struct bst_error *err);

/* Readers: they add what they find to an object; what cannot be read is said in words in the array problems,
 * with the place in front. Memory running out shows as a problem too. */
#define BST_METADATA_MAX (8u << 20) /* bytes of one segment, packed and unpacked */
void bst_exif_read(const uint8_t *tiff, size_t len, json_t *out, json_t *problems, const char *place);
void bst_xmp_read(const uint8_t *packet, size_t len, json_t *out, json_t *problems, const char *place);
/* A tEXt, zTXt or iTXt chunk's data; an XMP packet goes to xmp instead of text. *budget is what all inflated
 * texts together may still take. */
void bst_png_text_read(const char *type, const uint8_t *data, size_t len, size_t *budget, json_t *text,
                       json_t *xmp, json_t *problems, const char *place);
/* metadata_origin.c: what the result of bst_metadata_read() says of how the picture was made: program, version, prompt,
 * negativePrompt, seed, model, modelHash, sampler, software, cameraMake, cameraModel, taken, artist, copyright,
 * digitalSourceType, as far as it does. NULL: out of memory. */
json_t *bst_metadata_origin(const json_t *metadata);
/* Text of an unknown encoding: UTF-8 if it is, else Latin-1. New reference or NULL. */
json_t *bst_text_json(const char *text, size_t len);
void bst_problem(json_t *problems, const char *place, const char *words);

#endif
