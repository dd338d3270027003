"""What ncnn makes of a picture: public_models_ncnn.py MODEL.param MODEL.bin BORDER <IN.ppm >OUT.ppm

The picture is surrounded by BORDER repeated rows and columns, as waifu2x's networks want it.
"""
import sys

import ncnn
import numpy as np


def main(param, weights, border):
    data = sys.stdin.buffer.read()
    magic, width, height, top, rest = data.split(maxsplit=4)[:5]
    assert magic == b"P6" and top == b"255"
    size = int(width) * int(height) * 3
    picture = np.frombuffer(data[-size:], np.uint8).reshape(int(height), int(width), 3)
    planes = (picture.transpose(2, 0, 1) / np.float32(255)).astype(np.float32)
    planes = np.ascontiguousarray(np.pad(planes, ((0, 0), (border, border), (border, border)), mode="edge"))
    net = ncnn.Net()
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = net.opt.use_bf16_storage = False
    assert net.load_param(param) == 0 and net.load_model(weights) == 0
    extractor = net.create_extractor()
    extractor.input(net.input_names()[0], ncnn.Mat(planes).clone())
    code, out = extractor.extract(net.output_names()[0])
    assert code == 0
    out = np.floor(np.clip(np.array(out) * 255, 0, 255) + 0.5).astype(np.uint8).transpose(1, 2, 0)
    sys.stdout.buffer.write(b"P6\n%d %d\n255\n" % (out.shape[1], out.shape[0]) + out.tobytes())


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
