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
from torch.nn.utils import spectral_norm

from import_reference_numbers import numbers

SAMPLES = 24


def spread(name, shape):
    """Scale and offset of a tensor's numbers: what keeps a network's values in a useful range."""
    if name.endswith(("running_var", "running_vars", "stored_var")):
        return 0.5, 1.0
    if name.endswith((".u0", ".gain")):
        return 0.25, 1.0
    if name.endswith(("weight_u", "weight_v")):  # near unit length, so that the norm is not near 0
        return 0.3 / math.sqrt(shape[0]), 1 / math.sqrt(shape[0])
    if name.endswith("weight_orig"):
        return 1.5 / math.sqrt(math.prod(shape[1:])), 0.5 / math.sqrt(math.prod(shape[1:]))
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
            offset = float(np.float32("%g" % offset))
            values = np.float32(offset) + np.float32(scale) * numbers(name, tensor.numel())
            tensor.copy_(torch.from_numpy(values).reshape(tensor.shape))
            lines.append("tensor %s %.6f %g %s" % (name, scale, offset, " ".join(map(str, tensor.shape))))
    return lines


def case(title, arch, module, inputs, special={}, card="", second=None, pictures=[]):
    """inputs: name -> (low, high, dims...); second: a module of the second file; pictures: (name, width, height)"""
    module.eval()
    lines = ["case " + title, "arch " + arch] + fill(module, special)
    lines += ["second " + line for line in fill(second)] if second else []
    lines += ["picture %s %d %d" % picture for picture in pictures]
    tensors = []
    for name, (low, high, *dims) in inputs.items():
        values = (numbers(name, math.prod(dims)) + np.float32(1)) * np.float32((high - low) / 2) + np.float32(low)
        whole = name == "codes"
        tensors.append(torch.from_numpy(values.astype(np.int64) if whole else values).reshape(dims))
        kind = "codes" if whole else "input"
        lines.append("%s %s %g %g %s" % (kind, name, low, high, " ".join(map(str, dims))))
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


# ---- image to image ----


class UnetBlock(nn.Module):
    """One level of pix2pix's U-Net around the next."""

    def __init__(self, outer, inner, inside=None, outermost=False, innermost=False, batch=True, channels=None):
        super().__init__()
        bias = not batch
        norm = (lambda n: nn.BatchNorm2d(n)) if batch else (lambda n: nn.InstanceNorm2d(n))
        down = nn.Conv2d(channels or outer, inner, 4, 2, 1, bias=bias)
        self.outermost = outermost
        if outermost:
            up = nn.ConvTranspose2d(inner * 2, outer, 4, 2, 1)
            layers = [down, inside, nn.ReLU(), up, nn.Tanh()]
        elif innermost:
            up = nn.ConvTranspose2d(inner, outer, 4, 2, 1, bias=bias)
            layers = [nn.LeakyReLU(0.2), down, nn.ReLU(), up, norm(outer)]
        else:
            up = nn.ConvTranspose2d(inner * 2, outer, 4, 2, 1, bias=bias)
            layers = [nn.LeakyReLU(0.2), down, norm(inner), inside, nn.ReLU(), up, norm(outer)]
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


class Unet(nn.Module):
    def __init__(self, batch):
        super().__init__()
        block = UnetBlock(6, 8, innermost=True, batch=batch)
        block = UnetBlock(4, 6, block, batch=batch)
        self.model = UnetBlock(3, 4, block, outermost=True, batch=batch)

    def forward(self, x):
        return self.model(x)


class ResBlock(nn.Module):
    def __init__(self, dim, norm, bias, dropout, zeros=False):
        super().__init__()
        layers = []
        for i in range(2):
            layers += [] if zeros else [nn.ReflectionPad2d(1)]
            layers += [nn.Conv2d(dim, dim, 3, padding=1 if zeros else 0, bias=bias), norm(dim)]
            if i == 0:
                layers += [nn.ReLU()] + ([nn.Dropout(0.5)] if dropout else [])
        self.conv_block = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.conv_block(x)


class Blur(nn.Module):
    def __init__(self, channels, up):
        super().__init__()
        row = torch.tensor([1.0, 3, 3, 1] if up else [1.0, 2, 1])
        filt = row[:, None] * row[None]
        filt = filt / filt.sum() * (4 if up else 1)
        self.up = up
        self.register_buffer("filt", filt[None, None].repeat(channels, 1, 1, 1))

    def forward(self, x):
        if not self.up:
            return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), self.filt, stride=2, groups=x.shape[1])
        y = F.pad(x, (1, 1, 1, 1), mode="replicate")
        y = F.conv_transpose2d(y, self.filt, stride=2, padding=2, groups=x.shape[1])
        return y[:, :, 1:, 1:][:, :, :-1, :-1]


