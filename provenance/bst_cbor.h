/* bst_cbor.h - CBOR (RFC 8949) for C2PA, over libcbor. Private to provenance/.
 * Not named cbor.h because libcbor's header is. */
#ifndef BST_CBOR_H
#define BST_CBOR_H

#include "base.h"

#include <cbor.h>

#define BST_CBOR_DEPTH 32
#define BST_CBOR_ITEMS 65536

/* Writing. The caller opens a map or array with its number of entries and writes them in order; RFC
 * 8949 4.2.1 wants map keys in the byte order of their encodings: for texts shorter than 24 bytes first by
 * length, then alphabetically. */
void bst_cbor_map(struct bst_buf *out, size_t pairs);
void bst_cbor_array(struct bst_buf *out, size_t items);
void bst_cbor_uint(struct bst_buf *out, uint64_t value);
void bst_cbor_negative(struct bst_buf *out, uint64_t value); /* -1 - value */
void bst_cbor_text(struct bst_buf *out, const char *text);
void bst_cbor_textn(struct bst_buf *out, const void *text, size_t len); /* UTF-8 */
void bst_cbor_bytes(struct bst_buf *out, const void *data, size_t len);
void bst_cbor_pair(struct bst_buf *out, const char *key, const char *value); /* a map's entry, both texts */
void bst_cbor_tag(struct bst_buf *out, uint64_t tag);
void bst_cbor_bool(struct bst_buf *out, bool value);
void bst_cbor_null(struct bst_buf *out);

/* Is it exactly one item, within bounds? Checks depth, number of items (told in *items), lengths that the input
 * cannot hold, invalid UTF-8, strings in pieces, trailing bytes. Builds nothing. BST_BROKEN when not. */
enum bst_code bst_cbor_check(const uint8_t *data, size_t len, size_t *items, struct bst_error *err);
/* Reads one item that passes that check. Duplicate map keys are refused too. *out is released with
 * cbor_decref(). */
enum bst_code bst_cbor_parse(const uint8_t *data, size_t len, cbor_item_t **out, struct bst_error *err);
/* True when the item is in core deterministic encoding (RFC 8949 4.2.1). */
bool bst_cbor_deterministic(const uint8_t *data, size_t len);

/* Borrowed value at a text key of a map; NULL when map is NULL or no map, or the key is missing. */
cbor_item_t *bst_cbor_get(cbor_item_t *map, const char *key);
/* The same; NULL also when null stands there. */
cbor_item_t *bst_cbor_optional(cbor_item_t *map, const char *key);
cbor_item_t *bst_cbor_get_int(cbor_item_t *map, int64_t key);
/* The definite text or byte string; false when item is NULL or of another type. Borrowed. */
bool bst_cbor_get_text(cbor_item_t *item, const char **text, size_t *len);
bool bst_cbor_get_bytes(cbor_item_t *item, const uint8_t **data, size_t *len);
bool bst_cbor_get_uint(cbor_item_t *item, uint64_t *value);
/* How many items an array has; 0 when item is NULL or of another type. */
size_t bst_cbor_count(const cbor_item_t *item);
/* libcbor's own questions end the program when the item is a float of two bytes or more. */
bool bst_cbor_is_null(const cbor_item_t *item);
bool bst_cbor_is_bool(const cbor_item_t *item);
bool bst_cbor_is_true(const cbor_item_t *item); /* false for NULL too */
/* Does the item hold exactly this text? */
bool bst_cbor_is(cbor_item_t *item, const char *text);
/* Does a text that is not empty stand at that key? */
bool bst_cbor_has_text(cbor_item_t *map, const char *key);

/* As JSON: tags become their content, byte strings hexadecimal text (long ones their length), base64, or base64 as
 * crJSON writes it: b64'...'. New reference, or NULL when out of memory. */
enum bst_cbor_bytes { BST_CBOR_HEX, BST_CBOR_BASE64, BST_CBOR_BASE64_QUOTED };
json_t *bst_cbor_json(cbor_item_t *item, enum bst_cbor_bytes form);
json_t *bst_base64_json(const void *data, size_t len, bool quoted);

#endif
