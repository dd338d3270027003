/* op_posts.c - posts: elementwise functions applied to another step's output row by row, while it is in the
 * cache. */
#include "op.h"

#include <string.h>

struct planes planes_of(const struct tensor *t)
{
    struct planes p = {1, 1, 1};
    if (t->rank == 1) p.pixels = (size_t)t->dims[0];
    if (t->rank >= 2) {
        bool batch = t->rank >= 3; /* [N, C, ...], [C, P] or [P] */
        p.outer = batch ? (size_t)t->dims[0] : 1;
        p.channels = (size_t)t->dims[batch ? 1 : 0];
        for (size_t i = batch ? 2 : 1; i < t->rank; i++)
            p.pixels *= (size_t)t->dims[i];
    }
    return p;
}

/* The number that a post without pixels has for plane (o, c). */
static float post_number(const struct post *post, size_t o, size_t c, float missing)
{
    return post == NULL ? missing : tensor_floats(post->operand)[o * post->outer + c * post->channel];
}

static void post_row(const struct bst_kernels *k, const struct post *post, const float *src, float *dst,
                     size_t count, size_t o, size_t c, size_t p)
{
    if (post->form == POST_FILM) {
        /* x * 1 and x + -0 are x to the bit */
        k->film(src, dst, count, post_number(post->parts[0], o, c, 1.0f),
                post_number(post->parts[1], o, c, -0.0f), post->a);
    } else if (post->form == POST_UNARY) {
        k->unary(post->unary, src, dst, count, post->a, post->b);
    } else if (post->form == POST_CHANNEL_AFFINE) {
        k->unary(BST_U_AFFINE, src, dst, count, post->scale[c], post->shift[c]);
    } else {
        const float *operand =
            tensor_floats(post->operand) + o * post->outer + c * post->channel + p * post->pixel;
        if (post->swapped)
            k->binary(post->binary, operand, post->pixel, src, 1, dst, count);
        else
            k->binary(post->binary, src, 1, operand, post->pixel, dst, count);
    }
}

void posts_apply(const struct bst_kernels *k, const struct post *posts, size_t post_count, const float *src,
                 float *dst, size_t count, size_t o, size_t c, size_t p)
{
    if (post_count == 0 && src != dst) memcpy(dst, src, count * sizeof *dst);
    for (size_t i = 0; i < post_count; i++)
        post_row(k, &posts[i], i == 0 ? src : dst, dst, count, o, c, p);
}

static bool is_plain(const struct post *post, enum bst_binary binary)
{
    return post->form == POST_BINARY && post->binary == binary && post->pixel == 0;
}

size_t posts_merge(const struct post *posts, size_t count, struct post *out)
{
    size_t made = 0;
    for (size_t i = 0; i < count;) {
        struct post film = {.form = POST_FILM, .a = 1.0f};
        size_t at = i;
        if (at < count && is_plain(&posts[at], BST_B_MUL)) film.parts[0] = &posts[at++];
        if (at < count && is_plain(&posts[at], BST_B_ADD)) film.parts[1] = &posts[at++];
        if (at < count && posts[at].form == POST_UNARY && posts[at].unary == BST_U_LEAKY)
            film.a = posts[at++].a;
        bool worth = at - i >= 2;
        out[made++] = worth ? film : posts[i];
        i = worth ? at : i + 1;
    }
    return made;
}

/* ---- over a whole tensor ---- */

#define ROW ((size_t)8192) /* numbers a task of an elementwise step handles: within the first-level cache */

struct posts_job {
    const struct bst_kernels *k;
    const struct post *posts;
    size_t post_count;
    const float *src;
    float *dst;
    struct planes planes;
    size_t pieces;        /* of ROW numbers in a plane */
    size_t planes_a_task; /* where a plane is small */
};

static void posts_task(void *arg, size_t index, unsigned thread)
{
    const struct posts_job *job = arg;
    const struct planes *all = &job->planes;
    size_t at = index % job->pieces * ROW, first = index / job->pieces * job->planes_a_task;
    size_t count = all->pixels - at < ROW ? all->pixels - at : ROW;
    (void)thread;
    for (size_t plane = first; plane < first + job->planes_a_task && plane < all->outer * all->channels;
         plane++) {
        size_t place = plane * all->pixels + at;
        posts_apply(job->k, job->posts, job->post_count, job->src + place, job->dst + place, count,
                    plane / all->channels, plane % all->channels, at);
    }
}

/* Whether no post asks for the plane. */
static bool is_flat(const struct step *step)
{
    for (size_t i = 0; i < step->post_count; i++) {
        const struct post *post = &step->posts[i];
        bool whole = post->form == POST_BINARY && post->pixel == 1 &&
                     tensor_same_dims(post->operand, step->outputs[0]);
        if (post->form != POST_UNARY && !whole) return false;
    }
    return true;
}

void posts_apply_all(const struct run *run, const struct step *step, const float *src, float *dst)
{
    struct posts_job job = {
        run->kernels, step->posts, step->post_count, src, dst, planes_of(step->result), 0, 1};
    if (step->result->count == 0) return;
    if (is_flat(step)) job.planes = (struct planes){1, 1, step->result->count};
    job.pieces = (job.planes.pixels + ROW - 1) / ROW;
    if (job.pieces == 1) job.planes_a_task = ROW / job.planes.pixels;
    size_t planes = job.planes.outer * job.planes.channels;
    bst_pool_run(run->pool, (planes + job.planes_a_task - 1) / job.planes_a_task * job.pieces, posts_task,
                 &job);
}

/* ---- operands ---- */

bool post_operand(const struct tensor *operand, const struct tensor *out, struct post *post)
{
    size_t split = out->rank >= 3 ? 2 : out->rank == 2 ? 1 : 0; /* where the pixels begin */
    size_t pixels = 1;
    bool all = true, none = true;
    int64_t dims[RANK_MAX];
    if (operand->rank > out->rank) return false;
    for (size_t i = 0; i < out->rank; i++) {
        size_t lead = out->rank - operand->rank;
        dims[i] = i < lead ? 1 : operand->dims[i - lead];
        if (dims[i] != 1 && dims[i] != out->dims[i]) return false;
        if (i < split || out->dims[i] == 1) continue;
        all = all && dims[i] == out->dims[i];
        none = none && dims[i] == 1;
    }
    if (!all && !none) return false;
    for (size_t i = split; i < out->rank; i++)
        pixels *= (size_t)dims[i];
    post->pixel = all && pixels > 1 ? 1 : 0;
    size_t channels = split >= 1 ? (size_t)dims[split - 1] : 1;
    post->channel = channels > 1 ? pixels : 0;
    post->outer = split == 2 && dims[0] > 1 ? pixels * channels : 0;
    return true;
}
