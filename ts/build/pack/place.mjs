/**
 * What kind of byte comes next in a module, guessed by the three before: a local index is not taken for an instruction, or a number for
 * either. A parser of the grammar is no better, see ARCHITECTURE.md.
 */

const OPCODE = 8
const LOCAL = 9
const SIMD = 10 // an instruction of SIMD
const REST = 11 // of its number
const ALIGN = 12
const OFFSET = 13
const CONSTANT = 14
const LABEL = 15
const BLOCK = 16 // its type
const CALL = 17

/** Contexts of a byte. */
export const CONTEXTS = 18

/** The context of each byte. */
export function contextsOf(data) {
  return Uint8Array.from(data, (_, at) => contextAfter(data[at - 1] ?? 0, data[at - 2] ?? 0, data[at - 3] ?? 0))
}

/** After the bytes c, b and a. `context` in crate/unpack.rs is the same; change neither alone. */
function contextAfter(a, b, c) {
  const isEnd = a < 128
  if (((isLocal(b) || b === 0x41) && isEnd) || (c === 0xfd && b > 127)) return OPCODE
  if (isLocal(a)) return LOCAL
  if (a === 0xfd) return SIMD
  if (b === 0xfd) return a < 12 ? ALIGN : REST
  if ((c === 0xfd && b < 12) || isAccess(b)) return OFFSET
  if (isAccess(a)) return ALIGN
  if (a === 0x41) return CONSTANT
  if (a === 12 || a === 13) return LABEL
  if (a >= 2 && a <= 4) return BLOCK
  return a === 0x10 ? CALL : a >> 5
}

function isLocal(byte) {
  return byte >= 0x20 && byte <= 0x22
}

/** To memory. */
function isAccess(byte) {
  return byte >= 0x28 && byte <= 0x3e
}
