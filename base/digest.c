/* digest.c - SHA-256 by libcrypto, which uses the processor's SHA instructions. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"

struct bst_sha256_state {
    EVP_MD_CTX *context;
};

/* A digest that cannot be computed must never pass for one that was; libcrypto fails here only without memory
 * or without its default provider, after which nothing in this program can be trusted. */
static void must(int ok)
{
    if (ok != 1) abort();
}

void bst_sha256(const void *data, size_t len, uint8_t out[static BST_SHA256_LEN])
{
    must(EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL));
}

struct bst_sha256_state *bst_sha256_new(void)
{
    struct bst_sha256_state *state = bst_calloc(1, sizeof *state);
    if (!state) return NULL;
    state->context = EVP_MD_CTX_new();
    if (!state->context || EVP_DigestInit_ex(state->context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(state->context);
        free(state);
        return NULL;
    }
    return state;
}

void bst_sha256_update(struct bst_sha256_state *state, const void *data, size_t len)
{
    must(EVP_DigestUpdate(state->context, data, len));
}

void bst_sha256_final(struct bst_sha256_state *state, uint8_t out[static BST_SHA256_LEN])
{
    must(EVP_DigestFinal_ex(state->context, out, NULL));
    EVP_MD_CTX_free(state->context);
    free(state);
}

enum bst_code bst_sha256_file(const char *path, uint8_t out[static BST_SHA256_LEN], struct bst_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return bst_fail_errno(err, BST_UNREADABLE, "cannot open %s", path);
    struct bst_sha256_state *state = bst_sha256_new();
    size_t room = 1u << 18;
    uint8_t *block = malloc(room);
    enum bst_code code = state && block ? BST_OK : bst_fail_memory(err);
    while (code == BST_OK) {
        ssize_t got = read(fd, block, room);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) code = bst_fail_errno(err, BST_UNREADABLE, "cannot read %s", path);
        if (got <= 0) break;
        bst_sha256_update(state, block, (size_t)got);
    }
    close(fd);
    free(block);
    uint8_t digest[BST_SHA256_LEN];
    if (state) bst_sha256_final(state, digest);
    if (code == BST_OK) memcpy(out, digest, sizeof digest);
    return code;
}
