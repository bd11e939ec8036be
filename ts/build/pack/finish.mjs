/**
 * From what the compiler made to what is carried: target/pack/gradus_bg.wasm, optimised, for both variants, as the files OUT/simd.wasm
 * and OUT/relaxed.wasm, and cut into parts as text. ts/build/wasm.sh calls it:
 *
 *   node ts/build/pack/finish.mjs OUT
 *
 * The exports are numbers only, so wasm-bindgen's glue is not needed: without its exports the module imports nothing, and the
 * loader instantiates it directly.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import binaryen from 'binaryen'
import { encode } from './index.mjs'
import { likeBesideLike } from './neighbours.mjs'
import { checkMarks, takenApart, variantOf } from './variants.mjs'

const COMPILED = 'target/pack/gradus_bg.wasm'
const VARIANTS = ['simd', 'relaxed']

/** What instances are made with: each has all of it. */
const COMMON = ['memory', '__stack_pointer']

/** The updates of all optimizers but Adam, which every program carries. */
const DESCENT = ['sgd.rs', 'momentum.rs'].flatMap(updatesOf)
const UPDATES = readdirSync('crate/optim')
  .filter((file) => !['sgd.rs', 'momentum.rs', 'adam.rs', 'mod.rs'].includes(file))
  .flatMap(updatesOf)
/** What dense nets with their everyday layers and losses do without. */
const OTHERS = [
  ...['pow', 'abs', 'sign', 'log', 'sqrt', 'reciprocal', 'sin', 'cos', 'erf'],
  ...['gatherRows', 'scatterAddRows', 'reduceMax', 'reduceMin', 'argmax', 'logSoftmax', 'logSoftmaxBackward', 'randomNormal'],
]
/** What nets need only where they have such a layer, and a model of one's own where it computes so. Arithmetic of two tensors stays: one loop has it all. */
const OPERATIONS = ['neg', 'exp', 'square', 'transpose', 'reduceSum', 'softmax', 'softmaxBackward', 'dropout']

/**
 * Exports that load when they are first asked for (ts/backend/wasm/parts.ts), so that programs without them do not carry them. What is
 * in no part is the core, which is always there.
 */
const PARTS = {
  doubles: (name) => name.startsWith('double'),
  descent: (name) => DESCENT.includes(name),
  updates: (name) => UPDATES.includes(name),
  losses: (name) => ['squaredError', 'absoluteError', 'huber', 'binaryCrossEntropy'].includes(name),
  operations: (name) => OPERATIONS.includes(name),
  others: (name) => OTHERS.includes(name),
}

