/* stamp_adopt.c - pictures made elsewhere are taken up: judged, described, logged, and given a manifest of the author's.
 *
 * A file is walked and digested once when it is prepared, and copied once when it is delivered. Its pixels are
 * decoded only for their digest. What it came with stays: its own manifest becomes the parent of ours, byte for byte. */
#include "container_edit.h"
#include "key.h"
#include "metadata.h"
#include "stamp.h"
#include "stamp_file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARENT_MAX (8u << 20) /* bytes of a manifest store: it is held several times while it is taken over */

struct bst_adopt {
    struct bst_adopt_options options;
    char *source, *path; /* the file as given, and the one that will carry the manifest */
    char *output;        /* the picture that is written; NULL with a sidecar */
    char image_id[BST_UUID_LEN], when[BST_TIME_LEN];
    char source_type[96]; /* full URI, or "" */
    struct bst_container container;
    struct bst_canvas canvas;
    struct bst_marked marked; /* changes of the file's own metadata */
    bool shows_words, unlabelled;
    uint8_t sha256[BST_SHA256_LEN];
    bool has_parent;
    struct bst_c2pa parent;
    struct bst_opened opened;
    struct bst_buf envelope;
    struct bst_secrets secrets;
    struct bst_error unstamped;
};

void bst_adopt_free(struct bst_adopt *adopt)
{
    if (adopt == NULL) return;
    if (adopt->has_parent) bst_c2pa_clear(&adopt->parent);
    bst_container_clear(&adopt->container);
    bst_parent_clear(&adopt->opened.parent);
    bst_buf_free(&adopt->envelope);
    bst_secrets_clear(&adopt->secrets);
    bst_marked_clear(&adopt->marked);
    free(adopt->source);
    free(adopt->path);
    free(adopt->output);
    free(adopt);
}

/* ---- where it goes ---- */

/* A file that is replaced in its place is found behind links, which stay. */
static enum bst_code choose_paths(struct bst_adopt *adopt, const char *output, struct bst_error *err)
{
    bool same = !adopt->options.sidecar && strcmp(output, adopt->source) == 0;
    if (adopt->options.sidecar) {
        adopt->path = bst_sidecar_path(adopt->source, false);
    } else {
        adopt->output = same ? realpath(output, NULL) : bst_strdup(output);
        if (adopt->output == NULL && same) {
            bst_fail_errno(err, errno == ENOMEM ? BST_FAILURE : BST_UNREADABLE, "cannot open the file");
            return bst_where(err, "%s", output);
        }
        adopt->path = bst_strdup(output);
    }
    if (adopt->path == NULL || (!adopt->options.sidecar && adopt->output == NULL))
        return bst_fail_memory(err);
    if (same) {
        adopt->options.force = true;
        return BST_OK;
    }
    return !adopt->options.force && bst_file_exists(adopt->path) ? bst_refuse_existing(adopt->path, err)
                                                                 : BST_OK;
}

/* ---- what it came with ---- */

/* Did this author sign the statement in its receipt? */
static bool is_ours(const struct bst_stamper *stamper, const struct bst_c2pa *c2pa)
{
    struct bst_dsse dsse;
    struct bst_error ignored;
    if (!c2pa->intact || c2pa->envelope.len == 0) return false;
    if (bst_dsse_open(c2pa->envelope.data, c2pa->envelope.len, &dsse, &ignored) != BST_OK) return false;
    bool ours = bst_dsse_verify(&dsse, bst_key_public(stamper->author_key));
    bst_dsse_clear(&dsse);
    return ours;
}

static const char *failure_of(const struct bst_c2pa *c2pa)
{
    for (size_t i = 0; i < c2pa->status_count; i++) {
        const struct bst_status *status = &c2pa->statuses[i];
        if (status->kind == BST_STATUS_FAILURE && strncmp(status->code, "signingCredential.", 18) != 0)
            return status->words;
    }
    return "they cannot be checked";
}

