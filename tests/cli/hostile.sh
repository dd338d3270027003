#!/usr/bin/env bash
# A hostile file costs verify, show and sign at most a second of processor and 64 MiB: files made to cost more, and all
# broken files of the fuzz targets (tests/cli/hostile.py).
. tests/cli/helpers.bash
identity
python3 tests/cli/hostile.py "$bs" "$work/files" tests/fuzz/corpus || status=1
exit $status
