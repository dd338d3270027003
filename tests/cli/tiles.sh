#!/usr/bin/env bash
# Pictures made in tiles: --memory and --tile-size change how a picture is made, never which.
. tests/cli/helpers.bash
models
identity
aquatint=gen/models/aquatint.onnx

# peak NAME LIMIT COMMAND...: the command succeeds, and never held more than LIMIT kilobytes.
peak() {
    local name=$1 limit=$2 top=0 now
    shift 2
    "$@" >"$work/out" 2>"$work/err" &
    local pid=$!
    while now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' /proc/$pid/status 2>/dev/null) && [ -n "$now" ]; do
        top=$now
        sleep 0.02
    done
    if ! wait $pid; then not_ok "$name"; elif [ "$top" -gt "$limit" ]; then not_ok "$name: $top KB"; else ok "$name"; fi
}
sanitized=$(nm -D "$bs" | grep -c __asan_init)

# alike NAME FILE FILE: both are there and have the same pixels.
alike() {
    local a
    a=$(pixels "$2" 2>/dev/null)
    same "$1" "${a:-nothing}" "$(pixels "$3" 2>/dev/null)"
}

# ---- the same pixels ----
expect 0 "a picture in one piece" "$bs" gen -m $aquatint --seed 5 --size 900x700 -o "$work/whole" --json
same "says nothing of tiles" "$(jq '.[0] | has("tiles")' "$work/out")" false
expect 0 "in tiles" "$bs" gen -m $aquatint --seed 5 --size 900x700 --tile-size 512 -o "$work/tiles" --json
check "tells how many and what they cost" jq -e '.[0].tiles | .columns * .rows > 3 and .width <= 512 and .height <= 512 and .overhead > 0' "$work/out"
alike "makes the same pixels" "$work/tiles/aquatint-5.png" "$work/whole/aquatint-5.png"
expect 0 "a seamless one in tiles" "$bs" gen -m $aquatint --seed 5 --size 768x512 --tile --tile-size 400 -o "$work/tiles" --force
hints "tells people too" 'made in [0-9]+ x [0-9]+ tiles of [0-9]+ x [0-9]+ pixels; overlaps cost [0-9]+%'
expect 0 "the same in one piece" "$bs" gen -m $aquatint --seed 5 --size 768x512 --tile -o "$work/seamless"
alike "makes the same pixels" "$work/tiles/aquatint-5.png" "$work/seamless/aquatint-5.png"
expect 0 "one can be made again in tiles" "$bs" verify --replay -m $aquatint --memory 100M "$work/whole/aquatint-5.png"

# ---- picture to picture: a network that upscales ----
node_conv() { # INPUT WEIGHTS OUTPUT
    echo "node { op_type: \"Conv\" input: \"$1\" input: \"$2\" output: \"$3\" attribute { name: \"pads\" type: 7 ints: 1 ints: 1 ints: 1 ints: 1 } }"
}
weights() { # NAME OUT IN
    printf 'initializer { name: "%s" dims: %d dims: %d dims: 3 dims: 3 data_type: 1 ' "$1" "$2" "$3"
    awk -v n=$(($2 * $3 * 9)) -v s="$2$3" 'BEGIN { srand(s); for (i = 0; i < n; i++) printf "float_data: %.4f ", (rand() - 0.5) * 0.3 }'
    echo '}'
}
upscaler() { # EXTRA NODE BETWEEN a AND b
    echo 'ir_version: 8 opset_import { version: 17 } graph { name: "up"'
    echo 'input { name: "x" type { tensor_type { elem_type: 1 shape { dim { dim_value: 1 } dim { dim_value: 3 } dim { dim_param: "h" } dim { dim_param: "w" } } } } }'
    weights w1 16 3
    weights w2 16 16
    weights w3 48 16
    echo 'initializer { name: "one" dims: 16 data_type: 1' "$(yes 'float_data: 1' | head -n 16 | tr '\n' ' ')" '}'
    node_conv x w1 a
    echo "node { $1 output: \"b\" }"
    node_conv b w2 c
    echo 'node { op_type: "Relu" input: "c" output: "d" }'
    node_conv d w3 e
    echo 'node { op_type: "DepthToSpace" input: "e" output: "y" attribute { name: "blocksize" type: 2 i: 4 } }'
    echo 'output { name: "y" type { tensor_type { elem_type: 1 } } } }'
}
encode() { protoc-c --encode=onnx.ModelProto --proto_path=gen onnx.proto; }
upscaler 'op_type: "Relu" input: "a"' | encode >"$work/models/up.onnx"
upscaler 'op_type: "InstanceNormalization" name: "norm1" input: "a" input: "one" input: "one"' | encode >"$work/models/styled.onnx"
expect 0 "a picture to start from" "$bs" gen -m dots --seed 1 --size 1024x96 -o "$work"
expect 0 "upscaled in one piece" "$bs" gen -m up --input "$work/dots-1.png" -o "$work/whole"
if [ "$sanitized" = 0 ]; then
    peak "upscaled within 48 MB" $((48 * 1024)) "$bs" gen -m up --input "$work/dots-1.png" --memory 48M -o "$work/tiles" --json
    check "takes tiles" jq -es '.[0][0].tiles.columns > 1' "$work/out"
    peak "a larger picture within 100 MB" $((100 * 1024)) "$bs" gen -m $aquatint --seed 5 --size 2048x1536 --memory 100M -o "$work/large"
else
    skip "peak memory" "not what a sanitized program takes"
    expect 0 "upscaled in tiles" "$bs" gen -m up --input "$work/dots-1.png" --tile-size 999 -o "$work/tiles"
fi
alike "makes the same pixels" "$work/tiles/up-dots-1.png" "$work/whole/up-dots-1.png"

# ---- what cannot be done ----
refused() { # CODE NAME PATTERN OPTIONS...
    local code=$1 name=$2 pattern=$3
    shift 3
    expect "$code" "$name" "$bs" gen -o "$work/refused" "$@"
    hints "the error says so" "$pattern"
    nothing "nothing is left" "$work/refused"
}
refused 5 "a network that takes means" 'cannot be made in tiles: it takes the mean' -m styled --input "$work/dots-1.png" --memory 60M
hints "its node is named" 'node 1 \(InstanceNormalization norm1'
refused 1 "asked for tiles" 'cannot be made in tiles: it takes the mean' -m styled --input "$work/dots-1.png" --tile-size 256
refused 1 "tiles smaller than what the network sees" 'is the least: tiles must overlap' -m up --input "$work/dots-1.png" --tile-size 8
refused 5 "memory that not even a tile fits" 'even in tiles of' -m $aquatint --seed 5 --size 2048x2048 --memory 20M
for bad in 0 "" 2X 1.2.3M -5M 99999999T; do
    refused 1 "memory of \"$bad\"" 'memory must be a number of bytes' -m dots "--memory=$bad"
done
refused 1 "tiles of no size" 'tile-size must be' -m dots --tile-size 0
exit $status
