#!/usr/bin/env bash
# What is said in a picture's own metadata: set beside what is there, in every format, or left alone; China's label for AI
# content; and what sign keeps back of a file's words.
. tests/cli/helpers.bash
command -v exiftool >/dev/null || { skip "metadata" "exiftool is not installed"; exit 0; }
models
identity
corpus=$root/tests/fuzz/corpus/image
mkdir -p "$work/in"
cp "$corpus/base.jpg" "$work/in/a.jpg"
cp "$corpus/rgb.png" "$work/in/a.png"
cp "$corpus/lossy.webp" "$work/in/a.webp"
cp "$corpus/lossless.webp" "$work/in/bare.webp"
cp "$corpus/palette.png" "$work/in/bare.png"
cp "$corpus/grey.jpg" "$work/in/bare.jpg" 2>/dev/null || cp "$corpus/progressive.jpg" "$work/in/bare.jpg"
exiftool -q -overwrite_original -Artist=Bob -UserComment='a note' -GPSLatitude=10 -GPSLatitudeRef=N -XMP-dc:Title=Quay \
    -XMP-dc:Subject=one -XMP-dc:Subject=two -XMP-photoshop:City=Kiel "$work"/in/a.*
tags() { exiftool -a -G1 -s -XMP:all -EXIF:all -PNG:all "$1" 2>/dev/null | grep -vE '(DigitalSourceType|DataMining|Aigc|AIGC|InstanceID|DocumentID|MetadataDate|XMPToolkit|0x9287|Exif_0x9287|LearningOptOutIn) ' | sort; }
shown() { exiftool -s3 "-$1" "$2" 2>/dev/null; }

# ---- nothing asked, nothing changed ----
expect 0 "plain" "$bs" sign "$work/in" -o "$work/plain"
for f in a.jpg a.png a.webp; do
    same "the metadata of $f stays" "$("$bs" show --json "$work/plain/$f" | jq -S .metadata | sed 's/at byte [0-9]*//')" \
        "$("$bs" show --json "$work/in/$f" | jq -S .metadata | sed 's/at byte [0-9]*//')"
done

# ---- asked for ----
expect 0 "declared, and no training" "$bs" sign "$work/in" -o "$work/said" --source-type generated --no-train
expect 0 "they verify" "$bs" verify "$work/said"
warnings() { exiftool -validate -warning -a -s3 "$1" | grep -vE '^[0-9]+ Warnings?|Unknown ExifIFD tag 0x9287|^OK$' | sort; }
for f in a.jpg a.png a.webp bare.jpg bare.png bare.webp; do
    s=$work/said/$f
    exiftool -j -u -G1 "$s" >"$work/tags"
    "$bs" show --json "$s" >"$work/shown"
    same "$f names its source" "$(jq -r '.[0]["XMP-iptcExt:DigitalSourceType"]' "$work/tags")" "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    check "$f reserves training in XMP" jq -e '.[0]["XMP-plus:DataMining"] | test("DMI-PROHIBITED-AIMLTRAINING|AI/ML")' "$work/tags"
    check "$f reserves training in EXIF" jq -e '.[0] | keys | any(test("ExifIFD:(Exif_0x9287|LearningOptOutIn)"; "i"))' "$work/tags"
    check "$f reserves training in its manifest" grep -q cawg.training-mining "$work/shown"
    same "the instance of $f is the manifest's" "$(jq -r '.[0]["XMP-xmpMM:InstanceID"]' "$work/tags")" "xmp.iid:$(jq -r .statement.predicate.imageId "$work/shown")"
    same "the manifest of $f tells the change" "$(jq -r '[.manifest.content.assertions["c2pa.actions.v2"].actions[].action] | join(" ")' "$work/shown")" "c2pa.opened c2pa.edited.metadata"
    same "the statement of $f tells what was written" "$(jq -r '.statement.predicate.written | "\(.xmp["plus:DataMining"]) \(.exif.LearningOptOutIn)"' "$work/shown")" \
        "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING 2 1 0 2 0"
    same "the pixels of $f are the same" "$(jq -r .file.pixels_sha256 "$work/shown")" "$(pixels "$work/in/$f")"
    same "exiftool has nothing new against $f" "$(warnings "$s")" "$(warnings "$work/in/$f")"
done
for f in a.jpg a.png a.webp; do same "all other tags of $f are there" "$(tags "$work/said/$f")" "$(tags "$work/in/$f")"; done
expect 0 "once more" "$bs" sign "$work/said/a.jpg" --in-place --again --no-train
same "what is said already is not written again" "$("$bs" show --json "$work/said/a.jpg" | jq '.statement.predicate | has("written")')" false
expect 0 "in place, with another declaration" "$bs" sign "$work/plain/a.webp" --in-place --again --source-type edited
expect 0 "and another" "$bs" sign "$work/plain/a.webp" --in-place --again --source-type capture
same "what stood there is told" "$("$bs" show --json "$work/plain/a.webp" | jq -r '.statement.predicate.replaced.xmp["Iptc4xmpExt:DigitalSourceType"]')" "http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits"

