/* audit.h - answers: is a picture what it claims to be, can its origin be proved, what does the ledger know?
 * Public face of audit/; installed as <blindstamp/audit.h>. Only reads: needs no
 * private key, changes no ledger.
 *
 * Map of the folder:
 *   verify.c      one file -> checks and a verdict; verify.h what its parts share
 *   credential.c  the checks of manifest, signature and signer
 *   receipt.c     the checks of statement, receipt and ledger
 *   standing.c    key, rights and withdrawal, as the ledger at hand tells
 *   label.c       China's label for AI content, in words and checked
 *   replay.c      makes the picture again from its statement and compares pixels; replay_read.c from what
 *   facts.c       what a statement says, in plain fields
 *   verdict.c     verdicts as words and as JSON
 *   show.c        what a file says about itself, nothing judged
 *   query.c       which of the ledger's records: conditions, order, groups; query_sql.c the statement they make
 *   query_read.c  what these records say
 *   checkpoint.c  is a checkpoint kept elsewhere still part of a ledger, and its log one that is known?
 *   sweep.c       the reviewer's sweep: a ledger and a folder of files held against rules; sweep.h what its parts share
 *   sweep_rules.c   the rules; sweep_files.c finds what is wrong with files, sweep_ledger.c with entries and models,
 *   sweep_training.c  with what models were trained on and pictures made from
 *   sweep_report.c  findings kept for a report; sweep_html.c and sweep_sarif.c write it
 */
#ifndef BST_AUDIT_H
#define BST_AUDIT_H

#include "base.h"
#include "gen.h"
#include "provenance.h"

