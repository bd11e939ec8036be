/** Parsers on hostile input: the corpus that fuzzing found, random files in the form of the format, and damaged files. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeSafetensors } from '../../ts/export/index.js'
import { targets } from '../fuzz/targets.js'
import { cpuTime } from '../tools/clocks.js'
import { safetensorsFile } from '../tools/hostile-files.js'
import { cases, milliseconds } from '../tools/nightly.js'

describe.each(Object.keys(targets))('fault 19: %s', (name) => {
  const folder = `test/fuzz-corpus/${name}`
  test.each(existsSync(folder) ? readdirSync(folder) : [])('%s of the corpus is answered or refused, soon', (file) => {
    const bytes = readFileSync(`${folder}/${file}`)
    // the best of three: the first may compile
    const times = [0, 1, 2].map(() => cpuTime(() => targets[name](bytes)))
    expect(Math.min(...times)).toBeLessThan(milliseconds(50))
  })
})

describe('fault 19: headers in the form of the format', () => {
  const anything = fc.oneof(fc.nat(16), fc.integer(), fc.double(), fc.string(), fc.constant(null), fc.boolean(), fc.constant(2 ** 53))
  const dtype = fc.oneof(fc.constantFrom('F32', 'F64', 'U8', 'I8', 'F16', 'BF16', 'BOOL', 'I64'), anything)
  const counts = fc.oneof(fc.array(fc.nat(4), { maxLength: 4 }), fc.array(anything, { maxLength: 4 }), anything)
  const entry = fc.oneof(fc.record({ dtype, shape: counts, data_offsets: fc.oneof(fc.tuple(fc.nat(64), fc.nat(64)), counts) }), anything)
  const name = fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom('__proto__', '__metadata__', 'constructor', 'a', 'b'))
  const header = fc.dictionary(name, entry, { maxKeys: 4 })

  test(`${cases(10_000)} of them are answered or refused`, () => {
    const property = fc.property(header, fc.nat(80), (made, bytes) => targets.safetensors(safetensorsFile(made, bytes)))
    fc.assert(property, { numRuns: cases(10_000), seed: 20261127 })
  })

  test('whole files of tensors in a row are answered, whatever their shapes', () => {
    const size = { F32: 4, F64: 8, U8: 1, I64: 8, BF16: 2 } as const
    const tensor = fc.tuple(fc.constantFrom(...(Object.keys(size) as (keyof typeof size)[])), fc.array(fc.nat(3), { maxLength: 4 }))
    const property = fc.property(fc.dictionary(fc.string(), tensor, { maxKeys: 5 }), (tensors) => {
      let at = 0
      const entries = Object.entries(tensors).filter(([key]) => key !== '__metadata__')
      const made = entries.map(([key, [kind, shape]]) => {
        const from = at
        at += size[kind] * shape.reduce((a, b) => a * b, 1)
        return [key, { dtype: kind, shape, data_offsets: [from, at] }]
      })
      const { tensors: read } = decodeSafetensors(safetensorsFile(Object.fromEntries(made), at))
      for (const [key, [kind, shape]] of entries) {
        expect(read[key].shape).toEqual(shape)
        expect(read[key].dtype).toBe(kind)
      }
    })
    fc.assert(property, { numRuns: 500, seed: 20261127 })
  })
})

test.each(Object.keys(targets))(`fault 19: ${cases(2000)} random byte strings: %s`, (name) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => targets[name](bytes)),
    { numRuns: cases(2000), seed: 20261127 },
  )
})

describe('what an answer may allocate', () => {
  /** Bytes that a call has allocated at its end, in the heap and outside of it, including garbage. */
  function allocated(call: () => unknown): number {
    const total = () => {
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    }
    const before = total()
    const kept = call()
    const after = total()
    expect(kept).toBeDefined()
    return after - before
  }

  test('fault 17: a file of numbers, no more than itself and 1 MiB', () => {
    const bytes = 32 * 2 ** 20
    const file = safetensorsFile({ a: { dtype: 'F32', shape: [bytes / 4], data_offsets: [0, bytes] } }, bytes)
    expect(allocated(() => decodeSafetensors(file))).toBeLessThan(file.length + 2 ** 20)
  })

  test('fault 17: a header of 16 MiB, at most a few times that: what it says becomes objects', () => {
    const entry = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    const names = Array.from({ length: 280_000 }, (_, i) => `"${i.toString(36)}":${entry}`)
    const file = safetensorsFile(`{${names.join(',')}}`, 0)
    expect(file.length).toBeLessThan(2 ** 24)
    expect(allocated(() => decodeSafetensors(file))).toBeLessThan(40 * file.length)
  })
})
