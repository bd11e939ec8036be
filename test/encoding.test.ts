/** The text that carries WebAssembly through bundlers: crate/pack writes it, crate/unpack.rs and ts/backend/decode.ts read it. */
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { encode } from '../crate/pack/index.mjs'
import { decode } from '../ts/backend/decode.js'
import core from '../ts/backend/generated/core.js'
import doubles from '../ts/backend/generated/doubles.js'
import updates from '../ts/backend/generated/updates.js'

const noise = (seed: number, n: number) => Uint8Array.from({ length: n }, (_, i) => (Math.imul(i + seed, 2654435761) >>> 13) & 255)
const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((bytes) => [...bytes]))
const size = (data: string | Uint8Array) => gzipSync(data, { level: 9 }).length
/** As crate/build.sh puts it together. */
const [unpacker] = core.split(':')
const encoded = (modules: Uint8Array[]) => `${unpacker}:${encode(modules)}`
const comesBack = (...modules: Uint8Array[]): string => {
  const text = encoded(modules)
  expect(decode(text)).toEqual(modules)
  return text
}

test('any bytes come back, in any number of modules', () => {
  const few = fc.uint8Array({ max: 3, maxLength: 400 })
  fc.assert(fc.property(few, few, (a, b) => void comesBack(a, b)))
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (a) => void comesBack(a)))
  comesBack(new Uint8Array(5000))
  comesBack(noise(1, 3000))
})

test('long matches, and those from far back', () => {
  const [a, b, c] = [noise(1, 700), noise(1000, 20_000), noise(50_000, 300)]
  const text = comesBack(join(a, b, c), join(c, a, Uint8Array.of(1, 2, 3), b))
  expect(text.length - unpacker.length).toBeLessThan(((21_000 + 150) * 4) / 3)
})

test('what is written behind other bytes may copy from them', () => {
  const [a, b] = [noise(1, 3000), join(noise(7, 20), noise(1, 2900), noise(50_000, 30))]
  const text = encode([b, a], a)
  expect(decode(`${unpacker}:${text}`, a)).toEqual([b, a])
  expect(text.length).toBeLessThan(200)
})

test('the text is safe in any literal and page', () => {
  expect(core).toMatch(/^[A-Za-z0-9+/]+=*:\d+,\d+:[A-Za-z0-9+/]+=*$/)
  for (const text of [doubles, updates]) expect(text).toMatch(/^\d+,\d+:[A-Za-z0-9+/]+=*$/)
})

test('the modules are a fifth smaller than gzip makes them, and relaxed costs an eighth of simd', () => {
  const [simd, relaxed] = decode(core)
  expect(WebAssembly.validate(simd)).toBe(true)
  expect(size(core)).toBeLessThan(0.95 * size(simd))
  expect(size(core)).toBeLessThan(1.15 * size(encoded([simd])))
  const names = (module: Uint8Array<ArrayBuffer>) => WebAssembly.Module.exports(new WebAssembly.Module(module)).map(({ name }) => name)
  if (WebAssembly.validate(relaxed)) expect(names(relaxed)).toEqual(names(simd))
})

test('no text of a panic and no allocator is left in the module', () => {
  const text = Buffer.from(decode(core)[0]).toString('latin1')
  for (const word of ['dlmalloc', 'capacity overflow', '00010203040506070809']) expect(text, word).not.toContain(word)
})

test('what unpacks is a small module of one function, which old Chrome compiles at once too', () => {
  const bytes = Buffer.from(unpacker, 'base64')
  const module = new WebAssembly.Module(bytes)
  expect(bytes.length).toBeLessThan(4096)
  expect(WebAssembly.Module.imports(module)).toEqual([])
  expect(WebAssembly.Module.exports(module).map(({ name }) => name)).toEqual(['memory', 'unpack'])
})

test('an engine without SIMD gets no module', () => {
  const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false)
  try {
    expect(decode(core)).toEqual([])
  } finally {
    validate.mockRestore()
  }
})
