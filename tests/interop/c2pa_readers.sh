#!/usr/bin/env bash
# Our files before every reader that can be had: the reference implementation as wasm, in Python and as c2patool, c2pa-ts,
# which shares no code with it, and exiftool. Formats x algorithms x options, and of what the program makes itself x
# privacy; an openssl authority issues the certificates, time stamps and revocation answers.
set -u
export BUILD=${BUILD:-$PWD/build}
root=$PWD
work=$BUILD/c2pa
packages=(@contentauth/c2pa-wasm@0.13.3 @trustnxt/c2pa-ts@0.9.4)
status=0
skip() { echo "ok c2pa_readers # SKIP $1"; exit 0; }
for tool in node npm openssl python3 protoc-c jq; do command -v $tool >/dev/null || skip "$tool is not installed"; done
mkdir -p "$work"
for package in "${packages[@]}"; do
    [ -d "$work/node_modules/${package%@*}" ] ||
        (cd "$work" && npm install --ignore-scripts --no-audit --no-fund --save-exact "$package") >"$work/log" 2>&1 ||
        skip "npm cannot fetch $package"
done
bs=$BUILD/bin/blindstamp
[ -x "$bs" ] || skip "the program is not built"

# ---- the files ----
files=$work/readers
rm -rf "$files" && mkdir -p "$files/models" "$files/ca"
# shellcheck source=tests/cli/authority.bash
. "$root/tests/cli/authority.bash"
export BLINDSTAMP_MODELS=$files/models HOME=$files/person
authority_make "$files/ca"
issue tsa tsa "${p256[@]}" && issue ocsp ocsp "${p256[@]}" || { echo "not ok openssl makes certificates"; exit 1; }
authority_start
server=$AUTHORITY_PID
trap 'kill $server 2>/dev/null' EXIT
sed -i "/^\[signer\]/a authorityInfoAccess = OCSP;URI:$authority/ocsp" "$ca/authority.cnf"
declare -A arguments=([ed25519]="-algorithm ed25519" [es256]="-algorithm EC -pkeyopt ec_paramgen_curve:P-256"
    [es384]="-algorithm EC -pkeyopt ec_paramgen_curve:P-384" [es512]="-algorithm EC -pkeyopt ec_paramgen_curve:P-521"
    [ps256]="-algorithm RSA -pkeyopt rsa_keygen_bits:2048" [ps384]="-algorithm RSA -pkeyopt rsa_keygen_bits:2048"
    [ps512]="-algorithm RSA -pkeyopt rsa_keygen_bits:3072")
algorithms=(ed25519 es256 es384 es512 ps256 ps384 ps512)
protoc-c --encode=onnx.ModelProto --proto_path="$root/gen" onnx.proto <"$root/tests/cli/dots.onnx.txt" >"$files/models/dots.onnx"

identity() { # ALG: an identity that signs with it, and revocation answers for its certificate
    # shellcheck disable=SC2086
    issue "$1" signer ${arguments[$1]} &&
        printf 'V\t300101000000Z\t\t%s\tunknown\t/O=%s\n' "$(openssl x509 -in "$ca/$1.pem" -noout -serial | cut -d= -f2)" "$1" >>"$ca/index.txt" &&
        "$bs" init --home "$files/home-$1" --author "Ada Example" --no-passphrase -q &&
        cat "$ca/root.pem" >>"$ca/$1.pem" &&
        "$bs" cert import --home "$files/home-$1" "$ca/$1.pem" --key "$ca/$1.key" --alg "$1" -q
}
copies() { # FOLDER: the pictures to be signed, one of each format
    mkdir -p "$1" && cp "$root/tests/fuzz/corpus/image"/{base.jpg,rgb.png,lossy.webp} "$1"
}
sign_all() { # ALG: everything that sign can do
    local home=$files/home-$1 to=$files/$1
    copies "$to/given" &&
        "$bs" sign --home "$home" -q "$to/given" -o "$to/plain" --source-type capture &&
        "$bs" sign --home "$home" -q "$to/given" -o "$to/no-train" --no-train &&
        "$bs" sign --home "$home" -q "$to/given" -o "$to/stamped" --tsa "$authority/tsa" &&
        "$bs" sign --home "$home" -q "$to/given" -o "$to/stapled" --staple &&
        "$bs" sign --home "$home" -q "$to/given" -o "$to/all" --no-train --thumbnail --tsa "$authority/tsa" --staple --source-type generated &&
        "$bs" sign --home "$home" -q "$to/plain" -o "$to/again" --again --source-type edited &&
        copies "$to/place" && "$bs" sign --home "$home" -q "$to/place" --in-place &&
        copies "$to/sidecar" && rm "$to/sidecar/lossy.webp" &&
        "$bs" sign --home "$home" -q "$to/sidecar" --sidecar &&
        copies "$to/sidecar-webp" && rm "$to/sidecar-webp"/{base.jpg,rgb.png} &&
        "$bs" sign --home "$home" -q "$to/sidecar-webp" --sidecar --no-train --tsa "$authority/tsa" &&
        rm -r "$to/given"
}
make_all() { # ALG: pictures of the program itself
    local level
    for level in public partner private; do
        "$bs" gen --home "$files/home-$1" -q -m dots --seed 7 --prompt "many dots" --title "Dots" --privacy $level -o "$files/$1/made-$level" &&
            "$bs" gen --home "$files/home-$1" -q -m dots --seed 8 --prompt "many dots" --privacy $level --no-train \
                --tsa "$authority/tsa" --staple -o "$files/$1/made-all-$level" || return
    done
}
# A picture that passed through seven hands: each has signed it, the one before is its parent.
pass_on() {
    local alg from=$files/ed25519/plain
    for alg in "${algorithms[@]:1}"; do
        "$bs" sign --home "$files/home-$alg" -q "$from" -o "$files/passed/$alg" || return
        from=$files/passed/$alg
    done
}
{
    for alg in "${algorithms[@]}"; do identity "$alg" && sign_all "$alg" && make_all "$alg" || exit 1; done
    pass_on
} >"$work/log" 2>&1 || { echo "not ok blindstamp signs in every way"; sed 's/^/# /' "$work/log"; exit 1; }
kill $server
trap - EXIT

