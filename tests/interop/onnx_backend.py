# onnx_backend.py FOLDER RUNNER - the ONNX project's own backend cases against our engine: the node cases of every operator
# that the engine has or should have, and the stored sets simple, pytorch-operator and pytorch-converted. Writes the cases into
# the folder (once), runs them all by RUNNER (backend.c) and says in TAP how many of each operator pass, and why others are left out.
import collections
import os
import re
import shutil
import subprocess
import sys
import warnings

import onnx
from onnx import TensorProto, numpy_helper

folder, runner = sys.argv[1:]
STORED = ["simple", "pytorch-operator", "pytorch-converted"]

# What exported generators need; a case of another operator is left out when the engine refuses it.
NEEDED = set("""Conv ConvTranspose Gemm MatMul Einsum BatchNormalization InstanceNormalization GroupNormalization
LayerNormalization PRelu LeakyRelu Relu Elu Selu Softplus Sigmoid HardSigmoid HardSwish Tanh Erf Gelu Exp Log Sqrt Pow Sin Cos Clip
Softmax Add Sub Mul Div Min Max Mean Sum Mod Neg Abs Equal Greater GreaterOrEqual Less LessOrEqual Not And Or Xor Where ReduceSum
ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare ArgMax TopK Pad Resize Upsample
DepthToSpace SpaceToDepth GridSample MaxPool AveragePool GlobalAveragePool Concat Split Slice Gather Reshape Transpose Expand Tile Squeeze
Unsqueeze Flatten Shape Size Range ConstantOfShape Cast Identity Dropout Constant If DequantizeLinear""".split())
TYPES = {
    getattr(TensorProto, name)
    for name in "FLOAT FLOAT16 BFLOAT16 DOUBLE INT8 UINT8 INT16 UINT16 INT32 UINT32 INT64 UINT64 BOOL".split()
}
TYPE_NAMES = {number: name.lower() for name, number in TensorProto.DataType.items()}


def unusable(model):
    """Why the engine cannot be asked to run a case, from its inputs and outputs; None when it can."""
    for value in list(model.graph.input) + list(model.graph.output):
        if not value.type.HasField("tensor_type"):
            return "a " + value.type.WhichOneof("value").replace("_type", "") + " is no tensor"
        if value.type.tensor_type.elem_type not in TYPES:
            return "type " + TYPE_NAMES[value.type.tensor_type.elem_type] + " is not read"
    return None


def tolerance(case, outputs):
    """The case's own, or as wide as the type of the outputs is coarse."""
    coarse = 0
    for value in outputs:
        kind = value.type.tensor_type.elem_type
        coarse = max(coarse, {TensorProto.FLOAT16: 2**-10, TensorProto.BFLOAT16: 2**-7}.get(kind, 0))
    return max(case, coarse)


# Cases that cannot be met, and why.
UNMET = {
    "test_resize_downsample_scales_linear_align_corners": "the case divides by a side of the output that is not whole",
    "test_resize_downsample_scales_cubic_align_corners": "the case divides by a side of the output that is not whole",
    "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True":
        "the case counts places beyond the padding, as later releases of its own do not",
    "test_maxpool_2d_uint8": "pooling of whole numbers",
    "test_reduce_max_bool_inputs": "reduction of booleans",
    "test_reduce_min_bool_inputs": "reduction of booleans",
}
ROUNDED = {"test_gridsample_bicubic": 1e-3}  # written with four decimals


def raise_set(model):
    """A node case names the first operator set with the operator's newest form; so it may name any later one."""
    for entry in model.opset_import:
        if entry.domain in ("", "ai.onnx"):
            entry.version = max(entry.version, 6)


