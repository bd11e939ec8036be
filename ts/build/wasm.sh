#!/usr/bin/env bash
# Builds the crate to WebAssembly, and writes it as files and as text to ts/backend/wasm/generated/ (ignored by git), in two variants:
#   relaxed  as it is compiled, with fused multiply-add: faster, needs a newer engine
#   simd     the same with multiplications and additions (ts/build/pack/variants.mjs): the same bits on every engine
# Does nothing when no input changed since the last run. Needs ts/build/toolchain.sh and node_modules.
set -euo pipefail
cd "$(dirname "$0")/../.."

NODE=node_modules/node/bin/node # binaryen needs Node 22
OUT=ts/backend/wasm/generated
STAMP=target/wasm.stamp

# shellcheck source=/dev/null
source .tools/env

inputs() {
  { find crate -name '*.rs'; ls Cargo.toml Cargo.lock ts/build/wasm.sh ts/build/pack/*.mjs ts/backend/wasm/variants.ts .tools/env node_modules/binaryen/package.json; } 2>/dev/null |
    LC_ALL=C sort | xargs sha256sum | sha256sum
}

# crate -> target/pack/gradus_bg.wasm. No path of this machine gets into the module. LLVM keeps the order of the source (docs/design/products.md):
# left to itself it loads all rows of a tile before it multiplies, which wants more registers than there are. Panics say no place, as
# nothing reads it (crate/bare.rs): that option is not stable yet, so the compiler has to be told that we know.
compile() {
  local home=${CARGO_HOME:-$HOME/.cargo} std
  std=$(rustc --print sysroot)/lib/rustlib/src/rust
  RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zlocation-detail=none -C target-feature=+simd128,+relaxed-simd -C llvm-args=-pre-RA-sched=source -C link-arg=--growable-table -C link-arg=--export=__stack_pointer --remap-path-prefix=$PWD=gradus --remap-path-prefix=$home=cargo --remap-path-prefix=$std=std" \
    CARGO_TARGET_DIR="$PWD/target/relaxed" \
    wasm-pack --log-level warn build . --target web --mode no-install --release --no-pack --no-typescript \
    --out-dir "target/pack" --out-name gradus -- --quiet
}

"$NODE" ts/build/worker.mjs
if [ -f "$OUT/core.ts" ] && [ "$(cat $STAMP 2>/dev/null)" = "$(inputs)" ]; then exit 0; fi
compile
"$NODE" ts/build/pack/finish.mjs "$OUT"
inputs > $STAMP
