/* import.h - how weights of other programs become an ONNX file. Private to gen/.
 *
 *   import.c              bst_import: reads, recognises, builds, checks, writes
 *   import_dict.c         a state dictionary: named tensors that point into the bytes of the file
 *   import_pth.c          PyTorch's two containers: the zip archive and the older row of pickles
 *   import_pickle*.c      the pickle inside, read as data: a small set of opcodes, nothing is ever called
 *   import_zip.c          archives whose entries are stored, not compressed
 *   import_safetensors.c  JSON header and raw tensors
 *   import_ncnn*.c        ncnn's .param text and .bin weights, layer by layer
 *   import_net.c          layers of PyTorch in terms of ONNX operators
 *   import_spectral.c     weights before spectral normalisation
 *   import_arch.c         the architectures, and how one is told from names
 *   import_arch_*.c       one family each
 */
#ifndef BST_IMPORT_H
#define BST_IMPORT_H

#include "gen.h"
#include "onnx_write.h"

#define IMPORT_FILE_MAX                                                                                      \
    ((size_t)4 << 30) /* bytes of a file that is read; a checkpoint holds optimisers too */
#define IMPORT_TENSORS_MAX 65536u
#define IMPORT_NAME_MAX    256u

/* ---- a state dictionary (import_dict.c) ---- */

struct import_tensor {
    char *name;
    enum onnx_type type; /* of the stored elements, little-endian */
    size_t rank;
    int64_t dims[RANK_MAX];
    size_t strides[RANK_MAX]; /* in elements */
    size_t count;             /* product of dims */
    const uint8_t *data;      /* the first element; all others lie within the file, which was checked */
    bool used;                /* a network took it */
};

struct import_dict {
    struct import_tensor *tensors;
    size_t count, cap;
    uint32_t *slots; /* hash table of places + 1 */
    size_t slot_count;
};

void import_dict_clear(struct import_dict *dict);
/* Adds a tensor of bytes available from data on; strides NULL: row-major without gaps. Checks everything; a name
 * that is there already is refused. */
enum bst_code import_dict_add(struct import_dict *dict, const char *name, enum onnx_type type, size_t rank,
                              const int64_t *dims, const int64_t *strides, const uint8_t *data,
                              size_t available, struct bst_error *err);
/* A dictionary of the tensors whose names begin with prefix, under what follows it. */
bool import_dict_select(const struct import_dict *from, const char *prefix, struct import_dict *out);
struct import_tensor *import_dict_find(const struct import_dict *dict, const char *name);
/* The element at a row-major place, as float32. */
float import_element(const struct import_tensor *tensor, size_t index);
/* All elements in row-major order, as float32; new memory, or NULL. */
float *import_floats(const struct import_tensor *tensor);

/* ---- readers: bytes of a file to a dictionary; tensors point into the bytes ---- */

bool import_is_zip(const uint8_t *data, size_t len);
bool import_is_legacy_pth(const uint8_t *data, size_t len);
bool import_is_safetensors(const uint8_t *data, size_t len);
enum bst_code import_pth_read(const uint8_t *data, size_t len, struct import_dict *dict,
                              struct bst_error *err);
enum bst_code import_safetensors_read(const uint8_t *data, size_t len, struct import_dict *dict,
                                      struct bst_error *err);

/* ---- archives (import_zip.c) ---- */

struct import_zip {
    const uint8_t *data;
    size_t len;
    size_t directory, count; /* where the central directory begins, and its entries */
};
enum bst_code import_zip_open(const uint8_t *data, size_t len, struct import_zip *zip, struct bst_error *err);
/* Calls visit with each entry's name (not terminated) and bytes until it returns false. Bytes are those that are
 * stored; an entry that is compressed or encrypted has NULL. */
enum bst_code import_zip_each(const struct import_zip *zip,
                              bool (*visit)(void *arg, const char *name, size_t name_len, const uint8_t *data,
                                            size_t len, uint32_t crc),
                              void *arg, struct bst_error *err);

/* ---- pickles (import_pickle.c) ---- */

