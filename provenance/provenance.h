/* provenance.h - saying and signing what happened: keys, statements, the ledger, and the credentials in a file.
 * Public face of provenance/; installed as <blindstamp/provenance.h>. Knows nothing of how pixels were made.
 *
 * Map of the folder:
 *   home.c               where keys, certificates, ledger and models live; folder.c makes folders whole or not at all
 *   home_rotate.c        a new key for the author
 *   key.c                Ed25519 keys: PKCS#8 PEM at rest, sodium_malloc when unlocked
 *   cert.c               the local certificate authority and the author's certificate; cert_describe.c in words
 *   signer.c             who signs claims; credential.c a certificate of the author's own
 *   identity.c           who the author is
 *   statement.c          in-toto statements and their canonical bytes; statement_model.c those of models,
 *                        statement_adoption.c those of pictures made elsewhere, statement_act.c of what people do with
 *                        pictures, statement_key.c of keys and erased words; statement_kind.c tells kinds apart
 *   picture.c            the digests by which statements name a picture
 *   dsse.c               envelopes
 *   merkle.c             RFC 6962 trees and proofs
 *   note.c               signed notes, checkpoints and witnesses' cosignatures; policy.c which of them an auditor asks for
 *   proof.c              tlog-proof files
 *   ledger_db.c          the ledger's SQLite file: settings, version, locking
 *   ledger.c             reading and proving; ledger_append.c adding; ledger_export.c plain files
 *   tiles.c              trees in tiles, as web servers serve them; ledger_tiles.c writes a ledger so
 *   ledger_head.c        the last checkpoint, kept apart so that an old copy is noticed, and the writers' lock on it
 *   ledger_recover.c     going on after a loss, as a log of another name
 *   ledger_index.c       the tables derived from entries; ledger_rebuild.c makes them again, for an older version too
 *   ledger_record.c      what an entry says, as a row of them; ledger_relation.c the digests it names
 *   ledger_check.c       recomputes everything; ledger_check_index.c compares the index with an entry,
 *                        ledger_check_tables.c tables as a whole; ledger_check_quick.c looks for accidents only
 *   ledger_backup.c      a copy while others write; ledger_erase.c private words erased for good
 *   ledger_keys.c        which keys may sign in a ledger, and until when; ledger_rights.c who holds a picture's rights
 *   container.c          segments of a file; container_png.c, container_jpeg.c, container_webp.c, container_tiff.c,
 *                        container_bmff.c (AVIF, HEIF); container_pieces.c digests parts; png_edit.c makes chunks
 *   container_edit.c     a manifest put in or taken out while a file is copied
 *   metadata.c           what a file says about itself; exif.c, xmp.c and png_text.c read and write it;
 *                        metadata_origin.c what that means; metadata_edit.c changes it, with xmp_edit.c and exif_edit.c
 *   aigc.c               China's label for AI content
 *   trust.c              whose certificates are believed, trust_store.c what a home keeps of them; cert_profile.c what a certificate must be like
 *   jumbf.c, cbor.c, cose.c   the layers of a C2PA manifest; cose_header.c what a signature carries unsigned
 *   c2pa_write.c         manifests made
 *   c2pa_read.c          manifests judged; c2pa.h lists its parts: c2pa_store.c takes a store apart, c2pa_claim.c and
 *                        its neighbours hold the rules, c2pa_trust.c those for certificates, c2pa_report.c shows
 *   timestamp.c          time stamps asked for and judged, timestamp_file.c put into finished files; ocsp.c revocation
 *   http.c               the network, only when asked for; http_helper.c from a process of its own
 *   stamp_adopt.c        pictures made elsewhere -> the same
 *   stamp_admit.c        other authors in this ledger
 *   stamp.c              pictures -> stamped files and one ledger batch; stamp_words.c which words a file may show,
 *                        stamp_file.c how it gets its name, stamp_input.c the picture that a model started from
 */
#ifndef BST_PROVENANCE_H
#define BST_PROVENANCE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_KEY_LEN 32
#define BST_SIG_LEN 64

/* ================= keys and identity ================= */

/* ---- home (home.c): one folder, 0700 ----
 *   keys/author.pem keys/log.pem keys/ca.pem keys/claim-*.pem    PKCS#8, 0600
 *   certs/author.pem (leaf, then root)  certs/root.pem  certs/claim.json
 *   identity.json   ledger.sqlite   models/   trust/
 */
/* --home (may be NULL), else BLINDSTAMP_HOME, else XDG_DATA_HOME/blindstamp, else ~/.local/share/blindstamp. */
enum bst_code bst_home_find(const char *override, char **out, struct bst_error *err);

struct bst_key; /* an unlocked Ed25519 key pair; the secret half lives in sodium_malloc memory */
enum bst_code bst_key_new(struct bst_key **out, struct bst_error *err);
/* From a 32-byte seed: for test vectors. */
enum bst_code bst_key_from_seed(const uint8_t seed[static 32], struct bst_key **out, struct bst_error *err);
void bst_key_free(struct bst_key *key);
const uint8_t *bst_key_public(const struct bst_key *key); /* 32 bytes */
void bst_key_sign(const struct bst_key *key, const void *message, size_t len,
                  uint8_t sig[static BST_SIG_LEN]);
bool bst_key_verify(const uint8_t public_key[static BST_KEY_LEN], const void *message, size_t len,
                    const uint8_t sig[static BST_SIG_LEN]);
/* PKCS#8 PEM that openssl reads; encrypted (PBES2, scrypt, AES-256-CBC) when passphrase is neither NULL nor
 * "". */
enum bst_code bst_key_save(const struct bst_key *key, const char *path, const char *passphrase, bool replace,
                           struct bst_error *err);
/* An encrypted key with passphrase NULL or "" is BST_USAGE with *locked set; a wrong passphrase is BST_USAGE.
 * locked may be NULL. */
enum bst_code bst_key_load(const char *path, const char *passphrase, struct bst_key **out, bool *locked,
                           struct bst_error *err);
/* Public half as SubjectPublicKeyInfo PEM, in new memory. */
enum bst_code bst_key_public_pem(const uint8_t public_key[static BST_KEY_LEN], char **out,
                                 struct bst_error *err);
enum bst_code bst_key_public_from_pem(const char *pem, size_t len, uint8_t public_key[static BST_KEY_LEN],
                                      struct bst_error *err);
/* Key id: lower-case hexadecimal SHA-256 of the SubjectPublicKeyInfo DER. */
void bst_key_id(const uint8_t public_key[static BST_KEY_LEN], char out[static BST_SHA256_HEX]);

struct bst_identity {
    char *name, *email, *url; /* email and url may be NULL */
    uint8_t public_key[BST_KEY_LEN];
    char key_id[BST_SHA256_HEX];
    char
        *log_origin; /* name of the ledger's log: "blindstamp.local/<16 hex digits of the author's key id>" */
    uint8_t log_key[BST_KEY_LEN];
};
void bst_identity_clear(struct bst_identity *identity);
enum bst_code bst_identity_load(const char *home, struct bst_identity *out, struct bst_error *err);

