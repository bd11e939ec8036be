/**
 * Tests for every operation of table.ts. Tolerances of gradients are PyTorch's for gradcheck (eps 1e-6, atol 1e-5, rtol 1e-3, double precision); in
 * single precision they are ggml's for backends (normalized mean square error at most 1e-7).
 */
import { describe, expect, test } from 'vitest'
import { ACTIVATIONS } from '../../ts/backend/kernels.js'
import { valuesFrom } from '../../ts/build/public-index.js'
import {
  activate,
  add,
  type Backend,
  createBackend,
  gradients,
  maximum,
  minimum,
  mul,
  noGrad,
  OutOfMemoryError,
  pow,
  square,
  sum,
  type Tensor,
  tensor,
} from '../../ts/index.js'
import { numbers } from '../tools/backends.js'
import { cases } from '../tools/nightly.js'
import { newBackends } from '../tools/small-nets.js'
import { drawShapes, OPERATIONS, type Operation } from './table.js'

const SHAPES = Number(process.env.GRADUS_SHAPES ?? cases(100))
/** Lengths where values are compared: loops of four and eight lanes run, with all their remainders. */
const LONGEST = 19
const double = createBackend({ backend: 'js', dtype: 'float64' })
const single = newBackends()

interface Sample {
  shapes: number[][]
  values: Float64Array[]
}

/** Inputs on random shapes, rounded to float32 so that all precisions start from the same numbers. */
function samplesOf({ shapes, range = [-1.5, 1.5] }: Operation, count: number, seed = 1, longest = 4): Sample[] {
  const random = numbers(seed)
  return Array.from({ length: count }, (_, i) => {
    const drawn = drawShapes(shapes[i % shapes.length], random.int, longest)
    const values = drawn.map((shape) =>
      Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.fround(range[0] + (range[1] - range[0]) * random.unit())),
    )
    return { shapes: drawn, values }
  })
}

const inputsOf = ({ shapes, values }: Sample, backend: Backend) =>
  values.map((v, i) => tensor(v.slice(), shapes[i], { requiresGrad: true, backend }))

/** A number from any output: weights that differ by element, so that no error cancels. */
function weighted(y: Tensor): Tensor {
  const weights = Float64Array.from({ length: y.size }, (_, i) => Math.cos(1 + i))
  return sum(mul(y, tensor(weights, y.shape, { backend: y.backend })))
}

function expectGradient(f: (inputs: Tensor[]) => Tensor, sample: Sample, what: string): void {
  const inputs = inputsOf(sample, double)
  const found = gradients(f(inputs), inputs)
  const eps = 1e-6
  sample.values.forEach((values, which) => {
    const got = found[which].data()
    for (let i = 0; i < values.length; i++) {
      const at = (x: number) => {
        const moved = { ...sample, values: sample.values.map((v, j) => (j === which ? v.map((y, k) => (k === i ? x : y)) : v)) }
        return f(inputsOf(moved, double)).item()
      }
      const wanted = (at(values[i] + eps) - at(values[i] - eps)) / (2 * eps)
      if (!(Math.abs(got[i] - wanted) <= 1e-5 + 1e-3 * Math.abs(wanted)))
        throw new Error(
          `${what}: shapes ${JSON.stringify(sample.shapes)}, input ${which}, element ${i}: ${got[i]}, differences say ${wanted}`,
        )
    }
  })
}

test('every operation and every loss has a row', () => {
  const rows = OPERATIONS.map(({ name }) => name)
  // activate has rows under the names of the activations; weightedCrossEntropy is crossEntropy with weights; ensembleLoss makes a loss of a loss; the others have no gradient.
  const without: readonly string[] = [
    ...ACTIVATIONS,
    'activate',
    'argmax',
    'argmin',
    'argsort',
    'ceil',
    'ensembleLoss',
    'equal',
    'floor',
    'gradients',
    'greater',
    'greaterEqual',
    'less',
    'lessEqual',
    'oneHot',
    'round',
    'sign',
    'weightedCrossEntropy',
  ]
  const missing = [...valuesFrom('ts/ops'), ...valuesFrom('ts/loss')].filter(
    (op) => !without.includes(op) && !rows.some((row) => row.split(' ')[0] === op),
  )
  expect(missing, "wants a row in OPERATIONS of test/ops/table.ts: CONTRIBUTING.md, 'An operation'").toEqual([])
})

