/* container.c - the segments of a picture file: what they are, where they lie, what they digest to. container_png.c,
 * container_jpeg.c, container_webp.c, container_tiff.c and container_bmff.c (AVIF, HEIF) walk the formats. Nothing here
 * loads a whole file. */
#include "container_bmff.h"
#include "container_webp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum bst_code bst_scan_read(struct scan *scan, void *data, size_t len, const char *part,
                            struct bst_error *err)
{
    size_t got = fread(data, 1, len, scan->file);
    scan->pos += got;
    if (got == len) return BST_OK;
    if (ferror(scan->file)) {
        bst_fail_errno(err, BST_FAILURE, "cannot read the file");
    } else {
        bst_fail(err, BST_UNREADABLE, "the file ends in the middle of %s", part);
        bst_hint(err, "the file was cut short; get a complete copy");
    }
    return bst_where(err, "%s: byte %" PRIu64, scan->name, scan->pos);
}

enum bst_code bst_scan_add(struct scan *scan, const char *type, uint64_t start, struct bst_segment **out,
                           struct bst_error *err)
{
    struct bst_container *container = scan->out;
    if (container->count == BST_SEGMENT_MAX) {
        bst_fail(err, BST_UNREADABLE, "the file has more than %u segments", BST_SEGMENT_MAX);
        return bst_where(err, "%s: byte %" PRIu64, scan->name, start);
    }
    if (container->count == scan->cap) {
        size_t cap = scan->cap == 0 ? 16 : scan->cap * 2;
        struct bst_segment *grown = realloc(container->segments, cap * sizeof(*grown));
        if (grown == NULL) return bst_fail_memory(err);
        container->segments = grown;
        scan->cap = cap;
    }
    struct bst_segment *segment = &container->segments[container->count++];
    memset(segment, 0, sizeof(*segment));
    memcpy(segment->type, type, strnlen(type, sizeof(segment->type) - 1));
    segment->whole.start = start;
    *out = segment;
    return BST_OK;
}

enum bst_code bst_scan_fail(struct scan *scan, const char *kind, const struct bst_segment *segment,
                            struct bst_error *err)
{
    size_t number = (size_t)(segment - scan->out->segments);
    return bst_where(err, "%s: %s %zu (%s) at byte %" PRIu64, scan->name, kind, number, segment->type,
                     segment->whole.start);
}

