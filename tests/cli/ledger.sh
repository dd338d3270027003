#!/usr/bin/env bash
# ledger: what is changed behind its back is found; many may write at once; newer and foreign files are refused.
. tests/cli/helpers.bash
models
identity
"$bs" gen -m dots --seed 1-6 --size 16x16 -o "$work/p" >/dev/null
"$bs" gen -m dots --seed 7-9 --size 16x16 --title "Three more" --privacy partner -o "$work/p" >/dev/null
ledger=$work/home/ledger.sqlite

expect 0 "status" "$bs" ledger status
says "counts entries by kind" 'entries +10: 9 generation, 1 identity'
expect 0 "status as JSON" "$bs" ledger status --json
check "with the checkpoint" jq -e '.entries == 10 and (.checkpoint | contains("\n10\n"))' "$work/out"
expect 0 "intact" "$bs" ledger verify
says "says what was done" 'intact: 10 entries'
expect 0 "intact as JSON" "$bs" ledger verify --json
check "without findings" jq -e '.code == 0 and .key_known and .findings == []' "$work/out"
expect 1 "unknown verb" "$bs" ledger verfiy
hints "the near verb is suggested" 'did you mean ledger verify'

# ---- edits by a person with a shell: first the guards are dropped, as that person would ----
edit() { # NAME RULE-OR-WORDS SQL
    mkdir -p "$work/edit"
    cp "$work/home"/ledger.sqlite* "$work/edit/"
    sqlite3 "$work/edit/ledger.sqlite" >"$work/sql" 2>&1 <<SQL
SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_master WHERE type = 'trigger';
SQL
    { cat "$work/sql"; echo "$3"; } | sqlite3 "$work/edit/ledger.sqlite" 2>"$work/sqlerr" || cat "$work/sqlerr"
    if [ -s "$work/sqlerr" ]; then not_ok "$1: the edit itself failed: $(cat "$work/sqlerr")"; fi
    expect 3 "$1" "$bs" ledger verify --ledger "$work/edit/ledger.sqlite" --log-key "$("$bs" key show --json | jq -r .log_key)"
    says "$1: is named" "$2"
    rm -rf "$work/edit"
}
refuse() { # NAME SQL: the ledger's own guards stop an accident
    cp "$ledger" "$work/guard.sqlite"
    if sqlite3 "$work/guard.sqlite" "$2" >/dev/null 2>"$work/err"; then not_ok "$1"; else ok "$1"; fi
    rm -f "$work/guard.sqlite"
}
refuse "an accidental update is stopped" "UPDATE entry SET leaf = zeroblob(32) WHERE idx = 3"
refuse "an accidental delete is stopped" "DELETE FROM entry WHERE idx = 3"
refuse "an accidental replace is stopped" "INSERT OR REPLACE INTO entry SELECT 3, leaf, envelope FROM entry WHERE idx = 4"
swap="UPDATE entry SET idx = -1 WHERE idx = 3; UPDATE entry SET idx = 3 WHERE idx = 4; UPDATE entry SET idx = 4 WHERE idx = -1"
check_swap="PRAGMA ignore_check_constraints = ON; $swap"
edit "an envelope changed" 'entry 3' "UPDATE entry SET envelope = CAST(replace(CAST(envelope AS TEXT), 'A', 'B') AS BLOB) WHERE idx = 3;"
edit "an envelope and its hash exchanged for another's" 'entry 3' "UPDATE entry SET (leaf, envelope) = (SELECT leaf, envelope FROM entry WHERE idx = 4) WHERE idx = 3;"
edit "a leaf hash changed" 'entry 5' "UPDATE entry SET leaf = zeroblob(32) WHERE idx = 5;"
edit "an entry deleted" 'entry 3|3' "PRAGMA foreign_keys = OFF; DELETE FROM entry WHERE idx = 3;"
edit "the last entry deleted" 'checkpoint|entr' "PRAGMA foreign_keys = OFF; DELETE FROM entry WHERE idx = 9;"
edit "an entry inserted" '10|checkpoint' "INSERT INTO entry SELECT 10, leaf, envelope FROM entry WHERE idx = 4;"
edit "two entries swapped" 'entry 3|entry 4' "PRAGMA foreign_keys = OFF; $check_swap;"
edit "a checkpoint deleted" 'checkpoint' "DELETE FROM checkpoint WHERE size = (SELECT max(size) FROM checkpoint);"
edit "a checkpoint changed" 'checkpoint' "UPDATE checkpoint SET note = replace(note, char(10) || '10' || char(10), char(10) || '11' || char(10));"
edit "a tree node changed" 'node|tree' "UPDATE node SET hash = zeroblob(32) WHERE level = 1 AND idx = 1;"
edit "a record falsified" 'entry 4|record' "UPDATE record SET seed = '999' WHERE entry = 4;"
edit "an author renamed in the index" 'author|record' "UPDATE author SET name = 'Someone Else';"
edit "a record removed" 'entry 4|record' "DELETE FROM words WHERE rowid = 4; DELETE FROM record WHERE entry = 4;"
edit "kept words falsified" 'entry 7|secret|commitment' "UPDATE secret SET words = 'Four more' WHERE entry = 7 AND name = 'title';"
edit "log key exchanged" 'key|checkpoint' "UPDATE log SET key = zeroblob(32);"

