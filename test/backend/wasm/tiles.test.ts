/** Tiles of large products: all give the same bits, and the pinned tile, or else the fastest, is used. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { withProducts } from '../../../ts/backend/families.js'
import { type Kernels, TILES } from '../../../ts/backend/kernels.js'
import { tilesFor, withTileChoice } from '../../../ts/backend/wasm/tiles.js'
import { clock } from '../../../ts/common/clock.js'
import { supportedVariants } from '../../../ts/debug/index.js'
import { type Backend, createBackend, Generator } from '../../../ts/index.js'

/** Numbers of rows just below and above multiples of four, five and six, the tile heights; and several blocks of rows, of columns and of k. */
const SHAPES = [
  ...[24, 25, 26, 27, 28, 29, 30, 31, 125].map((m) => [m, 33, 300] as const),
  [60, 130, 61],
  [64, 64, 100],
  [65, 32, 64],
  [1024, 32, 40],
  [24, 26, 400],
  [37, 1000, 530],
  [250, 47, 263],
] as const
const KINDS = ['matmul', 'matmulNT', 'matmulTN'] as const

/** Bits of c = start + a·b. */
function product(backend: Backend, kind: (typeof KINDS)[number], [m, n, k]: readonly number[], accumulate: 0 | 1): Int32Array {
  const { heap } = backend
  const kernels = withProducts(backend)
  const sizes = [m * k, k * n, m * n]
  const [a, b, c] = sizes.map((size) => heap.allocate(4 * size))
  for (const [at, size] of [a, b, c].map((at, i) => [at, sizes[i]]))
    heap.view(at, size).forEach((_, i, view) => (view[i] = Math.sin(i + size)))
  kernels[kind](a, b, c, m, n, k, accumulate, heap.scratch)
  const bits = heap.intView(c, m * n).slice()
  for (const at of [a, b, c]) heap.free(at)
  return bits
}

/** Floats of scratch for panels of A; the panels of B follow. */
const ROOM_A = 65_536

/** Rows and columns of the tile that a product used, from its panels: in the panels of a and of b the first step of k is 1. */
function tileOf(backend: Backend): string {
  const { heap } = backend
  const kernels = withProducts(backend)
  const [m, n, k] = [48, 48, 256]
  const [a, b, c] = [m * k, k * n, m * n].map((size) => heap.allocate(4 * size))
  heap.view(a, m * k).forEach((_, i, view) => (view[i] = i % k === 0 ? 1 : 0))
  heap.view(b, k * n).forEach((_, i, view) => (view[i] = i < n ? 1 : 0))
  kernels.matmul(a, b, c, m, n, k, 0, heap.scratch)
  const ones = (at: number) => heap.view(at, 64).findIndex((x: number) => x !== 1)
  const tile = `${ones(heap.scratch)}x${ones(heap.scratch + 4 * ROOM_A)}`
  for (const at of [a, b, c]) heap.free(at)
  return tile
}

/** The factors of aᵀ·b that were copied into panels. */
function copiedSides(backend: Backend, m: number, n: number, k: number): string {
  const { heap } = backend
  const kernels = withProducts(backend)
  const [a, b, c] = [m * k, k * n, m * n].map((size) => heap.allocate(4 * size))
  const rooms = [heap.view(heap.scratch, ROOM_A), heap.view(heap.scratch + 4 * ROOM_A, ROOM_A)]
  for (const room of rooms) room.fill(7)
  kernels.matmulTN(a, b, c, m, n, k, 0, heap.scratch)
  for (const at of [a, b, c]) heap.free(at)
  return ['a', 'b'].filter((_, i) => rooms[i].some((x: number) => x !== 7)).join(' and ')
}

test.skipIf(supportedVariants().length === 0).each([
  [64, 32, 64, ''],
  [64, 32, 16, ''],
  [65, 32, 64, 'a'],
  [512, 64, 64, 'a'],
  [1024, 32, 40, 'a'],
  [1024, 20, 40, 'a and b'],
  [48, 272, 300, 'a and b'],
] as const)('of %i × %i sums of %i a tile reads in place all but %o', (m, n, k, copied) => {
  for (const variant of supportedVariants()) expect(copiedSides(createBackend({ variant, tile: '6x16' }), m, n, k)).toBe(copied)
})

describe.each(supportedVariants())('on %s', (variant) => {
  const backends = TILES.map((tile) => createBackend({ variant, tile }))

  test.each(SHAPES)('all tiles give the same bits: %i × %i, sums of %i', (...shape) => {
    for (const kind of KINDS) {
      for (const accumulate of [0, 1] as const) {
        const [first, ...others] = backends.map((backend) => product(backend, kind, shape, accumulate))
        for (const bits of others) expect(bits).toEqual(first)
      }
    }
  })

  test('the tile that is pinned is at work', () => {
    expect(backends.map(tileOf)).toEqual(TILES)
    expect(backends.map(({ tile }) => tile)).toEqual(TILES)
  })

  test('the first is at work until one is chosen', () => {
    const backend = createBackend({ variant })
    const first = TILES[tilesFor(variant)[0]]
    expect(first).toBe(variant === 'simd' ? '5x8' : '6x8')
    expect([backend.tile, tileOf(backend)]).toEqual([first, first])
  })
})

