/** A stranger's safetensors file gives its tensors, or one of the errors of this package. Numbers of faults are those of RELIABILITY.md. */
import { describe, expect, test } from 'vitest'
import { decodeSafetensors, encodeSafetensors } from '../../ts/export/index.js'
import { decodeState, encodeState } from '../../ts/index.js'
import { safetensorsFile } from '../tools/hostile-files.js'

const F32 = (shape: number[], from: number) => ({
  dtype: 'F32',
  shape,
  data_offsets: [from, from + 4 * shape.reduce((a, b) => a * b, 1)],
})

/** A file is refused with our own error, which is short. */
function refused(file: Uint8Array, message: RegExp, options = {}): void {
  let caught: unknown
  try {
    decodeSafetensors(file, options)
  } catch (error) {
    caught = error
  }
  expect(caught).toBeInstanceOf(RangeError)
  const text = (caught as Error).message
  expect(text).toMatch(/^decodeSafetensors: /)
  expect(text).toMatch(message)
  expect(text.length).toBeLessThan(400)
}

test('fault 16: a file of 4 kB truncated at every length is refused', () => {
  const whole = encodeSafetensors({ a: Float32Array.from({ length: 900 }, (_, i) => i), b: Uint8Array.of(1, 2, 3) }, { made: 'here' })
  expect(whole.length).toBeGreaterThan(3600)
  for (let length = 0; length < whole.length; length++) expect(() => decodeSafetensors(whole.subarray(0, length))).toThrow(RangeError)
})

describe('fault 17: the length of the header', () => {
  const body = safetensorsFile({ a: F32([2], 0) }, 8)
  const size = body.length

  test.each([
    ['0', 0n, /header is no JSON/],
    ['7', 7n, /no JSON|truncated/],
    ['the size of the file', BigInt(size), /truncated: the header should have/],
    ['the size of the file less 7', BigInt(size - 7), /truncated/],
    ['2^31', 2n ** 31n, /2147483648 bytes/],
    ['2^53', 2n ** 53n, /9007199254740992 bytes/],
    ['the largest of 64 bits', 2n ** 64n - 1n, /truncated/],
  ])('%s is refused before anything is allocated', (_, length, message) => {
    const file = body.slice()
    new DataView(file.buffer).setBigUint64(0, length, true)
    refused(file, message)
  })

  test('above 16 MiB is refused, unless the caller allows more', () => {
    const metadata = { note: 'x'.repeat(2 ** 24) }
    const file = encodeSafetensors({ a: Float32Array.of(1) }, metadata)
    refused(file, /header has 16777\d+ bytes, and 16777216 are allowed.*maxHeaderBytes: 16777\d+/)
    expect(decodeSafetensors(file, { maxHeaderBytes: 2 ** 25 }).tensors.a.data).toEqual(Float32Array.of(1))
    refused(encodeSafetensors({ a: Float32Array.of(1) }), /and 10 are allowed/, { maxHeaderBytes: 10 })
    expect(() => decodeState(encodeState({ x: 'y'.repeat(500) }), { maxHeaderBytes: 400 })).toThrow(/maxHeaderBytes/)
  })

  test('the limit is a whole number, and is called so', () => {
    expect(() => decodeSafetensors(body, { maxHeaderBytes: -1 })).toThrow(/maxHeaderBytes wants a whole number ≥ 0, got -1/)
    expect(() => decodeSafetensors(body, { maxheaderbyte: 1 } as object)).toThrow(/no option 'maxheaderbyte'; did you mean maxHeaderBytes/)
  })
})

