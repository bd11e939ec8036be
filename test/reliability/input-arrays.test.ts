/**
 * Arrays that the caller keeps and overwrites, and graphs that are used later: every result belongs to the numbers at the time of
 * its operation. A shadow model in plain JavaScript computes the expected results; integers keep both exact.
 */
import { describe, expect, test } from 'vitest'
import { supportedVariants } from '../../ts/debug/index.js'
import {
  add,
  type Backend,
  createBackend,
  Dense,
  dense,
  gather,
  mse,
  mul,
  noGrad,
  Parameter,
  reshape,
  Sequential,
  SGD,
  StaleTensorError,
  square,
  sum,
  type Tensor,
  tensor,
} from '../../ts/index.js'
import { numbers } from '../tools/backends.js'

const kinds = [{ backend: 'js' }, { backend: 'js', dtype: 'float64' }, ...supportedVariants().map((variant) => ({ variant }))] as const
/** Sequences of each backend; the promise is made for 10,000 (`GRADUS_SEQUENCES=10000`). */
const SEQUENCES = Number(process.env.GRADUS_SEQUENCES ?? 300)
/** Sequences before a new backend is made, whose memory is small again. */
const PER_BACKEND = 50
const N = 4

describe.each(kinds)('%o', (kind) => {
  const backend = createBackend(kind)
  const floats = (...values: number[]) => (backend.dtype === 'float64' ? Float64Array.from(values) : Float32Array.from(values))

  test('fault 1: predict, noGrad and plain arithmetic see what was written to an array after a step that had read it', () => {
    const buffer = floats(1, 1)
    const x = tensor(buffer, [1, 2], { backend })
    const model = new Sequential([new Dense(2, 1)], { seed: 1, backend })
    const optimizer = new SGD(model.parameters(), { learningRate: 0 })
    mse(model.forward(x), [[0]]).backward()
    optimizer.step()
    buffer.set([100, 100])
    const wanted = model.predict(tensor(buffer.slice(), [1, 2], { backend })).data()
    expect(model.predict(x).data()).toEqual(wanted)
    expect(noGrad(() => model.forward(x)).data()).toEqual(wanted)
    expect(mul(x, 2).data()).toEqual(floats(200, 200))
  })

  test('fault 1: two forward passes of one step on an array that changes between them, each with its own gradient', () => {
    const buffer = floats(1, 2)
    const x = tensor(buffer, { backend })
    const w = new Parameter(floats(3, 4), { backend })
    const first = sum(mul(w, x))
    buffer.set([10, 20])
    const second = sum(mul(w, x))
    expect([first.item(), second.item()]).toEqual([11, 110])
    buffer.set([0, 0])
    add(first, second).backward()
    expect(w.grad?.toArray()).toEqual([11, 22])
  })

  test('fault 1: targets, weights and indices that change are read anew, and gradients are of those that were read', () => {
    const [target, weight, index] = [floats(0, 0), floats(1, 1), Int32Array.of(0)]
    const t = tensor(target, [2, 1], { backend })
    const k = tensor(weight, { backend })
    const i = tensor(index, { backend })
    const p = new Parameter([[1], [1]], { backend })
    const loss = () => add(mse(p, t, { weights: k, reduction: 'sum' }), sum(square(gather(p, i))))
    const first = loss()
    target.set([3, 5])
    weight.set([1, 2])
    index.set([1])
    expect(noGrad(() => loss().item())).toBe(4 + 32 + 1)
    first.backward()
    expect(p.grad?.data()).toEqual(floats(2 + 2, 2))
  })

  test(`fault 1: ${SEQUENCES} random sequences of writes, steps, predictions and growth are those of a shadow model`, {
    timeout: 3_600_000,
  }, async () => {
    let own = createBackend(kind)
    for (let seed = 1; seed <= SEQUENCES; seed++) {
      if (seed % PER_BACKEND === 0) {
        own = createBackend(kind)
        // memory of the backends before is only given back between tasks
        await new Promise((resolve) => setTimeout(resolve))
      }
      try {
        new Sequence(own, seed).run()
      } catch (error) {
        throw new Error(`sequence ${seed}: ${(error as Error).message}`, { cause: error })
      }
    }
  })
})

/** A graph that waits for its backward pass, and the expected gradient. */
interface Waiting {
  result: Tensor
  /** Number of steps that had begun, and of changes of w, when the graph was recorded. */
  step: number
  changes: number
  /** True if its gradient needs the values of w. */
  needsValues: boolean
  gradient: number[]
}

class Sequence {
  private readonly random
  private readonly buffer
  private readonly data: Tensor
  private readonly leaf: Tensor
  private readonly w: Parameter
  private readonly optimizer: SGD
  /** The shadow of w and of its gradient. */
  private values: number[]
  private gradient: number[] | null = null
  private waiting: Waiting[] = []
  private step = 1
  private isOver = true
  private changes = 0
  private recorded = 0

