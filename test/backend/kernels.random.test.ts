/** Random numbers: known answers, equal bits on every backend, and the distributions. */
import { describe, expect, test } from 'vitest'
import { normalQuantile, philoxInto } from '../../ts/backend/js/random.js'
import type { Kernels, Ptr } from '../../ts/backend/kernels.js'
import { Generator } from '../../ts/random.js'
import { assertClose, assertExact, backends, inRoom, Room, type TestBackend } from '../tools/backends.js'
import * as naive from '../tools/naive.js'

/** Seeds, streams and counters: small, with the top bit set, and all ones. */
const KEYS = [
  [0, 0, 0, 0],
  [1, 2, 3, 4],
  [0x80000000, 0xdeadbeef, 0x9abcdef0, 0xffffffff],
  [0xffffffff, 0xffffffff, 0xffffffff, 0x7fffffff],
] as [number, number, number, number][]
const SIZES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 17, 33, 100]
const [jsFloat32] = backends
const unit = (word: number) => (word >>> 8) / 2 ** 24

type Words = [number, number, number, number]
const philox = (counter: Words, key: [number, number]): number[] => {
  const out = new Uint32Array(4)
  philoxInto(out, ...counter, ...key)
  return [...out]
}

test('philox: the known answers of the paper’s authors', () => {
  const all = 0xffffffff
  expect(philox([0, 0, 0, 0], [0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8])
  expect(philox([all, all, all, all], [all, all])).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd])
  const pi: Words = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344]
  expect(philox(pi, [0xa4093822, 0x299f31d0])).toEqual([0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1])
})

test('philox equals the big-integer reference', () => {
  for (const [a, b, c, d] of KEYS) {
    expect(philox([a, b, c, d], [d, a])).toEqual(naive.philox([a, b, c, d], [d, a]))
    expect(philox([d, c, b, a], [b, c])).toEqual(naive.philox([d, c, b, a], [b, c]))
  }
})

test('normalQuantile inverts the normal distribution to double precision', () => {
  for (const p of [2 ** -33, 1e-8, 1e-5, 1e-3, 0.02, 0.074, 0.0751, 0.2, 0.3, 0.4999, 0.5, 0.6, 0.9, 0.99, 1 - 1e-6]) {
    const expected = naive.normalQuantile(p)
    expect(Math.abs(normalQuantile(p) - expected)).toBeLessThanOrEqual(5e-15 * Math.abs(expected) + 1e-16)
  }
})

