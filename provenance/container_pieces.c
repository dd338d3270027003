/* container_pieces.c - digests of parts of a file, where others are digests of all but some parts (container.c). */
#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK (256u << 10)

/* A file that is digested piece by piece. */
struct reading {
    const char *path;
    int fd;
    uint8_t *block;
    EVP_MD_CTX *digest;
};

static enum bst_code begin(struct reading *reading, const char *path, struct bst_error *err)
{
    *reading = (struct reading){.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (reading->fd < 0) {
        bst_fail_errno(err, BST_FAILURE, "cannot open the file");
        return bst_where(err, "%s", path);
    }
    reading->block = bst_calloc(BLOCK, 1);
    reading->digest = EVP_MD_CTX_new();
    return reading->block == NULL || reading->digest == NULL ? bst_fail_memory(err) : BST_OK;
}

static void end(struct reading *reading)
{
    if (reading->fd >= 0) close(reading->fd);
    free(reading->block);
    EVP_MD_CTX_free(reading->digest);
}

static enum bst_code add(struct reading *reading, struct bst_range range, struct bst_error *err)
{
    while (range.length > 0) {
        size_t want = range.length < BLOCK ? (size_t)range.length : BLOCK;
        ssize_t got = pread(reading->fd, reading->block, want, (off_t)range.start);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            if (got < 0) {
                bst_fail_errno(err, BST_FAILURE, "cannot read the file");
            } else {
                bst_fail(err, BST_UNREADABLE, "the file changed while it was read");
            }
            return bst_where(err, "%s: byte %" PRIu64, reading->path, range.start);
        }
        EVP_DigestUpdate(reading->digest, reading->block, (size_t)got);
        range.start += (uint64_t)got;
        range.length -= (uint64_t)got;
    }
    return BST_OK;
}

static const EVP_MD *find(const char *algorithm)
{
    return bst_hash_known(algorithm) ? EVP_get_digestbyname(algorithm) : NULL;
}

enum bst_code bst_container_hash_pieces(const char *path, const struct bst_piece *pieces, size_t count,
                                        const char *algorithm, uint8_t out[static 64], size_t *len,
                                        struct bst_error *err)
{
    struct reading reading;
    unsigned made = 0;
    const EVP_MD *md = find(algorithm);
    if (md == NULL) return bst_fail(err, BST_UNREADABLE, "unknown digest algorithm");
    enum bst_code code = begin(&reading, path, err);
    if (code == BST_OK && EVP_DigestInit_ex(reading.digest, md, NULL) != 1) code = bst_fail_memory(err);
    for (size_t i = 0; i < count && code == BST_OK; i++) {
        uint8_t place[8];
        bst_set_number(place, pieces[i].range.start, sizeof(place), true);
        if (pieces[i].place) EVP_DigestUpdate(reading.digest, place, sizeof(place));
        code = add(&reading, pieces[i].range, err);
    }
    if (code == BST_OK) EVP_DigestFinal_ex(reading.digest, out, &made);
    *len = made;
    end(&reading);
    return code;
}

enum bst_code bst_container_hash_each(const char *path, const struct bst_range *ranges, size_t count,
                                      const char *algorithm, uint8_t *out, struct bst_error *err)
{
    struct reading reading;
    const EVP_MD *md = find(algorithm);
    if (md == NULL) return bst_fail(err, BST_UNREADABLE, "unknown digest algorithm");
    size_t len = (size_t)EVP_MD_get_size(md);
    enum bst_code code = begin(&reading, path, err);
    for (size_t i = 0; i < count && code == BST_OK; i++) {
        if (EVP_DigestInit_ex(reading.digest, md, NULL) != 1) {
            code = bst_fail_memory(err);
        } else {
            code = add(&reading, ranges[i], err);
        }
        if (code == BST_OK) EVP_DigestFinal_ex(reading.digest, out + i * len, NULL);
    }
    end(&reading);
    return code;
}

size_t bst_hash_bytes(const char *algorithm, const void *data, size_t len, uint8_t out[static 64])
{
    unsigned made = 0;
    const EVP_MD *md = find(algorithm);
    return md != NULL && EVP_Digest(data, len, out, &made, md, NULL) == 1 ? made : 0;
}
