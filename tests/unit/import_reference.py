#!/usr/bin/env python3
"""Writes import_cases.txt: small networks of every architecture that is imported, and what PyTorch makes of them.

Run it where torch is installed (the numbers in the repository are from torch 2.5.1): import_reference.py > import_cases.txt
Each network below is written anew after its authors' public code, with the same names of its tensors. Weights and
inputs are random numbers told by their names alone (onnx_fixture.h: fixture_random), so that the C test makes them too.
"""
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from import_reference_numbers import numbers

SAMPLES = 24


def spread(name, shape):
    """Scale and offset of a tensor's numbers: what keeps a network's values in a useful range."""
    if name.endswith("running_var"):
        return 0.5, 1.0
    if len(shape) <= 1:
        return 0.25, 1.0 if name.endswith("weight") else 0.0
    return 1.5 / math.sqrt(math.prod(shape[1:])), 0.0


def fill(module, special={}):
    lines = []
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            scale, offset = special.get(name) or spread(name, tensor.shape)
            scale = float(np.float32("%.6f" % scale))
            offset = float(np.float32(offset))
            values = np.float32(offset) + np.float32(scale) * numbers(name, tensor.numel())
            tensor.copy_(torch.from_numpy(values).reshape(tensor.shape))
            lines.append("tensor %s %.6f %g %s" % (name, scale, offset, " ".join(map(str, tensor.shape))))
    return lines


def case(title, arch, module, inputs, special={}, card=""):
    """inputs: name -> (low, high, dims...)"""
    module.eval()
    lines = ["case " + title, "arch " + arch] + fill(module, special)
    tensors = []
    for name, (low, high, *dims) in inputs.items():
        values = (numbers(name, math.prod(dims)) + np.float32(1)) * np.float32((high - low) / 2) + np.float32(low)
        tensors.append(torch.from_numpy(values).reshape(dims))
        lines.append("input %s %g %g %s" % (name, low, high, " ".join(map(str, dims))))
    with torch.no_grad():
        out = module(*tensors)
    flat = out.reshape(-1).numpy()
    at = [i * len(flat) // SAMPLES for i in range(SAMPLES)]
    lines.append("output %s" % " ".join(map(str, out.shape)))
    lines.append("card " + card)
    lines.append("values " + " ".join("%.6g" % flat[i] for i in at))
    lines.append("range %.6g %.6g" % (flat.min(), flat.max()))
    print("\n".join(lines) + "\n")


# ---- super-resolution ----


class SRVGG(nn.Module):
    def __init__(self, feat, convs, scale):
        super().__init__()
        self.scale = scale
        layers = [nn.Conv2d(3, feat, 3, 1, 1), nn.PReLU(feat)]
        for _ in range(convs):
            layers += [nn.Conv2d(feat, feat, 3, 1, 1), nn.PReLU(feat)]
        layers.append(nn.Conv2d(feat, 3 * scale * scale, 3, 1, 1))
        self.body = nn.ModuleList(layers)

    def forward(self, x):
        y = x
        for layer in self.body:
            y = layer(y)
        return F.pixel_shuffle(y, self.scale) + F.interpolate(x, scale_factor=self.scale, mode="nearest")


class RDB(nn.Module):
    def __init__(self, feat, grow):
        super().__init__()
        for i in range(5):
            out = feat if i == 4 else grow
            setattr(self, "conv%d" % (i + 1), nn.Conv2d(feat + i * grow, out, 3, 1, 1))

    def forward(self, x):
        parts = [x]
        for i in range(4):
            parts.append(F.leaky_relu(getattr(self, "conv%d" % (i + 1))(torch.cat(parts, 1)), 0.2))
        return self.conv5(torch.cat(parts, 1)) * 0.2 + x


class RRDB(nn.Module):
    def __init__(self, feat, grow):
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = RDB(feat, grow), RDB(feat, grow), RDB(feat, grow)

    def forward(self, x):
        return self.rdb3(self.rdb2(self.rdb1(x))) * 0.2 + x


class RRDBNet(nn.Module):
    def __init__(self, feat, grow, blocks, fold):
        super().__init__()
        self.fold = fold
        self.conv_first = nn.Conv2d(3 * fold * fold, feat, 3, 1, 1)
        self.body = nn.Sequential(*[RRDB(feat, grow) for _ in range(blocks)])
        self.conv_body = nn.Conv2d(feat, feat, 3, 1, 1)
        self.conv_up1 = nn.Conv2d(feat, feat, 3, 1, 1)
        self.conv_up2 = nn.Conv2d(feat, feat, 3, 1, 1)
        self.conv_hr = nn.Conv2d(feat, feat, 3, 1, 1)
        self.conv_last = nn.Conv2d(feat, 3, 3, 1, 1)

    def forward(self, x):
        y = F.pixel_unshuffle(x, self.fold) if self.fold > 1 else x
        y = self.conv_first(y)
        y = y + self.conv_body(self.body(y))
        y = F.leaky_relu(self.conv_up1(F.interpolate(y, scale_factor=2)), 0.2)
        y = F.leaky_relu(self.conv_up2(F.interpolate(y, scale_factor=2)), 0.2)
        return self.conv_last(F.leaky_relu(self.conv_hr(y), 0.2))


class Renamed(nn.Module):
    """The same network under older names of its tensors."""

    def __init__(self, inner, rules):
        super().__init__()
        self.inner, self.rules = inner, rules

    def state_dict(self, *args, **kwargs):
        out = {}
        for name, tensor in self.inner.state_dict().items():
            for old, new in self.rules:
                name = name.replace(old, new)
            out[name] = tensor
        return out

    def forward(self, *x):
        return self.inner(*x)


TRUNK = [("conv_body", "trunk_conv"), ("body.", "RRDB_trunk."), ("rdb", "RDB"), ("conv_up", "upconv"), ("conv_hr", "HRconv")]


def super_resolution():
    image = {"image": (0, 1, 1, 3, 6, 8)}
    case("srvgg x2", "srvgg", SRVGG(4, 2, 2), image, card="scale 2")
    case("srvgg x1", "srvgg", SRVGG(4, 1, 1), image, card="scale 1")
    case("rrdb x4", "rrdb", RRDBNet(6, 3, 2, 1), image, card="scale 4")
    case("rrdb x2", "rrdb", RRDBNet(6, 3, 1, 2), image, card="scale 2 multiple 4")
    case("rrdb x1", "rrdb", RRDBNet(6, 3, 1, 4), {"image": (0, 1, 1, 3, 8, 12)}, card="scale 1 multiple 4")
    case("rrdb of the first release", "rrdb-trunk", Renamed(RRDBNet(6, 3, 1, 1), TRUNK), image, card="scale 4")


if __name__ == "__main__":
    torch.set_num_threads(1)
    print("# Made by import_reference.py: small networks, and what PyTorch makes of them.\n")
    super_resolution()
