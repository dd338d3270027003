/* verify.h - what the parts of bst_verify share. Private to audit/. */
#ifndef BST_AUDIT_VERIFY_H
#define BST_AUDIT_VERIFY_H

#include "audit.h"
#include "facts.h"

/* One file under judgement, and all that was found out about it. */
struct judge {
    const char *path;
    const struct bst_verify_options *options;
    struct bst_verdict *verdict;

    /* The verifier's, the same for all its files. */
    struct bst_identity identity; /* of options->home */
    bool has_identity;
    const struct bst_trust *trust;  /* the caller's, or own_trust, or NULL */
    struct bst_trust *own_trust;    /* in options->home alone */
    struct bst_ledger *ledger;      /* at hand, or NULL */
    bool ledger_asked_for;          /* the caller named it */
    struct bst_error ledger_closed; /* why home's ledger could not be opened */

    struct bst_container container;
    struct bst_image image; /* its size; its samples for a replay alone */
    bool has_pixels;        /* it was decoded: */
    uint8_t pixels_sha256[BST_SHA256_LEN];
    bool has_sha256; /* its bytes without the manifest were digested: */
    uint8_t sha256[BST_SHA256_LEN];
    struct bst_c2pa c2pa;
    struct bst_dsse dsse; /* the receipt's statement, once opened */
    bool has_statement;
    struct bst_proof proof;
    bool has_proof;
    json_t *opened; /* the statement with the words that the ledger keeps, or NULL */
    struct facts facts;
    json_t *metadata; /* of the file, once it was read */
};

/* Adds a check. */
void judge_say(struct judge *judge, const char *id, enum bst_result result, const char *format, ...)
    BST_PRINTF(4, 5);

/* verify.c: decodes the picture, once. BST_UNREADABLE when it cannot be. */
enum bst_code judge_pixels(struct judge *judge, struct bst_error *err);
/* Digests the bytes without the manifest, once. */
enum bst_code judge_bytes(struct judge *judge, struct bst_error *err);
/* credential.c: manifest, binding, signature, signer. BST_NO_PROVENANCE when the file has no manifest. */
enum bst_code judge_credential(struct judge *judge, struct bst_error *err);
/* The checks alone, from the statuses in judge->c2pa. */
void judge_statuses(struct judge *judge);
/* receipt.c: statement, digests, receipt, ledger; and for a file without manifest, whether the ledger knows
 * it. */
enum bst_code judge_receipt(struct judge *judge, struct bst_error *err);
enum bst_code judge_lost(struct judge *judge, struct bst_error *err);
/* label.c: China's label for AI content, when the metadata has one. */
enum bst_code judge_label(struct judge *judge, struct bst_error *err);
/* What it says, in words; new memory, or NULL. */
char *audit_label_words(const json_t *label);
/* standing.c: the author's key, the rights and a withdrawal, as the ledger at hand tells after that entry. */
enum bst_code judge_standing(struct judge *judge, uint64_t entry, struct bst_error *err);
/* replay.c */
enum bst_code judge_replay(struct judge *judge, struct bst_error *err);
/* Text of a stranger's file or certificate, which need not be UTF-8, as JSON; null for NULL. New reference.
 */
json_t *audit_text(const char *text);
/* verdict.c: the code and the sentence from the checks. */
void judge_conclude(struct judge *judge);

#endif