static enum bst_code take_parent(struct bst_adopt *adopt, struct bst_error *err)
{
    struct bst_c2pa *parent = &adopt->parent;
    if (adopt->options.sidecar) {
        bst_fail(err, BST_USAGE,
                 "the file has credentials of its own, beside which nobody would look for others");
        bst_hint(err, "sign a copy of the file (-o DIR): it keeps them as those of its parent");
        return bst_where(err, "%s", adopt->source);
    }
    if (parent->store.len > PARENT_MAX) {
        bst_fail(err, BST_UNREADABLE,
                 "the file's own credentials are larger than the %u bytes that are carried on", PARENT_MAX);
        return bst_where(err, "%s", adopt->source);
    }
    if (!parent->intact && !adopt->options.accept_broken) {
        bst_fail(err, BST_BROKEN, "the file's own credentials do not hold: %.300s", failure_of(parent));
        bst_hint(err, "--accept-broken signs it all the same, and records that they did not hold");
        return bst_where(err, "%s", adopt->source);
    }
    return bst_parent_take(&adopt->opened.parent, parent, err);
}

/* *ours is set when the author's stamp is on it already. */
static enum bst_code read_parent(const struct bst_stamper *stamper, struct bst_adopt *adopt, bool *ours,
                                 struct bst_error *err)
{
    enum bst_code code = bst_c2pa_read(adopt->source, &adopt->container, stamper->trust, &adopt->parent, err);
    if (code == BST_NO_PROVENANCE) {
        *err = (struct bst_error){0};
        return BST_OK;
    }
    if (code == BST_BROKEN) bst_hint(err, "credentials that cannot be read cannot be kept either");
    if (code != BST_OK) return code;
    adopt->has_parent = true;
    *ours = is_ours(stamper, &adopt->parent) && !adopt->options.again;
    if (*ours) return BST_OK;
    if (adopt->parent.sidecar && adopt->options.sidecar && adopt->options.force) { /* it is replaced */
        bst_c2pa_clear(&adopt->parent);
        adopt->has_parent = false;
        return BST_OK;
    }
    return take_parent(adopt, err);
}

/* ---- digests ---- */

static bool digest_put(void *arg, const void *data, size_t len)
{
    bst_sha256_update(arg, data, len);
    return true;
}

static enum bst_code digest_edited(const char *path, const struct bst_edits *edits,
                                   uint8_t out[static BST_SHA256_LEN], struct bst_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct bst_sha256_state *state = fd < 0 ? NULL : bst_sha256_new();
    enum bst_code code = BST_OK;
    if (fd < 0) {
        bst_fail_errno(err, BST_UNREADABLE, "cannot open the file");
        return bst_where(err, "%s", path);
    }
    code = state == NULL ? bst_fail_memory(err) : bst_splice(fd, edits, digest_put, state, path, err);
    if (state != NULL) bst_sha256_final(state, out);
    close(fd);
    return code;
}

/* bst_opened's digest, for WebP: the length in the file's head counts the manifest. */
static enum bst_code digest_around(void *arg, size_t store_len, uint8_t out[static BST_SHA256_LEN],
                                   struct bst_error *err)
{
    const struct bst_adopt *adopt = arg;
    struct bst_edits edits;
    enum bst_code code = bst_edit_around(&adopt->container, &adopt->canvas, store_len, &edits, err);
    if (code == BST_OK) code = digest_edited(adopt->source, &edits, out, err);
    bst_edits_clear(&edits);
    return code;
}

