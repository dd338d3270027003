/* c2pa.h - what the writer and the reader of C2PA manifests share. Private to provenance/.
 *
 *   c2pa_write.c      a manifest for a picture of ours
 *   c2pa_read.c       walks a store and judges its active manifest; fills struct bst_c2pa
 *   c2pa_signature.c  the claim's signature and its signer
 *   c2pa_assertion.c  rules for single assertions: actions, data hash, receipt
 *   c2pa_trust.c      certificate profile, chain and validity
 *   c2pa_report.c     the manifest as JSON, for people
 */
#ifndef BST_C2PA_H
#define BST_C2PA_H

#include "cose.h"
#include "jumbf.h"
#include "provenance.h"

#define BST_RECEIPT_LABEL     "org.blindstamp.receipt"
#define BST_SOURCE_TYPES      "http://cv.iptc.org/newscodes/digitalsourcetype/"
#define BST_SOURCE_GENERATED  BST_SOURCE_TYPES "trainedAlgorithmicMedia"
#define BST_SOURCE_COMPOSITE  BST_SOURCE_TYPES "compositeWithTrainedAlgorithmicMedia"
#define BST_CLAIM_GENERATOR   "Blindstamp"
#define BST_C2PA_SPEC_VERSION "2.4.0"

/* ---- writing (c2pa_write.c) ---- */

struct bst_manifest {
    const struct bst_signer *signer;
    size_t signature_room; /* kept free in the signature for a time stamp and a revocation answer */
    const char *image_id;
    const char *title; /* NULL: not disclosed */
    const char *when;  /* RFC 3339 */
    const char *source_type;
    const char *model_name;      /* NULL: not disclosed, nor is the digest */
    const uint8_t *model_sha256; /* 32 bytes */
    const void *envelope, *proof;
    size_t envelope_len, proof_len;
    const char *log_vkey;
    uint8_t file_sha256[BST_SHA256_LEN]; /* of the file without the manifest's chunk */
    uint64_t chunk_start;                /* where the chunk will stand */
    size_t chunk_overhead;               /* what the container adds to the store: 12 bytes in a PNG */
};
/* The manifest store (JUMBF), appended to out. */
enum bst_code bst_c2pa_write(const struct bst_manifest *manifest, struct bst_buf *out, struct bst_error *err);

/* ---- reading ---- */

/* One reading in progress. */
struct bst_judge {
    struct bst_c2pa *out;
    const char *path;
    const struct bst_container *container;
    const struct bst_trust *trust;
    struct bst_jumbf store;
    const struct bst_jumbf_box *manifest; /* the active one */
    cbor_item_t *claim;
    const struct bst_jumbf_box *claim_box; /* content box: the signed bytes */
    bool claim_v1;
    char claim_alg[16]; /* digest algorithm of hashed URIs */
    bool failed_memory;
};

/* Adds a status; url may be NULL. */
void bst_judge_say(struct bst_judge *judge, enum bst_status_kind kind, const char *code, const char *url,
                   const char *words, ...) BST_PRINTF(5, 6);

void bst_judge_fail(struct bst_judge *judge, const char *code, const char *url, const char *words);
/* "self#jumbf=/c2pa/MANIFEST" and a tail such as "/c2pa.signature". */
void bst_judge_url(const struct bst_judge *judge, const char *tail, char out[static 192]);

/* c2pa_signature.c: statuses claimSignature.*; *cose is filled when the signature could be parsed. */
void bst_judge_signature(struct bst_judge *judge, struct bst_cose *cose);
/* c2pa_trust.c: statuses signingCredential.*; false when the certificate did not cover the time of signing (Unix
 * seconds), which is a trusted time stamp's, or today when nobody trusted says when that was. */
bool bst_judge_certificate(struct bst_judge *judge, const struct bst_cose *cose, int64_t when_s, bool stamped,
                           const char *url);

/* c2pa_assertion.c. content is the parsed CBOR of the assertion. */
void bst_judge_actions(struct bst_judge *judge, cbor_item_t *content, const char *url, bool first);
enum bst_code bst_judge_data_hash(struct bst_judge *judge, cbor_item_t *content, const char *url,
                                  struct bst_error *err);
void bst_judge_receipt(struct bst_judge *judge, cbor_item_t *content, const char *url);
void bst_judge_ingredient(struct bst_judge *judge, cbor_item_t *content, const char *url);
/* Digest of one superbox as hashed URIs want it (everything but its own LBox and TBox). false: unknown
 * algorithm. */
bool bst_jumbf_digest(const struct bst_jumbf *jumbf, const struct bst_jumbf_box *box, const char *algorithm,
                      uint8_t out[static 64], size_t *len);

/* c2pa_report.c: NULL when out of memory. */
json_t *bst_c2pa_report(const struct bst_judge *judge, const struct bst_cose *cose);

#endif