  constructor(
    private readonly backend: Backend,
    seed: number,
  ) {
    this.random = numbers(seed)
    const Floats = backend.dtype === 'float64' ? Float64Array : Float32Array
    this.buffer = Floats.from(Array.from({ length: N }, () => this.whole()))
    this.data = tensor(this.buffer, { backend })
    this.leaf = tensor(this.buffer, { backend, requiresGrad: true })
    this.values = Array.from({ length: N }, () => this.whole())
    this.w = new Parameter(this.values, { backend, name: 'w' })
    this.optimizer = new SGD([this.w], { learningRate: 1 })
  }

  run(): void {
    const { int } = this.random
    const actions = [this.write, this.write, this.forward, this.forward, this.predict, this.backward, this.update, this.assign, this.grow]
    for (let i = 0; i < 20; i++) actions[int(actions.length)].call(this)
    this.predict()
    expect(Array.from(this.w.data()), 'w at the end').toEqual(this.values)
    // unused results count as pending: the next sequence should open a step of its own
    this.backend.arena.discard()
  }

  private whole(): number {
    return this.random.int(9) - 4
  }

  private write(): void {
    this.buffer[this.random.int(N)] = this.whole()
  }

  private get graphs(): readonly { value: number; gradient: number[]; needsValues: boolean; run: () => Tensor }[] {
    const { data, leaf, w, values } = this
    const x = Array.from(this.buffer)
    const dot = values.reduce((total, v, i) => total + v * x[i], 0)
    return [
      { value: dot, gradient: x, needsValues: false, run: () => sum(mul(w, data)) },
      { value: dot, gradient: x, needsValues: true, run: () => sum(mul(w, leaf)) },
      {
        value: values.reduce((total, v, i) => total + v * x[i] * x[i], 0),
        gradient: x.map((v) => v * v),
        needsValues: true,
        run: () => sum(mul(square(leaf), w)),
      },
      {
        value: values.reduce((total, v, i) => total + (v - x[i]) ** 2, 0),
        gradient: values.map((v, i) => 2 * (v - x[i])),
        needsValues: false,
        run: () => mse(w, data, { reduction: 'sum' }),
      },
    ]
  }

  private forward(): void {
    const graph = this.graphs[this.random.int(4)]
    if (this.isOver) {
      this.step++
      this.recorded = 0
    }
    this.isOver = false
    const result = graph.run()
    this.recorded++
    expect(result.item(), 'a forward pass').toBe(graph.value)
    this.waiting.push({ ...graph, result, step: this.step, changes: this.changes })
  }

  private predict(): void {
    const graph = this.graphs[this.random.int(4)]
    expect(noGrad(() => graph.run().item()) + 0, 'noGrad').toBe(graph.value + 0)
    const column = noGrad(() => dense(reshape(this.data, [1, N]), reshape(this.w, [N, 1])))
    expect(column.item() + 0, 'dense').toBe(this.graphs[0].value + 0)
  }

  private backward(): void {
    const at = this.random.int(this.waiting.length)
    const [graph] = this.waiting.splice(at, 1)
    if (graph === undefined) return
    if (graph.step !== this.step) {
      expect(() => graph.result.backward()).toThrow(StaleTensorError)
      return
    }
    if (graph.needsValues && graph.changes !== this.changes) {
      expect(() => graph.result.backward()).toThrow(/^backward\(\): mul needs the values of parameter 'w'/)
      return
    }
    graph.result.backward()
    this.gradient = graph.gradient.map((g, i) => g + (this.gradient?.[i] ?? 0))
    expect(this.w.grad?.toArray(), 'a gradient').toEqual(this.gradient.map((g) => g + 0))
    if (--this.recorded === 0) this.isOver = true
  }

  private update(): void {
    if (this.gradient === null) return
    this.optimizer.step()
    const gradient = this.gradient
    this.values = this.values.map((v, i) => Math.max(-1e6, Math.min(1e6, v - gradient[i])))
    this.gradient = null
    this.changes++
    this.isOver = true
    if (this.values.some((v) => Math.abs(v) > 500)) this.assign()
  }

  private assign(): void {
    this.values = this.values.map(() => this.whole())
    this.changes++
    if (this.random.int(2) === 0) this.w.assign(this.values)
    else this.w.view().set(this.values)
  }

  private grow(): void {
    const { heap } = this.backend
    if (this.random.int(8) > 0 || heap.totalBytes > 100 << 20) return
    const before = heap.version
    const block = heap.allocate(heap.totalBytes - heap.usedBytes + 1, 'any')
    heap.free(block)
    expect(heap.version).toBeGreaterThan(before)
  }
}
