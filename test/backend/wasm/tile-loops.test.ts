/**
 * The loops of tiles as they are in the module, instruction by instruction (docs/design/products.md): each row's float is loaded just before its
 * multiply-adds, and with contiguous rows only the two addresses that step through A and B are computed. A compiler with another order makes large
 * products up to a third slower and changes no result, so no other test would notice.
 */
import { readFileSync } from 'node:fs'
import binaryen from 'binaryen'
import { beforeAll, expect, test } from 'vitest'

/** Innermost loops with multiply-adds, as a letter an instruction: S a row's float, B a vector of B, m a multiply-add, + a sum of addresses. */
let loops: string[]
/** The module as text. */
let folded: string

const LETTERS: Record<string, string> = {
  'v128.load32_splat': 'S',
  'v128.load': 'B',
  'f32x4.relaxed_madd': 'm',
  'i32.add': '+',
}

beforeAll(() => {
  const module = binaryen.readBinary(readFileSync('ts/backend/wasm/generated/relaxed.wasm'))
  // the instructions in their order, one per line
  const text = module.emitStackIR()
  folded = module.emitText()
  module.dispose()
  loops = text
    .split(/^\s*loop\b/m)
    .slice(1)
    .map((loop) => loop.split(/^\s*br_if\b/m)[0])
    .map((loop) =>
      loop
        .split('\n')
        .map((line) => LETTERS[line.trim().split(' ')[0]] ?? '')
        .join(''),
    )
    .filter((loop) => loop.includes('m'))
})

/** The expected loop of a tile with `rows` rows: the vectors of B with the first row, then row after row, then the steps through A and B. */
function loopOf(rows: number, vectors: number): string {
  const [first, other] = [`S${'Bm'.repeat(vectors)}`, `S${'m'.repeat(vectors)}`]
  return `${first}${other.repeat(rows - 1)}++`
}

test.each([
  ['5x8', 5, 2],
  ['6x8', 6, 2],
  ['4x16', 4, 4],
  ['6x16', 6, 4],
  ['4x8, which ends strips', 4, 2],
] as const)('the loop of tile %s loads a row just before its multiply-adds', (_, rows, vectors) => {
  expect(loops).toContain(loopOf(rows, vectors))
})

test('a lone row takes eight vectors of B at a time', () => {
  expect(loops).toContain(loopOf(1, 8))
})

test('constant vectors, but those of equal bits, are made outside of loops', () => {
  const all = folded.match(/^( *)\(loop.*\n(?:\1 .*\n)*\1\)$/gm) ?? []
  expect(all.length).toBeGreaterThan(500)
  const inside = all.flatMap((loop) => loop.match(/v128\.const i32x4 [^)]*/g) ?? [])
  expect(inside.filter((constant) => !/ (0x0{8} ?){4}$| (0xf{8} ?){4}$/.test(constant))).toEqual([])
})