# ---- cut back to an earlier, consistent state ----
"$bs" ledger status --json | jq -r .checkpoint >"$work/kept"
expect 0 "a checkpoint kept elsewhere" "$bs" ledger verify --checkpoint "$work/kept"
cp -r "$work/home" "$work/old"
"$bs" gen -m dots --seed 10-11 --size 16x16 -o "$work/p" >/dev/null
"$bs" ledger status --json | jq -r .checkpoint >"$work/kept2"
expect 0 "it still holds after more entries" "$bs" ledger verify --checkpoint "$work/kept" --checkpoint "$work/kept2"
expect 3 "an old copy put back" "$bs" ledger verify --home "$work/old" --checkpoint "$work/kept2"
says "is recognised" 'cut back'
expect 3 "and a picture made since contradicts it" "$bs" verify --ledger "$work/old/ledger.sqlite" "$work/p/dots-11.png"
sed 's/^10$/9/' "$work/kept" >"$work/forged"
expect 3 "a forged checkpoint" "$bs" ledger verify --checkpoint "$work/forged"

# ---- export ----
expect 0 "export" "$bs" ledger export "$work/export"
same "one envelope a line" "$(cat "$work/export"/*entries* | wc -l)" 12
check "each a JSON object" sh -c "cat '$work'/export/*entries* | jq -e -s 'all(.payloadType == \"application/vnd.in-toto+json\")'"
expect 0 "the exported checkpoint holds" "$bs" ledger verify --checkpoint "$work/export/checkpoint"
expect 1 "export into an existing folder is refused" "$bs" ledger export "$work/export"
expect 1 "export without a folder" "$bs" ledger export

# ---- export as tiles ----
expect 0 "export as tiles" "$bs" ledger export --tiles "$work/tiles"
says "says what was written" 'entries 0 to 11 .*2 files'
check "the checkpoint is the ledger's" cmp "$work/tiles/checkpoint" "$work/export/checkpoint"
same "each entry has a hash" "$(stat -c %s "$work/tiles/tile/0/000.p/12")" 384
expect 0 "again" "$bs" ledger export --tiles "$work/tiles" --json
check "nothing is written twice" jq -e '.entries == 12 and .before == 12 and .files == 0' "$work/out"
expect 3 "an old copy is not published over it" "$bs" ledger export --tiles "$work/tiles" --home "$work/old"
expect 1 "nor anything into another folder" "$bs" ledger export --tiles "$work/export/.."

# ---- care ----
expect 0 "quick check" "$bs" ledger check
says "names what it looked at" 'sound: .*newest checkpoint of 12 entries'
expect 0 "reindex" "$bs" ledger reindex
says "counts" '12 entries'
expect 0 "and everything still fits" "$bs" ledger verify
expect 0 "backup" "$bs" ledger backup "$work/backup.sqlite"
expect 0 "the backup is whole" "$bs" ledger verify --ledger "$work/backup.sqlite" --checkpoint "$work/kept2"
expect 1 "a backup replaces nothing" "$bs" ledger backup "$work/backup.sqlite"
expect 1 "backup without a file" "$bs" ledger backup
cp -r "$work/home" "$work/restored"
"$bs" gen --home "$work/restored" -m dots --seed 12 --size 16x16 -o "$work/r" >/dev/null
cp "$work/backup.sqlite" "$work/restored/ledger.sqlite"
expect 3 "the quick check notices a backup that was put back" "$bs" ledger check --home "$work/restored"
expect 3 "and nothing is signed on it" "$bs" gen --home "$work/restored" -m dots --seed 13 --size 16x16 -o "$work/r"
hints "the way on is named" 'ledger recover'
restored=("$bs" ledger --home "$work/restored")
expect 1 "recover where nothing was lost" "$bs" ledger recover
hints "says so" 'nothing to recover'
expect 0 "recover" "${restored[@]}" recover --why "the disk failed" --json
check "the log has another name, and the same key" jq -e '(.entry == 12) and (.log | test("/r-[0-9a-f]{8}$"))' "$work/out"
expect 1 "it is done once" "${restored[@]}" recover
expect 0 "the ledger is whole" "${restored[@]}" verify
expect 0 "it holds the old log's checkpoints as far as it has the entries" "${restored[@]}" verify --checkpoint "$work/kept" --checkpoint "$work/kept2"
expect 0 "the recovery is an entry" "$bs" query --home "$work/restored" --kind recovery --json
check "it says what was lost" sh -c "sqlite3 '$work/restored/ledger.sqlite' 'SELECT envelope FROM entry WHERE idx = 12' | jq -r .payload | base64 -d | \
    jq -e '.predicate.before.entries == 12 and (.predicate.lost | contains(\"\n13\n\")) and .predicate.reason == \"the disk failed\"'"
