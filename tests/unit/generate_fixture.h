/* generate_fixture.h - small models of the kinds that the engine is for, and pictures from them: what the tests of
 * generation have in common. */
#ifndef GENERATE_FIXTURE_H
#define GENERATE_FIXTURE_H

#include <unistd.h>

#include "onnx_fixture.h"

static char path[64]; /* of the model made last */

static inline int path_make(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/blindstamp-generate-%ld.onnx", (long)getpid());
    return 0;
}

static inline int path_remove(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

struct maker {
    struct bst_model *model;
    struct bst_generator *generator;
};

static inline struct maker maker_new(const char *text, const struct bst_run_options *options)
{
    static const struct bst_run_options plain = {.threads = 2};
    struct maker m = {0};
    struct bst_error err;
    struct fixture *f = fixture_new(text);
    fixture_write(f, path);
    fixture_free(f);
    if (bst_model_open(path, &m.model, &err) != BST_OK) fail_msg("%s (%s)", err.what, err.where);
    if (bst_generator_new(m.model, options != NULL ? options : &plain, &m.generator, &err) != BST_OK)
        fail_msg("%s", err.what);
    return m;
}

static inline void maker_free(struct maker *m)
{
    bst_generator_free(m->generator);
    bst_model_free(m->model);
}

static inline struct bst_image make(struct maker *m, const struct bst_controls *controls,
                                    struct bst_used *used)
{
    struct bst_image image;
    struct bst_error err;
    if (bst_generate(m->generator, controls, &image, used, &err) != BST_OK)
        fail_msg("%s (%s)", err.what, err.where);
    return image;
}

static inline bool same_image(const struct bst_image *a, const struct bst_image *b)
{
    return a->width == b->width && a->height == b->height &&
           memcmp(a->samples, b->samples, bst_image_size(a)) == 0;
}

static inline struct bst_image gradient(uint32_t width, uint32_t height, uint8_t channels, uint8_t depth)
{
    struct bst_image image;
    struct bst_error err;
    assert_int_equal(bst_image_new(width, height, channels, depth, &image, &err), BST_OK);
    for (size_t i = 0; i < bst_image_size(&image); i++)
        image.samples[i] = (uint8_t)(i * 7 + i / 31);
    return image;
}

/* Cuts the rectangle at (x, y) out of an image. */
static inline struct bst_image cut(const struct bst_image *from, uint32_t x, uint32_t y, uint32_t width,
                                   uint32_t height)
{
    struct bst_image image;
    struct bst_error err;
    assert_int_equal(bst_image_new(width, height, 3, 8, &image, &err), BST_OK);
    for (uint32_t i = 0; i < height; i++)
        memcpy(image.samples + (size_t)i * width * 3, from->samples + ((size_t)(y + i) * from->width + x) * 3,
               (size_t)width * 3);
    return image;
}

/* ---- models ---- */

static const char *const srvgg =
    "in x 1 3 ?16 ?16\nrand w1 8 3 3 3\nrand b1 8\nrand s1 8 1 1\nrand w2 8 8 3 3\nrand b2 8\nrand s2 8 1 "
    "1\nrand w3 12 8 3 3\n"
    "rand b3 12\nfloats k 1 1 2 2\nnode Conv x,w1,b1 a pads=[1,1,1,1]\nnode PRelu a,s1 b\nnode Conv b,w2,b2 "
    "c pads=[1,1,1,1]\n"
    "node PRelu c,s2 d\nnode Conv d,w3,b3 e pads=[1,1,1,1]\nnode DepthToSpace e f blocksize=2 mode='CRD'\n"
    "node Resize x,,k n mode='nearest' coordinate_transformation_mode='asymmetric' "
    "nearest_mode='floor'\nnode Add f,n y";

#define CARD(extra)                                                                                          \
    "card "                                                                                                  \
    "{\"schema\":\"blindstamp.card/1\",\"name\":\"tiny\",\"styles\":[\"sky\",\"sea\",\"ink\"],\"inputs\":["  \
    "{\"name\":\"style\",\"role\":\"style\"},{\"name\":\"latent\",\"role\":\"latent\"},"                     \
    "{\"name\":\"coarse\",\"role\":\"noise\",\"cell\":8,\"margin\":3},"                                      \
    "{\"name\":\"fine\",\"role\":\"noise\",\"cell\":4,\"margin\":2}],"                                       \
    "\"output_low\":-1,\"output_high\":1,\"width\":96,\"height\":64,\"size_multiple\":8,\"tileable\":"       \
    "true" extra "}\n"

/* A texture generator of the bundled model's kind: 10 x 10 coarse cells become 64 x 64 pixels. */
#define TEXTURE                                                                                              \
    "in style 1 3\nin latent 1 5\nin coarse 1 4 ?14 ?14\nin fine 1 2 ?20 ?20\nrand d 8 10\nrand db "         \
    "10\nints um 2 3\n"                                                                                      \
    "rand w1 10 4 3 3\nfloats up 1 1 2 2\nints t2 2 2\nints e2 -2 -2\nints hw 2 3\nrand w2 8 12 3 3\nints "  \
    "up4 4\n"                                                                                                \
    "floats up2 1 1 4 4\nints t5 4 4\nints e5 -4 -4\nrand w3 3 8 3 3\n"                                      \
    "node Concat style,latent c axis=1\nnode Gemm c,d,db g\nnode Unsqueeze g,um s\n"                         \
    "node Conv coarse,w1 a\nnode Mul a,s b\nnode LeakyRelu b e alpha=0.2\nnode Resize e,,up r "              \
    "mode='linear'\n"                                                                                        \
    "node Slice r,t2,e2,hw q\nnode Concat q,fine k axis=1\nnode Conv k,w2 l\nnode LeakyRelu l m alpha=0.2\n" \
    "node Resize m,,up2 n mode='linear'\nints t7 3 3\nints e7 -3 -3\nnode Slice n,t7,e7,hw o\nnode Conv "    \
    "o,w3 u\nnode Tanh u y"

/* A picture whose cells of 4 x 4 pixels are as grey as their code, out of that many. */
#define CODES(of)                                                                                            \
    "card "                                                                                                  \
    "{\"schema\":\"blindstamp.card/1\",\"name\":\"codes\",\"inputs\":[{\"name\":\"i\",\"role\":\"codes\","   \
    "\"codes\":" of ",\"cell\":4}],\"width\":24,\"height\":12,\"output_low\":0,\"output_high\":255}\n"       \
    "intin i 256 1 1 ?3 ?6\nfloats s 1 1 4 4\nnode Cast i f to=1\n"                                          \
    "node Resize f,,s y mode='nearest' coordinate_transformation_mode='asymmetric' nearest_mode='floor'"

#endif