cd "$files" || exit 1
find "${algorithms[@]}" passed -type f ! -name '*.c2pa' | sort >list
# One byte of the picture is another in each fifth file: whoever says "Trusted" to everything is found out.
mkdir altered
awk 'NR % 5 == 0' list | while read -r file; do
    copy=altered/${file//\//-}
    cp "$file" "$copy" && [ ! -f "${file%.*}.c2pa" ] || cp "${file%.*}.c2pa" "${copy%.*}.c2pa"
    at=$(($(stat -c %s "$file") * 98 / 100))
    [ "${file##*.}" != webp ] || at=60 # its manifest stands at its end
    printf "\\x$(printf %02x $((0x$(od -An -tx1 -j$at -N1 "$file" | tr -d ' ') ^ 1)))" | dd of="$copy" bs=1 seek=$at conv=notrunc status=none
done
find altered -type f ! -name '*.c2pa' | sort >altered-list
mapfile -t all < <(cat list altered-list)

# ---- the readers ----
# judge NAME UNREAD: their lines in answers-NAME; each file of the list Trusted without failure, each altered one not;
# UNREAD of them the reader does not know how to read.
judge() {
    local name=$1 unread=$2 answers good bad wrong
    answers=$(wc -l <"answers-$1")
    good=$(grep -v ' altered/' "answers-$1" | grep -c '^Trusted - ')
    bad=$(grep -v ' altered/' "answers-$1" | grep -v '^Trusted - ' | grep -vc '^Unread ')
    wrong=$(grep ' altered/' "answers-$1" | grep -c '^Trusted ')
    if [ "$answers" = ${#all[@]} ] && [ "$bad" = 0 ] && [ "$good" -gt 0 ] && [ $((good + unread)) = "$(wc -l <list)" ]; then
        echo "ok $name: $good files are Trusted without failure"
    else
        echo "not ok $name: $good of $(wc -l <list) files are Trusted, $unread should be unread; $answers of ${#all[@]} answers"
        grep -v ' altered/' "answers-$1" | grep -v '^Trusted - ' | sed 's/^/# /' | head -30
        status=1
    fi
    if [ "$wrong" = 0 ]; then echo "ok $name: none of the altered files is"; else
        echo "not ok $name: altered files are Trusted"
        grep '^Trusted .*altered/' "answers-$1" | sed 's/^/# /'
        status=1
    fi
}
count() { grep -cE "$1" list; }
"$bs" verify --trust ca/root.pem --trust-tsa ca/root.pem --json "${all[@]}" 2>"$work/log" |
    jq -r '.[] | [(.c2pa.state // "refused" | (.[:1] | ascii_upcase) + .[1:]),
        ([.c2pa.statuses[]? | select(.kind == "failure").code] | join(",") | if . == "" then "-" else . end), .file] | join(" ")' >answers-ours
judge ours 0
node "$root/tests/interop/c2pa_readers.mjs" wasm ca/root.pem "${all[@]}" >answers-c2pa-wasm
judge c2pa-wasm "$(count '/sidecar')"
node "$root/tests/interop/c2pa_readers.mjs" ts ca/root.pem "${all[@]}" >answers-c2pa-ts
judge c2pa-ts "$(count 'webp$|/(stamped|all|made-all-[a-z]*)/|es512/')"
if python=$("$root/tests/venv.sh" c2pa c2pa-python==0.38.1 2>"$work/log"); then
    "$python" "$root/tests/interop/c2pa_readers.py" python ca/root.pem "${all[@]}" >answers-c2pa-python
    judge c2pa-python 0
else
    echo "ok c2pa-python # SKIP $(cat "$work/log")"
fi
c2patool=$BUILD/peers/bin/c2patool
[ -x "$c2patool" ] || c2patool=$(command -v c2patool)
if [ -n "$c2patool" ]; then
    python3 "$root/tests/interop/c2pa_readers.py" "$c2patool" ca/root.pem "${all[@]}" >answers-c2patool
    judge c2patool 0
else
    echo "ok c2patool # SKIP it is not installed; make c2patool builds it in a quarter of an hour"
fi
if command -v exiftool >/dev/null; then
    # Debian's looks for C2PA in PNG and JPEG, not in WebP or sidecars.
    grep -vE 'webp$|/sidecar/' list >exiftool-list
    exiftool -q -p '$CBOR:Claim_Generator_InfoName $directory/$filename' -@ exiftool-list >answers-exiftool 2>"$work/log"
    shown=$(grep -c '^Blindstamp ' answers-exiftool) want=$(wc -l <exiftool-list)
    if [ "$shown" = "$want" ]; then echo "ok exiftool shows who made the manifest of $shown files"; else
        echo "not ok exiftool shows it of $shown of $want files"
        sed 's/^/# /' "$work/log" | head
        status=1
    fi
else
    echo "ok exiftool # SKIP it is not installed"
fi
exit $status
