/** The text that carries WebAssembly through bundlers, and the way back. */
import { expect, test } from 'vitest'
import { ATTENTION } from '../../../ts/backend/rooms/attention.js'
import { CONV } from '../../../ts/backend/rooms/conv.js'
import { RECURRENT } from '../../../ts/backend/rooms/recurrent.js'
import { wasmCode } from '../../../ts/backend/wasm/bytes.js'
import * as fleetParts from '../../../ts/backend/wasm/fleet-parts.js'
import { bytesOf, textOf } from '../../../ts/backend/wasm/module-text.js'
import * as parts from '../../../ts/backend/wasm/parts.js'
import { marksIn, variantOf } from '../../../ts/backend/wasm/variants.js'
// @ts-expect-error a build tool, without types
import { withMarks } from '../../../ts/build/pack/variants.mjs'

const PARTS = { ...parts, ...fleetParts, ATTENTION, CONV, RECURRENT }

test('the texts are safe in any literal and page', () => {
  for (const { text } of [wasmCode, ...Object.values(PARTS)]) expect(text).toMatch(/^[ -~]{500,}$/)
  for (const { text } of [wasmCode, ...Object.values(PARTS)]) expect(text).not.toMatch(/[\\<"]/)
})

test('a text gives back the bytes that it was made of', () => {
  const bytes = Uint8Array.from({ length: 65536 }, (_, i) => (i & 1 ? i >> 9 : i >> 1))
  expect(bytesOf(textOf(bytes))).toEqual(bytes)
  expect(bytesOf('')).toEqual(new Uint8Array(0))
})

test('the module has both variants', () => {
  const both = bytesOf(wasmCode.text)
  expect(marksIn(both).length).toBeGreaterThan(100)
  const [simd, relaxed] = [variantOf(both, 'simd'), variantOf(both, 'relaxed')]
  expect(WebAssembly.validate(simd)).toBe(true)
  const names = (module: Uint8Array<ArrayBuffer>) => WebAssembly.Module.exports(new WebAssembly.Module(module)).map(({ name }) => name)
  if (WebAssembly.validate(relaxed)) expect(names(relaxed)).toEqual(names(simd))
})

test('each variant has the instructions that are meant for it', () => {
  const marked = Uint8Array.of(7, 0xfd, 0x8d, 2, 0xfd, 0xe4, 1, 0xfd, 0x8e, 2, 0xfd)
  expect([...variantOf(marked, 'simd')]).toEqual([7, 0xfd, 0xe6, 1, 0xfd, 0xe4, 1, 0xfd, 0xe4, 1, 0xfd])
  expect([...variantOf(marked, 'relaxed')]).toEqual([7, 1, 1, 1, 0xfd, 0xe4, 1, 0xfd, 0x85, 2, 0xfd])
})

test('multiply-adds become marks, one in another too, and nothing else that relaxed SIMD has is let through', () => {
  const madd = (a: string, b: string, c: string) => `(f32x4.relaxed_madd\n ${a}\n ${b}\n ${c}\n)`
  const marks = (a: string, b: string, c: string) => `(f32x4.relaxed_max (f32x4.relaxed_min ${a} ${b}) ${c})`
  const [a, b, c, d] = ['(local.get $a)', '(f32x4.neg (local.get $b))', '(local.get $c)', '(v128.load (i32.const 0))']
  expect(withMarks(`(x ${madd(a, madd(b, c, d), madd(c, a, b))})`)).toBe(`(x ${marks(a, marks(b, c, d), marks(c, a, b))})`)
  expect(() => withMarks(`(f32x4.relaxed_nmadd ${a} ${b} ${c})`)).toThrow(/relaxed_nmadd/)
})