def write_node_cases():
    from onnx.backend.test.case.node import collect_testcases

    lines = []
    for case in {case.name: case for case in collect_testcases(None)}.values():
        where = os.path.join(folder, "cases", "node", case.name)
        name = case.model.graph.node[0].op_type if case.model.graph.node else "-"
        reason = unusable(case.model) or UNMET.get(case.name)
        raise_set(case.model)
        if reason is None:
            os.makedirs(where)
            onnx.save(case.model, os.path.join(where, "model.onnx"))
            for number, (inputs, outputs) in enumerate(case.data_sets):
                data = os.path.join(where, f"test_data_set_{number}")
                os.makedirs(data)
                for kind, tensors, values in (("input", inputs, case.model.graph.input), ("output", outputs, case.model.graph.output)):
                    for i, (tensor, value) in enumerate(zip(tensors, values)):
                        proto = tensor if isinstance(tensor, TensorProto) else numpy_helper.from_array(tensor, value.name)
                        if value.type.tensor_type.elem_type == TensorProto.BFLOAT16:
                            proto.data_type = TensorProto.BFLOAT16  # numpy has its bits as uint16
                        with open(os.path.join(data, f"{kind}_{i}.pb"), "wb") as file:
                            file.write(proto.SerializeToString())
        rtol = tolerance(ROUNDED.get(case.name, 1e-4), case.model.graph.output)
        lines.append(f"node\t{case.name}\t{where}\t{rtol}\t1e-6\t{reason or ''}")
    return lines


def list_stored(group):
    lines = []
    root = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", group)
    for name in sorted(os.listdir(root)):
        model = onnx.load(os.path.join(root, name, "model.onnx"), load_external_data=False)
        rtol = tolerance(1e-3, model.graph.output)
        lines.append(f"{group}\t{name}\t{os.path.join(root, name)}\t{rtol}\t1e-5\t{unusable(model) or ''}")
    return lines


def prepare():
    """The table of all cases, made once for a version of the package."""
    table = os.path.join(folder, "cases-" + onnx.__version__ + ".tsv")
    if not os.path.exists(table):
        shutil.rmtree(os.path.join(folder, "cases"), ignore_errors=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            lines = write_node_cases()
        for group in STORED:
            lines += list_stored(group)
        with open(table + ".part", "w") as file:
            file.write("\n".join(lines) + "\n")
        os.rename(table + ".part", table)
    with open(table) as file:
        return [line.rstrip("\n").split("\t") for line in file]


def operators(where):
    return [node.op_type for node in onnx.load(os.path.join(where, "model.onnx"), load_external_data=False).graph.node]


def left_out(where, verdict, text):
    """Why a refused case is none that the engine should run; None when it should."""
    if verdict != "refused":
        return None
    unknown = re.match(r"operator (\S+) (is not supported|belongs to)", text)
    if unknown and unknown.group(1) not in NEEDED:
        return f"operator {unknown.group(1)}"
    if "operator set 0 " in text:
        return "operators that are not standard ones"
    if "training mode" in text:
        return "training mode"
    return None


def main():
    table = prepare()
    todo = os.path.join(folder, "todo")
    with open(todo, "w") as file:
        file.writelines(f"{where} {rtol} {atol}\n" for _, _, where, rtol, atol, reason in table if not reason)
    run = subprocess.run([runner, todo], capture_output=True, text=True)
    verdicts = {}
    for line in run.stdout.splitlines():
        where, verdict, *text = line.split(" ", 2)
        verdicts[where] = (verdict, text[0] if text else "")
    good, all_of, failed = collections.Counter(), collections.Counter(), collections.defaultdict(list)
    reasons, groups = collections.defaultdict(list), collections.OrderedDict()
    for group, name, where, _, _, reason in table:
        verdict, text = verdicts.get(where, ("missing", "the runner ended before"))
        reason = reason or left_out(where, verdict, text)
        if reason:
            reasons[reason].append(name)
            continue
        key = group + " " + operators(where)[0] if group == "node" else group
        groups.setdefault(key, None)
        all_of[key] += 1
        good[key] += verdict == "pass"
        if verdict != "pass":
            failed[key].append(f"{name}: {verdict}: {text}")
    for key in sorted(groups):
        print(f"{'ok' if not failed[key] else 'not ok'} onnx {key}: {good[key]} of {all_of[key]} cases")
        for line in failed[key]:
            print("#   " + line)
    for reason in sorted(reasons):
        print(f"ok onnx {len(reasons[reason])} left out # SKIP {reason}")
    print(f"# {sum(good.values())} of {sum(all_of.values())} cases pass, {sum(map(len, reasons.values()))} left out, "
          f"{len(table)} in all")
    if run.returncode != 0:
        print(f"not ok onnx runner ends with {run.returncode}")
        print("# " + run.stderr[-2000:].replace("\n", "\n# "))
    return run.returncode != 0 or any(failed.values())


sys.exit(main())