# ---- left alone ----
expect 0 "metadata kept" "$bs" sign "$work/in/a.png" -o "$work/kept" --source-type generated --no-train --keep-metadata
same "it is" "$("$bs" show --json "$work/kept/a.png" | jq -S .metadata.xmp)" "$("$bs" show --json "$work/in/a.png" | jq -S .metadata.xmp)"
check "the manifest says it all the same" sh -c "'$bs' show --json '$work/kept/a.png' | grep -q cawg.training-mining"
expect 1 "a model's mark is not replaced" "$bs" sign "$work/said/a.png" -o "$work/wash" --again --source-type capture
hints "the way out is told" '--keep-metadata'
nothing "and nothing is written" "$work/wash"
python3 - "$work/in/a.png" "$work/bad.png" <<'P'
import sys, zlib, struct
data, out = open(sys.argv[1], 'rb').read(), b''
out, at = data[:8], 8
while at < len(data):
    size = struct.unpack('>I', data[at:at + 4])[0]
    kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + size]
    if kind == b'iTXt':
        body = body.replace(b'</rdf:RDF>', b'')
    out += struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))
    at += size + 12
open(sys.argv[2], 'wb').write(out)
P
expect 4 "XMP that cannot be read is not touched" "$bs" sign "$work/bad.png" -o "$work/bad" --no-train
hints "the way out is told" '--keep-metadata'
expect 0 "which it is" "$bs" sign "$work/bad.png" -o "$work/bad" --no-train --keep-metadata

# An extended XMP packet of a JPEG stays whole.
cp "$work/in/a.jpg" "$work/long.jpg"
head -c 90000 /dev/zero | tr '\0' w >"$work/long.txt"
exiftool -q -overwrite_original "-XMP-dc:Description<=$work/long.txt" "$work/long.jpg"
expect 0 "a JPEG with extended XMP" "$bs" sign "$work/long.jpg" -o "$work/long.d" --no-train
same "its long text is whole" "$(shown XMP-dc:Description "$work/long.d/long.jpg" | wc -c)" 90001
check "and the new field beside it" sh -c "exiftool -s3 -XMP-plus:DataMining '$work/long.d/long.jpg' | grep -q ."
expect 0 "it verifies" "$bs" verify "$work/long.d/long.jpg"

# ---- China's label ----
expect 1 "no code, no label" "$bs" sign "$work/in/a.png" -o "$work/cn" --profile cn
hints "the options are told" '--producer CODE or --propagator CODE'
expect 1 "an unknown profile" "$bs" sign "$work/in/a.png" -o "$work/cn" --profile eu
expect 1 "a code without the label" "$bs" gen -m dots --seed 1 --producer X -o "$work/cn"
expect 1 "a code that is none" "$bs" gen -m dots --seed 1 --profile cn --producer "" -o "$work/cn"
expect 1 "a label in metadata that is to stay" "$bs" sign "$work/in/a.png" --sidecar --profile cn --producer X
nothing "nothing was made" "$work/cn"
expect 0 "a picture of ours" "$bs" gen -m dots --seed 1 --profile cn --producer "001191000000000000000X00000" -o "$work/cn"
label() { "$bs" show --json "$1" | jq -r ".aigc.label | $2"; }
same "says that it is generated" "$(label "$work/cn/dots-1.png" .Label)" 1
same "under its own number" "$(label "$work/cn/dots-1.png" .ProduceID)" "$("$bs" show --json "$work/cn/dots-1.png" | jq -r .statement.predicate.runDetails.metadata.invocationId)"
same "in XMP and in a text chunk alike" "$("$bs" show --json "$work/cn/dots-1.png" | jq -c '.metadata | (.xmp["TC260:AIGC"] | fromjson) == (.text.AIGC | fromjson | .AIGC)')" true
same "exiftool sees it" "$(shown PNG:AIGC "$work/cn/dots-1.png" | jq -r .AIGC.Label)" 1
expect 0 "it verifies" "$bs" verify "$work/cn/dots-1.png"
says "with its seal" 'aigc .*AI-generated; produced by 001191.*fits it and these pixels, signed with your own key'
echo '{"ContentPropagator": "shop.example"}' >"$BLINDSTAMP_HOME/aigc.json"
expect 1 "a picture of ours without its producer" "$bs" gen -m dots --seed 2 --profile cn -o "$work/cn"
hints "is refused" "needs the producer's code"
expect 0 "pictures made elsewhere, declared, by who passes them on" "$bs" sign "$work/in/a.jpg" "$work/in/a.webp" -o "$work/cn" --profile cn --source-type generated
for f in a.jpg a.webp; do same "$f is possibly generated" "$(label "$work/cn/$f" '.Label + .ContentPropagator')" "2shop.example"; done
expect 0 "they verify" "$bs" verify "$work/cn"
expect 0 "nothing speaks of a model" "$bs" sign "$work/in/bare.jpg" -o "$work/cn" --profile cn
hints "then there is no label" '1 of them got no label'
same "indeed" "$("$bs" show --json "$work/cn/bare.jpg" | jq .aigc)" null
cp "$work/in/a.jpg" "$work/told.jpg"
exiftool -q -overwrite_original '-UserComment=a barn, dusk
Negative prompt: quixotic fog
Steps: 20, Sampler: Euler, Seed: 987654321, Size: 24x16, Model: tiny' "$work/told.jpg"
expect 0 "metadata that speaks of a model" "$bs" sign "$work/told.jpg" -o "$work/cn" --profile cn
same "makes it suspected" "$(label "$work/cn/told.jpg" .Label)" 3
expect 0 "a label that is there" "$bs" sign "$work/cn/dots-1.png" -o "$work/on" --again --profile cn
same "stays" "$(label "$work/on/dots-1.png" '.Label + .ContentProducer + .ContentPropagator')" "1001191000000000000000X00000shop.example"
expect 0 "passed on, it verifies" "$bs" verify "$work/on/dots-1.png"
says "with both" 'produced by 001191.*passed on by shop.example'
echo '{"Producer": "x"}' >"$BLINDSTAMP_HOME/aigc.json"
expect 1 "a broken aigc.json" "$bs" sign "$work/in/a.png" -o "$work/cn" --profile cn
hints "is named" 'aigc.json'
rm "$BLINDSTAMP_HOME/aigc.json"
# without its manifest the label still tells, and a change of it shows
python3 - "$work/cn/dots-1.png" "$work/stripped.png" "$work/forged.png" <<'P'
import sys, zlib, struct
data = open(sys.argv[1], 'rb').read()
for path, new in ((sys.argv[2], b'001191000000000000000X00000'), (sys.argv[3], b'001191000000000000000Y00000')):
    out, at = data[:8], 8
    while at < len(data):
        size = struct.unpack('>I', data[at:at + 4])[0]
        kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + size].replace(b'001191000000000000000X00000', new)
        if kind != b'caBX':
            out += struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))
        at += size + 12
    open(path, 'wb').write(out)
