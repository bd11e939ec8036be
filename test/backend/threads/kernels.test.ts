/**
 * Every kernel that threads share gives the bits of one thread, whatever their number and however ragged the sizes: here even calls of
 * a few floats are shared. Canaries around each buffer show a share that writes where another does.
 */
import { describe, expect, test } from 'vitest'
import { ATTENTION } from '../../../ts/backend/attention-kernels.js'
import { GEOMETRY } from '../../../ts/backend/conv-kernels.js'
import {
  ACCUMULATE_B,
  ACCUMULATE_W,
  ACCUMULATE_X,
  ACTIVATIONS,
  type Kernels,
  type Ptr,
  SCRATCH_BYTES,
  TILES,
  type Update,
  WHOLE_UPDATES,
} from '../../../ts/backend/kernels.js'
import { CELLS, type CellName, type CellParts, kindOf } from '../../../ts/backend/recurrent-kernels.js'
import { STACK_BETWEEN, supportedVariants, updateKernel } from '../../../ts/backend/wasm/load.js'
import { UPDATES } from '../../../ts/backend/wasm/parts.js'
import type { Tiled } from '../../../ts/backend/wasm/tiles.js'
import type { WasmExports } from '../../../ts/backend/wasm/types.js'
import { windowOver } from '../../../ts/conv/window.js'
import { Generator } from '../../../ts/index.js'
import { convCase } from '../../conv/shapes.js'
import { numbers, Room, SIZES } from '../../tools/backends.js'
import { addPart, alone, partBeside, team } from '../../tools/threads.js'

const PRODUCTS = [
  [1, 1, 1],
  [5, 7, 3],
  [17, 9, 65],
  [3, 200, 9],
  [200, 3, 9],
  [64, 10, 33],
  [33, 47, 100],
  [70, 130, 31],
  [130, 70, 31],
  [128, 96, 64],
  [96, 64, 64],
  [1024, 16, 40],
  [1, 300, 50],
  [0, 5, 4],
  [6, 0, 4],
  [6, 5, 0],
] as const
const UNARY = ['exp', 'log', 'sin', 'cos', 'erf'] as const
const cases = supportedVariants().flatMap((variant) => [2, 3, 4].map((threads) => ({ variant, threads })))

