/**
 * Element-wise kernels against the naive loops, on every backend. The other families are in kernels.*.test.ts.
 *
 * Tolerances, u = unit roundoff (2⁻²⁴ or 2⁻⁵³): arithmetic, comparisons, square root and moves are exact, that is correctly
 * rounded; elementary functions may be off by 8u relative (in float64 by the reference's own error too: 1e-14).
 */
import { describe, expect, test } from 'vitest'
import { assertClose, assertExact, backends, INF, inRoom, numbers, Room, SIZES, SMALLEST, type TestBackend } from '../tools/backends.js'
import * as naive from '../tools/naive.js'

const TINY = 2 ** -140
const SPECIALS = [0, -0, 1, -1, INF, -INF, Number.NaN, TINY, -TINY, 2 ** 127, -(2 ** 127), 2 ** -126, 0.5, -0.5, 3, 16777216]

type UnaryName = keyof typeof naive.unary
type BinaryName = keyof typeof naive.binary
const UNARY = Object.keys(naive.unary) as UnaryName[]
const BINARY = Object.keys(naive.binary) as BinaryName[]
const EXACT = new Set<string>(['neg', 'abs', 'sign', 'sqrt', 'square', 'reciprocal', ...BINARY.filter((name) => name !== 'pow')])
const SIGNED_ZERO = new Set<string>(['neg', 'abs', 'copy'])

/** Allowed error of an elementary function with result y at x. */
function functionError(backend: TestBackend, name: string, x: number, y: number): number {
  const relative = backend.float64 ? 1e-14 : 8 * backend.unit
  const absolute = name === 'sin' || name === 'cos' ? 4 * backend.unit * (1 + Math.abs(x) / 16) : backend.float64 ? 1e-300 : SMALLEST
  return relative * Math.abs(y) + absolute
}

/** Values that suit a function: all magnitudes, both signs. */
function domain(name: string, n: number): number[] {
  const r = numbers(n + name.length)
  if (name === 'log') return r.list(n, 20).map((v) => Math.fround(Math.exp(v)))
  if (name === 'exp') return r.list(n, 30)
  if (name === 'sin' || name === 'cos') return r.list(n, 20)
  return r.list(n, 2)
}

describe.each(backends)('$label', (backend) => {
  const room = new Room(backend)

  test.each(UNARY)('%s', (name) => {
    for (const n of SIZES) for (let offset = 0; offset < 4; offset++) checkUnary(room, name, domain(name, n), offset)
    checkUnary(
      room,
      name,
      SPECIALS.filter((v) => !((name === 'sin' || name === 'cos') && Math.abs(v) > 1e4)),
      1,
    )
    checkUnary(room, name, domain(name, 5000), 2)
  })

  test.each(BINARY)('%s: dense, every broadcast, in place', (name) => {
    for (const rows of [0, 1, 2, 3, 5]) for (const cols of SIZES) checkBroadcasts(room, name, rows, cols)
  })

  test.each(BINARY)('%s: every pair of special values', (name) => {
    const a = SPECIALS.flatMap((v) => SPECIALS.map(() => v))
    const b = SPECIALS.flatMap(() => SPECIALS)
    checkBinary(room, name, a, b, 1, a.length, [a.length, 1], [b.length, 1], false)
  })

  test('fill, copy, addScaled, clip', () => {
    for (const n of SIZES) for (let offset = 0; offset < 4; offset++) checkMoves(room, n, offset)
  })

  test('clip: NaN stays, infinities are bounded', () => {
    inRoom(room, 'clip', (kernels) => {
      const x = [Number.NaN, INF, -INF, 0, 5, -5, 2, Number.NaN, -0]
      const y = room.output(x.length)
      kernels.clip(room.input(x), y, x.length, -1, 2)
      assertExact(backend, room.read(y, x.length), [Number.NaN, 2, -1, 0, 2, -1, 2, Number.NaN, 0], 'clip')
    })
  })

  test('transpose', () => {
    for (const rows of SIZES) for (const cols of SIZES) checkTranspose(room, [1, rows, cols, 1])
    for (const inner of [0, 1, 2, 3, 4, 5, 8, 9, 17]) for (const outer of [0, 1, 3]) checkTranspose(room, [outer, 3, 5, inner])
  })

  test('gatherRows and scatterAddRows', () => {
    for (const rows of SIZES) for (const cols of [0, 1, 2, 3, 4, 5, 7, 8, 9, 17, 33]) checkRows(room, rows, cols)
  })
})

function checkUnary(room: Room, name: UnaryName, x: number[], offset: number): void {
  const { backend } = room
  for (const inPlace of [false, true]) {
    const what = `${name} n=${x.length} offset=${offset} inPlace=${inPlace}`
    inRoom(room, what, (kernels) => {
      const from = inPlace ? room.inout(x, offset) : room.input(x, offset)
      const to = inPlace ? from : room.output(x.length, (offset * 3) % 4)
      const stored = room.read(from, x.length)
      kernels[name](from, to, x.length)
      const expected = stored.map(naive.unary[name])
      const actual = room.read(to, x.length)
      if (EXACT.has(name)) assertExact(backend, actual, expected, what, SIGNED_ZERO.has(name))
      else assertClose(backend, actual, expected, (i) => functionError(backend, name, stored[i], expected[i]), what)
    })
  }
}

function checkBroadcasts(room: Room, name: BinaryName, rows: number, cols: number): void {
  const strides = [
    [cols, 1],
    [0, 1],
    [1, 0],
    [0, 0],
  ]
  const r = numbers(rows * 100 + cols)
  const values = () => (name === 'pow' ? r.list(rows * cols + cols + rows + 1).map(Math.abs) : r.list(rows * cols + cols + rows + 1))
  for (const a of strides) for (const b of strides) checkBinary(room, name, values(), values(), rows, cols, a, b, false)
  checkBinary(room, name, values(), values(), rows, cols, [cols, 1], [0, 1], true)
  checkBinary(room, name, values(), values(), rows, cols, [cols, 1], [cols, 1], true)
}

