/* verify.c - one file -> checks and a verdict. Every check is made, whatever the ones before it found, so
 * that the verdict can say what was changed and what was not. Only the pixels are left alone when the bytes that they are
 * decoded from are proved to be the signed ones. */
#include "verify.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void judge_say(struct judge *judge, const char *id, enum bst_result result, const char *format, ...)
{
    struct bst_verdict *verdict = judge->verdict;
    if (verdict->check_count == sizeof verdict->checks / sizeof *verdict->checks) return;
    struct bst_check *check = &verdict->checks[verdict->check_count++];
    check->id = id;
    check->result = result;
    va_list args;
    va_start(args, format);
    vsnprintf(check->words, sizeof check->words, format, args);
    va_end(args);
}

/* ---- what is at hand: identity, certificates, ledger ---- */

static enum bst_code open_ledger(struct judge *judge, struct bst_error *err)
{
    const struct bst_verify_options *options = judge->options;
    if (options->ledger) {
        judge->ledger_asked_for = true;
        return bst_ledger_open(options->ledger, BST_LEDGER_READ, &judge->ledger, err);
    }
    if (!judge->has_identity) return BST_OK;
    char *path = bst_path_join(options->home, "ledger.sqlite");
    if (!path) return bst_fail_memory(err);
    /* A damaged ledger at home does not stop a picture from being judged by its own credentials. */
    if (bst_file_exists(path)) {
        if (bst_ledger_open(path, BST_LEDGER_READ, &judge->ledger, &judge->ledger_closed) != BST_OK)
            judge->ledger = NULL;
    } else {
        bst_fail(&judge->ledger_closed, BST_FAILURE, "%s is missing", path);
    }
    free(path);
    return BST_OK;
}

static enum bst_code trust_self(struct judge *judge, struct bst_error *err)
{
    enum bst_code code = bst_trust_new(&judge->own_trust, err);
    if (code == BST_OK) code = bst_trust_self(judge->own_trust, judge->options->home, err);
    judge->trust = judge->own_trust;
    return code;
}

static enum bst_code gather(struct judge *judge, struct bst_error *err)
{
    judge->trust = judge->options->trust;
    const char *home = judge->options->home;
    char *identity = home ? bst_path_join(home, "identity.json") : NULL;
    enum bst_code code = home && !identity ? bst_fail_memory(err) : BST_OK;
    if (code == BST_OK && identity && bst_file_exists(identity)) {
        code = bst_identity_load(home, &judge->identity, err);
        judge->has_identity = code == BST_OK;
        if (code == BST_OK && !judge->trust) code = trust_self(judge, err);
    }
    free(identity);
    return code == BST_OK ? open_ledger(judge, err) : code;
}

/* ---- the file itself ---- */

enum bst_code judge_pixels(struct judge *judge, struct bst_error *err)
{
    struct bst_image *image = &judge->image;
    enum bst_code code = BST_OK;
    if (judge->has_pixels) return BST_OK;
    if (!judge->options->replay) {
        code = bst_image_digest_file(judge->path, image, judge->pixels_sha256, err);
    } else if ((code = bst_image_load(judge->path, image, err)) == BST_OK) {
        bst_image_digest(image, judge->pixels_sha256);
    }
    judge->has_pixels = code == BST_OK;
    return code;
}

enum bst_code judge_bytes(struct judge *judge, struct bst_error *err)
{
    enum bst_code code = BST_OK;
    if (judge->has_sha256) return BST_OK;
    if (judge->c2pa.has_file_sha256) /* the binding asked for the same */
        memcpy(judge->sha256, judge->c2pa.file_sha256, sizeof judge->sha256);
    else
        code = bst_container_digest_plain(judge->path, &judge->container, judge->sha256, err);
    judge->has_sha256 = code == BST_OK;
    return code;
}

