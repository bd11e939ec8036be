/** safetensors files equal Python's byte for byte, and damaged files are refused. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeSafetensors, encodeSafetensors, type StoredArray } from '../../ts/export/index.js'
import { createBackend, decodeState, encodeState, Parameter, tensor } from '../../ts/index.js'

interface Case {
  name: string
  tensors: Record<string, { shape: number[]; dtype: string; values: (number | string)[] }>
  metadata: Record<string, string>
  file: string
}
const { cases }: { cases: Case[] } = JSON.parse(readFileSync('test/oracles/safetensors_files.json', 'utf8'))
const bytesOf = ({ file }: Case) => new Uint8Array(Buffer.from(file, 'base64'))
const plain = (data: StoredArray) =>
  Array.from(data as Iterable<number | bigint>, (v) => (typeof v === 'bigint' ? String(v) : v === 0 ? 0 : v))

/** A file made of a header and raw bytes. */
function file(header: unknown, body = 0, length?: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const out = new Uint8Array(8 + text.length + body)
  new DataView(out.buffer).setBigUint64(0, BigInt(length ?? text.length), true)
  out.set(text, 8)
  return out
}

describe('safetensors', () => {
  test.each(cases)('$name: reads what Python wrote', (one) => {
    const { tensors, metadata } = decodeSafetensors(bytesOf(one))
    expect(metadata).toEqual(one.metadata)
    expect(Object.keys(tensors).sort()).toEqual(Object.keys(one.tensors).sort())
    for (const [name, { shape, values }] of Object.entries(one.tensors)) {
      expect(tensors[name].shape, name).toEqual(shape)
      expect(plain(tensors[name].data), name).toEqual(values)
    }
  })

  test.each(cases.filter(({ name }) => name !== 'halves'))('$name: writes the bytes that Python wrote', (one) => {
    const { tensors, metadata } = decodeSafetensors(bytesOf(one))
    const reversed = Object.fromEntries(Object.entries(tensors).reverse())
    expect(Buffer.from(encodeSafetensors(reversed, metadata)).toString('base64')).toBe(one.file)
  })

  test('reads an ArrayBuffer, and a view that begins anywhere in one; gives copies', () => {
    const bytes = encodeSafetensors({ x: Float64Array.of(Math.PI, 2) })
    for (let at = 0; at < 8; at++) {
      const room = new Uint8Array(bytes.length + 11).fill(99)
      room.set(bytes, at)
      const { tensors } = decodeSafetensors(room.subarray(at, at + bytes.length))
      room.fill(0)
      expect(tensors.x).toEqual({ dtype: 'F64', shape: [2], data: Float64Array.of(Math.PI, 2) })
    }
    expect(decodeSafetensors(bytes.buffer).tensors.x.data).toEqual(Float64Array.of(Math.PI, 2))
    expect(decodeSafetensors(Buffer.from(bytes)).tensors.x.data).toEqual(Float64Array.of(Math.PI, 2))
  })

  test('takes tensors of every kind, views of arrays, and names that are numbers or strange', () => {
    const all = Float32Array.of(1, 2, 3, 4)
    const { tensors } = decodeSafetensors(
      encodeSafetensors({
        10: tensor([
          [1, 2],
          [3, 4],
        ]),
        9: new Parameter([5], { name: 'p' }),
        'labels "a"\n': tensor(Int32Array.of(0, 2)),
        view: all.subarray(1, 3),
        constructor: { shape: [2, 1], data: Uint8Array.of(7, 8) },
        exact: tensor([1 / 3], { backend: createBackend({ backend: 'js', dtype: 'float64' }) }),
      }),
    )
    expect(tensors).toEqual({
      10: { dtype: 'F32', shape: [2, 2], data: all },
      9: { dtype: 'F32', shape: [1], data: Float32Array.of(5) },
      'labels "a"\n': { dtype: 'I32', shape: [2], data: Int32Array.of(0, 2) },
      view: { dtype: 'F32', shape: [2], data: Float32Array.of(2, 3) },
      constructor: { dtype: 'U8', shape: [2, 1], data: Uint8Array.of(7, 8) },
      exact: { dtype: 'F64', shape: [1], data: Float64Array.of(1 / 3) },
    })
  })

  test('refuses what are no bytes', () => {
    for (const file of ['text', undefined, [1, 2]] as unknown as ArrayBuffer[])
      expect(() => decodeSafetensors(file)).toThrow(/decodeSafetensors: wants the bytes of a file.*got ('text'|undefined|an array of 2)/)
  })

  test('refuses to write what is no tensor', () => {
    for (const value of [null, 3, [1, 2], 'x', {}, { shape: [1] }, { data: Float32Array.of(1) }, { shape: 1, data: Float32Array.of(1) }])
      expect(() => encodeSafetensors({ w: value as never }), JSON.stringify(value)).toThrow(
        "'w' wants a tensor, a typed array, or { shape, data }",
      )
    expect(() => encodeSafetensors({ w: { shape: [2, 3], data: new Float32Array(5) } })).toThrow(
      "'w' has 5 values, which do not fill shape [2, 3]",
    )
    expect(() => encodeSafetensors({ __metadata__: Float32Array.of(1) })).toThrow('no tensor can be named')
    expect(() => encodeSafetensors({}, { epoch: 3 as never })).toThrow("metadata 'epoch' wants text, got 3")
  })

  const F32 = (from: number, to: number, shape = [(to - from) / 4]) => ({ dtype: 'F32', shape, data_offsets: [from, to] })
  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /truncated: 0 bytes/],
    ['half a length', new Uint8Array(7), /truncated: 7 bytes/],
    ['a length alone', new Uint8Array(8), /the header is no JSON/],
    ['half a header', file({ x: F32(0, 4) }, 0, 999), /truncated: the header should have 999 bytes/],
    ['an absurd length', file('{', 0).fill(255, 0, 8), /truncated: the header should have 18446744073709552000 bytes/],
    ['another format', new TextEncoder().encode('PK\x03\x04 something zipped'), /no safetensors file, but a zip archive$/],
    ['text that is no JSON', file('{"x"'), /the header is no JSON/],
    ['bytes that are no text', file('{"x"}').fill(0xff, 10, 12), /the header is no JSON/],
    ['an array', file('[]'), /wants a {/],
    ['metadata that are no texts', file({ __metadata__: { a: 1 } }), /wants an object of texts/],
    ['a tensor that is none', file({ x: 3 }), /'x' wants a dtype, a shape and two data_offsets, got 3/],
    ['a tensor without place', file({ x: { dtype: 'F32', shape: [1] } }, 4), /'x' wants a dtype, a shape and two/],
    ['a negative size', file({ x: F32(0, 4, [-1]) }, 4), /'x' wants/],
    ['places the wrong way round', file({ x: F32(4, 0, [1]) }, 4), /'x' wants/],
    ['an unknown dtype', file({ x: { ...F32(0, 4), dtype: 'F8_E4M3' } }, 4), /'x' has dtype 'F8_E4M3'; known are U64, .* and BOOL/],
    ['a dtype of objects', file({ x: { ...F32(0, 4), dtype: 'constructor' } }, 4), /'x' has dtype 'constructor'/],
    ['a shape that is not filled', file({ x: F32(0, 4, [2]) }, 4), /'x' of F32 \[2\] wants 8 bytes, the header gives it 4/],
    ['too few bytes', file({ x: F32(0, 8) }, 4), /truncated: the header promises \d+ bytes, but there are \d+/],
    ['too many', file({ x: F32(0, 4) }, 5), /left over/],
    ['a hole', file({ x: F32(0, 4), y: F32(8, 12) }, 12), /'y' begins at byte 8, but what is before it ends at 4/],
    ['two in one place', file({ x: F32(0, 4), y: F32(0, 4) }, 4), /'y' begins at byte 0, but what is before it ends at 4/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(RangeError)
    expect(() => decodeSafetensors(bytes)).toThrow(message)
    expect(() => decodeSafetensors(bytes)).toThrow(/^decodeSafetensors: /)
  })

  test('damage anywhere gives an error or tensors that fill the file, and never more', () => {
    const good = encodeState({ weights: { '0.w': new Float32Array(200), '0.b': Float64Array.of(4) }, epoch: Number.NaN, $: [1] })
    const damage = fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255), cut: fc.option(fc.nat(good.length), { freq: 1 }) })
    let [refused, read] = [0, 0]
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), fc.boolean(), (places, asState) => {
        let bytes: Uint8Array = good.slice()
        for (const { at, byte } of places) bytes[at] = byte
        if (places[0].cut !== null) bytes = bytes.subarray(0, places[0].cut)
        try {
          if (asState) decodeState(bytes)
          else {
            const { tensors } = decodeSafetensors(bytes)
            const total = Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0)
            expect(total).toBeLessThan(2 * bytes.length) // halves become floats
          }
          read++
        } catch (error) {
          if (!(error instanceof RangeError)) throw error
          expect(error.message).toMatch(/^decode(Safetensors|State): /)
          refused++
        }
      }),
      { seed: 1, numRuns: 3000 },
    )
    expect(Math.min(refused, read)).toBeGreaterThan(100)
  })
})
