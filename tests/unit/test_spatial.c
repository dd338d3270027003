/* test_spatial.c - operators over rows and columns (and depth): random forms against their definition in
 * double precision, equal bits everywhere, and clear refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "onnx_run.h"

static int64_t pick(uint64_t *state, int64_t low, int64_t high)
{
    fixture_random(state);
    return low + (int64_t)(*state >> 40) % (high - low + 1);
}

static size_t count_of(const struct bst_tensor *t)
{
    size_t count = 1;
    for (size_t i = 0; i < t->rank; i++)
        count *= (size_t)t->dims[i];
    return count;
}

/* ---- Conv and ConvTranspose ---- */

struct form { /* depth, row, column; sides that are not there are 1 */
    size_t sides;
    int64_t batch, group, in, out; /* channels of a group */
    int64_t size[3], kernel[3], stride[3], dilation[3], begin[3], end[3], extra[3], made[3];
    bool transposed, live;
};

static void draw_form(uint64_t *seed, size_t sides, bool transposed, struct form *f)
{
    *f = (struct form){.sides = sides,
                       .batch = pick(seed, 1, 2),
                       .group = pick(seed, 1, 3),
                       .in = pick(seed, 1, 7),
                       .out = pick(seed, 1, 13),
                       .transposed = transposed,
                       .live = pick(seed, 0, 1)};
    for (size_t i = 0; i < 3; i++) {
        bool there = i + sides >= 3;
        f->size[i] = there ? pick(seed, sides == 3 ? 5 : 9, i < 2 ? 12 / (int64_t)sides + 3 : 40) : 1;
        f->kernel[i] = there ? pick(seed, 1, sides == 3 ? 3 : 5) : 1;
        f->stride[i] = there ? pick(seed, 1, 3) : 1;
        f->dilation[i] = there ? pick(seed, 1, 2) : 1;
        int64_t reach = (f->kernel[i] - 1) * f->dilation[i] + 1;
        f->begin[i] = there ? pick(seed, 0, reach / 2) : 0;
        f->end[i] = there ? pick(seed, 0, reach / 2) : 0;
        f->extra[i] = f->transposed && there ? pick(seed, 0, f->stride[i] - 1) : 0;
        if (f->transposed)
            f->made[i] = (f->size[i] - 1) * f->stride[i] + reach + f->extra[i] - f->begin[i] - f->end[i];
        else
            f->made[i] = (f->size[i] + f->begin[i] + f->end[i] - reach) / f->stride[i] + 1;
    }
}

static size_t put(char *text, size_t at, const char *before, const int64_t *list, size_t sides, char gap)
{
    at += (size_t)sprintf(text + at, "%s", before);
    for (size_t i = 3 - sides; i < 3; i++)
        at += (size_t)sprintf(text + at, "%s%lld", i > 3 - sides ? (char[]){gap, 0} : "", (long long)list[i]);
    return at;
}

static void write_form(const struct form *f, char *text)
{
    size_t at = (size_t)sprintf(text, "in x %d %d ", (int)f->batch, (int)(f->group * f->in));
    at = put(text, at, "", f->size, f->sides, ' ');
    at += (size_t)sprintf(text + at, "\n%s w %d %d ", f->live ? "in" : "rand",
                          (int)(f->group * (f->transposed ? f->in : f->out)),
                          (int)(f->transposed ? f->out : f->in));
    at = put(text, at, "", f->kernel, f->sides, ' ');
    at += (size_t)sprintf(text + at, "\n%s b %d\nnode %s x,w,b y group=%d", f->live ? "in" : "rand",
                          (int)(f->group * f->out), f->transposed ? "ConvTranspose" : "Conv", (int)f->group);
    at = put(text, at, " strides=[", f->stride, f->sides, ',');
    at = put(text, at, "] dilations=[", f->dilation, f->sides, ',');
    if (f->transposed) at = put(text, at, "] output_padding=[", f->extra, f->sides, ',');
    at = put(text, at, "] pads=[", f->begin, f->sides, ',');
    at = put(text, at, ",", f->end, f->sides, ',');
    sprintf(text + at, "]");
}