/* Where the elements of a storage lie; filled in by the container's reader. */
struct import_storage {
    const char *key;
    size_t key_len;
    enum onnx_type type;
    uint64_t count;      /* elements, as the pickle says */
    const uint8_t *data; /* NULL until known */
    size_t bytes;
};

struct import_pickle;
/* Reads one pickle from the front of data; *used is its length. */
enum bst_code import_pickle_read(const uint8_t *data, size_t len, struct import_pickle **out, size_t *used,
                                 struct bst_error *err);
void import_pickle_free(struct import_pickle *pickle);
size_t import_pickle_storages(struct import_pickle *pickle, struct import_storage **storages);
/* Items of the list that the pickle is, 0 for another kind; and one of them, NULL when it is no text. */
size_t import_pickle_count(const struct import_pickle *pickle);
const char *import_pickle_text(const struct import_pickle *pickle, size_t index, size_t *len);
/* The flag at a key of the dictionary that the pickle is; fallback when there is none. */
bool import_pickle_flag(const struct import_pickle *pickle, const char *key, bool fallback);
/* Adds every tensor inside nested dictionaries and lists under its path ("params.body.0.weight"). */
enum bst_code import_pickle_tensors(const struct import_pickle *pickle, struct import_dict *dict,
                                    struct bst_error *err);

/* ---- a network under construction (import_net.c) ---- */

struct import_input {
    const char *name, *role; /* role as in the card */
    uint32_t cell, codes;    /* noise, codes */
    float low, high;         /* image */
    bool bgr;
};
#define IMPORT_INPUTS_MAX 32

/* What some architectures take beside the file (AdaIN): the weights of their encoder, and pictures. */
struct import_style {
    char *name;
    struct bst_image image;
};
struct import_extra {
    struct import_dict encoder; /* empty: none was given */
    struct import_style styles[BST_IMPORT_STYLES_MAX];
    size_t style_count;
};

/* What the card will say; architectures set what differs from the defaults of net_start. */
struct import_card {
    const char *styles[BST_IMPORT_STYLES_MAX];
    size_t style_count;
    struct import_input inputs[IMPORT_INPUTS_MAX];
    size_t input_count;
    const char *description;
    uint32_t output_scale, width, height, size_multiple, classes;
    bool fixed_size, output_bgr;
    float output_low, output_high;
};

/* Values are named as in the ONNX file. A failure is sticky: functions then return "" and add nothing. */
struct import_net {
    struct onnx_writer writer;
    const struct import_dict *dict;   /* what the architecture takes its weights from, or NULL (ncnn) */
    const struct import_extra *extra; /* or NULL */
    struct import_card card;
    size_t serial; /* of names */
    size_t bytes;  /* of constants */
    struct bst_error *err;
    bool failed;
};

void net_start(struct import_net *net, const struct import_dict *dict, struct bst_error *err);
void net_clear(struct import_net *net);
/* Fails with one sentence; returns "". */
const char *net_fail(struct import_net *net, const char *format, ...) BST_PRINTF(2, 3);
/* printf to memory that lives as long as the net. */
const char *net_text(struct import_net *net, const char *format, ...) BST_PRINTF(2, 3);

/* The input picture [N, channels, H, W], samples from low (0) to high (255). */
const char *net_image(struct import_net *net, int64_t channels, float low, float high);
/* The latent [N, size] or, with spatial, [N, size, 1, 1]. */
const char *net_latent(struct import_net *net, int64_t size, bool spatial);
const char *net_latent_called(struct import_net *net, const char *name, int64_t size, bool spatial);
/* The class [N, classes], 1 at its place and 0 elsewhere. */
const char *net_label(struct import_net *net, int64_t classes);
/* The weights [N, styles] of the extra's styles. */
const char *net_style(struct import_net *net);
/* A noise map [N, 1, side, side] of a picture that is cell times as large. */
const char *net_noise(struct import_net *net, const char *name, uint32_t side, uint32_t cell);
/* A noise map [N, channels, h, w] of any size. */
const char *net_noise_map(struct import_net *net, const char *name, int64_t channels, uint32_t cell);
/* A grid of whole numbers [N, 1, h, w] below count. */
const char *net_codes(struct import_net *net, int64_t count, uint32_t cell);
/* The output picture. */
void net_output(struct import_net *net, const char *value, int64_t channels);

