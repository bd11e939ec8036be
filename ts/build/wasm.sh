#!/usr/bin/env bash
# Builds the crate to WebAssembly, and writes it as files and as text to ts/backend/wasm/generated/ (ignored by git), in two variants:
#   relaxed  as it is compiled, with fused multiply-add: faster, needs a newer engine
#   simd     the same with multiplications and additions (ts/build/pack/variants.mjs): the same bits on every engine
# Does nothing if no input changed since the last run. OUT/inputs has a record of the inputs, so a folder built elsewhere can be used as well.
# Needs ts/build/toolchain.sh and node_modules.
#
#   ts/build/wasm.sh             build what is not built yet
#   ts/build/wasm.sh --is-built  exit code 0 if there is nothing to build
#   ts/build/wasm.sh --compile   the crate alone by cargo, which wasm-pack then finds done: ts/build/toolchain.sh does it while cargo compiles wasm-pack
set -euo pipefail
cd "$(dirname "$0")/../.."

NODE=node_modules/node/bin/node # binaryen needs Node 22
OUT=ts/backend/wasm/generated

inputs() {
  {
    { find crate -name '*.rs'; ls Cargo.toml Cargo.lock ts/build/wasm.sh ts/build/pack/*.mjs ts/backend/wasm/variants.ts; } | LC_ALL=C sort | xargs cat
    grep -A 2 '"node_modules/binaryen"' package-lock.json
  } | if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi
}

is_built() { [ -f "$OUT/core.ts" ] && [ "$(cat "$OUT/inputs" 2>/dev/null)" = "$(inputs)" ]; }
if [ "${1:-}" = --is-built ]; then is_built; exit; fi

# The variables of cargo for the crate. No path of this machine gets into the module. LLVM keeps the order of the source (docs/design/products.md):
# otherwise it loads all rows of a tile before it multiplies, and has too few registers for them. Panics do not name their place, because
# nothing reads it (crate/bare.rs). That option is not stable yet: RUSTC_BOOTSTRAP allows it.
crate_settings() {
  local home=${CARGO_HOME:-$HOME/.cargo} std
  # shellcheck source=/dev/null
  source .tools/env
  std=$(rustc --print sysroot)/lib/rustlib/src/rust
  export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$PWD/target/relaxed"
  export RUSTFLAGS="-Zlocation-detail=none -C target-feature=+simd128,+relaxed-simd -C llvm-args=-pre-RA-sched=source -C link-arg=--growable-table -C link-arg=--export=__stack_pointer --remap-path-prefix=$PWD=gradus --remap-path-prefix=$home=cargo --remap-path-prefix=$std=std"
}

if [ "${1:-}" = --compile ]; then
  if is_built; then exit; fi
  crate_settings
  cargo build --quiet --lib --release --target wasm32-unknown-unknown
  exit
fi

"$NODE" ts/build/worker.mjs
if is_built; then exit 0; fi
crate_settings
# crate -> target/pack/gradus_bg.wasm
wasm-pack --log-level warn build . --target web --mode no-install --release --no-pack --no-typescript \
  --out-dir "target/pack" --out-name gradus -- --quiet
"$NODE" ts/build/pack/finish.mjs "$OUT"
inputs > "$OUT/inputs"
