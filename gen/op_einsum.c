/* op_einsum.c - Einsum: operands are multiplied from left to right, two at a time. Both are brought into the form
 * of matrices, [kept of both][own][summed over] and [kept of both][summed over][own], and multiplied as MatMul
 * does. A lone operand is multiplied by 1. Labels are letters; an ellipsis stands for the dimensions without any. */
#include "op_product.h"

#include <ctype.h>
#include <string.h>

#define OPERANDS_MAX 8
#define LABELS                                                                                               \
    128 /* letters stand for themselves, 1 to RANK_MAX for the ellipsis' dimensions, aligned at their end */
#define COPY_MAX ((size_t)1 << 31) /* numbers of an operand brought into form */

struct labels {
    size_t rank;
    unsigned char at[2 * RANK_MAX];
};

struct equation {
    size_t operands;
    struct labels in[OPERANDS_MAX], out;
    int64_t size[LABELS];
};

/* ---- the equation ---- */

static bool has(const struct labels *l, unsigned char label)
{
    return memchr(l->at, label, l->rank) != NULL;
}

/* Reads one operand's labels up to a comma, an arrow or the end; dots: the dimensions of its ellipsis. */
static const char *read_labels(const char *text, size_t dots, struct labels *l)
{
    for (; *text != 0 && *text != ',' && *text != '-'; text++) {
        if (*text == ' ') continue;
        if (strncmp(text, "...", 3) == 0) {
            for (size_t i = 0; i < dots && l->rank < RANK_MAX; i++)
                l->at[l->rank++] = (unsigned char)(1 + RANK_MAX - dots + i);
            text += 2;
        } else if (isalpha((unsigned char)*text) && l->rank < RANK_MAX) {
            l->at[l->rank++] = (unsigned char)*text;
        } else {
            return NULL;
        }
    }
    return text;
}

/* Letters of the operand that begins here. */
static size_t count_letters(const char *text)
{
    size_t n = 0;
    for (; *text != 0 && *text != ',' && *text != '-'; text++)
        n += isalpha((unsigned char)*text) != 0;
    return n;
}

/* Without an arrow: the ellipsis, then every letter that stands once, by alphabet. */
static void usual_output(struct equation *e)
{
    for (unsigned char label = 1; label < LABELS; label++) {
        size_t times = 0;
        for (size_t i = 0; i < e->operands; i++)
            for (size_t k = 0; k < e->in[i].rank; k++)
                times += e->in[i].at[k] == label;
        bool kept = label <= RANK_MAX ? times > 0 : times == 1;
        if (kept && e->out.rank < RANK_MAX) e->out.at[e->out.rank++] = label;
    }
}

static bool take_sizes(struct equation *e, const struct tensor *t, const struct labels *l)
{
    if (l->rank != t->rank) return false;
    for (size_t i = 0; i < l->rank; i++) {
        int64_t *size = &e->size[l->at[i]];
        if (*size > 1 && t->dims[i] != 1 && t->dims[i] != *size) return false;
        if (*size < 0 || *size == 1) *size = t->dims[i];
    }
    return true;
}

static enum bst_code read_equation(const struct step *step, struct equation *e, struct bst_error *err)
{
    const char *text = node_string(step->node, "equation", "");
    size_t dots_most = 0;
    memset(e, 0, sizeof *e);
    memset(e->size, -1, sizeof e->size);
    if (step->input_count > OPERANDS_MAX)
        return step_bad(err, "more than %d operands are not supported", OPERANDS_MAX);
    for (size_t i = 0; i < step->input_count; i++) {
        enum bst_code code = step_float(step, i, 0, err);
        if (code != BST_OK) return code;
        const struct tensor *t = step->inputs[i];
        size_t letters = count_letters(text), dots = t->rank > letters ? t->rank - letters : 0;
        const char *rest = read_labels(text, dots, &e->in[i]);
        if (rest == NULL || !take_sizes(e, t, &e->in[i]) || (i + 1 < step->input_count) != (*rest == ','))
            return step_bad(err, "equation '%.60s' does not fit operand %zu",
                            node_string(step->node, "equation", ""), i);
        if (dots > dots_most) dots_most = dots;
        text = rest + (*rest == ',');
    }
    e->operands = step->input_count;
    if (strncmp(text, "->", 2) != 0) {
        usual_output(e);
        return *text == 0 ? BST_OK : step_bad(err, "the equation cannot be read");
    }
    text = read_labels(text + 2, dots_most, &e->out);
    if (text == NULL || *text != 0) return step_bad(err, "the equation's result cannot be read");
    for (size_t i = 0; i < e->out.rank; i++)
        if (e->size[e->out.at[i]] < 0 || memchr(e->out.at, e->out.at[i], i) != NULL)
            return step_bad(err, "the equation's result has a label that no operand has, or one twice");
    return BST_OK;
}

