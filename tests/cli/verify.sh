#!/usr/bin/env bash
# verify and show: every verdict with its exit code, tampering of every kind, trust, replay.
. tests/cli/helpers.bash
models
identity
"$bs" gen -m dots --seed 1-3 --title "Dots at night" --prompt "many dots" -o "$work/p" >/dev/null
p=$work/p/dots-1.png

# ---- intact ----
expect 0 "intact" "$bs" verify "$p"
says "says who, with what, when" 'Verified: made by Ada Example with dots, 20'
says "says what was not needed" '- +pixels +The pixels need not be compared'
expect 0 "pixels too, when asked" "$bs" verify --pixels "$p"
says "says each check in words" 'yes +pixels +Every pixel'
expect 0 "replay" "$bs" verify --replay "$p"
says "says so" 'Made again .* every pixel is the same'
expect 0 "as JSON" "$bs" verify --json "$p"
check "with the check that was not needed" jq -e 'any(.[0].checks[]; .id == "pixels" and .result == "skipped")' "$work/out"
expect 0 "as JSON with all checks" "$bs" verify --pixels --json "$p"
check "with all checks passed" jq -e '.[0].code == 0 and .[0].seed == "1" and .[0].title == "Dots at night" and ([.[0].checks[].result] | unique == ["pass"])' "$work/out"
expect 0 "a folder" "$bs" verify "$work/p"
says "has a summary" '^3 files: 3 verified$'
expect 0 "one after the other" "$bs" verify --jobs 1 "$work/p"
cp "$work/out" "$work/alone"
expect 0 "several at once" "$bs" verify --jobs 3 "$work/p"
check "say the same in the same order" cmp "$work/out" "$work/alone"
mkdir -p "$work/p/deep/er"
cp "$p" "$work/p/deep/er/copy.PNG"
echo "no picture" >"$work/p/deep/notes.txt"
expect 0 "folders within folders" "$bs" verify "$work/p"
says "count" '^4 files: 4 verified$'
expect 0 "quiet" "$bs" verify -q "$work/p"
same "prints nothing when all is well" "$(cat "$work/out")" ""

# ---- trust ----
stranger="env BLINDSTAMP_HOME=$work/nobody"
expect 6 "without any home" $stranger "$bs" verify "$p"
says "intact, but nobody confirms the name" 'nobody you trust confirms'
expect 6 "signer trusted, ledger not" $stranger "$bs" verify --trust "$work/home/certs/root.pem" "$p"
says "says that the ledger is not known" 'ledger .* key is not known'
vkey=$("$bs" key show --json | jq -r .log_key)
expect 0 "signer and ledger trusted" $stranger "$bs" verify --trust "$work/home/certs/root.pem" --log-key "$vkey" "$p"
"$bs" key export -o "$work/ada.pem"
expect 0 "both in one file" $stranger "$bs" verify --trust "$work/ada.pem" "$p"
expect 0 "with the ledger at hand" $stranger "$bs" verify --trust "$work/ada.pem" --ledger "$work/home/ledger.sqlite" "$p"
says "looks into it" 'yes +ledger'
"$bs" init --home "$work/eve" --author "Ada Example" --no-passphrase >/dev/null
expect 6 "the same name is not the same signer" "$bs" verify --home "$work/eve" "$p"
"$bs" gen --home "$work/eve" -m dots --seed 1 -o "$work/eves" >/dev/null
expect 6 "a namesake's picture is not ours" "$bs" verify "$work/eves/dots-1.png"
expect 6 "nor with our ledger" "$bs" verify --ledger "$work/home/ledger.sqlite" "$work/eves/dots-1.png"
expect 6 "a wrong log key does not help" $stranger "$bs" verify --trust "$work/home/certs/root.pem" --log-key "$("$bs" key show --home "$work/eve" --json | jq -r .log_key)" "$p"
expect 1 "a log key that is none" "$bs" verify --log-key nonsense "$p"
expect 4 "a certificate that is none" "$bs" verify --trust "$work/p/deep/notes.txt" "$p"

