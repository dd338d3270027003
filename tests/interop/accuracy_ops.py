# accuracy_ops.py FOLDER RUNNER: the greatest error of every operator against numpy in double precision, ours (by RUNNER,
# outputs.c) and onnxruntime's on the same numbers. Ours may be twice as large, or within one unit in
# the last place of the largest result, whichever is more. (Tan, which no generator uses, is left out: arithmetic.md gives its error.)
import math
import subprocess
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

folder, runner = sys.argv[1:3]
random = np.random.default_rng(1)
failed = False
onnxruntime.set_default_logger_severity(3)


def normal(*dims, scale=1.0, shift=0.0):
    return (random.standard_normal(dims) * scale + shift).astype(np.float32)


def even(low, high, *dims):
    return random.uniform(low, high, dims).astype(np.float32)


def softplus(x):
    return np.logaddexp(0, x)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def normalised(x, axes, epsilon):
    d = x - x.mean(axes, keepdims=True)
    return d / np.sqrt((d * d).mean(axes, keepdims=True) + epsilon)


def group_norm(x, scale, bias):
    y = normalised(x.reshape(x.shape[0], 4, -1), (2,), 1e-5).reshape(x.shape)
    return y * scale[:, None, None] + bias[:, None, None]


erf = np.vectorize(math.erf)
N = 100000
# operator, opset, attributes, inputs, the same in double precision
cases = [
    ("Abs", 13, {}, [normal(N)], np.abs),
    ("Reciprocal", 13, {}, [even(0.1, 9, N)], lambda x: 1 / x),
    ("Sqrt", 13, {}, [even(0, 100, N)], np.sqrt),
    ("Exp", 13, {}, [even(-20, 20, N)], np.exp),
    ("Exp", 13, {}, [even(-2, 1, N)], np.exp),
    ("Log", 13, {}, [even(0.01, 100, N)], np.log),
    ("Tanh", 13, {}, [normal(N, scale=2)], np.tanh),
    ("Sigmoid", 13, {}, [normal(N, scale=4)], sigmoid),
    ("Erf", 13, {}, [normal(N, scale=2)], erf),
    ("Gelu", 20, {}, [normal(N, scale=3)], lambda x: x / 2 * (1 + erf(x / math.sqrt(2)))),
    ("Gelu", 20, {"approximate": "tanh"}, [normal(N, scale=3)],
     lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
    ("Mish", 18, {}, [normal(N, scale=3)], lambda x: x * np.tanh(softplus(x))),
    ("Softplus", 1, {}, [normal(N, scale=4)], softplus),
    ("Softsign", 1, {}, [normal(N, scale=4)], lambda x: x / (1 + np.abs(x))),
    ("Elu", 6, {"alpha": 1.5}, [normal(N, scale=3)], lambda x: np.where(x < 0, 1.5 * np.expm1(x), x)),
    ("Selu", 6, {}, [normal(N, scale=3)],
     lambda x: 1.05070102214813232421875 * np.where(x < 0, 1.67326319217681884765625 * np.expm1(x), x)),
    ("Celu", 12, {"alpha": 2.0}, [normal(N, scale=3)], lambda x: np.where(x < 0, 2 * np.expm1(x / 2), x)),
    ("HardSigmoid", 6, {}, [normal(N, scale=3)], lambda x: np.clip(np.float32(0.2).astype(float) * x + 0.5, 0, 1)),
    ("HardSwish", 14, {}, [normal(N, scale=3)], lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    ("Sin", 7, {}, [even(-100, 100, N)], np.sin),
    ("Cos", 7, {}, [even(-100, 100, N)], np.cos),
    ("Sin", 7, {}, [even(-1e4, 1e4, N)], np.sin),
    ("Atan", 7, {}, [normal(N, scale=4)], np.arctan),
    ("Asin", 7, {}, [even(-1, 1, N)], np.arcsin),
    ("Acos", 7, {}, [even(-1, 1, N)], np.arccos),
    ("Sinh", 9, {}, [even(-5, 5, N)], np.sinh),
    ("Cosh", 9, {}, [even(-5, 5, N)], np.cosh),
    ("Asinh", 9, {}, [normal(N, scale=9)], np.arcsinh),
    ("Acosh", 9, {}, [even(1, 50, N)], np.arccosh),
    ("Atanh", 9, {}, [even(-0.99, 0.99, N)], np.arctanh),
    ("Pow", 13, {}, [even(0.01, 30, N), even(-3, 5, N)], np.power),
    ("Add", 13, {}, [normal(200, 300), normal(300)], np.add),
    ("Div", 13, {}, [normal(200, 300), even(0.5, 2, 200, 1)], np.divide),
    ("Mean", 13, {}, [normal(200, 300), normal(300), normal(200, 1)], lambda a, b, c: (a + b + c) / 3),
    ("ReduceSum", 11, {"axes": [1]}, [normal(20, 5000)], lambda x: x.sum(1, keepdims=True)),
    ("ReduceSum", 11, {"axes": [0]}, [normal(5000, 20)], lambda x: x.sum(0, keepdims=True)),
    ("ReduceMean", 13, {"axes": [0, 2]}, [normal(30, 20, 300)], lambda x: x.mean((0, 2), keepdims=True)),
    ("ReduceL1", 13, {"axes": [1]}, [normal(20, 5000)], lambda x: np.abs(x).sum(1, keepdims=True)),
    ("ReduceL2", 13, {"axes": [1]}, [normal(20, 5000)], lambda x: np.sqrt((x * x).sum(1, keepdims=True))),
    ("ReduceLogSum", 13, {"axes": [1]}, [even(0, 1, 20, 5000)], lambda x: np.log(x.sum(1, keepdims=True))),
    ("ReduceLogSumExp", 13, {"axes": [0]}, [normal(5000, 20)], lambda x: np.log(np.exp(x).sum(0, keepdims=True))),
    ("ReduceProd", 13, {"axes": [1]}, [even(0.9, 1.1, 2000, 500)], lambda x: x.prod(1, keepdims=True)),
    ("ReduceSumSquare", 13, {"axes": [1]}, [normal(20, 5000)], lambda x: (x * x).sum(1, keepdims=True)),
    ("GlobalAveragePool", 1, {}, [normal(2, 9, 64, 64)], lambda x: x.mean((2, 3), keepdims=True)),
    ("CumSum", 14, {}, [normal(500, 40), np.array(0)], lambda x, axis: x.cumsum(0)),
    ("Softmax", 13, {"axis": -1}, [normal(50, 4096, scale=3)], lambda x: softmax(x, 1)),
    ("Softmax", 13, {"axis": 1}, [normal(2, 64, 300, scale=3)], lambda x: softmax(x, 1)),
    ("LogSoftmax", 13, {"axis": -1}, [normal(50, 500, scale=3)], lambda x: np.log(softmax(x, 1))),
    ("InstanceNormalization", 6, {}, [normal(2, 8, 40, 40, shift=2), normal(8), normal(8)],
     lambda x, s, b: normalised(x, (2, 3), 1e-5) * s[:, None, None] + b[:, None, None]),
    ("GroupNormalization", 21, {"num_groups": 4}, [normal(2, 8, 40, 40, shift=2), normal(8), normal(8)], group_norm),
    ("LayerNormalization", 17, {}, [normal(50, 512, shift=1), normal(512), normal(512)],
     lambda x, s, b: normalised(x, (1,), 1e-5) * s + b),
    ("BatchNormalization", 15, {}, [normal(2, 8, 40, 40), normal(8), normal(8), normal(8), even(0.1, 2, 8)],
     lambda x, s, b, m, v: ((x.swapaxes(1, 3) - m) / np.sqrt(v + 1e-5) * s + b).swapaxes(1, 3)),
    ("LpNormalization", 1, {"axis": 1}, [normal(50, 500)], lambda x: x / np.sqrt((x * x).sum(1, keepdims=True))),
    ("MeanVarianceNormalization", 13, {}, [normal(4, 8, 30, 30, shift=1)], lambda x: normalised(x, (0, 2, 3), 1e-18)),
    ("MatMul", 13, {}, [normal(64, 512), normal(512, 64)], np.matmul),
    ("MatMul", 13, {}, [normal(3, 1, 50, 300), normal(2, 300, 40)], np.matmul),
    ("MatMul", 13, {}, [normal(300), normal(300, 70)], np.matmul),
    ("Gemm", 13, {"transB": 1, "alpha": 0.7, "beta": 0.3}, [normal(9, 300), normal(300, 300), normal(300)],
     lambda a, b, c: np.float32(0.7).astype(float) * (a @ b.T) + np.float32(0.3).astype(float) * c),
    ("Einsum", 12, {"equation": "bihd,bjhd->bhij"}, [normal(2, 60, 4, 64), normal(2, 70, 4, 64)],
     lambda a, b: np.einsum("bihd,bjhd->bhij", a, b)),
]


def file_of(part):
    return f"{folder}/case.{part}"


def model_of(op, opset, attributes, inputs, out):
    """Floating-point inputs are the graph's; whole ones constants."""
    names = [f"x{i}" for i in range(len(inputs))]
    floats = [(n, x) for n, x in zip(names, inputs) if x.dtype == np.float32]
    graph = helper.make_graph(
        [helper.make_node(op, names, ["y"], **attributes)], "case",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, x.shape) for n, x in floats],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, out.shape)],
        [helper.make_tensor(n, TensorProto.INT64, x.shape, x.flatten()) for n, x in zip(names, inputs)
         if x.dtype != np.float32])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", max(opset, 7))], ir_version=9)
    return model.SerializeToString(), floats


def ours(model, floats, out):
    with open(file_of("onnx"), "wb") as f:
        f.write(model)
    for name, x in floats:
        x.tofile(file_of(name))
    subprocess.run([runner, file_of("onnx"), file_of("y")] + [file_of(n) for n, _ in floats], check=True)
    return np.fromfile(file_of("y"), np.float32).reshape(out.shape)


for op, opset, attributes, inputs, exact in cases:
    want = exact(*[x.astype(np.float64) if x.dtype == np.float32 else x for x in inputs])
    model, floats = model_of(op, opset, attributes, inputs, want)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    theirs = session.run(None, dict(floats))[0]
    errors = [float(np.abs(y.astype(np.float64) - want).max()) for y in (ours(model, floats, want), theirs)]
    unit = float(np.spacing(np.abs(want).max().astype(np.float32)))
    good = errors[0] <= max(2 * errors[1], unit)
    failed |= not good
    dims = " ".join("x".join(map(str, x.shape)) or "1" for x in inputs)
    print(f"{'ok' if good else 'not ok'} accuracy {op} of {dims}: {errors[0]:.2e}, onnxruntime {errors[1]:.2e}")
sys.exit(failed)
