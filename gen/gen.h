/* gen.h - from a model file, a seed and controls to pixels; and from pictures to a model file.
 * Public face of gen/; installed as <blindstamp/gen.h>. Knows nothing of keys, signatures or files' credentials.
 *
 * Map of the folder:
 *   model.c       a model file opened: bytes, digest, card, graph
 *   external.c    files beside the model's own that hold constants
 *   onnx*.c       ONNX (protobuf) -> graph, with every limit checked: the file, its graph, constants, older forms
 *   onnx_wire.c   large constants found in a file's bytes, to be used where they lie
 *   graph.h       the graph and its values
 *   op.h, op.c    the table of operators: how each infers dims, prepares and runs
 *   plan.c        graph + input sizes -> ordered steps over one arena; memory known before any is taken
 *   plan_fuse.c, plan_arena.c
 *   op_*.c        one operator family a file; op_conv.h: what the convolutions share; op_fold.h: what all sums do
 *   kernel.h      the arithmetic core: one table of functions per instruction set, identical bits in each
 *   kernel_math.h functions of numbers: exponential, logarithm, sine, ... by polynomials
 *   kernel_body.h, kernel_*_body.h  every function of that table once, over vectors of any width
 *   kernel_scalar.c, kernel_avx2.c, kernel_avx512.c, kernel_neon.c  what a vector is
 *   kernel_conv.c the convolution that Conv and ConvTranspose share
 *   kernel_plane.c windows over one channel at a time: pooling, depthwise convolution
 *   kernel_winograd.c 3 x 3 convolution with a quarter of the multiplications
 *   kernel_winograd_transpose.c 3 x 3 transposed convolution with strides of 2, with 3 of 5 multiplications
 *   pages.c       large pieces of memory
 *   latent.c      Philox4x32-10, uniform and normal numbers
 *   latent_sequence.c the seeds of numpy and PyTorch
 *   card.c        model cards read and held against the graph; card_derive.c what a graph shows without one
 *   card_propose.c  a card for a model without one, in words and JSON; card_golden.c its golden pictures
 *   generator.c   a model ready to run, its plans; tensors -> run -> tensors
 *   network.c     what a plan runs, for listings and profiles; network_draw.h and network_*.c draw it
 *   generate.c    controls -> inputs -> run -> picture
 *   generate_tiles.c  the same for a picture that does not fit the memory, a tile at a time
 *   tiling.c      how such a picture is cut into tiles
 *   region.c, region_*.c  which places a run on a crop makes right, operator by operator
 *   controls.c    controls as asked for -> with every default filled in
 *   inputs.c      resolved controls -> the numbers of the graph's inputs
 *   onnx_write.h  building ONNX files
 *   import*.c     weights of PyTorch and ncnn to ONNX: import.h has the map
 *   train*.c      the texture GAN's trainer: train_net.h says how its networks look
 *   dataset/      what the bundled model learned from, and the script that fetches it
 *   models/       the bundled model, its samples and how it was trained
 */
#ifndef BST_GEN_H
#define BST_GEN_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BST_ARITH         "blindstamp-arith/3" /* version of the rules that define every bit of a picture */
#define BST_ARITH_VERSION 3
/* The version of rules that a statement names, for bst_run_options; false when this program has no such
 * rules. */
bool bst_arith_known(const char *name, unsigned *version);

/* ---- models (model.c, card.c) ---- */

struct bst_model;

/* Reads an ONNX file (opset 11 to 21), checks it whole and keeps it. Never executes or fetches anything. Its
 * card is the one beside it, NAME.card.json for NAME.onnx, if there is one; else the one in its metadata; else
 * what the graph shows. */
enum bst_code bst_model_open(const char *path, struct bst_model **out, struct bst_error *err);
/* The same with another card: that of a file, or with NULL what the model's own file says. */
enum bst_code bst_model_open_with(const char *path, const char *card_path, struct bst_model **out,
                                  struct bst_error *err);