/* init: keys, local CA (root and leaf; reference c2pa.md 4), identity.json, ledger with the signed identity
 * statement as entry 0. All or nothing: a failure leaves no home behind. Refuses an existing one. */
struct bst_init {
    const char *home, *author, *email, *url;
    const char *passphrase; /* NULL or "": keys unencrypted */
};
enum bst_code bst_home_init(const struct bst_init *init, struct bst_identity *out, struct bst_error *err);
/* Writes the log's name into identity.json, whose log key must be this one; nothing happens when it stands there. */
enum bst_code bst_home_rename_log(const char *home, const char *origin,
                                  const uint8_t log_key[static BST_KEY_LEN], struct bst_error *err);
/* Re-encrypts every key in home; "" or NULL removes the passphrase. */
enum bst_code bst_home_passphrase(const char *home, const char *old_phrase, const char *new_phrase,
                                  struct bst_error *err);

/* A new key for the author, with a certificate of the home's authority; the old one is removed from the home. Old and new
 * key sign the change in the ledger. *locked as in bst_key_load. */
struct bst_rotated {
    char old_key_id[BST_SHA256_HEX], key_id[BST_SHA256_HEX];
    uint64_t entry; /* of the old key's statement; the new key's stands behind it */
};
enum bst_code bst_home_rotate(const char *home, const char *passphrase, struct bst_rotated *out, bool *locked,
                              struct bst_error *err);

/* Every certificate of a PEM text as JSON: subject, issuer, valid_from, valid_until, valid_today, key, authority,
 * extended_key_usage, sha256. An empty list when there is none. New reference. */
enum bst_code bst_cert_describe(const void *pem, size_t len, json_t **out, struct bst_error *err);

/* Every rule that C2PA sets for a signer's certificate, held against the first one of a PEM text: a list of objects with
 * rule, asks, kept, and when it is broken problem and fix; validity is the last rule. trust (may be NULL) lists further
 * key usages that are accepted. BST_UNREADABLE when there is no certificate. */
struct bst_trust;
enum bst_code bst_cert_check(const void *pem, size_t len, const struct bst_trust *trust, json_t **out,
                             struct bst_error *err);

/* ---- a certificate of one's own for signing claims (credential.c), instead of the local authority's ---- */
struct bst_csr {
    const char *home, *passphrase;
    const char *alg; /* "ed25519": for the author's key; else a new key is made and kept in home */
    const char *name, *organisation, *country; /* of the subject; the last two may be NULL */
};
/* A certificate request (PKCS#10, PEM) in new memory. *locked as in bst_key_load. */
enum bst_code bst_credential_request(const struct bst_csr *csr, char **pem, bool *locked,
                                     struct bst_error *err);
struct bst_credential_file {
    const char *home, *home_passphrase;
    const char *path;       /* PEM certificates, in any order, or PKCS#12 with the key */
    const char *key;        /* PKCS#8 PEM, when the key is not in home; or NULL */
    const char *passphrase; /* of key or PKCS#12; or NULL */
    const char *alg;        /* one of those that the key can, as "ps384"; NULL: the usual one */
};
/* Puts it in force. BST_USAGE when it is for no key of the home, or when validators would refuse it. */
enum bst_code bst_credential_import(const struct bst_credential_file *file, bool *locked,
                                    struct bst_error *err);
/* Back to the local authority's; keys stay. */
enum bst_code bst_credential_remove(const char *home, struct bst_error *err);
/* What signs claims now: local, alg, key, certificates, rules. */
enum bst_code bst_credential_json(const char *home, json_t **out, struct bst_error *err);

/* ================= statements ================= */

#define BST_PAYLOAD_TYPE "application/vnd.in-toto+json"
#define BST_SLSA_TYPE    "https://slsa.dev/provenance/v1"

enum bst_privacy {
    BST_PUBLIC,  /* every word stands in the file and in the statement */
    BST_PARTNER, /* prompt and title only as salted commitments; model, seed and controls stand open */
    BST_PRIVATE, /* prompt, title, seed, styles and controls only as commitments; the file shows author and AI
                    mark */
};

struct bst_weights_file {
    const char *name; /* relative to the model's folder */
    uint64_t bytes;
    uint8_t sha256[BST_SHA256_LEN];
};

/* What was made and how, in neutral terms: cli translates from gen's. All strings borrowed. */
struct bst_generation {
    const char *file_name;
    uint8_t sha256[BST_SHA256_LEN];        /* of the stamped file's bytes without the manifest */
    uint8_t pixels_sha256[BST_SHA256_LEN]; /* bst_image_digest */
    const char *image_id; /* UUID: also in XMP InstanceID, EXIF ImageUniqueID and the ledger */
    const char *model_name, *model_title, *model_license; /* license may be NULL */
    uint8_t model_sha256[BST_SHA256_LEN];
    uint64_t model_bytes;
    size_t weights_count; /* files beside the model's own that hold weights of it */
    const struct bst_weights_file *weights;
    const char *card_name; /* of a card beside the model's file, or NULL */
    uint8_t card_sha256[BST_SHA256_LEN];
    uint64_t seed;
    bool seedless; /* the model draws nothing from it: the manifest names no seed */
    uint32_t width, height;
    float truncation;
    bool tile;
    bool has_label; /* the model takes one */
    uint32_t label;
    size_t
        style_count; /* all styles of the model in the card's order, normalised weights; 0 when it has none */
    const char *const *style_names;
    const float *style_weights;
    const char *latent_generator; /* how seeds became numbers; NULL: philox */
    size_t mix_count; /* 0: the seed alone; else the seeds that were mixed, the first one is seed */
    const uint64_t *mix_seeds;
    const float *mix_weights;                 /* their squares sum to 1 */
    const char *prompt, *title, *description; /* may be NULL */
    const char *input_name;                   /* input picture, or NULL */
    const char *
        input_path; /* where it lies, to keep its credentials and show it in the manifest; NULL: not at hand */
    uint8_t input_sha256[BST_SHA256_LEN];
    uint8_t input_pixels_sha256[BST_SHA256_LEN];
    const char *arith; /* BST_ARITH */
    int64_t started_ms, finished_ms;
    enum bst_privacy privacy;
};

/* Words that the statement only commits to: commitment = SHA-256(salt[32] || name || 0x00 || words). They go
 * to the ledger's side table, from where they can be erased. */
struct bst_secret {
    char name[32]; /* "prompt", "title", "seed", ... */
    uint8_t salt[32];
    char *words;
};
struct bst_secrets {
    size_t count;
    struct bst_secret item[16];
};
void bst_secrets_clear(struct bst_secrets *secrets);
/* What the statement holds instead of the words, as hexadecimal. */
void bst_secret_commitment(const struct bst_secret *secret, char out[static BST_SHA256_HEX]);

/* Canonical payload bytes (RFC 8785) of each kind of statement. */
enum bst_code bst_statement_generation(const struct bst_generation *generation,
                                       const struct bst_identity *author, struct bst_secrets *secrets,
                                       struct bst_buf *payload, struct bst_error *err);