/* Of the finished file without its manifest; found is the digest of the file as it is. */
static enum bst_code digest_plain(struct bst_adopt *adopt, const uint8_t found[static BST_SHA256_LEN],
                                  struct bst_error *err)
{
    struct bst_edits edits = {0};
    struct bst_place place;
    enum bst_code code = BST_OK;
    if (!adopt->options.sidecar)
        code = bst_edit_manifest(&adopt->container, &adopt->canvas, NULL, &edits, &place, err);
    if (code == BST_OK && edits.count == 0) {
        memcpy(adopt->sha256, found, BST_SHA256_LEN);
    } else if (code == BST_OK) {
        code = digest_edited(adopt->source, &edits, adopt->sha256, err);
    }
    bst_edits_clear(&edits);
    return code;
}

/* ---- what is written into the file's own metadata ---- */

static bool names_model(const char *source_type)
{
    return source_type != NULL && strstr(source_type, "rainedAlgorithmicMedia") != NULL;
}

/* A mark that a model had a part in the picture is never replaced by one that says otherwise. *kept is set when the file's
 * own word says what is declared, more closely. */
static enum bst_code check_source(const struct bst_adopt *adopt, const json_t *metadata, bool *kept,
                                  struct bst_error *err)
{
    const char *found = bst_json_text(json_object_get(metadata, "xmp"), "Iptc4xmpExt:DigitalSourceType");
    enum bst_source source = adopt->options.source;
    *kept = false;
    if (!names_model(found) || source == BST_SOURCE_UNKNOWN || source == BST_SOURCE_IS_GENERATED)
        return BST_OK;
    *kept = source == BST_SOURCE_IS_COMPOSITE && strstr(found, "compositeWith") != NULL;
    if (*kept) return BST_OK;
    bst_fail(err, BST_USAGE, "the file's metadata says that a model had a part in it (%.100s)",
             bst_path_name(found));
    bst_hint(err, "--keep-metadata signs what you declare all the same, and leaves the file's word as it is");
    return bst_where(err, "%s", adopt->source);
}

static enum bst_code make_label(const struct bst_stamper *stamper, struct bst_adopt *adopt,
                                const struct bst_adoption *adoption, const json_t *metadata, json_t **out,
                                struct bst_error *err)
{
    const json_t *says = adoption->says;
    json_t *found = bst_aigc_find(metadata);
    const struct bst_aigc_picture picture = {
        .image_id = adopt->image_id,
        .pixels_sha256 = adoption->pixels_sha256,
        .key = stamper->author_key,
        .generated = adopt->options.source == BST_SOURCE_IS_GENERATED,
        .composed = adopt->options.source == BST_SOURCE_IS_COMPOSITE,
        .traces =
            bst_json_text(says, "program") != NULL || names_model(bst_json_text(says, "digitalSourceType")),
        .found = found,
    };
    enum bst_code code = bst_stamp_label(stamper, &picture, out, err);
    if (code != BST_OK) bst_where(err, "%s", adopt->source);
    adopt->unlabelled = stamper->labels && *out == NULL;
    json_decref(found);
    return code;
}

static enum bst_code mark(const struct bst_stamper *stamper, struct bst_adopt *adopt,
                          struct bst_adoption *adoption, const json_t *metadata, struct bst_error *err)
{
    bool kept;
    json_t *label = NULL;
    if (adopt->options.sidecar || adopt->options.keep_metadata) return BST_OK;
    enum bst_code code = check_source(adopt, metadata, &kept, err);
    if (code == BST_OK) code = make_label(stamper, adopt, adoption, metadata, &label, err);
    const struct bst_marks marks = {
        .image_id = adopt->image_id,
        .when = adopt->when,
        .source_type = adopt->opened.parent.source_type == NULL || kept ? NULL : adopt->source_type,
        .no_train = stamper->no_train,
        .aigc = label,
        .metadata = metadata,
    };
    if (code == BST_OK)
        code = bst_metadata_edit(adopt->source, &adopt->container, &marks, &adopt->marked, err);
    json_decref(label);
    adopt->canvas.metadata = &adopt->marked.edits;
    adopt->canvas.exif = adopt->marked.exif;
    adopt->canvas.xmp = adopt->marked.xmp;
    adopt->opened.edited = adopt->marked.edits.count > 0;
    adoption->written = adopt->marked.written;
    adoption->replaced = adopt->marked.replaced;
    return code;
}