/* The same with the text of a card. */
enum bst_code bst_model_open_text(const char *path, const char *card_text, struct bst_model **out,
                                  struct bst_error *err);
/* NAME.card.json for NAME.onnx, in new memory; NULL when there is none. */
char *bst_card_path(const char *model_path);
void bst_model_free(struct bst_model *model);

enum bst_role {                  /* what an input of the graph is for */
                BST_ROLE_LATENT, /* [N, Z]: standard normal numbers times truncation */
                BST_ROLE_NOISE,  /* [N, C, h, w]: spatial standard normal numbers; h = ceil(H / cell) + 2 *
                                    margin */
                BST_ROLE_STYLE,  /* [N, S]: weights of the named styles, summing to 1 */
                BST_ROLE_IMAGE,  /* [N, C, H, W] or [N, H, W, C]: a picture; C is 3, 1 or 4 (with alpha) */
                BST_ROLE_LABEL,  /* a class: its number in a whole [N], [N, 1] or [], or float [N, classes],
                                    1 at the class and 0 elsewhere */
                BST_ROLE_CODES,  /* whole [N, 1, h, w]: places in a codebook, drawn alike; h as for noise */
};

struct bst_card_input {
    char *name; /* the graph's input */
    enum bst_role role;
    uint32_t cell;   /* noise, codes: output pixels a cell covers; 1 for an image */
    uint32_t codes;  /* codes: how many there are */
    uint32_t margin; /* noise, codes: extra cells on each side, consumed by unpadded convolutions */
    float low, high; /* image: the values that 0 and 255 map to */
    bool bgr;        /* image: channel order */
    bool nhwc;       /* image: channels last */
};

enum bst_card_source {
    BST_CARD_DERIVED, /* from what the graph shows */
    BST_CARD_INSIDE,  /* in the file's metadata, under "blindstamp.card" */
    BST_CARD_BESIDE,  /* in a file of its own, which leaves the model's bytes and digest as they are */
};

/* How a seed becomes the numbers of latent and noise inputs; by name "philox", "numpy-randomstate" (randn of
 * numpy.random.RandomState(seed), as StyleGAN2 has it; seeds below 2^32) and "torch-cpu" (torch.randn after
 * torch.manual_seed(seed)). */
enum bst_latent { BST_LATENT_CARD /* the card's */, BST_LATENT_PHILOX, BST_LATENT_NUMPY, BST_LATENT_TORCH };
const char *bst_latent_name(enum bst_latent latent); /* NULL for BST_LATENT_CARD */
bool bst_latent_known(const char *name, enum bst_latent *out);
/* BST_USAGE for a seed that the generator does not take. */
enum bst_code bst_latent_check(enum bst_latent latent, uint64_t seed, struct bst_error *err);

/* A model card: what the model is, and what its inputs mean (schema/card.schema.json). What a derived one
 * cannot know is NULL, which reads as "unknown". */
struct bst_card {
    enum bst_card_source source;
    uint8_t digest[BST_SHA256_LEN]; /* of the card's file, when it is one of its own */
    char *name;                     /* short, for -m and listings: [a-z0-9-]+ */
    char *title;
    char *description;
    char *author;
    char *license; /* SPDX identifier, or NULL */
    size_t style_count;
    char **styles;        /* names for --style */
    uint32_t class_count; /* for --label; 0: the model takes no label */
    size_t label_count;   /* 0 or class_count */
    char **labels;        /* the classes' names */
    size_t input_count;
    struct bst_card_input *inputs;
    uint32_t output_scale;         /* output pixels per input pixel (image to image), else 1 */
    uint32_t width, height;        /* size made when none is asked for */
    uint32_t size_multiple;        /* output sides are produced in this multiple, then cropped; 1 = any */
    bool fixed_size;               /* only width x height can be made */
    float output_low, output_high; /* values that mean 0 and 255 */
    bool output_bgr, output_nhwc;
    bool tileable;          /* --tile gives a seamless picture */
    enum bst_latent latent; /* never BST_LATENT_CARD */
    json_t *json;           /* the whole card, with data sets, golden seeds, limits */
};

