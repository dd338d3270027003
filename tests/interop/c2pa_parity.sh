#!/usr/bin/env bash
# Our validator beside the C2PA reference implementation (npm, pinned; fetched once into the build folder), on some
# hundreds of files that are right or wrong in one way: the same state, the same status codes.
set -u
BUILD=${BUILD:-$PWD/build}
root=$PWD
work=$BUILD/c2pa
package=@contentauth/c2pa-wasm@0.13.3
skip() { echo "ok c2pa_parity # SKIP $1"; exit 0; }
command -v node >/dev/null && command -v npm >/dev/null || skip "node and npm are not installed"
command -v openssl >/dev/null || skip "openssl is not installed"
mkdir -p "$work"
if [ ! -d "$work/node_modules/@contentauth/c2pa-wasm" ]; then
    (cd "$work" && npm install --ignore-scripts --no-audit --no-fund --save-exact "$package") >"$work/log" 2>&1 ||
        skip "npm cannot fetch $package"
fi
make -s BUILD="$BUILD" "$BUILD/interop/judge" >"$work/log" 2>&1 ||
    { echo "not ok c2pa_parity builds"; sed 's/^/# /' "$work/log"; exit 1; }

rm -rf "$work/parity" && mkdir -p "$work/parity" && cd "$work/parity" || exit 1
# shellcheck source=tests/interop/c2pa_certificates.bash
. "$root/tests/interop/c2pa_certificates.bash"
ed=(-algorithm ed25519)
p256=(-algorithm EC -pkeyopt ec_paramgen_curve:P-256)
{
    section no-usage -keyUsage
    section other-usage "keyUsage = critical,keyEncipherment"
    section repudiation "keyUsage = critical,nonRepudiation"
    section signs-certificates "keyUsage = critical,digitalSignature,keyCertSign"
    section no-purpose -extendedKeyUsage
    section any-purpose "extendedKeyUsage = anyExtendedKeyUsage"
    section documents "extendedKeyUsage = 1.3.6.1.5.5.7.3.36"
    section server "extendedKeyUsage = serverAuth"
    section claim-signing "extendedKeyUsage = emailProtection,1.3.6.1.4.1.62558.2.1"
    section no-issuer -authorityKeyIdentifier "authorityKeyIdentifier = none"
    section no-subject-key "subjectKeyIdentifier = none"
    section authority "basicConstraints = critical,CA:TRUE"
    section critical "1.2.3.4 = critical,DER:0500"
    section intermediate "basicConstraints = critical,CA:TRUE" "keyUsage = critical,keyCertSign" -extendedKeyUsage
    section stamps "extendedKeyUsage = critical,timeStamping"
    root root && root otherroot &&
        leaf ed25519 root leaf 10 "${ed[@]}" &&
        leaf es256 root leaf 10 "${p256[@]}" &&
        leaf es384 root leaf 10 -algorithm EC -pkeyopt ec_paramgen_curve:P-384 &&
        leaf es512 root leaf 10 -algorithm EC -pkeyopt ec_paramgen_curve:P-521 &&
        leaf ps256 root leaf 10 -algorithm RSA -pkeyopt rsa_keygen_bits:2048 &&
        leaf short root leaf 10 -algorithm RSA -pkeyopt rsa_keygen_bits:1024 &&
        leaf stranger otherroot leaf 10 "${ed[@]}" &&
        cp ps256.key tsa.key && cp ps256.key strangertsa.key &&
        leaf tsa root stamps 10 && leaf strangertsa otherroot stamps 10 &&
        printf '[tsa]\ndefault_tsa = t\n[t]\nserial = tsa.srl\ndefault_policy = 1.2.3.4\ndigests = sha256\nsigner_digest = sha256\ness_cert_id_alg = sha256\n' >tsa.cnf &&
        echo 1000 >tsa.srl &&
        for odd in no-usage other-usage repudiation signs-certificates no-purpose any-purpose documents server \
            claim-signing no-issuer no-subject-key authority critical; do
            leaf "$odd" root "$odd" 10 "${ed[@]}" || exit 1
        done &&
        leaf intermediate root intermediate 10 "${p256[@]}" &&
        leaf below intermediate leaf 10 "${ed[@]}" &&
        openssl req -x509 -newkey ed25519 -nodes -keyout selfsigned.key -config openssl.cnf -extensions leaf \
            -subj "/O=Example/CN=Example self" -days 10 -out selfsigned.pem
    openssl genpkey "${ed[@]}" -out expired.key &&
        openssl req -new -key expired.key -config openssl.cnf -subj "/O=Example/CN=Example expired" -out expired.csr &&
        mkdir -p ca && : >ca/index && echo 01 >ca/serial &&
        printf '[ca]\ndefault_ca = d\n[d]\ndatabase = ca/index\nserial = ca/serial\nnew_certs_dir = ca\ndefault_md = sha256\npolicy = p\n[p]\nO = optional\nCN = supplied\n' >ca.cnf &&
        openssl ca -batch -config ca.cnf -cert root.pem -keyfile root.key -in expired.csr -extfile openssl.cnf \
            -extensions leaf -startdate 20200101000000Z -enddate 20210101000000Z -notext -out expired.pem
} >../log 2>&1 || { echo "not ok openssl makes certificates"; sed 's/^/# /' ../log; exit 1; }
cd "$work" && exec node "$root/tests/interop/c2pa_parity.mjs" parity "$BUILD/interop/judge" \
    "$root/tests/fuzz/corpus/image/rgb.png" "$root/tests/fuzz/corpus/image/base.jpg"
