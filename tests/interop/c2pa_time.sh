#!/usr/bin/env bash
# Our pictures signed with every algorithm, time-stamped and stapled, before the C2PA reference implementation (npm,
# pinned); openssl is their authority. Our reader must come to the same state and the same status codes.
set -u
BUILD=${BUILD:-$PWD/build}
root=$PWD
work=$BUILD/c2pa
package=@contentauth/c2pa-wasm@0.13.3
status=0
skip() { echo "ok c2pa_time # SKIP $1"; exit 0; }
command -v node >/dev/null && command -v npm >/dev/null || skip "node and npm are not installed"
command -v openssl >/dev/null || skip "openssl is not installed"
mkdir -p "$work"
if [ ! -d "$work/node_modules/@contentauth/c2pa-wasm" ]; then
    (cd "$work" && npm install --ignore-scripts --no-audit --no-fund --save-exact "$package") >"$work/log" 2>&1 ||
        skip "npm cannot fetch $package"
fi
make -s BUILD="$BUILD" all "$BUILD/interop/sign_as" >"$work/log" 2>&1 || { echo "not ok c2pa_time builds"; sed 's/^/# /' "$work/log"; exit 1; }
bs=$BUILD/bin/blindstamp
export BLINDSTAMP_HOME=$work/time/none

rm -rf "$work/time" && mkdir -p "$work/time" && cd "$work/time" || exit 1
# shellcheck source=tests/cli/authority.bash
. "$root/tests/cli/authority.bash"
authority_make "$work/time"
declare -A arguments=([ed25519]="-algorithm ed25519" [es256]="-algorithm EC -pkeyopt ec_paramgen_curve:P-256"
    [es384]="-algorithm EC -pkeyopt ec_paramgen_curve:P-384" [es512]="-algorithm EC -pkeyopt ec_paramgen_curve:P-521"
    [ps256]="-algorithm RSA -pkeyopt rsa_keygen_bits:2048")
{
    issue tsa tsa "${p256[@]}" && issue ocsp ocsp "${p256[@]}"
    for alg in "${!arguments[@]}"; do
        # shellcheck disable=SC2086
        issue "$alg" signer ${arguments[$alg]} || exit 1
    done
} || { echo "not ok openssl makes certificates"; exit 1; }
for alg in ps384 ps512; do cp ps256.key $alg.key && cp ps256.pem $alg.pem; done

# stamp NAME.png: puts a time stamp into it.
stamp() {
    rm -f q.tsq && "$bs" timestamp request "$1" -q -o q.tsq &&
        openssl ts -reply -config authority.cnf -section tsa_section -queryfile q.tsq -out q.tsr 2>/dev/null &&
        "$bs" timestamp attach "$1" q.tsr -q
}
answer() { # OUTPUT STATUS REVOCATION-TIME RESPONDER [OPENSSL-ARGUMENTS]: about es256.pem
    local output=$1 responder=$4
    printf '%s\t300101000000Z\t%s\t%s\tunknown\t/O=X\n' "$2" "$3" "$(openssl x509 -in es256.pem -noout -serial | cut -d= -f2)" >index.txt
    [ "$2" != - ] || : >index.txt
    shift 4
    openssl ocsp -index index.txt -CA root.pem -rsigner "$responder.pem" -rkey "$responder.key" -issuer root.pem -cert es256.pem \
        -respout "$output" "$@" >/dev/null 2>&1
}
{
    for alg in ed25519 es256 es384 es512 ps256 ps384 ps512; do
        "$BUILD/interop/sign_as" $alg.key $alg.pem $alg plain-$alg.png &&
            "$BUILD/interop/sign_as" $alg.key $alg.pem $alg stamped-$alg.png 10240 && stamp stamped-$alg.png || exit 1
    done
    answer good.der V "" ocsp -ndays 7
    answer revoked.der R 251101000000Z,keyCompromise ocsp -ndays 7
    answer later.der R 491101000000Z,keyCompromise ocsp -ndays 7
    answer unknown.der - "" ocsp -ndays 7
    answer open.der V "" ocsp
    answer tsa.der V "" tsa -ndays 7
    echo hello >junk.der
    for kind in good revoked later unknown open tsa junk; do
        "$BUILD/interop/sign_as" es256.key es256.pem es256 ocsp-$kind.png 12000 $kind.der &&
            cp ocsp-$kind.png ocsp-stamped-$kind.png && stamp ocsp-stamped-$kind.png || exit 1
    done
    "$BUILD/interop/sign_as" es384.key es384.pem es384 ocsp-other.png 4096 good.der
} >"$work/log" 2>&1 || { echo "not ok c2pa_time signs"; sed 's/^/# /' "$work/log"; exit 1; }

"$bs" verify --trust root.pem --trust-tsa root.pem --json ./*.png >ours.json 2>"$work/log"
node "$root/tests/interop/c2pa_time.mjs" root.pem ours.json || status=1
exit $status
