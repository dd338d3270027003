#!/usr/bin/env python3
"""networks.py FOLDER [NAME...] - writes networks of known families (the small ones) as .onnx, with random weights of a sane scale.

Each function draws one family as its exporter does, with a width and depth that callers choose; CASES names the
sizes that benchmarks use, SMALL smaller ones for tests of bits and accuracy. Prints a line of JSON for each file:
its name, path and the dims of its inputs. The same numbers every time: weights follow from the network's name.
"""
import json
import os
import sys
import zlib

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


class Net:
    """A graph under construction: every method adds a node and returns the name of what it makes."""

    def __init__(self, name, inputs):
        self.name, self.inputs = name, inputs
        self.nodes, self.constants, self.count = [], [], 0
        self.random = numpy.random.default_rng(zlib.crc32(name.encode()))

    def constant(self, array, name="w"):
        self.count += 1
        name = f"{name}{self.count}"
        self.constants.append(numpy_helper.from_array(numpy.ascontiguousarray(array), name))
        return name

    def ints(self, *values):
        return self.constant(numpy.array(values, numpy.int64), "i")

    def number(self, value):
        return self.constant(numpy.array(value, numpy.float32), "n")

    def normal(self, *dims, scale=1.0, mean=0.0):
        return self.constant((self.random.standard_normal(dims) * scale + mean).astype(numpy.float32))

    def node(self, op, *inputs, **attributes):
        self.count += 1
        out = f"{op.lower()}{self.count}"
        self.nodes.append(helper.make_node(op, list(inputs), [out], name=out, **attributes))
        return out

    def conv(self, x, channels_in, channels_out, k=3, stride=1, pad=None, bias=True, gain=2.0):
        """gain 2 keeps the size of numbers through Relu, 1 without one."""
        pad = k // 2 if pad is None else pad
        w = self.normal(channels_out, channels_in, k, k, scale=(gain / (channels_in * k * k)) ** 0.5)
        b = [self.normal(channels_out, scale=0.1)] if bias else []
        return self.node("Conv", x, w, *b, kernel_shape=[k, k], strides=[stride, stride], pads=[pad] * 4)

    def deconv(self, x, channels_in, channels_out, k=4, stride=2, pad=1, extra=0):
        w = self.normal(channels_in, channels_out, k, k, scale=(2 * stride * stride / (channels_in * k * k)) ** 0.5)
        b = self.normal(channels_out, scale=0.1)
        return self.node("ConvTranspose", x, w, b, kernel_shape=[k, k], strides=[stride, stride], pads=[pad] * 4,
                         output_padding=[extra, extra])

    def reflect(self, x, pad):
        return self.node("Pad", x, self.ints(0, 0, pad, pad, 0, 0, pad, pad), mode="reflect")

    def instance_norm(self, x, channels):
        return self.node("InstanceNormalization", x, self.normal(channels, scale=0.1, mean=1.0),
                         self.normal(channels, scale=0.1), epsilon=1e-5)

    def batch_norm(self, x, channels):
        return self.node("BatchNormalization", x, self.normal(channels, scale=0.1, mean=1.0),
                         self.normal(channels, scale=0.1), self.normal(channels, scale=0.1),
                         self.constant(self.random.uniform(0.5, 1.5, channels).astype(numpy.float32)))

    def leaky(self, x, slope=0.2):
        return self.node("LeakyRelu", x, alpha=slope)

    def nearest(self, x, scale):
        return self.node("Resize", x, "", self.constant(numpy.array([1, 1, scale, scale], numpy.float32), "s"),
                         mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")

    def write(self, path, output, opset=OPSET):
        values = []
        for name, dims in self.inputs.items():
            # Batch and sides stay open, as exporters leave them.
            shape = [f"{name}_{i}" if open_dim else size for i, (size, open_dim) in enumerate(dims)]
            values.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        graph = helper.make_graph(self.nodes, self.name, values,
                                  [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="networks.py")
        model.ir_version = 8
        onnx.save(model, path)


def image(channels, height, width, name="image", fixed=False):
    return {name: [(1, not fixed), (channels, False), (height, not fixed), (width, not fixed)]}


def conv_stack(name, channels, side, layers=8):
    net = Net(name, image(channels, side, side))
    x = "image"
    for _ in range(layers):
        x = net.node("Relu", net.conv(x, channels, channels))
    return net, x


def srvgg(name, features, body, side, scale=4):
    """realesr-animevideov3 and its kin: a plain stack with PRelu, then pixel shuffle, plus the enlarged input."""
    net = Net(name, image(3, side, side))
    slope = lambda: net.constant(net.random.uniform(0.05, 0.3, (features, 1, 1)).astype(numpy.float32))
    x = net.node("PRelu", net.conv("image", 3, features), slope())
    for _ in range(body):
        x = net.node("PRelu", net.conv(x, features, features), slope())
    x = net.conv(x, features, 3 * scale * scale, gain=1.0)
    x = net.node("DepthToSpace", x, blocksize=scale, mode="CRD")
    return net, net.node("Add", x, net.nearest("image", scale))


def cartoon_gan(name, features, blocks, side):
    """CartoonGAN and the transformer networks of CycleGAN: reflection padding and instance normalisation."""
    net = Net(name, image(3, side, side))

    def layer(x, inside, outside, k, stride=1, relu=True):
        x = net.reflect(x, k // 2) if stride == 1 else x
        x = net.conv(x, inside, outside, k, stride, pad=0 if stride == 1 else 1)
        x = net.instance_norm(x, outside)
        return net.node("Relu", x) if relu else x

    x = layer("image", 3, features, 7)
    x = layer(x, features, 2 * features, 3, 2)
    x = layer(x, 2 * features, 4 * features, 3, 2)
    for _ in range(blocks):
        y = layer(x, 4 * features, 4 * features, 3)
        x = net.node("Add", layer(y, 4 * features, 4 * features, 3, relu=False), x)
    for inside in (4 * features, 2 * features):
        x = net.deconv(x, inside, inside // 2, 3, 2, 1, 1)
        x = net.node("Relu", net.instance_norm(x, inside // 2))
    return net, net.node("Tanh", net.conv(net.reflect(x, 3), features, 3, 7, pad=0, gain=1.0))


def rrdb(name, features, growth, blocks, side):
    """ESRGAN: residual-in-residual dense blocks, two nearest doublings."""
    net = Net(name, image(3, side, side))
    first = x = net.conv("image", 3, features)
    for _ in range(blocks):
        outer = x
        for _ in range(3):
            parts = [x]
            for i in range(4):
                joined = net.node("Concat", *parts, axis=1) if i else x
                parts.append(net.leaky(net.conv(joined, features + i * growth, growth)))
            y = net.conv(net.node("Concat", *parts, axis=1), features + 4 * growth, features, gain=1.0)
            x = net.node("Add", net.node("Mul", y, net.number(0.2)), x)
        x = net.node("Add", net.node("Mul", x, net.number(0.2)), outer)
    x = net.node("Add", first, net.conv(x, features, features, gain=1.0))
    for _ in range(2):
        x = net.leaky(net.conv(net.nearest(x, 2), features, features))
    x = net.leaky(net.conv(x, features, features))
    return net, net.conv(x, features, 3, gain=1.0)


def style_gan2(name, resolution, channel_base, channel_max, z_dim=512, layers=8):
    """StyleGAN2 as torch exports it: weights modulated at run time, upfirdn as zero insertion and a blur, noise
    buffers, a skip of RGB pictures."""
    net = Net(name, {"z": [(1, False), (z_dim, False)]})
    channels = lambda res: min(channel_base // res, channel_max)
    blur = numpy.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(numpy.float32) / 64

    def dense(x, inside, outside, bias=0.0, scale=1.0):
        y = net.node("MatMul", x, net.normal(inside, outside, scale=scale / inside ** 0.5))
        return net.node("Add", y, net.normal(outside, scale=0.1, mean=bias))

    def gain(x):
        return net.node("Mul", net.leaky(x), net.number(2 ** 0.5))

    def modulated(x, w, inside, outside, k, demodulate=True, up=False):
        style = dense(w, z_dim, inside, bias=1.0, scale=0.3)
        weight = net.normal(1, outside, inside, k, k, scale=(1 if demodulate else 1 / (inside * k * k) ** 0.5))
        weight = net.node("Mul", weight, net.node("Reshape", style, net.ints(1, 1, inside, 1, 1)))
        if demodulate:
            power = net.node("ReduceSum", net.node("Mul", weight, weight), net.ints(2, 3, 4), keepdims=0)
            root = net.node("Sqrt", net.node("Add", power, net.number(1e-8)))
            factor = net.node("Div", net.number(1.0), root)
            weight = net.node("Mul", weight, net.node("Reshape", factor, net.ints(1, outside, 1, 1, 1)))
        if not up:
            weight = net.node("Reshape", weight, net.ints(outside, inside, k, k))
            return net.node("Conv", x, weight, kernel_shape=[k, k], pads=[k // 2] * 4, group=1)
        weight = net.node("Transpose", weight, perm=[0, 2, 1, 3, 4])
        weight = net.node("Reshape", weight, net.ints(inside, outside, k, k))
        x = net.node("ConvTranspose", x, weight, kernel_shape=[k, k], strides=[2, 2], group=1)
        return blurred(net.node("Pad", x, net.ints(0, 0, 1, 1, 0, 0, 1, 1)), outside)

    def blurred(x, count):
        kernel = net.constant(numpy.tile(blur * 4, (count, 1, 1, 1)))
        return net.node("Conv", x, kernel, kernel_shape=[4, 4], group=count)

    def doubled(x, count, res):
        x = net.node("Reshape", x, net.ints(1, count, res, 1, res, 1))
        x = net.node("Pad", x, net.ints(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1))
        x = net.node("Reshape", x, net.ints(1, count, 2 * res, 2 * res))
        return blurred(net.node("Pad", x, net.ints(0, 0, 2, 2, 0, 0, 1, 1)), count)

    def layer(x, w, inside, outside, res, up):
        x = modulated(x, w, inside, outside, 3, up=up)
        noise = net.node("Mul", net.normal(1, 1, res, res), net.number(0.1))
        return gain(net.node("Add", net.node("Add", x, noise), net.normal(1, outside, 1, 1, scale=0.1)))

    size = net.node("ReduceMean", net.node("Mul", "z", "z"), axes=[1], keepdims=1)
    w = net.node("Mul", "z", net.node("Div", net.number(1.0), net.node("Sqrt", net.node("Add", size, net.number(1e-8)))))
    for _ in range(layers):
        w = gain(dense(w, z_dim, z_dim))
    x, picture, res = net.normal(1, channels(4), 4, 4), None, 4
    while res <= resolution:
        inside, outside = channels(max(res // 2, 4)), channels(res)
        if res > 4:
            x = layer(x, w, inside, outside, res, True)
        x = layer(x, w, outside, outside, res, False)
        rgb = net.node("Add", modulated(x, w, outside, 3, 1, demodulate=False), net.normal(1, 3, 1, 1, scale=0.1))
        picture = rgb if picture is None else net.node("Add", doubled(picture, 3, res // 2), rgb)
        res *= 2
    return net, picture


def dcgan(name, z_dim, features):
    """DCGAN at 32 x 32, the latent as a picture of one pixel."""
    net = Net(name, {"z": [(1, True), (z_dim, False), (1, False), (1, False)]})
    x = net.node("Relu", net.batch_norm(net.deconv("z", z_dim, 4 * features, 4, 1, 0), 4 * features))
    for inside in (4 * features, 2 * features):
        x = net.node("Relu", net.batch_norm(net.deconv(x, inside, inside // 2), inside // 2))
    return net, net.node("Tanh", net.deconv(x, features, 3))


def unet(name, features, depth, side):
    """pix2pix: halvings and doublings with every level's picture carried across."""
    net = Net(name, image(3, side, side))

    def level(x, inside, outside, deeper):
        down = net.conv(x, inside, outside, 4, 2, pad=1)
        middle = down if deeper == 0 else level(net.leaky(net.batch_norm(down, outside)), outside, 2 * outside, deeper - 1)
        count = outside if deeper == 0 else 2 * outside
        up = net.deconv(net.node("Relu", middle), count, inside if inside > 3 else features)
        up = net.batch_norm(up, inside if inside > 3 else features)
        return up if inside == 3 else net.node("Concat", x, net.node("Dropout", up), axis=1)

    x = level("image", 3, features, depth)
    return net, net.node("Tanh", net.conv(x, features, 3, gain=1.0))


def fast_gan(name, z_dim, features):
    """FastGAN at 64 x 64: gated linear units, noise, and skip-layer excitation from 4 x 4 to 64 x 64."""
    net = Net(name, {"z": [(1, True), (z_dim, False)], "noise": [(1, True), (1, False), (16, False), (16, False)]})

    def gated(x, count):
        a, b = f"a{net.count}", f"b{net.count}"
        net.nodes.append(helper.make_node("Split", [x], [a, b], axis=1))
        return net.node("Mul", a, net.node("Sigmoid", b))

    def doubled(x):
        x = net.conv(net.nearest(x, 2), features, 2 * features, bias=False)
        return gated(net.batch_norm(x, 2 * features), features)

    x = net.node("Unsqueeze", "z", net.ints(2, 3))
    small = x = gated(net.batch_norm(net.deconv(x, z_dim, 2 * features, 4, 1, 0), 2 * features), features)
    for level in range(4):
        x = doubled(x)
        if level == 1:
            x = net.node("Add", x, net.node("Mul", "noise", net.number(0.3)))
    gate = net.conv(small, features, features, 4, pad=0)
    gate = net.node("Mul", gate, net.node("Sigmoid", gate))
    gate = net.node("Sigmoid", net.conv(gate, features, features, 1))
    return net, net.node("Tanh", net.conv(net.node("Mul", x, gate), features, 3, gain=1.0))


def swish(net, x):
    return net.node("Mul", x, net.node("Sigmoid", x))


def group_norm(net, x, channels, groups=4):
    """As torch exports it: instance normalisation of groups made into channels, then scale and shift."""
    shape = net.node("Shape", x)
    y = net.node("InstanceNormalization", net.node("Reshape", x, net.ints(0, groups, -1)),
                 net.constant(numpy.ones(groups, numpy.float32)), net.constant(numpy.zeros(groups, numpy.float32)),
                 epsilon=1e-6)
    y = net.node("Mul", net.node("Reshape", y, shape), net.normal(channels, 1, 1, scale=0.1, mean=1.0))
    return net.node("Add", y, net.normal(channels, 1, 1, scale=0.1))


def attention(net, x, channels, inner, pool=False):
    """Every pixel looks at every other, or at the greatest of four."""
    shape = net.node("Shape", x)
    q, k, v = (net.conv(x, channels, n, 1, gain=1.0) for n in (inner, inner, channels))
    if pool:
        k, v = (net.node("MaxPool", y, kernel_shape=[2, 2], strides=[2, 2]) for y in (k, v))
    flat = lambda y: net.node("Reshape", y, net.ints(0, 0, -1))
    scores = net.node("MatMul", net.node("Transpose", flat(q), perm=[0, 2, 1]), flat(k))
    scores = net.node("Softmax", net.node("Mul", scores, net.number(inner ** -0.5)), axis=2)
    y = net.node("MatMul", flat(v), net.node("Transpose", scores, perm=[0, 2, 1]))
    return net.node("Add", x, net.conv(net.node("Reshape", y, shape), channels, channels, 1, gain=1.0))


def vqgan(name, features, side):
    """The decoder of a VQGAN: group normalisation, SiLU, attention in the middle, nearest doubling."""
    net = Net(name, image(4, side, side, "codes"))

    def block(x, inside, outside):
        y = net.conv(swish(net, group_norm(net, x, inside)), inside, outside)
        y = net.conv(swish(net, group_norm(net, y, outside)), outside, outside)
        return net.node("Add", y, x if inside == outside else net.conv(x, inside, outside, 1, gain=1.0))

    x = net.conv("codes", 4, 2 * features)
    x = block(attention(net, block(x, 2 * features, 2 * features), 2 * features, 2 * features), 2 * features, features)
    x = net.conv(net.nearest(x, 2), features, features)
    x = swish(net, group_norm(net, block(x, features, features), features))
    return net, net.conv(x, features, 3, gain=1.0)


def big_gan(name, z_dim, classes, features):
    """BigGAN at 16 x 16: normalisation whose scale follows from latent and embedded class, self-attention."""
    net = Net(name, {"z": [(1, True), (z_dim, False)], "class": [(1, True), (classes, False)]})
    code = net.node("Concat", "z", net.node("MatMul", "class", net.normal(classes, z_dim, scale=0.3)), axis=1)

    def conditioned(x, channels):
        scale, shift = (net.node("Unsqueeze", net.node("Gemm", code, net.normal(channels, 2 * z_dim, scale=0.05),
                                                       net.normal(channels, scale=0.1, mean=mean), transB=1),
                                 net.ints(2, 3)) for mean in (1.0, 0.0))
        return net.node("Relu", net.node("Add", net.node("Mul", net.batch_norm(x, channels), scale), shift))

    x = net.node("Reshape", net.node("Gemm", code, net.normal(16 * features, 2 * z_dim, scale=0.2), transB=1),
                 net.ints(-1, features, 4, 4))
    for level in range(2):
        y = net.conv(net.nearest(conditioned(x, features), 2), features, features)
        y = net.conv(conditioned(y, features), features, features)
        x = net.node("Add", y, net.conv(net.nearest(x, 2), features, features, 1, gain=1.0))
        if level == 0:
            x = attention(net, x, features, features // 4, pool=True)
    x = net.node("Relu", net.batch_norm(x, features))
    return net, net.node("Tanh", net.conv(x, features, 3, gain=1.0))


def ada_in(name, features, side):
    """AdaIN: the statistics of a style picture put on a content picture's features, then a mirrored decoder."""
    net = Net(name, image(3, side, side, "content") | image(3, side, side, "style"))
    first = [net.random.standard_normal((features, 3, 3, 3)).astype(numpy.float32) * 0.3,
             net.random.standard_normal((features, features, 3, 3)).astype(numpy.float32) * (2 / (9 * features)) ** 0.5]

    def encoded(x):
        for w in first:
            x = net.node("Relu", net.node("Conv", net.reflect(x, 1), net.constant(w)))
        return net.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])

    def statistics(x):
        mean = net.node("ReduceMean", x, axes=[2, 3], keepdims=1)
        far = net.node("Sub", x, mean)
        power = net.node("ReduceMean", net.node("Mul", far, far), axes=[2, 3], keepdims=1)
        return far, mean, net.node("Sqrt", net.node("Add", power, net.number(1e-5)))

    far, _, spread = statistics(encoded("content"))
    _, mean, wanted = statistics(encoded("style"))
    x = net.node("Add", net.node("Mul", net.node("Div", far, spread), wanted), mean)
    x = net.node("Relu", net.conv(net.reflect(net.nearest(x, 2), 1), features, features, pad=0))
    return net, net.conv(net.reflect(x, 1), features, 3, pad=0, gain=1.0)


def r3gan(name, z_dim, features):
    """R3GAN at 16 x 16: no normalisation, grouped convolutions in inverted residual blocks, bilinear doubling."""
    net = Net(name, {"z": [(1, True), (z_dim, False)]})
    x = net.node("Mul", net.normal(1, features, 4, 4), net.node("Reshape", net.node(
        "MatMul", "z", net.normal(z_dim, features, scale=z_dim ** -0.5)), net.ints(-1, features, 1, 1)))
    for level in range(3):
        y = net.leaky(net.node("Add", net.conv(x, features, 2 * features, 1, bias=False), net.normal(2 * features, 1, 1, scale=0.1)))
        w = net.normal(2 * features, 4, 3, 3, scale=(2 / 36) ** 0.5)
        y = net.leaky(net.node("Conv", y, w, kernel_shape=[3, 3], pads=[1] * 4, group=features // 2))
        x = net.node("Add", x, net.conv(y, 2 * features, features, 1, bias=False))
        if level < 2:
            x = net.node("Resize", x, "", net.constant(numpy.array([1, 1, 2, 2], numpy.float32), "s"), mode="linear",
                         coordinate_transformation_mode="half_pixel")
    return net, net.conv(x, features, 3, 1, gain=1.0)


def product(name, m, k, n):
    """One matrix product with a constant right side, for the yardstick."""
    net = Net(name, {"a": [(m, True), (k, False)]})
    return net, net.node("MatMul", "a", net.normal(k, n, scale=k ** -0.5))


CASES = {
    "conv256": (conv_stack, 256, 64),
    "conv64": (conv_stack, 64, 256),
    "conv512": (conv_stack, 512, 16),
    "conv32": (conv_stack, 32, 512),
    "srvgg": (srvgg, 64, 16, 128),
    "cartoongan": (cartoon_gan, 64, 8, 256),
    "rrdb": (rrdb, 64, 32, 6, 64),
    "stylegan2": (style_gan2, 256, 32768, 512),
    "matmul": (product, 256, 2304, 4096),
}
SMALL = {
    "conv-small": (conv_stack, 24, 22, 2),
    "srvgg-small": (srvgg, 16, 2, 17),
    "cartoongan-small": (cartoon_gan, 8, 1, 32),
    "rrdb-small": (rrdb, 16, 8, 1, 13),
    "stylegan2-small": (style_gan2, 16, 256, 24, 24, 2),
    "dcgan-small": (dcgan, 20, 8),
    "unet-small": (unet, 8, 2, 32),
    "fastgan-small": (fast_gan, 16, 12),
    "vqgan-small": (vqgan, 16, 9),
    "biggan-small": (big_gan, 12, 10, 16),
    "adain-small": (ada_in, 16, 26),
    "r3gan-small": (r3gan, 16, 16),
}


def write(name, folder):
    maker, *arguments = (CASES | SMALL)[name]
    net, output = maker(name, *arguments)
    path = os.path.join(folder, name + ".onnx")
    net.write(path, output)
    return {"name": name, "path": path, "inputs": {key: [size for size, _ in dims] for key, dims in net.inputs.items()}}


if __name__ == "__main__":
    os.makedirs(sys.argv[1], exist_ok=True)
    for wanted in sys.argv[2:] or list(SMALL):
        print(json.dumps(write(wanted, sys.argv[1])), flush=True)
