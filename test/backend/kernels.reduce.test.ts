/**
 * Reductions and softmax against the naive loops, on every backend.
 *
 * Tolerances: length · u · Σ|terms| for sums over an axis, u of doubles for the sums of a whole vector; extremes are exact.
 */
import { describe, expect, test } from 'vitest'
import { assertClose, assertExact, backends, INF, inRoom, numbers, Room, SIZES, SMALLEST } from '../tools/backends.js'
import * as naive from '../tools/naive.js'

describe.each(backends)('$label', (backend) => {
  const room = new Room(backend)

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

  test('sums of many terms: the error does not grow with their number', () => {
    for (const [outer, length, inner] of [
      [1, 100_001, 1],
      [2, 30_003, 2],
      [1, 10_001, 9],
      [1, 1501, 70],
      [1, 400, 300],
    ]) {
      const terms = numbers(length).list(outer * length * inner)
      const x = terms.map((v) => Math.fround(0.1 + v / 1e6))
      const lines = naive.lines(x, outer, length, inner)
      inRoom(room, `${outer}×${length}×${inner}`, (kernels) => {
        const y = room.output(outer * inner, 1)
        kernels.reduceSum(room.input(x, 3), y, outer, length, inner)
        assertClose(backend, room.read(y, outer * inner), lines.map(naive.sum), (i) => 40 * backend.unit * naive.sumAbs(lines[i]), 'sum')
      })
    }
  })

  test('fault 28: reductions: NaN, infinities and ties', () => {
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

  test('sumSquares, sumAbs, maxAbs', () => {
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
    checkSoftmaxOf(room, name, [-1000, -1001, -1002, -2000, 1000, 1001, 1002, 990], 2, 4)
  })
})

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
  const x = r.list(n)
  inRoom(room, `n=${n} offset=${offset}`, (kernels) => {
    const px = room.input(x, offset)
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
    expect(kernels.maxAbs(px, n)).toBe(n === 0 ? 0 : naive.max(x.map(Math.abs)))
  })
}

function expectWhole(room: Room, x: number[], maxAbs: number): void {
  inRoom(room, 'whole', (kernels) => {
    const px = room.input(x, 1)
    expect(kernels.maxAbs(px, x.length)).toBe(maxAbs)
    expect(kernels.sumAbs(px, x.length)).toBe(naive.sumAbs(x))
    expect(kernels.sumSquares(px, x.length)).toBe(naive.sum(x.map((v) => v * v)))
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
    const expected = naive.lines(x, rows, cols, 1).flatMap(name === 'softmax' ? naive.softmax : naive.logSoftmax)
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
