"""credentials.py - whole processes that verify and sign pictures of 100 KB, 2 MB and 50 MB, ours and c2patool's in turns,
with `openssl dgst -sha256` of the same file as floor; small pictures in process, ours and c2pa-python's; and a folder of
small pictures. Medians; each ratio is the median of those of paired runs.

    verify  blindstamp verify -q --trust ROOT FILE            c2patool FILE trust --trust_anchors ROOT
    sign    blindstamp sign -q --no-pixels --force -o FOLDER FILE
                                                              c2patool FILE -m MANIFEST -o FOLDER/FILE -f --settings SETTINGS

The verifiers have no identity of their own. Both sign with the same Ed25519 key and chain and read back what they made.
c2patool makes no thumbnail, as we make none unasked, and knows no digest of pixels, so we make none either. What is verified
was signed by c2patool, and both trust its root. Everything lies in memory where that can be had (/dev/shm), as c2patool never
waits for a disk and we do for every ledger and file; a line says what that costs."""
import io
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from PIL import Image
import c2pa

BUILD, TOOL = sys.argv[1:3]
OURS = BUILD + "/bin/blindstamp"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "11"))
FILES = int(os.environ.get("BENCH_FILES", "10000"))
SIZES = {"100 KB": {"png": (236, 178), "jpg": (476, 360), "webp": (224, 168)},
         "2 MB": {"png": (1000, 800), "jpg": (2170, 1600), "webp": (980, 770)},
         "50 MB": {"png": (5000, 3960), "jpg": (10800, 8080), "webp": (4860, 3860)}}


def picture(width, height):
    """Something smooth with grain, as a photograph has."""
    base = Image.radial_gradient("L").resize((width, height))
    smooth = Image.merge("RGB", (base, base.transpose(0), base.transpose(1)))
    return Image.blend(smooth, Image.frombytes("RGB", (width, height), random.randbytes(width * height * 3)), 0.25)


def run(command, env=None):
    """Seconds, and those of the processors, of a process that must succeed."""
    silent = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_WRONLY, 0) for fd in (1, 2)]
    begin = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, env or os.environ, file_actions=silent)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - begin
    if status:
        sys.exit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    return seconds, usage.ru_utime + usage.ru_stime


def in_turns(commands, rounds):
    """Medians of the seconds of each, and of the first one's ratios to the others."""
    times = [[run(command)[0] for command in commands] for _ in range(rounds)]
    medians = [statistics.median(column) for column in zip(*times)]
    ratios = [statistics.median(row[0] / row[i] for row in times) for i in range(1, len(commands))]
    return medians, ratios


def ms(seconds):
    return f"{seconds * 1e3:.1f}"


