/**
 * Matrix products and the dense layer against the naive loops, on every backend.
 *
 * Tolerance: (k + 4) · u · Σ|terms|, the bound for a sum of k products in any order, u the unit roundoff; so it holds
 * for every tile, and a missing or doubled term breaks it by orders of magnitude.
 */
import { describe, expect, test } from 'vitest'
import { createBackend } from '../../ts/backend/index.js'
import { withAllKernels } from '../../ts/backend/js/all.js'
import { ACCUMULATE_B, ACCUMULATE_W, ACCUMULATE_X, ACTIVATIONS, type Activation, SAVES_INPUT, TILES } from '../../ts/backend/kernels.js'
import { assertClose, assertExact, backends, inRoom, numbers, Room, type TestBackend } from '../tools/backends.js'
import * as naive from '../tools/naive.js'

const LAYOUTS = ['matmul', 'matmulNT', 'matmulTN'] as const

/**
 * All sizes 0…9 in three dimensions, or up to 33 with `GRADUS_SIZES=33`, and some larger odd sizes in each, so that every edge of a tile is tested.
 */
const LARGEST = Number(process.env.GRADUS_SIZES ?? 9)
const SMALL = triples(Array.from({ length: LARGEST + 1 }, (_, i) => i))
const LARGE = [
  ...triples([1, 8, 17, 33]),
  [65, 33, 17],
  [17, 65, 100],
  [100, 17, 65],
  [33, 100, 12],
  [65, 65, 65],
  [100, 100, 100],
  [12, 12, 12],
]

function triples(sizes: number[]): number[][] {
  return sizes.flatMap((m) => sizes.flatMap((n) => sizes.map((k) => [m, n, k])))
}

function checkProduct(room: Room, layout: naive.Layout, m: number, n: number, k: number, accumulate: 0 | 1, offset: number): void {
  const r = numbers(m * 10007 + n * 101 + k + 1)
  const [a, b, c] = [r.list(m * k), r.list(k * n), r.list(m * n)]
  const what = `${layout} m=${m} n=${n} k=${k} accumulate=${accumulate} offset=${offset}`
  inRoom(room, what, (kernels) => {
    const out = accumulate ? room.inout(c, offset) : room.output(m * n, offset)
    kernels[layout](room.input(a, (offset * 2) % 4), room.input(b, (offset * 3) % 4), out, m, n, k, accumulate, room.backend.heap.scratch)
    const expected = naive.product(layout, a, b, accumulate ? c : null, m, n, k)
    assertClose(room.backend, room.read(out, m * n), expected.value, (i) => (k + 4) * room.backend.unit * expected.scale[i], what)
  })
}

describe.each(backends)('$label', (backend) => {
  const room = new Room(backend)

  test.each(LAYOUTS)(`fault 33: %s: sizes 0…${LARGEST} exhaustively, at every alignment`, (layout) => {
    for (const [m, n, k] of SMALL) {
      const odd = (m + n + k) % 2
      checkProduct(room, layout, m, n, k, odd as 0 | 1, (m + n + k) % 4)
      // larger products are tested with and without accumulation alternately
      if (Math.max(m, n, k) < 10) checkProduct(room, layout, m, n, k, (1 - odd) as 0 | 1, (m + n + k + 1) % 4)
    }
  })

  test.each(LAYOUTS)('fault 33: %s: larger ragged sizes', (layout) => {
    for (const [m, n, k] of LARGE) {
      checkProduct(room, layout, m, n, k, 0, 0)
      checkProduct(room, layout, m, n, k, 1, 3)
    }
  })

  test.each(LAYOUTS)('%s: a long k and a wide n', (layout) => {
    checkProduct(room, layout, 5, 9, 3001, 0, 1)
    checkProduct(room, layout, 9, 1030, 70, 1, 2)
    checkProduct(room, layout, 1, 784, 130, 0, 0)
  })

  test.each(LAYOUTS)('fault 28: %s: NaN and infinities reach exactly their own rows and columns', (layout) => {
    for (const [m, n, k] of [
      [3, 5, 2],
      [7, 9, 6],
      [5, 17, 9],
      [18, 13, 33],
    ])
      checkSpecials(room, layout, m, n, k)
  })

  test.each(LAYOUTS)('%s: a row has the same bits whatever the other rows are', (layout) => checkRowInvariance(room, layout))

  test.each(ACTIVATIONS)('denseForward with %s', (activation) => {
    for (const [m, k, n] of [...triples([0, 1, 3, 4, 9]), [17, 33, 65], [33, 100, 12], [5, 784, 16]]) {
      for (const bias of [true, false]) checkForward(room, activation, m, k, n, bias)
    }
  })

  test.each(ACTIVATIONS)('denseBackward with %s', (activation) => {
    for (const [m, k, n] of [...triples([0, 1, 3, 4, 9]), [17, 33, 65], [33, 100, 12], [5, 130, 16]]) {
      for (const wanted of [7, 1, 2, 4, 0, 3]) checkBackward(room, activation, m, k, n, wanted, (m + n + wanted) % 8)
    }
    for (let accumulate = 0; accumulate < 8; accumulate++) checkBackward(room, activation, 6, 5, 7, 7, accumulate)
  })
})