struct bst_training {
    const char *model_name;
    uint8_t model_sha256[BST_SHA256_LEN];
    const json_t *dataset;    /* manifest; each item becomes a resolved dependency */
    const json_t *parameters; /* hyperparameters */
    const char *started, *finished;
    const char *id; /* UUID of this run; NULL: a new one */
};
enum bst_code bst_statement_training(const struct bst_training *training, const struct bst_identity *author,
                                     struct bst_buf *payload, struct bst_error *err);
enum bst_code bst_statement_identity(const struct bst_identity *identity, struct bst_buf *payload,
                                     struct bst_error *err);
/* A model that was taken in: its files, its card, and what it was converted from. */
struct bst_model_file {
    const char *name; /* in the model's folder */
    uint8_t sha256[BST_SHA256_LEN];
    uint64_t bytes;
};
struct bst_model_record {
    const char *name, *license;         /* license may be NULL */
    const struct bst_model_file *files; /* the graph's first */
    size_t file_count;
    const struct bst_model_file *sources; /* what the files were converted from */
    size_t source_count;
    const json_t *card;    /* NULL: none */
    const char *card_name; /* of a card that is a file of its own, else NULL */
    uint8_t card_sha256[BST_SHA256_LEN];
    int64_t recorded_ms;
};
enum bst_code bst_statement_model(const struct bst_model_record *record, const struct bst_identity *author,
                                  struct bst_buf *payload, struct bst_error *err);

/* A picture made elsewhere that somebody takes up. All pointers borrowed. */
enum bst_source { /* what its author declares it to be */
                  BST_SOURCE_UNKNOWN,
                  BST_SOURCE_IS_GENERATED,
                  BST_SOURCE_IS_COMPOSITE,
                  BST_SOURCE_IS_EDITED,
                  BST_SOURCE_IS_CAPTURE,
};
bool bst_source_known(const char *name, enum bst_source *out); /* "unknown", "generated", "composite", ... */
const char *bst_source_iptc(enum bst_source source);           /* IPTC's code; NULL for unknown */
struct bst_c2pa;
struct bst_adoption {
    const char *file_name, *image_id, *media_type;
    uint8_t sha256[BST_SHA256_LEN]; /* of the finished file's bytes without the manifest */
    bool has_pixels;                /* pixels_sha256 is told: it costs the decoding */
    uint8_t pixels_sha256[BST_SHA256_LEN];
    uint8_t found_sha256[BST_SHA256_LEN]; /* of the whole file as it was found */
    uint32_t width, height;
    enum bst_source source;
    const json_t *says; /* bst_metadata_origin: the file's word, not the author's; may be NULL */
    const json_t *written,
        *replaced; /* what was put into the file's own metadata, and what stood there before; NULL: nothing */
    enum bst_privacy privacy;      /* which of the file's words are only committed to */
    const struct bst_c2pa *parent; /* the credentials that the file came with; or NULL */
    int64_t adopted_ms;
};
enum bst_code bst_statement_adoption(const struct bst_adoption *adoption, const struct bst_identity *author,
                                     struct bst_secrets *secrets, struct bst_buf *payload,
                                     struct bst_error *err);

/* ---- what people do with pictures (statement_act.c) ---- */
struct bst_picture_ref { /* as statements name one; a name may be missing */
    char *name;
    uint8_t sha256[BST_SHA256_LEN]; /* of the file's bytes without the manifest */
    bool has_pixels;
    uint8_t pixels_sha256[BST_SHA256_LEN]; /* bst_image_digest */
};
enum bst_code bst_picture_read(const char *path, struct bst_picture_ref *out, struct bst_error *err);
void bst_picture_clear(struct bst_picture_ref *picture);
enum bst_act {
    BST_ACT_SELECT,  /* picture was chosen; others were not */
    BST_ACT_EDIT,    /* picture was made from the one other by hand */
    BST_ACT_ARRANGE, /* picture was put together from others */
};
struct bst_decision { /* all pointers borrowed */
    enum bst_act act;
    struct bst_picture_ref picture;
    const struct bst_picture_ref *others;
    size_t other_count;
    const char *why, *tool; /* in the person's words; may be NULL */
    int64_t decided_ms;
    enum bst_privacy privacy; /* partner commits to why; private also to tool, and leaves names out */
};
enum bst_code bst_statement_decision(const struct bst_decision *decision, const struct bst_identity *author,
                                     struct bst_secrets *secrets, struct bst_buf *payload,
                                     struct bst_error *err);
/* The picture is to be taken down. reason may be NULL; it stands open. */
enum bst_code bst_statement_withdrawal(const struct bst_picture_ref *picture, const char *reason,
                                       int64_t withdrawn_ms, const struct bst_identity *author,
                                       struct bst_buf *payload, struct bst_error *err);
struct bst_transfer {
    struct bst_picture_ref picture;
    const char *to_name, *to_key_id; /* key id may be NULL: then nobody can pass the rights on */
    const char *licence;             /* under which from now on; may be NULL */
    int64_t transferred_ms;
};
enum bst_code bst_statement_transfer(const struct bst_transfer *transfer, const struct bst_identity *author,
                                     struct bst_buf *payload, struct bst_error *err);

/* ---- keys and kept words (statement_key.c) ---- */
/* author's next key is that of next. Signed with the present one; bst_statement_identity of next, signed with the next one,
 * belongs with it. */
enum bst_code bst_statement_rotation(const struct bst_identity *next, const struct bst_identity *author,
                                     int64_t rotated_ms, struct bst_buf *payload, struct bst_error *err);
struct bst_revocation {
    const char *name, *key_id; /* of the key and its holder */
    const char *reason;        /* may be NULL */
    int64_t since_ms;          /* from when on the key is not to be believed */
    int64_t revoked_ms;
};
enum bst_code bst_statement_revocation(const struct bst_revocation *revocation,
                                       const struct bst_identity *author, struct bst_buf *payload,
                                       struct bst_error *err);
/* Another author may sign in this ledger, as "author" or as "operator", who may also admit and revoke others. */
enum bst_code bst_statement_admission(const struct bst_identity *admitted, const char *role,
                                      int64_t admitted_ms, const struct bst_identity *author,
                                      struct bst_buf *payload, struct bst_error *err);
struct bst_erasure {
    uint64_t entry;
    uint8_t leaf[BST_SHA256_LEN]; /* that entry's hash in the tree */
    const char *const *fields;    /* names of the words that are erased */
    size_t field_count;
    int64_t erased_ms;
};
enum bst_code bst_statement_erasure(const struct bst_erasure *erasure, const struct bst_identity *author,
                                    struct bst_buf *payload, struct bst_error *err);
/* The entries that a ledger has left go over to a log of another name. */
struct bst_recovery {
    const char *origin, *vkey;    /* of the log from now on */
    const char *before;           /* name of the log until now */
    const char *checkpoint;       /* its last one over entries that are there ... */
    uint64_t entries;             /* ... their number ... */
    uint8_t root[BST_SHA256_LEN]; /* ... and tree */
    const char *lost;             /* the last checkpoint known to have been signed; may be NULL */
    const char *reason;           /* may be NULL */
    int64_t recovered_ms;
};
enum bst_code bst_statement_recovery(const struct bst_recovery *recovery, const struct bst_identity *author,
                                     struct bst_buf *payload, struct bst_error *err);

