"""Random numbers in [-1, 1) told by a name alone: fixture_random of onnx_fixture.h."""
import numpy as np


def numbers(name, count):
    state = 1469598103934665603
    for byte in name.encode():
        state = (state ^ byte) * 1099511628211 & (1 << 64) - 1
    out = np.empty(count, np.float32)
    for i in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) & (1 << 64) - 1
        value = state >> 33
        if value >= 1 << 31:
            value -= 1 << 32
        out[i] = np.float32(np.float32(value) * np.float32(2.0**-30)) - np.float32(1)
    return out
