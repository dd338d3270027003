#!/usr/bin/env bash
# decide, transfer, withdraw, erase, revoke: what people do with pictures, keys and words, and what verify says of it then.
. tests/cli/helpers.bash
models
identity
ledger=$work/home/ledger.sqlite
"$bs" gen -m dots --seed 1-4 --size 16x16 -o "$work/p" >/dev/null
"$bs" gen -m dots --seed 5 --size 16x16 --privacy partner --title "vexing wharf" --prompt "quixotic zebras" -o "$work/p" >/dev/null
statement() { sqlite3 "$ledger" "SELECT CAST(envelope AS TEXT) FROM entry WHERE idx = $1" | jq -r .payload | base64 -d; }

# ---- decide ----
expect 0 "select" "$bs" decide --select "$work/p/dots-1.png" --among "$work/p" --why "the quietest" --json
check "all but the chosen one are candidates" jq -e '.entry == 6 and .act == "select" and .others == 4' "$work/out"
check "with both digests" sh -c "echo '$(statement 6)' | jq -e '.predicate.candidates | length == 4 and all(.digest | has(\"pixels-sha256\"))'"
cp "$work/p/dots-2.png" "$work/cover.png"
printf x >>"$work/cover.png"
expect 0 "edit" "$bs" decide --edit "$work/p/dots-2.png" "$work/p/dots-3.png" --tool "GIMP 2.10" --why "murky corner" --privacy private
expect 0 "the words are found" "$bs" query --text "murky" --count
same "once" "$(cat "$work/out")" 1
check "and are not in the statement" sh -c "! echo '$(statement 7)' | grep -qE 'murky|GIMP|dots'"
expect 0 "arrange" "$bs" decide --arrange "$work/p/dots-4.png" --from "$work/p/dots-1.png" "$work/p/dots-2.png"
says "counts the parts" 'put together from 2 others'
expect 1 "nothing to decide" "$bs" decide
expect 1 "two at once" "$bs" decide --select "$work/p/dots-1.png" --edit "$work/p/dots-1.png"
expect 1 "select without choice" "$bs" decide --select "$work/p/dots-1.png" --among "$work/p/dots-1.png"
expect 1 "edit without a result" "$bs" decide --edit "$work/p/dots-1.png"
expect 4 "no picture" "$bs" decide --select "$work/p/dots-1.png" --among "$root/Makefile"
expect 0 "query by kind" "$bs" query --kind decision --count
same "three decisions" "$(cat "$work/out")" 3

# ---- erase ----
holds() { grep -qaF -- "$1" "$work/home"/ledger.sqlite*; }
for w in "quixotic zebras" "vexing wharf" "murky corner"; do check "the ledger holds \"$w\"" holds "$w"; done
expect 0 "erase one field" "$bs" erase "$work/p/dots-5.png" --field prompt
check "the prompt is nowhere in the ledger's files" sh -c "! grep -qaF 'quixotic zebras' '$work/home'/ledger.sqlite*"
check "nor its words in the full text" sh -c "! grep -qaE 'quixotic|zebras' '$work/home'/ledger.sqlite*"
check "the title still is" holds "vexing wharf"
expect 0 "erase the rest" "$bs" erase 5 --json
check "names the entry" jq -e '.erased_from == 5 and .entry == 10' "$work/out"
expect 0 "erase a reason" "$bs" erase 7
check "nothing is left" sh -c "! grep -qaE 'vexing|wharf|murky|GIMP' '$work/home'/ledger.sqlite*"
check "the statement names the fields" sh -c "echo '$(statement 11)' | jq -e '.predicate.fields | index(\"why\") and index(\"tool\")'"
expect 1 "twice" "$bs" erase 7
expect 1 "words that stand open" "$bs" erase 6
hints "are said to be signed" 'signed and cannot be erased'
expect 2 "an entry that is not there" "$bs" erase 99
expect 0 "everything still holds" "$bs" ledger verify
expect 0 "and the picture too" "$bs" verify "$work/p/dots-5.png"
cp "$ledger" "$work/again.sqlite"
sqlite3 "$work/again.sqlite" "INSERT INTO secret VALUES (5, 'title', zeroblob(32), 'back again')"
expect 3 "words that come back are noticed" "$bs" ledger verify --ledger "$work/again.sqlite"
says "by name" 'secret\.erased'

# ---- withdraw and transfer ----
expect 0 "withdraw" "$bs" withdraw "$work/p/dots-2.png" --reason "the sitter asked"
expect 0 "verify says so" "$bs" verify "$work/p/dots-2.png"
says "in one sentence" 'withdrawn by Ada Example.*the sitter asked'
expect 0 "as JSON" "$bs" verify --json "$work/p/dots-2.png"
check "with its entry" jq -e '.[0].rights.withdrawn.entry == 12' "$work/out"
expect 1 "withdraw twice" "$bs" withdraw 2
expect 2 "a picture that the ledger does not know" "$bs" withdraw "$root/tests/fuzz/corpus/png/$(ls "$root/tests/fuzz/corpus/png" | head -n 1)"
expect 0 "transfer to a name" "$bs" transfer 1 --to "Ben Example" --licence CC-BY-4.0
expect 0 "verify names the holder" "$bs" verify --details "$work/p/dots-1.png"
says "with the licence" 'rights are with Ben Example.*CC-BY-4.0'
expect 1 "only the holder can pass it on" "$bs" transfer 1 --to "Eve Example"
hints "and is named" 'with Ben Example'
"$bs" init --home "$work/ben" --author "Ben Example" --no-passphrase >/dev/null
"$bs" key export author --home "$work/ben" -o "$work/ben.pem"
expect 1 "a key whose holder is not known" "$bs" transfer 3 --to "$work/ben.pem"
expect 0 "a key with a name" "$bs" transfer 3 --to "$work/ben.pem" --name "Ben Example" --json
check "is recorded" jq -e --arg id "$("$bs" key show --home "$work/ben" --json | jq -r .key_id)" '.holder_key_id == $id' "$work/out"

# ---- revoke ----
id=$("$bs" key show --json | jq -r .key_id)
expect 1 "an unknown key" "$bs" revoke 0123456789abcdef
expect 1 "in the future" "$bs" revoke "$id" --since 2999-01-01
"$bs" gen -m dots --seed 9 --size 16x16 -o "$work/p" >/dev/null
expect 0 "revoke" "$bs" revoke "${id:0:16}" --reason "the laptop was stolen"
expect 0 "what was logged before holds" "$bs" verify "$work/p/dots-1.png"
"$bs" gen -m dots --seed 10 --size 16x16 -o "$work/p" >/dev/null
expect 6 "what is signed later is not believed" "$bs" verify "$work/p/dots-10.png"
says "and why" 'key was revoked.*stolen'
expect 6 "ledger verify says so too" "$bs" ledger verify
says "for that entry" 'UNTRUSTED +entry .*revoked by entry'
expect 6 "as JSON" "$bs" ledger verify --json
check "with the rule" jq -e '.code == 6 and ([.findings[].rule] | unique == ["entry.revoked-key"])' "$work/out"
entries=$("$bs" ledger status --json | jq .entries)
expect 1 "a revoked key can pass no rights on" "$bs" transfer "$work/p/dots-9.png" --to "Ben Example"
hints "and is told why" 'your key was revoked'
expect 1 "a revoked key can withdraw nothing" "$bs" withdraw "$work/p/dots-9.png"
hints "and is told why" 'your key was revoked'
same "neither was logged" "$("$bs" ledger status --json | jq .entries)" "$entries"
exit $status
