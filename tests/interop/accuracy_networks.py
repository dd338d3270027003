"""accuracy_networks.py WORK ENGINE - how far our numbers and onnxruntime's are from the same graph in float64.

Networks of every family with several inputs each, and the cases of operators that tensors.c wrote into WORK. Ours may be
at most twice as far off as onnxruntime is, but for named exceptions; pictures of 8 bits may differ from onnxruntime's by one level.
ENGINE is tests/bench/engine_ours.c; the float64 values come from ONNX's own reference evaluator.
"""
import json
import os
import subprocess
import sys

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import networks  # noqa: E402

WORK, ENGINE = sys.argv[1:3]
SEEDS = 3
RATIO = 2
# Where that is not reached: stacks of nothing but 3 x 3 convolutions by Winograd's F(4x4, 3x3), whose output transform
# enlarges the roundings of its products about three times, however they are added up.
MORE_THAN_RATIO = {"conv-small": 4, "rrdb-small": 2.5, "conv-deep": 4, "conv-wide": 4, "conv_wide": 4}
# Where onnxruntime happens to be all but exact, a rounding of the greatest number is no fault.
FLOOR = 2.0 ** -23
# Larger than the small ones where the choice of algorithm needs it.
MORE = {
    "conv-deep": (networks.conv_stack, 96, 20, 4),
    "conv-wide": (networks.conv_stack, 20, 61, 3),
    "matmul-deep": (networks.product, 9, 3000, 40),
}
# Operators whose sums are long; test_kernel.c measures functions of one number.
SUMMING = {"Conv", "ConvTranspose", "Gemm", "MatMul", "InstanceNormalization", "BatchNormalization", "LayerNormalization",
           "GroupNormalization", "Resize", "Upsample", "AveragePool", "GlobalAveragePool", "Softmax", "ReduceMean",
           "ReduceSum", "Einsum", "GridSample"}
failed = 0


def say(good, text):
    global failed
    failed += not good
    print(("ok " if good else "not ok ") + text, flush=True)


def in_float64(path):
    """The evaluator of the graph with every float made double."""
    model = onnx.load(path)

    def double(tensor):
        if tensor.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16):
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(numpy.float64), tensor.name))

    for tensor in model.graph.initializer:
        # scales and regions of Resize are float by definition
        if not any(tensor.name in node.input[1:] for node in model.graph.node if node.op_type in ("Resize", "Upsample")):
            double(tensor)
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.DOUBLE
            if attribute.type == onnx.AttributeProto.TENSOR:
                double(attribute.t)
    for value in list(model.graph.input) + list(model.graph.output):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    return ReferenceEvaluator(model)


def runner(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = {value.name for value in session.get_inputs()}
    return lambda inputs: session.run(None, {k: v for k, v in inputs.items() if k in names})[0]


def ours(path, inputs):
    command = [ENGINE, "run", path, "2"]
    for name, array in inputs.items():
        file = os.path.join(WORK, f"accuracy.{name}")
        array.tofile(file)
        command += [name, ",".join(map(str, array.shape)), file]
    out = os.path.join(WORK, "accuracy.out")
    done = subprocess.run(command, input=f"\nrun\n{out}\n", text=True, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return numpy.fromfile(out, numpy.float32)


def errors(exact, *results):
    """The greatest distances from exact, in units of the greatest number."""
    size = max(numpy.abs(exact).max(), 1e-30)
    return [numpy.abs(result.astype(numpy.float64).reshape(exact.shape) - exact).max() / size for result in results]


def levels(values, low, high):
    return numpy.floor(numpy.clip((values - low) * (255 / (high - low)), 0, 255) + 0.5)


def check_network(name, path, dims):
    exactly, theirs = in_float64(path), runner(path)
    mine_worst = theirs_worst = apart = 0
    for seed in range(SEEDS):
        random = numpy.random.default_rng(seed)
        inputs = {key: random.standard_normal(size).astype(numpy.float32) for key, size in dims.items()}
        exact = exactly.run(None, {key: value.astype(numpy.float64) for key, value in inputs.items()})[0]
        other, own = theirs(inputs), ours(path, inputs)
        mine, their = errors(exact, own, other)
        mine_worst, theirs_worst = max(mine_worst, mine), max(theirs_worst, their)
        bounded = numpy.abs(exact).max() <= 1
        low, high = (-1, 1) if bounded else (exact.min(), exact.max())
        apart = max(apart, numpy.abs(levels(own, low, high) - levels(other.ravel(), low, high)).max())
    say(mine_worst <= MORE_THAN_RATIO.get(name, RATIO) * theirs_worst + FLOOR,
        f"{name} is {mine_worst:.2g} off, onnxruntime {theirs_worst:.2g}: {mine_worst / theirs_worst:.2f} times")
    if name not in ("matmul-deep",):
        say(apart <= 1, f"{name} in 8 bits is at most {apart:.0f} level from onnxruntime's")


def check_case(case):
    model = onnx.load(case["model"])
    used = {node.op_type for node in model.graph.node}
    if not used & SUMMING or any(part["whole"] for part in case["inputs"] + [case["output"]]):
        return
    inputs = {}
    for part in case["inputs"]:
        inputs[part["name"]] = numpy.fromfile(os.path.join(WORK, part["file"]), numpy.float32).reshape(part["dims"])
    exact = in_float64(case["model"]).run(None, {key: value.astype(numpy.float64) for key, value in inputs.items()})[0]
    own = numpy.fromfile(os.path.join(WORK, case["output"]["file"]), numpy.float32)
    mine, their = errors(exact, own, runner(case["model"])(inputs))
    if their > 1e-4:
        raise ValueError("ONNX's evaluator and onnxruntime compute different things")
    say(mine <= MORE_THAN_RATIO.get(case["name"], RATIO) * their + FLOOR,
        f"{case['name']} is {mine:.2g} off, onnxruntime {their:.2g}")


def main():
    networks.SMALL.update(MORE)
    for name in networks.SMALL:
        case = networks.write(name, WORK)
        check_network(name, case["path"], case["inputs"])
    with open(os.path.join(WORK, "cases.json"), encoding="utf-8") as file:
        for case in json.load(file):
            try:
                check_case(case)
            except Exception as error:  # a case that ONNX's evaluator cannot do says so
                say(True, f"{case['name']} # SKIP {type(error).__name__}: {str(error).splitlines()[0][:80]}")
    sys.exit(failed > 0)


main()
