/** The text that carries WebAssembly through bundlers: ts/build/pack writes it, crate/unpack.rs and ts/backend/wasm/decode.ts read it. */
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decode } from '../../ts/backend/wasm/decode.js'
import core from '../../ts/backend/wasm/generated/core.js'
import * as parts from '../../ts/backend/wasm/parts.js'
import { variantOf } from '../../ts/backend/wasm/variants.js'
import { encode } from '../../ts/build/pack/index.mjs'
import { takenApart } from '../../ts/build/pack/variants.mjs'

const noise = (seed: number, n: number) => Uint8Array.from({ length: n }, (_, i) => (Math.imul(i + seed, 2654435761) >>> 13) & 255)
const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((bytes) => [...bytes]))
const size = (data: string | Uint8Array) => gzipSync(data, { level: 9 }).length
/** As ts/build/wasm.sh puts it together. */
const [unpacker] = core.split(':')
const encoded = (module: Uint8Array) => `${unpacker}:${encode(module)}`
const comesBack = (module: Uint8Array): string => {
  const text = encoded(module)
  expect(decode(text)).toEqual(module)
  return text
}

test('any bytes come back', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (a) => void comesBack(a)))
  comesBack(new Uint8Array(5000))
  comesBack(noise(1, 3000))
})

test('long matches, and those from far back', () => {
  const [a, b, c] = [noise(1, 700), noise(1000, 20_000), noise(50_000, 300)]
  const text = comesBack(join(a, b, c, c, a, Uint8Array.of(1, 2, 3), b))
  expect(text.length - unpacker.length).toBeLessThan(((21_000 + 150) * 4) / 3)
})

test('what is written behind other bytes may copy from them', () => {
  const [a, b] = [noise(1, 3000), join(noise(7, 20), noise(1, 2900), noise(50_000, 30))]
  const text = encode(b, a)
  expect(decode(`${unpacker}:${text}`, a)).toEqual(b)
  expect(text.length).toBeLessThan(200)
})

test('the text is safe in any literal and page', () => {
  expect(core).toMatch(/^[0-9a-f]+:\d+:[A-Za-z0-9+/]+=*$/)
  for (const { packed } of Object.values(parts)) expect(packed?.()).toMatch(/^\d+:[A-Za-z0-9+/]+=*$/)
})

test('the module is smaller than gzip makes it, with what unpacks it, and has both variants', () => {
  const both = decode(core)
  const [simd, relaxed] = [variantOf(both, 'simd'), variantOf(both, 'relaxed')]
  expect(WebAssembly.validate(simd)).toBe(true)
  expect(size(core)).toBeLessThan(0.9 * size(simd))
  const names = (module: Uint8Array<ArrayBuffer>) => WebAssembly.Module.exports(new WebAssembly.Module(module)).map(({ name }) => name)
  if (WebAssembly.validate(relaxed)) expect(names(relaxed)).toEqual(names(simd))
})

test('fused multiply-adds are taken apart, one in another too, and nothing else that relaxed SIMD has is let through', () => {
  const madd = (a: string, b: string, c: string) => `(f32x4.relaxed_madd\n ${a}\n ${b}\n ${c}\n)`
  const apart = (a: string, b: string, c: string) => `(f32x4.relaxed_max (f32x4.relaxed_min ${a} ${b}) ${c})`
  const [a, b, c, d] = ['(local.get $a)', '(f32x4.neg (local.get $b))', '(local.get $c)', '(v128.load (i32.const 0))']
  expect(takenApart(`(x ${madd(a, madd(b, c, d), madd(c, a, b))})`)).toBe(`(x ${apart(a, apart(b, c, d), apart(c, a, b))})`)
  expect(() => takenApart(`(f32x4.relaxed_nmadd ${a} ${b} ${c})`)).toThrow(/relaxed_nmadd/)
})

test('each variant has the instructions that are meant for it', () => {
  const marked = Uint8Array.of(7, 0xfd, 0x8d, 2, 0xfd, 0xe4, 1, 0xfd, 0x8e, 2, 0xfd)
  expect([...variantOf(marked, 'simd')]).toEqual([7, 0xfd, 0xe6, 1, 0xfd, 0xe4, 1, 0xfd, 0xe4, 1, 0xfd])
  expect([...variantOf(marked, 'relaxed')]).toEqual([7, 1, 1, 1, 0xfd, 0xe4, 1, 0xfd, 0x85, 2, 0xfd])
})

test('no text of a panic and no allocator is left in the module', () => {
  const text = Buffer.from(decode(core)).toString('latin1')
  for (const word of ['dlmalloc', 'capacity overflow', '00010203040506070809']) expect(text, word).not.toContain(word)
})

test('what unpacks is a small module of one function, which old Chrome compiles at once too', () => {
  const bytes = Buffer.from(unpacker, 'hex')
  const module = new WebAssembly.Module(bytes)
  expect(bytes.length).toBeLessThan(4096)
  expect(WebAssembly.Module.imports(module)).toEqual([])
  expect(WebAssembly.Module.exports(module).map(({ name }) => name)).toEqual(['memory', 'unpack'])
})