function checkBinary(
  room: Room,
  name: BinaryName,
  a: number[],
  b: number[],
  rows: number,
  cols: number,
  [ar, ac]: number[],
  [br, bc]: number[],
  inPlace: boolean,
): void {
  const what = `${name} ${rows}×${cols} strides ${ar},${ac} ${br},${bc} inPlace=${inPlace}`
  const { backend } = room
  inRoom(room, what, (kernels) => {
    const n = rows * cols
    const pa = inPlace ? room.inout(a.slice(0, n), 1) : room.input(a, 1)
    const pb = room.input(b, 2)
    const y = inPlace ? pa : room.output(n, 3)
    const at = (i: number, row: number, col: number) => Math.floor(i / cols) * row + (i % cols) * col
    kernels[name](pa, pb, y, rows, cols, ar, ac, br, bc)
    const expected = Array.from({ length: n }, (_, i) => naive.binary[name](a[at(i, ar, ac)], b[at(i, br, bc)]))
    const error = (i: number) => powError(backend, a[at(i, ar, ac)], b[at(i, br, bc)], expected[i])
    if (name === 'pow') assertClose(backend, room.read(y, n), expected, error, what)
    else assertExact(backend, room.read(y, n), expected, what)
  })
}

/** exp(b · ln a): the rounding of b · ln a is magnified by its size. */
function powError(backend: TestBackend, a: number, b: number, y: number): number {
  const size = a === 0 || !Number.isFinite(a * b) ? 0 : Math.abs(b * Math.log(Math.abs(a)))
  return (8 + 2 * size) * backend.unit * Math.abs(y) + (backend.float64 ? 0 : SMALLEST)
}

function checkMoves(room: Room, n: number, offset: number): void {
  const { backend } = room
  const r = numbers(n)
  const [x, y] = [r.list(n, 3), r.list(n, 3)]
  const what = `n=${n} offset=${offset}`
  inRoom(room, what, (kernels) => {
    const px = room.input(x, offset)
    const [filled, copied, clipped] = [room.output(n, offset), room.output(n, 3 - offset), room.output(n, offset)]
    const sum = room.inout(y, 3 - offset)
    kernels.fill(filled, n, -2.5)
    kernels.copy(px, copied, n)
    kernels.clip(px, clipped, n, -1, 2.5)
    kernels.addScaled(px, sum, n, -0.375)
    assertExact(
      backend,
      room.read(filled, n),
      x.map(() => -2.5),
      `fill ${what}`,
    )
    assertExact(backend, room.read(copied, n), x, `copy ${what}`, true)
    assertExact(
      backend,
      room.read(clipped, n),
      x.map((v) => Math.min(2.5, Math.max(-1, v))),
      `clip ${what}`,
    )
    const error = (i: number) => 2 * backend.unit * (Math.abs(y[i]) + Math.abs(x[i]))
    assertClose(
      backend,
      room.read(sum, n),
      x.map((v, i) => y[i] - 0.375 * v),
      error,
      `addScaled ${what}`,
    )
  })
}

function checkTranspose(room: Room, [outer, rows, cols, inner]: [number, number, number, number]): void {
  const x = numbers(rows).list(outer * rows * cols * inner)
  const name = `transpose ${outer}×${rows}×${cols}×${inner}`
  inRoom(room, name, (kernels) => {
    const y = room.output(x.length, 1)
    kernels.transpose(room.input(x, 3), y, outer, rows, cols, inner)
    const expected = x.map((_, at) => {
      const [o, c, r, i] = [rows * cols * inner, rows * inner, inner, 1].map((stride, axis) =>
        axis === 0 ? Math.floor(at / stride) : Math.floor(at / stride) % [0, cols, rows, inner][axis],
      )
      return x[((o * rows + r) * cols + c) * inner + i]
    })
    assertExact(room.backend, room.read(y, x.length), expected, name, true)
  })
}

function checkRows(room: Room, rows: number, cols: number): void {
  const { backend } = room
  const r = numbers(rows * 100 + cols)
  const height = 7
  const index = Array.from({ length: rows }, () => r.int(height))
  const [table, dy] = [r.list(height * cols), r.list(rows * cols)]
  const what = `rows=${rows} cols=${cols}`
  inRoom(room, what, (kernels) => {
    const [picked, sums, ptr] = [room.output(rows * cols, 1), room.inout(table, 2), room.indices(index)]
    kernels.gatherRows(room.input(table, 3), ptr, picked, rows, cols)
    kernels.scatterAddRows(room.input(dy, 1), ptr, sums, rows, cols)
    assertExact(
      backend,
      room.read(picked, rows * cols),
      index.flatMap((row) => table.slice(row * cols, (row + 1) * cols)),
      `gather ${what}`,
      true,
    )
    const indices = room.intOutput(rows)
    kernels.toIndices(
      room.input(Array.from({ length: rows * (cols + 1) }, (_, i) => (i % (cols + 1) === 0 ? index[i / (cols + 1)] : 0.5))),
      indices,
      rows,
      cols + 1,
    )
    expect(room.readInts(indices, rows), what).toEqual(index)
    const expected = [...table]
    dy.forEach((v, i) => {
      expected[index[Math.floor(i / cols)] * cols + (i % cols)] += v
    })
    assertClose(backend, room.read(sums, table.length), expected, () => (rows + 1) * backend.unit * 16, `scatter ${what}`)
  })
}
