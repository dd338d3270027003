"""Our numpy-randomstate against numpy itself: every float32 must be the same. Usage: seeds.py PROGRAM"""
import subprocess
import sys

import numpy

SHAPES = [[(1, 512)], [(1, 7), (1, 1), (4, 4), (16, 31, 3)], [(250, 999)]]
SEEDS = [0, 1, 2, 42, 1000, 2026, 2**31, 2**32 - 1]
failed = False
for shapes in SHAPES:
    different = count = 0
    for seed in SEEDS:
        state = numpy.random.RandomState(seed)
        want = numpy.concatenate([state.randn(*shape).ravel() for shape in shapes]).astype(numpy.float32)
        sizes = [str(int(numpy.prod(shape))) for shape in shapes]
        raw = subprocess.run([sys.argv[1], "numpy-randomstate", str(seed), *sizes], check=True, capture_output=True).stdout
        have = numpy.frombuffer(raw, numpy.float32)
        different += int((have != want).sum()) if have.shape == want.shape else want.size
        count += want.size
    failed |= different > 0
    print(f"{'not ok' if different else 'ok'} randn of {shapes}, {len(SEEDS)} seeds: {different} of {count} numbers differ")
sys.exit(failed)
