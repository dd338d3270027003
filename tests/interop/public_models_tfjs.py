"""A network in TensorFlow.js' layers format as ONNX with a card: public_models_tfjs.py MODEL.json OUT.onnx HIGH SCALE

Only the layers that @upscalerjs' ESRGAN networks have. Pictures are [N, 3, H, W] with samples from 0 to HIGH.
"""
import json
import os
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def weights(path):
    """All tensors of the manifest, from shards that lie beside it and are one row of bytes."""
    manifest = json.load(open(path))["weightsManifest"]
    out = {}
    for group in manifest:
        data = b"".join(open(os.path.join(os.path.dirname(path), p), "rb").read() for p in group["paths"])
        at = 0
        for entry in group["weights"]:
            assert entry["dtype"] == "float32" and "quantization" not in entry
            count = int(np.prod(entry["shape"]))
            out[entry["name"]] = np.frombuffer(data, "<f4", count, at).reshape(entry["shape"])
            at += 4 * count
        assert at == len(data)
    return out


class Graph:
    def __init__(self, tensors):
        self.tensors, self.nodes, self.constants = tensors, [], []

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, type, inputs, output, **attributes):
        self.nodes.append(helper.make_node(type, inputs, [output], **attributes))

    def activation(self, kind, x, output):
        assert kind in ("linear", "relu"), kind
        self.node("Relu" if kind == "relu" else "Identity", [x], output)

    def conv(self, name, config, x):
        assert config["strides"] == [1, 1]
        kernel = self.constant(name + "/w", self.tensors[name + "/kernel"].transpose(3, 2, 0, 1))
        bias = self.constant(name + "/b", self.tensors[name + "/bias"])
        pad = {"same": "SAME_UPPER", "valid": "VALID"}[config["padding"]]
        self.node("Conv", [x, kernel, bias], name + "/sum", auto_pad=pad, kernel_shape=config["kernel_size"],
                  dilations=config["dilation_rate"])
        self.activation(config["activation"], name + "/sum", name)

    def layer(self, layer):
        kind, name, config = layer["class_name"], layer["name"], layer["config"]
        inputs = [source[0] for source in layer["inbound_nodes"][0]] if layer["inbound_nodes"] else []
        if kind == "Conv2D":
            self.conv(name, config, inputs[0])
        elif kind == "Activation":
            self.activation(config["activation"], inputs[0], name)
        elif kind == "Add":
            for i in range(1, len(inputs)):
                self.node("Add", [inputs[0] if i == 1 else name + "/%d" % (i - 1), inputs[i]],
                          name if i + 1 == len(inputs) else name + "/%d" % i)
        elif kind == "Concatenate":
            assert config["axis"] in (3, -1)
            self.node("Concat", inputs, name, axis=1)
        elif kind == "MultiplyBeta":
            self.node("Mul", [inputs[0], self.constant(name + "/beta", np.float32(0.2))], name)
        elif kind == "UpSampling2D":
            assert config["interpolation"] == "nearest"
            scales = self.constant(name + "/scales", np.array([1, 1] + config["size"], np.float32))
            self.node("Resize", [inputs[0], "", scales], name, mode="nearest", nearest_mode="floor",
                      coordinate_transformation_mode="asymmetric")
        elif kind.startswith("PixelShuffle"):
            self.node("DepthToSpace", inputs, name, blocksize=int(kind[len("PixelShuffle"):-1]), mode="DCR")
        else:
            assert kind == "InputLayer", kind


def main(path, output, high, scale):
    config = json.load(open(path))["modelTopology"]["model_config"]["config"]
    graph = Graph(weights(path))
    for layer in config["layers"]:
        graph.layer(layer)
    first, last = config["input_layers"][0][0], config["output_layers"][0][0]
    face = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 3, "H", "W"])
    model = helper.make_model(
        helper.make_graph(graph.nodes, "upscaler", [face(first)], [face(last)], graph.constants),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    card = {"schema": "blindstamp.card/1", "name": "upscaler", "output_low": 0, "output_high": high,
            "inputs": [{"name": first, "role": "image", "low": 0, "high": high}],
            "output_scale": scale, "width": 128 * scale, "height": 128 * scale, "size_multiple": scale}
    helper.set_model_props(model, {"blindstamp.card": json.dumps(card)})
    open(output, "wb").write(model.SerializeToString())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