/* One output number of a group's channel o from its definition. */
static double conv_number(const struct form *f, const float *x, const float *w, int64_t n, int64_t g,
                          int64_t o, const int64_t at[3])
{
    double sum = 0;
    int64_t kernel = f->kernel[0] * f->kernel[1] * f->kernel[2];
    for (int64_t c = 0; c < f->in; c++) {
        for (int64_t k = 0; k < kernel; k++) {
            int64_t tap[3] = {k / f->kernel[2] / f->kernel[1], k / f->kernel[2] % f->kernel[1],
                              k % f->kernel[2]};
            int64_t place = 0;
            bool inside = true;
            for (size_t i = 0; i < 3; i++) {
                int64_t from = f->transposed ? at[i] + f->begin[i] - tap[i] * f->dilation[i]
                                             : at[i] * f->stride[i] - f->begin[i] + tap[i] * f->dilation[i];
                if (f->transposed) {
                    inside = inside && from % f->stride[i] == 0;
                    from /= f->stride[i];
                }
                inside = inside && from >= 0 && from < f->size[i];
                place = place * f->size[i] + from;
            }
            int64_t row = f->transposed ? (g * f->in + c) * f->out + o : (g * f->out + o) * f->in + c;
            if (inside)
                sum +=
                    (double)
                        x[((n * f->group + g) * f->in + c) * f->size[0] * f->size[1] * f->size[2] + place] *
                    (double)w[row * kernel + k];
        }
    }
    return sum;
}

static const float *constant_of(const struct fixture *f, size_t index)
{
    return (const float *)(const void *)f->graph.initializer[index]->raw_data.data;
}

static void check_form(const struct form *form, const char *text)
{
    struct fixture *f = fixture_new(text);
    struct bst_tensor out = {0};
    struct bst_error err;
    if (run_fixture(f, NULL, 2, &out, &err) != BST_OK) fail_msg("%s: %s (%s)", text, err.what, err.where);
    const float *x = f->inputs[0].data, *w = form->live ? f->inputs[1].data : constant_of(f, 0);
    const float *b = form->live ? f->inputs[2].data : constant_of(f, 1);
    assert_int_equal(out.rank, form->sides + 2);
    for (size_t i = 0; i < form->sides; i++)
        assert_int_equal(out.dims[2 + i], form->made[3 - form->sides + i]);
    for (size_t i = 0; i < count_of(&out); i++) {
        int64_t rest = (int64_t)i, at[3];
        for (size_t d = 3; d-- > 0; rest /= form->made[d])
            at[d] = rest % form->made[d];
        int64_t o = rest % form->out, g = rest / form->out % form->group, n = rest / form->out / form->group;
        double exact = conv_number(form, x, w, n, g, o, at) + (double)b[g * form->out + o];
        if (fabs((double)out.data[i] - exact) > 2e-5 + 2e-6 * fabs(exact))
            fail_msg("%s: number %zu is %g, not %g", text, i, (double)out.data[i], exact);
    }
    free(out.data);
    fixture_free(f);
}

static void test_conv(void **state)
{
    uint64_t seed = 7;
    char text[1024];
    struct form form;
    (void)state;
    for (size_t i = 0; i < 90; i++) {
        draw_form(&seed, 1 + i % 3, i % 2 == 1, &form);
        if (form.made[0] < 1 || form.made[1] < 1 || form.made[2] < 1) continue;
        write_form(&form, text);
        check_form(&form, text);
        if (i % 4 == 0) expect_same_bits(text, text);
    }
}