/* The names of all kinds of statements, as records have them: "identity", "generation" ... and last "other"; NULL behind
 * that. */
const char *bst_kind_name(size_t n);

#define BST_ENVELOPE_MAX (16u << 20) /* bytes of an envelope */
/* DSSE 1.0.2. The envelope is canonical JSON with one signature; keyid is bst_key_id. */
enum bst_code bst_dsse_sign(const void *payload, size_t len, const struct bst_key *key,
                            struct bst_buf *envelope, struct bst_error *err);
struct bst_dsse { /* an envelope opened and its shape checked */
    struct bst_buf payload;
    char *payload_type;
    char key_id[BST_SHA256_HEX];
    uint8_t sig[BST_SIG_LEN];
    json_t *statement; /* the parsed payload */
};
enum bst_code bst_dsse_open(const void *envelope, size_t len, struct bst_dsse *out, struct bst_error *err);
void bst_dsse_clear(struct bst_dsse *dsse);
bool bst_dsse_verify(const struct bst_dsse *dsse, const uint8_t public_key[static BST_KEY_LEN]);

/* ================= ledger ================= */

/* ---- Merkle trees (merkle.c), RFC 6962 and RFC 9162 2.1; recipes in ledger.md 1.1 ---- */
#define BST_PROOF_MAX 64
void bst_merkle_leaf(const void *data, size_t len, uint8_t out[static 32]);
void bst_merkle_node(const uint8_t left[static 32], const uint8_t right[static 32], uint8_t out[static 32]);
bool bst_merkle_verify_inclusion(uint64_t index, uint64_t size, const uint8_t leaf[static 32],
                                 const uint8_t (*proof)[32], size_t proof_len, const uint8_t root[static 32]);
bool bst_merkle_verify_consistency(uint64_t size1, uint64_t size2, const uint8_t root1[static 32],
                                   const uint8_t root2[static 32], const uint8_t (*proof)[32],
                                   size_t proof_len);

/* ---- signed notes and checkpoints (note.c) ---- */
struct bst_checkpoint {
    char *origin;
    uint64_t size;
    uint8_t root[32];
};
void bst_checkpoint_clear(struct bst_checkpoint *checkpoint);
/* The signed note, text and signature line, as a string in new memory. */
enum bst_code bst_checkpoint_sign(const char *origin, uint64_t size, const uint8_t root[static 32],
                                  const struct bst_key *log_key, char **note, struct bst_error *err);
/* Checks that the note carries a valid signature of this origin and key: BST_BROKEN if not. */
enum bst_code bst_checkpoint_open(const char *note, size_t len, const char *origin,
                                  const uint8_t log_key[static BST_KEY_LEN], struct bst_checkpoint *out,
                                  struct bst_error *err);
/* "name+hex8+base64": a verifier key, as written by other transparency logs. */
enum bst_code bst_vkey_text(const char *name, const uint8_t key[static BST_KEY_LEN], char **out,
                            struct bst_error *err);
enum bst_code bst_vkey_parse(const char *text, char **name, uint8_t key[static BST_KEY_LEN],
                             struct bst_error *err);

/* A witness's verifier key, of the type of cosignatures. */
enum bst_code bst_witness_vkey_text(const char *name, const uint8_t key[static BST_KEY_LEN], char **out,
                                    struct bst_error *err);
enum bst_code bst_witness_vkey_parse(const char *text, char **name, uint8_t key[static BST_KEY_LEN],
                                     struct bst_error *err);
/* A witness's signature line for a checkpoint's note (c2sp.org/tlog-cosignature, Ed25519), to be put behind the others: at
 * that time, in Unix seconds, the witness had seen the log grow to it and no other history. New memory. */
enum bst_code bst_checkpoint_cosign(const char *note, size_t len, const char *witness,
                                    const struct bst_key *key, uint64_t time, char **line,
                                    struct bst_error *err);

/* ---- policies, c2sp.org/tlog-policy (policy.c): an auditor's trust file ---- */
struct bst_policy;
enum bst_code bst_policy_parse(const char *text, size_t len, struct bst_policy **out, struct bst_error *err);
void bst_policy_free(struct bst_policy *policy);
struct bst_policy_key {
    bool witness;
    char *name;  /* of the key: a log's origin */
    char *label; /* of a witness, as the policy calls it */
    uint8_t key[BST_KEY_LEN];
    char *url; /* or NULL */
};
const struct bst_policy_key *bst_policy_keys(const struct bst_policy *policy, size_t *count);
/* Opens a checkpoint that a log of the policy signed and its quorum of witnesses cosigned. BST_BROKEN when it is not the
 * log's, or a known key's signature does not hold; BST_UNTRUSTED when witnesses are missing. */
struct bst_policy_signers {
    uint8_t log_key[BST_KEY_LEN];
    size_t witnesses; /* that signed */
};
enum bst_code bst_policy_open(const struct bst_policy *policy, const char *note, size_t len,
                              struct bst_policy_signers *signers, struct bst_checkpoint *out,
                              struct bst_error *err);

/* ---- proof of one entry, c2sp.org/tlog-proof@v1 (proof.c) ---- */
struct bst_proof {
    uint64_t index;
    size_t len;
    uint8_t hash[BST_PROOF_MAX][32];
    char *checkpoint; /* the signed note */
};
void bst_proof_clear(struct bst_proof *proof);
enum bst_code bst_proof_text(const struct bst_proof *proof, struct bst_buf *out, struct bst_error *err);
enum bst_code bst_proof_parse(const char *text, size_t len, struct bst_proof *out, struct bst_error *err);
/* Leaf data -> in the log of this origin and key? BST_BROKEN with the reason if not. */
enum bst_code bst_proof_verify(const struct bst_proof *proof, const void *leaf_data, size_t len,
                               const char *origin, const uint8_t log_key[static BST_KEY_LEN],
                               struct bst_error *err);

/* ---- the ledger (ledger.c); schema/ledger.sql; leaf data = the envelope's bytes ---- */
struct bst_ledger;
struct sqlite3;
enum bst_ledger_mode { BST_LEDGER_READ, BST_LEDGER_WRITE };
enum bst_code bst_ledger_create(const char *path, const char *origin,
                                const uint8_t log_key[static BST_KEY_LEN], struct bst_error *err);
/* A newer schema, another application's file or a damaged header is BST_UNREADABLE. Opening for reading
 * writes nothing, not even beside the file, with one exception: a transaction that a killed process left
 * half-done is rolled back if the folder can be written, and refused if not. A ledger of an older version is brought up
 * to this one when it is opened for writing: only its index is made anew, in one transaction. Open for reading it gives
 * entries and proofs; what needs the index asks bst_ledger_current first. */
enum bst_code bst_ledger_open(const char *path, enum bst_ledger_mode mode, struct bst_ledger **out,
                              struct bst_error *err);
void bst_ledger_close(struct bst_ledger *ledger);
/* BST_USAGE, with what to do, when the ledger's index is that of an older version. */
enum bst_code bst_ledger_current(const struct bst_ledger *ledger, struct bst_error *err);
struct sqlite3 *bst_ledger_db(struct bst_ledger *ledger); /* for audit's queries */
const char *bst_ledger_origin(const struct bst_ledger *ledger);
const uint8_t *bst_ledger_key(const struct bst_ledger *ledger);

