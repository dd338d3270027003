/* onnx_cases.h - one small graph or more for every operator and every way it is used. test_ops.c runs them on
 * every instruction set and thread count; the interoperability test runs them on onnxruntime too. */
#ifndef ONNX_CASES_H
#define ONNX_CASES_H

struct onnx_case {
    const char *name, *text;
};

static const struct onnx_case onnx_cases[] = {
    {"conv", "in x 1 3 ?9 ?11\nrand w 5 3 3 3\nrand b 5\nnode Conv x,w,b y"},
    {"conv_pad", "in x 2 3 9 37\nrand w 13 3 3 3\nnode Conv x,w y pads=[1,2,0,1] kernel_shape=[3,3]"},
    {"conv_stride",
     "in x 1 4 17 40\nrand w 7 4 3 3\nrand b 7\nnode Conv x,w,b y strides=[2,2] pads=[1,1,1,1]"},
    {"conv_stride3", "in x 1 2 20 23\nrand w 3 2 5 4\nnode Conv x,w y strides=[3,2] pads=[2,1,2,2]"},
    {"conv_dilation", "in x 1 3 15 16\nrand w 4 3 3 3\nnode Conv x,w y dilations=[2,3] pads=[2,3,2,3]"},
    {"conv_dilated_stride",
     "in x 1 3 15 16\nrand w 4 3 3 3\nnode Conv x,w y dilations=[3,2] strides=[2,3] pads=[1,0,2,2]"},
    {"conv_groups", "in x 1 6 8 9\nrand w 8 3 3 3\nrand b 8\nnode Conv x,w,b y group=2 pads=[1,1,1,1]"},
    {"conv_depthwise", "in x 1 16 12 12\nrand w 16 1 3 3\nnode Conv x,w y group=16 pads=[1,1,1,1]"},
    {"conv_depthwise_two",
     "in x 2 5 12 30\nrand w 10 1 3 3\nrand b 10\nnode Conv x,w,b c group=5 strides=[2,2] "
     "pads=[1,1,1,1]\nnode LeakyRelu c y alpha=0.2"},
    {"conv_depthwise_live",
     "in x 1 5 12 30\nin w 5 1 4 4\nnode Tanh w k\nnode Conv x,k y group=5 pads=[2,1,1,2]"},
    {"conv_transpose_winograd",
     "in x 2 17 8 13\nrand w 17 19 3 3\nrand b 19\nnode ConvTranspose x,w,b c strides=[2,2] "
     "pads=[1,0,0,1]\nnode LeakyRelu c y alpha=0.2"},
    {"conv_blur",
     "in x 6 1 12 300\nrand w 1 1 4 4\nin n 1 1 11 299\nnode Conv x,w c pads=[1,1,1,1]\nnode Add c,n "
     "y"},
    {"conv_depthwise_3d", "in x 1 4 5 6 20\nrand w 4 1 3 3 3\nnode Conv x,w y group=4 pads=[1,1,1,1,1,1] "
                          "dilations=[2,1,1]"},
    {"conv_same_upper",
     "in x 1 2 10 13\nrand w 3 2 4 4\nnode Conv x,w y auto_pad='SAME_UPPER' strides=[2,2]"},
    {"conv_same_lower",
     "in x 1 2 10 13\nrand w 3 2 4 4\nnode Conv x,w y auto_pad='SAME_LOWER' strides=[1,2]"},
    {"conv_valid", "in x 1 2 10 13\nrand w 3 2 4 4\nnode Conv x,w y auto_pad='VALID'"},
    {"conv_1x1", "in x 1 33 6 50\nrand w 31 33 1 1\nrand b 31\nnode Conv x,w,b y"},
    {"conv_1x1_stride", "in x 1 5 9 9\nrand w 4 5 1 1\nnode Conv x,w y strides=[2,2]"},
    {"conv_tiny", "in x 1 8 1 1\nrand w 24 8 1 1\nnode Conv x,w y"},
    {"conv_wide", "in x 1 24 20 600\nrand w 24 24 3 3\nrand b 24\nnode Conv x,w,b y"},
    {"conv_deep", "in x 1 300 4 4\nrand w 64 300 3 3\nnode Conv x,w y pads=[1,1,1,1]"},
    {"conv_large_kernel", "in x 1 3 20 30\nrand w 8 3 9 9\nnode Conv x,w y pads=[4,4,4,4]"},
    {"conv_1d", "in x 2 6 50\nrand w 8 3 5\nrand b 8\nnode Conv x,w,b y group=2 strides=[2] pads=[2,1]"},
    {"conv_3d", "in x 1 3 5 6 20\nrand w 7 3 3 3 3\nrand b 7\nnode Conv x,w,b c pads=[1,1,1,1,1,1]\n"
                "node LeakyRelu c y alpha=0.2"},
    {"conv_3d_stride", "in x 2 4 7 9 20\nrand w 6 2 2 3 3\nnode Conv x,w y group=2 strides=[2,1,2] "
                       "dilations=[2,1,1] pads=[1,1,2,2,0,1]"},
    {"conv_live", "in x 1 8 12 20\nin w 2 6 4 3 3\nints s 12 4 3 3\nnode Tanh w t\nnode Reshape t,s k\n"
                  "node Conv x,k c group=2 pads=[1,1,1,1]\nnode Relu c y"},
    {"conv_live_bias", "in x 1 5 9 10\nrand w 6 5 3 3\nin b 6\nnode Conv x,w,b y"},
    {"transposed",
     "in x 1 5 6 7\nrand w 5 4 4 4\nrand b 4\nnode ConvTranspose x,w,b y strides=[2,2] pads=[1,1,1,1]"},
    {"transposed_plain", "in x 1 5 1 1\nrand w 5 9 4 4\nnode ConvTranspose x,w y"},
    {"transposed_extra", "in x 2 3 5 6\nrand w 3 4 3 3\nnode ConvTranspose x,w y strides=[2,2] "
                         "pads=[1,1,1,1] output_padding=[1,1]"},
    {"transposed_groups", "in x 1 6 5 6\nrand w 6 2 3 3\nnode ConvTranspose x,w y strides=[2,3] group=3"},
    {"transposed_gaps", "in x 1 3 5 6\nrand w 3 2 2 2\nrand b 2\nnode ConvTranspose x,w,b y strides=[3,3]"},
    {"transposed_dilated",
     "in x 1 3 5 6\nrand w 3 2 3 3\nnode ConvTranspose x,w y strides=[2,1] dilations=[2,3]"},
    {"transposed_shape", "in x 1 3 5 6\nrand w 3 2 3 3\nnode ConvTranspose x,w y strides=[2,2] "
                         "output_shape=[10,12] auto_pad='SAME_UPPER'"},
    {"transposed_1d", "in x 1 5 16\nrand w 5 4 4\nnode ConvTranspose x,w y strides=[2] pads=[1,1]"},
    {"transposed_3d", "in x 1 4 3 5 8\nrand w 4 3 4 3 4\nrand b 6\nnode ConvTranspose x,w,b y group=2 "
                      "strides=[2,1,2] pads=[1,1,1,1,1,1] output_padding=[1,0,0]"},
    {"transposed_live", "in x 1 8 6 10\nin w 8 3 3 3\nnode Tanh w k\nnode ConvTranspose x,k y group=2 "
                        "strides=[2,2]"},
    {"conv_film", "in x 1 4 10 40\nin s 1 6 1 1\nin t 1 6 1 1\nrand w 6 4 3 3\nnode Conv x,w c\nnode Mul c,s "
                  "m\nnode Add t,m a\n"
                  "node LeakyRelu a y alpha=0.2"},
    {"conv_residual", "in x 1 6 10 40\nrand w 6 6 3 3\nrand s 6 1 1\nnode Conv x,w c pads=[1,1,1,1]\nnode "
                      "PRelu c,s p\nnode Sub x,p y"},
    {"conv_sum", "in x 1 4 10 12\nrand w 6 4 3 3\nrand v 6 4 1 1\nnode Conv x,w a pads=[1,1,1,1]\nnode Conv "
                 "x,v b\nnode Add a,b c\n"
                 "node LeakyRelu c y alpha=0.2"},
    {"conv_plane", "in x 1 4 10 12\nin n 1 1 10 12\nrand w 6 4 3 3\nnode Conv x,w c pads=[1,1,1,1]\nnode Add "
                   "c,n a\nnode Tanh a y"},
    {"transposed_norm", "in x 1 5 6 7\nrand w 5 4 4 4\nrand g 4\nrand b 4\nrand m 4\nposrand v 4\n"
                        "node ConvTranspose x,w c strides=[2,2] pads=[1,1,1,1]\nnode BatchNormalization "
                        "c,g,b,m,v n\nnode Relu n y"},
    {"gemm", "in x 1 21\nrand w 21 40\nrand b 40\nnode Gemm x,w,b y"},
    {"gemm_turned", "in x 3 21\nrand w 40 21\nrand b 40\nnode Gemm x,w,b y transB=1 alpha=0.5"},
    {"gemm_left_turned", "in x 7 5\nrand w 9 7\nrand c 5 1\nnode Gemm x,w,c y transA=1 transB=1"},
    {"average_pool_ceil_padded",
     "opset 19\nin x 1 3 10 10\nnode AveragePool x y kernel_shape=[3,3] strides=[2,2] "
     "pads=[1,1,0,0] dilations=[2,2] ceil_mode=1 count_include_pad=1"},
    {"gemm_beta", "in x 3 21\nrand w 21 40\nin c 40\nnode Gemm x,w,c y alpha=0.5 beta=0.25"},
    {"gemm_relu",
     "in x 1 16\nrand w 40 16\nrand b 40\nnode Gemm x,w,b g transB=1\nnode LeakyRelu g y alpha=0.2"},
    {"matmul", "in a 5 37\nin b 37 70\nnode MatMul a,b y"},
    {"matmul_batch", "in a 3 5 7\nin b 3 7 11\nnode MatMul a,b y"},
    {"matmul_shared", "in a 2 3 5 7\nrand b 7 11\nnode MatMul a,b m\nrand c 11\nnode Add m,c y"},
    {"add", "in a 2 3 4 5\nin b 2 3 4 5\nnode Add a,b y"},
    {"sub_channel", "in a 2 3 4 5\nin b 3 1 1\nnode Sub a,b y"},
    {"mul_short_rows", "in a 1 7 11 3 3\nin b 1 1 11 1 1\nnode Mul a,b y"},
    {"mul_short_rows_left", "in a 13 1 1\nin b 2 5 13 5 5\nnode Mul a,b m\nnode Add m,m y"},
    {"div_short_rows", "in a 2 3 4 2 9 1\nposrand b 4 1 1 1\nnode Div a,b y"},
    {"mul_left", "in a 1 3 1 1\nin b 2 3 4 5\nnode Mul a,b y"},
    {"div_last", "in a 2 3 4 5\nposrand b 5\nnode Div a,b y"},
    {"div_left", "posrand a 1\nin b 2 3 4 5\nnode Exp b e\nnode Div a,e y"},
    {"add_both_stretch", "in a 2 1 4 1\nin b 1 3 1 5\nnode Add a,b s\nnode Relu s y"},
    {"add_scalar", "in a 7\nfloat b 0.5\nnode Add a,b y"},
    {"max_min", "in a 2 3 4 5\nin b 2 3 4 5\nnode Max a,b m\nfloat c 0.25\nnode Min m,c y"},
    {"in_place",
     "in a 1 3 4 40\nin b 1 3 4 40\nnode Add a,b c\nnode Mul c,c d\nnode Add d,c e\nnode Mul b,e y"},
    {"pow2", "in x 2 30\nfloat e 2\nnode Pow x,e y"},
    {"pow_half", "in x 2 30\nnode Abs x a\nfloat e 1.5\nnode Pow a,e y"},
    {"pow_any", "in x 2 30\nnode Exp x a\nfloat e -0.7\nnode Pow a,e y"},
    {"relu", "in x 3 41\nnode Relu x y"},
    {"leaky", "in x 3 41\nnode LeakyRelu x y"},
    {"prelu", "in x 1 4 5 6\nrand s 4 1 1\nnode PRelu x,s y"},
    {"prelu_one", "in x 1 4 5 6\nrand s 1\nnode PRelu x,s y"},
    {"pow_tensor", "in x 2 3 4\nin e 3 1\nnode Exp x a\nnode Pow a,e y"},
    {"pow_stretched",
     "in x 3\nfloats e 1.5 -2 0.25\nints s 3 1\nnode Exp x a\nnode Reshape e,s f\nnode Pow a,f y"},
    {"pow_whole", "in x 3 4\nintin e 5 3 4\nnode Pow x,e y"},
    {"pow_ints", "intin x 9 3 4\nints e 3\nnode Pow x,e y\nintout y"},
    {"sum_many", "in a 2 3 4\nin b 3 1\nin c 1 4\nnode Sum a,b,c s\nnode Relu s y"},
    {"mean_many", "in a 2 3 4\nin b 3 1\nin c 2 1 1\nnode Mean a,b,c y"},
    {"max_many", "in a 2 1 4\nin b 3 1\nin c 2 3 4\nnode Max a,b,c y"},
    {"min_one", "in a 2 1 4\nnode Min a m\nnode Neg m y"},
    {"mod_floats", "in a 3 40\nin b 40\nfloat s 7.3\nnode Mul a,s c\nnode Mod c,b y fmod=1"},
    {"mod_ints", "intin a 100 3 4\nints m 7 -7 3 5\nints h 50\nnode Sub a,h c\nnode Mod c,m y\nintout y"},
    {"ints_stretched",
     "intin a 100 3 1 4\nintin b 9 2 1\nnode Div a,b d\nnode Max d,b m\nnode Add m,a t\nnode Add t,b s\n"
     "node Neg s n\nnode Abs n y\nintout y"},
    {"ints_clip",
     "intin a 100 3 4\nint l 10\nint h 60\nnode Clip a,l,h c\nnode Sign c s\nnode Mul c,s y\nintout y"},
    {"broadcast_inner", "in a 3 1 5 1 2\nin b 4 1 6 1\nnode Mul a,b m\nnode Sub m,b y"},
    {"broadcast_row", "in a 1 1 9 7\nin b 5 1 7\nnode Div a,b y"},
    {"batch_norm_live", "in x 2 5 3 4\nrand g 5\nrand b 5\nin m 5\nin w 5\nnode Abs w v\n"
                        "node BatchNormalization x,g,b,m,v n\nnode Relu n y"},
    {"clip_live", "in x 3 41\nin a 1\nnode Neg a n\nnode Abs n h\nnode Neg h l\nints s 0\nnode Clip x,l,h y"},
    {"selu", "in x 3 41\nnode Selu x y"},
    {"celu", "in x 3 41\nnode Celu x y alpha=2.0"},
    {"softplus", "in x 3 41\nnode Softplus x y"},
    {"softsign", "in x 3 41\nnode Softsign x y"},
    {"hard_sigmoid", "in x 3 41\nnode HardSigmoid x y alpha=0.5 beta=0.6"},
    {"hard_swish", "opset 14\nin x 3 41\nfloat s 5\nnode Mul x,s a\nnode HardSwish a y"},
    {"mish", "opset 18\nin x 3 41\nnode Mish x y"},
    {"gelu", "opset 20\nin x 3 41\nnode Gelu x y"},
    {"gelu_tanh", "opset 20\nin x 3 41\nnode Gelu x y approximate='tanh'"},
    {"gelu_exported", "in x 3 41\nfloat r 1.41421354\nfloat o 1\nfloat h 0.5\nnode Div x,r d\nnode Erf d e\n"
                      "node Add e,o f\nnode Mul x,f g\nnode Mul g,h y"},
    {"swish", "in x 3 41\nnode Sigmoid x s\nnode Mul x,s y"},
    {"thresholded_relu", "in x 3 41\nnode ThresholdedRelu x y alpha=0.3"},
    {"sin_cos", "in x 3 41\nfloat s 9\nnode Mul x,s a\nnode Sin a b\nnode Cos b y"},
    {"sin_far", "in x 3 41\nfloat s 1e30\nnode Mul x,s a\nnode Sin a y"},
    {"tan_atan", "in x 3 41\nnode Tan x a\nnode Atan a y"},
    {"asin_acos", "in x 3 41\nnode Asin x a\nnode Acos x b\nnode Mul a,b y"},
    {"sinh_cosh", "in x 3 41\nnode Sinh x a\nnode Cosh x b\nnode Mul a,b y"},
    {"arc_hyperbolic", "in x 3 41\nfloat o 2\nnode Add x,o z\nnode Asinh x a\nnode Acosh z b\n"
                       "node Atanh x c\nnode Sum a,b,c y"},
    {"sign_round", "in x 3 41\nfloat s 9\nnode Mul x,s a\nnode Round a r\nnode Sign r g\nnode Add r,g y"},
    {"conv_sin", "in x 1 4 10 40\nrand w 6 4 3 3\nnode Conv x,w c\nnode Sin c s\nnode Softplus s y"},
    {"compare",
     "in a 3 1 5\nin b 4 1\nnode Less a,b l\nnode GreaterOrEqual a,b g\nnode Xor l,g x\n"
     "node Greater a,b h\nnode LessOrEqual a,b m\nnode Or h,m o\nnode And x,o p\nnode Not p y\nboolout y"},
    {"compare_ints", "intin a 9 3 1 5\nintin b 9 4 1\nnode Less a,b y\nboolout y"},
    {"tests",
     "in a 3 5\nnode Log a l\nnode IsNaN l n\nfloat z 0\nnode Div a,z i\nnode IsInf i f detect_negative=0\n"
     "node Or n,f y\nboolout y"},
    {"where_many", "boolin c 2 3 1\nin a 3 4\nin b 2 1 4\nnode Where c,a,b y"},
    {"where_ints", "boolin c 2 3 1\nintin a 9 3 4\nintin b 9 2 1 4\nnode Where c,a,b y\nintout y"},
    {"elu", "in x 3 41\nnode Elu x y alpha=0.7"},
    {"sigmoid", "in x 3 41\nfloat k 9\nnode Mul x,k m\nnode Sigmoid m y"},
    {"tanh", "in x 3 41\nfloat k 5\nnode Mul x,k m\nnode Tanh m y"},
    {"exp_log", "in x 3 41\nfloat k 12\nnode Mul x,k m\nnode Exp m e\nnode Log e y"},
    {"sqrt", "in x 3 41\nnode Abs x a\nnode Sqrt a y"},
    {"reciprocal_neg", "in x 3 41\nnode Exp x a\nnode Reciprocal a r\nnode Neg r y"},
    {"floor_ceil", "in x 3 41\nfloat k 5\nnode Mul x,k m\nnode Floor m f\nnode Ceil m c\nnode Add f,c y"},
    {"clip", "in x 3 41\nfloat a -0.5\nfloat b 0.25\nnode Clip x,a,b y"},
    {"clip_low", "in x 3 41\nfloat a -0.5\nnode Clip x,a y"},
    {"batch_norm", "in x 2 5 6 7\nrand g 5\nrand b 5\nrand m 5\nposrand v 5\nnode BatchNormalization "
                   "x,g,b,m,v y epsilon=0.001"},
    {"instance_norm", "in x 2 5 40 33\nrand g 5\nrand b 5\nnode InstanceNormalization x,g,b y"},
    {"instance_norm_relu",
     "in x 1 5 6 7\nrand g 5\nrand b 5\nnode Tanh x t\nnode InstanceNormalization t,g,b n\nnode Relu n y"},
    {"reduce_mean", "in x 2 5 33 64\nnode ReduceMean x y axes=[2,3] keepdims=1"},
    {"reduce_mean_inner", "in x 2 5 6 7\nints a 1\nopset 18\nnode ReduceMean x,a y keepdims=0"},
    {"reduce_sum", "in x 2 5 6 7\nints a 0 -1\nnode ReduceSum x,a y keepdims=0"},
    {"reduce_max", "in x 2 5 6 7\nnode ReduceMax x y axes=[1,2]"},
    {"reduce_all", "in x 2 5 6 7\nnode ReduceMean x y"},
    {"softmax", "in x 2 5 6 7\nnode Softmax x y axis=1"},
    {"softmax_old", "opset 12\nin x 2 5 6 7\nnode Softmax x y axis=2"},
    {"softmax_last", "in x 2 50\nnode Softmax x y"},
    {"global_average", "in x 2 5 33 40\nnode GlobalAveragePool x y"},
    {"global_max", "in x 2 5 6 7\nnode GlobalMaxPool x y"},
    {"average_pool", "in x 1 3 9 10\nnode AveragePool x y kernel_shape=[3,2] strides=[2,2] pads=[1,0,1,1]"},
    {"average_pool_pad", "in x 1 3 9 10\nnode AveragePool x y kernel_shape=[3,3] strides=[2,2] "
                         "pads=[1,1,1,1] count_include_pad=1"},
    {"reduce_l1", "opset 18\nin x 2 3 40 5\nints a 2\nnode ReduceL1 x,a y"},
    {"reduce_l2", "opset 18\nin x 2 3 4 50\nints a 1 3\nnode ReduceL2 x,a y keepdims=0"},
    {"reduce_log_sum", "opset 18\nin x 2 3 4 50\nints a 0\nnode Exp x e\nnode ReduceLogSum e,a y"},
    {"reduce_log_sum_exp", "opset 18\nin x 2 3 40 5\nints a 2 3\nnode ReduceLogSumExp x,a y"},
    {"reduce_log_sum_exp_rows", "opset 18\nin x 2 30 70\nints a 1\nnode ReduceLogSumExp x,a y"},
    {"reduce_min", "opset 18\nin x 2 3 4 50\nints a -2\nnode ReduceMin x,a y"},
    {"reduce_prod", "opset 18\nin x 2 3 4 50\nints a -1\nnode Exp x e\nnode ReduceProd e,a y"},
    {"reduce_sum_square", "opset 18\nin x 2 3 4 50\nnode ReduceSumSquare x y keepdims=0"},
    {"reduce_noop", "opset 18\nin x 2 3 4\nnode ReduceSumSquare x y noop_with_empty_axes=1"},
    {"reduce_rows", "opset 13\nin x 300 130\nints a 0\nnode ReduceSum x,a y"},
    {"reduce_long", "opset 13\nin x 2 70000\nints a 1\nnode ReduceSum x,a y"},
    {"reduce_ints",
     "opset 18\nintin x 100 3 4 5\nints a 1\nnode ReduceMax x,a m\nnode ReduceMean x,a n\n"
     "node ReduceProd x,a p\nnode ReduceMin x,a i\nnode ReduceL1 x,a l\nnode ReduceSumSquare x,a s\n"
     "node Add m,n b\nnode Add b,p c\nnode Add c,i d\nnode Add d,l e\nnode Add e,s y\nintout y"},
    {"softmax_long", "in x 3 5000\nnode Softmax x y axis=1"},
    {"softmax_rows", "in x 2 40 9 11\nnode Softmax x y axis=1"},
    {"log_softmax", "in x 3 5 41\nnode LogSoftmax x y axis=-1"},
    {"log_softmax_rows", "in x 3 41 5\nnode LogSoftmax x y axis=1"},
    {"hardmax", "in x 3 41 5\nnode Hardmax x a axis=1\nnode Hardmax x b axis=2\nnode Add a,b y"},
    {"softmax_log_old",
     "opset 11\nin x 3 4 5\nnode Softmax x a axis=1\nnode LogSoftmax x b axis=2\nnode Add a,b y"},
    {"group_norm", "opset 21\nin x 2 12 5 7\nrand g 12\nrand b 12\nnode GroupNormalization x,g,b n "
                   "num_groups=3\nnode Relu n y"},
    {"group_norm_18", "opset 18\nin x 2 12 5 7\nrand g 3\nrand b 3\nnode GroupNormalization x,g,b y "
                      "num_groups=3 epsilon=0.01"},
    {"layer_norm", "in x 2 7 33\nrand g 33\nrand b 33\nnode LayerNormalization x,g,b n\nnode Sigmoid n s\n"
                   "node Mul n,s y"},
    {"layer_norm_axis", "in x 2 3 4 5\nrand g 4 5\nnode LayerNormalization x,g n,m,s axis=2\nnode Mul m,s t\n"
                        "node Add n,t y"},
    {"mean_variance_norm", "in x 2 3 9 7\nnode MeanVarianceNormalization x y"},
    {"mean_variance_norm_axes", "in x 2 3 9 7\nnode MeanVarianceNormalization x y axes=[1]"},
    {"lp_norm", "in x 2 3 9 7\nnode LpNormalization x a axis=1\nnode LpNormalization x b axis=-1 p=1\n"
                "node Add a,b y"},
    {"batch_norm_training", "in x 3 5 7 9\nrand g 5\nrand b 5\nrand m 5\nposrand v 5\n"
                            "node BatchNormalization x,g,b,m,v n,p,q training_mode=1\nnode Relu n y"},
    {"matmul_broadcast", "in a 2 1 7 5\nin b 3 5 9\nnode MatMul a,b m\nnode Relu m y"},
    {"matmul_shared_left", "in a 7 5\nin b 2 3 5 9\nnode MatMul a,b y"},
    {"matmul_vectors", "in a 70\nin b 70\nin w 70 90\nnode MatMul a,b s\nnode MatMul a,w v\nnode Add v,s y"},
    {"matmul_column", "in a 3 40 70\nin b 70\nrand c 40\nnode MatMul a,b v\nnode Add v,c y"},
    {"matmul_columns", "in a 3 40 70\nin b 3 70 1\nrand c 40 1\nnode MatMul a,b v\nnode Add v,c y"},
    {"matmul_deep",
     "in a 50 1100\nin b 1100 300\nrand c 300\nnode MatMul a,b m\nnode Add m,c n\nnode Relu n y"},
    {"matmul_few_rows", "in a 3 200\nrand b 200 330\nnode MatMul a,b y"},
    {"matmul_row", "in a 1 200\nrand b 200 130\nrand c 130\nnode MatMul a,b m\nnode Add m,c y"},
    {"attention",
     "in q 2 4 50 16\nin k 2 4 50 16\nin v 2 4 50 16\nnode Transpose k t perm=[0,1,3,2]\n"
     "float s 0.25\nnode MatMul q,t m\nnode Mul m,s n\nnode Softmax n p axis=-1\nnode MatMul p,v y"},
    {"gemm_scaled", "in a 7 5\nrand b 9 7\nin c 5 1\nnode Gemm a,b,c y transA=1 transB=1 alpha=0.5 beta=0.3"},
    {"gemm_scaled_constant", "in a 7 5\nrand b 5 9\nrand c 9\nnode Gemm a,b,c g beta=2.5\nnode Relu g y"},
    {"gemm_live", "in a 7 50\nin b 90 50\nin c 90\nnode Gemm a,b,c y transB=1"},
    {"gemm_wide",
     "in a 2 64\nrand b 300 64\nrand c 300\nnode Gemm a,b,c g transB=1\nnode LeakyRelu g y alpha=0.2"},
    {"arg_max", "in x 3 40 7\nnode ArgMax x y axis=1\nintout y"},
    {"arg_max_last", "intin x 5 3 40 7\nnode ArgMax x y axis=-1 keepdims=0 select_last_index=1\nintout y"},
    {"arg_min", "intin x 5 3 40 7\nnode ArgMin x y axis=0\nintout y"},
    {"cum_sum", "in x 3 40 7\nint a 1\nnode CumSum x,a y"},
    {"cum_sum_back", "in x 3 40 7\nint a -1\nnode CumSum x,a y exclusive=1 reverse=1"},
    {"cum_sum_ints", "intin x 100 3 40\nint a 0\nnode CumSum x,a y exclusive=1\nintout y"},
    {"top_k", "in x 3 40 7\nints k 5\nnode TopK x,k y,i axis=1"},
    {"top_k_places", "intin x 9 3 40\nints k 40\nnode TopK x,k y,i largest=0\nnode Add y,i z\nintout z"},
    {"one_hot", "intin x 10 3 4\nint d 10\nfloats v -1 2\nnode OneHot x,d,v y axis=1"},
    {"gather_elements", "in x 3 40 7\nintin i 40 2 50 7\nnode GatherElements x,i y axis=1"},
    {"gather_nd", "in x 3 6 7\nintin i 3 2 5 2\nnode GatherND x,i y"},
    {"gather_nd_batch", "in x 3 6 7\nintin i 6 3 5 1\nnode GatherND x,i y batch_dims=1"},
    {"scatter_elements", "opset 18\nin x 3 6 7\nintin i 6 3 9 7\nin u 3 9 7\n"
                         "node ScatterElements x,i,u y axis=1 reduction='add'"},
    {"scatter_nd", "opset 18\nin x 3 6 7\nintin i 3 2 2\nin u 2 7\nnode ScatterND x,i,u y reduction='max'"},
    {"trilu", "in x 2 6 7\nint k -1\nnode Trilu x,k a\nnode Trilu x b upper=0\nnode Add a,b y"},
    {"einsum_matmul", "in a 2 7 30\nin b 2 30 9\nnode Einsum a,b y equation='bij,bjk->bik'"},
    {"einsum_attention",
     "in q 2 7 3 16\nin k 2 9 3 16\nin v 2 9 3 16\nnode Einsum q,k m equation='bihd,bjhd->bhij'\n"
     "node Softmax m p\nnode Einsum p,v y equation='bhij,bjhd->bihd'"},
    {"einsum_outer", "in a 7\nin b 9\nnode Einsum a,b y equation='i,j'"},
    {"einsum_trace", "in a 3 7 7\nnode Einsum a y equation='bii->b'"},
    {"einsum_diagonal", "in a 3 7 7\nnode Einsum a y equation='...ii->...i'"},
    {"einsum_sum", "in a 3 7 5\nin b 4 7\nnode Einsum a,b y equation='ijk,lj->li'"},
    {"einsum_three", "in a 3 7\nin b 7 5\nin c 5 4\nnode Einsum a,b,c y equation='ij,jk,kl->li'"},
    {"einsum_channels", "in x 2 12 5 6\nrand w 12 8\nnode Einsum x,w y equation='nchw,co->nohw'"},
    {"average_pool_ceil",
     "in x 1 3 10 10\nnode AveragePool x y kernel_shape=[3,3] strides=[2,2] ceil_mode=1"},
    {"max_pool", "in x 1 3 9 10\nnode MaxPool x y kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1]"},
    {"max_pool_dilated", "in x 1 3 9 10\nnode MaxPool x y kernel_shape=[2,2] dilations=[2,3]"},
    {"max_pool_same",
     "in x 1 3 9 10\nnode MaxPool x y kernel_shape=[3,3] strides=[2,2] auto_pad='SAME_UPPER'"},
    {"max_pool_indices", "in x 2 3 9 10\nnode MaxPool x m,i kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1] "
                         "ceil_mode=1\nnode Cast i f to=1\nnode Add m,f y"},
    {"max_pool_1d", "in x 2 3 50\nnode MaxPool x y kernel_shape=[4] strides=[3] pads=[1,2]"},
    {"max_pool_3d",
     "in x 1 3 5 6 70\nnode MaxPool x y kernel_shape=[2,3,2] strides=[1,2,2] pads=[0,1,0,1,1,1]"},
    {"max_pool_wide", "in x 1 2 4 300\nnode MaxPool x y kernel_shape=[2,2] strides=[2,2] pads=[0,1,0,0]"},
    {"average_pool_1d", "in x 2 3 50\nnode AveragePool x y kernel_shape=[4] strides=[2] pads=[1,2] "
                        "count_include_pad=1"},
    {"average_pool_3d", "in x 1 3 5 6 20\nnode AveragePool x y kernel_shape=[2,3,2] strides=[1,2,2] "
                        "pads=[0,1,0,1,1,1]"},
    {"lp_pool",
     "opset 18\nin x 1 3 12 40\nnode LpPool x y kernel_shape=[3,2] strides=[2,1] pads=[1,0,0,1] p=2"},
    {"lp_pool_three", "opset 18\nin x 1 3 12 40\nnode LpPool x y kernel_shape=[3,2] strides=[2,1] p=3"},
    {"resize_nearest", "in x 1 3 5 6\nfloats s 1 1 2 2\nnode Resize x,,s y mode='nearest' "
                       "coordinate_transformation_mode='asymmetric' nearest_mode='floor'"},
    {"resize_nearest_half", "in x 1 3 5 6\nfloats s 1 1 2 3\nnode Resize x,,s y mode='nearest'"},
    {"resize_nearest_ceil",
     "in x 1 3 5 6\nints s 1 3 7 11\nnode Resize x,,,s y nearest_mode='round_prefer_ceil'"},
    {"resize_down", "in x 1 3 12 18\nfloats s 1 1 0.5 0.5\nnode Resize x,,s y mode='nearest' "
                    "coordinate_transformation_mode='asymmetric' nearest_mode='floor'"},
    {"resize_linear", "in x 1 3 5 21\nfloats s 1 1 2 2\nnode Resize x,,s y mode='linear' "
                      "coordinate_transformation_mode='half_pixel'"},
    {"resize_linear_small", "in x 1 3 2 2\nfloats s 1 1 2 2\nnode Resize x,,s y mode='linear'"},
    {"resize_linear_one", "in x 1 3 1 1\nfloats s 1 1 4 4\nnode Resize x,,s y mode='linear'"},
    {"resize_linear_sizes", "in x 1 3 5 6\nints s 1 3 13 9\nnode Resize x,,,s y mode='linear' "
                            "coordinate_transformation_mode='pytorch_half_pixel'"},
    {"resize_linear_corners", "in x 1 3 5 6\nfloats s 1 1 2 2\nnode Resize x,,s y mode='linear' "
                              "coordinate_transformation_mode='align_corners'"},
    {"resize_linear_asymmetric", "in x 1 3 5 6\nfloats s 1 1 2 2\nnode Resize x,,s y mode='linear' "
                                 "coordinate_transformation_mode='asymmetric'"},
    {"resize_linear_down", "in x 1 3 12 18\nfloats s 1 1 0.5 0.5\nnode Resize x,,s y mode='linear'"},
    {"resize_cubic", "in x 1 3 5 21\nfloats s 1 1 2 1.5\nnode Resize x,,s y mode='cubic'"},
    {"resize_cubic_outside",
     "in x 1 2 7 9\nints s 1 2 4 20\nnode Resize x,,,s y mode='cubic' exclude_outside=1 "
     "cubic_coeff_a=-0.5"},
    {"resize_antialias",
     "opset 18\nin x 1 2 17 30\nints s 1 2 5 11\nnode Resize x,,,s y mode='linear' antialias=1"},
    {"resize_antialias_cubic",
     "opset 18\nin x 1 2 17 30\nfloats s 1 1 0.6 0.35\nnode Resize x,,s y mode='cubic' "
     "antialias=1"},
    {"resize_crop",
     "in x 1 2 9 12\nfloats r 0 0 -0.2 0.3 1 1 0.7 1.2\nints s 1 2 6 7\nnode Resize x,r,,s y "
     "mode='linear' coordinate_transformation_mode='tf_crop_and_resize' extrapolation_value=7.5"},
    {"resize_symmetric", "opset 19\nin x 1 2 7 9\nfloats s 1 1 1.3 0.7\nnode Resize x,,s y mode='linear' "
                         "coordinate_transformation_mode='half_pixel_symmetric'"},
    {"resize_aspect", "opset 18\nin x 1 2 7 9\nints s 20 15\nnode Resize x,,,s y mode='linear' axes=[2,3] "
                      "keep_aspect_ratio_policy='not_larger'"},
    {"resize_3d", "in x 1 2 4 5 6\nfloats s 1 1 2 2 2\nnode Resize x,,s r mode='linear'\nnode Relu r y"},
    {"resize_1d", "in x 2 3 20\nfloats s 1 1 2\nnode Resize x,,s y mode='linear'"},
    {"resize_plane", "in x 20 30\nfloats s 1.5 2\nnode Resize x,,s y mode='linear'"},
    {"resize_nearest_3d",
     "in x 1 2 4 5 6\nfloats s 1 1 2 2 2\nnode Resize x,,s y coordinate_transformation_mode="
     "'asymmetric' nearest_mode='floor'"},
    {"resize_nearest_four",
     "in x 1 3 5 6\nfloats s 1 1 4 4\nnode Resize x,,s r\nnode LeakyRelu r y alpha=0.1"},
    {"resize_slice", "in x 1 3 8 30\nfloats s 1 1 2 2\nints b 2 3\nints e -2 -5\nints a 2 3\n"
                     "node Resize x,,s r mode='linear'\nnode Slice r,b,e,a c\nnode LeakyRelu c y alpha=0.1"},
    {"resize_slice_nearest", "in x 1 3 8 30\nfloats s 1 1 2 2\nints b 1\nints e 9\nints a 3\n"
                             "node Resize x,,s r mode='nearest'\nnode Slice r,b,e,a y"},
    {"grid_sample",
     "in x 2 3 6 7\nin g 2 4 33 2\nfloat k 1.7\nnode Mul g,k h\nnode GridSample x,h y mode='bilinear'"},
    {"grid_nearest", "in x 2 3 6 7\nin g 2 4 33 2\nfloat k 1.7\nnode Mul g,k h\nnode GridSample x,h y "
                     "mode='nearest' padding_mode='border'"},
    {"grid_cubic", "in x 2 3 6 7\nin g 2 4 33 2\nfloat k 1.7\nnode Mul g,k h\nnode GridSample x,h y "
                   "mode='bicubic' padding_mode='reflection'"},
    {"grid_cubic_zeros", "in x 2 3 6 7\nin g 2 4 33 2\nfloat k 1.7\nnode Mul g,k h\nnode GridSample x,h y "
                         "mode='bicubic' align_corners=1"},
    {"grid_reflection", "in x 2 3 6 7\nin g 2 4 33 2\nfloat k 1.7\nnode Mul g,k h\nnode GridSample x,h y "
                        "mode='bilinear' padding_mode='reflection' align_corners=1"},
    {"grid_border", "in x 2 3 6 7\nin g 2 4 33 2\nfloat k 1.7\nnode Mul g,k h\nnode GridSample x,h y "
                    "mode='bilinear' padding_mode='border'"},
    {"grid_volume", "opset 20\nin x 1 2 3 4 5\nin g 1 2 3 20 3\nnode GridSample x,g y padding_mode='border'"},
    {"affine_grid", "opset 20\nin t 2 2 3\nints s 2 3 5 6\nnode AffineGrid t,s y"},
    {"affine_volume", "opset 20\nin t 1 3 4\nints s 1 3 4 5 6\nnode AffineGrid t,s y align_corners=1"},
    {"pad", "in x 1 2 4 5\nints p 0 0 1 2 0 1 3 0\nfloat v 0.5\nnode Pad x,p,v y"},
    {"pad_old", "opset 10\nin x 1 2 4 5\nnode Pad x y pads=[0,0,1,2,0,1,3,0] value=0.5"},
    {"center_crop_pad", "opset 18\nin x 2 5 9\nints s 8 4\nnode CenterCropPad x,s y axes=[1,-1]"},
    {"pad_reflect", "in x 1 2 6 7\nints p 0 0 3 4 0 0 5 2\nnode Pad x,p y mode='reflect'"},
    {"pad_edge", "in x 1 2 6 7\nints p 0 0 3 4 0 0 5 9\nnode Pad x,p y mode='edge'"},
    {"pad_wrap", "opset 19\nin x 1 2 6 7\nints p 0 0 3 4 0 0 5 2\nnode Pad x,p y mode='wrap'"},
    {"pad_axes", "opset 18\nin x 1 2 6 7\nints p 3 4 5 2\nints a 2 3\nnode Pad x,p,,a y mode='reflect'"},
    {"pad_crop", "in x 1 2 6 7\nints p 0 0 -1 2 0 0 -2 -3\nnode Pad x,p y"},
    {"pad_conv",
     "in x 1 3 9 10\nints p 0 0 1 1 0 0 1 1\nrand w 4 3 3 3\nnode Pad x,p q mode='reflect'\nnode Conv q,w y"},
    {"transpose", "in x 2 3 4 5\nnode Transpose x y perm=[0,2,3,1]"},
    {"transpose_default", "in x 2 3 4\nnode Transpose x y"},
    {"reshape", "in x 2 3 4 5\nints s 0 -1 10\nnode Reshape x,s r\nnode Relu r y"},
    {"reshape_in_place", "in x 2 3 4 5\nints s 6 20\nnode Relu x a\nnode Reshape a,s r\nnode Neg r y"},
    {"flatten", "in x 2 3 4 5\nnode Flatten x f axis=2\nnode Relu f y"},
    {"squeeze", "in x 2 1 4 1\nints a 1\nnode Squeeze x,a s\nnode Relu s y"},
    {"squeeze_old",
     "opset 12\nin x 2 1 4 1\nnode Squeeze x s axes=[3]\nnode Unsqueeze s u axes=[0,4]\nnode Relu u y"},
    {"unsqueeze", "in x 2 4\nints a 2 3\nnode Unsqueeze x,a u\nnode Relu u y"},
    {"identity_dropout", "in x 2 4\nnode Identity x a\nnode Dropout a b\nnode Relu b y"},
    {"concat", "in a 2 3 4 5\nin b 2 1 4 5\nnode Concat a,b,a y axis=1"},
    {"concat_nested",
     "in a 1 3 4 5\nin b 1 2 4 5\nnode Relu a c\nnode Tanh b d\nnode Concat c,b,d e axis=1\nnode Exp a f\n"
     "node Concat e,f g axis=1\nnode Neg g y"},
    {"concat_kept", "in a 1 3 4 5\nnode Relu a c\nnode Concat c,a e axis=1\nnode Concat c,e g axis=1\nnode "
                    "Add c,c h\nnode Concat g,h y axis=1"},
    {"concat_last", "in a 2 3 4 5\nin b 2 3 4 2\nnode Concat a,b y axis=-1"},
    {"split",
     "in x 2 7 4\nints s 3 4\nnode Split x,s a,b axis=1\nnode ReduceMean a c axes=[1]\nnode Sub b,c y"},
    {"split_even", "in x 2 6 4\nnode Split x a,b axis=1\nnode Mul a,b y"},
    {"slice", "in x 2 6 8 9\nints b 1 -3\nints e 5 100\nints a 1 3\nnode Slice x,b,e,a y"},
    {"slice_steps",
     "in x 2 6 8 9\nints b 0 -1\nints e 100 -100\nints a 2 3\nints s 3 -2\nnode Slice x,b,e,a,s y"},
    {"gather", "in x 2 6 3\nints i 5 0 -1 2\nnode Gather x,i y axis=1"},
    {"gather_one", "in x 2 6 3\nint i 4\nnode Gather x,i y axis=1"},
    {"gather_given", "in x 2 6 3\nintin i 6 2 4\nnode Gather x,i y axis=1"},
    {"gather_label", "rand e 10 16\nintin l 10 3\nnode Gather e,l g\nnode Relu g y"},
    {"ints_moved", "intin x 100 2 3 4\nints s 4 -1\nnode Transpose x t perm=[2,0,1]\nnode Reshape t,s r\n"
                   "node Concat r,r c axis=1\nnode Mul c,c y\nintout y"},
    {"ints_cast",
     "intin x 9 2 5\nnode Cast x f to=1\nfloat h 0.5\nnode Mul f,h g\nnode Cast g y to=7\nintout y"},
    {"cast_narrow",
     "intin x 5000 3 40\nnode Cast x s to=3\nnode Cast s y to=6\nnode Cast s f to=1\nnode Cast f u to=7\n"
     "node Add u,u v\nintout v"},
    {"cast_bool", "in x 3 4\nnode Relu x r\nnode Cast r b to=9\nnode Cast b y to=1"},
    {"range_float", "in x 4\nfloat a 1\nfloat b 2.2\nfloat d 0.3\nnode Range a,b,d r\nnode Add x,r y"},
    {"dequantize", "intin x 200 2 3 4\nint z 100\nfloat s 0.02\nnode Cast x q to=2\nnode Cast z w to=2\n"
                   "node DequantizeLinear q,s,w y"},
    {"dequantize_axis",
     "intin x 200 2 3 4\nints z 100 3 50\nfloats s 0.02 0.5 3\nnode Cast x q to=2\nnode Cast z w to=2\n"
     "node DequantizeLinear q,s,w y"},
    {"dequantize_weights",
     "in x 1 2 6 6\nint b 250\nint a 0\nint d 7\nnode Range a,b,d r\nints h 4 1 3 3\nnode Cast r q to=2\n"
     "node Reshape q,h v\nfloats s 0.1 0.2 0.3 0.4\nnode DequantizeLinear v,s w axis=0\n"
     "node Conv x,w y group=2"},
    {"dequantize_blocks", "opset 21\nintin x 200 2 5 3\nrand s 2 3 3\nnode Cast x q to=2\n"
                          "node DequantizeLinear q,s y axis=1 block_size=2"},
    {"dropout_mask", "opset 12\nin x 2 4\nnode Dropout x a,m\nfloat z 3\nnode Where m,a,z y"},
    {"mask", "in a 3 4\nin b 3 4\nboolin m 3 1\nnode Where m,a,b y"},
    {"equal_given", "intin a 3 4 5\nintin b 3 5\nnode Equal a,b y\nboolout y"},
    {"shape_given", "in x 2 6\nintin n 2 1\nints d 3\nnode Concat d,n s axis=0\nnode ConstantOfShape s "
                    "z\nnode Shape z q\nnode Cast q y to=1"},
    {"if_size",
     "in x 1 3 ?5 ?7\nints i 2\nint l 5\nnode Shape x s\nnode Gather s,i h\nint z 0\nnode Gather h,z n "
     "axis=0\n"
     "node Equal n,l c\nif c y,w\nrand k 3 1 1\nnode Mul x,k a\nnode Relu a b\nout b\nnode Identity x o\nout "
     "o\nelse\n"
     "node Neg x a\nout a\nout a\nend\nnode Add y,w r\nout r"},
    {"if_nested",
     "in x 2 5\nint t 1\nint f 0\nnode Cast t c to=9\nnode Cast f d to=9\nif c y\nif d u\nnode Neg x a\n"
     "out a\nelse\nif c v\nnode Tanh x a\nnode Exp a b\nout b\nelse\nnode Relu x a\nout a\nend\nout v\n"
     "end\nout u\nelse\nnode Abs x a\nout a\nend\nnode Add y,x z\nout z"},
    {"slice_attributes", "opset 9\nin x 2 6 8 9\nnode Slice x y starts=[1,-3] ends=[5,100] axes=[1,3]"},
    {"pad_attributes", "opset 9\nin x 1 2 4 5\nnode Pad x y pads=[0,0,1,2,0,1,3,0] value=0.5"},
    {"clip_attributes", "opset 10\nin x 3 41\nnode Clip x y min=-0.5 max=0.25"},
    {"resize_ten", "opset 10\nin x 1 3 5 6\nfloats s 1 1 2 2\nnode Resize x,s y mode='linear'"},
    {"expand", "in x 3 1\nints s 2 3 4\nnode Expand x,s y"},
    {"tile", "in x 2 3 4\nints r 1 2 3\nnode Tile x,r y"},
    {"depth_to_space", "in x 2 12 3 5\nnode DepthToSpace x y blocksize=2"},
    {"depth_to_space_pairs", "in x 2 8 3 45\nnode DepthToSpace x y blocksize=2 mode='CRD'"},
    {"depth_to_space_crd", "in x 2 18 3 5\nnode DepthToSpace x y blocksize=3 mode='CRD'"},
    {"cast_like", "in x 2 3 40\nfloats t 1\nnode CastLike x,t c\nnode Exp c y"},
    {"upsample", "opset 9\nin x 1 2 5 7\nfloats s 1 1 2 3\nnode Upsample x,s y mode='nearest'"},
    {"space_to_depth", "in x 2 3 4 6\nnode SpaceToDepth x y blocksize=2"},
    {"shape_arithmetic",
     "in x 1 3 ?5 ?7\nints i 2 3\nints one 1 1\nints two 2 2\nints z 0\nints four 4\nnode Shape x s\n"
     "node Gather s,i hw\nnode Mul hw,two d\nnode Sub d,one e\nnode Slice s,z,two2 nc\nnode Concat nc,e t "
     "axis=0\n"
     "node Resize x,,,t y mode='linear'\nints two2 2"},
    {"shape_cast", "in x 1 3 ?5 ?7\nints i 2\nfloat k 1.6\nnode Shape x s\nnode Gather s,i h axis=0\nnode "
                   "Cast h f to=1\nnode Mul f,k g\n"
                   "node Floor g l\nnode Cast l n to=7\nints w 9\nints nc 1 3\nnode Concat nc,n,w t "
                   "axis=0\nnode Resize x,,,t y"},
    {"shape_where", "in x 1 3 ?5 ?7\nints one 1\nints two 2\nnode Shape x s\nnode Equal s,one q\nnode Where "
                    "q,two,s w\nnode Expand x,w y"},
    {"range_tile", "in x 4 3\nint a 0\nint b 4\nint d 2\nnode Range a,b,d r\nnode Gather x,r y"},
    {"constant", "in x 2 6\nnode Constant - c value_float=0.5\nnode Mul x,c y"},
    {"size", "in x 2 6\nnode Size x n\nnode Cast n f to=1\nnode Div x,f y"},
    {"half_weights", "in x 1 3 8 9\nhalf h 4 3 3 3\nnode Cast h w to=1\nnode Conv x,w y"},
};

#define ONNX_CASES (sizeof onnx_cases / sizeof onnx_cases[0])

#endif