expect 0 "signing goes on" "$bs" gen --home "$work/restored" -m dots --seed 14 --size 16x16 -o "$work/r2"
expect 0 "what is signed now verifies" "$bs" verify --home "$work/restored" "$work/r2"
expect 0 "and what was signed before" "$bs" verify --home "$work/restored" "$work/p"
"$bs" verify --home "$work/restored" --json "$work/r" >"$work/out" 2>&1
says "what was lost is said to be" 'lost entries and went on under the name'
cp "$work/backup.sqlite" "$work/restored/ledger.sqlite"
expect 3 "the same backup put back again is refused again" "$bs" gen --home "$work/restored" -m dots --seed 15 --size 16x16 -o "$work/r"
expect 0 "and can be recovered again" "${restored[@]}" recover
expect 0 "to a log of a third name" "${restored[@]}" verify
rm "$work/restored/ledger.sqlite-checkpoint"
expect 3 "without the record of what was signed nothing is signed" "$bs" gen --home "$work/restored" -m dots --seed 16 --size 16x16 -o "$work/r"
expect 0 "but after a recovery" "${restored[@]}" recover
expect 0 "signing goes on again" "$bs" gen --home "$work/restored" -m dots --seed 16 --size 16x16 -o "$work/r3"
expect 0 "and all of it is whole" "${restored[@]}" verify

# ---- an older version ----
cp "$root/tests/unit/ledger-1.sqlite" "$work/older.sqlite"
expect 1 "a ledger of version 1 is not searched" "$bs" query --ledger "$work/older.sqlite"
hints "and is told what to do" 'ledger migrate'
expect 0 "migrate" "$bs" ledger migrate --ledger "$work/older.sqlite"
says "tells both versions" 'version 1 .*version 2'
expect 0 "it is whole" "$bs" ledger verify --ledger "$work/older.sqlite"
expect 0 "migrate again" "$bs" ledger migrate --json --ledger "$work/older.sqlite"
check "does nothing" jq -e '.from == 2 and .to == 2' "$work/out"
same "its pictures are found" "$("$bs" query --ledger "$work/older.sqlite" --text "pond 3" --count)" 1

# ---- other files ----
cp "$ledger" "$work/newer.sqlite"
sqlite3 "$work/newer.sqlite" "PRAGMA user_version = 99"
expect 4 "a newer ledger" "$bs" ledger verify --ledger "$work/newer.sqlite"
hints "is called newer" 'newer|version 99'
expect 4 "another program's database" sh -c "sqlite3 '$work/foreign.sqlite' 'CREATE TABLE t(x)' && '$bs' query --ledger '$work/foreign.sqlite'"
expect 4 "no database" "$bs" query --ledger "$work/kept"
expect 4 "missing ledger" "$bs" query --ledger "$work/nothere.sqlite"
check "is not created" test ! -e "$work/nothere.sqlite"
cp -r "$work/home" "$work/newerhome"
sqlite3 "$work/newerhome/ledger.sqlite" "PRAGMA user_version = 99"
expect 4 "gen with a newer ledger" "$bs" gen --home "$work/newerhome" -m dots --seed 1 -o "$work/no"
nothing "makes nothing" "$work/no"
head -c 20000 "$ledger" >"$work/cut.sqlite"
"$bs" ledger verify --ledger "$work/cut.sqlite" >/dev/null 2>&1
case $? in 3 | 4) ok "a truncated ledger is noticed" ;; *) not_ok "a truncated ledger is noticed" ;; esac

# ---- reading writes nothing ----
list() { find "$work/home" -printf '%p %s %T@\n' | sort; }
before=$(list)
"$bs" query >/dev/null && "$bs" ledger verify >/dev/null && "$bs" verify -q "$work/p" && "$bs" ledger status >/dev/null
same "query, verify and status leave home as it was" "$(list)" "$before"

# ---- two processes at once ----
"$bs" gen -m dots --seed 100-119 --size 16x16 -q -o "$work/q1" >/dev/null 2>"$work/e1" &
one=$!
"$bs" gen -m dots --seed 200-219 --size 16x16 -q -o "$work/q2" >/dev/null 2>"$work/e2" &
two=$!
wait $one; c1=$?
wait $two; c2=$?
same "both finish" "$c1 $c2 $(cat "$work/e1" "$work/e2")" "0 0 "
expect 0 "the ledger is whole" "$bs" ledger verify
same "and has every entry" "$("$bs" query --count)" 52
expect 0 "all pictures verify" "$bs" verify "$work/q1" "$work/q2"
exit $status