/* Opens a regular file for reading and tells its size. */
static enum bst_code open_file(const char *path, FILE **file, uint64_t *size, struct bst_error *err)
{
    struct stat status;
    /* Non-blocking: opening a pipe must not hang; for a regular file it changes nothing. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *file = fd < 0 ? NULL : fdopen(fd, "rb");
    if (*file == NULL) {
        bst_fail_errno(err, errno == ENOENT || errno == ENOTDIR ? BST_UNREADABLE : BST_FAILURE,
                       "cannot open the file");
        return bst_where(err, "%s", path);
    }
    if (fstat(fileno(*file), &status) != 0) {
        bst_fail_errno(err, BST_FAILURE, "cannot read the file");
    } else if (!S_ISREG(status.st_mode)) {
        bst_fail(err, BST_UNREADABLE, "not a regular file");
    } else {
        *size = (uint64_t)status.st_size;
        return BST_OK;
    }
    fclose(*file);
    *file = NULL;
    return bst_where(err, "%s", path);
}

/* AVIF and HEIF are told by the brands in their first box: the major one at byte 8, compatible ones from byte 16. */
static enum bst_format format_of_brands(const uint8_t *head, size_t len)
{
    static const char *const heif[] = {"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"};
    enum bst_format format = BST_FORMAT_UNKNOWN;
    size_t end = bst_get_be32(head) < len ? bst_get_be32(head) : len;
    for (size_t at = 8; at + 4 <= end; at += at == 8 ? 8 : 4) {
        if (memcmp(head + at, "avif", 4) == 0 || memcmp(head + at, "avis", 4) == 0) return BST_FORMAT_AVIF;
        for (size_t i = 0; i < sizeof(heif) / sizeof(heif[0]); i++) {
            if (memcmp(head + at, heif[i], 4) == 0) format = BST_FORMAT_HEIF;
        }
    }
    return format;
}

static enum bst_format format_of(const uint8_t *magic, size_t len)
{
    static const enum bst_format pictures[] = {[BST_PICTURE_OTHER] = BST_FORMAT_UNKNOWN,
                                               [BST_PICTURE_PNG] = BST_FORMAT_PNG,
                                               [BST_PICTURE_JPEG] = BST_FORMAT_JPEG,
                                               [BST_PICTURE_WEBP] = BST_FORMAT_WEBP};
    enum bst_format format = pictures[bst_picture_of(magic, len)];
    if (format != BST_FORMAT_UNKNOWN) return format;
    if (len >= 4 && (memcmp(magic, "II*\0", 4) == 0 || memcmp(magic, "MM\0*", 4) == 0 ||
                     memcmp(magic, "II+\0", 4) == 0 || memcmp(magic, "MM\0+", 4) == 0))
        return BST_FORMAT_TIFF;
    if (len >= 16 && memcmp(magic + 4, "ftyp", 4) == 0) return format_of_brands(magic, len);
    return BST_FORMAT_UNKNOWN;
}

const char *bst_format_name(enum bst_format format)
{
    static const char *const names[] = {
        [BST_FORMAT_UNKNOWN] = NULL, [BST_FORMAT_PNG] = "PNG",   [BST_FORMAT_JPEG] = "JPEG",
        [BST_FORMAT_WEBP] = "WebP",  [BST_FORMAT_TIFF] = "TIFF", [BST_FORMAT_AVIF] = "AVIF",
        [BST_FORMAT_HEIF] = "HEIF"};
    return names[format];
}

bool bst_format_has_pixels(enum bst_format format)
{
    return format == BST_FORMAT_PNG || format == BST_FORMAT_JPEG || format == BST_FORMAT_WEBP;
}

enum bst_code bst_container_scan(const char *path, struct bst_container *out, struct bst_error *err)
{
    uint8_t magic[256] = {0};
    static const struct {
        uint64_t start; /* of what the scanner reads */
        enum bst_code (*scan)(struct scan *scan, struct bst_error *err);
    } formats[] = {[BST_FORMAT_PNG] = {8, bst_scan_png},   [BST_FORMAT_JPEG] = {2, bst_scan_jpeg},
                   [BST_FORMAT_WEBP] = {0, bst_scan_webp}, [BST_FORMAT_TIFF] = {0, bst_scan_tiff},
                   [BST_FORMAT_AVIF] = {0, bst_scan_bmff}, [BST_FORMAT_HEIF] = {0, bst_scan_bmff}};
    struct scan scan = {.name = path, .out = out};
    memset(out, 0, sizeof(*out));
    enum bst_code code = open_file(path, &scan.file, &out->size, err);
    if (code != BST_OK) return code;