describe('fault 18: tensors that do not fit together are refused', () => {
  test.each<[string, unknown, number, RegExp]>([
    ['an overlap', { a: F32([2], 0), b: F32([2], 4) }, 12, /'b' begins at byte 4, but what is before it ends at 8/],
    ['a hole', { a: F32([2], 0), b: F32([2], 12) }, 20, /'b' begins at byte 12/],
    ['bytes that no tensor has', { a: F32([2], 0) }, 9, /left over/],
    ['an unknown dtype', { a: { ...F32([2], 0), dtype: 'F8' } }, 8, /'a' has dtype 'F8'/],
    ['a dtype that every object has', { a: { ...F32([2], 0), dtype: 'constructor' } }, 8, /dtype 'constructor'/],
    ['a shape of other bytes', { a: { ...F32([2], 0), shape: [3] } }, 8, /wants 12 bytes, the header gives it 8/],
    ['a negative length', { a: { ...F32([2], 0), shape: [-2] } }, 8, /wants a dtype, a shape/],
    ['a fraction', { a: { ...F32([2], 0), shape: [0.5] } }, 8, /wants a dtype, a shape/],
    ['a length above 2^53', { a: { ...F32([2], 0), shape: [2 ** 53 + 2] } }, 8, /wants a dtype, a shape/],
    ['a product above 2^53', { a: { ...F32([2], 0), shape: [2 ** 40, 2 ** 40] } }, 8, /wants 4\.8\d+e\+24 bytes/],
    ['places that end before they begin', { a: { ...F32([2], 0), data_offsets: [8, 0] } }, 8, /two data_offsets/],
    ['a tensor that is no object', { a: 5 }, 0, /'a' wants a dtype/],
    ['metadata that are no texts', { __metadata__: { a: 1 } }, 0, /object of texts/],
    ['a header that is an array', [], 0, /wants a \{|wants an object/],
  ])('%s', (_, header, bytes, message) => refused(safetensorsFile(header, bytes), message))

  const entry = JSON.stringify(F32([2], 0))
  test.each([
    ['the same name twice', `{"a":${entry},"a":${entry}}`],
    ['the same name, once escaped', `{"a":${entry},"\\u0061" : ${entry}}`],
    ['the same name with another dtype of as many bytes', `{"a":${entry},"a":${entry.replace('F32', 'I32')}}`],
  ])('%s', (_, header) => refused(safetensorsFile(header, 8), /the header names 'a' twice/))

  test('a name that only looks like another, or like a second one inside a text, is no repetition', () => {
    const names = ['a', 'A', 'a"', '"a":', 'a\\', '{', '}]', 'a:b', '']
    const { tensors } = decodeSafetensors(encodeSafetensors(Object.fromEntries(names.map((name) => [name, Float32Array.of(1)]))))
    expect(Object.keys(tensors).sort()).toEqual(names.sort())
  })

  test('text that is no UTF-8', () => {
    const file = safetensorsFile({ aa: F32([2], 0) }, 8)
    file[10] = 0xff
    refused(file, /no JSON/)
  })

  test('a header that nests', () => {
    refused(safetensorsFile(`{"a":{"x":${'['.repeat(1e6)}${']'.repeat(1e6)}}}`, 0), /nests deeper/)
    refused(safetensorsFile(`{"a":${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}}`, 0), /nests deeper/)
  })
})

test('fault 20: names that mean something elsewhere are names here', () => {
  const names = ['__proto__', 'constructor', 'toString', '../x', '/etc/passwd', '', '\ud800', 'x'.repeat(2 ** 20)]
  const files = names.map((name) => encodeSafetensors(new Map([[name, Float32Array.of(1)]]), {}))
  for (const [i, file] of files.entries()) {
    const { tensors } = decodeSafetensors(file)
    expect(Object.keys(tensors)).toEqual([names[i]])
  }
  expect(({} as Record<string, unknown>).dtype).toBeUndefined()
  expect(Object.keys(Object.prototype)).toEqual([])
})

test('a tensor of rank 10⁶ with a wrong shape makes a short message', () => {
  const shape = new Array(1e6).fill(1)
  refused(safetensorsFile({ a: { dtype: 'F32', shape, data_offsets: [0, 8] } }, 8), /1000000 dimensions in all\] wants 4 bytes/)
})

test('a long name is cut in messages', () => {
  const name = 'n'.repeat(1e6)
  refused(safetensorsFile({ [name]: F32([2], 4) }, 12), /n… begins|n…' begins/)
  refused(safetensorsFile({ [name]: 5 }, 0), /n…' wants a dtype/)
})

test('a view of bytes of another kind is read as its bytes', () => {
  const file = encodeSafetensors({ a: Float32Array.of(1, 2) })
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  expect(decodeSafetensors(view as unknown as Uint8Array).tensors.a.data).toEqual(Float32Array.of(1, 2))
})
