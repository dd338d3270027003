/* sweep_files.c - what is wrong with the files: each is judged by its own credentials and looked up in the ledger, by its
 * bytes and by its pixels, several at once; what came out is told in the files' order. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep.h"

#define AT_HAND  64 /* files looked at before their findings are told */
#define COMPARED 64 /* entries of one picture that are told apart */

/* A file and what became of it. */
struct file {
    char *path;
    bool judged, unreadable, same_bytes, pixels_known, forbids, withdrawn;
    enum bst_code code;
    struct bst_error err;
    struct bst_verdict verdict;
    struct bst_container container;
    uint8_t plain[BST_SHA256_LEN], pixels[BST_SHA256_LEN]; /* plain: without the manifest */
    struct bst_buf entries; /* uint64_t: of this very picture; each in the order of the log, bytes first */
    int64_t item, input;    /* entries that say it was trained on, was made into another picture; or -1 */
    int64_t elsewhere;      /* entry that names it as something else, or -1 */
    int64_t claimed;        /* entry of another picture that the file claims to be, or -1 */
};

/* One for each thread. */
struct worker {
    struct bst_verifier *verifier;
    struct bst_ledger *ledger;
    sqlite3_stmt *roles, *claim;
};

struct sweep_files {
    struct bst_pool *pool;
    struct worker *workers;
    size_t waiting;
    struct file *file; /* AT_HAND of them */
    /* The pictures seen so far: an open table by the first bytes of their digest, at most half full. */
    size_t count, room;
    struct picture {
        uint8_t digest[BST_SHA256_LEN];
        char *path; /* NULL: free */
    } * picture;
};

/* ---- one file (a worker's thread) ---- */

static size_t entry_count(const struct file *file)
{
    return file->entries.len / sizeof(uint64_t);
}

static uint64_t entry_of(const struct file *file, size_t i)
{
    uint64_t entry;
    memcpy(&entry, file->entries.data + i * sizeof entry, sizeof entry);
    return entry;
}

static bool has_entry(const struct file *file, uint64_t entry)
{
    for (size_t i = 0; i < entry_count(file) && i < COMPARED; i++)
        if (entry_of(file, i) == entry) return true;
    return false;
}

/* An entry names the file's digest in this role. */
static void named(struct file *file, const char *role, const char *kind, int64_t entry)
{
    bool own = !strcmp(role, "subject") || !strcmp(role, "pixels");
    int64_t *as = own                      ? NULL
                  : !strcmp(role, "item")  ? &file->item
                  : !strcmp(role, "input") ? &file->input
                                           : NULL;
    if (as && *as < 0) *as = entry;
    if (!own) {
        if (file->elsewhere < 0) file->elsewhere = entry;
        return;
    }
    if (!strcmp(kind, "withdrawal")) file->withdrawn = true; /* whether it counts, the rights tell */
    if (strcmp(kind, "generation") && strcmp(kind, "adoption") && strcmp(kind, "decision")) return;
    uint64_t number = (uint64_t)entry;
    if (!has_entry(file, number)) bst_buf_append(&file->entries, &number, sizeof number);
}

/* All roles in which entries name a digest. Of the roles that are not its own, one entry each is enough. */
static enum bst_code look_up(struct worker *worker, struct file *file, const uint8_t digest[static 32],
                             struct bst_error *err)
{
    sqlite3_stmt *roles = worker->roles;
    int step;
    sqlite3_bind_blob(roles, 1, digest, BST_SHA256_LEN, SQLITE_STATIC);
    while ((step = sqlite3_step(roles)) == SQLITE_ROW) {
        const char *role = (const char *)sqlite3_column_text(roles, 0),
                   *kind = (const char *)sqlite3_column_text(roles, 1);
        if (role && kind) named(file, role, kind, sqlite3_column_int64(roles, 2));
    }
    enum bst_code code = sweep_stepped(worker->ledger, step, err);
    sqlite3_reset(roles);
    return code;
}