/* Whether the dictionary has a tensor, which does not count as used by that. */
bool net_has(const struct import_net *net, const char *name);
/* A tensor of the dictionary with that rank (0: any), which counts as used. net_tensor fails when it is missing,
 * net_optional returns NULL. */
struct import_tensor *net_tensor(struct import_net *net, const char *name, size_t rank);
struct import_tensor *net_optional(struct import_net *net, const char *name);
/* Says that tensors whose names end (begin) so are not part of what is computed. */
void net_ignore(struct import_net *net, const char *suffix);
void net_ignore_under(struct import_net *net, const char *prefix);

/* Constants. A tensor keeps its stored type if that is float16 or bfloat16, and its bytes if they are in order. */
const char *net_weight(struct import_net *net, const struct import_tensor *tensor);
const char *net_floats(struct import_net *net, size_t rank, const int64_t *dims, const float *values);
const char *net_filled(struct import_net *net, int64_t count, float value);
const char *net_scalar(struct import_net *net, float value);
const char *net_ints(struct import_net *net, size_t count, const int64_t *values);
const char *net_whole(struct import_net *net, int64_t value); /* a single one, of no dimensions */

/* Operators. */
struct net_attribute {
    const char *name;
    enum { NET_INT, NET_FLOAT, NET_TEXT, NET_INTS } kind;
    int64_t i;
    float f;
    const char *text;
    size_t count;
    const int64_t *ints;
};
const char *net_node(struct import_net *net, const char *type, size_t inputs, const char *const *input,
                     size_t attributes, const struct net_attribute *attribute);
const char *net_unary(struct import_net *net, const char *type, const char *x);
const char *net_binary(struct import_net *net, const char *type, const char *a, const char *b);
const char *net_leaky(struct import_net *net, const char *x, float slope);
const char *net_concat(struct import_net *net, int64_t axis, size_t count, const char *const *values);
const char *net_reshape(struct import_net *net, const char *x, size_t rank, const int64_t *dims);
const char *net_transpose(struct import_net *net, const char *x, size_t rank, const int64_t *order);
/* Rows and columns are repeated scale times. */
const char *net_nearest(struct import_net *net, const char *x, float scale);
const char *net_pixel_shuffle(struct import_net *net, const char *x, int64_t scale);
/* type "MaxPool" or "AveragePool" over squares that do not overlap; ceil: also over those that the border cuts. */
const char *net_pool(struct import_net *net, const char *type, const char *x, int64_t side, bool ceil);
/* left, right, top, bottom; mode "constant" (0), "reflect" or "edge". */
const char *net_pad(struct import_net *net, const char *x, const char *mode, const int64_t sides[static 4]);
/* Rows and columns [begin, end), end negative counted from the far side. */
const char *net_crop(struct import_net *net, const char *x, int64_t begin, int64_t end);

/* Layers of PyTorch, whose tensors are NAME.weight, NAME.bias and so on. */
struct net_conv {
    int64_t stride, pad, groups, dilation; /* 0 for stride, groups and dilation: 1 */
    int64_t output_padding;                /* transposed */
    bool transposed;
};
const char *net_conv(struct import_net *net, const char *x, const char *name, struct net_conv how);
/* The same with weights [O, I, h, w] (transposed: [I, O, h, w]) at hand; bias "" for none. */
const char *net_conv_with(struct import_net *net, const char *x, const char *weight, const char *bias,
                          const int64_t kernel[static 2], struct net_conv how);
/* NAME.weight as a value, after spectral normalisation if the file keeps what that takes; dim: the rows of the matrix
 * whose norm it is. dims (may be NULL): those of the tensor. (import_spectral.c) */
