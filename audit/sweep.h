/* sweep.h - what the parts of the reviewer's sweep share. Private to audit/. */
#ifndef BST_AUDIT_SWEEP_H
#define BST_AUDIT_SWEEP_H

#include <sqlite3.h>

#include "audit.h"

/* The rules, in the order of the table in sweep_rules.c. */
enum sweep_rule {
    SWEEP_FILE_UNREADABLE,
    SWEEP_FILE_NO_ENTRY,
    SWEEP_FILE_ALTERED,
    SWEEP_FILE_BYTES,
    SWEEP_FILE_STRIPPED,
    SWEEP_FILE_SIGNER,
    SWEEP_FILE_WITHDRAWN,
    SWEEP_FILE_TWICE,
    SWEEP_ENTRY_NO_FILE,
    SWEEP_CLAIM_CONTROLS,
    SWEEP_CLAIM_PICTURE,
    SWEEP_PICTURE_NAMES,
    SWEEP_TIME_BACKWARDS,
    SWEEP_TIME_FUTURE,
    SWEEP_TIME_GAP,
    SWEEP_MODEL_NO_CARD,
    SWEEP_MODEL_NO_LICENCE,
    SWEEP_TRAINING_FORBIDDEN,
    SWEEP_TRAINING_NO_LICENCE,
    SWEEP_TRAINING_RESTRICTED,
    SWEEP_INPUT_FORBIDDEN,
    SWEEP_LEDGER,
    SWEEP_RULE_COUNT
};

#define SWEEP_EVIDENCE 8 /* entries, files and digests told with one finding */
struct sweep_evidence {  /* texts are borrowed */
    size_t entry_count, file_count, digest_count;
    uint64_t entries[SWEEP_EVIDENCE];
    const char *files[SWEEP_EVIDENCE];
    const char *digests[SWEEP_EVIDENCE];
};
/* Each keeps the first SWEEP_EVIDENCE. */
void sweep_entry(struct sweep_evidence *evidence, uint64_t entry);
void sweep_named_file(struct sweep_evidence *evidence, const char *path);
void sweep_digest(struct sweep_evidence *evidence, const char *hex);

struct sweep_files; /* sweep_files.c */

struct bst_sweep {
    const struct bst_sweep_options *options;
    struct bst_ledger *ledger; /* of the thread that calls */
    struct bst_keys keys;
    uint64_t size;  /* entries when the sweep began; later ones are not looked at */
    uint8_t *found; /* a bit for each entry: its picture is among the files */
    struct sweep_files *files;
    struct bst_sweep_summary summary;
    bool stopped; /* whoever hears of the findings has enough */
};

bool sweep_wanted(const struct bst_sweep *sweep, enum sweep_rule rule);
/* Tells a finding, if its rule is wanted. */
void sweep_tell(struct bst_sweep *sweep, enum sweep_rule rule, const struct sweep_evidence *evidence,
                const char *format, ...) BST_PRINTF(4, 5);
/* Of the progress function; BST_FAILURE "interrupted" when it asks to stop or nobody hears any more. */
enum bst_code sweep_step(struct bst_sweep *sweep, uint64_t done, uint64_t total, struct bst_error *err);

/* A statement on the ledger's index; NULL on failure (err is filled). */
sqlite3_stmt *sweep_prepare(struct bst_ledger *ledger, const char *sql, struct bst_error *err);
/* Whether a step that returned this gave a row or found the end. */
enum bst_code sweep_stepped(struct bst_ledger *ledger, int step, struct bst_error *err);
/* As much of a row's text as fits; "" for NULL. */
void sweep_column(char *to, size_t size, sqlite3_stmt *statement, int at);

/* Who holds a key, over all keys that the holder had one after the other: the key id of the first of them. */
const char *sweep_person(const struct bst_sweep *sweep, const char *key_id);
/* What the ledger says of an entry's picture; false when there is no such record, or on failure. */
struct sweep_record {
    char kind[16], key_id[BST_SHA256_HEX], author[128], file_name[256], pixels[BST_SHA256_HEX],
        sha256[BST_SHA256_HEX];
};
enum bst_code sweep_record(struct bst_ledger *ledger, uint64_t entry, struct sweep_record *out,
                           struct bst_error *err);

/* sweep_files.c */
enum bst_code sweep_files_open(struct bst_sweep *sweep, struct bst_error *err);
enum bst_code sweep_files_take(struct bst_sweep *sweep, const char *path, struct bst_error *err);
enum bst_code sweep_files_flush(struct bst_sweep *sweep, struct bst_error *err);
void sweep_files_close(struct bst_sweep *sweep);

/* sweep_ledger.c: entries without file, claims, times, models, and what the ledger's own check finds. */
enum bst_code sweep_ledger(struct bst_sweep *sweep, struct bst_error *err);

/* sweep_training.c: what models were trained on. */
enum bst_code sweep_training(struct bst_sweep *sweep, struct bst_error *err);
/* Does the file itself say that no model may be trained on it: in XMP, or in its manifest (CAWG training-mining)? */
enum bst_code sweep_forbids_training(const char *path, const json_t *metadata, bool *out,
                                     struct bst_error *err);

/* sweep_report.c */
struct sweep_kept { /* a finding of its own; all texts owned */
    struct bst_sweep_finding finding;
    uint64_t entries[SWEEP_EVIDENCE];
    char *detail, *words, *files[SWEEP_EVIDENCE], *digests[SWEEP_EVIDENCE];
};
struct bst_sweep_report {
    size_t count, room;
    struct sweep_kept **kept;
    uint64_t of_rule[BST_SWEEP_RULES_MAX]; /* kept ones of each rule */
};
size_t sweep_rule_number(const struct bst_sweep_rule *rule);
const char *sweep_severity(enum bst_severity severity); /* "note", "warning", "error": also SARIF's levels */

#endif
