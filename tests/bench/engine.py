"""engine.py BUILD [README] - our engine, onnxruntime and ncnn on the same .onnx files, taking turns.

Every party is a process of its own that waits until it is told to run (engine_peer.py has the protocol). One round
lets each party run once; ratios are medians over rounds of the pairs in a round, so that what disturbs the machine
disturbs both; rounds in which the machine lacked a processor count for nobody. Prints one row a network and thread count; with README, writes the rows between two markers there.
"""
import json
import os
import statistics
import subprocess
import sys
import sysconfig
import time

import numpy
import onnx
from onnx import shape_inference

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import networks  # noqa: E402

HERE = os.path.dirname(__file__)
BUILD = sys.argv[1]
WORK = os.path.join(BUILD, "engine")
OURS = os.path.join(BUILD, "bench", "engine_ours")
BUNDLED = "gen/models/aquatint.onnx"
TITLES = {
    "conv256": "8 conv 3x3, 256 channels, 64x64",
    "conv64": "8 conv 3x3, 64 channels, 256x256",
    "conv512": "8 conv 3x3, 512 channels, 16x16",
    "conv32": "8 conv 3x3, 32 channels, 512x512",
    "aquatint": "bundled model, 768x512",
    "srvgg": "SRVGG x4, 128x128",
    "cartoongan": "CartoonGAN, 256x256",
    "rrdb": "RRDB-6 x4, 64x64",
    "stylegan2": "StyleGAN2, 256x256",
    "matmul": "product 256 x 2304 x 4096",
}
PEERS = {"onnxruntime": "onnxruntime 1.30", "ncnn": "ncnn 20261020"}
# Networks whose pictures are also made four at a time.
BATCHED = ("conv512", "srvgg")
# Idle threads of some runtimes spin this long before they sleep, which would slow the next party.
PAUSE = 0.025
ROUNDS_MIN, ROUNDS_MAX = 3, 15
WHOLE = 0.85  # of the processors' peak, before and after a round, for the round to count


class Party:
    """A process that runs one network when told to."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        self.times = []
        self.expect("begin")
        before = self.memory("VmRSS")
        start = time.perf_counter()
        self.expect("ready", "\n")
        self.ask("run")
        self.first = 1e3 * (time.perf_counter() - start)
        self.grown = self.memory("VmHWM") - before

    def expect(self, wanted, text=None):
        answer = self.ask(text)
        if answer != wanted:
            raise RuntimeError(answer)

    def ask(self, text=None):
        try:
            if text is not None:
                self.process.stdin.write(text.strip() + "\n")
                self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            lines = self.process.stderr.read().strip().splitlines()
            raise RuntimeError(lines[-1] if lines else f"ended with {self.process.wait()}")
        return line.strip()

    def memory(self, field):
        """Megabytes; VmHWM is the most that was resident at any time."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(field)) / 1024

    def turn(self):
        time.sleep(PAUSE)
        self.times.append(float(self.ask("run")))

    def output(self, path):
        self.expect("saved", path)
        return numpy.fromfile(path, numpy.float32)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def median_ratio(over, under):
    return statistics.median(a / b for a, b in zip(over, under))


def flops(path, inputs):
    """Of convolutions and products as their definition counts them: two a multiplication."""
    model = onnx.load(path)
    for value in model.graph.input:
        for i, size in enumerate(inputs[value.name]):
            value.type.tensor_type.shape.dim[i].dim_value = size
    graph = shape_inference.infer_shapes(model, data_prop=True).graph
    dims = {t.name: list(t.dims) for t in graph.initializer}
    for value in list(graph.value_info) + list(graph.input) + list(graph.output):
        dims[value.name] = [d.dim_value for d in value.type.tensor_type.shape.dim]
    total = 0
    for node in graph.node:
        inside = dims.get(node.input[1], []) if len(node.input) > 1 else []
        out = dims.get(node.output[0], [])
        if node.op_type == "Conv":
            total += 2 * numpy.prod(out) * numpy.prod(inside[1:])
        elif node.op_type == "ConvTranspose":
            total += 2 * numpy.prod(dims[node.input[0]]) * numpy.prod(inside[1:])
        elif node.op_type in ("MatMul", "Gemm"):
            total += 2 * numpy.prod(out) * dims[node.input[0]][-1]
    return float(total)


