#!/usr/bin/env bash
# The digest of OpenSSF Model Signing in our model statements before that project's own package (PyPI, pinned).
set -u
BUILD=${BUILD:-$PWD/build}
work=$BUILD/model-signing
packages=(model-signing==1.1.1 pyOpenSSL==26.4.0 cryptography==50.0.2 cffi==2.1.1 pycparser==3.12 asn1crypto==1.5.1
    blake3==1.0.11 click==8.5.1 in-toto-attestation==0.9.3 protobuf==7.36.2 sigstore==4.5.1 sigstore-models==0.0.6
    sigstore-rekor-types==0.0.18 typing_extensions==4.16.0 pydantic==2.14.4 pydantic_core==2.50.5 annotated-types==0.8.0
    typing-inspection==0.4.5 rfc3161-client==1.0.9 rfc8785==0.1.4 securesystemslib==1.6.0 tuf==7.0.1 id==1.6.1
    urllib3==2.8.0 requests==2.34.2 certifi==2026.10.19.post1 charset-normalizer==3.5.3 idna==3.20 platformdirs==4.14.8
    PyJWT==2.15.1 rich==15.0.0 markdown-it-py==4.3.0 mdurl==0.1.2 Pygments==2.21.0 email-validator==2.4.0
    dnspython==2.9.2)
python=$(tests/venv.sh model-signing "${packages[@]}") || { echo "ok model_signing # SKIP model-signing cannot be fetched"; exit 0; }
rm -rf "$work"
mkdir -p "$work/files"
protoc-c --encode=onnx.ModelProto --proto_path=gen onnx.proto <tests/cli/dots.onnx.txt >"$work/dots.onnx"
export BLINDSTAMP_HOME=$work/home
{ "$BUILD/bin/blindstamp" init --author "Ada Example" --no-passphrase && "$BUILD/bin/blindstamp" model add "$work/dots.onnx" &&
    "$BUILD/bin/blindstamp" ledger export "$work/export"; } >"$work/log" 2>&1 ||
    { echo "not ok model_signing: a model is recorded"; sed 's/^/# /' "$work/log"; exit 1; }
"$python" - "$work" <<'EOF'
import base64
import json
import pathlib
import sys

from model_signing import hashing
from model_signing._signing import signing

work = pathlib.Path(sys.argv[1])
line = (work / "export/entries.jsonl").read_text().splitlines()[1]
statement = json.loads(base64.b64decode(json.loads(line)["payload"]))["predicate"]["openssf_model_signing"]
failed = 0


def check(name, good):
    global failed
    failed += not good
    print(("ok" if good else "not ok") + " model_signing " + name)


def accepts(value):
    try:
        return signing.dsse_payload_to_manifest(value)
    except ValueError:
        return None


measured = hashing.Config().hash(work / "dots.onnx")
read = accepts(statement)
check("reads the statement that ours holds", read is not None)
check("finds the file that it names", read == measured)
check("gives it the same name", read is not None and read.model_name == measured.model_name)
check("states the same digest", json.loads(json.dumps(statement["subject"][0]["digest"])) ==
      {"sha256": dict(signing.Payload(measured).statement.pb.subject[0].digest)["sha256"]})
statement["predicate"]["resources"][0]["digest"] = "00" * 32
check("refuses it with another file's digest", accepts(statement) is None)
sys.exit(failed > 0)
EOF
