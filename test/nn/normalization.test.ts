/** Layer and batch normalization, against PyTorch's documented formulas in double precision, and as parts of models. */
import { describe, expect, test } from 'vitest'
import type { Backend } from '../../ts/backend/index.js'
import { ACTIVATIONS } from '../../ts/backend/kernels.js'
import { supportedVariants } from '../../ts/debug/index.js'
import {
  Activation,
  Adam,
  add,
  BatchNorm,
  type BufferTensor,
  type BuildContext,
  createBackend,
  crossEntropy,
  Dense,
  decodeState,
  encodeState,
  evaluateModel,
  fit,
  Generator,
  gradients,
  type LastAxis,
  LayerNorm,
  Module,
  mul,
  noGrad,
  Sequential,
  sum,
  summary,
  type Tensor,
  tensor,
} from '../../ts/index.js'

const exact = createBackend({ backend: 'js', dtype: 'float64' })
const backends: [string, Backend, number][] = [
  ['JavaScript, doubles', exact, 1e-12],
  ['JavaScript', createBackend({ backend: 'js' }), 2e-5],
  ...supportedVariants().map((variant): [string, Backend, number] => [variant, createBackend({ variant }), 2e-5]),
]

type Grid = number[][]
const transposed = (rows: Grid): Grid => rows[0].map((_, c) => rows.map((row) => row[c]))
const averageOf = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
const varianceOf = (values: number[]) => averageOf(values.map((v) => (v - averageOf(values)) ** 2))

/** Output and gradients of normalization over rows, from the formulas, element by element. */
function normalizedRows(rows: Grid, upstream: Grid, epsilon: number): { output: Grid; gradient: Grid } {
  const output: Grid = []
  const gradient: Grid = []
  rows.forEach((row, r) => {
    const deviation = Math.sqrt(varianceOf(row) + epsilon)
    const normal = row.map((v) => (v - averageOf(row)) / deviation)
    const g = upstream[r]
    const along = averageOf(g.map((v, i) => v * normal[i]))
    output.push(normal)
    gradient.push(g.map((v, i) => (v - averageOf(g) - normal[i] * along) / deviation))
  })
  return { output, gradient }
}

const random = new Generator(7)
const draw = (rows: number, columns: number, from = random): Grid =>
  Array.from({ length: rows }, () => [...from.normals(columns)].map((v) => 3 * v + 1))

function expectClose(actual: Tensor | null, wanted: Grid | number[], tolerance: number): void {
  expectNear([...(actual as Tensor).data()], wanted.flat(), tolerance)
}