static enum bst_code read_file(struct judge *judge, struct bst_error *err)
{
    enum bst_code code = bst_container_scan(judge->path, &judge->container, err);
    const char *format = bst_format_name(judge->container.format);
    bool decoded = bst_format_has_pixels(judge->container.format);
    judge->image.width = judge->container.width;
    judge->image.height = judge->container.height;
    if (code == BST_OK && decoded && (judge->image.width == 0 || judge->image.height == 0))
        code = bst_fail(err, BST_UNREADABLE, "the picture's header gives it no size");
    if (code == BST_OK && decoded && (judge->options->pixels || judge->options->replay))
        code = judge_pixels(judge, err);
    if (code != BST_OK) return code;
    if (decoded)
        judge_say(judge, "file", BST_PASS, "The file is a whole %s picture of %u x %u pixels.", format,
                  judge->image.width, judge->image.height);
    else
        judge_say(judge, "file", BST_PASS, "The file is a whole %s file, whose pixels are not looked at.",
                  format);
    return BST_OK;
}

/* A file that cannot be read gets a verdict too; a machine that cannot read it is a failure. */
static enum bst_code unreadable(struct judge *judge, struct bst_error *err)
{
    if (err->code != BST_UNREADABLE && err->code != BST_BROKEN) return err->code;
    judge->verdict->check_count = 0; /* its container may have looked well */
    judge_say(judge, "file", BST_FAIL, "The file cannot be read: %s%s%s.", err->what,
              err->where[0] ? ": " : "", err->where);
    *err = (struct bst_error){0};
    judge->verdict->code = BST_UNREADABLE;
    snprintf(judge->verdict->words, sizeof judge->verdict->words,
             "The file is damaged or no picture that can be read; nothing can be said of its origin.");
    return BST_OK;
}

/* ---- metadata ---- */

/* Finds a text that names the picture or the kind of its source anywhere in the metadata. */
static bool mentions(const json_t *value, const char *text, unsigned depth)
{
    const char *key;
    json_t *member;
    size_t i;
    if (json_is_string(value)) return strstr(json_string_value(value), text) != NULL;
    if (depth > 16) return false;
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        if (mentions(member, text, depth + 1)) return true;
    }
    json_array_foreach(value, i, member)
    {
        if (mentions(member, text, depth + 1)) return true;
    }
    return false;
}

/* EXIF and XMP are words for other programs. They must not contradict what is signed. */
static enum bst_code judge_metadata(struct judge *judge, struct bst_error *err)
{
    if (!judge->has_statement || !judge->facts.generation) return BST_OK;
    enum bst_code code = bst_metadata_read(judge->path, &judge->container, &judge->metadata, err);
    if (code == BST_UNREADABLE || code == BST_BROKEN) {
        judge_say(judge, "metadata", BST_FAIL, "The descriptive metadata cannot be read: %s.", err->what);
        *err = (struct bst_error){0};
        return BST_OK;
    }
    if (code != BST_OK) return code;
    const json_t *xmp = json_object_get(judge->metadata, "xmp");
    const struct facts *facts = &judge->facts;
    if (!mentions(xmp, "rainedAlgorithmicMedia", 0))
        judge_say(judge, "metadata", BST_FAIL,
                  "The descriptive metadata does not say that the picture is AI-made, as "
                  "the signed statement does.");
    else if (facts->image_id && !mentions(xmp, facts->image_id, 0))
        judge_say(judge, "metadata", BST_FAIL,
                  "The descriptive metadata names another picture than the signed "
                  "statement does.");
    else if (facts->author && !mentions(judge->metadata, facts->author, 0))
        judge_say(judge, "metadata", BST_FAIL,
                  "The descriptive metadata does not name the author of the signed "
                  "statement.");
    else
        judge_say(judge, "metadata", BST_PASS, "The descriptive metadata agrees with the signed statement.");
    return BST_OK;
}

/* ---- the whole ---- */

/* Copies what the file tells into the verdict. */
static enum bst_code tell(struct judge *judge, struct bst_error *err)
{
    struct bst_verdict *v = judge->verdict;
    const struct facts *f = &judge->facts;
    const struct {
        const char *from;
        char **to;
    } texts[] = {{f->author, &v->author},
                 {f->key_id, &v->author_key_id},
                 {f->model, &v->model},
                 {f->title, &v->title},
                 {f->prompt, &v->prompt},
                 {f->seed, &v->seed},
                 {f->adoption ? NULL : f->made, &v->made},
                 {f->image_id, &v->image_id}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].from && !*texts[i].to && !(*texts[i].to = bst_strdup(texts[i].from)))
            return bst_fail_memory(err);
    const char *signer = judge->c2pa.signer;
    if (!v->author && signer && !(v->author = bst_printable(signer, strlen(signer))))
        return bst_fail_memory(err);
    if (judge->has_statement)
        v->statement = json_incref(judge->opened ? judge->opened : judge->dsse.statement);
    return BST_OK;
}