describe(`P4: gradients on ${SHAPES} random shapes, double precision`, () => {
  test.each(OPERATIONS)('$name', (operation) => {
    const f = (inputs: Tensor[]) => weighted(operation.call(...inputs))
    const second = (inputs: Tensor[]) =>
      gradients(f(inputs), inputs, { createGraph: true })
        .map((g) => weighted(square(g)))
        .reduce((a, b) => add(a, b))
    for (const sample of samplesOf(operation, SHAPES)) {
      expectGradient(f, sample, 'first order')
      expectGradient(second, sample, 'second order')
      double.arena.discard()
    }
  })
})

describe.each(single)('$variant, float32', (backend) => {
  test.each(OPERATIONS)('P4: $name: values and gradients against double precision', (operation) => {
    let error = 0
    let power = 0
    for (const sample of samplesOf(operation, SHAPES, 2, LONGEST)) {
      const [exact, fast] = [double, backend].map((b) => {
        const inputs = inputsOf(sample, b)
        const y = operation.call(...inputs)
        return [y.data(), ...gradients(weighted(y), inputs).map((g) => g.data())]
      })
      exact.forEach((values, k) =>
        values.forEach((v, i) => {
          error += (fast[k][i] - v) ** 2
          power += v ** 2
        }),
      )
      for (const b of [double, backend]) b.arena.discard()
    }
    expect(error / power).toBeLessThanOrEqual(1e-7)
  })
})

const SPECIAL = [Number.NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -2, 3, 1e-40, -1e-40, 1e30, -1e30, 1.1754944e-38, 3.4028235e38]

describe.each([double, ...single])('fault 28: NaN, infinities, −0 and denormal numbers, $variant $dtype', (backend) => {
  const elementwise = OPERATIONS.filter(({ reference }) => reference !== undefined)
  test.each(elementwise)('$name', ({ call, reference, shapes }) => {
    const round = backend.dtype === 'float64' ? (x: number) => x : Math.fround
    const special = SPECIAL.map(round)
    const pairs = shapes[0].includes(' ') ? special.flatMap((a) => special.map((b) => [a, b])) : special.map((a) => [a])
    const columns = pairs[0].map((_, k) =>
      tensor(
        Float64Array.from(pairs, (p) => p[k]),
        { backend },
      ),
    )
    const got = noGrad(() => call(...columns)).data()
    pairs.forEach((pair, i) => {
      const wanted = round((reference as (...x: number[]) => number)(...pair))
      // 1/x shows the sign of zero; computed functions may round results below the normal numbers to 0
      const close = Object.is(got[i], wanted) || Math.abs(got[i] - wanted) <= 4e-6 * Math.abs(wanted) + (wanted === 0 ? 0 : 2e-38)
      if (!close && !(wanted === 0 && got[i] === 0)) throw new Error(`of ${pair}: ${got[i]}, wants ${wanted}`)
    })
  })
})

describe('what is refused, with its name', () => {
  test.each(OPERATIONS.filter(({ refuses }) => refuses !== undefined))('$name', (operation) => {
    const [sample] = samplesOf(operation, 1)
    for (const backend of [double, ...single]) {
      for (const [call, message] of operation.refuses ?? []) expect(() => call(...inputsOf(sample, backend))).toThrow(message)
    }
  })
})

