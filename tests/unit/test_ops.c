/* test_ops.c - every operator: the same bits on every instruction set and thread count, values worked out by
 * hand or in double precision, and clear refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "onnx_cases.h"
#include "onnx_run.h"

static void test_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < ONNX_CASES; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(onnx_cases[i].name, onnx_cases[k].name) == 0)
                fail_msg("two cases are called %s: files are named after them", onnx_cases[i].name);
    for (size_t i = 0; i < ONNX_CASES; i++)
        expect_same_bits(onnx_cases[i].name, onnx_cases[i].text);
}

/* ---- values ---- */

/* Examples small enough to follow with a pencil; most are those of the operators' specifications. */
static void test_values(void **state)
{
    (void)state;
    EXPECT("in x 1 1 3 3\nfloats w 1 1 1 1\nints s 1 1 2 2\nnode Reshape w,s k\nnode Conv x,k y",
           L(1, 2, 3, 4, 5, 6, 7, 8, 9), L(12, 16, 24, 28));
    EXPECT("in x 1 1 2 2\nfloats w 1 2 3 4\nints s 1 1 2 2\nnode Reshape w,s k\nnode ConvTranspose x,k y "
           "strides=[2,2]",
           L(1, 2, 3, 4), L(1, 2, 2, 4, 3, 4, 6, 8, 3, 6, 4, 8, 9, 12, 12, 16));
    EXPECT("in x 1 1 2 2\nfloats w 1 2 3 4\nints s 1 1 2 2\nnode Reshape w,s k\nnode ConvTranspose x,k y",
           L(1, 2, 3, 4), L(1, 4, 4, 6, 20, 16, 9, 24, 16));
    EXPECT("in x 1 1 1 2\nfloats s 1 1 1 2\nnode Resize x,,s y mode='linear'", L(1, 3), L(1, 1.5, 2.5, 3));
    EXPECT("in x 1 1 2 2\nfloats s 1 1 2 2\nnode Resize x,,s y mode='nearest'", L(1, 2, 3, 4),
           L(1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4));
    EXPECT("in x 1 1 1 4\nints p 0 0 0 3 0 0 0 2\nnode Pad x,p y mode='reflect'", L(1, 2, 3, 4),
           L(4, 3, 2, 1, 2, 3, 4, 3, 2));
    EXPECT("opset 19\nin x 1 1 1 3\nints p 0 0 0 2 0 0 0 4\nnode Pad x,p y mode='wrap'", L(1, 2, 3),
           L(2, 3, 1, 2, 3, 1, 2, 3, 1));
    EXPECT("in x 1 4 1 1\nnode DepthToSpace x y blocksize=2", L(1, 2, 3, 4), L(1, 2, 3, 4));
    EXPECT("in x 1 8 1 1\nnode DepthToSpace x y blocksize=2", L(0, 1, 2, 3, 4, 5, 6, 7),
           L(0, 2, 4, 6, 1, 3, 5, 7));
    EXPECT("in x 1 8 1 1\nnode DepthToSpace x y blocksize=2 mode='CRD'", L(0, 1, 2, 3, 4, 5, 6, 7),
           L(0, 1, 2, 3, 4, 5, 6, 7));
    EXPECT("in x 1 2 2 3\nfloats w 10 100\nints s 2 1\nnode Reshape w,s k\nnode Mul x,k y",
           L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
           L(10, 20, 30, 400, 500, 600, 70, 80, 90, 1000, 1100, 1200));
    EXPECT("in x 1 2 2 3\nfloats w 10 100\nints s 2 1\nnode Reshape w,s k\nnode Sub x,k y",
           L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), L(-9, -8, -7, -96, -95, -94, -3, -2, -1, -90, -89, -88));
    EXPECT("in x 1 2 2 3\nfloats w 10 100\nints s 2 1\nnode Reshape w,s k\nnode Sub k,x y",
           L(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), L(9, 8, 7, 96, 95, 94, 3, 2, 1, 90, 89, 88));
    EXPECT("in x 1 4\nnode LeakyRelu x y alpha=0.5", L(-2, -0.0f, 3, -1), L(-1, 0, 3, -0.5f));
    EXPECT("in x 1 1 1 4\nfloats g 2\nfloats b 1\nnode InstanceNormalization x,g,b y epsilon=0.0",
           L(1, 3, 1, 3), L(-1, 3, -1, 3));
    EXPECT("in x 1 3\nnode Softmax x y", L(0, 0, 0), L(1.0f / 3, 1.0f / 3, 1.0f / 3));
    EXPECT("in x 1 1 2 3\nnode MaxPool x y kernel_shape=[2,2]", L(1, 5, 2, 4, 3, 6), L(5, 6));
    EXPECT("in x 1 1 2 2\nnode AveragePool x y kernel_shape=[2,2] pads=[0,0,1,1]", L(1, 2, 3, 4),
           L(2.5, 3, 3.5, 4));
    EXPECT("in x 2 3\nints b -1\nints e -10\nints a 1\nints s -1\nnode Slice x,b,e,a,s y",
           L(1, 2, 3, 4, 5, 6), L(3, 2, 1, 6, 5, 4));
    EXPECT("in x 1 2\nfloats w 1 2 3 4\nints s 2 2\nfloats c 10 20\nnode Reshape w,s m\nnode Gemm x,m,c y "
           "transB=1",
           L(1, 2), L(15, 31));
}