/* A file without credentials, of which the ledger at hand may know more; of that, a replay is a proof. */
static enum bst_code judge_without(struct judge *judge, struct bst_error *err)
{
    struct bst_verdict *v = judge->verdict;
    enum bst_code code = judge_lost(judge, err);
    if (code == BST_OK) code = judge_label(judge, err);
    if (code == BST_OK && v->checks[v->check_count - 1].result == BST_FAIL) judge_conclude(judge);
    if (code != BST_OK || !judge->options->replay) return code;
    code = judge_replay(judge, err);
    if (code == BST_OK && v->checks[v->check_count - 1].result == BST_FAIL) judge_conclude(judge);
    return code;
}

static enum bst_code judge_file(struct judge *judge, struct bst_error *err)
{
    enum bst_code code = read_file(judge, err);
    if (code != BST_OK) return unreadable(judge, err);
    code = judge_credential(judge, err);
    if (code == BST_NO_PROVENANCE) { /* then nothing vouches for the file but that it can be decoded */
        *err = (struct bst_error){0};
        code = bst_format_has_pixels(judge->container.format) ? judge_pixels(judge, err) : BST_OK;
        return code == BST_OK ? judge_without(judge, err) : unreadable(judge, err);
    }
    if (code == BST_OK) code = judge_receipt(judge, err);
    if (code == BST_OK) code = judge_metadata(judge, err);
    if (code == BST_OK) code = judge_label(judge, err);
    if (code == BST_OK && judge->options->replay) code = judge_replay(judge, err);
    if (code == BST_OK) code = tell(judge, err);
    if (code == BST_OK) judge_conclude(judge);
    return code;
}

/* What every judge begins with. */
struct bst_verifier {
    struct judge judge;
};

enum bst_code bst_verifier_open(const struct bst_verify_options *options, struct bst_verifier **out,
                                struct bst_error *err)
{
    struct bst_verifier *verifier = bst_calloc(1, sizeof *verifier);
    if (!verifier) return bst_fail_memory(err);
    verifier->judge.options = options;
    enum bst_code code = gather(&verifier->judge, err);
    if (code == BST_OK)
        *out = verifier;
    else
        bst_verifier_close(verifier);
    return code;
}

void bst_verifier_close(struct bst_verifier *verifier)
{
    if (!verifier) return;
    bst_ledger_close(verifier->judge.ledger);
    bst_identity_clear(&verifier->judge.identity);
    bst_trust_free(verifier->judge.own_trust);
    free(verifier);
}

enum bst_code bst_verifier_judge(const struct bst_verifier *verifier, const char *path,
                                 struct bst_verdict *out, struct bst_error *err)
{
    *out = (struct bst_verdict){.path = bst_strdup(path)};
    if (!out->path) return bst_fail_memory(err);
    struct judge judge = verifier->judge;
    judge.path = path;
    judge.verdict = out;
    enum bst_code code = judge_file(&judge, err);
    out->has_sha256 = judge.has_sha256;
    out->has_pixels = judge.has_pixels;
    memcpy(out->sha256, judge.sha256, sizeof out->sha256);
    memcpy(out->pixels_sha256, judge.pixels_sha256, sizeof out->pixels_sha256);
    json_decref(judge.opened);
    json_decref(judge.metadata);
    bst_proof_clear(&judge.proof);
    if (judge.has_statement) bst_dsse_clear(&judge.dsse);
    bst_c2pa_clear(&judge.c2pa);
    bst_image_clear(&judge.image);
    bst_container_clear(&judge.container);
    if (code != BST_OK) bst_verdict_clear(out);
    return code;
}

enum bst_code bst_verify(const char *path, const struct bst_verify_options *options, struct bst_verdict *out,
                         struct bst_error *err)
{
    struct bst_verifier *verifier = NULL;
    enum bst_code code = bst_verifier_open(options, &verifier, err);
    if (code == BST_OK) code = bst_verifier_judge(verifier, path, out, err);
    bst_verifier_close(verifier);
    return code;
}
