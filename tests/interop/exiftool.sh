#!/usr/bin/env bash
# exiftool shows what we write, and finds nothing wrong with it.
set -u
BUILD=${BUILD:-$PWD/build}
work=$BUILD/exiftool
status=0
command -v exiftool >/dev/null || { echo "ok exiftool # SKIP exiftool is not installed"; exit 0; }
mkdir -p "$work"
make -s BUILD="$BUILD" "$BUILD/interop/stamp" >"$work/log" 2>&1 ||
    { echo "not ok exiftool builds"; sed 's/^/# /' "$work/log"; exit 1; }
rm -rf "$work/samples" && mkdir -p "$work/samples"
"$BUILD/interop/stamp" "$work/samples" || { echo "not ok exiftool stamps"; exit 1; }

# FILE GROUP:TAG PATTERN: the tag's value matches the whole pattern; an empty pattern means the tag is not there.
shows() {
    got=$(exiftool -s3 "-$2" "$work/samples/$1.png" 2>&1)
    if [[ $got =~ ^$3$ ]]; then echo "ok $1 $2"; else echo "not ok $1 $2: '$got' is not '$3'"; status=1; fi
}
source='http://cv.iptc.org/newscodes/digitalsourcetype'
for file in public partner private composite reserved; do
    got=$(exiftool -validate -warning -a -s3 "$work/samples/$file.png" 2>&1)
    # Tags of Exif 3.1 are news to Debian's exiftool.
    [ $file != reserved ] || [ "$got" != $'1 Warning (minor)\n[minor] Unknown ExifIFD tag 0x9287' ] || got=OK
    if [ "$got" = OK ]; then echo "ok $file validates"; else echo "not ok $file validates: $got"; status=1; fi
    shows $file IFD0:Artist 'Ada Example'
    shows $file IFD0:Copyright 'Copyright 20[0-9]{2} Ada Example'
    shows $file IFD0:Software 'Blindstamp [0-9.]+'
    shows $file ExifIFD:DateTimeOriginal '20[0-9]{2}:[0-9]{2}:[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}'
    shows $file ExifIFD:OffsetTimeOriginal '\+00:00'
    shows $file ExifIFD:ImageUniqueID '[0-9a-f]{32}'
    shows $file XMP-dc:Creator 'Ada Example'
    shows $file XMP-xmpRights:Marked 'True'
    shows $file XMP-xmpMM:InstanceID 'xmp.iid:[0-9a-f-]{36}'
    shows $file PNG:Author 'Ada Example'
    shows $file CBOR:Claim_generator_infoName 'Blindstamp'
done
for file in public partner private reserved; do shows $file XMP-iptcExt:DigitalSourceType "$source/trainedAlgorithmicMedia"; done
shows composite XMP-iptcExt:DigitalSourceType "$source/compositeWithTrainedAlgorithmicMedia"
shows public XMP-iptcExt:AISystemUsed 'Gradient'
shows public XMP-iptcExt:AISystemVersionUsed 'Blindstamp [0-9.]+, model sha256 [0-9a-f]{64}'
shows public XMP-iptcExt:AIPromptInformation 'A harbour.*seed=18446744073709551557; truncation=0.8125.*'
shows public XMP-iptcExt:AIPromptWriterName 'Ada Example'
shows public XMP-dc:Title 'Harbour at dusk'
shows public PNG:Title 'Harbour at dusk'
shows public PNG:Parameters 'A harbour.*Steps: 1, Seed: 18446744073709551557, Size: 256x160, .*'
shows public ExifIFD:UserComment 'A harbour.*Steps: 1, Seed: 18446744073709551557, Size: 256x160, .*'
shows partner XMP-iptcExt:AIPromptInformation 'seed=18446744073709551557; .*'
shows partner XMP-iptcExt:AIPromptWriterName ''
shows partner XMP-dc:Title ''
shows private XMP-iptcExt:AIPromptInformation ''
shows private PNG:Parameters ''
shows private ExifIFD:UserComment ''
shows reserved XMP-plus:DataMining '(http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING|Prohibited for AI/ML training)'
shows public XMP-plus:DataMining ''
got=$(exiftool -u -b -ExifIFD:Exif_0x9287 -ExifIFD:LearningOptOutIn "$work/samples/reserved.png" | od -An -tx1 | tr -d ' \n')
# The older program gives the bytes, the newer one their meaning.
case $got in
00020001000000020000*) echo "ok reserved LearningOptOutIn" ;;
*) if [[ $(exiftool -s3 -ExifIFD:LearningOptOutIn "$work/samples/reserved.png") =~ [Oo]pt-?[Oo]ut ]]; then echo "ok reserved LearningOptOutIn"; else echo "not ok reserved LearningOptOutIn: $got"; status=1; fi ;;
esac
exit $status
