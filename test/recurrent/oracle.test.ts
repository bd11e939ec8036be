/** Outputs, states, gradients and second derivatives of the recurrent layers beside PyTorch's, in float64. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  Adam,
  add,
  type Backend,
  createBackend,
  Dense,
  fit,
  gradients,
  mse,
  mul,
  Sequential,
  schedules,
  sum,
  type Tensor,
  tensor,
} from '../../ts/index.js'
import { GRU, LSTM, loadTorchWeights, type RecurrentLayer, SimpleRNN } from '../../ts/recurrent/index.js'

interface Numbers {
  shape: number[]
  values: number[]
}
interface Case {
  name: string
  kind: 'SimpleRNN' | 'GRU' | 'GRUBefore' | 'LSTM'
  bidirectional: boolean
  lengths: number[] | null
  mask: number[][] | null
  leaves: Record<string, Numbers>
  output: Numbers
  state: Numbers
  outputGradient: Numbers
  stateGradient: Numbers
  gradients: Record<string, Numbers>
  directions: Record<string, Numbers>
  seconds: Record<string, Numbers>
}

interface Curve {
  kind: 'SimpleRNN' | 'GRU' | 'LSTM'
  /** Both directions, clipped gradients, and a rate that falls to zero. */
  both: boolean
  inputs: Numbers
  targets: Numbers
  first: Record<string, Numbers>
  losses: number[]
}

const { cases, curves } = JSON.parse(readFileSync('test/oracles/recurrent.json', 'utf8')) as { cases: Case[]; curves: Curve[] }
const backends: [string, Backend, number][] = [
  ['JavaScript in float64', createBackend({ backend: 'js', dtype: 'float64' }), 1e-12],
  ['WebAssembly', createBackend(), 2e-5],
]

type AnyLayer = RecurrentLayer & Pick<GRU, 'run'>

function layerOf({ kind, bidirectional, leaves }: Case, backend: Backend): AnyLayer {
  const options = { bidirectional, backend }
  const layer =
    kind === 'SimpleRNN'
      ? new SimpleRNN(2, 3, options)
      : kind === 'LSTM'
        ? new LSTM(2, 3, options)
        : new GRU(2, 3, { ...options, resetAfter: kind === 'GRU' })
  const tensors = Object.fromEntries(Object.entries(leaves).map(([name, { shape, values }]) => [name, tensor(values, shape, { backend })]))
  for (const suffix of bidirectional ? ['', '_reverse'] : [''])
    if (kind === 'GRU')
      tensors[`bias_hh_l0${suffix}`] = tensor([...new Array(6).fill(0), ...leaves[`candidate${suffix}`].values], [9], { backend })
  if (kind === 'GRUBefore') {
    const build = layer.build()
    build.weight.assign(turned(tensors.weight_ih_l0))
    build.recurrentWeight.assign(turned(tensors.weight_hh_l0))
    build.bias?.assign(tensors.bias_ih_l0)
  } else loadTorchWeights(layer, tensors)
  return layer
}

function turned(t: Tensor): Tensor {
  const [rows, columns] = t.shape
  const values = t.data()
  return tensor(
    Array.from({ length: rows * columns }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]),
    [columns, rows],
    { backend: t.backend },
  )
}

/** The parameter of a layer for PyTorch's name, and whether its matrix is transposed. */
function parameterOf(layer: RecurrentLayer, name: string): [Tensor, boolean] {
  const m = layer as unknown as GRU
  const own = name.endsWith('_reverse')
    ? [m.reverseWeight, m.reverseRecurrentWeight, m.reverseBias, m.reverseRecurrentBias]
    : [m.weight, m.recurrentWeight, m.bias, m.recurrentBias]
  const index = ['weight_ih', 'weight_hh', 'bias_ih', 'candidate'].findIndex((part) => name.startsWith(part))
  return [own[index] as Tensor, index < 2]
}