/* The samples' digest: the entry's, where the bytes are the entry's; else the picture is decoded, if it was not yet. */
static enum bst_code find_pixels(struct worker *worker, struct file *file, struct bst_error *err)
{
    struct sweep_record record;
    struct bst_image shape;
    if (file->same_bytes) {
        enum bst_code code = sweep_record(worker->ledger, entry_of(file, 0), &record, err);
        if (code != BST_OK) return code;
        file->pixels_known = bst_unhex(record.pixels, file->pixels, sizeof file->pixels);
    }
    if (file->pixels_known || !bst_format_has_pixels(file->container.format)) return BST_OK;
    if (file->verdict.has_pixels) {
        memcpy(file->pixels, file->verdict.pixels_sha256, sizeof file->pixels);
        file->pixels_known = true;
        return BST_OK;
    }
    enum bst_code code = bst_image_digest_file(file->path, &shape, file->pixels, err);
    file->pixels_known = code == BST_OK;
    if (code != BST_UNREADABLE && code != BST_BROKEN) return code;
    file->unreadable = true;
    return BST_OK;
}

/* The id that the file's metadata gives its picture: in XMP as a UUID, in EXIF without dashes. */
static bool id_of(const json_t *metadata, char out[static BST_UUID_LEN])
{
    const char *xmp = bst_json_text(json_object_get(metadata, "xmp"), "xmpMM:InstanceID");
    const char *exif = bst_json_text(json_object_get(metadata, "exif"), "ImageUniqueID");
    if (exif && strlen(exif) == 32) {
        snprintf(out, BST_UUID_LEN, "%.8s-%.4s-%.4s-%.4s-%.12s", exif, exif + 8, exif + 12, exif + 16,
                 exif + 20);
        return true;
    }
    if (!xmp || strncmp(xmp, "xmp.iid:", 8) != 0 || strlen(xmp + 8) != BST_UUID_LEN - 1) return false;
    memcpy(out, xmp + 8, BST_UUID_LEN);
    return true;
}

/* Of a file that the ledger does not know, the entry that its credentials or its metadata claim. */
static enum bst_code find_claim(struct worker *worker, struct file *file, const json_t *metadata,
                                struct bst_error *err)
{
    char id[BST_UUID_LEN];
    const char *claimed = file->verdict.image_id;
    if (!claimed && id_of(metadata, id)) claimed = id;
    if (!claimed) return BST_OK;
    sqlite3_bind_text(worker->claim, 1, claimed, -1, SQLITE_STATIC);
    int step = sqlite3_step(worker->claim);
    if (step == SQLITE_ROW) file->claimed = sqlite3_column_int64(worker->claim, 0);
    enum bst_code code = sweep_stepped(worker->ledger, step, err);
    sqlite3_reset(worker->claim);
    return code;
}

/* What the metadata tells, of files alone for which it matters. */
static enum bst_code read_metadata(struct worker *worker, struct file *file, struct bst_error *err)
{
    bool used = file->item >= 0 || file->input >= 0, unknown = !file->entries.len;
    struct bst_error why = {0};
    json_t *metadata = NULL;
    if (!used && !unknown) return BST_OK;
    enum bst_code code = bst_metadata_read(file->path, &file->container, &metadata, &why);
    if (code == BST_FAILURE) {
        *err = why;
        return code;
    }
    code = used ? sweep_forbids_training(file->path, metadata, &file->forbids, err) : BST_OK;
    if (code == BST_OK && unknown) code = find_claim(worker, file, metadata, err);
    json_decref(metadata);
    return code;
}

static enum bst_code look(struct worker *worker, struct file *file, struct bst_error *err)
{
    enum bst_code code = bst_container_scan(file->path, &file->container, err);
    if (file->verdict.has_sha256)
        memcpy(file->plain, file->verdict.sha256, sizeof file->plain);
    else if (code == BST_OK)
        code = bst_container_digest_plain(file->path, &file->container, file->plain, err);
    if (code == BST_OK) code = look_up(worker, file, file->plain, err);
    file->same_bytes = file->entries.len > 0;
    if (code == BST_OK && file->container.has_manifest) {
        uint8_t whole[BST_SHA256_LEN]; /* a training names the file as it lay there */
        code = bst_sha256_file(file->path, whole, err);
        if (code == BST_OK) code = look_up(worker, file, whole, err);
    }
    if (code == BST_OK) code = find_pixels(worker, file, err);
    if (code == BST_OK && file->pixels_known) code = look_up(worker, file, file->pixels, err);
    if (code == BST_OK && !file->unreadable) code = read_metadata(worker, file, err);
    return code == BST_OK && file->entries.failed ? bst_fail_memory(err) : code;
}