const char *net_weight_of(struct import_net *net, const char *name, size_t rank, size_t dim,
                          const int64_t **dims);
const char *net_linear(struct import_net *net, const char *x, const char *name);
const char *net_batch_norm(struct import_net *net, const char *x, const char *name, float epsilon);
/* Channels 0: scale and shift are the dictionary's; otherwise 1 and 0. */
const char *net_instance_norm(struct import_net *net, const char *x, const char *name, int64_t channels,
                              float epsilon);

/* Statistics over groups of channels; scale and shift are those of the channels. */
const char *net_group_norm(struct import_net *net, const char *x, const char *name, int64_t groups,
                           float epsilon);

/* A filter of size taps times gain, once for each of count channels. */
const char *net_repeated(struct import_net *net, const float *taps, const int64_t size[static 2],
                         int64_t count, float gain);
/* The filter [k, k] of that name times gain, once for each of count channels; its sides in size. upfirdn2d convolves,
 * which turns the taps round; a transposed convolution does so itself. */
const char *net_filter(struct import_net *net, const char *name, int64_t count, float gain, bool turned,
                       int64_t size[static 2]);

/* Parts that several families share. */
const char *net_channels(struct import_net *net, const char *x, int64_t begin, int64_t end);
const char *net_map(struct import_net *net, const char *vector); /* [N, C] as [N, C, 1, 1] */
/* Each channel times its scale, plus its shift; both [C]. */
const char *net_affine(struct import_net *net, const char *x, const char *scale, const char *shift);
const char *net_silu(struct import_net *net, const char *x);
/* The first half of the channels times the sigmoid of the second. */
const char *net_gated(struct import_net *net, const char *x, int64_t channels);
/* type "ReduceMean" or "ReduceL2"; the dimensions stay, of size 1. */
const char *net_reduce(struct import_net *net, const char *type, const char *x, size_t count,
                       const int64_t *axes);
const char *net_softmax(struct import_net *net, const char *x, int64_t axis);
const char *net_sides(struct import_net *net, const char *map); /* H and W of [N, C, H, W] */
/* [N, channels, H * W] as [N, channels, H, W], the sides being those of a map like it. */
const char *net_sides_of(struct import_net *net, const char *rows, int64_t channels, const char *like);
/* Says that only pictures of side x side are made. */
void net_square(struct import_net *net, uint32_t side);

/* ---- architectures (import_arch.c) ---- */

struct import_arch {
    const char *name;                             /* for --architecture: [a-z0-9-]+ */
    const char *title;                            /* as its authors call it */
    const char *const *required;                  /* tensors it is told by, ending with NULL */
    bool (*fits)(const struct import_dict *dict); /* told from another that has the same tensors; or NULL */
    void (*build)(struct import_net *net);
};

/* Finds the architecture (forced: of that name) and the part of the dictionary that it takes; *selected then holds
 * that part. */
enum bst_code import_recognise(const struct import_dict *dict, const char *forced,
                               const struct import_arch **arch, struct import_dict *selected,
                               struct bst_error *err);
extern const struct import_arch import_arch_srvgg, import_arch_rrdb, import_arch_rrdb_trunk,
    import_arch_rrdb_old, import_arch_pix2pix, import_arch_cyclegan, import_arch_cyclegan_zeros,
    import_arch_cut, import_arch_johnson, import_arch_cartoon, import_arch_anime, import_arch_dcgan,
    import_arch_stylegan2, import_arch_stylegan2_ada, import_arch_biggan, import_arch_biggan_deep,
    import_arch_fastgan, import_arch_lightweight, import_arch_psgan, import_arch_adain, import_arch_r3gan,
    import_arch_vqgan, import_arch_vqgan_diffusers;

/* ---- ncnn (import_ncnn.c) ---- */

bool import_is_ncnn(const uint8_t *data, size_t len);
enum bst_code import_ncnn_build(const uint8_t *param, size_t param_len, const uint8_t *bin, size_t bin_len,
                                struct import_net *net, struct bst_error *err);

#endif