#ifdef __cplusplus
extern "C" {
#endif

enum bst_result {
    BST_PASS,
    BST_FAIL,    /* contradicts: the verdict is BST_BROKEN */
    BST_UNKNOWN, /* could not be decided with what is at hand (signer not trusted, no ledger) */
    BST_SKIPPED, /* not asked for, or does not apply */
};
struct bst_check {
    const char *
        id; /* "file", "manifest", "manifest.binding", "signature", "signer", "identity", "ingredients", "statement", "digest",
                       "pixels", "receipt", "ledger", "key", "rights", "withdrawal", "metadata",
                       "aigc", "replay" */
    enum bst_result result;
    char words[320]; /* one sentence that a lawyer can read */
};
struct bst_verdict {
    char *path;
    enum bst_code
        code;        /* BST_OK verified, 2 no provenance, 3 broken, 4 unreadable, 6 intact but not trusted */
    char words[320]; /* the verdict in one sentence */
    /* Two answers that do not depend on one another; NULL when the file has no manifest that could be read.
     * Is it intact: "intact", "altered". Who says so: "trusted", "unknown signer", "expired", "revoked", "unfit". */
    const char *integrity, *signer_trust;
    char *signer; /* as the certificate names it, or NULL */
    size_t check_count;
    struct bst_check checks[20];
    char *author, *author_key_id, *model, *title, *prompt, *seed, *image_id,
        *made;      /* as far as the file tells; else NULL */
    uint64_t entry; /* ledger index */
    bool has_entry;
    json_t *statement; /* or NULL */
    json_t *rights;    /* who holds them, and whether the picture was withdrawn; NULL when no ledger tells */
    json_t *c2pa;      /* report with status codes, or NULL */
    json_t *document;  /* all manifests in the form that options->format asks for, or NULL */
    /* As far as the checks had to read it: */
    bool has_sha256, has_pixels;
    uint8_t sha256[BST_SHA256_LEN];        /* of the file's bytes without the manifest */
    uint8_t pixels_sha256[BST_SHA256_LEN]; /* bst_image_digest */
};
struct bst_verify_options {
    const char *home;              /* whose identity and ledger are trusted; NULL: nobody's */
    const char *ledger;            /* another ledger file to look in, or NULL */
    const struct bst_trust *trust; /* in certificates; NULL: home's own root alone */
    const char *const *log_keys;   /* more trusted log verifier keys (name+hex+base64) */
    size_t log_key_count;
    enum bst_c2pa_format format; /* BST_C2PA_OURS: no document */
    bool
        pixels; /* decode the picture and compare its pixels, also when its bytes are proved to be the signed ones */
    bool ingredients; /* list in the report what the picture was made from */
    bool replay;
    const char *const *models; /* folders and files where replay looks for the model by its SHA-256 */
    size_t model_count;
    const char *const *inputs; /* folders and files where replay looks for an input picture by its SHA-256 */
    size_t input_count;
    unsigned threads;
    size_t memory;         /* that the process may hold in a replay; 0: what is free */
    bst_progress progress; /* of replay; may be NULL */
    void *progress_arg;
};
/* What judging needs besides the file: identity, certificates, ledger, opened once for many files. options is borrowed.
 * A verifier serves one thread at a time; several of them may share options. */
struct bst_verifier;
enum bst_code bst_verifier_open(const struct bst_verify_options *options, struct bst_verifier **out,
                                struct bst_error *err);
void bst_verifier_close(struct bst_verifier *verifier);
/* Judges one file. Returns BST_OK when a verdict was reached (whatever it is); *out must be cleared. */
enum bst_code bst_verifier_judge(const struct bst_verifier *verifier, const char *path,
                                 struct bst_verdict *out, struct bst_error *err);
/* The same for one file alone. */
enum bst_code bst_verify(const char *path, const struct bst_verify_options *options, struct bst_verdict *out,
                         struct bst_error *err);
void bst_verdict_clear(struct bst_verdict *verdict);
enum bst_code bst_verdict_json(const struct bst_verdict *verdict, json_t **out, struct bst_error *err);
/* Of two verdicts, the one a batch must report. From good to bad: verified, intact but not trusted, unknown,
 * unreadable, the program's own failures, altered or forged. */
enum bst_code bst_verdict_worse(enum bst_code a, enum bst_code b);

/* Everything the file says about itself, as JSON: container, metadata, manifest, statement, receipt. */
enum bst_code bst_show(const char *path, json_t **out, struct bst_error *err);
/* All its manifests in another program's form. BST_NO_PROVENANCE when it has none. */
enum bst_code bst_show_manifests(const char *path, enum bst_c2pa_format format, json_t **out,
                                 struct bst_error *err);

/* ---- queries ---- */
#define BST_QUERY_DIGESTS 3
/* NULL or unset means: any. Conditions are joined by AND. "unknown" as author, model, seed, licence, privacy or source_type
 * finds what could say it and does not. A list of digests holds other names of one thing: SHA-256 in hexadecimal, prefix of
 * at least 8 digits; a caller hashes files. */
struct bst_query {
    const char *author;                    /* name (prefix, case-insensitive) or key id (prefix) */
    const char *model;                     /* name or SHA-256 prefix */
    const char *seed;                      /* decimal */
    const char *since, *until;             /* RFC 3339 or date; until a date means to the end of that day */
    const char *text;                      /* words that must all occur; "nebul*" asks for a beginning */
    const char *licence;                   /* of picture or data set, or of the model; case-insensitive */
    const char *privacy;                   /* "public", "partner", "private" */
    const char *source_type;               /* of an adopted picture: bst_source_known() */
    const char *digest[BST_QUERY_DIGESTS]; /* of the file itself or its pixels */
    const char *parent[BST_QUERY_DIGESTS]; /* made or converted from this */
    const char *trained_on
        [BST_QUERY_DIGESTS]; /* by a model that learned from this item or data set; its training too */
    const char *kind;        /* bst_kind_name() */
    const char *image_id;    /* UUID */
    const char *sort;        /* bst_query_column(); NULL: by entry. Unknown values come last */
    bool descending;
    uint64_t limit, offset; /* limit 0: no limit */
    uint64_t
        as_of; /* the ledger when it had so many entries: pages stay right while others are added; 0: now */
    bool has_after;
    uint64_t after; /* only what follows this entry in the order asked for, which is that of entries */
};
/* What records can be sorted by: "entry", "time" ...; and counted by: "author", "month" ... NULL behind the last. */
const char *bst_query_column(size_t n);
const char *bst_query_group(size_t n);
struct bst_record { /* one ledger entry as an answer; unknown values are NULL, never "" */
    uint64_t entry;
    const char *kind, *time, *author, *author_key_id, *file_name, *image_id, *model, *model_sha256, *seed,
        *title, *prompt, *sha256, *pixels_sha256, *privacy, *licence, *model_licence, *source_type,
        *description;
    int64_t width, height; /* 0 when it has none */
};
typedef bool (*bst_record_fn)(void *arg, const struct bst_record *record); /* false stops */
enum bst_code bst_query_run(struct bst_ledger *ledger, const struct bst_query *query, bst_record_fn found,
                            void *arg, struct bst_error *err);
/* How many there are; limit and offset do not count. */
enum bst_code bst_query_count(struct bst_ledger *ledger, const struct bst_query *query, uint64_t *count,
                              struct bst_error *err);
enum bst_code bst_record_json(const struct bst_record *record, json_t **out, struct bst_error *err);
/* How many there are of each value; by: bst_query_group(). The largest groups first, of times the earliest; limit counts
 * groups, the ledger's order does not matter. */
struct bst_group {
    const char *value; /* NULL: unknown; "-": of a kind that cannot have it */
    const char *id;    /* an author's key id, a model's SHA-256; else NULL */
    uint64_t count;
};
typedef bool (*bst_group_fn)(void *arg, const struct bst_group *group); /* false stops */
enum bst_code bst_query_groups(struct bst_ledger *ledger, const struct bst_query *query, const char *by,
                               bst_group_fn found, void *arg, struct bst_error *err);

/* ---- the reviewer's sweep (sweep.c): schema/README.md has the rules ---- */
enum bst_severity { BST_NOTE, BST_WARNING, BST_ERROR };
struct bst_sweep_rule {
    const char *id; /* stable: "file.altered" */
    enum bst_severity severity;
    enum bst_code code;  /* that the sweep ends with when this is its worst finding; of a note BST_OK */
    const char *summary; /* what is found, half a line */
    const char *fix;     /* what to do about it */
};
#define BST_SWEEP_RULES_MAX 32
/* The n-th rule from 0, NULL behind the last. */
const struct bst_sweep_rule *bst_sweep_rule(size_t n);
struct bst_sweep_finding { /* all borrowed */
    const struct bst_sweep_rule *rule;
    const char *detail;         /* of the rule "ledger": which rule of bst_ledger_check(); else NULL */
    enum bst_severity severity; /* the rule's, or as the detail has it; code too */
    enum bst_code code;
    const char *words; /* sentences that a lawyer can read; from strangers, so not yet safe to print */
    size_t entry_count, file_count, digest_count; /* evidence; of much alike the first of it */
    const uint64_t *entries;
    const char *const *files;   /* paths */
    const char *const *digests; /* SHA-256, hexadecimal */
};
typedef bool (*bst_sweep_fn)(void *arg, const struct bst_sweep_finding *finding); /* false stops */
struct bst_sweep_options {            /* borrowed until the sweep is closed */
    const char *ledger;               /* its path */
    struct bst_verify_options verify; /* how files are judged; no replay */
    bool skip[BST_SWEEP_RULES_MAX];   /* rules, by their numbers, that are not looked at */
    int64_t gap_ms;                   /* a longer pause between two entries is told */
    int64_t slack_ms;                 /* that clocks may differ by */
    unsigned threads;                 /* that judge files; 0: one a processor */
    bst_progress progress;            /* of the ledger's own check; may be NULL */
    void *progress_arg;
    bst_sweep_fn found;
    void *found_arg;
};
struct bst_sweep_summary {
    uint64_t entries, files;
    uint64_t count[BST_SWEEP_RULES_MAX]; /* findings of each rule */
    uint64_t by_severity[3];
    enum bst_code code; /* the worst finding's */
};
struct bst_sweep;
enum bst_code bst_sweep_open(const struct bst_sweep_options *options, struct bst_sweep **out,
                             struct bst_error *err);
/* Takes in one file; files are judged several at once, and their findings come in their order. Memory grows by some dozen
 * bytes and the path for each file, and by a bit for each entry. */
enum bst_code bst_sweep_file(struct bst_sweep *sweep, const char *path, struct bst_error *err);
/* The files that still wait, then the rules on the ledger. */
enum bst_code bst_sweep_finish(struct bst_sweep *sweep, struct bst_sweep_summary *out, struct bst_error *err);
void bst_sweep_close(struct bst_sweep *sweep);
enum bst_code bst_sweep_finding_json(const struct bst_sweep_finding *finding, json_t **out,
                                     struct bst_error *err);

/* Findings kept for a report, of one rule no more than the first BST_SWEEP_KEPT. */
#define BST_SWEEP_KEPT 500
struct bst_sweep_report;
struct bst_sweep_report *bst_sweep_report_new(void); /* NULL when out of memory */
bool bst_sweep_report_add(struct bst_sweep_report *report, const struct bst_sweep_finding *finding);
void bst_sweep_report_free(struct bst_sweep_report *report);
/* One page of HTML that needs nothing else and runs no script, with small pictures of the files concerned. */
enum bst_code bst_sweep_html(const struct bst_sweep_report *report, const struct bst_sweep_summary *summary,
                             const char *ledger, struct bst_buf *out, struct bst_error *err);
/* SARIF 2.1.0 (OASIS). */
enum bst_code bst_sweep_sarif(const struct bst_sweep_report *report, const struct bst_sweep_summary *summary,
                              const char *ledger, struct bst_buf *out, struct bst_error *err);

/* ---- ledgers ---- */
/* Is the ledger's log, by name and key, own's (or NULL) or one of these verifier keys (name+hex+base64)? BST_BROKEN when
 * one of its name has another key, BST_UNTRUSTED when none has its name. */
enum bst_code bst_ledger_is(const struct bst_ledger *ledger, const struct bst_identity *own,
                            const char *const *log_keys, size_t count, struct bst_error *err);
/* Is this checkpoint (a signed note, kept from earlier) one that the ledger still holds, with the same root
 * and its own signature? BST_BROKEN when not: the ledger was cut back or rewritten since. */
enum bst_code bst_ledger_holds(struct bst_ledger *ledger, const char *note, size_t len,
                               struct bst_error *err);

#ifdef __cplusplus
}
#endif
#endif