/* Weights that the network makes give the same bits as the same weights in the file. */
static void test_live_weights(void **state)
{
    static const char *const forms[][2] = {
        {"in x 1 6 9 20\nin w 8 3 3 3\nin b 8\nnode Conv x,w,b y group=2 pads=[1,1,1,1]",
         "in x 1 6 9 20\nrand w 8 3 3 3\nrand b 8\nnode Conv x,w,b y group=2 pads=[1,1,1,1]"},
        {"in x 1 6 9 20\nin w 6 5 3 3\nnode ConvTranspose x,w y group=2 strides=[2,2]",
         "in x 1 6 9 20\nrand w 6 5 3 3\nnode ConvTranspose x,w y group=2 strides=[2,2]"},
        {"in x 1 6 5 6 7\nin w 6 5 3 2 3\nnode ConvTranspose x,w y strides=[2,2,1] dilations=[1,2,1]",
         "in x 1 6 5 6 7\nrand w 6 5 3 2 3\nnode ConvTranspose x,w y strides=[2,2,1] dilations=[1,2,1]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct fixture *live = fixture_new(forms[i][0]), *known = fixture_new(forms[i][1]);
        struct bst_tensor a = {0}, b = {0};
        struct bst_error err;
        for (size_t k = 0; k < known->graph.n_initializer; k++)
            memcpy(live->inputs[1 + k].data, constant_of(known, k),
                   count_of(&live->inputs[1 + k]) * sizeof(float));
        assert_int_equal(run_fixture(live, NULL, 2, &a, &err), BST_OK);
        assert_int_equal(run_fixture(known, NULL, 1, &b, &err), BST_OK);
        assert_true(same_bits(&a, &b));
        free(a.data);
        free(b.data);
        fixture_free(live);
        fixture_free(known);
    }
}

static void test_conv_refusals(void **state)
{
    (void)state;
    refuse("in x 1 3\nrand w 4 3\nnode Conv x,w y", "1 to 3 sides");
    refuse("in x 1 3 4 4 4 4\nrand w 4 3 1 1 1 1\nnode Conv x,w y", "1 to 3 sides");
    refuse("in x 1 3 8 8\nrand w 4 3 3\nnode Conv x,w y", "dimensions");
    refuse("in x 1 3 8\nrand w 4 3 3\nnode Conv x,w y strides=[2,2]", "out of range");
    refuse("in x 1 3 8 8 8\nrand w 4 3 3 3 3\nnode Conv x,w y pads=[1,1,1,1]", "out of range");
    refuse("in x 1 3 8 8\nrand w 4 3 3 3\nnode Conv x,w y auto_pad='SOMEHOW'", "auto_pad");
    refuse("in x 1 3 8 8\nrand w 4 3 3 3\nin b 5\nnode Conv x,w,b y", "bias");
    refuse("in x 1 3 8 8\nrand w 4 3 3 3\nin b 4 1\nnode Conv x,w,b y", "bias");
    refuse("in x 1 1 2 2 2\nrand w 1 1 1 1 1\nnode ConvTranspose x,w y strides=[64,64,64]", "strides");
    refuse("in x 1 1 9 9\nrand w 1 1 3 3\nnode ConvTranspose x,w y output_shape=[0,9]",
           "padding leaves nothing");
    refuse("in x 1 1 9 9\nrand w 1 1 3 3\nnode ConvTranspose x,w y output_shape=[-2,9]", "output_shape");
    refuse("in x 1 1 9 9\nrand w 1 1 3 3\nnode ConvTranspose x,w y output_shape=[2147483647,2147483647]",
           "impossible");
}

/* ---- Resize ---- */

/* Numbers of the operator's own examples. */
static void test_resize(void **state)
{
    (void)state;
    EXPECT("in x 1 1 4 4\nfloats s 1 1 0.8 0.8\nnode Resize x,,s y mode='cubic'",
           L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16),
           L(1.47119141f, 2.78125f, 4.08251953f, 6.71142578f, 8.02148438f, 9.32275391f, 11.91650391f,
             13.2265625f, 14.52783203f));
    EXPECT("in x 1 1 4 4\nfloats s 1 1 2 2\nnode Resize x,,s r mode='cubic' exclude_outside=1 "
           "cubic_coeff_a=-0.5\n"
           "ints b 0\nints e 1\nints a 2\nnode Slice r,b,e,a y",
           L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16),
           L(0.55882353f, 0.81494204f, 1.35698249f, 1.89705882f, 2.39705882f, 2.93713516f, 3.47917561f,
             3.73529412f));
    EXPECT("opset 18\nin x 1 1 4 4\nfloats s 1 1 0.6 0.6\nnode Resize x,,s y mode='linear' antialias=1",
           L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16), L(2.875f, 4.5f, 9.375f, 11.0f));
    EXPECT(
        "in x 1 1 4 4\nfloats r 0 0 0.4 0.6 1 1 1.2 1.7\nints s 1 1 3 3\nnode Resize x,r,,s y mode='linear' "
        "coordinate_transformation_mode='tf_crop_and_resize' extrapolation_value=10.0",
        L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16),
        L(7.6000004f, 10, 10, 12.400001f, 10, 10, 10, 10, 10));
    EXPECT("opset 18\nin x 1 1 2 4\nints s 7 8\nnode Resize x,,,s y axes=[2,3] "
           "keep_aspect_ratio_policy='not_larger'",
           L(1, 2, 3, 4, 5, 6, 7, 8),
           L(1, 1, 2, 2, 3, 3, 4, 4, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 5, 5, 6, 6, 7, 7, 8, 8));
    EXPECT("in x 2 2 1 1\nfloats s 1 2 1 1\nnode Resize x,,s y mode='linear'", L(1, 3, 5, 7),
           L(1, 1.5f, 2.5f, 3, 5, 5.5f, 6.5f, 7));
}