struct bst_entry {
    const void *envelope;
    size_t len;
    const struct bst_secrets *secrets; /* or NULL */
};
/* Appends count entries, extends the tree and signs one checkpoint, all in one durable transaction; the
 * proofs (count of them, cleared by the caller) verify against that checkpoint. Many processes may append:
 * each waits its turn. */
enum bst_code bst_ledger_append(struct bst_ledger *ledger, const struct bst_key *log_key,
                                const struct bst_entry *entries, size_t count, struct bst_proof *proofs,
                                struct bst_error *err);
uint64_t bst_ledger_size(struct bst_ledger *ledger); /* entries; 0 also when it cannot be read */
/* Newest checkpoint's signed note, new memory. */
enum bst_code bst_ledger_checkpoint(struct bst_ledger *ledger, char **note, struct bst_error *err);
enum bst_code bst_ledger_prove(struct bst_ledger *ledger, uint64_t index, struct bst_proof *out,
                               struct bst_error *err);
/* Was the ledger's log of this name before a recovery, and are the first `size` entries of that log in the ledger? The key
 * is the same. */
enum bst_code bst_ledger_was(struct bst_ledger *ledger, const char *origin, uint64_t size, bool *was,
                             struct bst_error *err);
/* BST_NO_PROVENANCE when there is no such entry. */
enum bst_code bst_ledger_entry(struct bst_ledger *ledger, uint64_t index, struct bst_buf *envelope,
                               struct bst_error *err);
/* Its envelope opened, the signature not checked. Ended by bst_dsse_clear. */
enum bst_code bst_ledger_statement(struct bst_ledger *ledger, uint64_t index, struct bst_dsse *out,
                                   struct bst_error *err);

/* Recomputes everything from the entries: sequence, leaf hashes, tree, every checkpoint's signature and root,
 * envelope signatures, derived tables. Each finding is reported, of one rule at most twenty and then their
 * number; BST_BROKEN, with the count in err, is returned when there was any. The rules stand in
 * schema/README.md. found and progress may be NULL. Writers wait no longer than for a chunk of entries. */
struct bst_finding {
    enum bst_code code;
    int64_t index;    /* entry concerned, or -1 */
    const char *rule; /* stable id, "entry.leaf-hash" */
    const char *words;
};
typedef void (*bst_finding_fn)(void *arg, const struct bst_finding *finding);
enum bst_code bst_ledger_check(struct bst_ledger *ledger, bst_finding_fn found, void *arg,
                               bst_progress progress, void *progress_arg, struct bst_error *err);
/* In a fraction of that time: are the file's pages and tables as they should be, is the numbering without a gap, and does
 * the tree's right edge have the root that the newest checkpoint signs, here and in the file beside the ledger? It finds
 * what accidents do, a damaged disk or an old copy put back, not what somebody changed with care. */
enum bst_code bst_ledger_check_quick(struct bst_ledger *ledger, bst_finding_fn found, void *arg,
                                     struct bst_error *err);
/* A copy of the ledger as it is at one moment, while others may go on writing: a new file with mode 0600, checked as above
 * before it gets its name. Put back in the ledger's place later it is an old copy, which signing refuses. */
enum bst_code bst_ledger_backup(struct bst_ledger *ledger, const char *path, bst_progress progress,
                                void *progress_arg, struct bst_error *err);
/* Drops everything derived from the entries (tree, records, relations, full text) and makes it again, in one
 * transaction. It does not mend entries: what the check says of them stays. */
enum bst_code bst_ledger_rebuild(struct bst_ledger *ledger, bst_progress progress, void *progress_arg,
                                 struct bst_error *err);
/* The same for a ledger of an older version, by its path; nothing happens to one of this version (*from == *to). */
enum bst_code bst_ledger_migrate(const char *path, unsigned *from, unsigned *to, bst_progress progress,
                                 void *progress_arg, struct bst_error *err);
/* ---- keys in a ledger (ledger_keys.c) ---- */
struct bst_key_life {
    char key_id[BST_SHA256_HEX];
    uint8_t key[BST_KEY_LEN];
    char *name;        /* of its holder */
    bool is_operator;  /* the ledger's keeper, or admitted as one: may admit and revoke others */
    uint64_t declared; /* entry of its identity statement */
    uint64_t ended;    /* statements from this entry on are not believed; UINT64_MAX: in force */
    uint64_t ended_by; /* entry that ended it, a rotation or a revocation */
    bool revoked;
    int64_t since_ms;               /* revoked: from when on, as the revocation says */
    char *reason;                   /* or NULL */
    char successor[BST_SHA256_HEX]; /* key id of the holder's next key, or "" */
};
struct bst_keys {
    size_t count;
    struct bst_key_life *item; /* in the order in which they were declared */
};
enum bst_code bst_ledger_keys(struct bst_ledger *ledger, struct bst_keys *out, struct bst_error *err);
void bst_keys_clear(struct bst_keys *keys);
const struct bst_key_life *bst_keys_find(const struct bst_keys *keys, const char *key_id); /* or NULL */
/* Was the key in force when this entry was logged? */
bool bst_key_believed(const struct bst_key_life *life, uint64_t entry);
/* The key, if what it signs next will be believed; else NULL. */
const struct bst_key_life *bst_keys_in_force(const struct bst_keys *keys, const char *key_id);
/* Does a revocation by a key in force count: by the key itself, the one that it named as its successor, or an operator? */
bool bst_key_may_revoke(const struct bst_key_life *by, const struct bst_key_life *life);

/* ---- a picture's rights (ledger_rights.c) ---- */
struct bst_rights {
    uint64_t entry; /* that says who made the picture or took it up */
    struct bst_picture_ref picture;
    char *image_id;        /* or NULL */
    char *author, *holder; /* holder: to whom the rights were passed last; else the author */
    /* Of their present keys; the holder's is "" when only a name was given. */
    char author_key_id[BST_SHA256_HEX], holder_key_id[BST_SHA256_HEX];
    uint64_t holder_entry; /* of the last transfer that counts; entry when there was none */
    char *licence;         /* that it named, or NULL */
    bool withdrawn;
    uint64_t withdrawn_entry;
    char *withdrawn_by, *withdrawn_reason; /* reason: or NULL */
};
/* what: a file, an entry's number, an image id, or a digest. BST_NO_PROVENANCE when the ledger does not know it. */
enum bst_code bst_ledger_rights(struct bst_ledger *ledger, const char *what, struct bst_rights *out,
                                struct bst_error *err);
enum bst_code bst_ledger_rights_of(struct bst_ledger *ledger, uint64_t entry, struct bst_rights *out,
                                   struct bst_error *err);
void bst_rights_clear(struct bst_rights *rights);
/* Does a transfer by a key in force count: by the present holder? */
bool bst_rights_may_transfer(const struct bst_rights *rights, const struct bst_key_life *by);
/* And a withdrawal: by the author, the holder, or an operator of the ledger? */
bool bst_rights_may_withdraw(const struct bst_rights *rights, const struct bst_key_life *by);

