#!/usr/bin/env bash
# Our validator beside the C2PA reference implementation (npm, pinned; fetched once into the build folder), on some
# hundreds of files that are right or wrong in one way: the same state, the same status codes.
set -u
export BUILD=${BUILD:-$PWD/build}
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

# dated NAME SECTION FROM UNTIL KEY-OPTION...
dated() {
    local name=$1 extensions=$2 from=$3 until=$4
    shift 4
    openssl genpkey "$@" -out "$name.key" &&
        openssl req -new -key "$name.key" -config openssl.cnf -subj "/O=Example/CN=Example $name" -out "$name.csr" &&
        openssl ca -batch -config ca.cnf -cert root.pem -keyfile root.key -in "$name.csr" -extfile openssl.cnf \
            -extensions "$extensions" -startdate "$from" -enddate "$until" -notext -out "$name.pem"
}
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
    section both-purposes "extendedKeyUsage = emailProtection,serverAuth"
    section stamping-too "extendedKeyUsage = emailProtection,timeStamping"
    section revoking-too "extendedKeyUsage = emailProtection,OCSPSigning"
    section any-too "extendedKeyUsage = emailProtection,anyExtendedKeyUsage"
    section code "extendedKeyUsage = codeSigning"
    section stamping "extendedKeyUsage = critical,timeStamping"
    section revoking "extendedKeyUsage = OCSPSigning"
    section own-purpose "extendedKeyUsage = 1.2.3.4.5"
    section critical-purpose "extendedKeyUsage = critical,emailProtection"
    section usage-not-critical "keyUsage = digitalSignature"
    section agrees-too "keyUsage = critical,digitalSignature,keyAgreement"
    section revokes-too "keyUsage = critical,digitalSignature,cRLSign"
    section no-constraints -basicConstraints
    section constraints-not-critical "basicConstraints = CA:FALSE"
    section not-critical-authority "basicConstraints = CA:TRUE"
    section policy "certificatePolicies = 1.3.6.1.4.1.62558.1.1"
    section unknown "1.2.3.4 = DER:0500"
    section issuer-and-serial "authorityKeyIdentifier = keyid:always,issuer:always"
    section intermediate "basicConstraints = critical,CA:TRUE" "keyUsage = critical,keyCertSign" -extendedKeyUsage
    section end-of-path "basicConstraints = critical,CA:TRUE,pathlen:0" "keyUsage = critical,keyCertSign" -extendedKeyUsage
    section signs-nothing "basicConstraints = critical,CA:TRUE" "keyUsage = critical,cRLSign" -extendedKeyUsage
    section for-servers "basicConstraints = critical,CA:TRUE" "keyUsage = critical,keyCertSign" "extendedKeyUsage = serverAuth"
    section others-names "basicConstraints = critical,CA:TRUE" "keyUsage = critical,keyCertSign" "nameConstraints = critical,permitted;dirName:others" -extendedKeyUsage
    printf '[others]\nO = Others\n' >>openssl.cnf
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
            claim-signing no-issuer no-subject-key authority critical both-purposes stamping-too revoking-too any-too code \
            stamping revoking own-purpose critical-purpose usage-not-critical agrees-too revokes-too no-constraints \
            constraints-not-critical not-critical-authority policy unknown issuer-and-serial; do
            leaf "$odd" root "$odd" 10 "${ed[@]}" || exit 1
        done &&
        leaf intermediate root intermediate 10 "${p256[@]}" &&
        leaf below intermediate leaf 10 "${ed[@]}" &&
        for authority in end-of-path signs-nothing for-servers others-names; do
            leaf "$authority" root "$authority" 10 "${p256[@]}" && leaf "below-$authority" "$authority" leaf 10 "${ed[@]}" || exit 1
        done &&
        leaf second end-of-path intermediate 10 "${p256[@]}" && leaf below-second second leaf 10 "${ed[@]}" &&
        leaf below-leaf es256 leaf 10 "${ed[@]}" &&
        leaf secp256k1 root leaf 10 -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 &&
        leaf exponent3 root leaf 10 -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3 &&
        digest=sha1 leaf sha1 root leaf 10 "${ed[@]}" &&
        digest=sha224 leaf sha224 root leaf 10 "${ed[@]}" &&
        digest=sha512 leaf sha512 root leaf 10 "${ed[@]}" &&
        digest=sha1 leaf sha1-authority root intermediate 10 "${p256[@]}" &&
        leaf below-sha1-authority sha1-authority leaf 10 "${ed[@]}" &&
        leaf short-authority root intermediate 10 -algorithm RSA -pkeyopt rsa_keygen_bits:1024 &&
        leaf below-short-authority short-authority leaf 10 "${ed[@]}" &&
        openssl genpkey "${ed[@]}" -out version1.key && openssl req -new -key version1.key -config openssl.cnf -subj "/O=Example/CN=Example 1" -out version1.csr &&
        openssl x509 -req -in version1.csr -CA root.pem -CAkey root.key -days 10 -out version1.pem &&
        openssl req -x509 -newkey ed25519 -nodes -keyout selfsigned.key -config openssl.cnf -extensions leaf \
            -subj "/O=Example/CN=Example self" -days 10 -out selfsigned.pem
    mkdir -p ca && : >ca/index && echo 01 >ca/serial &&
        printf '[ca]\ndefault_ca = d\n[d]\ndatabase = ca/index\nserial = ca/serial\nnew_certs_dir = ca\ndefault_md = sha256\npolicy = p\n[p]\nO = optional\nCN = supplied\n' >ca.cnf &&
        dated expired leaf 20200101000000Z 20210101000000Z "${ed[@]}" &&
        dated future leaf 20480101000000Z 20490101000000Z "${ed[@]}" &&
        dated expired-authority intermediate 20200101000000Z 20210101000000Z "${p256[@]}" &&
        leaf below-expired-authority expired-authority leaf 10 "${ed[@]}"
} >../log 2>&1 || { echo "not ok openssl makes certificates"; sed 's/^/# /' ../log; exit 1; }
status=0
cd "$work" || exit 1
node "$root/tests/interop/c2pa_parity.mjs" parity "$BUILD/interop/judge" \
    "$root/tests/fuzz/corpus" || status=1

if python=$("$root/tests/venv.sh" c2pa c2pa-python==0.38.1 2>log); then
    node "$root/tests/interop/c2pa_sidecars.mjs" parity "$BUILD/interop/judge" "$root/tests/fuzz/corpus/image/rgb.png" "$python" || status=1
else
    echo "ok sidecars # SKIP $(cat log)"
fi

# The program says in words who signed besides the picture's signer.
if [ -x "$BUILD/bin/blindstamp" ]; then
    says() { # NAME WORDS OPTION...
        local name=$1 words=$2
        shift 2
        if "$BUILD/bin/blindstamp" verify -d "$@" parity/identity.png 2>&1 | grep -qF "$words"; then echo "ok $name"; else echo "not ok $name"; status=1; fi
    }
    export BLINDSTAMP_HOME=$work/parity/home HOME=$work/parity
    says "an identity is named, and that nobody confirms it" "calls himself Example ed25519 (Example) signed for this too as cawg.creator; nobody you trust" --trust parity/root.pem
    "$BUILD/bin/blindstamp" trust add parity/root.pem --kind cawg --name identities -q >log 2>&1
    says "an identity is named, and that it is trusted" "Example ed25519 (Example), trusted here for identities, signed for this too as cawg.creator" --trust parity/root.pem
fi
exit $status
