#!/usr/bin/env bash
# init and key: where home is, who can read it, passphrases, and giving keys to others.
. tests/cli/helpers.bash
models

# ---- init ----
expect 1 "init without a name" "$bs" init --no-passphrase
hints "init says how" 'init --author'
expect 1 "init with an empty name" "$bs" init --author " " --no-passphrase
expect 1 "init with a control character in the name" "$bs" init --author $'a\tb' --no-passphrase
expect 1 "init with a name that is no UTF-8" "$bs" init --author $'\xff' --no-passphrase
expect 1 "init needs a passphrase or --no-passphrase" setsid "$bs" init --author "Ada Example"
hints "init says where a passphrase can come from" '--passphrase-file'
nothing "a refused init leaves nothing" "$work/home"

expect 0 "init" "$bs" init --author "Ada Example" --email ada@example.org --url https://ada.example --no-passphrase
says "init says what an unencrypted key means" 'not encrypted'
same "home is closed to others" "$(stat -c %a "$work/home")" 700
same "secret keys are closed to others" "$(find "$work/home/keys" -name '*.pem' -printf '%m ' | tr ' ' '\n' | sort -u | tr -d '\n')" 600
for k in author log ca; do check "openssl reads the $k key" openssl pkey -in "$work/home/keys/$k.pem" -noout; done
check "openssl accepts the chain" openssl verify -CAfile "$work/home/certs/root.pem" "$work/home/certs/author.pem"
before=$(find "$work/home" -type f -exec sha256sum {} + | sort)
expect 1 "a second init is refused" "$bs" init --author "Someone Else" --no-passphrase
same "and changes nothing" "$(find "$work/home" -type f -exec sha256sum {} + | sort)" "$before"

# ---- where home is ----
expect 0 "--home makes another home" "$bs" init --home "$work/other" --author "Ada Example" --no-passphrase
expect 0 "--home before the command" "$bs" --home "$work/other" key show
says "names its folder" "$work/other"
expect 0 "BLINDSTAMP_HOME" env BLINDSTAMP_HOME="$work/other" "$bs" key show --json
check "is the same identity" jq -e --arg h "$work/other" '.home == $h and .author == "Ada Example"' "$work/out"
expect 0 "XDG_DATA_HOME" env -u BLINDSTAMP_HOME XDG_DATA_HOME="$work/xdg" "$bs" init --author "Ada Example" --no-passphrase
check "home is below it" test -f "$work/xdg/blindstamp/identity.json"
expect 0 "without either: below the person's folder" env -u BLINDSTAMP_HOME "$bs" init --author "Ada Example" --no-passphrase
check "home is in .local/share" test -f "$work/person/.local/share/blindstamp/identity.json"
expect 1 "no identity" env BLINDSTAMP_HOME="$work/none" "$bs" gen -m dots
hints "says how to make one" 'blindstamp init --author'
nothing "and makes nothing" "$work/none"

# ---- passphrases ----
echo "open sesame" >"$work/phrase"
echo "another one" >"$work/phrase2"
echo "wrong" >"$work/wrong"
: >"$work/empty"
locked="env BLINDSTAMP_HOME=$work/locked"
expect 0 "init with a passphrase file" $locked "$bs" init --author "Ada Example" --passphrase-file "$work/phrase"
check "the key is encrypted" grep -q 'BEGIN ENCRYPTED PRIVATE KEY' "$work/locked/keys/author.pem"
check "openssl opens it with the passphrase" openssl pkey -in "$work/locked/keys/author.pem" -passin file:"$work/phrase" -noout
expect 1 "without passphrase or terminal" setsid $locked "$bs" gen -m dots --seed 1 -o "$work/p"
nothing "makes nothing" "$work/p"
expect 1 "wrong passphrase" $locked "$bs" gen -m dots --seed 1 -o "$work/p" --passphrase-file "$work/wrong"
hints "is called wrong" 'passphrase'
nothing "makes nothing either" "$work/p"
expect 1 "empty passphrase file" $locked "$bs" gen -m dots --seed 1 -o "$work/p" --passphrase-file "$work/empty"
expect 1 "missing passphrase file" $locked "$bs" gen -m dots --seed 1 -o "$work/p" --passphrase-file "$work/nofile"
expect 0 "right passphrase file" $locked "$bs" gen -m dots --seed 1 -o "$work/p" --passphrase-file "$work/phrase"
expect 0 "passphrase from the environment" $locked BLINDSTAMP_PASSPHRASE="open sesame" "$bs" gen -m dots --seed 2 -o "$work/p"
expect 0 "verify needs no passphrase" $locked "$bs" verify "$work/p"
expect 1 "change with the wrong passphrase" $locked "$bs" key passphrase --passphrase-file "$work/wrong" --new-passphrase-file "$work/phrase2"
expect 0 "the old one still works" $locked "$bs" gen -m dots --seed 3 -o "$work/p" --passphrase-file "$work/phrase"
expect 0 "change" $locked "$bs" key passphrase --passphrase-file "$work/phrase" --new-passphrase-file "$work/phrase2"
expect 1 "the old one works no more" $locked "$bs" gen -m dots --seed 4 -o "$work/p" --passphrase-file "$work/phrase"
expect 0 "the new one does" $locked "$bs" gen -m dots --seed 4 -o "$work/p" --passphrase-file "$work/phrase2"
expect 0 "remove" $locked "$bs" key passphrase --remove --passphrase-file "$work/phrase2"
expect 0 "none is needed then" $locked "$bs" gen -m dots --seed 5 -o "$work/p"
if command -v script >/dev/null; then
    (sleep 1; echo "typed words"; sleep 1; echo "typed words"; sleep 1) |
        BLINDSTAMP_HOME=$work/typed script -qec "$bs init --author 'Ada Example'" "$work/typescript" >/dev/null 2>&1
    check "init asks on the terminal" test -f "$work/typed/identity.json"
    check "and does not show what is typed" sh -c "grep -a passphrase '$work/typescript' && ! grep -a 'typed words' '$work/typescript'"
    check "the typed passphrase opens the key" openssl pkey -in "$work/typed/keys/author.pem" -passin 'pass:typed words' -noout
