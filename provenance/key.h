/* key.h - keys as the rest of provenance/ needs them. Private to provenance/. */
#ifndef BST_KEY_H
#define BST_KEY_H

#include "provenance.h"

struct evp_pkey_st;
/* The key pair for libcrypto (X.509); NULL when out of memory. Freed with EVP_PKEY_free, which wipes it. */
struct evp_pkey_st *bst_key_evp(const struct bst_key *key);

/* As bst_key_load, from a PEM text in memory. */
enum bst_code bst_key_from_pem(const void *pem, size_t len, const char *passphrase, struct bst_key **out,
                               bool *locked, struct bst_error *err);

/* bst_key_load of a file inside home, such as "keys/author.pem". */
enum bst_code bst_home_key(const char *home, const char *name, const char *passphrase, struct bst_key **out,
                           bool *locked, struct bst_error *err);

/* Keys of any of the seven algorithms, which libcrypto holds: as bst_key_save, bst_key_from_pem and bst_key_load. Freed
 * with EVP_PKEY_free. */
enum bst_code bst_evp_save(struct evp_pkey_st *key, const char *path, const char *passphrase, bool replace,
                           struct bst_error *err);
enum bst_code bst_evp_from_pem(const void *pem, size_t len, const char *passphrase, struct evp_pkey_st **out,
                               bool *locked, struct bst_error *err);
enum bst_code bst_evp_load(const char *path, const char *passphrase, struct evp_pkey_st **out, bool *locked,
                           struct bst_error *err);

#endif