const struct bst_card *bst_model_card(const struct bst_model *model);
bool bst_card_has(const struct bst_card *card, enum bst_role role); /* an input has it */
bool bst_card_draws(const struct bst_card *card); /* numbers or codes for an input are drawn from the seed */
const char *bst_model_path(const struct bst_model *model);
uint64_t bst_model_bytes(const struct bst_model *model);
uint64_t bst_model_parameters(const struct bst_model *model); /* numbers in its weights */
void bst_model_digest(const struct bst_model *model,
                      uint8_t out[static BST_SHA256_LEN]); /* of the file's bytes */
/* Files beside the model's own that hold constants ("external data"). The model's digest does not cover them: who
 * names a model must name them too. They lie in its folder, or in one within. */
struct bst_external_file {
    const char *name; /* as the model says it, relative to its folder */
    uint64_t bytes;
    uint8_t digest[BST_SHA256_LEN];
};
const struct bst_external_file *bst_model_external(const struct bst_model *model, size_t *count);

/* ---- generating (generate.c) ---- */

struct bst_style {
    const char *name;
    float weight;
};

/* One seed's part in a mix of several. */
struct bst_mix {
    uint64_t seed;
    float weight;
};
#define BST_MIX_MAX 16

/* Everything that decides the pixels, beside the model's bytes and BST_ARITH. */
struct bst_controls {
    uint64_t seed;
    const struct bst_mix *mix; /* latent and noise are the weighted sum of these seeds'; the squares of the
                                  weights are normalised to sum 1. The seed above then only picks the style */
    size_t mix_count;
    enum bst_latent latent;
    uint32_t width, height;         /* 0: the card's */
    float truncation;               /* 0..1.5; scales latent and noise; 1 = as trained */
    const struct bst_style *styles; /* weights are normalised to sum 1; none: drawn from the seed */
    size_t style_count;
    bool tile;
    bool has_label;
    uint32_t label;                /* the class; without one it is drawn from the seed */
    const struct bst_image *input; /* for a model with an image input, else NULL */
};

struct bst_run_options {
    unsigned threads; /* 0: all */
    size_t
        memory; /* bytes for making a picture, beyond what the process holds; 0: what the machine has free */
    const char *isa; /* "scalar", "avx2", "avx512", "neon" or NULL for the best; the same bits in each */
    unsigned arith;  /* version of the rules to work by; 0: that of BST_ARITH */
    bool profile;    /* measure each layer: bst_network_describe tells */
    /* Side of the tiles that a picture is made in, overlap included; 0: in one piece where memory allows that, else
     * in the tiles that fit and make the fewest pixels. The picture does not depend on it. */
    uint32_t tile_side;
    bst_progress progress; /* may be NULL; called with steps of the plan */
    void *progress_arg;
};

/* A model with its threads and arena, reused from picture to picture. */
struct bst_generator;
enum bst_code bst_generator_new(const struct bst_model *model, const struct bst_run_options *options,
                                struct bst_generator **out, struct bst_error *err);
void bst_generator_free(struct bst_generator *generator);
/* Makes one 8-bit picture, RGB or, of a model that makes four channels, RGBA. Resolved controls (defaults filled in, style weights normalised) are written
 * to *used when it is not NULL: what the statement must record so that replay needs no default. */
struct bst_used {
    uint32_t width, height;
    float truncation;
    bool tile;
    enum bst_latent latent; /* never BST_LATENT_CARD */
    size_t mix_count;       /* 1 without a mix: the seed with weight 1 */
    struct bst_mix mix[BST_MIX_MAX];
    size_t style_count;     /* as in the card */
    float style_weight[64]; /* in the card's order */
    bool has_label;         /* the model takes one */
    uint32_t label;
};
#define BST_STYLES_MAX 64
enum bst_code bst_generate(struct bst_generator *generator, const struct bst_controls *controls,
                           struct bst_image *out, struct bst_used *used, struct bst_error *err);