/* ---- preparing ---- */

/* What the statement says of the picture itself, without decoding it if it may. */
static enum bst_code read_picture(const struct bst_stamper *stamper, struct bst_adopt *adopt,
                                  struct bst_adoption *adoption, struct bst_error *err)
{
    const struct bst_container *container = &adopt->container;
    struct bst_image image;
    if (container->width == 0 || container->height == 0) {
        bst_fail(err, BST_UNREADABLE, "the picture's header gives it no size");
        return bst_where(err, "%s", adopt->source);
    }
    adopt->canvas = (struct bst_canvas){
        .width = container->width, .height = container->height, .alpha = container->alpha};
    adoption->width = container->width;
    adoption->height = container->height;
    adoption->has_pixels = adopt->options.pixels || stamper->labels; /* a label is sealed to them */
    return adoption->has_pixels ? bst_image_digest_file(adopt->source, &image, adoption->pixels_sha256, err)
                                : BST_OK;
}

static enum bst_code sign_statement(const struct bst_stamper *stamper, struct bst_adopt *adopt,
                                    const struct bst_adoption *adoption, struct bst_error *err)
{
    struct bst_buf payload = {0};
    enum bst_code code = bst_statement_adoption(adoption, &stamper->identity, &adopt->secrets, &payload, err);
    if (code == BST_OK)
        code = bst_dsse_sign(payload.data, payload.len, stamper->author_key, &adopt->envelope, err);
    bst_buf_free(&payload);
    bool named = adopt->options.privacy < BST_PRIVATE;
    if (!named) bst_word_keep(&adopt->secrets, "file_name", &adopt->opened.parent.name);
    adopt->shows_words = adopt->secrets.count > (named ? 0u : 1u); /* its name is not in it */
    return code;
}

static void describe(struct bst_adopt *adopt)
{
    struct bst_opened *opened = &adopt->opened;
    const char *iptc = bst_source_iptc(adopt->options.source);
    if (iptc != NULL) snprintf(adopt->source_type, sizeof(adopt->source_type), BST_SOURCE_TYPES "%s", iptc);
    opened->parent.relationship = "parentOf";
    if (adopt->options.privacy < BST_PRIVATE) opened->parent.name.words = bst_path_name(adopt->source);
    opened->parent.media_type = bst_media_type(adopt->container.format);
    opened->parent.source_type = iptc == NULL ? NULL : adopt->source_type;
    opened->generated =
        adopt->options.source == BST_SOURCE_IS_GENERATED || adopt->options.source == BST_SOURCE_IS_COMPOSITE;
    opened->format = adopt->container.format;
    opened->detached = adopt->options.sidecar;
    if (opened->format == BST_FORMAT_WEBP && !opened->detached) {
        opened->digest = digest_around;
        opened->digest_arg = adopt;
    }
    bst_uuid4(adopt->image_id);
}

/* What is said of the picture, in its metadata and in the statement. */
static enum bst_code say(const struct bst_stamper *stamper, struct bst_adopt *adopt,
                         struct bst_adoption *adoption, struct bst_error *err)
{
    json_t *metadata = NULL, *says = NULL;
    enum bst_code code = bst_metadata_read(adopt->source, &adopt->container, &metadata, err);
    if (code == BST_OK && (says = bst_metadata_origin(metadata)) == NULL) code = bst_fail_memory(err);
    adoption->says = says;
    if (code == BST_OK) code = mark(stamper, adopt, adoption, metadata, err);
    if (code == BST_OK) code = digest_plain(adopt, adoption->found_sha256, err);
    memcpy(adoption->sha256, adopt->sha256, BST_SHA256_LEN);
    if (code == BST_OK) code = sign_statement(stamper, adopt, adoption, err);
    json_decref(metadata);
    json_decref(says);
    return code;
}