class Bench:
    def __init__(self, folder):
        self.folder = folder
        self.home = self.path("home")
        os.environ["BLINDSTAMP_HOME"] = self.home
        run([OURS, "init", "--author", "Ada Example", "--no-passphrase"])
        self.root = self.path("home/certs/root.pem")
        self.manifest = self.write("manifest.json", {
            "alg": "ed25519", "private_key": self.path("home/keys/author.pem"),
            "sign_cert": self.path("home/certs/author.pem"),
            "claim_generator_info": [{"name": "bench", "version": "1"}], "assertions": []})
        self.settings = self.write("settings.json", {"version": 1, "builder": {"thumbnail": {"enabled": False}}})
        for name in ("in", "signed", "ours", "theirs"):
            os.mkdir(self.path(name))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, value):
        with open(self.path(name), "w") as file:
            json.dump(value, file)
        return self.path(name)

    def their_sign(self, source, into):
        return [TOOL, source, "-m", self.manifest, "-o", self.path(into + "/" + os.path.basename(source)), "-f",
                "--settings", self.settings]

    def row(self, size, kind, shape):
        name = f"{size.replace(' ', '')}.{kind}"
        source, signed = self.path("in/" + name), self.path("signed/" + name)
        picture(*shape).save(source, **{"png": {"compress_level": 1}, "jpg": {"quality": 93},
                                        "webp": {"lossless": True, "quality": 0, "method": 0}}[kind])
        run(self.their_sign(source, "signed"))
        ours = [OURS, "verify", "-q", "--trust", self.root, signed]
        theirs = [TOOL, signed, "trust", "--trust_anchors", self.root]
        state = json.loads(subprocess.run(theirs, capture_output=True, check=True).stdout)["validation_state"]
        if state != "Trusted":
            sys.exit(f"c2patool calls {name} {state}")
        rounds = ROUNDS if size != "50 MB" else max(3, ROUNDS // 3)
        os.environ["BLINDSTAMP_HOME"] = self.path("nobody")
        verify, ratio = in_turns([ours, theirs, ["openssl", "dgst", "-sha256", signed]], rounds)
        os.environ["BLINDSTAMP_HOME"] = self.home
        sign, sign_ratio = in_turns([[OURS, "sign", "-q", "--no-pixels", "--force", "-o", self.path("ours"), source],
                                     self.their_sign(source, "theirs")], rounds)
        return [f"{kind.upper()}, {size}", ms(verify[0]), ms(verify[1]), f"**{1 / ratio[0]:.1f}**", ms(verify[2]),
                f"{ratio[1]:.2f}", ms(sign[0]), ms(sign[1]), f"**{1 / sign_ratio[0]:.1f}**"]

    def in_process(self):
        """Ours (bench_judge, which measures the signature and certificate checks alone too) and c2pa-python's."""
        said = subprocess.run([BUILD + "/bench/bench_judge"], capture_output=True, check=True, text=True).stdout
        ours = float(re.search(r"small picture judged: +([\d.]+) us", said)[1])
        alone = re.search(r"checks: +([\d.]+) us; ratio ([\d.]+)", said)
        with open(self.path("signed/100KB.png"), "rb") as file:
            data = file.read()
        seconds = []
        for _ in range(200):
            begin = time.perf_counter()
            c2pa.Reader("image/png", io.BytesIO(data)).json()
            seconds.append(time.perf_counter() - begin)
        theirs = statistics.median(seconds) * 1e6
        return (f"In process, a small picture is judged in {ours:.0f} us, {alone[2]} times what its Ed25519 and X.509 checks take "
                f"alone ({alone[1]} us); c2pa-python 0.38.1 takes {theirs:.0f} us for one of 100 KB.")

    def many(self):
        os.mkdir(self.path("many"))
        stream = io.BytesIO()
        picture(96, 72).save(stream, "jpeg", quality=85)
        data = stream.getvalue()
        for i in range(FILES):
            with open(self.path(f"many/{i:06}.jpg"), "wb") as file:
                file.write(data[:-2] + b"\xff\xfe\x00\x08%06d" % i + data[-2:])
        words = []
        for verb, command in (("signed", [OURS, "sign", "-q", "--no-pixels", "-o", self.path("stamped"), self.path("many")]),
                              ("verified", [OURS, "verify", "-q", self.path("stamped")])):
            wall, cpu = run(command)
            words.append(f"{verb} in {wall:.1f} s, {wall / FILES * 1e3:.2f} ms each, with "
                         f"{100 * cpu / wall / len(os.sched_getaffinity(0)):.0f} % of the processors")
        return f"A folder of {FILES:,} JPEGs of {len(data) / 1000:.0f} KB is " + " and ".join(words) + "."

    def durable(self):
        """The same signing where files are."""
        with tempfile.TemporaryDirectory() as disk:
            env = dict(os.environ, BLINDSTAMP_HOME=disk + "/home")
            shutil.copytree(self.home, disk + "/home")
            took = [statistics.median(run([OURS, "sign", "-q", "--no-pixels", "--force", "-o", disk, self.path("in/" + name)], env)[0]
                                      for _ in range(5)) for name in ("100KB.png", "50MB.png")]
        return f"On this machine's disk, whose answer it awaits, sign takes {ms(took[0])} ms for 100 KB and {ms(took[1])} ms for 50 MB."


def main():
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    head = ["picture", "verify ms", "c2patool 0.27.22 ms", "times as fast", "openssl dgst ms", "ours / openssl", "sign ms",
            "c2patool ms", "times as fast"]
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        bench = Bench(folder)
        rows = [bench.row(size, kind, shape) for size, kinds in SIZES.items() for kind, shape in kinds.items()]
        notes = [bench.in_process(), bench.many(), bench.durable()]
    widths = [max(len(row[i]) for row in [head] + rows) for i in range(len(head))]
    lines = [[text.ljust(width) for text, width in zip(row, widths)] for row in [head] + rows]
    lines.insert(1, ["-" * width for width in widths])
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n\n" + " ".join(notes)
    print(table)
    if len(sys.argv) > 3:
        begin, end = "<!-- bench-credentials begin -->\n", "\n<!-- bench-credentials end -->"
        with open(sys.argv[3]) as file:
            text = file.read()
        before, rest = text.split(begin)
        with open(sys.argv[3], "w") as file:
            file.write(before + begin + table + end + rest.split(end)[1])


main()
