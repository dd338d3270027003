/* import_ncnn.h - between the reader of ncnn's files and its table of layers. Private to gen/. */
#ifndef BST_IMPORT_NCNN_H
#define BST_IMPORT_NCNN_H

#include "import.h"

#define NCNN_PARAMS_MAX 32
#define NCNN_EDGES_MAX  64
#define NCNN_LIST_MAX   64
#define NCNN_UNSET      (-233) /* ncnn's own mark for "not given", or "all that is left" */

/* "0=64" is a number, "-23310=1,2.0e-01" a list of id 10. */
struct ncnn_param {
    bool given;
    size_t count; /* 0: a number */
    double number, list[NCNN_LIST_MAX];
};

/* A tensor between layers; ncnn knows no batch, ONNX values have one dimension more. */
struct ncnn_blob {
    const char *name, *value;
    size_t rank;      /* 1: w, 2: h w, 3: c h w */
    int64_t channels; /* -1: not known */
    bool picture;     /* the input, or a copy of it: the first convolution tells its channels */
    bool consumed;
    bool cropped;  /* by a Crop of lists */
    bool residual; /* PixelShuffle of what is cropped: see add_faces */
};

struct ncnn_layer {
    const char *type, *name;
    size_t bottom_count, top_count;
    struct ncnn_blob *bottoms[NCNN_EDGES_MAX], *tops[NCNN_EDGES_MAX];
    struct ncnn_param params[NCNN_PARAMS_MAX];
    uint32_t asked; /* bit i: somebody wanted to know param i */
};

struct ncnn {
    struct import_net *net;
    const uint8_t *bin;
    size_t bin_len, bin_at;
    const char *input; /* the picture */
    uint32_t border;   /* rows and columns repeated around it first */
    int64_t scale;     /* of the output, 0: not known yet */
    int64_t input_channels;
};

/* Adds the layer's operators and fills in its tops. Fails through net_fail. */
void ncnn_add_layer(struct ncnn *n, struct ncnn_layer *layer);

/* The next weights of the .bin: tagged ones may be float16 or a table of 256 values. dims are those of the result,
 * strides (NULL: row-major) those in the file. The tensor lives as long as the net. */
struct import_tensor *ncnn_take(struct ncnn *n, bool tagged, size_t rank, const int64_t *dims,
                                const size_t *strides);

int64_t ncnn_int(struct ncnn_layer *layer, size_t id, int64_t fallback);
float ncnn_float(struct ncnn_layer *layer, size_t id, float fallback);
/* A list of whole numbers; its length, 0 when it is not given. */
size_t ncnn_ints(struct ncnn_layer *layer, size_t id, int64_t out[static NCNN_LIST_MAX]);

/* ---- for the files of layers ---- */

static inline struct ncnn_blob *ncnn_in(struct ncnn_layer *l, size_t i)
{
    return l->bottoms[i];
}

/* Names the only top's value; its rank and channels are those of the first bottom unless set otherwise. */
void ncnn_out(struct ncnn_layer *l, const char *value);
/* The next count raw weights. */
const char *ncnn_vector(struct ncnn *n, int64_t count);
/* The ONNX axis of ncnn's, which counts no batch. */
int64_t ncnn_axis(int64_t axis);
const char *ncnn_clip_to(struct ncnn *n, const char *x, float low, float high);
/* alpha x + beta, held to [0, 1] */
const char *ncnn_squash(struct ncnn *n, const char *x, float alpha, float beta);

/* import_ncnn_shapes.c */
void ncnn_concat(struct ncnn *n, struct ncnn_layer *l);
void ncnn_crop(struct ncnn *n, struct ncnn_layer *l);
void ncnn_expand_dims(struct ncnn *n, struct ncnn_layer *l);
void ncnn_flatten(struct ncnn *n, struct ncnn_layer *l);
void ncnn_padding(struct ncnn *n, struct ncnn_layer *l);
void ncnn_permute(struct ncnn *n, struct ncnn_layer *l);
void ncnn_reduction(struct ncnn *n, struct ncnn_layer *l);
void ncnn_reshape(struct ncnn *n, struct ncnn_layer *l);
void ncnn_slices(struct ncnn *n, struct ncnn_layer *l);
void ncnn_squeeze(struct ncnn *n, struct ncnn_layer *l);

/* import_ncnn_elements.c */
void ncnn_batch_norm(struct ncnn *n, struct ncnn_layer *l);
void ncnn_binary_op(struct ncnn *n, struct ncnn_layer *l);
void ncnn_clip(struct ncnn *n, struct ncnn_layer *l);
void ncnn_eltwise(struct ncnn *n, struct ncnn_layer *l);
void ncnn_hard_sigmoid(struct ncnn *n, struct ncnn_layer *l);
void ncnn_hard_swish(struct ncnn *n, struct ncnn_layer *l);
void ncnn_instance_norm(struct ncnn *n, struct ncnn_layer *l);
void ncnn_prelu(struct ncnn *n, struct ncnn_layer *l);
void ncnn_relu(struct ncnn *n, struct ncnn_layer *l);
void ncnn_scale(struct ncnn *n, struct ncnn_layer *l);
void ncnn_sigmoid(struct ncnn *n, struct ncnn_layer *l);
void ncnn_softmax(struct ncnn *n, struct ncnn_layer *l);
void ncnn_swish(struct ncnn *n, struct ncnn_layer *l);
void ncnn_tanh(struct ncnn *n, struct ncnn_layer *l);
void ncnn_unary_op(struct ncnn *n, struct ncnn_layer *l);

#endif