describe.each(single)('fault 8: the k-th allocation fails, for every k, $variant', (backend) => {
  const { arena, heap } = backend
  /** Runs fn with an arena whose k-th allocation from now on fails. */
  const failing = (k: number, fn: () => void) => {
    const allocate = arena.allocate
    let left = k
    arena.allocate = function (bytes) {
      if (left-- === 0) throw new OutOfMemoryError(bytes, heap.usedBytes, heap.limit)
      return allocate.call(this, bytes)
    }
    try {
      fn()
      return true
    } catch (error) {
      expect(error).toBeInstanceOf(OutOfMemoryError)
      return false
    } finally {
      arena.allocate = allocate
    }
  }

  test.each(OPERATIONS)('$name, with its gradient', (operation) => {
    const [sample] = samplesOf(operation, 1, 3)
    const run = () => {
      const inputs = inputsOf(sample, backend)
      const y = operation.call(...inputs)
      const value = y.data()
      weighted(y).backward()
      return [value, ...inputs.map((x) => x.grad?.data())]
    }
    const wanted = run()
    for (let k = 0; k < 200; k++) {
      const used = heap.usedBytes
      const done = failing(k, () => void run())
      expect(run(), `after allocation ${k} failed`).toEqual(wanted)
      expect(heap.usedBytes).toBeLessThanOrEqual(used + (1 << 17))
      if (done) return
    }
    throw new Error('it has more than 200 allocations')
  })
})

describe.each([double, ...single])('edge points, as IEEE 754 or PyTorch, $variant $dtype', (backend) => {
  const at = (...values: number[]) => tensor(Float64Array.from(values), { requiresGrad: true, backend })
  const slope = (f: (x: Tensor) => Tensor, x: number, order = 1): number => {
    const leaf = at(x)
    let y = f(leaf)
    for (let k = 1; k <= order; k++) [y] = gradients(sum(y), [leaf], { createGraph: k < order })
    return y.item()
  }

  test('pow: 1 to any power, the slope for the exponent at 0', () => {
    expect([...pow(at(1, 1, 1, -1, -1), at(Infinity, -Infinity, Number.NaN, Infinity, -Infinity)).data()]).toEqual([1, 1, 1, 1, 1])
    expect(slope((b) => pow(at(0), b), -1)).toBe(-Infinity)
    expect([slope((b) => pow(at(0), b), 0), slope((b) => pow(at(0), b), 2)]).toEqual([0, 0])
  })

  test('fault 28: pow: the mixed second derivative at an exponent of 0 is 1/a', () => {
    for (const value of [-2, -0.5, 3]) {
      const [a, b] = [at(value), at(0)]
      const [slope] = gradients(sum(pow(a, b)), [a], { createGraph: true })
      expect(slope.item()).toBeCloseTo(0, 15)
      expect(gradients(sum(slope), [b])[0].item()).toBeCloseTo(1 / value, 6)
    }
    for (const value of [0, -0, 1e-40, -1e-310, Infinity, Number.NaN]) {
      const [a, b] = [at(value), at(0)]
      expect(gradients(sum(pow(a, b)), [a])[0].item()).toBeCloseTo(0, 15)
    }
  })

  test('maximum and minimum: where one is NaN, both get the gradient', () => {
    for (const f of [maximum, minimum]) {
      const [a, b] = [at(Number.NaN, 1, 2, 3), at(1, Number.NaN, 2, 1)]
      sum(f(a, b)).backward()
      expect([...(a.grad?.data() ?? [])].slice(0, 3)).toEqual([1, 1, 0.5])
      expect([...(b.grad?.data() ?? [])].slice(0, 3)).toEqual([1, 1, 0.5])
    }
  })

  test('gelu: derivatives far out', () => {
    for (const x of [30, 1e10, 1e25, -1e25]) {
      expect([slope((t) => activate(t, 'gelu'), x), slope((t) => activate(t, 'gelu'), x, 2)]).toEqual([
        x > 0 ? 1 : expect.closeTo(0),
        expect.closeTo(0),
      ])
    }
  })
})
