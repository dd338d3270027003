/* metadata.h - EXIF, XMP and text in a picture file, written and read. Private to provenance/.
 *
 *   stamp_words.c  which words a file may show under its privacy profile
 *   exif.c, xmp.c, png_text.c   each format's writer and reader; xmp_edit.c, exif_edit.c change what is there
 *   metadata.c     bst_metadata_read()
 */
#ifndef BST_METADATA_H
#define BST_METADATA_H

#include "container_edit.h"

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
    char *ai_prompt;    /* prompt and controls in words */
    char *parameters;   /* the generation parameters as galleries read them */
    const json_t *aigc; /* China's label; NULL: none */
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

/* Editors, of what a file has already. */
struct bst_xmp_field {
    const char *space, *prefix, *name; /* the namespace by its address and by its usual prefix */
    const char *value;                 /* UTF-8; of a simple property */
};
/* xmp_edit.c: the packet with these fields set, appended to out; everything else in it stays as it is written, but for the
 * padding at its end, from which the room is taken as far as it goes. packet NULL: a new one. BST_UNREADABLE with the reason
 * when it cannot be edited. */
enum bst_code bst_xmp_edit(const uint8_t *packet, size_t len, const struct bst_xmp_field *fields,
                           size_t count, struct bst_buf *out, struct bst_error *err);
/* exif_edit.c: the TIFF data with the choice against training set, appended to out; all else stays where and what it is.
 * block NULL: a new one. Of picture, format and size count. BST_UNREADABLE with the reason when it cannot be edited. */
enum bst_code bst_exif_edit(const uint8_t *block, size_t len, const struct bst_container *picture,
                            struct bst_buf *out, struct bst_error *err);
#define BST_EXIF_OPT_OUT_TEXT "2 1 0 2 0" /* the value's 16-bit words: two pairs of a use and a choice */
/* exif.c: would exiftool 12 take a directory there for a box of our manifest? */
bool bst_exif_box_begins_at(size_t offset);
#define BST_NS_IPTC_EXT "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
#define BST_NS_XMP      "http://ns.adobe.com/xap/1.0/"
#define BST_NS_XMP_MM   "http://ns.adobe.com/xap/1.0/mm/"
#define BST_NS_PLUS     "http://ns.useplus.org/ldf/xmp/1.0/"
#define BST_NS_AIGC     "http://www.tc260.org.cn/ns/AIGC/1.0/"
#define BST_NO_TRAINING "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING"

/* aigc.c: what China's label says of a picture. */
struct bst_aigc_picture {
    const char *image_id;
    const uint8_t *pixels_sha256;
    const struct bst_key *key; /* that seals it */
    bool made;                 /* by this program: its producer is known */
    bool generated, composed; /* by a model, as the author knows or declares; or of such parts among others */
    bool traces;              /* its metadata speaks of a model that made it */
    const json_t *found;      /* the label that it has already, or NULL */
};
/* The label for it; NULL when none is due, or the one that it has stays as it is. BST_USAGE when a code is missing. */
enum bst_code bst_aigc_make(const struct bst_aigc_codes *codes, const struct bst_aigc_picture *picture,
                            json_t **out, struct bst_error *err);
/* As it stands in XMP, or as in a text chunk of PNG; new memory, or NULL. */
char *bst_aigc_text(const json_t *label, bool chunk);
/* metadata_edit.c: what is to be said in a file's own metadata. */
struct bst_marks {
    const char *image_id, *when;
    const char *source_type; /* IPTC DigitalSourceType, full URI; NULL: not said */
    bool no_train;           /* in XMP and EXIF */
    const json_t *aigc;      /* China's label; NULL: none */
    const json_t *metadata;  /* what bst_metadata_read() found */
};
struct bst_marked {
    struct bst_edits edits; /* none when the file says it all already */
    bool exif, xmp;         /* there will be such a segment, new or changed */
    json_t *written,
        *replaced; /* {"xmp": {..}, "exif": {..}, "text": {..}}: what is set, and what stood there before */
};
/* The edits that say it. Properties, tags and segments that they do not name stay byte for byte. */
enum bst_code bst_metadata_edit(const char *path, const struct bst_container *container,
                                const struct bst_marks *marks, struct bst_marked *out, struct bst_error *err);
void bst_marked_clear(struct bst_marked *marked);

/* Readers: they add what they find to an object; what cannot be read is said in words in the array problems,
 * with the place in front. Memory running out shows as a problem too. */
bool bst_is_metadata(enum bst_format format, const char *type);
#define BST_EXIF_MARK     "Exif\0" /* six bytes in front of the TIFF data in JPEG, with the literal's own zero */
#define BST_EXIF_MARK_LEN 6
#define BST_XMP_MARK      "http://ns.adobe.com/xap/1.0/" /* and a zero, in front of the packet in JPEG */
#define BST_METADATA_MAX  (8u << 20)                     /* bytes of one segment, packed and unpacked */
void bst_exif_read(const uint8_t *tiff, size_t len, json_t *out, json_t *problems, const char *place);
void bst_xmp_read(const uint8_t *packet, size_t len, json_t *out, json_t *problems, const char *place);
#define BST_XMP_FIELDS 2000 /* the most that are read of one packet */
/* The end of the markup that begins at p with '<', or NULL when it has none. */
const char *bst_xmp_markup_end(const char *p, const char *end);
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
/* png_text.c: a text chunk taken apart, its keyword (at most 79 bytes) and its text, which points into data or, unpacked, into
 * *unpacked. NULL, or what is wrong with it. */
struct bst_text_chunk {
    char keyword[80];
    const uint8_t *text;
    size_t len;
};
const char *bst_png_text_open(const char *type, const uint8_t *data, size_t len, size_t *budget,
                              struct bst_text_chunk *out, struct bst_buf *unpacked);
#define BST_PNG_XMP_KEYWORD  "XML:com.adobe.xmp"
#define BST_PNG_AIGC_KEYWORD "AIGC"
/* Appends a finished chunk: iTXt, or tEXt where Latin-1 can say it. */
void bst_png_itxt(struct bst_buf *out, const char *keyword, const void *text, size_t len);
void bst_png_text(struct bst_buf *out, const char *keyword, const char *text);
void bst_problem(json_t *problems, const char *place, const char *words);

#endif