static void work(void *arg, size_t i, unsigned thread)
{
    struct bst_sweep *sweep = arg;
    struct worker *worker = &sweep->files->workers[thread];
    struct file *file = &sweep->files->file[i];
    file->code = bst_verifier_judge(worker->verifier, file->path, &file->verdict, &file->err);
    file->judged = file->code == BST_OK;
    if (file->judged && file->verdict.code == BST_UNREADABLE) file->unreadable = true;
    if (file->judged && !file->unreadable) file->code = look(worker, file, &file->err);
    if (file->code == BST_UNREADABLE || file->code == BST_BROKEN) { /* it changed under our hands */
        file->unreadable = true;
        file->code = BST_OK;
    }
}

/* ---- what came out (the caller's thread) ---- */

#define SAID 600

/* Every check that failed, in its own words. */
static void failures(const struct bst_verdict *verdict, char out[static SAID])
{
    size_t at = 0;
    for (size_t i = 0; i < verdict->check_count && at + 1 < SAID; i++) {
        if (verdict->checks[i].result != BST_FAIL) continue;
        int n = snprintf(out + at, SAID - at, "%s%s", at ? " " : "", verdict->checks[i].words);
        at += n > 0 ? (size_t)n : 0;
    }
    if (!at) snprintf(out, SAID, "%s", verdict->words);
}

static void tell_broken(struct bst_sweep *sweep, const struct file *file, struct sweep_evidence *evidence)
{
    char said[SAID];
    if (file->claimed >= 0) sweep_entry(evidence, (uint64_t)file->claimed);
    failures(&file->verdict, said);
    sweep_tell(sweep, SWEEP_FILE_ALTERED, evidence, "The file is not what was signed. %s", said);
}

static void tell_unknown(struct bst_sweep *sweep, const struct file *file, struct sweep_evidence *evidence)
{
    if (file->claimed >= 0) {
        sweep_entry(evidence, (uint64_t)file->claimed);
        sweep_tell(sweep, SWEEP_FILE_ALTERED, evidence,
                   "The file calls itself the picture of entry %" PRId64 ", but neither its bytes nor its %s",
                   file->claimed,
                   file->pixels_known ? "pixels are that picture's." : "other digests are that picture's.");
    } else if (file->elsewhere >= 0) {
        sweep_entry(evidence, (uint64_t)file->elsewhere);
        sweep_tell(sweep, SWEEP_FILE_NO_ENTRY, evidence,
                   "No entry says who made this file; entry %" PRId64
                   " only names it as something that another was "
                   "made from or chosen over.",
                   file->elsewhere);
    } else {
        sweep_tell(sweep, SWEEP_FILE_NO_ENTRY, evidence,
                   file->pixels_known ? "The ledger knows neither the bytes nor the pixels of this file."
                                      : "The ledger does not know the bytes of this file.");
    }
}

static void tell_known(struct bst_sweep *sweep, const struct file *file,
                       const struct sweep_evidence *evidence)
{
    uint64_t entry = entry_of(file, 0);
    if (file->verdict.code != BST_NO_PROVENANCE) return;
    if (file->same_bytes)
        sweep_tell(sweep, SWEEP_FILE_STRIPPED, evidence,
                   "The file carries no credentials; all its other bytes are those of entry %" PRIu64 ".",
                   entry);
    else
        sweep_tell(sweep, SWEEP_FILE_BYTES, evidence,
                   "The file shows the pixels of entry %" PRIu64
                   ", in other bytes than were signed, and carries no credentials.",
                   entry);
}

/* A withdrawal counts only when somebody made it who may. */
static enum bst_code tell_withdrawn(struct bst_sweep *sweep, const struct file *file,
                                    struct sweep_evidence evidence, struct bst_error *err)
{
    struct bst_rights rights;
    for (size_t i = 0; file->withdrawn && i < entry_count(file) && i < SWEEP_EVIDENCE; i++) {
        enum bst_code code = bst_ledger_rights_of(sweep->ledger, entry_of(file, i), &rights, err);
        if (code == BST_FAILURE) return code;
        *err = (struct bst_error){0};
        if (code != BST_OK) continue; /* not an entry that says who made it; or the ledger's check tells */
        bool withdrawn = rights.withdrawn;
        if (withdrawn) {
            sweep_entry(&evidence, rights.withdrawn_entry);
            sweep_tell(sweep, SWEEP_FILE_WITHDRAWN, &evidence,
                       "The picture was withdrawn by %s (entry %" PRIu64 ")%s%s.", rights.withdrawn_by,
                       rights.withdrawn_entry, rights.withdrawn_reason ? ": " : "",
                       rights.withdrawn_reason ? rights.withdrawn_reason : "");
        }
        bst_rights_clear(&rights);
        if (withdrawn) break;
    }
    return BST_OK;
}