function expectNear(values: number[], flat: number[], tolerance: number): void {
  expect(values.length).toBe(flat.length)
  values.forEach((value, i) => {
    expect(Math.abs(value - flat[i]), `element ${i}: ${value}, wanted ${flat[i]}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(flat[i])),
    )
  })
}

describe.each(backends)('%s', (_, backend, tolerance) => {
  test.each([
    [5, 4],
    [2, 3],
    [33, 17],
    [3, 1],
  ])('values and gradients of [%i, %i] follow the formulas, over rows and over columns', (n, width) => {
    const [x, upstream] = [draw(n, width), draw(n, width)]
    for (const kind of ['rows', 'columns'] as const) {
      const layer = kind === 'rows' ? new LayerNorm(width, { backend }) : new BatchNorm(width, { backend })
      layer.build()
      const weight = layer.weight.assign(random.normals(width))
      const scale = [...weight.data()]
      const bias = [...layer.bias.assign(random.normals(width)).data()]
      const turn = (grid: Grid) => (kind === 'rows' ? grid : transposed(grid))
      const scaled = upstream.map((row) => row.map((v, c) => v * scale[c]))
      const wanted = normalizedRows(turn(x), turn(scaled), 1e-5)
      const [normal, gradient] = [turn(wanted.output), turn(wanted.gradient)]
      const input = tensor(x, { backend, requiresGrad: true })
      const y = layer.forward(input as never) as Tensor
      expectClose(y, normal.map((row) => row.map((v, c) => v * scale[c] + bias[c])), tolerance * 10) // biome-ignore format: one line
      sum(mul(y, tensor(upstream, { backend }) as never) as Tensor).backward()
      expectClose(input.grad, gradient, tolerance * 30)
      const columnSums = (grid: Grid) => transposed(grid).map((column) => column.reduce((a, b) => a + b, 0))
      expectClose(layer.bias.grad, columnSums(upstream), tolerance * 30)
      expectClose(weight.grad, columnSums(upstream.map((row, r) => row.map((v, c) => v * normal[r][c]))), tolerance * 50)
    }
  })

  test('running statistics follow PyTorch: momentum 0.1, the unbiased variance; evaluation uses them', () => {
    const layer = new BatchNorm(3, { backend })
    const [mean, variance] = [[0, 0, 0], [1, 1, 1]] // biome-ignore format: two rows
    const batches = [draw(4, 3), draw(7, 3), draw(2, 3)]
    for (const rows of batches) {
      noGrad(() => layer.forward(tensor(rows, { backend }) as never))
      transposed(rows).forEach((column, c) => {
        mean[c] = 0.9 * mean[c] + 0.1 * averageOf(column)
        variance[c] = 0.9 * variance[c] + 0.1 * varianceOf(column) * (column.length / (column.length - 1))
      })
    }
    expectClose(layer.runningMean, mean, tolerance * 10)
    expectClose(layer.runningVariance, variance, tolerance * 10)
    const rows = draw(1, 3)
    const wanted = rows.map((row) => row.map((v, c) => (v - mean[c]) / Math.sqrt(variance[c] + 1e-5)))
    const before = layer.state()
    expectClose(layer.predict(rows as never), wanted, tolerance * 30)
    expect(layer.state()).toEqual(before)
  })
})

test.each(backends)('an activation behind BatchNorm is the activation of its result, with its gradients: %s', (_, backend, tolerance) => {
  for (const activation of ACTIVATIONS) {
    // columns for lanes of eight, of four and of one, and rows for several runs with a remainder
    for (const [n, width] of [
      [77, 13],
      [3, 70],
    ]) {
      const [x, upstream] = [draw(n, width), draw(n, width)]
      const run = (make: () => Module[]) => {
        const model = new Sequential(make(), { backend })
        model.build()
        const layer = model.layers[0] as BatchNorm
        layer.weight.assign(Float64Array.from({ length: width }, (_, i) => Math.cos(i)))
        layer.bias.assign(Float64Array.from({ length: width }, (_, i) => Math.sin(i)))
        const input = tensor(x, { backend, requiresGrad: true })
        const probe = tensor(upstream, { backend })
        const y = model.forward(input) as Tensor
        const values = [...y.data()]
        sum(mul(y, probe) as Tensor).backward()
        const grads = [input, layer.weight, layer.bias].map(({ grad }) => [...(grad as Tensor).data()])
        const [g] = gradients(sum(mul(model.forward(input) as Tensor, probe)), [input], { createGraph: true })
        const [second] = gradients(sum(mul(g, probe)), [input])
        return [values, ...grads, [...layer.runningMean.data()], [...model.predict(x as never).data()], [...second.data()]]
      }
      const one = run(() => [new BatchNorm(width, { activation })])
      const two = run(() => [new BatchNorm(width), new Activation(activation)])
      one.forEach((found, i) => {
        expectNear(found, two[i], i === 6 ? tolerance * 1000 : tolerance * 50)
      })
    }
  }
})

test('running statistics and gradients of many rows have the digits of double precision that floats hold', () => {
  const rows = 5000
  const x = draw(rows, 3).map((row) => row.map((v) => v + 1000))
  const found = backends.slice(1).map(([, backend]) => {
    const layer = new BatchNorm(3, { backend, momentum: 1 })
    noGrad(() => layer.forward(tensor(x, { backend }) as never))
    return [...layer.runningVariance.data()]
  })
  const wanted = transposed(x.map((row) => [...Float32Array.from(row)])).map((column) => (varianceOf(column) * rows) / (rows - 1))
  for (const variances of found) variances.forEach((v, i) => expect(Math.abs(v / wanted[i] - 1)).toBeLessThan(2e-5))
})

test.each(backends)('large values are normalized like small ones, or give NaN, never zeros: %s', (_, backend, tolerance) => {
  const isExact = backend === exact
  // numbers of its own, none of which lie so close that the squares of 1e21 times them stay finite
  const own = new Generator(7)
  for (const rows of [2, 8, 33, 300]) {
    const x = draw(rows, 9, own)
    const upstream = draw(rows, 9, own)
    for (const Layer of [BatchNorm, LayerNorm]) {
      const run = (size: number) => {
        const layer = new Layer(9, { backend, epsilon: 1e-30 })
        const input = tensor(x.map((row) => row.map((v) => v * size)), { backend, requiresGrad: true }) // biome-ignore format: one line
        const y = layer.forward(input as never) as Tensor
        sum(mul(y, tensor(upstream, { backend }) as never) as Tensor).backward()
        return [[...y.data()], [...(input.grad as Tensor).data()].map((g) => g * size), [...(layer.weight.grad as Tensor).data()]]
      }
      const wanted = run(1)
      // layer normalization adds the squares of a row up first
      const sizes = [1e-4, 1e9, 1e17, ...(Layer === BatchNorm ? [2e18] : [])]
      for (const size of sizes) run(size).forEach((found, i) => expectNear(found, wanted[i], 100 * tolerance))
      for (const size of [1e21, 1e30, 1e37]) {
        const [y] = run(size)
        if (isExact) expectNear(y, wanted[0], 100 * tolerance)
        else expect(y, `${Layer.name} of ${size}`).toEqual(y.map(() => Number.NaN))
      }
    }
  }
})

test.each(backends)('equal values of any size are normalized to zeros: %s', (_, backend) => {
  for (const size of [0.1, 2026, 100_000.3, 1.7e9, 1 / 3e-10, 1e18 / 3])
    for (const count of [2, 7, 33, 300]) {
      const value = Math.fround(size)
      for (const [layer, rows] of [
        [new BatchNorm(3, { backend }), Array.from({ length: count }, () => Array(3).fill(value))],
        [new LayerNorm(count, { backend }), Array.from({ length: 3 }, () => Array(count).fill(value))],
      ] as const) {
        const y = layer.forward(tensor(rows, { backend }) as never) as Tensor
        expect([...y.data()], `${layer.describe()} of ${count} times ${value}`).toEqual(Array(3 * count).fill(0))
      }
    }
})

test('threads give the bits of one thread in batch normalization', async () => {
  const trained = async (threads: number) => {
    const backend = createBackend({ threads })
    await backend.ready
    const model = new Sequential([new BatchNorm(40, { activation: 'relu' }), new Dense(40, 2)], { seed: 1, backend })
    const inputs = tensor(new Generator(3).normals(4000 * 40), [4000, 40], { backend })
    const targets = Int32Array.from({ length: 4000 }, (_, i) => i % 2)
    await fit(model, { inputs, targets, batchSize: 2000, epochs: 2, loss: crossEntropy, optimizer: new Adam(model.parameters()) })
    return [('single' in (backend.kernels as unknown as Record<string, object>).batchNormBackward) as unknown, model.state()]
  }
  const [[, one], [isShared, two]] = [await trained(1), await trained(2)]
  expect(isShared).toBe(true)
  expect(two).toEqual(one)
})

test('figures of PyTorch’s own documentation formula, worked out by hand', () => {
  expect(new LayerNorm(2, { epsilon: 3, backend: exact }).predict([[1, 3]]).toArray()).toEqual([[-0.5, 0.5]])
  const layer = new BatchNorm(1, { epsilon: 3, momentum: 0.5, backend: exact })
  expect(layer.forward(tensor([[1], [3]], { backend: exact })).toArray()).toEqual([[-0.5], [0.5]])
  expect([layer.runningMean.item(), layer.runningVariance.item()]).toEqual([1, 1.5])
})

test.each(['row', 'column'])('gradients of gradients agree with central differences, over each %s', (kind) => {
  const layer = kind === 'row' ? new LayerNorm(3, { backend: exact }) : new BatchNorm(3, { backend: exact, momentum: 0 })
  layer.build().weight.assign([1.5, -0.7, 0.4])
  const at = draw(4, 3)
  const probe = tensor(draw(4, 3), { backend: exact })
  const along = tensor(draw(4, 3), { backend: exact })
  const value = (x: Tensor) => sum(mul(probe, layer.forward(x as never) as Tensor))
  const slope = (rows: Grid) => {
    const x = tensor(rows, { backend: exact, requiresGrad: true })
    const [g] = gradients(value(x), [x], { createGraph: true })
    return { x, value: sum(mul(g as Tensor, along)) }
  }
  const { x, value: dot } = slope(at)
  dot.backward()
  const second = (x.grad as Tensor).data()
  const h = 1e-5
  at.flat().forEach((_, i) => {
    const moved = (by: number) => at.map((row, r) => row.map((v, c) => (r * 3 + c === i ? v + by : v)))
    const difference = (slope(moved(h)).value.item() - slope(moved(-h)).value.item()) / (2 * h)
    expect(second[i]).toBeCloseTo(difference, 5)
  })
})

test('inputs of more axes: all but the last are rows', () => {
  const values = draw(6, 4)
  for (const Layer of [LayerNorm, BatchNorm]) {
    const flat = new Layer(4, { backend: exact }).forward(tensor(values, { backend: exact }) as never) as Tensor
    const deep = new Layer(4, { backend: exact }).forward(tensor(values.flat(), [2, 3, 4], { backend: exact }) as never) as Tensor
    expect(deep.shape).toEqual([2, 3, 4])
    expect([...deep.data()]).toEqual([...flat.data()])
  }
})

describe('in a model', () => {
  const backend = createBackend()
  const inputs = draw(24, 4)
  const targets = Int32Array.from({ length: 24 }, (_, i) => i % 3)
  const make = (seed = 1) =>
    new Sequential([new Dense(4, 8, { bias: false }), new BatchNorm(8), new LayerNorm(8), new Dense(8, 3)], { seed, backend })
  const train = (model: Module, epochs: number) =>
    fit(model, {
      inputs,
      targets,
      loss: crossEntropy,
      optimizer: new Adam(model.parameters(), { learningRate: 0.01 }),
      epochs,
      batchSize: 8,
    })

  test('buffers are named, saved and loaded with the model, and no optimizer sees them', async () => {
    const model = make()
    expect([...model.namedBuffers().keys()]).toEqual(['1.runningMean', '1.runningVariance'])
    expect(model.buffers().map(({ name }) => name)).toEqual(['1.runningMean', '1.runningVariance'])
    expect(model.parameters().map(({ name }) => name)).not.toContain('1.runningMean')
    await train(model, 3)
    const state = model.state()
    expect([...state['1.runningMean']]).not.toEqual(Array(8).fill(0))
    const wanted = model.predict(inputs).data()
    expect(make(2).loadState(state).predict(inputs).data()).toEqual(wanted)
    expect(
      make(2)
        .loadState(JSON.parse(JSON.stringify(model)))
        .predict(inputs)
        .data(),
    ).toEqual(wanted)
    expect(
      make(2)
        .loadState(decodeState(encodeState({ model })).model)
        .predict(inputs)
        .data(),
    ).toEqual(wanted)
    const { '1.runningMean': _, ...rest } = state
    expect(() => make().loadState(rest)).toThrow("loadState: no values for '1.runningMean'")
    expect(() => make().loadState({ ...state, '1.runningMean': [1] })).toThrow("'1.runningMean' has shape [8] (8 values), got 1")
  })

  test('predict and evaluateModel leave the running statistics as they are', async () => {
    const model = make()
    await train(model, 1)
    const before = model.state()
    model.predict(inputs)
    evaluateModel(model, { inputs, targets, loss: crossEntropy })
    expect(model.state()).toEqual(before)
  })

  test('fit has the bits of the loop by hand, whichever way its steps run', async () => {
    const model = make()
    await train(model, 5)
    const byHand = make()
    const optimizer = new Adam(byHand.parameters(), { learningRate: 0.01 })
    const shuffle = new Generator(0)
    for (let epoch = 0; epoch < 5; epoch++) {
      const order = shuffle.permutation(24)
      for (let from = 0; from < 24; from += 8) {
        const rows = [...order.slice(from, from + 8)]
        const loss = crossEntropy(byHand.forward(tensor(rows.map((r) => inputs[r]), { backend }) as never), Int32Array.from(rows, (r) => targets[r])) // biome-ignore format: one line
        loss.backward()
        optimizer.step()
      }
    }
    expect(model.state()).toEqual(byHand.state())
  })

  test('a layer that a callback puts into evaluation mode in the middle of an epoch stops to follow the batches', async () => {
    const model = make()
    const means: string[] = []
    await fit(model, {
      inputs,
      targets,
      loss: crossEntropy,
      optimizer: new Adam(model.parameters(), { learningRate: 0.01 }),
      batchSize: 2,
      callbacks: [
        {
          onBatchEnd: ({ batch }) => {
            means.push(String(model.state()['1.runningMean']))
            if (batch === 6) model.layers[1].evaluate()
          },
        },
      ],
    })
    expect(new Set(means.slice(0, 6)).size).toBe(6)
    expect(new Set(means.slice(5)).size).toBe(1)
    expect(means.length).toBe(12)
  })

  test('the summary counts parameters; shapes and misfits are known to the compiler', () => {
    expect(summary(make()).split('\n')).toEqual([
      '0        Dense(4, 8)   32',
      '1        BatchNorm(8)  16',
      '2        LayerNorm(8)  16',
      '3        Dense(8, 3)   27',
      'total                  91',
      'buffers                16',
    ])
    const typed: Tensor<[1, 3]> = make().predict([[1, 2, 3, 4]])
    expect(typed.shape).toEqual([1, 3])
    // @ts-expect-error "LayerNorm(9) wants 9 inputs, but the layer before it gives 8"
    new Sequential([new Dense(4, 8), new LayerNorm(9)], { backend })
    // @ts-expect-error "BatchNorm(8) wants 8 columns, got [1, 4]"
    expect(() => new Sequential([new BatchNorm(8), new Dense(8, 3)], { backend }).predict([[1, 2, 3, 4]])).toThrow(
      "BatchNorm(8) '0': wants inputs of shape [..., 8], got shape [1, 4]",
    )
  })

  test('what a normalisation cannot do is said', () => {
    const bad = tensor([[1, 2]], { backend })
    expect(() => new BatchNorm(2, { backend }).forward(bad)).toThrow('BatchNorm(2): training wants at least 2 rows')
    expect(() => new LayerNorm(0)).toThrow('LayerNorm: width wants a whole number ≥ 1, got 0')
    expect(() => new LayerNorm(2, { epsilon: 0 })).toThrow('LayerNorm: epsilon wants a number above 0, got 0')
    expect(() => new BatchNorm(2, { momentum: 2 })).toThrow('BatchNorm: momentum wants a number from 0 to 1, got 2')
    expect(() => new BatchNorm(2, { activation: 'softmax' as never })).toThrow(/BatchNorm: activation wants one of linear, relu/)
    expect(() => new BatchNorm(2, { momentun: 2 } as never)).toThrow('did you mean momentum?')
  })

  test('a layer of one’s own declares its shapes and keeps a buffer', () => {
    class Centre extends Module {
      declare readonly shapes?: LastAxis<'Centre(4)', 4, 4>
      declare sum: BufferTensor
      protected override createParameters(context: BuildContext): void {
        this.sum = this.makeBuffer(context, 'sum', [4], 2)
      }
      forward(x: Tensor): Tensor {
        return add(x, this.build().sum)
      }
    }
    const model = new Sequential([new Centre(), new Dense(4, 2)], { backend })
    const typed: Tensor<[1, 2]> = model.predict([[1, 2, 3, 4]])
    expect(typed.shape).toEqual([1, 2])
    expect(Object.keys(model.state())).toEqual(['1.weight', '1.bias', '0.sum'])
    model.buffers()[0].assign([-1, -2, -3, -4])
    expect([...model.predict([[1, 2, 3, 4]]).data()]).toEqual([0, 0])
    // @ts-expect-error "Centre(4) wants 4 inputs, but the layer before it gives 3"
    expect(() => new Sequential([new Dense(4, 3), new Centre()], { backend }).predict([[1, 2, 3, 4]])).toThrow()
    expect(() => model.buffers()[0].assign([1])).toThrow("buffer '0.sum': wants shape [4], got [1]")
  })
})