# ---- nothing known, stripped, unreadable ----
pixels_only() { # FILE OUT: the picture without any metadata, by taking its chunks apart
    local o=8 size type len
    size=$(stat -c %s "$1")
    head -c 8 "$1" >"$2"
    while [ $o -lt "$size" ]; do
        len=$((0x$(od -An -tx1 -j $o -N 4 "$1" | tr -d ' \n')))
        type=$(tail -c +$((o + 5)) "$1" | head -c 4)
        case $type in IHDR | IDAT | IEND) tail -c +$((o + 1)) "$1" | head -c $((len + 12)) >>"$2" ;; esac
        o=$((o + len + 12))
    done
}
pixels_only "$p" "$work/stripped.png"
expect 2 "stripped" "$bs" verify "$work/stripped.png"
says "the ledger knows its pixels" 'stand in the ledger as entry 1, by Ada Example'
expect 2 "stripped, without ledger" $stranger "$bs" verify "$work/stripped.png"
says "nothing is known" 'Nothing in the file says'
expect 4 "no picture" "$bs" verify "$work/p/deep/notes.txt"
expect 4 "missing file" "$bs" verify "$work/nothere.png"
expect 4 "empty file" "$bs" verify /dev/null
expect 4 "endless file" "$bs" verify /dev/zero
mkfifo "$work/pipe.png"
expect 4 "a pipe that nobody writes to" timeout 5 "$bs" verify "$work/pipe.png"
expect 4 "shown" timeout 5 "$bs" show "$work/pipe.png"
rm "$work/pipe.png"
ln -s loop.png "$work/loop.png"
expect 4 "a link to itself" "$bs" verify "$work/loop.png"
mkdir "$work/hollow"
expect 2 "a folder without pictures is not verified" "$bs" verify "$work/hollow"
hints "it says so" 'no picture in'
for n in 7 20 100 2000 5000; do
    head -c $n "$p" >"$work/cut.png"
    expect 4 "cut to $n bytes" "$bs" verify "$work/cut.png"
done
head -c -1 "$p" >"$work/cut.png"
expect 4 "cut by one byte" "$bs" verify "$work/cut.png"

# ---- altered ----
# FILE TYPE FROM TO: changes a text within the first chunk of that type and gives it the right CRC, as a forger would.
forge() {
    perl -e 'use strict; my ($f,$t,$from,$to)=@ARGV; open my $h,"+<:raw",$f or die; local $/; my $d=<$h>; my $o=8;
      my @T=map{my $c=$_; $c=$c&1?0xEDB88320^($c>>1):$c>>1 for 1..8; $c}0..255; my $done=0;
      while($o<length $d){my $l=unpack"N",substr($d,$o,4); my $b=substr($d,$o+4,$l+4);
        if(substr($b,0,4) eq $t && $b=~s/\Q$from\E/$to/){my $c=0xFFFFFFFF; $c=$T[($c^$_)&255]^($c>>8) for unpack"C*",$b;
          substr($d,$o+4,$l+8)=$b.pack"N",$c^0xFFFFFFFF; $done=1; last}
        $o+=$l+12}
      $done or die "not found"; seek $h,0,0; print $h $d' "$@"
}
cp "$p" "$work/a.png"
check "forge a title" forge "$work/a.png" tEXt "Dots at night" "Dots at NIGHT"
expect 3 "a changed title" "$bs" verify "$work/a.png"
says "the pixels are still the signed ones" 'its pixels are still the signed ones'
if command -v exiftool >/dev/null; then
    cp "$p" "$work/a.png"
    exiftool -q -overwrite_original -Title="Mine" "$work/a.png"
    expect 3 "a title written by another program" "$bs" verify "$work/a.png"
    says "the pixels are still the signed ones" 'its pixels are still the signed ones'
    cp "$p" "$work/a.png"
    exiftool -q -overwrite_original -all= "$work/a.png"
    expect 3 "metadata taken out by another program" "$bs" verify "$work/a.png"
    says "the AI mark is missed" 'does not say that the picture is AI-made'
else
    skip "metadata changed by another program" "exiftool is not installed"
