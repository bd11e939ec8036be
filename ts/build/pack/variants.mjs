/** Writes multiply-adds as the marks that ts/backend/wasm/variants.ts explains, and writes the file from which both variants can be made. */
import { marksIn, relaxedOf, variantOf } from '../../backend/wasm/variants.ts'

/** The marks of multiplication and addition for each fused instruction. */
const MARKS = {
  'f32x4.relaxed_madd': ['f32x4.relaxed_min', 'f32x4.relaxed_max'],
  'f64x2.relaxed_madd': ['f64x2.relaxed_min', 'f64x2.relaxed_max'],
}

/** The text of a module compiled with fused multiply-adds, with marks in their places. */
export function withMarks(text) {
  const [other] = /[\w.]*relaxed(?!_madd)\w*/.exec(text) ?? []
  if (other) throw new Error(`${other} was made by the compiler, which has no counterpart in simd`)
  let marked = text
  for (const [fused, [multiply, add]] of Object.entries(MARKS)) {
    // from the last to the first, as nested operands come later in the text
    for (let at = marked.length; (at = marked.lastIndexOf(`(${fused}`, at)) >= 0; ) {
      const [a, b, c, end] = operandsOf(marked, at + fused.length + 1)
      marked = `${marked.slice(0, at)}(${add} (${multiply} ${a} ${b}) ${c})${marked.slice(end)}`
    }
  }
  return marked
}

/** The three operands, each in brackets, and the end of the surrounding bracket. */
function operandsOf(text, from) {
  const operands = []
  let start = from
  let depth = 0
  for (let at = from; ; at++) {
    if (text[at] === '(' && depth++ === 0) start = at
    if (text[at] !== ')') continue
    if (depth === 0) return [...operands, at + 1]
    if (--depth === 0) operands.push(text.slice(start, at + 1))
  }
}

/** @throws Error if other bytes of a module look like a mark; `text`: the same module as text */
export function checkMarks(module, text) {
  const meant = text.match(/\((?:f32x4|f64x2)\.relaxed_(?:min|max)/g)?.length ?? 0
  const found = marksIn(module).length
  if (found !== meant) throw new Error(`${found - meant} places look like an instruction that differs by variant and are none`)
}

/** The file of `simd`, from which `relaxedOf` makes `relaxed`. @param module with marks */
export function fileOf(module) {
  const distances = marksIn(module).flatMap((place, i, places) => sevenBits(place - (places[i - 1] ?? 0)))
  const name = Buffer.from('fused')
  const count = Buffer.alloc(4)
  count.writeUInt32LE(distances.length)
  const content = [name.length, ...name, ...distances, ...count]
  const file = Buffer.from([...variantOf(module, 'simd'), 0, ...sevenBits(content.length), ...content])
  const relaxed = variantOf(module, 'relaxed')
  if (
    !relaxedOf(file)
      .subarray(0, module.length)
      .every((byte, i) => byte === relaxed[i])
  )
    throw new Error('relaxed cannot be made of simd.wasm')
  return file
}

/** LEB128: seven bits a byte, the lowest first. */
function sevenBits(n) {
  return n < 128 ? [n] : [(n & 127) | 128, ...sevenBits(n >> 7)]
}
