#!/usr/bin/env bash
# key rotate, key admit, ledger add, revoke: an author's keys over time, and several authors in one ledger.
. tests/cli/helpers.bash
models
identity
key() { "$bs" key show --json "$@" | jq -r .key_id; }
gen() { "$bs" gen -m dots --size 16x16 -q -o "$work/p" --seed "$@" >/dev/null; }
old=$(key)
gen 1

# ---- rotate ----
expect 0 "rotate" "$bs" key rotate --json
new=$(key)
check "names both keys" jq -e --arg old "$old" --arg new "$new" '.old_key_id == $old and .key_id == $new and $old != $new and .entry == 2' "$work/out"
nothing "nothing of the change is left over" "$work/home/rotation"
gen 2
expect 0 "pictures of both keys verify" "$bs" verify "$work/p"
expect 0 "and the ledger" "$bs" ledger verify
"$bs" key export -o "$work/ada.pem"
expect 0 "others trust both by the same root" env BLINDSTAMP_HOME="$work/none" "$bs" verify --trust "$work/ada.pem" "$work/p"
expect 0 "the author may still withdraw the older picture" "$bs" withdraw 1
expect 0 "with a passphrase" sh -c "echo secret >'$work/phrase' && '$bs' key passphrase --new-passphrase-file '$work/phrase' && '$bs' key rotate --passphrase-file '$work/phrase'"
expect 1 "and not without it" "$bs" key rotate
"$bs" key passphrase --passphrase-file "$work/phrase" --remove >/dev/null
check "the new key is encrypted like the others" test "$(key)" != "$new"
gen 3
expect 0 "the chain goes on" "$bs" ledger verify

# A crash before the ledger knows the new key: the old one stays. After it: the change is finished.
cp -r "$work/home" "$work/before"
"$bs" key rotate --home "$work/before" >/dev/null
cp -r "$work/home" "$work/crash"
mkdir "$work/crash/rotation"
cp "$work/before/keys/author.pem" "$work/crash/rotation/author.pem"
cp "$work/before/certs/author.pem" "$work/crash/rotation/chain.pem"
cp "$work/before/identity.json" "$work/crash/rotation/identity.json"
cp -r "$work/crash" "$work/crash2"
expect 0 "a change that was not logged" "$bs" gen --home "$work/crash" -m dots --size 16x16 --seed 4 -q -o "$work/c"
same "is dropped" "$(key --home "$work/crash")" "$(key)"
cp "$work/before"/ledger.sqlite* "$work/crash2/"
expect 0 "a change that was logged" "$bs" gen --home "$work/crash2" -m dots --size 16x16 --seed 4 -q -o "$work/c2"
same "is finished" "$(key --home "$work/crash2")" "$(key --home "$work/before")"
expect 0 "and holds" "$bs" ledger verify --home "$work/crash2"

# ---- other authors ----
"$bs" init --home "$work/ben" --author "Ben Example" --no-passphrase >/dev/null
"$bs" gen --home "$work/ben" -m dots --size 16x16 --seed 7-8 -q -o "$work/b" >/dev/null
"$bs" key export --home "$work/ben" -o "$work/ben.pem"
"$bs" ledger export "$work/ben-ledger" --home "$work/ben" >/dev/null
tail -n 2 "$work/ben-ledger/entries.jsonl" >"$work/two"
expect 6 "a stranger's statements are not taken in" "$bs" ledger add "$work/two"
hints "with the way" 'key admit'
expect 0 "admit" "$bs" key admit "$work/ben.pem" --json
check "as an author" jq -e '.role == "author" and .name == "Ben Example"' "$work/out"
expect 0 "then they are" "$bs" ledger add "$work/two"
says "all of them" 'Took in 2 statements'
expect 0 "the ledger holds" "$bs" ledger verify
same "both authors are found" "$("$bs" query --author Ben --kind generation --count)" 2
sed 's/"sig":"../"sig":"AA/' "$work/two" >"$work/forged"
expect 3 "a forged one is refused" "$bs" ledger add "$work/forged"
head -c 100 "$work/two" >"$work/cut"
expect 4 "a torn one too" "$bs" ledger add "$work/cut"
expect 4 "a file without identity admits nobody" "$bs" key admit "$work/two/../ada-none.pem"
expect 1 "an unknown role" "$bs" key admit "$work/ben.pem" --role king
expect 0 "transfer to an author of the ledger by key" "$bs" transfer 1 --to "$(key --home "$work/ben")"
says "by his name" 'with Ben Example'
expect 0 "the keeper revokes" "$bs" revoke "Ben Example" --reason "left the studio"
expect 6 "nothing more is taken in" "$bs" ledger add "$work/two"
expect 1 "nor is he admitted again" "$bs" key admit "$work/ben.pem"
expect 0 "what came before stays good" "$bs" ledger verify
expect 0 "import takes the longer export too" env BLINDSTAMP_HOME="$work/ben" "$bs" key import "$work/ada.pem"
exit $status
