# c2pa_certificates.bash - sourced by c2pa_parity.sh: a root, leaves of every algorithm under it, and leaves
# that a validator must refuse, made by openssl in the current folder: NAME.key and NAME.pem.
cat >openssl.cnf <<'CNF'
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = emailProtection
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
CNF
# section NAME LINE...: the leaf's extensions with lines added; "-NAME" takes one away.
section() {
    printf '[%s]\n' "$1" >>openssl.cnf
    lines=$(sed -n '/^\[leaf\]/,/^\[/p' openssl.cnf | sed -n '/=/p' | head -5)
    shift
    for line; do
        case $line in
        -*) lines=$(grep -v "^${line#-}" <<<"$lines") ;;
        *) lines=$(grep -v "^${line%% =*} =" <<<"$lines"; printf '%s\n' "$line") ;;
        esac
    done
    printf '%s\n' "$lines" >>openssl.cnf
}
root() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -config openssl.cnf \
        -extensions ca -subj "/O=Example/CN=Example $1" -days 30 -out "$1.pem"
}
# [digest=sha384] leaf NAME ISSUER SECTION DAYS KEY-OPTION...
leaf() {
    name=$1 issuer=$2 extensions=$3 days=$4
    shift 4
    [ -f "$name.key" ] || openssl genpkey "$@" -out "$name.key" || return
    openssl req -new -key "$name.key" -config openssl.cnf -subj "/O=Example/CN=Example $name" -out "$name.csr" &&
        openssl x509 -req -in "$name.csr" -CA "$issuer.pem" -CAkey "$issuer.key" -CAcreateserial -extfile openssl.cnf \
            -extensions "$extensions" -days "$days" "-${digest:-sha256}" -out "$name.pem"
}