test.each(TILES)('tiles of %s read nothing behind A and B: there memory ends', (tile) => {
  const memoryLimit = 16 << 20
  const backend = createBackend({ backend: 'wasm', tile, memoryLimit })
  const { heap } = backend
  const kernels = withAllKernels(backend)
  const [c, first] = [131 * 144, 1024 * 300].map((size) => heap.allocate(4 * size))
  expect(heap.totalBytes).toBe(memoryLimit)
  const ragged = [24, 26, 27, 64, 123, 131].flatMap((m) =>
    [10, 16, 17, 33, 40, 64, 144].flatMap((n) => [1, 9, 32, 100, 300].map((k) => [m, n, k])),
  )
  for (const [m, n, k] of [...ragged, [1024, 16, 300], [1024, 17, 40]])
    for (const layout of LAYOUTS) {
      kernels[layout](memoryLimit - 4 * m * k, first, c, m, n, k, 0, heap.scratch)
      kernels[layout](first, memoryLimit - 4 * k * n, c, m, n, k, 0, heap.scratch)
    }
})

function checkSpecials(room: Room, layout: naive.Layout, m: number, n: number, k: number): void {
  const r = numbers(m + n + k)
  const [a, b] = [r.list(m * k), r.list(k * n)]
  a[r.int(a.length)] = Number.NaN
  a[r.int(a.length)] = Number.POSITIVE_INFINITY
  b[r.int(b.length)] = Number.NEGATIVE_INFINITY
  b[r.int(b.length)] = 0
  const what = `${layout} with specials m=${m} n=${n} k=${k}`
  inRoom(room, what, (kernels) => {
    const out = room.output(m * n)
    kernels[layout](room.input(a), room.input(b), out, m, n, k, 0, room.backend.heap.scratch)
    const expected = naive.product(layout, a, b, null, m, n, k)
    assertClose(room.backend, room.read(out, m * n), expected.value, (i) => (k + 4) * room.backend.unit * expected.scale[i], what)
  })
}

/** Row i of a product of m rows equals the product of that row alone, bit for bit: tiles do not change the sums. */
function checkRowInvariance(room: Room, layout: naive.Layout): void {
  const [m, n, k] = [13, 21, 37]
  const r = numbers(5)
  const rows = Array.from({ length: m }, () => r.list(k))
  const b = r.list(k * n)
  const flat = layout === 'matmulTN' ? Array.from({ length: k * m }, (_, i) => rows[i % m][Math.floor(i / m)]) : rows.flat()
  inRoom(room, `${layout} rows`, (kernels) => {
    const scratch = room.backend.heap.scratch
    const [pb, all, one] = [room.input(b), room.output(m * n), room.output(n)]
    kernels[layout](room.input(flat), pb, all, m, n, k, 0, scratch)
    for (let i = 0; i < m; i++) {
      kernels[layout](room.input(rows[i]), pb, one, 1, n, k, 0, scratch)
      assertExact(room.backend, room.read(one, n), room.read(all, m * n).slice(i * n, (i + 1) * n), `${layout} row ${i}`, true)
    }
  })
}

/** Allowed error of f(z) beside the error of z: a few roundings relative to 1 + |z|. */
const activationError = (backend: TestBackend, z: number) => 16 * backend.unit * (1 + Math.abs(z))