def ours_answers(*arguments):
    return subprocess.run([OURS, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def case_of(name):
    if name == "aquatint":
        inputs = json.loads(ours_answers("dims", BUNDLED, 768, 512))
        link = os.path.join(WORK, "aquatint.onnx")
        if not os.path.exists(link):
            os.symlink(os.path.abspath(BUNDLED), link)
        return {"name": name, "path": link, "inputs": inputs}
    return networks.write(name, WORK)


def make_for_ncnn(case):
    # the package cannot be imported without PyTorch, but its program runs alone
    program = os.path.join(sysconfig.get_path("purelib"), "pnnx", "pnnx")
    os.chmod(program, 0o755)
    shapes = ",".join("[" + ",".join(map(str, dims)) + "]" for dims in case["inputs"].values())
    subprocess.run([program, os.path.basename(case["path"]), "inputshape=" + shapes, "fp16=0"], cwd=WORK,
                   capture_output=True, check=False)


def input_files(case, batch=1):
    random, arguments = numpy.random.default_rng(7), []
    for name, dims in case["inputs"].items():
        dims = [dims[0] * batch] + dims[1:]
        path = os.path.join(WORK, f"{case['name']}.{name}.{batch}")
        random.standard_normal(dims, numpy.float32).tofile(path)
        arguments += [name, ",".join(map(str, dims)), path]
    return arguments


class Peak:
    """GFLOP/s of fused multiply-adds in registers. Virtual processors may share a core for a while: then two threads
    reach no more than one, whatever they compute, and a round says nothing."""

    def __init__(self, threads):
        self.probes = {count: subprocess.Popen([OURS, "peak", str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                               text=True) for count in {1, *threads}}
        self.best = dict.fromkeys(self.probes, 0.0)
        for _ in range(20):
            self.share()

    def share(self):
        """What the threads get now of the processors that they should have, 1 being all."""
        now = {}
        for count, probe in self.probes.items():
            probe.stdin.write("\n")
            probe.stdin.flush()
            now[count] = float(probe.stdout.readline())
            self.best[count] = max(self.best[count], now[count])
        return min(rate / (count * self.best[1]) for count, rate in now.items())


class Network:
    """One network with all its parties: ours, peers, one and two threads, four pictures at once."""

    def __init__(self, name, threads, peers):
        self.name, self.case, self.notes = name, case_of(name), []
        self.flops = flops(self.case["path"], self.case["inputs"])
        self.parties = {}
        files = input_files(self.case)
        peers = [peer for peer in peers if name != "matmul" or peer != "ncnn"]  # ncnn has no such layer alone
        if "ncnn" in peers:
            make_for_ncnn(self.case)
        for count in threads:
            self.start(("ours", count), [OURS, "run", self.case["path"], str(count), *files])
            for peer in peers:
                self.start((peer, count), [sys.executable, os.path.join(HERE, "engine_peer.py"), peer, self.case["path"],
                                           str(count), *files])
        if name in BATCHED:
            self.start(("batch", threads[-1]),
                       [OURS, "run", self.case["path"], str(threads[-1]), *input_files(self.case, 4)])

    def start(self, key, command):
        try:
            self.parties[key] = Party(command)
        except RuntimeError as error:
            self.notes.append(f"{key[0]}: {error}")

    def check(self):
        """All must have computed the same network, or their times mean nothing."""
        outputs = {key: party.output(os.path.join(WORK, "output")) for key, party in self.parties.items() if key[0] != "batch"}
        for key, output in outputs.items():
            other = next((outputs[k] for k in outputs if k[0] == "onnxruntime"), None)
            if other is None or key[0] == "onnxruntime":
                continue
            far = numpy.abs(output - other).max() / numpy.abs(other).max() if output.size == other.size else numpy.inf
            if not far < 1e-2:
                self.notes.append(f"{key[0]} makes another picture: {far:.2g} of its size away")
                del self.parties[key]

    def measure(self, seconds, peak):
        start, shares, done = time.perf_counter(), [], 0
        while done < ROUNDS_MIN or done < ROUNDS_MAX and time.perf_counter() - start < seconds:
            before = peak.share()
            for party in self.parties.values():
                party.turn()
            shares.append(min(before, peak.share()))
            # A machine that is busy for a while gets more time, but not for ever.
            done = sum(share > WHOLE for share in shares)
            if time.perf_counter() - start > 3 * seconds:
                break
        bar = min(WHOLE, sorted(shares)[-min(ROUNDS_MIN, len(shares))])
        if bar < WHOLE:
            self.notes.append(f"other work took part of the processors; the best rounds had {100 * bar:.0f} % of them")
        for party in self.parties.values():
            party.times = [ms for ms, share in zip(party.times, shares) if share >= bar]
            party.close()

    def times(self, who, threads):
        party = self.parties.get((who, threads))
        return party.times if party else None

    def rows(self, threads, peers, peak):
        for count in threads:
            mine = self.times("ours", count)
            cells = [TITLES[self.name] if count == threads[0] else "", str(count)]
            cells.append(f"{statistics.median(mine):.1f}" if mine else "-")
            for peer in peers:
                theirs = self.times(peer, count)
                cells.append(f"{statistics.median(theirs):.1f}" if theirs else "-")
                cells.append(f"**{median_ratio(theirs, mine):.2f}**" if theirs and mine else "-")
            rate = self.flops / statistics.median(mine) * 1e-6 if mine else 0
            cells += [f"{rate:.0f}", f"{100 * rate / peak[count]:.0f} %"] if mine else ["-", "-"]
            single = self.times("ours", threads[0])
            both = mine and single and count != threads[0]
            cells.append(f"{median_ratio(single, mine):.2f}" if both else "")
            batch = self.times("batch", count)
            cells.append(f"{4 * median_ratio(mine, batch):.2f}" if mine and batch else "")
            memory = [self.parties[who, count].grown for who in ("ours", "onnxruntime") if (who, count) in self.parties]
            cells.append(" / ".join(f"{mb:.0f}" for mb in memory))
            yield cells


def table(head, rows):
    """Markdown whose columns also line up on a screen."""
    widths = [max(len(row[i]) for row in [head] + rows) for i in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in [head] + rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return lines


def first_picture(width, height, threads):
    times = []
    for _ in range(9):
        start = time.perf_counter()
        ours_answers("picture", BUNDLED, width, height, threads)
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def write_between(path, lines):
    begin, end = "<!-- bench-engine begin -->", "<!-- bench-engine end -->"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    if not rest or end not in rest:
        sys.exit(f"{path} lacks the markers {begin} and {end}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(head + begin + "\n" + "\n".join(lines) + "\n" + end + tail)


def main():
    os.makedirs(WORK, exist_ok=True)
    only = os.environ.get("BENCH_ONLY", "")
    names = only.split(",") if only else list(TITLES)
    peers = [peer for peer in os.environ.get("BENCH_PEERS", ",".join(PEERS)).split(",") if peer]
    threads = [int(x) for x in os.environ.get("BENCH_THREADS", "1,2").split(",")]
    seconds = float(os.environ.get("BENCH_SECONDS", "8"))
    peak = Peak(threads)
    head = ["network", "threads", "ours ms"]
    for peer in peers:
        head += [f"{PEERS[peer]} ms", "times as fast"]
    head += ["GFLOP/s", "of peak", "2nd thread", "batch of 4", "MB ours / onnxruntime"]
    rows, notes = [], []
    for name in names:
        network = Network(name, threads, peers)
        network.check()
        network.measure(seconds, peak)
        fresh = list(network.rows(threads, peers, peak.best))
        rows += fresh
        notes += [f"{name}: {note}" for note in dict.fromkeys(network.notes)]
        for cells in fresh:
            print("  ".join(cell for cell in cells if cell), flush=True)
    lines = table(head, rows)
    lines += ["", "Peak of fused multiply-adds in registers: " +
              ", ".join(f"{peak.best[count]:.0f} GFLOP/s with {count} thread{'s' * (count > 1)}" for count in threads) + "."]
    if "matmul" in names:
        lines[-1] += " OpenBLAS takes " + ", ".join(
            f"{float(ours_answers('sgemm', 256, 2304, 4096, count)):.1f} ms with {count}" for count in threads) + " for the product."
    if "aquatint" in names:
        lines[-1] += " From the start of the process to the first picture of the bundled model: " + ", ".join(
            f"{first_picture(w, h, threads[-1]):.0f} ms at {w}x{h}" for w, h in ((256, 256), (768, 512))) + "."
    if notes:
        lines += ["", "Notes: " + "; ".join(notes) + "."]
    print("\n" + "\n".join(lines))
    if len(sys.argv) > 2:
        write_between(sys.argv[2], lines)


main()