function updatesOf(file) {
  const text = readFileSync(`crate/optim/${file}`, 'utf8')
  return [...text.matchAll(/^\s*export_(?:update|whole|sums)!\(\s*(\w+)/gm)].map(([, name]) => name)
}

function optimise(bytes) {
  const module = binaryen.readBinary(bytes)
  const isOut = (name) => name === 'unpack' || (name.startsWith('__') && !COMMON.includes(name))
  for (const name of exportsOf(bytes).filter(isOut)) module.removeExport(name)
  exportTable(module)
  cutPanics(module)
  binaryen.setOptimizeLevel(3)
  binaryen.setShrinkLevel(0)
  // Folds address arithmetic into loads and stores, which V8 needs to widen vector pairs. Rust's data starts at 1 MiB.
  binaryen.setLowMemoryUnused(true)
  // Large functions stay apart although they have one caller: each is compiled well, by V8 in the background, as soon as it has run for a
  // while, and all of a product in one took so long that a net's first step was over by then.
  binaryen.setOneCallerInlineMaxSize(100)
  module.optimize()
  module.runPasses(['reorder-locals', 'strip-producers', 'strip-target-features'])
  return rewritten(module).emitBinary()
}

/** What binaryen does not do, on the module's text: the address arithmetic of loads into all four lanes, and what differs by variant. */
function rewritten(module) {
  const done = binaryen.parseText(takenApart(foldSplats(exactExtremes(module.emitText()))))
  done.setFeatures(module.getFeatures())
  return done
}

/**
 * The larger and the smaller as they were written: LLVM makes the relaxed instruction of pmax and pmin wherever it may, and with that
 * whose NaN is kept depends on the engine. The operands are the same, in the same order.
 */
function exactExtremes(text) {
  return text.replace(/f32x4\.relaxed_(max|min)/g, 'f32x4.p$1')
}

/** Folds the address arithmetic of loads into all four lanes, or half of them, as well, which binaryen passes over: `a + 4` becomes an offset. */
function foldSplats(text) {
  const sum = /v128\.(load32_splat|load64_zero) (align=\d)\n\s*\(i32\.add\n\s*(\(local\.get \S+\))\n\s*\(i32\.const (\d{1,3})\)\n\s*\)/g
  if (!sum.test(text)) throw new Error('no load to fold was found; did the compiler change them?')
  return text.replace(sum, 'v128.$1 offset=$4 $2 $3')
}

/**
 * A module of one export, `unpack`, and its memory: no bytes of the crate but those that it runs. Without data, and the table,
 * nothing else is reached.
 */
function unpackerOf(bytes) {
  const whole = binaryen.readBinary(bytes)
  for (const other of exportsOf(bytes).filter((name) => name !== 'unpack' && name !== 'memory')) whole.removeExport(other)
  cutPanics(whole)
  const module = binaryen.parseText(whole.emitText().replace(/^ *\((data|elem) .*\n/gm, ''))
  module.setFeatures(whole.getFeatures())
  binaryen.setOptimizeLevel(3)
  binaryen.setShrinkLevel(2)
  binaryen.setLowMemoryUnused(true)
  module.runPasses(['remove-unused-module-elements'])
  module.optimize()
  module.runPasses(['reorder-locals', 'strip-producers', 'strip-target-features'])
  if (!module.validate()) throw new Error('unpacker.wasm is not valid')
  return Buffer.from(module.emitBinary())
}

/** The table of functions, where ts/train/fast/program.ts puts kernels; wasm-bindgen drops its export. */
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
  const standard = [
    /^core(\[\w+\])?::(panicking|slice::index)::/,
    /^<?(std|alloc|dlmalloc|__rustc)\[/,
    /(^core(\[\w+\])?|as core(\[\w+\])?)::fmt::/,
  ]
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
 * library, which must not be published. Tables of numbers hold no twelve printable bytes in a row. With the text go the places of
 * panics: where a file's name is, how long, line and column.
 */
function withoutText(bytes) {
  const out = Buffer.from(bytes)
  const data = [...sections(out)].filter(({ id }) => id === DATA).flatMap(({ start }) => [...segments(out, start)])
  const runs = data.flatMap(({ address, from, to }) =>
    [...out.toString('latin1', from, to).matchAll(/[\n -~]{12,}/g)].map(({ index, 0: run }) => ({
      start: address + index,
      end: address + index + run.length,
      at: from + index,
    })),
  )
  for (const { start, end, at } of runs) out.fill(0, at, at + end - start)
  const isName = (start, length) => length > 0 && runs.some((run) => start >= run.start && start + length <= run.end)
  const isCount = (n) => n > 0 && n < 10_000
  let places = 0
  for (const { address, from, to } of data) {
    for (let at = from + (-address & 3); at + 16 <= to; at += 4) {
      const [start, length, line, column] = [0, 4, 8, 12].map((word) => out.readUInt32LE(at + word))
      if (!isName(start, length) || !isCount(line) || !isCount(column)) continue
      out.fill(0, at, at + 16)
      places++
    }
  }
  if (places < 20) throw new Error(`${places} places of panics were found; did the compiler change their form?`)
  return out
}

/** Of an optimised module, what some of its exports need, and no constants: a part finds those of the core in its memory. */
function partOf(bytes, name) {
  const module = binaryen.readBinary(bytes)
  for (const other of exportsOf(bytes)) if (!COMMON.includes(other) && !PARTS[name](other)) module.removeExport(other)
  const elements = Array.from({ length: module.getNumElementSegments() }, (_, i) => module.getElementSegmentByIndex(i))
  for (const { name: segment } of elements.map(binaryen.getElementSegmentInfo)) module.removeElementSegment(segment)
  module.runPasses(['remove-unused-module-elements', 'reorder-functions'])
  if (module.emitText().includes('call_indirect')) throw new Error(`kernels of ${name} call through the table, which only the core has`)
  const part = Buffer.from(module.emitBinary())
  const kept = [...sections(part)].filter(({ id }) => id !== DATA && id !== DATA_COUNT)
  return Buffer.concat([part.subarray(0, 8), ...kept.map(({ head, end }) => part.subarray(head, end))])
}

function coreOf(bytes) {
  const module = binaryen.readBinary(bytes)
  for (const name of exportsOf(bytes)) if (Object.values(PARTS).some((isIn) => isIn(name))) module.removeExport(name)
  module.runPasses(['remove-unused-module-elements'])
  const ordered = binaryen.parseText(likeBesideLike(module.emitText()))
  ordered.setFeatures(module.getFeatures())
  return Buffer.from(ordered.emitBinary())
}

const DATA = 11
const DATA_COUNT = 12
const I32_CONST = 0x41

/** Where each section begins, with its head and without, and ends. */
function* sections(bytes) {
  for (let at = 8; at < bytes.length; ) {
    const head = at
    const id = bytes[at++]
    const [size, start] = leb(bytes, at)
    yield { id, head, start, end: (at = start + size) }
  }
}

/** Where the bytes of each segment of a data section are, in memory and in the module: behind a flag, the address as an expression, and their number. */
function* segments(bytes, start) {
  let [count, at] = leb(bytes, start)
  for (; count > 0; count--) {
    if (bytes[at] !== 0 || bytes[at + 1] !== I32_CONST) throw new Error('a data segment without a constant address')
    const [address, end] = leb(bytes, at + 2)
    const [size, from] = leb(bytes, end + 1)
    yield { address, from, to: (at = from + size) }
  }
}

/** A number in LEB128, and where it ends. */
function leb(bytes, at) {
  let size = 0
  for (let shift = 0, byte = 128; byte >= 128; shift += 7) {
    byte = bytes[at++]
    size |= (byte & 127) << shift
  }
  return [size, at]
}

function exportsOf(bytes) {
  return WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map(({ name }) => name)
}

/** What the loader relies on. */
function check(bytes, name) {
  const exports = exportsOf(bytes)
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes)).map((i) => `${i.module}.${i.name}`)
  if (imports.length > 0) throw new Error(`${name}.wasm imports ${imports}, but is instantiated with no imports`)
  // `table` holds the kernels of programs; each thread has a stack of its own, so each sets its pointer
  for (const own of [...COMMON, 'table']) {
    if (!exports.includes(own)) throw new Error(`${name}.wasm does not export its ${own}`)
  }
  return exports.length
}

const [out] = process.argv.slice(2)
mkdirSync(out, { recursive: true })
const kB = (n) => `${(n / 1000).toFixed(1)} kB`
const zipped = (data) => kB(gzipSync(data, { level: 9 }).length)

/** What unpacks all texts stands before that of the core: in hexadecimal digits, which gzip makes shorter than base64. */
function writeText(name, module, { unpacker, before } = {}) {
  checkMarks(module, binaryen.readBinary(module).emitText())
  const text = `${unpacker ? `${unpacker.toString('hex')}:` : ''}${encode(module, before)}`
  writeFileSync(`${out}/${name}.ts`, `export default '${text}'\n`)
  console.log(`  ${name}, packed  ${zipped(text)} gzip`)
}

const compiled = readFileSync(COMPILED)
const whole = withoutText(optimise(compiled))
checkMarks(whole, binaryen.readBinary(whole).emitText())
// for Node, and runtimes that compile modules themselves: files with all of it
for (const variant of VARIANTS) {
  const bytes = variantOf(whole, variant)
  const exports = check(bytes, variant)
  writeFileSync(`${out}/${variant}.wasm`, bytes)
  console.log(`  ${variant}.wasm  ${kB(bytes.length)}, ${zipped(bytes)} gzip, ${exports} exports`)
}
const core = coreOf(whole)
writeText('core', core, { unpacker: unpackerOf(compiled) })
for (const name of Object.keys(PARTS)) writeText(name, partOf(whole, name), { before: core })
