#!/usr/bin/env bash
# cert: a certificate from somebody else's authority, asked for, checked, taken in and signed with.
. tests/cli/helpers.bash
. tests/cli/authority.bash
for tool in openssl python3; do command -v $tool >/dev/null || { skip cert "$tool is not installed"; exit 0; }; done
models
identity
authority_make "$work/ca"
# A chain of three: root, intermediate, leaf.
issue between root "${p256[@]}"
below() { # NAME SECTION [OPENSSL-ARGUMENTS]: NAME.pem from NAME.csr, issued by between
    local name=$1 section=$2
    shift 2
    [ $# -gt 0 ] || set -- -days 10
    openssl x509 -req -in "$ca/$name.csr" -CA "$ca/between.pem" -CAkey "$ca/between.key" -CAcreateserial \
        -extfile "$ca/authority.cnf" -extensions "$section" "$@" -out "$ca/$name.pem" 2>/dev/null
}
state() { "$bs" verify --json "$@" | jq -r '.[0].c2pa.state'; }
keys() { find "$work/home/keys" -name 'claim-*' | wc -l; }

# ---- requests ----
expect 0 "csr for the author's own key" "$bs" cert csr --country DE -o "$work/own.csr"
check "openssl accepts it" openssl req -in "$work/own.csr" -verify -noout
same "it is for the author's key" "$(openssl req -in "$work/own.csr" -pubkey -noout)" "$("$bs" key export author)"
same "it asks for what C2PA wants" "$(openssl req -in "$work/own.csr" -text -noout | grep -c 'E-mail Protection, 1.3.6.1.4.1.62558.2.1\|Digital Signature\|C = DE, O = Ada Example, CN = Ada Example')" 3
same "no key was made" "$(keys)" 0
for alg in es256 es384 es512 ps256; do
    expect 0 "csr --alg $alg" "$bs" cert csr --alg $alg --organisation Studio -o "$ca/$alg.csr"
    check "openssl accepts $alg" openssl req -in "$ca/$alg.csr" -verify -noout
done
same "keys were made" "$(keys)" 4
same "closed to others" "$(find "$work/home/keys" -name 'claim-*' -printf '%m\n' | sort -u)" 600
expect 1 "unknown algorithm" "$bs" cert csr --alg es257
expect 1 "country that is none" "$bs" cert csr --country Germany
expect 1 "csr into a file that exists" "$bs" cert csr -o "$work/own.csr"

# ---- check ----
for alg in es256 es384 es512 ps256; do below $alg signer; done
expect 0 "check a good one" "$bs" cert check "$ca/es256.pem"
says "says so" 'Validators accept it'
spoil() { # NAME SED-COMMAND...: the section signer changed
    sed "$@" "$ca/authority.cnf" >"$ca/spoilt.cnf"
    openssl x509 -req -in "$ca/es256.csr" -CA "$ca/between.pem" -CAkey "$ca/between.key" -CAcreateserial -extfile "$ca/spoilt.cnf" \
        -extensions signer -days 10 -out "$work/spoilt.pem" 2>/dev/null
}
refused() { # RULE FIX: of the last spoilt one
    expect 3 "check finds $1" "$bs" cert check "$work/spoilt.pem"
    says "names the rule" "NO +$1 "
    says "and the fix" "fix: .*$2"
    same "and no other" "$("$bs" cert check --json "$work/spoilt.pem" | jq -r '[.rules[] | select(.kept | not) | .rule] | join(" ")')" "$1"
    expect 1 "import refuses it" "$bs" cert import "$work/spoilt.pem"
    hints "for that rule" "rule $1"
}
spoil '/^\[signer\]/,/^\[tsa\]/{/extendedKeyUsage/d}' && refused extended-key-usage emailProtection
spoil '/^\[signer\]/,/^\[tsa\]/s/emailProtection/1.3.6.1.4.1.62558.2.1/' && refused extended-key-usage emailProtection
spoil '/^\[signer\]/,/^\[tsa\]/s/= digitalSignature\|critical,digitalSignature/critical,keyEncipherment/' && refused key-usage digitalSignature
spoil '/^\[signer\]/,/^\[tsa\]/s/CA:FALSE/CA:TRUE/' && refused end-entity CA:FALSE
spoil '/^\[signer\]/,/^\[tsa\]/s/keyid:always/none/' && refused authority-key-id keyid
spoil '/^\[signer\]/a 1.2.3.4 = critical,DER:0500' && refused critical 'without that extension'
openssl req -x509 -newkey rsa:1024 -nodes -keyout "$work/short.key" -config "$ca/authority.cnf" -extensions signer -subj /O=X -days 9 \
    -out "$work/short.pem" 2>/dev/null
expect 3 "check finds a short key" "$bs" cert check "$work/short.pem"
says "names the rule" 'NO +key '
expect 4 "check of something else" "$bs" cert check "$work/own.csr"

# ---- import ----
expect 0 "show before: the local authority" "$bs" cert show
says "says whose" 'your local authority'
expect 1 "somebody else's certificate" "$bs" cert import "$ca/between.pem"
hints "says that it is for no key" 'for a key of yours'
cat "$ca/root.pem" "$ca/between.pem" "$ca/es256.pem" >"$work/answer.pem" # in disorder, and with the root
expect 0 "import" "$bs" cert import "$work/answer.pem"
says "tells the chain" 'issued by +CN=Example between'
same "the chain was put in order" "$("$bs" cert show --json | jq -r '[.certificates[].subject] | map(split(",")[0]) | join(" ")')" "CN=Ada Example CN=Example between CN=Example root"
expect 0 "gen signs with it" "$bs" gen -m dots --seed 1 -o "$work/p"
same "the manifest's signer is it" "$("$bs" verify --json "$work/p/dots-1.png" | jq -r .[0].c2pa.signer)" "Ada Example (Studio)"
expect 0 "the author's home verifies the picture" "$bs" verify "$work/p/dots-1.png"
other="env BLINDSTAMP_HOME=$work/other"
$other "$bs" init --author "Bob Sample" --no-passphrase >/dev/null
same "who trusts the authority trusts the picture" "$($other "$bs" verify --trust "$ca/root.pem" --json "$work/p/dots-1.png" | jq -r '.[0].c2pa.state')" Trusted
same "statement and digests hold there" "$($other "$bs" verify --trust "$ca/root.pem" --json "$work/p/dots-1.png" | jq -r '[.[0].checks[] | select(.id == "statement" or .id == "digest" or .id == "signer") | .result] | join(" ")')" "pass pass pass"
same "others do not" "$($other "$bs" verify --json "$work/p/dots-1.png" | jq -r '.[0].c2pa.state')" Valid
same "the ledger's entry is still by the author's key" "$("$bs" query --json --limit 1 --reverse | jq -r '.[0].author_key_id')" "$("$bs" key show --json | jq -r .key_id)"

# Every algorithm signs.
for alg in es384 es512 ps256; do
    cat "$ca/$alg.pem" "$ca/between.pem" >"$work/$alg.pem"
    expect 0 "import $alg" "$bs" cert import "$work/$alg.pem" -q
    expect 0 "gen with $alg" "$bs" gen -m dots --seed 2 --force -o "$work/p"
    same "$alg is trusted" "$($other "$bs" verify --trust "$ca/root.pem" --json "$work/p/dots-2.png" | jq -r '.[0].c2pa.state')" Trusted
done
for alg in ps384 ps512; do
    expect 0 "import as $alg" "$bs" cert import "$work/ps256.pem" --alg $alg -q
    same "$alg is in force" "$("$bs" cert show --json | jq -r .alg)" $alg
    expect 0 "gen with $alg" "$bs" gen -m dots --seed 2 --force -o "$work/p"
    same "$alg is trusted" "$($other "$bs" verify --trust "$ca/root.pem" --json "$work/p/dots-2.png" | jq -r '.[0].c2pa.state')" Trusted
done
expect 1 "an algorithm that the key cannot" "$bs" cert import "$work/ps256.pem" --alg es256
cp "$work/own.csr" "$ca/own.csr" && below own signer && cat "$ca/own.pem" "$ca/between.pem" >"$work/own.pem"
expect 0 "import for the author's own key" "$bs" cert import "$work/own.pem" -q
expect 0 "gen with it" "$bs" gen -m dots --seed 3 -o "$work/p"
same "is trusted" "$($other "$bs" verify --trust "$ca/root.pem" --json "$work/p/dots-3.png" | jq -r '.[0].c2pa.state')" Trusted

# Keys made elsewhere.
openssl genpkey "${p256[@]}" -out "$ca/else.key" 2>/dev/null
openssl req -new -key "$ca/else.key" -config "$ca/authority.cnf" -subj "/O=Else/CN=Else" -out "$ca/else.csr" && below else signer
expect 1 "without its key" "$bs" cert import "$ca/else.pem"
expect 0 "with its key" "$bs" cert import "$ca/else.pem" --key "$ca/else.key"
echo "open sesame" >"$work/phrase"
openssl pkcs12 -export -inkey "$ca/else.key" -in "$ca/else.pem" -certfile "$ca/between.pem" -passout file:"$work/phrase" -out "$work/else.p12"
"$bs" cert remove >/dev/null
rm -f "$work"/home/keys/claim-*
expect 1 "PKCS#12 without its passphrase" setsid "$bs" cert import "$work/else.p12"
echo wrong >"$work/wrong"
expect 1 "with a wrong one" "$bs" cert import "$work/else.p12" --key-passphrase-file "$work/wrong"
expect 0 "PKCS#12" "$bs" cert import "$work/else.p12" --key-passphrase-file "$work/phrase"
expect 0 "gen with it" "$bs" gen -m dots --seed 4 -o "$work/p"
same "is trusted" "$($other "$bs" verify --trust "$ca/root.pem" --json "$work/p/dots-4.png" | jq -r '.[0].c2pa.state')" Trusted

# ---- passphrases, removal, expiry ----
expect 0 "the keys get a passphrase" "$bs" key passphrase --new-passphrase-file "$work/phrase"
check "the imported one too" sh -c "grep -q ENCRYPTED $work/home/keys/claim-*.pem"
expect 1 "gen without it" setsid "$bs" gen -m dots --seed 5 -o "$work/p"
expect 0 "gen with it" "$bs" gen -m dots --seed 5 --passphrase-file "$work/phrase" -o "$work/p"
expect 0 "csr with it" "$bs" cert csr --alg es256 --passphrase-file "$work/phrase" -o "$ca/new.csr"
same "the new key is encrypted" "$(grep -l 'BEGIN PRIVATE' "$work"/home/keys/claim-* | wc -l)" 0
below new signer -not_before 20200101000000Z -not_after 20200201000000Z 2>/dev/null || openssl x509 -req -in "$ca/new.csr" \
    -CA "$ca/between.pem" -CAkey "$ca/between.key" -CAcreateserial -extfile "$ca/authority.cnf" -extensions signer -days -1 -out "$ca/new.pem" 2>/dev/null
expect 1 "an expired certificate is not taken" "$bs" cert import "$ca/new.pem" --passphrase-file "$work/phrase"
hints "says so" 'not valid today'
expect 0 "remove" "$bs" cert remove
expect 0 "the local authority signs again" "$bs" gen -m dots --seed 6 --passphrase-file "$work/phrase" -o "$work/p"
same "as it says" "$("$bs" verify --json "$work/p/dots-6.png" | jq -r .[0].c2pa.signer)" "Ada Example"
expect 1 "remove again" "$bs" cert remove
expect 1 "unknown verb" "$bs" cert shw

# ---- stapling ----
issue ocsp ocsp "${p256[@]}"
issue tsa tsa "${p256[@]}"
authority_start
cleanup+=("kill $AUTHORITY_PID 2>/dev/null")
"$bs" key passphrase --passphrase-file "$work/phrase" --remove >/dev/null
"$bs" cert csr --alg es256 -o "$ca/stapled.csr"
sed "/^\[signer\]/a authorityInfoAccess = OCSP;URI:$authority/ocsp" "$ca/authority.cnf" >"$ca/aia.cnf"
openssl x509 -req -in "$ca/stapled.csr" -CA "$ca/root.pem" -CAkey "$ca/root.key" -CAcreateserial -extfile "$ca/aia.cnf" -extensions signer \
    -days 10 -out "$ca/stapled.pem" 2>/dev/null
cat "$ca/stapled.pem" "$ca/root.pem" >"$work/stapled.pem"
record() { # V or R, time of revocation: what the responder will say
    printf '%s\t300101000000Z\t%s\t%s\tunknown\t/O=X\n' "$1" "$2" "$(openssl x509 -in "$ca/stapled.pem" -noout -serial | cut -d= -f2)" >"$ca/index.txt"
}
codes() { "$bs" verify --trust "$ca/root.pem" --json "$@" | jq -r '.[0].c2pa.statuses[].code' | grep ocsp | tr '\n' ' '; }
expect 0 "import" "$bs" cert import "$ca/stapled.pem" -q
record V ""
expect 1 "staple needs the issuer's certificate" "$bs" gen -m dots --seed 7 --staple -o "$work/s"
hints "says so" 'issuer is not at hand'
nothing "makes nothing" "$work/s"
expect 0 "import with it" "$bs" cert import "$work/stapled.pem" -q
expect 0 "gen --staple" "$bs" gen -m dots --seed 7 --staple -o "$work/s"
same "the answer counts" "$(codes "$work/s/dots-7.png")" "signingCredential.ocsp.notRevoked "
expect 0 "with a time stamp too" "$bs" gen -m dots --seed 8 --staple --tsa "$authority/tsa" -o "$work/s"
same "the answer counts" "$(codes "$work/s/dots-8.png")" "signingCredential.ocsp.notRevoked "
expect 0 "and the time stamp" "$bs" verify --trust-tsa "$ca/root.pem" --json "$work/s/dots-8.png"
check "is trusted" jq -e '[.[0].c2pa.statuses[].code] | contains(["timeStamp.trusted", "timeStamp.validated"])' "$work/out"
expect 0 "without --staple nobody is asked" "$bs" gen -m dots --seed 9 -o "$work/s"
same "and that is said" "$(codes "$work/s/dots-9.png")" "signingCredential.ocsp.skipped "
same "verify --ask-revocation asks" "$(codes --ask-revocation "$work/s/dots-9.png")" "signingCredential.ocsp.notRevoked "
same "but not the responder of a signer that is not trusted" \
    "$($other "$bs" verify --ask-revocation --json "$work/s/dots-9.png" | jq -r '.[0].c2pa.statuses[].code' | grep ocsp)" signingCredential.ocsp.skipped
record R 251101000000Z,keyCompromise
expect 3 "a revoked certificate does not sign" "$bs" gen -m dots --seed 10 --staple -o "$work/s"
hints "says so" 'was revoked'
same "verify --ask-revocation finds it" "$(codes --ask-revocation "$work/s/dots-9.png")" "signingCredential.ocsp.revoked "
expect 3 "and says so" "$bs" verify --trust "$ca/root.pem" --ask-revocation "$work/s/dots-9.png"
kill "$AUTHORITY_PID"
same "verify goes on when nobody answers" "$(codes --ask-revocation "$work/s/dots-9.png")" "signingCredential.ocsp.inaccessible "
expect 5 "nobody answers" "$bs" gen -m dots --seed 11 --staple -o "$work/s"
same "no picture was made" "$(find "$work/s" -type f | wc -l)" 3
"$bs" cert remove >/dev/null
expect 1 "the local authority has no responder" "$bs" gen -m dots --seed 12 --staple -o "$work/s"
exit $status