describe('the choice', () => {
  afterEach(() => void vi.restoreAllMocks())

  let now = 0

  /** A kernel table whose products take the milliseconds that `times` gives for each tile, by a clock that only they advance. */
  function engine(name: string, times: readonly number[], clumsy = 0) {
    const state = { tile: 0, calls: 0, settled: -1, timesOf: (_m: number): readonly number[] => times }
    vi.spyOn(clock, 'now').mockImplementation(() => now)
    const work = (_a: number, _b: number, _c: number, m: number) => {
      const time = state.timesOf(m)[TRIED.indexOf(state.tile)]
      // in code that is not optimized yet the slowest tile looks fastest
      now += state.calls++ < clumsy ? 15 * (Math.max(...times) - time) + 0.01 : time
    }
    const table = {
      setTile: (tile: number) => {
        state.tile = tile
      },
      matmul: work,
      denseForward: work,
    } as unknown as Kernels
    const kernels = withTileChoice(table, name, TRIED, (tile) => {
      state.settled = tile
    })
    return { state, table, kernels }
  }
  const TRIED = tilesFor('relaxed')
  const large = (kernels: Kernels, m = 128) => kernels.matmul(0, 0, 0, m, 128, 128, 0, 0)

  test.each([0, 1, 2])('is the fastest: %i', (fastest) => {
    const times = TRIED.map((_, place) => (place === fastest ? 0.1 : 0.2))
    const { state, table, kernels } = engine(`fastest ${fastest}`, times, 18)
    for (let i = 0; i < 100; i++) large(kernels)
    expect(state).toMatchObject({ settled: TRIED[fastest], tile: TRIED[fastest], calls: 100 })
    expect(kernels.matmul).toBe(table.matmul)
    expect(kernels.denseForward).toBe(table.denseForward)
  })

  test('between timed calls the likeliest tile is at work, for products that are not timed', () => {
    const { state, kernels } = engine('between', [0.1, 0.2, 0.2])
    for (let i = 0; i < 20 && state.settled === -1; i++) {
      large(kernels)
      expect(state.tile).toBe(state.settled === -1 ? TRIED[0] : state.settled)
    }
  })

  test.each([
    [12, [20, 30, 25], 0],
    [21, [30, 20, 25], 1],
  ])('takes %i calls where each takes long: %j', (calls, times, fastest) => {
    const { state, kernels } = engine(`long ${times}`, times)
    for (let i = 1; i < calls; i++) large(kernels)
    expect(state.settled).toBe(-1)
    large(kernels)
    expect(state.settled).toBe(TRIED[fastest])
  })

  test('is seldom another than the fastest where every second call is interrupted', () => {
    const random = new Generator(1)
    let right = 0
    for (let seed = 0; seed < 200; seed++) {
      const { state, kernels } = engine(`busy ${seed}`, [])
      state.timesOf = () => [2, 3.8, 3.8].map((time) => time + (random.next() < 0.5 ? 3 + 5 * random.next() : 0))
      for (let i = 0; i < 100; i++) large(kernels)
      if (state.settled === TRIED[0]) right++
    }
    expect(right).toBeGreaterThan(190)
  })

  test('stays with the first where another is hardly faster, and where the clock stands still', () => {
    for (const times of [
      [1, 0.99, 1],
      [0, 0, 0],
    ]) {
      const { state, kernels } = engine(`stays ${times}`, times)
      for (let i = 0; i < 100; i++) large(kernels)
      expect(state).toMatchObject({ settled: TRIED[0], tile: TRIED[0] })
    }
  })

  test('counts no small products', () => {
    const { state, kernels } = engine('small', [0.2, 0.1, 0.2])
    for (let i = 0; i < 100; i++) kernels.matmul(0, 0, 0, 32, 32, 32, 0, 0)
    expect(state).toMatchObject({ settled: -1, calls: 100 })
  })

  test.each([1, 2, 3, 5, 8, 13, 64])('is made within 64 large calls of %i shapes that take turns', (shapes) => {
    for (const long of [0.07, 3, 30]) {
      const { state, table, kernels } = engine(`${shapes} shapes, ${long}`, [2 * long, long, 2 * long])
      for (let i = 0; i < 63 && state.settled < 0; i++) large(kernels, 128 + (i % shapes))
      if (state.settled < 0) large(kernels, 128)
      expect(state).toMatchObject({ settled: TRIED[1], tile: TRIED[1] })
      expect(state.calls).toBeLessThanOrEqual(64)
      expect(kernels.matmul).toBe(table.matmul)
    }
  })

  test.each([3, 5])('weighs %i shapes by how often they come', (shapes) => {
    // the first shape, which is as frequent as all others together, is faster with the second tile; the others with the third
    const { state, kernels } = engine(`weighed ${shapes}`, [0.5, 0.5, 0.5])
    state.timesOf = (m) => (m === 128 ? [0.5, 0.3, 0.5] : [0.5, 0.5, 0.4])
    for (let i = 0; i < 64; i++) large(kernels, i % 2 === 0 ? 128 : 129 + (((i - 1) / 2) % (shapes - 1)))
    expect(state.settled).toBe(TRIED[1])
  })

  test('follows the first backend of the process that has chosen', () => {
    const first = engine('two at once', [0.2, 0.1, 0.2])
    const second = engine('two at once', [0.1, 0.2, 0.2])
    for (let i = 0; i < 64; i++) large(first.kernels)
    for (let i = 0; i < 64; i++) large(second.kernels)
    expect([first.state.settled, second.state.settled]).toEqual([TRIED[1], TRIED[1]])
  })

  test('holds for the process', () => {
    const first = engine('again', [0.2, 0.2, 0.1])
    for (let i = 0; i < 100; i++) large(first.kernels)
    const second = engine('again', [0.1, 0.2, 0.2])
    expect(second.state).toMatchObject({ settled: TRIED[2], tile: TRIED[2] })
    expect(second.kernels).toBe(second.table)
  })
})

test('a name that is none is an error', () => {
  expect(() => createBackend({ tile: '8x8' as never })).toThrow("load: tile wants 'auto', '5x8', '6x8', '4x16' or '6x16', got '8x8'")
  expect(createBackend({ backend: 'js', tile: '5x8' }).tile).toBeNull()
})
