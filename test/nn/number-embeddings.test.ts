/** Embeddings of numbers, against the package of the authors (rtdl_num_embeddings) and formulas in doubles, and as parts of models. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Backend } from '../../ts/backend/index.js'
import { supportedVariants } from '../../ts/debug/index.js'
import { toFunction } from '../../ts/export/index.js'
import {
  Adam,
  createBackend,
  Dense,
  decodeModel,
  encodeModel,
  fit,
  Generator,
  gradients,
  type Module,
  mse,
  mul,
  PeriodicEmbedding,
  PiecewiseLinearEmbedding,
  quantileEdges,
  Sequential,
  square,
  sum,
  type Tensor,
  tensor,
} from '../../ts/index.js'

interface EmbeddingCase {
  name: string
  inputs: number[]
  features: number
  outputs: number[]
  loss: number
  size: number
  frequencies?: number
  bins?: number
  columns?: { feature: number; edges: number[] }[]
  training?: number[]
  parameters: Record<string, { shape: number[]; values: number[]; gradient: number[] }>
}

const { embeddings } = JSON.parse(readFileSync('test/oracles/ensembles.json', 'utf8')) as { embeddings: EmbeddingCase[] }
const exact = createBackend({ backend: 'js', dtype: 'float64' })
const backends: [string, Backend, number][] = [
  ['JavaScript, doubles', exact, 1e-6], // edges are rounded to single precision
  ...supportedVariants().map((variant): [string, Backend, number] => [variant, createBackend({ variant }), 1e-4]),
]

function expectClose(actual: Tensor | null, wanted: readonly number[], tolerance: number, what = ''): void {
  const values = [...(actual as Tensor).data()]
  expect(values.length).toBe(wanted.length)
  values.forEach((value, i) => {
    const off = Math.abs(value - wanted[i]) / Math.max(1, Math.abs(wanted[i]))
    expect(off, `${what} ${i}: ${value}, wanted ${wanted[i]}`).toBeLessThanOrEqual(tolerance)
  })
}

function layerOf({ columns, features, size, frequencies, parameters }: EmbeddingCase, backend: Backend) {
  const layer =
    columns === undefined
      ? new PeriodicEmbedding(features, { size, frequencies: frequencies as number, backend })
      : new PiecewiseLinearEmbedding(features, columns, { size, backend })
  for (const parameter of layer.build().parameters()) {
    expect(parameter.shape, parameter.name).toEqual(parameters[parameter.name].shape)
    parameter.assign(parameters[parameter.name].values)
  }
  return layer
}

describe.each(backends)('%s', (_, backend, tolerance) => {
  test.each(embeddings)('$name: vectors and gradients are those of rtdl_num_embeddings', (given) => {
    const layer = layerOf(given, backend)
    const rows = given.inputs.length / given.features
    const y = layer.forward(tensor(given.inputs, [rows, given.features], { backend }))
    expect(y.shape).toEqual([rows, given.features * given.size])
    expectClose(y, given.outputs, tolerance, 'output')
    ;(sum(square(y)) as Tensor).backward()
    for (const parameter of layer.parameters())
      expectClose(parameter.grad, given.parameters[parameter.name].gradient, 10 * tolerance, parameter.name)
  })

  test('pbld is W·cos(2πfx + φ) + b behind the numbers', () => {
    const layer = new PeriodicEmbedding(3, { columns: [2, 0], form: 'pbld', size: 2, frequencies: 4, seed: 2, backend })
    const x = [
      [0.3, 5, -1.2],
      [-0.7, 6, 0.4],
    ]
    const [rates, phases, weights] = [layer.build().rates, layer.phases, layer.weights].map((all) => all.map((p) => [...p.data()]))
    const bias = [...layer.bias.data()]
    const wanted = x.map((row) => [
      ...row,
      ...[2, 0].flatMap((feature, c) =>
        [0, 1].map((j) =>
          rates[c].reduce((y, rate, k) => y + weights[c][2 * k + j] * Math.cos(rate * row[feature] + phases[c][k]), bias[2 * c + j]),
        ),
      ),
    ])
    expectClose(layer.predict(x as never) as Tensor, wanted.flat(), tolerance)
  })
})

test('quantileEdges are the bins of compute_bins', () => {
  const [first] = embeddings.filter(({ columns }) => columns !== undefined)
  const { training, columns, features, bins } = first as Required<EmbeddingCase>
  for (const { feature, edges } of columns) {
    const values = training.filter((_, i) => i % features === feature)
    const own = quantileEdges(values, bins)
    expect(own.length).toBe(edges.length)
    own.forEach((edge, i) => expect(edge).toBeCloseTo(edges[i], 6))
  }
  expect(quantileEdges([3, 3, 3], 8)).toEqual([3])
  expect(quantileEdges(Float32Array.of(2, 1), 1)).toEqual([1, 2])
  expect(() => quantileEdges(undefined as never)).toThrow('quantileEdges: wants an array of numbers, got undefined')
  expect(() => quantileEdges([])).toThrow('quantileEdges: wants finite numbers, at least one, got none')
  expect(() => quantileEdges([1, Number.NaN])).toThrow('quantileEdges: wants finite numbers, at least one, got NaN')
  expect(() => quantileEdges([1, Infinity])).toThrow('got Infinity')
  expect(() => quantileEdges([1, 2], 0)).toThrow('quantileEdges: bins wants a whole number')
})

test('random columns: a piecewise linear function by its formula, at edges, between and beyond them', () => {
  const random = new Generator(8)
  const draw = () => random.uniforms(1)[0]
  for (let round = 0; round < 40; round++) {
    const scale = 10 ** Math.round(6 * draw() - 3)
    const edges = quantileEdges(
      Array.from({ length: 1 + Math.floor(20 * draw()) }, () => scale * (draw() - 0.3)).concat([-scale, scale]),
      1 + Math.floor(9 * draw()),
    )
    const layer = new PiecewiseLinearEmbedding(2, [{ feature: 1, edges }], { size: 2, backend: exact, seed: round })
    layer.build().weights[0].assign([...random.normals(2 * edges.length)])
    const [weight, bias] = [[...layer.weights[0].data()], [...layer.bias.data()]]
    const xs = [...edges, ...edges.map((edge) => edge + 0.3 * scale), -5 * scale, 5 * scale]
    const wanted = xs.flatMap((x) => [
      7,
      ...[0, 1].map((j) => {
        let y = bias[j] + weight[j] * x
        for (let i = 0; i + 1 < edges.length; i++) {
          const share = (x - edges[i]) / (edges[i + 1] - edges[i])
          const low = i === 0 ? share : Math.max(share, 0)
          y += weight[2 * (i + 1) + j] * (i === edges.length - 2 ? low : Math.min(low, 1))
        }
        return y
      }),
    ])
    expectClose(layer.predict(xs.map((x) => [7, x])) as Tensor, wanted, 1e-9)
  }
})

test('gradients of gradients agree with central differences', () => {
  for (const form of ['plr', 'pbld'] as const) {
    const layer = new PeriodicEmbedding(2, { form, size: 2, frequencies: 3, deviation: 0.3, backend: exact, seed: 4 })
    const [at, along] = [[...new Generator(5).normals(6)], tensor([...new Generator(6).normals(6)], [3, 2], { backend: exact })]
    const slope = (values: number[]) => {
      const x = tensor(values, [3, 2], { backend: exact, requiresGrad: true })
      const [g] = gradients(sum(square(layer.forward(x))) as Tensor, [x], { createGraph: true })
      return { x, value: sum(mul(g as Tensor, along)) as Tensor }
    }
    const { x, value } = slope(at)
    value.backward()
    const second = (x.grad as Tensor).data()
    at.forEach((_, i) => {
      const moved = (by: number) => slope(at.map((v, j) => (i === j ? v + by : v))).value.item()
      expect(second[i]).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 4)
    })
  }
})

describe('in a model', () => {
  const rows = 40
  const values = new Generator(1).normals(rows * 3)
  const inputs = tensor(values, [rows, 3])
  const targets = tensor(
    Float32Array.from({ length: rows }, (_, i) => Math.abs(values[3 * i])),
    [rows, 1],
  )
  const column = (feature: number) => ({
    feature,
    edges: quantileEdges(
      [...values].filter((_, i) => i % 3 === feature),
      8,
    ),
  })
  const first: [string, () => Module & { width: number }][] = [
    ['piecewise linear', () => new PiecewiseLinearEmbedding(3, [column(2), column(0)], { size: 4 })],
    ['plr', () => new PeriodicEmbedding(3, { columns: [1], size: 4, frequencies: 6 })],
    ['pbld', () => new PeriodicEmbedding(3, { form: 'pbld' })],
  ]
  const make = (embed: Module & { width: number }) =>
    new Sequential([embed, new Dense(embed.width, 6, { activation: 'tanh' }), new Dense(6, 1)] as Module[], { seed: 1 })

  test.each(first)('%s: fit replays the steps, saving keeps them, the plain function agrees', async (_, embed) => {
    const model = make(embed())
    const optimizer = new Adam(model.parameters(), { learningRate: 0.03 })
    const history = await fit(model, { inputs, targets, loss: mse, optimizer, epochs: 60, batchSize: 8 })
    expect(history.execution.writtenOut).toBe(1)
    expect(history.epochs[59].loss).toBeLessThan(0.3 * history.epochs[0].loss)
    const wanted = [...(model.predict(inputs as never) as Tensor).data()]
    expect([...(decodeModel(encodeModel(model)).predict(inputs) as Tensor).data()]).toEqual(wanted)
    const predict = new Function(`${toFunction(model)}; return predict`)() as (rows: unknown) => number[][]
    expectClose(tensor(predict(inputs.toArray()).flat()), wanted, 1e-5)
  })

  test('a piecewise linear embedding begins as a straight line', () => {
    const embed = new PiecewiseLinearEmbedding(1, [{ feature: 0, edges: [0, 1, 5] }], { seed: 1 })
    const [a, b, c] = embed.predict([[0], [3], [6]]).toArray() as number[][]
    a.forEach((low, i) => expect(b[i]).toBeCloseTo((low + c[i]) / 2, 5))
  })

  test('one row, and none', () => {
    for (const [, embed] of first) {
      expect((make(embed()).predict(tensor([[1, 2, 3]]) as never) as Tensor).shape).toEqual([1, 1])
      expect((make(embed()).predict(tensor(new Float32Array(0), [0, 3]) as never) as Tensor).shape).toEqual([0, 1])
    }
  })
})

test('messages', () => {
  const edges = [0, 1]
  const piecewise = (columns: unknown, features = 3) => new PiecewiseLinearEmbedding(features, columns as never)
  expect(() => piecewise(undefined)).toThrow('PiecewiseLinearEmbedding: columns wants [{ feature, edges }, …], got undefined')
  expect(() => piecewise([])).toThrow('PiecewiseLinearEmbedding: columns wants at least one column')
  expect(() => piecewise([{ feature: 3, edges }])).toThrow('feature wants a whole number from 0 to 2, got 3')
  expect(() => piecewise([{ feature: 1, edges }, { feature: 1, edges }])).toThrow('feature 1 is there twice') // biome-ignore format: one line
  expect(() => piecewise([{ feature: 0, edges: [1] }])).toThrow(
    'edges of column 0 want at least two finite numbers, ascending, got an array of 1; leave out a column with one value',
  )
  for (const wrong of [[1, 1], [2, 1], [0, Number.NaN], [0, Infinity], [1, 1 + 1e-12]]) // biome-ignore format: one line
    expect(() => piecewise([{ feature: 0, edges: wrong }]), String(wrong)).toThrow('want at least two finite numbers, ascending')
  expect(() => piecewise([null])).toThrow('edges of column 0 wants numbers, those of quantileEdges, got undefined')
  expect(() => piecewise([{ feature: 0, edges }], 0)).toThrow('PiecewiseLinearEmbedding: features wants a whole number')
  expect(() => piecewise([{ feature: 0, edges }]).predict([[1, 2]])).toThrow(
    'PiecewiseLinearEmbedding(3 → 18): wants inputs of shape [..., 3], got shape [1, 2]',
  )
  expect(() => piecewise([{ feature: 0, edges }]).predict([1, 2, 3] as never)).toThrow(
    'wants rows of 3 columns (shape [n, 3]), got shape [3]',
  )
  expect(() => new PeriodicEmbedding(0)).toThrow('PeriodicEmbedding: features wants a whole number')
  expect(() => new PeriodicEmbedding(2, { columns: 1 as never })).toThrow('PeriodicEmbedding: columns wants indices of columns')
  expect(() => new PeriodicEmbedding(2, { form: 'wave' as never })).toThrow("PeriodicEmbedding: form wants 'plr' or 'pbld'")
})
