/** The memory of a backend: allocating, freeing, refusing and reusing it; and arrays whose memory was transferred or resized. */

import { describe, expect, test } from 'vitest'
import { ArrayBufferSource, Heap } from '../../ts/backend/heap.js'
import { grad } from '../../ts/curvature/index.js'
import {
  add,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  mse,
  mul,
  OutOfMemoryError,
  Parameter,
  Sequential,
  SGD,
  sum,
  type Tensor,
  tensor,
} from '../../ts/index.js'
import { numbers } from '../tools/backends.js'
import { cpuTime } from '../tools/clocks.js'
import { cases, milliseconds } from '../tools/nightly.js'
import { newEngines } from '../tools/small-nets.js'

const backends = newEngines()

test('fault 4: random allocations and frees never overlap, and all of it comes back', () => {
  const random = numbers(1)
  const count = cases(100_000)
  const heap = new Heap(new ArrayBufferSource(), 0)
  const before = heap.usedBytes
  const blocks: { ptr: number; words: number; mark: number }[] = []
  for (let i = 0; i < count; i++) {
    if (random.int(100) < (i % (count / 5) < count / 10 ? 60 : 40)) {
      const words = 1 + random.int(random.int(4) === 0 ? 4000 : 40)
      const ptr = heap.allocate(4 * words, 'zeros')
      const view = heap.intView(ptr, words)
      if (view.some((word) => word !== 0)) throw new Error('a new block is not zero')
      view.fill(i)
      blocks.push({ ptr, words, mark: i })
    } else if (blocks.length > 0) {
      const [{ ptr, words, mark }] = blocks.splice(random.int(blocks.length), 1)
      if (heap.intView(ptr, words).some((word) => word !== mark)) throw new Error('another block wrote here')
      heap.free(ptr)
    }
  }
  for (const { ptr } of blocks) heap.free(ptr)
  expect(heap.usedBytes).toBe(before)
  // one free block again, so a large one fits without growth
  const total = heap.totalBytes
  heap.free(heap.allocate(total - before - 4096, 'any'))
  expect(heap.totalBytes).toBe(total)
})

test('fault 4: with 50,000 fragments, an allocation takes as long as with few', () => {
  const heap = new Heap(new ArrayBufferSource(), 0)
  const some = (n: number) => Array.from({ length: n }, (_, i) => heap.allocate(64 * (1 + ((i * 7) % 13)), 'any'))
  const blocks = some(100_000)
  const freed = cpuTime(() => blocks.forEach((ptr, i) => i % 2 === 0 && heap.free(ptr)))
  const taken = cpuTime(() => some(2000))
  // 1.9 s of allocations before; milliseconds now
  expect(freed + taken).toBeLessThan(milliseconds(150))
})

describe.each(backends)('$variant', (backend) => {
  test('programs of many thousand computations before a backward() are right programs', () => {
    const x = tensor([3], { requiresGrad: true, backend })
    const chain = grad((y) => {
      for (let i = 0; i < 6000; i++) y = add(y, 0)
      return sum(mul(y, y))
    })
    expect(chain(tensor([3], { backend })).toArray()).toEqual([6])
    let total: Tensor = sum(mul(x, 0))
    for (let i = 0; i < 6000; i++) total = add(total, sum(mul(x, i % 2)))
    total.backward()
    expect(x.grad?.toArray()).toEqual([3000])
    const w = new Parameter([1], { backend })
    const losses = Array.from({ length: 6000 }, () => sum(mul(w, 2)))
    losses.reduce((a, b) => add(a, b)).backward()
    expect(w.grad?.toArray()).toEqual([12000])
  })

  test('fault 8: after running out of memory in the middle, dropout draws the same masks again', () => {
    const small = createBackend({ ...(backend.name === 'js' ? { backend: 'js' as const } : {}), memoryLimit: 40 << 20 })
    const model = () =>
      new Sequential([new Dense(8, 64), new Dropout(0.5), new Dense(64, 32), new Dropout(0.5), new Dense(32, 2)], {
        seed: 3,
        backend: small,
      })
    const train = (m: Sequential, fails: boolean) => {
      const optimizer = new SGD(m.parameters(), { learningRate: 0.1 })
      const x = tensor(new Float32Array(64 * 8).fill(0.5), [64, 8], { backend: small })
      const y = tensor(new Int32Array(64), { backend: small })
      const step = (rows: Tensor, labels: Tensor) => {
        crossEntropy(m.forward(rows), labels).backward()
        optimizer.step()
      }
      m.train()
      for (let i = 0; i < 6; i++) {
        if (fails) {
          const { heap } = small
          const allocate = heap.allocate
          let left = 3 + i
          const arena = small.arena
          const take = arena.allocate
          arena.allocate = function (bytes) {
            if (left-- === 0) throw new OutOfMemoryError(bytes, 0, 0)
            return take.call(this, bytes)
          }
          expect(() => step(x, y)).toThrow(OutOfMemoryError)
          arena.allocate = take
          heap.allocate = allocate
        }
        step(x, y)
      }
      return m.parameters().map((p) => p.toArray())
    }
    expect(train(model(), true)).toEqual(train(model(), false))
  })

  test('fault 31: DataViews, shared, detached and resized buffers: converted, or an error that says what happened', () => {
    const w = new Parameter([1, 2], { backend })
    expect(() => tensor(new DataView(new ArrayBuffer(8)) as never, { backend })).toThrow(
      /^tensor: wants numbers, a Float32Array, .* got a DataView$/,
    )
    const shared = new Float32Array(new SharedArrayBuffer(8))
    shared.set([3, 4])
    const s = tensor(shared, { backend })
    expect([mul(w, s).data(), s.data()]).toEqual([Float32Array.of(3, 8), Float32Array.of(3, 4)])
    expect(s.data().buffer).toBeInstanceOf(ArrayBuffer)
    const buffer = Float32Array.of(5, 6)
    const x = tensor(buffer, { backend })
    const loss = mse(w, x)
    structuredClone(buffer, { transfer: [buffer.buffer] })
    const gone =
      /a tensor of shape \[2\] is over an array of 2 numbers that has 0 now: its buffer was transferred .* make the tensor from a copy/
    for (const use of [() => mul(w, x), () => x.data(), () => mse(w, x), () => x.toArray()]) expect(use).toThrow(gone)
    loss.backward()
    expect(w.grad?.toArray()).toEqual([-4, -4])
    const resizable = new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer & { resize(n: number): void })(8, {
      maxByteLength: 16,
    })
    const r = tensor(new Float32Array(resizable), { backend })
    resizable.resize(16)
    expect(() => mul(w, r)).toThrow(/has 4 now: its buffer was transferred .* or resized/)
  })
})
