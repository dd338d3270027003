#!/usr/bin/env bash
# Time stamps: asked for while signing, by a request file, and afterwards; and bad authorities.
. tests/cli/helpers.bash
. tests/cli/authority.bash
for tool in openssl python3; do command -v $tool >/dev/null || { skip timestamp "$tool is not installed"; exit 0; }; done
models
identity
authority_make "$work/ca"
issue tsa tsa "${p256[@]}"
issue ocsp ocsp "${p256[@]}"
authority_start
cleanup+=("kill $AUTHORITY_PID 2>/dev/null")
codes() { "$bs" verify --json "$@" | jq -r '.[0].c2pa.statuses[].code' | grep timeStamp | tr '\n' ' '; }
asks() { (cd "$ca" && openssl ts -reply -config authority.cnf -section tsa_section -queryfile "$1" -out "$2" 2>/dev/null); }

# ---- while signing ----
expect 0 "gen --tsa" "$bs" gen -m dots --seed 1-2 --tsa "$authority/tsa" -o "$work/p"
expect 0 "the pictures verify" "$bs" verify "$work/p"
same "their time stamps are sound, their authority is unknown" "$(codes "$work/p/dots-1.png")" "timeStamp.validated timeStamp.untrusted "
same "--trust-tsa believes it" "$(codes --trust-tsa "$ca/root.pem" "$work/p/dots-2.png")" "timeStamp.validated timeStamp.trusted "
expect 0 "trust add --kind tsa" "$bs" trust add "$ca/root.pem" --kind tsa --name tsa
same "does so for good" "$(codes "$work/p/dots-1.png")" "timeStamp.validated timeStamp.trusted "
"$bs" trust remove tsa >/dev/null
"$bs" trust add "$ca/root.pem" --name signers >/dev/null
same "an authority for signers is none for time stamps" "$(codes "$work/p/dots-1.png")" "timeStamp.validated timeStamp.untrusted "
"$bs" trust remove signers >/dev/null

# ---- by a request file ----
expect 0 "gen --tsa later" "$bs" gen -m dots --seed 3 --tsa later -o "$work/q"
picture=$work/q/dots-3.png
same "makes no time stamp" "$(codes "$picture")" ""
expect 0 "and the picture verifies" "$bs" verify "$picture"
expect 0 "request" "$bs" timestamp request "$picture" -o "$work/q.tsq"
same "openssl reads it" "$(openssl ts -query -in "$work/q.tsq" -text 2>/dev/null | grep -c 'Hash Algorithm: sha256\|Certificate required: yes')" 2
asks "$work/q.tsq" "$work/q.tsr"
cp -p "$picture" "$work/before.png"
chmod 640 "$picture"
expect 0 "attach" "$bs" timestamp attach "$picture" "$work/q.tsr"
says "tells the time and the authority" 'signed before 20[0-9-]+T.*Z, says Example tsa'
same "the file keeps its size" "$(stat -c %s "$picture")" "$(stat -c %s "$work/before.png")"
same "and its permissions" "$(stat -c %a "$picture")" 640
same "no other file is left" "$(ls -A "$work/q")" dots-3.png
same "the time stamp counts" "$(codes --trust-tsa "$ca/root.pem" "$picture")" "timeStamp.validated timeStamp.trusted "
expect 0 "and the picture verifies" "$bs" verify "$picture"
expect 0 "attach again" "$bs" timestamp attach "$picture" "$work/q.tsr"

# ---- afterwards, by the network ----
"$bs" gen -m dots --seed 4 --tsa later -o "$work/q" >/dev/null
expect 0 "timestamp add" "$bs" timestamp add "$work/q/dots-4.png" --tsa "$authority/tsa" --json
check "tells time and authority" jq -e '.authority == "Example tsa" and (.time | startswith("20"))' "$work/out"
same "counts as well" "$(codes --trust-tsa "$ca/root.pem" "$work/q/dots-4.png")" "timeStamp.validated timeStamp.trusted "

