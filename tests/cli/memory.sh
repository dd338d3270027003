#!/usr/bin/env bash
# Memory does not grow with the file: verify and sign of 50 MB stay below 64 MiB.
. tests/cli/helpers.bash
limit=65536 # KiB
command -v python3 >/dev/null && command -v pnmtopng >/dev/null && command -v cjpeg >/dev/null ||
    { skip "memory" "python3, netpbm or cjpeg is not installed"; exit 0; }
# within NAME COMMAND...: the command succeeds, and never held more than the limit.
within() {
    local name=$1 held
    shift
    held=$(python3 -c 'import os, resource, sys
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
_, status, usage = os.wait4(pid, 0)
print(usage.ru_maxrss)
sys.exit(status != 0)' "$@" 2>"$work/err") || { not_ok "$name: it failed"; return; }
    if [ "$held" -lt $limit ]; then ok "$name ($held KiB)"; else not_ok "$name: $held KiB"; fi
}
identity
{ printf 'P6\n4200 4000\n255\n'; head -c $((4200 * 4000 * 3)) /dev/urandom; } >"$work/noise.ppm"
pnmtopng -compression 0 "$work/noise.ppm" >"$work/png.png" 2>/dev/null
cjpeg -quality 100 -sample 1x1 "$work/noise.ppm" >"$work/jpg.jpg"
rm "$work/noise.ppm"
# a small picture and 80 MB in a chunk of another program's
python3 - tests/fuzz/corpus/image/lossless.webp "$work/webp.webp" <<'END'
import struct, sys
small = open(sys.argv[1], "rb").read()[12:]
bits = struct.unpack_from("<I", small, 9)[0]
size = struct.pack("<I", bits & 0x3fff)[:3] + struct.pack("<I", bits >> 14 & 0x3fff)[:3]
head = b"VP8X" + struct.pack("<II", 10, (bits >> 28 & 1) << 4) + size
body = b"WEBP" + head + small + b"JUNK" + struct.pack("<I", 80_000_000) + bytes(80_000_000)
open(sys.argv[2], "wb").write(b"RIFF" + struct.pack("<I", len(body)) + body)
END
for f in png jpg webp; do
    check "the $f is large" [ "$(stat -c %s "$work/$f.$f")" -gt 50000000 ]
    within "sign $f" "$bs" sign "$work/$f.$f" -o "$work/signed"
    within "verify $f" "$bs" verify "$work/signed/$f.$f"
    within "sign $f beside it" "$bs" sign "$work/$f.$f" --sidecar
done
within "verify pixels row by row" "$bs" verify --pixels "$work/png.png"
exit $status
