/* cli.h - the command line. The only part of Blindstamp that prints, prompts and exits.
 *
 * Map of the folder:
 *   main.c        picks the command, prints its failure, returns the exit code
 *   commands.c    the table of commands and the help made from it
 *   cmd_*.c       one command a file: its options, its example, what it does
 *   model_*.c     the verbs of "blindstamp model"
 *   ledger_*.c    verbs of "blindstamp ledger"; key_*.c of "blindstamp key"
 *   options.c     words of the command line -> struct cli_args
 *   print.c       errors, tables, JSON and text from strangers on the terminal
 *   ingredients.c  what a picture was made from, in words
 *   progress.c    a bar with the time left, on a terminal only
 *   interrupt.c   Ctrl-C
 *   passphrase.c  passphrases from a file, the environment or the terminal
 *   seeds.c       "1-24,99"
 *   words.c       titles, prompts and names
 *   models.c      where models are looked for
 *   label.c       the codes for China's label
 *   trust.c       home, trusted certificates and log keys
 *   walk.c        folders -> picture files
 *   sandbox.c     what a command may still do once it reads strangers' files
 *   demo          the script behind make demo
 */
#ifndef BST_CLI_H
#define BST_CLI_H

#include <stdio.h>

#include "audit.h"

/* ---- commands (commands.c) ---- */

struct cli_option {
    const char *name;     /* without the dashes */
    char letter;          /* short form, or 0 */
    const char *argument; /* what follows, for the help; NULL: a switch */
    const char *help;
    bool repeats; /* may be given several times, each counts */
};

struct cli_args;
/* Returns the exit code. A failure (as opposed to a verdict) has filled err->what. */
typedef enum bst_code (*cli_run_fn)(const struct cli_args *args, struct bst_error *err);

struct cli_command {
    const char *name;
    const char *summary;              /* half a line */
    const char *usage;                /* behind "blindstamp "; one line a form */
    const char *details;              /* paragraphs for the help; may be NULL */
    const struct cli_option *options; /* ended by one without a name */
    const char *examples;
    size_t least, most; /* operands */
    bool writes;        /* makes files: a reader of its output that goes away must not end it in the middle */
    cli_run_fn run;
};

extern const struct cli_command cmd_init, cmd_model, cmd_models, cmd_gen, cmd_sign, cmd_verify, cmd_show,
    cmd_query, cmd_audit, cmd_decide, cmd_transfer, cmd_withdraw, cmd_revoke, cmd_erase, cmd_ledger, cmd_key,
    cmd_trust, cmd_timestamp, cmd_cert, cmd_train;
/* Every command, ended by NULL. */
extern const struct cli_command *const cli_commands[];
/* Options that every command takes: --home, --json, --quiet, --help. */
extern const struct cli_option cli_common_options[];

const struct cli_command *cli_command_find(const char *name);
enum bst_code cli_command_unknown(const char *name, struct bst_error *err);
void cli_help_all(FILE *out);
void cli_help_command(FILE *out, const struct cli_command *command);

/* ---- options (options.c) ---- */

struct cli_given {
    const struct cli_option *option;
    const char *value; /* "" for a switch */
};
struct cli_args {
    const struct cli_command *command;
    size_t given_count;
    struct cli_given *given;
    size_t operand_count;
    const char **operands;
};

/* Understands --long VALUE, --long=VALUE, -s VALUE, -sVALUE, grouped switches and "--". Operands and options
 * may mix. All strings are borrowed from words. BST_USAGE names the word and the nearest known one. */
enum bst_code cli_args_parse(const struct cli_command *command, size_t count, char **words,
                             struct cli_args *out, struct bst_error *err);
void cli_args_clear(struct cli_args *args);
bool cli_has(const struct cli_args *args, const char *name);
/* The last value given, or NULL. */
const char *cli_value(const struct cli_args *args, const char *name);
/* The n-th value (from 0) of an option that repeats, or NULL behind the last. */
const char *cli_nth(const struct cli_args *args, const char *name, size_t n);
/* *out stays as it is when the option was not given. Out of [low, high] or not a number: BST_USAGE. */
enum bst_code cli_number(const struct cli_args *args, const char *name, uint64_t low, uint64_t high,
                         uint64_t *out, struct bst_error *err);