fi
(cat "$p"; echo extra) >"$work/a.png"
expect 3 "bytes behind the end" "$bs" verify "$work/a.png"
"$bs" gen -m warm --input "$p" -o "$work/w" >/dev/null
graft() { # FROM ONTO OUT: the second picture with the first one's manifest
    perl -e 'use strict; my @f=map{open my $h,"<:raw",$_ or die; local $/; <$h>}@ARGV[0,1]; my @c;
      for my $d(@f){my ($o,%m)=(8); while($o<length $d){my $l=unpack"N",substr($d,$o,4);
        push @{$m{substr($d,$o+4,4)}},[$o,$l+12]; $o+=$l+12} push @c,\%m}
      my ($s,$t)=map{$_->{caBX}[0]}@c; substr($f[1],$t->[0],$t->[1])=substr($f[0],$s->[0],$s->[1]); print $f[1]' "$1" "$2" >"$3"
}
graft "$p" "$work/p/dots-2.png" "$work/a.png"
expect 3 "another picture's manifest" "$bs" verify "$work/a.png"
says "the pixels are not the signed ones" 'pixels are not those'
graft "$p" "$work/eves/dots-1.png" "$work/a.png"
expect 3 "another file with the same pixels" "$bs" verify "$work/a.png"
size=$(stat -c %s "$p")
bad=0 tried=0 codes=
for ((i = 0; i < size; i += 97)); do
    cp "$p" "$work/flip.png"
    byte=$(od -An -tu1 -j $i -N 1 "$p" | tr -d ' ')
    printf "\\x$(printf %02x $((byte ^ 1 << (i % 8))))" | dd of="$work/flip.png" bs=1 seek=$i conv=notrunc status=none
    "$bs" verify -q "$work/flip.png" >/dev/null 2>&1
    code=$?
    tried=$((tried + 1))
    case $code in 3 | 4) ;; *) bad=$((bad + 1)) codes="$codes $i:$code" ;; esac
done
same "a bit flipped in every 97th byte ($tried of $size) is always noticed" "$codes" ""

# ---- the worst of a batch ----
mkdir "$work/b"
cp "$p" "$work/b/1.png"
expect 0 "all good" "$bs" verify "$work/b"
cp "$work/eves/dots-1.png" "$work/b/2.png"
expect 6 "one untrusted" "$bs" verify "$work/b"
cp "$work/stripped.png" "$work/b/3.png"
expect 2 "one unknown" "$bs" verify "$work/b"
cp "$work/cut.png" "$work/b/4.png"
expect 4 "one unreadable" "$bs" verify "$work/b"
cp "$work/a.png" "$work/b/5.png"
expect 3 "one broken" "$bs" verify "$work/b"
says "the summary counts each" '^5 files: 1 verified, 1 unknown, 1 broken, 1 unreadable, 1 intact but not trusted$'
expect 3 "as JSON" "$bs" verify --json "$work/b"
check "each has its code" jq -e '[.[].code] == [0,6,2,4,3]' "$work/out"

# ---- two answers, and the forms of other programs ----
expect 0 "as JSON" "$bs" verify --json "$p"
check "intact, and trusted" jq -e '.[0].integrity == "intact" and .[0].signer_trust == "trusted"' "$work/out"
expect 6 "a stranger's, as JSON" "$bs" verify --json "$work/eves/dots-1.png"
check "intact, and unknown" jq -e '.[0].integrity == "intact" and .[0].signer_trust == "unknown signer"' "$work/out"
expect 3 "altered, as JSON" "$bs" verify --json "$work/a.png"
check "altered, whoever signed" jq -e '.[0].integrity == "altered"' "$work/out"
expect 0 "crJSON" "$bs" verify --format crjson "$p"
check "one document with its manifest" jq -e '.manifests[0]."claim.v2".instanceID and .jsonGenerator.name == "Blindstamp"' "$work/out"
expect 3 "c2patool's form, of the folder" "$bs" verify -f c2patool "$work/b"
check "an array, the broken one Invalid, the stripped one an error" jq -e '[.[] | .validation_state // "none"] == ["Trusted", "Valid", "none", "none", "Invalid"]' "$work/out"
expect 1 "an unknown form" "$bs" verify --format xml "$p"
if command -v exiftool >/dev/null; then
    cp "$work/stripped.png" "$work/remote.png"
    echo '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
        rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="https://example.org/x.c2pa"/></rdf:RDF></x:xmpmeta>' >"$work/x.xmp"
    exiftool -q -overwrite_original "-XMP<=$work/x.xmp" "$work/remote.png"
    expect 2 "credentials kept elsewhere" "$bs" verify "$work/remote.png"
    says "are named, not fetched" 'kept at https://example.org/x.c2pa, from where nothing was fetched'
