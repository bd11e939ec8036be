/**
 * Both variants in one module: `relaxed` as the compiler made it, with each fused multiply-add taken apart into a multiplication and
 * an addition that no other code has. The loader (ts/backend/wasm/variants.ts, change neither alone) makes the real ones of them for
 * `simd`; for `relaxed` it makes the multiplication nothing, which leaves its factors where they are, and the addition the fused one.
 * A second variant made so costs a twentieth of the first, and modules differ in nothing else.
 */

const NOTHING = [1, 1, 1]

/** What stands for what, as instructions of three bytes: names in text, the byte between 0xfd and 2, and what it is in each variant. */
const MARKS = [
  { name: 'f32x4.relaxed_min', code: 0x8d, simd: [0xfd, 0xe6, 1], relaxed: NOTHING }, // f32x4.mul
  { name: 'f32x4.relaxed_max', code: 0x8e, simd: [0xfd, 0xe4, 1], relaxed: [0xfd, 0x85, 2] }, // f32x4.add, relaxed_madd
  { name: 'f64x2.relaxed_min', code: 0x8f, simd: [0xfd, 0xf2, 1], relaxed: NOTHING }, // f64x2.mul
  { name: 'f64x2.relaxed_max', code: 0x90, simd: [0xfd, 0xf0, 1], relaxed: [0xfd, 0x87, 2] }, // f64x2.add, relaxed_madd
]
const [MUL, ADD, MUL_2, ADD_2] = MARKS.map(({ name }) => name)

/** The fused instructions, from their operands. */
const APART = {
  'f32x4.relaxed_madd': (a, b, c) => `(${ADD} (${MUL} ${a} ${b}) ${c})`,
  'f64x2.relaxed_madd': (a, b, c) => `(${ADD_2} (${MUL_2} ${a} ${b}) ${c})`,
}

/** The text of `relaxed` as that of both. */
export function takenApart(text) {
  const [other] = /[\w.]*relaxed(?!_madd)\w*/.exec(text) ?? []
  if (other) throw new Error(`${other} was made by the compiler, which has no counterpart in simd`)
  return Object.entries(APART).reduce((all, [name, write]) => replaceCalls(all, name, write), text)
}

/** From the last to the first, as those that are operands of others come later. */
function replaceCalls(text, name, write) {
  for (let at = text.lastIndexOf(`(${name}`); at >= 0; at = text.lastIndexOf(`(${name}`, at)) {
    const operands = []
    let end = at + name.length + 1
    while (text[end] !== ')') {
      const start = text.indexOf('(', end)
      end = endOf(text, start)
      operands.push(text.slice(start, end))
      while (/\s/.test(text[end])) end++
    }
    text = text.slice(0, at) + write(...operands) + text.slice(end + 1)
  }
  return text
}

/** Where the brackets that open at a place are closed. */
function endOf(text, start) {
  for (let at = start, depth = 0; ; at++) {
    if (text[at] === '(') depth++
    else if (text[at] === ')' && --depth === 0) return at + 1
  }
}

/** The module of one variant. `text`: that of the module; its bytes must hold no mark by chance. */
export function variantOf(bytes, variant) {
  const out = Buffer.from(bytes)
  for (const at of marks(bytes)) out.set(MARKS.find(({ code }) => code === bytes[at + 1])[variant], at)
  return out
}

/** @throws Error where bytes look like a mark and are none */
export function checkMarks(bytes, text) {
  const [found, meant] = [[...marks(bytes)].length, MARKS.reduce((sum, { name }) => sum + text.split(`(${name}`).length - 1, 0)]
  if (found !== meant) throw new Error(`${found - meant} stretches of bytes look like an instruction that differs by variant and are none`)
}

function* marks(bytes) {
  const codes = new Set(MARKS.map(({ code }) => code))
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === 0xfd && bytes[at + 2] === 2 && codes.has(bytes[at + 1])) yield at
}