/* Writes checkpoint, entries (one DSSE envelope a line) and verifier key into a new folder. */
enum bst_code bst_ledger_export(struct bst_ledger *ledger, const char *folder, struct bst_error *err);
/* Brings a folder that a web server serves (c2sp.org/tlog-tiles) up to the newest checkpoint: writes the tiles and entries
 * that are new, each whole and durable, and then replaces its checkpoint. A new or empty folder gets all. What is published
 * there already must be the beginning of this ledger: BST_USAGE for another log's, BST_BROKEN when the ledger no longer
 * holds it, or when its entries have not the root that it signs. progress may be NULL. */
struct bst_published {
    uint64_t entries, before; /* now, and when the call began */
    uint64_t files;           /* written, but for the checkpoint */
};
enum bst_code bst_ledger_export_tiles(struct bst_ledger *ledger, const char *folder, bst_progress progress,
                                      void *progress_arg, struct bst_published *out, struct bst_error *err);

/* ================= files ================= */

/* ---- containers (container.c): segments of a file, read without loading it ---- */
enum bst_format {
    BST_FORMAT_UNKNOWN,
    BST_FORMAT_PNG,
    BST_FORMAT_JPEG,
    BST_FORMAT_WEBP,
    BST_FORMAT_TIFF, /* and DNG; of this one and the next two only the container is read */
    BST_FORMAT_AVIF,
    BST_FORMAT_HEIF, /* HEIC too */
};
const char *bst_format_name(enum bst_format format); /* "PNG", for people; NULL for the unknown one */
bool bst_format_has_pixels(enum bst_format format);  /* that this version reads */
struct bst_range {
    uint64_t start, length;
};
struct bst_segment {
    char type[8]; /* PNG: chunk type; JPEG: "APP11", "DQT", "SOS" ...; WebP: "VP8", "XMP" ...; TIFF: "IFD",
                             * "XMP"; AVIF, HEIF: four letters, '?' for what is none */
    struct bst_range whole; /* with its length and checksum fields */
    struct bst_range data;
    unsigned depth; /* AVIF, HEIF: of the boxes in front of it, so many hold it */
};
struct bst_container {
    enum bst_format format;
    uint64_t size;
    uint32_t width, height; /* as the picture's header says; 0 when it does not */
    bool alpha;             /* of WebP: the header says that pixels may be transparent */
    size_t count;
    struct bst_segment *segments;
    bool has_manifest;
    struct bst_range manifest; /* the C2PA segments, whole: what a hard binding must exclude */
    struct bst_range update;   /* AVIF, HEIF: the box with the store of an update, or of length 0 */
    struct bst_range trailing; /* bytes behind the picture's end; length 0 when there are none */
};
/* Walks and checks the whole file (PNG: order, lengths, CRC; bytes behind the end are a finding, not an
 * error); of TIFF the pages' directories, of AVIF and HEIF the boxes. */
enum bst_code bst_container_scan(const char *path, struct bst_container *out, struct bst_error *err);
void bst_container_clear(struct bst_container *container);
/* The manifest store's bytes (JUMBF), joined. */
enum bst_code bst_container_manifest(const char *path, const struct bst_container *container,
                                     struct bst_buf *out, struct bst_error *err);
/* SHA-256 of the file but for the given ranges (ascending, not overlapping), streamed. */
enum bst_code bst_container_digest(const char *path, const struct bst_range *exclude, size_t count,
                                   uint8_t out[static BST_SHA256_LEN], struct bst_error *err);
/* SHA-256 of the file as it is without its manifest: decision 5's sha256. In a WebP file the length in the first
 * chunk header counts as if the manifest were not there. */
enum bst_code bst_container_digest_plain(const char *path, const struct bst_container *container,
                                         uint8_t out[static BST_SHA256_LEN], struct bst_error *err);

/* ---- metadata (exif.c, xmp.c, png_text.c) ---- */
/* What a file says about itself, as JSON: {"exif":{..},"xmp":{..},"text":{..}}; unknown fields kept as text.
 */
enum bst_code bst_metadata_read(const char *path, const struct bst_container *container, json_t **out,
                                struct bst_error *err);
/* Does an ASCII text occur in its bytes, packed texts aside? Much faster than reading it. */
enum bst_code bst_metadata_mentions(const char *path, const struct bst_container *container, const char *text,
                                    bool *out, struct bst_error *err);

/* ---- the label that China asks of AI content (aigc.c): GB 45438-2025 ---- */
/* The codes of the services that produced a picture and that pass it on; NULL: not that service's part. */
struct bst_aigc_codes {
    const char *producer, *propagator;
};
#define BST_AIGC_CODE_MAX 256
/* BST_USAGE when a code cannot stand in a label. name: "producer" or "propagator". */
enum bst_code bst_aigc_code_check(const char *name, const char *text, struct bst_error *err);
enum bst_aigc_role { BST_AIGC_PRODUCER, BST_AIGC_PROPAGATOR };
/* The label in what bst_metadata_read() found, wherever it stands: its seven texts, as a new reference; NULL when there is
 * none. */
json_t *bst_aigc_find(const json_t *metadata);
/* What its kind means: "AI-generated" ... */
const char *bst_aigc_words(const json_t *label);
enum bst_aigc_seal {
    BST_AIGC_UNSEALED,     /* the service's reserved text is no seal of ours */
    BST_AIGC_FITS,         /* signed by key, for these pixels */
    BST_AIGC_OTHER_PIXELS, /* signed by key, for others */
    BST_AIGC_FORGED,       /* not what was signed */
};
bool bst_aigc_is_sealed(const json_t *label); /* by either service */
enum bst_aigc_seal bst_aigc_check(const json_t *label, enum bst_aigc_role role,
                                  const uint8_t pixels[static BST_SHA256_LEN],
                                  uint8_t key[static BST_KEY_LEN]);

/* ---- trust (trust.c): whose certificates are believed, and for what ---- */
enum bst_trust_kind {                         /* bits */
                      BST_TRUST_MANIFEST = 1, /* anchors of signers of claims */
                      BST_TRUST_TSA = 2,      /* of time stamp authorities */
                      BST_TRUST_CAWG = 4,     /* of identities beside the signer's */
                      BST_TRUST_ALLOWED =
                          8, /* no anchors: signers of claims that are believed by themselves */
};
struct bst_trust; /* believes nobody when new; once filled, threads may share it */
enum bst_code bst_trust_new(struct bst_trust **out, struct bst_error *err);
void bst_trust_free(struct bst_trust *trust);
struct bst_trust_count {
    size_t anchors, allowed, usages, log_keys; /* what a text held */
    size_t expired;                            /* certificates of these that are not valid today */
};
/* Takes in what a text holds: PEM certificates, for these kinds; with BST_TRUST_ALLOWED also lines with a
 * certificate's SHA-256 in base64; and whatever the kinds: lines with the object identifier of an extended
 * key usage that is accepted besides e-mail protection, and lines with a log's verifier key. Other lines are
 * comments. BST_UNREADABLE when there was none of all that. count may be NULL. */
enum bst_code bst_trust_add(struct bst_trust *trust, const char *text, size_t len, unsigned kinds,
                            struct bst_trust_count *count, struct bst_error *err);
