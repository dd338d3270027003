# c2pa_readers.py python|PROGRAM ROOT.pem FILE... - what c2pa-python, or c2patool at PROGRAM, says of each file, one line:
# "STATE FAILURE,... FILE". c2patool finds a sidecar itself, c2pa-python must be given it.
import json
import pathlib
import subprocess
import sys

TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


def failures(results):
    deltas = [d["validationDeltas"] for d in results.get("ingredientDeltas", [])]
    return [s["code"] for r in [results.get("activeManifest", {}), *deltas] for s in r.get("failure", [])]


def library(root):
    import c2pa

    anchors = [{"trust_anchors": pathlib.Path(root).read_text(), "trust_kind": kind} for kind in ("manifest", "tsa")]
    settings = {
        "version": 1,
        "trust": {"anchors": anchors},
        "verify": {"verify_trust": True, "ocsp_fetch": False, "remote_manifest_fetch": False},
    }
    context = c2pa.Context(settings=c2pa.Settings.from_dict(settings))

    def ask(path):
        sidecar = path.with_suffix(".c2pa")
        try:
            with path.open("rb") as stream:
                given = sidecar.read_bytes() if sidecar.exists() else None
                return c2pa.Reader(TYPES[path.suffix], stream, given, context=context).json()
        except c2pa.C2paError as error:
            return str(error)

    return ask


# Its engine is older than the pinned one, and knows one list of anchors.
def program(name, root):
    def ask(path):
        said = subprocess.run([name, str(path), "trust", "--trust_anchors", root], capture_output=True, text=True)
        return said.stdout if said.returncode == 0 else said.stderr

    return ask


which, root, *files = sys.argv[1:]
ask = library(root) if which == "python" else program(which, root)
for name in files:
    said = ask(pathlib.Path(name))
    if said.startswith("{"):
        store = json.loads(said)
        print(store["validation_state"], ",".join(failures(store["validation_results"])) or "-", name)
    else:
        print("Refused", "_".join(said.split()) or "-", name)