static enum bst_code prepare(const struct bst_stamper *stamper, struct bst_adopt *adopt, bool *ours,
                             struct bst_error *err)
{
    struct bst_adoption adoption = {
        .adopted_ms = bst_now_ms(), .source = adopt->options.source, .privacy = adopt->options.privacy};
    enum bst_code code = bst_container_scan(adopt->source, &adopt->container, err);
    if (code == BST_OK && !bst_format_has_pixels(adopt->container.format)) {
        bst_fail(err, BST_USAGE, "%s files are judged by this version, but not signed",
                 bst_format_name(adopt->container.format));
        bst_hint(err,
                 "convert the picture to PNG, JPEG or WebP and sign that; verify and show read it as it is");
        return bst_where(err, "%s", adopt->source);
    }
    if (code == BST_OK) code = read_parent(stamper, adopt, ours, err);
    if (code != BST_OK || *ours) return code;
    code = read_picture(stamper, adopt, &adoption, err);
    if (code != BST_OK) return code;
    describe(adopt);
    bst_time_text(adoption.adopted_ms, adopt->when);
    adoption.file_name = bst_path_name(adopt->output == NULL ? adopt->source : adopt->output);
    adoption.image_id = adopt->image_id;
    adoption.media_type = adopt->opened.parent.media_type;
    adoption.parent = adopt->has_parent ? &adopt->parent : NULL;
    code = bst_sha256_file(adopt->source, adoption.found_sha256, err);
    if (code == BST_OK && stamper->thumbnail && adopt->options.privacy < BST_PRIVATE)
        code = bst_thumbnail_file(adopt->source, &adopt->opened.parent.thumbnail, err);
    return code == BST_OK ? say(stamper, adopt, &adoption, err) : code;
}

enum bst_code bst_adopt_prepare(const struct bst_stamper *stamper, const char *path, const char *output,
                                const struct bst_adopt_options *options, struct bst_adopt **out,
                                struct bst_error *err)
{
    bool ours = false;
    struct bst_adopt *adopt = bst_calloc(1, sizeof(*adopt));
    *out = NULL;
    if (adopt == NULL) return bst_fail_memory(err);
    adopt->options = *options;
    adopt->source = bst_strdup(path);
    enum bst_code code = adopt->source == NULL ? bst_fail_memory(err) : prepare(stamper, adopt, &ours, err);
    if (code == BST_OK && !ours) code = choose_paths(adopt, output, err);
    if (code == BST_OK && !ours) {
        *out = adopt;
    } else {
        bst_adopt_free(adopt);
    }
    return code;
}

/* ---- delivering ---- */

static enum bst_code make_store(const struct bst_stamper *stamper, struct bst_adopt *adopt,
                                const struct bst_proof *proof, const struct bst_place *place,
                                struct bst_buf *store, struct bst_error *err)
{
    struct bst_manifest manifest = {
        .unstamped = &adopt->unstamped,
        .image_id = adopt->image_id,
        .when = adopt->when,
        .thumbnail = &adopt->opened.parent.thumbnail, /* its pixels are the parent's */
        .chunk_start = place->start,
        .opened = &adopt->opened,
    };
    memcpy(manifest.file_sha256, adopt->sha256, BST_SHA256_LEN);
    return bst_stamp_store(stamper, &manifest, &adopt->envelope, proof, store, err);
}