/* Bytes: "512M", "1.5G", "2GiB"; K, M, G, T are powers of 1024. */
enum bst_code cli_memory(const struct cli_args *args, const char *name, size_t *out, struct bst_error *err);
enum bst_code cli_fraction(const struct cli_args *args, const char *name, double low, double high,
                           double *out, struct bst_error *err);
/* "768x512". *width and *height stay as they are when the option was not given. */
enum bst_code cli_size(const struct cli_args *args, const char *name, uint32_t *width, uint32_t *height,
                       struct bst_error *err);
/* --format, BST_C2PA_OURS when it was not given. */
enum bst_code cli_c2pa_format(const struct cli_args *args, enum bst_c2pa_format *out, struct bst_error *err);
#define CLI_FORMAT_OPTION                                                                                    \
    {                                                                                                        \
        "format", 'f', "FORM", "what to print: ours, crjson (the C2PA conformance program's), or c2patool",  \
            false                                                                                            \
    }
/* The candidate (ended by NULL) that word was probably meant to be, or NULL. */
const char *cli_closest(const char *word, const char *const *candidates);
/* Which of a command's verbs (ended by NULL) its first operand is. BST_USAGE names the nearest, or all of them. */
enum bst_code cli_verb(const struct cli_args *args, const char *const *verbs, size_t *out,
                       struct bst_error *err);

/* A verb that works on a home. */
struct cli_home_verb {
    const char *name;
    size_t operands; /* 1: the verb alone; 2: one more */
    bool must_exist; /* the home must have been initialised */
    enum bst_code (*run)(const struct cli_args *args, const char *home, struct bst_error *err);
};
#define CLI_VERBS_MAX 8
/* Runs the one (of count, at most CLI_VERBS_MAX) that the first operand is; noun says what the other operand is. */
enum bst_code cli_home_verb_run(const struct cli_args *args, const struct cli_home_verb *verbs, size_t count,
                                const char *noun, struct bst_error *err);

/* ---- printing (print.c) ---- */

enum cli_colour { CLI_PLAIN, CLI_BOLD, CLI_GOOD, CLI_BAD, CLI_DOUBT, CLI_FAINT };
/* Starts and ends a colour; empty texts when out is no terminal, or NO_COLOR or TERM=dumb is set. */
const char *cli_colour(FILE *out, enum cli_colour colour);
/* "blindstamp: WHAT", "  at WHERE", "  hint: HINT"; as JSON {"error":{..}} when json. On stderr. */
void cli_error(const struct bst_error *err, bool json);
/* A note on stderr: "blindstamp: ...". */
void cli_note(const char *format, ...) BST_PRINTF(1, 2);
/* Text from a file or a stranger, made safe for a terminal. NULL prints nothing. */
void cli_text(FILE *out, const char *text);
/* One field of a CSV record (RFC 4180); NULL is an empty field. */
void cli_csv(FILE *out, const char *text);
/* JSON on stdout: compact on a line of its own, or indented. */
enum bst_code cli_json(const json_t *value, bool indent, struct bst_error *err);
/* The same. Takes the reference; NULL is "out of memory". */
enum bst_code cli_json_take(json_t *value, bool indent, struct bst_error *err);
/* A path or a stranger's text, which need not be UTF-8, as JSON; null for NULL. New reference. */
json_t *cli_json_text(const char *text);
/* "12.3 MB" */
void cli_bytes(uint64_t bytes, char out[static 24]);
/* Flushes stdout; a full disk or closed pipe is BST_FAILURE. */
enum bst_code cli_flush(struct bst_error *err);

