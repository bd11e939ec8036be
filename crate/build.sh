#!/usr/bin/env bash
# Builds the crate to WebAssembly, twice, and writes each module as text to ts/backend/generated/ (ignored by git):
#   simd     fixed-width SIMD: the same bits on every engine
#   relaxed  with fused multiply-add: faster, needs a newer engine
# Does nothing when no input changed since the last run. Needs crate/toolchain.sh and node_modules.
set -euo pipefail
cd "$(dirname "$0")/.."

NODE=node_modules/node/bin/node # binaryen needs Node 22
OUT=ts/backend/generated
STAMP=target/wasm.stamp

# shellcheck source=/dev/null
source .tools/env

inputs() {
  { find crate -name '*.rs'; ls Cargo.toml Cargo.lock crate/build.sh crate/encode.mjs .tools/env node_modules/binaryen/package.json; } 2>/dev/null |
    LC_ALL=C sort | xargs sha256sum | sha256sum
}

# compile NAME TARGET_FEATURES: crate -> target/pack/NAME/gradus_bg.wasm. No path of this machine gets into the module.
compile() {
  local home=${CARGO_HOME:-$HOME/.cargo} std
  std=$(rustc --print sysroot)/lib/rustlib/src/rust
  RUSTFLAGS="-C target-feature=$2 -C link-arg=--growable-table -C link-arg=--export=__stack_pointer --remap-path-prefix=$PWD=gradus --remap-path-prefix=$home=cargo --remap-path-prefix=$std=std" \
    CARGO_TARGET_DIR="$PWD/target/$1" \
    wasm-pack --log-level warn build . --target web --mode no-install --release --no-pack --no-typescript \
    --out-dir "target/pack/$1" --out-name gradus -- --quiet
}

# finish NAMES: target/pack/NAME/gradus_bg.wasm -> OUT/NAME.ts. The exports are numbers only, so wasm-bindgen's glue is not
# needed: without its exports the module imports nothing, and the loader instantiates it directly.
finish() {
  mkdir -p "$OUT"
  "$NODE" --input-type=module - "$OUT" "$@" <<'JS'
import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import binaryen from 'binaryen'
import { difference, encode } from './crate/encode.mjs'

function optimise(bytes) {
  const module = binaryen.readBinary(bytes)
  const names = WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map((e) => e.name)
  for (const glue of names.filter((name) => name.startsWith('__') && name !== '__stack_pointer')) module.removeExport(glue)
  exportTable(module)
  binaryen.setOptimizeLevel(3)
  binaryen.setShrinkLevel(0)
  // Folds address arithmetic into loads and stores, which V8 needs to widen vector pairs. Rust's data starts at 1 MiB.
  binaryen.setLowMemoryUnused(true)
  module.optimize()
  module.runPasses(['strip-producers'])
  return module.emitBinary()
}

/** The table of functions, where ts/backend/program.ts puts kernels; wasm-bindgen drops its export. */
function exportTable(module) {
  const tables = Array.from({ length: module.getNumTables() }, (_, i) => module.getTableByIndex(i))
  const { name } = tables.map(binaryen.getTableInfo).find(({ name }) => module.getTableSegments(module.getTable(name)).length > 0)
  module.addTableExport(name, 'table')
}

/** Panic locations of a locally built standard library hold paths of this machine, which must not be published. */
function withoutPaths(bytes) {
  const text = Buffer.from(bytes).toString('latin1')
  return Buffer.from(text.replace(/\/(home|root|work|usr|build|Users)\/[\w./-]*/g, (path) => '-'.repeat(path.length)), 'latin1')
}

/** What the loader relies on. */
function check(bytes, name) {
  const module = new WebAssembly.Module(bytes)
  const exports = WebAssembly.Module.exports(module).map((e) => e.name)
  const imports = WebAssembly.Module.imports(module).map((i) => `${i.module}.${i.name}`)
  if (imports.length > 0) throw new Error(`${name}.wasm imports ${imports}, but is instantiated with no imports`)
  // `table` holds the kernels of programs; each thread has a stack of its own, so each sets its pointer
  for (const own of ['memory', 'table', '__stack_pointer']) {
    if (!exports.includes(own)) throw new Error(`${name}.wasm does not export its ${own}`)
  }
  return exports.length
}

const [out, ...names] = process.argv.slice(2)
let base // the first, which the others are written as changes of
const kB = (n) => `${(n / 1000).toFixed(1)} kB`
for (const name of names) {
  const bytes = withoutPaths(optimise(readFileSync(`target/pack/${name}/gradus_bg.wasm`)))
  const exports = check(bytes, name)
  writeFileSync(`target/${name}.wasm`, bytes)
  base ??= bytes
  const text = encode(bytes === base ? bytes : difference(base, bytes))
  writeFileSync(`${out}/${name}.ts`, `export default '${text}'\n`)
  console.log(`  ${name}.wasm  ${kB(bytes.length)}, ${kB(gzipSync(bytes, { level: 9 }).length)} gzip, ${exports} exports`)
}
JS
}

if [ -f "$OUT/simd.ts" ] && [ -f "$OUT/relaxed.ts" ] && [ "$(cat $STAMP 2>/dev/null)" = "$(inputs)" ]; then exit 0; fi
compile simd +simd128
compile relaxed +simd128,+relaxed-simd
finish simd relaxed
inputs > $STAMP
