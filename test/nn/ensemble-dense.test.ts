/** Layers of ensembles that share weights, against the package of TabM's authors, and as parts of models. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Backend } from '../../ts/backend/index.js'
import { supportedVariants, trace } from '../../ts/debug/index.js'
import { toFunction } from '../../ts/export/index.js'
import {
  Adam,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  decodeModel,
  EnsembleDense,
  EnsembleMean,
  encodeModel,
  ensembleLoss,
  evaluateModel,
  fit,
  Generator,
  gradients,
  type Loss,
  type Module,
  mse,
  mul,
  Scale,
  Sequential,
  slice,
  softmax,
  sum,
  type Tensor,
  tensor,
} from '../../ts/index.js'

interface EnsembleCase {
  name: string
  members: number
  task: 'classes' | 'numbers'
  inputs: number[]
  targets: number[]
  outputs: number[]
  answer: number[]
  loss: number
  parameters: Record<string, { shape: number[]; values: number[]; gradient: number[] }>
}

const { ensembles } = JSON.parse(readFileSync('test/oracles/ensembles.json', 'utf8')) as { ensembles: EnsembleCase[] }
const exact = createBackend({ backend: 'js', dtype: 'float64' })
const backends: [string, Backend, number][] = [
  ['JavaScript, doubles', exact, 1e-9],
  ...supportedVariants().map((variant): [string, Backend, number] => [variant, createBackend({ variant }), 3e-5]),
]

function expectClose(actual: Tensor | null, wanted: readonly number[], tolerance: number, what = ''): void {
  const values = [...(actual as Tensor).data()]
  expect(values.length).toBe(wanted.length)
  values.forEach((value, i) => {
    const off = Math.abs(value - wanted[i]) / Math.max(1, Math.abs(wanted[i]))
    expect(off, `${what} ${i}: ${value}, wanted ${wanted[i]}`).toBeLessThanOrEqual(tolerance)
  })
}

const lossOf = (task: EnsembleCase['task']): Loss => ensembleLoss(task === 'classes' ? crossEntropy : mse)

/** The net of a case: full ensembles have three layers of members, mini ones a scale in front. */
function netOf({ name, members, task, parameters }: EnsembleCase, backend: Backend): Sequential<Module[]> {
  const average = task === 'classes' ? 'softmax' : 'outputs'
  const outputs = parameters['2.weight'].shape[2]
  const isMini = name.startsWith('mini')
  const layers = isMini
    ? [new Scale(4, { members }), new Dense(4, 5, { activation: 'relu' })]
    : [
        new EnsembleDense(4, 5, members, { activation: 'relu' }),
        new EnsembleDense(5, 3, members, { activation: 'relu', inputScaleInitializer: 'ones' }),
      ]
  const last = new EnsembleDense(isMini ? 5 : 3, outputs, members, { shared: false })
  const net = new Sequential([...layers, last, new EnsembleMean({ average })] as Module[], { backend, seed: 1 })
  for (const parameter of net.parameters()) {
    expect(parameter.shape, parameter.name).toEqual(parameters[parameter.name].shape)
    parameter.assign(parameters[parameter.name].values)
  }
  return net
}

describe.each(backends)('%s', (_, backend, tolerance) => {
  test.each(ensembles)('$name: outputs, loss, gradients and answer are those of the package tabm', (given) => {
    const net = netOf(given, backend)
    const { task, members, outputs } = given
    const inputs = tensor(given.inputs, [6, 4], { backend })
    const targets = task === 'classes' ? tensor(Int32Array.from(given.targets), [6], { backend }) : tensor(given.targets, [6], { backend })
    const y = net.train().forward(inputs as never) as Tensor
    expect(y.shape).toEqual([members, 6, outputs.length / members / 6])
    expectClose(y, outputs, tolerance, 'output')
    const loss = lossOf(task)(y, targets)
    expect(Math.abs(loss.item() - given.loss)).toBeLessThan(10 * tolerance)
    loss.backward()
    for (const parameter of net.parameters())
      expectClose(parameter.grad, given.parameters[parameter.name].gradient, 10 * tolerance, parameter.name)
    const answer = net.predict(inputs as never) as Tensor
    expectClose(task === 'classes' ? (softmax(answer) as Tensor) : answer, given.answer, 3 * tolerance, 'answer')
  })
})

