/* c2pa.h - what the writer and the reader of C2PA manifests share. Private to provenance/.
 *
 *   c2pa_write.c       a manifest for a picture; c2pa_made.c what it says of a picture of ours: model, prompt, seed,
 *                      input; c2pa_parent.c an earlier picture with its credentials
 *   c2pa_read.c        judges a file's manifest store; fills struct bst_c2pa
 *   c2pa_store.c       a store taken apart: manifests, claims, assertions
 *   c2pa_inflate.c     a compressed manifest
 *   c2pa_uri.c         labels and the addresses made of them
 *   c2pa_status.c      findings, and the state that follows from them
 *   c2pa_claim.c       one manifest: its claim, its assertions' digests, redactions, updates
 *   c2pa_signature.c   the claim's signature and its signer
 *   c2pa_attach.c      time stamps and revocation answers put into a manifest
 *   c2pa_trust.c       certificate profile, chain and validity; c2pa_time.c time stamps and revocation
 *   c2pa_actions.c, c2pa_ingredient.c, c2pa_hash.c (bindings to the file: c2pa_boxes.c, c2pa_bmff.c),
 *   c2pa_identity.c (cawg.identity),
 *   c2pa_assertion.c   rules for single assertions
 *   c2pa_report.c      the manifest as JSON, for people; c2pa_lineage.c what the picture was made from
 *   c2pa_export.c      all manifests as JSON, for other programs; c2pa_crjson.c, c2pa_c2patool.c their two forms
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

/* Words that a manifest shows, or keeps back. */
struct bst_word {
    const char *words; /* NULL: kept back, or there are none */
    char commitment
        [BST_SHA256_HEX]; /* of what is kept back, as the signed statement has it; "": there are none */
};

/* A picture that another one was made from. */
struct bst_parent {
    const char *relationship; /* "parentOf": it was opened; "inputTo": a model started from it */
    struct bst_word name;     /* of the file, as the ingredient's title */
    const char *media_type;   /* "image/webp"; NULL: not disclosed */
    const char *source_type;  /* IPTC DigitalSourceType as the author declares it; NULL: unknown */
    const uint8_t *sha256;    /* of the whole file; NULL: not told here */
    const char *
        problem; /* why the credentials that it came with could not be kept; NULL: they were, or there were none */
    /* The credentials that it came with: all manifest boxes of its store, byte for byte, and what they were found to be.
     * Empty and NULL when it had none. */
    struct bst_buf manifests;
    const struct bst_c2pa *c2pa;
    uint8_t manifest_sha256[BST_SHA256_LEN], signature_sha256[BST_SHA256_LEN]; /* of the active one's boxes */
    bool has_signature;       /* a compressed manifest hides it */
    struct bst_buf thumbnail; /* JPEG, or empty */
};
/* c2pa_parent.c: takes the boxes out of a store that was read; c2pa is borrowed. */
enum bst_code bst_parent_take(struct bst_parent *parent, const struct bst_c2pa *c2pa, struct bst_error *err);
void bst_parent_clear(struct bst_parent *parent); /* what it owns: manifests and thumbnail */

struct bst_manifest {
    const struct bst_signer *signer;
    const uint8_t *author_key; /* that signed the envelope: 32 bytes; NULL: the signer's */
    struct bst_error
        *unstamped; /* filled when signer->tsa failed: the manifest is whole, but for the time stamp */
    const char *image_id;
    const char *title; /* NULL: not disclosed */
    const char *when;  /* RFC 3339 */
    const char *source_type;
    bool no_train;
    const char *model_name;      /* NULL: not disclosed, nor is the digest */
    const uint8_t *model_sha256; /* 32 bytes */
    struct bst_word prompt, seed;
    const struct bst_parent *input;  /* that the model started from; NULL: none */
    const struct bst_buf *thumbnail; /* of the picture, JPEG; NULL or empty: none */
    const void *envelope, *proof;
    size_t envelope_len, proof_len;
    const char *log_vkey;
    uint8_t file_sha256[BST_SHA256_LEN]; /* of the file without the manifest's chunk */
    uint64_t chunk_start;                /* where the chunk will stand */
    size_t chunk_overhead;               /* what the container adds to the store: 12 bytes in a PNG */
    /* Of a picture made elsewhere; NULL: the picture is ours. */
    const struct bst_opened *opened;
};

