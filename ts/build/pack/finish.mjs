/**
 * Turns the compiler's output, target/pack/gradus_bg.wasm, into the modules of the package: optimized, as the files OUT/simd.wasm and
 * OUT/relaxed.wasm, and cut into a core and parts, as texts. ts/build/wasm.sh calls it:
 *
 *   node ts/build/pack/finish.mjs OUT
 *
 * The exports are numbers only, so wasm-bindgen's glue is not needed: without its exports the module imports nothing, and the loader instantiates it
 * directly.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { gzipSync } from 'node:zlib'
import binaryen from 'binaryen'
import { textOf } from '../../backend/wasm/module-text.ts'
import { relaxedOf } from '../../backend/wasm/variants.ts'
import { partsOf } from './parts.mjs'
import { checkMarks, fileOf, withMarks } from './variants.mjs'

const COMPILED = 'target/pack/gradus_bg.wasm'
/** Exports that every instance needs. */
const COMMON = ['memory', '__stack_pointer']

function optimise(bytes) {
  const module = binaryen.readBinary(bytes)
  for (const name of exportsOf(bytes)) if (name.startsWith('__') && !COMMON.includes(name)) module.removeExport(name)
  exportTable(module)
  cutMessages(module)
  binaryen.setOptimizeLevel(3)
  binaryen.setShrinkLevel(0)
  // Folds address arithmetic into loads and stores, which V8 needs to widen vector pairs. Rust's data starts at 1 MiB.
  binaryen.setLowMemoryUnused(true)
  // Large functions are not inlined, even if they have only one caller: V8 optimizes each in the background once it has run for a while. A whole
  // product in one function took so long to optimize that a net's first step was over by then.
  binaryen.setOneCallerInlineMaxSize(100)
  module.optimize()
  module.runPasses(['reorder-locals', 'strip-producers', 'strip-target-features'])
  return rewritten(module, rewrite)
}

/** The table of functions, where ts/train/fast/program.ts puts kernels; wasm-bindgen drops its export. */
function exportTable(module) {
  const tables = Array.from({ length: module.getNumTables() }, (_, i) => module.getTableByIndex(i))
  const { name } = tables.map(binaryen.getTableInfo).find(({ name }) => module.getTableSegments(module.getTable(name)).length > 0)
  module.addTableExport(name, 'table')
}

/** A panic ends in a trap (crate/bare.rs), so the functions of Rust's core library that format its message are replaced by a trap as well. */
function cutMessages(module) {
  const functions = Array.from({ length: module.getNumFunctions() }, (_, i) => binaryen.Function(module.getFunctionByIndex(i)))
  const wording = functions.filter(({ name }) => /^<?.*\bcore\[\w+\]::(panicking|fmt|slice::index)::/.test(name))
  if (wording.length === 0) throw new Error('no function that words a panic was found; did the compiler change their names?')
  for (const info of wording) info.body = module.unreachable()
}

/** Rewrites of the module's text that binaryen does not do. */
function rewrite(text) {
  return hoistConstants(withMarks(foldSplats(exactExtremes(text))))
}

/**
 * Moves constant vectors out of loops, to the begin of their function. V8 from Node 24 on makes them anew wherever they are used, in three instructions
 * each, and widens no formula with them (docs/design/products.md).
 */
function hoistConstants(text) {
  return text.replace(/^ \(func .*\n(?: {2}.*\n)* \)$/gm, (code) => {
    const [head] = /^ \(func .*\n(?: {2}\(local .*\n)*/.exec(code)
    const found = new Map()
    const body = code.slice(head.length).replace(/^( *)\(loop.*\n(?:\1 .*\n)*\1\)$/gm, (loop) =>
      loop.replace(/\(v128\.const i32x4 ([^)]*)\)/g, (constant, words) => {
        if (/^(0x0{8} ?|0xf{8} ?){4}$/.test(words)) return constant
        if (!found.has(constant)) found.set(constant, `$constant${found.size}`)
        return `(local.get ${found.get(constant)})`
      }),
    )
    const locals = [...found.values()].map((name) => `  (local ${name} v128)\n`)
    return head + locals.join('') + [...found].map(([constant, name]) => `  (local.set ${name} ${shortened(constant)})\n`).join('') + body
  })
}

/** The same vector in fewer bytes, if its four words are equal. */
function shortened(constant) {
  const [, word] = /i32x4 (\w+)(?: \1){3}\)/.exec(constant) ?? []
  return word === undefined ? constant : `(i32x4.splat (i32.const ${word}))`
}