function close(got: Tensor, wanted: Numbers, isTurned: boolean, tolerance: number, what: string) {
  const t = isTurned ? turned(got) : got
  expect(t.shape, what).toEqual(wanted.shape)
  const values = t.data()
  wanted.values.forEach((value, i) =>
    expect(Math.abs(values[i] - value), `${what}[${i}]: ${values[i]}, PyTorch ${value}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(value)),
    ),
  )
}

describe.each(backends)('%s', (_, backend, tolerance) => {
  test.each(cases)('$name', (c) => {
    const layer = layerOf(c, backend)
    const make = ({ shape, values }: Numbers, requiresGrad = false) => tensor(values, shape, { backend, requiresGrad })
    const names = Object.keys(c.leaves)
    const x = make(c.leaves.x, true)
    const initial = c.leaves.initial && make(c.leaves.initial, true)
    const leaves = names.map((name): [Tensor, boolean] =>
      name === 'x' ? [x, false] : name === 'initial' ? [initial, false] : parameterOf(layer, name),
    )
    const run = () => {
      const { output, state } = layer.run(x, {
        ...(c.lengths && { lengths: c.lengths }),
        ...(c.mask && { mask: c.mask }),
        ...(initial && { initialState: initial }),
      })
      return { output, state, value: add(sum(mul(output, make(c.outputGradient))), sum(mul(state, make(c.stateGradient)))) as Tensor }
    }
    const { output, state, value } = run()
    close(output, c.output, false, tolerance, 'output')
    close(state, c.state, false, tolerance, 'state')
    const inputs = leaves.map(([leaf]) => leaf)
    const fused = gradients(value, inputs)
    fused.forEach((g, i) => close(g, c.gradients[names[i]], leaves[i][1], tolerance, `gradient of ${names[i]}`))

    const first = gradients(run().value, inputs, { createGraph: true })
    first.forEach((g, i) => close(g, c.gradients[names[i]], leaves[i][1], tolerance, `recorded gradient of ${names[i]}`))
    const along = first
      .map((g, i) => sum(mul(g, leaves[i][1] ? turned(make(c.directions[names[i]])) : make(c.directions[names[i]]))) as Tensor)
      .reduce((a, b) => add(a, b) as Tensor)
    gradients(along, inputs).forEach((g, i) =>
      close(g, c.seconds[names[i]], leaves[i][1], 10 * tolerance, `second derivative of ${names[i]}`),
    )
  })

  test.each(curves)(
    '$kind, both directions: $both: 40 steps of Adam have the losses of PyTorch, from the same weights',
    async ({ kind, both, inputs, targets, first, losses }) => {
      const Layer = { SimpleRNN, GRU, LSTM }[kind] as unknown as typeof GRU
      const layer = new Layer(1, 6, { bidirectional: both })
      const head = new Dense<number, number>(both ? 12 : 6, 1)
      const model = new Sequential([layer, head] as never, { backend })
      const make = ({ shape, values }: Numbers) => tensor(values, shape, { backend })
      loadTorchWeights(layer, Object.fromEntries(Object.entries(first).map(([name, value]) => [name, make(value)])))
      head.weight.assign(turned(make(first['head.weight'])))
      head.bias?.assign(make(first['head.bias']))
      const { epochs } = await fit(model, {
        ...{ inputs: make(inputs), targets: make(targets), loss: mse, epochs: losses.length, batchSize: 8, shuffle: false },
        optimizer: new Adam(model.parameters(), { learningRate: 0.02, ...(both && { clipNorm: 0.05 }) }),
        ...(both && { schedule: schedules.cosine(0.02, { steps: losses.length }) }),
      })
      epochs.forEach(({ loss }, i) =>
        expect(Math.abs(loss - losses[i]), `step ${i}: ${loss}, PyTorch ${losses[i]}`).toBeLessThanOrEqual(
          10 * tolerance * Math.max(1, losses[i]),
        ),
      )
    },
  )
})