test('one answer has the loss of the ensemble, in evaluation', () => {
  const answer = tensor([[1], [2]])
  expect(ensembleLoss(mse)(answer, tensor([1, 4])).item()).toBe(2)
  expect(
    ensembleLoss(mse)(
      tensor([
        [[1], [2]],
        [[3], [4]],
      ]),
      tensor([1, 4]),
    ).item(),
  ).toBe((2 + 2) / 2)
})

test('weights of rows and the sum reach each member', () => {
  const [prediction, targets] = [
    tensor([
      [[1], [2]],
      [[3], [4]],
    ]),
    tensor([1, 4]),
  ]
  const options = { weights: [0, 3], reduction: 'sum' as const }
  expect(ensembleLoss(mse)(prediction, targets, options).item()).toBe((12 + 0) / 2)
})

test('gradients of gradients agree with central differences', () => {
  for (const shared of [true, false]) {
    const layer = new EnsembleDense(3, 2, 2, { shared, activation: 'tanh', backend: exact, seed: 3 })
    const at = [...new Generator(5).normals(6)]
    const along = tensor([...new Generator(6).normals(6)], [2, 3], { backend: exact })
    const slope = (values: number[]) => {
      const x = tensor(values, [2, 3], { backend: exact, requiresGrad: true })
      const [g] = gradients(sum(mul(layer.forward(x as never) as Tensor, 1.5)) as Tensor, [x], { createGraph: true })
      return { x, value: sum(mul(g as Tensor, along)) as Tensor }
    }
    const { x, value } = slope(at)
    value.backward()
    const second = (x.grad as Tensor).data()
    at.forEach((_, i) => {
      const moved = (by: number) => slope(at.map((v, j) => (i === j ? v + by : v))).value.item()
      expect(second[i]).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 5)
    })
  }
})

test('a step of members with weights of their own moves no array of all members', () => {
  const layer = new EnsembleDense(5, 2, 3, { shared: false, seed: 1 })
  const x = tensor(new Generator(4).normals(3 * 7 * 5), [3, 7, 5], { requiresGrad: true })
  const { kernels } = trace(() => (sum(layer.forward(x as never) as Tensor) as Tensor).backward())
  // slices of x would be copies, and their gradients sums of arrays as large as x
  expect(kernels.filter(({ kernel, sizes }) => ['copy', 'fill', 'add'].includes(kernel) && sizes.includes(3 * 7 * 5))).toEqual([])
  expect(kernels.map(({ kernel }) => kernel)).toContain('matmulTN')
})

