/** The text that carries WebAssembly through bundlers: crate/encode.mjs writes it, ts/backend/decode.ts reads it. */
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encode } from '../crate/encode.mjs'
import { decode } from '../ts/backend/decode.js'
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