    size_t got = fread(magic, 1, sizeof(magic), scan.file);
    out->format = format_of(magic, got);
    if (out->format == BST_FORMAT_UNKNOWN) {
        bst_fail(err, BST_UNREADABLE,
                 got == 0 ? "the file is empty" : "neither a PNG, JPEG, WebP, TIFF, AVIF nor HEIF file");
        code = bst_where(err, "%s", path);
    } else {
        scan.pos = formats[out->format].start;
        code = fseeko(scan.file, (off_t)scan.pos, SEEK_SET) == 0
                   ? formats[out->format].scan(&scan, err)
                   : bst_fail_errno(err, BST_FAILURE, "cannot read the file");
    }
    fclose(scan.file);
    if (code != BST_OK) bst_container_clear(out);
    return code;
}

void bst_container_clear(struct bst_container *container)
{
    free(container->segments);
    memset(container, 0, sizeof(*container));
}

/* Reads range into memory appended to out. */
static enum bst_code read_range(FILE *file, const char *path, struct bst_range range, struct bst_buf *out,
                                struct bst_error *err)
{
    if (range.length == 0) return BST_OK;
    if (fseeko(file, (off_t)range.start, SEEK_SET) != 0) {
        bst_fail_errno(err, BST_FAILURE, "cannot read the file");
        return bst_where(err, "%s", path);
    }
    if (!bst_buf_reserve(out, (size_t)range.length)) return bst_fail_memory(err);
    size_t got = fread(out->data + out->len, 1, (size_t)range.length, file);
    out->len += got;
    if (got == range.length) return BST_OK;
    bst_fail(err, BST_UNREADABLE, "the file changed while it was read");
    return bst_where(err, "%s: byte %" PRIu64, path, range.start);
}

enum bst_code bst_segment_read(const char *path, const struct bst_segment *segment, size_t limit,
                               struct bst_buf *out, struct bst_error *err)
{
    FILE *file;
    uint64_t size;
    if (segment->data.length > limit) {
        bst_fail(err, BST_UNREADABLE, "%s of %" PRIu64 " bytes is larger than the limit of %zu",
                 segment->type, segment->data.length, limit);
        return bst_where(err, "%s: byte %" PRIu64, path, segment->whole.start);
    }
    enum bst_code code = open_file(path, &file, &size, err);
    if (code != BST_OK) return code;
    code = read_range(file, path, segment->data, out, err);
    fclose(file);
    return code;
}

/* JPEG: each APP11 segment's payload is 'JP' En Z and then a part of the box; from the second segment on the
 * box's LBox and TBox are repeated in front of the part (JUMBF, ISO 19566-5 D.2). */
static enum bst_code join_app11(FILE *file, const char *path, const struct bst_container *container,
                                struct bst_buf *out, struct bst_error *err)
{
    uint64_t end = container->manifest.start + container->manifest.length;
    uint8_t head[16];
    for (size_t i = 0; i < container->count; i++) {
        const struct bst_segment *segment = &container->segments[i];
        if (segment->whole.start < container->manifest.start || segment->whole.start >= end) continue;
        bool first = segment->whole.start == container->manifest.start;
        uint64_t skip = first ? 8 : 16;
        if (!first) { /* the scan checked that all 16 bytes are there */
            struct bst_buf repeat = {0};
            enum bst_code code =
                read_range(file, path, (struct bst_range){segment->data.start + 8, 8}, &repeat, err);
            if (code == BST_OK) memcpy(head + 8, repeat.data, 8);
            bst_buf_free(&repeat);
            if (code != BST_OK) return code;
            if (memcmp(head, head + 8, 8) != 0) {
                bst_fail(err, BST_BROKEN, "a continued APP11 segment repeats another box header");
                return bst_where(err, "%s: byte %" PRIu64, path, segment->whole.start);
            }
        }
        struct bst_range part = {segment->data.start + skip, segment->data.length - skip};
        enum bst_code code = read_range(file, path, part, out, err);
        if (code != BST_OK) return code;
        if (first) memcpy(head, out->data, 8);
    }
    return BST_OK;
}

enum bst_code bst_container_manifest(const char *path, const struct bst_container *container,
                                     struct bst_buf *out, struct bst_error *err)
{
    FILE *file;
    uint64_t size;
    memset(out, 0, sizeof(*out));
    if (!container->has_manifest) {
        bst_fail(err, BST_NO_PROVENANCE, "the file carries no C2PA manifest");
        return bst_where(err, "%s", path);
    }
    if (container->manifest.length > BST_MANIFEST_MAX) {
        bst_fail(err, BST_UNREADABLE,
                 "the C2PA manifest store of %" PRIu64 " bytes is larger than the limit of %u",
                 container->manifest.length, BST_MANIFEST_MAX);
        return bst_where(err, "%s: byte %" PRIu64, path, container->manifest.start);
    }
    if (bst_is_bmff(container->format)) {
        enum bst_code found = bst_bmff_manifest(path, container, out, err);
        if (found != BST_OK) bst_buf_free(out);
        return found;
    }
    enum bst_code code = open_file(path, &file, &size, err);
    if (code != BST_OK) return code;
    if (container->format == BST_FORMAT_JPEG) {
        code = join_app11(file, path, container, out, err);
    } else {
        uint64_t before = container->format == BST_FORMAT_TIFF ? 0 : 8;      /* a length and a type */
        uint64_t around = container->format == BST_FORMAT_PNG ? 12 : before; /* PNG: a checksum behind it */
        struct bst_range data = {container->manifest.start + before, container->manifest.length - around};
        code = read_range(file, path, data, out, err);
    }
    fclose(file);
    if (code != BST_OK) bst_buf_free(out);
    return code;
}

/* Feeds the bytes from pos to end to the digest. */
static enum bst_code digest_run(FILE *file, const char *path, uint64_t pos, uint64_t end, EVP_MD_CTX *digest,
                                struct bst_error *err)
{
    uint8_t block[65536];
    while (pos < end) {
        size_t want = end - pos < sizeof(block) ? (size_t)(end - pos) : sizeof(block);
        ssize_t got = pread(fileno(file), block, want, (off_t)pos);
        if (got < 0 && errno == EINTR) continue;
        if (got > 0) {
            EVP_DigestUpdate(digest, block, (size_t)got);
            pos += (uint64_t)got;
            continue;
        }
        if (got < 0) {
            bst_fail_errno(err, BST_FAILURE, "cannot read the file");
        } else {
            bst_fail(err, BST_UNREADABLE, "the file became shorter while it was read");
        }
        return bst_where(err, "%s", path);
    }
    return BST_OK;
}

static enum bst_code digest_ranges(FILE *file, const char *path, uint64_t pos,
                                   const struct bst_range *exclude, size_t count, uint64_t size,
                                   EVP_MD_CTX *digest, struct bst_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (exclude[i].start < pos || exclude[i].start > size ||
            exclude[i].length > size - exclude[i].start) {
            bst_fail(err, BST_BROKEN, "ranges to be left out of a digest overlap or lie outside the file");
            return bst_where(err, "%s: byte %" PRIu64, path, exclude[i].start);
        }
        enum bst_code code = digest_run(file, path, pos, exclude[i].start, digest, err);
        if (code != BST_OK) return code;
        pos = exclude[i].start + exclude[i].length;
    }
    return digest_run(file, path, pos, size, digest, err);
}

