/* signer.h - who signs the claims of a home. Private to provenance/. */
#ifndef BST_SIGNER_H
#define BST_SIGNER_H

#include "cose.h"

#define BST_AUTHOR_KEY      "keys/author.pem"
#define BST_CREDENTIAL_FILE "certs/claim.json"

/* A credential of the author's own, if one was taken in (credential.c). */
struct bst_credential {
    char *alg, *key, *chain; /* "es256"; path of the key in home; PEM, leaf first */
};
/* All NULL when the home has none. */
enum bst_code bst_credential_load(const char *home, struct bst_credential *out, struct bst_error *err);
void bst_credential_clear(struct bst_credential *credential);

/* The home's signer: its own credential, or the author's key under the local authority. author is the author's key,
 * unlocked, and must outlive it. Its certificate is checked: for this key, valid today, by C2PA's rules, and known to trust,
 * which is the home's in itself. */
enum bst_code bst_signer_open(const char *home, const char *passphrase, const struct bst_key *author,
                              const struct bst_trust *trust, struct bst_signer *out, bool *locked,
                              struct bst_error *err);
/* Asks the responder that the certificate names whether it was revoked, and keeps the answer for every signature.
 * BST_USAGE when it names none, BST_BROKEN when it was revoked. */
enum bst_code bst_signer_staple(const char *home, struct bst_signer *signer, struct bst_error *err);
void bst_signer_clear(struct bst_signer *signer);

#endif
