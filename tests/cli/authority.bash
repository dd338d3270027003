# authority.bash - a certificate authority for tests, made by openssl: a root, and what it issues. Sourced after
# helpers.bash, or by tests of interoperability. authority_make FOLDER, then issue NAME SECTION KEY-ARGUMENTS...
authority_make() {
    ca=$1
    mkdir -p "$ca"
    cat >"$ca/authority.cnf" <<'CNF'
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[signer]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = emailProtection
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[tsa]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[ocsp]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = OCSPSigning
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[tsa_section]
serial = serial
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
signer_cert = tsa.pem
certs = root.pem
signer_key = tsa.key
signer_digest = sha256
ess_cert_id_alg = sha256
CNF
    echo 01 >"$ca/serial"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$ca/root.key" -config "$ca/authority.cnf" \
        -extensions root -subj "/O=Example/CN=Example root" -days 30 -out "$ca/root.pem" 2>/dev/null
}

issue() { # NAME SECTION KEY-ARGUMENTS...
    local name=$1 section=$2
    shift 2
    openssl genpkey "$@" -out "$ca/$name.key" 2>/dev/null &&
        openssl req -new -key "$ca/$name.key" -config "$ca/authority.cnf" -subj "/O=Example/CN=Example $name" -out "$ca/$name.csr" &&
        certify "$name" "$section"
}

certify() { # NAME SECTION [OPENSSL-ARGUMENTS...]: from NAME.csr
    local name=$1 section=$2
    shift 2
    [ $# -gt 0 ] || set -- -days 10
    openssl x509 -req -in "$ca/$name.csr" -CA "$ca/root.pem" -CAkey "$ca/root.key" -CAcreateserial -extfile "$ca/authority.cnf" \
        -extensions "$section" "$@" -out "$ca/$name.pem" 2>/dev/null
}

p256=(-algorithm EC -pkeyopt ec_paramgen_curve:P-256)

authority_start() { # after issue tsa and issue ocsp; sets $authority to its address
    coproc AUTHORITY { exec python3 "${root:-$PWD}/tests/cli/authority.py" "$ca" 2>/dev/null; }
    local port
    read -r port <&"${AUTHORITY[0]}"
    authority=http://127.0.0.1:$port
}
