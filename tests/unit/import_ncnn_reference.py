#!/usr/bin/env python3
"""Writes import_ncnn_cases.txt: small ncnn networks and what ncnn makes of them.

Run it where ncnn's Python package is installed (the numbers in the repository are from 1.0.20250503):
import_ncnn_reference.py > import_ncnn_cases.txt
Weights and inputs are multiples of 1/64 made from random numbers told by names alone, exact in float16.
"""
import os
import struct
import tempfile

import numpy as np
import ncnn
from import_reference_numbers import numbers

SAMPLES = 24


def weights(index, kind, count):
    """One piece of the .bin: raw, full (tag 0), half, or table (256 values and places)."""
    r = numbers("w%d" % index, count)
    values = np.floor(r * np.float32(32)) / np.float32(64)
    if kind == "raw":
        return values.astype("<f4").tobytes()
    if kind == "positive":
        return (np.abs(values) + np.float32(0.5)).astype("<f4").tobytes()
    if kind == "full":
        return struct.pack("<I", 0) + values.astype("<f4").tobytes()
    if kind == "half":
        data = values.astype("<f2").tobytes()
        return struct.pack("<I", 0x01306B47) + data + bytes(-len(data) % 4)
    table = ((np.arange(256) - 128) / 256).astype("<f4").tobytes()
    places = ((r + np.float32(1)) * np.float32(127)).astype(np.uint8).tobytes()
    return struct.pack("<I", 1) + table + places + bytes(-len(places) % 4)