/* The finished picture, with the permissions of the one it was made from. */
static enum bst_code write_picture(const struct bst_adopt *adopt, const struct bst_edits *edits, int to,
                                   struct bst_error *err)
{
    struct stat info;
    int from = open(adopt->source, O_RDONLY | O_CLOEXEC);
    if (from < 0) {
        bst_fail_errno(err, BST_UNREADABLE, "cannot open the file");
        return bst_where(err, "%s", adopt->source);
    }
    enum bst_code code = bst_splice_into(from, to, edits, adopt->source, adopt->output, err);
    if (code == BST_OK &&
        (fstat(from, &info) != 0 || fchmod(to, info.st_mode & 07777) != 0 || fsync(to) != 0)) {
        bst_fail_errno(err, BST_FAILURE, "cannot write the file");
        code = bst_where(err, "%s", adopt->output);
    }
    close(from);
    return code;
}

static enum bst_code deliver_picture(const struct bst_stamper *stamper, struct bst_adopt *adopt,
                                     const struct bst_proof *proof, struct bst_error *err)
{
    struct bst_edits edits = {0};
    struct bst_place place;
    struct bst_buf store = {0};
    char *finished = NULL;
    enum bst_code code = bst_edit_manifest(&adopt->container, &adopt->canvas, NULL, &edits, &place, err);
    bst_edits_clear(&edits);
    if (code == BST_OK) code = make_store(stamper, adopt, proof, &place, &store, err);
    if (code == BST_OK)
        code = bst_edit_manifest(&adopt->container, &adopt->canvas, &store, &edits, &place, err);
    int to = code == BST_OK ? bst_create_beside(adopt->output, &finished, err) : -1;
    if (code == BST_OK) code = to < 0 ? err->code : write_picture(adopt, &edits, to, err);
    if (to >= 0 && close(to) != 0 && code == BST_OK) {
        bst_fail_errno(err, BST_FAILURE, "cannot write the file");
        code = bst_where(err, "%s", adopt->output);
    }
    if (code == BST_OK) code = bst_stamp_check(stamper, finished, NULL, err);
    if (code == BST_OK) code = bst_take_name(finished, adopt->output, adopt->options.force, err);
    if (code != BST_OK && finished != NULL) unlink(finished);
    if (code == BST_OK) bst_name_sync(adopt->output);
    free(finished);
    bst_edits_clear(&edits);
    bst_buf_free(&store);
    return code;
}

static enum bst_code deliver_sidecar(const struct bst_stamper *stamper, struct bst_adopt *adopt,
                                     const struct bst_proof *proof, struct bst_error *err)
{
    const struct bst_place place = {0}; /* nowhere in the file */
    struct bst_buf store = {0};
    enum bst_code code = make_store(stamper, adopt, proof, &place, &store, err);
    if (code == BST_OK) code = bst_stamp_check(stamper, adopt->source, &store, err);
    if (code == BST_OK)
        code = bst_file_write(adopt->path, store.data, store.len,
                              adopt->options.force ? BST_WRITE_REPLACE : 0, err);
    bst_buf_free(&store);
    return code;
}

/* ---- committing ---- */

struct delivery {
    struct bst_stamper *stamper;
    struct bst_adopt *const *adopts; /* without NULLs */
    const struct bst_proof *proofs;
    struct bst_error *problems;
};

static void deliver(void *arg, size_t i, unsigned thread)
{
    const struct delivery *all = arg;
    struct bst_adopt *adopt = all->adopts[i];
    (void)thread;
    enum bst_code code = adopt->options.sidecar
                             ? deliver_sidecar(all->stamper, adopt, &all->proofs[i], &all->problems[i])
                             : deliver_picture(all->stamper, adopt, &all->proofs[i], &all->problems[i]);
    if (code == BST_OK) all->problems[i].what[0] = 0; /* of a question on the way, such as for a sidecar */
}

