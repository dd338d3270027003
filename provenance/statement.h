/* statement.h - parts of statements that their readers share. Private to provenance/. */
#ifndef BST_STATEMENT_H
#define BST_STATEMENT_H

#include <jansson.h>

#include "provenance.h"

#define BST_STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define BST_BUILD_GENERATE "urn:blindstamp:build:generate:v1"
#define BST_BUILD_TRAIN    "urn:blindstamp:build:train:v1"
#define BST_IDENTITY_TYPE  "urn:blindstamp:identity:v1"
#define BST_MODEL_TYPE     "urn:blindstamp:model:v1"
#define BST_ADOPTION_TYPE  "urn:blindstamp:adoption:v1"
/* What persons do with pictures ... */
#define BST_DECISION_TYPE   "urn:blindstamp:decision:v1"
#define BST_WITHDRAWAL_TYPE "urn:blindstamp:withdrawal:v1"
#define BST_TRANSFER_TYPE   "urn:blindstamp:transfer:v1"
/* ... and with keys and words. */
#define BST_ROTATION_TYPE   "urn:blindstamp:rotation:v1"
#define BST_REVOCATION_TYPE "urn:blindstamp:revocation:v1"
#define BST_ADMISSION_TYPE  "urn:blindstamp:admission:v1"
#define BST_ERASURE_TYPE    "urn:blindstamp:erasure:v1"
#define BST_RECOVERY_TYPE   "urn:blindstamp:recovery:v1"

/* A kind of statement: its name in the ledger's index, how to tell it, and where it says who, when and with which
 * version of the program. */
struct bst_kind {
    const char *name;
    const char *predicate_type, *build_type; /* build_type NULL: predicates of one kind only */
    const char *author, *time, *version;     /* paths for bst_json_at */
};
/* Never NULL: what is of no kind known here is "other". */
const struct bst_kind *bst_statement_kind(const json_t *statement);

/* {"sha256": HEX}, and "pixels-sha256" unless pixels is NULL. */
json_t *statement_digest(const uint8_t sha256[static BST_SHA256_LEN], const uint8_t *pixels);

/* Writes the statement's canonical bytes behind payload and takes its reference; NULL is "out of memory". */
enum bst_code statement_finish(json_t *statement, struct bst_buf *payload, struct bst_error *err);
/* The same for a statement of a kind of ours about one subject. Takes subject and predicate; author, version and, under
 * when_name, the time are added. */
enum bst_code statement_act(const char *type, json_t *subject, const struct bst_identity *author,
                            const char *when_name, int64_t when_ms, json_t *predicate,
                            struct bst_buf *payload, struct bst_error *err);
/* json_pack tells nothing but "no" of a text that is not UTF-8: BST_USAGE that names it. NULL is good. */
enum bst_code statement_text(const char *what, const char *text, struct bst_error *err);
/* What a statement is being written with: the privacy asked for and the secrets that collect. */
struct statement_draft {
    enum bst_privacy privacy;
    struct bst_secrets *secrets;
    struct bst_error *err;
};
/* "public" ... */
const char *statement_privacy(enum bst_privacy privacy);
/* Words put into an object: openly, or from that privacy on as a commitment. Missing and empty ones leave no trace. */
enum bst_code statement_words(struct statement_draft *draft, json_t *into, const char *name,
                              const char *words, enum bst_privacy least);
/* The author's name, which is the author's word, and the key id, which the signature proves. */
json_t *statement_author(const struct bst_identity *author);

/* As bst_statement_identity, at a given time; and of a key that replaces the one with this key id. */
enum bst_code bst_statement_identity_after(const struct bst_identity *identity, const char *replaces,
                                           int64_t issued_ms, struct bst_buf *payload, struct bst_error *err);
enum bst_code bst_statement_identity_at(const struct bst_identity *identity, int64_t issued_ms,
                                        struct bst_buf *payload, struct bst_error *err);

/* {"author":{..},"key":{..},"log":{..}}: the predicate of an identity statement but for its time, and the
 * content of identity.json. A new reference. */
enum bst_code bst_identity_json(const struct bst_identity *identity, json_t **out, struct bst_error *err);
/* The way back, with key id and keys checked against each other. */
enum bst_code bst_identity_from_json(const json_t *json, struct bst_identity *out, struct bst_error *err);

/* Is this name, address and URL fit for statements and certificates? BST_USAGE with the reason if not. */
enum bst_code bst_identity_check(const char *name, const char *email, const char *url, struct bst_error *err);

/* The commitment that a statement holds in place of words of that name, as hexadecimal, or NULL. Borrowed. */
const char *bst_statement_commitment(const json_t *statement, const char *name);

#endif