static void tell_used(struct bst_sweep *sweep, const struct file *file, const struct sweep_evidence *about)
{
    struct sweep_evidence evidence = *about;
    if (file->item >= 0) {
        sweep_entry(&evidence, (uint64_t)file->item);
        sweep_tell(sweep, SWEEP_TRAINING_FORBIDDEN, &evidence,
                   "The file says that no model may be trained on it; entry %" PRId64 " says that one was.",
                   file->item);
    }
    evidence = *about;
    if (file->input >= 0) {
        sweep_entry(&evidence, (uint64_t)file->input);
        sweep_tell(
            sweep, SWEEP_INPUT_FORBIDDEN, &evidence,
            "The file says that no model may be trained on it; a model made the picture of entry %" PRId64
            " from it.",
            file->input);
    }
}

/* ---- one picture in several files ---- */

static struct picture *place_of(struct picture *table, size_t room, const uint8_t digest[static 32])
{
    size_t at = (size_t)bst_get_be64(digest) & (room - 1);
    while (table[at].path && memcmp(table[at].digest, digest, BST_SHA256_LEN) != 0)
        at = (at + 1) & (room - 1);
    return &table[at];
}

static bool grow(struct sweep_files *files)
{
    size_t room = files->room ? 2 * files->room : 1024;
    struct picture *table = bst_calloc(room, sizeof *table);
    if (!table) return false;
    for (size_t i = 0; i < files->room; i++)
        if (files->picture[i].path) *place_of(table, room, files->picture[i].digest) = files->picture[i];
    free(files->picture);
    files->picture = table;
    files->room = room;
    return true;
}

static enum bst_code tell_twice(struct bst_sweep *sweep, const struct file *file,
                                struct sweep_evidence evidence, struct bst_error *err)
{
    struct sweep_files *files = sweep->files;
    const uint8_t *digest = file->pixels_known ? file->pixels : file->plain;
    if (!sweep_wanted(sweep, SWEEP_FILE_TWICE)) return BST_OK;
    if (2 * files->count >= files->room && !grow(files)) return bst_fail_memory(err);
    struct picture *picture = place_of(files->picture, files->room, digest);
    if (picture->path) {
        sweep_named_file(&evidence, picture->path);
        sweep_tell(sweep, SWEEP_FILE_TWICE, &evidence, "The file shows the same picture as %s.",
                   picture->path);
        return BST_OK;
    }
    picture->path = bst_strdup(file->path);
    if (!picture->path) return bst_fail_memory(err);
    memcpy(picture->digest, digest, BST_SHA256_LEN);
    files->count++;
    return BST_OK;
}

/* ---- all of it ---- */

static enum bst_code tell(struct bst_sweep *sweep, const struct file *file, struct bst_error *err)
{
    char plain[BST_SHA256_HEX], pixels[BST_SHA256_HEX] = "";
    struct sweep_evidence evidence = {0};
    sweep_named_file(&evidence, file->path);
    if (file->unreadable) {
        sweep_tell(sweep, SWEEP_FILE_UNREADABLE, &evidence, "%s",
                   file->verdict.check_count ? file->verdict.checks[0].words : "The file cannot be read.");
        return BST_OK;
    }
    bst_hex(file->plain, sizeof file->plain, plain);
    if (file->pixels_known) bst_hex(file->pixels, sizeof file->pixels, pixels);
    sweep_digest(&evidence, plain);
    sweep_digest(&evidence, pixels);
    for (size_t i = 0; i < entry_count(file); i++) {
        uint64_t entry = entry_of(file, i);
        sweep_entry(&evidence, entry);
        if (entry < sweep->size) sweep->found[entry / 8] |= (uint8_t)(1u << entry % 8);
    }
    enum bst_code verdict = file->verdict.code;
    struct sweep_evidence about = evidence;
    if (verdict == BST_BROKEN)
        tell_broken(sweep, file, &about);
    else if (entry_count(file))
        tell_known(sweep, file, &about);
    else
        tell_unknown(sweep, file, &about);
    if (verdict == BST_UNTRUSTED) sweep_tell(sweep, SWEEP_FILE_SIGNER, &evidence, "%s", file->verdict.words);
    if (file->forbids) tell_used(sweep, file, &evidence);
    enum bst_code code = tell_withdrawn(sweep, file, evidence, err);
    return code == BST_OK ? tell_twice(sweep, file, evidence, err) : code;
}