OP_INFER(einsum)
{
    struct equation e;
    int64_t dims[RANK_MAX];
    enum bst_code code = read_equation(step, &e, err);
    if (code != BST_OK) return code;
    for (size_t i = 0; i < e.out.rank; i++)
        dims[i] = e.size[e.out.at[i]];
    return step_output(step, 0, KIND_FLOAT, e.out.rank, dims, err);
}

/* ---- bringing into form ---- */

/* A tensor copied so that its dimensions stand in another order, or are stretched. */
struct form {
    size_t rank, count;
    int64_t dims[2 * RANK_MAX], strides[2 * RANK_MAX];
    bool same; /* it lies so already */
    float *copy;
};

/* One more operand: left times right is out. */
struct stage {
    struct labels out; /* as it lies in memory: of both, of the left, of the right */
    struct form left, right;
    struct product product;
    float *made;
};

struct einsum {
    struct equation e;
    struct stage stage[OPERANDS_MAX];
    size_t stages;
    struct form last;
};

/* The numbers between neighbours along a label: 0 where the tensor has none or is stretched. */
static int64_t stride_of(const struct labels *l, const int64_t *dims, unsigned char label)
{
    int64_t dense = 1, stride = 0;
    for (size_t i = l->rank; i-- > 0; dense *= dims[i])
        if (l->at[i] == label && dims[i] != 1) stride += dense; /* twice: along the diagonal */
    return stride;
}

static enum bst_code form_make(struct step *step, struct form *f, const struct equation *e,
                               const struct labels *order, const struct labels *l, const int64_t *dims,
                               struct bst_error *err)
{
    int64_t dense = 1;
    f->rank = order->rank;
    f->count = 1;
    f->same = true;
    for (size_t i = order->rank; i-- > 0;) {
        f->dims[i] = e->size[order->at[i]];
        f->strides[i] = stride_of(l, dims, order->at[i]);
        if (!bst_mul(f->count, (size_t)f->dims[i], &f->count) || f->count > COPY_MAX)
            return step_bad(err, "the operands are too large for this equation");
        if (f->dims[i] != 1 && f->strides[i] != dense) f->same = false;
        dense *= f->dims[i];
    }
    if (f->same || order == &e->out) return BST_OK; /* the result has its own memory */
    f->copy = step_take(step, f->count + 1, sizeof *f->copy);
    return f->copy != NULL ? BST_OK : bst_fail_memory(err);
}

static const float *form_run(const struct run *run, const struct form *f, const float *x, float *to)
{
    if (f->same && to == NULL) return x;
    if (to == NULL) to = f->copy;
    if (f->count > 0) copy_strided(run, to, x, f->rank, f->dims, f->strides, sizeof *to);
    return to;
}

static void append(struct labels *to, const struct labels *from)
{
    for (size_t i = 0; i < from->rank; i++)
        to->at[to->rank++] = from->at[i];
}

/* Whether a label is asked for by the result or by an operand behind. */
static bool needed(const struct equation *e, size_t behind, unsigned char label)
{
    for (size_t i = behind; i < e->operands; i++)
        if (has(&e->in[i], label)) return true;
    return has(&e->out, label);
}

static size_t volume(const struct equation *e, const struct labels *l)
{
    size_t n = 1;
    for (size_t i = 0; i < l->rank; i++)
        n *= (size_t)e->size[l->at[i]];
    return n;
}