/* Two graphs of the same inputs' names make the same bits. */
static void expect_alike(const char *old, const char *today)
{
    struct fixture *a = fixture_new(old), *b = fixture_new(today);
    struct bst_tensor outs[2] = {{0}};
    struct bst_error err;
    if (run_fixture(a, NULL, 2, &outs[0], &err) != BST_OK ||
        run_fixture(b, NULL, 2, &outs[1], &err) != BST_OK)
        fail_msg("%s: %s (%s)", old, err.what, err.where);
    if (!same_bits(&outs[0], &outs[1])) fail_msg("%s differs from %s", old, today);
    free(outs[0].data);
    free(outs[1].data);
    fixture_free(a);
    fixture_free(b);
}

/* Forms that other runtimes do not know any more. */
static void test_old_forms(void **state)
{
    (void)state;
    expect_alike("opset 6\nin a 2 3 4 5\nin b 3 4\nnode Add a,b y broadcast=1 axis=1",
                 "in a 2 3 4 5\nin b 3 4\nints x 2\nnode Unsqueeze b,x u\nnode Add a,u y");
    expect_alike("opset 6\nin a 2 3 4 5\nin b 4 5\nnode Mul a,b y broadcast=1",
                 "in a 2 3 4 5\nin b 4 5\nnode Mul a,b y");
    expect_alike("opset 6\nin a 2 3 4 5\nrand s 3\nnode PRelu a,s y",
                 "in a 2 3 4 5\nrand s 3\nints x 1 2\nnode Unsqueeze s,x u\nnode PRelu a,u y");
    expect_alike("opset 6\nin a 2 3 4 5\nrand s 1\nnode PRelu a,s y",
                 "in a 2 3 4 5\nrand s 1\nnode PRelu a,s y");
    expect_alike("opset 6\nin x 1 3 5 6\nnode Upsample x y height_scale=2.0 width_scale=3.0",
                 "opset 9\nin x 1 3 5 6\nfloats s 1 1 2 3\nnode Upsample x,s y");
    expect_alike(
        "opset 6\nin x 2 3 4 5\nrand g 3\nrand b 3\nrand m 3\nposrand v 3\nnode BatchNormalization "
        "x,g,b,m,v y is_test=1",
        "in x 2 3 4 5\nrand g 3\nrand b 3\nrand m 3\nposrand v 3\nnode BatchNormalization x,g,b,m,v y");
    expect_alike("opset 6\nin x 2 3\nnode Dropout x a is_test=1\nnode Neg a y", "in x 2 3\nnode Neg x y");
    expect_alike("in x 2 3\nint c 1\nif c y\nout x\nelse\nnode Neg x a\nout a\nend\nnode Neg y z\nout z",
                 "in x 2 3\nnode Neg x y");
}

/* ---- refusals ---- */