class Resnet(nn.Module):
    def __init__(self, batch, blurred, dropout=False, blocks=2, zeros=False):
        super().__init__()
        norm = (lambda n: nn.BatchNorm2d(n)) if batch else (lambda n: nn.InstanceNorm2d(n))
        bias = not batch
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(3, 4, 7, bias=bias), norm(4), nn.ReLU()]
        for i in range(2):
            n = 4 << i
            layers += [nn.Conv2d(n, 2 * n, 3, 1 if blurred else 2, 1, bias=bias), norm(2 * n), nn.ReLU()]
            layers += [Blur(2 * n, False)] if blurred else []
        layers += [ResBlock(16, norm, bias, dropout, zeros) for _ in range(blocks)]
        for i in range(2):
            n = 16 >> i
            if blurred:
                layers += [Blur(n, True), nn.Conv2d(n, n // 2, 3, 1, 1, bias=bias)]
            else:
                layers += [nn.ConvTranspose2d(n, n // 2, 3, 2, 1, 1, bias=bias)]
            layers += [norm(n // 2), nn.ReLU()]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(4, 3, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x)


def image_to_image():
    picture = {"image": (-1, 1, 1, 3, 16, 24)}
    card = "scale 1 low -1 high 1 multiple "
    case("pix2pix, batch normalisation", "pix2pix", Unet(True), picture, card=card + "8")
    case("pix2pix, instance normalisation", "pix2pix", Unet(False), picture, card=card + "8")
    case("cyclegan, instance normalisation", "cyclegan", Resnet(False, False), picture, card=card + "4")
    case("cyclegan, batch normalisation and dropout", "cyclegan", Resnet(True, False, True), picture, card=card + "4")
    case("cyclegan, zeros around", "cyclegan-zeros", Resnet(False, False, zeros=True), picture, card=card + "4")
    case("cut, blurred", "cut", Resnet(False, True), picture, card=card + "4")


# ---- stylisation ----


class ReflectConv(nn.Module):
    def __init__(self, cin, cout, size, stride, up=1):
        super().__init__()
        self.up, self.border = up, size // 2
        self.conv2d = nn.Conv2d(cin, cout, size, stride)

    def forward(self, x):
        if self.up > 1:
            x = F.interpolate(x, mode="nearest", scale_factor=self.up)
        return self.conv2d(F.pad(x, (self.border,) * 4, mode="reflect"))


class StyleBlock(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.conv1, self.in1 = ReflectConv(n, n, 3, 1), nn.InstanceNorm2d(n, affine=True)
        self.conv2, self.in2 = ReflectConv(n, n, 3, 1), nn.InstanceNorm2d(n, affine=True)

    def forward(self, x):
        return self.in2(self.conv2(F.relu(self.in1(self.conv1(x))))) + x


class FastStyle(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.in1 = ReflectConv(3, 4, 9, 1), nn.InstanceNorm2d(4, affine=True)
        self.conv2, self.in2 = ReflectConv(4, 6, 3, 2), nn.InstanceNorm2d(6, affine=True)
        self.conv3, self.in3 = ReflectConv(6, 8, 3, 2), nn.InstanceNorm2d(8, affine=True)
        for i in range(1, 6):
            setattr(self, "res%d" % i, StyleBlock(8))
        self.deconv1, self.in4 = ReflectConv(8, 6, 3, 1, 2), nn.InstanceNorm2d(6, affine=True)
        self.deconv2, self.in5 = ReflectConv(6, 4, 3, 1, 2), nn.InstanceNorm2d(4, affine=True)
        self.deconv3 = ReflectConv(4, 3, 9, 1)

    def forward(self, x):
        for i in range(1, 4):
            x = F.relu(getattr(self, "in%d" % i)(getattr(self, "conv%d" % i)(x)))
        for i in range(1, 6):
            x = getattr(self, "res%d" % i)(x)
        x = F.relu(self.in5(self.deconv2(F.relu(self.in4(self.deconv1(x))))))
        return self.deconv3(x)


class CartoonNorm(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.empty(n)), nn.Parameter(torch.empty(n))

    def forward(self, x):
        mean = x.mean((2, 3), keepdim=True)
        var = x.var((2, 3), unbiased=False, keepdim=True)
        return (x - mean) / torch.sqrt(var + 1e-9) * self.scale[:, None, None] + self.shift[:, None, None]


class Cartoon(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv01_1, self.in01_1 = nn.Conv2d(3, 4, 7), CartoonNorm(4)
        self.conv02_1, self.conv02_2, self.in02_1 = nn.Conv2d(4, 6, 3, 2, 1), nn.Conv2d(6, 6, 3, 1, 1), CartoonNorm(6)
        self.conv03_1, self.conv03_2, self.in03_1 = nn.Conv2d(6, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 1, 1), CartoonNorm(8)
        for i in range(4, 12):
            for k in (1, 2):
                setattr(self, "conv%02d_%d" % (i, k), nn.Conv2d(8, 8, 3))
                setattr(self, "in%02d_%d" % (i, k), CartoonNorm(8))
        self.deconv01_1, self.deconv01_2 = nn.ConvTranspose2d(8, 6, 3, 2, 1, 1), nn.Conv2d(6, 6, 3, 1, 1)
        self.deconv02_1, self.deconv02_2 = nn.ConvTranspose2d(6, 4, 3, 2, 1, 1), nn.Conv2d(4, 4, 3, 1, 1)
        self.in12_1, self.in13_1 = CartoonNorm(6), CartoonNorm(4)
        self.deconv03_1 = nn.Conv2d(4, 3, 7)

    def forward(self, x):
        get = lambda name: getattr(self, name)
        around = lambda y, n: F.pad(y, (n,) * 4, mode="reflect")
        x = F.relu(self.in01_1(self.conv01_1(around(x, 3))))
        for i in (2, 3):
            x = F.relu(get("in%02d_1" % i)(get("conv%02d_2" % i)(get("conv%02d_1" % i)(x))))
        for i in range(4, 12):
            y = F.relu(get("in%02d_1" % i)(get("conv%02d_1" % i)(around(x, 1))))
            x = get("in%02d_2" % i)(get("conv%02d_2" % i)(around(y, 1))) + x
        for i in (1, 2):
            x = F.relu(get("in%d_1" % (11 + i))(get("deconv%02d_2" % i)(get("deconv%02d_1" % i)(x))))
        return torch.tanh(self.deconv03_1(around(x, 3)))


class AnimeConv(nn.Sequential):
    def __init__(self, cin, cout, size=3, stride=1, padding=1, groups=1, bias=False):
        super().__init__(nn.ReflectionPad2d(padding), nn.Conv2d(cin, cout, size, stride, 0, groups=groups, bias=bias),
                         nn.GroupNorm(1, cout), nn.LeakyReLU(0.2))


class AnimeBlock(nn.Module):
    def __init__(self, cin, cout, ratio):
        super().__init__()
        self.same = cin == cout
        wide = round(cin * ratio)
        layers = [AnimeConv(cin, wide, 1, padding=0)] if ratio != 1 else []
        layers += [AnimeConv(wide, wide, groups=wide, bias=True), nn.Conv2d(wide, cout, 1, bias=False),
                   nn.GroupNorm(1, cout)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.layers(x) if self.same else self.layers(x)


class Anime(nn.Module):
    def __init__(self):
        super().__init__()
        half = (0, 1, 0, 1)
        self.block_a = nn.Sequential(AnimeConv(3, 4, 7, padding=3), AnimeConv(4, 6, stride=2, padding=half), AnimeConv(6, 6))
        self.block_b = nn.Sequential(AnimeConv(6, 8, stride=2, padding=half), AnimeConv(8, 8))
        self.block_c = nn.Sequential(AnimeConv(8, 8), AnimeBlock(8, 12, 2), AnimeBlock(12, 12, 2), AnimeBlock(12, 12, 2),
                                     AnimeBlock(12, 12, 2), AnimeConv(12, 8))
        self.block_d = nn.Sequential(AnimeConv(8, 8), AnimeConv(8, 8))
        self.block_e = nn.Sequential(AnimeConv(8, 6), AnimeConv(6, 6), AnimeConv(6, 4, 7, padding=3))
        self.out_layer = nn.Sequential(nn.Conv2d(4, 3, 1, bias=False), nn.Tanh())

    def forward(self, x):
        y = self.block_a(x)
        size = y.shape[-2:]
        y = F.interpolate(self.block_c(self.block_b(y)), size, mode="bilinear", align_corners=True)
        y = F.interpolate(self.block_d(y), x.shape[-2:], mode="bilinear", align_corners=True)
        return self.out_layer(self.block_e(y))


def stylisation():
    case("fast neural style", "fast-neural-style", FastStyle(), {"image": (0, 255, 1, 3, 16, 24)},
         card="scale 1 low 0 high 255 multiple 4")
    picture = {"image": (-1, 1, 1, 3, 16, 24)}
    case("cartoongan", "cartoongan", Cartoon(), picture, card="scale 1 low -1 high 1 bgr 1 multiple 4")
    case("animeganv2", "animeganv2", Anime(), picture, card="scale 1 low -1 high 1 multiple 4")


# ---- from a latent ----


class DCGAN(nn.Module):
    def __init__(self):
        super().__init__()
        layers, n = [], 12
        for i, cout in enumerate([8, 6, 4]):
            layers += [nn.ConvTranspose2d(n, cout, 4, 2 if i else 1, 1 if i else 0, bias=False), nn.BatchNorm2d(cout), nn.ReLU()]
            n = cout
        self.main = nn.Sequential(*layers, nn.ConvTranspose2d(n, 3, 4, 2, 1, bias=False), nn.Tanh())

    def forward(self, z):
        return self.main(z)


def fir(x, kernel, up, before, after):
    n, c, h, w = x.shape
    y = x.new_zeros(n, c, h * up, w * up)
    y[:, :, ::up, ::up] = x
    y = F.pad(y, (before, after, before, after))
    return F.conv2d(y, kernel.flip(0, 1)[None, None].repeat(c, 1, 1, 1), groups=c)


class Kernel(nn.Module):
    def __init__(self):
        super().__init__()
        row = torch.tensor([1.0, 3, 3, 1])
        self.register_buffer("kernel", row[:, None] * row[None] / 64 * 4)


class EqualLinear(nn.Module):
    def __init__(self, cin, cout, rate=1.0):
        super().__init__()
        self.rate, self.weight, self.bias = rate, nn.Parameter(torch.empty(cout, cin)), nn.Parameter(torch.empty(cout))

    def forward(self, x):
        return F.linear(x, self.weight * (self.rate / math.sqrt(self.weight.shape[1])), self.bias * self.rate)


class Modulated(nn.Module):
    def __init__(self, cin, cout, size, style, up=False, demodulate=True):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(1, cout, cin, size, size))
        self.modulation = EqualLinear(style, cin)
        self.up, self.demodulate = up, demodulate
        if up:
            self.blur = Kernel()

    def forward(self, x, w):
        _, cout, cin, size, _ = self.weight.shape
        n = x.shape[0]
        weight = self.weight / math.sqrt(cin * size * size) * self.modulation(w).reshape(n, 1, cin, 1, 1)
        if self.demodulate:
            weight = weight * torch.rsqrt(weight.square().sum((2, 3, 4), keepdim=True) + 1e-8)
        x = x.reshape(1, n * cin, *x.shape[2:])
        if self.up:
            weight = weight.transpose(1, 2).reshape(n * cin, cout, size, size)
            y = F.conv_transpose2d(x, weight, stride=2, groups=n)
            return fir(y.reshape(n, cout, *y.shape[2:]), self.blur.kernel, 1, 1, 1)
        y = F.conv2d(x, weight.reshape(n * cout, cin, size, size), padding=size // 2, groups=n)
        return y.reshape(n, cout, *y.shape[2:])


class Styled(nn.Module):
    def __init__(self, cin, cout, style, up=False):
        super().__init__()
        self.conv = Modulated(cin, cout, 3, style, up)
        self.noise = nn.Module()
        self.noise.weight = nn.Parameter(torch.empty(1))
        self.activate = nn.Module()
        self.activate.bias = nn.Parameter(torch.empty(cout))

    def forward(self, x, w, noise):
        y = self.conv(x, w) + self.noise.weight * noise
        return F.leaky_relu(y + self.activate.bias[:, None, None], 0.2) * math.sqrt(2)


class ToRGB(nn.Module):
    def __init__(self, cin, style, up):
        super().__init__()
        self.bias = nn.Parameter(torch.empty(1, 3, 1, 1))
        self.conv = Modulated(cin, 3, 1, style, demodulate=False)
        if up:
            self.upsample = Kernel()

    def forward(self, x, w, skip=None):
        y = self.conv(x, w) + self.bias
        return y if skip is None else y + fir(skip, self.upsample.kernel, 2, 2, 1)


class StyleGAN2(nn.Module):
    def __init__(self, style=8, widths=(8, 6, 4)):
        super().__init__()
        self.style = nn.Sequential(nn.Identity(), *[EqualLinear(style, style, 0.01) for _ in range(3)])
        self.input = nn.Module()
        self.input.input = nn.Parameter(torch.empty(1, widths[0], 4, 4))
        self.conv1, self.to_rgb1 = Styled(widths[0], widths[0], style), ToRGB(widths[0], style, False)
        convs, rgbs = [], []
        self.noises = nn.Module()
        self.noises.register_buffer("noise_0", torch.empty(1, 1, 4, 4))
        for i in range(1, len(widths)):
            convs += [Styled(widths[i - 1], widths[i], style, True), Styled(widths[i], widths[i], style)]
            rgbs.append(ToRGB(widths[i], style, True))
            for k in (1, 2):
                self.noises.register_buffer("noise_%d" % (2 * i - 2 + k), torch.empty(1, 1, 4 << i, 4 << i))
        self.convs, self.to_rgbs = nn.ModuleList(convs), nn.ModuleList(rgbs)

    def forward(self, z, *noise):
        w = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
        for layer in self.style[1:]:
            w = F.leaky_relu(layer(w), 0.2) * math.sqrt(2)
        x = self.conv1(self.input.input.repeat(z.shape[0], 1, 1, 1), w, noise[0])
        picture = self.to_rgb1(x, w)
        for i, rgb in enumerate(self.to_rgbs):
            x = self.convs[2 * i](x, w, noise[2 * i + 1])
            x = self.convs[2 * i + 1](x, w, noise[2 * i + 2])
            picture = rgb(x, w, picture)
        return picture


def latents():
    case("dcgan", "dcgan", DCGAN(), {"latent": (-1, 1, 1, 12, 1, 1)}, card="scale 1 low -1 high 1 fixed 1")
    model = StyleGAN2()
    special = {}
    for n, t in model.state_dict().items():
        if n.endswith("weight") and (t.dim() == 5 or t.dim() == 2):
            special[n] = (100.0, 0.0) if n.startswith("style") else (1.0, 0.0)
        if n.endswith("modulation.bias"):
            special[n] = (0.25, 1.0)
    noise = {"noise_%d" % i: (-1, 1, 1, 1, 4 << (i + 1) // 2, 4 << (i + 1) // 2) for i in range(5)}
    case("stylegan2", "stylegan2", model, {"latent": (-1, 1, 1, 8), **noise}, special,
         card="scale 1 low -1 high 1 fixed 1")


class BigNorm(nn.Module):
    def __init__(self, n, condition=None, rows=3):
        super().__init__()
        self.register_buffer("running_means", torch.zeros(rows, n))
        self.register_buffer("running_vars", torch.ones(rows, n))
        self.condition = condition
        if condition:
            self.scale = spectral_norm(nn.Linear(condition, n, bias=False), eps=1e-4)
            self.offset = spectral_norm(nn.Linear(condition, n, bias=False), eps=1e-4)
        else:
            self.weight, self.bias = nn.Parameter(torch.empty(n)), nn.Parameter(torch.empty(n))

    def forward(self, x, condition=None):
        mean, var = self.running_means[-1][:, None, None], self.running_vars[-1][:, None, None]
        x = (x - mean) / torch.sqrt(var + 1e-4)
        if self.condition:
            return x * (1 + self.scale(condition)[:, :, None, None]) + self.offset(condition)[:, :, None, None]
        return x * self.weight[:, None, None] + self.bias[:, None, None]


class BigBlock(nn.Module):
    def __init__(self, cin, cout, condition, up):
        super().__init__()
        self.up, middle = up, cin // 4
        sizes = [(cin, middle, 1), (middle, middle, 3), (middle, middle, 3), (middle, cout, 1)]
        for i, (a, b, k) in enumerate(sizes):
            setattr(self, "bn_%d" % i, BigNorm(a, condition))
            setattr(self, "conv_%d" % i, spectral_norm(nn.Conv2d(a, b, k, padding=k // 2), eps=1e-4))

    def forward(self, x, condition):
        y = x
        for i in range(4):
            y = F.relu(getattr(self, "bn_%d" % i)(y, condition))
            if i == 1 and self.up:
                y = F.interpolate(y, scale_factor=2, mode="nearest")
            y = getattr(self, "conv_%d" % i)(y)
        x = x[:, :y.shape[1]]
        return y + (F.interpolate(x, scale_factor=2, mode="nearest") if self.up else x)


class BigAttention(nn.Module):
    def __init__(self, n):
        super().__init__()
        conv = lambda a, b: spectral_norm(nn.Conv2d(a, b, 1, bias=False), eps=1e-4)
        self.snconv1x1_theta, self.snconv1x1_phi = conv(n, n // 8), conv(n, n // 8)
        self.snconv1x1_g, self.snconv1x1_o_conv = conv(n, n // 2), conv(n // 2, n)
        self.gamma = nn.Parameter(torch.empty(1))

    def forward(self, x):
        n, c, h, w = x.shape
        theta = self.snconv1x1_theta(x).reshape(n, c // 8, h * w)
        phi = F.max_pool2d(self.snconv1x1_phi(x), 2).reshape(n, c // 8, h * w // 4)
        g = F.max_pool2d(self.snconv1x1_g(x), 2).reshape(n, c // 2, h * w // 4)
        weights = torch.softmax(torch.bmm(theta.permute(0, 2, 1), phi), -1)
        seen = torch.bmm(g, weights.permute(0, 2, 1)).reshape(n, c // 2, h, w)
        return x + self.gamma * self.snconv1x1_o_conv(seen)


class BigGAN(nn.Module):
    def __init__(self, z=6, classes=5):
        super().__init__()
        self.embeddings = nn.Linear(classes, z, bias=False)
        self.generator = nn.Module()
        self.generator.gen_z = spectral_norm(nn.Linear(2 * z, 4 * 4 * 16), eps=1e-4)
        blocks = [BigBlock(16, 16, 2 * z, False), BigBlock(16, 8, 2 * z, True), BigAttention(8),
                  BigBlock(8, 8, 2 * z, False), BigBlock(8, 4, 2 * z, True)]
        self.generator.layers = nn.ModuleList(blocks)
        self.generator.bn = BigNorm(4)
        self.generator.conv_to_rgb = spectral_norm(nn.Conv2d(4, 4, 3, padding=1), eps=1e-4)

    def forward(self, z, label):
        condition = torch.cat((z, self.embeddings(label)), 1)
        x = self.generator.gen_z(condition).reshape(-1, 4, 4, 16).permute(0, 3, 1, 2)
        for layer in self.generator.layers:
            x = layer(x) if isinstance(layer, BigAttention) else layer(x, condition)
        x = self.generator.conv_to_rgb(F.relu(self.generator.bn(x)))
        return torch.tanh(x[:, :3])


class Gate(nn.Module):
    def forward(self, x):
        a, b = x.chunk(2, 1)
        return a * torch.sigmoid(b)


class FastNoise(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight, self.map = nn.Parameter(torch.empty(1)), None

    def forward(self, x):
        return x + self.weight * self.map


class FastGAN(nn.Module):
    def __init__(self, z=5):
        super().__init__()
        n = {4: 8, 8: 6, 16: 6, 32: 4, 64: 4, 128: 2, 256: 2}
        conv = lambda *a: spectral_norm(nn.Conv2d(*a, bias=False))
        self.init = nn.Module()
        first = spectral_norm(nn.ConvTranspose2d(z, n[4] * 2, 4, 1, 0, bias=False))
        self.init.init = nn.Sequential(first, nn.BatchNorm2d(n[4] * 2), Gate())
        for side in (8, 16, 32, 64, 128, 256):
            cin, cout, noisy = n[side // 2], n[side], side in (8, 32, 128)
            layers = [nn.Upsample(scale_factor=2, mode="nearest"), conv(cin, cout * 2, 3, 1, 1)]
            layers += ([FastNoise()] if noisy else []) + [nn.BatchNorm2d(cout * 2), Gate()]
            if noisy:
                layers += [conv(cout, cout * 2, 3, 1, 1), FastNoise(), nn.BatchNorm2d(cout * 2), Gate()]
            setattr(self, "feat_%d" % side, nn.Sequential(*layers))
        for side in (64, 128, 256):
            block = nn.Module()
            block.main = nn.Sequential(nn.AdaptiveAvgPool2d(4), conv(n[side // 16], n[side], 4, 1, 0), nn.SiLU(),
                                       conv(n[side], n[side], 1, 1, 0), nn.Sigmoid())
            setattr(self, "se_%d" % side, block)
        self.to_128, self.to_big = conv(n[128], 3, 1, 1, 0), conv(n[256], 3, 3, 1, 1)

    def forward(self, z, *noise):
        for module, values in zip([m for m in self.modules() if isinstance(m, FastNoise)], noise):
            module.map = values
        maps = {4: self.init.init(z)}
        for side in (8, 16, 32, 64, 128, 256):
            x = getattr(self, "feat_%d" % side)(maps[side // 2])
            if side >= 64:
                x = x * getattr(self, "se_%d" % side).main(maps[side // 16])
            maps[side] = x
        return self.to_big(maps[256])


def large_latents():
    case("biggan-deep", "biggan-deep", BigGAN(), {"latent": (-1, 1, 1, 6), "label": (0, 1, 1, 5)},
         card="scale 1 low -1 high 1 fixed 1")
    noise = {"noise_%d" % i: (-1, 1, 1, 1, s, s) for i, s in enumerate((8, 8, 32, 32, 128, 128))}
    case("fastgan", "fastgan", FastGAN(), {"latent": (-1, 1, 1, 5, 1, 1), **noise}, card="scale 1 low -1 high 1 fixed 1")


class AdaLayer(nn.Module):
    def __init__(self, cin, cout, style, side=0, size=3):
        super().__init__()
        self.affine = EqualLinear(style, cin)
        self.weight, self.bias = nn.Parameter(torch.empty(cout, cin, size, size)), nn.Parameter(torch.empty(cout))
        if side:
            self.noise_strength = nn.Parameter(torch.empty([]))
            self.register_buffer("noise_const", torch.empty(side, side))
            self.register_buffer("resample_filter", torch.empty(4, 4))

    def forward(self, x, w, noise=None, up=False):
        cout, cin, size, _ = self.weight.shape
        n, gain = x.shape[0], 1 if noise is not None else 1 / math.sqrt(cin * size * size)
        weight = self.weight * (self.affine(w) * gain).reshape(n, 1, cin, 1, 1)
        if noise is None:
            y = F.conv2d(x.reshape(1, n * cin, *x.shape[2:]), weight.reshape(n * cout, cin, size, size), groups=n)
            return y.reshape(n, cout, *x.shape[2:]) + self.bias[:, None, None]
        weight = weight * torch.rsqrt(weight.square().sum((2, 3, 4), keepdim=True) + 1e-8)
        x = x.reshape(1, n * cin, *x.shape[2:])
        if up:
            y = F.conv_transpose2d(x, weight.transpose(1, 2).reshape(n * cin, cout, size, size), stride=2, groups=n)
            y = fir(y.reshape(n, cout, *y.shape[2:]), self.resample_filter * 4, 1, 1, 1)
        else:
            y = F.conv2d(x, weight.reshape(n * cout, cin, size, size), padding=1, groups=n)
            y = y.reshape(n, cout, *y.shape[2:])
        return F.leaky_relu(y + noise * self.noise_strength + self.bias[:, None, None], 0.2) * math.sqrt(2)


class StyleGAN2Ada(nn.Module):
    def __init__(self, style=8, widths=(8, 6, 4)):
        super().__init__()
        self.mapping, self.synthesis = nn.Module(), nn.Module()
        for i in range(2):
            setattr(self.mapping, "fc%d" % i, EqualLinear(style, style, 0.01))
        self.mapping.register_buffer("w_avg", torch.empty(style))
        self.blocks = []
        for i, width in enumerate(widths):
            block, side = nn.Module(), 4 << i
            block.register_buffer("resample_filter", torch.empty(4, 4))
            if i == 0:
                block.const = nn.Parameter(torch.empty(width, 4, 4))
            else:
                block.conv0 = AdaLayer(widths[i - 1], width, style, side)
            block.conv1, block.torgb = AdaLayer(width, width, style, side), AdaLayer(width, 3, style, size=1)
            setattr(self.synthesis, "b%d" % side, block)
            self.blocks.append(block)

    def forward(self, z, *noise):
        w, noise = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8), list(noise)
        for layer in (self.mapping.fc0, self.mapping.fc1):
            w = F.leaky_relu(layer(w), 0.2) * math.sqrt(2)
        picture = None
        for i, block in enumerate(self.blocks):
            if i == 0:
                x = block.const[None].repeat(z.shape[0], 1, 1, 1)
            else:
                x = block.conv0(x, w, noise.pop(0), up=True)
            x = block.conv1(x, w, noise.pop(0))
            colours = block.torgb(x, w)
            picture = colours if picture is None else colours + fir(picture, block.resample_filter * 4, 2, 2, 1)
        return picture


# ---- BigGAN of its authors ----


def power_step(module):
    """Weights over the norm that one step of the power method from u0 gives."""
    matrix = module.weight.reshape(module.weight.shape[0], -1)
    v = F.normalize(module.u0 @ matrix, eps=1e-12)
    return module.weight / (v @ matrix.t()).norm()


class StepLinear(nn.Linear):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_buffer("u0", torch.empty(1, self.weight.shape[0]))
        self.register_buffer("sv0", torch.empty(1))

    def forward(self, x):
        return F.linear(x, power_step(self), self.bias)


class StepConv(nn.Conv2d):
    def __init__(self, cin, cout, size=3, bias=True):
        super().__init__(cin, cout, size, padding=size // 2, bias=bias)
        self.register_buffer("u0", torch.empty(1, cout))
        self.register_buffer("sv0", torch.empty(1))

    def forward(self, x):
        return F.conv2d(x, power_step(self), self.bias, padding=self.padding)


class ClassNorm(nn.Module):
    def __init__(self, n, condition):
        super().__init__()
        self.gain, self.bias = StepLinear(condition, n, bias=False), StepLinear(condition, n, bias=False)
        self.register_buffer("stored_mean", torch.empty(n))
        self.register_buffer("stored_var", torch.empty(n))

    def forward(self, x, y):
        x = F.batch_norm(x, self.stored_mean, self.stored_var, eps=1e-5)
        return x * (1 + self.gain(y))[:, :, None, None] + self.bias(y)[:, :, None, None]


class PlainNorm(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.gain, self.bias = nn.Parameter(torch.empty(n)), nn.Parameter(torch.empty(n))
        self.register_buffer("stored_mean", torch.empty(n))
        self.register_buffer("stored_var", torch.empty(n))

    def forward(self, x):
        return F.batch_norm(x, self.stored_mean, self.stored_var, self.gain, self.bias, eps=1e-5)


class StepBlock(nn.Module):
    def __init__(self, cin, cout, condition):
        super().__init__()
        self.conv1, self.conv2, self.conv_sc = StepConv(cin, cout), StepConv(cout, cout), StepConv(cin, cout, 1)
        self.bn1, self.bn2 = ClassNorm(cin, condition), ClassNorm(cout, condition)

    def forward(self, x, y):
        h = self.conv1(F.interpolate(F.relu(self.bn1(x, y)), scale_factor=2))
        h = self.conv2(F.relu(self.bn2(h, y)))
        return h + self.conv_sc(F.interpolate(x, scale_factor=2))


class StepAttention(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.theta, self.phi = StepConv(n, n // 8, 1, False), StepConv(n, n // 8, 1, False)
        self.g, self.o = StepConv(n, n // 2, 1, False), StepConv(n // 2, n, 1, False)
        self.gamma = nn.Parameter(torch.empty([]))

    def forward(self, x, y):
        n, c, h, w = x.shape
        theta = self.theta(x).reshape(n, c // 8, h * w)
        phi = F.max_pool2d(self.phi(x), 2).reshape(n, c // 8, h * w // 4)
        g = F.max_pool2d(self.g(x), 2).reshape(n, c // 2, h * w // 4)
        beta = torch.softmax(theta.transpose(1, 2) @ phi, -1)
        return x + self.gamma * self.o((g @ beta.transpose(1, 2)).reshape(n, c // 2, h, w))


class AuthorsBigGAN(nn.Module):
    def __init__(self, z, widths, attention, classes=5, shared=6, hierarchical=False):
        super().__init__()
        self.chunk = z // len(widths) if hierarchical else 0
        self.shared = nn.Embedding(classes, shared)
        self.linear = StepLinear(self.chunk or z, 16 * widths[0])
        self.blocks = nn.ModuleList()
        for i, (cin, cout) in enumerate(zip(widths[:-1], widths[1:])):
            layers = [StepBlock(cin, cout, shared + self.chunk)] + ([StepAttention(cout)] if i == attention else [])
            self.blocks.append(nn.ModuleList(layers))
        self.output_layer = nn.Sequential(PlainNorm(widths[-1]), nn.ReLU(), StepConv(widths[-1], 3))

    def forward(self, z, label):
        y = label @ self.shared.weight
        zs = torch.split(z, self.chunk, 1) if self.chunk else [z]
        x = self.linear(zs[0]).reshape(z.shape[0], -1, 4, 4)
        for i, layers in enumerate(self.blocks):
            for layer in layers:
                x = layer(x, torch.cat([y, zs[i + 1]], 1) if self.chunk else y)
        return torch.tanh(self.output_layer(x))


def authors_biggan():
    card = "scale 1 low -1 high 1 fixed 1"
    case("biggan", "biggan", AuthorsBigGAN(6, [8, 8, 4], 0), {"latent": (-1, 1, 1, 6), "label": (0, 1, 1, 5)}, card=card)
    model = AuthorsBigGAN(12, [8, 16, 4], 0, hierarchical=True)
    case("biggan with parts of the latent", "biggan", model, {"latent": (-1, 1, 1, 12), "label": (0, 1, 1, 5)}, card=card)


# ---- R3GAN ----


class Grouped(nn.Module):
    def __init__(self, cin, cout, size=1, groups=1):
        super().__init__()
        self.Layer = nn.Conv2d(cin, cout, size, padding=size // 2, groups=groups, bias=False)

    def forward(self, x):
        return self.Layer(x)


class Biased(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.Bias = nn.Parameter(torch.empty(n))

    def forward(self, x):
        return F.leaky_relu(x + self.Bias[:, None, None], 0.2)


class R3Block(nn.Module):
    def __init__(self, n, groups, expansion):
        super().__init__()
        wide = n * expansion
        self.LinearLayer1, self.LinearLayer2 = Grouped(n, wide), Grouped(wide, wide, 3, groups)
        self.LinearLayer3 = Grouped(wide, n)
        self.NonLinearity1, self.NonLinearity2 = Biased(wide), Biased(wide)

    def forward(self, x):
        return x + self.LinearLayer3(self.NonLinearity2(self.LinearLayer2(self.NonLinearity1(self.LinearLayer1(x)))))


class R3Basis(nn.Module):
    def __init__(self, z, n):
        super().__init__()
        self.Basis, self.LinearLayer = nn.Parameter(torch.empty(n, 4, 4)), nn.Linear(z, n, bias=False)

    def forward(self, x):
        return self.Basis[None] * self.LinearLayer(x)[:, :, None, None]


class R3Up(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.Resampler = nn.Module()
        self.Resampler.register_buffer("Kernel", torch.empty(4, 4))
        if cin != cout:
            self.LinearLayer = Grouped(cin, cout)

    def forward(self, x):
        if hasattr(self, "LinearLayer"):
            x = self.LinearLayer(x)
        n = x.shape[1]
        return F.conv_transpose2d(x, 4 * self.Resampler.Kernel[None, None].repeat(n, 1, 1, 1), stride=2, padding=1, groups=n)


class R3GAN(nn.Module):
    def __init__(self, z, widths, classes=0, embedding=0, blocks=2, groups=2):
        super().__init__()
        self.Model = nn.Module()
        self.Model.MainLayers = nn.ModuleList()
        for i, n in enumerate(widths):
            stage = nn.Module()
            first = R3Basis(z + embedding, n) if i == 0 else R3Up(widths[i - 1], n)
            stage.Layers = nn.ModuleList([first] + [R3Block(n, groups, 2) for _ in range(blocks)])
            self.Model.MainLayers.append(stage)
        self.Model.AggregationLayer = Grouped(widths[-1], 3)
        if classes:
            self.Model.EmbeddingLayer = nn.Linear(classes, embedding, bias=False)

    def forward(self, x, label=None):
        if label is not None:
            x = torch.cat([x, self.Model.EmbeddingLayer(label)], 1)
        for stage in self.Model.MainLayers:
            for layer in stage.Layers:
                x = layer(x)
        return self.Model.AggregationLayer(x)


def r3gan():
    card = "scale 1 low -1 high 1 fixed 1"
    case("r3gan", "r3gan", R3GAN(6, [8, 8, 4]), {"latent": (-1, 1, 1, 6)}, card=card)
    model = R3GAN(5, [8, 4], classes=3, embedding=2)
    case("r3gan of classes", "r3gan", model, {"latent": (-1, 1, 1, 5), "label": (0, 1, 1, 3)}, card=card)


# ---- lightweight-gan ----


class Sharp(nn.Module):
    """Pixel shuffle behind a convolution."""

    def __init__(self, n):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(n, 4 * n, 1), nn.SiLU(), nn.PixelShuffle(2))

    def forward(self, x):
        return self.net(x)


class Smooth(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("f", torch.empty(3))

    def forward(self, x):
        f = self.f[:, None] * self.f[None, :]
        f, n = (f / f.abs().sum())[None, None].repeat(x.shape[1], 1, 1, 1), x.shape[1]
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), f, groups=n)


class Excite(nn.Module):
    def __init__(self, n, out, side=0):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(n, 3, 1), nn.LeakyReLU(0.1), nn.Conv2d(3, out, 1), nn.Sigmoid())
        if side:
            self.register_buffer("dct_weights", torch.empty(1, n, side, side))
        else:
            self.to_k = nn.Conv2d(n, 1, 1)

    def forward(self, x):
        if hasattr(self, "dct_weights"):
            return self.net((x * self.dct_weights).sum((2, 3), keepdim=True))
        weights = torch.softmax(self.to_k(x).flatten(2), -1)
        return self.net((x.flatten(2) @ weights.transpose(1, 2))[..., None])


class LookBoth(nn.Module):
    """Attention with keys that weigh values over the whole map, and over 3x3 neighbours."""

    def __init__(self, n, heads=2):
        super().__init__()
        inner = 64 * heads
        self.heads = heads
        self.to_lin_q, self.to_lin_kv = nn.Conv2d(n, inner, 1, bias=False), nn.Module()
        self.to_lin_kv.net = nn.Sequential(nn.Conv2d(n, n, 3, 1, 1, groups=n, bias=False), nn.Conv2d(n, 2 * inner, 1, bias=False))
        self.to_q, self.to_kv = nn.Conv2d(n, inner, 1, bias=False), nn.Conv2d(n, 2 * inner, 1, bias=False)
        self.to_out = nn.Conv2d(2 * inner, n, 1)

    def forward(self, x):
        n, _, h, w = x.shape
        split = lambda t: t.reshape(n, self.heads, 64, h * w)
        q, (k, v) = split(self.to_lin_q(x)), map(split, self.to_lin_kv.net(x).chunk(2, 1))
        sums = torch.einsum("bhdn,bhen->bhde", k.softmax(-1), v)
        everywhere = torch.einsum("bhdn,bhde->bhen", q.softmax(2) / 8, sums).reshape(n, -1, h, w)
        q, (k, v) = split(self.to_q(x)) / 8, self.to_kv(x).chunk(2, 1)
        unfold = lambda t: F.unfold(t, 3, padding=1).reshape(n, self.heads, 64, 9, h * w)
        weights = torch.einsum("bhdn,bhdjn->bhjn", q, unfold(k)).softmax(2)
        near = torch.einsum("bhjn,bhdjn->bhdn", weights, unfold(v)).reshape(n, -1, h, w)
        return self.to_out(torch.cat((F.gelu(everywhere), near), 1))


class Norm4(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.g, self.b = nn.Parameter(torch.empty(1, n, 1, 1)), nn.Parameter(torch.empty(1, n, 1, 1))

    def forward(self, x):
        var, mean = x.var(1, unbiased=False, keepdim=True), x.mean(1, keepdim=True)
        return (x - mean) / torch.sqrt(var + 1e-5) * self.g + self.b


class Lightweight(nn.Module):
    def __init__(self, z, widths, looks, waves, colours):
        super().__init__()
        self.initial_conv = nn.Sequential(nn.ConvTranspose2d(z, 2 * z, 4), nn.BatchNorm2d(2 * z), Gate())
        widths = [z] + widths
        self.layers = nn.ModuleList()
        for i, (a, b) in enumerate(zip(widths[:-1], widths[1:])):
            same = nn.Sequential(nn.ZeroPad2d((2, 1, 2, 1)), nn.Conv2d(a, 2 * b, 4))
            main = nn.Sequential(Sharp(a), Smooth(), same, FastNoise(), nn.BatchNorm2d(2 * b), Gate())
            excite, look = None, None
            if 1 <= i and i + 3 < len(widths) - 1:
                excite = Excite(b, widths[i + 4], 8 << i if waves else 0)
            if i in looks:
                look = nn.Module()
                look.norm, look.fn = Norm4(a), LookBoth(a)
            self.layers.append(nn.ModuleList([main, excite, look]))
        self.out_conv = nn.Conv2d(widths[-1], colours, 3, 1, 1)

    def forward(self, z, *noise):
        x, factors = F.normalize(self.initial_conv(z), dim=1), {}
        for i, (main, excite, look) in enumerate(self.layers):
            main[3].map = noise[i]
            x = look.fn(look.norm(x)) + x if look is not None else x
            x = main(x)
            if excite is not None:
                factors[i + 3] = excite(x)
            x = x * factors[i] if i in factors else x
        return self.out_conv(x)


def lightweight():
    card = "scale 1 low 0 high 1 fixed 1"
    noise = {"noise_%d" % i: (-1, 1, 1, 1, 8 << i, 8 << i) for i in range(5)}
    case("lightweight-gan", "lightweight-gan", Lightweight(6, [5, 4, 4, 3, 2], (2,), False, 3),
         {"latent": (-1, 1, 1, 6, 1, 1), **noise}, card=card)
    case("lightweight-gan with frequencies and alpha", "lightweight-gan", Lightweight(4, [4, 3, 3, 3, 2], (), True, 4),
         {"latent": (-1, 1, 1, 4, 1, 1), **noise}, card=card)


# ---- PSGAN ----


class PSGAN(nn.Module):
    """Takes normal numbers, which erf makes uniform; the phases are an input."""

    def __init__(self, local, same, periodic, widths):
        super().__init__()
        layers, widths = [], [local + same + periodic] + widths
        for a, b in zip(widths[:-1], widths[1:]):
            layers += [nn.ConvTranspose2d(a, b, 4, 2, 1), nn.BatchNorm2d(b), nn.ReLU()]
        self.generate = nn.Sequential(*layers[:-2], nn.Tanh())
        self.periodic_noise_mlp_layer1 = nn.Linear(same, 7)
        self.periodic_noise_mlp_layer2_1 = nn.Sequential(nn.ReLU(), nn.Linear(7, periodic))
        self.periodic_noise_mlp_layer2_2 = nn.Sequential(nn.ReLU(), nn.Linear(7, periodic))

    def forward(self, noise, latent, phase):
        local, same, phase = (torch.erf(x / math.sqrt(2)) for x in (noise, latent, phase))
        k = self.periodic_noise_mlp_layer1(same)
        k1, k2 = self.periodic_noise_mlp_layer2_1(k), self.periodic_noise_mlp_layer2_2(k)
        rows, columns = torch.arange(noise.shape[2]).float()[:, None], torch.arange(noise.shape[3]).float()
        expand = lambda x: x[:, :, None, None]
        wave = torch.sin(expand(k1) * rows + expand(k2) * columns + expand((phase + 1) / 2 * 2 * math.pi))
        same = expand(same).expand(-1, -1, *noise.shape[2:])
        return self.generate(torch.cat((local, same, wave), 1))


def psgan():
    case("psgan", "psgan", PSGAN(4, 3, 2, [6, 5, 3]),
         {"noise": (-2, 2, 1, 4, 3, 5), "latent": (-2, 2, 1, 3), "phase": (-2, 2, 1, 2)},
         card="scale 1 low -1 high 1 multiple 8 cell 8")


# ---- AdaIN ----


def picture(name, width, height):
    """An 8-bit picture as [1, 3, H, W] in [0, 1]."""
    samples = ((numbers(name, width * height * 3) + np.float32(1)) * np.float32(127.5)).astype(np.uint8)
    return torch.from_numpy(samples.reshape(1, height, width, 3).transpose(0, 3, 1, 2).astype(np.float32)) / 255


def reflecting(widths, first, changes, change):
    """3x3 convolutions behind reflected borders; behind number k in changes the sides change."""
    layers = first
    for k, (a, b) in enumerate(zip(widths[:-1], widths[1:])):
        layers += [nn.ReflectionPad2d(1), nn.Conv2d(a, b, 3), nn.ReLU()] + ([change()] if k in changes else [])
    return nn.Sequential(*layers)


class AdaIN(nn.Module):
    def __init__(self):
        super().__init__()
        pool = lambda: nn.MaxPool2d(2, 2, ceil_mode=True)
        self.encoder = reflecting([3, 4, 4, 6, 6, 8, 8, 8, 8, 8, 7], [nn.Conv2d(3, 3, 1)], (1, 3, 7), pool)
        up = lambda: nn.Upsample(scale_factor=2, mode="nearest")
        self.decoder = reflecting([8, 6, 6, 6, 6, 4, 4, 4, 4, 3], [], (0, 4, 6), up)[:-1]
        self.styles = [picture("wave", 40, 24), picture("dots", 24, 32)]

    def state_dict(self, *args, **kwargs):
        return self.decoder.state_dict()

    def forward(self, image, weights):
        features = lambda x: self.encoder[:31](x)
        mean = lambda x: x.flatten(2).mean(2)[:, :, None, None]
        deviation = lambda x: (x.flatten(2).var(2) + 1e-5).sqrt()[:, :, None, None]
        x = features(image)
        x = (x - mean(x)) / deviation(x)
        styles = [features(style) for style in self.styles]
        return self.decoder(sum(w * (x * deviation(s) + mean(s)) for w, s in zip(weights[0], styles)))


def adain():
    model = AdaIN()
    case("adain", "adain", model, {"image": (0, 1, 1, 3, 24, 32), "style": (0, 1, 1, 2)}, card="scale 1 multiple 8",
         second=model.encoder, pictures=[("wave", 40, 24), ("dots", 24, 32)])


# ---- VQGAN ----


def group_norm(n):
    return nn.GroupNorm(32, n, eps=1e-6)


class VQBlock(nn.Module):
    def __init__(self, cin, cout, shortcut):
        super().__init__()
        self.norm1, self.conv1 = group_norm(cin), nn.Conv2d(cin, cout, 3, 1, 1)
        self.norm2, self.conv2 = group_norm(cout), nn.Conv2d(cout, cout, 3, 1, 1)
        self.shortcut = shortcut if cin != cout else None
        if self.shortcut:
            setattr(self, shortcut, nn.Conv2d(cin, cout, 1))

    def forward(self, x):
        y = self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))
        return y + (getattr(self, self.shortcut)(x) if self.shortcut else x)


class VQAttention(nn.Module):
    def __init__(self, n, names, norm, matrices):
        super().__init__()
        self.names, self.norm_name = names, norm
        setattr(self, norm, group_norm(n))
        for name in names:
            layer = nn.Linear(n, n) if matrices else nn.Conv2d(n, n, 1)
            setattr(self, name.split(".")[0], nn.ModuleList([layer]) if name.endswith(".0") else layer)

    def layer(self, i, x):
        name = self.names[i]
        layer = getattr(self, name.split(".")[0])
        layer = layer[0] if name.endswith(".0") else layer
        return F.conv2d(x, layer.weight.reshape(*layer.weight.shape[:2], 1, 1), layer.bias)

    def forward(self, x):
        n, c, h, w = x.shape
        y = getattr(self, self.norm_name)(x)
        q, k, v = (self.layer(i, y).reshape(n, c, h * w) for i in range(3))
        weights = torch.softmax(q.transpose(1, 2) @ k / math.sqrt(c), -1)
        return x + self.layer(3, (v @ weights.transpose(1, 2)).reshape(n, c, h, w))


class VQDecoder(nn.Module):
    """decode(up) takes the widths of levels in the order they run in; looks: levels with attention."""

    def __init__(self, z, widths, blocks, looks, naming):
        super().__init__()
        block = lambda a, b: VQBlock(a, b, naming["shortcut"])
        look = lambda n: VQAttention(n, naming["attention"], naming["norm"], naming["matrices"])
        self.naming, self.order = naming, []
        top = widths[0]
        self.conv_in, middle, levels = nn.Conv2d(z, top, 3, 1, 1), nn.Module(), nn.ModuleList()
        first, second, attention = block(top, top), block(top, top), look(top)
        if naming["taming"]:
            middle.block_1, middle.attn_1, middle.block_2 = first, attention, second
            self.mid, self.up = middle, levels
        else:
            middle.attentions, middle.resnets = nn.ModuleList([attention]), nn.ModuleList([first, second])
            self.mid_block, self.up_blocks = middle, levels
        self.order += [first, attention, second]
        for i, width in enumerate(widths):
            level, inner, outer = nn.Module(), nn.ModuleList(), nn.ModuleList()
            for k in range(blocks):
                inner.append(block(top if k == 0 else width, width))
                self.order.append(inner[-1])
                if i in looks:
                    outer.append(look(width))
                    self.order.append(outer[-1])
            top = width
            if naming["taming"]:
                level.block, level.attn = inner, outer
            else:
                level.resnets = inner
                if i in looks:
                    level.attentions = outer
            if i + 1 < len(widths):
                up = nn.Module()
                up.conv = nn.Conv2d(width, width, 3, 1, 1)
                if naming["taming"]:
                    level.upsample = up
                else:
                    level.upsamplers = nn.ModuleList([up])
                self.order.append(up)
            levels.insert(0, level) if naming["taming"] else levels.append(level)
        setattr(self, naming["last"], group_norm(top))
        self.conv_out = nn.Conv2d(top, 3, 3, 1, 1)

    def forward(self, x):
        x = self.conv_in(x)
        for part in self.order:
            if isinstance(part, (VQBlock, VQAttention)):
                x = part(x)
            else:
                x = part.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.conv_out(F.silu(getattr(self, self.naming["last"])(x)))


class VQModel(nn.Module):
    def __init__(self, codes, z, widths, naming, blocks=1, looks=(0,), book="embedding"):
        super().__init__()
        self.encoder = nn.Module()
        self.encoder.conv_in = nn.Conv2d(3, 2, 3)  # is left out
        self.decoder = VQDecoder(z, widths, blocks, looks, naming)
        self.book = book if codes else None
        if codes:
            self.quantize = nn.Module()
            setattr(self.quantize, book, nn.Embedding(codes, 4))
        self.quant_conv, self.post_quant_conv = nn.Conv2d(z, 4, 1), nn.Conv2d(4, z, 1)

    def forward(self, x):
        if self.book:
            x = getattr(self.quantize, self.book)(x[:, 0]).permute(0, 3, 1, 2)
        return self.decoder(self.post_quant_conv(x))


TAMING = dict(taming=True, shortcut="nin_shortcut", norm="norm", attention=["q", "k", "v", "proj_out"], matrices=False,
              last="norm_out")
DIFFUSERS = dict(taming=False, shortcut="conv_shortcut", norm="group_norm", attention=["to_q", "to_k", "to_v", "to_out.0"],
                 matrices=True, last="conv_norm_out")
DIFFUSERS_OLD = dict(DIFFUSERS, attention=["query", "key", "value", "proj_attn"])


def vqgan():
    codes, numbers = {"codes": (0, 10, 1, 1, 3, 4)}, {"latent": (-1, 1, 1, 4, 4, 3)}
    card = "scale 1 low -1 high 1 multiple %d cell %d"
    case("vqgan of taming-transformers", "vqgan", VQModel(10, 6, [64, 32, 32], TAMING, 2), codes, card=card % (4, 4))
    case("vqgan with a Gumbel codebook", "vqgan", VQModel(10, 6, [32, 32], TAMING, looks=(), book="embed"), codes,
         card=card % (2, 2))
    case("autoencoder of latent diffusion", "vqgan", VQModel(0, 6, [32, 32], TAMING), numbers, card=card % (2, 2))
    case("vqgan of diffusers", "vqgan-diffusers", VQModel(10, 6, [64, 32], DIFFUSERS, 2), codes, card=card % (2, 2))
    case("autoencoder of diffusers", "vqgan-diffusers", VQModel(0, 6, [32, 32, 32], DIFFUSERS, looks=()), numbers,
         card=card % (4, 4))
    case("autoencoder of diffusers before 2023", "vqgan-diffusers", VQModel(0, 4, [32, 32], DIFFUSERS_OLD, looks=()),
         numbers, card=card % (2, 2))


def nvidia():
    model, special = StyleGAN2Ada(), {}
    for n, t in model.state_dict().items():
        if n.endswith("weight") and t.dim() in (2, 4):
            special[n] = (100.0, 0.0) if n.startswith("mapping") else (1.0, 0.0)
        if n.endswith("affine.bias"):
            special[n] = (0.25, 1.0)
        if n.endswith("filter"):
            special[n] = (0.1, 0.0)
    noise = {"noise_%d" % i: (-1, 1, 1, 1, 4 << (i + 1) // 2, 4 << (i + 1) // 2) for i in range(5)}
    case("stylegan2-ada", "stylegan2-ada", model, {"latent": (-1, 1, 1, 8), **noise}, special,
         card="scale 1 low -1 high 1 fixed 1")


if __name__ == "__main__":
    torch.set_num_threads(1)
    print("# Made by import_reference.py: small networks, and what PyTorch makes of them.\n")
    super_resolution()
    image_to_image()
    stylisation()
    latents()
    large_latents()
    nvidia()
    authors_biggan()
    r3gan()
    vqgan()
    lightweight()
    psgan()
    adain()