# ---- what is refused ----
cp "$work/before.png" "$work/r.png"
unchanged() { check "$1: the file is as before" cmp "$work/before.png" "$work/r.png"; }
expect 3 "another picture's answer" "$bs" timestamp attach "$work/q/dots-4.png" "$work/q.tsr"
hints "says why" 'of something else'
head -c 500 "$work/q.tsr" >"$work/short.tsr"
expect 4 "half an answer" "$bs" timestamp attach "$work/r.png" "$work/short.tsr"
expect 4 "no answer at all" "$bs" timestamp attach "$work/r.png" "$work/q.tsq"
unchanged "these"
"$bs" gen -m dots --seed 5 -o "$work/q" >/dev/null
"$bs" timestamp request "$work/q/dots-5.png" -q -o "$work/5.tsq"
asks "$work/5.tsq" "$work/5.tsr"
expect 1 "a picture without room" "$bs" timestamp attach "$work/q/dots-5.png" "$work/5.tsr"
hints "says what makes room" '--tsa later'
expect 1 "request without -o" "$bs" timestamp request "$picture"
expect 1 "request into a file that exists" "$bs" timestamp request "$picture" -o "$work/5.tsq"
expect 2 "a picture without manifest" "$bs" timestamp request tests/fuzz/corpus/image/rgb.png -o "$work/n.tsq"
for bad in replay:3:answered junk:4:answer refuse:5:'too busy' error:5:'status 500' redirect:5:'status 302' long:5:'longer than' type:5:'something else than'; do
    IFS=: read -r path code words <<<"$bad"
    expect "$code" "an authority of the kind $path" "$bs" timestamp add "$work/r.png" --tsa "$authority/$path"
    hints "$path: is told" "$words"
    unchanged "$path"
done
expect 1 "no address" "$bs" timestamp add "$work/r.png" --tsa file:///etc/passwd
expect 5 "nobody there" "$bs" timestamp add "$work/r.png" --tsa http://127.0.0.1:9/
unchanged "nobody there"

# An authority that fails while pictures are made: they are delivered, and can get their time stamps later.
expect 5 "gen with a failing authority" "$bs" gen -m dots --seed 6-7 --tsa "$authority/error" -o "$work/s"
hints "says which pictures lack it" 'dots-6.png got no time stamp'
hints "and what to do" 'timestamp add'
expect 0 "both pictures are there and verify" "$bs" verify "$work/s/dots-6.png" "$work/s/dots-7.png"
expect 0 "and take a time stamp later" "$bs" timestamp add "$work/s/dots-6.png" "$work/s/dots-7.png" --tsa "$authority/tsa"

# ---- pictures made elsewhere, of every format, and manifests beside them ----
cp tests/fuzz/corpus/image/base.jpg "$work/a.jpg"
cp tests/fuzz/corpus/image/lossy.webp "$work/b.webp"
expect 0 "sign --tsa later" "$bs" sign "$work/a.jpg" "$work/b.webp" --tsa later -o "$work/t" -q
for i in 1 2 3 4 5 6; do "$bs" sign "$work/t/a.jpg" --in-place --again --tsa later -q >/dev/null 2>&1; done # several APP11 segments
cp "$work/b.webp" "$work/c.webp"
expect 0 "sign --sidecar --tsa later" "$bs" sign "$work/c.webp" --sidecar --tsa later -q
expect 0 "timestamp add to JPEG, WebP and a sidecar" "$bs" timestamp add "$work/t/a.jpg" "$work/t/b.webp" "$work/c.c2pa" --tsa "$authority/tsa"
for f in t/a.jpg t/b.webp c.webp; do
    same "$f: the time stamp counts" "$(codes --trust-tsa "$ca/root.pem" "$work/$f")" "timeStamp.validated timeStamp.trusted "
    expect 0 "$f verifies" "$bs" verify "$work/$f"
done
check "the network's library is not loaded at the start" sh -c "! ldd '$bs' | grep -q curl"

# ---- what a time stamp is for ----
# One byte of the token changed, in its own words and in its signature.
python3 - "$picture" "$work/changed.png" <<'PY'
import sys, zlib
data = bytearray(open(sys.argv[1], "rb").read())
at = data.index(b"caBX") - 4
at_time = data.index(b"\x18\x0f20", at) + 4  # GeneralizedTime 20YYMMDDhhmmssZ
data[at_time + 1] ^= 1
end = at + 8 + int.from_bytes(data[at:at + 4], "big")
data[end:end + 4] = zlib.crc32(data[at + 4:end]).to_bytes(4, "big")
open(sys.argv[2], "wb").write(data)
PY
same "a time that was changed is noticed" "$(codes --trust-tsa "$ca/root.pem" "$work/changed.png")" "timeStamp.mismatch "
exit $status