/* How the generator made its last picture: in columns times rows tiles of width x height pixels, which overlap by what
 * the network looks at; one piece is one tile. */
struct bst_tiling {
    size_t columns, rows;
    uint32_t width, height;
    double overhead; /* pixels made for each pixel of the picture, less 1 */
};
void bst_generator_tiling(const struct bst_generator *generator, struct bst_tiling *out);

/* Runs the graph on given tensors, for tests, benchmarks and golden values. Numbers are row-major, in one of the
 * two arrays; those of outputs are new memory, freed with free(). */
struct bst_tensor {
    const char *name;
    size_t rank;
    int64_t dims[8];
    float *data;   /* floating-point numbers, or NULL */
    int64_t *ints; /* whole numbers, and booleans as 0 and 1 */
};
/* Makes the graph's first output, with new memory in data or ints. */
enum bst_code bst_generator_run(struct bst_generator *generator, const struct bst_tensor *inputs,
                                size_t input_count, struct bst_tensor *output, struct bst_error *err);
/* Makes all outputs whose names are set in outputs; a NULL name stands for the graph's output of that place,
 * and is set. After a failure there is nothing to free. */
enum bst_code bst_generator_run_outputs(struct bst_generator *generator, const struct bst_tensor *inputs,
                                        size_t input_count, struct bst_tensor *outputs, size_t output_count,
                                        struct bst_error *err);

/* ---- cards made and checked (card_propose.c, card_golden.c) ---- */

/* A card for a model whose own is derived: what the graph shows, and ranges measured by running it. What was
 * found, and what could not be told and is assumed, stands in *notes: a list of {"state", "words"}; the state
 * is "seen", "assumed" or "unknown". Inputs of unknown purpose are left out. New references. */
enum bst_code bst_card_propose(struct bst_generator *generator, json_t **card, json_t **notes,
                               struct bst_error *err);
/* The "golden" of a card: up to four small pictures and their digests. */
enum bst_code bst_golden_make(struct bst_generator *generator, json_t **golden, struct bst_error *err);
/* Makes the card's golden pictures again, each by the rules it names: its entries, with "state": "same",
 * "differs" or "unknown rules". */
enum bst_code bst_golden_check(const struct bst_model *model, const struct bst_run_options *options,
                               json_t **results, struct bst_error *err);

/* ---- what a model is made of (network.c) ---- */

/* An operator, with those that are applied to its output while that is in the cache; or an input. */
struct bst_layer {
    const char *op;        /* "Conv"; "input" */
    const char *name;      /* a stranger's: the node's, "" when the file gives none */
    const char *algorithm; /* of products: "direct" or "winograd"; else NULL */
    char detail[48];       /* of convolutions: "3×3", "4×4 /2" with its stride; else "" */
    char fused[160];       /* the others: "LeakyRelu, Add"; cut short when there are many */
    size_t fused_count;
    bool moves_nothing; /* the output is the input under other dims */
    size_t rank;
    int64_t dims[8];     /* of the output */
    uint64_t parameters; /* numbers in the constants it reads */
    uint64_t macs;       /* multiplications with an addition that the plain algorithm needs */
    size_t source_count;
    size_t *sources; /* what it reads: below input_count an input, else layer number source - input_count */
    double seconds;  /* in all runs, when profile was asked for */
};
struct bst_operator {
    const char *op;
    size_t count;
};
struct bst_network {
    size_t operator_count; /* operators that run, those applied with others too; the most frequent first */
    struct bst_operator *operators;
    size_t input_count, layer_count;
    struct bst_layer *inputs, *layers; /* layers in the order they run in */
    size_t output;                     /* what makes the output; numbered as sources are */
    uint64_t macs;
    uint64_t memory; /* bytes that a run takes beside weights and inputs */
    uint64_t runs;   /* that were measured */
};
/* The network as it runs for a picture of that size (0: the card's). Texts are borrowed from the model. */
enum bst_code bst_network_describe(struct bst_generator *generator, uint32_t width, uint32_t height,
                                   struct bst_network *out, struct bst_error *err);