describe.each(backends)('$label', (backend) => {
  const room = new Room(backend)

  test('randomUniform, randomNormal and dropout follow their formulas', () => {
    for (const key of KEYS) for (const n of SIZES) checkFormulas(room, n, ...key)
  })

  test('the same bits as the JS backend, at every size and alignment', () => {
    const reference = new Room(jsFloat32)
    for (const key of KEYS) for (const n of [...SIZES, 4099]) checkSameBits(room, reference, n, key)
  })

  test('a shorter fill is the beginning of a longer one; another counter or stream is another sequence', () => {
    const fill = (n: number, stream: number, counter: number) => run(room, n, (k, y) => k.randomUniform(y, n, 5, 6, stream, counter, 0, 1))
    expect(fill(9, 1, 2)).toEqual(fill(64, 1, 2).slice(0, 9))
    expect(fill(8, 1, 3)).not.toEqual(fill(8, 1, 2))
    expect(fill(8, 2, 2)).not.toEqual(fill(8, 1, 2))
  })

  test('moments of 100 000 numbers', () => {
    const n = 100_000
    const mean = (x: number[]) => naive.sum(x) / n
    const uniform = run(room, n, (k, y) => k.randomUniform(y, n, 1, 2, 3, 4, -1, 3))
    expect(mean(uniform)).toBeCloseTo(1, 1)
    expect(uniform.every((v) => v >= -1 && v < 3)).toBe(true)
    const normal = run(room, n, (k, y) => k.randomNormal(y, n, 1, 2, 3, 4, 2, 0.5))
    expect(Math.abs(mean(normal) - 2)).toBeLessThan(0.01)
    expect(Math.abs(mean(normal.map((v) => (v - 2) ** 2)) - 0.25)).toBeLessThan(0.005)
    expect(Math.abs(mean(normal.map((v) => ((v - 2) / 0.5) ** 4)) - 3)).toBeLessThan(0.15)
  })

  test.each([0, 1, 2, 7, 8, 9, 17, 1000])('permutation of %d numbers is that of a Generator', (n) => {
    const generator = new Generator(2 ** 33 + 5, 6)
    generator.counter = 7
    inRoom(room, 'permutation', (kernels) => {
      const order = room.intOutput(n)
      kernels.permutation(order, n, 5, 2, 6, 7)
      expect([...backend.heap.intView(order, n)]).toEqual([...generator.permutation(n)])
    })
  })

  test('dropout keeps a share of 1 − rate; the call is its own backward; rate 0 keeps all', () => {
    const n = 10_000
    const ones = new Float64Array(n).fill(1)
    const kept = dropped(room, ones, 0.25)
    expect(Math.abs(kept.filter((v) => v !== 0).length / n - 0.75)).toBeLessThan(0.02)
    expect(
      dropped(
        room,
        ones.map((v) => 3 * v),
        0.25,
      ).map((v) => v !== 0),
    ).toEqual(kept.map((v) => v !== 0))
    expect(dropped(room, ones, 0)).toEqual([...ones])
    const rate = unit(naive.words(1, 7, 8, 9, 10)[0])
    expect(dropped(room, [1], rate)[0], 'u = rate is kept').toBeGreaterThan(1)
  })
})

/** The n numbers that a fill writes. */
function run(room: Room, n: number, fill: (kernels: Kernels, y: Ptr) => void, offset = 0): number[] {
  let result: number[] = []
  inRoom(room, 'random', (kernels) => {
    const y = room.output(n, offset)
    fill(kernels, y)
    result = room.read(y, n)
  })
  return result
}

function dropped(room: Room, x: ArrayLike<number>, rate: number): number[] {
  return run(room, x.length, (kernels, y) => kernels.dropout(room.input(x), y, x.length, 7, 8, 9, 10, 0, 0, rate))
}

function checkFormulas(room: Room, n: number, low: number, high: number, stream: number, counter: number): void {
  const { backend } = room
  const words = naive.words(n, low, high, stream, counter)
  const x = words.map((_, i) => i + 1)
  const offset = n % 4
  const uniform = run(room, n, (k, y) => k.randomUniform(y, n, low, high, stream, counter, -0.5, 1.5), offset)
  assertExact(
    backend,
    uniform,
    words.map((w) => -0.5 + 2 * unit(w)),
    'randomUniform',
  )
  const normal = run(room, n, (k, y) => k.randomNormal(y, n, low, high, stream, counter, 1, 2), offset)
  const quantile = words.map((w) => 1 + 2 * naive.normalQuantile((w + 0.5) / 2 ** 32))
  const error = (i: number) => (backend.float64 ? 1e-13 : 2 * backend.unit) * (1 + Math.abs(quantile[i]))
  assertClose(backend, normal, quantile, error, 'randomNormal')
  const expected = words.map((w, i) => (unit(w) >= 0.25 ? x[i] / 0.75 : 0))
  const relative = (i: number) => 2 * backend.unit * expected[i]
  const out = run(room, n, (k, y) => k.dropout(room.input(x, offset), y, n, low, high, stream, counter, 0, 0, 0.25), offset)
  assertClose(backend, out, expected, relative, 'dropout')
  checkMask(room, out, n, low, high, stream, counter)
  const inPlace = run(room, 0, () => {
    const y = room.inout(x, offset)
    backend.kernels.dropout(y, y, n, low, high, stream, counter, 0, 0, 0.25)
    assertExact(backend, room.read(y, n), out, 'dropout in place')
  })
  expect(inPlace).toEqual([])
}

