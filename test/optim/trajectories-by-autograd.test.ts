/**
 * The trajectories of the small net once more, with gradients by this library's own layers, loss and backpropagation, and with
 * weights laid out as its layers have them: so the code that users run is verified, too.
 */
import { describe, expect, test } from 'vitest'
import { crossEntropy, Dense, Muon, Sequential } from '../../ts/index.js'
import { tensor } from '../../ts/tensor.js'
import { averages, ELEMENTWISE, LAYERWISE, type Row, WRAPPED } from '../tools/optim-cases.js'
import { oracle, oracleCases } from '../tools/optim-problems.js'
import { backends, followSetting, type Setting } from '../tools/optim-runner.js'

const { X, y, W1, b1, W2, b2 } = oracle.problems.mlp

/** PyTorch's [out, in] as this library's [in, out], and back. */
const transposed = (m: number[][]) => m[0].map((_, j) => m.map((row) => row[j]))

function netSetting(learningRate: number, backend: Setting['backend']): Setting & { flat(): number[] } {
  const model = new Sequential([new Dense(4, 8, { activation: 'tanh' }), new Dense(8, 3)], { backend })
  const parameters = model.parameters()
  model.loadState({ '0.weight': transposed(W1).flat(), '0.bias': b1, '1.weight': transposed(W2).flat(), '1.bias': b2 })
  const inputs = tensor(X, { backend })
  const gradient = () => {
    const loss = crossEntropy(model.forward(inputs), y)
    loss.backward()
    return loss.item()
  }
  const flat = () =>
    parameters.flatMap((p) => {
      const rows = Array.from({ length: p.shape[0] }, (_, i) => [
        ...p.view().subarray((i * p.size) / p.shape[0], ((i + 1) * p.size) / p.shape[0]),
      ])
      return p.rank === 2 ? transposed(rows).flat() : [...p.view()]
    })
  return { parameters, learningRate, problem: 'mlp', backend, gradient, flat }
}

/** Muon as users call it, with the output on the last axis. */
const MUON: Row[] = [
  ['muon', (s) => new Muon(s.parameters, { learningRate: s.learningRate })],
  ['muon_no_nesterov_wd0', (s) => new Muon(s.parameters, { learningRate: s.learningRate, nesterov: false, weightDecay: 0 })],
]
/** Cases that name the axes, and the hand-written loop that adds up gradients. */
const OTHERS = ['muon', 'ox_agc', 'ox_centralize', 'ox_accumulate']
const rows = [...ELEMENTWISE, ...LAYERWISE, ...WRAPPED].filter(
  ([id]) => oracleCases.get(id)!.results.mlp !== undefined && !OTHERS.some((other) => id.startsWith(other)),
)

describe.each(backends)('$name', ({ make: makeBackend }) => {
  const backend = makeBackend()

  test.each([...rows, ...MUON])('%s', (id, make, floors) => {
    const trajectory = oracleCases.get(id)!.results.mlp
    const setting = netSetting(trajectory.lr, backend)
    // Averages are laid out as parameters are; the other test compares them.
    const { deviation, compared } = followSetting(setting, { ...trajectory, avg: undefined }, make, averages, floors)
    expect(deviation).toBeUndefined()
    expect(compared).toBeGreaterThan(0)
  })
})

test('the usual ones are among them', () => {
  const ids = [...rows, ...MUON].map(([id]) => id)
  expect(ids).toEqual(
    expect.arrayContaining(['adam', 'adamw', 'sgd', 'sgd_momentum', 'rmsprop', 'ox_lion', 'ox_lamb', 'adafactor', 'muon']),
  )
  expect(ids.length).toBeGreaterThan(70)
})
