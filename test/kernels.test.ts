/**
 * Element-wise kernels, activations, reductions and softmax against the naive loops, on every backend.
 *
 * Tolerances, u = unit roundoff (2⁻²⁴ or 2⁻⁵³): arithmetic, comparisons, square root and moves are exact, that is correctly
 * rounded; elementary functions may be off by 8u relative (in float64, 4u and the reference's own error: 1e-14).
 */
import { describe, expect, test } from 'vitest'
import { ACTIVATIONS, type Activation, SAVES_INPUT } from '../ts/backend/kernels.js'
import { assertClose, assertExact, backends, inRoom, numbers, Room, type TestBackend } from './backends.js'
import * as naive from './naive.js'

const SIZES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 17, 33, 65, 100]
const INF = Number.POSITIVE_INFINITY
const TINY = 2 ** -140
const SPECIALS = [0, -0, 1, -1, INF, -INF, Number.NaN, TINY, -TINY, 2 ** 127, -(2 ** 127), 2 ** -126, 0.5, -0.5, 3, 16777216]
/** Below the smallest normal float32 a computed function may round to 0. */
const SMALLEST = 2 ** -126

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
    for (const rows of SIZES) for (const cols of SIZES) checkTranspose(room, rows, cols)
  })

  test('gatherRows and scatterAddRows', () => {
    for (const rows of SIZES) for (const cols of [0, 1, 2, 3, 4, 5, 7, 8, 9, 17, 33]) checkRows(room, rows, cols)
  })

  test.each(ACTIVATIONS)('activationForward: %s', (name) => {
    for (const n of SIZES) for (let offset = 0; offset < 4; offset++) checkActivation(room, name, numbers(n).list(n, 3), offset)
    checkActivation(room, name, numbers(1).list(5000, 8), 1)
    checkActivation(room, name, [0, -0, 1e-30, -1e-30, 20, -20, 60, -60, 87, -87, 100, -100, 1000, -1000], 0)
    checkActivation(room, name, [Number.NaN, 1, INF, 2, 3], 2)
  })

  test.each(ACTIVATIONS)('activationBackward: %s', (name) => {
    for (const n of SIZES) for (let offset = 0; offset < 4; offset++) checkDerivative(room, name, numbers(n + 1).list(n, 3), offset)
    checkDerivative(room, name, [0, 1e-6, -1e-6, 20, -20, 60, -60], 1)
  })

  test.each(['relu', 'leakyRelu', 'linear'] as const)('%s: the sign of infinities, and NaN stays', (name) => {
    checkActivation(room, name, [INF, -INF, Number.NaN, 0, -INF], 0)
  })

  test.each(['reduceSum', 'reduceMax', 'reduceMin', 'argmax'] as const)('%s', (name) => {
    for (const outer of [0, 1, 2, 3])
      for (const length of SIZES) for (const inner of [0, 1, 2, 3, 4, 5, 7, 8, 9, 17]) checkReduce(room, name, outer, length, inner)
    for (const [outer, length, inner] of [
      [1, 100, 65],
      [65, 100, 1],
      [2, 33, 33],
    ])
      checkReduce(room, name, outer, length, inner)
  })

  test('reductions: NaN, infinities and ties', () => {
    const rows = [
      [1, Number.NaN, 3, 4, 5],
      [INF, -INF, 2, INF, 0],
      [-INF, -INF, -INF, -INF, -INF],
      [7, 9, 9, 9, 1],
      [Number.NaN, 1, Number.NaN, 9, 9],
    ]
    for (const name of ['reduceMax', 'reduceMin', 'argmax'] as const) {
      for (const inner of [1, 5]) checkReduceOf(room, name, rows.flat(), inner === 1 ? 5 : 1, 5, inner)
    }
  })

  test('sumSquares, sumAbs, dot, maxAbs', () => {
    for (const n of [...SIZES, 4099]) for (let offset = 0; offset < 4; offset++) checkWhole(room, n, offset)
    expectWhole(room, [1, Number.NaN, 2, -9, 3], Number.NaN)
    expectWhole(room, [1, 2, 3, -INF, 3], INF)
    expectWhole(room, [-0, 0, -3, 2, 1, 0, 0, 0, -4], 4)
  })

  test.each(['softmax', 'logSoftmax'] as const)('%s and its backward', (name) => {
    for (const rows of [0, 1, 2, 3, 5]) for (const cols of SIZES) checkSoftmax(room, name, rows, cols, 2)
    checkSoftmax(room, name, 4, 33, 300)
    checkSoftmax(room, name, 3, 17, 1e5)
  })

  test.each(['softmax', 'logSoftmax'] as const)('%s: masked entries, equal entries, NaN only in its own row', (name) => {
    const x = [0, -INF, 2, -INF, 1, 7, 7, 7, 7, 7, 1, 2, Number.NaN, 3, 4, 1e4, -1e4, 9990, 0, 1]
    checkSoftmaxOf(room, name, x, 4, 5)
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

function checkTranspose(room: Room, rows: number, cols: number): void {
  const x = numbers(rows).list(rows * cols)
  inRoom(room, `transpose ${rows}×${cols}`, (kernels) => {
    const y = room.output(x.length, 1)
    kernels.transpose(room.input(x, 3), y, rows, cols)
    const expected = x.map((_, i) => x[(i % rows) * cols + Math.floor(i / rows)])
    assertExact(room.backend, room.read(y, x.length), expected, `transpose ${rows}×${cols}`, true)
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
    const expected = [...table]
    dy.forEach((v, i) => {
      expected[index[Math.floor(i / cols)] * cols + (i % cols)] += v
    })
    assertClose(backend, room.read(sums, table.length), expected, () => (rows + 1) * backend.unit * 16, `scatter ${what}`)
  })
}

function checkActivation(room: Room, name: Activation, x: number[], offset: number): void {
  const { backend } = room
  for (const inPlace of [false, true]) {
    const what = `activationForward ${name} n=${x.length} offset=${offset} inPlace=${inPlace}`
    inRoom(room, what, (kernels) => {
      const from = inPlace ? room.inout(x, offset) : room.input(x, offset)
      const to = inPlace ? from : room.output(x.length, (offset + 1) % 4)
      const stored = room.read(from, x.length)
      kernels.activationForward(from, to, x.length, ACTIVATIONS.indexOf(name))
      const expected = stored.map(naive.activation[name])
      const error = (i: number) => 16 * backend.unit * (Math.min(1, Math.abs(stored[i])) + Math.abs(expected[i])) + 4 * backend.unit
      assertClose(backend, room.read(to, x.length), expected, name === 'relu' || name === 'linear' ? () => 0 : error, what)
    })
  }
}

function checkDerivative(room: Room, name: Activation, x: number[], offset: number): void {
  const { backend } = room
  const dy = numbers(x.length).list(x.length)
  const number = ACTIVATIONS.indexOf(name)
  for (const inPlace of [false, true]) {
    const what = `activationBackward ${name} n=${x.length} offset=${offset} inPlace=${inPlace}`
    inRoom(room, what, (kernels) => {
      const saved = room.input(SAVES_INPUT.has(name) ? x : x.map(naive.activation[name]), offset)
      const from = inPlace ? room.inout(dy, offset) : room.input(dy, 3 - offset)
      const to = inPlace ? from : room.output(x.length, (offset + 1) % 4)
      kernels.activationBackward(saved, from, to, x.length, number)
      const expected = x.map((v, i) => dy[i] * naive.derivative[name](v))
      // an output saved with relative error u gives f′ = 1 − y² and the like with an absolute error of a few u
      assertClose(
        backend,
        room.read(to, x.length),
        expected,
        (i) => 16 * backend.unit * Math.abs(dy[i]) * (1 + Math.abs(expected[i])),
        what,
      )
    })
  }
}

type ReduceName = 'reduceSum' | 'reduceMax' | 'reduceMin' | 'argmax'

function checkReduce(room: Room, name: ReduceName, outer: number, length: number, inner: number): void {
  checkReduceOf(room, name, numbers(outer * 100 + length + inner).list(outer * length * inner), outer, length, inner)
}

function checkReduceOf(room: Room, name: ReduceName, x: number[], outer: number, length: number, inner: number): void {
  const { backend } = room
  const what = `${name} ${outer}×${length}×${inner}`
  const n = outer * inner
  const lines = naive.lines(x, outer, length, inner)
  inRoom(room, what, (kernels) => {
    const y = name === 'argmax' ? room.intOutput(n) : room.output(n, 1)
    kernels[name](room.input(x, 3), y, outer, length, inner)
    if (name === 'argmax') {
      if (length > 0) expect(room.readInts(y, n), what).toEqual(lines.map(naive.argmax))
    } else if (name === 'reduceSum') {
      const error = (i: number) => length * backend.unit * naive.sumAbs(lines[i])
      assertClose(backend, room.read(y, n), lines.map(naive.sum), error, what)
    } else {
      assertExact(backend, room.read(y, n), lines.map(name === 'reduceMax' ? naive.max : naive.min), what)
    }
  })
}

/** Sums are in double precision on every backend. */
function checkWhole(room: Room, n: number, offset: number): void {
  const r = numbers(n)
  const [x, y] = [r.list(n), r.list(n)]
  const products = x.map((v, i) => v * y[i])
  inRoom(room, `n=${n} offset=${offset}`, (kernels) => {
    const [px, py] = [room.input(x, offset), room.input(y, 3 - offset)]
    const near = (actual: number, terms: number[], name: string) =>
      assertClose(
        { ...room.backend, float64: true },
        [actual],
        [naive.sum(terms)],
        () => (n + 2) * 2 ** -53 * naive.sumAbs(terms),
        `${name} n=${n}`,
      )
    near(
      kernels.sumSquares(px, n),
      x.map((v) => v * v),
      'sumSquares',
    )
    near(kernels.sumAbs(px, n), x.map(Math.abs), 'sumAbs')
    near(kernels.dot(px, py, n), products, 'dot')
    expect(kernels.maxAbs(px, n)).toBe(n === 0 ? 0 : naive.max(x.map(Math.abs)))
  })
}

function expectWhole(room: Room, x: number[], maxAbs: number): void {
  inRoom(room, 'whole', (kernels) => {
    const px = room.input(x, 1)
    expect(kernels.maxAbs(px, x.length)).toBe(maxAbs)
    expect(kernels.sumAbs(px, x.length)).toBe(naive.sumAbs(x))
    expect(kernels.sumSquares(px, x.length)).toBe(naive.sum(x.map((v) => v * v)))
    expect(kernels.dot(px, px, x.length)).toBe(naive.sum(x.map((v) => v * v)))
  })
}

type SoftmaxName = 'softmax' | 'logSoftmax'

function checkSoftmax(room: Room, name: SoftmaxName, rows: number, cols: number, scale: number): void {
  checkSoftmaxOf(room, name, numbers(rows * 100 + cols).list(rows * cols, scale), rows, cols)
}

function checkSoftmaxOf(room: Room, name: SoftmaxName, x: number[], rows: number, cols: number): void {
  const { backend } = room
  const what = `${name} ${rows}×${cols}`
  inRoom(room, what, (kernels) => {
    const dy = numbers(rows + cols).list(x.length)
    const [y, dx] = [room.output(x.length, 1), room.output(x.length, 2)]
    kernels[name](room.input(x, 3), y, rows, cols)
    const tops = naive.lines(x, rows, cols, 1).map(naive.max)
    const expected = naive.lines(x, rows, cols, 1).flatMap(naive[name])
    // the exponent x − max is rounded, so the error grows with it
    const depth = (i: number) => 8 + cols + 4 * Math.min(200, Math.abs(x[i] - tops[Math.floor(i / cols)]))
    const size = (i: number) => (name === 'softmax' ? expected[i] : 1 + Math.abs(x[i]) + Math.abs(tops[Math.floor(i / cols)]))
    assertClose(backend, room.read(y, x.length), expected, (i) => depth(i) * backend.unit * size(i) + SMALLEST, what)

    const stored = room.read(y, x.length)
    kernels[`${name}Backward`](y, room.input(dy, 1), dx, rows, cols)
    checkSoftmaxGradient(room, name, stored, dy, room.read(dx, x.length), cols)
  })
}

function checkSoftmaxGradient(room: Room, name: SoftmaxName, y: number[], dy: number[], dx: number[], cols: number): void {
  const { backend } = room
  const row = (i: number) => Array.from({ length: cols }, (_, c) => Math.floor(i / cols) * cols + c)
  const terms = (i: number) => row(i).map((c) => (name === 'softmax' ? dy[c] * y[c] : dy[c]))
  const size = (i: number) => Math.abs(dy[i]) + naive.sumAbs(terms(i))
  const expected = y.map((v, i) => (name === 'softmax' ? v * (dy[i] - naive.sum(terms(i))) : dy[i] - Math.exp(v) * naive.sum(terms(i))))
  const depth = (i: number) => cols + 16 + (name === 'softmax' ? 0 : Math.min(200, Math.abs(y[i])))
  assertClose(backend, dx, expected, (i) => depth(i) * backend.unit * size(i), `${name}Backward`)
}
