/* graph.c - small helpers over tensors and nodes. */
#include "op.h"

#include <stdio.h>
#include <string.h>

bool tensor_set_dims(struct tensor *t, enum kind kind, size_t rank, const int64_t *dims)
{
    size_t count = 1;
    if (rank > RANK_MAX) return false;
    t->kind = kind;
    for (size_t i = 0; i < rank; i++) {
        if (dims[i] < 0 || dims[i] > INT32_MAX || !bst_mul(count, (size_t)dims[i], &count)) return false;
        t->dims[i] = dims[i];
    }
    if (count > TENSOR_MAX) return false;
    t->rank = rank;
    t->count = count;
    return true;
}

bool tensor_same_dims(const struct tensor *a, const struct tensor *b)
{
    return a->rank == b->rank && memcmp(a->dims, b->dims, a->rank * sizeof *a->dims) == 0;
}

const char *dims_text(size_t rank, const int64_t *dims, char out[static DIMS_TEXT])
{
    size_t at = 0;
    out[at++] = '[';
    for (size_t i = 0; i < rank && at < DIMS_TEXT - 24; i++) {
        const char *comma = i > 0 ? "," : "";
        int n = dims[i] < 0 ? snprintf(out + at, DIMS_TEXT - at, "%s?", comma)
                            : snprintf(out + at, DIMS_TEXT - at, "%s%lld", comma, (long long)dims[i]);
        if (n > 0) at += (size_t)n;
    }
    out[at++] = ']';
    out[at] = 0;
    return out;
}

bool node_branches(const struct node *node)
{
    return (node->op->flags & OP_BRANCH) != 0;
}

const struct attribute *node_attribute(const struct node *node, const char *name)
{
    for (size_t i = 0; i < node->attribute_count; i++)
        if (strcmp(node->attributes[i].name, name) == 0) return &node->attributes[i];
    return NULL;
}

int64_t node_int(const struct node *node, const char *name, int64_t fallback)
{
    const struct attribute *a = node_attribute(node, name);
    return a != NULL && a->type == ATTRIBUTE_INT ? a->i : fallback;
}

float node_float(const struct node *node, const char *name, float fallback)
{
    const struct attribute *a = node_attribute(node, name);
    return a != NULL && a->type == ATTRIBUTE_FLOAT ? a->f : fallback;
}

const char *node_string(const struct node *node, const char *name, const char *fallback)
{
    const struct attribute *a = node_attribute(node, name);
    return a != NULL && a->type == ATTRIBUTE_STRING ? a->s : fallback;
}

bool node_ints(const struct node *node, const char *name, size_t count, int64_t fallback, int64_t *out)
{
    const struct attribute *a = node_attribute(node, name);
    for (size_t i = 0; i < count; i++)
        out[i] = fallback;
    if (a == NULL) return true;
    if (a->type != ATTRIBUTE_INTS || a->count != count) return false;
    memcpy(out, a->ints, count * sizeof *out);
    return true;
}