void bst_network_clear(struct bst_network *network);
/* An SVG drawing of it, appended to out. */
enum bst_code bst_network_svg(const struct bst_network *network, const char *title, struct bst_buf *out,
                              struct bst_error *err);

/* ---- random numbers (latent.c) ---- */

/* Philox4x32-10 (Salmon et al., 2011): four 32-bit words from a counter and a key. */
void bst_philox(const uint32_t counter[static 4], const uint32_t key[static 2], uint32_t out[static 4]);
/* count standard normal float32 numbers of one stream of a seed. Element i depends on (seed, stream, i)
 * alone. */
void bst_normal(uint64_t seed, uint32_t stream, uint64_t first, size_t count, float *out);

/* ---- importing (import.c) ---- */

#define BST_IMPORT_STYLES_MAX 16 /* pictures of styles */
struct bst_import_options {
    const char
        *architecture; /* a name of bst_import_architecture; NULL: told from the tensors' names and shapes */
    const char *name;  /* the card's; NULL: from the file's name */
    const char *const *style_pictures; /* of an AdaIN decoder: paths; a style is called as its file is */
    size_t style_picture_count;
    const char *title, *author, *license; /* the card's; may be NULL */
    bool replace;                         /* an output that is there already */
};

struct bst_import_result {
    const char *architecture; /* "rrdb"; "ncnn" for a network that its own file describes */
    const char *format;       /* "PyTorch zip", "PyTorch legacy", "safetensors", "ncnn" */
    uint64_t parameters;
    uint8_t digest[BST_SHA256_LEN]; /* of the ONNX file */
};

/* Converts a PyTorch state dictionary (.pth, .pt), a safetensors file or an ncnn network (.param; second: its .bin,
 * NULL: the one beside it) to an ONNX file with a model card. Of AdaIN's decoder, second is the encoder. Nothing of the
 * input is executed. Metadata "blindstamp.import" names the files, their SHA-256 and the architecture. Strings of result
 * are constant. */
enum bst_code bst_import(const char *path, const char *second, const struct bst_import_options *options,
                         const char *output, struct bst_import_result *result, struct bst_error *err);
/* The names that options.architecture may have, in no order; NULL behind the last. */
const char *bst_import_architecture(size_t index);

/* ---- training (train.c) ---- */

struct bst_train_options {
    const char *dataset;      /* the manifest, schema/dataset.schema.json */
    const char *dataset_root; /* folder that its items' files are in; NULL: the manifest's */
    const char *output;       /* MODEL.onnx */
    const char *sample;       /* folder for sample sheets and checkpoints; NULL: beside output */
    uint64_t seed;
    uint64_t steps;
    double max_seconds;   /* stop (with a finished model) after this long; 0: no limit */
    uint32_t batch, crop; /* 0: defaults */
    unsigned threads;
    bool resume;                                 /* go on from the checkpoint in sample */
    const char *name, *title, *author, *license; /* for the card */
    bst_progress progress;
    void *progress_arg;
    /* A line of losses every so often; may be NULL. */
    void (*report)(void *arg, const char *line);
};

/* What was trained, for the signed model statement. */
struct bst_train_result {
    uint8_t model_digest[BST_SHA256_LEN];
    uint64_t steps;
    char started[BST_TIME_LEN], finished[BST_TIME_LEN];
    json_t *dataset;    /* the manifest, items with their digests; new reference */
    json_t *parameters; /* all hyperparameters; new reference */
};

enum bst_code bst_train(const struct bst_train_options *options, struct bst_train_result *result,
                        struct bst_error *err);
void bst_train_result_clear(struct bst_train_result *result);

#ifdef __cplusplus
}
#endif
#endif