fi
perl -e 'use strict; local $/; open my $h,"<:raw",$ARGV[0] or die; my $d=<$h>; my $l=unpack"N",substr($d,33,4); print substr($d,41,$l)' \
    "$p" >"$work/beside.c2pa"
pixels_only "$p" "$work/beside.png"
expect 3 "a store beside another file" "$bs" verify "$work/beside.png"
says "is judged, and not bound to it" 'not made for these bytes'

# ---- replay ----
expect 0 "replay of a folder" "$bs" verify --replay "$work/p"
expect 2 "model not at hand" env BLINDSTAMP_MODELS="$work/none" "$bs" verify --replay "$p"
says "is named, with the way out" 'model dots \(SHA-256 [0-9a-f]{16}...\) is not at hand; --model'
expect 0 "model by its path" env BLINDSTAMP_MODELS="$work/none" "$bs" verify --replay --model "$work/models/dots.onnx" "$p"
expect 2 "input not at hand" "$bs" verify --replay "$work/w/warm-dots-1.png"
says "is named" 'input picture dots-1.png'
cp "$p" "$work/w/"
expect 0 "input beside the picture" "$bs" verify --replay "$work/w/warm-dots-1.png"
"$bs" gen -m dots --seed 5 --style ink:0.1,space:0.2,flowers:0.4 -t 0.7 --tile --size 30x20 --privacy private -o "$work/private" >/dev/null
expect 0 "private controls, with the ledger that keeps them" "$bs" verify --replay "$work/private/dots-5.png"
expect 2 "private controls, without it" $stranger "$bs" verify --replay --trust "$work/ada.pem" --model "$work/models" "$work/private/dots-5.png"
says "are said to be closed" 'Not replayable: the statement keeps the [a-z_]+ to itself.*--ledger'
for s in 0.333:0.333 1:7 0.1:0.9; do
    "$bs" gen -m dots --seed 9 --style "ink:${s%:*},space:${s#*:},flowers:0.77" -t 0.9123456 -o "$work/odd" --force >/dev/null
    expect 0 "odd weights $s come back exactly" "$bs" verify --replay "$work/odd/dots-9.png"
done

# ---- show ----
expect 0 "show" "$bs" show "$p"
says "has the statement" '^Signed statement'
says "and the author" 'Artist: Ada Example'
expect 0 "show as JSON" "$bs" show --json "$p"
check "with all sections" jq -e '.file.format == "PNG" and (.metadata.text.Title == "Dots at night") and .statement.predicateType == "https://slsa.dev/provenance/v1" and .receipt.entry == 1 and (.manifest.generator | startswith("Blindstamp"))' "$work/out"
for form in crjson c2patool; do
    expect 0 "show as $form" "$bs" show --format $form "$p"
    same "with the manifest that verify gives" "$(jq -c '.manifests | if type == "array" then map(.label) else keys end' "$work/out")" \
        "$("$bs" verify --format $form "$p" | jq -c '.manifests | if type == "array" then map(.label) else keys end')"
done
expect 1 "show in an unknown form" "$bs" show --format pdf "$p"
expect 2 "show of manifests where there are none" "$bs" show --format crjson "$work/stripped.png"
expect 0 "show of a stripped file" "$bs" show --json "$work/stripped.png"
check "has no manifest" jq -e '.manifest == null and .statement == null' "$work/out"
expect 4 "show of no picture" "$bs" show "$work/p/deep/notes.txt"
printf '\x89PNG\r\n\x1a\n' >"$work/a.png"
expect 4 "show of a bare signature" "$bs" show "$work/a.png"
exit $status