static void file_clear(struct file *file)
{
    if (file->judged) bst_verdict_clear(&file->verdict);
    bst_container_clear(&file->container);
    bst_buf_free(&file->entries);
    free(file->path);
}

enum bst_code sweep_files_flush(struct bst_sweep *sweep, struct bst_error *err)
{
    struct sweep_files *files = sweep->files;
    enum bst_code code = BST_OK;
    bst_pool_run(files->pool, files->waiting, work, sweep);
    for (size_t i = 0; i < files->waiting; i++) {
        struct file *file = &files->file[i];
        if (code == BST_OK && file->code != BST_OK) {
            *err = file->err;
            code = err->code;
        }
        if (code == BST_OK) code = tell(sweep, file, err);
        if (code == BST_OK && sweep->stopped) code = bst_fail(err, BST_FAILURE, "interrupted");
        file_clear(file);
    }
    files->waiting = 0;
    return code;
}

enum bst_code sweep_files_take(struct bst_sweep *sweep, const char *path, struct bst_error *err)
{
    struct sweep_files *files = sweep->files;
    struct file *file = &files->file[files->waiting];
    *file = (struct file){.path = bst_strdup(path), .item = -1, .input = -1, .elsewhere = -1, .claimed = -1};
    if (!file->path) return bst_fail_memory(err);
    return ++files->waiting == AT_HAND ? sweep_files_flush(sweep, err) : BST_OK;
}

static const char roles_sql[] =
    "SELECT r.role, c.kind, r.entry FROM relation r JOIN record c ON c.entry = r.entry "
    "WHERE r.digest = ?1 AND r.role IN ('subject', 'pixels') UNION ALL "
    "SELECT w.column1, '', (SELECT min(entry) FROM relation WHERE digest = ?1 AND role = w.column1) AS e "
    "FROM "
    "(VALUES ('item'), ('input'), ('parent'), ('candidate'), ('before'), ('part')) w WHERE e IS NOT NULL";
static const char claim_sql[] = "SELECT entry FROM record WHERE image_id = lower(?1) ORDER BY entry LIMIT 1";

enum bst_code sweep_files_open(struct bst_sweep *sweep, struct bst_error *err)
{
    struct sweep_files *files = sweep->files = bst_calloc(1, sizeof *files);
    if (!files) return bst_fail_memory(err);
    enum bst_code code = bst_pool_new(sweep->options->threads, &files->pool, err);
    if (code != BST_OK) return code;
    unsigned threads = bst_pool_threads(files->pool);
    files->workers = bst_calloc(threads, sizeof *files->workers);
    files->file = bst_calloc(AT_HAND, sizeof *files->file);
    if (!files->workers || !files->file) return bst_fail_memory(err);
    for (unsigned i = 0; i < threads && code == BST_OK; i++) {
        struct worker *worker = &files->workers[i];
        code = bst_verifier_open(&sweep->options->verify, &worker->verifier, err);
        if (code == BST_OK)
            code = bst_ledger_open(sweep->options->ledger, BST_LEDGER_READ, &worker->ledger, err);
        if (code == BST_OK && (!(worker->roles = sweep_prepare(worker->ledger, roles_sql, err)) ||
                               !(worker->claim = sweep_prepare(worker->ledger, claim_sql, err))))
            code = err->code;
    }
    return code;
}

void sweep_files_close(struct bst_sweep *sweep)
{
    struct sweep_files *files = sweep->files;
    if (!files) return;
    for (size_t i = 0; i < files->waiting; i++)
        file_clear(&files->file[i]);
    for (unsigned i = 0; files->workers && i < bst_pool_threads(files->pool); i++) {
        sqlite3_finalize(files->workers[i].roles);
        sqlite3_finalize(files->workers[i].claim);
        bst_ledger_close(files->workers[i].ledger);
        bst_verifier_close(files->workers[i].verifier);
    }
    for (size_t i = 0; i < files->room; i++)
        free(files->picture[i].path);
    free(files->picture);
    free(files->workers);
    free(files->file);
    bst_pool_free(files->pool);
    free(files);
}
