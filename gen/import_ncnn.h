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

#endif