/* A picture made elsewhere that a manifest is made for: the manifest says that it was opened, not that it was made. */
struct bst_opened {
    struct bst_parent parent; /* the picture as it was found */
    bool generated;           /* the author declares that a model made it, or a part of it */
    bool edited;              /* its own metadata was changed */
    /* Its binding to the finished file. */
    enum bst_format format;
    bool detached; /* the store becomes a file of its own: nothing is left out */
    /* The digest of the finished file but for a store of that length; NULL: file_sha256, whatever the length. */
    enum bst_code (*digest)(void *arg, size_t store_len, uint8_t out[static BST_SHA256_LEN],
                            struct bst_error *err);
    void *digest_arg;
};

/* The assertions of a manifest written so far, with what hashed URIs to them must hold. */
#define BST_WRITTEN_MAX 16
struct bst_written {
    size_t count;
    char labels[BST_WRITTEN_MAX][40]; /* with "__1" behind the second of a kind */
    uint8_t digests[BST_WRITTEN_MAX][BST_SHA256_LEN];
    bool ingredient[BST_WRITTEN_MAX]; /* the action refers to it */
};
/* Both append an assertion to the store and return its number; when out failed, nothing is written. */
size_t bst_written_cbor(struct bst_written *all, const char *label, const struct bst_buf *content,
                        struct bst_buf *out);
size_t bst_written_file(struct bst_written *all, const char *label, const char *media_type, const void *data,
                        size_t len, struct bst_buf *out);
/* A hashed URI: address, and SHA-256 of what stands there; and one of an assertion in the same manifest. */
void bst_c2pa_link(struct bst_buf *out, const char *url, const uint8_t sha256[static BST_SHA256_LEN]);
void bst_written_link(const struct bst_written *all, size_t i, struct bst_buf *out);
/* c2pa_made.c: what a picture of ours was made from, as ingredient assertions with what they refer to. */
void bst_made_ingredients(const struct bst_manifest *manifest, struct bst_written *all, struct bst_buf *out);
/* c2pa_parent.c: the ingredient assertion (v3), and its thumbnail. */
void bst_parent_ingredient(const struct bst_parent *parent, struct bst_written *all, struct bst_buf *out);
#define BST_INGREDIENT_LABEL "c2pa.ingredient.v3"
/* "nih:sha-256;" and 64 digits (RFC 6920, 7): the name of what has that digest, as an identifier. */
#define BST_HASH_NAME_LEN (sizeof("nih:sha-256;") + BST_SHA256_HEX)
void bst_hash_name(const uint8_t sha256[static BST_SHA256_LEN], char out[static BST_HASH_NAME_LEN]);
/* Of what is kept back: instanceID, and a description of what stands there. */
void bst_word_commitment(const struct bst_word *word, struct bst_buf *out);
/* The manifest store (JUMBF), appended to out. */
enum bst_code bst_c2pa_write(const struct bst_manifest *manifest, struct bst_buf *out, struct bst_error *err);

/* c2pa_attach.c. What a time stamp of the active manifest's signature is over; appended to data. */
enum bst_code bst_c2pa_stamped(const uint8_t *store, size_t len, struct bst_buf *data, struct bst_error *err);
/* Puts a token or a revocation answer into the active manifest's signature; BST_USAGE when no room was kept. */
enum bst_code bst_c2pa_attach(uint8_t *store, size_t len, const struct bst_attachment *attachment,
                              struct bst_error *err);
/* The same with what the signer has at hand and asks its time stamp authority for. */
enum bst_code bst_c2pa_witness(uint8_t *store, size_t len, const struct bst_signer *signer,
                               struct bst_error *err);

/* ---- reading ---- */

#define BST_URL     256 /* an address longer than this is cut */
#define BST_ALG_LEN 16  /* for "sha256" and the like */

/* What a store may ask of the reader, whatever its size: a hostile file is told apart within a second. */
#define BST_CLAIM_MAX    (1u << 20) /* bytes of a claim */
#define BST_LISTED_MAX   1000       /* assertions that a claim lists */
#define BST_GENERATIONS  200        /* ingredients of ingredients */
#define BST_JUDGED_MAX   512        /* ingredients judged in all */
#define BST_STORE_ITEMS  (1u << 17) /* CBOR items held at once; judged twice as many */
#define BST_REDACTED_MAX 256
#define BST_INFLATED_MAX (16u << 20) /* bytes that compressed manifests become */

/* A digest is taken once, however often the box is referred to. */
struct bst_digest {
    bool made;
    uint8_t bytes[64];
    size_t len;
};

enum bst_list { BST_UNLISTED, BST_CREATED, BST_GATHERED }; /* claims of version 1 list all as created */

