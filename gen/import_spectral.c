/* import_spectral.c - weights that a file keeps before spectral normalisation: divided here by their norm, as the
 * network itself does when it only runs. PyTorch keeps both singular vectors (weight_orig, weight_u, weight_v),
 * BigGAN's authors keep one (weight, u0) and find the other by one step of the power method. */
#include "import.h"

#include <math.h>
#include <stdlib.h>

/* The weights as a matrix: dimension dim lies along its rows. */
struct matrix {
    const float *values;
    size_t count, rows, behind;
};

static size_t row_of(const struct matrix *m, size_t i)
{
    return i / m->behind % m->rows;
}

static size_t column_of(const struct matrix *m, size_t i)
{
    return i / (m->behind * m->rows) * m->behind + i % m->behind;
}

/* u^T W v */
static double norm_between(const struct matrix *m, const float *u, const float *v)
{
    double sum = 0;
    for (size_t i = 0; i < m->count; i++)
        sum += (double)u[row_of(m, i)] * (double)m->values[i] * (double)v[column_of(m, i)];
    return sum;
}

static double length_of(const double *x, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

/* |W v| with v = W^T u / |W^T u|; 0 without memory. */
static double norm_after_step(const struct matrix *m, const float *u)
{
    size_t columns = m->count / m->rows;
    double *v = bst_calloc(columns, sizeof *v), *left = bst_calloc(m->rows, sizeof *left), norm = 0;
    if (v != NULL && left != NULL) {
        for (size_t i = 0; i < m->count; i++)
            v[column_of(m, i)] += (double)u[row_of(m, i)] * (double)m->values[i];
        for (size_t i = 0; i < m->count; i++)
            left[row_of(m, i)] += (double)m->values[i] * v[column_of(m, i)];
        norm = length_of(left, m->rows) / length_of(v, columns);
    }
    free(v);
    free(left);
    return norm;
}

/* v NULL: to be found. */
static const char *normalised(struct import_net *net, const struct import_tensor *w, size_t dim,
                              const struct import_tensor *u, const struct import_tensor *v)
{
    struct matrix m = {.count = w->count, .rows = (size_t)w->dims[dim], .behind = 1};
    for (size_t i = dim + 1; i < w->rank; i++)
        m.behind *= (size_t)w->dims[i];
    if (u->count != m.rows || (v != NULL && v->count != m.count / m.rows))
        return net_fail(net, "the vectors of spectral normalisation do not fit '%.80s'", w->name);
    float *values = import_floats(w), *left = import_floats(u), *right = import_floats(v != NULL ? v : u);
    const char *weight = "";
    if (values != NULL && left != NULL && right != NULL) {
        m.values = values;
        float norm = (float)(v != NULL ? norm_between(&m, left, right) : norm_after_step(&m, left));
        for (size_t i = 0; i < w->count; i++)
            values[i] /= norm;
        weight = isnormal(norm) ? net_floats(net, w->rank, w->dims, values)
                                : net_fail(net, "the weights '%.80s' have no norm to divide by", w->name);
    } else {
        net_fail(net, "no memory for the weights '%.80s'", w->name);
    }
    free(values);
    free(left);
    free(right);
    return weight;
}

const char *net_weight_of(struct import_net *net, const char *name, size_t rank, size_t dim,
                          const int64_t **dims)
{
    bool kept_both = net_has(net, net_text(net, "%s.weight_orig", name));
    bool kept_one = net_has(net, net_text(net, "%s.u0", name));
    const struct import_tensor *w =
        net_tensor(net, net_text(net, kept_both ? "%s.weight_orig" : "%s.weight", name), rank);
    if (w == NULL) return "";
    if (dims != NULL) *dims = w->dims;
    if (!kept_both && !kept_one) return net_weight(net, w);
    const struct import_tensor *u = kept_both ? net_tensor(net, net_text(net, "%s.weight_u", name), 1)
                                              : net_tensor(net, net_text(net, "%s.u0", name), 2);
    const struct import_tensor *v = NULL;
    if (kept_both)
        v = net_tensor(net, net_text(net, "%s.weight_v", name), 1);
    else
        net_optional(net, net_text(net, "%s.sv0", name)); /* the norm that training saw last */
    return net->failed ? "" : normalised(net, w, dim, u, v);
}