static void test_resize_refusals(void **state)
{
    (void)state;
    refuse("in x 1 3 4 4\nfloats s 1 1 2 2\nnode Resize x,,s y mode='lanczos'", "lanczos");
    refuse("in x 1 3 4 4\nfloats s 1 1 2 2\nnode Resize x,,s y coordinate_transformation_mode='moon'",
           "moon");
    refuse("in x 1 3 4 4\nfloats s 1 1 2 2\nnode Resize x,,s y nearest_mode='up'", "nearest_mode");
    refuse("in x 1 3 4 4\nfloats s 1 1 0 2\nnode Resize x,,s y", "range");
    refuse("in x 1 3 4 4\nfloats s 1 1 -2 2\nnode Resize x,,s y", "range");
    refuse("in x 1 3 4 4\nfloats s 1 1 2\nnode Resize x,,s y", "one for each axis");
    refuse("in x 1 3 4 4\nfloats s 2 2\nnode Resize x,,s y axes=[2,2]", "axes");
    refuse("in x 1 3 4 4\nfloats s 2 2\nnode Resize x,,s y axes=[2,4]", "axes");
    refuse("in x 1 3 4 4\nints s 8 8\nnode Resize x,,,s y axes=[2,3] keep_aspect_ratio_policy='odd'", "odd");
    refuse("in x 1 3 4 4\nfloats s 1 1 2 2\nnode Resize x,,s y coordinate_transformation_mode="
           "'tf_crop_and_resize'",
           "region");
    refuse("in x 1 3 4 4\nfloats r 0 0 0 0 1 1 inf 1\nfloats s 1 1 2 2\nnode Resize x,r,s y "
           "coordinate_transformation_mode='tf_crop_and_resize'",
           "finite");
}

/* ---- pooling ---- */

static void test_pool(void **state)
{
    const float ones[] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    (void)state;
    EXPECT("in x 1 1 5 5\nnode MaxPool x m,i kernel_shape=[2,2] strides=[2,2]\nnode Cast i y to=1",
           L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25),
           L(6, 8, 16, 18));
    EXPECT("in x 1 1 5 5\nnode MaxPool x m,i kernel_shape=[2,2] strides=[2,2] storage_order=1\nnode Cast i y "
           "to=1",
           L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25),
           L(6, 16, 8, 18));
    EXPECT("in x 1 1 4 4\nnode MaxPool x y kernel_shape=[3,3] strides=[2,2] ceil_mode=1",
           L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16), L(11, 12, 15, 16));
    EXPECT("in x 1 1 4 4\nnode MaxPool x y kernel_shape=[2,2] dilations=[2,2]",
           L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16), L(11, 12, 15, 16));
    EXPECT("in x 1 1 1 4\nnode MaxPool x y kernel_shape=[1,2]", L(-1, -2, -0.0f, 0.0f), L(-1, 0, 0));
    EXPECT("in x 1 1 4\nnode AveragePool x y kernel_shape=[3] pads=[1,1] count_include_pad=1", L(1, 2, 3, 4),
           L(1, 2, 3, 7 / 3.0f));
    EXPECT("opset 18\nin x 1 1 1 3\nnode LpPool x y kernel_shape=[1,2]", L(3, -4, 12), L(5, 12.6491106f));
    EXPECT("opset 18\nin x 1 1 1 3\nnode LpPool x y kernel_shape=[1,3] p=1", L(3, -4, 12), L(19));
    expect("in x 1 1 3 3\nnode AveragePool x y kernel_shape=[3,3] pads=[1,1,1,1]", ones, ones, 9);
    refuse("in x 1 1 3 3\nnode MaxPool x y", "range");
    refuse("in x 1 1 3 3\nnode MaxPool x y kernel_shape=[4,1]", "smaller than the window");
    refuse("in x 1 1 3 3\nnode MaxPool x y kernel_shape=[2,2,2]", "range");
    refuse("in x 1 1 3 3\nnode AveragePool x y kernel_shape=[2,2] pads=[0,0,-1,0]", "range");
    refuse(
        "in x 1 1 9 9 9\nnode AveragePool x y kernel_shape=[1024,1024,1024] pads=[600,600,600,600,600,600]",
        "range");
    refuse("in x 1 3\nnode MaxPool x y kernel_shape=[1]", "no pixels");
    refuse("in x 1 1 3 3\nnode LpPool x y kernel_shape=[1,1] p=0", "range");
}