/* A table on stdout. Rows are held back until the widths of the first CLI_TABLE_AHEAD are known. */
#define CLI_TABLE_COLUMNS 16
#define CLI_TABLE_AHEAD   200
struct cli_table {
    size_t columns;
    const char *const *heads;
    size_t rows;
    char **cells; /* rows held back, row-major, owned */
    size_t width[CLI_TABLE_COLUMNS];
    bool flowing; /* widths are settled and the head is out */
    bool failed;
};
void cli_table_begin(struct cli_table *table, size_t columns, const char *const *heads);
void cli_table_row(struct cli_table *table, const char *const *cells); /* NULL cells print "unknown" */
void cli_table_drop(struct cli_table *table);                          /* prints nothing more */
enum bst_code cli_table_end(struct cli_table *table, struct bst_error *err);

/* ---- progress and Ctrl-C (progress.c, interrupt.c) ---- */

struct cli_progress {
    const char *label;
    bool shown;         /* stderr is a terminal and --quiet was not given */
    double start, last; /* seconds */
    double base, share; /* part of the whole that the present piece of work is: done = base + share * piece */
};
void cli_progress_begin(struct cli_progress *progress, const char *label, const struct cli_args *args);
/* A bst_progress function; arg is the struct. Asks to stop after Ctrl-C. */
bool cli_progress_step(void *progress, uint64_t done, uint64_t total);
void cli_progress_piece(struct cli_progress *progress, uint64_t index, uint64_t count);
void cli_progress_clear(struct cli_progress *progress); /* wipes the bar's line */

/* From here on SIGINT and SIGTERM only set a flag; the second one ends the program as usual. */
void cli_interrupt_catch(void);
bool cli_interrupted(void);

/* ---- passphrases (passphrase.c) ---- */

#define CLI_PASSPHRASE_MAX 1024
/* The passphrase from --passphrase-file or BLINDSTAMP_PASSPHRASE, or NULL when neither is given. In guarded
 * memory: ended with cli_passphrase_free. */
enum bst_code cli_passphrase_given(const struct cli_args *args, char **out, struct bst_error *err);
/* The same, else asked for on the terminal (twice when confirm); without a terminal BST_USAGE. */
enum bst_code cli_passphrase_get(const struct cli_args *args, const char *prompt, bool confirm, char **out,
                                 struct bst_error *err);
enum bst_code cli_passphrase_file(const char *path, char **out, struct bst_error *err);
enum bst_code cli_passphrase_ask(const char *prompt, char **out, struct bst_error *err);
void cli_passphrase_free(char *passphrase);
#define CLI_PASSPHRASE_OPTION                                                                                \
    {                                                                                                        \
        "passphrase-file", 0, "FILE", "read the passphrase from the first line of FILE", false               \
    }

#define CLI_TSA_OPTION                                                                                       \
    {                                                                                                        \
        "tsa", 0, "URL|later",                                                                               \
            "have a time stamp authority say when it was signed; later: keep room for that", false           \
    }

#define CLI_STAPLE_OPTION                                                                                    \
    {                                                                                                        \
        "staple", 0, NULL, "ask whether your certificate was revoked, and put the answer into the pictures", \
            false                                                                                            \
    }

#define CLI_NO_TRAIN_OPTION                                                                                  \
    {                                                                                                        \
        "no-train", 0, NULL, "say in the pictures that no model may be trained on them", false               \
    }

/* ---- what a picture was made from (ingredients.c) ---- */

/* A list of bst_c2pa_lineage(), with what its credentials are now, or were found to be when they went in. */
void cli_ingredients(const json_t *list, bool now, int indent);
#define CLI_PRIVACY_OPTION                                                                                   \
    {                                                                                                        \
        "privacy", 0, "LEVEL", "public (default), partner or private; see above", false                      \
    }

#define CLI_LABEL_OPTIONS                                                                                    \
    {"profile", 0, "NAME", "cn: put on the label that China asks of AI content (GB 45438-2025)", false},     \
        {"producer", 0, "CODE", "for the label: name or code of the service that made the picture", false},  \
    {                                                                                                        \
        "propagator", 0, "CODE", "for the label: name or code of the service that passes it on", false       \
    }

