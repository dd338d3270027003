/* cert.h - the local certificate authority. Private to provenance/. */
#ifndef BST_CERT_H
#define BST_CERT_H

#include "provenance.h"

/* A root for ca_key, and under it a certificate for author_key, both valid from now (Unix milliseconds). PEM
 * texts in new memory. */
enum bst_code bst_cert_make(const struct bst_identity *author, const struct bst_key *ca_key,
                            const struct bst_key *author_key, int64_t now_ms, char **root_pem,
                            char **leaf_pem, struct bst_error *err);

#endif