const char *const *bst_trust_log_keys(const struct bst_trust *trust, size_t *count);
/* Of a signer that is trusted, ask over the network whether its certificate was revoked, where the signature does not
 * carry the answer: at the address that the certificate names. */
void bst_trust_ask_responders(struct bst_trust *trust);
/* From here on a process of its own asks over the network (http_helper.c), up to so many questions at once: for a process
 * that then goes into the sandbox. Called while there is one thread; ended by stop, which does no harm without it. */
enum bst_code bst_http_helper_start(unsigned at_once, struct bst_error *err);
void bst_http_helper_stop(void);
unsigned bst_trust_kind_named(const char *name); /* "manifest", "tsa", "cawg", "allowed"; 0 when it is none */
const char *bst_trust_kind_name(unsigned kind);

/* ---- what a home trusts (trust_store.c): HOME/trust/ ---- */
/* Oneself: the home's own root, and a certificate of one's own. */
enum bst_code bst_trust_self(struct bst_trust *trust, const char *home, struct bst_error *err);
/* Everything added to the home. An item that was changed since or cannot be read is an error. */
enum bst_code bst_trust_items(struct bst_trust *trust, const char *home, struct bst_error *err);
struct bst_trust_item {
    const char *name, *path;
    unsigned kinds;
    const char *origin;    /* where it came from: an address, a path; NULL: not told */
    const char *published; /* when its publisher issued it; NULL: not told */
    const char *added;     /* RFC 3339; NULL: not told */
    char sha256[BST_SHA256_HEX];
    struct bst_trust_count count;
    const struct bst_error *problem; /* why it cannot be used, or NULL */
};
typedef void (*bst_trust_item_fn)(void *arg, const struct bst_trust_item *item);
enum bst_code bst_trust_list(const char *home, bst_trust_item_fn found, void *arg, struct bst_error *err);
/* Adds an item under item->name; fills item->count. BST_USAGE when the name is taken, unless replace. */
enum bst_code bst_trust_keep(const char *home, struct bst_trust_item *item, const void *text, size_t len,
                             bool replace, struct bst_error *err);
enum bst_code bst_trust_drop(const char *home, const char *name, struct bst_error *err);

/* ---- C2PA (c2pa_write.c, c2pa_read.c) ---- */
enum bst_status_kind { BST_STATUS_SUCCESS, BST_STATUS_INFO, BST_STATUS_FAILURE };
struct bst_status {
    enum bst_status_kind kind;
    char code[64];        /* C2PA status code: "assertion.dataHash.match" */
    char url[256];        /* JUMBF URI concerned */
    char ingredient[256]; /* of the ingredient assertion that led there; "" for the active manifest */
    char words[256];
};
/* Does a failure of that code speak of a signer's certificate or of another identity, not of the bytes? */
bool bst_status_about_signer(const char *code);
/* Who vouches for the signer of the active manifest, whatever the file's state. */
enum bst_signer_trust {
    BST_SIGNER_UNKNOWN, /* nobody that the caller trusts */
    BST_SIGNER_TRUSTED,
    BST_SIGNER_EXPIRED, /* the certificate does not cover the time of signing, as far as that is known */
    BST_SIGNER_REVOKED,
    BST_SIGNER_UNFIT, /* the certificate must not sign pictures */
};
/* "trusted", "unknown signer", ...: as verdicts and ingredients have it. */
const char *bst_signer_trust_words(enum bst_signer_trust trust);
/* Somebody who signed for what the active manifest says with a certificate of his own: cawg.identity, X.509 form. */
struct bst_signed_identity {
    char name[160]; /* as the certificate has it: "Common Name (Organisation)" */
    char roles[96]; /* "cawg.creator, cawg.editor", or "" */
    bool holds;     /* over this very manifest, and by the rules */
    bool trusted;   /* somebody trusted for identities vouches for the certificate */
};
struct bst_c2pa {
    enum { BST_C2PA_INVALID, BST_C2PA_VALID, BST_C2PA_TRUSTED } state; /* C2PA 2.4, 14.3 */
    bool intact; /* signed, bound to this file, and by the rules, whoever signed */
    enum bst_signer_trust signer_trust;
    size_t status_count;
    struct bst_status *statuses;
    char *label;        /* active manifest */
    char *generator;    /* claim_generator_info name and version */
    char *signer;       /* leaf certificate's common name and organisation */
    char *signer_pem;   /* leaf certificate */
    int64_t stamped_ms; /* when the active manifest was signed, as a trusted time stamp says; 0: none does */
    bool signer_is_ed25519;
    uint8_t signer_key[BST_KEY_LEN]; /* if so */
    size_t identity_count;
    struct bst_signed_identity *identities;
    bool has_author; /* the receipt names another key than the signer's as the statement's */
    uint8_t author_key[BST_KEY_LEN];
    bool has_file_sha256;
    uint8_t file_sha256[BST_SHA256_LEN]; /* of the file without its manifest, when the binding asked for it */
    struct bst_buf store;                /* the manifest store's bytes */
    bool sidecar;                        /* it stands in a file of its own beside the picture */
    struct bst_buf envelope, proof;      /* the receipt assertion's parts; empty when there is none */
    char *log_vkey; /* verifier key of the log as the receipt names it; NULL when there is none */
};
/* Reads and judges the manifests in a scanned file, or in the sidecar beside it (NAME.c2pa or NAME.png.c2pa) when it
 * holds none. trust: NULL believes nobody. A file without manifest is BST_NO_PROVENANCE; a store that
 * cannot be parsed BST_BROKEN; otherwise BST_OK whatever the state. */
enum bst_code bst_c2pa_read(const char *path, const struct bst_container *container,
                            const struct bst_trust *trust, struct bst_c2pa *out, struct bst_error *err);
void bst_c2pa_clear(struct bst_c2pa *c2pa);
/* Where that sidecar of "x.png" stands: "x.c2pa", as other programs have it, or with the whole name "x.png.c2pa". New
 * memory, or NULL. */
char *bst_sidecar_path(const char *path, bool whole);
/* The store as JSON. Ours is for people: the active manifest, claim and assertions, nothing judged. The others are all
 * manifests with what was found, in the forms that other programs read: crJSON, the conformance program's (C2PA 2.4
 * crJSON), and what c2patool prints. */
enum bst_c2pa_format { BST_C2PA_OURS, BST_C2PA_CRJSON, BST_C2PA_C2PATOOL };
enum bst_code bst_c2pa_export(const struct bst_c2pa *c2pa, enum bst_c2pa_format format, json_t **out,
                              struct bst_error *err);
/* What the picture was made from: a list with, of each ingredient, label, relationship and kind ("picture", "model",
 * "prompt", "seed", "data set", "file"), and as far as they are told title, format, identifier, description, source_type
 * and text (of prompt and seed). One that has a manifest also has signer, manifest, its own ingredients, and two answers
 * with integrity and signer_trust as a verdict has them: found, when it went in, and now. An ingredient that breaks the
 * rules has problem instead. */
enum bst_code bst_c2pa_lineage(const struct bst_c2pa *c2pa, json_t **out, struct bst_error *err);