/* A window's greatest number, sum and count straight from the definition. */
static void random_pool(uint64_t *seed)
{
    char text[512];
    struct form f;
    draw_form(seed, 1 + (size_t)pick(seed, 0, 2), false, &f);
    bool average = pick(seed, 0, 1) == 1, padded = pick(seed, 0, 1) == 1;
    size_t at = (size_t)sprintf(text, "opset 19\nin x %d %d ", (int)f.batch, (int)f.in);
    at = put(text, at, "", f.size, f.sides, ' ');
    at += (size_t)sprintf(text + at, "\nnode %s x y count_include_pad=%d",
                          average ? "AveragePool" : "MaxPool", average && padded);
    at = put(text, at, " kernel_shape=[", f.kernel, f.sides, ',');
    at = put(text, at, "] strides=[", f.stride, f.sides, ',');
    at = put(text, at, "] dilations=[", f.dilation, f.sides, ',');
    at = put(text, at, "] pads=[", f.begin, f.sides, ',');
    at = put(text, at, ",", f.end, f.sides, ',');
    sprintf(text + at, "]");
    struct fixture *fixture = fixture_new(text);
    struct bst_tensor out = {0};
    struct bst_error err;
    if (run_fixture(fixture, NULL, 2, &out, &err) != BST_OK) fail_msg("%s: %s", text, err.what);
    size_t volume = (size_t)(f.size[0] * f.size[1] * f.size[2]);
    for (size_t i = 0; i < count_of(&out); i++) {
        int64_t rest = (int64_t)i, kernel = f.kernel[0] * f.kernel[1] * f.kernel[2], place[3];
        double sum = 0, top = -INFINITY, count = 0;
        for (size_t d = 3; d-- > 0; rest /= f.made[d])
            place[d] = rest % f.made[d];
        for (int64_t k = 0; k < kernel; k++) {
            int64_t tap[3] = {k / f.kernel[2] / f.kernel[1], k / f.kernel[2] % f.kernel[1], k % f.kernel[2]},
                    from = 0;
            bool inside = true;
            for (size_t d = 0; d < 3; d++) {
                int64_t a = place[d] * f.stride[d] - f.begin[d] + tap[d] * f.dilation[d];
                inside = inside && a >= 0 && a < f.size[d];
                from = from * f.size[d] + a;
            }
            count += inside || (average && padded);
            if (!inside) continue;
            double v = (double)fixture->inputs[0].data[(size_t)rest * volume + (size_t)from];
            sum += v;
            if (v > top) top = v;
        }
        double exact = average ? sum / count : top;
        if (fabs((double)out.data[i] - exact) > 1e-6)
            fail_msg("%s: %zu is %g, not %g", text, i, (double)out.data[i], exact);
    }
    free(out.data);
    fixture_free(fixture);
    if (seed[0] % 8 == 0) expect_same_bits(text, text);
}