P
expect 2 "a stripped picture" env BLINDSTAMP_HOME="$work/nobody" "$bs" verify --details "$work/stripped.png"
says "is still told by its label" 'aigc .*fits it and these pixels, signed with a key that is not known here'
expect 3 "a forged label" env BLINDSTAMP_HOME="$work/nobody" "$bs" verify --details "$work/forged.png"
says "is noticed" 'seal does not fit'
cp "$work/in/a.jpg" "$work/theirs.jpg"
exiftool -q -overwrite_original '-UserComment={"AIGC":{"Label":"1","ContentProducer":"001Other","ProduceID":"77","ReservedCode1":"abc","ContentPropagator":"","PropagateID":"","ReservedCode2":""}}' "$work/theirs.jpg"
expect 2 "somebody else's label" "$bs" verify --details "$work/theirs.jpg"
says "is read in words" 'AI-generated; produced by 001Other as 77'
expect 0 "and shown" "$bs" show "$work/theirs.jpg"
says "in words" 'says: AI-generated; produced by 001Other as 77'

# ---- words kept back ----
sign() { "$bs" sign "$work/told.jpg" -o "$work/$1" --privacy "$1" "${@:2}" 2>"$work/err"; }
bytes() {
    grep -aoE '"payload":"[A-Za-z0-9+/=]+' "$work/$1/told.jpg" | cut -d'"' -f4 | base64 -d
    "$bs" show --json "$work/$1/told.jpg" | jq 'del(.file.path, .metadata)'
}
found() { bytes "$1" | grep -acF -- "$2"; }
for p in public partner private; do sign $p >/dev/null; expect 0 "$p verifies" "$bs" verify "$work/$p/told.jpg"; done
for w in "a barn, dusk" "quixotic fog" 987654321 Euler told.jpg Bob; do check "public quotes $w" test "$(found public "$w")" -gt 0; done
for w in "a barn" "quixotic fog"; do same "partner hides $w" "$(found partner "$w")" 0; done
check "partner quotes the seed" test "$(found partner 987654321)" -gt 0
for w in "a barn" "quixotic fog" 987654321 Euler told.jpg Bob; do same "private hides $w" "$(found private "$w")" 0; done
check "all name the model" test "$(found private tiny)" -gt 0
sign partner --force >/dev/null
hints "that the file still shows them is told" 'still show in their own metadata'
same "home's ledger finds them" "$("$bs" query --text barn --count)" 5
same "and their seeds" "$("$bs" query --seed 987654321 --json | jq length)" 5
same "and their names" "$("$bs" query --seed 987654321 --json | jq -r '[.[] | .file_name + ":" + .privacy] | unique | join(" ")')" "told.jpg:partner told.jpg:private told.jpg:public"
expect 0 "the ledger is whole" "$bs" ledger verify
expect 1 "an unknown privacy" "$bs" sign "$work/told.jpg" -o "$work/x" --privacy secret
exit $status
