#!/usr/bin/env bash
# trust: whom a home believes, for what, since when and from where.
. tests/cli/helpers.bash
command -v openssl >/dev/null || { skip trust "openssl is not installed"; exit 0; }
models
identity
other="env BLINDSTAMP_HOME=$work/other"
$other "$bs" init --author "Bob Sample" --no-passphrase >/dev/null
$other "$bs" gen -m dots --seed 1 -o "$work/bob" >/dev/null
picture=$work/bob/dots-1.png
root=$work/other/certs/root.pem
openssl x509 -in "$work/other/certs/author.pem" -out "$work/leaf.pem"

expect 0 "nothing is trusted by default" "$bs" trust list
says "and that is said" 'Nobody but'
expect 6 "another's picture is not" "$bs" verify "$picture"
expect 0 "nor by somebody without a home: list" env BLINDSTAMP_HOME="$work/none" "$bs" trust list
nothing "which makes none" "$work/none"

# ---- authorities ----
expect 0 "add" "$bs" trust add "$root" --name bob --origin https://example.org/bob.pem --date 2026-11-01
says "names the authority" 'CN=Bob Sample \(Blindstamp root\)'
says "says how to take it back" 'trust remove bob'
expect 6 "the ledger of the other is still unknown" "$bs" verify "$picture"
expect 0 "list" "$bs" trust list
says "shows what, date and origin" '^bob +manifest +1 anchor +2026-11-01 +20[0-9-]{8} +https://example.org/bob.pem'
expect 0 "list as JSON" "$bs" trust list --json
check "has them too" jq -e '.[0] | .name == "bob" and .kinds == ["manifest"] and .published == "2026-11-01" and .anchors == 1 and (.sha256 | length == 64) and .certificates[0].authority' "$work/out"
expect 0 "list --details" "$bs" trust list --details
says "names the certificate and its end" 'until 20[0-9-]{8} .*Bob Sample'
trusted() { "$bs" verify --json "$picture" | jq -r '.[0].c2pa.state'; }
same "the signer is trusted now" "$(trusted)" Trusted
expect 1 "a name is not taken twice" "$bs" trust add "$root" --name bob
hints "unless forced" '--force'
expect 0 "forced" "$bs" trust add "$root" --name bob --force --kind tsa --kind cawg
same "and then it counts for something else only" "$(trusted)" Valid
expect 0 "remove" "$bs" trust remove bob
nothing "leaves nothing" "$work/home/trust"
same "and takes the trust back" "$(trusted)" Valid
expect 1 "what is not there cannot be removed" "$bs" trust remove bob
hints "list is suggested" 'trust list'

# ---- signers by themselves, key usages, log keys ----
expect 0 "a signer's certificate" "$bs" trust add "$work/leaf.pem" --allowed
same "is believed" "$(trusted)" Trusted
expect 0 "is removed" "$bs" trust remove leaf.pem
openssl x509 -in "$work/leaf.pem" -outform DER | openssl dgst -sha256 -binary | base64 >"$work/allowed.txt"
expect 0 "its digest in base64" "$bs" trust add "$work/allowed.txt" --allowed
same "is believed too" "$(trusted)" Trusted
"$bs" trust remove allowed.txt >/dev/null
expect 4 "digests are no authorities" "$bs" trust add "$work/allowed.txt"
same "an end-entity's certificate among the authorities is believed itself" \
    "$("$bs" verify --trust "$work/leaf.pem" --json "$picture" | jq -r '.[0].c2pa.state')" Trusted
same "--trust-signer believes a certificate once" \
    "$("$bs" verify --trust-signer "$work/leaf.pem" --json "$picture" | jq -r '.[0].c2pa.state')" Trusted
same "--trust-tsa does not believe signers" \
    "$("$bs" verify --trust-tsa "$root" --json "$picture" | jq -r '.[0].c2pa.state')" Valid
printf '// accepted key usages\n1.3.6.1.4.1.311.76.59.1.9\n1.3.6.1.5.5.7.3.36\n' >"$work/store.cfg"
expect 0 "a list of key usages" "$bs" trust add "$work/store.cfg"
says "is counted" '2 key usages'
$other "$bs" key export -o "$work/bob.pem" >/dev/null
expect 0 "an author's bundle" "$bs" key import "$work/bob.pem"
expect 0 "makes picture and receipt good" "$bs" verify "$picture"

# ---- what is refused ----
expect 1 "unknown kind" "$bs" trust add "$root" --kind manifst
hints "the near one is suggested" 'manifest'
expect 1 "date that is none" "$bs" trust add "$root" --name x --date yesterday
expect 1 "contradiction" "$bs" trust add "$root" --name x --allowed --kind tsa
expect 1 "name with a slash" "$bs" trust add "$root" --name ../x
expect 1 "name that would be a description" "$bs" trust add "$root" --name x.json
expect 4 "text without certificates" "$bs" trust add tests/cli/trust.sh
expect 4 "missing file" "$bs" trust add "$work/nofile"
head -c 300 "$root" >"$work/short.pem"
expect 4 "certificate without its end" "$bs" trust add "$work/short.pem"
{ cat "$root"; sed 's/^MII/MIX/' "$root"; } >"$work/damaged.pem"
expect 4 "damaged certificate" "$bs" trust add "$work/damaged.pem"
hints "its number is told" 'certificate 2'
expect 1 "a private key" "$bs" trust add "$work/other/keys/log.pem"
expect 1 "unknown verb" "$bs" trust lst
same "none of these was added" "$("$bs" trust list --json | jq -r '[.[].name] | join(" ")')" "bob.pem store.cfg"

# ---- changed behind the program's back ----
cat "$root" >>"$work/home/trust/bob.pem"
expect 3 "a changed item stops verify" "$bs" verify "$picture"
hints "and says which" 'bob.pem'
expect 0 "list still works" "$bs" trust list
hints "and says that it was changed" 'changed since'
expect 0 "it can be removed" "$bs" trust remove bob.pem
expect 6 "then verify works again" "$bs" verify "$picture"
exit $status