static enum bst_code report(const struct delivery *all, size_t count, bst_adopted_fn done, void *arg,
                            struct bst_error *err)
{
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < count; i++) {
        const struct bst_adopt *adopt = all->adopts[i];
        struct bst_error *problem = &all->problems[i];
        uint64_t index = all->proofs[i].index;
        bool failed = problem->what[0] != 0;
        if (!failed && adopt->unstamped.code != BST_OK) { /* delivered, but not all that was asked */
            *problem = adopt->unstamped;
            bst_where(problem, "%s got no time stamp", adopt->path);
            bst_hint(problem, "blindstamp timestamp add gives it one later");
            failed = true;
        }
        if (failed && problem->hint[0] == 0) {
            bst_hint(problem, "the ledger already holds the picture's statement as entry %llu",
                     (unsigned long long)index);
        }
        if (failed && code == BST_OK) {
            code = problem->code;
            *err = *problem;
        }
        const struct bst_adopted adopted = {
            .path = adopt->path,
            .source = adopt->source,
            .index = index,
            .image_id = adopt->image_id,
            .unshown = all->stamper->thumbnail && adopt->options.privacy < BST_PRIVATE &&
                       adopt->opened.parent.thumbnail.len == 0,
            .shows_words = adopt->shows_words,
            .unlabelled = adopt->unlabelled,
            .problem = failed ? problem : NULL,
        };
        if (done != NULL) done(arg, &adopted);
    }
    return code;
}

enum bst_code bst_adopt_commit(struct bst_stamper *stamper, struct bst_adopt *const *adopts, size_t count,
                               struct bst_pool *pool, bst_adopted_fn done, void *arg, struct bst_error *err)
{
    size_t used = 0;
    struct bst_adopt **list = bst_calloc(count, sizeof(struct bst_adopt *));
    struct bst_entry *entries = bst_calloc(count, sizeof(*entries));
    struct bst_proof *proofs = bst_calloc(count, sizeof(*proofs));
    struct bst_error *problems = bst_calloc(count, sizeof(*problems));
    bool whole = list != NULL && entries != NULL && proofs != NULL && problems != NULL;
    for (size_t i = 0; i < count && whole; i++) {
        if (adopts[i] == NULL) continue;
        entries[used] =
            (struct bst_entry){adopts[i]->envelope.data, adopts[i]->envelope.len, &adopts[i]->secrets};
        list[used++] = adopts[i];
    }
    enum bst_code code = whole ? BST_OK : bst_fail_memory(err);
    if (code == BST_OK && used > 0)
        code = bst_ledger_append(stamper->ledger, stamper->log_key, entries, used, proofs, err);
    if (code == BST_OK && used > 0) {
        struct delivery all = {stamper, list, proofs, problems};
        bst_pool_run(pool, used, deliver, &all);
        code = report(&all, used, done, arg, err);
        for (size_t i = 0; i < used; i++)
            bst_proof_clear(&proofs[i]);
    }
    free(list);
    free(entries);
    free(proofs);
    free(problems);
    return code;
}

/* ---- checking ---- */

static enum bst_code check_state(const struct bst_c2pa *c2pa, struct bst_error *err)
{
    const char *words = "its signature was not accepted";
    for (size_t i = 0; i < c2pa->status_count; i++) {
        if (c2pa->statuses[i].kind == BST_STATUS_FAILURE) words = c2pa->statuses[i].words;
    }
    if (c2pa->state == BST_C2PA_TRUSTED) return BST_OK;
    return bst_fail(err, BST_FAILURE, "the finished picture does not validate: %s", words);
}

enum bst_code bst_stamp_check(const struct bst_stamper *stamper, const char *path,
                              const struct bst_buf *store, struct bst_error *err)
{
    struct bst_container container;
    struct bst_c2pa c2pa;
    enum bst_code code = bst_container_scan(path, &container, err);
    if (code != BST_OK) return code;
    code = store == NULL ? bst_c2pa_read(path, &container, stamper->trust, &c2pa, err)
                         : bst_c2pa_read_detached(path, &container, store->data, store->len, stamper->trust,
                                                  &c2pa, err);
    if (code == BST_OK) {
        code = check_state(&c2pa, err);
        bst_c2pa_clear(&c2pa);
    }
    bst_container_clear(&container);
    return code;
}