/** A mask that dropout writes does not change its results, and another call that reads it drops the same elements. */
function checkMask(room: Room, out: readonly number[], n: number, low: number, high: number, stream: number, counter: number): void {
  const { backend } = room
  const x = Array.from({ length: n }, (_, i) => i + 1)
  const words = Math.ceil(n / 16)
  run(room, 0, () => {
    const [from, y] = [room.input(x, n % 4), room.output(n)]
    const mask = room.intOutput(words)
    backend.kernels.dropout(from, y, n, low, high, stream, counter, mask, 0, 0.25)
    assertExact(backend, room.read(y, n), out, 'dropout with a mask')
    const bits = room.readInts(mask, words)
    expect(x.map((_, i) => (bits[i >> 4] >> (i & 15)) & 1)).toEqual(out.map((value) => (value === 0 ? 0 : 1)))
    backend.kernels.dropout(from, y, n, low, high, stream, counter + 1, mask, 1, 0.25)
    assertExact(backend, room.read(y, n), out, 'dropout by a mask')
  })
}

/** Compares bit by bit; the float64 backend after rounding, for fills whose arithmetic is in doubles. */
function checkSameBits(
  room: Room,
  reference: Room,
  n: number,
  [low, high, stream, counter]: readonly [number, number, number, number],
): void {
  const x = Array.from({ length: n }, (_, i) => Math.fround(Math.sin(i) * 3))
  const fills: Record<string, (on: Room) => number[]> = {
    uniform: (on) => run(on, n, (k, y) => k.randomUniform(y, n, low, high, stream, counter, -0.1, 0.7), n % 4),
    normal: (on) => run(on, n, (k, y) => k.randomNormal(y, n, low, high, stream, counter, 0.1, 0.3), n % 4),
    dropout: (on) => run(on, n, (k, y) => k.dropout(on.input(x), y, n, low, high, stream, counter, 0, 0, 0.3), n % 4),
  }
  // on the float64 backend dropout's factor is a double
  if (room.backend.float64) delete fills.dropout
  for (const [name, fill] of Object.entries(fills)) {
    const wanted = fill(reference)
    const rounded = { ...room.backend, float64: false } satisfies TestBackend
    assertExact(rounded, fill(room).map(Math.fround), wanted, `${name} n=${n}`, true)
  }
}

test('normals of a generator: mean 0, deviation 1, tails as they should be, one draw, the same for the same seed', () => {
  const generator = new Generator(7)
  const n = 100_001
  const values = generator.normals(n)
  expect([values.length, generator.counter]).toEqual([n, 1])
  const share = (test: (x: number) => boolean) => values.filter(test).length / n
  const mean = values.reduce((sum, x) => sum + x, 0) / n
  expect(Math.abs(mean)).toBeLessThan(0.01)
  expect(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n).toBeCloseTo(1, 1)
  expect(share((x) => Math.abs(x) > 1.96)).toBeCloseTo(0.05, 2)
  expect(share((x) => x > 0.6745)).toBeCloseTo(0.25, 2)
  // neighbors are made from one pair of uniform numbers, and are independent all the same
  let together = 0
  for (let i = 1; i < n; i += 2) together += values[i] * values[i - 1]
  expect(Math.abs(together / (n / 2))).toBeLessThan(0.02)
  expect(new Generator(7).normals(n)).toEqual(values)
  expect([...new Generator(7).normals(3)]).toEqual([...values.subarray(0, 3)])
  expect(new Generator(7).normals(0)).toEqual(new Float64Array(0))
  for (const draw of ['normals', 'uniforms', 'permutation'] as const)
    for (const n of [-1, 2.5, undefined as unknown as number])
      expect(() => generator[draw](n)).toThrow(`Generator: n wants a whole number ≥ 0, got ${n}`)
})