describe('in a model', () => {
  const rows = 40
  const inputs = tensor(new Generator(1).normals(rows * 4), [rows, 4])
  const targets = Int32Array.from({ length: rows }, (_, i) => i % 3)
  const make = (seed = 1, members = 4) =>
    new Sequential(
      [
        new Scale(4, { members }),
        new Dense(4, 6, { activation: 'silu' }),
        new Dropout(0.2),
        new EnsembleDense(6, 5, members, { activation: 'tanh' }),
        new EnsembleDense(5, 3, members, { shared: false }),
        new EnsembleMean({ average: 'softmax' }),
      ] as Module[],
      { seed },
    )
  const loss = ensembleLoss(crossEntropy)
  const how = (model: Module) => ({ ...{ inputs, targets, loss }, optimizer: new Adam(model.parameters(), { learningRate: 0.01 }) })

  test('fit replays the steps and trains as a loop written by hand does', async () => {
    const [model, other] = [make(), make()]
    const history = await fit(model, { ...how(model), epochs: 3, batchSize: 8, shuffle: false })
    expect(history.execution.writtenOut).toBe(1)
    const optimizer = new Adam(other.parameters(), { learningRate: 0.01 })
    other.train()
    for (let epoch = 0; epoch < 3; epoch++)
      for (let from = 0; from < rows; from += 8) {
        const prediction = other.forward(slice(inputs, from, from + 8) as never) as Tensor
        loss(prediction, tensor(targets.slice(from, from + 8), [8])).backward()
        optimizer.step()
      }
    model.parameters().forEach((parameter, i) => expect(parameter.data()).toEqual(other.parameters()[i].data()))
  })

  test('validation judges the ensemble', async () => {
    const model = make()
    const history = await fit(model, { ...how(model), epochs: 1, validation: { inputs, targets }, shuffle: false })
    const { loss: judged } = evaluateModel(model, { inputs, targets, loss: crossEntropy })
    expect(history.epochs[0].validation?.loss).toBeCloseTo(judged, 6)
  })

  test('saving and loading keeps predictions', () => {
    const model = make(5)
    const again = decodeModel(encodeModel(model))
    expect((again.predict(inputs) as Tensor).data()).toEqual((model.predict(inputs as never) as Tensor).data())
  })

  test('the plain function agrees to 1e-6', () => {
    for (const average of ['outputs', 'softmax', 'sigmoid'] as const) {
      const layers = [...make(7).layers.slice(0, -1), new EnsembleMean({ average })]
      const model = new Sequential(layers as Module[])
      const predict = new Function(`${toFunction(model)}; return predict`)() as (rows: number[][]) => number[][]
      expectClose(model.predict(inputs as never) as Tensor, predict(inputs.toArray() as number[][]).flat(), 1e-6)
    }
  })

  test('members differ from the first step on, and equal weights make equal members', () => {
    const [first, second] = make()
      .train()
      .forward(inputs as never)
      .toArray() as number[][][]
    expect(first).not.toEqual(second)
    const alike = new Scale(2, { members: 3, weightInitializer: 'ones' }).predict([[1, 2]])
    expect(alike.toArray()).toEqual(Array(3).fill([[1, 2]]))
    const signs = [...new Scale(50, { members: 20 }).build().weight.data()]
    expect(new Set(signs)).toEqual(new Set([-1, 1]))
    expect(Math.abs(signs.reduce((a, b) => a + b, 0))).toBeLessThan(100)
  })

  test('the same seed gives the same weights', () => {
    const bits = (seed: number) =>
      make(seed)
        .parameters()
        .map((p) => [...p.data()])
    expect(bits(3)).toEqual(bits(3))
    expect(bits(3)).not.toEqual(bits(4))
  })

  test('one row, no rows, one member', () => {
    expect(make().predict(tensor([[1, 2, 3, 4]]) as never).shape).toEqual([1, 3])
    expect(make(1, 1).predict(inputs as never).shape).toEqual([rows, 3])
    expect(make().predict(tensor(new Float32Array(0), [0, 4]) as never).shape).toEqual([0, 3])
  })
})

test('messages', () => {
  const layer = new EnsembleDense(3, 2, 4)
  expect(() => layer.forward(tensor([[1, 2]]) as never)).toThrow(
    'EnsembleDense(3, 2, 4 members): wants inputs of shape [..., 3], got shape [1, 2]',
  )
  expect(() => layer.forward(tensor(new Float32Array(9), [3, 1, 3]) as never)).toThrow(
    'EnsembleDense(3, 2, 4 members): wants inputs of shape [rows, 3] or [4, rows, 3], got shape [3, 1, 3]',
  )
  expect(() => new EnsembleDense(3, 2, 0)).toThrow('EnsembleDense: members wants a whole number')
  expect(() => new EnsembleDense(3, 2, 2, { activation: 'swish' as never })).toThrow('EnsembleDense: activation wants one of')
  expect(() => new Scale(3, { members: 0 })).toThrow('Scale: members wants a whole number')
  expect(() => new Scale(3).forward(tensor([[1]]) as never)).toThrow('Scale(3): wants inputs of shape [..., 3], got shape [1, 1]')
  expect(() => new EnsembleMean({ average: 'median' as never })).toThrow("EnsembleMean: average wants 'outputs'")
  expect(() => new EnsembleMean().forward(tensor([[1]]))).toThrow(
    "EnsembleMean('outputs'): wants inputs of shape [members, rows, columns], got shape [1, 1]",
  )
  expect(() => ensembleLoss('mse' as never)).toThrow("ensembleLoss: wants a loss, such as mse, got 'mse'")
  expect(() => ensembleLoss(mse)(tensor(new Float32Array(0), [0, 2, 1]), tensor([1, 2]))).toThrow(
    'ensembleLoss: wants predictions [members, rows, …], got shape [0, 2, 1]',
  )
  expect(() => ensembleLoss(mse)(tensor([[[1], [2]]]), tensor([1, 2, 3]))).toThrow('mse: prediction has shape [2, 1], target [3]')
})