/* ---- time stamps for finished files (timestamp_file.c): pictures, or manifest stores in files of their own ---- */
struct bst_timestamped {
    char when[BST_TIME_LEN];
    char authority[128]; /* as its certificate calls it; not checked */
};
/* The request (TimeStampReq, DER) for the signature of the file's active manifest. */
enum bst_code bst_timestamp_ask(const char *path, struct bst_buf *request, struct bst_error *err);
/* Puts an authority's answer (TimeStampResp or token, DER) into the file, which is replaced whole. BST_BROKEN when it is
 * not of this signature, BST_USAGE when the signature has no room for it. */
enum bst_code bst_timestamp_attach(const char *path, const void *answer, size_t len,
                                   struct bst_timestamped *out, struct bst_error *err);
/* The same, asking the authority at an address. */
enum bst_code bst_timestamp_add(const char *path, const char *url, struct bst_timestamped *out,
                                struct bst_error *err);

/* ---- stamping (stamp.c) ---- */
/* One author's open workshop: keys unlocked, chain and ledger open. */
struct bst_stamper;
struct bst_stamper_options {
    const char *home;
    const char *passphrase; /* NULL when keys are unencrypted */
    int png_level;          /* 1..9; 0: default */
    const char *tsa; /* time stamp authority to ask, or "later": keep room for its answer; NULL: neither */
    bool staple; /* ask whether the signer's certificate was revoked, and put the answer into the pictures */
    bool no_train;  /* say in the pictures that no model may be trained on them */
    bool thumbnail; /* show in the manifests what was signed, made small; never in a private one */
    const struct bst_aigc_codes *aigc; /* put China's label on them; NULL: do not */
    bool statements_only;              /* no picture will be stamped: certificates are not asked for */
};
enum bst_code bst_stamper_open(const struct bst_stamper_options *options, struct bst_stamper **out,
                               bool *locked, struct bst_error *err);
void bst_stamper_close(
    struct bst_stamper *stamper); /* drops what was added and not committed, with its files */
const struct bst_identity *bst_stamper_identity(const struct bst_stamper *stamper);
struct bst_ledger *bst_stamper_ledger(const struct bst_stamper *stamper); /* open for writing */
/* Encodes the picture with all its metadata into a temporary file beside path, and prepares its statement.
 * The digests, image_id and file_name of *generation are filled in here. An existing path is refused unless
 * force. */
enum bst_code bst_stamp_add(struct bst_stamper *stamper, const struct bst_image *image, const char *path,
                            bool force, const struct bst_generation *generation, struct bst_error *err);
size_t bst_stamp_pending(const struct bst_stamper *stamper);
/* One ledger transaction for everything added, then the manifests, each fsynced and renamed to its path. done
 * is called for each file delivered. */
struct bst_stamped {
    const char *path;
    uint64_t index; /* ledger entry */
    const char *image_id;
};
typedef void (*bst_stamped_fn)(void *arg, const struct bst_stamped *stamped);
enum bst_code bst_stamp_commit(struct bst_stamper *stamper, bst_stamped_fn done, void *arg,
                               struct bst_error *err);
/* ---- taking up pictures made elsewhere (stamp_adopt.c) ---- */
struct bst_adopt_options {
    enum bst_source source; /* as the author declares it */
    bool sidecar;           /* the file stays as it is; the manifest becomes a file beside it, NAME.c2pa */
    bool force;             /* replace the output, if it is another file, or the sidecar */
    bool accept_broken;     /* also when the file's own credentials do not hold: that is recorded */
    bool again;             /* also when this home's author stamped the file already */
    bool pixels; /* decode the picture and state the digest of its pixels, which outlasts its metadata */
    bool keep_metadata; /* write nothing into the file's own metadata, whatever is asked for */
    enum bst_privacy privacy;
};
struct bst_adopt; /* a picture that is ready to be logged */
/* Reads and judges the file at path, and prepares what will be said of it. output: where the stamped file goes, which may
 * be path itself; ignored with sidecar. May be called by several threads at once. *out is NULL when the author's stamp
 * is on the file already. */
enum bst_code bst_adopt_prepare(const struct bst_stamper *stamper, const char *path, const char *output,
                                const struct bst_adopt_options *options, struct bst_adopt **out,
                                struct bst_error *err);
void bst_adopt_free(struct bst_adopt *adopt);
/* One ledger transaction for all of them, then the files, each read back and judged before it gets its name; several at
 * once when there is a pool. done is called for each, in order: with problem NULL when it was delivered. The first failure is
 * returned. NULLs among them are passed over. */
struct bst_adopted {
    const char *path;   /* of the file that carries the manifest */
    const char *source; /* as given */
    uint64_t index;     /* ledger entry */
    const char *image_id;
    bool shows_words; /* the file itself still shows words that the stamp keeps back */
    bool unlabelled;  /* China's label was asked for, and none was due */
    bool unshown;     /* a thumbnail was asked for, and could not be made (bst_thumbnail_file) */
    const struct bst_error *problem;
};
typedef void (*bst_adopted_fn)(void *arg, const struct bst_adopted *adopted);
enum bst_code bst_adopt_commit(struct bst_stamper *stamper, struct bst_adopt *const *adopts, size_t count,
                               struct bst_pool *pool, bst_adopted_fn done, void *arg, struct bst_error *err);
/* Signs and logs a statement that changes no file. secrets may be NULL. */
enum bst_code bst_stamp_statement(struct bst_stamper *stamper, const struct bst_buf *payload,
                                  const struct bst_secrets *secrets, uint64_t *index, struct bst_error *err);
/* Another author may sign in this ledger, in the role "author" or "operator": logs his identity statement (an envelope signed
 * with his own key), unless the ledger has it, and the admission, one batch. Only for operators. *identity is filled. */
enum bst_code bst_stamp_admit(struct bst_stamper *stamper, const void *envelope, size_t len, const char *role,
                              struct bst_identity *identity, uint64_t *index, struct bst_error *err);
/* Logs envelopes that others signed, one batch: each by a key that is in force in this ledger. *index: the first entry. */
enum bst_code bst_stamp_take(struct bst_stamper *stamper, const struct bst_entry *entries, size_t count,
                             uint64_t *index, struct bst_error *err);
/* Erases private words that the ledger keeps for an entry, by their names ("prompt") or with count 0 all of them, for good,
 * and logs a statement that they were erased, both or neither. Entry, proofs and signatures stay whole. BST_USAGE when there
 * are no such words. *index: the new entry. */
enum bst_code bst_stamp_erase(struct bst_stamper *stamper, uint64_t entry, const char *const *fields,
                              size_t count, uint64_t *index, struct bst_error *err);
/* Goes on after a loss: an old copy of the ledger was put back, or what was signed last is not known. The entries that are
 * left go over to a log of another name and the same key, whose first own entry says so with the author's reason (or NULL),
 * since a log must never sign two checkpoints that contradict each other. BST_USAGE when the ledger holds all that was
 * signed; BST_BROKEN when what is left is damaged in itself. identity.json needs the new name: bst_home_rename_log. */
enum bst_code bst_stamp_recover(struct bst_stamper *stamper, const char *why, uint64_t *index,
                                struct bst_error *err);

#ifdef __cplusplus
}
#endif
#endif
