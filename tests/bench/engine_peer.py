"""engine_peer.py RUNTIME MODEL THREADS NAME DIMS FILE... - another runtime as one of the parties that engine.py lets
take turns. MODEL is the .onnx file; ncnn takes what pnnx made of it, beside it.

The protocol, which engine_ours.c speaks too: "begin" before anything of the model is read; after an empty line, "ready"
when it can run. Then "run" is answered by the milliseconds it took, and a path by "saved" once the last output, raw
float32, is in that file.
"""
import os
import sys
import time

import numpy


def onnxruntime_runner(model, threads, inputs):
    import onnxruntime
    yield
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    yield lambda: session.run(None, inputs)[0]


def ncnn_runner(model, threads, inputs):
    import ncnn
    yield
    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_vulkan_compute = False
    # float32 throughout, as the others compute
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = net.opt.use_bf16_storage = False
    stem = model.removesuffix(".onnx") + ".ncnn"
    if net.load_param(stem + ".param") or net.load_model(stem + ".bin"):
        raise SystemExit("ncnn cannot load what pnnx made")
    # ncnn's pictures have no batch axis
    mats = [ncnn.Mat(x[0] if x.ndim > 1 else x) for x in inputs.values()]

    def run():
        extractor = net.create_extractor()
        for i, mat in enumerate(mats):
            if extractor.input(f"in{i}", mat):
                raise SystemExit(f"ncnn has no input in{i}")
        code, out = extractor.extract("out0")
        if code:
            raise SystemExit(f"ncnn stops with {code}")
        return numpy.array(out)

    yield run


def main():
    name, model, threads, *rest = sys.argv[1:]
    inputs = {}
    for key, dims, path in zip(rest[0::3], rest[1::3], rest[2::3]):
        inputs[key] = numpy.fromfile(path, numpy.float32).reshape([int(x) for x in dims.split(",")])
    runner = globals()[name + "_runner"](model, int(threads), inputs)
    next(runner)
    # Some runtimes tie threads to processors; on few of those, two parties would then share one.
    os.sched_setaffinity(0, range(os.cpu_count()))
    print("begin", flush=True)
    if sys.stdin.readline() != "\n":
        sys.exit(1)
    run = next(runner)
    print("ready", flush=True)
    out = None
    for line in sys.stdin:
        if line == "run\n":
            start = time.perf_counter()
            out = run()
            print(f"{1e3 * (time.perf_counter() - start):.4f}", flush=True)
        else:
            numpy.ascontiguousarray(out, numpy.float32).tofile(line.strip())
            print("saved", flush=True)


main()