/* The digest of head_len bytes of head, which stand for as many of the file, and then of the file but for the ranges. */
static enum bst_code hash_file(const char *path, const uint8_t *head, size_t head_len,
                               const struct bst_range *exclude, size_t count, const EVP_MD *md,
                               uint8_t out[static 64], size_t *len, struct bst_error *err)
{
    FILE *file;
    uint64_t size;
    unsigned made = 0;
    enum bst_code code = open_file(path, &file, &size, err);
    if (code != BST_OK) return code;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (digest == NULL || EVP_DigestInit_ex(digest, md, NULL) != 1) {
        code = bst_fail_memory(err);
    } else {
        if (head_len > 0) EVP_DigestUpdate(digest, head, head_len);
        code = digest_ranges(file, path, head_len, exclude, count, size, digest, err);
    }
    if (code == BST_OK) {
        EVP_DigestFinal_ex(digest, out, &made);
        *len = made;
    }
    EVP_MD_CTX_free(digest);
    fclose(file);
    return code;
}

static const EVP_MD *find_digest(const char *algorithm)
{
    return strcmp(algorithm, "sha256") == 0   ? EVP_sha256()
           : strcmp(algorithm, "sha384") == 0 ? EVP_sha384()
           : strcmp(algorithm, "sha512") == 0 ? EVP_sha512()
                                              : NULL;
}

bool bst_hash_known(const char *algorithm)
{
    return find_digest(algorithm) != NULL;
}

enum bst_code bst_container_hash(const char *path, const struct bst_range *exclude, size_t count,
                                 const char *algorithm, uint8_t out[static 64], size_t *len,
                                 struct bst_error *err)
{
    const EVP_MD *md = find_digest(algorithm);
    if (md == NULL) return bst_fail(err, BST_UNREADABLE, "unknown digest algorithm");
    return hash_file(path, NULL, 0, exclude, count, md, out, len, err);
}

enum bst_code bst_container_digest_plain(const char *path, const struct bst_container *container,
                                         uint8_t out[static BST_SHA256_LEN], struct bst_error *err)
{
    uint8_t head[8], digest[64];
    size_t len, head_len = 0;
    struct bst_range manifest = container->manifest;
    if (container->format == BST_FORMAT_WEBP && container->has_manifest) {
        uint64_t end = container->trailing.start;
        if (manifest.length % 2 == 1 && manifest.start + manifest.length < end) manifest.length++;
        bst_webp_head(end - manifest.length, head);
        head_len = sizeof(head);
    }
    enum bst_code code =
        hash_file(path, head, head_len, &manifest, container->has_manifest, EVP_sha256(), digest, &len, err);
    if (code == BST_OK) memcpy(out, digest, BST_SHA256_LEN);
    return code;
}

enum bst_code bst_container_digest(const char *path, const struct bst_range *exclude, size_t count,
                                   uint8_t out[static BST_SHA256_LEN], struct bst_error *err)
{
    uint8_t digest[64];
    size_t len;
    enum bst_code code = bst_container_hash(path, exclude, count, "sha256", digest, &len, err);
    if (code == BST_OK) memcpy(out, digest, BST_SHA256_LEN);
    return code;
}