/* --privacy, BST_PUBLIC when it was not given (options.c). */
enum bst_code cli_privacy(const struct cli_args *args, enum bst_privacy *out, struct bst_error *err);

/* ---- China's label (label.c) ---- */

/* Codes for the label that --profile cn asks for: from --producer and --propagator, else from HOME/aigc.json. */
struct cli_label {
    bool wanted;
    struct bst_aigc_codes codes; /* borrowed from the options or the file */
    json_t *file;
};
enum bst_code cli_label(const struct cli_args *args, const char *home, struct cli_label *out,
                        struct bst_error *err);
void cli_label_clear(struct cli_label *label);

/* ---- home and trust (trust.c) ---- */

/* The home folder; BST_USAGE with a hint when it was never initialised and must_exist. New memory. */
enum bst_code cli_home(const struct cli_args *args, bool must_exist, char **out, struct bst_error *err);
/* Opens the workshop, asking for the passphrase if the keys are locked; heeds --tsa, --staple, --no-train
 * and --profile. */
enum bst_code cli_stamper(const struct cli_args *args, const char *home, int png_level, bool thumbnail,
                          struct bst_stamper **out, struct bst_error *err);
/* The same for statements that change no file, which need no certificate. */
enum bst_code cli_author(const struct cli_args *args, struct bst_stamper **out, struct bst_error *err);
/* The author's own key, which lies in keys (freed with bst_keys_clear when this went well). BST_USAGE when the ledger does
 * not believe what it signs. */
enum bst_code cli_author_key(const struct bst_stamper *stamper, struct bst_keys *keys,
                             const struct bst_key_life **mine, struct bst_error *err);
/* What verify trusts: home itself (when it has an identity), what was added to it, and the options --trust, --trust-tsa,
 * --trust-signer and --log-key. home may be NULL. Freed with bst_trust_free. */
enum bst_code cli_trust_load(const struct cli_args *args, const char *home, struct bst_trust **out,
                             struct bst_error *err);
/* Takes in everything a file holds, certificates for these kinds. */
enum bst_code cli_trust_add(struct bst_trust *trust, const char *path, unsigned kinds, struct bst_error *err);
/* Adds the file to what home trusts, under --name or its own, with --origin and --date, and says so (cmd_trust.c). */
enum bst_code cli_trust_keep(const struct cli_args *args, const char *home, const char *file, unsigned kinds,
                             struct bst_error *err);
/* --ledger FILE, or home's, which must have been initialised. New memory. */
enum bst_code cli_ledger_path(const struct cli_args *args, char **out, struct bst_error *err);
/* Opens it for reading. */
enum bst_code cli_ledger(const struct cli_args *args, struct bst_ledger **out, struct bst_error *err);

/* What cli_trust_load heeds besides --log-key. */
#define CLI_TRUST_OPTIONS                                                                                    \
    {"trust", 0, "FILE", "trust signers under these certificates (PEM, or \"key export\" of the author)",    \
     true},                                                                                                  \
        {"trust-tsa", 0, "FILE", "trust time stamps under these certificates", true},                        \
    {                                                                                                        \
        "trust-signer", 0, "FILE", "trust these signers' certificates themselves", true                      \
    }

/* ---- sandbox (sandbox.c) ---- */

/* What is read from when the command has shut itself in; filled, then entered, then cleared. */
struct cli_sandbox {
    size_t count;
    char **paths;   /* owned */
    char *write[2]; /* folders where reports are written; owned, or NULL */
    bool failed;    /* memory ran out while it was filled; cli_sandbox_enter tells */
    bool off;       /* BLINDSTAMP_SANDBOX=off */
    struct bst_sandboxed on;
};
/* Files and folders; NULL and what is not there are passed over. */
void cli_sandbox_read(struct cli_sandbox *sandbox, const char *path);
/* The folder that path lies in. */
void cli_sandbox_read_beside(struct cli_sandbox *sandbox, const char *path);
/* The folder in which a report at path will be made; two at most. */
void cli_sandbox_write_at(struct cli_sandbox *sandbox, const char *path);
/* A picture with the manifests beside it; or a folder, with the pictures that links in it lead to. */
void cli_sandbox_read_pictures(struct cli_sandbox *sandbox, const char *path);
/* What judging takes, all of it named by the caller, or the caller's own: the operands, as pictures; what home and the
 * options trust; home's ledger and --ledger. Home's keys are not among it. */
