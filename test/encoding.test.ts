/** The text that carries WebAssembly through bundlers: crate/encode.mjs writes it, ts/backend/decode.ts reads it. */
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { difference, encode } from '../crate/encode.mjs'
import { applyDifference, decode } from '../ts/backend/decode.js'
import relaxed from '../ts/backend/generated/relaxed.js'
import simd from '../ts/backend/generated/simd.js'

test('every byte comes back, whatever their frequencies', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
      expect(decode(encode(bytes))).toEqual(bytes)
    }),
  )
  const all = Uint8Array.from({ length: 4096 }, (_, i) => (i * i + (i >> 3)) & 255)
  expect(new Set(all).size).toBeGreaterThan(200)
  expect(decode(encode(all))).toEqual(all)
  const each = Uint8Array.from({ length: 256 }, (_, i) => 255 - i)
  expect(decode(encode(each))).toEqual(each)
})

test('the text is safe in any literal and page', () => {
  const text = encode(Uint8Array.from({ length: 70_000 }, (_, i) => (i * 40503) >>> 8))
  expect(text).toMatch(/^[ -~]*$/)
  expect(text).not.toMatch(/["'`\\$<]/)
})

test('the module compresses about as well as its bytes do', () => {
  const bytes = decode(simd)
  expect(WebAssembly.validate(bytes)).toBe(true)
  const size = (data: string | Uint8Array) => gzipSync(data, { level: 9 }).length
  expect(size(simd)).toBeLessThan(1.03 * size(bytes))
  expect(size(simd)).toBeLessThan(0.75 * size(Buffer.from(bytes).toString('base64')))
})

describe('difference', () => {
  const comesBack = (base: Uint8Array, target: Uint8Array): void => {
    expect(applyDifference(base, difference(base, target))).toEqual(target)
  }

  test('any target comes back from any base', () => {
    const few = fc.uint8Array({ max: 3, maxLength: 300 })
    fc.assert(fc.property(few, few, comesBack))
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), comesBack))
  })

  test('parts that moved, changed, went and came are found', () => {
    const part = (seed: number) => Uint8Array.from({ length: 500 }, (_, i) => (Math.imul(i + seed, 2654435761) >>> 13) & 255)
    const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((bytes) => [...bytes]))
    const [a, b, c, d] = [1, 1000, 2000, 3000].map(part)
    const changed = a.slice()
    changed[100] ^= 1
    const [base, target] = [join(a, b, c), join(c, changed, Uint8Array.of(1, 2, 3), a, d)]
    comesBack(base, target)
    expect(difference(base, target).length).toBeLessThan(d.length + 40)
  })

  test('relaxed is little more than simd', () => {
    const bytes = applyDifference(decode(simd), decode(relaxed))
    expect(relaxed.length).toBeLessThan(simd.length / 5)
    const names = (module: Uint8Array<ArrayBuffer>) => WebAssembly.Module.exports(new WebAssembly.Module(module)).map(({ name }) => name)
    if (WebAssembly.validate(bytes)) expect(names(bytes)).toEqual(names(decode(simd)))
  })
})
