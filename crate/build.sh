#!/usr/bin/env bash
# Builds the crate to WebAssembly, twice, and writes both as one text to ts/backend/generated/ (ignored by git):
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
  { find crate -name '*.rs'; ls Cargo.toml Cargo.lock crate/build.sh crate/pack/*.mjs .tools/env node_modules/binaryen/package.json; } 2>/dev/null |
    LC_ALL=C sort | xargs sha256sum | sha256sum
}

# compile NAME TARGET_FEATURES: crate -> target/pack/NAME/gradus_bg.wasm. No path of this machine gets into the module.
# Instructions stay in the order of the source: LLVM's own order would hold every operand of a product's tile at once, which
# takes more registers than there are.
compile() {
  local home=${CARGO_HOME:-$HOME/.cargo} std
  std=$(rustc --print sysroot)/lib/rustlib/src/rust
  RUSTFLAGS="-C target-feature=$2 -C llvm-args=-pre-RA-sched=source -C link-arg=--growable-table -C link-arg=--export=__stack_pointer --remap-path-prefix=$PWD=gradus --remap-path-prefix=$home=cargo --remap-path-prefix=$std=std" \
    CARGO_TARGET_DIR="$PWD/target/$1" \
    wasm-pack --log-level warn build . --target web --mode no-install --release --no-pack --no-typescript \
    --out-dir "target/pack/$1" --out-name gradus -- --quiet
}

# finish NAMES: target/pack/NAME/gradus_bg.wasm -> target/NAME.wasm and, all of them, OUT/packed.ts. The exports are numbers only, so wasm-bindgen's glue is not
# needed: without its exports the module imports nothing, and the loader instantiates it directly.
finish() {
  mkdir -p "$OUT"
  "$NODE" --input-type=module - "$OUT" "$@" <<'JS'
import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import binaryen from 'binaryen'
import { encode } from './crate/pack/index.mjs'

function optimise(bytes) {
  const module = binaryen.readBinary(bytes)
  const names = WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map((e) => e.name)
  for (const glue of names.filter((name) => (name.startsWith('__') && name !== '__stack_pointer') || name === 'unpack')) module.removeExport(glue)
  exportTable(module)
  cutPanics(module)
  binaryen.setOptimizeLevel(3)
  binaryen.setShrinkLevel(0)
  // Folds address arithmetic into loads and stores, which V8 needs to widen vector pairs. Rust's data starts at 1 MiB.
  binaryen.setLowMemoryUnused(true)
  module.optimize()
  module.runPasses(['reorder-locals', 'strip-producers', 'strip-target-features'])
  const folded = foldSplats(module)
  return folded.emitBinary()
}

/** Folds the address arithmetic of loads into all four lanes as well, which binaryen passes over: `a + 4` becomes an offset. */
function foldSplats(module) {
  const sum = /v128\.load32_splat align=1\n\s*\(i32\.add\n\s*(\(local\.get \S+\))\n\s*\(i32\.const (\d{1,3})\)\n\s*\)/g
  const text = module.emitText()
  if (!sum.test(text)) throw new Error('no load to fold was found; did the order of instructions change?')
  const folded = binaryen.parseText(text.replace(sum, 'v128.load32_splat offset=$2 align=1 $1'))
  folded.setFeatures(module.getFeatures())
  return folded
}

/**
 * A module of one export, `unpack`, and its memory: no bytes of the crate but those that it runs. Without data, and the table, nothing else is reached.
 */
function unpacker(bytes) {
  const whole = binaryen.readBinary(bytes)
  const names = WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map((e) => e.name)
  for (const other of names.filter((name) => name !== 'unpack' && name !== 'memory')) whole.removeExport(other)
  cutPanics(whole)
  const text = whole.emitText().replace(/^ *\((data|elem) .*\n/gm, '')
  const module = binaryen.parseText(text)
  module.setFeatures(whole.getFeatures())
  binaryen.setOptimizeLevel(3)
  binaryen.setShrinkLevel(2)
  binaryen.setLowMemoryUnused(true)
  module.runPasses(['remove-unused-module-elements'])
  module.optimize()
  module.runPasses(['reorder-locals', 'strip-producers', 'strip-target-features'])
  if (!module.validate()) throw new Error('unpacker.wasm is not valid')
  return module.emitBinary()
}

/** The table of functions, where ts/backend/program.ts puts kernels; wasm-bindgen drops its export. */
function exportTable(module) {
  const tables = Array.from({ length: module.getNumTables() }, (_, i) => module.getTableByIndex(i))
  const { name } = tables.map(binaryen.getTableInfo).find(({ name }) => module.getTableSegments(module.getTable(name)).length > 0)
  module.addTableExport(name, 'table')
}

/**
 * A panic ends in a trap, and its message has nowhere to go, as the module imports nothing. Without it a fifth of the bytes go:
 * what formats numbers, and an allocator for the text, which the table of functions keeps alive. Kernels call none of it.
 */
function cutPanics(module) {
  const standard = [/^core(\[\w+\])?::(panicking|slice::index)::/, /^<?(std|alloc|dlmalloc|__rustc)\[/, /(^core(\[\w+\])?|as core(\[\w+\])?)::fmt::/]
  let cut = 0
  for (let i = 0; i < module.getNumFunctions(); i++) {
    const info = binaryen.Function(module.getFunctionByIndex(i))
    if (!standard.some((names) => names.test(info.name))) continue
    info.body = module.unreachable()
    cut++
  }
  if (cut < 20) throw new Error(`${cut} functions of panics were found; did the compiler change their names?`)
}

/**
 * Blanks text in the data: messages of panics, which nothing reads any more, and paths of the machine that built the standard
 * library, which must not be published. Tables of numbers hold no twelve printable bytes in a row.
 */
function withoutText(bytes) {
  const out = Buffer.from(bytes)
  let at = 8
  const number = () => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = out[at++]
      value |= (byte & 127) << shift
      if (byte < 128) return value
    }
  }
  while (at < out.length) {
    const isData = out[at++] === 11
    const size = number()
    const section = out.subarray(at, (at += size))
    if (!isData) continue
    const text = section.toString('latin1').replace(/[\n -~]{12,}/g, (run) => '\0'.repeat(run.length))
    section.set(Buffer.from(text, 'latin1'))
  }
  return out
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
const modules = []
const kB = (n) => `${(n / 1000).toFixed(1)} kB`
for (const name of names) {
  const bytes = withoutText(optimise(readFileSync(`target/pack/${name}/gradus_bg.wasm`)))
  const exports = check(bytes, name)
  writeFileSync(`target/${name}.wasm`, bytes)
  modules.push(bytes)
  console.log(`  ${name}.wasm  ${kB(bytes.length)}, ${kB(gzipSync(bytes, { level: 9 }).length)} gzip, ${exports} exports`)
}
const small = unpacker(readFileSync(`target/pack/${names[0]}/gradus_bg.wasm`))
writeFileSync('target/unpacker.wasm', small)
const text = `${Buffer.from(small).toString('base64')}:${encode(modules)}`
writeFileSync(`${out}/packed.ts`, `export default '${text}'\n`)
console.log(`  both, packed  ${kB(small.length)} for what unpacks them; ${kB(gzipSync(text, { level: 9 }).length)} gzip`)
JS
}

if [ -f "$OUT/packed.ts" ] && [ "$(cat $STAMP 2>/dev/null)" = "$(inputs)" ]; then exit 0; fi
compile simd +simd128
compile relaxed +simd128,+relaxed-simd
finish simd relaxed
inputs > $STAMP