struct bst_assertion {
    const struct bst_jumbf_box *box; /* the superbox */
    const char *label;
    size_t root_len;            /* of the label without ".v3" and "__2" */
    unsigned version, instance; /* 1 and 0 when the label names none */
    enum bst_list list;
    cbor_item_t *content; /* CBOR; NULL when it is of another kind, malformed, or of no meaning here */
    const uint8_t *data;  /* of the only content box, behind a UUID or file description */
    size_t data_len;
    struct bst_digest digest[3]; /* SHA-256, SHA-384, SHA-512 */
};

/* One manifest of a store. */
struct bst_claim {
    const struct bst_jumbf *jumbf;             /* where the boxes below lie: the store, or own */
    const struct bst_jumbf_box *box;           /* the manifest */
    const struct bst_jumbf_box *body;          /* content of the claim's box: the signed bytes */
    const struct bst_jumbf_box *signature_box; /* its superbox, and the content */
    const struct bst_jumbf_box *signature;
    const char *label; /* box->label */
    unsigned version;  /* 1 or 2 */
    bool update;
    cbor_item_t *item;     /* the claim */
    char alg[BST_ALG_LEN]; /* digest algorithm of hashed addresses */
    size_t count;
    struct bst_assertion *assertions;
    size_t items; /* of CBOR, in claim and assertions */
    struct bst_digest digest[3], signature_digest[3];
    /* of one that was compressed */
    struct bst_buf inflated;
    struct bst_jumbf own;
    /* while ingredients are walked */
    bool seen, walking, visited;
    bool
        says_valid; /* an ingredient assertion says that its signature was inside its certificate's validity */
    bool above;     /* see bst_mark_above() */
};

/* An ingredient assertion leads from one to the other. */
struct bst_edge {
    struct bst_claim *from, *to;
};

/* An assertion that a claim says was removed; claim is NULL when its manifest is not in the store. Texts are not
 * terminated. */
struct bst_redaction {
    const char *uri, *label;
    size_t len, label_len;
    struct bst_claim *claim;
    const struct bst_claim *by;
    bool counts; /* by leads to claim: nobody else may take something out of it (15.11.3.3.1) */
};

/* One reading in progress. */
struct bst_judge {
    struct bst_c2pa *out;
    const char *path;
    const struct bst_container *container;
    bool detached; /* the store did not come out of this file */
    const struct bst_trust *trust;
    struct bst_jumbf store;
    size_t count;
    struct bst_claim *claims; /* in the order of the store; the last is the active one */
    struct bst_claim *active;
    struct bst_claim *claim; /* under judgement */
    char scope[BST_URL]; /* address of the ingredient assertion under judgement; "" for the active manifest */
    size_t items;        /* CBOR items held */
    size_t judged, judged_items, identities;
    size_t redaction_count;
    struct bst_redaction *redactions; /* of all claims that the active one leads to */
    size_t edge_count, edge_room;
    struct bst_edge *edges; /* between them; those from a claim stand before those that lead to it */
    size_t later;           /* time stamps and revocation answers of later manifests that were looked at */
    bool identity; /* what is judged is the signature of a cawg.identity assertion: it has codes of its own */
    bool failed_memory;
};

/* c2pa_read.c: bst_c2pa_read() for a store that is not in the file, such as one that is about to be written beside it. */
enum bst_code bst_c2pa_read_detached(const char *path, const struct bst_container *container,
                                     const void *store, size_t len, const struct bst_trust *trust,
                                     struct bst_c2pa *out, struct bst_error *err);

/* ---- c2pa_status.c ---- */

/* Adds a status; url may be NULL. */
void bst_judge_say(struct bst_judge *judge, enum bst_status_kind kind, const char *code, const char *url,
                   const char *words, ...) BST_PRINTF(5, 6);
void bst_judge_fail(struct bst_judge *judge, const char *code, const char *url, const char *words);
void bst_judge_good(struct bst_judge *judge, const char *code, const char *url, const char *words);
/* Of a code that an ingredient assertion records. */
enum bst_status_kind bst_status_kind_of(const char *code);
/* What codes say of a signer's certificate, whoever found them. */
struct bst_vouched {
    bool trusted, untrusted, expired, revoked, unfit;
};
void bst_vouched_take(struct bst_vouched *out, const char *code);
enum bst_signer_trust bst_vouched_trust(const struct bst_vouched *vouched);
/* Takes out what the ingredient assertions already say of their manifests. */
void bst_judge_suppress(struct bst_judge *judge);
void bst_judge_conclude(struct bst_judge *judge);

/* ---- c2pa_uri.c ---- */

