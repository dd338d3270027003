/* train_checkpoint.c - a training run on disk, in the machine's own byte order: it goes on only where it
 * began.
 *
 *   magic "BSTTRAIN", struct header, then for each network its values, first and second moments, and for the
 *   generator its averages; last the SHA-256 of everything before.
 */
#include "train_run.h"

#include <string.h>

#define CHECKPOINT_MAX ((size_t)1 << 30)
static const char magic[8] = "BSTTRAIN";

struct header {
    uint64_t version, seed, step;
    uint64_t count[1 + TRAIN_JUDGES];
    uint8_t dataset[BST_SHA256_LEN];
    uint64_t batch, crop;
};

static struct header header_of(const struct train_run *run)
{
    struct header h;
    memset(&h, 0, sizeof h);
    h.version = 1;
    h.seed = run->seed;
    h.step = run->step;
    for (size_t net = 0; net <= TRAIN_JUDGES; net++)
        h.count[net] = run->weights[net].count;
    memcpy(h.dataset, run->set.digest, sizeof h.dataset);
    h.batch = run->settings.batch;
    h.crop = run->settings.crop;
    return h;
}

/* The arrays of a network in the order of the file; returns how many. */
static size_t arrays_of(const struct train_run *run, size_t net, float *out[4])
{
    const struct train_weights *w = &run->weights[net];
    out[0] = w->value;
    out[1] = w->moment1;
    out[2] = w->moment2;
    out[3] = w->average;
    return net == 0 ? 4 : 3;
}

enum bst_code train_checkpoint_save(const struct train_run *run, const char *path, struct bst_error *err)
{
    struct bst_buf file = {0};
    struct header header = header_of(run);
    bst_buf_append(&file, magic, sizeof magic);
    bst_buf_append(&file, &header, sizeof header);
    for (size_t net = 0; net <= TRAIN_JUDGES; net++) {
        float *array[4];
        size_t arrays = arrays_of(run, net, array);
        for (size_t i = 0; i < arrays; i++)
            bst_buf_append(&file, array[i], run->weights[net].count * sizeof(float));
    }
    uint8_t digest[BST_SHA256_LEN];
    bst_sha256(file.data, file.len, digest);
    bst_buf_append(&file, digest, sizeof digest);
    enum bst_code code = file.failed ? bst_fail_memory(err)
                                     : bst_file_write(path, file.data, file.len, BST_WRITE_REPLACE, err);
    bst_buf_free(&file);
    return code;
}

static enum bst_code check_header(const struct train_run *run, const struct bst_buf *file,
                                  struct bst_error *err)
{
    struct header found, own = header_of(run);
    size_t floats = 0;
    for (size_t net = 0; net <= TRAIN_JUDGES; net++)
        floats += run->weights[net].count * (net == 0 ? 4 : 3);
    if (file->len < sizeof magic + sizeof found || memcmp(file->data, magic, sizeof magic) != 0)
        return bst_fail(err, BST_UNREADABLE, "this is not a training checkpoint");
    memcpy(&found, file->data + sizeof magic, sizeof found);
    own.step = found.step;
    if (memcmp(&found, &own, sizeof own) != 0) {
        bst_fail(err, BST_USAGE,
                 "the checkpoint belongs to a run with another data set, seed, batch or crop");
        return bst_hint(err, "use that run's options, or start anew without resuming");
    }
    uint8_t digest[BST_SHA256_LEN];
    size_t expected = sizeof magic + sizeof found + floats * sizeof(float);
    if (file->len == expected + sizeof digest) bst_sha256(file->data, expected, digest);
    if (file->len != expected + sizeof digest || memcmp(digest, file->data + expected, sizeof digest) != 0)
        return bst_fail(err, BST_UNREADABLE, "the checkpoint is damaged");
    return BST_OK;
}

enum bst_code train_checkpoint_load(struct train_run *run, const char *path, struct bst_error *err)
{
    struct bst_buf file = {0};
    enum bst_code code = bst_file_read(path, CHECKPOINT_MAX, &file, err);
    if (!code) code = check_header(run, &file, err);
    if (!code) {
        struct header header;
        memcpy(&header, file.data + sizeof magic, sizeof header);
        run->step = header.step;
        const uint8_t *at = file.data + sizeof magic + sizeof header;
        for (size_t net = 0; net <= TRAIN_JUDGES; net++) {
            float *array[4];
            size_t arrays = arrays_of(run, net, array), bytes = run->weights[net].count * sizeof(float);
            for (size_t i = 0; i < arrays; i++, at += bytes)
                memcpy(array[i], at, bytes);
        }
    }
    if (code) bst_where(err, "%s", path);
    bst_buf_free(&file);
    return code;
}