static void test_random_pool(void **state)
{
    uint64_t seed = 11;
    (void)state;
    for (size_t i = 0; i < 60; i++)
        random_pool(&seed);
}

/* ---- GridSample ---- */

static void test_grid_sample(void **state)
{
    (void)state;
    /* corners, the middle, and a place outside */
    EXPECT("in g 1 1 4 2\nfloats w 1 2 3 4\nints s 1 1 2 2\nnode Reshape w,s x\n"
           "node GridSample x,g y mode='bilinear' align_corners=1",
           L(-1, -1, 1, 1, 0, 0, 3, 3), L(1, 4, 2.5f, 0));
    EXPECT("in g 1 1 4 2\nfloats w 1 2 3 4\nints s 1 1 2 2\nnode Reshape w,s x\n"
           "node GridSample x,g y mode='bilinear'",
           L(-1, -1, 1, 1, 0, 0, -0.5f, 0.5f), L(0.25f, 1, 2.5f, 3));
    EXPECT("in g 1 1 4 2\nfloats w 1 2 3 4\nints s 1 1 2 2\nnode Reshape w,s x\n"
           "node GridSample x,g y mode='nearest' padding_mode='border'",
           L(-9, -9, 9, 9, 0.4f, -0.4f, NAN, INFINITY), L(1, 4, 2, 3));
    EXPECT("in g 1 1 4 2\nfloats w 1 2 3 4\nints s 1 1 1 4\nnode Reshape w,s x\n"
           "node GridSample x,g y mode='bilinear' padding_mode='reflection' align_corners=1",
           L(-1.5f, 0, 1.5f, 0, 3, 0, 5, 0), L(1.75f, 3.25f, 1, 4));
    EXPECT("opset 20\nin t 1 2 3\nints s 1 1 2 2\nnode AffineGrid t,s y", L(1, 0, 0.25f, 0, 2, 0),
           L(-0.25f, -1, 0.75f, -1, -0.25f, 1, 0.75f, 1));
    refuse("in x 1 1 4 4\nin g 1 2 2 3\nnode GridSample x,g y", "grid");
    refuse("in x 1 1 4\nin g 1 2 1\nnode GridSample x,g y", "grid");
    refuse("in x 2 1 4 4\nin g 1 2 2 2\nnode GridSample x,g y", "grid");
    refuse("in x 1 1 4 4\nin g 1 2 2 2\nnode GridSample x,g y mode='best'", "best");
    refuse("in x 1 1 4 4\nin g 1 2 2 2\nnode GridSample x,g y padding_mode='none'", "none");
    refuse("opset 20\nin t 1 2 3\nints s 1 1 2\nnode AffineGrid t,s y", "size");
    refuse("opset 20\nin t 1 2 3\nints s 1 1 -2 2\nnode AffineGrid t,s y", "impossible");
}

/* ---- Pad ---- */

static void test_pad(void **state)
{
    (void)state;
    EXPECT("opset 10\nin x 1 2\nnode Pad x y pads=[0,1,1,0] value=9.0", L(1, 2), L(9, 1, 2, 9, 9, 9));
    EXPECT("opset 18\nin x 1 5\nints s 3 2\nnode CenterCropPad x,s y", L(1, 2, 3, 4, 5), L(0, 0, 2, 3, 0, 0));
    refuse("opset 10\nin x 1 2\nnode Pad x y pads=[0,1,1]", "pads");
    refuse("opset 10\nin x 1 2\nnode Pad x y", "no pads");
    refuse("opset 18\nin x 1 5\nints s 3\nnode CenterCropPad x,s y", "one number");
    refuse("opset 18\nin x 1 5\nints s 3 -2\nnode CenterCropPad x,s y", "range");
    refuse("opset 18\nin x 1 5\nints s 3\nnode CenterCropPad x,s y axes=[2]", "axes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv),
        cmocka_unit_test(test_live_weights),
        cmocka_unit_test(test_conv_refusals),
        cmocka_unit_test(test_resize),
        cmocka_unit_test(test_resize_refusals),
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_random_pool),
        cmocka_unit_test(test_grid_sample),
        cmocka_unit_test(test_pad),
    };
    return cmocka_run_group_tests(tests, run_path_make, run_path_remove);
}