function checkForward(room: Room, activation: Activation, m: number, k: number, n: number, bias: boolean): void {
  const r = numbers(m * 31 + k * 7 + n)
  const [x, w, b] = [r.list(m * k), r.list(k * n, 1 / Math.sqrt(k + 1)), r.list(n)]
  const what = `denseForward ${activation} m=${m} k=${k} n=${n} bias=${bias}`
  const rows = Array.from({ length: m * n }, (_, i) => (bias ? b[i % n] : 0))
  const z = naive.product('matmul', x, w, rows, m, n, k)
  const f = naive.activation[activation]
  const error = (i: number) => (k + 5) * room.backend.unit * z.scale[i]
  for (const keep of [true, false]) {
    inRoom(room, what, (kernels) => {
      const saves = keep && SAVES_INPUT.has(activation)
      const [pz, py] = [room.output(m * n, 1), room.output(m * n, 2)]
      const pb = bias ? room.input(b, 3) : 0
      const number = ACTIVATIONS.indexOf(activation)
      kernels.denseForward(room.input(x, 1), room.input(w, 2), pb, keep ? pz : 0, py, m, k, n, number, room.backend.heap.scratch)
      const y = (i: number) => 1.2 * error(i) + activationError(room.backend, z.value[i])
      assertClose(room.backend, room.read(py, m * n), z.value.map(f), y, what)
      if (saves) assertClose(room.backend, room.read(pz, m * n), z.value, error, `${what}: z`)
      else
        assertExact(
          room.backend,
          room.read(pz, m * n),
          z.value.map(() => Number.NaN),
          `${what}: z stays unwritten`,
        )
    })
  }
}

/** `wanted` has the bits of dw (1), db (2), dx (4). dz is checked against f′, the three products against dz as it was left. */
function checkBackward(room: Room, activation: Activation, m: number, k: number, n: number, wanted: number, accumulate: number): void {
  const r = numbers(m * 31 + k * 7 + n)
  const [x, w, dy, z] = [r.list(m * k), r.list(k * n), r.list(m * n), r.list(m * n, 2)]
  const [dw0, db0, dx0] = [r.list(k * n), r.list(n), r.list(m * k)]
  const saved = SAVES_INPUT.has(activation) ? z : z.map((v) => Math.fround(naive.activation[activation](v)))
  const what = `denseBackward ${activation} m=${m} k=${k} n=${n} wanted=${wanted} accumulate=${accumulate}`
  const { backend } = room
  inRoom(room, what, (kernels) => {
    const inPlace = (m + k + n) % 2 === 1
    const linear = activation === 'linear'
    const pdy = inPlace && !linear ? room.inout(dy, 1) : room.input(dy, 1)
    const pdz = linear ? 0 : inPlace ? pdy : room.output(m * n, 2)
    const place = (bit: number, flag: number, old: number[]) =>
      (wanted & bit) === 0 ? 0 : accumulate & flag ? room.inout(old, 3) : room.output(old.length, 3)
    const [dw, db, dx] = [place(1, ACCUMULATE_W, dw0), place(2, ACCUMULATE_B, db0), place(4, ACCUMULATE_X, dx0)]
    const [px, pw, ps] = [room.input(x, 1), room.input(w, 2), room.input(saved, 3)]
    const number = ACTIVATIONS.indexOf(activation)
    kernels.denseBackward(px, pw, ps, pdy, pdz, dw, db, dx, m, k, n, number, accumulate, backend.heap.scratch)

    const dz = linear ? dy : room.read(pdz, m * n)
    const slope = z.map((v, i) => dy[i] * naive.derivative[activation](v))
    assertClose(backend, dz, slope, (i) => savedError(activation) * Math.abs(dy[i]) * (1 + Math.abs(z[i])), `${what}: dz`)
    const compare = (ptr: number, sum: naive.Sum, terms: number, name: string) => {
      if (ptr === 0) return
      const length = sum.value.length
      assertClose(backend, room.read(ptr, length), sum.value, (i) => (terms + 4) * backend.unit * sum.scale[i], `${what}: ${name}`)
    }
    compare(dw, naive.product('matmulTN', x, dz, accumulate & ACCUMULATE_W ? dw0 : null, k, n, m), m, 'dw')
    compare(db, naive.columnSums(dz, accumulate & ACCUMULATE_B ? db0 : null, m, n), m, 'db')
    compare(dx, naive.product('matmulNT', dz, w, accumulate & ACCUMULATE_X ? dx0 : null, m, k, n), n, 'dx')
  })
}

/** `saved` is a float32 here on every backend, which limits what f′ can be computed to from an output. */
const savedError = (activation: Activation) => (activation === 'linear' || activation === 'relu' ? 0 : 16 * 2 ** -24)