/**
 * Turns relaxed minimum and maximum back into the pmin and pmax of the source: LLVM uses the relaxed instructions wherever it may, and with these the
 * result for NaN depends on the engine. The operands are the same, in the same order.
 */
function exactExtremes(text) {
  return text.replace(/f32x4\.relaxed_(max|min)/g, 'f32x4.p$1')
}

/**
 * Folds address arithmetic into loads that fill all four lanes, or half of them, with one value: `a + 4` becomes an offset. Binaryen does that only
 * for other loads.
 */
function foldSplats(text) {
  const sum = /v128\.(load32_splat|load64_zero) (align=\d)\n\s*\(i32\.add\n\s*(\(local\.get \S+\))\n\s*\(i32\.const (\d{1,3})\)\n\s*\)/g
  if (!sum.test(text)) throw new Error('no load to fold was found; did the compiler change them?')
  return text.replace(sum, 'v128.$1 offset=$4 $2 $3')
}

function rewritten(module, change) {
  const changed = binaryen.parseText(change(module.emitText()))
  changed.setFeatures(module.getFeatures())
  return Buffer.from(changed.emitBinary())
}

/** The subset of an optimized module that some exports need. */
function only(bytes, names) {
  const module = binaryen.readBinary(bytes)
  for (const other of exportsOf(bytes)) if (!COMMON.includes(other) && !names.includes(other)) module.removeExport(other)
  return module
}

function coreOf(bytes, names) {
  const module = only(bytes, names)
  module.runPasses(['remove-unused-module-elements'])
  return Buffer.from(module.emitBinary())
}

/** A part has neither a table nor constants: it reads the constants of the core in the shared memory. */
function partOf(bytes, names) {
  const module = only(bytes, names)
  const elements = Array.from({ length: module.getNumElementSegments() }, (_, i) => module.getElementSegmentByIndex(i))
  for (const { name } of elements.map(binaryen.getElementSegmentInfo)) module.removeElementSegment(name)
  module.runPasses(['remove-unused-module-elements', 'reorder-functions'])
  if (module.emitText().includes('call_indirect')) throw new Error(`kernels among ${names} call through the table, which only the core has`)
  return rewritten(module, (text) => text.replace(/^ *\(data .*\n/gm, ''))
}

function exportsOf(bytes) {
  return WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map(({ name }) => name)
}

/** Checks the properties on which the loader relies. */
function check(bytes, name) {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes)).map((i) => `${i.module}.${i.name}`)
  if (imports.length > 0) throw new Error(`${name}.wasm imports ${imports}, but is instantiated with no imports`)
  const exports = exportsOf(bytes)
  // `table` holds the kernels of programs; each thread has a stack of its own, so each sets its pointer
  for (const own of [...COMMON, 'table']) if (!exports.includes(own)) throw new Error(`${name}.wasm does not export its ${own}`)
  for (const place of [process.cwd(), homedir()]) if (bytes.includes(place)) throw new Error(`${name}.wasm names ${place}`)
}

const [out] = process.argv.slice(2)
mkdirSync(out, { recursive: true })
const kB = (n) => `${(n / 1000).toFixed(1)} kB`

function writeText(name, module) {
  checkMarks(module, binaryen.readBinary(module).emitText())
  const text = `export default ${JSON.stringify(textOf(module))}\n`
  writeFileSync(`${out}/${name}.ts`, text)
  console.log(`  ${name}  ${kB(module.length)}, ${kB(gzipSync(text, { level: 9 }).length)} as text in gzip`)
}

const whole = optimise(readFileSync(COMPILED))
checkMarks(whole, binaryen.readBinary(whole).emitText())
// simd.wasm, for Node and runtimes that compile modules themselves: a file with all of it. relaxed.wasm is for tests alone: Node makes it from
// simd.wasm
const simd = fileOf(whole)
for (const [variant, bytes] of Object.entries({ simd, relaxed: Buffer.from(relaxedOf(simd)) })) {
  check(bytes, variant)
  writeFileSync(`${out}/${variant}.wasm`, bytes)
  console.log(`  ${variant}.wasm  ${kB(bytes.length)}, ${exportsOf(bytes).length} exports`)
}
const parts = partsOf(exportsOf(whole))
const inParts = Object.values(parts).flat()
writeText(
  'core',
  coreOf(
    whole,
    exportsOf(whole).filter((name) => !inParts.includes(name)),
  ),
)
for (const [name, names] of Object.entries(parts)) writeText(name, partOf(whole, names))