describe.each(cases)('$variant, $threads threads', async ({ variant, threads }) => {
  const one = new Room(alone(variant))
  const many = await team(variant, threads)
  const rooms = [one, new Room(many)]

  /** Runs a case on one thread and on many, and compares the bits of the memory that the case says it wrote. */
  function same(what: string, run: (room: Room, kernels: Kernels) => [ptr: Ptr, length: number][]): void {
    const before = many.shared()
    const [wanted, got] = rooms.map((room) => {
      room.reset()
      const written = run(room, room.backend.kernels)
      room.check(what)
      return written.map(([ptr, length]) => room.readInts(ptr, length))
    })
    expect(got, what).toEqual(wanted)
    expect(many.shared(), `${what} is shared`).toBeGreaterThan(before)
  }

  test.each((['matmul', 'matmulNT', 'matmulTN'] as const).flatMap((name) => TILES.map((tile) => [name, tile] as const)))(
    '%s with tiles of %s',
    (name, tile) => {
      for (const [m, n, k] of PRODUCTS) {
        for (const accumulate of [0, 1]) {
          const r = numbers(m * 10007 + n * 101 + k)
          const [a, b, c] = [r.list(m * k), r.list(k * n), r.list(m * n)]
          same(`${name} ${m} ${n} ${k} ${accumulate}`, (room, kernels) => {
            ;(kernels as unknown as Tiled).setTile(TILES.indexOf(tile))
            const out = room.inout(c, 1)
            kernels[name](room.input(a), room.input(b, 3), out, m, n, k, accumulate, room.backend.heap.scratch)
            return [[out, m * n]]
          })
        }
      }
    },
  )

  test('denseForward, with and without bias, every activation', () => {
    for (const [i, [m, n, k]] of PRODUCTS.entries()) {
      const r = numbers(i + 1)
      const [x, w, b] = [r.list(m * k), r.list(k * n), r.list(n)]
      for (const [activation] of ACTIVATIONS.entries()) {
        same(`denseForward ${m} ${n} ${k} ${activation}`, (room, kernels) => {
          const [z, y] = [room.inout(new Float32Array(m * n)), room.output(m * n)]
          const bias = activation % 2 ? room.input(b) : 0
          const keeps = activation % 3 ? z : 0
          kernels.denseForward(room.input(x), room.input(w), bias, keeps, y, m, k, n, activation, room.backend.heap.scratch)
          return [
            [y, m * n],
            [z, m * n],
          ]
        })
      }
    }
  })

  test('denseBackward, each gradient wanted or not, overwriting and adding', () => {
    for (const [i, [m, n, k]] of PRODUCTS.entries()) {
      const r = numbers(i + 100)
      const lists = [m * k, k * n, m * n, m * n, k * n, n, m * k].map((size) => r.list(size))
      const [x, w, saved, dy, w0, b0, x0] = lists
      for (const [activation] of ACTIVATIONS.entries()) {
        const wanted = (bit: number) => (activation + i) % 4 !== bit
        const accumulate = [0, ACCUMULATE_W | ACCUMULATE_X, ACCUMULATE_B, 7][activation % 4]
        same(`denseBackward ${m} ${n} ${k} ${activation}`, (room, kernels) => {
          const [dz, dw, db, dx] = [room.inout(new Float32Array(m * n)), room.inout(w0), room.inout(b0), room.inout(x0)]
          const [to, toBias, toInput] = [wanted(1) ? dw : 0, wanted(2) ? db : 0, wanted(3) ? dx : 0]
          const [xAt, wAt, savedAt, dyAt] = [x, w, saved, dy].map((values) => room.input(values))
          const { scratch } = room.backend.heap
          kernels.denseBackward(xAt, wAt, savedAt, dyAt, dz, to, toBias, toInput, m, k, n, activation, accumulate, scratch)
          return [
            [dz, m * n],
            [dw, k * n],
            [db, n],
            [dx, m * k],
          ]
        })
      }
    }
  })

  test('activations and functions of one array', () => {
    for (const n of SIZES) {
      const r = numbers(n + 7)
      const [values, dy] = [r.list(n), r.list(n)]
      for (const [activation] of ACTIVATIONS.entries()) {
        same(`activation ${activation} of ${n}`, (room, kernels) => {
          const [x, y, dx] = [room.input(values, 2), room.output(n), room.inout(dy, 1)]
          kernels.activationForward(x, y, n, activation)
          kernels.activationBackward(y, dx, dx, n, activation)
          return [
            [y, n],
            [dx, n],
          ]
        })
      }
      for (const name of UNARY) {
        same(`${name} of ${n}`, (room, kernels) => {
          const y = room.inout(values, 1)
          kernels[name](y, y, n)
          return [[y, n]]
        })
      }
    }
  })

  test('softmax and its kin', () => {
    for (const [rows, cols] of [
      [1, 5],
      [2, 1],
      [3, 10],
      [37, 17],
      [0, 4],
      [64, 3],
    ]) {
      const r = numbers(rows * 100 + cols)
      const [values, dy] = [r.list(rows * cols), r.list(rows * cols)]
      for (const [forward, backward] of [
        ['softmax', 'softmaxBackward'],
        ['logSoftmax', 'logSoftmaxBackward'],
      ] as const) {
        const run = (room: Room, kernels: Kernels): [Ptr, number][] => {
          const [x, y, dx] = [room.input(values), room.output(rows * cols), room.output(rows * cols)]
          kernels[forward](x, y, rows, cols)
          kernels[backward](y, room.input(dy), dx, rows, cols)
          return [
            [y, rows * cols],
            [dx, rows * cols],
          ]
        }
        if (rows > 1) same(`${forward} ${rows} ${cols}`, run)
      }
    }
  })

  test('convolutions of random shapes, in both directions', () => {
    const random = new Generator(3)
    for (let i = 0; i < 60; i++) {
      const c = convCase(random)
      const window = windowOver(c.x, c.filters, c.options.groups, { ...c.options, kernel: c.w.slice(0, c.axes) }, 'conv')
      const geometry = Int32Array.from(GEOMETRY, (name) => window.geometry[name])
      const size = (shape: readonly number[]) => shape.reduce((product, d) => product * d, 1)
      const [x, w, b, dy] = [c.x, c.w, [c.filters], window.outputShape].map((shape) => numbers(3).list(size(shape)))
      const activation = [0, 1, 5][i % 3]
      same(JSON.stringify(c), (room, kernels) => {
        const { scratch } = room.backend.heap
        const at = room.backend.heap.allocate(64)
        room.backend.heap.intView(at, geometry.length).set(geometry)
        const [xAt, wAt, dyAt] = [room.input(x), room.input(w), room.input(dy)]
        const [z, y, dz, dx] = [room.output(dy.length), room.output(dy.length), room.output(dy.length), room.output(x.length)]
        kernels.convForward(xAt, wAt, room.input(b), z, y, window.rows, at, activation, scratch)
        const [dw, db] = [room.inout(w), room.inout(b)]
        const accumulate = i % 2 === 0 ? ACCUMULATE_W | ACCUMULATE_B : 0
        const saved = activation === 5 ? z : y
        kernels.convBackward(xAt, wAt, saved, dyAt, dz, dw, db, dx, window.rows, at, activation, accumulate, scratch)
        return [
          [y, dy.length],
          [dw, w.length],
          [db, b.length],
          [dx, x.length],
        ]
      })
    }
  })

  test('pooling of random shapes, in both directions', () => {
    const random = new Generator(4)
    for (let i = 0; i < 60; i++) {
      const [rows, height, width, channels, size, stride] = Array.from(
        random.uniforms(6),
        (u, at) => [2, 3, 3, 1, 1, 1][at] + Math.floor(5 * u),
      )
      const kernel = [Math.min(size, height), Math.min(size, width)]
      const options = { kernel, stride, padding: 'same', dilation: 1, groups: 1 } as const
      const window = windowOver([rows, height, width, channels], channels, 1, options, 'pool')
      // every third one adapts its windows to the result across
      const own = i % 3 === 0 ? { ...window.geometry, strideX: 0, kernelWidth: width } : window.geometry
      const geometry = Int32Array.from(GEOMETRY, (name) => own[name])
      const [inputs, results] = [window.inputShape, window.outputShape].map((shape) => shape.reduce((product, d) => product * d, 1))
      const r = numbers(i + 1)
      const [x, dy] = [r.list(inputs), r.list(results)]
      same(JSON.stringify([window.inputShape, kernel, stride]), (room, kernels) => {
        const at = room.backend.heap.allocate(64)
        room.backend.heap.intView(at, geometry.length).set(geometry)
        const [xAt, dyAt] = [room.input(x), room.input(dy)]
        const outputs = [results, results, inputs, results, results, inputs]
        const [y, taps, dx, picked, mean, dMean] = outputs.map((length) => room.output(length))
        kernels.maxPool(xAt, y, taps, rows, at)
        kernels.maxPoolBackward(taps, dyAt, dx, rows, at)
        kernels.maxPoolPick(xAt, taps, picked, rows, at)
        kernels.averagePool(xAt, mean, rows, at)
        kernels.averagePoolBackward(dyAt, dMean, rows, at)
        return [y, taps, dx, picked, mean, dMean].map((ptr, j) => [ptr, outputs[j]])
      })
    }
  })

  test('batch normalization', () => {
    for (const [rows, columns] of [
      [2, 17],
      [5, 32],
      [70, 40],
      [33, 63],
      [9, 130],
    ] as const) {
      // biome-ignore format: one line
      const r = numbers(rows * columns)
      const [x, dy] = [r.list(rows * columns), r.list(rows * columns)]
      const [weight, bias] = [r.list(columns), r.list(columns)]
      same(`${rows} ${columns}`, (room, kernels) => {
        const [xAt, w, b, e] = [room.input(x), room.input(weight), room.input(bias), room.input([0.1])]
        const [mean, variance, y, dx] = [columns, columns, rows * columns, rows * columns].map((size) => room.output(size))
        const [dw, db] = [room.inout(weight), room.inout(bias)]
        kernels.batchNormMoments(xAt, mean, variance, rows, columns)
        kernels.batchNormForward(xAt, mean, variance, w, b, y, rows, columns, 1, e)
        const accumulate = rows % 2 === 0 ? 0 : ACCUMULATE_W | ACCUMULATE_B
        kernels.batchNormBackward(xAt, mean, variance, w, b, room.input(dy), dw, db, dx, rows, columns, 1, accumulate, e)
        const [all, each] = [[y, dx], [mean, variance, dw, db]] // biome-ignore format: one line
        return [...all.map((at): [Ptr, number] => [at, rows * columns]), ...each.map((at): [Ptr, number] => [at, columns])]
      })
    }
  })

  test('recurrent layers, every cell, in both directions', () => {
    for (const [cell, parts] of Object.entries(CELLS) as [CellName, CellParts][]) {
      for (const [rows, steps, units] of [
        ...[[2, 1, 1] as const, [5, 3, 4] as const, [7, 2, 9] as const, [26, 3, 8] as const, [53, 2, 17] as const],
      ]) {
        const all = rows * steps * units
        const r = numbers(all)
        const sizes = [all * parts.gates, units * units * parts.gates, units, rows * units * parts.state, all, rows * units * parts.state]
        const [z, u, b, initial, dy, dlast] = sizes.map((size) => r.list(size))
        const mask = r.list(rows * steps).map((value) => (value > 0 ? 1 : 0))
        same(`${cell} ${rows} ${steps} ${units}`, (room, kernels) => {
          const { scratch } = room.backend.heap
          const kind = kindOf(cell, units % 2 === 0)
          const maskAt = rows % 2 === 0 ? 0 : room.input(mask)
          const [gates, saved, y, last] = [room.inout(z), room.output(all * parts.saved), room.output(all), room.output(dlast.length)]
          const [uAt, bAt] = [room.input(u), cell === 'gruAfter' ? room.input(b) : 0]
          kernels.recurrentForward(gates, uAt, bAt, room.input(initial), saved, y, last, maskAt, rows, steps, units, kind, scratch)
          const [dz, dq, carry] = [room.output(all * parts.gates), room.output(all * parts.extra), room.output(dlast.length)]
          const [dyAt, dlastAt] = [room.input(dy), room.input(dlast)]
          kernels.recurrentBackward(gates, uAt, saved, dyAt, dlastAt, maskAt, dz, dq, carry, rows, steps, units, kind, scratch)
          const du = room.inout(u)
          const [kept, width] = [parts.saved * units, parts.gates * units]
          kernels.recurrentWeights(saved, dz, du, kept, width, width, units, width, rows * steps, 1, scratch)
          return [
            ...([
              [gates, z.length],
              [y, all],
              [last, dlast.length],
              [dz, z.length],
              [dq, all * parts.extra],
            ] as [Ptr, number][]),
            ...([
              [carry, dlast.length],
              [du, u.length],
            ] as [Ptr, number][]),
          ]
        })
      }
    }
  })

  test('attention, causal and masked', () => {
    for (const [rows, heads, queries, keys, width, valueWidth] of [
      ...[[2, 1, 2, 3, 4, 5] as const, [3, 2, 5, 9, 4, 3] as const, [2, 3, 70, 70, 8, 8] as const, [1, 5, 3, 130, 16, 4] as const],
    ]) {
      const strides = [heads * width + 3, heads * width + 1, heads * valueWidth + 2]
      const lengths = [rows * queries * strides[0], rows * keys * strides[1], rows * keys * strides[2]]
      const r = numbers(rows * keys)
      const [q, k, v] = lengths.map((length) => r.list(length))
      const dy = r.list(rows * queries * heads * valueWidth)
      const mask = r.list(rows * keys).map((value) => (value > -0.5 ? 1 : 0))
      same(`attention ${rows} ${heads} ${queries} ${keys}`, (room, kernels) => {
        const { heap } = room.backend
        const sizes = heap.allocate(ATTENTION.length * 4)
        const causal = heads % 2
        heap.intView(sizes, ATTENTION.length).set([heads, queries, keys, width, valueWidth, ...strides, causal])
        const [qAt, kAt, vAt, dyAt, maskAt] = [q, k, v, dy, mask].map((x) => room.input(x))
        const pairs = rows * heads
        const [y, stats] = [room.output(dy.length), room.output(2 * pairs * queries)]
        kernels.attentionForward(qAt, kAt, vAt, maskAt, y, stats, 0, pairs, sizes, heap.scratch)
        const gradients = [q, k, v].map((x) => room.inout(x.map(() => 0)))
        const [dq, dk, dv] = gradients
        kernels.attentionBackward(qAt, kAt, vAt, maskAt, y, stats, dyAt, dq, dk, dv, 0, pairs, sizes, heap.scratch)
        return [[y, dy.length], [stats, 2 * pairs * queries], ...gradients.map((at, i): [Ptr, number] => [at, lengths[i]])]
      })
    }
  })

  test('the update of every optimizer', async () => {
    const [coreOfOne, coreOfMany] = [one.backend.kernels as unknown as WasmExports, many.exports]
    const partOfOne = partBeside(UPDATES, variant, coreOfOne)
    const partOfMany = await addPart(UPDATES, variant, many)
    // Only updates and the kernel of permutations take six numbers (contract.test.ts). Kernels that sum are not shared.
    const isUpdate = (exports: WasmExports) => (name: string) =>
      updateKernel(exports, name)?.length === 6 && name !== 'permutation' && !WHOLE_UPDATES.includes(name)
    const [inCore, inPart] = [coreOfMany, partOfMany].map((exports) => Object.keys(exports).filter(isUpdate(exports)))
    expect(inCore).toContain('adam')
    expect(inPart.length).toBeGreaterThanOrEqual(20)
    for (const name of [...inCore, ...inPart]) {
      for (const n of [1, 16, 47, 100, 1001]) {
        const r = numbers(n)
        const arrays = [r.list(n), r.list(n), r.list(5 * n).map(Math.abs), Array.from({ length: 35 }, (_, i) => 0.5 + i / 100)]
        same(`${name} of ${n}`, (room) => {
          const [p, g, s, h] = [room.inout(arrays[0]), room.input(arrays[1]), room.inout(arrays[2]), room.input(arrays[3])]
          const [core, part] = room === one ? [coreOfOne, partOfOne] : [coreOfMany, partOfMany]
          const update = (updateKernel(core, name) ?? updateKernel(part, name)) as Update
          const run = room === one ? update : many.share(update)
          run(p, g, s, n, n, h)
          return [
            [p, n],
            [s, 5 * n],
          ]
        })
      }
    }
  })

  test('uses little of the stack that a worker has', () => {
    // The block of a worker: the stack of parts, the stack of the core, then its memory for panels. Memory that a stack never reached is still zero.
    const stack = 1 << 16
    for (let worker = 0; worker < threads - 1; worker++) {
      const block = many.heap.scratch + SCRATCH_BYTES + worker * (stack + SCRATCH_BYTES)
      for (const end of [stack - STACK_BETWEEN, stack]) {
        const words = many.heap.intView(block + end - STACK_BETWEEN, STACK_BETWEEN / 4)
        const first = words.findIndex((word) => word !== 0)
        expect(first).toBeGreaterThan(0)
        expect(STACK_BETWEEN - 4 * first, 'bytes of stack used').toBeLessThan(STACK_BETWEEN / 4)
      }
    }
  })
})