else
    skip "init asks on the terminal" "script is not installed"
fi

# ---- damaged keys and identity ----
damaged() { # NAME PATTERN COMMAND-ON-HOME
    rm -rf "$work/damaged" "$work/d"
    cp -r "$work/xdg/blindstamp" "$work/damaged"
    (cd "$work/damaged" && eval "$3")
    "$bs" gen --home "$work/damaged" -m dots --seed 1 -o "$work/d" >"$work/out" 2>"$work/err"
    case $? in 1 | 3 | 4 | 5) ok "$1: is refused" ;; *) not_ok "$1: is refused" ;; esac
    hints "$1: is named" "$2"
    nothing "$1: nothing is made" "$work/d"
    same "$1: nothing is logged" "$("$bs" query --ledger "$work/damaged/ledger.sqlite" --count 2>/dev/null || echo 1)" 1
}
damaged "truncated key" 'keys/author.pem' 'head -c 60 keys/author.pem >x && cat x >keys/author.pem'
damaged "key that is none" 'keys/author.pem' 'echo hello >keys/author.pem'
damaged "another's key" 'key' 'cp "$work/other/keys/author.pem" keys/author.pem'
damaged "another's log key" 'key' 'cp "$work/other/keys/log.pem" keys/log.pem'
damaged "missing key" 'keys/author.pem' 'rm keys/author.pem'
damaged "truncated certificate" 'certificate' 'head -c 100 certs/author.pem >x && cat x >certs/author.pem'
damaged "another's certificate" 'cert' 'cp "$work/other/certs/author.pem" certs/author.pem'
damaged "identity that is no JSON" 'identity.json' 'echo "{" >identity.json'
damaged "identity without a name" 'identity.json' 'echo "{}" >identity.json'
damaged "missing ledger" 'ledger.sqlite' 'rm ledger.sqlite*'
damaged "ledger that is none" 'ledger.sqlite' 'echo hello >ledger.sqlite'

# ---- list, export, import ----
expect 0 "key list" "$bs" key list
says "names the author key" '^author +[0-9a-f]{64} +no'
expect 0 "key list as JSON" $locked "$bs" key list --json
check "three keys" jq -e '.keys | length == 3' "$work/out"
expect 0 "key export of a public key" "$bs" key export author -o "$work/author.pem"
check "openssl reads it" openssl pkey -pubin -in "$work/author.pem" -noout
expect 1 "export into an existing file is refused" "$bs" key export author -o "$work/author.pem"
expect 1 "a secret is not printed" "$bs" key export author --secret
expect 0 "secret into a file" "$bs" key export author --secret -o "$work/secret.pem"
same "closed to others" "$(stat -c %a "$work/secret.pem")" 600
expect 1 "unknown key" "$bs" key export nonsense
expect 1 "unknown verb" "$bs" key exprot
hints "the near verb is suggested" 'key export'
expect 0 "bundle for others" "$bs" key export -o "$work/ada.pem"
check "holds no secret" sh -c "! grep -q PRIVATE '$work/ada.pem'"
"$bs" gen -m dots --seed 1 -o "$work/ada" >/dev/null
other="env BLINDSTAMP_HOME=$work/other"
expect 6 "another home does not trust the picture" $other "$bs" verify "$work/ada"
expect 1 "a secret key is not imported" $other "$bs" key import "$work/secret.pem"
expect 4 "nor is something else" $other "$bs" key import "$work/phrase"
expect 0 "import" $other "$bs" key import "$work/ada.pem"
expect 0 "trusted from then on" $other "$bs" verify "$work/ada"
expect 0 "and listed" $other "$bs" trust list --details
says "with its name" 'Ada Example'
exit $status