/* "self#jumbf=/c2pa/MANIFEST" of the claim under judgement, and a tail such as "/c2pa.signature". */
void bst_judge_url(const struct bst_judge *judge, const char *tail, char out[static BST_URL]);
void bst_claim_url(const struct bst_claim *claim, const char *tail, char out[static BST_URL]);
void bst_assertion_url(const struct bst_claim *claim, const struct bst_assertion *assertion,
                       char out[static BST_URL]);
/* An address as it stands, and made absolute in a manifest. */
void bst_url_text(const char *uri, size_t len, char out[static BST_URL]);
void bst_url_absolute(const char *manifest, const char *uri, size_t len, char out[static BST_URL]);
/* Parts of an address, borrowed from it. False when it has none such: a relative one names no manifest. */
bool bst_uri_manifest(const char *uri, size_t len, const char **label, size_t *label_len);
bool bst_uri_assertion(const char *uri, size_t len, const char **label, size_t *label_len);
void bst_uri_last(const char *uri, size_t len, const char **label, size_t *label_len);
/* Fills root_len, version and instance from the label. */
void bst_label_parse(const char *label, struct bst_assertion *out);
bool bst_root_is(const struct bst_assertion *assertion, const char *root);
bool bst_is_hard_binding(const char *label);
bool bst_manifest_label_fits(const char *label);

/* ---- c2pa_store.c ---- */

/* Takes the parsed store apart. What is wrong with a manifest becomes a status; BST_BROKEN when there is none at
 * all. */
enum bst_code bst_store_open(struct bst_judge *judge, struct bst_error *err);
void bst_store_close(struct bst_judge *judge);
struct bst_claim *bst_store_claim(const struct bst_judge *judge, const char *label, size_t len);
struct bst_claim *bst_store_claim_at(const struct bst_judge *judge, const char *uri, size_t len);
struct bst_assertion *bst_claim_assertion(const struct bst_claim *claim, const char *label, size_t len);
/* Is the content nothing but zeros, or nothing? */
bool bst_assertion_is_empty(const struct bst_assertion *assertion);
/* Digest of a superbox as hashed URIs want it (everything but its own LBox and TBox), cached in the three.
 * NULL: unknown algorithm. */
const struct bst_digest *bst_box_digest(const struct bst_jumbf *jumbf, const struct bst_jumbf_box *box,
                                        const char *algorithm, struct bst_digest cache[static 3]);
/* c2pa_inflate.c: the manifest in a brob box, at most limit bytes. NULL, or the reason why it cannot be had. */
const char *bst_claim_inflate(const struct bst_jumbf *store, const struct bst_jumbf_box *brob, size_t limit,
                              struct bst_claim *out);

/* A hashed URI: false when address or digest are missing. alg is the fallback if it names none. */
struct bst_hashed_uri {
    const char *uri;
    size_t uri_len;
    const uint8_t *hash;
    size_t hash_len;
    char alg[BST_ALG_LEN];
};
/* The name of a digest algorithm, "" when it is longer than that of any, or the fallback when there is none. False, with
 * the fallback, when the item is no text. */
bool bst_named_alg(cbor_item_t *item, const char *fallback, char out[static BST_ALG_LEN]);
bool bst_hashed_uri(cbor_item_t *map, const char *alg, struct bst_hashed_uri *out);
bool bst_digest_is(const struct bst_digest *digest, const struct bst_hashed_uri *want);

/* ---- the rules ---- */

/* c2pa_claim.c: everything about judge->claim but its binding to the file and its ingredients. */
void bst_judge_claim(struct bst_judge *judge);
/* An icon that is named must be there, and be the one. NULL and texts, which name it elsewhere, pass. */
void bst_judge_icon(struct bst_judge *judge, cbor_item_t *icon);
/* c2pa_signature.c: statuses claimSignature.*. The signer is taken down when it is the active manifest's. */
void bst_judge_signature(struct bst_judge *judge);
/* "Common Name (Organisation)", printable, or one of them when the other says the same or nothing. NULL: out of memory. */
char *bst_signer_name(X509 *leaf);
/* c2pa_trust.c: statuses signingCredential.*; false when the certificate did not cover the time of signing (Unix
 * seconds), which is a trusted time stamp's, or today when nobody trusted says when that was. */
bool bst_judge_certificate(struct bst_judge *judge, const struct bst_cose *cose, int64_t when_s, bool stamped,
                           const char *url);
/* c2pa_time.c: statuses timeStamp.*; true when a trusted time stamp says when the signature was made, at *when_s (Unix
 * seconds). */