void cli_sandbox_read_judged(struct cli_sandbox *sandbox, const struct cli_args *args, const char *home);
/* Shuts the process in (base.h, bst_sandbox_enter) unless BLINDSTAMP_SANDBOX is "off"; if it is "require" and the machine
 * cannot, BST_FAILURE. With network, a helper is left outside to ask the network. */
enum bst_code cli_sandbox_enter(struct cli_sandbox *sandbox, bool network, struct bst_error *err);
void cli_sandbox_clear(struct cli_sandbox *sandbox);
/* {"files": true, "calls": false, "why": "..."} */
json_t *cli_sandbox_json(const struct cli_sandbox *sandbox);
/* The same in words. New memory, or NULL. */
char *cli_sandbox_words(const struct cli_sandbox *sandbox);

/* ---- seeds (seeds.c) ---- */

#define CLI_SEEDS_MAX 100000u
struct cli_seeds {
    size_t count;
    uint64_t *seed; /* in the order given */
};
/* "7", "1-24", "1,5,9-12"; each in [0, 2^64-1]; at most CLI_SEEDS_MAX in all, none twice. */
enum bst_code cli_seeds_parse(const char *text, struct cli_seeds *out, struct bst_error *err);
void cli_seeds_clear(struct cli_seeds *seeds);
/* "7:0.4,9:0.6": two seeds or more, none twice, each with a weight or the weight 1. */
enum bst_code cli_mix_parse(const char *text, struct bst_mix out[static BST_MIX_MAX], size_t *count,
                            struct bst_error *err);

/* ---- words (words.c) ---- */

/* UTF-8, not empty, no control characters (but newline and tab when lines), at most most bytes. */
enum bst_code cli_words(const char *option, const char *text, size_t most, bool lines, struct bst_error *err);

/* ---- models (models.c) ---- */

/* Folders where models are looked for, first found wins: HOME/models, then BLINDSTAMP_MODELS or the program's
 * own
 * ../share/blindstamp/models. */
struct cli_places {
    size_t count;
    char *folder[2];
    bool bundled[2];
};
enum bst_code cli_places_find(const char *home, struct cli_places *out, struct bst_error *err);
void cli_places_clear(struct cli_places *places);
/* Calls found for every *.onnx file in the places, by name; false stops. */
typedef bool (*cli_model_fn)(void *arg, const char *path, bool bundled);
enum bst_code cli_models_each(const struct cli_places *places, cli_model_fn found, void *arg,
                              struct bst_error *err);
/* The name in the model's card, or else its file's without ".onnx". New memory, or NULL. */
char *cli_model_name(const struct bst_model *model);
/* A model by that name, or by a path. Unknown: BST_USAGE that lists the known ones. */
enum bst_code cli_model_open(const struct cli_places *places, const char *name, struct bst_model **out,
                             struct bst_error *err);

/* ---- files (walk.c) ---- */

/* Calls found for path itself, or when it is a folder for every picture below it, sorted by name; false stops. Symbolic
 * links to folders are not followed. Pictures are told by the ends of their names: *.png, *.jpg, *.jpeg, *.webp, and as
 * those of which only the container is read *.tif, *.tiff, *.dng, *.avif, *.heic, *.heif. */
enum cli_pictures { CLI_WITH_PIXELS, CLI_ALL_PICTURES };
typedef bool (*cli_file_fn)(void *arg, const char *path);
enum bst_code cli_walk(const char *path, enum cli_pictures which, cli_file_fn found, void *arg,
                       struct bst_error *err);
bool cli_is_folder(const char *path);
/* Fails unless a file can be created in the folder. */
enum bst_code cli_folder_writable(const char *folder, struct bst_error *err);

#endif