/* Sorts the labels of both sides: kept of both, of the left, of the right; summed over. */
static void sort_labels(const struct equation *e, const struct labels *l, const struct labels *r,
                        size_t behind, struct labels sorted[4])
{
    struct labels all = {0};
    append(&all, l);
    append(&all, r);
    for (size_t i = 0; i < all.rank; i++) {
        unsigned char label = all.at[i];
        if (memchr(all.at, label, i) != NULL) continue;
        bool left = has(l, label), right = has(r, label);
        struct labels *to = &sorted[!needed(e, behind, label) ? 3 : left && right ? 0 : left ? 1 : 2];
        to->at[to->rank++] = label;
    }
}

static enum bst_code stage_make(struct step *step, struct einsum *s, size_t index, const struct labels *l,
                                const int64_t *ldims, const struct labels *r, const int64_t *rdims,
                                const struct bst_kernels *kernels, struct bst_error *err)
{
    struct labels sorted[4] = {{0}, {0}, {0}, {0}}, left, right;
    struct stage *g = &s->stage[index];
    sort_labels(&s->e, l, r, index + 2, sorted);
    g->out = left = right = sorted[0];
    append(&g->out, &sorted[1]);
    append(&left, &sorted[1]);
    append(&left, &sorted[3]);
    append(&right, &sorted[3]);
    append(&right, &sorted[2]);
    append(&g->out, &sorted[2]);
    enum bst_code code = form_make(step, &g->left, &s->e, &left, l, ldims, err);
    if (code == BST_OK) code = form_make(step, &g->right, &s->e, &right, r, rdims, err);
    if (code != BST_OK) return code;
    size_t m = volume(&s->e, &sorted[1]), n = volume(&s->e, &sorted[2]), k = volume(&s->e, &sorted[3]), count;
    g->product = (struct product){.m = m,
                                  .k = k,
                                  .n = n,
                                  .left_row = k,
                                  .left_k = 1,
                                  .right_k = n,
                                  .right_column = 1,
                                  .batch_rank = 1,
                                  .batch = {volume(&s->e, &sorted[0])},
                                  .left_batch = {m * k},
                                  .right_batch = {k * n}};
    if (!bst_mul(m, n, &count) || !bst_mul(count, g->product.batch[0], &count) || count > COPY_MAX)
        return step_bad(err, "what the equation makes on the way is too large");
    g->made = step_take(step, count + 1, sizeof *g->made);
    if (g->made == NULL) return bst_fail_memory(err);
    return product_make(step, &g->product, kernels, NULL, NULL, err);
}

OP_PREPARE(einsum)
{
    struct einsum *s = step_take(step, 1, sizeof *s);
    static const struct labels none;
    int64_t dims[2 * RANK_MAX];
    (void)threads;
    if (s == NULL) return bst_fail_memory(err);
    enum bst_code code = read_equation(step, &s->e, err);
    struct labels left = s->e.in[0];
    s->stages = s->e.operands > 1 ? s->e.operands - 1 : 1;
    for (size_t i = 0; code == BST_OK && i < left.rank; i++)
        dims[i] = step->inputs[0]->dims[i];
    for (size_t i = 0; i < s->stages && code == BST_OK; i++) {
        bool one = s->e.operands == 1;
        code = stage_make(step, s, i, &left, dims, one ? &none : &s->e.in[i + 1],
                          one ? NULL : step->inputs[i + 1]->dims, kernels, err);
        left = s->stage[i].out;
        if (left.rank > RANK_MAX)
            return step_bad(err, "what the equation makes on the way has too many dimensions");
        for (size_t k = 0; k < left.rank; k++)
            dims[k] = s->e.size[left.at[k]];
    }
    if (code == BST_OK) code = form_make(step, &s->last, &s->e, &s->e.out, &left, dims, err);
    step->prepared = s;
    return code;
}

OP_RUN(einsum)
{
    static const float one = 1.0f;
    const struct einsum *s = step->prepared;
    const float *made = tensor_floats(step->inputs[0]);
    for (size_t i = 0; i < s->stages; i++) {
        const struct stage *g = &s->stage[i];
        const float *right = s->e.operands == 1 ? &one : tensor_floats(step->inputs[i + 1]);
        product_run(run, step, &g->product, form_run(run, &g->left, made, NULL),
                    form_run(run, &g->right, right, NULL), g->made);
        made = g->made;
    }
    form_run(run, &s->last, made, tensor_floats(step->result));
}