bool bst_judge_time(struct bst_judge *judge, const struct bst_cose *cose, const char *url, int64_t *when_s);
/* c2pa_time.c: statuses signingCredential.ocsp.*. */
void bst_judge_revocation(struct bst_judge *judge, const struct bst_cose *cose, int64_t when_s, bool stamped,
                          const char *url);
void bst_judge_actions(struct bst_judge *judge);
void bst_judge_assertions(struct bst_judge *judge); /* c2pa_assertion.c: the other kinds */
void bst_judge_receipt(struct bst_judge *judge);
void bst_judge_identities(struct bst_judge *judge); /* of judge->claim */
/* c2pa_ingredient.c: the graph is walked first, for redactions and loops; false when it has no end. */
bool bst_judge_graph(struct bst_judge *judge);
/* Marks the claim and all that lead to it as above; the graph must have been walked. */
void bst_mark_above(struct bst_judge *judge, struct bst_claim *claim);
void bst_judge_ingredients(struct bst_judge *judge);
enum bst_relation { BST_NO_RELATION, BST_PARENT_OF, BST_COMPONENT_OF, BST_INPUT_TO };
struct bst_ingredient {
    enum bst_relation relation;
    cbor_item_t *link, *signature, *results, *source_type;
    struct bst_hashed_uri manifest; /* when link is there */
};
/* NULL, or what is wrong with it. */
const char *bst_ingredient_read(const struct bst_claim *claim, const struct bst_assertion *assertion,
                                struct bst_ingredient *out);
bool bst_is_ingredient(const struct bst_assertion *assertion);
/* c2pa_hash.c: the binding to the file of the active manifest, or of what it updates. */
enum bst_code bst_judge_binding(struct bst_judge *judge, struct bst_error *err);
/* c2pa_boxes.c: c2pa.hash.boxes */
enum bst_code bst_judge_boxes(struct bst_judge *judge, const struct bst_claim *claim,
                              const struct bst_assertion *assertion, const char *url, struct bst_error *err);
/* c2pa_bmff.c: c2pa.hash.bmff */
enum bst_code bst_judge_bmff(struct bst_judge *judge, const struct bst_claim *claim,
                             const struct bst_assertion *assertion, const char *url, struct bst_error *err);

/* ---- exporting (c2pa_export.c) ---- */

/* A store read again, and what was found about it. */
struct bst_export {
    const struct bst_c2pa *c2pa;
    const struct bst_judge *judge;
    bool quoted;  /* bytes as b64'...' */
    size_t items; /* of CBOR, shown so far */
};
/* Each returns a new reference; NULL only when out of memory. */
json_t *bst_export_cbor(const struct bst_export *export, cbor_item_t *item);
json_t *bst_export_bytes(const struct bst_export *export, const void *data, size_t len);
/* An assertion's content, when it is CBOR or JSON and not too much; else NULL. */
json_t *bst_export_assertion(struct bst_export *export, const struct bst_assertion *assertion);
/* {"format", "identifier"} of an embedded file. */
json_t *bst_export_file(const struct bst_claim *claim, const struct bst_assertion *assertion);
/* {"success": [], "informational": [], "failure": []}: of one ingredient assertion, or with "" of the active
 * manifest. */
json_t *bst_export_statuses(const struct bst_export *export, const char *ingredient);
/* [{"ingredientAssertionURI", "validationDeltas"}] of the ingredient assertions in one manifest, or with NULL in
 * all; NULL also when there are none. */
json_t *bst_export_deltas(const struct bst_export *export, const char *manifest);
/* False when the signature cannot be read, or has no certificate. */
bool bst_export_signature(const struct bst_claim *claim, struct bst_cose *out);
/* The same of a cawg.identity assertion; also false when it is none. */
bool bst_export_identity(const struct bst_assertion *assertion, struct bst_cose *out);
/* c2pa_time.c: the certificate in the signature's time stamp (released by X509_free(), or NULL), and when it says that
 * the signature existed, or 0 when it does not hold. False when there is neither. */
bool bst_export_stamp(const struct bst_claim *claim, const struct bst_cose *cose, int64_t *when_s,
                      X509 **authority);
json_t *bst_export_time(const ASN1_TIME *time);
json_t *bst_export_seconds(int64_t when_s);
json_t *bst_report_json(const struct bst_export *export);                                /* c2pa_report.c */
json_t *bst_crjson_manifest(struct bst_export *export, const struct bst_claim *claim);   /* c2pa_crjson.c */
json_t *bst_c2patool_manifest(struct bst_export *export, const struct bst_claim *claim); /* c2pa_c2patool.c */

#endif