def case(title, text, pieces, channels=3, side=(8, 12), border=0, card=""):
    lines = text.strip().split("\n")
    blobs = set()
    for line in lines:
        words = line.split()
        blobs |= {w for w in words[4:4 + int(words[2]) + int(words[3])]}
    param = "7767517\n%d %d\n" % (len(lines), len(blobs)) + "\n".join(l.strip() for l in lines) + "\n"
    data = b"".join(weights(i, kind, count) for i, (kind, count) in enumerate(pieces))
    image = (np.floor(numbers("image", channels * side[0] * side[1]) * np.float32(32)) + 32) / np.float32(64)
    image = image.astype(np.float32).reshape(channels, *side)
    out = run(param, data, np.pad(image, ((0, 0), (border, border), (border, border)), mode="edge"))
    flat = out.reshape(-1)
    print("case " + title)
    for line in param.strip().split("\n"):
        print("| " + line)
    for kind, count in pieces:
        print("bin %s %d" % (kind, count))
    print("input %d %d %d" % image.shape)
    print("output %d %d %d" % out.shape)
    print("card " + card)
    print("values " + " ".join("%.6g" % flat[i * len(flat) // SAMPLES] for i in range(SAMPLES)))
    print("range %.6g %.6g\n" % (flat.min(), flat.max()))


def run(param, data, image):
    net = ncnn.Net()
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = net.opt.use_packing_layout = False
    net.opt.num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("net.param", "net.bin")]
        open(paths[0], "w").write(param)
        open(paths[1], "wb").write(data)
        assert net.load_param(paths[0]) == 0 and net.load_model(paths[1]) == 0
        extractor = net.create_extractor()
        extractor.input("data", ncnn.Mat(np.ascontiguousarray(image)).clone())
        code, out = extractor.extract("out")
        assert code == 0
        return np.array(out)


def cases():
    case("convolutions: strides, unequal pads, dilation, groups, activations", """
        Input data 0 1 data
        Convolution a 1 1 data a 0=6 1=3 11=5 4=1 15=2 14=3 16=1 5=1 6=270 9=2 -23310=1,2.000000e-01
        ConvolutionDepthWise b 1 1 a b 0=6 1=3 4=1 5=0 6=54 7=6 9=1
        ConvolutionDepthWise c 1 1 b c 0=4 1=3 2=2 4=2 5=1 6=108 7=2 9=3 -23310=2,-2.5e-01,7.5e-01
        Convolution d 1 1 c d 0=8 1=4 3=2 4=1 5=1 6=512 9=4
        Deconvolution e 1 1 d e 0=3 1=4 3=2 4=1 5=1 6=384
        Sigmoid f 1 1 e out
        """, [("full", 270), ("raw", 6), ("half", 54), ("half", 108), ("raw", 4), ("half", 512), ("raw", 8),
              ("full", 384), ("raw", 3)], card="multiple 2")
    case("SRVGG as Real-ESRGAN ships it", """
        Input data 0 1 data
        Split s 1 2 data d0 d1
        Convolution a 1 1 d1 a 0=4 1=3 4=1 5=1 6=108
        PReLU b 1 1 a b 0=4
        Convolution c 1 1 b c 0=48 1=3 4=1 5=1 6=1728
        PixelShuffle d 1 1 c d 0=4
        Interp e 1 1 d0 e 0=1 1=4.000000e+00 2=4.000000e+00
        BinaryOp f 2 1 d e f
        Interp g 1 1 f out 0=3 1=5.000000e-01 2=5.000000e-01
        """, [("half", 108), ("raw", 4), ("raw", 4), ("half", 1728), ("raw", 48)], card="scale 2")
    case("waifu2x: squeeze and excite, crops, no padding", """
        Input data 0 1 data 0=8 1=8 2=3
        Convolution a 1 1 data a 0=4 1=3 5=1 6=108 9=2 -23310=1,0.100000
        Split s 1 2 a a0 a1
        Convolution b 1 1 a1 b 0=4 1=2 3=2 5=1 6=64
        Split t 1 2 b b0 b1
        Pooling c 1 1 b1 c 0=1 4=1
        InnerProduct d 1 1 c d 0=2 1=1 2=8 9=1
        InnerProduct e 1 1 d e 0=4 1=1 2=8 9=4
        Scale f 2 1 b0 e f 0=-233
        Deconvolution g 1 1 f g 0=4 1=2 3=2 5=1 6=64 9=2 -23310=1,0.100000
        Convolution h 1 1 g h 0=4 1=3 5=1 6=144
        Split u 1 2 h h0 h1
        Crop i 2 1 a0 h0 i 0=1 1=1
        Eltwise j 2 1 i h1 j 0=1 -23301=2,2.500000e-01,1.000000e+00
        Deconvolution k 1 1 j out 0=3 1=4 3=2 4=3 5=1 6=192
        """, [("half", 108), ("raw", 4), ("half", 64), ("raw", 4), ("half", 8), ("raw", 2), ("half", 8), ("raw", 4),
              ("half", 64), ("raw", 4), ("half", 144), ("raw", 4), ("half", 192), ("raw", 3)],
        border=3, card="scale 2 multiple 4")
    case("real-cugan: crops by lists, product with a vector, weights by a table", """
        Input data 0 1 data
        Convolution a 1 1 data a 0=4 1=3 4=1 5=1 6=108
        Split s 1 3 a a0 a1 a2
        Pooling b 1 1 a2 b 0=1 4=1
        InnerProduct c 1 1 b c 0=4 1=1 2=16 9=4
        BinaryOp d 2 1 a0 c d 0=2
        Convolution e 1 1 d e 0=4 1=3 5=1 6=144
        Crop f 1 1 a1 f -23309=2,1,1 -23310=2,-1,-1 -23311=2,-2,-1
        BinaryOp g 2 1 e f g
        Padding h 1 1 g h 0=1 1=1 2=1 3=1 4=2
        Convolution i 1 1 h i 0=12 1=1 5=0 6=48
        PixelShuffle j 1 1 i out 0=2
        """, [("table", 108), ("raw", 4), ("table", 16), ("raw", 4), ("full", 144), ("raw", 4), ("half", 48)],
        card="scale 2")
    case("normalisation, padding and activations", """
        Input data 0 1 data
        Convolution a 1 1 data a 0=4 1=3 4=1 5=1 6=108
        BatchNorm b 1 1 a b 0=4 1=1.000000e-03
        Swish c 1 1 b c
        InstanceNorm d 1 1 c d 0=4 1=1.000000e-05 2=1
        HardSwish e 1 1 d e 0=2.000000e-01 1=5.000000e-01
        InstanceNorm f 1 1 e f 0=4 1=1.000000e-05 2=0
        HardSigmoid g 1 1 f g 0=3.000000e-01 1=4.000000e-01
        Padding h 1 1 g h 0=1 1=0 2=0 3=1 4=1
        Padding i 1 1 h i 0=0 1=1 2=1 3=0 4=0 5=5.000000e-01
        Clip j 1 1 i j 0=-2.500000e-01 1=9.000000e-01
        UnaryOp k 1 1 j k 0=4
        TanH l 1 1 k l
        ReLU m 1 1 l m 0=1.000000e-01
        Dropout n 1 1 m n
        Scale o 1 1 n o 0=4 1=1
        Convolution p 1 1 o out 0=3 1=3 5=1 6=108
        """, [("half", 108), ("raw", 4), ("raw", 4), ("raw", 4), ("positive", 4), ("raw", 4), ("raw", 4), ("raw", 4),
              ("raw", 4), ("raw", 4), ("half", 108), ("raw", 3)])
    case("shapes: slices, concatenation, permutation, squeezing, reduction", """
        Input data 0 1 data
        Convolution a 1 1 data a 0=6 1=3 4=1 5=1 6=162
        Split s 1 3 a a0 a1 a2
        Slice b 1 3 a0 b0 b1 b2 -23300=3,2,-233,-233 1=0
        Concat c 3 1 b2 b0 b1 c 0=0
        Permute d 1 1 c d 0=1
        Permute e 1 1 d e 0=1
        Reduction f 1 1 a1 f 0=3 1=0 -23303=1,0 4=0 5=1
        ExpandDims g 1 1 f g -23303=1,0
        BinaryOp h 2 1 e g h 0=1
        Reduction i 1 1 a2 i 0=4 1=0 -23303=2,1,2 4=1 5=1
        BinaryOp j 2 1 h i j 0=4
        BinaryOp k 1 1 j k 0=7 1=1 2=1.250000e+00
        MemoryData l 0 1 l 0=1 1=1 2=6
        BinaryOp m 2 1 k l m 0=2
        Convolution n 1 1 m out 0=3 1=1 5=1 6=18
        """, [("half", 162), ("raw", 6), ("raw", 6), ("half", 18), ("raw", 3)])
    case("pooling and bilinear resizing", """
        Input data 0 1 data
        Pooling a 1 1 data a 0=0 1=3 2=2 3=1 5=1
        Split t 1 2 a a0 a1
        Pooling b 1 1 a0 b 0=1 1=2 2=2 5=0
        Interp c 1 1 b c 0=2 1=4.000000e+00 2=4.000000e+00
        Split s 1 2 c c0 c1
        Interp d 2 1 a1 c0 d 0=2 5=1 6=1
        BinaryOp e 2 1 d c1 out 0=4
        """, [], card="multiple 4")
    case("grouped deconvolution with output padding", """
        Input data 0 1 data
        Convolution a 1 1 data a 0=4 1=1 5=0 6=12
        DeconvolutionDepthWise b 1 1 a b 0=6 1=3 3=2 4=1 18=1 19=1 5=1 6=108 7=2
        Convolution c 1 1 b out 0=3 1=3 4=1 5=1 6=162
        """, [("half", 12), ("half", 108), ("raw", 6), ("half", 162), ("raw", 3)], card="scale 2")


if __name__ == "__main__":
    print("# Made by import_ncnn_reference.py: small networks, and what ncnn makes of them.\n")
    cases()
