/* container.h - what the scanners of picture files share. Private to provenance/. */
#ifndef BST_CONTAINER_H
#define BST_CONTAINER_H

#include "provenance.h"

#include <stdio.h>

#define BST_SEGMENT_MAX  (1u << 18)  /* more chunks or markers than any picture needs */
#define BST_MANIFEST_MAX (24u << 20) /* held twice while it is judged, in less than 64 MiB */

/* A file being walked from its first byte to its last. */
struct scan {
    FILE *file;
    const char *name; /* for messages */
    uint64_t pos;     /* of the next byte that bst_scan_read() returns */
    struct bst_container *out;
    size_t cap; /* room in out->segments */
};

/* Exactly len bytes; reading past the end is an error that names the place. */
enum bst_code bst_scan_read(struct scan *scan, void *data, size_t len, const char *part,
                            struct bst_error *err);
/* Adds a segment; *out stays valid until the next call. */
enum bst_code bst_scan_add(struct scan *scan, const char *type, uint64_t start, struct bst_segment **out,
                           struct bst_error *err);
/* BST_UNREADABLE with the place "name: kind N (TYPE) at byte START". */
enum bst_code bst_scan_fail(struct scan *scan, const char *kind, const struct bst_segment *segment,
                            struct bst_error *err);

enum bst_code bst_scan_png(struct scan *scan, struct bst_error *err);
enum bst_code bst_scan_jpeg(struct scan *scan, struct bst_error *err);
enum bst_code bst_scan_webp(struct scan *scan, struct bst_error *err);
enum bst_code bst_scan_tiff(struct scan *scan, struct bst_error *err);
enum bst_code bst_scan_bmff(struct scan *scan, struct bst_error *err);

/* Is it a file of boxes (ISO base media file format)? */
static inline bool bst_is_bmff(enum bst_format format)
{
    return format == BST_FORMAT_AVIF || format == BST_FORMAT_HEIF;
}

/* Is it one of C2PA's digest algorithms: "sha256", "sha384", "sha512"? */
bool bst_hash_known(const char *algorithm);
/* Digest of the file but for the ranges, with an algorithm of C2PA: "sha256", "sha384" or "sha512". *len is
 * 32, 48 or 64. */
enum bst_code bst_container_hash(const char *path, const struct bst_range *exclude, size_t count,
                                 const char *algorithm, uint8_t out[static 64], size_t *len,
                                 struct bst_error *err);
/* container_pieces.c: a digest over pieces of the file, of which some count with their place too. */
struct bst_piece {
    struct bst_range range;
    bool place; /* range.start as eight bytes, big-endian, comes first */
};
enum bst_code bst_container_hash_pieces(const char *path, const struct bst_piece *pieces, size_t count,
                                        const char *algorithm, uint8_t out[static 64], size_t *len,
                                        struct bst_error *err);
/* The digest of each range, one behind the other in out. */
enum bst_code bst_container_hash_each(const char *path, const struct bst_range *ranges, size_t count,
                                      const char *algorithm, uint8_t *out, struct bst_error *err);
/* Length of the digest; 0 for an unknown algorithm. */
size_t bst_hash_bytes(const char *algorithm, const void *data, size_t len, uint8_t out[static 64]);
/* One segment's data, refused above limit. */
enum bst_code bst_segment_read(const char *path, const struct bst_segment *segment, size_t limit,
                               struct bst_buf *out, struct bst_error *err);

#endif