static void test_refusals(void **state)
{
    (void)state;
    refuse("in x 1 3\nnode Det x y", "not supported");
    refuse("in x 1 3\nnode Loop x y", "not supported");
    refuse("in x 1 3\nnode If x y", "branch is missing");
    refuse("in x 1 3\nboolin c 5000\nif c y\nout x\nelse\nnode Neg x a\nout a\nend\nnode Relu y z",
           "condition 'c'");
    refuse("in x 1 3\nint c 1\nif c y\nout x\nelse\nnode Erff x a\nout a\nend", "Erff is not supported");
    refuse("in x 1 3\nint c 1\nif c y\nnode Neg x a\nout a\nelse\nout x\nend\nnode Relu a z",
           "'a' is not made");
    refuse("opset 6\nin x 1 3\nnode Dropout x y", "training");
    refuse("in x 1 3\nfloat a 0\nfloat b 1\nfloat d 0\nnode Range a,b,d r\nnode Add x,r y", "range");
    refuse("in x 1 3\nfloats s 1 2\nnode DequantizeLinear x,s y", "whole");
    refuse("intin x 5 1 3\nfloats s 1 2\nnode DequantizeLinear x,s y", "axis");
    refuse("intin x 5 1 3\nrand s 1 2\nnode DequantizeLinear x,s y block_size=1", "blocks");
    refuse("intin x 5 1 3\nnode Cast x y to=8", "string");
    refuse("opset 6\nin x 1 3\nin y 4\nnode Add x,y z broadcast=1 axis=9", "axis");
    refuse("in x 1 3 8 8\nrand w 4 2 3 3\nnode Conv x,w y", "channels");
    refuse("in x 1 3 2 2\nrand w 4 3 3 3\nnode Conv x,w y", "smaller than the kernel");
    refuse("in x 1 3 8 8\nrand w 4 3 3 3\nnode Conv x,w y strides=[0,1]", "out of range");
    refuse("in x 1 3 8 8\nrand w 4 3 3 3\nnode Conv x,w y strides=[100000000,1]", "out of range");
    refuse("in x 1 3 8 8\nrand w 4 3 3 3\nnode Conv x,w y pads=[-1,0,0,0]", "out of range");
    refuse("in x 1 3 8 8\nrand w 4 3 3 3\nnode Conv x,w y group=0", "groups");
    refuse("in x 1 3 8 8\nrand w 3 4 3 3\nnode ConvTranspose x,w y pads=[9,9,9,9]", "nothing");
    refuse("in a 2 3\nin b 2 4\nnode Add a,b y", "fit");
    refuse("in a 2 3\nin b 4 5\nnode MatMul a,b y", "fit");
    refuse("in x 1 3 4 4\nints s 7 7\nnode Reshape x,s y", "become");
    refuse("in x 1 3 4 4\nints s -1 -1\nnode Reshape x,s y", "impossible");
    refuse("in x 1 3 4 4\nfloats s 1 1 1e30 2\nnode Resize x,,s y", "range");
    refuse("in x 1 3 4 4\nints p 0 0 1 1\nnode Pad x,p y", "pads");
    refuse("in x 2 3\nints i 9\nnode Gather x,i y", "range");
    refuse("in x 2 3\nin s 2\nnode Reshape x,s y", "wrong type");
    refuse("in x 2 3\nintin s 3 5000\nnode Reshape x,s y", "depends");
    refuse("in x 2 3\nints s 100000 100000 100000 100000\nnode Expand x,s y", "fit");
    refuse("in x 1\nints s 100000 100000 100000 100000\nnode Expand x,s y", "impossible");
    refuse("in x 1 3 4 4\nnode DepthToSpace x y blocksize=2", "blocksize");
    refuse("in x 2 3\nnode Transpose x y perm=[0,0]", "perm");
    refuse("in x 2 3\nints a 5\nnode Squeeze x,a y", "axis");
    refuse("in x 2 3\nints z 1000000 100000\nnode ConstantOfShape z c\nnode ReduceMean c d\nnode Add x,d y",
           "memory");
}

/* Memory is refused before it is taken, with the need named. */
static void test_memory(void **state)
{
    struct fixture *f =
        fixture_new("in x 1 3 ?64 ?64\nrand w 64 3 3 3\nrand v 3 64 3 3\nnode Conv x,w a pads=[1,1,1,1]\n"
                    "node Conv a,v y pads=[1,1,1,1]");
    struct bst_model *model = NULL;
    struct bst_generator *generator = NULL;
    struct bst_run_options options = {.threads = 1, .memory = (size_t)64 << 20};
    struct bst_tensor out = {0}, big = {"x", 4, {1, 3, 4096, 4096}, NULL, NULL};
    struct bst_error err;
    (void)state;
    fixture_write(f, run_path);
    assert_int_equal(bst_model_open(run_path, &model, &err), BST_OK);
    assert_int_equal(bst_generator_new(model, &options, &generator, &err), BST_OK);
    big.data = f->inputs[0].data; /* never read */
    assert_int_equal(bst_generator_run(generator, &big, 1, &out, &err), BST_FAILURE);
    assert_non_null(strstr(err.what, "MB"));
    assert_true(err.hint[0] != 0);
    assert_int_equal(bst_generator_run(generator, f->inputs, 1, &out, &err),
                     BST_OK); /* the generator still works */
    free(out.data);
    bst_generator_free(generator);
    bst_model_free(model);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits),     cmocka_unit_test(test_values), cmocka_unit_test(test_old_forms),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, run_path_make, run_path_remove);
}
